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
};
use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::{eip2718::Encodable2718, eip7825::MAX_TX_GAS_LIMIT_OSAKA};
use alloy_network::FullSigner;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind};
use alloy_provider::Provider;
use alloy_rpc_types_eth::TransactionRequest;
use alloy_transport::TransportError;
use core::fmt;
use std::sync::Arc;

/// The default tip, in wei per gas.
const TIP: u128 = 1_000_000_000;

/// What a transfer of nothing costs.
pub(crate) const TRANSFER_GAS: u64 = 21_000;

/// A replacement must offer this much more, in percent: geth and its relatives refuse less.
const REPLACEMENT_BUMP: u128 = 10;

/// A key that can sign transactions and hashes.
pub type Key = Arc<dyn FullSigner<Signature> + Send + Sync>;

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
    client: Client,
    key: Key,
    address: Address,
    nonce: Option<u64>,
    /// Fees that transactions up to a nonce have to beat.
    to_beat: Option<ToBeat>,
    tip: u128,
    margin_percent: u64,
}

/// Fees of transactions that may still be in a pool.
#[derive(Clone, Copy, Debug)]
struct ToBeat {
    up_to: u64,
    fee: u128,
    tip: u128,
}

impl Sender {
    /// A sender that asks for its nonce at its first transaction.
    pub fn new(client: Client, key: impl FullSigner<Signature> + Send + Sync + 'static) -> Self {
        let address = alloy_signer::Signer::address(&key);
        let key: Key = Arc::new(key);
        let (nonce, to_beat) = (None, None);
        Self { client, key, address, nonce, to_beat, tip: TIP, margin_percent: 20 }
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
        self.tip = tip;
        self
    }

    /// The key's address.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// The chain it sends to.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Signs a hash as it is, for EIP-712.
    ///
    /// # Errors
    ///
    /// If the key can't.
    pub async fn sign_hash(&self, what: &'static str, hash: B256) -> Result<Signature> {
        self.key.sign_hash(&hash).await.map_err(|source| Error::Signing { what, source })
    }

    /// Executes a call without sending it, in the time of the block that should include it.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with the contract's error; [`Error::NoCode`] or [`Error::BadAnswer`] if
    /// the target isn't the contract it is taken for.
    pub async fn simulate(&self, call: &ContractCall, next: NextBlock) -> Result<Bytes> {
        let what = call.what();
        let answer = self.client.simulate(what, self.request(call), next).await?;
        if let TxKind::Call(address) = call.to() {
            let pending = alloy_eips::BlockId::pending();
            if answer.is_empty() && self.client.code(pending, address).await?.is_none() {
                return Err(Error::NoCode { what, address });
            }
            if !call.is_answer(&answer) {
                return Err(Error::BadAnswer { what, address });
            }
        }
        Ok(answer)
    }

    /// The gas limit that a call is sent with: its estimate, a fifth more, and its headroom.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], or [`Error::TooMuchGas`] if the estimate alone is too much.
    pub async fn gas_limit(&self, call: &ContractCall, next: NextBlock) -> Result<u64> {
        let needed = self.client.estimate(call.what(), self.request(call), next).await?;
        let max = MAX_TX_GAS_LIMIT_OSAKA;
        if needed > max {
            return Err(Error::TooMuchGas { what: call.what(), needed, max });
        }
        Ok((needed + needed * self.margin_percent / 100 + call.headroom()).min(max))
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
            Checks::Full => {
                self.simulate(&call, next).await?;
                self.gas_limit(&call, next).await?
            }
            Checks::Simulate { gas_limit } => {
                self.simulate(&call, next).await?;
                gas_limit
            }
            Checks::AtReceipt { gas_limit } => gas_limit,
        };
        let nonce = self.next_nonce().await?;
        let (fee, tip) = self.fees(nonce, next);
        let tx = TxEip1559 {
            chain_id: self.client.chain_id(),
            nonce,
            gas_limit,
            max_fee_per_gas: fee,
            max_priority_fee_per_gas: tip,
            to: call.to(),
            value: call.value(),
            access_list: Default::default(),
            input: call.input().clone(),
        };
        self.broadcast(call, tx).await
    }

    /// Sends a transaction and waits for its receipt.
    ///
    /// # Errors
    ///
    /// As [`Self::submit`] and [`Client::confirm`]; [`Error::NotMined`] if `wait` gives up.
    pub async fn send(&mut self, call: ContractCall, wait: &mut impl Wait) -> Result<Confirmed> {
        let next = self.client.next_block().await?;
        let pending = self.submit(call, Checks::Full, next).await?;
        self.client.await_receipt(&pending, wait).await
    }

    /// Sends a transaction again that isn't mined, with fees that replace it and that suffice now.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't take it; also when the first one was mined meanwhile, so confirm
    /// both.
    pub async fn replace(&mut self, pending: &Pending, next: NextBlock) -> Result<Pending> {
        let mut tx = pending.tx().clone();
        tx.max_priority_fee_per_gas = bump(tx.max_priority_fee_per_gas);
        tx.max_fee_per_gas = bump(tx.max_fee_per_gas).max(next.base_fee * 2 + self.tip);
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
        let old = self.to_beat.unwrap_or(ToBeat { up_to: 0, fee: 0, tip: 0 });
        self.to_beat = Some(ToBeat {
            up_to: old.up_to.max(tx.nonce),
            fee: old.fee.max(tx.max_fee_per_gas),
            tip: old.tip.max(tx.max_priority_fee_per_gas),
        });
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
            let (fee, tip) = self.fees(nonce, next);
            let tx = TxEip1559 {
                chain_id: self.client.chain_id(),
                nonce,
                gas_limit: TRANSFER_GAS,
                max_fee_per_gas: fee,
                max_priority_fee_per_gas: tip,
                to: TxKind::Call(self.address),
                ..TxEip1559::default()
            };
            self.send_signed("a transfer of nothing", tx).await?;
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
        let what = "eth_getTransactionCount";
        let count = self.client.provider().get_transaction_count(self.address).latest().await;
        count.map_err(|source| Error::rpc(what, source))
    }

    /// Uses this nonce next.
    pub(crate) const fn resume_at(&mut self, nonce: u64) {
        self.nonce = Some(nonce);
    }

    /// What a transaction of this nonce offers.
    fn fees(&mut self, nonce: u64, next: NextBlock) -> (u128, u128) {
        let fee = next.base_fee * 2 + self.tip;
        match self.to_beat {
            Some(old) if nonce <= old.up_to => {
                (fee.max(bump(old.fee)), self.tip.max(bump(old.tip)))
            }
            _ => {
                self.to_beat = None;
                (fee, self.tip)
            }
        }
    }

    fn request(&self, call: &ContractCall) -> TransactionRequest {
        TransactionRequest {
            from: Some(self.address),
            to: Some(call.to()),
            value: Some(call.value()),
            input: call.input().clone().into(),
            ..TransactionRequest::default()
        }
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
        let what = "eth_getTransactionCount";
        let count = self.client.provider().get_transaction_count(self.address).pending().await;
        count.map_err(|source| Error::rpc(what, source))
    }

    async fn broadcast(&mut self, call: ContractCall, tx: TxEip1559) -> Result<Pending> {
        match self.send_signed(call.what(), tx.clone()).await {
            Ok(hash) => {
                self.nonce = Some(tx.nonce + 1);
                Ok(Pending::new(hash, self.address, call, tx))
            }
            Err(error) => {
                // Whatever the pool has against it, the next nonce is what the endpoint says.
                self.nonce = None;
                Err(error)
            }
        }
    }

    async fn send_signed(&self, what: &'static str, mut tx: TxEip1559) -> Result<B256> {
        let signature = self.key.sign_transaction(&mut tx).await;
        let signature = signature.map_err(|source| Error::Signing { what, source })?;
        let signed = tx.into_signed(signature);
        let hash = *signed.hash();
        let raw = TxEnvelope::from(signed).encoded_2718();
        match self.client.provider().send_raw_transaction(&raw).await {
            // Dropping the builder is fine: nobody polls.
            Ok(_) => Ok(hash),
            Err(source) if is_already_known(&source) => Ok(hash),
            Err(source) => Err(Error::from_rpc(what, source)),
        }
    }
}

/// The least that replaces a transaction with this fee.
const fn bump(fee: u128) -> u128 {
    fee + (fee * REPLACEMENT_BUMP).div_ceil(100)
}

/// geth's `ErrAlreadyKnown` (`core/txpool/errors.go`), which others send in their own words.
pub(crate) fn is_already_known(error: &TransportError) -> bool {
    error.as_error_resp().is_some_and(|payload| {
        let text = payload.message.to_lowercase();
        text.contains("already known") || text.contains("already imported")
    })
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("address", &self.address)
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
