// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ballot, Configuration, IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {SetLib} from "../Set.sol";
import {BallotMessage, TypedData} from "../TypedData.sol";
import {GovernanceFixture} from "./GovernanceFixture.t.sol";
import {Reference} from "./lib/TabulationReference.sol";

/// @notice Ballots against in the first half of the execution delay, and none after it.
contract GovernanceObjectionsTest is GovernanceFixture {
    address internal objector;

    function setUp() public override {
        super.setUp();
        objector = addressOf("objector");
    }

    /// @dev A proposal that `MAJORITY` accepted, in its first Queued second; `power` is the objector's.
    function _queued(uint256 power, bool byLock) private returns (uint256 id) {
        _arm();
        _lock(objector, power);
        id = byLock ? _pushByLock(_payload()) : _push(_payload());
        _approve(id);
        vm.warp(_ends(id)[1] + 1);
        _state(id, ProposalState.Queued);
    }

    function _vote(address voter, uint256 id, uint256 amount, bool support) private {
        vm.prank(voter);
        vm.assertTrue(governance.vote(id, amount, support));
    }

    function _refuseNotActive(uint256 id, address voter, bool support, ProposalState state) private {
        _refuseState(IGovernance.Governance__NotActive.selector, id, state);
        vm.prank(voter);
        governance.vote(id, 1, support);
    }

    function _refuseOver(uint256 id, address voter) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IGovernance.Governance__ObjectionsOver.selector,
                id,
                vm.getBlockTimestamp(),
                governance.objectionsUntil(id)
            )
        );
        vm.prank(voter);
        governance.vote(id, 1, false);
    }

    /// @dev Every boundary of the half, whatever the configuration and the way the proposal came.
    function testFuzz_objections_areTakenInTheFirstHalfOnly(Configuration memory c, uint256 time, bool byLock) public {
        c = _passable(c);
        _deploy(c);
        uint256 id = _queued(3, byLock);
        uint256[4] memory ends = _ends(id);
        uint256 last = ends[1] + c.executionDelay / 2;
        vm.assertEq(governance.objectionsUntil(id), last);

        _vote(objector, id, 1, false);
        vm.warp(bound(time, ends[1] + 1, last));
        _vote(objector, id, 1, false);
        vm.warp(last);
        _vote(objector, id, 1, false);
        _sums(id, MAJORITY, 3);

        vm.warp(last + 1);
        _state(id, ProposalState.Queued);
        _refuseOver(id, objector);
        vm.warp(bound(time, last + 1, ends[2]));
        _refuseOver(id, objector);
        vm.warp(ends[2]);
        _refuseOver(id, objector);
        vm.warp(ends[2] + 1);
        _refuseNotActive(id, objector, false, ProposalState.Executable);
        _sums(id, MAJORITY, 3);
        governance.execute(id);
        _refuseNotActive(id, objector, false, ProposalState.Executed);
    }

    function _sums(uint256 id, uint256 yea, uint256 nea) private view {
        Ballot memory sums = governance.getProposal(id).summedBallot;
        vm.assertEq(sums.yea, yea, "sum of yea");
        vm.assertEq(sums.nea, nea, "sum of nea");
    }

    /// @dev The shortest delays, odd and even: half of 61 seconds are 30.
    function test_objections_theHalfIsRoundedDown() public {
        Configuration memory c = SetLib.configuration();
        for (c.executionDelay = 60; c.executionDelay < 63; ++c.executionDelay) {
            _configure(c);
            uint256 id = _queued(2, false);
            uint256 lastActive = _ends(id)[1];
            uint256 half = c.executionDelay == 62 ? 31 : 30;
            vm.warp(lastActive + half);
            _vote(objector, id, 1, false);
            vm.warp(lastActive + half + 1);
            _refuseOver(id, objector);
        }
    }

    /// @dev A ballot for is taken while Active only.
    function testFuzz_objections_aBallotForIsNotOne(uint256 time, uint256 amount, bool byLock) public {
        uint256 id = _queued(bound(amount, 1, 1e18), byLock);
        uint256[4] memory ends = _ends(id);
        _refuseNotActive(id, objector, true, ProposalState.Queued);
        vm.warp(bound(time, ends[1] + 1, ends[2]));
        _refuseNotActive(id, objector, true, ProposalState.Queued);
        _sums(id, MAJORITY, 0);
    }

    /// @dev The proposal is Rejected at the ballot that tips it, not a unit earlier, and stays so; then no ballot is taken.
    function testFuzz_objections_tipAtTheVeryBallot(uint256 yea, uint256 differential, uint256 time) public {
        Configuration memory c = SetLib.configuration();
        c.voteDifferential = bound(differential, 0, 0.9e18);
        c.quorum = 1;
        c.minimumVotes = 1;
        _deploy(c);
        // Enough for a quorum of 1e-18.
        yea = bound(yea, 1e12, SUPPLY / 4);
        _lock(majority, yea);
        _lock(objector, SUPPLY / 2);
        uint256 id = _push(_payload());
        vm.warp(_lastPending(id) + 1);
        _vote(majority, id, yea, true);

        vm.warp(bound(time, _ends(id)[1] + 1, governance.objectionsUntil(id)));
        uint256 tips = _leastRefusal(yea, c.voteDifferential);
        if (tips > 1) _vote(objector, id, tips - 1, false);
        _state(id, ProposalState.Queued, "a unit before");
        _vote(objector, id, 1, false);
        _state(id, ProposalState.Rejected, "tipped");

        _refuseNotActive(id, objector, false, ProposalState.Rejected);
        _refuseNotActive(id, objector, true, ProposalState.Rejected);
        uint256[4] memory ends = _ends(id);
        vm.warp(ends[2]);
        _state(id, ProposalState.Rejected);
        vm.warp(ends[2] + 1);
        _state(id, ProposalState.Rejected);
        _refuseState(IGovernance.Governance__NotExecutable.selector, id, ProposalState.Rejected);
        governance.execute(id);
        vm.warp(ends[3] + 1);
        _state(id, ProposalState.Rejected);
    }

    /// @dev The least power against `yea` that refuses, by bisection: more against never helps.
    function _leastRefusal(uint256 yea, uint256 differential) private pure returns (uint256 high) {
        uint256 low = 0;
        high = yea;
        while (high - low > 1) {
            uint256 nea = (low + high) / 2;
            if (yea > Reference.limit(yea + nea, differential)) low = nea;
            else high = nea;
        }
    }

    /// @dev A quorum is reached while Active or not at all: the ballot that completes it in the last second of Active,
    /// on whichever side, isn't taken in the next second or later, when the proposal is Rejected.
    function testFuzz_objections_bringNoQuorum(uint256 yea, uint256 time, bool support) public {
        _lock(majority, MAJORITY);
        _lock(objector, MAJORITY);
        uint256 id = _push(_payload());
        vm.warp(_lastPending(id) + 1);
        // A tenth of all power is a quorum. With more than 52 % of it for the proposal, the rest may be against.
        uint256 quorum = MAJORITY / 5;
        yea = bound(yea, quorum * 53 / 100, quorum - 1);
        _vote(majority, id, yea, true);
        uint256[4] memory ends = _ends(id);
        uint256 active = vm.snapshotState();

        vm.warp(ends[1]);
        _vote(objector, id, quorum - yea, support);
        vm.warp(ends[1] + 1);
        _state(id, ProposalState.Queued, "in time");

        vm.revertToState(active);
        vm.warp(ends[1]);
        if (quorum - yea > 1) _vote(objector, id, quorum - yea - 1, support);
        vm.warp(ends[1] + 1);
        _state(id, ProposalState.Rejected, "in time, a unit less");

        vm.revertToState(active);
        vm.warp(bound(time, ends[1] + 1, ends[3]));
        _state(id, ProposalState.Rejected, "late");
        _refuseState(IGovernance.Governance__NotActive.selector, id, ProposalState.Rejected);
        vm.prank(objector);
        governance.vote(id, quorum - yea, support);
        _sums(id, yea, 0);
    }

    function testFuzz_objections_onlyPowerOfTheSnapshotCounts(uint256 power, uint256 later, uint256 more) public {
        power = bound(power, 1, 1e18);
        uint256 id = _queued(power, false);
        _lock(objector, bound(later, 1, 1e18));
        more = bound(more, power + 1, type(uint256).max);
        _refusePower(objector, power, more);
        vm.prank(objector);
        governance.vote(id, more, false);
        _refuse(IGovernance.Governance__ZeroAmount.selector);
        vm.prank(objector);
        governance.vote(id, 0, false);
        vm.prank(objector);
        governance.initiateWithdraw(objector, power);
        _vote(objector, id, power, false);
        (uint256 yea, uint256 nea) = governance.ballots(id, objector);
        vm.assertEq(yea, 0);
        vm.assertEq(nea, power);
    }

    /// @dev Power that was cast while Active can't be cast again, also not against the same holder's own ballot.
    function testFuzz_objections_ofTheRestOnly(uint256 first, uint256 rest) public {
        first = bound(first, MAJORITY / 2, MAJORITY - 1);
        _arm();
        uint256 id = _push(_payload());
        vm.warp(_lastPending(id) + 1);
        _vote(majority, id, first, true);
        vm.warp(_ends(id)[1] + 1);
        _refusePower(majority, MAJORITY - first, MAJORITY - first + 1);
        vm.prank(majority);
        governance.vote(id, MAJORITY - first + 1, false);
        rest = bound(rest, 1, MAJORITY - first);
        vm.expectEmit(address(governance));
        emit IGovernance.VoteCast(id, majority, false, rest);
        _vote(majority, id, rest, false);
        _sums(id, first, rest);
    }

    /// @dev Whose ballot may still come is bound like those whose ballot was cast.
    function testFuzz_objections_whoObjectsIsBoundUntilTheExecution(uint256 time, Configuration memory c) public {
        c = _passable(c);
        _deploy(c);
        uint256 id = _queued(1, false);
        vm.warp(bound(time, vm.getBlockTimestamp(), governance.objectionsUntil(id)));
        vm.prank(objector);
        uint256 withdrawal = governance.initiateWithdraw(objector, 1);
        _vote(objector, id, 1, false);
        vm.assertGt(governance.getWithdrawal(withdrawal).unlocksAt, _ends(id)[2]);
    }

    function testFuzz_objections_theFrozenDelayCounts(uint256 executionDelay) public {
        uint256 id = _queued(2, false);
        Configuration memory c = SetLib.configuration();
        c.executionDelay = bound(executionDelay, 60, 90 days);
        _configure(c);
        vm.warp(_ends(id)[1] + 30 minutes);
        _vote(objector, id, 1, false);
        vm.warp(_ends(id)[1] + 30 minutes + 1);
        _refuseOver(id, objector);
    }

    function test_objections_aDroppedProposalTakesNone() public {
        uint256 id = _queued(1, false);
        uint256 locked = _pushByLock(_payload());
        _setProposer(_newProposals());
        _refuseNotActive(id, objector, false, ProposalState.Dropped);
        _state(locked, ProposalState.Pending);
    }

    /*//////////////////////////////////////////////////////////////
                              BY SIGNATURE
    //////////////////////////////////////////////////////////////*/

    /// @dev The signature of the objector's next ballot, of one unit.
    function _signed(uint256 id, bool support, uint256 deadline) private returns (bytes memory) {
        (, uint256 key) = account("objector");
        BallotMessage memory ballot = BallotMessage(
            id, governance.actionsHash(id), 1, support, objector, governance.ballotNonce(id, objector), deadline
        );
        return TypedData.sign(key, ballot, address(governance));
    }

    /// @dev The state is asked for before the deadline.
    function testFuzz_objections_bySignature(uint256 time, bool lapsed) public {
        uint256 id = _queued(3, false);
        uint256 last = governance.objectionsUntil(id);
        vm.warp(bound(time, vm.getBlockTimestamp(), last));
        bytes memory signature = _signed(id, false, last);
        governance.voteWithSig(id, 1, false, objector, last, signature);
        _sums(id, MAJORITY, 1);

        signature = _signed(id, true, last);
        _refuseState(IGovernance.Governance__NotActive.selector, id, ProposalState.Queued);
        governance.voteWithSig(id, 1, true, objector, last, signature);

        vm.warp(last + 1);
        uint256 deadline = lapsed ? last : last + 1;
        signature = _signed(id, false, deadline);
        vm.expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__ObjectionsOver.selector, id, last + 1, last)
        );
        governance.voteWithSig(id, 1, false, objector, deadline, signature);
        vm.assertEq(governance.ballotNonce(id, objector), 1, "a refused ballot uses no nonce up");
    }
}
