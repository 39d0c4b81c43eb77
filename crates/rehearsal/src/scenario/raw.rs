//! A scenario file as it is written: human units, nothing checked beyond names and types.
//!
//! Values keep their place in the file ([`Spanned`]), so that whatever [`super::validate`] finds
//! wrong with them later still points at the line.

use serde::{Deserialize, Deserializer, de};
use toml::{Spanned, value::Datetime};

use super::model::{BallotPlan, Does, End, PayloadKind, Reason, RollupKind, Route};

/// A whole number, or text with a unit: `10`, `"1,000"`, `"1 h 30 min"`, `"10 %"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Human {
    /// A number of any size. Each field checks its own range.
    Number(i128),
    Text(String),
    /// A value of another type. No field expects one; which says what it does expect.
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
                // No quantity is nearly as large.
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
    /// Derives every key, every amount of a range and every draw. Default 1.
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
    /// Groups of holders; at least one.
    #[serde(default)]
    pub(super) holders: Vec<RawHolders>,
    #[serde(default)]
    pub(super) keeper: RawKeeper,
    /// The proposals, in the order of their signaling; at least one.
    #[serde(default)]
    pub(super) proposals: Vec<RawProposal>,
}

/// The L1.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawL1 {
    /// Timestamp of block 0, in UTC. Default 2026-12-01T09:00:00Z.
    pub(super) start: Option<Spanned<Datetime>>,
    /// From one block to the next. Default 12 s.
    pub(super) block_time: Field,
    /// Gas limit of a block. Default 60,000,000.
    pub(super) gas_limit: Field,
}

/// The Asset, its issuance and the rewards.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAsset {
    /// Tokens at construction; the deployer hands them out. Default 1,000,000,000.
    pub(super) supply: Field,
    /// Tokens per second that the Issuer may mint. Default 1.
    pub(super) issuance: Field,
    /// Tokens with which the RewardDistributor starts. Default 10,000.
    pub(super) reward_pool: Field,
}

/// Both rollups, the old and the new.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRollup {
    /// Length of a slot; a multiple of the block time. Default 24 s.
    pub(super) slot: Field,
    /// Slots in an epoch. Default 8.
    pub(super) epoch: Field,
    /// Tokens that each sequencer stakes. Default 100.
    pub(super) stake: Field,
    /// From leaving (or announcing a move) to getting the stake; at least two epochs.
    /// Default 20 min.
    pub(super) exit_delay: Field,
    /// Tokens per block. Default 5.
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
    /// Epochs of the canonical rollup, from the first campaign on, in which nobody calls it. Default 0.
    pub(super) silent_epochs: Field,
}

/// The configuration of Governance.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGovernance {
    /// From proposal to ballots. Default 1 h.
    pub(super) voting_delay: Field,
    /// How long ballots are taken. Default 1 h.
    pub(super) voting_duration: Field,
    /// From the last ballot to the first chance to execute. Default 1 h.
    pub(super) execution_delay: Field,
    /// How long a passed proposal can be executed. Default 1 h.
    pub(super) grace_period: Field,
    /// Part of all power that must be cast. Default 10 %.
    pub(super) quorum: Field,
    /// Part of the cast power by which votes for must exceed those against. Default 4 %.
    pub(super) differential: Field,
    /// Tokens that must be locked for anything to pass. Default 1,000.
    pub(super) minimum_votes: Field,
    /// How long the lock withholds its tokens, at least. Default 1 d.
    pub(super) lock_delay: Field,
    /// Tokens that a proposal through the lock gives up. Default 20,000.
    pub(super) lock_amount: Field,
}

/// The stakers of the old rollup.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSequencers {
    /// The number of sequencers. Default 24.
    pub(super) count: Field,
    /// The number of these that do nothing at all. Default 0.
    pub(super) offline: Field,
    /// The number of these that propose blocks but never signal. Default 0.
    pub(super) silent: Field,
    /// The number of those online that never move to the new rollup. Default 0.
    pub(super) stay: Field,
    /// Further sequencers, who stake on the new rollup before the switch. Default 0.
    pub(super) pioneers: Field,
    /// Of those who move, how many find their attester registered there by somebody else. Default 0.
    pub(super) squatted: Field,
}

/// A group of holders that vote alike.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHolders {
    /// The number of holders.
    pub(super) count: Spanned<Human>,
    /// Tokens that each locks: an amount, or `"5,000 to 50,000"` to draw one for each.
    pub(super) tokens: Spanned<Human>,
    /// `"for"`, `"against"`, `"split"` (half and half) or `"none"`.
    pub(super) ballot: Spanned<BallotPlan>,
    /// Whether they leave Governance right after their ballot. Default false.
    pub(super) leave: Option<Spanned<bool>>,
    /// Whether their ballots come in the last block that counts: of the vote, or, against, of the first
    /// half of the execution delay. Default false.
    pub(super) late: Option<Spanned<bool>>,
}

/// The keeper, who pushes rounds and executes proposals.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawKeeper {
    /// How long after the end of a won round it is pushed. Default 0 s.
    pub(super) push_delay: Field,
    /// How long after a proposal became executable it is executed. Default 0 s.
    pub(super) execute_delay: Field,
    /// How long after a failed execution the next is tried. Default 10 min.
    pub(super) retry_after: Field,
    /// Whether a proposal whose payload lists other actions by now is executed with the list that
    /// was published when it was created. Default true.
    pub(super) frozen_list: Option<Spanned<bool>>,
}

/// One proposal, from its payload to its end.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProposal {
    /// Its document, such as `"AZIP-42"`.
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
    /// With signals: blocks of the canonical rollup from the agreement to the height at which the
    /// sequencers begin to signal. Default 0.
    pub(super) blocks_ahead: Field,
    /// For a gated payload: how long after the proposal became executable the gate opens.
    /// Default 15 min.
    pub(super) gate_opens_after: Field,
    /// How it ends.
    pub(super) expect: Spanned<End>,
    /// For `expect = "rejected"`: why.
    pub(super) because: Field<Reason>,
    /// The refusals met on the way, by the names of the contracts' errors, in order and each once.
    #[serde(default)]
    pub(super) refusals: Vec<Spanned<String>>,
}
