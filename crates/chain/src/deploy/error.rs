//! Errors of deployments.

use super::{
    invalid::ParameterProblem,
    proxy::{CREATION, DEPLOYMENT_PROXY, PROXY_CREATOR},
    step::Step,
};
use crate::{endpoint::said, error::Error};
use alloy_primitives::{Address, B256, ChainId, U256};
use alloy_transport::TransportError;
use canon_abi::Contract;
use canon_protocol::{
    Refusal,
    text::{Rounding, ether},
};

/// The reason why a deployment stopped. The record keeps the finished steps: remove the cause and run it again.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The transaction of a step failed.
    #[error("{step}: {source}")]
    Step {
        /// The step.
        step: Step,
        /// The error of the transaction.
        #[source]
        source: Error,
    },
    /// The chain couldn't be read.
    #[error(transparent)]
    Chain(#[from] Error),
    /// A created contract has no code.
    #[error(
        "expected {contract} at {address}, found no code; choose another factory: this one doesn't create it there"
    )]
    NotCreated {
        /// The contract.
        contract: Contract,
        /// The address at which it was created.
        address: Address,
    },
    /// The state of a contract doesn't match the completed steps.
    #[error(
        "{contract} at {address}: {what} is {found}, expected {expected}; don't use it, deploy again \
         with another salt"
    )]
    Postcondition {
        /// The contract.
        contract: Contract,
        /// The address of the contract.
        address: Address,
        /// The function that was called.
        what: &'static str,
        /// The answer that follows from the parameters and the completed steps.
        expected: String,
        /// The answer of the contract.
        found: String,
    },
    /// A contract at a planned address was handed over to a contract of another set.
    #[error(
        "{contract} at {address} belongs to another set: it was handed over to {found}, in this set it would be to \
         {expected}; another set needs another salt"
    )]
    OtherSet {
        /// The contract.
        contract: Contract,
        /// The address of the contract.
        address: Address,
        /// The contract that is to own it in this set.
        expected: Address,
        /// The account that owns it, or to which it is offered.
        found: Address,
    },
    /// Governance owns the Registry, which doesn't have the rollup of this set.
    #[error("the Registry at {registry} belongs to its Governance at {governance} already {}", without_rollup(.found))]
    Unfinishable {
        /// The Registry.
        registry: Address,
        /// Its owner, the set's Governance.
        governance: Address,
        /// The canonical rollup; `None` if there is none.
        found: Option<Address>,
    },
    /// The record's address for a step doesn't follow from its parameters.
    #[error(
        "{step}: the record has {record}, expected {expected} from its parameters; use a new record"
    )]
    OtherAddress {
        /// The step.
        step: Step,
        /// The address that the parameters give.
        expected: Address,
        /// The record's.
        record: Address,
    },
    /// The chain lacks the deployment proxy, and this program has no key that pays for its creation.
    #[error(
        "the chain lacks the deterministic deployment proxy: send {} ether to {PROXY_CREATOR}, then send the signed \
         transaction that creates it, as anybody can (`cast publish`):\n\n  {CREATION}\n\nor choose another factory",
        ether(*.missing, Rounding::Up)
    )]
    NoProxy {
        /// The wei that the creator of the proxy lacks.
        missing: U256,
    },
    /// The chain lacks the deployment proxy and refuses the transaction that creates it.
    #[error(
        "the chain lacks the deterministic deployment proxy, and the endpoint refuses the \
         transaction that creates it ({}): it is from before EIP-155; send it through a node \
         that takes such transactions (geth: --rpc.allow-unprotected-txs), or choose another factory",
        said(.source)
    )]
    ProxyRefused {
        /// The answer of the endpoint.
        #[source]
        source: TransportError,
    },
    /// The transaction that creates the deployment proxy isn't mined. Its gas price can't be changed.
    #[error(
        "the transaction that creates the deterministic deployment proxy ({hash}) isn't in a block \
         yet; its gas price is 100 gwei: run again once the base fee is below that, or choose another \
         factory"
    )]
    ProxyNotMined {
        /// The transaction.
        hash: B256,
    },
    /// The transaction that creates the deployment proxy was mined but didn't create it.
    #[error(
        "the transaction that creates the deterministic deployment proxy failed on this chain; \
         choose another factory"
    )]
    ProxyFailed,
    /// The deployment proxy's address has other code.
    #[error(
        "the code at {DEPLOYMENT_PROXY} isn't the deterministic deployment proxy's; choose another \
         factory"
    )]
    OtherProxy,
    /// The record belongs to another chain.
    #[error(
        "the record is of chain {record}, this is chain {chain}; use the record's endpoint or a new record"
    )]
    OtherChain {
        /// The chain of the record.
        record: ChainId,
        /// The chain of the endpoint.
        chain: ChainId,
    },
    /// The record belongs to another deployer.
    #[error("the record is of deployer {record}, the key is {key}'s; use its key or a new record")]
    OtherDeployer {
        /// The deployer of the record.
        record: Address,
        /// The key's address.
        key: Address,
    },
    /// The record belongs to a set with other parameters.
    #[error("the record was begun with other parameters")]
    OtherParameters,
    /// The record has no genesis, on which the rollup's address depends.
    #[error(
        "expected the genesis of the rollup in the record, found none; the file was changed: use a new record, with \
         the genesis of that rollup in the file of its parameters"
    )]
    NoGenesis,
    /// The record's transaction for a step isn't the one that the step sends.
    #[error(
        "{step}: the record's transaction isn't the one that this step sends; the file was changed: use \
         a new record"
    )]
    OtherTransaction {
        /// The step.
        step: Step,
    },
    /// The record's payment to the creator of the deployment proxy isn't one of this account to it.
    #[error(
        "the record's payment to {PROXY_CREATOR} isn't one of this account; the file was changed: use a new record"
    )]
    OtherPayment,
    /// Governance can't execute an action.
    #[error("action {number}: {source}")]
    Action {
        /// The position of the action in the list, counted from 1.
        number: usize,
        /// The reason for the refusal.
        #[source]
        source: Error,
    },
    /// The progress callback stopped the deployment.
    #[error("stopped before \"{step}\"; run again with the record to go on")]
    Stopped {
        /// The first step that isn't done.
        step: Step,
    },
    /// A constructor would refuse its arguments; nothing was sent.
    #[error("a constructor would refuse its arguments: {}", ParameterProblem::of(*.contract, .refusal))]
    Constructor {
        /// The contract.
        contract: Contract,
        /// The refusal.
        refusal: Refusal,
    },
}

/// The state of a Registry that was handed over without the rollup of a deployment.
fn without_rollup(found: &Option<Address>) -> String {
    match found {
        None => "and lists no rollup: the deployer can't add the first one any more, and this set can't be finished; \
                 deploy another one with another salt"
            .to_owned(),
        Some(rollup) => format!(
            "and has the rollup {rollup}, which isn't the one of these parameters: the set is finished; name the \
             genesis of that rollup in the file, or deploy another set with another salt"
        ),
    }
}
