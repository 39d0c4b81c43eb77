// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {Fit} from "canon/libraries/Fit.sol";
import {Test} from "../../Test.sol";

contract FitHarness {
    function within(uint256 value, uint256 max) external pure returns (uint256) {
        return Fit.within(value, max);
    }

    function toUint96(uint256 value) external pure returns (uint96) {
        return Fit.toUint96(value);
    }

    function toUint40(uint256 value) external pure returns (uint40) {
        return Fit.toUint40(value);
    }

    function toUint32(uint256 value) external pure returns (uint32) {
        return Fit.toUint32(value);
    }
}

contract FitTest is Test {
    FitHarness internal fit;

    function setUp() public {
        fit = new FitHarness();
    }

    function testFuzz_within_givesBackWhatFits(uint256 value, uint256 max) public view {
        value = bound(value, 0, max);
        vm.assertEq(fit.within(value, max), value);
        vm.assertEq(fit.within(max, max), max);
    }

    function testFuzz_within_refusesWhatDoesNot(uint256 value, uint256 max) public {
        max = bound(max, 0, type(uint256).max - 1);
        value = bound(value, max + 1, type(uint256).max);
        _expectTooLarge(value, max);
        fit.within(value, max);
    }

    function testFuzz_toUint96_takesAnAmount(uint96 amount) public view {
        vm.assertEq(fit.toUint96(amount), amount);
    }

    function testFuzz_toUint96_refusesMore(uint256 value) public {
        value = bound(value, uint256(type(uint96).max) + 1, type(uint256).max);
        _expectTooLarge(value, type(uint96).max);
        fit.toUint96(value);
    }

    function testFuzz_toUint40_takesATime(uint40 time) public view {
        vm.assertEq(fit.toUint40(time), time);
    }

    function testFuzz_toUint40_refusesMore(uint256 value) public {
        value = bound(value, uint256(type(uint40).max) + 1, type(uint256).max);
        _expectTooLarge(value, type(uint40).max);
        fit.toUint40(value);
    }

    function testFuzz_toUint32_takesACounter(uint32 counter) public view {
        vm.assertEq(fit.toUint32(counter), counter);
    }

    function testFuzz_toUint32_refusesMore(uint256 value) public {
        value = bound(value, uint256(type(uint32).max) + 1, type(uint256).max);
        _expectTooLarge(value, type(uint32).max);
        fit.toUint32(value);
    }

    function _expectTooLarge(uint256 value, uint256 max) private {
        vm.expectRevert(abi.encodeWithSelector(ICommon.ValueTooLarge.selector, value, max));
    }
}
