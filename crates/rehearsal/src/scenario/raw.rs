//! A scenario file as it is written, with units for people. Only names and types are checked.
//!
//! Values keep their position in the file ([`Spanned`]), so that problems which [`super::validate`]
//! finds later point at the line.

use serde::{Deserialize, Deserializer, de};
use toml::{Spanned, value::Datetime};

use super::model::{BallotPlan, Does, End, PayloadKind, Reason, RollupKind, Route};

/// A whole number, or text with a unit: `10`, `"1,000"`, `"1 h 30 min"`, `"10 %"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Human {
    /// A number of any size. Each field checks its own range.
    Number(i128),
    Text(String),
    /// A value of any other type. Every field reports it as a problem.
    Other,
}

impl<'de> Deserialize<'de> for Human {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Human;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a whole number, or text with a unit")
            }

            fn visit_bool<E: de::Error>(self, _: bool) -> Result<Human, E> {
                Ok(Human::Other)
            }

            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Human, E> {
                Ok(Human::Other)
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Human, A::Error> {
                while items.next_element::<de::IgnoredAny>()?.is_some() {}
                Ok(Human::Other)
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut entries: A) -> Result<Human, A::Error> {
                while entries.next_entry::<de::IgnoredAny, de::IgnoredAny>()?.is_some() {}
                Ok(Human::Other)
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Human, E> {
                Ok(Human::Number(value.into()))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Human, E> {
                Ok(Human::Number(value.into()))
            }

            fn visit_i128<E: de::Error>(self, value: i128) -> Result<Human, E> {
                Ok(Human::Number(value))
            }

            fn visit_u128<E: de::Error>(self, value: u128) -> Result<Human, E> {
                // A larger number is out of every field's range, and so is the largest one of 128 bits.
                Ok(Human::Number(value.try_into().unwrap_or(i128::MAX)))
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Human, E> {
                Ok(Human::Text(value.to_owned()))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// A value that may be left out.
pub(super) type Field<T = Human> = Option<Spanned<T>>;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawScenario {
    /// A summary in one line.
    pub(super) title: Spanned<String>,
    /// The seed of every key, every drawn amount and every other draw. Default 1.
    pub(super) seed: Field,
    #[serde(default)]
    pub(super) l1: RawL1,
    #[serde(default)]
    pub(super) asset: RawAsset,
    #[serde(default)]
    pub(super) rollup: RawRollup,
    #[serde(default)]
    pub(super) signaling: RawSignaling,
    #[serde(default)]
    pub(super) governance: RawGovernance,
    #[serde(default)]
    pub(super) sequencers: RawSequencers,
    /// Groups of holders. At least one.
    #[serde(default)]
    pub(super) holders: Vec<RawHolders>,
    #[serde(default)]
    pub(super) keeper: RawKeeper,
    /// The proposals, in the order of their signaling. At least one.
    #[serde(default)]
    pub(super) proposals: Vec<RawProposal>,
}

/// The L1.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawL1 {
    /// Timestamp of block 0, in UTC. Default 2026-12-01T09:00:00Z.
    pub(super) start: Option<Spanned<Datetime>>,
    /// Time from one block to the next. Default 12 s.
    pub(super) block_time: Field,
    /// Gas limit of a block. Default 60,000,000.
    pub(super) gas_limit: Field,
}

/// The Asset, its issuance and the rewards.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAsset {
    /// The initial supply in tokens, which the deployer distributes. Default 1,000,000,000.
    pub(super) supply: Field,
    /// Tokens per second that the Issuer may mint. Default 1.
    pub(super) issuance: Field,
    /// The initial balance of the RewardDistributor in tokens. Default 10,000.
    pub(super) reward_pool: Field,
}

/// Both rollups, the old and the new.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRollup {
    /// Length of a slot, a multiple of the block time. Default 24 s.
    pub(super) slot: Field,
    /// Slots in an epoch. Default 8.
    pub(super) epoch: Field,
    /// Tokens that each sequencer stakes. Default 100.
    pub(super) stake: Field,
    /// Time from leaving until the stake is paid, or from announcing a move until it can move; at least
    /// two epochs. Default 20 min.
    pub(super) exit_delay: Field,
    /// Reward for a block in tokens. Default 5.
    pub(super) reward: Field,
    /// Blocks to show on the old rollup before the upgrade is prepared. Default 4.
    pub(super) blocks_before: Field,
    /// Slots to show after the end of the vote, on each rollup. Default 4.
    pub(super) blocks_after: Field,
}

/// The Proposals contract.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSignaling {
    /// N, the signals that win a round. Default 6.
    pub(super) quorum: Field,
    /// M, the slots in a round. Default 10.
    pub(super) round: Field,
    /// Rounds without a winner after which the sequencers give up. Default 3.
    pub(super) patience: Field,
    /// Epochs from the first campaign on in which nobody calls the canonical rollup. Default 0.
    pub(super) silent_epochs: Field,
}

/// The configuration of Governance.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGovernance {
    /// Time from the proposal to the first ballots. Default 1 h.
    pub(super) voting_delay: Field,
    /// The time for which ballots are taken. Default 1 h.
    pub(super) voting_duration: Field,
    /// Time from the end of the vote to the first second in which it can be executed. Default 1 h.
    pub(super) execution_delay: Field,
    /// The time for which a passed proposal can be executed. Default 1 h.
    pub(super) grace_period: Field,
    /// Share of all power that must be cast. Default 10 %.
    pub(super) quorum: Field,
    /// Share of the cast power by which votes for must exceed those against. Default 4 %.
    pub(super) differential: Field,
    /// Tokens that must be locked for anything to pass. Default 1,000.
    pub(super) minimum_votes: Field,
    /// The least time for which the lock withholds its tokens. Default 1 d.
    pub(super) lock_delay: Field,
    /// Tokens that a proposal without signals costs in power. Default 20,000.
    pub(super) lock_amount: Field,
}

/// The stakers of the old rollup.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSequencers {
    /// The number of sequencers. Default 24.
    pub(super) count: Field,
    /// The number of these that send nothing. Default 0.
    pub(super) offline: Field,
    /// The number of these that propose blocks but never signal. Default 0.
    pub(super) silent: Field,
    /// The number of those online that never move to the new rollup. Default 0.
    pub(super) stay: Field,
    /// The number of further sequencers, which stake on the new rollup before the switch. Default 0.
    pub(super) pioneers: Field,
    /// The number of movers whose attesters somebody else has registered on the new rollup. Default 0.
    pub(super) squatted: Field,
}

/// A group of holders that vote alike.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHolders {
    /// The number of holders.
    pub(super) count: Spanned<Human>,
    /// Tokens that each holder locks: an amount, or a range such as `"5,000 to 50,000"`, from which
    /// each amount is drawn.
    pub(super) tokens: Spanned<Human>,
    /// `"for"`, `"against"`, `"split"` (half and half) or `"none"`.
    pub(super) ballot: Spanned<BallotPlan>,
    /// Whether they leave Governance right after their ballot. Default false.
    pub(super) leave: Option<Spanned<bool>>,
    /// Whether their ballots come in the last block that counts: the last one of the vote or, for
    /// ballots against, of the first half of the execution delay. Default false.
    pub(super) late: Option<Spanned<bool>>,
}

/// The keeper, who pushes rounds and executes proposals.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawKeeper {
    /// The delay of a push after the end of a won round. Default 0 s.
    pub(super) push_delay: Field,
    /// The delay of an execution after the proposal became executable. Default 0 s.
    pub(super) execute_delay: Field,
    /// The delay of the next attempt after a failed execution. Default 10 min.
    pub(super) retry_after: Field,
    /// Whether a proposal whose payload lists other actions by now is executed with the list that was
    /// published when it was made. Default true.
    pub(super) frozen_list: Option<Spanned<bool>>,
}

/// A proposal, with its payload, its route and its expected end.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProposal {
    /// The name of its document, such as `"AZIP-42"`.
    pub(super) azip: Spanned<String>,
    /// `"upgrade"` (to a new rollup) or `"replace-proposals"` (by a new Proposals contract).
    pub(super) does: Spanned<Does>,
    /// `"signals"` (of the sequencers) or `"lock"` (by the holder with the most power).
    pub(super) by: Field<Route>,
    /// `"constant"`, `"gated"` (fails until a gate opens) or `"shifting"` (changes its actions
    /// after the vote).
    pub(super) payload: Field<PayloadKind>,
    /// For an upgrade: `"genuine"`, or `"forged"` (the genuine code over forged storage).
    pub(super) rollup: Field<RollupKind>,
    /// With signals: the number of blocks of the canonical rollup from the agreement to the height at
    /// which the sequencers begin to signal. Default 0.
    pub(super) blocks_ahead: Field,
    /// For a gated payload: the time from the first second in which the proposal can be executed to the
    /// opening of the gate. Default 15 min.
    pub(super) gate_opens_after: Field,
    /// Its expected end.
    pub(super) expect: Spanned<End>,
    /// For `expect = "rejected"`: the expected reason.
    pub(super) because: Field<Reason>,
    /// The expected refusals, by the names of the contracts' errors, in order and each once.
    #[serde(default)]
    pub(super) refusals: Vec<Spanned<String>>,
}
