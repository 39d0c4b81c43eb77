// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {CHEATCODES as vm} from "../Vm.sol";

/// @notice EIP-7702: an account without code of its own that runs somebody else's.
library Delegation {
    /// @notice The code of an account that delegated to `to`.
    function code(address to) internal pure returns (bytes memory) {
        return abi.encodePacked(hex"ef0100", to);
    }

    /// @notice `account` has delegated to `to` from now on.
    function set(address account, address to) internal {
        vm.etch(account, code(to));
    }
}
