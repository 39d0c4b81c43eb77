//! The steps from an accepted proposal to its end.

use alloy_primitives::Address;
use canon_chain::{Confirmed, ContractCall, calls};
use canon_protocol::{self as protocol, ProposalId, Rollup, Timestamp};

use super::keeper;
use crate::{
    acting::{AgentRef, is_with_list},
    agenda::{Agenda, Task},
    bytecode::IGate,
    error::{Result, refusal_of},
    followed_set::PROPOSALS,
    participants::Staking,
    refusal::ObservedRefusal,
    scenario::{ChangedList, End, PayloadKind},
    timeline::{Spent, TimelineEvent, Who},
    upgrade_run::{Replacement, UpgradeRun},
};

/// Makes the old rollup's sequencers announce their moves to the rollup of an accepted upgrade.
pub(super) async fn announce_moves(run: &mut UpgradeRun<'_>, to: usize) -> Result<()> {
    let (old, new) = (run.set.rollups[run.set.canonical()?].address, run.set.rollups[to].address);
    let mut members = Vec::new();
    for (index, sequencer) in run.participants.sequencers.iter_mut().enumerate() {
        if sequencer.staking == Staking::Moves && sequencer.mover.is_none() {
            sequencer.start_to_move(new)?;
            members.push(AgentRef::Mover(index));
        }
    }
    if members.is_empty() {
        return Ok(());
    }
    let acted = run.act_all("announce moves", &members).await?;
    let ready_at = moves_ready(run, old);
    let event = TimelineEvent::MovesAnnounced { rollup: run.set.rollups[to].label, ready_at };
    run.record_event(Who::Sequencers(members.len() as u64), event, Some(acted.spent));
    Ok(())
}

/// The first second in which all moves from a rollup can be finished.
fn moves_ready(run: &UpgradeRun<'_>, from: Address) -> Timestamp {
    let registrations = run.state().rollup(from).map(Rollup::registrations).unwrap_or_default();
    let moves = registrations.iter().filter_map(protocol::Member::moving);
    moves.map(|moving| moving.ready_at).max().unwrap_or_default()
}

fn is_over(run: &UpgradeRun<'_>, track: usize) -> bool {
    run.end(&run.tracks[track]).is_some()
}

/// Opens the gate that a payload's first action depends on.
pub(super) async fn open_gate(run: &mut UpgradeRun<'_>, track: usize) -> Result<()> {
    let Some(gate) = run.tracks[track].gate else { return Ok(()) };
    let call = ContractCall::new(gate, &IGate::openCall {});
    let confirmed = run.send("open a gate", |participants| &mut participants.anyone, call).await?;
    let spent = Spent { transactions: 1, gas: confirmed.gas_used };
    run.record_event(Who::Anyone, TimelineEvent::GateOpened, Some(spent));
    Ok(())
}

/// Makes the keeper try to execute a proposal, and schedules the next attempt until its grace
/// period is over.
pub(super) async fn execute(
    run: &mut UpgradeRun<'_>,
    agenda: &mut Agenda,
    track: usize,
) -> Result<()> {
    let (id, proposal) = run.proposal(track)?;
    let last = proposal.deadlines().executable;
    if is_over(run, track) || run.driver.next_time() > last {
        return Ok(());
    }
    run.tracks[track].tries += 1;
    if run.tracks[track].plan.payload == PayloadKind::Shifting {
        // Records the refusal that a client meets which only calls `execute`.
        execute_simply(run, id).await?;
    }
    let ignores_changes = run.scenario.keeper.changed_list == ChangedList::Ignore;
    if !ignores_changes || run.tracks[track].plan.payload != PayloadKind::Shifting {
        let met = |run: &UpgradeRun<'_>| {
            let track = &run.tracks[track];
            (track.refusals.len(), track.repeated)
        };
        let before = met(run);
        keeper::tick(run, agenda).await?;
        if !is_over(run, track) && met(run) == before {
            // The keeper reports a lasting refusal only once.
            run.tracks[track].repeated += 1;
        }
    }
    if !is_over(run, track) {
        // The next attempt is later.
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

/// Records a refused execution. A known refusal is only counted.
pub(super) fn refused(
    run: &mut UpgradeRun<'_>,
    id: ProposalId,
    who: Who,
    refusal: ObservedRefusal,
) -> Result<()> {
    let track = run.track_of(id)?;
    if run.tracks[track].refusals.contains(&refusal.name) {
        run.tracks[track].repeated += 1;
    } else {
        run.refused(track, who, format!("tries to execute proposal {id}"), refusal);
    }
    Ok(())
}

/// Records the number of times that a refusal was repeated.
fn record_repeated(run: &mut UpgradeRun<'_>, track: usize) {
    let times = std::mem::take(&mut run.tracks[track].repeated);
    if times > 0 {
        let tried = "tries to execute".to_owned();
        run.record_attempt(Who::Keeper, TimelineEvent::RefusedAgain { tried, times });
    }
}

/// Records an execution and schedules the tasks that follow.
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
    run.end_campaign(track);
    let event = TimelineEvent::Executed { azip: plan.azip, proposal: id, with_list, effect };
    let spent = Spent { transactions: 1, gas: confirmed.gas_used };
    run.record_event(Who::Keeper, event, Some(spent));
    Ok(())
}

/// Schedules the drop of all proposals that a replaced Proposals contract pushed.
fn drop_what_is_replaced(run: &UpgradeRun<'_>, agenda: &mut Agenda) {
    for (track, other) in run.tracks.iter().enumerate() {
        if run.end(other) == Some(End::Dropped) {
            agenda.add(run.driver.next_time(), Task::Drop { track });
        }
    }
}

/// Whether a task is obsolete after the end of a proposal.
pub(super) const fn is_about(task: Task, proposal: usize) -> bool {
    matches!(
        task,
        Task::Execute { track } | Task::TooLate { track } | Task::OpenGate { track }
            if track == proposal
    )
}

/// Records that a proposal was dropped.
pub(super) fn dropped(
    run: &mut UpgradeRun<'_>,
    agenda: &mut Agenda,
    id: ProposalId,
    confirmed: &Confirmed,
) -> Result<()> {
    let track = run.track_of(id)?;
    agenda.cancel(|task| is_about(task, track));
    let azip = run.tracks[track].plan.azip.clone();
    let spent = Spent { transactions: 1, gas: confirmed.gas_used };
    run.record_event(Who::Keeper, TimelineEvent::DropStored { azip, proposal: id }, Some(spent));
    run.over(track)
}

/// Records that a proposal has expired.
pub(super) async fn too_late(run: &mut UpgradeRun<'_>, track: usize) -> Result<()> {
    record_repeated(run, track);
    run.mine_all().await?;
    run.over(track)
}
