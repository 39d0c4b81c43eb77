//! Confidence intervals of simulated numbers.

use crate::{binomial::at_least, share::Share};

/// A share that was counted, with the 95 % confidence interval of the true one.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Interval {
    /// Trials that succeeded.
    pub successes: u64,
    /// All trials.
    pub trials: u64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Wilson's score interval at 95 %. Unlike the textbook interval it also holds for few trials and for
    /// shares near 0 and 1 (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927).
    pub fn wilson(successes: u64, trials: u64) -> Self {
        const Z: f64 = 1.959_963_984_540_054;
        if trials == 0 {
            return Self { successes, trials, low: 0.0, high: 1.0 };
        }
        let n = trials as f64;
        let share = successes as f64 / n;
        let scale = 1.0 + Z * Z / n;
        let middle = (share + Z * Z / (2.0 * n)) / scale;
        let half = Z / scale * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        // At 0 and 1 the ends are exact except for rounding.
        let low = if successes == 0 { 0.0 } else { (middle - half).max(0.0) };
        let high = if successes == trials { 1.0 } else { (middle + half).min(1.0) };
        Self { successes, trials, low, high }
    }

    /// The share that was counted; 0 without trials.
    pub fn share(&self) -> f64 {
        if self.trials == 0 { 0.0 } else { self.successes as f64 / self.trials as f64 }
    }

    /// Whether `share` lies in the interval.
    pub fn contains(&self, share: f64) -> bool {
        (self.low..=self.high).contains(&share)
    }
}

/// The number of rounds in which a share of the campaigns has won, with its 95 % confidence interval.
/// `None` stands for more rounds than were simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Quantile {
    /// The number that was found.
    pub rounds: Option<u32>,
    /// Lower end of the interval.
    pub low: Option<u32>,
    /// Upper end.
    pub high: Option<u32>,
}

impl Quantile {
    /// The number that the share `share` of `waits` doesn't exceed. The ends of its interval are two of
    /// the ordered waits, which holds for every distribution (H. A. David, Order Statistics). `waits`
    /// are in ascending order; `None`, a wait without an end, is last.
    pub(crate) fn of(waits: &[Option<u32>], share: Share) -> Self {
        const TAIL: f64 = 0.025;
        let trials = waits.len() as u64;
        // The wait of this rank, counted from 1. No wait is shorter than a round.
        let ranked = |rank: u64| match rank {
            0 => Some(1),
            _ => waits.get(rank as usize - 1).copied().flatten(),
        };
        let above = |rank| at_least(rank, trials, share);
        let low = (1..=trials).take_while(|rank| 1.0 - above(*rank) <= TAIL).last();
        let high = (1..=trials).find(|rank| above(*rank) <= TAIL);
        Self {
            rounds: ranked((trials as f64 * share.get()).ceil() as u64),
            low: ranked(low.unwrap_or(0)),
            high: high.and_then(ranked),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_values() {
        // 81 of 263: R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
        let interval = Interval::wilson(81, 263);
        assert!((interval.low - 0.2553).abs() < 5e-5, "{interval:?}");
        assert!((interval.high - 0.3662).abs() < 5e-5, "{interval:?}");
        let interval = Interval::wilson(0, 20);
        assert!((interval.high - 0.1611).abs() < 5e-5, "{interval:?}");
        assert_eq!((interval.low, Interval::wilson(500, 500).high), (0.0, 1.0));
        assert_eq!(Interval::wilson(0, 500).low, 0.0);
    }

    #[test]
    fn nothing_is_known_without_trials() {
        let interval = Interval::wilson(0, 0);
        assert!(interval.contains(0.0) && interval.contains(1.0));
        let half = Share::new(0.5).unwrap();
        let nothing = Quantile { rounds: Some(1), low: Some(1), high: None };
        assert_eq!(Quantile::of(&[], half), nothing);
    }

    #[test]
    fn a_median_lies_between_its_neighbors() {
        // For 10 the published ranks of the median at 95 % are 2 and 9, for 100 they are 40 and 61.
        let half = Share::new(0.5).unwrap();
        for (count, low, rank, high) in [(10, 2, 5, 9), (100, 40, 50, 61)] {
            let waits: Vec<_> = (1..=count).map(Some).collect();
            let found = Quantile::of(&waits, half);
            let expected = Quantile { rounds: Some(rank), low: Some(low), high: Some(high) };
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn what_was_not_waited_for_is_not_known() {
        let half = Share::new(0.5).unwrap();
        let mut waits = vec![Some(3); 8];
        waits.extend([None; 2]);
        let expected = Quantile { rounds: Some(3), low: Some(3), high: None };
        assert_eq!(Quantile::of(&waits, half), expected);
        let expected = Quantile { rounds: None, low: Some(3), high: None };
        assert_eq!(Quantile::of(&waits, Share::new(0.9).unwrap()), expected);
    }
}
