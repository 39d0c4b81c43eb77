//! Shell completions and manual pages.

use std::{
    fs,
    io::ErrorKind,
    process::{self, Stdio},
};

use snapbox::{assert_data_eq, file, str};

use crate::{
    servers::Folder,
    support::{self, canon, stdout},
    terminal::{Ended, OnTerminal},
};

/// The completions that bash offers for the last of these words; `None` if there is no bash.
fn completed(words: &[&str]) -> Option<Vec<String>> {
    let script = stdout(canon().args(["completions", "bash"]));
    let ask = r#"
complete -p canon >&2
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_canon canon "${@: -1}" "${@: -2:1}"
printf '%s\n' "${COMPREPLY[@]}""#;
    let bash = process::Command::new("bash")
        .args(["--norc", "-c", &format!("{script}\n{ask}"), "bash"])
        .args(words)
        .stdin(Stdio::null())
        .output();
    let output = match bash {
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        output => output.unwrap(),
    };
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("complete ") && said.ends_with(" -F _canon canon\n"), "{said}");
    let offered = String::from_utf8(output.stdout).unwrap();
    Some(offered.lines().map(str::to_owned).collect())
}

#[test]
fn bash_completes_commands_flags_and_values() {
    for (words, offered) in [
        (&["canon", "st"][..], &["status", "stake"][..]),
        (&["canon", "stake", "c"], &["claim", "coinbase"]),
        (&["canon", "vote", "5", "--am"], &["--amount"]),
        (&["canon", "audit", "--fail-on", ""], &["note", "warning", "error"]),
        (&["canon", "completions", "f"], &["fish"]),
    ] {
        let Some(found) = completed(words) else { return };
        assert_eq!(found, offered, "{words:?}");
    }
}

#[test]
fn every_shell_has_a_script() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = stdout(canon().args(["completions", shell]));
        assert!(script.contains("setup-epoch"), "{shell}: {script}");
    }
}

#[test]
fn a_page_has_each_exit_code_and_each_example_on_its_line() {
    assert_data_eq!(stdout(canon().args(["man", "completions"])), file!["man.txt"].raw());
    let page = stdout(canon().arg("man"));
    assert!(page.contains("canon\\-setup\\-epoch(1)"), "{page}");
}

#[test]
fn all_pages_are_written() {
    let folder = Folder::new("man");
    let out = folder.file("share/man1");
    assert_eq!(stdout(canon().args(["man", "--out"]).arg(&out)), "");
    let mut pages: Vec<_> = fs::read_dir(&out)
        .unwrap()
        .map(|page| page.unwrap().file_name().into_string().unwrap())
        .collect();
    pages.sort();
    assert_eq!(pages.first().unwrap(), "canon-audit.1");
    assert_eq!(pages.last().unwrap(), "canon.1");
    assert!(pages.contains(&"canon-stake-deposit.1".to_owned()), "{pages:?}");
    assert!(pages.iter().all(|page| !page.contains("help")), "{pages:?}");
    let said = canon().args(["man", "--out"]).arg(out.join("canon.1")).assert().code(3);
    let said = String::from_utf8(said.get_output().stderr.clone()).unwrap();
    assert!(said.contains("next: name a folder that you can write to"), "{said}");
}

#[test]
fn a_manual_page_of_an_unknown_command_is_refused() {
    canon().args(["man", "stake", "vote"]).assert().code(2).stdout_eq("").stderr_eq(str![[r#"
error: COMMAND: expected a command, found `canon stake vote`

next: `canon help` lists the commands

"#]]);
}

#[test]
fn a_page_is_not_printed_on_a_terminal_as_its_source() {
    let mut command = support::process();
    command.args(["man", "stake", "exit"]).env("TERM", "dumb");
    let Ended { code, said, .. } = OnTerminal::start_alone(command).ended();
    assert_eq!(code, Some(2));
    assert_data_eq!(
        said,
        str![[r#"
error: stdout: expected a file or a pipe, found a terminal, which can't show a page: `canon man stake exit | man -l -` shows it

next: `canon man --out ~/.local/share/man/man1` installs all pages for `man`; `canon help` shows the same

"#]]
    );
}
