//! The configuration of Governance, which is frozen for each proposal at its creation.

use super::GovernanceRefusal;
use crate::{
    abi::{Abi, abi_struct},
    units::{Amount, Fraction, Seconds, TooLarge},
};
use alloy_primitives::{B256, U256};
use alloy_sol_types::SolType;
use serde::{Deserialize, Serialize};

/// The parameters of the emergency path, on which a proposal needs no sequencers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProposeConfiguration {
    /// The least time for which the lock's amount is withheld.
    pub lock_delay: Seconds,
    /// The power that a proposal through the lock gives up.
    pub lock_amount: Amount,
}

/// The configuration of Governance. Each proposal keeps the one in force at its creation.
///
/// Deserializing checks only the ranges of the types; [`Configuration::check`] and
/// [`Configuration::check_change`] check whether Governance accepts the values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Configuration {
    /// The emergency path.
    pub propose_config: ProposeConfiguration,
    /// The length of Pending.
    pub voting_delay: Seconds,
    /// The length of Active.
    pub voting_duration: Seconds,
    /// The length of Queued.
    pub execution_delay: Seconds,
    /// The length of Executable.
    pub grace_period: Seconds,
    /// The fraction of all power that must be cast.
    pub quorum: Fraction,
    /// The fraction of the cast power by which yea must exceed nea.
    pub vote_differential: Fraction,
    /// The total power below which no proposal passes.
    pub minimum_votes: Amount,
}

/// The parameters of the emergency path as a caller sends them, unchecked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawProposeConfiguration {
    /// The lock delay, in seconds.
    pub lock_delay: U256,
    /// The lock amount, in base units of power.
    pub lock_amount: U256,
}

/// A configuration as a caller sends it, unchecked. Times are in seconds, fractions in parts of 10^18.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawConfiguration {
    /// The emergency path.
    pub propose_config: RawProposeConfiguration,
    /// The voting delay, in seconds.
    pub voting_delay: U256,
    /// The voting duration, in seconds.
    pub voting_duration: U256,
    /// The execution delay, in seconds.
    pub execution_delay: U256,
    /// The grace period, in seconds.
    pub grace_period: U256,
    /// The fraction of all power that must be cast.
    pub quorum: U256,
    /// The fraction of the cast power by which yea must exceed nea.
    pub vote_differential: U256,
    /// The least total power, in base units of power.
    pub minimum_votes: U256,
}

abi_struct!(RawProposeConfiguration { lock_delay: U256, lock_amount: U256 });
abi_struct!(RawConfiguration {
    propose_config: RawProposeConfiguration,
    voting_delay: U256,
    voting_duration: U256,
    execution_delay: U256,
    grace_period: U256,
    quorum: U256,
    vote_differential: U256,
    minimum_votes: U256,
});

/// The bounds of votingDelay, votingDuration, executionDelay and gracePeriod, in seconds. If one is below a
/// minute, a single block can decide; above 90 days governance would be too slow to be of use.
const DELAY_BOUNDS: (u64, u64) = (Seconds::MINUTE.get(), 90 * Seconds::DAY.get());
/// The bounds of lockDelay, in seconds.
const LOCK_DELAY_BOUNDS: (u64, u64) = (Seconds::MINUTE.get(), 365 * Seconds::DAY.get());
/// The largest quorum and voteDifferential: nine tenths. If it were the whole, a single unit of power could
/// veto every proposal.
const MAX_VOTE_FRACTION: u64 = 9 * (Fraction::ONE.get() / 10);
/// The divisor for the largest lockAmount: a tenth of the asset's supply at construction, and of all power
/// when it is raised.
const LOCK_AMOUNT_DIVISOR: u128 = 10;
/// The divisor for the largest minimumVotes: half of the same amounts.
const MINIMUM_VOTES_DIVISOR: u128 = 2;

impl Configuration {
    /// The configuration with the least accepted value of every field.
    pub const LEAST: Self = Self {
        propose_config: ProposeConfiguration {
            lock_delay: Seconds::of(LOCK_DELAY_BOUNDS.0),
            lock_amount: Amount::of(2),
        },
        voting_delay: Seconds::of(DELAY_BOUNDS.0),
        voting_duration: Seconds::of(DELAY_BOUNDS.0),
        execution_delay: Seconds::of(DELAY_BOUNDS.0),
        grace_period: Seconds::of(DELAY_BOUNDS.0),
        quorum: Fraction::of(1),
        vote_differential: Fraction::ZERO,
        minimum_votes: Amount::of(1),
    };

    /// Returns the configuration if Governance accepts it at construction while the asset's total supply is
    /// `supply`; otherwise [`GovernanceRefusal::OutOfBounds`] for the first field out of its bounds.
    ///
    /// | field | minimum | maximum at construction | maximum at a change |
    /// |---|---|---|---|
    /// | lockDelay | 60 s | 365 days | the same |
    /// | lockAmount | 2 | supply / 10 | the greater of the value in force and all power / 10 |
    /// | votingDelay, votingDuration, executionDelay, gracePeriod | 60 s | 90 days | the same |
    /// | quorum | 1 | 0.9 · 10^18 | the same |
    /// | voteDifferential | 0 | 0.9 · 10^18 | the same |
    /// | minimumVotes | 1 | supply / 2 | the greater of the value in force and all power / 2 |
    pub fn check(raw: &RawConfiguration, supply: Amount) -> Result<Self, GovernanceRefusal> {
        let max_lock_amount = divided(supply, LOCK_AMOUNT_DIVISOR);
        let max_minimum_votes = divided(supply, MINIMUM_VOTES_DIVISOR);
        Self::check_within(raw, max_lock_amount, max_minimum_votes)
    }

    /// Returns the configuration if Governance accepts it as the successor of `in_force` while all holders
    /// together have `total_power`. A value that isn't raised is never refused because holders left. A
    /// raised value stays reachable after many of them left.
    ///
    /// The table of [`Configuration::check`] lists the bounds.
    pub fn check_change(
        raw: &RawConfiguration,
        in_force: &Self,
        total_power: Amount,
    ) -> Result<Self, GovernanceRefusal> {
        let max_lock_amount = divided(total_power, LOCK_AMOUNT_DIVISOR);
        let max_minimum_votes = divided(total_power, MINIMUM_VOTES_DIVISOR);
        Self::check_within(
            raw,
            max_lock_amount.max(in_force.propose_config.lock_amount),
            max_minimum_votes.max(in_force.minimum_votes),
        )
    }

    fn check_within(
        raw: &RawConfiguration,
        max_lock_amount: Amount,
        max_minimum_votes: Amount,
    ) -> Result<Self, GovernanceRefusal> {
        let least = Self::LEAST;
        let lock_amount = (least.propose_config.lock_amount.to_word(), max_lock_amount.to_word());
        let minimum_votes = (least.minimum_votes.to_word(), max_minimum_votes.to_word());
        within("lockDelay", raw.propose_config.lock_delay, LOCK_DELAY_BOUNDS)?;
        within_words("lockAmount", raw.propose_config.lock_amount, lock_amount)?;
        within("votingDelay", raw.voting_delay, DELAY_BOUNDS)?;
        within("votingDuration", raw.voting_duration, DELAY_BOUNDS)?;
        within("executionDelay", raw.execution_delay, DELAY_BOUNDS)?;
        within("gracePeriod", raw.grace_period, DELAY_BOUNDS)?;
        within("quorum", raw.quorum, (least.quorum.get(), MAX_VOTE_FRACTION))?;
        let differential = (least.vote_differential.get(), MAX_VOTE_FRACTION);
        within("voteDifferential", raw.vote_differential, differential)?;
        within_words("minimumVotes", raw.minimum_votes, minimum_votes)?;
        Ok(Self::fit(raw).expect("values within the bounds fit their types"))
    }

    fn fit(raw: &RawConfiguration) -> Result<Self, TooLarge> {
        Ok(Self {
            propose_config: ProposeConfiguration {
                lock_delay: raw.propose_config.lock_delay.try_into()?,
                lock_amount: raw.propose_config.lock_amount.try_into()?,
            },
            voting_delay: raw.voting_delay.try_into()?,
            voting_duration: raw.voting_duration.try_into()?,
            execution_delay: raw.execution_delay.try_into()?,
            grace_period: raw.grace_period.try_into()?,
            quorum: raw.quorum.try_into()?,
            vote_differential: raw.vote_differential.try_into()?,
            minimum_votes: raw.minimum_votes.try_into()?,
        })
    }
}

/// `amount / divisor`, rounded down.
const fn divided(amount: Amount, divisor: u128) -> Amount {
    Amount::of(amount.get() / divisor)
}

fn within(field: &str, value: U256, (min, max): (u64, u64)) -> Result<(), GovernanceRefusal> {
    within_words(field, value, (U256::from(min), U256::from(max)))
}

fn within_words(
    field: &str,
    value: U256,
    (min, max): (U256, U256),
) -> Result<(), GovernanceRefusal> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    let field = B256::right_padding_from(field.as_bytes());
    Err(GovernanceRefusal::OutOfBounds { field, value, min, max })
}

impl From<Configuration> for RawConfiguration {
    fn from(configuration: Configuration) -> Self {
        Self {
            propose_config: RawProposeConfiguration {
                lock_delay: configuration.propose_config.lock_delay.to_word(),
                lock_amount: configuration.propose_config.lock_amount.to_word(),
            },
            voting_delay: configuration.voting_delay.to_word(),
            voting_duration: configuration.voting_duration.to_word(),
            execution_delay: configuration.execution_delay.to_word(),
            grace_period: configuration.grace_period.to_word(),
            quorum: configuration.quorum.to_word(),
            vote_differential: configuration.vote_differential.to_word(),
            minimum_votes: configuration.minimum_votes.to_word(),
        }
    }
}

impl Abi for Configuration {
    type Sol = <RawConfiguration as Abi>::Sol;

    fn to_sol(&self) -> <Self::Sol as SolType>::RustType {
        RawConfiguration::from(*self).to_sol()
    }

    fn from_sol(value: <Self::Sol as SolType>::RustType) -> Option<Self> {
        Self::fit(&RawConfiguration::from_sol(value)?).ok()
    }
}
