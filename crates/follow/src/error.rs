//! Errors in following a chain.

use crate::compare::ViewDifference;
use alloy_primitives::{Address, B256};
use canon_chain::Severity;
use canon_protocol::{ApplyError, BlockNumber};
use core::time::Duration;

/// A source of blocks and logs gave no usable answer. Nothing of the answer was applied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The endpoint failed.
    #[error(transparent)]
    Chain(#[from] canon_chain::Error),
    /// The node doesn't have a block, because it lags or the block was replaced.
    #[error("the endpoint doesn't know block {0} (yet, or any more); try again")]
    UnknownBlock(B256),
    /// The node's chain ends before the end of a requested range.
    #[error("the endpoint has no block {0} yet; try again")]
    NoBlock(BlockNumber),
    /// The answer lacks logs that the block's bloom shows. The node's log index lags behind its blocks.
    #[error("the endpoint doesn't have all logs of block {0} yet; try again")]
    MissingLogs(BlockNumber),
    /// The node refuses to return the logs of so many blocks at once.
    #[error(
        "the endpoint refuses the logs of so many blocks at once ({0}); use another endpoint if it refuses those of \
         one block too"
    )]
    RangeTooLong(#[source] canon_chain::Error),
    /// Two answers describe different blocks. Either the chain was reorganized in between, or the answers
    /// came from nodes on different forks.
    #[error("the endpoint's answers about block {number} are of different forks; try again")]
    Forked {
        /// The block.
        number: BlockNumber,
    },
    /// An answer lacks a field, or contradicts itself.
    #[error(
        "the endpoint's answer is malformed: {0}; try again, and use another endpoint if it stays so"
    )]
    Malformed(&'static str),
}

/// The reason why a state isn't in step with its chain. The state is always that after a complete block,
/// possibly an earlier one than before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// No block was read yet.
    #[error("no block was read yet; catch up with the chain first")]
    NotStarted,
    /// The source is on another chain than the set.
    #[error("the set is on chain {expected} and the endpoint on {found}; use another endpoint")]
    OtherChain {
        /// The chain of the set.
        expected: u64,
        /// The chain of the source.
        found: u64,
    },
    /// Logs don't match the state, even after all blocks were read again.
    #[error(
        "all blocks were read again and this stays so: {0}; use another endpoint, and check that the Registry is that \
         of a set of this version"
    )]
    Unfoldable(#[source] Box<Self>),
    /// The chain couldn't be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A log doesn't match the state. Usually the endpoint omitted earlier logs, or the set was deployed
    /// before the first block.
    #[error(
        "log {index} of block {block} doesn't fit the state ({source}); if it stays so, use another \
         endpoint, or begin before block {first_block} if the set was deployed earlier"
    )]
    Apply {
        /// The block.
        block: BlockNumber,
        /// The index of the log in the block.
        index: u64,
        /// The first block of the set's identity.
        first_block: BlockNumber,
        /// The reason why the log doesn't match.
        #[source]
        source: ApplyError,
    },
    /// The state isn't that of the chain, because the endpoint omitted logs or its answers are wrong.
    #[error("{0}; earlier blocks are read again; use another endpoint if it stays so")]
    Differs(#[source] Box<ViewDifference>),
    /// The last event of a block announces another one, which is missing.
    #[error(
        "the last log of block {0} announces another, which is missing; use another endpoint if it stays so"
    )]
    Incomplete(BlockNumber),
    /// A contract of the set emitted a log that the rules don't know. It is another kind of contract than
    /// assumed, or belongs to another version.
    #[error(
        "log {index} of block {block}, emitted by {emitter}, is no event of Canon's contract there; check that \
         the Registry's set is of this version"
    )]
    UnknownEvent {
        /// The block.
        block: BlockNumber,
        /// The index of the log in the block.
        index: u64,
        /// The contract that emitted the log.
        emitter: Address,
    },
}

/// The location at which a state and its chain disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureSite {
    /// At a log.
    Log {
        /// The block of the log.
        block: BlockNumber,
        /// The index of the log in the block.
        index: u64,
    },
    /// The end of a block whose last log announces another one.
    BlockEnd(BlockNumber),
    /// Unknown, because only the contracts' answers show that the state is wrong.
    WholeState,
}

impl FailureSite {
    /// Whether a state with all blocks up to `reached` is past this location. For the whole state, only a
    /// comparison can show it.
    pub(crate) fn is_passed_at(self, reached: BlockNumber) -> bool {
        match self {
            Self::Log { block, .. } | Self::BlockEnd(block) => block <= reached,
            Self::WholeState => false,
        }
    }
}

impl SourceError {
    /// The severity: what a program does about it.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Chain(error) => error.severity(),
            _ => Severity::Retry,
        }
    }

    /// The time to wait before the endpoint is asked again, if it named one.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Chain(error) | Self::RangeTooLong(error) => error.retry_after(),
            _ => None,
        }
    }
}

impl FollowError {
    /// The location at which the state and the chain disagree; `None` if the error proves nothing about the
    /// state.
    pub(crate) const fn site(&self) -> Option<FailureSite> {
        match self {
            Self::Apply { block, index, .. } | Self::UnknownEvent { block, index, .. } => {
                Some(FailureSite::Log { block: *block, index: *index })
            }
            Self::Incomplete(block) => Some(FailureSite::BlockEnd(*block)),
            Self::Differs(_) => Some(FailureSite::WholeState),
            _ => None,
        }
    }

    /// The severity: what a program does about it.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Source(error) => error.severity(),
            // Another answer may have the missing logs.
            Self::NotStarted
            | Self::Apply { .. }
            | Self::Differs(_)
            | Self::Incomplete(_)
            | Self::UnknownEvent { .. } => Severity::Retry,
            Self::OtherChain { .. } | Self::Unfoldable(_) => Severity::Stop,
        }
    }
}
