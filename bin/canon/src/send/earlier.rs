//! Transactions that earlier commands of an account left behind. The user is told about them, and none is sent
//! again without consent: a transaction that was sent to a fork is also valid on the chain that the fork began
//! with, and on its other forks.

use alloy_primitives::{Address, B256};
use canon_chain::{Error, FINALITY, Inclusion, Wait, tx::UnprovenTransaction};
use canon_protocol::BlockNumber;
use canon_views::{BlockView, Intent, IntentId, RequestId};
use eyre::{Report, eyre};
use std::collections::BTreeMap;

use super::{
    Answer, Step,
    args::Consent,
    failures,
    outbox::{Again, Delivered, Outbox, Stopped},
    outcome::{Change, other_actions},
    record::Begun,
};
use crate::{by_hand, exit::Failure, page};

/// The number of blocks after which the user is told how to give up a transaction that isn't mined.
const HINT: u64 = 16;

/// The number of blocks after which a command stops waiting.
const PATIENCE: u64 = FINALITY;

/// The state in which a command starts.
#[derive(Debug)]
pub(super) struct Start {
    /// The number of the command's request.
    pub(super) request: RequestId,
    /// The record of an interrupted run of the same command; `None` for a new command.
    pub(super) begun: Option<Begun>,
}

/// The wait for one intent, which ends after [`PATIENCE`] blocks.
#[derive(Debug, Default)]
pub(super) struct Patience {
    /// The first block of the wait; `None` before it.
    since: Option<BlockNumber>,
    /// Whether a transaction for the intent could be mined when it was last looked at.
    is_in_flight: bool,
    /// The last failure to send it.
    failure: Option<Error>,
}

impl Patience {
    /// A wait that began at a block.
    const fn since(block: BlockNumber) -> Self {
        Self { since: Some(block), is_in_flight: true, failure: None }
    }

    /// Notes whether a transaction for the intent can be mined. When that changes the wait begins anew.
    pub(super) fn note(&mut self, is_in_flight: bool) {
        if self.is_in_flight != is_in_flight {
            *self = Self { is_in_flight, ..Self::default() };
        }
    }

    /// Notes why the intent couldn't be sent. If another transaction used its nonce, the wait begins when that one
    /// is final.
    pub(super) fn note_failure(&mut self, error: Error) {
        if let Error::NonceUseNotFinal { until, .. } = error {
            self.since = Some(until);
        }
        self.failure = Some(error);
    }
}

/// The command that a transaction belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SentBy {
    ResumedCommand,
    EarlierCommand,
}

/// Whether the transactions in flight for each intent are sent again.
#[derive(Debug, Default)]
struct Decisions(BTreeMap<IntentId, Again>);

impl Decisions {
    /// The decision about a step; to wait if none of its transactions was in flight.
    fn again(&self, step: &Step) -> Again {
        self.0.get(&step.intent.id()).copied().unwrap_or(Again::Wait)
    }
}

impl Begun {
    /// The step of the command that carries out an intent.
    fn step(&self, intent: &Intent) -> Option<&Step> {
        self.steps.iter().find(|step| step.intent.id() == intent.id())
    }

    /// Whether the command has sent a transaction for an intent.
    fn has_sent(&self, transaction: B256, intent: &Intent) -> bool {
        !self.earlier.contains(&transaction) && self.step(intent).is_some()
    }
}

impl<W: Wait, A: AsyncFn(&str, &str) -> Result<Answer, Failure>> Outbox<'_, W, A> {
    /// Settles the transactions of the last command before this one starts. If it was the same command, it is
    /// resumed, and the steps that it completed are added to `delivered`, also those before one that fails;
    /// otherwise its outcome is reported.
    pub(super) async fn start(
        &mut self,
        command: &str,
        registry: Address,
        confirmations: u64,
        delivered: &mut Vec<Delivered>,
    ) -> Result<Start, Stopped> {
        self.look().await?;
        let begun = self.begun(confirmations).await?;
        begun.iter().for_each(|begun| self.keep(begun));
        let is_same = |begun: &Begun| begun.command == command && begun.registry == registry;
        let (same, other) = match begun {
            Some(begun) if is_same(&begun) => (Some(begun), None),
            other => (None, other),
        };
        self.leave_unproven(same.as_ref()).await?;
        let mut decisions = Decisions::default();
        let Some(begun) = same else {
            if let Some(begun) = other {
                self.finish_other(begun, confirmations, &mut decisions).await?;
            }
            self.settle_others(None, &mut decisions).await?;
            return Ok(Start { request: self.sender.next_request(), begun: None });
        };
        (self.tell)(&format!("`{command}` was interrupted before its outcome was shown"));
        self.settle_others(Some(&begun), &mut decisions).await?;
        for step in &begun.steps {
            if !self.is_sent(step, &begun.earlier) {
                (self.tell)(&format!("not sent yet: {}", step.title()));
                continue;
            }
            if let Some((nonce, by)) = self.displaced(step, &begun.earlier) {
                (self.tell)(&failures::given_up(step, nonce, by));
                continue;
            }
            let again = decisions.again(step);
            delivered.push(self.deliver(step, &begun.earlier, confirmations, again).await?);
        }
        Ok(Start { request: begun.request, begun: Some(begun) })
    }

    /// The record of the last command, if its outcome is still to be shown. A failure that was shown is forgotten
    /// if it stands.
    async fn begun(&mut self, confirmations: u64) -> Result<Option<Begun>, Stopped> {
        let begun = self.files.begun().map_err(Stopped::ForNow)?;
        let Some((begun, transaction)) = begun.as_ref().and_then(|one| Some((one, one.failed?)))
        else {
            return Ok(begun);
        };
        if self.is_still_failed(transaction, confirmations).await? {
            self.files.end().map_err(Stopped::ForNow)?;
            return Ok(None);
        }
        (self.tell)(&format!("the block in which {transaction} failed was replaced"));
        let begun = Begun { failed: None, ..begun.clone() };
        self.files.begin(&begun).map_err(Stopped::ForNow)?;
        Ok(Some(begun))
    }

    /// Reports transactions that may belong to another chain; they aren't sent. If one was never mined and isn't the
    /// resumed command's, the user is asked whether to go on without it. The resumed command sends its steps again
    /// under the same nonces.
    async fn leave_unproven(&self, same: Option<&Begun>) -> Result<(), Stopped> {
        let is_own = |one: &UnprovenTransaction| {
            let intent = one.intent.as_ref();
            same.zip(intent).is_some_and(|(begun, intent)| begun.has_sent(one.hash, intent))
        };
        let mut open = Vec::new();
        for one in self.sender.unproven() {
            let (hash, words) = (one.hash, words(one.intent.as_ref()));
            let where_it_was = match one.mined_in {
                Some(block) => format!("was mined in block {}", block.number),
                None => format!("was signed after block {}", one.since),
            };
            let text = format!(
                "{hash} ({words}) {where_it_was} of another chain with this id, or of this one before its \
                 newest blocks were replaced: it isn't sent here"
            );
            match one.mined_in.is_some() || is_own(&one) {
                true => (self.tell)(&text),
                false => open.push(format!("{text}\n{}", self.give_up(one.nonce))),
            }
        }
        if open.is_empty() {
            return Ok(());
        }
        let next = "run it on a terminal without --yes to be asked whether to go on without it";
        self.ask(&open.join("\n"), "Go on without it?", next).await
    }

    /// Waits for the transactions of another command, and reports their outcome. The record of a failure is kept until
    /// a command begins, since its block may be replaced.
    async fn finish_other(
        &mut self,
        begun: Begun,
        confirmations: u64,
        decisions: &mut Decisions,
    ) -> Result<(), Stopped> {
        (self.tell)(&format!("`{}` was interrupted before this one", begun.command));
        self.decide_all(Some((&begun, SentBy::EarlierCommand)), decisions).await?;
        let mut failed = None;
        for step in &begun.steps {
            let title = step.title();
            if !self.is_sent(step, &begun.earlier) {
                (self.tell)(&format!("not sent: {title}; run it again if it is still wanted"));
                continue;
            }
            let given_up = |nonce, by| {
                failures::given_up(step, nonce, by) + "; run it again if it is still wanted"
            };
            if let Some((nonce, by)) = self.displaced(step, &begun.earlier) {
                (self.tell)(&given_up(nonce, by));
                continue;
            }
            let again = decisions.again(step);
            let failure = match self.deliver(step, &begun.earlier, confirmations, again).await {
                Ok(delivered) => {
                    let done = match (&delivered.change, delivered.transaction) {
                        (change @ Change::CreatedByOthers { .. }, _) => change.to_string(),
                        (_, Some(Inclusion { hash, block, .. })) => {
                            format!("done in {hash}, block {block}")
                        }
                        (_, None) => "done".to_owned(),
                    };
                    (self.tell)(&format!("{done}: {title}"));
                    if let Some(other) = other_actions(&[delivered]) {
                        (self.tell)(&other.report.to_string());
                    }
                    continue;
                }
                Err(Stopped::Mined { transaction, failure }) => {
                    failed = Some(transaction);
                    failure
                }
                Err(Stopped::Displaced { nonce, by, .. }) => {
                    (self.tell)(&given_up(nonce, by));
                    continue;
                }
                Err(Stopped::ForGood(failure)) => failure,
                Err(stopped) => return Err(stopped),
            };
            (self.tell)(&format!("failed: {title} ({})", failure.report));
        }
        match failed {
            Some(transaction) => self.end_failed(transaction),
            None => self.end(),
        }
        .map_err(Stopped::ForNow)
    }

    /// Waits until no transaction of another command than the resumed one is in flight.
    async fn settle_others(
        &mut self,
        resumed: Option<&Begun>,
        decisions: &mut Decisions,
    ) -> Result<(), Stopped> {
        let mut since = BTreeMap::new();
        loop {
            let head = self.look().await?;
            let recorded = resumed.map(|begun| (begun, SentBy::ResumedCommand));
            self.decide_all(recorded, decisions).await?;
            let mut others = self.intents_in_flight().filter(|(hash, intent)| {
                !resumed.is_some_and(|begun| begun.has_sent(*hash, intent))
            });
            let Some((hash, intent)) = others.next() else { return Ok(()) };
            let (id, words) = (intent.id(), words(Some(intent)));
            drop(others);
            let since = *since.entry(id).or_insert(head.number);
            self.tell_once(format!(
                "{hash} is still in flight: this command waits for it ({words})"
            ));
            self.check_patience(&mut Patience::since(since), &head, &id)?;
            if decisions.0.get(&id) == Some(&Again::Send) {
                let next = self.sender.client().next_time(&head, self.block_time).await;
                self.pursue(None, next).await;
            }
            self.pause(&head).await?;
        }
    }

    /// The transactions in flight that carry out an intent, by nonce.
    fn intents_in_flight(&self) -> impl Iterator<Item = (B256, &Intent)> {
        self.sender.in_flight().filter_map(|one| Some((one.hash, one.intent?)))
    }

    /// Decides about all transactions in flight, because they are sent again together. Those of `recorded` are of the
    /// command whose record it is, and all others of earlier commands.
    async fn decide_all(
        &self,
        recorded: Option<(&Begun, SentBy)>,
        decisions: &mut Decisions,
    ) -> Result<(), Stopped> {
        for (hash, intent) in self.intents_in_flight() {
            let id = intent.id();
            if decisions.0.contains_key(&id) {
                continue;
            }
            let step = recorded.and_then(|(begun, sent_by)| {
                let step = begun.step(intent).filter(|_| begun.has_sent(hash, intent));
                Some((step?.title().to_owned(), sent_by))
            });
            let (words, sent_by) =
                step.unwrap_or_else(|| (words(Some(intent)), SentBy::EarlierCommand));
            decisions.0.insert(id, self.decide(&id, &words, sent_by).await?);
        }
        Ok(())
    }

    /// Decides whether the transactions in flight for an intent are sent again. If no node has the newest one,
    /// that needs consent, and consent to this command doesn't cover an earlier one.
    async fn decide(&self, id: &IntentId, words: &str, sent_by: SentBy) -> Result<Again, Stopped> {
        let Some((nonce, hash)) = self.in_flight(id) else { return Ok(Again::Wait) };
        let is_known =
            self.sender.is_known(hash).await.map_err(|error| {
                Stopped::ForNow(self.interrupted(Report::msg(error.to_string())))
            })?;
        match (is_known, sent_by, self.consent) {
            (true, SentBy::EarlierCommand, _) => Ok(Again::Wait),
            (true, SentBy::ResumedCommand, _) | (false, SentBy::ResumedCommand, Consent::Given) => {
                Ok(Again::Send)
            }
            (false, ..) => {
                let text = format!(
                    "{hash} was signed by an earlier command, isn't mined, and no node here has it: {words}\n{}",
                    self.give_up(nonce)
                );
                let next = "run the earlier command again to send it, or this one without --yes to be asked";
                self.ask(&text, "Send it again?", next).await?;
                Ok(Again::Send)
            }
        }
    }

    /// Asks a question. Unless the answer is yes, the command ends and can be run again.
    async fn ask(&self, text: &str, question: &str, next: &'static str) -> Result<(), Stopped> {
        let (report, next) = match self.consent {
            Consent::Given => (eyre!("{text}"), next),
            Consent::Ask => match (self.ask)(text, question).await.map_err(Stopped::ForNow)? {
                Answer::Yes => return Ok(()),
                Answer::No => {
                    let report = eyre!("the answer was no: nothing was sent");
                    (report, "run the command again to be asked again")
                }
            },
        };
        Err(Stopped::ForNow(Failure::refused(report, next)))
    }

    /// Reports how to give up a transaction that isn't mined for long, and ends the command after [`PATIENCE`]
    /// blocks, also if nothing could be sent in all of them.
    pub(super) fn check_patience(
        &mut self,
        patience: &mut Patience,
        head: &BlockView,
        id: &IntentId,
    ) -> Result<(), Stopped> {
        let since = *patience.since.get_or_insert(head.number);
        let waited = head.number.steps_since(since).unwrap_or_default();
        let in_flight = self.in_flight(id);
        if let Some((nonce, hash)) = in_flight.filter(|_| waited >= HINT) {
            let give_up = self.give_up(nonce);
            self.tell_once(format!("{hash} isn't mined after {HINT} blocks. {give_up}"));
        }
        if waited < PATIENCE {
            return Ok(());
        }
        let report = match (in_flight, patience.failure.take()) {
            (None, Some(error)) => eyre!("it couldn't be sent in {PATIENCE} blocks: {error}"),
            _ => eyre!("it isn't mined after {PATIENCE} blocks"),
        };
        Err(Stopped::ForNow(self.interrupted(report)))
    }

    /// The nonce and the hash of the newest transaction in flight for an intent.
    fn in_flight(&self, id: &IntentId) -> Option<(u64, B256)> {
        let mut all = self.sender.in_flight();
        let found = all.find(|one| one.intent.is_some_and(|intent| intent.id() == *id))?;
        Some((found.nonce, found.hash))
    }

    /// Instructions for giving up a transaction.
    fn give_up(&self, nonce: u64) -> String {
        let (account, fees) = (self.sender.address(), self.sender.fees_by_hand(nonce));
        let command = by_hand::use_up(account, nonce, fees);
        format!("To give it up, use its nonce for nothing, with the same key: {command}")
    }
}

/// The description of a transaction by its intent.
fn words(intent: Option<&Intent>) -> String {
    intent.map_or_else(|| "an empty transfer".to_owned(), |one| page::action_text(&one.action))
}
