// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @title The arithmetic that decides whether a proposal is accepted
/// @notice Fractions are of 1e18 and at most 1e18; powers fit 96 bits, so no product overflows. Every division rounds
/// up, so that a fraction of a unit never counts for a proposal.
library Tabulation {
    uint256 private constant ONE = 1e18;

    /// @notice Returns whether enough power exists and enough of it was cast.
    /// @param total All power at the last second of Pending.
    /// @param minimumVotes The least total power with which a proposal can be accepted.
    /// @param quorum The fraction of `total` that has to be cast.
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

    /// @notice Returns whether the ballots for a proposal exceed the share of all ballots that the differential asks for.
    /// @param yea The power cast for the proposal.
    /// @param nea The power cast against it.
    /// @param voteDifferential The lead asked for, as a fraction of all ballots.
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
