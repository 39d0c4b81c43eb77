//! The help texts of the program.

use snapbox::{file, str};

use crate::support::canon;

#[test]
fn the_program() {
    canon().arg("--help").assert().success().stdout_eq(str![[r#"
Upgrade governance for rollups: sequencers signal, holders vote, anyone executes

Usage: canon <COMMAND>

Commands:
  rehearse     Carry out a complete upgrade on an embedded L1, with the real contracts
  devchain     Serve the embedded L1 alone, with JSON-RPC for wallets and tools
  forecast     Estimate when, and how likely, a signaling campaign succeeds
  deploy       Deploy a set of contracts from a file of parameters, and verify every step
  audit        Check a set that anybody deployed: its contracts, their owners, and what its
               parameters mean
  rollup       Deploy a further rollup for a set
  payload      Deploy a payload contract, which lists the actions of a proposal
  status       Show where everything stands, what happens next, and what can be done now and by
               whom
  round        Show a round slot by slot: who proposed, whether they signaled and for what;
               without a number, the running round
  proposal     Show a proposal in full: its frozen actions, its vote and its dates; without an id,
               all proposals
  power        Show a holder's power: now, on each proposal that takes ballots, and what was given
               up and when it is paid
  calendar     Print the dates to come as iCalendar: votes, rounds and deadlines
  lock         Lock tokens as power to vote with
  unlock       Give power up: the tokens are paid after the withdrawal delay
  withdraw     Pay withdrawals whose time has come; without ids, all of the account
  vote         Vote for or against a proposal, or sign a ballot that somebody else submits
  propose      Make a payload a proposal through the lock, for power that is given up
  signal       Signal for a payload in your slot, or sign a signal that somebody else submits
  stake        Stake for a seat in the sequencer set, and take the stake out or to another rollup
  push         Make the winner of a round a proposal; without a round, of every round that is due
  execute      Carry out a proposal that passed; without an id, every one that is due
  drop         Record that a proposal is dropped; without an id, of every one whose drop isn't
               recorded yet
  setup-epoch  Record the seed of the canonical rollup's next epoch, which draws its proposers
  keeper       Keep upgrades going: push, execute and drop whatever is due, and record seeds,
               until it is stopped
  config       Show the settings in force, and where each value is from
  completions  Print a script with which a shell completes commands and flags
  man          Print a manual page for `man`, or write all of them to a folder
  help         Print this message or the help of the given subcommand(s)

Options:
  -h, --help     Print help
  -V, --version  Print version

`canon rehearse`, `devchain`, `forecast`, `config`, `completions` and `man` need no chain, nor
does `canon deploy --print-config`. All other commands need an endpoint and, apart from `canon
deploy`, a Registry: by --rpc-url and --registry, ETH_RPC_URL and CANON_REGISTRY, or in
canon.toml.

`canon help COMMAND` explains a command and its exit codes.

"#]]);
}

#[test]
fn rehearse() {
    canon().args(["rehearse", "--help"]).assert().success().stdout_eq(file!["rehearse-help.txt"]);
}

#[test]
fn keeper() {
    canon().args(["keeper", "--help"]).assert().success().stdout_eq(file!["keeper-help.txt"]);
}

#[test]
fn deploy() {
    canon().args(["deploy", "--help"]).assert().success().stdout_eq(file!["deploy-help.txt"]);
}

#[test]
fn audit() {
    canon().args(["audit", "--help"]).assert().success().stdout_eq(file!["audit-help.txt"]);
}

#[test]
fn rollup() {
    let help = |arguments: &[&str]| canon().args(["rollup"]).args(arguments).arg("--help").assert();
    help(&[]).success().stdout_eq(file!["rollup-help.txt"]);
    help(&["deploy"]).success().stdout_eq(file!["rollup-deploy-help.txt"]);
}

#[test]
fn payload() {
    let help =
        |arguments: &[&str]| canon().args(["payload"]).args(arguments).arg("--help").assert();
    help(&[]).success().stdout_eq(file!["payload-help.txt"]);
    help(&["upgrade"]).success().stdout_eq(file!["payload-upgrade-help.txt"]);
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
fn round() {
    canon().args(["round", "--help"]).assert().success().stdout_eq(file!["round-help.txt"]);
}

#[test]
fn proposal() {
    canon().args(["proposal", "--help"]).assert().success().stdout_eq(file!["proposal-help.txt"]);
}

#[test]
fn power() {
    canon().args(["power", "--help"]).assert().success().stdout_eq(file!["power-help.txt"]);
}

#[test]
fn vote() {
    canon().args(["vote", "--help"]).assert().success().stdout_eq(file!["vote-help.txt"]);
}

#[test]
fn propose() {
    canon().args(["propose", "--help"]).assert().success().stdout_eq(file!["propose-help.txt"]);
}

#[test]
fn signal() {
    canon().args(["signal", "--help"]).assert().success().stdout_eq(file!["signal-help.txt"]);
}

#[test]
fn stake() {
    canon().args(["stake", "--help"]).assert().success().stdout_eq(file!["stake-help.txt"]);
    for command in ["deposit", "status", "exit", "claim", "move", "finish", "coinbase"] {
        let help = canon().args(["stake", command, "--help"]).output().unwrap();
        let text = String::from_utf8(help.stdout).unwrap();
        let name = format!("tests/it/stake-{command}-help.txt");
        let snapshot = snapbox::Data::read_from(std::path::Path::new(&name), None);
        snapbox::assert_data_eq!(text, snapshot.raw());
    }
}

#[test]
fn completions() {
    let help = canon().args(["completions", "--help"]).assert().success();
    help.stdout_eq(file!["completions-help.txt"]);
}

#[test]
fn man() {
    canon().args(["man", "--help"]).assert().success().stdout_eq(file!["man-help.txt"]);
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
fn lock() {
    canon().args(["lock", "--help"]).assert().success().stdout_eq(file!["lock-help.txt"]);
}

#[test]
fn unlock() {
    canon().args(["unlock", "--help"]).assert().success().stdout_eq(file!["unlock-help.txt"]);
}

#[test]
fn withdraw() {
    canon().args(["withdraw", "--help"]).assert().success().stdout_eq(file!["withdraw-help.txt"]);
}

#[test]
fn execute() {
    canon().args(["execute", "--help"]).assert().success().stdout_eq(file!["execute-help.txt"]);
}

#[test]
fn drop_() {
    canon().args(["drop", "--help"]).assert().success().stdout_eq(file!["drop-help.txt"]);
}

#[test]
fn a_wrong_flag() {
    canon().args(["rehearse", "--sequencer", "3"]).assert().code(2).stdout_eq("").stderr_eq(str![
        [r#"
error: unexpected argument '--sequencer' found

  tip: a similar argument exists: '--sequencers'

Usage: canon rehearse [OPTIONS]

For more information, try '--help'.

"#]
    ]);
}

/// Negative numbers are values, not flags, wherever a value is expected.
#[test]
fn a_negative_number_is_refused_by_what_is_expected() {
    for (arguments, says) in [
        ("lock -5", "'-5' for '<AMOUNT>': expected an amount of tokens from 0 to"),
        ("unlock -0.5", "'-0.5' for '<AMOUNT>': expected an amount of tokens from 0 to"),
        ("vote 0 for --amount -5", "'-5' for '--amount <AMOUNT>': expected an amount of tokens"),
        ("vote -1 for", "'-1' for '<ID>': expected a whole number from 0 to"),
        ("proposal -1", "'-1' for '[ID]': expected a whole number from 0 to"),
        ("round -1", "'-1' for '[N]': expected a whole number from 0 to"),
        ("push -1", "'-1' for '[ROUND]': expected a whole number from 0 to"),
        ("execute -1", "'-1' for '[ID]': expected a whole number from 0 to"),
        ("drop -1", "'-1' for '[ID]': expected a whole number from 0 to"),
        ("withdraw -1", "'-1' for '[ID]...': expected a whole number from 0 to"),
        (
            "push --confirmations -1",
            "'-1' for '--confirmations <N>': expected a whole number from 1",
        ),
        ("push --mnemonic-index -1", "'-1' for '--mnemonic-index <N>': expected"),
        ("status --chain-id -1", "'-1' for '--chain-id <ID>': expected a whole number from 1"),
        ("deploy x --confirmations -1", "'-1' for '--confirmations <N>': expected"),
    ] {
        let output = canon().args(arguments.split_whitespace()).output().unwrap();
        let said = crate::support::said(output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {said}");
        assert!(said.contains(says), "{arguments}: {said}");
    }
}

#[test]
fn the_usage_in_an_error_is_that_of_the_help_whatever_the_environment_gives() {
    for (arguments, usage) in [
        ("push --no-such-flag", "canon push [OPTIONS] [ROUND]"),
        ("stake status --no-such-flag", "canon stake status [OPTIONS] [ATTESTER]..."),
        ("stake exit", "canon stake exit [OPTIONS] --to <ADDRESS> <ATTESTER>"),
        ("push 1 2 --rpc-url http://localhost", "canon push [OPTIONS] [ROUND]"),
    ] {
        let command = canon()
            .args(arguments.split_whitespace())
            .env("ETH_RPC_URL", "http://localhost:8545")
            .env("CANON_REGISTRY", "0x7777777777777777777777777777777777777777");
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(&format!("\nUsage: {usage}\n")), "{said}");
    }
}
