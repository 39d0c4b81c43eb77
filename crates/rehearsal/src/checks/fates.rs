//! How the proposals of the scenario ended.

use super::{Desk, check::Check};
use crate::{
    scenario::End,
    timeline::{because, outcome},
    world::{Docket, rejection},
};

impl Desk<'_, '_> {
    /// What the scenario expects of its proposals.
    pub(super) fn fates(&self) -> Vec<Check> {
        self.world.dockets.iter().flat_map(fate).collect()
    }
}

const AREA: &str = "Outcome";

fn fate(docket: &Docket) -> Vec<Check> {
    let plan = &docket.plan;
    let show = |end: &Option<End>| end.map_or("undecided", outcome).to_owned();
    let mut checks = vec![Check::equal(AREA, &*plan.azip, &Some(plan.expect), &docket.end, show)];
    if plan.because.is_some() {
        let found = docket.live.as_ref().and_then(|live| rejection(live.result?, live.tally));
        let subject = format!("{}, why", plan.azip);
        let show = |reason: &Option<_>| reason.map_or("not rejected", because).to_owned();
        checks.push(Check::equal(AREA, subject, &plan.because, &found, show));
    }
    let subject = format!("{}, refusals", plan.azip);
    let show = |names: &Vec<String>| match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(", "),
    };
    checks.push(Check::equal(AREA, subject, &plan.refusals, &docket.refusals, show));
    checks
}
