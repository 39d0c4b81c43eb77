//! The help of the program.

use snapbox::{file, str};

use crate::support::canon;

#[test]
fn the_program() {
    canon().arg("--help").assert().success().stdout_eq(str![[r#"
Upgrade governance for rollups: sequencers signal, holders vote, anyone executes

Usage: canon <COMMAND>

Commands:
  rehearse     Carry out a complete upgrade on an embedded L1, with the real contracts
  forecast     Estimate when, and how likely, a signaling campaign succeeds
  deploy       Deploy a set of contracts from a file of parameters, and verify every step
  status       Show where everything stands, what happens next, and what can be done now and by
               whom
  proposal     Show a proposal in full: its frozen actions, its vote and its dates; without an id,
               all proposals
  calendar     Print the dates to come as iCalendar: votes, rounds and deadlines
  push         Make the winner of a round a proposal; without a round, of every round that is due
  setup-epoch  Record the seed of the canonical rollup's next epoch, which draws its proposers
  config       Show the settings in force, and where each value is from
  help         Print this message or the help of the given subcommand(s)

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
fn deploy() {
    canon().args(["deploy", "--help"]).assert().success().stdout_eq(file!["deploy-help.txt"]);
}

#[test]
fn forecast() {
    canon().args(["forecast", "--help"]).assert().success().stdout_eq(file!["forecast-help.txt"]);
}

#[test]
fn status() {
    canon().args(["status", "--help"]).assert().success().stdout_eq(file!["status-help.txt"]);
}

#[test]
fn proposal() {
    canon().args(["proposal", "--help"]).assert().success().stdout_eq(file!["proposal-help.txt"]);
}

#[test]
fn calendar() {
    canon().args(["calendar", "--help"]).assert().success().stdout_eq(file!["calendar-help.txt"]);
}

#[test]
fn config() {
    canon().args(["config", "--help"]).assert().success().stdout_eq(file!["config-help.txt"]);
}

#[test]
fn push() {
    canon().args(["push", "--help"]).assert().success().stdout_eq(file!["push-help.txt"]);
}

#[test]
fn setup_epoch() {
    let help = canon().args(["setup-epoch", "--help"]).assert().success();
    help.stdout_eq(file!["setup-epoch-help.txt"]);
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
