//! Every committed scenario ends as it expects.

use std::{collections::BTreeSet, fs};

use canon_rehearsal::{
    Report, TimelineEvent,
    scenario::{End, Reason},
};

use crate::support::{folder, run, scenario};

/// The scenarios with a test of their own below.
pub(crate) const TESTED: &[&str] = &[
    "below-quorum",
    "dropped",
    "emergency",
    "expired",
    "forged-rollup",
    "large",
    "late-objection",
    "minimum-votes",
    "quorum-missed",
    "rejected",
    "retried",
    "rivals",
    "round-expired",
    "second-round",
    "shifting-ignored",
    "shifting-payload",
    "silent-epochs",
    "squatted-move",
    "tie",
    "upgrade",
];

#[test]
fn every_file_has_a_test() {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|kind| kind == "toml"));
    let names = files.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned());
    let expected: BTreeSet<String> = TESTED.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(names.collect::<BTreeSet<_>>(), expected);
}

#[test]
fn large_with_fewer_people() {
    let scenario = scenario("large").with_sequencers(100).unwrap().with_holders(300).unwrap();
    let report = run(&scenario);
    assert!(report.passed, "{}", report.to_text());
    // All gas of the round is in lines that show what it was used for.
    let (mut signals, mut blocks, mut transactions) = (0, 0, 0);
    for entry in report.timeline.entries() {
        if let TimelineEvent::SignaledMore { signals: more, blocks: proposed, .. } = entry.what {
            signals += more;
            blocks += proposed;
            transactions += entry.spent.unwrap().transactions;
        }
    }
    assert_eq!(transactions, signals + blocks);
    assert!(blocks > 0 && signals >= u64::from(scenario.signaling.rules.n()));
    let text = report.to_text();
    assert!(text.contains("signals for AZIP-100 and "), "{text}");
    // Signals are reported in six groups, not one by one.
    assert_eq!(count(&report, |event| matches!(event, TimelineEvent::SignaledMore { .. })), 6);
}

/// Simulates a scenario and checks that all its checks hold.
fn passes(name: &str) -> Report {
    let report = run(&scenario(name));
    let failed: Vec<_> = report.checks.iter().filter(|check| !check.holds).collect();
    assert!(report.passed && failed.is_empty(), "{name}: {failed:#?}\n{}", report.to_text());
    report
}

fn count(report: &Report, test: impl Fn(&TimelineEvent) -> bool) -> usize {
    report.timeline.entries().iter().filter(|entry| test(&entry.what)).count()
}

const fn is_executed(event: &TimelineEvent) -> bool {
    matches!(event, TimelineEvent::Executed { .. })
}

#[test]
fn upgrade() {
    let report = passes("upgrade");
    assert_eq!(count(&report, is_executed), 1);
    // The new rollup earns rewards for its last blocks, and the old one doesn't.
    let last = |rollup| {
        report.timeline.entries().iter().rev().find_map(|entry| match entry.what {
            TimelineEvent::BlockProposed { rollup: of, reward, .. } if of == rollup => Some(reward),
            _ => None,
        })
    };
    assert!(last(1).unwrap().is_zero());
    assert!(!last(2).unwrap().is_zero());
}

#[test]
fn quorum_missed() {
    let report = passes("quorum-missed");
    assert_eq!(count(&report, |event| matches!(event, TimelineEvent::RoundLost { .. })), 3);
    assert_eq!(count(&report, |event| matches!(event, TimelineEvent::Pushed { .. })), 0);
}

#[test]
fn second_round() {
    let report = passes("second-round");
    assert!(count(&report, |event| matches!(event, TimelineEvent::RoundLost { .. })) > 0);
    assert_eq!(count(&report, is_executed), 1);
}

#[test]
fn round_expired() {
    let report = passes("round-expired");
    assert_eq!(count(&report, |event| matches!(event, TimelineEvent::QuorumReached { .. })), 1);
    assert_eq!(count(&report, |event| matches!(event, TimelineEvent::Pushed { .. })), 0);
}

/// Checks that the rejection of a proposal is shown once, with the reason in the line after the tally.
fn is_rejected_once(report: &Report, line: &str, because: Reason, shown: &str) {
    let text = report.to_text();
    assert_eq!(text.matches(" is rejected").count(), 1, "{text}");
    let mut lines = text.lines().skip_while(|text| !text.contains(line));
    // The tally takes two lines.
    assert!(lines.nth(2).is_some_and(|reason| reason.contains(shown)), "{text}");
    let is_reason = |event: &TimelineEvent| match event {
        TimelineEvent::VoteClosed { rejected, .. } => *rejected == Some(because),
        TimelineEvent::Overturned { rejected, .. } => *rejected == because,
        _ => false,
    };
    assert_eq!(count(report, is_reason), 1, "{text}");
    assert_eq!(count(report, |event| matches!(event, TimelineEvent::Over { .. })), 0);
}

#[test]
fn rejected() {
    let shown = "the votes for it don't exceed those against by enough";
    let tally = "AZIP-5 is rejected: 52,000 for, 48,000 against";
    is_rejected_once(&passes("rejected"), tally, Reason::Against, shown);
}

#[test]
fn tie() {
    let tally = "AZIP-6 is rejected: 85,000 for, 85,000 against";
    is_rejected_once(&passes("tie"), tally, Reason::Tie, "a tie");
}

#[test]
fn below_quorum() {
    let tally = "AZIP-7 is rejected: 30,000 for, 0 against";
    is_rejected_once(&passes("below-quorum"), tally, Reason::Turnout, "too little was cast");
}

#[test]
fn minimum_votes() {
    let tally = "AZIP-8 is rejected: 90,000 for, 0 against";
    is_rejected_once(&passes("minimum-votes"), tally, Reason::MinimumVotes, "too little is locked");
}

#[test]
fn expired() {
    let report = passes("expired");
    let ended =
        |event: &TimelineEvent| matches!(event, TimelineEvent::Over { end: End::Expired, .. });
    assert_eq!(count(&report, ended), 1);
}

#[test]
fn dropped() {
    let report = passes("dropped");
    assert_eq!(count(&report, |event| matches!(event, TimelineEvent::DropStored { .. })), 1);
}

#[test]
fn emergency() {
    let report = passes("emergency");
    assert_eq!(count(&report, |event| matches!(event, TimelineEvent::ProposedWithLock { .. })), 1);
    assert_eq!(count(&report, |event| matches!(event, TimelineEvent::Signaled { .. })), 0);
}

#[test]
fn retried() {
    let report = passes("retried");
    assert_eq!(count(&report, |event| matches!(event, TimelineEvent::GateOpened)), 1);
    let again = |event: &TimelineEvent| matches!(event, TimelineEvent::RefusedAgain { .. });
    assert_eq!(count(&report, again), 1);
}

#[test]
fn shifting_payload() {
    let report = passes("shifting-payload");
    let frozen =
        |event: &TimelineEvent| matches!(event, TimelineEvent::Executed { with_list: true, .. });
    assert_eq!(count(&report, frozen), 1);
}

#[test]
fn shifting_ignored() {
    let report = passes("shifting-ignored");
    assert_eq!(count(&report, is_executed), 0);
}

#[test]
fn rivals() {
    let report = passes("rivals");
    assert_eq!(count(&report, is_executed), 1);
    assert_eq!(count(&report, |event| matches!(event, TimelineEvent::Pushed { .. })), 2);
}

#[test]
fn forged_rollup() {
    let report = passes("forged-rollup");
    assert_eq!(count(&report, |event| matches!(event, TimelineEvent::ForgeryFound { .. })), 1);
    assert_eq!(count(&report, is_executed), 0);
    let root = |event: &TimelineEvent| {
        matches!(event, TimelineEvent::Refused { refusal, .. }
            if refusal.root.as_deref() == Some("Expect__Creation"))
    };
    assert_eq!(count(&report, root), 1, "the assertion refuses the execution");
    let check = |name: &str| {
        let mut checks = report.checks.iter().filter(|check| check.subject == "by its creation");
        checks.find(|check| check.area == name).unwrap().found.clone()
    };
    assert_eq!((&*check("Rollup 1"), &*check("Rollup 2")), ("genuine", "forged"));
}

#[test]
fn squatted_move() {
    let report = passes("squatted-move");
    let renamed = |event: &TimelineEvent| matches!(event, TimelineEvent::Moved { renamed: 8, .. });
    assert_eq!(count(&report, renamed), 1);
}

#[test]
fn late_objection() {
    let report = passes("late-objection");
    let accepted =
        |event: &TimelineEvent| matches!(event, TimelineEvent::VoteClosed { rejected: None, .. });
    assert_eq!(count(&report, accepted), 1);
    assert_eq!(count(&report, |event| matches!(event, TimelineEvent::Overturned { .. })), 1);
    let shown = "the votes for it don't exceed those against by enough";
    let tally = "AZIP-20 is rejected after all: 60,000 for, 80,000";
    is_rejected_once(&report, tally, Reason::Against, shown);
    assert_eq!(count(&report, is_executed), 0);
}

#[test]
fn silent_epochs() {
    let report = passes("silent-epochs");
    assert_eq!(count(&report, |event| matches!(event, TimelineEvent::Silence { .. })), 1);
    assert!(count(&report, |event| matches!(event, TimelineEvent::RoundLost { .. })) > 1);
    assert_eq!(count(&report, is_executed), 1);
}
