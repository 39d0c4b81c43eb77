//! What a deployment did so far, so that it can go on after an interruption.

use super::{parameters::SetParameters, step::Step};
use crate::Confirmed;
use alloy::primitives::{Address, B256, ChainId};
use canon_protocol::{BlockNumber, Timestamp};
use serde::{Deserialize, Serialize};

/// The record of a deployment. Save it at every [`Progress`](super::Progress); give it to
/// [`deploy`](super::deploy) again and it verifies what was done and does the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeployRecord {
    /// The chain.
    pub chain_id: ChainId,
    /// The first owner of Asset and Registry.
    pub deployer: Address,
    /// What is deployed.
    pub parameters: SetParameters,
    /// First second of the rollup's slot 0, decided before anything is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub genesis: Option<Timestamp>,
    /// The step that was begun: its transaction may or may not be on the chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<Begun>,
    /// The steps that are done, in order.
    #[serde(default)]
    pub done: Vec<Done>,
}

/// A step that was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Begun {
    /// The step.
    pub step: Step,
    /// The nonce of its transaction.
    pub nonce: u64,
}

/// A step that is done and was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Done {
    /// The step.
    pub step: Step,
    /// The contract that it created, or that it called.
    pub address: Address,
    /// Its transaction; unknown if the chain had it already, from an interrupted run or another
    /// deployment of the same contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<StepReceipt>,
}

/// The receipt of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepReceipt {
    /// The transaction.
    pub transaction: B256,
    /// Its block.
    pub block: BlockNumber,
    /// Gas it was charged for.
    pub gas_used: u64,
}

impl StepReceipt {
    pub(crate) const fn of(confirmed: &Confirmed) -> Self {
        let (transaction, block) = (confirmed.hash, confirmed.block);
        Self { transaction, block, gas_used: confirmed.gas_used }
    }
}

impl DeployRecord {
    /// A record of nothing yet.
    pub const fn new(chain_id: ChainId, deployer: Address, parameters: SetParameters) -> Self {
        Self { chain_id, deployer, parameters, genesis: None, begun: None, done: Vec::new() }
    }

    /// Whether a step is done.
    pub fn is_done(&self, step: Step) -> bool {
        self.done.iter().any(|done| done.step == step)
    }

    /// The first step that isn't done; `None` when all are.
    pub fn next(&self) -> Option<Step> {
        Step::ALL.iter().copied().find(|step| !self.is_done(*step))
    }

    /// The address of the contract that a step created.
    pub fn address(&self, step: Step) -> Option<Address> {
        self.done.iter().find(|done| done.step == step).map(|done| done.address)
    }

    /// Gas of all steps whose receipts are known.
    pub fn gas_used(&self) -> u64 {
        self.done.iter().filter_map(|done| done.receipt).map(|receipt| receipt.gas_used).sum()
    }
}
