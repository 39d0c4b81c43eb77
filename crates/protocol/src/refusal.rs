//! The refusals with which calls revert.

use crate::{
    abi::abi_enum, asset::AssetRefusal, distributor::DistributorRefusal, expect::ExpectRefusal,
    governance::GovernanceRefusal, issuer::IssuerRefusal, messages::message_names,
    ownership::OwnershipRefusal, proposals::ProposalsRefusal, registry::RegistryRefusal,
    rollup::RollupRefusal, units::TooLarge,
};
use alloy_primitives::{Address, Bytes, Selector, U256};
use serde::{Deserialize, Serialize};

abi_enum! {
    /// Refusals that more than one contract of the set can give (`ICommon`, and OpenZeppelin's
    /// reentrancy guard).
    #[derive(thiserror::Error)]
    pub enum CommonRefusal {
        /// `account` has no code of its own: it is empty or an EIP-7702 delegation.
        #[error("{account} has no code of its own")]
        NoCode { account: Address } = "NoCode",
        /// `value` doesn't fit where it has to be stored. Nothing is ever truncated.
        #[error("{value} is larger than {max}")]
        ValueTooLarge { value: U256, max: U256 } = "ValueTooLarge",
        /// `target` reverted or didn't answer `selector` with exactly one word of the expected type.
        #[error("{target} gives no clean answer to {selector}")]
        NoAnswer { target: Address, selector: Selector } = "NoAnswer",
        /// An address argument is zero where an account is needed.
        #[error("the zero address is no account")]
        ZeroAddress = "ZeroAddress",
        /// Renouncing is refused, because a contract without an owner could never be upgraded again.
        #[error("ownership cannot be renounced")]
        OwnershipCannotBeRenounced = "OwnershipCannotBeRenounced",
        /// The contract was called again before an earlier call of it ended.
        #[error("reentrant call")]
        ReentrantCall = "ReentrancyGuardReentrantCall",
    }
}

impl From<TooLarge> for Refusal {
    fn from(TooLarge { value, max }: TooLarge) -> Self {
        CommonRefusal::ValueTooLarge { value, max }.into()
    }
}

/// The refusal with which a call reverts: the custom error of the contract that refused, at any depth of
/// calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Refusal {
    /// A refusal that several contracts share.
    #[error(transparent)]
    Common(#[from] CommonRefusal),
    /// A refusal of a contract with an owner.
    #[error(transparent)]
    Ownership(#[from] OwnershipRefusal),
    /// The Asset.
    #[error("asset: {0}")]
    Asset(#[from] AssetRefusal),
    /// The Issuer.
    #[error("issuer: {0}")]
    Issuer(#[from] IssuerRefusal),
    /// The Registry.
    #[error("registry: {0}")]
    Registry(#[from] RegistryRefusal),
    /// The RewardDistributor.
    #[error("reward distributor: {0}")]
    Distributor(#[from] DistributorRefusal),
    /// A Rollup.
    #[error("rollup: {0}")]
    Rollup(#[from] RollupRefusal),
    /// A Proposals contract.
    #[error("proposals: {0}")]
    Proposals(#[from] ProposalsRefusal),
    /// Governance.
    #[error("governance: {0}")]
    Governance(#[from] GovernanceRefusal),
    /// An assertion of a payload.
    #[error("assertion: {0}")]
    Expect(#[from] ExpectRefusal),
    /// A contract outside the set reverted with this data, which was passed on.
    #[error("a contract outside the set reverted with {0}")]
    Foreign(Bytes),
    /// The call reverts without data: the contract has no such function, the arguments don't decode, or
    /// there is no contract.
    #[error("reverted without a reason")]
    Empty,
    /// These rules don't decide the call: it depends on the state of this contract, which took the place of
    /// a contract of the set.
    #[error("the outcome depends on {0}, which is not of the set")]
    OutsideTheSet(Address),
}

message_names!(Refusal:
    Common(CommonRefusal), Ownership(OwnershipRefusal), Asset(AssetRefusal), Issuer(IssuerRefusal),
    Registry(RegistryRefusal), Distributor(DistributorRefusal), Rollup(RollupRefusal),
    Proposals(ProposalsRefusal), Governance(GovernanceRefusal), Expect(ExpectRefusal),
);

impl Refusal {
    /// The revert data of the call.
    pub fn abi_encode(&self) -> Bytes {
        match self {
            Self::Common(refusal) => refusal.abi_encode(),
            Self::Ownership(refusal) => refusal.abi_encode(),
            Self::Asset(refusal) => refusal.abi_encode(),
            Self::Issuer(refusal) => refusal.abi_encode(),
            Self::Registry(refusal) => refusal.abi_encode(),
            Self::Distributor(refusal) => refusal.abi_encode(),
            Self::Rollup(refusal) => refusal.abi_encode(),
            Self::Proposals(refusal) => refusal.abi_encode(),
            Self::Governance(refusal) => refusal.abi_encode(),
            Self::Expect(refusal) => refusal.abi_encode(),
            Self::Foreign(data) => data.clone(),
            Self::Empty | Self::OutsideTheSet(_) => Bytes::new(),
        }
    }

    /// The refusal that `data` encodes, of any contract.
    pub fn abi_decode(data: &[u8]) -> Self {
        macro_rules! first_of {
            ($($refusal:ident),*) => {
                $(if let Some(refusal) = $refusal::abi_decode(data) {
                    return refusal.into();
                })*
            };
        }
        if data.is_empty() {
            return Self::Empty;
        }
        first_of!(CommonRefusal, OwnershipRefusal, AssetRefusal, IssuerRefusal, RegistryRefusal);
        first_of!(DistributorRefusal, RollupRefusal, ProposalsRefusal, GovernanceRefusal);
        first_of!(ExpectRefusal);
        Self::Foreign(Bytes::copy_from_slice(data))
    }
}
