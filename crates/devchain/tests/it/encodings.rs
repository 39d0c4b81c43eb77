//! The account, the block and the rules of the chain as other programs encode them.

use alloy_consensus::{Block, TxEnvelope};
use alloy_primitives::{Address, B256, Bytes, U256, b256, bytes};
use alloy_provider::Provider;
use alloy_rlp::Decodable;
use serde_json::json;

use crate::{
    code,
    support::{auto, call, deploy, dev, manual, refusal, request, send},
};

#[tokio::test]
async fn an_account_has_the_root_of_its_storage() {
    let (chain, provider) = auto();
    let address = Address::repeat_byte(0xaa);
    let account = async |block: &str| {
        request(&provider, "eth_getAccount", json!([address, block])).await.unwrap()
    };
    let empty = json!({
        "nonce": "0x0",
        "balance": "0x0",
        "storageRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
        "codeHash": "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
    });
    assert_eq!(account("latest").await, empty);
    chain.set_storage(address, U256::ZERO, U256::from(5));
    chain.set_storage(address, U256::from(1), U256::from(1));
    chain.set_storage(address, U256::from(1), U256::ZERO);
    chain.set_code(address, bytes!("00")).unwrap();
    chain.set_balance(address, U256::from(255));
    chain.set_nonce(address, 3);
    // The hashes are anvil's for this code and this slot.
    let five = json!({
        "nonce": "0x3",
        "balance": "0xff",
        "storageRoot": "0xa81d6253cfe982c46684c6f10f9e860e65959f04914b84358281b6cdef63a02d",
        "codeHash": "0xbc36789e7a1e281436464229828f817d6612f7b477d66591ff96a9e064bcc98a",
    });
    assert_eq!(account("latest").await, five);
    chain.mine().unwrap();
    chain.set_storage(address, U256::from(9), U256::from(9));
    chain.set_storage(address, U256::ZERO, U256::ZERO);
    chain.mine().unwrap();
    assert_eq!(account("0x1").await, five);
    let other = account("latest").await;
    assert_eq!(account("pending").await, other);
    chain.set_storage(address, U256::from(9), U256::ZERO);
    let emptied = account("latest").await;
    assert_ne!(other["storageRoot"], five["storageRoot"]);
    assert_eq!(emptied["storageRoot"], empty["storageRoot"]);
}

#[tokio::test]
async fn a_block_is_encoded_with_its_transactions() {
    let (chain, provider) = manual();
    let mut transactions = Vec::new();
    for (nonce, price) in [(0, json!({})), (1, json!({ "gasPrice": "0x77359400" }))] {
        let mut tx = json!({ "from": dev(&chain, 0), "to": dev(&chain, 1), "gas": "0x5208" });
        tx["nonce"] = json!(format!("{nonce:#x}"));
        tx.as_object_mut().unwrap().extend(price.as_object().unwrap().clone());
        let hash = request(&provider, "eth_sendTransaction", json!([tx])).await.unwrap();
        transactions.push(serde_json::from_value::<B256>(hash).unwrap());
    }
    let mined = chain.mine().unwrap();
    for id in [json!("0x1"), json!("latest"), json!(mined.hash)] {
        let raw = request(&provider, "debug_getRawBlock", json!([id])).await.unwrap();
        let raw: Bytes = serde_json::from_value(raw).unwrap();
        let mut rest = &raw[..];
        let block = Block::<TxEnvelope>::decode(&mut rest).unwrap();
        assert!(rest.is_empty());
        assert_eq!(block.header.hash_slow(), mined.hash);
        let found: Vec<B256> = block.body.transactions.iter().map(|tx| *tx.tx_hash()).collect();
        assert_eq!(found, transactions);
        let size = provider.get_block_by_number(1.into()).await.unwrap().unwrap().header.size;
        assert_eq!(size, Some(U256::from(raw.len())));
    }
    for unknown in [json!("0x9"), json!(B256::ZERO), json!("pending")] {
        let refused = request(&provider, "debug_getRawBlock", json!([unknown])).await;
        assert_eq!(refusal(refused), (-32000, "block not found".to_owned()));
    }
}

#[tokio::test]
async fn a_transaction_is_encoded_by_its_place() {
    let (_, provider) = auto();
    let cell = deploy(&provider, code::cell()).await;
    let receipt = send(&provider, call(cell, B256::with_last_byte(7))).await;
    let hash = receipt.transaction_hash;
    let expected = request(&provider, "eth_getRawTransactionByHash", json!([hash])).await.unwrap();
    for (method, block) in [
        ("eth_getRawTransactionByBlockNumberAndIndex", json!("0x2")),
        ("eth_getRawTransactionByBlockNumberAndIndex", json!("latest")),
        ("eth_getRawTransactionByBlockHashAndIndex", json!(receipt.block_hash)),
    ] {
        let found = request(&provider, method, json!([block, "0x0"])).await.unwrap();
        assert_eq!(found, expected, "{method} {block}");
    }
}

/// The checksum of EIP-2124.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1))
        })
    })
}

#[tokio::test]
async fn the_rules_are_those_of_osaka() {
    let (_, provider) = auto();
    let config = request(&provider, "eth_config", json!([])).await.unwrap();
    let genesis = provider.get_block_by_number(0.into()).await.unwrap().unwrap().header.hash;
    // EIP-2124 has this value for mainnet's genesis.
    let mainnet = b256!("0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3");
    assert_eq!(crc32(&mainnet[..]), 0xfc64_ec04);
    let address = |n: u64| Address::from_word(U256::from(n).into());
    let expected = json!({
        "current": {
            "activationTime": 0,
            "blobSchedule": { "baseFeeUpdateFraction": 5_007_716, "max": 9, "target": 6 },
            "chainId": "0x7a69",
            "forkId": format!("{:#010x}", crc32(&genesis[..])),
            "precompiles": {
                "BLAKE2F": address(9),
                "BLS12_G1ADD": address(0xb),
                "BLS12_G1MSM": address(0xc),
                "BLS12_G2ADD": address(0xd),
                "BLS12_G2MSM": address(0xe),
                "BLS12_MAP_FP2_TO_G2": address(0x11),
                "BLS12_MAP_FP_TO_G1": address(0x10),
                "BLS12_PAIRING_CHECK": address(0xf),
                "BN254_ADD": address(6),
                "BN254_MUL": address(7),
                "BN254_PAIRING": address(8),
                "ECREC": address(1),
                "ID": address(4),
                "KZG_POINT_EVALUATION": address(0xa),
                "MODEXP": address(5),
                "P256VERIFY": address(0x100),
                "RIPEMD160": address(3),
                "SHA256": address(2),
            },
            "systemContracts": {
                "HISTORY_STORAGE_ADDRESS": alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS,
            },
        },
        "next": null,
        "last": null,
    });
    assert_eq!(config, expected);
}
