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
    /// The node refuses the logs of so many blocks at once.
    #[error("the endpoint refuses the logs of so many blocks at once ({0}); use another endpoint")]
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
    #[error("all blocks were read again and this stays so: {0}")]
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
    /// The log that doesn't fit: its block and its position, or the end of the block; beyond all blocks if
    /// the whole state doesn't.
    pub(crate) const fn place(&self) -> Option<(BlockNumber, u64)> {
        match self {
            Self::Apply { block, index, .. } => Some((*block, *index)),
            Self::Incomplete(block) => Some((*block, u64::MAX)),
            Self::Differs(_) => Some((BlockNumber::of(u64::MAX), u64::MAX)),
            _ => None,
        }
    }

    /// The severity: what a program does about it.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Source(error) => error.severity(),
            // Another answer may have the logs that are missing.
            Self::NotStarted | Self::Apply { .. } | Self::Differs(_) | Self::Incomplete(_) => {
                Severity::Retry
            }
            Self::OtherChain { .. } | Self::Unfoldable(_) | Self::UnknownEvent { .. } => {
                Severity::Stop
            }
        }
    }
}
