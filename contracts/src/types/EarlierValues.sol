// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice The two values that a number had before its current one, from the highest bit:
/// `oldest` (32 bits) | `older` (32) | `olderEpochPlusOne` (40).
type EarlierValues is uint104;

using EarlierValuesLibrary for EarlierValues global;

/// @title Values that a number had when recent epochs began
/// @notice The set of epoch e is the set as it stood when epoch e-1 began. In epoch E anyone may ask for the sets of E
/// and E+1: for values as they stood when E-1 and when E began. So all that matters of a change is whether it was made
/// in E, in E-1, or before, and three values tell these apart, however many changes there were: the current one, which
/// its owner keeps with the epoch of its last change plus one, and the two kept here. Changes within one epoch are one
/// change.
///
/// "Epoch plus one" is 0 for a value that was never set. It is also the newest epoch whose set doesn't have the value
/// yet: the set of `epoch` has it if `epochPlusOne < epoch`.
library EarlierValuesLibrary {
    /// @notice Returns the number in the set of `epoch`, the current or the next, which doesn't have the current value.
    function forSetOf(EarlierValues earlier, uint256 epoch) internal pure returns (uint256) {
        uint256 word = EarlierValues.unwrap(earlier);
        return uint40(word) < epoch ? uint32(word >> 40) : word >> 72;
    }

    /// @notice Returns the earlier values after `value`, set in the epoch `epochPlusOne - 1`, was replaced in a later one.
    /// @dev What is dropped was replaced twice, in two epochs before the current: no set that can be asked for has it.
    function withReplaced(EarlierValues earlier, uint32 value, uint40 epochPlusOne)
        internal
        pure
        returns (EarlierValues)
    {
        uint104 older = uint32(EarlierValues.unwrap(earlier) >> 40);
        return EarlierValues.wrap((older << 72) | (uint104(value) << 40) | epochPlusOne);
    }
}
