//! The gas used by each kind of transaction.

use std::collections::BTreeMap;

use serde::Serialize;

/// The gas of the transactions of one kind, as in their receipts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GasRow {
    /// The kind of the transactions.
    pub kind: &'static str,
    /// The number of transactions.
    pub count: u64,
    /// Gas of the cheapest transaction.
    pub min: u64,
    /// Median gas; with an even number of transactions, the lower of the two in the middle.
    pub median: u64,
    /// Gas of the most expensive transaction.
    pub max: u64,
    /// Gas of all transactions.
    pub total: u64,
}

/// Collects the gas of transactions by kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    /// The kinds, in the order in which they were first seen.
    kinds: Vec<&'static str>,
    used: BTreeMap<&'static str, Vec<u64>>,
}

impl Ledger {
    pub(crate) fn record(&mut self, kind: &'static str, gas: u64) {
        let used = self.used.entry(kind).or_default();
        if used.is_empty() {
            self.kinds.push(kind);
        }
        used.push(gas);
    }

    /// A row for each kind, in the order in which they were first seen.
    pub(crate) fn rows(&self) -> Vec<GasRow> {
        self.kinds.iter().filter_map(|kind| row(kind, self.used.get(kind)?)).collect()
    }
}

fn row(kind: &'static str, used: &[u64]) -> Option<GasRow> {
    let mut sorted = used.to_vec();
    sorted.sort_unstable();
    Some(GasRow {
        kind,
        count: sorted.len() as u64,
        min: *sorted.first()?,
        median: *sorted.get((sorted.len() - 1) / 2)?,
        max: *sorted.last()?,
        total: sorted.iter().sum(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_the_order_of_first_use() {
        let mut ledger = Ledger::default();
        for (kind, gas) in [("vote", 3), ("lock", 9), ("vote", 1), ("vote", 2)] {
            ledger.record(kind, gas);
        }
        let rows = ledger.rows();
        assert_eq!(rows[0].kind, "vote");
        assert_eq!((rows[0].count, rows[0].min, rows[0].median, rows[0].max), (3, 1, 2, 3));
        assert_eq!((rows[1].kind, rows[1].total), ("lock", 9));
    }
}
