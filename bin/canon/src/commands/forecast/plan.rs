//! What was asked for, put together: the terms, who sequences, and when it starts.

use std::{fs, num::NonZeroU64};

use alloy_primitives::Address;
use canon_chain::{Endpoint, deploy::SetParameters};
use canon_forecast::{Electorate, Operator, Side, Start, Terms};
use canon_protocol::{
    Amount, Fraction, RoundRules, Slot, SlotClock, Timestamp,
    text::{Percent, grouped},
};
use eyre::{Report, eyre};

use super::{
    args::Forecast,
    bad,
    chain::Snapshot,
    operators::{self, Listed},
    source::{Choice, Preset},
};
use crate::exit::Failure;

/// Seats of a preset: presets don't say who sequences.
const NOMINAL_SEATS: u32 = 1000;

/// A campaign that is going to be told about.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) ground: Ground,
    pub(super) terms: Terms,
    pub(super) minimum_stake: Amount,
    /// The power that is locked on the chain, or the supply of a preset.
    pub(super) total_power: Amount,
    pub(super) electorate: Electorate,
    /// The operators that a file lists.
    pub(super) listed: Vec<Listed>,
    pub(super) start: Start,
    /// Until times are counted from here.
    pub(super) now: Timestamp,
}

/// What it is played on.
#[derive(Debug)]
pub(super) enum Ground {
    /// A preset, whose times are durations only.
    Preset(Preset),
    /// A preset with a day on which the campaign starts.
    Dated(Preset),
    /// A chain.
    Chain(Box<Snapshot>),
}

impl Plan {
    pub(super) fn new(asked: &Forecast) -> Result<Self, Failure> {
        match asked.source.choose().map_err(bad)? {
            Choice::Preset(preset) => Self::of_preset(asked, preset),
            Choice::Chain(endpoint, registry) => Self::of_chain(asked, endpoint, registry),
        }
    }

    fn of_preset(asked: &Forecast, preset: Preset) -> Result<Self, Failure> {
        if let Some(payload) = asked.payload {
            return Err(bad(eyre!(
                "--payload {payload}: signals are counted on a chain, expected --rpc-url and --registry \
                 beside it"
            )));
        }
        let set = match preset {
            Preset::Tests => SetParameters::tests(),
            Preset::MainnetLike => SetParameters::mainnet_like(),
        };
        let n = asked.quorum.unwrap_or(set.signaling.n);
        let m = asked.round.unwrap_or(set.signaling.m);
        let rules = RoundRules::new(n, m)
            .map_err(|error| bad(Report::new(error).wrap_err("--quorum, --round")))?;
        let late = asked.late.unwrap_or(0);
        if late >= rules.m() {
            return Err(bad(eyre!(
                "--late: expected fewer than the {} slots of a round, found {}",
                grouped(rules.m()),
                grouped(late),
            )));
        }
        let positive = |value| {
            NonZeroU64::new(value).ok_or_else(|| {
                Failure::internal(eyre!("a slot or epoch of nothing"), "please report this")
            })
        };
        let mut clock = SlotClock {
            genesis: Timestamp::ZERO,
            slot_duration: positive(set.rollup.slot_duration.get())?,
            epoch_duration: positive(set.rollup.epoch_slots)?,
        };
        let start = Start::at(rules, Slot::of(late.into()));
        let into_round = clock.slot_start(start.slot).unwrap_or_default();
        let (ground, now) = match asked.start {
            None => (Ground::Preset(preset), into_round),
            Some(begin) => {
                // The round in which it starts began so many slots before.
                let genesis = begin.since(into_round).map(|genesis| Timestamp::ZERO + genesis);
                clock.genesis =
                    genesis.ok_or_else(|| bad(eyre!("--start: expected a time after 1970")))?;
                (Ground::Dated(preset), begin)
            }
        };
        let minimum_stake = set.rollup.minimum_stake;
        let (electorate, listed) = electorate(asked, minimum_stake, Size::Nominal)?;
        Ok(Self {
            ground,
            terms: Terms { rules, clock, configuration: set.governance.configuration() },
            minimum_stake,
            total_power: set.asset.initial_supply,
            electorate,
            listed,
            start,
            now,
        })
    }

    fn of_chain(asked: &Forecast, endpoint: &Endpoint, registry: Address) -> Result<Self, Failure> {
        for (flag, given) in [
            ("--quorum", asked.quorum.is_some()),
            ("--round", asked.round.is_some()),
            ("--late", asked.late.is_some()),
            ("--start", asked.start.is_some()),
        ] {
            if given {
                return Err(bad(eyre!(
                    "{flag}: expected nothing, since it is read from the chain; leave it out, or use \
                     --preset"
                )));
            }
        }
        let snapshot = Snapshot::take(endpoint, registry, asked.payload)?;
        let size = Size::Drawing { seats: snapshot.seats, epoch: snapshot.epoch.get() };
        let (electorate, listed) = electorate(asked, snapshot.minimum_stake, size)?;
        Ok(Self {
            terms: snapshot.terms,
            minimum_stake: snapshot.minimum_stake,
            total_power: snapshot.total_power,
            electorate,
            listed,
            start: snapshot.start(),
            now: snapshot.time,
            ground: Ground::Chain(Box::new(snapshot)),
        })
    }
}

/// How large the set is, unless it is told.
#[derive(Clone, Copy)]
enum Size {
    /// Nobody knows.
    Nominal,
    /// So many draw on the chain.
    Drawing { seats: u32, epoch: u64 },
}

/// Who sequences.
fn electorate(
    asked: &Forecast,
    minimum: Amount,
    size: Size,
) -> Result<(Electorate, Vec<Listed>), Failure> {
    if let Some(path) = &asked.operators {
        let name = path.display().to_string();
        let text =
            fs::read_to_string(path).map_err(|error| bad(operators::unreadable(&name, error)))?;
        let listed = operators::read(&name, &text, minimum, asked.missed.into());
        let listed = listed.map_err(|report| {
            Failure::bad_input(report, "correct the lines above; --help shows what an operator has")
        })?;
        let operators = listed.iter().map(|listed| listed.operator).collect();
        return Ok((fill_up(operators, &name, size).map_err(bad)?, listed));
    }
    let seats = match (asked.sequencers, size) {
        (Some(seats), _) | (None, Size::Drawing { seats: seats @ 1.., .. }) => seats,
        (None, Size::Nominal) => NOMINAL_SEATS,
        (None, Size::Drawing { seats: 0, epoch }) => {
            return Err(bad(eyre!(
                "--sequencers: expected a number of seats, since the canonical rollup's set of epoch \
                 {epoch} is empty: nobody can signal now"
            )));
        }
    };
    let (signaling, rival) = (asked.signaling, asked.rival);
    if u128::from(signaling.get()) + u128::from(rival.get()) > Fraction::ONE.get().into() {
        let sum = Percent::sum([signaling, rival]);
        let [signaling, rival, all] = [signaling, rival, Fraction::ONE].map(Percent::of);
        return Err(Failure::bad_input(
            eyre!(
                "--signaling {signaling}, --rival {rival}: expected shares of at most {all} together, \
                 found {sum}"
            ),
            "lower one of the two; `canon forecast --help` shows their defaults",
        ));
    }
    let (signaling, rival) = (signaling.into(), rival.into());
    let electorate = Electorate::of_shares(seats, signaling, rival, asked.missed.into());
    Ok((electorate.map_err(|error| bad(error.into()))?, Vec::new()))
}

/// On a chain all seats draw, also those that no file lists: they keep silent.
fn fill_up(mut operators: Vec<Operator>, name: &str, size: Size) -> Result<Electorate, Report> {
    let listed = Electorate::new(operators.clone())?;
    let Size::Drawing { seats, epoch } = size else { return Ok(listed) };
    let rest = u64::from(seats).checked_sub(listed.seats()).ok_or_else(|| {
        eyre!(
            "--operators {name}: expected no more than the {} seats that draw in epoch {epoch}, found {}",
            grouped(seats),
            grouped(listed.seats())
        )
    })?;
    if rest > 0 {
        let missed = listed.missed();
        let seats = u32::try_from(rest)?;
        operators.push(Operator { seats, side: Side::Silent, missed });
    }
    Ok(Electorate::new(operators)?)
}
