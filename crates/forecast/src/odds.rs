//! The chance that a payload wins a round.
//!
//! Each slot draws one seat of the set, all with the same chance and independently of every other slot
//! (`keccak256(seed, slot) mod size`; the bias of the remainder is below 2^-220). A seat can be drawn
//! again, so the number of a side's signals in a round has a binomial distribution, however small the
//! set is.
//!
//! The set of an epoch is closed before its seed is known. Once the seed is known, so are the seats
//! that draw the slots of the epoch, but not whether they signal: those slots are as uncertain as any
//! other.

use canon_protocol::{Round, RoundRules, Slot};

use crate::{
    binomial::{at_least, within},
    electorate::{Electorate, SignalingSide},
};

/// The odds of a whole round.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct RoundOdds {
    /// The chance that the payload gets N signals.
    pub wins: f64,
    /// The chance that it doesn't.
    pub fails: f64,
    /// The chance that a rival payload gets N signals.
    pub rival_wins: f64,
    /// The mean number of signals for the payload.
    pub mean_signals: f64,
}

impl RoundOdds {
    /// The odds of a round whose slots are all drawn from `electorate`.
    pub fn new(rules: RoundRules, electorate: &Electorate) -> Self {
        let (n, m) = (u64::from(rules.n()), u64::from(rules.m()));
        let ours = electorate.chance_per_slot(SignalingSide::For);
        Self {
            wins: at_least(n, m, ours),
            fails: at_least(m - n + 1, m, ours.complement()),
            rival_wins: at_least(n, m, electorate.chance_per_slot(SignalingSide::Rival)),
            mean_signals: m as f64 * ours.get(),
        }
    }

    /// The chance that it wins at least one of `rounds` rounds with these odds.
    pub fn wins_within(&self, rounds: u64) -> f64 {
        within(self.wins, rounds)
    }

    /// The chance that a rival wins at least one of `rounds` rounds with these odds.
    pub fn rival_wins_within(&self, rounds: u64) -> f64 {
        within(self.rival_wins, rounds)
    }
}

/// Whether a payload can still win a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Prospect {
    /// It has N signals already.
    Won,
    /// Enough slots are left to reach N.
    Open,
    /// Too few slots are left.
    Lost,
}

/// The odds of a round that has begun.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct RunningRoundOdds {
    /// Signals that the payload already has.
    pub counted: u32,
    /// Signals that it still needs.
    pub needed: u32,
    /// Slots that can still bring a signal.
    pub slots_left: u64,
    /// Whether it can still win.
    pub prospect: Prospect,
    /// The chance that it wins.
    pub wins: f64,
    /// The mean number of signals that it has at the end of the round.
    pub mean_signals: f64,
}

impl RunningRoundOdds {
    /// The odds of `round`, in which the payload has `counted` signals and `first_free` is the first
    /// slot that can still bring one.
    pub fn new(
        rules: RoundRules,
        electorate: &Electorate,
        round: Round,
        first_free: Slot,
        counted: u32,
    ) -> Self {
        let slots_left = rules.slots_left(round, first_free);
        let needed = rules.n().saturating_sub(counted);
        let ours = electorate.chance_per_slot(SignalingSide::For);
        let prospect = if rules.is_won(counted) {
            Prospect::Won
        } else if rules.can_win(counted, round, first_free) {
            Prospect::Open
        } else {
            Prospect::Lost
        };
        Self {
            counted,
            needed,
            slots_left,
            prospect,
            wins: at_least(needed.into(), slots_left, ours),
            mean_signals: f64::from(counted) + slots_left as f64 * ours.get(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::share::Share;

    fn rules() -> RoundRules {
        RoundRules::new(6, 10).unwrap()
    }

    /// Half of the slots bring a signal.
    fn half() -> Electorate {
        let share = |value| Share::new(value).unwrap();
        Electorate::of_shares(2, share(0.5), share(0.5), share(0.0)).unwrap()
    }

    #[test]
    fn a_round_is_won_or_not() {
        let odds = RoundOdds::new(rules(), &half());
        // 386 of 1024: ten tosses with six heads or more.
        assert!((odds.wins - 386.0 / 1024.0).abs() < 1e-15, "{odds:?}");
        assert!((odds.fails - 638.0 / 1024.0).abs() < 1e-15, "{odds:?}");
        assert_eq!(odds.rival_wins, odds.wins);
        assert_eq!(odds.mean_signals, 5.0);
    }

    #[test]
    fn signals_that_are_counted_and_slots_that_are_left_decide() {
        let rest = |first_free, counted| {
            RunningRoundOdds::new(rules(), &half(), Round::of(1), Slot::of(first_free), counted)
        };
        // The rest of a round that hasn't begun is the whole round.
        assert_eq!(rest(10, 0).wins, RoundOdds::new(rules(), &half()).wins);
        // Two more of the three slots that are left: 4 of 8 ways.
        let open = rest(17, 4);
        assert_eq!((open.needed, open.slots_left, open.prospect), (2, 3, Prospect::Open));
        assert!((open.wins - 0.5).abs() < 1e-15, "{open:?}");
        assert_eq!(open.mean_signals, 5.5);
        // The last slot decides.
        assert_eq!(rest(19, 5).wins, 0.5);
        assert_eq!((rest(19, 5).prospect, rest(19, 4).prospect), (Prospect::Open, Prospect::Lost));
        assert_eq!((rest(19, 4).wins, rest(20, 5).wins), (0.0, 0.0));
        // A payload with N signals has won, also after the last slot.
        let won = rest(20, 6);
        assert_eq!((won.prospect, won.needed, won.wins), (Prospect::Won, 0, 1.0));
    }

    #[test]
    fn signals_make_a_round_more_likely_and_slots_that_pass_less() {
        for counted in 0..6 {
            for first_free in 10..20 {
                let wins = |first_free, counted| {
                    let round = Round::of(1);
                    let first_free = Slot::of(first_free);
                    RunningRoundOdds::new(rules(), &half(), round, first_free, counted).wins
                };
                let here = wins(first_free, counted);
                assert!(wins(first_free, counted + 1) >= here, "{counted} {first_free}");
                assert!(wins(first_free + 1, counted) <= here, "{counted} {first_free}");
                // The chance is the mean of the chances after the next slot.
                let mean =
                    (wins(first_free + 1, counted) + wins(first_free + 1, counted + 1)) / 2.0;
                assert!((mean - here).abs() < 1e-15, "{counted} {first_free}");
            }
        }
    }
}
