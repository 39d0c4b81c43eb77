//! `canon`: upgrade governance for rollups.

mod cli;
mod commands;
mod exit;
mod output;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output::show_failure(&failure);
            failure.exit.into()
        }
    }
}
