//! The current state of the chain, and the operators.

use canon_forecast::{
    ForecastReport,
    deployed::{PayloadStanding, SetSnapshot},
    electorate::SignalingSide,
    odds::Prospect,
};
use canon_protocol::text::{Time, Tokens, count, grouped};

use super::{Page, line, wrapped_line};
use crate::commands::forecast::text::percent;

pub(super) fn standing(page: &mut Page, report: &ForecastReport, chain: &SetSnapshot) {
    let set = &chain.addresses;
    line!(page, "\nChain {} at block {}, {}", chain.chain_id, chain.block, Time(chain.time));
    line!(page, "  Registry  {}", set.registry);
    line!(page, "  rollup    {} (canonical)", set.rollup);
    wrapped_line!(
        page,
        "  set       ",
        "{} in epoch {}, {} in the next{}",
        count(chain.seats.into(), "seat"),
        chain.epoch,
        grouped(chain.next_seats),
        if u64::from(chain.seats) == report.seats {
            ""
        } else {
            "; this forecast assumes another set"
        },
    );
    wrapped_line!(
        page,
        "  round     ",
        "{}: {} of {} slots left; the next free slot is {}",
        chain.status.round,
        grouped(report.first_round.slots_left),
        grouped(report.slots),
        chain.status.first_free_slot
    );
    match chain.status.leader {
        Some(leader) => wrapped_line!(
            page,
            "  leader    ",
            "{} with {}",
            leader.payload,
            count(leader.count.into(), "signal")
        ),
        None => line!(page, "  leader    none: the round has no signals yet"),
    }
    if let Some(payload) = &chain.payload {
        progress(page, report, payload);
    }
}

/// The reason why a payload needs no more signals; `None` if it needs some.
pub(super) fn won_already(payload: &PayloadStanding) -> Option<String> {
    let live = payload.proposal.as_ref().filter(|proposal| proposal.state.is_live());
    match (live, payload.pushable.first()) {
        (Some(proposal), _) => Some(format!("it is proposal {}", proposal.id)),
        (None, Some(won)) => Some(format!("round {} can be pushed now", won.round)),
        (None, None) => None,
    }
}

fn progress(page: &mut Page, report: &ForecastReport, payload: &PayloadStanding) {
    let round = &report.first_round;
    let prospect = match round.prospect {
        Prospect::Won => "the round is won".to_owned(),
        _ if won_already(payload).is_some() => "no more needed".to_owned(),
        Prospect::Open => format!("{} more needed", grouped(round.needed)),
        Prospect::Lost => {
            format!("too few slots left for {} more", grouped(round.needed))
        }
    };
    line!(page, "  payload   {}", payload.address);
    wrapped_line!(
        page,
        "            ",
        "{} of {} signals: {prospect}",
        grouped(payload.signals),
        grouped(report.signals)
    );
    for won in &payload.pushable {
        let until =
            won.until.map_or_else(String::new, |last| format!(" until {}, inclusive", Time(last)));
        wrapped_line!(
            page,
            "            ",
            "round {} is won: anyone can push it{until}",
            won.round
        );
    }
    if let Some(proposal) = &payload.proposal {
        let (id, state) = (proposal.id, proposal.state);
        if state.is_live() {
            wrapped_line!(
                page,
                "            ",
                "proposal {id} is {state}: the payload can't be pushed again before that ends"
            );
        } else {
            line!(page, "            proposal {id} is {state}");
        }
    }
}

pub(super) fn operators(page: &mut Page, report: &ForecastReport) {
    if report.operators.is_empty() {
        return;
    }
    line!(page, "\nOperators");
    line!(page, "         seats                stake       unused stake   side      misses");
    for (number, operator) in (1..).zip(&report.operators) {
        let side = match operator.side {
            SignalingSide::For => "for",
            SignalingSide::Rival => "rival",
            SignalingSide::Silent => "silent",
        };
        let idle =
            if operator.idle.is_zero() { String::new() } else { Tokens(operator.idle).to_string() };
        line!(
            page,
            "  {number:>3} {:>8} {:>20} {idle:>18}   {side:<6} {:>9}",
            grouped(operator.seats),
            Tokens(operator.stake),
            percent(operator.missed.get()),
        );
    }
    let listed: u64 = report.operators.iter().map(|operator| u64::from(operator.seats)).sum();
    if listed < report.seats {
        line!(
            page,
            "      {:>5} more draw slots and are assumed silent",
            grouped(report.seats - listed)
        );
    }
}
