//! The report of a rehearsal: the timeline, the checks and the gas, for people and for programs.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use canon_protocol::{BlockNumber, Configuration, ForeignText, Seconds, Timestamp, text};
use serde::Serialize;

use crate::{
    checks::{Check, Relation},
    gas::GasRow,
    scenario::Scenario,
    timeline::{BOLD, DIM, GOOD, Timeline, heading, render, wrap},
};

/// The columns of a report, unless others are asked for.
const WIDTH: usize = 98;

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
        self.to_text_within(WIDTH)
    }

    /// The same for a terminal of so many columns. 80 are enough for all but long names.
    pub fn to_text_within(&self, columns: usize) -> String {
        let width = columns.min(WIDTH);
        let mut out = String::new();
        self.head(&mut out, width);
        out.push_str(&render(&self.timeline, self.start, width));
        self.state(&mut out, width);
        self.gas(&mut out, width);
        self.verdict(&mut out, width);
        out
    }

    fn head(&self, out: &mut String, width: usize) {
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
        for line in wrap(&self.title, width) {
            let _ = writeln!(out, "{BOLD}{line}{BOLD:#}");
        }
        for line in [&facts[..], &more].into_iter().flat_map(|items| joined(items, width)) {
            let _ = writeln!(out, "{DIM}{line}{DIM:#}");
        }
    }

    fn state(&self, out: &mut String, width: usize) {
        let note =
            format!("L1 block {}, {}", text::grouped(self.blocks.get()), text::Time(self.end));
        let _ = writeln!(out, "\n{}", heading("The state at the end", &note, width));
        lines(out, &self.checks.iter().collect::<Vec<_>>(), width);
    }

    fn gas(&self, out: &mut String, width: usize) {
        let _ = writeln!(out, "\n{}", heading("Gas by kind of transaction", "", width));
        let _ = writeln!(
            out,
            "{DIM}{:21} {:>6} {:>11} {:>11} {:>11} {:>14}{DIM:#}",
            "", "count", "min", "median", "max", "total"
        );
        for row in &self.gas {
            let [count, min, median, max, total] =
                [row.count, row.min, row.median, row.max, row.total].map(text::grouped);
            let kind = row.kind;
            let _ =
                writeln!(out, "{kind:21} {count:>6} {min:>11} {median:>11} {max:>11} {total:>14}");
        }
    }

    /// The verdict, with the failed checks repeated, because the list above is long.
    fn verdict(&self, out: &mut String, width: usize) {
        let failed: Vec<_> = self.checks.iter().filter(|check| !check.holds).collect();
        let all = self.checks.len();
        if failed.is_empty() {
            let _ = writeln!(out, "\n{GOOD}✓ all {all} checks hold{GOOD:#}");
            return;
        }
        let count = failed.len();
        let _ = writeln!(out, "\n{FAILED}✗ {count} of {all} checks failed:{FAILED:#}");
        lines(out, &failed, width);
    }
}

/// Items in lines of at most `width` columns.
fn joined(items: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 3 + item.chars().count() <= width => {
                line.push_str(" · ");
                line.push_str(item);
            }
            _ => lines.push(item.clone()),
        }
    }
    lines
}

/// A line for each check. The area is shown only where it changes. A verdict that doesn't fit continues below.
fn lines(out: &mut String, checks: &[&Check], width: usize) {
    let subjects: Vec<_> = checks.iter().map(|check| visible(&check.subject)).collect();
    let wide = subjects.iter().map(|subject| subject.chars().count()).max().unwrap_or(0);
    let indent = 11 + 3 + wide + 2;
    let mut area = "";
    for (check, subject) in checks.iter().zip(&subjects) {
        let name = if check.area == area { "" } else { &*check.area };
        area = &check.area;
        let pad = wide.saturating_sub(subject.chars().count());
        let (mark, style) = if check.holds { ("✓", GOOD) } else { ("✗", FAILED) };
        let _ = write!(out, "{BOLD}{name:11}{BOLD:#} {style}{mark}{style:#} {subject}{:pad$} ", "");
        let mut column = indent - 1;
        for (style, text) in verdict(check) {
            let room = width.saturating_sub(indent);
            for (position, line) in wrap(&text, room).into_iter().enumerate() {
                let length = line.chars().count();
                let fits = position == 0 && column + 1 + length <= width;
                if !fits && column >= indent {
                    let _ = write!(out, "\n{:indent$}", "");
                    column = indent;
                } else {
                    out.push(' ');
                    column += 1;
                }
                let _ = write!(out, "{style}{line}{style:#}");
                column += length;
            }
        }
        out.push('\n');
    }
}

/// A text that may contain names from the scenario, with invisible characters escaped.
fn visible(text: &str) -> String {
    ForeignText::new(text).to_string()
}

/// The value found, with the expected one if they differ.
fn verdict(check: &Check) -> Vec<(Style, String)> {
    let Check { relation, holds, expected, found, .. } = check;
    let expectation = match relation {
        Relation::Equal => expected.clone(),
        Relation::AtLeast => format!("at least {expected}"),
        Relation::AtMost => format!("at most {expected}"),
    };
    match (holds, relation) {
        (true, Relation::Equal) => vec![(Style::new(), found.clone())],
        (true, _) => vec![(Style::new(), found.clone()), (DIM, format!("({expectation})"))],
        (false, _) => vec![(FAILED, format!("expected {expectation}, found {found}"))],
    }
}
