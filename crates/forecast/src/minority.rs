//! The power of a hostile minority of the sequencers.
//!
//! Signals are a filter, not a majority decision: a minority can win a round by luck. The chance grows
//! with the number of rounds in a year, and is larger in small rounds. A payload that it pushes still
//! needs the holders' votes.

use canon_protocol::{RoundRules, Seconds, SlotClock};

use crate::{
    binomial::{always, at_least, within},
    share::Share,
};

/// The number of whole rounds in a month and in a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RoundRate {
    /// Rounds in 30 days.
    pub month: u64,
    /// Rounds in 365 days.
    pub year: u64,
}

impl RoundRate {
    /// The rate under `rules` on a rollup with this clock.
    pub const fn new(rules: RoundRules, clock: &SlotClock) -> Self {
        let round = clock.slot_duration.get().saturating_mul(rules.m() as u64);
        let day = Seconds::DAY.get();
        Self { month: 30 * day / round, year: 365 * day / round }
    }
}

/// The odds of a minority that signals for a payload of its own, or not at all, while everybody else
/// signals for another payload.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Minority {
    /// Its seats.
    pub seats: u64,
    /// Its share of all seats.
    pub share: Share,
    /// The chance that its own payload wins a round, and so comes to a vote.
    pub pushes: f64,
    /// The chance that this happens at least once in a year.
    pub pushes_within_year: f64,
    /// The chance that the others' payload doesn't win a round.
    pub blocks: f64,
    /// The chance that it wins none in 30 days.
    pub blocks_for_month: f64,
    /// The chance that it wins none in a year.
    pub blocks_for_year: f64,
}

/// A set in which a minority of any size may be hostile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contest {
    /// Signals and slots of a round.
    pub rules: RoundRules,
    /// Rounds in a month and in a year.
    pub rate: RoundRate,
    /// Seats of the set.
    pub seats: u64,
    /// The share of its slots that each seat misses.
    pub missed: Share,
}

impl Contest {
    /// The odds of a minority of `seats` seats, at most all.
    pub fn minority(&self, seats: u64) -> Minority {
        let seats = seats.min(self.seats);
        let (pushes, blocks) = (self.pushes(seats), self.blocks(seats));
        Minority {
            seats,
            share: Share::of(seats, self.seats),
            pushes,
            pushes_within_year: within(pushes, self.rate.year),
            blocks,
            blocks_for_month: always(blocks, self.rate.month),
            blocks_for_year: always(blocks, self.rate.year),
        }
    }

    /// The smallest number of seats that wins a round for a payload of its own with at least `chance`;
    /// `None` if all seats together don't.
    pub fn seats_to_push(&self, chance: f64) -> Option<u64> {
        self.fewest(|seats| self.pushes(seats) >= chance)
    }

    /// The smallest number of seats that keeps the others from winning a round with at least `chance`.
    /// 0 if the others fail that often on their own.
    pub fn seats_to_block(&self, chance: f64) -> Option<u64> {
        self.fewest(|seats| self.blocks(seats) >= chance)
    }

    fn pushes(&self, seats: u64) -> f64 {
        let (n, m) = (u64::from(self.rules.n()), u64::from(self.rules.m()));
        at_least(n, m, self.signals(seats))
    }

    fn blocks(&self, seats: u64) -> f64 {
        let (n, m) = (u64::from(self.rules.n()), u64::from(self.rules.m()));
        at_least(m - n + 1, m, self.signals(self.seats - seats).complement())
    }

    /// The share of slots in which one of `seats` seats signals.
    fn signals(&self, seats: u64) -> Share {
        Share::of(seats, self.seats).times(self.missed.complement())
    }

    /// The smallest number of seats for which `holds` is true; it must be monotonic. `None` if it isn't
    /// true for all seats.
    fn fewest(&self, holds: impl Fn(u64) -> bool) -> Option<u64> {
        let (mut low, mut high) = (0, self.seats);
        if !holds(high) {
            return None;
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if holds(middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Some(low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{electorate::Electorate, odds::RoundOdds};
    use canon_protocol::Timestamp;
    use core::num::NonZeroU64;

    fn contest(n: u32, m: u32, seats: u64, missed: f64) -> Contest {
        let rules = RoundRules::new(n, m).unwrap();
        let rate = RoundRate { month: 30, year: 365 };
        Contest { rules, rate, seats, missed: Share::new(missed).unwrap() }
    }

    #[test]
    fn rounds_are_whole() {
        let clock = |slot| SlotClock {
            genesis: Timestamp::ZERO,
            slot_duration: NonZeroU64::new(slot).unwrap(),
            epoch_duration: NonZeroU64::MIN,
        };
        let rules = RoundRules::new(600, 1000).unwrap();
        // 20 h a round: 36 and 438 of them, exactly.
        assert_eq!(RoundRate::new(rules, &clock(72)), RoundRate { month: 36, year: 438 });
        assert_eq!(RoundRate::new(rules, &clock(73)), RoundRate { month: 35, year: 432 });
        assert_eq!(RoundRate::new(rules, &clock(u64::MAX)), RoundRate { month: 0, year: 0 });
    }

    #[test]
    fn half_of_a_small_set() {
        let minority = contest(6, 10, 2, 0.0).minority(1);
        assert_eq!(minority.share.get(), 0.5);
        assert!((minority.pushes - 386.0 / 1024.0).abs() < 1e-15, "{minority:?}");
        assert!((minority.blocks - 638.0 / 1024.0).abs() < 1e-15, "{minority:?}");
        let month = (638.0_f64 / 1024.0).powi(30);
        assert!((minority.blocks_for_month / month - 1.0).abs() < 1e-12, "{minority:?}");
    }

    #[test]
    fn no_seats_win_nothing_and_all_seats_everything() {
        let contest = contest(600, 1000, 50, 0.0);
        let none = contest.minority(0);
        assert_eq!((none.pushes, none.pushes_within_year, none.blocks), (0.0, 0.0, 0.0));
        let all = contest.minority(60);
        assert_eq!((all.seats, all.pushes, all.blocks_for_year), (50, 1.0, 1.0));
    }

    #[test]
    fn a_minority_has_the_odds_of_a_rival_of_its_size() {
        let contest = contest(6, 10, 20, 0.1);
        for seats in 0..=20 {
            let share = |seats| Share::of(seats, 20);
            let rest = 20 - seats;
            let set = Electorate::of_shares(20, share(rest), share(seats), contest.missed).unwrap();
            let odds = RoundOdds::new(contest.rules, &set);
            let minority = contest.minority(seats);
            assert!((minority.pushes - odds.rival_wins).abs() < 1e-12, "{seats}");
            assert!((minority.blocks - odds.fails).abs() < 1e-12, "{seats}");
        }
    }

    #[test]
    fn thresholds_are_where_the_odds_are_even() {
        for contest in [contest(6, 10, 24, 0.02), contest(600, 1000, 1000, 0.02)] {
            let push = contest.seats_to_push(0.5).unwrap();
            assert!(contest.pushes(push) >= 0.5 && contest.pushes(push - 1) < 0.5, "{push}");
            let block = contest.seats_to_block(0.5).unwrap();
            assert!(contest.blocks(block) >= 0.5 && contest.blocks(block - 1) < 0.5, "{block}");
        }
        // A set that misses half of all slots wins no round, even without a hostile minority.
        let idle = contest(600, 1000, 100, 0.5);
        assert_eq!((idle.seats_to_push(0.5), idle.seats_to_block(0.5)), (None, Some(0)));
    }
}
