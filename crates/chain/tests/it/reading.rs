//! Reading sets and payloads, and contracts that are neither.

use crate::test_chain::{TestChain, chain, deployed, newest_view};
use alloy_eips::BlockId;
use alloy_primitives::{Address, Bytes, address, bytes};
use canon_chain::{
    Error, NoWait, calls,
    deploy::{ContractPlan, Create2Origin, DeployedSet, Upgrade, deploy_upgrade_payload},
};
use canon_protocol::{Amount, ProposalId, actions_hash};
use canon_views::Question;

const NOBODY: Address = address!("0x00000000000000000000000000000000000000aa");

/// Code of no contract of a set: none, a delegation, a contract that reverts, and one that returns nothing.
const OTHER_CODE: [Bytes; 4] = [
    Bytes::new(),
    bytes!("ef0100000000000000000000000000000000000000000b"),
    bytes!("60006000fd"),
    bytes!("00"),
];

#[tokio::test]
async fn no_set_is_at_another_address() {
    let chain = chain().await;
    for (code, what) in OTHER_CODE.into_iter().zip(["no code", "no code", "no answer", "bad"]) {
        chain.devchain.set_code(NOBODY, code).unwrap();
        let error = newest_view(&chain.client, NOBODY, &Question::default()).await.unwrap_err();
        let found = match &error {
            Error::NoCode { what: "the Registry", .. } => "no code",
            Error::NoAnswer { address: NOBODY, .. } => "no answer",
            Error::BadAnswer { address: NOBODY, .. } => "bad",
            _ => "another error",
        };
        assert_eq!(found, what, "{error}");
    }
}

/// Makes a proposal through the lock by account 0, which holds all power. Returns its payload.
async fn propose(chain: &TestChain, set: &DeployedSet) -> Address {
    let found = set.deployment;
    let amount = Amount::of(10_000 * Amount::TOKEN.get());
    let holder = chain.accounts[0].address();
    let origin = Create2Origin::default();
    let upgrade = Upgrade {
        expect: set.expect,
        // Any contract works as the rollup here, because nobody executes the proposal.
        new_rollup: ContractPlan::expect(origin).create2(),
        expected_canonical: found.rollup,
        uri: "about:blank".into(),
    };
    let sender = &mut chain.sender(0);
    let payload = deploy_upgrade_payload(sender, origin, &found, &upgrade, &mut NoWait).await;
    let payload = payload.unwrap().address();
    chain.send(0, calls::approve(found.asset, found.governance, amount)).await.unwrap();
    chain.send(0, calls::lock(found.governance, holder, amount)).await.unwrap();
    chain.send(0, calls::propose_with_lock(found.governance, payload, holder)).await.unwrap();
    payload
}

#[tokio::test]
async fn a_payload_lists_what_is_frozen_when_it_is_proposed() {
    let (chain, set) = deployed().await;
    let payload = propose(&chain, &set).await;
    let question = Question::default();
    let view = newest_view(&chain.client, set.deployment.registry, &question).await.unwrap();
    let proposal = view.proposal(ProposalId::ZERO).unwrap();
    assert_eq!(proposal.payload, payload);
    let (at, governance) = (BlockId::latest(), set.deployment.governance);
    let actions = chain.client.payload_actions(governance, at, payload).await.unwrap();
    assert_eq!(actions_hash(&actions), proposal.actions_hash);
}

#[tokio::test]
async fn no_actions_are_listed_at_another_address() {
    let chain = chain().await;
    for (code, what) in OTHER_CODE.into_iter().zip(["no code", "no code", "refused", "bad"]) {
        chain.devchain.set_code(NOBODY, code).unwrap();
        let at = BlockId::latest();
        let error = chain.client.payload_actions(NOBODY, at, NOBODY).await.unwrap_err();
        let found = match &error {
            Error::NoCode { what: "the payload", address: NOBODY } => "no code",
            Error::Refused { what: "getActions()", .. } => "refused",
            Error::BadAnswer { what: "getActions()", address: NOBODY } => "bad",
            _ => "another error",
        };
        assert_eq!(found, what, "{error}");
    }
}
