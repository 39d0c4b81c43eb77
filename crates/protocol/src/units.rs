//! The quantities of the protocol, each with a type of its own, so that a slot can't be taken for a round
//! nor a deadline for a duration.
//!
//! | type | counts | largest value | in JSON |
//! |---|---|---|---|
//! | [`Timestamp`] | seconds since the Unix epoch, as in L1 headers | 2^40 − 1 | number |
//! | [`Seconds`] | seconds between two timestamps | 2^40 − 1 | number |
//! | [`Amount`] | base units (10^−18) of the asset, locked (power), staked or held | 2^96 − 1 | string |
//! | [`Fraction`] | parts of 10^18 | 10^18 | string |
//! | [`Slot`], [`Epoch`], [`Round`] | slots of a rollup, `EPOCH_DURATION` of them, `M` of them | 2^64 − 1 | string |
//! | [`BlockNumber`], [`RollupBlock`] | blocks of L1, of a rollup | 2^64 − 1 | string |
//! | [`Version`] | entries of the Registry, the sentinel being 0 | 2^64 − 1 | string |
//! | [`ProposalId`], [`WithdrawalId`] | entries of Governance, from 0 | 2^32 − 2 | number |
//! | [`ConfigurationId`] | entries of Governance, from 0 | 2^16 − 1 | number |
//! | [`Nonce`] | a holder's signed ballots on a proposal that were used; an invalidation adds 2^32 | 2^64 − 1 | string |
//!
//! In JSON, a quantity is a string of decimal digits if its largest value is above 2^53 − 1, since many
//! readers of JSON round such numbers; the type decides, not the value. Deserializing accepts both forms.
//! The forms for people are in [`text`](crate::text).
//!
//! Nothing converts implicitly: `of` creates a quantity from a literal, `new` checks a number from outside,
//! and `get` returns the number. Arithmetic is checked; an operator that saturates documents the reason.

use crate::text::{decimal, grouped};
use alloy_primitives::U256;
use core::{fmt, ops};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A number that is larger than its type allows: `ValueTooLarge` of the contracts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value} is larger than {max}")]
pub struct TooLarge {
    /// The number.
    pub value: U256,
    /// The largest number of the type.
    pub max: U256,
}

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident($inner:ty), max $max:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($inner);

        impl $name {
            /// The value 0: an empty quantity, or the first of a sequence.
            pub const ZERO: Self = Self(0);
            /// The largest value.
            pub const MAX: Self = Self($max);

            /// Creates the quantity from a literal.
            ///
            /// # Panics
            ///
            /// Panics if `value` is above [`Self::MAX`]; at compile time in a `const`. Use [`Self::new`]
            /// for values that are not written in the source.
            pub const fn of(value: $inner) -> Self {
                assert!(value <= Self::MAX.0, "literal out of range");
                Self(value)
            }

            /// Returns the quantity, or `None` if `value` is above [`Self::MAX`].
            pub const fn new(value: $inner) -> Option<Self> {
                if value <= Self::MAX.0 { Some(Self(value)) } else { None }
            }

            /// The number.
            pub const fn get(self) -> $inner {
                self.0
            }

            /// The number as a word of the EVM.
            pub fn to_word(self) -> U256 {
                U256::from(self.0)
            }
        }

        impl TryFrom<U256> for $name {
            type Error = TooLarge;

            fn try_from(value: U256) -> Result<Self, TooLarge> {
                <$inner>::try_from(value)
                    .ok()
                    .and_then(Self::new)
                    .ok_or(TooLarge { value, max: U256::from(Self::MAX.0) })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if u128::from(Self::MAX.0) > MAX_JSON_NUMBER {
                    serializer.collect_str(&self.0)
                } else {
                    self.0.serialize(serializer)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let number = decimal::deserialize(deserializer)?;
                Self::new(number).ok_or_else(|| {
                    D::Error::custom(TooLarge {
                        value: U256::from(number),
                        max: U256::from(Self::MAX.0),
                    })
                })
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

/// Quantities below 2^64.
macro_rules! sixty_four_bits {
    ($($name:ident)*) => {$(
        impl TryFrom<u64> for $name {
            type Error = TooLarge;

            fn try_from(value: u64) -> Result<Self, TooLarge> {
                U256::from(value).try_into()
            }
        }

        impl From<$name> for u64 {
            fn from(quantity: $name) -> Self {
                quantity.0
            }
        }
    )*};
}

/// Quantities whose units people see in another form of [`text`](crate::text).
macro_rules! measure {
    ($($name:ident)*) => {$(
        /// The bare number.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

/// Quantities that number the elements of a sequence.
macro_rules! ordinal {
    ($($name:ident)*) => {$(
        /// The number for people, such as `12,345`.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                grouped(self.0).fmt(f)
            }
        }

        impl $name {
            /// The next value. The last value is its own successor; no chain ever counts that far.
            #[must_use]
            pub const fn next(self) -> Self {
                if self.0 < Self::MAX.0 { Self(self.0 + 1) } else { self }
            }

            /// The previous value, or `None` for 0.
            pub const fn previous(self) -> Option<Self> {
                match self.0.checked_sub(1) {
                    Some(previous) => Some(Self(previous)),
                    None => None,
                }
            }

            /// The number of steps from `earlier` to this value, or `None` if `earlier` is larger.
            pub const fn steps_since(self, earlier: Self) -> Option<u64> {
                self.0.checked_sub(earlier.0)
            }
        }
    )*};
}

/// The largest integer that a JSON reader with 64-bit floating-point numbers can be relied on to keep.
const MAX_JSON_NUMBER: u128 = (1 << 53) - 1;
const MAX_40_BITS: u64 = (1 << 40) - 1;
const MAX_96_BITS: u128 = (1 << 96) - 1;

quantity! {
    /// A second of L1 time: the `timestamp` of a header, counted from 1970-01-01T00:00:00Z.
    Timestamp(u64), max MAX_40_BITS
}
quantity! {
    /// A number of seconds.
    Seconds(u64), max MAX_40_BITS
}
quantity! {
    /// An amount of the asset in base units (18 decimals), whether held, locked as power or staked.
    Amount(u128), max MAX_96_BITS
}
quantity! {
    /// A fraction in parts of 10^18, from 0 to 1.
    Fraction(u64), max 1_000_000_000_000_000_000
}
quantity! {
    /// A slot of a rollup, counted from its genesis. Slot 0 is an ordinary slot.
    Slot(u64), max u64::MAX
}
quantity! {
    /// An epoch of a rollup: `EPOCH_DURATION` slots, with one set and one seed.
    Epoch(u64), max u64::MAX
}
quantity! {
    /// A round of a rollup: `M` slots, over which signals are counted.
    Round(u64), max u64::MAX
}
quantity! {
    /// The number of an L1 block.
    BlockNumber(u64), max u64::MAX
}
quantity! {
    /// The number of a block of a rollup; the first is 1.
    RollupBlock(u64), max u64::MAX
}
quantity! {
    /// A version in the Registry: the position of a rollup in its list. The first rollup is 1.
    Version(u64), max u64::MAX
}
quantity! {
    /// The number of a proposal. Governance counts proposals in 32 bits.
    ProposalId(u64), max u32::MAX as u64 - 1
}
quantity! {
    /// The number of a withdrawal. Governance counts withdrawals in 32 bits.
    WithdrawalId(u64), max u32::MAX as u64 - 1
}
quantity! {
    /// The number of a configuration of Governance.
    ConfigurationId(u64), max u16::MAX as u64
}
quantity! {
    /// The nonce of a holder's next signed ballot on a proposal.
    Nonce(u64), max u64::MAX
}

sixty_four_bits!(Timestamp Seconds Fraction Slot Epoch Round BlockNumber RollupBlock Version);
sixty_four_bits!(ProposalId WithdrawalId ConfigurationId Nonce);
measure!(Timestamp Seconds Amount Fraction);
ordinal!(Slot Epoch Round BlockNumber RollupBlock Version);
ordinal!(ProposalId WithdrawalId ConfigurationId Nonce);

impl Timestamp {
    /// Returns the timestamp `duration` later, or `None` if it doesn't fit 40 bits.
    pub const fn checked_add(self, duration: Seconds) -> Option<Self> {
        Self::new(self.0 + duration.0)
    }

    /// The time from `earlier` to this second, or `None` if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Option<Seconds> {
        match self.0.checked_sub(earlier.0) {
            Some(seconds) => Some(Seconds(seconds)),
            None => None,
        }
    }
}

/// Adds a duration, as for a deadline. The sum saturates: no block is later than [`Timestamp::MAX`], so no
/// block passes that deadline or one beyond it.
impl ops::Add<Seconds> for Timestamp {
    type Output = Self;

    fn add(self, duration: Seconds) -> Self {
        self.checked_add(duration).unwrap_or(Self::MAX)
    }
}

impl Seconds {
    /// One second, the resolution of L1 time.
    pub const SECOND: Self = Self(1);
    /// Sixty seconds.
    pub const MINUTE: Self = Self(60);
    /// Sixty minutes.
    pub const HOUR: Self = Self(60 * 60);
    /// Twenty-four hours.
    pub const DAY: Self = Self(24 * 60 * 60);

    /// Returns the duration times `count`, or `None` if that doesn't fit 40 bits.
    pub const fn checked_mul(self, count: u64) -> Option<Self> {
        match self.0.checked_mul(count) {
            Some(seconds) => Self::new(seconds),
            None => None,
        }
    }
}

/// Adds durations. The sum saturates, for the reason given at `Timestamp + Seconds`.
impl ops::Add for Seconds {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::new(self.0 + other.0).unwrap_or(Self::MAX)
    }
}

/// Divides, rounded down.
impl ops::Div<core::num::NonZeroU64> for Seconds {
    type Output = Self;

    fn div(self, parts: core::num::NonZeroU64) -> Self {
        Self(self.0 / parts)
    }
}

impl Amount {
    /// 10^18 base units.
    pub const TOKEN: Self = Self(1_000_000_000_000_000_000);

    /// The sum, or `None` if it doesn't fit 96 bits.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        Self::new(self.0 + other.0)
    }

    /// The difference, or `None` if `other` is larger.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(difference) => Some(Self(difference)),
            None => None,
        }
    }

    /// The difference, or 0 if `other` is larger.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Whether the amount is 0.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl Fraction {
    /// The fraction 1.
    pub const ONE: Self = Self::MAX;

    /// `percent` hundredths.
    ///
    /// # Panics
    ///
    /// Panics if `percent` is above 100.
    pub const fn percent(percent: u64) -> Self {
        Self::of(percent * 10_000_000_000_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_end_where_the_contracts_end() {
        assert_eq!(Timestamp::new(1 << 40), None);
        assert_eq!(Timestamp::new((1 << 40) - 1), Some(Timestamp::MAX));
        assert_eq!(Amount::new(1 << 96), None);
        assert_eq!(Fraction::new(1_000_000_000_000_000_001), None);
        assert_eq!(ConfigurationId::new(1 << 16), None);
        assert_eq!(ProposalId::new((1 << 32) - 1), None);
        assert_eq!(ProposalId::new((1 << 32) - 2), Some(ProposalId::MAX));
        assert_eq!(WithdrawalId::new((1 << 32) - 1), None);
        assert_eq!(WithdrawalId::new((1 << 32) - 2), Some(WithdrawalId::MAX));
        assert_eq!(
            Amount::try_from(U256::MAX),
            Err(TooLarge { value: U256::MAX, max: U256::from(u128::MAX >> 32) })
        );
        assert_eq!(Slot::try_from(U256::from(7)), Ok(Slot::of(7)));
    }

    /// The JSON of the largest value of a type. Checks that both forms are read back.
    fn in_json<T>(largest: T) -> String
    where
        T: Serialize + for<'de> Deserialize<'de> + PartialEq + fmt::Debug,
    {
        let json = serde_json::to_string(&largest).unwrap();
        let digits = json.trim_matches('"');
        let string = format!("\"{digits}\"");
        // JSON numbers of more bits are floating-point numbers to serde_json.
        let number = digits.parse::<u64>().is_ok().then_some(digits);
        for form in number.into_iter().chain([&*string]) {
            assert_eq!(serde_json::from_str::<T>(form).unwrap(), largest, "{form}");
        }
        json
    }

    #[test]
    fn numbers_that_readers_of_json_would_round_are_strings() {
        for (found, expected) in [
            (in_json(Timestamp::MAX), "1099511627775"),
            (in_json(Seconds::MAX), "1099511627775"),
            (in_json(ProposalId::MAX), "4294967294"),
            (in_json(WithdrawalId::MAX), "4294967294"),
            (in_json(ConfigurationId::MAX), "65535"),
            (in_json(Amount::MAX), "\"79228162514264337593543950335\""),
            (in_json(Fraction::MAX), "\"1000000000000000000\""),
            (in_json(Slot::MAX), "\"18446744073709551615\""),
            (in_json(Epoch::MAX), "\"18446744073709551615\""),
            (in_json(Round::MAX), "\"18446744073709551615\""),
            (in_json(BlockNumber::MAX), "\"18446744073709551615\""),
            (in_json(RollupBlock::MAX), "\"18446744073709551615\""),
            (in_json(Version::MAX), "\"18446744073709551615\""),
            (in_json(Nonce::MAX), "\"18446744073709551615\""),
            (in_json(Slot::ZERO), "\"0\""),
        ] {
            assert_eq!(found, expected);
        }
        for wrong in ["-1", "1.5", "\"\"", "\"+1\"", "\"1,000\"", "\"x\"", "true", "null"] {
            assert!(serde_json::from_str::<Slot>(wrong).is_err(), "{wrong}");
        }
        for wrong in ["1099511627776", "\"1099511627776\"", "1e3"] {
            assert!(serde_json::from_str::<Timestamp>(wrong).is_err(), "{wrong}");
        }
        assert!(serde_json::from_str::<Amount>("\"79228162514264337593543950336\"").is_err());
    }

    #[test]
    fn sums_saturate_only_where_no_block_can_be() {
        assert_eq!(Timestamp::MAX + Seconds::SECOND, Timestamp::MAX);
        assert_eq!(Timestamp::MAX.checked_add(Seconds::SECOND), None);
        assert_eq!(Seconds::MAX + Seconds::MAX, Seconds::MAX);
        assert_eq!(Amount::MAX.checked_add(Amount::of(1)), None);
        assert_eq!(Timestamp::of(5).since(Timestamp::of(6)), None);
        assert_eq!(Slot::ZERO.previous(), None);
    }
}
