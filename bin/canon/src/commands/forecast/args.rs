//! What can be typed.

use std::path::PathBuf;

use alloy::{primitives::Address, transports::http::reqwest::Url};
use canon_protocol::Timestamp;
use clap::{
    ArgMatches, Args, Command, FromArgMatches, ValueEnum, parser::ValueSource, value_parser,
};

use super::input::{Percent, address, endpoint, outage, utc_time};

/// Tell what a campaign of signals may expect, before parameters are chosen or it starts
///
/// Each slot draws one seat of the set, all with the same chance; stake counts only through the
/// number of seats it is split into. With --registry everything is read from a chain, and the
/// signals that a payload already has count; else a preset says it. All chances are exact. With
/// --outage, campaigns are played by the rules themselves, for operators that fail for a while.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Forecast {
    #[command(flatten)]
    pub(super) source: Source,

    /// Payload whose signals count, in the round that runs
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub(super) payload: Option<Address>,

    /// N, the signals that win a round [default: the preset's]
    #[arg(long, value_name = "N")]
    pub(super) quorum: Option<u32>,

    /// M, the slots of a round [default: the preset's]
    #[arg(long, value_name = "M")]
    pub(super) round: Option<u32>,

    /// Slots of the first round that are over when the campaign starts [default: 0]
    #[arg(long, value_name = "SLOTS")]
    pub(super) late: Option<u32>,

    /// When the campaign starts, to get dates, such as 2026-12-01T09:00:00Z
    #[arg(long, value_name = "TIME", value_parser = utc_time)]
    pub(super) start: Option<Timestamp>,

    /// Seats of the set [default: 1000, or what draws on the chain]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    pub(super) sequencers: Option<u32>,

    /// Part of the seats that signal for the payload
    #[arg(long, value_name = "SHARE", default_value = "70%")]
    pub(super) signalling: Percent,

    /// Part of the seats that signal for another payload
    #[arg(long, value_name = "SHARE", default_value = "10%")]
    pub(super) rival: Percent,

    /// Part of their slots that all seats miss
    #[arg(long, value_name = "SHARE", default_value = "2%")]
    pub(super) missed: Percent,

    /// Operators in TOML, each `[[operator]]` with seats (4) or stake ("800000" tokens), side ("for",
    /// "rival" or "silent") and missed ("2%")
    #[arg(long, value_name = "FILE", conflicts_with_all = ["sequencers", "signalling", "rival", "missed"])]
    pub(super) operators: Option<PathBuf>,

    /// Part of all power that is cast in the vote
    #[arg(long, value_name = "SHARE", default_value = "40%")]
    pub(super) turnout: Percent,

    /// Part of the cast power that is for the proposal
    #[arg(long, value_name = "SHARE", default_value = "80%")]
    pub(super) yes: Percent,

    /// Slots that a failure of an operator lasts on average: plays campaigns with such failures
    #[arg(long, value_name = "SLOTS", value_parser = outage)]
    pub(super) outage: Option<f64>,

    /// Campaigns to play with --outage
    #[arg(long, value_name = "N", default_value_t = 500, requires = "outage", value_parser = value_parser!(u32).range(1..))]
    pub(super) campaigns: u32,

    /// Replays the same campaigns with --outage
    #[arg(long, value_name = "S", default_value_t = 1, requires = "outage")]
    pub(super) seed: u64,

    /// Print the forecast as JSON: times in seconds, amounts in base units
    #[arg(long)]
    pub(super) json: bool,
}

const AFTER_HELP: &str = "\
Examples:
  canon forecast
  canon forecast --signalling 62% --missed 3% --start 2026-12-01T09:00:00Z
  canon forecast --preset tests --sequencers 48 --late 4
  canon forecast --operators operators.toml --outage 300
  canon forecast --rpc-url http://localhost:8545 --registry 0x… --payload 0x…

Exit codes:
  0  the forecast
  2  bad input: flags, operators, or addresses where the set isn't
  3  the endpoint failed, or an internal error";

/// Parameter sets that come with the deployer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Preset {
    /// 6 of 10 signals, slots of 24 s, delays of an hour.
    Tests,
    /// 600 of 1,000 signals, slots of 72 s, delays of days.
    MainnetLike,
}

/// Where the parameters are from.
#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    pub(super) preset: Option<Preset>,
    pub(super) rpc_url: Option<Given<Url>>,
    pub(super) registry: Option<Given<Address>>,
}

/// A value, and who gave it. A shell that always has `ETH_RPC_URL` must not change what
/// `--preset` means.
#[derive(Clone, Debug)]
pub(super) enum Given<T> {
    Typed(T),
    Environment(T),
}

impl<T> Given<T> {
    pub(super) const fn get(&self) -> &T {
        let (Self::Typed(value) | Self::Environment(value)) = self;
        value
    }
}

#[derive(Args)]
struct SourceFlags {
    /// Parameters of the set, if it is on no chain [default: mainnet-like]
    #[arg(long, value_enum)]
    preset: Option<Preset>,

    // A key may be part of it, which isn't for --help to show.
    /// Endpoint of a chain where the set is; needs --registry
    #[arg(long, value_name = "URL", env = "ETH_RPC_URL", hide_env_values = true, value_parser = endpoint)]
    rpc_url: Option<Url>,

    /// Registry of the set, from which all else is found; needs --rpc-url
    #[arg(long, value_name = "ADDRESS", env = "CANON_REGISTRY", hide_env_values = true, value_parser = address)]
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
