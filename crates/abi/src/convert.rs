//! Conversions between Solidity's structs and the protocol's types.
//!
//! Every value can be converted to Solidity. In the other direction, a value out of the protocol's
//! range is an error, and is never truncated.

use crate::{
    artifact::Contract,
    contracts::{
        Asset, Expect, Governance, Issuer, Proposals, Registry, RewardDistributor, Rollup,
        UpgradePayload,
    },
};
use alloy_primitives::{Bytes, Log};
use alloy_sol_types::SolConstructor;
use canon_protocol::{
    Action, Configuration, Constructor, Event, ProposeConfiguration, RawConfiguration,
    RawRollupParameters, Role, Tally, TooLarge,
};

macro_rules! configuration {
    ($contract:ident) => {
        impl TryFrom<$contract::Configuration> for Configuration {
            type Error = TooLarge;

            fn try_from(sol: $contract::Configuration) -> Result<Self, TooLarge> {
                Ok(Self {
                    propose_config: ProposeConfiguration {
                        lock_delay: sol.proposeConfig.lockDelay.try_into()?,
                        lock_amount: sol.proposeConfig.lockAmount.try_into()?,
                    },
                    voting_delay: sol.votingDelay.try_into()?,
                    voting_duration: sol.votingDuration.try_into()?,
                    execution_delay: sol.executionDelay.try_into()?,
                    grace_period: sol.gracePeriod.try_into()?,
                    quorum: sol.quorum.try_into()?,
                    vote_differential: sol.voteDifferential.try_into()?,
                    minimum_votes: sol.minimumVotes.try_into()?,
                })
            }
        }

        impl From<Configuration> for $contract::Configuration {
            fn from(configuration: Configuration) -> Self {
                Self {
                    proposeConfig: $contract::ProposeConfiguration {
                        lockDelay: configuration.propose_config.lock_delay.to_word(),
                        lockAmount: configuration.propose_config.lock_amount.to_word(),
                    },
                    votingDelay: configuration.voting_delay.to_word(),
                    votingDuration: configuration.voting_duration.to_word(),
                    executionDelay: configuration.execution_delay.to_word(),
                    gracePeriod: configuration.grace_period.to_word(),
                    quorum: configuration.quorum.to_word(),
                    voteDifferential: configuration.vote_differential.to_word(),
                    minimumVotes: configuration.minimum_votes.to_word(),
                }
            }
        }
    };
}

configuration!(Governance);
configuration!(Expect);

impl TryFrom<Governance::Ballot> for Tally {
    type Error = TooLarge;

    fn try_from(sol: Governance::Ballot) -> Result<Self, TooLarge> {
        Ok(Self { yea: sol.yea.try_into()?, nea: sol.nea.try_into()? })
    }
}

macro_rules! action {
    ($contract:ident) => {
        impl From<$contract::Action> for Action {
            fn from(sol: $contract::Action) -> Self {
                Self { target: sol.target, data: sol.data }
            }
        }

        impl From<Action> for $contract::Action {
            fn from(action: Action) -> Self {
                Self { target: action.target, data: action.data }
            }
        }
    };
}

action!(Governance);
action!(UpgradePayload);

impl From<RawConfiguration> for Governance::Configuration {
    fn from(raw: RawConfiguration) -> Self {
        Self {
            proposeConfig: Governance::ProposeConfiguration {
                lockDelay: raw.propose_config.lock_delay,
                lockAmount: raw.propose_config.lock_amount,
            },
            votingDelay: raw.voting_delay,
            votingDuration: raw.voting_duration,
            executionDelay: raw.execution_delay,
            gracePeriod: raw.grace_period,
            quorum: raw.quorum,
            voteDifferential: raw.vote_differential,
            minimumVotes: raw.minimum_votes,
        }
    }
}

impl From<RawRollupParameters> for Rollup::RollupParameters {
    fn from(raw: RawRollupParameters) -> Self {
        Self {
            asset: raw.asset,
            registry: raw.registry,
            rewardDistributor: raw.reward_distributor,
            owner: raw.owner,
            genesisTime: raw.genesis_time,
            slotDuration: raw.slot_duration,
            epochDuration: raw.epoch_duration,
            minimumStake: raw.minimum_stake,
            exitDelay: raw.exit_delay,
        }
    }
}

impl From<Rollup::RollupParameters> for RawRollupParameters {
    fn from(sol: Rollup::RollupParameters) -> Self {
        Self {
            asset: sol.asset,
            registry: sol.registry,
            reward_distributor: sol.rewardDistributor,
            owner: sol.owner,
            genesis_time: sol.genesisTime,
            slot_duration: sol.slotDuration,
            epoch_duration: sol.epochDuration,
            minimum_stake: sol.minimumStake,
            exit_delay: sol.exitDelay,
        }
    }
}

impl Contract {
    /// The role in the set; `None` for payloads and the lens.
    pub const fn role(self) -> Option<Role> {
        match self {
            Self::Asset => Some(Role::Asset),
            Self::Issuer => Some(Role::Issuer),
            Self::Registry => Some(Role::Registry),
            Self::RewardDistributor => Some(Role::Distributor),
            Self::Rollup => Some(Role::Rollup),
            Self::Proposals => Some(Role::Proposals),
            Self::Governance => Some(Role::Governance),
            Self::Expect => Some(Role::Expect),
            Self::UpgradePayload | Self::SetLens => None,
        }
    }
}

/// The init code of this constructor: the input of a creation transaction.
pub fn init_code(constructor: &Constructor) -> Bytes {
    match constructor.clone() {
        Constructor::Asset { name, symbol, owner, initial_holder, initial_supply } => {
            let arguments = (name, symbol, owner, initial_holder, initial_supply);
            Contract::Asset.init_code(&Asset::constructorCall::new(arguments))
        }
        Constructor::Registry { owner } => {
            Contract::Registry.init_code(&Registry::constructorCall { initialOwner: owner })
        }
        Constructor::Proposals { registry, n, m } => {
            Contract::Proposals.init_code(&Proposals::constructorCall { registry, n, m })
        }
        Constructor::Governance { asset, proposals, configuration } => {
            let configuration = configuration.into();
            let arguments = Governance::constructorCall { asset, proposals, configuration };
            Contract::Governance.init_code(&arguments)
        }
        Constructor::Issuer { asset, rate, owner } => Contract::Issuer
            .init_code(&Issuer::constructorCall { asset, rate, initialOwner: owner }),
        Constructor::Distributor { asset, registry, block_reward, owner } => {
            let arguments = RewardDistributor::constructorCall {
                asset,
                registry_: registry,
                blockReward: block_reward,
                initialOwner: owner,
            };
            Contract::RewardDistributor.init_code(&arguments)
        }
        Constructor::Rollup(parameters) => {
            let parameters = parameters.into();
            Contract::Rollup.init_code(&Rollup::constructorCall { parameters })
        }
    }
}

/// Decodes a log of a contract with this role as an event of the protocol; `None` if it isn't one
/// of the role's events.
pub fn protocol_log(role: Role, log: &Log) -> Option<canon_protocol::Log> {
    let event = Event::from_log_data(role, &log.data)?;
    Some(canon_protocol::Log { emitter: log.address, event })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{Address, LogData, U256};
    use alloy_sol_types::SolEvent;
    use canon_protocol::{Amount, Fraction, GovernanceEvent, ProposalId, Seconds, Support};

    #[test]
    fn configurations_go_both_ways() {
        let configuration = Configuration {
            propose_config: ProposeConfiguration {
                lock_delay: Seconds::DAY,
                lock_amount: Amount::MAX,
            },
            voting_delay: Seconds::of(1),
            voting_duration: Seconds::of(2),
            execution_delay: Seconds::of(3),
            grace_period: Seconds::of(4),
            quorum: Fraction::percent(5),
            vote_differential: Fraction::percent(6),
            minimum_votes: Amount::of(7),
        };
        let governance = Governance::Configuration::from(configuration);
        assert_eq!(Configuration::try_from(governance), Ok(configuration));
        let mut expect = Expect::Configuration::from(configuration);
        assert_eq!(Configuration::try_from(expect.clone()), Ok(configuration));
        expect.gracePeriod = U256::MAX;
        assert!(Configuration::try_from(expect).is_err());
    }

    #[test]
    fn bindings_and_protocol_mean_the_same_log() {
        let voter = Address::repeat_byte(7);
        let sol = Governance::VoteCast {
            proposalId: U256::from(3),
            voter,
            support: true,
            amount: U256::from(5),
        };
        let log = Log { address: Address::repeat_byte(1), data: sol.encode_log_data() };
        let event = GovernanceEvent::VoteCast {
            proposal_id: ProposalId::of(3),
            voter,
            support: Support::Yea,
            amount: Amount::of(5),
        };
        let expected = canon_protocol::Log { emitter: log.address, event: event.into() };
        assert_eq!(protocol_log(Role::Governance, &log), Some(expected));
        assert_eq!(protocol_log(Role::Rollup, &log), None);
        let empty = Log { address: log.address, data: LogData::empty() };
        assert_eq!(protocol_log(Role::Governance, &empty), None);
    }
}
