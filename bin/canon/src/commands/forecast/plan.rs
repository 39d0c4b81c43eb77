//! The conversion of arguments to a plan. Errors name the wrong flags.

use std::{fmt, num::NonZeroU64};

use canon_forecast::{
    Plan,
    deployed::SetSnapshot,
    electorate::SignalingSide,
    plan::{Baseline, ExpectedVote, Outages, PlanError, PlannedSequencers, PlannedSet},
};
use canon_protocol::{
    Fraction, RoundRules,
    text::{Percent, count, grouped},
};
use eyre::{Report, eyre};

use super::{
    args::{DEFAULT_RIVAL, DEFAULT_SIGNALING, Forecast},
    bad, chain, operators,
    source::ChosenSource,
};
use crate::{
    chain::{ChainSettings, Origin},
    exit::Failure,
    preset::Preset,
};

/// A plan, and the source of its parameters: a preset or a chain.
#[derive(Debug)]
pub(super) struct PlannedForecast {
    pub(super) plan: Plan,
    pub(super) preset: Option<&'static str>,
    pub(super) chain: Option<SetSnapshot>,
}

/// A share that isn't a whole number of seats.
#[derive(Debug)]
pub(super) struct RoundedShare {
    asked: Fraction,
    /// The whole number of seats that the forecast uses.
    taken: u32,
    seats: u64,
    side: &'static str,
}

impl fmt::Display for RoundedShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { asked, taken, seats, side } = self;
        let (asked, seats) = (Percent::of(*asked), count(*seats, "seat"));
        write!(f, "{asked} of {seats} is rounded to {} {side}", grouped(*taken))
    }
}

impl RoundedShare {
    /// The shares that the forecast rounds.
    pub(super) fn of(asked: &Forecast, plan: &Plan) -> Vec<Self> {
        if asked.operators.is_some() {
            return Vec::new();
        }
        let seats = plan.electorate.seats();
        let sides = [
            (asked.signaling.unwrap_or(DEFAULT_SIGNALING), SignalingSide::For, "for the payload"),
            (asked.rival.unwrap_or(DEFAULT_RIVAL), SignalingSide::Rival, "for a rival"),
        ];
        let shares = sides.map(|(asked, of_side, side)| {
            let operators = plan.electorate.operators().iter();
            let taken = operators.filter(|one| one.side == of_side).map(|one| one.seats).sum();
            Self { asked, taken, seats, side }
        });
        let is_rounded = |share: &Self| {
            let whole = u128::from(Fraction::ONE.get());
            u128::from(share.asked.get()) * u128::from(share.seats)
                != u128::from(share.taken) * whole
        };
        shares.into_iter().filter(is_rounded).collect()
    }
}

impl PlannedForecast {
    pub(super) fn new(asked: &Forecast) -> Result<Self, Failure> {
        match asked.source.choose()? {
            ChosenSource::Preset(preset) => {
                let baseline = preset_baseline(asked, preset)?;
                Ok(Self { plan: plan(asked, baseline)?, preset: Some(preset.name()), chain: None })
            }
            ChosenSource::Chain(settings) => {
                let snapshot = snapshot(asked, &settings)?;
                let plan = plan(asked, Baseline::deployed(&snapshot))?;
                Ok(Self { plan, preset: None, chain: Some(snapshot) })
            }
        }
    }
}

fn preset_baseline(asked: &Forecast, preset: Preset) -> Result<Baseline, Failure> {
    if let Some(payload) = asked.payload {
        return Err(bad(eyre!(
            "--payload {payload}: expected --rpc-url and --registry too, since signals are counted on a \
             chain"
        )));
    }
    let set = preset.parameters();
    let n = asked.quorum.unwrap_or(set.signaling.n);
    let m = asked.round.unwrap_or(set.signaling.m);
    let rules = RoundRules::new(n, m).map_err(|_| bad(invalid_rules(asked, n, m)))?;
    let positive = |value| {
        NonZeroU64::new(value).ok_or_else(|| {
            Failure::internal(eyre!("a slot or an epoch has no length"), "please report this")
        })
    };
    let set = PlannedSet {
        rules,
        slot_duration: positive(set.rollup.slot_duration.get())?,
        epoch_duration: positive(set.rollup.epoch_slots)?,
        configuration: set.governance.configuration(),
        minimum_stake: set.rollup.minimum_stake,
        supply: set.asset.initial_supply,
    };
    let baseline = Baseline::planned(&set, asked.late.unwrap_or(0), asked.start);
    baseline.map_err(|error| refused(asked, error))
}

/// The reason why `n` of `m` slots can't win a round.
fn invalid_rules(asked: &Forecast, n: u32, m: u32) -> Report {
    let (least, most) = (RoundRules::min_n(m), RoundRules::MAX_M);
    if !(2..=most).contains(&m) {
        let most = grouped(most);
        return eyre!("--round {m}: expected a number of slots from 2 to {most}");
    }
    let [of_n, of_m] =
        [asked.quorum, asked.round].map(|typed| not_typed(typed, " (from the preset)"));
    let (least, most) = (grouped(least), grouped(m));
    eyre!(
        "--quorum {n}{of_n}: expected more than half of the slots of a round, and no more than all: {least} \
         to {most} with --round {m}{of_m}"
    )
}

/// The source of a value that wasn't typed; empty if it was typed.
const fn not_typed<T: Copy>(typed: Option<T>, source: &'static str) -> &'static str {
    match typed {
        Some(_) => "",
        None => source,
    }
}

fn snapshot(asked: &Forecast, settings: &ChainSettings) -> Result<SetSnapshot, Failure> {
    for (flag, given) in [
        ("--quorum", asked.quorum.is_some()),
        ("--round", asked.round.is_some()),
        ("--late", asked.late.is_some()),
        ("--start", asked.start.is_some()),
    ] {
        if given {
            let registry = match settings.registry.as_ref().map(|setting| &setting.origin) {
                None | Some(Origin::Flag(_)) => "--registry".to_owned(),
                Some(origin) => format!("a Registry ({origin})"),
            };
            return Err(bad(eyre!(
                "{flag}: expected no such flag with {registry}, since its value is read from the chain; \
                 leave it out, or use --preset"
            )));
        }
    }
    chain::snapshot(settings, asked.payload)
}

fn plan(asked: &Forecast, baseline: Baseline) -> Result<Plan, Failure> {
    let sequencers = match &asked.operators {
        Some(path) => PlannedSequencers::Listed(operators::read(
            path,
            baseline.minimum_stake,
            asked.missed.into(),
        )?),
        None => PlannedSequencers::Shares {
            seats: asked.sequencers,
            signaling: asked.signaling.unwrap_or(DEFAULT_SIGNALING),
            rival: asked.rival.unwrap_or(DEFAULT_RIVAL),
            missed: asked.missed,
        },
    };
    let vote = ExpectedVote { turnout: asked.turnout, for_share: asked.for_share };
    let outages = asked.outage.map(|mean_slots| Outages {
        mean_slots,
        campaigns: asked.campaigns,
        seed: asked.seed,
    });
    Plan::new(baseline, sequencers, vote, outages).map_err(|error| refused(asked, error))
}

/// The failure for arguments that don't make a plan.
fn refused(asked: &Forecast, error: PlanError) -> Failure {
    let flag = match &error {
        PlanError::StartsAfterRound { .. } => "--late",
        PlanError::StartsBefore1970 => "--start",
        PlanError::EmptySet { .. } => "--sequencers",
        PlanError::MoreSeatsThanDraw { .. } => {
            let file = asked.operators.clone().unwrap_or_default();
            return bad(eyre!("--operators {}: {error}", file.display()));
        }
        PlanError::SharesAboveAll { signaling, rival } => {
            let [signaling, rival] = [*signaling, *rival].map(Percent::of);
            let [of_signaling, of_rival] =
                [asked.signaling, asked.rival].map(|typed| not_typed(typed, " (default)"));
            return Failure::bad_input(
                eyre!("--signaling {signaling}{of_signaling}, --rival {rival}{of_rival}: {error}"),
                "lower one of the two; `canon forecast --help` shows their defaults",
            );
        }
        _ => return bad(error.into()),
    };
    bad(eyre!("{flag}: {error}"))
}
