//! Several endpoints over HTTP, with statuses and headers.

use alloy_primitives::Address;
use alloy_provider::Provider;
use canon_chain::{
    Client, Endpoint, EndpointChecks, EndpointNote, Endpoints, Error, Result, Timeouts,
};
use canon_devchain::{Devchain, DevchainConfig, serve};
use canon_protocol::Timestamp;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// A server that gives this answer to every request, and counts the requests.
fn answering(answer: &'static str) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&requests);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            counter.fetch_add(1, Ordering::SeqCst);
            let mut request = Vec::new();
            let mut part = [0; 4096];
            // The client sends one small JSON object.
            while !request.ends_with(b"}") {
                match stream.read(&mut part) {
                    Ok(length) if length > 0 => request.extend_from_slice(&part[..length]),
                    _ => break,
                }
            }
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            let length = format!("Connection: close\r\nContent-Length: {}", body.len());
            let _ =
                stream.write_all(format!("HTTP/1.1 {head}\r\n{length}\r\n\r\n{body}").as_bytes());
        }
    });
    (address, requests)
}

async fn connect(first: SocketAddr, second: SocketAddr) -> (Result<Client>, Vec<String>) {
    let endpoint = |address, path| -> Endpoint {
        format!("http://alice:pa55word@{address}{path}").parse().unwrap()
    };
    let notes = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&notes);
    let clock = Arc::new(|| Timestamp::of(0));
    let checks = EndpointChecks { chain_id: None, registry: None::<Address>, clock };
    let note = move |note: EndpointNote| noted.lock().unwrap().push(format!("{note} {note:?}"));
    let endpoints = Endpoints::new(endpoint(first, "/v2/SECRETKEY"), [endpoint(second, "")]);
    let client = endpoints.connect(checks, Timeouts::default(), note, || {}).await;
    let notes = notes.lock().unwrap().clone();
    (client, notes)
}

#[tokio::test]
async fn a_provider_that_fails_by_http_is_passed_over_and_left_alone() {
    let chain = Devchain::new(DevchainConfig::default());
    let node = serve(chain.clone(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
    for (answer, says) in [
        ("429 Too Many Requests\r\nRetry-After: 60\r\n\r\nslow down", "(it asks for 1 min)"),
        (
            "503 Service Unavailable\r\n\r\n/v2/SECRETKEY is down",
            "HTTP error 503 with body: [hidden] is",
        ),
        ("401 Unauthorized\r\n\r\nSECRETKEY", "(HTTP 401); check the key"),
        ("200 OK\r\n\r\n<html>SECRETKEY</html>", "its answer isn't the JSON that was asked for"),
        ("302 Found\r\nLocation: http://elsewhere\r\n\r\n", "HTTP error 302"),
    ] {
        let (broken, requests) = answering(answer);
        let (client, notes) = connect(broken, node.addr()).await;
        let client = client.unwrap();
        let checks = requests.load(Ordering::SeqCst);
        for _ in 0..5 {
            client.provider().get_block_number().await.unwrap();
        }
        // The other endpoints may be checked again after a second.
        if answer.starts_with("429") {
            assert_eq!(requests.load(Ordering::SeqCst), checks);
        }
        let [note] = &notes[..] else { panic!("{notes:?}") };
        assert!(note.starts_with(&format!("http://{broken} is skipped: ")), "{note}");
        assert!(note.contains(says), "{note} doesn't say {says}");
        assert!(!note.contains("SECRETKEY") && !note.contains("pa55word"), "{note}");
    }
    node.shutdown().await.unwrap();
}

#[tokio::test]
async fn if_no_endpoint_answers_each_is_named_without_its_key() {
    let closed = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (first, second) = (closed(), closed());
    let (client, notes) = connect(first, second).await;
    let error = client.map(|client| client.chain_id()).unwrap_err();
    let said = error.to_string();
    assert!(matches!(error, Error::NoEndpoint { .. }) && error.is_temporary(), "{said}");
    for address in [first, second] {
        assert!(said.contains(&format!("http://{address}: Connection refused")), "{said}");
    }
    assert!(!format!("{said} {error:?} {notes:?}").contains("SECRETKEY"));
}
