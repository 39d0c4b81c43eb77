//! Assertions about the set.

use alloy_primitives::{Address, B256, U256};
use canon_protocol::{Action, Configuration, GovernanceCall, RawConfiguration, Seconds, Timestamp};

pub(crate) use canon_testkit::{
    chain::{
        ASSET, Chain, DISTRIBUTOR, EXPECT, GOVERNANCE, ISSUER, PROPOSALS, REGISTRY, ROLLUP, START,
        action, harmless, key, named, sign, tokens,
    },
    small_set::{
        EPOCH, EPOCH_SECONDS, EXIT_DELAY, LOCK_AMOUNT, M, N, SLOT, STAKE, SUPPLY, TOKEN as T,
        configuration,
    },
};

/// The address of a contract that only the test uses.
pub(crate) fn contract(number: u64) -> Address {
    Address::from_word(B256::from(U256::from(0xc0de_0000_u64 + number)))
}

pub(crate) fn word(address: Address) -> U256 {
    address.into_word().into()
}

pub(crate) const fn at(timestamp: u64) -> Timestamp {
    Timestamp::of(timestamp)
}

/// A field of a configuration.
pub(crate) type Field = fn(&mut RawConfiguration) -> &mut U256;

/// The fields with their bounds, given the largest lockAmount and minimumVotes.
pub(crate) const fn bounds(
    lock_amount: u128,
    minimum_votes: u128,
) -> [(&'static str, Field, u128, u128); 9] {
    const DAY: u128 = Seconds::DAY.get() as u128;
    [
        ("lockDelay", |c| &mut c.propose_config.lock_delay, 60, 365 * DAY),
        ("lockAmount", |c| &mut c.propose_config.lock_amount, 2, lock_amount),
        ("votingDelay", |c| &mut c.voting_delay, 60, 90 * DAY),
        ("votingDuration", |c| &mut c.voting_duration, 60, 90 * DAY),
        ("executionDelay", |c| &mut c.execution_delay, 60, 90 * DAY),
        ("gracePeriod", |c| &mut c.grace_period, 60, 90 * DAY),
        ("quorum", |c| &mut c.quorum, 1, 9 * T / 10),
        ("voteDifferential", |c| &mut c.vote_differential, 0, 9 * T / 10),
        ("minimumVotes", |c| &mut c.minimum_votes, 1, minimum_votes),
    ]
}

/// The action that makes `configuration` the configuration in force.
pub(crate) fn update(configuration: Configuration) -> Vec<Action> {
    let configuration = Box::new(configuration.into());
    vec![action(GOVERNANCE, GovernanceCall::UpdateConfiguration { configuration })]
}
