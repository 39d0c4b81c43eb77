//! Reports about intents.

use crate::{confirm::Confirmed, error::Error};
use alloy_primitives::B256;
use canon_views::IntentId;

/// Something that happened to an intent, or to the account.
#[derive(Debug)]
pub struct TxReport {
    /// The intent; `None` if it concerns all of them.
    pub intent: Option<IntentId>,
    /// The event.
    pub event: TxEvent,
}

impl TxReport {
    /// The intent of a failure, and the error; `None` if it reports something else.
    pub const fn failure(&self) -> Option<(Option<IntentId>, &Error)> {
        match &self.event {
            TxEvent::Failed(error) => Some((self.intent, error)),
            _ => None,
        }
    }
}

/// An event in the pursuit of an intent.
#[derive(Debug)]
#[non_exhaustive]
pub enum TxEvent {
    /// A node has its transaction: the first one, or one that replaces others of the same nonce.
    Sent {
        /// The hash of the transaction that the node took.
        transaction: B256,
        /// The nonce of the account that it uses.
        nonce: u64,
    },
    /// It is done: its transaction was mined, succeeded, and has the expected events.
    Confirmed(Confirmed),
    /// It isn't done, or not yet: the [severity](Error::severity) says what to do. A refusal is reported
    /// once, not in every block.
    Failed(Error),
    /// The block that had its transaction isn't on the chain any more: it is in flight again.
    TakenBack {
        /// The hash of the transaction that was mined in that block.
        transaction: B256,
    },
    /// Its transactions can't be mined any more, since another one has their nonce: it was given up, or
    /// something else that has the key used the nonce. If it is still wanted it is sent again: one that only the
    /// journal knows to be done once that use is final.
    Superseded {
        /// The hash of the transaction that was mined; `None` if it was mined before the states that the
        /// endpoint has, and the state says what is done.
        by: Option<B256>,
    },
}
