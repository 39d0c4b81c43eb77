// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IRegistry} from "../interfaces/IRegistry.sol";
import {IRewardDistributor} from "../interfaces/IRewardDistributor.sol";
import {IRollup, RollupParameters, Status} from "../interfaces/IRollup.sol";
import {Code} from "../libraries/Code.sol";
import {SafeCast} from "../libraries/SafeCast.sol";
import {EarlierValues} from "../types/EarlierValues.sol";
import {SetSummary} from "../types/SetSummary.sol";
import {TwoStepOwned} from "./TwoStepOwned.sol";

/// @title The storage and the parameters of a Rollup
abstract contract RollupStorage is IRollup, TwoStepOwned {
    /// @dev A registration. Four words, and a fifth once the coinbase is set, each documented from its highest bit. All
    /// of it but the stake stays when the attester has left: closed sets may still draw its seat.
    struct Member {
        /// Word 1, all that a draw may need: `status` (8 bits) | `seat` (32) | `proposer` (160).
        address proposer;
        /// Its seat while it is validating; afterwards the last one it had.
        uint32 seat;
        Status status;
        /// Word 2: `stake` (96) | `attester` (160).
        address attester;
        uint96 stake;
        /// Word 3: `exitableAt` (40) | `withdrawer` (160).
        address withdrawer;
        /// 0 unless exiting.
        uint40 exitableAt;
        /// Word 4: `readyAt` (40) | `target` (160). The recipient of the stake if exiting, otherwise the rollup to move
        /// to.
        address target;
        /// 0 unless a move is announced.
        uint40 readyAt;
        /// Word 5: `coinbase` (160). 0 means the proposer.
        address coinbase;
    }

    /// @dev A seat of the set, in two words, each documented from its highest bit.
    struct Seat {
        /// Word 1: `id` (32 bits) | `epochPlusOne` (40) | `proposer` (160). The registration that sits here, the epoch in
        /// which it sat down, plus one, and its proposer. Draws from sets closed since then read only this word.
        address proposer;
        uint40 epochPlusOne;
        uint32 id;
        /// Word 2: the registrations that sat here before. Written when the seat changes hands.
        EarlierValues earlierIds;
    }

    /// @dev The newest block, in one word: `slot` (40 bits) | `number` (40).
    struct LatestBlock {
        /// 0 if there is none.
        uint40 number;
        uint40 slot;
    }

    SetSummary internal _set;

    LatestBlock internal _latestBlock;

    /// @dev Seeds of even and of odd epochs: that of `_set.seedEpoch()`, and that of the epoch before it if there is one.
    uint256[2] internal _seeds;

    /// @dev The number of an attester's registration; 0 if it is not registered.
    mapping(address attester => uint32) internal _idOf;

    /// @dev The seats by number. Finding an element of an array of fixed length takes neither a hash nor a read of its
    /// length, and nothing of it exists before it is written.
    Seat[2 ** 32] internal _seats;

    /// @dev Registrations by number. There is no number 0: that element stays empty.
    Member[2 ** 32] internal _members;

    /// @dev The time left in an epoch after its first slot, at least: two L1 blocks, in which its seed can be recorded.
    uint256 private constant MIN_SEED_TIME = 24 seconds;

    uint256 private constant MAX_EXIT_DELAY = 365 days;

    /// @inheritdoc IRollup
    IERC20 public immutable ASSET;

    /// @inheritdoc IRollup
    IRegistry public immutable REGISTRY;

    /// @inheritdoc IRollup
    IRewardDistributor public immutable REWARD_DISTRIBUTOR;

    /// @inheritdoc IRollup
    uint256 public immutable GENESIS_TIME;

    /// @inheritdoc IRollup
    uint256 public immutable SLOT_DURATION;

    /// @inheritdoc IRollup
    uint256 public immutable EPOCH_DURATION;

    /// @inheritdoc IRollup
    uint256 public immutable MINIMUM_STAKE;

    /// @inheritdoc IRollup
    uint256 public immutable EXIT_DELAY;

    /// @param parameters See `RollupParameters`.
    constructor(RollupParameters memory parameters) TwoStepOwned(parameters.owner) {
        if (address(parameters.rewardDistributor) == address(0)) revert ZeroAddress();
        Code.requireAt(address(parameters.asset));
        Code.requireAt(address(parameters.registry));
        if (parameters.genesisTime > block.timestamp) {
            revert Rollup__GenesisInFuture(parameters.genesisTime, block.timestamp);
        }
        if (parameters.slotDuration == 0 || parameters.epochDuration == 0) {
            revert Rollup__ZeroDuration(parameters.slotDuration, parameters.epochDuration);
        }
        if (parameters.minimumStake == 0) revert Rollup__ZeroMinimumStake();

        ASSET = parameters.asset;
        REGISTRY = parameters.registry;
        REWARD_DISTRIBUTOR = parameters.rewardDistributor;
        GENESIS_TIME = SafeCast.toUint40(parameters.genesisTime);
        SLOT_DURATION = SafeCast.toUint40(parameters.slotDuration);
        EPOCH_DURATION = SafeCast.toUint40(parameters.epochDuration);
        MINIMUM_STAKE = SafeCast.toUint96(parameters.minimumStake);
        EXIT_DELAY = SafeCast.toUint40(parameters.exitDelay);

        uint256 afterFirstSlot = (EPOCH_DURATION - 1) * SLOT_DURATION;
        if (afterFirstSlot < MIN_SEED_TIME) revert Rollup__EpochTooShort(afterFirstSlot, MIN_SEED_TIME);
        uint256 twoEpochs = 2 * EPOCH_DURATION * SLOT_DURATION;
        if (EXIT_DELAY < twoEpochs || EXIT_DELAY > MAX_EXIT_DELAY) {
            revert Rollup__ExitDelayOutOfBounds(EXIT_DELAY, twoEpochs, MAX_EXIT_DELAY);
        }

        emit RollupDeployed(parameters);
    }
}
