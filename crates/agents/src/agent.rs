//! The loop around a duty.

use alloy_primitives::Address;
use canon_chain::{
    Error, IntentSender,
    tx::{TxEvent, TxReport},
};
use canon_views::{Duty, Question, SetView};

/// A duty of `canon-views` with its settings. It has no memory: what is due follows from the view, the
/// settings, and what the sender's journal says is done.
pub trait AgentRole {
    /// What the duty says beside its intents: a decision, a phase, the status of each order.
    type Status;

    /// The only account whose key can act for it; `None` if any can.
    fn required_account(&self) -> Option<Address>;

    /// Adds what the duty needs to know to what a view is asked for.
    fn ask(&self, question: &mut Question);

    /// What is due in the next block. `sender` has been settled for the view's block.
    fn duty(&self, view: &SetView, sender: &IntentSender) -> Duty<Self::Status>;
}

/// A role and the key that acts for it.
#[derive(Debug)]
pub struct Agent<R> {
    /// The role. Its settings may change between two blocks, but not the account that it needs.
    pub role: R,
    sender: IntentSender,
}

/// What an agent did about a block.
#[derive(Debug)]
pub struct Tick<S> {
    /// What the duty says beside its intents.
    pub status: S,
    /// What became of transactions, in the order in which it was found out.
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
            _ => Ok(Self { role, sender }),
        }
    }

    /// The key's address.
    pub const fn address(&self) -> Address {
        self.sender.address()
    }

    /// What sends its transactions.
    pub const fn sender(&self) -> &IntentSender {
        &self.sender
    }

    /// Adds what the agent needs to know to what the next view is asked for.
    pub fn ask(&self, question: &mut Question) {
        self.role.ask(question);
    }

    /// Finds out what became of its transactions up to the view's block, and sends what is due in the next
    /// one. Call it once per block.
    ///
    /// What fails is reported and tried again at the next call; one failure doesn't keep anything else from
    /// being tried. A refusal that lasts is reported once.
    pub async fn tick(&mut self, view: &SetView) -> Tick<R::Status> {
        let mut reports = self.sender.settle(view.present.block).await;
        let Duty { status, intents } = self.role.duty(view, &self.sender);
        reports.extend(self.sender.pursue(&intents, view.present.next).await);
        Tick { status, reports }
    }
}

impl<S> Tick<S> {
    /// Whether a transaction was sent.
    pub fn has_sent(&self) -> bool {
        self.reports.iter().any(|report| matches!(report.event, TxEvent::Sent { .. }))
    }
}
