//! A whole upgrade on anvil, by canon's commands alone: three people with their keystores deploy a set,
//! stake, lock, signal, vote, execute and leave. After each command cast reads from the chain what canon
//! printed; a difference is an error.

mod deploy;
mod ledger;
mod locking;
mod payload;
mod people;
mod programs;
mod reading;
mod session;
mod signaling;
mod staking;
mod voting;

use std::path::{Path, PathBuf};

use canon_testkit::TestFolder;
use eyre::{Result, WrapErr as _, ensure, eyre};
use serde_json::{Value, json};

use crate::{anvil, speed::timed};
use ledger::Ledger;
use locking::SAFE;
use people::People;
use programs::{Canon, Cast};
use session::{BLOCK, Session};

const GENESIS_TIMESTAMP: u64 = 1_767_225_600;

/// The least numbers of commands and checks: with fewer of them, some of the upgrade was left out.
const LEAST_COMMANDS: usize = 109;
const LEAST_CHECKS: usize = 937;

/// Parses `--anvil PATH --cast PATH [--canon PATH]` and runs.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let values = crate::flags(arguments)?;
    let path = |name| values.get(name).map(PathBuf::from).ok_or_else(|| eyre!("{name} is missing"));
    let canon = match values.get("--canon") {
        Some(path) => PathBuf::from(path),
        None => std::env::current_exe()?.with_file_name("canon"),
    };
    // Commands run in another folder.
    let program = |path: PathBuf| {
        path.canonicalize().wrap_err_with(|| format!("there is no program {}", path.display()))
    };
    let canon =
        program(canon).wrap_err("build it with `cargo build -p canon`, or name it with --canon")?;
    let (anvil, cast) = (program(path("--anvil")?)?, program(path("--cast")?)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (ledger, time) = runtime.block_on(timed(run(&anvil, cast, canon)))?;
    println!(
        "{} commands, {} checks, no difference, {:.1} s",
        ledger.commands,
        ledger.checks,
        time.as_secs_f64()
    );
    Ok(())
}

/// Carries out the upgrade.
async fn run(anvil: &Path, cast: PathBuf, program: PathBuf) -> Result<Ledger> {
    let folder = TestFolder::new("upgrade");
    let anvil =
        anvil::start(anvil, GENESIS_TIMESTAMP, &["--disable-default-create2-deployer"]).await?;
    let cast = Cast { program: cast, url: anvil.url.clone(), home: folder.path().to_owned() };
    let people = People::new(&cast, &folder).await?;
    let canon = Canon { program, folder };
    let mut session = Session { anvil, cast, canon, ledger: Ledger::default() };
    let s = &mut session;
    let _: Value = s.rpc("anvil_setBlockTimestampInterval", json!([BLOCK])).await?;
    let _: Value = s.rpc("anvil_setCode", json!([SAFE, "0x00"])).await?;
    for who in [&people.team.address, &people.operator.address, &people.holder.address, SAFE] {
        deploy::give_ether(s, who, "100ether").await?;
    }

    let set = deploy::deploy(s, &people).await?;
    deploy::audit(s, &set).await?;
    deploy::fund(s, &people, &set, SAFE).await?;
    staking::deposit(s, &people, &set).await?;
    locking::lock(s, &people, &set).await?;
    let upgrade = payload::deploy(s, &people).await?;
    staking::deposit_early(s, &people, &upgrade.rollup).await?;
    signaling::signal(s, &people, &set, &upgrade).await?;
    voting::vote(s, &people, &set).await?;
    voting::execute(s, &people, &set, &upgrade).await?;
    staking::leave(s, &people, &set, &upgrade.rollup).await?;
    locking::unlock(s, &people, &set).await?;

    s.ledger.end()?;
    let Session { ledger, .. } = session;
    ensure!(ledger.commands >= LEAST_COMMANDS, "only {} commands were run", ledger.commands);
    ensure!(ledger.checks >= LEAST_CHECKS, "only {} values were checked", ledger.checks);
    Ok(ledger)
}
