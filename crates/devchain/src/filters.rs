//! Filters of `eth_newFilter` and related methods. Each stores how far its client has read.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::ControlFlow,
};

use alloy_primitives::{B256, U256};
use alloy_rpc_types_eth::{Filter, FilterChanges, Log};

use crate::{
    block::Block,
    chain::Chain,
    logs::{self, MAX_LOGS, Part, matching_logs},
};

/// The largest number of filters.
const MAX_FILTERS: usize = 1_024;

/// The largest number of blocks in an answer. The next one has the rest.
const MAX_BLOCKS: usize = 20_000;

/// The largest number of hashes of transactions that wait for the clients of filters.
const MAX_ARRIVED: usize = 100_000;

/// The largest number of removed logs that wait for the clients of all filters together.
const MAX_REMOVED: usize = 10 * MAX_LOGS;

/// The data that a filter collects.
#[derive(Debug)]
enum FilterKind {
    /// Matching logs.
    Logs {
        filter: Box<Filter>,
        /// The first log of the next block that wasn't delivered yet, by its index.
        next_log: u64,
        /// Delivered logs whose blocks a reorg has replaced since.
        removed: VecDeque<Log>,
    },
    /// The hashes of blocks.
    Blocks,
    /// The hashes of transactions that entered the pool. The number of those that had done so before the
    /// first one that wasn't delivered yet.
    Pending { next: u64 },
}

#[derive(Debug)]
struct Installed {
    kind: FilterKind,
    /// The number of the first block that wasn't delivered yet as a whole.
    next_block: u64,
    /// The number of requests for any filter before the last one for this.
    used: u64,
}

impl Installed {
    /// The number of removed logs that wait for the client.
    fn removed(&self) -> usize {
        match &self.kind {
            FilterKind::Logs { removed, .. } => removed.len(),
            FilterKind::Blocks | FilterKind::Pending { .. } => 0,
        }
    }

    /// The first transaction that wasn't delivered yet, if the filter collects transactions.
    const fn next_pending(&self) -> Option<u64> {
        match self.kind {
            FilterKind::Pending { next } => Some(next),
            FilterKind::Logs { .. } | FilterKind::Blocks => None,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Filters {
    installed: BTreeMap<U256, Installed>,
    created: u64,
    /// The number of requests for any filter.
    uses: u64,
    /// The hashes of transactions that entered the pool, in order, as far as a filter has them left to
    /// deliver.
    arrived: VecDeque<B256>,
    /// The number of transactions that have ever entered the pool.
    arrivals: u64,
}

impl Filters {
    /// Installs a filter. If there are too many, the one that was unused for longest goes, as on a
    /// node, where unused filters go after some minutes.
    fn install(&mut self, kind: FilterKind, next_block: u64) -> U256 {
        if self.installed.len() >= MAX_FILTERS {
            self.remove_unused(|_| true);
        }
        self.created += 1;
        self.uses += 1;
        let id = U256::from(self.created);
        self.installed.insert(id, Installed { kind, next_block, used: self.uses });
        id
    }

    /// Removes the filter of a kind that was unused for longest.
    fn remove_unused(&mut self, of_kind: fn(&Installed) -> bool) {
        let filters = self.installed.iter().filter(|(_, installed)| of_kind(installed));
        if let Some((&id, _)) = filters.min_by_key(|(_, installed)| installed.used) {
            self.uninstall(id);
        }
    }

    pub(crate) fn watch_logs(&mut self, filter: Filter, next_block: u64) -> U256 {
        let (filter, removed) = (Box::new(filter), VecDeque::new());
        self.install(FilterKind::Logs { filter, next_log: 0, removed }, next_block)
    }

    pub(crate) fn watch_blocks(&mut self, next_block: u64) -> U256 {
        self.install(FilterKind::Blocks, next_block)
    }

    pub(crate) fn watch_pending(&mut self, next_block: u64) -> U256 {
        self.install(FilterKind::Pending { next: self.arrivals }, next_block)
    }

    pub(crate) fn uninstall(&mut self, id: U256) -> bool {
        let is_gone = self.installed.remove(&id).is_some();
        self.forget_delivered();
        is_gone
    }

    /// The log filter with this id; `None` if it collects something else.
    pub(crate) fn log_filter(&self, id: U256) -> Option<&Filter> {
        match &self.installed.get(&id)?.kind {
            FilterKind::Logs { filter, .. } => Some(filter),
            _ => None,
        }
    }

    /// Records that a transaction entered the pool. A filter goes if its client doesn't fetch too many.
    pub(crate) fn on_pending(&mut self, hash: B256) {
        self.arrivals += 1;
        self.arrived.push_back(hash);
        if self.arrived.len() > MAX_ARRIVED {
            let oldest = self.arrivals - MAX_ARRIVED as u64;
            self.installed.retain(|_, filter| filter.next_pending().is_none_or(|n| n >= oldest));
        }
        self.forget_delivered();
    }

    /// Forgets the transactions that no filter has left to deliver.
    fn forget_delivered(&mut self) {
        let next = self.installed.values().filter_map(Installed::next_pending).min();
        let kept = self.arrivals - next.unwrap_or(self.arrivals);
        let delivered = self.arrived.len().saturating_sub(kept as usize);
        self.arrived.drain(..delivered);
    }

    /// Records that a block was removed from the chain. Filters that delivered it will deliver its
    /// replacement, and its logs as removed. A filter goes if its client doesn't fetch them.
    pub(crate) fn on_removed(&mut self, block: &Block) {
        self.installed.retain(|_, installed| {
            if installed.next_block < block.number() {
                return true;
            }
            let is_partial = installed.next_block == block.number();
            installed.next_block = block.number();
            let FilterKind::Logs { filter, next_log, removed } = &mut installed.kind else {
                return true;
            };
            let delivered = std::mem::take(next_log);
            let logs = matching_logs(block, filter)
                .take_while(|log| !is_partial || log.log_index < Some(delivered));
            removed.extend(logs.map(|log| Log { removed: true, ..log }));
            removed.len() <= MAX_LOGS
        });
        while self.installed.values().map(Installed::removed).sum::<usize>() > MAX_REMOVED {
            self.remove_unused(|installed| installed.removed() > 0);
        }
    }
}

impl Chain {
    /// The changes since the last call for this filter, or since it was installed. If there are too many for
    /// an answer, the next call has the rest.
    pub(crate) fn filter_changes(&mut self, id: U256) -> Option<FilterChanges> {
        let Filters { installed, uses, arrived, arrivals, .. } = &mut self.filters;
        let Installed { kind, next_block, used } = installed.get_mut(&id)?;
        *uses += 1;
        *used = *uses;
        let changes = match kind {
            FilterKind::Blocks => {
                let new = self.blocks.get(*next_block as usize..).unwrap_or_default();
                let new = &new[..new.len().min(MAX_BLOCKS)];
                *next_block += new.len() as u64;
                FilterChanges::Hashes(new.iter().map(|block| block.hash).collect())
            }
            FilterKind::Pending { next } => {
                let first = arrived.len() - (*arrivals - *next) as usize;
                *next = *arrivals;
                FilterChanges::Hashes(arrived.range(first..).copied().collect())
            }
            FilterKind::Logs { filter, next_log, removed } => {
                let mut part = Part::default();
                while !part.is_full()
                    && let Some(log) = removed.pop_front()
                {
                    part.add(log);
                }
                let (first, last) = logs::numeric_range(filter);
                let (first, last) = (first.max(*next_block), last.min(self.blocks.len() as u64));
                let rest =
                    logs::search(&self.blocks, &self.emitters, filter, first, last, |block| {
                        let delivered = if block.number() == *next_block { *next_log } else { 0 };
                        for log in matching_logs(block, filter) {
                            let index = log.log_index.unwrap_or_default();
                            if index < delivered {
                                continue;
                            }
                            if part.is_full() {
                                return ControlFlow::Break((block.number(), index));
                            }
                            part.add(log);
                        }
                        ControlFlow::Continue(())
                    });
                let end = (self.blocks.len() as u64, 0);
                (*next_block, *next_log) = rest.break_value().unwrap_or(end);
                FilterChanges::Logs(part.logs)
            }
        };
        self.filters.forget_delivered();
        Some(changes)
    }
}

#[cfg(test)]
mod tests {
    use alloy_rpc_types_eth::FilterChanges;

    use super::*;
    use crate::DevchainConfig;

    fn hashes(chain: &mut Chain, id: U256) -> Option<usize> {
        match chain.filter_changes(id)? {
            FilterChanges::Hashes(hashes) => Some(hashes.len()),
            other => panic!("no hashes: {other:?}"),
        }
    }

    #[test]
    fn transactions_are_remembered_only_for_filters_that_wait_for_them() {
        let mut chain = Chain::new(DevchainConfig::default());
        let arrive = |chain: &mut Chain, count| {
            (0..count).for_each(|_| chain.filters.on_pending(B256::ZERO));
            chain.filters.arrived.len()
        };
        assert_eq!(arrive(&mut chain, 10), 0);
        let (first, second) = (chain.filters.watch_pending(1), chain.filters.watch_pending(1));
        assert_eq!(arrive(&mut chain, 10), 10);
        assert_eq!(hashes(&mut chain, first), Some(10));
        assert_eq!(arrive(&mut chain, 5), 15);
        assert_eq!(hashes(&mut chain, second), Some(15));
        assert_eq!(chain.filters.arrived.len(), 5);
        // A client that doesn't ask loses its filter, not some of its transactions.
        assert_eq!(hashes(&mut chain, first), Some(5));
        assert_eq!(arrive(&mut chain, MAX_ARRIVED), MAX_ARRIVED);
        assert_eq!(hashes(&mut chain, second), Some(MAX_ARRIVED));
        assert_eq!(arrive(&mut chain, 1), 1);
        assert_eq!(hashes(&mut chain, first), None);
        assert_eq!(hashes(&mut chain, second), Some(1));
        assert!(chain.filters.uninstall(second));
        assert_eq!(arrive(&mut chain, 1), 0);
    }

    #[test]
    fn many_blocks_are_delivered_in_parts() {
        let mut chain = Chain::new(DevchainConfig::default());
        let id = chain.filters.watch_blocks(1);
        (0..=MAX_BLOCKS).for_each(|_| drop(chain.mine(u64::MAX)));
        assert_eq!(hashes(&mut chain, id), Some(MAX_BLOCKS));
        assert_eq!(hashes(&mut chain, id), Some(1));
        assert_eq!(hashes(&mut chain, id), Some(0));
    }
}
