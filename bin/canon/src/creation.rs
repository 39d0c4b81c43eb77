//! The creation of a contract as the step of a command.

use alloy_primitives::Address;
use canon_chain::{
    Client,
    deploy::{ContractPlan, CreationState, check_creation},
};
use canon_protocol::Create2;
use canon_views::{IntendedAction, Intent, SetId};
use eyre::Report;
use serde::Serialize;
use serde_json::Value;

use crate::{
    chain::Chain,
    deployer::undeployed,
    exit::{Exit, Failure},
    send::{Conclusion, Planned, SendArgs, Step, send_and_conclude},
    signing::Opened,
};

/// A contract to create for a set.
pub(crate) struct Creation<'a> {
    pub(crate) set: SetId,
    pub(crate) plan: &'a ContractPlan,
    /// The description of the step. The first line is its title.
    pub(crate) words: Vec<String>,
}

impl Creation<'_> {
    /// Carries out a command that creates the contract, unless the chain has it already. `document` has the further
    /// keys of its JSON, and `verify` checks the contract and returns its description.
    ///
    /// # Errors
    ///
    /// If the contract can't be created, and those of [`send_and_conclude`] and `verify`.
    pub(crate) async fn carry_out(
        &self,
        (args, opened): (&SendArgs, Opened),
        chain: &Chain,
        command: &str,
        document: &impl Serialize,
        verify: impl AsyncFn() -> Result<String, Failure>,
    ) -> Result<Exit, Failure> {
        let document = serde_json::to_value(document)
            .map_err(|error| Failure::internal(Report::new(error), "please report this"))?;
        let plan = async |planned: Planned| {
            let step = self.step(chain.client(), planned.account).await?;
            Ok(step.into_iter().collect())
        };
        let created = Created { document, verify };
        send_and_conclude(args, opened, chain, command, &plan, &created).await
    }

    /// The step that creates the contract; none if the chain has it.
    async fn step(&self, client: &Client, account: Address) -> Result<Option<Step>, Failure> {
        let state = check_creation(client, account, self.plan).await;
        match state.map_err(|error| undeployed(error, "correct the parameters above"))? {
            CreationState::Exists => Ok(None),
            CreationState::Possible => {
                let Create2 { factory, salt, .. } = self.plan.create2();
                let (contract, init_code) = (self.plan.address(), self.plan.init_code().clone());
                let action = IntendedAction::Create { contract, factory, salt, init_code };
                let intent = Intent { set: self.set, action, until: None };
                Ok(Some(Step::new(intent, self.words.clone())))
            }
        }
    }
}

/// The result of the creation of a contract.
struct Created<F> {
    document: Value,
    verify: F,
}

impl<F: AsyncFn() -> Result<String, Failure>> Conclusion for Created<F> {
    fn document(&self) -> Option<&Value> {
        Some(&self.document)
    }

    async fn conclude(&self) -> Result<String, Failure> {
        (self.verify)().await
    }
}
