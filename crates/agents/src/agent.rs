//! An agent: a duty, and the sender that executes its intents block by block.

use alloy_primitives::Address;
use canon_chain::{
    Client, Error, IntentSender,
    tx::{ReportedFailures, TxEvent, TxReport},
};
use canon_views::{Duty, Intent, IntentId, IntentProgress, Question, SetView, Window};
use std::collections::BTreeSet;

/// A duty of `canon-views` with its settings. It has no memory: its intents follow from the view, the
/// settings and the sender's journal.
pub trait AgentRole {
    /// The status that a duty returns in addition to its intents: a decision, a phase, or the status of
    /// each order.
    type Status;

    /// The only account whose key can act for it, or `None` if any can.
    fn required_account(&self) -> Option<Address>;

    /// Adds the facts that the duty needs to the question for the next view.
    fn extend(&self, question: &mut Question);

    /// Returns the duty in the next block. `progress` returns the journal's record of an intent at the
    /// view's block.
    fn duty(
        &self,
        view: &SetView,
        progress: &dyn Fn(&IntentId) -> IntentProgress,
    ) -> Duty<Self::Status>;

    /// Whether `account` may send the first transaction for an intent in the next block. One that is in flight is
    /// continued in any case.
    fn may_begin(&self, _account: Address, _view: &SetView, _intent: &Intent) -> bool {
        true
    }

    /// The highest price that a new transaction for an intent offers in the next block, in wei per gas, where it is
    /// lower than the cap of the sender's policy.
    fn price_limit(&self, _view: &SetView, _intent: &Intent) -> Option<u128> {
        None
    }

    /// The steps of others or its own that must not be missed, also those that it leaves to others.
    fn deadlines(&self, _view: &SetView) -> Vec<Deadline> {
        Vec::new()
    }

    /// Reads again, at the view's block, the facts that a duty depends on and the view doesn't contain.
    /// Removes an intent from the duty if a fact isn't as it was checked. Removes it also if the fact can't
    /// be read, unless `is_in_flight` returns true for the intent: a single failed request doesn't cancel a
    /// transaction.
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

/// A step that must not be missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// The step, and the time in which it is possible.
    pub window: Window,
    /// Whether the role takes it.
    pub part: Part,
}

/// Whether a step is the role's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The role takes it.
    Own,
    /// The role's settings leave it to others.
    LeftOut,
}

/// The result of reading again the facts that a duty depends on.
#[derive(Debug)]
#[must_use]
pub enum Recheck {
    /// There was no check, since no intent depends on it. This says nothing about earlier failures.
    NotMade,
    /// The facts are as they were checked.
    Passed,
    /// A fact has changed or can't be read.
    Failed {
        /// The contract that was read.
        contract: Address,
        /// The reason why the dependent intents were removed from the duty.
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
    /// The intents that were pursued: those of the duty, without those that must not begin yet.
    pub pursued: Vec<Intent>,
    /// Reports about transactions, in the order in which the agent learned of them.
    pub reports: Vec<TxReport>,
}

impl<R: AgentRole> Agent<R> {
    /// An agent that continues from the sender's journal.
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

    /// Adds the facts that the agent needs to the question for the next view.
    pub fn extend(&self, question: &mut Question) {
        self.role.extend(question);
    }

    /// Settles its transactions up to the view's block, and sends the intents that are due in the next one.
    /// Call it once per block.
    ///
    /// A failed attempt is reported and repeated at the next call. A failure doesn't prevent other
    /// attempts. A lasting refusal is reported once. The agent continues after every failure; the program
    /// that runs it should end if the [severity](Error::severity) of a failure is
    /// [`Stop`](canon_chain::Severity::Stop).
    pub async fn tick(&mut self, view: &SetView) -> Tick<R::Status> {
        let mut reports = self.sender.settle(view.present.block).await;
        let mut duty = self.role.duty(view, &|id| self.sender.progress(id));
        let out: BTreeSet<_> =
            self.sender.in_flight().filter_map(|one| one.intent.map(Intent::id)).collect();
        let is_in_flight = |id: &IntentId| out.contains(id);
        let account = self.sender.address();
        duty.intents.retain(|intent| {
            is_in_flight(&intent.id()) || self.role.may_begin(account, view, intent)
        });
        let limits = duty
            .intents
            .iter()
            .filter_map(|intent| Some((intent.id(), self.role.price_limit(view, intent)?)));
        self.sender.limit_prices(limits.collect());
        let client = self.sender.client();
        let rechecked = self.role.recheck(client, view, &mut duty, &is_in_flight).await;
        reports.extend(self.report_of(rechecked));
        let Duty { status, intents } = duty;
        reports.extend(self.sender.pursue(&intents, view.present.next).await);
        Tick { status, pursued: intents, reports }
    }

    /// The report of a failed check, unless the same failure was reported before and persists.
    fn report_of(&mut self, recheck: Recheck) -> Option<TxReport> {
        let failed = match recheck {
            Recheck::NotMade => return None,
            Recheck::Passed => None,
            Recheck::Failed { contract, error } => Some((contract, error)),
        };
        let news = match failed {
            // A failing endpoint says nothing about the contract.
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
