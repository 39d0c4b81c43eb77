//! An ordinary provider, with wallet and fillers.

use alloy_network::TransactionBuilder;
use alloy_primitives::{Address, Bytes, U256, bytes};
use alloy_provider::Provider;
use alloy_rpc_types_eth::TransactionRequest;
use canon_devchain::Mining;

use crate::{
    code,
    support::{auto, call, deploy, dev, manual, refusal, send},
};

#[tokio::test]
async fn deploys_calls_and_reads_receipts() {
    let (chain, provider) = auto();
    let cell = deploy(&provider, code::cell()).await;
    let word = U256::from(42).to_be_bytes_vec();
    let receipt = provider
        .send_transaction(call(cell, word.clone()))
        .await
        .unwrap()
        .get_receipt()
        .await
        .unwrap();
    assert!(receipt.status());
    assert_eq!(receipt.block_number, Some(2));
    assert_eq!(receipt.gas_used, chain.gas_used(receipt.transaction_hash).unwrap());
    assert_eq!(receipt.logs().len(), 1);
    assert_eq!(receipt.logs()[0].block_timestamp, Some(chain.timestamp()));
    let read = provider.call(call(cell, bytes!(""))).await.unwrap();
    assert_eq!(read, word);
    assert_eq!(chain.balance(cell), U256::ZERO);
}

#[tokio::test]
async fn mines_many_transactions_by_hand() {
    let (chain, provider) = manual();
    let mut hashes = Vec::new();
    for from in [0, 1, 0, 2, 1] {
        let tx = TransactionRequest::default()
            .with_from(dev(&chain, from))
            .with_to(dev(&chain, 9))
            .with_value(U256::from(1));
        hashes.push(*provider.send_transaction(tx).await.unwrap().tx_hash());
    }
    assert_eq!(chain.pool_size(), 5);
    chain.set_next_timestamp(chain.timestamp() + 1000).unwrap();
    let block = chain.mine().unwrap();
    assert_eq!(block.transactions, hashes);
    assert_eq!(block.gas_used, 5 * 21_000);
    assert_eq!(chain.timestamp(), block.timestamp);
    chain.set_mining(Mining::Auto);
    let snapshot = chain.snapshot();
    let before = (chain.block_hash(), chain.balance(dev(&chain, 9)));
    send(&provider, TransactionRequest::default().with_to(dev(&chain, 9)).with_value(U256::ONE))
        .await;
    chain.revert(snapshot).unwrap();
    assert_eq!(before, (chain.block_hash(), chain.balance(dev(&chain, 9))));
}

#[tokio::test]
async fn signs_for_its_own_accounts_without_sending() {
    let (chain, provider) = auto();
    let request = |from| {
        TransactionRequest::default().with_from(from).with_to(dev(&chain, 9)).with_value(U256::ONE)
    };
    let sign = |request| provider.raw_request::<_, Bytes>("eth_signTransaction".into(), [request]);
    let raw = sign(request(dev(&chain, 3))).await.unwrap();
    assert_eq!((chain.block_number(), chain.pool_size()), (0, 0));
    let sent = provider.send_raw_transaction(&raw).await.unwrap();
    let receipt = sent.get_receipt().await.unwrap();
    assert_eq!(receipt.from, dev(&chain, 3));
    // The placeholder signature of an impersonated account isn't a valid signature.
    let stranger = Address::repeat_byte(1);
    for impersonated in [false, true] {
        if impersonated {
            provider
                .raw_request::<_, ()>("anvil_impersonateAccount".into(), [stranger])
                .await
                .unwrap();
        }
        let (_, said) = refusal(sign(request(stranger)).await);
        assert!(said.contains("no signer available for 0x0101"), "{said}");
    }
}
