//! Signals, proposes blocks, records seeds.
//!
//! It learns everything from the L1: whether the slot of the next block is its own, whether its
//! rollup is canonical, how the payload stands. It acts only in its own slots, for the slot of the
//! block that is expected next, and its transactions are executed in that block's time before they
//! are sent; if they are included later, the contracts refuse them and only their fee is lost.
//! Signaling depends on nothing but the L1: it goes on when blocks aren't built.

use crate::{
    outbox::Outbox,
    outcome::{Act, Outcome},
    payload::{SignalDecision, SignalPlan, decide_signal},
    view::{RollupView, Seed, View},
};
use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_sol_types::SolValue;
use canon_chain::{Checks, Result, Sender, calls};
use canon_protocol::{Epoch, Slot};

/// Whether a sequencer proposes blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockDuty {
    /// It does, once per slot of its own.
    Propose,
    /// It doesn't: it only signals, and records seeds that nobody did.
    Leave,
}

/// The proposer of an attester of one rollup.
#[derive(Debug)]
pub struct Sequencer {
    outbox: Outbox,
    rollup: Address,
    blocks: BlockDuty,
    plan: Option<SignalPlan>,
    checks: Checks,
    /// The newest slot that it sent a signal for: once is enough, whatever comes of it.
    signaled: Option<Slot>,
    /// The newest slot that it sent a block or a seed for.
    worked: Option<Slot>,
    /// The newest epoch that it recorded the seed of in a slot without a proposer.
    silence_broken: Option<Epoch>,
    decision: SignalDecision,
}

impl Sequencer {
    /// The proposer whose key `sender` has, on `rollup`. It proposes blocks and signals nothing.
    pub const fn new(sender: Sender, rollup: Address) -> Self {
        Self {
            outbox: Outbox::new(sender),
            rollup,
            blocks: BlockDuty::Propose,
            plan: None,
            checks: Checks::Full,
            signaled: None,
            worked: None,
            silence_broken: None,
            decision: SignalDecision::NoPayload,
        }
    }

    /// Whether it proposes blocks. Default: it does.
    #[must_use]
    pub const fn with_blocks(mut self, blocks: BlockDuty) -> Self {
        self.blocks = blocks;
        self
    }

    /// What is checked before a transaction is sent. Default: everything.
    #[must_use]
    pub const fn with_checks(mut self, checks: Checks) -> Self {
        self.checks = checks;
        self
    }

    /// What it signals for from now on; no restart is needed.
    pub fn set_plan(&mut self, plan: Option<SignalPlan>) {
        self.plan = plan;
    }

    /// Which rollup it serves from now on: after a move.
    pub const fn set_rollup(&mut self, rollup: Address) {
        self.rollup = rollup;
        self.signaled = None;
        self.worked = None;
        self.silence_broken = None;
    }

    /// The proposer's address.
    pub const fn address(&self) -> Address {
        self.outbox.sender().address()
    }

    /// The rollup it serves.
    pub const fn rollup(&self) -> Address {
        self.rollup
    }

    /// What it decided about signaling in its last own slot.
    pub const fn decision(&self) -> SignalDecision {
        self.decision
    }

    /// Settles what is in flight and does what is due in the next block. Call it once per block.
    ///
    /// # Errors
    ///
    /// If the endpoint fails. It goes on at the next call.
    pub async fn tick(&mut self, view: &View) -> Result<Vec<Outcome>> {
        let rollup = view.rollup(self.rollup).copied();
        let slot = rollup.and_then(|rollup| rollup.slot);
        let mut outcomes = Vec::new();
        if !self.outbox.is_idle() {
            // What was meant for a slot is of no use after it.
            let past = |act: &Act| match act {
                Act::Signal { slot: of, .. } | Act::ProposeBlock { slot: of, .. } => {
                    slot.is_some_and(|slot| slot > *of)
                }
                _ => true,
            };
            outcomes = self.outbox.settle(view, past).await?;
        }
        let (Some(rollup), Some(slot)) = (rollup, slot) else { return Ok(outcomes) };
        if rollup.proposer == Some(self.address()) {
            // First what may change a rollup's fate, then the daily work.
            self.signal(view, slot, &mut outcomes).await?;
            self.work(view, &rollup, slot, &mut outcomes).await?;
        } else if rollup.proposer.is_none() {
            self.break_silence(view, &rollup, slot, &mut outcomes).await?;
        }
        Ok(outcomes)
    }

    async fn signal(&mut self, view: &View, slot: Slot, outcomes: &mut Vec<Outcome>) -> Result<()> {
        if is_over(self.signaled, slot) {
            return Ok(());
        }
        self.decision = decide_signal(self.plan.as_ref(), self.rollup, view);
        if let (SignalDecision::Signal, Some(plan)) = (self.decision, &self.plan) {
            let payload = plan.payload.address();
            let call = calls::signal(view.deployment().proposals, payload);
            let act = Act::Signal { payload, slot };
            outcomes.push(self.outbox.submit(act, call, self.checks, view).await?);
            self.signaled = Some(slot);
        }
        Ok(())
    }

    async fn work(
        &mut self,
        view: &View,
        rollup: &RollupView,
        slot: Slot,
        outcomes: &mut Vec<Outcome>,
    ) -> Result<()> {
        if is_over(self.worked, slot) {
            return Ok(());
        }
        let free = !is_over(rollup.block_slot, slot);
        let (act, call) = if self.blocks == BlockDuty::Propose && free {
            let act = Act::ProposeBlock { rollup: self.rollup, slot };
            (act, calls::propose_block(self.rollup, self.block_hash(rollup, slot)))
        } else if let Seed::Missing(epoch) = rollup.seed {
            // A block would have recorded it on the way.
            (Act::RecordSeed { rollup: self.rollup, epoch }, calls::setup_epoch(self.rollup))
        } else {
            return Ok(());
        };
        outcomes.push(self.outbox.submit(act, call, self.checks, view).await?);
        self.worked = Some(slot);
        Ok(())
    }

    /// Records a seed in a slot that has no proposer: without one there are none in the next epoch, too.
    /// Sequencers take turns by their addresses, so that they don't all send at once.
    async fn break_silence(
        &mut self,
        view: &View,
        rollup: &RollupView,
        slot: Slot,
        outcomes: &mut Vec<Outcome>,
    ) -> Result<()> {
        let (Seed::Missing(epoch), Some(position)) = (rollup.seed, rollup.slot_in_epoch()) else {
            return Ok(());
        };
        // Of the slots after the epoch's first one.
        let slots = rollup.rules.clock.epoch_duration.get().saturating_sub(1).max(1);
        let hash = keccak256((self.address(), epoch.to_word()).abi_encode());
        let turn = U256::ONE + U256::from_be_bytes(hash.0) % U256::from(slots);
        if U256::from(position) < turn || self.silence_broken.is_some_and(|last| last >= epoch) {
            return Ok(());
        }
        self.silence_broken = Some(epoch);
        let act = Act::RecordSeed { rollup: self.rollup, epoch };
        let call = calls::setup_epoch(self.rollup);
        outcomes.push(self.outbox.submit(act, call, self.checks, view).await?);
        self.worked = Some(slot);
        Ok(())
    }

    /// Stands for a real block: whoever builds those isn't part of this project.
    fn block_hash(&self, rollup: &RollupView, slot: Slot) -> B256 {
        let parent = rollup.block.to_word();
        keccak256((self.rollup, parent, slot.to_word(), self.address()).abi_encode())
    }
}

/// Whether `slot` isn't after the newest one of its kind.
fn is_over(newest: Option<Slot>, slot: Slot) -> bool {
    newest.is_some_and(|newest| newest >= slot)
}
