//! Snapshots and reorgs.

use std::sync::Arc;

use alloy_consensus::Transaction;
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::B256;

use crate::{
    block::Tx,
    calls::MAX_CALL_GAS,
    chain::{Chain, NextBlock},
    error::{Error, Result},
    mining::MinedBlock,
    pool::{Pool, Waiting},
    state::Version,
};

/// The largest number of snapshots.
const MAX_SNAPSHOTS: usize = 1_024;

/// The largest size of the transactions in the pools of all snapshots together, in bytes.
const MAX_SNAPSHOT_BYTES: usize = 256 << 20;

/// The id of a snapshot of a [`Devchain`](crate::Devchain).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SnapshotId(pub(crate) u64);

impl SnapshotId {
    /// The number of the snapshot in `evm_revert`.
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// The state that a revert restores. Filters, impersonations and the mining mode belong to the
/// clients and aren't part of it.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) version: Version,
    head: u64,
    /// The transactions that waited, and the number of those that had ever arrived.
    waiting: Vec<Waiting>,
    arrivals: u64,
    /// The size of those transactions, in bytes.
    size: usize,
    next: NextBlock,
    time_offset: i64,
    fork: u64,
}

/// The replacement of the newest blocks. See [`Devchain::reorg`](crate::Devchain::reorg).
#[derive(Clone, Debug, Default)]
pub struct ReorgOptions {
    /// The number of blocks to remove from the chain.
    pub depth: u64,
    /// The signed transactions (EIP-2718) of each new block, in order. Blocks beyond the end of the
    /// list are empty. There are as many new blocks as old ones, or as this list has if that is
    /// more.
    pub blocks: Vec<Vec<alloy_primitives::Bytes>>,
    /// The treatment of the old blocks' transactions. Default: they return to the pool.
    pub old: OldTransactions,
}

/// The treatment of transactions whose blocks are replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OldTransactions {
    /// They wait in the pool to be mined again, as after a reorg of mainnet.
    #[default]
    ReturnToPool,
    /// They are dropped, as if they had never been sent.
    Drop,
}

/// The result of a reorg.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reorg {
    /// The hashes of the removed blocks, oldest first.
    pub removed: Vec<B256>,
    /// The new blocks.
    pub added: Vec<MinedBlock>,
    /// The hashes of transactions for the new blocks that couldn't be executed, and the reasons.
    pub excluded: Vec<(B256, String)>,
}

/// Refuses transactions of a reorg that could use too much gas, since they are executed without a pause.
pub(crate) fn check_gas(blocks: &[Vec<Arc<Tx>>]) -> Result<(), String> {
    let gas = blocks.iter().flatten().map(|tx| tx.gas_limit()).fold(0, u64::saturating_add);
    if gas > MAX_CALL_GAS {
        return Err(format!(
            "gas of all transactions: found {gas}, expected at most {MAX_CALL_GAS}"
        ));
    }
    Ok(())
}

impl Chain {
    pub(crate) fn snapshot(&mut self) -> SnapshotId {
        self.snapshots_taken += 1;
        let waiting: Vec<_> = self.pool.all().into_iter().cloned().collect();
        let sizes =
            waiting.iter().map(|waiting| size_of::<Waiting>() + waiting.tx.encode_2718_len());
        let snapshot = Snapshot {
            version: self.state.checkpoint(),
            head: self.head().number(),
            size: sizes.sum(),
            waiting,
            arrivals: self.pool.arrivals(),
            next: self.next.clone(),
            time_offset: self.time_offset,
            fork: self.fork,
        };
        self.snapshots.insert(self.snapshots_taken, snapshot);
        self.forget_old_snapshots();
        SnapshotId(self.snapshots_taken)
    }

    /// Removes the oldest snapshots if there are too many. The newest one stays.
    fn forget_old_snapshots(&mut self) {
        let mut size: usize = self.snapshots.values().map(|snapshot| snapshot.size).sum();
        while self.snapshots.len() > 1
            && (self.snapshots.len() > MAX_SNAPSHOTS || size > MAX_SNAPSHOT_BYTES)
            && let Some((_, oldest)) = self.snapshots.pop_first()
        {
            size -= oldest.size;
        }
    }

    pub(crate) fn revert(&mut self, id: SnapshotId) -> Result<()> {
        let snapshot = self.snapshots.remove(&id.0).ok_or(Error::UnknownSnapshot(id.0))?;
        self.snapshots.split_off(&id.0);
        self.detach_to(snapshot.head);
        self.state.rollback(snapshot.version);
        self.pool = Pool::of(snapshot.waiting, snapshot.arrivals);
        self.next = snapshot.next;
        self.time_offset = snapshot.time_offset;
        self.fork = snapshot.fork;
        Ok(())
    }

    /// The number of the block that is the newest after `depth` blocks are removed.
    pub(crate) fn check_depth(&self, depth: u64) -> Result<u64> {
        let blocks = self.head().number();
        let ancestor = blocks.checked_sub(depth).ok_or(Error::Depth { depth, blocks })?;
        if !self.state.reaches(self.blocks[ancestor as usize].versions.after) {
            return Err(self.too_deep(ancestor));
        }
        Ok(ancestor)
    }

    /// Removes the newest `depth` blocks. Returns the hash and the transactions of each, oldest first.
    pub(crate) fn remove_blocks(&mut self, depth: u64) -> Result<Vec<(B256, Vec<Arc<Tx>>)>> {
        let ancestor = self.check_depth(depth)?;
        let version = self.blocks[ancestor as usize].versions.after;
        // Snapshots of removed blocks can't be restored any more.
        self.snapshots.retain(|_, snapshot| snapshot.version <= version);
        let removed = self.detach_to(ancestor);
        self.state.rollback(version);
        self.next = NextBlock::default();
        self.fork += 1;
        Ok(removed)
    }

    /// Replaces the newest `depth` blocks by blocks of these transactions.
    pub(crate) fn reorg(
        &mut self,
        depth: u64,
        mut new: Vec<Vec<Arc<Tx>>>,
        old: OldTransactions,
    ) -> Result<Reorg> {
        let ancestor = self.check_depth(depth)?;
        new.resize(new.len().max(depth as usize), Vec::new());
        let timestamps: Vec<u64> =
            self.blocks[ancestor as usize + 1..].iter().map(|b| b.header.timestamp).collect();
        let time_offset = self.time_offset;
        let removed = self.remove_blocks(depth)?;
        if old == OldTransactions::ReturnToPool {
            for tx in removed.iter().flat_map(|block| &block.1) {
                self.pool.put(Arc::clone(tx));
            }
        }

        let (mut added, mut excluded) = (Vec::new(), Vec::new());
        for (index, transactions) in new.into_iter().enumerate() {
            self.next.timestamp = timestamps.get(index).copied();
            let (block, out) = self.build(transactions, u64::MAX);
            added.push(block);
            excluded.extend(out);
        }
        // The new blocks have the times of the old ones, which don't set the clock.
        self.time_offset = time_offset;
        self.pool.remove_stale(&self.state);
        Ok(Reorg { removed: removed.into_iter().map(|block| block.0).collect(), added, excluded })
    }

    /// Removes blocks until `head` is the newest. Returns the hash and the transactions of each,
    /// oldest first. The state isn't changed.
    fn detach_to(&mut self, head: u64) -> Vec<(B256, Vec<Arc<Tx>>)> {
        let mut removed = Vec::new();
        while self.head().number() > head {
            let Some(block) = self.detach_head() else { break };
            // Each filter goes back to the last one. Those before it concern filters only with their logs.
            if block.number() == head + 1 || !block.header.logs_bloom.is_zero() {
                self.filters.on_removed(&block);
            }
            removed.push((block.hash, block.transactions));
        }
        removed.reverse();
        removed
    }
}
