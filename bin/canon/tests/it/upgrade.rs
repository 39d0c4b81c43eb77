//! `canon rollup deploy` and `canon payload upgrade`: the steps that prepare an upgrade.

use std::{
    fs,
    process::{Command as Process, Stdio},
};

use canon_devchain::Mining;
use serde_json::Value;
use snapbox::{
    assert_data_eq,
    cmd::{Command, cargo_bin},
    file,
};

use crate::{
    chain::Chain,
    sending::{ACCOUNT, about, by, fails, shown},
    servers::{Folder, cut_at},
    support::{stdout, while_served},
};

fn transactions(chain: &Chain) -> u64 {
    chain.chain.nonce(chain.account(ACCOUNT))
}

/// Writes the file of a rollup with longer epochs than the present one.
fn file_of(chain: &Chain, folder: &Folder) -> String {
    let printed = stdout(about(chain, folder, "rollup deploy --print-config"));
    assert!(printed.contains("epoch_slots = 2\n") && printed.contains("genesis = "), "{printed}");
    let file = folder.file("rollup.toml");
    fs::write(&file, printed.replace("epoch_slots = 2\n", "epoch_slots = 30\n")).unwrap();
    file.display().to_string()
}

fn json(command: Command) -> Value {
    serde_json::from_str(&stdout(command)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollup_and_its_payload_are_two_commands_and_sent_once() {
    let chain = Chain::new().await;
    let folder = Folder::new("upgrade");
    while_served(move || {
        let file = file_of(&chain, &folder);
        let deploy =
            |arguments: &str| by(&chain, &folder, &format!("rollup deploy {file} {arguments}"));
        let (preview, _) = shown(deploy("--dry-run"));
        assert_data_eq!(preview, file!["rollup-preview.txt"].raw());
        let planned = json(deploy("--dry-run --json"));
        assert_eq!(transactions(&chain), 0, "a dry run sends nothing");
        let said = fails(deploy(""), 2);
        assert!(said.contains("expected a terminal on which to ask, found none"), "{said}");
        let (result, _) = shown(deploy("--yes"));
        assert_data_eq!(result, file!["rollup.txt"].raw());
        assert_eq!(transactions(&chain), 1);
        let rollup = planned["rollup"].as_str().unwrap();
        let (again, said) = shown(deploy("--yes"));
        assert!(said.contains("nothing was sent: the chain has what the command does"), "{said}");
        assert!(again.starts_with("The rollup is deployed and genuine"), "{again}");
        assert_eq!(transactions(&chain), 1, "the same file is the same rollup");

        let arguments = format!("payload upgrade {rollup} --uri https://azip.example/7");
        let upgrade = |more: &str| by(&chain, &folder, &format!("{arguments} {more}"));
        let (preview, _) = shown(upgrade("--dry-run"));
        assert_data_eq!(preview, file!["payload-preview.txt"].raw());
        let planned = json(upgrade("--dry-run --json"));
        assert_eq!(planned["actions"].as_array().unwrap().len(), 4);
        assert_eq!(transactions(&chain), 1);
        let result = stdout(upgrade("--yes"));
        for field in ["payload", "actions_hash"] {
            assert!(result.contains(planned[field].as_str().unwrap()), "{field}: {result}");
        }
        assert_data_eq!(crate::sending::stable(&result), file!["payload.txt"].raw());
        let again = json(upgrade("--yes --json"));
        assert_eq!(again["payload"], planned["payload"]);
        assert_eq!(again["transactions"], serde_json::json!([]));
        assert_eq!(transactions(&chain), 2);
    })
    .await;
}

/// Whatever the endpoint did with the transaction when the process was killed, the same command creates the contract
/// once, and its outcome names the transaction.
#[tokio::test(flavor = "multi_thread")]
async fn a_creation_that_is_killed_goes_on_and_is_sent_once() {
    for (round, handed_on) in [false, true].into_iter().enumerate() {
        let chain = Chain::new().await;
        let folder = Folder::new(&format!("killed-creation-{round}"));
        while_served(move || {
            let rollup = format!("rollup deploy {} --yes", file_of(&chain, &folder));
            let created = killed_and_resumed(&chain, &folder, &rollup, handed_on);
            let address = created["rollup"].as_str().unwrap();
            assert_eq!(created["transactions"][0]["changed"]["contract"], address);
            assert_eq!(transactions(&chain), 1);
            let payload = format!("payload upgrade {address} --uri x --yes");
            let created = killed_and_resumed(&chain, &folder, &payload, handed_on);
            assert_eq!(created["transactions"][0]["changed"]["contract"], created["payload"]);
            assert_eq!(transactions(&chain), 2);
        })
        .await;
    }
}

/// Kills a command at its transaction, and runs it again to its end.
fn killed_and_resumed(chain: &Chain, folder: &Folder, command: &str, handed_on: bool) -> Value {
    let (cut, reached) = cut_at(chain.address(), 0, handed_on);
    chain.chain.set_mining(Mining::Manual);
    let mut process = Process::new(cargo_bin!("canon"))
        .args(command.split_whitespace())
        .args(["--rpc-url", &format!("http://{cut}")])
        .args(["--registry", &chain.set.registry.to_string()])
        .env("XDG_CACHE_HOME", folder.file("cache"))
        .env("XDG_STATE_HOME", folder.file("state"))
        .env("CANON_PRIVATE_KEY", chain.key(ACCOUNT))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    reached.recv().unwrap();
    // Another command of the account has to wait for this one.
    let said = fails(by(chain, folder, "setup-epoch --yes"), 3);
    assert!(said.contains("another command sends for this account"), "{said}");
    process.kill().unwrap();
    process.wait().unwrap();
    assert_eq!(chain.chain.pool_size(), usize::from(handed_on));
    chain.chain.set_mining(Mining::Auto);
    if handed_on {
        chain.chain.mine().unwrap();
    }
    let output = by(chain, folder, &format!("{command} --json")).output().unwrap();
    let said = crate::support::said(output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("was interrupted before its outcome was shown"), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A multisig deploys what it was shown. No other key is needed.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollup_and_its_payload_can_be_created_by_somebody_else() {
    let chain = Chain::new().await;
    let folder = Folder::new("upgrade-unsigned");
    let multisig = chain.account(3);
    while_served(move || {
        let file = file_of(&chain, &folder);
        let unsigned = |arguments: &str| {
            about(&chain, &folder, arguments).args(["--from", &multisig.to_string()])
        };
        let printed = json(unsigned(&format!("rollup deploy {file} --unsigned")));
        let planned = json(unsigned(&format!("rollup deploy {file} --dry-run --json")));
        let safe = json(unsigned(&format!("rollup deploy {file} --unsigned safe")));
        assert_eq!(safe["transactions"][0]["data"], printed["data"]);
        assert_eq!(safe["meta"]["createdFromSafeAddress"], multisig.to_string());
        chain.execute_as(multisig, &printed);
        let rollup = planned["rollup"].as_str().unwrap();
        let said = fails(unsigned(&format!("rollup deploy {file} --unsigned")), 4);
        assert!(said.contains("nothing is left to send, so there is nothing to sign"), "{said}");
        let upgrade = format!("payload upgrade {rollup} --uri x --unsigned");
        chain.execute_as(multisig, &json(unsigned(&upgrade)));
        assert_eq!(transactions(&chain), 0);
        let (_, said) =
            shown(by(&chain, &folder, &format!("payload upgrade {rollup} --uri x --yes")));
        assert!(said.contains("nothing was sent: the chain has what the command does"), "{said}");
        assert_eq!(transactions(&chain), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_for_what_is_no_rollup_of_the_set_is_refused() {
    let chain = Chain::new().await;
    let folder = Folder::new("upgrade-refused");
    while_served(move || {
        let upgrade = |rollup: &dyn std::fmt::Display| {
            by(&chain, &folder, &format!("payload upgrade {rollup} --uri x --yes"))
        };
        let said = fails(upgrade(&chain.set.rollup), 1);
        assert!(said.contains("action 4: the action was refused: Registry__"), "{said}");
        let said = fails(upgrade(&chain.payload), 1);
        assert!(said.contains("the new rollup isn't genuine"), "{said}");
        let said = fails(upgrade(&"0x00000000000000000000000000000000000000aa"), 1);
        assert!(
            said.contains(
                "expected Rollup at 0x00000000000000000000000000000000000000AA, found no code"
            ),
            "{said}"
        );
        let said = fails(upgrade(&"0x12"), 2);
        assert!(said.contains("expected an address"), "{said}");
        assert_eq!(transactions(&chain), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_is_not_genuine_gets_no_further_contracts() {
    let chain = Chain::new().await;
    let folder = Folder::new("upgrade-not-genuine");
    // A stranger accepts the ownership of the rollup, which then no longer belongs to Governance.
    let (rollup, governance) = (chain.set.rollup, chain.set.governance);
    chain.give_away(rollup, governance);
    while_served(move || {
        let file = file_of(&chain, &folder);
        for command in [
            format!("rollup deploy {file} --yes"),
            format!("payload upgrade {rollup} --uri x --yes"),
        ] {
            let said = fails(by(&chain, &folder, &command), 1);
            assert!(said.contains("the set isn't genuine"), "{said}");
            assert!(said.contains("`canon audit` shows what is wrong"), "{said}");
        }
        assert_eq!(transactions(&chain), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollups_file_that_is_wrong_is_named() {
    let chain = Chain::new().await;
    let folder = Folder::new("wrong-rollup");
    while_served(move || {
        let file = file_of(&chain, &folder);
        let good = fs::read_to_string(&file).unwrap();
        let genesis = good.lines().find(|line| line.starts_with("genesis = ")).unwrap().to_owned();
        for (from, to, code, says) in [
            (
                &*genesis,
                "",
                2,
                "rollup.genesis: expected the first second of slot 0, found nothing",
            ),
            (
                &*genesis,
                "genesis = 4000000000",
                1,
                "rollup.genesis: expected at most the newest block's time, 2026-01-01 00:00:25 UTC, found \
                 2096-10-02 07:06:40 UTC",
            ),
            (
                "exit_delay = \"1 h\"",
                "exit_delay = \"1 s\"",
                2,
                ": rollup.exit_delay: expected two epochs to 365 days, 24 min to 365 d, found 1 s\n",
            ),
            (
                "slot_duration = \"24 s\"",
                "slot_duration = 24",
                2,
                "rollup.slot_duration: expected a duration",
            ),
        ] {
            fs::write(&file, good.replace(from, to)).unwrap();
            let said = fails(by(&chain, &folder, &format!("rollup deploy {file} --yes")), code);
            assert!(said.contains(says), "{said}");
        }
        assert_eq!(transactions(&chain), 0);
    })
    .await;
}
