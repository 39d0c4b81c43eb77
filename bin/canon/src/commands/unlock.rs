//! `canon unlock`: gives up power.

use alloy_primitives::Address;
use canon_protocol::{
    ProposalState,
    text::{Time, Tokens},
};
use canon_views::{IntendedAction, Intent, OrderAmount, Present, Question};
use clap::Args;

use super::holding::Holding;
use crate::{
    answer,
    chain::ChainArgs,
    command_help::CommandHelp,
    commands::recipient::require_account,
    exit::{Exit, Failure},
    input::{amount_or_all, nonzero_address, shown_amount},
    page::{DETAILS_WIDTH, hanging, until},
    send::{Planned, SendArgs, Step, run},
};

/// Give power up: the tokens are paid after the withdrawal delay
///
/// It can't be taken back. Ballots that were cast stay cast. `canon withdraw` pays the tokens once their
/// time has come.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Unlock {
    /// Tokens to unlock, such as 1500 or 0.25, or "all"
    #[arg(value_name = "AMOUNT", value_parser = amount_or_all)]
    amount: OrderAmount,

    /// Account that gets the tokens [default: the account that sends]
    #[arg(long, value_name = "ADDRESS", value_parser = nonzero_address)]
    to: Option<Address>,

    #[command(flatten)]
    send: SendArgs,

    #[command(flatten)]
    chain: ChainArgs,
}

const HELP: CommandHelp = CommandHelp::sending().failed(&["there isn't enough"]).after(
    "\
Examples:
  canon unlock 1500 --account holder
  canon unlock all --to 0x… --account holder",
);

impl Unlock {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let mut command = format!("canon unlock {}", shown_amount(self.amount));
        if let Some(to) = self.to {
            command.push_str(&format!(" --to {to}"));
        }
        run(&self.send, &self.chain, &command, async |chain, planned| {
            let mut question = Question::default();
            question.holders.insert(planned.account, Default::default());
            if let Some(to) = self.to {
                // A rollup that isn't canonical is found by its answers.
                question.rollups.entry(to).or_default();
            }
            let present = chain.present(question).await?;
            self.step(&present, planned).map(|step| vec![step])
        })
    }

    fn step(&self, present: &Present, planned: Planned) -> Result<Step, Failure> {
        let Planned { account: holder, request, .. } = planned;
        let view = answer::holder(present, holder)?;
        let to = self.to.unwrap_or(holder);
        require_account(present, &[], "--to", to)?;
        let amount = Holding::Power.ordered(holder, view.power, planned.amount(self.amount))?;
        let action = IntendedAction::Withdraw { holder, request, to, amount };
        let words = vec![
            format!("Give up {} power, which can't be taken back", Tokens(amount)),
            format!("the tokens go to {to}"),
        ];
        let intent = Intent { set: present.set_id(), action, until: None };
        let mut step = Step::new(intent, words).ordering(amount);
        let governance = &present.governance;
        let delay = governance.exit_floor.delay_at(present.next, &governance.configuration);
        let paid = present.next + delay;
        let left = until(present.block.timestamp, paid);
        step.details = vec![
            format!("the account has {} power", Tokens(view.power)),
            format!("the tokens are due from about {} on ({left})", Time(paid)),
        ];
        step.details.extend(effect_on_votes(present));
        Ok(step)
    }
}

/// What becomes of the power to vote on open proposals; nothing if none is open.
fn effect_on_votes(present: &Present) -> Vec<String> {
    let in_state = |wanted: &[ProposalState]| {
        let proposals = present.governance.proposals.iter();
        let found = proposals.filter(|one| wanted.contains(&one.state_at(present.next)));
        found.map(|one| one.id.to_string()).collect::<Vec<_>>().join(", ")
    };
    let to_come = in_state(&[ProposalState::Pending]);
    let past = in_state(&[ProposalState::Active, ProposalState::Queued]);
    let mut effect = Vec::new();
    if !to_come.is_empty() {
        let text =
            format!("it doesn't count for votes whose snapshot is to come: proposal {to_come}");
        effect.extend(hanging("warning: ", &text, DETAILS_WIDTH));
    }
    if !past.is_empty() {
        let text = format!("it still counts for votes whose snapshot is past: proposal {past}");
        effect.extend(hanging("note: ", &text, DETAILS_WIDTH));
    }
    effect
}
