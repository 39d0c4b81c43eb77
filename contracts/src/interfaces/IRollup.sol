// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ICommon} from "./ICommon.sol";
import {IRegistry} from "./IRegistry.sol";
import {IRewardDistributor} from "./IRewardDistributor.sol";

/// @notice The status of an attester.
enum Status {
    /// Not registered.
    None,
    /// In the set: may be drawn as proposer.
    Validating,
    /// Slashed below the minimum stake: out of the set, may only exit.
    Living,
    /// Has initiated its exit: out of the set, slashable until the stake is paid out.
    Exiting
}

/// @notice The constructor's parameters of a rollup.
struct RollupParameters {
    /// The asset that is staked; needs code.
    IERC20 asset;
    /// The Registry in which the target of a move must be canonical; needs code.
    IRegistry registry;
    /// The contract that pays for blocks; not 0.
    IRewardDistributor rewardDistributor;
    /// The account that may slash (Governance); not 0.
    address owner;
    /// The timestamp at which slot 0 begins; at most that of construction.
    uint256 genesisTime;
    /// The length of a slot, in seconds; at least 1.
    uint256 slotDuration;
    /// The length of an epoch, in slots; at least 2, and such that at least 24 seconds are left after its first slot.
    uint256 epochDuration;
    /// The least stake of a member of the set, in the asset's smallest unit; at least 1.
    uint256 minimumStake;
    /// The time between leaving and getting the stake, in seconds: two epochs to 365 days.
    uint256 exitDelay;
}

/// @title Rollup: staking, slots, proposer selection, block log and rewards of one rollup
/// @notice Slots and epochs count from 0: slot = (timestamp - GENESIS_TIME) / SLOT_DURATION, epoch = slot /
/// EPOCH_DURATION. Stakes are in the asset's smallest unit.
///
/// The set of epoch e is the set as it stood when epoch e-1 began. The seed of e is `prevrandao` at the first call in
/// epoch e-1, its first slot excepted, that changes this contract. So a set is closed before its seed is known, and
/// nobody can redraw by joining or leaving. An epoch for which no seed was recorded has no proposers: one
/// `setupEpoch()` an epoch keeps signals and blocks possible, and after a silence one brings them back in the next
/// epoch.
interface IRollup is ICommon {
    /// @notice The rollup was constructed.
    /// @param parameters The constructor's parameters.
    event RollupDeployed(RollupParameters parameters);

    /// @notice An attester was registered with its stake and joined the set.
    /// @param attester The account that identifies the sequencer.
    /// @param proposer The account that signals and proposes blocks in its slots.
    /// @param withdrawer The account that decides about the stake.
    /// @param amount The stake; at least `MINIMUM_STAKE()`.
    event Deposit(
        address indexed attester, address indexed proposer, address indexed withdrawer, uint256 amount
    );

    /// @notice An attester initiated its exit, and left the set if it was still in it.
    /// @param attester The attester that leaves.
    /// @param recipient The account that the stake is due to after `EXIT_DELAY()`.
    /// @param amount The stake now, which a slash may still reduce; 0 if all was slashed.
    event WithdrawInitiated(address indexed attester, address indexed recipient, uint256 amount);

    /// @notice An exit was paid out. The attester isn't registered any more.
    /// @param attester The attester whose stake was paid out.
    /// @param recipient The account that was paid.
    /// @param amount The amount paid; 0 if all was slashed.
    event WithdrawFinalised(address indexed attester, address indexed recipient, uint256 amount);

    /// @notice Stake was taken from an attester; it stays in this contract.
    /// @param attester The attester that was slashed.
    /// @param amount The amount taken; above 0.
    event Slashed(address indexed attester, uint256 amount);

    /// @notice A move to another rollup was announced, or its target changed.
    /// @param attester The attester that moves.
    /// @param newRollup The rollup that it moves to.
    /// @param readyAt The timestamp from which on the move can be finalized; another target leaves it as it is.
    event MoveInitiated(address indexed attester, address indexed newRollup, uint256 readyAt);

    /// @notice An attester left this rollup, and its whole stake was deposited into the canonical one.
    /// @param attester The attester here.
    /// @param newRollup The canonical rollup.
    /// @param newAttester The attester there: the same, unless the withdrawer named another.
    /// @param amount The stake.
    event MoveFinalised(
        address indexed attester, address indexed newRollup, address indexed newAttester, uint256 amount
    );

    /// @notice The seed of an epoch was recorded, in the epoch before it.
    /// @param epoch The epoch that the seed is for.
    /// @param seed The seed: `prevrandao` of this block.
    event SeedRecorded(uint256 indexed epoch, uint256 seed);

    /// @notice The recipient of an attester's rewards changed.
    /// @param attester The attester whose blocks are rewarded.
    /// @param coinbase The recipient from now on.
    event CoinbaseSet(address indexed attester, address indexed coinbase);

    /// @notice A block was proposed.
    /// @param blockNumber The block's number, from 1.
    /// @param slot The slot that it was proposed in.
    /// @param attester The attester whose slot it is.
    /// @param proposer The attester's proposer, which called.
    /// @param blockHash The block's hash as the proposer gave it; it isn't checked.
    event BlockProposed(
        uint256 indexed blockNumber, uint256 indexed slot, address indexed attester, address proposer, bytes32 blockHash
    );

    /// @notice The genesis time is after construction.
    /// @param genesisTime The timestamp at which slot 0 should begin.
    /// @param timestamp The block's timestamp.
    error Rollup__GenesisInFuture(uint256 genesisTime, uint256 timestamp);

    /// @notice The length of a slot or of an epoch is 0.
    /// @param slotDuration The length of a slot, in seconds.
    /// @param epochDuration The length of an epoch, in slots.
    error Rollup__ZeroDuration(uint256 slotDuration, uint256 epochDuration);

    /// @notice The minimum stake is 0, which would make slots free.
    error Rollup__ZeroMinimumStake();

    /// @notice An epoch leaves too little time after its first slot to record the next epoch's seed.
    /// @param secondsAfterFirstSlot The time that an epoch lasts after its first slot, in seconds.
    /// @param minimum The least such time, in seconds: two L1 blocks.
    error Rollup__EpochTooShort(uint256 secondsAfterFirstSlot, uint256 minimum);

    /// @notice The exit delay is out of its bounds. Stake has to stay slashable for the two epochs in which its seat
    /// may draw slots, and has to come back.
    /// @param exitDelay The delay that was given, in seconds.
    /// @param min The least delay, in seconds: two epochs.
    /// @param max The greatest delay, in seconds.
    error Rollup__ExitDelayOutOfBounds(uint256 exitDelay, uint256 min, uint256 max);

    /// @notice The stake is below the minimum.
    /// @param amount The stake that was given.
    /// @param minimumStake The least stake: `MINIMUM_STAKE()`.
    error Rollup__StakeTooLow(uint256 amount, uint256 minimumStake);

    /// @notice The attester is registered already, and may be exiting.
    /// @param attester The attester that was given.
    error Rollup__AlreadyRegistered(address attester);

    /// @notice The attester isn't registered.
    /// @param attester The attester that was given.
    error Rollup__NotRegistered(address attester);

    /// @notice The caller isn't the withdrawer of the attester.
    /// @param caller The account that called.
    /// @param withdrawer The attester's withdrawer; 0 if the attester isn't registered.
    error Rollup__NotWithdrawer(address caller, address withdrawer);

    /// @notice The attester isn't in the set.
    /// @param attester The attester that was given.
    /// @param status Its status: Living or Exiting.
    error Rollup__NotValidating(address attester, Status status);

    /// @notice The attester has initiated its exit already.
    /// @param attester The attester that was given.
    error Rollup__AlreadyExiting(address attester);

    /// @notice The attester hasn't initiated its exit.
    /// @param attester The attester that was given.
    /// @param status Its status: Validating or Living.
    error Rollup__NotExiting(address attester, Status status);

    /// @notice The exit can't be paid out yet.
    /// @param timestamp The block's timestamp.
    /// @param exitableAt The timestamp from which on it can be.
    error Rollup__ExitNotReady(uint256 timestamp, uint256 exitableAt);

    /// @notice The attester has announced no move.
    /// @param attester The attester that was given.
    error Rollup__NoMove(address attester);

    /// @notice The move can't be finalized yet.
    /// @param timestamp The block's timestamp.
    /// @param readyAt The timestamp from which on it can be.
    error Rollup__MoveNotReady(uint256 timestamp, uint256 readyAt);

    /// @notice The target of the move is this rollup.
    error Rollup__MoveToSelf();

    /// @notice The target of the move isn't canonical.
    /// @param newRollup The rollup that the move was announced to.
    /// @param canonical The canonical rollup of the Registry.
    error Rollup__MoveNotToCanonical(address newRollup, address canonical);

    /// @notice The target of the move took another amount than the stake.
    /// @param stake The stake that was to move.
    /// @param taken The amount that left this contract.
    error Rollup__StakeNotMoved(uint256 stake, uint256 taken);

    /// @notice There is nothing to take: the attester's stake or the amount of the slash is 0.
    /// @param attester The attester that was given.
    error Rollup__NothingToSlash(address attester);

    /// @notice The time is before the first slot.
    /// @param timestamp The timestamp that was given.
    /// @param genesisTime The timestamp at which slot 0 began: `GENESIS_TIME()`.
    error Rollup__BeforeGenesis(uint256 timestamp, uint256 genesisTime);

    /// @notice The epoch is neither the current nor the next one; sets and draws of others aren't known.
    /// @param epoch The epoch that was given.
    /// @param currentEpoch The current epoch.
    error Rollup__EpochOutOfRange(uint256 epoch, uint256 currentEpoch);

    /// @notice The epoch's set has no such member.
    /// @param index The index that was given.
    /// @param size The size of the set; indices are below it.
    error Rollup__IndexOutOfRange(uint256 index, uint256 size);

    /// @notice The caller isn't the slot's proposer.
    /// @param caller The account that called.
    /// @param proposer The slot's proposer; 0 if the epoch has no seed or an empty set.
    error Rollup__NotProposer(address caller, address proposer);

    /// @notice The slot has its block already.
    /// @param slot The current slot.
    error Rollup__SlotAlreadyProposed(uint256 slot);

    /// @notice So little gas is left that the reward claim could fail for want of gas: send more.
    /// @param gasLeft The gas left before the claim.
    /// @param needed The least gas that has to be left.
    error Rollup__NotEnoughGasForReward(uint256 gasLeft, uint256 needed);

    /// @notice Registers an attester with a stake, which the caller pays: it joins the set. Anyone may call who has
    /// approved the amount to this rollup, whether or not the rollup is canonical.
    /// @dev The attester may be drawn from the epoch after the next one on. Reverts with `ZeroAddress`,
    /// `Rollup__AlreadyRegistered` or `Rollup__StakeTooLow`, and with the asset's errors if the transfer fails.
    /// @param attester The account that identifies the sequencer; neither 0 nor registered.
    /// @param proposer The account that signals and proposes blocks in its slots; not 0.
    /// @param withdrawer The account that decides about the stake; not 0.
    /// @param amount The stake; at least `MINIMUM_STAKE()`, fits 96 bits.
    function deposit(address attester, address proposer, address withdrawer, uint256 amount) external;

    /// @notice Initiates an attester's exit: takes it out of the set and ends a move. The whole stake is due after
    /// `EXIT_DELAY()`. Only the withdrawer may call.
    /// @dev Sets that are closed already keep the attester: it may still be drawn in this epoch and the next one.
    /// Reverts with `Rollup__NotWithdrawer`, `Rollup__AlreadyExiting` or `ZeroAddress`.
    /// @param attester The attester, Validating or Living.
    /// @param recipient The account that the stake is due to; not 0.
    /// @return Always true.
    function initiateWithdraw(address attester, address recipient) external returns (bool);

    /// @notice Pays out an exit to its recipient; the attester may register again. Anyone may call, after
    /// `EXIT_DELAY()`.
    /// @dev Reverts with `Rollup__NotRegistered`, `Rollup__NotExiting` or `Rollup__ExitNotReady`.
    /// @param attester The attester, Exiting.
    function finaliseWithdraw(address attester) external;

    /// @notice Announces the move of an attester to another rollup. Only the withdrawer may call.
    /// @dev The attester keeps its seat and duties until `finaliseMove`, which is possible after `EXIT_DELAY()`. A
    /// second call changes the target and not the time. Reverts with `Rollup__NotWithdrawer`, `Rollup__NotValidating`,
    /// `ZeroAddress` or `Rollup__MoveToSelf`.
    /// @param attester The attester, Validating.
    /// @param newRollup The rollup that it moves to; neither 0 nor this one. It needn't be canonical yet.
    function initiateMove(address attester, address newRollup) external;

    /// @notice Finalizes a move: deposits the whole stake into the announced rollup, with the same attester, proposer
    /// and withdrawer. Anyone may call.
    /// @dev Reverts with `Rollup__NotRegistered`, `Rollup__NotValidating`, `Rollup__NoMove`, `Rollup__MoveNotReady` or
    /// `Rollup__MoveNotToCanonical`, with `NoCode` if the announced rollup has no code, if its `deposit` reverts, and
    /// with `Rollup__StakeNotMoved` unless exactly the stake left this contract.
    /// @param attester The attester, Validating, with an announced move.
    function finaliseMove(address attester) external;

    /// @notice Finalizes a move as `finaliseMove(attester)` does, under another attester: so nobody can stop the move
    /// by registering the attester in the new rollup first. Only the withdrawer may call.
    /// @dev Reverts with `Rollup__NotWithdrawer` or `ZeroAddress`, and as `finaliseMove(attester)` does.
    /// @param attester The attester here, Validating, with an announced move.
    /// @param newAttester The attester in the new rollup; not 0, may be the same.
    function finaliseMove(address attester, address newAttester) external;

    /// @notice Sets the recipient of the rewards for an attester's blocks. Only the withdrawer may call.
    /// @dev Reverts with `Rollup__NotWithdrawer` or `ZeroAddress`.
    /// @param attester The attester whose blocks are rewarded, of any status.
    /// @param coinbase The recipient from now on; not 0. Before the first call it is the attester's proposer.
    function setCoinbase(address attester, address coinbase) external;

    /// @notice Takes stake from an attester; it stays in this contract. Only the owner (Governance) may call.
    /// @dev Possible as long as the stake is here, also after `EXIT_DELAY()`. An attester left with less than
    /// `MINIMUM_STAKE()` leaves the set and its move ends: it may only exit. Reverts with `Rollup__NotRegistered` or
    /// `Rollup__NothingToSlash`.
    /// @param attester The attester, of any status.
    /// @param amount The amount to take; above 0. If it is above the stake, the whole stake is taken.
    function slash(address attester, uint256 amount) external;

    /// @notice Records the seed of the next epoch if it isn't recorded yet. Anyone may call.
    /// @dev Never reverts and does nothing else. In the first slot of an epoch it has no effect. Every other call that
    /// changes this contract records the seed too.
    function setupEpoch() external;

    /// @notice Proposes the block of the current slot and claims its reward for the attester's coinbase. Only the
    /// slot's proposer may call, once per slot.
    /// @dev Never reverts because the claim failed. Reverts with `Rollup__NotProposer`, `Rollup__SlotAlreadyProposed`
    /// or `Rollup__NotEnoughGasForReward`.
    /// @param blockHash The block's hash, which goes into `BlockProposed`; any value.
    function proposeBlock(bytes32 blockHash) external;

    /// @notice Returns what is known of an attester. All values are 0 if it isn't registered.
    /// @param attester The attester that is looked up.
    /// @return stake The stake that is here; 0 also if all was slashed.
    /// @return withdrawer The account that decides about the stake.
    /// @return proposer The account that signals and proposes blocks in its slots.
    /// @return status The attester's status.
    function getInfo(address attester)
        external
        view
        returns (uint256 stake, address withdrawer, address proposer, Status status);

    /// @notice Returns when and to whom an exit can be paid out. Both values are 0 if the attester isn't exiting.
    /// @param attester The attester that is looked up.
    /// @return exitableAt The timestamp from which on it can be paid out.
    /// @return recipient The account that the stake is due to.
    function getExit(address attester) external view returns (uint256 exitableAt, address recipient);

    /// @notice Returns the announced move of an attester. Both values are 0 if there is none.
    /// @param attester The attester that is looked up.
    /// @return newRollup The rollup that it moves to.
    /// @return readyAt The timestamp from which on the move can be finalized.
    function getMove(address attester) external view returns (address newRollup, uint256 readyAt);

    /// @notice Returns the recipient of the rewards for an attester's blocks.
    /// @param attester The attester that is looked up.
    /// @return The recipient; the attester's proposer unless another was set, 0 if the attester isn't registered.
    function getCoinbase(address attester) external view returns (address);

    /// @notice Returns the attesters in the set as it stands now.
    /// @dev The list is as long as the set, which is unbounded: for calls from off chain.
    /// @return The attesters, in the order of their seats.
    function getAttesters() external view returns (address[] memory);

    /// @notice Returns the size of the set as it stands now.
    /// @return The number of attesters.
    function getActiveAttesterCount() external view returns (uint256);

    /// @notice Returns the number of registrations so far.
    /// @return The number of deposits; an attester that registers again counts again.
    function registrationCount() external view returns (uint256);

    /// @notice Returns the current slot.
    /// @return The slot of the block's timestamp.
    function getCurrentSlot() external view returns (uint256);

    /// @notice Returns the slot of a time. Reverts with `Rollup__BeforeGenesis` before the first slot.
    /// @param timestamp The timestamp, past or future.
    /// @return The slot, from 0.
    function getSlotAt(uint256 timestamp) external view returns (uint256);

    /// @notice Returns when a slot begins. Reverts with `ValueTooLarge` if the slot or its time doesn't fit 40 bits.
    /// @param slot The slot, past or future.
    /// @return The timestamp of the slot's first second.
    function getTimestampForSlot(uint256 slot) external view returns (uint256);

    /// @notice Returns the current epoch.
    /// @return The epoch of the block's timestamp.
    function getCurrentEpoch() external view returns (uint256);

    /// @notice Returns the epoch of a time. Reverts with `Rollup__BeforeGenesis` before the first slot.
    /// @param timestamp The timestamp, past or future.
    /// @return The epoch, from 0.
    function getEpochAt(uint256 timestamp) external view returns (uint256);

    /// @notice Returns the one proposer of the current slot.
    /// @return The proposer; 0 if the epoch has no seed or an empty set.
    function getCurrentProposer() external view returns (address);

    /// @notice Returns the one proposer of the slot of a time in the current or the next epoch. Reverts with
    /// `Rollup__EpochOutOfRange` for any other, and with `Rollup__BeforeGenesis` before the first slot.
    /// @param timestamp A timestamp in the current or the next epoch.
    /// @return The proposer; 0 if the epoch has no seed or an empty set. In the next epoch it is 0 until its seed is
    /// recorded, and fixed from then on.
    function getProposerAt(uint256 timestamp) external view returns (address);

    /// @notice Returns the size of an epoch's set. Reverts with `Rollup__EpochOutOfRange`.
    /// @param epoch The epoch: the current or the next.
    /// @return The number of members, with or without a seed.
    function getSetSize(uint256 epoch) external view returns (uint256);

    /// @notice Returns the seed of an epoch. Without one the epoch has no proposers. Reverts with
    /// `Rollup__EpochOutOfRange`.
    /// @param epoch The epoch: the current or the next.
    /// @return recorded Whether a seed was recorded for the epoch.
    /// @return seed The seed; 0 if none was recorded.
    function getSeed(uint256 epoch) external view returns (bool recorded, uint256 seed);

    /// @notice Returns a member of an epoch's set, with or without a seed. Reverts with `Rollup__EpochOutOfRange` or
    /// `Rollup__IndexOutOfRange`.
    /// @dev A slot draws the member `keccak256(abi.encode(seed, slot)) mod size`.
    /// @param epoch The epoch: the current or the next.
    /// @param index The member's number in the set, from 0; below `getSetSize(epoch)`.
    /// @return attester The member's attester, also if it has left since the set was closed.
    /// @return proposer The member's proposer when it joined.
    function getMember(uint256 epoch, uint256 index) external view returns (address attester, address proposer);

    /// @notice Returns the number of blocks proposed so far.
    /// @return The newest block's number; 0 if there is none.
    function blockNumber() external view returns (uint256);

    /// @notice Returns the slot of the newest block.
    /// @return exists Whether there is a block.
    /// @return slot The slot; 0 if there is none.
    function lastBlockSlot() external view returns (bool exists, uint256 slot);

    /// @notice Returns the asset that is staked.
    /// @return The asset's contract.
    function ASSET() external view returns (IERC20);

    /// @notice Returns the Registry in which the target of a move must be canonical.
    /// @return The Registry's contract.
    function REGISTRY() external view returns (IRegistry);

    /// @notice Returns the contract that pays for blocks.
    /// @return The RewardDistributor, which may have no code.
    function REWARD_DISTRIBUTOR() external view returns (IRewardDistributor);

    /// @notice Returns when slot 0 began.
    /// @return The timestamp; not after construction.
    function GENESIS_TIME() external view returns (uint256);

    /// @notice Returns the length of a slot.
    /// @return The length, in seconds; at least 1.
    function SLOT_DURATION() external view returns (uint256);

    /// @notice Returns the length of an epoch.
    /// @return The length, in slots; at least 2.
    function EPOCH_DURATION() external view returns (uint256);

    /// @notice Returns the least stake of a member of the set.
    /// @return The amount; at least 1.
    function MINIMUM_STAKE() external view returns (uint256);

    /// @notice Returns the time between leaving and getting the stake, which is also that between announcing and
    /// finalizing a move.
    /// @return The time, in seconds: two epochs to 365 days.
    function EXIT_DELAY() external view returns (uint256);
}
