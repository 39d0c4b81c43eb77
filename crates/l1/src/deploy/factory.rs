//! Factories that create contracts at addresses that prove init code.

use super::{
    error::DeployError,
    proxy::{DEPLOYMENT_PROXY, ensure_proxy},
};
use crate::{Sender, Wait};
use alloy::primitives::{Address, B256, Bytes};
use canon_protocol::Create2;
use serde::{Deserialize, Serialize};

/// A factory that creates contracts with CREATE2, and the salt that it is given.
///
/// The factory's calldata is the salt followed by the init code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Create2Factory {
    /// The address of the factory. Default: the deterministic deployment proxy
    /// ([`DEPLOYMENT_PROXY`]).
    #[serde(rename = "factory")]
    pub address: Address,
    /// The salt. Default: 0.
    pub salt: B256,
}

impl Default for Create2Factory {
    fn default() -> Self {
        Self { address: DEPLOYMENT_PROXY, salt: B256::ZERO }
    }
}

impl Create2Factory {
    /// The creation of a contract from `init_code` by this factory.
    pub fn create2(&self, init_code: &[u8]) -> Create2 {
        Create2::new(self.address, self.salt, init_code)
    }

    /// The factory's calldata for `init_code`.
    pub(crate) fn calldata(&self, init_code: &[u8]) -> Bytes {
        [self.salt.as_slice(), init_code].concat().into()
    }

    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Makes sure that the factory has code. Creates the deployment proxy where the chain lacks it.
    ///
    /// # Errors
    ///
    /// If any other factory has no code, or the deployment proxy can't be created.
    pub(super) async fn ensure_code(
        &self,
        sender: &mut Sender,
        wait: &mut impl Wait,
    ) -> Result<(), DeployError> {
        if self.address == DEPLOYMENT_PROXY {
            return ensure_proxy(sender, wait).await;
        }
        let client = sender.client();
        client.expect_code(client.head().await?.id(), "the factory", self.address).await?;
        Ok(())
    }
}
