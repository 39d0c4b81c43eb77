//! Comparison of the devchain with a real anvil. The same transactions run on both, and everything
//! that a client can read about them is compared. The devchain's HTTP server is tested with `cast`. A
//! devchain that follows a clock is compared with anvil, too.
//!
//! The following isn't compared:
//! - block hashes and state roots: the devchain computes no state roots, so hashes differ;
//! - block sizes: anvil leaves out the byte of the empty list of withdrawals;
//! - gas estimates that need a search: the devchain stops within 1.5 % of the least sufficient
//!   limit, as geth does, and anvil searches to the last unit. The devchain's estimate must lie in
//!   that range above anvil's. If a contract hides that an inner call ran out of gas, anvil goes as
//!   low as the outer call survives; the devchain and geth never go below the gas used. There the
//!   devchain's estimate need only be higher;
//! - code that reads `PREVRANDAO` or block hashes, and `BASEFEE` inside calls: the devchain follows
//!   geth, which shows a base fee of zero to calls that offer no price, and anvil doesn't;
//! - parts of traces, which the module `traces` names;
//! - the texts of refusals: the devchain has geth's. Only the fact that both refuse is compared,
//!   except for two reasons that anvil notices only when it mines, leaving an empty block: gas below
//!   the floor of EIP-7623, and another chain's id.

mod asm;
mod cast;
mod clock;
mod compare;
mod contracts;
mod kinds;
mod precompiles;
mod sequence;
mod traces;

use std::{collections::BTreeMap, path::Path};

use crate::anvil::{self, BASE_FEE, CHAIN_ID, GAS_LIMIT};
use alloy_primitives::U256;
use alloy_provider::{DynProvider, Provider, ProviderBuilder};
use canon_devchain::{Devchain, DevchainConfig, Mining};
use compare::Differ;
use eyre::{Result, ensure};
use sequence::Sequence;

/// Parses `--anvil PATH --cast PATH [--seed N]` and runs the comparison.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let values = crate::flags(arguments, &["--anvil", "--cast", "--seed"])?;
    let path = |name| crate::path(&values, name);
    let seed = values.get("--seed").map_or(Ok(1), |seed| seed.parse())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(&path("--anvil")?, &path("--cast")?, seed))
}

/// Runs a seeded sequence of transactions on the devchain and on anvil, and tests the devchain's
/// server with `cast`. The error lists every difference.
pub(crate) async fn run(anvil: &Path, cast: &Path, seed: u64) -> Result<()> {
    let chain = Devchain::new(DevchainConfig {
        chain_id: CHAIN_ID,
        genesis_timestamp: anvil::GENESIS_TIMESTAMP,
        gas_limit: GAS_LIMIT,
        base_fee: BASE_FEE,
        seed,
        mining: Mining::Auto,
        ..DevchainConfig::default()
    });
    let peer = anvil::start(anvil, anvil::GENESIS_TIMESTAMP, &[]).await?;
    let theirs = peer.client.provider().clone();
    for signer in chain.dev_accounts() {
        let params = (signer.address(), chain.balance(signer.address()));
        let () = theirs.raw_request("anvil_setBalance".into(), params).await?;
    }
    let mut differ = Differ::new(chain.clone(), theirs);
    let counts = compare_sequence(&mut differ, seed).await?;

    let mut report = String::new();
    for (kind, count) in &counts {
        report += &format!("{count:5}  {kind}\n");
    }
    let total: usize = counts.values().sum();
    println!("{report}{total:5}  transactions and refusals, seed {seed}");
    println!("{:5}  values compared", differ.compared);
    let commands = cast::check(&chain, cast).await?;
    println!("{commands:5}  cast commands");
    println!("{:5}  answers about time", clock::check(anvil).await?);
    ensure!(
        differ.differences.is_empty(),
        "{} differences:\n{}",
        differ.differences.len(),
        differ.differences.join("\n")
    );
    println!("no difference");
    Ok(())
}

async fn compare_sequence(differ: &mut Differ, seed: u64) -> Result<BTreeMap<&'static str, usize>> {
    let mut counts = BTreeMap::new();
    let mut sequence = Sequence::new(seed, differ.chain.clone());
    for step in sequence.deployments() {
        *counts.entry(step.kind).or_default() += 1;
        differ.step(&mut sequence, step).await?;
    }
    for _ in 0..6 {
        for make in Sequence::KINDS {
            let step = make(&mut sequence);
            *counts.entry(step.kind).or_default() += 1;
            differ.step(&mut sequence, step).await?;
        }
    }
    for refusal in sequence.refusals().await? {
        *counts.entry("refused").or_default() += 1;
        differ.refusal(refusal).await;
    }
    // Blocks with many transactions.
    differ.set_automine(false).await?;
    for _ in 0..4 {
        let steps = sequence.crowd();
        *counts.entry("in a block of many").or_default() += steps.len();
        differ.block(&mut sequence, steps).await?;
    }
    differ.whole_chain().await?;
    Ok(counts)
}

/// A provider without fillers over the devchain's transport.
fn plain(chain: &Devchain) -> DynProvider {
    ProviderBuilder::default().connect_client(chain.client()).erased()
}

/// A whole number of ether, in wei.
fn ether(n: u64) -> U256 {
    U256::from(n) * U256::from(10).pow(U256::from(18))
}
