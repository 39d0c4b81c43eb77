//! What the project does for itself: `cargo xtask <task>`.

mod architecture;

use eyre::{Result, bail};

const USAGE: &str = "\
usage: cargo xtask <task>

  architecture            fail if a crate depends on what it must not
";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("architecture") => architecture::check(),
        _ => bail!("{USAGE}"),
    }
}
