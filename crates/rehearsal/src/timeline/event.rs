//! The events of a rehearsal.

use alloy_primitives::{Address, B256};
use canon_protocol::{
    Amount, Epoch, Fraction, ProposalId, RollupBlock, Round, Seconds, Slot, Tally, Timestamp, text,
};
use serde::Serialize;

use crate::{
    refusal::ObservedRefusal,
    scenario::{Does, End, Reason, Route},
};

/// The side of a holder's ballots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// For the proposal.
    For,
    /// Against it.
    Against,
    /// Half of the power for it, half against it.
    Both,
}

/// A contract that was deployed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamedContract {
    /// Its name in Solidity.
    pub name: &'static str,
    /// Its address.
    #[serde(with = "text::address")]
    pub address: Address,
}

/// A period of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Window {
    /// Its first second.
    pub from: Timestamp,
    /// Its last second.
    pub until: Timestamp,
}

/// An event of a rehearsal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TimelineEvent {
    /// The contracts of the set were deployed.
    SetDeployed {
        /// The contracts, in the order of deployment.
        contracts: Vec<NamedContract>,
    },
    /// Governance took the ownership of the Registry, and the Issuer that of the Asset.
    OwnershipAccepted,
    /// The deployer distributed the tokens.
    TokensHandedOut {
        /// The amount for the sequencers' stakes.
        stakes: Amount,
        /// The amount for the holders.
        holders: Amount,
        /// The amount for the RewardDistributor.
        rewards: Amount,
    },
    /// Sequencers joined a rollup.
    Staked {
        /// The rollup, counted in the order of deployment.
        rollup: u64,
        /// The stake of each.
        each: Amount,
        /// The first slot that they can draw.
        first_slot: Slot,
    },
    /// Holders locked tokens.
    Locked {
        /// The amount of all of them together.
        total: Amount,
    },
    /// No transactions were sent for a while, apart from seeds.
    Quiet {
        /// The duration.
        seconds: Seconds,
        /// The number of L1 blocks without a transaction.
        blocks: u64,
        /// The number of seeds that were recorded, so that the next epochs have proposers.
        seeds: u64,
        /// The event that everybody waits for.
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
        /// The reward that it earned.
        reward: Amount,
    },
    /// A slot had no block.
    SlotMissed {
        /// The rollup, counted in the order of deployment.
        rollup: u64,
        /// The slot.
        slot: Slot,
    },
    /// A slot has no proposer, because its epoch has no seed or an empty set.
    NoProposer {
        /// The rollup.
        rollup: u64,
        /// The slot.
        slot: Slot,
        /// Whether the epoch has a seed: then its set is empty.
        seeded: bool,
    },
    /// A sequencer proposed a block and didn't signal, although it could have.
    Silent {
        /// Its slot.
        slot: Slot,
        /// The slot's round.
        round: Round,
        /// The rollup's block in the slot.
        rollup_block: RollupBlock,
    },
    /// A document was agreed on.
    Agreed {
        /// Its name.
        azip: String,
        /// The change that it makes.
        does: Does,
        /// The way in which it reaches the holders.
        by: Route,
        /// The block of the canonical rollup at which signaling for it begins.
        height: RollupBlock,
    },
    /// A rollup was deployed that isn't canonical.
    RollupDeployed {
        /// The rollup, counted in the order of deployment.
        rollup: u64,
        /// Its address.
        #[serde(with = "text::address")]
        address: Address,
        /// The hash of the init code, which the address proves.
        init_code_hash: B256,
    },
    /// A rollup was deployed whose storage wasn't written by its constructor.
    RollupForged {
        /// The rollup, counted in the order of deployment.
        rollup: u64,
        /// Its address.
        #[serde(with = "text::address")]
        address: Address,
        /// The stake of a staker in its storage, which was never paid.
        stake: Amount,
    },
    /// A rollup's address was compared with its constructor's arguments.
    ForgeryFound {
        /// The rollup.
        rollup: u64,
        /// The address of a genuine rollup with its arguments.
        #[serde(with = "text::address")]
        expected: Address,
    },
    /// An outsider registered movers' attesters on a new rollup.
    Squatted {
        /// The rollup.
        rollup: u64,
        /// The number of attesters.
        attesters: u64,
        /// The stake of each of them.
        each: Amount,
    },
    /// Nobody calls a rollup for several epochs.
    Silence {
        /// The rollup.
        rollup: u64,
        /// The number of epochs that will have no seed.
        epochs: u64,
        /// The first second after the silence.
        until: Timestamp,
    },
    /// Objections after the vote turned an accepted proposal into a rejected one.
    Overturned {
        /// The document.
        azip: String,
        /// The power cast so far.
        tally: Tally,
        /// The total power at the snapshot.
        total: Amount,
        /// The reason why it is rejected.
        rejected: Reason,
    },
    /// A Proposals contract was deployed that isn't in force.
    ProposalsDeployed {
        /// Its address.
        #[serde(with = "text::address")]
        address: Address,
    },
    /// A payload was deployed.
    PayloadDeployed {
        /// The document.
        azip: String,
        /// Its address.
        #[serde(with = "text::address")]
        address: Address,
        /// Its actions, described.
        actions: Vec<String>,
    },
    /// A sequencer signaled and proposed a block in its slot.
    Signaled {
        /// The document.
        azip: String,
        /// The slot.
        slot: Slot,
        /// The slot's round.
        round: Round,
        /// The number of signals in the round so far.
        count: u64,
        /// N, the signals that win a round.
        needed: u64,
        /// The rollup's block in the same slot.
        rollup_block: RollupBlock,
    },
    /// Several sequencers signaled and proposed blocks, each in its own slots.
    SignaledMore {
        /// The document.
        azip: String,
        /// The first slot.
        from: Slot,
        /// The last slot.
        to: Slot,
        /// Their round.
        round: Round,
        /// The number of signals.
        signals: u64,
        /// The number of blocks, with or without a signal.
        blocks: u64,
        /// The number of signals in the round so far.
        count: u64,
        /// N, the signals that win a round.
        needed: u64,
    },
    /// A payload won a round.
    QuorumReached {
        /// The document.
        azip: String,
        /// The round.
        round: Round,
        /// The first second in which the round can be pushed.
        pushable_from: Timestamp,
        /// The first second in which it can't be pushed any more.
        pushable_until: Timestamp,
    },
    /// A round ended without a winner.
    RoundLost {
        /// The document that the sequencers signaled for.
        azip: String,
        /// The round.
        round: Round,
        /// The number of its signals.
        count: u64,
        /// N, the signals that win a round.
        needed: u64,
    },
    /// The sequencers gave up signaling for a document.
    GaveUp {
        /// The document.
        azip: String,
        /// The number of rounds tried.
        rounds: u64,
    },
    /// The winner of a round became a proposal.
    Pushed {
        /// The document.
        azip: String,
        /// The round.
        round: Round,
        /// The proposal.
        proposal: ProposalId,
        /// The number of frozen actions.
        actions: u64,
        /// The first second of the vote.
        voting_from: Timestamp,
    },
    /// A holder locked power to make a proposal.
    ProposedWithLock {
        /// The document.
        azip: String,
        /// The proposal.
        proposal: ProposalId,
        /// The power.
        amount: Amount,
        /// The first second in which the tokens can be withdrawn.
        unlocks_at: Timestamp,
        /// The number of frozen actions.
        actions: u64,
        /// The first second of the vote.
        voting_from: Timestamp,
    },
    /// Ballots were cast.
    Balloted {
        /// The document.
        azip: String,
        /// The side of the ballots.
        side: Side,
        /// The power of all ballots together.
        power: Amount,
    },
    /// Holders started to withdraw their tokens.
    LeaveStarted {
        /// The amount.
        total: Amount,
        /// The first second in which it can be withdrawn.
        unlocks_at: Timestamp,
    },
    /// Withdrawals were paid.
    Withdrawn {
        /// The amount.
        total: Amount,
    },
    /// A vote ended.
    VoteClosed {
        /// The document.
        azip: String,
        /// The reason of its rejection; `None` if it was accepted.
        rejected: Option<Reason>,
        /// The power cast.
        tally: Tally,
        /// The total power at the snapshot.
        total: Amount,
        /// The share of all power that had to be cast.
        quorum: Fraction,
        /// The seconds in which it can be executed, if it was accepted.
        executable: Option<Window>,
    },
    /// Sequencers announced moves of their stakes.
    MovesAnnounced {
        /// The rollup, counted in the order of deployment.
        rollup: u64,
        /// The first second in which they can be finished.
        ready_at: Timestamp,
    },
    /// A payload changed its actions.
    PayloadShifted {
        /// The document.
        azip: String,
        /// Its present actions, described.
        actions: Vec<String>,
    },
    /// A call was refused.
    Refused {
        /// The attempt.
        tried: String,
        /// The refusal.
        refusal: ObservedRefusal,
    },
    /// A refusal was repeated.
    RefusedAgain {
        /// The attempt.
        tried: String,
        /// The number of repetitions, without the first refusal.
        times: u64,
    },
    /// The gate that a payload depends on was opened.
    GateOpened,
    /// A proposal's actions were carried out.
    Executed {
        /// The document.
        azip: String,
        /// The proposal.
        proposal: ProposalId,
        /// Whether the caller passed the actions (`executeWith`).
        with_list: bool,
        /// The change, in words.
        effect: String,
    },
    /// It was stored that a proposal is dropped.
    DropStored {
        /// The document.
        azip: String,
        /// The proposal.
        proposal: ProposalId,
    },
    /// A document reached its end.
    Over {
        /// The document.
        azip: String,
        /// Its end.
        end: End,
    },
    /// The seed of a rollup's next epoch was recorded, because no block had recorded it.
    SeedRecorded {
        /// The rollup, counted in the order of deployment.
        rollup: u64,
        /// The epoch of the seed.
        epoch: Epoch,
    },
    /// Sequencers moved their stakes to the new rollup.
    Moved {
        /// The new rollup.
        rollup: u64,
        /// All stakes together.
        total: Amount,
        /// The first slot that they can draw.
        first_slot: Slot,
        /// The number of stakes that moved under another attester, because theirs was already
        /// registered.
        renamed: u64,
    },
}
