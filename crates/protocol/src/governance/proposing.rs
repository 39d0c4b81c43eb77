//! Creating proposals, and changing Governance's own configuration.

use super::{
    Configuration, ConfigurationId, Governance, GovernanceEvent, GovernanceRefusal,
    RawConfiguration, locking, next_number,
};
use crate::{
    call_frame::{CallFrame, Decision},
    external::{Action, UnusableList, actions_hash, decode_actions},
    messages::Log,
    questions,
    refusal::{CommonRefusal, Refusal},
    units::ProposalId,
};
use alloy_primitives::{Address, U256};

/// Decides `propose`: `payload` becomes a proposal. Only the Proposals contract.
pub(crate) fn propose(frame: CallFrame<'_>, governance: &Governance, payload: Address) -> Decision {
    let governance_proposer = governance.governance_proposer;
    let caller = frame.caller;
    if caller != governance_proposer {
        return Err(GovernanceRefusal::NotGovernanceProposer { caller, governance_proposer }.into());
    }
    freeze(frame, governance, payload, caller)
}

pub(super) fn propose_with_lock(
    frame: CallFrame<'_>,
    governance: &Governance,
    payload: Address,
    to: Address,
) -> Decision {
    if to.is_zero() {
        return Err(CommonRefusal::ZeroAddress.into());
    }
    let amount = governance.configuration().propose_config.lock_amount;
    let delay = governance.lock_delay(frame.now());
    let mut logs = locking::withdraw(frame, governance, to, amount.to_word(), delay)?;
    logs.extend(freeze(frame, governance, payload, frame.this)?);
    Ok(logs)
}

/// Freezes the actions that `payload` lists now. Exactly these are executed later.
fn freeze(
    frame: CallFrame<'_>,
    governance: &Governance,
    payload: Address,
    proposer: Address,
) -> Result<Vec<Log>, Refusal> {
    frame.require_code(payload)?;
    let actions = read_actions(frame, payload)?;
    let proposal_id = ProposalId::of(next_number(governance.proposals.len())?);
    governance.require_storable(frame.now())?;
    Ok(vec![
        frame.log(GovernanceEvent::Proposed { proposal_id, payload }),
        frame.log(GovernanceEvent::ProposalFrozen {
            proposal_id,
            proposer,
            configuration_id: governance.configuration_id(),
            actions_hash: actions_hash(&actions),
            actions,
        }),
    ])
}

/// Reads the actions that `payload` lists: at least one, and no more than fit into a transaction.
pub(super) fn read_actions(
    frame: CallFrame<'_>,
    payload: Address,
) -> Result<Vec<Action>, GovernanceRefusal> {
    let answer = frame.ask(payload, questions::ACTIONS.as_slice());
    let list =
        answer.map_err(|_| UnusableList::Unreadable).and_then(|answer| decode_actions(&answer));
    list.map_err(|unusable| GovernanceRefusal::of_list(payload, unusable))
}

fn require_self(frame: CallFrame<'_>) -> Result<(), GovernanceRefusal> {
    if frame.caller == frame.this {
        Ok(())
    } else {
        Err(GovernanceRefusal::NotSelf { caller: frame.caller })
    }
}

pub(super) fn update_configuration(
    frame: CallFrame<'_>,
    governance: &Governance,
    configuration: &RawConfiguration,
) -> Decision {
    require_self(frame)?;
    let old = governance.configuration();
    let configuration = Configuration::check_change(configuration, &old, governance.total_power())?;
    let floor = governance.exit_floor.after_replacing(&old, frame.now());
    governance.require_storable(floor.until)?;
    let next = U256::from(governance.configurations.len());
    let id = ConfigurationId::try_from(next)?;
    Ok(vec![
        frame.log(GovernanceEvent::ConfigurationUpdated { time: frame.now() }),
        frame.log(GovernanceEvent::ConfigurationSet { id, configuration: Box::new(configuration) }),
    ])
}

pub(super) fn update_governance_proposer(
    frame: CallFrame<'_>,
    governance: &Governance,
    proposals: Address,
) -> Decision {
    require_self(frame)?;
    Ok(vec![appoint(frame, governance.governance_proposer, proposals)?])
}

/// The event that makes `proposals` the Proposals contract in place of `present`, which is 0 at
/// construction.
pub(crate) fn appoint(
    frame: CallFrame<'_>,
    present: Address,
    proposals: Address,
) -> Result<Log, Refusal> {
    if proposals == frame.this || proposals == present {
        let governance_proposer = proposals;
        return Err(GovernanceRefusal::InvalidGovernanceProposer { governance_proposer }.into());
    }
    frame.require_code(proposals)?;
    let event = GovernanceEvent::GovernanceProposerUpdated { governance_proposer: proposals };
    Ok(frame.log(event))
}
