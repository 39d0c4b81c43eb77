// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {CHEATCODES, Vm} from "./Vm.sol";

/// @notice What every test stands on: cheatcodes, bounded fuzz input, named accounts.
abstract contract Test {
    Vm internal constant vm = CHEATCODES;

    /// @dev forge runs a contract as a test if it answers this.
    bool public constant IS_TEST = true;

    /// @notice `value` mapped into [min, max]; the ends are reached by small and huge values.
    function bound(uint256 value, uint256 min, uint256 max) internal pure returns (uint256) {
        vm.assertLe(min, max, "bound: empty range");
        if (value >= min && value <= max) return value;
        uint256 size = max - min + 1;
        if (size == 0) return value;
        if (value <= 3 && size > value) return min + value;
        if (value >= type(uint256).max - 3 && size > type(uint256).max - value) {
            return max - (type(uint256).max - value);
        }
        return min + value % size;
    }

    /// @notice The account called `name`, with the key that signs for it.
    function account(string memory name) internal returns (address who, uint256 key) {
        key = uint256(keccak256(bytes(name)));
        who = vm.addr(key);
        vm.label(who, name);
    }

    function addressOf(string memory name) internal returns (address who) {
        (who,) = account(name);
    }

    /// @notice Lets `duration` seconds pass, and a block of twelve of them at a time.
    function skip(uint256 duration) internal {
        vm.warp(vm.getBlockTimestamp() + duration);
        vm.roll(vm.getBlockNumber() + duration / 12 + 1);
    }
}
