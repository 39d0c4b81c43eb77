//! Amounts, in tokens of 18 decimals: `1,000`, `0.5`.

use super::{ErrorKind, Grouped, ParseQuantityError, digits, grouped, serde_as_text, within};
use crate::units::Amount;
use core::{fmt, ops::RangeInclusive};

/// The number of decimals of a token.
const DECIMALS: usize = 18;

/// An amount in tokens, with as many decimals as necessary: `1,000`, `0.5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens(pub Amount);

impl Tokens {
    /// Whole tokens, rounded up, for amounts that are needed. Amounts below one token stay exact.
    pub fn rounded_up(self) -> impl fmt::Display {
        let amount = self.0.get();
        let whole: Grouped = grouped(amount.div_ceil(Amount::TOKEN.get()));
        fmt::from_fn(move |f| match amount < Amount::TOKEN.get() {
            true => fmt::Display::fmt(&self, f),
            false => fmt::Display::fmt(&whole, f),
        })
    }
}

impl fmt::Display for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&digits::decimal(self.0.get(), DECIMALS))
    }
}

/// An amount with its noun, which is in the plural unless the amount is one token: `1 token`, `0.5 tokens`.
pub fn tokens(amount: Amount) -> String {
    let noun = if amount == Amount::TOKEN { "token" } else { "tokens" };
    format!("{} {noun}", Tokens(amount))
}

/// The digits of a text such as `5.000` without its point: five, or five thousand where a point separates thousands.
/// It has one to three digits that don't begin with 0, a point, and three digits that end with 0. The shortest form of
/// a number with decimals never ends with 0, so nothing that a program prints in that form is taken for thousands.
fn thousands(text: &str) -> Option<String> {
    let (whole, decimals) = text.split_once('.')?;
    let are_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let is_ambiguous = (1..=3).contains(&whole.len())
        && decimals.len() == 3
        && !whole.starts_with('0')
        && decimals.ends_with('0')
        && are_digits(whole)
        && are_digits(decimals);
    is_ambiguous.then(|| format!("{whole}{decimals}"))
}

/// The expected value, for use after "expected".
pub const EXPECTED: &str = "tokens, such as 1000, \"1,000\" or \"0.5\"";

/// The expected value of a field for a range, for use after "expected".
pub const EXPECTED_RANGE: &str = "tokens, such as 1000, or \"1,000 to 5,000\"";

/// Reads an amount of tokens.
///
/// # Errors
///
/// If the text isn't an amount, is ambiguous, exceeds 96 bits, or has more than 18 decimals.
pub fn parse(text: &str) -> Result<Amount, ParseQuantityError> {
    parse_within(text, Amount::ZERO..=Amount::MAX)
}

/// Reads an amount of tokens within bounds.
///
/// # Errors
///
/// If the text isn't an amount, is ambiguous, is out of bounds, or has more than 18 decimals.
pub fn parse_within(
    text: &str,
    range: RangeInclusive<Amount>,
) -> Result<Amount, ParseQuantityError> {
    let trimmed = text.trim();
    if let Some(thousands) = thousands(trimmed) {
        let decimals = trimmed.trim_end_matches('0').trim_end_matches('.');
        let expected = format!("{thousands} or {decimals}, since {trimmed} can be read as either");
        return Err(ParseQuantityError::new(ErrorKind::Ambiguous, text, expected));
    }
    let amount = match digits::scaled(trimmed, DECIMALS) {
        Ok(parts) => Amount::new(parts),
        Err(ErrorKind::OutOfRange) => None,
        Err(ErrorKind::TooManyDecimals) => {
            let expected = "tokens with at most 18 decimals";
            return Err(ParseQuantityError::new(ErrorKind::TooManyDecimals, text, expected));
        }
        Err(kind) => return Err(ParseQuantityError::new(kind, text, EXPECTED)),
    };
    within(amount, &range, text, "an amount of tokens", Tokens)
}

/// Reads an amount, or two with `to` between them, the smaller one first: `5,000 to 50,000`. A single
/// amount is both ends of the range.
///
/// # Errors
///
/// If the text isn't such a range, an amount exceeds 96 bits, or the first amount is larger than the
/// second.
pub fn parse_range(text: &str) -> Result<RangeInclusive<Amount>, ParseQuantityError> {
    let malformed = |kind, expected: &str| ParseQuantityError::new(kind, text, expected.to_owned());
    let end = |end: &str| {
        parse(end).map_err(|error| match error.kind() {
            ErrorKind::Malformed => malformed(ErrorKind::Malformed, EXPECTED_RANGE),
            kind => malformed(kind, error.expected()),
        })
    };
    let Some((least, most)) = text.split_once(" to ") else {
        let amount = end(text)?;
        return Ok(amount..=amount);
    };
    let (least, most) = (end(least)?, end(most)?);
    if least > most {
        let expected = "two amounts of tokens, the smaller first";
        return Err(malformed(ErrorKind::OutOfRange, expected));
    }
    Ok(least..=most)
}

serde_as_text!(Amount, Tokens);
