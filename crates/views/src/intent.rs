//! What an agent should do: with an identity, so that doing it twice is one transaction.

use crate::{duties::OrderId, present::Present};
use alloy_primitives::{Address, B256};
use canon_protocol::{
    Action, Amount, AssetCall, Call, Epoch, GovernanceCall, Nonce, ProposalId, ProposalsCall,
    RollupCall, Round, Slot, Support, Timestamp, WithdrawalId, text,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Something that is due in the next block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The set that it is for.
    pub set: SetId,
    /// What is to be done.
    pub action: IntendedAction,
    /// The last second in which it is of use; `None` if it always is.
    pub until: Option<Timestamp>,
    /// The actions that were published at a proposal's creation, for an execution whose payload withholds
    /// its list; `None` for all else, and if they aren't known.
    pub fallback: Option<Arc<[Action]>>,
}

/// The identity of a set: its chain and its Governance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SetId {
    /// The chain.
    pub chain_id: u64,
    /// Its Governance.
    #[serde(with = "text::address")]
    pub governance: Address,
}

/// What is to be done, with all that the transaction needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntendedAction {
    /// Signal for a payload.
    Signal {
        /// Where signals are counted.
        #[serde(with = "text::address")]
        proposals: Address,
        /// The canonical rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The slot.
        slot: Slot,
        /// The payload.
        #[serde(with = "text::address")]
        payload: Address,
    },
    /// Propose a slot's block.
    ProposeBlock {
        /// The rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The slot.
        slot: Slot,
        /// The block's hash.
        block_hash: B256,
    },
    /// Record the seed of an epoch.
    RecordSeed {
        /// The rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The epoch that the seed draws.
        epoch: Epoch,
    },
    /// Make a round's winner a proposal.
    Push {
        /// Where signals are counted.
        #[serde(with = "text::address")]
        proposals: Address,
        /// The canonical rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The round.
        round: Round,
        /// The winner.
        #[serde(with = "text::address")]
        payload: Address,
    },
    /// Execute a proposal: with the list that its payload returns or, if that isn't what was voted on,
    /// with the [fallback](Intent::fallback).
    Execute {
        /// The proposal.
        id: ProposalId,
    },
    /// Store that a proposal is dropped.
    Drop {
        /// The proposal.
        id: ProposalId,
    },
    /// Pay a withdrawal.
    PayWithdrawal {
        /// The withdrawal.
        id: WithdrawalId,
    },
    /// Pay an exit.
    PayExit {
        /// The rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// Whose stake.
        #[serde(with = "text::address")]
        attester: Address,
        /// From when on it is paid.
        exitable_at: Timestamp,
    },
    /// Allow Governance to take some of a holder's asset.
    Approve {
        /// The holder.
        #[serde(with = "text::address")]
        holder: Address,
        /// The order that it is for.
        order: OrderId,
        /// The Asset.
        #[serde(with = "text::address")]
        asset: Address,
        /// How much.
        amount: Amount,
    },
    /// Lock some of a holder's asset as its own power.
    Lock {
        /// The holder.
        #[serde(with = "text::address")]
        holder: Address,
        /// The order that it is for.
        order: OrderId,
        /// How much.
        amount: Amount,
        /// What the holder signs; `None` if the allowance suffices.
        permit: Option<PermitTerms>,
    },
    /// Cast power.
    Vote {
        /// The holder.
        #[serde(with = "text::address")]
        holder: Address,
        /// The proposal.
        id: ProposalId,
        /// For or against.
        support: Support,
        /// How much.
        amount: Amount,
    },
    /// Give power up.
    Withdraw {
        /// The holder.
        #[serde(with = "text::address")]
        holder: Address,
        /// The order that it is for.
        order: OrderId,
        /// Who gets the asset later.
        #[serde(with = "text::address")]
        to: Address,
        /// How much.
        amount: Amount,
    },
    /// Announce that a stake moves.
    AnnounceMove {
        /// From where.
        #[serde(with = "text::address")]
        rollup: Address,
        /// Whose stake.
        #[serde(with = "text::address")]
        attester: Address,
        /// Where to.
        #[serde(with = "text::address")]
        to: Address,
    },
    /// Move a stake to the rollup announced.
    FinaliseMove {
        /// From where.
        #[serde(with = "text::address")]
        rollup: Address,
        /// Whose stake.
        #[serde(with = "text::address")]
        attester: Address,
        /// The attester there, if that is another one: then only the withdrawer can do it.
        #[serde(with = "text::address::option")]
        new_attester: Option<Address>,
        /// From when on it can be moved.
        ready_at: Timestamp,
    },
}

/// What a permit says beside its owner, its spender, which is Governance, and its amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermitTerms {
    /// The holder's nonce.
    pub nonce: Nonce,
    /// The last second in which it can be used.
    pub deadline: Timestamp,
}

/// The signature of a permit: `v`, `r` and `s`.
pub type PermitSignature = (u8, B256, B256);

/// The identity of an intent: what, for which set, and its slot, round, proposal or order. How it is
/// done, for example for which payload a sequencer signals, isn't part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IntentId {
    /// The set that the intent is for.
    pub set: SetId,
    /// What the intent is about.
    pub subject: IntentSubject,
}

/// What an intent is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentSubject {
    /// The signal of a slot, whatever payload it is for.
    Signal {
        /// Where signals are counted.
        #[serde(with = "text::address")]
        proposals: Address,
        /// The rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The slot.
        slot: Slot,
    },
    /// The block of a slot.
    Block {
        /// The rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The slot.
        slot: Slot,
    },
    /// The seed of an epoch.
    Seed {
        /// The rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The epoch.
        epoch: Epoch,
    },
    /// The push of a round.
    Push {
        /// Where signals are counted.
        #[serde(with = "text::address")]
        proposals: Address,
        /// The rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The round.
        round: Round,
    },
    /// The execution of a proposal, with whichever list.
    Execution {
        /// The proposal.
        id: ProposalId,
    },
    /// The stored end of a dropped proposal.
    Drop {
        /// The proposal.
        id: ProposalId,
    },
    /// The payment of a withdrawal.
    Withdrawal {
        /// The withdrawal.
        id: WithdrawalId,
    },
    /// The payment of an exit. An attester that joined again may exit again, at another time.
    Exit {
        /// The rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The attester.
        #[serde(with = "text::address")]
        attester: Address,
        /// From when on it is paid.
        exitable_at: Timestamp,
    },
    /// The approval that an order needs.
    Approval {
        /// The holder.
        #[serde(with = "text::address")]
        holder: Address,
        /// The order.
        order: OrderId,
    },
    /// An order to lock or to withdraw.
    Order {
        /// The holder.
        #[serde(with = "text::address")]
        holder: Address,
        /// The order.
        order: OrderId,
    },
    /// A ballot.
    Ballot {
        /// The holder.
        #[serde(with = "text::address")]
        holder: Address,
        /// The proposal.
        id: ProposalId,
        /// For or against.
        support: Support,
    },
    /// The announcement of a move.
    Announcement {
        /// From where.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The attester.
        #[serde(with = "text::address")]
        attester: Address,
        /// Where to.
        #[serde(with = "text::address")]
        to: Address,
    },
    /// A move.
    Move {
        /// From where.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The attester.
        #[serde(with = "text::address")]
        attester: Address,
        /// From when on it can be finalized.
        ready_at: Timestamp,
    },
}

/// What says that an intent is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Completion {
    /// The state: a duty that still returns the intent for a block after its confirmation asks for it
    /// once more, for example because a reorganization undid it.
    State,
    /// The journal of intents alone: tokens that were locked and power that was given up look the same
    /// whichever order did it. Once confirmed it is never pursued again.
    Journal,
}

/// A call to a contract of the set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntendedCall {
    /// The contract.
    pub contract: Address,
    /// The call.
    pub call: Call,
}

impl Intent {
    /// Something to do for the set of `view`.
    pub(crate) const fn new(
        view: &Present,
        action: IntendedAction,
        until: Option<Timestamp>,
    ) -> Self {
        let set = SetId { chain_id: view.chain_id, governance: view.addresses.governance };
        Self { set, action, until, fallback: None }
    }

    /// Its identity.
    pub const fn id(&self) -> IntentId {
        IntentId { set: self.set, subject: self.action.subject() }
    }

    /// What says that it is done.
    pub const fn completion(&self) -> Completion {
        match self.action {
            IntendedAction::Lock { .. } | IntendedAction::Withdraw { .. } => Completion::Journal,
            _ => Completion::State,
        }
    }

    /// Whether it is of use at `time`.
    pub fn is_useful_at(&self, time: Timestamp) -> bool {
        self.until.is_none_or(|until| time <= until)
    }

    /// The call that does it. A lock that needs a permit takes the holder's signature over its
    /// [terms](PermitTerms) and is `None` without one.
    pub fn call(&self, permit: Option<PermitSignature>) -> Option<IntendedCall> {
        let governance = self.set.governance;
        let (contract, call) = match self.action {
            IntendedAction::Signal { proposals, payload, .. } => {
                (proposals, ProposalsCall::Vote { payload }.into())
            }
            IntendedAction::ProposeBlock { rollup, block_hash, .. } => {
                (rollup, RollupCall::ProposeBlock { block_hash }.into())
            }
            IntendedAction::RecordSeed { rollup, .. } => (rollup, RollupCall::SetupEpoch.into()),
            IntendedAction::Push { proposals, round, .. } => {
                (proposals, ProposalsCall::PushProposal { round: round.to_word() }.into())
            }
            IntendedAction::Execute { id } => {
                (governance, GovernanceCall::Execute { id: id.to_word() }.into())
            }
            IntendedAction::Drop { id } => {
                (governance, GovernanceCall::DropProposal { id: id.to_word() }.into())
            }
            IntendedAction::PayWithdrawal { id } => {
                (governance, GovernanceCall::FinaliseWithdraw { id: id.to_word() }.into())
            }
            IntendedAction::PayExit { rollup, attester, .. } => {
                (rollup, RollupCall::FinaliseWithdraw { attester }.into())
            }
            IntendedAction::Approve { asset, amount, .. } => {
                let amount = amount.to_word();
                (asset, AssetCall::Approve { spender: governance, amount }.into())
            }
            IntendedAction::Lock { holder, amount, permit: None, .. } => {
                let (on_behalf_of, amount) = (holder, amount.to_word());
                (governance, GovernanceCall::Deposit { on_behalf_of, amount }.into())
            }
            IntendedAction::Lock { holder, amount, permit: Some(terms), .. } => {
                let (v, r, s) = permit?;
                let lock = GovernanceCall::DepositWithPermit {
                    on_behalf_of: holder,
                    amount: amount.to_word(),
                    deadline: terms.deadline.to_word(),
                    v,
                    r,
                    s,
                };
                (governance, lock.into())
            }
            IntendedAction::Vote { id, support, amount, .. } => {
                let (id, amount) = (id.to_word(), amount.to_word());
                (governance, GovernanceCall::Vote { id, amount, support }.into())
            }
            IntendedAction::Withdraw { to, amount, .. } => {
                let amount = amount.to_word();
                (governance, GovernanceCall::InitiateWithdraw { to, amount }.into())
            }
            IntendedAction::AnnounceMove { rollup, attester, to } => {
                (rollup, RollupCall::InitiateMove { attester, new_rollup: to }.into())
            }
            IntendedAction::FinaliseMove { rollup, attester, new_attester: None, .. } => {
                (rollup, RollupCall::FinaliseMove { attester }.into())
            }
            IntendedAction::FinaliseMove {
                rollup, attester, new_attester: Some(there), ..
            } => (rollup, RollupCall::FinaliseMoveAs { attester, new_attester: there }.into()),
        };
        Some(IntendedCall { contract, call })
    }

    /// The call for an execution whose payload withholds its list, if there is one.
    pub fn fallback_call(&self) -> Option<IntendedCall> {
        let IntendedAction::Execute { id } = self.action else { return None };
        let actions = self.fallback.as_deref()?.to_vec();
        let call = GovernanceCall::ExecuteWith { id: id.to_word(), actions }.into();
        Some(IntendedCall { contract: self.set.governance, call })
    }
}

impl IntendedAction {
    /// What it is about.
    pub const fn subject(&self) -> IntentSubject {
        match *self {
            Self::Signal { proposals, rollup, slot, .. } => {
                IntentSubject::Signal { proposals, rollup, slot }
            }
            Self::ProposeBlock { rollup, slot, .. } => IntentSubject::Block { rollup, slot },
            Self::RecordSeed { rollup, epoch } => IntentSubject::Seed { rollup, epoch },
            Self::Push { proposals, rollup, round, .. } => {
                IntentSubject::Push { proposals, rollup, round }
            }
            Self::Execute { id } => IntentSubject::Execution { id },
            Self::Drop { id } => IntentSubject::Drop { id },
            Self::PayWithdrawal { id } => IntentSubject::Withdrawal { id },
            Self::PayExit { rollup, attester, exitable_at } => {
                IntentSubject::Exit { rollup, attester, exitable_at }
            }
            Self::Approve { holder, order, .. } => IntentSubject::Approval { holder, order },
            Self::Lock { holder, order, .. } | Self::Withdraw { holder, order, .. } => {
                IntentSubject::Order { holder, order }
            }
            Self::Vote { holder, id, support, .. } => IntentSubject::Ballot { holder, id, support },
            Self::AnnounceMove { rollup, attester, to } => {
                IntentSubject::Announcement { rollup, attester, to }
            }
            Self::FinaliseMove { rollup, attester, ready_at, .. } => {
                IntentSubject::Move { rollup, attester, ready_at }
            }
        }
    }
}
