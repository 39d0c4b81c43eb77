//! Checks of contracts that somebody else deployed.
//!
//! The runtime code proves nothing, because other init code can write any storage and return the same
//! runtime code. So the init code of each contract is rebuilt from its artifact and the arguments in its
//! constructor's events. A contract is genuine only if it is at the CREATE2 address of this init code.
//! Forged events result in another address.
//!
//! A constructor doesn't show later changes. So the present owners and the supply are read too.

use super::{
    constructor::ConstructorEvents,
    origin::Create2Origin,
    plan::ContractPlan,
    verdict::{ExamineError, FormerRollup, GenuineSet, NotGenuine},
};
use crate::{
    Client,
    error::{Error, Result},
    logs::LogPosition,
};
use alloy_eips::BlockId;
use alloy_primitives::{Address, TxHash, U256};
use alloy_provider::Provider;
use alloy_rpc_types_eth::Filter;
use alloy_transport::RpcError;
use canon_abi::{
    Asset, Contract, Governance, Issuer, Proposals, Registry, RewardDistributor, Rollup,
};
use canon_protocol::{BlockNumber, RawRollupParameters, SENTINEL};
use canon_views::BlockView;
use std::collections::BTreeSet;

/// Checks contracts in the state after one block.
#[derive(Clone, Debug)]
pub struct SetExaminer<'a> {
    pub(super) client: &'a Client,
    pub(super) origin: Create2Origin,
    other_origins: Vec<Create2Origin>,
    first_block: BlockNumber,
    pub(super) head: BlockView,
}

/// The constructor arguments of a contract according to its events, and its creation.
pub(super) struct Construction<C> {
    pub(super) arguments: C,
    block: BlockNumber,
    pub(super) transaction: TxHash,
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

/// A change of a contract's owner.
struct Handover {
    position: LogPosition,
    new_owner: Address,
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
        let History { deployer, governances, canonical, former_rollups } =
            self.registry(registry).await?;
        let asset = self.governed_asset(&governances.present).await?;
        for former in &governances.former {
            let found = self.governed_asset(former).await?;
            check_address(
                AddressSource::Constructor,
                Contract::Governance,
                former.new_owner,
                "asset",
                asset,
                found,
            )?;
        }
        let governance = governances.present.new_owner;
        let (issuer, initial_supply) = self.asset(asset, deployer).await?;
        let mut set = GenuineSet {
            registry,
            deployer,
            asset,
            issuer,
            governance,
            former_governances: governances.former.iter().map(|former| former.new_owner).collect(),
            proposals: self.proposals(governance, registry).await?,
            expect: self.expect().await?,
            rollup: canonical.rollup,
            former_rollups: Vec::new(),
        };
        self.issuer(&set, initial_supply).await?;

        let found = self.rollup_of_any(&set, canonical).await?;
        self.check_owner(&set, Contract::Rollup, canonical.rollup).await?;
        let distributor = found.arguments.parameters.rewardDistributor;
        self.distributor(&set, distributor, found.block).await?;

        let mut genuine = BTreeSet::from([distributor]);
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

    /// Checks a Registry, that its deployer listed one rollup before the handover, and that the logs of
    /// its owners and rollups fit its state.
    async fn registry(&self, registry: Address) -> Result<History, ExamineError> {
        let Construction { arguments, block, .. } =
            self.construction::<Registry::constructorCall>(registry, self.head.number).await?;
        let deployer = arguments.initialOwner;
        let at = BlockId::from(self.head.hash);
        let expected = self.client.read(at, registry, Registry::ownerCall {}).await?;
        let mut former = self.handovers(registry, block).await?;
        let found = former.last().map_or(deployer, |handover| handover.new_owner);
        if found != expected {
            return Err(ExamineError::OwnerLogs { registry, expected, found });
        }
        let first = former.first().map(|handover| handover.position);
        let (Some(first), Some(present)) = (first, former.pop()) else {
            let (contract, address) = (Contract::Registry, registry);
            return Err(NotGenuine::NotHandedOver { contract, address, deployer }.into());
        };

        let mut rollups = self.listed_rollups(registry, block).await?;
        let by_deployer = rollups.iter().filter(|listing| listing.position < first).count();
        if by_deployer != 1 {
            return Err(NotGenuine::Rollups { rollups: by_deployer }.into());
        }
        let Some(canonical) = rollups.pop() else {
            return Err(NotGenuine::Rollups { rollups: 0 }.into());
        };
        let governances = Governances { present, former };
        Ok(History { deployer, governances, canonical, former_rollups: rollups })
    }

    /// Checks a Governance to which a Registry was handed over, and returns its Asset.
    async fn governed_asset(&self, handover: &Handover) -> Result<Address, ExamineError> {
        let (governance, block) = (handover.new_owner, handover.position.block);
        let found = self.construction::<Governance::constructorCall>(governance, block).await?;
        Ok(found.arguments.asset)
    }

    /// Checks the Asset, and that the deployer no longer owns it. Returns its owner, the Issuer, and its
    /// initial supply.
    async fn asset(
        &self,
        asset: Address,
        deployer: Address,
    ) -> Result<(Address, U256), ExamineError> {
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
        let issuer = self.client.read(self.head.hash.into(), asset, Asset::ownerCall {}).await?;
        if issuer == deployer {
            return Err(NotGenuine::NotHandedOver { contract, address: asset, deployer }.into());
        }
        Ok((issuer, arguments.initialSupply))
    }

    /// Checks the Issuer, and that nobody else minted.
    ///
    /// Only the owner of the Asset can mint, and an Issuer can't transfer its ownership. So every mint that
    /// is neither by the constructor nor by the Issuer is by an earlier owner.
    async fn issuer(&self, set: &GenuineSet, initial_supply: U256) -> Result<(), ExamineError> {
        type Constructor = Issuer::constructorCall;
        let former = &set.former_governances;
        let found = self.governed::<Constructor>(set, former, set.issuer, self.head.number).await?;
        self.check_owner(set, Contract::Issuer, set.issuer).await?;
        let filter = Filter::new().address(set.issuer);
        let blocks = found.block..=self.head.number;
        let mints = self.client.events::<Issuer::Minted>(filter, blocks).await?;
        let amounts = mints.iter().map(|(_, minted)| minted.amount);
        let expected = amounts.fold(initial_supply, U256::saturating_add);
        let supply = Asset::totalSupplyCall {};
        let found = self.client.read(self.head.hash.into(), set.asset, supply).await?;
        if found != expected {
            return Err(NotGenuine::Supply { address: set.asset, expected, found }.into());
        }
        Ok(())
    }

    /// Checks the Proposals contract in force, and returns its address.
    async fn proposals(
        &self,
        governance: Address,
        registry: Address,
    ) -> Result<Address, ExamineError> {
        let in_force = Governance::governanceProposerCall {};
        let proposals = self.client.read(self.head.hash.into(), governance, in_force).await?;
        let found = self.contract::<Proposals::constructorCall>(proposals).await?.registry;
        check_address(
            AddressSource::Constructor,
            Contract::Proposals,
            proposals,
            "registry",
            registry,
            found,
        )?;
        Ok(proposals)
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

    /// The rollups in a genuine Registry that was created in a block, oldest first.
    async fn listed_rollups(
        &self,
        registry: Address,
        created: BlockNumber,
    ) -> Result<Vec<Listing>, ExamineError> {
        let filter = Filter::new().address(registry);
        let blocks = created..=self.head.number;
        let added = self.client.events::<Registry::InstanceAdded>(filter, blocks).await?;
        let count = Registry::numberOfVersionsCall {};
        let expected = self.client.read(self.head.hash.into(), registry, count).await?;
        let found = added.len();
        if U256::from(found) != expected {
            return Err(ExamineError::VersionLogs { registry, expected, found });
        }
        let rollups = added.into_iter().filter(|(_, event)| event.instance != SENTINEL);
        Ok(rollups.map(|(position, event)| Listing { position, rollup: event.instance }).collect())
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

    /// Checks that a contract is at the address that follows from the arguments in its constructor's
    /// events. `near` is a block near its creation, and probably after it.
    async fn construction<C: ConstructorEvents>(
        &self,
        address: Address,
        near: BlockNumber,
    ) -> Result<Construction<C>, ExamineError> {
        let contract = C::CONTRACT;
        let construction = self.alleged_construction::<C>(address, near).await?;
        let init_code = contract.init_code(&construction.arguments);
        let address_by = |origin: &Create2Origin| origin.create2(&init_code).address();
        if self.origins().any(|origin| address_by(origin) == address) {
            return Ok(construction);
        }
        let expected = address_by(&self.origin);
        Err(NotGenuine::OtherAddress { contract, address, expected }.into())
    }

    /// The construction according to the contract's events, which may be forged.
    pub(super) async fn alleged_construction<C: ConstructorEvents>(
        &self,
        address: Address,
        near: BlockNumber,
    ) -> Result<Construction<C>, ExamineError> {
        let contract = C::CONTRACT;
        if self.client.code(self.head.hash.into(), address).await?.is_none() {
            return Err(NotGenuine::NoCode { contract, address }.into());
        }
        let construction = self.find_construction::<C>(address, near).await?;
        let first_block = self.first_block;
        let missing = NotGenuine::NoConstructorEvents { contract, address, first_block };
        Ok(construction.ok_or(missing)?)
    }

    /// The construction according to the events of a contract; `None` if there are none.
    ///
    /// The search is for one event of the constructor. The other events are read from the same transaction,
    /// because some kinds, such as transfers, are too frequent for a search.
    async fn find_construction<C: ConstructorEvents>(
        &self,
        address: Address,
        near: BlockNumber,
    ) -> Result<Option<Construction<C>>> {
        let filter = C::filter().address(address);
        // Contracts of the first deployment are at the start of these blocks, later ones at the end.
        let mut found =
            self.client.find_log(&filter, self.first_block..=near.min(self.head.number)).await?;
        if found.is_none() {
            let later = self.first_block.max(near.next())..=self.head.number;
            found = self.client.find_log(&filter, later).await?;
        }
        let place = found.and_then(|log| Some((log.block_number?, log.transaction_hash?)));
        let Some((block, transaction)) = place else { return Ok(None) };
        let logs = self.logs_of(transaction, address).await?;
        let block = BlockNumber::of(block);
        Ok(C::from_logs(&logs).map(|arguments| Construction { arguments, block, transaction }))
    }

    /// The logs of one contract in one transaction, oldest first.
    async fn logs_of(
        &self,
        transaction: TxHash,
        emitter: Address,
    ) -> Result<Vec<alloy_primitives::Log>> {
        let what = "eth_getTransactionReceipt";
        let receipt = self.client.provider().get_transaction_receipt(transaction).await;
        let receipt = receipt.and_then(|receipt| receipt.ok_or(RpcError::NullResp));
        let receipt = receipt.map_err(|source| Error::rpc(what, source))?;
        let logs = receipt.logs().iter().map(|log| log.inner.clone());
        Ok(logs.filter(|log| log.address == emitter).collect())
    }

    /// The changes of a contract's owner since its construction in `created`, oldest first.
    async fn handovers(&self, address: Address, created: BlockNumber) -> Result<Vec<Handover>> {
        let filter = Filter::new().address(address);
        let blocks = created..=self.head.number;
        let owners = self.client.events::<Registry::OwnershipTransferred>(filter, blocks).await?;
        // The constructor emits the same event, without a previous owner.
        let owners = owners.into_iter();
        let handovers = owners.filter(|(_, event)| !event.previousOwner.is_zero());
        let handover = |(position, event): (_, Registry::OwnershipTransferred)| Handover {
            position,
            new_owner: event.newOwner,
        };
        Ok(handovers.map(handover).collect())
    }

    pub(super) fn origins(&self) -> impl Iterator<Item = &Create2Origin> {
        core::iter::once(&self.origin).chain(&self.other_origins)
    }
}

/// The history of a Registry according to its logs.
struct History {
    deployer: Address,
    governances: Governances,
    canonical: Listing,
    /// Former rollups, oldest first.
    former_rollups: Vec<Listing>,
}

/// A rollup that was added to the Registry.
#[derive(Clone, Copy)]
struct Listing {
    position: LogPosition,
    rollup: Address,
}

/// The Governances to which a Registry was handed over.
struct Governances {
    present: Handover,
    /// Former Governances, oldest first.
    former: Vec<Handover>,
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
