// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {Code} from "canon/libraries/Code.sol";
import {Test} from "../../Test.sol";
import {Box} from "../../mocks/Box.sol";
import {Delegation} from "../../mocks/Delegation.sol";

contract CodeHarness {
    function exists(address account) external view returns (bool) {
        return Code.exists(account);
    }

    function requireAt(address account) external view {
        Code.requireAt(account);
    }
}

contract CodeTest is Test {
    address internal constant ACCOUNT = address(0xACC0);

    CodeHarness internal code;

    function setUp() public {
        code = new CodeHarness();
    }

    function testFuzz_exists_anAccountWithoutCodeHasNone(address who) public {
        vm.assume(who.code.length == 0);
        vm.assertFalse(code.exists(who));
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoCode.selector, who));
        code.requireAt(who);
    }

    function testFuzz_exists_anyCodeThatIsNoDelegationCounts(bytes memory bytecode) public {
        vm.assume(bytecode.length != 0 && bytecode[0] != 0xef);
        vm.etch(ACCOUNT, bytecode);
        vm.assertTrue(code.exists(ACCOUNT));
        code.requireAt(ACCOUNT);
    }

    function testFuzz_exists_aDelegationDoesNotCount(address to) public {
        Delegation.set(ACCOUNT, to);
        vm.assertEq(ACCOUNT.code.length, 23);
        vm.assertFalse(code.exists(ACCOUNT));
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoCode.selector, ACCOUNT));
        code.requireAt(ACCOUNT);
    }

    function test_exists_aDelegationToAContractDoesNotCountEither() public {
        Delegation.set(ACCOUNT, address(new Box()));
        vm.assertEq(Box(ACCOUNT).calls(), 0, "the delegation works");
        vm.assertFalse(code.exists(ACCOUNT));
    }

    /// @dev As long as a delegation, but not one.
    function testFuzz_exists_codeAsLongAsADelegationCounts(bytes23 bytecode) public {
        vm.assume(bytecode[0] != 0xef);
        vm.etch(ACCOUNT, abi.encodePacked(bytecode));
        vm.assertEq(ACCOUNT.code.length, 23);
        vm.assertTrue(code.exists(ACCOUNT));
    }

    function test_exists_precompilesHaveNone() public view {
        for (uint160 i = 1; i <= 0x11; ++i) {
            vm.assertFalse(code.exists(address(i)));
        }
    }
}
