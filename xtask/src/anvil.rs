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
/// The id of both chains.
pub(crate) const CHAIN_ID: u64 = 31337;

/// Starts anvil on a free port, with the rules and the parameters of the devchain. It ends when the
/// process is dropped.
pub(crate) async fn start(anvil: &Path, genesis_timestamp: u64) -> Result<(Client, Child)> {
    let mut child = Command::new(anvil)
        .args(["--hardfork", "osaka", "--port", "0", "--order", "fifo", "--accounts", "1"])
        .arg("--enable-tx-gas-limit")
        .args(["--chain-id", &CHAIN_ID.to_string()])
        .args(["--timestamp", &genesis_timestamp.to_string()])
        .args(["--gas-limit", &GAS_LIMIT.to_string()])
        .args(["--base-fee", &BASE_FEE.to_string()])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .wrap_err_with(|| format!("can't start {}", anvil.display()))?;
    let Some(stdout) = child.stdout.take() else { bail!("anvil has no output") };
    let mut lines = BufReader::new(stdout).lines();
    while let Some(line) = lines.next_line().await? {
        if let Some(address) = line.strip_prefix("Listening on ") {
            let endpoint: Endpoint = format!("http://{}", address.trim()).parse()?;
            // The output must be read continuously, or anvil blocks.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok((endpoint.connect(Timeouts::default()).await?, child));
        }
    }
    bail!("anvil ended without listening")
}
