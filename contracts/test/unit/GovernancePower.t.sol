// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {Configuration, IGovernance} from "canon/interfaces/IGovernance.sol";
import {GovernanceFixture} from "./GovernanceFixture.t.sol";

/// @notice Power at any time, against a model that writes everything down.
contract GovernancePowerTest is GovernanceFixture {
    uint256 private constant HOLDERS = 3;

    /// @dev One line per second in which something happened: everybody's power at its end.
    struct Line {
        uint256 time;
        uint256[HOLDERS] power;
    }

    Line[] private _book;
    uint256[HOLDERS] private _now;

    function _holder(uint256 index) private pure returns (address) {
        return address(uint160(0xBB00 + index));
    }

    function _write() private {
        uint256 time = vm.getBlockTimestamp();
        if (_book.length == 0 || _book[_book.length - 1].time != time) _book.push().time = time;
        _book[_book.length - 1].power = _now;
    }

    function _modelAt(uint256 holder, uint256 time) private view returns (uint256 power) {
        for (uint256 i; i < _book.length && _book[i].time <= time; ++i) {
            power = _book[i].power[holder];
        }
    }

    /// @dev A deposit, a withdrawal or a lock by some holder, after some time or none.
    function _step(uint256 seed, uint256 maxGap) private {
        seed = uint256(keccak256(abi.encode(seed)));
        vm.warp(vm.getBlockTimestamp() + (seed >> 200) % (maxGap + 1));
        uint256 index = seed % HOLDERS;
        address holder = _holder(index);
        uint256 lockAmount = governance.getConfiguration().proposeConfig.lockAmount;
        uint256 amount = uint256(uint80(seed >> 16)) + 1;
        uint256 kind = (seed >> 8) % 4;
        if (kind == 0 && _now[index] != 0) {
            amount = bound(amount, 1, _now[index]);
            vm.prank(holder);
            governance.initiateWithdraw(holder, amount);
            _now[index] -= amount;
        } else if (kind == 1 && _now[index] >= lockAmount) {
            address payload = _payload();
            vm.prank(holder);
            governance.proposeWithLock(payload, holder);
            _now[index] -= lockAmount;
        } else {
            _lock(holder, amount);
            _now[index] += amount;
        }
        _write();
    }

    function _steps(uint256[] memory seeds, uint256 most, uint256 maxGap) private {
        for (uint256 i; i < seeds.length && i < most; ++i) {
            _step(seeds[i], maxGap);
        }
    }

    function _agree(uint256 time) private view {
        uint256 total;
        for (uint256 i; i < HOLDERS; ++i) {
            uint256 expected = _modelAt(i, time);
            vm.assertEq(governance.powerAt(_holder(i), time), expected, "power");
            total += expected;
        }
        vm.assertEq(governance.totalPowerAt(time), total, "total power");
    }

    function testFuzz_powerAt_agreesWithTheBookAroundEveryChange(uint256[] memory seeds) public {
        vm.assume(seeds.length != 0);
        _steps(seeds, 12, 2);
        skip(1);
        for (uint256 i; i < _book.length; ++i) {
            _agree(_book[i].time - 1);
            _agree(_book[i].time);
            _agree(_book[i].time + 1);
        }
    }

    function testFuzz_powerAt_agreesWithTheBookAtAnyTime(uint256[] memory seeds, uint256[6] memory queries) public {
        vm.assume(seeds.length != 0);
        _steps(seeds, 12, 400 days);
        for (uint256 i; i < queries.length; ++i) {
            _agree(bound(queries[i], START - 1 days, vm.getBlockTimestamp()));
        }
    }

    function testFuzz_powerAt_nowIsThePresentValueAtEveryStep(uint256[] memory seeds) public {
        vm.assume(seeds.length != 0);
        for (uint256 i; i < seeds.length && i < 16; ++i) {
            _step(seeds[i], 1);
            uint256 total;
            for (uint256 h; h < HOLDERS; ++h) {
                vm.assertEq(_power(_holder(h)), _now[h]);
                total += _now[h];
            }
            vm.assertEq(_totalPower(), total);
        }
    }

    function testFuzz_powerAt_thePastNeverChanges(uint256[] memory seeds, uint256[] memory more, uint256 query) public {
        vm.assume(seeds.length != 0 && more.length != 0);
        _steps(seeds, 8, 3);
        skip(1);
        query = bound(query, START, vm.getBlockTimestamp() - 1);
        uint256[HOLDERS] memory before;
        for (uint256 h; h < HOLDERS; ++h) {
            before[h] = governance.powerAt(_holder(h), query);
        }
        uint256 total = governance.totalPowerAt(query);
        for (uint256 i; i < more.length && i < 8; ++i) {
            _step(more[i], 3);
            vm.assertEq(governance.totalPowerAt(query), total);
            for (uint256 h; h < HOLDERS; ++h) {
                vm.assertEq(governance.powerAt(_holder(h), query), before[h]);
            }
        }
    }

    function testFuzz_powerAt_countsTheEndOfTheSecond(uint96[] memory amounts, uint32 gap) public {
        vm.assume(amounts.length != 0);
        address holder = _holder(0);
        uint256 time = START + gap;
        vm.warp(time);
        uint256 sum;
        for (uint256 i; i < amounts.length && i < 20; ++i) {
            uint256 amount = bound(amounts[i], 1, SUPPLY / 20);
            _lock(holder, amount);
            if (i % 3 == 2) {
                vm.prank(holder);
                governance.initiateWithdraw(holder, amount);
            } else {
                sum += amount;
            }
            vm.assertEq(governance.powerAt(holder, time), sum, "the second isn't over");
        }
        vm.assertEq(governance.powerAt(holder, time - 1), 0);
        skip(1);
        vm.assertEq(governance.powerAt(holder, time), sum);
        vm.assertEq(governance.powerAt(holder, time + 1), sum);
    }

    /// @dev A loan that is given back in the same second was never there.
    function testFuzz_powerAt_whatComesAndGoesInOneSecondLeavesNoTrace(uint256 kept, uint256 loan, uint24 gap) public {
        kept = bound(kept, 1, SUPPLY / 2);
        loan = bound(loan, 1, SUPPLY / 2);
        _lock(_holder(0), kept);
        skip(uint256(gap) + 1);
        _lock(_holder(0), loan);
        vm.prank(_holder(0));
        governance.initiateWithdraw(_holder(0), loan);
        uint256 time = vm.getBlockTimestamp();
        skip(1);
        vm.assertEq(governance.powerAt(_holder(0), time), kept);
        vm.assertEq(governance.totalPowerAt(time), kept);
    }

    function testFuzz_powerAt_beforeConstructionIsZero(uint256 time, uint256 amount) public {
        time = bound(time, 0, START - 1);
        _lock(_holder(0), bound(amount, 1, SUPPLY));
        vm.assertEq(governance.powerAt(_holder(0), time), 0);
        vm.assertEq(governance.totalPowerAt(time), 0);
    }

    function testFuzz_powerAt_inTheSecondOfConstruction(uint256 amount) public {
        amount = bound(amount, 1, SUPPLY);
        _lock(_holder(0), amount);
        skip(1);
        vm.assertEq(governance.powerAt(_holder(0), START), amount);
        vm.assertEq(governance.totalPowerAt(START), amount);
        vm.assertEq(governance.powerAt(_holder(0), START - 1), 0);
    }

    function testFuzz_powerAt_refusesTheFuture(address owner, uint256 present, uint256 time) public {
        present = bound(present, START, START + 1000 * 365 days);
        time = bound(time, present + 1, type(uint256).max);
        vm.warp(present);
        _refuseFuture(time, present);
        governance.powerAt(owner, time);
        _refuseFuture(present + 1, present);
        governance.powerAt(owner, present + 1);
    }

    function testFuzz_totalPowerAt_refusesTheFuture(uint256 present, uint256 time) public {
        present = bound(present, START, START + 1000 * 365 days);
        time = bound(time, present + 1, type(uint256).max);
        vm.warp(present);
        _refuseFuture(time, present);
        governance.totalPowerAt(time);
        _refuseFuture(present + 1, present);
        governance.totalPowerAt(present + 1);
    }

    function testFuzz_powerAt_whoNeverLockedHasNone(address owner, uint256 time, uint256 amount) public {
        vm.assume(owner != _holder(0));
        _lock(_holder(0), bound(amount, 1, SUPPLY));
        skip(10);
        vm.assertEq(governance.powerAt(owner, bound(time, 0, START + 10)), 0);
    }

    /// @dev Stored times last 2^32 seconds. Then nothing is truncated: what would store one reverts.
    function testFuzz_deposit_isRefusedWhenTimesDoNotFitAnyMore(uint256 amount, uint256 late) public {
        amount = bound(amount, 1, SUPPLY / 2);
        late = bound(late, 1, 1e6);
        uint256 last = START + type(uint32).max;
        vm.warp(last);
        _lock(_holder(0), amount);
        vm.assertEq(_power(_holder(0)), amount);
        vm.warp(last + late);
        vm.expectRevert(
            abi.encodeWithSelector(
                ICommon.ValueTooLarge.selector, type(uint32).max + late, uint256(type(uint32).max)
            )
        );
        governance.deposit(_holder(0), amount);
        vm.assertEq(_power(_holder(0)), amount, "views go on");
        vm.assertEq(governance.powerAt(_holder(0), last - 1), 0);
    }

    function _refuseFuture(uint256 time, uint256 present) private {
        vm.expectRevert(abi.encodeWithSelector(IGovernance.Governance__InFuture.selector, time, present));
    }
}
