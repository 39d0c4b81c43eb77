// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "../interfaces/ICommon.sol";

/// @title What may be asked of other contracts, and how much they are trusted
/// @notice Questions are static calls, and an answer is exactly one word: anything else is refused, so that no
/// contract can answer by having no code, by reverting, or with more than was asked.
library Outside {
    /// @dev Length of an EIP-7702 delegation: `0xef0100` and an address.
    uint256 private constant DELEGATION_LENGTH = 23;

    /// @notice Whether `account` has code that isn't an EIP-7702 delegation.
    function hasCode(address account) internal view returns (bool) {
        uint256 length = account.code.length;
        if (length != DELEGATION_LENGTH) return length != 0;
        bytes32 head;
        assembly ("memory-safe") {
            extcodecopy(account, 0, 0, 3)
            head := mload(0)
        }
        return bytes3(head) != 0xef0100;
    }

    /// @notice Reverts unless `account` has code that isn't an EIP-7702 delegation.
    function requireCode(address account) internal view {
        if (!hasCode(account)) revert ICommon.NoCode(account);
    }

    /// @notice The word that `target` answers to `selector`, without arguments.
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

    /// @notice The address that `target` answers to `selector`, without arguments.
    function addressWord(address target, bytes4 selector) internal view returns (address) {
        uint256 answer = word(target, selector);
        if (answer > type(uint160).max) revert ICommon.NoAnswer(target, selector);
        return address(uint160(answer));
    }
}
