//! Constructors and their arguments, from the events that they emit.

use alloy::{
    primitives::{Address, Log},
    rpc::types::Filter,
    sol_types::SolEvent,
};
use canon_bindings::{
    Asset, Contract, Governance, Issuer, Proposals, Registry, RewardDistributor, Rollup,
};
use canon_protocol::{Constructor, RawConfiguration, RawProposeConfiguration, RawRollupParameters};

/// A filter for one event of a contract that its constructor emits, and nothing else does. `None` for
/// contracts whose constructors emit nothing.
pub(super) fn constructor_event(contract: Contract) -> Option<Filter> {
    let signature = match contract {
        Contract::Asset => Asset::AssetDeployed::SIGNATURE_HASH,
        Contract::Issuer => Issuer::IssuerDeployed::SIGNATURE_HASH,
        Contract::Registry => Registry::OwnershipTransferred::SIGNATURE_HASH,
        Contract::RewardDistributor => RewardDistributor::RewardDistributorDeployed::SIGNATURE_HASH,
        Contract::Rollup => Rollup::RollupDeployed::SIGNATURE_HASH,
        Contract::Proposals => Proposals::ProposalsDeployed::SIGNATURE_HASH,
        Contract::Governance => Governance::GovernanceDeployed::SIGNATURE_HASH,
        _ => return None,
    };
    let filter = Filter::new().event_signature(signature);
    Some(match contract {
        // Only at construction there is no previous owner.
        Contract::Registry => filter.topic1(Address::ZERO.into_word()),
        _ => filter,
    })
}

/// The constructor that created a contract, with its arguments, from the contract's logs, oldest first.
/// `None` if they lack a constructor's events; always for contracts whose constructors emit nothing.
pub fn constructor_of(contract: Contract, logs: &[Log]) -> Option<Constructor> {
    let owner = || first::<Registry::OwnershipTransferred>(logs).map(|event| event.newOwner);
    Some(match contract {
        Contract::Asset => {
            let event = first::<Asset::AssetDeployed>(logs)?;
            // Without a supply the constructor transfers nothing, so its holder isn't known: the
            // contract is taken for genuine only if that was the zero address.
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
