//! From an accepted proposal to its end.

use alloy_primitives::Address;
use canon_chain::{Confirmed, ContractCall, calls};
use canon_protocol::{self as protocol, ProposalId, ProposalState, Rollup, Timestamp};

use super::keeper;
use crate::{
    acting::{AgentRef, is_with_list},
    agenda::{Agenda, Task},
    bytecode::IGate,
    error::{Error, Result, refusal_of},
    followed_set::PROPOSALS,
    refusal::Refusal,
    scenario::{End, PayloadKind},
    timeline::{Event, Spent, Who},
    upgrade_run::{Replacement, UpgradeRun},
};

/// The old rollup's sequencers prepare for an upgrade that was accepted.
pub(super) async fn announce_moves(run: &mut UpgradeRun<'_>, to: usize) -> Result<()> {
    let (old, new) = (run.set.rollups[run.set.canonical()].address, run.set.rollups[to].address);
    let mut members = Vec::new();
    for (index, sequencer) in run.participants.sequencers.iter_mut().enumerate() {
        if sequencer.moves && sequencer.mover.is_none() {
            sequencer.start_to_move(run.driver.client(), new)?;
            members.push(AgentRef::Mover(index));
        }
    }
    if members.is_empty() {
        return Ok(());
    }
    let acted = run.act_all("announce moves", &members).await?;
    let ready_at = moves_ready(run, old);
    let event = Event::MovesAnnounced { rollup: run.set.rollups[to].label, ready_at };
    run.record_event(Who::Sequencers(members.len() as u64), event, Some(acted.spent));
    Ok(())
}

/// The first second in which all moves from a rollup can be finished.
fn moves_ready(run: &UpgradeRun<'_>, from: Address) -> Timestamp {
    let registrations = run.state().rollup(from).map(Rollup::registrations).unwrap_or_default();
    let moves = registrations.iter().filter_map(protocol::Member::moving);
    moves.map(|moving| moving.ready_at).max().unwrap_or_default()
}

/// Anyone lets those pass who wait for it.
pub(super) async fn open_gate(run: &mut UpgradeRun<'_>, track: usize) -> Result<()> {
    let Some(gate) = run.tracks[track].gate else { return Ok(()) };
    let call = ContractCall::new(gate, &IGate::openCall {});
    let confirmed = run.send("open a gate", |participants| &mut participants.anyone, call).await?;
    let spent = Spent { transactions: 1, gas: confirmed.gas_used };
    run.record_event(Who::Anyone, Event::GateOpened, Some(spent));
    Ok(())
}

/// The proposal can be executed, and somebody tries.
pub(super) async fn execute(
    run: &mut UpgradeRun<'_>,
    agenda: &mut Agenda,
    track: usize,
) -> Result<()> {
    let (id, proposal) = run.proposal(track)?;
    let last = proposal.deadlines().executable;
    if run.tracks[track].end.is_some() || run.driver.next_time() > last {
        return Ok(());
    }
    run.tracks[track].tries += 1;
    if run.tracks[track].plan.payload == PayloadKind::Shifting {
        // What a client meets that only knows `execute`.
        execute_simply(run, id).await?;
    }
    if run.scenario.keeper.frozen_list || run.tracks[track].plan.payload != PayloadKind::Shifting {
        let met = |run: &UpgradeRun<'_>| {
            let track = &run.tracks[track];
            (track.refusals.len(), track.repeated)
        };
        let before = met(run);
        keeper::tick(run, agenda).await?;
        if run.tracks[track].end.is_none() && met(run) == before {
            // The keeper doesn't repeat what it said.
            run.tracks[track].repeated += 1;
        }
    }
    if run.tracks[track].end.is_none() {
        // Time passes between two tries.
        let again = run.driver.next_time() + run.scenario.keeper.retry_after;
        if again <= last {
            agenda.add(again, Task::Execute { track });
        }
    }
    Ok(())
}

async fn execute_simply(run: &mut UpgradeRun<'_>, id: ProposalId) -> Result<()> {
    let call = calls::execute(run.set.addresses().governance, id);
    let Err(error) = run.participants.anyone.simulate(&call, run.driver.next()).await else {
        return Ok(());
    };
    refused(run, id, Who::Anyone, refusal_of(error, "executing")?)
}

/// A try was refused. What was met before is only counted.
pub(super) fn refused(
    run: &mut UpgradeRun<'_>,
    id: ProposalId,
    who: Who,
    refusal: Refusal,
) -> Result<()> {
    let track = run.track_of(id)?;
    if run.tracks[track].refusals.contains(&refusal.name) {
        run.tracks[track].repeated += 1;
    } else {
        run.refused(track, who, format!("tries to execute proposal {id}"), refusal);
    }
    Ok(())
}

/// Says how often a refusal was met again.
fn record_repeated(run: &mut UpgradeRun<'_>, track: usize) {
    let times = std::mem::take(&mut run.tracks[track].repeated);
    if times > 0 {
        let tried = "tries to execute".to_owned();
        run.record_attempt(Who::Keeper, Event::RefusedAgain { tried, times });
    }
}

/// A proposal was executed: what is different now.
pub(super) fn executed(
    run: &mut UpgradeRun<'_>,
    agenda: &mut Agenda,
    id: ProposalId,
    confirmed: &Confirmed,
) -> Result<()> {
    let with_list = is_with_list(confirmed);
    let track = run.track_of(id)?;
    record_repeated(run, track);
    agenda.cancel(|task| is_about(task, track));
    let now = run.driver.next_time();
    let plan = run.tracks[track].plan.clone();
    let effect = match run.tracks[track].replacement {
        Replacement::Rollup(to) => {
            agenda.add(now, Task::ShowSwitch);
            let ready_at = moves_ready(run, run.set.rollups[0].address);
            agenda.add(now.max(ready_at), Task::Move { to });
            format!("rollup {} is canonical", run.set.rollups[to].label)
        }
        Replacement::Proposals(new) => {
            let names = &mut run.set.names;
            for name in names.values_mut().filter(|name| *name == PROPOSALS) {
                *name = format!("old {PROPOSALS}");
            }
            names.insert(new, PROPOSALS.to_owned());
            drop_what_is_replaced(run, agenda);
            "a new Proposals contract counts the signals".to_owned()
        }
    };
    run.tracks[track].executed_in = Some(confirmed.block);
    run.decide(track, End::Executed);
    let event = Event::Executed { azip: plan.azip, proposal: id, with_list, effect };
    let spent = Spent { transactions: 1, gas: confirmed.gas_used };
    run.record_event(Who::Keeper, event, Some(spent));
    Ok(())
}

/// What a replaced Proposals contract pushed is dropped.
fn drop_what_is_replaced(run: &UpgradeRun<'_>, agenda: &mut Agenda) {
    let (now, governance) = (run.driver.next_time(), run.state().governance());
    for (track, other) in run.tracks.iter().enumerate() {
        let state = other.id.and_then(|id| governance.state_of(id, run.driver.now()));
        if state == Some(ProposalState::Dropped) && other.end.is_none() {
            agenda.add(now, Task::Drop { track });
        }
    }
}

/// What needs not be done once a proposal is over.
pub(super) const fn is_about(task: Task, proposal: usize) -> bool {
    matches!(
        task,
        Task::Execute { track } | Task::TooLate { track } | Task::OpenGate { track }
            if track == proposal
    )
}

/// The keeper stored that a proposal is dropped.
pub(super) fn dropped(
    run: &mut UpgradeRun<'_>,
    agenda: &mut Agenda,
    id: ProposalId,
    confirmed: &Confirmed,
) -> Result<()> {
    let track = run.track_of(id)?;
    if run.tracks[track].end.is_some() {
        return Ok(());
    }
    agenda.cancel(|task| is_about(task, track));
    let azip = run.tracks[track].plan.azip.clone();
    let spent = Spent { transactions: 1, gas: confirmed.gas_used };
    run.record_event(Who::Keeper, Event::DropStored { azip, proposal: id }, Some(spent));
    run.over(track, End::Dropped);
    Ok(())
}

/// The grace period is over.
pub(super) async fn too_late(run: &mut UpgradeRun<'_>, track: usize) -> Result<()> {
    if run.tracks[track].end.is_some() {
        return Ok(());
    }
    record_repeated(run, track);
    run.mine_all().await?;
    let (_, proposal) = run.proposal(track)?;
    match run.state().governance().state(proposal, run.driver.now()) {
        ProposalState::Expired => run.over(track, End::Expired),
        other => {
            return Err(Error::Unexpected(format!("the proposal is {other} after its grace")));
        }
    }
    Ok(())
}
