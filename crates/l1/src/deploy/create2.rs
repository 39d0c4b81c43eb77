//! Creation at addresses that prove init code.

use super::proxy::DEPLOYMENT_PROXY;
use alloy::primitives::{Address, B256, Bytes, keccak256};
use serde::{Deserialize, Serialize};

/// How contracts are created: by a factory, with CREATE2 and a salt.
///
/// The factory's calldata is the salt and the init code. Whatever the factory's code is, only this init
/// code can create a contract at the address that follows, so the address proves the constructor, its
/// arguments, and with them the contract's first storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Create2 {
    /// The contract that creates. Default: the deterministic deployment proxy
    /// ([`DEPLOYMENT_PROXY`]).
    pub factory: Address,
    /// The salt. Default: 0.
    pub salt: B256,
}

impl Default for Create2 {
    fn default() -> Self {
        Self { factory: DEPLOYMENT_PROXY, salt: B256::ZERO }
    }
}

impl Create2 {
    /// The address of the contract that `init_code` creates.
    pub fn address(&self, init_code: &[u8]) -> Address {
        self.origin(init_code).address()
    }

    /// The origin of the contract that `init_code` creates.
    pub fn origin(&self, init_code: &[u8]) -> Origin {
        Origin { factory: self.factory, salt: self.salt, init_code_hash: keccak256(init_code) }
    }

    /// What the factory is called with.
    pub(crate) fn calldata(&self, init_code: &[u8]) -> Bytes {
        [self.salt.as_slice(), init_code].concat().into()
    }

    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Factory, salt and init code of a contract, which give its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The contract that created it.
    pub factory: Address,
    /// The salt.
    pub salt: B256,
    /// The hash of its init code: the constructor's code and its arguments.
    pub init_code_hash: B256,
}

impl Origin {
    /// The address of the contract.
    pub fn address(&self) -> Address {
        self.factory.create2(self.salt, self.init_code_hash)
    }
}
