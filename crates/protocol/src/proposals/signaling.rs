//! Signals: one per slot of the canonical rollup, by the slot's one proposer.

use super::{Proposals, ProposalsEvent, ProposalsRefusal};
use crate::{
    messages::Log,
    questions,
    refusal::Refusal,
    scene::{Decision, Scene},
    signature::Signal,
    units::Slot,
};
use alloy_primitives::{Address, U256};

pub(super) fn vote(scene: Scene<'_>, proposals: &Proposals, payload: Address) -> Decision {
    let (instance, slot) = free_slot(scene, proposals, payload)?;
    let proposer = proposer(scene, instance, slot)?;
    if scene.caller != proposer {
        return Err(ProposalsRefusal::NotProposer { caller: scene.caller, proposer }.into());
    }
    Ok(signal(scene, proposals, instance, slot, payload, proposer))
}

pub(super) fn vote_with_sig(
    scene: Scene<'_>,
    proposals: &Proposals,
    payload: Address,
    signature: &[u8],
) -> Decision {
    let (instance, slot) = free_slot(scene, proposals, payload)?;
    let proposer = proposer(scene, instance, slot)?;
    let message = Signal { payload, slot: slot.to_word(), instance };
    let digest = message.signing_hash(scene.world.addresses().chain_id, scene.this);
    if !scene.is_signed(proposer, digest, signature) {
        return Err(ProposalsRefusal::InvalidSignature { proposer }.into());
    }
    Ok(signal(scene, proposals, instance, slot, payload, proposer))
}

/// The canonical rollup and its present slot, if `payload` can be signaled for in it.
fn free_slot(
    scene: Scene<'_>,
    proposals: &Proposals,
    payload: Address,
) -> Result<(Address, Slot), Refusal> {
    scene.require_code(payload)?;
    let instance = canonical(scene, proposals)?;
    let answer = scene.word(instance, questions::CURRENT_SLOT)?;
    let slot = match Slot::try_from(answer) {
        Ok(slot) if slot.get() <= scene.now().get() => slot,
        _ => {
            let timestamp = scene.now().to_word();
            return Err(ProposalsRefusal::SlotInFuture { slot: answer, timestamp }.into());
        }
    };
    match proposals.newest_slot(instance) {
        Some(newest) if slot <= newest => {
            Err(ProposalsRefusal::SlotAlreadyUsed { slot: answer, newest_slot: newest.to_word() }
                .into())
        }
        _ => Ok((instance, slot)),
    }
}

/// Whose slot it is, asked of the rollup.
fn proposer(scene: Scene<'_>, instance: Address, slot: Slot) -> Result<Address, Refusal> {
    let proposer = scene.address_word(instance, questions::CURRENT_PROPOSER)?;
    if proposer.is_zero() {
        return Err(ProposalsRefusal::NoProposer { slot: slot.to_word() }.into());
    }
    Ok(proposer)
}

fn signal(
    scene: Scene<'_>,
    proposals: &Proposals,
    instance: Address,
    slot: Slot,
    payload: Address,
    voter: Address,
) -> Vec<Log> {
    let round = proposals.rules.round_of(slot);
    let count = proposals.yea_count(instance, round, payload) + 1;
    let mut logs = Vec::with_capacity(4);
    if count == 1 {
        let code_hash = scene.code(payload).hash;
        logs.push(scene.log(ProposalsEvent::PayloadSeen { payload, code_hash }));
    }
    logs.push(scene.log(ProposalsEvent::SlotUsed { slot }));
    logs.push(scene.log(ProposalsEvent::VoteCast { payload, round, voter }));
    if count == proposals.rules.n() {
        logs.push(scene.log(ProposalsEvent::QuorumReached { payload, round }));
    }
    logs
}

/// The canonical rollup, which has code.
pub(super) fn canonical(scene: Scene<'_>, proposals: &Proposals) -> Result<Address, Refusal> {
    let instance = scene.address_word(proposals.registry, questions::ROLLUP)?;
    scene.require_code(instance)?;
    Ok(instance)
}

/// The present slot: what the rollup says, unless it says less than it has said for a signal before.
/// A rollup that lies may say any number.
pub(super) fn present_slot(
    scene: Scene<'_>,
    proposals: &Proposals,
    instance: Address,
) -> Result<U256, Refusal> {
    let answer = scene.word(instance, questions::CURRENT_SLOT)?;
    let newest = proposals.newest_slot(instance).unwrap_or_default();
    Ok(answer.max(newest.to_word()))
}

/// The round of the present slot.
pub(super) fn present_round(
    scene: Scene<'_>,
    proposals: &Proposals,
    instance: Address,
) -> Result<U256, Refusal> {
    Ok(present_slot(scene, proposals, instance)? / U256::from(proposals.rules.m()))
}
