// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "../libraries/SafeCast.sol";

/// @notice A holder's ballots on a proposal, and the nonce of its next signed one, from the highest bit:
/// `nextNonce` (64 bits) | `nea` (96) | `yea` (96).
type BallotRecord is uint256;

using BallotRecordLibrary for BallotRecord global;

/// @title A holder's ballots on one proposal, and their nonce, in one word
library BallotRecordLibrary {
    uint256 private constant NEA = 96;
    uint256 private constant NEXT_NONCE = 192;

    /// @notice Returns the power cast for the proposal.
    function yea(BallotRecord record) internal pure returns (uint256) {
        return uint96(BallotRecord.unwrap(record));
    }

    /// @notice Returns the power cast against the proposal.
    function nea(BallotRecord record) internal pure returns (uint256) {
        return uint96(BallotRecord.unwrap(record) >> NEA);
    }

    /// @notice Returns the nonce of the holder's next signed ballot on the proposal.
    function nextNonce(BallotRecord record) internal pure returns (uint256) {
        return BallotRecord.unwrap(record) >> NEXT_NONCE;
    }

    /// @notice Returns the record with one more ballot. The sum of both sides is at most the holder's power, so no field
    /// overflows.
    function withBallot(BallotRecord record, bool support, uint256 amount) internal pure returns (BallotRecord) {
        unchecked {
            return BallotRecord.wrap(BallotRecord.unwrap(record) + (support ? amount : amount << NEA));
        }
    }

    /// @notice Returns the record with the next nonce raised by `nonces`.
    function withNonceRaisedBy(BallotRecord record, uint256 nonces) internal pure returns (BallotRecord) {
        SafeCast.requireAtMost(record.nextNonce() + nonces, type(uint64).max);
        return BallotRecord.wrap(BallotRecord.unwrap(record) + (nonces << NEXT_NONCE));
    }
}
