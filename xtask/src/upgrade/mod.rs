//! A whole upgrade on anvil, by canon's commands alone: three people with their keystores deploy a set,
//! stake, lock, signal, vote, execute and leave. After each command cast reads from the chain what canon
//! printed; a difference is an error.

mod deploy;
mod figures;
mod ledger;
mod locking;
mod payload;
mod people;
mod programs;
mod reading;
mod session;
mod signaling;
mod staking;
mod text;
mod voting;

use std::path::{Path, PathBuf};

use canon_testkit::TestFolder;
use eyre::{Result, WrapErr as _, ensure};
use serde_json::{Value, json};

use crate::{anvil, speed::timed};
use figures::Size;
use ledger::Ledger;
use locking::SAFE;
use people::People;
use programs::{Canon, Cast};
use session::{BLOCK, Session};

/// The least numbers of commands and checks: with fewer of them, some of the upgrade was left out.
const LEAST_COMMANDS: usize = 109;
const LEAST_CHECKS: usize = 979;

/// Parses `--anvil PATH --cast PATH [--canon PATH] [--proposals N --stakers N]` and runs.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let values =
        crate::flags(arguments, &["--anvil", "--cast", "--canon", "--proposals", "--stakers"])?;
    let path = |name| crate::path(&values, name);
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
    let number = |name| values.get(name).map(|number| number.parse()).transpose();
    let size = number("--proposals")?.zip(number("--stakers")?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let (mut session, people) = start(&anvil, cast, canon).await?;
        if let Some((proposals, stakers)) = size {
            return figures::print(&mut session, &people, Size { proposals, stakers }).await;
        }
        let ((), time) = timed(run(&mut session, &people)).await?;
        let (Ledger { commands, checks, .. }, seconds) = (session.ledger, time.as_secs_f64());
        println!("{commands} commands, {checks} checks, no difference, {seconds:.1} s");
        ensure!(commands >= LEAST_COMMANDS, "expected {LEAST_COMMANDS} commands, found {commands}");
        ensure!(checks >= LEAST_CHECKS, "expected {LEAST_CHECKS} checks, found {checks}");
        Ok(())
    })
}

/// Starts anvil, and makes people with keystores and ether.
async fn start(anvil: &Path, cast: PathBuf, program: PathBuf) -> Result<(Session, People)> {
    let folder = TestFolder::new("upgrade");
    let no_factory = ["--disable-default-create2-deployer"];
    let anvil = anvil::start(anvil, anvil::GENESIS_TIMESTAMP, &no_factory).await?;
    let cast = Cast { program: cast, url: anvil.url.clone(), home: folder.path().to_owned() };
    let people = People::new(&cast, &folder).await?;
    let canon = Canon { program, folder };
    let session = Session { anvil, cast, canon, ledger: Ledger::default() };
    let _: Value = session.rpc("anvil_setBlockTimestampInterval", json!([BLOCK])).await?;
    let _: Value = session.rpc("anvil_setCode", json!([SAFE, "0x00"])).await?;
    for who in [&people.team.address, &people.operator.address, &people.holder.address, SAFE] {
        deploy::give_ether(&session, who, "100ether").await?;
    }
    Ok((session, people))
}

/// Carries out the upgrade.
async fn run(s: &mut Session, people: &People) -> Result<()> {
    let set = deploy::deploy(s, people).await?;
    deploy::audit(s, &set).await?;
    deploy::fund(s, people, &set, SAFE).await?;
    staking::deposit(s, people, &set).await?;
    locking::lock(s, people, &set).await?;
    let upgrade = payload::deploy(s, people).await?;
    staking::deposit_early(s, people, &upgrade.rollup).await?;
    signaling::signal(s, people, &set, &upgrade).await?;
    voting::vote(s, people, &set).await?;
    voting::execute(s, people, &set, &upgrade).await?;
    staking::leave(s, people, &set, &upgrade.rollup).await?;
    locking::unlock(s, people, &set).await?;
    s.ledger.end()
}
