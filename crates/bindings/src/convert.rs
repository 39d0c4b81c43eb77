//! Where Solidity's structs and the protocol's types meet.
//!
//! Into Solidity everything fits; out of it, a value that is out of the protocol's range is an
//! error, never truncated.

use crate::contracts::{Expect, Governance};
use canon_protocol::{Configuration, ProposeConfiguration, Tally, TooLarge};

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

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::U256;
    use canon_protocol::{Amount, Fraction, Seconds};

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
}
