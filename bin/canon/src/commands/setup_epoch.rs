//! `canon setup-epoch`: records the seed of the next epoch.

use canon_protocol::{SlotClock, Timestamp, text::Time};
use canon_views::{
    AvailableAction, CalendarEvent, IntendedAction, Intent, Opportunity, Question, SetView,
    available_actions, calendar,
};
use clap::Args;
use eyre::eyre;

use super::stake::draws_later;
use crate::{
    chain::ChainArgs,
    command_help::CommandHelp,
    exit::{Exit, Failure},
    page::{lasts, until},
    send::{SendArgs, Step, run},
};

/// Record the seed of the canonical rollup's next epoch, which draws its proposers
///
/// A sequencer's block records it too. If an epoch ends and nobody recorded the seed after its first slot, the
/// next epoch has no proposers, and nobody can signal in it. Anyone can record it.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct SetupEpoch {
    #[command(flatten)]
    send: SendArgs,

    #[command(flatten)]
    chain: ChainArgs,
}

const HELP: CommandHelp = CommandHelp::sending()
    .failed(&["the account can't pay for it"])
    .later(
        "there is nothing to record now, or the transaction came into an epoch's first slot, in which nothing can be \
         recorded; says when it can",
    )
    .after(
        "\
Examples:
  canon setup-epoch --account operator",
    );

impl SetupEpoch {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        run(&self.send, &self.chain, "canon setup-epoch", async |chain, _| {
            let present = chain.present(Question::default()).await?;
            step(&SetView { present, history: None }).map(|step| vec![step])
        })
    }
}

fn step(view: &SetView) -> Result<Step, Failure> {
    let present = &view.present;
    let canonical = present.addresses.rollup;
    let seed = available_actions(view).into_iter().find_map(|available| match available {
        AvailableAction {
            opportunity: Opportunity::Anyone(action @ IntendedAction::RecordSeed { rollup, epoch }),
            until,
        } if rollup == canonical => Some((action, epoch, until)),
        _ => None,
    });
    let (action, epoch, last) = seed.ok_or_else(|| nothing_to_record(view))?;
    let intent = Intent { set: present.set_id(), action, until: last };
    let words = vec![
        format!("Record the seed of epoch {epoch}, which draws its proposers"),
        format!("rollup {canonical}"),
    ];
    let mut step = Step::new(intent, words);
    if let Some(last) = last {
        step.details.push(format!("can be recorded {}", lasts(present.block.timestamp, last)));
    }
    Ok(step)
}

/// The reason why there is no seed to record, and the time at which there will be one.
fn nothing_to_record(view: &SetView) -> Failure {
    let (present, canonical) = (&view.present, view.present.addresses.rollup);
    let next = "`canon status` shows where the rollup stands";
    let Some(rollup) = present.canonical_rollup() else {
        return Failure::refused(eyre!("the rollup at {canonical} doesn't answer"), next);
    };
    if rollup.next_set_size == Some(0) {
        return without_seats(&rollup.clock, present.block.timestamp);
    }
    let to_come = calendar(view).into_iter().find_map(|entry| match entry.event {
        CalendarEvent::SeedRecordable { rollup, epoch } if rollup == canonical => {
            Some((entry.time, epoch))
        }
        _ => None,
    });
    let title = "no seed is missing that can be recorded now";
    let report = match to_come {
        None => eyre!(title),
        Some((time, epoch)) => {
            let left = until(present.block.timestamp, time);
            let from =
                format!("that of epoch {epoch} can be recorded from {} on ({left})", Time(time));
            eyre!(from).wrap_err(title)
        }
    };
    Failure::nothing_to_do(report, next)
}

/// The failure for an epoch whose set is empty: stakes come first, and then the seed of the epoch in which they draw.
fn without_seats(clock: &SlotClock, now: Timestamp) -> Failure {
    let title = "the next epoch has no seats, so its seed draws nobody";
    let first = draws_later(clock, now).and_then(|(epoch, _)| {
        let recordable = clock.seed_recording_start(epoch.previous()?)?;
        Some((epoch, recordable))
    });
    let report = match first {
        None => eyre!(title),
        Some((epoch, time)) => {
            let left = until(now, time);
            let first = format!(
                "attesters that are registered now have seats from epoch {epoch} on, whose seed can be recorded \
                 from {} on ({left})",
                Time(time)
            );
            eyre!(first).wrap_err(title)
        }
    };
    Failure::nothing_to_do(report, "`canon stake deposit` registers an attester, if there is none")
}
