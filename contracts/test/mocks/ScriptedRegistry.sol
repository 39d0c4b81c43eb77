// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice A registry that can go back to an earlier rollup or owner, which the real one cannot at will.
contract ScriptedRegistry {
    address public getRollup;
    address public getGovernance;

    function set(address rollup, address governance) external {
        getRollup = rollup;
        getGovernance = governance;
    }
}
