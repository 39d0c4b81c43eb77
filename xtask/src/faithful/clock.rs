//! Comparison of a chain that follows a clock with anvil, which always does: the answers of the methods that set time,
//! and the times of the blocks after them.
//!
//! Time goes on while both are asked, so that numbers may differ by a few seconds.

use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use alloy_eips::BlockNumberOrTag;
use alloy_provider::{DynProvider, Provider};
use canon_devchain::{Clock, Devchain, DevchainConfig};
use eyre::{Result, ensure, eyre};
use serde_json::{Value, json};

use super::plain;
use crate::anvil;

/// The largest difference between two times, in seconds.
const TOLERANCE: i64 = 5;

#[expect(clippy::disallowed_methods, reason = "anvil follows this clock, too")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Asks both chains the same and compares their answers. Returns the number of comparisons.
pub(super) async fn check(anvil: &Path) -> Result<usize> {
    let start = now();
    let clock = Some(Clock::new(now));
    let ours =
        Devchain::new(DevchainConfig { genesis_timestamp: start, clock, ..Default::default() });
    let ours = plain(&ours);
    let peer = anvil::start(anvil, start, &[]).await?;
    let theirs = peer.client.provider().clone();
    let steps = [
        ("evm_increaseTime", json!([1_000])),
        ("anvil_increaseTime", json!(["0x7d0"])),
        ("evm_mine", json!([])),
        ("evm_increaseTime", json!([3_000])),
        ("evm_setTime", json!([start + 10_000])),
        ("evm_mine", json!([])),
        ("anvil_setTime", json!([(start + 20_000) * 1_000])),
        ("evm_increaseTime", json!([0])),
        ("evm_setNextBlockTimestamp", json!([start + 30_000])),
        ("evm_increaseTime", json!([7])),
        ("evm_mine", json!([])),
        ("evm_mine", json!([])),
        ("evm_increaseTime", json!([0])),
        ("anvil_setBlockTimestampInterval", json!([500])),
        ("evm_mine", json!([])),
        ("anvil_removeBlockTimestampInterval", json!([])),
        ("evm_snapshot", json!([])),
        ("evm_increaseTime", json!([100_000])),
        ("evm_mine", json!([])),
        ("evm_revert", json!([])),
        ("evm_setTime", json!([start + 40_000])),
        ("evm_mine", json!([])),
    ];
    let (mut compared, mut snapshots) = (0, [Value::Null, Value::Null]);
    for (method, params) in steps {
        let place = format!("{method} {params}");
        let (mut answers, mut times) = (Vec::new(), Vec::new());
        for (chain, snapshot) in [&ours, &theirs].into_iter().zip(&mut snapshots) {
            // Each numbers its snapshots in its own way.
            let params = if method == "evm_revert" { json!([snapshot]) } else { params.clone() };
            let mut answer: Value = chain.raw_request(method.into(), params).await?;
            if method == "evm_snapshot" {
                *snapshot = answer.take();
            }
            answers.push(answer);
            times.push(json!(newest(chain).await?));
        }
        compare(&place, &answers)?;
        compare(&format!("{place}, the newest block"), &times)?;
        compared += 2;
    }
    Ok(compared)
}

async fn newest(chain: &DynProvider) -> Result<u64> {
    let block = chain.get_block_by_number(BlockNumberOrTag::Latest).await?;
    Ok(block.ok_or_else(|| eyre!("there is no block"))?.header.timestamp)
}

fn compare(place: &str, values: &[Value]) -> Result<()> {
    let [ours, theirs] = values else { return Ok(()) };
    let close = match (ours.as_i64(), theirs.as_i64()) {
        (Some(ours), Some(theirs)) => (ours - theirs).abs() <= TOLERANCE,
        _ => ours == theirs,
    };
    ensure!(close, "{place}: ours {ours}, anvil's {theirs}");
    Ok(())
}
