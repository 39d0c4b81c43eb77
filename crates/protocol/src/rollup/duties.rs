//! Seeds, proposers, blocks and their rewards.

use super::{Member, Rollup, RollupEvent, RollupRefusal};
use crate::{
    call_frame::{CallFrame, Decision},
    distributor::{self, DistributorCall},
    messages::{Log, Role},
    overlay::Overlay,
    refusal::Refusal,
    units::{Epoch, Slot, Timestamp},
};
use alloy_primitives::{Address, B256};

impl Rollup {
    /// The next seed that a call at `now` or later can record: its epoch, and the first second of such
    /// calls. `None` before genesis, or if no block can be that late.
    pub fn next_seed(&self, now: Timestamp) -> Option<(Epoch, Timestamp)> {
        let (clock, present) = (self.clock(), self.clock().epoch_at(now)?);
        let is_recorded = self.has_seed(present.next());
        let recording = if is_recorded { present.next() } else { present };
        Some((recording.next(), clock.seed_recording_start(recording)?.max(now)))
    }

    /// Whether the seed of `epoch` is recorded.
    pub fn has_seed(&self, epoch: Epoch) -> bool {
        self.seats.seed_of(epoch).is_some()
    }

    /// All epochs with a recorded seed, oldest first.
    pub fn seeded_epochs(&self) -> impl Iterator<Item = Epoch> {
        self.seats.seeded_epochs()
    }

    /// The member drawn for `slot`. `None` if its epoch has no seed yet or its set is empty.
    pub fn drawn(&self, slot: Slot) -> Option<&Member> {
        self.registration(self.seats.draw(self.clock().epoch_of(slot), slot)?)
    }
}

/// The answer of `getCurrentProposer()` at `now`; 0 if there is no seed or the set is empty.
pub(crate) fn proposer_of(rollup: &Rollup, now: Timestamp) -> Option<Address> {
    let slot = rollup.clock().slot_at(now)?;
    Some(rollup.drawn(slot).map(|member| member.proposer).unwrap_or_default())
}

/// The event that records the next epoch's seed, if none is recorded yet and the present slot may record
/// one.
pub(super) fn seed(frame: CallFrame<'_>, rollup: &Rollup) -> Option<Log> {
    let clock = rollup.clock();
    let epoch = clock.recordable_epoch(clock.slot_at(frame.now())?)?;
    let is_recorded = rollup.has_seed(epoch);
    (!is_recorded).then(|| frame.log(RollupEvent::SeedRecorded { epoch, seed: frame.prevrandao }))
}

/// Decides `proposeBlock`. The block is accepted even if its reward can't be claimed.
pub(super) fn propose_block(
    frame: CallFrame<'_>,
    rollup: &Rollup,
    block_hash: B256,
    mut logs: Vec<Log>,
) -> Decision {
    let guard = frame.enter()?;
    let caller = frame.caller;
    let slot = rollup.slot_at(frame.now())?;
    let drawn = rollup.drawn(slot);
    let Some(member) = drawn.filter(|member| member.proposer == caller) else {
        let proposer = drawn.map(|member| member.proposer).unwrap_or_default();
        return Err(RollupRefusal::NotProposer { caller, proposer }.into());
    };
    if rollup.head.is_some_and(|head| head.is_of(slot)) {
        return Err(RollupRefusal::SlotAlreadyProposed { slot: slot.to_word() }.into());
    }
    let block_number = rollup.next_block();
    logs.push(frame.log(RollupEvent::BlockProposed {
        block_number,
        slot,
        attester: member.attester,
        proposer: caller,
        block_hash,
    }));

    let to = member.coinbase();
    let distributor = rollup.parameters.reward_distributor;
    if frame.set.role_of(distributor) == Some(Role::Distributor) {
        // The distributor reads no state that this call has changed.
        let claim = distributor::claim(frame.calling(distributor), to);
        logs.extend(claim.into_iter().flatten());
        return Ok(logs);
    }
    let mut overlay = Overlay::new(CallFrame { guard: &guard, ..frame });
    overlay.apply(logs);
    let claim = DistributorCall::Claim { to }.abi_encode();
    // The block is accepted whatever the distributor does, unless these rules can't decide what it does.
    match overlay.call(frame.this, distributor, &claim) {
        Err(undecided @ Refusal::OutsideTheSet(_)) => Err(undecided),
        Ok(()) | Err(_) => Ok(overlay.into_logs()),
    }
}
