//! Helpers to run scenarios.

use std::{fs, path::PathBuf};

use canon_rehearsal::{Rehearsal, Report, scenario::Scenario};

/// The folder of the committed scenarios.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

/// A committed scenario.
pub(crate) fn scenario(name: &str) -> Scenario {
    let text = fs::read_to_string(folder().join(format!("{name}.toml"))).unwrap();
    Scenario::read(name, &text).unwrap()
}

/// Simulates a scenario, and runs `test` with the rehearsal.
pub(crate) fn with<T>(scenario: &Scenario, test: impl AsyncFnOnce(&Rehearsal<'_>) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut progress = |_| {};
    runtime.block_on(async {
        let rehearsal = Rehearsal::run(scenario, &mut progress).await.unwrap();
        test(&rehearsal).await
    })
}

/// Simulates a scenario and returns its report.
pub(crate) fn run(scenario: &Scenario) -> Report {
    with(scenario, async |rehearsal| rehearsal.report().await.unwrap())
}
