//! Properties that hold whatever happens, as far as they can be read off the chain.

use std::collections::BTreeMap;

use canon_abi::Governance;
use canon_protocol::{Amount, Tally, Timestamp, text};

use super::{Inspection, READING, check::Check, fit};
use crate::{
    error::{During, Result},
    scenario::End,
    upgrade_run::{Live, sum},
};

const AREA: &str = "Always";

impl Inspection<'_, '_> {
    /// Solvency, power, ballots, order of time.
    pub(super) async fn invariants(&self) -> Result<Vec<Check>> {
        let mut checks = self.solvency().await?;
        checks.push(self.power_adds_up(self.run.driver.now(), "all power").await?);
        for track in &self.run.tracks {
            let Some(live) = track.live.as_ref().filter(|live| live.result.is_some()) else {
                continue;
            };
            let what = format!("proposal {}, all power", live.id);
            checks.push(self.power_adds_up(live.deadlines.pending, &what).await?);
            checks.extend(self.ballots(live).await?);
        }
        checks.extend(self.times().await?);
        Ok(checks)
    }

    /// Every contract has what it owes.
    async fn solvency(&self) -> Result<Vec<Check>> {
        let (run, set) = (self.run, &self.run.set);
        let tokens = |amount: &Amount| format!("{} tokens", text::Tokens(*amount));
        let total = Governance::totalPowerAtCall { timestamp: run.driver.now().to_word() };
        let power: Amount = fit(self.ask(set.governance, total).await?)?;
        let left = run.withdrawals.iter().filter(|leave| !leave.claimed);
        let owed = sum([power, sum(left.map(|leave| leave.amount))]);
        let found = self.balance(set.governance).await?;
        let subject = "Governance has what it owes";
        let mut checks = vec![Check::at_least(AREA, subject, &owed, &found, tokens)];
        for rollup in &run.rollups {
            if rollup.forged {
                // It owes what it never got.
                continue;
            }
            let stakes = sum((0..rollup.stakers).map(|_| run.scenario.rollup.stake));
            let found = self.balance(rollup.address).await?;
            let subject = format!("rollup {} has its stakes", rollup.label);
            checks.push(Check::at_least(AREA, subject, &stakes, &found, tokens));
        }
        Ok(checks)
    }

    /// The power of all holders is the total power.
    async fn power_adds_up(&self, time: Timestamp, what: &str) -> Result<Check> {
        let (run, governance) = (self.run, self.run.set.governance);
        let (client, head) = (run.driver.client(), run.driver.head());
        let mut powers = Vec::new();
        for holder in &run.cast.holders {
            let owner = holder.sender.address();
            powers.push(client.power(head, governance, owner, time).await.during(READING)?);
        }
        let call = Governance::totalPowerAtCall { timestamp: time.to_word() };
        let total: Amount = fit(self.ask(governance, call).await?)?;
        let tokens = |amount: &Amount| format!("{} tokens", text::Tokens(*amount));
        let subject = format!("{what} is the holders'");
        Ok(Check::equal(AREA, subject, &total, &sum(powers), tokens))
    }

    /// Ballots add up to the tally, and nobody cast more than it had.
    async fn ballots(&self, live: &Live) -> Result<Vec<Check>> {
        let (run, governance) = (self.run, self.run.set.governance);
        let (client, head) = (run.driver.client(), run.driver.head());
        let found = client.proposal(head, governance, live.id).await.during(READING)?;
        let (mut yea, mut nea, mut beyond) = (Vec::new(), Vec::new(), 0_u64);
        for holder in &run.cast.holders {
            let owner = holder.sender.address();
            let cast = client.ballots(head, governance, live.id, owner).await.during(READING)?;
            let snapshot = live.deadlines.pending;
            let power = client.power(head, governance, owner, snapshot).await.during(READING)?;
            beyond += u64::from(cast.cast().is_none_or(|cast| cast > power));
            yea.push(cast.yea);
            nea.push(cast.nea);
        }
        let sums = Tally { yea: sum(yea), nea: sum(nea) };
        let show = |tally: &Tally| {
            format!("{} yes, {} no", text::Tokens(tally.yea), text::Tokens(tally.nea))
        };
        let id = live.id;
        let number = |number: &u64| text::grouped(*number);
        let subject = format!("proposal {id}, ballots add up");
        Ok(vec![
            Check::equal(AREA, subject, &found.tally, &sums, show),
            Check::equal(AREA, format!("proposal {id}, ballots beyond power"), &0, &beyond, number),
        ])
    }

    /// Nothing was executed early or late.
    async fn times(&self) -> Result<Vec<Check>> {
        let (client, mut checks) = (self.run.driver.client(), Vec::new());
        for track in &self.run.tracks {
            let (Some(live), Some(block), Some(End::Executed)) =
                (&track.live, track.executed_in, track.end)
            else {
                continue;
            };
            let executed = client.block(block.get().into()).await.during(READING)?.timestamp;
            let (first, last) = (live.deadlines.earliest_execution(), live.deadlines.executable);
            let id = live.id;
            let clock = |time: &Timestamp| text::Time(*time).beside(executed);
            let subject = format!("proposal {id}, not too early");
            checks.push(Check::at_least(AREA, subject, &first, &executed, clock));
            let subject = format!("proposal {id}, not too late");
            checks.push(Check::at_most(AREA, subject, &last, &executed, clock));
        }
        checks.extend(self.leavers().await?);
        Ok(checks)
    }

    /// Nobody who voted has its tokens before the proposal could be executed.
    async fn leavers(&self) -> Result<Vec<Check>> {
        let mut earliest = BTreeMap::<Timestamp, Timestamp>::new();
        for leave in &self.run.withdrawals {
            let Some(not_before) = leave.not_before else { continue };
            let call = Governance::getWithdrawalCall { id: leave.id.to_word() };
            let unlocks = fit(self.ask(self.run.set.governance, call).await?.unlocksAt)?;
            let first = earliest.entry(not_before).or_insert(unlocks);
            *first = unlocks.min(*first);
        }
        let check = |(not_before, unlocks)| {
            let clock = |time: &Timestamp| text::Time(*time).beside(not_before);
            Check::at_least(AREA, "voters' tokens come later", &not_before, &unlocks, clock)
        };
        Ok(earliest.into_iter().map(check).collect())
    }
}
