//! Governance: proposals, tallies, power.

use alloy_primitives::{B256, keccak256};
use alloy_sol_types::SolValue;
use canon_abi::Governance;
use canon_protocol::{Amount, Configuration, ProposalState, Tally, Timestamp, text};

use super::{
    Inspection, READING,
    check::{Check, plain},
    fit,
};
use crate::{
    error::{During, Result},
    scenario::End,
    upgrade_run::{Live, ProposalTrack, sum},
};

const AREA: &str = "Governance";

impl Inspection<'_, '_> {
    /// Every proposal and all power.
    pub(super) async fn governance(&self) -> Result<Vec<Check>> {
        let (run, governance) = (self.run, self.run.set.governance);
        let (client, head) = (run.driver.client(), run.driver.head());
        let proposals: Vec<_> =
            run.tracks.iter().filter_map(|track| Some((track, track.live.as_ref()?))).collect();
        let count = client.proposal_count(head, governance).await.during(READING)?;
        let expected = proposals.len() as u64;
        let mut checks = vec![Check::equal(AREA, "proposals", &expected, &count, plain)];
        for (track, live) in proposals {
            checks.extend(self.proposal(track, live).await?);
        }
        let tokens = |amount: &Amount| format!("{} tokens", text::Tokens(*amount));
        let expected = run.total_power_at(Timestamp::MAX);
        let total = Governance::totalPowerAtCall { timestamp: run.driver.now().to_word() };
        let found = fit(self.ask(governance, total).await?)?;
        checks.push(Check::equal(AREA, "all power", &expected, &found, tokens));
        let unclaimed = |claimed: bool, amount: Amount| (!claimed).then_some(amount);
        let leaves = &run.withdrawals;
        let expected = sum(leaves.iter().filter_map(|l| unclaimed(l.claimed, l.amount)));
        let found = self.unclaimed().await?;
        checks.push(Check::equal(AREA, "owed to those who left", &expected, &found, tokens));
        let found = client.configuration(head, governance).await.during(READING)?;
        let show = |found: &Configuration| match *found == run.scenario.governance {
            true => "as deployed".to_owned(),
            false => "changed".to_owned(),
        };
        checks.push(Check::equal(AREA, "configuration", &run.scenario.governance, &found, show));
        Ok(checks)
    }

    async fn proposal(&self, track: &ProposalTrack, live: &Live) -> Result<Vec<Check>> {
        let (run, governance) = (self.run, self.run.set.governance);
        let (client, head) = (run.driver.client(), run.driver.head());
        let found = client.proposal(head, governance, live.id).await.during(READING)?;
        let id = live.id;
        let tally = |tally: &Tally| {
            format!("{} yes, {} no", text::Tokens(tally.yea), text::Tokens(tally.nea))
        };
        let hash = keccak256(live.frozen.abi_encode());
        let short = |hash: &B256| format!("{}…", &hash.to_string()[..10]);
        let subject = |what: &str| format!("proposal {id}, {what}");
        let mut checks = Vec::new();
        if let Some(state) = state(track.plan.expect) {
            checks.push(Check::equal(AREA, subject("state"), &state, &found.state, plain));
        }
        checks.push(Check::equal(AREA, subject("votes"), &live.tally, &found.tally, tally));
        let snapshot = Governance::totalPowerAtCall { timestamp: live.deadlines.pending.to_word() };
        if live.result.is_some() {
            let tokens = |amount: &Amount| format!("{} tokens", text::Tokens(*amount));
            let expected = run.total_power_at(live.deadlines.pending);
            let found = fit(self.ask(governance, snapshot).await?)?;
            checks.push(Check::equal(AREA, subject("all power"), &expected, &found, tokens));
        }
        checks.push(Check::equal(AREA, subject("actions"), &hash, &found.actions_hash, short));
        Ok(checks)
    }

    /// What Governance still owes for withdrawals, by its own list.
    async fn unclaimed(&self) -> Result<Amount> {
        let governance = self.run.set.governance;
        let count = self.ask(governance, Governance::withdrawalCountCall {}).await?;
        let mut owed = Vec::new();
        for id in 0..count.saturating_to::<u64>() {
            let call = Governance::getWithdrawalCall { id: alloy_primitives::U256::from(id) };
            let withdrawal = self.ask(governance, call).await?;
            if !withdrawal.claimed {
                owed.push(fit(withdrawal.amount)?);
            }
        }
        Ok(sum(owed))
    }
}

/// The state that an end leaves behind.
const fn state(end: End) -> Option<ProposalState> {
    match end {
        End::Executed => Some(ProposalState::Executed),
        End::Rejected => Some(ProposalState::Rejected),
        End::Expired => Some(ProposalState::Expired),
        End::Dropped => Some(ProposalState::Dropped),
        End::NoQuorum | End::RoundExpired => None,
    }
}
