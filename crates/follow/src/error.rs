//! Errors between a state and the chain.

use crate::compare::ViewDifference;
use alloy_primitives::{Address, B256};
use canon_chain::Severity;
use canon_protocol::{ApplyError, BlockNumber};
use core::time::Duration;

/// A source of blocks and logs gave no answer that can be used. Nothing of it was applied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The endpoint failed.
    #[error(transparent)]
    Chain(#[from] canon_chain::Error),
    /// The node doesn't have a block: it lags behind, or the block was replaced.
    #[error("the endpoint doesn't know block {0} (yet, or any more); try again")]
    UnknownBlock(B256),
    /// The node's chain isn't as long as a range that was asked for.
    #[error("the endpoint has no block {0} yet; try again")]
    NoBlock(BlockNumber),
    /// The answer lacks logs that the block's bloom shows: the node's index of logs lags behind its blocks.
    #[error("the endpoint doesn't have all logs of block {0} yet; try again")]
    MissingLogs(BlockNumber),
    /// The node refuses the logs of so many blocks at once.
    #[error(
        "the endpoint refuses the logs of so many blocks at once ({0}); use another endpoint if it refuses those of \
         one block too"
    )]
    RangeTooLong(#[source] canon_chain::Error),
    /// Two answers describe different blocks: the chain was reorganized in between, or they came from
    /// nodes on different forks.
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

/// The reason why a state isn't in step with its chain. The state is always that after a whole block; it may
/// have gone back to an earlier one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// No block was read yet.
    #[error("no block was read yet; catch up with the chain first")]
    NotStarted,
    /// The source is of another chain than the set.
    #[error("the set is on chain {expected} and the endpoint on {found}; use another endpoint")]
    OtherChain {
        /// The set's chain.
        expected: u64,
        /// The source's.
        found: u64,
    },
    /// Logs don't fit, also after all blocks were read again.
    #[error(
        "all blocks were read again and this stays so: {0}; use another endpoint, and check that the Registry is that \
         of a set of this version"
    )]
    Unfoldable(#[source] Box<Self>),
    /// The chain couldn't be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A log doesn't fit the state: mostly the endpoint left out logs before it, or the set was deployed before
    /// the first block.
    #[error(
        "log {index} of block {block} doesn't fit the state ({source}); if it stays so, use another \
         endpoint, or begin before block {first_block} if the set was deployed earlier"
    )]
    Apply {
        /// The block.
        block: BlockNumber,
        /// The log's position in it.
        index: u64,
        /// The first block that is followed.
        first_block: BlockNumber,
        /// The contradiction.
        #[source]
        source: ApplyError,
    },
    /// The state isn't that of the chain: the endpoint left out logs, or its answers are wrong.
    #[error("{0}; earlier blocks are read again; use another endpoint if it stays so")]
    Differs(#[source] Box<ViewDifference>),
    /// The last event of a block announces another that doesn't come.
    #[error(
        "the last log of block {0} announces another, which is missing; use another endpoint if it stays so"
    )]
    Incomplete(BlockNumber),
    /// A contract of the set emitted a log that the rules don't know: it isn't the contract it is taken
    /// for, or belongs to another version.
    #[error(
        "log {index} of block {block}, emitted by {emitter}, is no event of Canon's contract there; check that \
         the Registry's set is of this version"
    )]
    UnknownEvent {
        /// The block.
        block: BlockNumber,
        /// The log's position in it.
        index: u64,
        /// The contract.
        emitter: Address,
    },
}

/// Where a state and its chain don't fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureSite {
    /// At a log.
    Log {
        /// Its block.
        block: BlockNumber,
        /// Its position in the block.
        index: u64,
    },
    /// At the end of a block, whose last log announces another.
    BlockEnd(BlockNumber),
    /// Somewhere: the contracts' own answers are others.
    WholeState,
}

impl FailureSite {
    /// Whether a state that has all blocks up to `reached` is past it. That the whole state fits, only a comparison
    /// shows.
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
    /// Where the state and the chain don't fit; `None` if the error shows nothing about the state.
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
            // Another answer may have the logs that are missing.
            Self::NotStarted
            | Self::Apply { .. }
            | Self::Differs(_)
            | Self::Incomplete(_)
            | Self::UnknownEvent { .. } => Severity::Retry,
            Self::OtherChain { .. } | Self::Unfoldable(_) => Severity::Stop,
        }
    }
}
