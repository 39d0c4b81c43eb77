// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "../libraries/SafeCast.sol";
import {EarlierValues} from "./EarlierValues.sol";

/// @notice A rollup's set as a whole and the epochs that have a seed, from the highest bit: `precedingSeed` (8 bits) |
/// `seedEpoch` (40) | `registrations` (32) | `earlierSizes` (104) | `sizeEpochPlusOne` (40) | `size` (32).
type SetSummary is uint256;

using SetSummaryLibrary for SetSummary global;

/// @title The size of a rollup's set and its seeds in one word
library SetSummaryLibrary {
    uint256 private constant SIZE_EPOCH_PLUS_ONE = 32;
    uint256 private constant EARLIER_SIZES = 72;
    uint256 private constant REGISTRATIONS = 176;
    uint256 private constant SEED_EPOCH = 208;
    uint256 private constant PRECEDING_SEED = 248;
    uint256 private constant SIZE_BITS = (1 << REGISTRATIONS) - 1;
    uint256 private constant SEED_BITS = type(uint256).max << SEED_EPOCH;

    /// @notice Returns the number of members now.
    function size(SetSummary set) internal pure returns (uint256) {
        return uint32(SetSummary.unwrap(set));
    }

    /// @notice Returns the number of registrations so far, which is the number of the newest one.
    function registrations(SetSummary set) internal pure returns (uint256) {
        return uint32(SetSummary.unwrap(set) >> REGISTRATIONS);
    }

    /// @notice Returns the newest epoch for which a seed was recorded; 0 if there is none.
    function seedEpoch(SetSummary set) internal pure returns (uint256) {
        return uint40(SetSummary.unwrap(set) >> SEED_EPOCH);
    }

    /// @notice Returns the size of the set of `epoch`, the current or the next. That of epoch 0 is 0.
    function sizeOf(SetSummary set, uint256 epoch) internal pure returns (uint256) {
        uint256 word = SetSummary.unwrap(set);
        if (uint40(word >> SIZE_EPOCH_PLUS_ONE) < epoch) return uint32(word);
        return EarlierValues.wrap(uint104(word >> EARLIER_SIZES)).forSetOf(epoch);
    }

    /// @notice Returns whether a seed was recorded for `epoch`, the current or the next. Epoch 0, which no epoch precedes,
    /// has none.
    function hasSeed(SetSummary set, uint256 epoch) internal pure returns (bool) {
        // The newest seed is this epoch's, or the next one's and `precedingSeed` is 1. Wraps if it is an earlier one's.
        unchecked {
            return epoch != 0 && set.seedEpoch() - epoch <= SetSummary.unwrap(set) >> PRECEDING_SEED;
        }
    }

    /// @notice Returns the set after the seed of the next epoch was recorded in `epoch`, the current.
    function withSeed(SetSummary set, uint256 epoch) internal pure returns (SetSummary) {
        uint256 preceding = set.seedEpoch() == epoch ? 1 : 0;
        return SetSummary.wrap(
            (SetSummary.unwrap(set) & ~SEED_BITS) | (uint256(SafeCast.toUint40(epoch + 1)) << SEED_EPOCH)
                | (preceding << PRECEDING_SEED)
        );
    }

    /// @notice Returns the set with one more registration.
    function withRegistration(SetSummary set) internal pure returns (SetSummary) {
        SafeCast.requireAtMost(set.registrations() + 1, type(uint32).max);
        return SetSummary.wrap(SetSummary.unwrap(set) + (1 << REGISTRATIONS));
    }

    /// @notice Returns the set with `size_` members from `epoch`, the current, on.
    function withSize(SetSummary set, uint256 size_, uint256 epoch) internal pure returns (SetSummary) {
        uint256 word = SetSummary.unwrap(set);
        uint256 epochPlusOne = SafeCast.toUint40(epoch + 1);
        EarlierValues earlier = EarlierValues.wrap(uint104(word >> EARLIER_SIZES));
        uint40 replaced = uint40(word >> SIZE_EPOCH_PLUS_ONE);
        // Changes within one epoch are one change.
        if (replaced != epochPlusOne) earlier = earlier.withReplaced(uint32(word), replaced);
        return SetSummary.wrap(
            (word & ~SIZE_BITS) | (uint256(EarlierValues.unwrap(earlier)) << EARLIER_SIZES)
                | (epochPlusOne << SIZE_EPOCH_PLUS_ONE) | SafeCast.toUint32(size_)
        );
    }
}
