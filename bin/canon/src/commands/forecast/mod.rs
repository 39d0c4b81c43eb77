//! `canon forecast`: arguments, and the report as text or JSON. The report is computed by
//! `canon_forecast`.

mod args;
mod chain;
mod input;
mod operators;
mod plan;
mod render;
mod source;
pub(crate) mod text;

pub(crate) use args::Forecast;

use canon_forecast::{ForecastReport, Plan, deployed::SetSnapshot};
use eyre::{Report, WrapErr as _};
use indicatif::ProgressBar;
use serde::Serialize;

use self::plan::{PlannedForecast, RoundedShare};
use crate::{
    exit::{Exit, Failure},
    output, progress,
};

/// The report, and the source of its parameters: a preset or a chain.
#[derive(Debug, Serialize)]
struct ForecastOutput {
    #[serde(skip_serializing_if = "Option::is_none")]
    preset: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain: Option<SetSnapshot>,
    #[serde(flatten)]
    report: ForecastReport,
    /// The shares that aren't a whole number of seats. The report has the rounded ones.
    #[serde(skip)]
    rounded: Vec<RoundedShare>,
}

impl Forecast {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let PlannedForecast { plan, preset, chain } = PlannedForecast::new(&self)?;
        let rounded = RoundedShare::of(&self, &plan);
        let forecast = ForecastOutput { preset, chain, report: compute(&plan)?, rounded };
        match self.json {
            true => output::json(&forecast)?,
            false => output::report(&render::render(&forecast))?,
        }
        Ok(Exit::Success)
    }
}

/// Computes the report, with a progress bar if campaigns are simulated.
fn compute(plan: &Plan) -> Result<ForecastReport, Failure> {
    let bar = match plan.outages {
        Some(outages) => progress::bar("Campaigns", outages.campaigns.into())?,
        None => ProgressBar::hidden(),
    };
    let report = ForecastReport::compute(plan, |simulated| bar.set_position(simulated.into()));
    bar.finish_and_clear();
    report.wrap_err("the campaigns can't be simulated").map_err(bad)
}

/// The failure for bad input, with `--help` as the next step.
const fn bad(report: Report) -> Failure {
    Failure::bad_input(report, "`canon forecast --help` explains every flag")
}
