// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "../libraries/SafeCast.sol";

/// @notice The newest checkpoint of a history and what shares its word, from the highest bit:
/// `companion` (96 bits) | `amount` (96) | `since` (32) | `archived` (32).
type NewestCheckpoint is uint256;

/// @notice An amount now and at any time in the past.
struct PowerHistory {
    NewestCheckpoint newest;
    /// Older checkpoints, oldest first, two to a word, the older one in the low half: `amount` (96 bits) | `since` (32).
    mapping(uint256 index => uint256 word) archive;
}

using PowerHistoryLibrary for NewestCheckpoint global;
using PowerHistoryLibrary for PowerHistory global;

/// @title Amounts over time, by checkpoints
/// @notice Times are seconds since an origin that the caller chooses, in 32 bits. A checkpoint says what the amount
/// was from the end of second `since` on. The newest one is in a word that is written anyway; older ones are archived
/// two to a word, so that every second change costs no new slot.
library PowerHistoryLibrary {
    uint256 private constant HALF = 128;
    uint256 private constant LOW_HALF = type(uint128).max;
    uint256 private constant SINCE = 32;
    uint256 private constant AMOUNT = 64;
    uint256 private constant COMPANION = 160;
    uint256 private constant COMPANION_BITS = type(uint256).max << COMPANION;

    /// @dev How many words before the end of the archive a search looks first, since most questions are about a time
    /// after which little has changed.
    uint256 private constant RECENT_WORDS = 16;

    /// @notice Returns the current amount.
    function amount(NewestCheckpoint newest) internal pure returns (uint256) {
        return uint96(NewestCheckpoint.unwrap(newest) >> AMOUNT);
    }

    /// @notice Returns the second from whose end on the amount is the current one.
    function since(NewestCheckpoint newest) internal pure returns (uint256) {
        return uint32(NewestCheckpoint.unwrap(newest) >> SINCE);
    }

    /// @notice Returns the number of archived checkpoints.
    function archived(NewestCheckpoint newest) internal pure returns (uint256) {
        return uint32(NewestCheckpoint.unwrap(newest));
    }

    /// @notice Returns the value of 96 bits that the history's owner keeps in the same word.
    function companion(NewestCheckpoint newest) internal pure returns (uint256) {
        return NewestCheckpoint.unwrap(newest) >> COMPANION;
    }

    /// @notice Returns the same checkpoint beside another `companion`, which fits 96 bits.
    function withCompanion(NewestCheckpoint newest, uint256 companion_) internal pure returns (NewestCheckpoint) {
        return NewestCheckpoint.wrap(uint160(NewestCheckpoint.unwrap(newest)) | (companion_ << COMPANION));
    }

    /// @notice Reverts unless `amount_` fits 96 bits and `time` 32.
    function requireFits(uint256 amount_, uint256 time) internal pure {
        if (((amount_ >> 96) | (time >> 32)) != 0) {
            SafeCast.requireAtMost(amount_, type(uint96).max);
            SafeCast.requireAtMost(time, type(uint32).max);
        }
    }

    /// @notice Stores that the amount is `amount_` from second `time` on, which is not before the newest checkpoint.
    /// Both have to fit: see `requireFits`.
    /// @param newest The newest checkpoint as it is stored, except for its companion, which is stored with the new one.
    function push(PowerHistory storage self, NewestCheckpoint newest, uint256 amount_, uint256 time) internal {
        uint256 older = newest.archived();
        uint256 checkpoint = uint128(NewestCheckpoint.unwrap(newest) >> SINCE);
        // Changes within one second are one change. Before the first one the amount was 0, which needs no record.
        if (uint32(checkpoint) != time) {
            if (checkpoint != 0) {
                // There is at most one checkpoint a second, so their number fits as long as times do.
                unchecked {
                    self.archive[older >> 1] |= checkpoint << ((older & 1) * HALF);
                    ++older;
                }
            }
        }
        self.newest = NewestCheckpoint.wrap(
            (NewestCheckpoint.unwrap(newest) & COMPANION_BITS) | (amount_ << AMOUNT) | (time << SINCE) | older
        );
    }

    /// @notice Returns the amount at the end of second `time`.
    function at(PowerHistory storage self, uint256 time) internal view returns (uint256) {
        NewestCheckpoint newest = self.newest;
        if (newest.since() <= time) return newest.amount();
        unchecked {
            // `low` counts the words known to begin at `time` or before; `word` is the last of them.
            uint256 word;
            uint256 low;
            uint256 high = (newest.archived() + 1) >> 1;
            uint256 probe = high > RECENT_WORDS ? high - RECENT_WORDS : high >> 1;
            while (low < high) {
                uint256 probed = self.archive[probe];
                if (uint32(probed) <= time) {
                    word = probed;
                    low = probe + 1;
                } else {
                    high = probe;
                }
                probe = (low + high) >> 1;
            }
            // The later half counts unless it is empty or begins after `time`. Nothing was archived before: 0.
            uint256 later = word >> HALF;
            return (later != 0 && uint32(later) <= time ? later : word & LOW_HALF) >> SINCE;
        }
    }
}
