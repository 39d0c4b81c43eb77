//! Quantities as people write them: text with units.
//!
//! | quantity | text |
//! |---|---|
//! | duration | `"24s"`, `"90m"`, `"1d 12h"`; units `d`, `h`, `m`, `s`, each at most once, largest first |
//! | fraction | `"10%"`, `"0.5%"`; up to 16 decimals |
//! | amount | tokens of 18 decimals: `"1000"`, `"0.5"` |

use alloy_primitives::{
    U256,
    utils::{format_units, parse_units},
};
use canon_protocol::{Amount, Fraction, Seconds};

const UNITS: [(char, Seconds); 4] =
    [('d', Seconds::DAY), ('h', Seconds::HOUR), ('m', Seconds::MINUTE), ('s', Seconds::SECOND)];

/// Parses a duration.
///
/// # Errors
///
/// A sentence that shows the text and what is expected.
pub fn parse_seconds(text: &str) -> Result<Seconds, String> {
    let wrong =
        || format!("{text:?} isn't a duration: write it like \"24s\", \"90m\" or \"1d 12h\"");
    let (mut sum, mut rest, mut units) = (Seconds::ZERO, text, UNITS.iter());
    loop {
        let end = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (count, unit) = rest.split_at(end);
        let mut unit = unit.trim_start_matches(' ').chars();
        let letter = unit.next();
        // Only smaller units than the one before are left.
        let (_, unit_seconds) = units.find(|(unit, _)| Some(*unit) == letter).ok_or_else(wrong)?;
        let part = count.parse().ok().and_then(|count| unit_seconds.checked_mul(count));
        sum = part.and_then(|part| Seconds::new(sum.get() + part.get())).ok_or_else(wrong)?;
        if unit.as_str().is_empty() {
            return Ok(sum);
        }
        rest = unit.as_str().trim_start_matches(' ');
    }
}

/// Formats a duration.
pub fn format_seconds(seconds: Seconds) -> String {
    let mut rest = seconds.get();
    let mut parts = Vec::new();
    for (letter, unit) in UNITS {
        let count = rest / unit.get();
        rest %= unit.get();
        if count > 0 {
            parts.push(format!("{count}{letter}"));
        }
    }
    if parts.is_empty() { "0s".into() } else { parts.join(" ") }
}

/// Parses a fraction.
///
/// # Errors
///
/// A sentence that shows the text and what is expected.
pub fn parse_fraction(text: &str) -> Result<Fraction, String> {
    let percent = text.trim().strip_suffix('%').map(str::trim_end);
    let parts =
        percent.filter(|number| is_decimal(number, 16)).and_then(|n| parse_units(n, 16).ok());
    let parts = parts.and_then(|parts| Fraction::try_from(parts.get_absolute()).ok());
    parts.ok_or_else(|| format!("{text:?} isn't a fraction: write it like \"10%\", up to 100%"))
}

/// Formats a fraction.
pub fn format_fraction(fraction: Fraction) -> String {
    format!("{}%", decimal(fraction.to_word(), 16))
}

/// Parses an amount of tokens.
///
/// # Errors
///
/// A sentence that shows the text and what is expected.
pub fn parse_amount(text: &str) -> Result<Amount, String> {
    let units = is_decimal(text, 18).then(|| parse_units(text, 18).ok()).flatten();
    let units = units.and_then(|units| Amount::try_from(units.get_absolute()).ok());
    units.ok_or_else(|| {
        format!(
            "{text:?} isn't an amount: write tokens like \"1000\" or \"0.5\", below 2^96 / 10^18"
        )
    })
}

/// Formats an amount.
pub fn format_amount(amount: Amount) -> String {
    decimal(amount.to_word(), 18)
}

/// Whether a text consists of digits, with at most one point and at most `places` digits after it.
/// `parse_units` accepts more and drops them.
fn is_decimal(text: &str, places: usize) -> bool {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    digits(whole) && digits(decimals) && decimals.len() <= places
}

fn decimal(value: U256, decimals: u8) -> String {
    let text = format_units(value, decimals).expect("77 decimals would be too many");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

macro_rules! serde_text {
    ($($module:ident: $type:ty, $parse:ident, $format:ident;)*) => {$(
        /// For `#[serde(with = …)]`.
        pub(crate) mod $module {
            use serde::{Deserialize, Deserializer, Serializer, de::Error};

            pub(crate) fn serialize<S: Serializer>(
                value: &$type,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&super::$format(*value))
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<$type, D::Error> {
                super::$parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
            }
        }
    )*};
}

serde_text! {
    seconds: canon_protocol::Seconds, parse_seconds, format_seconds;
    fraction: canon_protocol::Fraction, parse_fraction, format_fraction;
    amount: canon_protocol::Amount, parse_amount, format_amount;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in [
            ("24s", 24),
            ("0s", 0),
            ("90m", 5400),
            ("1d 12h", 129_600),
            ("1d1s", 86_401),
            ("1 d 12 h", 129_600),
            ("1d  2h 3m4  s", 93_784),
            ("12725829d", 1_099_511_625_600),
        ] {
            assert_eq!(parse_seconds(text), Ok(Seconds::of(seconds)), "{text:?}");
        }
        assert_eq!(format_seconds(Seconds::of(129_601)), "1d 12h 1s");
        assert_eq!(format_seconds(Seconds::ZERO), "0s");
        assert_eq!(parse_seconds(&format_seconds(Seconds::MAX)), Ok(Seconds::MAX));
        for text in [
            "",
            " ",
            "5",
            "s",
            " s",
            "1h 1d",
            "1h1h",
            "-1s",
            "+1s",
            "1.5h",
            "1w",
            "1S",
            "1 2s",
            "1 2 s",
            "1d 1 2h",
            "1d 2",
            "1d h",
            " 1s",
            "1s ",
            "1d 1s ",
            "1\ts",
            "1d\n1s",
            "1d,1s",
            "1ss",
            "12725830d",
            "12725829d 12h",
            "99999999999999d",
            "99999999999999999999s",
        ] {
            assert!(parse_seconds(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn fractions() {
        assert_eq!(parse_fraction("4%"), Ok(Fraction::percent(4)));
        assert_eq!(parse_fraction("0.0000000000000001 %"), Ok(Fraction::of(1)));
        assert_eq!(parse_fraction("100%"), Ok(Fraction::ONE));
        assert_eq!(format_fraction(Fraction::of(5_000_000_000_000_000)), "0.5%");
        assert_eq!(format_fraction(Fraction::ZERO), "0%");
        for text in ["4", "%", "-4%", "100.1%", "0.00000000000000001%", "four%", "1e2%"] {
            assert!(parse_fraction(text).is_err(), "{text}");
        }
    }

    #[test]
    fn amounts() {
        assert_eq!(parse_amount("0.5"), Ok(Amount::of(500_000_000_000_000_000)));
        assert_eq!(parse_amount("1000"), Ok(Amount::of(1000 * Amount::TOKEN.get())));
        assert_eq!(format_amount(Amount::MAX), "79228162514.264337593543950335");
        assert_eq!(parse_amount(&format_amount(Amount::MAX)), Ok(Amount::MAX));
        assert_eq!(format_amount(Amount::of(1000 * Amount::TOKEN.get())), "1000");
        for text in ["", "-1", ".5", "1.", "1_000", "79228162515", "0.0000000000000000001"] {
            assert!(parse_amount(text).is_err(), "{text}");
        }
    }
}
