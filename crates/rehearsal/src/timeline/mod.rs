//! The timeline of a rehearsal: typed events, in the order in which they happened.
//!
//! [`Timeline`] only collects events. [`render`](self) decides how they are shown to people, and
//! serde how they are passed to programs.

mod event;
mod phrase;
mod render;
mod who;

use canon_protocol::{BlockNumber, Timestamp};
use serde::Serialize;

pub use event::{NamedContract, Side, TimelineEvent, Window};
pub(crate) use phrase::{because, outcome};
pub(crate) use render::{BOLD, DIM, GOOD, heading, render, wrap};
pub use who::{Chapter, Who};

/// Gas of the transactions that belong to an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Spent {
    /// The number of transactions.
    pub transactions: u64,
    /// Their gas, as in their receipts.
    pub gas: u64,
}

impl Spent {
    /// Adds the gas of another transaction.
    pub const fn add(&mut self, gas: u64) {
        self.transactions += 1;
        self.gas += gas;
    }

    /// The sum of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { transactions: self.transactions + other.transactions, gas: self.gas + other.gas }
    }
}

/// An event with its place in the timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Entry {
    /// The chapter of the event.
    pub chapter: Chapter,
    /// The timestamp of the L1 block that completed it, in Unix seconds.
    pub time: Timestamp,
    /// The number of that block.
    pub l1_block: BlockNumber,
    /// The actor; [`Who::Time`] if the event followed from time alone.
    pub who: Who,
    /// The event.
    #[serde(flatten)]
    pub what: TimelineEvent,
    /// The gas of its transactions; `None` if it took none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spent: Option<Spent>,
}

/// All events of a rehearsal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Timeline {
    entries: Vec<Entry>,
}

impl Timeline {
    pub(crate) const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    pub(crate) fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// The entries, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}
