//! The result of checking contracts that somebody else deployed.

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
        /// The expected contract.
        contract: Contract,
        /// The address of the contract.
        address: Address,
    },
    /// The contract didn't emit the events of its constructor.
    #[error(
        "expected the events of {contract}'s constructor from {address} since block {first_block}, \
         found none; search from an earlier block, or don't use it"
    )]
    NoConstructorEvents {
        /// The expected contract.
        contract: Contract,
        /// The address of the contract.
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
        /// The expected contract.
        contract: Contract,
        /// The address of the contract.
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
        /// The address of the contract.
        address: Address,
        /// The argument.
        what: &'static str,
        /// The argument that this set needs.
        expected: Address,
        /// The argument found.
        found: Address,
    },
    /// A proposal changed the owner or the Registry of a contract, so that the set no longer belongs
    /// together.
    #[error(
        "the {what} of {contract} at {address} is {found}, expected {expected}; find the proposal \
         that changed it before you use the set"
    )]
    Changed {
        /// The contract.
        contract: Contract,
        /// The address of the contract.
        address: Address,
        /// The owner or the Registry of the contract.
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
        /// The address of the contract.
        address: Address,
        /// The deployer, who owns the contract.
        deployer: Address,
    },
    /// The supply differs from the initial supply plus the amounts that the Issuer minted. Either somebody
    /// else minted before the Asset was handed over to the Issuer, or the endpoint omits logs of the
    /// Issuer.
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
    /// The deployer listed no rollup, or more than one, before the handover of the Registry.
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
    /// The contract or the set isn't genuine.
    #[error(transparent)]
    NotGenuine(#[from] NotGenuine),
    /// The chain couldn't be read.
    #[error(transparent)]
    Chain(#[from] Error),
    /// The endpoint's logs and its state disagree about the owner of the Registry.
    #[error(
        "the Registry at {registry} belongs to {expected}, and {found} is its owner by the endpoint's \
         logs; they are behind its state or incomplete: try again later or use another endpoint"
    )]
    OwnerLogs {
        /// The Registry.
        registry: Address,
        /// The owner according to the state.
        expected: Address,
        /// The owner according to the last log of a handover.
        found: Address,
    },
    /// The endpoint's logs and its state disagree about the number of versions in the Registry.
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

/// A set that is genuine and belongs to its Governance, at one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenuineSet {
    /// The Registry.
    pub registry: Address,
    /// The account that deployed the set.
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
    /// The address of the rollup.
    pub address: Address,
    /// `Ok` if the rollup and its RewardDistributor are genuine and were constructed for the set, otherwise
    /// the first reason why they aren't. Their present owners aren't covered.
    pub verdict: Result<(), NotGenuine>,
}
