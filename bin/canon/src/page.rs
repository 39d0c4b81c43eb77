//! Text for a terminal: lines, and how times, shares and events of a set read.

use std::fmt::{self, Write as _};

use alloy_primitives::{U256, utils::format_units};
use canon_protocol::{
    Amount, ProposalState, Seconds, Support, Tabulation, Timestamp,
    text::{Duration, Tokens},
};
use canon_views::{AvailableAction, CalendarEvent, IntendedAction, Opportunity, ProposalView};

/// Lines without blanks at their ends.
#[derive(Debug, Default)]
pub(crate) struct Page(String);

impl Page {
    pub(crate) fn line(&mut self, line: fmt::Arguments<'_>) {
        let line = line.to_string();
        // Writing to a string can't fail.
        let _ = writeln!(self.0, "{}", line.trim_end());
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

macro_rules! line {
    ($page:expr, $($text:tt)*) => { $page.line(format_args!($($text)*)) };
}
pub(crate) use line;

/// A text in lines of at most `width` characters, broken between words; a longer word has its own line.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let is_full = line.chars().count() + 1 + word.chars().count() > width;
        if is_full && !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// The time from `now` on, in its two largest units: `in 3 d 4 h`.
pub(crate) fn until(now: Timestamp, time: Timestamp) -> String {
    in_time(time.since(now))
}

/// The duration until a time: `in 3 d 4 h`. `None` has passed.
pub(crate) fn in_time(after: Option<Seconds>) -> String {
    match after {
        None => "passed".to_owned(),
        Some(Seconds::ZERO) => "now".to_owned(),
        Some(after) => format!("in {}", Duration(after).rounded()),
    }
}

/// The share that `amount` is of `whole`, in percent with two decimals, rounded down: what is there is never
/// shown as more than it is.
pub(crate) fn share(amount: Amount, whole: Amount) -> String {
    let hundredths = amount.get() * 10_000 / whole.get().max(1);
    match hundredths {
        0 if !amount.is_zero() => "< 0.01 %".to_owned(),
        _ => format!("{}.{:02} %", hundredths / 100, hundredths % 100),
    }
}

/// An amount of tokens with its noun.
pub(crate) fn tokens(amount: Amount) -> String {
    let noun = if amount == Amount::TOKEN { "token" } else { "tokens" };
    format!("{} {noun}", Tokens(amount))
}

/// Wei in ether, with as many decimals as they have.
pub(crate) fn ether(wei: U256) -> String {
    trimmed(&format_units(wei, "ether").unwrap_or_default())
}

/// Wei in gwei, with as many decimals as they have.
pub(crate) fn gwei(wei: u128) -> String {
    trimmed(&format_units(wei, "gwei").unwrap_or_default())
}

fn trimmed(number: &str) -> String {
    match number.contains('.') {
        true => number.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => number.to_owned(),
    }
}

/// A side of a vote, as people name it.
pub(crate) const fn side(support: Support) -> &'static str {
    match support {
        Support::Yea => "for",
        Support::Nea => "against",
    }
}

/// A change that comes with time.
pub(crate) fn event(event: &CalendarEvent) -> String {
    match event {
        CalendarEvent::VotingStarts { id } => format!("voting on proposal {id} starts"),
        CalendarEvent::VotingEnds { id } => format!("voting on proposal {id} ends"),
        CalendarEvent::ObjectionsEnd { id } => format!("objections to proposal {id} end"),
        CalendarEvent::Executable { id } => format!("proposal {id} can be executed, if it passes"),
        CalendarEvent::Expires { id } => format!("proposal {id} expires, if it isn't executed"),
        CalendarEvent::RoundEnds { round } => format!("round {round} ends"),
        CalendarEvent::PushExpires { round } => format!("round {round} can't be pushed any more"),
        CalendarEvent::EpochStarts { epoch, .. } => format!("epoch {epoch} starts"),
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
        other => format!("{other:?}"),
    }
}

/// Whether an event belongs to epochs, which come and go too often to be news.
pub(crate) const fn is_of_epochs(event: &CalendarEvent) -> bool {
    matches!(event, CalendarEvent::EpochStarts { .. } | CalendarEvent::SeedRecordable { .. })
}

/// What can be done now: by whom, and what.
pub(crate) fn available(available: &AvailableAction) -> (&'static str, String) {
    match &available.opportunity {
        Opportunity::Signal { proposer, slot } => {
            ("sequencer", format!("{proposer} can signal in slot {slot}"))
        }
        Opportunity::Vote { id, support: Support::Yea } => {
            ("holders", format!("vote for proposal {id}"))
        }
        Opportunity::Vote { id, support: Support::Nea } => {
            ("holders", format!("vote against proposal {id}"))
        }
        Opportunity::Anyone(action) => ("anyone", action_text(action)),
        other => ("anyone", format!("{other:?}")),
    }
}

/// What an intent does.
pub(crate) fn action_text(action: &IntendedAction) -> String {
    match action {
        IntendedAction::Push { round, .. } => format!("push round {round}"),
        IntendedAction::Execute { id, .. } => format!("execute proposal {id}"),
        IntendedAction::Drop { id } => format!("record that proposal {id} is dropped"),
        IntendedAction::RecordSeed { epoch, .. } => format!("record the seed of epoch {epoch}"),
        IntendedAction::PayWithdrawal { id } => format!("pay withdrawal {id}"),
        IntendedAction::PayExit { attester, .. } => format!("pay the stake of {attester}"),
        IntendedAction::FinaliseMove { attester, .. } => format!("move the stake of {attester}"),
        IntendedAction::Approve { amount, .. } => {
            format!("let Governance take {} tokens", Tokens(*amount))
        }
        IntendedAction::Lock { amount, .. } => format!("lock {} tokens", Tokens(*amount)),
        IntendedAction::Withdraw { to, amount, .. } => {
            format!("unlock {} tokens for {to}", Tokens(*amount))
        }
        IntendedAction::Vote { id, support, amount, .. }
        | IntendedAction::VoteSigned { id, support, amount, .. } => {
            let side = self::side(*support);
            format!("cast {} tokens {side} proposal {id}", Tokens(*amount))
        }
        IntendedAction::Propose { payload, .. } => format!("propose {payload} through the lock"),
        IntendedAction::Signal { payload, slot, .. }
        | IntendedAction::SignalSigned { payload, slot, .. } => {
            format!("signal for {payload} in slot {slot}")
        }
        IntendedAction::Stake { attester, amount, .. } => {
            format!("stake {} tokens for {attester}", Tokens(*amount))
        }
        other => format!("{other:?}"),
    }
}

/// The state of a proposal at `now`, with what ends it and when.
pub(crate) fn state(proposal: &ProposalView, now: Timestamp) -> String {
    let deadlines = proposal.deadlines();
    let state = proposal.state_at(now);
    let starts = |time| until(now, time);
    match state {
        ProposalState::Pending => {
            format!("Pending: voting starts {}", starts(deadlines.voting_starts()))
        }
        ProposalState::Active => format!("Active: voting ends {}", starts(deadlines.active)),
        ProposalState::Queued => {
            format!("Queued: can be executed {}", starts(deadlines.earliest_execution()))
        }
        ProposalState::Executable => {
            format!("Executable: expires {}", starts(deadlines.executable))
        }
        ProposalState::Rejected
        | ProposalState::Executed
        | ProposalState::Dropped
        | ProposalState::Expired => state.to_string(),
    }
}

/// How a vote would end as it stands, and what is missing.
pub(crate) fn verdict(proposal: &ProposalView) -> String {
    match proposal.tabulation() {
        Tabulation::Accepted => "passes as it stands".to_owned(),
        Tabulation::TooLittlePower { total, needed } => {
            format!("fails: {} tokens are locked, {} are needed", Tokens(total), Tokens(needed))
        }
        Tabulation::QuorumMissed { cast, needed } => {
            let missing = needed.saturating_sub(cast);
            format!("misses the quorum by {} tokens", Tokens(missing).rounded_up())
        }
        Tabulation::Outvoted { yea, limit } => {
            format!("is outvoted: {} tokens for, more than {} needed", Tokens(yea), Tokens(limit))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("one two three", 6), ["one", "two", "three"]);
        assert_eq!(wrapped("longer-than-that a", 4), ["longer-than-that", "a"]);
        assert_eq!(wrapped("", 4), [""]);
    }

    #[test]
    fn wei_are_shown_exactly() {
        for (wei, text) in [
            (0_u128, "0"),
            (1, "0.000000000000000001"),
            (100_000_000_000_000_000_000, "100"),
            (1_500_000_000_000_000_000, "1.5"),
        ] {
            assert_eq!(ether(U256::from(wei)), text);
        }
        assert_eq!((gwei(1), gwei(20_000_000_000)), ("0.000000001".into(), "20".into()));
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
