//! `canon forecast`: what a campaign of signals may expect.

use std::{fmt::Write as _, fs, num::NonZeroU64, path::PathBuf, str::FromStr};

use canon_forecast::{
    Campaign, Electorate, Milestone, Operator, RoundOdds, Share, Side, Simulated, Simulation,
    simulate,
};
use canon_l1::deploy::{RollupParameters, SetParameters, SignallingParameters};
use canon_protocol::{RoundRules, Seconds, Slot, SlotClock, Timestamp};
use clap::{Args, ValueEnum};
use eyre::{Report, WrapErr as _, eyre};
use serde::{Deserialize, Serialize};

use crate::{
    exit::{Exit, Failure},
    output,
};

/// Tell what a campaign of signals may expect, before parameters are chosen or it starts
///
/// Each slot draws one member of the set, all with the same chance; stake counts only through the
/// number of members it is split into. The chances of a round are exact. With --outage, rounds are
/// played by the rules themselves, for operators that fail for a while.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Forecast {
    /// Parameters of the set
    #[arg(long, value_enum, default_value_t = Preset::MainnetLike)]
    preset: Preset,

    /// N, the signals that win a round [default: the preset's]
    #[arg(long, value_name = "N")]
    quorum: Option<u32>,

    /// M, the slots of a round [default: the preset's]
    #[arg(long, value_name = "M")]
    round: Option<u32>,

    /// Members of the set
    #[arg(long, value_name = "N", default_value_t = 1000)]
    sequencers: u32,

    /// Part of the members that signal for the payload
    #[arg(long, value_name = "SHARE", default_value = "70%")]
    signalling: Percent,

    /// Part of the members that signal for another payload
    #[arg(long, value_name = "SHARE", default_value = "10%")]
    rival: Percent,

    /// Part of their slots that all members miss
    #[arg(long, value_name = "SHARE", default_value = "2%")]
    missed: Percent,

    /// Operators in TOML, each `[[operator]]` with seats, side (for, rival or silent) and missed
    #[arg(long, value_name = "FILE", conflicts_with_all = ["sequencers", "signalling", "rival", "missed"])]
    operators: Option<PathBuf>,

    /// Slots of the first round that are over when the campaign starts
    #[arg(long, value_name = "SLOTS", default_value_t = 0)]
    late: u32,

    /// Slots that a failure of an operator lasts on average: plays rounds with such failures
    #[arg(long, value_name = "SLOTS")]
    outage: Option<f64>,

    /// Rounds to play with --outage
    #[arg(long, value_name = "N", default_value_t = 1000, requires = "outage")]
    rounds: u32,

    /// Replays the same rounds with --outage
    #[arg(long, value_name = "S", default_value_t = 1, requires = "outage")]
    seed: u64,

    /// Print the forecast as JSON
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Examples:
  canon forecast
  canon forecast --signalling 62% --missed 3%
  canon forecast --preset tests --sequencers 48 --late 4
  canon forecast --operators operators.toml --outage 300

Exit codes:
  0  the forecast
  2  bad input: flags or operators
  3  internal error";

/// Parameter sets that come with the deployer.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Preset {
    /// 6 of 10 signals, slots of 24 s, delays of an hour.
    Tests,
    /// 600 of 1,000 signals, slots of 72 s, delays of days.
    MainnetLike,
}

/// A share as people write it: `70%` or `0.7`.
#[derive(Clone, Copy, Debug)]
struct Percent(Share);

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = match text.strip_suffix('%') {
            Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
            None => text.parse(),
        };
        number
            .ok()
            .and_then(Share::new)
            .map(Self)
            .ok_or_else(|| "expected a share from 0% to 100%, such as 70% or 0.7".to_owned())
    }
}

/// A file of operators.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OperatorsFile {
    operator: Vec<Operator>,
}

/// All that is told.
#[derive(Serialize)]
struct Told {
    signals: u32,
    slots: u32,
    slot_seconds: u64,
    seats: u64,
    signalling: f64,
    rival: f64,
    per_slot: f64,
    first_round: RoundOdds,
    later_rounds: RoundOdds,
    rounds_per_year: u64,
    rival_wins_in_a_year: f64,
    milestones: Vec<Expected>,
    curve: Vec<Point>,
    #[serde(skip_serializing_if = "Option::is_none")]
    simulated: Option<Simulated>,
}

/// By when something has happened with some certainty; seconds count from the campaign's start.
#[derive(Serialize)]
struct Expected {
    certainty: &'static str,
    rounds: u64,
    pushable_after: u64,
    voting_ends_after: u64,
    executable_after: u64,
    expires_after: u64,
}

/// The chance of a round if this part of the members signals.
#[derive(Serialize)]
struct Point {
    signalling: f64,
    wins: f64,
}

impl Forecast {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let told = self.tell()?;
        let text = if self.json {
            let mut json = serde_json::to_string_pretty(&told)
                .map_err(|error| Failure::internal(error.into(), "please report this"))?;
            json.push('\n');
            json
        } else {
            render(&told)
        };
        output::result(&text)?;
        Ok(Exit::Success)
    }

    fn tell(&self) -> Result<Told, Failure> {
        let set = match self.preset {
            Preset::Tests => SetParameters::tests(),
            Preset::MainnetLike => SetParameters::mainnet_like(),
        };
        let rules = self.rules(set.signalling)?;
        let electorate = self.electorate()?;
        let clock = clock(&set.rollup)?;
        let start = self.start(rules)?;
        let campaign =
            Campaign::new(rules, clock, set.governance.configuration(), &electorate, start);
        let simulated = self
            .outage
            .map(|outage| {
                let simulation =
                    Simulation { rules, clock, rounds: self.rounds, outage, seed: self.seed };
                simulate(&simulation, &electorate)
            })
            .transpose()
            .map_err(|error| bad(Report::new(error).wrap_err("the rounds can't be played")))?;

        let slot_seconds = clock.slot_duration.get();
        let begin = clock.slot_start(start).unwrap_or(clock.genesis);
        let rounds_per_year =
            (365 * Seconds::DAY.get()) / (slot_seconds.saturating_mul(u64::from(rules.m())).max(1));
        let later = *campaign.later_rounds();
        let mut milestones: Vec<_> =
            campaign.earliest().map(|at| expected("earliest", at, begin)).into_iter().collect();
        for (certainty, chance) in [("50 %", 0.5), ("90 %", 0.9), ("99 %", 0.99)] {
            let at = campaign.rounds_for(chance).and_then(|rounds| campaign.after(rounds));
            milestones.extend(at.map(|at| expected(certainty, at, begin)));
        }
        Ok(Told {
            signals: rules.n(),
            slots: rules.m(),
            slot_seconds,
            seats: electorate.seats(),
            signalling: electorate.share_of(Side::For).get(),
            rival: electorate.share_of(Side::Rival).get(),
            per_slot: electorate.chance_per_slot(Side::For).get(),
            first_round: *campaign.first_round(),
            later_rounds: later,
            rounds_per_year,
            rival_wins_in_a_year: later.rival_wins_within(rounds_per_year),
            milestones,
            curve: curve(rules, &electorate)?,
            simulated,
        })
    }

    fn rules(&self, preset: SignallingParameters) -> Result<RoundRules, Failure> {
        let (n, m) = (self.quorum.unwrap_or(preset.n), self.round.unwrap_or(preset.m));
        RoundRules::new(n, m).map_err(|error| bad(Report::new(error).wrap_err("--quorum, --round")))
    }

    fn electorate(&self) -> Result<Electorate, Failure> {
        let electorate = match &self.operators {
            None => Electorate::of_shares(
                self.sequencers,
                self.signalling.0,
                self.rival.0,
                self.missed.0,
            ),
            Some(path) => {
                let name = path.display();
                let text = fs::read_to_string(path)
                    .wrap_err_with(|| format!("{name} can't be read"))
                    .map_err(bad)?;
                let file: OperatorsFile = toml::from_str(&text)
                    .wrap_err_with(|| format!("{name} doesn't list operators"))
                    .map_err(bad)?;
                Electorate::new(file.operator)
            }
        };
        electorate.map_err(|error| bad(error.into()))
    }

    /// The first slot of the campaign, some rounds after the rollup's genesis.
    fn start(&self, rules: RoundRules) -> Result<Slot, Failure> {
        if self.late >= rules.m() {
            return Err(bad(eyre!(
                "--late: expected fewer than the {} slots of a round, found {}",
                rules.m(),
                self.late
            )));
        }
        Ok(Slot::of(u64::from(rules.m()) + u64::from(self.late)))
    }
}

fn clock(rollup: &RollupParameters) -> Result<SlotClock, Failure> {
    let positive = |value| {
        NonZeroU64::new(value).ok_or_else(|| {
            Failure::internal(eyre!("a slot or epoch of nothing"), "please report this")
        })
    };
    Ok(SlotClock {
        genesis: Timestamp::ZERO,
        slot_duration: positive(rollup.slot_duration.get())?,
        epoch_duration: positive(rollup.epoch_slots)?,
    })
}

fn expected(certainty: &'static str, at: Milestone, begin: Timestamp) -> Expected {
    let after = |time: Timestamp| time.since(begin).map_or(0, Seconds::get);
    Expected {
        certainty,
        rounds: at.rounds,
        pushable_after: after(at.schedule.push),
        voting_ends_after: after(at.schedule.voting_ends),
        executable_after: after(at.schedule.execution),
        expires_after: after(at.schedule.expires),
    }
}

/// The chance of a round for every part of the members that could signal, all else equal.
fn curve(rules: RoundRules, electorate: &Electorate) -> Result<Vec<Point>, Failure> {
    let own = electorate.share_of(Side::For).get();
    let present = electorate.chance_per_slot(Side::For).get();
    let missed = if own > 0.0 { 1.0 - present / own } else { 0.0 };
    let share = |value: f64| Share::new(value.clamp(0.0, 1.0)).unwrap_or(Share::NONE);
    let seats = u32::try_from(electorate.seats()).unwrap_or(u32::MAX);
    let mut shares: Vec<_> = (10..=20).map(|step| f64::from(step) / 20.0).collect();
    if !shares.contains(&own) {
        shares.push(own);
        shares.sort_by(f64::total_cmp);
    }
    shares
        .into_iter()
        .map(|signalling| {
            let imagined =
                Electorate::of_shares(seats, share(signalling), Share::NONE, share(missed))
                    .map_err(|error| bad(error.into()))?;
            Ok(Point { signalling, wins: RoundOdds::new(rules, &imagined).wins })
        })
        .collect()
}

const fn bad(report: Report) -> Failure {
    Failure::bad_input(report, "`canon forecast --help` explains every flag")
}

fn render(told: &Told) -> String {
    let mut text = String::new();
    let mut line = |line: std::fmt::Arguments<'_>| {
        // Writing to a string doesn't fail.
        let _ = writeln!(text, "{line}");
    };
    let round = told.slot_seconds * u64::from(told.slots);
    line(format_args!("{} of {} signals win a round of {}", told.signals, told.slots, span(round)));
    line(format_args!(
        "{} members: {} signal for the payload, {} for a rival; {} of the slots bring a signal for it",
        told.seats,
        percent(told.signalling),
        percent(told.rival),
        percent(told.per_slot),
    ));

    line(format_args!("\nThe chance to win a round, by the part of the members that signals"));
    for point in &told.curve {
        let bar = "█".repeat((point.wins * 50.0).round() as usize);
        let here = if point.signalling == told.signalling { "◂ here" } else { "" };
        line(format_args!(
            "  {:>6}  {bar:<50} {:>9} {here}",
            percent(point.signalling),
            chance(point.wins)
        ));
    }

    line(format_args!("\nThis campaign"));
    line(format_args!("  first round              {:>9}", chance(told.first_round.wins)));
    line(format_args!(
        "  every later round        {:>9}   {:.0} signals on average",
        chance(told.later_rounds.wins),
        told.later_rounds.mean_signals
    ));
    line(format_args!("  fails in a later round   {:>9}", chance(1.0 - told.later_rounds.wins)));

    line(format_args!(
        "\nWhen, counted from its start, if everybody acts at once and the holders accept"
    ));
    line(format_args!(
        "  certainty   rounds   pushed after   vote over after   executed after   expires after"
    ));
    for at in &told.milestones {
        line(format_args!(
            "  {:<9} {:>8} {:>14} {:>17} {:>16} {:>15}",
            at.certainty,
            at.rounds,
            span(at.pushable_after),
            span(at.voting_ends_after),
            span(at.executable_after),
            span(at.expires_after),
        ));
    }
    if told.milestones.len() < 4 {
        line(format_args!("  more certainty than that is out of reach with these signals"));
    }

    line(format_args!("\nA rival payload"));
    line(format_args!("  wins a round             {:>9}", chance(told.later_rounds.rival_wins)));
    line(format_args!(
        "  wins one in a year       {:>9}   {} rounds; it still needs the holders' votes",
        chance(told.rival_wins_in_a_year),
        told.rounds_per_year
    ));

    if let Some(simulated) = &told.simulated {
        line(format_args!("\nWith failures that last, played by the rules (95 % intervals)"));
        for (what, interval) in
            [("wins a round", &simulated.wins), ("rival wins", &simulated.rival_wins)]
        {
            line(format_args!(
                "  {what:<24} {:>9}   {} to {}   {} of {} rounds",
                chance(interval.share()),
                chance(interval.low),
                chance(interval.high),
                interval.successes,
                interval.trials
            ));
        }
        line(format_args!(
            "  signals in a round       {:>9.0}   {} to {}",
            simulated.mean_signals, simulated.signals.0, simulated.signals.1
        ));
    }
    text
}

/// A share in per cent.
fn percent(share: f64) -> String {
    format!("{} %", (share * 1000.0).round() / 10.0)
}

/// A chance. Numbers this near to 1 can't be told from it, so nothing is called certain.
fn chance(chance: f64) -> String {
    if chance <= 0.0 {
        return "none".to_owned();
    }
    if chance < 0.000_05 {
        return format!("{chance:.0e}");
    }
    if chance > 0.999_95 {
        return "> 99.99 %".to_owned();
    }
    format!("{:.2} %", chance * 100.0)
}

/// A duration in its two largest units.
fn span(seconds: u64) -> String {
    let (days, hours) = (seconds / 86_400, seconds % 86_400 / 3_600);
    let (minutes, rest) = (seconds % 3_600 / 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest} s"),
        (0, 0, _) => format!("{minutes} min {rest} s"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_as_people_write_them() {
        for (text, share) in [
            ("70%", Some(0.7)),
            ("0.7", Some(0.7)),
            ("100 %", Some(1.0)),
            ("101%", None),
            ("x", None),
        ] {
            let found = text.parse::<Percent>().ok().map(|percent| percent.0.get());
            assert_eq!(found, share, "{text}");
        }
    }

    #[test]
    fn nothing_is_called_certain_that_is_not() {
        for (value, text) in [
            (0.0, "none"),
            (1e-9, "1e-9"),
            (0.5, "50.00 %"),
            (0.999_99, "> 99.99 %"),
            (1.0, "> 99.99 %"),
        ] {
            assert_eq!(chance(value), text);
        }
    }

    #[test]
    fn spans_show_two_units() {
        for (seconds, text) in
            [(59, "59 s"), (61, "1 min 1 s"), (3_660, "1 h 1 min"), (90_000, "1 d 1 h")]
        {
            assert_eq!(span(seconds), text);
        }
    }
}
