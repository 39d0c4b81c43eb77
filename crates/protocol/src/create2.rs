//! CREATE2 addresses, which prove the init code of a contract.

use alloy_primitives::{Address, B256, keccak256};
use serde::{Deserialize, Serialize};

/// The creation of a contract with CREATE2, from which its address follows (EIP-1014).
///
/// Only this init code can create a contract at [`Self::address`], whatever code the factory has. So the
/// address proves the constructor and its arguments, and with them the contract's initial storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Create2 {
    /// The contract that executes CREATE2.
    pub factory: Address,
    /// The salt that the factory passes to CREATE2.
    pub salt: B256,
    /// The hash of the init code: the constructor's code and its encoded arguments.
    pub init_code_hash: B256,
}

impl Create2 {
    /// The creation of a contract by `factory` from `init_code`.
    pub fn new(factory: Address, salt: B256, init_code: &[u8]) -> Self {
        Self { factory, salt, init_code_hash: keccak256(init_code) }
    }

    /// The address of the created contract.
    pub fn address(&self) -> Address {
        self.factory.create2(self.salt, self.init_code_hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{address, b256, hex};

    /// The examples of EIP-1014.
    #[test]
    fn addresses_are_those_of_the_standard() {
        let deadbeef = address!("0xdeadbeef00000000000000000000000000000000");
        let feed = b256!("0x000000000000000000000000feed000000000000000000000000000000000000");
        let cafebabe = b256!("0x00000000000000000000000000000000000000000000000000000000cafebabe");
        let examples: [(Address, B256, &[u8], Address); 5] = [
            (
                Address::ZERO,
                B256::ZERO,
                &hex!("00"),
                address!("0x4D1A2e2bB4F88F0250f26Ffff098B0b30B26BF38"),
            ),
            (
                deadbeef,
                B256::ZERO,
                &hex!("00"),
                address!("0xB928f69Bb1D91Cd65274e3c79d8986362984fDA3"),
            ),
            (deadbeef, feed, &hex!("00"), address!("0xD04116cDd17beBE565EB2422F2497E06cC1C9833")),
            (
                address!("0x00000000000000000000000000000000deadbeef"),
                cafebabe,
                &hex!("deadbeef"),
                address!("0x60f3f640a8508fC6a86d45DF051962668E1e8AC7"),
            ),
            (
                Address::ZERO,
                B256::ZERO,
                &[],
                address!("0xE33C0C7F7df4809055C3ebA6c09CFe4BaF1BD9e0"),
            ),
        ];
        for (factory, salt, init_code, expected) in examples {
            assert_eq!(Create2::new(factory, salt, init_code).address(), expected);
        }
    }
}
