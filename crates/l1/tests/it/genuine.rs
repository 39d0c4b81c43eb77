//! Forgeries and other sets, told from the genuine.

use crate::world::{World, deployed, world};
use alloy::{
    primitives::{Address, B256, Log, U256},
    sol_types::SolEvent,
};
use canon_bindings::{Asset, Contract, Registry, Rollup};
use canon_l1::{
    Call, Deployment, Head, NoWait, calls,
    deploy::{
        ConstructorEvents, ContractPlan, Create2Origin, DeployError, DeployRecord, DeployedSet,
        ExamineError, Examiner, FormerRollup, GenuineSet, NotGenuine, Progress, SetParameters,
        SetPlan, Step, create, deploy_rollup,
    },
};
use canon_protocol::{BlockNumber, Constructor};
use core::ops::ControlFlow;

const fn go_on(_: &DeployRecord, _: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn examiner_at(world: &World, head: Head) -> Examiner<'_> {
    Examiner::new(&world.client, Create2Origin::default(), BlockNumber::ZERO, head)
}

async fn examine(world: &World, registry: Address) -> Result<GenuineSet, ExamineError> {
    let head = world.client.head().await.unwrap();
    examiner_at(world, head).set(registry).await
}

/// The verdict of an examination that found something not genuine.
fn verdict<T: core::fmt::Debug>(outcome: Result<T, ExamineError>) -> NotGenuine {
    match outcome {
        Err(ExamineError::NotGenuine(verdict)) => verdict,
        other => panic!("{other:?}"),
    }
}

/// Deploys up to a step, lets the deployer do something, and deploys the rest.
async fn interrupted(last: Step, act: impl AsyncFnOnce(&World, &SetPlan)) -> (World, DeployedSet) {
    let world = world().await;
    let mut record = world.record();
    let stopped = world
        .go_on(&mut record, |_, progress| match progress {
            Progress::Finished(done) if done.step == last => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        })
        .await;
    assert!(matches!(stopped, Err(DeployError::Stopped { .. })), "{stopped:?}");
    let plan = SetPlan::new(&record.parameters, record.deployer, record.genesis.unwrap());
    act(&world, &plan).await;
    let set = world.go_on(&mut record, go_on).await.unwrap();
    (world, set)
}

#[tokio::test]
async fn a_set_of_the_deployers_is_genuine() {
    let (world, set) = deployed().await;
    let Deployment { registry, governance, proposals, asset, issuer, rollup, .. } = set.deployment;
    let expected = GenuineSet {
        registry,
        deployer: world.accounts[0].address(),
        asset,
        issuer,
        governance,
        former_governances: Vec::new(),
        proposals,
        expect: Some(set.expect),
        rollup,
        former_rollups: Vec::new(),
    };
    assert_eq!(examine(&world, registry).await.unwrap(), expected);
}

#[tokio::test]
async fn a_further_rollup_is_genuine_before_it_is_listed() {
    let (world, set) = deployed().await;
    let found = examine(&world, set.deployment.registry).await.unwrap();
    let salt = B256::with_last_byte(9);
    let origin = Create2Origin { salt, ..Create2Origin::default() };
    let parameters = SetParameters::tests().rollup;
    let distributor = set.reward_distributor;
    let created = deploy_rollup(
        &mut world.sender(1),
        origin,
        &set.deployment,
        distributor,
        &parameters,
        &mut NoWait,
    )
    .await
    .unwrap();
    let head = world.client.head().await.unwrap();
    let both = examiner_at(&world, head).with_origin(origin);
    let parameters = both.rollup(&found, created.address()).await.unwrap();
    assert_eq!(parameters.owner, set.deployment.governance);
    // With another salt.
    let other = examiner_at(&world, head);
    let error = verdict(other.rollup(&found, created.address()).await);
    assert!(
        matches!(error, NotGenuine::OtherAddress { contract: Contract::Rollup, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_rollup_that_was_created_otherwise_is_refused() {
    let (world, set) = deployed().await;
    let found = examine(&world, set.deployment.registry).await.unwrap();
    let head = world.client.head().await.unwrap();
    let examiner = examiner_at(&world, head);
    let parameters = examiner.rollup(&found, set.deployment.rollup).await.unwrap();
    let call =
        Call::create(Contract::Rollup, &Rollup::constructorCall { parameters: parameters.into() });
    let other = world.send(1, call).await.unwrap().created.unwrap();
    let head = world.client.head().await.unwrap();
    let examiner = examiner_at(&world, head);
    let error = verdict(examiner.rollup(&found, other).await);
    let NotGenuine::OtherAddress { contract, address, expected } = error else { panic!("{error}") };
    assert_eq!((contract, address), (Contract::Rollup, other));
    assert_eq!(expected, set.deployment.rollup, "the same arguments");
    // What isn't a rollup at all.
    let error = verdict(examiner.rollup(&found, set.expect).await);
    assert!(matches!(error, NotGenuine::NoConstructorEvents { .. }), "{error}");
}

#[tokio::test]
async fn a_rollup_of_another_set_is_refused() {
    let (world, first) = deployed().await;
    let mut parameters = SetParameters::tests();
    parameters.asset.name = "Another".into();
    let mut record = DeployRecord { parameters, ..world.record() };
    // Only the Registry, of which there would be one, has another owner.
    record.deployer = world.accounts[1].address();
    let checked = record.parameters.clone().check().unwrap();
    let mut sender = world.sender(1);
    let second =
        canon_l1::deploy::deploy(&mut sender, &checked, &mut record, &mut NoWait, go_on).await;
    let second = second.unwrap();
    assert_eq!(first.expect, second.expect, "Expect has no arguments");
    let found = examine(&world, first.deployment.registry).await.unwrap();
    examine(&world, second.deployment.registry).await.unwrap();
    let head = world.client.head().await.unwrap();
    let examiner = examiner_at(&world, head);
    let error = verdict(examiner.rollup(&found, second.deployment.rollup).await);
    let NotGenuine::Wiring { what, expected, found, .. } = error else { panic!("{error}") };
    assert_eq!((what, expected, found), ("asset", first.deployment.asset, second.deployment.asset));
}

#[tokio::test]
async fn a_mint_before_the_handover_is_found() {
    let mint = async |world: &World, plan: &SetPlan| {
        let to = Address::repeat_byte(1);
        let call = Asset::mintCall { to, amount: U256::from(1) };
        world.send(0, Call::new(plan.asset.address(), &call)).await.unwrap();
    };
    let (world, set) = interrupted(Step::Upgrade, mint).await;
    let error = verdict(examine(&world, set.deployment.registry).await);
    assert!(matches!(error, NotGenuine::Mints { mints: 1 }), "{error}");
}

#[tokio::test]
async fn a_transfer_of_nothing_from_zero_is_no_mint() {
    let log = async |world: &World, plan: &SetPlan| {
        let to = Address::repeat_byte(1);
        let call = Asset::transferFromCall { from: Address::ZERO, to, amount: U256::ZERO };
        world.send(1, Call::new(plan.asset.address(), &call)).await.unwrap();
    };
    let (world, set) = interrupted(Step::Upgrade, log).await;
    examine(&world, set.deployment.registry).await.unwrap();
}

#[tokio::test]
async fn a_second_rollup_before_the_handover_is_found() {
    let list = async |world: &World, plan: &SetPlan| {
        let set = Deployment {
            registry: plan.registry.address(),
            governance: plan.governance.address(),
            proposals: plan.proposals.address(),
            asset: plan.asset.address(),
            issuer: plan.issuer.address(),
            rollup: plan.rollup.address(),
            reward_distributor: None,
        };
        let distributor = plan.reward_distributor.address();
        let parameters = SetParameters::tests().rollup;
        let sender = &mut world.sender(1);
        let origin = Create2Origin::default();
        let second =
            deploy_rollup(sender, origin, &set, distributor, &parameters, &mut NoWait).await;
        world.send(0, calls::upgrade(set.registry, second.unwrap().address())).await.unwrap();
    };
    let (world, set) = interrupted(Step::Upgrade, list).await;
    let error = verdict(examine(&world, set.deployment.registry).await);
    assert!(matches!(error, NotGenuine::Rollups { rollups: 2 }), "{error}");
}

#[tokio::test]
async fn what_is_not_handed_over_is_not_genuine() {
    let world = world().await;
    let mut record = world.record();
    for last in [Step::Upgrade, Step::OfferRegistry, Step::AcceptAsset] {
        let _ = world
            .go_on(&mut record, |_, progress| match progress {
                Progress::Finished(done) if done.step == last => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            })
            .await;
        let registry = record.address(Step::Registry).unwrap();
        let error = verdict(examine(&world, registry).await);
        let NotGenuine::NotHandedOver { contract, address, deployer } = error else {
            panic!("{last}: {error}")
        };
        assert_eq!(
            (contract, address, deployer),
            (Contract::Registry, registry, record.deployer),
            "{last}"
        );
    }
    world.go_on(&mut record, go_on).await.unwrap();
    examine(&world, record.address(Step::Registry).unwrap()).await.unwrap();
}

#[tokio::test]
async fn an_asset_that_is_not_handed_over_is_not_genuine() {
    let world = world().await;
    let mut record = world.record();
    let stopped = world
        .go_on(&mut record, |_, progress| match progress {
            Progress::Finished(done) if done.step == Step::OfferRegistry => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        })
        .await;
    assert!(matches!(stopped, Err(DeployError::Stopped { .. })), "{stopped:?}");
    let address = |step| record.address(step).unwrap();
    let (asset, registry) = (address(Step::Asset), address(Step::Registry));
    let accept = calls::governance_accept(address(Step::Governance), registry);
    world.send(1, accept).await.unwrap();
    let error = verdict(examine(&world, registry).await);
    assert_eq!(
        error.to_string(),
        format!(
            "Asset at {asset} is expected to be handed over by its deployer, {}, and still belongs to \
             it; use the set once the deployment is finished",
            record.deployer
        )
    );
}

#[tokio::test]
async fn another_owner_of_the_asset_before_the_issuer_is_found() {
    let hand_over = async |world: &World, plan: &SetPlan| {
        let (asset, issuer) = (plan.asset.address(), plan.issuer.address());
        let other = world.accounts[1].address();
        world.send(0, calls::offer_ownership(asset, other)).await.unwrap();
        let accept = Call::new(asset, &Asset::acceptOwnershipCall {});
        world.send(1, accept).await.unwrap();
        world.send(1, calls::offer_ownership(asset, issuer)).await.unwrap();
        world.send(1, calls::issuer_accept(issuer, asset)).await.unwrap();
    };
    let (world, set) = interrupted(Step::Upgrade, hand_over).await;
    let error = verdict(examine(&world, set.deployment.registry).await);
    let NotGenuine::OtherFirstOwner { address, expected, found } = error else { panic!("{error}") };
    assert_eq!(
        (address, expected, found),
        (set.deployment.asset, set.deployment.issuer, world.accounts[1].address())
    );
}

#[tokio::test]
async fn a_set_remembers_its_former_governance() {
    let (world, set) = deployed().await;
    let Deployment { registry, governance, proposals, asset, .. } = set.deployment;
    let configuration = SetParameters::tests().governance.configuration().into();
    let constructor = Constructor::Governance { asset, proposals, configuration };
    let salt = B256::with_last_byte(5);
    let origin = Create2Origin { salt, ..Create2Origin::default() };
    let plan = ContractPlan::new(origin, constructor);
    let next = create(&mut world.sender(1), &plan, &mut NoWait).await.unwrap().address();
    let offer = Registry::transferOwnershipCall { newOwner: next };
    world.send_as(governance, registry, &offer).await;
    world.send(1, calls::governance_accept(next, registry)).await.unwrap();

    let head = world.client.head().await.unwrap();
    let both = examiner_at(&world, head).with_origin(origin);
    let found = both.set(registry).await.unwrap();
    assert_eq!((found.governance, found.former_governances), (next, vec![governance]));
    assert_eq!(found.rollups, [set.deployment.rollup], "its owner is the former Governance");
}

#[test]
fn a_later_mint_is_not_taken_for_the_constructor_s() {
    let asset = Address::repeat_byte(1);
    let owner = Address::repeat_byte(2);
    let logs = |initial_supply: u64| {
        let named =
            Registry::OwnershipTransferred { previousOwner: Address::ZERO, newOwner: owner };
        let deployed = Asset::AssetDeployed {
            name: "Canon".into(),
            symbol: "CANON".into(),
            initialSupply: U256::from(initial_supply),
        };
        let minted = Asset::Transfer { from: Address::ZERO, to: owner, value: U256::from(7) };
        let log = |data| Log { address: asset, data };
        [named.encode_log_data(), deployed.encode_log_data(), minted.encode_log_data()].map(log)
    };
    for (initial_supply, expected) in [(0, Address::ZERO), (7, owner)] {
        let arguments = Asset::constructorCall::from_logs(&logs(initial_supply)).unwrap();
        assert_eq!(arguments.initialHolder, expected, "initial supply {initial_supply}");
    }
    // A supply that nobody got wasn't made by the constructor.
    let [named, deployed, _] = logs(7);
    assert!(Asset::constructorCall::from_logs(&[named, deployed]).is_none());
}
