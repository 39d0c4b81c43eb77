//! The arguments of constructors, read from the events that constructors emit.

use alloy_primitives::{Address, Log};
use alloy_rpc_types_eth::Filter;
use alloy_sol_types::{SolConstructor, SolEvent};
use canon_abi::{
    Asset, Contract, Governance, Issuer, Proposals, Registry, RewardDistributor, Rollup,
};

/// Constructors whose arguments can be read from the events that they emit.
pub trait ConstructorEvents: SolConstructor {
    /// The contract.
    const CONTRACT: Contract;

    /// A filter for an event that only the constructor emits.
    fn filter() -> Filter;

    /// The arguments, from the contract's logs, oldest first. `None` if the constructor's events are
    /// missing.
    fn from_logs(logs: &[Log]) -> Option<Self>;
}

impl ConstructorEvents for Asset::constructorCall {
    const CONTRACT: Contract = Contract::Asset;

    fn filter() -> Filter {
        every::<Asset::AssetDeployed>()
    }

    fn from_logs(logs: &[Log]) -> Option<Self> {
        let event = first::<Asset::AssetDeployed>(logs)?;
        // Without a supply the constructor transfers nothing, so its holder isn't known. The contract is
        // recognized as genuine only if the holder was the zero address.
        let holder = if event.initialSupply.is_zero() {
            Address::ZERO
        } else {
            first::<Asset::Transfer>(logs)?.to
        };
        let arguments = (event.name, event.symbol, owner(logs)?, holder, event.initialSupply);
        Some(Self::new(arguments))
    }
}

impl ConstructorEvents for Registry::constructorCall {
    const CONTRACT: Contract = Contract::Registry;

    fn filter() -> Filter {
        // Only the event of the construction has no previous owner.
        every::<Registry::OwnershipTransferred>().topic1(Address::ZERO.into_word())
    }

    fn from_logs(logs: &[Log]) -> Option<Self> {
        Some(Self { initialOwner: owner(logs)? })
    }
}

impl ConstructorEvents for Proposals::constructorCall {
    const CONTRACT: Contract = Contract::Proposals;

    fn filter() -> Filter {
        every::<Proposals::ProposalsDeployed>()
    }

    fn from_logs(logs: &[Log]) -> Option<Self> {
        let event = first::<Proposals::ProposalsDeployed>(logs)?;
        Some(Self { registry: event.registry, n: event.n, m: event.m })
    }
}

impl ConstructorEvents for Governance::constructorCall {
    const CONTRACT: Contract = Contract::Governance;

    fn filter() -> Filter {
        every::<Governance::GovernanceDeployed>()
    }

    fn from_logs(logs: &[Log]) -> Option<Self> {
        Some(Self {
            asset: first::<Governance::GovernanceDeployed>(logs)?.asset,
            proposals: first::<Governance::GovernanceProposerUpdated>(logs)?.governanceProposer,
            configuration: first::<Governance::ConfigurationSet>(logs)?.configuration,
        })
    }
}

impl ConstructorEvents for Issuer::constructorCall {
    const CONTRACT: Contract = Contract::Issuer;

    fn filter() -> Filter {
        every::<Issuer::IssuerDeployed>()
    }

    fn from_logs(logs: &[Log]) -> Option<Self> {
        let event = first::<Issuer::IssuerDeployed>(logs)?;
        Some(Self { asset: event.asset, rate: event.rate, initialOwner: owner(logs)? })
    }
}

impl ConstructorEvents for RewardDistributor::constructorCall {
    const CONTRACT: Contract = Contract::RewardDistributor;

    fn filter() -> Filter {
        every::<RewardDistributor::RewardDistributorDeployed>()
    }

    fn from_logs(logs: &[Log]) -> Option<Self> {
        let event = first::<RewardDistributor::RewardDistributorDeployed>(logs)?;
        Some(Self {
            asset: event.asset,
            registry_: first::<RewardDistributor::RegistryUpdated>(logs)?.registry,
            blockReward: event.blockReward,
            initialOwner: owner(logs)?,
        })
    }
}

impl ConstructorEvents for Rollup::constructorCall {
    const CONTRACT: Contract = Contract::Rollup;

    fn filter() -> Filter {
        every::<Rollup::RollupDeployed>()
    }

    fn from_logs(logs: &[Log]) -> Option<Self> {
        Some(Self { parameters: first::<Rollup::RollupDeployed>(logs)?.parameters })
    }
}

/// A filter for all events of a kind.
fn every<E: SolEvent>() -> Filter {
    Filter::new().event_signature(E::SIGNATURE_HASH)
}

/// The first event of a kind.
fn first<E: SolEvent>(logs: &[Log]) -> Option<E> {
    let mut events = logs.iter().filter(|log| log.topics().first() == Some(&E::SIGNATURE_HASH));
    E::decode_log_validate(events.next()?).ok().map(|log| log.data)
}

/// The first owner. All owned contracts emit OpenZeppelin's event.
fn owner(logs: &[Log]) -> Option<Address> {
    first::<Registry::OwnershipTransferred>(logs).map(|event| event.newOwner)
}
