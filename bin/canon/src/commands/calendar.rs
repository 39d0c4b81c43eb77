//! `canon calendar`: exports the coming dates to a calendar.

use alloy_primitives::{Address, ChainId};
use canon_protocol::text::Time;
use canon_views::{CalendarEntry, CalendarEvent, Present, Question, SetView, calendar};
use clap::Args;

use crate::{
    chain::{self, ChainArgs},
    command_help::CommandHelp,
    exit::{Exit, Failure},
    output,
    page::{event, is_news},
};

/// Print the dates to come as iCalendar: votes, rounds and deadlines
///
/// Import the output into a calendar. A later output has the same identifiers, so importing it corrects
/// the dates that have changed.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Calendar {
    /// Print JSON instead: times in Unix seconds
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    chain: ChainArgs,
}

const HELP: CommandHelp = CommandHelp::reading("the calendar was printed").after(
    "\
Examples:
  canon calendar > governance.ics",
);

impl Calendar {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let settings = self.chain.settings()?;
        let present =
            chain::run(async { settings.connect().await?.present(Question::default()).await })?;
        let view = SetView { present, history: None };
        let mut entries = calendar(&view);
        entries.retain(|entry| is_news(&entry.event, view.present.addresses.rollup));
        match self.json {
            true => output::json(&entries)?,
            false => output::result(&icalendar(&view.present, &entries))?,
        }
        Ok(Exit::Success)
    }
}

/// The entries as iCalendar (RFC 5545).
fn icalendar(present: &Present, entries: &[CalendarEntry]) -> String {
    let mut text = String::new();
    property(&mut text, "BEGIN", "VCALENDAR");
    property(&mut text, "VERSION", "2.0");
    property(&mut text, "PRODID", "-//Canon//Upgrade governance//EN");
    for CalendarEntry { time, event: what } in entries {
        let (Some(start), Some(stamp)) = (instant(*time), instant(present.block.timestamp)) else {
            continue;
        };
        property(&mut text, "BEGIN", "VEVENT");
        let registry = present.addresses.registry;
        property(&mut text, "UID", &identifier(present.chain_id, registry, what));
        property(&mut text, "DTSTAMP", &stamp);
        property(&mut text, "DTSTART", &start);
        property(&mut text, "SUMMARY", &escaped(&event(what)));
        let about = format!(
            "{}Registry {registry} on chain {}, as of block {}",
            advice(what),
            present.chain_id,
            present.block.number
        );
        property(&mut text, "DESCRIPTION", &escaped(&about));
        property(&mut text, "TRANSP", "TRANSPARENT");
        property(&mut text, "END", "VEVENT");
    }
    property(&mut text, "END", "VCALENDAR");
    text
}

/// What to do about an event, and by which command; empty if nothing has to be done.
const fn advice(event: &CalendarEvent) -> &'static str {
    match event {
        CalendarEvent::VotingStarts { .. } => {
            "Tokens vote on it if they are locked before (canon lock). "
        }
        CalendarEvent::RoundEnds { .. } => "Anyone can push its winner then (canon push). ",
        CalendarEvent::Executable { .. } => "Anyone can execute it then (canon execute). ",
        CalendarEvent::SeedRecordable { .. } => "Anyone can record it then (canon setup-epoch). ",
        CalendarEvent::WithdrawalUnlocks { .. } => "Anyone can pay it then (canon withdraw). ",
        CalendarEvent::ExitUnlocks { .. } => "Anyone can pay it then (canon stake claim). ",
        CalendarEvent::MoveReady { .. } => "Anyone can move it then (canon stake finish). ",
        CalendarEvent::VotingEnds { .. }
        | CalendarEvent::ObjectionsEnd { .. }
        | CalendarEvent::Expires { .. }
        | CalendarEvent::PushExpires { .. }
        | CalendarEvent::EpochStarts { .. }
        | CalendarEvent::DrawsStart { .. }
        | CalendarEvent::ExitFloorEnds => "",
    }
}

/// The UID of an event, by which calendars recognize the event after its date or its text has changed.
/// UIDs must never change: otherwise an import shows every event twice.
fn identifier(chain_id: ChainId, registry: Address, event: &CalendarEvent) -> String {
    let event = match event {
        CalendarEvent::VotingStarts { id } => format!("voting-starts-{}", id.get()),
        CalendarEvent::VotingEnds { id } => format!("voting-ends-{}", id.get()),
        CalendarEvent::ObjectionsEnd { id } => format!("objections-end-{}", id.get()),
        CalendarEvent::Executable { id } => format!("executable-{}", id.get()),
        CalendarEvent::Expires { id } => format!("expires-{}", id.get()),
        CalendarEvent::RoundEnds { round } => format!("round-ends-{}", round.get()),
        CalendarEvent::PushExpires { round } => format!("push-expires-{}", round.get()),
        CalendarEvent::EpochStarts { rollup, epoch } => {
            format!("epoch-starts-{rollup}-{}", epoch.get())
        }
        CalendarEvent::DrawsStart { rollup, epoch } => {
            format!("draws-start-{rollup}-{}", epoch.get())
        }
        CalendarEvent::SeedRecordable { rollup, epoch } => {
            format!("seed-recordable-{rollup}-{}", epoch.get())
        }
        CalendarEvent::WithdrawalUnlocks { id } => format!("withdrawal-unlocks-{}", id.get()),
        CalendarEvent::ExitUnlocks { rollup, attester } => {
            format!("exit-unlocks-{rollup}-{attester}")
        }
        CalendarEvent::MoveReady { rollup, attester } => format!("move-ready-{rollup}-{attester}"),
        CalendarEvent::ExitFloorEnds => "exit-floor-ends".to_owned(),
    };
    format!("{event}-{chain_id}-{registry}@canon")
}

/// A time in UTC; `None` after the year 9999, which iCalendar can't express.
fn instant(time: canon_protocol::Timestamp) -> Option<String> {
    let text = Time(time).without_zone().to_string();
    let (date, clock) = text.split_once(' ')?;
    let digits = |part: &str| part.replace(['-', ':'], "");
    (!date.starts_with('+')).then(|| format!("{}T{}Z", digits(date), digits(clock)))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,").replace('\n', "\\n")
}

/// Writes a line, folded after at most 75 bytes.
fn property(text: &mut String, name: &str, value: &str) {
    let mut width = 0;
    for c in format!("{name}:{value}").chars() {
        if width + c.len_utf8() > 75 {
            text.push_str("\r\n ");
            width = 1;
        }
        text.push(c);
        width += c.len_utf8();
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use canon_protocol::{Epoch, ProposalId, Round, Timestamp, WithdrawalId};

    use super::*;

    /// A changed UID duplicates the event in every calendar that has imported it.
    #[test]
    fn the_uids_of_all_kinds_of_events_never_change() {
        let (id, round, epoch) = (ProposalId::of(7_007), Round::of(3_003), Epoch::of(9_009));
        let (rollup, attester) = (Address::with_last_byte(0xa1), Address::with_last_byte(0xb2));
        let (withdrawal, registry) = (WithdrawalId::of(5_005), Address::with_last_byte(0xc3));
        let long = |last: &str| format!("0x{}{last}", "0".repeat(38));
        let (at, who) = (long("a1"), long("B2"));
        for (event, expected) in [
            (CalendarEvent::VotingStarts { id }, "voting-starts-7007".to_owned()),
            (CalendarEvent::VotingEnds { id }, "voting-ends-7007".to_owned()),
            (CalendarEvent::ObjectionsEnd { id }, "objections-end-7007".to_owned()),
            (CalendarEvent::Executable { id }, "executable-7007".to_owned()),
            (CalendarEvent::Expires { id }, "expires-7007".to_owned()),
            (CalendarEvent::RoundEnds { round }, "round-ends-3003".to_owned()),
            (CalendarEvent::PushExpires { round }, "push-expires-3003".to_owned()),
            (CalendarEvent::EpochStarts { rollup, epoch }, format!("epoch-starts-{at}-9009")),
            (CalendarEvent::DrawsStart { rollup, epoch }, format!("draws-start-{at}-9009")),
            (CalendarEvent::SeedRecordable { rollup, epoch }, format!("seed-recordable-{at}-9009")),
            (
                CalendarEvent::WithdrawalUnlocks { id: withdrawal },
                "withdrawal-unlocks-5005".to_owned(),
            ),
            (CalendarEvent::ExitUnlocks { rollup, attester }, format!("exit-unlocks-{at}-{who}")),
            (CalendarEvent::MoveReady { rollup, attester }, format!("move-ready-{at}-{who}")),
            (CalendarEvent::ExitFloorEnds, "exit-floor-ends".to_owned()),
        ] {
            let expected = format!("{expected}-31337-{}@canon", long("c3"));
            let found = identifier(31_337, registry, &event);
            assert_eq!(found.to_lowercase(), expected.to_lowercase());
        }
    }

    #[test]
    fn lines_are_folded_after_75_bytes_and_unfold_to_the_same() {
        for length in 0..200 {
            let value = "é".repeat(length);
            let mut text = String::new();
            property(&mut text, "SUMMARY", &value);
            let lines: Vec<_> = text.trim_end_matches("\r\n").split("\r\n").collect();
            assert!(lines.iter().all(|line| line.len() <= 75), "{length}");
            assert_eq!(text.replace("\r\n ", ""), format!("SUMMARY:{value}\r\n"));
        }
    }

    #[test]
    fn times_are_utc_and_none_is_beyond_the_calendar() {
        let last = 253_402_300_799;
        assert_eq!(instant(Timestamp::of(1_796_115_612)).as_deref(), Some("20261201T090012Z"));
        assert_eq!(instant(Timestamp::of(last)).as_deref(), Some("99991231T235959Z"));
        assert_eq!(instant(Timestamp::of(last + 1)), None);
    }

    #[test]
    fn special_characters_of_icalendar_are_escaped() {
        assert_eq!(escaped("a,b;c\\d\ne"), "a\\,b\\;c\\\\d\\ne");
    }
}
