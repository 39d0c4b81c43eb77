// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {Delegation} from "../mocks/Delegation.sol";
import {ProposalsBase} from "./ProposalsBase.t.sol";

/// @notice Making a round's winner a proposal: when, by whom, and every refusal in its order.
contract ProposalsPushTest is ProposalsBase {
    /// @dev `winnerOf` returns the same winner or refusal beforehand.
    function _push(uint256 round, bytes memory refusal) internal {
        (, address leader,) = proposals.rounds(address(rollup), round);
        (bool wins, bytes memory answer) = address(proposals).staticcall(abi.encodeCall(IProposals.winnerOf, (round)));
        vm.assertEq(wins, refusal.length == 0);
        vm.assertEq(answer, wins ? abi.encode(leader) : refusal);
        if (refusal.length != 0) vm.expectRevert(refusal);
        bool pushed = proposals.pushProposal(round);
        if (refusal.length == 0) vm.assertTrue(pushed);
    }

    function testFuzz_push_makesTheWinnerAProposal(address caller, uint256 round, uint256 age, uint256 signals) public {
        round = bound(round, 0, 1_000_000);
        age = bound(age, 1, LIFETIME);
        signals = bound(signals, N, M);
        address payload = _payload(1);
        governance.proposeElsewhere(_payload(2));
        governance.proposeElsewhere(_payload(3));
        _signals(payload, round * M, signals);
        _toRound(round + age);
        vm.expectEmit(address(proposals));
        emit IProposals.ProposalPushed(payload, round);
        vm.prank(caller);
        vm.assertTrue(proposals.pushProposal(round));

        vm.assertEq(governance.lastCaller(), address(proposals));
        vm.assertEq(governance.payloads(2), payload);
        _assertRound(address(rollup), round, round * M + signals - 1, payload, true);
        (bool exists, uint256 id) = proposals.proposalOf(address(rollup), round);
        vm.assertTrue(exists);
        vm.assertEq(id, 2);
        (exists, id) = proposals.latestProposalOf(payload);
        vm.assertTrue(exists);
        vm.assertEq(id, 2);
    }

    /// @dev Also a round after which others had signals.
    function testFuzz_push_ofAnArchivedRound(uint256 gap) public {
        gap = bound(gap, 1, LIFETIME);
        _win(_payload(1), 3);
        _signal(_payload(2), (3 + gap) * M);
        _push(3, "");
        _assertRound(address(rollup), 3, 3 * M + N - 1, _payload(1), true);
        _assertRound(address(rollup), 3 + gap, (3 + gap) * M, _payload(2), false);
        vm.assertEq(proposals.yeaCount(address(rollup), 3, _payload(1)), N);
        vm.assertEq(proposals.yeaCount(address(rollup), 3 + gap, _payload(2)), 1);
    }

    /// @dev A round pushed while it is the newest stays pushed when it becomes history.
    function testFuzz_push_isRememberedWhenTheNextRoundBegins(uint256 later) public {
        later = bound(later, 1, 1000);
        _win(_payload(1), 3);
        _toRound(4);
        _push(3, "");
        _signal(_payload(2), (3 + later) * M);
        _assertRound(address(rollup), 3, 3 * M + N - 1, _payload(1), true);
        (bool exists, uint256 id) = proposals.proposalOf(address(rollup), 3);
        vm.assertTrue(exists);
        vm.assertEq(id, 0);
        (exists,) = proposals.proposalOf(address(rollup), 3 + later);
        vm.assertFalse(exists);
        _assertRound(address(rollup), 3 + later, (3 + later) * M, _payload(2), false);
    }

    function testFuzz_push_refusesARoundThatIsNotOver(uint256 present, uint256 round) public {
        present = bound(present, 0, 1_000_000);
        round = bound(round, present, type(uint256).max);
        _win(_payload(1), present);
        _toSlot(present * M + M - 1);
        _push(round, abi.encodeWithSelector(IProposals.Proposals__RoundNotOver.selector, round, present));
        _toSlot(present * M + M);
        _push(present, "");
    }

    function testFuzz_push_refusesARoundThatExpired(uint256 round, uint256 age) public {
        round = bound(round, 0, 1_000_000);
        age = bound(age, LIFETIME + 1, 1_000_000);
        _win(_payload(1), round);
        _toRound(round + age);
        _push(round, abi.encodeWithSelector(IProposals.Proposals__RoundExpired.selector, round, round + age));
    }

    /// @dev To the last slot of the fifth round after its own, not one slot longer.
    function testFuzz_push_theLastSlotOfItsLifetime(uint256 round, bool late) public {
        round = bound(round, 0, 1_000_000);
        _win(_payload(1), round);
        uint256 end = (round + LIFETIME + 1) * M;
        _toSlot(late ? end : end - 1);
        vm.assertEq(proposals.pushableRounds().length, late ? 0 : 1);
        bytes memory refusal;
        if (late) {
            refusal =
                abi.encodeWithSelector(IProposals.Proposals__RoundExpired.selector, round, round + LIFETIME + 1);
        }
        _push(round, refusal);
    }

    function testFuzz_push_refusesARoundAlreadyPushed(uint256 state, uint256 age) public {
        age = bound(age, 1, LIFETIME);
        _win(_payload(1), 3);
        _toRound(4);
        governance.proposeElsewhere(_payload(2));
        _push(3, "");
        _toRound(3 + age);
        governance.setState(1, ProposalState(bound(state, 0, 7)));
        _push(3, abi.encodeWithSelector(IProposals.Proposals__AlreadyPushed.selector, 3, 1));
    }

    function testFuzz_push_refusesARoundWithoutLeader(uint256 round, uint256 age, bool signalsAround) public {
        round = bound(round, 1, 1_000_000);
        age = bound(age, 1, LIFETIME);
        if (signalsAround) {
            _signal(_payload(1), round * M - 1);
            _signal(_payload(1), (round + 1) * M);
        }
        _toRound(round + age);
        _push(round, abi.encodeWithSelector(IProposals.Proposals__NoLeader.selector, round));
    }

    function testFuzz_push_refusesALeaderBelowTheQuorum(uint256 count, uint256 others) public {
        count = bound(count, 1, N - 1);
        others = bound(others, 0, count);
        _signals(_payload(1), 3 * M, count);
        _signals(_payload(2), 3 * M + count, others);
        _toRound(4);
        _push(3, abi.encodeWithSelector(IProposals.Proposals__QuorumNotReached.selector, _payload(1), count, N));
    }

    /// @dev The refusal carries both hashes, as far as they are compared.
    function _codeChanged(address payload, bytes32 expected, bytes32 found) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IProposals.Proposals__CodeChanged.selector, payload, expected >> 24 << 24, found >> 24 << 24
        );
    }

    function test_push_codeGoneHasAHashOfZero() public {
        address payload = _payload(1);
        bytes32 pinned = payload.codehash;
        _win(payload, 3);
        _toRound(4);
        vm.etch(payload, "");
        // An account that has neither code nor a balance nor a nonce has no hash.
        vm.assertEq(payload.codehash, 0);
        _push(3, _codeChanged(payload, pinned, 0));
    }

    function testFuzz_push_refusesCodeThatChanged(bytes memory code, bool delegated) public {
        if (code.length != 0 && code[0] == 0xef) code[0] = 0;
        address payload = _payload(1);
        bytes memory before = payload.code;
        vm.assume(keccak256(code) != keccak256(before));
        _win(payload, 3);
        _toRound(4);
        if (delegated) Delegation.set(payload, _payload(2));
        else vm.etch(payload, code);
        vm.assertEq(proposals.pushableRounds().length, 0);
        _push(3, _codeChanged(payload, keccak256(before), payload.codehash));
        // What counts is that it is the code that was signaled for, whatever was there in between.
        vm.etch(payload, before);
        _push(3, "");
    }

    /// @dev The first signal pins; code replaced right after it costs the payload the round.
    function testFuzz_push_comparesWithTheCodeOfTheFirstSignal(uint256 when) public {
        when = bound(when, 1, N - 1);
        address payload = _payload(1);
        bytes32 pinned = payload.codehash;
        _signals(payload, 3 * M, when);
        vm.etch(payload, hex"c0de");
        _signals(payload, 3 * M + when, N - when);
        _toRound(4);
        _push(3, _codeChanged(payload, pinned, keccak256(hex"c0de")));
        // Signaled for again, the new code wins.
        _win(payload, 4);
        _toRound(5);
        _push(4, "");
    }

    /// @dev Pending, Active, Queued and Executable are live, the other four states are over.
    function testFuzz_push_refusesWhileAProposalOfThePayloadIsLive(uint256 state, uint256 others) public {
        state = bound(state, 0, 7);
        others = bound(others, 0, 5);
        for (uint256 i; i < others; ++i) {
            governance.proposeElsewhere(_payload(10 + i));
        }
        address payload = _payload(1);
        _win(payload, 3);
        _win(payload, 4);
        _toRound(5);
        _push(3, "");
        governance.setState(others, ProposalState(state));
        bool live = state <= 3;
        vm.assertEq(proposals.pushableRounds().length, live ? 0 : 1);
        bytes memory refusal;
        if (live) refusal = abi.encodeWithSelector(IProposals.Proposals__ProposalLive.selector, payload, others);
        _push(4, refusal);
        (, uint256 id) = proposals.latestProposalOf(payload);
        vm.assertEq(id, live ? others : others + 1);
    }

    /// @dev Other payloads' proposals, and the same payload's through the lock, don't stop a push.
    function testFuzz_push_onlyWhatWasPushedHereCounts(uint256 elsewhere) public {
        elsewhere = bound(elsewhere, 1, 5);
        _win(_payload(1), 3);
        _win(_payload(2), 4);
        for (uint256 i; i < elsewhere; ++i) {
            governance.proposeElsewhere(_payload(1));
        }
        _toRound(5);
        (bool exists,) = proposals.latestProposalOf(_payload(1));
        vm.assertFalse(exists);
        _push(3, "");
        _push(4, "");
        (, uint256 id) = proposals.latestProposalOf(_payload(1));
        vm.assertEq(id, elsewhere);
        (, id) = proposals.latestProposalOf(_payload(2));
        vm.assertEq(id, elsewhere + 1);
    }

    /// @dev Rollup's code, round over, lifetime, not pushed, leader, quorum, code, no live proposal.
    function testFuzz_push_checksInOrder(uint256 first, uint256 further) public {
        // The first fault, and any after it; none if it is 8.
        first = bound(first, 0, 8);
        uint256 faults = (further << (first + 1)) | (1 << first);
        address payload = _payload(1);
        bool pushed = faults & 8 != 0;
        uint256 signals = pushed ? N : faults & 16 != 0 ? 0 : faults & 32 != 0 ? 1 + further % (N - 1) : N;
        // An earlier round of the same payload, pushed and live.
        bool live = !pushed && faults & 128 != 0;
        if (live) {
            _win(payload, 6);
            _toRound(7);
            proposals.pushProposal(6);
        }
        _signals(payload, 7 * M, signals);
        if (pushed) {
            _toRound(8);
            proposals.pushProposal(7);
        }
        uint256 present = faults & 2 != 0 ? 7 : faults & 4 != 0 ? 13 + further % 100 : 8 + further % LIFETIME;
        _toRound(present);
        if (present == 7) _toSlot(7 * M + N);
        bytes32 pinned = payload.codehash;
        if (faults & 64 != 0) vm.etch(payload, hex"c0de");
        if (faults & 1 != 0) vm.etch(address(rollup), "");

        bytes memory refusal;
        if (first == 0) refusal = abi.encodeWithSelector(ICommon.NoCode.selector, address(rollup));
        if (first == 1) refusal = abi.encodeWithSelector(IProposals.Proposals__RoundNotOver.selector, 7, 7);
        if (first == 2) refusal = abi.encodeWithSelector(IProposals.Proposals__RoundExpired.selector, 7, present);
        if (first == 3) refusal = abi.encodeWithSelector(IProposals.Proposals__AlreadyPushed.selector, 7, 0);
        if (first == 4) refusal = abi.encodeWithSelector(IProposals.Proposals__NoLeader.selector, 7);
        if (first == 5) {
            refusal =
                abi.encodeWithSelector(IProposals.Proposals__QuorumNotReached.selector, payload, signals, N);
        }
        if (first == 6) refusal = _codeChanged(payload, pinned, keccak256(hex"c0de"));
        if (first == 7) refusal = abi.encodeWithSelector(IProposals.Proposals__ProposalLive.selector, payload, 0);
        _push(7, refusal);
    }

    function testFuzz_push_mustBeTakenByGovernance(bool declines, bytes memory reason) public {
        _win(_payload(1), 3);
        _toRound(4);
        if (declines) governance.decline();
        else governance.refuse(reason);
        address payload = _payload(1);
        bytes memory refusal =
            declines ? abi.encodeWithSelector(IProposals.Proposals__ProposeFailed.selector, payload) : reason;
        (bool success, bytes memory found) =
            address(proposals).call(abi.encodeCall(IProposals.pushProposal, (3)));
        vm.assertFalse(success);
        vm.assertEq(found, refusal);
        // Nothing is marked, so that it can be tried again.
        _assertRound(address(rollup), 3, 3 * M + N - 1, payload, false);
        (bool exists,) = proposals.proposalOf(address(rollup), 3);
        vm.assertFalse(exists);
        (exists,) = proposals.latestProposalOf(payload);
        vm.assertFalse(exists);
        governance.acceptAgain();
        _push(3, "");
    }

    /// @dev Marked before Governance is called, which may call whatever it likes.
    function test_push_cannotBeReentered() public {
        _win(_payload(1), 3);
        _win(_payload(1), 4);
        _toRound(5);
        governance.callBack(abi.encodeCall(IProposals.pushProposal, (3)));
        _push(3, "");
        vm.assertFalse(governance.callbackSucceeded());
        vm.assertEq(
            governance.callbackAnswer(), abi.encodeWithSelector(IProposals.Proposals__AlreadyPushed.selector, 3, 0)
        );
        // Nor for another round of the same payload: the proposal just being made is live.
        governance.setState(0, ProposalState.Executed);
        _win(_payload(1), 5);
        _toRound(6);
        governance.callBack(abi.encodeCall(IProposals.pushProposal, (5)));
        _push(4, "");
        vm.assertFalse(governance.callbackSucceeded());
        vm.assertEq(
            governance.callbackAnswer(),
            abi.encodeWithSelector(IProposals.Proposals__ProposalLive.selector, _payload(1), 1)
        );
        vm.assertEq(governance.proposalCount(), 2);
    }

    function testFuzz_push_needsAGovernanceThatAnswers(address owner) public {
        owner = address(uint160(bound(uint160(owner), 0x10000, type(uint160).max)));
        vm.assume(owner.code.length == 0);
        governance.transferOwnership(address(registry), owner);
        vm.prank(owner);
        (bool accepted,) = address(registry).call(abi.encodeWithSignature("acceptOwnership()"));
        vm.assertTrue(accepted);
        _win(_payload(1), 3);
        _toRound(4);
        // The winner doesn't depend on Governance's code; only the push finds that there is none.
        vm.assertEq(proposals.winnerOf(3), _payload(1));
        vm.expectRevert(
            abi.encodeWithSelector(ICommon.NoAnswer.selector, owner, IGovernance.proposalCount.selector)
        );
        proposals.pushProposal(3);
        _assertRound(address(rollup), 3, 3 * M + N - 1, _payload(1), false);
    }

    /// @dev Over random histories: exactly the rounds listed are taken, oldest first, at most five, and `winnerOf`
    /// gives the same winner or the same refusal as the push.
    function testFuzz_pushableRounds_areThoseThatPushAccepts(uint256 seed) public {
        seed = uint256(keccak256(abi.encode(seed)));
        uint256 present = seed % 13;
        for (uint256 round; round < present; ++round) {
            seed = uint256(keccak256(abi.encode(seed)));
            address payload = _payload(seed % 4);
            uint256 kind = (seed >> 8) % 8;
            if (kind == 0) continue;
            _signals(payload, round * M, kind == 1 ? N - 1 : N);
            _toRound(round + 1);
            if (kind > 5) {
                // Pushed at once if possible, and its proposal gets some state.
                (bool success,) = address(proposals).call(abi.encodeCall(IProposals.pushProposal, (round)));
                if (success) {
                    uint256 id = governance.proposalCount() - 1;
                    governance.setState(id, ProposalState((seed >> 16) % 8));
                    if (seed >> 32 & 3 == 0) _answerNonsense(id, seed >> 40);
                }
            }
            if (kind == 5 && seed >> 24 & 1 == 0) vm.etch(payload, abi.encode(seed));
        }
        _toSlot(present * M + seed % M);
        uint256[] memory pushable = proposals.pushableRounds();
        vm.assertLe(pushable.length, LIFETIME);
        uint256 at;
        for (uint256 round; round < present + 3; ++round) {
            (bool wins, bytes memory winner) =
                address(proposals).staticcall(abi.encodeCall(IProposals.winnerOf, (round)));
            uint256 snapshot = vm.snapshotState();
            (bool accepted, bytes memory answer) =
                address(proposals).call(abi.encodeCall(IProposals.pushProposal, (round)));
            address pushed = accepted ? governance.payloads(governance.proposalCount() - 1) : address(0);
            vm.revertToState(snapshot);
            vm.assertEq(wins, accepted, "won, but not accepted");
            vm.assertEq(winner, accepted ? abi.encode(pushed) : answer, "another winner or refusal");
            if (!accepted) continue;
            vm.assertLt(at, pushable.length, "accepted, but not listed");
            vm.assertEq(pushable[at++], round);
        }
        vm.assertEq(at, pushable.length, "listed, but not accepted");
    }

    /// @dev Governance says nothing clean of proposal `id` from now on.
    function _answerNonsense(uint256 id, uint256 random) internal {
        bytes memory question = abi.encodeCall(IGovernance.getProposalState, (id));
        uint256 kind = random % 4;
        if (kind == 0) vm.mockCall(address(governance), question, abi.encode(8 + random));
        if (kind == 1) vm.mockCall(address(governance), question, abi.encode(5, 5));
        if (kind == 2) vm.mockCall(address(governance), question, new bytes(31));
        if (kind == 3) vm.mockCallRevert(address(governance), question, abi.encode(5));
    }

    /// @dev A winner whose earlier proposal can't be asked for isn't pushable, and hides no other.
    function testFuzz_pushableRounds_whenGovernanceAnswersNonsense(uint256 random) public {
        _win(_payload(1), 3);
        _toRound(4);
        _push(3, "");
        _win(_payload(1), 4);
        _win(_payload(2), 5);
        _toRound(6);
        governance.setState(0, ProposalState.Executed);
        vm.assertEq(proposals.pushableRounds().length, 2);
        _answerNonsense(0, bound(random, 0, type(uint128).max));
        uint256[] memory pushable = proposals.pushableRounds();
        vm.assertEq(pushable.length, 1);
        vm.assertEq(pushable[0], 5);
        _push(
            4,
            abi.encodeWithSelector(
                ICommon.NoAnswer.selector, address(governance), IGovernance.getProposalState.selector
            )
        );
        _push(5, "");
    }

    /// @dev Any account may ask, before and after the round is over; nothing is written.
    function testFuzz_winnerOf_isAView(address caller, uint256 round) public {
        round = bound(round, 0, 1_000_000);
        _win(_payload(1), round);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__RoundNotOver.selector, round, round));
        proposals.winnerOf(round);
        _toRound(round + 1);
        vm.record();
        vm.prank(caller);
        vm.assertEq(proposals.winnerOf(round), _payload(1));
        (, bytes32[] memory writes) = vm.accesses(address(proposals));
        vm.assertEq(writes.length, 0);
    }

    /// @dev Governance takes nothing of a Proposals that it doesn't listen to.
    function testFuzz_pushableRounds_noneForAnotherProposals(address other) public {
        vm.assume(other != address(proposals) && other != address(0));
        _win(_payload(1), 3);
        _toRound(4);
        governance.listenTo(other);
        vm.assertEq(proposals.pushableRounds().length, 0);
        governance.listenTo(address(proposals));
        vm.assertEq(proposals.pushableRounds().length, 1);
    }

    function test_pushableRounds_fiveAtMost() public {
        for (uint256 round; round < 8; ++round) {
            _win(_payload(round), round);
        }
        _toRound(8);
        uint256[] memory expected = new uint256[](5);
        for (uint256 i; i < 5; ++i) {
            expected[i] = 3 + i;
        }
        vm.assertEq(proposals.pushableRounds(), expected);
    }
}
