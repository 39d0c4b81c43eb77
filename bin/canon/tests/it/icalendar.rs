//! `canon calendar`, as a program that imports it reads it (RFC 5545).

use std::collections::{BTreeMap, BTreeSet};

use canon_protocol::{Timestamp, text::Time};
use snapbox::{assert_data_eq, file};

use crate::{
    live::{about, json, with_proposal},
    servers::Folder,
    support::{stdout, while_served, without_hashes},
};

/// The properties of an event or a calendar: names, and values with their escapes.
type Properties = BTreeMap<String, String>;

/// A calendar.
struct Parsed {
    properties: Properties,
    events: Vec<Properties>,
}

/// Reads a calendar strictly: lines end with CRLF and have at most 75 bytes, folded ones go on after one space, a
/// property is named once, and components are closed in order.
fn parse(text: &str) -> Parsed {
    let text = text.strip_suffix("\r\n").expect("the last line ends");
    let mut lines: Vec<String> = Vec::new();
    for line in text.split("\r\n") {
        assert!(line.len() <= 75 && !line.contains(['\r', '\n']) && !line.is_empty(), "{line:?}");
        match line.strip_prefix(' ') {
            Some(more) => lines.last_mut().unwrap().push_str(more),
            None => lines.push(line.to_owned()),
        }
    }
    let (mut calendar, mut events, mut event) = (Properties::new(), Vec::new(), None);
    let mut is_open = false;
    for line in &lines {
        let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("{line}"));
        assert!(name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-'), "{line}");
        match (name, value) {
            ("BEGIN", "VCALENDAR") => {
                assert!(!is_open && calendar.is_empty());
                is_open = true;
            }
            ("END", "VCALENDAR") => {
                assert!(is_open && event.is_none());
                is_open = false;
            }
            ("BEGIN", "VEVENT") => assert!(is_open && event.replace(Properties::new()).is_none()),
            ("END", "VEVENT") => events.push(event.take().expect("an event is open")),
            ("BEGIN" | "END", _) => panic!("{line}"),
            _ => {
                assert!(is_open, "{line}");
                let properties = event.as_mut().unwrap_or(&mut calendar);
                let earlier = properties.insert(name.to_owned(), value.to_owned());
                assert_eq!(earlier, None, "{name} is there twice");
            }
        }
    }
    assert!(!is_open, "the calendar ends");
    Parsed { properties: calendar, events }
}

/// The second of a date such as `20260101T010802Z`.
fn second(date: &str) -> Timestamp {
    let digits = date.strip_suffix('Z').unwrap().replace('T', "");
    assert_eq!((date.len(), digits.len()), (16, 14), "{date}");
    // Times are compared as this program writes them elsewhere.
    let text = format!(
        "{}-{}-{} {}:{}:{} UTC",
        &digits[..4],
        &digits[4..6],
        &digits[6..8],
        &digits[8..10],
        &digits[10..12],
        &digits[12..]
    );
    let day = days(&digits[..8]);
    let clock: Vec<u64> =
        (8..14).step_by(2).map(|at| digits[at..at + 2].parse().unwrap()).collect();
    let second = Timestamp::of(day * 86_400 + clock[0] * 3_600 + clock[1] * 60 + clock[2]);
    assert_eq!(Time(second).to_string(), text);
    second
}

/// The number of days from 1 January 1970 to a date such as `20260101`.
fn days(date: &str) -> u64 {
    let part = |range: std::ops::Range<usize>| date[range].parse::<u64>().unwrap();
    let (year, month, day) = (part(0..4), part(4..6), part(6..8));
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let years: u64 = (1970..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum();
    let lengths = [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let months: u64 = lengths.iter().take(usize::try_from(month - 1).unwrap()).sum();
    years + months + day - 1
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dates_in_a_calendar_are_those_of_the_json_outputs() {
    let folder = Folder::new("icalendar");
    let mut chain = with_proposal().await;
    // A round that is won, and can expire.
    let second_payload = chain.payload_of(vec![crate::sending_anyone::harmless(&chain)]);
    for slot in 30..36 {
        chain.signal(slot, second_payload).await;
    }
    while_served(move || {
        let ask = |arguments: &str| about(&chain, &folder, arguments);
        let text = stdout(ask("calendar"));
        let Parsed { properties, events } = parse(&text);
        assert_eq!(properties["VERSION"], "2.0");
        assert_eq!(properties["PRODID"], "-//Canon//Upgrade governance//EN");
        let status = json(ask("status"));
        let now = status["present"]["block"]["timestamp"].as_u64().unwrap();
        let mut found = Vec::new();
        for event in &events {
            let names: Vec<_> = event.keys().map(String::as_str).collect();
            assert_eq!(names, ["DESCRIPTION", "DTSTAMP", "DTSTART", "SUMMARY", "TRANSP", "UID"]);
            assert_eq!(second(&event["DTSTAMP"]).get(), now);
            let start = second(&event["DTSTART"]);
            assert!(start.get() > now, "{event:?}");
            found.push(start.get());
        }
        // Importers tell events apart by their UIDs, which are the same in a later calendar.
        let identifiers = |events: &[Properties]| -> BTreeSet<String> {
            events.iter().map(|event| event["UID"].clone()).collect()
        };
        assert_eq!(identifiers(&events).len(), events.len());
        let again = parse(&stdout(ask("calendar"))).events;
        assert_eq!(identifiers(&again), identifiers(&events));
        let times = |entries: &serde_json::Value| -> Vec<u64> {
            let entries = entries.as_array().unwrap().iter();
            let shown = entries.filter(|entry| entry["event"].get("epoch_starts").is_none());
            shown.map(|entry| entry["time"].as_u64().unwrap()).collect()
        };
        assert_eq!(found, times(&json(ask("calendar"))));
        assert_eq!(found, times(&status["calendar"]));
        // And those of the proposal's own page.
        let proposal = stdout(ask("proposal 0"));
        for event in events.iter().filter(|event| event["SUMMARY"].contains("proposal 0")) {
            let time = Time(second(&event["DTSTART"])).to_string();
            assert!(proposal.contains(&time), "{event:?}: {proposal}");
        }
        let unfolded = text.replace("\r\n ", "").replace("\r\n", "\n");
        assert_data_eq!(without_hashes(&unfolded), file!["shown/calendar.txt"].raw());
    })
    .await;
}
