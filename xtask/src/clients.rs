//! A whole upgrade by each of the client libraries that people use, on the devchain's server and on
//! anvil. Each suite in `clients/` prints a transcript, a line for each step; a difference between
//! the two transcripts is an error.
//!
//! The suites themselves say what can't be equal, and print what must hold instead: a hash of a
//! block (the devchain has no state roots) is shown as `a hash`, an estimate as whether it
//! suffices, a signature by the node's own account as whether it is valid.

mod transcript;

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use canon_devchain::{Devchain, DevchainConfig};
use eyre::{Result, WrapErr as _, ensure};
use tokio::process::Command;

use crate::{
    anvil::{self, BASE_FEE, CHAIN_ID, GAS_LIMIT, GENESIS_TIMESTAMP},
    speed::timed,
};
use transcript::{Comparison, Transcript};

/// A client library with its suite.
struct Suite {
    client: &'static str,
    script: &'static str,
    runtime: Runtime,
    /// With fewer steps, some of the suite was left out.
    least_steps: usize,
    /// With fewer values, some of its steps see less than they should.
    least_values: usize,
}

/// The program that runs a suite.
#[derive(Clone, Copy)]
enum Runtime {
    Node,
    Python,
}

const SUITES: [Suite; 3] = [
    Suite {
        client: "viem",
        script: "viem/main.mjs",
        runtime: Runtime::Node,
        least_steps: 53,
        least_values: 2800,
    },
    Suite {
        client: "ethers",
        script: "ethers/main.mjs",
        runtime: Runtime::Node,
        least_steps: 52,
        least_values: 3000,
    },
    Suite {
        client: "web3.py",
        script: "web3py/main.py",
        runtime: Runtime::Python,
        least_steps: 51,
        least_values: 2500,
    },
];

/// The longest time that a suite may take.
const TIMEOUT: Duration = Duration::from_secs(300);

/// Parses `--anvil PATH [--node PATH] [--python PATH]` and runs.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let values = crate::flags(arguments, &["--anvil", "--node", "--python"])?;
    let anvil = crate::path(&values, "--anvil")?;
    let program = |flag, name| PathBuf::from(values.get(flag).copied().unwrap_or(name));
    let (node, python) = (program("--node", "node"), program("--python", "python3"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let [viem, ethers, web3py] = SUITES.each_ref().map(|suite| {
            let program = match suite.runtime {
                Runtime::Node => &node,
                Runtime::Python => &python,
            };
            timed(compare(suite, program, &anvil))
        });
        let found = tokio::try_join!(viem, ethers, web3py)?;
        let mut differences = Vec::new();
        for (suite, (found, time)) in SUITES.iter().zip([found.0, found.1, found.2]) {
            let Comparison { steps, values, differences: unequal } = found;
            let client = suite.client;
            println!(
                "{client:<8} {steps:3} steps, {values:5} values, {:2} differences, {:4.1} s",
                unequal.len(),
                time.as_secs_f64()
            );
            differences.extend(unequal.into_iter().map(|line| format!("{client}, {line}")));
            for (what, found, least) in
                [("steps", steps, suite.least_steps), ("values", values, suite.least_values)]
            {
                if found < least {
                    differences
                        .push(format!("{client}: expected {least} {what} or more, found {found}"));
                }
            }
        }
        ensure!(
            differences.is_empty(),
            "{} differences:\n{}",
            differences.len(),
            differences.join("\n")
        );
        Ok(())
    })
}

/// Runs a suite on both chains at the same time and compares the transcripts.
async fn compare(suite: &Suite, program: &Path, anvil: &Path) -> Result<Comparison> {
    let chain = Devchain::new(DevchainConfig {
        chain_id: CHAIN_ID,
        genesis_timestamp: GENESIS_TIMESTAMP,
        gas_limit: GAS_LIMIT,
        base_fee: BASE_FEE,
        dev_accounts: 1,
        ..DevchainConfig::default()
    });
    let server = canon_devchain::serve(chain, ([127, 0, 0, 1], 0).into()).await?;
    let ours = format!("http://{}", server.addr());
    let peer = anvil::start(anvil, GENESIS_TIMESTAMP, &[]).await?;
    let (ours, theirs) =
        tokio::try_join!(run(suite, program, &ours), run(suite, program, &peer.url))?;
    Ok(ours.compare(&theirs))
}

/// Runs a suite on the node at `url`.
async fn run(suite: &Suite, program: &Path, url: &str) -> Result<Transcript> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients").join(suite.script);
    let mut command = Command::new(program);
    command.arg(script).arg(url).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let output = tokio::time::timeout(TIMEOUT, command.output()).await;
    let output = output.wrap_err_with(|| format!("{} takes too long", suite.client))?;
    let output = output.wrap_err_with(|| format!("can't run {}", program.display()))?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} on {url}: {error}", suite.client);
    Transcript::parse(&String::from_utf8(output.stdout)?)
}
