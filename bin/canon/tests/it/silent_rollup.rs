//! A set whose canonical rollup doesn't answer: what doesn't depend on it works, and everything else says why it
//! doesn't.

use alloy_primitives::{Address, Bytes};
use snapbox::cmd::Command;

use crate::{
    chain::{Chain, tokens},
    live::{about, json, with_proposal},
    sending_anyone::harmless,
    servers::Folder,
    support::{said, while_served},
};

fn by(chain: &Chain, folder: &Folder, arguments: &str) -> Command {
    about(chain, folder, arguments).env("CANON_PRIVATE_KEY", chain.key(0))
}

/// Codes that a rollup could have after it was broken: each call reverts, returns nothing, or burns all gas; or there
/// is no code.
const CODES: [(&str, &[u8]); 4] =
    [("reverts", &[0xfd]), ("stops", &[0x00]), ("burns", &[0xfe]), ("empty", &[])];

/// A chain on which proposal 0 takes ballots, and the rollup has this code.
async fn with_rollup(code: &'static [u8]) -> Chain {
    let chain = with_proposal().await;
    chain.pass(171);
    chain.replace(chain.set.rollup, Bytes::from_static(code));
    chain
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_names_the_rollup_that_does_not_answer_and_blames_nothing_else() {
    for (name, code) in CODES {
        let folder = Folder::new(&format!("silent-{name}"));
        let chain = with_rollup(code).await;
        while_served(move || {
            let (holder, attester, payload) =
                (chain.account(0), Address::repeat_byte(1), chain.payload);
            let (registry, other) = (chain.set.registry, Address::repeat_byte(0x21));
            let silent = "doesn't answer";
            for (arguments, code, says) in [
                ("status", 0, silent),
                ("proposal", 0, "Active: voting ends in "),
                ("proposal 0", 0, "executable from  2026-01-01 03:08:02 UTC"),
                (&format!("power {holder}"), 0, "Active: 10,000 tokens at the snapshot"),
                ("calendar", 0, "UID:executable-0-"),
                ("round", 1, silent),
                ("round 1", 1, silent),
                ("stake status", 1, silent),
                (&format!("stake status {attester}"), 1, silent),
                ("audit", 1, "Rollup"),
                ("push --yes", 1, silent),
                ("push 1 --yes", 1, silent),
                ("setup-epoch --yes", 1, silent),
                (&format!("signal {payload} --yes"), 1, silent),
                (&format!("stake exit {attester} --to {holder} --yes"), 1, silent),
                (&format!("stake coinbase {attester} {holder} --yes"), 1, silent),
                (&format!("stake move {attester} --to {registry} --yes"), 1, silent),
                (
                    &format!(
                        "stake deposit --attester {other} --proposer {other} --withdrawer {other} 100 --yes"
                    ),
                    1,
                    silent,
                ),
                ("rollup deploy --print-config", 1, silent),
                ("execute --yes", 4, "proposal 0 is Active"),
                ("drop --yes", 4, "nothing to record: no proposal was dropped"),
            ] {
                let output = by(&chain, &folder, arguments).output().unwrap();
                let (result, said) = (String::from_utf8(output.stdout).unwrap(), said(output.stderr));
                assert_eq!(output.status.code(), Some(code), "{name}: {arguments}: {said}");
                let text = format!("{result}{said}");
                assert!(text.contains(says), "{name}: {arguments}: {text}");
                for blamed in ["--rpc-url", "endpoint", "CANON_REGISTRY", "panicked"] {
                    assert!(!text.contains(blamed), "{name}: {arguments}: {text}");
                }
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn power_votes_and_proposals_through_the_lock_do_not_depend_on_the_rollup() {
    for (name, code) in CODES {
        let folder = Folder::new(&format!("silent-holder-{name}"));
        let chain = with_rollup(code).await;
        let other = chain.payload_of(vec![harmless(&chain)]);
        while_served(move || {
            let holder = chain.account(0);
            let power = |place: &str| {
                json(about(&chain, &folder, &format!("power {holder}")))[place].clone()
            };
            json(by(&chain, &folder, "lock 5 --yes"));
            assert_eq!(power("power"), tokens(10_005).get().to_string());
            json(by(&chain, &folder, "vote 0 for --amount 7 --yes"));
            json(by(&chain, &folder, "vote 0 for --yes"));
            let tally = json(about(&chain, &folder, "proposal 0"))["tally"].clone();
            assert_eq!(tally["yea"], tokens(10_000).get().to_string());
            json(by(&chain, &folder, &format!("propose {other} --to {holder} --yes")));
            let list = json(about(&chain, &folder, "proposal"));
            assert_eq!(list.as_array().unwrap().len(), 2);
            json(by(&chain, &folder, "unlock 5 --yes"));
            assert_eq!(power("power"), tokens(9_000).get().to_string());
            chain.pass(510);
            json(by(&chain, &folder, "withdraw 0 --yes"));
        })
        .await;
    }
}
