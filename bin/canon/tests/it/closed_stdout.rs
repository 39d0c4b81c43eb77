//! Commands that send, when nobody reads what they print.

use std::{
    fs::File,
    io::pipe,
    process::{Command, Output, Stdio},
};

use crate::{
    chain::{Chain, tokens},
    deploy::{EmptyChain, folder_with, unchanged},
    sending::{ACCOUNT, by, shown},
    servers::Folder,
    support::{process, said, while_served},
};

/// Runs a command of the account with this stdout, and returns its exit code and what it says.
fn run(chain: &Chain, folder: &Folder, arguments: &str, stdout: Stdio) -> (Option<i32>, String) {
    let registry = chain.set.registry.to_string();
    let mut command = process();
    command
        .args(arguments.split_whitespace())
        .args(["--rpc-url", &chain.url(), "--registry", &registry])
        .env("XDG_CACHE_HOME", folder.file("cache"))
        .env("XDG_STATE_HOME", folder.file("state"))
        .env("CANON_PRIVATE_KEY", chain.key(ACCOUNT));
    ended(command, stdout)
}

fn ended(mut command: Command, stdout: Stdio) -> (Option<i32>, String) {
    let process = command.stdout(stdout).stderr(Stdio::piped()).stdin(Stdio::null()).spawn();
    let Output { status, stderr, .. } = process.unwrap().wait_with_output().unwrap();
    (status.code(), said(stderr))
}

/// A pipe without a reader.
fn unread() -> Stdio {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    writer.into()
}

/// A device to which nothing can be written, which shows only when something is.
fn full() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_if_nobody_reads_the_result() {
    let folder = Folder::new("unread");
    let mut chain = Chain::new().await;
    chain.give(ACCOUNT, tokens(20)).await;
    let empty = EmptyChain::new().await;
    let deployment = folder_with("unread-deploy", "tests", unchanged);
    while_served(move || {
        for arguments in ["lock 5 --yes", "lock 5 --yes --json"] {
            let (code, said) = run(&chain, &folder, arguments, unread());
            assert_eq!(code, Some(3), "{said}");
            let title = "stdout has no reader, and the result is written there: nothing was sent";
            assert!(said.contains(title), "{said}");
        }
        assert_eq!(chain.chain.nonce(chain.account(ACCOUNT)), 0);
        // What isn't sent may be cut off, as by head.
        let (code, said) = run(&chain, &folder, "lock 5 --dry-run", unread());
        assert_eq!(code, Some(0), "{said}");

        let mut command = process();
        command
            .arg("deploy")
            .arg(deployment.file("deployment.toml"))
            .args(["--yes", "--rpc-url", &empty.url()])
            .env("XDG_STATE_HOME", deployment.file("state"))
            .env("CANON_PRIVATE_KEY", empty.key());
        let (code, said) = ended(command, unread());
        assert_eq!((code, empty.transactions()), (Some(3), 0), "{said}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_stdout_does_not_take_is_said_elsewhere_and_printed_by_the_next_run() {
    let folder = Folder::new("untaken");
    let mut chain = Chain::new().await;
    chain.give(ACCOUNT, tokens(20)).await;
    while_served(move || {
        let (code, said) = run(&chain, &folder, "lock 5 --yes", full());
        assert_eq!(code, Some(3), "{said}");
        let title = "it is done, and stdout doesn't take the result, which is above";
        assert!(said.contains(title) && said.contains("No space left on device"), "{said}");
        assert!(said.contains("it prints the result again, and sends nothing twice"), "{said}");
        let nonce = chain.chain.nonce(chain.account(ACCOUNT));
        let (result, _) = shown(by(&chain, &folder, "lock 5 --yes"));
        assert_eq!(chain.chain.nonce(chain.account(ACCOUNT)), nonce, "nothing is sent twice");
        for line in result.lines().filter(|line| line.starts_with("Locked")) {
            assert!(said.contains(line), "{line}: {said}");
        }
        // Then the order is over, and the same one is a new one.
        shown(by(&chain, &folder, "lock 5 --yes"));
        assert!(chain.chain.nonce(chain.account(ACCOUNT)) > nonce);
    })
    .await;
}
