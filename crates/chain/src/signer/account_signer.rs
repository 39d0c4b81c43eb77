//! The signer of an account.

use super::unlocked::UnlockedAccount;
use crate::error::{Error, Result};
use alloy_consensus::SignableTransaction;
use alloy_network::TxSigner;
use alloy_primitives::{Address, B256, ChainId, Signature};
use alloy_signer::Signer;
use alloy_signer_local::PrivateKeySigner;
use async_trait::async_trait;

/// The signer of an account, regardless of the location of its key.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AccountSigner {
    /// A key in this process.
    Local(PrivateKeySigner),
    /// An account for which a development node signs.
    Unlocked(UnlockedAccount),
    /// An account without a key. Its transactions can be simulated, but it can't sign.
    Watched(Address),
}

impl AccountSigner {
    /// The address of the account.
    pub const fn address(&self) -> Address {
        match self {
            Self::Local(key) => key.address(),
            Self::Unlocked(account) => account.address(),
            Self::Watched(address) => *address,
        }
    }

    /// Signs the hash of a message. `what` names the message in errors.
    ///
    /// # Errors
    ///
    /// [`Error::Signing`] if the signer isn't a key in this process, because only those sign messages.
    pub async fn sign_message_hash(&self, what: &'static str, hash: &B256) -> Result<Signature> {
        self.sign_hash(hash).await.map_err(|source| Error::Signing { what, source })
    }
}

const SIGNS_NOTHING: &str = "its key isn't here: only its address is known";

#[async_trait]
impl TxSigner<Signature> for AccountSigner {
    fn address(&self) -> Address {
        self.address()
    }

    async fn sign_transaction(
        &self,
        tx: &mut dyn SignableTransaction<Signature>,
    ) -> alloy_signer::Result<Signature> {
        match self {
            Self::Local(key) => key.sign_transaction(tx).await,
            Self::Unlocked(account) => account.sign_transaction(tx).await,
            Self::Watched(_) => Err(alloy_signer::Error::message(SIGNS_NOTHING)),
        }
    }
}

#[async_trait]
impl Signer for AccountSigner {
    async fn sign_hash(&self, hash: &B256) -> alloy_signer::Result<Signature> {
        match self {
            Self::Local(key) => key.sign_hash(hash).await,
            Self::Unlocked(account) => account.sign_hash(hash).await,
            Self::Watched(_) => Err(alloy_signer::Error::message(SIGNS_NOTHING)),
        }
    }

    fn address(&self) -> Address {
        self.address()
    }

    fn chain_id(&self) -> Option<ChainId> {
        match self {
            Self::Local(key) => key.chain_id(),
            Self::Unlocked(account) => account.chain_id(),
            Self::Watched(_) => None,
        }
    }

    fn set_chain_id(&mut self, chain_id: Option<ChainId>) {
        match self {
            Self::Local(key) => key.set_chain_id(chain_id),
            Self::Unlocked(account) => account.set_chain_id(chain_id),
            Self::Watched(_) => {}
        }
    }
}
