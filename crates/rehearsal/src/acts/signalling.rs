//! Rounds of signals.

use std::collections::BTreeSet;

use alloy::primitives::B256;
use canon_agents::{SignalDecision, SignalPlan, VettedPayload};
use canon_l1::calls;
use canon_protocol::{Round, Slot, Timestamp};

use super::slots;
use crate::{
    agenda::{Agenda, Task},
    cast::Conduct,
    error::{During, Error, Result},
    refusal::Refusal,
    scenario::{End, Route},
    timeline::{Event, Spent, Who},
    world::World,
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
    let pinned: Option<B256> = None;
    let vetted = VettedPayload::vet(world.stage.client(), payload, pinned).await;
    let vetted = vetted.map_err(|error| Error::Unexpected(error.to_string()))?;
    let plan = SignalPlan::new(vetted).from_block(height);
    world.campaign = Some(docket);
    for sequencer in &mut world.cast.sequencers {
        if sequencer.conduct == Conduct::Diligent {
            sequencer.agent.set_plan(Some(plan.clone()));
        }
    }
    let slot = slots::next_slot(world, world.canonical());
    agenda.add(start_of(world, slot)?, Task::Signal { docket, slot });
    Ok(())
}

fn start_of(world: &World<'_>, slot: Slot) -> Result<Timestamp> {
    let clock = world.rollups[world.canonical()].clock;
    clock
        .slot_start(slot)
        .ok_or_else(|| Error::Unexpected(format!("slot {slot} is beyond all time")))
}

/// A slot in which its proposer may signal for a proposal.
pub(super) async fn signal(
    world: &mut World<'_>,
    agenda: &mut Agenda,
    docket: usize,
    slot: Slot,
) -> Result<()> {
    let rules = world.scenario.signalling.rules;
    let round = rules.round_of(slot);
    if world.untold.round != round {
        world.untold = Untold { round, ..Untold::default() };
    }
    // Long batches elsewhere may have taken the slot's time.
    if world.stage.next_time() <= start_of(world, slot)? {
        play(world, docket, slot).await?;
    }
    let (done, of) = (slot.get() - rules.first_slot(round).get() + 1, u64::from(rules.m()));
    world.progress("slots of the round", done, of);
    // Nobody signals for what has won: such a signal would be gas for nothing.
    if world.dockets[docket].won == Some(round) || slot == rules.last_slot(round) {
        let time = start_of(world, rules.first_slot(round.next()))?;
        agenda.add(time, Task::RoundOver { docket, round });
    } else {
        agenda.add(start_of(world, slot.next())?, Task::Signal { docket, slot: slot.next() });
    }
    Ok(())
}

async fn play(world: &mut World<'_>, docket: usize, slot: Slot) -> Result<()> {
    let rules = world.scenario.signalling.rules;
    let (rollup, round) = (world.canonical(), rules.round_of(slot));
    let newest = canon_protocol::RollupBlock::of(world.rollups[rollup].blocks);
    let due = newest >= world.dockets[docket].height;
    world.untold.possible |= due;
    if due && world.untold.signals_ever == 0 && world.dockets[docket].rounds_tried == 0 {
        out_of_turn(world, docket, slot).await?;
    }
    let turn = slots::turn(world, rollup, slot).await?;
    if turn.signalled {
        world.untold.count += 1;
        world.untold.signals_ever += 1;
        world.dockets[docket].first_signal.get_or_insert(newest);
    }
    tell(world, docket, &turn);
    if world.untold.count == u64::from(rules.n()) && turn.signalled {
        world.dockets[docket].won = Some(round);
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

/// The present round so far. Signals of large rounds are told by the hundred: what was not told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Untold {
    pub(crate) round: Round,
    /// Whether the height was reached in it, so that signals were possible.
    possible: bool,
    /// Signals in it.
    pub(crate) count: u64,
    /// Whether the stranger had its turn.
    signals_ever: u64,
    from: Option<Slot>,
    to: Slot,
    signals: u64,
    signers: BTreeSet<usize>,
    spent: Spent,
}

/// Above so many signals to a quorum they are told in groups.
const TELL_EACH: u32 = 16;

fn tell(world: &mut World<'_>, docket: usize, turn: &slots::Turn) {
    let rules = world.scenario.signalling.rules;
    let (round, needed) = (rules.round_of(turn.slot), u64::from(rules.n()));
    if rules.n() > TELL_EACH {
        let untold = &mut world.untold;
        untold.from.get_or_insert(turn.slot);
        untold.to = turn.slot;
        untold.signals += u64::from(turn.signalled);
        untold.signers.extend(turn.sequencer.filter(|_| turn.signalled));
        untold.spent = untold.spent.and(turn.spent);
        if untold.signals >= needed.div_ceil(6) {
            tell_group(world, docket);
        }
        return;
    }
    let (Some(index), Some((rollup_block, _))) = (turn.sequencer, turn.block) else {
        return slots::tell(world, world.canonical(), turn);
    };
    let (who, slot) = (world.cast.sequencers[index].who(), turn.slot);
    let event = match turn.decision {
        SignalDecision::Signal => {
            let (azip, count) = (world.dockets[docket].plan.azip.clone(), world.untold.count);
            Event::Signalled { azip, slot, round, count, needed, rollup_block }
        }
        SignalDecision::TooEarly { .. } => {
            return slots::tell(world, world.canonical(), turn);
        }
        _ => Event::Silent { slot, round, rollup_block },
    };
    world.tell(who, event, Some(turn.spent));
}

fn tell_group(world: &mut World<'_>, docket: usize) {
    let Some(from) = world.untold.from.take() else { return };
    let rules = world.scenario.signalling.rules;
    let signals = std::mem::take(&mut world.untold.signals);
    let spent = std::mem::take(&mut world.untold.spent);
    let signers = std::mem::take(&mut world.untold.signers).len() as u64;
    let event = Event::SignalledMore {
        azip: world.dockets[docket].plan.azip.clone(),
        from,
        to: world.untold.to,
        round: world.untold.round,
        signals,
        count: world.untold.count,
        needed: rules.n().into(),
    };
    world.tell(Who::Sequencers(signers), event, Some(spent));
}

/// Somebody whose slot it isn't tries to signal, and is refused.
async fn out_of_turn(world: &mut World<'_>, docket: usize, slot: Slot) -> Result<()> {
    world.untold.signals_ever += 1;
    let start = start_of(world, slot)?;
    world.stage.wait_until(start)?;
    let proposer = slots::proposer_of(world, world.canonical(), slot).await?;
    let next = world.stage.next();
    let stranger = world.cast.sequencers.iter().find(|sequencer| {
        sequencer.conduct == Conduct::Diligent
            && !sequencer.pioneer
            && sequencer.proposer.address() != proposer
    });
    let Some(sequencer) = stranger else { return Ok(()) };
    let call = calls::signal(world.set.proposals, world.dockets[docket].payload);
    let who = sequencer.who();
    let Err(error) = sequencer.proposer.simulate(&call, next).await else {
        return Err(Error::Unexpected(format!("{who} could signal in slot {slot} of another")));
    };
    let Some(refusal) = error.as_revert().map(Refusal::from) else {
        return Err(error).during("signalling out of turn");
    };
    let tried = format!("tries slot {slot}, which isn't its own");
    world.tell_off_chain(who, Event::Refused { tried, refusal });
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
    if world.dockets[docket].won == Some(round) {
        let time = world.stage.next_time() + world.scenario.keeper.push_delay;
        agenda.add(time, Task::Push { docket, round });
        schedule(world, agenda, Some(docket));
        return Ok(());
    }
    let rules = world.scenario.signalling.rules;
    let azip = world.dockets[docket].plan.azip.clone();
    if world.untold.possible {
        let (count, needed) = (world.untold.count, rules.n().into());
        let event = Event::RoundLost { azip: azip.clone(), round, count, needed };
        world.tell(Who::Time, event, None);
        world.dockets[docket].rounds_tried += 1;
    }
    let rounds = world.dockets[docket].rounds_tried;
    if rounds < world.scenario.signalling.patience {
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
    let Some(refusal) = error.as_revert().map(Refusal::from) else {
        return Err(error).during("pushing");
    };
    world.refused(docket, Who::Anyone, format!("tries to push round {round}"), refusal);
    Ok(())
}
