//! `canon deploy --unsigned`: a set whose transactions somebody else signs.

use std::{fs, os::unix::fs::symlink};

use alloy_primitives::{Address, Bytes, U256, hex};
use canon_devchain::{DEPLOYMENT_PROXY, UnsignedCall};
use serde_json::{Value, json};
use snapbox::cmd::Command;

use crate::{
    chain::execute_as,
    deploy::{EmptyChain, fails, folder_with},
    servers::Folder,
    support::{canon, stdout, while_served},
};

/// An account without a key.
const MULTISIG: Address = Address::repeat_byte(0x5a);

/// The account's code, which makes all calls of its calldata: target, length and data of each.
const BATCH: &[u8] = &hex!(
    "5f5b803611600a5700005b80601401358082603401"
    "5f375f5f825f5f86356060"
    "1c5af1602957"
    "5f5ffd5b01603401600156"
);

/// Creates a folder with the parameters of a set that names its genesis.
fn folder(name: &str) -> Folder {
    folder_with(name, "tests", |text| {
        text.replace("# genesis = 1767225600\n", "genesis = 1767225600\n")
    })
}

fn deploy(chain: &EmptyChain, folder: &Folder, arguments: &str) -> Command {
    canon()
        .arg("deploy")
        .arg(folder.file("deployment.toml"))
        .args(arguments.split_whitespace())
        .args(["--rpc-url", &chain.url(), "--from", &MULTISIG.to_string()])
}

fn printed(command: Command) -> Value {
    serde_json::from_str(&stdout(command)).unwrap()
}

/// Checks the manifest that the last run left.
fn is_audited(chain: &EmptyChain, folder: &Folder, manifest: &Value) {
    assert_eq!(manifest["deployer"], MULTISIG.to_string());
    let steps = manifest["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 13);
    // The events show all transactions but the creation of Expect, which emits none.
    for step in steps {
        let is_known = step["receipt"]["transaction"].is_string();
        assert_eq!(is_known, step["step"] != "expect", "{step}");
        assert!(is_known || step["receipt"].is_null() && step.get("receipt").is_some(), "{step}");
    }
    let file = folder.file("deployment.manifest.json");
    let written: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(written, *manifest);
    assert_eq!(fs::read_dir(folder.file("")).unwrap().count(), 2, "no other file is left");
    let audit = canon().args(["audit", "--rpc-url", &chain.url(), "--manifest"]).arg(&file);
    let report = stdout(audit);
    assert!(report.contains("Findings: 0 errors, 14 warnings, 0 notes"), "{report}");
    let said = fails(deploy(chain, folder, "--unsigned"), 2);
    assert!(said.contains("exists: this deployment is finished"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_else_signs_the_transactions_that_the_chain_lacks() {
    let chain = EmptyChain::new().await;
    let folder = folder("unsigned-deploy");
    while_served(move || {
        let mut left = 13;
        // Those that hand the Registry over are printed last, once the rollup is canonical.
        for (printed, mined) in [(11, 0), (11, 1), (10, 6), (4, 4), (2, 1), (1, 1)] {
            let output = deploy(&chain, &folder, "--unsigned").output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.success(), "{said}");
            assert!(said.contains("once they are mined, run the same command again"), "{said}");
            assert!(said.contains("each transaction needs those with the numbers"), "{said}");
            let more =
                said.contains("it prints the last two transactions, which hand the Registry over");
            assert_eq!(more, left > printed, "{said}");
            assert!(!said.contains("only the first transaction was simulated"), "{said}");
            assert_eq!(said.matches("  done\n").count(), (13 - left).min(8), "{said}");
            let transactions: Value = serde_json::from_slice(&output.stdout).unwrap();
            let transactions = match transactions {
                Value::Array(transactions) => transactions,
                one => vec![one],
            };
            assert_eq!(transactions.len(), printed);
            if printed == 11 {
                let of =
                    |key: &str| transactions.iter().map(|one| one[key].clone()).collect::<Vec<_>>();
                assert_eq!(of("number"), (1..=11).map(Value::from).collect::<Vec<_>>());
                assert_eq!(
                    (&of("step")[8], &of("after")[8]),
                    (&"make the rollup canonical".into(), &json!([2, 8]))
                );
            }
            for transaction in &transactions[..mined] {
                execute_as(&chain.chain, MULTISIG, transaction);
            }
            left -= mined;
        }
        assert_eq!(left, 0);
        // A run that fails at the end leaves no record, and the same command ends it.
        let new_manifest = folder.file("deployment.manifest.json.new");
        symlink("/dev/full", &new_manifest).unwrap();
        let said = fails(deploy(&chain, &folder, "--unsigned"), 3);
        assert!(said.contains("remove the cause, then run the same command again"), "{said}");
        fs::remove_file(new_manifest).unwrap();
        assert_eq!(fs::read_dir(folder.file("")).unwrap().count(), 1, "no file is left yet");
        let manifest = printed(deploy(&chain, &folder, "--unsigned --json"));
        is_audited(&chain, &folder, &manifest);
    })
    .await;
}

/// The chain executes no transaction with more than 2^24 gas.
#[tokio::test(flavor = "multi_thread")]
async fn the_batch_for_a_safe_is_one_transaction() {
    let chain = EmptyChain::new().await;
    let folder = folder("unsigned-deploy-safe");
    chain.chain.set_code(MULTISIG, BATCH).unwrap();
    while_served(move || {
        let batch = printed(deploy(&chain, &folder, "--unsigned safe"));
        assert_eq!(batch["meta"]["createdFromSafeAddress"], MULTISIG.to_string());
        let mut input = Vec::new();
        for call in batch["transactions"].as_array().unwrap() {
            let to: Address = call["to"].as_str().unwrap().parse().unwrap();
            let data: Bytes = call["data"].as_str().unwrap().parse().unwrap();
            input.extend(to);
            input.extend(U256::from(data.len()).to_be_bytes::<32>());
            input.extend(data);
        }
        // Nodes relay no larger transaction.
        assert!(input.len() < 120_000, "{}", input.len());
        let call =
            UnsignedCall { from: Address::repeat_byte(1), to: Some(MULTISIG), input: input.into() };
        let (_, executed) = chain.chain.mine_unsigned(&[call]).unwrap();
        assert!(executed[0].end.is_success(), "{:?}", executed[0]);
        let manifest = printed(deploy(&chain, &folder, "--unsigned safe --json"));
        is_audited(&chain, &folder, &manifest);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_without_a_genesis_is_not_printed() {
    let chain = EmptyChain::new().await;
    let folder = folder_with("unsigned-genesis", "tests", str::to_owned);
    while_served(move || {
        let said = fails(deploy(&chain, &folder, "--unsigned"), 2);
        let expected = "rollup.genesis: expected the first second of slot 0, found nothing";
        assert!(said.contains(expected), "{said}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_without_the_deployment_proxy_needs_it_first() {
    let chain = EmptyChain::new().await;
    let folder = folder("unsigned-proxy");
    chain.chain.set_code(DEPLOYMENT_PROXY, Bytes::new()).unwrap();
    while_served(move || {
        let said = fails(deploy(&chain, &folder, "--unsigned"), 1);
        let funds = "send 0.01 ether to 0x3fAB184622Dc19b6109349B94811493BF2a45362";
        assert!(said.contains("the chain lacks the deterministic deployment proxy"), "{said}");
        assert!(said.contains(funds), "{said}");
        let raw = said.lines().find_map(|line| line.trim().strip_prefix("0xf8a5")).unwrap();
        let raw = hex::decode(format!("f8a5{raw}")).unwrap();
        let creator = "0x3fAB184622Dc19b6109349B94811493BF2a45362".parse().unwrap();
        chain.chain.set_balance(creator, U256::from(10).pow(U256::from(16)));
        chain.chain.send_raw(&raw).unwrap();
        let transactions = printed(deploy(&chain, &folder, "--unsigned"));
        assert_eq!(transactions.as_array().unwrap().len(), 11);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_cannot_be_finished_is_not_printed() {
    let chain = EmptyChain::new().await;
    let folder = folder("unsigned-ruined");
    while_served(move || {
        let batch = printed(deploy(&chain, &folder, "--unsigned safe"));
        // The steps are those of `canon deploy`; the wallet leaves the rollup out.
        for index in [0, 1, 2, 3, 10, 12] {
            let call = batch["transactions"][index].clone();
            let Value::Object(mut call) = call else { panic!("{call}") };
            call.insert("gas".to_owned(), 8_000_000.into());
            call.insert("chainId".to_owned(), 31337.into());
            execute_as(&chain.chain, MULTISIG, &call.into());
        }
        for arguments in ["--unsigned", "--unsigned safe"] {
            let said = fails(deploy(&chain, &folder, arguments), 1);
            assert!(said.contains("belongs to its Governance at 0x"), "{said}");
            assert!(said.contains("and this set can't be finished"), "{said}");
            assert!(said.contains("next: choose another salt in [origin]"), "{said}");
        }
    })
    .await;
}

/// What would fail is not printed.
#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_that_a_key_has_begun_is_not_printed_for_another() {
    let chain = EmptyChain::new().await;
    let folder = folder("unsigned-begun");
    while_served(move || {
        fs::write(folder.file("deployment.manifest.json.unfinished"), "").unwrap();
        let said = fails(deploy(&chain, &folder, "--unsigned"), 2);
        assert!(said.contains("this deployment is begun and not finished"), "{said}");
        assert!(said.contains("the key that has begun it, without --unsigned"), "{said}");
        let said = fails(deploy(&chain, &folder, "--unsigned --resume"), 2);
        assert!(said.contains("cannot be used with"), "{said}");
    })
    .await;
}
