//! Slots: their proposers, blocks and signals.

use alloy_primitives::Address;
use canon_abi::{RewardDistributor, Rollup};
use canon_chain::Confirmed;
use canon_protocol::{Amount, Epoch, RollupBlock, Slot, TooLarge};
use canon_views::{IntentSubject, SignalDecision};

use crate::{
    acting::AgentRef,
    error::{During, Error, Result},
    followed_set::DeployedRollup,
    timeline::{Spent, TimelineEvent, Who},
    upgrade_run::UpgradeRun,
};

/// The outcome of a slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct SlotOutcome {
    pub(super) slot: Slot,
    pub(super) proposer: SlotProposer,
    /// The block and its reward.
    pub(super) block: Option<(RollupBlock, Amount)>,
    /// The proposer's decision about signaling.
    pub(super) decision: SignalDecision,
    pub(super) signaled: bool,
    pub(super) spent: Spent,
}

/// The proposer of a slot, or the reason why it has none.
#[derive(Clone, Copy, Debug)]
pub(super) enum SlotProposer {
    /// A sequencer, by its index.
    Sequencer(usize),
    /// The squatter, who sends nothing.
    Squatter,
    /// The epoch's set is empty.
    EmptySet,
    /// The epoch has no seed.
    NoSeed,
}

impl SlotProposer {
    pub(super) const fn sequencer(self) -> Option<usize> {
        match self {
            Self::Sequencer(index) => Some(index),
            Self::Squatter | Self::EmptySet | Self::NoSeed => None,
        }
    }
}

/// Simulates a slot: the agent of its proposer does what is due, if there is a proposer and it is online.
pub(super) async fn run_slot(
    run: &mut UpgradeRun<'_>,
    rollup: usize,
    slot: Slot,
) -> Result<SlotOutcome> {
    let (address, clock) = (run.set.rollups[rollup].address, run.set.rollups[rollup].clock);
    let start = clock.slot_start(slot).ok_or_else(|| no_such(slot))?;
    let end = clock.slot_end(slot).ok_or_else(|| no_such(slot))?;
    run.pass_until(start).await?;
    let proposer = match proposer_of(run, rollup, slot)? {
        Some(account) => participant(run, slot, account)?,
        None => {
            let epoch = clock.epoch_of(slot);
            match run.state().rollup(address).map(|rollup| rollup.seed(epoch, start)) {
                Some(Ok(Some(_))) => SlotProposer::EmptySet,
                _ => SlotProposer::NoSeed,
            }
        }
    };
    let mut outcome = SlotOutcome {
        slot,
        proposer,
        block: None,
        decision: SignalDecision::NoPayload,
        signaled: false,
        spent: Spent::default(),
    };
    // A sequencer that moved away misses the slots that its old seat still draws.
    let serves = |index: &usize| {
        let sequencer = &run.participants.sequencers[*index];
        sequencer.online() && sequencer.agent.role.identity.rollup == address
    };
    let Some(index) = proposer.sequencer().filter(serves) else {
        // The slot is missed.
        run.mine_all().await?;
        return Ok(outcome);
    };
    // If the agent acts in the next slot, that belongs to the next outcome.
    let mut acted = run.act(ACT, &[AgentRef::Proposer(index)], end).await?;
    if let Some((_, error)) = acted.refused.pop() {
        return Err(error).during(ACT);
    }
    outcome.decision = acted.decision.unwrap_or(outcome.decision);
    outcome.spent = acted.spent;
    for (_, subject, confirmed) in &acted.done {
        match subject {
            IntentSubject::Signal { .. } => outcome.signaled = true,
            IntentSubject::ProposeBlock { .. } => {
                outcome.block = Some(block(run, address, confirmed)?)
            }
            _ => {}
        }
    }
    Ok(outcome)
}

const ACT: &str = "running a slot";

/// The participant that has a slot.
fn participant(run: &UpgradeRun<'_>, slot: Slot, account: Address) -> Result<SlotProposer> {
    let participants = &run.participants;
    match participants.sequencer_of(account) {
        Some(index) => Ok(SlotProposer::Sequencer(index)),
        None if account == participants.squatter.address() => Ok(SlotProposer::Squatter),
        None => Err(Error::Unexpected(format!("{account} has slot {slot} and is no participant"))),
    }
}

/// The number of a rollup's new block, with its reward.
fn block(
    run: &UpgradeRun<'_>,
    rollup: Address,
    confirmed: &Confirmed,
) -> Result<(RollupBlock, Amount)> {
    let unexpected = |error: TooLarge| Error::Unexpected(error.to_string());
    let distributor = run.set.addresses().reward_distributor;
    let paid = confirmed.event::<RewardDistributor::RewardPaid>(distributor);
    let paid = paid.map(|paid| Amount::try_from(paid.amount)).transpose().map_err(unexpected)?;
    let proposed = confirmed.event::<Rollup::BlockProposed>(rollup);
    let number = proposed.map(|proposed| RollupBlock::try_from(proposed.blockNumber)).transpose();
    Ok((number.map_err(unexpected)?.unwrap_or_default(), paid.unwrap_or_default()))
}

fn no_such(slot: Slot) -> Error {
    Error::Unexpected(format!("slot {slot} starts after the last representable timestamp"))
}

/// The proposer of a slot in the next block's epoch or the epoch after it; `None` if the slot has none.
pub(super) fn proposer_of(
    run: &UpgradeRun<'_>,
    rollup: usize,
    slot: Slot,
) -> Result<Option<Address>> {
    let DeployedRollup { address, clock, .. } = &run.set.rollups[rollup];
    let start = clock.slot_start(slot).ok_or_else(|| no_such(slot))?;
    let Some(rollup) = run.state().rollup(*address) else { return Ok(None) };
    let member = rollup.member_at(start, run.driver.next_time());
    let member = member.map_err(|error| Error::Unexpected(error.to_string()))?;
    Ok(member.map(canon_protocol::Member::proposer))
}

/// The first slot of a rollup that begins at or after the next L1 block.
pub(super) fn next_slot(run: &UpgradeRun<'_>, rollup: usize) -> Slot {
    let (clock, time) = (run.set.rollups[rollup].clock, run.driver.next_time());
    let slot = clock.slot_at(time).unwrap_or_default();
    if clock.slot_start(slot).is_some_and(|start| start < time) { slot.next() } else { slot }
}

/// Records the block of a slot, or that it has none.
pub(super) fn record_outcome(run: &mut UpgradeRun<'_>, rollup: usize, outcome: &SlotOutcome) {
    let (label, slot) = (run.set.rollups[rollup].label, outcome.slot);
    match (outcome.proposer, outcome.block) {
        (SlotProposer::Sequencer(index), Some((number, reward))) => {
            let who = run.participants.sequencers[index].who();
            let event = TimelineEvent::BlockProposed { rollup: label, number, slot, reward };
            run.record_event(who, event, Some(outcome.spent));
        }
        (SlotProposer::Sequencer(index), None) => {
            let who = run.participants.sequencers[index].who();
            run.record_event(who, TimelineEvent::SlotMissed { rollup: label, slot }, None);
        }
        (SlotProposer::Squatter, _) => {
            run.record_event(
                Who::Squatter,
                TimelineEvent::SlotMissed { rollup: label, slot },
                None,
            );
        }
        (SlotProposer::EmptySet | SlotProposer::NoSeed, _) => {
            let seeded = matches!(outcome.proposer, SlotProposer::EmptySet);
            let event = TimelineEvent::NoProposer { rollup: label, slot, seeded };
            run.record_event(Who::Time, event, None);
        }
    }
}

/// Simulates some blocks of the old rollup, from the first slot that can have one.
pub(super) async fn show_old(run: &mut UpgradeRun<'_>) -> Result<()> {
    let wanted = run.scenario.rollup.blocks_before;
    // Epochs 0 and 1 of any rollup have an empty set.
    let rollup = &run.set.rollups[0];
    let first = rollup.clock.first_slot(Epoch::of(2)).unwrap_or_default();
    let first = first.max(rollup.first_slot_after(run.driver.now()));
    let start = rollup.clock.slot_start(first).ok_or_else(|| no_such(first))?;
    run.wait_until(start, "the first epoch with proposers").await?;
    let mut blocks = 0;
    // At most twice as many slots as blocks are simulated: every sequencer may be offline.
    for done in 0..wanted.saturating_mul(2) {
        if blocks == wanted {
            break;
        }
        run.progress("blocks on the old rollup", done, wanted);
        let slot = next_slot(run, 0);
        let outcome = run_slot(run, 0, slot).await?;
        blocks += u64::from(outcome.block.is_some());
        record_outcome(run, 0, &outcome);
    }
    Ok(())
}
