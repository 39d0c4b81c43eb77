//! The chance that a payload wins a round.
//!
//! Each slot draws one member of the set, every member with the same chance and independently of
//! every other slot (`keccak256(seed, slot) mod size`; the bias of the remainder is below 2^-220).
//! So the signals of a side in a round are binomially distributed.

use canon_protocol::RoundRules;
use statrs::distribution::{Binomial, DiscreteCDF};

use crate::electorate::{Electorate, Share, Side};

/// The odds of one round.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct RoundOdds {
    /// The payload gets N signals.
    pub wins: f64,
    /// A rival payload gets N signals.
    pub rival_wins: f64,
    /// The signals that the payload gets on average.
    pub mean_signals: f64,
}

impl RoundOdds {
    /// The odds of a whole round.
    pub fn new(rules: RoundRules, electorate: &Electorate) -> Self {
        Self::of_slots(rules, u64::from(rules.m()), electorate)
    }

    /// The odds of a round of which only `slots` are left, all others being without a signal.
    pub fn of_slots(rules: RoundRules, slots: u64, electorate: &Electorate) -> Self {
        let chance = |side| electorate.chance_per_slot(side);
        Self {
            wins: at_least(u64::from(rules.n()), slots, chance(Side::For)),
            rival_wins: at_least(u64::from(rules.n()), slots, chance(Side::Rival)),
            mean_signals: slots as f64 * chance(Side::For).get(),
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

/// The chance of at least one success in `tries`, each of which succeeds with `chance`. Exact also for
/// chances that are lost when subtracted from 1.
pub(crate) fn within(chance: f64, tries: u64) -> f64 {
    if chance >= 1.0 {
        return if tries == 0 { 0.0 } else { 1.0 };
    }
    -((tries as f64) * (-chance).ln_1p()).exp_m1()
}

/// The chance of at least `needed` successes in `tries`.
fn at_least(needed: u64, tries: u64, chance: Share) -> f64 {
    if needed == 0 {
        return 1.0;
    }
    if needed > tries || chance == Share::NONE {
        return 0.0;
    }
    Binomial::new(chance.get(), tries).map_or(0.0, |signals| signals.sf(needed - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::U512;

    /// The same by counting: `wins` of `outcomes` equally likely members per slot, in whole numbers.
    fn counted(needed: u32, slots: u32, wins: u32, outcomes: u32) -> f64 {
        let mut ways = vec![U512::ZERO; slots as usize + 1];
        ways[0] = U512::from(1);
        for _ in 0..slots {
            for k in (0..ways.len()).rev() {
                let stays = ways[k] * U512::from(outcomes - wins);
                let comes = if k == 0 { U512::ZERO } else { ways[k - 1] * U512::from(wins) };
                ways[k] = stays + comes;
            }
        }
        let all: U512 = ways.iter().copied().sum();
        let good: U512 = ways[needed as usize..].iter().copied().sum();
        f64::from(good) / f64::from(all)
    }

    #[test]
    fn the_formula_is_what_counting_gives() {
        for slots in [2u32, 5, 10, 31, 64] {
            let needed = slots / 2 + 1;
            for wins in [0u32, 1, 3, 8, 15, 16] {
                let chance = Share::new(f64::from(wins) / 16.0).unwrap();
                let exact = counted(needed, slots, wins, 16);
                let found = at_least(needed.into(), slots.into(), chance);
                assert!(
                    (found - exact).abs() <= 1e-12 * exact.max(1e-300) + 1e-15,
                    "{needed} of {slots} at {wins}/16: {found} instead of {exact}"
                );
            }
        }
    }

    #[test]
    fn the_ends_are_certain() {
        assert_eq!(at_least(0, 10, Share::NONE), 1.0);
        assert_eq!(at_least(1, 10, Share::NONE), 0.0);
        assert_eq!(at_least(10, 10, Share::ALL), 1.0);
        assert_eq!(at_least(11, 10, Share::ALL), 0.0);
    }

    #[test]
    fn small_chances_are_not_lost() {
        assert_eq!(within(0.0, 1_000), 0.0);
        assert_eq!(within(1.0, 1), 1.0);
        assert_eq!(within(1.0, 0), 0.0);
        assert!((within(1e-18, 1_000) / 1e-15 - 1.0).abs() < 1e-12);
        assert!((within(0.5, 2) - 0.75).abs() < 1e-15);
    }
}
