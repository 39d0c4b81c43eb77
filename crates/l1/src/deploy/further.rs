//! What is deployed after the set: further rollups, and payloads that make them canonical.

use super::{
    error::DeployError,
    parameters::{RollupParameters, RollupWiring},
    record::StepReceipt,
    verify::Verifier,
};
use crate::{Call, Deployment, Sender, Wait, error::Error};
use alloy::primitives::Address;
use canon_bindings::{Contract, Rollup, UpgradePayload};

/// A contract that was created and verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Created {
    /// Where it is.
    pub address: Address,
    /// Its creation.
    pub receipt: StepReceipt,
}

/// Deploys a further rollup of a set, owned by Governance. It becomes canonical by a proposal.
///
/// # Errors
///
/// If its parameters would be refused, its creation fails, or it isn't as it should be.
pub async fn deploy_rollup(
    sender: &mut Sender,
    set: &Deployment,
    reward_distributor: Address,
    parameters: &RollupParameters,
    wait: &mut impl Wait,
) -> Result<Created, DeployError> {
    let client = sender.client().clone();
    let head = client.head().await?;
    let genesis = parameters.genesis.unwrap_or(head.timestamp);
    let wiring = RollupWiring {
        asset: set.asset,
        registry: set.registry,
        reward_distributor,
        owner: set.governance,
    };
    let expected = parameters.check(wiring, genesis).map_err(DeployError::Rollup)?;
    let arguments = Rollup::constructorCall { parameters: parameters.raw(wiring, genesis).into() };
    let call = Call::create(Contract::Rollup, &arguments);
    let created = create(sender, Contract::Rollup, call, wait).await?;
    let at = client.head().await?.id();
    let (contract, address) = (Contract::Rollup, created.address);
    Verifier { client: &client, at, contract, address }.rollup(&expected).await?;
    Ok(created)
}

/// Deploys the payload that makes `new_rollup` canonical if `expected_canonical` still is.
///
/// # Errors
///
/// If its creation fails (`new_rollup` has no code), or it isn't as it should be.
pub async fn deploy_upgrade_payload(
    sender: &mut Sender,
    set: &Deployment,
    expect: Address,
    new_rollup: Address,
    expected_canonical: Address,
    uri: &str,
    wait: &mut impl Wait,
) -> Result<Created, DeployError> {
    let client = sender.client().clone();
    let arguments = UpgradePayload::constructorCall {
        expect,
        registry: set.registry,
        newRollup: new_rollup,
        expectedCanonical: expected_canonical,
        uri: uri.to_owned(),
    };
    let call = Call::create(Contract::UpgradePayload, &arguments);
    let created = create(sender, Contract::UpgradePayload, call, wait).await?;
    let at = client.head().await?.id();
    let (contract, address) = (Contract::UpgradePayload, created.address);
    Verifier { client: &client, at, contract, address }.payload(&arguments).await?;
    Ok(created)
}

async fn create(
    sender: &mut Sender,
    contract: Contract,
    call: Call,
    wait: &mut impl Wait,
) -> Result<Created, DeployError> {
    let expected = sender.address().create(sender.next_nonce().await?);
    let confirmed = sender.send(call, wait).await?;
    match confirmed.created {
        Some(address) if address == expected => Ok(Created {
            address,
            receipt: StepReceipt {
                transaction: confirmed.hash,
                block: confirmed.block,
                gas_used: confirmed.gas_used,
            },
        }),
        _ => Err(Error::NoCode { what: contract.name(), address: expected }.into()),
    }
}
