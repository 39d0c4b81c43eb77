//! The delay with which withdrawn tokens are paid.
//!
//! No holder whose ballot counts may have the tokens back before the proposal can be executed. A proposal
//! keeps the configuration it was created under, so the delay has to cover past configurations too. The
//! floor ensures that.

use super::configuration::Configuration;
use crate::units::{Seconds, Timestamp};
use core::num::NonZeroU64;
use serde::{Deserialize, Serialize};

/// A withdrawal delay covers only a fifth of the voting delay: a holder who leaves within the first four
/// fifths gets the tokens before execution.
const VOTING_DELAY_DIVISOR: NonZeroU64 = NonZeroU64::new(5).expect("not zero");

/// `D(c) = floor(votingDelay / 5) + votingDuration + executionDelay`: the time for which tokens are
/// withheld if only `configuration` matters.
pub fn withdrawal_delay(configuration: &Configuration) -> Seconds {
    configuration.voting_delay / VOTING_DELAY_DIVISOR
        + configuration.voting_duration
        + configuration.execution_delay
}

/// The least delay of withdrawals that are started up to `until`. The initial floor is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitFloor {
    /// The least delay.
    pub delay: Seconds,
    /// The last second in which it holds.
    pub until: Timestamp,
}

impl ExitFloor {
    /// The floor after `old` was replaced at `now`: proposals created under `old` up to now may
    /// matter until the last of them can be executed.
    #[must_use]
    pub fn after_replacing(self, old: &Configuration, now: Timestamp) -> Self {
        let kept = if now > self.until { Seconds::ZERO } else { self.delay };
        let matters_until = now + old.voting_delay + old.voting_duration + old.execution_delay;
        Self { delay: kept.max(withdrawal_delay(old)), until: self.until.max(matters_until) }
    }

    /// The time for which the tokens of a withdrawal started at `now` are withheld, when `current` is the
    /// configuration in force.
    pub fn delay_at(&self, now: Timestamp, current: &Configuration) -> Seconds {
        let floor = if now <= self.until { self.delay } else { Seconds::ZERO };
        floor.max(withdrawal_delay(current))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration(delay: u64, duration: u64, execution: u64) -> Configuration {
        Configuration {
            voting_delay: Seconds::of(delay),
            voting_duration: Seconds::of(duration),
            execution_delay: Seconds::of(execution),
            ..Configuration::default()
        }
    }

    #[test]
    fn a_fifth_of_the_voting_delay_is_covered_rounded_down() {
        for (delay, expected) in [(0, 500), (4, 500), (5, 501), (60, 512), (64, 512), (65, 513)] {
            assert_eq!(withdrawal_delay(&configuration(delay, 200, 300)), Seconds::of(expected));
        }
    }

    #[test]
    fn the_floor_outlives_every_proposal_of_the_old_configuration() {
        let (long, short) = (configuration(100, 200, 300), configuration(60, 60, 60));
        let floor = ExitFloor::default().after_replacing(&long, Timestamp::of(1000));
        assert_eq!(floor, ExitFloor { delay: Seconds::of(520), until: Timestamp::of(1600) });
        for (now, delay) in [(1000, 520), (1600, 520), (1601, 132)] {
            assert_eq!(floor.delay_at(Timestamp::of(now), &short), Seconds::of(delay), "at {now}");
        }
    }

    #[test]
    fn the_floor_keeps_the_larger_delay_while_it_holds() {
        let (long, short) = (configuration(100, 200, 300), configuration(60, 60, 60));
        let floor = ExitFloor::default().after_replacing(&long, Timestamp::of(1000));
        // Replaced in the last second in which the floor holds, so the long delay is carried over.
        assert_eq!(
            floor.after_replacing(&short, Timestamp::of(1600)),
            ExitFloor { delay: Seconds::of(520), until: Timestamp::of(1780) }
        );
        // One second later it no longer counts.
        assert_eq!(
            floor.after_replacing(&short, Timestamp::of(1601)),
            ExitFloor { delay: Seconds::of(132), until: Timestamp::of(1781) }
        );
        // A short configuration doesn't shorten the delay that the long one needs.
        assert_eq!(
            floor.after_replacing(&short, Timestamp::of(1001)),
            ExitFloor { delay: Seconds::of(520), until: Timestamp::of(1600) }
        );
    }
}
