//! Signals, proposes blocks, records seeds.
//!
//! A sequencer acts only for the slot of the block that is expected next, and only in its own slots, but
//! for the seed of an epoch in which nobody can propose. Signaling depends on nothing but the L1: it goes
//! on when blocks aren't built.

use super::Duty;
use crate::{
    intent::{IntendedAction, Intent},
    present::{Present, RollupView, SeedStatus},
    signals::PayloadStatus,
};
use alloy_primitives::{Address, B256, U256, keccak256};
use canon_protocol::{CodeKind, Epoch, RollupBlock, Slot, text};
use serde::{Deserialize, Serialize};

/// The proposer of an attester.
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
    /// It proposes one block in each of its slots, whose hash is made up: for rehearsals, where nobody builds
    /// blocks.
    StandIn,
    /// It proposes none: it only signals, and records seeds that nobody did. The node of a real sequencer proposes
    /// the blocks that it builds.
    Skip,
}

/// The payload that a sequencer signals for, and the conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalPlan {
    /// The payload.
    #[serde(with = "text::address")]
    pub payload: Address,
    /// Its code hash when it was checked. A payload whose code is another is not signaled for.
    pub code_hash: B256,
    /// keccak256 of `abi.encode(actions)` of the list when it was checked, as `ProposalFrozen` has it. A view
    /// doesn't show the list: whoever sends the signal reads it again before.
    pub actions_hash: B256,
    /// Not before the sequencer's rollup has this block.
    pub from_block: RollupBlock,
    /// Whether the payload's status matters.
    pub status: StatusRule,
    /// Whether a round that can't be won any more matters.
    pub hopeless: HopelessRule,
}

/// Whether the payload's status matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusRule {
    /// Signals only while a signal can help.
    #[default]
    Respect,
    /// Signals whatever the status is, as long as the rollup is canonical: the operator insists.
    Force,
}

/// Whether a round that can't be won any more matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HopelessRule {
    /// Signals nevertheless, so that others see the support for the payload.
    #[default]
    Signal,
    /// Doesn't signal, and so saves the gas.
    Skip,
}

impl SignalPlan {
    /// Signals at once, by the default rules.
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

/// Whether to signal in the slot of the next block, and why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalDecision {
    /// It is the time.
    Signal,
    /// Nothing is set.
    NoPayload,
    /// The sequencer's rollup isn't the canonical one: its signals count nothing.
    NotCanonical,
    /// The count, or the payload's status, isn't known: the canonical rollup doesn't answer.
    Unknown,
    /// There isn't the code that was checked.
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
    /// The payload's list couldn't be read again.
    ActionsUnread,
    /// The agreed block isn't there yet.
    TooEarly {
        /// The newest block.
        block: RollupBlock,
        /// The agreed one.
        from: RollupBlock,
    },
    /// The slot has its signal.
    SlotUsed,
    /// A signal can't help.
    Status(PayloadStatus),
    /// The round can't be won any more.
    Hopeless,
    /// All is ready, but the slot is another proposer's, or nobody's.
    OtherSlot,
}

/// The duty of a sequencer in the next block, the signal first. Without a plan it signals for nothing.
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
    // Whatever the status is, the payload may have signals in this round.
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

/// The slot's block, or the seed that a block would have recorded on the way.
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
            if identity.blocks == BlockDuty::StandIn && is_free {
                let block_hash = stand_in_hash(identity, own, slot);
                let action = IntendedAction::ProposeBlock { rollup, slot, block_hash, proposer };
                return Some(Intent::new(present, action, own.clock.slot_end(slot)));
            }
        }
        Some(_) => return None,
        // Without a seed there are no proposers in the next epoch either. Sequencers take turns by their
        // addresses, so that they don't all send at once.
        None => {
            let SeedStatus::Missing(epoch) = own.seed else { return None };
            if U256::from(own.clock.position_in_epoch(slot)) < turn(identity.proposer, own, epoch) {
                return None;
            }
        }
    }
    record_seed(present, rollup, own)
}

/// The seed of the epoch after that of the next block, if it is missing.
pub(crate) fn record_seed(present: &Present, rollup: Address, own: &RollupView) -> Option<Intent> {
    let SeedStatus::Missing(epoch) = own.seed else { return None };
    let action = IntendedAction::RecordSeed { rollup, epoch };
    // The end of the epoch before the one that the seed draws.
    let until = epoch.previous().and_then(|recording| own.clock.epoch_end(recording));
    Some(Intent::new(present, action, until))
}

/// From which slot of the epoch on, after its first one, `proposer` records the seed of `epoch` in a slot
/// without a proposer.
fn turn(proposer: Address, own: &RollupView, epoch: Epoch) -> U256 {
    let slots = own.clock.epoch_duration.get().saturating_sub(1).max(1);
    let words = [proposer.into_word(), epoch.to_word().into()];
    let hash = keccak256(words.map(|word: B256| word.0).concat());
    U256::ONE + U256::from_be_bytes(hash.0) % U256::from(slots)
}

/// The made-up hash of a [stand-in](BlockDuty::StandIn).
fn stand_in_hash(identity: &SequencerIdentity, own: &RollupView, slot: Slot) -> B256 {
    let parent = own.head.map_or(RollupBlock::ZERO, |head| head.number);
    let words = [
        identity.rollup.into_word(),
        parent.to_word().into(),
        slot.to_word().into(),
        identity.proposer.into_word(),
    ];
    keccak256(words.map(|word: B256| word.0).concat())
}
