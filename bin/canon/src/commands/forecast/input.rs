//! Values as people write them.

use std::str::FromStr;

use alloy_primitives::Address;
use canon_chain::deploy::quantities;
use canon_forecast::Share;
use canon_protocol::{Fraction, Timestamp};

/// A share as people write it: `70%` or `0.7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Percent(pub(super) Fraction);

impl Percent {
    pub(super) fn share(self) -> Share {
        self.0.into()
    }
}

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fraction = if text.ends_with('%') {
            quantities::parse_fraction(text).ok()
        } else {
            // A decimal of 18 places, as an amount is.
            let decimal = quantities::parse_amount(text).ok();
            decimal.and_then(|decimal| Fraction::try_from(decimal.to_word()).ok())
        };
        let expected = || "expected a share from 0% to 100%, such as 70% or 0.7".to_owned();
        fraction.map(Self).ok_or_else(expected)
    }
}

/// An address. Capitals are a checksum (EIP-55): a mistyped one is refused.
pub(super) fn address(text: &str) -> Result<Address, String> {
    let address: Address = text.parse().map_err(|_| {
        "expected an address of 40 hexadecimal digits, such as 0x00000000000000000000000000000000000000aa"
            .to_owned()
    })?;
    let digits = text.trim_start_matches("0x");
    let plain = |upper: fn(&char) -> bool| !digits.chars().any(|c| upper(&c));
    if plain(char::is_ascii_uppercase) || plain(char::is_ascii_lowercase) {
        return Ok(address);
    }
    match Address::parse_checksummed(text, None) {
        Ok(address) => Ok(address),
        Err(_) => Err("the capitals of this address are no checksum of it (EIP-55): expected an \
             address without a typing error"
            .to_owned()),
    }
}

/// A time with its offset from UTC.
pub(super) fn utc_time(text: &str) -> Result<Timestamp, String> {
    let instant: Option<jiff::Timestamp> = text.parse().ok();
    let second = instant.and_then(|instant| u64::try_from(instant.as_second()).ok());
    second.and_then(Timestamp::new).ok_or_else(|| {
        "expected a time with its offset from UTC, such as 2026-12-01T09:00:00Z".to_owned()
    })
}

/// How long failures last.
pub(super) fn outage(text: &str) -> Result<f64, String> {
    let slots = text.parse().ok().filter(|slots: &f64| slots.is_finite() && *slots >= 1.0);
    slots.ok_or_else(|| "expected a number of slots, 1 or more".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_as_people_write_them() {
        for (text, share) in [
            ("70%", Some(0.7)),
            ("0.7", Some(0.7)),
            ("100 %", Some(1.0)),
            ("1", Some(1.0)),
            ("0", Some(0.0)),
            ("101%", None),
            ("1.1", None),
            ("-0.1", None),
            ("x", None),
            ("", None),
        ] {
            let found = text.parse::<Percent>().ok().map(|percent| percent.share().get());
            assert_eq!(found, share, "{text}");
        }
    }

    #[test]
    fn a_mistyped_address_is_refused() {
        let right = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        assert!(address(right).is_ok());
        assert!(address(&right.to_lowercase()).is_ok());
        assert!(address(&right.replace("5aAe", "5AAe")).is_err());
        assert!(address("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe").is_err());
    }

    #[test]
    fn times_have_an_offset() {
        let time = Timestamp::of(1_796_115_600);
        assert_eq!(utc_time("2026-12-01T09:00:00Z"), Ok(time));
        assert_eq!(utc_time("2026-12-01T10:00:00+01:00"), Ok(time));
        assert!(utc_time("2026-12-01T09:00:00").is_err());
        assert!(utc_time("1969-12-01T09:00:00Z").is_err());
        assert!(utc_time("tomorrow").is_err());
    }

    #[test]
    fn other_values() {
        assert_eq!(outage("1.5"), Ok(1.5));
        assert!(outage("0.5").is_err() && outage("NaN").is_err() && outage("inf").is_err());
    }
}
