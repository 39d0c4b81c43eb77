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
contract RollupProof is Proof {
    address private something = address(new Something());

    /// @notice With slots of 12 s, whatever the other parameters: a rollup that is constructed has an epoch above 0, a genesis that isn't in the
    /// future, time for a seed, a stake, and an exit delay from two epochs to 365 days; one that is refused hasn't.
    function check_constructorTakesExactlyWhatIsInBounds(
        uint256 genesis,
        uint256 epoch,
        uint256 stake,
        uint256 exit,
        uint40 time
    ) external {
        uint256 slot = 12;
        vm.warp(time);
        bool fit = genesis <= time && fits(epoch, 40) && fits(stake, 96) && fits(exit, 40);
        try this.create(genesis, slot, epoch, stake, exit) returns (Rollup rollup) {
            assert(fit && epoch != 0 && stake != 0);
            unchecked {
                assert((epoch - 1) * slot >= 24 && exit >= 2 * epoch * slot && exit <= 365 days);
            }
            assert(rollup.GENESIS_TIME() == genesis && rollup.SLOT_DURATION() == slot);
            assert(rollup.EPOCH_DURATION() == epoch && rollup.EXIT_DELAY() == exit && rollup.MINIMUM_STAKE() == stake);
        } catch {
            unchecked {
                assert(
                    !fit || epoch == 0 || stake == 0 || (epoch - 1) * slot < 24 || exit < 2 * epoch * slot
                        || exit > 365 days
                );
            }
        }
    }

    /// @notice For slots of 12 s and 36 s, any genesis and any time of 39 bits: a slot begins at or before any time in it,
    /// and the next one after it.
    function check_aTimeIsInItsSlot(uint40 genesis, uint40 time) external {
        vm.assume(genesis <= time && fits(time, 39));
        uint8[2] memory durations = [12, 36];
        vm.warp(time);
        for (uint256 i; i < 2; ++i) {
            Rollup rollup = create(genesis, durations[i], 32, 1, 365 days);
            uint256 slot = rollup.getSlotAt(time);
            assert(rollup.getTimestampForSlot(slot) <= time && time < rollup.getTimestampForSlot(slot + 1));
            assert(rollup.getCurrentSlot() == slot && rollup.getEpochAt(time) == rollup.getCurrentEpoch());
            assert(rollup.getCurrentEpoch() * 32 <= slot && slot < (rollup.getCurrentEpoch() + 1) * 32);
        }
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
