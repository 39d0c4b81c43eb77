//! The reasons why intents aren't done.

use canon_chain::Error;
use canon_views::IntentId;
use core::mem::{Discriminant, discriminant};
use std::collections::{BTreeMap, BTreeSet};

/// The last failure of each intent, and of the whole account, so that each is told once.
#[derive(Debug, Default)]
pub(super) struct Obstacles(BTreeMap<Option<IntentId>, Obstacle>);

#[derive(Debug)]
struct Obstacle {
    kind: Discriminant<Error>,
    /// Whether a sender reports it once instead of in each block.
    is_lasting: bool,
    /// Whether it was reported for the present block.
    is_present: bool,
    reason: String,
}

/// Whether the amounts in an error change with each block.
const fn is_of_money(error: &Error) -> bool {
    matches!(error, Error::Rejected { .. } | Error::TooLittleEther { .. })
}

impl Obstacles {
    /// Forgets what is over: the intents that nobody wants any more, and failures that aren't lasting and weren't repeated
    /// in the block before.
    pub(super) fn begin_block(&mut self, wanted: &BTreeSet<IntentId>) {
        self.0.retain(|intent, obstacle| {
            let is_wanted = intent.is_none_or(|id| wanted.contains(&id));
            let is_over = !obstacle.is_lasting && !obstacle.is_present;
            obstacle.is_present = false;
            is_wanted && !is_over
        });
    }

    /// Forgets the failure of an intent that was sent or is done.
    pub(super) fn clear(&mut self, intent: Option<IntentId>) {
        self.0.remove(&intent);
    }

    /// Records a failure. Returns whether it differs from the last one. The numbers in a failure that may pass change
    /// with each block, so all of its kind are the same.
    pub(super) fn is_news(
        &mut self,
        intent: Option<IntentId>,
        error: &Error,
        reason: &str,
    ) -> bool {
        let (kind, is_temporary) = (discriminant(error), error.is_temporary());
        let is_lasting =
            !is_temporary || matches!(error, Error::AboveCap(_) | Error::NonceUseNotFinal { .. });
        let (changes, reason) = (is_temporary || is_of_money(error), reason.to_owned());
        let is_other =
            |before: &Obstacle| before.kind != kind || !changes && before.reason != reason;
        let is_news = self.0.get(&intent).is_none_or(is_other);
        self.0.insert(intent, Obstacle { kind, is_lasting, is_present: true, reason });
        is_news
    }

    /// The reason why an intent isn't done: its own, or that of the whole account.
    pub(super) fn of(&self, intent: IntentId) -> Option<&str> {
        let found = self.0.get(&Some(intent)).or_else(|| self.0.get(&None));
        found.map(|obstacle| &*obstacle.reason)
    }
}
