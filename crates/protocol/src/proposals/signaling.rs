//! Signals: at most one per slot of the canonical rollup, by the proposer of the slot.

use super::{Proposals, ProposalsEvent, ProposalsRefusal};
use crate::{
    call_frame::{CallFrame, Decision},
    messages::Log,
    questions,
    refusal::Refusal,
    signature::Signal,
    units::Slot,
};
use alloy_primitives::{Address, U256};

pub(super) fn vote(frame: CallFrame<'_>, proposals: &Proposals, payload: Address) -> Decision {
    let (instance, slot) = free_slot(frame, proposals, payload)?;
    let proposer = proposer(frame, instance, slot)?;
    if frame.caller != proposer {
        return Err(ProposalsRefusal::NotProposer { caller: frame.caller, proposer }.into());
    }
    Ok(signal(frame, proposals, instance, slot, payload, proposer))
}

pub(super) fn vote_with_sig(
    frame: CallFrame<'_>,
    proposals: &Proposals,
    payload: Address,
    signature: &[u8],
) -> Decision {
    let (instance, slot) = free_slot(frame, proposals, payload)?;
    let proposer = proposer(frame, instance, slot)?;
    let message = Signal { payload, slot: slot.to_word(), instance };
    let digest = message.signing_hash(frame.set.addresses().chain_id, frame.this);
    if !frame.is_signed(proposer, digest, signature) {
        return Err(ProposalsRefusal::InvalidSignature { proposer }.into());
    }
    Ok(signal(frame, proposals, instance, slot, payload, proposer))
}

/// Returns the canonical rollup and its present slot if `payload` can be signaled for in it.
fn free_slot(
    frame: CallFrame<'_>,
    proposals: &Proposals,
    payload: Address,
) -> Result<(Address, Slot), Refusal> {
    frame.require_code(payload)?;
    let instance = canonical(frame, proposals)?;
    let answer = frame.word(instance, questions::CURRENT_SLOT)?;
    let slot = match Slot::try_from(answer) {
        Ok(slot) if slot.get() <= frame.now().get() => slot,
        _ => {
            let timestamp = frame.now().to_word();
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

/// Asks the rollup for the proposer of the present slot.
fn proposer(frame: CallFrame<'_>, instance: Address, slot: Slot) -> Result<Address, Refusal> {
    let proposer = frame.address_word(instance, questions::CURRENT_PROPOSER)?;
    if proposer.is_zero() {
        return Err(ProposalsRefusal::NoProposer { slot: slot.to_word() }.into());
    }
    Ok(proposer)
}

fn signal(
    frame: CallFrame<'_>,
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
        let code_hash = frame.code(payload).hash;
        logs.push(frame.log(ProposalsEvent::PayloadSeen { payload, code_hash }));
    }
    logs.push(frame.log(ProposalsEvent::SlotUsed { slot }));
    logs.push(frame.log(ProposalsEvent::VoteCast { payload, round, voter }));
    if count == proposals.rules.n() {
        logs.push(frame.log(ProposalsEvent::QuorumReached { payload, round }));
    }
    logs
}

/// Returns the canonical rollup, and refuses one without code.
pub(super) fn canonical(frame: CallFrame<'_>, proposals: &Proposals) -> Result<Address, Refusal> {
    let instance = frame.address_word(proposals.registry, questions::ROLLUP)?;
    frame.require_code(instance)?;
    Ok(instance)
}

/// The present slot: the one that the rollup reports, or that of an earlier signal if it is later. A
/// dishonest rollup may report any number.
pub(super) fn present_slot(
    frame: CallFrame<'_>,
    proposals: &Proposals,
    instance: Address,
) -> Result<U256, Refusal> {
    let answer = frame.word(instance, questions::CURRENT_SLOT)?;
    let newest = proposals.newest_slot(instance).unwrap_or_default();
    Ok(answer.max(newest.to_word()))
}

/// The round of the present slot.
pub(super) fn present_round(
    frame: CallFrame<'_>,
    proposals: &Proposals,
    instance: Address,
) -> Result<U256, Refusal> {
    Ok(present_slot(frame, proposals, instance)? / U256::from(proposals.rules.m()))
}
