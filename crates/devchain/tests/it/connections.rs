//! Clients that misbehave over HTTP, and pages of the web.

use std::{io::ErrorKind, time::Duration};

use alloy_primitives::{Address, bytes};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::raw::{http, read, request, send, served};

const NUMBER: &str = r#"{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"}"#;

#[tokio::test]
async fn a_client_that_has_closed_its_side_gets_its_answer() {
    let (_chain, server) = served().await;
    let mut connection = send(server.addr(), &request("eth_chainId", json!([]))).await;
    connection.shutdown().await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with(r#""result":"0x7a69"}"#), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_has_closed_its_side_may_wait_for_long() {
    let (chain, server) = served().await;
    let endless = Address::repeat_byte(2);
    chain.set_code(endless, bytes!("5b5f56")).unwrap();
    let call = request("eth_call", json!([{ "to": endless }]));
    let mut connection = send(server.addr(), &call).await;
    connection.shutdown().await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    // The server may have asked whether it is still there, which is no answer.
    let answer = answer.trim_start_matches("HTTP/1.1 100 Continue\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("out of gas"), "{answer}");
}

#[tokio::test]
async fn a_body_that_will_be_too_large_is_refused_at_once() {
    let (_chain, server) = served().await;
    // Nothing of it is sent.
    let mut connection = send(server.addr(), &http("content-length: 67108865", "")).await;
    let (status, _) = read(&mut connection).await;
    assert_eq!(status, "HTTP/1.1 413 Payload Too Large");
}

#[tokio::test(start_paused = true)]
async fn headers_must_come_in_time() {
    let (_chain, server) = served().await;
    for begun in ["", "POST / HT", "POST / HTTP/1.1\r\nhost: localhost\r\n"] {
        let mut connection = send(server.addr(), begun).await;
        let mut rest = String::new();
        let closed = timeout(Duration::from_secs(3_600), connection.read_to_string(&mut rest));
        closed.await.expect("the connection is closed within an hour").unwrap();
    }
    // Nor does a connection stay open that isn't used any more.
    let mut connection = send(server.addr(), &request("eth_chainId", json!([]))).await;
    read(&mut connection).await;
    let closed = timeout(Duration::from_secs(3_600), connection.read_u8());
    closed.await.expect("the connection is closed within an hour").unwrap_err();
}

#[tokio::test]
async fn bodies_must_be_json_for_this_machine() {
    let (_chain, server) = served().await;
    let ask = async |headers: &str| {
        let length = NUMBER.len();
        let request =
            format!("POST / HTTP/1.1\r\n{headers}\r\ncontent-length: {length}\r\n\r\n{NUMBER}");
        let (status, _) = read(&mut send(server.addr(), &request).await).await;
        status.split(' ').nth(1).unwrap().parse::<u16>().unwrap()
    };
    const JSON: &str = "content-type: application/json";
    for (host, status) in [
        ("localhost", 200),
        ("LOCALHOST:8545", 200),
        ("chain.localhost", 200),
        ("127.0.0.1:8545", 200),
        ("192.168.1.7", 200),
        ("[::1]:8545", 200),
        ("evil.example", 403),
        ("evil.example:8545", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("notlocalhost", 403),
        ("", 403),
    ] {
        assert_eq!(ask(&format!("host: {host}\r\n{JSON}")).await, status, "{host}");
    }
    for (content, status) in [
        ("content-type: application/json", 200),
        ("content-type: Application/JSON; charset=utf-8", 200),
        ("content-type: text/plain", 415),
        ("content-type: application/x-www-form-urlencoded", 415),
        ("content-type: multipart/form-data; boundary=application/json", 415),
        ("accept: application/json", 415),
    ] {
        assert_eq!(ask(&format!("host: localhost\r\n{content}")).await, status, "{content}");
    }
    for (origin, status) in [
        ("http://localhost:5173", 200),
        ("https://localhost", 200),
        ("http://app.localhost:3000", 200),
        ("http://127.0.0.1:5173", 200),
        ("http://[::1]:5173", 200),
        ("chrome-extension://nkbihfbeogaeaoehlefnkodbefgpgknn", 200),
        ("null", 403),
        ("https://evil.example", 403),
        ("HTTPS://evil.example", 403),
        ("http://localhost.evil.example", 403),
        ("http://192.168.1.7:5173", 403),
    ] {
        let headers = format!("host: localhost\r\n{JSON}\r\norigin: {origin}");
        assert_eq!(ask(&headers).await, status, "{origin}");
    }
}

#[tokio::test]
async fn idle_connections_give_way_to_new_ones() {
    let (_chain, server) = served().await;
    let mut idle = Vec::new();
    for index in 0..256 {
        let begun = [String::new(), "POST / HT".to_owned(), http("content-length: 9", "{")];
        idle.push(send(server.addr(), &begun[index % 3]).await);
    }
    // New ones are answered, and at last the first one is closed.
    let is_open = |connection: &TcpStream| {
        let read = connection.try_read(&mut [0]);
        read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    };
    while is_open(&idle[0]) {
        let mut connection = send(server.addr(), &request("eth_chainId", json!([]))).await;
        assert_eq!(read(&mut connection).await.1["result"], "0x7a69");
    }
    assert!(is_open(&idle[255]), "all were closed, because they sent nothing in time");
}
