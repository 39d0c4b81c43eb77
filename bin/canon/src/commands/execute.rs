//! `canon execute`: carries out a proposal that passed.

use canon_protocol::{ProposalState, Timestamp, text::Time};
use canon_views::{IntendedAction, Intent, Present, ProposalView, Question, SetView};
use clap::Args;
use eyre::eyre;

use super::proposal::{VotedActions, find, in_words_or_data, voted_actions};
use crate::{
    chain::{Chain, ChainArgs},
    command_help::CommandHelp,
    exit::{Exit, Failure},
    input::whole,
    page::{self, lasts, until},
    send::{SendArgs, Step, run, typed},
};

/// Carry out a proposal that passed; without an id, every one that is due
///
/// Anyone can do it, from the end of the execution delay until the proposal expires. It carries out the
/// actions that were frozen when the proposal was made: if the payload returns others by now, or none, the
/// frozen ones are sent along. Without an id, a proposal whose actions fail is left out.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Execute {
    /// Number of the proposal
    #[arg(value_name = "ID", value_parser = whole(0..=u64::MAX))]
    id: Option<u64>,

    #[command(flatten)]
    send: SendArgs,

    #[command(flatten)]
    chain: ChainArgs,
}

const HELP: CommandHelp = CommandHelp::sending()
    .failed(&["it was executed before or never can be", "the account can't pay for it"])
    .input(&["an id that doesn't exist"])
    .later("there is nothing to execute yet")
    .after(
        "\
Examples:
  canon execute --account operator
  canon execute 5 --dry-run --from 0x…",
    );

const SEE_PROPOSAL: &str = "`canon proposal` shows all proposals and their dates";

impl Execute {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let command = typed("canon execute", self.id);
        run(&self.send, &self.chain, &command, async |chain, _| {
            let view = chain.history(Question::default()).await?.view;
            steps(chain, &view, self.id).await
        })
    }
}

/// The execution of proposal `id`, otherwise of all that are due.
async fn steps(chain: &Chain, view: &SetView, id: Option<u64>) -> Result<Vec<Step>, Failure> {
    let present = &view.present;
    let is_due =
        |proposal: &&ProposalView| proposal.state_at(present.next) == ProposalState::Executable;
    let Some(id) = id else {
        let due: Vec<_> = present.governance.proposals.iter().filter(is_due).collect();
        if due.is_empty() {
            return Err(nothing_due(present));
        }
        let mut steps = Vec::new();
        for proposal in due {
            steps.push(step(chain, view, proposal).await?);
        }
        return Ok(steps);
    };
    let proposal = find(present, id)?;
    match is_due(&proposal) {
        true => Ok(vec![step(chain, view, proposal).await?]),
        false => Err(why_not(present, proposal)),
    }
}

async fn step(chain: &Chain, view: &SetView, proposal: &ProposalView) -> Result<Step, Failure> {
    let present = &view.present;
    let id = proposal.id;
    let voted = voted_actions(chain, view, proposal).await?;
    let mut words = vec![
        format!("Carry out proposal {id}"),
        format!("payload {}", proposal.payload),
        "actions, frozen with hash".to_owned(),
        format!("{}:", proposal.actions_hash),
    ];
    words.extend(voted.unknown_words().iter().map(|line| format!("  {line}")));
    let (indent, actions) = match &voted {
        VotedActions::Known(actions) => ("  ", &actions[..]),
        VotedActions::Others(actions) => ("    ", &actions[..]),
        VotedActions::Unknown => ("", &[][..]),
    };
    let shown = in_words_or_data(chain, view, actions).await?;
    words.extend(shown.lines.iter().map(|line| format!("{indent}{line}")));
    let last = proposal.deadlines().executable;
    let action = IntendedAction::Execute { id, frozen_actions: voted.known() };
    let mut step = Step::new(Intent { set: present.set_id(), action, until: Some(last) }, words);
    step.details.push(format!("can be executed {}", lasts(present.block.timestamp, last)));
    Ok(step)
}

/// The failure if no proposal can be executed now. It names the next one that may be.
fn nothing_due(present: &Present) -> Failure {
    let now = present.block.timestamp;
    let open = present.governance.proposals.iter().filter(|one| one.state_at(now).is_live());
    let next = open.min_by_key(|proposal| proposal.dates().executable);
    let title = "no proposal can be executed now";
    let outlook =
        next.map_or_else(|| "no proposal is open".to_owned(), |proposal| outlook(proposal, now));
    let report = match missed(present, now) {
        None => eyre!(outlook),
        Some(missed) => eyre!("{missed}; {outlook}"),
    };
    Failure::nothing_to_do(report.wrap_err(title), SEE_PROPOSAL)
}

/// The number of proposals among which one is looked for that was missed.
const RECENT_PROPOSALS: usize = 3;

/// The newest recent proposal that expired; `None` if there is none.
fn missed(present: &Present, now: Timestamp) -> Option<String> {
    let mut recent = present.governance.proposals.iter().rev().take(RECENT_PROPOSALS);
    let expired = recent.find(|proposal| proposal.state_at(now) == ProposalState::Expired)?;
    Some(format!(
        "proposal {} passed and wasn't executed in time (until {}, inclusive)",
        expired.id,
        Time(expired.deadlines().executable)
    ))
}

/// The state of an open proposal, and the time from which it can be executed.
fn outlook(proposal: &ProposalView, now: Timestamp) -> String {
    let (id, dates) = (proposal.id, proposal.dates());
    let (time, left) = (Time(dates.executable), until(now, dates.executable));
    let from = format!("it can be executed from {time} on ({left})");
    match proposal.state_at(now) {
        ProposalState::Queued if now < dates.objections_end => {
            format!("proposal {id} is Queued; unless objections reject it, {from}")
        }
        ProposalState::Queued => format!("proposal {id} is Queued: {from}"),
        _ => format!("proposal {id} is {}; if it passes {from}", page::state(proposal, now)),
    }
}

fn why_not(present: &Present, proposal: &ProposalView) -> Failure {
    let now = present.block.timestamp;
    let title = format!("proposal {} can't be executed now", proposal.id);
    let state = proposal.state_at(present.next);
    match state {
        ProposalState::Pending
        | ProposalState::Active
        | ProposalState::Queued
        | ProposalState::Executable => {
            Failure::nothing_to_do(eyre!(outlook(proposal, now)).wrap_err(title), SEE_PROPOSAL)
        }
        ProposalState::Executed => {
            Failure::refused(eyre!("it is executed already").wrap_err(title), SEE_PROPOSAL)
        }
        ProposalState::Rejected | ProposalState::Dropped | ProposalState::Expired => {
            Failure::refused(eyre!("it is {state}, for good").wrap_err(title), SEE_PROPOSAL)
        }
    }
}
