//! Simulated campaigns: [`SetState::decide`](canon_protocol::SetState::decide) decides every signal, and
//! slots are drawn as the rollup draws them.
//!
//! If operators miss each slot independently, the formula of [`RoundOdds`](crate::odds::RoundOdds) is
//! exact and the simulation agrees with it. The simulation is for operators with outages that last:
//! the signals of their rounds vary more than that formula says.

mod set;

use canon_protocol::{Epoch, Refusal, Round, RoundRules, Slot, SlotClock, Timestamp};
use rand_chacha::{ChaCha8Rng, rand_core::RngCore};

use set::{Choice, SimulatedSet};

use crate::{
    electorate::{Electorate, Operator, SignalingSide},
    share::Share,
};

pub use crate::interval::{Interval, Quantile};

/// The number of rounds without a win after which a simulated campaign gives up.
pub const PATIENCE: u32 = 12;

/// The settings of a simulation, apart from the electorate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Simulation {
    /// Signals and slots of a round.
    pub rules: RoundRules,
    /// Slots and epochs. The genesis is ignored.
    pub clock: SlotClock,
    /// The number of campaigns, each simulated until it wins or has lost [`PATIENCE`] rounds. Each
    /// begins with a new round, and draws anew which operators are down, so campaigns are independent
    /// of each other.
    pub campaigns: u32,
    /// The mean length of an operator's outage, in slots. It is at least 1 / (1 - missed), the length at
    /// which an operator misses its slots independently of each other.
    pub outage: f64,
    /// The seed of all random draws: the same seed repeats the simulation.
    pub seed: u64,
}

/// The reason why a simulation isn't possible.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulationError {
    /// The rules refused a call that every campaign needs, for instance because the asset can't supply
    /// a stake for each seat.
    #[error("the rules refuse to prepare the simulated set: {0}; choose fewer seats")]
    Refused(#[from] Refusal),
    /// The events of a decision don't fit the state that it was made on.
    #[error("an event doesn't fit the state: {0}; please report this")]
    ApplyError(#[from] canon_protocol::ApplyError),
    /// The campaigns end after the last representable time.
    #[error("{0} campaigns end after the last timestamp that fits 40 bits; simulate fewer")]
    TooLong(u32),
}

/// The results of a simulation.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Simulated {
    /// The campaigns that won their first round.
    pub wins: Interval,
    /// The campaigns in whose first round a rival won.
    pub rival_wins: Interval,
    /// The fewest and the most signals for the payload in a first round.
    pub signals: (u32, u32),
    /// The mean number of signals for the payload in a first round.
    pub mean_signals: f64,
    /// The number of rounds within which half of the campaigns have won.
    pub median: Quantile,
    /// The number of rounds within which nine of ten have won.
    pub nine_of_ten: Quantile,
}

/// Simulates `simulation.campaigns` campaigns of `electorate`. Calls `progress` after each of them, with
/// the number of campaigns so far.
///
/// # Errors
///
/// If the set can't be prepared, or the campaigns end after the last representable time.
pub fn simulate(
    simulation: &Simulation,
    electorate: &Electorate,
    mut progress: impl FnMut(u32),
) -> Result<Simulated, SimulationError> {
    let clock = SlotClock { genesis: Timestamp::of(1), ..simulation.clock };
    let mut run = Run {
        simulation,
        clock,
        set: SimulatedSet::new(simulation.rules, &clock, electorate.seats(), simulation.seed)?,
        uptimes: Vec::new(),
        seat_of: seat_owners(electorate),
        epoch: None,
    };
    // The present set draws from the epoch after the next one on.
    let first_slot = clock.epoch_duration.get().saturating_mul(2);
    let mut round = Round::of(first_slot.div_ceil(u64::from(simulation.rules.m())));
    run.prepare(round)?;
    let rules = simulation.rules;
    let (mut won, mut lost, mut total) = (0, 0, 0);
    let mut signals = (u32::MAX, 0);
    let mut waits = Vec::new();
    for campaign in 1..=simulation.campaigns {
        run.begin(electorate);
        let mut wait = None;
        for number in 1..=PATIENCE {
            let (ours, theirs) = run.round(round)?;
            round = round.next();
            if number == 1 {
                won += u64::from(rules.is_won(ours));
                lost += u64::from(rules.is_won(theirs));
                signals = (signals.0.min(ours), signals.1.max(ours));
                total += u64::from(ours);
            }
            if rules.is_won(ours) {
                wait = Some(number);
                break;
            }
        }
        waits.push(wait);
        progress(campaign);
    }
    // Campaigns that never won are last.
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

/// The simulated rounds, one after the other.
struct Run<'a> {
    simulation: &'a Simulation,
    clock: SlotClock,
    set: SimulatedSet,
    /// Whether each operator is up.
    uptimes: Vec<Uptime>,
    /// The operator of each seat.
    seat_of: Vec<usize>,
    /// The newest epoch whose seed is recorded.
    epoch: Option<Epoch>,
}

impl Run<'_> {
    /// Begins a campaign: draws which operators are up, each with its long-term chance.
    fn begin(&mut self, electorate: &Electorate) {
        let outage = self.simulation.outage;
        let rng = &mut self.set.rng;
        let operators = electorate.operators().iter();
        self.uptimes = operators.map(|operator| Uptime::new(operator, outage, rng)).collect();
    }

    /// Simulates a round. Returns the signals for the payload and for the rival.
    fn round(&mut self, round: Round) -> Result<(u32, u32), SimulationError> {
        let rules = self.simulation.rules;
        for slot in rules.first_slot(round).get()..=rules.last_slot(round).get() {
            self.slot(Slot::of(slot))?;
        }
        let count = |choice| self.set.signals(round, choice);
        Ok((count(Choice::Payload), count(Choice::Rival)))
    }

    /// Records the seed for the epoch in which a round begins, in the epoch before it.
    fn prepare(&mut self, round: Round) -> Result<(), SimulationError> {
        let epoch = self.clock.epoch_of(self.simulation.rules.first_slot(round));
        let start = epoch.previous().and_then(|before| self.clock.seed_recording_start(before));
        if let Some(timestamp) = start
            && let Some(slot) = self.clock.slot_at(timestamp)
        {
            self.set.go_to(slot, timestamp);
            self.record_seed(slot)?;
        }
        Ok(())
    }

    /// Records the seed of the next epoch, unless it is recorded or can't be yet.
    fn record_seed(&mut self, slot: Slot) -> Result<(), SimulationError> {
        match self.clock.recordable_epoch(slot) {
            Some(epoch) if self.epoch.replace(epoch) != Some(epoch) => self.set.set_up_epoch(),
            _ => Ok(()),
        }
    }

    fn slot(&mut self, slot: Slot) -> Result<(), SimulationError> {
        let timestamp = self.clock.slot_start(slot);
        let timestamp = timestamp.ok_or(SimulationError::TooLong(self.simulation.campaigns))?;
        self.set.go_to(slot, timestamp);
        self.record_seed(slot)?;
        for uptime in &mut self.uptimes {
            uptime.next_slot(&mut self.set.rng);
        }
        let Some(seat) = self.set.drawn() else { return Ok(()) };
        let uptime = &self.uptimes[self.seat_of[seat as usize]];
        match (uptime.up, uptime.side) {
            (true, SignalingSide::For) => self.set.signal(seat, Choice::Payload),
            (true, SignalingSide::Rival) => self.set.signal(seat, Choice::Rival),
            (false, _) | (true, SignalingSide::Silent) => Ok(()),
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

/// Whether an operator is up: a Markov chain of two states, whose long-term share of slots down is the
/// share that the operator misses, and whose mean time down is the length of an outage.
struct Uptime {
    side: SignalingSide,
    up: bool,
    /// The chance to go down before the next slot.
    fails: f64,
    /// The chance to come up again before the next slot.
    recovers: f64,
}

impl Uptime {
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

/// Returns true with `chance`.
fn happens(rng: &mut ChaCha8Rng, chance: f64) -> bool {
    // An f64 from 0 to 1 has 53 bits.
    ((rng.next_u64() >> 11) as f64) / ((1u64 << 53) as f64) < chance
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::odds::RoundOdds;
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
        // These include sets so small that a round draws every seat several times.
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
            // One operator per side would go offline as a whole, so every seat gets its own operator.
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
            // The rounds until a win agree with the formula, up to PATIENCE.
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
    fn the_same_seed_gives_the_same_results() {
        let set = Electorate::of_shares(20, share(0.6), share(0.2), share(0.1)).unwrap();
        let once = simulate(&simulation(50, 3.0), &set, |_| ()).unwrap();
        assert_eq!(simulate(&simulation(50, 3.0), &set, |_| ()).unwrap(), once);
        let other = Simulation { seed: 2, ..simulation(50, 3.0) };
        assert_ne!(simulate(&other, &set, |_| ()).unwrap(), once);
    }
}
