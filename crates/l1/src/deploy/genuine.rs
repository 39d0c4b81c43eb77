//! Whether contracts that somebody else deployed are genuine.
//!
//! Code proves nothing: other init code can write any storage and return the genuine runtime code. So
//! the init code of each contract is built again, from its artifact and the arguments in its
//! constructor's events, and only what is at the CREATE2 address that follows is genuine. Forged events
//! help nobody: they give another address.

use super::{
    constructor::{births, constructor_of},
    create2::Create2,
    plan::Creation,
};
use crate::{
    Client, Head,
    error::{Error, Result},
};
use alloy::{
    primitives::Address,
    providers::Provider,
    rpc::types::{Filter, Log},
    sol_types::SolEvent,
};
use canon_bindings::{Asset, Contract, Governance, Registry};
use canon_protocol::{Constructor, RawRollupParameters, SENTINEL};

/// Why a contract, or a set, isn't taken for genuine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotGenuine {
    /// The chain couldn't be asked.
    #[error(transparent)]
    Chain(#[from] Error),
    /// The contract never emitted the events of its constructor.
    #[error(
        "{address} isn't {contract}: it never emitted the events of its constructor; don't use it"
    )]
    NoConstructor {
        /// What it should be.
        contract: Contract,
        /// Its address.
        address: Address,
    },
    /// The constructor's events give another address: other init code made it, or another factory or
    /// salt.
    #[error(
        "{address} isn't the {contract} that it says: that would be at {expected}; if its factory and \
         salt are those of the set's manifest, its storage can be forged: don't use it"
    )]
    Origin {
        /// What it should be.
        contract: Contract,
        /// Its address.
        address: Address,
        /// The address of a genuine contract with its arguments.
        expected: Address,
    },
    /// A genuine contract of another set, or one that was never part of this one.
    #[error(
        "{contract} at {address} was made with {what} {found}, not {expected}; it isn't of this set"
    )]
    Wiring {
        /// The contract.
        contract: Contract,
        /// Its address.
        address: Address,
        /// The argument.
        what: &'static str,
        /// What this set needs.
        expected: Address,
        /// The argument found.
        found: Address,
    },
    /// Asset or Registry never left the deployer, or went to somebody else first.
    #[error("{contract} at {address} wasn't handed over to {heir} by its deployer; don't use it")]
    Handover {
        /// The contract.
        contract: Contract,
        /// Its address.
        address: Address,
        /// Who should have got it.
        heir: Address,
    },
    /// The deployer minted after construction, before it handed the Asset over.
    #[error("the deployer minted {mints} times besides the initial supply; don't use the set")]
    Mints {
        /// How often.
        mints: usize,
    },
    /// The deployer listed none or several rollups before it handed the Registry over.
    #[error("the deployer listed {rollups} rollups, not one; don't use the set")]
    Rollups {
        /// How many.
        rollups: usize,
    },
}

/// A set all of whose contracts are genuine, as it is at one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenuineSet {
    /// The Registry.
    pub registry: Address,
    /// Who deployed it.
    pub deployer: Address,
    /// The Asset.
    pub asset: Address,
    /// The Issuer.
    pub issuer: Address,
    /// Every Governance that owned the Registry; the last one does.
    pub governances: Vec<Address>,
    /// The Proposals contract in force.
    pub proposals: Address,
    /// Expect, if it is there.
    pub expect: Option<Address>,
    /// The rollups in the Registry, oldest first; the last one is canonical.
    pub rollups: Vec<Address>,
}

/// Looks for forgeries, in the state after one block.
#[derive(Clone, Debug)]
pub struct Examiner<'a> {
    client: &'a Client,
    create2s: Vec<Create2>,
    head: Head,
}

impl<'a> Examiner<'a> {
    /// Examines contracts that are said to be created in one of these ways; whoever says it need not
    /// be trusted. It reads events from the chain's beginning, so the endpoint has to have them.
    pub fn new(client: &'a Client, create2s: &[Create2], head: Head) -> Self {
        Self { client, create2s: create2s.to_vec(), head }
    }

    /// Finds the set of a Registry, and checks that every contract of it is genuine and that its
    /// deployer did nothing else with it.
    ///
    /// # Errors
    ///
    /// [`NotGenuine`], at the first thing that isn't as it should be.
    pub async fn set(&self, registry: Address) -> Result<GenuineSet, NotGenuine> {
        let (at, client) = (self.head.id(), self.client);
        let Constructor::Registry { owner: deployer } =
            self.contract(Contract::Registry, registry).await?
        else {
            return Err(no_constructor(Contract::Registry, registry));
        };
        let listed = self.listed(registry).await?;
        let mut governances = Vec::new();
        let mut assets = Vec::new();
        for governance in listed.owners {
            let constructor = self.contract(Contract::Governance, governance).await?;
            let Constructor::Governance { asset, .. } = constructor else {
                return Err(no_constructor(Contract::Governance, governance));
            };
            governances.push(governance);
            assets.push(asset);
        }
        let (Some(governance), Some(asset)) = (governances.last(), assets.first().copied()) else {
            let (contract, address) = (Contract::Registry, registry);
            return Err(NotGenuine::Handover { contract, address, heir: Address::ZERO });
        };
        for (governance, found) in governances.iter().zip(assets) {
            same(Contract::Governance, *governance, "asset", asset, found)?;
        }
        let governance = *governance;
        let issuer = client.read(at, asset, Asset::ownerCall {}).await?;
        self.asset(asset, deployer, issuer).await?;
        let Constructor::Issuer { asset: minted, owner, .. } =
            self.contract(Contract::Issuer, issuer).await?
        else {
            return Err(no_constructor(Contract::Issuer, issuer));
        };
        same(Contract::Issuer, issuer, "asset", asset, minted)?;
        self.governed(Contract::Issuer, issuer, owner, &governances)?;
        let proposals = client.read(at, governance, Governance::governanceProposerCall {}).await?;
        let Constructor::Proposals { registry: found, .. } =
            self.contract(Contract::Proposals, proposals).await?
        else {
            return Err(no_constructor(Contract::Proposals, proposals));
        };
        same(Contract::Proposals, proposals, "registry", registry, found)?;
        let mut set = GenuineSet {
            registry,
            deployer,
            asset,
            issuer,
            governances,
            proposals,
            expect: None,
            rollups: Vec::new(),
        };
        for create2 in &self.create2s {
            let expect = Creation::expect(*create2).address();
            if set.expect.is_none() && client.code(at, expect).await?.is_some() {
                set.expect = Some(expect);
            }
        }
        for rollup in listed.rollups {
            self.rollup(&set, rollup).await?;
            set.rollups.push(rollup);
        }
        Ok(set)
    }

    /// Checks that a rollup is genuine and made for a set. It need not be in the Registry: so the new
    /// rollup of a payload is examined, too.
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
            return Err(no_constructor(contract, rollup));
        };
        same(contract, rollup, "asset", set.asset, parameters.asset)?;
        same(contract, rollup, "registry", set.registry, parameters.registry)?;
        self.governed(contract, rollup, parameters.owner, &set.governances)?;
        let (contract, distributor) = (Contract::RewardDistributor, parameters.reward_distributor);
        let Constructor::Distributor { asset, registry, owner, .. } =
            self.contract(contract, distributor).await?
        else {
            return Err(no_constructor(contract, distributor));
        };
        same(contract, distributor, "asset", set.asset, asset)?;
        same(contract, distributor, "registry", set.registry, registry)?;
        self.governed(contract, distributor, owner, &set.governances)?;
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
        self.client.expect_code(self.head.id(), contract.name(), address).await?;
        let logs = self.logs(address, Filter::new().event_signature(births(contract))).await?;
        let logs: Vec<_> = logs.into_iter().map(|log| log.inner).collect();
        let constructor =
            constructor_of(contract, &logs).ok_or_else(|| no_constructor(contract, address))?;
        let creations =
            self.create2s.iter().map(|create2| Creation::new(*create2, constructor.clone()));
        let addresses: Vec<_> = creations.map(|creation| creation.address()).collect();
        if addresses.contains(&address) {
            return Ok(constructor);
        }
        let expected = addresses.first().copied().unwrap_or_default();
        Err(NotGenuine::Origin { contract, address, expected })
    }

    /// The Asset is genuine, the deployer's until it was the Issuer's, and until then nothing was
    /// minted but the initial supply.
    async fn asset(
        &self,
        asset: Address,
        deployer: Address,
        issuer: Address,
    ) -> Result<(), NotGenuine> {
        let contract = Contract::Asset;
        let Constructor::Asset { owner, initial_supply, .. } =
            self.contract(contract, asset).await?
        else {
            return Err(no_constructor(contract, asset));
        };
        same(contract, asset, "owner", deployer, owner)?;
        let handover = self.handover(contract, asset, Some(issuer)).await?;
        let minted = Filter::new()
            .event_signature(Asset::Transfer::SIGNATURE_HASH)
            .topic1(Address::ZERO.into_word());
        let minted = self.logs(asset, minted).await?;
        // The constructor's own, if it minted anything. Anybody can log a transfer of nothing from 0.
        let expected = usize::from(!initial_supply.is_zero());
        let is_mint = |log: &Log| {
            Asset::Transfer::decode_log(&log.inner).is_ok_and(|event| !event.value.is_zero())
        };
        let found = minted.iter().filter(|log| place(log) < handover && is_mint(log)).count();
        if found != expected {
            return Err(NotGenuine::Mints { mints: found.abs_diff(expected) });
        }
        Ok(())
    }

    /// What the Registry lists, and who owned it after the deployer, which listed one rollup.
    async fn listed(&self, registry: Address) -> Result<Listed, NotGenuine> {
        let handover = self.handover(Contract::Registry, registry, None).await?;
        let added = Filter::new().event_signature(Registry::InstanceAdded::SIGNATURE_HASH);
        let mut rollups = Vec::new();
        let mut by_deployer = 0;
        for log in self.logs(registry, added).await? {
            let Ok(event) = Registry::InstanceAdded::decode_log(&log.inner) else { continue };
            if event.instance != SENTINEL {
                by_deployer += usize::from(place(&log) < handover);
                rollups.push(event.instance);
            }
        }
        if by_deployer != 1 {
            return Err(NotGenuine::Rollups { rollups: by_deployer });
        }
        let owners = self.owners(registry).await?.into_iter().map(|(_, owner)| owner);
        Ok(Listed { rollups, owners: owners.skip(1).collect() })
    }

    /// Where the deployer handed a contract over: to `heir`, if that is given.
    async fn handover(
        &self,
        contract: Contract,
        address: Address,
        heir: Option<Address>,
    ) -> Result<Place, NotGenuine> {
        let owners = self.owners(address).await?;
        match owners.get(1) {
            Some((place, owner)) if heir.is_none_or(|heir| heir == *owner) => Ok(*place),
            _ => {
                let heir = heir.unwrap_or_default();
                Err(NotGenuine::Handover { contract, address, heir })
            }
        }
    }

    /// All owners that a contract ever had, the first at its construction.
    async fn owners(&self, address: Address) -> Result<Vec<(Place, Address)>> {
        let transfers = Registry::OwnershipTransferred::SIGNATURE_HASH;
        let logs = self.logs(address, Filter::new().event_signature(transfers)).await?;
        let owner = |log: &Log| {
            let event = Registry::OwnershipTransferred::decode_log(&log.inner).ok()?;
            Some((place(log), event.newOwner))
        };
        Ok(logs.iter().filter_map(owner).collect())
    }

    /// A contract was made for one of the Governances.
    fn governed(
        &self,
        contract: Contract,
        address: Address,
        owner: Address,
        governances: &[Address],
    ) -> Result<(), NotGenuine> {
        if governances.contains(&owner) {
            return Ok(());
        }
        let expected = governances.last().copied().unwrap_or_default();
        same(contract, address, "owner", expected, owner)
    }

    /// What a contract emitted up to the block, oldest first.
    async fn logs(&self, address: Address, filter: Filter) -> Result<Vec<Log>> {
        let filter = filter.address(address).from_block(0).to_block(self.head.number.get());
        let logs = self.client.provider().get_logs(&filter).await;
        let mut logs = logs.map_err(|source| Error::Rpc { what: "eth_getLogs", source })?;
        logs.sort_by_key(place);
        Ok(logs)
    }
}

/// Rollups and later owners of a Registry.
struct Listed {
    rollups: Vec<Address>,
    owners: Vec<Address>,
}

/// Number of the block, position of the log in it.
type Place = (Option<u64>, Option<u64>);

const fn place(log: &Log) -> Place {
    (log.block_number, log.log_index)
}

const fn no_constructor(contract: Contract, address: Address) -> NotGenuine {
    NotGenuine::NoConstructor { contract, address }
}

fn same(
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
