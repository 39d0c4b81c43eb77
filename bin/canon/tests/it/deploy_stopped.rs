//! `canon deploy` in a process that is killed, runs out of gas or ether, or can't write its manifest.

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::symlink,
    path::PathBuf,
    process::{Child, Command as Process, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use alloy_primitives::{Address, Bytes, U256, hex};
use serde_json::{Value, json};
use snapbox::cmd::{Command, cargo_bin};

use crate::{
    deploy::{EmptyChain, fails, folder_with, unchanged},
    servers::{Folder, closed_port, cut_at, forward, relay, sends},
    support::{stdout, while_served},
};

/// The number of transactions of a deployment.
const TRANSACTIONS: u64 = 13;

fn sent(chain: &EmptyChain) -> u64 {
    chain.chain.nonce(chain.chain.dev_accounts()[0].address())
}

fn manifest(folder: &Folder) -> PathBuf {
    folder.file("deployment.manifest.json")
}

fn record(folder: &Folder) -> PathBuf {
    folder.file("deployment.manifest.json.unfinished")
}

/// The file that becomes the manifest once it is written.
fn new_manifest(folder: &Folder) -> PathBuf {
    folder.file("deployment.manifest.json.new")
}

/// Starts the deployment in a process of its own.
fn start(chain: &EmptyChain, folder: &Folder, url: &str) -> Child {
    Process::new(cargo_bin!("canon"))
        .current_dir(folder.file(""))
        .args(["deploy", "deployment.toml", "--yes", "--rpc-url", url])
        .env("XDG_STATE_HOME", folder.file("state"))
        .env("CANON_PRIVATE_KEY", chain.key())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Goes on with a deployment to its end, and checks what is left.
fn is_finished_by_resuming(chain: &EmptyChain, folder: &Folder) {
    let printed = stdout(chain.deploy(folder, "--yes --resume --json"));
    let printed: Value = serde_json::from_str(&printed).unwrap();
    let written = fs::read_to_string(manifest(folder)).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), printed);
    let steps = printed["steps"].as_array().unwrap();
    assert_eq!(steps.len() as u64, TRANSACTIONS);
    assert!(steps.iter().all(|step| step["receipt"]["transaction"].is_string()));
    assert!(!record(folder).exists() && !new_manifest(folder).exists());
}

/// Kills a process at each of its transactions, which is handed on to the chain or not.
async fn is_killed_at_each_transaction(handed_on: bool) {
    for number in 0..TRANSACTIONS {
        let chain = EmptyChain::new().await;
        let folder = folder_with(&format!("killed-{handed_on}-{number}"), "tests", unchanged);
        while_served(move || {
            let (cut, reached) = cut_at(chain.address(), number, handed_on);
            let mut process = start(&chain, &folder, &format!("http://{cut}"));
            reached.recv().unwrap();
            // Another command of the account has to wait for this one.
            let said = fails(chain.deploy(&folder, "--yes --manifest other.json"), 3);
            assert!(said.contains("another command sends for this account"), "{said}");
            process.kill().unwrap();
            process.wait().unwrap();
            assert!(!manifest(&folder).exists());
            let said = fails(chain.deploy(&folder, "--yes"), 2);
            assert!(said.contains("go on with --resume"), "{said}");
            is_finished_by_resuming(&chain, &folder);
            assert_eq!(sent(&chain), TRANSACTIONS, "{number} {handed_on}");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_before_any_of_its_transactions_goes_on_and_sends_each_once() {
    is_killed_at_each_transaction(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_after_any_of_its_transactions_goes_on_and_sends_each_once() {
    is_killed_at_each_transaction(true).await;
}

/// Kills a process as soon as a file exists, if it doesn't end before. It polls, so that it isn't known how far
/// the process has got.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_at_its_manifest_leaves_a_deployment_that_is_finished_or_goes_on() {
    for (name, awaited) in [("new", new_manifest as fn(&Folder) -> PathBuf), ("whole", manifest)] {
        let chain = EmptyChain::new().await;
        let folder = folder_with(&format!("killed-manifest-{name}"), "tests", unchanged);
        while_served(move || {
            let mut process = start(&chain, &folder, &chain.url());
            while !awaited(&folder).exists() && process.try_wait().unwrap().is_none() {}
            let _ = process.kill();
            process.wait().unwrap();
            match manifest(&folder).exists() {
                false => is_finished_by_resuming(&chain, &folder),
                true => {
                    let is_stale = record(&folder).exists();
                    let output = chain.deploy(&folder, "--yes --resume").output().unwrap();
                    let said = crate::support::said(output.stderr);
                    let expected = match is_stale {
                        true => "an earlier run ended after it had written the manifest",
                        false => "exists: this deployment is finished",
                    };
                    assert!(said.contains(expected), "{said}");
                    assert!(!record(&folder).exists());
                    let written = fs::read_to_string(manifest(&folder)).unwrap();
                    serde_json::from_str::<Value>(&written).unwrap();
                }
            }
            assert_eq!(sent(&chain), TRANSACTIONS);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_on_the_disk_at_the_end_of_a_deployment_is_finished_by_resuming() {
    let chain = EmptyChain::new().await;
    let folder = folder_with("manifest-files", "tests", unchanged);
    while_served(move || {
        // Nothing can be written to this device.
        symlink("/dev/full", new_manifest(&folder)).unwrap();
        let said = fails(chain.deploy(&folder, "--yes"), 3);
        assert!(said.contains("deployment.manifest.json can't be written"), "{said}");
        assert!(said.contains("No space left on device"), "{said}");
        assert!(said.contains("then run the same command with --resume"), "{said}");
        assert!(!manifest(&folder).exists());
        fs::remove_file(new_manifest(&folder)).unwrap();
        let unfinished = fs::read(record(&folder)).unwrap();
        is_finished_by_resuming(&chain, &folder);
        let written = fs::read(manifest(&folder)).unwrap();

        for length in [0, 1, written.len() / 2, written.len() - 1, written.len()] {
            fs::remove_file(manifest(&folder)).unwrap();
            fs::write(record(&folder), &unfinished).unwrap();
            fs::write(new_manifest(&folder), &written[..length]).unwrap();
            is_finished_by_resuming(&chain, &folder);
            assert_eq!(fs::read(manifest(&folder)).unwrap(), written, "{length}");
        }
        // The process was killed before it removed the record.
        for arguments in ["--yes", "--yes --resume", "--yes --json"] {
            fs::write(record(&folder), &unfinished).unwrap();
            let output = chain.deploy(&folder, arguments).output().unwrap();
            let said = crate::support::said(output.stderr);
            assert!(output.status.success(), "{said}");
            assert!(
                said.contains("an earlier run ended after it had written the manifest"),
                "{said}"
            );
            let shown = String::from_utf8(output.stdout).unwrap();
            match arguments.contains("--json") {
                true => assert_eq!(
                    serde_json::from_str::<Value>(&shown).unwrap(),
                    serde_json::from_slice::<Value>(&written).unwrap()
                ),
                false => assert!(shown.starts_with("The deployment is complete\n"), "{shown}"),
            }
            assert!(!record(&folder).exists(), "{arguments}");
            let said = fails(chain.deploy(&folder, arguments), 2);
            assert!(said.contains("exists: this deployment is finished"), "{said}");
        }
        // Nothing is removed that isn't the record of the same deployment, and nothing without sending.
        let other = String::from_utf8(unfinished.clone()).unwrap().replace("CANT", "CANU");
        for (content, arguments) in
            [(&b""[..], "--yes"), (other.as_bytes(), "--yes"), (&unfinished, "--dry-run")]
        {
            fs::write(record(&folder), content).unwrap();
            let said = fails(chain.deploy(&folder, arguments), 2);
            assert!(said.contains("exists: this deployment is finished"), "{said}");
            assert_eq!(fs::read(record(&folder)).unwrap(), content);
        }
        // A manifest that can't be read isn't taken for that of a finished deployment.
        fs::write(record(&folder), &unfinished).unwrap();
        fs::remove_file(manifest(&folder)).unwrap();
        fs::create_dir(manifest(&folder)).unwrap();
        let said = fails(chain.deploy(&folder, "--yes"), 2);
        assert!(said.contains("deployment.manifest.json can't be read"), "{said}");
        assert_eq!(fs::read(record(&folder)).unwrap(), unfinished);
        assert_eq!(sent(&chain), TRANSACTIONS);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_left_is_compared_with_the_file_the_key_and_the_chain() {
    let (chain, other) = (EmptyChain::new().await, EmptyChain::new().await);
    let folder = folder_with("left-record", "tests", unchanged);
    while_served(move || {
        symlink("/dev/full", new_manifest(&folder)).unwrap();
        fails(chain.deploy(&folder, "--yes"), 3);
        fs::remove_file(new_manifest(&folder)).unwrap();
        let left = fs::read(record(&folder)).unwrap();
        // It isn't shown as begun on another chain, and nothing of it is sent there.
        let said = fails(other.deploy(&folder, "--yes --resume"), 2);
        assert!(said.contains("found none of them: this is another chain"), "{said}");
        assert!(said.contains("name another --manifest, or delete the record"), "{said}");
        assert!(!said.contains("Deploy this set?"), "{said}");
        assert_eq!(sent(&other), 0);
        is_finished_by_resuming(&chain, &folder);
        let written: Value = serde_json::from_slice(&fs::read(manifest(&folder)).unwrap()).unwrap();
        // The process was killed before it removed the record.
        fs::write(record(&folder), &left).unwrap();
        let differs = |command: Command, code, expected: &str| {
            let said = fails(command, code);
            assert!(said.contains(expected), "{said}");
            assert_eq!(fs::read(record(&folder)).unwrap(), left, "{expected}");
        };
        differs(other.deploy(&folder, "--yes --resume"), 2, "this is another chain");
        let nowhere = format!("http://{}", closed_port());
        differs(chain.deploy_by(&folder, &nowhere, "--yes"), 3, "");
        let key = hex::encode(chain.chain.dev_accounts()[1].to_bytes());
        let by_another = chain.deploy(&folder, "--yes --resume").env("CANON_PRIVATE_KEY", key);
        differs(by_another, 2, "the record is of deployer");
        let file = folder.file("deployment.toml");
        let parameters = fs::read_to_string(&file).unwrap();
        fs::write(&file, parameters.replace("CANT", "CANU")).unwrap();
        let field = "asset.symbol: expected \"CANT\" as recorded, found \"CANU\"";
        differs(chain.deploy(&folder, "--yes --resume"), 2, field);
        fs::write(&file, parameters).unwrap();
        let registry = written["contracts"].as_array().unwrap().iter();
        let registry = registry.filter(|one| one["contract"] == "Registry");
        let registry = registry.map(|one| one["address"].as_str().unwrap()).next().unwrap();
        chain.chain.set_code(registry.parse::<Address>().unwrap(), Bytes::new()).unwrap();
        differs(chain.deploy(&folder, "--yes --resume"), 1, "found no code");
        assert_eq!((sent(&chain), sent(&other)), (TRANSACTIONS, 0));
    })
    .await;
}

/// Starts a server in front of a chain, and counts the transactions that are sent through it. `change` gets each
/// request with the number of those before it, and returns the answer if it isn't the chain's.
fn counting(
    to: SocketAddr,
    mut change: impl FnMut(u64, &mut Value) -> Option<Value> + Send + 'static,
) -> (String, Arc<AtomicU64>) {
    let sent = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&sent);
    let address = relay(move |request| {
        let mut request = request.clone();
        let changed = change(counted.load(Ordering::SeqCst), &mut request);
        counted.fetch_add(u64::from(sends(&request)), Ordering::SeqCst);
        Some(changed.unwrap_or_else(|| forward(to, &request)))
    });
    (format!("http://{address}"), sent)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_that_runs_out_of_ether_in_the_middle_stops_and_is_finished_with_more() {
    // The ether is gone before a transaction is prepared, or between its preparation and its sending.
    for (name, number, when) in [("prepared", 5, false), ("sent", 9, true)] {
        let chain = EmptyChain::new().await;
        let folder = folder_with(&format!("no-ether-{name}"), "tests", unchanged);
        while_served(move || {
            let deployer = chain.chain.dev_accounts()[0].address();
            let (devchain, ether) = (chain.chain.clone(), chain.chain.balance(deployer));
            let (url, through) = counting(chain.address(), move |sent, request| {
                if sent == number && (!when || sends(request)) {
                    devchain.set_balance(deployer, U256::from(1_000));
                }
                None
            });
            let said = fails(chain.deploy_by(&folder, &url, "--yes"), 1);
            assert!(said.contains("the deployment stopped"), "{said}");
            assert!(said.contains("send ether to the account"), "{said}");
            assert!(said.contains("with --resume"), "{said}");
            assert!(through.load(Ordering::SeqCst) <= number + 1, "nothing is sent after it");
            assert_eq!(sent(&chain), number);
            // As long as the ether is missing, nothing is sent.
            let said = fails(chain.deploy(&folder, "--yes --resume"), 1);
            assert!(said.contains("ether is missing"), "{said}");
            assert_eq!(sent(&chain), number);
            chain.chain.set_balance(deployer, ether);
            is_finished_by_resuming(&chain, &folder);
            assert_eq!(sent(&chain), TRANSACTIONS);
        })
        .await;
    }
}

/// An endpoint can estimate too little, and nothing but the receipt shows it.
#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_that_runs_out_of_gas_in_the_middle_stops_and_is_finished_with_more() {
    // The creation of a contract, and a call.
    for (name, number) in [("creation", 5), ("call", 9)] {
        let chain = EmptyChain::new().await;
        let folder = folder_with(&format!("no-gas-{name}"), "tests", unchanged);
        while_served(move || {
            let to = chain.address();
            let (url, through) =
                counting(to, move |sent, request| match request["method"].as_str().unwrap() {
                    _ if sent != number => None,
                    "eth_estimateGas" => {
                        let mut answer = forward(to, request);
                        let digits = answer["result"].as_str().unwrap().trim_start_matches("0x");
                        let needed = u64::from_str_radix(digits, 16).unwrap();
                        answer["result"] = json!(format!("{:#x}", needed * 7 / 10));
                        Some(answer)
                    }
                    "eth_call" => {
                        request["params"][0].as_object_mut().unwrap().remove("gas");
                        None
                    }
                    _ => None,
                });
            let said = fails(chain.deploy_by(&folder, &url, "--yes"), 1);
            assert!(said.contains("the deployment stopped"), "{said}");
            assert!(said.contains("with --resume"), "{said}");
            assert_eq!(through.load(Ordering::SeqCst), number + 1, "nothing is sent after it");
            assert_eq!(sent(&chain), number + 1);
            is_finished_by_resuming(&chain, &folder);
            assert_eq!(sent(&chain), TRANSACTIONS + 1);
        })
        .await;
    }
}
