//! Contracts that are deployed after the set: further rollups, and payloads that make them canonical.

use super::{
    error::DeployError,
    origin::Create2Origin,
    parameters::RollupSettings,
    plan::{ContractPlan, RollupWiring},
    record::StepReceipt,
    verify::ContractVerifier,
};
use crate::{Sender, Wait};
use alloy_eips::BlockId;
use alloy_primitives::Address;
use canon_abi::{Contract, Registry, UpgradePayload};
use canon_protocol::Create2;
use canon_views::SetAddresses;

/// A contract that was deployed and verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeployedContract {
    /// Its creation, which gives its address.
    pub create2: Create2,
    /// The receipt of its creation; `None` if the chain had it already.
    pub receipt: Option<StepReceipt>,
}

impl DeployedContract {
    /// Its address.
    pub fn address(&self) -> Address {
        self.create2.address()
    }
}

/// The parameters of an [`UpgradePayload`], besides those of the set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// The set's Expect.
    pub expect: Address,
    /// The creation of the rollup that becomes canonical.
    pub new_rollup: Create2,
    /// The rollup that it replaces.
    pub expected_canonical: Address,
    /// The address of the document that explains the upgrade.
    pub uri: String,
}

/// Creates a contract, unless the chain has it already.
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

/// Deploys a further rollup of a set, owned by Governance. It becomes canonical by a proposal.
///
/// # Errors
///
/// If its constructor would refuse its parameters, its creation fails, or it is owned by another
/// account than Governance.
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
    let SetAddresses { asset, registry, governance: owner, .. } = *set;
    let wiring = RollupWiring { asset, registry, reward_distributor, owner };
    let plan = wiring.plan(origin, parameters, genesis);
    let deployed = create(sender, &plan, wait).await?;
    let at = BlockId::from(client.head().await?.hash);
    ContractVerifier::of(&plan, &client, at).owned_by(owner).await?;
    Ok(deployed)
}

/// Deploys the payload that makes a rollup canonical, provided that the expected one still is.
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
    let plan = upgrade_payload(origin, set.registry, upgrade);
    let deployed = create(sender, &plan, wait).await?;
    let at = BlockId::from(client.head().await?.hash);
    // Its constructor reads the owner from the chain, so the address doesn't prove it.
    let owner = client.read(at, set.registry, Registry::getGovernanceCall {}).await?;
    ContractVerifier::of(&plan, &client, at).answers(UpgradePayload::OWNERCall {}, owner).await?;
    Ok(deployed)
}

fn upgrade_payload(origin: Create2Origin, registry: Address, upgrade: &Upgrade) -> ContractPlan {
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
