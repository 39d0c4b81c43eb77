//! Exhaustive exploration of the rules in small scopes.

use std::time::Instant;

use canon_explore::{Exploration, Scope};
use eyre::{Result, WrapErr as _, eyre};

/// Explores the scope `--scope`, or all scopes without it, up to `--depth` steps from the start.
/// Fails with the shortest trace if a property doesn't hold.
#[expect(clippy::disallowed_methods, reason = "a measurement is of real time")]
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let (mut scopes, mut depth) = (Scope::all().collect::<Vec<_>>(), usize::MAX);
    let values = crate::flags(arguments, &["--scope", "--depth"])?;
    if let Some(name) = values.get("--scope") {
        scopes = vec![Scope::named(name).ok_or_else(|| unknown(name))?];
    }
    if let Some(value) = values.get("--depth") {
        depth = value
            .parse()
            .wrap_err_with(|| format!("--depth: expected a whole number, found {value}"))?;
    }
    for scope in scopes {
        let began = Instant::now();
        let mut exploration = Exploration::new(scope);
        exploration.depth = depth;
        let report = exploration.run()?;
        let seconds = began.elapsed().as_secs_f64();
        println!("{}: {}\n  {report}\n  {seconds:.1} s", scope.name, scope.about);
    }
    Ok(())
}

fn unknown(name: &str) -> eyre::Report {
    let names: Vec<_> = Scope::all().map(|scope| scope.name).collect();
    eyre!("no scope is called {name}: there are {}", names.join(", "))
}
