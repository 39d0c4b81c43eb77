//! Reaching a chain and a set, opening keys, and the folders of a user.

use std::fs;

use snapbox::{cmd::Command, file};

use crate::{
    chain::Chain,
    sending::KEYSTORE,
    servers::{Folder, closed_port},
    support::canon,
    transcript::Transcript,
};

/// The program in a folder without `canon.toml`.
fn nowhere(arguments: &str) -> Command {
    canon().args(arguments.split_whitespace()).current_dir("/")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_or_a_set_that_cannot_be_read_is_named() {
    let mut t = Transcript::new("errors-reaching");
    let chain = Chain::new().await;
    t.add("status", nowhere("status"));
    let url = format!("--rpc-url {}", chain.url());
    let mut add = |arguments: &str| {
        let typed = format!("{arguments} {url}");
        t.add(&typed.replace(&chain.url(), "URL"), nowhere(&typed));
    };
    add("status");
    add("status --registry 0x00000000000000000000000000000000000000aa");
    // A contract that isn't a Registry.
    add(&format!("status --registry {}", chain.set.asset));
    add(&format!("status --registry {} --chain-id 1", chain.set.registry));
    let dead = format!("http://{}", closed_port());
    let typed = format!("status --registry {} --rpc-url {dead}", chain.set.registry);
    t.add(&typed.replace(&dead, "URL"), nowhere(&typed));
    t.add("status --rpc-url nothing", nowhere("status --rpc-url nothing"));
    t.is(file!["reaching.txt"].raw());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_cannot_be_opened_is_named_without_its_secret() {
    let mut t = Transcript::new("errors-keys");
    t.folder.write(".foundry/keystores/operator", KEYSTORE);
    t.folder.write("wrong", "wrong\n");
    t.folder.write("key", "0x12\n");
    t.folder.write("words", "test test test\n");
    let home = t.folder.path().to_owned();
    let registry = "0x00000000000000000000000000000000000000aa";
    // No server listens on this port.
    let push = |arguments: &str| {
        nowhere(&format!("push --yes {arguments}"))
            .args(["--rpc-url", "http://localhost:1", "--registry", registry])
            .env("HOME", &home)
    };
    let at = |name: &str| home.join(name).display().to_string();
    for arguments in [
        "--account operater".to_owned(),
        "--account operator".to_owned(),
        format!("--account operator --password-file {}", at("wrong")),
        format!("--account operator --password-file {}", at("missing")),
        format!("--account {}", "ab".repeat(32)),
        format!("--keystore {}", at("missing")),
        format!("--keystore {}", at("key")),
        format!("--private-key-file {}", at("key")),
        format!("--private-key-file {}", at("missing")),
        format!("--mnemonic-file {}", at("words")),
        format!("--private-key-file {} --mnemonic-file {}", at("key"), at("words")),
        "--mnemonic-index 3".to_owned(),
    ] {
        let shown = arguments.replace(&"ab".repeat(32), "KEY");
        t.add(&format!("push {shown}"), push(&arguments));
    }
    t.note("HOME isn't an absolute path");
    t.add("push --account operator", push("--account operator").env("HOME", "."));
    t.is(file!["keys.txt"].raw());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_for_files_is_asked_for_if_needed_and_never_the_working_folder() {
    let mut t = Transcript::new("errors-home");
    let chain = crate::live::with_proposal().await;
    let folder = t.folder.file("working");
    fs::create_dir(&folder).unwrap();
    for arguments in ["proposal 0", "lock 5 --yes"] {
        let command = canon()
            .args(arguments.split(' '))
            .args(["--rpc-url", &chain.url(), "--registry", &chain.set.registry.to_string()])
            .env("CANON_PRIVATE_KEY", chain.key(0))
            .env("HOME", ".")
            .current_dir(&folder);
        t.add(arguments, command);
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    t.is(file!["home.txt"].raw());
}

/// Whatever file a person names, a command reads a limited part of it.
#[test]
fn a_file_without_an_end_is_refused() {
    let set = "--rpc-url http://localhost:1 --registry 0x00000000000000000000000000000000000000aa";
    for arguments in [
        "status --config /dev/zero SET",
        "deploy /dev/zero --rpc-url http://localhost:1",
        "audit --manifest /dev/zero --rpc-url http://localhost:1",
        "rehearse --scenario /dev/zero",
        "push --yes --private-key-file /dev/zero SET",
        "push --yes --mnemonic-file /dev/zero SET",
        "push --yes --keystore /dev/zero SET",
        "vote 0 --signature /dev/zero SET",
        "signal 0x7777777777777777777777777777777777777777 --signature /dev/zero SET",
    ] {
        let output = nowhere(&arguments.replace("SET", set)).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments}: {said}");
        assert!(said.contains("expected at most 16 MiB, found more"), "{arguments}: {said}");
    }
}

/// A file in the wrong place may be one with a key or a mnemonic.
#[test]
fn a_file_with_a_secret_in_the_place_of_another_one_is_not_repeated() {
    let folder = Folder::new("errors-secrets");
    let key = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    let words = "test test test test test test test test test test test junk";
    for (content, secret) in [
        (key.to_owned(), key),
        (format!("0x{key}"), key),
        (format!("CANON_PRIVATE_KEY=0x{key}"), key),
        (format!("0x{key} = 1"), key),
        (format!("\"{key}\" = \"a\""), key),
        (words.to_owned(), "test test"),
        (format!("MNEMONIC={words}"), "junk"),
    ] {
        let file = folder.file("file");
        fs::write(&file, &content).unwrap();
        for command in [
            "deploy FILE",
            "rehearse --scenario FILE",
            "config --config FILE",
            "audit --manifest FILE",
        ] {
            let arguments = command.replace("FILE", file.to_str().unwrap());
            let output =
                nowhere(&arguments).env("ETH_RPC_URL", "http://localhost:1").output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{command} {content}: {said}");
            assert!(!said.contains(secret), "{command} {content}: {said}");
        }
    }
}
