//! Commands that send.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Stdio},
};

use alloy_primitives::{Address, U256, address};
use canon_devchain::Mining;
use serde_json::Value;
use snapbox::{assert_data_eq, cmd::Command, file};

use crate::{
    chain::Chain,
    servers::Folder,
    support::{self, canon, stdout, while_served, without_hashes},
};

/// The index of the account that sends in these tests.
pub(crate) const ACCOUNT: usize = 1;

/// Returns a command about a set without an account, with its own folders.
pub(crate) fn about(chain: &Chain, folder: &Folder, arguments: &str) -> Command {
    let registry = chain.set.registry.to_string();
    canon()
        .args(arguments.split_whitespace())
        .args(["--rpc-url", &chain.url(), "--registry", &registry])
        .env("XDG_CACHE_HOME", folder.file("cache"))
        .env("XDG_STATE_HOME", folder.file("state"))
}

/// Returns the same command with the account's key in the environment.
pub(crate) fn by(chain: &Chain, folder: &Folder, arguments: &str) -> Command {
    about(chain, folder, arguments).env("CANON_PRIVATE_KEY", chain.key(ACCOUNT))
}

/// The text that a successful command writes to stdout and to stderr.
pub(crate) fn shown(command: Command) -> (String, String) {
    let output = command.output().unwrap();
    let said = crate::support::said(output.stderr);
    assert!(output.status.success(), "{said}");
    (stable(&String::from_utf8(output.stdout).unwrap()), stable(&said))
}

/// Runs a command that fails with this code, and returns its error.
pub(crate) fn fails(command: Command, code: i32) -> String {
    let output = command.output().unwrap();
    let said = crate::support::said(output.stderr);
    assert_eq!((output.status.code(), &*output.stdout), (Some(code), &b""[..]), "{said}");
    said
}

/// Replaces the parts of a text that change with the contracts: addresses, hashes, gas and fees.
pub(crate) fn stable(text: &str) -> String {
    let text = without_hashes(text);
    let lines = text.lines().map(|line| {
        let is_cost = ["gas  ", "fee  ", "costs up to", "at most "]
            .iter()
            .any(|word| line.trim_start().starts_with(word));
        let digits = |line: &str| {
            line.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }).collect::<String>()
        };
        match is_cost {
            true => {
                let mut line = digits(line);
                for (long, short) in [("##", "#"), ("#,#", "#"), ("#.#", "#"), ("##", "#")] {
                    while line.contains(long) {
                        line = line.replace(long, short);
                    }
                }
                line
            }
            false => line.to_owned(),
        }
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// A chain on which round 1 can be pushed.
pub(crate) async fn with_winner() -> Chain {
    let mut chain = Chain::new().await;
    let payload = chain.payload;
    for slot in 10..16 {
        chain.signal(slot, payload).await;
    }
    chain.pass(20);
    chain
}

#[tokio::test(flavor = "multi_thread")]
async fn push_finds_the_round_that_is_due_and_says_what_it_does_before_and_after() {
    let folder = Folder::new("push");
    let chain = with_winner().await;
    while_served(move || {
        let (result, said) = shown(by(&chain, &folder, "push --yes"));
        assert_data_eq!(result, file!["push.txt"].raw());
        assert_data_eq!(said, file!["push-words.txt"].raw());
        let again = fails(by(&chain, &folder, "push --yes"), 4);
        assert_data_eq!(stable(&again), file!["push-nothing.txt"].raw());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_that_was_won_and_missed_is_named() {
    let folder = Folder::new("push-missed");
    let mut chain = with_winner().await;
    let payload = chain.payload;
    chain.record_seed_of(22).await;
    chain.pass(22);
    while_served(move || {
        let signal = about(&chain, &folder, &format!("signal {payload} --yes"));
        let said = fails(signal.env("CANON_PRIVATE_KEY", chain.key(0)), 1);
        assert!(said.contains("it has won round 1"), "{said}");
        assert!(said.contains("next: no more signals are needed: `canon push`"), "{said}");
        chain.pass(90);
        let said = fails(by(&chain, &folder, "push --yes"), 4);
        // Rounds have 10 slots of 24 seconds, and are pushed for five rounds.
        let missed = format!(
            "round 1 was won by {payload} and wasn't pushed in time (until 2026-01-01 00:27:59 UTC, inclusive)"
        );
        assert!(said.contains(&missed) && said.contains("is not won yet"), "{said}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_that_cannot_be_pushed_is_refused_with_the_reason() {
    let folder = Folder::new("push-round");
    let chain = with_winner().await;
    while_served(move || {
        for (round, code, says) in [
            (0, 1, "round 0 can't be pushed\n  because nobody signaled in it"),
            (2, 4, "round 2 can't be pushed\n  because round 2 is not won yet: its leader has 0 signals of 6"),
            (3, 4, "round 3 can't be pushed\n  because it has not begun: round 2 is running"),
        ] {
            let said = fails(by(&chain, &folder, &format!("push {round} --yes")), code);
            assert!(said.contains(says), "{said}");
        }
        let (result, _) = shown(by(&chain, &folder, "push 1 --yes"));
        assert!(result.starts_with("The winner of round 1 is proposal 0\n"), "{result}");
        let again = fails(by(&chain, &folder, "push 1 --yes"), 1);
        assert!(again.contains("because it was pushed already: it is proposal 0"), "{again}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_needs_no_key_and_sends_nothing() {
    let folder = Folder::new("dry-run");
    let chain = with_winner().await;
    while_served(move || {
        let block = chain.chain.block_number();
        let from = chain.account(ACCOUNT);
        let arguments = format!("push --dry-run --from {from}");
        let (shown, _) = shown(about(&chain, &folder, &arguments));
        assert_data_eq!(shown, file!["push-dry-run.txt"].raw());
        let document = stdout(about(&chain, &folder, &arguments).arg("--json"));
        let document: Value = serde_json::from_str(&document).unwrap();
        assert_eq!(document["account"], from.to_string());
        assert!(document["steps"][0]["gas"].as_u64().unwrap() > 21_000);
        assert_eq!(chain.chain.block_number(), block);
        assert!(!folder.file("state").exists());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_outcome_is_one_json_document() {
    let folder = Folder::new("json");
    let chain = with_winner().await;
    while_served(move || {
        let document = stdout(by(&chain, &folder, "push --yes --json"));
        let document: Value = serde_json::from_str(&document).unwrap();
        let transaction = &document["transactions"][0];
        assert_eq!(document["account"], chain.account(ACCOUNT).to_string());
        assert_eq!(transaction["step"], "Make the winner of round 1 a proposal");
        assert_eq!(transaction["block"], chain.chain.block_number().to_string());
        let hash = transaction["hash"].as_str().unwrap().parse().unwrap();
        let gas = chain.chain.gas_used(hash).unwrap();
        assert_eq!(transaction["gas_used"], gas);
        let fee: u128 = transaction["fee"].as_str().unwrap().parse().unwrap();
        assert!(fee.is_multiple_of(gas.into()) && fee > gas.into(), "{fee}");
        let changed = &transaction["changed"];
        assert_eq!(
            (&changed["kind"], &changed["round"]),
            (&"pushed".into(), &"1".into()),
            "{changed}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_without_a_terminal_a_key_or_the_means() {
    let folder = Folder::new("means");
    let chain = with_winner().await;
    while_served(move || {
        let block = chain.chain.block_number();
        let said = fails(by(&chain, &folder, "push"), 2);
        assert!(said.contains("expected a terminal on which to ask, found none"), "{said}");
        let said = fails(about(&chain, &folder, "push --yes"), 2);
        assert!(said.contains("expected the key that signs, found none"), "{said}");
        let other = format!("push --yes --from {}", chain.account(2));
        assert!(fails(by(&chain, &folder, &other), 2).contains("--from: expected 0x"));
        chain.chain.set_balance(chain.account(ACCOUNT), U256::from(1_000));
        let said = stable(&fails(by(&chain, &folder, "push --yes"), 1));
        assert!(said.contains("0x[..] has 0.000000000000001 ether, and up to "), "{said}");
        assert!(said.contains(" is missing"), "{said}");
        assert_eq!(chain.chain.block_number(), block);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_password_is_refused_before_anything_is_asked_of_the_chain() {
    let folder = Folder::new("password");
    let keystore = folder.file("key");
    std::fs::write(&keystore, KEYSTORE).unwrap();
    let password = folder.file("password");
    std::fs::write(&password, "wrong\n").unwrap();
    let push = || {
        let registry = "0x00000000000000000000000000000000000000aa";
        // No server listens on this port.
        canon()
            .args(["push", "--yes", "--rpc-url", "http://localhost:1", "--registry", registry])
            .args(["--keystore", keystore.to_str().unwrap()])
    };
    let said = fails(push(), 2);
    assert!(said.contains("expected the password of the keystore"), "{said}");
    let said = fails(push().env("ETH_PASSWORD", &password), 2);
    assert!(said.contains("the password doesn't open the keystore"), "{said}");
    assert!(!said.contains("wrong"), "{said}");
}

#[test]
fn a_secret_in_the_place_of_a_file_is_not_shown() {
    let folder = Folder::new("secret-path");
    let keystore = folder.file("key");
    std::fs::write(&keystore, KEYSTORE).unwrap();
    let registry = "0x00000000000000000000000000000000000000aa";
    let push = |flags: &[&str]| {
        let endpoint = ["--rpc-url", "http://localhost:1", "--registry", registry];
        canon().args(["push", "--yes"]).args(endpoint).args(flags)
    };
    let (key, mnemonic) = (format!("0x{}", "ab".repeat(32)), ["test"; 12].join(" "));
    for secret in [&*key, &*mnemonic] {
        for flag in ["--account", "--keystore", "--private-key-file", "--mnemonic-file", "--config"]
        {
            let said = fails(push(&[flag, secret]), 2);
            assert!(said.contains(flag) && !said.contains(secret), "{said}");
        }
        let vote = canon().args(["vote", "0", "--yes", "--signature", secret]);
        let said = fails(vote, 2);
        assert!(said.contains("--signature") && !said.contains(secret), "{said}");
    }
    // Any text can be a password.
    let keystore = keystore.to_str().unwrap();
    let named = push(&["--keystore", keystore, "--password-file", "swordfish"]);
    let in_environment = push(&["--keystore", keystore]).env("ETH_PASSWORD", "swordfish");
    for command in [named, in_environment] {
        let said = fails(command, 2);
        let expected = "--password-file (ETH_PASSWORD): expected a password in the named file";
        assert!(said.contains(expected) && !said.contains("swordfish"), "{said}");
    }
    // A folder can be read by no one, and is no password.
    let folder = folder.file("").display().to_string();
    let said = fails(push(&["--keystore", keystore, "--password-file", &folder]), 2);
    assert!(said.contains(&format!("expected a password in {folder}")), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foundry_account_signs_and_no_secret_is_shown() {
    let folder = Folder::new("account");
    let chain = with_winner().await;
    while_served(move || {
        let keystores = folder.file(".foundry/keystores");
        std::fs::create_dir_all(&keystores).unwrap();
        std::fs::write(keystores.join("operator"), KEYSTORE).unwrap();
        let password = folder.file("password");
        std::fs::write(&password, "testpassword\n").unwrap();
        let from = address!("0x008aeeda4d805471df9b2a5b0f38a0c3bcba786b");
        chain.chain.set_balance(from, U256::from(10).pow(U256::from(18)));
        let push = |account: &str| {
            about(&chain, &folder, &format!("push --yes --account {account}"))
                .env("HOME", folder.file(""))
                .env("ETH_PASSWORD", &password)
        };
        let said = fails(push("operater"), 2);
        assert!(said.contains("there is no keystore operater in "), "{said}");
        assert!(said.contains("there are: operator"), "{said}");
        let said = fails(push(&chain.key(1)), 2);
        assert!(said.contains("--account: expected the name of a keystore, found what"), "{said}");
        assert!(!said.contains(&chain.key(1)), "{said}");
        let output = push("operator").output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(output.status.success(), "{said}");
        assert!(said.contains(&format!("From {from}:")), "{said}");
        // Other users can read the file.
        assert!(said.contains("note: other users of this machine can read "), "{said}");
        for secret in ["testpassword", "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc3"] {
            assert!(!said.contains(secret), "{said}");
        }
        assert_eq!(chain.chain.nonce(from), 1);
    })
    .await;
}

/// The example from the definition of Web3 Secret Storage.
pub(crate) const KEYSTORE: &str = r#"{"crypto": {"cipher": "aes-128-ctr", "cipherparams":
{"iv": "6087dab2f9fdbbfaddc31a909735c1e6"}, "ciphertext":
"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46", "kdf": "pbkdf2", "kdfparams":
{"c": 262144, "dklen": 32, "prf": "hmac-sha256", "salt":
"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"}, "mac":
"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},
"id": "3198bc9c-6672-5ab3-d995-4942343ae5b6", "version": 3}"#;

#[tokio::test(flavor = "multi_thread")]
async fn an_account_in_use_is_left_alone_and_its_user_is_named() {
    let folder = Folder::new("in-use");
    let chain = with_winner().await;
    while_served(move || {
        let block = chain.chain.block_number();
        let state = folder.file("state/canon");
        std::fs::create_dir_all(&state).unwrap();
        let name = format!("31337-{:#x}", chain.account(ACCOUNT));
        let lock = std::fs::File::create(state.join(format!("{name}.lock"))).unwrap();
        lock.try_lock().unwrap();
        std::fs::write(state.join(format!("{name}.user")), "process 4711: canon lock 5\n").unwrap();
        let said = fails(by(&chain, &folder, "push --yes"), 3);
        assert!(said.contains("to write its name is process 4711: canon lock 5"), "{said}");
        assert_eq!(chain.chain.block_number(), block);
        drop(lock);
        shown(by(&chain, &folder, "push --yes"));
    })
    .await;
}

/// Returns a command by one of the chain's accounts, as a process to be started.
pub(crate) fn process(
    chain: &Chain,
    folder: &Folder,
    account: usize,
    arguments: &str,
) -> std::process::Command {
    let registry = chain.set.registry.to_string();
    let mut command = support::process();
    command
        .args(arguments.split_whitespace())
        .args(["--rpc-url", &chain.url(), "--registry", &registry])
        .env("XDG_CACHE_HOME", folder.file("cache"))
        .env("XDG_STATE_HOME", folder.file("state"))
        .env("CANON_PRIVATE_KEY", chain.key(account));
    command
}

/// Starts a command whose output goes to pipes.
pub(crate) fn start(chain: &Chain, folder: &Folder, arguments: &str) -> Child {
    process(chain, folder, ACCOUNT, arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_while_it_waits_goes_on_and_sends_nothing_twice() {
    let folder = Folder::new("killed-sending");
    let chain = with_winner().await;
    while_served(move || {
        chain.chain.set_mining(Mining::Manual);
        let mut first = start(&chain, &folder, "push --yes");
        while chain.chain.pool_size() == 0 {
            assert!(first.try_wait().unwrap().is_none(), "it waits");
            std::thread::yield_now();
        }
        first.kill().unwrap();
        assert!(first.wait_with_output().unwrap().stdout.is_empty());

        let mut second = start(&chain, &folder, "push --yes");
        // The command prints this after it has started to handle Ctrl-C.
        let mut stderr = BufReader::new(second.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("was interrupted before its outcome was shown") {
            assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "{said}");
        }
        let pid = second.id().to_string();
        assert!(
            std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success()
        );
        stderr.read_to_string(&mut said).unwrap();
        assert_eq!(second.wait().unwrap().code(), Some(3), "{said}");
        assert!(said.contains(" may still be mined\n  because Ctrl-C was pressed"), "{said}");
        assert!(said.contains("next: run the same command again"), "{said}");
        assert_eq!(chain.chain.pool_size(), 1);

        let mut again = start(&chain, &folder, "push --yes");
        while again.try_wait().unwrap().is_none() {
            if chain.chain.pool_size() > 0 {
                chain.chain.mine().unwrap();
            }
            std::thread::yield_now();
        }
        let ended = again.wait_with_output().unwrap();
        let said = crate::support::said(ended.stderr);
        assert!(ended.status.success(), "{said}");
        assert!(
            said.contains("`canon push` was interrupted before its outcome was shown"),
            "{said}"
        );
        let result = String::from_utf8(ended.stdout).unwrap();
        assert!(result.starts_with("The winner of round 1 is proposal 0\n"), "{result}");
        assert_eq!(chain.chain.nonce(chain.account(ACCOUNT)), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_chain_signs_for_its_unlocked_accounts() {
    let folder = Folder::new("unlocked");
    let chain = with_winner().await;
    while_served(move || {
        let stranger = "push --yes --unlocked --from 0x00000000000000000000000000000000000000aa";
        let said = fails(about(&chain, &folder, stranger), 2);
        assert!(said.contains("the endpoint doesn't sign for 0x"), "{said}");
        let from = chain.account(3);
        shown(about(&chain, &folder, &format!("push --yes --unlocked --from {from}")));
        assert_eq!(chain.chain.nonce(from), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_printed_for_somebody_else_does_the_same_when_it_is_executed() {
    let folder = Folder::new("unsigned");
    let chain = with_winner().await;
    while_served(move || {
        // The account isn't one of the chain's, since a Safe has no key.
        let safe = &Address::repeat_byte(0x5a).to_string();
        let arguments = format!("push --unsigned --from {safe}");
        let printed: Value =
            serde_json::from_str(&stdout(about(&chain, &folder, &arguments))).unwrap();
        let names: Vec<_> = printed.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["chainId", "data", "gas", "to", "value"]);
        assert_eq!((&printed["value"], &printed["chainId"]), (&"0".into(), &31337.into()));
        let batch =
            stdout(about(&chain, &folder, &arguments.replace("--unsigned", "--unsigned safe")));
        let batch: Value = serde_json::from_str(&batch).unwrap();
        assert_data_eq!(
            without_hashes(&serde_json::to_string_pretty(&batch).unwrap()),
            file!["push-safe.json"].raw()
        );
        assert_eq!(batch["meta"]["createdFromSafeAddress"], **safe);
        let call = &batch["transactions"][0];
        assert_eq!((&call["to"], &call["data"]), (&printed["to"], &printed["data"]));
        let state = folder.file("state");
        assert!(!state.exists(), "nothing is sent");
        chain.execute_as(safe.parse().unwrap(), &printed);
        let list: Value =
            serde_json::from_str(&stdout(about(&chain, &folder, "proposal --json"))).unwrap();
        assert_eq!(list.as_array().unwrap().len(), 1);
    })
    .await;
}
