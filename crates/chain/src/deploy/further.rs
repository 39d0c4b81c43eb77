//! Contracts that are deployed after the set: further rollups, and payloads that make them canonical.

use super::{
    error::DeployError,
    origin::Create2Origin,
    parameters::RollupSettings,
    plan::{ContractPlan, RollupWiring},
    record::StepReceipt,
    verify::ContractVerifier,
};
use crate::{Client, Error, Sender, Wait};
use alloy_eips::BlockId;
use alloy_primitives::{Address, TxKind};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_sol_types::SolCall;
use canon_abi::{Contract, Expect, Registry, UpgradePayload};
use canon_protocol::{Action, Create2, Timestamp};
use canon_views::SetAddresses;

/// A contract that was deployed and verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeployedContract {
    /// The creation of the contract, from which its address follows.
    pub create2: Create2,
    /// The receipt of its creation; `None` if the chain already had the contract.
    pub receipt: Option<StepReceipt>,
}

impl DeployedContract {
    /// The address of the contract.
    pub fn address(&self) -> Address {
        self.create2.address()
    }
}

/// The parameters of an [`UpgradePayload`], in addition to those of the set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// The set's Expect.
    pub expect: Address,
    /// The creation of the rollup that becomes canonical.
    pub new_rollup: Create2,
    /// The rollup that it replaces.
    pub expected_canonical: Address,
    /// The URI of the document that explains the upgrade.
    pub uri: String,
}

impl Upgrade {
    /// The actions of the upgrade's payload for a set.
    pub fn actions(&self, set: &SetAddresses) -> Vec<Action> {
        let Self { expect, new_rollup, expected_canonical, .. } = self;
        let (registry, rollup) = (set.registry, new_rollup.address());
        let canonical = Expect::canonicalIsCall { registry, expected: *expected_canonical };
        let created = Expect::createdByCall {
            target: rollup,
            factory: new_rollup.factory,
            salt: new_rollup.salt,
            initCodeHash: new_rollup.init_code_hash,
        };
        let owned = Expect::ownerIsCall { target: rollup, expected: set.governance };
        let upgrade = Registry::upgradeCall { rollup };
        let action = |target, data: Vec<u8>| Action { target, data: data.into() };
        vec![
            action(*expect, canonical.abi_encode()),
            action(*expect, created.abi_encode()),
            action(*expect, owned.abi_encode()),
            action(registry, upgrade.abi_encode()),
        ]
    }
}

/// Simulates that Governance makes a rollup canonical now.
///
/// # Errors
///
/// [`DeployError::Action`] if the Registry refuses it; otherwise if the endpoint doesn't answer.
pub async fn rehearse_takeover(
    client: &Client,
    set: &SetAddresses,
    rollup: Address,
) -> Result<(), DeployError> {
    let data = Registry::upgradeCall { rollup }.abi_encode().into();
    rehearse_actions(client, set.governance, &[Action { target: set.registry, data }]).await
}

/// Simulates actions of Governance, each separately on the newest block. Actions that need the effect of an
/// earlier one fail.
///
/// # Errors
///
/// [`DeployError::Action`] for the first refused action; otherwise if the endpoint doesn't answer.
pub async fn rehearse_actions(
    client: &Client,
    governance: Address,
    actions: &[Action],
) -> Result<(), DeployError> {
    let next = client.next_block().await?;
    for (number, action) in (1..).zip(actions) {
        let request = TransactionRequest {
            from: Some(governance),
            to: Some(TxKind::Call(action.target)),
            input: action.data.clone().into(),
            ..TransactionRequest::default()
        };
        match client.simulate("the action", request, next).await {
            Ok(_) => {}
            Err(source @ Error::Refused { .. }) => {
                return Err(DeployError::Action { number, source });
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// The plan of a further rollup of a set, with its slot 0 at `genesis`.
pub fn plan_rollup(
    origin: Create2Origin,
    set: &SetAddresses,
    reward_distributor: Address,
    parameters: &RollupSettings,
    genesis: Timestamp,
) -> ContractPlan {
    let SetAddresses { asset, registry, governance: owner, .. } = *set;
    RollupWiring { asset, registry, reward_distributor, owner }.plan(origin, parameters, genesis)
}

/// Simulates the creation of a contract, and returns the gas limit for it; 0 if the chain already has the
/// contract.
///
/// # Errors
///
/// If its constructor would refuse its arguments.
pub async fn simulate_creation(sender: &Sender, plan: &ContractPlan) -> Result<u64, DeployError> {
    let client = sender.client();
    let head = client.head().await?;
    if client.code(head.hash.into(), plan.address()).await?.is_some() {
        return Ok(0);
    }
    if let Some(refusal) = plan.refusal_outside_of_set(head.timestamp) {
        return Err(DeployError::Constructor { contract: plan.contract(), refusal });
    }
    let next = client.next_block().await?;
    sender.simulate(&plan.direct_call(), next).await?;
    Ok(sender.gas_limit(&plan.call(), next).await?)
}

/// Creates a contract, unless the chain already has it.
///
/// # Errors
///
/// If its constructor would refuse its arguments, or the creation fails.
pub async fn create(
    sender: &mut Sender,
    plan: &ContractPlan,
    wait: &mut impl Wait,
) -> Result<DeployedContract, DeployError> {
    let client = sender.client().clone();
    let head = client.head().await?;
    let mut receipt = None;
    if client.code(head.hash.into(), plan.address()).await?.is_none() {
        if let Some(refusal) = plan.refusal_outside_of_set(head.timestamp) {
            return Err(DeployError::Constructor { contract: plan.contract(), refusal });
        }
        plan.origin().ensure_code(sender, wait).await?;
        sender.simulate(&plan.direct_call(), client.next_block().await?).await?;
        receipt = Some(StepReceipt::of(&sender.send(plan.call(), wait).await?));
    }
    let at = BlockId::from(client.head().await?.hash);
    ContractVerifier::of(plan, &client, at).exists().await?;
    Ok(DeployedContract { create2: plan.create2(), receipt })
}

/// Deploys a further rollup of a set, owned by Governance. Only a proposal can make it canonical.
///
/// # Errors
///
/// If its constructor would refuse its parameters, its creation fails, or its owner isn't Governance.
pub async fn deploy_rollup(
    sender: &mut Sender,
    origin: Create2Origin,
    set: &SetAddresses,
    reward_distributor: Address,
    parameters: &RollupSettings,
    wait: &mut impl Wait,
) -> Result<DeployedContract, DeployError> {
    let client = sender.client().clone();
    let genesis = match parameters.genesis {
        Some(genesis) => genesis,
        None => client.head().await?.timestamp,
    };
    let plan = plan_rollup(origin, set, reward_distributor, parameters, genesis);
    let deployed = create(sender, &plan, wait).await?;
    let at = BlockId::from(client.head().await?.hash);
    ContractVerifier::of(&plan, &client, at).owned_by(set.governance).await?;
    Ok(deployed)
}

/// Deploys the payload that makes a rollup canonical, if the expected rollup is still canonical.
///
/// # Errors
///
/// If its constructor refuses its arguments (no rollup is at the address), its creation fails, or it
/// was created under another Governance.
pub async fn deploy_upgrade_payload(
    sender: &mut Sender,
    origin: Create2Origin,
    set: &SetAddresses,
    upgrade: &Upgrade,
    wait: &mut impl Wait,
) -> Result<DeployedContract, DeployError> {
    let client = sender.client().clone();
    let plan = plan_upgrade_payload(origin, set.registry, upgrade);
    let deployed = create(sender, &plan, wait).await?;
    let at = BlockId::from(client.head().await?.hash);
    // Its constructor reads the owner from the chain, so the address doesn't prove it.
    let owner = client.read(at, set.registry, Registry::getGovernanceCall {}).await?;
    ContractVerifier::of(&plan, &client, at).answers(UpgradePayload::OWNERCall {}, owner).await?;
    Ok(deployed)
}

/// The plan of the payload of an upgrade.
pub fn plan_upgrade_payload(
    origin: Create2Origin,
    registry: Address,
    upgrade: &Upgrade,
) -> ContractPlan {
    let Upgrade { expect, new_rollup, expected_canonical, uri } = upgrade;
    let arguments = UpgradePayload::constructorCall {
        expect: *expect,
        registry,
        newRollup: new_rollup.address(),
        expectedCanonical: *expected_canonical,
        factory: new_rollup.factory,
        salt: new_rollup.salt,
        initCodeHash: new_rollup.init_code_hash,
        uri: uri.clone(),
    };
    let contract = Contract::UpgradePayload;
    ContractPlan::from_init_code(contract, origin, contract.init_code(&arguments))
}
