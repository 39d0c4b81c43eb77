//! `eth_simulateV1`.

use alloy_primitives::{Address, B256, U256, address};
use serde_json::{Value, json};

use crate::{
    code,
    support::{auto, call, deploy, dev, read, refusal, request, send},
};

fn word(n: u8) -> B256 {
    B256::with_last_byte(n)
}

#[tokio::test]
async fn blocks_build_on_each_other_and_leave_nothing() {
    let (chain, provider) = auto();
    let cell = deploy(&provider, code::cell()).await;
    let surroundings = deploy(&provider, code::surroundings()).await;
    send(&provider, call(cell, word(3))).await;
    let simulated = request(
        &provider,
        "eth_simulateV1",
        json!([{
            "blockStateCalls": [
                { "calls": [
                    { "to": cell },
                    { "from": dev(&chain, 0), "to": cell, "data": word(5) },
                    { "to": cell },
                ] },
                {
                    "blockOverrides": { "number": "0x6", "time": "0x70000000", "feeRecipient": dev(&chain, 3) },
                    "calls": [{ "to": cell }, { "to": surroundings }],
                },
            ],
        }, "latest"]),
    );
    let blocks = simulated.await.unwrap();
    let blocks = blocks.as_array().unwrap();
    let numbers: Vec<_> = blocks.iter().map(|block| block["number"].clone()).collect();
    assert_eq!(numbers, ["0x4", "0x5", "0x6"]);
    let output = |block: &Value, index: usize| block["calls"][index]["returnData"].clone();
    assert_eq!(output(&blocks[0], 0), json!(word(3)));
    assert_eq!(output(&blocks[0], 2), json!(word(5)));
    assert_eq!(output(&blocks[2], 0), json!(word(5)));
    // Blocks follow each other as real ones do.
    assert_eq!(blocks[0]["parentHash"], json!(chain.block_hash()));
    for pair in blocks.windows(2) {
        assert_eq!(pair[1]["parentHash"], pair[0]["hash"]);
    }
    let time = chain.timestamp();
    assert_eq!(blocks[0]["timestamp"], json!(format!("{:#x}", time + 12)));
    assert_eq!(blocks[1]["timestamp"], json!(format!("{:#x}", time + 24)));
    let seen: alloy_primitives::Bytes = serde_json::from_value(output(&blocks[2], 1)).unwrap();
    assert_eq!(U256::from_be_slice(&seen[..32]), U256::from(6));
    assert_eq!(U256::from_be_slice(&seen[32..64]), U256::from(0x7000_0000));
    assert_eq!(json!(B256::from_slice(&seen[128..160])), blocks[1]["hash"]);
    assert_eq!(blocks[2]["miner"], json!(dev(&chain, 3)));
    let log = &blocks[0]["calls"][1]["logs"][0];
    assert_eq!((&log["address"], &log["data"]), (&json!(cell), &json!(word(5))));
    assert_eq!((&log["blockHash"], &log["transactionIndex"]), (&blocks[0]["hash"], &json!("0x1")));
    assert_eq!((chain.block_number(), read(&provider, cell).await), (3, word(3)));
}

#[tokio::test]
async fn overrides_transfers_and_failures_are_shown() {
    let (_, provider) = auto();
    let reverter = deploy(&provider, code::reverter()).await;
    let [rich, other] = [Address::repeat_byte(0xc0), Address::repeat_byte(0xc1)];
    let mut state = json!({});
    state[rich.to_string()] = json!({ "balance": "0x3e8" });
    let simulated = request(
        &provider,
        "eth_simulateV1",
        json!([{
            "blockStateCalls": [{ "stateOverrides": state, "calls": [
                { "from": rich, "to": other, "value": "0x3e8" },
                { "from": other, "to": rich, "value": "0x1" },
                { "from": rich, "to": reverter, "data": "0x1234" },
                { "from": rich, "to": other, "gas": "0x5208" },
            ] }],
            "traceTransfers": true,
            "returnFullTransactions": true,
        }]),
    );
    let blocks = simulated.await.unwrap();
    let calls = &blocks[0]["calls"];
    assert_eq!((&calls[0]["status"], &calls[0]["gasUsed"]), (&json!("0x1"), &json!("0x5208")));
    let log = &calls[0]["logs"][0];
    let ether = address!("0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");
    assert_eq!((&log["address"], &log["topics"][2]), (&json!(ether), &json!(other.into_word())));
    assert_eq!((&calls[2]["status"], &calls[2]["returnData"]), (&json!("0x0"), &json!("0x1234")));
    let expected = json!({ "code": 3, "message": "execution reverted", "data": "0x1234" });
    assert_eq!(calls[2]["error"], expected);
    assert_eq!(blocks[0]["transactions"][1]["from"], json!(other));
    assert_eq!(blocks[0]["transactions"][3]["nonce"], "0x2");
}

#[tokio::test]
async fn impossible_simulations_are_refused_with_the_codes_of_the_specification() {
    let (chain, provider) = auto();
    chain.mine().unwrap();
    let [poor, other] = [Address::repeat_byte(0xc0), dev(&chain, 1)];
    let simulated = async |payload: Value| {
        refusal(request(&provider, "eth_simulateV1", json!([payload, "latest"])).await)
    };
    let blocks = |blocks: Value| json!({ "blockStateCalls": blocks });
    let number = |number: &str| json!({ "blockOverrides": { "number": number } });
    let (code, message) = simulated(blocks(json!([number("0x5"), number("0x5")]))).await;
    assert_eq!((code, &*message), (-38020, "block numbers must be in order: 5 <= 5"));
    assert_eq!(simulated(blocks(json!([number("0x1")]))).await.0, -38020);
    let early = json!([{ "blockOverrides": { "time": "0x5" } }]);
    assert_eq!(simulated(blocks(early)).await.0, -38021);
    let (code, message) = simulated(blocks(json!([number("0x200")]))).await;
    assert_eq!((code, &*message), (-38026, "too many blocks"));
    assert_eq!(simulated(blocks(json!([number("0xffffffffffffffffff")]))).await.0, -38026);
    assert_eq!(simulated(blocks(json!([]))).await.0, -32602);
    let call = |call: Value| json!([{ "calls": [call] }]);
    let funds = json!({ "from": poor, "to": other, "value": "0x1" });
    assert_eq!(simulated(blocks(call(funds))).await.0, -38014);
    let gas = json!({ "from": poor, "to": other, "gas": "0x5207" });
    assert_eq!(simulated(blocks(call(gas))).await.0, -38013);
    let much = json!({ "from": poor, "to": other, "gas": "0x3938701" });
    assert_eq!(simulated(blocks(call(much))).await.0, -38015);
    let valid =
        |call: Value| json!({ "blockStateCalls": [{ "calls": [call] }], "validation": true });
    let cheap = json!({ "from": other, "to": poor, "gas": "0x5208" });
    assert_eq!(simulated(valid(cheap)).await.0, -38012);
    let priced = |nonce: &str| {
        json!({ "from": other, "to": poor, "gas": "0x5208", "maxFeePerGas": "0x77359400",
                "nonce": nonce })
    };
    assert_eq!(simulated(valid(priced("0x1"))).await.0, -38011);
    let unknown = json!([blocks(call(json!({ "to": other }))), "0x99"]);
    let unknown = request(&provider, "eth_simulateV1", unknown).await;
    assert_eq!(refusal(unknown).0, -32000);
    let fine = request(&provider, "eth_simulateV1", json!([valid(priced("0x0"))])).await.unwrap();
    assert_eq!(fine[0]["calls"][0]["status"], "0x1");
    assert_ne!(fine[0]["baseFeePerGas"], "0x0");
}

#[tokio::test]
async fn valid_transactions_without_a_gas_limit_get_the_most_that_is_allowed() {
    let (chain, provider) = auto();
    let (from, to) = (dev(&chain, 0), Address::repeat_byte(1));
    let call = json!({ "from": from, "to": to, "value": "0x1", "maxFeePerGas": "0x77359400" });
    let payload = json!([{ "blockStateCalls": [{ "calls": [call] }], "validation": true }]);
    let blocks = request(&provider, "eth_simulateV1", payload).await.unwrap();
    assert_eq!(blocks[0]["calls"][0]["status"], "0x1");
}
