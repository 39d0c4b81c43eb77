// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {Box} from "../mocks/Box.sol";
import {SetLib} from "../Set.sol";
import {Scenario} from "./Scenario.sol";

/// @notice The same payload winning more than one round.
contract SameWinnerTest is Scenario {
    address internal payload;

    function setUp() public override {
        super.setUp();
        payload = _boxPayload(7);
    }

    /// @dev Stakers signal on while the proposal is in flight: `payload` wins the round after this one too.
    function _winTwice() internal returns (uint256 id, uint256 second) {
        id = _propose(payload);
        // The round that begins now.
        second = rollup.getCurrentSlot() / SetLib.M;
        _signal(rollup, payload, SetLib.N);
        _toNextRound(rollup);
    }

    function _expectLive(uint256 id) internal {
        _expectRevert(abi.encodeWithSelector(IProposals.Proposals__ProposalLive.selector, payload, id));
    }

    function testFuzz_sameWinner_theSecondPushIsRefusedWhileTheFirstIsLive(uint256 wait) public {
        (uint256 id, uint256 second) = _winTwice();
        // The round stays pushable for five rounds, so all its life falls into Pending.
        _to(_now() + bound(wait, 0, 5 * ROUND - 1));
        _expectLive(id);
        proposals.winnerOf(second);
        _expectLive(id);
        proposals.pushProposal(second);
        vm.assertEq(proposals.pushableRounds().length, 0);
    }

    /// @dev The state in which the first proposal is when a later win of the same payload is pushed.
    function _winAgainIn(ProposalState state) internal returns (uint256 id, uint256 round) {
        id = _propose(payload);
        bool accepted = state == ProposalState.Queued || state == ProposalState.Executable
            || state == ProposalState.Executed || state == ProposalState.Expired;
        if (accepted) _accept(id);
        if (state == ProposalState.Active) _to(_lastPending(id) + 1);
        if (state == ProposalState.Queued || state == ProposalState.Rejected) _to(_lastActive(id) + 1);
        if (state == ProposalState.Executable || state == ProposalState.Executed) _to(_lastQueued(id) + 1);
        if (state == ProposalState.Executed) governance.execute(id);
        if (state == ProposalState.Expired) _to(_lastExecutable(id) + 1);
        round = _win(payload);
        _assertState(id, state);
    }

    function test_sameWinner_refusedInEveryLiveState() public {
        ProposalState[4] memory live =
            [ProposalState.Pending, ProposalState.Active, ProposalState.Queued, ProposalState.Executable];
        for (uint256 i; i < live.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            (uint256 id, uint256 round) = _winAgainIn(live[i]);
            _expectLive(id);
            proposals.pushProposal(round);
            vm.revertToState(snapshot);
        }
    }

    function test_sameWinner_acceptedWhenTheFirstIsOver() public {
        ProposalState[3] memory over = [ProposalState.Rejected, ProposalState.Executed, ProposalState.Expired];
        for (uint256 i; i < over.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            (uint256 id, uint256 round) = _winAgainIn(over[i]);
            uint256[] memory pushable = proposals.pushableRounds();
            vm.assertEq(pushable.length, 1);
            vm.assertEq(pushable[0], round);
            vm.assertEq(proposals.winnerOf(round), payload);
            uint256 again = _push(round);
            vm.assertEq(again, id + 1);
            (bool exists, uint256 latest) = proposals.latestProposalOf(payload);
            vm.assertTrue(exists);
            vm.assertEq(latest, again);
            vm.revertToState(snapshot);
        }
    }

    function test_sameWinner_aWinHeldBackIsPushedWhenTheFirstIsOver() public {
        // The winner of the round after the first push, kept until the proposal has been rejected within the round's life.
        uint256 id = _propose(payload);
        _to(_lastActive(id) + 1 - 3 * ROUND);
        uint256 round = _win(payload);
        _to(_lastActive(id));
        _expectLive(id);
        proposals.pushProposal(round);
        _to(_lastActive(id) + 1);
        _push(round);
    }

    function test_sameWinner_acceptedWhenTheFirstIsDropped() public {
        uint256 id = _propose(payload);
        IProposals next =
            IProposals(vm.deployCode(SetLib.artifact("Proposals"), abi.encode(registry, SetLib.N, SetLib.M)));
        _enactByLock(_proposalsPayload(address(next)));
        _assertState(id, ProposalState.Dropped);
        _enactByLock(_proposalsPayload(address(proposals)));
        uint256 round = _win(payload);
        _assertState(id, ProposalState.Dropped);
        uint256 again = _push(round);
        _assertState(again, ProposalState.Pending);
        _assertState(id, ProposalState.Dropped);
    }

    function test_sameWinner_proposalsThroughTheLockDoNotCount() public {
        uint256 locked = _proposeByLock(alice, payload);
        uint256 id = _propose(payload);
        _assertState(locked, ProposalState.Pending);
        _assertState(id, ProposalState.Pending);
    }

    function test_sameWinner_executedTwiceOnlyIfProposedAndAcceptedTwice() public {
        _enact(payload);
        vm.assertEq(box.calls(), 1);
        _enact(payload);
        vm.assertEq(box.calls(), 2);
        _expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__NotExecutable.selector, 0, ProposalState.Executed)
        );
        governance.execute(0);
    }

    function test_sameWinner_anotherPayloadWithTheSameActionsIsAnotherProposal() public {
        uint256 a = _propose(payload);
        uint256 b = _propose(_boxPayload(7));
        vm.assertEq(governance.actionsHash(a), governance.actionsHash(b));
        _assertState(a, ProposalState.Pending);
        _assertState(b, ProposalState.Pending);
    }

    function test_sameWinner_aRoundIsPushedOnce() public {
        uint256 round = _win(payload);
        uint256 id = _push(round);
        _expectRevert(abi.encodeWithSelector(IProposals.Proposals__AlreadyPushed.selector, round, id));
        proposals.pushProposal(round);
    }
}
