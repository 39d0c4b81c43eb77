//! The verdict on contracts that somebody else deployed.

use crate::error::Error;
use alloy_primitives::{Address, U256};
use canon_abi::Contract;
use canon_protocol::BlockNumber;

/// The reason why a contract, or a set, isn't genuine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotGenuine {
    /// There is no code at the address.
    #[error("expected {contract} at {address}, found no code; don't use it")]
    NoCode {
        /// The contract that was expected.
        contract: Contract,
        /// Its address.
        address: Address,
    },
    /// The contract didn't emit the events of its constructor.
    #[error(
        "expected the events of {contract}'s constructor from {address} since block {first_block}, \
         found none; search from an earlier block, or don't use it"
    )]
    NoConstructorEvents {
        /// The contract that was expected.
        contract: Contract,
        /// Its address.
        address: Address,
        /// The first block that was searched.
        first_block: BlockNumber,
    },
    /// The constructor's events give another address: the contract was created from other init code,
    /// by another factory, or with another salt.
    #[error(
        "{contract} with the arguments in its constructor's events is expected at {expected}, found at \
         {address}; check factory and salt: if they are those of the set, its storage can be forged, \
         so don't use it"
    )]
    OtherAddress {
        /// The contract that was expected.
        contract: Contract,
        /// Its address.
        address: Address,
        /// The address of a genuine contract with its arguments and the first origin.
        expected: Address,
    },
    /// The contract is genuine but not part of this set.
    #[error(
        "{contract} at {address} was constructed with {what} {found}, expected {expected}; it belongs \
         to another set: use the contract of this one"
    )]
    Wiring {
        /// The contract.
        contract: Contract,
        /// Its address.
        address: Address,
        /// The argument.
        what: &'static str,
        /// The argument that this set needs.
        expected: Address,
        /// The argument found.
        found: Address,
    },
    /// A proposal has changed a part of the contract's state that holds the set together.
    #[error(
        "the {what} of {contract} at {address} is {found}, expected {expected}; find the proposal \
         that changed it before you use the set"
    )]
    Changed {
        /// The contract.
        contract: Contract,
        /// Its address.
        address: Address,
        /// Its owner or its Registry.
        what: &'static str,
        /// The address that this set needs.
        expected: Address,
        /// The address found.
        found: Address,
    },
    /// The deployer still owns Asset or Registry.
    #[error(
        "{contract} at {address} is expected to be handed over by its deployer, {deployer}, and still \
         belongs to it; use the set once the deployment is finished"
    )]
    NotHandedOver {
        /// The contract.
        contract: Contract,
        /// Its address.
        address: Address,
        /// Its owner.
        deployer: Address,
    },
    /// The supply isn't the initial supply and what the Issuer minted: somebody else minted before the
    /// Asset was handed over to the Issuer, or the endpoint leaves out logs of the Issuer.
    #[error(
        "the Asset at {address} is expected to have the supply {expected}, its initial supply and the \
         Minted events of its Issuer, and has {found}; ask another endpoint, and don't use the set if it \
         says the same: somebody else minted"
    )]
    Supply {
        /// The Asset.
        address: Address,
        /// The initial supply and the amounts that the Issuer minted, in the smallest unit.
        expected: U256,
        /// The total supply, in the smallest unit.
        found: U256,
    },
    /// The deployer listed no rollup or several ones before it handed the Registry over.
    #[error("expected one rollup listed by the deployer, found {rollups}; don't use the set")]
    Rollups {
        /// The number of rollups.
        rollups: usize,
    },
}

/// The reason why a contract, or a set, wasn't found genuine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExamineError {
    /// It isn't genuine.
    #[error(transparent)]
    NotGenuine(#[from] NotGenuine),
    /// The chain couldn't be read.
    #[error(transparent)]
    Chain(#[from] Error),
    /// The endpoint's logs and its state differ about the owner of the Registry.
    #[error(
        "the Registry at {registry} belongs to {expected}, and {found} is its owner by the endpoint's \
         logs; they are behind its state or incomplete: try again later or use another endpoint"
    )]
    OwnerLogs {
        /// The Registry.
        registry: Address,
        /// Its owner in the state.
        expected: Address,
        /// Its owner by the last log of a handover.
        found: Address,
    },
    /// The endpoint's logs and its state differ about the number of versions in the Registry.
    #[error(
        "the Registry at {registry} has {expected} versions, and the endpoint's logs have {found}; they \
         are behind its state or incomplete: try again later or use another endpoint"
    )]
    VersionLogs {
        /// The Registry.
        registry: Address,
        /// The number of versions in the state; version 0 is the sentinel.
        expected: U256,
        /// The number of versions in the logs.
        found: usize,
    },
}

/// A set that is genuine, and belongs to its Governance at one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenuineSet {
    /// The Registry.
    pub registry: Address,
    /// The account that deployed it.
    pub deployer: Address,
    /// The Asset.
    pub asset: Address,
    /// The Issuer.
    pub issuer: Address,
    /// The Governance that owns Registry, Issuer, the canonical rollup and its RewardDistributor.
    pub governance: Address,
    /// The Governances that owned the Registry before, oldest first.
    pub former_governances: Vec<Address>,
    /// The Proposals contract in force.
    pub proposals: Address,
    /// Expect; `None` if it isn't deployed.
    pub expect: Option<Address>,
    /// The canonical rollup.
    pub rollup: Address,
    /// The rollups that were canonical before, oldest first. They need not be genuine.
    pub former_rollups: Vec<FormerRollup>,
}

/// A rollup that was canonical.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerRollup {
    /// Its address.
    pub address: Address,
    /// Whether it and its RewardDistributor are genuine and were constructed for the set, or the first
    /// reason why they aren't. It doesn't say who owns them now.
    pub verdict: Result<(), NotGenuine>,
}
