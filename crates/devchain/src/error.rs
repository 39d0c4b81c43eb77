//! Errors of the typed handle.

use alloy_primitives::Address;

/// Result of a [`Devchain`](crate::Devchain) method.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The reason why the chain refused an operation.
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
    /// Later blocks couldn't have timestamps after it.
    #[error("timestamp {timestamp} is too late: set one up to {latest}")]
    TimestampTooLate {
        /// The refused timestamp, in Unix seconds.
        timestamp: u64,
        /// The largest one that can be set, in Unix seconds.
        latest: u64,
    },
    /// Time changes only with blocks.
    #[error(
        "the chain has no clock: set the timestamp of the next block (evm_setNextBlockTimestamp)"
    )]
    NoClock,
    /// The chain has all the blocks and accounts that its memory is meant for.
    #[error(
        "the chain is full, its blocks and its state have more than {limit} bytes: remove blocks \
         (`anvil_rollback`), or start again (`anvil_reset`)"
    )]
    Full {
        /// The largest size, in bytes. See [`DevchainConfig::max_size`](crate::DevchainConfig).
        limit: u64,
    },
    /// The pool or the EVM refuses the transaction. The message is the one that a node would give.
    #[error("{0}")]
    Transaction(String),
    /// The bytes are not a signed transaction in the encoding of EIP-2718.
    #[error("not a signed transaction: {0}")]
    Undecodable(String),
    /// No key is known for the account and it is not impersonated.
    #[error(
        "unknown account: no signer available for {0}; sign with its key yourself, or impersonate it \
         to send"
    )]
    UnknownSigner(Address),
    /// The bytes can't be code of an account.
    #[error("invalid code: {0}")]
    Code(String),
    /// There is no such snapshot: it was never taken, the chain was reverted to an earlier one, or too many
    /// others were taken since.
    #[error(
        "no snapshot {0}: reverting to a snapshot uses it up, and all later ones with it; of too many \
         snapshots the oldest go"
    )]
    UnknownSnapshot(u64),
    /// The history doesn't reach back to a block.
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
    /// A reorg can't replace genesis.
    #[error("can't replace {depth} blocks: the chain has {blocks} after genesis")]
    Depth {
        /// The number of blocks that were to be replaced.
        depth: u64,
        /// The number of blocks after genesis.
        blocks: u64,
    },
    /// The bytes are not a dump of a chain.
    #[error("not a dump of a devchain: make one with `Devchain::dump`")]
    NotADump,
    /// The dump was made by another version of this crate.
    #[error("the dump has format {found}, this version reads format {supported}: make it anew")]
    DumpVersion {
        /// The version of the dump.
        found: u8,
        /// The version that can be read.
        supported: u8,
    },
    /// The dump is incomplete or was changed.
    #[error("the dump is damaged ({0}): make it anew")]
    DumpDamaged(String),
    /// The file can't be read or written.
    #[error("can't access {path}: {source}")]
    Io {
        /// The file.
        path: std::path::PathBuf,
        /// The error of the file system.
        source: std::io::Error,
    },
}
