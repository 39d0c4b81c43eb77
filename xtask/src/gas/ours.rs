//! Our system, deployed from the committed artifacts.

use alloy_primitives::U256;
use alloy_sol_types::SolConstructor;
use canon_abi::{
    Asset, Contract, Governance, Issuer, Proposals, Registry, RewardDistributor, Rollup,
    UpgradePayload,
};
use eyre::Result;

use super::{
    chain::Chain,
    earlier::Package,
    payload,
    set::{self, EPOCH, Effect, M, N, Payload, PayloadKind, SLOT, Set, tokens},
};

/// Deploys the whole system: canonical rollup, 48 stakers, payloads, and another rollup with a set
/// of its own that can become canonical.
pub(super) fn deploy(chain: &Chain, configuration: Governance::Configuration) -> Result<Set> {
    let name = "ours";
    let deploy = |label: &str, code| chain.deploy(&format!("ours {label}"), code);
    let treasury = chain.account("ours treasury")?;
    let owner = treasury.address();

    let asset = Asset::constructorCall::new((
        "Canon".to_owned(),
        "CANON".to_owned(),
        owner,
        owner,
        tokens(10_000_000),
    ));
    let asset = deploy("Asset", Contract::Asset.init_code(&asset))?;
    let registry = Registry::constructorCall { initialOwner: owner };
    let registry = deploy("Registry", Contract::Registry.init_code(&registry))?;
    let proposals = |label: &str| {
        let (n, m) = (U256::from(N), U256::from(M));
        let proposals = Proposals::constructorCall { registry, n, m };
        deploy(label, Contract::Proposals.init_code(&proposals))
    };
    let present = proposals("Proposals")?;
    let governance = Governance::constructorCall {
        asset,
        proposals: present,
        configuration: configuration.clone(),
    };
    let governance = deploy("Governance", Contract::Governance.init_code(&governance))?;
    let issuer = Issuer::constructorCall { asset, rate: tokens(1), initialOwner: governance };
    let issuer = deploy("Issuer", Contract::Issuer.init_code(&issuer))?;
    let distributor = RewardDistributor::constructorCall {
        asset,
        registry_: registry,
        blockReward: tokens(5),
        initialOwner: governance,
    };
    let distributor =
        deploy("RewardDistributor", Contract::RewardDistributor.init_code(&distributor))?;
    let expect = deploy("Expect", Contract::Expect.artifact().creation_code().clone())?;
    let genesis = chain.now();
    let rollup = |exit_delay: u64| {
        let parameters = Rollup::RollupParameters {
            asset,
            registry,
            rewardDistributor: distributor,
            owner: governance,
            genesisTime: U256::from(genesis),
            slotDuration: U256::from(SLOT),
            epochDuration: U256::from(EPOCH),
            minimumStake: tokens(100),
            exitDelay: U256::from(exit_delay),
        };
        Contract::Rollup.init_code(&Rollup::constructorCall { parameters })
    };
    let exit_delay = 2 * SLOT * EPOCH;
    let canonical = deploy("Rollup", rollup(exit_delay))?;
    let new_rollup = chain.create2(&rollup(exit_delay + 1))?;

    let upgraded = Registry::InstanceAdded { instance: canonical, version: U256::from(1) };
    chain
        .send(&treasury, registry, &Registry::upgradeCall { rollup: canonical })?
        .emitted(registry, &upgraded)?;
    let offer =
        |owned, to| chain.send(&treasury, owned, &Registry::transferOwnershipCall { newOwner: to });
    offer(asset, issuer)?;
    offer(registry, governance)?;
    chain.send(&treasury, issuer, &Issuer::acceptAssetCall {})?;
    let accept = Governance::acceptOwnershipCall { target: registry };
    chain.send(&treasury, governance, &accept)?;

    let replacing = |number: u32| -> Result<Payload> {
        let next = proposals(&format!("Proposals {number}"))?;
        let call = Governance::updateGovernanceProposerCall { newGovernanceProposer: next };
        let code = payload::constant(governance, &call);
        let address = deploy(&format!("payload {number}"), code)?;
        Ok(Payload { address, emitter: governance, effect: Effect::Proposals(next) })
    };
    let upgrading = |number: u32| -> Result<Payload> {
        let code = UpgradePayload::constructorCall {
            expect,
            registry,
            newRollup: new_rollup.address(),
            expectedCanonical: canonical,
            factory: new_rollup.factory,
            salt: new_rollup.salt,
            initCodeHash: new_rollup.init_code_hash,
            uri: format!("https://example.org/azip-{number}"),
        };
        let code = Contract::UpgradePayload.init_code(&code);
        let address = deploy(&format!("upgrade payload {number}"), code)?;
        let effect = Effect::Canonical(new_rollup.address());
        Ok(Payload { address, emitter: registry, effect })
    };
    let published = Package::open()?;
    let published = |label: &str| published.payload(chain, label, registry, governance);
    let [one, all] = set::changed(&configuration);
    let changing = |label: &str, configuration: &Governance::Configuration| {
        set::changing(chain, &format!("ours {label}"), governance, configuration)
    };
    let payloads = vec![
        (PayloadKind::Published, [published("published 1")?, published("published 2")?]),
        (PayloadKind::Replacing, [replacing(1)?, replacing(2)?]),
        (PayloadKind::ChangingOne, [changing("one 1", &one)?, changing("one 2", &one)?]),
        (PayloadKind::ChangingAll, [changing("all 1", &all)?, changing("all 2", &all)?]),
        (PayloadKind::Upgrading, [upgrading(1)?, upgrading(2)?]),
    ];
    set::stake(chain, "ours, in the new rollup,", asset, new_rollup.address(), &treasury)?;
    Ok(Set {
        name,
        asset,
        rollup: canonical,
        proposals: present,
        governance,
        configuration,
        genesis,
        stakers: set::stake(chain, name, asset, canonical, &treasury)?,
        treasury,
        other_payload: replacing(0)?.address,
        payloads,
        is_ours: true,
    })
}
