//! The duty of a keeper. As soon as it is possible, it does what anyone may do: it pushes, executes, drops,
//! records seeds and pays out.

use super::{
    mover::{MovePhase, MoveTarget, announced_phase},
    sequencer::record_seed,
};
use crate::{
    intent::{IntendedAction, Intent},
    present::{KnownStake, Present, RollupView, SetView},
};
use alloy_primitives::Address;
use canon_protocol::{Ending, Member, ProposalState, StakeExit, StakeMove, WithdrawalId};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::Arc};

/// Whether a keeper also pays out amounts that are due to others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayOut {
    /// It pays nothing out.
    #[default]
    No,
    /// It pays withdrawals and exits and finalizes moves: all of them if the history is known, otherwise
    /// those that the view was asked for.
    Everything,
}

/// The intents of a keeper in the next block: those with a deadline first, then the rest.
pub fn keeper(view: &SetView, pay_out: PayOut) -> Vec<Intent> {
    let present = &view.present;
    let mut intents = pushes(present);
    intents.extend(endings(view));
    intents.extend(seeds(present));
    if pay_out == PayOut::Everything {
        intents.extend(payments(view));
    }
    intents
}

/// The intents to push, one for each payload that won: of its oldest round, which expires first. The push
/// makes the payload's proposal live, which prevents a push of another of its rounds.
pub(crate) fn pushes(present: &Present) -> Vec<Intent> {
    let mut payloads = BTreeSet::new();
    let pushable = present.pushable_at(present.next).into_iter();
    let oldest = pushable.filter(|pushable| payloads.insert(pushable.winner.payload));
    let pushes = oldest.map(|pushable| {
        let action = IntendedAction::Push {
            proposals: present.addresses.proposals,
            rollup: present.addresses.rollup,
            round: pushable.round,
            payload: pushable.winner.payload,
            // A view doesn't have the actions of payloads.
            actions_hash: None,
        };
        Intent::new(present, action, pushable.until)
    });
    pushes.collect()
}

/// The intents to execute proposals, and to drop those whose drop isn't stored yet.
pub(crate) fn endings(view: &SetView) -> impl Iterator<Item = Intent> {
    let present = &view.present;
    present.governance.proposals.iter().filter_map(move |proposal| {
        let id = proposal.id;
        match proposal.state_at(present.next) {
            ProposalState::Executable => {
                let until = Some(proposal.deadlines().executable);
                let frozen_actions = view.frozen_actions(id).map(Arc::clone);
                let action = IntendedAction::Execute { id, frozen_actions };
                Some(Intent::new(present, action, until))
            }
            ProposalState::Dropped if proposal.ending == Ending::Open => {
                Some(Intent::new(present, IntendedAction::Drop { id }, None))
            }
            _ => None,
        }
    })
}

/// The intents to record seeds. An epoch without a call after its first slot leaves the next one without
/// proposers. Blocks of sequencers record the seed too, so a keeper waits for them until the middle of the
/// epoch, unless the present slot has no proposer.
fn seeds(present: &Present) -> impl Iterator<Item = Intent> {
    present.rollups.iter().filter_map(|(address, rollup)| {
        let is_due = rollup.proposer.is_none() || is_second_half(rollup);
        is_due.then(|| record_seed(present, *address, rollup)).flatten()
    })
}

/// Whether at least half of the epoch is over.
fn is_second_half(rollup: &RollupView) -> bool {
    let slots = rollup.clock.epoch_duration.get();
    let position = rollup.slot.map(|slot| rollup.clock.position_in_epoch(slot));
    position.is_some_and(|position| position >= slots.div_ceil(2))
}

/// The intents for all payments and moves that are due, whoever benefits.
pub(crate) fn payments(view: &SetView) -> impl Iterator<Item = Intent> {
    let present = &view.present;
    let payable = view.withdrawals().filter(move |one| one.view.is_payable(present.next));
    let withdrawals = payable.map(move |one| pay_withdrawal(present, one.id));
    let stakes = view.stakes().filter_map(move |stake| match stake.view.exit {
        Some(exit) => pay_exit(present, stake.rollup, stake.attester, exit),
        None => finalize_move(view, &stake),
    });
    withdrawals.chain(stakes)
}

/// The intent to finalize the move of a stake, if it is due.
fn finalize_move(view: &SetView, stake: &KnownStake) -> Option<Intent> {
    let (present, moving) = (&view.present, stake.view.moving?);
    let KnownStake { rollup, attester, registry, .. } = *stake;
    // Another Registry may name any rollup as canonical.
    if registry != Some(present.addresses.registry) {
        return None;
    }
    let StakeMove { new_rollup, ready_at } = moving;
    let target = match &view.history {
        Some(history) => history.rollup(new_rollup).map(|target| MoveTarget {
            status: target.member(attester).map(Member::status).unwrap_or_default(),
            minimum: target.parameters().minimum_stake,
        }),
        None => MoveTarget::of(present, new_rollup, attester),
    };
    let phase = announced_phase(present, stake.view.stake, moving, target);
    let action = IntendedAction::FinalizeMove { rollup, attester, new_attester: None, ready_at };
    (phase == MovePhase::Due).then(|| Intent::new(present, action, None))
}

pub(super) const fn pay_withdrawal(present: &Present, id: WithdrawalId) -> Intent {
    Intent::new(present, IntendedAction::PayWithdrawal { id }, None)
}

fn pay_exit(
    present: &Present,
    rollup: Address,
    attester: Address,
    exit: StakeExit,
) -> Option<Intent> {
    let exitable_at = exit.exitable_at;
    let action = IntendedAction::PayExit { rollup, attester, exitable_at };
    exit.is_payable(present.next).then(|| Intent::new(present, action, None))
}
