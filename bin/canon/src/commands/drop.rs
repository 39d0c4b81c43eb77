//! `canon drop`: records that a proposal is dropped.

use canon_protocol::{Ending, ProposalState};
use canon_views::{IntendedAction, Intent, Present, ProposalView, Question};
use clap::Args;
use eyre::eyre;

use super::proposal::find;
use crate::{
    chain::ChainArgs,
    command_help::CommandHelp,
    exit::{Exit, Failure},
    input::whole,
    page,
    send::{SendArgs, Step, run, typed},
};

/// Record that a proposal is dropped; without an id, of every one whose drop isn't recorded yet
///
/// A proposal is dropped if Proposals, which pushed it, was replaced before it was executed. Anyone can
/// record that; nothing else depends on it.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct DropProposal {
    /// Number of the proposal
    #[arg(value_name = "ID", value_parser = whole(0..=u64::MAX))]
    id: Option<u64>,

    #[command(flatten)]
    send: SendArgs,

    #[command(flatten)]
    chain: ChainArgs,
}

const HELP: CommandHelp = CommandHelp::sending()
    .failed(&[
        "it is recorded already or can't be dropped any more",
        "the account can't pay for it",
    ])
    .input(&["an id that doesn't exist"])
    .later("there is nothing to record yet")
    .after(
        "\
Examples:
  canon drop --account operator",
    );

const SEE_PROPOSAL: &str = "`canon proposal` shows all proposals and their states";

impl DropProposal {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let command = typed("canon drop", self.id);
        run(&self.send, &self.chain, &command, async |chain, _| {
            steps(&chain.present(Question::default()).await?, self.id)
        })
    }
}

/// The recording of proposal `id`, otherwise of all proposals that are dropped without a record.
fn steps(present: &Present, id: Option<u64>) -> Result<Vec<Step>, Failure> {
    let is_due = |proposal: &&ProposalView| {
        let state = proposal.state_at(present.next);
        state == ProposalState::Dropped && proposal.ending == Ending::Open
    };
    let step = |proposal: &ProposalView| {
        let id = proposal.id;
        let intent =
            Intent { set: present.set_id(), action: IntendedAction::Drop { id }, until: None };
        let words = vec![
            format!("Record that proposal {id} is dropped"),
            format!("payload {}", proposal.payload),
        ];
        Step::new(intent, words)
    };
    let Some(id) = id else {
        let due: Vec<_> = present.governance.proposals.iter().filter(is_due).map(step).collect();
        if !due.is_empty() {
            return Ok(due);
        }
        let is_dropped = |proposal: &ProposalView| proposal.ending == Ending::Dropped;
        return Err(nothing(match present.governance.proposals.iter().any(is_dropped) {
            true => eyre!("nothing to record: every drop is recorded already"),
            false => eyre!("nothing to record: no proposal was dropped"),
        }));
    };
    let proposal = find(present, id)?;
    if is_due(&proposal) {
        return Ok(vec![step(proposal)]);
    }
    let title = format!("there is no drop of proposal {} to record", proposal.id);
    let state = proposal.state_at(present.next);
    Err(match state {
        ProposalState::Dropped => {
            Failure::refused(eyre!("it is recorded already").wrap_err(title), SEE_PROPOSAL)
        }
        ProposalState::Executed => {
            Failure::refused(eyre!("it is {state}, for good").wrap_err(title), SEE_PROPOSAL)
        }
        // Governance also drops proposals that were rejected or have expired.
        ProposalState::Rejected
        | ProposalState::Expired
        | ProposalState::Pending
        | ProposalState::Active
        | ProposalState::Queued
        | ProposalState::Executable => {
            let state = page::state(proposal, present.block.timestamp);
            let found = format!("it is {state}; it is dropped only if Proposals is replaced");
            nothing(eyre!(found).wrap_err(title))
        }
    })
}

const fn nothing(report: eyre::Report) -> Failure {
    Failure::nothing_to_do(report, SEE_PROPOSAL)
}
