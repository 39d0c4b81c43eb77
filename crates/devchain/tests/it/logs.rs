//! Receipts, logs and filters.

use alloy_consensus::{
    TxReceipt,
    proofs::{calculate_receipt_root, calculate_transaction_root},
};
use alloy_eips::BlockId;
use alloy_network::TransactionBuilder;
use alloy_primitives::{Address, B256, Bloom, U64, U256, bytes};
use alloy_provider::Provider;
use alloy_rpc_types_eth::{Filter, Log, ValueOrArray};
use canon_devchain::{DevchainConfig, Mining, ReorgOptions};

use crate::{
    code,
    support::{auto, call, deploy, dev, manual, refusal, send, start},
};

fn word(n: u8) -> B256 {
    B256::with_last_byte(n)
}

#[tokio::test]
async fn receipts_and_blocks_agree() {
    let (chain, provider) = manual();
    chain.set_mining(Mining::Auto);
    let cell = deploy(&provider, code::cell()).await;
    let reverter = deploy(&provider, code::reverter()).await;
    chain.set_mining(Mining::Manual);
    let mut hashes = Vec::new();
    for (from, to) in [(0, cell), (1, reverter), (2, cell), (3, cell)] {
        let tx = call(to, word(from as u8 + 1)).with_from(dev(&chain, from)).with_gas_limit(90_000);
        hashes.push(*provider.send_transaction(tx).await.unwrap().tx_hash());
    }
    let mined = chain.mine().unwrap();
    let block = provider.get_block_by_hash(mined.hash).full().await.unwrap().unwrap();
    let receipts = provider.get_block_receipts(BlockId::latest()).await.unwrap().unwrap();

    let mut cumulative = 0;
    let mut log_index = 0;
    for (index, receipt) in receipts.iter().enumerate() {
        cumulative += receipt.gas_used;
        assert_eq!(receipt.transaction_hash, hashes[index]);
        assert_eq!(receipt.transaction_index, Some(index as u64));
        assert_eq!(receipt.block_hash, Some(mined.hash));
        assert_eq!(receipt.inner.cumulative_gas_used(), cumulative);
        assert_eq!(receipt.status(), index != 1);
        assert_eq!(receipt.inner.logs().len(), usize::from(index != 1));
        for log in receipt.logs() {
            assert_eq!(log.log_index, Some(log_index));
            assert_eq!(log.block_timestamp, Some(mined.timestamp));
            assert_eq!(log.transaction_hash, Some(hashes[index]));
            log_index += 1;
        }
    }
    assert_eq!(block.header.gas_used, cumulative);

    // The header commits to the transactions, the receipts, the logs and the parent.
    let header = block.header.clone().into_consensus();
    assert_eq!(header.hash_slow(), mined.hash);
    let transactions: Vec<_> =
        block.transactions.txns().map(|tx| tx.inner.inner().clone()).collect();
    assert_eq!(header.transactions_root, calculate_transaction_root(&transactions));
    let consensus: Vec<_> =
        receipts.iter().map(|r| r.inner.clone().into_primitives_receipt()).collect();
    assert_eq!(header.receipts_root, calculate_receipt_root(&consensus));
    let bloom = consensus.iter().fold(Bloom::ZERO, |bloom, r| bloom | r.bloom());
    assert_eq!(header.logs_bloom, bloom);
    let parent = provider.get_block_by_number((mined.number - 1).into()).await.unwrap().unwrap();
    assert_eq!(header.parent_hash, parent.header.hash);
}

#[tokio::test]
async fn logs_are_found_by_range_address_and_topics() {
    let (chain, provider) = auto();
    let a = deploy(&provider, code::cell()).await;
    let b = deploy(&provider, code::cell()).await;
    let mut blocks = Vec::new();
    for n in 1..=6 {
        let to = if n % 2 == 0 { b } else { a };
        blocks.push(send(&provider, call(to, word(n))).await.block_number.unwrap());
    }
    let found = async |filter: Filter| -> Vec<u8> {
        let logs = provider.get_logs(&filter.from_block(0)).await.unwrap();
        logs.iter().map(|log| log.topics()[1][31]).collect()
    };
    assert_eq!(found(Filter::new()).await, [1, 2, 3, 4, 5, 6]);
    assert_eq!(found(Filter::new().address(a)).await, [1, 3, 5]);
    assert_eq!(found(Filter::new().address(vec![b, a])).await, [1, 2, 3, 4, 5, 6]);
    assert_eq!(found(Filter::new().address(Address::ZERO)).await, [0; 0]);
    assert_eq!(found(Filter::new().event_signature(word(1))).await, [1, 2, 3, 4, 5, 6]);
    assert_eq!(found(Filter::new().event_signature(word(2))).await, [0; 0]);
    assert_eq!(found(Filter::new().topic1(vec![word(2), word(5)])).await, [2, 5]);
    assert_eq!(found(Filter::new().address(a).topic1(vec![word(2), word(5)])).await, [5]);
    let logs = async |filter: Filter| provider.get_logs(&filter.address(a)).await;
    let range = Filter::new().from_block(blocks[1]).to_block(blocks[3]);
    assert_eq!(provider.get_logs(&range).await.unwrap().len(), 3);
    let hash = chain.block_hash();
    assert_eq!(provider.get_logs(&Filter::new().at_block_hash(hash)).await.unwrap().len(), 1);
    let unknown = provider.get_logs(&Filter::new().at_block_hash(word(1))).await;
    assert_eq!(refusal(unknown), (-32000, "unknown block".to_owned()));
    let expected = (-32602, "invalid block range params".to_owned());
    assert_eq!(refusal(logs(Filter::new().from_block(5).to_block(4)).await), expected);
    assert_eq!(logs(Filter::new().from_block(1)).await.unwrap().len(), 3);
}

#[tokio::test]
async fn filters_deliver_what_is_new_and_what_a_reorg_removed() {
    let (chain, provider) = start(DevchainConfig::default());
    let cell = deploy(&provider, code::cell()).await;
    send(&provider, call(cell, word(1))).await;
    let filter = Filter::new().address(cell).topic1(ValueOrArray::Array(vec![word(2), word(3)]));
    let logs = provider.new_filter(&filter).await.unwrap();
    let blocks = provider.new_block_filter().await.unwrap();
    let pending = provider.new_pending_transactions_filter(false).await.unwrap();

    let receipt = send(&provider, call(cell, word(2))).await;
    send(&provider, call(cell, word(9))).await;
    let new: Vec<Log> = provider.get_filter_changes(logs).await.unwrap();
    assert_eq!(new.len(), 1);
    assert_eq!((new[0].topics()[1], new[0].removed), (word(2), false));
    let hashes: Vec<B256> = provider.get_filter_changes(blocks).await.unwrap();
    assert_eq!(hashes.len(), 2);
    let hashes: Vec<B256> = provider.get_filter_changes(pending).await.unwrap();
    assert_eq!(hashes[0], receipt.transaction_hash);
    assert!(provider.get_filter_changes::<Log>(logs).await.unwrap().is_empty());

    chain.reorg(ReorgOptions { depth: 2, ..ReorgOptions::default() }).unwrap();
    let changes: Vec<Log> = provider.get_filter_changes(logs).await.unwrap();
    assert_eq!(changes.len(), 1);
    assert_eq!((changes[0].block_hash, changes[0].removed), (receipt.block_hash, true));
    let hashes: Vec<B256> = provider.get_filter_changes(blocks).await.unwrap();
    assert_eq!(hashes.len(), 2);
    assert_eq!(hashes[1], chain.block_hash());
    // The transactions returned to the pool, and are mined again.
    chain.mine().unwrap();
    let changes: Vec<Log> = provider.get_filter_changes(logs).await.unwrap();
    assert_eq!((changes.len(), changes[0].removed), (1, false));
    // Without a range, only the newest block is searched.
    assert_eq!(provider.get_filter_logs(logs).await.unwrap().len(), 1);

    assert!(provider.uninstall_filter(logs).await.unwrap());
    assert!(!provider.uninstall_filter(logs).await.unwrap());
    let gone = provider.get_filter_changes::<Log>(logs).await;
    assert_eq!(refusal(gone), (-32000, "filter not found".to_owned()));
}

#[tokio::test]
async fn transactions_and_counts_are_found_by_block() {
    let (chain, provider) = auto();
    let receipt = send(&provider, call(dev(&chain, 1), bytes!(""))).await;
    let hash = receipt.transaction_hash;
    let by_index: Option<alloy_rpc_types_eth::Transaction> = provider
        .raw_request("eth_getTransactionByBlockNumberAndIndex".into(), (U64::from(1), U64::ZERO))
        .await
        .unwrap();
    assert_eq!(*by_index.unwrap().inner.tx_hash(), hash);
    let count: U64 = provider
        .raw_request("eth_getBlockTransactionCountByHash".into(), [chain.block_hash()])
        .await
        .unwrap();
    assert_eq!(count, U64::from(1));
    let raw = provider.get_raw_transaction_by_hash(hash).await.unwrap().unwrap();
    assert_eq!(alloy_primitives::keccak256(raw), hash);
    assert!(provider.get_transaction_receipt(word(1)).await.unwrap().is_none());
    assert!(provider.get_block_by_hash(word(1)).await.unwrap().is_none());
    assert!(provider.get_block_by_number(99.into()).await.unwrap().is_none());
    let accounts = provider.get_accounts().await.unwrap();
    assert_eq!(accounts[1], dev(&chain, 1));
    assert_eq!(provider.get_net_version().await.unwrap(), 31337);
    assert!(provider.get_client_version().await.unwrap().starts_with("canon-devchain/v"));
    assert_eq!(
        provider.get_balance(accounts[1]).await.unwrap(),
        U256::from(10).pow(U256::from(22))
    );
}
