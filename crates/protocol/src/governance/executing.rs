//! Carrying out what was accepted, all of it or nothing.

use super::{
    Ending, GovernanceEvent, GovernanceRefusal, Proposal, ProposalState, proposing::read_actions,
};
use crate::{
    outside::{Action, actions_hash},
    refusal::Refusal,
    scene::{Decision, Scene},
    stage::Stage,
    units::ProposalId,
};
use alloy_primitives::U256;

pub(super) fn execute(scene: Scene<'_>, id: U256) -> Decision {
    let (proposal_id, proposal) = executable(scene, id)?;
    let actions = read_actions(scene, proposal.payload)?;
    carry_out(scene, proposal_id, proposal, &actions)
}

pub(super) fn execute_with(scene: Scene<'_>, id: U256, actions: &[Action]) -> Decision {
    let (proposal_id, proposal) = executable(scene, id)?;
    carry_out(scene, proposal_id, proposal, actions)
}

fn executable<'a>(
    scene: Scene<'a>,
    id: U256,
) -> Result<(ProposalId, &'a Proposal), GovernanceRefusal> {
    let governance = &scene.world.governance;
    let (proposal_id, proposal) = governance.proposal(id)?;
    match governance.state(proposal, scene.now()) {
        ProposalState::Executable => Ok((proposal_id, proposal)),
        state => Err(GovernanceRefusal::NotExecutable { id, state }),
    }
}

/// Executed is true before any action is taken, so that no action can execute the proposal again.
fn carry_out(
    scene: Scene<'_>,
    proposal_id: ProposalId,
    proposal: &Proposal,
    actions: &[Action],
) -> Decision {
    let (expected, found) = (proposal.actions_hash, actions_hash(actions));
    if found != expected {
        let id = proposal_id.to_word();
        return Err(GovernanceRefusal::ActionsChanged { id, expected, found }.into());
    }
    let mut stage = Stage::new(scene);
    stage.apply(vec![scene.log(GovernanceEvent::ProposalExecuted { proposal_id })]);
    take_actions(&mut stage, actions)?;
    Ok(stage.into_logs())
}

/// Governance takes `actions` in turn.
pub(crate) fn take_actions(stage: &mut Stage<'_>, actions: &[Action]) -> Result<(), Refusal> {
    for (index, Action { target, data }) in actions.iter().enumerate() {
        let (index, target) = (U256::from(index), *target);
        let scene = stage.scene();
        if target == scene.world.addresses().asset {
            return Err(GovernanceRefusal::ActionOnAsset { index }.into());
        }
        if !scene.has_code(target) {
            return Err(GovernanceRefusal::ActionWithoutCode { index, target }.into());
        }
        let this = scene.this;
        stage.call(this, target, data).map_err(|refusal| match refusal {
            Refusal::OutsideTheSet(_) => refusal,
            known => {
                let reason = known.abi_encode();
                GovernanceRefusal::ActionFailed { index, target, reason }.into()
            }
        })?;
    }
    Ok(())
}

pub(super) fn drop_proposal(scene: Scene<'_>, id: U256) -> Decision {
    let governance = &scene.world.governance;
    let (proposal_id, proposal) = governance.proposal(id)?;
    if proposal.ending == Ending::Dropped {
        return Err(GovernanceRefusal::AlreadyDropped { id }.into());
    }
    match governance.state(proposal, scene.now()) {
        ProposalState::Dropped => {
            Ok(vec![scene.log(GovernanceEvent::ProposalDropped { proposal_id })])
        }
        state => Err(GovernanceRefusal::NotDropped { id, state }.into()),
    }
}
