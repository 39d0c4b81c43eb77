//! Slots: whose they are, and what happens in them.

use canon_abi::{RewardDistributor, Rollup};
use canon_agents::{Act, Outcome, SignalDecision};
use canon_chain::Confirmed;
use canon_protocol::{Amount, Epoch, RollupBlock, Slot};

use crate::{
    batch::kind,
    error::{During, Error, Result},
    timeline::{Event, Spent, Who},
    upgrade_run::{UpgradeRun, sum},
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
    let (address, clock) = (run.rollups[rollup].address, run.rollups[rollup].clock);
    let start = clock.slot_start(slot).ok_or_else(|| no_such(slot))?;
    run.driver.wait_until(start)?;
    let view = run.look().await?;
    let proposer = view.rollup(address).and_then(|rollup| rollup.proposer);
    let sequencer = proposer.and_then(|proposer| run.sequencer_of(proposer));
    let squatter = proposer == Some(run.cast.squatter.address());
    if let (Some(proposer), None, false) = (proposer, sequencer, squatter) {
        return Err(Error::Unexpected(format!("{proposer} has slot {slot} and nobody knows it")));
    }
    let mut turn = Turn {
        slot,
        sequencer,
        squatter,
        seeded: true,
        block: None,
        decision: SignalDecision::NoPayload,
        signaled: false,
        spent: Spent::default(),
    };
    // Who moved on leaves the slots that its old seat still draws.
    let serves = |index: &usize| {
        let sequencer = &run.cast.sequencers[*index];
        sequencer.online() && sequencer.agent.rollup() == address
    };
    let Some(index) = sequencer.filter(serves) else {
        if proposer.is_none() {
            let (client, epoch) = (run.driver.client(), clock.epoch_of(slot));
            let seeded = client.is_seed_recorded(view.head().hash.into(), address, epoch).await;
            turn.seeded = seeded.during(ACT)?;
        }
        // The slot goes by.
        run.driver.mine_all()?;
        return Ok(turn);
    };
    let end = clock.slot_end(slot).ok_or_else(|| no_such(slot))?;
    let mut view = view;
    loop {
        let agent = &mut run.cast.sequencers[index].agent;
        let outcomes = agent.tick(&view).await.during(ACT)?;
        turn.decision = agent.decision();
        let mut sent = false;
        for outcome in outcomes {
            match outcome {
                Outcome::Sent { .. } => sent = true,
                Outcome::Done { act, confirmed } => {
                    done(run, rollup, &mut turn, act, &confirmed)?;
                }
                Outcome::Failed { error, .. } => return Err(error).during(ACT),
                _ => return Err(Error::NotIncluded { act: ACT, time: run.driver.now() }),
            }
        }
        if !sent {
            return Ok(turn);
        }
        run.driver.mine_all()?;
        // It may do more in this slot, but what it does in the next one is another turn.
        let next = run.driver.next_time().min(end);
        view = run.watcher.look(next).await.during(ACT)?;
    }
}

const ACT: &str = "playing a slot";

/// What a transaction in a slot did.
fn done(
    run: &mut UpgradeRun<'_>,
    rollup: usize,
    turn: &mut Turn,
    act: Act,
    confirmed: &Confirmed,
) -> Result<()> {
    run.driver.gas.record(kind(&act), confirmed.gas_used);
    turn.spent.add(confirmed.gas_used);
    match act {
        Act::Signal { .. } => turn.signaled = true,
        Act::ProposeBlock { .. } => {
            let paid = confirmed.event::<RewardDistributor::RewardPaid>(run.set.distributor);
            let paid = paid.map(|paid| Amount::try_from(paid.amount)).transpose();
            let paid = paid.map_err(|error| Error::Unexpected(error.to_string()))?;
            let due = due(run, rollup);
            let number = run.rollups[rollup].add_block(due);
            turn.block = Some((number, paid.unwrap_or_default()));
        }
        _ => {}
    }
    Ok(())
}

fn no_such(slot: Slot) -> Error {
    Error::Unexpected(format!("slot {slot} is beyond all time"))
}

/// What a block of a rollup has to earn now.
fn due(run: &UpgradeRun<'_>, rollup: usize) -> Amount {
    if !run.rollups[rollup].canonical {
        return Amount::ZERO;
    }
    let paid = run.rollups.iter().map(|rollup| rollup.earned);
    let left = run.scenario.asset.reward_pool.saturating_sub(sum(paid));
    run.scenario.rollup.reward.min(left)
}

/// Whose slot a slot is, by the rollup.
pub(super) async fn proposer_of(
    run: &UpgradeRun<'_>,
    rollup: usize,
    slot: Slot,
) -> Result<alloy_primitives::Address> {
    let rollup = &run.rollups[rollup];
    let start = rollup.clock.slot_start(slot).ok_or_else(|| no_such(slot))?;
    let call = Rollup::getProposerAtCall { timestamp: start.to_word() };
    let client = run.driver.client();
    client.read(run.driver.head(), rollup.address, call).await.during("asking whose slot it is")
}

/// The first slot of a rollup that begins with the next L1 block or after it.
pub(super) fn next_slot(run: &UpgradeRun<'_>, rollup: usize) -> Slot {
    let (clock, time) = (run.rollups[rollup].clock, run.driver.next_time());
    let slot = clock.slot_at(time).unwrap_or_default();
    if clock.slot_start(slot).is_some_and(|start| start < time) { slot.next() } else { slot }
}

/// Says what happened in a slot, as far as blocks go.
pub(super) fn tell(run: &mut UpgradeRun<'_>, rollup: usize, turn: &Turn) {
    let (label, slot) = (run.rollups[rollup].label, turn.slot);
    match (turn.sequencer, turn.block) {
        (Some(index), Some((number, reward))) => {
            let who = run.cast.sequencers[index].who();
            let event = Event::BlockProposed { rollup: label, number, slot, reward };
            run.tell(who, event, Some(turn.spent));
        }
        (Some(index), None) => {
            let who = run.cast.sequencers[index].who();
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
    let first = run.rollups[0].clock.first_slot(Epoch::of(2)).unwrap_or_default();
    let first = first.max(run.rollups[0].first_slot_after(run.driver.now()));
    let start = run.rollups[0].clock.slot_start(first).ok_or_else(|| no_such(first))?;
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
