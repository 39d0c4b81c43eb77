//! The deployment of a whole set.

use super::{
    error::DeployError,
    further::ensure_factory,
    parameters::CheckedParameters,
    plan::SetPlan,
    record::{Begun, DeployRecord, Done, StepReceipt},
    step::Step,
    verify::Standing,
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
/// What the chain has already, at the address that the parameters give, is taken as done: the address
/// proves constructor and arguments.
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
    let head = client.head().await?;
    let given = record.parameters.rollup.genesis;
    let genesis = *record.genesis.get_or_insert_with(|| given.unwrap_or(head.timestamp));
    let plan = SetPlan::new(&record.parameters, record.deployer, genesis);
    check_addresses(&plan, record)?;
    if let Some((contract, refusal)) = plan.refusals(head.timestamp).into_iter().next() {
        return Err(DeployError::Constructor { contract, refusal });
    }
    verify_done(&client, &plan, record, &mut progress).await?;
    if record.next().is_some() {
        ensure_factory(sender, record.parameters.creation.factory, wait).await?;
    }
    while let Some(step) = record.next() {
        let at = client.head().await?.id();
        let done = if (Standing { plan: &plan, record, client: &client, at }).is_done(step).await? {
            Done { step, address: plan.address(step), receipt: None }
        } else {
            let begun = begin(sender, record, step).await?;
            if progress(record, Progress::Begun(begun)).is_break() {
                return Err(DeployError::Stopped { step });
            }
            send(sender, &plan, step, wait).await?
        };
        record.done.push(done);
        let at = client.head().await?.id();
        if let Err(error) =
            (Standing { plan: &plan, record, client: &client, at }).verify(step).await
        {
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
    let at = client.head().await?.id();
    Standing { plan: &plan, record, client: &client, at }.verify_handover().await?;
    Ok(DeployedSet {
        deployment: Deployment::at(&client, plan.registry.address(), at).await?,
        expect: plan.expect.address(),
        reward_distributor: plan.reward_distributor.address(),
    })
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

fn check_addresses(plan: &SetPlan, record: &DeployRecord) -> Result<(), DeployError> {
    let other = record.done.iter().find(|done| done.address != plan.address(done.step));
    other.map_or(Ok(()), |done| {
        let (step, expected) = (done.step, plan.address(done.step));
        Err(DeployError::OtherAddress { step, expected, record: done.address })
    })
}

async fn verify_done(
    client: &Client,
    plan: &SetPlan,
    record: &DeployRecord,
    progress: &mut impl FnMut(&DeployRecord, Progress) -> ControlFlow<()>,
) -> Result<(), DeployError> {
    let at = client.head().await?.id();
    for done in &record.done {
        Standing { plan, record, client, at }.verify(done.step).await?;
        if progress(record, Progress::Verified(*done)).is_break() {
            return Err(DeployError::Stopped { step: done.step });
        }
    }
    Ok(())
}

async fn begin(
    sender: &mut Sender,
    record: &mut DeployRecord,
    step: Step,
) -> Result<Begun, DeployError> {
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
    plan: &SetPlan,
    step: Step,
    wait: &mut impl Wait,
) -> Result<Done, DeployError> {
    let in_step = |source| DeployError::Step { step, source };
    let next = sender.client().next_block().await.map_err(in_step)?;
    if let Some(creation) = plan.creation(step) {
        sender.simulate(&creation.direct(), next).await.map_err(in_step)?;
    }
    let pending = sender.submit(plan.call(step), Checks::Full, next).await.map_err(in_step)?;
    let confirmed = sender.client().await_receipt(&pending, wait).await.map_err(in_step)?;
    let receipt = Some(StepReceipt::of(&confirmed));
    Ok(Done { step, address: plan.address(step), receipt })
}
