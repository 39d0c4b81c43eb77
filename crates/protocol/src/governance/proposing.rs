//! Creating proposals, and governing Governance.

use super::{
    Configuration, ConfigurationId, GovernanceEvent, GovernanceRefusal, RawConfiguration, locking,
    next_number,
};
use crate::{
    messages::Log,
    outside::{Action, MAX_ACTIONS_LENGTH, UnusableList, actions_hash, decode_actions},
    questions,
    refusal::{CommonRefusal, Refusal},
    scene::{Decision, Scene},
    units::ProposalId,
};
use alloy_primitives::{Address, U256};

/// `payload` becomes a proposal. Only the Proposals contract.
pub(crate) fn propose(scene: Scene<'_>, payload: Address) -> Decision {
    let governance_proposer = scene.world.governance.governance_proposer;
    let caller = scene.caller;
    if caller != governance_proposer {
        return Err(GovernanceRefusal::NotGovernanceProposer { caller, governance_proposer }.into());
    }
    freeze(scene, payload, caller)
}

pub(super) fn propose_with_lock(scene: Scene<'_>, payload: Address, to: Address) -> Decision {
    if to.is_zero() {
        return Err(CommonRefusal::ZeroAddress.into());
    }
    let governance = &scene.world.governance;
    let amount = governance.configuration().propose_config.lock_amount;
    let delay = governance.lock_delay(scene.now());
    let mut logs = locking::withdraw(scene, to, amount.to_word(), delay)?;
    logs.extend(freeze(scene, payload, scene.this)?);
    Ok(logs)
}

/// What `payload` lists now is what will be executed.
fn freeze(scene: Scene<'_>, payload: Address, proposer: Address) -> Result<Vec<Log>, Refusal> {
    let governance = &scene.world.governance;
    scene.require_code(payload)?;
    let actions = read_actions(scene, payload)?;
    let proposal_id = ProposalId::of(next_number(governance.proposals.len())?);
    governance.require_storable(scene.now())?;
    Ok(vec![
        scene.log(GovernanceEvent::Proposed { proposal_id, payload }),
        scene.log(GovernanceEvent::ProposalFrozen {
            proposal_id,
            proposer,
            configuration_id: governance.configuration_id(),
            actions_hash: actions_hash(&actions),
            actions,
        }),
    ])
}

/// The actions that `payload` lists: at least one, and no more than a transaction can carry.
pub(super) fn read_actions(
    scene: Scene<'_>,
    payload: Address,
) -> Result<Vec<Action>, GovernanceRefusal> {
    let answer = scene.ask(payload, questions::ACTIONS.as_slice());
    let list =
        answer.map_err(|_| UnusableList::Unreadable).and_then(|answer| decode_actions(&answer));
    list.map_err(|unusable| match unusable {
        UnusableList::Unreadable => GovernanceRefusal::UnreadableActions { payload },
        UnusableList::Empty => GovernanceRefusal::NoActions { payload },
        UnusableList::TooLong(length) => GovernanceRefusal::ActionsTooLong {
            payload,
            length: U256::from(length),
            max: U256::from(MAX_ACTIONS_LENGTH),
        },
    })
}

fn require_self(scene: Scene<'_>) -> Result<(), GovernanceRefusal> {
    if scene.caller == scene.this {
        Ok(())
    } else {
        Err(GovernanceRefusal::NotSelf { caller: scene.caller })
    }
}

pub(super) fn update_configuration(scene: Scene<'_>, configuration: &RawConfiguration) -> Decision {
    require_self(scene)?;
    let governance = &scene.world.governance;
    let old = governance.configuration();
    let configuration = Configuration::check_change(configuration, &old, governance.total_power())?;
    let floor = governance.exit_floor.after_replacing(&old, scene.now());
    governance.require_storable(floor.until)?;
    let next = U256::from(governance.configurations.len());
    let id = ConfigurationId::try_from(next)?;
    Ok(vec![
        scene.log(GovernanceEvent::ConfigurationUpdated { time: scene.now() }),
        scene.log(GovernanceEvent::ConfigurationSet { id, configuration: Box::new(configuration) }),
    ])
}

pub(super) fn update_governance_proposer(scene: Scene<'_>, proposals: Address) -> Decision {
    require_self(scene)?;
    Ok(vec![appoint(scene, scene.world.governance.governance_proposer, proposals)?])
}

/// The event that makes `proposals` the Proposals contract in the place of `present`, which is 0 at
/// construction.
pub(crate) fn appoint(
    scene: Scene<'_>,
    present: Address,
    proposals: Address,
) -> Result<Log, Refusal> {
    if proposals == scene.this || proposals == present {
        let governance_proposer = proposals;
        return Err(GovernanceRefusal::InvalidGovernanceProposer { governance_proposer }.into());
    }
    scene.require_code(proposals)?;
    let event = GovernanceEvent::GovernanceProposerUpdated { governance_proposer: proposals };
    Ok(scene.log(event))
}
