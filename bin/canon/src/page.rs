//! Text for a terminal: lines, and the wording of times, shares and events of a set.

use std::fmt::{self, Write as _};

use alloy_primitives::Address;
use anstream::adapter::strip_str;
pub(crate) use canon_protocol::text::tokens;
use canon_protocol::{
    Amount, ProposalState, Seconds, Support, Tabulation, Timestamp,
    text::{Duration, Rounding, Time, Tokens, percent_of},
};
use canon_views::{AvailableAction, CalendarEvent, IntendedAction, Opportunity, ProposalView};

/// The maximum width of wrapped text, in columns. Most terminals are at least this wide.
pub(crate) const WIDTH: usize = 80;

/// The width of the details of a step, which are shown with an indentation of 3 columns.
pub(crate) const DETAILS_WIDTH: usize = 77;

/// Lines of text without trailing blanks.
#[derive(Debug, Default)]
pub(crate) struct Page(String);

impl Page {
    pub(crate) fn line(&mut self, line: fmt::Arguments<'_>) {
        let line = line.to_string();
        // Writing to a string can't fail.
        let _ = writeln!(self.0, "{}", line.trim_end());
    }

    /// Adds a text behind a prefix, wrapped at 80 columns. Further lines are indented to the start of the text.
    pub(crate) fn wrapped(&mut self, prefix: &str, text: fmt::Arguments<'_>) {
        for line in hanging(prefix, &text.to_string(), WIDTH) {
            self.line(format_args!("{line}"));
        }
    }

    /// Adds the lines of a step: its title, and the others with an indentation.
    pub(crate) fn step(&mut self, lines: &[&[String]]) {
        for (number, text) in lines.iter().copied().flatten().enumerate() {
            let indent = if number == 0 { "" } else { "   " };
            self.line(format_args!("{indent}{text}"));
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.0.lines().map(str::to_owned).collect()
    }
}

macro_rules! line {
    ($page:expr, $($text:tt)*) => { $page.line(format_args!($($text)*)) };
}
pub(crate) use line;

macro_rules! wrapped_line {
    ($page:expr, $prefix:expr, $($text:tt)*) => { $page.wrapped($prefix, format_args!($($text)*)) };
}
pub(crate) use wrapped_line;

/// Wraps a text at `width` characters. Lines break between words, but not before a percent sign or inside a command
/// in backticks; what is longer gets its own line. Styles have no width.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let columns = |text: &str| strip_str(text).map(|part| part.chars().count()).sum::<usize>();
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in units(text) {
        let is_full = columns(&line) + 1 + columns(&word) > width;
        if is_full && !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    lines.push(line);
    lines
}

/// The parts of a text between which a line can break.
fn units(text: &str) -> Vec<String> {
    let is_open = |text: &str| text.matches('`').count() % 2 == 1;
    let mut units: Vec<String> = Vec::new();
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let mut unit = word.to_owned();
        // A backtick without its partner is no command.
        if is_open(word) && words.clone().any(is_open) {
            for more in words.by_ref() {
                unit.push(' ');
                unit.push_str(more);
                if is_open(more) {
                    break;
                }
            }
        }
        match units.last_mut() {
            Some(number) if unit.starts_with('%') => {
                number.push(' ');
                number.push_str(&unit);
            }
            _ => units.push(unit),
        }
    }
    units
}

/// Wraps a text behind a prefix at `width` characters. Further lines are indented to the start of the text.
pub(crate) fn hanging(prefix: &str, text: &str, width: usize) -> Vec<String> {
    let indent = prefix.chars().count();
    let lines = wrapped(text, width.saturating_sub(indent)).into_iter().enumerate();
    let lines = lines.map(|(position, text)| match position {
        0 => format!("{prefix}{text}"),
        _ => format!("{:indent$}{text}", ""),
    });
    lines.collect()
}

/// The duration from `now` until `time`, in its two largest units: `in 3 d 4 h`.
pub(crate) fn until(now: Timestamp, time: Timestamp) -> String {
    in_time(time.since(now))
}

/// A duration until a time: `in 3 d 4 h`. `None` means that the time has passed.
pub(crate) fn in_time(after: Option<Seconds>) -> String {
    match after {
        None => "passed".to_owned(),
        Some(Seconds::ZERO) => "now".to_owned(),
        Some(after) => format!("in {}", Duration(after).rounded()),
    }
}

/// The last second of a period, which belongs to it: `until 2026-12-01 09:00:12 UTC, inclusive (in 3 d)`. All other
/// dates are the first second of a change.
pub(crate) fn lasts(now: Timestamp, last: Timestamp) -> String {
    format!("until {}, inclusive ({})", Time(last), until(now, last))
}

/// The percentage that `amount` is of `whole`, rounded down.
pub(crate) fn share(amount: Amount, whole: Amount) -> impl fmt::Display {
    percent_of(amount, whole, Rounding::Down)
}

/// The name of a side of a vote in texts.
pub(crate) const fn side(support: Support) -> &'static str {
    match support {
        Support::Yea => "for",
        Support::Nea => "against",
    }
}

/// The description of a calendar event.
pub(crate) fn event(event: &CalendarEvent) -> String {
    match event {
        CalendarEvent::VotingStarts { id } => format!("voting on proposal {id} starts"),
        CalendarEvent::VotingEnds { id } => format!("voting on proposal {id} ends"),
        CalendarEvent::ObjectionsEnd { id } => {
            format!("objections to proposal {id} end, if it passes")
        }
        CalendarEvent::Executable { id } => format!("proposal {id} can be executed, if it passes"),
        CalendarEvent::Expires { id } => format!("proposal {id} expires, if it isn't executed"),
        CalendarEvent::RoundEnds { round } => format!("round {round} ends"),
        CalendarEvent::PushExpires { round } => format!("round {round} can't be pushed any more"),
        CalendarEvent::EpochStarts { epoch, .. } => format!("epoch {epoch} starts"),
        CalendarEvent::DrawsStart { epoch, .. } => {
            format!("epoch {epoch} starts: slots can have proposers")
        }
        CalendarEvent::SeedRecordable { epoch, .. } => {
            format!("the seed of epoch {epoch} can be recorded")
        }
        CalendarEvent::WithdrawalUnlocks { id } => format!("withdrawal {id} can be paid"),
        CalendarEvent::ExitUnlocks { attester, .. } => {
            format!("the stake of {attester} can be paid")
        }
        CalendarEvent::MoveReady { attester, .. } => format!("the stake of {attester} can move"),
        CalendarEvent::ExitFloorEnds => {
            "withdrawals are no longer delayed by an earlier configuration".to_owned()
        }
    }
}

/// Whether an event is worth a line: the epochs of the canonical rollup start too often, and the slots of earlier
/// rollups count nothing.
pub(crate) fn is_news(event: &CalendarEvent, canonical: Address) -> bool {
    match event {
        CalendarEvent::EpochStarts { .. } => false,
        CalendarEvent::DrawsStart { rollup, .. } | CalendarEvent::SeedRecordable { rollup, .. } => {
            *rollup == canonical
        }
        _ => true,
    }
}

/// An action that is possible now, for people.
#[derive(Debug)]
pub(crate) struct AvailableText {
    /// The accounts that can take it.
    pub(crate) who: &'static str,
    /// Its description.
    pub(crate) what: String,
    /// The command for it, if there is one.
    pub(crate) command: Option<String>,
}

/// The accounts that can take an action that is possible now, its description and its command.
pub(crate) fn available(available: &AvailableAction) -> AvailableText {
    let (who, what, command) = match &available.opportunity {
        Opportunity::Signal { proposer, slot } => (
            "sequencer",
            format!("{proposer} can signal in slot {slot}"),
            Some("canon signal PAYLOAD".to_owned()),
        ),
        Opportunity::Lock { id } => {
            ("holders", format!("lock to vote on proposal {id}"), Some("canon lock".to_owned()))
        }
        Opportunity::Vote { id, support } => {
            let side = side(*support);
            let command = format!("canon vote {id} {side}");
            ("holders", format!("vote {side} proposal {id}"), Some(command))
        }
        Opportunity::Anyone(action) => ("anyone", action_text(action), command(action)),
    };
    AvailableText { who, what, command }
}

/// The command for an action that anyone can take.
fn command(action: &IntendedAction) -> Option<String> {
    Some(match action {
        IntendedAction::Push { round, .. } => format!("canon push {round}"),
        IntendedAction::Execute { id, .. } => format!("canon execute {id}"),
        IntendedAction::Drop { id } => format!("canon drop {id}"),
        IntendedAction::RecordSeed { .. } => "canon setup-epoch".to_owned(),
        IntendedAction::PayWithdrawal { id } => format!("canon withdraw {id}"),
        IntendedAction::PayExit { attester, .. } => format!("canon stake claim {attester}"),
        _ => return None,
    })
}

/// The description of an intended action.
pub(crate) fn action_text(action: &IntendedAction) -> String {
    match action {
        IntendedAction::Signal { slot, payload, .. } => {
            format!("signal for {payload} in slot {slot}")
        }
        IntendedAction::ProposeBlock { slot, .. } => format!("propose the block of slot {slot}"),
        IntendedAction::Push { round, .. } => format!("push round {round}"),
        IntendedAction::Execute { id, .. } => format!("execute proposal {id}"),
        IntendedAction::Drop { id } => format!("record that proposal {id} is dropped"),
        IntendedAction::RecordSeed { epoch, .. } => format!("record the seed of epoch {epoch}"),
        IntendedAction::PayWithdrawal { id } => format!("pay withdrawal {id}"),
        IntendedAction::PayExit { attester, .. } => format!("pay the stake of {attester}"),
        IntendedAction::Approve { amount, .. } => {
            format!("allow Governance to take {}", tokens(*amount))
        }
        IntendedAction::Lock { amount, .. } => format!("lock {}", tokens(*amount)),
        IntendedAction::Vote { id, support, amount, .. } => {
            format!("cast {} {} proposal {id}", tokens(*amount), side(*support))
        }
        IntendedAction::Withdraw { amount, .. } => {
            format!("start to withdraw {}", tokens(*amount))
        }
        IntendedAction::AnnounceMove { attester, to, .. } => {
            format!("announce that the stake of {attester} moves to {to}")
        }
        IntendedAction::FinalizeMove { attester, .. } => format!("move the stake of {attester}"),
        IntendedAction::SignalSigned { slot, payload, .. } => {
            format!("submit a signed signal for {payload} in slot {slot}")
        }
        IntendedAction::VoteSigned { holder, id, support, .. } => {
            format!("submit the signed ballot of {holder} {} proposal {id}", side(*support))
        }
        IntendedAction::InvalidateBallots { id, .. } => {
            format!("void the signed ballots on proposal {id}")
        }
        IntendedAction::Propose { payload, .. } => {
            format!("propose {payload}, for power that is given up")
        }
        IntendedAction::ApproveStake { rollup, amount, .. } => {
            format!("allow rollup {rollup} to take {}", tokens(*amount))
        }
        IntendedAction::Stake { attester, amount, .. } => {
            format!("stake {} for {attester}", tokens(*amount))
        }
        IntendedAction::ExitStake { attester, .. } => format!("start the exit of {attester}"),
        IntendedAction::SetCoinbase { attester, coinbase, .. } => {
            format!("pay the rewards of {attester} to {coinbase}")
        }
        IntendedAction::Create { contract, .. } => format!("create the contract {contract}"),
    }
}

/// The state of a proposal at `now`, with the next change and the time until it.
pub(crate) fn state(proposal: &ProposalView, now: Timestamp) -> String {
    let dates = proposal.dates();
    let state = proposal.state_at(now);
    let left = |time| until(now, time);
    match state {
        ProposalState::Pending => format!("Pending: voting starts {}", left(dates.voting_starts)),
        ProposalState::Active => format!("Active: voting ends {}", left(dates.voting_ends)),
        ProposalState::Queued => format!("Queued: can be executed {}", left(dates.executable)),
        ProposalState::Executable => format!("Executable: expires {}", left(dates.expires)),
        ProposalState::Rejected
        | ProposalState::Executed
        | ProposalState::Dropped
        | ProposalState::Expired => state.to_string(),
    }
}

/// The result of a vote, and the power that is missing: at `now` while ballots are taken, and the final result
/// afterwards.
pub(crate) fn verdict(proposal: &ProposalView, now: Timestamp) -> String {
    let state = proposal.state_at(now);
    if state == ProposalState::Dropped {
        return "none: it was dropped".to_owned();
    }
    let is_open = proposal.deadlines().is_votable(state, now);
    let tense = |present: &'static str, past: &'static str| if is_open { present } else { past };
    match proposal.tabulation() {
        Tabulation::Accepted => tense("passes as it stands", "passed").to_owned(),
        Tabulation::TooLittlePower { total, needed } => {
            let (fails, needs) = (tense("fails", "failed"), tense("needs", "needed"));
            let (has, total) = (tense("has", "had"), Tokens(total));
            format!("{fails}: it {needs} {} locked in all, and {has} {total}", tokens(needed))
        }
        Tabulation::QuorumMissed { cast, needed } => {
            let misses = tense("misses", "missed");
            format!("{misses} the quorum by {}", tokens(needed.saturating_sub(cast)))
        }
        Tabulation::Outvoted { yea, limit } => {
            let (yea, limit) = (tokens(yea), Tokens(limit));
            format!("{} outvoted: {yea} for, more than {limit} needed", tense("is", "was"))
        }
    }
}

#[cfg(test)]
mod tests {
    use canon_protocol::Tally;

    use super::*;

    #[test]
    fn a_vote_that_is_over_is_not_shown_as_open() {
        use ProposalState::{Active, Dropped, Executed};

        let proposal = |state, yea| ProposalView {
            id: Default::default(),
            state,
            ending: Default::default(),
            payload: Default::default(),
            pushed_by: Default::default(),
            creation: Timestamp::of(1_000),
            configuration: canon_protocol::Configuration {
                voting_delay: Seconds::of(100),
                voting_duration: Seconds::of(100),
                execution_delay: Seconds::of(100),
                grace_period: Seconds::of(100),
                quorum: canon_protocol::Fraction::ONE,
                ..Default::default()
            },
            tally: Tally { yea, nea: Amount::ZERO },
            actions_hash: Default::default(),
            total_power: Amount::TOKEN,
        };
        let dates = proposal(Active, Amount::TOKEN).dates();
        let (open, over) = ("passes as it stands", "passed");
        for (state, time, if_cast, if_not_cast) in [
            (Active, dates.voting_starts, open, "misses the quorum by 1 token"),
            (Active, dates.voting_ends, open, "missed the quorum by 1 token"),
            (Active, dates.objections_end, over, "missed the quorum by 1 token"),
            (Active, dates.executable, over, "missed the quorum by 1 token"),
            (Active, dates.expires, over, "missed the quorum by 1 token"),
            (Executed, dates.executable, over, "missed the quorum by 1 token"),
            (Dropped, dates.voting_starts, "none: it was dropped", "none: it was dropped"),
        ] {
            assert_eq!(verdict(&proposal(state, Amount::TOKEN), time), if_cast, "{time:?}");
            assert_eq!(verdict(&proposal(state, Amount::ZERO), time), if_not_cast, "{time:?}");
        }
        // Exact, like the figures beside it.
        let part = ProposalView {
            total_power: Amount::of(Amount::TOKEN.get() * 3 / 2),
            ..proposal(Active, Amount::TOKEN)
        };
        assert_eq!(verdict(&part, dates.voting_starts), "misses the quorum by 0.5 tokens");
    }

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("one two three", 6), ["one", "two", "three"]);
        assert_eq!(wrapped("longer-than-that a", 4), ["longer-than-that", "a"]);
        assert_eq!(wrapped("", 4), [""]);
        assert_eq!(
            wrapped("a share of 66.5 %, at least", 14),
            ["a share of", "66.5 %, at", "least"]
        );
        assert_eq!(
            wrapped("run `canon stake exit`, or ` no", 12),
            ["run", "`canon stake exit`,", "or ` no"]
        );
        let bold = anstyle::Style::new().bold();
        assert_eq!(wrapped(&format!("{bold}one{bold:#} two"), 7).len(), 1);
        let mut page = Page::default();
        wrapped_line!(page, "  what      ", "{} end", "word ".repeat(20));
        let (first, second) = (["word"; 13].join(" "), ["word"; 7].join(" "));
        assert_eq!(page.into_text(), format!("  what      {first}\n            {second} end\n"));
    }

    #[test]
    fn times_to_come_have_at_most_two_units() {
        for (after, text) in [
            (Some(Seconds::of(8 * 86_400 + 1)), "in 8 d"),
            (Some(Seconds::of(90_061)), "in 1 d 1 h"),
            (Some(Seconds::ZERO), "now"),
            (None, "passed"),
        ] {
            assert_eq!(in_time(after), text);
        }
    }
}
