//! Checks of Governance: proposals, tallies, power.

use alloy_primitives::B256;
use canon_abi::Governance;
use canon_protocol::{
    Amount, Configuration, Payment, ProposalId, ProposalState, Tally, actions_hash, text,
};

use super::{
    Inspection,
    check::{Check, plain},
    fit,
};
use crate::{
    error::{Error, Result},
    scenario::End,
    upgrade_run::{ProposalTrack, sum},
};

const AREA: &str = "Governance";

impl Inspection<'_, '_> {
    /// Checks of every proposal, of power and of the configuration.
    pub(super) async fn governance(&self) -> Result<Vec<Check>> {
        let (run, state) = (self.run, self.expected().governance());
        let count = self.found.governance.proposals.len();
        let expected = state.proposals().len();
        let mut checks = vec![Check::equal(AREA, "proposals", &expected, &count, plain)];
        for track in &run.tracks {
            if let Some(id) = track.id(self.expected()) {
                checks.extend(self.proposal(track, id).await?);
            }
        }
        let tokens = |amount: &Amount| text::tokens(*amount);
        let (expected, found) = (state.total_power(), self.found.governance.total_power);
        checks.push(Check::equal(AREA, "all power", &expected, &found, tokens));
        let found = self.unclaimed().await?;
        checks.push(Check::equal(AREA, "owed to those who left", &self.owed(), &found, tokens));
        let found = self.found.governance.configuration;
        let show = |found: &Configuration| match *found == run.scenario.governance {
            true => "as deployed".to_owned(),
            false => "changed".to_owned(),
        };
        checks.push(Check::equal(AREA, "configuration", &run.scenario.governance, &found, show));
        Ok(checks)
    }

    /// The amount that Governance owes for withdrawals, by the expected state.
    pub(super) fn owed(&self) -> Amount {
        let withdrawals = self.expected().governance().withdrawals().iter();
        sum(withdrawals.filter(|one| one.payment == Payment::Due).map(|one| one.amount))
    }

    async fn proposal(&self, track: &ProposalTrack, id: ProposalId) -> Result<Vec<Check>> {
        let (governance, state) = (self.run.set.addresses().governance, self.expected());
        let missing = || Error::Unexpected(format!("Governance doesn't know proposal {id}"));
        let found = self.found.proposal(id).ok_or_else(missing)?;
        let (_, expected) = state.governance().proposal(id.to_word()).map_err(|_| missing())?;
        let tally = |tally: &Tally| {
            format!("{} for, {} against", text::Tokens(tally.yea), text::Tokens(tally.nea))
        };
        let hash = actions_hash(expected.actions());
        let short = |hash: &B256| format!("{}…", &hash.to_string()[..10]);
        let subject = |what: &str| format!("proposal {id}, {what}");
        let mut checks = Vec::new();
        if let Some(state) = state_after(track.plan.expect) {
            checks.push(Check::equal(AREA, subject("state"), &state, &found.state, plain));
        }
        checks.push(Check::equal(AREA, subject("votes"), &expected.tally(), &found.tally, tally));
        let (snapshot, now) = (expected.deadlines().pending, self.run.driver.now());
        if snapshot < now {
            let tokens = |amount: &Amount| text::tokens(*amount);
            let call = Governance::totalPowerAtCall { timestamp: snapshot.to_word() };
            let found = fit(self.ask(governance, call).await?)?;
            let expected = state.governance().total_power_on(expected, now);
            checks.push(Check::equal(AREA, subject("all power"), &expected, &found, tokens));
        }
        checks.push(Check::equal(AREA, subject("actions"), &hash, &found.actions_hash, short));
        Ok(checks)
    }

    /// The amount that Governance owes for withdrawals, by its own answers.
    async fn unclaimed(&self) -> Result<Amount> {
        let governance = self.run.set.addresses().governance;
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

/// The state of a proposal after its end; `None` if the payload never became a proposal.
const fn state_after(end: End) -> Option<ProposalState> {
    match end {
        End::Executed => Some(ProposalState::Executed),
        End::Rejected => Some(ProposalState::Rejected),
        End::Expired => Some(ProposalState::Expired),
        End::Dropped => Some(ProposalState::Dropped),
        End::NoQuorum | End::RoundExpired => None,
    }
}
