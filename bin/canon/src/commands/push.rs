//! `canon push`: makes the winner of a round a proposal.

use canon_protocol::{
    PushWindow, PushableRound, Round, RoundRules, Timestamp, actions_hash,
    text::{Time, count, grouped},
};
use canon_views::{
    IntendedAction, Intent, Present, Question, SetAddresses, SetView, SignalingView,
};
use clap::Args;
use eyre::eyre;

use super::proposal::{coming_vote, in_words_or_data};
use crate::{
    chain::{Chain, ChainArgs},
    command_help::CommandHelp,
    commands::round::{RollupRounds, RoundOutcome, outcome},
    exit::{Exit, Failure},
    input::whole,
    page::{self, lasts, until},
    send::{SendArgs, Step, run, typed},
};

/// Make the winner of a round a proposal; without a round, of every round that is due
///
/// Anyone can do it, from the end of the round until the round is too old. A payload that won several
/// rounds is pushed once, for the oldest of them. Without a round, one whose payload lists no actions is left out.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Push {
    /// Number of the round
    #[arg(value_name = "ROUND", value_parser = whole(0..=u64::MAX))]
    round: Option<u64>,

    #[command(flatten)]
    send: SendArgs,

    #[command(flatten)]
    chain: ChainArgs,
}

const HELP: CommandHelp = CommandHelp::sending()
    .failed(&[
        "the round was pushed before, is too old or has no winner",
        "the payload froze other actions than were shown",
        "the account can't pay for it",
    ])
    .later("there is nothing to push yet")
    .after(
        "\
Examples:
  canon push --account operator
  canon push 5 --dry-run --from 0x…",
    );

const SEE_STATUS: &str = "`canon status` shows rounds, and what can be done now";

impl Push {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let round = self.round.map(Round::of);
        let command = typed("canon push", self.round);
        run(&self.send, &self.chain, &command, async |chain, _| {
            let view = chain.history(Question::default()).await?.view;
            steps(chain, &view, round).await
        })
    }
}

/// The push of `round`, otherwise of every round that is due.
async fn steps(chain: &Chain, view: &SetView, round: Option<Round>) -> Result<Vec<Step>, Failure> {
    let present = &view.present;
    let Some(signaling) = &present.signaling else {
        let SetAddresses { rollup, proposals, .. } = present.addresses;
        let report = eyre!(
            "the rollup {rollup} or Proposals {proposals} doesn't answer, so no round can be pushed"
        );
        return Err(Failure::refused(report, "`canon propose` makes a proposal without signals"));
    };
    let mut payloads = std::collections::BTreeSet::new();
    let pushable = present.pushable_at(present.next).into_iter().filter(|pushable| match round {
        Some(round) => pushable.round == round,
        None => payloads.insert(pushable.winner.payload),
    });
    let (mut steps, mut left_out) = (Vec::new(), Vec::new());
    for pushable in pushable {
        match step(chain, view, signaling.rules.n(), &pushable).await {
            Ok(step) => steps.push(step),
            // A payload that withholds its actions must not keep the others from being pushed.
            Err(failure) if failure.exit == Exit::CheckFailed => {
                left_out.push((pushable.round, failure));
            }
            Err(failure) => return Err(failure),
        }
    }
    let Some(last) = steps.last_mut() else {
        return Err(match (left_out.into_iter().next(), round) {
            (Some((_, failure)), _) => failure,
            (None, Some(round)) => why_not(view, signaling, round),
            (None, None) => {
                let title = "no round has a winner that can be pushed";
                let outlook = outlook(present, signaling);
                let report = match missed(view, signaling) {
                    None => eyre!(outlook),
                    Some(missed) => eyre!("{missed}; {outlook}"),
                };
                Failure::nothing_to_do(report.wrap_err(title), SEE_STATUS)
            }
        });
    };
    let left_out = left_out
        .iter()
        .map(|(round, failure)| format!("left out: round {round}: {:#}", failure.report));
    last.details.extend(left_out);
    Ok(steps)
}

/// The push of a round for which `needed` signals were needed.
async fn step(
    chain: &Chain,
    view: &SetView,
    needed: u32,
    pushable: &PushableRound,
) -> Result<Step, Failure> {
    let present = &view.present;
    let governance = present.addresses.governance;
    let PushableRound { round, winner, until } = *pushable;
    let actions = chain.payload_actions(present.block.hash, governance, winner.payload).await?;
    let hash = actions_hash(&actions);
    let mut words = vec![
        format!("Make the winner of round {round} a proposal"),
        format!("payload {}", winner.payload),
        "actions, which are frozen with hash".to_owned(),
        format!("{hash}:"),
    ];
    let shown = in_words_or_data(chain, view, &actions).await?;
    words.extend(shown.lines.iter().map(|line| format!("  {line}")));
    let action = IntendedAction::Push {
        proposals: present.addresses.proposals,
        rollup: present.addresses.rollup,
        round,
        payload: winner.payload,
        actions_hash: Some(hash),
    };
    let mut step = Step::new(Intent { set: present.set_id(), action, until }, words);
    step.details = shown.failing_now(chain, governance).await;
    let signals = count(winner.count.into(), "signal");
    step.details.push(format!("won with {signals}, {} were needed", grouped(needed)));
    if let Some(last) = until {
        step.details.push(format!("can be pushed {}", lasts(present.block.timestamp, last)));
    }
    step.details.extend(coming_vote(present));
    Ok(step)
}

/// The state of the running round: whether it is won, and when it ends.
fn outlook(present: &Present, signaling: &SignalingView) -> String {
    let SignalingView { rules, status, .. } = signaling;
    let round = status.round;
    let clock = present.canonical_clock();
    let end = clock.and_then(|clock| clock.slot_start(rules.first_slot(round.next())));
    let end = end.map(|end| when(present.block.timestamp, end)).unwrap_or_default();
    match status.leader {
        Some(leader) if rules.is_won(leader.count) => {
            format!("round {round} is won and can be pushed once it is over{end}")
        }
        leader => {
            let found = leader.map_or(0, |leader| leader.count);
            let signals = count(found.into(), "signal");
            format!(
                "round {round} is not won yet: its leader has {signals} of {}; it ends{end}",
                rules.n()
            )
        }
    }
}

/// The number of rounds that are too old, among which one is looked for that was missed.
const RECENT_ROUNDS: u64 = 10;

/// The newest recent round whose winner wasn't pushed in time; `None` if there is none, it is a proposal all the same,
/// or the history isn't known.
fn missed(view: &SetView, signaling: &SignalingView) -> Option<String> {
    let rounds = RollupRounds::canonical(view, signaling);
    let first = RoundRules::push_candidates(signaling.status.round).min()?.get();
    let recent = (first.saturating_sub(RECENT_ROUNDS)..first).rev().map(Round::of);
    let mut expired = recent.filter_map(|round| match outcome(&rounds, round) {
        RoundOutcome::Expired { winner } => Some((round, winner.payload)),
        _ => None,
    });
    let proposals = &view.present.governance.proposals;
    let (round, payload) = expired
        .find(|(_, payload)| proposals.iter().all(|proposal| proposal.payload != *payload))?;
    let last = signaling.rules.push_until(round, view.present.canonical_clock()?)?;
    Some(format!(
        "round {round} was won by {payload} and wasn't pushed in time (until {}, inclusive)",
        Time(last)
    ))
}

/// A time and the duration until it: ` at 2026-01-01 00:00:00 UTC (in 3 h)`.
fn when(now: Timestamp, time: Timestamp) -> String {
    format!(" at {} ({})", Time(time), until(now, time))
}

/// The reason why a round can't be pushed.
fn why_not(view: &SetView, signaling: &SignalingView, round: Round) -> Failure {
    let present = &view.present;
    let SignalingView { rules, status, .. } = signaling;
    let title = format!("round {round} can't be pushed");
    let not_yet =
        |reason: String| Failure::nothing_to_do(eyre!(reason).wrap_err(title.clone()), SEE_STATUS);
    if round > status.round {
        return not_yet(format!("it has not begun: round {} is running", status.round));
    }
    let is_expired = rules.push_window(round, status.round) == PushWindow::Expired;
    let reason = match outcome(&RollupRounds::canonical(view, signaling), round) {
        RoundOutcome::Running => return not_yet(outlook(present, signaling)),
        RoundOutcome::WaitsForProposal { proposal, .. } => {
            let state = present.proposal(proposal);
            let state = state.map(|found| page::state(found, present.block.timestamp));
            let state = state.map(|state| format!("; it is {state}")).unwrap_or_default();
            return not_yet(format!(
                "proposal {proposal} of the same payload is still open{state}"
            ));
        }
        RoundOutcome::NoSignals => "nobody signaled in it".to_owned(),
        RoundOutcome::NotWon { leader } => format!(
            "it has no winner: {} had the most signals, {} of the {} needed",
            leader.payload,
            grouped(leader.count),
            grouped(rules.n())
        ),
        RoundOutcome::Pushed { proposal, .. } => {
            format!("it was pushed already: it is proposal {proposal}")
        }
        RoundOutcome::PushedElsewhere { governance, .. } => {
            format!("it was pushed to {governance}, which isn't this set's Governance")
        }
        RoundOutcome::CodeChanged { winner } => {
            format!("the code of its winner {} isn't what was signaled for", winner.payload)
        }
        RoundOutcome::Unknown if !is_expired => {
            "it had no signals or was pushed already; which, isn't known without the set's history"
                .to_owned()
        }
        RoundOutcome::Unknown | RoundOutcome::Expired { .. } => {
            let first = RoundRules::push_candidates(status.round).min().unwrap_or_default();
            format!(
                "it is too old: round {} is running, and the oldest round that can be pushed is {first}",
                status.round
            )
        }
        RoundOutcome::Pushable { .. } => "it is not due in the next block".to_owned(),
    };
    Failure::refused(eyre!(reason).wrap_err(title), SEE_STATUS)
}
