//! The steps of a rehearsal, each a function of the run.

mod aftermath;
mod execution;
mod keeper;
mod payload;
mod preparation;
mod setting;
mod signaling;
mod slots;
mod vote;

pub(crate) use signaling::Signaling;

use canon_protocol::Round;

use crate::{
    agenda::{Agenda, Task},
    error::Result,
    progress::Reporter,
    scenario::{Route, Scenario},
    timeline::Chapter,
    upgrade_run::UpgradeRun,
};

/// Simulates a whole scenario.
pub(crate) async fn simulate<'a>(
    scenario: &'a Scenario,
    report: Reporter<'a>,
) -> Result<UpgradeRun<'a>> {
    let mut run = setting::open(scenario, report).await?;
    setting::hand_out(&mut run).await?;
    setting::stake(&mut run, 0, setting::Stakers::Old).await?;
    setting::lock(&mut run).await?;

    run.begin_chapter(Chapter::OldRollup);
    slots::show_old(&mut run).await?;

    run.begin_chapter(Chapter::Preparation);
    preparation::prepare(&mut run).await?;

    let mut agenda = Agenda::default();
    signaling::schedule(&run, &mut agenda, None);
    for (track, proposal) in scenario.proposals.iter().enumerate() {
        if proposal.by == Route::Lock {
            agenda.add(run.driver.next_time(), Task::Lock { track });
        }
    }
    while let Some((time, task)) = agenda.next() {
        run.begin_chapter(chapter_of(task));
        let until = waiting_for(&run, task);
        run.wait_until(time, &until).await?;
        perform(&mut run, &mut agenda, task).await?;
    }

    run.begin_chapter(Chapter::Aftermath);
    aftermath::show_end(&mut run).await?;
    Ok(run)
}

async fn perform(run: &mut UpgradeRun<'_>, agenda: &mut Agenda, task: Task) -> Result<()> {
    match task {
        Task::Campaign { track } => signaling::campaign(run, agenda, track).await,
        Task::Signal { track, slot } => signaling::signal(run, agenda, track, slot).await,
        Task::RoundOver { track, round } => signaling::round_over(run, agenda, track, round).await,
        Task::Push { track, round } => push(run, agenda, track, round).await,
        Task::Lock { track } => vote::propose_with_lock(run, agenda, track).await,
        Task::Ballots { track } => vote::ballots(run, agenda, track).await,
        Task::LateBallots { track } => vote::late_ballots(run, track).await,
        Task::Objections { track } => vote::object(run, agenda, track).await,
        Task::Close { track } => vote::close(run, agenda, track).await,
        Task::OpenGate { track } => execution::open_gate(run, track).await,
        Task::Execute { track } => execution::execute(run, agenda, track).await,
        Task::TooLate { track } => execution::too_late(run, track).await,
        Task::Drop { .. } => keeper::tick(run, agenda).await,
        Task::ShowSwitch => aftermath::show_switch(run).await,
        Task::Move { to } => aftermath::finish_moves(run, to).await,
        Task::Withdraw => aftermath::withdraw(run).await,
    }
}

/// The chapter of the timeline that a task belongs to.
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

/// Makes the keeper push a round, unless it is too late.
async fn push(
    run: &mut UpgradeRun<'_>,
    agenda: &mut Agenda,
    track: usize,
    round: Round,
) -> Result<()> {
    // A round can be pushed once the newest block is after it.
    run.mine_all().await?;
    keeper::tick(run, agenda).await?;
    if run.tracks[track].id(run.state()).is_none() {
        signaling::expect_push_refused(run, track, round).await?;
        run.over(track)?;
    }
    Ok(())
}

/// The reason for waiting, while `task` is the next one.
fn waiting_for(run: &UpgradeRun<'_>, task: Task) -> String {
    let azip = |track: usize| &run.tracks[track].plan.azip;
    match task {
        Task::Campaign { .. } | Task::Signal { .. } => "the next round begins".to_owned(),
        Task::RoundOver { round, .. } => format!("round {round} is over"),
        Task::Push { round, .. } => format!("the keeper pushes round {round}"),
        Task::Lock { .. } => "a holder takes the lock".to_owned(),
        Task::Ballots { track } => format!("the vote on {} begins", azip(track)),
        Task::LateBallots { track } => format!("the last block of the vote on {}", azip(track)),
        Task::Objections { track } => format!("the last block to object to {}", azip(track)),
        Task::Close { track } => format!("the vote on {} is over", azip(track)),
        Task::OpenGate { .. } => "the gate opens".to_owned(),
        Task::Execute { track } => match run.tracks[track].tries == 0 {
            true => format!("the keeper executes {}", azip(track)),
            false => format!("the keeper tries {} again", azip(track)),
        },
        Task::TooLate { track } => format!("the grace period of {} is over", azip(track)),
        Task::Drop { .. } => "somebody stores the end".to_owned(),
        Task::ShowSwitch => "the next slot".to_owned(),
        Task::Move { .. } => "the moves are ready".to_owned(),
        Task::Withdraw => "the tokens of those who left unlock".to_owned(),
    }
}
