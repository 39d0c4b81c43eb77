// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ProposalState} from "../interfaces/IGovernance.sol";

/// @notice What every ballot on a proposal has to check, and the sums of all ballots, from the highest bit:
/// `byLock` (8 bits) | `stored` (8) | `configurationId` (16) | `creation` (32) | `nea` (96) | `yea` (96).
type ProposalTally is uint256;

using ProposalTallyLibrary for ProposalTally global;

/// @title The tally of a proposal in one word
/// @notice The word is never zero once the proposal exists, except in the second of Governance's construction, so no
/// ballot pays for a new slot. Callers make sure that a value fits its bits.
library ProposalTallyLibrary {
    uint256 private constant NEA = 96;
    uint256 private constant CREATION = 192;
    uint256 private constant CONFIGURATION_ID = 224;
    uint256 private constant STORED = 240;
    uint256 private constant BY_LOCK = 248;

    /// @notice Returns the tally of a new proposal.
    function create(uint256 time, uint256 configurationId_, bool byLock_) internal pure returns (ProposalTally) {
        uint256 flag = byLock_ ? 1 : 0;
        return ProposalTally.wrap((time << CREATION) | (configurationId_ << CONFIGURATION_ID) | (flag << BY_LOCK));
    }

    /// @notice Returns the power cast for the proposal.
    function yea(ProposalTally tally) internal pure returns (uint256) {
        return uint96(ProposalTally.unwrap(tally));
    }

    /// @notice Returns the power cast against the proposal.
    function nea(ProposalTally tally) internal pure returns (uint256) {
        return uint96(ProposalTally.unwrap(tally) >> NEA);
    }

    /// @notice Returns when the proposal was created, in seconds since Governance's construction.
    function creation(ProposalTally tally) internal pure returns (uint256) {
        return uint32(ProposalTally.unwrap(tally) >> CREATION);
    }

    /// @notice Returns the number of the configuration frozen for the proposal.
    function configurationId(ProposalTally tally) internal pure returns (uint256) {
        return uint16(ProposalTally.unwrap(tally) >> CONFIGURATION_ID);
    }

    /// @notice Returns the stored state: Pending, Executed or Dropped.
    function stored(ProposalTally tally) internal pure returns (ProposalState) {
        return ProposalState(uint8(ProposalTally.unwrap(tally) >> STORED));
    }

    /// @notice Returns whether the proposal came through the lock.
    function byLock(ProposalTally tally) internal pure returns (bool) {
        return ProposalTally.unwrap(tally) >> BY_LOCK != 0;
    }

    /// @notice Returns the tally with one more ballot. The sum of all is at most all power, so no field overflows.
    function withBallot(ProposalTally tally, bool support, uint256 amount) internal pure returns (ProposalTally) {
        unchecked {
            return ProposalTally.wrap(ProposalTally.unwrap(tally) + (support ? amount : amount << NEA));
        }
    }

    /// @notice Returns the tally of a proposal, Pending as stored, that is final as `state`.
    function withFinal(ProposalTally tally, ProposalState state) internal pure returns (ProposalTally) {
        return ProposalTally.wrap(ProposalTally.unwrap(tally) | (uint256(state) << STORED));
    }
}
