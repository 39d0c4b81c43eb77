//! Code of the commands that deploy contracts.

use std::time;

use alloy_primitives::{Address, TxKind, U256};
use canon_chain::{
    Client, ContractCall, Nonces, Severity, Waited,
    deploy::{BegunStep, DeployError, StepReceipt},
};
use canon_protocol::{
    BlockNumber, Seconds,
    text::{Duration, Rounding, ether},
};
use eyre::eyre;

use crate::{
    by_hand,
    chain::unreached,
    exit::{Exit, Failure},
    output,
    send::{UnsignedCall, interrupt},
};

/// The next step after a deployment that stopped.
pub(crate) const AGAIN: &str = "run the same command again: what is on the chain isn't sent twice";

/// The first delay between two polls for a receipt. It is short, since development nodes mine at once, and
/// doubles with each poll.
const FIRST_POLL: time::Duration = time::Duration::from_millis(25);

/// The longest delay between two polls.
const POLL: time::Duration = time::Duration::from_secs(2);

/// The number of polls after which a command gives up. They take about 10 minutes.
const MOST_LOOKS: u32 = 300;

/// The number of polls between two notes on a wait, about a minute.
const LOOKS_PER_NOTE: u32 = 30;

/// The note on a wait for the transactions of an account, once a minute: the nonce that the chain lacks, and what helps.
/// `begun` is the transaction that was signed last.
pub(crate) async fn note_on_wait(
    client: &Client,
    account: Address,
    begun: Option<&BegunStep>,
    looks: u32,
) -> Option<String> {
    if looks == 0 || !looks.is_multiple_of(LOOKS_PER_NOTE) {
        return None;
    }
    let minutes = u64::from(looks / LOOKS_PER_NOTE);
    let waited = Duration(Seconds::of(60 * minutes)).rounded();
    let reason = match client.nonces(account).await {
        Ok(Nonces { mined, pending }) if pending > mined => {
            let offered = begun.filter(|begun| begun.nonce == mined).and_then(BegunStep::fees);
            let base_fee = client.next_block().await.map_or(0, |next| next.base_fee);
            let fees = offered.map(|offered| offered.replaced_by_hand(base_fee));
            format!(
                "the transaction of {account} with nonce {mined} isn't mined; if its fee is too low for long, end this \
                 with Ctrl-C, run the command below with the same key, which uses the nonce for nothing, and then go on \
                 with --resume: {}",
                by_hand::use_up(account, mined, fees)
            )
        }
        Ok(Nonces { mined, .. }) => format!(
            "no transaction of {account} with nonce {mined} is known here, and none with a higher one can be mined \
             before it; if a replaced block has lost it, end this with Ctrl-C and run the same command with --resume: \
             it is sent again"
        ),
        Err(error) => error.to_string(),
    };
    Some(format!("still waiting, for about {waited} so far: {reason}"))
}

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

/// Waits until receipts have this number of confirmations, counting their blocks, and so has the block in which the
/// rest was seen, if any. Reads the receipts again at each new block, and stops when a block was replaced. `again` says
/// how to go on after Ctrl-C.
///
/// # Errors
///
/// If the chain can't be read, or no block arrives in time.
pub(crate) async fn confirm(
    client: &Client,
    receipts: &[StepReceipt],
    seen_in: Option<BlockNumber>,
    confirmations: u64,
    again: &str,
) -> Result<Confirmation, Failure> {
    let blocks = receipts.iter().map(|receipt| receipt.block);
    let Some(last) = blocks.chain(seen_in).max() else {
        return Ok(Confirmation::Reached);
    };
    let (mut seen, mut looks) = (None, 0_u32);
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
        if looks > 0 && looks.is_multiple_of(LOOKS_PER_NOTE) {
            output::note(&format_args!(
                "still waiting for a block, for {confirmations} confirmations of block {last}; Ctrl-C ends this; to go \
                 on, {again}"
            ));
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
    interrupt().await;
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
    let (missing, most) = (ether(most - balance, Rounding::Up), ether(most, Rounding::Up));
    let has = ether(balance, Rounding::Down);
    Err(Failure::refused(
        eyre!("the account has {has} ether, and this can cost {most}: {missing} ether is missing"),
        "send the account that much, or wait for a lower base fee",
    ))
}

/// The failure for an error of the deployer.
pub(crate) fn undeployed(error: DeployError, next: &'static str) -> Failure {
    failed("the deployment stopped", error, next)
}

/// The failure for a rollup that Governance couldn't make canonical. Nothing was sent.
pub(crate) fn no_takeover(error: DeployError) -> Failure {
    failed("the new rollup can't take over", error, "choose another rollup")
}

fn failed(title: &'static str, error: DeployError, next: &'static str) -> Failure {
    let exit = match &error {
        DeployError::Chain(source) | DeployError::Step { source, .. }
            if source.severity() != Severity::Skip =>
        {
            Exit::Internal
        }
        // Another endpoint may take the transaction, the base fee may fall, and what changed may come back.
        DeployError::ProxyRefused { .. }
        | DeployError::ProxyNotMined { .. }
        | DeployError::Stopped { .. } => Exit::Internal,
        DeployError::OtherSet { .. }
        | DeployError::OtherChain { .. }
        | DeployError::OtherDeployer { .. }
        | DeployError::OtherParameters
        | DeployError::NoGenesis
        | DeployError::OtherAddress { .. }
        | DeployError::OtherTransaction { .. }
        | DeployError::OtherPayment => Exit::BadInput,
        DeployError::Chain(_)
        | DeployError::Step { .. }
        | DeployError::NotCreated { .. }
        | DeployError::Postcondition { .. }
        | DeployError::Unfinishable { .. }
        | DeployError::NoProxy { .. }
        | DeployError::ProxyFailed
        | DeployError::OtherProxy
        | DeployError::Action { .. }
        | DeployError::Constructor { .. } => Exit::CheckFailed,
    };
    let report = eyre!("{error}").wrap_err(title);
    Failure { exit, report, next }
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

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{B256, bytes};
    use alloy_provider::{Provider as _, ProviderBuilder};
    use canon_chain::{Checks, Error, Sender, deploy::Step, tx::Fees};
    use canon_devchain::{Devchain, DevchainConfig, Mining};

    #[test]
    fn what_another_endpoint_or_a_wait_can_change_has_exit_code_3() {
        for (error, exit) in [
            (DeployError::ProxyNotMined { hash: B256::ZERO }, Exit::Internal),
            (DeployError::Stopped { step: Step::Asset }, Exit::Internal),
            (DeployError::Chain(Error::NotMined { what: "", hash: B256::ZERO }), Exit::Internal),
            (DeployError::ProxyFailed, Exit::CheckFailed),
            (DeployError::OtherParameters, Exit::BadInput),
        ] {
            let said = error.to_string();
            assert_eq!(undeployed(error, AGAIN).exit, exit, "{said}");
        }
    }

    #[tokio::test]
    async fn what_has_no_receipt_gets_its_confirmations_from_the_block_in_which_it_was_seen() {
        let chain = Devchain::new(DevchainConfig::default());
        let client = ProviderBuilder::default().connect_client(chain.client());
        let client = Client::connect(client).await.unwrap();
        let seen = chain.block_number();
        let mine = async {
            for _ in 0..2 {
                tokio::task::yield_now().await;
                chain.mine().unwrap();
            }
        };
        let waiting = confirm(&client, &[], Some(BlockNumber::of(seen)), 3, "");
        let (confirmed, ()) = tokio::join!(waiting, mine);
        assert!(matches!(confirmed, Ok(Confirmation::Reached)), "{confirmed:?}");
        assert_eq!(chain.block_number(), seen + 2);
        let nothing = confirm(&client, &[], None, 3, "").await;
        assert!(matches!(nothing, Ok(Confirmation::Reached)), "{nothing:?}");
    }

    /// A block was replaced that had the transaction with nonce 0, and only the next one is in the pool.
    #[tokio::test]
    async fn a_long_wait_names_the_nonce_that_the_chain_lacks_and_what_helps() {
        let chain = Devchain::new(DevchainConfig::default());
        chain.set_mining(Mining::Manual);
        let client = ProviderBuilder::default().connect_client(chain.client());
        let client = Client::connect(client).await.unwrap();
        let key = chain.dev_accounts().remove(0);
        let account = key.address();
        let send = async |nonce| {
            let mut sender = Sender::new(client.clone(), key.clone()).with_nonce(nonce);
            let call = ContractCall::create_with("nothing", bytes!("00"));
            let checks = Checks::AtReceipt { gas_limit: 100_000 };
            let next = client.next_block().await.unwrap();
            sender.submit(call, checks, next).await.unwrap().hash()
        };
        send(1).await;
        chain.mine().unwrap();
        assert_eq!(chain.nonce(account), 0);
        for looks in [0, 1, LOOKS_PER_NOTE - 1, LOOKS_PER_NOTE + 1] {
            assert_eq!(note_on_wait(&client, account, None, looks).await, None);
        }
        let note = note_on_wait(&client, account, None, 2 * LOOKS_PER_NOTE).await.unwrap();
        let expected = format!(
            "still waiting, for about 2 min so far: no transaction of {account} with nonce 0 is known here, and none with \
             a higher one can be mined before it; "
        );
        assert!(note.starts_with(&expected), "{note}");
        assert!(note.contains("run the same command with --resume: it is sent again"), "{note}");
        let hash = send(0).await;
        let raw = client.provider().get_raw_transaction_by_hash(hash).await.unwrap().unwrap();
        let begun =
            |nonce| BegunStep { step: Step::Asset, nonce, raw: raw.clone(), replaced: Vec::new() };
        let offered = begun(0).fees().unwrap();
        let base_fee = client.next_block().await.unwrap().base_fee;
        assert_eq!(offered.max_fee, 2 * base_fee + offered.tip);
        let Fees { max_fee, tip } = offered.replaced_by_hand(base_fee);
        let known = format!("--gas-price {max_fee} --priority-gas-price {tip} --rpc-url URL");
        let unknown = "where each fee is more than a tenth above the one that it replaces";
        for (begun, expected) in
            [(Some(begun(0)), &*known), (Some(begun(1)), unknown), (None, unknown)]
        {
            let note =
                note_on_wait(&client, account, begun.as_ref(), LOOKS_PER_NOTE).await.unwrap();
            let waits = format!("the transaction of {account} with nonce 0 isn't mined");
            assert!(note.contains(&waits), "{note}");
            assert!(note.contains(&format!("cast send {account} --value 0 --nonce 0 ")), "{note}");
            assert!(note.ends_with(expected), "{note}");
        }
        chain.mine().unwrap();
        assert_eq!(chain.nonce(account), 2);
    }
}
