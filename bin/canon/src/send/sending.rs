//! Commands that send.

use std::{future::Future, path::Path};

use alloy_primitives::Address;
use canon_chain::{AccountSigner, Client, IntentSender, Wait, tx::FeePolicy};
use canon_protocol::{
    Seconds,
    text::{Rounding, ether},
};
use eyre::eyre;

use super::{
    Answer, Planned, SIGN_IT, Step,
    args::{Consent, Format},
    conclusion::Conclusion,
    draft::preview,
    failures, not_signed,
    outbox::{Again, Delivered, Notes, Outbox, Stopped},
    outcome::{self, OutcomeDocument},
    record::{self, AccountFiles},
    seed,
    show::{self, Previewed},
};
use crate::{
    exit::{Exit, Failure},
    output,
};

/// A command that sends, with everything it needs.
pub(super) struct Sending<'a, A, C> {
    pub(super) client: &'a Client,
    pub(super) signer: AccountSigner,
    pub(super) folder: &'a Path,
    pub(super) registry: Address,
    pub(super) command: &'a str,
    pub(super) confirmations: u64,
    /// The expected time between blocks.
    pub(super) block_time: Seconds,
    pub(super) consent: Consent,
    /// The preview that the user has consented to before a wait; `None` before that.
    pub(super) shown: Option<&'a str>,
    pub(super) format: Format,
    /// Shows a note that isn't the result.
    pub(super) tell: &'a dyn Fn(&str),
    /// Shows what a mined transaction waits for; `None` if it waits no longer.
    pub(super) progress: &'a dyn Fn(Option<&str>),
    /// Shows the steps.
    pub(super) show: &'a dyn Fn(&str),
    /// Shows the steps and asks a question.
    pub(super) ask: &'a A,
    /// Shows the result.
    pub(super) result: &'a dyn Fn(&str) -> Result<(), Failure>,
    pub(super) conclusion: &'a C,
}

impl<A: AsyncFn(&str, &str) -> Result<Answer, Failure>, C: Conclusion> Sending<'_, A, C> {
    /// Sends until the command is done or `interrupt` returns.
    pub(super) async fn run(
        &self,
        wait: impl Wait,
        interrupt: impl Future<Output = ()>,
        plan: &impl AsyncFn(Planned) -> Result<Vec<Step>, Failure>,
    ) -> Result<Exit, Failure> {
        let account = self.signer.address();
        let genesis = record::genesis(self.client).await?;
        let files = AccountFiles::new(self.folder, self.client.chain_id(), genesis, account);
        let lock = files.lock(self.command)?;
        let journal = files.journal(&lock)?;
        let fees = FeePolicy::default();
        let sender = IntentSender::new(self.client.clone(), self.signer.clone(), fees, journal);
        let sender = sender.map_err(failures::refused)?;
        let notes = Notes { tell: self.tell, progress: self.progress };
        let mut outbox =
            Outbox::new(sender, files, self.block_time, wait, notes, self.consent, self.ask);
        let mut delivered = Vec::new();
        let concluded = async {
            self.deliver(&mut outbox, &mut delivered, plan).await?;
            let blocks = delivered.iter().filter_map(|one| Some(one.transaction?.block));
            let changes: Vec<_> = delivered.iter().map(|one| &one.change).collect();
            Ok(self.conclusion.conclude(blocks.max(), &changes).await)
        };
        let ended = tokio::select! {
            biased;
            ended = concluded => Some(ended),
            () = interrupt => None,
        };
        match ended {
            // Whether it did its work isn't known, so the record is kept.
            Some(Ok(Err(failure))) if failure.exit == Exit::Internal => Err(failure),
            Some(Ok(Err(failure))) => {
                self.print_before(account, &delivered, &failure)?;
                outbox.end()?;
                Err(failure)
            }
            Some(Ok(Ok(concluded))) => {
                self.print(account, &delivered, &concluded)?;
                outbox.end()?;
                for one in &delivered {
                    let note = seed::unrecorded(self.client, self.registry, one).await?;
                    note.iter().for_each(|note| (self.tell)(note));
                }
                outcome::other_actions(&delivered).map_or(Ok(Exit::Success), Err)
            }
            Some(Err(Stopped::ForGood(failure))) => {
                let failure = self.after(account, &delivered, failure)?;
                outbox.end()?;
                Err(failure)
            }
            Some(Err(Stopped::Mined { transaction, failure })) => {
                let failure = self.after(account, &delivered, failure)?;
                outbox.end_failed(transaction)?;
                Err(failure)
            }
            Some(Err(Stopped::ForNow(failure) | Stopped::Displaced { failure, .. })) => {
                Err(failure)
            }
            None => {
                // The terminal shows ^C in the current line.
                (self.show)("\n");
                Err(outbox.interrupted(eyre!("Ctrl-C was pressed")))
            }
        }
    }

    /// Carries out the command. Adds completed steps to `delivered`.
    async fn deliver(
        &self,
        outbox: &mut Outbox<'_, impl Wait, A>,
        delivered: &mut Vec<Delivered>,
        plan: &impl AsyncFn(Planned) -> Result<Vec<Step>, Failure>,
    ) -> Result<(), Stopped> {
        let (command, registry, confirmations) = (self.command, self.registry, self.confirmations);
        let start = outbox.start(command, registry, confirmations, delivered).await?;
        let done = start.begun.as_ref().map(|begun| &begun.steps);
        let done = done.filter(|steps| steps.iter().all(|step| is_among(step, delivered)));
        if done.is_some_and(|steps| !steps.iter().all(Step::recurs)) {
            return Ok(());
        }
        let earlier_steps = start.begun.iter().flat_map(|begun| &begun.steps);
        let planned = Planned {
            account: outbox.sender().address(),
            request: start.request,
            shown: earlier_steps.filter_map(|step| step.ordered_amount).next(),
        };
        let steps = match self.remaining(plan, planned, delivered).await {
            Ok(steps) if steps.is_empty() => {
                if delivered.is_empty() {
                    (self.tell)(NOTHING_LEFT);
                }
                return Ok(());
            }
            Err(failure) if done.is_some() && failure.exit != Exit::Internal => return Ok(()),
            other => other?,
        };
        let amount = steps.iter().find_map(|step| step.ordered_amount);
        let planned = Planned { shown: planned.shown.or(amount), ..planned };
        let unsent = |failure| match delivered.is_empty() {
            true => failures::nothing_sent(failure),
            false => failure,
        };
        let steps = self.consent_to_signatures(planned.account, steps).await?;
        let previewed = preview(outbox.sender(), self.block_time, steps).await.map_err(unsent)?;
        let shown: Vec<_> = previewed.iter().map(|one| one.step.clone()).collect();
        check_balance(outbox.sender(), &previewed).await?;
        let text = show::text(planned.account, &previewed);
        match self.consent {
            Consent::Given => match self.shown {
                Some(earlier) => (self.show)(&show::changes(earlier, &text)),
                None => (self.show)(&text),
            },
            Consent::Ask => {
                if (self.ask)(&text, "Send it?").await? == Answer::No {
                    let more = if delivered.is_empty() { "" } else { " more" };
                    let report = eyre!("the answer was no: nothing{more} was sent");
                    let next = "run the command again to be asked again";
                    return Err(Failure::refused(report, next).into());
                }
            }
        }
        let now = self.remaining(plan, planned, delivered).await?;
        if now.is_empty() && delivered.is_empty() {
            // Somebody else did it while the user read.
            (self.tell)(NOTHING_LEFT);
            return Ok(());
        }
        let shown = self.still_due(&now, shown)?;
        let steps = delivered.iter().map(|done| &done.step).chain(&shown).cloned().collect();
        let earlier = start.begun.map(|begun| begun.earlier);
        let begun = outbox.begin(self.command, self.registry, start.request, steps, earlier);
        let begun = begun.map_err(Stopped::ForNow)?;
        for (number, step) in shown.into_iter().enumerate() {
            if number > 0 {
                let now = match self.remaining(plan, planned, delivered).await {
                    // Others did the rest.
                    Err(failure) if failure.exit == Exit::NothingToDo && step.recurs() => {
                        Vec::new()
                    }
                    now => now?,
                };
                if self.still_due(&now, vec![step.clone()])?.is_empty() {
                    continue;
                }
            }
            let done = outbox.deliver(&step, &begun.earlier, confirmations, Again::Send);
            delivered.push(done.await?);
        }
        Ok(())
    }

    /// The steps that were shown, of those that are due now. What anybody can do, somebody else may have done
    /// meanwhile. Other steps that are due by now aren't sent.
    ///
    /// # Errors
    ///
    /// If a step would do something else now than was shown.
    fn still_due(&self, now: &[Step], shown: Vec<Step>) -> Result<Vec<Step>, Failure> {
        let mut due = Vec::new();
        for step in shown {
            let is_same_intent = |other: &Step| other.intent.id() == step.intent.id();
            if now.iter().any(|other| other.is(&step)) {
                due.push(step);
            } else if step.recurs() && !now.iter().any(is_same_intent) {
                (self.tell)(&format!("not sent, since it isn't due any more: {}", step.title()));
            } else {
                let report = eyre!(
                    "the chain has changed since this was shown: it would do something else now"
                );
                return Err(Failure::refused(
                    report,
                    "run the command again to see what it would do",
                ));
            }
        }
        Ok(due)
    }

    /// Shows steps that contain a signature, and asks for consent before anything is signed.
    async fn consent_to_signatures(
        &self,
        account: Address,
        steps: Vec<Step>,
    ) -> Result<Vec<Step>, Failure> {
        if self.consent == Consent::Ask && steps.iter().any(Step::awaits_signature) {
            let shown = show::text_before_signature(account, &steps);
            if (self.ask)(&shown, SIGN_IT).await? == Answer::No {
                return Err(not_signed());
            }
        }
        Ok(steps.into_iter().map(Step::waiting_for_its_signature).collect())
    }

    /// The steps that aren't completed yet, as of the newest block.
    async fn remaining(
        &self,
        plan: &impl AsyncFn(Planned) -> Result<Vec<Step>, Failure>,
        planned: Planned,
        delivered: &[Delivered],
    ) -> Result<Vec<Step>, Failure> {
        let steps = plan(planned).await?;
        Ok(steps.into_iter().filter(|step| !is_among(step, delivered)).collect())
    }

    /// The failure of a step. If earlier ones are done, prints those, says how to take an unused allowance
    /// back, and adds them to the failure.
    fn after(
        &self,
        account: Address,
        delivered: &[Delivered],
        failure: Failure,
    ) -> Result<Failure, Failure> {
        let Some(last) = delivered.last() else { return Ok(failure) };
        self.print_before(account, delivered, &failure)?;
        if let Some(text) = show::taking_back(&last.step.intent) {
            (self.tell)(&text);
        }
        if let Some(other) = outcome::other_actions(delivered) {
            (self.tell)(&other.report.to_string());
        }
        Ok(failures::after(delivered, failure))
    }

    /// Prints the outcome of a command that failed later. If it can't be printed, the failure is told as a note.
    fn print_before(
        &self,
        account: Address,
        delivered: &[Delivered],
        failure: &Failure,
    ) -> Result<(), Failure> {
        let printed = self.print(account, delivered, "");
        if printed.is_err() {
            (self.tell)(&format!("{:#}", failure.report));
        }
        printed
    }

    /// Prints the outcome, with the description of the result.
    fn print(
        &self,
        account: Address,
        delivered: &[Delivered],
        concluded: &str,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Text => (self.result)(&(outcome::text(delivered) + concluded)),
            Format::Json => {
                let document = OutcomeDocument::new(account, delivered, self.conclusion.document());
                (self.result)(&output::to_json(&document)?)
            }
        }
    }
}

const NOTHING_LEFT: &str = "nothing to send: it is already done";

/// Refuses steps that the account can't pay for.
pub(super) async fn check_balance(
    sender: &IntentSender,
    previewed: &[Previewed],
) -> Result<(), Failure> {
    let needed = show::most_cost(previewed);
    let balance = sender.balance().await.map_err(failures::unsent)?;
    let missing = needed.saturating_sub(balance);
    if missing.is_zero() {
        return Ok(());
    }
    let report = eyre!(
        "{} has {} ether, and up to {} is needed: {} is missing",
        sender.address(),
        ether(balance, Rounding::Down),
        ether(needed, Rounding::Up),
        ether(missing, Rounding::Up)
    );
    Err(Failure::refused(report, "send ether to the account, then run the command again"))
}

fn is_among(step: &Step, delivered: &[Delivered]) -> bool {
    delivered.iter().any(|done| done.step.intent.id() == step.intent.id())
}
