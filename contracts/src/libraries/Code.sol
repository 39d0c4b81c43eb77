// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "../interfaces/ICommon.sol";

/// @title Checks for code that is not an EIP-7702 delegation
/// @notice An EIP-7702 delegation is not code of the account's own: its owner can change it at any time.
library Code {
    /// @dev Length of an EIP-7702 delegation: `0xef0100` and an address.
    uint256 private constant DELEGATION_LENGTH = 23;

    /// @notice Returns whether `account` has code that isn't an EIP-7702 delegation.
    function exists(address account) internal view returns (bool) {
        uint256 length = account.code.length;
        if (length != DELEGATION_LENGTH) return length != 0;
        bytes32 head;
        assembly ("memory-safe") {
            extcodecopy(account, 0, 0, 3)
            head := mload(0)
        }
        return bytes3(head) != 0xef0100;
    }

    /// @notice Reverts with `NoCode` unless `account` has code that isn't an EIP-7702 delegation.
    function requireAt(address account) internal view {
        if (!exists(account)) revert ICommon.NoCode(account);
    }
}
