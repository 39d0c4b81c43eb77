//! A chain with accounts, and a set on it.

use alloy_eips::BlockId;
use alloy_network::TransactionBuilder;
use alloy_primitives::{Address, U256};
use alloy_provider::{Provider, ProviderBuilder};
use alloy_rpc_client::RpcClient;
use alloy_rpc_types_eth::TransactionRequest;
use alloy_signer_local::PrivateKeySigner;
use alloy_sol_types::SolCall;
use canon_chain::{
    Client, Confirmed, ContractCall, NoWait, Result, Sender,
    deploy::{
        CheckedParameters, ContractPlan, Create2Origin, DeployError, DeployProgress, DeployRecord,
        DeployedSet, RollupSettings, SetParameters, Upgrade, check_creation, deploy, plan_rollup,
        plan_upgrade_payload,
    },
};
use canon_devchain::{Devchain, DevchainConfig, Mining};
use canon_faults::Faults;
use canon_protocol::{Create2, Seconds};
use canon_views::{Present, Question, SetAddresses};
use core::ops::ControlFlow;
use tower::Layer;

/// A chain that mines at once, with the accounts that have ether.
pub(crate) struct TestChain {
    pub(crate) devchain: Devchain,
    pub(crate) client: Client,
    pub(crate) accounts: Vec<PrivateKeySigner>,
}

pub(crate) async fn chain() -> TestChain {
    let devchain = Devchain::new(DevchainConfig::default());
    let provider = ProviderBuilder::default().connect_client(devchain.client());
    let client = Client::connect(provider).await.unwrap();
    let accounts = devchain.dev_accounts();
    TestChain { devchain, client, accounts }
}

/// A chain that mines only on request.
pub(crate) async fn manual() -> TestChain {
    let chain = chain().await;
    chain.devchain.set_mining(Mining::Manual);
    chain
}

/// A chain with a set with the tests' parameters. Account 0 deployed it and holds the supply.
pub(crate) async fn deployed() -> (TestChain, DeployedSet) {
    let chain = chain().await;
    let mut record = chain.record();
    let set = chain.go_on(&mut record, |_, _| ControlFlow::Continue(())).await.unwrap();
    (chain, set)
}

pub(crate) fn parameters() -> CheckedParameters {
    SetParameters::tests().check().unwrap()
}

impl TestChain {
    pub(crate) fn sender(&self, account: usize) -> Sender {
        Sender::new(self.client.clone(), self.accounts[account].clone())
    }

    pub(crate) async fn send(&self, account: usize, call: ContractCall) -> Result<Confirmed> {
        self.sender(account).send(call, &mut NoWait).await
    }

    /// Sends a call from an account without a key.
    pub(crate) async fn send_as<C: SolCall>(&self, from: Address, to: Address, call: &C) {
        self.devchain.impersonate(from);
        self.devchain.set_balance(from, U256::from(10).pow(U256::from(18)));
        let call = TransactionRequest::default()
            .with_from(from)
            .with_to(to)
            .with_gas_limit(500_000)
            .with_input(call.abi_encode());
        let sent = self.client.provider().send_transaction(call).await.unwrap();
        assert!(sent.get_receipt().await.unwrap().status());
    }

    /// Deploys another set as account 1. Account 0 would get the same Registry again.
    pub(crate) async fn deploy_another(&self) -> (DeployedSet, DeployRecord) {
        let mut parameters = SetParameters::tests();
        parameters.asset.name = "Another".into();
        let deployer = self.accounts[1].address();
        let mut record = DeployRecord { parameters, deployer, ..self.record() };
        let checked = record.parameters.clone().check().unwrap();
        let (mut sender, mut wait) = (self.sender(1), NoWait);
        let go_on = |_: &DeployRecord, _| ControlFlow::Continue(());
        let set = deploy(&mut sender, &checked, &mut record, &mut wait, go_on).await.unwrap();
        (set, record)
    }

    pub(crate) fn record(&self) -> DeployRecord {
        let deployer = self.accounts[0].address();
        DeployRecord::new(self.client.chain_id(), deployer, SetParameters::tests())
    }

    /// Continues a deployment in a new process, which knows only the record and the chain.
    pub(crate) async fn go_on(
        &self,
        record: &mut DeployRecord,
        progress: impl FnMut(&DeployRecord, DeployProgress) -> ControlFlow<()>,
    ) -> Result<DeployedSet, DeployError> {
        let parameters = record.parameters.clone().check().unwrap();
        deploy(&mut self.sender(0), &parameters, record, &mut NoWait, progress).await
    }
}

/// The block time that the tests' views expect.
pub(crate) const BLOCK_TIME: Seconds = Seconds::of(12);

/// The set at the newest block.
pub(crate) async fn newest_view(
    client: &Client,
    registry: Address,
    question: &Question,
) -> Result<Present> {
    client.view(registry, question, BlockId::latest(), BLOCK_TIME).await
}

/// A client of a chain, through an endpoint with faults.
pub(crate) async fn client_by(faults: &Faults, chain: &Devchain) -> Client {
    let rpc = RpcClient::new(faults.layer(chain.transport()), true);
    Client::connect(ProviderBuilder::default().connect_client(rpc)).await.unwrap()
}

/// Creates a contract, after the checks of the commands that create contracts.
pub(crate) async fn create(sender: &mut Sender, plan: &ContractPlan) -> Result<(), DeployError> {
    check_creation(sender.client(), sender.address(), plan).await?;
    sender.send(plan.call(), &mut NoWait).await?;
    Ok(())
}

/// Deploys a further rollup of a set. Without a genesis, its slot 0 is at the time of the newest block.
pub(crate) async fn deploy_rollup(
    sender: &mut Sender,
    origin: Create2Origin,
    set: &SetAddresses,
    distributor: Address,
    parameters: &RollupSettings,
) -> Result<Create2, DeployError> {
    let now = sender.client().head().await?.timestamp;
    let genesis = parameters.genesis.unwrap_or(now);
    let plan = plan_rollup(origin, set, distributor, parameters, genesis);
    create(sender, &plan).await?;
    Ok(plan.create2())
}

/// Deploys the payload that makes a rollup canonical.
pub(crate) async fn deploy_upgrade_payload(
    sender: &mut Sender,
    origin: Create2Origin,
    set: &SetAddresses,
    upgrade: &Upgrade,
) -> Result<Address, DeployError> {
    let plan = plan_upgrade_payload(origin, set.registry, upgrade);
    create(sender, &plan).await?;
    Ok(plan.address())
}
