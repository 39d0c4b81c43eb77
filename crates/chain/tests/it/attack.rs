//! Attacks: each test says what should hold, and fails.

use alloy_provider::Provider;
use canon_chain::{Client, Endpoint, Timeouts};
use std::{
    io::{Read, Write},
    net::TcpListener,
    time::Duration,
};

/// The most memory that this process had, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// An endpoint answers `eth_chainId` with two gigabytes.
#[tokio::test]
async fn an_answer_without_end_takes_no_memory_without_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut part = vec![b'1'; 1 << 20];
        let _ = stream.read(&mut part);
        part.fill(b'1');
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2147483648\r\n\r\n\"");
        for _ in 0..2048 {
            if stream.write_all(&part).is_err() {
                break;
            }
        }
    });
    let before = peak();
    let endpoint: Endpoint = format!("http://{address}/").parse().unwrap();
    let timeouts = Timeouts { request: Duration::from_secs(30), ..Timeouts::default() };
    let outcome: Result<Client, _> = endpoint.connect(timeouts).await;
    println!("{}", outcome.unwrap_err());
    let grown = peak() - before;
    assert!(grown < 256, "one answer took {grown} MiB");
}

/// `Debug` of a client, whose URL has a key.
#[tokio::test]
async fn a_clients_debug_has_no_secret() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut part = [0; 4096];
            let _ = stream.read(&mut part);
            let body = r#"{"jsonrpc":"2.0","id":0,"result":"0x1"}"#;
            let head = format!(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    let endpoint: Endpoint =
        format!("http://alice:pa55word@{address}/v2/SECRETKEY?token=QUERYSECRET").parse().unwrap();
    let client = endpoint.connect(Timeouts::default()).await.unwrap();
    let shown =
        format!("{client:?}{client:#?}{:?}{:?}", client.provider(), client.provider().client());
    println!("{shown}");
    for secret in ["alice", "pa55word", "SECRETKEY", "QUERYSECRET", "YWxpY2U6cGE1NXdvcmQ"] {
        assert!(!shown.contains(secret), "{secret}");
    }
}
