//! A valid scenario, in the types of the protocol.

use canon_protocol::{Amount, Configuration, RoundRules, Seconds, Timestamp};
use serde::{Deserialize, Serialize};

/// The events of a rehearsal, and its expected end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// A summary in one line.
    pub title: String,
    /// The seed of every key, every drawn amount and every block's RANDAO.
    pub seed: u64,
    /// The L1.
    pub l1: L1,
    /// The Asset, its issuance and the rewards.
    pub asset: AssetPlan,
    /// The parameters of both rollups.
    pub rollup: RollupPlan,
    /// The Proposals contract.
    pub signaling: SignalingPlan,
    /// The configuration of Governance.
    pub governance: Configuration,
    /// The stakers of the old rollup.
    pub sequencers: Sequencers,
    /// The holders, who lock tokens and vote.
    pub holders: Vec<HolderGroup>,
    /// The keeper, who pushes rounds and executes proposals.
    pub keeper: KeeperPlan,
    /// The proposals, in the order of their signaling.
    pub proposals: Vec<ProposalPlan>,
}

/// The embedded L1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct L1 {
    /// Timestamp of block 0.
    pub start: Timestamp,
    /// Time from one block to the next.
    pub block_time: Seconds,
    /// Gas limit of a block.
    pub gas_limit: u64,
}

/// The Asset and the RewardDistributor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssetPlan {
    /// The initial supply.
    pub supply: Amount,
    /// The amount that the Issuer may mint per second.
    pub issuance: Amount,
    /// The initial balance of the RewardDistributor.
    pub reward_pool: Amount,
}

/// The parameters that both rollups share, and the number of their slots that are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollupPlan {
    /// Length of a slot.
    pub slot: Seconds,
    /// Slots in an epoch.
    pub epoch: u64,
    /// The stake of each sequencer, which is also the minimum.
    pub stake: Amount,
    /// Time from leaving until the stake is paid, or from announcing a move until the stake can move.
    pub exit_delay: Seconds,
    /// Reward for a block.
    pub reward: Amount,
    /// Blocks of the old rollup before the upgrade is prepared.
    pub blocks_before: u64,
    /// Slots of each rollup to simulate at the end.
    pub blocks_after: u64,
}

impl RollupPlan {
    /// Length of an epoch.
    pub fn epoch_length(&self) -> Seconds {
        self.slot.checked_mul(self.epoch).unwrap_or(Seconds::MAX)
    }
}

/// The rules of signaling, and the number of attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignalingPlan {
    /// N signals of M slots win a round.
    pub rules: RoundRules,
    /// Rounds without a winner after which the sequencers give up.
    pub patience: u64,
    /// The number of epochs, from the first campaign on, in which nobody calls the canonical rollup: it
    /// has neither blocks nor seeds.
    pub silent_epochs: u64,
}

/// The stakers of the old rollup, and the sequencers that start on the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequencers {
    /// The number of stakers of the old rollup.
    pub count: u64,
    /// The number of these that send nothing.
    pub offline: u64,
    /// The number of these that propose blocks but never signal.
    pub silent: u64,
    /// The number of those online that never move.
    pub stay: u64,
    /// The number of further sequencers, which stake on the new rollup before the switch.
    pub pioneers: u64,
    /// The number of movers whose attesters somebody else has registered on the new rollup.
    pub squatted: u64,
}

/// A group of holders that vote alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HolderGroup {
    /// The number of holders.
    pub count: u64,
    /// The least amount that each locks.
    pub least: Amount,
    /// The largest amount that each locks. Amounts between the two are drawn in whole tokens.
    pub most: Amount,
    /// Their ballots.
    pub ballot: BallotPlan,
    /// Whether they start to withdraw right after their ballots.
    pub leave: bool,
    /// The time of their ballots.
    pub ballot_time: BallotTime,
}

/// The time of a ballot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BallotTime {
    /// The first block that counts.
    FirstBlock,
    /// The last block that counts.
    LastBlock,
}

/// The ballots of a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BallotPlan {
    /// All power for the proposal.
    For,
    /// All power against it.
    Against,
    /// Half for, half against, in two ballots.
    Split,
    /// No ballot.
    None,
}

/// The delays of the keeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeeperPlan {
    /// Time from the end of a won round to the push.
    pub push_delay: Seconds,
    /// Time from the first second in which a proposal can be executed to its execution.
    pub execute_delay: Seconds,
    /// Time from a failed execution to the next attempt.
    pub retry_after: Seconds,
    /// What the keeper does if the payload lists other actions.
    pub changed_list: ChangedList,
}

/// What a keeper does about a payload that lists other actions than when it was proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangedList {
    /// Executes the published list.
    ExecutePublished,
    /// Executes nothing.
    Ignore,
}

/// A proposal, with its payload, its route and its expected end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposalPlan {
    /// The name of its document, such as "AZIP-100".
    pub azip: String,
    /// The change that it makes.
    pub does: Does,
    /// The way in which it becomes a proposal.
    pub by: Route,
    /// The behavior of its payload.
    pub payload: PayloadKind,
    /// The origin of an upgrade's new rollup.
    pub rollup: RollupKind,
    /// The number of blocks of the canonical rollup from the agreement to the first signals.
    pub blocks_ahead: u64,
    /// Time from the first second in which a gated proposal can be executed to the opening of the gate.
    pub gate_opens_after: Seconds,
    /// Its expected end.
    pub expect: End,
    /// The expected reason of its rejection.
    pub because: Option<Reason>,
    /// The expected refusals, in order, each once.
    pub refusals: Vec<String>,
}

/// The change that a proposal makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Does {
    /// A new rollup becomes canonical.
    Upgrade,
    /// A new Proposals contract counts the signals.
    ReplaceProposals,
}

/// The way in which a payload becomes a proposal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Route {
    /// The sequencers signal for it.
    #[default]
    Signals,
    /// A holder gives up power for it.
    Lock,
}

/// The behavior of a payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PayloadKind {
    /// It always lists the same actions, and they succeed.
    #[default]
    Constant,
    /// Its first action fails until a gate opens.
    Gated,
    /// It lists other actions after the vote than before.
    Shifting,
}

/// The origin of a new rollup.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RollupKind {
    /// Its constructor made it.
    #[default]
    Genuine,
    /// Other init code wrote its storage and returned the genuine runtime code.
    Forged,
}

/// The end of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Its actions were carried out.
    Executed,
    /// The holders didn't accept it.
    Rejected,
    /// It was accepted, and not executed in time.
    Expired,
    /// The Proposals contract that pushed it was replaced.
    Dropped,
    /// No round was won, so it never became a proposal.
    NoQuorum,
    /// A round was won, and not pushed in time.
    RoundExpired,
}

/// The reason of a rejection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Less power is locked than `minimum_votes`.
    MinimumVotes,
    /// Less power was cast than the quorum.
    Turnout,
    /// As much power was cast for it as against it.
    Tie,
    /// The votes for it didn't exceed those against by the differential.
    Against,
}
