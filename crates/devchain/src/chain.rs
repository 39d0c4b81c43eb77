//! The chain: its blocks, their indexes, and the header of the next block.

use std::collections::BTreeMap;

use alloy_consensus::Header;
use alloy_eips::{
    eip1559::{BaseFeeParams, calc_next_block_base_fee},
    eip2935::{HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE},
};
use alloy_primitives::{
    Address, B256, U256,
    map::{AddressMap, AddressSet, B256Map},
};
use alloy_signer_local::PrivateKeySigner;
use tokio::sync::watch;

use crate::{
    accounts,
    block::{Block, StateVersions, open_header},
    config::{DevchainConfig, Mining},
    error::{Error, Result},
    exec::{Hashes, View},
    filters::Filters,
    pool::Pool,
    proxy::{DEPLOYMENT_PROXY, DEPLOYMENT_PROXY_CODE},
    rewind::Snapshot,
    shared::Shared,
    state::State,
};

/// The latest timestamp that can be set in any way, so that each later block has one too.
pub(crate) const MAX_TIMESTAMP: u64 = i64::MAX as u64;

/// The base fee from which on full blocks don't raise it, so that it stays a number of 64 bits.
const MAX_BASE_FEE: u64 = u64::MAX / 2;

/// Settings for the next block only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NextBlock {
    pub(crate) timestamp: Option<u64>,
    pub(crate) base_fee: Option<u64>,
    pub(crate) prevrandao: Option<B256>,
}

#[derive(Debug)]
pub(crate) struct Chain {
    /// The parameters at genesis, from which a reset starts again.
    pub(crate) genesis: DevchainConfig,
    /// The parameters now.
    pub(crate) config: DevchainConfig,
    pub(crate) signers: Vec<PrivateKeySigner>,
    pub(crate) state: Shared<State>,
    /// The blocks by number, from genesis to the head.
    pub(crate) blocks: Vec<Block>,
    /// The memory that the blocks take, in bytes.
    size: u64,
    pub(crate) numbers: B256Map<u64>,
    /// The position of each mined transaction: the number of its block, and its index in the block.
    pub(crate) locations: B256Map<(u64, usize)>,
    /// The blocks in which each address emitted logs, ascending.
    pub(crate) emitters: AddressMap<Vec<u64>>,
    pub(crate) pool: Pool,
    pub(crate) next: NextBlock,
    /// Seconds from a block to the next one, if not those of the configuration.
    pub(crate) timestamp_interval: Option<u64>,
    /// The seconds by which the chain's time is ahead of its clock; without a clock, those that clients
    /// have added.
    pub(crate) time_offset: i64,
    /// The mode of mining. A server waits for its changes.
    pub(crate) mining: watch::Sender<Mining>,
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
        let versions = StateVersions { before: version, after: version };
        state.prune(version);
        let mut chain = Self {
            mining: watch::Sender::new(config.mining),
            next: NextBlock::default(),
            timestamp_interval: None,
            time_offset: 0,
            genesis: config.clone(),
            config,
            signers,
            state: state.into(),
            blocks: Vec::new(),
            size: 0,
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
        chain.append(Block::seal(genesis, Vec::new(), versions));
        chain.follow_clock();
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
        let hashes = Hashes::Of(&self.blocks);
        let view = View { state: &self.state, version: None, hashes };
        match self.blocks.get(number as usize) {
            Some(block) if number < self.head().number() => {
                if !self.state.reaches(block.versions.after) {
                    return Err(self.too_deep(number));
                }
                Ok(View { version: Some(block.versions.after), ..view })
            }
            _ => Ok(view),
        }
    }

    pub(crate) fn too_deep(&self, block: u64) -> Error {
        let oldest = self.blocks.partition_point(|block| !self.state.reaches(block.versions.after));
        Error::TooDeep { block, oldest: oldest as u64 }
    }

    /// The base fee of the next block, in wei per gas. That of block 1 equals the one of genesis;
    /// from block 2 on it follows from EIP-1559. A base fee that was set takes precedence.
    pub(crate) fn next_base_fee(&self) -> u64 {
        let Header { gas_used, gas_limit, number, .. } = self.head().header;
        let base_fee = self.head().base_fee();
        let regular = if number == 0 {
            base_fee
        } else {
            let base_fee = base_fee.min(MAX_BASE_FEE);
            calc_next_block_base_fee(gas_used, gas_limit, base_fee, BaseFeeParams::ethereum())
        };
        self.next.base_fee.unwrap_or(regular)
    }

    pub(crate) fn next_timestamp(&self) -> u64 {
        self.next.timestamp.unwrap_or_else(|| {
            let usual = match *self.mining.borrow() {
                Mining::Interval(seconds) => seconds.get(),
                Mining::Auto | Mining::Manual => self.config.block_time,
            };
            let head = self.head().header.timestamp;
            let next = match (self.timestamp_interval, self.clock_time()) {
                (None, Some(time)) => time,
                (interval, _) => head.saturating_add(interval.unwrap_or(usual)),
            };
            next.min(MAX_TIMESTAMP).max(head + 1)
        })
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
        check_timestamp(timestamp)?;
        self.next.timestamp = Some(timestamp);
        Ok(())
    }

    /// Refuses a number of seconds if a block so much later, or so many such blocks one after another, would
    /// be later than [`MAX_TIMESTAMP`].
    pub(crate) fn check_seconds(&self, seconds: u64, blocks: u64) -> Result<()> {
        let from = match self.config.clock {
            Some(_) => self.next_timestamp(),
            None => self.next.timestamp.unwrap_or_else(|| self.head().header.timestamp),
        };
        check_timestamp(from.saturating_add(seconds.saturating_mul(blocks)))
    }

    /// Moves the next block's timestamp to `seconds` after the head, or after the timestamp that
    /// was set for it, but not further than [`MAX_TIMESTAMP`].
    pub(crate) fn increase_time(&mut self, seconds: u64) -> u64 {
        let head = self.head().header.timestamp;
        let timestamp = self.next.timestamp.unwrap_or(head).saturating_add(seconds);
        self.next.timestamp = Some(timestamp.min(MAX_TIMESTAMP).max(head + 1));
        self.next_timestamp()
    }

    /// Refuses to mine further blocks if those that are there take too much memory.
    pub(crate) const fn check_room(&self) -> Result<()> {
        let limit = self.config.max_size;
        if self.size > limit { Err(Error::Full { limit }) } else { Ok(()) }
    }

    /// Adds a block to the chain and to its indexes.
    pub(crate) fn append(&mut self, block: Block) {
        let number = block.number();
        self.size += block.size();
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
        self.size = 0;
        self.numbers.clear();
        self.locations.clear();
        self.emitters.clear();
    }

    /// Removes the head from the chain. Its effects on the state stay until the state is rolled
    /// back.
    pub(crate) fn detach_head(&mut self) -> Option<Block> {
        let block = self.blocks.pop()?;
        self.size = self.size.saturating_sub(block.size());
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

    pub(crate) fn set_mining(&self, mining: Mining) {
        self.mining.send_replace(mining);
    }

    /// Replaces the whole chain by another one. Filters and impersonations belong to the clients and
    /// are gone; whoever waits for changes of the mining mode goes on waiting. The clock and the largest size of the
    /// chain stay.
    pub(crate) fn replace(&mut self, mut other: Self) {
        let (mining, max_size) = (self.mining.clone(), self.config.max_size);
        mining.send_replace(*other.mining.borrow());
        other.genesis.clock = self.genesis.clock.take();
        other.config.clock = self.config.clock.take();
        *self = Self { mining, ..other };
        (self.config.max_size, self.genesis.max_size) = (max_size, max_size);
        self.follow_clock();
    }

    pub(crate) fn set_balance(&mut self, address: Address, balance: U256) {
        self.state.edit(address, |info| info.balance = balance);
    }
}

const fn check_timestamp(timestamp: u64) -> Result<()> {
    if timestamp > MAX_TIMESTAMP {
        return Err(Error::TimestampTooLate { timestamp, latest: MAX_TIMESTAMP });
    }
    Ok(())
}

/// The RANDAO of a block, if none was set.
fn randao(config: &DevchainConfig, number: u64, fork: u64) -> B256 {
    accounts::derive("canon devchain randao", config.seed, &[number, fork])
}
