// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Fit} from "./Fit.sol";

/// @notice How holders leave: `until` (32 bits) | `delay` (32) | `withdrawals` (32).
type Exits is uint96;

using ExitFloor for Exits global;

/// @title How soon a holder may hold the asset again
/// @notice A ballot is bound to the configuration frozen for its proposal. When the configuration changes, leaving
/// therefore stays as slow as the old one demands until every proposal created under it is out of its delays. Times
/// are seconds since an origin that the caller chooses, in 32 bits.
library ExitFloor {
    uint256 private constant DELAY = 32;
    uint256 private constant UNTIL = 64;

    /// @notice How many withdrawals there are.
    function withdrawals(Exits exits) internal pure returns (uint256) {
        return uint32(Exits.unwrap(exits));
    }

    /// @notice The least withdrawal delay for withdrawals started up to `until`, in seconds.
    function delay(Exits exits) internal pure returns (uint256) {
        return uint32(Exits.unwrap(exits) >> DELAY);
    }

    /// @notice The last second in which a withdrawal is bound to `delay`.
    function until(Exits exits) internal pure returns (uint256) {
        return Exits.unwrap(exits) >> UNTIL;
    }

    /// @notice The delay of a withdrawal started at `time` when the present configuration asks for `current`.
    function delayAt(Exits exits, uint256 time, uint256 current) internal pure returns (uint256) {
        uint256 least = time <= exits.until() ? exits.delay() : 0;
        return current > least ? current : least;
    }

    /// @notice With one withdrawal more.
    function withWithdrawal(Exits exits) internal pure returns (Exits) {
        return _pack(exits.withdrawals() + 1, exits.delay(), exits.until());
    }

    /// @notice After a configuration that asks for `oldDelay` was replaced at `time`, when a proposal created under it
    /// may be in its delays until `oldUntil`.
    function withReplaced(Exits exits, uint256 time, uint256 oldDelay, uint256 oldUntil)
        internal
        pure
        returns (Exits)
    {
        uint256 newUntil = exits.until() > oldUntil ? exits.until() : oldUntil;
        return _pack(exits.withdrawals(), exits.delayAt(time, oldDelay), newUntil);
    }

    function _pack(uint256 withdrawals_, uint256 delay_, uint256 until_) private pure returns (Exits) {
        return Exits.wrap(
            uint96(Fit.toUint32(withdrawals_)) | (uint96(Fit.toUint32(delay_)) << uint96(DELAY))
                | (uint96(Fit.toUint32(until_)) << uint96(UNTIL))
        );
    }
}
