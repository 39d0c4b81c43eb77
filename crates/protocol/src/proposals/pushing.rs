//! Pushing: the winner of a round becomes a proposal of Governance.

use super::{Leader, Proposals, ProposalsEvent, ProposalsRefusal, PushWindow, pinned, signalling};
use crate::{
    governance,
    messages::Role,
    questions,
    refusal::Refusal,
    scene::{Decision, Scene},
    units::Round,
};
use alloy::primitives::{Address, U256};

pub(super) fn push(scene: Scene<'_>, proposals: &Proposals, round: U256) -> Decision {
    let instance = signalling::canonical(scene, proposals)?;
    let present = signalling::present_round(scene, proposals, instance)?;
    let owner = governance_of(scene, proposals)?;
    // No round is above the greatest number.
    let known = Round::try_from(round).unwrap_or(Round::MAX);
    if known.to_word() != round {
        let current_round = present.to_word();
        return Err(ProposalsRefusal::RoundNotOver { round, current_round }.into());
    }
    let payload = winner(scene, proposals, instance, known, present, owner)?.payload;

    scene.word(owner, questions::PROPOSAL_COUNT)?;
    if scene.world.role_of(owner) != Some(Role::Governance) {
        return Err(Refusal::OutsideTheSet(owner));
    }
    let mut logs = vec![scene.log(ProposalsEvent::ProposalPushed { payload, round: known })];
    logs.extend(governance::propose(scene.calling(owner), payload)?);
    Ok(logs)
}

/// The leader of `round`, if it can be pushed when `present` is the present round.
pub(crate) fn winner(
    scene: Scene<'_>,
    proposals: &Proposals,
    instance: Address,
    round: Round,
    present: Round,
    owner: Address,
) -> Result<Leader, Refusal> {
    let (number, current_round) = (round.to_word(), present.to_word());
    match proposals.rules.push_window(round, present) {
        PushWindow::NotOver => {
            return Err(ProposalsRefusal::RoundNotOver { round: number, current_round }.into());
        }
        PushWindow::Expired => {
            return Err(ProposalsRefusal::RoundExpired { round: number, current_round }.into());
        }
        PushWindow::Open => {}
    }
    let tally =
        proposals.round(instance, round).ok_or(ProposalsRefusal::NoLeader { round: number })?;
    if let Some(id) = tally.pushed {
        let proposal_id = id.to_word();
        return Err(ProposalsRefusal::AlreadyPushed { round: number, proposal_id }.into());
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
    if pin != Some(pinned(scene.code(payload).hash)) {
        return Err(ProposalsRefusal::CodeChanged { payload }.into());
    }
    if let Some(id) = proposals.latest_proposal_of(payload, owner)
        && let Some(state) = scene.world.governance.state_of(id, scene.now())
        && state.is_live()
    {
        return Err(ProposalsRefusal::ProposalLive { payload, proposal_id: id.to_word() }.into());
    }
    Ok(leader)
}

/// The Registry's owner.
pub(super) fn governance_of(scene: Scene<'_>, proposals: &Proposals) -> Result<Address, Refusal> {
    scene.address_word(proposals.registry, questions::GOVERNANCE).map_err(|_| Refusal::Empty)
}
