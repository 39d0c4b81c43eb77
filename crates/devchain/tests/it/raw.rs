//! Requests over sockets, for clients that misbehave.

use std::net::SocketAddr;

use canon_devchain::{Devchain, DevchainConfig, ServerHandle, serve};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A chain and its server.
pub(crate) async fn served() -> (Devchain, ServerHandle) {
    let chain = Devchain::new(DevchainConfig::default());
    let server = serve(chain.clone(), ([127, 0, 0, 1], 0).into()).await.unwrap();
    (chain, server)
}

/// Opens a connection, sends these bytes, and leaves it open.
pub(crate) async fn send(address: SocketAddr, bytes: &str) -> TcpStream {
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(bytes.as_bytes()).await.unwrap();
    connection
}

/// A request with these headers besides those that it must have.
pub(crate) fn http(headers: &str, body: &str) -> String {
    let usual = "host: localhost\r\ncontent-type: application/json";
    format!("POST / HTTP/1.1\r\n{usual}\r\n{headers}\r\n\r\n{body}")
}

/// The request for a method, as it is sent.
pub(crate) fn request(method: &str, params: Value) -> String {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    http(&format!("content-length: {}", body.len()), &body)
}

/// Reads an answer, of which the head says how long it is.
pub(crate) async fn read(connection: &mut TcpStream) -> (String, Value) {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                let body = serde_json::from_str(body).unwrap_or(Value::Null);
                return (head.lines().next().unwrap().to_owned(), body);
            }
        }
        let mut part = [0; 1 << 12];
        let length = connection.read(&mut part).await.unwrap();
        assert!(length > 0, "the connection was closed after {text:?}");
        bytes.extend_from_slice(&part[..length]);
    }
}

/// Asks over a connection of its own.
pub(crate) async fn ask(address: SocketAddr, method: &str, params: Value) -> Value {
    read(&mut send(address, &request(method, params)).await).await.1
}
