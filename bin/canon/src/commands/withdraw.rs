//! `canon withdraw`: pays withdrawals that are due.

use alloy_primitives::Address;
use canon_protocol::{
    Payment, WithdrawalId,
    text::{Time, grouped},
};
use canon_views::{DUST_LIMIT, IntendedAction, Intent, Present, Question, SetView, WithdrawalView};
use clap::Args;
use eyre::eyre;

use crate::{
    chain::ChainArgs,
    command_help::CommandHelp,
    exit::{Exit, Failure},
    input::whole,
    page::{tokens, until},
    send::{SendArgs, Step, run},
};

/// Pay withdrawals whose time has come; without ids, all of the account
///
/// A withdrawal is of the holder that gave the power up, and of the account that gets the tokens. Without ids, those
/// that others made due to the account, of less than 1 token each, are left out.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Withdraw {
    /// Numbers of withdrawals
    #[arg(value_name = "ID", value_parser = whole(0..=u64::MAX))]
    ids: Vec<u64>,

    #[command(flatten)]
    send: SendArgs,

    #[command(flatten)]
    chain: ChainArgs,
}

const HELP: CommandHelp = CommandHelp::sending()
    .failed(&["it is paid already", "the account can't pay for its transaction"])
    .input(&["an id that doesn't exist"])
    .later("there is nothing to withdraw yet")
    .after(
        "\
Examples:
  canon withdraw --account holder
  canon withdraw 3 4 --account holder",
    );

const SEE_POWER: &str = "`canon power` shows an account's withdrawals and when they can be paid";

/// A withdrawal with its number; also with the holder that gave up the power, if the history is
/// known.
#[derive(Clone, Copy, Debug)]
struct Numbered {
    id: WithdrawalId,
    holder: Option<Address>,
    view: WithdrawalView,
}

impl Withdraw {
    pub(crate) fn run(mut self) -> Result<Exit, Failure> {
        self.ids.sort_unstable();
        self.ids.dedup();
        let mut command = "canon withdraw".to_owned();
        self.ids.iter().for_each(|id| command.push_str(&format!(" {id}")));
        run(&self.send, &self.chain, &command, async |chain, planned| {
            let withdrawals = self.ids.iter().filter_map(|id| WithdrawalId::new(*id)).collect();
            let question = Question { withdrawals, ..Question::default() };
            let view = chain.history(question).await?.view;
            self.steps(&view, planned.account)
        })
    }

    fn steps(&self, view: &SetView, account: Address) -> Result<Vec<Step>, Failure> {
        let present = &view.present;
        let known = known(view);
        if self.ids.is_empty() {
            return all(view, &known, account);
        }
        let named = self.ids.iter().map(|id| {
            let found = known.iter().find(|one| one.id.get() == *id);
            found.ok_or_else(|| missing(present, *id))
        });
        let named: Vec<_> = named.collect::<Result<_, _>>()?;
        // Those that were paid in earlier steps of this command aren't due any more.
        let unpaid = named.iter().filter(|one| one.view.payment == Payment::Due);
        let unpaid: Vec<_> = unpaid.copied().collect();
        let left = if unpaid.is_empty() { named } else { unpaid };
        let steps = left.into_iter().map(|one| {
            check(present, one, account)?;
            Ok(step(present, one))
        });
        steps.collect()
    }
}

/// All withdrawals if the history is known, otherwise the requested ones.
fn known(view: &SetView) -> Vec<Numbered> {
    match &view.history {
        Some(history) => (0..)
            .zip(history.governance().withdrawals())
            .filter_map(|(id, withdrawal)| {
                let (id, holder) = (WithdrawalId::new(id)?, Some(withdrawal.holder));
                Some(Numbered { id, holder, view: (*withdrawal).into() })
            })
            .collect(),
        None => {
            let asked = view.present.withdrawals.iter();
            asked.map(|(id, view)| Numbered { id: *id, holder: None, view: *view }).collect()
        }
    }
}

impl Numbered {
    fn is_of(&self, account: Address) -> bool {
        self.holder == Some(account) || self.view.recipient == account
    }
}

/// All withdrawals of an account that can be paid now.
fn all(view: &SetView, known: &[Numbered], account: Address) -> Result<Vec<Step>, Failure> {
    let present = &view.present;
    if view.history.is_none() {
        let report =
            eyre!("the withdrawals of {account} aren't known, since the set's history isn't");
        return Err(Failure::internal(report, "name their numbers: canon withdraw ID…"));
    }
    let own = known.iter().filter(|one| one.is_of(account));
    let unpaid: Vec<_> = own.filter(|one| one.view.payment == Payment::Due).collect();
    let (dust, worthwhile): (Vec<&Numbered>, Vec<_>) =
        unpaid.into_iter().partition(|one| one.view.is_dust_for(account, one.holder));
    let due = worthwhile.iter().filter(|one| one.view.is_payable(present.next));
    let mut steps: Vec<_> = due.map(|one| step(present, one)).collect();
    let left_out = dust.iter().filter(|one| one.view.is_payable(present.next));
    let left_out = left_out_text(left_out.map(|one| one.id));
    if let Some(last) = steps.last_mut() {
        last.details.extend(left_out);
        return Ok(steps);
    }
    let report = match worthwhile.iter().min_by_key(|one| one.view.unlocks_at) {
        None => left_out.map(|text| eyre!(text)),
        Some(next) => Some(match left_out {
            None => eyre!(outlook(present, next)),
            Some(text) => eyre!(text).wrap_err(outlook(present, next)),
        }),
    };
    let title = format!("{account} has nothing to withdraw now");
    let report = match report {
        None => eyre!(title),
        Some(report) => report.wrap_err(title),
    };
    Err(Failure::nothing_to_do(report, SEE_POWER))
}

/// The number of withdrawals that are named if they are left out.
const NAMED: usize = 10;

/// Says which withdrawals are left out, if any are.
fn left_out_text(ids: impl Iterator<Item = WithdrawalId>) -> Option<String> {
    let ids: Vec<_> = ids.map(|id| id.to_string()).collect();
    let (last, before) = ids.split_last()?;
    let which = match ids.len() {
        1 => format!("withdrawal {last}, which somebody else made, of"),
        2..=NAMED => format!("withdrawals {} and {last}, which others made, of", before.join(", ")),
        count => {
            let count = grouped(count as u64);
            format!("{count} withdrawals, which others made, from number {} to {last}, of", ids[0])
        }
    };
    let each = if before.is_empty() { "" } else { " each" };
    Some(format!(
        "left out: {which} less than {}{each}; name their numbers to withdraw them too",
        tokens(DUST_LIMIT)
    ))
}

/// The time at which a withdrawal can be paid.
fn outlook(present: &Present, one: &Numbered) -> String {
    let WithdrawalView { amount, unlocks_at, .. } = one.view;
    format!(
        "withdrawal {} of {} can be paid from {} on ({})",
        one.id,
        tokens(amount),
        Time(unlocks_at),
        until(present.block.timestamp, unlocks_at)
    )
}

fn missing(present: &Present, id: u64) -> Failure {
    let id = grouped(id);
    let report = match present.governance.withdrawal_count {
        0 => eyre!("withdrawal {id} doesn't exist: there are no withdrawals yet"),
        count => {
            let last = grouped(count - 1);
            eyre!("withdrawal {id} doesn't exist: expected an id from 0 to {last}")
        }
    };
    Failure::bad_input(report, SEE_POWER)
}

/// Checks that a withdrawal is the account's and can be paid.
fn check(present: &Present, one: &Numbered, account: Address) -> Result<(), Failure> {
    let id = one.id;
    let WithdrawalView { recipient, payment, .. } = one.view;
    if !one.is_of(account) {
        let report =
            eyre!("withdrawal {id} is somebody else's: it is due to {recipient}, not to {account}");
        return Err(Failure::refused(report, "name a withdrawal of the account that sends"));
    }
    if payment != Payment::Due {
        let report = eyre!("withdrawal {id} is paid already");
        return Err(Failure::refused(report, SEE_POWER));
    }
    match one.view.is_payable(present.next) {
        true => Ok(()),
        false => {
            let report = eyre!(outlook(present, one));
            let report = report.wrap_err(format!("withdrawal {id} can't be paid yet"));
            Err(Failure::nothing_to_do(report, SEE_POWER))
        }
    }
}

fn step(present: &Present, one: &Numbered) -> Step {
    let Numbered { id, view, .. } = one;
    let action = IntendedAction::PayWithdrawal { id: *id };
    let words = vec![
        format!("Pay withdrawal {id}: {}", tokens(view.amount)),
        format!("to {}", view.recipient),
    ];
    Step::new(Intent { set: present.set_id(), action, until: None }, words)
}
