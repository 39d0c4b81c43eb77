//! How long a client waits while others misbehave. `cargo test -p canon-devchain latency -- --ignored
//! --nocapture` prints it; nothing is asserted about it.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use alloy_primitives::{Address, bytes};
use canon_devchain::{Devchain, DevchainConfig, serve};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use crate::raw::http;

const ENDLESS: Address = Address::repeat_byte(2);

/// Connections, and what each of them sends again and again.
struct Misbehaving {
    name: &'static str,
    connections: usize,
    request: String,
    /// Whether the next request follows the answer; otherwise there is only one, without an end.
    repeats: bool,
}

fn request(body: &str, length: usize) -> String {
    http(&format!("content-length: {length}"), body)
}

fn whole(body: &Value) -> String {
    let body = body.to_string();
    request(&body, body.len())
}

fn call(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

fn cases() -> Vec<Misbehaving> {
    let case =
        |name, connections, request, repeats| Misbehaving { name, connections, request, repeats };
    let mine = |count: usize| Value::from(vec![call("anvil_mine", json!(["0x40"])); count]);
    let endless = call("eth_call", json!([{ "to": ENDLESS }]));
    let options = json!({ "tracer": "callTracer", "blockOverrides": { "gasLimit": u64::MAX } });
    let traced = call("debug_traceCall", json!([{ "to": ENDLESS }, "latest", options]));
    vec![
        case("nobody", 0, String::new(), false),
        case("1,000 incomplete bodies", 1_000, request("[", 1_000_000), false),
        case(
            "one client that mines 1,000,000 blocks",
            1,
            whole(&call("anvil_mine", json!(["0xf4240"]))),
            true,
        ),
        case("four clients with batches of 1,000 requests", 4, whole(&mine(1_000)), true),
        case("four clients with garbage", 4, request("\0\0\0\0", 4), true),
        case("four clients with calls of 60 million gas", 4, whole(&endless), true),
        case("four clients with traces of 150 million gas", 4, whole(&traced), true),
    ]
}

async fn misbehave(address: SocketAddr, request: String, repeats: bool) {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let mut buffer = vec![0; 1 << 16];
    loop {
        connection.write_all(request.as_bytes()).await.unwrap();
        // An answer fits into a few segments; the first one shows that it is there.
        if !repeats || connection.read(&mut buffer).await.unwrap() == 0 {
            std::future::pending::<()>().await;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a measurement is of real time")]
async fn measure(address: SocketAddr) -> Vec<Duration> {
    let request = whole(&call("eth_blockNumber", json!([])));
    let mut connection = TcpStream::connect(address).await.unwrap();
    let mut buffer = vec![0; 1 << 12];
    let mut waited = Vec::new();
    for _ in 0..100 {
        let start = Instant::now();
        connection.write_all(request.as_bytes()).await.unwrap();
        assert!(connection.read(&mut buffer).await.unwrap() > 0);
        waited.push(start.elapsed());
    }
    waited.sort_unstable();
    waited
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, which takes some seconds"]
async fn latency() {
    println!("{:48} {:>10} {:>10} {:>10}", "", "median", "99 %", "most");
    for Misbehaving { name, connections, request, repeats } in cases() {
        let chain = Devchain::new(DevchainConfig::default());
        chain.set_code(ENDLESS, bytes!("5b5f56")).unwrap();
        let server = serve(chain, ([127, 0, 0, 1], 0).into()).await.unwrap();
        let mut others = JoinSet::new();
        for _ in 0..connections {
            others.spawn(misbehave(server.addr(), request.clone(), repeats));
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        let waited = measure(server.addr()).await;
        let (median, most) = (waited[50], waited[99]);
        println!("{name:48} {median:>10.2?} {:>10.2?} {most:>10.2?}", waited[98]);
    }
}
