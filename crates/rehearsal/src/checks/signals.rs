//! Proposals: rounds, winners, signals.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::Address;
use canon_bindings::{Governance, Proposals};
use canon_protocol::{ProposalId, RollupBlock, Round};

use super::{
    Desk, READING,
    check::{Check, plain},
};
use crate::{
    error::{During, Result},
    text,
    world::Docket,
};

const AREA: &str = "Proposals";

impl Desk<'_, '_> {
    /// Which contract counts, and what it counted.
    pub(super) async fn proposals(&self) -> Result<Vec<Check>> {
        let set = &self.world.set;
        let found = self.ask(set.governance, Governance::governanceProposerCall {}).await?;
        let name = |address: &Address| self.name(address);
        let mut checks = vec![Check::equal(AREA, "in force", &set.proposals, &found, name)];
        for docket in &self.world.dockets {
            if let Some(first) = docket.first_signal {
                let subject = format!("{}, first signal after", docket.plan.azip);
                let show = |block: &RollupBlock| format!("block {block}");
                checks.push(Check::at_least(AREA, subject, &docket.height, &first, show));
            }
            if let Some(round) = docket.won {
                checks.extend(self.won(docket, round).await?);
            }
        }
        checks.extend(self.signals().await?);
        Ok(checks)
    }

    /// A round that was won: by whom, with how many signals, and what became of it.
    async fn won(&self, docket: &Docket, round: Round) -> Result<Vec<Check>> {
        // Signals were all counted by the first Proposals contract for the first rollup.
        let (instance, proposals) =
            (self.world.rollups[0].address, self.world.set.all_proposals[0]);
        let stage = &self.world.stage;
        let found = stage.client().round(stage.head(), proposals, instance, round).await;
        let found = found.during(READING)?;
        let needed = self.world.scenario.signalling.rules.n();
        let azip = &docket.plan.azip;
        let leader = found.leader.unwrap_or_default();
        let show = |id: &Option<ProposalId>| {
            id.map_or_else(|| "not pushed".to_owned(), |id| format!("proposal {id}"))
        };
        let expected = docket.live.as_ref().map(|live| live.id);
        Ok(vec![
            Check::equal(AREA, format!("round {round}, leader"), &docket.payload, &leader, |a| {
                if *a == docket.payload { format!("payload of {azip}") } else { self.name(a) }
            }),
            Check::at_least(AREA, format!("round {round}, signals"), &needed, &found.count, plain),
            Check::equal(AREA, format!("round {round}, became"), &expected, &found.proposal, show),
        ])
    }

    /// No slot has two signals, no round more than its slots, and each signal is its proposer's.
    async fn signals(&self) -> Result<Vec<Check>> {
        let (world, stage) = (self.world, &self.world.stage);
        let clock = world.rollups[0].clock;
        let (mut slots, mut rounds) = (BTreeSet::new(), BTreeMap::<u64, u64>::new());
        let (mut signals, mut strangers) = (0_u64, 0_u64);
        for proposals in &world.set.all_proposals {
            let logs = stage.logs::<Proposals::VoteCast>(*proposals).await.during(READING)?;
            for (time, vote) in logs {
                signals += 1;
                slots.insert(clock.slot_at(time));
                *rounds.entry(vote.round.saturating_to()).or_default() += 1;
                strangers += u64::from(world.sequencer_of(vote.voter).is_none());
            }
        }
        if signals == 0 {
            return Ok(vec![Check::equal(AREA, "signals", &0, &signals, plain)]);
        }
        let most = rounds.values().copied().max().unwrap_or_default();
        let number = |number: &u64| text::grouped(*number);
        let used = slots.len() as u64;
        let slots = u64::from(world.scenario.signalling.rules.m());
        Ok(vec![
            Check::equal(AREA, "slots with a signal", &signals, &used, number),
            Check::equal(AREA, "signals of strangers", &0, &strangers, number),
            Check::at_most(AREA, "signals in any round", &slots, &most, number),
        ])
    }
}
