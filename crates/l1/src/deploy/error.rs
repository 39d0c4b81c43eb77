//! Why a deployment stopped.

use super::{parameters::sentence, proxy::DEPLOYMENT_PROXY, step::Step};
use crate::error::Error;
use alloy::{
    primitives::{Address, B256, ChainId},
    transports::TransportError,
};
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
    #[error("{contract} at {address}: {source}; don't use it, deploy again with another salt")]
    Code {
        /// The contract.
        contract: Contract,
        /// Where it should be.
        address: Address,
        /// How the code differs.
        #[source]
        source: CodeMismatch,
    },
    /// A contract is in another state than the deployment left it in.
    #[error(
        "{contract} at {address}: {what} is {found}, not {expected}; don't use it, deploy again with another salt"
    )]
    Postcondition {
        /// The contract.
        contract: Contract,
        /// Where it is.
        address: Address,
        /// What was asked.
        what: &'static str,
        /// The answer that follows from the parameters and the steps that are done.
        expected: String,
        /// The answer.
        found: String,
    },
    /// The record has another address for a step than its parameters give.
    #[error("{step}: the record has {record}, its parameters give {expected}; use a new record")]
    OtherAddress {
        /// The step.
        step: Step,
        /// The address of the parameters.
        expected: Address,
        /// The record's.
        record: Address,
    },
    /// The chain lacks the deployment proxy and refuses the transaction that creates it.
    #[error(
        "the chain lacks the deterministic deployment proxy, and the endpoint refuses the \
         transaction that creates it ({source}): it is from before EIP-155; send it through a node \
         that takes such transactions (geth: --rpc.allow-unprotected-txs), or choose another factory"
    )]
    ProxyRefused {
        /// What the endpoint said.
        #[source]
        source: TransportError,
    },
    /// The transaction that creates the deployment proxy isn't mined. What it pays can't be changed.
    #[error(
        "the transaction that creates the deterministic deployment proxy ({hash}) isn't in a block \
         yet; it pays 100 gwei for each gas: run again once the base fee is below that, or choose \
         another factory"
    )]
    ProxyNotMined {
        /// The transaction.
        hash: B256,
    },
    /// The transaction that creates the deployment proxy was mined and didn't create it.
    #[error(
        "the transaction that creates the deterministic deployment proxy failed on this chain; \
         choose another factory"
    )]
    ProxyFailed,
    /// Something else is at the deployment proxy's address.
    #[error(
        "the code at {DEPLOYMENT_PROXY} isn't the deterministic deployment proxy's; choose another \
         factory"
    )]
    OtherProxy,
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
    /// A constructor would refuse its arguments; nothing was sent.
    #[error("{contract} would be refused: {}", sentence(.refusal))]
    Constructor {
        /// The contract.
        contract: Contract,
        /// Why.
        refusal: Refusal,
    },
}
