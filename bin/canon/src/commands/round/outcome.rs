//! The outcome of a round.

use alloy_primitives::Address;
use canon_protocol::{
    Leader, ProposalId, ProposalsRefusal, PushCandidate, PushWindow, Pushed, Round, Timestamp, text,
};
use canon_views::{SetView, SignalingView};
use serde::Serialize;

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

/// The outcome of a round of the canonical rollup.
pub(crate) fn outcome(view: &SetView, signaling: &SignalingView, round: Round) -> RoundOutcome {
    let running = signaling.status.round;
    let candidate = signaling.rounds.iter().find(|candidate| candidate.round == round);
    let window = signaling.rules.push_window(round, running);
    if window == PushWindow::NotOver {
        return RoundOutcome::Running;
    }
    let history = view.history.as_ref();
    let counted = history.and_then(|history| history.proposals(view.present.addresses.proposals));
    let Some(counted) = counted else {
        return candidate
            .map_or(RoundOutcome::Unknown, |found| of_candidate(view, signaling, found));
    };
    let tally = counted.round(signaling.status.instance, round);
    let Some((tally, leader)) = tally.and_then(|tally| Some((tally, tally.leader?))) else {
        return RoundOutcome::NoSignals;
    };
    match (tally.pushed, candidate) {
        (Some(Pushed::Proposal(proposal)), _) => RoundOutcome::Pushed { winner: leader, proposal },
        (Some(Pushed::Elsewhere(governance)), _) => {
            RoundOutcome::PushedElsewhere { winner: leader, governance }
        }
        (None, _) if !signaling.rules.is_won(leader.count) => RoundOutcome::NotWon { leader },
        (None, _) if window == PushWindow::Expired => RoundOutcome::Expired { winner: leader },
        (None, Some(candidate)) => of_candidate(view, signaling, candidate),
        (None, None) => RoundOutcome::Unknown,
    }
}

/// The outcome of a round that had signals, wasn't pushed and isn't too old.
fn of_candidate(
    view: &SetView,
    signaling: &SignalingView,
    candidate: &PushCandidate,
) -> RoundOutcome {
    let (present, leader) = (&view.present, candidate.leader);
    let clock = present.canonical_clock();
    let until = clock.and_then(|clock| signaling.rules.push_until(candidate.round, clock));
    let state = |id| present.state_at(id, present.block.timestamp);
    match candidate.winner(&signaling.rules, signaling.status.round, state) {
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
