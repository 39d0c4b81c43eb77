//! Traces of transactions and calls.

use alloy_network::TransactionBuilder;
use alloy_primitives::{Address, B256, U256, bytes};
use alloy_provider::DynProvider;
use canon_devchain::{Devchain, DevchainConfig, Mining};
use serde_json::{Value, json};

use crate::{
    code,
    support::{auto, call, deploy, dev, refusal, request, send, start},
};

fn word(n: u8) -> B256 {
    B256::with_last_byte(n)
}

async fn trace(provider: &DynProvider, hash: B256, options: Value) -> Value {
    request(provider, "debug_traceTransaction", json!([hash, options])).await.unwrap()
}

/// A chain with a cell and a contract that forwards calls to it.
async fn forwarded() -> (Devchain, DynProvider, Address, Address) {
    let (chain, provider) = auto();
    let cell = deploy(&provider, code::cell()).await;
    let forwarder = deploy(&provider, code::forwarder(cell)).await;
    (chain, provider, cell, forwarder)
}

#[tokio::test]
async fn the_call_tracer_shows_calls_and_logs() {
    let (chain, provider, cell, forwarder) = forwarded().await;
    let receipt = send(&provider, call(forwarder, word(5))).await;
    let traced = async |config: Value| {
        let options = json!({ "tracer": "callTracer", "tracerConfig": config });
        trace(&provider, receipt.transaction_hash, options).await
    };
    let plain = traced(json!({})).await;
    let gas_used = json!(format!("{:#x}", receipt.gas_used));
    for (member, expected) in [
        ("type", json!("CALL")),
        ("from", json!(dev(&chain, 0))),
        ("to", json!(forwarder)),
        ("input", json!(word(5))),
        ("value", json!("0x0")),
        ("gasUsed", gas_used),
    ] {
        assert_eq!(plain[member], expected, "{member}");
    }
    let [inner] = &plain["calls"].as_array().unwrap()[..] else { panic!("{plain}") };
    assert_eq!((&inner["from"], &inner["to"]), (&json!(forwarder), &json!(cell)));
    assert_eq!((&inner["input"], &inner["logs"]), (&json!(word(5)), &Value::Null));
    assert_eq!(traced(json!({ "onlyTopCall": true })).await["calls"], Value::Null);
    let logged = traced(json!({ "withLog": true })).await;
    let log = &logged["calls"][0]["logs"][0];
    assert_eq!((&log["address"], &log["data"]), (&json!(cell), &json!(word(5))));
    assert_eq!(log["topics"], json!([word(1), word(5)]));

    // A revert shows its reason.
    let reverter = deploy(&provider, code::reverter()).await;
    let reason = alloy_sol_types::SolError::abi_encode(&alloy_sol_types::Revert::from("too early"));
    let tx = call(reverter, reason.clone()).with_gas_limit(100_000);
    let hash = send(&provider, tx).await.transaction_hash;
    let failed = trace(&provider, hash, json!({ "tracer": "callTracer" })).await;
    assert_eq!(failed["error"], "execution reverted");
    assert_eq!(failed["revertReason"], "too early");
    assert_eq!(failed["output"], json!(alloy_primitives::Bytes::from(reason)));
}

#[tokio::test]
async fn the_prestate_tracer_shows_what_was_there_and_what_changed() {
    let (chain, provider, cell, forwarder) = forwarded().await;
    send(&provider, call(cell, word(3))).await;
    let sender = dev(&chain, 0);
    let (nonce, balance) = (chain.nonce(sender), chain.balance(sender));
    let receipt = send(&provider, call(forwarder, word(5))).await;
    let after = chain.balance(sender);
    // Later blocks don't matter.
    send(&provider, call(cell, word(9))).await;
    let key =
        |address: Address| serde_json::to_value(address).unwrap().as_str().unwrap().to_owned();
    let slot = serde_json::to_value(word(0)).unwrap().as_str().unwrap().to_owned();
    let traced = async |config: Value| {
        let options = json!({ "tracer": "prestateTracer", "tracerConfig": config });
        trace(&provider, receipt.transaction_hash, options).await
    };
    let before = traced(json!({})).await;
    assert_eq!(before[key(sender)]["balance"], json!(format!("{balance:#x}")));
    assert_eq!(before[key(sender)]["nonce"], json!(nonce));
    assert_eq!(before[key(cell)]["storage"][&slot], json!(word(3)));
    assert_eq!(before[key(cell)]["code"], json!(code::cell()));
    let diff = traced(json!({ "diffMode": true })).await;
    assert_eq!(diff["pre"][key(cell)]["storage"][&slot], json!(word(3)));
    assert_eq!(diff["post"][key(cell)]["storage"][&slot], json!(word(5)));
    assert_eq!(diff["post"][key(sender)]["balance"], json!(format!("{after:#x}")));
    assert_eq!(diff["post"][key(sender)]["nonce"], json!(nonce + 1));
    // The forwarder didn't change.
    assert_eq!(diff["post"][key(forwarder)], Value::Null);
}

#[tokio::test]
async fn a_transaction_is_traced_on_the_state_that_it_found() {
    let (chain, provider, cell, _) = forwarded().await;
    // Edits between blocks and earlier transactions of the block are part of that state.
    let poor = Address::repeat_byte(9);
    chain.impersonate(poor);
    chain.set_balance(poor, U256::from(10).pow(U256::from(18)));
    chain.set_storage(cell, U256::ZERO, U256::from(77));
    chain.set_mining(Mining::Manual);
    let mut hashes = Vec::new();
    for n in 1..=3 {
        let tx = json!([{ "from": poor, "to": cell, "data": word(n), "gas": "0x186a0" }]);
        hashes.push(request(&provider, "eth_sendTransaction", tx).await.unwrap());
    }
    chain.mine().unwrap();
    chain.set_storage(cell, U256::ZERO, U256::from(88));
    chain.mine().unwrap();
    let key = serde_json::to_value(cell).unwrap().as_str().unwrap().to_owned();
    let options = json!({ "tracer": "prestateTracer" });
    let mut found = Vec::new();
    for hash in &hashes {
        let traced =
            request(&provider, "debug_traceTransaction", json!([hash, options])).await.unwrap();
        found.push(traced[&key]["storage"][word(0).to_string()].clone());
    }
    assert_eq!(found, [json!(word(77)), json!(word(1)), json!(word(2))]);
    let all =
        request(&provider, "debug_traceBlockByNumber", json!(["0x3", options])).await.unwrap();
    for (traced, (hash, expected)) in all.as_array().unwrap().iter().zip(hashes.iter().zip(&found))
    {
        assert_eq!(traced["txHash"], *hash);
        assert_eq!(traced["result"][&key]["storage"][word(0).to_string()], *expected);
    }
    // A dump has what traces need.
    let copy = Devchain::from_bytes(&chain.to_bytes()).unwrap();
    let provider = crate::support::provider(&copy);
    let again = request(&provider, "debug_traceBlockByNumber", json!(["0x3", options])).await;
    assert_eq!(again.unwrap(), all);
}

#[tokio::test]
async fn calls_are_traced_with_overrides() {
    let (chain, provider, cell, forwarder) = forwarded().await;
    let request_of = |to: Address| json!({ "from": dev(&chain, 0), "to": to, "data": word(4) });
    let traced = async |params: Value| request(&provider, "debug_traceCall", params).await;
    let options = json!({ "tracer": "callTracer" });
    let plain = traced(json!([request_of(forwarder), "latest", options])).await.unwrap();
    assert_eq!(plain["calls"][0]["to"], json!(cell));
    let mut overrides = options.clone();
    overrides["stateOverrides"] = json!({});
    overrides["stateOverrides"][cell.to_string()] = json!({ "code": code::reverter() });
    let failed = traced(json!([request_of(cell), "latest", overrides])).await.unwrap();
    assert_eq!(failed["error"], "execution reverted");
    // Nothing has changed.
    assert_eq!(chain.block_number(), 2);
    assert_eq!(crate::support::read(&provider, cell).await, B256::ZERO);
    let steps = traced(json!([request_of(cell), "latest"])).await.unwrap();
    assert_eq!(steps["structLogs"][0]["op"], "CALLDATASIZE");
    assert_eq!(steps["failed"], false);
}

#[tokio::test]
async fn steps_are_limited() {
    let (chain, provider) = auto();
    let endless = Address::repeat_byte(2);
    chain.set_code(endless, bytes!("5b5f56")).unwrap();
    let tx = call(endless, bytes!("")).with_gas_limit(1_000_000);
    let hash = send(&provider, tx).await.transaction_hash;
    let traced = async |options: Value| {
        request(&provider, "debug_traceTransaction", json!([hash, options])).await
    };
    let (code, message) = refusal(traced(json!({})).await);
    assert_eq!(code, -32000);
    assert!(message.contains("more than 20000 steps"), "{message}");
    let some = traced(json!({ "limit": 10 })).await.unwrap();
    assert_eq!(some["structLogs"].as_array().unwrap().len(), 10);
    assert_eq!(some["failed"], true);
    assert_eq!(refusal(traced(json!({ "limit": 20_001 })).await).0, -32602);
    let calls = traced(json!({ "tracer": "callTracer" })).await.unwrap();
    assert_eq!(calls["error"], "out of gas");
}

#[tokio::test]
async fn what_cannot_be_traced_is_refused() {
    let (chain, provider) = start(DevchainConfig { history_blocks: 2, ..Default::default() });
    let hash = send(&provider, call(dev(&chain, 1), bytes!(""))).await.transaction_hash;
    let traced = async |method, params: Value| refusal(request(&provider, method, params).await);
    let unknown = traced("debug_traceTransaction", json!([word(1)])).await;
    assert_eq!(unknown, (-32000, "transaction not found".to_owned()));
    let genesis = traced("debug_traceBlockByNumber", json!(["0x0"])).await;
    assert_eq!(genesis, (-32000, "genesis is not traceable".to_owned()));
    let missing = traced("debug_traceBlockByNumber", json!(["0x9"])).await;
    assert_eq!(missing, (-32000, "block not found".to_owned()));
    for tracer in ["jsTracer", "{data: []}", "muxTracer"] {
        let refused = traced("debug_traceTransaction", json!([hash, { "tracer": tracer }])).await;
        assert_eq!(refused.0, -32602, "{refused:?}");
    }
    for _ in 0..4 {
        chain.mine().unwrap();
    }
    let (code, message) = traced("debug_traceTransaction", json!([hash])).await;
    assert_eq!(code, -32000);
    assert!(message.contains("the state is kept from block 3 on"), "{message}");
}
