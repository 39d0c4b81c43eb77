//! `canon forecast`: what a campaign of signals may expect.

mod args;
mod chain;
mod facts;
mod input;
mod operators;
mod plan;
mod render;
mod source;
mod text;

pub(crate) use args::Forecast;

use eyre::Report;

use crate::{
    exit::{Exit, Failure},
    output,
};

impl Forecast {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let plan = plan::Plan::new(&self)?;
        let told = facts::Told::tell(&self, &plan)?;
        let text = if self.json {
            let mut json = serde_json::to_string_pretty(&told)
                .map_err(|error| Failure::internal(error.into(), "please report this"))?;
            json.push('\n');
            json
        } else {
            render::render(&told)
        };
        output::result(&text)?;
        Ok(Exit::Success)
    }
}

/// What was asked for can't be told.
const fn bad(report: Report) -> Failure {
    Failure::bad_input(report, "`canon forecast --help` explains every flag")
}
