//! The duty of a mover: it moves a stake to the next rollup.

use super::Duty;
use crate::{
    intent::{IntendedAction, Intent, NewAttester},
    present::Present,
};
use alloy_primitives::Address;
use canon_protocol::{Amount, AttesterStatus, StakeMove, Timestamp, text};
use serde::{Deserialize, Serialize};

/// A stake to be moved by its withdrawer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovePlan {
    /// The account that decides about the stake.
    #[serde(with = "text::address")]
    pub withdrawer: Address,
    /// The attester whose stake moves.
    #[serde(with = "text::address")]
    pub attester: Address,
    /// The rollup that the stake leaves.
    #[serde(with = "text::address")]
    pub from: Address,
    /// The rollup that the stake goes to.
    #[serde(with = "text::address")]
    pub to: Address,
    /// The attester under which the stake is registered if another account registered its own attester
    /// there; not 0.
    #[serde(with = "text::address")]
    pub spare: Address,
}

/// The phase of a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MovePhase {
    /// The view doesn't contain it: it wasn't asked for it, or the rollup doesn't answer.
    Unknown,
    /// It isn't announced.
    Unannounced,
    /// It is announced, and the exit delay isn't over.
    Waiting {
        /// The first second in which the stake can move.
        ready_at: Timestamp,
    },
    /// The delay is over, but there is an obstacle. The attester keeps its seat.
    Held(MoveObstacle),
    /// The stake can move in the next block.
    Due,
    /// The stake has arrived.
    Moved,
    /// The attester isn't in the set any more, so there is nothing to move.
    Gone,
    /// Another account decides about the stake.
    NotOurs {
        /// That account.
        #[serde(with = "text::address")]
        withdrawer: Address,
    },
}

/// An obstacle to a move whose delay is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveObstacle {
    /// The target isn't canonical yet.
    NotCanonical,
    /// The attester and the spare one are both registered in the target.
    Squatted,
    /// The target requires a higher stake.
    StakeTooLow {
        /// The stake.
        stake: Amount,
        /// The least stake in the target.
        minimum: Amount,
    },
}

/// The duty of an attester's withdrawer in the next block. The view must have been
/// [asked](crate::Question::add_move) for it.
pub fn mover(present: &Present, plan: &MovePlan) -> Duty<MovePhase> {
    let (phase, action) = step(present, plan);
    let intents = action.into_iter().map(|action| Intent::new(present, action, None)).collect();
    Duty { status: phase, intents }
}

fn step(present: &Present, plan: &MovePlan) -> (MovePhase, Option<IntendedAction>) {
    let MovePlan { withdrawer, attester, from, to, .. } = *plan;
    let Some(here) = present.attester(from, attester) else { return (MovePhase::Unknown, None) };
    match here.status {
        AttesterStatus::Validating if here.withdrawer != withdrawer => {
            (MovePhase::NotOurs { withdrawer: here.withdrawer }, None)
        }
        AttesterStatus::Validating if from == to => (MovePhase::Moved, None),
        AttesterStatus::Validating => match here.moving {
            Some(moving) if moving.new_rollup != to => (MovePhase::Unannounced, announce(plan)),
            None => (MovePhase::Unannounced, announce(plan)),
            Some(moving) => announced(present, plan, here.stake, moving),
        },
        AttesterStatus::None if has_arrived(present, plan) => (MovePhase::Moved, None),
        AttesterStatus::None if !covers_target(present, plan) => (MovePhase::Unknown, None),
        AttesterStatus::None | AttesterStatus::Living | AttesterStatus::Exiting => {
            (MovePhase::Gone, None)
        }
    }
}

/// The phase of an announced move and the action that finalizes it: under the attester's own address or, if
/// another account registered that, under the spare one.
fn announced(
    present: &Present,
    plan: &MovePlan,
    stake: Amount,
    moving: StakeMove,
) -> (MovePhase, Option<IntendedAction>) {
    let phase_under = |attester| {
        announced_phase(present, stake, moving, MoveTarget::of(present, plan.to, attester))
    };
    match phase_under(plan.attester) {
        MovePhase::Due | MovePhase::Held(MoveObstacle::Squatted)
            if !covers_target(present, plan) =>
        {
            (MovePhase::Unknown, None)
        }
        MovePhase::Due => (MovePhase::Due, finalize(plan, moving, None)),
        MovePhase::Held(MoveObstacle::Squatted) => match phase_under(plan.spare) {
            MovePhase::Due => {
                let there = NewAttester { attester: plan.spare, withdrawer: plan.withdrawer };
                (MovePhase::Due, finalize(plan, moving, Some(there)))
            }
            phase => (phase, None),
        },
        phase => (phase, None),
    }
}

const fn announce(plan: &MovePlan) -> Option<IntendedAction> {
    let MovePlan { withdrawer, attester, from, to, .. } = *plan;
    Some(IntendedAction::AnnounceMove { rollup: from, attester, to, withdrawer })
}

const fn finalize(
    plan: &MovePlan,
    StakeMove { ready_at, .. }: StakeMove,
    new_attester: Option<NewAttester>,
) -> Option<IntendedAction> {
    let MovePlan { attester, from, .. } = *plan;
    Some(IntendedAction::FinalizeMove { rollup: from, attester, new_attester, ready_at })
}

/// The attester's entry in the rollup that a stake moves to.
#[derive(Clone, Copy, Debug)]
pub(super) struct MoveTarget {
    pub(super) status: AttesterStatus,
    /// The least stake in the target.
    pub(super) minimum: Amount,
}

impl MoveTarget {
    /// The entry in the view, or `None` if the view doesn't have it.
    pub(super) fn of(present: &Present, rollup: Address, attester: Address) -> Option<Self> {
        let seen = present.rollups.get(&rollup)?;
        let status = seen.attesters.get(&attester)?.status;
        Some(Self { status, minimum: seen.minimum_stake })
    }
}

/// The phase of an announced move, whoever finalizes it. `target` is `None` if the requirements of the
/// target aren't known, as for another implementation; then they are assumed to be met.
pub(super) fn announced_phase(
    present: &Present,
    stake: Amount,
    StakeMove { new_rollup, ready_at }: StakeMove,
    target: Option<MoveTarget>,
) -> MovePhase {
    if !(StakeMove { new_rollup, ready_at }).is_ready(present.next) {
        return MovePhase::Waiting { ready_at };
    }
    if present.addresses.rollup != new_rollup {
        return MovePhase::Held(MoveObstacle::NotCanonical);
    }
    match target {
        Some(MoveTarget { minimum, .. }) if stake < minimum => {
            MovePhase::Held(MoveObstacle::StakeTooLow { stake, minimum })
        }
        Some(MoveTarget { status, .. }) if status != AttesterStatus::None => {
            MovePhase::Held(MoveObstacle::Squatted)
        }
        _ => MovePhase::Due,
    }
}

/// Whether the view has both attesters in the new rollup, or that rollup doesn't answer.
fn covers_target(present: &Present, plan: &MovePlan) -> bool {
    present.rollups.get(&plan.to).is_none_or(|target| {
        [plan.attester, plan.spare].iter().all(|attester| target.attesters.contains_key(attester))
    })
}

/// Whether the new rollup has a stake of this withdrawer, under either attester.
fn has_arrived(present: &Present, plan: &MovePlan) -> bool {
    [plan.attester, plan.spare].into_iter().any(|attester| {
        let there = present.attester(plan.to, attester);
        there.is_some_and(|there| {
            there.status != AttesterStatus::None && there.withdrawer == plan.withdrawer
        })
    })
}
