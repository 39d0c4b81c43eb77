//! Registry, rollups, tokens, ownership.

use alloy::primitives::Address;
use canon_bindings::{Asset, Registry, RewardDistributor, Rollup};
use canon_protocol::{Amount, BlockNumber};

use super::{Desk, READING, check::Check, fit};
use crate::{
    error::{During, Result},
    scenario::{Does, End},
    text,
    world::{RollupState, sum},
};

impl Desk<'_, '_> {
    /// Which rollups there were, and since when the newest is canonical.
    pub(super) async fn registry(&self) -> Result<Vec<Check>> {
        const AREA: &str = "Registry";
        let (world, registry) = (self.world, self.world.set.registry);
        let upgrades: Vec<_> = world
            .dockets
            .iter()
            .filter(|docket| docket.plan.does == Does::Upgrade && docket.end == Some(End::Executed))
            .collect();
        let versions = self.ask(registry, Registry::numberOfVersionsCall {}).await?;
        let versions: u64 = versions.saturating_to();
        // The sentinel, the first rollup, and one for each upgrade.
        let expected = 2 + upgrades.len() as u64;
        let show = |count: &u64| text::count(count.saturating_sub(1), "rollup");
        let mut checks = vec![Check::equal(AREA, "versions", &expected, &versions, show)];
        let found = self.ask(registry, Registry::getRollupCall {}).await?;
        let expected = world.rollups[world.canonical()].address;
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

    /// Stakers, blocks and rewards of each rollup.
    pub(super) async fn rollups(&self) -> Result<Vec<Check>> {
        let mut checks = Vec::new();
        for rollup in &self.world.rollups {
            checks.extend(self.rollup(rollup).await?);
        }
        Ok(checks)
    }

    async fn rollup(&self, rollup: &RollupState) -> Result<Vec<Check>> {
        let (area, address) = (format!("Rollup {}", rollup.label), rollup.address);
        let stakers = self.ask(address, Rollup::getActiveAttesterCountCall {}).await?;
        let stakers: u64 = stakers.saturating_to();
        let blocks: u64 = self.ask(address, Rollup::blockNumberCall {}).await?.saturating_to();
        let number = |number: &u64| text::grouped(*number);
        let tokens = |amount: &Amount| format!("{} tokens", text::tokens(*amount));
        let paid = self.paid(address).await?;
        Ok(vec![
            Check::equal(&area, "stakers", &rollup.stakers, &stakers, number),
            Check::equal(&area, "blocks", &rollup.blocks, &blocks, number),
            Check::equal(&area, "rewards", &rollup.earned, &paid, tokens),
        ])
    }

    /// All that the RewardDistributor ever paid for a rollup.
    async fn paid(&self, rollup: Address) -> Result<Amount> {
        let stage = &self.world.stage;
        let logs = stage.logs::<RewardDistributor::RewardPaid>(self.world.set.distributor).await;
        let paid = logs.during(READING)?;
        let paid = paid.into_iter().filter(|(_, paid)| paid.rollup == rollup);
        let amounts: Result<Vec<Amount>> = paid.map(|(_, paid)| fit(paid.amount)).collect();
        Ok(sum(amounts?))
    }

    /// Supply and rewards.
    pub(super) async fn tokens(&self) -> Result<Vec<Check>> {
        let (world, set) = (self.world, &self.world.set);
        let tokens = |amount: &Amount| format!("{} tokens", text::tokens(*amount));
        let supply = fit(self.ask(set.asset, Asset::totalSupplyCall {}).await?)?;
        let earned = sum(world.rollups.iter().map(|rollup| rollup.earned));
        let left = world.scenario.asset.reward_pool.saturating_sub(earned);
        let found = self.balance(set.distributor).await?;
        Ok(vec![
            Check::equal("Tokens", "total supply", &world.scenario.asset.supply, &supply, tokens),
            Check::equal("Tokens", "left for rewards", &left, &found, tokens),
        ])
    }

    /// Nobody but Governance owns anything, and nobody is about to.
    pub(super) async fn ownership(&self) -> Result<Vec<Check>> {
        const AREA: &str = "Ownership";
        let set = &self.world.set;
        let rollups = self.world.rollups.iter().map(|r| (r.address, set.governance));
        let owned = [
            (set.asset, set.issuer),
            (set.registry, set.governance),
            (set.issuer, set.governance),
            (set.distributor, set.governance),
        ];
        let mut checks = Vec::new();
        for (contract, expected) in owned.into_iter().chain(rollups) {
            let owner = self.ask(contract, Registry::ownerCall {}).await?;
            let heir = self.ask(contract, Registry::pendingOwnerCall {}).await?;
            let show = |(owner, heir): &(Address, Address)| match heir.is_zero() {
                true => self.name(owner),
                false => format!("{}, offered to {}", self.name(owner), self.name(heir)),
            };
            let expected = (expected, Address::ZERO);
            let subject = format!("of {}", self.name(&contract));
            checks.push(Check::equal(AREA, subject, &expected, &(owner, heir), show));
        }
        Ok(checks)
    }
}
