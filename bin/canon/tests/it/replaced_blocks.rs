//! Deployments whose blocks are replaced while they wait for confirmations.

use std::{
    fs,
    process::{Command, Output, Stdio},
    time::Duration,
};

use alloy_primitives::B256;
use canon_devchain::{Devchain, OldTransactions, ReorgOptions};
use serde_json::Value;
use snapbox::cmd::cargo_bin;

use crate::{
    chain::Chain,
    deploy::{EmptyChain, folder_with},
    servers::Folder,
    support::{VARIABLES, canon, stdout, while_served},
};

/// Starts the program, and calls `meanwhile` while it runs.
fn runs(arguments: &[&str], key: &str, meanwhile: impl FnOnce()) -> Output {
    let mut command = Command::new(cargo_bin!("canon"));
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    command.args(arguments).env("CANON_PRIVATE_KEY", key);
    let process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    meanwhile();
    process.wait_with_output().unwrap()
}

/// Waits until a condition holds, for a minute.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..1200 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("waited in vain: {what}");
}

fn replace(chain: &Devchain, depth: u64, old: OldTransactions) {
    chain.increase_time(1);
    chain.reorg(ReorgOptions { depth, old, blocks: Vec::new() }).unwrap();
}

fn mine(chain: &Devchain, blocks: u64) {
    (0..blocks).for_each(|_| drop(chain.mine().unwrap()));
}

/// Whether the chain has the transaction of a receipt.
fn has(chain: &Devchain, receipt: &Value) -> bool {
    let transaction: B256 = receipt["transaction"].as_str().unwrap().parse().unwrap();
    chain.gas_used(transaction).is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_whose_blocks_are_replaced_while_it_waits_is_not_shown_as_done() {
    for old in [OldTransactions::ReturnToPool, OldTransactions::Drop] {
        let chain = EmptyChain::new().await;
        let folder = folder_with("replaced-deploy", "tests", str::to_owned);
        while_served(move || {
            let manifest = folder.file("deployment.manifest.json");
            let record = folder.file("deployment.manifest.json.unfinished");
            let file = folder.file("deployment.toml").display().to_string();
            let url = chain.url();
            let arguments =
                ["deploy", &file, "--yes", "--confirmations", "3", "--rpc-url", &url, "--json"];
            let devchain = &chain.chain;
            let output = runs(&arguments, &chain.key(), || {
                until("all steps are done", || {
                    let text = fs::read_to_string(&record).unwrap_or_default();
                    let last = text.lines().last().unwrap_or_default();
                    let last: Value = serde_json::from_str(last).unwrap_or_default();
                    last["done"].as_array().is_some_and(|done| done.len() == 13)
                });
                replace(devchain, 2, old);
                assert!(!manifest.exists());
                if old == OldTransactions::ReturnToPool {
                    mine(devchain, 1);
                }
                until("all steps are on the chain", || {
                    devchain.nonce(devchain.dev_accounts()[0].address()) == 13
                });
                std::thread::sleep(Duration::from_millis(500));
                assert!(!manifest.exists());
                mine(devchain, 2);
            });
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.success(), "{said}");
            assert!(
                said.contains("its block was replaced; waiting until another one has it"),
                "{said}"
            );
            let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
            let steps = printed["steps"].as_array().unwrap();
            assert_eq!(steps.len(), 13);
            for step in steps {
                assert!(has(devchain, &step["receipt"]), "{step}");
            }
            let audit = canon().args(["audit", "--rpc-url", &url, "--manifest"]).arg(&manifest);
            let report = stdout(audit);
            assert!(report.contains("Findings: 0 errors"), "{report}");
            fs::remove_file(manifest).unwrap();
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollup_whose_block_is_replaced_while_it_waits_is_not_shown_as_done() {
    let chain = Chain::new().await;
    let folder = Folder::new("replaced-rollup");
    while_served(move || {
        let (url, registry) = (chain.url(), chain.set.registry.to_string());
        let about = ["--rpc-url", &url, "--registry", &registry];
        let printed = stdout(canon().args(["rollup", "deploy", "--print-config"]).args(about));
        let file = folder.file("rollup.toml");
        fs::write(&file, printed.replace("epoch_slots = 2\n", "epoch_slots = 30\n")).unwrap();
        let file = file.display().to_string();
        let deploy = ["rollup", "deploy", &file, "--yes", "--confirmations", "3", "--json"];
        let devchain = &chain.chain;
        let first = devchain.block_number() + 1;
        let output = runs(&[&deploy[..], &about].concat(), &chain.key(1), || {
            until("the rollup is created", || devchain.nonce(chain.account(1)) == 1);
            // Until the command has seen it.
            std::thread::sleep(Duration::from_millis(500));
            replace(devchain, 1, OldTransactions::ReturnToPool);
            std::thread::sleep(Duration::from_millis(500));
            mine(devchain, 3);
        });
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        assert!(
            said.contains("its block was replaced; waiting until another one has it"),
            "{said}"
        );
        let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(has(devchain, &printed["receipt"]), "{printed}");
        assert_eq!(printed["receipt"]["block"], (first + 1).to_string());
        assert_eq!(devchain.nonce(chain.account(1)), 1, "nothing is sent twice");
    })
    .await;
}
