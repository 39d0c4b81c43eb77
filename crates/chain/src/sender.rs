//! Sending transactions, with checks before and after.
//!
//! A [`Sender`] owns a key and counts its nonces, so that many transactions can be in flight.
//! [`Sender::submit`] returns as soon as the endpoint accepts the transaction; [`Client::confirm`] later
//! checks the receipt. [`Sender::send`] does both, with a [`Wait`] in between.

use crate::{
    call::ContractCall,
    client::{Client, NextBlock},
    confirm::{Confirmed, Pending, Wait, wait_until},
    error::{Error, Result},
    tx::{
        IntentSender, Journal,
        account::{Account, Signed},
        fees::{FeePolicy, Fees},
    },
};
use alloy_consensus::{TxEnvelope, transaction::SignerRecoverable};
use alloy_eips::{BlockId, eip2718::Decodable2718, eip7825::MAX_TX_GAS_LIMIT_OSAKA};
use alloy_network::FullSigner;
use alloy_primitives::{Address, Bytes, Signature};
use alloy_provider::Provider;
use core::fmt;

/// The checks before a transaction is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Checks {
    /// Simulate it with `eth_call`, decode the answer, and estimate the gas. The default.
    Full,
    /// None, for many similar transactions of which one was already checked. The receipt is checked
    /// nevertheless.
    AtReceipt {
        /// The gas limit.
        gas_limit: u64,
    },
}

/// A transaction that is signed but not sent yet.
#[derive(Clone, Debug)]
pub(crate) struct SignedCall {
    pending: Pending,
    raw: Bytes,
}

/// The nonces of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonces {
    /// The first nonce that no block has: the number of the account's transactions in blocks.
    pub mined: u64,
    /// The first nonce for which neither the chain nor the endpoint's pool has a transaction.
    pub pending: u64,
}

/// A key on one chain, with its nonces.
#[derive(Clone)]
pub struct Sender {
    account: Account,
    nonce: Option<u64>,
    fees: FeePolicy,
}

impl SignedCall {
    /// A recorded transaction; `None` if it isn't of this account or doesn't make `call`.
    pub(crate) fn recorded(raw: &Bytes, from: Address, call: ContractCall) -> Option<Self> {
        let envelope = TxEnvelope::decode_2718_exact(raw).ok()?;
        let signer = envelope.recover_signer().ok()?;
        let hash = *envelope.tx_hash();
        let TxEnvelope::Eip1559(signed) = envelope else { return None };
        let tx = signed.into_parts().0;
        let is_the_call = signer == from
            && tx.to == call.to()
            && tx.value == call.value()
            && tx.input == *call.input();
        let pending = Pending::new(hash, from, call, tx);
        is_the_call.then(|| Self { pending, raw: raw.clone() })
    }

    pub(crate) const fn pending(&self) -> &Pending {
        &self.pending
    }

    /// The fees that the transaction offers.
    pub(crate) const fn fees(&self) -> Fees {
        let tx = self.pending.tx();
        Fees { max_fee: tx.max_fee_per_gas, tip: tx.max_priority_fee_per_gas }
    }

    /// The encoding of the transaction (EIP-2718).
    pub(crate) const fn raw(&self) -> &Bytes {
        &self.raw
    }
}

impl Sender {
    /// A sender that reads its nonce from the chain for the first transaction.
    pub fn new(client: Client, key: impl FullSigner<Signature> + Send + Sync + 'static) -> Self {
        Self::of_account(Account::new(client, key))
    }

    /// Sets the next nonce if it is known: 0 for a new account.
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

    /// The address of the key.
    pub const fn address(&self) -> Address {
        self.account.address()
    }

    /// The client of the chain on which the transactions are sent.
    pub const fn client(&self) -> &Client {
        self.account.client()
    }

    /// Simulates a call with the most gas that a transaction may have, at the time of the block that should
    /// include it.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with the contract's error; [`Error::TooMuchGas`] if it succeeds only with more
    /// gas; [`Error::NoCode`] or [`Error::BadAnswer`] if the target isn't the expected contract.
    pub async fn simulate(&self, call: &ContractCall, next: NextBlock) -> Result<Bytes> {
        self.account.simulate(call, MAX_TX_GAS_LIMIT_OSAKA, None, next).await
    }

    /// The gas limit with which a call is sent: the estimate, a fifth of it, and the headroom of the call.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], or [`Error::TooMuchGas`] if it needs more gas than a transaction may have.
    pub async fn gas_limit(&self, call: &ContractCall, next: NextBlock) -> Result<u64> {
        self.account.gas_limit(call, next).await
    }

    /// The fees of a transaction that is sent now.
    ///
    /// # Errors
    ///
    /// [`Error::AboveCap`] if the present base fee is too high for the cap.
    pub fn fees(&self, next: NextBlock) -> Result<Fees> {
        Ok(self.fees.offer(next.base_fee, None)?)
    }

    /// Checks, signs and sends a transaction. It is in the pool when this returns. [`Client::confirm`]
    /// later checks its success.
    ///
    /// # Errors
    ///
    /// If a check fails (nothing was sent), or the endpoint refuses the transaction.
    pub async fn submit(
        &mut self,
        call: ContractCall,
        checks: Checks,
        next: NextBlock,
    ) -> Result<Pending> {
        let signed = self.prepare(call, checks, next).await?;
        self.broadcast(signed).await
    }

    /// Checks and signs a transaction without sending it, so that it can be recorded first.
    pub(crate) async fn prepare(
        &mut self,
        call: ContractCall,
        checks: Checks,
        next: NextBlock,
    ) -> Result<SignedCall> {
        let gas_limit = match checks {
            Checks::Full => self.account.check(&call, None, None, next).await?,
            Checks::AtReceipt { gas_limit } => gas_limit,
        };
        let nonce = self.next_nonce().await?;
        let fees = self.fees.offer(next.base_fee, None)?;
        let tx = self.account.transaction(&call, nonce, gas_limit, fees);
        let Signed { hash, raw } = self.account.sign(call.what(), &tx).await?;
        Ok(SignedCall { pending: Pending::new(hash, self.address(), call, tx), raw })
    }

    /// Signs a transaction that takes the place of another one, for higher fees. `None` if the cap allows no more.
    pub(crate) async fn outbid(
        &self,
        old: &SignedCall,
        next: NextBlock,
    ) -> Result<Option<SignedCall>> {
        let fees = self.fees.replacement(old.fees(), next.base_fee)?;
        if fees == old.fees() {
            return Ok(None);
        }
        let call = old.pending.call().clone();
        let tx = old.pending.tx();
        let tx = self.account.transaction(&call, tx.nonce, tx.gas_limit, fees);
        let Signed { hash, raw } = self.account.sign(call.what(), &tx).await?;
        let pending = Pending::new(hash, self.address(), call, tx);
        Ok(Some(SignedCall { pending, raw }))
    }

    /// Sends a signed transaction. Succeeds if the pool already has it.
    pub(crate) async fn broadcast(&mut self, signed: SignedCall) -> Result<Pending> {
        let SignedCall { pending, raw } = signed;
        match self.account.broadcast(pending.call().what(), &raw).await {
            Ok(()) => {
                self.nonce = Some(pending.nonce() + 1);
                Ok(pending)
            }
            Err(error) => {
                // After any refusal, the next nonce is read from the endpoint.
                self.nonce = None;
                Err(error)
            }
        }
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

    /// Waits until none of the account's transactions is in flight. An interrupted run may already have
    /// sent the transaction that is sent next. Its nonce is then read from the chain: after blocks were
    /// replaced, it may be lower than before.
    ///
    /// # Errors
    ///
    /// [`Error::UnexpectedNonce`] if `wait` gives up.
    pub async fn await_none_in_flight(&mut self, wait: &mut impl Wait) -> Result<()> {
        let mut nonces = (0, 0);
        let none_in_flight = wait_until(wait, async || {
            nonces = (self.pool_nonce().await?, self.mined_nonce().await?);
            Ok::<_, Error>((nonces.0 <= nonces.1).then_some(()))
        });
        let none_in_flight = none_in_flight.await?;
        let (found, expected) = nonces;
        none_in_flight.ok_or(Error::UnexpectedNonce { expected, found })?;
        self.nonce = Some(expected);
        Ok(())
    }

    /// Whether a transaction with this nonce can be mined after a block: neither that block nor one before it has used
    /// the nonce, and no transaction with a lower nonce is missing.
    pub(crate) async fn can_be_mined_after(&self, block: BlockId, nonce: u64) -> Result<bool> {
        let next = self.account.transaction_count(block).await?;
        Ok(nonce == next || (next..=self.pool_nonce().await?).contains(&nonce))
    }

    /// Whether a block or one before it has a transaction with this nonce.
    pub(crate) async fn has_used(&self, block: BlockId, nonce: u64) -> Result<bool> {
        Ok(self.account.transaction_count(block).await? > nonce)
    }

    /// The number of the account's transactions in blocks.
    async fn mined_nonce(&self) -> Result<u64> {
        self.account.transaction_count(BlockId::latest()).await
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
    /// The nonces of an account.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub async fn nonces(&self, account: Address) -> Result<Nonces> {
        let count = async |at: BlockId| {
            let count = self.provider().get_transaction_count(account).block_id(at).await;
            count.map_err(|source| Error::rpc("eth_getTransactionCount", source))
        };
        Ok(Nonces {
            mined: count(BlockId::latest()).await?,
            pending: count(BlockId::pending()).await?,
        })
    }

    /// Waits for a transaction's receipt, until it exists or `wait` gives up.
    ///
    /// # Errors
    ///
    /// As [`Client::confirm`]; [`Error::NotMined`] if `wait` gives up.
    pub async fn await_receipt(
        &self,
        pending: &Pending,
        wait: &mut impl Wait,
    ) -> Result<Confirmed> {
        let confirmed = wait_until(wait, || self.confirm(pending)).await?;
        let (what, hash) = (pending.call().what(), pending.hash());
        confirmed.ok_or(Error::NotMined { what, hash })
    }
}
