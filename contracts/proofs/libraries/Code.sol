// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {Code} from "canon/libraries/Code.sol";
import {Proof} from "../Proof.sol";

/// @title Whether an account has code of its own
contract CodeProof is Proof {
    address private constant ACCOUNT = address(0xc0de);

    /// @notice 23 bytes are code unless they begin as an EIP-7702 delegation does, whatever they are.
    function check_aDelegationIsNotCode(bytes23 code) external {
        vm.etch(ACCOUNT, abi.encodePacked(code));
        assert(Code.exists(ACCOUNT) == (bytes3(code) != 0xef0100));
    }

    /// @notice Code of 1 to 32 bytes but 23 is code, whatever it is, even if it begins as a delegation does.
    function check_otherLengthsAreCode(bytes32 code) external {
        for (uint256 length = 1; length <= 32; ++length) {
            if (length == 23) continue;
            bytes memory some = new bytes(length);
            for (uint256 i; i < length; ++i) some[i] = code[i];
            vm.etch(ACCOUNT, some);
            assert(Code.exists(ACCOUNT));
        }
    }

    /// @notice No code is none, and `requireAt` refuses exactly what doesn't exist.
    function check_requireAtRefusesWhatIsNotCode(bytes23 code, bool etched) external {
        if (etched) vm.etch(ACCOUNT, abi.encodePacked(code));
        else assert(!Code.exists(ACCOUNT));
        try this.requireAt(ACCOUNT) {
            assert(Code.exists(ACCOUNT));
        } catch (bytes memory reason) {
            assert(!Code.exists(ACCOUNT));
            assert(same(reason, abi.encodeWithSelector(ICommon.NoCode.selector, ACCOUNT)));
        }
    }

    /// @notice Wrong: 23 bytes are always code.
    function refute_23BytesAreCode(bytes23 code) external {
        vm.etch(ACCOUNT, abi.encodePacked(code));
        assert(Code.exists(ACCOUNT));
    }

    function requireAt(address account) external view {
        Code.requireAt(account);
    }
}
