//! The actions that are possible in the next block, with the accounts that can take them and the deadlines.

use crate::{
    duties::{endings, payments, pushes, record_seed},
    intent::{IntendedAction, Intent},
    present::{Present, SetView},
};
use alloy_primitives::Address;
use canon_protocol::{ProposalId, ProposalState, Slot, Support, Timestamp, text};
use serde::{Deserialize, Serialize};

/// An action that is possible in the next block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AvailableAction {
    /// The action, and the accounts that can take it.
    pub opportunity: Opportunity,
    /// The last second in which it is possible, if nothing else happens. `None` if there is none, or if it
    /// isn't known.
    pub until: Option<Timestamp>,
}

/// An action, and the accounts that can take it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opportunity {
    /// The proposer of a slot of the canonical rollup can signal for a payload.
    Signal {
        /// The proposer.
        #[serde(with = "text::address")]
        proposer: Address,
        /// The slot.
        slot: Slot,
    },
    /// Anyone can lock tokens that count at a proposal's snapshot, which is still to come.
    Lock {
        /// The proposal.
        id: ProposalId,
    },
    /// The holders that had power at a proposal's snapshot and have some left can vote.
    Vote {
        /// The proposal.
        id: ProposalId,
        /// The side of the ballots: for or against.
        support: Support,
    },
    /// An action that anyone can take who pays for its transaction.
    Anyone(IntendedAction),
}

/// All actions that are possible in the next block: signals, locks before a snapshot and ballots first, then those
/// open to anyone.
/// Of the rounds that a payload won, only the one that expires first is included, since only one of them
/// can be pushed. All payable withdrawals, exits and moves are included if the history is known, otherwise
/// those that the view was asked for.
pub fn available_actions(view: &SetView) -> Vec<AvailableAction> {
    let present = &view.present;
    let acts = pushes(present).into_iter().chain(endings(view));
    let rollups = present.rollups.iter();
    let seeds = rollups
        // The seed of an epoch with an empty set draws nobody.
        .filter(|(_, rollup)| rollup.next_set_size != Some(0))
        .filter_map(|(address, rollup)| record_seed(present, *address, rollup));
    let acts = acts.chain(seeds).chain(payments(view));
    let for_anyone = acts.map(|Intent { action, until, .. }| AvailableAction {
        opportunity: Opportunity::Anyone(action),
        until,
    });
    let by_roles = signal(present).into_iter().chain(locks(present)).chain(ballots(present));
    by_roles.chain(for_anyone).collect()
}

fn signal(view: &Present) -> Option<AvailableAction> {
    let (signaling, rollup) = (view.signaling.as_ref()?, view.canonical_rollup()?);
    let (slot, proposer) = (rollup.slot?, rollup.proposer?);
    let opportunity = Opportunity::Signal { proposer, slot };
    let until = rollup.clock.slot_end(slot);
    signaling.status.is_free(slot).then_some(AvailableAction { opportunity, until })
}

fn locks(view: &Present) -> impl Iterator<Item = AvailableAction> {
    let proposals = view.governance.proposals.iter();
    let pending =
        proposals.filter(|proposal| proposal.state_at(view.next) == ProposalState::Pending);
    pending.map(|proposal| AvailableAction {
        opportunity: Opportunity::Lock { id: proposal.id },
        until: Some(proposal.deadlines().pending),
    })
}

fn ballots(view: &Present) -> impl Iterator<Item = AvailableAction> {
    view.governance.proposals.iter().flat_map(|proposal| {
        let sides = [Support::Yea, Support::Nea].into_iter();
        let taken = sides.filter(|support| proposal.takes_ballots(*support, view.next));
        taken.map(|support| AvailableAction {
            opportunity: Opportunity::Vote { id: proposal.id, support },
            until: Some(proposal.deadlines().ballots_until(support)),
        })
    })
}
