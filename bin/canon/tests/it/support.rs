//! Helpers that run the program.

use std::path::Path;

use snapbox::cmd::{Command, cargo_bin};

/// Environment variables that change the program's behavior.
const VARIABLES: [&str; 20] = [
    // Continuous integration has colors where a terminal shows none.
    "CI",
    "TERM",
    "XDG_CACHE_HOME",
    "XDG_STATE_HOME",
    "ETH_PASSWORD",
    "CANON_PRIVATE_KEY",
    "NO_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "ETH_RPC_URL",
    "CANON_REGISTRY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// A home in which nothing can be written: a test names the folders that its commands write to.
const HOME: &str = "/dev/null/home";

/// The columns for errors and notes: enough for each on one line, so that tests find all of its words.
pub(crate) const COLUMNS: &str = "10000";

/// The program, with the repository as its working directory.
pub(crate) fn canon() -> Command {
    Command::from_std(process())
}

/// The program as a process whose input and output a test holds.
pub(crate) fn process() -> std::process::Command {
    let mut command = std::process::Command::new(cargo_bin!("canon"));
    without_variables(&mut command)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .env("HOME", HOME)
        .env("COLUMNS", COLUMNS);
    command
}

/// Removes what a person's environment would change.
pub(crate) fn without_variables(command: &mut std::process::Command) -> &mut std::process::Command {
    VARIABLES.into_iter().fold(command, std::process::Command::env_remove)
}

/// The text that a command wrote to stdout.
pub(crate) fn stdout(command: Command) -> String {
    let output = command.output().expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("output is UTF-8")
}

/// Runs a blocking command while servers of the same test can answer it.
pub(crate) async fn while_served<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// Replaces the parts of a report that change with the contracts: gas and hashes.
pub(crate) fn stable(report: &str) -> String {
    let mut table = false;
    let mut lines = Vec::new();
    for line in report.lines() {
        table |= line.contains("Gas by kind");
        table &= !line.starts_with('✓');
        let mut line = line.to_owned();
        if table && !line.contains("──") {
            // Kind and count follow from the scenario, the other columns from the contracts.
            line = line.chars().take(28).collect();
        } else if let Some((before, gas)) = line.rsplit_once("  ") {
            let number = gas.trim();
            let is_gas = !before.contains("UTC")
                && before.chars().count() > 70
                && number.chars().all(|c| c.is_ascii_digit() || c == ',');
            if is_gas {
                line = format!("{}  [GAS]", before.trim_end());
            }
        }
        lines.push(without_hashes(line.trim_end()));
    }
    lines.join("\n") + "\n"
}

/// The text that a command wrote to stderr, without the note on the age of the newest block: test chains
/// have old ones.
pub(crate) fn said(stderr: Vec<u8>) -> String {
    let text = String::from_utf8(stderr).expect("errors are UTF-8");
    let is_of_age = |line: &&str| line.starts_with("note: the newest block is ");
    text.split_inclusive('\n').filter(|line| !is_of_age(line)).collect()
}

/// Replaces the digits of addresses and hashes, whole or shortened, since they follow from the contracts'
/// code.
pub(crate) fn without_hashes(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("0x") {
        out.push_str(before);
        out.push_str("0x[..]");
        let end = after.find(|c: char| !c.is_ascii_hexdigit() && c != '…').unwrap_or(after.len());
        rest = &after[end..];
    }
    out.push_str(rest);
    out
}

/// Replaces hashes, and lines that follow from gas and fees.
pub(crate) fn stable_costs(text: &str) -> String {
    let mut lines = String::new();
    for line in without_hashes(text).lines() {
        let kept = match line.split_whitespace().next() {
            Some("gas") => "  gas                [..]",
            Some("fee") if line.ends_with("present price") => {
                "  fee                [..] ether at the present price"
            }
            Some("fee") => "  fee                [..] ether",
            Some("and") if line.ends_with(" gwei") => {
                "                     and [..] if that rises to 500 gwei"
            }
            Some("the") if line.starts_with("  the account has ") => {
                "  the account has    [..] ether"
            }
            _ => line,
        };
        lines.push_str(kept);
        lines.push('\n');
    }
    lines
}
