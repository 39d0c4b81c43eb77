// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {SafeCast} from "canon/libraries/SafeCast.sol";
import {Test} from "../../Test.sol";

contract SafeCastHarness {
    function requireAtMost(uint256 value, uint256 max) external pure {
        SafeCast.requireAtMost(value, max);
    }

    function toUint96(uint256 value) external pure returns (uint96) {
        return SafeCast.toUint96(value);
    }

    function toUint40(uint256 value) external pure returns (uint40) {
        return SafeCast.toUint40(value);
    }

    function toUint32(uint256 value) external pure returns (uint32) {
        return SafeCast.toUint32(value);
    }
}

contract SafeCastTest is Test {
    SafeCastHarness internal casts;

    function setUp() public {
        casts = new SafeCastHarness();
    }

    function testFuzz_requireAtMost_acceptsUpToTheMaximum(uint256 value, uint256 max) public view {
        value = bound(value, 0, max);
        casts.requireAtMost(value, max);
        casts.requireAtMost(max, max);
    }

    function testFuzz_requireAtMost_refusesMore(uint256 value, uint256 max) public {
        max = bound(max, 0, type(uint256).max - 1);
        value = bound(value, max + 1, type(uint256).max);
        _expectTooLarge(value, max);
        casts.requireAtMost(value, max);
    }

    function testFuzz_toUint96_takesAnAmount(uint96 amount) public view {
        vm.assertEq(casts.toUint96(amount), amount);
    }

    function testFuzz_toUint96_refusesMore(uint256 value) public {
        value = bound(value, uint256(type(uint96).max) + 1, type(uint256).max);
        _expectTooLarge(value, type(uint96).max);
        casts.toUint96(value);
    }

    function test_casts_atTheBounds() public {
        vm.assertEq(casts.toUint96(type(uint96).max), type(uint96).max);
        vm.assertEq(casts.toUint40(type(uint40).max), type(uint40).max);
        vm.assertEq(casts.toUint32(type(uint32).max), type(uint32).max);
        _expectTooLarge(2 ** 96, type(uint96).max);
        casts.toUint96(2 ** 96);
        _expectTooLarge(2 ** 40, type(uint40).max);
        casts.toUint40(2 ** 40);
        _expectTooLarge(2 ** 32, type(uint32).max);
        casts.toUint32(2 ** 32);
    }

    function testFuzz_toUint40_takesATime(uint40 time) public view {
        vm.assertEq(casts.toUint40(time), time);
    }

    function testFuzz_toUint40_refusesMore(uint256 value) public {
        value = bound(value, uint256(type(uint40).max) + 1, type(uint256).max);
        _expectTooLarge(value, type(uint40).max);
        casts.toUint40(value);
    }

    function testFuzz_toUint32_takesACounter(uint32 counter) public view {
        vm.assertEq(casts.toUint32(counter), counter);
    }

    function testFuzz_toUint32_refusesMore(uint256 value) public {
        value = bound(value, uint256(type(uint32).max) + 1, type(uint256).max);
        _expectTooLarge(value, type(uint32).max);
        casts.toUint32(value);
    }

    function _expectTooLarge(uint256 value, uint256 max) private {
        vm.expectRevert(abi.encodeWithSelector(ICommon.ValueTooLarge.selector, value, max));
    }
}
