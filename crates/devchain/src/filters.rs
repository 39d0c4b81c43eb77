//! Filters of `eth_newFilter` and related methods. Each stores how far its client has read.

use std::collections::BTreeMap;

use alloy_primitives::{B256, U256};
use alloy_rpc_types_eth::{Filter, FilterChanges, Log};

use crate::{
    block::Block,
    chain::Chain,
    logs::{self, MAX_LOGS, matching_logs},
};

/// The largest number of filters.
const MAX_FILTERS: usize = 1_024;

/// The data that a filter collects.
#[derive(Debug)]
enum Watch {
    /// Matching logs, and delivered logs whose blocks a reorg has replaced since.
    Logs { filter: Box<Filter>, removed: Vec<Log> },
    /// The hashes of blocks.
    Blocks,
    /// The hashes of transactions that entered the pool, from this position of [`Filters::arrived`]
    /// on.
    Pending { next: usize },
}

#[derive(Debug)]
struct Installed {
    watch: Watch,
    /// The number of the first block that wasn't delivered yet.
    next_block: u64,
    /// The number of requests for any filter before the last one for this.
    used: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Filters {
    installed: BTreeMap<U256, Installed>,
    created: u64,
    /// The number of requests for any filter.
    uses: u64,
    /// The hashes of all transactions that entered the pool, in order.
    arrived: Vec<B256>,
}

impl Filters {
    /// Installs a filter. If there are too many, the one that was unused for longest goes, as on a
    /// node, where unused filters go after some minutes.
    fn install(&mut self, watch: Watch, next_block: u64) -> U256 {
        if self.installed.len() >= MAX_FILTERS {
            let unused = self.installed.iter().min_by_key(|(_, installed)| installed.used);
            if let Some(id) = unused.map(|(id, _)| *id) {
                self.installed.remove(&id);
            }
        }
        self.created += 1;
        self.uses += 1;
        let id = U256::from(self.created);
        self.installed.insert(id, Installed { watch, next_block, used: self.uses });
        id
    }

    pub(crate) fn watch_logs(&mut self, filter: Filter, next_block: u64) -> U256 {
        self.install(Watch::Logs { filter: Box::new(filter), removed: Vec::new() }, next_block)
    }

    pub(crate) fn watch_blocks(&mut self, next_block: u64) -> U256 {
        self.install(Watch::Blocks, next_block)
    }

    pub(crate) fn watch_pending(&mut self, next_block: u64) -> U256 {
        self.install(Watch::Pending { next: self.arrived.len() }, next_block)
    }

    pub(crate) fn uninstall(&mut self, id: U256) -> bool {
        self.installed.remove(&id).is_some()
    }

    /// The log filter with this id; `None` if it collects something else.
    pub(crate) fn log_filter(&self, id: U256) -> Option<&Filter> {
        match &self.installed.get(&id)?.watch {
            Watch::Logs { filter, .. } => Some(filter),
            _ => None,
        }
    }

    /// Records that a transaction entered the pool.
    pub(crate) fn on_pending(&mut self, hash: B256) {
        self.arrived.push(hash);
    }

    /// Records that a block was removed from the chain. Filters that delivered it will deliver its
    /// replacement, and its logs as removed. A filter goes if its client doesn't fetch them.
    pub(crate) fn on_removed(&mut self, block: &Block) {
        self.installed.retain(|_, installed| {
            if installed.next_block <= block.number() {
                return true;
            }
            installed.next_block = block.number();
            let Watch::Logs { filter, removed } = &mut installed.watch else { return true };
            let logs = matching_logs(block, filter);
            removed.extend(logs.map(|log| Log { removed: true, ..log }));
            removed.len() <= MAX_LOGS
        });
    }
}

impl Chain {
    /// The changes since the last call for this filter, or since it was installed.
    pub(crate) fn filter_changes(&mut self, id: U256) -> Option<FilterChanges> {
        let head = self.head().number();
        let Filters { installed, uses, arrived, .. } = &mut self.filters;
        let installed = installed.get_mut(&id)?;
        *uses += 1;
        installed.used = *uses;
        let from = std::mem::replace(&mut installed.next_block, head + 1);
        Some(match &mut installed.watch {
            Watch::Blocks => {
                let new = self.blocks.get(from as usize..).unwrap_or_default();
                FilterChanges::Hashes(new.iter().map(|block| block.hash).collect())
            }
            Watch::Pending { next } => {
                let new = arrived.get(*next..).unwrap_or_default();
                *next = arrived.len();
                FilterChanges::Hashes(new.to_vec())
            }
            Watch::Logs { filter, removed } => {
                let mut changes = std::mem::take(removed);
                let (first, last) = logs::numeric_range(filter);
                let (first, last) = (first.max(from), last.min(head));
                let found = logs::search(&self.blocks, &self.emitters, filter, first, last);
                // The next request delivers the rest.
                installed.next_block = found.rest.unwrap_or(head + 1);
                changes.extend(found.logs);
                FilterChanges::Logs(changes)
            }
        })
    }
}
