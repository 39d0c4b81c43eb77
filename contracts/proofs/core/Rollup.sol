// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Rollup} from "canon/core/Rollup.sol";
import {IRegistry} from "canon/interfaces/IRegistry.sol";
import {IRewardDistributor} from "canon/interfaces/IRewardDistributor.sol";
import {RollupParameters} from "canon/interfaces/IRollup.sol";
import {Proof} from "../Proof.sol";

/// @notice Code, and nothing else.
contract Something {}

/// @title Slots and epochs of a Rollup, and what its constructor refuses
/// @custom:solver integers
contract RollupProof is Proof {
    address private something = address(new Something());

    /// @notice With slots of 12 s and epochs of 0, 2, 3 and 32 slots, whatever the other parameters: a rollup is constructed
    /// exactly if its genesis isn't in the future, its epochs leave 24 s for a seed, it has a stake of at most 96 bits, and
    /// its exit delay is from two epochs to 365 days; and it has the parameters that were given.
    function check_constructorTakesExactlyWhatIsInBounds(uint256 genesis, uint256 stake, uint256 exit, uint40 time)
        external
    {
        vm.warp(time);
        uint8[4] memory epochs = [0, 2, 3, 32];
        for (uint256 i; i < 4; ++i) {
            uint256 epoch = epochs[i];
            bool inBounds = genesis <= time && epoch >= 3 && stake != 0 && fits(stake, 96) && exit >= 24 * epoch
                && exit <= 365 days;
            try this.create(genesis, 12, epoch, stake, exit) returns (Rollup rollup) {
                assert(inBounds);
                assert(rollup.GENESIS_TIME() == genesis && rollup.EPOCH_DURATION() == epoch);
                assert(rollup.EXIT_DELAY() == exit && rollup.MINIMUM_STAKE() == stake);
            } catch {
                assert(!inBounds);
            }
        }
    }

    /// @notice For slots of 12 s, any genesis and any time of 39 bits: a slot begins at or before any time in it, and the
    /// next one after it.
    function check_aTimeIsInItsSlot(uint40 genesis, uint40 time) external {
        vm.assume(genesis <= time && fits(time, 39));
        vm.warp(time);
        Rollup rollup = create(genesis, 12, 32, 1, 365 days);
        uint256 slot = rollup.getSlotAt(time);
        uint256 start = rollup.getTimestampForSlot(slot);
        assert(start <= time && time - start < 12);
    }

    /// @notice For epochs of 32 slots of 12 s: the present slot and epoch are those of the present time, and a slot is in
    /// its epoch.
    function check_aSlotIsInItsEpoch(uint40 genesis, uint40 time) external {
        vm.assume(genesis <= time);
        vm.warp(time);
        Rollup rollup = create(genesis, 12, 32, 1, 365 days);
        uint256 slot = rollup.getSlotAt(time);
        uint256 epoch = rollup.getCurrentEpoch();
        assert(rollup.getCurrentSlot() == slot && rollup.getEpochAt(time) == epoch);
        assert(epoch * 32 <= slot && slot - epoch * 32 < 32);
    }

    /// @notice Wrong: a slot ends with the second in which the next one begins.
    function refute_aSlotIsOneSecondLonger(uint40 time) external {
        vm.assume(fits(time, 39));
        vm.warp(time);
        Rollup rollup = create(0, 12, 32, 1, 365 days);
        assert(time == 0 || rollup.getSlotAt(time) == rollup.getSlotAt(time - 1));
    }

    function create(uint256 genesis, uint256 slot, uint256 epoch, uint256 stake, uint256 exit) public returns (Rollup) {
        return new Rollup(
            RollupParameters({
                owner: address(1),
                asset: IERC20(something),
                registry: IRegistry(something),
                rewardDistributor: IRewardDistributor(something),
                genesisTime: genesis,
                slotDuration: slot,
                epochDuration: epoch,
                minimumStake: stake,
                exitDelay: exit
            })
        );
    }
}
