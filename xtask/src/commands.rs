//! Writes `docs/commands.md` and `docs/metrics.md`.

use std::process::Command;

use eyre::{Result, WrapErr, ensure};

/// Writes the references of the commands and of the metrics. Tests of `canon` make them, and fail if a page is another.
pub(crate) fn write() -> Result<()> {
    let test = ["test", "--quiet", "--package", "canon", "--bin", "canon", "--", "reference::"];
    let status = Command::new(env!("CARGO"))
        .args(test)
        .env("SNAPSHOTS", "overwrite")
        .status()
        .wrap_err("cargo test did not start")?;
    ensure!(
        status.success(),
        "docs/commands.md or docs/metrics.md can't be written: see the test above"
    );
    Ok(())
}
