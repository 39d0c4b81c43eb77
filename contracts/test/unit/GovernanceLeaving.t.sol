// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {
    Configuration,
    IGovernance,
    Proposal,
    ProposalState,
    Withdrawal
} from "canon/interfaces/IGovernance.sol";
import {SetLib} from "../Set.sol";
import {GovernanceFixture} from "./GovernanceFixture.t.sol";

/// @notice Why leaving takes as long as it does: nobody whose ballot counts holds the asset again before the proposal
/// can be executed, and who wants to be gone by then can be.
contract GovernanceLeavingTest is GovernanceFixture {
    uint256 private constant VOTERS = 3;

    struct Exit {
        uint256 id;
        address voter;
        uint256 start;
    }

    Exit[] private _exits;
    uint256[] private _proposals;

    function _voter(uint256 index) private pure returns (address) {
        return address(uint160(0xEE00 + index));
    }

    function _some(uint256 seed) private pure returns (Configuration memory c) {
        c = SetLib.configuration();
        c.proposeConfig.lockDelay = 60;
        c.proposeConfig.lockAmount = 1000;
        c.minimumVotes = 1;
        uint256 max = seed % 4 == 0 ? 90 days : 1000;
        c.votingDelay = 60 + (seed >> 8) % (max - 59);
        c.votingDuration = 60 + (seed >> 40) % (max - 59);
        c.executionDelay = 60 + (seed >> 72) % (max - 59);
    }

    /// @dev Some time, mostly not more than the phases of the two proposals.
    function _wait(uint256 seed) private {
        uint256 time = vm.getBlockTimestamp();
        if (seed % 3 == 0 || _proposals.length == 0) {
            skip((seed >> 8) % 300);
            return;
        }
        // To a boundary of some proposal, or to the second after it.
        uint256 boundary = _ends(_proposals[(seed >> 8) % _proposals.length])[(seed >> 16) % 3] + (seed >> 24) % 2;
        if (boundary > time) vm.warp(boundary);
    }

    function _act(uint256 seed) private {
        address voter = _voter((seed >> 8) % VOTERS);
        uint256 power = _power(voter);
        uint256 kind = seed % 8;
        if (kind == 0) {
            _configure(_some(seed >> 32));
        } else if (kind == 1 && _proposals.length < 2) {
            _proposals.push(_push(_payload()));
        } else if (kind == 2 && power >= 1000) {
            _exits.push(Exit(governance.withdrawalCount(), voter, vm.getBlockTimestamp()));
            address payload = _payload();
            vm.prank(voter);
            governance.proposeWithLock(payload, voter);
        } else if (kind < 5 && power != 0) {
            uint256 amount = 1 + (seed >> 32) % power;
            _exits.push(Exit(governance.withdrawalCount(), voter, vm.getBlockTimestamp()));
            vm.prank(voter);
            governance.initiateWithdraw(voter, amount);
        } else if (_proposals.length != 0) {
            _voteIfPossible(_proposals[(seed >> 16) % _proposals.length], voter, seed);
        }
    }

    function _voteIfPossible(uint256 id, address voter, uint256 seed) private {
        if (governance.getProposalState(id) != ProposalState.Active) return;
        (uint256 yea, uint256 nea) = governance.ballots(id, voter);
        uint256 left = governance.powerAt(voter, _lastPending(id)) - yea - nea;
        if (left == 0) return;
        vm.prank(voter);
        governance.vote(id, 1 + (seed >> 64) % left, seed & 0x100 == 0);
    }

    /// @dev What was given up after the snapshot counted on the proposal.
    function testFuzz_leaving_nobodyWhoseBallotCountsHoldsTheAssetBeforeExecution(uint256 seed) public {
        _walk(seed);
    }

    /// @dev Such walks have withdrawals of the kind that is compared.
    function test_leaving_walksReachWhatTheyAreMeantToReach() public {
        uint256 compared;
        for (uint256 walk; walk < 20; ++walk) {
            uint256 state = vm.snapshotState();
            compared += _walk(walk);
            vm.revertToState(state);
        }
        vm.assertGe(compared, 20);
    }

    /// @return compared The number of withdrawals that were compared with a proposal.
    function _walk(uint256 seed) private returns (uint256 compared) {
        for (uint256 i; i < VOTERS; ++i) {
            _lock(_voter(i), 1_000_000e18);
        }
        _configure(_some(seed));
        _proposals.push(_push(_payload()));
        for (uint256 i; i < 24; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _wait(seed >> 128);
            _act(seed);
        }
        for (uint256 p; p < _proposals.length; ++p) {
            uint256[4] memory ends = _ends(_proposals[p]);
            for (uint256 i; i < _exits.length; ++i) {
                Exit memory leave = _exits[i];
                if (leave.start <= ends[0] || leave.start > ends[2]) continue;
                if (governance.powerAt(leave.voter, ends[0]) == 0) continue;
                vm.assertGt(governance.getWithdrawal(leave.id).unlocksAt, ends[2], "gone before execution");
                ++compared;
            }
        }
    }

    /// @dev The worst case: two proposals of a slow configuration are in flight when faster and
    /// faster ones replace it; a voter leaves as soon as its ballot is cast.
    function testFuzz_leaving_inTheLastSecondOfQueuedTheVoterIsStillBound(
        Configuration memory slow,
        Configuration memory fast,
        uint256 leaveAt,
        uint256 changeAt,
        uint256 gap
    ) public {
        _deploy(_passable(slow));
        _arm();
        uint256 first = _push(_payload());
        skip(bound(gap, 0, slow.votingDelay));
        uint256 second = _push(_payload());
        uint256[4] memory ends = _ends(second);
        changeAt = bound(changeAt, vm.getBlockTimestamp(), ends[1]);
        leaveAt = bound(leaveAt, ends[0] + 1, ends[1]);

        if (changeAt <= leaveAt) _configureAt(changeAt, _passable(fast));
        vm.warp(leaveAt);
        if (governance.getProposalState(first) == ProposalState.Active) _vote(first);
        _vote(second);
        vm.prank(majority);
        uint256 id = governance.initiateWithdraw(majority, MAJORITY);
        if (changeAt > leaveAt) _configureAt(changeAt, _passable(fast));

        vm.warp(ends[2]);
        _state(second, ProposalState.Queued);
        uint256 unlocksAt = governance.getWithdrawal(id).unlocksAt;
        vm.expectRevert(abi.encodeWithSelector(IGovernance.Governance__NotUnlocked.selector, ends[2], unlocksAt));
        governance.finaliseWithdraw(id);
        vm.warp(ends[2] + 1);
        governance.execute(second);
        vm.assertEq(box.calls(), 1);
    }

    function _configureAt(uint256 time, Configuration memory c) private {
        vm.warp(time);
        _configure(_changeable(c));
    }

    function _vote(uint256 id) private {
        vm.prank(majority);
        governance.vote(id, MAJORITY, true);
    }

    function testFuzz_leaving_withinFourFifthsOfTheVotingDelayIsInTime(Configuration memory c, uint256 wait) public {
        c = _passable(c);
        _deploy(c);
        _arm();
        address leaver = _voter(0);
        _lock(leaver, 1e18);
        uint256 id = _push(_payload());
        uint256 lastQueued = _ends(id)[2];
        skip(bound(wait, 0, c.votingDelay * 4 / 5));
        vm.prank(leaver);
        uint256 withdrawal = governance.initiateWithdraw(leaver, 1e18);

        _approve(id);
        vm.warp(lastQueued);
        _state(id, ProposalState.Queued);
        governance.finaliseWithdraw(withdrawal);
        vm.assertEq(asset.balanceOf(leaver), 1e18);
        vm.warp(lastQueued + 1);
        _state(id, ProposalState.Executable);
    }

    /// @dev Power given up in time has no ballot, and isn't counted in the quorum either.
    function testFuzz_leaving_inTheLastSecondOfPendingGivesTheBallotUp(uint256 locked, uint256 left) public {
        locked = bound(locked, 2, 1_000_000e18);
        left = bound(left, 1, locked);
        address leaver = _voter(0);
        _arm();
        _lock(leaver, locked);
        uint256 id = _push(_payload());
        uint256 last = _lastPending(id);
        vm.warp(last);
        vm.prank(leaver);
        governance.initiateWithdraw(leaver, left);
        vm.warp(last + 1);
        _refusePower(leaver, locked - left, locked);
        vm.prank(leaver);
        governance.vote(id, locked, false);
        vm.assertEq(governance.totalPowerAt(last), MAJORITY + locked - left);
    }

    function testFuzz_leaving_oneSecondLaterKeepsTheBallotAndBinds(Configuration memory c, uint256 locked) public {
        c = _passable(c);
        _deploy(c);
        locked = bound(locked, 1, 1_000_000e18);
        address leaver = _voter(0);
        _arm();
        _lock(leaver, locked);
        uint256 id = _push(_payload());
        vm.warp(_lastPending(id) + 1);
        vm.prank(leaver);
        uint256 withdrawal = governance.initiateWithdraw(leaver, locked);
        vm.prank(leaver);
        governance.vote(id, locked, false);
        vm.assertGt(governance.getWithdrawal(withdrawal).unlocksAt, _ends(id)[2]);
    }

    /// @dev The lock is no faster way out.
    function testFuzz_leaving_byTheLockIsNotFaster(Configuration memory c, Configuration memory fast) public {
        c = _passable(c);
        fast = _passable(fast);
        c.proposeConfig.lockDelay = 60;
        fast.proposeConfig.lockDelay = 60;
        _deploy(c);
        address leaver = _voter(0);
        _lock(leaver, 1000e18);
        uint256 id = _push(_payload());
        vm.warp(_lastPending(id) + 1);
        _configure(_changeable(fast));
        uint256 withdrawal = governance.withdrawalCount();
        address payload = _payload();
        vm.prank(leaver);
        governance.proposeWithLock(payload, leaver);
        vm.assertGt(governance.getWithdrawal(withdrawal).unlocksAt, _ends(id)[2]);
    }
}
