//! The transactions of the protocol, each with the events that prove it.
//!
//! Amounts are base units, and addresses are those of the set's contracts. The documentation of the
//! contracts' functions says who may send them and when.

use crate::call::ContractCall;
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolCall;
use canon_abi::{Asset, Governance, Issuer, Proposals, Registry, Rollup};
use canon_protocol::{
    Amount, AssetCall, Call, GovernanceCall, IssuerCall, OwnershipCall, Permit, ProposalId,
    ProposalsCall, RegistryCall, RollupCall, Round, Support, Timestamp,
};

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

/// The call of `to`, whose function is `C`, with the events that prove it.
fn proven<C: Proven>(to: Address, call: impl Into<Call>) -> ContractCall {
    C::encoded(to, call.into().abi_encode())
}

/// The call of `to`, whose function is `C`.
fn called<C: SolCall>(to: Address, call: impl Into<Call>) -> ContractCall {
    ContractCall::encoded::<C>(to, call.into().abi_encode())
}

/// A push, for which the creation of a proposal in `governance` is required too.
pub(crate) fn freezing(push: ContractCall, governance: Address) -> ContractCall {
    push.expecting::<Governance::ProposalFrozen>(governance)
}

/// Allows `spender` to take up to `amount` of the sender's asset.
pub fn approve(asset: Address, spender: Address, amount: Amount) -> ContractCall {
    let call = AssetCall::Approve { spender, amount: amount.to_word() };
    proven::<Asset::approveCall>(asset, call)
}

/// Transfers `amount` of the asset.
pub fn transfer(asset: Address, to: Address, amount: Amount) -> ContractCall {
    let call = AssetCall::Transfer { to, amount: amount.to_word() };
    called::<Asset::transferCall>(asset, call).expecting::<Asset::Transfer>(asset)
}

/// Locks `amount` as power of `holder`. The allowance must suffice.
pub fn lock(governance: Address, holder: Address, amount: Amount) -> ContractCall {
    let call = GovernanceCall::Deposit { on_behalf_of: holder, amount: amount.to_word() };
    proven::<Governance::depositCall>(governance, call)
}

/// Casts `amount` of the sender's power on a proposal.
pub fn vote(governance: Address, id: ProposalId, amount: Amount, support: Support) -> ContractCall {
    let call = GovernanceCall::Vote { id: id.to_word(), amount: amount.to_word(), support };
    proven::<Governance::voteCall>(governance, call)
}

/// Gives up `amount` of the sender's power. The asset is paid to `to` later.
pub fn withdraw(governance: Address, to: Address, amount: Amount) -> ContractCall {
    let call = GovernanceCall::InitiateWithdraw { to, amount: amount.to_word() };
    proven::<Governance::initiateWithdrawCall>(governance, call)
}

/// Proposes through the lock. The asset of the power that it costs is paid to `to` later.
pub fn propose_with_lock(governance: Address, payload: Address, to: Address) -> ContractCall {
    let call = GovernanceCall::ProposeWithLock { payload, to };
    proven::<Governance::proposeWithLockCall>(governance, call)
}

/// Executes a proposal with the actions that its payload returns.
pub fn execute(governance: Address, id: ProposalId) -> ContractCall {
    let call = GovernanceCall::Execute { id: id.to_word() };
    proven::<Governance::executeCall>(governance, call)
}

/// Accepts an ownership that was offered to Governance.
pub fn governance_accept(governance: Address, target: Address) -> ContractCall {
    let call = GovernanceCall::AcceptOwnership { target };
    called::<Governance::acceptOwnershipCall>(governance, call)
        .expecting::<Registry::OwnershipTransferred>(target)
}

/// Accepts the ownership of the asset that was offered to the Issuer.
pub fn issuer_accept(issuer: Address, asset: Address) -> ContractCall {
    called::<Issuer::acceptAssetCall>(issuer, IssuerCall::AcceptAsset)
        .expecting::<Asset::OwnershipTransferred>(asset)
}

/// Offers the ownership of `target`.
pub fn offer_ownership(target: Address, new_owner: Address) -> ContractCall {
    called::<Registry::transferOwnershipCall>(
        target,
        OwnershipCall::TransferOwnership { new_owner },
    )
    .expecting::<Registry::OwnershipTransferStarted>(target)
}

/// Makes a rollup canonical.
pub fn upgrade(registry: Address, rollup: Address) -> ContractCall {
    called::<Registry::upgradeCall>(registry, RegistryCall::Upgrade { rollup })
        .expecting::<Registry::InstanceAdded>(registry)
}

/// Signals for a payload in the slot of the block that includes it.
pub fn signal(proposals: Address, payload: Address) -> ContractCall {
    proven::<Proposals::voteCall>(proposals, ProposalsCall::Vote { payload })
}

/// Makes the winner of a round a proposal.
pub fn push(proposals: Address, governance: Address, round: Round) -> ContractCall {
    let call = ProposalsCall::PushProposal { round: round.to_word() };
    freezing(proven::<Proposals::pushProposalCall>(proposals, call), governance)
}

/// Stakes `amount` of the sender's asset. The allowance must suffice.
pub fn stake(
    rollup: Address,
    attester: Address,
    proposer: Address,
    withdrawer: Address,
    amount: Amount,
) -> ContractCall {
    let amount = amount.to_word();
    let call = RollupCall::Deposit { attester, proposer, withdrawer, amount };
    proven::<Rollup::depositCall>(rollup, call)
}

/// Moves an attester whose delay has passed to the canonical rollup.
pub fn finalize_move(rollup: Address, attester: Address) -> ContractCall {
    proven::<Rollup::finaliseMove_1Call>(rollup, RollupCall::FinaliseMove { attester })
}

/// Records the seed of the next epoch, if it isn't recorded yet.
pub fn setup_epoch(rollup: Address) -> ContractCall {
    proven::<Rollup::setupEpochCall>(rollup, RollupCall::SetupEpoch)
}

/// The permit that a holder signs so that a lock needs no approval before.
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
