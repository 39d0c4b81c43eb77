//! Code shared by the commands that deploy contracts.

use std::time::Duration;

use alloy_primitives::{TxKind, U256};
use canon_chain::{
    Client, ContractCall, Sender, Waited,
    deploy::{ContractPlan, DeployError, DeployedContract, StepReceipt, simulate_creation},
};
use canon_protocol::text::{ether, grouped};
use eyre::eyre;
use serde::Serialize;

use crate::{
    chain::unreached,
    exit::{Exit, Failure},
    output,
    page::{Page, line},
    send::{Extent, Format, SendArgs, UnsignedCall, UnsignedForm, print_unsigned},
    signing::Opened,
};

/// The first delay between two polls for a receipt. It is short, since development nodes mine at once, and
/// doubles with each poll.
const FIRST_POLL: Duration = Duration::from_millis(25);

/// The longest delay between two polls.
const POLL: Duration = Duration::from_secs(2);

/// The number of polls after which a command gives up. They take about 10 minutes.
const MOST_LOOKS: u32 = 300;

/// Waits before the next poll, or gives up after [`MOST_LOOKS`] polls.
pub(crate) async fn wait_for(looks: u32) -> Waited {
    if looks >= MOST_LOOKS {
        return Waited::GiveUp;
    }
    let doubled = FIRST_POLL.saturating_mul(1_u32.checked_shl(looks).unwrap_or(u32::MAX));
    tokio::time::sleep(doubled.min(POLL)).await;
    Waited::Again
}

/// The end of a wait for confirmations.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Confirmation {
    /// All receipts have their confirmations.
    Reached,
    /// A receipt isn't on the chain any more, or in another block.
    Replaced,
}

/// Waits until receipts have this number of confirmations, counting their blocks. Reads them again at each new
/// block, and stops when a block was replaced.
///
/// # Errors
///
/// If the chain can't be read, or no block arrives in time.
pub(crate) async fn confirm(
    client: &Client,
    receipts: &[StepReceipt],
    confirmations: u64,
) -> Result<Confirmation, Failure> {
    let Some(last) = receipts.iter().map(|receipt| receipt.block).max() else {
        return Ok(Confirmation::Reached);
    };
    let (mut seen, mut looks) = (None, 0);
    loop {
        let head = client.head().await.map_err(unreached)?;
        if seen != Some(head.hash) {
            (seen, looks) = (Some(head.hash), 0);
            for receipt in receipts {
                let found = receipt.read_again(client).await.map_err(unreached)?;
                if found != Some(*receipt) {
                    return Ok(Confirmation::Replaced);
                }
            }
            let found = head.number.get().saturating_sub(last.get()).saturating_add(1);
            if found >= confirmations {
                return Ok(Confirmation::Reached);
            }
        }
        if wait_for(looks).await == Waited::GiveUp {
            let report = eyre!("block {last} doesn't get {confirmations} confirmations");
            return Err(Failure::internal(report, AGAIN));
        }
        looks += 1;
    }
}

/// Returns when the user presses Ctrl-C.
pub(crate) async fn interrupted() -> Failure {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a handler, Ctrl-C ends the program.
        std::future::pending::<()>().await;
    }
    Failure::internal(eyre!("Ctrl-C was pressed"), AGAIN)
}

/// Refuses to start a deployment that the account can't pay for.
///
/// # Errors
///
/// If the account's balance is below the highest possible cost.
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

/// The failure for an error of the deployer.
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
        | DeployError::OtherTransaction { .. } => Exit::BadInput,
        _ => Exit::CheckFailed,
    };
    let report = eyre!("{error}").wrap_err("the deployment stopped");
    Failure { exit, report, next }
}

/// A contract creation that was simulated and can be sent.
#[derive(Debug)]
pub(crate) struct PreparedCreation {
    pub(crate) sender: Sender,
    /// The gas limit; 0 if the chain has the contract already.
    pub(crate) gas: u64,
    /// The highest possible cost with the fees offered now, in wei.
    pub(crate) most: U256,
    balance: U256,
}

impl PreparedCreation {
    /// Simulates the creation on the newest block.
    ///
    /// # Errors
    ///
    /// If the key can't be used on the chain, the constructor refuses its arguments, or the chain can't be read.
    pub(crate) async fn new(
        client: &Client,
        opened: Opened,
        plan: &ContractPlan,
    ) -> Result<Self, Failure> {
        let sender = Sender::new(client.clone(), opened.on(client).await?);
        let unsimulated = |error| undeployed(error, CHANGE_IT);
        let gas = simulate_creation(&sender, plan).await.map_err(unsimulated)?;
        let balance = client.balance(sender.address()).await.map_err(unreached)?;
        let next = client.next_block().await.map_err(unreached)?;
        let fees = sender.fees(next).map_err(|error| unsimulated(error.into()))?;
        let most = U256::from(gas) * U256::from(fees.max_fee);
        Ok(Self { sender, gas, most, balance })
    }

    /// Writes the cost of the creation to a page.
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

    /// Shows the creation and asks for consent, as far as the arguments require it. Returns the sender, ready to
    /// send; `None` for a dry run and for `--unsigned`, which end here.
    ///
    /// # Errors
    ///
    /// The errors of [`Self::print`], [`SendArgs::consent`] and [`ensure_funds`], and a failure to write the output.
    pub(crate) async fn agreed(
        self,
        args: &SendArgs,
        shown: ShownCreation<'_, impl Serialize>,
    ) -> Result<Option<Sender>, Failure> {
        match args.extent() {
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
            Extent::Send(_) => {}
        }
        args.consent(shown.words, shown.question).await?;
        ensure_funds(self.balance, self.most)?;
        Ok(Some(self.sender))
    }

    /// Prints the transaction for somebody else to sign.
    ///
    /// # Errors
    ///
    /// If there is nothing to sign, because the chain already has the contract.
    async fn print(
        &self,
        form: UnsignedForm,
        plan: &ContractPlan,
        texts: (&str, &str),
    ) -> Result<(), Failure> {
        if self.gas == 0 {
            return Err(Failure::nothing_to_do(
                eyre!("the chain has the contract at {} already", plan.address()),
                "there is nothing to sign",
            ));
        }
        let unsigned = unsigned(&plan.call(), self.gas)?;
        let (client, account) = (self.sender.client(), self.sender.address());
        print_unsigned(form, client, account, texts, vec![unsigned]).await
    }
}

/// A call with this gas limit for somebody else to sign.
///
/// # Errors
///
/// If it calls no contract, which doesn't happen: a factory creates.
pub(crate) fn unsigned(call: &ContractCall, gas: u64) -> Result<UnsignedCall, Failure> {
    let TxKind::Call(to) = call.to() else {
        return Err(Failure::internal(eyre!("the factory isn't called"), "please report this"));
    };
    Ok(UnsignedCall { to, data: call.input().clone(), value: call.value(), gas })
}

/// A creation in the forms in which it is shown.
pub(crate) struct ShownCreation<'a, D> {
    pub(crate) plan: &'a ContractPlan,
    pub(crate) words: &'a str,
    /// The creation as a JSON document.
    pub(crate) document: D,
    /// The name and the description of the batch, if somebody else signs.
    pub(crate) texts: (&'a str, &'a str),
    pub(crate) question: &'a str,
}

/// Carries out a creation and awaits its confirmations. Calls `create` again if its block was replaced.
///
/// # Errors
///
/// If another transaction of the account stays in flight, the creation fails, the user presses Ctrl-C, or the
/// confirmations don't arrive in time.
pub(crate) async fn carry_out(
    sender: &mut Sender,
    confirmations: u64,
    mut create: impl AsyncFnMut(&mut Sender) -> Result<DeployedContract, DeployError>,
) -> Result<DeployedContract, Failure> {
    let client = sender.client().clone();
    let creation = async {
        let mut earlier: Option<StepReceipt> = None;
        loop {
            // An interrupted run, or a replaced block, may have left the same creation in flight.
            let waited = sender.await_none_in_flight(&mut wait_for).await;
            waited.map_err(|error| undeployed(error.into(), AGAIN))?;
            let created = create(sender).await.map_err(|error| undeployed(error, AGAIN))?;
            let receipt = match (created.receipt, earlier) {
                (None, Some(earlier)) => earlier.read_again(&client).await.map_err(unreached)?,
                (receipt, _) => receipt,
            };
            match confirm(&client, receipt.as_slice(), confirmations).await? {
                Confirmation::Reached => return Ok(DeployedContract { receipt, ..created }),
                Confirmation::Replaced => {
                    output::note(&"its block was replaced; waiting until another one has it");
                    earlier = receipt;
                }
            }
        }
    };
    tokio::select! {
        created = creation => created,
        failure = interrupted() => Err(failure),
    }
}

/// The next step after a creation that is refused.
pub(crate) const CHANGE_IT: &str = "nothing was sent: correct the parameters above";

/// The next step after a single creation that stopped.
pub(crate) const AGAIN: &str = "run the same command again: what is on the chain isn't sent twice";

/// Writes the result of a creation to a page.
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
