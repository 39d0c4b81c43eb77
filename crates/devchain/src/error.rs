//! Errors of the typed handle.

use alloy::primitives::{Address, B256};

/// Result of a [`Devchain`](crate::Devchain) method.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the chain refused to do something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A block's timestamp must be greater than its parent's.
    #[error("timestamp {timestamp} is not after the head's, {head}: set a later one")]
    Timestamp {
        /// The refused timestamp, in Unix seconds.
        timestamp: u64,
        /// The head's timestamp, in Unix seconds.
        head: u64,
    },
    /// The transaction is not acceptable. The message is the one that a node would give.
    #[error("{0}")]
    Transaction(String),
    /// The bytes are not a signed transaction in the encoding of EIP-2718.
    #[error("not a signed transaction: {0}")]
    Undecodable(String),
    /// No key is known for the account and it is not impersonated.
    #[error("no key for {0}: sign the transaction yourself, or impersonate the account")]
    UnknownSigner(Address),
    /// The bytes can't be the code of an account.
    #[error("invalid code: {0}")]
    Code(String),
    /// There is no such snapshot: it never was, or the chain was reverted to an earlier one.
    #[error("no snapshot {0}: reverting to a snapshot uses it up, and all later ones with it")]
    UnknownSnapshot(u64),
    /// The history doesn't reach back that far.
    #[error(
        "block {block} is too deep: the state is kept from block {oldest} on; raise \
         `history_blocks` to reach further back"
    )]
    TooDeep {
        /// The block whose state was needed.
        block: u64,
        /// The oldest block whose state is kept.
        oldest: u64,
    },
    /// There is no such block.
    #[error("no block {0}")]
    UnknownBlock(B256),
    /// The file can't be read or written.
    #[error("can't access {path}: {source}")]
    Io {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
}
