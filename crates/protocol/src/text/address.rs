//! Addresses: `0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed`.
//!
//! The formatter is [`Address`] itself, which writes the checksum.

use super::{ErrorKind, ParseQuantityError, serde_as_text};
use alloy_primitives::Address;
use core::fmt;

/// A shortened address, by which a person recognizes it: `0x5aAe…eAed`. It can't be parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortened(pub Address);

impl fmt::Display for Shortened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_checksum(None);
        f.pad(&format!("{}…{}", &text[..6], &text[text.len() - 4..]))
    }
}

/// Reads an address. If its letters are of both cases, they must match the checksum (EIP-55), so that typos
/// are detected.
///
/// # Errors
///
/// If the text isn't 40 hexadecimal digits, with or without a leading `0x`, or the checksum is wrong.
pub fn parse(text: &str) -> Result<Address, ParseQuantityError> {
    let trimmed = text.trim();
    let digits = trimmed.strip_prefix("0x").unwrap_or(trimmed);
    let parsed = Some(digits).filter(|digits| digits.len() == 40);
    let Some(address) = parsed.and_then(|digits| digits.parse::<Address>().ok()) else {
        return Err(ParseQuantityError::new(ErrorKind::Malformed, text, EXPECTED));
    };
    let mixed = digits.contains(|c: char| c.is_ascii_uppercase())
        && digits.contains(|c: char| c.is_ascii_lowercase());
    if mixed && address.to_checksum(None)[2..] != *digits {
        let expected = "an address with a right EIP-55 checksum (check it for a typo)";
        return Err(ParseQuantityError::new(ErrorKind::WrongChecksum, text, expected));
    }
    Ok(address)
}

/// The expected value, for use after "expected".
pub const EXPECTED: &str =
    "an address of 40 hexadecimal digits, such as 0x00000000000000000000000000000000000000aa";

serde_as_text!(Address, core::convert::identity::<Address>);

/// An optional address.
pub mod option {
    use alloy_primitives::Address;
    use serde::{Deserializer, Serializer};

    /// Writes the text, or nothing.
    ///
    /// # Errors
    ///
    /// The errors of the serializer.
    pub fn serialize<S: Serializer>(
        address: &Option<Address>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match address {
            Some(address) => super::serialize(address, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads a text.
    ///
    /// # Errors
    ///
    /// If the value isn't a text, or [`parse`](super::parse) refuses it.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Address>, D::Error> {
        #[derive(serde::Deserialize)]
        struct Text(#[serde(with = "super")] Address);

        let text = <Option<Text> as serde::Deserialize>::deserialize(deserializer)?;
        Ok(text.map(|Text(address)| address))
    }
}

/// A map with addresses as keys.
pub mod map {
    use alloy_primitives::Address;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;

    /// Writes the keys with checksums.
    ///
    /// # Errors
    ///
    /// The errors of the serializer.
    pub fn serialize<S: Serializer, V: Serialize>(
        map: &BTreeMap<Address, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(map.iter().map(|(key, value)| (key.to_checksum(None), value)))
    }

    /// Reads addresses as keys.
    ///
    /// # Errors
    ///
    /// If [`parse`](super::parse) refuses a key.
    pub fn deserialize<'de, D: Deserializer<'de>, V: Deserialize<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<Address, V>, D::Error> {
        #[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
        struct Key(#[serde(with = "super")] Address);

        let map = BTreeMap::<Key, V>::deserialize(deserializer)?;
        Ok(map.into_iter().map(|(Key(address), value)| (address, value)).collect())
    }
}
