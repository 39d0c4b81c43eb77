//! Intents in words.

use canon_views::{IntentId, IntentSubject};
use core::fmt;

/// What an intent does, as it follows "the".
pub(super) struct Words<'a>(pub(super) &'a IntentId);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.subject {
            IntentSubject::Push { round, .. } => write!(f, "push of round {round}"),
            IntentSubject::Execute { id } => write!(f, "execution of proposal {id}"),
            IntentSubject::Drop { id } => write!(f, "drop of proposal {id}"),
            IntentSubject::RecordSeed { rollup, epoch } => {
                write!(f, "seed of epoch {epoch} of rollup {rollup}")
            }
            IntentSubject::PayWithdrawal { id } => write!(f, "payment of withdrawal {id}"),
            IntentSubject::PayExit { rollup, attester, .. } => {
                write!(f, "payment of the stake of {attester} that left rollup {rollup}")
            }
            IntentSubject::FinalizeMove { rollup, attester, .. } => {
                write!(f, "move of the stake of {attester} from rollup {rollup}")
            }
            // A keeper has none of these.
            other => write!(f, "intent {other:?}"),
        }
    }
}
