//! A real anvil, with which the devchain is compared.

use std::{path::Path, process::Stdio};

use canon_chain::{Client, Endpoint, Timeouts};
use eyre::{Result, WrapErr, bail};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// The gas limit of a block on both chains.
pub(crate) const GAS_LIMIT: u64 = 60_000_000;
/// The first base fee of both chains, in wei per gas.
pub(crate) const BASE_FEE: u64 = 1_000_000_000;
/// The time of the first block: 1 January 2026, 00:00 UTC.
pub(crate) const GENESIS_TIMESTAMP: u64 = 1_767_225_600;
/// The id of both chains.
pub(crate) const CHAIN_ID: u64 = 31337;

/// A running anvil. It ends when this is dropped.
pub(crate) struct Anvil {
    pub(crate) client: Client,
    pub(crate) url: String,
    _process: Child,
}

/// Starts anvil on a free port, with the rules and the parameters of the devchain, and with further
/// arguments.
pub(crate) async fn start(anvil: &Path, genesis_timestamp: u64, further: &[&str]) -> Result<Anvil> {
    let mut process = Command::new(anvil)
        .args(["--hardfork", "osaka", "--port", "0", "--order", "fifo", "--accounts", "1"])
        .arg("--enable-tx-gas-limit")
        .args(["--chain-id", &CHAIN_ID.to_string()])
        .args(["--timestamp", &genesis_timestamp.to_string()])
        .args(["--gas-limit", &GAS_LIMIT.to_string()])
        .args(["--base-fee", &BASE_FEE.to_string()])
        .args(further)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .wrap_err_with(|| format!("can't start {}", anvil.display()))?;
    let Some(stdout) = process.stdout.take() else { bail!("anvil has no output") };
    let mut lines = BufReader::new(stdout).lines();
    while let Some(line) = lines.next_line().await? {
        if let Some(address) = line.strip_prefix("Listening on ") {
            let url = format!("http://{}", address.trim());
            let endpoint: Endpoint = url.parse()?;
            // The output must be read continuously, or anvil blocks.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            let client = endpoint.connect(Timeouts::default()).await?;
            return Ok(Anvil { client, url, _process: process });
        }
    }
    bail!("anvil ended without listening")
}
