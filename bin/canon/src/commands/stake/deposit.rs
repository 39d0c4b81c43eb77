//! `canon stake deposit`: registers an attester.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::Address;
use canon_protocol::{
    Amount, AttesterStatus, Timestamp,
    text::{Duration, Time, Tokens},
};
use canon_views::{IntendedAction, Intent, OrderAmount, Present, Question, RollupView};
use clap::Args;
use eyre::eyre;
use tokio::sync::OnceCell;

use super::{HELP, registered::SEE_STATUS, status::draws_later};
use crate::{
    answer,
    chain::{Chain, ChainArgs},
    commands::recipient::require_account,
    examined::ProvenRollup,
    exit::{Exit, Failure},
    input::{amount_or_all, nonzero_address, shown_amount},
    page::{tokens, until},
    send::{Planned, SendArgs, Simulation, Step, run},
};

/// Register an attester with a stake
///
/// It is in the set of the epoch after the next one, and draws slots from then on. If the rollup may not
/// take the tokens yet, an approval of just this amount is sent before.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Deposit {
    /// Tokens to stake, such as 1500, or "all"; more than the minimum draws no more slots
    #[arg(value_name = "AMOUNT", value_parser = amount_or_all)]
    amount: OrderAmount,

    /// Account that the stake is registered for, and named by in other commands
    #[arg(long, value_name = "ADDRESS", value_parser = nonzero_address)]
    attester: Address,

    /// Account that signals and proposes for it
    #[arg(long, value_name = "ADDRESS", value_parser = nonzero_address)]
    proposer: Address,

    /// Account that decides about the stake, and alone can take it out
    #[arg(long, value_name = "ADDRESS", value_parser = nonzero_address)]
    withdrawer: Address,

    /// Rollup [default: the canonical one]
    #[arg(long, value_name = "ADDRESS", value_parser = nonzero_address)]
    rollup: Option<Address>,

    #[command(flatten)]
    send: SendArgs,

    #[command(flatten)]
    chain: ChainArgs,
}

impl Deposit {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let Self { attester, proposer, withdrawer, .. } = self;
        let amount = shown_amount(self.amount);
        let rollup = self.rollup.map(|rollup| format!(" --rollup {rollup}")).unwrap_or_default();
        let command = format!(
            "canon stake deposit --attester {attester} --proposer {proposer} --withdrawer {withdrawer} \
             {amount}{rollup}"
        );
        // The steps are planned several times, and the proof takes long.
        let proven = OnceCell::new();
        run(&self.send, &self.chain, &command, async |chain, planned| {
            self.steps(chain, planned, &proven).await
        })
    }

    async fn steps(
        &self,
        chain: &Chain,
        planned: Planned,
        proven: &OnceCell<ProvenRollup>,
    ) -> Result<Vec<Step>, Failure> {
        let Self { attester, proposer, withdrawer, .. } = *self;
        let Planned { account: holder, request, .. } = planned;
        let rollup = match self.rollup {
            Some(rollup) => rollup,
            None => chain.present(Question::default()).await?.addresses.rollup,
        };
        let question = Question {
            rollups: BTreeMap::from([(rollup, BTreeSet::from([attester]))]),
            holders: BTreeMap::from([(holder, BTreeSet::new())]),
            ..Question::default()
        };
        let present = chain.present(question).await?;
        let seen = present.rollups.get(&rollup).ok_or_else(|| {
            let report = eyre!("the rollup at {rollup} doesn't answer as Canon's rollups do");
            Failure::refused(report, "check --rollup")
        })?;
        require_account(&present, &[], "--withdrawer", withdrawer)?;
        require_vacant(&present, rollup, attester)?;
        let balance = answer::holder(&present, holder)?.balance;
        let amount = stake(holder, balance, seen.minimum_stake, planned.amount(self.amount))?;
        let canonical = present.addresses.rollup;
        let proven = match rollup == canonical {
            true => None,
            false => Some(*proven.get_or_try_init(|| ProvenRollup::examine(chain, rollup)).await?),
        };
        let asset = present.addresses.asset;
        let allowance = chain.allowance(present.block.hash, asset, holder, rollup).await?;
        let intent = |action| Intent { set: present.set_id(), action, until: None };
        let mut steps = Vec::new();
        if allowance < amount.to_word() {
            let action = IntendedAction::ApproveStake { holder, request, asset, rollup, amount };
            let words = vec![
                format!("Allow the rollup to take {}", tokens(amount)),
                format!("rollup {rollup}"),
            ];
            steps.push(Step::new(intent(action), words));
        }
        let action = IntendedAction::Stake {
            rollup,
            attester,
            request,
            holder,
            proposer,
            withdrawer,
            amount,
        };
        let mut words = vec![
            format!("Stake {}", tokens(amount)),
            format!("attester    {attester}"),
            format!("proposer    {proposer}"),
            format!("withdrawer  {withdrawer}"),
            format!("rollup      {rollup}"),
        ];
        words.extend(proven.into_iter().flat_map(ProvenRollup::words));
        let mut stake = Step::new(intent(action), words).ordering(amount);
        stake.details = details(seen, amount, present.block.timestamp, present.next);
        if let Some(proven) = proven {
            let note = match proven {
                ProvenRollup::Former => {
                    "warning: signals never count there: it can't become canonical again"
                }
                ProvenRollup::Genuine { .. } => {
                    "note: signals don't count there until it is canonical"
                }
            };
            stake.details.push(note.to_owned());
            stake.details.push(format!("the canonical rollup is {canonical}"));
        }
        if !steps.is_empty() {
            stake.simulation = Simulation::AfterPrevious;
        }
        steps.push(stake);
        Ok(steps)
    }
}

/// The amount to stake. The account must have it, and the rollup must accept it.
fn stake(
    holder: Address,
    balance: Amount,
    minimum: Amount,
    wanted: OrderAmount,
) -> Result<Amount, Failure> {
    let amount = match wanted {
        OrderAmount::All => balance,
        OrderAmount::Exactly(amount) => amount,
    };
    if amount < minimum {
        let report = eyre!(
            "AMOUNT: expected at least {}, the rollup's least stake, found {}",
            tokens(minimum),
            Tokens(amount)
        );
        return Err(Failure::refused(report, "stake more"));
    }
    if amount > balance {
        let report = eyre!(
            "{holder} has {}, expected the {} to stake: {} missing",
            tokens(balance),
            Tokens(amount),
            Tokens(amount.saturating_sub(balance))
        );
        return Err(Failure::refused(report, "send tokens to the account first"));
    }
    Ok(amount)
}

fn require_vacant(present: &Present, rollup: Address, attester: Address) -> Result<(), Failure> {
    let status = answer::attester(present, rollup, attester)?.status;
    if status == AttesterStatus::None {
        return Ok(());
    }
    let report =
        eyre!("attester {attester} is registered in rollup {rollup} already: it is {status}");
    Err(Failure::refused(report, SEE_STATUS))
}

/// Facts that a user should know before the stake is locked.
fn details(seen: &RollupView, amount: Amount, now: Timestamp, next: Timestamp) -> Vec<String> {
    let delay = Duration(seen.exit_delay);
    let mut details = vec![format!("it can be taken out {delay} after the withdrawer asks for it")];
    if let Some((epoch, start)) = draws_later(&seen.clock, next) {
        let left = until(now, start);
        details.push(format!("it draws slots from epoch {epoch} on, {} ({left})", Time(start)));
    }
    if amount > seen.minimum_stake {
        details.push(format!("{} would draw as many slots", tokens(seen.minimum_stake)));
    }
    details
}
