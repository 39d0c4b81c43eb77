// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice The leader of a round and what became of it, from the highest bit:
/// `idPlusOne` (32 bits) | `slotPlusOne` (40) | `count` (24) | `leader` (160).
type RoundTally is uint256;

using RoundTallyLibrary for RoundTally global;

/// @title The tally of a round in one word
/// @notice A signal for the leader touches nothing else. Callers make sure that a value fits its bits.
library RoundTallyLibrary {
    uint256 private constant COUNT = 160;
    uint256 private constant SLOT_PLUS_ONE = 184;
    uint256 private constant ID_PLUS_ONE = 224;

    /// @notice Returns the payload with the most signals; 0 if there is none.
    function leader(RoundTally tally) internal pure returns (address) {
        return address(uint160(RoundTally.unwrap(tally)));
    }

    /// @notice Returns the number of the leader's signals.
    function count(RoundTally tally) internal pure returns (uint256) {
        return uint24(RoundTally.unwrap(tally) >> COUNT);
    }

    /// @notice Returns the newest slot used, plus one; 0 if none was.
    function slotPlusOne(RoundTally tally) internal pure returns (uint256) {
        return uint40(RoundTally.unwrap(tally) >> SLOT_PLUS_ONE);
    }

    /// @notice Returns the id of the proposal that the round became, plus one; 0 if it wasn't pushed.
    function idPlusOne(RoundTally tally) internal pure returns (uint256) {
        return RoundTally.unwrap(tally) >> ID_PLUS_ONE;
    }

    /// @notice Returns the tally with these fields.
    function pack(address leader_, uint256 count_, uint256 slotPlusOne_, uint256 idPlusOne_)
        internal
        pure
        returns (RoundTally)
    {
        return RoundTally.wrap(
            uint160(leader_) | (count_ << COUNT) | (slotPlusOne_ << SLOT_PLUS_ONE) | (idPlusOne_ << ID_PLUS_ONE)
        );
    }

    /// @notice Returns the tally of the same round, pushed as the proposal `idPlusOne_ - 1`.
    function withProposal(RoundTally tally, uint256 idPlusOne_) internal pure returns (RoundTally) {
        return RoundTally.wrap(RoundTally.unwrap(tally) | (idPlusOne_ << ID_PLUS_ONE));
    }
}
