//! `canon`: upgrade governance for rollups.

mod answer;
mod by_hand;
mod chain;
mod cli;
mod command_help;
mod commands;
mod creation;
mod daemon;
mod deployer;
mod examined;
mod exit;
mod input;
mod judgement;
mod output;
mod page;
mod preset;
mod progress;
#[cfg(test)]
mod reference;
mod send;
mod signing;
mod stop;
mod style;
mod toml_file;
mod typed_data;

use std::process::ExitCode;

use exit::Exit;

fn main() -> ExitCode {
    // A panic is a bug. Its message has been printed already; the exit code reports it as well.
    std::panic::catch_unwind(run).unwrap_or(Exit::Internal).into()
}

fn run() -> Exit {
    let cli = match cli::Cli::read() {
        Ok(cli) => cli,
        Err(error) => return output::show_refusal(&error),
    };
    cli.run().unwrap_or_else(|failure| {
        output::show_failure(&failure);
        failure.exit
    })
}
