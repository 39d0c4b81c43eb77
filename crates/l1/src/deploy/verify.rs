//! Postconditions: what must hold on chain after each step, and at the end.
//!
//! An address proves constructor and arguments; what can change afterwards is asked.

use super::{
    error::DeployError,
    plan::{Creation, SetPlan},
    record::DeployRecord,
    step::Step,
};
use crate::{Client, error::Error};
use alloy::{
    eips::BlockId,
    primitives::{Address, U256},
    sol_types::SolCall,
};
use canon_bindings::{Contract, Proposals, Registry};
use core::fmt::Debug;

/// Asks one contract at one block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verifier<'a> {
    pub(crate) client: &'a Client,
    pub(crate) at: BlockId,
    pub(crate) contract: Contract,
    pub(crate) address: Address,
}

/// The owner of a contract, and the account that it is offered to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ownership {
    owner: Address,
    pending: Address,
}

impl Ownership {
    const fn settled(owner: Address) -> Self {
        Self { owner, pending: Address::ZERO }
    }
}

impl<'a> Verifier<'a> {
    pub(crate) const fn of(creation: &Creation, client: &'a Client, at: BlockId) -> Self {
        Self { client, at, contract: creation.contract(), address: creation.address() }
    }

    /// There is code, and it is the artifact's.
    pub(crate) async fn code(&self) -> Result<(), DeployError> {
        let (contract, address) = (self.contract, self.address);
        let code = self.client.code(self.at, address).await?.unwrap_or_default();
        let checked = contract.artifact().check_code(&code);
        checked.map_err(|source| DeployError::Code { contract, address, source })
    }

    pub(crate) async fn answers<C>(&self, call: C, expected: C::Return) -> Result<(), DeployError>
    where
        C: SolCall,
        C::Return: PartialEq + Debug,
    {
        let found = self.client.read(self.at, self.address, call).await?;
        self.compare(C::SIGNATURE, &expected, &found)
    }

    fn compare<T: PartialEq + Debug>(
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
    async fn ownership(&self) -> Result<Ownership, DeployError> {
        let owner = self.client.read(self.at, self.address, Registry::ownerCall {}).await?;
        let pending =
            self.client.read(self.at, self.address, Registry::pendingOwnerCall {}).await?;
        Ok(Ownership { owner, pending })
    }

    /// The ownership is one of these.
    async fn owned(&self, allowed: &[Ownership]) -> Result<(), DeployError> {
        let found = self.ownership().await?;
        match allowed {
            _ if allowed.contains(&found) => Ok(()),
            [] => Ok(()),
            [expected, ..] => {
                self.compare("owner()", &expected.owner, &found.owner)?;
                self.compare("pendingOwner()", &expected.pending, &found.pending)
            }
        }
    }

    /// It is owned by `owner`, and offered to nobody.
    pub(crate) async fn owned_by(&self, owner: Address) -> Result<(), DeployError> {
        self.owned(&[Ownership::settled(owner)]).await
    }
}

/// A deployment on its way: what it creates, and how far it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing<'a> {
    pub(crate) plan: &'a SetPlan,
    pub(crate) record: &'a DeployRecord,
    pub(crate) client: &'a Client,
    pub(crate) at: BlockId,
}

impl Standing<'_> {
    /// What the ownership of a contract may be once `last` is done. Asset and Registry change hands
    /// during the deployment, and anyone may accept what was offered, so that the chain can be ahead of
    /// the record.
    fn ownerships(&self, created: Step, last: Step) -> Vec<Ownership> {
        let (offer, accept, heir) = match created {
            Step::Asset => (Step::OfferAsset, Step::AcceptAsset, &self.plan.issuer),
            Step::Registry => (Step::OfferRegistry, Step::AcceptRegistry, &self.plan.governance),
            _ => return vec![Ownership::settled(self.plan.governance.address())],
        };
        let (deployer, heir) = (self.plan.deployer, heir.address());
        let kept = Ownership::settled(deployer);
        let offered = Ownership { owner: deployer, pending: heir };
        let accepted = Ownership::settled(heir);
        let is_done = |step| step == last || self.record.is_done(step);
        if is_done(accept) {
            vec![accepted]
        } else if is_done(offer) {
            vec![offered, accepted]
        } else {
            vec![kept, offered, accepted]
        }
    }

    /// Checks the postcondition of a step, as if it were done.
    pub(crate) async fn verify(&self, step: Step) -> Result<(), DeployError> {
        let Self { plan, client, at, .. } = *self;
        if let Some(creation) = plan.creation(step) {
            let it = Verifier::of(creation, client, at);
            it.code().await?;
            return match step {
                Step::Proposals | Step::Governance | Step::Expect => Ok(()),
                _ => it.owned(&self.ownerships(step, step)).await,
            };
        }
        let registry = Verifier::of(&plan.registry, client, at);
        match step {
            Step::OfferAsset | Step::AcceptAsset => {
                let asset = Verifier::of(&plan.asset, client, at);
                asset.owned(&self.ownerships(Step::Asset, step)).await
            }
            Step::OfferRegistry => registry.owned(&self.ownerships(Step::Registry, step)).await,
            Step::AcceptRegistry => {
                registry.owned(&self.ownerships(Step::Registry, step)).await?;
                let governance = plan.governance.address();
                let proposals = Verifier::of(&plan.proposals, client, at);
                proposals.answers(Proposals::getGovernanceCall {}, governance).await
            }
            // The only other step that creates nothing.
            _ => {
                let first = Registry::getVersionForCall { rollup: plan.rollup.address() };
                registry.answers(first, U256::ONE).await
            }
        }
    }

    /// Whether the chain has what a step brings about, whoever did it.
    pub(crate) async fn is_done(&self, step: Step) -> Result<bool, DeployError> {
        if let Some(creation) = self.plan.creation(step) {
            return Ok(self.client.code(self.at, creation.address()).await?.is_some());
        }
        match self.verify(step).await {
            Ok(()) => Ok(true),
            // A rollup that isn't in the Registry has no version.
            Err(DeployError::Postcondition { .. } | DeployError::Chain(Error::Refused { .. })) => {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Nothing is left with the deployer: owner and heir of every owned contract.
    pub(crate) async fn verify_handover(&self) -> Result<(), DeployError> {
        for step in
            [Step::Asset, Step::Registry, Step::Issuer, Step::RewardDistributor, Step::Rollup]
        {
            if let Some(creation) = self.plan.creation(step) {
                let it = Verifier::of(creation, self.client, self.at);
                it.owned(&self.ownerships(step, step)).await?;
            }
        }
        Ok(())
    }
}
