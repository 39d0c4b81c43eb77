//! `canon devchain`.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
};

use alloy_primitives::Address;
use canon_devchain::dev_accounts;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use snapbox::cmd::cargo_bin;

use crate::support::canon;

/// A running command and what it printed at its start.
struct Served {
    child: Child,
    page: String,
    address: SocketAddr,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    fn start() -> Self {
        let mut command = Command::new(cargo_bin!("canon"));
        command.args(["devchain", "--listen", "127.0.0.1:0"]).env_clear();
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut page = String::new();
        while !page.ends_with("Ctrl-C stops it\n") {
            page += &lines.next().expect("the command goes on");
            page.push('\n');
        }
        let url = page.lines().nth(1).unwrap().trim();
        let address = url.strip_prefix("http://").unwrap().parse().unwrap();
        Self { child, page, address }
    }

    fn ask(&self, method: &str) -> Value {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": []}).to_string();
        let mut stream = TcpStream::connect(self.address).unwrap();
        let head = "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close";
        write!(stream, "{head}\r\nContent-Type: application/json\r\n").unwrap();
        write!(stream, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str::<Value>(body).unwrap()["result"].clone()
    }

    fn stop(mut self, signal: Signal) -> Option<i32> {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        self.child.wait().unwrap().code()
    }
}

/// The exit code of the command after it was stopped.
pub(crate) fn stopped() -> i32 {
    Served::start().stop(Signal::TERM).unwrap()
}

#[test]
fn the_devchain_has_the_accounts_that_it_prints() {
    let served = Served::start();
    assert_eq!(served.ask("eth_chainId"), "0x7a69");
    let accounts = dev_accounts(0, 10);
    let addresses: Vec<_> = accounts.iter().map(|account| account.address()).collect();
    let listed: Vec<Address> = serde_json::from_value(served.ask("eth_accounts")).unwrap();
    assert_eq!(addresses, listed);
    let printed = accounts
        .iter()
        .map(|account| format!("  {}  private key {}\n", account.address(), account.to_bytes()));
    let page = format!(
        "The embedded L1, chain 31337\n  http://{}\n  HTTP only: there is no WebSocket, and no eth_subscribe\n\nAccounts, with 10,000 ether each\n{}\nCtrl-C stops it\n",
        served.address,
        printed.collect::<String>(),
    );
    assert_eq!(served.page, page);
}

#[test]
fn signals_end_the_devchain_while_a_client_has_half_a_request() {
    for signal in [Signal::INT, Signal::TERM] {
        let served = Served::start();
        let mut slow = TcpStream::connect(served.address).unwrap();
        slow.write_all(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
            .unwrap();
        assert_eq!(served.ask("eth_blockNumber"), "0x0");
        assert_eq!(served.stop(signal), Some(0));
    }
}

#[test]
fn an_address_that_is_taken_is_named() {
    let served = Served::start();
    let listen = served.address.to_string();
    let output = canon().args(["devchain", "--listen", &listen]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with(&format!("error: --listen: can't listen on {listen}\n")), "{said}");
    assert!(said.ends_with("next: name another address, such as --listen 127.0.0.1:0\n"), "{said}");
}

#[test]
fn an_address_without_its_parts_is_refused() {
    for address in ["127.0.0.1", "9999", ":9999", "example.org:0"] {
        let output = canon().args(["devchain", "--listen", address]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.contains("expected an IP address and a port, such as 127.0.0.1:8545"),
            "{said}"
        );
    }
}
