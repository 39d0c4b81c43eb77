//! The steps of a deployment, in the order in which they depend on each other.

use super::plan::SetPlan;
use crate::{ContractCall, calls};
use canon_abi::Contract;
use core::fmt;
use serde::{Deserialize, Serialize};

/// A step of a deployment: the creation of a contract, or a call that wires two of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Creates the Asset, owned by the deployer.
    Asset,
    /// Creates the Registry, owned by the deployer.
    Registry,
    /// Creates Proposals.
    Proposals,
    /// Creates Governance.
    Governance,
    /// Creates the Issuer.
    Issuer,
    /// Creates the RewardDistributor.
    RewardDistributor,
    /// Creates Expect.
    Expect,
    /// Creates the first rollup.
    Rollup,
    /// Makes the first rollup canonical.
    Upgrade,
    /// Offers the Asset to the Issuer.
    OfferAsset,
    /// Offers the Registry to Governance.
    OfferRegistry,
    /// Has the Issuer accept the Asset.
    AcceptAsset,
    /// Has Governance accept the Registry.
    AcceptRegistry,
}

impl Step {
    /// All steps, in order.
    pub const ALL: [Self; 13] = [
        Self::Asset,
        Self::Registry,
        Self::Proposals,
        Self::Governance,
        Self::Issuer,
        Self::RewardDistributor,
        Self::Expect,
        Self::Rollup,
        Self::Upgrade,
        Self::OfferAsset,
        Self::OfferRegistry,
        Self::AcceptAsset,
        Self::AcceptRegistry,
    ];

    /// The contract that the step creates; `None` if it creates none.
    pub const fn creates(self) -> Option<Contract> {
        match self {
            Self::Asset => Some(Contract::Asset),
            Self::Registry => Some(Contract::Registry),
            Self::Proposals => Some(Contract::Proposals),
            Self::Governance => Some(Contract::Governance),
            Self::Issuer => Some(Contract::Issuer),
            Self::RewardDistributor => Some(Contract::RewardDistributor),
            Self::Expect => Some(Contract::Expect),
            Self::Rollup => Some(Contract::Rollup),
            Self::Upgrade
            | Self::OfferAsset
            | Self::OfferRegistry
            | Self::AcceptAsset
            | Self::AcceptRegistry => None,
        }
    }
}

impl Step {
    /// A gas limit that suffices for the step's transaction: what it uses, and about a sixth more. All of them
    /// together fit one transaction (EIP-7825).
    pub const fn most_gas(self) -> u64 {
        match self {
            Self::Asset => 1_550_000,
            Self::Registry => 900_000,
            Self::Proposals => 2_500_000,
            Self::Governance => 4_900_000,
            Self::Issuer => 680_000,
            Self::RewardDistributor => 920_000,
            Self::Expect => 660_000,
            Self::Rollup => 3_800_000,
            Self::Upgrade => 110_000,
            Self::OfferAsset | Self::OfferRegistry => 60_000,
            Self::AcceptAsset | Self::AcceptRegistry => 50_000,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Asset => "create Asset",
            Self::Registry => "create Registry",
            Self::Proposals => "create Proposals",
            Self::Governance => "create Governance",
            Self::Issuer => "create Issuer",
            Self::RewardDistributor => "create RewardDistributor",
            Self::Expect => "create Expect",
            Self::Rollup => "create Rollup",
            Self::Upgrade => "make the rollup canonical",
            Self::OfferAsset => "offer Asset to Issuer",
            Self::OfferRegistry => "offer Registry to Governance",
            Self::AcceptAsset => "Issuer accepts Asset",
            Self::AcceptRegistry => "Governance accepts Registry",
        })
    }
}

impl SetPlan {
    /// The transaction of a step.
    pub fn call(&self, step: Step) -> ContractCall {
        let (asset, registry) = (self.asset.address(), self.registry.address());
        let (issuer, governance) = (self.issuer.address(), self.governance.address());
        match step {
            Step::Asset => self.asset.call(),
            Step::Registry => self.registry.call(),
            Step::Proposals => self.proposals.call(),
            Step::Governance => self.governance.call(),
            Step::Issuer => self.issuer.call(),
            Step::RewardDistributor => self.reward_distributor.call(),
            Step::Expect => self.expect.call(),
            Step::Rollup => self.rollup.call(),
            Step::Upgrade => calls::upgrade(registry, self.rollup.address()),
            Step::OfferAsset => calls::offer_ownership(asset, issuer),
            Step::OfferRegistry => calls::offer_ownership(registry, governance),
            Step::AcceptAsset => calls::issuer_accept(issuer, asset),
            Step::AcceptRegistry => calls::governance_accept(governance, registry),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_eips::eip7825::MAX_TX_GAS_LIMIT_OSAKA;

    /// A multisig signs one batch.
    #[test]
    fn a_whole_set_fits_one_transaction() {
        let gas: u64 = Step::ALL.into_iter().map(Step::most_gas).sum();
        assert!(gas <= MAX_TX_GAS_LIMIT_OSAKA - 300_000, "{gas}");
    }
}
