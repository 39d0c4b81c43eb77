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
    tx::{
        account::{Account, TRANSFER_GAS},
        fees::{FeePolicy, Fees},
    },
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
    /// It is executed with `eth_call` and sent with this gas limit.
    Simulate {
        /// The gas limit.
        gas_limit: u64,
    },
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
    /// A nonce, and fees that transactions up to it have to beat: others may still be in a pool.
    to_beat: Option<(u64, Fees)>,
    fees: FeePolicy,
}

impl Sender {
    /// A sender that asks for its nonce at its first transaction.
    pub fn new(client: Client, key: impl FullSigner<Signature> + Send + Sync + 'static) -> Self {
        let account = Account::new(client, key);
        Self { account, nonce: None, to_beat: None, fees: FeePolicy::default() }
    }

    /// Starts at a nonce that is known: 0 for a fresh account.
    #[must_use]
    pub const fn with_nonce(mut self, nonce: u64) -> Self {
        self.nonce = Some(nonce);
        self
    }

    /// The priority fee, in wei per gas. Default 1 gwei.
    #[must_use]
    pub const fn with_tip(mut self, tip: u128) -> Self {
        self.fees.tip = tip;
        self
    }

    /// The key's address.
    pub const fn address(&self) -> Address {
        self.account.address()
    }

    /// The chain it sends to.
    pub const fn client(&self) -> &Client {
        self.account.client()
    }

    /// Signs a hash as it is, for EIP-712.
    ///
    /// # Errors
    ///
    /// If the key can't.
    pub async fn sign_hash(&self, what: &'static str, hash: B256) -> Result<Signature> {
        self.account.sign_hash(what, hash).await
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
        self.account.simulate(call, MAX_TX_GAS_LIMIT_OSAKA, next).await
    }

    /// The gas limit that a call is sent with: its estimate, a fifth more, and its headroom.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], or [`Error::TooMuchGas`] if it needs more than a transaction may have.
    pub async fn gas_limit(&self, call: &ContractCall, next: NextBlock) -> Result<u64> {
        self.account.gas_limit(call, next).await
    }

    /// Checks, signs and sends a transaction. It is in the pool when this returns; whether it does
    /// what it is for, [`Client::confirm`] tells.
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
            Checks::Full => self.account.check(&call, next).await?,
            Checks::Simulate { gas_limit } => {
                self.account.simulate(&call, gas_limit, next).await?;
                gas_limit
            }
            Checks::AtReceipt { gas_limit } => gas_limit,
        };
        let nonce = self.next_nonce().await?;
        let fees = self.offer(nonce, next)?;
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

    /// Sends a transaction again that isn't mined, with fees that replace it and that suffice now.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't take it; also when the first one was mined meanwhile, so confirm
    /// both.
    pub async fn replace(&mut self, pending: &Pending, next: NextBlock) -> Result<Pending> {
        let mut tx = pending.tx().clone();
        let fees = self.fees.replacement(pending.fees(), next.base_fee)?;
        (tx.max_fee_per_gas, tx.max_priority_fee_per_gas) = (fees.max_fee, fees.tip);
        let nonce = self.nonce;
        let replaced = self.broadcast(pending.call().clone(), tx).await;
        // It reused a nonce: those after it are as they were.
        self.nonce = nonce;
        replaced
    }

    /// Gives up a transaction that isn't mined: the next one takes its nonce, with fees that replace
    /// it, or the nonce of one before it that was lost. If it is mined meanwhile, the next one is
    /// refused by the endpoint, and the one after that is right again.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub async fn give_up(&mut self, pending: &Pending) -> Result<()> {
        let tx = pending.tx();
        let waited_for = self.pool_nonce().await?;
        let next = self.nonce.map_or(tx.nonce, |nonce| nonce.min(tx.nonce));
        self.nonce = Some(next.min(waited_for));
        let (up_to, to_beat) = self.to_beat.unwrap_or_default();
        self.to_beat = Some((up_to.max(tx.nonce), to_beat.max(pending.fees())));
        Ok(())
    }

    /// Sends what the chain waits for before it can mine `pending`: nothing, if no earlier
    /// transaction was lost; otherwise a transfer of nothing to itself for each that was.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer, or doesn't take one of them.
    pub async fn fill_gap(&mut self, pending: &Pending, next: NextBlock) -> Result<()> {
        for nonce in self.pool_nonce().await?..pending.nonce() {
            let nothing = self.account.nothing();
            let fees = self.offer(nonce, next)?;
            let tx = self.account.transaction(&nothing, nonce, TRANSFER_GAS, fees);
            self.send_signed(nothing.what(), &tx).await?;
        }
        Ok(())
    }

    /// Forgets the nonce: the next transaction asks the endpoint. For a key that something else
    /// used as well, or whose transactions were dropped.
    pub const fn resync(&mut self) {
        self.nonce = None;
    }

    /// How many of its transactions are in blocks.
    pub(crate) async fn mined_nonce(&self) -> Result<u64> {
        self.account.transaction_count(BlockId::latest()).await
    }

    /// Uses this nonce next.
    pub(crate) const fn resume_at(&mut self, nonce: u64) {
        self.nonce = Some(nonce);
    }

    /// What a transaction of this nonce offers.
    fn offer(&mut self, nonce: u64, next: NextBlock) -> Result<Fees> {
        let fees = match self.to_beat {
            Some((up_to, old)) if nonce <= up_to => self.fees.replacement(old, next.base_fee)?,
            _ => {
                self.to_beat = None;
                self.fees.offer(next.base_fee, None)?
            }
        };
        Ok(fees)
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
        match self.send_signed(call.what(), &tx).await {
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

    async fn send_signed(&self, what: &'static str, tx: &TxEip1559) -> Result<B256> {
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
