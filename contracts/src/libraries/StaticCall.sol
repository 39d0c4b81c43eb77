// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "../interfaces/ICommon.sol";

/// @title Static calls to untrusted contracts
/// @notice An answer must have exactly the expected length; anything else is refused before more than that is copied.
/// So a contract without code, one that reverts, and one that answers with more than was asked are all refused.
library StaticCall {
    /// @notice Returns the word that `target` answers to `selector`, without arguments.
    function word(address target, bytes4 selector) internal view returns (uint256 answer) {
        bool clean;
        assembly ("memory-safe") {
            mstore(0, selector)
            clean := staticcall(gas(), target, 0, 4, 0, 32)
            clean := and(clean, eq(returndatasize(), 32))
            answer := mload(0)
        }
        if (!clean) revert ICommon.NoAnswer(target, selector);
    }

    /// @notice Returns the word that `target` answers to `selector` with one argument of one word.
    function word(address target, bytes4 selector, uint256 argument) internal view returns (uint256 answer) {
        bool clean;
        assembly ("memory-safe") {
            mstore(0, selector)
            mstore(4, argument)
            clean := staticcall(gas(), target, 0, 36, 0, 32)
            clean := and(clean, eq(returndatasize(), 32))
            answer := mload(0)
        }
        if (!clean) revert ICommon.NoAnswer(target, selector);
    }

    /// @notice Returns the address that `target` answers to `selector`, without arguments.
    function addressWord(address target, bytes4 selector) internal view returns (address) {
        uint256 answer = word(target, selector);
        if (answer > type(uint160).max) revert ICommon.NoAnswer(target, selector);
        return address(uint160(answer));
    }

    /// @notice Returns the `count` words that `target` answers to `selector`, without arguments.
    function words(address target, bytes4 selector, uint256 count) internal view returns (bytes memory answer) {
        answer = new bytes(32 * count);
        bool clean;
        assembly ("memory-safe") {
            let length := mload(answer)
            mstore(0, selector)
            clean := staticcall(gas(), target, 0, 4, add(answer, 32), length)
            clean := and(clean, eq(returndatasize(), length))
        }
        if (!clean) revert ICommon.NoAnswer(target, selector);
    }

    /// @notice Returns whether `target` answers `question`, an encoded call, with exactly the word `expected`.
    function answers(address target, bytes memory question, bytes32 expected) internal view returns (bool matches) {
        assembly ("memory-safe") {
            matches := staticcall(gas(), target, add(question, 32), mload(question), 0, 32)
            matches := and(matches, eq(returndatasize(), 32))
            matches := and(matches, eq(mload(0), expected))
        }
    }
}
