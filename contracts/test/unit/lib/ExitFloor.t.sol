// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {ExitFloor} from "canon/types/ExitFloor.sol";
import {Test} from "../../Test.sol";

contract ExitFloorHarness {
    ExitFloor private _floor;

    function set(ExitFloor floor) external {
        _floor = floor;
    }

    function withdraw() external {
        _floor = _floor.withWithdrawal();
    }

    function replace(uint256 time, uint256 oldDelay, uint256 oldUntil) external {
        _floor = _floor.withReplaced(time, oldDelay, oldUntil);
    }

    function get() external view returns (uint256 withdrawals, uint256 delay, uint256 until) {
        return (_floor.withdrawals(), _floor.delay(), _floor.until());
    }

    function delayAt(uint256 time, uint256 current) external view returns (uint256) {
        return _floor.delayAt(time, current);
    }
}

contract ExitFloorTest is Test {
    ExitFloorHarness internal floor;

    function setUp() public {
        floor = new ExitFloorHarness();
    }

    function _is(uint256 withdrawals, uint256 delay, uint256 until) private view {
        (uint256 w, uint256 d, uint256 u) = floor.get();
        vm.assertEq(w, withdrawals, "withdrawals");
        vm.assertEq(d, delay, "delay");
        vm.assertEq(u, until, "until");
    }

    function testFuzz_delayAt_isThePresentOneAtFirst(uint256 time, uint256 current) public view {
        _is(0, 0, 0);
        vm.assertEq(floor.delayAt(time, current), current);
    }

    function testFuzz_withReplaced_agreesWithTheRule(uint256[] memory seeds) public {
        vm.assume(seeds.length != 0);
        uint256 time;
        uint256 delay;
        uint256 until;
        uint256 withdrawals;
        for (uint256 i; i < seeds.length && i < 24; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(seeds[i], i)));
            time = seed % 4 == 0 ? until : seed % 4 == 1 ? until + 1 : time + (seed >> 8) % 1e6;
            uint256 oldDelay = (seed >> 32) % 1e6;
            uint256 oldUntil = time + (seed >> 64) % 1e6;
            if (time > until) delay = 0;
            if (oldDelay > delay) delay = oldDelay;
            if (oldUntil > until) until = oldUntil;
            floor.replace(time, oldDelay, oldUntil);
            if (seed >> 255 == 0) {
                floor.withdraw();
                ++withdrawals;
            }
            _is(withdrawals, delay, until);
        }
    }

    function testFuzz_delayAt_isTheLongerOneUntilTheLastSecond(uint32 until, uint32 least, uint256 current) public {
        vm.assume(until < type(uint32).max);
        floor.replace(0, least, until);
        vm.assertEq(floor.delayAt(until, current), current > least ? current : least);
        vm.assertEq(floor.delayAt(uint256(until) + 1, current), current);
    }

    function testFuzz_withReplaced_refusesATimeThatDoesNotFit(uint256 until, uint256 delay, bool which) public {
        uint256 huge = bound(which ? until : delay, uint256(type(uint32).max) + 1, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(ICommon.ValueTooLarge.selector, huge, type(uint32).max));
        if (which) floor.replace(0, 1, huge);
        else floor.replace(0, huge, 1);
    }

    /// @dev Each of the three fields at its greatest value, and one more.
    function test_fields_atTheirBounds() public {
        uint256 max = type(uint32).max;
        floor.replace(0, max, max);
        _is(0, max, max);
        vm.assertEq(floor.delayAt(max, 0), max);
        bytes memory refusal = abi.encodeWithSelector(ICommon.ValueTooLarge.selector, max + 1, max);
        vm.expectRevert(refusal);
        floor.replace(0, max + 1, max);
        vm.expectRevert(refusal);
        floor.replace(0, max, max + 1);

        // `until` (32 bits) | `delay` (32) | `withdrawals` (32)
        floor.set(ExitFloor.wrap(uint96(7 << 64 | 8 << 32 | (max - 1))));
        floor.withdraw();
        _is(max, 8, 7);
        vm.expectRevert(refusal);
        floor.withdraw();
    }
}
