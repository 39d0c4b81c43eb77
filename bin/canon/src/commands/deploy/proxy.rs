//! The creation of the deterministic deployment proxy, which comes first on a chain that lacks it.

use alloy_primitives::{B256, U256};
use canon_chain::{
    Client,
    deploy::{Create2Origin, DEPLOYMENT_PROXY, PROXY_COST, PROXY_CREATOR},
};

use crate::{chain::unreached, exit::Failure};

/// The gas of a payment to an account without code.
const PAYMENT_GAS: u64 = 21_000;

/// The creation of the proxy: the deployer pays the creator what it lacks, and sends its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ProxyCreation {
    /// The wei that the creator lacks.
    pub(super) payment: U256,
}

impl ProxyCreation {
    /// The creation that a deployment begins with; `None` if the chain has the proxy in the block with this hash, or
    /// another factory is used.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub(super) async fn needed(
        client: &Client,
        at: B256,
        origin: &Create2Origin,
    ) -> Result<Option<Self>, Failure> {
        if origin.factory != DEPLOYMENT_PROXY {
            return Ok(None);
        }
        if client.code(at.into(), DEPLOYMENT_PROXY).await.map_err(unreached)?.is_some() {
            return Ok(None);
        }
        let balance = client.balance(PROXY_CREATOR).await.map_err(unreached)?;
        Ok(Some(Self { payment: U256::from(PROXY_COST).saturating_sub(balance) }))
    }

    /// The gas of the payment. The creation itself is paid for by the creator.
    pub(super) fn gas(&self) -> u64 {
        if self.payment == U256::ZERO { 0 } else { PAYMENT_GAS }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_creator_that_lacks_nothing_costs_no_gas() {
        assert_eq!(ProxyCreation { payment: U256::ZERO }.gas(), 0);
        assert_eq!(ProxyCreation { payment: U256::from(1) }.gas(), 21_000);
    }
}
