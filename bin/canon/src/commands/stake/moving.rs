//! `canon stake move` and `finish`: move a stake to another rollup.

use alloy_primitives::Address;
use canon_protocol::{
    AttesterStatus,
    text::{Duration, Time},
};
use canon_views::{IntendedAction, NewAttester, Question};
use clap::Args;
use eyre::eyre;
use tokio::sync::OnceCell;

use super::{
    AttesterArgs, HELP_IN_TIME,
    registered::{RegisteredAttester, SEE_STATUS},
};
use crate::{
    answer,
    chain::{Chain, ChainArgs},
    examined::ProvenRollup,
    exit::{Exit, Failure},
    input::nonzero_address,
    page::{DETAILS_WIDTH, hanging, tokens, until},
    send::{Planned, SendArgs, Step, run},
};

/// Announce that the stake of an attester moves to another rollup; it keeps its seat until then
///
/// Only its withdrawer can. After the exit delay the stake can go, once the other rollup is canonical.
/// Another target can be announced meanwhile, and the delay goes on.
#[derive(Debug, Args)]
#[command(after_help = HELP_IN_TIME)]
pub(crate) struct Move {
    #[command(flatten)]
    attester: AttesterArgs,

    /// Rollup to move to [default: the canonical one]
    #[arg(long, value_name = "ADDRESS", value_parser = nonzero_address)]
    to: Option<Address>,

    #[command(flatten)]
    send: SendArgs,

    #[command(flatten)]
    chain: ChainArgs,
}

impl Move {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let to = self.to.map(|to| format!(" --to {to}")).unwrap_or_default();
        let command = format!("canon stake move {}{to}", self.attester.typed());
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
        let found = RegisteredAttester::read(chain, self.attester).await?;
        found.require_withdrawer(planned.account)?;
        let RegisteredAttester { rollup, attester, view, exit_delay, .. } = found;
        let to = self.to.unwrap_or(found.present.addresses.rollup);
        if to == rollup {
            let report =
                eyre!("--to: expected another rollup than {rollup}, in which {attester} is");
            return Err(Failure::bad_input(report, "name the rollup to move to with --to"));
        }
        if view.status != AttesterStatus::Validating {
            let report = eyre!("attester {attester} can't move: it is {}", view.status);
            return Err(Failure::refused(report, SEE_STATUS));
        }
        if !chain.has_code(to).await? {
            let report = eyre!("--to: there is no contract at {to}");
            return Err(Failure::refused(report, "check the address of the rollup"));
        }
        let proven = match to == found.present.addresses.rollup {
            true => None,
            false => Some(*proven.get_or_try_init(|| ProvenRollup::examine(chain, to)).await?),
        };
        if proven == Some(ProvenRollup::Former) {
            let report = eyre!("--to: rollup {to} was canonical before, and can't become it again");
            return Err(Failure::refused(
                report,
                "a stake can only go to a rollup that becomes canonical",
            ));
        }
        if let Some(moving) = view.moving.filter(|moving| moving.new_rollup == to) {
            let left = until(found.now(), moving.ready_at);
            let report = eyre!(
                "the move of {attester} to {to} is announced: the stake can go from {} on ({left})",
                Time(moving.ready_at)
            );
            return Err(Failure::nothing_to_do(report, "`canon stake finish` completes it then"));
        }
        let is_squatted = is_registered(chain, to, attester).await?;
        let withdrawer = view.withdrawer;
        let action = IntendedAction::AnnounceMove { rollup, attester, to, withdrawer };
        let mut words = vec![
            "Announce that the stake of an attester moves".to_owned(),
            format!("attester  {attester}"),
            format!("from      {rollup}"),
            format!("to        {to}"),
            format!("stake     {}", tokens(view.stake)),
        ];
        words.extend(proven.into_iter().flat_map(ProvenRollup::words));
        let mut step = Step::new(found.intent(action), words);
        match view.moving {
            Some(moving) => step.details.extend([
                format!("instead of {}", moving.new_rollup),
                format!("the stake can go from {} on, as before", Time(moving.ready_at)),
            ]),
            None => step.details.push(format!(
                "the stake can go about {}, {} later",
                Time(found.present.next + exit_delay),
                Duration(exit_delay)
            )),
        }
        if proven.is_some() {
            step.details.push("and only once that rollup is canonical".to_owned());
        }
        step.details.push("`canon stake exit` ends the move".to_owned());
        if is_squatted == Some(true) {
            let text = format!(
                "{attester} is registered in that rollup already: only its withdrawer can complete the move, under \
                 another attester (`canon stake finish {attester} --as NEW_ATTESTER`)"
            );
            step.details.extend(hanging("warning: ", &text, DETAILS_WIDTH));
        }
        Ok(vec![step])
    }
}

/// Complete the move of a stake whose delay is over, to the rollup that was announced
///
/// Anyone can; under another attester only the withdrawer.
#[derive(Debug, Args)]
#[command(after_help = HELP_IN_TIME)]
pub(crate) struct Finish {
    #[command(flatten)]
    attester: AttesterArgs,

    /// Attester in the new rollup, if somebody else has registered this one there
    #[arg(long = "as", value_name = "NEW_ATTESTER", value_parser = nonzero_address)]
    new_attester: Option<Address>,

    #[command(flatten)]
    send: SendArgs,

    #[command(flatten)]
    chain: ChainArgs,
}

impl Finish {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let new = self.new_attester.map(|new| format!(" --as {new}")).unwrap_or_default();
        let command = format!("canon stake finish {}{new}", self.attester.typed());
        run(&self.send, &self.chain, &command, async |chain, planned| {
            self.steps(chain, planned).await
        })
    }

    async fn steps(&self, chain: &Chain, planned: Planned) -> Result<Vec<Step>, Failure> {
        let found = RegisteredAttester::read(chain, self.attester).await?;
        if self.new_attester.is_some() {
            found.require_withdrawer(planned.account)?;
        }
        let RegisteredAttester { rollup, attester, view, .. } = found;
        let moving = view.moving.ok_or_else(|| {
            let report =
                eyre!("no move of attester {attester} is announced: it is {}", view.status);
            Failure::refused(report, "`canon stake move` announces one")
        })?;
        let (to, canonical) = (moving.new_rollup, found.present.addresses.rollup);
        let is_ready = moving.is_ready(found.present.next);
        if !is_ready || to != canonical {
            let left = until(found.now(), moving.ready_at);
            let from = format!("from {} on ({left})", Time(moving.ready_at));
            let once = format!("once that rollup is canonical; {canonical} is canonical now");
            let when = match (is_ready, to == canonical) {
                (false, true) => from,
                (false, false) => format!("{from}, and only {once}"),
                (true, _) => once,
            };
            let report = eyre!("the stake of {attester} can go to {to} {when}");
            let next = match to == canonical {
                true => "run it again then",
                false => {
                    "wait until a proposal makes it canonical; `canon stake move` announces another target"
                }
            };
            return Err(Failure::nothing_to_do(report, next));
        }
        let there = self.new_attester.unwrap_or(attester);
        let withdrawer = view.withdrawer;
        // Another implementation doesn't answer; the simulation shows whether it takes the stake.
        let is_registered = is_registered(chain, to, there).await?;
        if is_registered == Some(true) {
            let report = eyre!(
                "attester {there} is registered in rollup {to} already: only the withdrawer, {withdrawer}, can complete \
                 the move, under another attester"
            );
            return Err(Failure::refused(
                report,
                "send it from the withdrawer, with --as NEW_ATTESTER",
            ));
        }
        let new_attester = self.new_attester.map(|attester| NewAttester { attester, withdrawer });
        let ready_at = moving.ready_at;
        let action = IntendedAction::FinalizeMove { rollup, attester, ready_at, new_attester };
        let mut words = vec![
            format!("Move the stake of {attester}"),
            format!("from   {rollup}"),
            format!("to     {to}"),
            format!("stake  {}", tokens(view.stake)),
        ];
        words.extend(self.new_attester.map(|new| format!("as     {new}")));
        let mut step = Step::new(found.intent(action), words);
        if is_registered.is_none() {
            let note = "note: that rollup doesn't answer as Canon's rollups do";
            step.details.push(note.to_owned());
        }
        Ok(vec![step])
    }
}

/// Whether an attester is registered in a rollup; `None` if that doesn't answer as Canon's rollups do.
async fn is_registered(
    chain: &Chain,
    rollup: Address,
    attester: Address,
) -> Result<Option<bool>, Failure> {
    let mut question = Question::default();
    question.rollups.entry(rollup).or_default().insert(attester);
    let present = chain.present(question).await?;
    if !present.rollups.contains_key(&rollup) {
        return Ok(None);
    }
    let status = answer::attester(&present, rollup, attester)?.status;
    Ok(Some(status != AttesterStatus::None))
}
