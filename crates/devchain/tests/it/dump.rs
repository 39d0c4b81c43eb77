//! Dumps, and determinism.

use alloy_network::TransactionBuilder;
use alloy_primitives::{B256, U256, bytes};
use alloy_provider::Provider;
use canon_devchain::{Devchain, DevchainConfig, Error, Mining, ReorgOptions};

use crate::{
    code,
    support::{call, deploy, dev, provider, send, start},
};

/// A chain with some of everything: contracts, history, a reorg, a pool.
async fn lived_in(seed: u64) -> Devchain {
    let (chain, provider) = start(DevchainConfig {
        seed,
        history_blocks: 10,
        alloc: vec![(alloy_primitives::Address::repeat_byte(5), U256::from(5))],
        ..DevchainConfig::default()
    });
    let cell = deploy(&provider, code::cell()).await;
    for n in 0..20 {
        let word = B256::with_last_byte(n % 7);
        send(&provider, call(cell, word).with_from(dev(&chain, usize::from(n % 3)))).await;
    }
    chain.reorg(ReorgOptions { depth: 2, ..Default::default() }).unwrap();
    chain.set_balance(cell, U256::from(9));
    chain.impersonate(cell);
    chain.set_next_timestamp(chain.timestamp() + 99).unwrap();
    chain.set_prevrandao_next(B256::repeat_byte(3));
    chain.set_mining(Mining::Manual);
    let _ = provider.send_transaction(call(cell, B256::with_last_byte(1))).await.unwrap();
    chain
}

#[tokio::test]
async fn equal_inputs_make_equal_chains() {
    let (first, second) = (lived_in(1).await, lived_in(1).await);
    assert_eq!(first.block_hash(), second.block_hash());
    assert_eq!(first.to_bytes(), second.to_bytes());
    assert_ne!(first.block_hash(), lived_in(2).await.block_hash());
}

#[tokio::test]
async fn dumps_restore_the_whole_chain() {
    let chain = lived_in(1).await;
    let path = std::env::temp_dir().join(format!("canon-devchain-{}", std::process::id()));
    chain.dump(&path).unwrap();
    let loaded = Devchain::load(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(loaded.to_bytes(), chain.to_bytes());

    // Both chains behave alike after it, forwards and backwards.
    let (ours, theirs) = (provider(&chain), provider(&loaded));
    let filter = alloy_rpc_types_eth::Filter::new().from_block(0);
    assert_eq!(ours.get_logs(&filter).await.unwrap(), theirs.get_logs(&filter).await.unwrap());
    for number in [1, 12, 15, 19] {
        let block = async |provider: &alloy_provider::DynProvider| {
            let receipts = provider.get_block_receipts(number.into()).await.unwrap();
            let cell = code::init(&code::cell());
            let nonce = provider.get_transaction_count(dev(&chain, 0)).number(number).await.ok();
            (
                provider.get_block_by_number(number.into()).full().await.unwrap(),
                receipts,
                cell,
                nonce,
            )
        };
        assert_eq!(block(&ours).await, block(&theirs).await);
    }
    assert_eq!(chain.mine().unwrap(), loaded.mine().unwrap());
    for chain in [&chain, &loaded] {
        chain.reorg(ReorgOptions { depth: 6, ..Default::default() }).unwrap();
        chain.mine().unwrap();
    }
    assert_eq!(loaded.to_bytes(), chain.to_bytes());
}

#[tokio::test]
async fn damaged_dumps_are_refused() {
    let good = lived_in(1).await.to_bytes();
    let load = |bytes: &[u8]| Devchain::from_bytes(bytes).unwrap_err();
    assert!(matches!(load(b""), Error::NotADump));
    assert!(matches!(load(b"{\"block\": {}}"), Error::NotADump));
    assert!(matches!(load(&good[..20]), Error::NotADump));
    let mut other = good.clone();
    other[14] = 99;
    assert!(matches!(load(&other), Error::DumpVersion { found: 99, supported: 2 }));
    for index in [15, 60, good.len() / 2, good.len() - 1] {
        let mut damaged = good.clone();
        damaged[index] ^= 1;
        assert!(matches!(load(&damaged), Error::DumpDamaged(_)));
    }
    assert!(matches!(load(&good[..good.len() - 1]), Error::DumpDamaged(_)));
    let missing = Devchain::load("/nonexistent/dump").unwrap_err().to_string();
    assert!(missing.starts_with("can't access /nonexistent/dump"), "{missing}");
}

#[tokio::test]
async fn dumps_travel_over_rpc() {
    let chain = lived_in(1).await;
    let dump: alloy_primitives::Bytes =
        provider(&chain).raw_request("devchain_dump".into(), ()).await.unwrap();
    let other = Devchain::new(DevchainConfig::default());
    let loaded: bool = provider(&other).raw_request("devchain_load".into(), [dump]).await.unwrap();
    assert!(loaded);
    assert_eq!(other.to_bytes(), chain.to_bytes());
    let refused = provider(&other)
        .raw_request::<_, bool>("devchain_load".into(), [bytes!("00")])
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("not a dump"), "{refused}");
}
