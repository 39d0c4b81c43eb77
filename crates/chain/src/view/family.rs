//! Sets of related families: contracts that answer some views of a set, and not all of them.

use crate::{client::Client, error::Error};
use alloy_eips::BlockId;
use alloy_primitives::Address;
use alloy_sol_types::{SolCall, sol};
use canon_abi::{Governance, Proposals, Registry};
use core::fmt;

sol! {
    interface ILaterRegistry {
        function getCanonicalRollup() external view returns (address);
        function numberOfVersions() external view returns (uint256);
    }
}

/// A family of contracts with the same roles as those of a set, but with other views.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RelatedFamily {
    /// The contracts of Aztec's version 0.67. They have the functions that this family keeps, and none of those that it
    /// adds.
    Aztec067,
    /// The contracts of Aztec since version 0.87, whose Registry has `getCanonicalRollup()`.
    Aztec087,
}

impl fmt::Display for RelatedFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aztec067 => "Aztec's contracts of version 0.67",
            Self::Aztec087 => "Aztec's contracts of version 0.87 or later",
        })
    }
}

impl Client {
    /// The family of the set whose Registry is at `registry`, if it is a related one and not this one.
    pub(super) async fn related_family(
        &self,
        at: BlockId,
        registry: Address,
    ) -> Option<RelatedFamily> {
        let later = ILaterRegistry::getCanonicalRollupCall {};
        if let Ok(rollup) = self.read(at, registry, later).await {
            // A contract that answers every call with anything names no contract.
            self.code(at, rollup).await.ok().flatten()?;
            let versions = self.read(at, registry, ILaterRegistry::numberOfVersionsCall {}).await;
            return versions.is_ok().then_some(RelatedFamily::Aztec087);
        }
        self.read(at, registry, Registry::getRollupCall {}).await.ok()?;
        let governance = self.read(at, registry, Registry::getGovernanceCall {}).await.ok()?;
        self.read(at, governance, Governance::getConfigurationCall {}).await.ok()?;
        let proposer = self.read(at, governance, Governance::governanceProposerCall {});
        let proposer = proposer.await.ok()?;
        self.read(at, proposer, Proposals::NCall {}).await.ok()?;
        self.read(at, proposer, Proposals::MCall {}).await.ok()?;
        let lacks_it = self.lacks(at, governance, Governance::numberOfConfigurationsCall {}).await;
        lacks_it.then_some(RelatedFamily::Aztec067)
    }

    /// Whether a contract doesn't have a view. `false` if the endpoint doesn't answer.
    async fn lacks(&self, at: BlockId, contract: Address, call: impl SolCall) -> bool {
        self.read(at, contract, call).await.is_err_and(|error: Error| error.is_of_the_contracts())
    }
}
