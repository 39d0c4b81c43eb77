//! The gas of every call that outsiders make, compared with the earlier system, the floor and a limit.

mod chain;
mod earlier;
mod floor;
mod ours;
mod payload;
mod readme;
mod samples;
mod scenario;
mod set;
mod table;

use std::io::Write;

use eyre::{Result, WrapErr, bail};

use chain::Chain;
use samples::{Call, Samples};
use table::Line;

const USAGE: &str = "\
usage: cargo xtask gas [--expenses]

  --expenses              name every account, slot and event that the floors count
";

/// Runs both systems through the same scenario on one chain, and prints the gas of their calls.
///
/// # Errors
///
/// If a call of ours exceeds its limit, or README.md has other figures. The tables are printed before.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let names: Vec<_> = arguments.iter().map(String::as_str).collect();
    let expenses = match names[..] {
        [] => false,
        ["--expenses"] => true,
        _ => bail!("{USAGE}"),
    };
    let (ours, earlier) = measure()?;
    let lines = Line::all(&ours, &earlier)?;
    let mut parts = vec![
        table::comparison(&lines),
        table::beside("other payloads and states", &Call::VARIED, &ours, &earlier),
        table::beside("not in steady state", &Call::EVER, &ours, &earlier),
        table::floors(&lines),
    ];
    if expenses {
        parts.push(table::expenses(&lines));
    }
    parts.push(table::legend());
    let text = parts.join("\n");
    std::io::stdout().write_all(text.as_bytes()).wrap_err("the tables can't be printed")?;

    let above: Vec<_> =
        lines.iter().filter(|line| line.is_above_limit()).map(|line| line.call.name()).collect();
    if !above.is_empty() {
        bail!("above the limit: {}", above.join("; "));
    }
    let differences = readme::differences(&readme::read()?, &readme::rows(&ours, &earlier)?)?;
    if !differences.is_empty() {
        bail!(
            "README.md has other figures than were measured (-: README.md, +: measured):\n{}",
            differences.join("\n")
        );
    }
    Ok(())
}

/// Measures our system and the earlier one.
fn measure() -> Result<(Samples, Samples)> {
    let chain = Chain::new()?;
    let set = earlier::deploy(&chain).wrap_err("the earlier system can't be deployed")?;
    let earlier = scenario::run(&chain, &set).wrap_err("in the earlier system's scenario")?;
    // Our system has the configuration that is built into the earlier one.
    let set = ours::deploy(&chain, set.configuration).wrap_err("ours can't be deployed")?;
    let ours = scenario::run(&chain, &set).wrap_err("in our scenario")?;
    Ok((ours, earlier))
}
