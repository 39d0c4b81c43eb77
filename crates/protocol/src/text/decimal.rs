//! Whole numbers in JSON that can exceed 2^53, above which many JSON parsers round. They are written as
//! decimal digits in a string. For `#[serde(with = …)]`.

use super::{ErrorKind, ParseQuantityError};
use core::{fmt, str::FromStr};
use serde::{Deserializer, Serializer, de::Error as _};

/// Writes the digits as a string.
///
/// # Errors
///
/// The errors of the serializer.
pub fn serialize<S: Serializer>(
    number: &impl fmt::Display,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

/// Reads digits in a string, or a number.
///
/// # Errors
///
/// If the value is neither, or doesn't fit the type.
pub fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let text = super::text_of(deserializer)?;
    let digits = Some(&text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = digits.and_then(|digits| digits.parse().ok());
    let error = || ParseQuantityError::new(ErrorKind::Malformed, &text, "decimal digits");
    number.ok_or_else(|| D::Error::custom(error()))
}
