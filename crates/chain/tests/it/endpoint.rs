//! Errors of endpoints as programs see them. Neither `Display` nor `Debug` shows a secret, and every wait
//! has a limit.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    os::unix::net::UnixListener,
    thread::JoinHandle,
    time::Duration,
};

use alloy_provider::Provider;
use canon_chain::{Client, Endpoint, Error, Severity, Timeouts};
use canon_testkit::TestFolder;
use serde_json::Value;
use tokio_tungstenite::tungstenite::{self, Message};

/// The secrets of the endpoint. The last one is the header for user and password.
const SECRETS: [&str; 5] = ["alice", "pa55word", "SECRETKEY", "QUERYSECRET", "YWxpY2U6cGE1NXdvcmQ"];

fn secret_endpoint(scheme: &str, host: SocketAddr) -> Endpoint {
    format!("{scheme}://alice:pa55word@{host}/v2/SECRETKEY?token=QUERYSECRET").parse().unwrap()
}

/// A server that answers every request with this status and body. `{}` in the body is replaced by the head
/// and body of the request, as JSON text.
fn answering(status: &'static str, body: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut part = [0; 4096];
            let mut request = String::new();
            // The client sends one small JSON object.
            while !request.ends_with('}') {
                match stream.read(&mut part) {
                    Ok(length) if length > 0 => {
                        request.push_str(&String::from_utf8_lossy(&part[..length]));
                    }
                    _ => break,
                }
            }
            let quoted = serde_json::to_string(&request).unwrap();
            let body = body.replace("{}", quoted.trim_matches('"'));
            let head = format!("Connection: close\r\nContent-Length: {}", body.len());
            let _ =
                stream.write_all(format!("HTTP/1.1 {status}\r\n{head}\r\n\r\n{body}").as_bytes());
        }
    });
    address
}

/// All texts of an error.
fn said(error: &Error) -> String {
    let mut said = format!("{error}\n{error:?}\n{error:#?}");
    let mut cause: Option<&dyn core::error::Error> = Some(error);
    while let Some(error) = cause {
        said.push_str(&format!("\n{error}\n{error:?}"));
        cause = error.source();
    }
    said
}

#[tokio::test]
async fn no_error_has_a_secret() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error =
        r#"{"jsonrpc":"2.0","id":0,"error":{"code":1,"message":"{}","data":{"request":"{}"}}}"#;
    let revert =
        r#"{"jsonrpc":"2.0","id":0,"error":{"code":3,"message":"{}","data":"0x5ec12e7d"}}"#;
    let result = r#"{"jsonrpc":"2.0","id":0,"result":"{}"}"#;
    for (scheme, server, says) in [
        ("http", closed, "Connection refused"),
        ("https", closed, "Connection refused"),
        ("ws", closed, "Connection refused"),
        ("wss", closed, "Connection refused"),
        ("http", answering("401 Unauthorized", "{}"), "HTTP error 401 with body: POST"),
        ("http", answering("429 Too Many Requests\r\nRetry-After: 9", "{}"), "HTTP error 429"),
        ("http", answering("200 OK", "{}"), "isn't the JSON that was asked for"),
        ("http", answering("200 OK", result), "isn't the JSON that was asked for"),
        ("http", answering("200 OK", error), "error code 1: POST [hidden]"),
        ("http", answering("503 Service Unavailable", error), "error code 1: POST [hidden]"),
        // The revert data is kept, because for another call it would be a contract's refusal.
        ("http", answering("200 OK", revert), "data: \"0x5ec12e7d\""),
    ] {
        let endpoint = secret_endpoint(scheme, server);
        let error = endpoint.connect(Timeouts::default()).await.unwrap_err();
        let said = said(&error);
        assert!(said.contains(says), "{scheme} {server}: {said}");
        assert!(matches!(error, Error::Rpc { .. }), "{said}");
        let is_rejected = says.contains("401");
        let expected = if is_rejected { Severity::Stop } else { Severity::Retry };
        assert_eq!(error.severity(), expected, "{said}");
        assert_eq!(said.contains("check the key"), is_rejected, "{said}");
        for secret in SECRETS {
            assert!(!said.contains(secret), "{secret} is shown: {said}");
        }
    }
}

#[tokio::test]
async fn a_client_does_not_show_its_endpoint() {
    let server = answering("200 OK", r#"{"jsonrpc":"2.0","id":0,"result":"0x1"}"#);
    let client = secret_endpoint("http", server).connect(Timeouts::default()).await.unwrap();
    assert_eq!(client.chain_id(), 1);
    let provider = client.provider();
    let shown = format!("{client:?} {provider:?} {:?}", alloy_provider::Provider::client(provider));
    for secret in SECRETS {
        assert!(!shown.contains(secret), "{secret} is shown: {shown}");
    }
}

/// Checks that a connection is given up. The paused clock advances while everything waits, so a limit of
/// hours is reached at once.
async fn is_given_up(endpoint: Endpoint, timeouts: Timeouts, says: &str) {
    let error = endpoint.connect(timeouts).await.map(|client: Client| client.chain_id());
    let said = said(&error.unwrap_err());
    assert!(said.contains(says), "{endpoint}: {said}");
    for secret in SECRETS {
        assert!(!said.contains(secret), "{secret} is shown: {said}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_says_nothing_is_given_up() {
    // The system accepts connections to it, but nothing reads from them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let hours = |hours: u64| Duration::from_secs(hours * 3_600);
    let timeouts = Timeouts { connect: hours(2), request: hours(1) };
    is_given_up(secret_endpoint("http", address), timeouts, "no answer within 1 h").await;
    is_given_up(secret_endpoint("https", address), timeouts, "no answer within 1 h").await;
    is_given_up(secret_endpoint("ws", address), timeouts, "no connection within 2 h").await;
    is_given_up(secret_endpoint("wss", address), timeouts, "no connection within 2 h").await;
    // For HTTP, the handshake is part of connecting too.
    let timeouts = Timeouts { connect: hours(1), request: hours(2) };
    is_given_up(secret_endpoint("https", address), timeouts, "timed out").await;

    let folder = TestFolder::new("silent");
    let path = folder.file("geth.ipc");
    let _silent = UnixListener::bind(&path).unwrap();
    let endpoint: Endpoint = path.to_str().unwrap().parse().unwrap();
    is_given_up(endpoint, timeouts, "no answer within 2 h").await;
}

#[tokio::test]
async fn the_debug_form_of_a_client_has_no_secret() {
    let host = answering("200 OK", r#"{"jsonrpc":"2.0","id":0,"result":"0x1"}"#);
    let client = secret_endpoint("http", host).connect(Timeouts::default()).await.unwrap();
    let shown =
        format!("{client:?}{client:#?}{:?}{:?}", client.provider(), client.provider().client());
    for secret in SECRETS {
        assert!(!shown.contains(secret), "{secret}");
    }
}

/// The endpoint answers `eth_chainId` with a gigabyte, in parts.
#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    const PARTS: usize = 1024;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut part = vec![0; 1 << 20];
        let _ = stream.read(&mut part);
        part.fill(b'1');
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n\"");
        (0..PARTS).take_while(|_| stream.write_all(&part).is_ok()).count()
    });
    let endpoint: Endpoint = format!("http://{host}/").parse().unwrap();
    let error = endpoint.connect(Timeouts::default()).await.unwrap_err();
    assert!(error.to_string().contains("its answer has more than 256 MiB"), "{error}");
    assert_eq!(error.severity(), Severity::Retry);
    // Meanwhile the client has closed the connection.
    let parts = tokio::task::spawn_blocking(|| server.join().unwrap()).await.unwrap();
    assert!((256..512).contains(&parts), "{parts} MiB were sent");
}

/// The beginning of an answer to a request over IPC or WebSocket.
fn answer_to(request: &[u8], result: &str) -> String {
    let request: Value = serde_json::Deserializer::from_slice(request)
        .into_iter()
        .next()
        .expect("a request")
        .expect("a whole request");
    format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}"#, request["id"])
}

/// The endpoint of a socket on which a thread answers.
fn ipc(
    folder: &TestFolder,
    answer: impl FnOnce(UnixListener) + Send + 'static,
) -> (Endpoint, JoinHandle<()>) {
    let path = folder.file("geth.ipc");
    let listener = UnixListener::bind(&path).unwrap();
    (path.to_str().unwrap().parse().unwrap(), std::thread::spawn(move || answer(listener)))
}

/// The same over an IPC socket. Only this request fails, and it isn't repeated.
#[tokio::test]
async fn an_answer_without_end_by_ipc_is_not_read_to_its_end() {
    const PARTS: usize = 1024;
    let folder = TestFolder::new("endless");
    let (endpoint, server) = ipc(&folder, |listener| {
        let mut part = vec![0; 1 << 20];
        let (mut stream, _) = listener.accept().unwrap();
        let length = stream.read(&mut part).unwrap();
        let answer = answer_to(&part[..length], "\"0x1\"") + "}";
        stream.write_all(answer.as_bytes()).unwrap();
        let length = stream.read(&mut part).unwrap();
        stream.write_all(answer_to(&part[..length], "\"").as_bytes()).unwrap();
        part.fill(b'1');
        let parts = (0..PARTS).take_while(|_| stream.write_all(&part).is_ok()).count();
        assert!((256..512).contains(&parts), "{parts} MiB were sent");
        // Meanwhile the client has closed the connection and opened another one.
        let (mut stream, _) = listener.accept().unwrap();
        let length = stream.read(&mut part).unwrap();
        let answer = answer_to(&part[..length], "\"0x2\"") + "}";
        stream.write_all(answer.as_bytes()).unwrap();
    });
    let client = endpoint.connect(Timeouts::default()).await.unwrap();
    let error = client.head().await.unwrap_err();
    assert!(error.to_string().contains("its answer has more than 256 MiB"), "{error}");
    assert_eq!(error.severity(), Severity::Retry);
    assert_eq!(client.provider().get_block_number().await.unwrap(), 2);
    tokio::task::spawn_blocking(|| server.join().unwrap()).await.unwrap();
}

/// The server writes more than a socket can buffer, before it reads a request of the same size.
#[tokio::test]
async fn neither_side_of_an_ipc_socket_waits_for_the_other_to_read() {
    const SIZE: usize = 8 << 20;
    let folder = TestFolder::new("both");
    let (endpoint, server) = ipc(&folder, |listener| {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = vec![0; SIZE];
        let length = stream.read(&mut request).unwrap();
        let answer = answer_to(&request[..length], "\"0x1\"") + "}";
        stream.write_all(answer.as_bytes()).unwrap();
        // The client has begun to write its request.
        let length = stream.read(&mut request).unwrap();
        request.truncate(length);
        let other = format!(r#"{{"jsonrpc":"2.0","id":77,"result":"{}"}}"#, "1".repeat(SIZE));
        stream.write_all(other.as_bytes()).unwrap();
        let mut part = vec![0; 1 << 16];
        while !request.ends_with(b"}") {
            let length = stream.read(&mut part).unwrap();
            request.extend_from_slice(&part[..length]);
        }
        let answer = answer_to(&request, "\"0x2\"") + "}";
        stream.write_all(answer.as_bytes()).unwrap();
    });
    let timeouts = Timeouts { request: Duration::from_secs(20), ..Timeouts::default() };
    let client = endpoint.connect(timeouts).await.unwrap();
    let large = "0".repeat(SIZE);
    let answer: String =
        client.provider().raw_request("canon_large".into(), (large,)).await.unwrap();
    assert_eq!(answer, "0x2");
    tokio::task::spawn_blocking(|| server.join().unwrap()).await.unwrap();
}

/// A WebSocket that answers the second request with the header of a message of a gigabyte.
#[tokio::test]
async fn an_answer_without_end_by_websocket_fails_alone() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let open = || tungstenite::accept(listener.accept().unwrap().0).unwrap();
        let mut socket = open();
        let request = socket.read().unwrap().into_data();
        socket.send(Message::text(answer_to(&request, "\"0x1\"") + "}")).unwrap();
        let _ = socket.read().unwrap();
        let header = [&[0x81, 127][..], &(1_u64 << 30).to_be_bytes()].concat();
        socket.get_mut().write_all(&header).unwrap();
        let mut socket = open();
        let request = socket.read().unwrap().into_data();
        socket.send(Message::text(answer_to(&request, "\"0x2\"") + "}")).unwrap();
        let _ = socket.read();
    });
    let client = secret_endpoint("ws", address).connect(Timeouts::default()).await.unwrap();
    let error = client.head().await.unwrap_err();
    assert!(error.to_string().contains("its answer has more than 256 MiB"), "{error}");
    assert_eq!(client.provider().get_block_number().await.unwrap(), 2);
    drop(client);
    tokio::task::spawn_blocking(|| server.join().unwrap()).await.unwrap();
}

/// A node that reads requests and answers none of them.
#[tokio::test]
async fn a_connection_with_too_many_requests_in_flight_is_given_up() {
    let folder = TestFolder::new("unanswered");
    let (endpoint, server) = ipc(&folder, |listener| {
        let mut part = vec![0; 1 << 16];
        let (mut stream, _) = listener.accept().unwrap();
        let length = stream.read(&mut part).unwrap();
        let answer = answer_to(&part[..length], "\"0x1\"") + "}";
        stream.write_all(answer.as_bytes()).unwrap();
        while stream.read(&mut part).is_ok_and(|length| length > 0) {}
    });
    let client = endpoint.connect(Timeouts::default()).await.unwrap();
    let request = |_| client.provider().get_block_number().into_future();
    for answer in futures_util::future::join_all((0..4097).map(request)).await {
        let error = answer.unwrap_err().to_string();
        assert!(error.contains("it left more than 4096 requests without an answer"), "{error}");
    }
    tokio::task::spawn_blocking(|| server.join().unwrap()).await.unwrap();
}

/// A node that ends, with its socket.
#[tokio::test]
async fn a_request_without_a_connection_says_why_there_is_none() {
    let folder = TestFolder::new("ended");
    let path = folder.file("geth.ipc");
    let (endpoint, server) = ipc(&folder, move |listener| {
        let mut part = vec![0; 1 << 16];
        let (mut stream, _) = listener.accept().unwrap();
        let length = stream.read(&mut part).unwrap();
        std::fs::remove_file(path).unwrap();
        let answer = answer_to(&part[..length], "\"0x1\"") + "}";
        stream.write_all(answer.as_bytes()).unwrap();
    });
    let client = endpoint.connect(Timeouts::default()).await.unwrap();
    tokio::task::spawn_blocking(|| server.join().unwrap()).await.unwrap();
    // The clock stands still until everything waits.
    tokio::time::pause();
    // The end of the connection may be found out by this one.
    let _ = client.head().await;
    let error = client.head().await.unwrap_err();
    let said = "couldn't be opened again within 30 s: there is no IPC socket at this path";
    assert!(error.to_string().contains(said), "{error}");
}
