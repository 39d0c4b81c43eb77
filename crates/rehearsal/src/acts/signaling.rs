//! Rounds of signals.

use std::collections::BTreeSet;

use canon_agents::{SignalDecision, SignalPlan, VettedPayload};
use canon_l1::calls;
use canon_protocol::{Epoch, RollupBlock, Round, Slot, Timestamp};

use super::slots;
use crate::{
    agenda::{Agenda, Task},
    cast::Conduct,
    error::{Error, Result, refusal_of},
    scenario::{End, Route},
    timeline::{Event, Spent, Who},
    world::{Won, World},
};

/// Lets the next proposal that needs signals begin. `after` is the one before it.
pub(super) fn schedule(world: &World<'_>, agenda: &mut Agenda, after: Option<usize>) {
    let from = after.map_or(0, |docket| docket + 1);
    let mut rest = world.dockets.iter().enumerate().skip(from);
    if let Some((docket, _)) = rest.find(|(_, docket)| docket.plan.by == Route::Signals) {
        agenda.add(world.stage.next_time(), Task::Campaign { docket });
    }
}

/// Every operator sets the payload, after the checks that its client makes.
pub(super) async fn campaign(
    world: &mut World<'_>,
    agenda: &mut Agenda,
    docket: usize,
) -> Result<()> {
    let (payload, height) = (world.dockets[docket].payload, world.dockets[docket].height);
    let vetted = VettedPayload::vet(world.stage.client(), payload, None).await;
    let vetted = vetted.map_err(|error| Error::Unexpected(error.to_string()))?;
    let plan = SignalPlan::new(vetted).from_block(height);
    world.campaign = Some(docket);
    for sequencer in &mut world.cast.sequencers {
        if sequencer.conduct == Conduct::Diligent {
            sequencer.agent.set_plan(Some(plan.clone()));
        }
    }
    let rollup = world.canonical();
    let slot = slots::next_slot(world, rollup);
    world.count = Count::new(rollup, world.scenario.signaling.rules.round_of(slot));
    agenda.add(start_of(world, slot)?, Task::Signal { docket, slot });
    fall_silent(world, slot)
}

/// At the first campaign the canonical rollup's set falls silent, if the scenario says so: for the rest
/// of the epoch and for so many more.
fn fall_silent(world: &mut World<'_>, slot: Slot) -> Result<()> {
    let epochs = std::mem::take(&mut world.silent_epochs);
    if epochs == 0 {
        return Ok(());
    }
    let rollup = &world.rollups[world.count.rollup];
    let last = Epoch::of(rollup.clock.epoch_of(slot).get() + epochs);
    let first_slot = rollup.clock.first_slot(last.next()).unwrap_or(Slot::MAX);
    let (label, until) = (rollup.label, start_of(world, first_slot)?);
    world.silent_until = Some(until);
    world.tell(Who::Time, Event::Silence { rollup: label, epochs, until }, None);
    Ok(())
}

/// The first second of a slot of the rollup whose signals are counted.
fn start_of(world: &World<'_>, slot: Slot) -> Result<Timestamp> {
    let clock = world.rollups[world.count.rollup].clock;
    clock
        .slot_start(slot)
        .ok_or_else(|| Error::Unexpected(format!("slot {slot} is beyond all time")))
}

/// Whether another rollup became canonical meanwhile. Signals start from zero there.
fn begins_anew(world: &World<'_>, agenda: &mut Agenda, docket: usize) -> bool {
    let switched = world.count.rollup != world.canonical();
    if switched {
        agenda.add(world.stage.next_time(), Task::Campaign { docket });
    }
    switched
}

/// A slot in which its proposer may signal for a proposal.
pub(super) async fn signal(
    world: &mut World<'_>,
    agenda: &mut Agenda,
    docket: usize,
    slot: Slot,
) -> Result<()> {
    if begins_anew(world, agenda, docket) {
        return Ok(());
    }
    let rules = world.scenario.signaling.rules;
    let round = rules.round_of(slot);
    if world.count.round != round {
        world.count = Count::new(world.count.rollup, round);
    }
    // Long batches elsewhere may have taken the slot's time.
    if world.stage.next_time() <= start_of(world, slot)? {
        let start = start_of(world, slot)?;
        match world.silent_until.is_some_and(|until| start < until) {
            true => signal_in_vain(world, docket, slot).await?,
            false => play(world, docket, slot).await?,
        }
    }
    let (done, of) = (slot.get() - rules.first_slot(round).get() + 1, u64::from(rules.m()));
    world.progress("slots of the round", done, of);
    // Nobody signals for what has won: such a signal would be gas for nothing.
    if world.dockets[docket].has_won(round) || slot == rules.last_slot(round) {
        let time = start_of(world, rules.first_slot(round.next()))?;
        agenda.add(time, Task::RoundOver { docket, round });
    } else {
        agenda.add(start_of(world, slot.next())?, Task::Signal { docket, slot: slot.next() });
    }
    Ok(())
}

async fn play(world: &mut World<'_>, docket: usize, slot: Slot) -> Result<()> {
    let rules = world.scenario.signaling.rules;
    let (rollup, round) = (world.count.rollup, rules.round_of(slot));
    let newest = RollupBlock::of(world.rollups[rollup].blocks);
    if newest >= world.dockets[docket].height {
        world.count.open = true;
        if !world.out_of_turn_tried {
            world.out_of_turn_tried = out_of_turn(world, docket, slot).await?;
        }
    }
    let turn = slots::turn(world, rollup, slot).await?;
    world.count.blocks += u64::from(turn.block.is_some());
    if turn.signaled {
        world.count.signals += 1;
    }
    tell(world, docket, &turn);
    if turn.signaled && world.count.signals == u64::from(rules.n()) {
        let (instance, proposals) = (world.rollups[rollup].address, world.set.proposals);
        world.dockets[docket].won = Some(Won { round, instance, proposals });
        tell_group(world, docket);
        let (from, until) = rules.push_slots(round);
        let event = Event::QuorumReached {
            azip: world.dockets[docket].plan.azip.clone(),
            round,
            pushable_from: start_of(world, from)?,
            pushable_until: start_of(world, until.next())?,
        };
        world.tell(Who::Time, event, None);
    }
    Ok(())
}

/// What was counted in the present round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Count {
    /// Whose slots count, as an index.
    rollup: usize,
    round: Round,
    /// Whether the agreed height was reached in it, so that signals were possible.
    open: bool,
    signals: u64,
    blocks: u64,
    group: Group,
}

/// Signals and blocks that were not reported yet: those of large rounds are reported in groups.
#[derive(Clone, Debug, Default)]
struct Group {
    from: Option<Slot>,
    to: Slot,
    signals: u64,
    blocks: u64,
    sequencers: BTreeSet<usize>,
    spent: Spent,
}

impl Count {
    fn new(rollup: usize, round: Round) -> Self {
        Self { rollup, round, ..Self::default() }
    }
}

/// The largest quorum up to which each signal is reported.
const TELL_EACH: u32 = 16;
/// The number of groups in which the signals of a larger quorum are reported, roughly.
const GROUPS: u64 = 6;

fn tell(world: &mut World<'_>, docket: usize, turn: &slots::Turn) {
    let rules = world.scenario.signaling.rules;
    let (round, needed) = (rules.round_of(turn.slot), u64::from(rules.n()));
    if rules.n() > TELL_EACH {
        let group = &mut world.count.group;
        group.from.get_or_insert(turn.slot);
        group.to = turn.slot;
        group.signals += u64::from(turn.signaled);
        group.blocks += u64::from(turn.block.is_some());
        let acted = turn.signaled || turn.block.is_some();
        group.sequencers.extend(turn.sequencer.filter(|_| acted));
        group.spent = group.spent.and(turn.spent);
        if group.signals >= needed.div_ceil(GROUPS) {
            tell_group(world, docket);
        }
        return;
    }
    let (Some(index), Some((rollup_block, _))) = (turn.sequencer, turn.block) else {
        return slots::tell(world, world.count.rollup, turn);
    };
    let (who, slot) = (world.cast.sequencers[index].who(), turn.slot);
    let event = match turn.decision {
        _ if turn.signaled => {
            let (azip, count) = (world.dockets[docket].plan.azip.clone(), world.count.signals);
            Event::Signaled { azip, slot, round, count, needed, rollup_block }
        }
        SignalDecision::TooEarly { .. } => {
            return slots::tell(world, world.count.rollup, turn);
        }
        _ => Event::Silent { slot, round, rollup_block },
    };
    world.tell(who, event, Some(turn.spent));
}

fn tell_group(world: &mut World<'_>, docket: usize) {
    let group = std::mem::take(&mut world.count.group);
    let Some(from) = group.from else { return };
    let event = Event::SignaledMore {
        azip: world.dockets[docket].plan.azip.clone(),
        from,
        to: group.to,
        round: world.count.round,
        signals: group.signals,
        blocks: group.blocks,
        count: world.count.signals,
        needed: world.scenario.signaling.rules.n().into(),
    };
    world.tell(Who::Sequencers(group.sequencers.len() as u64), event, Some(group.spent));
}

/// Somebody whose slot it isn't tries to signal, and is refused. Returns whether anybody tried.
async fn out_of_turn(world: &mut World<'_>, docket: usize, slot: Slot) -> Result<bool> {
    let start = start_of(world, slot)?;
    world.stage.wait_until(start)?;
    let proposer = slots::proposer_of(world, world.count.rollup, slot).await?;
    let stranger = world.cast.sequencers.iter().find(|sequencer| {
        sequencer.conduct == Conduct::Diligent
            && !sequencer.pioneer
            && sequencer.proposer.address() != proposer
    });
    let Some(sequencer) = stranger.filter(|_| !proposer.is_zero()) else { return Ok(false) };
    let call = calls::signal(world.set.proposals, world.dockets[docket].payload);
    let who = sequencer.who();
    let Err(error) = sequencer.proposer.simulate(&call, world.stage.next()).await else {
        return Err(Error::Unexpected(format!("{who} could signal in slot {slot} of another")));
    };
    let refusal = refusal_of(error, "signaling out of turn")?;
    let tried = format!("tries slot {slot}, which isn't its own");
    world.tell_off_chain(who, Event::Refused { tried, refusal });
    Ok(true)
}

/// In an epoch without a seed nobody can signal, whoever tries.
async fn signal_in_vain(world: &mut World<'_>, docket: usize, slot: Slot) -> Result<()> {
    let start = start_of(world, slot)?;
    world.stage.wait_until(start)?;
    if !slots::proposer_of(world, world.count.rollup, slot).await?.is_zero() {
        // Those whose slot it is are silent.
        return Ok(());
    }
    let mut sequencers = world.cast.sequencers.iter();
    let Some(sequencer) = sequencers.find(|sequencer| sequencer.conduct == Conduct::Diligent)
    else {
        return Ok(());
    };
    let call = calls::signal(world.set.proposals, world.dockets[docket].payload);
    let (who, next) = (sequencer.who(), world.stage.next());
    let Err(error) = sequencer.proposer.simulate(&call, next).await else {
        return Err(Error::Unexpected(format!("{who} could signal in slot {slot} of nobody")));
    };
    let refusal = refusal_of(error, "signaling without a proposer")?;
    if !world.dockets[docket].refusals.contains(&refusal.name) {
        let tried = format!("tries slot {slot}, whose epoch has no seed");
        world.refused(docket, who, tried, refusal);
    }
    Ok(())
}

/// A round is over: it was won, or it is tried again, or given up.
pub(super) async fn round_over(
    world: &mut World<'_>,
    agenda: &mut Agenda,
    docket: usize,
    round: Round,
) -> Result<()> {
    tell_group(world, docket);
    if world.dockets[docket].has_won(round) {
        let time = world.stage.next_time() + world.scenario.keeper.push_delay;
        agenda.add(time, Task::Push { docket, round });
        schedule(world, agenda, Some(docket));
        return Ok(());
    }
    if begins_anew(world, agenda, docket) {
        return Ok(());
    }
    let rules = world.scenario.signaling.rules;
    let azip = world.dockets[docket].plan.azip.clone();
    // Without blocks the agreed height never comes.
    if world.count.open || world.count.blocks == 0 {
        let (count, needed) = (world.count.signals, rules.n().into());
        let event = Event::RoundLost { azip: azip.clone(), round, count, needed };
        world.tell(Who::Time, event, None);
        world.dockets[docket].rounds_tried += 1;
    }
    let rounds = world.dockets[docket].rounds_tried;
    if rounds < world.scenario.signaling.patience {
        let slot = rules.first_slot(round.next());
        agenda.add(start_of(world, slot)?, Task::Signal { docket, slot });
        return Ok(());
    }
    // The head has to be in the next round before anyone can be refused for want of signals.
    world.stage.mine_all()?;
    push_in_vain(world, docket, round).await?;
    world.tell(Who::Time, Event::GaveUp { azip, rounds }, None);
    world.over(docket, End::NoQuorum);
    schedule(world, agenda, Some(docket));
    Ok(())
}

/// Somebody tries to push a round that can't be pushed.
pub(super) async fn push_in_vain(world: &mut World<'_>, docket: usize, round: Round) -> Result<()> {
    let call = calls::push(world.set.proposals, world.set.governance, round);
    let Err(error) = world.cast.anyone.simulate(&call, world.stage.next()).await else {
        return Err(Error::Unexpected(format!("round {round} could be pushed")));
    };
    let refusal = refusal_of(error, "pushing in vain")?;
    world.refused(docket, Who::Anyone, format!("tries to push round {round}"), refusal);
    Ok(())
}
