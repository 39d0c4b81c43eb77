//! The deployment of the set, and the distribution, staking and locking of tokens.

use std::ops::ControlFlow;

use canon_chain::{
    calls,
    deploy::{self, DeployRecord, SetParameters, SetPlan},
};
use canon_views::{LockMethod, Order};

use super::preparation::proposals_salt;
use crate::{
    acting::AgentRef,
    chain_driver::ChainDriver,
    error::{Error, Result},
    followed_set::FollowedSet,
    participants::{Keys, Participants, ScenarioSequencer, Staking},
    progress::Reporter,
    scenario::Scenario,
    timeline::{NamedContract, Spent, TimelineEvent, Who},
    upgrade_run::{UpgradeRun, sum},
};

const ASSET_NAME: &str = "Canon Rehearsal";

/// Deploys the set and creates the participants.
pub(crate) async fn open<'a>(
    scenario: &'a Scenario,
    mut report: Reporter<'a>,
) -> Result<UpgradeRun<'a>> {
    report.update("make keys", 0, 1);
    let keys = Keys::new(scenario);
    let driver = ChainDriver::new(scenario.l1, scenario.seed, &keys.accounts(), report).await?;
    let mut participants = Participants::new(scenario, keys, driver.client())?;

    let parameters = parameters(scenario);
    let (chain_id, deployer) = (driver.client().chain_id(), participants.deployer.address());
    let mut record = DeployRecord::new(chain_id, deployer, parameters.clone());
    let checked = parameters.check().map_err(|error| Error::Unexpected(error.to_string()))?;
    let mut wait = driver.miner();
    let set =
        deploy::deploy(&mut participants.deployer, &checked, &mut record, &mut wait, |_, _| {
            ControlFlow::Continue(())
        })
        .await
        .map_err(|source| Error::Deployment(Box::new(source)))?;
    let plan = SetPlan::new(&record.parameters, deployer, scenario.l1.start);
    let salts = scenario.proposals.iter().map(|plan| proposals_salt(&plan.azip));
    let (client, create2) = (driver.client().clone(), plan.rollup.create2());
    let followed = FollowedSet::follow(client, &set, create2, salts).await?;
    let mut run = UpgradeRun::new(scenario, driver, participants, followed);
    record_deployment(&mut run, &record);
    Ok(run)
}

/// The deployer's parameters for the scenario.
fn parameters(scenario: &Scenario) -> SetParameters {
    let rollup = scenario.rollup;
    let mut parameters = SetParameters::tests();
    parameters.asset.name = ASSET_NAME.to_owned();
    parameters.asset.symbol = "CANON".to_owned();
    parameters.asset.initial_supply = scenario.asset.supply;
    parameters.asset.issued_per_second = scenario.asset.issuance;
    parameters.asset.block_reward = rollup.reward;
    parameters.signaling.n = scenario.signaling.rules.n();
    parameters.signaling.m = scenario.signaling.rules.m();
    parameters.governance = scenario.governance.into();
    parameters.rollup = rollup_parameters(scenario);
    // Slot 0 begins with the chain, so that slots begin together with L1 blocks.
    parameters.rollup.genesis = Some(scenario.l1.start);
    parameters
}

/// Parameters shared by both rollups; their genesis differs.
pub(super) const fn rollup_parameters(scenario: &Scenario) -> deploy::RollupSettings {
    let rollup = scenario.rollup;
    deploy::RollupSettings {
        genesis: None,
        slot_duration: rollup.slot,
        epoch_slots: rollup.epoch,
        minimum_stake: rollup.stake,
        exit_delay: rollup.exit_delay,
    }
}

fn record_deployment(run: &mut UpgradeRun<'_>, record: &DeployRecord) {
    let created = record.done.iter().filter_map(|done| Some((done.step.creates()?, done.address)));
    let contract = |(contract, address): (canon_abi::Contract, _)| NamedContract {
        name: contract.name(),
        address,
    };
    let contracts = created.map(contract).collect();
    let (mut creations, mut wiring) = (Spent::default(), Spent::default());
    for done in &record.done {
        let Some(receipt) = done.receipt else { continue };
        run.driver.gas.record("deployment step", receipt.gas_used);
        let spent = if done.step.creates().is_some() { &mut creations } else { &mut wiring };
        spent.add(receipt.gas_used);
    }
    run.record_event(Who::Deployer, TimelineEvent::SetDeployed { contracts }, Some(creations));
    run.record_event(Who::Anyone, TimelineEvent::OwnershipAccepted, Some(wiring));
}

/// Gives all participants the tokens that they will stake or lock.
pub(crate) async fn hand_out(run: &mut UpgradeRun<'_>) -> Result<()> {
    let UpgradeRun { driver, participants, set, scenario, .. } = run;
    let addresses = *set.addresses();
    let stake = scenario.rollup.stake;
    let rewards = scenario.asset.reward_pool;
    let stakers = participants.sequencers.iter().map(|s| (s.withdrawer.address(), stake));
    let holders = participants.holders.iter().map(|h| (h.agent.address(), h.tokens));
    let squatted = sum((0..scenario.sequencers.squatted).map(|_| stake));
    let gifts: Vec<_> =
        [(addresses.reward_distributor, rewards), (participants.squatter.address(), squatted)]
            .into_iter()
            .filter(|(_, amount)| !amount.is_zero())
            .chain(stakers)
            .chain(holders)
            .collect();
    let mut batch = driver.batch("transfer tokens", gifts.len() as u64);
    for (to, amount) in gifts {
        batch.add(&mut participants.deployer, calls::transfer(addresses.asset, to, amount)).await?;
    }
    let (spent, _) = batch.finish().await?;
    let stakes = sum(participants.sequencers.iter().map(|_| stake));
    let holders = sum(participants.holders.iter().map(|holder| holder.tokens));
    run.update().await?;
    run.record_event(
        Who::Deployer,
        TimelineEvent::TokensHandedOut { stakes, holders, rewards },
        Some(spent),
    );
    Ok(())
}

/// The sequencers that stake at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stakers {
    /// Those of the old rollup.
    Old,
    /// The pioneers.
    Pioneers,
}

impl Stakers {
    fn include(self, sequencer: &ScenarioSequencer) -> bool {
        (self == Self::Pioneers) == (sequencer.staking == Staking::Pioneer)
    }
}

/// Stakes on a rollup for a part of the sequencers.
pub(crate) async fn stake(run: &mut UpgradeRun<'_>, rollup: usize, stakers: Stakers) -> Result<()> {
    let UpgradeRun { driver, participants, set, scenario, .. } = run;
    let (asset, target) = (set.addresses().asset, set.rollups[rollup].address);
    let each = scenario.rollup.stake;
    let count = participants.sequencers.iter().filter(|s| stakers.include(s)).count() as u64;
    if count == 0 {
        return Ok(());
    }
    let mut batch = driver.batch("approve", count);
    for sequencer in participants.sequencers.iter_mut().filter(|s| stakers.include(s)) {
        let call = calls::approve(asset, target, each);
        batch.add(&mut sequencer.withdrawer, call).await?;
    }
    let (approvals, _) = batch.finish().await?;
    let mut batch = driver.batch("stake", count);
    for sequencer in participants.sequencers.iter_mut().filter(|s| stakers.include(s)) {
        let (proposer, withdrawer) = (sequencer.agent.address(), sequencer.withdrawer.address());
        let call = calls::stake(target, sequencer.attester, proposer, withdrawer, each);
        batch.add(&mut sequencer.withdrawer, call).await?;
    }
    let (spent, _) = batch.finish().await?;
    for sequencer in participants.sequencers.iter_mut().filter(|s| stakers.include(s)) {
        sequencer.agent.role.identity.rollup = target;
    }
    run.update().await?;
    let (rollup, now) = (&run.set.rollups[rollup], run.driver.now());
    let (label, first_slot) = (rollup.label, rollup.first_slot_after(now));
    let who = match stakers {
        Stakers::Pioneers => Who::Pioneers(count),
        Stakers::Old => Who::Sequencers(count),
    };
    let event = TimelineEvent::Staked { rollup: label, each, first_slot };
    run.record_event(who, event, Some(spent.and(approvals)));
    Ok(())
}

/// Makes the squatter register movers' attesters on a new rollup before they get there.
pub(crate) async fn squat(run: &mut UpgradeRun<'_>, rollup: usize) -> Result<()> {
    let UpgradeRun { driver, participants, set, scenario, .. } = run;
    let (count, each) = (scenario.sequencers.squatted, scenario.rollup.stake);
    if count == 0 {
        return Ok(());
    }
    let (asset, target) = (set.addresses().asset, set.rollups[rollup].address);
    let victims = participants.sequencers.iter().filter(|one| one.staking == Staking::Moves);
    let victims: Vec<_> = victims.map(|sequencer| sequencer.attester).collect();
    let squatter = participants.squatter.address();
    let mut batch = driver.batch("stake", count);
    let all = sum((0..count).map(|_| each));
    batch.add(&mut participants.squatter, calls::approve(asset, target, all)).await?;
    for (attester, _) in victims.into_iter().zip(0..count) {
        let call = calls::stake(target, attester, squatter, squatter, each);
        batch.add(&mut participants.squatter, call).await?;
    }
    let (spent, _) = batch.finish().await?;
    run.update().await?;
    let event =
        TimelineEvent::Squatted { rollup: run.set.rollups[rollup].label, attesters: count, each };
    run.record_event(Who::Squatter, event, Some(spent));
    Ok(())
}

/// Locks all holders' tokens with permits.
pub(crate) async fn lock(run: &mut UpgradeRun<'_>) -> Result<()> {
    for holder in &mut run.participants.holders {
        let (amount, method) = (holder.tokens, LockMethod::Permit);
        holder.order(Order::Lock { amount, method });
    }
    let all: Vec<_> = (0..run.participants.holders.len()).map(AgentRef::Holder).collect();
    let acted = run.act_all("lock with a permit", &all).await?;
    let total = sum(run.participants.holders.iter().map(|holder| holder.tokens));
    run.record_event(
        Who::Holders(all.len() as u64),
        TimelineEvent::Locked { total },
        Some(acted.spent),
    );
    Ok(())
}
