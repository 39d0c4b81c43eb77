//! The intents of agents. An intent has an identity, so that it results in only one transaction.

mod call;
mod kinds;

pub use call::{IntendedCall, PermitSignature};
pub use kinds::{IntendedAction, IntentSubject, NewAttester};

use crate::present::Present;
use alloy_primitives::Address;
use canon_protocol::{Nonce, Timestamp, text};
use core::fmt;
use serde::{Deserialize, Serialize};

/// An action that is due in the next block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The set that the intent concerns.
    pub set: SetId,
    /// The action to carry out.
    pub action: IntendedAction,
    /// The last second in which the intent is useful; `None` without such a limit.
    pub until: Option<Timestamp>,
}

/// The identity of a set: its chain and its Governance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SetId {
    /// The chain id (EIP-155).
    #[serde(with = "text::decimal")]
    pub chain_id: u64,
    /// The address of Governance.
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
    /// The request of the holder that the action belongs to; `None` if there is none.
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
            | Self::SetCoinbase { .. }
            | Self::Create { .. } => None,
        }
    }
}

impl IntendedAction {
    /// Whether a transaction for one action also carries out the other. Permits are signed again for every
    /// block, and any of them works. The actions of a payload or proposal may be known in one view and not in the
    /// other, and no transaction says which ones a new proposal freezes.
    pub fn does_the_same(&self, other: &Self) -> bool {
        let essence = |action: &Self| {
            let mut action = action.clone();
            match &mut action {
                Self::Lock { permit, .. } => *permit = None,
                Self::Execute { frozen_actions, .. } => *frozen_actions = None,
                Self::Push { actions_hash, .. } | Self::Propose { actions_hash, .. } => {
                    *actions_hash = None;
                }
                _ => {}
            }
            action
        };
        essence(self) == essence(other)
    }

    /// The only account that can send the transaction; `None` if any account can.
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
            | Self::VoteSigned { .. }
            | Self::Create { .. } => None,
        }
    }
}

/// The terms of a permit, in addition to its owner, its amount and its spender, which is Governance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermitTerms {
    /// The holder's next nonce of the Asset (ERC-2612).
    pub nonce: Nonce,
    /// The last second in which the permit can be used.
    pub deadline: Timestamp,
}

/// The identity of an intent: its kind, its set, and its slot, round, proposal or request. The details, for
/// example the payload for which a sequencer signals, aren't part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IntentId {
    /// The set that the intent is for.
    pub set: SetId,
    /// The subject of the intent.
    pub subject: IntentSubject,
}

/// The progress of an intent according to the journal of intents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentProgress {
    /// The intent isn't done.
    Open,
    /// The intent may be done: its nonce was used, but the endpoint doesn't show by which transaction, or
    /// omits logs of the intent's transaction.
    Unconfirmed,
    /// The intent is done.
    Done,
}

/// The evidence that an intent is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Completion {
    /// The state shows it. If a duty still returns the intent for a block after its confirmation, the
    /// intent is carried out again, for example because a reorganization undid it.
    State,
    /// Only the journal of intents shows it: locked tokens, power given up, and proposals of one payload
    /// look the same for all requests. A completed intent is never carried out again.
    Journal,
}

impl Intent {
    /// An intent for the set of `present`.
    pub(crate) const fn new(
        present: &Present,
        action: IntendedAction,
        until: Option<Timestamp>,
    ) -> Self {
        Self { set: present.set_id(), action, until }
    }

    /// The identity of the intent.
    pub const fn id(&self) -> IntentId {
        IntentId { set: self.set, subject: self.action.subject() }
    }

    /// The evidence that the intent is done. An approval belongs to an request too, but the allowance shows
    /// it.
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
            | IntendedAction::FinalizeMove { .. }
            | IntendedAction::Create { .. } => Completion::State,
        }
    }

    /// Whether the intent is useful at `time`.
    pub fn is_useful_at(&self, time: Timestamp) -> bool {
        self.until.is_none_or(|until| time <= until)
    }
}
