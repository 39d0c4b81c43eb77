// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Test} from "../Test.sol";
import {Handler} from "./Handler.sol";

/// @notice The properties that always hold: every `Rule`, and that holders of the lock amount can act.
abstract contract Properties is Test {
    Handler internal handler;

    function setUp() public virtual {
        vm.warp(1_750_000_000);
        handler = new Handler();
    }

    /// @dev The handler records the breaches that it sees in its own steps, too.
    function _everyRuleHolds() internal view {
        string memory breaches = handler.breaches();
        vm.assertTrue(bytes(breaches).length == 0, breaches);
    }

    /// @dev Whatever rollup, Proposals, configuration and proposals there are: a holder of `lockAmount` can propose, and
    /// a proposal that everybody accepts is executed. No `Rule`, since it acts out a whole proposal, which is undone.
    function _holdersOfTheLockAmountCanAct() internal {
        uint256 snapshot = vm.snapshotState();
        string memory obstacle = handler.lockPathActs();
        vm.revertToState(snapshot);
        vm.assertTrue(bytes(obstacle).length == 0, obstacle);
    }
}
