//! Commands that send nothing: simulations, and transactions for somebody else to sign.

use alloy_primitives::Address;
use canon_chain::{
    AccountSigner, Client, IntentSender,
    tx::{FeePolicy, MemoryJournal},
};
use canon_protocol::Seconds;
use canon_views::RequestId;
use eyre::eyre;

use super::{
    Answer, Planned, SIGN_IT, Step,
    args::{Consent, UnsignedForm},
    ask, failures, not_signed, require_terminal,
    sending::check_balance,
    show::{self, Previewed},
    unsigned::{SafeBatch, TransactionsDocument, UnsignedCall, UnsignedStep},
};
use crate::{
    exit::{Exit, Failure},
    output,
};

/// A command that sends nothing.
pub(super) struct Draft {
    sender: IntentSender,
    /// The expected time between blocks.
    block_time: Seconds,
}

impl Draft {
    pub(super) fn new(
        client: &Client,
        signer: AccountSigner,
        block_time: Seconds,
    ) -> Result<Self, Failure> {
        let journal = MemoryJournal::default();
        let sender = IntentSender::new(client.clone(), signer, FeePolicy::default(), journal);
        Ok(Self { sender: sender.map_err(failures::refused)?, block_time })
    }

    /// The steps, simulated as they would be sent.
    pub(super) async fn preview(
        &self,
        plan: &impl AsyncFn(Planned) -> Result<Vec<Step>, Failure>,
    ) -> Result<Vec<Previewed>, Failure> {
        let steps = self.preview_steps(self.steps(plan).await?).await?;
        check_balance(&self.sender, &steps).await.map_err(failures::nothing_sent)?;
        Ok(steps)
    }

    /// The steps in order, before they are simulated.
    async fn steps(
        &self,
        plan: &impl AsyncFn(Planned) -> Result<Vec<Step>, Failure>,
    ) -> Result<Vec<Step>, Failure> {
        let planned =
            Planned { account: self.sender.address(), request: RequestId::of(0), shown: None };
        plan(planned).await
    }

    async fn preview_steps(&self, steps: Vec<Step>) -> Result<Vec<Previewed>, Failure> {
        preview(&self.sender, self.block_time, steps).await.map_err(failures::nothing_sent)
    }

    pub(super) async fn print(
        &self,
        form: UnsignedForm,
        consent: Consent,
        command: &str,
        plan: &impl AsyncFn(Planned) -> Result<Vec<Step>, Failure>,
    ) -> Result<Exit, Failure> {
        let steps = self.steps(plan).await?;
        if consent == Consent::Ask && steps.iter().any(Step::awaits_signature) {
            require_terminal("add --yes to sign without asking")?;
            let shown = show::text_before_signature(self.sender.address(), &steps);
            if ask(&shown, SIGN_IT).await? == Answer::No {
                return Err(not_signed());
            }
        }
        let steps = steps.into_iter().map(Step::waiting_for_its_signature).collect();
        let steps = self.preview_steps(steps).await?;
        if steps.is_empty() {
            let report = eyre!("nothing is left to send, so there is nothing to sign");
            return Err(Failure::nothing_to_do(
                report,
                "`canon status` shows where the set stands",
            ));
        }
        let (client, account) = (self.sender.client(), self.sender.address());
        output::text(&show::text(account, &steps));
        let mut unsigned = Vec::new();
        for (number, one) in steps.iter().enumerate() {
            let Previewed { step, preview } = one;
            let unsimulated = || {
                let intended = step.intent.call(None)?;
                let data = intended.call.abi_encode();
                let (to, value) = (intended.contract, Default::default());
                Some(UnsignedCall { to, data, value, gas: one.most_gas() })
            };
            let call = preview.clone().map(UnsignedCall::from).or_else(unsimulated);
            let call = call.ok_or_else(|| {
                let report =
                    eyre!("{}: expected a key that signs the permit, found none", step.title());
                Failure::bad_input(report, "omit --permit")
            })?;
            let after = match show::is_simulated_at_once(number, step) {
                true => Vec::new(),
                // The number of the one before it.
                false => vec![number],
            };
            unsigned.push(UnsignedStep { title: step.title().to_owned(), call, after });
        }
        print_unsigned(form, client, account, command, unsigned).await?;
        let notes = steps.iter().filter_map(|one| show::signature_note(&one.step.intent));
        notes.for_each(|note| output::note(&note));
        Ok(Exit::Success)
    }
}

/// Prints calls for somebody else to make, in order. `name` is that of a batch.
///
/// # Errors
///
/// If the newest block can't be read, or the result can't be written.
pub(crate) async fn print_unsigned(
    form: UnsignedForm,
    client: &Client,
    account: Address,
    name: &str,
    steps: Vec<UnsignedStep>,
) -> Result<(), Failure> {
    match form {
        UnsignedForm::Transaction => {
            output::json(&TransactionsDocument::new(client.chain_id(), steps))
        }
        UnsignedForm::Safe => {
            let head = client.head().await.map_err(failures::refused)?;
            let (chain_id, name) = (client.chain_id(), name.to_owned());
            output::json(&SafeBatch::new(chain_id, head.timestamp, account, name, steps))
        }
    }
}

/// Simulates the transactions of the steps that don't depend on a step before them, and limits the gas of all. A
/// step that doesn't concern the others is left out if it fails, unless all fail.
pub(super) async fn preview(
    sender: &IntentSender,
    block_time: Seconds,
    steps: Vec<Step>,
) -> Result<Vec<Previewed>, Failure> {
    let read = sender.client().head_and_next_time(block_time).await;
    let (head, next) = read.map_err(failures::unsent)?;
    let (mut previewed, mut left_out) = (Vec::<Previewed>::new(), Vec::new());
    for (number, step) in steps.into_iter().enumerate() {
        let preview = match show::is_simulated_at_once(number, &step) {
            false => None,
            true => match sender.preview(&step.intent, &head, next).await {
                Ok(preview) => Some(preview),
                Err(error) if step.stands_alone() && error.as_revert().is_some() => {
                    left_out.push((step, error));
                    continue;
                }
                Err(error) if number == 0 => return Err(failures::unsent(error)),
                Err(error) => return Err(failures::unsent_step(&step, error)),
            },
        };
        let mut one = Previewed { step, preview };
        one.step.most_gas = Some(one.most_gas());
        previewed.push(one);
    }
    let Some(last) = previewed.last_mut() else {
        let failed = left_out.into_iter().next();
        return failed.map_or(Ok(previewed), |(_, error)| Err(failures::unsent(error)));
    };
    let left_out =
        left_out.iter().map(|(step, error)| format!("left out: {}: {error}", step.title()));
    last.step.details.extend(left_out);
    Ok(previewed)
}
