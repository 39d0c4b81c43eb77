//! Where blocks and logs come from.

use crate::error::SourceError;
use alloy_primitives::{Address, B256, Bloom, BloomInput, Log};
use canon_protocol::{BlockNumber, L1Block};
use canon_views::BlockView;
use core::{future::Future, ops::RangeInclusive};
use std::collections::BTreeSet;

/// A block's header, as far as following it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The block.
    pub block: BlockView,
    /// The filter of the emitters and topics of the block's logs (`logsBloom`).
    pub bloom: Bloom,
}

/// A log and its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedLog {
    /// The number and the time of the block.
    pub block: L1Block,
    /// The hash of the block.
    pub hash: B256,
    /// The position among all logs of the block, from 0.
    pub index: u64,
    /// The emitter, topics and data.
    pub log: Log,
}

/// The logs that are asked for.
#[derive(Clone, Copy, Debug)]
pub enum Selection<'a> {
    /// All logs of these contracts.
    Emitters(&'a BTreeSet<Address>),
    /// The logs of any contract whose first topic is one of these.
    Events(&'a [B256]),
}

impl Selection<'_> {
    /// Whether a block with this bloom may have such logs.
    pub fn may_be_in(&self, bloom: &Bloom) -> bool {
        let contains = |bytes: &[u8]| bloom.contains_input(BloomInput::Raw(bytes));
        match self {
            Self::Emitters(emitters) => emitters.iter().any(|emitter| contains(emitter.as_slice())),
            Self::Events(topics) => topics.iter().any(|topic| contains(topic.as_slice())),
        }
    }
}

/// The logs of a range of blocks, and its ends as the same answer has them: two answers with equal ends
/// describe the same blocks.
#[derive(Clone, Debug)]
pub struct RangeLogs {
    /// The first block.
    pub first: BlockView,
    /// The last block.
    pub last: BlockView,
    /// The logs, in the order of the chain.
    pub logs: Vec<PlacedLog>,
}

/// A chain's blocks and logs.
///
/// Answers may come from different nodes, which lag, or are on different forks. `None`,
/// [`SourceError::UnknownBlock`] and [`SourceError::NoBlock`] say that the node doesn't have the block, now.
pub trait LogSource: Send {
    /// The id of the chain.
    ///
    /// # Errors
    ///
    /// If there is no answer.
    fn chain_id(&mut self) -> impl Future<Output = Result<u64, SourceError>> + Send;

    /// The newest block.
    ///
    /// # Errors
    ///
    /// If there is no answer.
    fn newest(&mut self) -> impl Future<Output = Result<Header, SourceError>> + Send;

    /// The header of the block with this hash, on whatever fork it is.
    ///
    /// # Errors
    ///
    /// If there is no answer.
    fn header(
        &mut self,
        hash: B256,
    ) -> impl Future<Output = Result<Option<Header>, SourceError>> + Send;

    /// The header of the canonical block with this number.
    ///
    /// # Errors
    ///
    /// If there is no answer.
    fn header_at(
        &mut self,
        number: BlockNumber,
    ) -> impl Future<Output = Result<Option<Header>, SourceError>> + Send;

    /// The logs of one block, in order.
    ///
    /// # Errors
    ///
    /// [`SourceError::UnknownBlock`] if the node doesn't have the block.
    fn block_logs(
        &mut self,
        block: &BlockView,
        selection: Selection<'_>,
    ) -> impl Future<Output = Result<Vec<PlacedLog>, SourceError>> + Send;

    /// The logs of the canonical blocks in `blocks`, in order.
    ///
    /// # Errors
    ///
    /// [`SourceError::NoBlock`] if the node doesn't have all of the blocks,
    /// [`SourceError::RangeTooLong`] if it wants shorter ranges.
    fn range_logs(
        &mut self,
        blocks: RangeInclusive<BlockNumber>,
        selection: Selection<'_>,
    ) -> impl Future<Output = Result<RangeLogs, SourceError>> + Send;
}
