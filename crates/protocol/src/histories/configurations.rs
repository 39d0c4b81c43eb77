//! Configurations that a history survives, mostly.

use super::Director;
use crate::{
    governance::{RawConfiguration, RawProposeConfiguration},
    units::Amount,
};
use alloy::primitives::U256;

impl Director {
    /// Delays of minutes, so that a history sees many proposals; sometimes out of bounds.
    pub(super) fn configuration(&mut self) -> RawConfiguration {
        let mut delay = || U256::from(self.rng.between(60, 400));
        let [voting_delay, voting_duration, execution_delay, grace_period] =
            [delay(), delay(), delay(), delay()];
        let percent = |count: u64| U256::from(count * 10_000_000_000_000_000);
        let tokens = |count: u64| U256::from(count) * Amount::TOKEN.to_word();
        let mut configuration = RawConfiguration {
            propose_config: RawProposeConfiguration {
                lock_delay: U256::from(self.rng.between(60, 2000)),
                lock_amount: tokens(self.rng.between(1, 500)),
            },
            voting_delay,
            voting_duration,
            execution_delay,
            grace_period,
            quorum: percent(self.rng.between(1, 20)),
            vote_differential: percent(self.rng.between(0, 30)),
            minimum_votes: tokens(self.rng.between(1, 500)),
        };
        match self.rng.below(12) {
            0 => configuration.quorum = U256::ZERO,
            1 => configuration.voting_delay = U256::from(59),
            2 => configuration.minimum_votes = U256::MAX,
            _ => {}
        }
        configuration
    }
}
