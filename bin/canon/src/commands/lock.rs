//! `canon lock`: locks tokens as power.

use alloy_primitives::Address;
use canon_protocol::{
    Seconds,
    text::{Duration, Time, Tokens},
};
use canon_views::{
    GovernanceView, IntendedAction, Intent, OrderAmount, PermitTerms, Present, Question,
};
use clap::Args;

use super::holding::Holding;
use crate::{
    answer,
    chain::ChainArgs,
    command_help::CommandHelp,
    commands::recipient::require_account,
    exit::{Exit, Failure},
    input::{amount_or_all, nonzero_address, shown_amount},
    page::{DETAILS_WIDTH, hanging, tokens},
    send::{Planned, SendArgs, Simulation, Step, run},
};

/// Lock tokens as power to vote with
///
/// Power counts for proposals whose voting starts after it was locked. If Governance may not take the
/// tokens yet, an approval of just this amount is sent before; with --permit it is signed instead, and
/// there is one transaction.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Lock {
    /// Tokens to lock, such as 1500 or 0.25, or "all"
    #[arg(value_name = "AMOUNT", value_parser = amount_or_all)]
    amount: OrderAmount,

    /// Holder whose power it becomes, and who alone can give it up [default: the account that sends]
    #[arg(long = "for", value_name = "HOLDER", value_parser = nonzero_address)]
    beneficiary: Option<Address>,

    /// Sign a permit instead of sending an approval
    #[arg(long)]
    permit: bool,

    #[command(flatten)]
    send: SendArgs,

    #[command(flatten)]
    chain: ChainArgs,
}

const HELP: CommandHelp = CommandHelp::sending().failed(&["there isn't enough"]).after(
    "\
Examples:
  canon lock 1500 --account holder
  canon lock all --permit --account holder
  canon lock 1500 --unsigned safe --from 0x…",
);

/// The time for which a permit is valid. It is signed anew for every transaction.
const PERMIT_VALIDITY: Seconds = Seconds::DAY;

/// The way in which Governance is allowed to take the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Approval,
    Permit,
}

impl Lock {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let method = if self.permit { Method::Permit } else { Method::Approval };
        let mut command = format!("canon lock {}", shown_amount(self.amount));
        if let Some(holder) = self.beneficiary {
            command.push_str(&format!(" --for {holder}"));
        }
        if method == Method::Permit {
            command.push_str(" --permit");
        }
        run(&self.send, &self.chain, &command, async |chain, planned| {
            let mut question = Question::default();
            question.holders.insert(planned.account, Default::default());
            if let Some(holder) = self.beneficiary {
                // A rollup that isn't canonical is found by its answers.
                question.rollups.entry(holder).or_default();
            }
            let present = chain.present(question).await?;
            self.steps(&present, planned, method)
        })
    }

    fn steps(
        &self,
        present: &Present,
        planned: Planned,
        method: Method,
    ) -> Result<Vec<Step>, Failure> {
        let Planned { account: holder, request, .. } = planned;
        let view = answer::holder(present, holder)?;
        let amount = Holding::Tokens.ordered(holder, view.balance, planned.amount(self.amount))?;
        let (asset, governance) = (present.addresses.asset, present.addresses.governance);
        let intent = |action| Intent { set: present.set_id(), action, until: None };
        let is_allowed = view.allowance >= amount.to_word();
        let mut steps = Vec::new();
        let permit = match method {
            Method::Permit if !is_allowed => Some(PermitTerms {
                nonce: view.permit_nonce,
                deadline: present.next + PERMIT_VALIDITY,
            }),
            Method::Approval if !is_allowed => {
                let approve = IntendedAction::Approve { holder, request, asset, amount };
                let words = vec![
                    format!("Allow Governance to take {}", tokens(amount)),
                    format!("Governance {governance}"),
                ];
                steps.push(Step::new(intent(approve), words));
                None
            }
            Method::Permit | Method::Approval => None,
        };
        if let Some(beneficiary) = self.beneficiary {
            require_account(present, &[], "--for", beneficiary)?;
        }
        let beneficiary = self.beneficiary.filter(|beneficiary| *beneficiary != holder);
        let action = IntendedAction::Lock { holder, request, beneficiary, amount, permit };
        let mut words = vec![
            format!("Lock {}", tokens(amount)),
            format!("as power of {}", beneficiary.unwrap_or(holder)),
        ];
        let mut details = Vec::new();
        if let Some(PermitTerms { deadline, .. }) = permit {
            words.push(format!("signs a permit for Governance {governance}"));
            words.push(format!("to take {} of asset {asset}", tokens(amount)));
            details.push(format!("the permit can be used until {}, inclusive", Time(deadline)));
        }
        if let Some(other) = beneficiary {
            let warning = format!(
                "only {other} can give the power up and get the tokens, not the account that sends"
            );
            details.extend(hanging("warning: ", &warning, DETAILS_WIDTH));
        }
        let whose = if beneficiary.is_some() { "the account that sends" } else { "the account" };
        details.push(format!(
            "{whose} has {} and {} power",
            tokens(view.balance),
            Tokens(view.power)
        ));
        let GovernanceView { exit_floor, configuration, .. } = &present.governance;
        let delay = exit_floor.delay_at(present.next, configuration);
        details
            .push(format!("the tokens can be withdrawn {} after `canon unlock`", Duration(delay)));
        let mut lock = Step::new(intent(action), words).ordering(amount);
        lock.details = details;
        lock.simulation = match (permit, steps.is_empty()) {
            (Some(_), _) => Simulation::OnceSigned,
            (None, true) => Simulation::AtOnce,
            (None, false) => Simulation::AfterPrevious,
        };
        steps.push(lock);
        Ok(steps)
    }
}
