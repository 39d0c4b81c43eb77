//! The parameters of a set, as written in a file, and their checks.

use super::{
    invalid::{InvalidParameters, ParameterProblem},
    origin::Create2Origin,
    plan::{RollupWiring, SetPlan},
};
use alloy_primitives::{Address, U256};
use canon_abi::Contract;
use canon_protocol::{
    Amount, Configuration, Fraction, ProposeConfiguration, RawRollupParameters, RoundRules,
    Seconds, Timestamp, text,
};
use serde::{Deserialize, Serialize};

/// The parameters of a set, as a person writes them. Durations, fractions and amounts have units:
/// `"3 d"`, `"20 %"`, `"1,000"` tokens (see [`text`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetParameters {
    /// The token.
    pub asset: AssetParameters,
    /// The signals of a round.
    pub signaling: SignalingParameters,
    /// The votes.
    pub governance: GovernanceParameters,
    /// The first rollup.
    pub rollup: RollupSettings,
    /// The origin of the contracts: the factory that creates them, and its salt.
    #[serde(default, skip_serializing_if = "Create2Origin::is_default")]
    pub origin: Create2Origin,
}

/// The token, its issuance and its rewards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssetParameters {
    /// ERC-20 name; also names the domain of permits.
    pub name: String,
    /// ERC-20 symbol.
    pub symbol: String,
    /// The receiver of the initial supply. Default: the deployer.
    #[serde(default, with = "text::address::option", skip_serializing_if = "Option::is_none")]
    pub initial_holder: Option<Address>,
    /// Initial supply.
    #[serde(with = "text::amount")]
    pub initial_supply: Amount,
    /// Tokens per second that Governance may mint.
    #[serde(with = "text::amount")]
    pub issued_per_second: Amount,
    /// Tokens paid for each block of the canonical rollup, while the RewardDistributor has any.
    #[serde(with = "text::amount")]
    pub block_reward: Amount,
}

/// Signals per round: `n` of `m`. Bounds: n ≥ 2, m / 2 < n ≤ m, m < 2^24.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignalingParameters {
    /// Signals that win a round.
    pub n: u32,
    /// Slots of a round.
    pub m: u32,
}

/// The first configuration of Governance. Delays, durations and the grace period are 60 s to 90 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GovernanceParameters {
    /// Time between a proposal's creation and its vote.
    #[serde(with = "text::duration")]
    pub voting_delay: Seconds,
    /// Length of the vote.
    #[serde(with = "text::duration")]
    pub voting_duration: Seconds,
    /// Time between the end of the vote and the first possible execution.
    #[serde(with = "text::duration")]
    pub execution_delay: Seconds,
    /// Time in which an accepted proposal can be executed.
    #[serde(with = "text::duration")]
    pub grace_period: Seconds,
    /// Share of all power that must be cast: above 0, at most 90 %.
    #[serde(with = "text::fraction")]
    pub quorum: Fraction,
    /// Share of the cast power by which votes for must exceed votes against: at most 90 %.
    #[serde(with = "text::fraction")]
    pub vote_differential: Fraction,
    /// Total power below which no proposal passes: above 0, at most half of the initial supply.
    #[serde(with = "text::amount")]
    pub minimum_votes: Amount,
    /// Power that the proposer gives up to make a proposal without signals: at least two base units, at
    /// most a tenth of the initial supply.
    #[serde(with = "text::amount")]
    pub lock_amount: Amount,
    /// The least time for which that amount is withheld: 60 s to 365 days.
    #[serde(with = "text::duration")]
    pub lock_delay: Seconds,
}

/// A rollup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollupSettings {
    /// First second of slot 0. Default: the time of the newest block before the deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub genesis: Option<Timestamp>,
    /// Length of a slot: at least 1 s.
    #[serde(with = "text::duration")]
    pub slot_duration: Seconds,
    /// Slots of an epoch: at least two, with at least 24 s after the first.
    pub epoch_slots: u64,
    /// The least stake of an attester in the sequencer set: above 0.
    #[serde(with = "text::amount")]
    pub minimum_stake: Amount,
    /// Time between leaving the set and getting the stake back: at least two epochs, at most 365 days. If
    /// it isn't longer than the whole way of a proposal, an attester can leave before it is slashed.
    #[serde(with = "text::duration")]
    pub exit_delay: Seconds,
}

/// Parameters that the constructors accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedParameters {
    raw: SetParameters,
    rounds: RoundRules,
    configuration: Configuration,
}

impl SetParameters {
    /// A set for tests: 6 of 10 signals, slots of 24 s, all delays 1 h, a quorum of 10 % and a differential
    /// of 4 %. Stake isn't accountable: it can leave before a proposal that slashes it is executed.
    pub fn tests() -> Self {
        Self {
            asset: AssetParameters {
                name: "Canon Test".into(),
                symbol: "CANT".into(),
                initial_holder: None,
                initial_supply: tokens(100_000_000),
                issued_per_second: tokens(1),
                block_reward: tokens(5),
            },
            signaling: SignalingParameters { n: 6, m: 10 },
            governance: GovernanceParameters {
                voting_delay: Seconds::HOUR,
                voting_duration: Seconds::HOUR,
                execution_delay: Seconds::HOUR,
                grace_period: Seconds::HOUR,
                quorum: Fraction::percent(10),
                vote_differential: Fraction::percent(4),
                minimum_votes: tokens(1000),
                lock_amount: tokens(1000),
                lock_delay: Seconds::HOUR,
            },
            rollup: RollupSettings {
                genesis: None,
                slot_duration: Seconds::of(24),
                epoch_slots: 16,
                minimum_stake: tokens(100),
                exit_delay: Seconds::HOUR,
            },
            origin: Create2Origin::default(),
        }
    }

    /// A mainnet-like set: 600 of 1000 signals, slots of 72 s, a voting delay of 3 days, a week
    /// each for votes, execution delay and grace period, a quorum of 20 % and a differential of
    /// 33 %. Stake that leaves is paid after 30 days, so a proposal that slashes it comes first.
    pub fn mainnet_like() -> Self {
        Self {
            asset: AssetParameters {
                name: "Canon".into(),
                symbol: "CANON".into(),
                initial_holder: None,
                initial_supply: tokens(10_000_000_000),
                issued_per_second: tokens(50),
                block_reward: tokens(400),
            },
            signaling: SignalingParameters { n: 600, m: 1000 },
            governance: GovernanceParameters {
                voting_delay: Seconds::of(3 * Seconds::DAY.get()),
                voting_duration: Seconds::of(7 * Seconds::DAY.get()),
                execution_delay: Seconds::of(7 * Seconds::DAY.get()),
                grace_period: Seconds::of(7 * Seconds::DAY.get()),
                quorum: Fraction::percent(20),
                vote_differential: Fraction::percent(33),
                minimum_votes: tokens(100_000_000),
                lock_amount: tokens(250_000_000),
                lock_delay: Seconds::of(90 * Seconds::DAY.get()),
            },
            rollup: RollupSettings {
                genesis: None,
                slot_duration: Seconds::of(72),
                epoch_slots: 32,
                minimum_stake: tokens(200_000),
                exit_delay: Seconds::of(30 * Seconds::DAY.get()),
            },
            origin: Create2Origin::default(),
        }
    }

    /// Checks the parameters by the rules of the constructors.
    ///
    /// # Errors
    ///
    /// All problems of the parameters.
    pub fn check(self) -> Result<CheckedParameters, InvalidParameters> {
        let mut problems = Vec::new();
        for (field, value) in
            [("asset.name", &self.asset.name), ("asset.symbol", &self.asset.symbol)]
        {
            if value.trim().is_empty() {
                problems.push(ParameterProblem::new(field, "expected a text, found an empty one"));
            }
        }
        // The deployer and the genesis make no difference here: the real ones are refused only if the
        // genesis is in the future, which depends on the time of the deployment.
        let genesis = self.rollup.genesis.unwrap_or_default();
        let plan = SetPlan::new(&self, Address::repeat_byte(1), genesis);
        let refusals = plan.refusals(genesis);
        problems
            .extend(refusals.iter().map(|(contract, why)| ParameterProblem::of(*contract, why)));
        let configuration = self.governance.configuration();
        match RoundRules::new(self.signaling.n, self.signaling.m) {
            Ok(rounds) if problems.is_empty() => {
                Ok(CheckedParameters { raw: self, rounds, configuration })
            }
            Ok(_) => Err(InvalidParameters::of(problems)),
            Err(error) => {
                if problems.is_empty() {
                    problems.push(ParameterProblem::new("signaling", error.to_string()));
                }
                Err(InvalidParameters::of(problems))
            }
        }
    }
}

impl From<Configuration> for GovernanceParameters {
    fn from(configuration: Configuration) -> Self {
        let ProposeConfiguration { lock_delay, lock_amount } = configuration.propose_config;
        Self {
            voting_delay: configuration.voting_delay,
            voting_duration: configuration.voting_duration,
            execution_delay: configuration.execution_delay,
            grace_period: configuration.grace_period,
            quorum: configuration.quorum,
            vote_differential: configuration.vote_differential,
            minimum_votes: configuration.minimum_votes,
            lock_amount,
            lock_delay,
        }
    }
}

impl GovernanceParameters {
    /// The configuration of Governance with these parameters.
    pub const fn configuration(&self) -> Configuration {
        Configuration {
            propose_config: ProposeConfiguration {
                lock_delay: self.lock_delay,
                lock_amount: self.lock_amount,
            },
            voting_delay: self.voting_delay,
            voting_duration: self.voting_duration,
            execution_delay: self.execution_delay,
            grace_period: self.grace_period,
            quorum: self.quorum,
            vote_differential: self.vote_differential,
            minimum_votes: self.minimum_votes,
        }
    }
}

impl RollupSettings {
    /// Checks the parameters by the rules of the constructor, except for a genesis in the future, which
    /// depends on the time of the deployment.
    ///
    /// # Errors
    ///
    /// The problems found.
    pub fn check(&self) -> Result<(), InvalidParameters> {
        let any = Address::repeat_byte(1);
        let wiring =
            RollupWiring { asset: any, registry: any, reward_distributor: any, owner: any };
        let genesis = self.genesis.unwrap_or_default();
        let plan = wiring.plan(Create2Origin::default(), self, genesis);
        match plan.refusal_outside_of_set(genesis) {
            None => Ok(()),
            Some(why) => {
                Err(InvalidParameters::of(vec![ParameterProblem::of(Contract::Rollup, &why)]))
            }
        }
    }

    /// The constructor's arguments.
    pub(crate) fn raw(&self, wiring: RollupWiring, genesis: Timestamp) -> RawRollupParameters {
        RawRollupParameters {
            asset: wiring.asset,
            registry: wiring.registry,
            reward_distributor: wiring.reward_distributor,
            owner: wiring.owner,
            genesis_time: genesis.to_word(),
            slot_duration: self.slot_duration.to_word(),
            epoch_duration: U256::from(self.epoch_slots),
            minimum_stake: self.minimum_stake.to_word(),
            exit_delay: self.exit_delay.to_word(),
        }
    }
}

impl CheckedParameters {
    /// The parameters as written.
    pub const fn raw(&self) -> &SetParameters {
        &self.raw
    }

    /// The numbers N and M of a round.
    pub const fn rounds(&self) -> RoundRules {
        self.rounds
    }

    /// The first configuration of Governance.
    pub const fn configuration(&self) -> Configuration {
        self.configuration
    }
}

const fn tokens(count: u128) -> Amount {
    Amount::of(count * Amount::TOKEN.get())
}
