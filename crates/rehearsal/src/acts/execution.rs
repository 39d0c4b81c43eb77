//! From an accepted proposal to its end.

use alloy_primitives::Address;
use canon_agents::Mover;
use canon_bindings::Governance;
use canon_l1::{Call, Checks, Confirmed, calls};
use canon_protocol::{ProposalId, ProposalState};

use super::keeper;
use crate::{
    agenda::{Agenda, Task},
    bytecode::IGate,
    cast::MOVER_GAS,
    crowd::Role,
    error::{During, Error, Result, refusal_of},
    refusal::Refusal,
    scenario::{Does, End, PayloadKind},
    timeline::{Event, Spent, Who},
    world::World,
};

/// The old rollup's sequencers prepare for an upgrade that was accepted.
pub(super) async fn announce_moves(world: &mut World<'_>, to: usize) -> Result<()> {
    let (old, new) = (world.rollups[world.canonical()].address, world.rollups[to].address);
    let mut members = Vec::new();
    for (index, sequencer) in world.cast.sequencers.iter_mut().enumerate() {
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
    let done = world.crowd("announce moves", Role::Movers, &members).await?;
    let ready_at = world.stage.now() + world.scenario.rollup.exit_delay;
    world.moves_ready = ready_at;
    let event = Event::MovesAnnounced { rollup: world.rollups[to].label, ready_at };
    world.tell(Who::Sequencers(members.len() as u64), event, Some(done.spent));
    Ok(())
}

/// Anyone lets those pass who wait for it.
pub(super) async fn open_gate(world: &mut World<'_>, docket: usize) -> Result<()> {
    let Some(gate) = world.dockets[docket].gate else { return Ok(()) };
    let call = Call::new(gate, &IGate::openCall {});
    let confirmed = world.stage.send("open a gate", &mut world.cast.anyone, call).await?;
    let spent = Spent { transactions: 1, gas: confirmed.gas_used };
    world.tell(Who::Anyone, Event::GateOpened, Some(spent));
    Ok(())
}

/// The proposal can be executed, and somebody tries.
pub(super) async fn execute(
    world: &mut World<'_>,
    agenda: &mut Agenda,
    docket: usize,
) -> Result<()> {
    let live = world.live(docket)?;
    let (id, last) = (live.id, live.deadlines.executable);
    if world.dockets[docket].end.is_some() || world.stage.next_time() > last {
        return Ok(());
    }
    world.dockets[docket].tries += 1;
    if world.dockets[docket].plan.payload == PayloadKind::Shifting {
        // What a client meets that only knows `execute`.
        execute_simply(world, id).await?;
    }
    if world.scenario.keeper.frozen_list
        || world.dockets[docket].plan.payload != PayloadKind::Shifting
    {
        let met = |world: &World<'_>| {
            let docket = &world.dockets[docket];
            (docket.refusals.len(), docket.repeated)
        };
        let before = met(world);
        keeper::tick(world, agenda).await?;
        if world.dockets[docket].end.is_none() && met(world) == before {
            // The keeper doesn't repeat what it said.
            world.dockets[docket].repeated += 1;
        }
    }
    if world.dockets[docket].end.is_none() {
        // Time passes between two tries.
        let again = world.stage.next_time() + world.scenario.keeper.retry_after;
        if again <= last {
            agenda.add(again, Task::Execute { docket });
        }
    }
    Ok(())
}

async fn execute_simply(world: &mut World<'_>, id: ProposalId) -> Result<()> {
    let call = calls::execute(world.set.governance, id);
    let Err(error) = world.cast.anyone.simulate(&call, world.stage.next()).await else {
        return Ok(());
    };
    refused(world, id, Who::Anyone, refusal_of(error, "executing")?)
}

/// A try was refused. What was met before is only counted.
pub(super) fn refused(
    world: &mut World<'_>,
    id: ProposalId,
    who: Who,
    refusal: Refusal,
) -> Result<()> {
    let docket = world.docket_of(id)?;
    if world.dockets[docket].refusals.contains(&refusal.name) {
        world.dockets[docket].repeated += 1;
    } else {
        world.refused(docket, who, format!("tries to execute proposal {id}"), refusal);
    }
    Ok(())
}

/// Says how often a refusal was met again.
fn tell_repeated(world: &mut World<'_>, docket: usize) {
    let times = std::mem::take(&mut world.dockets[docket].repeated);
    if times > 0 {
        let tried = "tries to execute".to_owned();
        world.tell_off_chain(Who::Keeper, Event::RefusedAgain { tried, times });
    }
}

/// A proposal was executed: what is different now.
pub(super) fn executed(
    world: &mut World<'_>,
    agenda: &mut Agenda,
    id: ProposalId,
    confirmed: &Confirmed,
    with_list: bool,
) -> Result<()> {
    if confirmed.event::<Governance::ProposalExecuted>(world.set.governance).is_none() {
        return Err(Error::Unexpected("an execution has no event".to_owned()));
    }
    let docket = world.docket_of(id)?;
    tell_repeated(world, docket);
    agenda.cancel(|task| is_about(task, docket));
    let now = world.stage.next_time();
    let plan = world.dockets[docket].plan.clone();
    let effect = match (plan.does, world.dockets[docket].rollup, world.dockets[docket].proposals) {
        (Does::Upgrade, Some(to), _) => {
            for (index, rollup) in world.rollups.iter_mut().enumerate() {
                rollup.canonical = index == to;
            }
            agenda.add(now, Task::ShowSwitch);
            agenda.add(now.max(world.moves_ready), Task::Move { to });
            format!("rollup {} is canonical", world.rollups[to].label)
        }
        (Does::ReplaceProposals, _, Some(new)) => {
            let old = std::mem::replace(&mut world.set.proposals, new);
            world.set.names.insert(old, "old Proposals".to_owned());
            world.set.names.insert(new, "Proposals".to_owned());
            drop_pushed_by(world, agenda, old);
            "a new Proposals contract counts the signals".to_owned()
        }
        _ => return Err(Error::Unexpected("a proposal changes nothing".to_owned())),
    };
    world.dockets[docket].executed_in = Some(confirmed.block);
    world.decide(docket, End::Executed);
    let event = Event::Executed { azip: plan.azip, proposal: id, with_list, effect };
    let spent = Spent { transactions: 1, gas: confirmed.gas_used };
    world.tell(Who::Keeper, event, Some(spent));
    Ok(())
}

/// What a replaced Proposals contract pushed is dropped.
fn drop_pushed_by(world: &World<'_>, agenda: &mut Agenda, old: Address) {
    let now = world.stage.next_time();
    for (docket, other) in world.dockets.iter().enumerate() {
        let pushed = other.live.as_ref().is_some_and(|live| live.proposer == old);
        if pushed && other.end.is_none() {
            agenda.add(now, Task::Drop { docket });
        }
    }
}

/// What needs not be done once a proposal is over.
pub(super) const fn is_about(task: Task, proposal: usize) -> bool {
    matches!(
        task,
        Task::Execute { docket } | Task::TooLate { docket } | Task::OpenGate { docket }
            if docket == proposal
    )
}

/// The keeper stored that a proposal is dropped.
pub(super) fn dropped(
    world: &mut World<'_>,
    agenda: &mut Agenda,
    id: ProposalId,
    confirmed: &Confirmed,
) -> Result<()> {
    let docket = world.docket_of(id)?;
    if world.dockets[docket].end.is_some() {
        return Ok(());
    }
    agenda.cancel(|task| is_about(task, docket));
    let azip = world.dockets[docket].plan.azip.clone();
    let spent = Spent { transactions: 1, gas: confirmed.gas_used };
    world.tell(Who::Keeper, Event::DropStored { azip, proposal: id }, Some(spent));
    world.over(docket, End::Dropped);
    Ok(())
}

/// The grace period is over.
pub(super) async fn too_late(world: &mut World<'_>, docket: usize) -> Result<()> {
    if world.dockets[docket].end.is_some() {
        return Ok(());
    }
    tell_repeated(world, docket);
    world.stage.mine_all()?;
    let (client, id) = (world.stage.client(), world.live(docket)?.id);
    let state = client.proposal_state(world.stage.head(), world.set.governance, id).await;
    match state.during("reading a proposal's state")? {
        ProposalState::Expired => world.over(docket, End::Expired),
        other => {
            return Err(Error::Unexpected(format!("the proposal is {other} after its grace")));
        }
    }
    Ok(())
}
