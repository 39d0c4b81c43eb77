//! Checks of the ends of the scenario's proposals.

use super::{Inspection, check::Check};
use crate::{
    scenario::End,
    timeline::{because, outcome},
    upgrade_run::{ProposalTrack, UpgradeRun, rejection},
};

impl Inspection<'_, '_> {
    /// Checks that every proposal ended as the scenario expects.
    pub(super) fn fates(&self) -> Vec<Check> {
        self.run.tracks.iter().flat_map(|track| fate(self.run, track)).collect()
    }
}

const AREA: &str = "Outcome";

fn fate(run: &UpgradeRun<'_>, track: &ProposalTrack) -> Vec<Check> {
    let (plan, end) = (&track.plan, run.end(track));
    let show = |end: &Option<End>| end.map_or("undecided", outcome).to_owned();
    let mut checks = vec![Check::equal(AREA, &*plan.azip, &Some(plan.expect), &end, show)];
    if plan.because.is_some() {
        let governance = run.state().governance();
        let proposal = track.id(run.state()).and_then(|id| governance.proposal(id.to_word()).ok());
        let found =
            proposal.and_then(|(_, one)| rejection(governance.tabulation(one), one.tally()));
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
