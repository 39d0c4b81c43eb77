//! Fractions and shares: `33.3 %`.

use super::{ErrorKind, ParseQuantityError, digits, serde_as_text, within};
use crate::units::{Amount, Fraction};
use core::{fmt, ops::RangeInclusive};

/// The number of decimals of a percentage: one percent is 10^16 parts.
const DECIMALS: usize = 16;

/// The number of decimals of a share.
const SHARE_DECIMALS: usize = 18;

/// A fraction in percent, with as many decimals as necessary: `10 %`, `33.3 %`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percent(u128);

impl Percent {
    /// The percentage of a fraction.
    pub const fn of(fraction: Fraction) -> Self {
        Self(fraction.get() as u128)
    }

    /// The sum of fractions, which may exceed 100 %.
    pub fn sum(fractions: impl IntoIterator<Item = Fraction>) -> Self {
        Self(fractions.into_iter().map(|fraction| u128::from(fraction.get())).sum())
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} %", digits::decimal(self.0, DECIMALS)))
    }
}

/// The direction in which a share is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Rounded down, for shares that have been reached.
    Down,
    /// Rounded up, for shares that are needed.
    Up,
}

/// The share of `part` in `whole`, in percent with two decimals: `66.51 %`. A share that would round to 0
/// is `< 0.01 %`. A whole of 0 counts as the smallest amount.
pub fn percent_of(part: Amount, whole: Amount, rounding: Rounding) -> impl fmt::Display {
    let (parts, whole) = (part.get() * 10_000, whole.get().max(1));
    let hundredths = match rounding {
        Rounding::Down => parts / whole,
        Rounding::Up => parts.div_ceil(whole),
    };
    fmt::from_fn(move |f| match hundredths {
        0 if !part.is_zero() => f.pad("< 0.01 %"),
        _ => f.pad(&format!("{}.{:02} %", hundredths / 100, hundredths % 100)),
    })
}

/// The expected value, for use after "expected".
pub const EXPECTED: &str = "a percentage up to 100 such as \"10 %\"";

/// The expected value of a field for a share, for use after "expected".
pub const EXPECTED_SHARE: &str = "a share such as \"70 %\" or 0.7";

/// Reads a percentage. A number without a percent sign is refused, because it is ambiguous: 0.1 could mean
/// 0.1 % or 10 %.
///
/// # Errors
///
/// If the text isn't a percentage, is above 100 %, or has more than 16 decimals.
pub fn parse(text: &str) -> Result<Fraction, ParseQuantityError> {
    let Some(number) = text.trim().strip_suffix('%') else {
        return Err(ParseQuantityError::new(ErrorKind::Malformed, text, EXPECTED));
    };
    let parts = digits::scaled(number.trim_end(), DECIMALS);
    fraction(parts, text, "a percentage", EXPECTED)
}

/// Reads a share: a percentage, or a number from 0 to 1.
///
/// # Errors
///
/// If the text isn't a share, is above 100 %, or has more decimals than a fraction.
pub fn parse_share(text: &str) -> Result<Fraction, ParseQuantityError> {
    let parts = match text.trim().strip_suffix('%') {
        Some(number) => digits::scaled(number.trim_end(), DECIMALS),
        None => digits::scaled(text.trim(), SHARE_DECIMALS),
    };
    fraction(parts, text, "a share", EXPECTED_SHARE)
}

fn fraction(
    parts: Result<u128, ErrorKind>,
    text: &str,
    noun: &str,
    expected: &str,
) -> Result<Fraction, ParseQuantityError> {
    const RANGE: RangeInclusive<Fraction> = Fraction::ZERO..=Fraction::ONE;
    let fraction = match parts {
        Ok(parts) => u64::try_from(parts).ok().and_then(Fraction::new),
        Err(ErrorKind::OutOfRange) => None,
        Err(ErrorKind::TooManyDecimals) => {
            let expected = format!("{noun} with at most 16 decimals in per cent");
            return Err(ParseQuantityError::new(ErrorKind::TooManyDecimals, text, expected));
        }
        Err(kind) => return Err(ParseQuantityError::new(kind, text, expected)),
    };
    within(fraction, &RANGE, text, noun, Percent::of)
}

serde_as_text!(Fraction, Percent::of);
