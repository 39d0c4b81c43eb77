//! Calls, events and refusals of Proposals.

use crate::{
    abi::{abi_enum, abi_events},
    text::grouped_word,
    units::{Round, Slot},
};
use alloy_primitives::{Address, B256, Bytes, U256};

abi_enum! {
    /// Calls of Proposals.
    pub enum ProposalsCall {
        /// Signals for `payload` in the present slot. Only the slot's proposer, once.
        Vote { payload: Address } = "vote",
        /// Signals with the slot proposer's [`Signal`](crate::Signal) signature. Anyone.
        VoteWithSig { payload: Address, signature: Bytes } = "voteWithSig",
        /// Makes the winner of `round` a proposal. Anyone.
        PushProposal { round: U256 } = "pushProposal",
    }
}

abi_events! {
    /// Events of Proposals.
    pub enum ProposalsEvent {
        /// The constructor's arguments.
        Deployed [registry: Address] { n: u32, m: u32 } = "ProposalsDeployed",
        /// `voter` signaled for `payload` in its slot of `round`.
        VoteCast [payload: Address, round: Round, voter: Address] {} = "VoteCast",
        /// The canonical rollup's `slot` was used for the signal that follows.
        SlotUsed [] { slot: Slot } = "SlotUsed",
        /// The first signal for `payload` in a round pins its code hash. The signal follows.
        PayloadSeen [payload: Address] { code_hash: B256 } = "PayloadSeen",
        /// `payload` has the signals that it needs in `round`.
        QuorumReached [payload: Address, round: Round] {} = "QuorumReached",
        /// `payload`, winner of `round`, became a proposal.
        ProposalPushed [payload: Address, round: Round] {} = "ProposalPushed",
    }
}

abi_enum! {
    /// Refusals of Proposals.
    #[derive(thiserror::Error)]
    pub enum ProposalsRefusal {
        /// The constructor's arguments are out of bounds: N must be above M / 2, at most M and at least 2.
        #[error("{n} of {m} signals are not a majority that can be reached")]
        InvalidQuorum { n: U256, m: U256 } = "Proposals__InvalidQuorum",
        /// The canonical rollup reports a slot that can't have begun yet.
        #[error("slot {} cannot have begun at {timestamp}", grouped_word(*.slot))]
        SlotInFuture { slot: U256, timestamp: U256 } = "Proposals__SlotInFuture",
        /// `slot` or a later one of this rollup was used already.
        #[error("slot {} is not above {}, which was used already", grouped_word(*.slot), grouped_word(*.newest_slot))]
        SlotAlreadyUsed { slot: U256, newest_slot: U256 } = "Proposals__SlotAlreadyUsed",
        /// The slot has no proposer: the epoch has no seed, or its set is empty.
        #[error("slot {} has no proposer", grouped_word(*.slot))]
        NoProposer { slot: U256 } = "Proposals__NoProposer",
        /// Only the slot's proposer may signal.
        #[error("{caller} is not the slot's proposer {proposer}")]
        NotProposer { caller: Address, proposer: Address } = "Proposals__NotProposer",
        /// The signature isn't the slot's proposer's for this payload, slot and rollup.
        #[error("not the signature of the slot's proposer {proposer}")]
        InvalidSignature { proposer: Address } = "Proposals__InvalidSignature",
        /// The round isn't over, so it can't be pushed yet.
        #[error("round {} is not over in round {}", grouped_word(*.round), grouped_word(*.current_round))]
        RoundNotOver { round: U256, current_round: U256 } = "Proposals__RoundNotOver",
        /// The round is too old: it can be pushed in the `LIFETIME_IN_ROUNDS` rounds after it.
        #[error("round {} can't be pushed any more in round {}", grouped_word(*.round), grouped_word(*.current_round))]
        RoundExpired { round: U256, current_round: U256 } = "Proposals__RoundExpired",
        /// The round was pushed already, as `proposal_id`.
        #[error("round {} was pushed already, as proposal {}", grouped_word(*.round), grouped_word(*.proposal_id))]
        AlreadyPushed { round: U256, proposal_id: U256 } = "Proposals__AlreadyPushed",
        /// There is no signal in the round.
        #[error("nobody signaled in round {}", grouped_word(*.round))]
        NoLeader { round: U256 } = "Proposals__NoLeader",
        /// The leader has fewer signals than needed.
        #[error("{leader} leads with {} signals, {} are needed", grouped_word(*.count), grouped_word(*.needed))]
        QuorumNotReached { leader: Address, count: U256, needed: U256 } =
            "Proposals__QuorumNotReached",
        /// The leader's code hash isn't the pinned one. Both hashes have their lowest 24 bits zero, since
        /// only the others are compared.
        #[error("the code hash of {payload} is {found}, not {expected}, which was signaled for")]
        CodeChanged { payload: Address, expected: B256, found: B256 } = "Proposals__CodeChanged",
        /// The last proposal that was pushed for the same payload is still live.
        #[error("proposal {proposal_id} for {payload} is not over yet")]
        ProposalLive { payload: Address, proposal_id: U256 } = "Proposals__ProposalLive",
        /// Governance refused the proposal.
        #[error("governance didn't take {payload}")]
        ProposeFailed { payload: Address } = "Proposals__ProposeFailed",
    }
}
