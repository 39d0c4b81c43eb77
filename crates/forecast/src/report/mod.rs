//! The report of a forecast, with everything that follows from a planned campaign.
//!
//! In JSON, chances and shares are numbers from 0 to 1, times Unix seconds, durations seconds, amounts
//! base units, and fractions parts of 10^18. Amounts, fractions, slots, epochs, rounds, blocks and
//! versions are strings: their types can exceed 2^53.

mod curve;
mod timeline;

use canon_protocol::{Amount, Configuration, Fraction, Seconds, Timestamp};
use serde::Serialize;

use crate::{
    campaign::Campaign,
    electorate::SignalingSide,
    minority::{Contest, Minority, RoundRate},
    odds::{RoundOdds, RunningRoundOdds},
    plan::Plan,
    share::Share,
    simulation::{Simulated, Simulation, SimulationError, simulate},
    vote::{Bloc, Outlook, Vote},
};

pub use curve::CurvePoint;
pub use timeline::{ExpectedTimeline, Moment, WinTimeline};

/// The report of a planned campaign.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ForecastReport {
    /// The time at which the campaign starts; `None` if times are durations only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
    /// N, the signals that win a round.
    pub signals: u32,
    /// M, the slots of a round.
    pub slots: u32,
    /// Length of a slot.
    pub slot_seconds: Seconds,
    /// Length of a round.
    pub round_seconds: Seconds,
    /// The stake that each seat needs.
    pub minimum_stake: Amount,
    /// The configuration that the proposal will be frozen with.
    pub configuration: Configuration,
    /// The number of seats that draw slots.
    pub seats: u64,
    /// The share of the seats that signals for the payload.
    pub signaling: Share,
    /// The share of the seats that signals for a rival payload.
    pub rival: Share,
    /// The mean share of its slots that a seat misses.
    pub missed: Share,
    /// The chance that a slot brings a signal for the payload.
    pub per_slot: Share,
    /// The listed operators; empty without a list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub operators: Vec<OperatorReport>,
    /// The chance to win a round if another share of the seats signals.
    pub curve: Vec<CurvePoint>,
    /// The odds of the round in which the campaign starts.
    pub first_round: RunningRoundOdds,
    /// The odds of every later round.
    pub later_rounds: RoundOdds,
    /// The mean number of rounds until the payload wins one; `None` if it never does.
    pub mean_rounds: Option<f64>,
    /// The number of rounds in a month and in a year.
    #[serde(rename = "pace")]
    pub rate: RoundRate,
    /// The chance that a rival payload wins a round within a year.
    pub rival_wins_in_a_year: f64,
    /// The dates of the earliest win, and of wins with a chance of 50, 90 and 99 %.
    pub milestones: Vec<ExpectedTimeline>,
    /// The power of hostile minorities.
    pub hostile: HostileMinorities,
    /// The vote that follows.
    pub vote: VoteReport,
    /// The results of simulated campaigns with outages, if the plan has outages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulated: Option<Simulated>,
}

/// A listed operator.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct OperatorReport {
    /// Its seats.
    pub seats: u32,
    /// Its stake.
    pub stake: Amount,
    /// The part of the stake that pays for no seat.
    pub idle: Amount,
    /// The payload that it signals for.
    pub side: SignalingSide,
    /// The share of its slots that it misses.
    pub missed: Share,
}

/// The power of hostile minorities.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HostileMinorities {
    /// Minorities from one seat to half of the seats.
    pub minorities: Vec<Minority>,
    /// The smallest number of seats with an even chance of winning a round; `None` if all seats have
    /// less.
    pub seats_to_push: Option<u64>,
    /// The smallest number of seats with an even chance of keeping the others from winning a round;
    /// `None` if all seats have less.
    pub seats_to_block: Option<u64>,
}

/// The vote that follows a round that was won.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VoteReport {
    /// All voting power.
    pub total_power: Amount,
    /// The share of it that is expected to be cast.
    pub turnout: Fraction,
    /// The share of the cast power that is expected to be for the proposal.
    #[serde(rename = "for")]
    pub for_share: Fraction,
    /// The result.
    #[serde(flatten)]
    pub outlook: Outlook,
    /// The power that one bloc needs alone, by the turnout of everybody else.
    pub alone: Vec<Bloc>,
}

impl ForecastReport {
    /// Computes the report of `plan`. Calls `progress` after each simulated campaign, with the number of
    /// campaigns so far.
    ///
    /// # Errors
    ///
    /// If the plan has outages, those of [`simulate`].
    pub fn compute(plan: &Plan, progress: impl FnMut(u32)) -> Result<Self, SimulationError> {
        let Plan { baseline, electorate, .. } = plan;
        let terms = baseline.terms;
        let campaign = Campaign::new(terms, electorate, baseline.start);
        let (rules, clock) = (terms.rules, terms.clock);
        let rate = RoundRate::new(rules, &clock);
        let slot = Seconds::new(clock.slot_duration.get()).unwrap_or(Seconds::MAX);
        let contest =
            Contest { rules, rate, seats: electorate.seats(), missed: electorate.missed() };
        let later_rounds = *campaign.later_rounds();
        Ok(Self {
            start: baseline.is_dated().then_some(baseline.now),
            signals: rules.n(),
            slots: rules.m(),
            slot_seconds: slot,
            round_seconds: slot.checked_mul(rules.m().into()).unwrap_or(Seconds::MAX),
            minimum_stake: baseline.minimum_stake,
            configuration: terms.configuration,
            seats: electorate.seats(),
            signaling: electorate.share_of(SignalingSide::For),
            rival: electorate.share_of(SignalingSide::Rival),
            missed: contest.missed,
            per_slot: electorate.chance_per_slot(SignalingSide::For),
            operators: operators(plan),
            curve: curve::curve(contest, electorate),
            first_round: *campaign.first_round(),
            later_rounds,
            mean_rounds: campaign.mean_rounds(),
            rate,
            rival_wins_in_a_year: later_rounds.rival_wins_within(rate.year),
            milestones: timeline::milestones(&campaign, baseline),
            hostile: hostile(contest),
            vote: vote(plan),
            simulated: simulated(plan, progress)?,
        })
    }
}

fn operators(plan: &Plan) -> Vec<OperatorReport> {
    let operators = plan.listed.iter().map(|listed| OperatorReport {
        seats: listed.operator.seats,
        stake: listed.stake,
        idle: listed.idle_stake(plan.baseline.minimum_stake),
        side: listed.operator.side,
        missed: listed.operator.missed,
    });
    operators.collect()
}

/// One seat, then from 10 % of the seats to 50 %.
fn hostile(contest: Contest) -> HostileMinorities {
    let part = |percent: u64| (contest.seats * percent / 100).max(1);
    let mut seats: Vec<_> = [0, 10, 15, 20, 25, 30, 35, 40, 45, 50].map(part).into();
    seats.dedup();
    HostileMinorities {
        minorities: seats.into_iter().map(|seats| contest.minority(seats)).collect(),
        seats_to_push: contest.seats_to_push(0.5),
        seats_to_block: contest.seats_to_block(0.5),
    }
}

fn vote(plan: &Plan) -> VoteReport {
    let (baseline, expected) = (&plan.baseline, plan.vote);
    let vote = Vote { configuration: baseline.terms.configuration, total: baseline.total_power };
    let mut others =
        [Fraction::ZERO, expected.turnout, Fraction::percent(70), Fraction::ONE].to_vec();
    others.sort_unstable();
    others.dedup();
    VoteReport {
        total_power: vote.total,
        turnout: expected.turnout,
        for_share: expected.for_share,
        outlook: vote.outlook(expected.turnout, expected.for_share),
        alone: others.into_iter().map(|others| vote.bloc(others)).collect(),
    }
}

fn simulated(plan: &Plan, progress: impl FnMut(u32)) -> Result<Option<Simulated>, SimulationError> {
    let Some(outages) = plan.outages else { return Ok(None) };
    let simulation = Simulation {
        rules: plan.baseline.terms.rules,
        clock: plan.baseline.terms.clock,
        campaigns: outages.campaigns,
        outage: outages.mean_slots,
        seed: outages.seed,
    };
    simulate(&simulation, &plan.electorate, progress).map(Some)
}
