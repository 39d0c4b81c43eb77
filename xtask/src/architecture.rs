//! Checks that all dependencies are allowed by `docs/architecture.md`.
//!
//! A crate may depend only on those crates of the workspace that [`LAYERS`] gives it. External packages
//! that only some crates may use are in [`EXCLUSIVE`]. [`PURE`] crates must not name the packages in
//! [`IMPURE`], and must not be built with those in [`ASYNC`], not even indirectly.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs,
    process::Command,
};

use eyre::{Result, WrapErr, bail, ensure, eyre};
use serde_json::Value;

/// The crates of the workspace in the order of their dependencies, with the crates that each may depend
/// on.
const LAYERS: &[(&str, &[&str])] = &[
    ("canon-protocol", &[]),
    ("canon-testkit", &["canon-protocol"]),
    ("canon-abi", &["canon-protocol"]),
    ("canon-views", &["canon-protocol"]),
    ("canon-toml-file", &["canon-protocol"]),
    ("canon-forecast", &["canon-protocol", "canon-views", "canon-toml-file"]),
    ("canon-explore", &["canon-protocol"]),
    ("canon-devchain", &[]),
    ("canon-faults", &["canon-testkit"]),
    ("canon-payload", &["canon-protocol", "canon-abi"]),
    (
        "canon-differential",
        &["canon-protocol", "canon-testkit", "canon-abi", "canon-devchain", "canon-payload"],
    ),
    ("canon-chain", &["canon-protocol", "canon-abi", "canon-views"]),
    ("canon-follow", &["canon-protocol", "canon-abi", "canon-views", "canon-chain"]),
    ("canon-agents", &["canon-protocol", "canon-views", "canon-chain", "canon-follow"]),
    (
        "canon-rehearsal",
        &[
            "canon-protocol",
            "canon-abi",
            "canon-devchain",
            "canon-payload",
            "canon-views",
            "canon-chain",
            "canon-follow",
            "canon-agents",
            "canon-toml-file",
        ],
    ),
    (
        "canon",
        &[
            "canon-protocol",
            "canon-forecast",
            "canon-views",
            "canon-payload",
            "canon-devchain",
            "canon-chain",
            "canon-follow",
            "canon-agents",
            "canon-rehearsal",
            "canon-toml-file",
        ],
    ),
];

/// Heavy or fast-moving external packages, with the only crates that may depend on them.
const EXCLUSIVE: &[(&str, &[&str])] = &[
    ("revm", &["canon-devchain"]),
    ("revm-inspectors", &["canon-devchain"]),
    // Daemons serve their metrics.
    ("axum", &["canon-devchain", "canon"]),
    ("tracing-subscriber", &["canon"]),
    ("hyper", &["canon-devchain"]),
    ("hyper-util", &["canon-devchain"]),
    ("reqwest", &["canon-chain"]),
    ("alloy-transport-ipc", &["canon-chain"]),
    // Tests of the binary serve TLS and WebSocket themselves, and those of the devchain use HTTP.
    ("rustls", &["canon-chain", "canon", "canon-devchain"]),
    ("tokio-tungstenite", &["canon-chain", "canon"]),
    ("clap", &["canon"]),
    ("indicatif", &["canon"]),
    ("eyre", &["canon", "xtask"]),
];

/// The document that shows the dependencies to people.
const DOCUMENT: &str = "docs/architecture.md";

/// The crate that the tests of every crate may depend on.
const TESTKIT: &str = "canon-testkit";

/// Packages that a pure crate must not name, even in tests.
const IMPURE: &[&str] = &["tokio", "tower", "axum", "revm", "reqwest", "rand"];

/// The pure crates, which have nothing async and no I/O, not even indirectly.
const PURE: &[&str] = &["canon-protocol", "canon-views"];

/// Packages that a pure crate must not be built with, however many packages are in between.
const ASYNC: &[&str] = &["tokio", "hyper", "reqwest", "tower", "rustls"];

/// Checks every package of the workspace.
pub(crate) fn check() -> Result<()> {
    let metadata = metadata()?;
    let members = list(&metadata, "workspace_members")?;
    let packages = list(&metadata, "packages")?.iter();
    let packages: Vec<_> = packages.filter(|package| members.contains(&package["id"])).collect();
    let mut broken = Vec::new();
    let mut edges = 0;
    for package in &packages {
        let name = text(package, "name")?;
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            edges += 1;
            // A test may have further dependencies, such as the devchain.
            let in_tests = dependency["kind"].as_str() == Some("dev");
            if let Err(why) = edge(name, text(dependency, "name")?, in_tests) {
                broken.push(why);
            }
        }
    }
    let graph = Graph::read(&metadata)?;
    for package in PURE {
        broken.extend(
            graph
                .chains(package, ASYNC)?
                .into_iter()
                .map(|chain| format!("{chain}: {package} is pure")),
        );
    }
    ensure!(broken.is_empty(), "forbidden dependencies:\n  {}", broken.join("\n  "));
    check_documented_edges(&packages)?;
    check_exclusive(&packages)?;
    let known: BTreeSet<_> = LAYERS.iter().map(|(name, _)| *name).collect();
    for package in &packages {
        let name = text(package, "name")?;
        ensure!(
            name == "xtask" || known.contains(name),
            "{name} is missing from `LAYERS` in xtask/src/architecture.rs"
        );
    }
    println!(
        "{} packages and {edges} dependencies are as docs/architecture.md says",
        packages.len()
    );
    Ok(())
}

/// Checks that every allowed dependency between our crates exists, and that `docs/architecture.md` shows
/// the same ones.
fn check_documented_edges(packages: &[&Value]) -> Result<()> {
    let shown = documented_edges(&fs::read_to_string(DOCUMENT).wrap_err(DOCUMENT)?);
    for (name, allowed) in LAYERS {
        let package = packages.iter().find(|package| package["name"] == *name);
        let dependencies = package.and_then(|package| package["dependencies"].as_array());
        let named: BTreeSet<_> = dependencies
            .into_iter()
            .flatten()
            .filter_map(|dependency| dependency["name"].as_str())
            .collect();
        if let Some(to) = allowed.iter().find(|to| !named.contains(**to)) {
            bail!(
                "{name} -> {to} is allowed and isn't needed: remove it from `LAYERS` in xtask/src/architecture.rs"
            );
        }
        let allowed: BTreeSet<_> = allowed.iter().map(|to| short(to)).collect();
        let shown = shown.get(short(name)).cloned().unwrap_or_default();
        ensure!(
            shown == allowed.iter().map(|to| (*to).to_owned()).collect(),
            "{DOCUMENT}: {name} may name {allowed:?}, and the table shows {shown:?}"
        );
    }
    Ok(())
}

/// Checks that each crate with an exclusive dependency names it.
fn check_exclusive(packages: &[&Value]) -> Result<()> {
    for (dependency, users) in EXCLUSIVE {
        for user in *users {
            let package = packages.iter().find(|package| package["name"] == *user);
            let named = package.and_then(|package| package["dependencies"].as_array());
            let mut named = named.into_iter().flatten();
            ensure!(
                named.any(|named| named["name"] == *dependency),
                "{user} -> {dependency} is exclusive and isn't needed: remove it from `EXCLUSIVE` in \
                 xtask/src/architecture.rs"
            );
        }
    }
    Ok(())
}

/// The dependencies that the document's table shows, by crate.
fn documented_edges(document: &str) -> BTreeMap<String, BTreeSet<String>> {
    let quoted = |cell: &str| -> Vec<String> {
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut shown = BTreeMap::new();
    for row in rows {
        let row = format!("`{row}");
        let Some((from, to)) = row.split_once('|') else { continue };
        for name in quoted(from) {
            shown.insert(name, quoted(to).into_iter().collect());
        }
    }
    shown
}

/// The name of a crate in the document.
fn short(name: &str) -> &str {
    name.strip_prefix("canon-").unwrap_or(name)
}

/// Checks that `from` may depend on `to`.
fn edge(from: &str, to: &str, in_tests: bool) -> Result<(), String> {
    if PURE.contains(&from) && IMPURE.contains(&to) {
        return Err(format!("{from} -> {to}: {from} is pure"));
    }
    if let Some((_, users)) = EXCLUSIVE.iter().find(|(name, _)| *name == to)
        && !users.contains(&from)
    {
        return Err(format!("{from} -> {to}: only {} may use {to}", users.join(" and ")));
    }
    let ours = |name: &str| LAYERS.iter().position(|(layer, _)| *layer == name);
    let (Some(here), Some(there)) = (ours(from), ours(to)) else { return Ok(()) };
    // The tests of every crate may use the testkit, even those of the core.
    let is_below = there < here || to == TESTKIT;
    if LAYERS[here].1.contains(&to) || (in_tests && is_below) {
        return Ok(());
    }
    Err(format!("{from} -> {to}: `LAYERS` in xtask/src/architecture.rs doesn't allow it"))
}

fn metadata() -> Result<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .output()
        .wrap_err("cargo metadata did not start")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).wrap_err("cargo metadata printed no JSON")
}

/// The resolved packages, with the packages that each is built with. Build scripts, the dependencies of
/// procedural macros, and tests are left out.
struct Graph<'a>(BTreeMap<&'a str, Vec<&'a str>>);

impl<'a> Graph<'a> {
    /// Reads the graph from `metadata`, by the names of the packages. Several versions of a package
    /// count as one.
    fn read(metadata: &'a Value) -> Result<Self> {
        let mut names = BTreeMap::new();
        let mut macros = BTreeSet::new();
        for package in list(metadata, "packages")? {
            let (id, name) = (text(package, "id")?, text(package, "name")?);
            names.insert(id, name);
            let targets = package["targets"].as_array().into_iter().flatten();
            let kinds = targets.flat_map(|target| target["kind"].as_array().into_iter().flatten());
            if kinds.into_iter().any(|kind| kind == "proc-macro") {
                macros.insert(name);
            }
        }
        let name = |id: &'a str| names.get(id).copied().unwrap_or(id);
        let mut graph: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for node in list(&metadata["resolve"], "nodes")? {
            let from = name(text(node, "id")?);
            let edges = graph.entry(from).or_default();
            if macros.contains(from) {
                continue;
            }
            for dependency in list(node, "deps")? {
                if list(dependency, "dep_kinds")?.iter().any(|kind| kind["kind"].is_null()) {
                    edges.push(name(text(dependency, "pkg")?));
                }
            }
        }
        Ok(Self(graph))
    }

    /// For each package of `forbidden` that `from` is built with, a shortest chain of packages to it.
    fn chains(&self, from: &str, forbidden: &[&str]) -> Result<Vec<String>> {
        let (start, _) =
            self.0.get_key_value(from).ok_or_else(|| eyre!("{from} is no resolved package"))?;
        let mut chains = BTreeMap::from([(*start, (*start).to_owned())]);
        let mut queue = VecDeque::from([*start]);
        while let Some(package) = queue.pop_front() {
            for dependency in self.0.get(package).into_iter().flatten() {
                if !chains.contains_key(dependency) {
                    let chain = format!("{} -> {dependency}", chains[package]);
                    chains.insert(dependency, chain);
                    queue.push_back(dependency);
                }
            }
        }
        Ok(forbidden.iter().filter_map(|package| chains.remove(package)).collect())
    }
}

fn list<'a>(value: &'a Value, field: &str) -> Result<&'a Vec<Value>> {
    value[field].as_array().ok_or_else(|| eyre!("metadata has no list in `{field}`"))
}

fn text<'a>(value: &'a Value, field: &str) -> Result<&'a str> {
    value[field].as_str().ok_or_else(|| eyre!("metadata has no text in `{field}`"))
}

#[cfg(test)]
mod tests {
    use super::{ASYNC, Graph, edge};
    use serde_json::{Value, json};

    /// Metadata of a package `core` with dependencies, one of which has this kind.
    fn metadata(kind: Value) -> Value {
        let package = |name: &str, kind: &str| json!({ "id": format!("{name} 1"), "name": name, "targets": [{ "kind": [kind] }] });
        let node = |name: &str, deps: Value| json!({ "id": format!("{name} 1"), "deps": deps });
        let dep = |name: &str, kind: &Value| json!({ "pkg": format!("{name} 1"), "dep_kinds": [{ "kind": kind }] });
        json!({
            "packages": [
                package("core", "lib"),
                package("words", "lib"),
                package("derive", "proc-macro"),
                package("tokio", "lib"),
                package("hyper", "lib"),
            ],
            "resolve": { "nodes": [
                node("core", json!([dep("words", &Value::Null), dep("derive", &Value::Null)])),
                node("words", json!([dep("tokio", &kind)])),
                // The dependencies of a macro aren't in the code that it generates.
                node("derive", json!([dep("hyper", &Value::Null)])),
                node("tokio", json!([])),
                node("hyper", json!([])),
            ] },
        })
    }

    #[test]
    fn what_is_pure_is_pure_through_and_through() {
        let chain = "core -> words -> tokio".to_owned();
        for (kind, expected) in
            [(Value::Null, vec![chain]), (json!("dev"), vec![]), (json!("build"), vec![])]
        {
            let metadata = metadata(kind);
            let graph = Graph::read(&metadata).unwrap();
            assert_eq!(graph.chains("core", ASYNC).unwrap(), expected);
        }
        let metadata = metadata(Value::Null);
        let graph = Graph::read(&metadata).unwrap();
        assert!(graph.chains("cor", ASYNC).is_err(), "a package that isn't there isn't pure");
    }

    #[test]
    fn edges() {
        for (from, to, in_tests, allowed) in [
            ("canon-chain", "canon-abi", false, true),
            ("canon-abi", "canon-chain", false, false),
            ("canon-protocol", "tokio", true, false),
            ("canon-views", "tokio", true, false),
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
