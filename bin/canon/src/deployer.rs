//! The parts around the deployer that all commands that deploy contracts share.

use std::{
    future::Future,
    io::{self, BufRead as _, IsTerminal as _},
    time::Duration,
};

use alloy_primitives::{TxKind, U256};
use canon_chain::{
    Client, Sender, Waited,
    deploy::{ContractPlan, DeployError, DeployedContract, simulate_creation},
    wait_until,
};
use canon_protocol::{
    BlockNumber,
    text::{ether, grouped},
};
use eyre::eyre;
use serde::Serialize;

use crate::{
    chain::unreached,
    exit::{Exit, Failure},
    output,
    page::{Page, line},
    send::{Consent, Extent, Format, SendArgs, UnsignedCall, UnsignedForm, print_unsigned},
};

/// The time between the first two looks for a receipt. It doubles with each: development nodes mine at once.
const FIRST_POLL: Duration = Duration::from_millis(25);

/// The longest time between two looks for a receipt.
const POLL: Duration = Duration::from_secs(2);

/// The looks for a receipt after which a command gives up: 10 minutes.
const MOST_LOOKS: u32 = 300;

/// Waits for the next look for a receipt.
pub(crate) async fn wait_for(looks: u32) -> Waited {
    if looks >= MOST_LOOKS {
        return Waited::GiveUp;
    }
    let doubled = FIRST_POLL.saturating_mul(1_u32.checked_shl(looks).unwrap_or(u32::MAX));
    tokio::time::sleep(doubled.min(POLL)).await;
    Waited::Again
}

/// Asks a person whether to go on, unless that was said.
///
/// # Errors
///
/// If the answer isn't yes, or there is nobody to ask.
pub(crate) fn ask(question: &str, consent: Consent) -> Result<(), Failure> {
    if consent == Consent::Given {
        return Ok(());
    }
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err(Failure::bad_input(
            eyre!("there is no terminal to ask on, and nothing was sent"),
            "look at what is shown above, and confirm it with --yes",
        ));
    }
    output::text(&format!("\n{question} [y/N] "));
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| Failure::internal(error.into(), "confirm it with --yes"))?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::refused(eyre!("not confirmed; nothing was sent"), "answer y to go on")),
    }
}

/// Waits until a block has so many confirmations, itself counted.
///
/// # Errors
///
/// If the chain can't be read, or the blocks don't come.
pub(crate) async fn confirm(
    client: &Client,
    block: Option<BlockNumber>,
    confirmations: u64,
) -> Result<(), Failure> {
    let Some(block) = block else { return Ok(()) };
    let mut wait = wait_for;
    let confirmed = wait_until(&mut wait, async || {
        let head = client.head().await.map_err(unreached)?;
        let found = head.number.get().saturating_sub(block.get()).saturating_add(1);
        Ok::<_, Failure>((found >= confirmations).then_some(()))
    });
    confirmed.await?.ok_or_else(|| {
        let report = eyre!("block {block} doesn't get {confirmations} confirmations");
        Failure::internal(report, AGAIN)
    })
}

/// Returns when a person presses Ctrl-C.
pub(crate) async fn interrupted() -> Failure {
    if tokio::signal::ctrl_c().await.is_err() {
        // Ctrl-C then ends the program, as it does by default.
        std::future::pending::<()>().await;
    }
    Failure::internal(eyre!("Ctrl-C was pressed"), AGAIN)
}

/// Refuses to begin what the account can't pay for.
///
/// # Errors
///
/// If its balance is below the most that it can cost.
pub(crate) fn ensure_funds(balance: U256, most: U256) -> Result<(), Failure> {
    if balance >= most {
        return Ok(());
    }
    let (has, missing, most) = (ether(balance), ether(most - balance), ether(most));
    Err(Failure::refused(
        eyre!("the account has {has} ether, and this can cost {most}: {missing} ether are missing"),
        "send the account that much, or wait for a lower base fee",
    ))
}

/// The failure if the deployer stops.
pub(crate) fn undeployed(error: DeployError, next: &'static str) -> Failure {
    let exit = match &error {
        DeployError::Chain(source) | DeployError::Step { source, .. }
            if source.as_revert().is_none() =>
        {
            Exit::Internal
        }
        DeployError::OtherChain { .. }
        | DeployError::OtherDeployer { .. }
        | DeployError::OtherParameters
        | DeployError::OtherAddress { .. }
        | DeployError::OtherTransaction { .. }
        | DeployError::Unordered { .. } => Exit::BadInput,
        _ => Exit::CheckFailed,
    };
    let report = eyre!("{error}").wrap_err("the deployment stopped");
    Failure { exit, report, next }
}

/// One contract that is ready to be created.
#[derive(Debug)]
pub(crate) struct PreparedCreation {
    pub(crate) sender: Sender,
    /// The gas limit; 0 if the chain has the contract already.
    pub(crate) gas: u64,
    /// The most that it costs with what it offers now, in wei.
    pub(crate) most: U256,
    balance: U256,
}

impl PreparedCreation {
    /// Executes the creation against the newest block.
    ///
    /// # Errors
    ///
    /// If the constructor refuses its arguments, or the chain can't be read.
    pub(crate) async fn new(sender: Sender, plan: &ContractPlan) -> Result<Self, Failure> {
        let unsimulated = |error| undeployed(error, CHANGE_IT);
        let gas = simulate_creation(&sender, plan).await.map_err(unsimulated)?;
        let client = sender.client();
        let balance = client.balance(sender.address()).await.map_err(unreached)?;
        let next = client.next_block().await.map_err(unreached)?;
        let fees = sender.fees(next).map_err(|error| unsimulated(error.into()))?;
        let most = U256::from(gas) * U256::from(fees.max_fee);
        Ok(Self { sender, gas, most, balance })
    }

    /// Its cost, as lines.
    pub(crate) fn render(&self, page: &mut Page) {
        line!(page, "\nCost");
        if self.gas == 0 {
            line!(page, "  nothing: the chain has the contract already");
            return;
        }
        line!(page, "  gas                at most {}", grouped(u128::from(self.gas)));
        line!(page, "  fee                at most {} ether", ether(self.most));
        line!(page, "  the account has    {} ether", ether(self.balance));
    }

    /// Shows the creation and asks, as far as the arguments say; the sender is ready for it then. `None` if the
    /// command ends with what it has shown.
    ///
    /// # Errors
    ///
    /// As [`Self::print`], [`ask`] and [`Self::ready`].
    pub(crate) async fn agreed(
        self,
        args: &SendArgs,
        shown: ShownCreation<'_, impl Serialize>,
    ) -> Result<Option<Sender>, Failure> {
        let consent = match args.extent() {
            Extent::Simulate => {
                match args.format() {
                    Format::Json => output::json(&shown.document)?,
                    Format::Text => output::result(shown.words)?,
                }
                return Ok(None);
            }
            Extent::Print(form) => {
                output::text(shown.words);
                self.print(form, shown.plan, shown.texts).await?;
                return Ok(None);
            }
            Extent::Send(consent) => consent,
        };
        output::text(shown.words);
        ask(shown.question, consent)?;
        self.ready().await.map(Some)
    }

    /// Prints the transaction that somebody else signs.
    ///
    /// # Errors
    ///
    /// If there is nothing to sign, since the chain has the contract already.
    async fn print(
        &self,
        form: UnsignedForm,
        plan: &ContractPlan,
        texts: (&str, &str),
    ) -> Result<(), Failure> {
        let call = plan.call();
        let TxKind::Call(to) = call.to() else {
            return Err(Failure::internal(eyre!("the factory isn't called"), "please report this"));
        };
        if self.gas == 0 {
            return Err(Failure::nothing_to_do(
                eyre!("the chain has the contract at {} already", plan.address()),
                "there is nothing to sign",
            ));
        }
        let (data, value) = (call.input().clone(), call.value());
        let unsigned = UnsignedCall { to, data, value, gas: self.gas };
        let (client, account) = (self.sender.client(), self.sender.address());
        print_unsigned(form, client, account, texts, vec![unsigned]).await
    }

    /// Refuses to send what the account can't pay for, and waits until nothing of it is in flight: an interrupted
    /// run may have sent the same.
    ///
    /// # Errors
    ///
    /// If ether is missing, or something stays in flight.
    async fn ready(self) -> Result<Sender, Failure> {
        ensure_funds(self.balance, self.most)?;
        let waited = self.sender.await_none_in_flight(&mut wait_for).await;
        waited.map_err(|error| undeployed(error.into(), AGAIN))?;
        Ok(self.sender)
    }
}

/// A creation as a person is shown it.
pub(crate) struct ShownCreation<'a, D> {
    pub(crate) plan: &'a ContractPlan,
    pub(crate) words: &'a str,
    /// The same in JSON.
    pub(crate) document: D,
    /// The name and the description of a batch that somebody else signs.
    pub(crate) texts: (&'a str, &'a str),
    pub(crate) question: &'a str,
}

/// Awaits a creation and its confirmations.
///
/// # Errors
///
/// The creation's, if a person presses Ctrl-C, or if the confirmations don't come.
pub(crate) async fn carried_out(
    client: &Client,
    creation: impl Future<Output = Result<DeployedContract, DeployError>>,
    confirmations: u64,
) -> Result<DeployedContract, Failure> {
    let deployed = tokio::select! {
        deployed = creation => deployed.map_err(|error| undeployed(error, AGAIN))?,
        failure = interrupted() => return Err(failure),
    };
    let block = deployed.receipt.map(|receipt| receipt.block);
    confirm(client, block, confirmations).await?;
    Ok(deployed)
}

/// The next step after a creation that is refused.
pub(crate) const CHANGE_IT: &str = "nothing was sent: correct the parameters above";

/// The next step after a single creation that stopped.
pub(crate) const AGAIN: &str = "run the same command again: what is on the chain isn't sent twice";

/// The result of a creation, as lines.
pub(crate) async fn receipt(
    page: &mut Page,
    client: &Client,
    deployed: &DeployedContract,
) -> Result<(), Failure> {
    let Some(receipt) = deployed.receipt else {
        line!(page, "  the chain had it already, created by an earlier transaction");
        return Ok(());
    };
    let fee = receipt.fee(client).await.map_err(unreached)?;
    line!(page, "  transaction        {}", receipt.transaction);
    line!(page, "  block              {}", grouped(u128::from(receipt.block.get())));
    line!(page, "  gas                {}", grouped(u128::from(receipt.gas_used)));
    line!(page, "  fee                {} ether", ether(fee));
    Ok(())
}
