//! Configurations, most of which let a history go on.

use super::Director;
use alloy_primitives::U256;
use canon_protocol::{Amount, RawConfiguration, Seconds, SetState};

/// One percent, as a fraction of 10^18.
const PERCENT: u64 = 10_000_000_000_000_000;

impl Director {
    /// A configuration with delays of minutes, so that a history has many proposals. Some values
    /// are at a bound or past it.
    pub(super) fn configuration(&mut self, set: &SetState) -> RawConfiguration {
        let governance = set.governance();
        let in_force = governance.configuration();
        let mut configuration = RawConfiguration::from(in_force);
        for delay in [
            &mut configuration.voting_delay,
            &mut configuration.voting_duration,
            &mut configuration.execution_delay,
            &mut configuration.grace_period,
        ] {
            *delay = U256::from(self.rng.between(60, 400));
        }
        let percent = |count: u64| U256::from(count * PERCENT);
        // With these, most fractions of powers have to be rounded.
        let [more_quorum, more_differential] = [self.rng.below(PERCENT), self.rng.below(PERCENT)];
        let tokens = |count: u64| U256::from(count) * Amount::TOKEN.to_word();
        configuration.propose_config.lock_delay = U256::from(self.rng.between(60, 2000));
        configuration.propose_config.lock_amount = tokens(self.rng.between(1, 500));
        configuration.quorum = percent(self.rng.between(1, 20)) + U256::from(more_quorum);
        configuration.vote_differential =
            percent(self.rng.between(0, 30)) + U256::from(more_differential);
        configuration.minimum_votes = tokens(self.rng.between(1, 500));
        let one = U256::from(1);
        let power = governance.total_power().to_word();
        let max_lock = in_force.propose_config.lock_amount.to_word().max(power / U256::from(10));
        let max_minimum = in_force.minimum_votes.to_word().max(power / U256::from(2));
        let most = U256::from(90 * Seconds::DAY.get());
        let year = U256::from(365 * Seconds::DAY.get());
        match self.rng.below(40) {
            0 => configuration.quorum = U256::ZERO,
            1 => configuration.voting_delay = U256::from(59),
            2 => configuration.minimum_votes = max_minimum + one,
            3 => configuration.voting_duration = most + one,
            4 => configuration.execution_delay = most,
            5 => configuration.grace_period = U256::from(60),
            6 => configuration.vote_differential = percent(90) + one,
            7 => configuration.propose_config.lock_delay = year + one,
            8 => configuration.propose_config.lock_delay = year,
            9 => configuration.propose_config.lock_amount = one,
            10 => configuration.propose_config.lock_amount = max_lock + one,
            11 => configuration.quorum = U256::MAX,
            12 => configuration.voting_delay = most,
            13 => configuration.minimum_votes = max_minimum,
            14 => configuration.propose_config.lock_amount = max_lock,
            15 => configuration.quorum = percent(90) + one,
            // A value that isn't raised is accepted, however much power has left.
            16 => configuration.minimum_votes = in_force.minimum_votes.to_word(),
            17 => {
                configuration.propose_config.lock_amount =
                    in_force.propose_config.lock_amount.to_word();
            }
            _ => {}
        }
        configuration
    }
}
