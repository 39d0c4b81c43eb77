//! Sending, for every command: the steps in words, a simulation, a question, and the transactions, whose
//! outcome is known before the command ends. An interrupted command goes on when it is run again.

mod args;
mod conclusion;
mod draft;
mod earlier;
mod failures;
mod outbox;
mod outcome;
mod record;
mod seed;
mod sending;
mod show;
#[cfg(test)]
mod tests;
mod unsigned;

use std::{
    io::{self, BufRead as _, IsTerminal as _},
    time::Duration,
};

use alloy_primitives::{Address, B256, Signature};
use canon_chain::{AccountSigner, Client, Error, IntentSender, Waited, tx::FeePolicy};
use canon_protocol::{Amount, Seconds, text};
use canon_views::{IntendedAction, Intent, OrderAmount, RequestId};
use eyre::{Report, eyre};
use serde::{Deserialize, Serialize};

pub(crate) use args::{Consent, Extent, Format, SendArgs, UnsignedForm};
pub(crate) use conclusion::Conclusion;
pub(crate) use draft::print_unsigned;
pub(crate) use record::AccountLock;
pub(crate) use unsigned::{UnsignedCall, UnsignedStep};

use crate::{
    chain::{self, Chain, ChainArgs},
    exit::{Exit, Failure},
    input::discard_typed_ahead,
    output,
    progress::Countdown,
    signing::{Need, Opened},
};
use conclusion::OnlyTransactions;
use draft::Draft;
use record::AccountFiles;
use sending::Sending;
use show::{PreviewDocument, Previewed};

/// The time between two polls for a new block.
const POLL: Duration = Duration::from_secs(1);

/// A transaction of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Step {
    /// The action to carry out.
    pub(crate) intent: Intent,
    /// The description for people, with every address in full. The first line is the title. The description
    /// must be the same when the step is shown and when it is sent.
    pub(crate) words: Vec<String>,
    /// Further facts for people. They may change with the next block.
    #[serde(skip)]
    pub(crate) details: Vec<String>,
    /// The time at which the step can be simulated.
    #[serde(skip)]
    pub(crate) simulation: Simulation,
    /// The highest gas limit, as it was shown; `None` before that.
    #[serde(default)]
    most_gas: Option<u64>,
    /// The amount of the order that the step carries out; `None` for a step without one.
    #[serde(default)]
    ordered_amount: Option<Amount>,
}

/// The time at which a step can be simulated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Simulation {
    /// At once.
    #[default]
    AtOnce,
    /// After the previous step is mined, because it depends on that step.
    AfterPrevious,
    /// In the slot that it is for, which hasn't begun.
    InItsSlot,
    /// After a message is signed that it contains, for which the user has to consent.
    OnceSigned,
}

/// The account and the request for which a command plans its steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planned {
    /// The account that sends.
    pub(crate) account: Address,
    /// The number of the request, for intents that need one.
    pub(crate) request: RequestId,
    /// The amount that was shown for it; `None` before it was shown.
    shown: Option<Amount>,
}

impl Planned {
    /// The amount to plan with, if this one is wanted. Once `all` was shown as an amount, it stands for that amount:
    /// otherwise a stranger could stop the command by sending a base unit between two steps. The step with the
    /// resulting amount is [made for it](Step::ordering).
    pub(crate) fn amount(&self, wanted: OrderAmount) -> OrderAmount {
        self.shown.map_or(wanted, OrderAmount::Exactly)
    }
}

impl Step {
    /// Creates a step that can be simulated at once.
    pub(crate) const fn new(intent: Intent, words: Vec<String>) -> Self {
        Self {
            intent,
            words,
            details: Vec::new(),
            simulation: Simulation::AtOnce,
            most_gas: None,
            ordered_amount: None,
        }
    }

    /// Sets the amount of the order that the step carries out, by which `all` is known in [later
    /// plans](Planned::amount).
    pub(crate) fn ordering(self, amount: Amount) -> Self {
        Self { ordered_amount: Some(amount), ..self }
    }

    /// The first line of the description.
    pub(crate) fn title(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// Whether a message has to be signed before the step can be simulated.
    const fn awaits_signature(&self) -> bool {
        matches!(self.simulation, Simulation::OnceSigned)
    }

    /// The step after the user has consented to what it signs.
    fn waiting_for_its_signature(self) -> Self {
        let simulation = match self.simulation {
            Simulation::OnceSigned => Simulation::AtOnce,
            other => other,
        };
        Self { simulation, ..self }
    }

    /// Whether another step of the same kind becomes due as time passes, for commands that find what is due.
    const fn recurs(&self) -> bool {
        matches!(
            self.intent.action,
            IntendedAction::Signal { .. }
                | IntendedAction::RecordSeed { .. }
                | IntendedAction::Push { .. }
                | IntendedAction::Execute { .. }
                | IntendedAction::Drop { .. }
                | IntendedAction::PayWithdrawal { .. }
        )
    }

    /// Whether the other steps of its command are useful if it fails: an execution makes calls that the set's
    /// contracts don't know, so it alone can fail although it is due.
    const fn stands_alone(&self) -> bool {
        matches!(self.intent.action, IntendedAction::Execute { .. })
    }

    /// Whether the step does the same as `other`, with the same description.
    fn is(&self, other: &Self) -> bool {
        self.words == other.words
            && self.intent.id() == other.intent.id()
            && self.intent.action.does_the_same(&other.intent.action)
    }
}

impl SendArgs {
    /// Opens the key that the command needs. Fails at once if the command has to ask and there is no terminal.
    ///
    /// # Errors
    ///
    /// If the command has to ask and there is no terminal, or there is no key.
    pub(crate) fn open(&self) -> Result<Opened, Failure> {
        let need = match self.extent() {
            Extent::Simulate | Extent::Print(_) => Need::Address,
            Extent::Send(Consent::Given) => Need::Key,
            Extent::Send(Consent::Ask) => {
                require_terminal("add --yes to send without asking, or --dry-run to send nothing")?;
                Need::Key
            }
        };
        self.signer.open(need)
    }

    /// Shows the steps, and asks for consent unless it was given with the command.
    ///
    /// # Errors
    ///
    /// If the answer is no, or can't be read.
    pub(crate) async fn consent(&self, shown: &str, question: &str) -> Result<(), Failure> {
        match self.extent() {
            Extent::Send(Consent::Ask) => match ask(shown, question).await? {
                Answer::Yes => Ok(()),
                Answer::No => {
                    let report = eyre!("the answer was no, so nothing was done");
                    Err(Failure::refused(report, "run it again and answer y to do it"))
                }
            },
            _ => {
                output::text(shown);
                Ok(())
            }
        }
    }
}

/// Refuses to ask if there is no terminal.
fn require_terminal(next: &'static str) -> Result<(), Failure> {
    match io::stdin().is_terminal() && io::stderr().is_terminal() {
        true => Ok(()),
        false => {
            let report = eyre!("expected a terminal on which to ask, found none");
            Err(Failure::bad_input(report, next))
        }
    }
}

/// The question before a message is signed that a step contains.
const SIGN_IT: &str = "Sign it?";

/// The failure if the answer to [`SIGN_IT`] was no.
fn not_signed() -> Failure {
    let report = eyre!("the answer was no: nothing was signed or sent");
    Failure::refused(report, "run the command again to be asked again")
}

/// Shows a step before the wait for its slot, with the highest cost at the present price of gas, and asks for consent
/// unless it was given with the command. Returns the arguments for sending it, which don't ask again.
///
/// # Errors
///
/// If the chain can't be read, the answer is no, or can't be read.
pub(crate) async fn consent_before_wait(
    args: SendArgs,
    client: &Client,
    account: Address,
    mut step: Step,
    question: &str,
) -> Result<SendArgs, Failure> {
    step.simulation = Simulation::InItsSlot;
    let block = client.next_block().await.map_err(failures::refused)?;
    // A price above the cap may be lower in the slot.
    let fees = FeePolicy::default().offer(block.base_fee, None).ok();
    let shown = show::text_at(account, &[Previewed { step, preview: None }], fees);
    args.consent(&shown, question).await?;
    Ok(args.after_consent())
}

/// Locks an account for a command that sends by itself, as long as the lock exists.
///
/// # Errors
///
/// If another command sends for the account, or the lock can't be taken.
pub(crate) fn lock_account(
    client: &Client,
    account: Address,
    command: &str,
) -> Result<AccountLock, Failure> {
    // All chains with the same id share the lock, so the genesis doesn't matter.
    let files = AccountFiles::new(&record::state_folder()?, client.chain_id(), B256::ZERO, account);
    files.lock(command)
}

/// Locks an account for a program that sends for it as long as it runs, and opens the sender that goes on from the
/// account's journal. `command` is the program as it is typed.
///
/// # Errors
///
/// If another command sends for the account or was interrupted, or the journal can't be used.
pub(crate) async fn open_sender(
    client: &Client,
    signer: AccountSigner,
    fees: FeePolicy,
    command: &str,
) -> Result<(AccountLock, IntentSender), Failure> {
    let genesis = record::genesis(client).await?;
    let folder = record::state_folder()?;
    let files = AccountFiles::new(&folder, client.chain_id(), genesis, signer.address());
    let lock = files.lock(command)?;
    // The transactions of an interrupted command look like ones that nobody wants any more.
    if let Some(begun) = files.begun()?.filter(|begun| begun.failed.is_none()) {
        let report = eyre!("`{}` was interrupted, and isn't over yet", begun.command);
        let report = report.wrap_err(format!("{} is needed for something else", signer.address()));
        let next = "run that command again until it is over, or use another account";
        return Err(Failure::bad_input(report, next));
    }
    let journal = files.journal(&lock)?;
    let sender = IntentSender::new(client.clone(), signer, fees, journal);
    Ok((lock, sender.map_err(failures::refused)?))
}

/// The failure of a program that an error ends.
pub(crate) fn ended(error: Error) -> Failure {
    failures::unsent(error)
}

/// Signs the hash of a message. `what` names the message.
///
/// # Errors
///
/// If the signer can't sign messages.
pub(crate) async fn sign(
    signer: &AccountSigner,
    what: &'static str,
    hash: &B256,
) -> Result<Signature, Failure> {
    signer.sign_message_hash(what, hash).await.map_err(failures::refused)
}

/// Connects to the chain and carries out a command, as [`send`] does.
///
/// # Errors
///
/// If the settings or the key can't be used, and those of [`send`].
pub(crate) fn run(
    send: &SendArgs,
    chain: &ChainArgs,
    command: &str,
    plan: impl AsyncFn(&Chain, Planned) -> Result<Vec<Step>, Failure>,
) -> Result<Exit, Failure> {
    let settings = chain.settings()?;
    let opened = send.open()?;
    chain::run(async {
        let chain = settings.connect().await?;
        let plan = async |planned| plan(&chain, planned).await;
        self::send(send, opened, &chain, command, &plan).await
    })
}

/// A command as it is typed, with its number if it has one.
pub(crate) fn typed(command: &str, number: Option<u64>) -> String {
    number.map_or_else(|| command.to_owned(), |number| format!("{command} {number}"))
}

/// Carries out a command, as far as its arguments require. `command` is the command as it is typed, by which an
/// interrupted run is recognized. `plan` returns the steps in order, as of the newest block: it is called
/// before they are shown, and again before each is sent.
///
/// # Errors
///
/// The errors of the plan and of the chain, and everything that keeps a transaction from being sent or its
/// outcome from being known.
pub(crate) async fn send(
    args: &SendArgs,
    opened: Opened,
    chain: &Chain,
    command: &str,
    plan: &impl AsyncFn(Planned) -> Result<Vec<Step>, Failure>,
) -> Result<Exit, Failure> {
    send_and_conclude(args, opened, chain, command, plan, &OnlyTransactions).await
}

/// Carries out a command like [`send`], and concludes it. If nothing is left to send, the command only concludes.
///
/// # Errors
///
/// As [`send`], and those of the conclusion.
pub(crate) async fn send_and_conclude(
    args: &SendArgs,
    opened: Opened,
    chain: &Chain,
    command: &str,
    plan: &impl AsyncFn(Planned) -> Result<Vec<Step>, Failure>,
    conclusion: &impl Conclusion,
) -> Result<Exit, Failure> {
    let signer = opened.on(chain.client()).await?;
    let block_time = chain.observed_block_time().await?;
    match args.extent() {
        Extent::Simulate => {
            let account = signer.address();
            let steps = Draft::new(chain.client(), signer, block_time)?.preview(plan).await?;
            match args.format() {
                Format::Json => {
                    output::json(&PreviewDocument::new(account, &steps, conclusion.document()))?
                }
                Format::Text => output::report(&show::text(account, &steps))?,
            }
            Ok(Exit::Success)
        }
        Extent::Print(form) => {
            // Without a key nothing is signed, and the step fails.
            let consent = match signer {
                AccountSigner::Local(_) => args.consent_to_sign(),
                _ => Consent::Given,
            };
            let draft = Draft::new(chain.client(), signer, block_time)?;
            draft.print(form, consent, command, plan).await
        }
        Extent::Send(consent) => {
            let folder = record::state_folder()?;
            let countdown = Countdown::default();
            let sending = Sending {
                client: chain.client(),
                signer,
                folder: &folder,
                registry: chain.registry(),
                command,
                confirmations: args.confirmations(),
                block_time,
                consent,
                format: args.format(),
                tell: &|text| output::note(&text),
                progress: &|waiting| countdown.show(waiting),
                show: &output::text,
                ask: &ask,
                result: &|text| match args.format() {
                    Format::Json => output::result(text),
                    Format::Text => output::report(text),
                },
                conclusion,
            };
            let mut polls = 0;
            let wait = move |_| {
                polls += 1;
                if let Some(note) = still_waiting(polls) {
                    output::note(&note);
                }
                async {
                    tokio::time::sleep(POLL).await;
                    Waited::Again
                }
            };
            sending.run(wait, interrupt(), plan).await
        }
    }
}

/// The note on a wait that has lasted for this number of polls: one each minute.
fn still_waiting(polls: u64) -> Option<String> {
    const POLLS_PER_MINUTE: u64 = 60 / POLL.as_secs();
    let minutes = polls / POLLS_PER_MINUTE;
    (minutes > 0 && polls.is_multiple_of(POLLS_PER_MINUTE)).then(|| {
        let waited = text::Duration(Seconds::of(60 * minutes)).rounded();
        format!("still waiting for blocks, for {waited} so far; Ctrl-C ends this, and the same command goes on")
    })
}

/// Returns when the user presses Ctrl-C.
pub(crate) async fn interrupt() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a handler, Ctrl-C ends the program.
        std::future::pending::<()>().await;
    }
}

/// Shows the steps and asks for consent. A thread reads the answer, because reading from a terminal can't be
/// canceled.
async fn ask(text: &str, question: &str) -> Result<Answer, Failure> {
    discard_typed_ahead();
    output::text(&format!("{text}\n{question} [y/N] "));
    let (answer, answered) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line).map(|_| line);
        // After Ctrl-C the receiver is gone.
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

/// The answer of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
}
