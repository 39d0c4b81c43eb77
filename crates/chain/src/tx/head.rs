//! Heads for which nothing may be sent.

use alloy_primitives::B256;
use canon_protocol::{BlockNumber, Seconds};
use canon_views::BlockView;

/// The time by which a lower head must be later than the newest one to count as its replacement: five slots
/// of L1.
const REPLACED_AFTER: Seconds = Seconds::of(60);

/// The reason for which nothing is sent for a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// The block is older than one seen before. Its state lacks the transactions sent since.
    #[error(
        "the view is of block {found} and block {seen} was seen before; wait until the endpoint has caught \
         up, or use another one"
    )]
    Older {
        /// The number of the view's block.
        found: BlockNumber,
        /// The number of the newest block seen.
        seen: BlockNumber,
    },
    /// The number of the block contradicts its hash, or its parent's number.
    #[error(
        "block {hash} has the number {expected} and the view says {found}; use another endpoint"
    )]
    WrongNumber {
        /// The hash of the view's block.
        hash: B256,
        /// The number of the block with this hash.
        expected: BlockNumber,
        /// The number that the view reports.
        found: BlockNumber,
    },
}

/// Checks a head against the newest one seen. A reorganization can replace blocks. If it makes the chain
/// shorter, the chain is longer again within a few blocks; until then its head counts as older. A head that
/// is a minute later isn't older: either the newest one is no longer known to any endpoint, or only one
/// endpoint ever reported it.
pub(super) fn check_head(head: &BlockView, newest: &BlockView) -> Result<(), HeadError> {
    let (seen, found) = (newest.number, head.number);
    let next = BlockNumber::of(seen.get().saturating_add(1));
    let expected = match newest.hash {
        hash if hash == head.hash => seen,
        hash if hash == head.parent => next,
        _ => found,
    };
    if found != expected {
        return Err(HeadError::WrongNumber { hash: head.hash, expected, found });
    }
    let is_later = head.timestamp > newest.timestamp + REPLACED_AFTER;
    if found < seen && !is_later { Err(HeadError::Older { found, seen }) } else { Ok(()) }
}
