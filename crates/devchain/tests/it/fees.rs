//! The base fee rule of EIP-1559, and the fees that are suggested to clients.

use alloy_eips::BlockNumberOrTag;
use alloy_network::TransactionBuilder;
use alloy_primitives::{Address, U256};
use alloy_provider::Provider;
use alloy_rpc_types_eth::TransactionRequest;
use canon_devchain::{DevchainConfig, Mining};
use serde_json::json;

use crate::support::{auto, dev, manual, refusal, request, send, start};

/// A transfer with a fixed price, which needs no estimates.
fn transfer(gas_price: u128) -> TransactionRequest {
    TransactionRequest::default()
        .with_to(Address::repeat_byte(1))
        .with_gas_price(gas_price)
        .with_gas_limit(21_000)
}

#[tokio::test]
async fn base_fee_follows_the_fullness_of_blocks() {
    // A block for ten transfers, with a target of five.
    let (chain, provider) = start(DevchainConfig {
        gas_limit: 210_000,
        mining: Mining::Manual,
        ..DevchainConfig::default()
    });
    let mut expected = 1_000_000_000_u64;
    for (transfers, numerator) in [(5, 0), (10, 105_000), (6, 21_000), (0, -105_000), (4, -21_000)]
    {
        assert_eq!(chain.next_base_fee(), expected);
        for _ in 0..transfers {
            let tx = provider.send_transaction(transfer(10_000_000_000)).await.unwrap();
            assert!(provider.get_transaction_receipt(*tx.tx_hash()).await.unwrap().is_none());
        }
        let block = chain.mine().unwrap();
        assert_eq!(block.gas_used, 21_000 * transfers);
        // EIP-1559: base fee · (gas used − target) / target / 8.
        let change = i128::from(expected) * numerator / 105_000 / 8;
        expected = (i128::from(expected) + change) as u64;
    }
    assert_eq!(chain.next_base_fee(), expected);
    let block = provider.get_block_by_number(BlockNumberOrTag::Latest).await.unwrap().unwrap();
    assert_eq!(block.header.base_fee_per_gas, Some(chain_base_fee(&provider).await));
}

async fn chain_base_fee(provider: &impl Provider) -> u64 {
    let history = provider.get_fee_history(1, BlockNumberOrTag::Latest, &[]).await.unwrap();
    history.latest_block_base_fee().unwrap() as u64
}

#[tokio::test]
async fn base_fee_rises_by_at_least_one_and_never_falls_below_seven() {
    let (chain, provider) = start(DevchainConfig {
        gas_limit: 42_000,
        base_fee: 7,
        mining: Mining::Manual,
        ..DevchainConfig::default()
    });
    chain.mine().unwrap();
    assert_eq!(chain.next_base_fee(), 7);
    for _ in 0..2 {
        let _ = provider.send_transaction(transfer(1_000)).await.unwrap();
    }
    chain.mine().unwrap();
    assert_eq!(chain.next_base_fee(), 8);
}

#[tokio::test]
async fn transactions_below_the_base_fee_wait_unless_each_is_mined_at_once() {
    let (chain, provider) = auto();
    let refused = refusal(provider.send_transaction(transfer(900_000_000)).await).1;
    let expected = "max fee per gas less than block base fee: address 0x";
    assert!(refused.starts_with(expected), "{refused}");
    assert!(refused.ends_with("maxFeePerGas: 900000000, baseFee: 1000000000"), "{refused}");
    assert_eq!(chain.pool_size(), 0);
    chain.set_mining(Mining::Manual);
    let cheap = provider.send_transaction(transfer(900_000_000)).await.unwrap();
    assert_eq!((chain.block_number(), chain.pool_size()), (0, 1));
    assert!(provider.get_transaction_by_hash(*cheap.tx_hash()).await.unwrap().is_some());
    // Empty blocks lower the base fee by an eighth each.
    chain.mine().unwrap();
    assert_eq!(chain.pool_size(), 1);
    chain.mine().unwrap();
    assert_eq!(chain.pool_size(), 0);
    assert!(cheap.get_receipt().await.unwrap().status());
}

#[tokio::test]
async fn without_percentiles_there_are_no_rewards() {
    let (_chain, provider) = auto();
    let history = provider.get_fee_history(1, BlockNumberOrTag::Latest, &[]).await.unwrap();
    assert_eq!(history.reward, None);
}

#[tokio::test]
async fn base_fee_of_the_next_block_can_be_set() {
    let (chain, provider) = auto();
    chain.set_base_fee_next(50_000_000_000);
    assert_eq!(provider.get_gas_price().await.unwrap(), 51_000_000_000);
    let receipt = send(&provider, transfer(60_000_000_000)).await;
    assert_eq!(receipt.block_number, Some(1));
    assert_eq!(chain_base_fee(&provider).await, 50_000_000_000);
    assert!(chain.next_base_fee() < 50_000_000_000);
}

#[tokio::test]
async fn fee_history_reports_rewards_by_percentile_of_gas() {
    let (chain, provider) = manual();
    for (from, tip) in [1, 2, 3, 4].into_iter().zip([40, 10, 30, 20]) {
        let tx = transfer(0)
            .with_from(dev(&chain, from))
            .max_fee_per_gas(2_000_000_000)
            .max_priority_fee_per_gas(tip);
        let tx = TransactionRequest { gas_price: None, ..tx };
        let _ = provider.send_transaction(tx).await.unwrap();
    }
    chain.mine().unwrap();
    chain.mine().unwrap();
    let percentiles = [0.0, 25.0, 26.0, 50.0, 75.0, 100.0];
    let history =
        provider.get_fee_history(5, BlockNumberOrTag::Latest, &percentiles).await.unwrap();
    assert_eq!(history.oldest_block, 0);
    assert_eq!(history.base_fee_per_gas.len(), 4);
    assert_eq!(history.next_block_base_fee(), Some(chain.next_base_fee().into()));
    assert_eq!(history.gas_used_ratio[1], 84_000.0 / 60_000_000.0);
    let rewards = history.reward.unwrap();
    assert_eq!(rewards[1], [10, 10, 20, 20, 30, 40]);
    assert_eq!(rewards[2], [0; 6]);
    assert_eq!(provider.get_max_priority_fee_per_gas().await.unwrap(), 1_000_000_000);
    let head = chain.block_number();
    let future = format!("request beyond head block: requested 99, head {head}");
    let answer = provider.get_fee_history(1, 99.into(), &[]).await;
    assert_eq!(refusal(answer), (-32000, future));
    assert!(chain.balance(Address::repeat_byte(1)) == U256::ZERO);
}

#[tokio::test]
async fn the_tip_is_filled_in_up_to_the_maximum_fee() {
    let (chain, provider) =
        start(DevchainConfig { base_fee: 100_000_000, ..DevchainConfig::default() });
    // The suggestion is 1 gwei.
    for (fee, tip) in
        [("0x77359400", "0x3b9aca00"), ("0x3b9aca00", "0x3b9aca00"), ("0x3a9aca00", "0x3a9aca00")]
    {
        let tx = json!([{ "from": dev(&chain, 0), "to": dev(&chain, 1), "maxFeePerGas": fee }]);
        let hash = request(&provider, "eth_sendTransaction", tx).await.unwrap();
        let sent = request(&provider, "eth_getTransactionByHash", json!([hash])).await.unwrap();
        assert_eq!(
            (&sent["maxFeePerGas"], &sent["maxPriorityFeePerGas"]),
            (&json!(fee), &json!(tip))
        );
        let receipt = request(&provider, "eth_getTransactionReceipt", json!([hash])).await.unwrap();
        assert_eq!(receipt["status"], "0x1");
    }
    let tx = json!([{ "from": dev(&chain, 0), "to": dev(&chain, 1), "maxFeePerGas": "0x3b9aca00",
                      "maxPriorityFeePerGas": "0x3b9aca01" }]);
    let refused = refusal(request(&provider, "eth_sendTransaction", tx).await);
    let expected = "maxFeePerGas (0x3b9aca00) < maxPriorityFeePerGas (0x3b9aca01)";
    assert_eq!(refused, (-32000, expected.to_owned()));
}
