//! When things happen.

use canon_protocol::text::{Duration, Time, count, grouped};

use super::{Page, line};
use crate::commands::forecast::{
    facts::{Expected, Moment, Stages, Told},
    text::{NEGLIGIBLE, chance, until},
};

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
pub(super) fn milestones(page: &mut Page, told: &Told<'_>) {
    let from = match (told.start, told.chain) {
        (Some(_), _) => " (UTC)",
        (None, _) => ", counted from its start",
    };
    line!(page, "\nWhen{from}, if everybody acts at once and the holders accept");
    row(page, "", told, |at| at.certainty.to_owned());
    row(page, "rounds", told, |at| stage(at, |stages| grouped(stages.rounds).to_string()));
    if told.chain.is_some() {
        row(page, "wins round", told, |at| {
            stage(at, |stages| {
                stages.round.map_or_else(String::new, |round| grouped(round.get()).to_string())
            })
        });
    }
    for (what, moment) in MOMENTS {
        row(page, what, told, |at| stage(at, |stages| when(moment(stages))));
        if told.start.is_some() {
            row(page, "", told, |at| {
                let likely = at.at.as_ref().filter(|stages| stages.chance >= NEGLIGIBLE);
                likely.map_or_else(String::new, |stages| until(moment(stages).after))
            });
        }
    }
    let mut stages = told.milestones.iter().filter_map(|milestone| milestone.at.as_ref());
    if let Some(unlikely) = stages.find(|stages| stages.chance < NEGLIGIBLE) {
        let (rounds, chance) = (count(unlikely.rounds, "round"), chance(unlikely.chance));
        line!(page, "  – stands for a chance below 0.005 %: within {rounds} it is {chance}");
    }
    if told.milestones.iter().any(|milestone| milestone.at.is_none()) {
        line!(page, "  What is never so is out of reach with these signals");
    }
}

fn row(page: &mut Page, what: &str, told: &Told<'_>, cell: impl Fn(&Expected) -> String) {
    let cells: String =
        told.milestones.iter().map(|milestone| format!(" {:>20}", cell(milestone))).collect();
    line!(page, "  {what:<10} {cells}");
}

fn stage(at: &Expected, cell: impl Fn(&Stages) -> String) -> String {
    match &at.at {
        None => "never".to_owned(),
        Some(stages) if stages.chance < NEGLIGIBLE => "–".to_owned(),
        Some(stages) => cell(stages),
    }
}

fn when(moment: Moment) -> String {
    match moment.time {
        Some(time) => Time(time).without_zone().to_string(),
        None => Duration(moment.after.unwrap_or_default()).rounded().to_string(),
    }
}
