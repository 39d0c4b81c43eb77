// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice Creates contracts and passes on why a constructor refused, so that a test can expect it.
contract Deployer {
    function deploy(bytes memory code, bytes memory arguments) external returns (address created) {
        bytes memory creation = bytes.concat(code, arguments);
        assembly ("memory-safe") {
            created := create(0, add(creation, 32), mload(creation))
            if iszero(created) {
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
        }
    }
}
