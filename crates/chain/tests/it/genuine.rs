//! Examinations of genuine sets, of forgeries and of other sets.

use crate::test_chain::{TestChain, chain, client_by, create, deploy_rollup, deployed};
use alloy_json_rpc::SerializedRequest;
use alloy_primitives::{Address, B256, Log, U256, hex};
use alloy_rpc_types_eth::Log as RpcLog;
use alloy_sol_types::{SolCall, SolEvent};
use canon_abi::{Asset, Contract, Issuer, Registry, RewardDistributor, Rollup};
use canon_chain::{
    ContractCall, calls,
    deploy::{
        ConstructorEvents, ContractPlan, Create2Origin, DeployError, DeployProgress, DeployRecord,
        DeployedSet, ExamineError, FormerRollup, GenuineSet, NotGenuine, SetExaminer,
        SetParameters, SetPlan, Step,
    },
};
use canon_faults::{Answer, Faults, params};
use canon_protocol::{BlockNumber, Constructor};
use canon_views::{BlockView, SetAddresses};
use core::ops::ControlFlow;
use serde_json::{Value, json};

const fn go_on(_: &DeployRecord, _: DeployProgress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn examiner_at(chain: &TestChain, head: BlockView) -> SetExaminer<'_> {
    SetExaminer::new(&chain.client, Create2Origin::default(), BlockNumber::ZERO, head)
}

async fn examine(chain: &TestChain, registry: Address) -> Result<GenuineSet, ExamineError> {
    let head = chain.client.head().await.unwrap();
    examiner_at(chain, head).set(registry).await
}

/// The verdict of an examination that found something not genuine.
fn verdict<T: core::fmt::Debug>(outcome: Result<T, ExamineError>) -> NotGenuine {
    match outcome {
        Err(ExamineError::NotGenuine(verdict)) => verdict,
        other => panic!("{other:?}"),
    }
}

/// The number of logs that remain with [`Fault::Truncated`].
const TRUNCATED: usize = 20;

/// A fault of an endpoint.
#[derive(Clone, Copy)]
enum Fault {
    /// It returns only the first logs.
    Truncated,
    /// It omits the logs of the newest block.
    LaggingLogs,
    /// It returns this number of versions.
    Versions(U256),
}

/// The logs of an answer that satisfy `keep`, which also gets their indexes.
fn kept(logs: Value, keep: impl Fn(usize, &RpcLog) -> bool) -> Value {
    let logs: Vec<RpcLog> = serde_json::from_value(logs).unwrap();
    let kept = logs.into_iter().enumerate().filter(|(index, log)| keep(*index, log));
    json!(kept.map(|(_, log)| log).collect::<Vec<_>>())
}

/// The endpoint's answer to a request, with `newest` as the newest block.
fn answer(fault: Fault, newest: u64, request: &SerializedRequest) -> Answer {
    let asks_for_versions = || {
        let call = hex::encode_prefixed(Registry::numberOfVersionsCall::SELECTOR);
        params(request)[0]["input"] == call
    };
    match (request.method(), fault) {
        ("eth_getLogs", Fault::Truncated) => {
            Answer::Changed(Box::new(|logs| kept(logs, |index, _| index < TRUNCATED)))
        }
        ("eth_getLogs", Fault::LaggingLogs) => Answer::Changed(Box::new(move |logs| {
            kept(logs, |_, log| log.block_number.unwrap() < newest)
        })),
        ("eth_call", Fault::Versions(versions)) if asks_for_versions() => {
            Answer::Result(json!(B256::from(versions)))
        }
        _ => Answer::Node,
    }
}

/// Examines a set through an endpoint with a fault.
async fn examine_by(
    chain: &TestChain,
    registry: Address,
    fault: Fault,
) -> Result<GenuineSet, ExamineError> {
    let newest = chain.devchain.block_number();
    let faults = Faults::default();
    faults.answer(move |request| answer(fault, newest, request));
    let client = client_by(&faults, &chain.devchain).await;
    let head = client.head().await.unwrap();
    SetExaminer::new(&client, Create2Origin::default(), BlockNumber::ZERO, head).set(registry).await
}

/// Deploys up to a step, calls `act`, and deploys the rest.
pub(crate) async fn interrupted(
    last: Step,
    act: impl AsyncFnOnce(&TestChain, &SetPlan),
) -> (TestChain, DeployedSet) {
    let chain = chain().await;
    let mut record = chain.record();
    let stopped = chain
        .go_on(&mut record, |_, progress| match progress {
            DeployProgress::Finished(done) if done.step == last => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        })
        .await;
    assert!(matches!(stopped, Err(DeployError::Stopped { .. })), "{stopped:?}");
    let plan = SetPlan::new(&record.parameters, record.deployer, record.genesis.unwrap());
    act(&chain, &plan).await;
    let set = chain.go_on(&mut record, go_on).await.unwrap();
    (chain, set)
}

#[tokio::test]
async fn a_set_of_the_deployers_is_genuine() {
    let (chain, set) = deployed().await;
    let SetAddresses { registry, governance, proposals, asset, issuer, rollup, .. } =
        set.deployment;
    let expected = GenuineSet {
        registry,
        deployer: chain.accounts[0].address(),
        asset,
        issuer,
        governance,
        former_governances: Vec::new(),
        proposals,
        expect: Some(set.expect),
        rollup,
        former_rollups: Vec::new(),
    };
    assert_eq!(examine(&chain, registry).await.unwrap(), expected);
}

#[tokio::test]
async fn a_further_rollup_is_genuine_before_it_is_listed() {
    let (chain, set) = deployed().await;
    let found = examine(&chain, set.deployment.registry).await.unwrap();
    let salt = B256::with_last_byte(9);
    let origin = Create2Origin { salt, ..Create2Origin::default() };
    let parameters = SetParameters::tests().rollup;
    let distributor = set.reward_distributor;
    let created =
        deploy_rollup(&mut chain.sender(1), origin, &set.deployment, distributor, &parameters)
            .await
            .unwrap();
    let head = chain.client.head().await.unwrap();
    let both = examiner_at(&chain, head).with_origin(origin);
    let parameters = both.rollup(&found, created.address()).await.unwrap();
    assert_eq!(parameters.owner, set.deployment.governance);
    // This contract has another salt.
    let other = examiner_at(&chain, head);
    let error = verdict(other.rollup(&found, created.address()).await);
    assert!(
        matches!(error, NotGenuine::OtherAddress { contract: Contract::Rollup, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_rollup_that_was_created_otherwise_is_refused() {
    let (chain, set) = deployed().await;
    let found = examine(&chain, set.deployment.registry).await.unwrap();
    let head = chain.client.head().await.unwrap();
    let examiner = examiner_at(&chain, head);
    let parameters = examiner.rollup(&found, set.deployment.rollup).await.unwrap();
    let call = ContractCall::create(
        Contract::Rollup,
        &Rollup::constructorCall { parameters: parameters.into() },
    );
    let other = chain.send(1, call).await.unwrap().created.unwrap();
    let head = chain.client.head().await.unwrap();
    let examiner = examiner_at(&chain, head);
    let error = verdict(examiner.rollup(&found, other).await);
    let NotGenuine::OtherAddress { contract, address, expected } = error else { panic!("{error}") };
    assert_eq!((contract, address), (Contract::Rollup, other));
    assert_eq!(expected, set.deployment.rollup, "the same arguments");
    // This contract isn't a rollup.
    let error = verdict(examiner.rollup(&found, set.expect).await);
    assert!(matches!(error, NotGenuine::NoConstructorEvents { .. }), "{error}");
}

#[tokio::test]
async fn a_rollup_of_another_set_is_refused() {
    let (chain, first) = deployed().await;
    let (second, _) = chain.deploy_another().await;
    assert_eq!(first.expect, second.expect, "Expect has no arguments");
    let found = examine(&chain, first.deployment.registry).await.unwrap();
    examine(&chain, second.deployment.registry).await.unwrap();
    let head = chain.client.head().await.unwrap();
    let examiner = examiner_at(&chain, head);
    let error = verdict(examiner.rollup(&found, second.deployment.rollup).await);
    let NotGenuine::Wiring { what, expected, found, .. } = error else { panic!("{error}") };
    assert_eq!((what, expected, found), ("asset", first.deployment.asset, second.deployment.asset));
}

#[tokio::test]
async fn a_mint_before_the_handover_is_found_behind_many_transfers_of_nothing() {
    let mint = async |chain: &TestChain, plan: &SetPlan| {
        let (asset, to) = (plan.asset.address(), Address::repeat_byte(1));
        for _ in 0..TRUNCATED {
            let call = Asset::transferFromCall { from: Address::ZERO, to, amount: U256::ZERO };
            chain.send(1, ContractCall::new(asset, &call)).await.unwrap();
        }
        let call = Asset::mintCall { to, amount: U256::from(1) };
        chain.send(0, ContractCall::new(asset, &call)).await.unwrap();
    };
    let (chain, set) = interrupted(Step::Upgrade, mint).await;
    let initial = SetParameters::tests().asset.initial_supply.to_word();
    let supply = NotGenuine::Supply {
        address: set.deployment.asset,
        expected: initial,
        found: initial + U256::ONE,
    };
    assert_eq!(verdict(examine(&chain, set.deployment.registry).await), supply);
    let fault = Fault::Truncated;
    assert_eq!(verdict(examine_by(&chain, set.deployment.registry, fault).await), supply);
}

#[tokio::test]
async fn a_transfer_of_nothing_from_zero_is_no_mint() {
    let log = async |chain: &TestChain, plan: &SetPlan| {
        let to = Address::repeat_byte(1);
        let call = Asset::transferFromCall { from: Address::ZERO, to, amount: U256::ZERO };
        chain.send(1, ContractCall::new(plan.asset.address(), &call)).await.unwrap();
    };
    let (chain, set) = interrupted(Step::Upgrade, log).await;
    examine(&chain, set.deployment.registry).await.unwrap();
}

#[tokio::test]
async fn what_the_issuer_mints_is_expected() {
    let (chain, set) = deployed().await;
    let SetAddresses { registry, governance, issuer, asset, .. } = set.deployment;
    let to = Address::repeat_byte(1);
    for amount in [1, 2] {
        chain.devchain.increase_time(1_000);
        let mint = Issuer::mintCall { to, amount: U256::from(amount) };
        chain.send_as(governance, issuer, &mint).await;
    }
    examine(&chain, registry).await.unwrap();
    // The state contains both mints, but the logs lack the last one.
    let initial = SetParameters::tests().asset.initial_supply.to_word();
    let (expected, found) = (initial + U256::from(1), initial + U256::from(3));
    assert_eq!(
        verdict(examine_by(&chain, registry, Fault::LaggingLogs).await),
        NotGenuine::Supply { address: asset, expected, found }
    );
}

/// Creates another rollup, and lists it as the deployer.
pub(crate) async fn list_a_second_rollup(chain: &TestChain, plan: &SetPlan) {
    let set = SetAddresses {
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
    let sender = &mut chain.sender(1);
    let origin = Create2Origin::default();
    let second = deploy_rollup(sender, origin, &set, distributor, &parameters).await;
    chain.send(0, calls::upgrade(set.registry, second.unwrap().address())).await.unwrap();
}

#[tokio::test]
async fn a_second_rollup_before_the_handover_is_found() {
    let (chain, set) = interrupted(Step::Upgrade, list_a_second_rollup).await;
    let error = verdict(examine(&chain, set.deployment.registry).await);
    assert!(matches!(error, NotGenuine::Rollups { rollups: 2 }), "{error}");
}

#[tokio::test]
async fn what_is_not_handed_over_is_not_genuine() {
    let chain = chain().await;
    let mut record = chain.record();
    for last in [Step::Upgrade, Step::OfferRegistry, Step::AcceptAsset] {
        let _ = chain
            .go_on(&mut record, |_, progress| match progress {
                DeployProgress::Finished(done) if done.step == last => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            })
            .await;
        let registry = record.address(Step::Registry).unwrap();
        let error = verdict(examine(&chain, registry).await);
        let NotGenuine::NotHandedOver { contract, address, deployer } = error else {
            panic!("{last}: {error}")
        };
        assert_eq!(
            (contract, address, deployer),
            (Contract::Registry, registry, record.deployer),
            "{last}"
        );
    }
    chain.go_on(&mut record, go_on).await.unwrap();
    examine(&chain, record.address(Step::Registry).unwrap()).await.unwrap();
}

#[tokio::test]
async fn an_asset_that_is_not_handed_over_is_not_genuine() {
    let chain = chain().await;
    let mut record = chain.record();
    let stopped = chain
        .go_on(&mut record, |_, progress| match progress {
            DeployProgress::Finished(done) if done.step == Step::OfferRegistry => {
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        })
        .await;
    assert!(matches!(stopped, Err(DeployError::Stopped { .. })), "{stopped:?}");
    let address = |step| record.address(step).unwrap();
    let (asset, registry) = (address(Step::Asset), address(Step::Registry));
    let accept = calls::governance_accept(address(Step::Governance), registry);
    chain.send(1, accept).await.unwrap();
    let error = verdict(examine(&chain, registry).await);
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
async fn a_mint_of_another_owner_of_the_asset_is_found() {
    for mints in [false, true] {
        let hand_over = async |chain: &TestChain, plan: &SetPlan| {
            let (asset, issuer) = (plan.asset.address(), plan.issuer.address());
            let to = chain.accounts[1].address();
            chain.send(0, calls::offer_ownership(asset, to)).await.unwrap();
            let accept = ContractCall::new(asset, &Asset::acceptOwnershipCall {});
            chain.send(1, accept).await.unwrap();
            if mints {
                let mint = Asset::mintCall { to, amount: U256::from(1) };
                chain.send(1, ContractCall::new(asset, &mint)).await.unwrap();
            }
            chain.send(1, calls::offer_ownership(asset, issuer)).await.unwrap();
            chain.send(1, calls::issuer_accept(issuer, asset)).await.unwrap();
        };
        let (chain, set) = interrupted(Step::Upgrade, hand_over).await;
        let outcome = examine(&chain, set.deployment.registry).await;
        if mints {
            let verdict = verdict(outcome);
            assert!(matches!(verdict, NotGenuine::Supply { .. }), "{verdict}");
        } else {
            outcome.unwrap();
        }
    }
}

/// A set whose Governance handed only the Registry over to a new one.
struct Succession {
    chain: TestChain,
    set: DeployedSet,
    next: Address,
    /// The origin of the new Governance.
    origin: Create2Origin,
}

impl Succession {
    async fn new() -> Self {
        let (chain, set) = deployed().await;
        let SetAddresses { proposals, asset, .. } = set.deployment;
        let configuration = SetParameters::tests().governance.configuration().into();
        let constructor = Constructor::Governance { asset, proposals, configuration };
        let salt = B256::with_last_byte(5);
        let origin = Create2Origin { salt, ..Create2Origin::default() };
        let plan = ContractPlan::new(origin, constructor);
        create(&mut chain.sender(1), &plan).await.unwrap();
        let next = plan.address();
        let succession = Self { chain, set, next, origin };
        succession.hand_over(succession.set.deployment.registry).await;
        succession
    }

    async fn hand_over(&self, contract: Address) {
        let offer = Registry::transferOwnershipCall { newOwner: self.next };
        self.chain.send_as(self.set.deployment.governance, contract, &offer).await;
        self.chain.send(1, calls::governance_accept(self.next, contract)).await.unwrap();
    }

    async fn examine(&self) -> Result<GenuineSet, ExamineError> {
        let head = self.chain.client.head().await.unwrap();
        let examiner = examiner_at(&self.chain, head).with_origin(self.origin);
        examiner.set(self.set.deployment.registry).await
    }
}

#[tokio::test]
async fn contracts_in_office_belong_to_the_present_governance() {
    let succession = Succession::new().await;
    let SetAddresses { issuer, rollup, governance, .. } = succession.set.deployment;
    let distributor = succession.set.reward_distributor;
    for (contract, address) in [
        (Contract::Issuer, issuer),
        (Contract::Rollup, rollup),
        (Contract::RewardDistributor, distributor),
    ] {
        let (what, expected, found) = ("owner", succession.next, governance);
        assert_eq!(
            verdict(succession.examine().await),
            NotGenuine::Changed { contract, address, what, expected, found }
        );
        succession.hand_over(address).await;
    }
    let found = succession.examine().await.unwrap();
    assert_eq!((found.governance, found.former_governances), (succession.next, vec![governance]));
    assert_eq!(found.rollup, rollup, "its first owner is the former Governance");
}

#[tokio::test]
async fn a_new_rollup_is_of_the_present_governance() {
    let succession = Succession::new().await;
    let Succession { chain, set, next, .. } = &succession;
    let SetAddresses { issuer, rollup, governance, .. } = set.deployment;
    for contract in [issuer, rollup, set.reward_distributor] {
        succession.hand_over(contract).await;
    }
    let found = succession.examine().await.unwrap();
    let salt = B256::with_last_byte(7);
    let origin = Create2Origin { salt, ..Create2Origin::default() };
    let parameters = SetParameters::tests().rollup;
    let mut created = Vec::new();
    for owner in [governance, *next] {
        let deployment = SetAddresses { governance: owner, ..set.deployment };
        let distributor = set.reward_distributor;
        let mut sender = chain.sender(1);
        let rollup = deploy_rollup(&mut sender, origin, &deployment, distributor, &parameters);
        created.push(rollup.await.unwrap().address());
    }
    let [of_former, of_present] = created[..] else { panic!("{created:?}") };
    let examine = async |rollup| {
        let head = chain.client.head().await.unwrap();
        examiner_at(chain, head).with_origin(origin).rollup(&found, rollup).await
    };
    let refused = NotGenuine::Wiring {
        contract: Contract::Rollup,
        address: of_former,
        what: "owner",
        expected: *next,
        found: governance,
    };
    assert_eq!(verdict(examine(of_former).await), refused);
    // Anyone can make Governance accept the ownership that the former one offers.
    succession.hand_over(of_former).await;
    assert_eq!(verdict(examine(of_former).await), refused);
    assert_eq!(examine(of_present).await.unwrap().owner, *next);

    let mallory = chain.accounts[1].address();
    let offer = Registry::transferOwnershipCall { newOwner: mallory };
    chain.send_as(*next, of_present, &offer).await;
    chain.send(1, ContractCall::new(of_present, &Registry::acceptOwnershipCall {})).await.unwrap();
    assert_eq!(
        verdict(examine(of_present).await),
        NotGenuine::Changed {
            contract: Contract::Rollup,
            address: of_present,
            what: "owner",
            expected: *next,
            found: mallory,
        }
    );
}

#[tokio::test]
async fn a_distributor_asks_the_registry_of_the_set() {
    let (chain, set) = deployed().await;
    let SetAddresses { registry, governance, asset, .. } = set.deployment;
    let address = set.reward_distributor;
    let update = RewardDistributor::updateRegistryCall { newRegistry: asset };
    chain.send_as(governance, address, &update).await;
    assert_eq!(
        verdict(examine(&chain, registry).await),
        NotGenuine::Changed {
            contract: Contract::RewardDistributor,
            address,
            what: "Registry",
            expected: registry,
            found: asset,
        }
    );
}

#[tokio::test]
async fn logs_that_lag_behind_the_state_are_no_evidence() {
    let succession = Succession::new().await;
    let Succession { chain, set, next, .. } = &succession;
    let SetAddresses { registry, governance, .. } = set.deployment;
    let error = examine_by(chain, registry, Fault::LaggingLogs).await.unwrap_err();
    let ExamineError::OwnerLogs { registry: named, expected, found } = error else {
        panic!("{error}")
    };
    assert_eq!((named, expected, found), (registry, *next, governance));

    let (chain, set) = deployed().await;
    let SetAddresses { registry, governance, .. } = set.deployment;
    let upgrade = Registry::upgradeCall { rollup: rollup_without_create2(&chain, &set).await };
    chain.send_as(governance, registry, &upgrade).await;
    let error = examine_by(&chain, registry, Fault::LaggingLogs).await.unwrap_err();
    let ExamineError::VersionLogs { expected, found, .. } = error else { panic!("{error}") };
    assert_eq!((expected, found), (U256::from(3), 2), "the sentinel is the first version");
}

#[tokio::test]
async fn the_number_of_versions_bounds_no_loop() {
    let (chain, set) = deployed().await;
    let fault = Fault::Versions(U256::MAX);
    let error = examine_by(&chain, set.deployment.registry, fault).await.unwrap_err();
    let ExamineError::VersionLogs { expected, found, .. } = error else { panic!("{error}") };
    assert_eq!((expected, found), (U256::MAX, 2));
}

/// Creates a copy of the set's rollup without CREATE2, so that its address proves nothing.
pub(crate) async fn rollup_without_create2(chain: &TestChain, set: &DeployedSet) -> Address {
    let head = chain.client.head().await.unwrap();
    let examiner = examiner_at(chain, head);
    let original = examiner.contract::<Rollup::constructorCall>(set.deployment.rollup);
    let call = ContractCall::create(Contract::Rollup, &original.await.unwrap());
    chain.send(1, call).await.unwrap().created.unwrap()
}

#[tokio::test]
async fn former_rollups_that_are_not_genuine_are_reported() {
    let (chain, set) = deployed().await;
    let SetAddresses { registry, governance, rollup, .. } = set.deployment;
    let plain = rollup_without_create2(&chain, &set).await;
    let parameters = SetParameters::tests().rollup;
    let mut listed = vec![plain];
    let without_code = Address::repeat_byte(9);
    let salt = B256::with_last_byte(9);
    let origin = Create2Origin { salt, ..Create2Origin::default() };
    for distributor in [without_code, set.reward_distributor] {
        let mut sender = chain.sender(1);
        let created = deploy_rollup(&mut sender, origin, &set.deployment, distributor, &parameters);
        listed.push(created.await.unwrap().address());
    }
    let examine = async || {
        let head = chain.client.head().await.unwrap();
        examiner_at(&chain, head).with_origin(origin).set(registry).await
    };
    let no_code =
        NotGenuine::NoCode { contract: Contract::RewardDistributor, address: without_code };
    let other_address =
        NotGenuine::OtherAddress { contract: Contract::Rollup, address: plain, expected: rollup };
    // The set isn't genuine while one of these rollups is canonical.
    for (address, reason) in listed.iter().zip([Some(&other_address), Some(&no_code), None]) {
        chain.send_as(governance, registry, &Registry::upgradeCall { rollup: *address }).await;
        assert_eq!(examine().await.err().map(|error| verdict::<()>(Err(error))).as_ref(), reason);
    }
    let found = examine().await.unwrap();
    assert_eq!(found.rollup, listed[2]);
    let former = |address, verdict| FormerRollup { address, verdict };
    assert_eq!(
        found.former_rollups,
        [
            former(rollup, Ok(())),
            former(plain, Err(other_address)),
            former(listed[1], Err(no_code)),
        ]
    );
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
    // A supply without a transfer isn't by the constructor.
    let [named, deployed, _] = logs(7);
    assert!(Asset::constructorCall::from_logs(&[named, deployed]).is_none());
}
