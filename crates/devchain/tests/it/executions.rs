//! Calls and traces take a bounded amount of time and memory, and nobody waits for them but their clients.

use std::{net::SocketAddr, time::Duration};

use alloy_primitives::{Address, Bytes, bytes};
use canon_devchain::Devchain;
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::Instant};

use crate::{
    raw::{ask, read, request as http_request, send, served},
    support::{auto, dev, refusal, request},
};

const CODE: Address = Address::repeat_byte(2);

/// Code that never ends by itself.
fn endless() -> Bytes {
    bytes!("5b5f56")
}

/// A call that takes many seconds, if nothing ends it.
fn long(chain: &Devchain) -> String {
    chain.set_code(CODE, endless()).unwrap();
    let options = json!({ "tracer": "callTracer", "blockOverrides": { "gasLimit": u64::MAX } });
    http_request("debug_traceCall", json!([{ "to": CODE }, "latest", options]))
}

#[tokio::test(flavor = "multi_thread")]
async fn others_go_on_while_a_call_is_executed() {
    let (chain, server) = served().await;
    let connection = send(server.addr(), &long(&chain)).await;
    for number in 1..=50 {
        let mined = ask(server.addr(), "evm_mine", json!([])).await;
        assert_eq!(mined["result"], "0x0");
        assert_eq!(chain.block_number(), number);
    }
    let error = connection.try_read(&mut [0; 1]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
}

/// Waits for an answer. While something is executed, the paused clock goes on only here.
async fn answer_in_time(server: SocketAddr, mut connection: TcpStream) -> Value {
    let wait = async {
        loop {
            ask(server, "eth_blockNumber", json!([])).await;
            tokio::time::advance(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        (_, answer) = read(&mut connection) => answer,
        never = wait => never,
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_when_its_client_has_gone() {
    let (chain, server) = served().await;
    let long = long(&chain);
    // As many as are executed at the same time. By themselves they would end after five seconds.
    let start = Instant::now();
    for _ in 0..4 {
        drop(send(server.addr(), &long).await);
    }
    let call = http_request("eth_call", json!([{ "to": dev(&chain, 0) }]));
    let answer = answer_in_time(server.addr(), send(server.addr(), &call).await).await;
    assert_eq!(answer["result"], "0x");
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_after_a_while() {
    let (chain, server) = served().await;
    let connection = send(server.addr(), &long(&chain)).await;
    let answer = answer_in_time(server.addr(), connection).await;
    assert_eq!(answer["error"]["code"], -32000, "{answer}");
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("execution aborted"), "{message}");
}

#[tokio::test]
async fn traces_have_a_largest_size() {
    let (chain, provider) = auto();
    let traced = async |code: Bytes, options: Value| {
        chain.set_code(CODE, code).unwrap();
        let params = json!([{ "to": CODE }, "latest", options]);
        refusal(request(&provider, "debug_traceCall", params).await)
    };
    let large = |(code, message): (i64, String)| {
        assert_eq!(code, -32000);
        assert!(message.contains("more than 26214400 bytes"), "{message}");
    };
    // 64 KiB of memory, then an endless loop.
    let memory = bytes!("6201000051505b600656");
    large(traced(memory, json!({ "enableMemory": true, "limit": 2_000 })).await);
    // Each step that accesses storage shows all slots of the contract.
    large(traced(bytes!("5f5b600101808055600156"), json!({ "limit": 20_000 })).await);
    // Each call passes on 64 KiB, without an end.
    let calls = bytes!("5b5f5f620100005f60045afa505f56");
    for tracer in ["callTracer", "4byteTracer", "prestateTracer"] {
        large(traced(calls.clone(), json!({ "tracer": tracer })).await);
    }
    // 64 KiB in each log.
    let logs = bytes!("5b620100005fa05f56");
    let options = json!({ "tracer": "callTracer", "tracerConfig": { "withLog": true } });
    let overrides = json!({ "gasLimit": 150_000_000 });
    let mut more_gas = options;
    more_gas["blockOverrides"] = overrides;
    large(traced(logs, more_gas).await);
    // The code of each account that a call accesses is part of the state before it.
    chain.set_code(Address::repeat_byte(3), vec![0; 8 << 20]).unwrap();
    let access = bytes!("7303030303030303030303030303030303030303033b");
    large(traced(access, json!({ "tracer": "prestateTracer" })).await);
}

#[tokio::test]
async fn answers_have_a_largest_size() {
    let (chain, provider) = auto();
    chain.set_code(CODE, vec![0; 33 << 20]).unwrap();
    let (code, message) = refusal(request(&provider, "eth_getCode", json!([CODE])).await);
    assert_eq!(code, -32003);
    assert!(message.contains("expected at most 67108864"), "{message}");
    // Each call returns 512 KiB.
    chain.set_code(CODE, bytes!("620800005ff3")).unwrap();
    let calls = vec![json!({ "to": CODE, "gas": "0xf4240" }); 40];
    let simulation = json!([{ "blockStateCalls": [{ "calls": calls }] }]);
    let (code, message) = refusal(request(&provider, "eth_simulateV1", simulation).await);
    assert_eq!(code, -32000);
    assert!(message.contains("more than 16777216 bytes"), "{message}");
    // Each transaction logs 512 KiB.
    chain.set_code(CODE, bytes!("620800005fa000")).unwrap();
    let tx = json!([{ "from": dev(&chain, 0), "to": CODE, "gas": "0x500000" }]);
    for _ in 0..33 {
        request(&provider, "eth_sendTransaction", tx.clone()).await.unwrap();
    }
    let logs = json!([{ "fromBlock": "0x0" }]);
    let (code, message) = refusal(request(&provider, "eth_getLogs", logs).await);
    assert_eq!(code, -32005);
    assert!(message.ends_with("ask for blocks 0 to 32"), "{message}");
}
