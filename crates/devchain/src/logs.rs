//! Search for logs: by the list of blocks in which an address emitted any, otherwise by the blocks'
//! blooms.

use std::ops::ControlFlow;

use alloy_primitives::{Address, map::AddressMap};
use alloy_rpc_types_eth::{BlockNumberOrTag, Filter, FilterBlockOption, Log};

use crate::block::Block;

/// The logs of a block that match a filter's addresses and topics.
pub(crate) fn matching_logs<'a>(
    block: &'a Block,
    filter: &'a Filter,
) -> impl Iterator<Item = Log> + 'a {
    block.receipts.iter().enumerate().flat_map(move |(position, receipt)| {
        let logs = receipt.envelope.logs().iter().zip(receipt.first_log..);
        logs.filter(|(log, _)| filter.matches(log)).map(move |(log, index)| Log {
            inner: log.clone(),
            block_hash: Some(block.hash),
            block_number: Some(block.number()),
            block_timestamp: Some(block.header.timestamp),
            transaction_hash: Some(*block.transactions[position].tx_hash()),
            transaction_index: Some(position as u64),
            log_index: Some(index),
            removed: false,
        })
    })
}

/// The bounds that a filter gives as numbers. A tag isn't a bound.
pub(crate) fn numeric_range(filter: &Filter) -> (u64, u64) {
    let number = |bound: Option<BlockNumberOrTag>| bound.and_then(|bound| bound.as_number());
    match filter.block_option {
        FilterBlockOption::Range { from_block, to_block } => {
            (number(from_block).unwrap_or(0), number(to_block).unwrap_or(u64::MAX))
        }
        FilterBlockOption::AtBlockHash(_) => (0, u64::MAX),
    }
}

/// The number of logs from which on an answer gets no further ones.
pub(crate) const MAX_LOGS: usize = 20_000;

/// The size of the data of its logs from which on an answer gets no further ones, in bytes.
pub(crate) const MAX_LOG_BYTES: usize = 16 << 20;

/// The logs of an answer.
#[derive(Debug, Default)]
pub(crate) struct Part {
    pub(crate) logs: Vec<Log>,
    /// The size of their data.
    bytes: usize,
}

impl Part {
    pub(crate) const fn is_full(&self) -> bool {
        self.logs.len() >= MAX_LOGS || self.bytes >= MAX_LOG_BYTES
    }

    pub(crate) fn add(&mut self, log: Log) {
        self.bytes += log.inner.data.data.len();
        self.logs.push(log);
    }
}

/// Visits the blocks from `first` to `last` inclusive that may have logs which match a filter, until `visit` has
/// enough.
pub(crate) fn search<T>(
    blocks: &[Block],
    emitters: &AddressMap<Vec<u64>>,
    filter: &Filter,
    first: u64,
    last: u64,
    visit: impl FnMut(&Block) -> ControlFlow<T>,
) -> ControlFlow<T> {
    if first > last {
        return ControlFlow::Continue(());
    }
    if filter.address.is_empty() {
        let range = first as usize..(last as usize).saturating_add(1).min(blocks.len());
        let topics = filter.topics_bloom_filter();
        let candidates = blocks.get(range).unwrap_or_default().iter();
        candidates
            .filter(|block| topics.iter().all(|topic| topic.matches(block.header.logs_bloom)))
            .filter(|block| !block.header.logs_bloom.is_zero())
            .try_for_each(visit)
    } else {
        let numbers = emitting_blocks(emitters, filter.address.iter(), first, last);
        numbers.into_iter().filter_map(|number| blocks.get(number as usize)).try_for_each(visit)
    }
}

/// The numbers of the blocks in a range in which any of the addresses emitted a log, ascending.
fn emitting_blocks<'a>(
    emitters: &AddressMap<Vec<u64>>,
    addresses: impl Iterator<Item = &'a Address>,
    first: u64,
    last: u64,
) -> Vec<u64> {
    let mut numbers = Vec::new();
    for blocks in addresses.filter_map(|address| emitters.get(address)) {
        let start = blocks.partition_point(|number| *number < first);
        numbers.extend(blocks[start..].iter().take_while(|number| **number <= last));
    }
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}
