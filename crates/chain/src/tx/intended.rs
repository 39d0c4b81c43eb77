//! The transaction of an intent.

use crate::{call::ContractCall, calls};
use alloy_primitives::{Address, Signature, U256};
use canon_abi::{Governance, Revert};
use canon_views::{IntendedAction, Intent, PermitTerms};

/// The call that does what an intent asks for, with the events that prove it. `permit` is the
/// signature over the intent's [terms](PermitTerms), if it has some.
pub(crate) fn contract_call(intent: &Intent, permit: Option<&Signature>) -> ContractCall {
    let governance = intent.set.governance;
    match intent.action {
        IntendedAction::Signal { proposals, payload, .. } => calls::signal(proposals, payload),
        IntendedAction::ProposeBlock { rollup, block_hash, .. } => {
            calls::propose_block(rollup, block_hash)
        }
        IntendedAction::RecordSeed { rollup, .. } => calls::setup_epoch(rollup),
        IntendedAction::Push { proposals, round, .. } => calls::push(proposals, governance, round),
        IntendedAction::Execute { id } => calls::execute(governance, id),
        IntendedAction::Drop { id } => calls::drop_proposal(governance, id),
        IntendedAction::PayWithdrawal { id } => calls::finalise_withdrawal(governance, id),
        IntendedAction::PayExit { rollup, attester, .. } => {
            calls::finalise_unstake(rollup, attester)
        }
        IntendedAction::Approve { asset, amount, .. } => calls::approve(asset, governance, amount),
        IntendedAction::Lock { holder, amount, permit: None, .. } => {
            calls::lock(governance, holder, amount)
        }
        IntendedAction::Lock {
            holder, amount, permit: Some(PermitTerms { deadline, .. }), ..
        } => {
            let unsigned = Signature::new(U256::ZERO, U256::ZERO, false);
            let permit = permit.unwrap_or(&unsigned);
            calls::lock_with_permit(governance, holder, amount, deadline, permit)
        }
        IntendedAction::Vote { id, support, amount, .. } => {
            calls::vote(governance, id, amount, support)
        }
        IntendedAction::Withdraw { to, amount, .. } => calls::withdraw(governance, to, amount),
        IntendedAction::AnnounceMove { rollup, attester, to } => {
            calls::announce_move(rollup, attester, to)
        }
        IntendedAction::FinaliseMove { rollup, attester, new_attester: None, .. } => {
            calls::finalise_move(rollup, attester)
        }
        IntendedAction::FinaliseMove { rollup, attester, new_attester: Some(there), .. } => {
            calls::finalise_move_as(rollup, attester, there)
        }
    }
}

/// The call that executes a proposal with the actions that were published when it was made, if the
/// intent has them.
pub(crate) fn fallback_call(intent: &Intent) -> Option<ContractCall> {
    let IntendedAction::Execute { id } = intent.action else { return None };
    let actions = intent.fallback.clone()?;
    Some(calls::execute_with(intent.set.governance, id, actions))
}

/// Whose key has to sign, if it isn't anybody's.
pub(crate) const fn required_sender(action: &IntendedAction) -> Option<Address> {
    match action {
        IntendedAction::Approve { holder, .. }
        | IntendedAction::Lock { holder, .. }
        | IntendedAction::Vote { holder, .. }
        | IntendedAction::Withdraw { holder, .. } => Some(*holder),
        _ => None,
    }
}

/// Whether a transaction for `sent` does what `wanted` asks for. A permit is signed anew for every
/// block, and any does.
pub(crate) fn does_the_same(sent: &IntendedAction, wanted: &IntendedAction) -> bool {
    let without_permit = |action: &IntendedAction| {
        let mut action = *action;
        if let IntendedAction::Lock { permit, .. } = &mut action {
            *permit = None;
        }
        action
    };
    without_permit(sent) == without_permit(wanted)
}

/// Whether an execution was refused since the payload returns something else than what was voted on,
/// or nothing.
pub(crate) fn withholds(revert: &Revert) -> bool {
    revert.is::<Governance::Governance__ActionsChanged>()
        || revert.is::<Governance::Governance__UnreadableActions>()
        || revert.is::<Governance::Governance__NoActions>()
        || revert.is::<Governance::NoCode>()
}
