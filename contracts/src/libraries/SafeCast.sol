// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "../interfaces/ICommon.sol";

/// @title Casts that revert instead of truncating
library SafeCast {
    /// @notice Returns `value`, and reverts with `ValueTooLarge` if it is above `max`.
    function atMost(uint256 value, uint256 max) internal pure returns (uint256) {
        if (value > max) revert ICommon.ValueTooLarge(value, max);
        return value;
    }

    /// @notice Returns `value` as an amount of the asset.
    function toUint96(uint256 value) internal pure returns (uint96) {
        return uint96(atMost(value, type(uint96).max));
    }

    /// @notice Returns `value` as a nonce.
    function toUint64(uint256 value) internal pure returns (uint64) {
        return uint64(atMost(value, type(uint64).max));
    }

    /// @notice Returns `value` as a time in seconds.
    function toUint40(uint256 value) internal pure returns (uint40) {
        return uint40(atMost(value, type(uint40).max));
    }

    /// @notice Returns `value` as a counter, or as seconds since a contract's construction.
    function toUint32(uint256 value) internal pure returns (uint32) {
        return uint32(atMost(value, type(uint32).max));
    }
}
