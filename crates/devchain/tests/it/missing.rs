//! Data that the chain doesn't have is never answered as empty data.

use alloy_primitives::{B256, bytes};
use canon_devchain::{DevchainConfig, ReorgOptions};
use serde_json::{Value, json};

use crate::{
    code,
    support::{auto, call, deploy, dev, refusal, request, send, start},
};

fn word(n: u8) -> B256 {
    B256::with_last_byte(n)
}

#[tokio::test]
async fn logs_are_not_searched_in_blocks_that_do_not_exist() {
    let (chain, provider) = auto();
    let cell = deploy(&provider, code::cell()).await;
    send(&provider, call(cell, word(1))).await;
    let logs = async |range: Value| request(&provider, "eth_getLogs", json!([range])).await;
    let number = |ahead: u64| format!("{:#x}", chain.block_number() + ahead);
    let beyond = (-32602, "block range extends beyond current head block".to_owned());
    for range in [
        json!({ "fromBlock": number(1) }),
        json!({ "fromBlock": number(1), "toBlock": "latest" }),
        json!({ "fromBlock": number(1), "toBlock": number(1) }),
        json!({ "fromBlock": "0x0", "toBlock": number(1) }),
        json!({ "fromBlock": "earliest", "toBlock": "0xffffffffffffffff" }),
        json!({ "toBlock": number(1) }),
        json!({ "fromBlock": number(1), "toBlock": "pending" }),
    ] {
        assert_eq!(refusal(logs(range.clone()).await), beyond, "{range}");
    }
    let reversed = (-32602, "invalid block range params".to_owned());
    for range in [
        json!({ "fromBlock": "0x2", "toBlock": "0x1" }),
        json!({ "fromBlock": number(9), "toBlock": number(8) }),
        json!({ "fromBlock": "pending", "toBlock": "latest" }),
    ] {
        assert_eq!(refusal(logs(range.clone()).await), reversed, "{range}");
    }
    let pending = json!({ "fromBlock": "pending", "toBlock": "pending" });
    let unsupported = (-32602, "pending logs are not supported".to_owned());
    assert_eq!(refusal(logs(pending).await), unsupported);
    let both = json!({ "blockHash": word(1), "fromBlock": "0x1" });
    assert_eq!(refusal(logs(both).await).0, -32602);
    let unknown = (-32000, "unknown block".to_owned());
    assert_eq!(refusal(logs(json!({ "blockHash": word(1) })).await), unknown);
    for range in [
        json!({ "fromBlock": "0x0", "toBlock": number(0) }),
        json!({ "fromBlock": "0x0", "toBlock": "pending" }),
        json!({ "fromBlock": "earliest" }),
        json!({}),
    ] {
        assert_eq!(logs(range.clone()).await.unwrap().as_array().unwrap().len(), 1, "{range}");
    }
    // A filter waits for blocks that don't exist yet.
    let range = json!([{ "fromBlock": number(1), "toBlock": number(9) }]);
    let filter = request(&provider, "eth_newFilter", range).await.unwrap();
    let found = request(&provider, "eth_getFilterLogs", json!([filter])).await.unwrap();
    assert_eq!(found, json!([]));
    send(&provider, call(cell, word(2))).await;
    let found = request(&provider, "eth_getFilterChanges", json!([filter])).await.unwrap();
    assert_eq!(found.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn unknown_blocks_and_transactions_are_null() {
    let (chain, provider) = auto();
    let known = send(&provider, call(dev(&chain, 1), bytes!(""))).await;
    let null = async |method, params: Value| {
        let answer = request(&provider, method, params.clone()).await.unwrap();
        assert_eq!(answer, Value::Null, "{method} {params}");
    };
    for (method, rest) in [
        ("eth_getBlockByNumber", vec![json!(true)]),
        ("eth_getBlockReceipts", vec![]),
        ("eth_getBlockTransactionCountByNumber", vec![]),
        ("eth_getUncleCountByBlockNumber", vec![]),
        ("eth_getUncleByBlockNumberAndIndex", vec![json!("0x0")]),
        ("eth_getTransactionByBlockNumberAndIndex", vec![json!("0x0")]),
        ("eth_getRawTransactionByBlockNumberAndIndex", vec![json!("0x0")]),
    ] {
        null(method, [vec![json!("0x2")], rest].concat().into()).await;
    }
    for (method, rest) in [
        ("eth_getBlockByHash", vec![json!(false)]),
        ("eth_getBlockReceipts", vec![]),
        ("eth_getBlockTransactionCountByHash", vec![]),
        ("eth_getUncleCountByBlockHash", vec![]),
        ("eth_getUncleByBlockHashAndIndex", vec![json!("0x0")]),
        ("eth_getTransactionByBlockHashAndIndex", vec![json!("0x0")]),
        ("eth_getRawTransactionByBlockHashAndIndex", vec![json!("0x0")]),
        ("eth_getTransactionByHash", vec![]),
        ("eth_getRawTransactionByHash", vec![]),
        ("eth_getTransactionReceipt", vec![]),
    ] {
        null(method, [vec![json!(word(7))], rest].concat().into()).await;
    }
    null("eth_getTransactionByBlockNumberAndIndex", json!(["0x1", "0x1"])).await;
    null("eth_getRawTransactionByBlockNumberAndIndex", json!(["0x1", "0x1"])).await;
    null("eth_getUncleByBlockNumberAndIndex", json!(["0x1", "0x0"])).await;
    let one = request(&provider, "eth_getBlockTransactionCountByNumber", json!(["0x1"])).await;
    assert_eq!(one.unwrap(), "0x1");
    let none = request(&provider, "eth_getUncleCountByBlockHash", json!([known.block_hash])).await;
    assert_eq!(none.unwrap(), "0x0");
    // The names say what selects the block.
    for (method, id) in [
        ("eth_getBlockByHash", json!("latest")),
        ("eth_getBlockByNumber", json!(B256::repeat_byte(1))),
    ] {
        assert_eq!(refusal(request(&provider, method, json!([id, false])).await).0, -32602);
    }
}

#[tokio::test]
async fn fees_of_later_blocks_are_unknown() {
    let (chain, provider) = auto();
    chain.mine().unwrap();
    let history = async |count: &str, newest: &str| {
        request(&provider, "eth_feeHistory", json!([count, newest, []])).await
    };
    let beyond = (-32000, "request beyond head block: requested 2, head 1".to_owned());
    assert_eq!(refusal(history("0x1", "0x2").await), beyond);
    assert_eq!(history("0x1", "0x1").await.unwrap()["oldestBlock"], "0x1");
    assert_eq!(history("0x1", "pending").await.unwrap()["oldestBlock"], "0x1");
    let none = history("0x0", "latest").await.unwrap();
    assert_eq!((&none["oldestBlock"], &none["gasUsedRatio"]), (&json!("0x0"), &json!([])));
}

#[tokio::test]
async fn blocks_are_selected_as_eip_1898_says() {
    let (chain, provider) = start(DevchainConfig { history_blocks: 2, ..Default::default() });
    let cell = deploy(&provider, code::cell()).await;
    let mut hashes = Vec::new();
    for n in 1..=4 {
        hashes.push(send(&provider, call(cell, word(n))).await.block_hash.unwrap());
    }
    let methods = [
        ("eth_getAccount", vec![json!(cell)]),
        ("eth_getBalance", vec![json!(cell)]),
        ("eth_getTransactionCount", vec![json!(cell)]),
        ("eth_getCode", vec![json!(cell)]),
        ("eth_getStorageAt", vec![json!(cell), json!("0x0")]),
        ("eth_call", vec![json!({ "to": cell })]),
        ("eth_estimateGas", vec![json!({ "to": cell })]),
        ("eth_createAccessList", vec![json!({ "to": cell })]),
    ];
    let at = async |block: &Value| {
        let mut answers = Vec::new();
        for (method, params) in &methods {
            let params = Value::from([&params[..], std::slice::from_ref(block)].concat());
            answers.push((*method, request(&provider, method, params).await));
        }
        answers
    };
    let known = hashes[2];
    for block in [
        json!("0x4"),
        json!(known),
        json!({ "blockNumber": "0x4" }),
        json!({ "blockHash": known }),
        json!({ "blockHash": known, "requireCanonical": true }),
        json!({ "blockHash": known, "requireCanonical": false }),
    ] {
        for (method, answer) in at(&block).await {
            let answer = answer.unwrap();
            assert!(method != "eth_getStorageAt" || answer == json!(word(3)), "{method} {block}");
        }
    }
    let refused = async |block: Value, code: i64, text: &str| {
        for (method, answer) in at(&block).await {
            let found = refusal(answer);
            assert!(found.0 == code && found.1.contains(text), "{method} {block}: {found:?}");
        }
    };
    refused(json!("0x99"), -32000, "header not found").await;
    refused(json!({ "blockNumber": "0x99" }), -32000, "header not found").await;
    refused(json!(word(9)), -32000, "header for hash not found").await;
    refused(json!({ "blockHash": word(9) }), -32000, "header for hash not found").await;
    refused(json!("0x1"), -32000, "the state is kept from block 3 on").await;
    refused(json!({ "blockHash": hashes[0] }), -32000, "the state is kept from block 3 on").await;
    refused(json!({ "blockHash": known, "blockNumber": "0x4" }), -32602, "").await;
    refused(json!("5"), -32602, "").await;
    // A block that a reorg removed is unknown, canonical or not.
    chain.reorg(ReorgOptions { depth: 2, ..ReorgOptions::default() }).unwrap();
    for canonical in [true, false] {
        let block = json!({ "blockHash": known, "requireCanonical": canonical });
        refused(block, -32000, "header for hash not found").await;
    }
}
