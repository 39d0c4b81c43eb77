// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {IRollup} from "canon/interfaces/IRollup.sol";
import {Vm} from "../Vm.sol";
import {Delegation} from "../mocks/Delegation.sol";
import {ProposalsBase} from "./ProposalsBase.t.sol";

/// @notice One signal: who may cast it, when, and what it leaves behind.
contract ProposalsVoteTest is ProposalsBase {
    bytes4 private constant SLOT = IRollup.getCurrentSlot.selector;
    bytes4 private constant WHO = IRollup.getCurrentProposer.selector;

    function _vote(address caller, address payload) internal returns (bool) {
        vm.prank(caller);
        return proposals.vote(payload);
    }

    function testFuzz_vote_castsOneSignal(address proposer, uint256 slot, uint256 payloadNumber) public {
        vm.assume(proposer != address(0));
        slot = bound(slot, 0, START);
        address payload = _payload(payloadNumber % 1000);
        uint256 round = slot / M;
        rollup.set(slot, proposer);
        vm.expectEmit(address(proposals));
        emit IProposals.PayloadSeen(payload, payload.codehash);
        vm.expectEmit(address(proposals));
        emit IProposals.SlotUsed(slot);
        vm.expectEmit(address(proposals));
        emit IProposals.VoteCast(payload, round, proposer);
        vm.assertTrue(_vote(proposer, payload));
        _assertRound(address(rollup), round, slot, payload, false);
        vm.assertEq(proposals.yeaCount(address(rollup), round, payload), 1);
        _assertNewest(address(rollup), true, slot);
    }

    function testFuzz_vote_refusesAPayloadWithoutCode(address payload) public {
        payload = address(uint160(bound(uint160(payload), 0x10000, type(uint160).max)));
        vm.assume(payload.code.length == 0);
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoCode.selector, payload));
        _vote(PROPOSER, payload);
    }

    /// @dev A delegated account is no payload: its key could change what it lists.
    function testFuzz_vote_refusesADelegationAsPayload(uint256 key, address delegate) public {
        address payload = vm.addr(bound(key, 1, type(uint128).max));
        Delegation.set(payload, delegate);
        vm.assertEq(payload.code.length, 23);
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoCode.selector, payload));
        _vote(PROPOSER, payload);
    }

    /// @dev Only the prefix of a delegation makes one, not its length.
    function testFuzz_vote_acceptsOtherCodeOfADelegationsLength(bytes23 code) public {
        vm.assume(code[0] != 0xef);
        address payload = address(0xDADA);
        vm.etch(payload, abi.encodePacked(code));
        vm.assertTrue(_vote(PROPOSER, payload));
        vm.assertEq(proposals.yeaCount(address(rollup), 0, payload), 1);
    }

    function testFuzz_vote_refusesASlotInTheFuture(uint256 slot, uint256 time) public {
        time = bound(time, START, type(uint32).max);
        slot = bound(slot, time + 1, type(uint256).max);
        vm.warp(time);
        _toSlot(slot);
        address payload = _payload(1);
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__SlotInFuture.selector, slot, time));
        _vote(PROPOSER, payload);
        _toSlot(time);
        vm.assertTrue(_vote(PROPOSER, payload), "a slot may be as high as the timestamp");
    }

    /// @dev One signal per slot over all payloads, and none in a slot older than one already used.
    function testFuzz_vote_refusesASlotAlreadyUsed(uint256 used, uint256 slot, uint256 other, address caller) public {
        used = bound(used, 0, START);
        slot = bound(slot, 0, used);
        _signal(_payload(1), used);
        address payload = _payload(other % 3);
        rollup.set(slot, caller);
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__SlotAlreadyUsed.selector, slot, used));
        _vote(caller, payload);
        _assertRound(address(rollup), used / M, used, _payload(1), false);
    }

    function test_vote_slotZeroIsAnOrdinarySlot() public {
        _signal(_payload(1), 0);
        _assertNewest(address(rollup), true, 0);
        _assertRound(address(rollup), 0, 0, _payload(1), false);
        address payload = _payload(2);
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__SlotAlreadyUsed.selector, 0, 0));
        _vote(PROPOSER, payload);
        _signal(_payload(1), 1);
        vm.assertEq(proposals.yeaCount(address(rollup), 0, _payload(1)), 2);
    }

    function testFuzz_vote_onlyByTheSlotsProposer(address caller, address proposer, uint256 slot) public {
        vm.assume(caller != proposer && proposer != address(0));
        slot = bound(slot, 0, START);
        rollup.set(slot, proposer);
        address payload = _payload(1);
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__NotProposer.selector, caller, proposer));
        _vote(caller, payload);
    }

    /// @dev An empty set proposes as address 0, and address 0 may not signal either.
    function testFuzz_vote_byNobodyWhenThereIsNoProposer(address caller, uint256 slot) public {
        slot = bound(slot, 0, START);
        rollup.set(slot, address(0));
        address payload = _payload(1);
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__NoProposer.selector, slot));
        _vote(caller, payload);
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__NoProposer.selector, slot));
        _vote(address(0), payload);
    }

    /// @dev A proposer whose account is delegated signals like any other.
    function testFuzz_vote_byADelegatedProposer(uint256 key, uint256 slot) public {
        address proposer = vm.addr(bound(key, 1, type(uint128).max));
        slot = bound(slot, 0, START);
        Delegation.set(proposer, address(rollup));
        rollup.set(slot, proposer);
        vm.assertTrue(_vote(proposer, _payload(1)));
    }

    /// @dev Payload's code, rollup's code, slot not in the future, slot unused, proposer exists and is the caller.
    function testFuzz_vote_checksInOrder(uint256 first, uint256 further) public {
        // The first fault, and any after it; none if it is 8.
        first = bound(first, 0, 8);
        uint256 faults = (further << (first + 1)) | (1 << first);
        _signal(_payload(9), 5);
        address payload = faults & 1 != 0 ? address(0xDEFEC7) : _payload(1);
        uint256 slot = faults & 8 != 0 ? START + 1 : faults & 16 != 0 ? further % 6 : 6;
        address proposer = faults & 64 != 0 ? address(0) : PROPOSER;
        address caller = faults & 128 != 0 ? address(0xBAD) : PROPOSER;
        rollup.set(slot, proposer);
        if (faults & 4 != 0) rollup.answer(SLOT, "");
        if (faults & 32 != 0) rollup.answer(WHO, "");
        if (faults & 2 != 0) vm.etch(address(rollup), "");

        bytes memory refusal;
        if (faults & 1 != 0) refusal = abi.encodeWithSelector(ICommon.NoCode.selector, payload);
        else if (faults & 2 != 0) refusal = abi.encodeWithSelector(ICommon.NoCode.selector, address(rollup));
        else if (faults & 4 != 0) refusal = abi.encodeWithSelector(ICommon.NoAnswer.selector, address(rollup), SLOT);
        else if (slot > START) {
            refusal = abi.encodeWithSelector(IProposals.Proposals__SlotInFuture.selector, slot, START);
        } else if (slot < 6) {
            refusal = abi.encodeWithSelector(IProposals.Proposals__SlotAlreadyUsed.selector, slot, 5);
        } else if (faults & 32 != 0) {
            refusal = abi.encodeWithSelector(ICommon.NoAnswer.selector, address(rollup), WHO);
        } else if (proposer == address(0)) {
            refusal = abi.encodeWithSelector(IProposals.Proposals__NoProposer.selector, slot);
        } else if (caller != proposer) {
            refusal = abi.encodeWithSelector(IProposals.Proposals__NotProposer.selector, caller, proposer);
        }
        if (refusal.length != 0) vm.expectRevert(refusal);
        _vote(caller, payload);
        vm.assertEq(proposals.yeaCount(address(rollup), 0, payload), refusal.length == 0 ? 1 : 0);
        _assertNewest(address(rollup), true, refusal.length == 0 ? 6 : 5);
    }

    /// @dev A signal that was refused leaves the slot to its proposer.
    function testFuzz_vote_aRefusedSignalUsesNothingUp(address stranger, uint256 slot) public {
        vm.assume(stranger != PROPOSER);
        slot = bound(slot, 0, START);
        _toSlot(slot);
        address payload = _payload(1);
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__NotProposer.selector, stranger, PROPOSER));
        _vote(stranger, payload);
        _assertNewest(address(rollup), false, 0);
        vm.assertEq(proposals.pinnedCodeHash(address(rollup), slot / M, payload), 0);
        vm.assertTrue(_vote(PROPOSER, payload));
    }

    /// @dev 224 bits at least; the event has the whole hash.
    function testFuzz_vote_pinsTheCodeAtTheFirstSignalOfARound(bytes memory code, uint256 round) public {
        vm.assume(code.length != 0 && code[0] != 0xef);
        round = bound(round, 0, START / M - 1);
        address payload = address(0xDADA);
        vm.etch(payload, code);
        vm.recordLogs();
        _signal(payload, round * M);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs[0].topics[0], IProposals.PayloadSeen.selector);
        vm.assertEq(abi.decode(logs[0].data, (bytes32)), keccak256(code));
        bytes32 pinned = proposals.pinnedCodeHash(address(rollup), round, payload);
        vm.assertEq(pinned >> 32, keccak256(code) >> 32);

        // Later signals of the round don't look again.
        vm.etch(payload, abi.encodePacked(hex"00", code));
        vm.recordLogs();
        _signal(payload, round * M + 1);
        logs = vm.getRecordedLogs();
        vm.assertEq(logs.length, 2);
        vm.assertEq(logs[0].topics[0], IProposals.SlotUsed.selector);
        vm.assertEq(logs[1].topics[0], IProposals.VoteCast.selector);
        vm.assertEq(proposals.pinnedCodeHash(address(rollup), round, payload), pinned);
    }

    function testFuzz_vote_pinsAnewInEveryRound(uint256 first, uint256 gap, bytes memory code) public {
        vm.assume(code.length != 0 && code[0] != 0xef);
        first = bound(first, 0, 1_000_000);
        gap = bound(gap, 1, 1_000_000);
        address payload = address(0xDADA);
        vm.etch(payload, hex"01");
        _signal(payload, first * M);
        vm.etch(payload, code);
        _toRound(first + gap);
        vm.expectEmit(address(proposals));
        emit IProposals.PayloadSeen(payload, keccak256(code));
        _vote(PROPOSER, payload);
        vm.assertEq(
            proposals.pinnedCodeHash(address(rollup), first + gap, payload) >> 32, keccak256(code) >> 32
        );
        vm.assertEq(proposals.pinnedCodeHash(address(rollup), first, payload) >> 32, keccak256(hex"01") >> 32);
    }

    function testFuzz_vote_announcesTheQuorumOnce(uint256 m, uint256 n, uint256 extra) public {
        m = bound(m, 2, 40);
        n = bound(n, m / 2 + 1, m);
        extra = bound(extra, 0, m - n);
        proposals = _deploy(n, m);
        for (uint256 i; i < n + extra; ++i) {
            _toSlot(i);
            address payload = _payload(1);
            vm.recordLogs();
            _vote(PROPOSER, payload);
            Vm.Log[] memory logs = vm.getRecordedLogs();
            bool quorum = i + 1 == n;
            vm.assertEq(logs.length, (i == 0 ? 3 : 2) + (quorum ? 1 : 0));
            if (!quorum) continue;
            Vm.Log memory last = logs[logs.length - 1];
            vm.assertEq(last.topics[0], IProposals.QuorumReached.selector);
            vm.assertEq(address(uint160(uint256(last.topics[1]))), payload);
            vm.assertEq(uint256(last.topics[2]), 0);
        }
    }

    /// @dev The longest round there can be still counts right at its end.
    function testFuzz_vote_inTheLastSlotOfALongRound(uint256 m, uint256 round) public {
        m = bound(m, 2, type(uint24).max);
        round = bound(round, 0, START / m - 1);
        proposals = _deploy(m, m);
        uint256 last = (round + 1) * m - 1;
        _signal(_payload(1), last);
        vm.assertEq(proposals.yeaCount(address(rollup), round, _payload(1)), 1);
        _signal(_payload(1), last + 1);
        vm.assertEq(proposals.yeaCount(address(rollup), round, _payload(1)), 1);
        vm.assertEq(proposals.yeaCount(address(rollup), round + 1, _payload(1)), 1);
    }

    /// @dev Proposers aren't registered with Proposals: the rollup alone says who proposes.
    function testFuzz_vote_eachSlotHasAnotherProposer(uint256 seed) public {
        for (uint256 slot; slot < M; ++slot) {
            address proposer = address(uint160(uint256(keccak256(abi.encode(seed, slot)))));
            rollup.set(slot, proposer);
            address payload = _payload(1);
            vm.expectEmit(address(proposals));
            emit IProposals.VoteCast(payload, 0, proposer);
            _vote(proposer, payload);
        }
        vm.assertEq(proposals.yeaCount(address(rollup), 0, _payload(1)), M);
    }
}
