//! Limits of what a chain keeps.

use alloy_consensus::{SignableTransaction, TxEnvelope, TxLegacy};
use alloy_eips::eip2718::Encodable2718;
use alloy_network::TxSignerSync;
use alloy_primitives::{Address, B256, Bytes, TxKind, bytes};
use canon_devchain::{Devchain, DevchainConfig, Error, Mining};
use serde_json::json;

use crate::support::{auto, dev, manual, refusal, request, start};

#[tokio::test]
async fn a_full_chain_mines_no_further_blocks() {
    let config = DevchainConfig { max_size: 10_000, ..DevchainConfig::default() };
    let (chain, provider) = start(config);
    let (code, message) = refusal(request(&provider, "anvil_mine", json!(["0x64"])).await);
    assert_eq!(code, -32000);
    assert!(message.starts_with("the chain is full"), "{message}");
    let full = chain.block_number();
    assert!((5..20).contains(&full), "{full}");
    let tx = json!([{ "from": dev(&chain, 0), "to": dev(&chain, 1), "gas": "0x5208" }]);
    for (method, params) in [("evm_mine", json!([])), ("eth_sendTransaction", tx.clone())] {
        let (code, message) = refusal(request(&provider, method, params).await);
        assert_eq!((code, message.starts_with("the chain is full")), (-32000, true), "{method}");
    }
    assert!(matches!(chain.mine(), Err(Error::Full { limit: 10_000 })));
    assert!(matches!(chain.mine_unsigned(&[]), Err(Error::Full { .. })));
    assert_eq!((chain.block_number(), chain.pool_size()), (full, 0));
    // A transaction takes more than an empty block.
    request(&provider, "anvil_rollback", json!(["0x5"])).await.unwrap();
    request(&provider, "eth_sendTransaction", tx).await.unwrap();
    refusal(request(&provider, "anvil_mine", json!(["0x64"])).await);
    assert!(chain.block_number() < full, "{}", chain.block_number());
    // A chain that is loaded has the limit of the one that it replaces.
    let other = Devchain::new(DevchainConfig::default());
    for _ in 0..20 {
        other.mine().unwrap();
    }
    let dump = Bytes::from(other.to_bytes());
    request(&provider, "anvil_loadState", json!([dump])).await.unwrap();
    refusal(request(&provider, "evm_mine", json!([])).await);
    request(&provider, "anvil_reset", json!([])).await.unwrap();
    refusal(request(&provider, "anvil_mine", json!(["0x64"])).await);
    assert_eq!(chain.block_number(), full);
}

#[tokio::test]
async fn what_is_stored_counts_for_the_size_of_a_chain() {
    let config = DevchainConfig { max_size: 2 << 20, ..DevchainConfig::default() };
    let (chain, provider) = start(config);
    // Writes its counter to as many slots as the gas allows.
    let contract = Address::repeat_byte(1);
    chain.set_code(contract, bytes!("5f545b60010180805561c3505a116002575f5500")).unwrap();
    let tx = json!([{ "from": dev(&chain, 0), "to": contract, "gas": "0x1000000" }]);
    let full = async || {
        for sent in 0..100 {
            if let Err(full) = request(&provider, "eth_sendTransaction", tx.clone()).await {
                return (sent, full.to_string());
            }
        }
        panic!("it is never full");
    };
    let (blocks, why) = full().await;
    assert!((3..20).contains(&blocks) && why.contains("the chain is full"), "{blocks}: {why}");
    // Nor can anything be stored without a block.
    let account = Address::repeat_byte(2);
    for (method, params) in [
        ("anvil_setStorageAt", json!([account, "0x1", B256::with_last_byte(1)])),
        ("anvil_setCode", json!([account, "0x00"])),
        ("anvil_setNonce", json!([account, "0x1"])),
        ("anvil_setBalance", json!([account, "0x1"])),
        ("anvil_addBalance", json!([account, "0x1"])),
    ] {
        let (code, message) = refusal(request(&provider, method, params).await);
        assert_eq!((code, message.starts_with("the chain is full")), (-32000, true), "{method}");
    }
    // What a rollback removes doesn't count any more.
    request(&provider, "anvil_rollback", json!([blocks])).await.unwrap();
    assert_eq!(full().await.0, blocks);
}

#[tokio::test]
async fn code_goes_with_the_last_account_that_has_it() {
    let config =
        DevchainConfig { max_size: 4 << 20, history_blocks: 3, ..DevchainConfig::default() };
    let (chain, provider) = start(config);
    let edit = async |byte: u8| {
        let code = Bytes::from(vec![byte; 1 << 20]);
        request(&provider, "anvil_setCode", json!([Address::repeat_byte(1), code])).await
    };
    for byte in 1..20 {
        edit(byte).await.unwrap();
    }
    // The state of the last blocks has others.
    for byte in 21..40 {
        chain.mine().unwrap();
        if let Err(full) = edit(byte).await {
            assert!(full.to_string().contains("the chain is full"), "{full}");
            assert!((23..27).contains(&byte), "{byte}");
            return;
        }
    }
    panic!("codes don't count");
}

#[tokio::test]
async fn the_oldest_snapshots_go_when_there_are_too_many() {
    let (chain, provider) = auto();
    let snapshots: Vec<_> = (0..1_025).map(|_| chain.snapshot()).collect();
    let revert = async |index: usize| {
        let id = json!([format!("{:#x}", snapshots[index].number())]);
        request(&provider, "evm_revert", id).await.unwrap()
    };
    assert_eq!(revert(0).await, json!(false));
    assert_eq!(revert(1_024).await, json!(true));
    assert_eq!(revert(1).await, json!(true));
}

#[tokio::test]
async fn transactions_that_wait_have_a_largest_size() {
    let (chain, _) = manual();
    let signer = chain.dev_accounts().remove(0);
    let send = |nonce: u64| {
        let mut tx = TxLegacy {
            chain_id: Some(31337),
            nonce,
            gas_price: 1_000_000_000,
            gas_limit: 1_400_000,
            to: TxKind::Call(Address::ZERO),
            input: vec![0; 130_000].into(),
            ..TxLegacy::default()
        };
        let signature = signer.sign_transaction_sync(&mut tx).unwrap();
        chain.send_raw(&TxEnvelope::from(tx.into_signed(signature)).encoded_2718())
    };
    let refused = (0..1_000).find_map(|nonce| send(nonce).err()).unwrap();
    assert!(refused.to_string().starts_with("txpool is full"), "{refused}");
    let size = chain.pool_size();
    assert!((500..520).contains(&size), "{size}");
    // Snapshots keep the transactions, and all together have a largest size as well.
    let snapshots: Vec<_> = (0..5).map(|_| chain.snapshot()).collect();
    assert!(matches!(chain.revert(snapshots[0]), Err(Error::UnknownSnapshot(_))));
    chain.set_mining(Mining::Manual);
    chain.mine().unwrap();
    assert!(chain.pool_size() < size);
    chain.revert(snapshots[4]).unwrap();
    assert_eq!(chain.pool_size(), size);
}

#[tokio::test]
async fn a_reorg_executes_a_bounded_amount_of_gas() {
    let (chain, provider) = auto();
    chain.mine().unwrap();
    let head = chain.block_hash();
    let signers = chain.dev_accounts();
    let transactions: Vec<_> = (0..33)
        .map(|index| {
            let mut tx = TxLegacy {
                chain_id: Some(31337),
                nonce: index / 10,
                gas_price: 2_000_000_000,
                gas_limit: 1 << 24,
                to: TxKind::Call(Address::ZERO),
                ..TxLegacy::default()
            };
            let signature = signers[index as usize % 10].sign_transaction_sync(&mut tx).unwrap();
            let tx = TxEnvelope::from(tx.into_signed(signature));
            json!([Bytes::from(tx.encoded_2718()), 0])
        })
        .collect();
    let (code, message) =
        refusal(request(&provider, "anvil_reorg", json!(["0x1", transactions])).await);
    assert_eq!(code, -32602);
    assert!(message.contains("expected at most 550000000"), "{message}");
    assert_eq!(chain.block_hash(), head);
    request(&provider, "anvil_reorg", json!(["0x1", transactions[..32]])).await.unwrap();
}
