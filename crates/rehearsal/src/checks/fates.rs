//! How the proposals of the scenario ended.

use canon_protocol::SetState;

use super::{Inspection, check::Check};
use crate::{
    scenario::End,
    timeline::{because, outcome},
    upgrade_run::{ProposalTrack, rejection},
};

impl Inspection<'_, '_> {
    /// What the scenario expects of its proposals.
    pub(super) fn fates(&self) -> Vec<Check> {
        self.run.tracks.iter().flat_map(|track| fate(self.expected(), track)).collect()
    }
}

const AREA: &str = "Outcome";

fn fate(state: &SetState, track: &ProposalTrack) -> Vec<Check> {
    let plan = &track.plan;
    let show = |end: &Option<End>| end.map_or("undecided", outcome).to_owned();
    let mut checks = vec![Check::equal(AREA, &*plan.azip, &Some(plan.expect), &track.end, show)];
    if plan.because.is_some() {
        let governance = state.governance();
        let proposal = track.id.and_then(|id| governance.proposal(id.to_word()).ok());
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
