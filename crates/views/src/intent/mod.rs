//! The intents of agents: with an identity, so that an intent pursued twice is one transaction.

mod call;
mod kinds;

pub use call::{IntendedCall, PermitSignature};
pub use kinds::{IntendedAction, IntentSubject, NewAttester};

use crate::present::Present;
use alloy_primitives::Address;
use canon_protocol::{Nonce, Timestamp, text};
use core::fmt;
use serde::{Deserialize, Serialize};

/// Something that is due in the next block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The set that it is for.
    pub set: SetId,
    /// The action to carry out.
    pub action: IntendedAction,
    /// The last second in which it is of use; `None` if it always is.
    pub until: Option<Timestamp>,
}

/// The identity of a set: its chain and its Governance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SetId {
    /// The id of its chain (EIP-155).
    #[serde(with = "text::decimal")]
    pub chain_id: u64,
    /// The address of its Governance.
    #[serde(with = "text::address")]
    pub governance: Address,
}

/// The number of a request to an account: of an order of a holder, or of a command. An account uses each number
/// only once, so that a request that was carried out isn't taken for another one.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct RequestId(#[serde(with = "text::decimal")] u64);

impl RequestId {
    /// The request with this number.
    pub const fn of(number: u64) -> Self {
        Self(number)
    }

    /// The next number. The last number is its own successor; no account has that many requests.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl IntentSubject {
    /// The request that it is for; `None` if its identity has none.
    pub const fn request(&self) -> Option<RequestId> {
        match *self {
            Self::Approve { request, .. }
            | Self::Lock { request, .. }
            | Self::Withdraw { request, .. }
            | Self::Propose { request, .. }
            | Self::ApproveStake { request, .. }
            | Self::Stake { request, .. } => Some(request),
            Self::Signal { .. }
            | Self::ProposeBlock { .. }
            | Self::RecordSeed { .. }
            | Self::Push { .. }
            | Self::Execute { .. }
            | Self::Drop { .. }
            | Self::PayWithdrawal { .. }
            | Self::PayExit { .. }
            | Self::Vote { .. }
            | Self::AnnounceMove { .. }
            | Self::FinalizeMove { .. }
            | Self::SignalSigned { .. }
            | Self::VoteSigned { .. }
            | Self::InvalidateBallots { .. }
            | Self::ExitStake { .. }
            | Self::SetCoinbase { .. } => None,
        }
    }
}

impl IntendedAction {
    /// Whether a transaction for one does what the other asks for. A permit is signed anew for every block,
    /// and any does. The actions that were frozen may be known to one view and not to another.
    pub fn does_the_same(&self, other: &Self) -> bool {
        let essence = |action: &Self| {
            let mut action = action.clone();
            match &mut action {
                Self::Lock { permit, .. } => *permit = None,
                Self::Execute { frozen_actions, .. } => *frozen_actions = None,
                _ => {}
            }
            action
        };
        essence(self) == essence(other)
    }

    /// The only account whose transaction does it; `None` if anyone's does.
    pub const fn required_sender(&self) -> Option<Address> {
        match *self {
            Self::Signal { proposer, .. } | Self::ProposeBlock { proposer, .. } => Some(proposer),
            Self::Approve { holder, .. }
            | Self::Lock { holder, .. }
            | Self::Vote { holder, .. }
            | Self::Withdraw { holder, .. }
            | Self::InvalidateBallots { holder, .. }
            | Self::Propose { holder, .. }
            | Self::ApproveStake { holder, .. }
            | Self::Stake { holder, .. } => Some(holder),
            Self::AnnounceMove { withdrawer, .. }
            | Self::ExitStake { withdrawer, .. }
            | Self::SetCoinbase { withdrawer, .. }
            | Self::FinalizeMove { new_attester: Some(NewAttester { withdrawer, .. }), .. } => {
                Some(withdrawer)
            }
            Self::FinalizeMove { new_attester: None, .. }
            | Self::RecordSeed { .. }
            | Self::Push { .. }
            | Self::Execute { .. }
            | Self::Drop { .. }
            | Self::PayWithdrawal { .. }
            | Self::PayExit { .. }
            | Self::SignalSigned { .. }
            | Self::VoteSigned { .. } => None,
        }
    }
}

/// The terms of a permit beside its owner, its spender, which is Governance, and its amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermitTerms {
    /// The holder's next nonce of the Asset (ERC-2612).
    pub nonce: Nonce,
    /// The last second in which it can be used.
    pub deadline: Timestamp,
}

/// The identity of an intent: its kind, its set, and its slot, round, proposal or request. The way in which it is
/// done, for example for which payload a sequencer signals, isn't part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IntentId {
    /// The set that the intent is for.
    pub set: SetId,
    /// The subject of the intent.
    pub subject: IntentSubject,
}

/// The progress of an intent, as the journal of intents has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentProgress {
    /// It isn't done.
    Open,
    /// Its nonce was used, and the endpoint doesn't say yet by which transaction, or doesn't show all logs of
    /// its transaction: it may be done.
    Unconfirmed,
    /// It is done.
    Done,
}

/// The evidence that an intent is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Completion {
    /// The state: a duty that still returns the intent for a block after its confirmation asks for it
    /// once more, for example because a reorganization undid it.
    State,
    /// The journal of intents alone: tokens that were locked, power that was given up and proposals of one
    /// payload look the same whichever request they are for. Once completed it is never pursued again.
    Journal,
}

impl Intent {
    /// Something to do for the set of `present`.
    pub(crate) const fn new(
        present: &Present,
        action: IntendedAction,
        until: Option<Timestamp>,
    ) -> Self {
        Self { set: present.set_id(), action, until }
    }

    /// Its identity.
    pub const fn id(&self) -> IntentId {
        IntentId { set: self.set, subject: self.action.subject() }
    }

    /// The evidence that it is done. An approval is for a request too, and the allowance shows it.
    pub const fn completion(&self) -> Completion {
        match self.action {
            IntendedAction::Lock { .. }
            | IntendedAction::Withdraw { .. }
            | IntendedAction::Propose { .. } => Completion::Journal,
            IntendedAction::Approve { .. }
            | IntendedAction::ApproveStake { .. }
            | IntendedAction::Stake { .. }
            | IntendedAction::Signal { .. }
            | IntendedAction::SignalSigned { .. }
            | IntendedAction::ProposeBlock { .. }
            | IntendedAction::RecordSeed { .. }
            | IntendedAction::Push { .. }
            | IntendedAction::Execute { .. }
            | IntendedAction::Drop { .. }
            | IntendedAction::PayWithdrawal { .. }
            | IntendedAction::PayExit { .. }
            | IntendedAction::Vote { .. }
            | IntendedAction::VoteSigned { .. }
            | IntendedAction::InvalidateBallots { .. }
            | IntendedAction::ExitStake { .. }
            | IntendedAction::SetCoinbase { .. }
            | IntendedAction::AnnounceMove { .. }
            | IntendedAction::FinalizeMove { .. } => Completion::State,
        }
    }

    /// Whether it is of use at `time`.
    pub fn is_useful_at(&self, time: Timestamp) -> bool {
        self.until.is_none_or(|until| time <= until)
    }
}
