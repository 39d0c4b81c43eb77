//! The power of a hostile minority of the sequencers or the holders.

use canon_forecast::ForecastReport;
use canon_protocol::{
    Amount, Tabulation,
    text::{Percent, Rounding, Tokens, count, grouped, percent_of, tokens},
    yea_limit,
};

use super::{Page, line, wrapped_line};
use crate::commands::forecast::text::{chance, percent};

pub(super) fn hostile(page: &mut Page, report: &ForecastReport) {
    let hostile = &report.hostile;
    line!(page, "");
    wrapped_line!(
        page,
        "",
        "What a hostile minority can do, if it signals for a payload of its own and all others for yours. \
         Signals are a filter, not a majority vote: a payload that it pushes still needs the holders."
    );
    line!(page, "{:<20} pushes its own          blocks yours", "");
    line!(
        page,
        "  {:>9} {:>7} {:>11} {:>11} {:>11} {:>12} {:>11}",
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
            "  {:>9} {:>7} {:>11} {:>11} {:>11} {:>12} {:>11}",
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
            let share = percent(seats as f64 / report.seats as f64);
            format!("{} ({share})", count(seats, "seat"))
        }
    };
    wrapped_line!(
        page,
        "  ",
        "An even chance in a round needs {} to push, {} to block",
        from(hostile.seats_to_push),
        from(hostile.seats_to_block)
    );
    line!(
        page,
        "  {} in 30 days, {} in a year",
        count(report.rate.month, "round"),
        grouped(report.rate.year)
    );
}

pub(super) fn vote(page: &mut Page, report: &ForecastReport, is_deployed: bool) {
    let vote = &report.vote;
    let configuration = &report.configuration;
    let total = vote.total_power;
    let basis = if is_deployed { "locked now" } else { "the preset's supply" };
    line!(page, "");
    wrapped_line!(page, "", "The vote, with a total power of {} ({basis})", tokens(total));
    wrapped_line!(
        page,
        "  ",
        "it needs a turnout of {}, which is a power of {}",
        Percent::of(configuration.quorum),
        Tokens(vote.outlook.quorum).rounded_up()
    );
    wrapped_line!(
        page,
        "  ",
        "it needs a total power of {} or more",
        tokens(configuration.minimum_votes)
    );
    let (turnout, cast) = (Percent::of(vote.turnout), vote.outlook.cast);
    match vote.outlook.least_yea {
        Some(least) if least == cast => {
            wrapped_line!(
                page,
                "  ",
                "at a turnout of {turnout}, all of it must be for the proposal"
            );
        }
        Some(_) => {
            let limit = yea_limit(cast, configuration.vote_differential);
            wrapped_line!(
                page,
                "  ",
                "at a turnout of {turnout}, more than {} ({}) must be for the proposal",
                Tokens(limit).rounded_up(),
                percent_of(limit, cast, Rounding::Up)
            );
        }
        None => wrapped_line!(page, "  ", "at a turnout of {turnout}, nothing passes"),
    }
    wrapped_line!(
        page,
        "  ",
        "at a turnout of {turnout} with {} of it for the proposal, it {}",
        Percent::of(vote.for_share),
        result(&vote.outlook.result)
    );
    line!(page, "\n  Power that one side needs alone, by the turnout of the others");
    line!(
        page,
        "  {:<12} {:>31} {:>31}",
        "",
        "to pass it, if they are against",
        "to stop it, if they are for"
    );
    for bloc in &vote.alone {
        let needs = |amount: Amount| {
            let share = percent_of(amount, total, Rounding::Up);
            format!("{} ({share})", Tokens(amount).rounded_up())
        };
        line!(
            page,
            "  {:<12} {:>31} {:>31}",
            Percent::of(bloc.others).to_string(),
            bloc.passes.map_or_else(|| "no power is enough".to_owned(), needs),
            if bloc.stops.is_zero() { "none".to_owned() } else { needs(bloc.stops) },
        );
    }
}

fn result(result: &Tabulation) -> String {
    match result {
        Tabulation::Accepted => "passes".to_owned(),
        Tabulation::TooLittlePower { total, .. } => {
            format!("fails: the total power is {}", tokens(*total))
        }
        Tabulation::QuorumMissed { cast, .. } => {
            format!("fails: the power cast is only {}", tokens(*cast))
        }
        Tabulation::Outvoted { yea, .. } => {
            format!("fails: the power for it is only {}", tokens(*yea))
        }
    }
}
