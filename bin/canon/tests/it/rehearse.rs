//! `canon rehearse`.

use std::{
    io::Read,
    process::{Command, Stdio},
};

use snapbox::{assert_data_eq, file, str};

use crate::support::{canon, stable, stdout};

#[test]
fn the_default() {
    let text = stdout(canon().arg("rehearse"));
    assert!(text.lines().all(|line| line.chars().count() <= 98));
    assert_data_eq!(stable(&text), file!["rehearse.txt"].raw());
}

/// The README omits lines, and names each section that it shortens.
#[test]
fn the_readme_shows_what_is_printed() {
    let readme = include_str!("../../../../README.md");
    let (_, tour) = readme.split_once("```text\nA planned upgrade\n").unwrap();
    let (tour, _) = tour.split_once("```").unwrap();
    let text = stdout(canon().arg("rehearse"));
    let beside_label = |line: &str| line.chars().skip(12).collect::<String>().trim_end().to_owned();
    let printed: Vec<_> = text.lines().map(beside_label).collect();
    let shown: Vec<_> = tour.lines().filter(|line| !line.is_empty() && *line != "…").collect();
    assert!(shown.len() > 40, "{shown:?}");
    for line in shown {
        assert!(printed.contains(&beside_label(line)), "the README's line isn't printed: {line}");
    }
}

#[test]
fn progress_is_for_terminals() {
    canon().arg("rehearse").assert().success().stderr_eq("");
}

#[test]
fn colors_are_for_terminals() {
    assert!(!stdout(canon().arg("rehearse")).contains('\x1b'));
    let forced = stdout(canon().arg("rehearse").env("CLICOLOR_FORCE", "1"));
    assert!(forced.contains("\x1b["));
    let text = stdout(canon().arg("rehearse").env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1"));
    assert!(!text.contains('\x1b'));
}

#[test]
fn json_is_the_same_story() {
    let text = stdout(canon().args(["rehearse", "--json"]));
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["passed"], true);
    assert_eq!(report["seed"], "1");
    assert_eq!(report["sequencers"], 24);
    // A number that can exceed 2^53 is always a string, even if it is small.
    assert_eq!(report["blocks"], "1062");
    assert_eq!(report["configuration"]["quorum"], "100000000000000000");
    assert_eq!(report["start"], 1_796_115_600);
    let timeline = report["timeline"].as_array().unwrap();
    let executed = timeline.iter().find(|entry| entry["event"] == "executed").unwrap();
    assert_eq!(executed["azip"], "AZIP-42");
    assert_eq!(executed["who"], "keeper");
    let checks = report["checks"].as_array().unwrap();
    assert!(checks.len() > 40 && checks.iter().all(|check| check["holds"] == true));
    // No field occurs twice.
    let signal = timeline.iter().find(|entry| entry["event"] == "signaled").unwrap();
    let block = |field: &str| signal[field].as_str().unwrap().parse::<u64>().unwrap();
    assert!(block("l1_block") > block("rollup_block"));
    assert!(report["gas"].as_array().unwrap().iter().any(|row| row["kind"] == "vote"));
}

#[test]
fn flags_change_the_scenario() {
    let text =
        stdout(canon().args(["rehearse", "--seed", "7", "--sequencers", "12", "--holders", "9"]));
    assert!(text.contains("12 sequencers · 9 holders"), "{text}");
    assert!(text.contains("seed 7"));
}

/// Many JSON parsers only have floating-point numbers, which round integers above 2^53.
#[test]
fn a_seed_above_2_to_the_53_keeps_its_value_in_json() {
    for seed in ["9007199254740993", "18446744073709551615"] {
        let text = stdout(canon().args(["rehearse", "--json", "--seed", seed]));
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(report["seed"], seed);
    }
}

#[test]
fn the_printed_scenario_is_the_default() {
    let text = stdout(canon().args(["rehearse", "--print-scenario"]));
    assert_eq!(text, include_str!("../../../../scenarios/upgrade.toml"));
}

#[test]
fn a_failed_check_is_code_1() {
    let path = std::env::temp_dir().join("canon-wrong-expectation.toml");
    let text = include_str!("../../../../scenarios/tie.toml");
    let text = text.replace("because = \"tie\"", "").replace("\"rejected\"", "\"executed\"");
    std::fs::write(&path, text).unwrap();
    let output = canon().args(["rehearse", "--scenario"]).arg(&path).output().unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("✗ AZIP-6"), "{text}");
    assert!(text.contains("expected executed, found rejected"), "{text}");
    let (_, end) = text.split_once("\n✗ ").unwrap();
    assert_data_eq!(
        end,
        str![[r#"
2 of 46 checks failed:
Outcome     ✗ AZIP-6             expected executed, found rejected
Governance  ✗ proposal 0, state  expected Executed, found Rejected

"#]]
    );
}

#[test]
fn a_missing_file() {
    canon()
        .args(["rehearse", "--scenario", "scenarios/no.toml"])
        .assert()
        .code(2)
        .stdout_eq("")
        .stderr_eq(str![[r#"
error: scenarios/no.toml can't be read
  because No such file or directory (os error 2)

next: name a scenario file, as in scenarios/*.toml

"#]]);
}

#[test]
fn a_bad_file() {
    canon()
        .args(["rehearse", "--scenario", "bin/canon/tests/it/bad.toml"])
        .assert()
        .code(2)
        .stdout_eq("")
        .stderr_eq(str![[r#"
error: the scenario can't be simulated

  bin/canon/tests/it/bad.toml:4:16: governance.voting_delay: expected a duration from 1 min to 90 d, found "30 s"
    |
  4 | voting_delay = "30 s"
    |                ^^^^^^

  bin/canon/tests/it/bad.toml:8:10: holders[0].tokens: expected two amounts of tokens, the smaller first, found "5,000 to 500"
    |
  8 | tokens = "5,000 to 500"
    |          ^^^^^^^^^^^^^^

next: correct the lines above; `canon rehearse --print-scenario` explains every field

"#]]);
}

/// The scenario decides the least number of holders, so the bounds are the same for every number.
#[test]
fn numbers_that_do_not_fit() {
    for (asked, shown) in [("0", "0"), ("1", "1"), ("4", "4"), ("100001", "100,001")] {
        let expected = format!(
            "error: --holders {asked} doesn't fit the scenario\n  \
             because holders must be 5 to 100,000, not {shown}\n\n\
             next: choose another number\n"
        );
        let refused = canon().args(["rehearse", "--holders", asked]).assert().code(2);
        refused.stdout_eq("").stderr_eq(expected);
    }
}

#[test]
fn negative_numbers_are_out_of_range() {
    for (flag, says) in [
        ("--seed", "'--seed <S>': expected a whole number from 0 to 18,446,744,073,709,551,615"),
        ("--sequencers", "'--sequencers <N>': expected a whole number from 1 to 10,000"),
        (
            "--holders",
            "'--holders <N>': expected a whole number, from that of the scenario's groups of holders to 100,000",
        ),
    ] {
        let output = canon().args(["rehearse", flag, "-1"]).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), &*output.stdout), (Some(2), &b""[..]), "{flag}");
        assert!(stderr.contains(says), "{flag}: {stderr}");
    }
}

#[test]
fn a_reader_that_has_seen_enough() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_canon"))
        .args(["rehearse", "--print-scenario"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), &*stderr), (Some(0), ""));
}
