//! What commands print, in order, as one text for a snapshot.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    process::{Output, Stdio},
};

use snapbox::{Data, assert_data_eq, cmd::Command};

use crate::{
    chain::Chain,
    live::about,
    servers::Folder,
    support::{canon, process, said, without_hashes},
};

/// Commands with their exit codes and what they print.
pub(crate) struct Transcript {
    /// The folder of the commands' caches and records. It also holds files that they read.
    pub(crate) folder: Folder,
    text: String,
}

/// The exit code of a command, and what it wrote to stdout.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
}

impl Transcript {
    pub(crate) fn new(name: &str) -> Self {
        Self { folder: Folder::new(name), text: String::new() }
    }

    /// Adds a line about the commands that follow.
    pub(crate) fn note(&mut self, note: &str) {
        let _ = writeln!(self.text, "# {note}\n");
    }

    /// Runs a command about a set with the key of one of the chain's accounts, and adds it.
    pub(crate) fn by(&mut self, chain: &Chain, account: usize, arguments: &str) -> Ended {
        let command = about(chain, &self.folder, arguments);
        self.add(arguments, command.env("CANON_PRIVATE_KEY", chain.key(account)))
    }

    /// Runs a command about a set without a key, and adds it.
    pub(crate) fn about(&mut self, chain: &Chain, arguments: &str) -> Ended {
        let command = about(chain, &self.folder, arguments);
        self.add(arguments, command)
    }

    /// Runs a command and adds it.
    pub(crate) fn add(&mut self, arguments: &str, command: Command) -> Ended {
        let output = tokio::task::block_in_place(|| command.output().unwrap());
        self.append(arguments, output)
    }

    /// Adds a command that has ended. Its exit code must be one that its help lists.
    pub(crate) fn append(&mut self, arguments: &str, output: Output) -> Ended {
        let code = output.status.code().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = said(output.stderr);
        require_listed(arguments, code, &stderr);
        let exit = if code == 0 { String::new() } else { format!("  (exit code {code})") };
        let _ = writeln!(self.text, "$ canon {arguments}{exit}");
        for (name, text) in [("", &stderr), ("--- stdout ---\n", &stdout)] {
            if !text.is_empty() {
                let is_alone = stderr.is_empty() || stdout.is_empty();
                let name = if is_alone { "" } else { name };
                let _ = write!(self.text, "{name}{text}");
            }
        }
        self.text.push('\n');
        Ended { code, stdout }
    }

    /// Compares the text with a snapshot.
    pub(crate) fn is(&self, snapshot: Data) {
        let text = without_costs(&without_hashes(&without_places(&self.text)));
        assert_data_eq!(text, snapshot.raw());
    }
}

/// Fails if a command ended with a code that its help doesn't list.
fn require_listed(arguments: &str, code: i32, said: &str) {
    let listed = listed(&command_of(arguments));
    assert!(
        listed.contains(&code),
        "`{arguments}` ends with {code}, and its help lists {listed:?}: {said}"
    );
}

/// The words of a command before its arguments: `stake claim` for `stake claim 0x…`.
pub(crate) fn command_of(arguments: &str) -> String {
    let words: Vec<_> = arguments.split_whitespace().collect();
    let count = if ["stake", "rollup", "payload"].contains(&words[0]) { 2 } else { 1 };
    words[..count].join(" ")
}

/// The exit codes in the help of a command.
pub(crate) fn listed(command: &str) -> BTreeSet<i32> {
    let help = canon().args(command.split(' ')).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let (_, codes) =
        help.split_once("\nExit codes:\n").unwrap_or_else(|| panic!("{command}: {help}"));
    codes
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split_once("  ")?.0.parse().ok())
        .collect()
}

/// Replaces the folders of tests and the ports of servers, which differ between runs.
fn without_places(text: &str) -> String {
    let folders = std::env::temp_dir().join(format!("canon-{}-", std::process::id()));
    let mut text = text.to_owned();
    for (start, replaced) in
        [(&*folders.display().to_string(), "[FOLDER]"), ("127.0.0.1:", "[SERVER]")]
    {
        let mut parts = text.split(start);
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = part.find(|c: char| !c.is_alphanumeric() && c != '-').unwrap_or(part.len());
            out.push_str(replaced);
            out.push_str(&part[end..]);
        }
        text = out;
    }
    text
}

/// Replaces amounts of gas and ether, which follow from the contracts' code.
fn without_costs(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let words = line.trim_start();
        let is_cost = ["gas  ", "fee  ", "costs up to", "\"gas\":"]
            .iter()
            .any(|word| words.starts_with(word))
            || line.contains(" ether")
            || line.contains(" of gas");
        match is_cost {
            true => out.push_str(&without_digits(line)),
            false => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

/// Replaces each number in a line by `#`, apart from those of hashes.
fn without_digits(line: &str) -> String {
    // Hashes are replaced already.
    let parts: Vec<_> = line.split("0x[..]").map(numbers).collect();
    parts.join("0x[..]")
}

/// Replaces each number in a text, with its separators, by `#`.
fn numbers(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        if !c.is_ascii_digit() {
            out.push(c);
            continue;
        }
        out.push('#');
        while let Some(next) = rest.peek() {
            let is_part = next.is_ascii_digit() || matches!(next, ',' | '.');
            // A separator at the end of a number belongs to the text.
            let is_end = matches!(next, ',' | '.') && {
                let mut ahead = rest.clone();
                ahead.next();
                !ahead.peek().is_some_and(char::is_ascii_digit)
            };
            if !is_part || is_end {
                break;
            }
            rest.next();
        }
    }
    out
}

/// Starts a command about a set whose output is read later.
pub(crate) fn start(
    transcript: &Transcript,
    chain: &Chain,
    account: usize,
    arguments: &str,
) -> std::process::Child {
    process()
        .args(arguments.split_whitespace())
        .args(["--rpc-url", &chain.url(), "--registry", &chain.set.registry.to_string()])
        .env("XDG_CACHE_HOME", transcript.folder.file("cache"))
        .env("XDG_STATE_HOME", transcript.folder.file("state"))
        .env("CANON_PRIVATE_KEY", chain.key(account))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}
