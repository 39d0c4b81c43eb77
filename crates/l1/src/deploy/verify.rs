//! Postconditions: what must hold on chain after each step, and at the end.

use super::{
    error::DeployError,
    step::{Step, Wiring},
};
use crate::{Client, read::RollupRules};
use alloy::{
    eips::BlockId,
    primitives::{Address, Bytes, U256, keccak256},
    sol_types::SolCall,
};
use canon_bindings::{
    Asset, Contract, Governance, Issuer, Proposals, Registry, RewardDistributor, Rollup,
    UpgradePayload,
};
use canon_protocol::{LIFETIME_IN_ROUNDS, RollupParameters, SENTINEL};
use core::fmt::Debug;

/// Asks one contract at one block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verifier<'a> {
    pub(crate) client: &'a Client,
    pub(crate) at: BlockId,
    pub(crate) contract: Contract,
    pub(crate) address: Address,
}

/// Who should own a contract, and whom it should be offered to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ownership {
    pub(crate) owner: Address,
    pub(crate) pending: Address,
}

impl Ownership {
    pub(crate) const fn settled(owner: Address) -> Self {
        Self { owner, pending: Address::ZERO }
    }
}

impl Verifier<'_> {
    /// The code is the artifact's, whatever its immutables hold: those are asked by getters.
    pub(crate) async fn code(&self) -> Result<Bytes, DeployError> {
        let (contract, address) = (self.contract, self.address);
        let code = self.client.code(self.at, address).await?.unwrap_or_default();
        match contract.artifact().check_code(&code) {
            Ok(()) => Ok(code),
            Err(source) => Err(DeployError::Code { contract, address, source }),
        }
    }

    pub(crate) async fn answers<C>(&self, call: C, expected: C::Return) -> Result<(), DeployError>
    where
        C: SolCall,
        C::Return: PartialEq + Debug,
    {
        let found = self.client.read(self.at, self.address, call).await?;
        self.compare(C::SIGNATURE, &expected, &found)
    }

    pub(crate) fn compare<T: PartialEq + Debug>(
        &self,
        what: &'static str,
        expected: &T,
        found: &T,
    ) -> Result<(), DeployError> {
        if expected == found {
            return Ok(());
        }
        Err(DeployError::Postcondition {
            contract: self.contract,
            address: self.address,
            what,
            expected: format!("{expected:?}"),
            found: format!("{found:?}"),
        })
    }

    /// All owned contracts share OpenZeppelin's two getters.
    pub(crate) async fn owned(&self, ownership: Ownership) -> Result<(), DeployError> {
        self.answers(Registry::ownerCall {}, ownership.owner).await?;
        self.answers(Registry::pendingOwnerCall {}, ownership.pending).await
    }

    pub(crate) async fn rollup(&self, expected: &RollupParameters) -> Result<(), DeployError> {
        self.code().await?;
        self.answers(Rollup::ASSETCall {}, expected.asset).await?;
        self.answers(Rollup::REGISTRYCall {}, expected.registry).await?;
        self.answers(Rollup::REWARD_DISTRIBUTORCall {}, expected.reward_distributor).await?;
        let rules = RollupRules {
            clock: expected.clock,
            minimum_stake: expected.minimum_stake,
            exit_delay: expected.exit_delay,
        };
        let found = self.client.rollup_rules(self.at, self.address).await?;
        self.compare("its rules", &rules, &found)?;
        self.owned(Ownership::settled(expected.owner)).await
    }

    pub(crate) async fn payload(
        &self,
        arguments: &UpgradePayload::constructorCall,
    ) -> Result<(), DeployError> {
        self.code().await?;
        let new_code = self.client.code(self.at, arguments.newRollup).await?.unwrap_or_default();
        let owner = self.client.read(self.at, arguments.registry, Registry::ownerCall {}).await?;
        self.answers(UpgradePayload::EXPECTCall {}, arguments.expect).await?;
        self.answers(UpgradePayload::REGISTRYCall {}, arguments.registry).await?;
        self.answers(UpgradePayload::NEW_ROLLUPCall {}, arguments.newRollup).await?;
        self.answers(UpgradePayload::EXPECTED_CANONICALCall {}, arguments.expectedCanonical)
            .await?;
        self.answers(UpgradePayload::NEW_ROLLUP_CODE_HASHCall {}, keccak256(&new_code)).await?;
        self.answers(UpgradePayload::OWNERCall {}, owner).await?;
        self.answers(UpgradePayload::getURICall {}, arguments.uri.clone()).await?;
        let actions =
            self.client.read(self.at, self.address, UpgradePayload::getActionsCall {}).await?;
        let upgrade = Registry::upgradeCall { rollup: arguments.newRollup }.abi_encode();
        let last = actions.last().map(|action| (action.target, action.data.to_vec()));
        self.compare("its last action", &Some((arguments.registry, upgrade)), &last)
    }
}

impl Wiring<'_> {
    /// Who should own what an earlier step created, as far as the deployment has come.
    fn ownership(&self, created: Step) -> Result<Ownership, DeployError> {
        let (offer, accept, heir) = match created {
            Step::Asset => (Step::OfferAsset, Step::AcceptAsset, Step::Issuer),
            Step::Registry => (Step::OfferRegistry, Step::AcceptRegistry, Step::Governance),
            _ => return Ok(Ownership::settled(self.of(Step::Governance)?)),
        };
        let owner = self.record.deployer;
        Ok(if self.record.is_done(accept) {
            Ownership::settled(self.of(heir)?)
        } else if self.record.is_done(offer) {
            Ownership { owner, pending: self.of(heir)? }
        } else {
            Ownership::settled(owner)
        })
    }

    /// Checks the postcondition of a step that is done.
    pub(crate) async fn verify(
        &self,
        client: &Client,
        at: BlockId,
        step: Step,
    ) -> Result<(), DeployError> {
        let raw = self.parameters.raw();
        let on = |contract, created| -> Result<Verifier<'_>, DeployError> {
            Ok(Verifier { client, at, contract, address: self.of(created)? })
        };
        match step {
            Step::Asset => {
                let it = on(Contract::Asset, step)?;
                it.code().await?;
                it.answers(Asset::nameCall {}, raw.asset.name.clone()).await?;
                it.answers(Asset::symbolCall {}, raw.asset.symbol.clone()).await?;
                it.answers(Asset::decimalsCall {}, 18).await?;
                let supply = raw.asset.initial_supply.to_word();
                if !self.record.is_done(Step::AcceptAsset) {
                    it.answers(Asset::totalSupplyCall {}, supply).await?;
                }
                if !self.record.is_done(Step::Registry) {
                    let account = self.initial_holder();
                    it.answers(Asset::balanceOfCall::new((account,)), supply).await?;
                }
                it.owned(self.ownership(step)?).await
            }
            Step::Registry => {
                let it = on(Contract::Registry, step)?;
                it.code().await?;
                if !self.record.is_done(Step::Upgrade) {
                    it.answers(Registry::getRollupCall {}, SENTINEL).await?;
                    it.answers(Registry::numberOfVersionsCall {}, U256::ONE).await?;
                }
                it.owned(self.ownership(step)?).await
            }
            Step::Proposals => {
                let it = on(Contract::Proposals, step)?;
                it.code().await?;
                it.answers(Proposals::REGISTRYCall {}, self.of(Step::Registry)?).await?;
                let rules = client.round_rules(at, it.address).await?;
                it.compare("N of M", &self.parameters.rounds(), &rules)?;
                let lifetime = U256::from(LIFETIME_IN_ROUNDS);
                it.answers(Proposals::LIFETIME_IN_ROUNDSCall {}, lifetime).await
            }
            Step::Governance => {
                let it = on(Contract::Governance, step)?;
                it.code().await?;
                it.answers(Governance::ASSETCall {}, self.of(Step::Asset)?).await?;
                let first = Governance::configurationAtCall { id: U256::ZERO };
                it.answers(first, self.parameters.configuration().into()).await?;
                if self.record.is_done(Step::AcceptRegistry) {
                    // From now on proposals may replace it.
                    return Ok(());
                }
                let proposals = self.of(Step::Proposals)?;
                it.answers(Governance::governanceProposerCall {}, proposals).await
            }
            Step::Issuer => {
                let it = on(Contract::Issuer, step)?;
                it.code().await?;
                it.answers(Issuer::ASSETCall {}, self.of(Step::Asset)?).await?;
                let rate = raw.asset.issued_per_second.to_word();
                it.answers(Issuer::RATECall {}, rate).await?;
                it.owned(self.ownership(step)?).await
            }
            Step::RewardDistributor => {
                let it = on(Contract::RewardDistributor, step)?;
                it.code().await?;
                it.answers(RewardDistributor::ASSETCall {}, self.of(Step::Asset)?).await?;
                let reward = raw.asset.block_reward.to_word();
                it.answers(RewardDistributor::BLOCK_REWARDCall {}, reward).await?;
                let registry = self.of(Step::Registry)?;
                it.answers(RewardDistributor::registryCall {}, registry).await?;
                it.owned(self.ownership(step)?).await
            }
            Step::Expect => on(Contract::Expect, step)?.code().await.map(drop),
            Step::Rollup => {
                let it = on(Contract::Rollup, step)?;
                let expected = raw.rollup.check(self.rollup_wiring()?, self.genesis()?);
                it.rollup(&expected.map_err(DeployError::Rollup)?).await
            }
            Step::Upgrade => {
                let it = on(Contract::Registry, Step::Registry)?;
                let rollup = self.of(Step::Rollup)?;
                it.answers(Registry::getVersionForCall { rollup }, U256::ONE).await
            }
            Step::OfferAsset | Step::AcceptAsset => {
                on(Contract::Asset, Step::Asset)?.owned(self.ownership(Step::Asset)?).await
            }
            Step::OfferRegistry => {
                on(Contract::Registry, Step::Registry)?.owned(self.ownership(Step::Registry)?).await
            }
            Step::AcceptRegistry => {
                let registry = on(Contract::Registry, Step::Registry)?;
                registry.owned(self.ownership(Step::Registry)?).await?;
                let governance = self.of(Step::Governance)?;
                registry.answers(Registry::getGovernanceCall {}, governance).await?;
                let proposals = on(Contract::Proposals, Step::Proposals)?;
                proposals.answers(Proposals::getGovernanceCall {}, governance).await
            }
        }
    }

    /// Nothing is left with the deployer: of every owned contract, owner and heir.
    pub(crate) async fn verify_handover(
        &self,
        client: &Client,
        at: BlockId,
    ) -> Result<(), DeployError> {
        let owned = [
            (Contract::Asset, Step::Asset),
            (Contract::Registry, Step::Registry),
            (Contract::Issuer, Step::Issuer),
            (Contract::RewardDistributor, Step::RewardDistributor),
            (Contract::Rollup, Step::Rollup),
        ];
        for (contract, step) in owned {
            let it = Verifier { client, at, contract, address: self.of(step)? };
            it.owned(self.ownership(step)?).await?;
        }
        Ok(())
    }
}
