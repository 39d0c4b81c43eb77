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
    live::about_from,
    sending::{ACCOUNT, about, by, fails, shown},
    servers::{Folder, cut_at, forward, relay, sends},
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
        assert!(said.contains("nothing to send: it is already done"), "{said}");
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

/// A stranger sends the same creation first, so that the command's own fails on the chain.
#[tokio::test(flavor = "multi_thread")]
async fn a_creation_that_somebody_else_sends_first_is_a_success() {
    let chain = Chain::new().await;
    let folder = Folder::new("outrun-creation");
    let stranger = chain.account(3);
    while_served(move || {
        let file = file_of(&chain, &folder);
        let mut rollup = String::new();
        for (number, format) in (1..).zip(["", "--json"]) {
            let command = match number {
                1 => format!("rollup deploy {file}"),
                _ => format!("payload upgrade {rollup} --uri x"),
            };
            let unsigned = about(&chain, &folder, &format!("{command} --unsigned"));
            let printed = json(unsigned.args(["--from", &stranger.to_string()]));
            let (to, devchain) = (chain.address(), chain.chain.clone());
            let runtime = tokio::runtime::Handle::current();
            let outrunning = relay(move |request| {
                if sends(request) {
                    let _entered = runtime.enter();
                    crate::chain::execute_as(&devchain, stranger, &printed);
                }
                Some(forward(to, request))
            });
            let planned = json(about(
                &chain,
                &folder,
                &format!("{command} --dry-run --json --from {stranger}"),
            ));
            let endpoint = format!("http://{outrunning}");
            let sent = about_from(&endpoint, &chain, &folder, &format!("{command} --yes {format}"));
            let output = sent.env("CANON_PRIVATE_KEY", chain.key(ACCOUNT)).output().unwrap();
            let said = crate::support::said(output.stderr);
            assert!(output.status.success(), "{said}");
            assert_eq!(transactions(&chain), number, "it was sent, and failed");
            let shown = String::from_utf8(output.stdout).unwrap();
            if number == 1 {
                rollup = planned["rollup"].as_str().unwrap().to_owned();
                let exists =
                    format!("The contract {rollup} exists: somebody else created it first");
                assert!(shown.starts_with(&exists), "{shown}");
                assert!(shown.contains("\n  The transaction of this command failed"), "{shown}");
                assert!(shown.contains("\n  fee    0.00"), "{shown}");
                assert!(shown.contains("\nThe rollup is deployed and genuine"), "{shown}");
            } else {
                let shown: Value = serde_json::from_str(&shown).unwrap();
                let changed = &shown["transactions"][0]["changed"];
                assert_eq!(changed["kind"], "created_by_others", "{shown}");
                assert_eq!(changed["contract"], planned["payload"]);
            }
            let (_, said) = crate::sending::shown(by(&chain, &folder, &format!("{command} --yes")));
            assert!(said.contains("nothing to send: it is already done"), "{said}");
        }
    })
    .await;
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
        let snapshot = chain.chain.snapshot();
        chain.execute_batch(multisig, &safe);
        let said = fails(unsigned(&format!("rollup deploy {file} --unsigned")), 4);
        assert!(said.contains("nothing is left to send, so there is nothing to sign"), "{said}");
        chain.chain.revert(snapshot).unwrap();
        chain.execute_as(multisig, &printed);
        let rollup = planned["rollup"].as_str().unwrap();
        let said = fails(unsigned(&format!("rollup deploy {file} --unsigned")), 4);
        assert!(said.contains("nothing is left to send, so there is nothing to sign"), "{said}");
        let upgrade = format!("payload upgrade {rollup} --uri x --unsigned");
        let snapshot = chain.chain.snapshot();
        chain.execute_batch(multisig, &json(unsigned(&format!("{upgrade} safe"))));
        let said = fails(unsigned(&upgrade), 4);
        assert!(said.contains("nothing is left to send, so there is nothing to sign"), "{said}");
        chain.chain.revert(snapshot).unwrap();
        chain.execute_as(multisig, &json(unsigned(&upgrade)));
        assert_eq!(transactions(&chain), 0);
        let (_, said) =
            shown(by(&chain, &folder, &format!("payload upgrade {rollup} --uri x --yes")));
        assert!(said.contains("nothing to send: it is already done"), "{said}");
        assert_eq!(transactions(&chain), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollup_can_be_paid_by_another_distributor() {
    let mut chain = Chain::new().await;
    let folder = Folder::new("upgrade-distributor");
    let distributor = chain.distributor(chain.set.governance).await;
    let present = chain.set.reward_distributor.unwrap();
    while_served(move || {
        let file = file_of(&chain, &folder);
        let named = format!("reward_distributor = \"{distributor}\"\n");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains("# reward_distributor = \"0x…\"\n"), "{text}");
        fs::write(&file, text.replace("# reward_distributor = \"0x…\"\n", &named)).unwrap();
        let preview = stdout(by(&chain, &folder, &format!("rollup deploy {file} --dry-run")));
        let change = format!(
            "  RewardDistributor  {distributor}  (changed)\n        present one     {present}\n"
        );
        assert!(preview.contains(&change), "{preview}");
        let deployed = json(by(&chain, &folder, &format!("rollup deploy {file} --yes --json")));
        let arguments = &deployed["arguments"][0]["value"];
        assert_eq!(arguments["rewardDistributor"], distributor.to_string());
        let rollup = deployed["rollup"].as_str().unwrap();
        stdout(by(&chain, &folder, &format!("payload upgrade {rollup} --uri x --yes")));

        chain.upgrade(rollup.parse().unwrap());
        let audit = stdout(by(&chain, &folder, "audit"));
        assert!(audit.contains("Findings: 0 errors, "), "{audit}");
        assert!(!audit.contains("former-rollup"), "{audit}");
        let report = json(by(&chain, &folder, "audit --json"));
        assert_eq!(report["contracts"][5]["address"], distributor.to_string());
        assert_eq!(report["parameters"]["block_reward"], "7000000000000000000");
        // The next rollup is paid by it, too, unless its file names the former one.
        fs::write(&file, text.replace("epoch_slots = 30\n", "epoch_slots = 40\n")).unwrap();
        let preview = stdout(by(&chain, &folder, &format!("rollup deploy {file} --dry-run")));
        assert!(preview.contains(&format!("  RewardDistributor  {distributor}\n")), "{preview}");
        let named = format!("reward_distributor = \"{present}\"\n{text}");
        fs::write(&file, named.replace("epoch_slots = 30\n", "epoch_slots = 40\n")).unwrap();
        let preview = stdout(by(&chain, &folder, &format!("rollup deploy {file} --yes")));
        assert!(preview.contains("The rollup is deployed and genuine"), "{preview}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_distributor_that_is_not_the_sets_is_refused() {
    let mut chain = Chain::new().await;
    let folder = Folder::new("upgrade-wrong-distributor");
    let stranger = chain.account(5);
    let strangers = chain.distributor(stranger).await;
    let given_away = chain.distributor(chain.set.governance).await;
    chain.give_away(given_away, chain.set.governance);
    while_served(move || {
        let file = file_of(&chain, &folder);
        let text = fs::read_to_string(&file).unwrap();
        let governance = chain.set.governance;
        for (distributor, says) in [
            (stranger, format!("expected RewardDistributor at {stranger}, found no code")),
            (chain.set.asset, format!("RewardDistributor's constructor from {}", chain.set.asset)),
            (strangers, format!("was constructed with owner {stranger}, expected {governance}")),
            (given_away, format!("the owner of RewardDistributor at {given_away} is 0x9999")),
        ] {
            fs::write(&file, format!("reward_distributor = \"{distributor}\"\n{text}")).unwrap();
            let said = fails(by(&chain, &folder, &format!("rollup deploy {file} --yes")), 1);
            assert!(said.contains("the contract in reward_distributor isn't genuine"), "{said}");
            assert!(said.contains(&says), "{said}");
        }
        fs::write(&file, format!("reward_distributor = \"0x12\"\n{text}")).unwrap();
        let said = fails(by(&chain, &folder, &format!("rollup deploy {file} --yes")), 2);
        assert!(said.contains("reward_distributor: expected an address"), "{said}");
        assert_eq!(transactions(&chain), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_payload_to_an_unsuitable_rollup_is_refused() {
    let chain = Chain::new().await;
    let folder = Folder::new("upgrade-refused");
    while_served(move || {
        let upgrade = |rollup: &dyn std::fmt::Display| {
            by(&chain, &folder, &format!("payload upgrade {rollup} --uri x --yes"))
        };
        let said = fails(upgrade(&chain.set.rollup), 1);
        let canonical = format!("the rollup {} is canonical already", chain.set.rollup);
        assert!(said.contains(&canonical), "{said}");
        let said = fails(upgrade(&chain.payload), 1);
        assert!(said.contains("the new rollup isn't genuine"), "{said}");
        let said = fails(upgrade(&"0x00000000000000000000000000000000000000aa"), 1);
        assert!(
            said.contains("there is no contract at 0x00000000000000000000000000000000000000AA"),
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
