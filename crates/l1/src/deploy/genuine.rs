//! Checks of contracts that somebody else deployed.
//!
//! Code proves nothing: other init code can write any storage and return the genuine runtime code. So
//! the init code of each contract is built again, from its artifact and the arguments in its
//! constructor's events, and only a contract at the CREATE2 address that follows is genuine. Forged
//! events give another address.

use super::{constructor::ConstructorEvents, origin::Create2Origin, plan::ContractPlan};
use crate::{
    Client, Head,
    error::{Error, Result},
    logs::LogPosition,
};
use alloy::{
    primitives::{Address, TxHash, U256},
    providers::Provider,
    rpc::types::Filter,
    transports::RpcError,
};
use canon_bindings::{
    Asset, Contract, Governance, Issuer, Proposals, Registry, RewardDistributor, Rollup,
};
use canon_protocol::{BlockNumber, RawRollupParameters, SENTINEL};
use std::collections::BTreeSet;

/// The reason why a contract, or a set, isn't genuine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotGenuine {
    /// The chain couldn't be read.
    #[error(transparent)]
    Chain(#[from] Error),
    /// The contract didn't emit the events of its constructor.
    #[error(
        "expected the events of {contract}'s constructor from {address} since block {first_block}, \
         found none; search from an earlier block, or don't use it"
    )]
    NoConstructorEvents {
        /// The contract that was expected.
        contract: Contract,
        /// Its address.
        address: Address,
        /// The first block that was searched.
        first_block: BlockNumber,
    },
    /// The constructor's events give another address: the contract was created from other init code,
    /// by another factory, or with another salt.
    #[error(
        "{contract} with the arguments in its constructor's events is expected at {expected}, found at \
         {address}; check factory and salt: if they are those of the set, its storage can be forged, \
         so don't use it"
    )]
    OtherAddress {
        /// The contract that was expected.
        contract: Contract,
        /// Its address.
        address: Address,
        /// The address of a genuine contract with its arguments and the first origin.
        expected: Address,
    },
    /// The contract is genuine but not part of this set.
    #[error(
        "{contract} at {address} was constructed with {what} {found}, expected {expected}; it belongs \
         to another set: don't use it with this one"
    )]
    Wiring {
        /// The contract.
        contract: Contract,
        /// Its address.
        address: Address,
        /// The argument.
        what: &'static str,
        /// The argument that this set needs.
        expected: Address,
        /// The argument found.
        found: Address,
    },
    /// The deployer still owns Asset or Registry.
    #[error(
        "{contract} at {address} is expected to be handed over by its deployer, {deployer}, and still \
         belongs to it; use the set once the deployment is finished"
    )]
    NotHandedOver {
        /// The contract.
        contract: Contract,
        /// Its address.
        address: Address,
        /// Its owner.
        deployer: Address,
    },
    /// The deployer handed the Asset over to another account than its present owner.
    #[error(
        "the deployer is expected to hand the Asset at {address} over to its present owner, \
         {expected}, and handed it over to {found} first; don't use the set"
    )]
    OtherFirstOwner {
        /// The Asset.
        address: Address,
        /// Its present owner.
        expected: Address,
        /// Its first owner after the deployer.
        found: Address,
    },
    /// The endpoint's logs lack the mint that the receipt of the Asset's creation shows.
    #[error(
        "expected the mint of the initial supply among the logs of the Asset at {address}, from block \
         {block} on, found none; the endpoint leaves out logs: use another one"
    )]
    NoInitialMint {
        /// The Asset.
        address: Address,
        /// The block of its creation.
        block: BlockNumber,
    },
    /// The deployer minted after construction, before it handed the Asset over.
    #[error(
        "expected no mint by the deployer besides the initial supply, found {mints}; don't use the set"
    )]
    Mints {
        /// The number of such mints.
        mints: usize,
    },
    /// The deployer listed no rollup or several ones before it handed the Registry over.
    #[error("expected one rollup listed by the deployer, found {rollups}; don't use the set")]
    Rollups {
        /// The number of rollups.
        rollups: usize,
    },
}

/// A set all of whose contracts are genuine, as it is at one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenuineSet {
    /// The Registry.
    pub registry: Address,
    /// The account that deployed it.
    pub deployer: Address,
    /// The Asset.
    pub asset: Address,
    /// The Issuer.
    pub issuer: Address,
    /// The Governance that owns the Registry.
    pub governance: Address,
    /// The Governances that owned the Registry before, oldest first.
    pub former_governances: Vec<Address>,
    /// The Proposals contract in force.
    pub proposals: Address,
    /// Expect; `None` if it isn't deployed.
    pub expect: Option<Address>,
    /// The rollups in the Registry, oldest first; the last one is canonical.
    pub rollups: Vec<Address>,
}

impl GenuineSet {
    /// Checks that a contract was constructed for this set and one of its Governances.
    fn check_wiring(
        &self,
        contract: Contract,
        address: Address,
        wiring: &Wiring,
    ) -> Result<(), NotGenuine> {
        check_wiring(contract, address, "asset", self.asset, wiring.asset)?;
        if let Some(registry) = wiring.registry {
            check_wiring(contract, address, "registry", self.registry, registry)?;
        }
        if self.former_governances.contains(&wiring.owner) {
            return Ok(());
        }
        check_wiring(contract, address, "owner", self.governance, wiring.owner)
    }
}

/// Checks contracts in the state after one block.
#[derive(Clone, Debug)]
pub struct Examiner<'a> {
    client: &'a Client,
    origin: Create2Origin,
    other_origins: Vec<Create2Origin>,
    first_block: BlockNumber,
    head: Head,
}

/// The arguments of a genuine contract's constructor, and the block of its creation.
struct Construction<C> {
    arguments: C,
    block: BlockNumber,
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

impl<'a> Examiner<'a> {
    /// An examiner of contracts with this origin; their source need not be trusted.
    ///
    /// It reads events from `first_block` to `head`. None of the contracts may be older:
    /// [`DeployRecord::first_block`](super::DeployRecord::first_block) is the right one for a set, and
    /// the block of the Asset's creation, which explorers show.
    pub const fn new(
        client: &'a Client,
        origin: Create2Origin,
        first_block: BlockNumber,
        head: Head,
    ) -> Self {
        Self { client, origin, other_origins: Vec::new(), first_block, head }
    }

    /// Also accepts contracts with this origin.
    #[must_use]
    pub fn with_origin(mut self, origin: Create2Origin) -> Self {
        self.other_origins.push(origin);
        self
    }

    /// Finds the set of a Registry, and checks that every contract of it is genuine and that its
    /// deployer did nothing else with it.
    ///
    /// # Errors
    ///
    /// [`NotGenuine`], for the first contract that isn't as expected.
    pub async fn set(&self, registry: Address) -> Result<GenuineSet, NotGenuine> {
        let (deployer, governances) = self.registry(registry).await?;
        let asset = self.governed_asset(&governances.present).await?;
        for former in &governances.former {
            let found = self.governed_asset(former).await?;
            check_wiring(Contract::Governance, former.new_owner, "asset", asset, found)?;
        }
        let governance = governances.present.new_owner;
        let mut set = GenuineSet {
            registry,
            deployer,
            asset,
            issuer: self.asset(asset, deployer).await?,
            governance,
            former_governances: governances.former.iter().map(|former| former.new_owner).collect(),
            proposals: self.proposals(governance, registry).await?,
            expect: self.expect().await?,
            rollups: Vec::new(),
        };
        self.governed::<Issuer::constructorCall>(&set, set.issuer, self.head.number).await?;
        let mut distributors = BTreeSet::new();
        for (rollup, listed) in self.listed_rollups(registry).await? {
            let found = self.governed::<Rollup::constructorCall>(&set, rollup, listed).await?;
            let distributor = found.arguments.parameters.rewardDistributor;
            if distributors.insert(distributor) {
                self.reward_distributor(&set, distributor, found.block).await?;
            }
            set.rollups.push(rollup);
        }
        Ok(set)
    }

    /// Checks that a rollup is genuine and constructed for a set. It need not be in the Registry: the
    /// new rollup of a payload can be examined before the vote.
    ///
    /// # Errors
    ///
    /// [`NotGenuine`].
    pub async fn rollup(
        &self,
        set: &GenuineSet,
        rollup: Address,
    ) -> Result<RawRollupParameters, NotGenuine> {
        let found = self.governed::<Rollup::constructorCall>(set, rollup, self.head.number).await?;
        let parameters = found.arguments.parameters;
        self.reward_distributor(set, parameters.rewardDistributor, found.block).await?;
        Ok(raw(&parameters))
    }

    /// Checks that a contract is at the address that the arguments in its constructor's events give,
    /// and returns those.
    ///
    /// # Errors
    ///
    /// [`NotGenuine`].
    pub async fn contract<C: ConstructorEvents>(&self, address: Address) -> Result<C, NotGenuine> {
        Ok(self.construction(address, self.head.number).await?.arguments)
    }

    /// Checks a Registry, and that its deployer listed one rollup before the handover. Returns the
    /// deployer and the owners after it.
    async fn registry(&self, registry: Address) -> Result<(Address, Governances), NotGenuine> {
        let Construction { arguments, block } =
            self.construction::<Registry::constructorCall>(registry, self.head.number).await?;
        let deployer = arguments.initialOwner;
        let mut former = self.handovers(registry, block, usize::MAX).await?;
        let first = former.first().map(|handover| handover.position);
        let (Some(first), Some(present)) = (first, former.pop()) else {
            let (contract, address) = (Contract::Registry, registry);
            return Err(NotGenuine::NotHandedOver { contract, address, deployer });
        };
        let filter = Filter::new().address(registry);
        let listed = self.client.events(filter, block..=first.block, usize::MAX).await?;
        let by_deployer = |(position, event): &&(LogPosition, Registry::InstanceAdded)| {
            *position < first && event.instance != SENTINEL
        };
        match listed.iter().filter(by_deployer).count() {
            1 => Ok((deployer, Governances { present, former })),
            rollups => Err(NotGenuine::Rollups { rollups }),
        }
    }

    /// Checks the Governance that got a Registry, and returns its Asset.
    async fn governed_asset(&self, handover: &Handover) -> Result<Address, NotGenuine> {
        let (governance, block) = (handover.new_owner, handover.position.block);
        let found = self.construction::<Governance::constructorCall>(governance, block).await?;
        Ok(found.arguments.asset)
    }

    /// Checks the Asset, that the deployer handed it over to its present owner, and that the deployer
    /// minted nothing but the initial supply. Returns the owner, the Issuer.
    async fn asset(&self, asset: Address, deployer: Address) -> Result<Address, NotGenuine> {
        let contract = Contract::Asset;
        let Construction { arguments, block } =
            self.construction::<Asset::constructorCall>(asset, self.head.number).await?;
        check_wiring(contract, asset, "owner", deployer, arguments.initialOwner)?;
        let handovers = self.handovers(asset, block, 1).await?;
        let Some(handover) = handovers.first() else {
            return Err(NotGenuine::NotHandedOver { contract, address: asset, deployer });
        };
        let issuer = self.client.read(self.head.id(), asset, Asset::ownerCall {}).await?;
        if handover.new_owner != issuer {
            let (expected, found) = (issuer, handover.new_owner);
            return Err(NotGenuine::OtherFirstOwner { address: asset, expected, found });
        }
        let from_zero = Filter::new().address(asset).topic1(Address::ZERO.into_word());
        let blocks = block..=handover.position.block;
        let transfers = self.client.events(from_zero, blocks, usize::MAX).await?;
        // Anybody can have the Asset log a transfer of nothing from the zero address.
        let is_mint = |(position, event): &&(LogPosition, Asset::Transfer)| {
            *position < handover.position && !event.value.is_zero()
        };
        let found = transfers.iter().filter(is_mint).count();
        let by_constructor = usize::from(!arguments.initialSupply.is_zero());
        match found.checked_sub(by_constructor) {
            Some(0) => Ok(issuer),
            Some(mints) => Err(NotGenuine::Mints { mints }),
            None => Err(NotGenuine::NoInitialMint { address: asset, block }),
        }
    }

    /// Checks the Proposals contract in force, and returns its address.
    async fn proposals(
        &self,
        governance: Address,
        registry: Address,
    ) -> Result<Address, NotGenuine> {
        let in_force = Governance::governanceProposerCall {};
        let proposals = self.client.read(self.head.id(), governance, in_force).await?;
        let found = self.contract::<Proposals::constructorCall>(proposals).await?.registry;
        check_wiring(Contract::Proposals, proposals, "registry", registry, found)?;
        Ok(proposals)
    }

    /// The address of Expect, which takes no arguments; `None` if it isn't deployed.
    async fn expect(&self) -> Result<Option<Address>> {
        for origin in self.origins() {
            let expect = ContractPlan::expect(*origin).address();
            if self.client.code(self.head.id(), expect).await?.is_some() {
                return Ok(Some(expect));
            }
        }
        Ok(None)
    }

    /// The rollups in a genuine Registry, oldest first, and the blocks in which they were listed.
    async fn listed_rollups(&self, registry: Address) -> Result<Vec<(Address, BlockNumber)>> {
        let at = self.head.id();
        let count = self.client.read(at, registry, Registry::numberOfVersionsCall {}).await?;
        // Version 0 is the sentinel.
        let (mut rollups, mut version) = (Vec::new(), U256::ONE);
        while version < count {
            let snapshot = Registry::getSnapshotCall { version };
            let listing = self.client.read(at, registry, snapshot).await?;
            rollups.push((listing.rollup, BlockNumber::of(listing.blockNumber.saturating_to())));
            version += U256::ONE;
        }
        Ok(rollups)
    }

    /// Checks the RewardDistributor of a rollup that was created in a block. It may be younger, since
    /// the rollup's constructor doesn't ask it.
    async fn reward_distributor(
        &self,
        set: &GenuineSet,
        distributor: Address,
        rollup_created: BlockNumber,
    ) -> Result<(), NotGenuine> {
        type Constructor = RewardDistributor::constructorCall;
        self.governed::<Constructor>(set, distributor, rollup_created).await.map(|_| ())
    }

    /// Checks that a contract is genuine, and that it was constructed for a set.
    async fn governed<C: Governed>(
        &self,
        set: &GenuineSet,
        address: Address,
        near: BlockNumber,
    ) -> Result<Construction<C>, NotGenuine> {
        let found = self.construction::<C>(address, near).await?;
        set.check_wiring(C::CONTRACT, address, &found.arguments.wiring())?;
        Ok(found)
    }

    /// Checks that a contract is at the address that the arguments in its constructor's events give.
    /// `near` is a block before which it was probably created.
    async fn construction<C: ConstructorEvents>(
        &self,
        address: Address,
        near: BlockNumber,
    ) -> Result<Construction<C>, NotGenuine> {
        let contract = C::CONTRACT;
        self.client.expect_code(self.head.id(), contract.name(), address).await?;
        let Some(construction) = self.find_construction::<C>(address, near).await? else {
            let first_block = self.first_block;
            return Err(NotGenuine::NoConstructorEvents { contract, address, first_block });
        };
        let init_code = contract.init_code(&construction.arguments);
        let address_by = |origin: &Create2Origin| origin.create2(&init_code).address();
        if self.origins().any(|origin| address_by(origin) == address) {
            return Ok(construction);
        }
        let expected = address_by(&self.origin);
        Err(NotGenuine::OtherAddress { contract, address, expected })
    }

    /// The constructor that the events of a contract show; `None` if there are none.
    ///
    /// One event of the constructor is searched for. The others are read from its transaction alone:
    /// some of their kinds, such as transfers, are too frequent to search for.
    async fn find_construction<C: ConstructorEvents>(
        &self,
        address: Address,
        near: BlockNumber,
    ) -> Result<Option<Construction<C>>> {
        let filter = C::filter().address(address);
        // Contracts of the first deployment are found at the start of these blocks, later ones at the end.
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
        Ok(C::from_logs(&logs).map(|arguments| Construction { arguments, block }))
    }

    /// The logs of one contract in one transaction, oldest first.
    async fn logs_of(
        &self,
        transaction: TxHash,
        emitter: Address,
    ) -> Result<Vec<alloy::primitives::Log>> {
        let what = "eth_getTransactionReceipt";
        let receipt = self.client.provider().get_transaction_receipt(transaction).await;
        let receipt = receipt.and_then(|receipt| receipt.ok_or(RpcError::NullResp));
        let receipt = receipt.map_err(|source| Error::Rpc { what, source })?;
        let logs = receipt.logs().iter().map(|log| log.inner.clone());
        Ok(logs.filter(|log| log.address == emitter).collect())
    }

    /// The changes of a contract's owner since its construction in `created`, oldest first; at least
    /// `enough`, if there are so many.
    async fn handovers(
        &self,
        address: Address,
        created: BlockNumber,
        enough: usize,
    ) -> Result<Vec<Handover>> {
        let filter = Filter::new().address(address);
        // The constructor emits the same event.
        let enough = enough.saturating_add(1);
        let blocks = created..=self.head.number;
        let owners = self.client.events::<Registry::OwnershipTransferred>(filter, blocks, enough);
        let owners = owners.await?.into_iter();
        let handovers = owners.filter(|(_, event)| !event.previousOwner.is_zero());
        let handover = |(position, event): (_, Registry::OwnershipTransferred)| Handover {
            position,
            new_owner: event.newOwner,
        };
        Ok(handovers.map(handover).collect())
    }

    fn origins(&self) -> impl Iterator<Item = &Create2Origin> {
        core::iter::once(&self.origin).chain(&self.other_origins)
    }
}

/// The Governances that got a Registry, by their handovers.
struct Governances {
    present: Handover,
    /// Oldest first.
    former: Vec<Handover>,
}

/// Checks an argument of a contract's constructor.
fn check_wiring(
    contract: Contract,
    address: Address,
    what: &'static str,
    expected: Address,
    found: Address,
) -> Result<(), NotGenuine> {
    if expected == found {
        return Ok(());
    }
    Err(NotGenuine::Wiring { contract, address, what, expected, found })
}

/// Parameters of a rollup as the protocol's type.
const fn raw(parameters: &Rollup::RollupParameters) -> RawRollupParameters {
    RawRollupParameters {
        asset: parameters.asset,
        registry: parameters.registry,
        reward_distributor: parameters.rewardDistributor,
        owner: parameters.owner,
        genesis_time: parameters.genesisTime,
        slot_duration: parameters.slotDuration,
        epoch_duration: parameters.epochDuration,
        minimum_stake: parameters.minimumStake,
        exit_delay: parameters.exitDelay,
    }
}
