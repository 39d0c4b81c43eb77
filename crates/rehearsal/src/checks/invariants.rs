//! Checks of invariants that can be read from the chain.

use std::collections::BTreeMap;

use alloy_primitives::{Address, U256};
use canon_abi::Governance;
use canon_follow::{EveryViewError, check_every_view};
use canon_protocol::{Amount, Member, Proposal, ProposalId, Tally, Timestamp, text};
use canon_views::ProposalView;

use super::{Inspection, READING, check::Check, fit};
use crate::{
    error::{During, Error, Result},
    scenario::End,
    upgrade_run::sum,
};

const AREA: &str = "Always";

impl Inspection<'_, '_> {
    /// Checks of solvency, power, ballots and times.
    pub(super) async fn invariants(&self) -> Result<Vec<Check>> {
        let mut checks = self.solvency().await?;
        checks.push(self.power_adds_up(self.run.driver.now(), "all power").await?);
        for (id, proposal) in self.proposed() {
            let snapshot = proposal.deadlines().pending;
            if snapshot < self.run.driver.now() {
                let what = format!("proposal {id}, all power");
                checks.push(self.power_adds_up(snapshot, &what).await?);
                checks.extend(self.ballots(id, proposal).await?);
            }
        }
        checks.extend(self.times().await?);
        checks.push(self.views().await?);
        Ok(checks)
    }

    /// The proposals of the scenario that were made.
    fn proposed(&self) -> impl Iterator<Item = (ProposalId, &Proposal)> {
        let ids = self.run.tracks.iter().filter_map(|track| track.id(self.expected()));
        ids.filter_map(|id| self.expected().governance().proposal(id.to_word()).ok())
    }

    /// Checks that every view of every contract gives the answer that follows from the events.
    async fn views(&self) -> Result<Check> {
        let (client, state) = (self.run.driver.client(), self.expected());
        let block = self.run.set.block();
        let block = block.ok_or_else(|| Error::Unexpected("nothing was followed".to_owned()))?;
        let found = match check_every_view(client, state, &block).await {
            Ok(_) => "as the events say".to_owned(),
            Err(EveryViewError::Chain(error)) => return Err(error).during(READING),
            Err(error) => error.to_string(),
        };
        let expected = "as the events say".to_owned();
        Ok(Check::equal(AREA, "answers of all contracts", &expected, &found, String::clone))
    }

    /// Checks that every contract holds at least what it owes.
    async fn solvency(&self) -> Result<Vec<Check>> {
        let (run, set) = (self.run, self.run.set.addresses());
        let tokens = |amount: &Amount| text::tokens(*amount);
        let total = Governance::totalPowerAtCall { timestamp: run.driver.now().to_word() };
        let power: Amount = fit(self.ask(set.governance, total).await?)?;
        let owed = sum([power, self.owed()]);
        let found = self.balance(set.governance).await?;
        let subject = "Governance has what it owes";
        let mut checks = vec![Check::at_least(AREA, subject, &owed, &found, tokens)];
        for rollup in &run.set.rollups {
            // A forged rollup reports stakes that it never received.
            let Some(state) = self.expected().rollup(rollup.address) else { continue };
            let stakes = sum(state.registrations().iter().map(Member::stake));
            let found = self.balance(rollup.address).await?;
            let subject = format!("rollup {} has its stakes", rollup.label);
            checks.push(Check::at_least(AREA, subject, &stakes, &found, tokens));
        }
        Ok(checks)
    }

    /// Checks that the holders' power adds up to the total power.
    async fn power_adds_up(&self, time: Timestamp, what: &str) -> Result<Check> {
        let governance = self.run.set.addresses().governance;
        let mut powers = Vec::new();
        for holder in &self.run.participants.holders {
            powers.push(self.power(holder.agent.address(), time).await?);
        }
        let call = Governance::totalPowerAtCall { timestamp: time.to_word() };
        let total: Amount = fit(self.ask(governance, call).await?)?;
        let tokens = |amount: &Amount| text::tokens(*amount);
        let subject = format!("{what} is the holders'");
        Ok(Check::equal(AREA, subject, &total, &sum(powers), tokens))
    }

    async fn power(&self, owner: Address, time: Timestamp) -> Result<Amount> {
        let call = Governance::powerAtCall { owner, timestamp: time.to_word() };
        fit(self.ask(self.run.set.addresses().governance, call).await?)
    }

    /// Checks that ballots add up to the tally, and that no holder cast more than its power.
    async fn ballots(&self, id: ProposalId, proposal: &Proposal) -> Result<Vec<Check>> {
        let governance = self.run.set.addresses().governance;
        let found = self.found.proposal(id).map(|found| found.tally).unwrap_or_default();
        let (mut yea, mut nea, mut beyond) = (Vec::new(), Vec::new(), 0_u64);
        for holder in &self.run.participants.holders {
            let user = holder.agent.address();
            let call = Governance::ballotsCall { id: id.to_word(), user };
            let cast = self.ask(governance, call).await?;
            let cast = Tally { yea: fit(cast.yea)?, nea: fit(cast.nea)? };
            let power = self.power(user, proposal.deadlines().pending).await?;
            beyond += u64::from(cast.cast().is_none_or(|cast| cast > power));
            yea.push(cast.yea);
            nea.push(cast.nea);
        }
        let sums = Tally { yea: sum(yea), nea: sum(nea) };
        let show = |tally: &Tally| {
            format!("{} for, {} against", text::Tokens(tally.yea), text::Tokens(tally.nea))
        };
        let number = |number: &u64| text::grouped(*number);
        let subject = format!("proposal {id}, ballots add up");
        Ok(vec![
            Check::equal(AREA, subject, &found, &sums, show),
            Check::equal(AREA, format!("proposal {id}, ballots beyond power"), &0, &beyond, number),
        ])
    }

    /// Checks that every execution was in time.
    async fn times(&self) -> Result<Vec<Check>> {
        let (client, mut checks) = (self.run.driver.client(), Vec::new());
        for track in &self.run.tracks {
            let (Some(id), Some(block), Some(End::Executed)) =
                (track.id(self.expected()), track.executed_in, self.run.end(track))
            else {
                continue;
            };
            let deadlines = self.found.proposal(id).map(ProposalView::deadlines);
            let deadlines =
                deadlines.ok_or_else(|| Error::Unexpected(format!("no proposal {id}")))?;
            let executed = client.block(block.get().into()).await.during(READING)?.timestamp;
            let (first, last) = (deadlines.earliest_execution(), deadlines.executable);
            let clock = |time: &Timestamp| text::Time(*time).beside(executed);
            let subject = format!("proposal {id}, not too early");
            checks.push(Check::at_least(AREA, subject, &first, &executed, clock));
            let subject = format!("proposal {id}, not too late");
            checks.push(Check::at_most(AREA, subject, &last, &executed, clock));
        }
        checks.extend(self.leavers().await?);
        Ok(checks)
    }

    /// Checks that the tokens of voters that left unlock after the proposal could be executed.
    async fn leavers(&self) -> Result<Vec<Check>> {
        let mut earliest = BTreeMap::<Timestamp, Timestamp>::new();
        let governance = self.run.set.addresses().governance;
        for track in self.run.tracks.iter().filter(|track| !track.left.is_empty()) {
            let found = track.id(self.expected()).and_then(|id| self.found.proposal(id));
            let Some(found) = found else { continue };
            for id in track.left.clone() {
                let call = Governance::getWithdrawalCall { id: U256::from(id) };
                let unlocks = fit(self.ask(governance, call).await?.unlocksAt)?;
                let first =
                    earliest.entry(found.deadlines().earliest_execution()).or_insert(unlocks);
                *first = unlocks.min(*first);
            }
        }
        let check = |(not_before, unlocks)| {
            let clock = |time: &Timestamp| text::Time(*time).beside(not_before);
            Check::at_least(
                AREA,
                "voters' tokens unlock after execution",
                &not_before,
                &unlocks,
                clock,
            )
        };
        Ok(earliest.into_iter().map(check).collect())
    }
}
