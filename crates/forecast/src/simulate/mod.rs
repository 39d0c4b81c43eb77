//! A campaign put to the rules themselves: rounds in which every signal is decided by
//! [`SetState::decide`] and every slot is drawn as the rollup draws it.
//!
//! For operators that miss each slot independently the formula of [`crate::RoundOdds`] is exact and
//! this finds the same. It is for those that fail for a while: their rounds vary more than any
//! formula here says.

mod simulated_set;

use canon_protocol::{Epoch, Refusal, Round, RoundRules, Slot, SlotClock, Timestamp};
use rand_chacha::{ChaCha8Rng, rand_core::RngCore};

use simulated_set::{Choice, SimulatedSet};

use crate::{
    electorate::{Electorate, Operator, Side},
    interval::{Interval, Quantile},
    share::Share,
};

/// A campaign that is played gives up after so many rounds without a win.
pub const PATIENCE: u32 = 12;

/// What is simulated beside the electorate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Simulation {
    /// Signals and slots of a round.
    pub rules: RoundRules,
    /// Slots and epochs; its genesis is not used.
    pub clock: SlotClock,
    /// Campaigns to play, each until it wins or has lost [`PATIENCE`] rounds. Each begins with a round
    /// of its own and operators that are up or down as they are on average, so no campaign depends
    /// on another.
    pub campaigns: u32,
    /// Slots that an operator's failure lasts on average. Failures can't be shorter than
    /// 1 / (1 - missed) slots on average, which is when they are independent from slot to slot.
    pub outage: f64,
    /// Replays the same simulation.
    pub seed: u64,
}

/// A simulation that can't be played.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulationError {
    /// The rules refused what every campaign needs, for instance because a stake for each seat is more
    /// than the asset can supply.
    #[error("the rules refuse to set up the simulated set: {0}; choose fewer seats")]
    Refused(#[from] Refusal),
    /// The events of a decision did not fit the state that it was decided on.
    #[error("an event does not fit the state: {0}; please report this")]
    ApplyError(#[from] canon_protocol::ApplyError),
    /// The campaigns last longer than time does.
    #[error("{0} campaigns end after the last timestamp that fits 40 bits; play fewer")]
    TooLong(u32),
}

/// What came out.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Simulated {
    /// Campaigns that won their first round, of all.
    pub wins: Interval,
    /// Campaigns in whose first round a rival won, of all.
    pub rival_wins: Interval,
    /// The fewest and the most signals that the payload got in a first round.
    pub signals: (u32, u32),
    /// The signals it got in a first round on average.
    pub mean_signals: f64,
    /// The rounds in which half of the campaigns had won.
    pub median: Quantile,
    /// The rounds in which nine of ten had.
    pub nine_of_ten: Quantile,
}

/// Plays `simulation.campaigns` campaigns with `electorate`. `progress` is told how many have been
/// played after each.
///
/// # Errors
///
/// If the set can't be prepared, or the campaigns last longer than timestamps do.
pub fn simulate(
    simulation: &Simulation,
    electorate: &Electorate,
    mut progress: impl FnMut(u32),
) -> Result<Simulated, SimulationError> {
    let clock = SlotClock { genesis: Timestamp::of(1), ..simulation.clock };
    let mut play = Play {
        simulation,
        clock,
        simulated: SimulatedSet::new(
            simulation.rules,
            &clock,
            electorate.seats(),
            simulation.seed,
        )?,
        shifts: Vec::new(),
        seat_of: seat_owners(electorate),
        epoch: None,
    };
    // The set that stands now draws from the epoch after the next one on.
    let first_slot = clock.epoch_duration.get().saturating_mul(2);
    let mut round = Round::of(first_slot.div_ceil(u64::from(simulation.rules.m())));
    play.prepare(round)?;
    let n = simulation.rules.n();
    let (mut won, mut lost, mut total) = (0, 0, 0);
    let mut signals = (u32::MAX, 0);
    let mut waits = Vec::new();
    for campaign in 1..=simulation.campaigns {
        play.begin(electorate);
        let mut wait = None;
        for number in 1..=PATIENCE {
            let (ours, theirs) = play.round(round)?;
            round = round.next();
            if number == 1 {
                won += u64::from(ours >= n);
                lost += u64::from(theirs >= n);
                signals = (signals.0.min(ours), signals.1.max(ours));
                total += u64::from(ours);
            }
            if ours >= n {
                wait = Some(number);
                break;
            }
        }
        waits.push(wait);
        progress(campaign);
    }
    // Those that never won are last.
    waits.sort_by_key(|wait| wait.unwrap_or(u32::MAX));
    let campaigns = u64::from(simulation.campaigns);
    Ok(Simulated {
        wins: Interval::wilson(won, campaigns),
        rival_wins: Interval::wilson(lost, campaigns),
        signals: if campaigns == 0 { (0, 0) } else { signals },
        mean_signals: total as f64 / campaigns.max(1) as f64,
        median: Quantile::of(&waits, Share::of(1, 2)),
        nine_of_ten: Quantile::of(&waits, Share::of(9, 10)),
    })
}

/// Rounds that are played one after the other.
struct Play<'a> {
    simulation: &'a Simulation,
    clock: SlotClock,
    simulated: SimulatedSet,
    /// Where each operator stands.
    shifts: Vec<Shift>,
    /// The operator of each seat.
    seat_of: Vec<usize>,
    /// The last epoch in which a seed was recorded.
    epoch: Option<Epoch>,
}

impl Play<'_> {
    /// A campaign begins: operators are up or down as they are on average.
    fn begin(&mut self, electorate: &Electorate) {
        let outage = self.simulation.outage;
        let rng = &mut self.simulated.rng;
        let operators = electorate.operators().iter();
        self.shifts = operators.map(|operator| Shift::new(operator, outage, rng)).collect();
    }

    /// Plays a round. Returns the signals for the payload and for the rival.
    fn round(&mut self, round: Round) -> Result<(u32, u32), SimulationError> {
        let rules = self.simulation.rules;
        for slot in rules.first_slot(round).get()..=rules.last_slot(round).get() {
            self.slot(Slot::of(slot))?;
        }
        let count = |choice| self.simulated.signals(round, choice);
        Ok((count(Choice::Payload), count(Choice::Rival)))
    }

    /// Records the seeds that the first slots of a round need, in the epoch before them.
    fn prepare(&mut self, round: Round) -> Result<(), SimulationError> {
        let epoch = self.clock.epoch_of(self.simulation.rules.first_slot(round));
        let before = epoch.get().checked_sub(1).map(Epoch::of);
        let first = before.and_then(|epoch| self.clock.first_slot(epoch));
        if let Some(second) = first.map(Slot::next)
            && let Some(timestamp) = self.clock.slot_start(second)
        {
            self.simulated.go_to(second, timestamp);
            self.record_seed(second)?;
        }
        Ok(())
    }

    /// Once an epoch, after its first slot, somebody records the seed of the next one.
    fn record_seed(&mut self, slot: Slot) -> Result<(), SimulationError> {
        let epoch = self.clock.epoch_of(slot);
        let is_first = self.clock.first_slot(epoch) == Some(slot);
        if !is_first && self.epoch.replace(epoch) != Some(epoch) {
            self.simulated.set_up_epoch()?;
        }
        Ok(())
    }

    fn slot(&mut self, slot: Slot) -> Result<(), SimulationError> {
        let timestamp = self.clock.slot_start(slot);
        let timestamp = timestamp.ok_or(SimulationError::TooLong(self.simulation.campaigns))?;
        self.simulated.go_to(slot, timestamp);
        self.record_seed(slot)?;
        for shift in &mut self.shifts {
            shift.next_slot(&mut self.simulated.rng);
        }
        let Some(seat) = self.simulated.drawn() else { return Ok(()) };
        let shift = &self.shifts[self.seat_of[seat as usize]];
        match (shift.up, shift.side) {
            (true, Side::For) => self.simulated.signal(seat, Choice::Payload),
            (true, Side::Rival) => self.simulated.signal(seat, Choice::Rival),
            (false, _) | (true, Side::Silent) => Ok(()),
        }
    }
}

/// The operator of each seat.
fn seat_owners(electorate: &Electorate) -> Vec<usize> {
    electorate
        .operators()
        .iter()
        .enumerate()
        .flat_map(|(index, operator)| std::iter::repeat_n(index, operator.seats as usize))
        .collect()
}

/// An operator's ups and downs: a chain of two states that is down for the part of slots that it misses
/// and stays down for as long as failures last.
struct Shift {
    side: Side,
    up: bool,
    fails: f64,
    recovers: f64,
}

impl Shift {
    fn new(operator: &Operator, outage: f64, rng: &mut ChaCha8Rng) -> Self {
        let missed = operator.missed.get();
        let (fails, recovers) = if operator.missed == Share::ALL {
            (1.0, 0.0)
        } else {
            let recovers = (1.0 / outage.max(1.0)).min(1.0 - missed);
            (missed * recovers / (1.0 - missed), recovers)
        };
        Self { side: operator.side, up: !happens(rng, missed), fails, recovers }
    }

    fn next_slot(&mut self, rng: &mut ChaCha8Rng) {
        let changes = happens(rng, if self.up { self.fails } else { self.recovers });
        self.up ^= changes;
    }
}

/// True with `chance`.
fn happens(rng: &mut ChaCha8Rng, chance: f64) -> bool {
    // 53 random bits are all that a number below 1 can hold.
    ((rng.next_u64() >> 11) as f64) / ((1u64 << 53) as f64) < chance
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RoundOdds;
    use core::num::NonZeroU64;

    fn share(value: f64) -> Share {
        Share::new(value).unwrap()
    }

    fn simulation(campaigns: u32, outage: f64) -> Simulation {
        Simulation {
            rules: RoundRules::new(6, 10).unwrap(),
            clock: SlotClock {
                genesis: Timestamp::of(1),
                slot_duration: NonZeroU64::new(24).unwrap(),
                epoch_duration: NonZeroU64::new(4).unwrap(),
            },
            campaigns,
            outage,
            seed: 1,
        }
    }

    #[test]
    fn independent_failures_give_what_the_formula_says() {
        // Also in sets so small that a round draws everybody several times.
        for (seats, supporters, rivals, missed) in [
            (20, 0.6, 0.2, 0.0),
            (20, 0.8, 0.2, 0.1),
            (20, 0.4, 0.6, 0.0),
            (3, 0.67, 0.33, 0.0),
            (2, 0.5, 0.5, 0.1),
        ] {
            let set = Electorate::of_shares(seats, share(supporters), share(rivals), share(missed))
                .unwrap();
            let simulation = simulation(10_000, 1.0);
            // One operator per side would fail as a whole: give every seat its own.
            let alone = set
                .operators()
                .iter()
                .flat_map(|operator| {
                    std::iter::repeat_n(Operator { seats: 1, ..*operator }, operator.seats as usize)
                })
                .collect();
            let alone = Electorate::new(alone).unwrap();
            let found = simulate(&simulation, &alone, |_| ()).unwrap();
            let odds = RoundOdds::new(simulation.rules, &set);
            for (found, exact) in [(found.wins, odds.wins), (found.rival_wins, odds.rival_wins)] {
                let trials = found.trials as f64;
                let deviation = (exact * (1.0 - exact) / trials).sqrt();
                let off = (found.share() - exact).abs();
                assert!(off <= 5.0 * deviation + 1.0 / trials, "{found:?} instead of {exact}");
            }
            // The rounds until a win are those of the formula, as far as they were played.
            for (found, chance) in [(found.median, 0.5), (found.nine_of_ten, 0.9)] {
                let rounds =
                    (1..=PATIENCE).find(|rounds| odds.wins_within(*rounds as u64) >= chance);
                let known = |rounds: Option<u32>| rounds.unwrap_or(PATIENCE + 1);
                assert!(
                    (known(found.low)..=known(found.high)).contains(&known(rounds)),
                    "{found:?} instead of {rounds:?}"
                );
            }
        }
    }

    #[test]
    fn long_failures_of_all_at_once_spread_the_signals() {
        let set = Electorate::of_shares(20, share(1.0), share(0.0), share(0.3)).unwrap();
        let short = simulate(&simulation(500, 1.0), &set, |_| ()).unwrap();
        let long = simulate(&simulation(500, 200.0), &set, |_| ()).unwrap();
        assert_eq!(long.signals, (0, 10));
        assert!(long.wins.high < short.wins.low, "{short:?} {long:?}");
    }

    #[test]
    fn the_same_seed_replays() {
        let set = Electorate::of_shares(20, share(0.6), share(0.2), share(0.1)).unwrap();
        let once = simulate(&simulation(50, 3.0), &set, |_| ()).unwrap();
        assert_eq!(simulate(&simulation(50, 3.0), &set, |_| ()).unwrap(), once);
        let other = Simulation { seed: 2, ..simulation(50, 3.0) };
        assert_ne!(simulate(&other, &set, |_| ()).unwrap(), once);
    }
}
