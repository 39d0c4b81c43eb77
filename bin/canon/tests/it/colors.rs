//! Colors of every command that shows something, and of errors; and helps on a narrow terminal.

use std::path::Path;

use alloy_primitives::Address;
use snapbox::cmd::Command;

use crate::{
    live::{about, with_proposal},
    servers::Folder,
    support::{canon, process, said, stdout},
    terminal::{Ended, OnTerminal},
};

/// What a command writes to stdout and stderr.
fn written(command: Command) -> [String; 2] {
    let output = command.output().unwrap();
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
        let written = |command| tokio::task::block_in_place(|| written(command));
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

#[test]
fn a_terminal_shows_colors_unless_it_cannot_or_nobody_wants_them() {
    for (variable, value, is_colored) in
        [("TERM", "xterm", true), ("TERM", "dumb", false), ("NO_COLOR", "1", false)]
    {
        let mut command = process();
        command.args(["config", "--config", "/nowhere"]).env("TERM", "xterm").env(variable, value);
        let Ended { said, .. } = OnTerminal::start_alone(command).ended();
        assert!(said.contains("can't be read"), "{said}");
        assert_eq!(said.contains('\x1b'), is_colored, "{variable}={value}: {said}");
    }
}

#[test]
fn errors_and_notes_are_wrapped_between_words() {
    let address = "0x7777777777777777777777777777777777777777";
    for arguments in [
        "status --rpc-url http://127.0.0.1:9 --registry ADDRESS",
        "audit --manifest /a/very/long/folder/whose/name/has/so/many/parts/that/no/line/has/the/place.json",
        "stake coinbase ADDRESS ADDRESS --no-such-flag --rpc-url http://127.0.0.1:9 --registry ADDRESS",
        "vote 5 for --private-key-file /nowhere --rpc-url http://127.0.0.1:9 --registry ADDRESS",
        "status --registry 0x12 --rpc-url http://127.0.0.1:9",
    ] {
        let arguments = arguments.replace("ADDRESS", address);
        let command = || canon().args(arguments.split_whitespace());
        let whole = written(command())[1].clone();
        for (columns, width) in [(None, 80), (Some("60"), 60)] {
            let command = command().env_remove("COLUMNS");
            let wrapped = match columns {
                None => written(command)[1].clone(),
                Some(columns) => written(command.env("COLUMNS", columns))[1].clone(),
            };
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(words(&wrapped), words(&whole), "{arguments}");
            for line in wrapped.lines().filter(|line| !line.starts_with("Usage: ")) {
                let is_one_word = line.split_whitespace().count() <= 2;
                assert!(is_one_word || line.chars().count() <= width, "{line}");
            }
        }
    }
}
