// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Fit} from "./Fit.sol";

/// @notice A number and what it was lately, from the highest bit:
/// `oldest` (32 bits) | `middle` (32) | `current` (32) | `middleSince` (40) | `currentSince` (40).
/// `since` is one more than the epoch in which the value was set, 0 if never: the newest epoch whose set was closed
/// before that.
type Recent is uint176;

using EpochHistory for Recent global;

/// @title What a number was when the present epoch and the one before it began
/// @notice The set of epoch e is the set as it stood when epoch e-1 began. In epoch E anyone may ask for the sets of E
/// and E+1: for values as they stood when E-1 and when E began. So all that matters of a change is whether it was made
/// in E, in E-1, or before, and three values tell these apart, however many changes there were.
library EpochHistory {
    /// @notice The number as it is now.
    function current(Recent recent) internal pure returns (uint256) {
        return uint32(Recent.unwrap(recent) >> 80);
    }

    /// @notice The number in the set of `epoch`: without the changes made in `epoch - 1` or later.
    /// @dev Right if `epoch` is the present or the next.
    function forSetOf(Recent recent, uint256 epoch) internal pure returns (uint256) {
        uint256 word = Recent.unwrap(recent);
        if (uint40(word) < epoch) return uint32(word >> 80);
        if (uint40(word >> 40) < epoch) return uint32(word >> 112);
        return word >> 144;
    }

    /// @notice The number becomes `value` in `epoch`, the present.
    /// @dev What is dropped was replaced twice, in two epochs before this one: no set that can be asked for has it.
    function set(Recent recent, uint256 value, uint256 epoch) internal pure returns (Recent) {
        uint256 word = Recent.unwrap(recent);
        uint256 since = epoch + 1;
        uint256 older = uint32(word >> 112);
        uint256 oldest = word >> 144;
        uint256 olderSince = uint40(word >> 40);
        // Changes within one epoch are one change.
        if (uint40(word) != since) {
            oldest = older;
            older = uint32(word >> 80);
            olderSince = uint40(word);
        }
        return Recent.wrap(
            uint176(
                (oldest << 144) | (older << 112) | (uint256(Fit.toUint32(value)) << 80) | (olderSince << 40)
                    | Fit.toUint40(since)
            )
        );
    }
}
