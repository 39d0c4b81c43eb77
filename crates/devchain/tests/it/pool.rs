//! Nonces, replacements and the other rules of the pool.

use alloy_eips::Encodable2718;
use alloy_network::{NetworkTransactionBuilder, TransactionBuilder};
use alloy_primitives::{Address, B256, U256};
use alloy_provider::{DynProvider, Provider};
use alloy_rpc_types_eth::TransactionRequest;
use canon_devchain::{Devchain, DevchainConfig, Mining};

use crate::support::{auto, dev, manual, start};

const GWEI: u128 = 1_000_000_000;

fn transfer(nonce: u64) -> TransactionRequest {
    TransactionRequest::default()
        .with_to(Address::repeat_byte(1))
        .with_nonce(nonce)
        .with_gas_limit(21_000)
        .max_fee_per_gas(10 * GWEI)
        .max_priority_fee_per_gas(GWEI)
}

async fn send(provider: &DynProvider, tx: TransactionRequest) -> Result<B256, String> {
    let sent = provider.send_transaction(tx).await;
    sent.map(|tx| *tx.tx_hash()).map_err(|error| error.as_error_resp().unwrap().message.to_string())
}

async fn pending_nonce(chain: &Devchain, provider: &DynProvider) -> u64 {
    provider.get_transaction_count(dev(chain, 0)).pending().await.unwrap()
}

#[tokio::test]
async fn future_nonces_wait_for_the_gap_to_close() {
    let (chain, provider) = auto();
    let third = send(&provider, transfer(2)).await.unwrap();
    let second = send(&provider, transfer(1)).await.unwrap();
    assert_eq!((chain.block_number(), chain.pool_size()), (0, 2));
    assert_eq!(pending_nonce(&chain, &provider).await, 0);
    let first = send(&provider, transfer(0)).await.unwrap();
    assert_eq!((chain.block_number(), chain.pool_size()), (3, 0));
    for (hash, number) in [first, second, third].into_iter().zip(1..) {
        let receipt = provider.get_transaction_receipt(hash).await.unwrap().unwrap();
        assert_eq!(receipt.block_number, Some(number));
    }
}

#[tokio::test]
async fn pending_nonces_count_the_pool() {
    let (chain, provider) = manual();
    for nonce in [0, 1, 3] {
        send(&provider, transfer(nonce)).await.unwrap();
    }
    assert_eq!(pending_nonce(&chain, &provider).await, 2);
    assert_eq!(provider.get_transaction_count(dev(&chain, 0)).await.unwrap(), 0);
    assert_eq!(chain.mine().unwrap().transactions.len(), 2);
    assert_eq!(chain.pool_size(), 1);
    send(&provider, transfer(2)).await.unwrap();
    assert_eq!(pending_nonce(&chain, &provider).await, 4);
    assert_eq!(chain.mine().unwrap().transactions.len(), 2);
}

#[tokio::test]
async fn refuses_in_the_words_of_geth() {
    let (chain, provider) = manual();
    let refusal = async |tx| send(&provider, tx).await.unwrap_err();
    send(&provider, transfer(0)).await.unwrap();
    assert_eq!(refusal(transfer(0)).await, "already known");
    chain.mine().unwrap();
    assert_eq!(refusal(transfer(0)).await, "nonce too low: next nonce 1, tx nonce 0");

    let balance = chain.balance(dev(&chain, 0));
    let gas = U256::from(21_000 * 10 * GWEI);
    let rich = transfer(1).with_value(balance);
    assert_eq!(
        refusal(rich).await,
        format!(
            "insufficient funds for gas * price + value: balance {balance}, tx cost {}, \
             overshot {gas}",
            balance + gas
        )
    );
    let half = balance / U256::from(2);
    send(&provider, transfer(1).with_value(half)).await.unwrap();
    let error = refusal(transfer(2).with_value(half)).await;
    let (queued, cost) = (half + gas, half + gas);
    let overshot = queued + cost - balance;
    assert_eq!(
        error,
        format!(
            "insufficient funds for gas * price + value: balance {balance}, queued cost \
             {queued}, tx cost {cost}, overshot {overshot}"
        )
    );
}

#[tokio::test]
async fn replacements_must_pay_a_tenth_more_of_both_fees() {
    let (chain, provider) = manual();
    let original = send(&provider, transfer(0)).await.unwrap();
    let bumped = |fee: u128, tip: u128| {
        transfer(0).max_fee_per_gas(fee * GWEI / 10).max_priority_fee_per_gas(tip * GWEI / 10)
    };
    for (fee, tip) in [(100, 11), (110, 10), (109, 11)] {
        let refusal = send(&provider, bumped(fee, tip)).await.unwrap_err();
        assert_eq!(refusal, "replacement transaction underpriced");
    }
    let replacement = send(&provider, bumped(110, 11)).await.unwrap();
    assert_eq!(chain.pool_size(), 1);
    assert!(provider.get_transaction_by_hash(original).await.unwrap().is_none());
    assert_eq!(chain.mine().unwrap().transactions, [replacement]);
}

#[tokio::test]
async fn blocks_are_filled_in_order_of_arrival_up_to_their_gas_limit() {
    let (chain, provider) = start(DevchainConfig {
        gas_limit: 63_000,
        mining: Mining::Manual,
        ..DevchainConfig::default()
    });
    let mut sent = Vec::new();
    for (from, nonce) in [(1, 1), (0, 0), (1, 0), (2, 0), (0, 1)] {
        let tx = transfer(nonce).with_from(dev(&chain, from));
        sent.push(send(&provider, tx).await.unwrap());
    }
    // The first transaction to arrive has to wait for the one with the nonce before it.
    assert_eq!(chain.mine().unwrap().transactions, [sent[1], sent[2], sent[0]]);
    assert_eq!(chain.mine().unwrap().transactions, [sent[3], sent[4]]);
}

#[tokio::test]
async fn transactions_that_became_invalid_are_dropped() {
    let (chain, provider) = manual();
    let lost = send(&provider, transfer(0).with_value(U256::from(GWEI))).await.unwrap();
    chain.set_balance(dev(&chain, 0), U256::from(5));
    assert_eq!(chain.mine().unwrap().transactions.len(), 0);
    assert_eq!(chain.pool_size(), 0);
    assert!(provider.get_transaction_by_hash(lost).await.unwrap().is_none());
}

#[tokio::test]
async fn sending_synchronously_answers_with_the_receipt() {
    let (chain, provider) = auto();
    let wallet = alloy_network::EthereumWallet::new(chain.dev_accounts().remove(1));
    let raw = async |nonce: u64| {
        let tx = transfer(nonce).with_chain_id(31337).build(&wallet).await.unwrap();
        (tx.encoded_2718(), *tx.tx_hash())
    };
    let (first, hash) = raw(0).await;
    let receipt = provider.send_raw_transaction_sync(&first).await.unwrap();
    assert_eq!((receipt.transaction_hash, receipt.block_number), (hash, Some(1)));
    let (third, hash) = raw(2).await;
    let error = provider.send_raw_transaction_sync(&third).await.unwrap_err();
    assert_eq!(error.as_error_resp().unwrap().code, 4);
    assert_eq!(error.tx_hash_data(), Some(hash));
    assert_eq!(chain.pool_size(), 1);
}

#[tokio::test]
async fn the_pool_can_be_inspected_and_emptied() {
    let (chain, provider) = manual();
    let first = send(&provider, transfer(0)).await.unwrap();
    send(&provider, transfer(5)).await.unwrap();
    let status: serde_json::Value = provider.raw_request("txpool_status".into(), ()).await.unwrap();
    assert_eq!(status, serde_json::json!({ "pending": "0x1", "queued": "0x1" }));
    let dropped: B256 =
        provider.raw_request("anvil_dropTransaction".into(), [first]).await.unwrap();
    assert_eq!(dropped, first);
    let () = provider.raw_request("anvil_dropAllTransactions".into(), ()).await.unwrap();
    assert_eq!(chain.pool_size(), 0);
}
