//! What the program says about itself.

use snapbox::{file, str};

use crate::support::canon;

#[test]
fn the_program() {
    canon().arg("--help").assert().success().stdout_eq(str![[r#"
Upgrade governance for rollups: sequencers signal, holders vote, anyone executes

Usage: canon <COMMAND>

Commands:
  rehearse  Carry out a complete upgrade on an embedded L1, with the real contracts
  forecast  Estimate when, and how likely, a signaling campaign succeeds
  help      Print this message or the help of the given subcommand(s)

Options:
  -h, --help     Print help
  -V, --version  Print version

"#]]);
}

#[test]
fn rehearse() {
    canon().args(["rehearse", "--help"]).assert().success().stdout_eq(file!["rehearse-help.txt"]);
}

#[test]
fn forecast() {
    canon().args(["forecast", "--help"]).assert().success().stdout_eq(file!["forecast-help.txt"]);
}

#[test]
fn a_wrong_flag() {
    canon().args(["rehearse", "--sequencer", "3"]).assert().code(2).stdout_eq("").stderr_eq(str![
        [r#"
error: unexpected argument '--sequencer' found

  tip: a similar argument exists: '--sequencers'

Usage: canon rehearse --sequencers <N>

For more information, try '--help'.

"#]
    ]);
}
