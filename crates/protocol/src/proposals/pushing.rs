//! Pushing: the winner of a round becomes a proposal of Governance.

use super::{
    LIFETIME_IN_ROUNDS, Leader, Proposals, ProposalsEvent, ProposalsRefusal, Pushed, pinned,
    signaling,
};
use crate::{
    call_frame::{CallFrame, Decision},
    governance, questions,
    refusal::Refusal,
    units::Round,
};
use alloy_primitives::{Address, U256};

pub(super) fn push(frame: CallFrame<'_>, proposals: &Proposals, round: U256) -> Decision {
    let instance = signaling::canonical(frame, proposals)?;
    let present = signaling::present_round(frame, proposals, instance)?;
    let owner = governance_of(frame, proposals)?;
    let (round, leader) = winner(frame, proposals, instance, round, present, owner)?;
    let payload = leader.payload;

    let mut logs = vec![frame.log(ProposalsEvent::ProposalPushed { payload, round })];
    logs.extend(governance::propose(frame.calling(owner), &frame.set.governance, payload)?);
    Ok(logs)
}

/// The leader of round `number`, if it can be pushed to `owner` in round `current_round`. A rollup
/// that lies may be in any round.
pub(super) fn winner(
    frame: CallFrame<'_>,
    proposals: &Proposals,
    instance: Address,
    number: U256,
    current_round: U256,
    owner: Address,
) -> Result<(Round, Leader), Refusal> {
    if number >= current_round {
        return Err(ProposalsRefusal::RoundNotOver { round: number, current_round }.into());
    }
    if current_round - number > U256::from(LIFETIME_IN_ROUNDS) {
        return Err(ProposalsRefusal::RoundExpired { round: number, current_round }.into());
    }
    let known = Round::try_from(number).ok();
    let (round, tally) = known
        .and_then(|round| Some((round, proposals.round(instance, round)?)))
        .ok_or(ProposalsRefusal::NoLeader { round: number })?;
    match tally.pushed {
        None => {}
        Some(Pushed::Proposal(id)) => {
            let proposal_id = id.to_word();
            return Err(ProposalsRefusal::AlreadyPushed { round: number, proposal_id }.into());
        }
        Some(Pushed::Elsewhere(governance)) => return Err(Refusal::OutsideTheSet(governance)),
    }
    let leader = tally.leader.ok_or(ProposalsRefusal::NoLeader { round: number })?;
    let payload = leader.payload;
    let needed = proposals.rules.n();
    if leader.count < needed {
        return Err(ProposalsRefusal::QuorumNotReached {
            leader: payload,
            count: U256::from(leader.count),
            needed: U256::from(needed),
        }
        .into());
    }
    let pin = tally.payloads.get(&payload).map(|pin| pin.code_hash);
    let (expected, found) = (pin.unwrap_or_default(), pinned(frame.code(payload).hash));
    if found != expected {
        return Err(ProposalsRefusal::CodeChanged { payload, expected, found }.into());
    }
    // Another contract that has the Registry may say anything of what was pushed to it.
    if owner != frame.set.addresses().governance {
        return Err(Refusal::OutsideTheSet(owner));
    }
    if let Some(id) = proposals.latest_proposal_of(payload)
        && let Some(state) = frame.set.governance.state_of(id, frame.now())
        && state.is_live()
    {
        return Err(ProposalsRefusal::ProposalLive { payload, proposal_id: id.to_word() }.into());
    }
    Ok((round, leader))
}

/// The Registry's owner.
pub(super) fn governance_of(
    frame: CallFrame<'_>,
    proposals: &Proposals,
) -> Result<Address, Refusal> {
    Ok(frame.address_word(proposals.registry, questions::GOVERNANCE)?)
}
