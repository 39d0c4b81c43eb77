// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Handler} from "./Handler.sol";
import {Properties} from "./Properties.sol";
import {Rule} from "./Rules.sol";

/// @notice Some thousands of steps from one seed, which really reach every state and every action's success, and check
/// every rule.
contract SeededRunTest is Properties {
    bytes4[] private _steps;

    function setUp() public override {
        super.setUp();
        _steps = handler.actions();
    }

    event Reached(string what, uint256 times);

    function test_seededRun_reachesEveryActionStateAndRule() public {
        uint256 random = uint256(keccak256("canon"));
        for (uint256 i; i < 3000; ++i) {
            // A test has 2^30 gas, this one needs more.
            vm.resetGasMetering();
            random = uint256(keccak256(abi.encode(random)));
            (bool success, bytes memory answer) =
                address(handler).call(abi.encodeWithSelector(_steps[random % _steps.length], random));
            vm.assertTrue(success, string(answer));
            if (i % 20 == 0) handler.compare();
            _everyRuleHolds();
            if (i % 100 == 0) _holdersOfTheLockAmountCanAct();
        }
        handler.compare();
        _everyRuleHolds();
        _assertReached();
    }

    /// @dev Fails with how often everything was reached if anything wasn't.
    function _assertReached() private {
        string[] memory wanted = handler.wanted();
        string memory summary;
        bool missing;
        for (uint256 i; i < wanted.length; ++i) {
            uint256 times = handler.successes(wanted[i]);
            emit Reached(wanted[i], times);
            summary = string.concat(summary, wanted[i], " ", vm.toString(times), ", ");
            if (times == 0) missing = true;
        }
        for (uint256 i; i <= uint256(type(Rule).max); ++i) {
            uint256 times = handler.checks(Rule(i));
            emit Reached(Rule(i).name(), times);
            summary = string.concat(summary, Rule(i).name(), " ", vm.toString(times), ", ");
            if (times == 0) missing = true;
        }
        vm.assertFalse(missing, summary);
    }
}
