//! The dates of the campaign and its proposal.

use canon_forecast::{
    ForecastReport,
    report::{ExpectedTimeline, Moment, WinTimeline},
};
use canon_protocol::{
    Timestamp,
    text::{Duration, Time, count, grouped},
};

use super::{Page, line, wrapped_line};
use crate::{
    commands::forecast::text::{NEGLIGIBLE, chance},
    page::in_time,
};

/// The events after a round is won, with their times.
const MOMENTS: [(&str, Pick); 5] = [
    ("pushed", |timeline| timeline.pushable),
    ("vote opens", |timeline| timeline.voting_starts),
    ("vote ends", |timeline| timeline.voting_ends),
    ("executed", |timeline| timeline.executable),
    ("expires", |timeline| timeline.expires),
];

type Pick = fn(&WinTimeline) -> Moment;

/// The table of dates, with a column for each probability.
pub(super) fn milestones(page: &mut Page, report: &ForecastReport, is_deployed: bool) {
    let clock = if report.start.is_some() { "in UTC" } else { "from the start of the campaign" };
    line!(page, "");
    wrapped_line!(page, "", "Times {clock}, if everyone acts immediately and the holders accept");
    row(page, "", report, |at| at.certainty.to_owned());
    row(page, "rounds", report, |at| {
        likely(report, at, |timeline| grouped(timeline.rounds).to_string())
    });
    if is_deployed {
        row(page, "wins round", report, |at| {
            likely(report, at, |timeline| {
                timeline.round.map_or_else(String::new, |round| round.to_string())
            })
        });
    }
    for (what, moment) in MOMENTS {
        row(page, what, report, |at| likely(report, at, |timeline| date(moment(timeline))));
        if report.start.is_some() {
            row(page, "", report, |at| {
                shown(at).map_or_else(String::new, |timeline| clock_time(moment(timeline)))
            });
            row(page, "", report, |at| {
                shown(at).map_or_else(String::new, |timeline| in_time(moment(timeline).after))
            });
        }
    }
    let mut timelines = report.milestones.iter().filter_map(|milestone| milestone.at.as_ref());
    if let Some(unlikely) = timelines.find(|timeline| timeline.chance < NEGLIGIBLE) {
        let (rounds, chance) = (count(unlikely.rounds, "round"), chance(unlikely.chance));
        wrapped_line!(page, "  ", "–: a probability below 0.005 %; within {rounds} it is {chance}");
    }
    if report.milestones.iter().any(|milestone| milestone.at.is_none()) {
        match report.mean_rounds {
            Some(_) => {
                let last = Time(Timestamp::MAX).without_zone();
                wrapped_line!(
                    page,
                    "  ",
                    "too late: after {last}, the last time that a chain can have"
                );
            }
            None => line!(page, "  never: no number of rounds is enough with these signals"),
        }
    }
}

fn row(
    page: &mut Page,
    what: &str,
    report: &ForecastReport,
    cell: impl Fn(&ExpectedTimeline) -> String,
) {
    let cells: String =
        report.milestones.iter().map(|milestone| format!(" {:>16}", cell(milestone))).collect();
    line!(page, "  {what:<10}{cells}");
}

fn likely(
    report: &ForecastReport,
    at: &ExpectedTimeline,
    cell: impl Fn(&WinTimeline) -> String,
) -> String {
    match &at.at {
        None if report.mean_rounds.is_some() => "too late".to_owned(),
        None => "never".to_owned(),
        Some(timeline) if timeline.chance < NEGLIGIBLE => "–".to_owned(),
        Some(timeline) => cell(timeline),
    }
}

/// The timeline of a win, if it is likely enough to be shown.
fn shown(at: &ExpectedTimeline) -> Option<&WinTimeline> {
    at.at.as_ref().filter(|timeline| timeline.chance >= NEGLIGIBLE)
}

/// The date of a moment, or the time until it.
fn date(moment: Moment) -> String {
    match moment.time {
        Some(time) => Time(time).date().to_string(),
        None => Duration(moment.after.unwrap_or_default()).rounded().to_string(),
    }
}

/// The time of day of a moment.
fn clock_time(moment: Moment) -> String {
    moment.time.map_or_else(String::new, |time| Time(time).clock().to_string())
}
