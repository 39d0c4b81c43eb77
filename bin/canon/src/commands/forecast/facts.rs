//! All that is told, as text or as JSON.

use canon_forecast::{
    Campaign, Contest, Force, Milestone, Minority, Outlook, Pace, RestOfRound, RoundOdds, Schedule,
    Share, Side, Simulated, Simulation, Vote, simulate,
};
use canon_protocol::{Amount, Configuration, Fraction, Round, Seconds, Timestamp};
use eyre::Report;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::{
    args::Forecast,
    bad,
    chain::Snapshot,
    operators::idle,
    plan::{Ground, Plan},
    source::Preset,
};
use crate::exit::Failure;

/// All that is told. Chances and shares are numbers from 0 to 1, times Unix seconds, durations
/// seconds, amounts base units, fractions parts of 10^18. Amounts, fractions, slots, epochs, rounds,
/// blocks and versions are strings in JSON: their types can exceed 2^53.
#[derive(Debug, Serialize)]
pub(super) struct Told<'a> {
    /// Where the parameters are from; one of the two is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) preset: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) chain: Option<&'a Snapshot>,
    /// When the campaign starts, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) start: Option<Timestamp>,
    pub(super) signals: u32,
    pub(super) slots: u32,
    pub(super) slot_seconds: Seconds,
    pub(super) round_seconds: Seconds,
    pub(super) minimum_stake: Amount,
    pub(super) configuration: Configuration,
    pub(super) seats: u64,
    pub(super) signaling: Share,
    pub(super) rival: Share,
    pub(super) missed: Share,
    pub(super) per_slot: Share,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) operators: Vec<OperatorFacts>,
    /// The chance of a round if other parts of the seats signal, all else equal.
    pub(super) curve: Vec<Point>,
    pub(super) first_round: RestOfRound,
    pub(super) later_rounds: RoundOdds,
    /// How many rounds it takes on average; `None` if it never wins one.
    pub(super) mean_rounds: Option<f64>,
    /// How many rounds there are.
    pub(super) pace: Pace,
    pub(super) rival_wins_in_a_year: f64,
    pub(super) milestones: Vec<Expected>,
    pub(super) hostile: Hostile,
    pub(super) vote: VoteFacts,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) simulated: Option<Simulated>,
}

/// An operator that was listed.
#[derive(Debug, Serialize)]
pub(super) struct OperatorFacts {
    pub(super) seats: u32,
    pub(super) stake: Amount,
    /// What of the stake draws nothing.
    pub(super) idle: Amount,
    pub(super) side: Side,
    pub(super) missed: Share,
}

/// The chance of a round if so many seats signal.
#[derive(Debug, Serialize)]
pub(super) struct Point {
    pub(super) seats: u64,
    pub(super) signaling: Share,
    pub(super) wins: f64,
}

/// By when something has happened with some certainty; `None` if never.
#[derive(Debug, Serialize)]
pub(super) struct Expected {
    pub(super) certainty: &'static str,
    pub(super) at: Option<Stages>,
}

/// What follows if the last of so many rounds is won. None is needed if the payload has won one
/// already.
#[derive(Debug, Serialize)]
pub(super) struct Stages {
    pub(super) rounds: u64,
    /// Its number, on a chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) round: Option<Round>,
    /// That the payload has won one of them.
    pub(super) chance: f64,
    pub(super) pushable: Moment,
    pub(super) voting_starts: Moment,
    pub(super) voting_ends: Moment,
    pub(super) executable: Moment,
    pub(super) expires: Moment,
}

/// A time.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Moment {
    /// Counted from now on a chain, else from the campaign's start; `None` if it has passed.
    pub(super) after: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) time: Option<Timestamp>,
}

/// What hostile minorities can do.
#[derive(Debug, Serialize)]
pub(super) struct Hostile {
    pub(super) minorities: Vec<Minority>,
    /// Seats that have an even chance of winning a round.
    pub(super) seats_to_push: Option<u64>,
    /// Seats that have an even chance of keeping the others from winning one.
    pub(super) seats_to_block: Option<u64>,
}

/// The vote that follows.
#[derive(Debug, Serialize)]
pub(super) struct VoteFacts {
    pub(super) total_power: Amount,
    pub(super) turnout: Fraction,
    pub(super) yes: Fraction,
    #[serde(flatten)]
    pub(super) outlook: Outlook,
    /// What one side needs alone against everybody else who votes.
    pub(super) alone: Vec<Force>,
}

impl<'a> Told<'a> {
    pub(super) fn tell(asked: &Forecast, plan: &'a Plan) -> Result<Self, Failure> {
        let Plan { terms, electorate, .. } = plan;
        let campaign = Campaign::new(*terms, electorate, plan.start);
        let (rules, clock) = (terms.rules, terms.clock);
        let pace = Pace::new(rules, &clock);
        let slot = Seconds::new(clock.slot_duration.get()).unwrap_or(Seconds::MAX);
        let contest =
            Contest { rules, pace, seats: electorate.seats(), missed: electorate.missed() };
        let later_rounds = *campaign.later_rounds();
        let preset = match plan.ground {
            Ground::Preset(preset) | Ground::Dated(preset) => Some(match preset {
                Preset::Tests => "tests",
                Preset::MainnetLike => "mainnet-like",
            }),
            Ground::Chain(_) => None,
        };
        let chain = match &plan.ground {
            Ground::Chain(snapshot) => Some(&**snapshot),
            Ground::Preset(_) | Ground::Dated(_) => None,
        };
        Ok(Self {
            preset,
            chain,
            start: plan.dated().then_some(plan.now),
            signals: rules.n(),
            slots: rules.m(),
            slot_seconds: slot,
            round_seconds: slot.checked_mul(rules.m().into()).unwrap_or(Seconds::MAX),
            minimum_stake: plan.minimum_stake,
            configuration: terms.configuration,
            seats: electorate.seats(),
            signaling: electorate.share_of(Side::For),
            rival: electorate.share_of(Side::Rival),
            missed: contest.missed,
            per_slot: electorate.chance_per_slot(Side::For),
            operators: operators(plan),
            curve: curve(contest, plan),
            first_round: *campaign.first_round(),
            later_rounds,
            mean_rounds: campaign.mean_rounds(),
            pace,
            rival_wins_in_a_year: later_rounds.rival_wins_within(pace.year),
            milestones: milestones(&campaign, plan),
            hostile: hostile(contest),
            vote: vote(asked, plan),
            simulated: simulated(asked, plan)?,
        })
    }
}

impl Plan {
    /// Whether its times are those of a calendar.
    const fn dated(&self) -> bool {
        match self.ground {
            Ground::Preset(_) => false,
            Ground::Dated(_) | Ground::Chain(_) => true,
        }
    }
}

fn operators(plan: &Plan) -> Vec<OperatorFacts> {
    let facts = plan.listed.iter().map(|listed| OperatorFacts {
        seats: listed.operator.seats,
        stake: listed.stake,
        idle: idle(listed, plan.minimum_stake),
        side: listed.operator.side,
        missed: listed.operator.missed,
    });
    facts.collect()
}

/// From where a round is all but lost to where it is all but won, in even steps, and what signals now.
fn curve(contest: Contest, plan: &Plan) -> Vec<Point> {
    const POINTS: u64 = 12;
    let own = plan.electorate.share_of(Side::For).get();
    let present = plan.electorate.chance_per_slot(Side::For).get();
    // Whoever joins misses what those miss who signal already.
    let missed = if own > 0.0 { Share::new(1.0 - present / own) } else { None };
    let contest = Contest { missed: missed.unwrap_or(contest.missed), ..contest };
    // Per cents, or seats where there are fewer of them.
    let units = contest.seats.min(100);
    let unit = |seats: Option<u64>| seats.unwrap_or(contest.seats) * units / contest.seats;
    let lost = unit(contest.seats_to_push(0.001));
    let won = (unit(contest.seats_to_push(0.999)) + 1).min(units);
    let step = (won - lost).div_ceil(POINTS).max(1);
    let part = |units_of_it: u64| (contest.seats * units_of_it + units / 2) / units;
    let mut seats: Vec<_> =
        (0..=POINTS).map(|point| part((lost + point * step).min(units))).collect();
    seats.push((contest.seats as f64 * own).round() as u64);
    seats.sort_unstable();
    seats.dedup();
    let point = |seats| {
        let minority = contest.minority(seats);
        Point { seats, signaling: minority.share, wins: minority.pushes }
    };
    seats.into_iter().map(point).collect()
}

fn milestones(campaign: &Campaign, plan: &Plan) -> Vec<Expected> {
    let settled = plan.settled();
    let likely = |chance| campaign.rounds_for(chance).and_then(|rounds| campaign.after(rounds));
    [
        ("earliest", campaign.earliest()),
        ("50 %", likely(0.5)),
        ("90 %", likely(0.9)),
        ("99 %", likely(0.99)),
    ]
    .map(|(certainty, at)| Expected { certainty, at: settled.or(at).map(|at| plan.stages(at)) })
    .into()
}

impl Plan {
    /// What follows from a round that the payload has won already, if there is one that counts:
    /// signals don't matter then.
    fn settled(&self) -> Option<Milestone> {
        let Ground::Chain(chain) = &self.ground else { return None };
        let payload = chain.payload.as_ref()?;
        let live = payload.proposal.filter(|proposal| proposal.state.is_live());
        let (schedule, round) = match (live, payload.pushable.first()) {
            (Some(proposal), _) => {
                (Schedule::new(proposal.creation, &proposal.configuration), chain.status.round)
            }
            (None, Some(won)) => (Schedule::new(self.now, &self.terms.configuration), won.round),
            (None, None) => return None,
        };
        Some(Milestone { rounds: 0, round, chance: 1.0, schedule })
    }

    fn stages(&self, at: Milestone) -> Stages {
        let moment = |time: Timestamp| Moment {
            after: time.since(self.now),
            time: self.dated().then_some(time),
        };
        let counted = matches!(self.ground, Ground::Chain(_)) && at.rounds > 0;
        Stages {
            rounds: at.rounds,
            round: counted.then_some(at.round),
            chance: at.chance,
            pushable: moment(at.schedule.push),
            voting_starts: moment(at.schedule.voting_starts),
            voting_ends: moment(at.schedule.voting_ends),
            executable: moment(at.schedule.execution),
            expires: moment(at.schedule.expires),
        }
    }
}

/// One seat, then a tenth of them to a half.
fn hostile(contest: Contest) -> Hostile {
    let part = |percent: u64| (contest.seats * percent / 100).max(1);
    let mut seats: Vec<_> = [0, 10, 15, 20, 25, 30, 35, 40, 45, 50].map(part).into();
    seats.dedup();
    Hostile {
        minorities: seats.into_iter().map(|seats| contest.minority(seats)).collect(),
        seats_to_push: contest.seats_to_push(0.5),
        seats_to_block: contest.seats_to_block(0.5),
    }
}

fn vote(asked: &Forecast, plan: &Plan) -> VoteFacts {
    let vote = Vote { configuration: plan.terms.configuration, total: plan.total_power };
    let (turnout, yes) = (asked.turnout, asked.yes);
    let mut others = [Fraction::ZERO, turnout, Fraction::percent(70), Fraction::ONE].to_vec();
    others.sort_unstable();
    others.dedup();
    VoteFacts {
        total_power: vote.total,
        turnout,
        yes,
        outlook: vote.outlook(turnout, yes),
        alone: others.into_iter().map(|others| vote.force(others)).collect(),
    }
}

fn simulated(asked: &Forecast, plan: &Plan) -> Result<Option<Simulated>, Failure> {
    let Some(outage) = asked.outage else { return Ok(None) };
    let simulation = Simulation {
        rules: plan.terms.rules,
        clock: plan.terms.clock,
        campaigns: asked.campaigns,
        outage,
        seed: asked.seed,
    };
    let bar = progress_bar(asked.campaigns)?;
    let simulated =
        simulate(&simulation, &plan.electorate, |played| bar.set_position(played.into()));
    bar.finish_and_clear();
    let unplayable = |error| bad(Report::new(error).wrap_err("the campaigns can't be played"));
    Ok(Some(simulated.map_err(unplayable)?))
}

/// On stderr, and only if that is a terminal.
fn progress_bar(campaigns: u32) -> Result<ProgressBar, Failure> {
    let style = ProgressStyle::with_template("{spinner} Campaigns {bar:30.cyan/dim} {pos}/{len}")
        .map_err(|error| Failure::internal(error.into(), "please report this"))?;
    Ok(ProgressBar::new(campaigns.into()).with_style(style.progress_chars("━╸─")))
}
