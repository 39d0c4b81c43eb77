//! The findings of `canon audit` about contracts, in each of its formats.

use std::{fs, ops::ControlFlow};

use alloy_primitives::{Address, Bytes, U256, hex};
use alloy_provider::ProviderBuilder;
use canon_chain::{
    Client, NoWait, Sender,
    deploy::{
        ContractPlan, Create2Origin, DEPLOYMENT_PROXY, DeployProgress, DeployRecord, SetParameters,
        Step, deploy,
    },
};
use canon_devchain::{Devchain, UnsignedCall};
use canon_protocol::{
    AssetCall, Call, Constructor, DistributorCall, GovernanceCall, OwnershipCall, RegistryCall,
};
use serde_json::Value;
use snapbox::{assert_data_eq, cmd::Command, str};

use crate::{
    audit::{audit, audit_from, printed},
    chain::Chain,
    deploy::{EmptyChain, folder_with},
    servers::without_logs,
    support::{canon, stdout, while_served, without_hashes},
};

/// Executes a call as an account without a key would.
fn call_as(chain: &Devchain, from: Address, to: Address, call: impl Into<Call>) {
    let input = call.into().abi_encode();
    let call = UnsignedCall { from, to: Some(to), input };
    let (_, executed) = chain.mine_unsigned(&[call]).unwrap();
    assert!(executed[0].end.is_success(), "{:?}", executed[0]);
}

/// Executes a call as the set's Governance.
fn govern(chain: &Chain, to: Address, call: impl Into<Call>) {
    call_as(&chain.chain, chain.set.governance, to, call);
}

/// Checks the findings of an audit about contracts, each with its level and its id, and that all formats have
/// the same findings. Exactly one exit code is right: 1 if one of them is an error.
fn finds(audit: impl Fn(&str) -> Command, expected: &[(&str, &str)]) {
    let code = i32::from(expected.iter().any(|(level, _)| *level == "error"));
    let report: Value = serde_json::from_str(&printed(audit("--json"), code)).unwrap();
    let text = printed(audit(""), code);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let markdown = printed(audit("--markdown"), code);
    let mut found = Vec::new();
    for finding in report["findings"].as_array().unwrap() {
        let [level, id, says] = ["level", "id", "text"].map(|key| finding[key].as_str().unwrap());
        assert!(text.contains(&format!(" {level} {id} {says}")), "{id}: {text}");
        assert!(markdown.contains(&format!("\n| {level} | {id} | {says} | ")), "{id}: {markdown}");
        if finding["source"].is_null() {
            found.push((level, id));
        }
    }
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_contract_in_the_place_of_proposals_is_an_error_of_the_audit() {
    let chain = Chain::new().await;
    let new_governance_proposer = Address::repeat_byte(0x77);
    // STOP: it answers nothing.
    chain.replace(new_governance_proposer, Bytes::from_static(&[0x00]));
    let replace = GovernanceCall::UpdateGovernanceProposer { new_governance_proposer };
    govern(&chain, chain.set.governance, replace);
    while_served(move || {
        let expected = [("error", "no-proof"), ("error", "other-code"), ("error", "no-answer")];
        finds(|arguments| audit(&chain, arguments), &expected);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_and_a_new_owner_are_found() {
    let chain = Chain::new().await;
    let (rollup, governance) = (chain.set.rollup, chain.set.governance);
    let new_owner = Address::repeat_byte(0x98);
    govern(&chain, rollup, OwnershipCall::TransferOwnership { new_owner });
    while_served(move || {
        finds(|arguments| audit(&chain, arguments), &[("warning", "offered")]);
        chain.give_away(rollup, governance);
        finds(|arguments| audit(&chain, arguments), &[("error", "other-owner")]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_expect_is_found_and_does_not_hide_that_the_set_is_not_genuine() {
    let chain = Chain::new().await;
    chain.replace(chain.expect, Bytes::new());
    while_served(move || {
        finds(|arguments| audit(&chain, arguments), &[("warning", "no-expect")]);
        let update = DistributorCall::UpdateRegistry { new_registry: chain.set.asset };
        govern(&chain, chain.set.reward_distributor.unwrap(), update);
        let expected = [("error", "not-genuine"), ("warning", "no-expect")];
        finds(|arguments| audit(&chain, arguments), &expected);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_former_rollup_that_is_not_genuine_is_a_note() {
    let mut chain = Chain::new().await;
    let (genuine, _) = chain.next_rollup().await;
    let other = Address::repeat_byte(0x55);
    // PUSH1 1, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN: it answers every question with 1.
    chain.replace(other, Bytes::from_static(&hex!("60015f5260205ff3")));
    for rollup in [other, genuine] {
        govern(&chain, chain.set.registry, RegistryCall::Upgrade { rollup });
    }
    while_served(move || finds(|arguments| audit(&chain, arguments), &[("note", "former-rollup")]))
        .await;
}

/// The address of a contract in a manifest.
fn address(manifest: &Value, contract: &str) -> Address {
    let contracts = manifest["contracts"].as_array().unwrap();
    let found = contracts.iter().find(|one| one["contract"] == contract).unwrap();
    found["address"].as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_asset_other_than_the_manifests_is_an_error() {
    let chain = EmptyChain::new().await;
    let folder = folder_with("audit-replaced", "tests", str::to_owned);
    while_served(move || {
        stdout(chain.deploy(&folder, "--yes --json"));
        let file = folder.file("deployment.manifest.json");
        let text = fs::read_to_string(&file).unwrap();
        let mut manifest: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(manifest["contracts"][0]["contract"], "Asset");
        manifest["contracts"][0]["address"] = Address::repeat_byte(0x11).to_string().into();
        fs::write(&file, manifest.to_string()).unwrap();
        let audit = |arguments: &str| {
            let command = canon().arg("audit").args(arguments.split_whitespace());
            command.args(["--rpc-url", &chain.url(), "--manifest"]).arg(&file)
        };
        finds(audit, &[("error", "manifest"), ("error", "replaced")]);
    })
    .await;
}

/// What votes did to a set that breaks no rule: they replaced Proposals by a genuine one, and the configuration
/// by an equal one.
fn vote(chain: &Devchain, manifest: &Value) {
    let [asset, registry, governance] =
        ["Asset", "Registry", "Governance"].map(|contract| address(manifest, contract));
    let parameters = SetParameters::mainnet_like();
    let (n, m) = (parameters.signaling.n + 1, parameters.signaling.m);
    let constructor = Constructor::Proposals { registry, n: U256::from(n), m: U256::from(m) };
    let plan = ContractPlan::new(Create2Origin::default(), constructor);
    let input = [plan.create2().salt.as_slice(), plan.init_code()].concat().into();
    let create = UnsignedCall { from: governance, to: Some(DEPLOYMENT_PROXY), input };
    chain.mine_unsigned(&[create]).unwrap();
    let new_governance_proposer = plan.address();
    let replace = GovernanceCall::UpdateGovernanceProposer { new_governance_proposer };
    call_as(chain, governance, governance, replace);
    let configuration = Box::new(parameters.governance.configuration().into());
    let update = GovernanceCall::UpdateConfiguration { configuration };
    call_as(chain, governance, governance, update);
    // One account with the whole supply would break a rule.
    let (holder, to) = (chain.dev_accounts()[0].address(), Address::repeat_byte(1));
    let amount = U256::from(parameters.asset.initial_supply.get() / 2);
    call_as(chain, holder, asset, AssetCall::Transfer { to, amount });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_with_nothing_but_notes_fails_only_if_notes_do() {
    let chain = EmptyChain::new().await;
    let folder = folder_with("audit-notes", "mainnet-like", str::to_owned);
    while_served(move || {
        stdout(chain.deploy(&folder, "--yes --json"));
        let file = folder.file("deployment.manifest.json");
        let manifest = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        vote(&chain.chain, &manifest);
        let registry = address(&manifest, "Registry").to_string();
        let audit = |arguments: &str| {
            let command = canon().arg("audit").args(arguments.split_whitespace());
            command.args(["--rpc-url", &chain.url()])
        };
        let by_manifest = |arguments: &str| audit(arguments).arg("--manifest").arg(&file);
        finds(by_manifest, &[("note", "replaced"), ("note", "reconfigured")]);
        for (fail_on, code) in [("error", 0), ("warning", 0), ("note", 1)] {
            let report = printed(by_manifest(&format!("--fail-on {fail_on}")), code);
            assert!(report.contains("Findings: 0 errors, 0 warnings, 2 notes\n"), "{report}");
        }
        // The notes are about differences from the manifest.
        let report = printed(audit("--fail-on note").args(["--registry", &registry]), 0);
        assert!(report.ends_with("Findings: 0 errors, 0 warnings, 0 notes\n"), "{report}");
    })
    .await;
}

/// Deploys a set until its first rollup is canonical, and returns its Registry.
async fn unfinished(chain: &Devchain) -> Address {
    let provider = ProviderBuilder::default().connect_client(chain.client());
    let client = Client::connect(provider).await.unwrap();
    let mut sender = Sender::new(client.clone(), chain.dev_accounts().remove(0));
    let parameters = SetParameters::tests();
    let checked = parameters.clone().check().unwrap();
    let mut record = DeployRecord::new(client.chain_id(), sender.address(), parameters);
    let progress = |_: &DeployRecord, progress| match progress {
        DeployProgress::Finished(done) if done.step == Step::Upgrade => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    deploy(&mut sender, &checked, &mut record, &mut NoWait, progress).await.unwrap_err();
    record.address(Step::Registry).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_is_not_handed_over_has_a_report_without_contracts_and_parameters() {
    let chain = EmptyChain::new().await;
    let registry = unfinished(&chain.chain).await.to_string();
    while_served(move || {
        let audit = |arguments: &str| {
            let command = canon().arg("audit").args(arguments.split_whitespace());
            command.args(["--rpc-url", &chain.url(), "--registry", &registry])
        };
        finds(audit, &[("error", "not-handed-over")]);
        let report: Value = serde_json::from_str(&printed(audit("--json"), 1)).unwrap();
        assert_eq!(report["contracts"], Value::Array(Vec::new()));
        assert_eq!(report["parameters"], Value::Null);
        let deployer = chain.chain.dev_accounts()[0].address().to_checksum(None);
        assert_eq!(report["deployer"], deployer);
        assert_data_eq!(without_hashes(&printed(audit(""), 1)), str![[r#"
Audit of the set with Registry 0x[..]
  on chain 31337, as of block 9, 2026-01-01 00:00:09 UTC
  deployed by        0x[..]

Findings: 1 error, 0 warnings, 0 notes
  error     not-handed-over
            Registry at 0x[..] is expected
            to be handed over by its deployer,
            0x[..], and still belongs to it;
            use the set once the deployment is finished

"#]]);
        assert_data_eq!(without_hashes(&printed(audit("--markdown"), 1)), str![[r#"
# Audit of the set with Registry `0x[..]`

On chain 31337, as of block 9, 2026-01-01 00:00:09 UTC. Findings: 1 error, 0 warnings, 0 notes.

## Findings

| level | finding | what it means | source |
| --- | --- | --- | --- |
| error | not-handed-over | Registry at 0x[..] is expected to be handed over by its deployer, 0x[..], and still belongs to it; use the set once the deployment is finished |  |

Deployed by `0x[..]`.

"#]]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_logs_there_is_no_audit() {
    let chain = Chain::new().await;
    let endpoint = format!("http://{}", without_logs(chain.address()));
    while_served(move || {
        let output = audit_from(&endpoint, &chain, "").output().unwrap();
        let said = crate::support::said(output.stderr);
        assert_eq!((output.status.code(), &*output.stdout), (Some(3), &b""[..]), "{said}");
        assert_data_eq!(without_hashes(&said), str![[r#"
error: the set can't be audited
  because the endpoint has no logs of the Registry at 0x[..]; use one that has the logs of old blocks, and check that this is a Registry

next: use an endpoint that has the logs of old blocks

"#]]);
    })
    .await;
}
