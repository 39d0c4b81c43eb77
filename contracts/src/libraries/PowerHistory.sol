// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Fit} from "./Fit.sol";

/// @notice The newest checkpoint of a history: `value` (96 bits) | `since` (32) | `length` of the archive (32).
type Newest is uint160;

using PowerHistory for Newest global;

/// @title What an amount was at any time in the past
/// @notice Times are seconds since an origin that the caller chooses, in 32 bits. A checkpoint says what the amount
/// was from the end of second `since` on. The newest one lives with its owner, in a word that is written anyway;
/// older ones are archived in order, two to a word, so that every second change costs no new slot.
library PowerHistory {
    uint256 private constant LOW_HALF = type(uint128).max;

    /// @notice The present amount.
    function value(Newest newest) internal pure returns (uint256) {
        return Newest.unwrap(newest) >> 64;
    }

    /// @notice From when on it is the present amount.
    function since(Newest newest) internal pure returns (uint256) {
        return uint32(Newest.unwrap(newest) >> 32);
    }

    /// @notice How many older checkpoints are archived.
    function length(Newest newest) internal pure returns (uint256) {
        return uint32(Newest.unwrap(newest));
    }

    /// @notice The amount becomes `amount` at second `time`, which is not before the newest checkpoint.
    /// @return The newest checkpoint, to be stored.
    function push(Newest newest, mapping(uint256 => uint256) storage archive, uint256 amount, uint256 time)
        internal
        returns (Newest)
    {
        uint256 older = newest.length();
        // Changes within one second are one change. Before the first one the amount was 0, which needs no record.
        if (newest.since() != time && Newest.unwrap(newest) != 0) {
            uint256 checkpoint = Newest.unwrap(newest) >> 32;
            if (older & 1 == 0) archive[older >> 1] = checkpoint;
            else archive[older >> 1] |= checkpoint << 128;
            ++older;
        }
        return Newest.wrap(
            (uint160(Fit.toUint96(amount)) << 64) | (uint160(Fit.toUint32(time)) << 32) | Fit.toUint32(older)
        );
    }

    /// @notice The amount at the end of second `time`.
    function at(Newest newest, mapping(uint256 => uint256) storage archive, uint256 time)
        internal
        view
        returns (uint256)
    {
        if (newest.since() <= time) return newest.value();
        // The last archived checkpoint with `since <= time` is in [low, high); none means 0.
        uint256 low;
        uint256 high = newest.length();
        while (low < high) {
            uint256 middle = (low + high) >> 1;
            if (uint32(_checkpoint(archive, middle)) <= time) low = middle + 1;
            else high = middle;
        }
        return low == 0 ? 0 : _checkpoint(archive, low - 1) >> 32;
    }

    /// @dev Archived checkpoint number `index`: `value` (96 bits) | `since` (32).
    function _checkpoint(mapping(uint256 => uint256) storage archive, uint256 index) private view returns (uint256) {
        uint256 word = archive[index >> 1];
        return index & 1 == 0 ? word & LOW_HALF : word >> 128;
    }
}
