//! The steps of a deployment, in the order in which they depend on each other.

use super::{
    error::DeployError,
    parameters::{CheckedParameters, RollupWiring},
    record::DeployRecord,
};
use crate::{Call, calls};
use alloy::{
    primitives::{Address, U256},
    sol_types::SolConstructor,
};
use canon_bindings::{
    Asset, Contract, Governance, Issuer, Proposals, Registry, RewardDistributor, Rollup,
};
use canon_protocol::Timestamp;
use core::fmt;
use serde::{Deserialize, Serialize};

/// A step: a contract to be created, or a call that wires two of them.
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
    /// Makes it canonical.
    Upgrade,
    /// Offers the Asset to the Issuer.
    OfferAsset,
    /// Offers the Registry to Governance.
    OfferRegistry,
    /// The Issuer takes the Asset.
    AcceptAsset,
    /// Governance takes the Registry.
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

    /// The contract that the step creates, if it creates one.
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

/// The addresses of the steps that are done, for the steps that need them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wiring<'a> {
    pub(crate) record: &'a DeployRecord,
    pub(crate) parameters: &'a CheckedParameters,
}

impl Wiring<'_> {
    /// The contract that an earlier step created.
    pub(crate) fn of(&self, step: Step) -> Result<Address, DeployError> {
        self.record.address(step).ok_or(DeployError::Unordered { step })
    }

    /// First second of the rollup's slot 0, decided before the rollup's step.
    pub(crate) fn genesis(&self) -> Result<Timestamp, DeployError> {
        self.record.genesis.ok_or(DeployError::Unordered { step: Step::Rollup })
    }

    /// Who holds the initial supply.
    pub(crate) fn initial_holder(&self) -> Address {
        self.parameters.raw().asset.initial_holder.unwrap_or(self.record.deployer)
    }

    /// What the rollup is wired to.
    pub(crate) fn rollup_wiring(&self) -> Result<RollupWiring, DeployError> {
        Ok(RollupWiring {
            asset: self.of(Step::Asset)?,
            registry: self.of(Step::Registry)?,
            reward_distributor: self.of(Step::RewardDistributor)?,
            owner: self.of(Step::Governance)?,
        })
    }

    /// The transaction of a step.
    pub(crate) fn call(&self, step: Step) -> Result<Call, DeployError> {
        let raw = self.parameters.raw();
        Ok(match step {
            Step::Asset => Call::create(
                Contract::Asset,
                // By position: the parameters' names follow Solidity's fashions.
                &Asset::constructorCall::new((
                    raw.asset.name.clone(),
                    raw.asset.symbol.clone(),
                    self.record.deployer,
                    self.initial_holder(),
                    raw.asset.initial_supply.to_word(),
                )),
            ),
            Step::Registry => Call::create(
                Contract::Registry,
                &Registry::constructorCall { initialOwner: self.record.deployer },
            ),
            Step::Proposals => Call::create(
                Contract::Proposals,
                &Proposals::constructorCall {
                    registry: self.of(Step::Registry)?,
                    n: U256::from(raw.signalling.n),
                    m: U256::from(raw.signalling.m),
                },
            ),
            Step::Governance => Call::create(
                Contract::Governance,
                &Governance::constructorCall {
                    asset: self.of(Step::Asset)?,
                    proposals: self.of(Step::Proposals)?,
                    configuration: self.parameters.configuration().into(),
                },
            ),
            Step::Issuer => Call::create(
                Contract::Issuer,
                &Issuer::constructorCall {
                    asset: self.of(Step::Asset)?,
                    rate: raw.asset.issued_per_second.to_word(),
                    initialOwner: self.of(Step::Governance)?,
                },
            ),
            Step::RewardDistributor => Call::create(
                Contract::RewardDistributor,
                &RewardDistributor::constructorCall {
                    asset: self.of(Step::Asset)?,
                    registry_: self.of(Step::Registry)?,
                    blockReward: raw.asset.block_reward.to_word(),
                    initialOwner: self.of(Step::Governance)?,
                },
            ),
            Step::Expect => Call::create_plain(Contract::Expect),
            Step::Rollup => Call::create(
                Contract::Rollup,
                &Rollup::constructorCall {
                    parameters: raw.rollup.raw(self.rollup_wiring()?, self.genesis()?).into(),
                },
            ),
            Step::Upgrade => calls::upgrade(self.of(Step::Registry)?, self.of(Step::Rollup)?),
            Step::OfferAsset => {
                calls::offer_ownership(self.of(Step::Asset)?, self.of(Step::Issuer)?)
            }
            Step::OfferRegistry => {
                calls::offer_ownership(self.of(Step::Registry)?, self.of(Step::Governance)?)
            }
            Step::AcceptAsset => {
                calls::issuer_accept(self.of(Step::Issuer)?, self.of(Step::Asset)?)
            }
            Step::AcceptRegistry => {
                calls::governance_accept(self.of(Step::Governance)?, self.of(Step::Registry)?)
            }
        })
    }

    /// The contract that a step creates at this nonce, or that its call goes to.
    pub(crate) fn address(&self, step: Step, nonce: u64) -> Result<Address, DeployError> {
        Ok(match step {
            Step::Upgrade | Step::OfferRegistry => self.of(Step::Registry)?,
            Step::OfferAsset => self.of(Step::Asset)?,
            Step::AcceptAsset => self.of(Step::Issuer)?,
            Step::AcceptRegistry => self.of(Step::Governance)?,
            _ => self.record.deployer.create(nonce),
        })
    }
}
