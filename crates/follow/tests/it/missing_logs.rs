//! Answers that lag, are cut off or take too long. They cost time, but no event is lost.

use crate::{
    opening::{Deployed, client_by, folder},
    support::{client, fresh, insist, run},
    verification::chain_with_holder,
};
use alloy_eips::BlockId;
use alloy_json_rpc::SerializedRequest;
use alloy_primitives::{Address, Bloom, Bytes, U256};
use alloy_sol_types::SolCall;
use canon_abi::{Asset, Governance, Rollup};
use canon_chain::FINALITY;
use canon_devchain::{Devchain, UnsignedCall};
use canon_faults::{Answer, Fault, FaultPlan, Faults, params};
use canon_follow::{ChainSource, ComparisonScope, FollowError, Follower, Verification};
use canon_protocol::{Amount, Seconds};
use canon_views::Question;
use serde_json::{Value, json};
use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

const HOLDER: Address = Address::with_last_byte(2);

fn mine_calls(chain: &Devchain, calls: &[(Address, Address, Bytes)]) {
    let calls: Vec<_> = calls
        .iter()
        .map(|(from, to, input)| UnsignedCall { from: *from, to: Some(*to), input: input.clone() })
        .collect();
    let (_, executed) = chain.mine_unsigned(&calls).unwrap();
    assert!(executed.iter().all(|call| call.end.is_success()), "{executed:?}");
}

/// A chain with a holder who has a power of 5 and may deposit 100 more.
fn chain_with_rich_holder() -> Devchain {
    let set = &Deployed::shared().set;
    let chain = chain_with_holder();
    let amount = U256::from(100);
    let mint = Asset::mintCall { to: HOLDER, amount }.abi_encode().into();
    let approve = Asset::approveCall { spender: set.governance, amount }.abi_encode().into();
    mine_calls(&chain, &[(set.issuer, set.asset, mint), (HOLDER, set.asset, approve)]);
    chain
}

/// Mines a block in which the holder deposits 7 twice.
fn two_deposits(chain: &Devchain) {
    let set = &Deployed::shared().set;
    let deposit: Bytes =
        Governance::depositCall { onBehalfOf: HOLDER, amount: U256::from(7) }.abi_encode().into();
    let one = (HOLDER, set.governance, deposit);
    mine_calls(chain, &[one.clone(), one]);
}

/// Whether a request is for the logs of one block by its hash.
fn is_for_block_logs(request: &SerializedRequest) -> bool {
    request.method() == "eth_getLogs" && params(request)[0].get("blockHash").is_some()
}

/// The first half of a list of logs if it has several, as in an answer that is cut off.
fn first_half(mut logs: Value) -> Value {
    let list = logs.as_array_mut().unwrap();
    if list.len() > 1 {
        list.truncate(list.len() / 2);
    }
    logs
}

/// Cuts off the answers to all requests for the logs of one block.
fn cut_off_block_logs(faults: &Faults) {
    faults.answer(|request| match is_for_block_logs(request) {
        true => Answer::Changed(Box::new(first_half)),
        false => Answer::Node,
    });
}

async fn follower_of(faults: &Faults, chain: &Devchain) -> Follower<ChainSource> {
    let client = client_by(faults, chain).await;
    let identity = Deployed::shared().identity(&client).await;
    let mut follower =
        Follower::new(ChainSource::new(client, ComparisonScope::Everything), identity);
    follower.catch_up().await.unwrap();
    assert!(matches!(follower.verification(), Verification::Verified));
    follower
}

/// Follows `blocks` more blocks at a correct endpoint. Returns whether the state counts as verified but
/// differs from the chain's.
async fn verified_and_wrong(
    faults: &Faults,
    chain: &Devchain,
    follower: &mut Follower<ChainSource>,
    blocks: u64,
) -> bool {
    faults.answer(|_| Answer::Node);
    for _ in 0..blocks {
        chain.mine().unwrap();
        while follower.catch_up().await.is_err() {}
    }
    let expected = fresh(chain, follower.identity()).await;
    matches!(follower.verification(), Verification::Verified) && *follower.state() != expected
}

/// Two logs with the same emitter and topics have the same bloom as one. Only the comparison every half
/// window detects that the second one is missing.
#[test]
fn an_answer_that_lacks_the_twin_of_a_log_is_not_proven_by_the_bloom() {
    let chain = chain_with_rich_holder();
    run(async {
        let faults = Faults::default();
        let mut follower = follower_of(&faults, &chain).await;
        two_deposits(&chain);
        cut_off_block_logs(&faults);
        let _ = follower.catch_up().await;
        let is_wrong = verified_and_wrong(&faults, &chain, &mut follower, FINALITY / 2).await;
        let power = follower.state().governance().power(HOLDER);
        assert!(!is_wrong, "verified, and the holder's power is {power:?}, not 19");
    });
}

/// Of more than four new blocks, the newest are read with all their logs.
#[test]
fn an_answer_for_one_of_several_new_blocks_that_is_cut_off_is_noticed() {
    let chain = chain_with_rich_holder();
    run(async {
        let faults = Faults::default();
        let mut follower = follower_of(&faults, &chain).await;
        for _ in 0..5 {
            chain.mine().unwrap();
        }
        // The events differ, so that their blooms differ too.
        let set = &Deployed::shared().set;
        let approve =
            |spender| Asset::approveCall { spender, amount: U256::from(50) }.abi_encode().into();
        let (one, other) = (approve(Address::repeat_byte(9)), approve(set.governance));
        mine_calls(&chain, &[(HOLDER, set.asset, one), (HOLDER, set.asset, other)]);
        cut_off_block_logs(&faults);
        let _ = follower.catch_up().await;
        let is_wrong = verified_and_wrong(&faults, &chain, &mut follower, 5).await;
        let allowance = follower.state().asset().allowance(HOLDER, set.governance);
        assert!(!is_wrong, "verified, and the holder's allowance is {allowance}, not 50");
    });
}

/// One header lacks its bloom, and all other answers are correct. The block's hash reveals it.
#[test]
fn one_header_with_an_empty_bloom_loses_no_event() {
    let chain = chain_with_rich_holder();
    run(async {
        let faults = Faults::default();
        let mut follower = follower_of(&faults, &chain).await;
        two_deposits(&chain);
        let was_wrong = AtomicBool::new(false);
        faults.answer(move |request| {
            let is_header = request.method() == "eth_getBlockByNumber";
            match is_header && !was_wrong.swap(true, Ordering::Relaxed) {
                true => Answer::Changed(Box::new(|mut header| {
                    header["logsBloom"] = json!(Bloom::ZERO);
                    header
                })),
                false => Answer::Node,
            }
        });
        let _ = follower.catch_up().await;
        let is_wrong = verified_and_wrong(&faults, &chain, &mut follower, 5).await;
        let power = follower.state().governance().power(HOLDER);
        assert!(!is_wrong, "verified, and the holder's power is {power:?}, not 19");
    });
}

/// As the tests in `wrong_headers`, with the field that they don't cover.
#[test]
fn one_header_with_a_wrong_time_is_asked_for_again() {
    let chain = chain_with_rich_holder();
    run(async {
        let faults = Faults::default();
        let mut follower = follower_of(&faults, &chain).await;
        two_deposits(&chain);
        let number = json!(format!("{:#x}", chain.block_number()));
        for _ in 0..4 {
            chain.mine().unwrap();
        }
        let was_wrong = AtomicBool::new(false);
        faults.answer(move |request| {
            let is_header = request.method() == "eth_getBlockByNumber";
            let is_it = is_header && params(request)[0] == number;
            match is_it && !was_wrong.swap(true, Ordering::Relaxed) {
                true => Answer::Changed(Box::new(|mut header| {
                    header["timestamp"] = json!("0x7fffffff");
                    header
                })),
                false => Answer::Node,
            }
        });
        let mut errors = Vec::new();
        for _ in 0..20 {
            match follower.catch_up().await {
                Ok(_) => return,
                Err(error) => errors.push(error.to_string()),
            }
            chain.mine().unwrap();
        }
        panic!("it never arrives because of one header: {errors:#?}");
    });
}

/// A node has a block before its logs are indexed. The bloom proves that logs are missing, but their effect
/// isn't visible at once.
#[test]
fn an_index_that_lags_by_one_block_costs_no_stake() {
    let deployed = Deployed::shared();
    let set = &deployed.set;
    let chain = chain_with_holder();
    let staker = Address::repeat_byte(0x57);
    let amount = Amount::of(100 * Amount::TOKEN.get()).to_word();
    let mint = Asset::mintCall { to: staker, amount }.abi_encode().into();
    let approve = Asset::approveCall { spender: set.rollup, amount }.abi_encode().into();
    mine_calls(&chain, &[(set.issuer, set.asset, mint), (staker, set.asset, approve)]);
    // Somebody records the seed of the next epoch.
    let record = Rollup::setupEpochCall {}.abi_encode().into();
    mine_calls(&chain, &[(staker, set.rollup, record)]);
    run(async {
        let faults = Faults::default();
        let mut follower = follower_of(&faults, &chain).await;
        let stake =
            Rollup::depositCall { attester: staker, proposer: staker, withdrawer: staker, amount };
        mine_calls(&chain, &[(staker, set.rollup, stake.abi_encode().into())]);
        let asked = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&asked);
        // The log index lags for one answer.
        faults.answer(move |request| {
            match is_for_block_logs(request) && count.fetch_add(1, Ordering::Relaxed) == 0 {
                true => Answer::Result(json!([])),
                false => Answer::Node,
            }
        });
        let first = follower.catch_up().await.map_err(|error| error.to_string());
        let asked = asked.load(Ordering::Relaxed);
        assert!(asked > 0);
        let is_wrong = verified_and_wrong(&faults, &chain, &mut follower, 5).await;
        // Two epochs pass.
        for _ in 0..3 {
            chain.set_next_timestamp(chain.timestamp() + 384).unwrap();
            chain.mine().unwrap();
            while follower.catch_up().await.is_err() {}
        }
        let question = Question::default();
        let folded = follower.view(&question, Seconds::SECOND).await.unwrap().present;
        let answered = client(chain.client())
            .await
            .view(set.registry, &question, BlockId::latest(), Seconds::SECOND)
            .await
            .unwrap();
        let size = |present: &canon_views::Present| present.rollups[&set.rollup].set_size;
        assert!(
            !is_wrong && size(&folded) == size(&answered),
            "first answer {first:?}, then {:?}: the set has {:?} members by the fold and {:?} by the contracts",
            follower.verification(),
            size(&folded),
            size(&answered),
        );
    });
}

/// The logs of many blocks take a node or its proxy longer than the client waits.
#[test]
fn a_range_that_takes_too_long_is_shortened() {
    let chain = Deployed::shared().chain(600, 1);
    for fault in [Fault::Lost, Fault::HttpStatus(504, "gateway timeout")] {
        run(async {
            let faults = Faults::default();
            let client = client_by(&faults, &chain).await;
            let identity = Deployed::shared().identity(&client).await;
            let slow = fault.clone();
            faults.set(FaultPlan::by(move |packet| {
                let number = |value: &Value| {
                    u64::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok()
                };
                packet
                    .requests()
                    .iter()
                    .any(|request| {
                        let filter = params(request)[0].clone();
                        let ends = (number(&filter["fromBlock"]), number(&filter["toBlock"]));
                        let (Some(from), Some(to)) = ends else { return false };
                        request.method() == "eth_getLogs" && to - from >= 200
                    })
                    .then(|| slow.clone())
            }));
            let mut follower =
                Follower::new(ChainSource::new(client, ComparisonScope::Everything), identity);
            let mut last = None;
            for _ in 0..100 {
                match follower.catch_up().await {
                    Ok(_) => return,
                    Err(error) => last = Some(error.to_string()),
                }
            }
            panic!("{fault:?}: after 100 attempts it is at {:?}: {last:?}", follower.block());
        });
    }
}

/// The log in one answer lacks its data.
#[test]
fn one_log_without_its_data_does_not_stop_a_follower() {
    let chain = chain_with_rich_holder();
    run(async {
        let faults = Faults::default();
        let mut follower = follower_of(&faults, &chain).await;
        two_deposits(&chain);
        let was_wrong = AtomicBool::new(false);
        faults.answer(move |request| {
            match is_for_block_logs(request) && !was_wrong.swap(true, Ordering::Relaxed) {
                true => Answer::Changed(Box::new(|mut logs| {
                    logs[0]["data"] = json!("0x");
                    logs
                })),
                false => Answer::Node,
            }
        });
        let error = follower.catch_up().await.unwrap_err();
        assert!(matches!(error, FollowError::UnknownEvent { .. }), "{error}");
        insist(&mut follower).await;
        assert!(*follower.state() == fresh(&chain, follower.identity()).await);
    });
}

/// A set is opened with logs of a node that lags behind the set's first block.
#[test]
fn a_set_that_was_just_deployed_is_found_though_one_node_lags() {
    let deployed = Deployed::shared();
    let chain = deployed.chain(3, 1);
    let cache = folder("lagging");
    run(async {
        let faults = Faults::default();
        let client = client_by(&faults, &chain).await;
        let was_wrong = AtomicBool::new(false);
        faults.answer(move |request| {
            let is_logs = request.method() == "eth_getLogs";
            match is_logs && !was_wrong.swap(true, Ordering::Relaxed) {
                true => Answer::Result(json!([])),
                false => Answer::Node,
            }
        });
        let opened = deployed.open(&client, &cache).await;
        assert!(opened.no_history.is_none(), "{:?}", opened.no_history);
    });
    let _ = fs::remove_dir_all(&cache);
}
