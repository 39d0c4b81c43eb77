//! The accounts and contracts of every small scope.

use alloy_primitives::{Address, U256};
use canon_protocol::Addresses;
use std::fmt;

const fn address(last_byte: u8) -> Address {
    Address::with_last_byte(last_byte)
}

pub(crate) const ADDRESSES: Addresses = Addresses {
    chain_id: 1,
    asset: address(0xa1),
    registry: address(0xa2),
    governance: address(0xa3),
    issuer: address(0xa4),
    reward_distributor: address(0xa5),
    expect: address(0xa6),
};
pub(crate) const ASSET: Address = ADDRESSES.asset;
pub(crate) const REGISTRY: Address = ADDRESSES.registry;
pub(crate) const GOVERNANCE: Address = ADDRESSES.governance;
pub(crate) const ISSUER: Address = ADDRESSES.issuer;
/// The first Proposals contract, and the one that can replace it.
pub(crate) const PROPOSALS: [Address; 2] = [address(0xb1), address(0xb2)];
/// The first rollup, and the one that can become canonical after it.
pub(crate) const ROLLUPS: [Address; 2] = [address(0xc1), address(0xc2)];
pub(crate) const DEPLOYER: Address = address(0xd1);
/// Has the rest of the supply and never votes.
pub(crate) const TREASURY: Address = address(0xd2);
/// The caller of functions that anyone may call.
pub(crate) const ANYONE: Address = address(0xd3);

/// A holder of the asset who votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Alice, the first holder.
    Alice,
    /// Bob, the second holder.
    Bob,
}

impl Holder {
    /// Alice and Bob.
    pub const ALL: [Self; 2] = [Self::Alice, Self::Bob];

    /// The account.
    pub const fn address(self) -> Address {
        match self {
            Self::Alice => address(0xe1),
            Self::Bob => address(0xe2),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alice => "alice",
            Self::Bob => "bob",
        })
    }
}

/// A staker of the first rollup. It is its own proposer and withdrawer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Staker(u8);

impl Staker {
    /// The three stakers.
    pub const ALL: [Self; 3] = [Self(1), Self(2), Self(3)];

    /// The account.
    pub const fn address(self) -> Address {
        address(0xf0 + self.0)
    }
}

impl fmt::Display for Staker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "staker {}", self.0)
    }
}

/// One base unit of the asset: the amount of every ballot, deposit and withdrawal.
pub(crate) const UNIT: U256 = U256::ONE;
