//! Whole numbers: `1,000`.

use super::{ErrorKind, ParseQuantityError, digits, within};
use alloy_primitives::U256;
use core::{fmt, ops::RangeInclusive};

/// A whole number with its digits in groups of three: `1,234,567`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grouped(U256);

/// Formats a whole number.
pub fn grouped(number: impl Into<u128>) -> Grouped {
    grouped_word(U256::from(number.into()))
}

/// Formats a word of the EVM.
pub const fn grouped_word(number: U256) -> Grouped {
    Grouped(number)
}

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&digits::grouped(&self.0.to_string()))
    }
}

/// A number with its noun, which is in the plural unless the number is 1: `1 block`, `2,000 blocks`.
pub fn count(number: u64, noun: &str) -> impl fmt::Display {
    fmt::from_fn(move |f| {
        let plural = if number == 1 { "" } else { "s" };
        f.pad(&format!("{} {noun}{plural}", grouped(number)))
    })
}

/// Reads a whole number of 64 bits.
///
/// # Errors
///
/// If the text isn't a whole number, or the number doesn't fit.
pub fn parse(text: &str) -> Result<u64, ParseQuantityError> {
    parse_within(text, 0..=u64::MAX)
}

/// Reads a whole number within bounds.
///
/// # Errors
///
/// If the text isn't a whole number, or the number is out of bounds.
pub fn parse_within(text: &str, range: RangeInclusive<u64>) -> Result<u64, ParseQuantityError> {
    let number = match digits::scaled(text.trim(), 0) {
        Ok(number) => u64::try_from(number).ok(),
        Err(ErrorKind::OutOfRange) => None,
        Err(_) => {
            return Err(ParseQuantityError::new(ErrorKind::Malformed, text, expected(&range)));
        }
    };
    within(number, &range, text, "a whole number", grouped)
}

/// The expected value of a field with these bounds, for use after "expected".
pub fn expected(range: &RangeInclusive<u64>) -> String {
    format!("a whole number from {} to {}", grouped(*range.start()), grouped(*range.end()))
}
