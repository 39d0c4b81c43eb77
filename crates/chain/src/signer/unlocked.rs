//! Accounts whose keys a node has.

use super::error::KeyError;
use crate::{
    client::Client,
    error::{Error, Result},
};
use alloy_consensus::{SignableTransaction, TxEnvelope};
use alloy_eips::eip2718::Decodable2718;
use alloy_network::TxSigner;
use alloy_primitives::{Address, B256, Bytes, ChainId, Signature};
use alloy_provider::Provider;
use alloy_rpc_types_eth::TransactionRequest;
use alloy_signer::{Signer, UnsupportedSignerOperation};
use async_trait::async_trait;
use serde::Deserialize;

/// An account for which a development node signs. Its transactions are signed with `eth_signTransaction`
/// and then sent like all others, so nodes with only `eth_sendTransaction` can't be used. It can't sign
/// hashes, and therefore neither ballots nor permits.
#[derive(Clone, Debug)]
pub struct UnlockedAccount {
    client: Client,
    address: Address,
}

impl UnlockedAccount {
    /// One of the accounts for which the endpoint signs (`eth_accounts`).
    ///
    /// # Errors
    ///
    /// [`KeyError::NotUnlocked`] if the account isn't one of them; [`KeyError::Endpoint`] if the endpoint
    /// doesn't answer.
    pub async fn new(client: Client, from: Address) -> Result<Self, KeyError> {
        let accounts = client.provider().get_accounts().await;
        let accounts = accounts.map_err(|source| Error::rpc("eth_accounts", source))?;
        match accounts.contains(&from) {
            true => Ok(Self { client, address: from }),
            false => Err(KeyError::NotUnlocked { from, accounts }),
        }
    }

    /// The address of the account.
    pub const fn address(&self) -> Address {
        self.address
    }
}

#[async_trait]
impl TxSigner<Signature> for UnlockedAccount {
    fn address(&self) -> Address {
        self.address
    }

    /// Only the signature is taken from the answer, and only if this account signed exactly the requested
    /// transaction.
    async fn sign_transaction(
        &self,
        tx: &mut dyn SignableTransaction<Signature>,
    ) -> alloy_signer::Result<Signature> {
        let request = TransactionRequest {
            from: Some(self.address),
            to: Some(tx.kind()),
            nonce: Some(tx.nonce()),
            chain_id: tx.chain_id(),
            gas: Some(tx.gas_limit()),
            max_fee_per_gas: Some(tx.max_fee_per_gas()),
            max_priority_fee_per_gas: tx.max_priority_fee_per_gas(),
            value: Some(tx.value()),
            input: tx.input().clone().into(),
            access_list: tx.access_list().cloned(),
            transaction_type: Some(tx.ty()),
            ..TransactionRequest::default()
        };
        let method = "eth_signTransaction";
        let answer: SignedTransaction = self
            .client
            .provider()
            .raw_request(method.into(), [request])
            .await
            .map_err(|source| alloy_signer::Error::other(Error::rpc(method, source)))?;
        let signed =
            TxEnvelope::decode_2718_exact(answer.raw()).map_err(alloy_signer::Error::other)?;
        let signature = *signed.signature();
        let signer = signature.recover_address_from_prehash(&tx.signature_hash());
        match signer.is_ok_and(|signer| signer == self.address) {
            true => Ok(signature),
            false => Err(alloy_signer::Error::message(
                "the endpoint signed another transaction than the one it was asked to sign",
            )),
        }
    }
}

#[async_trait]
impl Signer for UnlockedAccount {
    async fn sign_hash(&self, _: &B256) -> alloy_signer::Result<Signature> {
        Err(alloy_signer::Error::UnsupportedOperation(UnsupportedSignerOperation::SignHash))
    }

    fn address(&self) -> Address {
        self.address
    }

    fn chain_id(&self) -> Option<ChainId> {
        Some(self.client.chain_id())
    }

    /// Does nothing, because the account belongs to one chain.
    fn set_chain_id(&mut self, _: Option<ChainId>) {}
}

/// A signed transaction (EIP-2718) as nodes return it: anvil directly, geth in an object.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum SignedTransaction {
    Raw(Bytes),
    InObject { raw: Bytes },
}

impl SignedTransaction {
    fn raw(&self) -> &[u8] {
        match self {
            Self::Raw(raw) | Self::InObject { raw } => raw,
        }
    }
}
