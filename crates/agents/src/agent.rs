//! The loop around a duty.

use alloy_primitives::Address;
use canon_chain::{
    Client, Error, IntentSender,
    tx::{TxEvent, TxReport},
};
use canon_views::{Duty, IntentId, IntentProgress, Question, SetView};
use core::mem::{self, Discriminant};

/// A duty of `canon-views` with its settings. It has no memory: what is due follows from the view, the
/// settings, and what the sender's journal says is done.
pub trait AgentRole {
    /// The status that a duty returns beside its intents: a decision, a phase, or one of each order.
    type Status;

    /// The only account whose key can act for it; `None` if any can.
    fn required_account(&self) -> Option<Address>;

    /// Adds what the duty needs to know to what the next view covers.
    fn extend(&self, question: &mut Question);

    /// Returns the duty in the next block. `progress` is the journal's record of an intent at the view's block.
    fn duty(
        &self,
        view: &SetView,
        progress: &dyn Fn(&IntentId) -> IntentProgress,
    ) -> Duty<Self::Status>;

    /// Reads again, at the view's block, what a duty depends on and the view doesn't show. What isn't as it
    /// was checked, or can't be read, is taken out of the duty.
    ///
    /// # Errors
    ///
    /// The reason why something was taken out.
    fn recheck(
        &self,
        _client: &Client,
        _view: &SetView,
        _duty: &mut Duty<Self::Status>,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        async { Ok(()) }
    }
}

/// A role and the key that acts for it.
#[derive(Debug)]
pub struct Agent<R> {
    /// The role. Its settings may change between two blocks, but not the account that it needs.
    pub role: R,
    sender: IntentSender,
    /// The kind of the failure of the last check, if it was reported and lasts.
    reported: Option<Discriminant<Error>>,
}

/// The result of an agent's work on one block.
#[derive(Debug)]
pub struct Tick<S> {
    /// The status that the duty returned.
    pub status: S,
    /// News of transactions, in the order in which they were found out.
    pub reports: Vec<TxReport>,
}

impl<R: AgentRole> Agent<R> {
    /// An agent that goes on where the sender's journal ends.
    ///
    /// # Errors
    ///
    /// [`Error::OtherAccount`] if the sender's key isn't that of the account that the role needs.
    pub fn new(role: R, sender: IntentSender) -> Result<Self, Error> {
        let found = sender.address();
        match role.required_account() {
            Some(expected) if expected != found => Err(Error::OtherAccount { expected, found }),
            _ => Ok(Self { role, sender, reported: None }),
        }
    }

    /// The key's address.
    pub const fn address(&self) -> Address {
        self.sender.address()
    }

    /// The sender of its transactions.
    pub const fn sender(&self) -> &IntentSender {
        &self.sender
    }

    /// Adds what the agent needs to know to what the next view covers.
    pub fn extend(&self, question: &mut Question) {
        self.role.extend(question);
    }

    /// Finds out what became of its transactions up to the view's block, and sends what is due in the next
    /// one. Call it once per block.
    ///
    /// A failed attempt is reported and made again at the next call; one failure doesn't keep anything else
    /// from being tried. A refusal that lasts is reported once.
    pub async fn tick(&mut self, view: &SetView) -> Tick<R::Status> {
        let mut reports = self.sender.settle(view.present.block).await;
        let mut duty = self.role.duty(view, &|id| self.sender.progress(id));
        let rechecked = self.role.recheck(self.sender.client(), view, &mut duty).await;
        reports.extend(self.failed_check(rechecked));
        let Duty { status, intents } = duty;
        reports.extend(self.sender.pursue(&intents, view.present.next).await);
        Tick { status, reports }
    }

    /// The report of a failed check, unless it was reported and lasts.
    fn failed_check(&mut self, checked: Result<(), Error>) -> Option<TxReport> {
        let Err(error) = checked else {
            self.reported = None;
            return None;
        };
        if !error.is_temporary() {
            let kind = mem::discriminant(&error);
            if self.reported.replace(kind) == Some(kind) {
                return None;
            }
        }
        Some(TxReport { intent: None, event: TxEvent::Failed(error) })
    }
}

impl<S> Tick<S> {
    /// Whether a transaction was sent.
    pub fn has_sent(&self) -> bool {
        self.reports.iter().any(|report| matches!(report.event, TxEvent::Sent { .. }))
    }
}
