//! Heads that can't be acted on.

use alloy_primitives::B256;
use canon_protocol::{BlockNumber, Seconds};
use canon_views::BlockView;

/// The time by which a lower head has to be later than the newest one for that to be replaced, or made up: five
/// slots of L1.
const REPLACED_AFTER: Seconds = Seconds::of(60);

/// The reason why nothing is done for a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// It is older than one that was seen. It doesn't show the transactions sent since.
    #[error(
        "the view is of block {found} and block {seen} was seen before; wait until the endpoint has caught \
         up, or use another one"
    )]
    Older {
        /// The view's block.
        found: BlockNumber,
        /// The newest block that was seen.
        seen: BlockNumber,
    },
    /// Its number contradicts its hash, or its parent's number.
    #[error(
        "block {hash} has the number {expected} and the view says {found}; use another endpoint"
    )]
    WrongNumber {
        /// The view's block.
        hash: B256,
        /// Its number.
        expected: BlockNumber,
        /// Its number by the view.
        found: BlockNumber,
    },
}

/// Checks a head against the newest one that was seen. A reorganization can replace blocks; a chain that
/// gets shorter by it is longer again within a few blocks, and until then its head counts as older. One that is a
/// minute later isn't older: no endpoint knows of the other one any more, or only one ever did.
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
