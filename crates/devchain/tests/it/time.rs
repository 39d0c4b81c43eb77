//! Time and randomness are inputs.

use alloy_primitives::{B256, U64, U256, bytes};
use alloy_provider::Provider;
use canon_devchain::{Devchain, DevchainConfig, Error};

use crate::{
    code,
    support::{auto, call, deploy, start},
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
    assert_eq!((chain.block_number(), chain.timestamp()), (3, start + 75 + 120));
    request("evm_mine", start + 500).await.unwrap();
    assert_eq!((chain.block_number(), chain.timestamp()), (4, start + 500));
    let options = serde_json::json!([{ "timestamp": "0x70000000", "blocks": 2 }]);
    let _: String = provider.raw_request("evm_mine".into(), options).await.unwrap();
    assert_eq!((chain.block_number(), chain.timestamp()), (6, 0x7000_0001));
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
