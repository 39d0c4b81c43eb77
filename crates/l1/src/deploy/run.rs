//! The deployment of a whole set.

use super::{
    error::DeployError,
    parameters::CheckedParameters,
    record::{Begun, DeployRecord, Done, StepReceipt},
    step::{Step, Wiring},
};
use crate::{Checks, Client, Deployment, Sender, Wait};
use alloy::primitives::Address;
use core::ops::ControlFlow;
use serde::{Deserialize, Serialize};

/// How far a deployment is. Save the record at each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// A step that an earlier run did was verified again.
    Verified(Done),
    /// The transaction of a step is about to be sent.
    Begun(Begun),
    /// A step was done and verified.
    Finished(Done),
}

/// A set that was deployed and verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployedSet {
    /// Its addresses, as they are also found from the Registry's.
    pub deployment: Deployment,
    /// The assertions for payloads: part of no contract, so not found from the Registry.
    pub expect: Address,
    /// The distributor, which the set starts with.
    pub reward_distributor: Address,
}

/// Deploys and wires a set in the order of [`Step::ALL`], or goes on where `record` ends.
///
/// `progress` is told every step with the record to be saved; if it breaks, the deployment stops
/// and can go on later. `wait` waits for blocks.
///
/// # Errors
///
/// [`DeployError`], at the first thing that isn't as it should be. Nothing is done after it.
pub async fn deploy(
    sender: &mut Sender,
    parameters: &CheckedParameters,
    record: &mut DeployRecord,
    wait: &mut impl Wait,
    mut progress: impl FnMut(&DeployRecord, Progress) -> ControlFlow<()>,
) -> Result<DeployedSet, DeployError> {
    check_record(sender, parameters, record)?;
    let client = sender.client().clone();
    // First what the record doesn't know: the rest is verified as it is after that.
    if let Some(done) = adopt(&client, parameters, record).await? {
        record.done.push(done);
        record.begun = None;
    }
    verify_done(&client, parameters, record, &mut progress).await?;
    while let Some(step) = record.next() {
        let begun = begin(sender, record, step).await?;
        if progress(record, Progress::Begun(begun)).is_break() {
            return Err(DeployError::Stopped { step });
        }
        let done = send(sender, parameters, record, begun, wait).await?;
        record.done.push(done);
        let at = client.head().await?.id();
        let verified = Wiring { record, parameters }.verify(&client, at, step).await;
        if let Err(error) = verified {
            // What isn't as it should be isn't done.
            record.done.pop();
            return Err(error);
        }
        record.begun = None;
        let told = progress(record, Progress::Finished(done));
        if let (true, Some(step)) = (told.is_break(), record.next()) {
            return Err(DeployError::Stopped { step });
        }
    }
    finish(&client, parameters, record).await
}

fn check_record(
    sender: &Sender,
    parameters: &CheckedParameters,
    record: &DeployRecord,
) -> Result<(), DeployError> {
    let chain = sender.client().chain_id();
    if record.chain_id != chain {
        return Err(DeployError::OtherChain { record: record.chain_id, chain });
    }
    if record.deployer != sender.address() {
        let (record, key) = (record.deployer, sender.address());
        return Err(DeployError::OtherDeployer { record, key });
    }
    if record.parameters != *parameters.raw() {
        return Err(DeployError::OtherParameters);
    }
    // A prefix of all steps: what a step needs was done before it.
    match Step::ALL.into_iter().zip(&record.done).find(|(step, done)| *step != done.step) {
        Some((step, _)) => Err(DeployError::Unordered { step }),
        None => Ok(()),
    }
}

async fn verify_done(
    client: &Client,
    parameters: &CheckedParameters,
    record: &DeployRecord,
    progress: &mut impl FnMut(&DeployRecord, Progress) -> ControlFlow<()>,
) -> Result<(), DeployError> {
    if record.done.is_empty() {
        return Ok(());
    }
    let at = client.head().await?.id();
    for done in &record.done {
        Wiring { record, parameters }.verify(client, at, done.step).await?;
        if progress(record, Progress::Verified(*done)).is_break() {
            return Err(DeployError::Stopped { step: done.step });
        }
    }
    Ok(())
}

/// A step that was begun by an earlier run may be on the chain although the record doesn't know:
/// then it is verified and taken over.
async fn adopt(
    client: &Client,
    parameters: &CheckedParameters,
    record: &DeployRecord,
) -> Result<Option<Done>, DeployError> {
    let Some(begun) = record.begun.filter(|begun| record.next() == Some(begun.step)) else {
        return Ok(None);
    };
    let step = begun.step;
    let at = client.head().await?.id();
    let address = Wiring { record, parameters }.address(step, begun.nonce)?;
    if step.creates().is_some() && client.code(at, address).await?.is_none() {
        return Ok(None);
    }
    let done = Done { step, address, receipt: None };
    let mut tried = record.clone();
    tried.done.push(done);
    match (Wiring { record: &tried, parameters }.verify(client, at, step).await, step.creates()) {
        (Ok(()), _) => Ok(Some(done)),
        // A call that isn't on the chain yet.
        (Err(DeployError::Postcondition { .. } | DeployError::Chain(_)), None) => Ok(None),
        (Err(error), _) => Err(error),
    }
}

async fn begin(
    sender: &mut Sender,
    record: &mut DeployRecord,
    step: Step,
) -> Result<Begun, DeployError> {
    if step == Step::Rollup && record.genesis.is_none() {
        let given = record.parameters.rollup.genesis;
        let head = sender.client().head().await?;
        record.genesis = Some(given.unwrap_or(head.timestamp));
    }
    if let Some(before) = record.begun.filter(|begun| begun.step == step) {
        // Its transaction may still be in a pool: only one of the same nonce can't double it.
        if sender.mined_nonce().await? <= before.nonce {
            sender.resume_at(before.nonce);
        }
    }
    let begun = Begun { step, nonce: sender.next_nonce().await? };
    record.begun = Some(begun);
    Ok(begun)
}

async fn send(
    sender: &mut Sender,
    parameters: &CheckedParameters,
    record: &DeployRecord,
    Begun { step, nonce }: Begun,
    wait: &mut impl Wait,
) -> Result<Done, DeployError> {
    let wiring = Wiring { record, parameters };
    let (call, address) = (wiring.call(step)?, wiring.address(step, nonce)?);
    let in_step = |source| DeployError::Step { step, source };
    let next = sender.client().next_block().await.map_err(in_step)?;
    let pending = sender.submit(call, Checks::Full, next).await.map_err(in_step)?;
    let confirmed = sender.client().await_receipt(&pending, wait).await.map_err(in_step)?;
    if step.creates().is_some() && confirmed.created != Some(address) {
        return Err(DeployError::Address { step, expected: address, found: confirmed.created });
    }
    let (transaction, block, gas_used) = (confirmed.hash, confirmed.block, confirmed.gas_used);
    Ok(Done { step, address, receipt: Some(StepReceipt { transaction, block, gas_used }) })
}

async fn finish(
    client: &Client,
    parameters: &CheckedParameters,
    record: &DeployRecord,
) -> Result<DeployedSet, DeployError> {
    let wiring = Wiring { record, parameters };
    let at = client.head().await?.id();
    wiring.verify_handover(client, at).await?;
    Ok(DeployedSet {
        deployment: Deployment::at(client, wiring.of(Step::Registry)?, at).await?,
        expect: wiring.of(Step::Expect)?,
        reward_distributor: wiring.of(Step::RewardDistributor)?,
    })
}
