//! Proposals as text.

use canon_protocol::{
    L1Block, ProposalState, Seconds, Timestamp,
    text::{Duration, Percent, Time, Tokens},
    votes_needed, yea_limit,
};
use canon_views::{Present, ProposalView};

use super::{ProposalDocument, UNKNOWN};
use crate::page::{self, Page, line, share, tokens, until, wrapped_line};

/// Three lines for each proposal, newest first.
pub(super) fn list(present: &Present) -> String {
    let mut page = Page::default();
    let now = present.block.timestamp;
    if present.governance.proposals.is_empty() {
        line!(page, "There are no proposals yet");
    }
    for proposal in present.governance.proposals.iter().rev() {
        line!(page, "{:>6}  {}", proposal.id, page::state(proposal, now));
        line!(
            page,
            "        for {}, against {} of all power",
            share(proposal.tally.yea, proposal.total_power),
            share(proposal.tally.nea, proposal.total_power)
        );
        line!(page, "        payload {}", proposal.payload);
    }
    page.into_text()
}

pub(super) fn proposal(present: &Present, document: &ProposalDocument<'_>) -> String {
    let proposal = document.proposal;
    let mut page = Page::default();
    let now = present.block.timestamp;
    line!(page, "Proposal {}", proposal.id);
    line!(page, "  {}", page::state(proposal, now));
    line!(page, "  payload   {}", proposal.payload);
    match proposal.pushed_by {
        Some(proposals) => line!(page, "  pushed    by Proposals {proposals}"),
        None => line!(page, "  proposed  by a holder, for power that was given up"),
    }
    actions(&mut page, document);
    vote(&mut page, proposal, now);
    dates(&mut page, document, now);
    ballots(&mut page, document);
    line!(page, "\nAs of block {}, {}", present.block.number, Time(now));
    page.into_text()
}

fn actions(page: &mut Page, document: &ProposalDocument<'_>) {
    line!(page, "\nActions, frozen with hash");
    line!(page, "  {}", document.proposal.actions_hash);
    match &document.actions {
        None => {
            for words in &document.unknown {
                line!(page, "  {words}");
            }
            let others = document.payload_now.iter().flat_map(|now| now.actions.lines());
            for words in others {
                line!(page, "    {words}");
            }
        }
        Some(actions) => {
            for words in actions.lines() {
                line!(page, "  {words}");
            }
        }
    }
}

fn vote(page: &mut Page, proposal: &ProposalView, now: Timestamp) {
    let ProposalView { tally, total_power, configuration, .. } = proposal;
    let basis = match proposal.deadlines().pending >= now {
        true => "locked now; those locked when voting starts will count",
        false => "locked when voting started",
    };
    line!(page, "");
    wrapped_line!(page, "", "Vote, with {} {basis}", tokens(*total_power));
    for (side, amount) in [("for", tally.yea), ("against", tally.nea)] {
        line!(page, "  {side:<8} {:>10}  {}", share(amount, *total_power), tokens(amount));
    }
    let rule = |name: &str, percent: Percent| format!("  {name:<8} {:>10}  ", percent.to_string());
    let quorum = votes_needed(*total_power, configuration.quorum);
    let prefix = rule("quorum", Percent::of(configuration.quorum));
    wrapped_line!(page, &prefix, "of all power: {} must be cast", tokens(quorum));
    let prefix = rule("margin", Percent::of(configuration.vote_differential));
    let cast = tally.cast().unwrap_or_default();
    let limit = match cast.is_zero() {
        true => String::new(),
        false => {
            let limit = yea_limit(cast, configuration.vote_differential);
            format!(": for needs more than {} of the {} cast", Tokens(limit), tokens(cast))
        }
    };
    wrapped_line!(page, &prefix, "of the power cast, by which for has to exceed against{limit}");
    wrapped_line!(page, "  result               ", "{}", page::verdict(proposal, now));
}

fn dates(page: &mut Page, document: &ProposalDocument<'_>, now: Timestamp) {
    let proposal = document.proposal;
    let dates = proposal.dates();
    line!(page, "\nDates, each the first second of the change");
    let all = [
        ("created", proposal.creation),
        ("voting starts", dates.voting_starts),
        ("voting ends", dates.voting_ends),
        ("objections end", dates.objections_end),
        ("executable from", dates.executable),
        ("expires", dates.expires),
    ];
    let state = proposal.state_at(now);
    // Dates that a proposal doesn't reach because it has ended aren't shown.
    let reached = match state {
        ProposalState::Rejected => dates.objections_end,
        ProposalState::Executed => dates.expires,
        ProposalState::Dropped => now,
        _ => Timestamp::MAX,
    };
    for (what, time) in all.into_iter().filter(|(_, time)| *time < reached) {
        line!(page, "  {what:<16} {}", date(time, now));
    }
    match document.execution {
        Some(L1Block { number, timestamp }) => {
            line!(page, "  {:<16} {}, in block {number}", "executed", date(timestamp, now));
        }
        None if state == ProposalState::Executed => {
            line!(page, "  {:<16} {UNKNOWN}", "executed");
        }
        None => {}
    }
}

/// A time, and its distance from now.
fn date(time: Timestamp, now: Timestamp) -> String {
    let distance = match now.since(time).filter(|since| *since > Seconds::ZERO) {
        Some(since) => format!("{} ago", Duration(since).rounded()),
        None => until(now, time),
    };
    format!("{}  {distance}", Time(time))
}

fn ballots(page: &mut Page, document: &ProposalDocument<'_>) {
    let Some(ballots) = &document.ballots else {
        line!(page, "\nBallots: {UNKNOWN}");
        return;
    };
    if ballots.is_empty() {
        line!(page, "\nBallots: none");
        return;
    }
    line!(page, "\nBallots, of {}", canon_protocol::text::count(ballots.len() as u64, "holder"));
    for ballot in ballots {
        let side = |name: &str, amount: canon_protocol::Amount| match amount.is_zero() {
            true => None,
            false => Some(format!("{name} {}", Tokens(amount))),
        };
        let sides = [side("for", ballot.cast.yea), side("against", ballot.cast.nea)];
        let sides: Vec<_> = sides.into_iter().flatten().collect();
        wrapped_line!(page, &format!("  {}  ", ballot.holder), "{}", sides.join(", "));
    }
}
