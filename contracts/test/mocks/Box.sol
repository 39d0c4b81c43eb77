// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice Something to be governed: takes a value, unless it is told to refuse.
contract Box {
    error Stubborn(uint256 value);

    uint256 public value;
    uint256 public calls;
    address public lastCaller;
    bool public stubborn;

    function set(uint256 newValue) external {
        if (stubborn) revert Stubborn(newValue);
        value = newValue;
        ++calls;
        lastCaller = msg.sender;
    }

    function setStubborn(bool newStubborn) external {
        stubborn = newStubborn;
    }
}
