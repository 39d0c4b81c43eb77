//! Checks of Proposals: rounds, winners, signals.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::Address;
use canon_abi::{Proposals, Rollup};
use canon_protocol::{BlockNumber, Epoch, Member, ProposalId, RollupBlock, WonRound, text};

use super::{
    Inspection, READING,
    check::{Check, plain},
    fit,
};
use crate::{
    error::{During, Result},
    upgrade_run::ProposalTrack,
};

const AREA: &str = "Proposals";

impl Inspection<'_, '_> {
    /// Checks of the Proposals contract in force, of won rounds and of all signals.
    pub(super) async fn proposals(&self) -> Result<Vec<Check>> {
        let expected = self.expected().governance().governance_proposer();
        let found = self.found.addresses.proposals;
        let name = |address: &Address| self.name(address);
        let mut checks = vec![Check::equal(AREA, "in force", &expected, &found, name)];
        for track in &self.run.tracks {
            if let Some(won) = self.expected().round_won_by(track.payload) {
                checks.push(self.height(track, won).await?);
                checks.extend(self.won(track, won).await?);
            }
        }
        checks.extend(self.signals().await?);
        Ok(checks)
    }

    /// Checks that the rollup had the agreed block before the first signal.
    async fn height(&self, track: &ProposalTrack, won: WonRound) -> Result<Check> {
        let driver = &self.run.driver;
        let signals = driver.logs::<Proposals::VoteCast>(won.proposals).await.during(READING)?;
        let first = signals.iter().find(|(_, vote)| vote.payload == track.payload);
        let first = first.map_or(BlockNumber::MAX, |(block, _)| block.number);
        let blocks = driver.logs::<Rollup::BlockProposed>(won.instance).await.during(READING)?;
        let before = blocks.iter().rfind(|(block, _)| block.number < first);
        let found = before.map(|(_, block)| fit(block.blockNumber)).transpose()?;
        let show = |block: &RollupBlock| format!("block {block}");
        let subject = format!("{}, first signal after", track.plan.azip);
        Ok(Check::at_least(AREA, subject, &track.height, &found.unwrap_or_default(), show))
    }

    /// Checks of a won round: its leader, its signals, and the proposal that it became.
    async fn won(&self, track: &ProposalTrack, won: WonRound) -> Result<Vec<Check>> {
        let WonRound { round, instance, proposals } = won;
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
            Check::equal(
                AREA,
                format!("round {round}, became"),
                &track.id(self.expected()),
                &became,
                show,
            ),
        ])
    }

    /// Checks that no slot has two signals, that no round has more signals than slots, and that every
    /// signal is from the member drawn for its slot, in an epoch with a seed.
    async fn signals(&self) -> Result<Vec<Check>> {
        let (run, state) = (self.run, self.expected());
        let (mut slots, mut rounds) = (BTreeSet::new(), BTreeMap::<_, u64>::new());
        let (mut signals, mut strangers, mut unseeded) = (0_u64, 0_u64, 0_u64);
        for (proposals, _) in state.all_proposals() {
            let votes = run.driver.logs::<Proposals::VoteCast>(proposals).await.during(READING)?;
            for (block, vote) in votes {
                let instance = self.canonical_in(block.number).unwrap_or_default();
                let rollup = state.rollup(instance);
                let slot = rollup.and_then(|rollup| rollup.clock().slot_at(block.timestamp));
                signals += 1;
                slots.insert((instance, slot));
                *rounds.entry((proposals, instance, vote.round)).or_default() += 1;
                let is_seeded = rollup.zip(slot).is_some_and(|(rollup, slot)| {
                    let epoch = rollup.clock().epoch_of(slot);
                    rollup.seeded_epochs().any(|seeded| seeded == epoch)
                });
                unseeded += u64::from(!is_seeded);
                let drawn = rollup.zip(slot).and_then(|(rollup, slot)| rollup.drawn(slot));
                strangers += u64::from(drawn.map(Member::proposer) != Some(vote.voter));
            }
        }
        let number = |number: &u64| text::grouped(*number);
        let mut checks = Vec::from_iter(self.silence());
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

    /// Checks that as many epochs in a row had no seed as the scenario has silent epochs, if it has any.
    fn silence(&self) -> Option<Check> {
        let expected = self.run.scenario.signaling.silent_epochs;
        if expected == 0 {
            return None;
        }
        let old = self.expected().rollup(self.run.set.rollups[0].address);
        let seeded = old.into_iter().flat_map(canon_protocol::Rollup::seeded_epochs);
        let seeded: Vec<_> = seeded.map(Epoch::get).collect();
        let gaps = seeded.windows(2).map(|two| two[1] - two[0] - 1);
        let found = gaps.max().unwrap_or_default();
        let number = |number: &u64| text::grouped(*number);
        Some(Check::equal(AREA, "epochs in a row without a seed", &expected, &found, number))
    }
}
