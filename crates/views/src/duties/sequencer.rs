//! The duty of a sequencer: it signals, proposes blocks and records seeds.
//!
//! A sequencer acts only for the slot of the block that is expected next, and only in its own slots. The
//! exception is the seed of an epoch, which it also records in a slot without a proposer. Signaling depends
//! only on the L1, so it goes on when no rollup blocks are built.

use super::Duty;
use crate::{
    intent::{IntendedAction, Intent},
    present::{Present, RollupView, SeedStatus},
    signals::PayloadStatus,
};
use alloy_primitives::{Address, B256, U256, keccak256};
use canon_protocol::{CodeKind, Epoch, RollupBlock, Slot, text};
use serde::{Deserialize, Serialize};

/// The proposer of an attester, and the rollup it works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequencerIdentity {
    /// Its address.
    #[serde(with = "text::address")]
    pub proposer: Address,
    /// The rollup that it serves.
    #[serde(with = "text::address")]
    pub rollup: Address,
    /// Whether it proposes blocks.
    pub blocks: BlockDuty,
}

/// Whether a sequencer proposes blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockDuty {
    /// It proposes one block in each of its slots: the block that was built, with this hash. Set it anew for each
    /// slot.
    Propose(B256),
    /// It proposes none: it only signals, and records seeds that nobody did. The node of a real sequencer proposes
    /// the blocks that it builds.
    Skip,
}

/// The payload that a sequencer signals for, and the conditions under which it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalPlan {
    /// The payload.
    #[serde(with = "text::address")]
    pub payload: Address,
    /// Its code hash when it was checked. The sequencer doesn't signal for a payload with another code
    /// hash.
    pub code_hash: B256,
    /// keccak256 of `abi.encode(actions)` of the list when it was checked, as in `ProposalFrozen`. A view
    /// doesn't contain the list, so the sender of the signal reads it again first.
    pub actions_hash: B256,
    /// The first block of the sequencer's rollup from which on it signals.
    pub from_block: RollupBlock,
    /// Whether the payload's status can prevent a signal.
    pub status: StatusRule,
    /// Whether the sequencer signals in a round that can't be won any more.
    pub hopeless: HopelessRule,
}

/// Whether the payload's status can prevent a signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusRule {
    /// Signals only while a signal can help.
    #[default]
    Respect,
    /// Signals whatever the status is, as long as the rollup is canonical, because the operator insists.
    Force,
}

/// Whether the sequencer signals in a round that can't be won any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HopelessRule {
    /// Signals nevertheless, so that others see the support for the payload.
    #[default]
    Signal,
    /// Doesn't signal, to save the gas.
    Skip,
}

impl SignalPlan {
    /// A plan that signals at once, with the default rules.
    pub const fn new(payload: Address, code_hash: B256, actions_hash: B256) -> Self {
        Self {
            payload,
            code_hash,
            actions_hash,
            from_block: RollupBlock::ZERO,
            status: StatusRule::Respect,
            hopeless: HopelessRule::Signal,
        }
    }
}

/// The decision whether to signal in the slot of the next block, with the reason for not signaling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalDecision {
    /// It signals.
    Signal,
    /// No payload is set.
    NoPayload,
    /// The sequencer's rollup isn't the canonical one, so its signals don't count.
    NotCanonical,
    /// The signal count or the payload's status isn't known, because the canonical rollup doesn't answer.
    Unknown,
    /// The payload's code hash isn't the one that was checked.
    CodeChanged {
        /// The code hash that was checked.
        expected: B256,
        /// The code hash at the block.
        found: B256,
    },
    /// The payload lists other actions than those that were checked.
    ActionsChanged {
        /// The hash of the list that was checked.
        expected: B256,
        /// The hash of the list at the block.
        found: B256,
    },
    /// The payload's list of actions couldn't be read again.
    ActionsUnread,
    /// The rollup doesn't have the agreed block yet.
    TooEarly {
        /// The newest block.
        block: RollupBlock,
        /// The agreed one.
        from: RollupBlock,
    },
    /// A signal was already given in the slot.
    SlotUsed,
    /// The payload has this status, in which a signal can't help.
    Status(PayloadStatus),
    /// The round can't be won any more.
    Hopeless,
    /// Everything is ready, but the slot has another proposer, or none.
    OtherSlot,
}

/// The duty of a sequencer in the next block. The signal comes first. Without a plan it doesn't signal.
pub fn sequencer(
    present: &Present,
    identity: &SequencerIdentity,
    plan: Option<&SignalPlan>,
) -> Duty<SignalDecision> {
    let decision = decide(present, identity, plan);
    let mut intents = Vec::new();
    if let Some(own) = present.rollups.get(&identity.rollup)
        && let Some(slot) = own.slot
    {
        if let (SignalDecision::Signal, Some(plan)) = (decision, plan) {
            intents.push(signal(present, identity, plan, own, slot));
        }
        intents.extend(work(present, identity, own, slot));
    }
    Duty { status: decision, intents }
}

fn decide(
    present: &Present,
    identity: &SequencerIdentity,
    plan: Option<&SignalPlan>,
) -> SignalDecision {
    let Some(plan) = plan else { return SignalDecision::NoPayload };
    if present.addresses.rollup != identity.rollup {
        return SignalDecision::NotCanonical;
    }
    let (Some(own), Some(signaling)) = (present.rollups.get(&identity.rollup), &present.signaling)
    else {
        return SignalDecision::Unknown;
    };
    let (Some(slot), Some(payload), Some(status)) =
        (own.slot, present.payloads.get(&plan.payload), present.payload_status(plan.payload))
    else {
        return SignalDecision::Unknown;
    };
    if payload.code.kind != CodeKind::Contract || payload.code.hash != plan.code_hash {
        let found = payload.code.hash;
        return SignalDecision::CodeChanged { expected: plan.code_hash, found };
    }
    let block = own.head.map_or(RollupBlock::ZERO, |head| head.number);
    if block < plan.from_block {
        return SignalDecision::TooEarly { block, from: plan.from_block };
    }
    if !signaling.status.is_free(slot) {
        return SignalDecision::SlotUsed;
    }
    let round = signaling.rules.round_of(slot);
    let is_over = match status {
        PayloadStatus::None
        | PayloadStatus::Signaling { .. }
        | PayloadStatus::Rejected { .. }
        | PayloadStatus::Expired { .. }
        | PayloadStatus::Dropped { .. } => false,
        PayloadStatus::QuorumReached { .. }
        | PayloadStatus::Live { .. }
        | PayloadStatus::Executed { .. } => true,
    };
    if is_over && plan.status == StatusRule::Respect {
        return SignalDecision::Status(status);
    }
    // The payload may have signals in this round in every status.
    let count = if payload.round == Some(round) { payload.signals } else { 0 };
    let winnable = signaling.rules.can_win(count, round, slot);
    if !winnable && plan.hopeless == HopelessRule::Skip {
        return SignalDecision::Hopeless;
    }
    if own.proposer != Some(identity.proposer) {
        return SignalDecision::OtherSlot;
    }
    SignalDecision::Signal
}

fn signal(
    present: &Present,
    identity: &SequencerIdentity,
    plan: &SignalPlan,
    own: &RollupView,
    slot: Slot,
) -> Intent {
    let action = IntendedAction::Signal {
        proposals: present.addresses.proposals,
        rollup: identity.rollup,
        slot,
        payload: plan.payload,
        proposer: identity.proposer,
    };
    Intent::new(present, action, own.clock.slot_end(slot))
}

/// The intent to propose the slot's block or, if there is none to propose, to record the seed that a block
/// would have recorded.
fn work(
    present: &Present,
    identity: &SequencerIdentity,
    own: &RollupView,
    slot: Slot,
) -> Option<Intent> {
    let rollup = identity.rollup;
    match own.proposer {
        Some(proposer) if proposer == identity.proposer => {
            let is_free = !own.head.is_some_and(|head| head.is_of(slot));
            if let BlockDuty::Propose(block_hash) = identity.blocks
                && is_free
            {
                let action = IntendedAction::ProposeBlock { rollup, slot, block_hash, proposer };
                return Some(Intent::new(present, action, own.clock.slot_end(slot)));
            }
        }
        Some(_) => return None,
        // Without a seed the next epoch has no proposers either. The first slot in which a sequencer
        // records it depends on its address, so that they don't all send at once.
        None => {
            let SeedStatus::Missing(epoch) = own.seed else { return None };
            if U256::from(own.clock.position_in_epoch(slot)) < turn(identity.proposer, own, epoch) {
                return None;
            }
        }
    }
    record_seed(present, rollup, own)
}

/// The intent to record the seed of the epoch after that of the next block, if it is missing.
pub(crate) fn record_seed(present: &Present, rollup: Address, own: &RollupView) -> Option<Intent> {
    let SeedStatus::Missing(epoch) = own.seed else { return None };
    let action = IntendedAction::RecordSeed { rollup, epoch };
    // The last second of the epoch before the one that the seed is for.
    let until = epoch.previous().and_then(|recording| own.clock.epoch_end(recording));
    Some(Intent::new(present, action, until))
}

/// The least position in the epoch at which `proposer` records the seed of `epoch` in a slot without a
/// proposer.
fn turn(proposer: Address, own: &RollupView, epoch: Epoch) -> U256 {
    let slots = own.clock.epoch_duration.get().saturating_sub(1).max(1);
    let words = [proposer.into_word(), epoch.to_word().into()];
    let hash = keccak256(words.map(|word: B256| word.0).concat());
    U256::ONE + U256::from_be_bytes(hash.0) % U256::from(slots)
}
