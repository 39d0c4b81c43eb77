//! Code of the commands that deploy contracts.

use std::time::Duration;

use alloy_primitives::{TxKind, U256};
use canon_chain::{
    Client, ContractCall, Severity, Waited,
    deploy::{DeployError, StepReceipt},
};
use canon_protocol::text::{Rounding, ether};
use eyre::eyre;

use crate::{
    chain::unreached,
    exit::{Exit, Failure},
    send::{UnsignedCall, interrupt},
};

/// The next step after a deployment that stopped.
const AGAIN: &str = "run the same command again: what is on the chain isn't sent twice";

/// The first delay between two polls for a receipt. It is short, since development nodes mine at once, and
/// doubles with each poll.
const FIRST_POLL: Duration = Duration::from_millis(25);

/// The longest delay between two polls.
const POLL: Duration = Duration::from_secs(2);

/// The number of polls after which a command gives up. They take about 10 minutes.
const MOST_LOOKS: u32 = 300;

/// Waits before the next poll, or gives up after [`MOST_LOOKS`] polls.
pub(crate) async fn wait_for(looks: u32) -> Waited {
    if looks >= MOST_LOOKS {
        return Waited::GiveUp;
    }
    let doubled = FIRST_POLL.saturating_mul(1_u32.checked_shl(looks).unwrap_or(u32::MAX));
    tokio::time::sleep(doubled.min(POLL)).await;
    Waited::Again
}

/// The end of a wait for confirmations.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Confirmation {
    /// All receipts have their confirmations.
    Reached,
    /// A receipt isn't on the chain any more, or in another block.
    Replaced,
}

/// Waits until receipts have this number of confirmations, counting their blocks. Reads them again at each new
/// block, and stops when a block was replaced.
///
/// # Errors
///
/// If the chain can't be read, or no block arrives in time.
pub(crate) async fn confirm(
    client: &Client,
    receipts: &[StepReceipt],
    confirmations: u64,
) -> Result<Confirmation, Failure> {
    let Some(last) = receipts.iter().map(|receipt| receipt.block).max() else {
        return Ok(Confirmation::Reached);
    };
    let (mut seen, mut looks) = (None, 0);
    loop {
        let head = client.head().await.map_err(unreached)?;
        if seen != Some(head.hash) {
            (seen, looks) = (Some(head.hash), 0);
            for receipt in receipts {
                let found = receipt.read_again(client).await.map_err(unreached)?;
                if found != Some(*receipt) {
                    return Ok(Confirmation::Replaced);
                }
            }
            let found = head.number.get().saturating_sub(last.get()).saturating_add(1);
            if found >= confirmations {
                return Ok(Confirmation::Reached);
            }
        }
        if wait_for(looks).await == Waited::GiveUp {
            let report = eyre!("block {last} doesn't get {confirmations} confirmations");
            return Err(Failure::internal(report, AGAIN));
        }
        looks += 1;
    }
}

/// Returns when the user presses Ctrl-C.
pub(crate) async fn interrupted() -> Failure {
    interrupt().await;
    Failure::internal(eyre!("Ctrl-C was pressed"), AGAIN)
}

/// Refuses to start a deployment that the account can't pay for.
///
/// # Errors
///
/// If the account's balance is below the highest possible cost.
pub(crate) fn ensure_funds(balance: U256, most: U256) -> Result<(), Failure> {
    if balance >= most {
        return Ok(());
    }
    let (missing, most) = (ether(most - balance, Rounding::Up), ether(most, Rounding::Up));
    let has = ether(balance, Rounding::Down);
    Err(Failure::refused(
        eyre!("the account has {has} ether, and this can cost {most}: {missing} ether are missing"),
        "send the account that much, or wait for a lower base fee",
    ))
}

/// The failure for an error of the deployer.
pub(crate) fn undeployed(error: DeployError, next: &'static str) -> Failure {
    failed("the deployment stopped", error, next)
}

/// The failure for a rollup that Governance couldn't make canonical. Nothing was sent.
pub(crate) fn no_takeover(error: DeployError) -> Failure {
    failed("the new rollup can't take over", error, "choose another rollup")
}

fn failed(title: &'static str, error: DeployError, next: &'static str) -> Failure {
    let exit = match &error {
        DeployError::Chain(source) | DeployError::Step { source, .. }
            if source.severity() != Severity::Skip =>
        {
            Exit::Internal
        }
        DeployError::OtherSet { .. }
        | DeployError::OtherChain { .. }
        | DeployError::OtherDeployer { .. }
        | DeployError::OtherParameters
        | DeployError::OtherAddress { .. }
        | DeployError::OtherTransaction { .. } => Exit::BadInput,
        _ => Exit::CheckFailed,
    };
    let report = eyre!("{error}").wrap_err(title);
    Failure { exit, report, next }
}

/// A call with this gas limit for somebody else to sign.
///
/// # Errors
///
/// If it calls no contract, which doesn't happen: a factory creates.
pub(crate) fn unsigned(call: &ContractCall, gas: u64) -> Result<UnsignedCall, Failure> {
    let TxKind::Call(to) = call.to() else {
        return Err(Failure::internal(eyre!("the factory isn't called"), "please report this"));
    };
    Ok(UnsignedCall { to, data: call.input().clone(), value: call.value(), gas })
}
