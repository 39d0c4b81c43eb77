// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Fit} from "./Fit.sol";

/// @notice The newest checkpoint of a history: `rest` (96 bits) | `value` (96) | `since` (32) | `length` (32).
/// `rest` is its owner's, for what has to be written at the same time.
type Newest is uint256;

/// @notice An amount now and at any time in the past.
struct History {
    Newest newest;
    /// Older checkpoints, oldest first, two to a word: `value` (96 bits) | `since` (32).
    mapping(uint256 => uint256) archive;
}

using PowerHistory for Newest global;
using PowerHistory for History global;

/// @title What an amount was at any time in the past
/// @notice Times are seconds since an origin that the caller chooses, in 32 bits. A checkpoint says what the amount
/// was from the end of second `since` on. The newest one is in a word that is written anyway; older ones are archived
/// two to a word, so that every second change costs no new slot.
library PowerHistory {
    uint256 private constant HALF = 128;
    uint256 private constant LOW_HALF = type(uint128).max;
    uint256 private constant SINCE = 32;
    uint256 private constant VALUE = 64;
    uint256 private constant REST = 160;
    uint256 private constant REST_BITS = type(uint256).max << REST;

    /// @notice The present amount.
    function value(Newest newest) internal pure returns (uint256) {
        return uint96(Newest.unwrap(newest) >> VALUE);
    }

    /// @notice From when on it is the present amount.
    function since(Newest newest) internal pure returns (uint256) {
        return uint32(Newest.unwrap(newest) >> SINCE);
    }

    /// @notice How many older checkpoints are archived.
    function length(Newest newest) internal pure returns (uint256) {
        return uint32(Newest.unwrap(newest));
    }

    /// @notice What the history's owner keeps in the word.
    function rest(Newest newest) internal pure returns (uint256) {
        return Newest.unwrap(newest) >> REST;
    }

    /// @notice The same with another `rest`, which fits 96 bits.
    function withRest(Newest newest, uint256 rest_) internal pure returns (Newest) {
        return Newest.wrap(uint160(Newest.unwrap(newest)) | (rest_ << REST));
    }

    /// @notice Reverts unless `amount` fits 96 bits and `time` 32.
    function requireFits(uint256 amount, uint256 time) internal pure {
        if (((amount >> 96) | (time >> 32)) != 0) {
            Fit.toUint96(amount);
            Fit.toUint32(time);
        }
    }

    /// @notice Stores that the amount is `amount` from second `time` on, which is not before the newest checkpoint.
    /// Both have to fit: see `requireFits`.
    /// @param newest The newest checkpoint as it is stored, but for `rest`, which is stored with the new one.
    function push(History storage self, Newest newest, uint256 amount, uint256 time) internal {
        uint256 older = newest.length();
        // Changes within one second are one change. Before the first one the amount was 0, which needs no record.
        uint256 checkpoint = uint128(Newest.unwrap(newest) >> SINCE);
        if (uint32(checkpoint) != time && checkpoint != 0) {
            // There is at most one checkpoint a second, so their number fits as long as times do.
            unchecked {
                self.archive[older >> 1] |= checkpoint << ((older & 1) * HALF);
                ++older;
            }
        }
        self.newest = Newest.wrap(
            (Newest.unwrap(newest) & REST_BITS) | (amount << VALUE) | (time << SINCE) | older
        );
    }

    /// @notice The amount at the end of second `time`.
    function at(History storage self, uint256 time) internal view returns (uint256) {
        Newest newest = self.newest;
        if (newest.since() <= time) return newest.value();
        unchecked {
            // The last archived checkpoint with `since <= time` is in [low, high); none means 0.
            uint256 low;
            uint256 high = newest.length();
            while (low < high) {
                uint256 middle = (low + high) >> 1;
                if (uint32(_checkpoint(self, middle)) <= time) low = middle + 1;
                else high = middle;
            }
            return low == 0 ? 0 : _checkpoint(self, low - 1) >> SINCE;
        }
    }

    /// @dev Archived checkpoint number `index`.
    function _checkpoint(History storage self, uint256 index) private view returns (uint256) {
        uint256 word = self.archive[index >> 1];
        return index & 1 == 0 ? word & LOW_HALF : word >> HALF;
    }
}
