// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice A payload behind a proxy: its code, and so its code hash, stays whatever it answers.
contract ProxyPayload {
    address public implementation;

    constructor(address implementation_) {
        implementation = implementation_;
    }

    function upgradeTo(address implementation_) external {
        implementation = implementation_;
    }

    /// @dev Asks the implementation by a call of its own, so that implementations may keep their answer in storage.
    fallback(bytes calldata data) external returns (bytes memory) {
        (bool success, bytes memory answer) = implementation.staticcall(data);
        require(success, "implementation failed");
        return answer;
    }
}
