//! Writes `docs/commands.md`.

use std::process::Command;

use eyre::{Result, WrapErr, ensure};

/// Writes the reference of the commands. A test of `canon` makes it, and fails if the page is another.
pub(crate) fn write() -> Result<()> {
    let test = ["test", "--quiet", "--package", "canon", "--bin", "canon", "--", "reference::"];
    let status = Command::new(env!("CARGO"))
        .args(test)
        .env("SNAPSHOTS", "overwrite")
        .status()
        .wrap_err("cargo test did not start")?;
    ensure!(status.success(), "docs/commands.md can't be written: see the test above");
    Ok(())
}
