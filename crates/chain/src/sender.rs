//! Sending: checked before, checked after.
//!
//! A [`Sender`] owns a key and counts its nonces, so many transactions can be in flight.
//! [`Sender::submit`] returns as soon as the endpoint took the transaction; [`Client::confirm`]
//! later looks for the receipt. [`Sender::send`] does both, with a [`Wait`] between.

use crate::{
    call::ContractCall,
    client::{Client, NextBlock},
    confirm::{Confirmed, Pending, Wait, Waited},
    error::{Error, Result},
    tx::{IntentSender, Journal, account::Account, fees::FeePolicy},
};
use alloy_consensus::TxEip1559;
use alloy_eips::{BlockId, eip7825::MAX_TX_GAS_LIMIT_OSAKA};
use alloy_network::FullSigner;
use alloy_primitives::{Address, B256, Bytes, Signature};
use core::fmt;

/// What is checked before a transaction is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Checks {
    /// It is executed with `eth_call`, its answer decoded, its gas estimated. The default.
    Full,
    /// Nothing: for many transactions of a kind that was checked before. What its receipt says is
    /// still checked.
    AtReceipt {
        /// The gas limit.
        gas_limit: u64,
    },
}

/// A key and its nonces on one chain.
#[derive(Clone)]
pub struct Sender {
    account: Account,
    nonce: Option<u64>,
    fees: FeePolicy,
}

impl Sender {
    /// A sender that asks for its nonce at its first transaction.
    pub fn new(client: Client, key: impl FullSigner<Signature> + Send + Sync + 'static) -> Self {
        Self::of_account(Account::new(client, key))
    }

    /// Starts at a nonce that is known: 0 for a fresh account.
    #[must_use]
    pub const fn with_nonce(mut self, nonce: u64) -> Self {
        self.nonce = Some(nonce);
        self
    }

    /// A sender of intents with the same key.
    ///
    /// # Errors
    ///
    /// As [`IntentSender::new`].
    pub fn intent_sender(
        &self,
        fees: FeePolicy,
        journal: impl Journal + 'static,
    ) -> Result<IntentSender> {
        IntentSender::of_account(self.account.clone(), fees, journal)
    }

    pub(crate) fn of_account(account: Account) -> Self {
        Self { account, nonce: None, fees: FeePolicy::default() }
    }

    /// The key's address.
    pub const fn address(&self) -> Address {
        self.account.address()
    }

    /// The chain it sends to.
    pub const fn client(&self) -> &Client {
        self.account.client()
    }

    /// Executes a call with all the gas that a transaction may have, without sending it, in the time
    /// of the block that should include it.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with the contract's error; [`Error::TooMuchGas`] if it succeeds only with
    /// more gas; [`Error::NoCode`] or [`Error::BadAnswer`] if the target isn't the contract it is taken
    /// for.
    pub async fn simulate(&self, call: &ContractCall, next: NextBlock) -> Result<Bytes> {
        self.account.simulate(call, MAX_TX_GAS_LIMIT_OSAKA, None, next).await
    }

    /// The gas limit that a call is sent with: its estimate, a fifth more, and its headroom.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], or [`Error::TooMuchGas`] if it needs more than a transaction may have.
    pub async fn gas_limit(&self, call: &ContractCall, next: NextBlock) -> Result<u64> {
        self.account.gas_limit(call, next).await
    }

    /// Checks, signs and sends a transaction. It is in the pool when this returns; [`Client::confirm`]
    /// reports whether it did what it is for.
    ///
    /// # Errors
    ///
    /// If a check fails (nothing was sent), or the endpoint doesn't take it.
    pub async fn submit(
        &mut self,
        call: ContractCall,
        checks: Checks,
        next: NextBlock,
    ) -> Result<Pending> {
        let gas_limit = match checks {
            Checks::Full => self.account.check(&call, None, next).await?,
            Checks::AtReceipt { gas_limit } => gas_limit,
        };
        let nonce = self.next_nonce().await?;
        let fees = self.fees.offer(next.base_fee, None)?;
        let tx = self.account.transaction(&call, nonce, gas_limit, fees);
        self.broadcast(call, tx).await
    }

    /// Sends a transaction and waits for its receipt.
    ///
    /// # Errors
    ///
    /// As [`Self::submit`] and [`Client::confirm`]; [`Error::NotMined`] if `wait` gives up.
    pub async fn send(&mut self, call: ContractCall, wait: &mut impl Wait) -> Result<Confirmed> {
        let next = self.client().next_block().await?;
        let pending = self.submit(call, Checks::Full, next).await?;
        self.client().await_receipt(&pending, wait).await
    }

    /// How many of its transactions are in blocks.
    pub(crate) async fn mined_nonce(&self) -> Result<u64> {
        self.account.transaction_count(BlockId::latest()).await
    }

    /// Uses this nonce next.
    pub(crate) const fn resume_at(&mut self, nonce: u64) {
        self.nonce = Some(nonce);
    }

    /// The nonce of the next transaction.
    ///
    /// # Errors
    ///
    /// If it isn't known yet and the endpoint doesn't answer.
    pub async fn next_nonce(&mut self) -> Result<u64> {
        if let Some(nonce) = self.nonce {
            return Ok(nonce);
        }
        let nonce = self.pool_nonce().await?;
        self.nonce = Some(nonce);
        Ok(nonce)
    }

    /// The first nonce for which neither the chain nor the pool has a transaction.
    async fn pool_nonce(&self) -> Result<u64> {
        self.account.transaction_count(BlockId::pending()).await
    }

    async fn broadcast(&mut self, call: ContractCall, tx: TxEip1559) -> Result<Pending> {
        match self.sign_and_send(call.what(), &tx).await {
            Ok(hash) => {
                self.nonce = Some(tx.nonce + 1);
                Ok(Pending::new(hash, self.address(), call, tx))
            }
            Err(error) => {
                // Whatever the pool has against it, the next nonce is what the endpoint says.
                self.nonce = None;
                Err(error)
            }
        }
    }

    async fn sign_and_send(&self, what: &'static str, tx: &TxEip1559) -> Result<B256> {
        let signed = self.account.sign(what, tx).await?;
        self.account.broadcast(what, &signed.raw).await?;
        Ok(signed.hash)
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("address", &self.address())
            .field("nonce", &self.nonce)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Looks for a transaction's receipt until it is there or `wait` gives up.
    ///
    /// # Errors
    ///
    /// As [`Client::confirm`]; [`Error::NotMined`] if `wait` gives up.
    pub async fn await_receipt(
        &self,
        pending: &Pending,
        wait: &mut impl Wait,
    ) -> Result<Confirmed> {
        let mut tries = 0;
        loop {
            if let Some(confirmed) = self.confirm(pending).await? {
                return Ok(confirmed);
            }
            if wait.wait(tries).await == Waited::GiveUp {
                return Err(Error::NotMined { what: pending.call().what(), hash: pending.hash() });
            }
            tries += 1;
        }
    }
}
