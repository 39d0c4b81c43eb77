// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice What is known of a round: `nextId` (32 bits) | `nextSlot` (40) | `count` (24) | `leader` (160).
type Tally is uint256;

using RoundTally for Tally global;

/// @title A round in one word, so that a signal for the leader touches nothing else
/// @notice Callers see to it that a value fits its bits.
library RoundTally {
    uint256 private constant COUNT = 160;
    uint256 private constant NEXT_SLOT = 184;
    uint256 private constant NEXT_ID = 224;

    /// @notice The payload with the most signals; 0 if there is none.
    function leader(Tally tally) internal pure returns (address) {
        return address(uint160(Tally.unwrap(tally)));
    }

    /// @notice The leader's signals.
    function count(Tally tally) internal pure returns (uint256) {
        return uint24(Tally.unwrap(tally) >> COUNT);
    }

    /// @notice The newest slot used plus one, so that 0 means none and slot 0 is as good as any.
    function nextSlot(Tally tally) internal pure returns (uint256) {
        return uint40(Tally.unwrap(tally) >> NEXT_SLOT);
    }

    /// @notice The proposal that the round became plus one; 0 if it wasn't pushed.
    function nextId(Tally tally) internal pure returns (uint256) {
        return Tally.unwrap(tally) >> NEXT_ID;
    }

    /// @notice The word of a round.
    function pack(address leader_, uint256 count_, uint256 nextSlot_, uint256 nextId_) internal pure returns (Tally) {
        return Tally.wrap(
            uint160(leader_) | (count_ << COUNT) | (nextSlot_ << NEXT_SLOT) | (nextId_ << NEXT_ID)
        );
    }

    /// @notice The same round, pushed as the proposal `nextId_ - 1`.
    function pushed(Tally tally, uint256 nextId_) internal pure returns (Tally) {
        return Tally.wrap(Tally.unwrap(tally) | (nextId_ << NEXT_ID));
    }
}
