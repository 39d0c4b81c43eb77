//! The number of participants in a scenario, which can be changed for a simulation.

use canon_protocol::{Amount, text};

use super::{
    model::{Scenario, Sequencers},
    validate::{MAX_HOLDERS, MAX_SEQUENCERS},
};

/// A number of participants with which a scenario can't be simulated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScaleError {
    /// The number is below that of the scenario's groups, or above the largest that can be
    /// simulated.
    #[error("{what} must be {} to {}, not {}", text::grouped(*.least), text::grouped(*.most), text::grouped(*.asked))]
    Count {
        /// The kind of participants: sequencers or holders.
        what: &'static str,
        /// The number that was asked for.
        asked: u64,
        /// The least number.
        least: u64,
        /// The largest number.
        most: u64,
    },
    /// The supply isn't enough for all of them.
    #[error("the scenario's asset.supply of {} isn't enough for so many", text::tokens(*.supply))]
    Supply {
        /// The scenario's supply.
        supply: Amount,
    },
}

impl Scenario {
    /// The number of holders.
    pub fn holder_count(&self) -> u64 {
        self.holders.iter().fold(0, |sum, group| sum.saturating_add(group.count))
    }

    /// The largest number of tokens that stakes, locks and rewards can need; `None` if it doesn't
    /// fit 96 bits.
    pub(super) fn tokens_needed(&self) -> Option<Amount> {
        let times = |amount: Amount, count: u64| {
            amount.get().checked_mul(u128::from(count)).and_then(Amount::new)
        };
        let Sequencers { count, pioneers, squatted, .. } = self.sequencers;
        let stakers = count.saturating_add(pioneers).saturating_add(squatted);
        let stakes = times(self.rollup.stake, stakers)?;
        self.holders
            .iter()
            .map(|group| times(group.most, group.count))
            .try_fold(self.asset.reward_pool.checked_add(stakes)?, |sum, lock| {
                sum.checked_add(lock?)
            })
    }

    /// The same scenario with `count` sequencers. The share that behaves differently stays the
    /// same.
    ///
    /// # Errors
    ///
    /// If that number can't be simulated.
    pub fn with_sequencers(mut self, count: u64) -> Result<Self, ScaleError> {
        if !(1..=MAX_SEQUENCERS).contains(&count) {
            let (least, most) = (1, MAX_SEQUENCERS);
            return Err(ScaleError::Count { what: "sequencers", asked: count, least, most });
        }
        let before = self.sequencers;
        let share = |part: u64| {
            let scaled = u128::from(part) * u128::from(count) / u128::from(before.count.max(1));
            u64::try_from(scaled).unwrap_or(u64::MAX)
        };
        self.sequencers = Sequencers {
            count,
            offline: share(before.offline),
            silent: share(before.silent),
            stay: share(before.stay),
            pioneers: share(before.pioneers),
            squatted: share(before.squatted),
        };
        self.affordable()
    }

    /// The same scenario with `count` holders. Every group keeps its share, and at least one
    /// holder.
    ///
    /// # Errors
    ///
    /// If that number can't be simulated.
    pub fn with_holders(mut self, count: u64) -> Result<Self, ScaleError> {
        let least = self.holders.len() as u64;
        if !(least..=MAX_HOLDERS).contains(&count) {
            let most = MAX_HOLDERS;
            return Err(ScaleError::Count { what: "holders", asked: count, least, most });
        }
        let before = self.holder_count();
        let spread = count - least;
        let extra = before - least;
        let mut given = 0;
        for group in &mut self.holders {
            let share = u128::from(group.count - 1) * u128::from(spread);
            let share = u64::try_from(share / u128::from(extra.max(1))).unwrap_or(0);
            group.count = 1 + share;
            given += group.count;
        }
        // The holders left over by rounding go to the first groups, one each.
        let left = usize::try_from(count - given).unwrap_or(0);
        let groups = self.holders.len();
        for position in 0..left {
            self.holders[position % groups].count += 1;
        }
        self.affordable()
    }

    /// The same scenario with another seed.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    fn affordable(self) -> Result<Self, ScaleError> {
        let supply = self.asset.supply;
        match self.tokens_needed() {
            Some(needed) if needed <= supply => Ok(self),
            _ => Err(ScaleError::Supply { supply }),
        }
    }
}
