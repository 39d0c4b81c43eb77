//! The forecast as text, within 98 columns.

mod dates;
mod played;
mod risks;
mod standing;

use std::fmt::{self, Write as _};

use canon_forecast::Prospect;
use canon_protocol::text::{Duration, Time, Tokens, count, grouped};

use super::{
    facts::Told,
    text::{bar, chance, mean, percent},
};

/// Width of the bars of the plot.
const BAR: usize = 50;

#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, line: fmt::Arguments<'_>) {
        let line = line.to_string();
        // Writing to a string doesn't fail.
        let _ = writeln!(self.0, "{}", line.trim_end());
    }
}

macro_rules! line {
    ($page:expr, $($text:tt)*) => { $page.line(format_args!($($text)*)) };
}
use line;

pub(super) fn render(told: &Told<'_>) -> String {
    let mut page = Page::default();
    terms(&mut page, told);
    if let Some(chain) = told.chain {
        standing::standing(&mut page, told, chain);
    }
    standing::operators(&mut page, told);
    curve(&mut page, told);
    campaign(&mut page, told);
    dates::milestones(&mut page, told);
    risks::hostile(&mut page, told);
    risks::vote(&mut page, told);
    if let Some(simulated) = &told.simulated {
        played::simulation(&mut page, told, simulated);
    }
    page.0
}

fn terms(page: &mut Page, told: &Told<'_>) {
    line!(
        page,
        "{} of {} signals win a round of {} · slots of {}",
        grouped(told.signals),
        grouped(told.slots),
        Duration(told.round_seconds).rounded(),
        Duration(told.slot_seconds).rounded()
    );
    line!(
        page,
        "{} of {} tokens or more: {} signal for the payload, {} for a rival",
        count(told.seats, "seat"),
        Tokens(told.minimum_stake),
        percent(told.signaling.get()),
        percent(told.rival.get()),
    );
    line!(
        page,
        "They miss {} of their slots, so {} of all slots bring a signal for it",
        percent(told.missed.get()),
        percent(told.per_slot.get()),
    );
    match (told.preset, told.start) {
        (Some(preset), Some(start)) => {
            line!(page, "Parameters of the preset {preset}, from {} on", Time(start));
        }
        (Some(preset), None) => line!(page, "Parameters of the preset {preset}"),
        (None, _) => {}
    }
}

fn curve(page: &mut Page, told: &Told<'_>) {
    line!(page, "\nThe chance to win a whole round, by the part of the seats that signals");
    for point in &told.curve {
        let bar = bar(point.wins, BAR);
        let here = if point.signaling == told.signaling { "◂ here" } else { "" };
        line!(
            page,
            "  {:>6}  {bar:<BAR$} {:>9} {here}",
            percent(point.signaling.get()),
            chance(point.wins)
        );
    }
}

fn campaign(page: &mut Page, told: &Told<'_>) {
    let (first, later) = (&told.first_round, &told.later_rounds);
    line!(page, "\nThis campaign");
    let wins = match first.prospect {
        Prospect::Won => "won".to_owned(),
        Prospect::Open | Prospect::Lost => chance(first.wins),
    };
    let slots = if first.slots_left == u64::from(told.slots) {
        format!("all {} slots are left", grouped(told.slots))
    } else {
        format!("{} of {} slots are left", grouped(first.slots_left), grouped(told.slots))
    };
    line!(
        page,
        "  wins the first round     {wins:>9}   {slots}; {} of {} signals are there",
        grouped(first.counted),
        grouped(told.signals)
    );
    line!(
        page,
        "  wins a later round       {:>9}   {:.0} signals on average",
        chance(later.wins),
        later.mean_signals
    );
    line!(page, "  fails in a later round   {:>9}", chance(later.fails));
    line!(
        page,
        "  rounds until it wins     {:>9}   on average",
        told.mean_rounds.map_or_else(|| "never".to_owned(), mean)
    );
    if told.rival.get() > 0.0 {
        line!(page, "  a rival wins a round     {:>9}", chance(later.rival_wins));
        line!(
            page,
            "  a rival wins in a year   {:>9}   {}",
            chance(told.rival_wins_in_a_year),
            count(told.pace.year, "round")
        );
    }
}
