//! Reading sets and payloads, and contracts that are neither.

use crate::{
    limited_endpoint::{Conduct, LimitedEndpoint},
    test_chain::{TestChain, chain, deploy_upgrade_payload, deployed, newest_view},
};
use alloy_eips::BlockId;
use alloy_primitives::{Address, Bytes, U256, address, bytes, keccak256};
use canon_chain::{
    Error, RelatedFamily, calls,
    deploy::{ContractPlan, Create2Origin, DeployedSet, Upgrade},
};
use canon_payload::Assembler;
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

/// The code of a contract that answers these functions, each with one word or more, and reverts otherwise.
fn answering(functions: &[(&str, Vec<u8>)]) -> Bytes {
    let mut code = Assembler::new();
    code.selector();
    for (index, (signature, _)) in functions.iter().enumerate() {
        let selector: [u8; 4] = keccak256(signature)[..4].try_into().unwrap();
        code.on(selector, index.to_string());
    }
    code.fail(&[]);
    for (index, (_, answer)) in functions.iter().enumerate() {
        code.label(index.to_string()).answer(answer);
    }
    code.runtime()
}

#[tokio::test]
async fn a_set_of_a_related_family_is_named() {
    let [registry, governance, proposer, asset] = [1, 2, 3, 4].map(Address::repeat_byte);
    let word = |address: Address| address.into_word().to_vec();
    let number = |number: u8| U256::from(number).to_be_bytes_vec();
    let earlier = |registry_answers: Vec<(&str, Vec<u8>)>| {
        vec![
            (registry, answering(&registry_answers)),
            (
                governance,
                answering(&[
                    ("ASSET()", word(asset)),
                    ("governanceProposer()", word(proposer)),
                    ("getConfiguration()", [0; 9].map(number).concat()),
                    ("proposalCount()", number(0)),
                ]),
            ),
            (proposer, answering(&[("N()", number(6)), ("M()", number(10))])),
            (asset, answering(&[("owner()", word(NOBODY))])),
        ]
    };
    let fixed = vec![("getRollup()", word(NOBODY)), ("getGovernance()", word(governance))];
    let later = vec![
        ("getCanonicalRollup()", word(NOBODY)),
        ("numberOfVersions()", number(2)),
        ("getGovernance()", word(governance)),
    ];
    for (accounts, family) in [
        (earlier(fixed.clone()), Some(RelatedFamily::Aztec067)),
        (earlier(later), Some(RelatedFamily::Aztec087)),
        (earlier(fixed[1..].to_vec()), None),
        // Every call is answered with the number 1.
        (vec![(registry, bytes!("600160005260206000f3"))], None),
    ] {
        let chain = chain().await;
        chain.devchain.set_code(NOBODY, bytes!("00")).unwrap();
        for (account, code) in accounts {
            chain.devchain.set_code(account, code).unwrap();
        }
        for refuses_creation in [false, true] {
            let conduct = Conduct { refuses_creation, ..Conduct::default() };
            let endpoint = LimitedEndpoint::new(&chain.devchain, conduct);
            let client = endpoint.client().await;
            let error = newest_view(&client, registry, &Question::default()).await.unwrap_err();
            let found = match &error {
                Error::OtherFamily { family, .. } => Some(*family),
                _ => None,
            };
            assert_eq!(found, family, "{error}");
            assert!(error.is_of_the_contracts());
        }
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
    let payload = deploy_upgrade_payload(sender, origin, &found, &upgrade).await;
    let payload = payload.unwrap();
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
