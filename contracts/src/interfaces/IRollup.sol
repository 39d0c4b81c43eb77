// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ICommon} from "./ICommon.sol";
import {IRegistry} from "./IRegistry.sol";
import {IRewardDistributor} from "./IRewardDistributor.sol";

/// @notice Where an attester stands.
enum Status {
    /// Not registered.
    None,
    /// In the set: draws slots.
    Validating,
    /// Slashed below the minimum: out of the set, may only exit.
    Living,
    /// On its way out; slashable until the stake has left.
    Exiting
}

/// @notice What a rollup is deployed with. All times in seconds.
struct RollupParameters {
    IERC20 asset;
    IRegistry registry;
    IRewardDistributor rewardDistributor;
    address owner;
    uint256 genesisTime;
    uint256 slotDuration;
    /// In slots.
    uint256 epochDuration;
    uint256 minimumStake;
    uint256 exitDelay;
}

/// @title Rollup: staking, slots, proposer selection, block log, rewards
/// @notice slot = (timestamp - GENESIS_TIME) / SLOT_DURATION, epoch = slot / EPOCH_DURATION.
///
/// The set of epoch e is the set as it stood when epoch e-1 began. The seed of e is `prevrandao` at the first call in
/// epoch e-1, its first slot excepted, that changes this contract. So a set is closed before its seed is known, and
/// nobody can redraw by joining or leaving. An epoch for which no seed was recorded has no proposers: one
/// `setupEpoch()` an epoch keeps signals and blocks possible, and after a silence one brings them back in the next
/// epoch.
interface IRollup is ICommon {
    /// @notice The constructor's arguments.
    event RollupDeployed(RollupParameters parameters);

    /// @notice `attester` joined the set with `amount`.
    event Deposit(
        address indexed attester, address indexed proposer, address indexed withdrawer, uint256 amount
    );

    /// @notice `attester` left the set (if it was still in it); `amount` goes to `recipient` later.
    event WithdrawInitiated(address indexed attester, address indexed recipient, uint256 amount);

    /// @notice `amount` went to `recipient`; `attester` may register again.
    event WithdrawFinalised(address indexed attester, address indexed recipient, uint256 amount);

    /// @notice `amount` was taken from `attester`'s stake.
    event Slashed(address indexed attester, uint256 amount);

    /// @notice `attester` announced to move to `newRollup`, from `readyAt` on.
    event MoveInitiated(address indexed attester, address indexed newRollup, uint256 readyAt);

    /// @notice The whole stake of an attester was deposited into the canonical rollup, and the attester left this one.
    /// @param attester The attester here.
    /// @param newRollup The canonical rollup.
    /// @param newAttester The attester there: the same, unless the withdrawer named another.
    /// @param amount The stake.
    event MoveFinalised(
        address indexed attester, address indexed newRollup, address indexed newAttester, uint256 amount
    );

    /// @notice The seed of `epoch` is `seed`.
    event SeedRecorded(uint256 indexed epoch, uint256 seed);

    /// @notice Rewards of `attester`'s blocks go to `coinbase`.
    event CoinbaseSet(address indexed attester, address indexed coinbase);

    /// @notice `attester`'s proposer proposed block `blockNumber` in `slot`.
    event BlockProposed(
        uint256 indexed blockNumber, uint256 indexed slot, address indexed attester, address proposer, bytes32 blockHash
    );

    /// @notice The rollup's slots would begin after its deployment.
    error Rollup__GenesisInFuture(uint256 genesisTime, uint256 timestamp);

    /// @notice A slot or an epoch of no length.
    error Rollup__ZeroDuration(uint256 slotDuration, uint256 epochDuration);

    /// @notice A minimum stake of nothing would make slots free.
    error Rollup__ZeroMinimumStake();

    /// @notice An epoch needs time after its first slot, in which its successor's seed can be recorded.
    /// @param secondsAfterFirstSlot The time that an epoch lasts after its first slot, in seconds.
    /// @param minimum The least such time: two L1 blocks.
    error Rollup__EpochTooShort(uint256 secondsAfterFirstSlot, uint256 minimum);

    /// @notice Stake has to stay slashable for the two epochs in which its seat may draw slots, and has to come back.
    /// @param exitDelay The delay asked for, in seconds.
    /// @param min Two epochs, in seconds.
    /// @param max The greatest delay, in seconds.
    error Rollup__ExitDelayOutOfBounds(uint256 exitDelay, uint256 min, uint256 max);

    /// @notice `amount` is below `MINIMUM_STAKE`.
    error Rollup__StakeTooLow(uint256 amount, uint256 minimumStake);

    /// @notice `attester` is registered already.
    error Rollup__AlreadyRegistered(address attester);

    /// @notice `attester` is not registered.
    error Rollup__NotRegistered(address attester);

    /// @notice Only the attester's withdrawer decides about the stake; 0 if it is not registered.
    error Rollup__NotWithdrawer(address caller, address withdrawer);

    /// @notice `attester` is not in the set.
    error Rollup__NotValidating(address attester, Status status);

    /// @notice `attester` is on its way out already.
    error Rollup__AlreadyExiting(address attester);

    /// @notice `attester` did not call `initiateWithdraw`.
    error Rollup__NotExiting(address attester, Status status);

    /// @notice The stake stays slashable until `exitableAt`.
    error Rollup__ExitNotReady(uint256 timestamp, uint256 exitableAt);

    /// @notice `attester` announced no move.
    error Rollup__NoMove(address attester);

    /// @notice The stake stays here until `readyAt`.
    error Rollup__MoveNotReady(uint256 timestamp, uint256 readyAt);

    /// @notice A move has to lead to another rollup.
    error Rollup__MoveToSelf();

    /// @notice A move ends only in the canonical rollup.
    error Rollup__MoveNotToCanonical(address newRollup, address canonical);

    /// @notice `newRollup` took another amount than the stake.
    error Rollup__StakeNotMoved(uint256 stake, uint256 taken);

    /// @notice There is nothing to take from `attester`.
    error Rollup__NothingToSlash(address attester);

    /// @notice The rollup had no slots before its genesis.
    error Rollup__BeforeGenesis(uint256 timestamp, uint256 genesisTime);

    /// @notice Draws are known for the present and the next epoch only.
    error Rollup__EpochOutOfRange(uint256 epoch, uint256 currentEpoch);

    /// @notice `index` is not below the size of the epoch's set.
    error Rollup__IndexOutOfRange(uint256 index, uint256 size);

    /// @notice Only the slot's proposer may propose its block.
    error Rollup__NotProposer(address caller, address proposer);

    /// @notice `slot` has its block already.
    error Rollup__SlotAlreadyProposed(uint256 slot);

    /// @notice The gas left would make the reward claim fail for want of gas alone.
    error Rollup__NotEnoughGasForReward(uint256 gasLeft, uint256 needed);

    /// @notice Stakes `amount` of the caller's asset: `attester` joins the set. Anyone, canonical or not.
    function deposit(address attester, address proposer, address withdrawer, uint256 amount) external;

    /// @notice Takes `attester` out of the set; the whole stake is `recipient`'s after `EXIT_DELAY`.
    /// Ends a move. Only the withdrawer.
    /// @return Always true.
    function initiateWithdraw(address attester, address recipient) external returns (bool);

    /// @notice Pays out an exit whose time has come. Anyone.
    function finaliseWithdraw(address attester) external;

    /// @notice Announces that `attester` moves to `newRollup`. It keeps its seat and duties until
    /// `finaliseMove`. A second call changes the target, the clock runs on. Only the withdrawer.
    function initiateMove(address attester, address newRollup) external;

    /// @notice Deposits the whole stake into the announced rollup, if that is canonical, with the same
    /// attester, proposer and withdrawer. Anyone.
    function finaliseMove(address attester) external;

    /// @notice Does the same under another attester, so that whoever registered the attester there first stops nobody.
    /// Only the withdrawer.
    /// @param attester The attester here.
    /// @param newAttester The attester there; not 0.
    function finaliseMove(address attester, address newAttester) external;

    /// @notice Rewards of `attester`'s blocks go to `coinbase` from now on. Only the withdrawer.
    function setCoinbase(address attester, address coinbase) external;

    /// @notice Takes min(`amount`, stake) from `attester`; it stays in this contract. Only the owner.
    function slash(address attester, uint256 amount) external;

    /// @notice Records the next epoch's seed if nobody has. Anyone; does nothing else.
    function setupEpoch() external;

    /// @notice Proposes the slot's block and claims its reward. Only the slot's proposer, once per slot.
    /// @dev Never reverts because the claim failed.
    function proposeBlock(bytes32 blockHash) external;

    /// @notice Stake, withdrawer, proposer and status of `attester`; all zero if not registered.
    function getInfo(address attester)
        external
        view
        returns (uint256 stake, address withdrawer, address proposer, Status status);

    /// @notice When and to whom `attester`'s exit is paid; zeros if it is not exiting.
    function getExit(address attester) external view returns (uint256 exitableAt, address recipient);

    /// @notice Where `attester` moves, and from when on; zeros if it announced no move.
    function getMove(address attester) external view returns (address newRollup, uint256 readyAt);

    /// @notice Where the rewards of `attester`'s blocks go; 0 if not registered.
    function getCoinbase(address attester) external view returns (address);

    /// @notice The set as it stands now. Unbounded: for reading from outside.
    function getAttesters() external view returns (address[] memory);

    /// @notice The size of the set as it stands now.
    function getActiveAttesterCount() external view returns (uint256);

    /// @notice Number of registrations so far.
    function registrationCount() external view returns (uint256);

    /// @notice The present slot.
    function getCurrentSlot() external view returns (uint256);

    /// @notice The slot of `timestamp`; reverts before genesis.
    function getSlotAt(uint256 timestamp) external view returns (uint256);

    /// @notice The first second of `slot`.
    function getTimestampForSlot(uint256 slot) external view returns (uint256);

    /// @notice The present epoch.
    function getCurrentEpoch() external view returns (uint256);

    /// @notice The epoch of `timestamp`; reverts before genesis.
    function getEpochAt(uint256 timestamp) external view returns (uint256);

    /// @notice The one proposer of the present slot; 0 if the epoch has no seed or an empty set.
    function getCurrentProposer() external view returns (address);

    /// @notice The one proposer of the slot of `timestamp`, in the present or the next epoch. The next one's is 0 until
    /// its seed is recorded, and fixed from then on.
    function getProposerAt(uint256 timestamp) external view returns (address);

    /// @notice The size of the set of `epoch`, the present or the next.
    function getSetSize(uint256 epoch) external view returns (uint256);

    /// @notice Returns the seed of `epoch`, the present or the next. Without one the epoch has no proposers.
    /// @return recorded Whether a seed was recorded for the epoch.
    /// @return seed The seed; 0 if none was recorded.
    function getSeed(uint256 epoch) external view returns (bool recorded, uint256 seed);

    /// @notice Member number `index` of the set of `epoch`, the present or the next.
    function getMember(uint256 epoch, uint256 index) external view returns (address attester, address proposer);

    /// @notice Number of the newest block; 0 if there is none.
    function blockNumber() external view returns (uint256);

    /// @notice The slot of the newest block; `exists` is false if there is none.
    function lastBlockSlot() external view returns (bool exists, uint256 slot);

    /// @notice The asset that is staked.
    function ASSET() external view returns (IERC20);

    /// @notice Where a move's target has to be canonical.
    function REGISTRY() external view returns (IRegistry);

    /// @notice Who pays for blocks.
    function REWARD_DISTRIBUTOR() external view returns (IRewardDistributor);

    /// @notice Timestamp at which slot 0 began, in seconds.
    function GENESIS_TIME() external view returns (uint256);

    /// @notice Length of a slot, in seconds.
    function SLOT_DURATION() external view returns (uint256);

    /// @notice Length of an epoch, in slots.
    function EPOCH_DURATION() external view returns (uint256);

    /// @notice The least stake of a member of the set.
    function MINIMUM_STAKE() external view returns (uint256);

    /// @notice Seconds between leaving and getting the stake.
    function EXIT_DELAY() external view returns (uint256);
}
