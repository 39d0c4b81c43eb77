//! Takes a stake to the next rollup.

use super::Duty;
use crate::{
    intent::{IntendedAction, Intent, NewAttester},
    present::{AttesterView, Present},
};
use alloy_primitives::Address;
use canon_protocol::{Amount, AttesterStatus, StakeMove, Timestamp, text};
use serde::{Deserialize, Serialize};

/// A stake to be moved, by its withdrawer.
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
    /// The attester under which the stake goes if somebody else registered its own there; not 0.
    #[serde(with = "text::address")]
    pub spare: Address,
}

/// The phase of a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MovePhase {
    /// The view doesn't say: it wasn't asked, or the rollup doesn't answer.
    Unknown,
    /// It isn't announced.
    Unannounced,
    /// It is announced; the exit delay runs.
    Waiting {
        /// The first second in which the stake may go.
        ready_at: Timestamp,
    },
    /// The delay is over, but something else is in the way. The attester keeps its seat.
    Held(MoveObstacle),
    /// The stake can go in the next block.
    Due,
    /// The stake is there.
    Moved,
    /// The attester isn't in the set any more: there is nothing to move.
    Gone,
    /// Another account decides about the stake.
    NotOurs {
        /// That account.
        #[serde(with = "text::address")]
        withdrawer: Address,
    },
}

/// What is in the way of a move whose delay is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveObstacle {
    /// The target isn't canonical yet.
    NotCanonical,
    /// The attester and the spare one are both registered there.
    Squatted,
    /// The target asks for a higher stake.
    StakeTooLow {
        /// The stake.
        stake: Amount,
        /// The least stake there.
        minimum: Amount,
    },
}

/// What the withdrawer of an attester does in the next block, so that its stake moves. The view must have
/// been [asked](crate::Question::add_move) for it.
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
            Some(moving) if !moving.is_ready(present.next) => {
                (MovePhase::Waiting { ready_at: moving.ready_at }, None)
            }
            Some(moving) => match new_attester(present, plan, here) {
                Ok(new_attester) => (MovePhase::Due, finalise(plan, moving, new_attester)),
                Err(phase) => (phase, None),
            },
        },
        AttesterStatus::None if has_arrived(present, plan) => (MovePhase::Moved, None),
        AttesterStatus::None if !covers_target(present, plan) => (MovePhase::Unknown, None),
        AttesterStatus::None | AttesterStatus::Living | AttesterStatus::Exiting => {
            (MovePhase::Gone, None)
        }
    }
}

const fn announce(plan: &MovePlan) -> Option<IntendedAction> {
    let MovePlan { withdrawer, attester, from, to, .. } = *plan;
    Some(IntendedAction::AnnounceMove { rollup: from, attester, to, withdrawer })
}

const fn finalise(
    plan: &MovePlan,
    StakeMove { ready_at, .. }: StakeMove,
    new_attester: Option<NewAttester>,
) -> Option<IntendedAction> {
    let MovePlan { attester, from, .. } = *plan;
    Some(IntendedAction::FinaliseMove { rollup: from, attester, new_attester, ready_at })
}

/// The attester under which the stake goes, if that is another one; or the phase if it can't go. What a
/// target of a different implementation asks for isn't known.
fn new_attester(
    present: &Present,
    plan: &MovePlan,
    here: &AttesterView,
) -> Result<Option<NewAttester>, MovePhase> {
    if present.addresses.rollup != plan.to {
        return Err(MovePhase::Held(MoveObstacle::NotCanonical));
    }
    let Some(target) = present.rollups.get(&plan.to) else { return Ok(None) };
    let (stake, minimum) = (here.stake, target.minimum_stake);
    if stake < minimum {
        return Err(MovePhase::Held(MoveObstacle::StakeTooLow { stake, minimum }));
    }
    let [own, spare] = [plan.attester, plan.spare].map(|attester| target.attesters.get(&attester));
    let (Some(own), Some(spare)) = (own, spare) else { return Err(MovePhase::Unknown) };
    match (own.status, spare.status) {
        (AttesterStatus::None, _) => Ok(None),
        (_, AttesterStatus::None) => {
            Ok(Some(NewAttester { attester: plan.spare, withdrawer: plan.withdrawer }))
        }
        _ => Err(MovePhase::Held(MoveObstacle::Squatted)),
    }
}

/// Whether the view has both attesters in the new rollup, if that answers at all.
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
