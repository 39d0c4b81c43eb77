//! Postconditions: the state on chain after each step, and at the end.
//!
//! A CREATE2 address proves a constructor and its arguments, so any code there is genuine. Only the
//! presence of code, and state that can change later, are read.

use super::{
    error::DeployError,
    plan::{ContractPlan, SetPlan},
    step::Step,
};
use crate::{Client, Wait, error::Error, tx::HeadError, wait_until};
use alloy_eips::BlockId;
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use canon_abi::{Contract, Proposals, Registry};
use canon_protocol::BlockNumber;
use canon_views::BlockView;

/// Compares one contract at one block with its expected state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ContractVerifier<'a> {
    client: &'a Client,
    at: BlockId,
    contract: Contract,
    address: Address,
}

/// The owner of a contract and its pending owner, if any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ownership {
    owner: Address,
    pending_owner: Option<Address>,
}

impl Ownership {
    /// The ownership by `owner`, without a pending owner.
    const fn settled(owner: Address) -> Self {
        Self { owner, pending_owner: None }
    }
}

impl<'a> ContractVerifier<'a> {
    pub(crate) const fn of(plan: &ContractPlan, client: &'a Client, at: BlockId) -> Self {
        Self { client, at, contract: plan.contract(), address: plan.address() }
    }

    /// Checks that the contract has code.
    pub(crate) async fn exists(&self) -> Result<(), DeployError> {
        let (contract, address) = (self.contract, self.address);
        match self.client.code(self.at, address).await? {
            Some(_) => Ok(()),
            None => Err(DeployError::NotCreated { contract, address }),
        }
    }

    /// Checks the answer to a call.
    pub(crate) async fn answers<C>(&self, call: C, expected: C::Return) -> Result<(), DeployError>
    where
        C: SolCall,
        C::Return: PartialEq + ToString,
    {
        let found = self.client.read(self.at, self.address, call).await?;
        self.compare(C::SIGNATURE, expected, found)
    }

    fn compare<T: PartialEq + ToString>(
        &self,
        what: &'static str,
        expected: T,
        found: T,
    ) -> Result<(), DeployError> {
        if expected == found {
            return Ok(());
        }
        Err(DeployError::Postcondition {
            contract: self.contract,
            address: self.address,
            what,
            expected: expected.to_string(),
            found: found.to_string(),
        })
    }

    /// The present ownership. All owned contracts have OpenZeppelin's two getters.
    async fn ownership(&self) -> Result<Ownership, DeployError> {
        let Self { client, at, address, .. } = *self;
        let owner = client.read(at, address, Registry::ownerCall {}).await?;
        let pending_owner = client.read(at, address, Registry::pendingOwnerCall {}).await?;
        let pending_owner = Some(pending_owner).filter(|pending| !pending.is_zero());
        Ok(Ownership { owner, pending_owner })
    }

    /// Checks that the ownership is `expected`, or one of `later`.
    async fn owned(&self, expected: Ownership, later: &[Ownership]) -> Result<(), DeployError> {
        let found = self.ownership().await?;
        if later.contains(&found) {
            return Ok(());
        }
        self.compare("owner()", expected.owner, found.owner)?;
        let name = |pending: Option<Address>| {
            pending.map_or_else(|| "nobody".to_owned(), |pending| pending.to_string())
        };
        let (expected, found) = (name(expected.pending_owner), name(found.pending_owner));
        self.compare("pendingOwner()", expected, found)
    }

    /// Checks that `owner` owns the contract, and that there is no pending owner.
    pub(crate) async fn owned_by(&self, owner: Address) -> Result<(), DeployError> {
        self.owned(Ownership::settled(owner), &[]).await
    }
}

/// The newest block, once it isn't older than `seen`. Endpoints with several nodes may answer from one that lags behind,
/// whose state lacks what a receipt has shown.
///
/// # Errors
///
/// [`HeadError::Older`] if `wait` gives up before; otherwise if the endpoint doesn't answer.
pub(super) async fn head_since(
    client: &Client,
    seen: BlockNumber,
    wait: &mut impl Wait,
) -> Result<BlockView, Error> {
    let mut found = BlockNumber::ZERO;
    let head = wait_until(wait, async || {
        let head = client.head().await?;
        found = head.number;
        Ok::<_, Error>((head.number >= seen).then_some(head))
    });
    let head = head.await?;
    head.ok_or_else(|| HeadError::Older { found, seen }.into())
}

/// A set on a chain of which something is known: it is never judged in a block before that.
#[derive(Debug)]
pub(super) struct SetWatch<'a> {
    pub(super) plan: &'a SetPlan,
    pub(super) client: &'a Client,
    /// The newest block whose state, or one of whose receipts, was read.
    seen: BlockNumber,
}

impl<'a> SetWatch<'a> {
    pub(super) const fn new(plan: &'a SetPlan, client: &'a Client, seen: BlockNumber) -> Self {
        Self { plan, client, seen }
    }

    /// Notes the block of a receipt.
    pub(super) fn saw(&mut self, block: BlockNumber) {
        self.seen = self.seen.max(block);
    }

    /// A verifier of the state after the newest block.
    pub(super) async fn verifier(
        &mut self,
        wait: &mut impl Wait,
    ) -> Result<SetVerifier<'a>, DeployError> {
        let head = head_since(self.client, self.seen, wait).await?;
        self.saw(head.number);
        Ok(SetVerifier { plan: self.plan, client: self.client, at: head.hash.into() })
    }
}

/// Compares the deployed part of a set with its plan, at one block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SetVerifier<'a> {
    plan: &'a SetPlan,
    client: &'a Client,
    at: BlockId,
}

impl<'a> SetVerifier<'a> {
    /// A verifier of the state after the newest block.
    pub(crate) async fn at_head(
        plan: &'a SetPlan,
        client: &'a Client,
    ) -> Result<Self, DeployError> {
        Ok(Self { plan, client, at: client.head().await?.hash.into() })
    }

    /// The block whose state is compared.
    pub(super) const fn block(&self) -> BlockId {
        self.at
    }

    const fn contract(&self, plan: &ContractPlan) -> ContractVerifier<'_> {
        ContractVerifier::of(plan, self.client, self.at)
    }

    /// Checks that Governance owns a contract.
    async fn governed(&self, plan: &ContractPlan) -> Result<(), DeployError> {
        self.contract(plan).owned_by(self.plan.governance.address()).await
    }

    /// Checks the ownership of the Asset after the step `last`.
    async fn asset_ownership(&self, last: Step) -> Result<(), DeployError> {
        let SetPlan { asset, issuer, .. } = self.plan;
        self.handed_over(asset, issuer, [Step::OfferAsset, Step::AcceptAsset], last).await
    }

    /// Checks the ownership of the Registry after the step `last`.
    async fn registry_ownership(&self, last: Step) -> Result<(), DeployError> {
        let SetPlan { registry, governance, .. } = self.plan;
        let steps = [Step::OfferRegistry, Step::AcceptRegistry];
        self.handed_over(registry, governance, steps, last).await
    }

    /// Checks that the deployer handed `contract` over to `new_owner` as far as the steps up to `last` do. The
    /// chain may be ahead: anyone may accept what is offered, and later steps may be done.
    async fn handed_over(
        &self,
        contract: &ContractPlan,
        new_owner: &ContractPlan,
        [offer, accept]: [Step; 2],
        last: Step,
    ) -> Result<(), DeployError> {
        let (deployer, new_owner) = (self.plan.deployer, new_owner.address());
        let kept = Ownership::settled(deployer);
        let offered = Ownership { owner: deployer, pending_owner: Some(new_owner) };
        let accepted = Ownership::settled(new_owner);
        let contract = self.contract(contract);
        if accept <= last {
            contract.owned(accepted, &[]).await
        } else if offer <= last {
            contract.owned(offered, &[accepted]).await
        } else {
            contract.owned(kept, &[offered, accepted]).await
        }
    }

    /// Checks that no contract on the chain was handed over to a contract of another set. Sets of one deployer
    /// and one salt share the Registry, and the Asset if its arguments are the same.
    pub(crate) async fn not_of_other_set(&self) -> Result<(), DeployError> {
        let SetPlan { deployer, asset, registry, issuer, governance, .. } = self.plan;
        for (contract, new_owner) in [(asset, issuer), (registry, governance)] {
            let (address, expected) = (contract.address(), new_owner.address());
            if self.client.code(self.at, address).await?.is_none() {
                continue;
            }
            let Ownership { owner, pending_owner } = self.contract(contract).ownership().await?;
            let mut owners = pending_owner.into_iter().chain([owner]);
            if let Some(found) = owners.find(|found| ![*deployer, expected].contains(found)) {
                let contract = contract.contract();
                return Err(DeployError::OtherSet { contract, address, expected, found });
            }
        }
        Ok(())
    }

    /// Checks that Governance doesn't own the Registry without the plan's rollup in it.
    pub(crate) async fn not_without_rollup(&self) -> Result<(), DeployError> {
        let (registry, governance) = (self.plan.registry.address(), self.plan.governance.address());
        if !self.is_done(Step::Registry).await? {
            return Ok(());
        }
        let owner = self.contract(&self.plan.registry).ownership().await?.owner;
        if owner != governance || self.is_done(Step::Upgrade).await? {
            return Ok(());
        }
        let versions = Registry::numberOfVersionsCall {};
        let found = match self.client.read(self.at, registry, versions).await? {
            U256::ONE => None,
            _ => Some(self.client.read(self.at, registry, Registry::getRollupCall {}).await?),
        };
        Err(DeployError::Unfinishable { registry, governance, found })
    }

    /// Checks the postcondition of a step.
    pub(crate) async fn verify(&self, step: Step) -> Result<(), DeployError> {
        let plan = self.plan;
        if let Some(contract) = plan.contract(step) {
            self.contract(contract).exists().await?;
        }
        match step {
            Step::Proposals | Step::Governance | Step::Expect => Ok(()),
            Step::Asset | Step::OfferAsset | Step::AcceptAsset => self.asset_ownership(step).await,
            Step::Registry | Step::OfferRegistry => self.registry_ownership(step).await,
            Step::Issuer => self.governed(&plan.issuer).await,
            Step::RewardDistributor => self.governed(&plan.reward_distributor).await,
            Step::Rollup => self.governed(&plan.rollup).await,
            Step::Upgrade => {
                let version = Registry::getVersionForCall { rollup: plan.rollup.address() };
                self.contract(&plan.registry).answers(version, U256::ONE).await
            }
            Step::AcceptRegistry => {
                self.registry_ownership(step).await?;
                let governance = plan.governance.address();
                let proposals = self.contract(&plan.proposals);
                proposals.answers(Proposals::getGovernanceCall {}, governance).await
            }
        }
    }

    /// Whether the chain has the effect of a step, regardless of who sent the transaction.
    pub(crate) async fn is_done(&self, step: Step) -> Result<bool, DeployError> {
        if let Some(contract) = self.plan.contract(step) {
            return Ok(self.client.code(self.at, contract.address()).await?.is_some());
        }
        match self.verify(step).await {
            Ok(()) => Ok(true),
            // A rollup that isn't in the Registry has no version, and the contract may not exist yet.
            Err(
                DeployError::Postcondition { .. }
                | DeployError::Chain(Error::Refused { .. } | Error::NoCode { .. }),
            ) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Checks that the deployer owns nothing, and that no contract has a pending owner.
    pub(crate) async fn verify_handover(&self) -> Result<(), DeployError> {
        self.asset_ownership(Step::AcceptAsset).await?;
        self.registry_ownership(Step::AcceptRegistry).await?;
        for contract in [&self.plan.issuer, &self.plan.reward_distributor, &self.plan.rollup] {
            self.governed(contract).await?;
        }
        Ok(())
    }
}
