//! The report of a rehearsal: the timeline, the checks and the gas, for people and for programs.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use canon_protocol::{BlockNumber, Configuration, ForeignText, Seconds, Timestamp, text};
use serde::Serialize;

use crate::{
    checks::{Check, Relation},
    gas::GasRow,
    scenario::Scenario,
    timeline::{BOLD, DIM, GOOD, Timeline, heading, render},
};

const FAILED: Style = AnsiColor::Red.on_default().bold();

/// The report of a rehearsal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The scenario's title.
    pub title: String,
    /// The seed of all keys and draws; a string in JSON, since it has 64 bits.
    #[serde(serialize_with = "text::decimal::serialize")]
    pub seed: u64,
    /// The number of sequencers that staked on the old rollup.
    pub sequencers: u64,
    /// The number of holders that locked tokens.
    pub holders: u64,
    /// Signals that win a round.
    pub quorum: u32,
    /// Slots in a round.
    pub round: u32,
    /// Length of a rollup slot.
    pub slot: Seconds,
    /// Governance's configuration, which is frozen into every proposal.
    pub configuration: Configuration,
    /// Timestamp of L1 block 0, in Unix seconds.
    pub start: Timestamp,
    /// Timestamp of the last L1 block, in Unix seconds.
    pub end: Timestamp,
    /// Number of the last L1 block.
    pub blocks: BlockNumber,
    /// Whether all checks hold.
    pub passed: bool,
    /// All events, in order.
    pub timeline: Timeline,
    /// The checks of the final state.
    pub checks: Vec<Check>,
    /// The gas used by each kind of transaction.
    pub gas: Vec<GasRow>,
}

impl Report {
    pub(crate) fn new(
        scenario: &Scenario,
        timeline: Timeline,
        checks: Vec<Check>,
        gas: Vec<GasRow>,
        (end, blocks): (Timestamp, BlockNumber),
    ) -> Self {
        Self {
            title: scenario.title.clone(),
            seed: scenario.seed,
            sequencers: scenario.sequencers.count,
            holders: scenario.holder_count(),
            quorum: scenario.signaling.rules.n(),
            round: scenario.signaling.rules.m(),
            slot: scenario.rollup.slot,
            configuration: scenario.governance,
            start: scenario.l1.start,
            end,
            blocks,
            passed: checks.iter().all(|check| check.holds),
            timeline,
            checks,
            gas,
        }
    }

    /// The report as text for a terminal, at most 98 columns wide. It has ANSI styles, which a
    /// stream must remove where they aren't wanted.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        self.head(&mut out);
        out.push_str(&render(&self.timeline, self.start));
        self.state(&mut out);
        self.gas(&mut out);
        self.verdict(&mut out);
        out
    }

    fn head(&self, out: &mut String) {
        let facts = [
            text::count(self.sequencers, "sequencer").to_string(),
            text::count(self.holders, "holder").to_string(),
            format!("{} of {} signals win a round", self.quorum, text::grouped(self.round)),
            format!("seed {}", self.seed),
        ];
        let rules = &self.configuration;
        let phases = [rules.voting_delay, rules.voting_duration, rules.execution_delay];
        let phases = phases.map(|phase| text::Duration(phase).to_string());
        let more = [
            format!("slots of {}", text::Duration(self.slot)),
            format!("delay, vote, delay: {}", phases.join(", ")),
            format!("grace {}", text::Duration(rules.grace_period)),
            format!("quorum {}", text::Percent::of(rules.quorum)),
            format!("differential {}", text::Percent::of(rules.vote_differential)),
        ];
        let _ = writeln!(out, "{BOLD}{}{BOLD:#}", ForeignText::new(&self.title));
        let _ = writeln!(out, "{DIM}{}{DIM:#}", facts.join(" · "));
        let _ = writeln!(out, "{DIM}{}{DIM:#}", more.join(" · "));
    }

    fn state(&self, out: &mut String) {
        let note =
            format!("L1 block {}, {}", text::grouped(self.blocks.get()), text::Time(self.end));
        let _ = writeln!(out, "\n{}", heading("The state at the end", &note));
        lines(out, &self.checks.iter().collect::<Vec<_>>());
    }

    fn gas(&self, out: &mut String) {
        let _ = writeln!(out, "\n{}", heading("Gas by kind of transaction", ""));
        let _ = writeln!(
            out,
            "{DIM}{:28} {:>9} {:>13} {:>13} {:>13} {:>14}{DIM:#}",
            "", "count", "min", "median", "max", "total"
        );
        for row in &self.gas {
            let [count, min, median, max, total] =
                [row.count, row.min, row.median, row.max, row.total].map(text::grouped);
            let kind = row.kind;
            let _ =
                writeln!(out, "{kind:28} {count:>9} {min:>13} {median:>13} {max:>13} {total:>14}");
        }
    }

    /// The verdict, with the failed checks repeated, because the list above is long.
    fn verdict(&self, out: &mut String) {
        let failed: Vec<_> = self.checks.iter().filter(|check| !check.holds).collect();
        let all = self.checks.len();
        if failed.is_empty() {
            let _ = writeln!(out, "\n{GOOD}✓ all {all} checks hold{GOOD:#}");
            return;
        }
        let count = failed.len();
        let _ = writeln!(out, "\n{FAILED}✗ {count} of {all} checks failed:{FAILED:#}");
        lines(out, &failed);
    }
}

/// A line for each check. The area is shown only where it changes.
fn lines(out: &mut String, checks: &[&Check]) {
    let subjects: Vec<_> = checks.iter().map(|check| visible(&check.subject)).collect();
    let wide = subjects.iter().map(|subject| subject.chars().count()).max().unwrap_or(0);
    let mut area = "";
    for (check, subject) in checks.iter().zip(&subjects) {
        let name = if check.area == area { "" } else { &*check.area };
        area = &check.area;
        let pad = wide.saturating_sub(subject.chars().count());
        let (mark, style) = if check.holds { ("✓", GOOD) } else { ("✗", FAILED) };
        let start = format!("{BOLD}{name:11}{BOLD:#} {style}{mark}{style:#} ");
        let verdict = verdict(check);
        let _ = writeln!(out, "{start}{subject}{:pad$}  {verdict}", "");
    }
}

/// A text that may contain names from the scenario, with invisible characters escaped.
fn visible(text: &str) -> String {
    ForeignText::new(text).to_string()
}

/// The value found, with the expected one if they differ.
fn verdict(check: &Check) -> String {
    let Check { relation, holds, .. } = check;
    let (expected, found) = (visible(&check.expected), visible(&check.found));
    let expectation = match relation {
        Relation::Equal => expected,
        Relation::AtLeast => format!("at least {expected}"),
        Relation::AtMost => format!("at most {expected}"),
    };
    match (holds, relation) {
        (true, Relation::Equal) => found,
        (true, _) => format!("{found} {DIM}({expectation}){DIM:#}"),
        (false, _) => format!("{FAILED}expected {expectation}, found {found}{FAILED:#}"),
    }
}
