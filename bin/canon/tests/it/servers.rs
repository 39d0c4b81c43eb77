//! Servers other than the chain's own, all on this machine.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener as StdListener},
    path::Path,
    sync::{Arc, mpsc},
};

use canon_devchain::Devchain;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream, UnixListener},
};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::{accept_async, tungstenite::Message};

pub(crate) use canon_testkit::TestFolder as Folder;

/// Returns a port of this machine on which no server listens.
pub(crate) fn closed_port() -> SocketAddr {
    StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Starts an HTTP server that answers every request with this status. Each `{}` in the body is
/// replaced by the received request, escaped as a JSON string.
pub(crate) fn answering(status: &str, body: &str) -> SocketAddr {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (status, body) = (status.to_owned(), body.to_owned());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let request = read_request(&mut stream);
            let quoted = serde_json::to_string(&request).unwrap();
            let body = body.replace("{}", quoted.trim_matches('"'));
            let head = "Content-Type: application/json\r\nConnection: close";
            let length = body.len();
            let answer =
                format!("HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}");
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    address
}

/// Starts a server that forwards HTTP requests to another one, but returns no logs.
pub(crate) fn without_logs(server: SocketAddr) -> SocketAddr {
    with_logs(server, |_| json!([]))
}

/// Starts a server that forwards HTTP requests to another one, but changes the lists of logs.
pub(crate) fn with_logs(
    server: SocketAddr,
    change: impl Fn(Value) -> Value + Send + 'static,
) -> SocketAddr {
    relay(move |request| {
        let mut answer = forward(server, request);
        if request["method"] == "eth_getLogs" {
            answer["result"] = change(answer["result"].take());
        }
        Some(answer)
    })
}

/// Starts an HTTP server. `answer` gives the answer to each request, also of a batch; a request for which there is
/// `None` is never answered.
pub(crate) fn relay(
    mut answer: impl FnMut(&Value) -> Option<Value> + Send + 'static,
) -> SocketAddr {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut unanswered = Vec::new();
        for mut stream in listener.incoming().map_while(Result::ok) {
            let request = read_request(&mut stream);
            let Some((_, body)) = request.split_once("\r\n\r\n") else { continue };
            let asked: Value = serde_json::from_str(body).unwrap();
            let answer = match &asked {
                Value::Array(all) => all.iter().map(&mut answer).collect::<Option<_>>(),
                one => answer(one),
            };
            let Some(answer) = answer else {
                unanswered.push(stream);
                continue;
            };
            let answer = answer.to_string();
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
            let length = answer.len();
            let answer = format!("{head}\r\nContent-Length: {length}\r\n\r\n{answer}");
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    address
}

/// The answer of a server to one request.
pub(crate) fn forward(server: SocketAddr, request: &Value) -> Value {
    let mut stream = std::net::TcpStream::connect(server).unwrap();
    let body = request.to_string();
    let head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json";
    let length = body.len();
    let text = format!("{head}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(text.as_bytes()).unwrap();
    let answer = read_request(&mut stream);
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}

/// Whether a request sends a transaction.
pub(crate) fn sends(request: &Value) -> bool {
    request["method"] == "eth_sendRawTransaction"
}

/// Starts a server that forwards all requests to another one, until the transaction with this number. That one is
/// only forwarded if `handed_on`, and isn't answered in either case.
pub(crate) fn cut_at(
    to: SocketAddr,
    number: u64,
    handed_on: bool,
) -> (SocketAddr, mpsc::Receiver<()>) {
    let (reached, cut) = mpsc::channel();
    let mut sent = 0;
    let address = relay(move |request| {
        let is_cut = sends(request) && sent == number;
        sent += u64::from(sends(request));
        let answer = (!is_cut || handed_on).then(|| forward(to, request));
        if is_cut {
            reached.send(()).unwrap();
            return None;
        }
        answer
    });
    (address, cut)
}

/// Reads a request's head and body. Returns what was received if the request is incomplete or isn't
/// HTTP.
pub(crate) fn read_request(stream: &mut impl Read) -> String {
    let (mut request, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                return text.into_owned();
            }
        }
        match stream.read(&mut part) {
            Ok(length) if length > 0 && part[0] != 0x16 => request.extend(&part[..length]),
            // The stream has ended, or this is the first byte of a TLS connection.
            _ => return text.into_owned(),
        }
    }
}

/// Returns a chain's answer to a request.
async fn answer(chain: &Devchain, request: &Value) -> String {
    let method = request["method"].as_str().unwrap().to_owned();
    let params = request.get("params").cloned().unwrap_or_else(|| json!([]));
    let answer = match chain.client().request::<Value, Value>(method, params).await {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }),
        Err(error) => {
            let error = error.as_error_resp().unwrap();
            json!({ "jsonrpc": "2.0", "id": request["id"], "error": error })
        }
    };
    answer.to_string()
}

/// Serves a chain over WebSocket.
pub(crate) async fn websocket(chain: Devchain) -> SocketAddr {
    use futures_util::{SinkExt as _, StreamExt as _};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let chain = chain.clone();
            tokio::spawn(async move {
                let Ok(mut socket) = accept_async(stream).await else { return };
                while let Some(Ok(message)) = socket.next().await {
                    if let Message::Text(text) = message {
                        let request = serde_json::from_str(&text).unwrap();
                        let answer = answer(&chain, &request).await;
                        socket.send(Message::Text(answer.into())).await.unwrap();
                    }
                }
            });
        }
    });
    address
}

/// Serves a chain over an IPC socket.
pub(crate) fn ipc(chain: Devchain, path: &Path) {
    let listener = UnixListener::bind(path).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let chain = chain.clone();
            tokio::spawn(async move {
                let mut unread = Vec::new();
                while stream.read_buf(&mut unread).await.is_ok_and(|length| length > 0) {
                    let mut requests = serde_json::Deserializer::from_slice(&unread).into_iter();
                    let mut complete = Vec::<Value>::new();
                    let mut end = 0;
                    while let Some(Ok(request)) = requests.next() {
                        end = requests.byte_offset();
                        complete.push(request);
                    }
                    unread.drain(..end);
                    for request in complete {
                        let answer = answer(&chain, &request).await;
                        stream.write_all(answer.as_bytes()).await.unwrap();
                    }
                }
            });
        }
    });
}

/// A certificate authority that isn't trusted by default.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(parameters, key).unwrap())
    }

    /// The authority's certificate.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// Starts a TLS server for `localhost` that forwards to another server on this machine.
    pub(crate) async fn encrypted(&self, server: SocketAddr) -> SocketAddr {
        let mut parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // A client that doesn't trust the certificate closes the connection.
                    let Ok(mut client) = acceptor.accept(stream).await else { return };
                    let mut server = TcpStream::connect(server).await.unwrap();
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        address
    }
}
