//! `canon round`: shows the slots of a round, and its standing or outcome.

mod document;
mod earlier;
mod outcome;
mod render;
mod rollup_rounds;

use std::ops::RangeInclusive;

use alloy_primitives::Address;
use canon_chain::SlotSignal;
use canon_follow::OpenedSet;
use canon_protocol::{BlockNumber, Round as RoundNumber};
use canon_views::{Question, SetView, SignalingView};
use clap::Args;
use eyre::eyre;

use self::{
    document::{RoundDocument, Signals},
    earlier::of_earlier,
};
pub(crate) use self::{
    outcome::{RoundOutcome, outcome},
    rollup_rounds::RollupRounds,
};
use crate::{
    chain::{self, Chain, ChainArgs},
    command_help::CommandHelp,
    exit::{Exit, Failure},
    input::{nonzero_address, whole},
    output,
};

/// Show a round slot by slot: who proposed, whether they signaled and for what; without a number,
/// the running round
///
/// Draws and signals are from the events of the set. They are read once, and kept in the
/// folder for caches; a later command reads only what is new.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Round {
    /// Number of the round
    #[arg(value_name = "N", value_parser = whole(0..=u64::MAX))]
    round: Option<u64>,

    /// Rollup whose round it is, if it was canonical before [default: the canonical rollup]; without a number, its
    /// last round
    #[arg(long, value_name = "ADDRESS", value_parser = nonzero_address)]
    rollup: Option<Address>,

    /// Print JSON: times in Unix seconds; numbers that can exceed 2^53 are strings
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    chain: ChainArgs,
}

const HELP: CommandHelp = CommandHelp::reading("the round was printed")
    .failed(&["rounds aren't known: the canonical rollup or Proposals doesn't answer"])
    .input(&["a round out of range"])
    .after(
        "\
Examples:
  canon round
  canon round 41 --rollup 0x…
  canon round 41 --json | jq '.slots[] | select(.payload == null)'",
    );

impl Round {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let settings = self.chain.settings()?;
        let asked = self.round.map(RoundNumber::of);
        let document = chain::run(async {
            let chain = settings.connect().await?;
            let OpenedSet { view, no_history, .. } = chain.history(Question::default()).await?;
            let canonical = view.present.addresses.rollup;
            let term = match self.rollup.filter(|rollup| *rollup != canonical) {
                Some(rollup) => of_earlier(&chain, &view, rollup, asked).await?,
                None => present_term(&chain, &view, asked).await?,
            };
            let Term { rounds, round, blocks } = term;
            let signals = match (no_history, blocks) {
                (Some(reason), _) => {
                    Signals::Unknown(format!("the set's history isn't known: {reason}"))
                }
                (None, blocks) => signals(&chain, &rounds, round, blocks).await,
            };
            Ok(RoundDocument::new(&rounds, round, signals))
        })?;
        match self.json {
            true => output::json(&document)?,
            false => output::report(&render::render(&document))?,
        }
        Ok(Exit::Success)
    }
}

/// A round of a rollup, and the rollup's time in office.
#[derive(Debug)]
struct Term<'a> {
    rounds: RollupRounds<'a>,
    round: RoundNumber,
    /// The blocks in which the rollup was canonical; `None` if they aren't known.
    blocks: Option<RangeInclusive<BlockNumber>>,
}

/// The requested round of the canonical rollup, or the running one if none was requested.
async fn present_term<'a>(
    chain: &Chain,
    view: &'a SetView,
    asked: Option<RoundNumber>,
) -> Result<Term<'a>, Failure> {
    let signaling = view.present.signaling.as_ref().ok_or_else(|| unknown(view))?;
    let round = find(chain, view, signaling, asked).await?;
    let snapshot = view.history.as_ref().and_then(|history| history.registry().snapshots().last());
    let blocks = snapshot.map(|snapshot| snapshot.block_number..=view.present.block.number);
    Ok(Term { rounds: RollupRounds::canonical(view, signaling), round, blocks })
}

/// The requested round, or the running one if none was requested.
async fn find(
    chain: &Chain,
    view: &SetView,
    signaling: &SignalingView,
    asked: Option<RoundNumber>,
) -> Result<RoundNumber, Failure> {
    let running = signaling.status.round;
    let Some(round) = asked.filter(|round| *round != running) else { return Ok(running) };
    let oldest = oldest(chain, view, running).await?;
    if (oldest..=running).contains(&round) {
        return Ok(round);
    }
    let (problem, next) = match round > running {
        true => ("hasn't begun", "`canon round` shows the running round"),
        false if view.history.is_some() => {
            // The slots of earlier rollups are other ones.
            (
                "is older than the canonical rollup's time in office",
                "--rollup shows the rounds of an earlier rollup",
            )
        }
        false => {
            ("is too old for the contracts' own views", "use an endpoint that has the set's logs")
        }
    };
    let report = eyre!("round {round} {problem}: expected a round from {oldest} to {running}");
    Err(Failure::bad_input(report, next))
}

/// The oldest round that can be shown: the one in which the rollup became canonical, or, without the
/// history, the oldest one that can be pushed.
async fn oldest(
    chain: &Chain,
    view: &SetView,
    running: RoundNumber,
) -> Result<RoundNumber, Failure> {
    let present = &view.present;
    let snapshot = view.history.as_ref().and_then(|history| history.registry().snapshots().last());
    let (Some(snapshot), Some(signaling)) = (snapshot, &present.signaling) else {
        let candidates = canon_protocol::RoundRules::push_candidates(running).min();
        return Ok(candidates.unwrap_or(running));
    };
    let time = chain.timestamp_of(snapshot.block_number).await?;
    let slot = present.canonical_clock().and_then(|clock| clock.slot_at(time));
    Ok(slot.map_or(RoundNumber::ZERO, |slot| signaling.rules.round_of(slot)))
}

/// The failure if no rounds are known.
fn unknown(view: &SetView) -> Failure {
    let rollup = view.present.addresses.rollup;
    let is_before_genesis =
        view.present.canonical_rollup().is_some_and(|rollup| rollup.slot.is_none());
    let report = match is_before_genesis {
        true => eyre!("no round has begun: the canonical rollup {rollup} is before its genesis"),
        false => {
            eyre!("no rounds are known: the canonical rollup {rollup} or Proposals doesn't answer")
        }
    };
    let next = "`canon status` shows what is known";
    Failure { exit: Exit::CheckFailed, report, next }
}

/// The signals of a round, from the events in the blocks in which its rollup was canonical.
async fn signals(
    chain: &Chain,
    rounds: &RollupRounds<'_>,
    round: RoundNumber,
    blocks: Option<RangeInclusive<BlockNumber>>,
) -> Signals {
    let (Some(clock), Some(blocks)) = (rounds.clock, blocks) else {
        return Signals::Unknown("the canonical rollup's slots aren't known".to_owned());
    };
    let rules = &rounds.rules;
    let first = clock.slot_start(rules.first_slot(round));
    let last = clock.slot_end(rules.last_slot(round));
    let (Some(first), Some(last)) = (first, last) else { return Signals::Known(Vec::new()) };
    match chain.signals(rounds.proposals, blocks, first..=last).await {
        Ok(found) => {
            // A round of another rollup can have the same number, but not the same slots at the same time.
            let is_of_round =
                |signal: &SlotSignal| signal.round == round && rules.round_of(signal.slot) == round;
            Signals::Known(found.into_iter().filter(is_of_round).collect())
        }
        Err(error) => Signals::Unknown(format!("the signals can't be read: {error}")),
    }
}
