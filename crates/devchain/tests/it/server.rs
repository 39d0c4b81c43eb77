//! The chain over HTTP.

use alloy_primitives::{B256, U256};
use alloy_provider::{Provider, ProviderBuilder};
use alloy_transport_http::reqwest::{Client, Method, Response};
use canon_devchain::{Devchain, DevchainConfig, ServerHandle, serve};
use serde_json::{Value, json};

use crate::{
    code,
    support::{call, dev},
};

async fn start() -> (Devchain, ServerHandle, String) {
    // HTTP clients need a provider even without TLS. Another test may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let chain = Devchain::new(DevchainConfig::default());
    let server = serve(chain.clone(), ([127, 0, 0, 1], 0).into()).await.unwrap();
    let url = format!("http://{}", server.addr());
    (chain, server, url)
}

async fn post(url: &str, body: impl Into<String>) -> Response {
    let request = Client::new().post(url).header("content-type", "application/json");
    request.body(body.into()).send().await.unwrap()
}

async fn answer(url: &str, body: Value) -> Value {
    serde_json::from_str(&post(url, body.to_string()).await.text().await.unwrap()).unwrap()
}

#[tokio::test]
async fn providers_work_over_http() {
    let (chain, server, url) = start().await;
    let provider = ProviderBuilder::new()
        .wallet(chain.dev_accounts().remove(0))
        .connect_http(url.parse().unwrap());
    let tx = alloy_rpc_types_eth::TransactionRequest::default();
    let tx = alloy_network::TransactionBuilder::with_deploy_code(tx, code::init(&code::cell()));
    let receipt = provider.send_transaction(tx).await.unwrap().get_receipt().await.unwrap();
    let cell = receipt.contract_address.unwrap();
    let sent = provider.send_transaction(call(cell, B256::with_last_byte(6))).await.unwrap();
    assert!(sent.get_receipt().await.unwrap().status());
    assert_eq!(provider.get_storage_at(cell, U256::ZERO).await.unwrap(), U256::from(6));
    assert_eq!(chain.block_number(), 2);
    server.shutdown().await.unwrap();
    assert!(provider.get_block_number().await.is_err());
}

#[tokio::test]
async fn batches_are_answered_in_order() {
    let (chain, _server, url) = start().await;
    let request = |id: Value, method: &str| json!({ "jsonrpc": "2.0", "id": id, "method": method });
    let batch = json!([
        request(json!(7), "eth_chainId"),
        request(json!("text"), "evm_mine"),
        { "jsonrpc": "2.0", "method": "evm_mine" },
        1,
        request(json!(8), "eth_nothing"),
        request(json!(9), "eth_blockNumber"),
    ]);
    let answers = answer(&url, batch).await;
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), 5, "a notification is not answered: {answers:?}");
    assert_eq!(answers[0], json!({ "jsonrpc": "2.0", "id": 7, "result": "0x7a69" }));
    assert_eq!(answers[1]["id"], "text");
    assert_eq!((&answers[2]["id"], &answers[2]["error"]["code"]), (&Value::Null, &json!(-32600)));
    assert_eq!((&answers[3]["id"], &answers[3]["error"]["code"]), (&json!(8), &json!(-32601)));
    assert_eq!(answers[4]["result"], "0x2");
    assert_eq!(chain.block_number(), 2);
    let silent = post(&url, json!([{ "jsonrpc": "2.0", "method": "evm_mine" }]).to_string()).await;
    assert_eq!(silent.status(), 204);
}

#[tokio::test]
async fn null_and_large_numbers_are_ids() {
    let (_chain, _server, url) = start().await;
    for id in ["null", "1.50", "123456789012345678901234567890", r#""\u0041""#] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"eth_chainId"}}"#);
        let answer = post(&url, body).await;
        assert_eq!(answer.status(), 200);
        let expected = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":"0x7a69"}}"#);
        assert_eq!(answer.text().await.unwrap(), expected);
    }
    let refused = answer(&url, json!({ "jsonrpc": "1.0", "id": 7, "method": "eth_chainId" })).await;
    assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!(7), &json!(-32600)));
}

#[tokio::test]
async fn errors_have_the_codes_of_the_specification() {
    let (chain, _server, url) = start().await;
    let code = async |body: &str| -> i64 {
        let text = post(&url, body).await.text().await.unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["error"]["code"].as_i64().unwrap()
    };
    assert_eq!(code("{").await, -32700);
    assert_eq!(code("").await, -32700);
    assert_eq!(code("[]").await, -32600);
    assert_eq!(code("3").await, -32600);
    assert_eq!(code(r#"{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}"#).await, -32600);
    assert_eq!(code(r#"{"jsonrpc":"2.0","id":1}"#).await, -32600);
    assert_eq!(code(r#"{"jsonrpc":"2.0","id":1,"method":"eth_foo"}"#).await, -32601);
    let params = async |params: Value| {
        let request = json!({
            "jsonrpc": "2.0", "id": 1, "method": "eth_getBalance", "params": params,
        });
        answer(&url, request).await["error"].clone()
    };
    assert_eq!(params(json!({})).await["code"], -32602);
    let missing = params(json!([])).await;
    assert_eq!(missing["code"], -32602);
    assert_eq!(missing["message"], "missing value for required argument 0");
    let invalid = params(json!(["0x1", "latest"])).await;
    assert!(invalid["message"].as_str().unwrap().starts_with("invalid argument 0: "));
    let unknown = params(json!([dev(&chain, 0), "0x63"])).await;
    assert_eq!(unknown["code"], -32000);
}

#[tokio::test]
async fn pages_of_this_machine_may_ask() {
    let (_chain, _server, url) = start().await;
    let preflight = async |origin: &str| {
        let request = Client::new()
            .request(Method::OPTIONS, &url)
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type");
        request.send().await.unwrap()
    };
    for local in ["http://localhost:5173", "http://127.0.0.1:3000", "http://[::1]"] {
        let preflight = preflight(local).await;
        assert_eq!(preflight.status(), 200);
        let headers = preflight.headers();
        assert_eq!(headers["access-control-allow-origin"], local);
        assert!(headers.contains_key("access-control-allow-methods"));
        assert!(headers.contains_key("access-control-allow-headers"));
    }
    for foreign in ["https://example.org", "http://localhost.example.org", "null"] {
        let preflight = preflight(foreign).await;
        assert!(!preflight.headers().contains_key("access-control-allow-origin"), "{foreign}");
    }
}
