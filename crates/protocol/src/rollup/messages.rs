//! Calls, events and refusals of a Rollup.

use super::{AttesterStatus, RollupParameters};
use crate::{
    abi::{abi_enum, abi_events},
    units::{Amount, Epoch, RollupBlock, Slot, Timestamp},
};
use alloy_primitives::{Address, B256, U256};

abi_enum! {
    /// Calls of a Rollup.
    pub enum RollupCall {
        /// Stakes `amount` of the caller's asset: `attester` joins the set. Anyone.
        Deposit { attester: Address, proposer: Address, withdrawer: Address, amount: U256 } =
            "deposit",
        /// Removes `attester` from the set. The whole stake is due to `recipient` after `EXIT_DELAY`. Ends
        /// a move. Only the withdrawer.
        InitiateWithdraw { attester: Address, recipient: Address } = "initiateWithdraw",
        /// Pays the stake of an exit after its delay. Anyone.
        FinaliseWithdraw { attester: Address } = "finaliseWithdraw",
        /// Announces that `attester` moves to `new_rollup`. A second call changes the target without
        /// restarting the delay. Only the withdrawer.
        InitiateMove { attester: Address, new_rollup: Address } = "initiateMove",
        /// Deposits the whole stake into the announced rollup, if that is canonical. Anyone.
        FinaliseMove { attester: Address } = "finaliseMove",
        /// Finalizes a move under another attester, which must not be registered there yet. Only the
        /// withdrawer.
        FinaliseMoveAs { attester: Address, new_attester: Address } = "finaliseMove",
        /// Sends the rewards of `attester`'s future blocks to `coinbase`. Only the withdrawer.
        SetCoinbase { attester: Address, coinbase: Address } = "setCoinbase",
        /// Takes min(`amount`, stake) from `attester`. Only the owner.
        Slash { attester: Address, amount: U256 } = "slash",
        /// Records the next epoch's seed if it isn't recorded yet. Does nothing in an epoch's first slot.
        /// Anyone.
        SetupEpoch = "setupEpoch",
        /// Proposes the slot's block and claims its reward. Only the slot's proposer, once per slot.
        ProposeBlock { block_hash: B256 } = "proposeBlock",
    }
}

abi_events! {
    /// Events of a Rollup.
    pub enum RollupEvent {
        /// The constructor's arguments.
        Deployed [] { parameters: Box<RollupParameters> } = "RollupDeployed",
        /// `attester` joined the set with `amount`.
        Deposit [attester: Address, proposer: Address, withdrawer: Address] { amount: Amount } =
            "Deposit",
        /// `attester` left the set if it was still in it. `amount` is due to `recipient` after
        /// `EXIT_DELAY`.
        WithdrawInitiated [attester: Address, recipient: Address] { amount: Amount } =
            "WithdrawInitiated",
        /// `amount` was paid to `recipient`. `attester` may register again.
        WithdrawFinalised [attester: Address, recipient: Address] { amount: Amount } =
            "WithdrawFinalised",
        /// `amount` was taken from `attester`'s stake.
        Slashed [attester: Address] { amount: Amount } = "Slashed",
        /// `attester` announced a move to `new_rollup`, which can be finalized from `ready_at` on.
        MoveInitiated [attester: Address, new_rollup: Address] { ready_at: Timestamp } =
            "MoveInitiated",
        /// `attester`'s whole stake, `amount`, was deposited into `new_rollup` for `new_attester`.
        MoveFinalised [attester: Address, new_rollup: Address, new_attester: Address] {
            amount: Amount,
        } = "MoveFinalised",
        /// The seed of `epoch` is `seed`.
        SeedRecorded [epoch: Epoch] { seed: U256 } = "SeedRecorded",
        /// Rewards of `attester`'s blocks go to `coinbase`.
        CoinbaseSet [attester: Address, coinbase: Address] {} = "CoinbaseSet",
        /// `attester`'s proposer proposed block `block_number` in `slot`.
        BlockProposed [block_number: RollupBlock, slot: Slot, attester: Address] {
            proposer: Address,
            block_hash: B256,
        } = "BlockProposed",
    }
}

abi_enum! {
    /// Refusals of a Rollup.
    #[derive(thiserror::Error)]
    pub enum RollupRefusal {
        /// The genesis is later than the deployment.
        #[error("genesis {genesis_time} is after {timestamp}")]
        GenesisInFuture { genesis_time: U256, timestamp: U256 } = "Rollup__GenesisInFuture",
        /// The duration of a slot or an epoch is 0.
        #[error("slots of {slot_duration} s and epochs of {epoch_duration} slots need a length")]
        ZeroDuration { slot_duration: U256, epoch_duration: U256 } = "Rollup__ZeroDuration",
        /// The minimum stake is 0, which would make slots free.
        #[error("a minimum stake of nothing")]
        ZeroMinimumStake = "Rollup__ZeroMinimumStake",
        /// An epoch is too short: it may have no L1 block after its first slot and so record no seed.
        #[error(
            "an epoch has {seconds_after_first_slot} s after its first slot, {minimum} s are needed \
             to record a seed"
        )]
        EpochTooShort { seconds_after_first_slot: U256, minimum: U256 } = "Rollup__EpochTooShort",
        /// The exit delay is out of its bounds. Stake has to stay slashable for the two epochs in which its
        /// attester may still be drawn, and has to be paid in a reasonable time.
        #[error("an exit delay of {exit_delay} s is not between {min} s and {max} s")]
        ExitDelayOutOfBounds { exit_delay: U256, min: U256, max: U256 } =
            "Rollup__ExitDelayOutOfBounds",
        /// `amount` is below `MINIMUM_STAKE`.
        #[error("{amount} is below the minimum stake {minimum_stake}")]
        StakeTooLow { amount: U256, minimum_stake: U256 } = "Rollup__StakeTooLow",
        /// `attester` is registered already.
        #[error("{attester} is registered already")]
        AlreadyRegistered { attester: Address } = "Rollup__AlreadyRegistered",
        /// `attester` is not registered.
        #[error("{attester} is not registered")]
        NotRegistered { attester: Address } = "Rollup__NotRegistered",
        /// Only the attester's withdrawer decides about the stake. `withdrawer` is 0 if the attester isn't
        /// registered.
        #[error("{caller} is not the withdrawer {withdrawer}")]
        NotWithdrawer { caller: Address, withdrawer: Address } = "Rollup__NotWithdrawer",
        /// `attester` is not in the set.
        #[error("{attester} is not in the set but {status}")]
        NotValidating { attester: Address, status: AttesterStatus } = "Rollup__NotValidating",
        /// `attester` is exiting already.
        #[error("{attester} is on its way out already")]
        AlreadyExiting { attester: Address } = "Rollup__AlreadyExiting",
        /// `attester` did not call `initiateWithdraw`.
        #[error("{attester} is not on its way out but {status}")]
        NotExiting { attester: Address, status: AttesterStatus } = "Rollup__NotExiting",
        /// The stake stays slashable until `exitable_at`.
        #[error("the stake stays until {exitable_at}, and it is {timestamp}")]
        ExitNotReady { timestamp: U256, exitable_at: U256 } = "Rollup__ExitNotReady",
        /// `attester` announced no move.
        #[error("{attester} announced no move")]
        NoMove { attester: Address } = "Rollup__NoMove",
        /// The stake stays here until `ready_at`.
        #[error("the stake stays until {ready_at}, and it is {timestamp}")]
        MoveNotReady { timestamp: U256, ready_at: U256 } = "Rollup__MoveNotReady",
        /// The target of a move is the rollup itself.
        #[error("a move has to lead to another rollup")]
        MoveToSelf = "Rollup__MoveToSelf",
        /// The target of the move isn't the canonical rollup.
        #[error("{new_rollup} is not the canonical rollup {canonical}")]
        MoveNotToCanonical { new_rollup: Address, canonical: Address } =
            "Rollup__MoveNotToCanonical",
        /// The new rollup took an amount that differs from the stake.
        #[error("{taken} was taken, not the stake of {stake}")]
        StakeNotMoved { stake: U256, taken: U256 } = "Rollup__StakeNotMoved",
        /// `attester` has no stake to slash.
        #[error("there is nothing to take from {attester}")]
        NothingToSlash { attester: Address } = "Rollup__NothingToSlash",
        /// The time is before the rollup's genesis.
        #[error("{timestamp} is before genesis, {genesis_time}")]
        BeforeGenesis { timestamp: U256, genesis_time: U256 } = "Rollup__BeforeGenesis",
        /// The set and the seed are known for the present and the next epoch only.
        #[error("epoch {epoch} is neither the present {current_epoch} nor the next")]
        EpochOutOfRange { epoch: U256, current_epoch: U256 } = "Rollup__EpochOutOfRange",
        /// `index` is not below the size of the epoch's set.
        #[error("the set has {size} members, none is number {index}")]
        IndexOutOfRange { index: U256, size: U256 } = "Rollup__IndexOutOfRange",
        /// Only the slot's proposer may propose its block.
        #[error("{caller} is not the slot's proposer {proposer}")]
        NotProposer { caller: Address, proposer: Address } = "Rollup__NotProposer",
        /// `slot` has its block already.
        #[error("slot {slot} has its block already")]
        SlotAlreadyProposed { slot: U256 } = "Rollup__SlotAlreadyProposed",
        /// The gas left doesn't suffice for the reward claim, which would fail only for that reason. These
        /// rules don't count gas and never return this refusal.
        #[error("{gas_left} gas is left, the reward claim needs {needed}")]
        NotEnoughGasForReward { gas_left: U256, needed: U256 } = "Rollup__NotEnoughGasForReward",
    }
}
