//! What earlier commands of an account left behind. It is said what it is, and nothing of it is sent without
//! consent: what was sent to a fork is valid on the chain that the fork began with, and on other forks of it.

use alloy_primitives::{Address, B256};
use canon_chain::{FINALITY, Wait, tx::UnprovenTransaction};
use canon_protocol::BlockNumber;
use canon_views::{BlockView, Intent, IntentId, OrderId};
use eyre::{Report, eyre};
use std::collections::BTreeMap;

use super::{
    Answer,
    args::Consent,
    outbox::{Again, Delivered, Outbox, Stopped},
    record::Begun,
};
use crate::{chain::BLOCK_TIME, exit::Failure, page};

/// The number of blocks after which it is said how what isn't mined is given up.
const HINT: u64 = 16;

/// The number of blocks after which a command doesn't wait any longer.
const PATIENCE: u64 = FINALITY;

/// Where a command begins.
#[derive(Debug)]
pub(super) struct Start {
    /// The number of its order.
    pub(super) order: OrderId,
    /// The steps that an interrupted run of the same command left done.
    pub(super) delivered: Vec<Delivered>,
    /// What that run began, and what was in the journal before. `None` for a new command.
    pub(super) begun: Option<Begun>,
}

/// Whose transaction it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// The command's that goes on.
    Own,
    /// An earlier command's.
    Other,
}

impl<W: Wait, A: AsyncFn(&str, &str) -> Result<Answer, Failure>> Outbox<'_, W, A> {
    /// Finds out what became of the command that ran before, and waits for what it left in flight. The same
    /// command goes on where it ended; of another one it is told what became of it.
    pub(super) async fn start(
        &mut self,
        command: &str,
        registry: Address,
        confirmations: u64,
    ) -> Result<Start, Stopped> {
        self.look().await?;
        let begun = self.files.begun().map_err(Stopped::ForNow)?;
        let is_same = |begun: &Begun| begun.command == command && begun.registry == registry;
        let (same, other) = match begun {
            Some(begun) if is_same(&begun) => (Some(begun), None),
            other => (None, other),
        };
        self.leave_unproven(same.as_ref()).await?;
        let Some(begun) = same else {
            if let Some(begun) = other {
                self.finish_other(begun).await?;
            }
            self.settle_rest().await?;
            return Ok(Start {
                order: self.sender.next_order(),
                delivered: Vec::new(),
                begun: None,
            });
        };
        (self.tell)(&format!("`{command}` was interrupted before its outcome was shown"));
        let mut delivered = Vec::new();
        for step in &begun.steps {
            if !self.is_sent(step, &begun.earlier) {
                (self.tell)(&format!("not sent yet: {}", step.title()));
                continue;
            }
            let again = self.decide(&step.intent.id(), step.title(), Whose::Own).await?;
            delivered.push(self.deliver(step, &begun.earlier, confirmations, again).await?);
        }
        Ok(Start { order: begun.order, delivered, begun: Some(begun) })
    }

    /// Says what isn't known to belong to this chain, which isn't sent. What could still be mined on it is left
    /// alone only if that is wanted; what a command that goes on does anew has the same nonce.
    async fn leave_unproven(&self, same: Option<&Begun>) -> Result<(), Stopped> {
        let is_own = |one: &UnprovenTransaction| {
            same.is_some_and(|begun| {
                let mut steps = begun.steps.iter();
                let is_of = |intent: &Intent| steps.any(|step| step.intent.id() == intent.id());
                !begun.earlier.contains(&one.hash) && one.intent.as_ref().is_some_and(is_of)
            })
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

    /// Waits for what another command left in flight, and tells what became of it.
    async fn finish_other(&mut self, begun: Begun) -> Result<(), Stopped> {
        (self.tell)(&format!("`{}` was interrupted before this one", begun.command));
        for step in &begun.steps {
            let title = step.title();
            if !self.is_sent(step, &begun.earlier) {
                (self.tell)(&format!("not sent: {title}; run it again if it is still wanted"));
                continue;
            }
            let again = self.decide(&step.intent.id(), title, Whose::Other).await?;
            match self.deliver(step, &begun.earlier, 1, again).await {
                Ok(Delivered { confirmed, .. }) => {
                    let (hash, block) = (confirmed.hash, confirmed.block);
                    (self.tell)(&format!("done in {hash}, block {block}: {title}"));
                }
                Err(Stopped::ForGood(failure)) => {
                    (self.tell)(&format!("failed: {title} ({})", failure.report));
                }
                Err(stopped) => return Err(stopped),
            }
        }
        self.files.end().map_err(Stopped::ForNow)
    }

    /// Waits until no transaction is in flight whose command isn't known any more.
    async fn settle_rest(&mut self) -> Result<(), Stopped> {
        let mut decided: BTreeMap<IntentId, (Again, BlockNumber)> = BTreeMap::new();
        loop {
            let head = self.look().await?;
            let first =
                self.sender.in_flight().find_map(|one| Some((one.hash, one.intent?.clone())));
            let Some((hash, intent)) = first else { return Ok(()) };
            let (id, words) = (intent.id(), words(Some(&intent)));
            let (again, since) = match decided.get(&id) {
                Some(decided) => *decided,
                None => (self.decide(&id, &words, Whose::Other).await?, head.number),
            };
            decided.insert(id, (again, since));
            self.tell_once(format!(
                "{hash} is still in flight: this command waits for it ({words})"
            ));
            self.check_patience(since, &head, &id)?;
            if again == Again::Send {
                let next = self.sender.client().next_time(&head, BLOCK_TIME).await;
                self.pursue(None, next).await;
            }
            self.pause(&head).await?;
        }
    }

    /// Whether what is in flight for an intent is sent again: what no node has only with consent. That of
    /// another command isn't part of the consent that was given with this one.
    async fn decide(&self, id: &IntentId, words: &str, whose: Whose) -> Result<Again, Stopped> {
        let Some((nonce, hash)) = self.in_flight(id) else { return Ok(Again::Wait) };
        let is_known =
            self.sender.is_known(hash).await.map_err(|error| {
                Stopped::ForNow(self.interrupted(Report::msg(error.to_string())))
            })?;
        match (is_known, whose, self.consent) {
            (true, Whose::Other, _) => Ok(Again::Wait),
            (true, Whose::Own, _) | (false, Whose::Own, Consent::Given) => Ok(Again::Send),
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

    /// Says how what isn't mined for long is given up, and ends the command when it waited long enough.
    pub(super) fn check_patience(
        &mut self,
        since: BlockNumber,
        head: &BlockView,
        id: &IntentId,
    ) -> Result<(), Stopped> {
        let waited = head.number.steps_since(since).unwrap_or_default();
        let Some((nonce, hash)) = self.in_flight(id).filter(|_| waited >= HINT) else {
            return Ok(());
        };
        let give_up = self.give_up(nonce);
        self.tell_once(format!("{hash} isn't mined after {HINT} blocks. {give_up}"));
        match waited < PATIENCE {
            true => Ok(()),
            false => {
                let report = eyre!("it isn't mined after {PATIENCE} blocks");
                Err(Stopped::ForNow(self.interrupted(report)))
            }
        }
    }

    /// The nonce and the newest transaction that is in flight for an intent.
    fn in_flight(&self, id: &IntentId) -> Option<(u64, B256)> {
        let mut all = self.sender.in_flight();
        let found = all.find(|one| one.intent.is_some_and(|intent| intent.id() == *id))?;
        Some((found.nonce, found.hash))
    }

    /// How a transaction is given up.
    fn give_up(&self, nonce: u64) -> String {
        let account = self.sender.address();
        format!(
            "To give it up, use its nonce for nothing, with the same key: cast send {account} --value 0 \
             --nonce {nonce}"
        )
    }
}

/// What a transaction is for.
fn words(intent: Option<&Intent>) -> String {
    intent.map_or_else(|| "a transfer of nothing".to_owned(), |one| page::action_text(&one.action))
}
