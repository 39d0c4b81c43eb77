//! The making of blocks.

use std::sync::Arc;

use alloy_consensus::{Header, Transaction};
use alloy_eips::eip2935::{HISTORY_SERVE_WINDOW, HISTORY_STORAGE_ADDRESS};
use alloy_primitives::{B256, U256, map::AddressSet};

use crate::{
    block::{Block, Outcome, StateVersions, Tx},
    chain::{Chain, NextBlock},
    config::Mining,
    error::{Error, Result},
    exec::Session,
    state::Version,
};

/// The most gas of the transactions that a request mines in a block, or replaces, whatever the limit of a block is.
pub(crate) const MAX_MINED_GAS: u64 = 550_000_000;

/// A block that was just added to the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MinedBlock {
    /// The block's number.
    pub number: u64,
    /// The hash of its header.
    pub hash: B256,
    /// Its timestamp, in Unix seconds.
    pub timestamp: u64,
    /// The hashes of its transactions.
    pub transactions: Vec<B256>,
    /// The gas that they used.
    pub gas_used: u64,
}

/// The hash of a transaction that couldn't be executed in a block, and the reason.
pub(crate) type Excluded = (B256, String);

/// The transactions of a block that isn't sealed yet.
#[derive(Debug)]
pub(crate) struct Executed {
    /// The header without the fields that follow from the transactions.
    header: Header,
    /// The version of the state on which they were executed.
    pub(crate) before: Version,
    pub(crate) executed: Vec<(Arc<Tx>, Outcome)>,
    /// Those that couldn't be executed, and the reasons.
    pub(crate) excluded: Vec<(Arc<Tx>, String)>,
}

impl Chain {
    /// Adds a transaction to the pool, and mines what can be executed if the chain mines automatically.
    pub(crate) fn submit(&mut self, tx: Tx) -> Result<B256> {
        let hash = self.admit(tx)?;
        while *self.mining.borrow() == Mining::Auto && self.mine_waiting().is_some() {}
        Ok(hash)
    }

    /// Adds a transaction to the pool. If it is to be mined at once, there must be room for its block.
    pub(crate) fn admit(&mut self, tx: Tx) -> Result<B256> {
        // Where each transaction is mined at once, one that doesn't pay the base fee would wait unnoticed, with all
        // later ones of its sender. Anvil and Hardhat refuse it as well.
        let least_fee = if *self.mining.borrow() == Mining::Auto {
            self.check_room()?;
            self.next_base_fee()
        } else {
            0
        };
        let (chain_id, gas_limit) = (self.config.chain_id, self.config.gas_limit);
        let admitted = self.pool.add(Arc::new(tx), &self.state, chain_id, gas_limit, least_fee);
        let hash = admitted.map_err(|rejected| Error::Transaction(rejected.to_string()))?;
        self.filters.on_pending(hash);
        Ok(hash)
    }

    /// Mines the first transaction that can be executed in a block of its own, or drops it from the
    /// pool if it can't be after all. Returns the gas that it used; `None` if there was none.
    pub(crate) fn mine_waiting(&mut self) -> Option<u64> {
        let ready = self.pool.ready(&self.state, self.next_base_fee());
        let mut done = self.execute(vec![ready.into_iter().next()?.tx], u64::MAX);
        for (tx, _) in std::mem::take(&mut done.excluded) {
            self.pool.remove(tx.signer(), tx.nonce());
        }
        if done.executed.is_empty() {
            return Some(0);
        }
        Some(self.seal(done).gas_used)
    }

    /// Mines a block of the executable transactions in the pool, up to its gas limit or this amount of gas.
    pub(crate) fn mine(&mut self, most_gas: u64) -> MinedBlock {
        let ready = self.pool.ready(&self.state, self.next_base_fee());
        self.build(ready.into_iter().map(|waiting| waiting.tx).collect(), most_gas).0
    }

    /// The block of the executable transactions whose gas limits fit, which aren't executed: no gas is used, and
    /// there are no logs.
    pub(crate) fn pending_block(&self) -> Block {
        let header = self.next_header();
        let mut gas_left = header.gas_limit;
        let ready = self.pool.ready(&self.state, self.next_base_fee());
        let fitting = ready.into_iter().map_while(|waiting| {
            gas_left = gas_left.checked_sub(waiting.tx.gas_limit())?;
            Some((waiting.tx, Outcome::without_data(false, 0, Vec::new())))
        });
        Block::seal(header, fitting.collect(), StateVersions::default())
    }

    /// Mines a block of these transactions. Those that don't fit wait; those that can't be
    /// executed are dropped from the pool and returned.
    pub(crate) fn build(
        &mut self,
        candidates: Vec<Arc<Tx>>,
        most_gas: u64,
    ) -> (MinedBlock, Vec<Excluded>) {
        let mut done = self.execute(candidates, most_gas);
        let excluded = std::mem::take(&mut done.excluded);
        for (tx, _) in &excluded {
            self.pool.remove(tx.signer(), tx.nonce());
        }
        let mined = self.seal(done);
        (mined, excluded.into_iter().map(|(tx, why)| (*tx.tx_hash(), why)).collect())
    }

    pub(crate) fn execute(&mut self, candidates: Vec<Arc<Tx>>, most_gas: u64) -> Executed {
        let before = self.state.checkpoint();
        let header = self.next_header();
        let mut gas_left = header.gas_limit.min(most_gas);
        let (mut executed, mut excluded) = (Vec::new(), Vec::new());
        // The senders whose later transactions must wait, because one was left out.
        let mut waiting = AddressSet::default();
        let chain_id = self.config.chain_id;
        let (slot, parent) = history_slot(&header);
        self.state.set_slot(HISTORY_STORAGE_ADDRESS, slot, parent);
        let mut session = Session::new(&mut self.state, &self.blocks, &header, chain_id);
        for tx in candidates {
            let sender = tx.signer();
            if waiting.contains(&sender) {
                continue;
            }
            if tx.gas_limit() > gas_left {
                waiting.insert(sender);
                continue;
            }
            match session.execute(&tx) {
                Ok(outcome) => {
                    gas_left -= outcome.gas_used;
                    executed.push((tx, outcome));
                }
                Err(why) => {
                    waiting.insert(sender);
                    excluded.push((tx, why.to_string()));
                }
            }
        }
        Executed { header, before, executed, excluded }
    }

    pub(crate) fn seal(&mut self, done: Executed) -> MinedBlock {
        let versions = StateVersions { before: done.before, after: self.state.seal() };
        let block = Block::seal(done.header, done.executed, versions);
        // As on anvil, time goes on from one that was set.
        if let Some(timestamp) = self.next.timestamp {
            self.go_on_from(timestamp);
        }
        self.next = NextBlock::default();
        for tx in &block.transactions {
            self.pool.remove(tx.signer(), tx.nonce());
        }
        let mined = MinedBlock {
            number: block.number(),
            hash: block.hash,
            timestamp: block.header.timestamp,
            transactions: block.transactions.iter().map(|tx| *tx.tx_hash()).collect(),
            gas_used: block.header.gas_used,
        };
        self.append(block);
        self.forget_old_states();
        mined
    }

    /// Drops the history that neither `history_blocks` nor a snapshot needs.
    fn forget_old_states(&mut self) {
        let oldest = self.head().number().saturating_sub(self.config.history_blocks);
        let snapshot = self.snapshots.values().next().map(|snapshot| snapshot.version);
        let version = self.blocks[oldest as usize].versions.after;
        self.state.prune(version.min(snapshot.unwrap_or(version)));
    }
}

/// The slot of the history contract that a block writes, and the hash that it writes there (EIP-2935).
pub(crate) fn history_slot(header: &Header) -> (U256, U256) {
    let slot = header.number.saturating_sub(1) % HISTORY_SERVE_WINDOW as u64;
    (U256::from(slot), header.parent_hash.into())
}
