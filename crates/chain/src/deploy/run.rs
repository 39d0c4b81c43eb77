//! The deployment of a whole set.

use super::{
    error::DeployError,
    parameters::CheckedParameters,
    plan::SetPlan,
    record::{BegunStep, DeployRecord, DoneStep, StepReceipt},
    step::Step,
    verify::{SetVerifier, SetWatch},
    versions::Versions,
};
use crate::{Checks, Client, Confirmed, Error, Inclusion, Sender, Wait, sender::SignedCall};
use alloy_primitives::Address;
use canon_protocol::Seconds;
use canon_views::{Question, SetAddresses};
use core::ops::ControlFlow;
use serde::{Deserialize, Serialize};

/// The progress of a deployment. Save the record at each call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeployProgress {
    /// The block of a step isn't on the chain any more. The step is done again unless another block has its
    /// transaction.
    Replaced(DoneStep),
    /// A step of an earlier run was verified again.
    Verified(DoneStep),
    /// The payment to the creator of the deployment proxy is recorded, and is about to be sent.
    Paying,
    /// The transaction of a step is recorded, and is about to be sent.
    Begun(Step),
    /// Somebody else did a step before this deployment's transaction was mined: anyone can create a contract of the
    /// set, and make a contract accept what is offered to it. The chain has the same as if this deployment had done
    /// it.
    Outrun {
        /// The step.
        step: Step,
        /// This deployment's transaction, which failed; `None` if it wasn't sent.
        failed: Option<Inclusion>,
    },
    /// A step was done and verified.
    Finished(DoneStep),
}

/// A set that was deployed and verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployedSet {
    /// The addresses that can also be found from the Registry.
    pub deployment: SetAddresses,
    /// The contract Expect, with the assertions for payloads. No contract refers to it, so it can't be
    /// found from the Registry.
    pub expect: Address,
    /// The first RewardDistributor.
    pub reward_distributor: Address,
}

/// Deploys and wires a set in the order of [`Step::ALL`], or continues where `record` ends.
///
/// A contract that already exists at the address that follows from the parameters counts as done, because
/// the address proves its constructor and arguments. A step counts as done only while the chain has its
/// transaction or its effect: after blocks were replaced, this waits for the transactions in flight, and sends
/// what was lost again.
///
/// `progress` is called at every step with the record to save. If it returns `Break` while a step isn't
/// done, the deployment stops and can be continued later. `wait` waits for blocks.
///
/// # Errors
///
/// [`DeployError`], at the first failure or unexpected state. Nothing is sent after it.
pub async fn deploy(
    sender: &mut Sender,
    parameters: &CheckedParameters,
    record: &mut DeployRecord,
    wait: &mut impl Wait,
    mut progress: impl FnMut(&DeployRecord, DeployProgress) -> ControlFlow<()>,
) -> Result<DeployedSet, DeployError> {
    loop {
        let outcome = pass(sender, parameters, record, wait, &mut progress).await;
        if let Err(DeployError::Stopped { .. }) = outcome {
            return outcome;
        }
        match (outcome, record.read_again(sender.client()).await) {
            // Blocks were replaced meanwhile, which also explains a contract that is missing.
            (_, Ok(found)) if found != *record => {}
            (Ok(_), Err(error)) => return Err(error.into()),
            (outcome, _) => return outcome,
        }
    }
}

/// Verifies the steps that are done and does the others, in blocks that stay.
async fn pass(
    sender: &mut Sender,
    parameters: &CheckedParameters,
    record: &mut DeployRecord,
    wait: &mut impl Wait,
    progress: &mut impl FnMut(&DeployRecord, DeployProgress) -> ControlFlow<()>,
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
    // Known before the receipts are read, so that blocks that are replaced later are noticed.
    sender.next_nonce().await?;
    keep_canonical(sender, record, wait, progress).await?;
    let mut watch = SetWatch::new(&plan, &client, record.newest_block());
    verify_done(&mut watch, record, wait, progress).await?;
    if record.next().is_some() {
        let origin = record.parameters.origin;
        origin.ensure_code(sender, record, wait, progress).await?;
    }
    while let Some(step) = record.next() {
        let done = complete(sender, &mut watch, record, step, wait, progress).await?;
        report(record, DeployProgress::Finished(done), progress)?;
    }
    let verifier = watch.verifier(wait).await?;
    verifier.verify_handover().await?;
    let (registry, at) = (plan.registry.address(), verifier.block());
    let view = client.view(registry, &Question::default(), at, Seconds::ZERO).await?;
    Ok(DeployedSet {
        deployment: view.addresses,
        expect: plan.expect.address(),
        reward_distributor: plan.reward_distributor.address(),
    })
}

/// Checks that a plan can be finished with the contracts that the chain has.
///
/// # Errors
///
/// [`DeployError::OtherSet`] if one was handed over to a contract of another set; [`DeployError::Unfinishable`] if the
/// Registry was handed over without the plan's rollup; otherwise if the chain can't be read.
pub async fn ensure_can_be_finished(client: &Client, plan: &SetPlan) -> Result<(), DeployError> {
    let verifier = SetVerifier::at_head(plan, client).await?;
    verifier.not_of_other_set().await?;
    verifier.not_without_rollup().await
}

/// Adds the steps of a plan whose effects the chain has to a record that lacks them, whoever sent their transactions.
///
/// # Errors
///
/// [`DeployError::Postcondition`] if a contract isn't in the state in which its step leaves it.
pub async fn find_done(
    client: &Client,
    plan: &SetPlan,
    record: &mut DeployRecord,
) -> Result<(), DeployError> {
    let verifier = SetVerifier::at_head(plan, client).await?;
    for step in Step::ALL {
        if !record.is_done(step) && verifier.is_done(step).await? {
            verifier.verify(step).await?;
            record.insert(DoneStep { step, address: plan.address(step), receipt: None });
        }
    }
    Ok(())
}

/// Checks that the record belongs to this chain, key and set.
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
    Ok(())
}

/// Checks that the completed steps have the addresses of the plan.
fn check_addresses(plan: &SetPlan, record: &DeployRecord) -> Result<(), DeployError> {
    let other = record.done.iter().find(|done| done.address != plan.address(done.step));
    other.map_or(Ok(()), |done| {
        let (step, expected) = (done.step, plan.address(done.step));
        Err(DeployError::OtherAddress { step, expected, record: done.address })
    })
}

/// Removes the steps whose transactions the chain doesn't have from the record.
async fn keep_canonical(
    sender: &mut Sender,
    record: &mut DeployRecord,
    wait: &mut impl Wait,
    progress: &mut impl FnMut(&DeployRecord, DeployProgress) -> ControlFlow<()>,
) -> Result<(), DeployError> {
    let mut found = record.read_again(sender.client()).await?;
    for replaced in record.done.iter().filter(|done| !found.done.contains(done)) {
        report(record, DeployProgress::Replaced(*replaced), progress)?;
    }
    if found.done.len() < record.done.len() {
        // The transactions of replaced blocks are usually in the pool again.
        sender.await_none_in_flight(wait).await?;
        found = record.read_again(sender.client()).await?;
    }
    *record = found;
    Ok(())
}

/// Verifies the completed steps again. Removes those without a transaction whose effect is gone.
async fn verify_done(
    watch: &mut SetWatch<'_>,
    record: &mut DeployRecord,
    wait: &mut impl Wait,
    progress: &mut impl FnMut(&DeployRecord, DeployProgress) -> ControlFlow<()>,
) -> Result<(), DeployError> {
    let verifier = watch.verifier(wait).await?;
    for done in record.done.clone() {
        if done.receipt.is_none() && !verifier.is_done(done.step).await? {
            record.remove(done.step);
            continue;
        }
        verifier.verify(done.step).await?;
        report(record, DeployProgress::Verified(done), progress)?;
    }
    Ok(())
}

/// Reports progress. Returns an error if the callback stops the deployment before the last step.
pub(super) fn report(
    record: &DeployRecord,
    reached: DeployProgress,
    progress: &mut impl FnMut(&DeployRecord, DeployProgress) -> ControlFlow<()>,
) -> Result<(), DeployError> {
    match (progress(record, reached), record.next()) {
        (ControlFlow::Break(()), Some(step)) => Err(DeployError::Stopped { step }),
        _ => Ok(()),
    }
}

/// Waits until the account's next transaction is that of the next step. An interrupted run may have sent it, and
/// the steps before it may be gone with their blocks: without them, the step could make a set that can't be
/// finished.
async fn await_turn(
    sender: &mut Sender,
    record: &DeployRecord,
    wait: &mut impl Wait,
) -> Result<(), Error> {
    let expected = sender.next_nonce().await?;
    sender.await_none_in_flight(wait).await?;
    let found = sender.next_nonce().await?;
    if found < expected && record.read_again(sender.client()).await? != *record {
        return Err(Error::UnexpectedNonce { expected, found });
    }
    Ok(())
}

/// Does a step, unless the chain already has its effect. Verifies and records it.
async fn complete(
    sender: &mut Sender,
    watch: &mut SetWatch<'_>,
    record: &mut DeployRecord,
    step: Step,
    wait: &mut impl Wait,
    progress: &mut impl FnMut(&DeployRecord, DeployProgress) -> ControlFlow<()>,
) -> Result<DoneStep, DeployError> {
    let client = watch.client;
    let begun = recorded(sender, watch.plan, record, step)?;
    let own = begun.clone();
    let confirmed = match attempt(sender, watch, record, step, begun, wait, progress).await {
        Err(DeployError::Step { source, .. })
            if is_refusal(&source) && watch.verifier(wait).await?.is_done(step).await? =>
        {
            let confirmed = match &own {
                // It may have been mined since its receipt was read.
                Some(own) => own.confirm(client).await.ok().flatten(),
                None => None,
            };
            if confirmed.is_none() {
                let failed = match source.mined_transaction() {
                    Some(transaction) => client.inclusion(transaction).await?,
                    None => None,
                };
                report(record, DeployProgress::Outrun { step, failed }, progress)?;
            }
            confirmed
        }
        confirmed => confirmed?,
    };
    let receipt = confirmed.as_ref().map(StepReceipt::of);
    if let Some(receipt) = receipt {
        watch.saw(receipt.block);
    }
    watch.verifier(wait).await?.verify(step).await?;
    let done = DoneStep { step, address: watch.plan.address(step), receipt };
    record.insert(done);
    record.begun = None;
    Ok(done)
}

/// Whether the chain refuses a transaction, or has refused it in a block.
const fn is_refusal(error: &Error) -> bool {
    error.mined_transaction().is_some() || error.as_revert().is_some()
}

/// Ensures that the chain has the effect of a step. Sends its transaction, unless a block has that of an earlier run,
/// or the effect of somebody else's; `None` if it is somebody else's.
///
/// The block with the transaction of an earlier run may arrive at any moment. So another one is signed only if a block
/// lacks the effect and that transaction can't be mined after it.
async fn attempt(
    sender: &mut Sender,
    watch: &mut SetWatch<'_>,
    record: &mut DeployRecord,
    step: Step,
    begun: Option<Versions>,
    wait: &mut impl Wait,
    progress: &mut impl FnMut(&DeployRecord, DeployProgress) -> ControlFlow<()>,
) -> Result<Option<Confirmed>, DeployError> {
    let failed = |source| DeployError::Step { step, source };
    let client = watch.client;
    let own = match &begun {
        Some(begun) => begun.confirm(client).await,
        None => await_turn(sender, record, wait).await.map(|()| None),
    };
    let refusal = match own {
        Ok(None) => None,
        // A transaction that failed is of no use, unless somebody else has done the step.
        Err(error) if error.mined_transaction().is_some() => Some(error),
        own => return own.map_err(failed),
    };
    let verifier = watch.verifier(wait).await?;
    let is_done = verifier.is_done(step).await?;
    let begun = match (begun, refusal) {
        (_, Some(refusal)) if is_done => return Err(failed(refusal)),
        (None, None) if is_done => return Ok(None),
        (None, None) | (_, Some(_)) => None,
        (Some(begun), None) => {
            let (at, nonce) = (verifier.block(), begun.nonce());
            if !is_done && sender.can_be_mined_after(at, nonce).await? {
                Some(begun)
            } else {
                let confirmed = begun.late_receipt(client, wait).await;
                match confirmed.map_err(failed)? {
                    None if !is_done => None,
                    confirmed => return Ok(confirmed),
                }
            }
        }
    };
    send(sender, watch, record, step, begun, wait, progress).await.map(Some)
}

/// Sends the transaction of a step, which an earlier run may have signed, and waits until it is mined.
async fn send(
    sender: &mut Sender,
    watch: &SetWatch<'_>,
    record: &mut DeployRecord,
    step: Step,
    begun: Option<Versions>,
    wait: &mut impl Wait,
    progress: &mut impl FnMut(&DeployRecord, DeployProgress) -> ControlFlow<()>,
) -> Result<Confirmed, DeployError> {
    let failed = |source| DeployError::Step { step, source };
    let versions = match begun {
        Some(begun) => begun,
        None => Versions::new(sign(sender, watch.plan, step).await.map_err(failed)?),
    };
    let begin = |versions: &Versions| {
        record.begun = Some(versions.record(step));
        report(record, DeployProgress::Begun(step), progress)
    };
    versions.deliver(sender, wait, begin, failed).await
}

/// The transactions of a step that an earlier run began, which may be in a block, in a pool or in neither.
fn recorded(
    sender: &Sender,
    plan: &SetPlan,
    record: &DeployRecord,
    step: Step,
) -> Result<Option<Versions>, DeployError> {
    let Some(begun) = record.begun.as_ref().filter(|begun| begun.step == step) else {
        return Ok(None);
    };
    let BegunStep { raw, replaced, .. } = begun;
    let versions = Versions::recorded(raw, replaced, sender.address(), &plan.call(step));
    versions.map(Some).ok_or(DeployError::OtherTransaction { step })
}

/// Checks and signs the transaction of a step.
async fn sign(sender: &mut Sender, plan: &SetPlan, step: Step) -> Result<SignedCall, Error> {
    let next = sender.client().next_block().await?;
    if let Some(contract) = plan.contract(step) {
        sender.simulate(&contract.direct_call(), next).await?;
    }
    sender.prepare(plan.call(step), Checks::Full, next).await
}
