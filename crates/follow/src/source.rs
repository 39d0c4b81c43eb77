//! The source of blocks and logs.

use crate::{compare::Comparison, error::SourceError, identity::SetIdentity};
use alloy_primitives::{Address, B256, Bloom, BloomInput, Log, logs_bloom};
use canon_protocol::{BlockNumber, L1Block, SetState};
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

impl PlacedLog {
    /// Whether it [marks](SetIdentity::marker_topics) ranges.
    pub(crate) fn is_marker(&self) -> bool {
        let topics = self.log.topics();
        topics.first().is_some_and(|topic| SetIdentity::marker_topics().contains(topic))
    }
}

/// The logs that are asked for.
#[derive(Clone, Copy, Debug)]
pub enum Selection<'a> {
    /// All logs.
    All,
    /// All logs of these contracts.
    Emitters(&'a BTreeSet<Address>),
    /// The logs of any contract whose first topic is one of these.
    Events(&'a [B256]),
}

impl Selection<'_> {
    /// Whether a block with this bloom may have such logs beside `logs`. A bloom may contain what no log of its
    /// block has, so for a selection it often does; for [all](Self::All) logs it is exact: they are complete if
    /// they make this bloom.
    pub fn may_be_missing(&self, logs: &[PlacedLog], bloom: &Bloom) -> bool {
        let contains = |bytes: &[u8]| bloom.contains_input(BloomInput::Raw(bytes));
        match self {
            Self::All => logs_bloom(logs.iter().map(|placed| &placed.log)) != *bloom,
            Self::Emitters(emitters) => emitters.iter().any(|emitter| {
                let is_there = || logs.iter().any(|placed| placed.log.address == *emitter);
                contains(emitter.as_slice()) && !is_there()
            }),
            Self::Events(topics) => topics.iter().any(|topic| {
                let is_there =
                    || logs.iter().any(|placed| placed.log.topics().first() == Some(topic));
                contains(topic.as_slice()) && !is_there()
            }),
        }
    }

    /// Whether a log is one of those that are asked for.
    pub fn selects(&self, placed: &PlacedLog) -> bool {
        match self {
            Self::All => true,
            Self::Emitters(emitters) => emitters.contains(&placed.log.address),
            Self::Events(topics) => {
                placed.log.topics().first().is_some_and(|topic| topics.contains(topic))
            }
        }
    }
}

/// The logs of a range of blocks, and its ends.
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

    /// The headers of the canonical blocks with these numbers, as far as the nodes give them.
    ///
    /// # Errors
    ///
    /// If there is no answer at all.
    fn headers_at(
        &mut self,
        numbers: RangeInclusive<BlockNumber>,
    ) -> impl Future<Output = Result<Vec<Header>, SourceError>> + Send;

    /// The logs of one block, in order: all of them, or an error.
    ///
    /// # Errors
    ///
    /// If the node doesn't have the block.
    fn block_logs(
        &mut self,
        block: &BlockView,
        selection: Selection<'_>,
    ) -> impl Future<Output = Result<Vec<PlacedLog>, SourceError>> + Send;

    /// The logs of the canonical blocks in `blocks`, in order. If the node that gives them lags, those of the
    /// blocks that it doesn't have are missing.
    ///
    /// # Errors
    ///
    /// [`SourceError::NoBlock`] if the node doesn't have an end of the range,
    /// [`SourceError::RangeTooLong`] if it wants shorter ranges.
    fn range_logs(
        &mut self,
        blocks: RangeInclusive<BlockNumber>,
        selection: Selection<'_>,
    ) -> impl Future<Output = Result<RangeLogs, SourceError>> + Send;
}

/// A comparison of states with what the contracts themselves answer.
pub trait StateComparer: Send {
    /// Compares `state`, folded from the logs up to `block`, with the contracts' own answers at the hash of that
    /// block.
    ///
    /// # Errors
    ///
    /// If the endpoint fails, or the node doesn't have the block.
    fn compare(
        &mut self,
        state: &SetState,
        block: &BlockView,
    ) -> impl Future<Output = Result<Comparison, SourceError>> + Send;
}
