//! The chain as plain data in RLP: the contents of a dump.
//!
//! Collections are sorted, so that equal chains have equal images. Filters, snapshots and
//! impersonations aren't part of the image.

use std::sync::Arc;

use alloy_consensus::{Header, Transaction, TxEnvelope};
use alloy_eips::{Decodable2718, Encodable2718};
use alloy_primitives::{Address, B256, Bytes, Log};
use alloy_rlp::{Encodable, RlpDecodable, RlpEncodable};

use crate::{
    block::{Block, Outcome, StateVersions, Tx},
    chain::{Chain, MAX_TIMESTAMP, NextBlock},
    config::DevchainConfig,
    state::image::StateImage,
};

mod config;

use config::ConfigImage;

/// The reason why an image isn't that of a chain.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImageError {
    #[error("the configuration: {0}")]
    Config(&'static str),
    #[error("a transaction of {0} can't be decoded")]
    Transaction(String),
    #[error("block {number} has hash {found}, its header says {expected}")]
    BlockHash { number: u64, found: B256, expected: B256 },
    #[error("block {0} does not follow its parent")]
    Parent(u64),
    #[error("the timestamp of block {0} is too late or before its parent's")]
    Timestamp(u64),
    #[error("block {0} can't be a block of this chain: {1}")]
    Rule(u64, &'static str),
    #[error("{0} reorgs are too many")]
    Fork(u64),
    #[error("there is no block")]
    Empty,
    #[error("the state: {0}")]
    State(String),
}

/// The largest number of reorgs in a dump, after which there is room for all that follow.
const MAX_FORK: u64 = u64::MAX / 2;

/// An optional value: RLP has none in the middle of a list, so a list of at most one value is used.
type Maybe<T> = Vec<T>;

#[derive(Debug, RlpEncodable, RlpDecodable)]
pub(crate) struct ChainImage {
    /// The configuration at genesis, from which a reset starts again.
    genesis: ConfigImage,
    /// The configuration now.
    config: ConfigImage,
    fork: u64,
    next_timestamp: Maybe<u64>,
    next_base_fee: Maybe<u64>,
    next_prevrandao: Maybe<B256>,
    timestamp_interval: Maybe<u64>,
    blocks: Vec<BlockImage>,
    pool: Vec<TxImage>,
    state: StateImage,
}

#[derive(Debug, RlpEncodable, RlpDecodable)]
struct BlockImage {
    header: Header,
    hash: B256,
    before: u64,
    after: u64,
    transactions: Vec<TxImage>,
    outcomes: Vec<OutcomeImage>,
}

#[derive(Debug, RlpEncodable, RlpDecodable)]
struct TxImage {
    /// The sender, which is stored because recovering it is by far the slowest part of loading.
    sender: Address,
    encoded: Bytes,
}

#[derive(Debug, RlpEncodable, RlpDecodable)]
struct OutcomeImage {
    success: bool,
    gas_used: u64,
    logs: Vec<Log>,
}

impl TxImage {
    fn of(tx: &Tx) -> Self {
        Self { sender: tx.signer(), encoded: tx.encoded_2718().into() }
    }

    fn size(tx: &Tx) -> usize {
        tx.signer().length() + tx.encode_2718_len()
    }

    fn restore(self, place: &str) -> Result<Arc<Tx>, ImageError> {
        let tx = TxEnvelope::decode_2718_exact(&self.encoded)
            .map_err(|_| ImageError::Transaction(place.to_owned()))?;
        Ok(Arc::new(Tx::new_unchecked(tx, self.sender)))
    }
}

impl BlockImage {
    fn of(block: &Block) -> Self {
        Self {
            header: block.header.clone(),
            hash: block.hash,
            before: block.versions.before,
            after: block.versions.after,
            transactions: block.transactions.iter().map(|tx| TxImage::of(tx)).collect(),
            outcomes: block
                .receipts
                .iter()
                .map(|receipt| OutcomeImage {
                    success: receipt.envelope.status(),
                    gas_used: receipt.gas_used,
                    logs: receipt.envelope.logs().to_vec(),
                })
                .collect(),
        }
    }

    fn size(block: &Block) -> usize {
        let transactions = block.transactions.iter().map(|tx| TxImage::size(tx));
        let logs = block.receipts.iter().flat_map(|receipt| receipt.envelope.logs());
        let logs = logs.map(Encodable::length);
        let header = block.header.length() + block.hash.length();
        header + transactions.sum::<usize>() + logs.sum::<usize>()
    }

    /// Seals the block again, which compares its transactions and receipts with its hash.
    fn restore(self) -> Result<Block, ImageError> {
        let number = self.header.number;
        let place = format!("block {number}");
        let gas = self.outcomes.iter().try_fold(0_u64, |gas, one| gas.checked_add(one.gas_used));
        if gas.is_none_or(|gas| gas > self.header.gas_limit) {
            return Err(ImageError::Rule(number, "more gas used than its limit"));
        }
        let mut executed = Vec::with_capacity(self.transactions.len());
        for (tx, outcome) in self.transactions.into_iter().zip(self.outcomes) {
            let tx = tx.restore(&place)?;
            let OutcomeImage { success, gas_used, logs } = outcome;
            let contract_address = tx.is_create().then(|| tx.signer().create(tx.nonce()));
            let output = Bytes::new();
            executed.push((tx, Outcome { success, gas_used, output, logs, contract_address }));
        }
        let versions = StateVersions { before: self.before, after: self.after };
        let block = Block::seal(self.header, executed, versions);
        if block.hash != self.hash {
            return Err(ImageError::BlockHash { number, found: block.hash, expected: self.hash });
        }
        Ok(block)
    }
}

/// The sizes of the parts of an image, in bytes. Together they are slightly less than its size.
pub(crate) fn sizes(chain: &Chain) -> impl Iterator<Item = usize> {
    let pool = chain.pool.all().into_iter().map(|waiting| TxImage::size(&waiting.tx));
    chain.blocks.iter().map(BlockImage::size).chain(pool).chain(chain.state.image_sizes())
}

impl ChainImage {
    pub(crate) fn of(chain: &Chain) -> Self {
        let config = DevchainConfig { mining: *chain.mining.borrow(), ..chain.config.clone() };
        Self {
            genesis: ConfigImage::of(&chain.genesis),
            config: ConfigImage::of(&config),
            fork: chain.fork,
            next_timestamp: chain.next.timestamp.into_iter().collect(),
            next_base_fee: chain.next.base_fee.into_iter().collect(),
            next_prevrandao: chain.next.prevrandao.into_iter().collect(),
            timestamp_interval: chain.timestamp_interval.into_iter().collect(),
            blocks: chain.blocks.iter().map(BlockImage::of).collect(),
            pool: chain.pool.all().into_iter().map(|waiting| TxImage::of(&waiting.tx)).collect(),
            state: chain.state.image(),
        }
    }

    pub(crate) fn restore(self) -> Result<Chain, ImageError> {
        let mut chain = Chain::new(self.genesis.restore()?);
        chain.config = self.config.restore()?;
        chain.set_mining(chain.config.mining);
        chain.clear_blocks();
        for image in self.blocks {
            let block = image.restore()?;
            let parent = chain.blocks.last().map_or(B256::ZERO, |parent| parent.hash);
            if block.header.parent_hash != parent || block.number() != chain.blocks.len() as u64 {
                return Err(ImageError::Parent(block.number()));
            }
            // Each block is at least a second after its parent, and may be so late by itself.
            let latest = MAX_TIMESTAMP.saturating_add(block.number());
            let before = chain.blocks.last().map(|parent| parent.header.timestamp);
            if !(before..=Some(latest)).contains(&Some(block.header.timestamp)) {
                return Err(ImageError::Timestamp(block.number()));
            }
            chain.append(block);
        }
        if chain.blocks.is_empty() {
            return Err(ImageError::Empty);
        }
        chain.state = self.state.restore().map_err(ImageError::State)?.into();
        let versions = chain.blocks.iter().map(|block| block.versions);
        let versions = versions.flat_map(|versions| [versions.before, versions.after]);
        if !versions.is_sorted() || !chain.state.is_past(chain.head().versions.after) {
            return Err(ImageError::State("blocks and state don't fit together".to_owned()));
        }
        for image in self.pool {
            let tx = image.restore("the pool")?;
            // The pool takes none of them, since the account couldn't have a next nonce.
            if tx.nonce() == u64::MAX {
                return Err(ImageError::Transaction("the pool".to_owned()));
            }
            chain.pool.put(tx);
        }
        let next = self.next_timestamp.first().copied();
        if next.is_some_and(|next| next <= chain.head().header.timestamp || next > MAX_TIMESTAMP) {
            return Err(ImageError::Timestamp(chain.blocks.len() as u64));
        }
        if self.fork > MAX_FORK {
            return Err(ImageError::Fork(self.fork));
        }
        chain.fork = self.fork;
        chain.timestamp_interval = self.timestamp_interval.first().copied();
        chain.next = NextBlock {
            timestamp: next,
            base_fee: self.next_base_fee.first().copied(),
            prevrandao: self.next_prevrandao.first().copied(),
        };
        Ok(chain)
    }
}
