//! A key on a chain, with the operations that every kind of sender needs.

use crate::{
    call::ContractCall,
    client::{Client, NextBlock},
    error::{Error, Result},
    rejection::Rejection,
    tx::fees::Fees,
};
use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::{BlockId, eip2718::Encodable2718, eip7825::MAX_TX_GAS_LIMIT_OSAKA};
use alloy_network::FullSigner;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use alloy_provider::Provider;
use alloy_rpc_types_eth::TransactionRequest;
use core::fmt;
use std::sync::Arc;

/// The gas that an empty transfer uses.
pub(crate) const TRANSFER_GAS: u64 = 21_000;

/// The name of an empty transfer in errors.
pub(crate) const EMPTY_TRANSFER: &str = "an empty transfer";

/// The margin of a gas limit above the estimate, in percent of it.
const MARGIN_PERCENT: u64 = 20;

/// A key that signs transactions and hashes.
pub type Key = Arc<dyn FullSigner<Signature> + Send + Sync>;

/// A key with the chain on which it is used.
#[derive(Clone)]
pub(crate) struct Account {
    client: Client,
    key: Key,
    address: Address,
}

/// A signed transaction.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    pub(crate) hash: B256,
    /// The encoding of the transaction (EIP-2718).
    pub(crate) raw: Bytes,
}

impl Account {
    pub(crate) fn new(
        client: Client,
        key: impl FullSigner<Signature> + Send + Sync + 'static,
    ) -> Self {
        let address = alloy_signer::Signer::address(&key);
        Self { client, key: Arc::new(key), address }
    }

    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) const fn address(&self) -> Address {
        self.address
    }

    /// Signs a hash without a prefix, as EIP-712 requires.
    pub(crate) async fn sign_hash(&self, what: &'static str, hash: B256) -> Result<Signature> {
        self.key.sign_hash(&hash).await.map_err(|source| Error::Signing { what, source })
    }

    /// Simulates a call with a gas limit, and with fees if there are any, on the pending state and at the
    /// time of the block that should include it.
    pub(crate) async fn simulate(
        &self,
        call: &ContractCall,
        gas_limit: u64,
        fees: Option<Fees>,
        next: NextBlock,
    ) -> Result<Bytes> {
        let what = call.what();
        // Nodes lower the gas limit to what the account can pay for, and then the call can fail with any
        // error.
        self.can_pay(call, gas_limit, fees).await?;
        let request = TransactionRequest {
            max_fee_per_gas: fees.map(|fees| fees.max_fee),
            max_priority_fee_per_gas: fees.map(|fees| fees.tip),
            ..self.request(call, Some(gas_limit))
        };
        let answer = match self.client.simulate(what, request, next).await {
            Ok(answer) => answer,
            Err(error) if gas_limit == MAX_TX_GAS_LIMIT_OSAKA => {
                return Err(self.classify_gas_failure(call, error, next).await);
            }
            Err(error) => return Err(error),
        };
        if let TxKind::Call(address) = call.to() {
            let pending = BlockId::pending();
            if answer.is_empty() && self.client.code(pending, address).await?.is_none() {
                return Err(Error::NoCode { what, address });
            }
            if !call.is_answer(&answer) {
                return Err(match call.created() {
                    Some(contract) => Error::NotCreated { what, contract, hash: None },
                    None => Error::BadAnswer { what, address },
                });
            }
        }
        Ok(answer)
    }

    /// Checks that the account can pay the most that a call may cost at these fees.
    ///
    /// # Errors
    ///
    /// [`Error::TooLittleEther`] if its balance is too low. A balance that can't be read is not an error.
    async fn can_pay(&self, call: &ContractCall, gas_limit: u64, fees: Option<Fees>) -> Result<()> {
        let Some(fees) = fees else { return Ok(()) };
        let balance = self.client.provider().get_balance(self.address).pending().await;
        let cost = U256::from(gas_limit).saturating_mul(U256::from(fees.max_fee));
        let needed = cost.saturating_add(call.value());
        match balance {
            Ok(balance) if balance < needed => Err(Error::TooLittleEther {
                what: call.what(),
                account: self.address,
                needed,
                balance,
            }),
            _ => Ok(()),
        }
    }

    /// The gas limit with which a call is sent: the estimate, a fifth of it, and the headroom of the call.
    pub(crate) async fn gas_limit(&self, call: &ContractCall, next: NextBlock) -> Result<u64> {
        let max = MAX_TX_GAS_LIMIT_OSAKA;
        let request = self.request(call, Some(max));
        match self.client.estimate(call.what(), request, next).await {
            // This node doesn't know the gas cap of a transaction.
            Ok(needed) if needed > max => Err(Error::TooMuchGas { what: call.what(), max }),
            Ok(needed) => Ok((needed + needed * MARGIN_PERCENT / 100 + call.headroom()).min(max)),
            Err(error) => Err(self.classify_gas_failure(call, error, next).await),
        }
    }

    /// Returns the gas limit of a call, at most `most`, after simulating the call with this limit, and with
    /// fees if there are any.
    ///
    /// # Errors
    ///
    /// [`Error::MoreGas`] if the call needs more than `most`.
    pub(crate) async fn check(
        &self,
        call: &ContractCall,
        fees: Option<Fees>,
        most: Option<u64>,
        next: NextBlock,
    ) -> Result<u64> {
        let needed = self.gas_limit(call, next).await?;
        let gas_limit = most.map_or(needed, |most| needed.min(most));
        match self.simulate(call, gas_limit, fees, next).await {
            Ok(_) => Ok(gas_limit),
            Err(error) if gas_limit < needed && !error.is_temporary() => {
                Err(Error::MoreGas { what: call.what(), needed, agreed: gas_limit })
            }
            Err(error) => Err(error),
        }
    }

    /// Distinguishes a call that needs too much gas from one that is refused. With the most gas that a
    /// transaction may have, the call failed with `error`. A call that needs too much gas succeeds without
    /// a gas limit, unless the endpoint has a gas cap of its own.
    async fn classify_gas_failure(
        &self,
        call: &ContractCall,
        error: Error,
        next: NextBlock,
    ) -> Error {
        let lacks_gas =
            |error: &Error| matches!(error, Error::Rejected { rejection: Rejection::GasCap, .. });
        if !lacks_gas(&error) && error.as_revert().is_none() {
            return error;
        }
        let too_much = Error::TooMuchGas { what: call.what(), max: MAX_TX_GAS_LIMIT_OSAKA };
        match self.client.simulate(call.what(), self.request(call, None), next).await {
            Ok(_) => too_much,
            Err(unlimited) if lacks_gas(&error) => {
                if lacks_gas(&unlimited) {
                    too_much
                } else {
                    unlimited
                }
            }
            Err(_) => error,
        }
    }

    /// Builds the transaction of a call.
    pub(crate) fn transaction(
        &self,
        call: &ContractCall,
        nonce: u64,
        gas_limit: u64,
        fees: Fees,
    ) -> TxEip1559 {
        TxEip1559 {
            chain_id: self.client.chain_id(),
            nonce,
            gas_limit,
            max_fee_per_gas: fees.max_fee,
            max_priority_fee_per_gas: fees.tip,
            to: call.to(),
            value: call.value(),
            access_list: Default::default(),
            input: call.input().clone(),
        }
    }

    /// An empty transfer to the account itself, which only uses a nonce.
    pub(crate) const fn nothing(&self) -> ContractCall {
        ContractCall::pay(EMPTY_TRANSFER, self.address, U256::ZERO)
    }

    pub(crate) async fn sign(&self, what: &'static str, tx: &TxEip1559) -> Result<Signed> {
        let mut tx = tx.clone();
        let signature = self.key.sign_transaction(&mut tx).await;
        let signature = signature.map_err(|source| Error::Signing { what, source })?;
        let signed = tx.into_signed(signature);
        let hash = *signed.hash();
        Ok(Signed { hash, raw: TxEnvelope::from(signed).encoded_2718().into() })
    }

    /// Sends a signed transaction. Succeeds if the pool already has it.
    pub(crate) async fn broadcast(&self, what: &'static str, raw: &[u8]) -> Result<()> {
        // Only the builder that waits for the receipt is dropped. The transaction is sent.
        let sent = self.client.provider().send_raw_transaction(raw).await.map(drop);
        match sent.map_err(|source| Error::from_rpc(what, source)) {
            Err(Error::Rejected { rejection: Rejection::AlreadyKnown, .. }) => Ok(()),
            sent => sent,
        }
    }

    /// The number of transactions of the account up to a block. With the pending block, it is the first
    /// nonce for which neither the chain nor the pool has a transaction.
    pub(crate) async fn transaction_count(&self, at: BlockId) -> Result<u64> {
        let count = self.client.provider().get_transaction_count(self.address).block_id(at).await;
        count.map_err(|source| Error::rpc("eth_getTransactionCount", source))
    }

    fn request(&self, call: &ContractCall, gas: Option<u64>) -> TransactionRequest {
        TransactionRequest {
            from: Some(self.address),
            to: Some(call.to()),
            value: Some(call.value()),
            input: call.input().clone().into(),
            gas,
            ..TransactionRequest::default()
        }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("address", &self.address).finish_non_exhaustive()
    }
}
