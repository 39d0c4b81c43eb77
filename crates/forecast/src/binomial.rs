//! Probabilities of repeated independent trials.

use crate::share::Share;

/// The chance of at least `needed` successes in `tries`, each of which succeeds with `chance`.
///
/// 0 only if that is impossible: a chance too small for an `f64` is returned as the smallest positive
/// one.
pub(crate) fn at_least(needed: u64, tries: u64, chance: Share) -> f64 {
    if needed == 0 || (needed <= tries && chance == Share::ALL) {
        return 1.0;
    }
    if needed > tries || chance == Share::NONE {
        return 0.0;
    }
    let (success, failure) = (chance.get(), chance.complement().get());
    let mean = tries as f64 * success;
    // Sums the tail on the far side of the mean: its terms decrease, and it is never near 1.
    let found = if needed as f64 > mean {
        tail(needed, tries, success, failure)
    } else {
        1.0 - tail(tries - needed + 1, tries, failure, success)
    };
    found.max(f64::MIN_POSITIVE)
}

/// The chance of at least `needed` successes, where `needed` isn't below the mean. The first term is
/// computed from logarithms, every other one from the term before.
fn tail(needed: u64, tries: u64, success: f64, failure: f64) -> f64 {
    let first = ln_combinations(tries, needed)
        + needed as f64 * success.ln()
        + (tries - needed) as f64 * failure.ln();
    let (mut term, mut sum) = (1.0, 1.0);
    for successes in needed..tries {
        term *= (tries - successes) as f64 / (successes + 1) as f64 * (success / failure);
        sum += term;
        if term < sum * f64::EPSILON / 4.0 {
            break;
        }
    }
    (first + f64::ln(sum)).exp()
}

/// The logarithm of the number of ways to choose `chosen` of `all`.
fn ln_combinations(all: u64, chosen: u64) -> f64 {
    ln_factorial(all) - ln_factorial(chosen) - ln_factorial(all - chosen)
}

/// The largest number whose factorial is below the largest `f64`.
const MAX_FACTORIAL: u64 = 170;

/// The logarithm of a factorial. As long as the product fits an `f64`, its logarithm is more exact
/// than the gamma function's.
fn ln_factorial(number: u64) -> f64 {
    if number <= MAX_FACTORIAL {
        return (1..=number).map(|factor| factor as f64).product::<f64>().ln();
    }
    libm::lgamma(number as f64 + 1.0)
}

/// The chance of at least one success in `tries`, each of which succeeds with `chance`. Also exact for
/// chances so small that 1 minus the chance is 1.
pub(crate) fn within(chance: f64, tries: u64) -> f64 {
    if chance >= 1.0 {
        return if tries == 0 { 0.0 } else { 1.0 };
    }
    -((tries as f64) * (-chance).ln_1p()).exp_m1()
}

/// The chance that all `tries` succeed. As with [`at_least`], 0 only if that is impossible.
pub(crate) fn always(chance: f64, tries: u64) -> f64 {
    let found = chance.powf(tries as f64);
    if chance > 0.0 { found.max(f64::MIN_POSITIVE) } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::U512;

    fn share(value: f64) -> Share {
        Share::new(value).unwrap()
    }

    /// The same chance in whole numbers, by counting: each slot has `outcomes` equally likely results,
    /// of which `wins` succeed.
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

    /// The same chance slot by slot: all terms are positive, so no digits cancel.
    fn slot_by_slot(needed: usize, slots: usize, chance: f64) -> f64 {
        let mut chances = vec![0.0; slots + 1];
        chances[0] = 1.0;
        for _ in 0..slots {
            for k in (0..chances.len()).rev() {
                let comes = if k == 0 { 0.0 } else { chances[k - 1] * chance };
                chances[k] = chances[k] * (1.0 - chance) + comes;
            }
        }
        chances[needed..].iter().rev().sum()
    }

    #[test]
    fn the_formula_is_what_counting_gives() {
        for slots in [2u32, 5, 10, 31, 64] {
            for needed in [1, slots / 2, slots / 2 + 1, slots] {
                for wins in [0u32, 1, 3, 8, 15, 16] {
                    let exact = counted(needed, slots, wins, 16);
                    let found =
                        at_least(needed.into(), slots.into(), share(f64::from(wins) / 16.0));
                    assert!(
                        (found - exact).abs() <= 1e-12 * exact,
                        "{needed} of {slots} at {wins}/16: {found} instead of {exact}"
                    );
                }
            }
        }
    }

    #[test]
    fn factorials_are_the_same_on_both_sides_of_the_limit() {
        for number in [MAX_FACTORIAL, MAX_FACTORIAL + 1, MAX_FACTORIAL + 2, 1_000] {
            let step = ln_factorial(number) - ln_factorial(number - 1);
            assert!((step - (number as f64).ln()).abs() < 1e-11, "{number}: {step}");
        }
        assert_eq!((ln_factorial(0), ln_factorial(1), ln_factorial(2)), (0.0, 0.0, 2f64.ln()));
    }

    #[test]
    fn large_rounds_are_exact_too() {
        for chance in [0.3, 0.49, 0.5, 0.59, 0.6, 0.601, 0.686, 0.9] {
            let exact = slot_by_slot(600, 1000, chance);
            let found = at_least(600, 1000, share(chance));
            assert!((found - exact).abs() <= 1e-10 * exact, "{chance}: {found} not {exact}");
        }
        // In the largest possible round, the chance follows from symmetry.
        let slots = (1_u64 << 24) - 1;
        let half = at_least(slots.div_ceil(2), slots, share(0.5));
        assert!((half - 0.5).abs() < 1e-6, "{half}");
    }

    #[test]
    fn both_tails_make_one() {
        for (needed, tries, chance) in [(6, 10, 0.55), (600, 1000, 0.61), (12, 24, 0.5)] {
            let fails = at_least(tries - needed + 1, tries, share(chance).complement());
            let sum = at_least(needed, tries, share(chance)) + fails;
            assert!((sum - 1.0).abs() < 1e-10, "{needed} of {tries} at {chance}: {sum}");
        }
    }

    #[test]
    fn only_the_impossible_has_no_chance() {
        assert_eq!(at_least(0, 10, Share::NONE), 1.0);
        assert_eq!(at_least(1, 10, Share::NONE), 0.0);
        assert_eq!(at_least(10, 10, Share::ALL), 1.0);
        assert_eq!(at_least(11, 10, Share::ALL), 0.0);
        assert!(at_least(10_000, 10_000, share(1e-9)) > 0.0);
        assert!(always(0.1, 1_000_000) > 0.0);
        assert_eq!((always(0.0, 3), always(0.0, 0), always(1.0, 9)), (0.0, 1.0, 1.0));
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
