//! The source of the parameters: a preset or a chain.

use alloy_primitives::Address;
use canon_chain::Endpoint;
use canon_protocol::text::address;
use clap::{ArgMatches, Args, Command, FromArgMatches, ValueEnum, parser::ValueSource};
use eyre::{Report, eyre};

use crate::input::{EndpointParser, quantity};

/// Parameter sets that come with the deployer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Preset {
    /// 6 of 10 signals, slots of 24 s, delays of an hour.
    Tests,
    /// 600 of 1,000 signals, slots of 72 s, delays of days.
    MainnetLike,
}

impl Preset {
    /// The name, as it is typed and printed.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Tests => "tests",
            Self::MainnetLike => "mainnet-like",
        }
    }
}

/// Where the parameters are from.
#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    preset: Option<Preset>,
    rpc_url: Option<Given<Endpoint>>,
    registry: Option<Given<Address>>,
}

/// A value, and who gave it. A shell that always has `ETH_RPC_URL` must not change what
/// `--preset` means.
#[derive(Clone, Debug)]
enum Given<T> {
    Typed(T),
    Environment(T),
}

impl<T> Given<T> {
    const fn get(&self) -> &T {
        let (Self::Typed(value) | Self::Environment(value)) = self;
        value
    }
}

#[derive(Args)]
struct SourceFlags {
    /// Parameters of a set that isn't deployed [default: mainnet-like]
    #[arg(long, value_enum)]
    preset: Option<Preset>,

    // A key may be part of it, which isn't for --help to show.
    /// Endpoint of the chain with the set (http, https, ws, wss, or the path of an IPC socket); requires
    /// --registry
    #[arg(long, value_name = "URL", env = "ETH_RPC_URL", hide_env_values = true, value_parser = EndpointParser)]
    rpc_url: Option<Endpoint>,

    /// Registry of a deployed set, from which everything else is found; requires --rpc-url
    #[arg(long, value_name = "ADDRESS", env = "CANON_REGISTRY", hide_env_values = true, value_parser = quantity(address::parse))]
    registry: Option<Address>,
}

impl FromArgMatches for Source {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let SourceFlags { preset, rpc_url, registry } = SourceFlags::from_arg_matches(matches)?;
        Ok(Self {
            preset,
            rpc_url: rpc_url.map(|url| given(matches, "rpc_url", url)),
            registry: registry.map(|address| given(matches, "registry", address)),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Source {
    fn augment_args(command: Command) -> Command {
        SourceFlags::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        SourceFlags::augment_args_for_update(command)
    }
}

fn given<T>(matches: &ArgMatches, id: &str, value: T) -> Given<T> {
    match matches.value_source(id) {
        Some(ValueSource::EnvVariable) => Given::Environment(value),
        _ => Given::Typed(value),
    }
}

/// The source to use.
#[derive(Debug)]
pub(super) enum ChosenSource<'a> {
    Preset(Preset),
    Chain(&'a Endpoint, Address),
}

impl Source {
    /// What is typed goes before the environment, where `ETH_RPC_URL` may always be set.
    pub(super) fn choose(&self) -> Result<ChosenSource<'_>, Report> {
        let typed = [
            matches!(self.rpc_url, Some(Given::Typed(_))).then_some("--rpc-url"),
            matches!(self.registry, Some(Given::Typed(_))).then_some("--registry"),
        ];
        if let Some(preset) = self.preset {
            return match typed.into_iter().flatten().next() {
                Some(flag) => Err(eyre!(
                    "{flag}: expected no --preset, since the parameters are read from the chain"
                )),
                None => Ok(ChosenSource::Preset(preset)),
            };
        }
        match (&self.rpc_url, &self.registry) {
            (Some(endpoint), Some(registry)) => {
                Ok(ChosenSource::Chain(endpoint.get(), *registry.get()))
            }
            (None, Some(registry)) => Err(eyre!(
                "--rpc-url (ETH_RPC_URL): expected an endpoint of the chain with the Registry {}, found \
                 nothing",
                registry.get()
            )),
            (Some(Given::Typed(endpoint)), None) => Err(eyre!(
                "--registry (CANON_REGISTRY): expected the address of the set's Registry on {endpoint}, \
                 found nothing"
            )),
            (Some(Given::Environment(_)) | None, None) => {
                Ok(ChosenSource::Preset(Preset::MainnetLike))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url() -> Endpoint {
        "http://localhost:1".parse().unwrap()
    }

    #[test]
    fn a_chain_needs_both_flags() {
        let source = |rpc_url, registry| Source { preset: None, rpc_url, registry };
        let typed = (Some(Given::Typed(url())), Some(Given::Typed(Address::ZERO)));
        let outside = (Some(Given::Environment(url())), Some(Given::Environment(Address::ZERO)));
        let said = |source: Source| source.choose().unwrap_err().to_string();
        assert!(said(source(typed.0.clone(), None)).starts_with("--registry"));
        assert!(said(source(None, typed.1.clone())).starts_with("--rpc-url"));
        assert!(said(source(None, outside.1.clone())).starts_with("--rpc-url"));
        for (rpc_url, registry) in [typed.clone(), outside.clone(), (typed.0, outside.1)] {
            assert!(matches!(source(rpc_url, registry).choose(), Ok(ChosenSource::Chain(..))));
        }
        // Foundry's users have it in every shell.
        let source = source(outside.0, None);
        assert!(matches!(source.choose(), Ok(ChosenSource::Preset(Preset::MainnetLike))));
    }

    #[test]
    fn a_typed_preset_is_no_chain() {
        let source = |rpc_url, registry| Source { preset: Some(Preset::Tests), rpc_url, registry };
        let outside =
            source(Some(Given::Environment(url())), Some(Given::Environment(Address::ZERO)));
        assert!(matches!(outside.choose(), Ok(ChosenSource::Preset(Preset::Tests))));
        let typed = source(None, Some(Given::Typed(Address::ZERO)));
        assert!(typed.choose().unwrap_err().to_string().starts_with("--registry"));
    }
}
