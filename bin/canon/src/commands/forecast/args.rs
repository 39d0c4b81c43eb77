//! Command-line arguments.

use std::path::PathBuf;

use alloy_primitives::Address;
use canon_protocol::{
    Fraction, Timestamp,
    text::{address, fraction, time},
};
use clap::Args;

use crate::input::{quantity, whole};

use super::{input::outage, source::Source};

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
    #[arg(long, value_name = "ADDRESS", value_parser = quantity(address::parse))]
    pub(super) payload: Option<Address>,

    /// N, the signals that win a round [default: the preset's]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole(0..=u32::MAX))]
    pub(super) quorum: Option<u32>,

    /// M, the slots of a round [default: the preset's]
    #[arg(long, value_name = "M", allow_negative_numbers = true, value_parser = whole(0..=u32::MAX))]
    pub(super) round: Option<u32>,

    /// Slots of the first round that are over when the campaign starts [default: 0]
    #[arg(long, value_name = "SLOTS", allow_negative_numbers = true, value_parser = whole(0..=u32::MAX))]
    pub(super) late: Option<u32>,

    /// When the campaign starts, to get dates, such as 2026-12-01T09:00:00Z
    #[arg(long, value_name = "TIME", value_parser = quantity(time::parse))]
    pub(super) start: Option<Timestamp>,

    /// Seats of the set [default: 1000, or what draws on the chain]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole(1..=u32::MAX))]
    pub(super) sequencers: Option<u32>,

    /// Part of the seats that signal for the payload
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true, default_value = "70%", value_parser = quantity(fraction::parse_share))]
    pub(super) signaling: Fraction,

    /// Part of the seats that signal for another payload
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true, default_value = "10%", value_parser = quantity(fraction::parse_share))]
    pub(super) rival: Fraction,

    /// Part of their slots that all seats miss
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true, default_value = "2%", value_parser = quantity(fraction::parse_share))]
    pub(super) missed: Fraction,

    /// Operators in TOML, each `[[operator]]` with seats (4) or stake ("800,000" tokens), side ("for",
    /// "rival" or "silent") and missed ("2%" if it is left out)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["sequencers", "signaling", "rival", "missed"])]
    pub(super) operators: Option<PathBuf>,

    /// Part of all power that is cast in the vote
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true, default_value = "40%", value_parser = quantity(fraction::parse_share))]
    pub(super) turnout: Fraction,

    /// Part of the cast power that is for the proposal
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true, default_value = "80%", value_parser = quantity(fraction::parse_share))]
    pub(super) yes: Fraction,

    /// Slots that a failure of an operator lasts on average: plays campaigns with such failures
    #[arg(long, value_name = "SLOTS", allow_negative_numbers = true, value_parser = outage)]
    pub(super) outage: Option<f64>,

    /// Campaigns to play with --outage
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 500, requires = "outage", value_parser = whole(1..=u32::MAX))]
    pub(super) campaigns: u32,

    /// Replays the same campaigns with --outage
    #[arg(long, value_name = "S", allow_negative_numbers = true, default_value_t = 1, requires = "outage", value_parser = whole(0..=u64::MAX))]
    pub(super) seed: u64,

    /// Print the forecast as JSON: times in seconds, amounts and fractions in units of 10^-18; numbers
    /// that can exceed 2^53 are strings
    #[arg(long)]
    pub(super) json: bool,
}

const AFTER_HELP: &str = "\
Examples:
  canon forecast
  canon forecast --signaling 62% --missed 3% --start 2026-12-01T09:00:00Z
  canon forecast --preset tests --sequencers 48 --late 4
  canon forecast --operators operators.toml --outage 300
  canon forecast --rpc-url http://localhost:8545 --registry 0x… --payload 0x…

Exit codes:
  0  the forecast
  2  bad input: flags, operators, or addresses where the set isn't
  3  the endpoint failed, or an internal error";
