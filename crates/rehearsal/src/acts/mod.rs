//! The steps of the story, each a function of the world.

mod aftermath;
mod execution;
mod keeper;
mod payload;
mod preparation;
mod setting;
mod signaling;
mod slots;
mod vote;

pub(crate) use signaling::Count;

use canon_protocol::Round;

use crate::{
    agenda::{Agenda, Task},
    error::Result,
    progress::Reporter,
    scenario::{End, Route, Scenario},
    timeline::Chapter,
    world::World,
};

/// Plays a whole scenario.
pub(crate) async fn play<'a>(scenario: &'a Scenario, report: Reporter<'a>) -> Result<World<'a>> {
    let mut world = setting::open(scenario, report).await?;
    setting::hand_out(&mut world).await?;
    setting::stake(&mut world, 0, false).await?;
    setting::lock(&mut world).await?;

    world.turn_to(Chapter::OldRollup);
    slots::show_old(&mut world).await?;

    world.turn_to(Chapter::Preparation);
    preparation::prepare(&mut world).await?;

    let mut agenda = Agenda::default();
    signaling::schedule(&world, &mut agenda, None);
    for (docket, proposal) in scenario.proposals.iter().enumerate() {
        if proposal.by == Route::Lock {
            agenda.add(world.stage.next_time(), Task::Lock { docket });
        }
    }
    while let Some((time, task)) = agenda.next() {
        world.turn_to(chapter_of(task));
        let until = waiting_for(&world, task);
        world.wait_until(time, &until).await?;
        perform(&mut world, &mut agenda, task).await?;
    }

    world.turn_to(Chapter::Aftermath);
    aftermath::show_end(&mut world).await?;
    Ok(world)
}

async fn perform(world: &mut World<'_>, agenda: &mut Agenda, task: Task) -> Result<()> {
    match task {
        Task::Campaign { docket } => signaling::campaign(world, agenda, docket).await,
        Task::Signal { docket, slot } => signaling::signal(world, agenda, docket, slot).await,
        Task::RoundOver { docket, round } => {
            signaling::round_over(world, agenda, docket, round).await
        }
        Task::Push { docket, round } => push(world, agenda, docket, round).await,
        Task::Lock { docket } => vote::propose_with_lock(world, agenda, docket).await,
        Task::Ballots { docket } => vote::ballots(world, agenda, docket).await,
        Task::LateBallots { docket } => vote::late_ballots(world, docket).await,
        Task::Objections { docket } => vote::object(world, agenda, docket).await,
        Task::Close { docket } => vote::close(world, agenda, docket).await,
        Task::OpenGate { docket } => execution::open_gate(world, docket).await,
        Task::Execute { docket } => execution::execute(world, agenda, docket).await,
        Task::TooLate { docket } => execution::too_late(world, docket).await,
        Task::Drop { .. } => keeper::tick(world, agenda).await,
        Task::ShowSwitch => aftermath::show_switch(world).await,
        Task::Move { to } => aftermath::finish_moves(world, to).await,
        Task::Withdraw => aftermath::withdraw(world).await,
    }
}

/// The part of the story that a task belongs to.
const fn chapter_of(task: Task) -> Chapter {
    match task {
        Task::Campaign { .. }
        | Task::Signal { .. }
        | Task::RoundOver { .. }
        | Task::Push { .. }
        | Task::Lock { .. } => Chapter::Signaling,
        Task::Ballots { .. } | Task::LateBallots { .. } | Task::Close { .. } => Chapter::Vote,
        Task::Objections { .. }
        | Task::OpenGate { .. }
        | Task::Execute { .. }
        | Task::TooLate { .. }
        | Task::Drop { .. }
        | Task::ShowSwitch => Chapter::Execution,
        Task::Move { .. } | Task::Withdraw => Chapter::Aftermath,
    }
}

/// The keeper pushes a round, if that isn't too late.
async fn push(
    world: &mut World<'_>,
    agenda: &mut Agenda,
    docket: usize,
    round: Round,
) -> Result<()> {
    // A round can be pushed once the newest block is after it.
    world.stage.mine_all()?;
    keeper::tick(world, agenda).await?;
    if world.dockets[docket].live.is_none() {
        signaling::push_in_vain(world, docket, round).await?;
        world.over(docket, End::RoundExpired);
    }
    Ok(())
}

/// What everybody waits for when a task is the next.
fn waiting_for(world: &World<'_>, task: Task) -> String {
    let azip = |docket: usize| &world.dockets[docket].plan.azip;
    match task {
        Task::Campaign { .. } | Task::Signal { .. } => "the next round begins".to_owned(),
        Task::RoundOver { round, .. } => format!("round {round} is over"),
        Task::Push { round, .. } => format!("the keeper pushes round {round}"),
        Task::Lock { .. } => "a holder takes the lock".to_owned(),
        Task::Ballots { docket } => format!("the vote on {} begins", azip(docket)),
        Task::LateBallots { docket } => format!("the last block of the vote on {}", azip(docket)),
        Task::Objections { docket } => format!("the last block to object to {}", azip(docket)),
        Task::Close { docket } => format!("the vote on {} is over", azip(docket)),
        Task::OpenGate { .. } => "the gate opens".to_owned(),
        Task::Execute { docket } => match world.dockets[docket].tries == 0 {
            true => format!("the keeper executes {}", azip(docket)),
            false => format!("the keeper tries {} again", azip(docket)),
        },
        Task::TooLate { docket } => format!("the grace period of {} is over", azip(docket)),
        Task::Drop { .. } => "somebody stores the end".to_owned(),
        Task::ShowSwitch => "the next slot".to_owned(),
        Task::Move { .. } => "the moves are ready".to_owned(),
        Task::Withdraw => "the tokens of those who left unlock".to_owned(),
    }
}
