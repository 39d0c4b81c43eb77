//! From an accepted proposal to its end.

use alloy_primitives::Address;
use canon_abi::Governance;
use canon_agents::Mover;
use canon_chain::{Checks, Confirmed, ContractCall, calls};
use canon_protocol::{ProposalId, ProposalState};

use super::keeper;
use crate::{
    agenda::{Agenda, Task},
    batch::Role,
    bytecode::IGate,
    error::{During, Error, Result, refusal_of},
    participants::MOVER_GAS,
    refusal::Refusal,
    scenario::{Does, End, PayloadKind},
    timeline::{Event, Spent, Who},
    upgrade_run::UpgradeRun,
};

/// The old rollup's sequencers prepare for an upgrade that was accepted.
pub(super) async fn announce_moves(run: &mut UpgradeRun<'_>, to: usize) -> Result<()> {
    let (old, new) = (run.rollups[run.canonical()].address, run.rollups[to].address);
    let mut members = Vec::new();
    for (index, sequencer) in run.cast.sequencers.iter_mut().enumerate() {
        if sequencer.moves && sequencer.mover.is_none() {
            let checks = Checks::AtReceipt { gas_limit: MOVER_GAS };
            let sender = sequencer.withdrawer.clone();
            let mover = Mover::new(sender, sequencer.attester, old, new).with_checks(checks);
            sequencer.mover = Some(mover);
            sequencer.moving_to = Some(to);
            members.push(index);
        }
    }
    if members.is_empty() {
        return Ok(());
    }
    let done = run.crowd("announce moves", Role::Movers, &members).await?;
    let ready_at = run.driver.now() + run.scenario.rollup.exit_delay;
    run.moves_ready = ready_at;
    let event = Event::MovesAnnounced { rollup: run.rollups[to].label, ready_at };
    run.tell(Who::Sequencers(members.len() as u64), event, Some(done.spent));
    Ok(())
}

/// Anyone lets those pass who wait for it.
pub(super) async fn open_gate(run: &mut UpgradeRun<'_>, track: usize) -> Result<()> {
    let Some(gate) = run.tracks[track].gate else { return Ok(()) };
    let call = ContractCall::new(gate, &IGate::openCall {});
    let confirmed = run.driver.send("open a gate", &mut run.cast.anyone, call).await?;
    let spent = Spent { transactions: 1, gas: confirmed.gas_used };
    run.tell(Who::Anyone, Event::GateOpened, Some(spent));
    Ok(())
}

/// The proposal can be executed, and somebody tries.
pub(super) async fn execute(
    run: &mut UpgradeRun<'_>,
    agenda: &mut Agenda,
    track: usize,
) -> Result<()> {
    let live = run.live(track)?;
    let (id, last) = (live.id, live.deadlines.executable);
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
    let call = calls::execute(run.set.governance, id);
    let Err(error) = run.cast.anyone.simulate(&call, run.driver.next()).await else {
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
fn tell_repeated(run: &mut UpgradeRun<'_>, track: usize) {
    let times = std::mem::take(&mut run.tracks[track].repeated);
    if times > 0 {
        let tried = "tries to execute".to_owned();
        run.tell_off_chain(Who::Keeper, Event::RefusedAgain { tried, times });
    }
}

/// A proposal was executed: what is different now.
pub(super) fn executed(
    run: &mut UpgradeRun<'_>,
    agenda: &mut Agenda,
    id: ProposalId,
    confirmed: &Confirmed,
    with_list: bool,
) -> Result<()> {
    if confirmed.event::<Governance::ProposalExecuted>(run.set.governance).is_none() {
        return Err(Error::Unexpected("an execution has no event".to_owned()));
    }
    let track = run.track_of(id)?;
    tell_repeated(run, track);
    agenda.cancel(|task| is_about(task, track));
    let now = run.driver.next_time();
    let plan = run.tracks[track].plan.clone();
    let effect = match (plan.does, run.tracks[track].rollup, run.tracks[track].proposals) {
        (Does::Upgrade, Some(to), _) => {
            for (index, rollup) in run.rollups.iter_mut().enumerate() {
                rollup.canonical = index == to;
            }
            agenda.add(now, Task::ShowSwitch);
            agenda.add(now.max(run.moves_ready), Task::Move { to });
            format!("rollup {} is canonical", run.rollups[to].label)
        }
        (Does::ReplaceProposals, _, Some(new)) => {
            let old = std::mem::replace(&mut run.set.proposals, new);
            run.set.names.insert(old, "old Proposals".to_owned());
            run.set.names.insert(new, "Proposals".to_owned());
            drop_pushed_by(run, agenda, old);
            "a new Proposals contract counts the signals".to_owned()
        }
        _ => return Err(Error::Unexpected("a proposal changes nothing".to_owned())),
    };
    run.tracks[track].executed_in = Some(confirmed.block);
    run.decide(track, End::Executed);
    let event = Event::Executed { azip: plan.azip, proposal: id, with_list, effect };
    let spent = Spent { transactions: 1, gas: confirmed.gas_used };
    run.tell(Who::Keeper, event, Some(spent));
    Ok(())
}

/// What a replaced Proposals contract pushed is dropped.
fn drop_pushed_by(run: &UpgradeRun<'_>, agenda: &mut Agenda, old: Address) {
    let now = run.driver.next_time();
    for (track, other) in run.tracks.iter().enumerate() {
        let pushed = other.live.as_ref().is_some_and(|live| live.proposer == old);
        if pushed && other.end.is_none() {
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
    run.tell(Who::Keeper, Event::DropStored { azip, proposal: id }, Some(spent));
    run.over(track, End::Dropped);
    Ok(())
}

/// The grace period is over.
pub(super) async fn too_late(run: &mut UpgradeRun<'_>, track: usize) -> Result<()> {
    if run.tracks[track].end.is_some() {
        return Ok(());
    }
    tell_repeated(run, track);
    run.driver.mine_all()?;
    let (client, id) = (run.driver.client(), run.live(track)?.id);
    let state = client.proposal_state(run.driver.head(), run.set.governance, id).await;
    match state.during("reading a proposal's state")? {
        ProposalState::Expired => run.over(track, End::Expired),
        other => {
            return Err(Error::Unexpected(format!("the proposal is {other} after its grace")));
        }
    }
    Ok(())
}
