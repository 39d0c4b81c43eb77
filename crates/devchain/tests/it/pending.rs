//! What isn't mined: the pending block, and blocks that are refused.

use alloy_network::TransactionBuilder;
use alloy_primitives::{Address, Bytes, U256, bytes};
use alloy_provider::Provider;
use alloy_rpc_types_eth::TransactionRequest;
use canon_devchain::{DevchainConfig, Mining, UnsignedCall};
use serde_json::{Value, json};

use crate::{
    code,
    support::{auto, call, deploy, dev, manual, request, start},
};

#[tokio::test]
async fn the_pending_block_lists_what_can_be_executed() {
    let config = DevchainConfig { mining: Mining::Manual, gas_limit: 50_000, ..Default::default() };
    let (chain, provider) = start(config);
    let mut hashes = Vec::new();
    // The last one has no room beside the others, and one waits for its nonce.
    for (sender, nonce) in [(0, 0), (1, 0), (1, 2), (2, 0)] {
        let tx = TransactionRequest::default()
            .with_from(dev(&chain, sender))
            .with_to(Address::repeat_byte(1))
            .with_nonce(nonce)
            .with_gas_limit(21_000)
            .max_fee_per_gas(10_000_000_000)
            .max_priority_fee_per_gas(1_000_000_000);
        hashes.push(*provider.send_transaction(tx).await.unwrap().tx_hash());
    }
    let before = chain.to_bytes();
    let block = provider.get_block_by_number("pending".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(block.transactions.hashes().collect::<Vec<_>>(), hashes[..2]);
    assert_eq!((block.header.number, block.header.gas_used), (1, 0));
    let count = request(&provider, "eth_getBlockTransactionCountByNumber", json!(["pending"]));
    assert_eq!(count.await.unwrap(), "0x2");
    let full = request(&provider, "eth_getBlockByNumber", json!(["pending", true])).await.unwrap();
    for (index, hash) in hashes[..2].iter().enumerate() {
        let place = json!(["pending", format!("{index:#x}")]);
        let method = "eth_getTransactionByBlockNumberAndIndex";
        let found = request(&provider, method, place.clone()).await.unwrap();
        assert_eq!((&found["hash"], &found), (&json!(hash), &full["transactions"][index]));
        let method = "eth_getRawTransactionByBlockNumberAndIndex";
        let raw = request(&provider, "eth_getRawTransactionByHash", json!([hash])).await.unwrap();
        assert_eq!(request(&provider, method, place).await.unwrap(), raw);
    }
    for method in
        ["eth_getTransactionByBlockNumberAndIndex", "eth_getRawTransactionByBlockNumberAndIndex"]
    {
        let none = request(&provider, method, json!(["pending", "0x2"])).await.unwrap();
        assert_eq!(none, Value::Null);
    }
    assert_eq!(chain.to_bytes(), before);
    assert_eq!(chain.mine().unwrap().transactions, hashes[..2]);
}

#[tokio::test]
async fn the_gas_of_a_call_is_that_of_its_block() {
    let (chain, provider) = auto();
    let cell = deploy(&provider, code::cell()).await;
    request(&provider, "evm_setBlockGasLimit", json!(["0x186a0"])).await.unwrap();
    chain.mine().unwrap();
    request(&provider, "evm_setBlockGasLimit", json!(["0x3938700"])).await.unwrap();
    for block in ["latest", "pending", "earliest"] {
        let answer = provider.call(call(cell, Bytes::new())).block(block.parse().unwrap()).await;
        answer.unwrap_or_else(|error| panic!("{block}: {error}"));
    }
}

#[tokio::test]
async fn impersonated_accounts_are_listed_after_the_chains_own() {
    let (chain, provider) = auto();
    let own = provider.get_accounts().await.unwrap();
    for account in [Address::repeat_byte(9), dev(&chain, 3), Address::repeat_byte(2)] {
        chain.impersonate(account);
    }
    let expected = [&own[..], &[Address::repeat_byte(2), Address::repeat_byte(9)]].concat();
    assert_eq!(provider.get_accounts().await.unwrap(), expected);
    chain.stop_impersonating(Address::repeat_byte(2));
    chain.stop_impersonating(Address::repeat_byte(9));
    assert_eq!(provider.get_accounts().await.unwrap(), own);
}

#[test]
fn a_refused_block_of_unsigned_calls_leaves_nothing() {
    let (chain, _) = manual();
    chain.set_base_fee_next(7);
    let before = chain.to_bytes();
    let from = Address::repeat_byte(3);
    // It stores a word, and the next one's code is longer than EIP-3860 allows.
    let creation = UnsignedCall { from, to: None, input: bytes!("60016000556000600060f3") };
    let too_long = UnsignedCall { from, to: None, input: vec![0; 49_153].into() };
    chain.mine_unsigned(&[creation, too_long]).unwrap_err();
    assert_eq!((chain.block_number(), chain.next_base_fee()), (0, 7));
    assert_eq!((chain.nonce(from), chain.balance(from)), (0, U256::ZERO));
    assert!(chain.to_bytes() == before);
}
