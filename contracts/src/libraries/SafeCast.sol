// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "../interfaces/ICommon.sol";

/// @title Casts that revert instead of truncating
library SafeCast {
    /// @notice Reverts with `ValueTooLarge` if `value` is above `max`.
    function requireAtMost(uint256 value, uint256 max) internal pure {
        if (value > max) revert ICommon.ValueTooLarge(value, max);
    }

    /// @notice Returns `value` as an amount of the asset.
    function toUint96(uint256 value) internal pure returns (uint96) {
        requireAtMost(value, type(uint96).max);
        return uint96(value);
    }

    /// @notice Returns `value` as a time in seconds.
    function toUint40(uint256 value) internal pure returns (uint40) {
        requireAtMost(value, type(uint40).max);
        return uint40(value);
    }

    /// @notice Returns `value` as a counter, or as seconds since a contract's construction.
    function toUint32(uint256 value) internal pure returns (uint32) {
        requireAtMost(value, type(uint32).max);
        return uint32(value);
    }
}
