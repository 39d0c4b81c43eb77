//! Hints for the next step after a refusal.

/// The hint for a revert without data.
pub(super) const EMPTY: &str =
    "check that the address has code on this chain and that the gas limit was high enough";

/// The hint for an unknown selector.
pub(super) const UNKNOWN: &str =
    "no Canon contract declares this error: look up the contract that was called";

/// The hint for an error with this name. `None` for errors that are fully explained by their
/// arguments, and that only a bug or a wrong caller inside the set can produce.
pub(super) fn of(name: &str) -> Option<&'static str> {
    Some(match name {
        "NoCode" => {
            "nothing is deployed there (a delegated account doesn't count): check the address and the chain id"
        }
        "ValueTooLarge" => "use a smaller amount: amounts have 96 bits, times 40",
        "NoAnswer" => "the address doesn't hold the contract that is expected there: check it",
        "ZeroAddress"
        | "ERC20InvalidReceiver"
        | "ERC20InvalidSender"
        | "ERC20InvalidApprover"
        | "ERC20InvalidSpender" => "give an address that isn't zero",
        "OwnershipCannotBeRenounced" => "transfer the ownership instead",
        "OwnableUnauthorizedAccount" => {
            "only the owner may do this; after deployment that is Governance: make a proposal of it"
        }
        "OwnableInvalidOwner" => "give an owner that isn't zero",

        "ERC20InsufficientAllowance" => "approve the spender for the amount first, or use a permit",
        "ERC20InsufficientBalance" => "use a smaller amount or fund the account",
        "ERC2612ExpiredSignature" => "sign the permit again with a later deadline",
        "ERC2612InvalidSigner" | "InvalidAccountNonce" => {
            "sign again with the account's present nonce, this chain id and this token"
        }
        "ECDSAInvalidSignature" | "ECDSAInvalidSignatureLength" | "ECDSAInvalidSignatureS" => {
            "sign again: the signature must have 65 bytes and a low s"
        }
        "SafeERC20FailedOperation" => "the token refused the transfer: check balance and allowance",
        "ReentrancyGuardReentrantCall" => "don't call back while the contract is at work",
        "Asset__SupplyExceeded" => "mint less: the total supply is bounded by 2^96 - 1",

        "Issuer__ZeroAmount" | "Governance__ZeroAmount" => "use an amount above 0",
        "Issuer__InsufficientMintAvailable" => {
            "mint less, or wait: the allowance grows by RATE every second, for at most 365 days"
        }

        "Registry__AlreadyRegistered" => {
            "a rollup becomes canonical only once: deploy a new instance"
        }
        "Registry__NotRegistered" => "the rollup is not listed (yet): check the address",

        "RewardDistributor__NotCanonical" => "only the canonical rollup earns rewards",
        "RewardDistributor__SlotInFuture" | "Proposals__SlotInFuture" => {
            "the rollup's clock is ahead of the chain's: don't trust it"
        }
        "RewardDistributor__SlotAlreadyPaid" | "RewardDistributor__AlreadyPaidNow" => {
            "wait for the next slot"
        }

        "Proposals__InvalidQuorum" => "choose N and M with M/2 < N <= M and N >= 2",
        "Proposals__SlotAlreadyUsed" => {
            "the slot has its signal: wait for the next slot of your own"
        }
        "Proposals__NoProposer" => {
            "the epoch has no seed, or its set is empty: call setupEpoch() after the epoch's first slot; stakes deposited now draw slots from the second epoch after this one"
        }
        "Proposals__NotProposer" => {
            "wait for a slot of your own: the block that includes the signal decides the slot"
        }
        "Proposals__InvalidSignature" => {
            "sign again for the present slot, this payload and the canonical rollup, as the slot's proposer"
        }
        "Proposals__RoundNotOver" => "wait until the round is over",
        "Proposals__RoundExpired" => "the round can't be pushed any more: signal again",
        "Proposals__AlreadyPushed" => "nothing to do: the proposal exists",
        "Proposals__NoLeader" | "Proposals__QuorumNotReached" => {
            "the round has no winner: signal again in a later one"
        }
        "Proposals__CodeChanged" => {
            "the payload was replaced after it was signaled for: don't trust it"
        }
        "Proposals__ProposalLive" => {
            "wait until that proposal is executed, rejected, expired or dropped"
        }
        "Proposals__ProposeFailed" => {
            "look at the payload: Governance has to be able to read its actions"
        }

        "Governance__NotSelf" => "only a proposal can do this: put the call into a payload",
        "Governance__NotGovernanceProposer" => {
            "signal in Proposals, or use proposeWithLock if signaling is dead"
        }
        "Governance__OutOfBounds" => "choose a value within the bounds",
        "Governance__InvalidGovernanceProposer" => {
            "name a Proposals contract other than the present one"
        }
        "Governance__SelfDeposit" => "lock for an account of a holder",
        "Governance__InsufficientPower" => {
            "use a smaller amount: what counts for a ballot is the power at the last second of Pending, not yet used"
        }
        "Governance__UnknownProposal"
        | "Governance__UnknownWithdrawal"
        | "Governance__UnknownConfiguration" => "check the number: the first is 0",
        "Governance__AlreadyClaimed" => "nothing to do: it was paid",
        "Governance__NotUnlocked" => "wait until it unlocks",
        "Governance__NotActive" => {
            "ballots count while the proposal is Active, and ballots against it also in the first half of the execution delay"
        }
        "Governance__ObjectionsOver" => "the result is final: prepare for the execution",
        "Governance__NotExecutable" => "execute only while the proposal is Executable",
        "Governance__NotDropped" => "only a proposal of a replaced Proposals contract is dropped",
        "Governance__AlreadyDropped" => "nothing to do: it is stored",
        "Governance__SignatureExpired" => "sign the ballot again with a later deadline",
        "Governance__InvalidSignature" => {
            "sign again with the proposal's actions hash, the holder's present nonce for the proposal, this chain id and this Governance"
        }
        "Governance__InFuture" => "ask for a time up to now",
        "Governance__UnreadableActions" => {
            "look at the payload: getActions() must return a list of (address, bytes)"
        }
        "Governance__NoActions" => "a payload must list at least one action",
        "Governance__ActionsTooLong" => "list fewer actions, or split them into several payloads",
        "Governance__ActionsChanged" => {
            "the payload no longer returns the actions voted on: use executeWith and the actions from \
             ProposalFrozen"
        }
        "Governance__ActionOnAsset" => {
            "a proposal that calls the asset can never be executed: make another"
        }
        "Governance__ActionWithoutCode" => {
            "deploy the target before the grace period ends, or make another proposal"
        }
        "Governance__ActionFailed" => {
            "make the action succeed and execute again before the grace period ends"
        }

        "Expect__Canonical" => {
            "another upgrade came first: this payload was made for another canonical rollup"
        }
        "Expect__Creation" => {
            "the contract was not created from this init code: its storage may hold anything, so don't trust it"
        }
        "Expect__CodeHash" => "the code isn't what was voted on: don't execute",
        "Expect__Owner" => "the new contract must be owned by Governance before the execution",
        "Expect__Configuration" => {
            "the configuration changed since the payload was made: make another"
        }
        "Expect__Proposals" => "Proposals was replaced since the payload was made: make another",

        "Rollup__GenesisInFuture" => "choose a genesis that isn't after the deployment's block",
        "Rollup__ZeroDuration" => "choose durations above 0",
        "Rollup__ZeroMinimumStake" => "choose a minimum stake above 0",
        "Rollup__EpochTooShort" => {
            "choose more or longer slots: an epoch needs 24 s after its first slot"
        }
        "Rollup__ExitDelayOutOfBounds" => "choose an exit delay from two epochs to 365 days",
        "Rollup__StakeTooLow" => "deposit at least the minimum stake",
        "Rollup__AlreadyRegistered" => {
            "the attester is registered: exit first, or use another (its withdrawer can finalize a move under another attester)"
        }
        "Rollup__NotRegistered" => "check the attester's address and the rollup",
        "Rollup__NotWithdrawer" => "send it from the attester's withdrawer",
        "Rollup__NotValidating" => "the attester isn't in the set: it may only exit",
        "Rollup__AlreadyExiting" => "wait for the exit, then finalize it",
        "Rollup__NotExiting" => "initiate the withdrawal first",
        "Rollup__ExitNotReady" | "Rollup__MoveNotReady" => "wait until the time given",
        "Rollup__NoMove" => "initiate the move first",
        "Rollup__MoveToSelf" => "name another rollup",
        "Rollup__MoveNotToCanonical" => {
            "wait until the new rollup is canonical; the attester keeps its seat until then"
        }
        "Rollup__StakeNotMoved" => {
            "the new rollup didn't take the stake: don't trust it, announce another"
        }
        "Rollup__NothingToSlash" => "the stake left already",
        "Rollup__BeforeGenesis" => "ask for a time at or after the genesis",
        "Rollup__EpochOutOfRange" => "draws are known for the present and the next epoch only",
        "Rollup__IndexOutOfRange" => "ask for an index below the set's size",
        "Rollup__NotProposer" => {
            "wait for a slot of your own: the block that includes the call decides the slot"
        }
        "Rollup__SlotAlreadyProposed" => {
            "the slot has its block: wait for the next slot of your own"
        }
        "Rollup__NotEnoughGasForReward" => "send with more gas",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Contract;

    #[test]
    fn every_error_of_the_set_has_a_hint() {
        // Only a deployment with an excessively long name or symbol causes these.
        const OBVIOUS: &[&str] = &["InvalidShortString", "StringTooLong"];
        for error in Contract::ALL.iter().flat_map(|c| c.artifact().abi().errors()) {
            let obvious = OBVIOUS.contains(&error.name.as_str());
            assert!(of(&error.name).is_some() != obvious, "{}", error.signature());
        }
    }
}
