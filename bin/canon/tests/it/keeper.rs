//! `canon keeper` as a process.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Lines, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Child, ChildStderr, Command, Stdio},
    time::Duration,
};

use alloy_primitives::Address;
use canon_devchain::Mining;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{
    chain::Chain,
    servers::{Folder, closed_port},
    support::{self, while_served},
};

/// The index of the account that keeps.
const ACCOUNT: usize = 1;

/// The time in which a keeper ends after a signal.
const END: Duration = Duration::from_secs(1);

/// A running keeper, and the lines of its log.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
    /// The lines that were read.
    log: Vec<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command, with an endpoint and the key of an account.
fn command(chain: &Chain, folder: &Folder, endpoint: &str, arguments: &str) -> Command {
    let registry = chain.set.registry.to_string();
    let mut command = support::process();
    command
        .args(["keeper", "--rpc-url", endpoint, "--registry", &registry])
        .args(arguments.split_whitespace())
        .env("CANON_PRIVATE_KEY", chain.key(ACCOUNT))
        .env("XDG_CACHE_HOME", folder.file("cache"))
        .env("XDG_STATE_HOME", folder.file("state"));
    command
}

impl Running {
    fn start(chain: &Chain, folder: &Folder, arguments: &str) -> Self {
        Self::of(command(chain, folder, &chain.url(), arguments))
    }

    fn of(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, lines, log: Vec::new() }
    }

    /// Waits for the first further line that contains a text.
    fn line_with(&mut self, text: &str) -> String {
        loop {
            let Some(line) = self.lines.next() else {
                panic!("it ended without {text}:\n{}", self.log.join("\n"))
            };
            let line = line.unwrap();
            self.log.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Ends it by a signal. Returns its exit code and its whole log.
    fn stop(mut self, signal: Signal) -> (Option<i32>, Vec<String>) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        let (ended, has_ended) = std::sync::mpsc::channel();
        let mut lines = std::mem::take(&mut self.log);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // The log ends with the process.
                lines.extend(self.lines.by_ref().map(Result::unwrap));
                let _ = ended.send(());
            });
            if has_ended.recv_timeout(END).is_err() {
                let _ = self.child.kill();
                panic!("it goes on after {END:?}");
            }
        });
        (self.child.wait().unwrap().code(), lines)
    }
}

/// A chain whose payload has won round 1, which can be pushed now.
async fn pushable() -> Chain {
    let mut chain = Chain::new().await;
    let payload = chain.payload;
    chain.win(payload, 1).await;
    chain.pass(20);
    chain
}

/// The exit code of a keeper that was stopped.
pub(crate) fn stopped(chain: &Chain, folder: &Folder) -> i32 {
    let mut running = Running::start(chain, folder, "");
    running.line_with("in step with the chain");
    running.stop(Signal::TERM).0.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn b15_a_round_is_pushed_at_once_and_sigterm_ends_the_keeper_with_nothing_half_done() {
    let folder = Folder::new("keeper");
    let chain = pushable().await;
    while_served(move || {
        for (signal, name) in [(Signal::TERM, "SIGTERM"), (Signal::INT, "SIGINT")] {
            let mut running = Running::start(&chain, &folder, "");
            let started = running.line_with("keeps the set");
            assert!(started.contains(&format!("canon {} keeps", env!("CARGO_PKG_VERSION"))));
            assert!(started.contains("all payloads, pays nothing out"), "{started}");
            running.line_with("in step with the chain");
            if signal == Signal::TERM {
                running.line_with("sent the push of round 1: 0x");
                running.line_with("the push of round 1 is done: 0x");
            }
            let (code, log) = running.stop(signal);
            let last = log.last().unwrap();
            assert_eq!(code, Some(0), "{log:?}");
            assert!(last.contains(&format!("stopped by {name}")), "{last}");
            let (set, account) = (chain.set.registry, chain.account(ACCOUNT));
            let of_line = format!(" [chain 31337, set {set}, account {account}]");
            assert!(log.iter().all(|line| line.ends_with(&of_line)), "{log:#?}");
        }
        assert_eq!(chain.chain.nonce(chain.account(ACCOUNT)), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keeper_that_is_killed_goes_on_from_its_journal_and_sends_nothing_twice() {
    let folder = Folder::new("keeper-killed");
    let chain = pushable().await;
    chain.chain.set_mining(Mining::Manual);
    while_served(move || {
        let mut running = Running::start(&chain, &folder, "");
        let sent = running.line_with("sent the push of round 1: ");
        assert_eq!(running.stop(Signal::KILL).0, None);
        let mut running = Running::start(&chain, &folder, "");
        assert_eq!(
            running.line_with("sent the push of round 1: ").split_once("sent").unwrap().1,
            sent.split_once("sent").unwrap().1,
            "the same transaction"
        );
        assert_eq!(chain.chain.pool_size(), 1);
        chain.chain.mine().unwrap();
        running.line_with("the push of round 1 is done");
        assert_eq!(running.stop(Signal::TERM).0, Some(0));
        assert_eq!(chain.chain.nonce(chain.account(ACCOUNT)), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_command_sends_from_the_account_of_a_keeper() {
    let folder = Folder::new("keeper-locked");
    let chain = pushable().await;
    while_served(move || {
        let mut running = Running::start(&chain, &folder, "");
        running.line_with("is done");
        let command = crate::sending::by(&chain, &folder, "setup-epoch --yes");
        let said = crate::live::fails(command, 3);
        assert!(said.contains("another command sends for this account"), "{said}");
        assert!(said.contains("canon keeper"), "{said}");
        let mut second = Running::start(&chain, &folder, "");
        let ended = second.line_with("ended: ");
        assert!(ended.contains("another command sends for this account"), "{ended}");
        assert_eq!(second.child.wait().unwrap().code(), Some(3));
        assert_eq!(running.stop(Signal::TERM).0, Some(0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_with_an_interrupted_command_is_refused() {
    let folder = Folder::new("keeper-interrupted");
    let chain = pushable().await;
    chain.chain.set_mining(Mining::Manual);
    while_served(move || {
        let mut push = support::process();
        push.args(["push", "--yes", "--rpc-url", &chain.url()])
            .args(["--registry", &chain.set.registry.to_string()])
            .env("CANON_PRIVATE_KEY", chain.key(ACCOUNT))
            .env("XDG_CACHE_HOME", folder.file("cache"))
            .env("XDG_STATE_HOME", folder.file("state"));
        let mut push = Running::of(push);
        push.line_with("sent 0x");
        push.stop(Signal::KILL);
        let mut running = Running::start(&chain, &folder, "");
        let ended = running.line_with("ended: ");
        assert!(ended.contains("`canon push` was interrupted"), "{ended}");
        assert_eq!(running.child.wait().unwrap().code(), Some(2));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_waiting_helps_against_ends_the_keeper_with_a_code_for_its_kind() {
    let folder = Folder::new("keeper-fatal");
    let chain = Chain::new().await;
    while_served(move || {
        let mut without_key = command(&chain, &folder, &chain.url(), "");
        let output = without_key.env_remove("CANON_PRIVATE_KEY").output().unwrap();
        let said = support::said(output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("expected the key that signs, found none"), "{said}");
        let mut cases = vec![
            (command(&chain, &folder, &chain.url(), "--chain-id 1"), 2, "chain id is 31337"),
            (command(&chain, &folder, &chain.url(), "--listen 192.0.2.1:1"), 3, "can't listen on"),
        ];
        let mut no_registry = support::process();
        no_registry
            .args(["keeper", "--rpc-url", &chain.url()])
            .env("CANON_REGISTRY", Address::repeat_byte(9).to_string())
            .env("CANON_PRIVATE_KEY", chain.key(ACCOUNT))
            .env("XDG_CACHE_HOME", folder.file("cache"))
            .env("XDG_STATE_HOME", folder.file("state"));
        cases.push((no_registry, 2, "has no code"));
        let journal = Folder::new("keeper-no-journal");
        std::fs::write(journal.file("state"), "a file where a folder is needed").unwrap();
        cases.push((
            command(&chain, &journal, &chain.url(), ""),
            3,
            "sent transactions can't be remembered",
        ));
        for (mut command, code, says) in cases {
            let output = command.stdout(Stdio::null()).output().unwrap();
            let said = support::said(output.stderr);
            assert_eq!(output.status.code(), Some(code), "{said}");
            assert!(said.contains(says), "{says}: {said}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b9_a_keeper_whose_endpoint_is_down_waits_for_it_and_says_so_once() {
    let folder = Folder::new("keeper-down");
    let chain = Chain::new().await;
    while_served(move || {
        let dead = format!("http://{}/SECRETKEY", closed_port());
        let mut running = Running::of(command(&chain, &folder, &dead, "--listen 127.0.0.1:0"));
        let listening = running.line_with("/metrics on http://");
        let address = address_in(&listening);
        running.line_with("not started yet, and tried again until it can be");
        assert_eq!(get(address, "/health").0, 200);
        assert_eq!(get(address, "/ready").0, 503);
        let (code, log) = running.stop(Signal::TERM);
        assert_eq!(code, Some(0));
        let told = log.iter().filter(|line| line.contains("not started yet")).count();
        assert_eq!(told, 1, "{log:#?}");
        assert!(!log.join("\n").contains("SECRETKEY"), "{log:#?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_readiness_and_all_metrics_are_served_and_logs_are_json() {
    let folder = Folder::new("keeper-served");
    let chain = pushable().await;
    while_served(move || {
        let settings = "--listen 127.0.0.1:0 --log-format json --pay-out --max-gas-price 30";
        let mut running = Running::start(&chain, &folder, settings);
        let address = address_in(&running.line_with("listening"));
        running.line_with("\"event\":\"done\"");
        // The numbers are published after the lines of a turn.
        while value(&get(address, "/metrics").1, "canon_done_total") == 0.0 {}
        assert_eq!(get(address, "/health"), (200, "alive\n".to_owned()));
        assert_eq!(get(address, "/ready"), (200, "ready\n".to_owned()));
        assert_eq!(get(address, "/nothing").0, 404);
        let (status, text) = get(address, "/metrics");
        assert_eq!(status, 200);
        let metrics = canon_agents::daemon::metrics::METRICS;
        for metric in &metrics {
            value(&text, metric.name);
        }
        let samples = text.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(samples, metrics.len());
        for (name, expected) in [
            ("canon_in_step", 1.0),
            ("canon_history_known", 1.0),
            ("canon_done_total", 1.0),
            ("canon_sent_total", 1.0),
            ("canon_in_flight", 0.0),
            ("canon_alarms_total", 0.0),
        ] {
            assert_eq!(value(&text, name), expected, "{name}");
        }
        assert!(value(&text, "canon_balance_ether") > 1.0);
        assert_eq!(value(&text, "canon_block"), chain.chain.block_number() as f64);
        let (code, log) = running.stop(Signal::TERM);
        assert_eq!(code, Some(0));
        let mut events = BTreeMap::new();
        for line in &log {
            let line: Value = serde_json::from_str(line).unwrap();
            assert_eq!(line["set"], chain.set.registry.to_string());
            assert_eq!(line["account"], chain.account(ACCOUNT).to_string());
            assert!(line["time"].is_u64() && line["level"] == "info", "{line}");
            events.insert(line["event"].as_str().unwrap().to_owned(), line);
        }
        assert_eq!(events["listening"]["chain"], "unknown");
        assert_eq!(events["done"]["chain"], "31337");
        assert_eq!(events["done"]["transaction"], events["sent"]["transaction"]);
        let said = events["started"]["message"].as_str().unwrap();
        assert!(said.contains("pays out, at most 30 gwei until a deadline comes near"), "{said}");
        assert!(said.contains("(settings 0x"), "{said}");
    })
    .await;
}

/// The address in a line about where a keeper listens.
fn address_in(line: &str) -> SocketAddr {
    let (_, rest) = line.split_once("http://").unwrap();
    let end = rest.find(|one: char| !one.is_ascii_digit() && !".:".contains(one));
    rest[..end.unwrap_or(rest.len())].parse().unwrap()
}

/// The status and the body of an answer.
fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// The value of a metric.
fn value(text: &str, name: &str) -> f64 {
    let sample = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    sample.unwrap_or_else(|| panic!("{name} isn't in\n{text}")).parse().unwrap()
}
