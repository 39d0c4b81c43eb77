//! The rules by which a vote is decided, for the previews of steps.

use canon_protocol::{
    Amount, Configuration,
    text::{Duration, Percent, Time, Tokens, tokens},
    votes_needed,
};
use canon_views::{Present, ProposalDates};

use crate::page::{DETAILS_WIDTH, hanging, until};

/// The quorum, the margin and the least power of a vote, of which `total` is locked. `when` says at which time.
pub(crate) fn rules(configuration: &Configuration, total: Amount, when: &str) -> Vec<String> {
    let Configuration { quorum, vote_differential, minimum_votes, .. } = *configuration;
    let cast = Tokens(votes_needed(total, quorum));
    let rows = [
        (
            "quorum   ",
            format!(
                "{} of all power must be cast: {cast} of {} {when}",
                Percent::of(quorum),
                tokens(total)
            ),
        ),
        (
            "margin   ",
            format!(
                "for must exceed against by more than {} of the power cast",
                Percent::of(vote_differential)
            ),
        ),
        ("minimum  ", format!("{} must be locked in all", tokens(minimum_votes))),
    ];
    rows.iter().flat_map(|(label, text)| hanging(label, text, DETAILS_WIDTH)).collect()
}

/// The vote on a proposal that the next block creates: its start, by which tokens must be locked, and its rules.
pub(crate) fn coming_vote(present: &Present) -> Vec<String> {
    let (governance, next) = (&present.governance, present.next);
    let configuration = &governance.configuration;
    let dates = ProposalDates::new(next, configuration);
    let vote = format!(
        "starts about {} ({}), lasts {}; only tokens locked before then count",
        Time(dates.voting_starts),
        until(present.block.timestamp, dates.voting_starts),
        Duration(configuration.voting_duration)
    );
    let mut lines = hanging("vote     ", &vote, DETAILS_WIDTH);
    lines.extend(rules(configuration, governance.total_power, "now"));
    lines
}
