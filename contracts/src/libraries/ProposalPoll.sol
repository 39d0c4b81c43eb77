// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ProposalState} from "../interfaces/IGovernance.sol";

/// @notice What every ballot on a proposal has to check, with the sums of them:
/// `byLock` (8 bits) | `stored` (8) | `configurationId` (16) | `creation` (32) | `nea` (96) | `yea` (96).
type Poll is uint256;

using ProposalPoll for Poll global;

/// @title The poll on a proposal in one word, which is never zero, so that no ballot pays for a new slot
/// @notice Callers see to it that a value fits its bits.
library ProposalPoll {
    uint256 private constant NEA = 96;
    uint256 private constant CREATION = 192;
    uint256 private constant CONFIGURATION_ID = 224;
    uint256 private constant STORED = 240;
    uint256 private constant BY_LOCK = 248;

    /// @notice The poll on a new proposal.
    function create(uint256 time, uint256 configurationId_, bool byLock_) internal pure returns (Poll) {
        uint256 flag = byLock_ ? 1 : 0;
        return Poll.wrap((time << CREATION) | (configurationId_ << CONFIGURATION_ID) | (flag << BY_LOCK));
    }

    /// @notice Power for.
    function yea(Poll poll) internal pure returns (uint256) {
        return uint96(Poll.unwrap(poll));
    }

    /// @notice Power against.
    function nea(Poll poll) internal pure returns (uint256) {
        return uint96(Poll.unwrap(poll) >> NEA);
    }

    /// @notice When the proposal was created, in seconds since Governance's construction.
    function creation(Poll poll) internal pure returns (uint256) {
        return uint32(Poll.unwrap(poll) >> CREATION);
    }

    /// @notice The configuration frozen for the proposal.
    function configurationId(Poll poll) internal pure returns (uint256) {
        return uint16(Poll.unwrap(poll) >> CONFIGURATION_ID);
    }

    /// @notice Pending, Executed or Dropped.
    function stored(Poll poll) internal pure returns (ProposalState) {
        return ProposalState(uint8(Poll.unwrap(poll) >> STORED));
    }

    /// @notice Whether the proposal came through the lock.
    function byLock(Poll poll) internal pure returns (bool) {
        return Poll.unwrap(poll) >> BY_LOCK != 0;
    }

    /// @notice The poll with a ballot of `amount`. The sum of all is at most all power, so no field overflows.
    function cast(Poll poll, bool support, uint256 amount) internal pure returns (Poll) {
        unchecked {
            return Poll.wrap(Poll.unwrap(poll) + (support ? amount : amount << NEA));
        }
    }

    /// @notice The poll of a proposal, Pending as stored, that has come to its end.
    function end(Poll poll, ProposalState state) internal pure returns (Poll) {
        return Poll.wrap(Poll.unwrap(poll) | (uint256(state) << STORED));
    }
}
