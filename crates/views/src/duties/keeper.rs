//! Does what anyone may do, as soon as it can be done: pushes, executes, drops, records seeds, pays out.

use super::sequencer::record_seed;
use crate::{
    intent::{IntendedAction, Intent},
    present::{Present, RollupView, SetView},
};
use alloy_primitives::Address;
use canon_protocol::{Ending, Member, ProposalState, SetState, StakeExit, StakeMove, WithdrawalId};
use serde::{Deserialize, Serialize};

/// Whether a keeper also pays out what others are due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayOut {
    /// It doesn't.
    #[default]
    No,
    /// It pays withdrawals and exits and finalizes moves: all of them if the history is known, otherwise
    /// those that the view was asked for.
    Everything,
}

/// What a keeper does in the next block: what has a deadline first, then the rest.
pub fn keeper(view: &SetView, pay_out: PayOut) -> Vec<Intent> {
    let present = &view.present;
    let mut intents = pushes(present);
    intents.extend(endings(view));
    intents.extend(seeds(present));
    if pay_out == PayOut::Everything {
        match &view.history {
            Some(history) => intents.extend(payments(present, history)),
            None => intents.extend(payments_asked_for(present)),
        }
    }
    intents
}

fn pushes(view: &Present) -> Vec<Intent> {
    let pushable = view.pushable_at(view.next).into_iter();
    let pushes = pushable.map(|pushable| {
        let action = IntendedAction::Push {
            proposals: view.addresses.proposals,
            rollup: view.addresses.rollup,
            round: pushable.round,
            payload: pushable.winner.payload,
        };
        Intent::new(view, action, pushable.until)
    });
    pushes.collect()
}

/// Executions, and drops that nobody stored.
fn endings(view: &SetView) -> impl Iterator<Item = Intent> {
    let present = &view.present;
    present.governance.proposals.iter().filter_map(move |proposal| {
        let id = proposal.id;
        match proposal.state_at(present.next) {
            ProposalState::Executable => {
                let until = Some(proposal.deadlines().executable);
                let intent = Intent::new(present, IntendedAction::Execute { id }, until);
                let frozen = view.history.as_deref().and_then(|history| {
                    let (_, proposal) = history.governance().proposal(id.to_word()).ok()?;
                    Some(proposal.actions().to_vec())
                });
                Some(Intent { fallback: frozen, ..intent })
            }
            ProposalState::Dropped if proposal.ending == Ending::Open => {
                Some(Intent::new(present, IntendedAction::Drop { id }, None))
            }
            _ => None,
        }
    })
}

/// An epoch without a call after its first slot leaves the next one without proposers. Blocks of
/// sequencers record the seed on the way, so a keeper waits for them until the middle of the epoch, unless
/// nobody can propose.
fn seeds(view: &Present) -> impl Iterator<Item = Intent> {
    view.rollups.iter().filter_map(|(address, rollup)| {
        let is_due = rollup.proposer.is_none() || is_second_half(rollup);
        is_due.then(|| record_seed(view, *address, rollup)).flatten()
    })
}

/// Whether at least half of the epoch is over.
fn is_second_half(rollup: &RollupView) -> bool {
    let slots = rollup.clock.epoch_duration.get();
    let position = rollup.slot.map(|slot| rollup.clock.position_in_epoch(slot));
    position.is_some_and(|position| position >= slots.div_ceil(2))
}

/// Everything that is due, whoever it is due to.
fn payments(view: &Present, history: &SetState) -> Vec<Intent> {
    let withdrawals = (0..).zip(history.governance().withdrawals());
    let payable = withdrawals.filter(|(_, withdrawal)| withdrawal.is_payable(view.next));
    let payable = payable.filter_map(|(id, _)| WithdrawalId::new(id));
    let mut intents: Vec<_> = payable.map(|id| pay_withdrawal(view, id)).collect();
    for (address, rollup) in history.rollups() {
        let members = rollup.registrations().iter();
        intents.extend(members.filter_map(|member| {
            let attester = member.attester();
            if let Some(exit) = member.exit() {
                return pay_exit(view, address, attester, exit);
            }
            let moving = member.moving().filter(|moving| {
                is_welcome(history, member, *moving)
                    // Another Registry may say that any rollup is canonical.
                    && rollup.parameters().registry == view.addresses.registry
            })?;
            finalise_move(view, address, attester, moving)
        }));
    }
    intents
}

/// Whether the target of a move takes the stake, as far as the set knows.
fn is_welcome(history: &SetState, member: &Member, moving: StakeMove) -> bool {
    let target = history.rollup(moving.new_rollup);
    target.is_none_or(|target| target.check_deposit(member.attester(), member.stake()).is_ok())
}

/// Everything that is due of what the view was asked for.
fn payments_asked_for(view: &Present) -> Vec<Intent> {
    let payable = view.withdrawals.iter().filter(|(_, one)| one.is_payable(view.next));
    let mut intents: Vec<_> = payable.map(|(id, _)| pay_withdrawal(view, *id)).collect();
    for (rollup, seen) in &view.rollups {
        intents.extend(seen.attesters.iter().filter_map(|(attester, stands)| {
            match (stands.exit, stands.moving) {
                (Some(exit), _) => pay_exit(view, *rollup, *attester, exit),
                (None, Some(moving)) => finalise_move(view, *rollup, *attester, moving),
                (None, None) => None,
            }
        }));
    }
    intents
}

pub(super) const fn pay_withdrawal(view: &Present, id: WithdrawalId) -> Intent {
    Intent::new(view, IntendedAction::PayWithdrawal { id }, None)
}

fn pay_exit(view: &Present, rollup: Address, attester: Address, exit: StakeExit) -> Option<Intent> {
    let exitable_at = exit.exitable_at;
    let action = IntendedAction::PayExit { rollup, attester, exitable_at };
    exit.is_payable(view.next).then(|| Intent::new(view, action, None))
}

/// The move, if its time has come and its target is canonical.
fn finalise_move(
    view: &Present,
    rollup: Address,
    attester: Address,
    StakeMove { new_rollup, ready_at }: StakeMove,
) -> Option<Intent> {
    let action = IntendedAction::FinaliseMove { rollup, attester, new_attester: None, ready_at };
    let is_due = StakeMove { new_rollup, ready_at }.is_ready(view.next)
        && new_rollup == view.addresses.rollup;
    is_due.then(|| Intent::new(view, action, None))
}
