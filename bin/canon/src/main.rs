//! `canon`: upgrade governance for rollups.

mod cli;
mod commands;
mod exit;
mod input;
mod output;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    // A panic is a bug: its message is out by now, and the exit code says so too.
    match std::panic::catch_unwind(|| cli::Cli::parse().run()) {
        Ok(Ok(exit)) => exit.into(),
        Ok(Err(failure)) => {
            output::show_failure(&failure);
            failure.exit.into()
        }
        Err(_) => exit::Exit::Internal.into(),
    }
}
