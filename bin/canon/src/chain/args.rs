//! Arguments that say how to reach the chain.

use std::path::PathBuf;

use alloy_primitives::{Address, ChainId};
use canon_chain::Endpoint;
use canon_protocol::text::address;
use clap::{ArgMatches, Args, Command, FromArgMatches, parser::ValueSource};
use eyre::eyre;

use super::settings::{ChainSettings, Origin, Setting};
use crate::{
    exit::Failure,
    input::{EndpointParser, Lenient, LenientParser, whole},
};

/// The flags and variables that say how to reach the chain.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChainArgs {
    rpc_url: Option<Setting<Vec<Lenient<Endpoint>>>>,
    registry: Option<Setting<Lenient<Address>>>,
    chain_id: Option<Setting<ChainId>>,
    config: Option<PathBuf>,
}

#[derive(Args)]
#[command(next_help_heading = "Chain")]
struct ChainFlags {
    // The value isn't shown in --help, since it may contain a key.
    /// Endpoint of the chain (http, https, ws, wss, or the path of an IPC socket). Several, in a list with commas
    /// or by a flag for each, are tried in order
    #[arg(long, value_name = "URL", env = "ETH_RPC_URL", hide_env_values = true, value_delimiter = ',', value_parser = EndpointParser)]
    rpc_url: Vec<Lenient<Endpoint>>,

    /// Registry of the set, from which everything else is found
    #[arg(long, value_name = "ADDRESS", env = "CANON_REGISTRY", hide_env_values = true, value_parser = LenientParser(address::parse))]
    registry: Option<Lenient<Address>>,

    /// Chain id to expect: any other chain is refused
    #[arg(long, value_name = "ID", value_parser = whole(1..=u64::MAX))]
    chain_id: Option<ChainId>,

    /// File with these settings, by the same names [default: canon.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ChainArgs {
    /// The settings in force: a flag takes precedence over the environment, and the environment over the file.
    ///
    /// # Errors
    ///
    /// If the file can't be read or has a mistake, or an environment variable has one.
    pub(crate) fn settings(&self) -> Result<ChainSettings, Failure> {
        let rpc_url = self.rpc_url.clone().map(|Setting { value, origin }| {
            let urls: Result<Vec<_>, _> = value.into_iter().collect();
            checked(urls, origin)
        });
        let registry = self.registry.clone().map(|one| checked(one.value, one.origin));
        let (rpc_url, registry) = (rpc_url.transpose()?, registry.transpose()?);
        let file = ChainSettings::read(self.config.as_deref())?;
        Ok(file.under(rpc_url, registry, self.chain_id.clone()))
    }

    /// Whether a flag, the environment or the file names a Registry.
    ///
    /// # Errors
    ///
    /// If neither a flag nor the environment names one, and the file can't be read or has a mistake.
    pub(crate) fn has_registry(&self) -> Result<bool, Failure> {
        Ok(self.registry.is_some()
            || ChainSettings::read(self.config.as_deref())?.registry.is_some())
    }

    /// The first of these flags that was typed; `None` if none was.
    pub(crate) fn first_typed(&self) -> Option<&'static str> {
        let typed = [
            self.rpc_url.as_ref().and_then(|one| one.origin.flag()),
            self.registry.as_ref().and_then(|one| one.origin.flag()),
            self.chain_id.as_ref().and_then(|one| one.origin.flag()),
            self.config.as_ref().map(|_| "--config"),
        ];
        typed.into_iter().flatten().next()
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

/// Returns a value, or the failure for a malformed environment variable.
fn checked<T>(value: Lenient<T>, origin: Origin) -> Result<Setting<T>, Failure> {
    match value {
        Ok(value) => Ok(Setting { value, origin }),
        // The value isn't repeated: a key may be part of it.
        Err(expected) => Err(Failure::bad_input(
            eyre!("{origin}: {expected}"),
            "correct the variable, or unset it",
        )),
    }
}

/// Adds the origin to a value: the environment variable, or the flag.
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
