//! Executing an accepted proposal, with all of its actions or none.

use super::{
    Ending, Governance, GovernanceEvent, GovernanceRefusal, Proposal, ProposalState,
    proposing::read_actions,
};
use crate::{
    call_frame::{CallFrame, Decision},
    external::{Action, actions_hash},
    overlay::Overlay,
    refusal::Refusal,
    units::ProposalId,
};
use alloy_primitives::U256;

pub(super) fn execute(frame: CallFrame<'_>, governance: &Governance, id: U256) -> Decision {
    let (proposal_id, proposal) = executable(frame, governance, id)?;
    let actions = read_actions(frame, proposal.payload)?;
    carry_out(frame, proposal_id, proposal, &actions)
}

pub(super) fn execute_with(
    frame: CallFrame<'_>,
    governance: &Governance,
    id: U256,
    actions: &[Action],
) -> Decision {
    let (proposal_id, proposal) = executable(frame, governance, id)?;
    carry_out(frame, proposal_id, proposal, actions)
}

fn executable<'a>(
    frame: CallFrame<'_>,
    governance: &'a Governance,
    id: U256,
) -> Result<(ProposalId, &'a Proposal), GovernanceRefusal> {
    let (proposal_id, proposal) = governance.proposal(id)?;
    match governance.state(proposal, frame.now()) {
        ProposalState::Executable => Ok((proposal_id, proposal)),
        state => Err(GovernanceRefusal::NotExecutable { id, state }),
    }
}

/// Executes a proposal with `actions`. It is marked as executed before the first action, so no action can
/// execute it again.
fn carry_out(
    frame: CallFrame<'_>,
    proposal_id: ProposalId,
    proposal: &Proposal,
    actions: &[Action],
) -> Decision {
    let (expected, found) = (proposal.actions_hash, actions_hash(actions));
    if found != expected {
        let id = proposal_id.to_word();
        return Err(GovernanceRefusal::ActionsChanged { id, expected, found }.into());
    }
    let mut overlay = Overlay::new(frame);
    overlay.apply(vec![frame.log(GovernanceEvent::ProposalExecuted { proposal_id })]);
    take_actions(&mut overlay, actions)?;
    Ok(overlay.into_logs())
}

/// Executes `actions` in order, with Governance as the caller.
pub(crate) fn take_actions(overlay: &mut Overlay<'_>, actions: &[Action]) -> Result<(), Refusal> {
    for (index, Action { target, data }) in actions.iter().enumerate() {
        let (index, target) = (U256::from(index), *target);
        let frame = overlay.frame();
        if target == frame.set.addresses().asset {
            return Err(GovernanceRefusal::ActionOnAsset { index }.into());
        }
        if !frame.has_code(target) {
            return Err(GovernanceRefusal::ActionWithoutCode { index, target }.into());
        }
        let this = frame.this;
        overlay.call(this, target, data).map_err(|refusal| match refusal {
            Refusal::OutsideTheSet(_) => refusal,
            known => {
                let reason = known.abi_encode();
                GovernanceRefusal::ActionFailed { index, target, reason }.into()
            }
        })?;
    }
    Ok(())
}

pub(super) fn drop_proposal(frame: CallFrame<'_>, governance: &Governance, id: U256) -> Decision {
    let (proposal_id, proposal) = governance.proposal(id)?;
    if proposal.ending == Ending::Dropped {
        return Err(GovernanceRefusal::AlreadyDropped { id }.into());
    }
    match governance.state(proposal, frame.now()) {
        ProposalState::Dropped => {
            Ok(vec![frame.log(GovernanceEvent::ProposalDropped { proposal_id })])
        }
        state => Err(GovernanceRefusal::NotDropped { id, state }.into()),
    }
}
