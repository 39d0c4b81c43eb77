//! Command-line arguments.

use std::path::PathBuf;

use alloy_primitives::Address;
use canon_protocol::{
    Fraction, Timestamp,
    text::{address, time},
};
use clap::Args;

use crate::{
    command_help::CommandHelp,
    input::{quantity, whole},
};

use super::{
    input::{outage, share},
    source::Source,
};

/// The maximum number of campaigns. More campaigns take hours without improving the estimates.
const MAX_CAMPAIGNS: u32 = 1_000_000;

/// The default shares of seats that signal for the payload and for a rival.
pub(super) const DEFAULT_SIGNALING: Fraction = Fraction::percent(70);
pub(super) const DEFAULT_RIVAL: Fraction = Fraction::percent(10);

/// Estimate when, and how likely, a signaling campaign succeeds
///
/// Each slot draws one seat of the sequencer set, all with the same probability; stake matters only
/// through the number of seats it is split into. With --registry, everything is read from the chain,
/// including the signals that a payload already has; otherwise the values come from a preset. All
/// probabilities are exact. With --outage, campaigns are simulated with operators that go offline for
/// a while.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Forecast {
    /// Payload of the campaign: signals that it already has in the current round are counted
    #[arg(long, value_name = "ADDRESS", value_parser = quantity(address::parse))]
    pub(super) payload: Option<Address>,

    /// N, the number of signals that wins a round [default: from the preset]
    #[arg(long, value_name = "N", value_parser = whole(0..=u32::MAX))]
    pub(super) quorum: Option<u32>,

    /// M, the number of slots in a round [default: from the preset]
    #[arg(long, value_name = "M", value_parser = whole(0..=u32::MAX))]
    pub(super) round: Option<u32>,

    /// Slots of the first round already past when the campaign starts [default: 0]
    #[arg(long, value_name = "SLOTS", value_parser = whole(0..=u32::MAX))]
    pub(super) late: Option<u32>,

    /// Time at which the campaign starts, such as 2026-12-01T09:00:00Z: adds dates to the forecast
    #[arg(long, value_name = "TIME", value_parser = quantity(time::parse))]
    pub(super) start: Option<Timestamp>,

    /// Seats in the sequencer set [default: 1000, or the set that draws now on chain]
    #[arg(long, value_name = "N", value_parser = whole(1..=u32::MAX))]
    pub(super) sequencers: Option<u32>,

    /// Share of the seats that signals for the payload [default: 70%]
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true, value_parser = share)]
    pub(super) signaling: Option<Fraction>,

    /// Share of the seats that signals for a rival payload [default: 10%]
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true, value_parser = share)]
    pub(super) rival: Option<Fraction>,

    /// Share of its slots that each seat misses
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true, default_value = "2%", value_parser = share)]
    pub(super) missed: Fraction,

    /// Operators in TOML: each `[[operator]]` has seats (4) or stake ("800,000" tokens), side ("for",
    /// "rival" or "silent") and, optionally, missed (default: "2%")
    #[arg(long, value_name = "FILE", conflicts_with_all = ["sequencers", "signaling", "rival", "missed"])]
    pub(super) operators: Option<PathBuf>,

    /// Share of all voting power that is cast
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true, default_value = "40%", value_parser = share)]
    pub(super) turnout: Fraction,

    /// Share of the cast power that is for the proposal
    #[arg(long = "for", value_name = "SHARE", allow_hyphen_values = true, default_value = "80%", value_parser = share)]
    pub(super) for_share: Fraction,

    /// Mean length of an operator outage, in slots, from 1 to 1,000,000: simulates campaigns in which
    /// operators go offline for that long
    #[arg(long, value_name = "SLOTS", value_parser = outage)]
    pub(super) outage: Option<f64>,

    /// Number of campaigns to simulate with --outage, from 1 to 1,000,000
    #[arg(long, value_name = "N", default_value_t = 500, requires = "outage", value_parser = whole(1..=MAX_CAMPAIGNS))]
    pub(super) campaigns: u32,

    /// Seed of the simulation with --outage: the same seed gives the same result
    #[arg(long, value_name = "S", default_value_t = 1, requires = "outage", value_parser = whole(0..=u64::MAX))]
    pub(super) seed: u64,

    /// Print the forecast as JSON: times in Unix seconds, amounts and fractions in units of 10^-18; numbers
    /// that can exceed 2^53 are strings
    #[arg(long)]
    pub(super) json: bool,

    #[command(flatten)]
    pub(super) source: Source,
}

const HELP: CommandHelp =
    CommandHelp::reading("the forecast was printed").input(&["operators"]).after(
        "\
Examples:
  canon forecast
  canon forecast --signaling 62% --missed 3% --start 2026-12-01T09:00:00Z
  canon forecast --preset tests --sequencers 48 --late 4
  canon forecast --operators operators.toml --outage 300
  canon forecast --rpc-url http://localhost:8545 --registry 0x… --payload 0x…",
    );
