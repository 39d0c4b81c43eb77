//! The source of blocks and logs.

use crate::{compare::Comparison, error::SourceError, identity::SetIdentity};
use alloy_primitives::{Address, B256, Bloom, BloomInput, Log, logs_bloom};
use canon_protocol::{BlockNumber, L1Block, SetState};
use canon_views::BlockView;
use core::{future::Future, ops::RangeInclusive};
use std::collections::BTreeSet;

/// The parts of a block's header that following needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The block.
    pub block: BlockView,
    /// The filter of the emitters and topics of the block's logs (`logsBloom`). `None` if the block's hash
    /// doesn't match the known fields of the header: either one of them is wrong, or the chain's headers
    /// have further fields.
    pub bloom: Option<Bloom>,
}

/// A log and its position in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedLog {
    /// The number and the time of the block.
    pub block: L1Block,
    /// The hash of the block.
    pub hash: B256,
    /// The index among all logs of the block, from 0.
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

/// The logs to read.
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
    /// Whether a block with this bloom may have such logs. False positives are possible.
    pub fn may_be_in(&self, bloom: &Bloom) -> bool {
        let contains = |bytes: &[u8]| bloom.contains_input(BloomInput::Raw(bytes));
        match self {
            Self::All => *bloom != Bloom::ZERO,
            Self::Emitters(emitters) => emitters.iter().any(|emitter| contains(emitter.as_slice())),
            Self::Events(topics) => topics.iter().any(|topic| contains(topic.as_slice())),
        }
    }

    /// Whether a log is one of those to read.
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

/// Whether these are all logs of a block with this bloom: their indexes have no gap, and they result in the
/// bloom. The check can't detect that the last logs are missing if their emitters and topics also occur in
/// others.
pub(crate) fn are_all_logs(logs: &[PlacedLog], bloom: &Bloom) -> bool {
    logs.iter().zip(0..).all(|(placed, index)| placed.index == index)
        && logs_bloom(logs.iter().map(|placed| &placed.log)) == *bloom
}

/// The logs of a range of blocks, with its first and last block.
#[derive(Clone, Debug)]
pub struct RangeLogs {
    /// The first block.
    pub first: BlockView,
    /// The last block.
    pub last: BlockView,
    /// The logs, in the order of the chain.
    pub logs: Vec<PlacedLog>,
}

/// A chain's blocks and logs, and the answers of a set's contracts.
///
/// Answers may come from different nodes, which lag or are on different forks. `None`,
/// [`SourceError::UnknownBlock`] and [`SourceError::NoBlock`] mean that the node doesn't have the block
/// now.
pub trait SetSource: Send {
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

    /// The header of the block with this hash, on any fork.
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

    /// The headers of the canonical blocks with these numbers that the nodes return. A missing one says nothing: its
    /// request may have failed.
    ///
    /// # Errors
    ///
    /// If nothing is answered.
    fn headers_at(
        &mut self,
        numbers: RangeInclusive<BlockNumber>,
    ) -> impl Future<Output = Result<Vec<Header>, SourceError>> + Send;

    /// The selected logs of each of these blocks, in order and complete, or the error of that request. There is one
    /// result for each item of `asked`, in the same order.
    ///
    /// # Errors
    ///
    /// If there is no answer at all.
    fn logs_of_blocks(
        &mut self,
        asked: &[(BlockView, Selection<'_>)],
    ) -> impl Future<Output = Result<Vec<Result<Vec<PlacedLog>, SourceError>>, SourceError>> + Send;

    /// The logs of the canonical blocks in `blocks`, in order. If the node lags, the logs of blocks that it
    /// doesn't have are missing.
    ///
    /// # Errors
    ///
    /// [`SourceError::NoBlock`] if the node doesn't have an end of the range, [`SourceError::RangeTooLong`]
    /// if it accepts only shorter ranges.
    fn range_logs(
        &mut self,
        blocks: RangeInclusive<BlockNumber>,
        selection: Selection<'_>,
    ) -> impl Future<Output = Result<RangeLogs, SourceError>> + Send;

    /// Compares `state`, folded from the logs up to `block`, with the contracts' answers at that block's
    /// hash.
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
