//! `canon power`: shows the power of a holder and its withdrawals.

mod render;

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::Address;
use canon_follow::OpenedSet;
use canon_protocol::{
    Amount, BlockNumber, Payment, ProposalId, ProposalState, Timestamp, WithdrawalId,
    text::{self, address},
};
use canon_views::{BallotView, Question, SetView, WithdrawalView};
use clap::Args;
use eyre::eyre;
use serde::Serialize;

use crate::{
    answer,
    chain::{self, ChainArgs},
    command_help::CommandHelp,
    exit::{Exit, Failure},
    input::quantity,
    output,
};

/// Show a holder's power: now, on each proposal that takes ballots, and what was given up and when it
/// is paid
///
/// Withdrawals are from the events of the set. They are read once, and kept in the folder for caches;
/// a later command reads only what is new.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Power {
    /// The holder [default: the account in --from]
    #[arg(value_name = "HOLDER", value_parser = quantity(address::parse))]
    holder: Option<Address>,

    /// The holder, by the flag with which other commands name the account that sends
    #[arg(long, value_name = "ADDRESS", value_parser = quantity(address::parse), conflicts_with = "holder")]
    from: Option<Address>,

    /// Print JSON: times in Unix seconds, amounts in base units; numbers that can exceed 2^53 are strings
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    chain: ChainArgs,
}

const HELP: CommandHelp =
    CommandHelp::reading("the power was printed").input(&["no holder"]).after(
        "\
Examples:
  canon power 0x…
  canon power 0x… --json | jq '.withdrawals[] | select(.payment == \"Due\")'",
    );

/// A holder at a block.
#[derive(Debug, Serialize)]
struct PowerDocument {
    #[serde(with = "text::decimal")]
    chain_id: u64,
    block: BlockNumber,
    /// The time of the block.
    time: Timestamp,
    #[serde(with = "text::address")]
    holder: Address,
    /// The holder's balance of the Asset, without its locked power.
    balance: Amount,
    /// The holder's locked power now.
    power: Amount,
    /// The locked power of all holders now.
    total_power: Amount,
    /// The holder's power on proposals that take ballots now or later, by id.
    ballots: Vec<PowerOnProposal>,
    /// The unpaid withdrawals of the power that the holder gave up, and of all that is due to it, earliest first;
    /// `None` if the history isn't known.
    withdrawals: Option<Vec<DueWithdrawal>>,
    /// The number of such withdrawals that are paid; `None` if the history isn't known.
    paid_withdrawals: Option<u64>,
    /// The parts that aren't known, with the reasons.
    unknown: Vec<String>,
}

/// The power of a holder on a proposal.
#[derive(Debug, Serialize)]
struct PowerOnProposal {
    proposal: ProposalId,
    /// The state of the proposal at the block.
    state: ProposalState,
    /// The second at whose end power is counted.
    snapshot: Timestamp,
    /// The last second in which ballots for the proposal are taken.
    until: Timestamp,
    /// The last second in which ballots against the proposal are taken, if it is accepted until then.
    against_until: Timestamp,
    #[serde(flatten)]
    ballot: BallotView,
    /// The power that the holder can still cast.
    left: Amount,
}

/// An unpaid withdrawal.
#[derive(Debug, Serialize)]
struct DueWithdrawal {
    id: WithdrawalId,
    /// The holder that gave up the power.
    #[serde(with = "text::address")]
    holder: Address,
    #[serde(flatten)]
    view: WithdrawalView,
}

impl Power {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let holder = self.holder.or(self.from).ok_or_else(|| {
            let report = eyre!("HOLDER: expected the address of a holder, found nothing");
            Failure::bad_input(report, "name the holder, or the account that sends with --from")
        })?;
        let settings = self.chain.settings()?;
        let question = Question {
            holders: BTreeMap::from([(holder, BTreeSet::new())]),
            ..Question::default()
        };
        let opened = chain::run(async { settings.connect().await?.history(question).await })?;
        let document = document(&opened, holder)?;
        match self.json {
            true => output::json(&document)?,
            false => output::report(&render::render(&document))?,
        }
        Ok(Exit::Success)
    }
}

fn document(opened: &OpenedSet, holder: Address) -> Result<PowerDocument, Failure> {
    let OpenedSet { view, no_history, .. } = opened;
    let present = &view.present;
    let seen = answer::holder(present, holder)?;
    let unknown = no_history
        .iter()
        .map(|reason| format!("its withdrawals: the set's history isn't known: {reason}"));
    let ballots = seen.ballots.iter().filter_map(|(id, ballot)| {
        let proposal = present.proposal(*id)?;
        let deadlines = proposal.deadlines();
        Some(PowerOnProposal {
            proposal: *id,
            state: proposal.state_at(present.block.timestamp),
            snapshot: deadlines.pending,
            until: deadlines.active,
            against_until: deadlines.objections_until,
            ballot: *ballot,
            left: ballot.left(),
        })
    });
    let (withdrawals, paid_withdrawals) = withdrawals(view, holder).unzip();
    Ok(PowerDocument {
        chain_id: present.chain_id,
        block: present.block.number,
        time: present.block.timestamp,
        holder,
        balance: seen.balance,
        power: seen.power,
        total_power: present.governance.total_power,
        ballots: ballots.collect(),
        withdrawals,
        paid_withdrawals,
        unknown: unknown.collect(),
    })
}

/// The unpaid withdrawals by an account or due to it, earliest first, and the number of paid ones.
fn withdrawals(view: &SetView, account: Address) -> Option<(Vec<DueWithdrawal>, u64)> {
    let history = view.history.as_ref()?;
    let numbered = (0..).zip(history.governance().withdrawals());
    let own = numbered
        .filter(|(_, withdrawal)| withdrawal.holder == account || withdrawal.recipient == account);
    let (due, paid): (Vec<_>, Vec<_>) =
        own.partition(|(_, withdrawal)| withdrawal.payment == Payment::Due);
    let due = due.into_iter().filter_map(|(id, withdrawal)| {
        let (id, holder) = (WithdrawalId::new(id)?, withdrawal.holder);
        Some(DueWithdrawal { id, holder, view: (*withdrawal).into() })
    });
    let mut due: Vec<_> = due.collect();
    due.sort_by_key(|one| (one.view.unlocks_at, one.id));
    Some((due, paid.len() as u64))
}
