//! Contracts that the authors create as users do: by an intent, after the checks of the commands that create contracts.

use canon_chain::{
    deploy::{ContractPlan, CreationState, DeployError, check_creation},
    tx::TxEvent,
};
use canon_views::{Intent, SetId};

use crate::{
    error::{During, Error, Result},
    participants::intent_sender,
    upgrade_run::UpgradeRun,
};

impl UpgradeRun<'_> {
    /// Creates a contract, unless the chain has it. Returns the gas used. `verify` checks the contract at the newest
    /// block.
    pub(crate) async fn create(
        &mut self,
        act: &'static str,
        plan: &ContractPlan,
        verify: impl AsyncFn(&Self) -> Result<(), DeployError>,
    ) -> Result<u64> {
        let undeployed = |error| Error::Deployment(Box::new(error));
        let authors = self.participants.authors.address();
        let state = check_creation(self.driver.client(), authors, plan).await;
        let gas = match state.map_err(undeployed)? {
            CreationState::Exists => 0,
            CreationState::Possible => self.send_creation(act, plan).await?,
        };
        verify(self).await.map_err(undeployed)?;
        self.driver.gas.record(act, gas);
        Ok(gas)
    }

    async fn send_creation(&mut self, act: &'static str, plan: &ContractPlan) -> Result<u64> {
        let client = self.driver.client().clone();
        let governance = self.set.addresses().governance;
        let set = SetId { chain_id: client.chain_id(), governance };
        let intent = Intent { set, action: plan.action(), until: None };
        let mut sender = intent_sender(&self.participants.authors)?;
        let mut reports = sender.settle(client.head().await.during(act)?).await;
        reports.extend(sender.pursue(&[intent], self.driver.next_time()).await);
        self.driver.mine()?;
        reports.extend(sender.settle(client.head().await.during(act)?).await);
        // The next nonce is another one now.
        self.participants.authors = sender.sender();
        for report in reports {
            match report.event {
                TxEvent::Confirmed(confirmed) => return Ok(confirmed.gas_used),
                TxEvent::Failed(error) => return Err(error).during(act),
                _ => {}
            }
        }
        Err(Error::NotIncluded { act, time: self.driver.now() })
    }
}
