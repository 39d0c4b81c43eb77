//! The rules in small worlds, everything tried.

use std::time::Instant;

use canon_explore::{Exploration, SmallWorld};
use eyre::{Result, WrapErr as _, bail, eyre};

/// Explores the world that `--world` names, otherwise all, up to `--depth` steps from the start.
/// Fails with the shortest trace if a property doesn't hold.
#[expect(clippy::disallowed_methods, reason = "a measurement is of real time")]
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let (mut worlds, mut depth) = (SmallWorld::all().collect::<Vec<_>>(), usize::MAX);
    for (flag, value) in crate::flags(arguments)? {
        match flag {
            "--world" => worlds = vec![SmallWorld::named(value).ok_or_else(|| unknown(value))?],
            "--depth" => {
                depth = value
                    .parse()
                    .wrap_err_with(|| format!("--depth: expected a whole number, found {value}"))?;
            }
            _ => bail!("unknown flag {flag}: there are --world and --depth"),
        }
    }
    for world in worlds {
        let began = Instant::now();
        let mut exploration = Exploration::new(world);
        exploration.depth = depth;
        let report = exploration.run()?;
        let seconds = began.elapsed().as_secs_f64();
        println!("{}: {}\n  {report}\n  {seconds:.1} s", world.name, world.about);
    }
    Ok(())
}

fn unknown(name: &str) -> eyre::Report {
    let names: Vec<_> = SmallWorld::all().map(|world| world.name).collect();
    eyre!("no world is called {name}: there are {}", names.join(", "))
}
