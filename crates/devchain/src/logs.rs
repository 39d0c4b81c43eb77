//! Search for logs: by the list of blocks in which an address emitted any, otherwise in all blocks that have
//! logs. The number of topics makes no difference: a log's topics are looked up among them.

use std::ops::{Range, RangeInclusive};

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

/// The largest number of logs in one answer. A block is never cut, so that there may be more if one
/// block has them.
pub(crate) const MAX_LOGS: usize = 20_000;

/// The size of the data of the logs in one answer from which on no further block is searched, in bytes.
pub(crate) const MAX_LOG_BYTES: usize = 16 << 20;

/// The largest number of addresses in a filter, and of topics at each of the four positions, as in geth.
pub(crate) const MAX_VALUES: usize = 1_000;

/// The number of blocks, logs and addresses after which a search lets others use the chain.
pub(crate) const WORK_AT_ONCE: usize = 50_000;

/// The same for a filter, whose next request goes on from there.
const WORK_OF_CHANGES: usize = 20 * WORK_AT_ONCE;

/// The number of blocks for which the blocks of each address are looked up together.
const RANGE: u64 = 1_000;

/// Refuses a filter with too many values.
pub(crate) fn check_values(filter: &Filter) -> Result<(), String> {
    let topics = filter.topics.iter().map(|topics| ("topics at a position", topics.len()));
    let mut counts = [("addresses", filter.address.len())].into_iter().chain(topics);
    match counts.find(|(_, count)| *count > MAX_VALUES) {
        Some((what, found)) => {
            Err(format!("too many {what}: found {found}, expected at most {MAX_VALUES}"))
        }
        None => Ok(()),
    }
}

/// The logs that a search found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) logs: Vec<Log>,
    /// The size of their data.
    bytes: usize,
    /// Whether there are more logs than an answer can have.
    pub(crate) is_full: bool,
    /// The first block that wasn't searched, because there was enough before it.
    pub(crate) rest: Option<u64>,
}

/// The logs in the blocks from `first` to `last` inclusive that match a filter.
pub(crate) fn search(
    blocks: &[Block],
    emitters: &AddressMap<Vec<u64>>,
    filter: &Filter,
    first: u64,
    last: u64,
) -> Found {
    let mut found = Found::default();
    found.search(blocks, emitters, filter, first..=last, WORK_OF_CHANGES);
    found
}

impl Found {
    /// Adds the logs in further blocks, up to this amount of work.
    pub(crate) fn search(
        &mut self,
        blocks: &[Block],
        emitters: &AddressMap<Vec<u64>>,
        filter: &Filter,
        range: RangeInclusive<u64>,
        mut work: usize,
    ) {
        let (mut next, end) =
            (*range.start(), range.end().saturating_add(1).min(blocks.len() as u64));
        while next < end {
            if work == 0 {
                self.rest = Some(next);
                return;
            }
            let part = next..end.min(next.saturating_add(RANGE));
            let numbers = if filter.address.is_empty() {
                part.clone().collect()
            } else {
                work = work.saturating_sub(filter.address.len());
                emitting_blocks(emitters, filter.address.iter(), &part)
            };
            for number in numbers {
                if work == 0 {
                    self.rest = Some(number);
                    return;
                }
                let Some(block) = blocks.get(number as usize) else { break };
                work = work.saturating_sub(1);
                // Without this, each receipt of the block would be looked at.
                if block.header.logs_bloom.is_zero() {
                    continue;
                }
                let logs = block.receipts.iter().map(|receipt| 1 + receipt.envelope.logs().len());
                work = work.saturating_sub(logs.sum::<usize>());
                let is_full = self.logs.len() >= MAX_LOGS || self.bytes >= MAX_LOG_BYTES;
                for log in matching_logs(block, filter) {
                    if is_full {
                        (self.is_full, self.rest) = (true, Some(number));
                        return;
                    }
                    self.bytes += log.inner.data.data.len();
                    self.logs.push(log);
                }
            }
            next = part.end;
        }
        self.rest = None;
    }
}

/// The numbers of the blocks in a range in which any of the addresses emitted a log, ascending.
fn emitting_blocks<'a>(
    emitters: &AddressMap<Vec<u64>>,
    addresses: impl Iterator<Item = &'a Address>,
    range: &Range<u64>,
) -> Vec<u64> {
    let mut numbers = Vec::new();
    for blocks in addresses.filter_map(|address| emitters.get(address)) {
        let start = blocks.partition_point(|number| *number < range.start);
        numbers.extend(blocks[start..].iter().take_while(|number| **number < range.end));
    }
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}
