//! The forecast as text, within 80 columns.

mod dates;
mod risks;
mod simulated;
mod standing;

use canon_forecast::{ForecastReport, odds::Prospect};
use canon_protocol::text::{Duration, Time, count, grouped, tokens};

use super::{
    ForecastOutput, RoundedShare,
    text::{bar, chance, mean, percent},
};
use crate::page::{Page, line, wrapped_line};

/// The width of the bars of the plot, in columns.
const BAR: usize = 50;

pub(super) fn render(forecast: &ForecastOutput) -> String {
    let ForecastOutput { preset, chain, report, rounded } = forecast;
    let is_deployed = chain.is_some();
    let mut page = Page::default();
    terms(&mut page, report, *preset, rounded);
    if let Some(chain) = chain {
        standing::standing(&mut page, report, chain);
    }
    standing::operators(&mut page, report);
    curve(&mut page, report);
    let payload = chain.as_ref().and_then(|chain| chain.payload.as_ref());
    campaign(&mut page, report, payload.and_then(standing::won_already));
    dates::milestones(&mut page, report, is_deployed);
    risks::hostile(&mut page, report);
    risks::vote(&mut page, report, is_deployed);
    if let Some(simulated) = &report.simulated {
        simulated::simulation(&mut page, report, simulated);
    }
    page.into_text()
}

fn terms(page: &mut Page, report: &ForecastReport, preset: Option<&str>, rounded: &[RoundedShare]) {
    line!(
        page,
        "{} of {} signals win a round of {} · slots of {}",
        grouped(report.signals),
        grouped(report.slots),
        Duration(report.round_seconds).rounded(),
        Duration(report.slot_seconds).rounded()
    );
    line!(
        page,
        "{} with {} or more each",
        count(report.seats, "seat"),
        tokens(report.minimum_stake),
    );
    wrapped_line!(
        page,
        "",
        "{} signal for the payload, {} for a rival; {} of their slots{}, so {} of all slots bring a \
         signal for the payload",
        percent(report.signaling.get()),
        percent(report.rival.get()),
        format_args!("all miss {}", percent(report.missed.get())),
        if report.operators.is_empty() { "" } else { " on average" },
        percent(report.per_slot.get()),
    );
    for rounded in rounded {
        wrapped_line!(page, "", "{rounded}");
    }
    match (preset, report.start) {
        (Some(preset), Some(start)) => {
            line!(page, "Preset {preset}; the campaign starts at {}", Time(start));
        }
        (Some(preset), None) => line!(page, "Preset {preset}"),
        (None, _) => {}
    }
}

fn curve(page: &mut Page, report: &ForecastReport) {
    line!(page, "\nProbability of winning a whole round, by the share of the seats that signals");
    for point in &report.curve {
        let bar = bar(point.wins, BAR);
        let here = if point.signaling == report.signaling { "◂ here" } else { "" };
        line!(
            page,
            "  {:>6}  {bar:<BAR$} {:>9} {here}",
            percent(point.signaling.get()),
            chance(point.wins)
        );
    }
}

/// The odds of the campaign's rounds. If the payload has `won` already, only those of rivals.
fn campaign(page: &mut Page, report: &ForecastReport, won: Option<String>) {
    line!(page, "\nThis campaign");
    match won {
        Some(reason) => line!(page, "  has won already: {reason}, and needs no more signals"),
        None => rounds(page, report),
    }
    let later = &report.later_rounds;
    if report.rival.get() > 0.0 {
        odds(page, "a rival wins a round", &chance(later.rival_wins), "");
        let rounds = count(report.rate.year, "round").to_string();
        odds(page, "a rival wins in a year", &chance(report.rival_wins_in_a_year), &rounds);
    }
}

fn rounds(page: &mut Page, report: &ForecastReport) {
    let (first, later) = (&report.first_round, &report.later_rounds);
    let wins = match first.prospect {
        Prospect::Won => "won".to_owned(),
        Prospect::Open | Prospect::Lost => chance(first.wins),
    };
    let slots = if first.slots_left == u64::from(report.slots) {
        format!("all {} slots left", grouped(report.slots))
    } else {
        format!("{} of {} slots left", grouped(first.slots_left), grouped(report.slots))
    };
    let signals = format!("{} of {} signals", grouped(first.counted), grouped(report.signals));
    odds(page, "wins the first round", &wins, &format!("{slots}; {signals}"));
    let mean_signals = format!("signals on average: {:.0}", later.mean_signals);
    odds(page, "wins a later round", &chance(later.wins), &mean_signals);
    odds(page, "loses a later round", &chance(later.fails), "");
    let mean_rounds = report.mean_rounds.map_or_else(|| "never".to_owned(), mean);
    odds(page, "rounds until it wins", &mean_rounds, "on average");
}

/// A line with odds: their label, their value and a remark.
fn odds(page: &mut Page, what: &str, value: &str, about: &str) {
    wrapped_line!(page, &format!("  {what:<22} {value:>9}  "), "{about}");
}
