//! How sure a simulated share is.

/// A share that was counted, with the interval in which the true one lies.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Interval {
    /// Successes of the trials.
    pub successes: u64,
    /// Trials.
    pub trials: u64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Wilson's score interval at 95 %: unlike the textbook one it is right for few trials and for shares
    /// near 0 and 1 (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927).
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
        Self { successes, trials, low: (middle - half).max(0.0), high: (middle + half).min(1.0) }
    }

    /// The share that was counted; 0 without trials.
    pub fn share(&self) -> f64 {
        if self.trials == 0 { 0.0 } else { self.successes as f64 / self.trials as f64 }
    }

    /// Whether `share` lies in it.
    pub fn contains(&self, share: f64) -> bool {
        (self.low..=self.high).contains(&share)
    }
}

#[cfg(test)]
mod tests {
    use super::Interval;

    #[test]
    fn published_values() {
        // 81 of 263: R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
        let interval = Interval::wilson(81, 263);
        assert!((interval.low - 0.2553).abs() < 5e-5, "{interval:?}");
        assert!((interval.high - 0.3662).abs() < 5e-5, "{interval:?}");
        let interval = Interval::wilson(0, 20);
        assert!((interval.high - 0.1611).abs() < 5e-5, "{interval:?}");
        assert_eq!(interval.low, 0.0);
    }

    #[test]
    fn nothing_is_known_without_trials() {
        let interval = Interval::wilson(0, 0);
        assert!(interval.contains(0.0) && interval.contains(1.0));
    }
}
