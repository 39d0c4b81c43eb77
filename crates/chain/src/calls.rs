//! The transactions of the protocol, each with the events that prove it.
//!
//! Amounts are base units, and addresses are those of the set's contracts. The documentation of the
//! contracts' functions says who may send them and when.

use crate::call::ContractCall;
use alloy_primitives::{Address, B256, Bytes, Signature, U256};
use alloy_sol_types::SolCall;
use canon_abi::{Asset, Governance, Issuer, Proposals, Registry, Rollup};
use canon_protocol::{Amount, Permit, ProposalId, Round, Support, Timestamp, WithdrawalId};

/// The additional gas of a signal that is the round's first or changes the leader, compared with one that adds to
/// the leader's count: about 45,000, and the event at quorum.
const SIGNAL_HEADROOM: u64 = 70_000;

/// A function with events that prove the success of its call.
trait Proven: SolCall {
    /// The call of `to` with an encoded selector and arguments.
    fn encoded(to: Address, input: Bytes) -> ContractCall;
}

/// Declares the functions that intents call, each with the events of its contract that prove it.
macro_rules! proofs {
    ($($call:ty => [$($event:ty),*] $(, $headroom:expr)?;)*) => {
        $(impl Proven for $call {
            fn encoded(to: Address, input: Bytes) -> ContractCall {
                ContractCall::encoded::<Self>(to, input)
                    $(.expecting::<$event>(to))*
                    $(.with_headroom($headroom))?
            }
        })*

        /// The call of `to` with the selector and arguments `input`, and with the events of `to` that prove
        /// it; `None` if no intent calls such a function.
        pub(crate) fn by_selector(to: Address, input: Bytes) -> Option<ContractCall> {
            let selector = input.get(..4)?;
            $(if *selector == <$call>::SELECTOR {
                return Some(<$call>::encoded(to, input));
            })*
            None
        }
    };
}

proofs! {
    Asset::approveCall => [Asset::Approval];
    Governance::depositCall => [Governance::Deposit];
    Governance::depositWithPermitCall => [Governance::Deposit];
    Governance::voteCall => [Governance::VoteCast];
    Governance::voteWithSigCall => [Governance::NonceUsed, Governance::VoteCast];
    Governance::invalidateBallotsCall => [Governance::BallotsInvalidated];
    Governance::proposeWithLockCall => [Governance::ProposalFrozen, Governance::WithdrawalQueued];
    Governance::initiateWithdrawCall => [Governance::WithdrawInitiated, Governance::WithdrawalQueued];
    Governance::finaliseWithdrawCall => [Governance::WithdrawFinalised];
    Governance::executeCall => [Governance::ProposalExecuted];
    Governance::executeWithCall => [Governance::ProposalExecuted];
    Governance::dropProposalCall => [Governance::ProposalDropped];
    Proposals::voteCall => [Proposals::VoteCast], SIGNAL_HEADROOM;
    Proposals::voteWithSigCall => [Proposals::VoteCast], SIGNAL_HEADROOM;
    Proposals::pushProposalCall => [Proposals::ProposalPushed];
    Rollup::depositCall => [Rollup::Deposit];
    Rollup::initiateWithdrawCall => [Rollup::WithdrawInitiated];
    Rollup::setCoinbaseCall => [Rollup::CoinbaseSet];
    Rollup::finaliseWithdrawCall => [Rollup::WithdrawFinalised];
    Rollup::initiateMoveCall => [Rollup::MoveInitiated];
    Rollup::finaliseMove_0Call => [Rollup::MoveFinalised];
    Rollup::finaliseMove_1Call => [Rollup::MoveFinalised];
    Rollup::proposeBlockCall => [Rollup::BlockProposed];
    Rollup::setupEpochCall => [];
}

fn proven<C: Proven>(to: Address, call: &C) -> ContractCall {
    C::encoded(to, call.abi_encode().into())
}

/// A push, for which the creation of a proposal in `governance` is required too.
pub(crate) fn freezing(push: ContractCall, governance: Address) -> ContractCall {
    push.expecting::<Governance::ProposalFrozen>(governance)
}

/// Allows `spender` to take up to `amount` of the sender's asset.
pub fn approve(asset: Address, spender: Address, amount: Amount) -> ContractCall {
    let call = Asset::approveCall::new((spender, amount.to_word()));
    proven(asset, &call)
}

/// Transfers `amount` of the asset.
pub fn transfer(asset: Address, to: Address, amount: Amount) -> ContractCall {
    let call = Asset::transferCall::new((to, amount.to_word()));
    ContractCall::new(asset, &call).expecting::<Asset::Transfer>(asset)
}

/// Locks `amount` as power of `holder`. The allowance must suffice.
pub fn lock(governance: Address, holder: Address, amount: Amount) -> ContractCall {
    let call = Governance::depositCall { onBehalfOf: holder, amount: amount.to_word() };
    proven(governance, &call)
}

/// Locks `amount` as power of `holder` with the sender's ERC-2612 permit.
pub fn lock_with_permit(
    governance: Address,
    holder: Address,
    amount: Amount,
    deadline: Timestamp,
    permit: &Signature,
) -> ContractCall {
    let call = Governance::depositWithPermitCall {
        onBehalfOf: holder,
        amount: amount.to_word(),
        deadline: deadline.to_word(),
        v: 27 + u8::from(permit.v()),
        r: permit.r().into(),
        s: permit.s().into(),
    };
    proven(governance, &call)
}

/// Casts `amount` of the sender's power on a proposal.
pub fn vote(governance: Address, id: ProposalId, amount: Amount, support: Support) -> ContractCall {
    let call = Governance::voteCall {
        id: id.to_word(),
        amount: amount.to_word(),
        support: support == Support::Yea,
    };
    proven(governance, &call)
}

/// Casts `amount` of the voter's power on a proposal with a ballot that the voter signed.
pub fn vote_with_signature(
    governance: Address,
    id: ProposalId,
    (voter, amount, support): (Address, Amount, Support),
    deadline: Timestamp,
    signature: Bytes,
) -> ContractCall {
    let call = Governance::voteWithSigCall {
        proposalId: id.to_word(),
        amount: amount.to_word(),
        support: support == Support::Yea,
        voter,
        deadline: deadline.to_word(),
        signature,
    };
    proven(governance, &call)
}

/// Voids all ballots on a proposal that the sender has signed so far.
pub fn invalidate_ballots(governance: Address, id: ProposalId) -> ContractCall {
    proven(governance, &Governance::invalidateBallotsCall { id: id.to_word() })
}

/// Gives up `amount` of the sender's power. The asset is paid to `to` later.
pub fn withdraw(governance: Address, to: Address, amount: Amount) -> ContractCall {
    let call = Governance::initiateWithdrawCall { to, amount: amount.to_word() };
    proven(governance, &call)
}

/// Pays a withdrawal that is unlocked.
pub fn finalize_withdrawal(governance: Address, id: WithdrawalId) -> ContractCall {
    let call = Governance::finaliseWithdrawCall { id: id.to_word() };
    proven(governance, &call)
}

/// Proposes through the lock. The asset of the power that it costs is paid to `to` later.
pub fn propose_with_lock(governance: Address, payload: Address, to: Address) -> ContractCall {
    let call = Governance::proposeWithLockCall { payload, to };
    proven(governance, &call)
}

/// Executes a proposal with the actions that its payload returns.
pub fn execute(governance: Address, id: ProposalId) -> ContractCall {
    let call = Governance::executeCall { id: id.to_word() };
    proven(governance, &call)
}

/// Executes a proposal with the actions published at its creation.
pub fn execute_with(
    governance: Address,
    id: ProposalId,
    actions: impl IntoIterator<Item: Into<Governance::Action>>,
) -> ContractCall {
    let actions = actions.into_iter().map(Into::into).collect();
    let call = Governance::executeWithCall { id: id.to_word(), actions };
    proven(governance, &call)
}

/// Stores that a proposal is dropped.
pub fn drop_proposal(governance: Address, id: ProposalId) -> ContractCall {
    let call = Governance::dropProposalCall { id: id.to_word() };
    proven(governance, &call)
}

/// Accepts an ownership that was offered to Governance.
pub fn governance_accept(governance: Address, target: Address) -> ContractCall {
    let call = Governance::acceptOwnershipCall { target };
    ContractCall::new(governance, &call).expecting::<Registry::OwnershipTransferred>(target)
}

/// Accepts the ownership of the asset that was offered to the Issuer.
pub fn issuer_accept(issuer: Address, asset: Address) -> ContractCall {
    ContractCall::new(issuer, &Issuer::acceptAssetCall {})
        .expecting::<Asset::OwnershipTransferred>(asset)
}

/// Offers the ownership of `target`.
pub fn offer_ownership(target: Address, new_owner: Address) -> ContractCall {
    let call = Registry::transferOwnershipCall { newOwner: new_owner };
    ContractCall::new(target, &call).expecting::<Registry::OwnershipTransferStarted>(target)
}

/// Makes a rollup canonical.
pub fn upgrade(registry: Address, rollup: Address) -> ContractCall {
    let call = Registry::upgradeCall { rollup };
    ContractCall::new(registry, &call).expecting::<Registry::InstanceAdded>(registry)
}

/// Signals for a payload in the slot of the block that includes it.
pub fn signal(proposals: Address, payload: Address) -> ContractCall {
    proven(proposals, &Proposals::voteCall { payload })
}

/// Signals with the signature of the proposer of the slot of the block that includes it.
pub fn signal_with_signature(
    proposals: Address,
    payload: Address,
    signature: Bytes,
) -> ContractCall {
    proven(proposals, &Proposals::voteWithSigCall { payload, signature })
}

/// Makes the winner of a round a proposal.
pub fn push(proposals: Address, governance: Address, round: Round) -> ContractCall {
    let call = Proposals::pushProposalCall { round: round.to_word() };
    freezing(proven(proposals, &call), governance)
}

/// Stakes `amount` of the sender's asset. The allowance must suffice.
pub fn stake(
    rollup: Address,
    attester: Address,
    proposer: Address,
    withdrawer: Address,
    amount: Amount,
) -> ContractCall {
    let call = Rollup::depositCall { attester, proposer, withdrawer, amount: amount.to_word() };
    proven(rollup, &call)
}

/// Removes an attester from the set.
pub fn unstake(rollup: Address, attester: Address, recipient: Address) -> ContractCall {
    let call = Rollup::initiateWithdrawCall { attester, recipient };
    proven(rollup, &call)
}

/// Sets the recipient of the rewards of an attester's blocks.
pub fn set_coinbase(rollup: Address, attester: Address, coinbase: Address) -> ContractCall {
    proven(rollup, &Rollup::setCoinbaseCall { attester, coinbase })
}

/// Pays an exit whose delay has passed.
pub fn finalize_unstake(rollup: Address, attester: Address) -> ContractCall {
    let call = Rollup::finaliseWithdrawCall { attester };
    proven(rollup, &call)
}

/// Announces the move of an attester to another rollup.
pub fn announce_move(rollup: Address, attester: Address, new_rollup: Address) -> ContractCall {
    let call = Rollup::initiateMoveCall { attester, newRollup: new_rollup };
    proven(rollup, &call)
}

/// Moves an attester whose delay has passed to the canonical rollup.
pub fn finalize_move(rollup: Address, attester: Address) -> ContractCall {
    let call = Rollup::finaliseMove_1Call { attester };
    proven(rollup, &call)
}

/// Moves an attester as [`finalize_move`] does, but to another attester in the new rollup. Only the
/// withdrawer can send it, for the case that somebody else registered the attester there.
pub fn finalize_move_as(rollup: Address, attester: Address, new_attester: Address) -> ContractCall {
    let call = Rollup::finaliseMove_0Call { attester, newAttester: new_attester };
    proven(rollup, &call)
}

/// Proposes the block of the slot of the L1 block that includes it.
pub fn propose_block(rollup: Address, block_hash: B256) -> ContractCall {
    let call = Rollup::proposeBlockCall { blockHash: block_hash };
    proven(rollup, &call)
}

/// Records the seed of the next epoch, if it isn't recorded yet.
pub fn setup_epoch(rollup: Address) -> ContractCall {
    proven(rollup, &Rollup::setupEpochCall {})
}

/// The permit that a holder signs so that [`lock_with_permit`] needs no approval before.
#[derive(Clone, Debug)]
pub struct PermitRequest {
    /// The name of the asset, as returned by `name()`.
    pub asset_name: String,
    /// The asset.
    pub asset: Address,
    /// The holder.
    pub owner: Address,
    /// Governance.
    pub spender: Address,
    /// The amount to lock.
    pub amount: Amount,
    /// The holder's present nonce in the asset.
    pub nonce: U256,
    /// The last second in which the permit can be used.
    pub deadline: Timestamp,
}

impl PermitRequest {
    /// The hash to sign, for a chain.
    pub fn signing_hash(&self, chain_id: u64) -> B256 {
        let permit = Permit {
            owner: self.owner,
            spender: self.spender,
            value: self.amount.to_word(),
            nonce: self.nonce,
            deadline: self.deadline.to_word(),
        };
        permit.signing_hash(chain_id, self.asset, &self.asset_name)
    }
}
