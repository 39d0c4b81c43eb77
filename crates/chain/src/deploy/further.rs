//! Contracts that are deployed after the set: further rollups, and payloads that make them canonical.

use super::{
    error::DeployError,
    origin::Create2Origin,
    parameters::RollupSettings,
    plan::{ContractPlan, RollupWiring},
    verify::ContractVerifier,
};
use crate::{Client, Error};
use alloy_eips::BlockId;
use alloy_primitives::{Address, TxKind};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_sol_types::SolCall;
use canon_abi::{Contract, Expect, Registry, UpgradePayload};
use canon_protocol::{Action, Create2, Timestamp};
use canon_views::SetAddresses;

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
pub async fn simulate_takeover(
    client: &Client,
    set: &SetAddresses,
    rollup: Address,
) -> Result<(), DeployError> {
    let data = Registry::upgradeCall { rollup }.abi_encode().into();
    simulate_actions(client, set.governance, &[Action { target: set.registry, data }]).await
}

/// Simulates actions of Governance, each separately on the newest block. Actions that need the effect of an
/// earlier one fail.
///
/// # Errors
///
/// [`DeployError::Action`] for the first refused action; otherwise if the endpoint doesn't answer.
pub async fn simulate_actions(
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

/// Whether the chain has a contract, or its creation can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreationState {
    /// The chain has the contract.
    Exists,
    /// The contract can be created now.
    Possible,
}

/// Checks whether a contract can be created. Its constructor is simulated without the factory, which hides the
/// reason of a refusal.
///
/// # Errors
///
/// If its constructor would refuse its arguments, or the factory has no code.
pub async fn check_creation(
    client: &Client,
    from: Address,
    plan: &ContractPlan,
) -> Result<CreationState, DeployError> {
    let head = client.head().await?;
    if client.code(head.hash.into(), plan.address()).await?.is_some() {
        return Ok(CreationState::Exists);
    }
    if let Some(refusal) = plan.refusal_outside_of_set(head.timestamp) {
        return Err(DeployError::Constructor { contract: plan.contract(), refusal });
    }
    plan.origin().expect_code(client).await?;
    let call = plan.direct_call();
    let request = TransactionRequest {
        from: Some(from),
        to: Some(call.to()),
        input: call.input().clone().into(),
        ..TransactionRequest::default()
    };
    client.simulate(call.what(), request, client.next_block().await?).await?;
    Ok(CreationState::Possible)
}

/// Verifies that a further rollup was created, and that `governance` owns it.
///
/// # Errors
///
/// If that isn't so after the block `at`, which should be no older than that of the creation.
pub async fn verify_rollup(
    client: &Client,
    plan: &ContractPlan,
    governance: Address,
    at: BlockId,
) -> Result<(), DeployError> {
    let rollup = ContractVerifier::of(plan, client, at);
    rollup.exists().await?;
    rollup.owned_by(governance).await
}

/// Verifies that the payload of an upgrade was created, under the present Governance. Its constructor reads that from
/// the chain, so the address doesn't prove it.
///
/// # Errors
///
/// If that isn't so after the block `at`, which should be no older than that of the creation.
pub async fn verify_upgrade_payload(
    client: &Client,
    plan: &ContractPlan,
    registry: Address,
    at: BlockId,
) -> Result<(), DeployError> {
    let payload = ContractVerifier::of(plan, client, at);
    payload.exists().await?;
    let owner = client.read(at, registry, Registry::getGovernanceCall {}).await?;
    payload.answers(UpgradePayload::OWNERCall {}, owner).await
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
