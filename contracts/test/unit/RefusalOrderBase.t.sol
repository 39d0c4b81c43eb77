// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ICommon} from "canon/interfaces/ICommon.sol";
import {SetLib} from "../Set.sol";
import {Test} from "../Test.sol";
import {Deployer} from "../mocks/Deployer.sol";

/// @notice Of several reasons to refuse a call the caller reads the first in a fixed order. The tests that inherit this
/// begin with a call that has every fault, and mend one after the other until the call is accepted. So each refusal is
/// seen while all later ones that can hold beside it hold, too.
abstract contract RefusalOrderBase is Test {
    address internal constant STRANGER = address(0xBAD);
    address internal constant CODELESS = address(0xDEFEC7);

    /// @dev The call is refused with exactly `refusal`.
    function _refused(address caller, address target, bytes memory call_, bytes memory refusal) internal {
        vm.prank(caller);
        (bool success, bytes memory reason) = target.call(call_);
        vm.assertFalse(success, "the call was accepted");
        vm.assertEq(reason, refusal, "another refusal");
    }

    function _accepted(address caller, address target, bytes memory call_) internal {
        vm.prank(caller);
        (bool success, bytes memory reason) = target.call(call_);
        if (!success) vm.assertEq(reason, "", "the call was refused");
        vm.assertTrue(success, "the call was refused");
    }

    /// @dev The constructor of artifact `name` refuses `arguments` with exactly `refusal`.
    function _refusedConstruction(string memory name, bytes memory arguments, bytes memory refusal) internal {
        bytes memory code = vm.getCode(SetLib.artifact(name));
        _refused(address(this), address(new Deployer()), abi.encodeCall(Deployer.deploy, (code, arguments)), refusal);
    }

    function _acceptedConstruction(string memory name, bytes memory arguments) internal {
        bytes memory code = vm.getCode(SetLib.artifact(name));
        _accepted(address(this), address(new Deployer()), abi.encodeCall(Deployer.deploy, (code, arguments)));
    }

    function _noCode(address account_) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(ICommon.NoCode.selector, account_);
    }

    function _noAnswer(address target, bytes4 selector) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(ICommon.NoAnswer.selector, target, selector);
    }

    function _tooLarge(uint256 value, uint256 max) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(ICommon.ValueTooLarge.selector, value, max);
    }

    function _zeroAddress() internal pure returns (bytes memory) {
        return abi.encodeWithSelector(ICommon.ZeroAddress.selector);
    }

    function _notOwner(address caller) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, caller);
    }

    function _noOwner() internal pure returns (bytes memory) {
        return abi.encodeWithSelector(Ownable.OwnableInvalidOwner.selector, address(0));
    }
}
