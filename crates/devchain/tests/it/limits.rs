//! Limits of the work and memory of a request.

use alloy_primitives::{Address, B256, Bytes, U256, bytes};
use alloy_provider::{DynProvider, Provider};
use alloy_rpc_types_eth::Filter;
use canon_devchain::{Devchain, DevchainConfig, ReorgOptions, serve};
use serde_json::{Value, json};
use tokio::{io::AsyncReadExt, net::TcpStream, task::JoinSet};

use crate::{
    raw,
    support::{auto, dev, manual, refusal, request},
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
    let mut counts = Vec::new();
    for _ in 0..4 {
        counts.push(changes().await.unwrap().as_array().unwrap().len());
    }
    assert!(counts[0] > 20_000 && counts == [counts[0], counts[0], counts[0], 0], "{counts:?}");
    // More removed logs than a client may get are too many to wait for it.
    chain.reorg(ReorgOptions { depth: 3, ..ReorgOptions::default() }).unwrap();
    assert_eq!(refusal(changes().await), (-32000, "filter not found".to_owned()));
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

#[tokio::test]
async fn filters_have_a_largest_number_of_values() {
    let (_, provider) = auto();
    let values = |count: u64| (0..count).map(U256::from).map(B256::from).collect::<Vec<_>>();
    let addresses = |count: u64| values(count).into_iter().map(Address::from_word);
    let addresses = |count: u64| addresses(count).collect::<Vec<_>>();
    for method in ["eth_getLogs", "eth_newFilter"] {
        for (filter, what) in [
            (json!({ "topics": [[], [], [], values(1_001)] }), "topics at a position"),
            (json!({ "address": addresses(1_001) }), "addresses"),
        ] {
            let (code, message) = refusal(request(&provider, method, json!([filter])).await);
            let expected = format!("too many {what}: found 1001, expected at most 1000");
            assert_eq!((code, message), (-32602, expected));
        }
        let most = values(1_000);
        let filter = json!({ "topics": [most, most, most, most], "address": addresses(1_000) });
        request(&provider, method, json!([filter])).await.unwrap();
    }
}

#[tokio::test]
async fn a_long_search_for_logs_lets_others_go_first() {
    let (chain, provider) = auto();
    for _ in 0..60_000 {
        chain.mine().unwrap();
    }
    let logger = Address::repeat_byte(1);
    // LOG0(0, 0)
    chain.set_code(logger, bytes!("5f5fa0")).unwrap();
    let tx = json!([{ "from": dev(&chain, 0), "gas": "0x10000", "to": logger }]);
    request(&provider, "eth_sendTransaction", tx).await.unwrap();
    // Whether a search is answered without a pause, and its answer.
    let search = async |filter: Value, between: &dyn Fn()| {
        let mut search = std::pin::pin!(request(&provider, "eth_getLogs", json!([filter])));
        tokio::select! {
            biased;
            answer = &mut search => (true, answer),
            () = std::future::ready(()) => {
                between();
                (false, search.await)
            }
        }
    };
    for (filter, expected) in [
        (json!({ "fromBlock": "0xea00" }), true),
        (json!({ "fromBlock": "0x0", "address": logger }), true),
        (json!({ "fromBlock": "0x0" }), false),
    ] {
        let (at_once, answer) = search(filter.clone(), &|| drop(chain.mine())).await;
        assert_eq!(at_once, expected, "{filter}");
        let logs = answer.unwrap();
        assert_eq!(logs.as_array().unwrap().len(), 1, "{filter}");
        assert_eq!(logs[0]["blockNumber"], "0xea61");
    }
    // The answer is that of one chain.
    let replace = || drop(chain.reorg(ReorgOptions { depth: 1_000, ..Default::default() }));
    let (_, answer) = search(json!({ "fromBlock": "0x0" }), &replace).await;
    assert_eq!(answer.unwrap(), json!([]));
    let snapshot = chain.snapshot();
    for _ in 0..60_000 {
        chain.mine().unwrap();
    }
    let revert = || chain.revert(snapshot).unwrap();
    let (_, answer) = search(json!({ "fromBlock": "0xea00" }), &revert).await;
    let removed = "blocks were removed from the chain while it was searched: ask again";
    assert_eq!(refusal(answer), (-32000, removed.to_owned()));
}

#[tokio::test]
async fn a_request_removes_a_largest_number_of_blocks() {
    let (chain, provider) = auto();
    let snapshot = request(&provider, "evm_snapshot", json!([])).await.unwrap();
    request(&provider, "anvil_mine", json!(["0x900"])).await.unwrap();
    let head = chain.block_hash();
    for (method, next) in [
        ("anvil_reorg", "a snapshot (`evm_revert`) removes any number of blocks"),
        ("devchain_reorg", "a snapshot (`evm_revert`) removes any number of blocks"),
        ("anvil_rollback", "remove the rest with further requests"),
    ] {
        let refused = refusal(request(&provider, method, json!(["0x401"])).await);
        let message = format!("too many blocks: found 1025, expected at most 1024; {next}");
        assert_eq!(refused, (-32602, message));
        assert_eq!(chain.block_hash(), head);
    }
    request(&provider, "anvil_reorg", json!(["0x400"])).await.unwrap();
    assert_eq!(chain.block_number(), 0x900);
    request(&provider, "anvil_rollback", json!(["0x400"])).await.unwrap();
    assert_eq!(chain.block_number(), 0x500);
    assert_eq!(request(&provider, "evm_revert", json!([snapshot])).await.unwrap(), json!(true));
    assert_eq!(chain.block_number(), 0);
}

#[tokio::test]
async fn a_dump_that_is_too_large_is_not_made() {
    let (chain, provider) = auto();
    for _ in 0..55_000 {
        chain.mine().unwrap();
    }
    let (code, message) = refusal(request(&provider, "devchain_dump", json!([])).await);
    assert_eq!(code, -32000);
    assert!(
        message.starts_with("the chain is too large for a dump: it has more than"),
        "{message}"
    );
}
