//! `canon audit`: checks whether a set is what it should be.

use std::fs;

use serde_json::Value;
use snapbox::{assert_data_eq, cmd::Command, file};

use crate::{
    chain::{Chain, tokens},
    deploy::{EmptyChain, fails, folder_with},
    servers::Folder,
    support::{canon, stdout, while_served, without_hashes},
};

/// The address of another Registry.
const OTHER: &str = "0x1111111111111111111111111111111111111111";

/// The audit of a set.
pub(crate) fn audit(chain: &Chain, arguments: &str) -> Command {
    audit_from(&chain.url(), chain, arguments)
}

/// The audit of a set through another endpoint.
pub(crate) fn audit_from(endpoint: &str, chain: &Chain, arguments: &str) -> Command {
    let registry = chain.set.registry.to_string();
    canon().arg("audit").args(arguments.split_whitespace()).args([
        "--rpc-url",
        endpoint,
        "--registry",
        &registry,
    ])
}

/// Runs a command that ends with this code, and returns its output.
pub(crate) fn printed(command: Command, code: i32) -> String {
    let output = command.output().unwrap();
    let said = crate::support::said(output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_is_audited_from_its_registry_alone() {
    let chain = Chain::new().await;
    while_served(move || {
        assert_data_eq!(without_hashes(&printed(audit(&chain, ""), 0)), file!["audit.txt"].raw());
        assert_data_eq!(
            without_hashes(&printed(audit(&chain, "--markdown"), 0)),
            file!["audit.md"].raw()
        );
        let report: Value = serde_json::from_str(&stdout(audit(&chain, "--json"))).unwrap();
        assert_eq!(report["registry"], chain.set.registry.to_string());
        let rollup = &report["contracts"][6];
        assert_eq!(rollup["contract"], "Rollup");
        assert_eq!(rollup["arguments"][0]["value"]["epochDuration"], "2");
        assert_eq!(report["findings"][0]["level"], "warning");
        let parameters = &report["parameters"];
        assert_eq!(parameters["total_supply"], tokens(100_000_000).get().to_string());
        assert_eq!((&parameters["exit_delay"], &parameters["n"]), (&3600.into(), &6.into()));
        // A set on a development chain only gets warnings.
        for (fail_on, code) in [("error", 0), ("warning", 1), ("note", 1)] {
            printed(audit(&chain, &format!("--fail-on {fail_on}")), code);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_with_other_code_fails_its_audit() {
    let chain = Chain::new().await;
    let proposals = chain.set.proposals;
    let mut code = chain.code(proposals).await.to_vec();
    *code.last_mut().unwrap() ^= 1;
    chain.replace(proposals, code.into());
    while_served(move || {
        let report = printed(audit(&chain, ""), 1);
        let finding = report.split("Findings: ").nth(1).unwrap();
        assert!(finding.starts_with("1 error, "), "{finding}");
        assert!(
            finding.contains("  error     other-code\n            Proposals at 0x"),
            "{finding}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_names_the_registry_and_is_checked() {
    let chain = EmptyChain::new().await;
    let folder = folder_with("audit", "tests", str::to_owned);
    while_served(move || {
        stdout(chain.deploy(&folder, "--yes --json"));
        let file = folder.file("deployment.manifest.json");
        let audit = |file: &std::path::Path| {
            canon().arg("audit").args(["--rpc-url", &chain.url(), "--manifest"]).arg(file)
        };
        let report = printed(audit(&file), 0);
        assert!(report.contains("Findings: 0 errors, 14 warnings, 0 notes"), "{report}");
        let text = fs::read_to_string(&file).unwrap();
        let mut manifest: Value = serde_json::from_str(&text).unwrap();
        manifest["contracts"][7]["arguments"][0]["value"]["slotDuration"] = "25".into();
        let lie = folder.file("lie.json");
        fs::write(&lie, manifest.to_string()).unwrap();
        let report = printed(audit(&lie), 1);
        assert!(report.contains("error     manifest\n"), "{report}");
        // What a terminal would act on is shown as escapes.
        let evil = "\u{9b}31m\u{202e}\u{2066}\u{200b}\u{ad}\u{feff}";
        manifest["contracts"][7]["arguments"][0]["name"] = evil.into();
        fs::write(&lie, manifest.to_string()).unwrap();
        for format in ["", "--markdown", "--json"] {
            let report = printed(audit(&lie).args(format.split_whitespace()), 1);
            let is_raw = |one: char| !one.is_ascii() && evil.contains(one);
            assert!(!report.contains(is_raw), "{format}: {}", report.escape_debug());
            assert!(report.contains("u{9b}31m"), "{format}: {report}");
        }
        refuses(&folder, &audit);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_registry_of_a_manifest_wins_over_settings_and_not_over_a_flag() {
    let chain = EmptyChain::new().await;
    let folder = folder_with("audit-registry", "tests", str::to_owned);
    while_served(move || {
        stdout(chain.deploy(&folder, "--yes --json"));
        let audit = |arguments: &str| {
            canon()
                .current_dir(folder.file(""))
                .args(["audit", "--manifest", "deployment.manifest.json"])
                .args(["--rpc-url", &chain.url()])
                .args(arguments.split_whitespace())
        };
        let text = fs::read_to_string(folder.file("deployment.manifest.json")).unwrap();
        let manifest: Value = serde_json::from_str(&text).unwrap();
        let (own, other) = (manifest["contracts"][1]["address"].as_str().unwrap(), OTHER);
        fs::write(folder.file("canon.toml"), format!("registry = \"{other}\"\n")).unwrap();
        for command in
            [audit(""), audit("").env("CANON_REGISTRY", other), audit(&format!("--registry {own}"))]
        {
            let report = printed(command, 0);
            assert!(report.contains("Findings: 0 errors, "), "{report}");
        }
        let said = fails(audit(&format!("--registry {other}")), 2);
        let expected = format!("the manifest is of {own}, --registry names {other}");
        assert!(said.contains(&expected), "{said}");
    })
    .await;
}

/// Checks that files that aren't manifests are refused, with the line of the mistake.
fn refuses(folder: &Folder, audit: &impl Fn(&std::path::Path) -> Command) {
    for (text, says) in [
        ("{\n\"version\": 1,\n\"chain\": 1}", "unknown field `chain`, expected"),
        ("version = 1", "expected value at line 1 column 1"),
        (&format!("{{\"{}\": 1}}", "A".repeat(100_000)), "unknown field `AAA"),
    ] {
        let file = folder.file("none.json");
        fs::write(&file, text).unwrap();
        let output = audit(&file).output().unwrap();
        let said = crate::support::said(output.stderr);
        assert_eq!((output.status.code(), &*output.stdout), (Some(2), &b""[..]), "{said}");
        assert!(said.contains("isn't the manifest of a deployment"), "{said}");
        assert!(said.contains(says) && said.len() < 2000, "{said}");
    }
    let output = audit(&folder.file("nowhere.json")).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}
