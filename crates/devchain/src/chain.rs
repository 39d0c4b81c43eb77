//! The chain: its blocks, their indexes, and the making of the next block.

use std::{collections::BTreeMap, sync::Arc};

use alloy_consensus::{Header, Transaction};
use alloy_eips::{
    eip1559::BaseFeeParams,
    eip2935::{HISTORY_SERVE_WINDOW, HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE},
};
use alloy_primitives::{
    Address, B256, U256,
    map::{AddressMap, AddressSet, B256Map},
};
use alloy_signer_local::PrivateKeySigner;

use crate::{
    accounts,
    block::{Block, Tx, open_header},
    config::{DevchainConfig, Mining},
    error::{Error, Result},
    exec::{Session, View},
    filters::Filters,
    pool::{Pool, Rejected},
    proxy::{DEPLOYMENT_PROXY, DEPLOYMENT_PROXY_CODE},
    rewind::Snapshot,
    state::State,
};

/// Settings for the next block only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NextBlock {
    pub(crate) timestamp: Option<u64>,
    pub(crate) base_fee: Option<u64>,
    pub(crate) prevrandao: Option<B256>,
}

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

#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) config: DevchainConfig,
    pub(crate) signers: Vec<PrivateKeySigner>,
    pub(crate) state: State,
    /// The blocks by number, from genesis to the head.
    pub(crate) blocks: Vec<Block>,
    pub(crate) numbers: B256Map<u64>,
    /// The position of each mined transaction: the number of its block, and its index in the block.
    pub(crate) locations: B256Map<(u64, usize)>,
    /// The blocks in which each address emitted logs, ascending.
    pub(crate) emitters: AddressMap<Vec<u64>>,
    pub(crate) pool: Pool,
    pub(crate) next: NextBlock,
    pub(crate) mining: Mining,
    /// The number of reorgs, so that blocks with equal content differ in their RANDAO and hash.
    pub(crate) fork: u64,
    pub(crate) filters: Filters,
    pub(crate) snapshots: BTreeMap<u64, Snapshot>,
    pub(crate) snapshots_taken: u64,
    pub(crate) impersonated: AddressSet,
    pub(crate) impersonate_all: bool,
}

impl Chain {
    pub(crate) fn new(mut config: DevchainConfig) -> Self {
        config.block_time = config.block_time.max(1);
        let signers = accounts::dev_accounts(config.seed, config.dev_accounts);
        let mut state = State::new();
        let dev = signers.iter().map(|signer| (signer.address(), config.dev_balance));
        for (address, balance) in dev.chain(config.alloc.iter().copied()) {
            state.edit(address, |info| info.balance = balance);
        }
        let genesis = open_header(
            B256::ZERO,
            0,
            config.genesis_timestamp,
            config.gas_limit,
            config.base_fee,
            config.coinbase,
            randao(&config, 0, 0),
        );
        // As on mainnet, a contract stores the hashes of the last blocks (EIP-2935).
        state.edit(HISTORY_STORAGE_ADDRESS, |info| info.nonce = 1);
        state
            .set_code(HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE.clone())
            .expect("the contract's code is legacy code");
        // As on anvil, its nonce is 0. On mainnet it is 1, because a transaction created it.
        state
            .set_code(DEPLOYMENT_PROXY, DEPLOYMENT_PROXY_CODE)
            .expect("the proxy's code is legacy code");
        let version = state.seal();
        state.prune(version);
        let mut chain = Self {
            mining: config.mining,
            next: NextBlock::default(),
            config,
            signers,
            state,
            blocks: Vec::new(),
            numbers: B256Map::default(),
            locations: B256Map::default(),
            emitters: AddressMap::default(),
            pool: Pool::default(),
            fork: 0,
            filters: Filters::default(),
            snapshots: BTreeMap::new(),
            snapshots_taken: 0,
            impersonated: AddressSet::default(),
            impersonate_all: false,
        };
        chain.append(Block::seal(genesis, Vec::new(), version));
        chain
    }

    pub(crate) fn head(&self) -> &Block {
        self.blocks.last().expect("the chain has a genesis block")
    }

    pub(crate) fn block_by_hash(&self, hash: B256) -> Option<&Block> {
        self.blocks.get(*self.numbers.get(&hash)? as usize)
    }

    /// The state after a block. The state after the head includes later edits.
    pub(crate) fn view(&self, number: u64) -> Result<View<'_>> {
        let view = View { state: &self.state, version: None, blocks: &self.blocks };
        match self.blocks.get(number as usize) {
            Some(block) if number < self.head().number() => {
                if !self.state.reaches(block.version) {
                    return Err(self.too_deep(number));
                }
                Ok(View { version: Some(block.version), ..view })
            }
            _ => Ok(view),
        }
    }

    pub(crate) fn too_deep(&self, block: u64) -> Error {
        let oldest = self.blocks.partition_point(|block| !self.state.reaches(block.version));
        Error::TooDeep { block, oldest: oldest as u64 }
    }

    /// The base fee of the next block, in wei per gas. That of block 1 equals the one of genesis;
    /// from block 2 on it follows from EIP-1559. A base fee that was set takes precedence.
    pub(crate) fn next_base_fee(&self) -> u64 {
        let head = self.head();
        let regular = if head.number() == 0 {
            head.header.base_fee_per_gas
        } else {
            head.header.next_block_base_fee(BaseFeeParams::ethereum())
        };
        self.next.base_fee.or(regular).unwrap_or_default()
    }

    pub(crate) fn next_timestamp(&self) -> u64 {
        let regular = self.head().header.timestamp.saturating_add(self.config.block_time);
        self.next.timestamp.unwrap_or(regular)
    }

    /// The header of the next block, without the fields that follow from its transactions.
    pub(crate) fn next_header(&self) -> Header {
        let head = self.head();
        let number = head.number() + 1;
        open_header(
            head.hash,
            number,
            self.next_timestamp(),
            self.config.gas_limit,
            self.next_base_fee(),
            self.config.coinbase,
            self.next.prevrandao.unwrap_or_else(|| randao(&self.config, number, self.fork)),
        )
    }

    pub(crate) fn set_next_timestamp(&mut self, timestamp: u64) -> Result<()> {
        let head = self.head().header.timestamp;
        if timestamp <= head {
            return Err(Error::Timestamp { timestamp, head });
        }
        self.next.timestamp = Some(timestamp);
        Ok(())
    }

    /// Moves the next block's timestamp to `seconds` after the head, or after the timestamp that
    /// was set for it.
    pub(crate) fn increase_time(&mut self, seconds: u64) -> u64 {
        let head = self.head().header.timestamp;
        let timestamp = self.next.timestamp.unwrap_or(head).saturating_add(seconds);
        self.next.timestamp = Some(timestamp.max(head + 1));
        self.next_timestamp()
    }

    /// Adds a transaction to the pool, and mines it if the chain mines automatically.
    pub(crate) fn submit(&mut self, tx: Tx) -> Result<B256, Rejected> {
        let (chain_id, gas_limit) = (self.config.chain_id, self.config.gas_limit);
        let hash = self.pool.add(Arc::new(tx), &self.state, chain_id, gas_limit)?;
        self.filters.on_pending(hash);
        if self.mining == Mining::Auto {
            self.mine_waiting();
        }
        Ok(hash)
    }

    /// Mines all transactions that can be executed, each in its own block.
    fn mine_waiting(&mut self) {
        while let Some(waiting) =
            self.pool.ready(&self.state, self.next_base_fee()).into_iter().next()
        {
            let (header, executed, excluded) = self.execute(vec![waiting.tx]);
            for (tx, _) in excluded {
                self.pool.remove(tx.signer(), tx.nonce());
            }
            if !executed.is_empty() {
                self.seal(header, executed);
            }
        }
    }

    /// Mines a block of the executable transactions in the pool, up to its gas limit.
    pub(crate) fn mine(&mut self) -> MinedBlock {
        let ready = self.pool.ready(&self.state, self.next_base_fee());
        self.build(ready.into_iter().map(|waiting| waiting.tx).collect()).0
    }

    /// Mines a block of these transactions. Those that don't fit wait; those that can't be
    /// executed are dropped from the pool and returned.
    pub(crate) fn build(&mut self, candidates: Vec<Arc<Tx>>) -> (MinedBlock, Vec<Excluded>) {
        let (header, executed, excluded) = self.execute(candidates);
        for (tx, _) in &excluded {
            self.pool.remove(tx.signer(), tx.nonce());
        }
        let mined = self.seal(header, executed);
        (mined, excluded.into_iter().map(|(tx, why)| (*tx.tx_hash(), why)).collect())
    }

    #[expect(clippy::type_complexity, reason = "two lists, made here and used above")]
    pub(crate) fn execute(
        &mut self,
        candidates: Vec<Arc<Tx>>,
    ) -> (Header, Vec<(Arc<Tx>, crate::block::Outcome)>, Vec<(Arc<Tx>, String)>) {
        let header = self.next_header();
        let mut gas_left = header.gas_limit;
        let (mut executed, mut excluded) = (Vec::new(), Vec::new());
        // The senders whose later transactions must wait, because one was left out.
        let mut waiting = AddressSet::default();
        let chain_id = self.config.chain_id;
        let slot = U256::from((header.number - 1) % HISTORY_SERVE_WINDOW as u64);
        self.state.set_slot(HISTORY_STORAGE_ADDRESS, slot, header.parent_hash.into());
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
        (header, executed, excluded)
    }

    pub(crate) fn seal(
        &mut self,
        header: Header,
        executed: Vec<(Arc<Tx>, crate::block::Outcome)>,
    ) -> MinedBlock {
        let version = self.state.seal();
        let block = Block::seal(header, executed, version);
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

    /// Adds a block to the chain and to its indexes.
    pub(crate) fn append(&mut self, block: Block) {
        let number = block.number();
        self.numbers.insert(block.hash, number);
        for (position, (tx, receipt)) in block.transactions.iter().zip(&block.receipts).enumerate()
        {
            self.locations.insert(*tx.tx_hash(), (number, position));
            for log in receipt.envelope.logs() {
                let blocks = self.emitters.entry(log.address).or_default();
                if blocks.last() != Some(&number) {
                    blocks.push(number);
                }
            }
        }
        self.blocks.push(block);
    }

    /// Removes all blocks, genesis included.
    pub(crate) fn clear_blocks(&mut self) {
        self.blocks.clear();
        self.numbers.clear();
        self.locations.clear();
        self.emitters.clear();
    }

    /// Removes the head from the chain. Its effects on the state stay until the state is rolled
    /// back.
    pub(crate) fn detach_head(&mut self) -> Option<Block> {
        let block = self.blocks.pop()?;
        self.numbers.remove(&block.hash);
        for (tx, receipt) in block.transactions.iter().zip(&block.receipts) {
            self.locations.remove(tx.tx_hash());
            for log in receipt.envelope.logs() {
                if let Some(blocks) = self.emitters.get_mut(&log.address) {
                    while blocks.last().is_some_and(|number| *number >= block.number()) {
                        blocks.pop();
                    }
                }
            }
        }
        Some(block)
    }

    /// Drops the history that neither `history_blocks` nor a snapshot needs.
    fn forget_old_states(&mut self) {
        let oldest = self.head().number().saturating_sub(self.config.history_blocks);
        let snapshot = self.snapshots.values().next().map(|snapshot| snapshot.version);
        let version = self.blocks[oldest as usize].version;
        self.state.prune(version.min(snapshot.unwrap_or(version)));
    }

    pub(crate) fn is_impersonated(&self, address: Address) -> bool {
        self.impersonate_all || self.impersonated.contains(&address)
    }

    pub(crate) fn signer(&self, address: Address) -> Option<&PrivateKeySigner> {
        self.signers.iter().find(|signer| signer.address() == address)
    }

    /// The block of a mined transaction, and its index in the block.
    pub(crate) fn find(&self, hash: &B256) -> Option<(&Block, usize)> {
        let (number, position) = self.locations.get(hash)?;
        Some((self.blocks.get(*number as usize)?, *position))
    }

    pub(crate) fn set_balance(&mut self, address: Address, balance: U256) {
        self.state.edit(address, |info| info.balance = balance);
    }
}

/// The RANDAO of a block, if none was set.
fn randao(config: &DevchainConfig, number: u64, fork: u64) -> B256 {
    accounts::derive("canon devchain randao", config.seed, &[number, fork])
}
