//! Who may act in the next block, and until when.

use crate::{
    duties::{PayOut, keeper, record_seed},
    intent::{IntendedAction, Intent},
    present::{Present, SetView},
};
use alloy_primitives::Address;
use canon_protocol::{Epoch, ProposalId, Round, Slot, Support, Timestamp, WithdrawalId, text};
use serde::{Deserialize, Serialize};

/// Something that can be done in the next block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// Who can do it.
    pub actor: Actor,
    /// The thing to do.
    pub opportunity: Opportunity,
    /// The last second in which it can be done, if nothing else happens; `None` if there is none, or if it
    /// isn't known.
    pub until: Option<Timestamp>,
}

/// Who may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// Whoever pays for the transaction.
    Anyone,
    /// Those who had power at the snapshot and have some left.
    Holders,
    /// The proposer of the slot.
    Proposer(#[serde(with = "text::address")] Address),
}

/// What can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Opportunity {
    /// Signal for a payload in a slot of the canonical rollup.
    Signal {
        /// The slot.
        slot: Slot,
    },
    /// Record the seed of an epoch.
    RecordSeed {
        /// The rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The epoch that the seed draws.
        epoch: Epoch,
    },
    /// Make a round's winner a proposal.
    Push {
        /// The round.
        round: Round,
        /// The winner.
        #[serde(with = "text::address")]
        payload: Address,
    },
    /// Cast power.
    Vote {
        /// The proposal.
        id: ProposalId,
        /// For or against.
        support: Support,
    },
    /// Execute a proposal.
    Execute {
        /// The proposal.
        id: ProposalId,
    },
    /// Store that a proposal is dropped.
    Drop {
        /// The proposal.
        id: ProposalId,
    },
    /// Pay a withdrawal.
    PayWithdrawal {
        /// The withdrawal.
        id: WithdrawalId,
    },
    /// Pay an exit.
    PayExit {
        /// The rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// Whose stake.
        #[serde(with = "text::address")]
        attester: Address,
    },
    /// Move a stake to the canonical rollup.
    FinaliseMove {
        /// The rollup that it leaves.
        #[serde(with = "text::address")]
        rollup: Address,
        /// Whose stake.
        #[serde(with = "text::address")]
        attester: Address,
    },
}

/// All that can be done in the next block: signals and ballots first, then what anyone may do.
/// Of the rounds that a payload won, the one that expires first is given: only one of them can be pushed.
/// Withdrawals, exits and moves are all that there are if the history is known, otherwise those that the
/// view was asked for.
pub fn openings(view: &SetView) -> Vec<Opening> {
    let present = &view.present;
    let mut openings = Vec::from_iter(signal(present));
    openings.extend(ballots(present));
    let kept = keeper(view, PayOut::Everything).into_iter();
    openings.extend(kept.filter_map(for_anyone));
    let seeds = present.rollups.iter().filter_map(|(address, rollup)| {
        let Intent { action, until, .. } = record_seed(present, *address, rollup)?;
        let IntendedAction::RecordSeed { rollup, epoch } = action else { return None };
        let opportunity = Opportunity::RecordSeed { rollup, epoch };
        Some(Opening { actor: Actor::Anyone, opportunity, until })
    });
    openings.extend(seeds);
    openings
}

fn signal(view: &Present) -> Option<Opening> {
    let (signaling, rollup) = (view.signaling.as_ref()?, view.canonical_rollup()?);
    let (slot, proposer) = (rollup.slot?, rollup.proposer?);
    let (actor, opportunity) = (Actor::Proposer(proposer), Opportunity::Signal { slot });
    let until = rollup.clock.slot_end(slot);
    (slot >= signaling.status.first_free_slot).then_some(Opening { actor, opportunity, until })
}

fn ballots(view: &Present) -> impl Iterator<Item = Opening> {
    view.governance.proposals.iter().flat_map(|proposal| {
        let sides = [Support::Yea, Support::Nea].into_iter();
        let taken = sides.filter(|support| proposal.takes_ballots(*support, view.next));
        taken.map(|support| Opening {
            actor: Actor::Holders,
            opportunity: Opportunity::Vote { id: proposal.id, support },
            until: Some(proposal.deadlines().ballots_until(support)),
        })
    })
}

/// What a keeper does, seeds excepted: it waits for others to record them.
fn for_anyone(intent: Intent) -> Option<Opening> {
    let opportunity = match intent.action {
        IntendedAction::Push { round, payload, .. } => Opportunity::Push { round, payload },
        IntendedAction::Execute { id } => Opportunity::Execute { id },
        IntendedAction::Drop { id } => Opportunity::Drop { id },
        IntendedAction::PayWithdrawal { id } => Opportunity::PayWithdrawal { id },
        IntendedAction::PayExit { rollup, attester, .. } => {
            Opportunity::PayExit { rollup, attester }
        }
        IntendedAction::FinaliseMove { rollup, attester, .. } => {
            Opportunity::FinaliseMove { rollup, attester }
        }
        _ => return None,
    };
    Some(Opening { actor: Actor::Anyone, opportunity, until: intent.until })
}
