//! The outcome of a transaction.

use crate::{
    call::ContractCall,
    client::Client,
    endpoint::EndpointFailure,
    error::{Error, Result},
};
use alloy_consensus::{Transaction as _, TxEip1559};
use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, U256};
use alloy_provider::Provider;
use alloy_rpc_types_eth::{Log, TransactionReceipt, TransactionRequest};
use alloy_sol_types::SolEvent;
use canon_protocol::{BlockNumber, text::grouped};
use core::future::Future;

/// The request of a receipt.
pub(crate) const RECEIPT: &str = "eth_getTransactionReceipt";

/// A transaction that an endpoint accepted.
#[derive(Clone, Debug)]
#[must_use = "only its receipt shows whether it did what it is for: confirm it"]
pub struct Pending {
    hash: B256,
    from: Address,
    call: ContractCall,
    tx: TxEip1559,
}

/// A transaction that was mined and succeeded, with the expected events.
#[derive(Clone, Debug)]
pub struct Confirmed {
    /// The signature of the called function, or the name of the call.
    pub what: &'static str,
    /// The transaction.
    pub hash: B256,
    /// The block that includes it.
    pub block: BlockNumber,
    /// The gas used.
    pub gas_used: u64,
    /// The fee that its sender paid for the gas, in wei.
    pub fee: U256,
    /// The address of the created contract, if any.
    pub created: Option<Address>,
    /// The logs that it emitted.
    pub logs: Vec<Log>,
}

/// The block and the cost of a transaction that was mined, whether or not it did what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// The transaction.
    pub hash: B256,
    /// The block that includes it.
    pub block: BlockNumber,
    /// The gas used.
    pub gas_used: u64,
    /// The fee that its sender paid for the gas, in wei.
    pub fee: U256,
}

/// The decision of a caller that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// Check again: time passed, or a block was mined.
    Again,
    /// Stop waiting.
    GiveUp,
}

/// The caller's way to wait for the next block, since this crate reads no clock.
///
/// A daemon sleeps, a rehearsal mines. Any closure `FnMut(tries) -> impl Future<Output = Waited>` works.
pub trait Wait: Send {
    /// Waits once; `tries` counts from 0.
    fn wait(&mut self, tries: u32) -> impl Future<Output = Waited> + Send;
}

impl<F, Fut> Wait for F
where
    F: FnMut(u32) -> Fut + Send,
    Fut: Future<Output = Waited> + Send,
{
    fn wait(&mut self, tries: u32) -> impl Future<Output = Waited> + Send {
        self(tries)
    }
}

/// Calls `look` until it returns something; `None` if `wait` gives up before.
///
/// # Errors
///
/// The first error of `look`.
pub async fn wait_until<T, E>(
    wait: &mut impl Wait,
    mut look: impl AsyncFnMut() -> Result<Option<T>, E>,
) -> Result<Option<T>, E> {
    let mut tries = 0;
    loop {
        let found = look().await?;
        if found.is_some() || wait.wait(tries).await == Waited::GiveUp {
            return Ok(found);
        }
        tries += 1;
    }
}

/// Gives up immediately, for a chain that mines every transaction at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoWait;

impl Wait for NoWait {
    async fn wait(&mut self, _tries: u32) -> Waited {
        Waited::GiveUp
    }
}

impl Pending {
    pub(crate) const fn new(hash: B256, from: Address, call: ContractCall, tx: TxEip1559) -> Self {
        Self { hash, from, call, tx }
    }

    /// The hash of the transaction.
    pub const fn hash(&self) -> B256 {
        self.hash
    }

    /// The call of the transaction.
    pub const fn call(&self) -> &ContractCall {
        &self.call
    }

    /// The transaction itself.
    pub(crate) const fn tx(&self) -> &TxEip1559 {
        &self.tx
    }

    /// The nonce of the transaction.
    pub const fn nonce(&self) -> u64 {
        self.tx.nonce
    }

    /// What of a receipt can't be, if it is that of this transaction; `None` if nothing.
    fn contradiction(&self, receipt: &TransactionReceipt) -> Option<String> {
        let limits = Limits { gas: self.tx.gas_limit, max_fee: self.tx.max_fee_per_gas };
        let (found, expected) = (receipt.from, self.from);
        if found != expected {
            return Some(format!("it is from {found}, expected {expected}"));
        }
        limits.contradiction(receipt, self.hash)
    }

    /// The request that simulates the transaction, without its nonce and fees: they fit its own block, and the state
    /// before it may refuse them.
    fn simulation(&self) -> TransactionRequest {
        let TxEip1559 { to, value, gas_limit, input, access_list, .. } = self.tx.clone();
        TransactionRequest {
            from: Some(self.from),
            to: Some(to),
            value: Some(value),
            gas: Some(gas_limit),
            input: input.into(),
            access_list: Some(access_list).filter(|list| !list.is_empty()),
            ..TransactionRequest::default()
        }
    }
}

/// The limits that a transaction sets to its cost.
struct Limits {
    gas: u64,
    /// In wei per gas.
    max_fee: u128,
}

impl Limits {
    /// What of a receipt can't be, if it is that of `transaction` with these limits; `None` if nothing.
    fn contradiction(&self, receipt: &TransactionReceipt, transaction: B256) -> Option<String> {
        let Self { gas, max_fee } = *self;
        let (used, price) = (receipt.gas_used, receipt.effective_gas_price);
        let is_elsewhere = |log: &Log| {
            let is_other = |found: Option<B256>, of: B256| found.is_some_and(|found| found != of);
            is_other(log.transaction_hash, transaction)
                || log.block_hash.zip(receipt.block_hash).is_some_and(|(one, other)| one != other)
                || log
                    .block_number
                    .zip(receipt.block_number)
                    .is_some_and(|(one, other)| one != other)
        };
        if receipt.transaction_hash != transaction {
            Some(format!("it is of {}", receipt.transaction_hash))
        } else if used > gas {
            Some(format!("{} gas used, and the limit is {}", grouped(used), grouped(gas)))
        } else if price > max_fee {
            Some(format!("{price} wei paid per gas, and the most that was offered is {max_fee}"))
        } else if receipt.logs().iter().any(is_elsewhere) {
            Some("a log in it is of another transaction or block".to_owned())
        } else {
            None
        }
    }
}

/// The endpoint's failure for a receipt that can't be.
fn contradicted(transaction: B256, contradiction: Option<String>) -> Result<()> {
    contradiction
        .map_or(Ok(()), |contradiction| Err(contradictory_receipt(transaction, &contradiction)))
}

/// The endpoint's failure for a receipt of a transaction that isn't as it has to be.
pub(crate) fn contradictory_receipt(transaction: B256, contradiction: &str) -> Error {
    let failure = EndpointFailure::receipt_contradicts(transaction, contradiction);
    Error::rpc(RECEIPT, failure.into())
}

impl Inclusion {
    fn of(receipt: &TransactionReceipt) -> Result<Self> {
        Ok(Self {
            hash: receipt.transaction_hash,
            block: block_of(receipt)?,
            gas_used: receipt.gas_used,
            fee: U256::from(receipt.gas_used) * U256::from(receipt.effective_gas_price),
        })
    }
}

/// The block of a receipt.
///
/// # Errors
///
/// [`Error::Rpc`] if the endpoint's receipt has none.
pub(crate) fn block_of(receipt: &TransactionReceipt) -> Result<BlockNumber> {
    let number = receipt.block_number.map(BlockNumber::of);
    number.ok_or_else(|| Error::rpc(RECEIPT, EndpointFailure::receipt_without_block().into()))
}

impl Confirmed {
    /// The block and the cost of the transaction.
    pub const fn inclusion(&self) -> Inclusion {
        let Self { hash, block, gas_used, fee, .. } = *self;
        Inclusion { hash, block, gas_used, fee }
    }

    /// The first event `E` of `emitter` in the transaction.
    pub fn event<E: SolEvent>(&self, emitter: Address) -> Option<E> {
        let of_emitter = self.logs.iter().filter(|log| log.address() == emitter);
        of_emitter.filter_map(|log| E::decode_log(&log.inner).ok()).map(|log| log.data).next()
    }
}

impl Client {
    /// Reads all receipts of a block, in one request.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't have the block.
    pub(crate) async fn receipts(&self, block: BlockId) -> Result<Vec<TransactionReceipt>> {
        let what = "eth_getBlockReceipts";
        let receipts = self.provider().get_block_receipts(block).await;
        let receipts = receipts.map_err(|source| Error::rpc(what, source))?;
        let unknown = || Error::rpc(what, alloy_transport::RpcError::NullResp);
        receipts.ok_or_else(unknown)
    }

    /// Reads a transaction's receipt and checks it. `None` if the transaction isn't in a block (yet).
    ///
    /// # Errors
    ///
    /// [`Error::Reverted`], [`Error::RevertedForNoKnownReason`], [`Error::OutOfGas`] or
    /// [`Error::EventMissing`] if it was mined without the expected effect; [`Error::Rpc`] if the endpoint
    /// doesn't answer.
    pub async fn confirm(&self, pending: &Pending) -> Result<Option<Confirmed>> {
        let receipt = self.provider().get_transaction_receipt(pending.hash).await;
        match receipt.map_err(|source| Error::rpc(RECEIPT, source))? {
            Some(receipt) => self.check(pending, &receipt).await.map(Some),
            None => Ok(None),
        }
    }

    /// Reads the block and the cost of a transaction that may have failed. `None` if no block has it.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub async fn inclusion(&self, transaction: B256) -> Result<Option<Inclusion>> {
        let receipt = self.provider().get_transaction_receipt(transaction).await;
        let receipt = receipt.map_err(|source| Error::rpc(RECEIPT, source))?;
        let Some(receipt) = receipt else { return Ok(None) };
        let found = self.provider().get_transaction_by_hash(transaction).await;
        let found = found.map_err(|source| Error::rpc("eth_getTransactionByHash", source))?;
        if let Some(found) = found {
            let limits = Limits { gas: found.gas_limit(), max_fee: found.max_fee_per_gas() };
            contradicted(transaction, limits.contradiction(&receipt, transaction))?;
        }
        Inclusion::of(&receipt).map(Some)
    }

    /// Checks the status and the expected events of a receipt.
    ///
    /// # Errors
    ///
    /// As [`Self::confirm`]; [`Error::Rpc`] also if the receipt can't be that of the transaction.
    pub(crate) async fn check(
        &self,
        pending: &Pending,
        receipt: &TransactionReceipt,
    ) -> Result<Confirmed> {
        let (what, hash) = (pending.call.what(), pending.hash);
        contradicted(hash, pending.contradiction(receipt))?;
        let Inclusion { block, gas_used, fee, .. } = Inclusion::of(receipt)?;
        if !receipt.status() {
            return Err(self.revert_reason(pending, block, gas_used).await);
        }
        if let Some(event) = pending.call.missing_event(receipt) {
            return Err(Error::EventMissing { what, hash, event });
        }
        Ok(Confirmed {
            what,
            hash,
            block,
            gas_used,
            fee,
            created: receipt.contract_address,
            logs: receipt.logs().to_vec(),
        })
    }

    /// As [`Self::check`], but an event counts as missing only if the blooms of the receipt and of its
    /// block both rule it out: an endpoint can omit logs, or index them late. A contract that a factory creates must
    /// have code after `head`, which isn't older than the receipt.
    ///
    /// # Errors
    ///
    /// [`Error::NotCanonical`] if the chain doesn't have the receipt's block under its number;
    /// [`Error::LogsMissing`] if the transaction may have emitted the event; [`Error::NotCreated`] if the contract has
    /// no code; otherwise as [`Self::check`].
    pub(crate) async fn check_effects(
        &self,
        pending: &Pending,
        receipt: &TransactionReceipt,
        head: BlockId,
    ) -> Result<Confirmed> {
        let (transaction, number) = (pending.hash, block_of(receipt)?);
        if receipt.block_hash != Some(self.block(BlockId::number(number.get())).await?.hash) {
            let block = receipt.block_hash;
            return Err(Error::NotCanonical { transaction, number, block });
        }
        let confirmed = match self.check(pending, receipt).await {
            Err(Error::EventMissing { what, hash, event })
                if !self.is_event_ruled_out(pending, receipt).await =>
            {
                return Err(Error::LogsMissing { what, hash, event });
            }
            checked => checked?,
        };
        if let Some(contract) = pending.call.created()
            && self.code(head, contract).await?.is_none()
        {
            let (what, hash) = (pending.call.what(), Some(pending.hash));
            return Err(Error::NotCreated { what, contract, hash });
        }
        Ok(confirmed)
    }

    /// Whether the blooms of a receipt and of its block rule out an expected event. `false` if the block
    /// can't be read.
    async fn is_event_ruled_out(&self, pending: &Pending, receipt: &TransactionReceipt) -> bool {
        let Some(block) = receipt.block_hash else { return false };
        if !pending.call.is_ruled_out_by(receipt.inner.logs_bloom()) {
            return false;
        }
        let block = self.provider().get_block_by_hash(block).await.ok().flatten();
        block.is_some_and(|block| pending.call.is_ruled_out_by(&block.header.logs_bloom))
    }

    /// The reason why a transaction of `block` failed. Receipts don't contain it, so the transaction is simulated
    /// again.
    async fn revert_reason(&self, pending: &Pending, block: BlockNumber, gas_used: u64) -> Error {
        let (what, hash) = (pending.call.what(), pending.hash);
        if gas_used >= pending.tx.gas_limit {
            return Error::OutOfGas { what, hash, limit: pending.tx.gas_limit };
        }
        let number = block.get();
        let time = self.block(number.into()).await.ok().map(|block| block.timestamp);
        let next = crate::client::NextBlock { timestamp: time, base_fee: 0 };
        let before = BlockId::number(number.saturating_sub(1));
        match self.simulate_at(what, pending.simulation(), before, next).await {
            Err(Error::Refused { revert, .. }) => Error::Reverted { what, hash, revert },
            _ => Error::RevertedForNoKnownReason { what, hash },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_consensus::{Eip658Value, Receipt, ReceiptEnvelope};
    use alloy_primitives::{TxKind, bytes};

    #[test]
    fn the_simulation_of_a_failed_transaction_has_its_value() {
        let (from, to) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let tx = TxEip1559 {
            nonce: 3,
            gas_limit: 50_000,
            max_fee_per_gas: 9,
            to: TxKind::Call(to),
            value: U256::from(7),
            input: bytes!("0102"),
            ..TxEip1559::default()
        };
        let call = ContractCall::pay("a payment", to, U256::from(7));
        let expected = TransactionRequest {
            from: Some(from),
            to: Some(TxKind::Call(to)),
            value: Some(U256::from(7)),
            gas: Some(50_000),
            input: bytes!("0102").into(),
            ..TransactionRequest::default()
        };
        assert_eq!(Pending::new(B256::ZERO, from, call, tx).simulation(), expected);
    }

    /// A receipt of a transaction without a block.
    fn receipt() -> TransactionReceipt {
        let status = Eip658Value::Eip658(true);
        let receipt = Receipt::<Log> { status, ..Receipt::default() };
        TransactionReceipt {
            inner: ReceiptEnvelope::Eip1559(receipt.with_bloom()),
            transaction_hash: B256::ZERO,
            transaction_index: None,
            block_hash: None,
            block_number: None,
            gas_used: 21_000,
            effective_gas_price: 2,
            blob_gas_used: None,
            blob_gas_price: None,
            from: Address::ZERO,
            to: None,
            contract_address: None,
        }
    }

    #[test]
    fn a_receipt_that_cannot_be_of_the_transaction_is_not_believed() {
        let call = ContractCall::pay("a payment", Address::ZERO, U256::ZERO);
        let tx = TxEip1559 { gas_limit: 21_000, max_fee_per_gas: 2, ..TxEip1559::default() };
        let pending = Pending::new(B256::ZERO, Address::ZERO, call, tx);
        assert_eq!(pending.contradiction(&receipt()), None);
        let other = B256::repeat_byte(1);
        let log = |transaction_hash, block_number| {
            let logs = vec![Log { transaction_hash, block_number, ..Log::default() }];
            let receipt = Receipt { status: Eip658Value::Eip658(true), logs, ..Receipt::default() };
            ReceiptEnvelope::Eip1559(receipt.with_bloom())
        };
        let from = Address::repeat_byte(2);
        for (wrong, says) in [
            (
                TransactionReceipt { gas_used: 21_001, ..receipt() },
                "21,001 gas used, and the limit is 21,000".to_owned(),
            ),
            (
                TransactionReceipt { effective_gas_price: 3, ..receipt() },
                "3 wei paid per gas, and the most that was offered is 2".to_owned(),
            ),
            (
                TransactionReceipt { transaction_hash: other, ..receipt() },
                format!("it is of {other}"),
            ),
            (
                TransactionReceipt { from, ..receipt() },
                format!("it is from {from}, expected {}", Address::ZERO),
            ),
            (
                TransactionReceipt { inner: log(Some(other), None), ..receipt() },
                "a log in it is of another transaction or block".to_owned(),
            ),
            (
                TransactionReceipt {
                    inner: log(None, Some(2)),
                    block_number: Some(1),
                    ..receipt()
                },
                "a log in it is of another transaction or block".to_owned(),
            ),
        ] {
            let found = pending.contradiction(&wrong);
            assert_eq!(found.as_ref(), Some(&says));
            let error = contradicted(B256::ZERO, found).unwrap_err();
            assert!(error.is_temporary() && error.mined_transaction().is_none(), "{error}");
            assert!(error.to_string().contains(&says), "{error}");
        }
    }

    #[test]
    fn a_receipt_without_a_block_is_not_one_of_block_0() {
        let mut receipt = receipt();
        let error = Inclusion::of(&receipt).unwrap_err();
        assert!(error.to_string().contains("its receipt has no block"), "{error}");
        assert!(error.is_temporary(), "{error}");
        receipt.block_number = Some(0);
        let found = Inclusion::of(&receipt).unwrap();
        assert_eq!((found.block, found.fee), (BlockNumber::ZERO, U256::from(42_000)));
    }
}
