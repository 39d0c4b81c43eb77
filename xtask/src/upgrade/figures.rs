//! The time that canon takes on anvil: to deploy a set, and to read a large one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use canon_abi::{Asset, Governance, Rollup};
use eyre::{Result, ensure, eyre};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::{
    deploy::{self, Set},
    payload,
    people::People,
    session::{BLOCK, Session},
};
use crate::speed::timed;

/// The size of the set to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) proposals: u64,
    pub(super) stakers: u64,
}

/// The delay of each request by which round trips are told from requests that run at once.
const DELAY: Duration = Duration::from_millis(200);

/// The greatest number of round trips of `canon status`, with connecting.
const STATUS_TRIPS: f64 = 3.0;

/// The number of runs of which the mean is printed.
const RUNS: u32 = 3;

/// Deploys a set, makes it large, and prints what reading it takes.
pub(super) async fn print(s: &mut Session, people: &People, size: Size) -> Result<()> {
    deploy::write_file(s).await?;
    let command = format!("deploy deployment.toml --yes --rpc-url {}", s.cast.url);
    let arguments: Vec<_> = command.split_whitespace().collect();
    let flags: Vec<_> = people.team.flags.iter().map(String::as_str).collect();
    let arguments = [arguments, flags].concat();
    let (output, time) = timed(s.canon.run(&arguments)).await?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    println!("deploy, to a verified set  {:6.2} s", time.as_secs_f64());
    let set = deploy::deployed(s)?;
    let settings = format!("rpc-url = \"{}\"\nregistry = \"{}\"\n", s.cast.url, set.registry);
    s.canon.folder.write("canon.toml", settings);
    let payload = payload::deploy(s, people).await?.payload;
    s.ledger.end()?;
    grow(s, people, &set, &payload, size).await?;

    println!("with {} proposals and {} stakers", size.proposals, size.stakers);
    for (command, cached, most_trips) in [
        ("status", Cached::History, Some(STATUS_TRIPS)),
        ("stake status", Cached::Nothing, None),
        ("stake status", Cached::History, None),
    ] {
        let quick = mean(s, command, Duration::ZERO, cached).await?;
        let slow = mean(s, command, DELAY, cached).await?;
        let trips = slow.time.saturating_sub(quick.time).as_secs_f64() / DELAY.as_secs_f64();
        println!(
            "  {command:<12}  {cached:<14}  {:6.2} s, {:5.2} s of it its own, {:3} requests, {trips:4.1} round trips",
            quick.time.as_secs_f64(),
            quick.own.as_secs_f64(),
            quick.requests
        );
        if let Some(most) = most_trips {
            ensure!(trips < most + 0.5, "{command}: at most {most} round trips, found {trips:.1}");
        }
    }
    Ok(())
}

/// Adds proposals and stakers by transactions of Proposals and of the team.
async fn grow(s: &Session, people: &People, set: &Set, payload: &str, size: Size) -> Result<()> {
    // So that no proposal is over before the last one is there.
    let _: Value = s.rpc("anvil_setBlockTimestampInterval", json!([1])).await?;
    let (team, proposals) = (&*people.team.address, &*set.proposals);
    for account in [team, proposals] {
        let _: Value = s.rpc("anvil_impersonateAccount", json!([account])).await?;
        let ether = U256::from(10).pow(U256::from(21));
        let _: Value = s.rpc("anvil_setBalance", json!([account, ether])).await?;
    }
    let propose = Governance::proposeCall { payload: payload.parse()? }.abi_encode();
    for _ in 0..size.proposals {
        send(s, proposals, &set.governance, &propose).await?;
    }
    let (spender, amount) = (set.rollup.parse()?, U256::MAX);
    send(s, team, &set.asset, &Asset::approveCall { spender, amount }.abi_encode()).await?;
    let amount = U256::from(100) * U256::from(10).pow(U256::from(18));
    for number in 1..=size.stakers {
        let attester = Address::left_padding_from(&number.to_be_bytes());
        let deposit =
            Rollup::depositCall { attester, proposer: attester, withdrawer: attester, amount };
        send(s, team, &set.rollup, &deposit.abi_encode()).await?;
    }
    let count = s.cast.call(&set.governance, "proposalCount()(uint256)", &[]).await?;
    ensure!(count == size.proposals, "{count} proposals were made");
    let count = s.cast.call(&set.rollup, "getActiveAttesterCount()(uint256)", &[]).await?;
    ensure!(count == size.stakers, "{count} stakers were registered");
    let _: Value = s.rpc("anvil_setBlockTimestampInterval", json!([BLOCK])).await?;
    Ok(())
}

async fn send(s: &Session, from: &str, to: &str, data: &[u8]) -> Result<()> {
    let data = alloy_primitives::hex::encode_prefixed(data);
    let transaction = json!([{ "from": from, "to": to, "data": data, "gas": "0xf4240" }]);
    let _: Value = s.rpc("eth_sendTransactionSync", transaction).await?;
    Ok(())
}

/// What canon has in its folder for caches.
#[derive(Clone, Copy, Debug)]
enum Cached {
    Nothing,
    History,
}

impl std::fmt::Display for Cached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Nothing => "nothing cached",
            Self::History => "history cached",
        })
    }
}

/// What a command takes.
struct Taken {
    time: Duration,
    /// The time on a processor.
    own: Duration,
    requests: usize,
}

/// What a command takes on average, if each request is delayed.
async fn mean(s: &Session, command: &str, delay: Duration, cached: Cached) -> Result<Taken> {
    let upstream = s.cast.url.trim_start_matches("http://").to_owned();
    let (url, requests) = forward(upstream, delay).await?;
    let arguments = command.split_whitespace().chain(["--json", "--rpc-url", &url]);
    let arguments: Vec<_> = arguments.collect();
    let cache = s.canon.folder.file("cache");
    let (mut time, own) = (Duration::ZERO, own_time()?);
    for _ in 0..RUNS {
        if matches!(cached, Cached::Nothing) && cache.exists() {
            std::fs::remove_dir_all(&cache)?;
        }
        let (output, taken) = timed(s.canon.run(&arguments)).await?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        time += taken;
    }
    let runs = usize::try_from(RUNS)?;
    let own = (own_time()?.saturating_sub(own)) / RUNS;
    Ok(Taken { time: time / RUNS, own, requests: requests.load(Ordering::Relaxed) / runs })
}

/// The time of all children on a processor (`cutime` and `cstime` of Linux, in hundredths of a second).
fn own_time() -> Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name of the program, in parentheses, can have spaces.
    let (_, fields) = stat.rsplit_once(')').ok_or_else(|| eyre!("no name in {stat}"))?;
    let hundredths: u64 = fields
        .split_whitespace()
        .skip(13)
        .take(2)
        .filter_map(|ticks| ticks.parse::<u64>().ok())
        .sum();
    Ok(Duration::from_millis(10 * hundredths))
}

/// Forwards HTTP to `upstream`, each request after a delay. Returns its URL and the number of requests so far.
async fn forward(upstream: String, delay: Duration) -> Result<(String, Arc<AtomicUsize>)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let Ok(server) = TcpStream::connect(&upstream).await else { return };
            tokio::spawn(connection(client, server, delay, Arc::clone(&counter)));
        }
    });
    Ok((url, requests))
}

async fn connection(
    client: TcpStream,
    server: TcpStream,
    delay: Duration,
    requests: Arc<AtomicUsize>,
) -> std::io::Result<()> {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = from_client.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        // One connection has one request at a time.
        if buffer[..length].starts_with(b"POST ") {
            requests.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(delay).await;
        }
        to_server.write_all(&buffer[..length]).await?;
    }
}
