//! Reports about intents.

use crate::{confirm::Confirmed, error::Error};
use alloy_primitives::B256;
use canon_views::IntentId;

/// An event that concerns an intent or the whole account.
#[derive(Debug)]
pub struct TxReport {
    /// The intent; `None` if the event concerns all intents.
    pub intent: Option<IntentId>,
    /// The event.
    pub event: TxEvent,
}

impl TxReport {
    /// The intent and the error of a failure; `None` if the report isn't about a failure.
    pub const fn failure(&self) -> Option<(Option<IntentId>, &Error)> {
        match &self.event {
            TxEvent::Failed(error) => Some((self.intent, error)),
            _ => None,
        }
    }
}

/// An event in the processing of an intent.
#[derive(Debug)]
#[non_exhaustive]
pub enum TxEvent {
    /// A node has its transaction: the first one, or a replacement with the same nonce.
    Sent {
        /// The hash of the transaction that the node took.
        transaction: B256,
        /// The nonce of the account that it uses.
        nonce: u64,
    },
    /// The intent is done: its transaction was mined, succeeded, and has the expected events.
    Confirmed(Confirmed),
    /// The intent isn't done, or not yet. The [severity](Error::severity) says what to do. A refusal is
    /// reported once, not in every block.
    Failed(Error),
    /// The block of its transaction is no longer on the chain. The transaction is in flight again.
    TakenBack {
        /// The hash of the transaction that was mined in that block.
        transaction: B256,
    },
    /// Its transactions can no longer be mined, because another one used their nonce: either the intent was
    /// given up, or another holder of the key used the nonce. If the intent is still wanted, it is sent
    /// again; if only the journal can show that it is done, or its ballot could count twice, not before that
    /// use is final.
    Superseded {
        /// The hash of the transaction that was mined; `None` if it is older than the states that the
        /// endpoint has.
        by: Option<B256>,
    },
}
