//! Constructors of a set for tests, with votes of minutes and rounds of two minutes.

use alloy_primitives::{Address, U256};
use canon_protocol::{
    Addresses, Amount, Configuration, Constructor, Fraction, RawRollupParameters, Seconds,
    Timestamp,
};

/// A token in base units.
pub const TOKEN: u128 = Amount::TOKEN.get();
/// The length of a slot in seconds.
pub const SLOT: u64 = 24;
/// The length of an epoch in slots.
pub const EPOCH: u64 = 4;
/// The length of an epoch in seconds.
pub const EPOCH_SECONDS: u64 = SLOT * EPOCH;
/// Seconds from leaving until the stake is paid.
pub const EXIT_DELAY: u64 = 3 * EPOCH_SECONDS;
/// The number of signals that win a round.
pub const N: u32 = 3;
/// The number of slots in a round.
pub const M: u32 = 5;
/// The least stake, in base units.
pub const STAKE: u128 = 100 * TOKEN;
/// The initial supply, in base units.
pub const SUPPLY: u128 = 1_000_000 * TOKEN;
/// The power that a proposal through the lock costs, in base units.
pub const LOCK_AMOUNT: u128 = 500 * TOKEN;
/// The reward for a block, in base units.
pub const BLOCK_REWARD: u128 = 5 * TOKEN;

/// The first configuration.
pub const fn configuration() -> Configuration {
    let mut configuration = Configuration::LEAST;
    configuration.propose_config.lock_delay = Seconds::of(5000);
    configuration.propose_config.lock_amount = Amount::of(LOCK_AMOUNT);
    configuration.voting_delay = Seconds::of(100);
    configuration.voting_duration = Seconds::of(200);
    configuration.execution_delay = Seconds::of(300);
    configuration.grace_period = Seconds::of(400);
    configuration.quorum = Fraction::percent(10);
    configuration.vote_differential = Fraction::percent(4);
    configuration.minimum_votes = Amount::of(1000 * TOKEN);
    configuration
}

/// The Asset of `owner`, with `supply` at `initial_holder`.
pub fn asset(owner: Address, initial_holder: Address, supply: Amount) -> Constructor {
    Constructor::Asset {
        name: "Canon".to_owned(),
        symbol: "CAN".to_owned(),
        owner,
        initial_holder,
        initial_supply: supply.to_word(),
    }
}

/// A Proposals contract: [`N`] of [`M`] signals win a round.
pub fn proposals(registry: Address) -> Constructor {
    Constructor::Proposals { registry, n: U256::from(N), m: U256::from(M) }
}

/// Governance with its first Proposals contract.
pub fn governance(asset: Address, proposals: Address) -> Constructor {
    Constructor::Governance { asset, proposals, configuration: configuration().into() }
}

/// The Issuer, owned by Governance: it may mint one token per second.
pub fn issuer(at: &Addresses) -> Constructor {
    Constructor::Issuer { asset: at.asset, rate: U256::from(TOKEN), owner: at.governance }
}

/// The RewardDistributor, owned by Governance.
pub fn distributor(at: &Addresses) -> Constructor {
    Constructor::Distributor {
        asset: at.asset,
        registry: at.registry,
        block_reward: U256::from(BLOCK_REWARD),
        owner: at.governance,
    }
}

/// The parameters of a rollup that is owned by Governance and begins at `genesis`.
pub fn rollup_parameters(at: &Addresses, genesis: Timestamp) -> RawRollupParameters {
    RawRollupParameters {
        asset: at.asset,
        registry: at.registry,
        reward_distributor: at.reward_distributor,
        owner: at.governance,
        genesis_time: genesis.to_word(),
        slot_duration: U256::from(SLOT),
        epoch_duration: U256::from(EPOCH),
        minimum_stake: U256::from(STAKE),
        exit_delay: U256::from(EXIT_DELAY),
    }
}
