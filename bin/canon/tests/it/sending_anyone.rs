//! `canon execute` and `canon drop`.

use alloy_primitives::{Address, Bytes};
use canon_protocol::{Action, Call, ExpectCall, GovernanceCall, Support};
use serde_json::Value;
use snapbox::{assert_data_eq, file};

use crate::{
    chain::{Chain, tokens},
    live::about_from,
    sending::{ACCOUNT, about, by, fails, shown, stable},
    servers::{Folder, with_logs},
    support::{stdout, while_served},
};

/// An action with this call.
pub(crate) fn action(target: Address, call: impl Into<Call>) -> Action {
    Action { target, data: call.into().abi_encode() }
}

/// An action whose assertion holds.
pub(crate) fn harmless(chain: &Chain) -> Action {
    let (registry, expected) = (chain.set.registry, chain.set.rollup);
    action(chain.expect, ExpectCall::CanonicalIs { registry, expected })
}

/// Makes a payload proposal 0, with enough votes to pass.
pub(crate) async fn with_accepted(chain: &mut Chain, payload: Address) {
    chain.propose(payload, 1).await;
    chain.go_to(200);
    chain.vote(0, tokens(5000), Support::Yea).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn execute_shows_the_frozen_actions_and_says_when_nothing_is_due() {
    let folder = Folder::new("execute");
    let mut chain = Chain::new().await;
    let payload = chain.payload_of(vec![harmless(&chain)]);
    with_accepted(&mut chain, payload).await;
    while_served(move || {
        let execute = |arguments: &str| by(&chain, &folder, &format!("execute {arguments} --yes"));
        let said = fails(execute(""), 4);
        assert_data_eq!(stable(&said), file!["execute-early.txt"].raw());
        assert!(fails(execute("0"), 4).contains("proposal 0 can't be executed now"));
        assert!(fails(execute("1"), 2).contains("expected an id from 0 to 0"));
        chain.pass(480);
        let dry_run = format!("execute 0 --dry-run --from {}", chain.account(1));
        let words = stdout(about(&chain, &folder, &dry_run));
        assert!(words.contains(&payload.to_string()), "{words}");
        let (result, said) = shown(execute(""));
        assert_data_eq!(result, file!["execute.txt"].raw());
        assert_data_eq!(said, file!["execute-words.txt"].raw());
        assert!(fails(execute("0"), 1).contains("it is executed already"));
        assert!(fails(execute(""), 4).contains("no proposal is open"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_that_passed_and_expired_is_named() {
    let folder = Folder::new("execute-missed");
    let mut chain = Chain::new().await;
    let payload = chain.payload_of(vec![harmless(&chain)]);
    with_accepted(&mut chain, payload).await;
    while_served(move || {
        chain.pass(1_000);
        let said = fails(by(&chain, &folder, "execute --yes"), 4);
        let missed = "proposal 0 passed and wasn't executed in time (until 2026-01-01 0";
        assert!(said.contains(missed) && said.contains("; no proposal is open"), "{said}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_withholds_its_list_is_executed_with_what_was_voted_on() {
    let folder = Folder::new("withheld");
    let mut chain = Chain::new().await;
    let payload = chain.payload_of(vec![harmless(&chain)]);
    with_accepted(&mut chain, payload).await;
    chain.pass(480);
    // The payload now fails on every call.
    chain.replace(payload, Bytes::from_static(&[0xfd]));
    while_served(move || {
        let (result, said) = shown(by(&chain, &folder, "execute --yes"));
        assert!(said.contains("   calls executeWith at 0x"), "{said}");
        assert!(said.contains("  1. Expect.canonicalIs(Registry, rollup 1)"), "{said}");
        assert!(result.starts_with("Proposal 0 is executed\n"), "{result}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_that_an_endpoint_forged_are_not_shown() {
    let folder = Folder::new("forged");
    let mut chain = Chain::new().await;
    let payload = chain.payload_of(vec![harmless(&chain)]);
    with_accepted(&mut chain, payload).await;
    chain.pass(480);
    let (rollup, forged) = (chain.set.rollup, Address::repeat_byte(0x66));
    let in_data = |address: Address| format!("{address:x}");
    // ProposalFrozen is the only event with the rollup in its data.
    let endpoint = with_logs(chain.address(), move |mut logs| {
        for log in logs.as_array_mut().unwrap() {
            let data = log["data"].as_str().unwrap();
            log["data"] = data.replace(&in_data(rollup), &in_data(forged)).into();
        }
        logs
    });
    while_served(move || {
        let endpoint = format!("http://{endpoint}");
        let by_endpoint = |arguments: &str| {
            let command = about_from(&endpoint, &chain, &folder, arguments);
            shown(command.env("CANON_PRIVATE_KEY", chain.key(ACCOUNT)))
        };
        for arguments in ["proposal 0", "execute 0 --dry-run"] {
            let (result, said) = by_endpoint(arguments);
            let text = format!("{said}{result}");
            assert!(text.contains("expected actions of proposal 0 with the hash"), "{text}");
            // The payload has those that were voted on: their hash proves it.
            assert!(text.contains("  1. 0x[..]:\n") && !text.contains("canonicalIs"), "{text}");
        }
        let raw = stdout(about_from(&endpoint, &chain, &folder, "proposal 0"));
        assert!(raw.contains(&in_data(rollup)) && !raw.contains(&in_data(forged)), "{raw}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_whose_actions_fail_is_refused_before_it_costs_anything() {
    let folder = Folder::new("fails");
    let mut chain = Chain::new().await;
    let (registry, expected) = (chain.set.registry, chain.set.governance);
    let wrong = action(chain.expect, ExpectCall::CanonicalIs { registry, expected });
    let payload = chain.payload_of(vec![wrong]);
    with_accepted(&mut chain, payload).await;
    chain.pass(480);
    while_served(move || {
        let block = chain.chain.block_number();
        let said = stable(&fails(by(&chain, &folder, "execute --yes"), 1));
        assert_data_eq!(said, file!["execute-refused.txt"].raw());
        assert_eq!(chain.chain.block_number(), block);
        assert_eq!(chain.chain.nonce(chain.account(ACCOUNT)), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drop_records_what_a_new_proposals_contract_left_behind() {
    let folder = Folder::new("drop");
    let mut chain = Chain::new().await;
    let successor = Address::repeat_byte(0x77);
    chain.replace(successor, Bytes::from_static(&[0x00]));
    let replace = GovernanceCall::UpdateGovernanceProposer { new_governance_proposer: successor };
    let first = chain.payload_of(vec![action(chain.set.governance, replace)]);
    let second = chain.payload_of(vec![harmless(&chain)]);
    with_accepted(&mut chain, first).await;
    chain.propose(second, 45).await;
    while_served(move || {
        let drop = |arguments: &str| by(&chain, &folder, &format!("drop {arguments} --yes"));
        assert!(fails(drop(""), 4).contains("nothing to record: "));
        assert!(fails(drop("1"), 4).contains("it is dropped only if Proposals is replaced"));
        chain.pass(480);
        shown(by(&chain, &folder, "execute --yes"));
        let (result, said) = shown(drop(""));
        assert_data_eq!(result, file!["drop.txt"].raw());
        assert_data_eq!(said, file!["drop-words.txt"].raw());
        assert!(fails(drop("1"), 1).contains("it is recorded already"));
        assert!(fails(drop("0"), 1).contains("it is Executed, for good"));
        let list = stdout(about(&chain, &folder, "proposal --json"));
        let list: Value = serde_json::from_str(&list).unwrap();
        assert_eq!(list[1]["ending"], "Dropped", "{list}");
    })
    .await;
}
