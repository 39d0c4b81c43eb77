//! The outcome of a round.

use alloy_primitives::Address;
use canon_protocol::{
    Leader, ProposalId, ProposalsRefusal, PushCandidate, PushWindow, Pushed, Round, Timestamp, text,
};
use serde::Serialize;

use super::RollupRounds;

/// The outcome of a round, and whether its winner can be pushed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum RoundOutcome {
    /// The round isn't over.
    Running,
    /// The round had no signals.
    NoSignals,
    /// No payload got the required signals.
    NotWon { leader: Leader },
    /// The winner became a proposal.
    Pushed { winner: Leader, proposal: ProposalId },
    /// The winner was pushed to a contract other than Governance, which owned the Registry then.
    PushedElsewhere {
        winner: Leader,
        #[serde(with = "text::address")]
        governance: Address,
    },
    /// Anyone can push the winner.
    Pushable {
        winner: Leader,
        /// The last second in which it can be pushed; `None` if the rollup's slots aren't known.
        until: Option<Timestamp>,
    },
    /// The winner can't be pushed while its last proposal may still be executed.
    WaitsForProposal { winner: Leader, proposal: ProposalId, until: Option<Timestamp> },
    /// The winner's code has changed since the signals.
    CodeChanged { winner: Leader },
    /// The winner wasn't pushed in time.
    Expired { winner: Leader },
    /// Unknown without the history: either there were no signals, or the winner was pushed.
    Unknown,
}

/// The outcome of a round.
pub(crate) fn outcome(rounds: &RollupRounds<'_>, round: Round) -> RoundOutcome {
    let window = rounds.push_window(round);
    if window == PushWindow::NotOver {
        return RoundOutcome::Running;
    }
    let candidate = rounds.running.and_then(|signaling| {
        let candidate = rounds.candidate(round)?;
        Some(of_candidate(rounds, signaling.status.round, candidate))
    });
    let history = rounds.view.history.as_ref();
    let Some(counted) = history.and_then(|history| history.proposals(rounds.proposals)) else {
        return candidate.unwrap_or(RoundOutcome::Unknown);
    };
    let tally = counted.round(rounds.rollup, round);
    let Some((tally, leader)) = tally.and_then(|tally| Some((tally, tally.leader?))) else {
        return RoundOutcome::NoSignals;
    };
    match tally.pushed {
        Some(Pushed::Proposal(proposal)) => RoundOutcome::Pushed { winner: leader, proposal },
        Some(Pushed::Elsewhere(governance)) => {
            RoundOutcome::PushedElsewhere { winner: leader, governance }
        }
        None if !rounds.rules.is_won(leader.count) => RoundOutcome::NotWon { leader },
        None if window == PushWindow::Expired => RoundOutcome::Expired { winner: leader },
        None => candidate.unwrap_or(RoundOutcome::Unknown),
    }
}

/// The outcome of a round that had signals, wasn't pushed and isn't too old. `running` is the running round.
fn of_candidate(
    rounds: &RollupRounds<'_>,
    running: Round,
    candidate: &PushCandidate,
) -> RoundOutcome {
    let (present, leader) = (&rounds.view.present, candidate.leader);
    let until = rounds.clock.and_then(|clock| rounds.rules.push_until(candidate.round, clock));
    let state = |id| present.state_at(id, present.block.timestamp);
    match candidate.winner(&rounds.rules, running, state) {
        Ok(winner) => RoundOutcome::Pushable { winner, until },
        Err(ProposalsRefusal::CodeChanged { .. }) => RoundOutcome::CodeChanged { winner: leader },
        Err(ProposalsRefusal::ProposalLive { proposal_id, .. }) => {
            match ProposalId::try_from(proposal_id) {
                Ok(proposal) => RoundOutcome::WaitsForProposal { winner: leader, proposal, until },
                Err(_) => RoundOutcome::Unknown,
            }
        }
        Err(ProposalsRefusal::RoundExpired { .. }) => RoundOutcome::Expired { winner: leader },
        Err(_) => RoundOutcome::NotWon { leader },
    }
}
