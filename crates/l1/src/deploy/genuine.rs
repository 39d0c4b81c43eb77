//! Checks of contracts that somebody else deployed.
//!
//! Code proves nothing: other init code can write any storage and return the genuine runtime code. So
//! the init code of each contract is built again, from its artifact and the arguments in its
//! constructor's events, and only a contract at the CREATE2 address that follows is genuine. Forged
//! events give another address.

use super::{
    constructor::{constructor_event, constructor_of},
    origin::Create2Origin,
    plan::ContractPlan,
};
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
use canon_bindings::{Asset, Contract, Governance, Registry};
use canon_protocol::{BlockNumber, Constructor, RawRollupParameters, SENTINEL};
use core::ops::RangeInclusive;

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
    /// Checks that a contract was constructed for one of the set's Governances.
    fn check_owner(
        &self,
        contract: Contract,
        address: Address,
        owner: Address,
    ) -> Result<(), NotGenuine> {
        if self.former_governances.contains(&owner) {
            return Ok(());
        }
        check_wiring(contract, address, "owner", self.governance, owner)
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

/// A genuine contract's constructor, and the block of its creation.
struct Construction {
    constructor: Constructor,
    block: BlockNumber,
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
        let Governances { present: governance, former: former_governances } = governances;
        let asset = self.governed_asset(governance).await?;
        for former in &former_governances {
            let found = self.governed_asset(*former).await?;
            check_wiring(Contract::Governance, *former, "asset", asset, found)?;
        }
        let mut set = GenuineSet {
            registry,
            deployer,
            asset,
            issuer: self.asset(asset, deployer).await?,
            governance,
            former_governances,
            proposals: self.proposals(governance, registry).await?,
            expect: self.expect().await?,
            rollups: Vec::new(),
        };
        self.issuer(&set).await?;
        for rollup in self.listed_rollups(registry).await? {
            self.rollup(&set, rollup).await?;
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
        let contract = Contract::Rollup;
        let Constructor::Rollup(parameters) = self.contract(contract, rollup).await? else {
            return Err(self.no_constructor_events(contract, rollup));
        };
        check_wiring(contract, rollup, "asset", set.asset, parameters.asset)?;
        check_wiring(contract, rollup, "registry", set.registry, parameters.registry)?;
        set.check_owner(contract, rollup, parameters.owner)?;
        self.reward_distributor(set, parameters.reward_distributor).await?;
        Ok(parameters)
    }

    /// Checks that a contract is at the address that the arguments in its constructor's events give,
    /// and returns those.
    ///
    /// # Errors
    ///
    /// [`NotGenuine`]; also for contracts whose constructors emit nothing.
    pub async fn contract(
        &self,
        contract: Contract,
        address: Address,
    ) -> Result<Constructor, NotGenuine> {
        Ok(self.construction(contract, address).await?.constructor)
    }

    /// Checks a Registry, and that its deployer listed one rollup before the handover. Returns the
    /// deployer and the owners after it.
    async fn registry(&self, registry: Address) -> Result<(Address, Governances), NotGenuine> {
        let contract = Contract::Registry;
        let Construction { constructor, block } = self.construction(contract, registry).await?;
        let Constructor::Registry { owner: deployer } = constructor else {
            return Err(self.no_constructor_events(contract, registry));
        };
        let handovers = self.handovers(registry, block, usize::MAX).await?;
        let (Some(first), Some((last, earlier))) = (handovers.first(), handovers.split_last())
        else {
            return Err(NotGenuine::NotHandedOver { contract, address: registry, deployer });
        };
        let filter = Filter::new().address(registry);
        let blocks = block..=first.position.block;
        let listed = self.client.events(filter, blocks, usize::MAX).await?;
        let by_deployer = |(position, event): &&(LogPosition, Registry::InstanceAdded)| {
            *position < first.position && event.instance != SENTINEL
        };
        match listed.iter().filter(by_deployer).count() {
            1 => {
                let former = earlier.iter().map(|handover| handover.new_owner).collect();
                Ok((deployer, Governances { present: last.new_owner, former }))
            }
            rollups => Err(NotGenuine::Rollups { rollups }),
        }
    }

    /// Checks a Governance, and returns its Asset.
    async fn governed_asset(&self, governance: Address) -> Result<Address, NotGenuine> {
        let contract = Contract::Governance;
        match self.contract(contract, governance).await? {
            Constructor::Governance { asset, .. } => Ok(asset),
            _ => Err(self.no_constructor_events(contract, governance)),
        }
    }

    /// Checks the Asset, that the deployer handed it over to its present owner, and that the deployer
    /// minted nothing but the initial supply. Returns the owner, the Issuer.
    async fn asset(&self, asset: Address, deployer: Address) -> Result<Address, NotGenuine> {
        let contract = Contract::Asset;
        let Construction { constructor, block } = self.construction(contract, asset).await?;
        let Constructor::Asset { owner, initial_supply, .. } = constructor else {
            return Err(self.no_constructor_events(contract, asset));
        };
        check_wiring(contract, asset, "owner", deployer, owner)?;
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
        let by_constructor = usize::from(!initial_supply.is_zero());
        if found == by_constructor {
            Ok(issuer)
        } else {
            Err(NotGenuine::Mints { mints: found.abs_diff(by_constructor) })
        }
    }

    /// Checks the Issuer.
    async fn issuer(&self, set: &GenuineSet) -> Result<(), NotGenuine> {
        let (contract, issuer) = (Contract::Issuer, set.issuer);
        let Constructor::Issuer { asset, owner, .. } = self.contract(contract, issuer).await?
        else {
            return Err(self.no_constructor_events(contract, issuer));
        };
        check_wiring(contract, issuer, "asset", set.asset, asset)?;
        set.check_owner(contract, issuer, owner)
    }

    /// Checks the Proposals contract in force, and returns its address.
    async fn proposals(
        &self,
        governance: Address,
        registry: Address,
    ) -> Result<Address, NotGenuine> {
        let in_force = Governance::governanceProposerCall {};
        let proposals = self.client.read(self.head.id(), governance, in_force).await?;
        let contract = Contract::Proposals;
        let Constructor::Proposals { registry: found, .. } =
            self.contract(contract, proposals).await?
        else {
            return Err(self.no_constructor_events(contract, proposals));
        };
        check_wiring(contract, proposals, "registry", registry, found)?;
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

    /// The rollups in a genuine Registry, oldest first.
    async fn listed_rollups(&self, registry: Address) -> Result<Vec<Address>> {
        let at = self.head.id();
        let count = self.client.read(at, registry, Registry::numberOfVersionsCall {}).await?;
        // Version 0 is the sentinel.
        let (mut rollups, mut version) = (Vec::new(), U256::ONE);
        while version < count {
            let snapshot = Registry::getSnapshotCall { version };
            rollups.push(self.client.read(at, registry, snapshot).await?.rollup);
            version += U256::ONE;
        }
        Ok(rollups)
    }

    /// Checks a RewardDistributor of a set.
    async fn reward_distributor(
        &self,
        set: &GenuineSet,
        distributor: Address,
    ) -> Result<(), NotGenuine> {
        let contract = Contract::RewardDistributor;
        let Constructor::Distributor { asset, registry, owner, .. } =
            self.contract(contract, distributor).await?
        else {
            return Err(self.no_constructor_events(contract, distributor));
        };
        check_wiring(contract, distributor, "asset", set.asset, asset)?;
        check_wiring(contract, distributor, "registry", set.registry, registry)?;
        set.check_owner(contract, distributor, owner)
    }

    /// Checks that a contract is at the address that the arguments in its constructor's events give.
    async fn construction(
        &self,
        contract: Contract,
        address: Address,
    ) -> Result<Construction, NotGenuine> {
        self.client.expect_code(self.head.id(), contract.name(), address).await?;
        let construction = self.find_construction(contract, address).await?;
        let construction =
            construction.ok_or_else(|| self.no_constructor_events(contract, address))?;
        let address_by = |origin: &Create2Origin| {
            ContractPlan::new(*origin, construction.constructor.clone()).address()
        };
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
    async fn find_construction(
        &self,
        contract: Contract,
        address: Address,
    ) -> Result<Option<Construction>> {
        let Some(event) = constructor_event(contract) else { return Ok(None) };
        let found =
            self.client.logs(event.address(address), self.blocks_from(self.first_block), 1).await?;
        let place = found.first().and_then(|log| Some((log.block_number?, log.transaction_hash?)));
        let Some((block, transaction)) = place else { return Ok(None) };
        let logs = self.logs_of(transaction, address).await?;
        let constructor = constructor_of(contract, &logs);
        let block = BlockNumber::of(block);
        Ok(constructor.map(|constructor| Construction { constructor, block }))
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
        let blocks = self.blocks_from(created);
        let owners = self.client.events::<Registry::OwnershipTransferred>(filter, blocks, enough);
        let handovers = owners.await?.into_iter().skip(1);
        let handover = |(position, event): (_, Registry::OwnershipTransferred)| Handover {
            position,
            new_owner: event.newOwner,
        };
        Ok(handovers.map(handover).collect())
    }

    const fn blocks_from(&self, first: BlockNumber) -> RangeInclusive<BlockNumber> {
        first..=self.head.number
    }

    fn origins(&self) -> impl Iterator<Item = &Create2Origin> {
        core::iter::once(&self.origin).chain(&self.other_origins)
    }

    const fn no_constructor_events(&self, contract: Contract, address: Address) -> NotGenuine {
        NotGenuine::NoConstructorEvents { contract, address, first_block: self.first_block }
    }
}

/// The owners of a Registry after its deployer.
struct Governances {
    present: Address,
    /// Oldest first.
    former: Vec<Address>,
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
