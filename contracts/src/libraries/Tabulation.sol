// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @title When the holders have accepted a proposal
/// @notice Fractions are of 1e18 and at most 1e18; powers fit 96 bits, so no product overflows. Every division rounds
/// up, so that a fraction of a unit never counts for a proposal.
library Tabulation {
    uint256 private constant ONE = 1e18;

    /// @notice Whether enough power exists and enough of it was cast.
    /// @param total All power at the last second of Pending.
    /// @param cast The sum of all ballots.
    function isQuorate(uint256 total, uint256 minimumVotes, uint256 quorum, uint256 cast)
        internal
        pure
        returns (bool)
    {
        unchecked {
            return total >= minimumVotes && cast >= _ceilDiv(total * quorum, ONE);
        }
    }

    /// @notice Whether yea is ahead of nea by more than the differential asks.
    function isAhead(uint256 yea, uint256 nea, uint256 voteDifferential) internal pure returns (bool) {
        unchecked {
            uint256 share = _ceilDiv(ONE + voteDifferential, 2);
            return yea > _ceilDiv((yea + nea) * share, ONE);
        }
    }

    /// @dev `a` is far below 2^256 here.
    function _ceilDiv(uint256 a, uint256 b) private pure returns (uint256) {
        unchecked {
            return (a + b - 1) / b;
        }
    }
}
