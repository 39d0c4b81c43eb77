//! Checks of contracts that somebody else deployed.
//!
//! The runtime code proves nothing, because other init code can write any storage and return the same
//! runtime code. So the init code of each contract is rebuilt from its artifact and the arguments in its
//! constructor's events. A contract is genuine only if it is at the CREATE2 address of this init code.
//! Forged events result in another address.
//!
//! A constructor doesn't show later changes. So the present owners and the supply are read too.

use super::{
    construction::Construction,
    constructor::ConstructorEvents,
    origin::Create2Origin,
    plan::ContractPlan,
    registry_history::{Handover, Listing, RegistryHistory},
    verdict::{ExamineError, FormerRollup, GenuineSet, NotGenuine},
};
use crate::{Client, error::Result};
use alloy_primitives::{Address, U256};
use canon_abi::{
    Asset, Contract, Governance, Issuer, Proposals, Registry, RewardDistributor, Rollup,
};
use canon_protocol::{BlockNumber, RawRollupParameters};
use canon_views::BlockView;
use std::collections::BTreeSet;

/// Checks contracts in the state after one block.
#[derive(Clone, Debug)]
pub struct SetExaminer<'a> {
    pub(super) client: &'a Client,
    pub(super) origin: Create2Origin,
    pub(super) other_origins: Vec<Create2Origin>,
    pub(super) first_block: BlockNumber,
    pub(super) head: BlockView,
}

/// A constructor with arguments that must be contracts of the set.
trait Governed: ConstructorEvents {
    fn wiring(&self) -> Wiring;
}

/// The contracts in a constructor's arguments.
struct Wiring {
    asset: Address,
    registry: Option<Address>,
    owner: Address,
}

impl Governed for Issuer::constructorCall {
    fn wiring(&self) -> Wiring {
        Wiring { asset: self.asset, registry: None, owner: self.initialOwner }
    }
}

impl Governed for RewardDistributor::constructorCall {
    fn wiring(&self) -> Wiring {
        Wiring { asset: self.asset, registry: Some(self.registry_), owner: self.initialOwner }
    }
}

impl Governed for Rollup::constructorCall {
    fn wiring(&self) -> Wiring {
        let Rollup::RollupParameters { asset, registry, owner, .. } = self.parameters;
        Wiring { asset, registry: Some(registry), owner }
    }
}

impl<'a> SetExaminer<'a> {
    /// An examiner of contracts with this origin. The source of their addresses need not be trusted.
    ///
    /// It reads events from `first_block` to `head`. None of the contracts may be older than `first_block`.
    /// Use [`DeployRecord::first_block`](super::DeployRecord::first_block) for a set, or the block of the
    /// Asset's creation, which explorers show.
    pub const fn new(
        client: &'a Client,
        origin: Create2Origin,
        first_block: BlockNumber,
        head: BlockView,
    ) -> Self {
        Self { client, origin, other_origins: Vec::new(), first_block, head }
    }

    /// Also accepts contracts with this origin.
    #[must_use]
    pub fn with_origin(mut self, origin: Create2Origin) -> Self {
        self.other_origins.push(origin);
        self
    }

    /// Finds the set of a Registry, and checks that every contract in office is genuine and belongs to
    /// the present Governance, and that the deployer did nothing else with the set.
    ///
    /// # Errors
    ///
    /// [`ExamineError::NotGenuine`] for the first contract that isn't as expected; otherwise if the chain
    /// can't be read, or the endpoint's logs don't fit its state.
    pub async fn set(&self, registry: Address) -> Result<GenuineSet, ExamineError> {
        let mut problems = Vec::new();
        let set = self.set_with_problems(registry, &mut problems).await;
        problems.into_iter().next().map_or(set, |problem| Err(problem.into()))
    }

    /// As [`Self::set`], but adds each contract that isn't as expected to `problems` and goes on with those that can be
    /// examined without it. Unless there are none, the set isn't genuine.
    ///
    /// # Errors
    ///
    /// [`ExamineError::NotGenuine`] if nothing else can be examined without a contract; otherwise as [`Self::set`].
    /// The problems found before stay among the problems.
    pub(crate) async fn set_with_problems(
        &self,
        registry: Address,
        problems: &mut Vec<NotGenuine>,
    ) -> Result<GenuineSet, ExamineError> {
        let RegistryHistory { deployer, governances, canonical, former_rollups } =
            self.registry(registry).await?;
        let asset = self.governed_asset(&governances.present).await?;
        for former in &governances.former {
            let found = noted(self.governed_asset(former).await, problems)?;
            let address = former.new_owner;
            let check = |found| {
                let source = AddressSource::Constructor;
                check_address(source, Contract::Governance, address, "asset", asset, found)
            };
            problems.extend(found.and_then(|found| check(found).err()));
        }
        let governance = governances.present.new_owner;
        let initial_supply = noted(self.asset(asset, deployer).await, problems)?;
        let at = self.head.hash.into();
        let issuer = self.client.read(at, asset, Asset::ownerCall {}).await?;
        let is_handed_over = issuer != deployer;
        if !is_handed_over {
            let (contract, address) = (Contract::Asset, asset);
            problems.push(NotGenuine::NotHandedOver { contract, address, deployer });
        }
        let in_force = Governance::governanceProposerCall {};
        let mut set = GenuineSet {
            registry,
            deployer,
            asset,
            issuer,
            governance,
            former_governances: governances.former.iter().map(|former| former.new_owner).collect(),
            proposals: self.client.read(at, governance, in_force).await?,
            expect: self.expect().await?,
            rollup: canonical.rollup,
            former_rollups: Vec::new(),
        };
        noted(self.proposals(&set).await, problems)?;
        if is_handed_over {
            noted(self.issuer(&set, initial_supply).await, problems)?;
        }

        let found = noted(self.rollup_of_any(&set, canonical).await, problems)?;
        noted(self.check_owner(&set, Contract::Rollup, canonical.rollup).await, problems)?;
        let mut genuine = BTreeSet::new();
        if let Some(found) = found {
            let distributor = found.arguments.parameters.rewardDistributor;
            let checked = self.distributor(&set, distributor, found.block).await;
            genuine.extend(noted(checked, problems)?.map(|()| distributor));
        }
        for listing in former_rollups {
            let verdict = match self.former_rollup(&set, listing, &mut genuine).await {
                Ok(()) => Ok(()),
                Err(ExamineError::NotGenuine(reason)) => Err(reason),
                Err(error) => return Err(error),
            };
            set.former_rollups.push(FormerRollup { address: listing.rollup, verdict });
        }
        Ok(set)
    }

    /// Checks that a new rollup is genuine, and that it was constructed for the set's present Governance
    /// and belongs to it. It need not be in the Registry: the new rollup of a payload can be examined
    /// before the vote. Its RewardDistributor may be one that a former Governance handed over.
    ///
    /// # Errors
    ///
    /// [`ExamineError::NotGenuine`] if it isn't; otherwise if the chain can't be read.
    pub async fn rollup(
        &self,
        set: &GenuineSet,
        rollup: Address,
    ) -> Result<RawRollupParameters, ExamineError> {
        type Constructor = Rollup::constructorCall;
        let found = self.governed::<Constructor>(set, &[], rollup, self.head.number).await?;
        self.check_owner(set, Contract::Rollup, rollup).await?;
        let parameters = found.arguments.parameters;
        self.distributor(set, parameters.rewardDistributor, found.block).await?;
        Ok(parameters.into())
    }

    /// Checks that a RewardDistributor is genuine, was constructed for any Governance of the set, belongs to
    /// the present one and uses the set's Registry. No rollup need use it.
    ///
    /// # Errors
    ///
    /// [`ExamineError::NotGenuine`] if it isn't; otherwise if the chain can't be read.
    pub async fn reward_distributor(
        &self,
        set: &GenuineSet,
        distributor: Address,
    ) -> Result<(), ExamineError> {
        self.distributor(set, distributor, self.head.number).await
    }

    /// Checks that a contract is at the address that follows from the arguments in its constructor's
    /// events, and returns these arguments.
    ///
    /// # Errors
    ///
    /// [`ExamineError::NotGenuine`] if it isn't; otherwise if the chain can't be read.
    pub async fn contract<C: ConstructorEvents>(
        &self,
        address: Address,
    ) -> Result<C, ExamineError> {
        Ok(self.construction(address, self.head.number).await?.arguments)
    }

    /// Checks a Governance to which a Registry was handed over, and returns its Asset.
    async fn governed_asset(&self, handover: &Handover) -> Result<Address, ExamineError> {
        let (governance, block) = (handover.new_owner, handover.position.block);
        let found = self.construction::<Governance::constructorCall>(governance, block).await?;
        Ok(found.arguments.asset)
    }

    /// Checks the Asset, and returns its initial supply.
    async fn asset(&self, asset: Address, deployer: Address) -> Result<U256, ExamineError> {
        let contract = Contract::Asset;
        let arguments = self.contract::<Asset::constructorCall>(asset).await?;
        check_address(
            AddressSource::Constructor,
            contract,
            asset,
            "owner",
            deployer,
            arguments.initialOwner,
        )?;
        Ok(arguments.initialSupply)
    }

    /// Checks the Issuer, and that nobody else minted.
    ///
    /// Only the owner of the Asset can mint, and an Issuer can't transfer its ownership. So every mint that
    /// is neither by the constructor nor by the Issuer is by an earlier owner.
    async fn issuer(
        &self,
        set: &GenuineSet,
        initial_supply: Option<U256>,
    ) -> Result<(), ExamineError> {
        type Constructor = Issuer::constructorCall;
        let former = &set.former_governances;
        let found = self.governed::<Constructor>(set, former, set.issuer, self.head.number).await?;
        self.check_owner(set, Contract::Issuer, set.issuer).await?;
        // It isn't known if the Asset isn't genuine.
        let Some(initial_supply) = initial_supply else { return Ok(()) };
        let blocks = found.block..=self.head.number;
        let mints = self.client.events::<Issuer::Minted>(set.issuer, blocks).await?;
        let amounts = mints.iter().map(|(_, minted)| minted.amount);
        let expected = amounts.fold(initial_supply, U256::saturating_add);
        let supply = Asset::totalSupplyCall {};
        let found = self.client.read(self.head.hash.into(), set.asset, supply).await?;
        if found != expected {
            return Err(NotGenuine::Supply { address: set.asset, expected, found }.into());
        }
        Ok(())
    }

    /// Checks the Proposals contract in force.
    async fn proposals(
        &self,
        &GenuineSet { proposals, registry, .. }: &GenuineSet,
    ) -> Result<(), ExamineError> {
        let found = self.contract::<Proposals::constructorCall>(proposals).await?.registry;
        check_address(
            AddressSource::Constructor,
            Contract::Proposals,
            proposals,
            "registry",
            registry,
            found,
        )?;
        Ok(())
    }

    /// The address of Expect, which takes no arguments; `None` if it isn't deployed.
    async fn expect(&self) -> Result<Option<Address>> {
        for origin in self.origins() {
            let expect = ContractPlan::expect(*origin).address();
            if self.client.code(self.head.hash.into(), expect).await?.is_some() {
                return Ok(Some(expect));
            }
        }
        Ok(None)
    }

    /// Checks a listed rollup, constructed for any Governance of the set.
    async fn rollup_of_any(
        &self,
        set: &GenuineSet,
        Listing { position, rollup }: Listing,
    ) -> Result<Construction<Rollup::constructorCall>, ExamineError> {
        self.governed(set, &set.former_governances, rollup, position.block).await
    }

    /// Checks the RewardDistributor, constructed for any Governance of the set, of a rollup that was
    /// created in a block. It may be newer than the rollup, because the rollup's constructor doesn't call
    /// it.
    async fn distributor_of_any(
        &self,
        set: &GenuineSet,
        distributor: Address,
        rollup_created: BlockNumber,
    ) -> Result<(), ExamineError> {
        type Constructor = RewardDistributor::constructorCall;
        let former = &set.former_governances;
        self.governed::<Constructor>(set, former, distributor, rollup_created).await?;
        Ok(())
    }

    /// Checks a former rollup and its RewardDistributor, unless the RewardDistributor is already known to
    /// be genuine.
    async fn former_rollup(
        &self,
        set: &GenuineSet,
        listing: Listing,
        genuine_distributors: &mut BTreeSet<Address>,
    ) -> Result<(), ExamineError> {
        let found = self.rollup_of_any(set, listing).await?;
        let distributor = found.arguments.parameters.rewardDistributor;
        if !genuine_distributors.contains(&distributor) {
            self.distributor_of_any(set, distributor, found.block).await?;
            genuine_distributors.insert(distributor);
        }
        Ok(())
    }

    /// Checks a RewardDistributor as [`Self::distributor_of_any`] does, that it belongs to the present
    /// Governance, and still uses the set's Registry.
    async fn distributor(
        &self,
        set: &GenuineSet,
        distributor: Address,
        near: BlockNumber,
    ) -> Result<(), ExamineError> {
        self.distributor_of_any(set, distributor, near).await?;
        let contract = Contract::RewardDistributor;
        self.check_owner(set, contract, distributor).await?;
        let registry = RewardDistributor::registryCall {};
        let found = self.client.read(self.head.hash.into(), distributor, registry).await?;
        check_address(
            AddressSource::State,
            contract,
            distributor,
            "Registry",
            set.registry,
            found,
        )?;
        Ok(())
    }

    /// Checks that a genuine contract belongs to the present Governance.
    async fn check_owner(
        &self,
        set: &GenuineSet,
        contract: Contract,
        address: Address,
    ) -> Result<(), ExamineError> {
        // All owned contracts have OpenZeppelin's getter.
        let owner = Registry::ownerCall {};
        let found = self.client.read(self.head.hash.into(), address, owner).await?;
        check_address(AddressSource::State, contract, address, "owner", set.governance, found)?;
        Ok(())
    }

    /// Checks that a contract is genuine, and was constructed for a set, with the present Governance or one
    /// of the given former ones as owner.
    async fn governed<C: Governed>(
        &self,
        set: &GenuineSet,
        former_governances: &[Address],
        address: Address,
        near: BlockNumber,
    ) -> Result<Construction<C>, ExamineError> {
        let found = self.construction::<C>(address, near).await?;
        let Wiring { asset, registry, owner } = found.arguments.wiring();
        check_address(AddressSource::Constructor, C::CONTRACT, address, "asset", set.asset, asset)?;
        if let Some(registry) = registry {
            check_address(
                AddressSource::Constructor,
                C::CONTRACT,
                address,
                "registry",
                set.registry,
                registry,
            )?;
        }
        if !former_governances.contains(&owner) {
            check_address(
                AddressSource::Constructor,
                C::CONTRACT,
                address,
                "owner",
                set.governance,
                owner,
            )?;
        }
        Ok(found)
    }
}

/// The result of a check; `None` if it found a problem, which is added to `problems`.
fn noted<T>(
    checked: Result<T, ExamineError>,
    problems: &mut Vec<NotGenuine>,
) -> Result<Option<T>, ExamineError> {
    match checked {
        Ok(found) => Ok(Some(found)),
        Err(ExamineError::NotGenuine(problem)) => {
            problems.push(problem);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The source of an address in a contract.
#[derive(Clone, Copy)]
enum AddressSource {
    /// An argument of its constructor.
    Constructor,
    /// The state of the contract, which a proposal can change.
    State,
}

/// Checks an address that a contract must have to be part of a set.
fn check_address(
    source: AddressSource,
    contract: Contract,
    address: Address,
    what: &'static str,
    expected: Address,
    found: Address,
) -> Result<(), NotGenuine> {
    if expected == found {
        return Ok(());
    }
    Err(match source {
        AddressSource::Constructor => {
            NotGenuine::Wiring { contract, address, what, expected, found }
        }
        AddressSource::State => NotGenuine::Changed { contract, address, what, expected, found },
    })
}
