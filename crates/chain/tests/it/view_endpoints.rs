//! Views through endpoints that refuse, fail and lag, and views of inconsistent sets.

use crate::{
    limited_endpoint::{Asked, BatchRefusal, Conduct, LimitedEndpoint},
    many_proposals::many_proposals,
    test_chain::{BLOCK_TIME, TestChain, newest_view},
};
use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, Bytes, U256, address, bytes, hex};
use alloy_sol_types::SolCall;
use canon_abi::{Asset, Governance, Proposals, Registry, Rollup};
use canon_chain::{Client, Error, calls, deploy::DeployedSet};
use canon_devchain::{OldTransactions, ReorgOptions};
use canon_protocol::{Amount, ProposalId, Seconds, WithdrawalId};
use canon_views::{Present, Question};
use serde_json::json;
use std::sync::Arc;

const NOBODY: Address = address!("0x00000000000000000000000000000000000000aa");

/// A set with proposals, and a question about every kind of subject.
async fn example() -> (TestChain, DeployedSet, Question) {
    let (chain, set) = many_proposals(40).await;
    let found = set.deployment;
    let stake = Amount::of(100 * Amount::TOKEN.get());
    let holder = chain.accounts[0].address();
    chain.send(0, calls::approve(found.asset, found.rollup, stake)).await.unwrap();
    chain.send(0, calls::stake(found.rollup, NOBODY, NOBODY, holder, stake)).await.unwrap();
    let mut question = Question::default();
    question.rollups.entry(found.rollup).or_default().extend([NOBODY, holder]);
    question.payloads.extend([set.expect, NOBODY]);
    question.holders.entry(holder).or_default().extend([ProposalId::of(3), ProposalId::of(900)]);
    question.holders.entry(NOBODY).or_default();
    question.withdrawals.extend([WithdrawalId::of(7), WithdrawalId::of(700)]);
    (chain, set, question)
}

async fn present(client: &Client, set: &DeployedSet, question: &Question) -> Present {
    newest_view(client, set.deployment.registry, question).await.unwrap()
}

/// The view through an endpoint without limits.
async fn expected(chain: &TestChain, set: &DeployedSet, question: &Question) -> Present {
    let endpoint = LimitedEndpoint::new(&chain.devchain, Conduct::default());
    let present = present(&endpoint.client().await, set, question).await;
    assert_eq!(endpoint.take_packets().len(), 2);
    present
}

fn creations(packets: &[Vec<Asked>]) -> usize {
    packets.iter().flatten().filter(|asked| asked.creates).count()
}

#[tokio::test]
async fn everything_that_was_asked_for_is_there() {
    let (chain, set, question) = example().await;
    let present = expected(&chain, &set, &question).await;
    let holder = chain.accounts[0].address();
    assert_eq!(present.governance.proposals.len(), 40);
    assert_eq!(present.holders[&holder].ballots.len(), 40);
    assert_eq!(present.holders[&NOBODY].ballots.len(), 40, "all of them are Pending");
    assert_eq!(present.rollups[&set.deployment.rollup].attesters.len(), 2);
    assert_eq!(present.withdrawals.keys().collect::<Vec<_>>(), [&WithdrawalId::of(7)]);
    assert_eq!(present.addresses.reward_distributor, Some(set.reward_distributor));
    assert!(present.signaling.is_some());
}

#[tokio::test]
async fn a_view_of_the_newest_block_dates_the_next_one_without_a_round_trip() {
    let (chain, set, question) = example().await;
    let registry = set.deployment.registry;
    let head = chain.client.head().await.unwrap();
    for block_time in [0, 1, 12, 3_600].map(Seconds::of) {
        let endpoint = LimitedEndpoint::new(&chain.devchain, Conduct::default());
        let client = endpoint.client().await;
        let found = client.view(registry, &question, BlockId::latest(), block_time).await.unwrap();
        assert_eq!(found.next, head.timestamp + block_time);
        let rollup = found.canonical_rollup().unwrap();
        assert_eq!(rollup.slot, rollup.clock.slot_at(found.next));
        assert_eq!(endpoint.take_packets().len(), 2);
    }
}

#[tokio::test]
async fn everything_but_the_block_is_read_at_its_hash() {
    let (chain, set, question) = example().await;
    let hash = json!({ "blockHash": chain.devchain.block_hash(), "requireCanonical": true });
    for refuses_creation in [false, true] {
        let conduct = Conduct { refuses_creation, ..Conduct::default() };
        let endpoint = LimitedEndpoint::new(&chain.devchain, conduct);
        present(&endpoint.client().await, &set, &question).await;
        let packets = endpoint.take_packets();
        for Asked { method, subject, block, .. } in packets[1..].iter().flatten() {
            assert_eq!(*block, hash, "{method} of {subject}");
        }
    }
}

#[tokio::test]
async fn an_endpoint_without_the_lens_takes_five_round_trips_and_is_found_out_once() {
    let (chain, set, question) = example().await;
    let expected = expected(&chain, &set, &question).await;
    let endpoint = LimitedEndpoint::new(
        &chain.devchain,
        Conduct { refuses_creation: true, ..Conduct::default() },
    );
    let client = endpoint.client().await;
    for attempts in [1, 0] {
        assert_eq!(present(&client, &set, &question).await, expected);
        let packets = endpoint.take_packets();
        assert!(packets.len() <= 5, "{} round trips", packets.len());
        assert_eq!(creations(&packets), attempts);
    }
}

#[tokio::test]
async fn the_lens_returns_what_its_gas_suffices_for() {
    let (chain, set, question) = example().await;
    let expected = expected(&chain, &set, &question).await;
    // The gas is below the intrinsic cost, too little for any call, enough for some calls, or enough for
    // all.
    for (gas, trips, gives_up) in [
        (50_000, 5, true),
        (5_000_000, 5, true),
        (7_700_000, 5, false),
        (8_500_000, 5, false),
        (10_000_000, 5, false),
        (20_000_000, 2, false),
    ] {
        let conduct = Conduct { creation_gas: Some(gas), ..Conduct::default() };
        let endpoint = LimitedEndpoint::new(&chain.devchain, conduct);
        let client = endpoint.client().await;
        assert_eq!(present(&client, &set, &question).await, expected, "with {gas}");
        let packets = endpoint.take_packets().len();
        assert!(packets <= trips, "{packets} round trips with {gas}");
        assert_eq!(present(&client, &set, &question).await, expected, "with {gas}");
        let packets = endpoint.take_packets();
        assert_eq!(creations(&packets) == 0, gives_up, "with {gas}");
    }
}

#[tokio::test]
async fn batches_are_halved_until_the_endpoint_takes_them() {
    let (chain, set, question) = example().await;
    let expected = expected(&chain, &set, &question).await;
    for refusal in [
        BatchRefusal::Http,
        BatchRefusal::OneError,
        BatchRefusal::FirstOnly,
        BatchRefusal::EachError,
    ] {
        for (most, refuses_creation) in [(10, false), (10, true), (1, false), (1, true)] {
            let what = format!("{refusal:?}, {most}, creation refused: {refuses_creation}");
            let batch = Some((most, refusal));
            let conduct = Conduct { batch, refuses_creation, ..Conduct::default() };
            let endpoint = LimitedEndpoint::new(&chain.devchain, conduct);
            let client = endpoint.client().await;
            assert_eq!(present(&client, &set, &question).await, expected, "{what}");
            let refused = |packets: &[Vec<Asked>]| {
                packets.iter().filter(|packet| packet.len() > most).count()
            };
            let first = endpoint.take_packets();
            assert_eq!(refused(&first) == 0, most == 10 && !refuses_creation, "{what}");
            assert_eq!(present(&client, &set, &question).await, expected, "{what}");
            // The limit is remembered. Trying a larger batch after ten answers costs little.
            let second = endpoint.take_packets();
            assert!(refused(&second) * 10 <= second.len(), "{what}: {}", second.len());
        }
    }
}

/// After one refusal, an endpoint isn't asked in small batches forever.
#[tokio::test]
async fn batches_grow_again_after_a_refusal() {
    let (chain, set, question) = example().await;
    let batch = Some((1, BatchRefusal::Http));
    let endpoint = LimitedEndpoint::new(&chain.devchain, Conduct { batch, ..Conduct::default() });
    let client = endpoint.client().await;
    present(&client, &set, &question).await;
    assert!(endpoint.take_packets().len() > 5);
    endpoint.change(|conduct| conduct.batch = None);
    let mut trips = Vec::new();
    for _ in 0..20 {
        present(&client, &set, &question).await;
        trips.push(endpoint.take_packets().len());
    }
    assert!(trips.is_sorted_by(|one, next| one >= next), "{trips:?}");
    assert_eq!(trips.last(), Some(&2), "{trips:?}");
}

#[tokio::test]
async fn the_lens_is_asked_again_after_ten_views_without_it() {
    let (chain, set, question) = example().await;
    let conduct = Conduct { refuses_creation: true, ..Conduct::default() };
    let endpoint = LimitedEndpoint::new(&chain.devchain, conduct);
    let client = endpoint.client().await;
    present(&client, &set, &question).await;
    endpoint.change(|conduct| conduct.refuses_creation = false);
    for view in 0..12 {
        endpoint.take_packets();
        present(&client, &set, &question).await;
        let packets = endpoint.take_packets();
        assert_eq!(creations(&packets) > 0, view >= 10, "view {view}");
        assert_eq!(packets.len() == 2, view >= 10, "view {view}");
    }
}

#[tokio::test]
async fn a_failed_request_fails_the_view_and_nothing_else() {
    let (chain, set, question) = example().await;
    let expected = expected(&chain, &set, &question).await;
    for refuses_creation in [false, true] {
        let conduct = Conduct { refuses_creation, ..Conduct::default() };
        let endpoint = LimitedEndpoint::new(&chain.devchain, conduct);
        present(&endpoint.client().await, &set, &question).await;
        let packets = endpoint.take_packets().len();
        for failing in 0..packets {
            let client = endpoint.client().await;
            endpoint.change(|conduct| conduct.fails = Some(failing));
            let view = newest_view(&client, set.deployment.registry, &question).await;
            let error = view.unwrap_err();
            assert!(error.is_temporary(), "request {failing}: {error}");
            endpoint.change(|conduct| conduct.fails = None);
            endpoint.take_packets();
            assert_eq!(present(&client, &set, &question).await, expected);
            assert_eq!(endpoint.take_packets().len(), packets, "after request {failing} failed");
        }
    }
}

#[tokio::test]
async fn a_block_in_between_changes_nothing() {
    let (chain, set, question) = example().await;
    let expected = expected(&chain, &set, &question).await;
    for refuses_creation in [false, true] {
        for number in 1..5 {
            let devchain = chain.devchain.clone();
            let snapshot = devchain.snapshot();
            let proposal = Governance::proposeWithLockCall {
                payload: expected.governance.proposals[0].payload,
                to: NOBODY,
            };
            let call = canon_devchain::UnsignedCall {
                from: chain.accounts[0].address(),
                to: Some(set.deployment.governance),
                input: proposal.abi_encode().into(),
            };
            let mine = devchain.clone();
            let run = Arc::new(move || {
                assert!(
                    mine.mine_unsigned(core::slice::from_ref(&call)).unwrap().1[0].end.is_success()
                );
            });
            let conduct =
                Conduct { refuses_creation, before: Some((number, run)), ..Conduct::default() };
            let endpoint = LimitedEndpoint::new(&devchain, conduct);
            let client = endpoint.client().await;
            assert_eq!(present(&client, &set, &question).await, expected, "before {number}");
            devchain.revert(snapshot).unwrap();
        }
    }
}

#[tokio::test]
async fn an_earlier_block_by_its_number_and_hash() {
    let (chain, set, question) = example().await;
    let expected = expected(&chain, &set, &question).await;
    let (number, hash) = (chain.devchain.block_number(), chain.devchain.block_hash());
    let found = set.deployment;
    chain.send(0, calls::approve(found.asset, found.governance, Amount::of(7))).await.unwrap();
    chain.send(0, calls::lock(found.governance, NOBODY, Amount::of(7))).await.unwrap();
    for refuses_creation in [false, true] {
        let conduct = Conduct { refuses_creation, ..Conduct::default() };
        let client = LimitedEndpoint::new(&chain.devchain, conduct).client().await;
        for at in [BlockId::number(number), BlockId::hash(hash)] {
            let view = client.view(found.registry, &question, at, BLOCK_TIME).await.unwrap();
            assert_eq!(view, expected, "{at}");
        }
        let power = present(&client, &set, &question).await.holders[&NOBODY].power;
        assert_eq!(power, Amount::of(7));
        for at in [BlockId::number(number + 9), BlockId::hash(B256::repeat_byte(7))] {
            let error = client.view(found.registry, &question, at, BLOCK_TIME).await.unwrap_err();
            assert!(error.is_temporary(), "{at}: {error}");
        }
    }
}

#[tokio::test]
async fn a_reorganization_in_between_is_an_error() {
    let (chain, set, question) = example().await;
    // Without signals there is no leader, whose request would take the fifth round trip.
    for (trips, refuses_creation) in [(2, false), (4, true)] {
        for number in 1..trips {
            let devchain = chain.devchain.clone();
            let reorganized = devchain.clone();
            let run = Arc::new(move || {
                let old = OldTransactions::ReturnToPool;
                let options = ReorgOptions { depth: 1, blocks: Vec::new(), old };
                reorganized.reorg(options).unwrap();
            });
            let conduct =
                Conduct { refuses_creation, before: Some((number, run)), ..Conduct::default() };
            let endpoint = LimitedEndpoint::new(&devchain, conduct);
            let client = endpoint.client().await;
            let error = newest_view(&client, set.deployment.registry, &question).await.unwrap_err();
            assert!(error.is_temporary(), "before {number}: {error}");
            // If the endpoint had the lens, it still has. Its absence is noticed only after plain calls
            // were answered at the same block.
            endpoint.change(|conduct| conduct.before = None);
            for has_lens in [true, !refuses_creation] {
                endpoint.take_packets();
                present(&client, &set, &question).await;
                let packets = endpoint.take_packets();
                assert_eq!(packets.len(), trips);
                assert_eq!(creations(&packets) > 0, has_lens);
            }
        }
    }
}

#[tokio::test]
async fn another_chain_behind_the_endpoint_is_an_error() {
    let (chain, set, question) = example().await;
    let endpoint = LimitedEndpoint::new(&chain.devchain, Conduct::default());
    let client = endpoint.client().await;
    endpoint.change(|conduct| conduct.chain_id = Some(1));
    let error = newest_view(&client, set.deployment.registry, &question).await.unwrap_err();
    assert!(matches!(error, Error::OtherChain { expected: 31337, found: 1 }), "{error}");
}

#[tokio::test]
async fn no_contract_of_the_set_may_lose_its_code() {
    let (chain, set, question) = example().await;
    let found = set.deployment;
    let delegation = bytes!("ef0100000000000000000000000000000000000000000b");
    for (expected, address) in [
        ("the Issuer", found.issuer),
        ("the Asset", found.asset),
        ("Proposals", found.proposals),
        ("Governance", found.governance),
        ("the Registry", found.registry),
    ] {
        for code in [Bytes::new(), delegation.clone()] {
            let snapshot = chain.devchain.snapshot();
            chain.devchain.set_code(address, code).unwrap();
            for refuses_creation in [false, true] {
                let conduct = Conduct { refuses_creation, ..Conduct::default() };
                let client = LimitedEndpoint::new(&chain.devchain, conduct).client().await;
                let error = newest_view(&client, found.registry, &question).await.unwrap_err();
                let Error::NoCode { what, address: empty } = error else { panic!("{error}") };
                assert_eq!((what, empty), (expected, address));
            }
            chain.devchain.revert(snapshot).unwrap();
        }
    }
    let client = LimitedEndpoint::new(&chain.devchain, Conduct::default()).client().await;
    let error = newest_view(&client, NOBODY, &question).await.unwrap_err();
    assert!(matches!(error, Error::NoCode { what: "the Registry", .. }), "{error}");
}

/// A word in the encoding of a contract's answer.
fn word(word: u64) -> Bytes {
    U256::from(word).to_be_bytes::<32>().into()
}

#[tokio::test]
async fn answers_that_cannot_be_are_errors() {
    let (chain, set, question) = example().await;
    let found = set.deployment;
    let no_power = Bytes::from(U256::from_limbs([0, 1 << 32, 0, 0]).to_be_bytes::<32>());
    let check = async |selector: [u8; 4], answer: Bytes| {
        let answers = Some((hex::encode_prefixed(selector), json!(answer)));
        let conduct = Conduct { refuses_creation: true, answers, ..Conduct::default() };
        let client = LimitedEndpoint::new(&chain.devchain, conduct).client().await;
        newest_view(&client, found.registry, &question).await
    };
    for (selector, answer) in [
        (Governance::getProposalStateCall::SELECTOR, word(8)),
        (Governance::getConfigurationCall::SELECTOR, word(1)),
        (Governance::numberOfConfigurationsCall::SELECTOR, word(0)),
        (Governance::exitFloorCall::SELECTOR, [word(1), word(1), word(1)].concat().into()),
        (Governance::ASSETCall::SELECTOR, Bytes::from([0xff; 32])),
        (Asset::balanceOfCall::SELECTOR, Bytes::new()),
    ] {
        let error = check(selector, answer).await.unwrap_err();
        assert!(matches!(error, Error::BadAnswer { .. }), "{selector:?}: {error}");
    }
    for (selector, answer) in [
        (Governance::totalPowerAtCall::SELECTOR, no_power.clone()),
        (Governance::powerAtCall::SELECTOR, no_power.clone()),
        (Governance::proposalCountCall::SELECTOR, word(100_001)),
        (Asset::balanceOfCall::SELECTOR, no_power),
    ] {
        let error = check(selector, answer).await.unwrap_err();
        assert!(matches!(error, Error::OutOfRange { .. }), "{selector:?}: {error}");
    }
    let other = NOBODY.into_word().0.into();
    let error = check(Proposals::REGISTRYCall::SELECTOR, other).await.unwrap_err();
    assert!(matches!(error, Error::Inconsistent { found: NOBODY, .. }), "{error}");
    // If a rollup returns an impossible value, it is left out together with the signals.
    let statuses = [word(1), word(1), word(1), word(4)].concat().into();
    for (selector, answer) in [
        (Rollup::getInfoCall::SELECTOR, statuses),
        (Rollup::EPOCH_DURATIONCall::SELECTOR, word(0)),
        (Rollup::blockNumberCall::SELECTOR, Bytes::new()),
    ] {
        let present = check(selector, answer).await.unwrap();
        assert!(present.rollups.is_empty() && present.signaling.is_some(), "{selector:?}");
    }
    for selector in [Proposals::MCall::SELECTOR, Proposals::currentStatusCall::SELECTOR] {
        let present = check(selector, word(0)).await.unwrap();
        assert!(present.signaling.is_none() && !present.rollups.is_empty(), "{selector:?}");
    }
    let error = check(Registry::getGovernanceCall::SELECTOR, word(0)).await.unwrap_err();
    assert!(matches!(error, Error::NoCode { what: "Governance", .. }), "{error}");
}

#[tokio::test]
async fn governance_stays_readable_whatever_is_canonical() {
    let (chain, set, question) = example().await;
    let found = set.deployment;
    let expected = expected(&chain, &set, &question).await;
    for (what, code) in [
        ("reverts", bytes!("5f5ffd")),
        ("answers nothing", bytes!("00")),
        ("ends at an invalid opcode", bytes!("fe")),
        ("burns all gas", bytes!("5b5f56")),
        ("answers with 100,000 bytes", bytes!("620186a05ff3")),
        ("answers with 16 MiB", bytes!("62ffffff5ff3")),
        ("answers with one byte", bytes!("60015ff3")),
        ("has no code", bytes!()),
    ] {
        let snapshot = chain.devchain.snapshot();
        chain.devchain.set_code(found.rollup, code).unwrap();
        for (trips, refuses_creation) in [(2, false), (5, true)] {
            // The gas cap is geth's.
            let creation_gas = Some(50_000_000);
            let conduct = Conduct { refuses_creation, creation_gas, ..Conduct::default() };
            let endpoint = LimitedEndpoint::new(&chain.devchain, conduct);
            let present = present(&endpoint.client().await, &set, &question).await;
            let packets = endpoint.take_packets().len();
            assert!(packets <= trips, "{what}: {packets} round trips");
            assert_eq!(present.governance, expected.governance, "{what}");
            assert_eq!(present.holders, expected.holders, "{what}");
            assert_eq!(present.signaling, None, "{what}");
            assert_eq!(present.addresses.reward_distributor, None, "{what}");
            assert!(present.rollups.is_empty(), "{what}");
            assert!(present.payloads.values().all(|payload| payload.round.is_none()), "{what}");
        }
        chain.devchain.revert(snapshot).unwrap();
    }
}
