//! The calls that carry out intents.

use super::{IntendedAction, Intent};
use alloy_primitives::{Address, B256};
use canon_protocol::{AssetCall, Call, GovernanceCall, ProposalsCall, RollupCall};

/// The signature of a permit: `v`, `r` and `s`.
pub type PermitSignature = (u8, B256, B256);

/// A call to a contract of the set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntendedCall {
    /// The contract to call.
    pub contract: Address,
    /// The encoded function call.
    pub call: Call,
}

impl Intent {
    /// The call to a contract of the set that carries out the intent; `None` for the creation of a contract.
    /// A lock that needs a permit requires the holder's signature over its [terms](super::PermitTerms);
    /// without one the result is `None`.
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
            IntendedAction::Create { .. } => return None,
        };
        Some(IntendedCall { contract, call })
    }

    /// The call that executes a proposal whose payload withholds its actions; `None` if the frozen actions
    /// aren't known, and for all other intents.
    pub fn fallback_call(&self) -> Option<IntendedCall> {
        let IntendedAction::Execute { id, frozen_actions: Some(actions) } = &self.action else {
            return None;
        };
        let actions = actions.to_vec();
        let call = GovernanceCall::ExecuteWith { id: id.to_word(), actions }.into();
        Some(IntendedCall { contract: self.set.governance, call })
    }
}
