//! `canon stake`: registers attesters, and takes stakes out or moves them.

mod departed;
mod deposit;
mod leaving;
mod moving;
mod registered;
mod status;

use alloy_primitives::Address;
use clap::{Args, Subcommand};
pub(crate) use status::draws_later;

use crate::{
    exit::{Exit, Failure},
    input::nonzero_address,
};

/// Stake for a seat in the sequencer set, and take the stake out or to another rollup
#[derive(Debug, Args)]
pub(crate) struct Stake {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Deposit(Box<deposit::Deposit>),
    Status(Box<status::Status>),
    Exit(Box<leaving::Leave>),
    Claim(Box<leaving::Claim>),
    Move(Box<moving::Announce>),
    Finish(Box<moving::Finish>),
    Coinbase(Box<leaving::Coinbase>),
}

impl Stake {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self.command {
            Command::Deposit(command) => command.run(),
            Command::Status(command) => command.run(),
            Command::Exit(command) => command.run(),
            Command::Claim(command) => command.run(),
            Command::Move(command) => command.run(),
            Command::Finish(command) => command.run(),
            Command::Coinbase(command) => command.run(),
        }
    }
}

/// An attester of a rollup.
#[derive(Clone, Copy, Debug, Args)]
struct AttesterArgs {
    /// The attester
    #[arg(value_name = "ATTESTER", value_parser = nonzero_address)]
    attester: Address,

    /// Rollup in which it is registered [default: the one in which it is; the canonical one if the
    /// set's history isn't known]
    #[arg(long, value_name = "ADDRESS", value_parser = nonzero_address)]
    rollup: Option<Address>,
}

impl AttesterArgs {
    /// The arguments, as they are typed.
    fn typed(&self) -> String {
        match self.rollup {
            None => self.attester.to_string(),
            Some(rollup) => format!("{} --rollup {rollup}", self.attester),
        }
    }
}

/// The exit codes of commands that send, with further ones.
macro_rules! exit_codes {
    ($($more:literal)?) => {
        concat!(
            "\
Exit codes:
  0  it was done, or with --dry-run, can be
  1  the contracts refuse it, the account isn't the one that decides, something is missing, or the
     answer was no
  2  bad input: flags, canon.toml, no key, or no Canon deployment at the given address
  3  no endpoint answers, or the outcome isn't known: run it again",
            $($more)?
        )
    };
}

const EXIT_CODES: &str = exit_codes!();

/// The exit codes of commands that have their time.
const EXIT_CODES_IN_TIME: &str = exit_codes!(
    "
  4  it is under way already, or its time hasn't come; says when it will"
);
