//! Calls, events and refusals of Governance.

use super::{Configuration, ProposalState, RawConfiguration, Support};
use crate::{
    abi::{abi_enum, abi_events},
    external::{Action, MAX_ACTIONS_LENGTH, UnusableList},
    units::{Amount, ConfigurationId, Nonce, ProposalId, Timestamp, WithdrawalId},
};
use alloy_primitives::{Address, B256, Bytes, U256};

abi_enum! {
    /// Calls of Governance.
    pub enum GovernanceCall {
        /// Locks `amount` of the caller's asset as power of `on_behalf_of`.
        Deposit { on_behalf_of: Address, amount: U256 } = "deposit",
        /// Deposits with the caller's ERC-2612 permit. A permit already used is ignored if the allowance
        /// suffices.
        DepositWithPermit {
            on_behalf_of: Address,
            amount: U256,
            deadline: U256,
            v: u8,
            r: B256,
            s: B256,
        } = "depositWithPermit",
        /// Gives up `amount` of the caller's power; the asset is due to `to` after the withdrawal
        /// delay.
        InitiateWithdraw { to: Address, amount: U256 } = "initiateWithdraw",
        /// Pays a withdrawal after its delay. Anyone.
        FinaliseWithdraw { id: U256 } = "finaliseWithdraw",
        /// Makes `payload` a proposal. Only the Proposals contract.
        Propose { payload: Address } = "propose",
        /// Makes `payload` a proposal for `lockAmount` of the caller's power, which is due to `to`
        /// after the longer of `lockDelay` and the withdrawal delay.
        ProposeWithLock { payload: Address, to: Address } = "proposeWithLock",
        /// Casts `amount` of the power that the caller had at the last second of Pending. Taken while the
        /// proposal is Active, and against it also in the first half of the execution delay.
        Vote { id: U256, amount: U256, support: Support } = "vote",
        /// Casts a ballot with `voter`'s [`Ballot`](crate::Ballot) signature. Anyone.
        VoteWithSig {
            proposal_id: U256,
            amount: U256,
            support: Support,
            voter: Address,
            deadline: U256,
            signature: Bytes,
        } = "voteWithSig",
        /// Invalidates all ballots on a proposal that the caller has signed so far.
        InvalidateBallots { id: U256 } = "invalidateBallots",
        /// Executes an Executable proposal with the actions that its payload lists. Anyone.
        Execute { id: U256 } = "execute",
        /// Executes an Executable proposal with the given actions. Anyone.
        ExecuteWith { id: U256, actions: Vec<Action> } = "executeWith",
        /// Stores that a proposal is Dropped. Anyone.
        DropProposal { id: U256 } = "dropProposal",
        /// Replaces the whole configuration. Only Governance itself.
        UpdateConfiguration { configuration: Box<RawConfiguration> } = "updateConfiguration",
        /// Replaces the Proposals contract. Proposals that the old one pushed are dropped. Only Governance
        /// itself.
        UpdateGovernanceProposer { new_governance_proposer: Address } = "updateGovernanceProposer",
        /// Accepts the ownership of `target`, which was offered to Governance. Anyone.
        AcceptOwnership { target: Address } = "acceptOwnership",
    }
}

abi_events! {
    /// Events of Governance.
    pub enum GovernanceEvent {
        /// The constructor's first argument. The others are in events of their own.
        Deployed [asset: Address] {} = "GovernanceDeployed",
        /// `depositor` locked `amount` for `on_behalf_of`.
        Deposit [depositor: Address, on_behalf_of: Address] { amount: Amount } = "Deposit",
        /// `amount` is due to `recipient`.
        WithdrawInitiated [withdrawal_id: WithdrawalId, recipient: Address] { amount: Amount } =
            "WithdrawInitiated",
        /// The holder that gave the power up, and the time of payment. It accompanies every
        /// `WithdrawInitiated`.
        WithdrawalQueued [id: WithdrawalId, holder: Address] { unlocks_at: Timestamp } =
            "WithdrawalQueued",
        /// The withdrawal was paid.
        WithdrawFinalised [withdrawal_id: WithdrawalId] {} = "WithdrawFinalised",
        /// `payload` became proposal `proposal_id`.
        Proposed [proposal_id: ProposalId, payload: Address] {} = "Proposed",
        /// The actions that are executed, in this order, if the proposal is accepted. `proposer` is the
        /// Proposals contract, or Governance itself for the lock.
        ProposalFrozen [proposal_id: ProposalId, proposer: Address] {
            configuration_id: ConfigurationId,
            actions_hash: B256,
            actions: Vec<Action>,
        } = "ProposalFrozen",
        /// `voter` cast `amount` of its power.
        VoteCast [proposal_id: ProposalId, voter: Address] { support: Support, amount: Amount } =
            "VoteCast",
        /// A ballot that `holder` signed with `nonce` was submitted.
        NonceUsed { proposal_id: ProposalId } [holder: Address] { nonce: Nonce } = "NonceUsed",
        /// `holder` invalidated all ballots on the proposal that it signed with nonces below `next_nonce`.
        BallotsInvalidated { proposal_id: ProposalId } [holder: Address] { next_nonce: Nonce } =
            "BallotsInvalidated",
        /// The proposal was executed.
        ProposalExecuted [proposal_id: ProposalId] {} = "ProposalExecuted",
        /// The proposal was stored as Dropped.
        ProposalDropped [proposal_id: ProposalId] {} = "ProposalDropped",
        /// A new Proposals contract is in force.
        GovernanceProposerUpdated [governance_proposer: Address] {} = "GovernanceProposerUpdated",
        /// The configuration changed at `time`.
        ConfigurationUpdated [time: Timestamp] {} = "ConfigurationUpdated",
        /// The new configuration, which is in force for new proposals.
        ConfigurationSet [id: ConfigurationId] { configuration: Box<Configuration> } =
            "ConfigurationSet",
    }
}

abi_enum! {
    /// Refusals of Governance.
    #[derive(thiserror::Error)]
    pub enum GovernanceRefusal {
        /// Only Governance itself may call this, by a proposal.
        #[error("only governance itself may do this, not {caller}")]
        NotSelf { caller: Address } = "Governance__NotSelf",
        /// Only the Proposals contract may call this.
        #[error("{caller} is not the Proposals contract {governance_proposer}")]
        NotGovernanceProposer { caller: Address, governance_proposer: Address } =
            "Governance__NotGovernanceProposer",
        /// `field` of the configuration (ASCII, padded with zeros) must lie between `min` and `max`.
        #[error("{value} is not between {min} and {max}, field {field}")]
        OutOfBounds { field: B256, value: U256, min: U256, max: U256 } = "Governance__OutOfBounds",
        /// The Proposals contract can be neither the present one nor Governance itself.
        #[error("{governance_proposer} cannot become the Proposals contract")]
        InvalidGovernanceProposer { governance_proposer: Address } =
            "Governance__InvalidGovernanceProposer",
        /// Governance can neither deposit nor receive power.
        #[error("governance neither deposits nor is deposited for")]
        SelfDeposit { depositor: Address, on_behalf_of: Address } = "Governance__SelfDeposit",
        /// The amount is 0.
        #[error("an amount of nothing")]
        ZeroAmount = "Governance__ZeroAmount",
        /// `holder` has less power than needed.
        #[error("{holder} has {available} power, not {needed}")]
        InsufficientPower { holder: Address, available: U256, needed: U256 } =
            "Governance__InsufficientPower",
        /// There is no such proposal.
        #[error("proposal {id} doesn't exist: the number of proposals is {count}")]
        UnknownProposal { id: U256, count: U256 } = "Governance__UnknownProposal",
        /// There is no such withdrawal.
        #[error("withdrawal {id} doesn't exist: the number of withdrawals is {count}")]
        UnknownWithdrawal { id: U256, count: U256 } = "Governance__UnknownWithdrawal",
        /// There is no such configuration.
        #[error("configuration {id} doesn't exist: the number of configurations is {count}")]
        UnknownConfiguration { id: U256, count: U256 } = "Governance__UnknownConfiguration",
        /// The withdrawal was paid already.
        #[error("withdrawal {id} was paid already")]
        AlreadyClaimed { id: U256 } = "Governance__AlreadyClaimed",
        /// The withdrawal is paid from `unlocks_at` on.
        #[error("it is paid from {unlocks_at} on, and it is {timestamp}")]
        NotUnlocked { timestamp: U256, unlocks_at: U256 } = "Governance__NotUnlocked",
        /// Ballots are taken while a proposal is Active, and those against it also while it is Queued.
        #[error("proposal {id} is {state}, not Active")]
        NotActive { id: U256, state: ProposalState } = "Governance__NotActive",
        /// Ballots against a Queued proposal are taken until `objections_until`.
        #[error("proposal {id} took ballots against it until {objections_until}, and it is {timestamp}")]
        ObjectionsOver { id: U256, timestamp: U256, objections_until: U256 } =
            "Governance__ObjectionsOver",
        /// The proposal isn't Executable.
        #[error("proposal {id} is {state}, not Executable")]
        NotExecutable { id: U256, state: ProposalState } = "Governance__NotExecutable",
        /// The proposal isn't Dropped.
        #[error("proposal {id} is {state}, not Dropped")]
        NotDropped { id: U256, state: ProposalState } = "Governance__NotDropped",
        /// The proposal was stored as Dropped already.
        #[error("that proposal {id} is dropped was stored already")]
        AlreadyDropped { id: U256 } = "Governance__AlreadyDropped",
        /// The signature expired: it could be used until `deadline`.
        #[error("the signature could be used until {deadline}, and it is {timestamp}")]
        SignatureExpired { timestamp: U256, deadline: U256 } = "Governance__SignatureExpired",
        /// The signature isn't `voter`'s for this ballot and `nonce`.
        #[error("not the signature of {voter} for this ballot with nonce {nonce}")]
        InvalidSignature { voter: Address, nonce: U256 } = "Governance__InvalidSignature",
        /// Power is known only up to the present.
        #[error("power at {timestamp} is not known at {present}")]
        InFuture { timestamp: U256, present: U256 } = "Governance__InFuture",
        /// `getActions()` of `payload` failed or didn't return a list of actions.
        #[error("{payload} lists no readable actions")]
        UnreadableActions { payload: Address } = "Governance__UnreadableActions",
        /// `payload` lists no actions.
        #[error("{payload} lists no actions")]
        NoActions { payload: Address } = "Governance__NoActions",
        /// The answer of `payload`, or the encoding of the actions that it lists, has `length` bytes. No
        /// transaction could contain the list.
        #[error("the actions of {payload} take {length} bytes, of which {max} are allowed")]
        ActionsTooLong { payload: Address, length: U256, max: U256 } = "Governance__ActionsTooLong",
        /// The actions differ from those published when the proposal was created.
        #[error("the actions of proposal {id} hash to {found}, not {expected}")]
        ActionsChanged { id: U256, expected: B256, found: B256 } = "Governance__ActionsChanged",
        /// No action may call the asset.
        #[error("action {index} calls the asset")]
        ActionOnAsset { index: U256 } = "Governance__ActionOnAsset",
        /// The target of the action has no code.
        #[error("action {index} calls {target}, which has no code")]
        ActionWithoutCode { index: U256, target: Address } = "Governance__ActionWithoutCode",
        /// The action reverted with `reason`; nothing was executed.
        #[error("action {index} on {target} failed with {reason}")]
        ActionFailed { index: U256, target: Address, reason: Bytes } = "Governance__ActionFailed",
    }
}

impl GovernanceRefusal {
    /// The refusal of the list that `payload` answered.
    pub(super) fn of_list(payload: Address, unusable: UnusableList) -> Self {
        match unusable {
            UnusableList::Unreadable => Self::UnreadableActions { payload },
            UnusableList::Empty => Self::NoActions { payload },
            UnusableList::TooLong(length) => Self::ActionsTooLong {
                payload,
                length: U256::from(length),
                max: U256::from(MAX_ACTIONS_LENGTH),
            },
        }
    }

    /// Whether the payload returns no list of actions that Governance can take.
    pub const fn is_of_list(&self) -> bool {
        matches!(
            self,
            Self::UnreadableActions { .. } | Self::NoActions { .. } | Self::ActionsTooLong { .. }
        )
    }

    /// Whether an execution is refused because the payload no longer returns the actions that were voted on. They
    /// can still be executed as they were published (`executeWith`).
    pub const fn is_withheld_list(&self) -> bool {
        self.is_of_list() || matches!(self, Self::ActionsChanged { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_that_governance_cannot_take_is_a_withheld_one() {
        for unusable in [UnusableList::Unreadable, UnusableList::Empty, UnusableList::TooLong(1)] {
            let refusal = GovernanceRefusal::of_list(Address::ZERO, unusable);
            assert!(refusal.is_of_list() && refusal.is_withheld_list(), "{refusal}");
        }
        let (id, hash) = (U256::ZERO, B256::ZERO);
        let changed = GovernanceRefusal::ActionsChanged { id, expected: hash, found: hash };
        assert!(changed.is_withheld_list() && !changed.is_of_list());
        let other = GovernanceRefusal::AlreadyDropped { id };
        assert!(!other.is_withheld_list());
    }
}
