// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Properties} from "./Properties.sol";

/// @notice Every rule in many sequences of steps. It is one campaign, since forge runs one per function, and a failure
/// names the rule.
contract ProtocolInvariants is Properties {
    struct Selectors {
        address target;
        bytes4[] selectors;
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() public view returns (Selectors[] memory targets) {
        targets = new Selectors[](1);
        targets[0] = Selectors(address(handler), handler.actions());
    }

    /// @dev The handler checks each of its steps; the contracts are compared with the model after every fourth.
    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.shrink-run-limit = 200
    function invariant_everyRuleHolds() public {
        if (handler.steps() % 4 == 0) handler.compare();
        _everyRuleHolds();
    }

    /// @dev Once per sequence, since it acts out a whole proposal.
    function afterInvariant() public {
        handler.compare();
        _everyRuleHolds();
        _holdersOfTheLockAmountCanAct();
    }
}
