//! The forecast as text, within 98 columns.

use std::fmt::{self, Write as _};

use canon_forecast::{PATIENCE, Prospect, Quantile, Side, Simulated};
use canon_protocol::{Amount, Tabulation, yea_limit};

use super::{
    chain::{Snapshot, Standing},
    facts::{Expected, Hostile, Moment, Stages, Told, VoteFacts},
    text::{
        chance, count, date, duration, enough, estimate, fraction, grouped, part, percent, tokens,
        until,
    },
};

/// Width of the bars of the plot.
const BAR: usize = 50;

struct Page(String);

impl Page {
    fn line(&mut self, line: fmt::Arguments<'_>) {
        let line = line.to_string();
        // Writing to a string doesn't fail.
        let _ = writeln!(self.0, "{}", line.trim_end());
    }
}

macro_rules! line {
    ($page:expr, $($text:tt)*) => { $page.line(format_args!($($text)*)) };
}

pub(super) fn render(told: &Told<'_>) -> String {
    let mut page = Page(String::new());
    let page = &mut page;
    terms(page, told);
    if let Some(chain) = told.chain {
        standing(page, told, chain);
    }
    operators(page, told);
    curve(page, told);
    campaign(page, told);
    milestones(page, told);
    hostile(page, told, &told.hostile);
    vote(page, told, &told.vote);
    if let Some(simulated) = &told.simulated {
        simulation(page, simulated);
    }
    std::mem::take(&mut page.0)
}

fn terms(page: &mut Page, told: &Told<'_>) {
    line!(
        page,
        "{} of {} signals win a round of {} · slots of {}",
        grouped(told.signals),
        grouped(told.slots),
        duration(told.round_seconds),
        duration(told.slot_seconds)
    );
    line!(
        page,
        "{} of {} tokens or more: {} signal for the payload, {} for a rival",
        count(told.seats, "seat"),
        tokens(told.minimum_stake),
        percent(told.signalling.get()),
        percent(told.rival.get()),
    );
    line!(
        page,
        "They miss {} of their slots, so {} of all slots bring a signal for it",
        percent(told.missed.get()),
        percent(told.per_slot.get()),
    );
    match (told.preset, told.start) {
        (Some(preset), Some(start)) => {
            line!(page, "Parameters of the preset {preset}, from {} UTC on", date(start));
        }
        (Some(preset), None) => line!(page, "Parameters of the preset {preset}"),
        (None, _) => {}
    }
}

fn standing(page: &mut Page, told: &Told<'_>, chain: &Snapshot) {
    let set = &chain.deployment;
    line!(
        page,
        "\nChain {} at block {}, {} UTC",
        chain.chain_id,
        grouped(chain.block.get()),
        date(chain.time)
    );
    line!(page, "  Registry  {}", set.registry);
    line!(page, "  rollup    {}, canonical", set.rollup);
    line!(
        page,
        "  set       {} of epoch {}, {} of the next{}",
        count(chain.seats.into(), "seat"),
        chain.epoch,
        grouped(chain.next_seats),
        if u64::from(chain.seats) == told.seats { "" } else { "; not those of this forecast" },
    );
    let round = chain.status.round;
    let first = told.chain.map_or(0, |chain| chain.status.first_free_slot.get());
    line!(
        page,
        "  round     {round}: {} left of {}, from slot {} on",
        count(told.first_round.slots_left, "slot"),
        grouped(told.slots),
        first
    );
    match chain.status.leader {
        Some(leader) => {
            line!(page, "  leader    {leader} with {}", count(chain.status.count.into(), "signal"))
        }
        None => line!(page, "  leader    none: nobody has signalled in it"),
    }
    if let Some(payload) = &chain.payload {
        progress(page, told, payload);
    }
}

fn progress(page: &mut Page, told: &Told<'_>, payload: &Standing) {
    let round = &told.first_round;
    let prospect = match round.prospect {
        Prospect::Won => "it has won the round".to_owned(),
        Prospect::Open => format!("it needs {} more", grouped(round.needed)),
        Prospect::Lost => {
            format!("it can't win this round any more: it needs {} more", grouped(round.needed))
        }
    };
    line!(page, "  payload   {}", payload.address);
    line!(
        page,
        "            {} of {} signals: {prospect}",
        grouped(payload.signals),
        grouped(told.signals)
    );
    for (round, last) in &payload.pushable {
        let last = last.map_or_else(String::new, |last| format!(" until {} UTC", date(last)));
        line!(page, "            it has won round {round}, which anyone can push{last}");
    }
    if let Some((id, state)) = payload.proposal {
        let then = if state.is_live() { ": it can't be pushed again before that ends" } else { "" };
        line!(page, "            it is proposal {id} already, {state}{then}");
    }
}

fn operators(page: &mut Page, told: &Told<'_>) {
    if told.operators.is_empty() {
        return;
    }
    line!(page, "\nOperators");
    line!(page, "         seats                stake      draws nothing   side      misses");
    for (number, operator) in (1..).zip(&told.operators) {
        let side = match operator.side {
            Side::For => "for",
            Side::Rival => "rival",
            Side::Silent => "silent",
        };
        let idle = if operator.idle.is_zero() { String::new() } else { tokens(operator.idle) };
        line!(
            page,
            "  {number:>3} {:>8} {:>20} {idle:>18}   {side:<6} {:>9}",
            grouped(operator.seats),
            tokens(operator.stake),
            percent(operator.missed.get()),
        );
    }
    let listed: u64 = told.operators.iter().map(|operator| u64::from(operator.seats)).sum();
    if listed < told.seats {
        line!(page, "      {:>5} more draw and are taken for silent", grouped(told.seats - listed));
    }
}

fn curve(page: &mut Page, told: &Told<'_>) {
    line!(page, "\nThe chance to win a whole round, by the part of the seats that signals");
    for point in &told.curve {
        let bar = "█".repeat((point.wins * BAR as f64).round() as usize);
        let here = if point.signalling == told.signalling { "◂ here" } else { "" };
        line!(
            page,
            "  {:>6}  {bar:<BAR$} {:>9} {here}",
            percent(point.signalling.get()),
            chance(point.wins)
        );
    }
}

fn campaign(page: &mut Page, told: &Told<'_>) {
    let (first, later) = (&told.first_round, &told.later_rounds);
    line!(page, "\nThis campaign");
    let wins = match first.prospect {
        Prospect::Won => "won".to_owned(),
        Prospect::Open | Prospect::Lost => chance(first.wins),
    };
    let slots = if first.slots_left == u64::from(told.slots) {
        format!("all {} slots are left", grouped(told.slots))
    } else {
        format!("{} of {} slots are left", grouped(first.slots_left), grouped(told.slots))
    };
    line!(
        page,
        "  wins the first round     {wins:>9}   {slots}; {} of {} signals are there",
        grouped(first.counted),
        grouped(told.signals)
    );
    line!(
        page,
        "  wins a later round       {:>9}   {:.0} signals on average",
        chance(later.wins),
        later.mean_signals
    );
    line!(page, "  fails in a later round   {:>9}", chance(later.fails));
    if told.rival.get() > 0.0 {
        line!(page, "  a rival wins a round     {:>9}", chance(later.rival_wins));
        line!(
            page,
            "  a rival wins in a year   {:>9}   {}",
            chance(told.rival_wins_in_a_year),
            count(told.rounds.year, "round")
        );
    }
}

/// What comes one after the other once a round is won.
const MOMENTS: [(&str, Pick); 5] = [
    ("pushed", |stages| stages.pushable),
    ("vote opens", |stages| stages.voting_starts),
    ("vote ends", |stages| stages.voting_ends),
    ("executed", |stages| stages.executable),
    ("expires", |stages| stages.expires),
];

type Pick = fn(&Stages) -> Moment;

/// A column for each certainty, so that dates have room.
fn milestones(page: &mut Page, told: &Told<'_>) {
    let from = match (told.start, told.chain) {
        (Some(_), _) => " (UTC)",
        (None, _) => ", counted from its start",
    };
    line!(page, "\nWhen{from}, if everybody acts at once and the holders accept");
    row(page, "", told, |at| at.certainty.to_owned());
    row(page, "rounds", told, |at| stage(at, |stages| grouped(stages.rounds)));
    if told.chain.is_some() {
        row(page, "wins round", told, |at| {
            stage(at, |stages| stages.round.map_or_else(String::new, |round| grouped(round.get())))
        });
    }
    for (what, moment) in MOMENTS {
        row(page, what, told, |at| stage(at, |stages| when(moment(stages))));
        if told.start.is_some() {
            row(page, "", told, |at| {
                at.at.as_ref().map_or_else(String::new, |stages| until(moment(stages).after))
            });
        }
    }
    if told.milestones.iter().any(|milestone| milestone.at.is_none()) {
        line!(page, "  What is never so is out of reach with these signals");
    }
}

fn row(page: &mut Page, what: &str, told: &Told<'_>, cell: impl Fn(&Expected) -> String) {
    let cells: String =
        told.milestones.iter().map(|milestone| format!("{:>21}", cell(milestone))).collect();
    line!(page, "  {what:<10} {cells}");
}

fn stage(at: &Expected, cell: impl Fn(&Stages) -> String) -> String {
    at.at.as_ref().map_or_else(|| "never".to_owned(), cell)
}

fn when(moment: Moment) -> String {
    moment.time.map_or_else(|| duration(moment.after.get()), date)
}

fn hostile(page: &mut Page, told: &Told<'_>, hostile: &Hostile) {
    line!(
        page,
        "\nWhat a hostile minority can do: all of it signals for a payload of its own, everybody else for"
    );
    line!(
        page,
        "yours. Signals are a filter, not a majority: what it pushes still needs the holders."
    );
    line!(page, "{:<20}   pushes its own          blocks yours", "");
    line!(
        page,
        "  {:>7} {:>10} {:>11} {:>11} {:>12} {:>12} {:>12}",
        "seats",
        "share",
        "in a round",
        "in a year",
        "in a round",
        "for 30 days",
        "for a year"
    );
    for minority in &hostile.minorities {
        line!(
            page,
            "  {:>7} {:>10} {:>11} {:>11} {:>12} {:>12} {:>12}",
            grouped(minority.seats),
            percent(minority.share.get()),
            chance(minority.pushes),
            chance(minority.pushes_within_year),
            chance(minority.blocks),
            chance(minority.blocks_for_month),
            chance(minority.blocks_for_year),
        );
    }
    let from = |seats: Option<u64>| match seats {
        None => "more than all seats".to_owned(),
        Some(seats) => {
            let share = percent(seats as f64 / told.seats as f64);
            format!("{} ({share})", count(seats, "seat"))
        }
    };
    line!(
        page,
        "  An even chance in a round takes {} to push, {} to block",
        from(hostile.seats_to_push),
        from(hostile.seats_to_block)
    );
    line!(
        page,
        "  {} in 30 days, {} in a year",
        count(told.rounds.month, "round"),
        grouped(told.rounds.year)
    );
}

fn vote(page: &mut Page, told: &Told<'_>, vote: &VoteFacts) {
    let configuration = &told.configuration;
    let total = vote.total_power;
    let basis = if told.chain.is_some() { "locked now" } else { "the preset's supply" };
    line!(page, "\nThe vote, if all power is {} tokens ({basis})", tokens(total));
    line!(
        page,
        "  it needs a turnout of {}, which is {} cast, and {} of power in all",
        fraction(configuration.quorum),
        enough(vote.outlook.quorum),
        tokens(configuration.minimum_votes)
    );
    let (turnout, cast) = (fraction(vote.turnout), vote.outlook.cast);
    match vote.outlook.least_yea {
        Some(least) if least == cast => {
            line!(page, "  at a turnout of {turnout} it needs all of it to be yes");
        }
        Some(_) => {
            let limit = yea_limit(cast, configuration.vote_differential);
            line!(
                page,
                "  at a turnout of {turnout} it needs more than {} yes, {} of what is cast",
                enough(limit),
                part(limit, cast)
            );
        }
        None => line!(page, "  at a turnout of {turnout} nothing passes"),
    }
    line!(
        page,
        "  at a turnout of {turnout}, {} of it yes, it {}",
        fraction(vote.yes),
        result(&vote.outlook.result)
    );
    line!(
        page,
        "\n  {:<32}{:>31} {:>31}",
        "What one side needs alone,",
        "to pass it if",
        "to stop it if"
    );
    line!(
        page,
        "  {:<32}{:>31} {:>31}",
        "if of the others' power",
        "those who vote say no",
        "those who vote say yes"
    );
    for force in &vote.alone {
        let needs = |amount: Amount| format!("{} ({})", enough(amount), part(amount, total));
        line!(
            page,
            "  {:<32}{:>31} {:>31}",
            format!("{} votes", fraction(force.others)),
            force.passes.map_or_else(|| "no power is enough".to_owned(), needs),
            if force.stops.is_zero() { "nothing".to_owned() } else { needs(force.stops) },
        );
    }
}

fn result(result: &Tabulation) -> String {
    match result {
        Tabulation::Accepted => "passes".to_owned(),
        Tabulation::TooLittlePower { total, .. } => {
            format!("fails, since there are {} in all", tokens(*total))
        }
        Tabulation::QuorumMissed { cast, .. } => {
            format!("fails, since {} are cast", tokens(*cast))
        }
        Tabulation::Outvoted { yea, .. } => format!("fails, since {} are yes", tokens(*yea)),
    }
}

fn simulation(page: &mut Page, simulated: &Simulated) {
    line!(
        page,
        "\nWith failures that last: {} played by the rules (95 % intervals)",
        count(simulated.wins.trials, "campaign")
    );
    for (what, interval) in
        [("wins its first round", &simulated.wins), ("a rival wins it", &simulated.rival_wins)]
    {
        line!(
            page,
            "  {what:<24} {:>9}   {} to {}",
            estimate(interval.share()),
            estimate(interval.low),
            estimate(interval.high),
        );
    }
    line!(
        page,
        "  signals in it            {:>9.0}   {} to {} were seen",
        simulated.mean_signals,
        simulated.signals.0,
        simulated.signals.1
    );
    for (what, quantile) in
        [("half have won within", &simulated.median), ("90 % within", &simulated.nine_of_ten)]
    {
        let Quantile { rounds: found, low, high } = *quantile;
        line!(
            page,
            "  {what:<24} {:>9}   {} to {} rounds",
            rounds(found),
            rounds(low),
            rounds(high)
        );
    }
}

/// A number of rounds, if it was played.
fn rounds(rounds: Option<u32>) -> String {
    rounds.map_or_else(|| format!("over {PATIENCE}"), |rounds| rounds.to_string())
}
