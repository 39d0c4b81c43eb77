//! Fails on a dependency that `docs/architecture.md` rules out.
//!
//! A crate may depend on those before it in [`ROOMS`], and on nothing of ours after it. What may
//! enter the house only through one door is in [`DOORS`].

use std::{collections::BTreeSet, process::Command};

use eyre::{Result, WrapErr, bail, ensure, eyre};
use serde_json::Value;

/// Our packages from the ground up, with those of ours that each may name.
const ROOMS: &[(&str, &[&str])] = &[
    ("canon-protocol", &[]),
    ("canon-testkit", &["canon-protocol"]),
    ("canon-abi", &["canon-protocol"]),
    ("canon-forecast", &["canon-protocol"]),
    ("canon-explore", &["canon-protocol"]),
    ("canon-devchain", &[]),
    ("canon-payload", &["canon-protocol", "canon-abi"]),
    (
        "canon-differential",
        &["canon-protocol", "canon-testkit", "canon-abi", "canon-devchain", "canon-payload"],
    ),
    ("canon-chain", &["canon-protocol", "canon-abi"]),
    ("canon-follow", &["canon-protocol", "canon-abi", "canon-chain"]),
    ("canon-agents", &["canon-protocol", "canon-abi", "canon-chain"]),
    (
        "canon-rehearsal",
        &[
            "canon-protocol",
            "canon-abi",
            "canon-devchain",
            "canon-payload",
            "canon-chain",
            "canon-agents",
        ],
    ),
    (
        "canon",
        &[
            "canon-protocol",
            "canon-abi",
            "canon-forecast",
            "canon-devchain",
            "canon-chain",
            "canon-agents",
            "canon-rehearsal",
        ],
    ),
];

/// Packages of others that only some of ours may name, and which: heavy or fast-moving ones.
const DOORS: &[(&str, &[&str])] = &[
    ("revm", &["canon-devchain"]),
    ("axum", &["canon-devchain"]),
    ("reqwest", &["canon-chain"]),
    ("alloy-transport-ipc", &["canon-chain"]),
    ("alloy-transport-ws", &["canon-chain"]),
    // Tests of the binary serve TLS and WebSocket themselves.
    ("rustls", &["canon-chain", "canon"]),
    ("tokio-tungstenite", &["canon-chain", "canon"]),
    ("clap", &["canon"]),
    ("indicatif", &["canon"]),
    ("eyre", &["canon", "xtask"]),
];

/// What the tests of every crate may name.
const TESTKIT: &str = "canon-testkit";

/// What the pure core must not name, not even for its tests.
const IMPURE: &[&str] = &["tokio", "tower", "axum", "revm", "reqwest", "rand"];

/// Checks every package of the workspace.
pub(crate) fn check() -> Result<()> {
    let metadata = metadata()?;
    let packages =
        metadata["packages"].as_array().ok_or_else(|| eyre!("metadata lists no packages"))?;
    let mut broken = Vec::new();
    let mut edges = 0;
    for package in packages {
        let name = text(package, "name")?;
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            edges += 1;
            // A test may depend on more than the code does, on the devchain for example.
            let in_tests = dependency["kind"].as_str() == Some("dev");
            if let Err(why) = edge(name, text(dependency, "name")?, in_tests) {
                broken.push(why);
            }
        }
    }
    ensure!(broken.is_empty(), "forbidden dependencies:\n  {}", broken.join("\n  "));
    let known: BTreeSet<_> = ROOMS.iter().map(|(name, _)| *name).collect();
    for package in packages {
        let name = text(package, "name")?;
        ensure!(
            name == "xtask" || known.contains(name),
            "{name} has no place in the architecture: give it one"
        );
    }
    println!(
        "{} packages and {edges} dependencies are as docs/architecture.md says",
        packages.len()
    );
    Ok(())
}

/// Whether `from` may name `to`.
fn edge(from: &str, to: &str, in_tests: bool) -> Result<(), String> {
    if from == "canon-protocol" && IMPURE.contains(&to) {
        return Err(format!("{from} -> {to}: the core is pure"));
    }
    if let Some((_, doors)) = DOORS.iter().find(|(name, _)| *name == to)
        && !doors.contains(&from)
    {
        return Err(format!("{from} -> {to}: {to} enters through {} only", doors.join(" and ")));
    }
    let ours = |name: &str| ROOMS.iter().position(|(room, _)| *room == name);
    let (Some(here), Some(there)) = (ours(from), ours(to)) else { return Ok(()) };
    // The testkit stands beside the tests of every crate, those of the core too.
    let is_below = there < here || to == TESTKIT;
    if ROOMS[here].1.contains(&to) || (in_tests && is_below) {
        return Ok(());
    }
    Err(format!("{from} -> {to}: dependencies point from outer rooms to inner ones"))
}

fn metadata() -> Result<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .output()
        .wrap_err("cargo metadata did not start")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).wrap_err("cargo metadata printed no JSON")
}

fn text<'a>(value: &'a Value, field: &str) -> Result<&'a str> {
    value[field].as_str().ok_or_else(|| eyre!("metadata has no text in `{field}`"))
}

#[cfg(test)]
mod tests {
    use super::edge;

    #[test]
    fn edges() {
        for (from, to, in_tests, allowed) in [
            ("canon-chain", "canon-abi", false, true),
            ("canon-abi", "canon-chain", false, false),
            ("canon-protocol", "tokio", true, false),
            ("canon-chain", "revm", false, false),
            ("canon-devchain", "revm", false, true),
            ("canon-chain", "canon-devchain", true, true),
            ("canon-chain", "canon-devchain", false, false),
            ("canon-devchain", "canon-chain", true, false),
            ("canon-protocol", "canon-protocol", true, false),
            ("canon-protocol", "canon-testkit", true, true),
            ("canon-protocol", "canon-testkit", false, false),
            ("canon-differential", "canon-testkit", false, true),
            ("canon-rehearsal", "clap", false, false),
            ("xtask", "canon", false, true),
        ] {
            assert_eq!(
                edge(from, to, in_tests).is_ok(),
                allowed,
                "{from} -> {to} (tests: {in_tests})"
            );
        }
    }
}
