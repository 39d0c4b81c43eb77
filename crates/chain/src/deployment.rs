//! The set's addresses, all found from the Registry's.

use crate::{
    client::Client,
    error::{Error, Result},
};
use alloy_eips::BlockId;
use alloy_primitives::Address;
use canon_abi::{Asset, Governance, Proposals, Registry, Rollup};
use serde::{Deserialize, Serialize};

/// The addresses of a deployed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// The list of rollups, from which the other addresses are found.
    pub registry: Address,
    /// The Registry's owner.
    pub governance: Address,
    /// The Proposals contract in force.
    pub proposals: Address,
    /// The token that is locked and staked.
    pub asset: Address,
    /// The Asset's owner.
    pub issuer: Address,
    /// The canonical rollup.
    pub rollup: Address,
    /// The RewardDistributor of the canonical rollup. `None` if the rollup doesn't answer: one of another
    /// make need not, and governance has to stay usable with any rollup.
    pub reward_distributor: Option<Address>,
}

impl Deployment {
    /// Finds the set whose Registry is at `registry`, as it is now.
    ///
    /// # Errors
    ///
    /// Fails closed: if a contract of the set has no code or doesn't answer, or if Proposals
    /// belongs to another Registry.
    pub async fn from_registry(client: &Client, registry: Address) -> Result<Self> {
        Self::at(client, registry, client.head().await?.hash.into()).await
    }

    /// Finds the set whose Registry is at `registry`, as it was at a block.
    ///
    /// # Errors
    ///
    /// As [`Self::from_registry`].
    pub async fn at(client: &Client, registry: Address, at: BlockId) -> Result<Self> {
        client.expect_code(at, "the Registry", registry).await?;
        let rollup = client.read(at, registry, Registry::getRollupCall {}).await?;
        let governance = client.read(at, registry, Registry::getGovernanceCall {}).await?;
        client.expect_code(at, "Governance", governance).await?;
        client.expect_code(at, "the canonical rollup", rollup).await?;
        let proposals = client.read(at, governance, Governance::governanceProposerCall {}).await?;
        let asset = client.read(at, governance, Governance::ASSETCall {}).await?;
        client.expect_code(at, "Proposals", proposals).await?;
        client.expect_code(at, "the Asset", asset).await?;
        let issuer = client.read(at, asset, Asset::ownerCall {}).await?;
        client.expect_code(at, "the Issuer", issuer).await?;
        let found = client.read(at, proposals, Proposals::REGISTRYCall {}).await?;
        same("the Registry of Proposals", registry, found)?;
        let reward_distributor =
            match client.read(at, rollup, Rollup::REWARD_DISTRIBUTORCall {}).await {
                Ok(distributor) => {
                    client.expect_code(at, "the RewardDistributor", distributor).await?;
                    Some(distributor)
                }
                Err(Error::Refused { .. } | Error::BadAnswer { .. }) => None,
                Err(error) => return Err(error),
            };
        Ok(Self { registry, governance, proposals, asset, issuer, rollup, reward_distributor })
    }
}

fn same(what: &'static str, expected: Address, found: Address) -> Result<()> {
    if expected == found { Ok(()) } else { Err(Error::Inconsistent { what, expected, found }) }
}
