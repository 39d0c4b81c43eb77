//! Constructors' arguments, from the events that they emit.

use alloy::{
    primitives::{Address, B256, Log},
    sol_types::SolEvent,
};
use canon_bindings::{
    Asset, Contract, Governance, Issuer, Proposals, Registry, RewardDistributor, Rollup,
};
use canon_protocol::{Constructor, RawConfiguration, RawProposeConfiguration, RawRollupParameters};

/// The events that a contract's constructor emits, as far as its arguments are in them.
pub(super) fn births(contract: Contract) -> Vec<B256> {
    let owner = Registry::OwnershipTransferred::SIGNATURE_HASH;
    match contract {
        Contract::Asset => {
            vec![owner, Asset::AssetDeployed::SIGNATURE_HASH, Asset::Transfer::SIGNATURE_HASH]
        }
        Contract::Issuer => vec![owner, Issuer::IssuerDeployed::SIGNATURE_HASH],
        Contract::Registry => vec![owner],
        Contract::RewardDistributor => vec![
            owner,
            RewardDistributor::RewardDistributorDeployed::SIGNATURE_HASH,
            RewardDistributor::RegistryUpdated::SIGNATURE_HASH,
        ],
        Contract::Rollup => vec![Rollup::RollupDeployed::SIGNATURE_HASH],
        Contract::Proposals => vec![Proposals::ProposalsDeployed::SIGNATURE_HASH],
        Contract::Governance => vec![
            Governance::GovernanceDeployed::SIGNATURE_HASH,
            Governance::GovernanceProposerUpdated::SIGNATURE_HASH,
            Governance::ConfigurationSet::SIGNATURE_HASH,
        ],
        _ => Vec::new(),
    }
}

/// The call of a contract's constructor, from what it emitted, oldest first. `None` if the events of a
/// constructor aren't there, or for contracts whose constructors emit nothing.
pub fn constructor_of(contract: Contract, logs: &[Log]) -> Option<Constructor> {
    let owner = || first::<Registry::OwnershipTransferred>(logs).map(|event| event.newOwner);
    Some(match contract {
        Contract::Asset => {
            let event = first::<Asset::AssetDeployed>(logs)?;
            // Without a supply the first transfer is somebody else's, and whoever was named isn't known:
            // only a constructor that named nobody is recognized.
            let holder = if event.initialSupply.is_zero() {
                Address::ZERO
            } else {
                first::<Asset::Transfer>(logs)?.to
            };
            Constructor::Asset {
                name: event.name,
                symbol: event.symbol,
                owner: owner()?,
                initial_holder: holder,
                initial_supply: event.initialSupply,
            }
        }
        Contract::Registry => Constructor::Registry { owner: owner()? },
        Contract::Proposals => {
            let event = first::<Proposals::ProposalsDeployed>(logs)?;
            Constructor::Proposals { registry: event.registry, n: event.n, m: event.m }
        }
        Contract::Governance => Constructor::Governance {
            asset: first::<Governance::GovernanceDeployed>(logs)?.asset,
            proposals: first::<Governance::GovernanceProposerUpdated>(logs)?.governanceProposer,
            configuration: raw(first::<Governance::ConfigurationSet>(logs)?.configuration),
        },
        Contract::Issuer => {
            let event = first::<Issuer::IssuerDeployed>(logs)?;
            Constructor::Issuer { asset: event.asset, rate: event.rate, owner: owner()? }
        }
        Contract::RewardDistributor => {
            let event = first::<RewardDistributor::RewardDistributorDeployed>(logs)?;
            Constructor::Distributor {
                asset: event.asset,
                registry: first::<RewardDistributor::RegistryUpdated>(logs)?.registry,
                block_reward: event.blockReward,
                owner: owner()?,
            }
        }
        Contract::Rollup => {
            let event = first::<Rollup::RollupDeployed>(logs)?.parameters;
            Constructor::Rollup(RawRollupParameters {
                asset: event.asset,
                registry: event.registry,
                reward_distributor: event.rewardDistributor,
                owner: event.owner,
                genesis_time: event.genesisTime,
                slot_duration: event.slotDuration,
                epoch_duration: event.epochDuration,
                minimum_stake: event.minimumStake,
                exit_delay: event.exitDelay,
            })
        }
        _ => return None,
    })
}

fn first<E: SolEvent>(logs: &[Log]) -> Option<E> {
    let mut events = logs.iter().filter(|log| log.topics().first() == Some(&E::SIGNATURE_HASH));
    E::decode_log_validate(events.next()?).ok().map(|log| log.data)
}

const fn raw(configuration: Governance::Configuration) -> RawConfiguration {
    RawConfiguration {
        propose_config: RawProposeConfiguration {
            lock_delay: configuration.proposeConfig.lockDelay,
            lock_amount: configuration.proposeConfig.lockAmount,
        },
        voting_delay: configuration.votingDelay,
        voting_duration: configuration.votingDuration,
        execution_delay: configuration.executionDelay,
        grace_period: configuration.gracePeriod,
        quorum: configuration.quorum,
        vote_differential: configuration.voteDifferential,
        minimum_votes: configuration.minimumVotes,
    }
}
