// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice Deploys at addresses that are known in advance.
contract Create2Factory {
    error Failed();

    function create(bytes32 salt, bytes memory initCode) external returns (address child) {
        assembly ("memory-safe") {
            child := create2(0, add(initCode, 32), mload(initCode), salt)
        }
        if (child == address(0)) revert Failed();
    }

    function addressOf(bytes32 salt, bytes memory initCode) external view returns (address) {
        return address(
            uint160(uint256(keccak256(abi.encodePacked(bytes1(0xff), address(this), salt, keccak256(initCode)))))
        );
    }
}
