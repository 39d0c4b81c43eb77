//! `canon rollup`: deploys further rollups of a set.

mod deploy;

use clap::{Args, Subcommand};

use crate::exit::{Exit, Failure};

/// Deploy a further rollup for a set
#[derive(Debug, Args)]
pub(crate) struct Rollup {
    #[command(subcommand)]
    command: RollupCommand,
}

#[derive(Debug, Subcommand)]
enum RollupCommand {
    Deploy(Box<deploy::DeployRollup>),
}

impl Rollup {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self.command {
            RollupCommand::Deploy(command) => command.run(),
        }
    }
}
