// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {ICommon} from "canon/interfaces/ICommon.sol";
import {IRollup} from "canon/interfaces/IRollup.sol";
import {SetLib} from "../Set.sol";
import {Vm} from "../Vm.sol";
import {RollupBase} from "./RollupBase.t.sol";

/// @notice When seeds are recorded, which one serves, and what is drawn with it.
contract RollupSeedTest is RollupBase {
    IRollup internal next;

    function setUp() public override {
        super.setUp();
        next = SetLib.rollup(_parameters());
        _makeCanonical(address(next));
    }

    /// @dev Everything that changes the rollup, by number; each works in the first second of `epoch`.
    uint256 private constant CALLS = 11;

    function _prepare() internal {
        _joinMany(6);
        _leave(3);
        _move(4, address(next));
        vm.prank(address(set.governance));
        Ownable2Step(address(rollup)).transferOwnership(address(this));
    }

    function _call(uint256 which) internal {
        if (which == 0) rollup.setupEpoch();
        if (which == 1) _join(9);
        if (which == 2) _leave(0);
        if (which == 3) rollup.finaliseWithdraw(_attester(3));
        if (which == 4) _move(1, address(next));
        if (which == 5) rollup.finaliseMove(_attester(4));
        if (which == 6) {
            vm.prank(_withdrawer(1));
            rollup.setCoinbase(_attester(1), address(1));
        }
        if (which == 7) _slash(5, 1);
        if (which == 8) {
            address proposer = rollup.getCurrentProposer();
            vm.prank(proposer);
            rollup.proposeBlock("block");
        }
        if (which == 9) {
            vm.prank(address(set.governance));
            Ownable2Step(address(rollup)).transferOwnership(address(this));
        }
        if (which == 10) Ownable2Step(address(rollup)).acceptOwnership();
    }

    function testFuzz_everyChangingCall_recordsTheNextSeed(uint256 which, uint256 epoch, uint256 second, uint256 seed)
        public
    {
        which = bound(which, 0, CALLS - 1);
        epoch = bound(epoch, 3, 1000);
        _prepare();
        vm.warp(_startOf(epoch) + bound(second, 0, EPOCH_SECONDS - 1));
        vm.prevrandao(bytes32(seed));
        vm.recordLogs();
        _call(which);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(_seedsRecorded(logs), 1);
        vm.assertEq(logs[0].topics[0], IRollup.SeedRecorded.selector);
        vm.assertEq(uint256(logs[0].topics[1]), epoch + 1);
        vm.assertEq(abi.decode(logs[0].data, (uint256)), seed);
        vm.assertEq(rollup.getSeed(epoch + 1), seed);
    }

    function testFuzz_onlyTheFirstCallOfAnEpoch_recordsASeed(uint256 first, uint256 second, uint256 later) public {
        first = bound(first, 0, CALLS - 1);
        // Those that no other call makes impossible.
        second = [0, 1, 2, 3, 4, 6][second % 6];
        if (second == first) second = 0;
        _prepare();
        _toEpoch(5);
        vm.prevrandao(keccak256("first"));
        _call(first);
        vm.warp(_startOf(5) + bound(later, 0, EPOCH_SECONDS - 1));
        vm.prevrandao(keccak256("second"));
        vm.recordLogs();
        _call(second);
        vm.assertEq(_seedsRecorded(vm.getRecordedLogs()), 0);
        vm.assertEq(rollup.getSeed(6), uint256(keccak256("first")));
    }

    function testFuzz_callsThatRevert_recordNothing(uint256 which, uint256 epoch) public {
        which %= 6;
        epoch = bound(epoch, 2, 1000);
        _join(0);
        _toEpoch(epoch);
        vm.prevrandao(keccak256("other"));
        uint256 before = rollup.getSeed(epoch + 1);
        bytes[6] memory calls = [
            abi.encodeCall(IRollup.deposit, (_attester(0), _proposer(0), _withdrawer(0), STAKE)),
            abi.encodeCall(IRollup.initiateWithdraw, (_attester(0), _recipient(0))),
            abi.encodeCall(IRollup.finaliseWithdraw, (_attester(0))),
            abi.encodeCall(IRollup.slash, (_attester(0), 1)),
            abi.encodeCall(IRollup.proposeBlock, ("block")),
            abi.encodeWithSignature("renounceOwnership()")
        ];
        (bool success,) = address(rollup).call(calls[which]);
        vm.assertFalse(success);
        vm.assertEq(rollup.getSeed(epoch + 1), before);
    }

    function test_ownership_cannotBeRenounced() public {
        vm.prank(address(set.governance));
        vm.expectRevert(ICommon.OwnershipCannotBeRenounced.selector);
        Ownable2Step(address(rollup)).renounceOwnership();
        vm.assertEq(Ownable2Step(address(rollup)).owner(), address(set.governance));
    }

    /// @dev If epoch e-1 saw no call, the last recorded seed serves, however old.
    function testFuzz_anEpochWithoutCall_isServedByTheLastSeed(uint256 last, uint256 gap, uint256 seed) public {
        last = bound(last, 0, 1000);
        gap = bound(gap, 1, 300);
        _joinMany(5);
        _toEpoch(last);
        vm.prevrandao(bytes32(seed));
        // The constructor was epoch 0's call.
        uint256 expected = last == 0 ? uint256(keccak256("deployment")) : seed;
        rollup.setupEpoch();
        _toEpoch(last + gap);
        vm.assertEq(rollup.getSeed(last + gap), expected);
        vm.assertEq(rollup.getSeed(last + gap + 1), expected);
    }

    /// @dev Nobody calls for a hundred epochs and more: every slot still has its one proposer, and the first call
    /// afterwards changes nothing of the present epoch.
    function testFuzz_nobodyCallsForAHundredEpochs(uint256 count, uint256 gap, uint256 which) public {
        count = bound(count, 1, 12);
        gap = bound(gap, 100, 400);
        _joinMany(count);
        uint256 seed = uint256(keccak256("deployment"));
        for (uint256 epoch = 2; epoch < 2 + gap; epoch += 7) {
            _toEpoch(epoch);
            vm.assertEq(rollup.getSetSize(epoch), count);
            uint256 slot = rollup.getCurrentSlot();
            (, address expected) = rollup.getMember(epoch, _index(seed, slot, count));
            vm.assertEq(rollup.getCurrentProposer(), expected);
        }
        uint256 present = rollup.getCurrentEpoch();
        address[] memory before = _draws(present);
        vm.prevrandao(keccak256("woken up"));
        which %= 4;
        if (which == 0) rollup.setupEpoch();
        if (which == 1) _join(100);
        if (which == 2) _leave(0);
        if (which == 3) _slash(0, 1);
        vm.assertEq(_draws(present), before);
        vm.assertEq(rollup.getSeed(present), seed);
        vm.assertEq(rollup.getSeed(present + 1), uint256(keccak256("woken up")));
        vm.assertEq(rollup.getSetSize(present + 1), count);
    }

    /// @dev Also several calls in the epochs before do not reach a draw already closed.
    function testFuzz_noCallInAnEpoch_changesItsDraw(uint256 seed, uint256 epoch, bool callBefore) public {
        epoch = bound(epoch, 4, 300);
        _prepare();
        if (callBefore) {
            _toEpoch(epoch - 1);
            vm.prevrandao(keccak256("before"));
            rollup.setupEpoch();
        }
        _toEpoch(epoch);
        address[] memory before = _draws(epoch);
        for (uint256 i; i < 8; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            vm.prevrandao(bytes32(seed));
            uint256 which = seed % CALLS;
            // Any of them may be impossible by now; the draw must stay either way.
            if (which != 8) try this.callFromOutside(which) {} catch {}
            vm.assertEq(_draws(epoch), before);
        }
        vm.assertEq(rollup.getCurrentProposer(), before[0]);
    }

    function callFromOutside(uint256 which) external {
        require(msg.sender == address(this));
        _call(which);
    }

    function testFuzz_joining_countsFromTheSetThatClosesNext(uint256 epoch, uint256 second) public {
        epoch = bound(epoch, 0, 1000);
        second = bound(second, 0, EPOCH_SECONDS - 1);
        vm.warp(_startOf(epoch) + second);
        _join(1);
        vm.assertEq(rollup.getSetSize(epoch), 0);
        vm.assertEq(rollup.getSetSize(epoch + 1), 0);
        vm.warp(_startOf(epoch + 2) - 1);
        vm.assertEq(rollup.getCurrentProposer(), address(0));
        vm.warp(_startOf(epoch + 2));
        vm.assertEq(rollup.getSetSize(epoch + 2), 1);
        vm.assertEq(rollup.getCurrentProposer(), _proposer(1));
    }

    function testFuzz_leaving_countsFromTheSetThatClosesNext(uint256 epoch, uint256 second, uint256 how) public {
        epoch = bound(epoch, 3, 1000);
        second = bound(second, 0, EPOCH_SECONDS - 1);
        _join(1);
        _move(1, address(next));
        vm.warp(_startOf(epoch) + second);
        how %= 3;
        if (how == 0) _leave(1);
        if (how == 1) _slash(1, 1);
        if (how == 2) rollup.finaliseMove(_attester(1));
        vm.assertEq(rollup.getActiveAttesterCount(), 0);
        vm.assertEq(rollup.getSetSize(epoch), 1);
        vm.assertEq(rollup.getSetSize(epoch + 1), 1);
        vm.warp(_startOf(epoch + 2) - 1);
        vm.assertEq(rollup.getCurrentProposer(), _proposer(1));
        vm.warp(_startOf(epoch + 2));
        vm.assertEq(rollup.getSetSize(epoch + 2), 0);
        vm.assertEq(rollup.getCurrentProposer(), address(0));
    }

    function test_theFirstTwoEpochs_haveNobody() public {
        _joinMany(3);
        vm.assertEq(rollup.getSetSize(0), 0);
        vm.assertEq(rollup.getSetSize(1), 0);
        for (uint256 slot; slot < 2 * SetLib.EPOCH; ++slot) {
            vm.assertEq(rollup.getProposerAt(START + slot * SetLib.SLOT), address(0));
        }
        vm.warp(_startOf(2) - 1);
        vm.assertEq(rollup.getCurrentProposer(), address(0));
        vm.warp(_startOf(2));
        vm.assertNotEq(rollup.getCurrentProposer(), address(0));
    }

    function testFuzz_proposer_isTheMemberThatTheSeedDraws(uint256 count, uint256 seed, uint256 epoch, uint256 second)
        public
    {
        count = bound(count, 1, 30);
        epoch = bound(epoch, 2, 1000);
        second = bound(second, 0, 2 * EPOCH_SECONDS - 1);
        _joinMany(count);
        _toEpoch(epoch - 1);
        vm.prevrandao(bytes32(seed));
        rollup.setupEpoch();
        if (epoch == 2) seed = rollup.getSeed(2);
        _toEpoch(epoch);
        uint256 time = _startOf(epoch) + second;
        uint256 index = _index(seed, (time - START) / SetLib.SLOT, count);
        (, address expected) = rollup.getMember(rollup.getEpochAt(time), index);
        vm.assertEq(rollup.getProposerAt(time), expected);
        vm.warp(time);
        vm.assertEq(rollup.getCurrentProposer(), expected);
        vm.assertEq(rollup.getProposerAt(time), expected);
    }

    function testFuzz_views_answerForThePresentAndTheNextEpochOnly(uint256 present, uint256 asked) public {
        present = bound(present, 2, 1000);
        asked = bound(asked, 0, 1100);
        _joinMany(3);
        _toEpoch(present);
        if (asked == present || asked == present + 1) {
            vm.assertEq(rollup.getSetSize(asked), 3);
            vm.assertNotEq(rollup.getSeed(asked), 0);
            vm.assertNotEq(rollup.getProposerAt(_startOf(asked)), address(0));
            vm.assertNotEq(rollup.getProposerAt(_startOf(asked + 1) - 1), address(0));
            (address attester,) = rollup.getMember(asked, 2);
            vm.assertEq(attester, _attester(2));
            vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__IndexOutOfRange.selector, 3, 3));
            rollup.getMember(asked, 3);
            return;
        }
        bytes memory refusal = abi.encodeWithSelector(IRollup.Rollup__EpochOutOfRange.selector, asked, present);
        vm.expectRevert(refusal);
        rollup.getSetSize(asked);
        vm.expectRevert(refusal);
        rollup.getSeed(asked);
        vm.expectRevert(refusal);
        rollup.getMember(asked, 0);
        vm.expectRevert(refusal);
        rollup.getProposerAt(_startOf(asked));
        vm.expectRevert(refusal);
        rollup.getProposerAt(_startOf(asked + 1) - 1);
    }

    function testFuzz_views_refuseAbsurdEpochs(uint256 epoch) public {
        epoch = bound(epoch, 1000, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__EpochOutOfRange.selector, epoch, 0));
        rollup.getSeed(epoch);
    }

    /// @dev Asking who proposes takes no more storage reads among many than among three, whatever happened to the seats.
    function testFuzz_draw_takesAConstantNumberOfReads(uint256 count, uint256 churn) public {
        count = bound(count, 4, 40);
        churn = bound(churn, 1, count - 2);
        uint256 snapshot = vm.snapshotState();
        uint256 few = _mostReads(3, 1);
        vm.revertToState(snapshot);
        vm.assertLe(_mostReads(count, churn), few);
    }

    /// @dev The most reads that a draw takes in four epochs, after `churn` of `count` left.
    function _mostReads(uint256 count, uint256 churn) internal returns (uint256 most) {
        _joinMany(count);
        _toEpoch(2);
        for (uint256 i; i < churn; ++i) {
            _leave(i);
        }
        for (uint256 slot = 2 * SetLib.EPOCH; slot < 6 * SetLib.EPOCH; ++slot) {
            vm.warp(START + slot * SetLib.SLOT);
            vm.record();
            rollup.getCurrentProposer();
            (bytes32[] memory reads,) = vm.accesses(address(rollup));
            if (reads.length > most) most = reads.length;
        }
    }

    function _seedsRecorded(Vm.Log[] memory logs) internal view returns (uint256 count) {
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].emitter == address(rollup) && logs[i].topics[0] == IRollup.SeedRecorded.selector) ++count;
        }
    }
}
