//! Rounds of signals.

use std::collections::BTreeSet;

use alloy_primitives::Address;
use canon_agents::VettedPayload;
use canon_chain::calls;
use canon_protocol::{Epoch, RollupBlock, Round, Slot, Timestamp};
use canon_views::{SignalDecision, SignalPlan};

use super::slots;
use crate::{
    agenda::{Agenda, Task},
    error::{Error, Result, refusal_of},
    participants::Conduct,
    scenario::{End, Route},
    timeline::{Event, Spent, Who},
    upgrade_run::{UpgradeRun, Won},
};

/// Lets the next proposal that needs signals begin. `after` is the one before it.
pub(super) fn schedule(run: &UpgradeRun<'_>, agenda: &mut Agenda, after: Option<usize>) {
    let from = after.map_or(0, |track| track + 1);
    let mut rest = run.tracks.iter().enumerate().skip(from);
    if let Some((track, _)) = rest.find(|(_, track)| track.plan.by == Route::Signals) {
        agenda.add(run.driver.next_time(), Task::Campaign { track });
    }
}

/// Every operator sets the payload, after the checks that its client makes.
pub(super) async fn campaign(
    run: &mut UpgradeRun<'_>,
    agenda: &mut Agenda,
    track: usize,
) -> Result<()> {
    let (payload, height) = (run.tracks[track].payload, run.tracks[track].height);
    let vetted = VettedPayload::vet(run.driver.client(), payload, None).await;
    let vetted = vetted.map_err(|error| Error::Unexpected(error.to_string()))?;
    let plan = SignalPlan { from_block: height, ..vetted.signal_plan() };
    run.signaling.campaign = Some(track);
    for sequencer in &mut run.cast.sequencers {
        if sequencer.conduct == Conduct::Diligent {
            sequencer.agent.role.plan = Some(plan);
        }
    }
    let rollup = run.set.canonical();
    let slot = slots::next_slot(run, rollup);
    run.signaling.count = Count::new(rollup, run.scenario.signaling.rules.round_of(slot));
    agenda.add(start_of(run, slot)?, Task::Signal { track, slot });
    fall_silent(run, slot)
}

/// At the first campaign the canonical rollup's set falls silent, if the scenario says so: for the rest
/// of the epoch and for so many more.
fn fall_silent(run: &mut UpgradeRun<'_>, slot: Slot) -> Result<()> {
    let epochs = std::mem::take(&mut run.signaling.silent_epochs);
    if epochs == 0 {
        return Ok(());
    }
    let rollup = &run.set.rollups[run.signaling.count.rollup];
    let last = Epoch::of(rollup.clock.epoch_of(slot).get() + epochs);
    let first_slot = rollup.clock.first_slot(last.next()).unwrap_or(Slot::MAX);
    let (label, until) = (rollup.label, start_of(run, first_slot)?);
    run.signaling.silent_until = Some(until);
    run.tell(Who::Time, Event::Silence { rollup: label, epochs, until }, None);
    Ok(())
}

/// The first second of a slot of the rollup whose signals are counted.
fn start_of(run: &UpgradeRun<'_>, slot: Slot) -> Result<Timestamp> {
    let clock = run.set.rollups[run.signaling.count.rollup].clock;
    clock
        .slot_start(slot)
        .ok_or_else(|| Error::Unexpected(format!("slot {slot} is beyond all time")))
}

/// Whether another rollup became canonical meanwhile. Signals start from zero there.
fn begins_anew(run: &UpgradeRun<'_>, agenda: &mut Agenda, track: usize) -> bool {
    let switched = run.signaling.count.rollup != run.set.canonical();
    if switched {
        agenda.add(run.driver.next_time(), Task::Campaign { track });
    }
    switched
}

/// A slot in which its proposer may signal for a proposal.
pub(super) async fn signal(
    run: &mut UpgradeRun<'_>,
    agenda: &mut Agenda,
    track: usize,
    slot: Slot,
) -> Result<()> {
    if begins_anew(run, agenda, track) {
        return Ok(());
    }
    let rules = run.scenario.signaling.rules;
    let round = rules.round_of(slot);
    if run.signaling.count.round != round {
        run.signaling.count = Count::new(run.signaling.count.rollup, round);
    }
    // Long batches elsewhere may have taken the slot's time.
    if run.driver.next_time() <= start_of(run, slot)? {
        let start = start_of(run, slot)?;
        match run.signaling.silent_until.is_some_and(|until| start < until) {
            true => signal_in_vain(run, track, slot).await?,
            false => play(run, track, slot).await?,
        }
    }
    let (done, of) = (slot.get() - rules.first_slot(round).get() + 1, u64::from(rules.m()));
    run.progress("slots of the round", done, of);
    // Nobody signals for what has won: such a signal would be gas for nothing.
    if run.tracks[track].has_won(round) || slot == rules.last_slot(round) {
        let time = start_of(run, rules.first_slot(round.next()))?;
        agenda.add(time, Task::RoundOver { track, round });
    } else {
        agenda.add(start_of(run, slot.next())?, Task::Signal { track, slot: slot.next() });
    }
    Ok(())
}

async fn play(run: &mut UpgradeRun<'_>, track: usize, slot: Slot) -> Result<()> {
    let rules = run.scenario.signaling.rules;
    let (rollup, round) = (run.signaling.count.rollup, rules.round_of(slot));
    let head = run.state().rollup(run.set.rollups[rollup].address).and_then(|rollup| rollup.head());
    let newest = head.map_or(RollupBlock::ZERO, |head| head.number);
    if newest >= run.tracks[track].height {
        run.signaling.count.open = true;
        if !run.signaling.out_of_turn_tried {
            run.signaling.out_of_turn_tried = out_of_turn(run, track, slot).await?;
        }
    }
    let turn = slots::turn(run, rollup, slot).await?;
    run.signaling.count.blocks += u64::from(turn.block.is_some());
    if turn.signaled {
        run.signaling.count.signals += 1;
    }
    tell(run, track, &turn);
    if turn.signaled && run.signaling.count.signals == u64::from(rules.n()) {
        let instance = run.set.rollups[rollup].address;
        let proposals = proposals(run);
        run.tracks[track].won = Some(Won { round, instance, proposals });
        tell_group(run, track);
        let (from, until) = rules.push_slots(round);
        let event = Event::QuorumReached {
            azip: run.tracks[track].plan.azip.clone(),
            round,
            pushable_from: start_of(run, from)?,
            pushable_until: start_of(run, until.next())?,
        };
        run.tell(Who::Time, event, None);
    }
    Ok(())
}

/// The signaling of the scenario.
#[derive(Clone, Debug)]
pub(crate) struct Signaling {
    /// The track that the sequencers are set to signal for.
    pub(crate) campaign: Option<usize>,
    /// Whether somebody tried to signal in a slot of another.
    out_of_turn_tried: bool,
    /// Epochs of silence that are still to come.
    silent_epochs: u64,
    /// Until when nobody calls the canonical rollup, if anybody ever doesn't.
    pub(crate) silent_until: Option<Timestamp>,
    /// The present round.
    count: Count,
}

impl Signaling {
    /// Before anybody signals.
    pub(crate) fn new(silent_epochs: u64) -> Self {
        let (campaign, silent_until, count) = (None, None, Count::default());
        Self { campaign, out_of_turn_tried: false, silent_epochs, silent_until, count }
    }
}

/// What was counted in the present round.
#[derive(Clone, Debug, Default)]
struct Count {
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

fn tell(run: &mut UpgradeRun<'_>, track: usize, turn: &slots::Turn) {
    let rules = run.scenario.signaling.rules;
    let (round, needed) = (rules.round_of(turn.slot), u64::from(rules.n()));
    if rules.n() > TELL_EACH {
        let group = &mut run.signaling.count.group;
        group.from.get_or_insert(turn.slot);
        group.to = turn.slot;
        group.signals += u64::from(turn.signaled);
        group.blocks += u64::from(turn.block.is_some());
        let acted = turn.signaled || turn.block.is_some();
        group.sequencers.extend(turn.sequencer.filter(|_| acted));
        group.spent = group.spent.and(turn.spent);
        if group.signals >= needed.div_ceil(GROUPS) {
            tell_group(run, track);
        }
        return;
    }
    let (Some(index), Some((rollup_block, _))) = (turn.sequencer, turn.block) else {
        return slots::tell(run, run.signaling.count.rollup, turn);
    };
    let (who, slot) = (run.cast.sequencers[index].who(), turn.slot);
    let event = match turn.decision {
        _ if turn.signaled => {
            let (azip, count) = (run.tracks[track].plan.azip.clone(), run.signaling.count.signals);
            Event::Signaled { azip, slot, round, count, needed, rollup_block }
        }
        SignalDecision::TooEarly { .. } => {
            return slots::tell(run, run.signaling.count.rollup, turn);
        }
        _ => Event::Silent { slot, round, rollup_block },
    };
    run.tell(who, event, Some(turn.spent));
}

fn tell_group(run: &mut UpgradeRun<'_>, track: usize) {
    let group = std::mem::take(&mut run.signaling.count.group);
    let Some(from) = group.from else { return };
    let event = Event::SignaledMore {
        azip: run.tracks[track].plan.azip.clone(),
        from,
        to: group.to,
        round: run.signaling.count.round,
        signals: group.signals,
        blocks: group.blocks,
        count: run.signaling.count.signals,
        needed: run.scenario.signaling.rules.n().into(),
    };
    run.tell(Who::Sequencers(group.sequencers.len() as u64), event, Some(group.spent));
}

/// The Proposals contract in force.
fn proposals(run: &UpgradeRun<'_>) -> Address {
    run.state().governance().governance_proposer()
}

/// Somebody whose slot it isn't tries to signal, and is refused. Returns whether anybody tried.
async fn out_of_turn(run: &mut UpgradeRun<'_>, track: usize, slot: Slot) -> Result<bool> {
    let start = start_of(run, slot)?;
    run.pass_until(start).await?;
    let proposer = slots::proposer_of(run, run.signaling.count.rollup, slot)?;
    let stranger = run.cast.sequencers.iter().find(|sequencer| {
        sequencer.conduct == Conduct::Diligent
            && !sequencer.pioneer
            && Some(sequencer.proposer.address()) != proposer
    });
    let Some(sequencer) = stranger.filter(|_| proposer.is_some()) else { return Ok(false) };
    let call = calls::signal(proposals(run), run.tracks[track].payload);
    let who = sequencer.who();
    let Err(error) = sequencer.proposer.simulate(&call, run.driver.next()).await else {
        return Err(Error::Unexpected(format!("{who} could signal in slot {slot} of another")));
    };
    let refusal = refusal_of(error, "signaling out of turn")?;
    let tried = format!("tries slot {slot}, which isn't its own");
    run.tell_off_chain(who, Event::Refused { tried, refusal });
    Ok(true)
}

/// In an epoch without a seed nobody can signal, whoever tries.
async fn signal_in_vain(run: &mut UpgradeRun<'_>, track: usize, slot: Slot) -> Result<()> {
    let start = start_of(run, slot)?;
    run.pass_until(start).await?;
    if slots::proposer_of(run, run.signaling.count.rollup, slot)?.is_some() {
        // Those whose slot it is are silent.
        return Ok(());
    }
    let mut sequencers = run.cast.sequencers.iter();
    let Some(sequencer) = sequencers.find(|sequencer| sequencer.conduct == Conduct::Diligent)
    else {
        return Ok(());
    };
    let call = calls::signal(proposals(run), run.tracks[track].payload);
    let (who, next) = (sequencer.who(), run.driver.next());
    let Err(error) = sequencer.proposer.simulate(&call, next).await else {
        return Err(Error::Unexpected(format!("{who} could signal in slot {slot} of nobody")));
    };
    let refusal = refusal_of(error, "signaling without a proposer")?;
    if !run.tracks[track].refusals.contains(&refusal.name) {
        let tried = format!("tries slot {slot}, whose epoch has no seed");
        run.refused(track, who, tried, refusal);
    }
    Ok(())
}

/// A round is over: it was won, or it is tried again, or given up.
pub(super) async fn round_over(
    run: &mut UpgradeRun<'_>,
    agenda: &mut Agenda,
    track: usize,
    round: Round,
) -> Result<()> {
    tell_group(run, track);
    if run.tracks[track].has_won(round) {
        let time = run.driver.next_time() + run.scenario.keeper.push_delay;
        agenda.add(time, Task::Push { track, round });
        schedule(run, agenda, Some(track));
        return Ok(());
    }
    if begins_anew(run, agenda, track) {
        return Ok(());
    }
    let rules = run.scenario.signaling.rules;
    let azip = run.tracks[track].plan.azip.clone();
    // Without blocks the agreed height never comes.
    if run.signaling.count.open || run.signaling.count.blocks == 0 {
        let (count, needed) = (run.signaling.count.signals, rules.n().into());
        let event = Event::RoundLost { azip: azip.clone(), round, count, needed };
        run.tell(Who::Time, event, None);
        run.tracks[track].rounds_tried += 1;
    }
    let rounds = run.tracks[track].rounds_tried;
    if rounds < run.scenario.signaling.patience {
        let slot = rules.first_slot(round.next());
        agenda.add(start_of(run, slot)?, Task::Signal { track, slot });
        return Ok(());
    }
    // The head has to be in the next round before anyone can be refused for too few signals.
    run.mine_all().await?;
    push_in_vain(run, track, round).await?;
    run.tell(Who::Time, Event::GaveUp { azip, rounds }, None);
    run.over(track, End::NoQuorum);
    schedule(run, agenda, Some(track));
    Ok(())
}

/// Somebody tries to push a round that can't be pushed.
pub(super) async fn push_in_vain(
    run: &mut UpgradeRun<'_>,
    track: usize,
    round: Round,
) -> Result<()> {
    let call = calls::push(proposals(run), run.set.addresses().governance, round);
    let Err(error) = run.cast.anyone.simulate(&call, run.driver.next()).await else {
        return Err(Error::Unexpected(format!("round {round} could be pushed")));
    };
    let refusal = refusal_of(error, "pushing in vain")?;
    run.refused(track, Who::Anyone, format!("tries to push round {round}"), refusal);
    Ok(())
}
