//! The time of a rehearsal, compared with anvil.
//!
//! A rehearsal is run and timed. Then its transactions are sent again, block by block and with the
//! same timestamps, to a new devchain and, over HTTP, to anvil. Blocks without transactions are
//! left out for both.
//!
//! anvil can't be given a block's RANDAO. To draw the same slots there, each seed that a rollup
//! records on it is replaced in the rollup's storage afterwards; that isn't timed. Every receipt
//! must have the same status as in the rehearsal.

use std::time::{Duration, Instant};

use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_provider::{DynProvider, Provider, RootProvider};
use alloy_rpc_types_eth::TransactionReceipt;
use alloy_sol_types::SolEvent;
use canon_abi::Rollup;
use canon_devchain::{Devchain, DevchainConfig, Mining};
use canon_rehearsal::{
    Rehearsal,
    scenario::{DEFAULT, Scenario},
};
use eyre::{Result, WrapErr, ensure, eyre};

use crate::anvil;

/// The storage slots of `_seeds` of a Rollup, in `contracts/artifacts/Rollup.json`.
const SEED_SLOTS: [u64; 2] = [4, 5];

/// A block of the rehearsal with transactions.
struct Block {
    timestamp: u64,
    prevrandao: B256,
    transactions: Vec<Bytes>,
    receipts: Vec<TransactionReceipt>,
}

/// Parses `--anvil PATH [--scenario FILE]` and runs the comparison.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let values = crate::flags(arguments, &["--anvil", "--scenario"])?;
    let anvil = crate::path(&values, "--anvil")?;
    let scenario = match values.get("--scenario") {
        Some(file) => {
            Scenario::read(file, &std::fs::read_to_string(file).wrap_err("no scenario")?)?
        }
        None => Scenario::read("the default scenario", DEFAULT)?,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(&anvil, &scenario))
}

async fn run(anvil: &std::path::Path, scenario: &Scenario) -> Result<()> {
    let (rehearsal, rehearsed) = timed(async {
        let mut silent = |_| ();
        let rehearsal = Rehearsal::run(scenario, &mut silent).await?;
        let report = rehearsal.report().await?;
        ensure!(report.passed, "a check of the rehearsal failed");
        Ok((rehearsal.chain().clone(), report.to_text().len()))
    })
    .await?;
    let peak = peak_memory()?;
    let (chain, _) = rehearsal;
    let (genesis, blocks) = record(&chain).await?;
    let count: usize = blocks.iter().map(|block| block.transactions.len()).sum();

    let peer = anvil::start(anvil, genesis, &[]).await?;
    let theirs = peer.client.provider().clone();
    let over_http = replay_on_anvil(&theirs, &blocks).await.wrap_err("on anvil")?;
    let in_process = replay_on_devchain(genesis, &blocks).await.wrap_err("on the devchain")?;

    let ratio = |other: Duration, own: Duration| other.as_secs_f64() / own.as_secs_f64();
    println!("{count} transactions in {} blocks", blocks.len());
    println!(
        "rehearsal, all told                {:9.2} s   {peak} MiB at most",
        rehearsed.as_secs_f64()
    );
    println!("same transactions, this devchain   {:9.2} s", in_process.as_secs_f64());
    println!(
        "same transactions, anvil over HTTP {:9.2} s   {:.1} times the devchain, {:.1} times the whole rehearsal",
        over_http.as_secs_f64(),
        ratio(over_http, in_process),
        ratio(over_http, rehearsed),
    );
    Ok(())
}

/// Runs `work` and measures its time. Nothing else here reads a clock.
#[expect(clippy::disallowed_methods, reason = "a measurement is of real time")]
pub(crate) async fn timed<T>(work: impl Future<Output = Result<T>>) -> Result<(T, Duration)> {
    let start = Instant::now();
    let value = work.await?;
    Ok((value, start.elapsed()))
}

/// The largest memory use of this process so far, in MiB (`VmHWM` of Linux).
fn peak_memory() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib =
        line.and_then(|line| line.trim().strip_suffix(" kB")).ok_or_else(|| eyre!("no VmHWM"))?;
    Ok(kib.trim().parse::<u64>()? / 1024)
}

/// The genesis time, and all blocks with transactions.
async fn record(chain: &Devchain) -> Result<(u64, Vec<Block>)> {
    let provider = RootProvider::<alloy_network::Ethereum>::new(chain.client());
    let genesis =
        provider.get_block_by_number(0.into()).await?.ok_or_else(|| eyre!("no genesis"))?;
    let mut blocks = Vec::new();
    for number in 1..=chain.block_number() {
        let block = provider.get_block_by_number(number.into()).full().await?;
        let block = block.ok_or_else(|| eyre!("block {number} is missing"))?;
        if block.transactions.is_empty() {
            continue;
        }
        let receipts = provider.get_block_receipts(number.into()).await?.unwrap_or_default();
        blocks.push(Block {
            timestamp: block.header.timestamp,
            prevrandao: block.header.mix_hash,
            transactions: block
                .transactions
                .txns()
                .map(|tx| tx.inner.encoded_2718().into())
                .collect(),
            receipts,
        });
    }
    Ok((genesis.header.timestamp, blocks))
}

/// All senders of transactions, each with enough ether to pay for them.
fn senders(blocks: &[Block]) -> Vec<(Address, U256)> {
    let senders: std::collections::BTreeSet<_> =
        blocks.iter().flat_map(|block| &block.receipts).map(|receipt| receipt.from).collect();
    senders.into_iter().map(|sender| (sender, U256::from(10).pow(U256::from(21)))).collect()
}

async fn replay_on_devchain(genesis: u64, blocks: &[Block]) -> Result<Duration> {
    let chain = Devchain::new(DevchainConfig {
        genesis_timestamp: genesis,
        dev_accounts: 0,
        alloc: senders(blocks),
        mining: Mining::Manual,
        ..DevchainConfig::default()
    });
    let provider = RootProvider::<alloy_network::Ethereum>::new(chain.client());
    let ((), took) = timed(async {
        for block in blocks {
            for transaction in &block.transactions {
                let _ = provider.send_raw_transaction(transaction).await?;
            }
            chain.set_next_timestamp(block.timestamp)?;
            chain.set_prevrandao_next(block.prevrandao);
            chain.mine()?;
        }
        Ok(())
    })
    .await?;
    for block in blocks {
        for expected in &block.receipts {
            let found = provider.get_transaction_receipt(expected.transaction_hash).await?;
            ensure!(found.is_some_and(|found| found.status() == expected.status()));
        }
    }
    Ok(took)
}

async fn replay_on_anvil(anvil: &DynProvider, blocks: &[Block]) -> Result<Duration> {
    for (sender, balance) in senders(blocks) {
        let () = anvil.raw_request("anvil_setBalance".into(), (sender, balance)).await?;
    }
    let () = anvil.raw_request("evm_setAutomine".into(), [false]).await?;
    let mut took = Duration::ZERO;
    for (index, block) in blocks.iter().enumerate() {
        let ((), part) = timed(async {
            for transaction in &block.transactions {
                let _ = anvil.send_raw_transaction(transaction).await?;
            }
            let () = anvil
                .raw_request::<_, serde_json::Value>(
                    "evm_setNextBlockTimestamp".into(),
                    [block.timestamp],
                )
                .await
                .map(drop)?;
            let _: String = anvil.raw_request("evm_mine".into(), ()).await?;
            Ok(())
        })
        .await?;
        took += part;
        let number = index as u64 + 1;
        let receipts = anvil.get_block_receipts(number.into()).await?.unwrap_or_default();
        let same = receipts.len() == block.receipts.len()
            && receipts.iter().zip(&block.receipts).all(|(found, expected)| {
                found.transaction_hash == expected.transaction_hash
                    && found.status() == expected.status()
            });
        ensure!(same, "block {number} came out differently");
        correct_seeds(anvil, &receipts, &block.receipts).await?;
    }
    Ok(took)
}

/// Replaces the seeds that anvil recorded by those of the rehearsal.
async fn correct_seeds(
    anvil: &DynProvider,
    found: &[TransactionReceipt],
    expected: &[TransactionReceipt],
) -> Result<()> {
    let seeds = |receipts: &[TransactionReceipt]| -> Vec<(Address, U256)> {
        let logs = receipts.iter().flat_map(TransactionReceipt::logs);
        logs.filter_map(|log| {
            let event = Rollup::SeedRecorded::decode_log(&log.inner).ok()?;
            Some((event.address, event.seed))
        })
        .collect()
    };
    for ((rollup, drawn), (same, seed)) in seeds(found).into_iter().zip(seeds(expected)) {
        ensure!(rollup == same, "another rollup recorded a seed");
        for slot in SEED_SLOTS {
            let slot = U256::from(slot);
            if anvil.get_storage_at(rollup, slot).await? == drawn {
                let value = B256::from(seed);
                let _: bool =
                    anvil.raw_request("anvil_setStorageAt".into(), (rollup, slot, value)).await?;
            }
        }
    }
    Ok(())
}
