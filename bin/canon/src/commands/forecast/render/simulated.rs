//! The results of simulated campaigns.

use canon_forecast::{
    ForecastReport,
    simulation::{PATIENCE, Quantile, Simulated},
};
use canon_protocol::text::{count, grouped};

use super::{Page, line, odds, wrapped_line};
use crate::commands::forecast::text::estimate;

pub(super) fn simulation(page: &mut Page, report: &ForecastReport, simulated: &Simulated) {
    line!(page, "");
    wrapped_line!(
        page,
        "",
        "With outages: {}, each simulated from the start of a round (95 % confidence intervals)",
        count(simulated.wins.trials, "campaign")
    );
    if report.operators.is_empty() {
        wrapped_line!(
            page,
            "",
            "Each side is one operator, offline as a whole; --operators lists them one by one"
        );
    }
    for (what, interval) in
        [("wins its first round", &simulated.wins), ("a rival wins it", &simulated.rival_wins)]
    {
        let range = format!("{} to {}", estimate(interval.low), estimate(interval.high));
        odds(page, what, &estimate(interval.share()), &range);
    }
    let (least, most) = (grouped(simulated.signals.0), grouped(simulated.signals.1));
    let mean = format!("{:.0}", simulated.mean_signals);
    odds(page, "signals in that round", &mean, &format!("{least} to {most} observed"));
    for (what, quantile) in
        [("half win within", &simulated.median), ("90 % win within", &simulated.nine_of_ten)]
    {
        let Quantile { rounds: found, low, high } = *quantile;
        odds(page, what, &rounds(found), &format!("{} to {} rounds", rounds(low), rounds(high)));
    }
}

/// A number of rounds. `None` means more rounds than were simulated.
fn rounds(rounds: Option<u32>) -> String {
    rounds.map_or_else(|| format!("over {PATIENCE}"), |rounds| rounds.to_string())
}
