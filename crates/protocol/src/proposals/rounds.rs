//! Rounds: their slots, the number of signals that win, and the time in which a winner can be pushed.

use crate::{
    rollup::SlotClock,
    units::{Round, Slot, Timestamp},
};
use serde::{Deserialize, Serialize};

/// The number of rounds after its own in which a round can be pushed.
pub const LIFETIME_IN_ROUNDS: u64 = 5;

/// The constructor's arguments of Proposals: `N` signals in the `M` slots of a round win it.
///
/// `N` is above `M / 2`, rounded down, so at most one payload of a round can win. The bounds are `2 ≤ N ≤ M
/// < 2^24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "(u32, u32)", into = "(u32, u32)")]
pub struct RoundRules {
    n: u32,
    m: u32,
}

/// A pair of `N` and `M` that Proposals doesn't accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} of {1}: N must be above M / 2, at most M and at least 2, and M below 2^24")]
pub struct InvalidRoundRules(u32, u32);

/// The window in which a round can be pushed, relative to the present round.
///
/// | present round − round | window |
/// |---|---|
/// | ≤ 0 | `NotOver` |
/// | 1 … 5 | `Open` |
/// | ≥ 6 | `Expired` |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PushWindow {
    /// The round isn't over.
    NotOver,
    /// The round can be pushed.
    Open,
    /// The round is too old to be pushed.
    Expired,
}

impl RoundRules {
    /// The largest M: signals are counted in 24 bits.
    pub const MAX_M: u32 = (1 << 24) - 1;

    /// Creates rules of `n` signals in `m` slots, within the bounds given above.
    pub const fn new(n: u32, m: u32) -> Result<Self, InvalidRoundRules> {
        if n >= Self::min_n(m) && n <= m && m <= Self::MAX_M {
            Ok(Self { n, m })
        } else {
            Err(InvalidRoundRules(n, m))
        }
    }

    /// The smallest N for rounds of `m` slots; above `m` if `m` is 0 or 1.
    pub const fn min_n(m: u32) -> u32 {
        let majority = m / 2 + 1;
        if majority < 2 { 2 } else { majority }
    }

    /// The largest M with which `n` signals can win; 0 if `n` is 0.
    pub const fn max_m(n: u32) -> u32 {
        let max = n.saturating_mul(2).saturating_sub(1);
        if max < Self::MAX_M { max } else { Self::MAX_M }
    }

    /// The number of signals that win a round.
    pub const fn n(&self) -> u32 {
        self.n
    }

    /// The number of slots of a round.
    pub const fn m(&self) -> u32 {
        self.m
    }

    /// The round of `slot`.
    pub const fn round_of(&self, slot: Slot) -> Round {
        Round::of(slot.get() / self.m as u64)
    }

    /// First slot of `round`, or the largest slot if the round has none.
    pub const fn first_slot(&self, round: Round) -> Slot {
        Slot::of(round.get().saturating_mul(self.m as u64))
    }

    /// Last slot of `round`.
    pub const fn last_slot(&self, round: Round) -> Slot {
        Slot::of(self.first_slot(round).get().saturating_add(self.m as u64 - 1))
    }

    /// The number of slots of `round` from `first_free` on, which is the number of signals that it can
    /// still get.
    ///
    /// `first_free` is the first slot that can still be signaled in, as in `currentStatus()`: the present
    /// one, or the next if the present one was used.
    pub const fn slots_left(&self, round: Round, first_free: Slot) -> u64 {
        let end = self.first_slot(round).get().saturating_add(self.m as u64);
        let left = end.saturating_sub(first_free.get());
        if left < self.m as u64 { left } else { self.m as u64 }
    }

    /// Whether `count` signals in a round win it.
    pub const fn is_won(&self, count: u32) -> bool {
        count >= self.n
    }

    /// Whether a payload with `count` signals in `round` has won or still can.
    pub const fn can_win(&self, count: u32, round: Round, first_free: Slot) -> bool {
        count as u64 + self.slots_left(round, first_free) >= self.n as u64
    }

    /// The push window of `round` while `present` is the current round.
    pub const fn push_window(&self, round: Round, present: Round) -> PushWindow {
        match present.steps_since(round) {
            None | Some(0) => PushWindow::NotOver,
            Some(1..=LIFETIME_IN_ROUNDS) => PushWindow::Open,
            Some(_) => PushWindow::Expired,
        }
    }

    /// The rounds that can be pushed in round `present`, and `present` itself, which can be pushed once it
    /// is over, oldest first.
    pub fn push_candidates(present: Round) -> impl Iterator<Item = Round> {
        let present = present.get();
        (present.saturating_sub(LIFETIME_IN_ROUNDS)..=present).map(Round::of)
    }

    /// First and last slot in which `round` can be pushed.
    pub const fn push_slots(&self, round: Round) -> (Slot, Slot) {
        let last = Round::of(round.get().saturating_add(LIFETIME_IN_ROUNDS));
        (self.first_slot(round.next()), self.last_slot(last))
    }

    /// The last second in which `round` of a rollup with this clock can be pushed. `None` if no block can be
    /// that late.
    pub fn push_until(&self, round: Round, clock: &SlotClock) -> Option<Timestamp> {
        let (_, last) = self.push_slots(round);
        clock.slot_end(last)
    }
}

impl TryFrom<(u32, u32)> for RoundRules {
    type Error = InvalidRoundRules;

    fn try_from((n, m): (u32, u32)) -> Result<Self, InvalidRoundRules> {
        Self::new(n, m)
    }
}

impl From<RoundRules> for (u32, u32) {
    fn from(rules: RoundRules) -> Self {
        (rules.n, rules.m)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::num::NonZeroU64;

    const RULES: RoundRules = match RoundRules::new(6, 10) {
        Ok(rules) => rules,
        Err(_) => panic!("valid"),
    };

    #[test]
    fn only_majorities_win() {
        for (n, m, valid) in [
            (6, 10, true),
            (5, 10, false),
            (10, 10, true),
            (11, 10, false),
            (6, 11, true),
            (5, 11, false),
            (2, 2, true),
            (2, 3, true),
            (1, 1, false),
            (667, 1000, true),
            ((1 << 24) - 1, (1 << 24) - 1, true),
            (1 << 24, 1 << 24, false),
        ] {
            assert_eq!(RoundRules::new(n, m).is_ok(), valid, "{n} of {m}");
        }
    }

    #[test]
    fn min_n_and_max_m_are_at_the_bounds() {
        for m in 2..40 {
            let min = RoundRules::min_n(m);
            assert!(RoundRules::new(min, m).is_ok());
            assert!(RoundRules::new(min - 1, m).is_err());
            let max = RoundRules::max_m(m);
            assert!(RoundRules::new(m, max).is_ok());
            assert!(RoundRules::new(m, max + 1).is_err());
        }
        assert_eq!(RoundRules::min_n(1), 2);
        assert_eq!(RoundRules::max_m(0), 0);
        assert_eq!(RoundRules::max_m(RoundRules::MAX_M), RoundRules::MAX_M);
        assert_eq!(RoundRules::max_m(1 << 23), RoundRules::MAX_M);
        assert_eq!(RoundRules::max_m((1 << 23) - 1), RoundRules::MAX_M - 2);
    }

    #[test]
    fn a_pair_of_numbers_and_back() {
        assert_eq!(<(u32, u32)>::from(RULES), (6, 10));
        assert_eq!(RoundRules::try_from((6, 10)), Ok(RULES));
        assert_eq!(RoundRules::try_from((5, 10)), Err(InvalidRoundRules(5, 10)));
    }

    #[test]
    fn rounds_are_m_slots() {
        assert_eq!(RULES.round_of(Slot::ZERO), Round::ZERO);
        assert_eq!(RULES.round_of(Slot::of(9)), Round::ZERO);
        assert_eq!(RULES.round_of(Slot::of(10)), Round::of(1));
        assert_eq!(RULES.first_slot(Round::of(3)), Slot::of(30));
        assert_eq!(RULES.last_slot(Round::of(3)), Slot::of(39));
    }

    #[test]
    fn a_round_lives_for_five_rounds() {
        let round = Round::of(2);
        for (present, window) in [
            (1, PushWindow::NotOver),
            (2, PushWindow::NotOver),
            (3, PushWindow::Open),
            (7, PushWindow::Open),
            (8, PushWindow::Expired),
        ] {
            assert_eq!(RULES.push_window(round, Round::of(present)), window, "in {present}");
        }
        assert_eq!(RULES.push_slots(round), (Slot::of(30), Slot::of(79)));
        let one = NonZeroU64::MIN;
        let clock = SlotClock {
            genesis: Timestamp::of(1000),
            slot_duration: one.saturating_add(23),
            epoch_duration: one,
        };
        assert_eq!(RULES.push_until(round, &clock), Some(Timestamp::of(1000 + 80 * 24 - 1)));
        for (present, oldest) in [(0, 0), (5, 0), (6, 1), (9, 4)] {
            let candidates: Vec<_> = RoundRules::push_candidates(Round::of(present)).collect();
            let expected: Vec<_> = (oldest..=present).map(Round::of).collect();
            assert_eq!(candidates, expected, "in {present}");
        }
    }

    #[test]
    fn a_round_can_be_won_while_enough_slots_are_left() {
        let round = Round::of(1);
        for (first_free, left) in [(0, 10), (10, 10), (11, 9), (19, 1), (20, 0), (99, 0)] {
            assert_eq!(RULES.slots_left(round, Slot::of(first_free)), left, "from {first_free}");
        }
        assert!(!RULES.is_won(5) && RULES.is_won(6));
        assert!(RULES.can_win(0, round, Slot::of(14)));
        assert!(!RULES.can_win(0, round, Slot::of(15)));
        assert!(RULES.can_win(5, round, Slot::of(19)));
        assert!(!RULES.can_win(5, round, Slot::of(20)));
        assert!(RULES.can_win(6, round, Slot::of(20)));
    }
}
