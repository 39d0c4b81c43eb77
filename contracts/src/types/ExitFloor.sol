// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "../libraries/SafeCast.sol";

/// @notice The least withdrawal delay and the number of withdrawals, from the highest bit:
/// `until` (32 bits) | `delay` (32) | `withdrawals` (32).
type ExitFloor is uint96;

using ExitFloorLibrary for ExitFloor global;

/// @title The least withdrawal delay while proposals of replaced configurations run
/// @notice A ballot is bound to the configuration frozen for its proposal. When the configuration changes, leaving
/// therefore stays as slow as the old one demands until every proposal created under it is out of its delays. Times
/// are seconds since an origin that the caller chooses, in 32 bits.
library ExitFloorLibrary {
    uint256 private constant DELAY = 32;
    uint256 private constant UNTIL = 64;

    /// @notice Returns the number of withdrawals so far.
    function withdrawals(ExitFloor floor) internal pure returns (uint256) {
        return uint32(ExitFloor.unwrap(floor));
    }

    /// @notice Returns the least withdrawal delay for withdrawals started up to `until`, in seconds.
    function delay(ExitFloor floor) internal pure returns (uint256) {
        return uint32(ExitFloor.unwrap(floor) >> DELAY);
    }

    /// @notice Returns the last second in which a withdrawal is bound to `delay`.
    function until(ExitFloor floor) internal pure returns (uint256) {
        return ExitFloor.unwrap(floor) >> UNTIL;
    }

    /// @notice Returns the delay of a withdrawal started at `time` when the current configuration asks for `current`.
    function delayAt(ExitFloor floor, uint256 time, uint256 current) internal pure returns (uint256) {
        return Math.max(current, time <= floor.until() ? floor.delay() : 0);
    }

    /// @notice Returns the floor with one more withdrawal.
    function withWithdrawal(ExitFloor floor) internal pure returns (ExitFloor) {
        return _pack(floor.withdrawals() + 1, floor.delay(), floor.until());
    }

    /// @notice Returns the floor after a configuration that asks for `oldDelay` was replaced at `time`, when a proposal
    /// created under it may be in its delays until `oldUntil`.
    function withReplaced(ExitFloor floor, uint256 time, uint256 oldDelay, uint256 oldUntil)
        internal
        pure
        returns (ExitFloor)
    {
        return _pack(floor.withdrawals(), floor.delayAt(time, oldDelay), Math.max(floor.until(), oldUntil));
    }

    function _pack(uint256 withdrawals_, uint256 delay_, uint256 until_) private pure returns (ExitFloor) {
        return ExitFloor.wrap(
            uint96(SafeCast.toUint32(withdrawals_)) | (uint96(SafeCast.toUint32(delay_)) << uint96(DELAY))
                | (uint96(SafeCast.toUint32(until_)) << uint96(UNTIL))
        );
    }
}
