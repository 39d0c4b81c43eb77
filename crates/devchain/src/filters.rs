//! Filters of `eth_newFilter` and related methods. Each stores how far its client has read.

use std::collections::BTreeMap;

use alloy_primitives::{B256, U256};
use alloy_rpc_types_eth::{Filter, FilterChanges, Log};

use crate::{
    block::Block,
    chain::Chain,
    logs::{self, matching_logs},
};

/// The data that a filter collects.
#[derive(Debug)]
enum Watch {
    /// Matching logs, and delivered logs whose blocks a reorg has replaced since.
    Logs { filter: Box<Filter>, removed: Vec<Log> },
    /// The hashes of blocks.
    Blocks,
    /// The hashes of transactions that entered the pool.
    Pending { hashes: Vec<B256> },
}

#[derive(Debug)]
struct Installed {
    watch: Watch,
    /// The number of the first block that wasn't delivered yet.
    next_block: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Filters {
    installed: BTreeMap<U256, Installed>,
    created: u64,
}

impl Filters {
    fn install(&mut self, watch: Watch, next_block: u64) -> U256 {
        self.created += 1;
        let id = U256::from(self.created);
        self.installed.insert(id, Installed { watch, next_block });
        id
    }

    pub(crate) fn watch_logs(&mut self, filter: Filter, next_block: u64) -> U256 {
        self.install(Watch::Logs { filter: Box::new(filter), removed: Vec::new() }, next_block)
    }

    pub(crate) fn watch_blocks(&mut self, next_block: u64) -> U256 {
        self.install(Watch::Blocks, next_block)
    }

    pub(crate) fn watch_pending(&mut self, next_block: u64) -> U256 {
        self.install(Watch::Pending { hashes: Vec::new() }, next_block)
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
        for installed in self.installed.values_mut() {
            if let Watch::Pending { hashes } = &mut installed.watch {
                hashes.push(hash);
            }
        }
    }

    /// Records that a block was removed from the chain. Filters that delivered it will deliver its
    /// replacement, and its logs as removed.
    pub(crate) fn on_removed(&mut self, block: &Block) {
        for installed in self.installed.values_mut() {
            if installed.next_block <= block.number() {
                continue;
            }
            installed.next_block = block.number();
            if let Watch::Logs { filter, removed } = &mut installed.watch {
                let logs = matching_logs(block, filter);
                removed.extend(logs.map(|log| Log { removed: true, ..log }));
            }
        }
    }
}

impl Chain {
    /// The changes since the last call for this filter, or since it was installed.
    pub(crate) fn filter_changes(&mut self, id: U256) -> Option<FilterChanges> {
        let head = self.head().number();
        let installed = self.filters.installed.get_mut(&id)?;
        let from = std::mem::replace(&mut installed.next_block, head + 1);
        Some(match &mut installed.watch {
            Watch::Blocks => {
                let new = self.blocks.get(from as usize..).unwrap_or_default();
                FilterChanges::Hashes(new.iter().map(|block| block.hash).collect())
            }
            Watch::Pending { hashes } => FilterChanges::Hashes(std::mem::take(hashes)),
            Watch::Logs { filter, removed } => {
                let mut changes = std::mem::take(removed);
                let (first, last) = logs::numeric_range(filter);
                let (first, last) = (first.max(from), last.min(head));
                changes.extend(logs::search(&self.blocks, &self.emitters, filter, first, last));
                FilterChanges::Logs(changes)
            }
        })
    }
}
