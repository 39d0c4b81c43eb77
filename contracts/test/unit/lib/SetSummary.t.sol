// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {SetSummary} from "canon/types/SetSummary.sol";
import {Test} from "../../Test.sol";

contract SetSummaryHarness {
    function withRegistration(SetSummary set) external pure returns (SetSummary) {
        return set.withRegistration();
    }

    function withSize(SetSummary set, uint256 size, uint256 epoch) external pure returns (SetSummary) {
        return set.withSize(size, epoch);
    }

    function withSeed(SetSummary set, uint256 epoch) external pure returns (SetSummary) {
        return set.withSeed(epoch);
    }
}

/// @notice The fields of the word at their bounds. What they mean over time is in `RollupHistory.t.sol`, and proven in
/// `proofs/types/SetSummary.sol`.
contract SetSummaryTest is Test {
    uint256 private constant MAX_COUNT = type(uint32).max;
    uint256 private constant MAX_EPOCH = type(uint40).max;

    SetSummaryHarness internal sets;

    function setUp() public {
        sets = new SetSummaryHarness();
    }

    function _refuse(uint256 value, uint256 max) private {
        vm.expectRevert(abi.encodeWithSelector(ICommon.ValueTooLarge.selector, value, max));
    }

    function testFuzz_withRegistration_changesNothingElse(uint256 word) public {
        uint256 others = word & ~(MAX_COUNT << 176);
        SetSummary set = sets.withRegistration(SetSummary.wrap(others | (MAX_COUNT - 1) << 176));
        vm.assertEq(set.registrations(), MAX_COUNT);
        vm.assertEq(SetSummary.unwrap(set), others | MAX_COUNT << 176);
        _refuse(MAX_COUNT + 1, MAX_COUNT);
        sets.withRegistration(set);
    }

    function testFuzz_withSize_touchesOnlyTheSizes(uint256 word) public {
        // Changes within one epoch are one change.
        vm.assume(uint40(word >> 32) != MAX_EPOCH);
        SetSummary set = sets.withSize(SetSummary.wrap(word), MAX_COUNT, MAX_EPOCH - 1);
        vm.assertEq(set.size(), MAX_COUNT);
        vm.assertEq(set.sizeOf(MAX_EPOCH), uint32(word), "the size before");
        vm.assertEq(SetSummary.unwrap(set) >> 176, word >> 176, "registrations and seeds");
        _refuse(MAX_COUNT + 1, MAX_COUNT);
        sets.withSize(SetSummary.wrap(word), MAX_COUNT + 1, MAX_EPOCH - 1);
        _refuse(MAX_EPOCH + 1, MAX_EPOCH);
        sets.withSize(SetSummary.wrap(word), MAX_COUNT, MAX_EPOCH);
    }

    function testFuzz_withSeed_touchesOnlyTheSeeds(uint256 word) public {
        SetSummary set = sets.withSeed(SetSummary.wrap(word), MAX_EPOCH - 1);
        vm.assertEq(set.seedEpoch(), MAX_EPOCH);
        vm.assertTrue(set.hasSeed(MAX_EPOCH));
        vm.assertEq(SetSummary.unwrap(set) << 48, word << 48, "registrations and sizes");
        _refuse(MAX_EPOCH + 1, MAX_EPOCH);
        sets.withSeed(SetSummary.wrap(word), MAX_EPOCH);
    }

    /// @dev The epoch before has a seed too only if its seed was the newest one.
    function test_withSeed_keepsOnePrecedingSeed() public view {
        SetSummary set = sets.withSeed(SetSummary.wrap(0), 4);
        vm.assertTrue(set.hasSeed(5));
        vm.assertFalse(set.hasSeed(4));
        set = sets.withSeed(set, 5);
        vm.assertTrue(set.hasSeed(5));
        vm.assertTrue(set.hasSeed(6));
        set = sets.withSeed(set, 7);
        vm.assertFalse(set.hasSeed(7));
        vm.assertTrue(set.hasSeed(8));
    }
}
