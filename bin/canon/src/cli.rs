//! What can be typed.

use clap::{Parser, Subcommand};

use crate::{
    commands::{forecast, rehearse},
    exit::{Exit, Failure},
};

/// Upgrade governance for rollups: sequencers signal, holders vote, anyone executes
#[derive(Debug, Parser)]
#[command(name = "canon", version, propagate_version = true, max_term_width = 98)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Rehearse(rehearse::Rehearse),
    Forecast(Box<forecast::Forecast>),
}

impl Cli {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self.command {
            Command::Rehearse(command) => command.run(),
            Command::Forecast(command) => command.run(),
        }
    }
}
