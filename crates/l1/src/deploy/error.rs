//! Why a deployment stopped.

use super::{parameters::sentence, step::Step};
use crate::error::Error;
use alloy::primitives::{Address, ChainId};
use canon_bindings::{CodeMismatch, Contract};
use canon_protocol::Refusal;

/// Why a deployment stopped. What was done stays in the record: repair the cause and go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeployError {
    /// The transaction of a step failed.
    #[error("{step}: {source}")]
    Step {
        /// The step.
        step: Step,
        /// What happened.
        #[source]
        source: Error,
    },
    /// The chain couldn't be asked.
    #[error(transparent)]
    Chain(#[from] Error),
    /// The code at a created address isn't the artifact's.
    #[error("{contract} at {address}: {source}; don't use it, deploy again with a new record")]
    Code {
        /// The contract.
        contract: Contract,
        /// Where it should be.
        address: Address,
        /// How the code differs.
        #[source]
        source: CodeMismatch,
    },
    /// A contract answers something else than it was made or wired for.
    #[error(
        "{contract} at {address}: {what} is {found}, not {expected}; don't use it, deploy again with a new record"
    )]
    Postcondition {
        /// The contract.
        contract: Contract,
        /// Where it is.
        address: Address,
        /// What was asked.
        what: &'static str,
        /// The answer that the parameters and the wiring ask for.
        expected: String,
        /// The answer.
        found: String,
    },
    /// The receipt of a creation doesn't name the address that the nonce gives.
    #[error("{step}: the receipt names {found:?}, not {expected}; use another endpoint")]
    Address {
        /// The step.
        step: Step,
        /// The address of the deployer and the nonce.
        expected: Address,
        /// The receipt's.
        found: Option<Address>,
    },
    /// The record is of another chain.
    #[error(
        "the record is of chain {record}, this is chain {chain}; use the record's endpoint or a new record"
    )]
    OtherChain {
        /// The record's chain.
        record: ChainId,
        /// The endpoint's.
        chain: ChainId,
    },
    /// The record is of another deployer.
    #[error("the record is of deployer {record}, the key is {key}'s; use its key or a new record")]
    OtherDeployer {
        /// The record's deployer.
        record: Address,
        /// The key's address.
        key: Address,
    },
    /// The record is of other parameters.
    #[error("the record was begun with other parameters; use those, or a new record")]
    OtherParameters,
    /// The record lists a later step as done and not one that it depends on.
    #[error("the record lacks \"{step}\", on which later steps depend; use a new record")]
    Unordered {
        /// The step that is missing.
        step: Step,
    },
    /// The progress callback asked to stop.
    #[error("stopped before \"{step}\"; run again with the record to go on")]
    Stopped {
        /// The first step that wasn't done.
        step: Step,
    },
    /// The parameters of a rollup would be refused.
    #[error("the rollup would be refused: {}", sentence(.0))]
    Rollup(Refusal),
}
