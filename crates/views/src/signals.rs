//! Signals in a view: the rounds that can be pushed, and the status of a payload.

use crate::present::Present;
use alloy_primitives::Address;
use canon_protocol::{ProposalId, ProposalState, PushableRound, Round, Slot, SlotClock, Timestamp};
use serde::{Deserialize, Serialize};

/// The status of a payload in the next block. Apart from its code and its actions, a sequencer's decision
/// depends on nothing else about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayloadStatus {
    /// There is no signal for it.
    None,
    /// It has signals in the round of the next block's slot.
    Signaling {
        /// The round.
        round: Round,
        /// The number of its signals.
        count: u32,
    },
    /// It has the signals that it needs: in the round of the next block's slot, or in one that can be
    /// pushed.
    QuorumReached {
        /// The round.
        round: Round,
    },
    /// A Proposals contract pushed it and it may still be executed.
    Live {
        /// The proposal.
        id: ProposalId,
        /// Pending, Active, Queued or Executable.
        state: ProposalState,
    },
    /// It was executed, whether it was pushed or proposed through the lock.
    Executed {
        /// The proposal.
        id: ProposalId,
    },
    /// Its last proposal was rejected.
    Rejected {
        /// The proposal.
        id: ProposalId,
    },
    /// Its last proposal was accepted and not executed in time.
    Expired {
        /// The proposal.
        id: ProposalId,
    },
    /// Its last proposal was dropped, since Proposals was replaced.
    Dropped {
        /// The proposal.
        id: ProposalId,
    },
}

impl Present {
    /// The slots and epochs of the canonical rollup, if it answers.
    pub fn canonical_clock(&self) -> Option<&SlotClock> {
        self.canonical_rollup().map(|rollup| &rollup.clock)
    }

    /// The canonical rollup's slot at `time`, which must not be before the block. It is the slot of the
    /// block if the rollup's slots aren't known.
    pub fn slot_at(&self, time: Timestamp) -> Option<Slot> {
        Some(self.signaling.as_ref()?.status.slot_at(self.canonical_clock(), time))
    }

    /// The round of the slot at `time`.
    fn round_at(&self, time: Timestamp) -> Option<Round> {
        Some(self.signaling.as_ref()?.rules.round_of(self.slot_at(time)?))
    }

    /// The rounds that can be pushed at `time`, which must not be before the block, oldest first, if
    /// nothing else happens until then. Whether Governance accepts the winner isn't checked.
    pub fn pushable_at(&self, time: Timestamp) -> Vec<PushableRound> {
        let (Some(signaling), Some(current)) = (&self.signaling, self.round_at(time)) else {
            return Vec::new();
        };
        let state = |id| self.state_at(id, time);
        let candidates = signaling.rounds.iter();
        let pushable = candidates.filter_map(|candidate| {
            let winner = candidate.winner(&signaling.rules, current, state).ok()?;
            Some(signaling.rules.pushable(candidate.round, winner, self.canonical_clock()))
        });
        pushable.collect()
    }

    /// The status in the next block of a payload that the view was asked for. `None` if it wasn't, or if
    /// the state of signals isn't known.
    pub fn payload_status(&self, payload: Address) -> Option<PayloadStatus> {
        let signaling = self.signaling.as_ref()?;
        let view = self.payloads.get(&payload)?;
        let executed = ProposalState::Executed;
        if let Some(proposal) = self.proposals_of(payload).find(|one| one.state == executed) {
            return Some(PayloadStatus::Executed { id: proposal.id });
        }
        let over = match self.newest_pushed(payload) {
            None => PayloadStatus::None,
            Some(proposal) => match (proposal.id, proposal.state_at(self.next)) {
                (id, ProposalState::Rejected) => PayloadStatus::Rejected { id },
                (id, ProposalState::Expired) => PayloadStatus::Expired { id },
                (id, ProposalState::Dropped) => PayloadStatus::Dropped { id },
                (id, ProposalState::Executed) => return Some(PayloadStatus::Executed { id }),
                (
                    id,
                    state @ (ProposalState::Pending
                    | ProposalState::Active
                    | ProposalState::Queued
                    | ProposalState::Executable),
                ) => return Some(PayloadStatus::Live { id, state }),
            },
        };
        let pushable = self.pushable_at(self.next);
        if let Some(won) = pushable.iter().find(|pushable| pushable.winner.payload == payload) {
            return Some(PayloadStatus::QuorumReached { round: won.round });
        }
        Some(match (view.round, view.signals) {
            (Some(round), count) if signaling.rules.is_won(count) => {
                PayloadStatus::QuorumReached { round }
            }
            (Some(round), count) if count > 0 => PayloadStatus::Signaling { round, count },
            _ => over,
        })
    }
}
