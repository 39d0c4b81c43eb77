//! Origins of contracts whose addresses prove their init code.

use super::{
    error::DeployError,
    proxy::{DEPLOYMENT_PROXY, ensure_proxy, expect_proxy},
    record::DeployRecord,
    run::DeployProgress,
};
use crate::{Client, Sender, Wait};
use alloy_primitives::{Address, B256, Bytes};
use canon_protocol::{Create2, text};
use core::ops::ControlFlow;
use serde::{Deserialize, Serialize};

/// The origin of contracts created with CREATE2: a factory and a salt.
///
/// Together with init code it forms a [`Create2`], from which the address follows.
/// The factory's calldata is the salt followed by the init code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Create2Origin {
    /// The contract that executes CREATE2. Default: the deterministic deployment proxy
    /// ([`DEPLOYMENT_PROXY`]).
    #[serde(with = "text::address")]
    pub factory: Address,
    /// The salt. Default: 0.
    pub salt: B256,
}

impl Default for Create2Origin {
    fn default() -> Self {
        Self { factory: DEPLOYMENT_PROXY, salt: B256::ZERO }
    }
}

impl Create2Origin {
    /// The creation of a contract with this origin from `init_code`.
    pub fn create2(&self, init_code: &[u8]) -> Create2 {
        Create2::new(self.factory, self.salt, init_code)
    }

    /// The factory's calldata for `init_code`.
    pub(crate) fn calldata(&self, init_code: &[u8]) -> Bytes {
        [self.salt.as_slice(), init_code].concat().into()
    }

    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Ensures that the factory has code. Creates the deployment proxy if the chain lacks it.
    ///
    /// # Errors
    ///
    /// If any other factory has no code, or the deployment proxy can't be created.
    pub(super) async fn ensure_code(
        &self,
        sender: &mut Sender,
        record: &mut DeployRecord,
        wait: &mut impl Wait,
        progress: &mut impl FnMut(&DeployRecord, DeployProgress) -> ControlFlow<()>,
    ) -> Result<(), DeployError> {
        match self.factory {
            DEPLOYMENT_PROXY => ensure_proxy(sender, record, wait, progress).await,
            _ => self.expect_code(sender.client()).await,
        }
    }

    /// Checks that the factory has code.
    ///
    /// # Errors
    ///
    /// If it has none. For the deployment proxy the error says how to create it.
    pub(super) async fn expect_code(&self, client: &Client) -> Result<(), DeployError> {
        if self.factory == DEPLOYMENT_PROXY {
            return expect_proxy(client).await;
        }
        client.expect_code(client.head().await?.hash.into(), "the factory", self.factory).await?;
        Ok(())
    }
}
