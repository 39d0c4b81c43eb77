//! The intents of agents: with an identity, so that an intent pursued twice is one transaction.

use crate::{duties::OrderId, present::Present};
use alloy_primitives::{Address, B256, Bytes};
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

/// Declares the kinds of intents: for each what identifies it, and what else its transaction needs.
macro_rules! kinds {
    ($(
        $(#[$doc:meta])*
        $kind:ident {
            $($(#[$id_meta:meta])* $id:ident: $id_type:ty,)*
        } with {
            $($(#[$detail_meta:meta])* $detail:ident: $detail_type:ty,)*
        }
    )*) => {
        /// An action to carry out, with all that the transaction needs.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum IntendedAction {
            $(
                $(#[$doc])*
                $kind {
                    $($(#[$id_meta])* $id: $id_type,)*
                    $($(#[$detail_meta])* $detail: $detail_type,)*
                },
            )*
        }

        /// The subject of an intent: an [action](IntendedAction) without the details of its transaction.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum IntentSubject {
            $(
                $(#[$doc])*
                $kind { $($(#[$id_meta])* $id: $id_type,)* },
            )*
        }

        impl IntendedAction {
            /// Its subject.
            pub const fn subject(&self) -> IntentSubject {
                match *self {
                    $(Self::$kind { $($id,)* .. } => IntentSubject::$kind { $($id,)* },)*
                }
            }
        }
    };
}

kinds! {
    /// Signal for a payload. A slot has one signal, whatever payload it is for.
    Signal {
        /// The Proposals contract, which counts signals.
        #[serde(with = "text::address")]
        proposals: Address,
        /// The canonical rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The slot.
        slot: Slot,
    } with {
        /// The payload.
        #[serde(with = "text::address")]
        payload: Address,
        /// The slot's proposer.
        #[serde(with = "text::address")]
        proposer: Address,
    }
    /// Propose a slot's block.
    ProposeBlock {
        /// The rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The slot.
        slot: Slot,
    } with {
        /// The block's hash.
        block_hash: B256,
        /// The slot's proposer.
        #[serde(with = "text::address")]
        proposer: Address,
    }
    /// Record the seed of an epoch.
    RecordSeed {
        /// The rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The epoch that the seed draws.
        epoch: Epoch,
    } with {}
    /// Make a round's winner a proposal.
    Push {
        /// The Proposals contract, which counts signals.
        #[serde(with = "text::address")]
        proposals: Address,
        /// The canonical rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The round.
        round: Round,
    } with {
        /// The winner.
        #[serde(with = "text::address")]
        payload: Address,
    }
    /// Execute a proposal: with the list that its payload returns or, if that isn't what was voted on,
    /// with the actions that were frozen.
    Execute {
        /// The proposal.
        id: ProposalId,
    } with {
        /// The actions that were frozen when the proposal was made; `None` if they aren't known.
        frozen_actions: Option<Arc<[Action]>>,
    }
    /// Store that a proposal is dropped.
    Drop {
        /// The proposal.
        id: ProposalId,
    } with {}
    /// Pay a withdrawal.
    PayWithdrawal {
        /// The withdrawal.
        id: WithdrawalId,
    } with {}
    /// Pay an exit. An attester that joined again may exit again, at another time.
    PayExit {
        /// The rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The attester whose stake is paid.
        #[serde(with = "text::address")]
        attester: Address,
        /// The first second in which it is paid.
        exitable_at: Timestamp,
    } with {}
    /// Allow Governance to take some of a holder's asset.
    Approve {
        /// The holder.
        #[serde(with = "text::address")]
        holder: Address,
        /// The order that it is for.
        order: OrderId,
    } with {
        /// The Asset.
        #[serde(with = "text::address")]
        asset: Address,
        /// The amount that is allowed, in base units.
        amount: Amount,
    }
    /// Lock some of a holder's asset as power.
    Lock {
        /// The holder.
        #[serde(with = "text::address")]
        holder: Address,
        /// The order that it is for.
        order: OrderId,
    } with {
        /// The account whose power it becomes; `None` for the holder.
        #[serde(default, with = "text::address::option")]
        beneficiary: Option<Address>,
        /// The amount that is locked, in base units.
        amount: Amount,
        /// The terms that the holder signs; `None` if the allowance suffices.
        permit: Option<PermitTerms>,
    }
    /// Cast power.
    Vote {
        /// The holder.
        #[serde(with = "text::address")]
        holder: Address,
        /// The proposal.
        id: ProposalId,
        /// For or against.
        support: Support,
    } with {
        /// The power that is cast, in base units.
        amount: Amount,
    }
    /// Give power up.
    Withdraw {
        /// The holder.
        #[serde(with = "text::address")]
        holder: Address,
        /// The order that it is for.
        order: OrderId,
    } with {
        /// The later recipient of the asset.
        #[serde(with = "text::address")]
        to: Address,
        /// The power that is given up, in base units.
        amount: Amount,
    }
    /// Announce that a stake moves.
    AnnounceMove {
        /// The rollup that the stake leaves.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The attester whose stake moves.
        #[serde(with = "text::address")]
        attester: Address,
        /// The rollup that the stake goes to.
        #[serde(with = "text::address")]
        to: Address,
    } with {
        /// The account that decides about the stake.
        #[serde(with = "text::address")]
        withdrawer: Address,
    }
    /// Move a stake to the rollup announced.
    FinalizeMove {
        /// The rollup that the stake leaves.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The attester whose stake moves.
        #[serde(with = "text::address")]
        attester: Address,
        /// The first second in which it can be moved.
        ready_at: Timestamp,
    } with {
        /// The attester there, if that is another one.
        new_attester: Option<NewAttester>,
    }
    /// Signal for a payload with the signature of the slot's proposer.
    SignalSigned {
        /// The Proposals contract, which counts signals.
        #[serde(with = "text::address")]
        proposals: Address,
        /// The canonical rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The slot.
        slot: Slot,
    } with {
        /// The payload.
        #[serde(with = "text::address")]
        payload: Address,
        /// The proposer's signature.
        signature: Bytes,
    }
    /// Cast power with a ballot that its holder signed.
    VoteSigned {
        /// The holder.
        #[serde(with = "text::address")]
        holder: Address,
        /// The proposal.
        id: ProposalId,
        /// The nonce of the ballot.
        nonce: Nonce,
    } with {
        /// For or against.
        support: Support,
        /// The power that is cast, in base units.
        amount: Amount,
        /// The last second in which the ballot can be used.
        deadline: Timestamp,
        /// The holder's signature.
        signature: Bytes,
    }
    /// Void all ballots on a proposal that a holder has signed so far.
    InvalidateBallots {
        /// The holder.
        #[serde(with = "text::address")]
        holder: Address,
        /// The proposal.
        id: ProposalId,
        /// The nonce of the holder's next signed ballot until then.
        nonce: Nonce,
    } with {}
    /// Propose a payload through the lock.
    Propose {
        /// The holder.
        #[serde(with = "text::address")]
        holder: Address,
        /// The order that it is for.
        order: OrderId,
    } with {
        /// The payload.
        #[serde(with = "text::address")]
        payload: Address,
        /// The later recipient of the asset that is locked.
        #[serde(with = "text::address")]
        to: Address,
    }
    /// Allow a rollup to take a stake.
    ApproveStake {
        /// The account that pays the stake.
        #[serde(with = "text::address")]
        holder: Address,
        /// The order that it is for.
        order: OrderId,
    } with {
        /// The Asset.
        #[serde(with = "text::address")]
        asset: Address,
        /// The rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The amount that is allowed, in base units.
        amount: Amount,
    }
    /// Register an attester with a stake.
    Stake {
        /// The rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The attester.
        #[serde(with = "text::address")]
        attester: Address,
        /// The order that it is for: an attester that left may join again.
        order: OrderId,
    } with {
        /// The account that pays the stake.
        #[serde(with = "text::address")]
        holder: Address,
        /// The account that signals and proposes for it.
        #[serde(with = "text::address")]
        proposer: Address,
        /// The account that decides about the stake.
        #[serde(with = "text::address")]
        withdrawer: Address,
        /// The stake, in base units.
        amount: Amount,
    }
    /// Take an attester out of the set.
    ExitStake {
        /// The rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The attester whose stake leaves.
        #[serde(with = "text::address")]
        attester: Address,
    } with {
        /// The account that decides about the stake.
        #[serde(with = "text::address")]
        withdrawer: Address,
        /// The later recipient of the stake.
        #[serde(with = "text::address")]
        recipient: Address,
    }
    /// Choose who gets the rewards of an attester's blocks.
    SetCoinbase {
        /// The rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The attester.
        #[serde(with = "text::address")]
        attester: Address,
    } with {
        /// The account that decides about the stake.
        #[serde(with = "text::address")]
        withdrawer: Address,
        /// The recipient of the rewards.
        #[serde(with = "text::address")]
        coinbase: Address,
    }
}

/// Another attester under which a stake goes to the new rollup. Only the withdrawer can decide that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAttester {
    /// The attester in the new rollup.
    #[serde(with = "text::address")]
    pub attester: Address,
    /// The account that decides about the stake.
    #[serde(with = "text::address")]
    pub withdrawer: Address,
}

impl IntentSubject {
    /// The holder's order that it is for; `None` if it isn't for one.
    pub const fn order(&self) -> Option<OrderId> {
        match *self {
            Self::Approve { order, .. }
            | Self::Lock { order, .. }
            | Self::Withdraw { order, .. }
            | Self::Propose { order, .. }
            | Self::ApproveStake { order, .. }
            | Self::Stake { order, .. } => Some(order),
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

/// The signature of a permit: `v`, `r` and `s`.
pub type PermitSignature = (u8, B256, B256);

/// The identity of an intent: its kind, its set, and its slot, round, proposal or order. The way in which it is
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
    /// payload look the same whichever order did it. Once completed it is never pursued again.
    Journal,
}

/// A call to a contract of the set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntendedCall {
    /// The contract that is called.
    pub contract: Address,
    /// The function and its arguments.
    pub call: Call,
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

    /// The evidence that it is done. An approval is for an order too, and the allowance shows it.
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
            IntendedAction::Execute { id, .. } => {
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
            IntendedAction::Lock { holder, beneficiary, amount, permit: None, .. } => {
                let (on_behalf_of, amount) = (beneficiary.unwrap_or(holder), amount.to_word());
                (governance, GovernanceCall::Deposit { on_behalf_of, amount }.into())
            }
            IntendedAction::Lock { holder, beneficiary, amount, permit: Some(terms), .. } => {
                let (v, r, s) = permit?;
                let lock = GovernanceCall::DepositWithPermit {
                    on_behalf_of: beneficiary.unwrap_or(holder),
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
            IntendedAction::AnnounceMove { rollup, attester, to, .. } => {
                (rollup, RollupCall::InitiateMove { attester, new_rollup: to }.into())
            }
            IntendedAction::FinalizeMove { rollup, attester, new_attester: None, .. } => {
                (rollup, RollupCall::FinaliseMove { attester }.into())
            }
            IntendedAction::FinalizeMove {
                rollup, attester, new_attester: Some(there), ..
            } => {
                let new_attester = there.attester;
                (rollup, RollupCall::FinaliseMoveAs { attester, new_attester }.into())
            }
            IntendedAction::SignalSigned { proposals, payload, ref signature, .. } => {
                let signature = signature.clone();
                (proposals, ProposalsCall::VoteWithSig { payload, signature }.into())
            }
            IntendedAction::VoteSigned {
                holder,
                id,
                support,
                amount,
                deadline,
                ref signature,
                ..
            } => {
                let ballot = GovernanceCall::VoteWithSig {
                    proposal_id: id.to_word(),
                    amount: amount.to_word(),
                    support,
                    voter: holder,
                    deadline: deadline.to_word(),
                    signature: signature.clone(),
                };
                (governance, ballot.into())
            }
            IntendedAction::InvalidateBallots { id, .. } => {
                (governance, GovernanceCall::InvalidateBallots { id: id.to_word() }.into())
            }
            IntendedAction::Propose { payload, to, .. } => {
                (governance, GovernanceCall::ProposeWithLock { payload, to }.into())
            }
            IntendedAction::ApproveStake { asset, rollup, amount, .. } => {
                let amount = amount.to_word();
                (asset, AssetCall::Approve { spender: rollup, amount }.into())
            }
            IntendedAction::Stake { rollup, attester, proposer, withdrawer, amount, .. } => {
                let amount = amount.to_word();
                (rollup, RollupCall::Deposit { attester, proposer, withdrawer, amount }.into())
            }
            IntendedAction::ExitStake { rollup, attester, recipient, .. } => {
                (rollup, RollupCall::InitiateWithdraw { attester, recipient }.into())
            }
            IntendedAction::SetCoinbase { rollup, attester, coinbase, .. } => {
                (rollup, RollupCall::SetCoinbase { attester, coinbase }.into())
            }
        };
        Some(IntendedCall { contract, call })
    }

    /// The call for an execution whose payload withholds its list; `None` if the actions that were frozen
    /// aren't known, and for all else.
    pub fn fallback_call(&self) -> Option<IntendedCall> {
        let IntendedAction::Execute { id, frozen_actions: Some(actions) } = &self.action else {
            return None;
        };
        let actions = actions.to_vec();
        let call = GovernanceCall::ExecuteWith { id: id.to_word(), actions }.into();
        Some(IntendedCall { contract: self.set.governance, call })
    }
}
