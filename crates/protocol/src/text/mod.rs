//! Quantities as text, with one grammar for reading files and arguments and for display.
//!
//! | quantity | written | also read | range |
//! |---|---|---|---|
//! | [`duration`] | `1 h 30 min`, `3 d`, `0 s` | `90m`, `1d 12h`, `24s`, `2 hours`; units `d`, `h`, `min` or `m`, `s`, and their English names | 0 s to 2^40 − 1 s |
//! | [`amount`], in tokens of 18 decimals | `1,000`, `0.5` | `1000`, `1_000`, `1000.50` | 0 to (2^96 − 1) / 10^18 |
//! | [`fraction`] | `10 %`, `33.3 %`; up to 16 decimals | `10%`; where a share is expected also `0.1`, with up to 18 decimals | 0 % to 100 % |
//! | [`number`], whole | `1,000` | `1000`, `1_000` | 0 to 2^64 − 1 |
//! | [`address`] | `0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed` | without `0x`; all letters in one case | 20 bytes |
//! | [`time`], in UTC | `2026-12-01 09:00:12 UTC`; from the year 10000 on `+10000-01-01 00:00:00 UTC` | RFC 3339: `2026-12-01T09:00:12Z`, `2026-12-01T10:00:12.5+01:00`; without seconds | 1970 to 36812: 2^40 − 1 s |
//!
//! [`ether`] and [`gwei`] are only written: `1.5`, `0.000000001`. So are the shares of [`percent_of`], with
//! two decimals. Ether and shares have a direction of rounding.
//!
//! - A text written by a formatter is read back as the same value, except in the shortened forms that
//!   a formatter offers besides.
//! - Blanks around a text, and between a number and its unit, make no difference.
//! - Digits stand without separators, or in groups of three behind `,` or `_`, not both.
//! - An amount such as `5.000` or `1.250` is refused, because a point may be meant to separate thousands.
//! - The units of a duration come largest first, each at most once. A number always has its unit.
//! - Letters of an address that aren't all in one case are its checksum (EIP-55) and must be right.
//! - A time has its offset from UTC. Fractions of a second are dropped, since L1 time has none. There
//!   are no leap seconds: Unix time gives them no number of their own.
//!
//! A text with the right form and a value that doesn't fit is [`ErrorKind::OutOfRange`], and the error
//! names the bounds. The caller knows the field that the text is from, and names it.
//!
//! The functions `serialize` and `deserialize` of each module are for `#[serde(with = …)]` in files
//! that people write. Quantities in JSON for programs have no units: see the crate's quantities.

pub mod address;
pub mod amount;
mod calendar;
pub mod decimal;
mod digits;
pub mod duration;
mod error;
mod ether;
pub mod fraction;
pub mod number;
pub mod time;

pub use address::Shortened;
pub use amount::{Tokens, tokens};
pub use duration::Duration;
pub use error::{ErrorKind, ParseQuantityError};
pub use ether::{Ether, Gwei, ether, gwei};
pub use fraction::{Percent, Rounding, percent_of};
pub use number::{Grouped, count, grouped, grouped_word};
pub use time::Time;

use core::{fmt, ops::RangeInclusive};
use serde::{Deserializer, de};

/// Returns `value`, or an error that names the bounds if it is out of them.
fn within<T: Copy + PartialOrd, S: fmt::Display>(
    value: Option<T>,
    range: &RangeInclusive<T>,
    found: &str,
    noun: &str,
    show: impl Fn(T) -> S,
) -> Result<T, ParseQuantityError> {
    value.filter(|value| range.contains(value)).ok_or_else(|| {
        let expected = format!("{noun} from {} to {}", show(*range.start()), show(*range.end()));
        ParseQuantityError::new(ErrorKind::OutOfRange, found, expected)
    })
}

/// Reads a text, or a whole number as a text.
fn text_of<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    struct Visitor;

    impl de::Visitor<'_> for Visitor {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text in quotation marks or a whole number")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
            Ok(text.to_owned())
        }

        fn visit_i64<E: de::Error>(self, number: i64) -> Result<String, E> {
            Ok(number.to_string())
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<String, E> {
            Ok(number.to_string())
        }

        fn visit_i128<E: de::Error>(self, number: i128) -> Result<String, E> {
            Ok(number.to_string())
        }

        fn visit_u128<E: de::Error>(self, number: u128) -> Result<String, E> {
            Ok(number.to_string())
        }
    }

    deserializer.deserialize_any(Visitor)
}

/// Defines the functions that `#[serde(with = …)]` needs, from a formatter and `parse`.
macro_rules! serde_as_text {
    ($type:ty, $formatter:expr) => {
        /// Writes the text.
        ///
        /// # Errors
        ///
        /// The errors of the serializer.
        pub fn serialize<S: serde::Serializer>(
            value: &$type,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            serializer.collect_str(&$formatter(*value))
        }

        /// Reads a text. Quantities without units can also be whole numbers.
        ///
        /// # Errors
        ///
        /// If the value has another type, or [`parse`] refuses it.
        pub fn deserialize<'de, D: serde::Deserializer<'de>>(
            deserializer: D,
        ) -> Result<$type, D::Error> {
            parse(&super::text_of(deserializer)?).map_err(serde::de::Error::custom)
        }
    };
}
use serde_as_text;
