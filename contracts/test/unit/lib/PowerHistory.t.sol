// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {PowerHistory, PowerHistoryLibrary} from "canon/types/PowerHistory.sol";
import {Test} from "../../Test.sol";

contract PowerHistoryHarness {
    PowerHistory private _history;

    function push(uint256 amount_, uint256 time) external {
        _history.push(_history.newest, amount_, time);
    }

    function pushWithCompanion(uint256 amount_, uint256 time, uint256 companion_) external {
        _history.push(_history.newest.withCompanion(companion_), amount_, time);
    }

    function setCompanion(uint256 companion_) external {
        _history.newest = _history.newest.withCompanion(companion_);
    }

    function requireFits(uint256 amount_, uint256 time) external pure {
        PowerHistoryLibrary.requireFits(amount_, time);
    }

    function at(uint256 time) external view returns (uint256) {
        return _history.at(time);
    }

    function amount() external view returns (uint256) {
        return _history.newest.amount();
    }

    function since() external view returns (uint256) {
        return _history.newest.since();
    }

    function archived() external view returns (uint256) {
        return _history.newest.archived();
    }

    function companion() external view returns (uint256) {
        return _history.newest.companion();
    }

    function archivedWord(uint256 word) external view returns (uint256) {
        return _history.archive[word];
    }
}

contract PowerHistoryTest is Test {
    PowerHistoryHarness internal history;

    /// @dev The naive model: every change in order. The amount at a time is that of the last change not after it.
    uint256[] internal times;
    uint256[] internal amounts;

    function setUp() public {
        history = new PowerHistoryHarness();
    }

    function _push(uint256 amount, uint256 time) private {
        history.push(amount, time);
        times.push(time);
        amounts.push(amount);
    }

    function _modelAt(uint256 time) private view returns (uint256 amount) {
        for (uint256 i; i < times.length && times[i] <= time; ++i) {
            amount = amounts[i];
        }
    }

    function _changes(uint256[] memory seeds, uint256 most, uint256 maxGap) private {
        uint256 time = uint32(seeds[0]);
        for (uint256 i; i < seeds.length && i < most; ++i) {
            time += (seeds[i] >> 128) % (maxGap + 1);
            if (time > type(uint32).max) time = type(uint32).max;
            _push(uint96(seeds[i]), time);
        }
    }

    function testFuzz_at_isZeroBeforeAnyChange(uint256 time) public view {
        vm.assertEq(history.at(time), 0);
        vm.assertEq(history.amount(), 0);
    }

    function testFuzz_at_agreesWithTheModelAroundEveryChange(uint256[] memory seeds) public {
        vm.assume(seeds.length != 0);
        _changes(seeds, 24, 2);
        for (uint256 i; i < times.length; ++i) {
            if (times[i] != 0) vm.assertEq(history.at(times[i] - 1), _modelAt(times[i] - 1), "the second before");
            vm.assertEq(history.at(times[i]), _modelAt(times[i]), "the second itself");
            vm.assertEq(history.at(times[i] + 1), _modelAt(times[i] + 1), "the second after");
        }
    }

    function testFuzz_at_agreesWithTheModelAtAnyTime(uint256[] memory seeds, uint256[8] memory queries) public {
        vm.assume(seeds.length != 0);
        _changes(seeds, 24, type(uint32).max / 16);
        for (uint256 i; i < queries.length; ++i) {
            uint256 query = bound(queries[i], 0, type(uint32).max);
            vm.assertEq(history.at(query), _modelAt(query));
            vm.assertEq(history.at(queries[i]), _modelAt(queries[i]), "far beyond all changes");
        }
    }

    /// @dev Archives of up to a hundred words, so that a search begins inside, before and at the recent ones.
    function testFuzz_at_aHistoryOfAnyLengthKeepsEverything(uint256 seed, uint256 count) public {
        _keepsEverything(seed, bound(count, 0, 200));
    }

    /// @dev The recent words are the last 16: two checkpoints more or less than they hold, and twice as many.
    function test_at_atTheBoundaryOfTheRecentWords() public {
        for (uint256 count = 30; count <= 36; ++count) {
            _keepsEverything(count, count);
        }
        for (uint256 count = 62; count <= 68; ++count) {
            _keepsEverything(count, count);
        }
    }

    /// @dev `count` changes at gaps of up to three seconds, some within one second, and a question for every second.
    function _keepsEverything(uint256 seed, uint256 count) private {
        delete times;
        delete amounts;
        history = new PowerHistoryHarness();
        uint256 time = uint16(seed);
        uint256 first = time;
        for (uint256 i; i < count; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            time += seed % 4;
            _push(uint96(seed >> 8), time);
        }
        // The times ascend, so one pass over the changes answers every second.
        uint256 next;
        uint256 amount;
        for (uint256 second = first; second <= time + 1; ++second) {
            for (; next < count && times[next] <= second; ++next) {
                amount = amounts[next];
            }
            vm.assertEq(history.at(second), amount);
        }
        vm.assertEq(history.at(0), first == 0 ? _modelAt(0) : 0);
    }

    function testFuzz_push_changesWithinOneSecondAreOneChange(uint96[] memory values, uint32 time) public {
        vm.assume(values.length != 0);
        for (uint256 i; i < values.length && i < 32; ++i) {
            _push(values[i], time);
        }
        vm.assertEq(history.archived(), 0, "nothing is archived");
        vm.assertEq(history.amount(), amounts[amounts.length - 1]);
        vm.assertEq(history.at(time), amounts[amounts.length - 1]);
        if (time != 0) vm.assertEq(history.at(time - 1), 0);
    }

    function testFuzz_push_neverRewritesThePast(uint256[] memory seeds, uint96 amount, uint256 query) public {
        vm.assume(seeds.length != 0);
        _changes(seeds, 16, 5);
        uint256 last = times[times.length - 1];
        vm.assume(last != 0 && last < type(uint32).max);
        query = bound(query, 0, last - 1);
        uint256 before = history.at(query);
        uint256 atLast = history.at(last);
        history.push(amount, last + 1);
        vm.assertEq(history.at(query), before);
        vm.assertEq(history.at(last), atLast);
        history.push(uint96(~amount), last + 1);
        vm.assertEq(history.at(query), before);
        vm.assertEq(history.at(last), atLast);
    }

    function testFuzz_push_theNewestIsWhatWasPushed(uint96 first, uint96 second, uint32 time, uint32 later) public {
        later = uint32(bound(later, time, type(uint32).max));
        history.push(first, time);
        history.push(second, later);
        vm.assertEq(history.amount(), second);
        vm.assertEq(history.since(), later);
    }

    /// @dev Every second change finds its slot written already.
    function testFuzz_push_twoCheckpointsShareAWord(uint8 count, uint96 amount) public {
        count = uint8(bound(count, 1, 40));
        amount = uint96(bound(amount, 1, type(uint96).max));
        for (uint256 i; i <= count; ++i) {
            history.push(amount, 100 + i);
        }
        vm.assertEq(history.archived(), count);
        uint256 words = (uint256(count) + 1) / 2;
        vm.assertNotEq(history.archivedWord(words - 1), 0);
        vm.assertEq(history.archivedWord(words), 0);
    }

    /// @dev What the owner keeps beside the newest checkpoint has no part in the history.
    function testFuzz_companion_isTheOwners(uint256[] memory seeds, uint96 first, uint96 second) public {
        vm.assume(seeds.length != 0);
        uint256 expected;
        for (uint256 i; i < seeds.length && i < 12; ++i) {
            uint256 time = i / 2 + 1;
            if (i % 3 == 0) {
                history.pushWithCompanion(uint96(seeds[i]), time, first);
                expected = first;
            } else {
                history.push(uint96(seeds[i]), time);
            }
            times.push(time);
            amounts.push(uint96(seeds[i]));
            if (i % 4 == 3) {
                history.setCompanion(second);
                expected = second;
            }
            vm.assertEq(history.companion(), expected);
            vm.assertEq(history.amount(), uint96(seeds[i]));
            vm.assertEq(history.since(), time);
        }
        for (uint256 time; time < 10; ++time) {
            vm.assertEq(history.at(time), _modelAt(time));
        }
    }

    function testFuzz_companion_isKeptByEveryPush(uint96 companion_, uint96 amount, uint256 count) public {
        history.setCompanion(companion_);
        count = bound(count, 1, 12);
        for (uint256 i; i < count; ++i) {
            history.push(amount, i / 2);
            vm.assertEq(history.companion(), companion_);
        }
    }

    /// @dev Something kept before the first change is no change.
    function testFuzz_companion_aloneIsNoCheckpoint(uint96 companion_, uint96 amount, uint32 time) public {
        history.setCompanion(companion_);
        history.push(amount, time);
        vm.assertEq(history.archived(), 0);
        if (time != 0) vm.assertEq(history.at(time - 1), 0);
        vm.assertEq(history.at(time), amount);
    }

    function test_push_theExtremesDoNotSpillOver() public {
        history.push(type(uint96).max, 0);
        history.push(0, 1);
        history.push(type(uint96).max, type(uint32).max - 1);
        history.push(1, type(uint32).max);
        vm.assertEq(history.at(0), type(uint96).max);
        vm.assertEq(history.at(1), 0);
        vm.assertEq(history.at(type(uint32).max - 2), 0);
        vm.assertEq(history.at(type(uint32).max - 1), type(uint96).max);
        vm.assertEq(history.at(type(uint32).max), 1);
    }

    function test_requireFits_atTheBounds() public {
        uint256 amount = type(uint96).max;
        uint256 time = type(uint32).max;
        history.requireFits(amount, time);
        vm.expectRevert(abi.encodeWithSelector(ICommon.ValueTooLarge.selector, amount + 1, amount));
        history.requireFits(amount + 1, time);
        vm.expectRevert(abi.encodeWithSelector(ICommon.ValueTooLarge.selector, time + 1, time));
        history.requireFits(amount, time + 1);
        vm.expectRevert(abi.encodeWithSelector(ICommon.ValueTooLarge.selector, amount + 1, amount));
        history.requireFits(amount + 1, time + 1);
        vm.expectRevert(abi.encodeWithSelector(ICommon.ValueTooLarge.selector, type(uint256).max, amount));
        history.requireFits(type(uint256).max, 0);
        // Values with only their highest bit set, so that no shorter part of them is looked at instead.
        uint256 highest = 1 << 255;
        vm.expectRevert(abi.encodeWithSelector(ICommon.ValueTooLarge.selector, highest, amount));
        history.requireFits(highest, 0);
        vm.expectRevert(abi.encodeWithSelector(ICommon.ValueTooLarge.selector, highest, time));
        history.requireFits(0, highest);
    }
}
