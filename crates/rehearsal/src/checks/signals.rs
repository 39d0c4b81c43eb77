//! Checks of Proposals: rounds, winners, signals.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, U256};
use canon_abi::{Proposals, Rollup};
use canon_protocol::{Epoch, Member, ProposalId, RollupBlock, SetState, Slot, WonRound, text};

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
        let blocks = driver.logs::<Rollup::BlockProposed>(won.instance).await.during(READING)?;
        let before = first
            .and_then(|(first, _)| blocks.iter().rfind(|(block, _)| block.number < first.number));
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

    /// Checks that the signals are those of the folded rounds, that no slot has two of them, that no round has
    /// more of them than slots, and that each is from the member drawn for its slot, in an epoch with a seed.
    async fn signals(&self) -> Result<Vec<Check>> {
        let (run, state) = (self.run, self.expected());
        let mut found = ObservedSignals::default();
        for (proposals, _) in state.all_proposals() {
            let votes = run.driver.logs::<Proposals::VoteCast>(proposals).await.during(READING)?;
            for (block, vote) in votes {
                let instance = self.canonical_in(block.number).unwrap_or_default();
                let rollup = state.rollup(instance);
                let slot = rollup.and_then(|rollup| rollup.clock().slot_at(block.timestamp));
                found.total += 1;
                found.slots.insert((instance, slot));
                *found.rounds.entry((proposals, instance, vote.round)).or_default() += 1;
                let is_seeded = rollup.zip(slot).is_some_and(|(rollup, slot)| {
                    let epoch = rollup.clock().epoch_of(slot);
                    rollup.seeded_epochs().any(|seeded| seeded == epoch)
                });
                found.unseeded += u64::from(!is_seeded);
                let drawn = rollup.zip(slot).and_then(|(rollup, slot)| rollup.drawn(slot));
                found.of_strangers += u64::from(drawn.map(Member::proposer) != Some(vote.voter));
            }
        }
        let slots = run.scenario.signaling.rules.m().into();
        Ok(self.silence().into_iter().chain(found.checks(folded_signals(state), slots)).collect())
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

/// The signals in the logs of all Proposals contracts.
#[derive(Debug, Default)]
struct ObservedSignals {
    total: u64,
    /// The slots with a signal, by rollup; `None` for a time before the first slot, or of another contract.
    slots: BTreeSet<(Address, Option<Slot>)>,
    /// The number of signals by Proposals contract, rollup and round.
    rounds: BTreeMap<(Address, Address, U256), u64>,
    /// The number of signals by accounts that weren't drawn for the slot.
    of_strangers: u64,
    /// The number of signals in epochs without a seed.
    unseeded: u64,
}

impl ObservedSignals {
    /// The checks of the signals. `expected` is their number, and `slots` is the number of slots in a round.
    fn checks(&self, expected: u64, slots: u64) -> [Check; 5] {
        let number = |number: &u64| text::grouped(*number);
        let most = self.rounds.values().copied().max().unwrap_or_default();
        let used = self.slots.len() as u64;
        [
            Check::equal(AREA, "signals", &expected, &self.total, number),
            Check::equal(AREA, "slots with a signal", &expected, &used, number),
            Check::equal(AREA, "signals of strangers", &0, &self.of_strangers, number),
            Check::equal(AREA, "signals without a seed", &0, &self.unseeded, number),
            Check::at_most(AREA, "signals in any round", &slots, &most, number),
        ]
    }
}

/// The number of signals in all rounds of all Proposals contracts.
fn folded_signals(state: &SetState) -> u64 {
    let rounds = state.all_proposals().flat_map(|(_, proposals)| {
        proposals.instances().flat_map(|instance| proposals.rounds(instance))
    });
    rounds.flat_map(|(_, tally)| tally.payloads.values()).map(|pin| u64::from(pin.count)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The subjects of the checks that fail for `found`, when 2 signals and rounds of 2 slots are expected.
    fn failed(found: &ObservedSignals) -> Vec<String> {
        let failed = found.checks(2, 2).into_iter().filter(|check| !check.holds);
        failed.map(|check| check.subject).collect()
    }

    /// Signals of one round, one for each of these slots.
    fn observed(slots: impl IntoIterator<Item = u64>) -> ObservedSignals {
        let mut found = ObservedSignals::default();
        for slot in slots {
            found.total += 1;
            found.slots.insert((Address::ZERO, Some(Slot::of(slot))));
            *found.rounds.entry((Address::ZERO, Address::ZERO, U256::ZERO)).or_default() += 1;
        }
        found
    }

    #[test]
    fn signals_are_those_of_the_folded_rounds() {
        assert_eq!(failed(&observed([4, 5])), [""; 0]);
        // An endpoint without logs.
        assert_eq!(failed(&observed([])), ["signals", "slots with a signal"]);
        assert_eq!(failed(&observed([4])), ["signals", "slots with a signal"]);
        assert_eq!(failed(&observed([4, 4])), ["slots with a signal"]);
        let three = ["signals", "slots with a signal", "signals in any round"];
        assert_eq!(failed(&observed([4, 5, 6])), three);
        let strange = ObservedSignals { of_strangers: 1, unseeded: 1, ..observed([4, 5]) };
        assert_eq!(failed(&strange), ["signals of strangers", "signals without a seed"]);
    }
}
