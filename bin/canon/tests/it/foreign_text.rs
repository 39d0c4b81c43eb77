//! Texts from endpoints and files are shown without control sequences.

use snapbox::{assert_data_eq, str};

use crate::{
    servers::{Folder, answering},
    support::{canon, stdout},
};

/// Simulates a terminal: colors are on, and escape sequences aren't removed afterwards.
fn in_a_terminal(command: snapbox::cmd::Command) -> snapbox::cmd::Command {
    command.env("CLICOLOR_FORCE", "1")
}

/// Removes the program's own styles from a text.
fn unstyled(text: &str) -> String {
    let styles = ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[31m", "\u{1b}[36m"];
    let plain = styles.iter().fold(text.to_owned(), |text, style| text.replace(style, ""));
    assert!(!plain.contains('\u{1b}'), "{}", plain.escape_debug());
    plain
}

#[test]
fn what_an_endpoint_says() {
    let body = r#"{"jsonrpc":"2.0","id":0,"error":{"code":-32000,"message":"broken \u001b[32m\u202e\u200b"}}"#;
    let server = answering("500 Internal Server Error", body);
    let registry = "0x00000000000000000000000000000000000000aa";
    let command = canon().args(["forecast", "--registry", registry]);
    let output = in_a_terminal(command.args(["--rpc-url", &format!("http://{server}")]));
    let stderr = String::from_utf8(output.output().unwrap().stderr).unwrap();
    assert_data_eq!(
        unstyled(&stderr),
        str![[r#"
error: the endpoint http://127.0.0.1:[..] (--rpc-url) can't be used
  because server returned an error response: error code -32000: broken /u{1b}[32m/u{202e}/u{200b}

next: check --rpc-url (ETH_RPC_URL), or name another endpoint

"#]]
    );
    // The answer isn't JSON.
    let server = answering("500 Internal Server Error", "down \u{1b}]0;title\u{7}\u{9b}31m");
    let command = canon().args(["forecast", "--registry", registry]);
    let output = in_a_terminal(command.args(["--rpc-url", &format!("http://{server}")]));
    let stderr = String::from_utf8(output.output().unwrap().stderr).unwrap();
    assert_data_eq!(
        unstyled(&stderr),
        str![[r#"
error: the endpoint http://127.0.0.1:[..] (--rpc-url) can't be used
  because HTTP error 500 with body: down /u{1b}]0;title/u{7}/u{9b}31m

next: check --rpc-url (ETH_RPC_URL), or name another endpoint

"#]]
    );
}

#[test]
fn what_a_scenario_says() {
    let folder = Folder::new("titles");
    let scenario = folder.file("title.toml");
    let text = include_str!("../../../../scenarios/tie.toml");
    let (_, rest) = text.split_once("\ntitle = ").unwrap();
    let (_, rest) = rest.split_once('\n').unwrap();
    let text = format!("title = \"A \\u202Eevil \\u001b[32mred\\u0007\"\n{rest}");
    let text = text.replace("\"AZIP-6\"", "\"AZIP-6\\u001b[32m\\u202E\"");
    std::fs::write(&scenario, &text).unwrap();
    let command = in_a_terminal(canon().args(["rehearse", "--scenario"]).arg(&scenario));
    let report = stdout(command);
    let first = report.lines().next().unwrap();
    assert_data_eq!(unstyled(first), str![r"A /u{202e}evil /u{1b}[32mred/u{7}"]);
    let named: Vec<_> = report.lines().filter(|line| line.contains("AZIP-6")).collect();
    assert!(named.len() > 3, "{report}");
    for line in named {
        assert!(line.contains(r"AZIP-6\u{1b}[32m\u{202e}"), "{}", line.escape_debug());
    }
    assert!(!report.contains(['\u{202e}', '\u{7}']));

    // The character is outside of a string, so the error quotes the line.
    std::fs::write(&scenario, text.replacen("title = ", "title = \u{202e}", 1)).unwrap();
    let command = in_a_terminal(canon().args(["rehearse", "--scenario"]).arg(&scenario));
    let stderr = String::from_utf8(command.output().unwrap().stderr).unwrap();
    let stderr = unstyled(&stderr);
    assert!(stderr.contains(r"1 | title = \u{202e}"), "{stderr}");
    assert!(!stderr.contains('\u{202e}'), "{stderr}");
}
