//! How JSON has what serde would write in another way.

/// An address with its EIP-55 checksum; any capitals are read.
pub mod checksummed {
    use alloy_primitives::Address;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the address with its checksum.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(address: &Address, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(address)
    }

    /// Reads an address, with or without a checksum.
    ///
    /// # Errors
    ///
    /// If it isn't an address.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Address, D::Error> {
        Address::deserialize(deserializer)
    }

    /// An address that may be missing.
    pub mod option {
        use super::{Address, Deserialize, Deserializer, Serializer};

        /// Writes the address with its checksum.
        ///
        /// # Errors
        ///
        /// Those of the serializer.
        pub fn serialize<S: Serializer>(
            address: &Option<Address>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match address {
                Some(address) => serializer.serialize_some(&address.to_checksum(None)),
                None => serializer.serialize_none(),
            }
        }

        /// Reads an address, with or without a checksum.
        ///
        /// # Errors
        ///
        /// If it is neither missing nor an address.
        pub fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Address>, D::Error> {
            Option::deserialize(deserializer)
        }
    }

    /// A map by address.
    pub mod map {
        use super::{Address, Deserialize, Deserializer, Serializer};
        use serde::Serialize;
        use std::collections::BTreeMap;

        /// Writes the keys with their checksums.
        ///
        /// # Errors
        ///
        /// Those of the serializer.
        pub fn serialize<S: Serializer, V: Serialize>(
            map: &BTreeMap<Address, V>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            serializer.collect_map(map.iter().map(|(key, value)| (key.to_checksum(None), value)))
        }

        /// Reads addresses with or without checksums as keys.
        ///
        /// # Errors
        ///
        /// If a key isn't an address.
        pub fn deserialize<'de, D: Deserializer<'de>, V: Deserialize<'de>>(
            deserializer: D,
        ) -> Result<BTreeMap<Address, V>, D::Error> {
            BTreeMap::deserialize(deserializer)
        }
    }
}

/// A number of 256 bits as a decimal string.
pub mod decimal {
    use alloy_primitives::U256;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes the number.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(number: &U256, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    /// Reads a number.
    ///
    /// # Errors
    ///
    /// If it isn't a decimal string, or doesn't fit 256 bits.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<U256, D::Error> {
        let text = String::deserialize(deserializer)?;
        U256::from_str_radix(&text, 10).map_err(D::Error::custom)
    }
}
