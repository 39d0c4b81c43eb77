//! `canon deploy`: deploys a set from a file.

use std::{
    fs,
    net::SocketAddr,
    time::{SystemTime, UNIX_EPOCH},
};

use alloy_primitives::{Address, Bytes, U256, hex};
use canon_devchain::{DEPLOYMENT_PROXY, Devchain, DevchainConfig, ServerHandle, serve};
use serde_json::Value;
use snapbox::{assert_data_eq, cmd::Command, file, str};

use crate::{
    servers::{Folder, forward, relay, sends},
    support::{canon, stable_costs, stdout, while_served},
};

/// A chain without a set, served over HTTP.
pub(crate) struct EmptyChain {
    pub(crate) chain: Devchain,
    server: ServerHandle,
}

impl EmptyChain {
    pub(crate) async fn new() -> Self {
        Self::with(DevchainConfig::default()).await
    }

    /// A chain whose id isn't that of a development node.
    async fn foreign() -> Self {
        #[expect(clippy::disallowed_methods, reason = "endpoints with old blocks aren't trusted")]
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let config = DevchainConfig::default();
        Self::with(DevchainConfig { chain_id: 5, genesis_timestamp: now, ..config }).await
    }

    async fn with(config: DevchainConfig) -> Self {
        let chain = Devchain::new(config);
        let server = serve(chain.clone(), SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        Self { chain, server }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.server.addr()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The private key of the account that deploys.
    pub(crate) fn key(&self) -> String {
        hex::encode(self.chain.dev_accounts()[0].to_bytes())
    }

    pub(crate) fn transactions(&self) -> u64 {
        self.chain.nonce(self.chain.dev_accounts()[0].address())
    }

    /// Returns `canon deploy` with the file in a folder.
    pub(crate) fn deploy(&self, folder: &Folder, arguments: &str) -> Command {
        self.deploy_by(folder, &self.url(), arguments)
    }

    /// Returns the same command with another endpoint.
    pub(crate) fn deploy_by(&self, folder: &Folder, endpoint: &str, arguments: &str) -> Command {
        canon()
            .arg("deploy")
            .arg(folder.file("deployment.toml"))
            .args(arguments.split_whitespace())
            .args(["--rpc-url", endpoint])
            .env("XDG_STATE_HOME", folder.file("state"))
            .env("CANON_PRIVATE_KEY", self.key())
    }

    /// Returns a command about a set that was deployed.
    pub(crate) fn about(&self, folder: &Folder, registry: &str, arguments: &str) -> Command {
        canon()
            .args(arguments.split_whitespace())
            .args(["--rpc-url", &self.url(), "--registry", registry])
            .env("XDG_STATE_HOME", folder.file("state"))
            .env("CANON_PRIVATE_KEY", self.key())
    }
}

/// Creates a folder with the parameter file of a preset.
pub(crate) fn folder_with(name: &str, preset: &str, change: impl Fn(&str) -> String) -> Folder {
    let folder = Folder::new(name);
    let printed = stdout(canon().args(["deploy", "--print-config", "--preset", preset]));
    fs::write(folder.file("deployment.toml"), change(&printed)).unwrap();
    folder
}

pub(crate) fn unchanged(text: &str) -> String {
    text.to_owned()
}

/// Replaces the parts of a text that differ between runs, such as the folder's path, or follow from the
/// contracts' code.
fn stable(text: &str, folder: &Folder) -> String {
    let path = folder.file("").display().to_string();
    let text = stable_costs(&text.replace(&path, "[FOLDER]/"));
    let is_url = |line: &str| line.trim_start().starts_with("rpc-url = ");
    text.lines()
        .map(
            |line| if is_url(line) { "  rpc-url = [..]\n".to_owned() } else { format!("{line}\n") },
        )
        .collect()
}

/// Runs a command that fails with this code, and returns its error.
pub(crate) fn fails(command: Command, code: i32) -> String {
    let output = command.output().unwrap();
    let said = crate::support::said(output.stderr);
    assert_eq!((output.status.code(), &*output.stdout), (Some(code), &b""[..]), "{said}");
    said
}

#[test]
fn a_file_is_printed_with_every_field_explained() {
    let printed =
        |preset: &str| stdout(canon().args(["deploy", "--print-config", "--preset", preset]));
    assert_data_eq!(printed("tests"), file!["deploy-tests.toml"].raw());
    assert_data_eq!(printed("mainnet-like"), file!["deploy-mainnet-like.toml"].raw());
    let default = stdout(canon().args(["deploy", "--print-config"]));
    assert_eq!(default, printed("mainnet-like"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_is_deployed_in_one_command_and_leaves_a_manifest() {
    let chain = EmptyChain::new().await;
    let folder = folder_with("deploy", "tests", unchanged);
    while_served(move || {
        let preview = stdout(chain.deploy(&folder, "--dry-run"));
        assert_data_eq!(stable(&preview, &folder), file!["deploy-preview.txt"].raw());
        let document: Value =
            serde_json::from_str(&stdout(chain.deploy(&folder, "--dry-run --json"))).unwrap();
        assert_eq!(document["contracts"].as_array().unwrap().len(), 8);
        assert_eq!(chain.transactions(), 0, "a dry run sends nothing");
        assert_eq!(fs::read_dir(folder.file("")).unwrap().count(), 1, "nor leaves a file");

        let output = chain.deploy(&folder, "--yes").output().unwrap();
        let (said, result) =
            (String::from_utf8(output.stderr).unwrap(), String::from_utf8(output.stdout).unwrap());
        assert!(output.status.success(), "{said}");
        assert_data_eq!(stable(&said, &folder), file!["deploy-progress.txt"].raw());
        assert_data_eq!(stable(&result, &folder), file!["deploy.txt"].raw());
        assert_eq!(chain.transactions(), 13);

        let manifest = fs::read_to_string(folder.file("deployment.manifest.json")).unwrap();
        let manifest: Value = serde_json::from_str(&manifest).unwrap();
        for contract in manifest["contracts"].as_array().unwrap() {
            let address = contract["address"].as_str().unwrap();
            for shown in [&preview, &said, &result] {
                assert!(shown.contains(address), "{address}: {shown}");
            }
            assert!(contract["creation"]["transaction"].is_string(), "{contract}");
            for hash in ["salt", "init_code_hash", "code_hash"] {
                assert_eq!(contract[hash].as_str().unwrap().len(), 66, "{hash}");
            }
        }
        let names = |index: usize| {
            let arguments = manifest["contracts"][index]["arguments"].as_array().unwrap();
            arguments.iter().map(|one| one["name"].as_str().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(names(2), ["registry", "n", "m"]);
        let rollup = &manifest["contracts"][7]["arguments"][0]["value"];
        assert_eq!(rollup["slotDuration"], "24");
        // The folder contains only the parameters, the manifest, and the folder with the account's lock.
        assert_eq!(fs::read_dir(folder.file("")).unwrap().count(), 3);
        assert!(!said.contains(&chain.key()) && !result.contains(&chain.key()));

        // The printed canon.toml can be used without changes.
        let registry = manifest["contracts"][1]["address"].as_str().unwrap();
        let shown = result.split("canon.toml, for the commands below").nth(1).unwrap();
        let shown = shown.split("\n\n").next().unwrap();
        fs::write(folder.file("canon.toml"), shown.replace("\n  ", "\n")).unwrap();
        let status = canon().current_dir(folder.file("")).arg("status");
        assert!(stdout(status).contains(registry));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_that_nobody_confirmed() {
    let chain = EmptyChain::new().await;
    let folder = folder_with("unconfirmed", "tests", unchanged);
    while_served(move || {
        let said = fails(chain.deploy(&folder, ""), 2);
        assert!(said.contains("expected a terminal on which to ask, found none"), "{said}");
        assert_eq!(chain.transactions(), 0);
        assert!(!folder.file("deployment.manifest.json.unfinished").exists());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_that_hurt_are_refused_unless_the_file_accepts_them() {
    let chain = EmptyChain::foreign().await;
    let folder = folder_with("hurt", "tests", unchanged);
    while_served(move || {
        let said = fails(chain.deploy(&folder, "--yes"), 1);
        assert_data_eq!(said.clone(), file!["deploy-refused.txt"].raw());
        let accept = said.lines().find_map(|line| line.strip_prefix("  accept = ")).unwrap();
        let text = fs::read_to_string(folder.file("deployment.toml")).unwrap();
        let accepting = format!("accept = {accept}\n{text}");
        fs::write(folder.file("deployment.toml"), &accepting).unwrap();
        let preview = stdout(chain.deploy(&folder, "--dry-run"));
        assert!(preview.contains("accepted  short-epochs\n"), "{preview}");
        assert!(preview.contains("warning   short-lock-delay\n"), "{preview}");
        // One rule that isn't accepted suffices for a refusal.
        fs::write(folder.file("deployment.toml"), accepting.replace("\"short-grace\", ", ""))
            .unwrap();
        let said = fails(chain.deploy(&folder, "--yes"), 1);
        assert!(said.contains("accept = [\"short-grace\"]"), "{said}");
        assert_eq!(chain.transactions(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mainnet_like_set_needs_no_accept() {
    let chain = EmptyChain::foreign().await;
    let folder = folder_with("mainnet-like", "mainnet-like", |text| {
        format!("accept = [\"short-epochs\"]\n{text}")
    });
    while_served(move || {
        let output = chain.deploy(&folder, "--dry-run").output().unwrap();
        let said = crate::support::said(output.stderr);
        assert!(output.status.success(), "{said}");
        assert_eq!(said, "note: accept names short-epochs, which isn't broken\n");
        let preview = String::from_utf8(output.stdout).unwrap();
        assert!(!preview.contains("Rules that these parameters break"), "{preview}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_file_is_named_with_line_and_field() {
    let chain = EmptyChain::new().await;
    while_served(move || {
        let says = |change: &dyn Fn(&str) -> String| {
            let folder = folder_with("deploy-malformed", "tests", change);
            let said = fails(chain.deploy(&folder, "--yes"), 2);
            stable(&said, &folder)
        };
        assert_data_eq!(
            says(&|text| text.replace("quorum = \"10 %\"", "quorum = \"110 %\"")),
            str![[r#"
error: the file can't be used

  [FOLDER]/deployment.toml:53:10: governance.quorum: expected a percentage from 0 % to 100 %, found "110 %"
     |
  53 | quorum = "110 %"
     |          ^^^^^^^

next: correct the file; `canon deploy --print-config` explains every field

"#]]
        );
        assert_data_eq!(
            says(&|text| text.replace("lock_amount = \"1,000\"", "lock_amount = \"1.000\"")),
            str![[r#"
error: the file can't be used

  [FOLDER]/deployment.toml:63:15: governance.lock_amount: expected 1000 or 1, since 1.000 can be read as either, found "1.000"
     |
  63 | lock_amount = "1.000"
     |               ^^^^^^^

next: correct the file; `canon deploy --print-config` explains every field

"#]]
        );
        assert_data_eq!(
            says(&|text| text.replace("lock_amount = \"1,000\"", "lock_amount = 1.000")),
            str![[r#"
error: the file can't be used

  [FOLDER]/deployment.toml:63:15: governance.lock_amount: invalid type: floating point `1.0`, expected a text in quotation marks or a whole number
     |
  63 | lock_amount = 1.000
     |               ^^^^^

next: correct the file; `canon deploy --print-config` explains every field

"#]]
        );
        assert_data_eq!(says(&|text| text.replace("epoch_slots", "epoch_slot")), str![[r#"
error: the file can't be used

  [FOLDER]/deployment.toml:79:1: rollup.epoch_slot: unknown field `epoch_slot`, expected one of `genesis`, `slot_duration`, `epoch_slots`, `minimum_stake`, `exit_delay`
     |
  79 | epoch_slot = 16
     | ^^^^^^^^^^

next: correct the file; `canon deploy --print-config` explains every field

"#]]);
        assert_data_eq!(says(&|text| format!("accept = [\"short-epoch\"]\n{text}")), str![[r#"
error: the file can't be used

  [FOLDER]/deployment.toml:1:11: accept: expected the name of a rule, as the warnings have it, found "short-epoch"
    |
  1 | accept = ["short-epoch"]
    |           ^^^^^^^^^^^^^

next: correct the file; `canon deploy --print-config` explains every field

"#]]);
        let out_of_bounds = |text: &str| {
            let text = text.replace("n = 6", "n = 5").replace("\"100\"", "0");
            text.replace("name = \"Canon Test\"", "name = \" \"")
        };
        assert_data_eq!(says(&out_of_bounds), str![[r#"
error: the parameters can't be deployed

  [FOLDER]/deployment.toml:10:8: asset.name: expected a text, found an empty one
     |
  10 | name = " "
     |        ^^^

  [FOLDER]/deployment.toml:30:5: signaling.n: expected more than half of the m = 10 slots and at most all: 6 to 10, found 5
     |
  30 | n = 5
     |     ^

  [FOLDER]/deployment.toml:82:17: rollup.minimum_stake: expected more than 0 tokens, found 0
     |
  82 | minimum_stake = 0
     |                 ^

next: correct the file; `canon deploy --print-config` explains every field

"#]]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_or_begun_deployment_is_not_begun_again() {
    let chain = EmptyChain::new().await;
    let folder = folder_with("deploy-twice", "tests", unchanged);
    while_served(move || {
        let said = fails(chain.deploy(&folder, "--yes --resume"), 2);
        assert!(
            said.contains("--resume: expected a deployment that has begun, found neither"),
            "{said}"
        );
        assert!(said.contains("deployment.manifest.json.unfinished"), "{said}");
        assert_eq!(chain.transactions(), 0);
        stdout(chain.deploy(&folder, "--yes --json"));
        let said = fails(chain.deploy(&folder, "--yes"), 2);
        assert!(said.contains("exists: this deployment is finished"), "{said}");
        let next = "another set needs another --manifest, and another salt in [origin]";
        assert!(said.contains(next), "{said}");
        // Without the manifest, the deployed contracts are found on the chain.
        let manifest = folder.file("deployment.manifest.json");
        fs::remove_file(&manifest).unwrap();
        for arguments in ["--yes", "--yes --resume"] {
            let said = fails(chain.deploy(&folder, arguments), 2);
            assert!(
                said.contains("the set is finished; name the genesis of that rollup"),
                "{said}"
            );
        }
        fs::write(folder.file("deployment.manifest.json.unfinished"), "").unwrap();
        let said = fails(chain.deploy(&folder, "--yes"), 2);
        assert!(said.contains("exists: this deployment is begun and not finished"), "{said}");
        assert_eq!(chain.transactions(), 13);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_file_where_the_manifest_is_to_be_is_neither_believed_nor_overwritten() {
    let (chain, other) = (EmptyChain::new().await, EmptyChain::foreign().await);
    let folder = folder_with("deploy-other-file", "tests", unchanged);
    while_served(move || {
        let manifest = folder.file("deployment.manifest.json");
        let is_kept = |chain: &EmptyChain, content: &str, says: &str| {
            fs::write(&manifest, content).unwrap();
            for arguments in ["--yes", "--yes --resume", "--dry-run"] {
                let said = fails(chain.deploy(&folder, arguments), 2);
                assert!(
                    said.contains("deployment.manifest.json: expected no file, found "),
                    "{said}"
                );
                assert!(said.contains(says) && !said.contains("is finished"), "{said}");
                assert!(
                    said.contains("next: it isn't overwritten: name another --manifest"),
                    "{said}"
                );
                assert_eq!(fs::read_to_string(&manifest).unwrap(), content);
            }
        };
        for content in ["", "notes\n", "{}", "{\"version\": 1}"] {
            is_kept(&chain, content, "found one that isn't a deployment's manifest: ");
        }
        assert_eq!(chain.transactions(), 0);
        fs::remove_file(&manifest).unwrap();
        stdout(chain.deploy(&folder, "--yes"));
        let written = fs::read_to_string(&manifest).unwrap();
        let says = "the manifest of a deployment on chain 31337, and this is chain 5";
        is_kept(&other, &written, says);
        let file = folder.file("deployment.toml");
        let parameters = fs::read_to_string(&file).unwrap();
        fs::write(&file, parameters.replace("CANT", "CANU")).unwrap();
        is_kept(
            &chain,
            &written,
            "the manifest of a deployment with other parameters, on chain 31337",
        );
        assert_eq!((chain.transactions(), other.transactions()), (13, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_begun_is_not_advised_to_be_resumed() {
    let chain = EmptyChain::new().await;
    let folder = folder_with("deploy-not-begun", "tests", unchanged);
    while_served(move || {
        let again = "next: remove the cause, then run the same command again";
        // The record can't be written there.
        let said = fails(chain.deploy(&folder, "--yes --manifest /dev/null/manifest.json"), 3);
        assert!(
            said.contains("the record of the deployment, without which nothing is sent"),
            "{said}"
        );
        assert!(said.contains(again) && !said.contains("--resume"), "{said}");
        chain.chain.set_base_fee_next(600_000_000_000);
        chain.chain.mine().unwrap();
        let said = fails(chain.deploy(&folder, "--yes"), 3);
        assert!(said.contains("wait until the base fee is lower"), "{said}");
        assert!(said.contains(again) && !said.contains("--resume"), "{said}");
        assert!(!folder.file("deployment.manifest.json.unfinished").exists());
    })
    .await;
}

/// Somebody else created the first contracts with the same deployer and salt.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_without_a_record_is_shown_before_it_is_taken_over() {
    let chain = EmptyChain::new().await;
    let folder = folder_with("deploy-taken-over", "tests", |text| {
        text.replace("# genesis = 1767225600\n", "genesis = 1767225600\n")
    });
    while_served(move || {
        let deployer = chain.chain.dev_accounts()[0].address();
        let dry_run = |more: &str| stdout(chain.deploy(&folder, &format!("--dry-run {more}")));
        let gas = |document: &str| {
            serde_json::from_str::<Value>(document).unwrap()["gas"].as_u64().unwrap()
        };
        let whole = gas(&dry_run("--json"));
        let printed = chain.deploy(&folder, &format!("--unsigned --from {deployer}"));
        let printed = stdout(printed.env_remove("CANON_PRIVATE_KEY"));
        let printed: Value = serde_json::from_str(&printed).unwrap();
        for index in [0, 1, 2] {
            crate::chain::execute_as(&chain.chain, Address::repeat_byte(0xaa), &printed[index]);
        }
        let said = fails(chain.deploy(&folder, "--yes"), 2);
        assert!(said.contains("the chain has Asset at 0x"), "{said}");
        let preview = dry_run("--resume");
        assert!(
            preview.contains(
                "\nBegun without a record here, by an earlier command or by somebody else\n  create Asset, \
                 create Registry, create Proposals.\n  The addresses prove the code and its arguments. 10 steps \
                 are left.\n"
            ),
            "{preview}"
        );
        assert_eq!(preview.matches("  done\n").count(), 3, "{preview}");
        let document = dry_run("--resume --json");
        assert_eq!(gas(&document), whole - 1_550_000 - 900_000 - 2_500_000);
        let document: Value = serde_json::from_str(&document).unwrap();
        assert_eq!(document["done"], serde_json::json!(["asset", "registry", "proposals"]));
        let said = chain.deploy(&folder, "--yes --resume").output().unwrap();
        let said = crate::support::said(said.stderr);
        assert!(said.contains("Begun without a record here"), "{said}");
        assert_eq!(chain.transactions(), 10);
    })
    .await;
}

/// A stranger who watches the pool sends each transaction that anyone can send first.
#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_whose_creations_somebody_else_sends_first_is_finished() {
    let chain = EmptyChain::new().await;
    let folder = folder_with("deploy-outrun", "tests", |text| {
        text.replace("# genesis = 1767225600\n", "genesis = 1767225600\n")
    });
    while_served(move || {
        let deployer = chain.chain.dev_accounts()[0].address();
        let printed = chain.deploy(&folder, &format!("--unsigned --from {deployer}"));
        let printed = stdout(printed.env_remove("CANON_PRIVATE_KEY"));
        let printed: Vec<Value> = serde_json::from_str(&printed).unwrap();
        let (to, devchain) = (chain.address(), chain.chain.clone());
        let runtime = tokio::runtime::Handle::current();
        let mut sent = 0;
        let address = relay(move |request| {
            if sends(request) {
                let _entered = runtime.enter();
                // The creations.
                if sent < 8 {
                    let stranger = Address::repeat_byte(0xaa);
                    crate::chain::execute_as(&devchain, stranger, &printed[sent]);
                }
                sent += 1;
            }
            Some(forward(to, request))
        });
        let output =
            chain.deploy_by(&folder, &format!("http://{address}"), "--yes").output().unwrap();
        let said = crate::support::said(output.stderr);
        assert!(output.status.success(), "{said}");
        assert_eq!(
            said.matches(": somebody else did it first; the transaction of this").count(),
            8
        );
        assert_eq!(said.matches(", failed and cost 0.00").count(), 8, "{said}");
        assert_eq!(chain.transactions(), 13);
        let text = fs::read_to_string(folder.file("deployment.manifest.json")).unwrap();
        let manifest: Value = serde_json::from_str(&text).unwrap();
        assert!(manifest["contracts"][0]["creation"]["transaction"].is_string(), "{manifest}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contracts_of_another_set_are_not_taken_over() {
    let chain = EmptyChain::new().await;
    let folder = folder_with("deploy-other-set", "tests", unchanged);
    while_served(move || {
        stdout(chain.deploy(&folder, "--yes --json"));
        let first = fs::read_to_string(folder.file("deployment.toml")).unwrap();
        let salted = |text: &str| {
            let commented = "# [origin]\n";
            assert!(text.contains(commented), "{text}");
            let salt = format!("[origin]\nsalt = \"0x{}1\"\n", "0".repeat(63));
            text.replace(commented, &salt)
        };
        // Only the Registry is shared, or the Asset, too.
        for (contract, from, to) in [
            ("Registry", "symbol = \"CANT\"", "symbol = \"CANU\""),
            ("Asset", "quorum = \"10 %\"", "quorum = \"11 %\""),
        ] {
            let second = first.replace(from, to);
            assert_ne!(second, first);
            fs::write(folder.file("deployment.toml"), &second).unwrap();
            for arguments in ["--yes", "--yes --resume", "--dry-run", "--dry-run --resume"] {
                let arguments = format!("{arguments} --manifest {}", folder.file("2").display());
                let said = fails(chain.deploy(&folder, &arguments), 2);
                assert!(said.contains(&format!("error: {contract} at 0x")), "{said}");
                assert!(said.contains("belongs to another set: it was handed over to"), "{said}");
                assert!(said.contains("next: choose another salt in [origin]"), "{said}");
                assert!(!said.contains("--resume"), "{said}");
            }
            fs::write(folder.file("deployment.toml"), salted(&second)).unwrap();
            let manifest = folder.file("2");
            stdout(chain.deploy(&folder, &format!("--dry-run --manifest {}", manifest.display())));
        }
        assert_eq!(chain.transactions(), 13);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_genesis_in_the_file_keeps_the_rollups_address() {
    let chain = EmptyChain::new().await;
    let folder = folder_with("deploy-genesis", "tests", |text| {
        text.replace("# genesis = 1767225600\n", "genesis = 1767225600\n")
    });
    while_served(move || {
        let preview = || stdout(chain.deploy(&folder, "--dry-run"));
        let before = preview();
        assert!(before.contains("  slot 0             2026-01-01 00:00:00 UTC\n"), "{before}");
        chain.chain.mine().unwrap();
        let rollup = |preview: &str| {
            let line = preview.lines().find(|line| line.starts_with("  Rollup  "));
            line.unwrap().to_owned()
        };
        assert_eq!(rollup(&preview()), rollup(&before));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_ether_is_named_before_anything_is_sent() {
    let chain = EmptyChain::new().await;
    let folder = folder_with("deploy-poor", "tests", unchanged);
    let deployer = chain.chain.dev_accounts()[0].address();
    chain.chain.set_balance(deployer, U256::from(1_000_000_000_000_000_u64));
    while_served(move || {
        let said = fails(chain.deploy(&folder, "--yes"), 1);
        assert!(said.contains("the account has 0.001 ether"), "{said}");
        assert!(said.contains("ether is missing"), "{said}");
        // A dry run shows the plan nevertheless.
        for (arguments, shows) in [("--dry-run", "\nCost\n"), ("--dry-run --json", "\"most_fee\"")]
        {
            let output = chain.deploy(&folder, arguments).output().unwrap();
            let said = crate::support::said(output.stderr);
            assert_eq!(output.status.code(), Some(1), "{said}");
            assert!(said.contains("ether is missing"), "{said}");
            let plan = String::from_utf8(output.stdout).unwrap();
            assert!(plan.contains(shows), "{plan}");
        }
        assert_eq!(chain.transactions(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_creation_of_the_deployment_proxy_is_shown_and_paid_for() {
    const CREATOR: &str = "0x3fAB184622Dc19b6109349B94811493BF2a45362";
    let chain = EmptyChain::new().await;
    chain.chain.set_code(DEPLOYMENT_PROXY, Bytes::new()).unwrap();
    let folder = folder_with("deploy-proxy", "tests", unchanged);
    let deployer = chain.chain.dev_accounts()[0].address();
    while_served(move || {
        let dry_run = |arguments: &str| stdout(chain.deploy(&folder, arguments));
        let preview = dry_run("--dry-run");
        let step = format!(
            "\nFirst, since this chain lacks the deterministic deployment proxy\n  \
             pays 0.01 ether to its creator\n                     {CREATOR}\n  \
             sends its creator's transaction, which creates it at\n                     {DEPLOYMENT_PROXY}\n"
        );
        assert!(preview.contains(&step), "{preview}");
        assert!(preview.contains("\n  proxy's creator    0.01 ether\n"), "{preview}");

        let document: Value = serde_json::from_str(&dry_run("--dry-run --json")).unwrap();
        assert_eq!(document["proxy"]["creator"], CREATOR);
        let wei = |value: &Value| value.as_str().unwrap().parse::<U256>().unwrap();
        let payment = wei(&document["proxy"]["payment"]);
        assert_eq!(payment, U256::from(10_000_000_000_000_000_u64));
        let needed = wei(&document["most_fee"]) + payment;
        chain.chain.set_balance(deployer, needed - U256::from(1));
        let said = fails(chain.deploy(&folder, "--yes"), 1);
        assert!(said.contains("ether is missing"), "{said}");
        assert_eq!(chain.transactions(), 0);
        chain.chain.set_balance(deployer, needed);
        assert!(dry_run("--dry-run").contains("proxy's creator"));

        // Whoever has paid the creator already is asked for no payment.
        chain.chain.set_balance(CREATOR.parse().unwrap(), payment);
        let preview = dry_run("--dry-run");
        assert!(preview.contains("\n  its creator has the ether for it\n"), "{preview}");
        assert!(!preview.contains("proxy's creator"), "{preview}");
        chain.chain.set_balance(CREATOR.parse().unwrap(), U256::ZERO);

        chain.chain.set_balance(deployer, needed * U256::from(10));
        stdout(chain.deploy(&folder, "--yes"));
        // The payment, and the 13 of a deployment.
        assert_eq!(chain.transactions(), 14);
    })
    .await;
}
