// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {CHEATCODES, Vm} from "../test/Vm.sol";

/// @title What all proofs share
/// @notice A proof is a function named `check_…`. Its arguments are arbitrary, `vm.assume` restricts them, and every
/// `assert` must hold on every path. A panic of any kind counts as a failed assertion. Any other revert ends a path
/// unnoticed: where that would hide something, the proof catches it.
///
/// A function named `refute_…` states something wrong, and has to be refuted: so the proofs beside it can fail. Where a
/// revert ends paths unnoticed, one of them shows that some path doesn't end so.
abstract contract Proof {
    Vm internal constant vm = CHEATCODES;

    /// @dev Whether `value` fits `bits` bits.
    function fits(uint256 value, uint256 bits) internal pure returns (bool) {
        return value >> bits == 0;
    }

    /// @dev `yes` if `condition`, otherwise `no`: without a branch, so that a proof doesn't fall into two paths.
    function choose(bool condition, uint256 yes, uint256 no) internal pure returns (uint256 chosen) {
        assembly ("memory-safe") {
            chosen := xor(no, and(xor(no, yes), sub(0, condition)))
        }
    }

    function least(uint256 a, uint256 b) internal pure returns (uint256) {
        return choose(a < b, a, b);
    }

    function greatest(uint256 a, uint256 b) internal pure returns (uint256) {
        return choose(a > b, a, b);
    }

    function same(bytes memory a, bytes memory b) internal pure returns (bool) {
        return keccak256(a) == keccak256(b);
    }

    /// @dev Whether `reason` is that `value` is above `max`.
    function isTooLarge(bytes memory reason, uint256 value, uint256 max) internal pure returns (bool) {
        return same(reason, abi.encodeWithSelector(ICommon.ValueTooLarge.selector, value, max));
    }
}
