//! Whether holders can still make Governance act when sequencers don't.
//!
//! A proposal through the lock can pass if enough power is left at its snapshot. Power that was given
//! up for it counts again only if it is paid and locked once more before the snapshot:
//!
//! | the lock's amount is paid | power at the snapshot, at most |
//! |---|---|
//! | up to the last second of Pending | all of the asset that can be locked |
//! | later | that less `lockAmount` |
//!
//! If all of it is cast for the proposal, only `minimumVotes` can reject it. The bounds of a
//! configuration keep `lockAmount` at a tenth and `minimumVotes` at half of what there was when they
//! were raised, so the holders of all of the asset can always use this way. Asset that can't be locked
//! any more, because it was slashed or sent to a contract, doesn't count for it.

use super::{Configuration, Governance, withdrawal_delay};
use crate::units::{Amount, Seconds, Timestamp};
use serde::{Deserialize, Serialize};

/// What it takes to pass a proposal through the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockPath {
    /// Power that is given up for it: `lockAmount`.
    pub given_up: Amount,
    /// Power that there can be at the snapshot, if all that can be locked is; 0 if that is less than the
    /// lock takes.
    pub reachable: Amount,
    /// Power that there has to be at the snapshot: `minimumVotes`.
    pub needed: Amount,
}

impl LockPath {
    /// Under `configuration`, if the lock's amount is withheld for `delay` and `lockable` of the asset is
    /// locked or can be.
    pub fn new(configuration: &Configuration, delay: Seconds, lockable: Amount) -> Self {
        let given_up = configuration.propose_config.lock_amount;
        let comes_back = delay <= configuration.voting_delay;
        let reachable = match lockable.checked_sub(given_up) {
            None => Amount::ZERO,
            Some(_) if comes_back => lockable,
            Some(rest) => rest,
        };
        Self { given_up, reachable, needed: configuration.minimum_votes }
    }

    /// Under `configuration` when nothing that earlier ones withhold matters.
    pub fn lasting(configuration: &Configuration, lockable: Amount) -> Self {
        let delay = withdrawal_delay(configuration);
        Self::new(configuration, delay.max(configuration.propose_config.lock_delay), lockable)
    }

    /// Whether those who lock all that can be locked can pass a proposal through the lock.
    pub fn is_open(&self) -> bool {
        self.reachable >= self.needed
    }
}

impl Governance {
    /// What it takes to pass a proposal through the lock from `now` on, when `lockable` of the asset is
    /// locked or can be. Once what earlier configurations withhold is over, and only then, it may take
    /// less.
    pub fn lock_path(&self, now: Timestamp, lockable: Amount) -> LockPath {
        LockPath::new(&self.configuration(), self.lock_delay(now), lockable)
    }

    /// The same when nothing that earlier configurations withhold matters any more.
    pub fn lasting_lock_path(&self, lockable: Amount) -> LockPath {
        LockPath::lasting(&self.configuration(), lockable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::governance::ProposeConfiguration;

    const SUPPLY: Amount = Amount::of(1000);

    fn path(minimum: u128, lock: u128, delay: u64) -> LockPath {
        let configuration = Configuration {
            propose_config: ProposeConfiguration {
                lock_amount: Amount::of(lock),
                ..ProposeConfiguration::default()
            },
            voting_delay: Seconds::of(100),
            minimum_votes: Amount::of(minimum),
            ..Configuration::default()
        };
        LockPath::new(&configuration, Seconds::of(delay), SUPPLY)
    }

    #[test]
    fn what_is_paid_in_the_last_second_of_pending_counts_again() {
        for (minimum, lock, delay, open) in [
            (998, 2, 101, true),
            (999, 2, 101, false),
            (1000, 2, 101, false),
            (1000, 2, 100, true),
            (1, 1000, 101, false),
            (1, 1000, 100, true),
            (1, 999, 101, true),
            (1, 1001, 101, false),
            (1, 1001, 100, false),
        ] {
            let path = path(minimum, lock, delay);
            assert_eq!(path.is_open(), open, "{minimum} of 1000, lock {lock}, delay {delay}");
            assert_eq!((path.given_up, path.needed), (Amount::of(lock), Amount::of(minimum)));
        }
    }
}
