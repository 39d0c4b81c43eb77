//! How the proposals of the scenario ended.

use super::{Inspection, check::Check};
use crate::{
    scenario::End,
    timeline::{because, outcome},
    upgrade_run::{ProposalTrack, rejection},
};

impl Inspection<'_, '_> {
    /// What the scenario expects of its proposals.
    pub(super) fn fates(&self) -> Vec<Check> {
        self.run.tracks.iter().flat_map(fate).collect()
    }
}

const AREA: &str = "Outcome";

fn fate(track: &ProposalTrack) -> Vec<Check> {
    let plan = &track.plan;
    let show = |end: &Option<End>| end.map_or("undecided", outcome).to_owned();
    let mut checks = vec![Check::equal(AREA, &*plan.azip, &Some(plan.expect), &track.end, show)];
    if plan.because.is_some() {
        let found = track.live.as_ref().and_then(|live| rejection(live.result?, live.tally));
        let subject = format!("{}, why", plan.azip);
        let show = |reason: &Option<_>| reason.map_or("not rejected", because).to_owned();
        checks.push(Check::equal(AREA, subject, &plan.because, &found, show));
    }
    let subject = format!("{}, refusals", plan.azip);
    let show = |names: &Vec<String>| match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(", "),
    };
    checks.push(Check::equal(AREA, subject, &plan.refusals, &track.refusals, show));
    checks
}
