//! Snapshots and reorgs.

use alloy_consensus::{SignableTransaction, TxEnvelope, TxLegacy};
use alloy_eips::eip2718::Encodable2718;
use alloy_network::{TransactionBuilder, TxSignerSync};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, bytes};
use alloy_provider::Provider;
use canon_devchain::{
    Devchain, DevchainConfig, Error, Mining, OldTransactions, Reorg, ReorgOptions,
};

use crate::{
    code,
    support::{auto, call, deploy, dev, manual, read, send, start},
};

fn word(n: u8) -> B256 {
    B256::with_last_byte(n)
}

#[tokio::test]
async fn snapshots_restore_state_blocks_pool_and_settings() {
    let (chain, provider) = auto();
    let cell = deploy(&provider, code::cell()).await;
    send(&provider, call(cell, word(1))).await;
    chain.set_balance(cell, U256::from(11));
    let outer = chain.snapshot();
    chain.set_balance(cell, U256::from(22));
    chain.set_next_timestamp(chain.timestamp() + 1234).unwrap();
    let inner = chain.snapshot();
    let expected = chain.to_bytes();

    chain.set_balance(cell, U256::from(33));
    let sent = send(&provider, call(cell, word(2))).await;
    chain.set_mining(Mining::Manual);
    let _ = provider.send_transaction(call(cell, word(3))).await.unwrap();
    chain.set_mining(Mining::Auto);
    chain.revert(inner).unwrap();
    assert_eq!(chain.to_bytes(), expected);
    assert_eq!((chain.balance(cell), chain.pool_size()), (U256::from(22), 0));
    assert!(provider.get_transaction_receipt(sent.transaction_hash).await.unwrap().is_none());
    assert_eq!(read(&provider, cell).await, word(1));
    // Repeating the same steps gives the same result, bit for bit.
    assert_eq!(send(&provider, call(cell, word(2))).await, sent);

    let later = chain.snapshot();
    chain.revert(outer).unwrap();
    assert_eq!(chain.balance(cell), U256::from(11));
    for gone in [inner, outer, later] {
        assert!(matches!(chain.revert(gone), Err(Error::UnknownSnapshot(_))));
    }
}

#[tokio::test]
async fn snapshots_outlive_the_history() {
    let (chain, provider) = start(DevchainConfig { history_blocks: 3, ..Default::default() });
    let cell = deploy(&provider, code::cell()).await;
    let (snapshot, head) = (chain.snapshot(), chain.block_hash());
    for n in 1..20 {
        send(&provider, call(cell, word(n))).await;
    }
    let too_deep = chain.reorg(ReorgOptions { depth: 21, ..Default::default() }).unwrap_err();
    assert!(matches!(too_deep, Error::Depth { depth: 21, blocks: 20 }));
    chain.revert(snapshot).unwrap();
    assert_eq!((chain.block_hash(), chain.block_number()), (head, 1));
    assert_eq!(read(&provider, cell).await, word(0));
    for n in 1..20 {
        send(&provider, call(cell, word(n))).await;
    }
    let too_deep = chain.reorg(ReorgOptions { depth: 4, ..Default::default() }).unwrap_err();
    assert!(matches!(too_deep, Error::TooDeep { block: 16, oldest: 17 }), "{too_deep}");
    chain.reorg(ReorgOptions { depth: 3, ..Default::default() }).unwrap();
    assert_eq!(read(&provider, cell).await, word(16));
}

#[tokio::test]
async fn rpc_snapshots_work() {
    let (chain, provider) = auto();
    let id: U256 = provider.raw_request("evm_snapshot".into(), ()).await.unwrap();
    chain.mine().unwrap();
    let reverted: bool = provider.raw_request("evm_revert".into(), [id]).await.unwrap();
    assert!(reverted);
    assert_eq!(chain.block_number(), 0);
    let reverted: bool = provider.raw_request("evm_revert".into(), [id]).await.unwrap();
    assert!(!reverted);
}

#[tokio::test]
async fn reorgs_work_over_rpc() {
    let (chain, provider) = auto();
    let cell = deploy(&provider, code::cell()).await;
    send(&provider, call(cell, word(1))).await;
    let old = chain.block_hash();
    let reorg = async |method: &'static str, blocks: serde_json::Value| {
        let params = (alloy_primitives::U64::from(1), blocks);
        provider.raw_request::<_, ()>(method.into(), params).await
    };
    reorg("devchain_reorg", serde_json::json!([])).await.unwrap();
    assert_eq!((chain.block_number(), chain.pool_size()), (2, 1));
    assert_ne!(chain.block_hash(), old);
    let raw = signed(&chain, 1, 0, 5);
    reorg("anvil_reorg", serde_json::json!([[raw, 0]])).await.unwrap();
    assert_eq!(chain.balance(Address::repeat_byte(1)), U256::from(5));
    let error = reorg("anvil_reorg", serde_json::json!([[raw, 1]])).await.unwrap_err();
    assert!(error.to_string().contains("block index 1 is not below the depth, 1"), "{error}");
}

#[tokio::test]
async fn reorg_replaces_blocks_and_returns_transactions() {
    let (chain, provider) = auto();
    let cell = deploy(&provider, code::cell()).await;
    let mut receipts = Vec::new();
    for n in 1..=4 {
        receipts.push(send(&provider, call(cell, word(n))).await);
    }
    let Reorg { removed, added, excluded, .. } =
        chain.reorg(ReorgOptions { depth: 3, ..ReorgOptions::default() }).unwrap();
    assert_eq!((removed.len(), added.len(), excluded.len()), (3, 3, 0));
    assert_eq!(chain.block_number(), 5);
    for (block, receipt) in added.iter().zip(&receipts[1..]) {
        assert_eq!(Some(block.number), receipt.block_number);
        assert_eq!(Some(block.timestamp), receipt.logs()[0].block_timestamp);
        assert_ne!(Some(block.hash), receipt.block_hash);
        let hash = receipt.transaction_hash;
        assert!(provider.get_transaction_receipt(hash).await.unwrap().is_none());
        assert!(provider.get_transaction_by_hash(hash).await.unwrap().is_some());
        let old = receipt.block_hash.unwrap();
        assert!(provider.get_block_by_hash(old).await.unwrap().is_none());
    }
    assert_eq!(read(&provider, cell).await, word(1));
    assert_eq!(chain.pool_size(), 3);
    // They are mined again in their old order.
    let block = chain.mine().unwrap();
    let hashes: Vec<_> = receipts[1..].iter().map(|receipt| receipt.transaction_hash).collect();
    assert_eq!(block.transactions, hashes);
    assert_eq!(read(&provider, cell).await, word(4));
}

fn signed(chain: &Devchain, from: usize, nonce: u64, value: u64) -> Bytes {
    let mut tx = TxLegacy {
        chain_id: Some(31337),
        nonce,
        gas_price: 2_000_000_000,
        gas_limit: 21_000,
        to: TxKind::Call(Address::repeat_byte(1)),
        value: U256::from(value),
        ..TxLegacy::default()
    };
    let signature = chain.dev_accounts()[from].sign_transaction_sync(&mut tx).unwrap();
    TxEnvelope::from(tx.into_signed(signature)).encoded_2718().into()
}

#[tokio::test]
async fn reorg_takes_other_transactions() {
    let (chain, provider) = manual();
    for from in 0..2 {
        chain.send_raw(&signed(&chain, from, 0, 100)).unwrap();
        chain.mine().unwrap();
    }
    let reorg = chain
        .reorg(ReorgOptions {
            depth: 2,
            blocks: vec![
                vec![],
                vec![signed(&chain, 0, 0, 7), signed(&chain, 1, 5, 0)],
                vec![signed(&chain, 2, 0, 30)],
            ],
            old: OldTransactions::ReturnToPool,
        })
        .unwrap();
    let counts: Vec<_> = reorg.added.iter().map(|block| block.transactions.len()).collect();
    assert_eq!(counts, [0, 1, 1]);
    assert_eq!(reorg.excluded.len(), 1);
    assert_eq!(reorg.excluded[0].1, "nonce too high: next nonce 0, tx nonce 5");
    assert_eq!(chain.balance(Address::repeat_byte(1)), U256::from(37));
    // One of the old transactions lost its nonce to a new one; the other one waits.
    assert_eq!(chain.pool_size(), 1);
    chain.mine().unwrap();
    assert_eq!(chain.balance(Address::repeat_byte(1)), U256::from(137));

    let bad =
        ReorgOptions { depth: 1, blocks: vec![vec![bytes!("00")]], ..ReorgOptions::default() };
    assert!(matches!(chain.reorg(bad), Err(Error::Undecodable(_))));
    assert_eq!(chain.block_number(), 4);
    let drop = ReorgOptions { depth: 1, old: OldTransactions::Drop, ..ReorgOptions::default() };
    chain.reorg(drop).unwrap();
    assert_eq!(chain.pool_size(), 0);
    let head = provider.get_block_by_number(4.into()).await.unwrap().unwrap();
    assert_eq!(head.header.hash, chain.block_hash());
}

#[tokio::test]
async fn reorgs_down_to_genesis_and_snapshots_before_them() {
    let (chain, provider) = auto();
    let genesis = chain.snapshot();
    let cell = deploy(&provider, code::cell()).await;
    let kept = chain.snapshot();
    send(&provider, call(cell, word(1)).with_from(dev(&chain, 1))).await;
    let lost = chain.snapshot();
    chain.reorg(ReorgOptions { depth: 1, ..Default::default() }).unwrap();
    let unknown = chain.revert(lost).unwrap_err();
    assert!(matches!(unknown, canon_devchain::Error::UnknownSnapshot(_)), "{unknown}");
    chain.revert(kept).unwrap();
    assert_eq!(chain.block_number(), 1);
    let too_deep = ReorgOptions { depth: 2, ..Default::default() };
    let error = chain.reorg(too_deep).unwrap_err();
    let expected = "can't replace 2 blocks: the chain has 1 after genesis";
    assert_eq!(error.to_string(), expected);
    chain.reorg(ReorgOptions { depth: 1, ..Default::default() }).unwrap();
    assert_eq!(chain.next_base_fee(), 875_000_000);
    assert!(provider.get_code_at(cell).await.unwrap().is_empty());
    chain.revert(genesis).unwrap();
    assert_eq!(chain.next_base_fee(), 1_000_000_000);
}
