//! Proposals: rounds, winners, signals.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::Address;
use canon_abi::{Proposals, Registry, Rollup};
use canon_protocol::{Epoch, ProposalId, RollupBlock, Slot, Timestamp, text};

use super::{
    Inspection, READING,
    check::{Check, plain},
    fit,
};
use crate::{
    error::{During, Result},
    upgrade_run::{ProposalTrack, Won},
};

const AREA: &str = "Proposals";

impl Inspection<'_, '_> {
    /// Which contract counts, and what it counted.
    pub(super) async fn proposals(&self) -> Result<Vec<Check>> {
        let expected = self.expected().governance().governance_proposer();
        let found = self.found.addresses.proposals;
        let name = |address: &Address| self.name(address);
        let mut checks = vec![Check::equal(AREA, "in force", &expected, &found, name)];
        for track in &self.run.tracks {
            if let Some(won) = track.won {
                checks.push(self.height(track, won).await?);
                checks.extend(self.won(track, won).await?);
            }
        }
        checks.extend(self.signals().await?);
        Ok(checks)
    }

    /// Nobody signaled before the rollup had the block that was agreed on.
    async fn height(&self, track: &ProposalTrack, won: Won) -> Result<Check> {
        let driver = &self.run.driver;
        let signals = driver.logs::<Proposals::VoteCast>(won.proposals).await.during(READING)?;
        let first = signals.iter().find(|(_, vote)| vote.payload == track.payload);
        let first = first.map_or(Timestamp::MAX, |(time, _)| *time);
        let blocks = driver.logs::<Rollup::BlockProposed>(won.instance).await.during(READING)?;
        let before = blocks.iter().rfind(|(time, _)| *time < first);
        let found = before.map(|(_, block)| fit(block.blockNumber)).transpose()?;
        let show = |block: &RollupBlock| format!("block {block}");
        let subject = format!("{}, first signal after", track.plan.azip);
        Ok(Check::at_least(AREA, subject, &track.height, &found.unwrap_or_default(), show))
    }

    /// A round that was won: by whom, with how many signals, and what became of it.
    async fn won(&self, track: &ProposalTrack, won: Won) -> Result<Vec<Check>> {
        let Won { round, instance, proposals } = won;
        let number = round.to_word();
        let tally = self.ask(proposals, Proposals::roundsCall { instance, round: number }).await?;
        let leader = tally.leader;
        let call = Proposals::yeaCountCall { instance, round: number, payload: leader };
        let count: u32 = self.ask(proposals, call).await?.saturating_to();
        let call = Proposals::proposalOfCall { instance, round: number };
        let became = self.ask(proposals, call).await?;
        let became = became.exists.then(|| fit(became.proposalId)).transpose()?;
        let needed = self.run.scenario.signaling.rules.n();
        let azip = &track.plan.azip;
        let show = |id: &Option<ProposalId>| {
            id.map_or_else(|| "not pushed".to_owned(), |id| format!("proposal {id}"))
        };
        Ok(vec![
            Check::equal(AREA, format!("round {round}, leader"), &track.payload, &leader, |a| {
                if *a == track.payload { format!("payload of {azip}") } else { self.name(a) }
            }),
            Check::at_least(AREA, format!("round {round}, signals"), &needed, &count, plain),
            Check::equal(AREA, format!("round {round}, became"), &track.id, &became, show),
        ])
    }

    /// No slot has two signals, no round more than its slots, and every signal is of the slot's
    /// proposer: of whoever the rollup took the slot's block from.
    async fn signals(&self) -> Result<Vec<Check>> {
        let (run, driver) = (self.run, &self.run.driver);
        let canonical = driver.logs::<Registry::InstanceAdded>(run.set.addresses().registry).await;
        let canonical = canonical.during(READING)?;
        let blocks = self.proposers().await?;
        let (mut slots, mut rounds) = (BTreeSet::new(), BTreeMap::<_, u64>::new());
        let (mut signals, mut strangers, mut unseeded) = (0_u64, 0_u64, 0_u64);
        let seeds = self.seeds().await?;
        for (proposals, _) in self.expected().all_proposals() {
            for (time, vote) in
                driver.logs::<Proposals::VoteCast>(proposals).await.during(READING)?
            {
                let counted = canonical.iter().rfind(|(since, _)| *since <= time);
                let instance = counted.map(|(_, added)| added.instance).unwrap_or_default();
                let rollup = run.set.rollups.iter().find(|rollup| rollup.address == instance);
                let slot = rollup.and_then(|rollup| rollup.clock.slot_at(time));
                signals += 1;
                slots.insert((instance, slot));
                *rounds.entry((*proposals, instance, vote.round)).or_default() += 1;
                let epoch = rollup.zip(slot).map(|(rollup, slot)| rollup.clock.epoch_of(slot));
                unseeded +=
                    u64::from(!epoch.is_some_and(|epoch| seeds.contains(&(instance, epoch))));
                let proposer = slot.and_then(|slot| blocks.get(&(instance, slot)));
                strangers += u64::from(proposer != Some(&vote.voter));
            }
        }
        let number = |number: &u64| text::grouped(*number);
        let mut checks = self.silence().await?;
        if signals == 0 {
            checks.push(Check::equal(AREA, "signals", &0, &signals, number));
            return Ok(checks);
        }
        let most = rounds.values().copied().max().unwrap_or_default();
        let used = slots.len() as u64;
        let slots = u64::from(run.scenario.signaling.rules.m());
        checks.extend([
            Check::equal(AREA, "slots with a signal", &signals, &used, number),
            Check::equal(AREA, "signals of strangers", &0, &strangers, number),
            Check::equal(AREA, "signals without a seed", &0, &unseeded, number),
            Check::at_most(AREA, "signals in any round", &slots, &most, number),
        ]);
        Ok(checks)
    }

    /// If the scenario has a silence: so many epochs in a row had no seed.
    async fn silence(&self) -> Result<Vec<Check>> {
        let expected = self.run.scenario.signaling.silent_epochs;
        if expected == 0 {
            return Ok(Vec::new());
        }
        let old = self.run.set.rollups[0].address;
        let seeds = self.seeds().await?;
        let epochs: Vec<_> = seeds
            .iter()
            .filter(|(rollup, _)| *rollup == old)
            .map(|(_, epoch)| epoch.get())
            .collect();
        let gaps = epochs.windows(2).map(|two| two[1] - two[0] - 1);
        let found = gaps.max().unwrap_or_default();
        let number = |number: &u64| text::grouped(*number);
        Ok(vec![Check::equal(AREA, "epochs in a row without a seed", &expected, &found, number)])
    }

    /// The epochs of each rollup whose seeds were recorded.
    async fn seeds(&self) -> Result<BTreeSet<(Address, Epoch)>> {
        let mut seeds = BTreeSet::new();
        for rollup in &self.run.set.rollups {
            let logs = self.run.driver.logs::<Rollup::SeedRecorded>(rollup.address).await;
            for (_, seed) in logs.during(READING)? {
                seeds.insert((rollup.address, fit(seed.epoch)?));
            }
        }
        Ok(seeds)
    }

    /// Who proposed the block of each slot of each rollup.
    async fn proposers(&self) -> Result<BTreeMap<(Address, Slot), Address>> {
        let mut proposers = BTreeMap::new();
        for rollup in &self.run.set.rollups {
            let logs = self.run.driver.logs::<Rollup::BlockProposed>(rollup.address).await;
            for (_, block) in logs.during(READING)? {
                proposers.insert((rollup.address, fit(block.slot)?), block.proposer);
            }
        }
        Ok(proposers)
    }
}
