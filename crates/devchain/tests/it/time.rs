//! Time and randomness are inputs. A chain can follow a clock, which is one as well.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use alloy_primitives::{B256, U64, U256, bytes};
use alloy_provider::{DynProvider, Provider};
use canon_devchain::{Clock, Devchain, DevchainConfig, Error, Mining, ReorgOptions};
use serde_json::{Value, json};

use crate::{
    code,
    support::{auto, call, deploy, refusal, request as ask, start},
};

#[test]
fn time_moves_with_blocks_only() {
    let chain = Devchain::new(DevchainConfig {
        genesis_timestamp: 1000,
        block_time: 12,
        ..DevchainConfig::default()
    });
    assert_eq!((chain.timestamp(), chain.next_timestamp()), (1000, 1012));
    assert_eq!(chain.mine().unwrap().timestamp, 1012);
    chain.set_next_timestamp(5000).unwrap();
    assert_eq!((chain.timestamp(), chain.next_timestamp()), (1012, 5000));
    assert_eq!(chain.mine().unwrap().timestamp, 5000);
    assert_eq!(chain.mine().unwrap().timestamp, 5012);
    let refused = chain.set_next_timestamp(5012).unwrap_err();
    assert!(matches!(refused, Error::Timestamp { timestamp: 5012, head: 5012 }));
    assert_eq!(chain.increase_time(100), 5112);
    assert_eq!(chain.increase_time(100), 5212);
    assert_eq!(chain.mine().unwrap().timestamp, 5212);
    assert_eq!(chain.increase_time(0), 5213);
}

#[tokio::test]
async fn time_can_be_driven_over_rpc() {
    let (chain, provider) = auto();
    let start = chain.timestamp();
    let request = async |method: &'static str, value: u64| {
        provider.raw_request::<_, serde_json::Value>(method.into(), [U64::from(value)]).await
    };
    request("evm_setNextBlockTimestamp", start + 50).await.unwrap();
    request("evm_increaseTime", 25).await.unwrap();
    request("evm_setNextBlockTimestamp", start).await.unwrap_err();
    let () =
        provider.raw_request("anvil_mine".into(), (U64::from(3), U64::from(60))).await.unwrap();
    assert_eq!((chain.block_number(), chain.timestamp()), (3, start + 75 + 180));
    request("evm_mine", start + 500).await.unwrap();
    assert_eq!((chain.block_number(), chain.timestamp()), (4, start + 500));
    let options = json!([{ "timestamp": "0x70000000", "blocks": 2 }]);
    let _: String = provider.raw_request("evm_mine".into(), options).await.unwrap();
    assert_eq!((chain.block_number(), chain.timestamp()), (6, 0x7000_0001));
}

#[tokio::test]
async fn increased_time_is_answered_in_total() {
    let (chain, provider) = auto();
    let increase =
        async |seconds: u64| ask(&provider, "evm_increaseTime", json!([seconds])).await.unwrap();
    assert_eq!(increase(100).await, json!(100));
    let snapshot = chain.snapshot();
    chain.mine().unwrap();
    assert_eq!(increase(20).await, json!(120));
    assert_eq!(ask(&provider, "anvil_increaseTime", json!(["0x3"])).await.unwrap(), json!(123));
    chain.revert(snapshot).unwrap();
    assert_eq!(increase(0).await, json!(100));
    ask(&provider, "anvil_reset", json!([])).await.unwrap();
    assert_eq!(increase(7).await, json!(7));
    // Without a clock there is no time to be set.
    let refused = refusal(ask(&provider, "evm_setTime", json!([2_000_000_000])).await);
    assert_eq!(refused, (-32000, Error::NoClock.to_string()));
}

/// A chain that follows a clock, and the clock's time.
fn clocked() -> (Devchain, DynProvider, Arc<AtomicU64>) {
    let time = Arc::new(AtomicU64::new(START));
    let now = Arc::clone(&time);
    let (chain, provider) = start(DevchainConfig {
        genesis_timestamp: START,
        clock: Some(Clock::new(move || now.load(Relaxed))),
        ..DevchainConfig::default()
    });
    (chain, provider, time)
}

const START: u64 = 1_800_000_000;

#[tokio::test]
async fn blocks_have_the_time_of_the_clock() {
    let (chain, provider, clock) = clocked();
    let pending = async || {
        let block = provider.get_block_by_number("pending".parse().unwrap()).await.unwrap();
        block.unwrap().header.timestamp
    };
    // A block is after its parent, also within a second.
    for expected in [START + 1, START + 2, START + 3] {
        assert_eq!((chain.next_timestamp(), pending().await), (expected, expected));
        assert_eq!(chain.mine().unwrap().timestamp, expected);
    }
    clock.store(START + 1_000, Relaxed);
    assert_eq!((chain.timestamp(), pending().await), (START + 3, START + 1_000));
    let surroundings = deploy(&provider, code::surroundings()).await;
    assert_eq!(chain.timestamp(), START + 1_000);
    clock.store(START + 2_000, Relaxed);
    let words = provider.call(call(surroundings, bytes!(""))).pending().await.unwrap();
    assert_eq!(U256::from_be_slice(&words[32..64]), U256::from(START + 2_000));
    // Mining at intervals doesn't say what time it is, unlike an interval of timestamps.
    chain.set_mining(Mining::Interval(12.try_into().unwrap()));
    assert_eq!(chain.mine().unwrap().timestamp, START + 2_000);
    ask(&provider, "anvil_setBlockTimestampInterval", json!([7])).await.unwrap();
    assert_eq!(chain.mine().unwrap().timestamp, START + 2_007);
    ask(&provider, "anvil_removeBlockTimestampInterval", json!([])).await.unwrap();
    // A clock that is set back stops no blocks.
    clock.store(5, Relaxed);
    assert_eq!(chain.mine().unwrap().timestamp, START + 2_008);
}

#[tokio::test]
async fn clients_set_the_clock_as_on_anvil() {
    let (chain, provider, clock) = clocked();
    let set = async |method, value: u64| ask(&provider, method, json!([value])).await.unwrap();
    assert_eq!(set("evm_increaseTime", 100).await, json!(100));
    assert_eq!(set("evm_increaseTime", 20).await, json!(120));
    assert_eq!(chain.mine().unwrap().timestamp, START + 120);
    clock.store(START + 10, Relaxed);
    assert_eq!(chain.mine().unwrap().timestamp, START + 130);
    // Time goes on from one that was set for a block, and an increase before that block is lost.
    set("evm_setNextBlockTimestamp", START + 500).await;
    assert_eq!(set("anvil_increaseTime", 1).await, json!(121));
    assert_eq!(chain.mine().unwrap().timestamp, START + 500);
    clock.store(START + 12, Relaxed);
    assert_eq!(chain.next_timestamp(), START + 502);
    assert_eq!(set("evm_increaseTime", 0).await, json!(490));
    // The answer is the distance from the time before.
    assert_eq!(set("evm_setTime", START + 1_502).await, json!(1_000));
    assert_eq!(set("anvil_setTime", (START + 2_502) * 1_000).await, json!(1_000));
    assert_eq!(chain.mine().unwrap().timestamp, START + 2_502);
    assert_eq!(set("evm_setTime", START).await, json!(0));
    assert_eq!(set("evm_increaseTime", 0).await, json!(-12));
    // Unlike on anvil, a block is never before its parent.
    assert_eq!(chain.mine().unwrap().timestamp, START + 2_503);
    clock.store(START + 10_000, Relaxed);
    assert_eq!(chain.mine().unwrap().timestamp, START + 9_988);
    // Anvil lets the seconds pass before each block, Hardhat before each but the first one.
    ask(&provider, "anvil_mine", json!(["0x3", "0x3c"])).await.unwrap();
    assert_eq!(chain.timestamp(), START + 9_988 + 180);
    ask(&provider, "hardhat_mine", json!(["0x3", "0x3c"])).await.unwrap();
    assert_eq!(chain.timestamp(), START + 9_988 + 180 + 1 + 120);
    assert_eq!(chain.increase_time(50), chain.timestamp() + 50);
}

#[tokio::test]
async fn time_is_increased_from_the_head_if_blocks_came_faster_than_seconds() {
    let (chain, provider, _clock) = clocked();
    ask(&provider, "anvil_mine", json!(["0x28"])).await.unwrap();
    assert_eq!(chain.timestamp(), START + 40);
    ask(&provider, "evm_increaseTime", json!([3_600])).await.unwrap();
    assert_eq!(chain.mine().unwrap().timestamp, START + 40 + 3_600);
}

#[tokio::test]
async fn who_goes_back_gets_the_time_back() {
    let (chain, provider, clock) = clocked();
    const YEAR: u64 = 31_536_000;
    let increase =
        async |seconds: u64| ask(&provider, "evm_increaseTime", json!([seconds])).await.unwrap();
    increase(50).await;
    let snapshot = chain.snapshot();
    increase(YEAR).await;
    chain.mine().unwrap();
    clock.store(START + 10, Relaxed);
    chain.revert(snapshot).unwrap();
    assert_eq!(chain.next_timestamp(), START + 60);
    // The blocks of a reorg have the times of those that they replace. The clock isn't set to them.
    let old = chain.mine().unwrap();
    clock.store(START + 500, Relaxed);
    let reorg = chain.reorg(ReorgOptions { depth: 1, ..ReorgOptions::default() }).unwrap();
    assert_eq!(reorg.added[0].timestamp, old.timestamp);
    assert_eq!(chain.next_timestamp(), START + 550);
    // A rollback and a reset lead to the clock's own time.
    increase(YEAR).await;
    chain.mine().unwrap();
    ask(&provider, "anvil_rollback", json!([1])).await.unwrap();
    assert_eq!(chain.next_timestamp(), START + 500);
    increase(YEAR).await;
    ask(&provider, "anvil_reset", json!([])).await.unwrap();
    assert_eq!((chain.timestamp(), chain.next_timestamp()), (START, START + 500));
    // A dump has no clock. After it is loaded, time goes on from its head if that is in the future.
    for (seconds, expected) in [(0, START + 500), (YEAR, START + 500 + YEAR + 1)] {
        increase(seconds).await;
        chain.mine().unwrap();
        let dump: Value = ask(&provider, "anvil_dumpState", json!([])).await.unwrap();
        ask(&provider, "anvil_reset", json!([])).await.unwrap();
        ask(&provider, "anvil_loadState", json!([dump])).await.unwrap();
        assert_eq!(chain.next_timestamp(), expected.max(chain.timestamp() + 1));
    }
    clock.store(START + 600, Relaxed);
    assert_eq!(chain.next_timestamp(), START + 600 + YEAR);
}

#[tokio::test]
async fn prevrandao_comes_from_the_seed_or_is_set() {
    let randao_of = async |seed: u64| {
        let (chain, provider) = start(DevchainConfig { seed, ..DevchainConfig::default() });
        let surroundings = deploy(&provider, code::surroundings()).await;
        let words = provider.call(call(surroundings, bytes!(""))).await.unwrap();
        let expected = B256::from_slice(&words[64..96]);
        chain.mine().unwrap();
        let head = provider.get_block_by_number(chain.block_number().into()).await.unwrap();
        assert_eq!(head.unwrap().header.mix_hash, expected);
        chain.set_prevrandao_next(B256::repeat_byte(7));
        chain.mine().unwrap();
        let words = provider.call(call(surroundings, bytes!(""))).latest().await.unwrap();
        assert_eq!(words[64..96], [7; 32]);
        chain.mine().unwrap();
        let words = provider.call(call(surroundings, bytes!(""))).latest().await.unwrap();
        assert_ne!(U256::from_be_slice(&words[64..96]), U256::from_be_slice(&[7; 32]));
        expected
    };
    assert_eq!(randao_of(1).await, randao_of(1).await);
    assert_ne!(randao_of(1).await, randao_of(2).await);
}
