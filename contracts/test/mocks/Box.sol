// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice Something to be governed: takes a value, unless it was set to refuse.
contract Box {
    error Refused(uint256 value);

    uint256 public value;
    uint256 public calls;
    address public lastCaller;
    bool public refuses;

    function set(uint256 newValue) external {
        if (refuses) revert Refused(newValue);
        value = newValue;
        ++calls;
        lastCaller = msg.sender;
    }

    function setRefuses(bool newRefuses) external {
        refuses = newRefuses;
    }
}
