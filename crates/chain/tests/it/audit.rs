//! Audits of sets, some of which were tampered with.

use crate::{
    genuine::{interrupted, list_a_second_rollup, rollup_without_create2},
    test_chain::{TestChain, chain, deploy_rollup, deployed, newest_view},
};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use alloy_provider::Provider;
use canon_abi::{Asset, Contract, Governance, Registry, RewardDistributor};
use canon_chain::{
    Checks, ContractCall,
    audit::{AuditReport, Finding, audit, rollup_settings},
    calls,
    deploy::{
        Create2Origin, DeployError, DeployManifest, DeployProgress, DeployRecord, DeployedSet,
        FindingLevel, ManifestContract, ManifestMismatch, NotGenuine, SetParameters, SetPlan, Step,
        TransactionProblem, find_done,
    },
};
use canon_devchain::UnsignedCall;
use canon_payload::{Assembler, op};
use canon_protocol::{Amount, BlockNumber, Timestamp};
use canon_views::{Question, SetAddresses};
use core::{num::NonZeroU64, ops::ControlFlow};
use std::collections::BTreeSet;

async fn report(chain: &TestChain, registry: Address) -> AuditReport {
    audit(&chain.client, registry, None, |_| {}).await.unwrap()
}

/// The findings about contracts, without those about parameters.
fn of_contracts(report: &AuditReport) -> Vec<(FindingLevel, &str)> {
    let findings = report.findings.iter().filter(|finding| finding.source.is_none());
    findings.map(|finding| (finding.level, finding.id)).collect()
}

fn find<'a>(report: &'a AuditReport, id: &str) -> &'a Finding {
    let found = report.findings.iter().find(|finding| finding.id == id);
    found.unwrap_or_else(|| panic!("{id} isn't in {:#?}", report.findings))
}

/// A deployed set with its manifest.
async fn with_manifest() -> (TestChain, DeployManifest) {
    let chain = chain().await;
    let mut record = chain.record();
    let go_on = |_: &DeployRecord, _: DeployProgress| ControlFlow::Continue(());
    chain.go_on(&mut record, go_on).await.unwrap();
    let manifest = DeployManifest::of(&chain.client, &record).await.unwrap();
    (chain, manifest)
}

#[tokio::test]
async fn a_set_of_the_deployers_has_only_its_parameters_against_it() {
    let (chain, set) = deployed().await;
    let report = report(&chain, set.deployment.registry).await;
    assert_eq!(of_contracts(&report), []);
    assert_eq!(report.deployer, Some(chain.accounts[0].address()));
    // The parameters read from the chain are those that the file had.
    let mut expected = SetParameters::tests();
    expected.asset.initial_holder = Some(chain.accounts[0].address());
    expected.rollup.genesis = report.parameters.as_ref().unwrap().rollup.genesis;
    assert_eq!(report.parameters, Some(expected));
    // Errors are reported as warnings on a development chain.
    assert_eq!(report.worst(), Some(FindingLevel::Warning));
    let rules: BTreeSet<_> = report.findings.iter().map(|finding| finding.id).collect();
    assert!(rules.contains("short-epochs") && rules.contains("supply-in-one-hand"), "{rules:?}");
    let names: Vec<_> = report.contracts.iter().map(|one| one.contract).collect();
    let all = ["Registry", "Asset", "Governance", "Proposals", "Issuer", "RewardDistributor"];
    assert_eq!(names, [&all[..], &["Rollup", "Expect"]].concat());
    for contract in &report.contracts {
        assert_eq!(contract.origin, Some(Create2Origin::default()), "{contract:?}");
        assert!(contract.init_code_hash.is_some() && contract.code_hash.is_some());
    }
}

#[tokio::test]
async fn a_set_of_another_factory_and_salt_is_proven_too() {
    let chain = chain().await;
    let factory = Address::repeat_byte(0xfa);
    let code = chain.client.provider().get_code_at(canon_devchain::DEPLOYMENT_PROXY).await.unwrap();
    chain.devchain.set_code(factory, code).unwrap();
    let origin = Create2Origin { factory, salt: B256::with_last_byte(3) };
    let parameters = SetParameters { origin, ..SetParameters::tests() };
    let mut record = DeployRecord { parameters, ..chain.record() };
    let set = chain.go_on(&mut record, |_, _| ControlFlow::Continue(())).await.unwrap();
    let report = report(&chain, set.deployment.registry).await;
    assert_eq!(of_contracts(&report), []);
    assert!(report.contracts.iter().all(|one| one.origin == Some(origin)));
}

#[tokio::test]
async fn other_code_in_a_contracts_place_is_an_error() {
    let (chain, set) = deployed().await;
    let rollup = set.deployment.rollup;
    let code = chain.client.provider().get_code_at(rollup).await.unwrap();
    let mut changed = code.to_vec();
    // The last byte belongs to the code, because the contract has no metadata.
    let last = changed.len() - 1;
    changed[last] ^= 1;
    chain.devchain.set_code(rollup, Bytes::from(changed)).unwrap();
    let report = report(&chain, set.deployment.registry).await;
    assert_eq!(of_contracts(&report), [(FindingLevel::Error, "other-code")]);
    let text = &find(&report, "other-code").text;
    assert!(text.starts_with(&format!("Rollup at {rollup}: its code differs")), "{text}");
}

#[tokio::test]
async fn a_rollup_whose_address_proves_nothing_is_an_error() {
    let (chain, set) = deployed().await;
    let plain = rollup_without_create2(&chain, &set).await;
    let upgrade = Registry::upgradeCall { rollup: plain };
    chain.send_as(set.deployment.governance, set.deployment.registry, &upgrade).await;
    let report = report(&chain, set.deployment.registry).await;
    assert_eq!(of_contracts(&report), [(FindingLevel::Error, "no-proof")]);
    assert!(find(&report, "no-proof").text.contains(&plain.to_string()));
    let rollup = report.contracts.iter().find(|one| one.contract == "Rollup").unwrap();
    assert_eq!((rollup.address, rollup.origin, rollup.init_code_hash), (plain, None, None));
}

#[tokio::test]
async fn an_ownership_that_is_given_away_or_offered_is_found() {
    let (chain, set) = deployed().await;
    let (registry, rollup) = (set.deployment.registry, set.deployment.rollup);
    let mallory = chain.accounts[1].address();
    offer_rollup(&chain, &set).await;
    let offered = report(&chain, registry).await;
    assert_eq!(of_contracts(&offered), [(FindingLevel::Warning, "offered")]);
    assert!(find(&offered, "offered").text.contains(&mallory.to_string()));
    chain.send(1, ContractCall::new(rollup, &Registry::acceptOwnershipCall {})).await.unwrap();
    let taken = report(&chain, registry).await;
    assert_eq!(of_contracts(&taken), [(FindingLevel::Error, "other-owner")]);
    let rollup = taken.contracts.iter().find(|one| one.contract == "Rollup").unwrap();
    assert_eq!(rollup.owner, Some(mallory));
}

/// Mints one unit as the deployer.
async fn mint(chain: &TestChain, plan: &SetPlan) {
    let call = Asset::mintCall { to: Address::repeat_byte(1), amount: U256::from(1) };
    chain.send(0, ContractCall::new(plan.asset.address(), &call)).await.unwrap();
}

/// Removes the set's Expect, as if it had never been created.
fn remove_expect(chain: &TestChain, set: &DeployedSet) {
    chain.devchain.set_code(set.expect, Bytes::new()).unwrap();
}

/// Has Governance offer the rollup to somebody.
async fn offer_rollup(chain: &TestChain, set: &DeployedSet) {
    let offer = Registry::transferOwnershipCall { newOwner: chain.accounts[1].address() };
    chain.send_as(set.deployment.governance, set.deployment.rollup, &offer).await;
}

/// Checks that a set's audit has one verdict on the whole set, and that unrelated findings don't hide it.
async fn has_verdict(chain: &TestChain, set: &DeployedSet, says: &str) {
    let not_genuine = (FindingLevel::Error, "not-genuine");
    let (no_expect, offered) =
        ((FindingLevel::Warning, "no-expect"), (FindingLevel::Warning, "offered"));
    let check = async |expected: &[(FindingLevel, &str)]| {
        let report = report(chain, set.deployment.registry).await;
        assert_eq!(of_contracts(&report), expected, "{says}");
        let text = &find(&report, "not-genuine").text;
        assert!(text.contains(says), "{says}: {text}");
        assert_eq!(report.deployer, None, "{says}");
    };
    check(&[not_genuine]).await;
    remove_expect(chain, set);
    check(&[not_genuine, no_expect]).await;
    offer_rollup(chain, set).await;
    check(&[not_genuine, offered, no_expect]).await;
}

#[tokio::test]
async fn a_mint_before_the_handover_is_an_error() {
    let (chain, set) = interrupted(Step::Upgrade, mint).await;
    has_verdict(&chain, &set, "somebody else minted").await;
}

#[tokio::test]
async fn two_rollups_of_the_deployer_are_an_error() {
    let (chain, set) = interrupted(Step::Upgrade, list_a_second_rollup).await;
    has_verdict(&chain, &set, "expected one rollup listed by the deployer, found 2").await;
}

#[tokio::test]
async fn a_distributor_that_asks_another_registry_is_an_error() {
    let (chain, set) = deployed().await;
    let SetAddresses { governance, asset, .. } = set.deployment;
    let update = RewardDistributor::updateRegistryCall { newRegistry: asset };
    chain.send_as(governance, set.reward_distributor, &update).await;
    has_verdict(&chain, &set, &format!("is {asset}, expected {}", set.deployment.registry)).await;
}

#[tokio::test]
async fn a_rollup_of_another_registry_is_an_error() {
    let (chain, mut set) = deployed().await;
    let SetAddresses { governance, registry, asset, .. } = set.deployment;
    let other = SetAddresses { registry: asset, ..set.deployment };
    let (settings, origin) = (SetParameters::tests().rollup, Create2Origin::default());
    let mut sender = chain.sender(1);
    let distributor = set.reward_distributor;
    let rollup = deploy_rollup(&mut sender, origin, &other, distributor, &settings);
    set.deployment.rollup = rollup.await.unwrap().address();
    let rollup = set.deployment.rollup;
    chain.send_as(governance, registry, &Registry::upgradeCall { rollup }).await;
    let says = format!("{rollup} was constructed with registry {asset}, expected {registry}");
    has_verdict(&chain, &set, &says).await;
}

#[tokio::test]
async fn a_problem_of_one_contract_is_reported_once_and_hides_no_other() {
    let (chain, set) = interrupted(Step::Upgrade, mint).await;
    let SetAddresses { registry, governance, rollup, .. } = set.deployment;
    let (what, mallory) = ("owner", chain.accounts[1].address());
    offer_rollup(&chain, &set).await;
    chain.send(1, ContractCall::new(rollup, &Registry::acceptOwnershipCall {})).await.unwrap();
    let report = report(&chain, registry).await;
    assert_eq!(
        of_contracts(&report),
        [(FindingLevel::Error, "other-owner"), (FindingLevel::Error, "not-genuine")]
    );
    let (contract, expected, found) = (Contract::Rollup, governance, mallory);
    let changed = NotGenuine::Changed { contract, address: rollup, what, expected, found };
    assert_eq!(find(&report, "other-owner").text, changed.to_string());
    assert!(find(&report, "not-genuine").text.contains("somebody else minted"));
}

#[tokio::test]
async fn a_set_that_is_not_handed_over_is_an_error() {
    let chain = chain().await;
    let mut record = chain.record();
    let _ = chain
        .go_on(&mut record, |_, progress| match progress {
            DeployProgress::Finished(done) if done.step == Step::Upgrade => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        })
        .await;
    let report = report(&chain, record.address(Step::Registry).unwrap()).await;
    assert_eq!(of_contracts(&report), [(FindingLevel::Error, "not-handed-over")]);
    assert_eq!(report.deployer, Some(record.deployer));
}

#[tokio::test]
async fn what_is_no_registry_is_not_audited() {
    let (chain, set) = deployed().await;
    for address in [Address::repeat_byte(7), set.deployment.asset, set.expect] {
        let error = audit(&chain.client, address, None, |_| {}).await.unwrap_err();
        assert!(matches!(error, canon_chain::audit::AuditError::Chain(_)), "{error}");
    }
}

#[tokio::test]
async fn a_manifest_of_the_set_agrees_and_says_where_to_begin() {
    let (chain, manifest) = with_manifest().await;
    let registry = manifest.contracts[1].address;
    // The manifest is read back from its JSON, as from a file.
    let text = serde_json::to_string(&manifest).unwrap();
    let read = DeployManifest::parse(&text).unwrap();
    assert_eq!(read, manifest);
    let found = audit(&chain.client, registry, Some(&read), |_| panic!("it searches")).await;
    assert_eq!(of_contracts(&found.unwrap()), []);
    let other = text.replace("\"version\":1", "\"version\":2");
    assert!(DeployManifest::parse(&other).unwrap_err().to_string().contains("found version 2"));
}

#[tokio::test]
async fn the_manifest_of_a_chain_s_second_set_says_where_to_begin_too() {
    let (chain, first) = deployed().await;
    let (second, record) = chain.deploy_another().await;
    assert_eq!(first.expect, second.expect, "the second set doesn't create it");
    let manifest = DeployManifest::of(&chain.client, &record).await.unwrap();
    assert_eq!(manifest.contract(Contract::Expect).unwrap().creation, None);
    assert_eq!(manifest.first_block(), Some(record.done[0].receipt.unwrap().block));
    let registry = second.deployment.registry;
    let found = audit(&chain.client, registry, Some(&manifest), |_| panic!("it searches")).await;
    assert_eq!(of_contracts(&found.unwrap()), []);
}

/// A change to a manifest.
type Tampering = fn(&mut DeployManifest);

#[tokio::test]
async fn a_manifest_that_lies_is_an_error_for_each_lie() {
    let (chain, manifest) = with_manifest().await;
    let registry = manifest.contracts[1].address;
    let tamperings: [(&str, Tampering); 24] = [
        ("is of chain 1, this is chain 31337", |manifest| manifest.chain_id = 1),
        ("lacks Rollup", |manifest| drop(manifest.contracts.pop())),
        ("Asset: the manifest's address is", |manifest| {
            manifest.contracts[0].address = Address::repeat_byte(1);
        }),
        ("Asset: the manifest's salt is", |manifest| {
            manifest.contracts[0].salt = B256::repeat_byte(1);
        }),
        ("Asset: the manifest's init code hash is", |manifest| {
            manifest.contracts[0].init_code_hash = B256::ZERO;
        }),
        ("Asset: the manifest's code hash is", |manifest| {
            manifest.contracts[0].code_hash = B256::ZERO;
        }),
        ("Proposals: the manifest's arguments is", |manifest| {
            manifest.contracts[2].arguments[1].value = "5".into();
        }),
        ("Rollup: the manifest's address is", |manifest| {
            manifest.parameters.rollup.epoch_slots = 7
        }),
        ("Asset: the manifest's creation is", |manifest| manifest.contracts[0].creation = None),
        ("step \"create Asset\": the manifest's block is", |manifest| {
            manifest.steps[0].receipt.as_mut().unwrap().block = BlockNumber::ZERO;
        }),
        // Of a block that is still to come, too.
        ("step \"create Asset\": the manifest's block is", |manifest| {
            for receipt in manifest.steps.iter_mut().filter_map(|step| step.receipt.as_mut()) {
                receipt.block = BlockNumber::of(u64::MAX);
            }
        }),
        ("step \"create Asset\": the manifest's gas used is", |manifest| {
            manifest.steps[0].receipt.as_mut().unwrap().gas_used = 1;
        }),
        ("which no block of the endpoint has", |manifest| {
            manifest.steps[8].receipt.as_mut().unwrap().transaction = B256::ZERO;
        }),
        ("which doesn't have the event of this step", |manifest| {
            manifest.steps[12].receipt = manifest.steps[0].receipt;
        }),
        ("step \"Issuer accepts Asset\": the manifest's address is", |manifest| {
            manifest.steps[11].address = Address::ZERO;
        }),
        ("lacks the step \"Governance accepts Registry\"", |manifest| {
            manifest.steps.pop();
        }),
        ("lacks the step \"create Asset\"", |manifest| manifest.steps.clear()),
        ("has the step \"create Asset\" once more", |manifest| {
            manifest.steps.extend_from_within(..);
        }),
        ("the manifest has \"Treasury\" at 0x6666", |manifest| {
            let (contract, address) = ("Treasury".to_owned(), Address::repeat_byte(0x66));
            let treasury = ManifestContract { contract, address, ..manifest.contracts[0].clone() };
            manifest.contracts.push(treasury);
        }),
        ("has Registry once more, at 0x5555", |manifest| {
            let address = Address::repeat_byte(0x55);
            manifest.contracts.push(ManifestContract { address, ..manifest.contracts[1].clone() });
        }),
        ("Registry: the manifest's address is 0x5555", |manifest| {
            let address = Address::repeat_byte(0x55);
            let first = ManifestContract { address, ..manifest.contracts[1].clone() };
            manifest.contracts.insert(0, first);
        }),
        ("Proposals: the manifest's arguments is address payable EVIL", |manifest| {
            manifest.contracts[2].arguments[0].kind = "address payable EVIL".to_owned();
        }),
        // What a terminal would act on is shown as escapes.
        (
            "Proposals: the manifest's arguments is \\u{9b}31m\\u{202e}\\u{2066}\\u{200b}",
            |manifest| {
                manifest.contracts[2].arguments[0].kind =
                    "\u{9b}31m\u{202e}\u{2066}\u{200b}".to_owned();
            },
        ),
        ("AAA…, expected ", |manifest| {
            manifest.contracts[2].arguments[0].value = "A".repeat(1_000_000).into();
        }),
    ];
    for (says, tamper) in tamperings {
        let mut changed = manifest.clone();
        tamper(&mut changed);
        let found = audit(&chain.client, registry, Some(&changed), |_| {}).await.unwrap();
        assert_eq!(found.worst(), Some(FindingLevel::Error), "{says}");
        let texts: Vec<_> = found.findings.iter().map(|finding| &finding.text).collect();
        assert!(texts.iter().any(|text| text.contains(says)), "{says}: {texts:#?}");
        assert!(texts.iter().all(|text| text.chars().count() < 10_000), "{says} is too long");
    }
}

#[tokio::test]
async fn a_manifest_with_a_failed_transaction_does_not_match() {
    let (chain, mut manifest) = with_manifest().await;
    let governance = manifest.contracts[3].address;
    let next = chain.client.next_block().await.unwrap();
    let checks = Checks::AtReceipt { gas_limit: 500_000 };
    let call = calls::withdraw(governance, Address::repeat_byte(1), Amount::TOKEN);
    let failed = chain.sender(1).submit(call, checks, next).await.unwrap().hash();
    manifest.steps[8].receipt.as_mut().unwrap().transaction = failed;
    let mismatches = manifest.mismatches(&chain.client).await.unwrap();
    let expected = ManifestMismatch::Transaction {
        step: Step::Upgrade,
        transaction: failed,
        problem: TransactionProblem::Failed,
    };
    assert!(mismatches.contains(&expected), "{mismatches:#?}");
}

#[tokio::test]
async fn a_record_without_genesis_gives_no_manifest() {
    let chain = chain().await;
    let mut record = chain.record();
    let go_on = |_: &DeployRecord, _: DeployProgress| ControlFlow::Continue(());
    chain.go_on(&mut record, go_on).await.unwrap();
    record.genesis = None;
    let error = DeployManifest::of(&chain.client, &record).await.unwrap_err();
    assert!(matches!(error, DeployError::NoGenesis), "{error}");
}

#[tokio::test]
async fn a_rollup_of_longer_slots_than_a_genuine_one_has_no_settings() {
    let (chain, set) = deployed().await;
    let question = Question::default();
    let view = newest_view(&chain.client, set.deployment.registry, &question).await.unwrap();
    let mut rollup = view.canonical_rollup().unwrap().clone();
    assert!(rollup_settings(&rollup).is_some());
    rollup.clock.slot_duration = NonZeroU64::MAX;
    assert_eq!(rollup_settings(&rollup), None);
}

#[tokio::test]
async fn what_votes_changed_since_the_manifest_is_noted() {
    let (chain, manifest) = with_manifest().await;
    let address = |index: usize| manifest.contracts[index].address;
    let (registry, governance, rollup) = (address(1), address(3), address(7));
    let found = audit(&chain.client, registry, None, |_| {}).await.unwrap();
    let mut parameters = SetParameters::tests();
    parameters.governance.voting_delay = canon_protocol::Seconds::of(7200);
    let configuration = parameters.governance.configuration().into();
    let update = Governance::updateConfigurationCall { configuration };
    chain.send_as(governance, governance, &update).await;
    let deployment = SetAddresses {
        registry,
        governance,
        asset: address(0),
        proposals: address(2),
        issuer: address(4),
        rollup,
        reward_distributor: Some(address(5)),
    };
    let salt = B256::with_last_byte(9);
    let origin = Create2Origin { salt, ..Create2Origin::default() };
    let settings = parameters.rollup;
    let mut sender = chain.sender(1);
    let new = deploy_rollup(&mut sender, origin, &deployment, address(5), &settings);
    let new = new.await.unwrap().address();
    chain.send_as(governance, registry, &Registry::upgradeCall { rollup: new }).await;
    let changed = audit(&chain.client, registry, Some(&manifest), |_| {}).await.unwrap();
    assert_eq!(
        of_contracts(&changed),
        [(FindingLevel::Note, "replaced"), (FindingLevel::Note, "reconfigured")]
    );
    let delay = |report: &AuditReport| report.parameters.as_ref().unwrap().governance.voting_delay;
    assert_eq!((delay(&found).get(), delay(&changed).get()), (3600, 7200), "those in force");
}

#[tokio::test]
async fn supply_that_is_given_away_is_not_in_one_hand() {
    let (chain, set) = deployed().await;
    let in_one_hand = async || {
        let report = report(&chain, set.deployment.registry).await;
        report.findings.iter().any(|finding| finding.id == "supply-in-one-hand")
    };
    assert!(in_one_hand().await);
    let asset = set.deployment.asset;
    let half = canon_protocol::Amount::of(SetParameters::tests().asset.initial_supply.get() / 2);
    chain.send(0, calls::transfer(asset, Address::repeat_byte(1), half)).await.unwrap();
    assert!(!in_one_hand().await);
    // Locked tokens still count as the holder's.
    let one = canon_protocol::Amount::of(1);
    chain.send(0, calls::approve(asset, set.deployment.governance, half)).await.unwrap();
    let holder = chain.accounts[0].address();
    chain.send(0, calls::lock(set.deployment.governance, holder, half)).await.unwrap();
    assert!(!in_one_hand().await);
    let give = Asset::transferCall { to: holder, amount: one.to_word() };
    chain.send_as(Address::repeat_byte(1), asset, &give).await;
    assert!(in_one_hand().await);
}

/// An account without a key, with code.
const SAFE: Address = Address::repeat_byte(0x5a);

/// Code that makes all calls of its calldata: target, length and data of each.
const CALLS: &[u8] = &alloy_primitives::hex!(
    "5f5b803611600a5700005b806014013580826034015f375f5f825f5f863560601c5af16029575f5ffd5b01603401600156"
);

/// The plan and the record of a set of a Safe with a salt.
fn of_safe(chain: &TestChain) -> (SetPlan, DeployRecord) {
    let origin = Create2Origin { salt: B256::with_last_byte(7), ..Create2Origin::default() };
    let parameters = SetParameters { origin, ..SetParameters::tests() };
    let genesis = Timestamp::of(chain.devchain.timestamp());
    let record = chain.record();
    let record = DeployRecord { parameters, deployer: SAFE, genesis: Some(genesis), ..record };
    (SetPlan::new(&record.parameters, SAFE, genesis), record)
}

/// Executes a call of the Safe by a stranger.
fn execute(chain: &TestChain, input: Vec<u8>) {
    let call = UnsignedCall { from: Address::repeat_byte(1), to: Some(SAFE), input: input.into() };
    let (_, executed) = chain.devchain.mine_unsigned(&[call]).unwrap();
    assert!(executed[0].end.is_success(), "{:?}", executed[0]);
}

#[tokio::test]
async fn a_set_that_a_safe_deployed_with_a_salt_is_proven_by_its_batch() {
    let chain = chain().await;
    let (plan, _) = of_safe(&chain);
    chain.devchain.set_code(SAFE, CALLS).unwrap();
    let mut input = Vec::new();
    for call in Step::ALL.map(|step| plan.call(step)) {
        let TxKind::Call(to) = call.to() else { panic!("{call:?}") };
        input.extend(to);
        input.extend(U256::from(call.input().len()).to_be_bytes::<32>());
        input.extend(call.input());
    }
    execute(&chain, input);
    let report = report(&chain, plan.registry.address()).await;
    assert_eq!(of_contracts(&report), []);
    assert_eq!(report.deployer, Some(SAFE));
}

/// The transactions call the Safe without calldata, so that nothing on the chain shows the salt.
#[tokio::test]
async fn a_manifest_names_the_salt_that_the_chain_does_not_show() {
    let chain = chain().await;
    let (plan, mut record) = of_safe(&chain);
    for call in Step::ALL.map(|step| plan.call(step)) {
        let TxKind::Call(to) = call.to() else { panic!("{call:?}") };
        let mut code = Assembler::new();
        code.in_memory(call.input()).ops(&[op::PUSH0, op::PUSH0]);
        code.push(U256::from(call.input().len())).ops(&[op::PUSH0, op::PUSH0]);
        code.push(U256::from_be_slice(to.as_slice())).ops(&[op::GAS, op::CALL, op::ISZERO]);
        code.jump_if("failed").ops(&[op::STOP]).label("failed").fail(&[]);
        chain.devchain.set_code(SAFE, code.runtime()).unwrap();
        execute(&chain, Vec::new());
    }
    find_done(&chain.client, &plan, &mut record).await.unwrap();
    let manifest = DeployManifest::of(&chain.client, &record).await.unwrap();
    let registry = plan.registry.address();
    let without = report(&chain, registry).await;
    assert!(of_contracts(&without).contains(&(FindingLevel::Error, "no-proof")), "{without:?}");
    let with = audit(&chain.client, registry, Some(&manifest), |_| {}).await.unwrap();
    assert_eq!(of_contracts(&with), []);
    assert!(with.contracts.iter().all(|one| one.origin == Some(record.parameters.origin)));
    // A salt that isn't theirs proves nothing.
    let mut other = manifest;
    other.parameters.origin.salt = B256::ZERO;
    other.contracts.iter_mut().for_each(|contract| contract.salt = B256::ZERO);
    let with = audit(&chain.client, registry, Some(&other), |_| {}).await.unwrap();
    assert!(of_contracts(&with).contains(&(FindingLevel::Error, "no-proof")), "{with:?}");
}

#[tokio::test]
async fn all_problems_of_a_set_are_reported() {
    let (chain, set) = interrupted(Step::Upgrade, mint).await;
    let SetAddresses { governance, asset, .. } = set.deployment;
    let update = RewardDistributor::updateRegistryCall { newRegistry: asset };
    chain.send_as(governance, set.reward_distributor, &update).await;
    let report = report(&chain, set.deployment.registry).await;
    let problems = report.findings.iter().filter(|finding| finding.id == "not-genuine");
    let problems: Vec<_> = problems.map(|finding| finding.text.as_str()).collect();
    assert_eq!(problems.len(), 2, "{problems:#?}");
    assert!(problems[0].contains("somebody else minted"), "{problems:#?}");
    assert!(problems[1].starts_with("the Registry of RewardDistributor at 0x"), "{problems:#?}");
    assert_eq!(report.deployer, None);
}
