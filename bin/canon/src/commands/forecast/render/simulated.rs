//! The results of simulated campaigns.

use canon_forecast::{
    ForecastReport,
    simulation::{PATIENCE, Quantile, Simulated},
};
use canon_protocol::text::count;

use super::{Page, line};
use crate::commands::forecast::text::estimate;

pub(super) fn simulation(page: &mut Page, report: &ForecastReport, simulated: &Simulated) {
    line!(
        page,
        "\nWith outages: {}, each simulated from the start of a round (95 % confidence intervals)",
        count(simulated.wins.trials, "campaign")
    );
    if report.operators.is_empty() {
        line!(
            page,
            "Each side is one operator, offline as a whole; --operators lists them one by one"
        );
    }
    for (what, interval) in
        [("wins its first round", &simulated.wins), ("a rival wins it", &simulated.rival_wins)]
    {
        line!(
            page,
            "  {what:<24} {:>9}   {} to {}",
            estimate(interval.share()),
            estimate(interval.low),
            estimate(interval.high),
        );
    }
    line!(
        page,
        "  signals in that round    {:>9.0}   {} to {} observed",
        simulated.mean_signals,
        simulated.signals.0,
        simulated.signals.1
    );
    for (what, quantile) in
        [("half win within", &simulated.median), ("90 % win within", &simulated.nine_of_ten)]
    {
        let Quantile { rounds: found, low, high } = *quantile;
        line!(
            page,
            "  {what:<24} {:>9}   {} to {} rounds",
            rounds(found),
            rounds(low),
            rounds(high)
        );
    }
}

/// A number of rounds; `None` is more than were simulated.
fn rounds(rounds: Option<u32>) -> String {
    rounds.map_or_else(|| format!("over {PATIENCE}"), |rounds| rounds.to_string())
}
