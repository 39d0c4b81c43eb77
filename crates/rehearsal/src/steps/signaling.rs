//! Campaigns and rounds of signals.

use std::collections::BTreeSet;

use alloy_primitives::Address;
use canon_chain::{VettedPayload, calls};
use canon_protocol::{Epoch, RollupBlock, Round, Slot, Timestamp};
use canon_views::{SignalDecision, SignalPlan};

use super::slots;
use crate::{
    agenda::{Agenda, Task},
    error::{Error, Result, refusal_of},
    participants::{Conduct, Staking},
    scenario::Route,
    timeline::{Spent, TimelineEvent, Who},
    upgrade_run::UpgradeRun,
};

/// Schedules the campaign of the next proposal that needs signals. `after` is the track of the last one.
pub(super) fn schedule(run: &UpgradeRun<'_>, agenda: &mut Agenda, after: Option<usize>) {
    let from = after.map_or(0, |track| track + 1);
    let mut rest = run.tracks.iter().enumerate().skip(from);
    if let Some((track, _)) = rest.find(|(_, track)| track.plan.by == Route::Signals) {
        agenda.add(run.driver.next_time(), Task::Campaign { track });
    }
}

/// Begins a campaign: every diligent sequencer checks the payload and sets it.
pub(super) async fn campaign(
    run: &mut UpgradeRun<'_>,
    agenda: &mut Agenda,
    track: usize,
) -> Result<()> {
    let (payload, height) = (run.tracks[track].payload, run.tracks[track].height);
    let (client, governance) = (run.driver.client(), run.set.addresses().governance);
    let vetted = VettedPayload::vet_at(client, run.driver.head(), governance, payload, None).await;
    let vetted = vetted.map_err(|error| Error::Unexpected(error.to_string()))?;
    let plan = SignalPlan::new(payload, vetted.code_hash(), vetted.actions_hash());
    let plan = SignalPlan { from_block: height, ..plan };
    run.signaling.campaign = Some(track);
    for sequencer in &mut run.participants.sequencers {
        if sequencer.conduct == Conduct::Diligent {
            sequencer.agent.role.plan = Some(plan);
        }
    }
    let rollup = run.set.canonical()?;
    let slot = slots::next_slot(run, rollup);
    run.signaling.count = Count::new(rollup, run.scenario.signaling.rules.round_of(slot));
    agenda.add(start_of(run, slot)?, Task::Signal { track, slot });
    fall_silent(run, slot)
}

/// Begins the silence of the canonical rollup at the first campaign, if the scenario has silent epochs.
/// It lasts for the rest of the epoch and for that number of further epochs.
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
    run.record_event(Who::Time, TimelineEvent::Silence { rollup: label, epochs, until }, None);
    Ok(())
}

/// The first second of a slot of the rollup whose signals are counted.
fn start_of(run: &UpgradeRun<'_>, slot: Slot) -> Result<Timestamp> {
    let clock = run.set.rollups[run.signaling.count.rollup].clock;
    clock.slot_start(slot).ok_or_else(|| {
        Error::Unexpected(format!("slot {slot} starts after the last representable timestamp"))
    })
}

/// Whether another rollup became canonical in the meantime. If so, schedules a new campaign, because its
/// signals start from zero.
fn begins_anew(run: &UpgradeRun<'_>, agenda: &mut Agenda, track: usize) -> Result<bool> {
    let switched = run.signaling.count.rollup != run.set.canonical()?;
    if switched {
        agenda.add(run.driver.next_time(), Task::Campaign { track });
    }
    Ok(switched)
}

/// Simulates a slot in which its proposer may signal for a proposal, and schedules the next slot or the
/// end of the round.
pub(super) async fn signal(
    run: &mut UpgradeRun<'_>,
    agenda: &mut Agenda,
    track: usize,
    slot: Slot,
) -> Result<()> {
    if begins_anew(run, agenda, track)? {
        return Ok(());
    }
    let rules = run.scenario.signaling.rules;
    let round = rules.round_of(slot);
    if run.signaling.count.round != round {
        run.signaling.count = Count::new(run.signaling.count.rollup, round);
    }
    // Earlier batches of transactions may have taken more time than planned, so that the slot is over.
    if run.driver.next_time() <= start_of(run, slot)? {
        let start = start_of(run, slot)?;
        match run.signaling.silent_until.is_some_and(|until| start < until) {
            true => expect_signal_refused(run, track, slot).await?,
            false => signal_slot(run, track, slot).await?,
        }
    }
    let (done, of) = (slot.get() - rules.first_slot(round).get() + 1, u64::from(rules.m()));
    run.progress("slots of the round", done, of);
    // Nobody signals for a payload that has won: it would waste gas.
    if has_won(run, track, round) || slot == rules.last_slot(round) {
        let time = start_of(run, rules.first_slot(round.next()))?;
        agenda.add(time, Task::RoundOver { track, round });
    } else {
        agenda.add(start_of(run, slot.next())?, Task::Signal { track, slot: slot.next() });
    }
    Ok(())
}

/// Simulates a slot of a round and records its signal and block.
async fn signal_slot(run: &mut UpgradeRun<'_>, track: usize, slot: Slot) -> Result<()> {
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
    let outcome = slots::run_slot(run, rollup, slot).await?;
    run.signaling.count.blocks += u64::from(outcome.block.is_some());
    record_outcome(run, track, &outcome);
    if outcome.signaled && rules.is_won(signals(run, track, round)) {
        record_group(run, track);
        let (from, until) = rules.push_slots(round);
        let event = TimelineEvent::QuorumReached {
            azip: run.tracks[track].plan.azip.clone(),
            round,
            pushable_from: start_of(run, from)?,
            pushable_until: start_of(run, until.next())?,
        };
        run.record_event(Who::Time, event, None);
    }
    Ok(())
}

/// The progress of the scenario's signaling.
#[derive(Clone, Debug)]
pub(crate) struct Signaling {
    /// The track of the payload that the sequencers are set to signal for.
    pub(crate) campaign: Option<usize>,
    /// Whether a sequencer has tried to signal in another's slot.
    out_of_turn_tried: bool,
    /// The number of silent epochs to come.
    silent_epochs: u64,
    /// The first second after the present silence, during which nobody calls the canonical rollup;
    /// `None` without one.
    pub(crate) silent_until: Option<Timestamp>,
    /// The present round.
    count: Count,
}

impl Signaling {
    /// The state before the first campaign.
    pub(crate) fn new(silent_epochs: u64) -> Self {
        let (campaign, silent_until, count) = (None, None, Count::default());
        Self { campaign, out_of_turn_tried: false, silent_epochs, silent_until, count }
    }
}

/// The number of signals for a proposal in a round of the rollup that counts.
fn signals(run: &UpgradeRun<'_>, track: usize, round: Round) -> u32 {
    let instance = run.set.rollups[run.signaling.count.rollup].address;
    let proposals = run.state().proposals(proposals(run));
    let payload = run.tracks[track].payload;
    proposals.map_or(0, |proposals| proposals.yea_count(instance, round, payload))
}

/// Whether a proposal won a round.
fn has_won(run: &UpgradeRun<'_>, track: usize, round: Round) -> bool {
    run.state().round_won_by(run.tracks[track].payload).is_some_and(|won| won.round == round)
}

/// The counters of the present round.
#[derive(Clone, Debug, Default)]
struct Count {
    /// The index of the rollup whose slots count.
    rollup: usize,
    round: Round,
    /// Whether the agreed height was reached in the round, so that signals were possible.
    open: bool,
    blocks: u64,
    group: Group,
}

/// Signals and blocks that haven't been reported yet. Those of large rounds are reported in groups.
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

/// The largest quorum for which each signal is reported.
const REPORT_EACH: u32 = 16;
/// The approximate number of groups in which the signals of a larger quorum are reported.
const GROUPS: u64 = 6;

/// Records the signal and the block of a slot, in a group if the quorum is large.
fn record_outcome(run: &mut UpgradeRun<'_>, track: usize, outcome: &slots::SlotOutcome) {
    let rules = run.scenario.signaling.rules;
    let (round, needed) = (rules.round_of(outcome.slot), u64::from(rules.n()));
    if rules.n() > REPORT_EACH {
        let group = &mut run.signaling.count.group;
        group.from.get_or_insert(outcome.slot);
        group.to = outcome.slot;
        group.signals += u64::from(outcome.signaled);
        group.blocks += u64::from(outcome.block.is_some());
        let acted = outcome.signaled || outcome.block.is_some();
        group.sequencers.extend(outcome.proposer.sequencer().filter(|_| acted));
        group.spent = group.spent.and(outcome.spent);
        if group.signals >= needed.div_ceil(GROUPS) {
            record_group(run, track);
        }
        return;
    }
    let (Some(index), Some((rollup_block, _))) = (outcome.proposer.sequencer(), outcome.block)
    else {
        return slots::record_outcome(run, run.signaling.count.rollup, outcome);
    };
    let (who, slot) = (run.participants.sequencers[index].who(), outcome.slot);
    let event = match outcome.decision {
        _ if outcome.signaled => {
            let (azip, count) =
                (run.tracks[track].plan.azip.clone(), signals(run, track, round).into());
            TimelineEvent::Signaled { azip, slot, round, count, needed, rollup_block }
        }
        SignalDecision::TooEarly { .. } => {
            return slots::record_outcome(run, run.signaling.count.rollup, outcome);
        }
        _ => TimelineEvent::Silent { slot, round, rollup_block },
    };
    run.record_event(who, event, Some(outcome.spent));
}

/// Records the signals and blocks that haven't been reported yet.
fn record_group(run: &mut UpgradeRun<'_>, track: usize) {
    let group = std::mem::take(&mut run.signaling.count.group);
    let Some(from) = group.from else { return };
    let event = TimelineEvent::SignaledMore {
        azip: run.tracks[track].plan.azip.clone(),
        from,
        to: group.to,
        round: run.signaling.count.round,
        signals: group.signals,
        blocks: group.blocks,
        count: signals(run, track, run.signaling.count.round).into(),
        needed: run.scenario.signaling.rules.n().into(),
    };
    run.record_event(Who::Sequencers(group.sequencers.len() as u64), event, Some(group.spent));
}

/// The Proposals contract in force.
fn proposals(run: &UpgradeRun<'_>) -> Address {
    run.state().governance().governance_proposer()
}

/// Checks that a sequencer can't signal in another's slot. Returns whether it was tried.
async fn out_of_turn(run: &mut UpgradeRun<'_>, track: usize, slot: Slot) -> Result<bool> {
    let start = start_of(run, slot)?;
    run.pass_until(start).await?;
    let proposer = slots::proposer_of(run, run.signaling.count.rollup, slot)?;
    let stranger = run.participants.sequencers.iter().find(|sequencer| {
        sequencer.conduct == Conduct::Diligent
            && sequencer.staking != Staking::Pioneer
            && Some(sequencer.agent.address()) != proposer
    });
    let Some(sequencer) = stranger.filter(|_| proposer.is_some()) else { return Ok(false) };
    let call = calls::signal(proposals(run), run.tracks[track].payload);
    let who = sequencer.who();
    let Err(error) = sequencer.proposer().simulate(&call, run.driver.next()).await else {
        return Err(Error::Unexpected(format!("{who} could signal in slot {slot} of another")));
    };
    let refusal = refusal_of(error, "signaling out of turn")?;
    let tried = format!("tries slot {slot}, which isn't its own");
    run.record_attempt(who, TimelineEvent::Refused { tried, refusal });
    Ok(true)
}

/// Checks that nobody can signal in an epoch without a seed.
async fn expect_signal_refused(run: &mut UpgradeRun<'_>, track: usize, slot: Slot) -> Result<()> {
    let start = start_of(run, slot)?;
    run.pass_until(start).await?;
    if slots::proposer_of(run, run.signaling.count.rollup, slot)?.is_some() {
        // The slot has a proposer, which is silent now.
        return Ok(());
    }
    let mut sequencers = run.participants.sequencers.iter();
    let Some(sequencer) = sequencers.find(|sequencer| sequencer.conduct == Conduct::Diligent)
    else {
        return Ok(());
    };
    let call = calls::signal(proposals(run), run.tracks[track].payload);
    let (who, next) = (sequencer.who(), run.driver.next());
    let Err(error) = sequencer.proposer().simulate(&call, next).await else {
        return Err(Error::Unexpected(format!(
            "{who} could signal in slot {slot}, which has no proposer"
        )));
    };
    let refusal = refusal_of(error, "signaling without a proposer")?;
    if !run.tracks[track].refusals.contains(&refusal.name) {
        let tried = format!("tries slot {slot}, whose epoch has no seed");
        run.refused(track, who, tried, refusal);
    }
    Ok(())
}

/// Ends a round: it was won, the next one is tried, or the sequencers give up.
pub(super) async fn round_over(
    run: &mut UpgradeRun<'_>,
    agenda: &mut Agenda,
    track: usize,
    round: Round,
) -> Result<()> {
    record_group(run, track);
    if has_won(run, track, round) {
        let time = run.driver.next_time() + run.scenario.keeper.push_delay;
        agenda.add(time, Task::Push { track, round });
        schedule(run, agenda, Some(track));
        return Ok(());
    }
    if begins_anew(run, agenda, track)? {
        return Ok(());
    }
    let rules = run.scenario.signaling.rules;
    let azip = run.tracks[track].plan.azip.clone();
    // A round before the agreed height counts only if it had no blocks: without blocks the height is
    // never reached.
    if run.signaling.count.open || run.signaling.count.blocks == 0 {
        let (count, needed) = (signals(run, track, round).into(), rules.n().into());
        let event = TimelineEvent::RoundLost { azip: azip.clone(), round, count, needed };
        run.record_event(Who::Time, event, None);
        run.tracks[track].rounds_tried += 1;
    }
    let rounds = run.tracks[track].rounds_tried;
    if rounds < run.scenario.signaling.patience {
        let slot = rules.first_slot(round.next());
        agenda.add(start_of(run, slot)?, Task::Signal { track, slot });
        return Ok(());
    }
    // The head must be in the next round, so that the refusal is about the number of signals.
    run.mine_all().await?;
    expect_push_refused(run, track, round).await?;
    run.record_event(Who::Time, TimelineEvent::GaveUp { azip, rounds }, None);
    run.over(track)?;
    schedule(run, agenda, Some(track));
    Ok(())
}

/// Checks that a round that wasn't won, or has expired, can't be pushed.
pub(super) async fn expect_push_refused(
    run: &mut UpgradeRun<'_>,
    track: usize,
    round: Round,
) -> Result<()> {
    let call = calls::push(proposals(run), run.set.addresses().governance, round);
    let Err(error) = run.participants.anyone.simulate(&call, run.driver.next()).await else {
        return Err(Error::Unexpected(format!("round {round} could be pushed")));
    };
    let refusal = refusal_of(error, "checking that the push is refused")?;
    run.refused(track, Who::Anyone, format!("tries to push round {round}"), refusal);
    Ok(())
}
