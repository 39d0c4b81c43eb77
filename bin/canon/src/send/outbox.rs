//! The transactions of one account: those of the command, and those that an earlier command left behind.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};
use canon_chain::{
    Confirmed, Error, Inclusion, IntentSender, Wait, Waited,
    tx::{InFlight, TxEvent, TxReport},
};
use canon_protocol::{BlockNumber, Seconds, Timestamp, text::count};
use canon_views::{BlockView, IntendedAction, Intent, IntentId, RequestId};
use eyre::{Report, eyre};

use super::{
    Answer, Step,
    args::Consent,
    earlier::Patience,
    failures,
    outcome::Change,
    record::{AccountFiles, Begun},
};
use crate::exit::{Exit, Failure};

/// The number of consecutive endpoint failures after which a command stops waiting.
const MAX_FAILURES: u32 = 20;

/// The outbox of one account: it sends transactions, and records the commands that have begun.
pub(super) struct Outbox<'a, W, A> {
    pub(super) sender: IntentSender,
    pub(super) files: AccountFiles,
    /// The expected time between blocks.
    pub(super) block_time: Seconds,
    wait: W,
    pub(super) tell: &'a dyn Fn(&str),
    /// Shows what a mined transaction waits for; `None` if it waits no longer.
    progress: &'a dyn Fn(Option<&str>),
    pub(super) consent: Consent,
    /// Shows a text and asks a question.
    pub(super) ask: &'a A,
    /// The outcomes of transactions since the outbox was opened, by hash.
    outcomes: BTreeMap<B256, Outcome>,
    /// The notes already shown, each of which is shown only once.
    told: BTreeSet<String>,
}

/// What a command shows while it sends.
pub(super) struct Notes<'a> {
    /// Shows a note.
    pub(super) tell: &'a dyn Fn(&str),
    /// Shows what a mined transaction waits for; `None` if it waits no longer.
    pub(super) progress: &'a dyn Fn(Option<&str>),
}

/// The outcome of a mined transaction.
enum Outcome {
    Done(Confirmed),
    Failed(Error),
}

/// A step that is done.
#[derive(Clone, Debug)]
pub(super) struct Delivered {
    pub(super) step: Step,
    /// The transaction of the command. It did the step, or failed because the chain had the contract that it
    /// creates; `None` if it wasn't sent for that reason.
    pub(super) transaction: Option<Inclusion>,
    pub(super) change: Change,
}

/// The reason why a step wasn't completed.
#[derive(Debug)]
pub(super) enum Stopped {
    /// It won't be completed: no transaction of it is in flight.
    ForGood(Failure),
    /// Its transaction was mined and didn't do its work. If the block is replaced, it may still do it.
    Mined { transaction: B256, failure: Failure },
    /// Another transaction used its nonce, so that it was given up. The command can be resumed, and asks anew.
    Displaced { nonce: u64, by: B256, failure: Failure },
    /// It may still be completed: the command can be resumed.
    ForNow(Failure),
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        match failure.exit {
            // An internal error says nothing about the step itself.
            Exit::Internal => Self::ForNow(failure),
            Exit::Success | Exit::CheckFailed | Exit::BadInput | Exit::NothingToDo => {
                Self::ForGood(failure)
            }
        }
    }
}

/// Whether the transactions in flight are sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// Yes: the same bytes, and replacements with higher fees.
    Send,
    /// No: a node has them.
    Wait,
}

impl<'a, W: Wait, A: AsyncFn(&str, &str) -> Result<Answer, Failure>> Outbox<'a, W, A> {
    pub(super) fn new(
        sender: IntentSender,
        files: AccountFiles,
        block_time: Seconds,
        wait: W,
        Notes { tell, progress }: Notes<'a>,
        consent: Consent,
        ask: &'a A,
    ) -> Self {
        let (outcomes, told) = Default::default();
        Self { sender, files, block_time, wait, tell, progress, consent, ask, outcomes, told }
    }

    pub(super) const fn sender(&self) -> &IntentSender {
        &self.sender
    }

    /// Records the command before it sends. Transactions that are in the journal by now belong to other
    /// commands. If an interrupted run of the same command was recorded, `earlier` is its list of those
    /// transactions.
    pub(super) fn begin(
        &mut self,
        command: &str,
        registry: Address,
        request: RequestId,
        steps: Vec<Step>,
        earlier: Option<Vec<B256>>,
    ) -> Result<Begun, Failure> {
        let known = || {
            let here = self.sender.transactions().map(|(hash, _)| hash);
            here.chain(self.sender.unproven().map(|one| one.hash)).collect()
        };
        let earlier = earlier.unwrap_or_else(known);
        let command = command.to_owned();
        let begun = Begun { command, registry, request, earlier, steps, failed: None };
        self.files.begin(&begun)?;
        self.keep(&begun);
        Ok(begun)
    }

    /// Keeps the transactions of a command until another one begins. While its outcome wasn't shown, only they
    /// tell which of its steps are done.
    pub(super) fn keep(&mut self, begun: &Begun) {
        self.sender.keep(begun.steps.iter().map(|step| step.intent.id()));
    }

    /// Removes the record of the command, after its outcome was shown. The record of a failed one stays until another
    /// command begins.
    pub(super) fn end(&self) -> Result<(), Failure> {
        match self.files.begun()?.is_some_and(|begun| begun.failed.is_some()) {
            true => Ok(()),
            false => self.files.end(),
        }
    }

    /// Adds the failed transaction to the record of the command, after the failure was shown. The block of the
    /// transaction may be replaced, and then the transaction may succeed.
    pub(super) fn end_failed(&self, transaction: B256) -> Result<(), Failure> {
        match self.files.begun()? {
            Some(begun) => self.files.begin(&Begun { failed: Some(transaction), ..begun }),
            None => Ok(()),
        }
    }

    /// Whether a failure that was shown stands. If so, this returns once its block has the given number of
    /// confirmations.
    pub(super) async fn is_still_failed(
        &mut self,
        transaction: B256,
        confirmations: u64,
    ) -> Result<bool, Stopped> {
        loop {
            let head = self.look().await?;
            match self.outcomes.get(&transaction) {
                Some(Outcome::Failed(_))
                    if self.is_confirmed(transaction, &head, confirmations) =>
                {
                    return Ok(true);
                }
                Some(Outcome::Failed(_)) => self.pause(&head).await?,
                Some(Outcome::Done(_)) => return Ok(false),
                // If the sender doesn't know it, it is final, or of another chain.
                None => {
                    let mut known = self.sender.transactions();
                    return Ok(!known.any(|(hash, _)| hash == transaction));
                }
            }
        }
    }

    /// Whether the block of a mined transaction has this number of confirmations.
    fn is_confirmed(&self, transaction: B256, head: &BlockView, confirmations: u64) -> bool {
        self.missing_confirmations(transaction, head, confirmations).is_none()
    }

    /// The block of a mined transaction, and the number of blocks that are missing on top of it; `None` if none is.
    fn missing_confirmations(
        &self,
        transaction: B256,
        head: &BlockView,
        confirmations: u64,
    ) -> Option<(BlockNumber, u64)> {
        // A transaction is forgotten only once its block is final.
        let block = self.sender.mined_in(transaction)?;
        let after = head.number.steps_since(block).unwrap_or_default();
        let missing = confirmations.saturating_sub(after.saturating_add(1));
        (missing > 0).then_some((block, missing))
    }

    /// Whether the command has sent a transaction for a step.
    pub(super) fn is_sent(&self, step: &Step, earlier: &[B256]) -> bool {
        self.hashes_of(&step.intent.id(), earlier).next().is_some()
    }

    /// Whether the command has sent anything.
    fn has_sent(&self, earlier: &[B256]) -> bool {
        self.sender.transactions().any(|(hash, _)| !earlier.contains(&hash))
    }

    fn hashes_of<'s>(
        &'s self,
        id: &'s IntentId,
        earlier: &'s [B256],
    ) -> impl Iterator<Item = B256> + 's {
        let all = self.sender.transactions();
        let own = all.filter(move |(_, intent)| intent.is_some_and(|intent| intent.id() == *id));
        own.map(|(hash, _)| hash).filter(|hash| !earlier.contains(hash))
    }

    /// The nonce of the step's newest transaction and the other transaction that used it, if that gave the step up.
    pub(super) fn displaced(&self, step: &Step, earlier: &[B256]) -> Option<(u64, B256)> {
        let id = step.intent.id();
        let is_decided = self.hashes_of(&id, earlier).any(|hash| self.outcomes.contains_key(&hash));
        self.sender.displaced(&id).filter(|_| !is_decided)
    }

    /// Sends a step unless that was done, and waits for this number of confirmations. `again` says whether a
    /// transaction that is in flight already is sent again. If another transaction uses its nonce meanwhile, this
    /// ends, because that is how a person gives it up.
    pub(super) async fn deliver(
        &mut self,
        step: &Step,
        earlier: &[B256],
        confirmations: u64,
        again: Again,
    ) -> Result<Delivered, Stopped> {
        let id = step.intent.id();
        let mut patience = Patience::default();
        let mut displaced_before = None;
        if let Some(most) = step.most_gas {
            self.sender.limit_gas(id, most);
        }
        loop {
            let head = self.look().await?;
            patience.note(self.sender.may_be_mined(&id));
            let displaced = self.displaced(step, earlier);
            let before = *displaced_before.get_or_insert(displaced);
            if let Some((nonce, by)) = displaced.filter(|_| displaced != before) {
                let failure = failures::displaced(step, nonce, by);
                return Err(Stopped::Displaced { nonce, by, failure });
            }
            let hash = self.hashes_of(&id, earlier).find(|hash| self.outcomes.contains_key(hash));
            let missing =
                hash.and_then(|hash| self.missing_confirmations(hash, &head, confirmations));
            let waiting = missing.map(|(block, missing)| {
                format!("waiting for {} on top of block {block}", count(missing, "more block"))
            });
            (self.progress)(waiting.as_deref());
            match hash.and_then(|hash| Some((hash, self.outcomes.get(&hash)?))) {
                Some((hash, outcome)) if missing.is_none() => {
                    return match outcome {
                        Outcome::Done(confirmed) => {
                            let transaction = Some(confirmed.inclusion());
                            let change = Change::of(&step.intent, confirmed);
                            let change =
                                change.map_err(|lack| Stopped::ForNow(self.interrupted(lack)))?;
                            Ok(Delivered { step: step.clone(), transaction, change })
                        }
                        Outcome::Failed(error) => {
                            let failure = failures::mined(step, error);
                            let created = self.created_by_others(step, Some(hash)).await?;
                            created.ok_or(Stopped::Mined { transaction: hash, failure })
                        }
                    };
                }
                Some(_) => {}
                None if again == Again::Wait && self.sender.may_be_mined(&id) => {
                    self.check_patience(&mut patience, &head, &id)?;
                }
                None => {
                    self.check_patience(&mut patience, &head, &id)?;
                    let next = self.sender.client().next_time(&head, self.block_time).await;
                    if !self.sender.may_be_mined(&id) && !step.intent.is_useful_at(next) {
                        return Err(Stopped::ForGood(failures::too_late(step.title())));
                    }
                    if let Some(error) = self.pursue(Some(&step.intent), next).await {
                        // Something else of the account is in flight: afterwards the step may do something else.
                        let is_overtaken = matches!(error, Error::UnexpectedNonce { .. });
                        // What was recorded before the node refused it, another node may have.
                        if (is_overtaken || !error.is_temporary()) && !self.is_sent(step, earlier) {
                            if let Some(created) = self.created_by_others(step, None).await? {
                                return Ok(created);
                            }
                            let failure = failures::unsent(error);
                            return Err(Stopped::ForGood(match self.has_sent(earlier) {
                                true => failure,
                                false => failures::nothing_sent(failure),
                            }));
                        }
                        self.tell_once(error.to_string());
                        patience.note_failure(error);
                    }
                }
            }
            self.pause(&head).await?;
        }
    }

    /// The step if it creates a contract that the chain has by now: somebody else created it after the step was
    /// planned. The address proves that it is the same contract. `failed` is the transaction that was mined later.
    async fn created_by_others(
        &self,
        step: &Step,
        failed: Option<B256>,
    ) -> Result<Option<Delivered>, Stopped> {
        let IntendedAction::Create { contract, .. } = step.intent.action else { return Ok(None) };
        let client = self.sender.client();
        let unread =
            |error: Error| Stopped::ForNow(self.interrupted(Report::msg(error.to_string())));
        let head = client.head().await.map_err(unread)?;
        if client.code(head.hash.into(), contract).await.map_err(unread)?.is_none() {
            return Ok(None);
        }
        let transaction = match failed {
            Some(hash) => client.inclusion(hash).await.map_err(unread)?,
            None => None,
        };
        let change = Change::CreatedByOthers { contract };
        Ok(Some(Delivered { step: step.clone(), transaction, change }))
    }

    /// Sends an intent and everything in flight, for the first time or again. Returns the error if that of the
    /// intent fails. Transactions in flight that came too late are replaced by empty transfers, which is reported.
    pub(super) async fn pursue(
        &mut self,
        intent: Option<&Intent>,
        next: Timestamp,
    ) -> Option<Error> {
        let mut late = Vec::new();
        let mut wanted = Vec::new();
        for one in self.sender.in_flight() {
            let Some(intent) = one.intent else { continue };
            if !intent.is_useful_at(next) {
                late.push((one.nonce, one.hash));
            }
            wanted.push(intent.clone());
        }
        if let Some(intent) = intent
            && wanted.iter().all(|other| other.id() != intent.id())
        {
            wanted.push(intent.clone());
        }
        let reports = self.sender.pursue(&wanted, next).await;
        for (nonce, hash) in late {
            let is_given_up = |one: InFlight<'_>| one.nonce == nonce && one.intent.is_none();
            if self.sender.in_flight().any(is_given_up) {
                self.tell_once(format!("{hash} came too late: an empty transfer replaces it"));
            }
        }
        let mut failure = None;
        for (id, error) in self.take(reports) {
            let is_own = intent.is_some_and(|intent| Some(intent.id()) == id);
            // One that lasts says more than one that passes.
            let is_more = failure.as_ref().is_none_or(Error::is_temporary);
            match is_own && is_more {
                true => failure = Some(error),
                false => self.tell_once(error.to_string()),
            }
        }
        failure
    }

    /// Waits for the next block, unless there is a newer one than `head`.
    pub(super) async fn pause(&mut self, head: &BlockView) -> Result<(), Stopped> {
        // A development node mines at once.
        let newest = self.sender.client().head().await;
        if newest.is_ok_and(|newest| newest.hash != head.hash) {
            return Ok(());
        }
        match self.wait.wait(0).await {
            Waited::Again => Ok(()),
            Waited::GiveUp => Err(Stopped::ForNow(self.interrupted(eyre!("waiting was given up")))),
        }
    }

    /// Updates the outcomes of all transactions to the newest block.
    pub(super) async fn look(&mut self) -> Result<BlockView, Stopped> {
        let mut failures = 0;
        loop {
            let error = match self.sender.client().head().await {
                Ok(head) => {
                    let reports = self.sender.settle(head).await;
                    match self.take(reports).into_iter().next() {
                        None => return Ok(head),
                        Some((_, error)) => error,
                    }
                }
                Err(error) => error,
            };
            let report = Report::msg(error.to_string());
            if failures == MAX_FAILURES || !error.is_temporary() {
                return Err(Stopped::ForNow(self.interrupted(report)));
            }
            self.tell_once(error.to_string());
            if self.wait.wait(failures).await == Waited::GiveUp {
                return Err(Stopped::ForNow(self.interrupted(report)));
            }
            failures += 1;
        }
    }

    /// Records and shows events. Returns the failures that aren't those of mined transactions.
    fn take(&mut self, reports: Vec<TxReport>) -> Vec<(Option<IntentId>, Error)> {
        let mut errors = Vec::new();
        for TxReport { intent, event } in reports {
            match event {
                TxEvent::Sent { transaction, .. } => (self.tell)(&format!("sent {transaction}")),
                TxEvent::Confirmed(confirmed) => {
                    self.outcomes.insert(confirmed.hash, Outcome::Done(confirmed));
                }
                TxEvent::TakenBack { transaction } => {
                    self.outcomes.remove(&transaction);
                    (self.tell)(&format!(
                        "the block with {transaction} was replaced: waiting again"
                    ));
                }
                TxEvent::Superseded { by } => {
                    let by =
                        by.map_or_else(|| "another transaction".to_owned(), |by| by.to_string());
                    (self.tell)(&format!(
                        "{by} has used the nonce of a transaction of this account"
                    ));
                }
                TxEvent::Failed(error) => match error.mined_transaction() {
                    Some(hash) => {
                        self.outcomes.insert(hash, Outcome::Failed(error));
                    }
                    None => errors.push((intent, error)),
                },
                _ => {}
            }
        }
        errors
    }

    /// The failure for a command that ends before its outcome is known: it names the transactions in flight
    /// and how to resume.
    pub(super) fn interrupted(&self, reason: Report) -> Failure {
        // If the record can't be read, a command may have begun.
        let begun = self.files.begun().unwrap_or_else(|_| Some(Begun::default()));
        let Some(begun) = begun.filter(|begun| begun.failed.is_none()) else {
            let next = "the command has not begun: run it again";
            return Failure::internal(reason.wrap_err("nothing was sent"), next);
        };
        let in_flight = self.sender.in_flight().filter(|one| one.intent.is_some());
        let own = in_flight.map(|one| one.hash).filter(|hash| !begun.earlier.contains(hash));
        let own: Vec<_> = own.map(|hash| hash.to_string()).collect();
        let report = match own.is_empty() {
            true => reason.wrap_err("the outcome isn't known"),
            false => reason.wrap_err(format!("{} may still be mined", own.join(", "))),
        };
        Failure::internal(
            report,
            "run the same command again: it goes on from here, and sends nothing twice",
        )
    }

    pub(super) fn tell_once(&mut self, text: String) {
        if self.told.insert(text.clone()) {
            (self.tell)(&text);
        }
    }
}
