//! A chain, its accounts, and a set on it.

use alloy_network::TransactionBuilder;
use alloy_primitives::{Address, U256};
use alloy_provider::{Provider, ProviderBuilder};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_signer_local::PrivateKeySigner;
use alloy_sol_types::SolCall;
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

    /// Sends a call from an account without a key.
    pub(crate) async fn send_as<C: SolCall>(&self, from: Address, to: Address, call: &C) {
        self.chain.impersonate(from);
        self.chain.set_balance(from, U256::from(10).pow(U256::from(18)));
        let call = TransactionRequest::default()
            .with_from(from)
            .with_to(to)
            .with_gas_limit(500_000)
            .with_input(call.abi_encode());
        let sent = self.client.provider().send_transaction(call).await.unwrap();
        assert!(sent.get_receipt().await.unwrap().status());
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
