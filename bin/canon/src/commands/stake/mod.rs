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
    command_help::CommandHelp,
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
    Exit(Box<leaving::ExitSet>),
    Claim(Box<leaving::Claim>),
    Move(Box<moving::Move>),
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

const HELP: CommandHelp = CommandHelp::sending()
    .failed(&["the account isn't the one that decides", "something is missing"]);

/// The help of commands that have their time.
const HELP_IN_TIME: CommandHelp =
    HELP.later("it is under way already, or its time hasn't come; says when it will");
