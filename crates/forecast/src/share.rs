//! Shares of a whole.

use canon_protocol::Fraction;
use serde::{Deserialize, Serialize};

/// A number from 0 to 1: a share of something, or the chance that a random draw hits it.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Share(f64);

/// The error for a number outside 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{0} is not a share: expected a number from 0 to 1")]
pub struct NotAShare(f64);

impl Share {
    /// 0.
    pub const NONE: Self = Self(0.0);
    /// 1.
    pub const ALL: Self = Self(1.0);

    /// Returns `value` as a share; `None` if it isn't from 0 to 1.
    pub fn new(value: f64) -> Option<Self> {
        // The sum of no numbers is -0, which adding 0 turns into 0.
        (0.0..=1.0).contains(&value).then_some(Self(value + 0.0))
    }

    /// The share that `part` is of `whole`: 1 if the part is larger, 0 if the whole is 0.
    pub fn of(part: u64, whole: u64) -> Self {
        if whole == 0 { Self::NONE } else { Self((part as f64 / whole as f64).min(1.0)) }
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// 1 minus the share.
    #[must_use]
    pub const fn complement(self) -> Self {
        Self(1.0 - self.0)
    }

    /// The product of the two shares.
    #[must_use]
    pub const fn times(self, other: Self) -> Self {
        Self(self.0 * other.0)
    }
}

impl TryFrom<f64> for Share {
    type Error = NotAShare;

    fn try_from(value: f64) -> Result<Self, NotAShare> {
        Self::new(value).ok_or(NotAShare(value))
    }
}

impl From<Share> for f64 {
    fn from(share: Share) -> Self {
        share.0
    }
}

impl From<Fraction> for Share {
    fn from(fraction: Fraction) -> Self {
        Self(fraction.get() as f64 / Fraction::ONE.get() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_number_from_0_to_1() {
        for (value, valid) in [(-0.1, false), (0.0, true), (1.0, true), (1.1, false)] {
            assert_eq!(Share::new(value).is_some(), valid, "{value}");
        }
        assert_eq!(Share::new(f64::NAN), None);
    }

    #[test]
    fn parts() {
        assert_eq!(Share::of(1, 4).get(), 0.25);
        assert_eq!((Share::of(5, 4), Share::of(0, 0)), (Share::ALL, Share::NONE));
        assert_eq!(Share::of(1, 4).complement().get(), 0.75);
        assert_eq!(Share::of(1, 4).times(Share::of(1, 2)).get(), 0.125);
        assert_eq!(Share::from(Fraction::percent(62)).get(), 0.62);
    }
}
