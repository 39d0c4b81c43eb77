//! `canon stake exit`, `claim` and `coinbase`: take a stake out, and set the recipient of rewards.

use alloy_primitives::Address;
use canon_protocol::{
    AttesterStatus,
    text::{Duration, Time},
};
use canon_views::IntendedAction;
use clap::Args;
use eyre::eyre;

use super::{
    AttesterArgs, HELP, HELP_IN_TIME,
    registered::{RegisteredAttester, SEE_STATUS},
};
use crate::{
    chain::{Chain, ChainArgs},
    commands::recipient::require_account,
    exit::{Exit, Failure},
    input::nonzero_address,
    page::{tokens, until},
    send::{Planned, SendArgs, Step, run},
};

/// Take an attester out of the set: its whole stake is paid after the exit delay
///
/// Only its withdrawer can. The stake can be slashed until it is paid, and the attester may be drawn for
/// two epochs more.
#[derive(Debug, Args)]
#[command(after_help = HELP_IN_TIME)]
pub(crate) struct ExitSet {
    #[command(flatten)]
    attester: AttesterArgs,

    /// Account that gets the stake
    #[arg(long, value_name = "ADDRESS", value_parser = nonzero_address)]
    to: Address,

    #[command(flatten)]
    send: SendArgs,

    #[command(flatten)]
    chain: ChainArgs,
}

impl ExitSet {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let command = format!("canon stake exit {} --to {}", self.attester.typed(), self.to);
        run(&self.send, &self.chain, &command, async |chain, planned| {
            self.steps(chain, planned).await
        })
    }

    async fn steps(&self, chain: &Chain, planned: Planned) -> Result<Vec<Step>, Failure> {
        let found = RegisteredAttester::read(chain, self.attester).await?;
        found.require_withdrawer(planned.account)?;
        require_account(&found.present, &found.rollups, "--to", self.to)?;
        let RegisteredAttester { rollup, attester, view, exit_delay, .. } = found;
        if let Some(exit) = view.exit {
            let left = until(found.now(), exit.exitable_at);
            let report = eyre!(
                "attester {attester} is leaving already: its stake is due to {} at {} ({left})",
                exit.recipient,
                Time(exit.exitable_at)
            );
            return Err(Failure::nothing_to_do(report, "`canon stake claim` pays it then"));
        }
        let (withdrawer, recipient) = (view.withdrawer, self.to);
        let action = IntendedAction::ExitStake { rollup, attester, withdrawer, recipient };
        let words = vec![
            "Take an attester out of the set, with its whole stake".to_owned(),
            format!("attester  {attester}"),
            format!("rollup    {rollup}"),
            format!("stake     {}", tokens(view.stake)),
            format!("due to    {recipient}"),
        ];
        let mut step = Step::new(found.intent(action), words);
        let due = found.present.next + exit_delay;
        step.details.push(format!("due about {}, {} later", Time(due), Duration(exit_delay)));
        step.details
            .push("it can't be taken back, and the stake can be slashed until then".to_owned());
        if rollup != found.present.addresses.rollup {
            let other = "note: `canon stake move` would take it to the canonical rollup instead";
            step.details.push(other.to_owned());
        }
        if let Some(moving) = view.moving {
            step.details.push("warning: it ends the move that is announced, to".to_owned());
            step.details.push(format!("  {}", moving.new_rollup));
        }
        Ok(vec![step])
    }
}

/// Pay the stake of an attester whose exit delay is over, to the account that was named
///
/// Anyone can.
#[derive(Debug, Args)]
#[command(after_help = HELP_IN_TIME)]
pub(crate) struct Claim {
    #[command(flatten)]
    attester: AttesterArgs,

    #[command(flatten)]
    send: SendArgs,

    #[command(flatten)]
    chain: ChainArgs,
}

impl Claim {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let command = format!("canon stake claim {}", self.attester.typed());
        run(&self.send, &self.chain, &command, async |chain, _| self.steps(chain).await)
    }

    async fn steps(&self, chain: &Chain) -> Result<Vec<Step>, Failure> {
        let found = RegisteredAttester::read(chain, self.attester).await?;
        let RegisteredAttester { rollup, attester, view, .. } = found;
        let exit = view.exit.ok_or_else(|| {
            let report = eyre!("attester {attester} isn't leaving: it is {}", view.status);
            Failure::refused(report, "`canon stake exit` takes it out")
        })?;
        if !exit.is_payable(found.present.next) {
            let left = until(found.now(), exit.exitable_at);
            let report =
                eyre!("the stake of {attester} is due at {} ({left})", Time(exit.exitable_at));
            return Err(Failure::nothing_to_do(report, "run it again then"));
        }
        let exitable_at = exit.exitable_at;
        let action = IntendedAction::PayExit { rollup, attester, exitable_at };
        let words = vec![
            format!("Pay the stake of {attester}"),
            format!("{} to {}", tokens(view.stake), exit.recipient),
            format!("rollup {rollup}"),
        ];
        Ok(vec![Step::new(found.intent(action), words)])
    }
}

/// Choose who gets the rewards of an attester's blocks
///
/// Only its withdrawer can. Without it, its proposer gets them.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Coinbase {
    #[command(flatten)]
    attester: AttesterArgs,

    /// Account that gets the rewards
    #[arg(value_name = "ADDRESS", value_parser = nonzero_address)]
    coinbase: Address,

    #[command(flatten)]
    send: SendArgs,

    #[command(flatten)]
    chain: ChainArgs,
}

impl Coinbase {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let command = format!("canon stake coinbase {} {}", self.attester.typed(), self.coinbase);
        run(&self.send, &self.chain, &command, async |chain, planned| {
            self.steps(chain, planned).await
        })
    }

    async fn steps(&self, chain: &Chain, planned: Planned) -> Result<Vec<Step>, Failure> {
        let found = RegisteredAttester::read(chain, self.attester).await?;
        found.require_withdrawer(planned.account)?;
        let RegisteredAttester { rollup, attester, view, .. } = found;
        require_account(&found.present, &found.rollups, "ADDRESS", self.coinbase)?;
        if view.status != AttesterStatus::Validating {
            let report = eyre!("attester {attester} proposes no blocks: it is {}", view.status);
            return Err(Failure::refused(report, SEE_STATUS));
        }
        let (withdrawer, coinbase) = (view.withdrawer, self.coinbase);
        let action = IntendedAction::SetCoinbase { rollup, attester, withdrawer, coinbase };
        let words = vec![
            "Choose who gets the rewards of an attester's blocks".to_owned(),
            format!("attester  {attester}"),
            format!("rollup    {rollup}"),
            format!("coinbase  {coinbase}"),
        ];
        Ok(vec![Step::new(found.intent(action), words)])
    }
}
