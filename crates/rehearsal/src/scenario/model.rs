//! A scenario that was checked: every value in the protocol's own types, every relation holds.

use canon_protocol::{Amount, Configuration, RoundRules, Seconds, Timestamp};
use serde::{Deserialize, Serialize};

/// What happens in a rehearsal, and how it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// One line: what happens.
    pub title: String,
    /// Derives every key, every drawn amount and every block's RANDAO.
    pub seed: u64,
    /// The chain that everything happens on.
    pub l1: L1,
    /// What is locked, staked and paid.
    pub asset: AssetPlan,
    /// Both rollups.
    pub rollup: RollupPlan,
    /// The Proposals contract.
    pub signaling: SignalingPlan,
    /// Governance's configuration.
    pub governance: Configuration,
    /// The stakers of the old rollup.
    pub sequencers: Sequencers,
    /// Who locks and votes.
    pub holders: Vec<HolderGroup>,
    /// Who pushes and executes.
    pub keeper: KeeperPlan,
    /// What is put to the vote, in that order.
    pub proposals: Vec<ProposalPlan>,
}

/// The embedded L1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct L1 {
    /// Timestamp of block 0.
    pub start: Timestamp,
    /// From one block to the next.
    pub block_time: Seconds,
    /// Gas limit of a block.
    pub gas_limit: u64,
}

/// The asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssetPlan {
    /// The supply at construction.
    pub supply: Amount,
    /// What the Issuer may mint per second.
    pub issuance: Amount,
    /// What the RewardDistributor starts with.
    pub reward_pool: Amount,
}

/// The parameters that both rollups share, and how much of them is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollupPlan {
    /// Length of a slot.
    pub slot: Seconds,
    /// Slots in an epoch.
    pub epoch: u64,
    /// What each sequencer stakes; also the minimum.
    pub stake: Amount,
    /// From leaving, or announcing a move, to getting the stake.
    pub exit_delay: Seconds,
    /// Reward for a block.
    pub reward: Amount,
    /// Blocks of the old rollup before the upgrade is prepared.
    pub blocks_before: u64,
    /// Slots of each rollup to play at the end.
    pub blocks_after: u64,
}

impl RollupPlan {
    /// Length of an epoch.
    pub fn epoch_length(&self) -> Seconds {
        self.slot.checked_mul(self.epoch).unwrap_or(Seconds::MAX)
    }
}

/// Who wins a round, and how often the sequencers try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignalingPlan {
    /// N of M.
    pub rules: RoundRules,
    /// Rounds without a winner after which the sequencers give up.
    pub patience: u64,
    /// Epochs of the canonical rollup, from the first campaign on, in which nobody calls it: neither
    /// blocks nor seeds.
    pub silent_epochs: u64,
}

/// The stakers of the old rollup, and those who start on the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequencers {
    /// How many stake on the old rollup.
    pub count: u64,
    /// Of these, how many do nothing at all.
    pub offline: u64,
    /// Of these, how many propose blocks but never signal.
    pub silent: u64,
    /// Of those online, how many never move.
    pub stay: u64,
    /// Further sequencers, who stake on the new rollup before the switch.
    pub pioneers: u64,
    /// Of those who move, how many find their attester registered on the new rollup by somebody else.
    pub squatted: u64,
}

/// Some holders who do the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HolderGroup {
    /// How many.
    pub count: u64,
    /// The least that each locks.
    pub least: Amount,
    /// The most that each locks; whole tokens between the two are drawn.
    pub most: Amount,
    /// What they do with their power.
    pub ballot: BallotPlan,
    /// Whether they start to leave right after their ballot.
    pub leave: bool,
    /// Whether their ballots come in the last block that counts.
    pub late: bool,
}

/// What holders do with their power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BallotPlan {
    /// All of it for.
    Yes,
    /// All of it against.
    No,
    /// Half for, half against, in two ballots.
    Split,
    /// Nothing.
    None,
}

/// Who pushes and executes, and how late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeeperPlan {
    /// From the end of a won round to the push.
    pub push_delay: Seconds,
    /// From a proposal's becoming executable to its execution.
    pub execute_delay: Seconds,
    /// From a failed execution to the next.
    pub retry_after: Seconds,
    /// Whether changed actions are answered with the list that was voted on.
    pub frozen_list: bool,
}

/// One proposal, from its payload to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposalPlan {
    /// Its document.
    pub azip: String,
    /// What it changes.
    pub does: Does,
    /// How it gets before the holders.
    pub by: Route,
    /// How its payload behaves.
    pub payload: PayloadKind,
    /// Where the new rollup of an upgrade comes from.
    pub rollup: RollupKind,
    /// Blocks of the canonical rollup from the agreement to the first signals.
    pub blocks_ahead: u64,
    /// From a gated proposal's becoming executable to the opening of the gate.
    pub gate_opens_after: Seconds,
    /// How it ends.
    pub expect: End,
    /// Why it is rejected.
    pub because: Option<Reason>,
    /// The refusals met on the way, in order, each once.
    pub refusals: Vec<String>,
}

/// What a proposal changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Does {
    /// A new rollup becomes canonical.
    Upgrade,
    /// A new Proposals contract counts the signals.
    ReplaceProposals,
}

/// How a payload gets before the holders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Route {
    /// The sequencers signal for it.
    #[default]
    Signals,
    /// A holder gives up power for it.
    Lock,
}

/// How a payload behaves.
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

/// Where a new rollup comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RollupKind {
    /// Its constructor made it.
    #[default]
    Genuine,
    /// Other init code wrote its storage and returned the genuine runtime code.
    Forged,
}

/// How a proposal ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Its actions were carried out.
    Executed,
    /// The holders didn't accept it.
    Rejected,
    /// Accepted, and not executed in time.
    Expired,
    /// The Proposals contract that pushed it was replaced.
    Dropped,
    /// No round was won, so it never became a proposal.
    NoQuorum,
    /// A round was won and not pushed in time.
    RoundExpired,
}

/// Why a proposal is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Less power is locked than `minimum_votes`.
    MinimumVotes,
    /// Less power was cast than the quorum.
    Turnout,
    /// As much for as against.
    Tie,
    /// Yes didn't exceed no by the differential.
    Against,
}
