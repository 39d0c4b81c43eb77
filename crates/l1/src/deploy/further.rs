//! What is deployed after the set: further rollups, and payloads that make them canonical.

use super::{
    create2::{Create2, Origin},
    error::DeployError,
    parameters::RollupParameters,
    plan::{Creation, RollupWiring},
    proxy::{DEPLOYMENT_PROXY, ensure_proxy},
    record::StepReceipt,
    verify::Verifier,
};
use crate::{Deployment, Sender, Wait};
use alloy::primitives::Address;
use canon_bindings::{Contract, Registry, UpgradePayload};

/// A contract that stands at the address of its origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Created {
    /// Its address.
    pub address: Address,
    /// What the address follows from.
    pub origin: Origin,
    /// Its creation; `None` if it was there already.
    pub receipt: Option<StepReceipt>,
}

/// What an [`UpgradePayload`] is made from, besides the set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// The set's Expect.
    pub expect: Address,
    /// The rollup that becomes canonical.
    pub new_rollup: Origin,
    /// The rollup that it replaces.
    pub expected_canonical: Address,
    /// Where the document that explains it is found.
    pub uri: String,
}

/// Creates a contract, unless it is there already.
///
/// # Errors
///
/// If its constructor would refuse its arguments, or the creation fails.
pub async fn create(
    sender: &mut Sender,
    creation: &Creation,
    wait: &mut impl Wait,
) -> Result<Created, DeployError> {
    let client = sender.client().clone();
    let head = client.head().await?;
    let (contract, address) = (creation.contract(), creation.address());
    let mut created = Created { address, origin: creation.origin(), receipt: None };
    if client.code(head.id(), address).await?.is_none() {
        if let Some(refusal) = creation.refusal_alone(head.timestamp) {
            return Err(DeployError::Constructor { contract, refusal });
        }
        ensure_factory(sender, created.origin.factory, wait).await?;
        sender.simulate(&creation.direct(), client.next_block().await?).await?;
        created.receipt = Some(StepReceipt::of(&sender.send(creation.call(), wait).await?));
    }
    let at = client.head().await?.id();
    Verifier::of(creation, &client, at).code().await?;
    Ok(created)
}

/// Makes sure that the factory is there. The deployment proxy is put there if the chain lacks it; any
/// other factory has to have code.
pub(crate) async fn ensure_factory(
    sender: &mut Sender,
    factory: Address,
    wait: &mut impl Wait,
) -> Result<(), DeployError> {
    if factory == DEPLOYMENT_PROXY {
        return ensure_proxy(sender, wait).await;
    }
    let client = sender.client();
    client.expect_code(client.head().await?.id(), "the factory", factory).await?;
    Ok(())
}

/// Deploys a further rollup of a set, owned by Governance. It becomes canonical by a proposal.
///
/// # Errors
///
/// If its parameters would be refused, its creation fails, or its ownership isn't as it should be.
pub async fn deploy_rollup(
    sender: &mut Sender,
    create2: Create2,
    set: &Deployment,
    reward_distributor: Address,
    parameters: &RollupParameters,
    wait: &mut impl Wait,
) -> Result<Created, DeployError> {
    let client = sender.client().clone();
    let genesis = match parameters.genesis {
        Some(genesis) => genesis,
        None => client.head().await?.timestamp,
    };
    let owner = set.governance;
    let (asset, registry) = (set.asset, set.registry);
    let wiring = RollupWiring { asset, registry, reward_distributor, owner };
    let creation = wiring.creation(create2, parameters, genesis);
    let created = create(sender, &creation, wait).await?;
    let at = client.head().await?.id();
    Verifier::of(&creation, &client, at).owned_by(owner).await?;
    Ok(created)
}

/// Deploys the payload that makes a rollup canonical if the expected one still is.
///
/// # Errors
///
/// If its constructor refuses (the rollup isn't there), its creation fails, or it was created under
/// another Governance.
pub async fn deploy_upgrade_payload(
    sender: &mut Sender,
    create2: Create2,
    set: &Deployment,
    upgrade: &Upgrade,
    wait: &mut impl Wait,
) -> Result<Created, DeployError> {
    let client = sender.client().clone();
    let creation = upgrade_payload(create2, set.registry, upgrade);
    let created = create(sender, &creation, wait).await?;
    let at = client.head().await?.id();
    // The one thing that its constructor took from the chain.
    let owner = client.read(at, set.registry, Registry::getGovernanceCall {}).await?;
    Verifier::of(&creation, &client, at).answers(UpgradePayload::OWNERCall {}, owner).await?;
    Ok(created)
}

fn upgrade_payload(create2: Create2, registry: Address, upgrade: &Upgrade) -> Creation {
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
    Creation::of_code(contract, create2, contract.init_code(&arguments))
}
