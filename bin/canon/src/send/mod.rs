//! How every command sends: words first, then a simulation, a question, and the transaction, whose outcome is
//! known before the command ends. A command that is interrupted goes on when it is run again.

mod args;
mod failures;
mod outbox;
mod outcome;
mod record;
mod show;
#[cfg(test)]
mod tests;
mod unsigned;

use std::{
    future::Future,
    io::{self, BufRead as _, IsTerminal as _},
    path::Path,
    time::Duration,
};

use alloy_primitives::{Address, U256};
use canon_chain::{
    AccountSigner, Client, IntentSender, Wait, Waited,
    tx::{FeePolicy, MemoryJournal, Preview},
};
use canon_protocol::text::ether;
use canon_views::{Intent, OrderId};
use eyre::{Report, eyre};
use serde::{Deserialize, Serialize};

pub(crate) use args::SendArgs;

use crate::{
    chain::{BLOCK_TIME, Chain},
    exit::{Exit, Failure},
    output,
    signing::{Need, Opened},
};
use args::{Consent, Extent, Format, UnsignedForm};
use outbox::{Delivered, Outbox, Stopped};
use outcome::OutcomeDocument;
use record::AccountFiles;
use show::{PreviewDocument, Previewed};
use unsigned::{SafeBatch, TransactionsDocument, UNSIMULATED_GAS, UnsignedCall};

/// The time between two looks for a new block.
const POLL: Duration = Duration::from_secs(1);

/// A transaction of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Step {
    /// What is to be done.
    pub(crate) intent: Intent,
    /// What it does, every address in full. The first is its title. In the block before it is sent they must
    /// still be what was shown.
    pub(crate) words: Vec<String>,
    /// What else a person should know. It may be different in the next block.
    #[serde(skip)]
    pub(crate) details: Vec<String>,
    /// When it can be simulated.
    #[serde(skip)]
    pub(crate) simulation: Simulation,
}

/// When a step can be simulated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Simulation {
    /// At once.
    #[default]
    AtOnce,
    /// Only after the step before is done, on which it relies.
    #[allow(dead_code, reason = "for a deposit after its approval")]
    AfterPrevious,
}

/// For whom a command plans its steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planned {
    /// The account that sends.
    pub(crate) account: Address,
    /// The number of what it orders, for intents that need one.
    #[allow(dead_code, reason = "for locks and withdrawals")]
    pub(crate) order: OrderId,
}

impl Step {
    /// A step that can be simulated at once.
    pub(crate) const fn new(intent: Intent, words: Vec<String>) -> Self {
        Self { intent, words, details: Vec::new(), simulation: Simulation::AtOnce }
    }

    /// The first of its words.
    pub(crate) fn title(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// Whether it is what was shown as `other`.
    fn is(&self, other: &Self) -> bool {
        self.words == other.words
            && self.intent.id() == other.intent.id()
            && self.intent.action.does_the_same(&other.intent.action)
    }
}

impl SendArgs {
    /// Opens the key that the command needs. Refuses at once what would need a person where there is none.
    ///
    /// # Errors
    ///
    /// If somebody had to be asked and there is no terminal, or there is no key.
    pub(crate) fn open(&self) -> Result<Opened, Failure> {
        let need = match self.extent() {
            Extent::Simulate | Extent::Print(_) => Need::Address,
            Extent::Send(Consent::Given) => Need::Key,
            Extent::Send(Consent::Ask) => {
                if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
                    let report = eyre!("expected a terminal on which to ask, found none");
                    let next = "add --yes to send without asking, or --dry-run to send nothing";
                    return Err(Failure::bad_input(report, next));
                }
                Need::Key
            }
        };
        self.signer.open(need)
    }
}

/// Carries a command out, as far as its arguments say. `command` is the command as it is typed, which an
/// interrupted run is recognized by. `plan` is what it does, in order, as of the newest block: it is asked
/// before anything is shown, and again before each step is sent.
///
/// # Errors
///
/// The plan's, the chain's, and whatever keeps a transaction from being sent or known.
pub(crate) async fn send(
    args: &SendArgs,
    opened: Opened,
    chain: &Chain,
    command: &str,
    plan: &impl AsyncFn(Planned) -> Result<Vec<Step>, Failure>,
) -> Result<Exit, Failure> {
    let signer = opened.on(chain.client()).await?;
    match args.extent() {
        Extent::Simulate => {
            let account = signer.address();
            let steps = Draft::new(chain.client(), signer)?.preview(plan).await?;
            match args.format() {
                Format::Json => output::json(&PreviewDocument::new(account, &steps))?,
                Format::Text => output::result(&show::text(account, &steps))?,
            }
            Ok(Exit::Success)
        }
        Extent::Print(form) => {
            let draft = Draft::new(chain.client(), signer)?;
            draft.print(form, command, plan).await
        }
        Extent::Send(consent) => {
            let folder = record::state_folder()?;
            let sending = Sending {
                client: chain.client(),
                signer,
                folder: &folder,
                registry: chain.registry(),
                command,
                confirmations: args.confirmations(),
                consent,
                format: args.format(),
                tell: &|text| output::note(&text),
                show: &output::text,
                ask: &ask,
                result: &|text| output::result(text),
            };
            let wait = |_| async {
                tokio::time::sleep(POLL).await;
                Waited::Again
            };
            sending.run(wait, interrupt(), plan).await
        }
    }
}

/// Returns when a person presses Ctrl-C.
async fn interrupt() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Ctrl-C then ends the program, as it does by default.
        std::future::pending::<()>().await;
    }
}

/// Shows what would be done and asks whether it should be. A thread reads the answer: one that waits for a
/// person can't be stopped otherwise.
async fn ask(text: &str) -> Result<Answer, Failure> {
    output::text(&format!("{text}\nSend it? [y/N] "));
    let (answer, answered) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line).map(|_| line);
        // Nobody waits for it after Ctrl-C.
        let _ = answer.send(read);
    });
    let unread = |error: Report| {
        Failure::internal(
            error.wrap_err("the answer can't be read"),
            "use --yes to send without asking",
        )
    };
    let line = answered.await.map_err(|error| unread(error.into()))?;
    let line = line.map_err(|error| unread(error.into()))?;
    Ok(match line.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Answer::Yes,
        _ => Answer::No,
    })
}

/// The answer of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
}

/// A command that sends nothing.
struct Draft {
    sender: IntentSender,
}

impl Draft {
    fn new(client: &Client, signer: AccountSigner) -> Result<Self, Failure> {
        let journal = MemoryJournal::default();
        let sender = IntentSender::new(client.clone(), signer, FeePolicy::default(), journal);
        Ok(Self { sender: sender.map_err(failures::refused)? })
    }

    async fn preview(
        &self,
        plan: &impl AsyncFn(Planned) -> Result<Vec<Step>, Failure>,
    ) -> Result<Vec<Previewed>, Failure> {
        let planned = Planned { account: self.sender.address(), order: OrderId(0) };
        preview(&self.sender, plan(planned).await?).await
    }

    async fn print(
        &self,
        form: UnsignedForm,
        command: &str,
        plan: &impl AsyncFn(Planned) -> Result<Vec<Step>, Failure>,
    ) -> Result<Exit, Failure> {
        let steps = self.preview(plan).await?;
        let (client, account) = (self.sender.client(), self.sender.address());
        output::text(&show::text(account, &steps));
        let mut calls = Vec::new();
        for Previewed { step, preview } in &steps {
            let unsimulated = || {
                let intended = step.intent.call(None)?;
                let data = intended.call.abi_encode();
                let (to, value) = (intended.contract, Default::default());
                Some(UnsignedCall { to, data, value, gas: UNSIMULATED_GAS })
            };
            let call = preview.clone().map(UnsignedCall::from).or_else(unsimulated);
            let call = call.ok_or_else(|| {
                let report =
                    eyre!("{}: expected a key that signs the permit, found none", step.title());
                Failure::bad_input(report, "leave --permit away")
            })?;
            calls.push(call);
        }
        match form {
            UnsignedForm::Transaction => {
                output::json(&TransactionsDocument::new(client.chain_id(), calls))?;
            }
            UnsignedForm::Safe => {
                let head = client.head().await.map_err(failures::refused)?;
                let titles: Vec<_> = steps.iter().map(|one| one.step.title()).collect();
                let texts = (command.to_owned(), titles.join("; "));
                let chain_id = client.chain_id();
                output::json(&SafeBatch::new(chain_id, head.timestamp, account, texts, calls))?;
            }
        }
        Ok(Exit::Success)
    }
}

/// The transactions of steps, as far as they can be simulated.
async fn preview(sender: &IntentSender, steps: Vec<Step>) -> Result<Vec<Previewed>, Failure> {
    let head = sender.client().head().await.map_err(failures::refused)?;
    let mut previewed = Vec::new();
    for (number, step) in steps.into_iter().enumerate() {
        let preview = match show::is_simulated_at_once(number, &step) {
            false => None,
            true => {
                let next = head.timestamp + BLOCK_TIME;
                let preview = sender.preview(&step.intent, &head, next).await;
                Some(preview.map_err(|error| {
                    let Failure { exit, report, next } = failures::refused(error);
                    let report = match number {
                        0 => report,
                        _ => report.wrap_err(step.title().to_owned()),
                    };
                    Failure { exit, report, next }
                })?)
            }
        };
        previewed.push(Previewed { step, preview });
    }
    Ok(previewed)
}

/// A command that sends, and everything it needs.
struct Sending<'a, A> {
    client: &'a Client,
    signer: AccountSigner,
    folder: &'a Path,
    registry: Address,
    command: &'a str,
    confirmations: u64,
    consent: Consent,
    format: Format,
    /// Tells something that isn't the result.
    tell: &'a dyn Fn(&str),
    /// Shows what would be done.
    show: &'a dyn Fn(&str),
    /// Shows what would be done and asks.
    ask: &'a A,
    /// Shows the result.
    result: &'a dyn Fn(&str) -> Result<(), Failure>,
}

impl<A: AsyncFn(&str) -> Result<Answer, Failure>> Sending<'_, A> {
    /// Sends, unless `interrupt` returns before the end.
    async fn run(
        &self,
        wait: impl Wait,
        interrupt: impl Future<Output = ()>,
        plan: &impl AsyncFn(Planned) -> Result<Vec<Step>, Failure>,
    ) -> Result<Exit, Failure> {
        let account = self.signer.address();
        let files = AccountFiles::new(self.folder, self.client.chain_id(), account);
        let journal = files.journal(self.command)?;
        let fees = FeePolicy::default();
        let sender = IntentSender::new(self.client.clone(), self.signer.clone(), fees, journal);
        let mut outbox = Outbox::new(sender.map_err(failures::refused)?, files, wait, self.tell);
        let mut delivered = Vec::new();
        let ended = tokio::select! {
            biased;
            ended = self.deliver(&mut outbox, &mut delivered, plan) => Some(ended),
            () = interrupt => None,
        };
        match ended {
            Some(Ok(())) => {
                self.print(account, &delivered)?;
                outbox.end()?;
                Ok(Exit::Success)
            }
            Some(Err(Stopped::ForGood(failure))) => {
                if !delivered.is_empty() {
                    self.print(account, &delivered)?;
                }
                outbox.end()?;
                Err(failure)
            }
            Some(Err(Stopped::ForNow(failure))) => Err(failure),
            None => Err(outbox.interrupted(eyre!("Ctrl-C was pressed"))),
        }
    }

    /// Carries the command out. Adds what is done to `delivered`.
    async fn deliver(
        &self,
        outbox: &mut Outbox<'_, impl Wait>,
        delivered: &mut Vec<Delivered>,
        plan: &impl AsyncFn(Planned) -> Result<Vec<Step>, Failure>,
    ) -> Result<(), Stopped> {
        let start = outbox.start(self.command, self.registry, self.confirmations).await?;
        delivered.extend(start.delivered);
        if let Some(begun) = &start.begun
            && begun.steps.iter().all(|step| is_among(step, delivered))
        {
            return Ok(());
        }
        let planned = Planned { account: outbox.sender().address(), order: start.order };
        let shown = self.remaining(plan, planned, delivered).await?;
        let previewed = preview(outbox.sender(), shown.clone()).await?;
        check_balance(outbox.sender(), &previewed).await?;
        let text = show::text(planned.account, &previewed);
        match self.consent {
            Consent::Given => (self.show)(&text),
            Consent::Ask => {
                if (self.ask)(&text).await? == Answer::No {
                    let report = eyre!("the answer was no: nothing was sent");
                    let next = "run the command again to be asked again";
                    return Err(Failure::refused(report, next).into());
                }
            }
        }
        let steps = delivered.iter().map(|done| &done.step).chain(&shown).cloned().collect();
        let earlier = start.begun.map(|begun| begun.earlier);
        self.check_shown(plan, planned, delivered, &shown).await?;
        let begun = outbox.begin(self.command, self.registry, start.order, steps, earlier);
        let begun = begun.map_err(Stopped::ForNow)?;
        for (number, step) in shown.iter().enumerate() {
            let left = shown.get(number..).unwrap_or_default();
            self.check_shown(plan, planned, delivered, left).await?;
            delivered.push(outbox.deliver(step, &begun.earlier, self.confirmations).await?);
        }
        Ok(())
    }

    /// Refuses if something else than what was shown would be done by now.
    async fn check_shown(
        &self,
        plan: &impl AsyncFn(Planned) -> Result<Vec<Step>, Failure>,
        planned: Planned,
        delivered: &[Delivered],
        shown: &[Step],
    ) -> Result<(), Stopped> {
        let now = self.remaining(plan, planned, delivered).await?;
        let is_shown =
            now.len() == shown.len() && now.iter().zip(shown).all(|(one, other)| one.is(other));
        match is_shown {
            true => Ok(()),
            false => {
                let report = eyre!(
                    "the chain has changed since this was shown: it would do something else now"
                );
                let next = "run the command again to see what it would do";
                Err(Failure::refused(report, next).into())
            }
        }
    }

    /// The steps that aren't done yet, as of the newest block.
    async fn remaining(
        &self,
        plan: &impl AsyncFn(Planned) -> Result<Vec<Step>, Failure>,
        planned: Planned,
        delivered: &[Delivered],
    ) -> Result<Vec<Step>, Failure> {
        let steps = plan(planned).await?;
        Ok(steps.into_iter().filter(|step| !is_among(step, delivered)).collect())
    }

    /// Prints the outcome.
    fn print(&self, account: Address, delivered: &[Delivered]) -> Result<(), Failure> {
        match self.format {
            Format::Text => (self.result)(&outcome::text(delivered)),
            Format::Json => {
                let document = OutcomeDocument::new(account, delivered);
                (self.result)(&output::to_json(&document)?)
            }
        }
    }
}

/// Refuses what the account can't pay for.
async fn check_balance(sender: &IntentSender, previewed: &[Previewed]) -> Result<(), Failure> {
    let costs = previewed.iter().filter_map(|one| one.preview.as_ref()).map(Preview::max_cost);
    let needed = costs.fold(U256::ZERO, U256::saturating_add);
    let balance = sender.balance().await.map_err(failures::refused)?;
    let missing = needed.saturating_sub(balance);
    if missing.is_zero() {
        return Ok(());
    }
    let report = eyre!(
        "{} has {} ether, and up to {} are needed: {} are missing",
        sender.address(),
        ether(balance),
        ether(needed),
        ether(missing)
    );
    Err(Failure::refused(report, "send ether to the account, then run the command again"))
}

fn is_among(step: &Step, delivered: &[Delivered]) -> bool {
    delivered.iter().any(|done| done.step.intent.id() == step.intent.id())
}
