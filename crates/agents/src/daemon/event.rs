//! The events that a daemon tells people of.

use super::words::Words;
use alloy_primitives::B256;
use alloy_primitives::U256;
use canon_protocol::{
    BlockNumber, Seconds, Timestamp,
    text::{Duration, Rounding, Time, ether, grouped},
};
use canon_views::{IntentId, SetAddresses};
use core::fmt;

/// How much an event matters to the person who runs the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The daemon does its work.
    Info,
    /// Something failed, and the daemon goes on.
    Warn,
    /// A person has to act.
    Error,
}

/// An event, which is one line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The chain can't be read or asked. The daemon goes on trying, and keeps what it knows.
    Unreachable {
        /// The reason.
        error: String,
    },
    /// The chain can be read again.
    Reachable {
        /// The time without it.
        after: Seconds,
    },
    /// The first view was made: the daemon is in step with the chain.
    InStep {
        /// The newest block.
        block: BlockNumber,
        /// Whether the set's history is known.
        has_history: bool,
        /// The contracts in office.
        addresses: SetAddresses,
    },
    /// Something about how the set is read that a person should know.
    Note {
        /// The text.
        text: String,
    },
    /// A node has the transaction of an intent.
    Sent {
        /// The intent; `None` if the transaction only uses its nonce.
        intent: Option<IntentId>,
        /// The transaction.
        transaction: B256,
        /// Its nonce.
        nonce: u64,
    },
    /// An intent is done.
    Done {
        /// The intent; `None` if the transaction only used its nonce.
        intent: Option<IntentId>,
        /// The transaction that did it.
        transaction: B256,
        /// Its block.
        block: BlockNumber,
        /// What it cost, in wei.
        fee: U256,
    },
    /// An intent isn't done, or not yet.
    Failed {
        /// The intent; `None` if it concerns the whole account.
        intent: Option<IntentId>,
        /// The reason.
        reason: String,
    },
    /// The block with a transaction was replaced. The transaction is in flight again.
    TakenBack {
        /// The intent.
        intent: Option<IntentId>,
        /// The transaction.
        transaction: B256,
    },
    /// Another transaction used the nonce of an intent's.
    Superseded {
        /// The intent.
        intent: Option<IntentId>,
        /// That transaction, if the endpoint shows it.
        by: Option<B256>,
    },
    /// The time for a step ends soon, and the daemon hasn't taken it.
    Alarm {
        /// The step.
        intent: IntentId,
        /// The last second in which it is possible.
        closes: Timestamp,
        /// The time that is left.
        left: Seconds,
        /// The reason why it wasn't taken.
        reason: String,
    },
    /// The time for a step is over, and nobody took it.
    Missed {
        /// The step.
        intent: IntentId,
        /// The last second in which it was possible.
        closed: Timestamp,
    },
}

impl Event {
    /// How much it matters.
    pub const fn level(&self) -> Level {
        match self {
            Self::Reachable { .. }
            | Self::InStep { .. }
            | Self::Sent { .. }
            | Self::Done { .. } => Level::Info,
            Self::Unreachable { .. }
            | Self::Note { .. }
            | Self::Failed { .. }
            | Self::TakenBack { .. }
            | Self::Superseded { .. } => Level::Warn,
            Self::Alarm { .. } | Self::Missed { .. } => Level::Error,
        }
    }

    /// Its name in logs for programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::Reachable { .. } => "reachable",
            Self::InStep { .. } => "in_step",
            Self::Note { .. } => "note",
            Self::Sent { .. } => "sent",
            Self::Done { .. } => "done",
            Self::Failed { .. } => "failed",
            Self::TakenBack { .. } => "taken_back",
            Self::Superseded { .. } => "superseded",
            Self::Alarm { .. } => "alarm",
            Self::Missed { .. } => "missed",
        }
    }

    /// The intent that it is about, if it is about one.
    pub const fn intent(&self) -> Option<IntentId> {
        match self {
            Self::Unreachable { .. }
            | Self::Reachable { .. }
            | Self::InStep { .. }
            | Self::Note { .. } => None,
            Self::Sent { intent, .. }
            | Self::Done { intent, .. }
            | Self::Failed { intent, .. }
            | Self::TakenBack { intent, .. }
            | Self::Superseded { intent, .. } => *intent,
            Self::Alarm { intent, .. } | Self::Missed { intent, .. } => Some(*intent),
        }
    }

    /// The transaction that it is about, if it is about one.
    pub const fn transaction(&self) -> Option<B256> {
        match self {
            Self::Sent { transaction, .. }
            | Self::Done { transaction, .. }
            | Self::TakenBack { transaction, .. } => Some(*transaction),
            Self::Superseded { by, .. } => *by,
            _ => None,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { error } => {
                write!(f, "the chain can't be read, and is asked again until it can: {error}")
            }
            Self::Reachable { after } => {
                write!(f, "the chain can be read again, after {}", Duration(*after).rounded())
            }
            Self::InStep { block, has_history, addresses } => {
                let SetAddresses { governance, proposals, rollup, .. } = addresses;
                let history = if *has_history { "" } else { ", without the set's history" };
                write!(
                    f,
                    "in step with the chain at block {}{history}; Governance {governance}, Proposals {proposals}, \
                     canonical rollup {rollup}",
                    grouped(block.get())
                )
            }
            Self::Note { text } => f.write_str(text),
            Self::Sent { intent: Some(intent), transaction, nonce } => {
                write!(f, "sent the {}: {transaction}, nonce {nonce}", Words(intent))
            }
            Self::Sent { intent: None, transaction, nonce } => {
                write!(f, "sent an empty transfer that uses up nonce {nonce}: {transaction}")
            }
            Self::Done { intent, transaction, block, fee } => {
                match intent {
                    Some(intent) => write!(f, "the {} is done", Words(intent))?,
                    None => f.write_str("a nonce is used up")?,
                }
                let (block, fee) = (grouped(block.get()), ether(*fee, Rounding::Up));
                write!(f, ": {transaction} in block {block}, for {fee} ether")
            }
            Self::Failed { intent: Some(intent), reason } => {
                write!(f, "the {} isn't done: {reason}", Words(intent))
            }
            Self::Failed { intent: None, reason } => f.write_str(reason),
            Self::TakenBack { intent, transaction } => {
                write!(f, "the block with {transaction} was replaced")?;
                let Some(intent) = intent else { return Ok(()) };
                write!(f, ": the {} is in flight again", Words(intent))
            }
            Self::Superseded { intent, by } => {
                match intent {
                    Some(intent) => write!(f, "the {} lost its nonce", Words(intent))?,
                    None => f.write_str("a nonce was used by another transaction")?,
                }
                by.map_or(Ok(()), |by| write!(f, " to {by}"))
            }
            Self::Alarm { intent, closes, left, reason } => write!(
                f,
                "the {} isn't done and is possible only until {} (in {}): {reason}",
                Words(intent),
                Time(*closes),
                Duration(*left).rounded()
            ),
            Self::Missed { intent, closed } => write!(
                f,
                "the {} was possible until {}, and nobody did it",
                Words(intent),
                Time(*closed)
            ),
        }
    }
}
