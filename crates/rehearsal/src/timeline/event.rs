//! What can happen in a rehearsal.

use alloy_primitives::{Address, B256};
use canon_protocol::{
    Amount, Epoch, Fraction, ProposalId, RollupBlock, Round, Seconds, Slot, Tally, Timestamp, text,
};
use serde::Serialize;

use crate::{
    refusal::ObservedRefusal,
    scenario::{Does, End, Reason, Route},
};

/// The side that a holder took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// For the proposal.
    For,
    /// Against it.
    Against,
    /// Half and half.
    Both,
}

/// A contract that was deployed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamedContract {
    /// Its name in Solidity.
    pub name: &'static str,
    /// Where it is.
    #[serde(with = "text::address")]
    pub address: Address,
}

/// A stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Window {
    /// Its first second.
    pub from: Timestamp,
    /// Its last second.
    pub until: Timestamp,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TimelineEvent {
    /// The contracts of the set stand.
    SetDeployed {
        /// In the order of deployment.
        contracts: Vec<NamedContract>,
    },
    /// Governance owns the Registry, the Issuer the Asset.
    OwnershipAccepted,
    /// The deployer gave the tokens away.
    TokensHandedOut {
        /// To the sequencers, for their stakes.
        stakes: Amount,
        /// To the holders.
        holders: Amount,
        /// To the RewardDistributor.
        rewards: Amount,
    },
    /// Sequencers joined a rollup.
    Staked {
        /// The rollup, counted in the order of deployment.
        rollup: u64,
        /// What each staked.
        each: Amount,
        /// The first slot they can draw.
        first_slot: Slot,
    },
    /// Holders gave tokens for power.
    Locked {
        /// All of them together.
        total: Amount,
    },
    /// Nothing happened for a while.
    Quiet {
        /// How long.
        seconds: Seconds,
        /// L1 blocks without a transaction.
        blocks: u64,
        /// Seeds that somebody recorded, so that the next epochs have proposers.
        seeds: u64,
        /// What everybody waits for.
        until: String,
    },
    /// A rollup got a block.
    BlockProposed {
        /// The rollup, counted in the order of deployment.
        rollup: u64,
        /// The block's number.
        number: RollupBlock,
        /// Its slot.
        slot: Slot,
        /// What it earned.
        reward: Amount,
    },
    /// A slot went by unused.
    SlotMissed {
        /// The rollup, counted in the order of deployment.
        rollup: u64,
        /// The slot.
        slot: Slot,
    },
    /// A slot is nobody's, since its epoch has no seed or an empty set.
    NoProposer {
        /// The rollup.
        rollup: u64,
        /// The slot.
        slot: Slot,
        /// Whether the epoch has a seed: then its set is empty.
        seeded: bool,
    },
    /// A sequencer proposed a block and could have signaled.
    Silent {
        /// Its slot.
        slot: Slot,
        /// The slot's round.
        round: Round,
        /// The rollup's block.
        rollup_block: RollupBlock,
    },
    /// A document was agreed on.
    Agreed {
        /// Its name.
        azip: String,
        /// What it changes.
        does: Does,
        /// How it goes before the holders.
        by: Route,
        /// The block of the canonical rollup before which nobody signals for it.
        height: RollupBlock,
    },
    /// A rollup stands that isn't canonical.
    RollupDeployed {
        /// What it is called: rollups are counted in the order of deployment.
        rollup: u64,
        /// Its address.
        #[serde(with = "text::address")]
        address: Address,
        /// The hash of the init code that its address proves.
        init_code_hash: B256,
    },
    /// A rollup stands whose storage no constructor wrote.
    RollupForged {
        /// What it is called: rollups are counted in the order of deployment.
        rollup: u64,
        /// Its address.
        #[serde(with = "text::address")]
        address: Address,
        /// What its storage says that a staker staked; nobody paid it.
        stake: Amount,
    },
    /// Somebody compared a rollup's address with its arguments.
    ForgeryFound {
        /// The rollup.
        rollup: u64,
        /// The address of a genuine rollup with its arguments.
        #[serde(with = "text::address")]
        expected: Address,
    },
    /// Somebody registered attesters of others on a new rollup.
    Squatted {
        /// The rollup.
        rollup: u64,
        /// The number of attesters.
        attesters: u64,
        /// What each of them staked.
        each: Amount,
    },
    /// Nobody calls a rollup for a while.
    Silence {
        /// The rollup.
        rollup: u64,
        /// The number of epochs that will have no seed.
        epochs: u64,
        /// Until when.
        until: Timestamp,
    },
    /// Objections after the vote turned an accepted proposal into a rejected one.
    Overturned {
        /// The document.
        azip: String,
        /// What was cast by now.
        tally: Tally,
        /// Power at the snapshot.
        total: Amount,
        /// Why it is rejected.
        rejected: Reason,
    },
    /// A Proposals contract stands that Governance doesn't know.
    ProposalsDeployed {
        /// Its address.
        #[serde(with = "text::address")]
        address: Address,
    },
    /// A payload stands.
    PayloadDeployed {
        /// For which document.
        azip: String,
        /// Its address.
        #[serde(with = "text::address")]
        address: Address,
        /// Its calls, decoded.
        actions: Vec<String>,
    },
    /// A sequencer signaled and proposed a block in its slot.
    Signaled {
        /// For which document.
        azip: String,
        /// The slot.
        slot: Slot,
        /// The slot's round.
        round: Round,
        /// Signals of the round so far.
        count: u64,
        /// N.
        needed: u64,
        /// The rollup's block in the same slot.
        rollup_block: RollupBlock,
    },
    /// Several sequencers signaled and proposed blocks, each in slots of its own.
    SignaledMore {
        /// For which document.
        azip: String,
        /// The first slot.
        from: Slot,
        /// The last slot.
        to: Slot,
        /// Their round.
        round: Round,
        /// The number of signals.
        signals: u64,
        /// The number of blocks, with a signal or without.
        blocks: u64,
        /// Signals of the round so far.
        count: u64,
        /// N.
        needed: u64,
    },
    /// A round has a winner.
    QuorumReached {
        /// The document.
        azip: String,
        /// The round.
        round: Round,
        /// The first second in which it can be pushed.
        pushable_from: Timestamp,
        /// The last one.
        pushable_until: Timestamp,
    },
    /// A round ended without a winner.
    RoundLost {
        /// The document that had the most signals or wanted them.
        azip: String,
        /// The round.
        round: Round,
        /// Its signals.
        count: u64,
        /// N.
        needed: u64,
    },
    /// The sequencers try no more rounds.
    GaveUp {
        /// The document.
        azip: String,
        /// The number of rounds tried.
        rounds: u64,
    },
    /// A round's winner became a proposal.
    Pushed {
        /// The document.
        azip: String,
        /// The round.
        round: Round,
        /// The proposal.
        proposal: ProposalId,
        /// The number of frozen actions.
        actions: u64,
        /// First second of the vote.
        voting_from: Timestamp,
    },
    /// A holder gave up power for a proposal.
    ProposedWithLock {
        /// The document.
        azip: String,
        /// The proposal.
        proposal: ProposalId,
        /// The power.
        amount: Amount,
        /// When the tokens can be had again.
        unlocks_at: Timestamp,
        /// The number of frozen actions.
        actions: u64,
        /// First second of the vote.
        voting_from: Timestamp,
    },
    /// Ballots were cast.
    Balloted {
        /// The document.
        azip: String,
        /// The side.
        side: Side,
        /// How much power in all.
        power: Amount,
    },
    /// Holders gave up their power and wait for their tokens.
    LeaveStarted {
        /// The amount.
        total: Amount,
        /// When it can be had.
        unlocks_at: Timestamp,
    },
    /// Tokens came back.
    Withdrawn {
        /// The amount.
        total: Amount,
    },
    /// A vote ended.
    VoteClosed {
        /// The document.
        azip: String,
        /// Whether it passed; why not.
        rejected: Option<Reason>,
        /// What was cast.
        tally: Tally,
        /// Power at the snapshot.
        total: Amount,
        /// What had to be cast.
        quorum: Fraction,
        /// For an accepted proposal: when it can be executed.
        executable: Option<Window>,
    },
    /// Sequencers announced to move their stake.
    MovesAnnounced {
        /// The rollup, counted in the order of deployment.
        rollup: u64,
        /// When they may finish.
        ready_at: Timestamp,
    },
    /// A payload lists other actions than before.
    PayloadShifted {
        /// The document.
        azip: String,
        /// Its calls now, decoded.
        actions: Vec<String>,
    },
    /// A call was refused.
    Refused {
        /// What was tried.
        tried: String,
        /// The refusal.
        refusal: ObservedRefusal,
    },
    /// The same was refused again.
    RefusedAgain {
        /// What was tried.
        tried: String,
        /// How often, after the first time.
        times: u64,
    },
    /// The gate opened that a payload waits for.
    GateOpened,
    /// A proposal's actions were carried out.
    Executed {
        /// The document.
        azip: String,
        /// The proposal.
        proposal: ProposalId,
        /// Whether the caller gave the actions (`executeWith`).
        with_list: bool,
        /// What changed, in words.
        effect: String,
    },
    /// A proposal's end was stored as Dropped.
    DropStored {
        /// The document.
        azip: String,
        /// The proposal.
        proposal: ProposalId,
    },
    /// Nothing can change a document's fate any more.
    Over {
        /// The document.
        azip: String,
        /// How it ended.
        end: End,
    },
    /// Nobody else had recorded the seed of a rollup's next epoch.
    SeedRecorded {
        /// The rollup, counted in the order of deployment.
        rollup: u64,
        /// The epoch that the seed draws.
        epoch: Epoch,
    },
    /// Sequencers took their stake to the new rollup.
    Moved {
        /// The new rollup.
        rollup: u64,
        /// All stakes together.
        total: Amount,
        /// The first slot they can draw.
        first_slot: Slot,
        /// How many took another attester, since somebody else had registered theirs.
        renamed: u64,
    },
}
