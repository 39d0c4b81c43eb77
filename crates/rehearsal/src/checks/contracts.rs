//! Checks of the Registry, the rollups, tokens and ownership.

use std::collections::BTreeMap;

use alloy_primitives::Address;
use canon_abi::{Asset, Registry, RewardDistributor, Rollup};
use canon_chain::deploy::{Create2Origin, ExamineError, SetExaminer};
use canon_protocol::{Amount, BlockNumber, text};

use super::{Inspection, READING, check::Check, fit};
use crate::{
    error::{During, Error, Result},
    followed_set::DeployedRollup,
    scenario::{Does, End, RollupKind},
    upgrade_run::sum,
};

impl Inspection<'_, '_> {
    /// Checks of the list of rollups, and of the block since which the newest is canonical.
    pub(super) async fn registry(&self) -> Result<Vec<Check>> {
        const AREA: &str = "Registry";
        let (run, expected) = (self.run, self.expected().registry());
        let registry = run.set.addresses().registry;
        let upgrades: Vec<_> = run
            .tracks
            .iter()
            .filter(|track| {
                track.plan.does == Does::Upgrade && run.end(track) == Some(End::Executed)
            })
            .collect();
        let versions = self.ask(registry, Registry::numberOfVersionsCall {}).await?;
        let versions: u64 = versions.saturating_to();
        // Version 0 is a sentinel.
        let show = |count: &u64| text::count(count.saturating_sub(1), "rollup");
        let number = expected.number_of_versions();
        let mut checks = vec![Check::equal(AREA, "versions", &number, &versions, show)];
        let (expected, found) = (expected.rollup(), self.found.addresses.rollup);
        let name = |address: &Address| self.name(address);
        checks.push(Check::equal(AREA, "canonical", &expected, &found, name));
        let Some(last) = upgrades.last() else { return Ok(checks) };
        let snapshot = self.ask(registry, Registry::getCurrentSnapshotCall {}).await?;
        let found = BlockNumber::of(snapshot.blockNumber.saturating_to());
        let block = |block: &BlockNumber| format!("L1 block {}", text::grouped(block.get()));
        if let Some(executed) = last.executed_in {
            checks.push(Check::equal(AREA, "canonical since", &executed, &found, block));
        }
        Ok(checks)
    }

    /// Checks of each rollup's stakers, blocks and rewards.
    pub(super) async fn rollups(&self) -> Result<Vec<Check>> {
        let mut checks = Vec::new();
        let rewards = self.rewards().await?;
        for rollup in &self.run.set.rollups {
            let earned = rewards.get(&rollup.address).copied().unwrap_or_default();
            checks.extend(self.rollup(rollup, earned).await?);
        }
        if self.run.scenario.sequencers.squatted > 0 {
            checks.push(self.renamed().await?);
        }
        Ok(checks)
    }

    /// Whether the stakes whose attester was taken moved under another one.
    async fn renamed(&self) -> Result<Check> {
        let (run, old) = (self.run, &self.run.set.rollups[0]);
        let moves = run.driver.logs::<Rollup::MoveFinalised>(old.address).await.during(READING)?;
        let renamed = moves.iter().filter(|(_, moved)| moved.newAttester != moved.attester);
        let found = renamed.count() as u64;
        let expected = match run.set.canonical()? {
            0 => 0,
            _ => run.scenario.sequencers.squatted,
        };
        let number = |number: &u64| text::grouped(*number);
        let area = format!("Rollup {}", old.label);
        Ok(Check::equal(&area, "moves under another attester", &expected, &found, number))
    }

    async fn rollup(&self, rollup: &DeployedRollup, earned: Amount) -> Result<Vec<Check>> {
        let (area, address) = (format!("Rollup {}", rollup.label), rollup.address);
        let stakers = self.ask(address, Rollup::getActiveAttesterCountCall {}).await?;
        let stakers: u64 = stakers.saturating_to();
        let blocks: u64 = self.ask(address, Rollup::blockNumberCall {}).await?.saturating_to();
        let number = |number: &u64| text::grouped(*number);
        let tokens = |amount: &Amount| text::tokens(*amount);
        let paid = self.paid(address).await?;
        let genuine = |genuine: &bool| if *genuine { "genuine" } else { "forged" }.to_owned();
        let by_creation = self.is_genuine(address).await?;
        let expected = rollup.kind == RollupKind::Genuine;
        let (expected_stakers, expected_blocks) = match self.expected().rollup(address) {
            Some(rollup) => {
                let blocks = rollup.head().map_or(0, |head| head.number.get());
                (rollup.set_size_now().into(), blocks)
            }
            // The only staker is the one that a forger wrote into the storage.
            None => (1, 0),
        };
        Ok(vec![
            Check::equal(&area, "by its creation", &expected, &by_creation, genuine),
            Check::equal(&area, "stakers", &expected_stakers, &stakers, number),
            Check::equal(&area, "blocks", &expected_blocks, &blocks, number),
            Check::equal(&area, "rewards", &earned, &paid, tokens),
        ])
    }

    /// Whether a rollup's address follows from its constructor's arguments.
    async fn is_genuine(&self, rollup: Address) -> Result<bool> {
        let client = self.run.driver.client();
        let head = client.head().await.during(READING)?;
        let examiner = SetExaminer::new(client, Create2Origin::default(), BlockNumber::ZERO, head);
        match examiner.contract::<Rollup::constructorCall>(rollup).await {
            Ok(_) => Ok(true),
            Err(ExamineError::NotGenuine(_)) => Ok(false),
            Err(ExamineError::Chain(error)) => Err(error).during(READING),
            Err(error) => Err(Error::Unexpected(format!("a rollup is examined: {error}"))),
        }
    }

    /// The expected rewards of each rollup: for its blocks while it was canonical and the pool lasted.
    async fn rewards(&self) -> Result<BTreeMap<Address, Amount>> {
        let (run, mut left) = (self.run, self.run.scenario.asset.reward_pool);
        let mut blocks = Vec::new();
        for rollup in &run.set.rollups {
            let logs = run.driver.logs::<Rollup::BlockProposed>(rollup.address).await;
            let numbers = logs.during(READING)?.into_iter().map(|(block, _)| block.number);
            blocks.extend(numbers.map(|number| (number, rollup.address)));
        }
        blocks.sort_unstable();
        let mut rewards = BTreeMap::<Address, Amount>::new();
        for (number, rollup) in blocks {
            if self.canonical_in(number) == Some(rollup) {
                let reward = run.scenario.rollup.reward.min(left);
                left = left.saturating_sub(reward);
                let earned = rewards.entry(rollup).or_default();
                *earned = sum([*earned, reward]);
            }
        }
        Ok(rewards)
    }

    /// The rewards that the RewardDistributor paid for a rollup.
    async fn paid(&self, rollup: Address) -> Result<Amount> {
        let driver = &self.run.driver;
        let logs = driver
            .logs::<RewardDistributor::RewardPaid>(self.run.set.addresses().reward_distributor)
            .await;
        let paid = logs.during(READING)?;
        let paid = paid.into_iter().filter(|(_, paid)| paid.rollup == rollup);
        let amounts: Result<Vec<Amount>> = paid.map(|(_, paid)| fit(paid.amount)).collect();
        Ok(sum(amounts?))
    }

    /// Checks of the supply and of the rewards that are left.
    pub(super) async fn tokens(&self) -> Result<Vec<Check>> {
        let (run, set) = (self.run, self.run.set.addresses());
        let tokens = |amount: &Amount| text::tokens(*amount);
        let supply = fit(self.ask(set.asset, Asset::totalSupplyCall {}).await?)?;
        let earned = sum(self.rewards().await?.into_values());
        let left = run.scenario.asset.reward_pool.saturating_sub(earned);
        let found = self.balance(set.reward_distributor).await?;
        Ok(vec![
            Check::equal("Tokens", "total supply", &run.scenario.asset.supply, &supply, tokens),
            Check::equal("Tokens", "left for rewards", &left, &found, tokens),
        ])
    }

    /// Whether Governance owns every contract, and ownership isn't offered to anyone.
    pub(super) async fn ownership(&self) -> Result<Vec<Check>> {
        const AREA: &str = "Ownership";
        let set = self.run.set.addresses();
        let rollups = self.run.set.rollups.iter().map(|r| (r.address, set.governance));
        let owned = [
            (set.asset, set.issuer),
            (set.registry, set.governance),
            (set.issuer, set.governance),
            (set.reward_distributor, set.governance),
        ];
        let mut checks = Vec::new();
        for (contract, expected) in owned.into_iter().chain(rollups) {
            let owner = self.ask(contract, Registry::ownerCall {}).await?;
            let pending = self.ask(contract, Registry::pendingOwnerCall {}).await?;
            let show = |(owner, pending): &(Address, Address)| match pending.is_zero() {
                true => self.name(owner),
                false => format!("{}, offered to {}", self.name(owner), self.name(pending)),
            };
            let expected = (expected, Address::ZERO);
            let subject = format!("of {}", self.name(&contract));
            checks.push(Check::equal(AREA, subject, &expected, &(owner, pending), show));
        }
        Ok(checks)
    }
}
