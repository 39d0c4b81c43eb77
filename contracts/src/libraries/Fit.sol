// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "../interfaces/ICommon.sol";

/// @title Narrow integers without truncation
/// @notice Amounts fit 96 bits and times 40; what doesn't is refused.
library Fit {
    /// @notice `value`, known to be at most `max`.
    function within(uint256 value, uint256 max) internal pure returns (uint256) {
        if (value > max) revert ICommon.ValueTooLarge(value, max);
        return value;
    }

    /// @notice `value` as an amount of the asset.
    function toUint96(uint256 value) internal pure returns (uint96) {
        return uint96(within(value, type(uint96).max));
    }

    /// @notice `value` as a time in seconds.
    function toUint40(uint256 value) internal pure returns (uint40) {
        return uint40(within(value, type(uint40).max));
    }

    /// @notice `value` as a counter, or as seconds since a contract's construction.
    function toUint32(uint256 value) internal pure returns (uint32) {
        return uint32(within(value, type(uint32).max));
    }
}
