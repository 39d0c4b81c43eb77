//! Colors of every command that shows something, and of errors; and helps on a narrow terminal.

use std::path::Path;

use alloy_primitives::Address;
use snapbox::cmd::Command;

use crate::{
    live::{about, with_proposal},
    servers::Folder,
    support::{canon, said, stdout},
};

/// What a command writes to stdout and stderr.
fn written(command: Command) -> [String; 2] {
    let output = tokio::task::block_in_place(|| command.output().unwrap());
    [String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap()]
}

/// A text without escape sequences, and without the note on the newest block's age, which changes.
fn plain(text: &str) -> String {
    said(anstream::adapter::strip_str(text).to_string().into_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn colors_are_only_where_they_are_wanted_and_change_no_text() {
    let folder = Folder::new("colors");
    let chain = with_proposal().await;
    let holder = chain.account(0);
    let mut colored = 0;
    for arguments in [
        "status".to_owned(),
        "round".to_owned(),
        "round 1".to_owned(),
        "proposal".to_owned(),
        "proposal 0".to_owned(),
        format!("power {holder}"),
        "calendar".to_owned(),
        "stake status".to_owned(),
        "config".to_owned(),
        "audit".to_owned(),
        "audit --markdown".to_owned(),
        "forecast".to_owned(),
        "status --json".to_owned(),
        format!("lock 5 --dry-run --from {holder}"),
        format!("lock 5 --unsigned --from {holder}"),
        // Errors, of this program and of its arguments.
        "proposal 9".to_owned(),
        format!("execute --dry-run --from {holder}"),
        format!("stake status {}", Address::repeat_byte(0x77)),
        "push --no-such-flag".to_owned(),
        "push --help".to_owned(),
        "completions bash --help".to_owned(),
    ] {
        let command = || about(&chain, &folder, &arguments);
        let usual = written(command());
        let forced = written(command().env("CLICOLOR_FORCE", "1"));
        let without = written(command().env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1"));
        let empty = written(command().env("CLICOLOR_FORCE", "1").env("NO_COLOR", ""));
        assert!(usual.iter().chain(&without).all(|text| !text.contains('\x1b')), "{arguments}");
        assert_eq!(empty, forced, "{arguments}");
        assert_eq!(
            usual.each_ref().map(|text| plain(text)),
            forced.each_ref().map(|text| plain(text)),
            "{arguments}"
        );
        assert_eq!(usual.map(|text| plain(&text)), without.map(|text| plain(&text)), "{arguments}");
        let is_of_error = forced[1].contains("error:");
        let has_color = forced.iter().any(|text| text.contains('\x1b'));
        assert!(has_color || !is_of_error, "{arguments}: an error has colors: {forced:?}");
        colored += usize::from(has_color);
        // What programs read never has colors.
        let is_for_programs = ["--json", "--unsigned", "calendar"];
        let is_for_programs = is_for_programs.iter().any(|word| arguments.contains(word));
        assert!(!is_for_programs || !forced[0].contains('\x1b'), "{arguments}");
    }
    assert!(colored >= 6, "{colored}");
}

#[test]
fn helps_fit_a_terminal_of_80_columns() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/commands.md");
    let page = std::fs::read_to_string(page).unwrap();
    let names = page.lines().filter_map(|line| line.strip_prefix("## canon "));
    for name in names.chain(["", "stake", "rollup", "payload"]) {
        let help = canon().args(name.split_whitespace()).arg("--help").env("COLUMNS", "80");
        for line in stdout(help).lines() {
            // Usage lines, and commands in examples, aren't broken.
            let is_whole = line.starts_with("Usage: ") || line.starts_with("  canon ");
            assert!(is_whole || line.chars().count() <= 80, "{name}: {line}");
        }
    }
}
