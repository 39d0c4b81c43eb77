//! The creation of a contract as the step of a command.

use alloy_primitives::Address;
use canon_chain::{
    Client,
    deploy::{ContractPlan, CreationState, check_creation},
};
use canon_protocol::Create2;
use canon_views::{IntendedAction, Intent, SetId};
use eyre::Report;
use serde_json::Value;

use crate::{
    deployer::undeployed,
    exit::Failure,
    send::{Conclusion, Step},
};

/// The step that creates a contract for a set, described by `words`; none if the chain has the contract.
///
/// # Errors
///
/// If the contract can't be created, or the chain can't be read.
pub(crate) async fn creation_step(
    client: &Client,
    set: SetId,
    account: Address,
    plan: &ContractPlan,
    words: &[String],
) -> Result<Option<Step>, Failure> {
    let state = check_creation(client, account, plan).await;
    match state.map_err(|error| undeployed(error, "correct the parameters above"))? {
        CreationState::Exists => Ok(None),
        CreationState::Possible => {
            let Create2 { factory, salt, .. } = plan.create2();
            let init_code = plan.init_code().clone();
            let contract = plan.address();
            let action = IntendedAction::Create { contract, factory, salt, init_code };
            Ok(Some(Step::new(Intent { set, action, until: None }, words.to_vec())))
        }
    }
}

/// The result of the creation of a contract.
pub(crate) struct Created<F> {
    document: Value,
    verify: F,
}

impl<F: AsyncFn() -> Result<String, Failure>> Created<F> {
    /// Creates a result with the keys of `document`. `verify` checks the contract, and returns its description.
    ///
    /// # Errors
    ///
    /// If `document` can't be written as JSON.
    pub(crate) fn new(document: &impl serde::Serialize, verify: F) -> Result<Self, Failure> {
        let document = serde_json::to_value(document)
            .map_err(|error| Failure::internal(Report::new(error), "please report this"))?;
        Ok(Self { document, verify })
    }
}

impl<F: AsyncFn() -> Result<String, Failure>> Conclusion for Created<F> {
    fn document(&self) -> Option<&Value> {
        Some(&self.document)
    }

    async fn conclude(&self) -> Result<String, Failure> {
        (self.verify)().await
    }
}
