//! Arguments that say how to reach the chain.

use std::path::PathBuf;

use alloy_primitives::{Address, ChainId};
use canon_chain::Endpoint;
use canon_protocol::text::address;
use clap::{ArgMatches, Args, Command, FromArgMatches, parser::ValueSource};

use super::settings::{ChainSettings, Origin, Setting};
use crate::{
    exit::Failure,
    input::{EndpointParser, quantity, whole},
};

/// How to reach the chain, as it was typed and as the environment has it.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChainArgs {
    rpc_url: Option<Setting<Vec<Endpoint>>>,
    registry: Option<Setting<Address>>,
    chain_id: Option<Setting<ChainId>>,
    config: Option<PathBuf>,
}

#[derive(Args)]
#[command(next_help_heading = "Chain")]
struct ChainFlags {
    // A key may be part of it, which isn't for --help to show.
    /// Endpoint of the chain (http, https, ws, wss, or the path of an IPC socket); several are tried in
    /// order
    #[arg(long, value_name = "URL", env = "ETH_RPC_URL", hide_env_values = true, value_delimiter = ',', value_parser = EndpointParser)]
    rpc_url: Vec<Endpoint>,

    /// Registry of the set, from which everything else is found
    #[arg(long, value_name = "ADDRESS", env = "CANON_REGISTRY", hide_env_values = true, value_parser = quantity(address::parse))]
    registry: Option<Address>,

    /// Chain id to expect: any other chain is refused
    #[arg(long, value_name = "ID", allow_negative_numbers = true, value_parser = whole(1..=u64::MAX))]
    chain_id: Option<ChainId>,

    /// File with these settings, by the same names [default: canon.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ChainArgs {
    /// What is in force: what was typed goes before the environment, and that before the file.
    ///
    /// # Errors
    ///
    /// If the file can't be read or has a mistake.
    pub(crate) fn settings(&self) -> Result<ChainSettings, Failure> {
        ChainSettings::read(self.config.as_deref()).map(|file| {
            file.under(self.rpc_url.clone(), self.registry.clone(), self.chain_id.clone())
        })
    }
}

impl FromArgMatches for ChainArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let ChainFlags { rpc_url, registry, chain_id, config } =
            ChainFlags::from_arg_matches(matches)?;
        let rpc_url = Some(rpc_url).filter(|urls| !urls.is_empty());
        Ok(Self {
            rpc_url: rpc_url.map(|urls| given(matches, "rpc_url", "ETH_RPC_URL", urls)),
            registry: registry.map(|one| given(matches, "registry", "CANON_REGISTRY", one)),
            chain_id: chain_id.map(|id| Setting { value: id, origin: Origin::Flag("--chain-id") }),
            config,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for ChainArgs {
    fn augment_args(command: Command) -> Command {
        ChainFlags::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        ChainFlags::augment_args_for_update(command)
    }
}

/// A value with where it is from: the variable, or the flag.
fn given<T>(matches: &ArgMatches, id: &str, variable: &'static str, value: T) -> Setting<T> {
    let origin = match matches.value_source(id) {
        Some(ValueSource::EnvVariable) => Origin::Environment(variable),
        _ => Origin::Flag(match id {
            "rpc_url" => "--rpc-url",
            _ => "--registry",
        }),
    };
    Setting { value, origin }
}
