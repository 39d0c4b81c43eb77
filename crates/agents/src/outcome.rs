//! What agents did, and what became of it.

use alloy_primitives::{Address, B256};
use canon_chain::{Confirmed, Error};
use canon_protocol::{Amount, Epoch, ProposalId, Round, Slot, Support, WithdrawalId};
use core::fmt;

/// Something that an agent sends a transaction for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Act {
    /// Signals for a payload in a slot.
    Signal {
        /// The payload.
        payload: Address,
        /// The slot.
        slot: Slot,
    },
    /// Proposes a slot's block.
    ProposeBlock {
        /// The rollup.
        rollup: Address,
        /// The slot.
        slot: Slot,
    },
    /// Records an epoch's seed.
    RecordSeed {
        /// The rollup.
        rollup: Address,
        /// The epoch that it draws.
        epoch: Epoch,
    },
    /// Makes a round's winner a proposal.
    Push {
        /// The round.
        round: Round,
    },
    /// Executes a proposal, with the actions that its payload lists.
    Execute {
        /// The proposal.
        id: ProposalId,
    },
    /// Executes a proposal with the actions that were frozen, since its payload lists others.
    ExecuteFrozen {
        /// The proposal.
        id: ProposalId,
    },
    /// Stores that a proposal is dropped.
    Drop {
        /// The proposal.
        id: ProposalId,
    },
    /// Allows Governance to take tokens.
    Approve {
        /// How many.
        amount: Amount,
    },
    /// Locks tokens as power.
    Lock {
        /// How many.
        amount: Amount,
    },
    /// Casts power.
    Vote {
        /// The proposal.
        id: ProposalId,
        /// How much.
        amount: Amount,
        /// For or against.
        support: Support,
    },
    /// Gives power up.
    Withdraw {
        /// How much.
        amount: Amount,
    },
    /// Pays a withdrawal that unlocked.
    FinaliseWithdrawal {
        /// The withdrawal.
        id: WithdrawalId,
    },
    /// Pays an attester's exit.
    FinaliseExit {
        /// The rollup.
        rollup: Address,
        /// The attester.
        attester: Address,
    },
    /// Announces that a stake moves.
    AnnounceMove {
        /// Whose stake.
        attester: Address,
        /// Where to.
        to: Address,
    },
    /// Moves a stake.
    FinaliseMove {
        /// From where.
        rollup: Address,
        /// Whose stake.
        attester: Address,
    },
}

/// What an agent has to say.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// A transaction was sent.
    Sent {
        /// What for.
        act: Act,
        /// The transaction.
        transaction: B256,
    },
    /// A transaction was mined and did what it was sent for.
    Done {
        /// What it was for.
        act: Act,
        /// Its receipt.
        confirmed: Confirmed,
    },
    /// It was refused before it was sent, or it failed in its block.
    Failed {
        /// What it was for.
        act: Act,
        /// Why, and what to do next.
        error: Error,
    },
    /// A transaction wasn't mined in time and is of no use any more.
    Missed {
        /// What it was for.
        act: Act,
        /// The transaction.
        transaction: B256,
    },
    /// There was nothing to send it for.
    Skipped {
        /// What it would have been for.
        act: Act,
        /// Why not.
        why: Skipped,
    },
}

/// Why an order was dropped without a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Skipped {
    /// Its time is over.
    TooLate,
    /// There is no power that isn't used.
    NoPower,
}

impl Outcome {
    /// What it is about.
    pub const fn act(&self) -> Act {
        match self {
            Self::Sent { act, .. }
            | Self::Done { act, .. }
            | Self::Failed { act, .. }
            | Self::Missed { act, .. }
            | Self::Skipped { act, .. } => *act,
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal { payload, slot } => write!(f, "signal for {payload} in slot {slot}"),
            Self::ProposeBlock { slot, .. } => write!(f, "propose the block of slot {slot}"),
            Self::RecordSeed { epoch, .. } => write!(f, "record the seed of epoch {epoch}"),
            Self::Push { round } => write!(f, "push round {round}"),
            Self::Execute { id } => write!(f, "execute proposal {id}"),
            Self::ExecuteFrozen { id } => {
                write!(f, "execute proposal {id} with its frozen actions")
            }
            Self::Drop { id } => write!(f, "drop proposal {id}"),
            Self::Approve { amount } => write!(f, "approve {amount}"),
            Self::Lock { amount } => write!(f, "lock {amount}"),
            Self::Vote { id, amount, support } => {
                write!(f, "cast {amount} {support:?} on proposal {id}")
            }
            Self::Withdraw { amount } => write!(f, "withdraw {amount}"),
            Self::FinaliseWithdrawal { id } => write!(f, "finalise withdrawal {id}"),
            Self::FinaliseExit { attester, .. } => write!(f, "finalise the exit of {attester}"),
            Self::AnnounceMove { attester, to } => write!(f, "announce {attester}'s move to {to}"),
            Self::FinaliseMove { attester, .. } => write!(f, "finalise the move of {attester}"),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent { act, transaction } => write!(f, "{act}: sent {transaction}"),
            Self::Done { act, confirmed } => write!(f, "{act}: done in block {}", confirmed.block),
            Self::Failed { act, error } => write!(f, "{act}: {error}"),
            Self::Missed { act, transaction } => {
                write!(f, "{act}: {transaction} wasn't mined in time")
            }
            Self::Skipped { act, why: Skipped::TooLate } => write!(f, "{act}: it is too late"),
            Self::Skipped { act, why: Skipped::NoPower } => {
                write!(f, "{act}: no power is left for it")
            }
        }
    }
}
