//! The question before something is sent, on a terminal.

use alloy_primitives::U256;

use crate::{
    chain::Chain,
    deploy::{EmptyChain, folder_with},
    sending::{self, ACCOUNT},
    sending_holder::with_tokens,
    servers::Folder,
    support::{process, while_served},
    terminal::{Ended, OnTerminal},
};

const QUESTION: &str = "Send it? [y/N] ";

/// Locks tokens, with a line that is typed ahead and one that answers the question.
fn lock(chain: &Chain, folder: &Folder, ahead: Option<&str>, answer: &str) -> Ended {
    let mut command = OnTerminal::start(sending::process(chain, folder, ACCOUNT, "lock 1"));
    if let Some(ahead) = ahead {
        command.answer(ahead);
    }
    command.read_until(QUESTION);
    command.answer(answer);
    command.ended()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_yes_sends() {
    let folder = Folder::new("asking");
    let chain = with_tokens().await;
    while_served(move || {
        let mut sent = 0;
        for (answer, code) in
            [("", 1), ("n", 1), ("no", 1), ("yep", 1), ("y", 0), ("yes", 0), ("Y", 0), ("q", 1)]
        {
            let Ended { code: found, said, .. } = lock(&chain, &folder, None, answer);
            assert_eq!(found, Some(code), "{answer:?}: {said}");
            sent += if code == 0 { 2 } else { 0 };
            assert_eq!(chain.chain.nonce(chain.account(ACCOUNT)), sent, "{answer:?}: {said}");
            assert_eq!(said.contains("the answer was no: nothing was sent"), code == 1, "{said}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_typed_before_the_question_confirms_nothing() {
    let folder = Folder::new("typed-ahead");
    let chain = with_tokens().await;
    while_served(move || {
        let sent = || chain.chain.nonce(chain.account(ACCOUNT));
        let Ended { code, said, .. } = lock(&chain, &folder, Some("y"), "n");
        assert_eq!((code, sent()), (Some(1), 0), "{said}");
        let Ended { code, said, .. } = lock(&chain, &folder, Some("n"), "y");
        assert_eq!((code, sent()), (Some(0), 2), "{said}");
    })
    .await;
}

/// Starts a deployment that asks.
fn deploy(chain: &EmptyChain, folder: &Folder) -> OnTerminal {
    let mut command = process();
    command
        .arg("deploy")
        .arg(folder.file("deployment.toml"))
        .args(["--rpc-url", &chain.url()])
        .env("XDG_STATE_HOME", folder.file("state"))
        .env("CANON_PRIVATE_KEY", chain.key());
    OnTerminal::start(command)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_is_not_deployed_without_a_yes() {
    let chain = EmptyChain::new().await;
    let folder = folder_with("asking-deploy", "tests", str::to_owned);
    while_served(move || {
        let mut command = deploy(&chain, &folder);
        command.read_until("Deploy this set? [y/N] ");
        command.answer("n");
        let Ended { code, said, .. } = command.ended();
        assert_eq!((code, chain.transactions()), (Some(1), 0), "{said}");
        assert!(!folder.file("deployment.manifest.json.unfinished").exists());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_about_a_set_that_the_account_can_not_pay_for() {
    let chain = EmptyChain::new().await;
    let folder = folder_with("asking-poor", "tests", str::to_owned);
    let deployer = chain.chain.dev_accounts()[0].address();
    chain.chain.set_balance(deployer, U256::from(1_000));
    while_served(move || {
        let Ended { code, said, .. } = deploy(&chain, &folder).ended();
        assert_eq!((code, chain.transactions()), (Some(1), 0), "{said}");
        assert!(said.contains("ether is missing"), "{said}");
        assert!(!said.contains("[y/N]"), "{said}");
    })
    .await;
}
