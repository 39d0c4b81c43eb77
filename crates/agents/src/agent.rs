//! The loop around a duty.

use alloy_primitives::Address;
use canon_chain::{
    Client, Error, IntentSender, Severity,
    tx::{ReportedFailures, TxEvent, TxReport},
};
use canon_views::{Duty, Intent, IntentId, IntentProgress, Question, SetView};
use std::collections::BTreeSet;

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

    /// Reads again, at the view's block, what a duty depends on and the view doesn't show. An intent is taken out
    /// of the duty if that isn't as it was checked; if it can't be read, unless `is_in_flight` says that the
    /// intent's transaction is out: one request that fails doesn't cancel it.
    fn recheck(
        &self,
        _client: &Client,
        _view: &SetView,
        _duty: &mut Duty<Self::Status>,
        _is_in_flight: &(dyn Fn(&IntentId) -> bool + Sync),
    ) -> impl Future<Output = Recheck> + Send {
        async { Recheck::NotMade }
    }
}

/// What came of reading again what a duty depends on.
#[derive(Debug)]
#[must_use]
pub enum Recheck {
    /// Nothing that is due depends on it. It shows nothing about earlier failures.
    NotMade,
    /// It is as it was checked.
    Passed,
    /// It isn't, or can't be read.
    Failed {
        /// The contract that was read.
        contract: Address,
        /// Why what depends on it was taken out of the duty.
        error: Error,
    },
}

/// A role and the key that acts for it.
#[derive(Debug)]
pub struct Agent<R> {
    /// The role. Its settings may change between two blocks, but not the account that it needs.
    pub role: R,
    sender: IntentSender,
    /// The failure of the last check that was made, by the contract that was read.
    reported: ReportedFailures<Address>,
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
            _ => Ok(Self { role, sender, reported: ReportedFailures::default() }),
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
    /// from being tried. A refusal that lasts is reported once. The agent goes on whatever fails: a program that
    /// runs it ends if [`Tick::severity`] is [`Severity::Stop`].
    pub async fn tick(&mut self, view: &SetView) -> Tick<R::Status> {
        let mut reports = self.sender.settle(view.present.block).await;
        let mut duty = self.role.duty(view, &|id| self.sender.progress(id));
        let out: BTreeSet<_> =
            self.sender.in_flight().filter_map(|one| one.intent.map(Intent::id)).collect();
        let is_in_flight = |id: &IntentId| out.contains(id);
        let client = self.sender.client();
        let rechecked = self.role.recheck(client, view, &mut duty, &is_in_flight).await;
        reports.extend(self.report_of(rechecked));
        let Duty { status, intents } = duty;
        reports.extend(self.sender.pursue(&intents, view.present.next).await);
        Tick { status, reports }
    }

    /// The report of a failed check, unless it was reported and lasts.
    fn report_of(&mut self, recheck: Recheck) -> Option<TxReport> {
        let failed = match recheck {
            Recheck::NotMade => return None,
            Recheck::Passed => None,
            Recheck::Failed { contract, error } => Some((contract, error)),
        };
        let news = match failed {
            // An endpoint that fails shows nothing about the contract.
            Some((_, error)) if error.is_temporary() => Some(error),
            failed => {
                let failed = failed.into_iter().collect();
                let news =
                    self.reported.leave_out(failed, |(contract, error)| Some((*contract, error)));
                news.into_iter().next().map(|(_, error)| error)
            }
        };
        Some(TxReport { intent: None, event: TxEvent::Failed(news?) })
    }
}

impl<S> Tick<S> {
    /// The worst of the failures that are reported; `None` if nothing failed. At [`Severity::Stop`] nothing that the
    /// agent does can be trusted until a person has looked at it.
    pub fn severity(&self) -> Option<Severity> {
        self.reports.iter().filter_map(|report| Some(report.failure()?.1.severity())).max()
    }

    /// Whether a transaction was sent.
    pub fn has_sent(&self) -> bool {
        self.reports.iter().any(|report| matches!(report.event, TxEvent::Sent { .. }))
    }
}
