//! What can be typed.

use std::{env, ffi::OsString};

use canon_chain::without_secrets;
use clap::{Arg, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

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
    /// What was typed.
    ///
    /// # Errors
    ///
    /// clap's, which are also how `--help` ends; [`refusal`] shows them.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        let mut command = without_empty_variables(Self::command());
        let mut matches = command.try_get_matches_from_mut(env::args_os())?;
        Self::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
    }

    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self.command {
            Command::Rehearse(command) => command.run(),
            Command::Forecast(command) => command.run(),
        }
    }
}

/// A command for which a variable of the environment that is empty counts as unset.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    let is_empty = |arg: &Arg| {
        let value = arg.get_env().and_then(env::var_os);
        value.is_some_and(|value| value.is_empty())
    };
    command
        .mut_args(|arg| if is_empty(&arg) { arg.env(None::<&str>) } else { arg })
        .mut_subcommands(without_empty_variables)
}

/// clap's message for arguments that it refuses, with styles. It repeats arguments, also a URL with a
/// key in the place of something else: of those, scheme and host are left.
pub(crate) fn refusal(error: &clap::Error) -> String {
    let mut message = error.render().ansi().to_string();
    for argument in env::args_os().chain(variables(&Cli::command())) {
        let argument = argument.to_string_lossy();
        let value = argument.split_once('=').map_or("", |(_, value)| value);
        for secret in [&*argument, value] {
            if !secret.is_empty() {
                message = message.replace(secret, &without_secrets(secret));
            }
        }
    }
    message
}

/// The values of all variables of the environment that a command and its subcommands read.
fn variables(command: &clap::Command) -> Vec<OsString> {
    let own = command.get_arguments().filter_map(|arg| env::var_os(arg.get_env()?));
    own.chain(command.get_subcommands().flat_map(variables)).collect()
}
