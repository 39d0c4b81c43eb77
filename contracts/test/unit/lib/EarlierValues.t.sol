// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {EarlierValues} from "canon/types/EarlierValues.sol";
import {Test} from "../../Test.sol";

/// @notice The values that the sets of the present and the next epoch have, compared with copies made when epochs
/// began.
contract EarlierValuesTest is Test {
    /// @dev A number as its owner keeps it.
    uint32 internal value;
    uint40 internal epochPlusOne;
    EarlierValues internal earlier;

    /// @dev What the number was when an epoch began.
    mapping(uint256 epoch => uint256) internal copies;
    uint256 internal epoch;

    /// @dev Changes within one epoch are one change; the number was 0 before the first one.
    function _set(uint32 newValue) internal {
        if (epochPlusOne != epoch + 1) {
            earlier = earlier.withReplaced(value, epochPlusOne);
            epochPlusOne = uint40(epoch + 1);
        }
        value = newValue;
    }

    function _inSetOf(uint256 e) internal view returns (uint256) {
        return epochPlusOne < e ? value : earlier.forSetOf(e);
    }

    function _toEpoch(uint256 to) internal {
        while (epoch < to) {
            copies[++epoch] = value;
        }
    }

    function _compare() internal view {
        // The set of epoch 0 is empty; that of e stands when e-1 begins.
        vm.assertEq(_inSetOf(epoch), epoch == 0 ? 0 : copies[epoch - 1], "in the set of this epoch");
        vm.assertEq(_inSetOf(epoch + 1), copies[epoch], "in the set of the next epoch");
    }

    /// @dev Some changes an epoch, then the next epoch, or the one after it, or one much later.
    function testFuzz_forSetOf_isTheCopy(uint256 seed) public {
        for (uint256 i; i < 60; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 gap = seed % 8 < 5 ? 1 : seed % 8 < 7 ? seed % 8 - 3 : seed >> 8 & 31;
            _toEpoch(epoch + gap);
            _compare();
            uint256 changes = (seed >> 16) % 4;
            for (uint256 j; j < changes; ++j) {
                seed = uint256(keccak256(abi.encode(seed)));
                _set(uint32(seed));
                _compare();
            }
        }
    }

    /// @dev Every pattern of changes over seven epochs, from epoch 0 on.
    function test_forSetOf_isTheCopyForEveryPattern() public {
        for (uint256 pattern; pattern < 128; ++pattern) {
            (value, epochPlusOne, earlier, epoch, copies[0]) = (0, 0, EarlierValues.wrap(0), 0, 0);
            for (uint256 e; e < 9; ++e) {
                _toEpoch(e);
                _compare();
                if (e > 6 || pattern >> e & 1 == 0) continue;
                _set(uint32(100 + e));
                _set(uint32(200 + e));
                _compare();
            }
        }
    }

    /// @dev No field reaches into another, whatever they hold.
    function testFuzz_withReplaced_keepsTheTwoNewest(uint32[3] memory values, uint40[3] memory epochs) public pure {
        EarlierValues word = EarlierValues.wrap(0);
        for (uint256 i; i < 3; ++i) {
            word = word.withReplaced(values[i], epochs[i]);
            vm.assertEq(word.forSetOf(epochs[i]), i == 0 ? 0 : values[i - 1], "at the epoch itself");
            vm.assertEq(word.forSetOf(uint256(epochs[i]) + 1), values[i], "after it");
            vm.assertEq(word.forSetOf(0), i == 0 ? 0 : values[i - 1]);
        }
    }

    function test_withReplaced_atTheGreatestValues() public pure {
        EarlierValues word = EarlierValues.wrap(0);
        for (uint256 i; i < 3; ++i) {
            word = word.withReplaced(type(uint32).max, type(uint40).max);
        }
        vm.assertEq(EarlierValues.unwrap(word), type(uint104).max);
        word = word.withReplaced(0, 0);
        vm.assertEq(word.forSetOf(0), type(uint32).max);
        vm.assertEq(word.forSetOf(1), 0);
        vm.assertEq(EarlierValues.unwrap(word.withReplaced(0, 0)), 0);
    }
}
