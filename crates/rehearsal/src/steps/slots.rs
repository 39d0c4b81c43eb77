//! Slots: whose they are, and what happens in them.

use alloy_primitives::Address;
use canon_abi::{RewardDistributor, Rollup};
use canon_agents::Sequencer;
use canon_chain::Confirmed;
use canon_protocol::{Amount, Epoch, RollupBlock, Slot, TooLarge};
use canon_views::{IntentSubject, SequencerDuty, SignalDecision, sequencer};

use crate::{
    acting::Member,
    error::{During, Error, Result},
    followed_set::DeployedRollup,
    timeline::{Event, Spent, Who},
    upgrade_run::UpgradeRun,
};

/// What happened in a slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    pub(super) slot: Slot,
    /// Whose slot it is; nobody's if its epoch has no seed or an empty set.
    pub(super) sequencer: Option<usize>,
    /// Whether it is a squatter's, who does nothing.
    pub(super) squatter: bool,
    /// Whether its epoch has a seed. Asked only if it is nobody's.
    pub(super) seeded: bool,
    /// The block, and what it earned.
    pub(super) block: Option<(RollupBlock, Amount)>,
    /// Whether its proposer signaled, or why not.
    pub(super) decision: SignalDecision,
    pub(super) signaled: bool,
    pub(super) spent: Spent,
}

/// Plays a slot: its proposer, if there is one and it is there, does what it finds right.
pub(super) async fn turn(run: &mut UpgradeRun<'_>, rollup: usize, slot: Slot) -> Result<Turn> {
    let (address, clock) = (run.set.rollups[rollup].address, run.set.rollups[rollup].clock);
    let start = clock.slot_start(slot).ok_or_else(|| no_such(slot))?;
    let end = clock.slot_end(slot).ok_or_else(|| no_such(slot))?;
    run.pass_until(start).await?;
    let proposer = proposer_of(run, rollup, slot)?;
    let sequencer = proposer.and_then(|proposer| run.participants.sequencer_of(proposer));
    let squatter = proposer == Some(run.participants.squatter.address());
    if let (Some(proposer), None, false) = (proposer, sequencer, squatter) {
        return Err(Error::Unexpected(format!("{proposer} has slot {slot} and nobody knows it")));
    }
    let epoch = clock.epoch_of(slot);
    let seed = run.state().rollup(address).map(|rollup| rollup.seed(epoch, start));
    let mut turn = Turn {
        slot,
        sequencer,
        squatter,
        seeded: matches!(seed, Some(Ok(Some(_)))),
        block: None,
        decision: SignalDecision::NoPayload,
        signaled: false,
        spent: Spent::default(),
    };
    // Who moved on leaves the slots that its old seat still draws.
    let serves = |index: &usize| {
        let sequencer = &run.participants.sequencers[*index];
        sequencer.online() && sequencer.agent.role.identity.rollup == address
    };
    let Some(index) = sequencer.filter(serves) else {
        // The slot goes by.
        run.mine_all().await?;
        return Ok(turn);
    };
    turn.decision = decision(run, index).await?;
    // What it does in the next slot is another turn.
    let mut acted = run.act(ACT, &[Member::Proposer(index)], end).await?;
    if let Some((_, error)) = acted.refused.pop() {
        return Err(error).during(ACT);
    }
    turn.spent = acted.spent;
    for (_, subject, confirmed) in &acted.done {
        match subject {
            IntentSubject::Signal { .. } => turn.signaled = true,
            IntentSubject::ProposeBlock { .. } => {
                turn.block = Some(block(run, address, confirmed)?)
            }
            _ => {}
        }
    }
    Ok(turn)
}

const ACT: &str = "playing a slot";

/// Whether a sequencer signals in the next block, and why not.
async fn decision(run: &mut UpgradeRun<'_>, index: usize) -> Result<SignalDecision> {
    let next = run.driver.next_time();
    let view = run
        .view(next, |participants, question| participants.sequencers[index].agent.ask(question))
        .await?;
    let Sequencer { identity, plan } = &run.participants.sequencers[index].agent.role;
    let SequencerDuty { decision, .. } = sequencer(&view.present, identity, plan.as_ref());
    Ok(decision)
}

/// The number of a rollup's new block, and what it earned.
fn block(
    run: &UpgradeRun<'_>,
    rollup: Address,
    confirmed: &Confirmed,
) -> Result<(RollupBlock, Amount)> {
    let unexpected = |error: TooLarge| Error::Unexpected(error.to_string());
    let distributor = run.set.addresses().distributor;
    let paid = confirmed.event::<RewardDistributor::RewardPaid>(distributor);
    let paid = paid.map(|paid| Amount::try_from(paid.amount)).transpose().map_err(unexpected)?;
    let proposed = confirmed.event::<Rollup::BlockProposed>(rollup);
    let number = proposed.map(|proposed| RollupBlock::try_from(proposed.blockNumber)).transpose();
    Ok((number.map_err(unexpected)?.unwrap_or_default(), paid.unwrap_or_default()))
}

fn no_such(slot: Slot) -> Error {
    Error::Unexpected(format!("slot {slot} is beyond all time"))
}

/// Whose slot a slot of the next block's epoch or the one after it is; `None` if it is nobody's.
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

/// The first slot of a rollup that begins with the next L1 block or after it.
pub(super) fn next_slot(run: &UpgradeRun<'_>, rollup: usize) -> Slot {
    let (clock, time) = (run.set.rollups[rollup].clock, run.driver.next_time());
    let slot = clock.slot_at(time).unwrap_or_default();
    if clock.slot_start(slot).is_some_and(|start| start < time) { slot.next() } else { slot }
}

/// Says what happened in a slot, as far as blocks go.
pub(super) fn tell(run: &mut UpgradeRun<'_>, rollup: usize, turn: &Turn) {
    let (label, slot) = (run.set.rollups[rollup].label, turn.slot);
    match (turn.sequencer, turn.block) {
        (Some(index), Some((number, reward))) => {
            let who = run.participants.sequencers[index].who();
            let event = Event::BlockProposed { rollup: label, number, slot, reward };
            run.tell(who, event, Some(turn.spent));
        }
        (Some(index), None) => {
            let who = run.participants.sequencers[index].who();
            run.tell(who, Event::SlotMissed { rollup: label, slot }, None);
        }
        (None, _) if turn.squatter => {
            run.tell(Who::Squatter, Event::SlotMissed { rollup: label, slot }, None);
        }
        (None, _) => {
            let event = Event::NoProposer { rollup: label, slot, seeded: turn.seeded };
            run.tell(Who::Time, event, None);
        }
    }
}

/// Some blocks of the old rollup, as soon as it can have any.
pub(super) async fn show_old(run: &mut UpgradeRun<'_>) -> Result<()> {
    let wanted = run.scenario.rollup.blocks_before;
    // Epochs 0 and 1 of any rollup have an empty set.
    let rollup = &run.set.rollups[0];
    let first = rollup.clock.first_slot(Epoch::of(2)).unwrap_or_default();
    let first = first.max(rollup.first_slot_after(run.driver.now()));
    let start = rollup.clock.slot_start(first).ok_or_else(|| no_such(first))?;
    run.wait_until(start, "the first epoch with proposers").await?;
    let mut blocks = 0;
    // As many slots again as misses are to be expected, and no more: everybody may be offline.
    for done in 0..wanted.saturating_mul(2) {
        if blocks == wanted {
            break;
        }
        run.progress("blocks on the old rollup", done, wanted);
        let slot = next_slot(run, 0);
        let turn = turn(run, 0, slot).await?;
        blocks += u64::from(turn.block.is_some());
        tell(run, 0, &turn);
    }
    Ok(())
}
