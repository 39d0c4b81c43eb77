//! A chain, its accounts, and a set on it.

use alloy::{providers::ProviderBuilder, signers::local::PrivateKeySigner};
use canon_devchain::{Devchain, DevchainConfig, Mining};
use canon_l1::{
    Call, Client, Confirmed, NoWait, Result, Sender,
    deploy::{
        CheckedParameters, DeployError, DeployRecord, DeployedSet, Progress, SetParameters, deploy,
    },
};
use core::ops::ControlFlow;

/// A chain that mines at once, and who has ether on it.
pub(crate) struct World {
    pub(crate) chain: Devchain,
    pub(crate) client: Client,
    pub(crate) accounts: Vec<PrivateKeySigner>,
}

pub(crate) async fn world() -> World {
    let chain = Devchain::new(DevchainConfig::default());
    let provider = ProviderBuilder::default().connect_client(chain.client());
    let client = Client::connect(provider).await.unwrap();
    let accounts = chain.dev_accounts();
    World { chain, client, accounts }
}

/// A chain that mines only when told.
pub(crate) async fn manual() -> World {
    let world = world().await;
    world.chain.set_mining(Mining::Manual);
    world
}

/// A chain with the set of the tests' parameters; account 0 deployed it and holds the supply.
pub(crate) async fn deployed() -> (World, DeployedSet) {
    let world = world().await;
    let mut record = world.record();
    let set = world.go_on(&mut record, |_, _| ControlFlow::Continue(())).await.unwrap();
    (world, set)
}

pub(crate) fn parameters() -> CheckedParameters {
    SetParameters::tests().check().unwrap()
}

impl World {
    pub(crate) fn sender(&self, account: usize) -> Sender {
        Sender::new(self.client.clone(), self.accounts[account].clone())
    }

    pub(crate) async fn send(&self, account: usize, call: Call) -> Result<Confirmed> {
        self.sender(account).send(call, &mut NoWait).await
    }

    pub(crate) fn record(&self) -> DeployRecord {
        let deployer = self.accounts[0].address();
        DeployRecord::new(self.client.chain_id(), deployer, SetParameters::tests())
    }

    /// A new process: nothing is known but the record and the chain.
    pub(crate) async fn go_on(
        &self,
        record: &mut DeployRecord,
        progress: impl FnMut(&DeployRecord, Progress) -> ControlFlow<()>,
    ) -> Result<DeployedSet, DeployError> {
        let parameters = record.parameters.clone().check().unwrap();
        deploy(&mut self.sender(0), &parameters, record, &mut NoWait, progress).await
    }
}
