//! The kinds of intents.

use super::{PermitTerms, RequestId};
use alloy_primitives::{Address, B256, Bytes};
use canon_protocol::{
    Action, Amount, Epoch, Nonce, ProposalId, Round, Slot, Support, Timestamp, WithdrawalId, text,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Declares the kinds of intents, each with its identifying fields and with the other data of its
/// transaction.
macro_rules! kinds {
    ($(
        $(#[$doc:meta])*
        $kind:ident {
            $($(#[$id_meta:meta])* $id:ident: $id_type:ty,)*
        } with {
            $($(#[$detail_meta:meta])* $detail:ident: $detail_type:ty,)*
        }
    )*) => {
        /// An action to carry out, with all data of its transaction.
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
            /// The subject of the action.
            pub const fn subject(&self) -> IntentSubject {
                match *self {
                    $(Self::$kind { $($id,)* .. } => IntentSubject::$kind { $($id,)* },)*
                }
            }
        }
    };
}

kinds! {
    /// Signal for a payload. A slot has one signal, regardless of the payload.
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
    /// Make the winner of a round a proposal.
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
        /// The hash of the actions that the payload listed when the push was decided on; `None` if they weren't read.
        /// The payload decides what it lists when the push is mined.
        actions_hash: Option<B256>,
    }
    /// Execute a proposal, with the actions that its payload returns or, if they aren't those voted on,
    /// with the frozen ones.
    Execute {
        /// The proposal.
        id: ProposalId,
    } with {
        /// The actions frozen at the proposal's creation; `None` if they aren't known.
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
    /// Pay an exit. An attester that joined again may exit again, at a later time.
    PayExit {
        /// The rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The attester whose stake is paid.
        #[serde(with = "text::address")]
        attester: Address,
        /// The first second in which it can be paid.
        exitable_at: Timestamp,
    } with {}
    /// Allow Governance to take some of a holder's asset.
    Approve {
        /// The holder.
        #[serde(with = "text::address")]
        holder: Address,
        /// The request of the approval.
        request: RequestId,
    } with {
        /// The Asset.
        #[serde(with = "text::address")]
        asset: Address,
        /// The allowed amount, in base units.
        amount: Amount,
    }
    /// Lock some of a holder's asset as power.
    Lock {
        /// The holder.
        #[serde(with = "text::address")]
        holder: Address,
        /// The request of the lock.
        request: RequestId,
    } with {
        /// The account that gets the power; `None` for the holder.
        #[serde(default, with = "text::address::option")]
        beneficiary: Option<Address>,
        /// The amount to lock, in base units.
        amount: Amount,
        /// The terms of the permit to sign; `None` if the allowance suffices.
        permit: Option<PermitTerms>,
    }
    /// Vote on a proposal.
    Vote {
        /// The holder.
        #[serde(with = "text::address")]
        holder: Address,
        /// The proposal.
        id: ProposalId,
        /// For or against.
        support: Support,
    } with {
        /// The power to cast, in base units.
        amount: Amount,
    }
    /// Give up power.
    Withdraw {
        /// The holder.
        #[serde(with = "text::address")]
        holder: Address,
        /// The request of the withdrawal.
        request: RequestId,
    } with {
        /// The account that later receives the asset.
        #[serde(with = "text::address")]
        to: Address,
        /// The power to give up, in base units.
        amount: Amount,
    }
    /// Announce the move of a stake.
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
        /// The account that controls the stake.
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
        /// The attester in the new rollup, if it is another one.
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
    /// Vote on a proposal with a ballot that the holder signed.
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
        /// The power to cast, in base units.
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
        /// The nonce of the holder's next ballot, before they are voided.
        nonce: Nonce,
    } with {}
    /// Propose a payload through the lock.
    Propose {
        /// The holder.
        #[serde(with = "text::address")]
        holder: Address,
        /// The request of the proposal.
        request: RequestId,
    } with {
        /// The payload.
        #[serde(with = "text::address")]
        payload: Address,
        /// The account that later receives the locked asset.
        #[serde(with = "text::address")]
        to: Address,
        /// The hash of the actions that the payload listed when the proposal was decided on; `None` if they weren't
        /// read. The payload decides what it lists when the proposal is mined.
        actions_hash: Option<B256>,
    }
    /// Allow a rollup to take a stake.
    ApproveStake {
        /// The account that pays the stake.
        #[serde(with = "text::address")]
        holder: Address,
        /// The request of the approval.
        request: RequestId,
    } with {
        /// The Asset.
        #[serde(with = "text::address")]
        asset: Address,
        /// The rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The allowed amount, in base units.
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
        /// The request of the stake. An attester that left may join again.
        request: RequestId,
    } with {
        /// The account that pays the stake.
        #[serde(with = "text::address")]
        holder: Address,
        /// The account that signals and proposes for the attester.
        #[serde(with = "text::address")]
        proposer: Address,
        /// The account that controls the stake.
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
        /// The account that controls the stake.
        #[serde(with = "text::address")]
        withdrawer: Address,
        /// The account that later receives the stake.
        #[serde(with = "text::address")]
        recipient: Address,
    }
    /// Set the recipient of the rewards of an attester's blocks.
    SetCoinbase {
        /// The rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The attester.
        #[serde(with = "text::address")]
        attester: Address,
    } with {
        /// The account that controls the stake.
        #[serde(with = "text::address")]
        withdrawer: Address,
        /// The recipient of the rewards.
        #[serde(with = "text::address")]
        coinbase: Address,
    }
    /// Create a contract with CREATE2. Its address proves the init code.
    Create {
        /// The address of the contract.
        #[serde(with = "text::address")]
        contract: Address,
    } with {
        /// The contract that executes CREATE2.
        #[serde(with = "text::address")]
        factory: Address,
        /// The salt.
        salt: B256,
        /// The init code, with the arguments of the constructor.
        init_code: Bytes,
    }
}

/// Another attester that gets the stake in the new rollup. Only the withdrawer can choose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAttester {
    /// The attester in the new rollup.
    #[serde(with = "text::address")]
    pub attester: Address,
    /// The account that controls the stake.
    #[serde(with = "text::address")]
    pub withdrawer: Address,
}
