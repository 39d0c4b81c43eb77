//! What a daemon shows of itself in numbers, in Prometheus' text format.

use super::event::Event;
use alloy_primitives::U256;
use canon_protocol::Timestamp;
use core::fmt::Write as _;

/// The numbers of a daemon after a turn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// The time of the last turn.
    pub last_turn: Timestamp,
    /// Whether the chain could be read in it.
    pub is_reachable: bool,
    /// Whether the last view is that of the newest block.
    pub is_in_step: bool,
    /// Whether the last view has the set's history.
    pub has_history: bool,
    /// The number of the last view's block.
    pub block: u64,
    /// The time of that block.
    pub block_time: Timestamp,
    /// The base fee of that block, in wei per gas.
    pub base_fee: u128,
    /// The account's balance in wei, as it was read last.
    pub balance: U256,
    /// The steps with a last second that are possible now.
    pub open_windows: u64,
    /// The earliest of those last seconds; 0 if there is none.
    pub next_close: Timestamp,
    /// The intents that the agent pursues.
    pub due: u64,
    /// The transactions that aren't mined yet.
    pub in_flight: u64,
    /// The steps for which an alarm was raised and that are still possible.
    pub alarms: u64,
    /// What happened since the start.
    pub counts: Counts,
}

/// The number of events since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Turns.
    pub turns: u64,
    /// Times in which the chain couldn't be read.
    pub outages: u64,
    /// Transactions that a node took.
    pub sent: u64,
    /// Intents that were done.
    pub done: u64,
    /// Failures that were told.
    pub failed: u64,
    /// Transactions whose blocks were replaced.
    pub taken_back: u64,
    /// Alarms.
    pub alarms: u64,
    /// Steps that nobody took in time.
    pub missed: u64,
    /// The fees of the transactions that did something, in wei.
    pub fees: U256,
}

impl Counts {
    /// Counts an event.
    pub(super) const fn add(&mut self, event: &Event) {
        match event {
            Event::Unreachable { .. } => self.outages += 1,
            Event::Sent { .. } => self.sent += 1,
            Event::Done { fee, .. } => {
                self.done += 1;
                self.fees = self.fees.saturating_add(*fee);
            }
            Event::Failed { .. } => self.failed += 1,
            Event::TakenBack { .. } => self.taken_back += 1,
            Event::Alarm { .. } => self.alarms += 1,
            Event::Missed { .. } => self.missed += 1,
            Event::Reachable { .. }
            | Event::InStep { .. }
            | Event::Note { .. }
            | Event::Superseded { .. } => {}
        }
    }
}

/// Whether a metric only grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// It goes up and down.
    Gauge,
    /// It grows from the start of the program on.
    Counter,
}

/// A metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Whether it only grows.
    pub kind: MetricKind,
    /// What it says.
    pub help: &'static str,
    read: fn(&Observed) -> String,
}

impl MetricKind {
    /// Its name in the format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
        }
    }
}

const fn gauge(name: &'static str, help: &'static str, read: fn(&Observed) -> String) -> Metric {
    Metric { name, kind: MetricKind::Gauge, help, read }
}

const fn counter(name: &'static str, help: &'static str, read: fn(&Observed) -> String) -> Metric {
    Metric { name, kind: MetricKind::Counter, help, read }
}

/// All metrics, in the order in which they are shown.
pub const METRICS: [Metric; 21] = [
    gauge(
        "canon_last_turn_timestamp_seconds",
        "Time of the last look for a new block, by the machine's clock",
        |seen| seen.last_turn.get().to_string(),
    ),
    gauge("canon_reachable", "1 if the chain could be read in the last look", |seen| {
        flag(seen.is_reachable)
    }),
    gauge("canon_in_step", "1 if the newest block that an endpoint has was seen", |seen| {
        flag(seen.is_in_step)
    }),
    gauge(
        "canon_history_known",
        "1 if the set's history is known; without it payments and withheld actions are unknown",
        |seen| flag(seen.has_history),
    ),
    gauge("canon_block", "Number of the newest block that was seen", |seen| seen.block.to_string()),
    gauge("canon_block_timestamp_seconds", "Time of the newest block that was seen", |seen| {
        seen.block_time.get().to_string()
    }),
    gauge("canon_base_fee_gwei", "Base fee of that block", |seen| gwei(seen.base_fee)),
    gauge(
        "canon_balance_ether",
        "Balance of the account, as it was read last: at the start, after each transaction, and every 50 blocks",
        |seen| ether(seen.balance),
    ),
    gauge(
        "canon_open_windows",
        "Pushes, executions and seeds that are possible now and not for ever",
        |seen| seen.open_windows.to_string(),
    ),
    gauge(
        "canon_next_close_timestamp_seconds",
        "Last second of the one of them that ends first; 0 if there is none",
        |seen| seen.next_close.get().to_string(),
    ),
    gauge("canon_due", "Steps that the daemon takes or has taken in the newest block", |seen| {
        seen.due.to_string()
    }),
    gauge("canon_in_flight", "Transactions of the account that aren't mined yet", |seen| {
        seen.in_flight.to_string()
    }),
    gauge(
        "canon_alarms",
        "Steps that an alarm was raised for and that are still possible and not done",
        |seen| seen.alarms.to_string(),
    ),
    counter("canon_turns_total", "Looks for a new block", |seen| seen.counts.turns.to_string()),
    counter("canon_outages_total", "Times in which the chain couldn't be read", |seen| {
        seen.counts.outages.to_string()
    }),
    counter("canon_sent_total", "Transactions that a node took", |seen| {
        seen.counts.sent.to_string()
    }),
    counter("canon_done_total", "Steps that were taken by transactions of the account", |seen| {
        seen.counts.done.to_string()
    }),
    counter("canon_failed_total", "Failures that were logged", |seen| {
        seen.counts.failed.to_string()
    }),
    counter("canon_taken_back_total", "Transactions whose blocks were replaced", |seen| {
        seen.counts.taken_back.to_string()
    }),
    counter("canon_alarms_total", "Alarms, and steps that nobody took in time", |seen| {
        (seen.counts.alarms + seen.counts.missed).to_string()
    }),
    counter("canon_fees_ether_total", "Fees of the transactions that took a step", |seen| {
        ether(seen.counts.fees)
    }),
];

/// All metrics of a daemon in Prometheus' text format.
pub fn render(seen: &Observed) -> String {
    let mut text = String::new();
    for Metric { name, kind, help, read } in &METRICS {
        let (kind, value) = (kind.name(), read(seen));
        // Writing to a string never fails.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
    }
    text
}

fn flag(is_set: bool) -> String {
    u8::from(is_set).to_string()
}

/// An amount of wei with a number of decimals, without trailing zeros.
fn decimal(wei: U256, decimals: usize) -> String {
    let digits = format!("{wei:0>width$}", width = decimals + 1);
    let (whole, part) = digits.split_at(digits.len() - decimals);
    let part = part.trim_end_matches('0');
    if part.is_empty() { whole.to_owned() } else { format!("{whole}.{part}") }
}

fn ether(wei: U256) -> String {
    decimal(wei, 18)
}

fn gwei(wei: u128) -> String {
    decimal(U256::from(wei), 9)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_metric_has_a_name_of_its_own_a_help_and_one_value() {
        let text = render(&Observed::default());
        let names: BTreeSet<_> = METRICS.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), METRICS.len());
        assert_eq!(text.lines().count(), 3 * METRICS.len());
        for Metric { name, kind, .. } in &METRICS {
            let is_total = name.ends_with("_total");
            assert_eq!(is_total, *kind == MetricKind::Counter, "{name}");
            assert!(text.contains(&format!("\n{name} ")), "{name}: {text}");
        }
    }

    #[test]
    fn wei_are_shown_exactly() {
        for (wei, shown) in [
            ("0", "0"),
            ("1", "0.000000000000000001"),
            ("1500000000000000000", "1.5"),
            ("12000000000000000000", "12"),
        ] {
            assert_eq!(ether(wei.parse().unwrap()), shown);
        }
        assert_eq!(gwei(1_000_000_007), "1.000000007");
    }
}
