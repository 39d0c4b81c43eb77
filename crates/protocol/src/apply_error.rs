//! The reasons why an event can't be applied.

use crate::{
    call_frame::L1Block,
    messages::Log,
    proposals::InvalidRoundRules,
    units::{Amount, Epoch, Nonce, ProposalId, Round, Timestamp, WithdrawalId},
};
use alloy_primitives::{Address, B256};

/// The reason why an event can't be applied: it contradicts the state, so events are missing, repeated or out
/// of order, or they aren't those of this set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The block is earlier than a block whose events were applied already.
    #[error(
        "block {} at {} is earlier than block {} at {}, whose events were applied already",
        found.number, found.timestamp, newest.number, newest.timestamp
    )]
    EarlierBlock {
        /// The block of the event.
        found: L1Block,
        /// The newest block of which events were applied.
        newest: L1Block,
    },
    /// The emitter is not a contract of the set that emits this event.
    #[error("{emitter} emitted {event}, but isn't the contract of this set that emits it")]
    WrongEmitter {
        /// The contract that emitted it.
        emitter: Address,
        /// The event, as `Contract.Name`.
        event: String,
    },
    /// A contract was deployed for another set, or twice.
    #[error("{emitter} emitted {event}, which announces no new contract of this set")]
    UnexpectedDeployment {
        /// The contract.
        emitter: Address,
        /// The event, as `Contract.Name`.
        event: String,
    },
    /// The event names something that doesn't exist.
    #[error("there is no {0}")]
    Unknown(Subject),
    /// The event repeats something that happens only once.
    #[error("{0} exists already")]
    Duplicate(Subject),
    /// An entry doesn't have the next number.
    #[error("expected {what} {expected}, found {found}")]
    WrongNumber {
        /// The kind of entry that is numbered, such as "proposal".
        what: &'static str,
        /// The number that is next.
        expected: u64,
        /// The number in the event.
        found: u64,
    },
    /// A signed message doesn't have the signer's next nonce.
    #[error("expected nonce {expected} of {holder}, found {found}")]
    WrongNonce {
        /// The signer.
        holder: Address,
        /// The next nonce. If ballots are invalidated, the least possible one.
        expected: Nonce,
        /// The nonce in the event.
        found: Nonce,
    },
    /// The event takes more from a holding than there is.
    #[error("{taken} is taken from {holding}, which is {available}")]
    Insufficient {
        /// The holding that it is taken from.
        holding: Holding,
        /// The amount in it.
        available: Amount,
        /// The amount that the event takes.
        taken: Amount,
    },
    /// The event adds more to a holding than fits 96 bits.
    #[error("{added} is added to {holding}, which is {present}: the sum exceeds 96 bits")]
    Overflow {
        /// The holding that it is added to.
        holding: Holding,
        /// The amount in it.
        present: Amount,
        /// The amount that the event adds.
        added: Amount,
    },
    /// There are more entries than can be numbered.
    #[error("there are {count} {what} already, more than can be numbered")]
    TooMany {
        /// The kind of entry that is numbered.
        what: &'static str,
        /// The number of them.
        count: u64,
    },
    /// The actions of a proposal don't have the hash that is published with them.
    #[error(
        "expected actions of proposal {id} with the hash {expected}, found actions with the hash {found}"
    )]
    WrongActions {
        /// The proposal.
        id: ProposalId,
        /// The hash in the event, which holders vote on.
        expected: B256,
        /// The hash of the actions in the event.
        found: B256,
    },
    /// A Proposals contract was deployed with rules that its constructor refuses.
    #[error(transparent)]
    InvalidRules(#[from] InvalidRoundRules),
    /// A rollup's event comes before its first slot.
    #[error("an event of a rollup at {found}, before its genesis at {genesis}")]
    BeforeGenesis {
        /// The rollup's first second.
        genesis: Timestamp,
        /// The time of the event.
        found: Timestamp,
    },
    /// A signal is counted in a round that its slot isn't part of.
    #[error("expected a signal of round {expected}, found round {found}")]
    WrongRound {
        /// The round of the signal's slot.
        expected: Round,
        /// The round in the event.
        found: Round,
    },
    /// The event completes an earlier event, which is missing.
    #[error("{event} of {emitter} completes an event that is missing before it")]
    MissingPredecessor {
        /// The contract that emitted it.
        emitter: Address,
        /// The event, as `Contract.Name`.
        event: String,
    },
    /// The event before this one has to be completed first.
    #[error("expected {expected}, found {found} of {emitter}")]
    WrongSuccessor {
        /// The event that has to come next, as `Contract.Name`.
        expected: &'static str,
        /// The event that came, as `Contract.Name`.
        found: String,
        /// The contract that emitted it.
        emitter: Address,
    },
}

/// A thing that an event names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Subject {
    /// A proposal of Governance.
    #[error("proposal {0}")]
    Proposal(ProposalId),
    /// A withdrawal of Governance.
    #[error("withdrawal {0}")]
    Withdrawal(WithdrawalId),
    /// An attester that is registered at a rollup.
    #[error("registered attester {0}")]
    Attester(Address),
    /// An attester that is in the set of a rollup.
    #[error("attester {0} in the set")]
    Validating(Address),
    /// The seed of an epoch.
    #[error("seed of epoch {0}")]
    Seed(Epoch),
    /// A round with signals.
    #[error("round {round} of rollup {instance}")]
    Round {
        /// The rollup.
        instance: Address,
        /// The round.
        round: Round,
    },
    /// A payload that was signaled for in the round.
    #[error("payload {0} in the round")]
    Payload(Address),
}

/// An amount that events change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Holding {
    /// The supply of the Asset.
    #[error("the total supply")]
    Supply,
    /// An account's balance of the Asset.
    #[error("the balance of {0}")]
    Balance(Address),
    /// The power of a holder.
    #[error("the power of {0}")]
    Power(Address),
    /// The power of all holders.
    #[error("the total power")]
    TotalPower,
    /// The stake of an attester.
    #[error("the stake of {0}")]
    Stake(Address),
    /// The sums of the ballots on a proposal.
    #[error("the tally of proposal {0}")]
    Tally(ProposalId),
}

impl Holding {
    /// Returns the sum of `present` and `added`.
    pub(crate) fn add(self, present: Amount, added: Amount) -> Result<Amount, ApplyError> {
        present.checked_add(added).ok_or(ApplyError::Overflow { holding: self, present, added })
    }

    /// Returns `available` minus `taken`.
    pub(crate) fn take(self, available: Amount, taken: Amount) -> Result<Amount, ApplyError> {
        let left = available.checked_sub(taken);
        left.ok_or(ApplyError::Insufficient { holding: self, available, taken })
    }
}

impl ApplyError {
    pub(crate) fn wrong_emitter(log: &Log) -> Self {
        Self::WrongEmitter { emitter: log.emitter, event: log.event.name() }
    }
}

/// The result of applying an event.
pub(crate) type Applied = Result<(), ApplyError>;

/// Checks that `found` is the next number, `expected`.
pub(crate) const fn require_next(what: &'static str, expected: u64, found: u64) -> Applied {
    if found == expected { Ok(()) } else { Err(ApplyError::WrongNumber { what, expected, found }) }
}
