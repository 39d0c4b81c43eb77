// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {CHEATCODES as vm} from "../Vm.sol";

/// @notice Payloads whose code is their answer to every call, so that even a long one costs them next to nothing.
library ConstantPayload {
    /// @notice The code that answers with `answer`, which may be longer than code that can be deployed.
    function code(bytes memory answer) internal pure returns (bytes memory) {
        bytes3 length = bytes3(uint24(answer.length));
        // PUSH3 length, PUSH1 14 (where the answer begins), PUSH0, CODECOPY, PUSH3 length, PUSH0, RETURN
        return bytes.concat(hex"62", length, hex"600e5f39", hex"62", length, hex"5ff3", answer);
    }

    /// @notice The code that answers with `length` zeros.
    function zeros(uint256 length) internal pure returns (bytes memory) {
        return bytes.concat(hex"62", bytes3(uint24(length)), hex"5ff3");
    }

    /// @notice The code that reverts with `length` zeros.
    function failure(uint256 length) internal pure returns (bytes memory) {
        return bytes.concat(hex"62", bytes3(uint24(length)), hex"5ffd");
    }

    /// @notice A payload with this code.
    function create(bytes memory code_) internal returns (address payload) {
        payload = address(uint160(uint256(keccak256(code_))));
        vm.etch(payload, code_);
    }
}
