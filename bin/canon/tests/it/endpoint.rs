//! Connecting to a chain: the kinds of endpoints, and the secrets in their URLs, which are never shown.

use std::{net::SocketAddr, path::Path};

use snapbox::{cmd::Command, str};

use crate::{
    chain::Chain,
    servers::{Authority, Folder, answering, closed_port, ipc, websocket},
    support::{canon, stdout, while_served},
};

const REGISTRY: &str = "0x00000000000000000000000000000000000000aa";

/// The secrets in the URLs of these tests. The last one is the header for user and password.
const SECRETS: [&str; 5] = ["alice", "pa55word", "SECRETKEY", "QUERYSECRET", "YWxpY2U6cGE1NXdvcmQ"];

/// A URL with a secret in every part that can have one.
fn secret_url(scheme: &str, host: impl std::fmt::Display) -> String {
    format!("{scheme}://alice:pa55word@{host}/v2/SECRETKEY?token=QUERYSECRET#SECRETKEY")
}

/// A command for each of the two ways to name an endpoint.
fn both_ways(url: &str) -> [Command; 2] {
    let forecast = || canon().args(["forecast", "--registry", REGISTRY]);
    [forecast().args(["--rpc-url", url]), forecast().env("ETH_RPC_URL", url)]
}

/// Runs a command that fails with this code, checks that it shows no secret, and returns its error.
fn fails(command: Command, code: i32) -> String {
    let output = command.output().unwrap();
    let said = crate::support::said(output.stderr);
    assert_eq!((output.status.code(), &*output.stdout), (Some(code), &b""[..]), "{said}");
    for secret in SECRETS {
        assert!(!said.contains(secret), "{secret} is shown: {said}");
    }
    said
}

#[test]
fn a_malformed_endpoint_is_refused_without_its_secrets() {
    for (url, says) in [
        (secret_url("http", "host:99999"), "can't be parsed (invalid port number)"),
        (secret_url("http", "[::g]"), "can't be parsed (invalid IPv6 address)"),
        (secret_url("ftp", "host"), "begins with http, https, ws or wss, found another scheme"),
        ("alice:pa55word@host/v2/SECRETKEY".to_owned(), "or the path of an IPC socket"),
        ("//alice:pa55word@host/v2/SECRETKEY".to_owned(), "or the path of an IPC socket"),
    ] {
        let [flag, variable] = both_ways(&url).map(|command| fails(command, 2));
        assert!(flag.starts_with("error: invalid value for '--rpc-url <URL>': expected"), "{flag}");
        assert!(flag.contains(says), "{flag}");
        let named = "error: ETH_RPC_URL: expected";
        assert!(variable.starts_with(named) && variable.contains(says), "{variable}");
    }
}

#[test]
fn a_url_in_the_wrong_place_is_shown_without_its_secrets() {
    let url = secret_url("https", "host");
    for (arguments, shown) in [
        (vec![&*url], "https://host"),
        (vec!["forecast", &url], "https://host"),
        (vec!["forecast", "--registry", &url], "https://host"),
        (vec!["forecast", &format!("--registry={url}")], "https://host"),
        (vec!["forecast", "--preset", &url], "https://host"),
        (vec!["forecast", &format!("--rpcurl={url}")], "'--rpcurl'"),
        (vec!["forecast", "--registry", "alice:pa55word@host/SECRETKEY"], "[hidden]"),
        (vec!["forecast", "--registry", "http:host/SECRETKEY"], "[hidden]"),
        (vec!["forecast", "--registry", "https:/host/SECRETKEY"], "[hidden]"),
        (vec!["forecast", "//host/v2/SECRETKEY"], "[hidden]"),
        (vec!["forecast", "host/v2/SECRETKEY"], "[hidden]"),
        (vec!["/v2/SECRETKEY"], "[hidden]"),
    ] {
        let said = fails(canon().args(&arguments), 2);
        assert!(said.contains(shown), "{said}");
    }
    let said = fails(canon().arg("forecast").env("CANON_REGISTRY", &url), 2);
    assert!(said.contains("CANON_REGISTRY: expected an address of 40"), "{said}");
    let said = fails(canon().args(["forecast", "--rpc-url", &url]), 2);
    assert!(said.contains("the set's Registry, found nothing"), "{said}");
}

#[test]
fn an_endpoint_that_is_not_reached_is_shown_without_its_secrets() {
    // The server speaks neither TLS nor the WebSocket protocol.
    let plain = answering("200 OK", "{}");
    let (closed, nowhere) = (closed_port(), "nowhere.invalid");
    for (url, says) in [
        (secret_url("http", closed), "Connection refused"),
        (secret_url("https", closed), "Connection refused"),
        (secret_url("ws", closed), "Connection refused"),
        (secret_url("wss", closed), "Connection refused"),
        (secret_url("http", nowhere), "failed to lookup address information"),
        (secret_url("wss", nowhere), "failed to lookup address information"),
        (secret_url("https", plain), "it doesn't speak TLS; if it is meant to be reached without"),
        (secret_url("wss", plain), "it doesn't speak TLS; if it is meant to be reached without"),
        (secret_url("ws", plain), "HTTP error: 200 OK"),
    ] {
        for command in both_ways(&url) {
            let said = fails(command, 3);
            assert!(said.contains(says), "{url}: {said}");
        }
    }
    let whole = "the endpoint /nowhere/node/geth.ipc (";
    for (path, shown) in
        [("/alice/pa55word/SECRETKEY", "an IPC socket"), ("/nowhere/node/geth.ipc", whole)]
    {
        for command in both_ways(path) {
            let said = fails(command, 3);
            assert!(said.contains(shown), "{said}");
            assert!(said.contains("there is no IPC socket at this path; check the path"), "{said}");
        }
    }
}

#[test]
fn an_answer_that_repeats_the_request_is_shown_without_the_secrets() {
    const ERROR: &str =
        r#"{"jsonrpc":"2.0","id":0,"error":{"code":-32000,"message":"no: {}","data":"{}"}}"#;
    const RESULT: &str = r#"{"jsonrpc":"2.0","id":0,"result":"{}"}"#;
    for (status, body, says) in [
        (
            "401 Unauthorized",
            "denied: {}",
            "(HTTP 401); check the key, or user and password, in its URL",
        ),
        (
            "403 Forbidden",
            "denied: {}",
            "(HTTP 403); check the key, or user and password, in its URL",
        ),
        (
            "429 Too Many Requests",
            "slow down: {}",
            "wait, or use an endpoint with a key of your own",
        ),
        ("500 Internal Server Error", "<h1>{}</h1>", "HTTP error 500 with body: <h1>POST"),
        ("308 Permanent Redirect", "moved: {}", "HTTP error 308 with body: moved: POST"),
        ("200 OK", "garbage: {}", "isn't the JSON that was asked for (line 1, column 1)"),
        ("200 OK", RESULT, "isn't the JSON that was asked for"),
        ("200 OK", ERROR, "error code -32000: no: POST [hidden]"),
        ("403 Forbidden", ERROR, "error code -32000: no: POST [hidden]"),
    ] {
        let server = answering(status, body);
        for command in both_ways(&secret_url("http", server)) {
            let said = fails(command, 3);
            assert!(said.contains(&format!("the endpoint http://{server} (")), "{said}");
            assert!(said.contains(says), "{status}: {said}");
        }
        let [flag, _] = both_ways(&secret_url("ws", server));
        let said = fails(flag, 3);
        assert!(said.contains(&format!("HTTP error: {status}")), "{said}");
        let is_advised = said.contains("; check the key") || said.contains("; wait, or use");
        assert_eq!(is_advised, ["401", "403", "429"].contains(&&status[..3]), "{said}");
    }
}

#[test]
fn an_answer_to_another_question_is_refused() {
    // The server always sends the answer to eth_chainId.
    let server = answering("200 OK", r#"{"jsonrpc":"2.0","id":0,"result":"0x7a69"}"#);
    for command in both_ways(&secret_url("http", server)) {
        let said = fails(command, 3);
        let says = "can't be used\n  because its answer isn't the JSON that was asked for";
        assert!(said.contains(says), "{said}");
    }
}

/// User and password are percent-decoded before they are sent.
#[test]
fn credentials_are_sent_in_a_header() {
    let server = answering("500 Internal Server Error", "{}");
    for scheme in ["http", "ws"] {
        let url = format!("{scheme}://al%20ice:pa%3A55@{server}/");
        let [flag, _] = both_ways(&url);
        let said = String::from_utf8(flag.output().unwrap().stderr).unwrap();
        assert!(!said.contains("pa:55") && !said.contains("YWwgaWNlOnBhOjU1"), "{said}");
        if scheme == "http" {
            assert!(said.contains("authorization: Basic [hidden]"), "{said}");
        }
    }
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let plain = stdout(canon().arg("forecast"));
    let empty = canon().arg("forecast").env("ETH_RPC_URL", "").env("CANON_REGISTRY", "");
    assert_eq!(stdout(empty), plain);
    let registry = canon().args(["forecast", "--registry", REGISTRY]).env("ETH_RPC_URL", "");
    assert!(
        fails(registry, 2).contains("--rpc-url (ETH_RPC_URL): expected an endpoint of the chain")
    );
    let url = ["forecast", "--rpc-url", "http://localhost:1"];
    let said = fails(canon().args(url).env("CANON_REGISTRY", ""), 2);
    assert!(said.contains("--registry (CANON_REGISTRY): expected the address"), "{said}");
    // An empty flag was typed nevertheless.
    let said = fails(canon().args(["forecast", "--rpc-url", ""]), 2);
    assert!(said.contains("or the path of an IPC socket, found nothing"), "{said}");
}

/// The variable may be meant for other programs.
#[test]
fn a_variable_that_is_not_needed_is_not_refused() {
    let plain = stdout(canon().args(["forecast", "--preset", "tests"]));
    for (name, value) in [("ETH_RPC_URL", "localhost"), ("CANON_REGISTRY", "0x12")] {
        let command = || canon().env(name, value);
        assert_eq!(stdout(command().args(["forecast", "--preset", "tests"])), plain);
        let said = fails(command().arg("config"), 2);
        assert!(said.starts_with(&format!("error: {name}: expected")), "{said}");
    }
    // A flag takes precedence over the variable.
    let shown = stdout(canon().args(["config", "--registry", REGISTRY]).env("CANON_REGISTRY", "x"));
    assert!(shown.contains("(--registry)"), "{shown}");
}

#[test]
fn a_file_in_the_wrong_place_is_shown() {
    let said = fails(canon().args(["rehearse", "scenarios/tie.toml"]), 2);
    assert!(said.contains("unexpected argument 'scenarios/tie.toml' found"), "{said}");
    assert!(said.contains("with its flag: --scenario scenarios/tie.toml"), "{said}");
}

/// All kinds of endpoints of one chain give the same forecast.
#[tokio::test]
async fn every_kind_of_endpoint_reaches_the_chain() {
    let chain = Chain::new().await;
    chain.pass(30);
    let folder = Folder::new("endpoints");
    let authority = Authority::new();
    let ca = folder.file("ca.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    let socket = folder.file("geth.ipc");
    ipc(chain.chain.clone(), &socket);
    let plain = websocket(chain.chain.clone()).await;
    let https = authority.encrypted(chain.address()).await;
    let wss = authority.encrypted(plain).await;
    let local =
        |scheme: &str, address: SocketAddr| format!("{scheme}://localhost:{}", address.port());

    let command = chain.forecast("");
    let expected = while_served(|| stdout(command)).await;
    assert!(expected.contains("8 seats"), "{expected}");
    for endpoint in [
        format!("ws://{plain}"),
        socket.display().to_string(),
        local("https", https),
        local("wss", wss),
    ] {
        let command = chain.forecast_from(&endpoint, "");
        // Both variables are set, so that the system's certificates aren't used.
        let command = command.env("SSL_CERT_FILE", &ca).env("SSL_CERT_DIR", folder.file(""));
        assert_eq!(while_served(|| stdout(command)).await, expected, "{endpoint}");
    }
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let chain = Chain::new().await;
    let folder = Folder::new("authorities");
    let authority = Authority::new();
    let other = folder.file("other.pem");
    std::fs::write(&other, Authority::new().pem()).unwrap();
    let server = authority.encrypted(websocket(chain.chain.clone()).await).await;
    for scheme in ["https", "wss"] {
        let url = secret_url(scheme, format!("localhost:{}", server.port()));
        for file in [None, Some(&other)] {
            let command = chain.forecast_from(&url, "");
            let command = match file {
                None => command,
                Some(file) => {
                    command.env("SSL_CERT_FILE", file).env("SSL_CERT_DIR", folder.file(""))
                }
            };
            let said = while_served(|| fails(command, 3)).await;
            let says = "because its certificate isn't trusted (";
            let hint = "name that authority's certificate (PEM) in SSL_CERT_FILE";
            assert!(said.contains(says) && said.contains(hint), "{said}");
        }
    }
    // The certificate is for another name.
    let ca = folder.file("ca.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    let command = chain.forecast_from(&secret_url("https", server), "");
    let command = command.env("SSL_CERT_FILE", &ca).env("SSL_CERT_DIR", folder.file(""));
    let said = while_served(|| fails(command, 3)).await;
    assert!(
        said.contains("its certificate isn't trusted (certificate not valid for name"),
        "{said}"
    );
    // A file without certificates isn't replaced by the system's list. An empty variable counts as
    // unset.
    let (missing, empty) = (folder.file("no.pem"), folder.file("empty.pem"));
    std::fs::write(&empty, "").unwrap();
    for (file, says) in [
        (&*missing, "SSL_CERT_FILE and SSL_CERT_DIR name no certificate that can be read ("),
        (&*empty, "SSL_CERT_FILE and SSL_CERT_DIR name no certificate that can be read; correct"),
        (Path::new(""), "because its certificate isn't trusted ("),
    ] {
        let command = chain.forecast_from(&secret_url("wss", server), "");
        let command = command.env("SSL_CERT_FILE", file);
        let said = while_served(|| fails(command, 3)).await;
        assert!(said.contains(says), "{}: {said}", file.display());
    }
}

#[test]
fn a_refused_key_is_one_line() {
    let server = answering("403 Forbidden", "no project {}");
    canon()
        .args(["forecast", "--registry", REGISTRY, "--rpc-url"])
        .arg(format!("http://{server}/v2/SECRETKEY"))
        .assert()
        .code(3)
        .stdout_eq("")
        .stderr_eq(str![[r#"
error: the endpoint http://127.0.0.1:[..] (--rpc-url) can't be used
  because it refuses the request (HTTP 403); check the key, or user and password, in its URL

next: check --rpc-url (ETH_RPC_URL), or name another endpoint

"#]]);
}

#[tokio::test]
async fn an_endpoint_of_another_chain_is_bad_input_that_names_where_the_id_is_from() {
    let chain = Chain::new().await;
    let folder = Folder::new("other-chain");
    let file = folder.file("canon.toml");
    std::fs::write(&file, "chain-id = 1\n").unwrap();
    let by_file = format!("--config {}", file.display());
    for (arguments, origin) in [("--chain-id 1", "--chain-id"), (&by_file, &by_file[9..])] {
        let command = chain.forecast(arguments);
        let said = while_served(|| fails(command, 2)).await;
        let says = format!("its chain id is 31337 and 1 was expected ({origin})");
        assert!(said.contains(&says), "{said}");
        assert!(said.contains("or correct the chain id that is expected"), "{said}");
    }
}
