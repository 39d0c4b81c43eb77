// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {IRollup} from "canon/interfaces/IRollup.sol";
import {Delegation} from "../mocks/Delegation.sol";
import {HostileRollup} from "../mocks/HostileRollup.sol";
import {ReenteringRollup} from "../mocks/ReenteringRollup.sol";
import {ProposalsBase} from "./ProposalsBase.t.sol";

/// @notice Canonical rollups that lie, answer nonsense, or don't answer.
contract ProposalsHostileTest is ProposalsBase {
    bytes4 private constant SLOT = IRollup.getCurrentSlot.selector;
    bytes4 private constant WHO = IRollup.getCurrentProposer.selector;

    /// @dev Everything that asks the canonical rollup for its slot.
    function _asking(uint256 which) internal returns (bytes memory) {
        which %= 7;
        if (which == 0) return abi.encodeCall(IProposals.vote, (_payload(1)));
        if (which == 1) return abi.encodeCall(IProposals.voteWithSig, (_payload(1), new bytes(65)));
        if (which == 2) return abi.encodeCall(IProposals.pushProposal, (0));
        if (which == 3) return abi.encodeCall(IProposals.getCurrentRound, ());
        if (which == 4) return abi.encodeCall(IProposals.currentStatus, ());
        if (which == 5) return abi.encodeCall(IProposals.winnerOf, (0));
        return abi.encodeCall(IProposals.pushableRounds, ());
    }

    function _refused(bytes memory call, bytes memory refusal) internal {
        vm.prank(PROPOSER);
        (bool success, bytes memory reason) = address(proposals).call(call);
        vm.assertFalse(success);
        vm.assertEq(reason, refusal);
        _assertNewest(address(rollup), false, 0);
    }

    function testFuzz_slotThatIsNotOneWord_isNoAnswer(uint256 which, uint256 length, uint256 filler) public {
        length = bound(length, 0, 128);
        if (length == 32) length = 64;
        bytes memory answer = new bytes(length);
        for (uint256 i; i < length; ++i) {
            answer[i] = bytes1(uint8(filler >> (8 * (i % 32))));
        }
        rollup.answer(SLOT, answer);
        _refused(_asking(which), abi.encodeWithSelector(ICommon.NoAnswer.selector, address(rollup), SLOT));
    }

    function testFuzz_slotThatReverts_isNoAnswer(uint256 which, bytes memory reason) public {
        rollup.refuse(SLOT, reason);
        _refused(_asking(which), abi.encodeWithSelector(ICommon.NoAnswer.selector, address(rollup), SLOT));
    }

    function testFuzz_rollupWithoutCode_stopsEverything(uint256 which, bool delegated) public {
        if (delegated) Delegation.set(address(rollup), address(_newRollup()));
        else vm.etch(address(rollup), "");
        _refused(_asking(which), abi.encodeWithSelector(ICommon.NoCode.selector, address(rollup)));
    }

    function testFuzz_proposerThatIsNotOneCleanWord_isNoAnswer(uint256 which, uint256 kind, uint256 word) public {
        kind %= 4;
        if (kind == 0) rollup.answer(WHO, abi.encode(bound(word, uint256(type(uint160).max) + 1, type(uint256).max)));
        if (kind == 1) rollup.answer(WHO, abi.encode(PROPOSER, word));
        if (kind == 2) rollup.answer(WHO, abi.encodePacked(PROPOSER));
        if (kind == 3) rollup.refuse(WHO, abi.encode(PROPOSER));
        bytes memory refusal = abi.encodeWithSelector(ICommon.NoAnswer.selector, address(rollup), WHO);
        _refused(_asking(which % 2), refusal);
        // Everything else goes without it.
        vm.assertEq(proposals.getCurrentRound(), 0);
        proposals.currentStatus();
        proposals.pushableRounds();
    }

    /// @dev A dirty proposer word isn't read as the address in its low bits.
    function testFuzz_dirtyProposer_isNotItsCleanSelf(address proposer, uint96 dirt) public {
        vm.assume(proposer != address(0) && dirt != 0);
        rollup.answer(WHO, abi.encode(uint256(uint160(proposer)) | (uint256(dirt) << 160)));
        address payload = _payload(1);
        vm.prank(proposer);
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoAnswer.selector, address(rollup), WHO));
        proposals.vote(payload);
    }

    /// @dev Slots that go backwards: no second signal, and for push and views time stands still.
    function testFuzz_slotsGoingBackwards_standStill(uint256 used, uint256 reported) public {
        used = bound(used, 0, START);
        reported = bound(reported, 0, used);
        address payload = _payload(1);
        _signal(payload, used);
        _toSlot(reported);
        vm.prank(PROPOSER);
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__SlotAlreadyUsed.selector, reported, used));
        proposals.vote(payload);

        vm.assertEq(proposals.getCurrentRound(), used / M);
        (uint256 slot, uint256 round, address leader, uint256 count, uint256 free) = proposals.currentStatus();
        vm.assertEq(slot, used);
        vm.assertEq(round, used / M);
        vm.assertEq(leader, payload);
        vm.assertEq(count, 1);
        vm.assertEq(free, used + 1);
    }

    /// @dev A round that is over stays over, can be pushed, and expires, whatever the rollup says later.
    function testFuzz_slotsGoingBackwards_reopenNoRound(uint256 age, uint256 reported) public {
        age = bound(age, 1, LIFETIME + 2);
        _win(_payload(1), 3);
        _signal(_payload(2), (3 + age) * M);
        reported = bound(reported, 0, (3 + age) * M);
        _toSlot(reported);
        vm.assertEq(proposals.pushableRounds().length, age <= LIFETIME ? 1 : 0);
        if (age > LIFETIME) {
            vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__RoundExpired.selector, 3, 3 + age));
        }
        proposals.pushProposal(3);
        if (age <= LIFETIME) {
            vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__AlreadyPushed.selector, 3, 0));
            proposals.pushProposal(3);
        }
    }

    /// @dev Time that only went forward for a push, without a signal, may go back; the pushed round stays pushed
    /// through further signals, and its quorum isn't announced again.
    function testFuzz_slotsGoingBackwards_intoAPushedRound(uint256 ahead, uint256 more, bool forOther) public {
        ahead = bound(ahead, 1, LIFETIME);
        more = bound(more, 1, M - N);
        _win(_payload(1), 3);
        _toRound(3 + ahead);
        proposals.pushProposal(3);
        vm.recordLogs();
        _signals(forOther ? _payload(2) : _payload(1), 3 * M + N, more);
        uint256 events = vm.getRecordedLogs().length;
        vm.assertEq(events, 2 * more + (forOther ? 1 : 0), "slots, signals, a payload once seen; no quorum");
        _assertRound(address(rollup), 3, 3 * M + N + more - 1, _payload(1), true);
        vm.assertEq(proposals.yeaCount(address(rollup), 3, _payload(1)), forOther ? N : N + more);
        _toRound(4);
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__AlreadyPushed.selector, 3, 0));
        proposals.pushProposal(3);
        // The next round begins from nothing, not as pushed.
        _signal(_payload(3), 4 * M);
        _assertRound(address(rollup), 4, 4 * M, _payload(3), false);
    }

    /// @dev The most signals that a rollup can make up: one per slot number, and those only go up.
    function testFuzz_madeUpSlots_neverGiveASlotTwice(uint256 seed) public {
        uint256 accepted;
        uint256 highest;
        address payload = _payload(1);
        for (uint256 i; i < 40; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 slot = seed % 30;
            _toSlot(slot);
            vm.prank(PROPOSER);
            (bool success,) = address(proposals).call(abi.encodeCall(IProposals.vote, (payload)));
            vm.assertEq(success, accepted == 0 || slot > highest);
            if (!success) continue;
            ++accepted;
            highest = slot;
        }
        uint256 sum;
        for (uint256 round; round < 3; ++round) {
            sum += proposals.yeaCount(address(rollup), round, payload);
        }
        vm.assertEq(sum, accepted);
    }

    /// @dev A slot beyond the timestamp takes no signal; for pushes and views it is the present slot all the same.
    function testFuzz_slotInTheFuture_takesNoSignal(uint256 slot_) public {
        slot_ = bound(slot_, START + 1, type(uint256).max);
        _win(_payload(1), 3);
        _toSlot(slot_);
        address payload = _payload(1);
        vm.prank(PROPOSER);
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__SlotInFuture.selector, slot_, START));
        proposals.vote(payload);
        vm.assertEq(proposals.getCurrentRound(), slot_ / M);
        (uint256 slot, uint256 round, address leader, uint256 count, uint256 free) = proposals.currentStatus();
        vm.assertEq(slot, slot_);
        vm.assertEq(round, slot_ / M);
        vm.assertEq(leader, address(0));
        vm.assertEq(count, 0);
        vm.assertEq(free, slot_);
        vm.assertEq(proposals.pushableRounds().length, 0);
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__RoundExpired.selector, 3, slot_ / M));
        proposals.pushProposal(3);
        // Nothing of it sticks.
        _toRound(4);
        vm.assertTrue(proposals.pushProposal(3));
    }

    /// @dev The rollup is asked after its slot was used up, and by a static call.
    function testFuzz_reenteringRollup_findsItsSlotUsed(uint256 slot) public {
        slot = bound(slot, 0, START);
        ReenteringRollup hostile = new ReenteringRollup(proposals, _payload(2), PROPOSER, slot);
        // The Registry asks it too, before any signal: then its proposer is address 0.
        governance.upgrade(registry, address(hostile));
        address payload = _payload(1);
        vm.prank(PROPOSER);
        vm.assertTrue(proposals.vote(payload));
        _assertNewest(address(hostile), true, slot);
        vm.assertEq(proposals.yeaCount(address(hostile), slot / M, payload), 1);
        vm.assertEq(proposals.yeaCount(address(hostile), slot / M, _payload(2)), 0);
    }

    /// @dev Without clean answers of the rollup no signal is counted, by call or by signature.
    function testFuzz_misbehavingRollup_neverCountsASignal(uint256 slotMode, uint256 whoMode, uint256 which) public {
        slotMode = bound(slotMode, 0, 6);
        whoMode = bound(whoMode, slotMode == 0 ? 1 : 0, 6);
        HostileRollup hostile = new HostileRollup(address(governance), 7, PROPOSER);
        governance.upgrade(registry, address(hostile));
        hostile.setCallback(address(proposals), abi.encodeCall(IProposals.vote, (_payload(2))));
        hostile.setModes(HostileRollup.Mode(slotMode), HostileRollup.Mode(whoMode));
        bytes memory call = _asking(which % 2);
        vm.prank(PROPOSER);
        (bool success,) = address(proposals).call{gas: 3_000_000}(call);
        // Re-entering by static call achieves nothing and harms nothing: the answer is clean then.
        bool clean = (slotMode == 0 || slotMode == 6) && (whoMode == 0 || whoMode == 6) && which % 2 == 0;
        vm.assertEq(success, clean);
        _assertNewest(address(hostile), clean, clean ? 7 : 0);
        vm.assertEq(proposals.yeaCount(address(hostile), 0, _payload(1)), clean ? 1 : 0);
        vm.assertEq(proposals.yeaCount(address(hostile), 0, _payload(2)), 0);
    }

    /// @dev One that names its own choice in every slot wins every round. That is all: its round is a proposal, which
    /// holders can reject, and one proposal per payload at a time.
    function test_dictatingRollup_getsOneProposalAtATime() public {
        for (uint256 round; round < 5; ++round) {
            _win(_payload(1), round);
        }
        _toRound(5);
        vm.assertEq(proposals.pushableRounds().length, 5);
        proposals.pushProposal(2);
        vm.assertEq(proposals.pushableRounds().length, 0);
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__ProposalLive.selector, _payload(1), 0));
        proposals.pushProposal(3);
    }

    /// @dev The word of a slot fits 40 bits: the last one that a timestamp allows is counted, not truncated.
    function test_lastSlotThatFits_isCountedRight() public {
        vm.warp(type(uint40).max);
        address payload = _payload(1);
        _signal(payload, type(uint40).max - 1);
        _assertNewest(address(rollup), true, type(uint40).max - 1);
        _toSlot(type(uint40).max);
        vm.prank(PROPOSER);
        vm.expectRevert(
            abi.encodeWithSelector(ICommon.ValueTooLarge.selector, uint256(type(uint40).max) + 1, type(uint40).max)
        );
        proposals.vote(payload);
    }
}
