//! What the chain says, read once per block and handed to all agents.

use alloy_primitives::{Address, B256, map::AddressMap};
use alloy_rpc_types_eth::TransactionReceipt;
use canon_chain::{Deployment, NextBlock, ProposalSnapshot, Receipts, RollupRules, SignalStatus};
use canon_protocol::{
    Epoch, ProposalId, ProposalState, RollupBlock, Round, RoundRules, Slot, Timestamp,
};
use canon_views::BlockView;
use std::sync::Arc;

/// The chain after a block, and the time of the next one.
///
/// Agents decide by the *next* block: the block that includes a transaction decides its slot.
#[derive(Clone, Debug)]
pub struct View {
    pub(crate) head: BlockView,
    pub(crate) next: Timestamp,
    pub(crate) deployment: Deployment,
    pub(crate) rollups: AddressMap<RollupView>,
    pub(crate) signaling: Option<Signaling>,
    pub(crate) proposals: Vec<ProposalSnapshot>,
    pub(crate) payloads: AddressMap<PayloadStatus>,
    pub(crate) blocks: Vec<Block>,
    pub(crate) reorganizations: u64,
}

/// A block that isn't old.
#[derive(Clone, Debug)]
pub struct Block {
    /// Which.
    pub head: BlockView,
    /// What its transactions did.
    pub receipts: Arc<Receipts>,
}

/// A rollup, as far as agents need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollupView {
    /// What never changes.
    pub rules: RollupRules,
    /// The slot of the next L1 block; `None` before genesis.
    pub slot: Option<Slot>,
    /// Who may signal and propose in it; `None` if its epoch has no seed, or an empty set.
    pub proposer: Option<Address>,
    /// Number of the newest block; 0 if there is none.
    pub block: RollupBlock,
    /// The slot of the newest block.
    pub block_slot: Option<Slot>,
    /// Whether the seed of the epoch after the slot's is recorded.
    pub seed: Seed,
}

impl RollupView {
    /// The slot's position in its epoch, from 0.
    pub(crate) fn slot_in_epoch(&self) -> Option<u64> {
        self.slot.map(|slot| slot.get() % self.rules.clock.epoch_duration)
    }

    /// Whether at least half of the epoch is over.
    pub(crate) fn is_epochs_second_half(&self) -> bool {
        let slots = self.rules.clock.epoch_duration.get();
        self.slot_in_epoch().is_some_and(|slot| slot >= slots.div_ceil(2))
    }
}

/// Whether a seed is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seed {
    /// It is.
    Recorded,
    /// It isn't yet, and can't be: the slot is the first of its epoch.
    NotYet,
    /// The next call will record that of the given epoch. Without one, that epoch has no proposers.
    Missing(Epoch),
}

/// The count of signals, as far as the canonical rollup lets it be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signaling {
    /// N and M.
    pub rules: RoundRules,
    /// The canonical rollup's slot and round at the head.
    pub status: SignalStatus,
    /// Rounds that can be pushed, oldest first.
    pub pushable: Vec<(Round, Address)>,
}

/// Everything that can be the matter with a payload. Nothing else makes a sequencer signal or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadStatus {
    /// Nobody signals for it.
    None,
    /// It has signals in the round of the next slot.
    Signaling {
        /// The round.
        round: Round,
        /// Its signals.
        count: u32,
    },
    /// It has the signals it needs: in the round of the next slot, or in one that can be pushed.
    QuorumReached {
        /// The round.
        round: Round,
    },
    /// Proposals pushed it and it may still be executed.
    Live {
        /// The proposal.
        id: ProposalId,
        /// Pending, Active, Queued or Executable.
        state: ProposalState,
    },
    /// It was executed, whoever proposed it.
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
    /// Its last proposal was dropped: Proposals was replaced.
    Dropped {
        /// The proposal.
        id: ProposalId,
    },
}

impl View {
    /// The block.
    pub const fn head(&self) -> &BlockView {
        &self.head
    }

    /// The expected time of the next block.
    pub const fn next(&self) -> Timestamp {
        self.next
    }

    /// The next block, for sending.
    pub const fn next_block(&self) -> NextBlock {
        NextBlock::after(&self.head, self.next)
    }

    /// The set, as it is at this block.
    pub const fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// The canonical rollup.
    pub const fn canonical(&self) -> Address {
        self.deployment.rollup
    }

    /// A rollup that is watched, if it answers.
    pub fn rollup(&self, rollup: Address) -> Option<&RollupView> {
        self.rollups.get(&rollup)
    }

    /// All rollups that are watched and answer, by address.
    pub(crate) fn rollups(&self) -> impl Iterator<Item = (Address, &RollupView)> {
        let mut rollups: Vec<_> = self.rollups.iter().map(|(at, view)| (*at, view)).collect();
        rollups.sort_by_key(|(address, _)| *address);
        rollups.into_iter()
    }

    /// The count of signals; `None` if the canonical rollup doesn't answer.
    pub const fn signaling(&self) -> Option<&Signaling> {
        self.signaling.as_ref()
    }

    /// All proposals, by their numbers.
    pub fn proposals(&self) -> &[ProposalSnapshot] {
        &self.proposals
    }

    /// A proposal.
    pub fn proposal(&self, id: ProposalId) -> Option<&ProposalSnapshot> {
        self.proposals.get(usize::try_from(id.get()).ok()?)
    }

    /// A payload that is watched; `None` if it isn't, or if the canonical rollup doesn't answer.
    pub fn payload(&self, payload: Address) -> Option<PayloadStatus> {
        self.payloads.get(&payload).copied()
    }

    /// The newest blocks, oldest first: all since the view before, and some that that one had too.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// How often the watcher saw blocks replaced by others.
    pub const fn reorganizations(&self) -> u64 {
        self.reorganizations
    }

    /// The receipt of a transaction that was mined in one of the newest blocks.
    pub fn receipt(&self, transaction: B256) -> Option<&TransactionReceipt> {
        self.blocks.iter().rev().find_map(|block| block.receipts.get(transaction))
    }

    /// Where a proposal will stand in the next block, as far as the clock alone decides it: `None`
    /// if ballots of the next block decide it as well.
    pub fn state_at_next(&self, proposal: &ProposalSnapshot) -> Option<ProposalState> {
        let deadlines = proposal.deadlines();
        match proposal.state {
            ProposalState::Active if self.next > deadlines.active => None,
            ProposalState::Pending
            | ProposalState::Active
            | ProposalState::Queued
            | ProposalState::Executable => {
                // What is Queued or Executable was accepted; what is Pending or Active isn't asked.
                // Objections of the next block may still reject what is Queued: nothing hangs on that.
                Some(deadlines.state_at(self.next, || true))
            }
            state => Some(state),
        }
    }
}
