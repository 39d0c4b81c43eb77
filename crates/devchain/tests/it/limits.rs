//! Limits of the work and memory of a request.

use alloy_primitives::{Address, Bytes, bytes};
use alloy_provider::{DynProvider, Provider};
use alloy_rpc_types_eth::Filter;
use canon_devchain::{Devchain, DevchainConfig, Mining, ReorgOptions, serve};
use serde_json::{Value, json};
use tokio::{io::AsyncReadExt, net::TcpStream, task::JoinSet};

use crate::{
    raw,
    support::{auto, dev, manual, refusal, request, start},
};

/// Code that logs without data and topics as often as a transaction's gas allows.
fn logger() -> Bytes {
    // JUMPDEST, LOG0(0, 0), repeat while more than 10,000 gas is left.
    bytes!("5b5f5fa06127105a115f57")
}

/// Emits more than 20,000 logs in each of three blocks.
async fn emit_many_logs(chain: &Devchain, provider: &DynProvider) {
    let contract = Address::repeat_byte(1);
    chain.set_code(contract, logger()).unwrap();
    let tx = json!([{ "from": dev(chain, 0), "gas": "0x1000000", "to": contract }]);
    for _ in 0..3 {
        request(provider, "eth_sendTransaction", tx.clone()).await.unwrap();
    }
}

#[tokio::test]
async fn answers_with_too_many_logs_are_refused() {
    let (chain, provider) = auto();
    emit_many_logs(&chain, &provider).await;
    let all = provider.get_logs(&Filter::new().from_block(0)).await;
    let (code, message) = refusal(all);
    assert_eq!(code, -32005);
    assert!(message.starts_with("query returned more than 20000 results"), "{message}");
    let logs = provider.get_logs(&Filter::new().from_block(1).to_block(1)).await.unwrap();
    assert!(logs.len() > 20_000);
    assert!(message.ends_with("ask for blocks 0 to 1"), "{message}");
}

#[tokio::test]
async fn filters_deliver_many_logs_in_parts() {
    let (chain, provider) = auto();
    let filter = request(&provider, "eth_newFilter", json!([{}])).await.unwrap();
    emit_many_logs(&chain, &provider).await;
    let changes = async || request(&provider, "eth_getFilterChanges", json!([filter])).await;
    let mut logs = Vec::new();
    loop {
        let part = changes().await.unwrap();
        let part = part.as_array().unwrap();
        if part.is_empty() {
            break;
        }
        assert!(part.len() <= 20_000);
        logs.extend(part.iter().map(|log| (log["blockNumber"].clone(), log["logIndex"].clone())));
    }
    let mut all = Vec::new();
    for number in 1..=3 {
        let block = Filter::new().from_block(number).to_block(number);
        let found = provider.get_logs(&block).await.unwrap();
        let indexes = 0..found.len();
        all.extend(indexes.map(|i| (json!(format!("{number:#x}")), json!(format!("{i:#x}")))));
    }
    assert!(logs.len() > 60_000 && logs == all);
    // More removed logs than a client may get are too many to wait for it.
    chain.reorg(ReorgOptions { depth: 3, ..ReorgOptions::default() }).unwrap();
    assert_eq!(refusal(changes().await), (-32000, "filter not found".to_owned()));
}

#[tokio::test]
async fn a_filter_delivers_a_block_with_more_logs_than_an_answer_holds() {
    let (chain, provider) = start(DevchainConfig {
        gas_limit: 500_000_000,
        mining: Mining::Manual,
        ..DevchainConfig::default()
    });
    // Four logs of 480 KiB.
    let contract = Address::repeat_byte(1);
    chain.set_code(contract, bytes!("620780005fa0").repeat(4)).unwrap();
    let tx = json!([{ "from": dev(&chain, 0), "gas": "0x1000000", "to": contract }]);
    let filter = request(&provider, "eth_newFilter", json!([{}])).await.unwrap();
    for _ in 0..20 {
        request(&provider, "eth_sendTransaction", tx.clone()).await.unwrap();
    }
    chain.mine().unwrap();
    let all = request(&provider, "eth_getLogs", json!([{}])).await;
    assert_eq!(refusal(all).0, -32003);
    let changes = async || {
        let part = request(&provider, "eth_getFilterChanges", json!([filter])).await.unwrap();
        let index = |log: &Value| {
            let index = log["logIndex"].as_str().unwrap().trim_start_matches("0x");
            (log["removed"].as_bool().unwrap(), u32::from_str_radix(index, 16).unwrap())
        };
        part.as_array().unwrap().iter().map(index).collect::<Vec<_>>()
    };
    let logs = |removed: bool, range: std::ops::Range<u32>| -> Vec<_> {
        range.map(|index| (removed, index)).collect()
    };
    assert_eq!(changes().await, logs(false, 0..35));
    assert_eq!(changes().await, logs(false, 35..70));
    // Only what was delivered is delivered as removed.
    chain.reorg(ReorgOptions { depth: 1, ..ReorgOptions::default() }).unwrap();
    chain.mine().unwrap();
    assert_eq!(changes().await, logs(true, 0..35));
    assert_eq!(changes().await, logs(true, 35..70));
    for range in [0..35, 35..70, 70..80, 80..80] {
        assert_eq!(changes().await, logs(false, range));
    }
}

#[tokio::test]
async fn unused_filters_go_when_there_are_too_many() {
    let (chain, provider) = auto();
    let mut filters = Vec::new();
    for _ in 0..1_024 {
        filters.push(request(&provider, "eth_newBlockFilter", json!([])).await.unwrap());
    }
    chain.mine().unwrap();
    let changes =
        async |filter: &Value| request(&provider, "eth_getFilterChanges", json!([filter])).await;
    assert_eq!(changes(&filters[0]).await.unwrap().as_array().unwrap().len(), 1);
    let newest = request(&provider, "eth_newBlockFilter", json!([])).await.unwrap();
    // The first one was used, so that the second one went.
    let gone = (-32000, "filter not found".to_owned());
    assert_eq!(refusal(changes(&filters[1]).await), gone);
    for filter in [&filters[0], &filters[2], &newest] {
        changes(filter).await.unwrap();
    }
}

#[tokio::test]
async fn requests_for_too_much_are_refused() {
    let (chain, provider) = auto();
    for (method, params) in [
        ("anvil_mine", json!(["0xffffffffffff"])),
        ("hardhat_mine", json!(["0xf4241", "0x1"])),
        ("evm_mine", json!([{ "blocks": 1_000_001 }])),
        ("eth_feeHistory", json!(["0x1", "latest", vec![1.0; 101]])),
    ] {
        let (code, message) = refusal(request(&provider, method, params).await);
        assert_eq!(code, -32602, "{method}: {message}");
    }
    for method in ["anvil_reorg", "devchain_reorg", "anvil_rollback"] {
        let (code, _) = refusal(request(&provider, method, json!([u64::MAX])).await);
        assert_eq!(code, -32000, "{method}");
    }
    let far = json!([u64::MAX / 2 + 1]);
    let (code, message) = refusal(request(&provider, "evm_setNextBlockTimestamp", far).await);
    assert_eq!(code, -32000, "{message}");
    // Time can't be moved to where no block can follow, in no way.
    let latest = u64::MAX / 2;
    for (method, params) in [
        ("evm_increaseTime", json!([u64::MAX])),
        ("anvil_increaseTime", json!([latest - chain.timestamp() + 1])),
        ("anvil_mine", json!(["0x3", latest / 2])),
        ("anvil_setBlockTimestampInterval", json!([u64::MAX])),
    ] {
        let (code, message) = refusal(request(&provider, method, params).await);
        assert_eq!(code, -32000, "{method}: {message}");
        assert!(message.ends_with(&format!("is too late: set one up to {latest}")), "{message}");
    }
    let seconds = json!([latest - chain.timestamp()]);
    request(&provider, "evm_increaseTime", seconds).await.unwrap();
    chain.mine().unwrap();
    assert_eq!(chain.timestamp(), latest);
    assert_eq!(refusal(request(&provider, "evm_increaseTime", json!([1])).await).0, -32000);
    assert_eq!(chain.increase_time(u64::MAX), latest + 1);
    chain.mine().unwrap();
    assert_eq!(chain.timestamp(), latest + 1);
    let late = DevchainConfig { genesis_timestamp: latest + 1, ..DevchainConfig::default() };
    Devchain::from_bytes(&Devchain::new(late).to_bytes()).unwrap_err();
    Devchain::from_bytes(&chain.to_bytes()).unwrap();
    // A call in a block without a limit ends all the same.
    request(&provider, "evm_setBlockGasLimit", json!([u64::MAX])).await.unwrap();
    let endless = Address::repeat_byte(2);
    chain.set_code(endless, bytes!("5b5f56")).unwrap();
    let call = request(&provider, "eth_call", json!([{ "to": endless }])).await;
    assert_eq!(refusal(call).0, -32000);
}

#[tokio::test]
async fn waiting_transactions_are_mined_when_automatic_mining_is_back() {
    let (chain, provider) = manual();
    let tx = json!([{ "from": dev(&chain, 0), "to": dev(&chain, 1), "gas": "0x5208" }]);
    for _ in 0..200 {
        request(&provider, "eth_sendTransaction", tx.clone()).await.unwrap();
    }
    request(&provider, "evm_setAutomine", json!([true])).await.unwrap();
    assert_eq!(chain.block_number(), 0);
    // More than are mined at once, each in its own block.
    let hash = request(&provider, "eth_sendTransaction", tx).await.unwrap();
    let receipt = request(&provider, "eth_getTransactionReceipt", json!([hash])).await.unwrap();
    assert_eq!((chain.block_number(), &receipt["blockNumber"]), (201, &json!("0xc9")));
}

/// Sends a request over a connection of its own and leaves it open.
async fn open(address: std::net::SocketAddr, head: &str, body: &str) -> TcpStream {
    raw::send(address, &raw::http(head, body)).await
}

async fn served(body: &str) -> (Devchain, canon_devchain::ServerHandle, TcpStream) {
    let chain = Devchain::new(DevchainConfig::default());
    let server = serve(chain.clone(), ([127, 0, 0, 1], 0).into()).await.unwrap();
    let length = format!("content-length: {}", body.len());
    let connection = open(server.addr(), &length, body).await;
    (chain, server, connection)
}

const MINE_LONG: &str = r#"{"jsonrpc":"2.0","id":1,"method":"anvil_mine","params":["0xf4240"]}"#;

#[tokio::test]
async fn others_are_answered_while_blocks_are_mined_and_a_lost_client_ends_it() {
    let (chain, server, connection) = served(MINE_LONG).await;
    let url = format!("http://{}", server.addr());
    let _ = rustls::crypto::ring::default_provider().install_default();
    let others = alloy_provider::ProviderBuilder::new().connect_http(url.parse().unwrap());
    // These requests are answered while the blocks are mined.
    let mut seen = vec![others.get_block_number().await.unwrap()];
    while seen.last().is_some_and(|last| *last < seen[0] + 1_000) {
        seen.push(others.get_block_number().await.unwrap());
    }
    assert!(seen.len() > 3 && seen.is_sorted(), "{seen:?}");
    drop(connection);
    // The server notices that the client has gone, and mines no further.
    let mut same = 0;
    let mut last = 0;
    while same < 20 {
        let now = others.get_block_number().await.unwrap();
        same = if now == last { same + 1 } else { 0 };
        last = now;
    }
    assert!(last < 1_000_000, "{last}");
    assert_eq!(last, chain.block_number());
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn incomplete_and_senseless_bodies_delay_nobody() {
    let chain = Devchain::new(DevchainConfig::default());
    let server = serve(chain.clone(), ([127, 0, 0, 1], 0).into()).await.unwrap();
    let mut idle = JoinSet::new();
    for index in 0..200 {
        let address = server.addr();
        idle.spawn(async move {
            match index % 4 {
                0 => open(address, "content-length: 1000", r#"{"jsonrpc""#).await,
                1 => open(address, "transfer-encoding: chunked", "5\r\n[1, 2").await,
                2 => TcpStream::connect(address).await.unwrap(),
                _ => open(address, "content-length: 4", "\0\u{1}\u{2}\u{3}").await,
            }
        });
    }
    let connections = idle.join_all().await;
    let mut connection = open(
        server.addr(),
        "content-length: 51\r\nconnection: close",
        r#"{"jsonrpc":"2.0","id":"é","method":"eth_chainId"}  "#,
    )
    .await;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with(r#"{"jsonrpc":"2.0","id":"é","result":"0x7a69"}"#), "{answer}");
    drop(connections);
}

#[tokio::test]
async fn bodies_have_a_largest_size() {
    let chain = Devchain::new(DevchainConfig::default());
    let server = serve(chain.clone(), ([127, 0, 0, 1], 0).into()).await.unwrap();
    let spaces = " ".repeat((64 << 20) + 1);
    let url = format!("http://{}", server.addr());
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = alloy_transport_http::reqwest::Client::new();
    let post = || client.post(&url).header("content-type", "application/json");
    let answer = post().body(spaces).send().await;
    // The server closes the connection, perhaps while the client is still sending.
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status() == 413));
    let small = r#"{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"}"#;
    let answer = post().body(small).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}
