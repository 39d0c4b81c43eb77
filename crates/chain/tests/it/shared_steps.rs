//! Steps of a deployment that somebody else sends: a multisig, in any order, or a stranger, first.

use crate::test_chain::{TestChain, chain, client_by};
use alloy_primitives::{Address, TxKind};
use canon_chain::{
    ContractCall, Sender,
    audit::audit,
    deploy::{
        Create2Origin, DeployError, DeployManifest, DeployProgress, DeployRecord, SetParameters,
        SetPlan, SimulatedSteps, Step, ensure_can_be_finished, find_done, simulate_steps,
    },
};
use canon_devchain::UnsignedCall;
use canon_faults::{Answer, Faults, params};
use canon_protocol::Timestamp;
use core::ops::ControlFlow;
use serde_json::json;

const STRANGER: Address = Address::repeat_byte(0xaa);

/// A chain, the plan of a set, and its record.
async fn planned() -> (TestChain, SetPlan, DeployRecord) {
    let chain = chain().await;
    let mut record = chain.record();
    let genesis = Timestamp::of(chain.devchain.timestamp());
    record.parameters.rollup.genesis = Some(genesis);
    record.genesis = Some(genesis);
    let plan = SetPlan::new(&record.parameters, record.deployer, genesis);
    (chain, plan, record)
}

/// Executes a call as an account without a key would. Returns whether it succeeded.
fn execute(chain: &TestChain, from: Address, call: &ContractCall) -> bool {
    let TxKind::Call(to) = call.to() else { panic!("{call:?}") };
    let call = UnsignedCall { from, to: Some(to), input: call.input().clone() };
    chain.devchain.mine_unsigned(&[call]).unwrap().1[0].end.is_success()
}

/// The steps that the chain has done.
async fn done(chain: &TestChain, plan: &SetPlan, record: &DeployRecord) -> DeployRecord {
    let mut found = record.clone();
    find_done(&chain.client, plan, &mut found).await.unwrap();
    found
}

/// All steps without which a step can't be done, in order.
fn requirements(step: Step) -> Vec<Step> {
    let mut all: Vec<_> = step.requires().to_vec();
    all.extend(step.requires().iter().flat_map(|required| requirements(*required)));
    all.sort();
    all.dedup();
    all
}

#[tokio::test]
async fn a_step_needs_those_that_it_requires_and_no_other() {
    let (chain, plan, record) = planned().await;
    for step in Step::ALL {
        let required = requirements(step);
        for without in required.iter().map(|step| Some(*step)).chain([None]) {
            // The Registry can be offered before it has a rollup, but must not be.
            if (without, step) == (Some(Step::Upgrade), Step::OfferRegistry)
                || without.is_some_and(|without| !step.requires().contains(&without))
            {
                continue;
            }
            let snapshot = chain.devchain.snapshot();
            for required in required.iter().filter(|required| Some(**required) != without) {
                execute(&chain, plan.deployer, &plan.call(*required));
            }
            execute(&chain, plan.deployer, &plan.call(step));
            let is_done = done(&chain, &plan, &record).await.is_done(step);
            assert_eq!(is_done, without.is_none(), "{step} without {without:?}");
            chain.devchain.revert(snapshot).unwrap();
        }
    }
}

/// A number from 0 to below `bound`, from a seed that advances (splitmix64).
fn draw(seed: &mut u64, bound: usize) -> usize {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *seed;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(bound).unwrap()).unwrap()
}

#[tokio::test]
async fn what_is_printed_for_another_wallet_finishes_the_set_in_any_order() {
    let (chain, plan, record) = planned().await;
    for first_seed in 0..24 {
        let mut seed = first_seed;
        let snapshot = chain.devchain.snapshot();
        for round in 0.. {
            let found = done(&chain, &plan, &record).await;
            let mut printed: Vec<_> = found.steps_in_any_order().collect();
            if printed.is_empty() {
                break;
            }
            assert!(round < 14, "seed {first_seed}: {printed:?} are left");
            let simulated = simulate_steps(&chain.sender(0), &plan, &record, &printed).await;
            assert!(matches!(simulated.unwrap(), SimulatedSteps::All), "seed {first_seed}");
            while !printed.is_empty() {
                let step = printed.swap_remove(draw(&mut seed, printed.len()));
                execute(&chain, plan.deployer, &plan.call(step));
                // Anyone makes the contracts accept what they are offered.
                for step in [Step::AcceptAsset, Step::AcceptRegistry] {
                    execute(&chain, STRANGER, &plan.call(step));
                }
            }
            ensure_can_be_finished(&chain.client, &plan).await.unwrap();
        }
        let found = done(&chain, &plan, &record).await;
        assert_eq!(found.next(), None, "seed {first_seed}");
        let manifest = DeployManifest::of(&chain.client, &found).await.unwrap();
        let registry = manifest.registry().unwrap();
        let report = audit(&chain.client, registry, Some(&manifest), |_| {}).await.unwrap();
        let found: Vec<_> = report.findings.iter().filter(|one| one.source.is_none()).collect();
        assert!(found.is_empty(), "seed {first_seed}: {found:?}");
        chain.devchain.revert(snapshot).unwrap();
    }
}

/// The one order that makes a set that can't be finished isn't printed, but a wallet can send it.
#[tokio::test]
async fn a_registry_that_is_handed_over_without_a_rollup_is_recognized() {
    let (chain, plan, record) = planned().await;
    for step in
        [Step::Asset, Step::Registry, Step::Proposals, Step::Governance, Step::OfferRegistry]
    {
        assert!(execute(&chain, plan.deployer, &plan.call(step)), "{step}");
        ensure_can_be_finished(&chain.client, &plan).await.unwrap();
    }
    let found = done(&chain, &plan, &record).await;
    assert!(found.steps_in_any_order().all(|step| step != Step::AcceptRegistry));
    assert!(execute(&chain, STRANGER, &plan.call(Step::AcceptRegistry)));
    execute(&chain, plan.deployer, &plan.call(Step::Rollup));
    assert!(!execute(&chain, plan.deployer, &plan.call(Step::Upgrade)), "the way back is closed");
    let error = ensure_can_be_finished(&chain.client, &plan).await.unwrap_err();
    assert!(matches!(error, DeployError::Unfinishable { found: None, .. }), "{error}");
    assert!(error.to_string().ends_with("deploy another one with another salt"), "{error}");
    let origin = Create2Origin { salt: [1; 32].into(), ..Create2Origin::default() };
    let parameters = SetParameters { origin, ..record.parameters };
    let other = SetPlan::new(&parameters, plan.deployer, record.genesis.unwrap());
    ensure_can_be_finished(&chain.client, &other).await.unwrap();
}

#[tokio::test]
async fn a_finished_set_with_another_rollup_is_recognized() {
    let (chain, plan, record) = planned().await;
    for step in Step::ALL {
        assert!(execute(&chain, plan.deployer, &plan.call(step)), "{step}");
    }
    let other = SetPlan::new(&record.parameters, plan.deployer, Timestamp::of(5));
    let error = ensure_can_be_finished(&chain.client, &other).await.unwrap_err();
    let rollup = plan.rollup.address();
    assert!(
        matches!(error, DeployError::Unfinishable { found: Some(found), .. } if found == rollup),
        "{error}"
    );
}

#[tokio::test]
async fn the_step_that_would_fail_after_others_is_named_where_the_endpoint_can_tell() {
    let (chain, plan, record) = planned().await;
    let steps = [Step::Registry, Step::Asset, Step::Upgrade, Step::Rollup];
    let error = simulate_steps(&chain.sender(0), &plan, &record, &steps).await.unwrap_err();
    let DeployError::Step { step: Step::Upgrade, source } = &error else { panic!("{error}") };
    assert!(source.as_revert().is_some(), "{source}");
    let error = simulate_steps(&chain.sender(1), &plan, &record, &Step::ALL).await.unwrap_err();
    // Another account owns nothing.
    assert!(matches!(error, DeployError::Step { step: Step::Upgrade, .. }), "{error}");

    // One endpoint refuses to replace code, and another one ignores it.
    for refuses in [true, false] {
        let faults = Faults::default();
        faults.answer(move |request| {
            let params = params(request);
            let with_code = params.get(2).is_some_and(|overrides| !overrides.is_null());
            let with_code = request.method() == "eth_call" && with_code;
            match (with_code, refuses) {
                (false, _) => Answer::Node,
                (true, true) => {
                    Answer::Refusal(-32602, "too many arguments, want at most 2".into())
                }
                (true, false) => Answer::Result(json!("0x")),
            }
        });
        let client = client_by(&faults, &chain.devchain).await;
        let sender = Sender::new(client, chain.accounts[0].clone());
        let simulated = simulate_steps(&sender, &plan, &record, &steps).await.unwrap();
        assert!(matches!(simulated, SimulatedSteps::First(_)), "{simulated:?}");
    }
}

/// Whether a stranger can do a step.
const fn is_for_anyone(step: Step) -> bool {
    step.creates().is_some() || matches!(step, Step::AcceptAsset | Step::AcceptRegistry)
}

/// A stranger sends the same just before each transaction of the deployment.
#[tokio::test]
async fn a_deployment_goes_on_where_somebody_else_is_first() {
    let (chain, plan, mut record) = planned().await;
    let (mut outrun, mut costs) = (Vec::new(), 0);
    let progress = |_: &DeployRecord, progress: DeployProgress| {
        match progress {
            DeployProgress::Begun(step) if is_for_anyone(step) => {
                assert!(execute(&chain, STRANGER, &plan.call(step)), "{step}");
            }
            DeployProgress::Outrun { step, failed } => {
                outrun.push(step);
                let failed = failed.unwrap();
                assert!(!failed.fee.is_zero() && failed.gas_used > 21_000, "{failed:?}");
                costs += 1;
            }
            _ => {}
        }
        ControlFlow::Continue(())
    };
    chain.go_on(&mut record, progress).await.unwrap();
    let expected: Vec<_> = Step::ALL.into_iter().filter(|step| is_for_anyone(*step)).collect();
    assert_eq!((outrun, costs), (expected, 10));
    assert_eq!(chain.devchain.nonce(record.deployer), 13, "each is sent once");
    assert_eq!(record.receipts().count(), 3);
    let manifest = DeployManifest::of(&chain.client, &record).await.unwrap();
    let unknown: Vec<_> = manifest.steps.iter().filter(|step| step.receipt.is_none()).collect();
    assert!(matches!(unknown[..], [one] if one.step == Step::Expect), "{unknown:?}");
    for creation in manifest.contracts.iter().filter_map(|contract| contract.creation) {
        let sent = record.receipts().any(|own| own.transaction == creation.transaction);
        assert!(!sent, "it is the stranger's");
    }
}

#[tokio::test]
async fn a_manifest_names_the_transactions_of_others() {
    let (chain, plan, mut record) = planned().await;
    chain.go_on(&mut record, |_, _| ControlFlow::Continue(())).await.unwrap();
    let own = DeployManifest::of(&chain.client, &record).await.unwrap();
    let found = done(&chain, &plan, &DeployRecord { done: Vec::new(), ..record.clone() }).await;
    assert_eq!(found.receipts().count(), 0);
    let manifest = DeployManifest::of(&chain.client, &found).await.unwrap();
    for (step, expected) in manifest.steps.iter().zip(&own.steps) {
        match step.step {
            // Its constructor emits no event.
            Step::Expect => assert_eq!(step.receipt, None),
            _ => assert_eq!(step, expected),
        }
    }
    assert_eq!(manifest.first_block(), own.first_block());
    let text = serde_json::to_string(&manifest).unwrap();
    assert!(text.contains("\"creation\":null") && text.contains("\"receipt\":null"), "{text}");
    assert_eq!(DeployManifest::parse(&text).unwrap(), manifest);
    assert!(manifest.is_of(&record));

    let faults = Faults::default();
    faults.answer(|request| match request.method() {
        "eth_getLogs" => Answer::Refusal(-32000, "no logs here".into()),
        _ => Answer::Node,
    });
    let client = client_by(&faults, &chain.devchain).await;
    let manifest = DeployManifest::of(&client, &found).await.unwrap();
    assert!(manifest.steps.iter().all(|step| step.receipt.is_none()));
}
