//! Deployments whose blocks are replaced while they wait for confirmations.

use std::{
    fs,
    process::{Output, Stdio},
    time::Duration,
};

use alloy_primitives::B256;
use canon_devchain::{Devchain, OldTransactions, ReorgOptions};
use serde_json::Value;

use crate::{
    deploy::{EmptyChain, folder_with},
    servers::Folder,
    support::{canon, process, stdout, while_served},
};

/// Starts the program, and calls `meanwhile` while it runs.
fn runs(arguments: &[&str], key: &str, folder: &Folder, meanwhile: impl FnOnce()) -> Output {
    let mut command = process();
    command.args(arguments).env("CANON_PRIVATE_KEY", key);
    command.env("XDG_STATE_HOME", folder.file("state"));
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
        // Another process works meanwhile.
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
            let output = runs(&arguments, &chain.key(), &folder, || {
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
