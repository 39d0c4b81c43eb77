// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Configuration, IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {GovernanceFixture} from "./GovernanceFixture.t.sol";

/// @notice Every state at the first and the last second of it.
contract GovernanceStateTest is GovernanceFixture {
    function _at(uint256 id, uint256 time, ProposalState expected) private {
        vm.warp(time);
        _state(id, expected, vm.toString(time));
    }

    function testFuzz_state_ofAnAcceptedProposal(Configuration memory c, uint32 gap, bool byLock) public {
        c = _passable(c);
        _deploy(c);
        _arm();
        skip(gap % 1_000_000_000);
        uint256 created = vm.getBlockTimestamp();
        uint256 id = byLock ? _pushByLock(_payload()) : _push(_payload());

        _at(id, created, ProposalState.Pending);
        uint256 end = created + c.votingDelay;
        _at(id, end, ProposalState.Pending);
        _at(id, end + 1, ProposalState.Active);
        vm.prank(majority);
        governance.vote(id, MAJORITY, true);
        end += c.votingDuration;
        _at(id, end, ProposalState.Active);
        _at(id, end + 1, ProposalState.Queued);
        end += c.executionDelay;
        _at(id, end, ProposalState.Queued);
        _at(id, end + 1, ProposalState.Executable);
        end += c.gracePeriod;
        _at(id, end, ProposalState.Executable);
        _at(id, end + 1, ProposalState.Expired);
        _at(id, end + 1000 days, ProposalState.Expired);
    }

    function testFuzz_state_ofARejectedProposal(Configuration memory c, uint32 gap, bool byLock) public {
        c = _passable(c);
        _deploy(c);
        _arm();
        skip(gap % 1_000_000_000);
        uint256 created = vm.getBlockTimestamp();
        uint256 id = byLock ? _pushByLock(_payload()) : _push(_payload());
        uint256 end = created + c.votingDelay;
        _at(id, end, ProposalState.Pending);
        _at(id, end + 1, ProposalState.Active);
        vm.prank(majority);
        governance.vote(id, MAJORITY, false);
        end += c.votingDuration;
        _at(id, end, ProposalState.Active);
        _at(id, end + 1, ProposalState.Rejected);
        _at(id, end + c.executionDelay, ProposalState.Rejected);
        _at(id, end + c.executionDelay + 1, ProposalState.Rejected);
        _at(id, end + c.executionDelay + c.gracePeriod, ProposalState.Rejected);
        _at(id, end + c.executionDelay + c.gracePeriod + 1, ProposalState.Rejected);
    }

    function testFuzz_state_withoutBallotsIsRejected(Configuration memory c, uint256 locked) public {
        c = _allowed(c);
        _deploy(c);
        locked = bound(locked, 0, SUPPLY);
        if (locked != 0) _lock(majority, locked);
        uint256 id = _push(_payload());
        _at(id, _ends(id)[1], ProposalState.Active);
        _at(id, _ends(id)[1] + 1, ProposalState.Rejected);
    }

    /// @dev At any second, from the boundaries written down once more.
    function testFuzz_state_atAnyTime(Configuration memory c, uint256 time, bool accepted) public {
        c = _passable(c);
        _deploy(c);
        _arm();
        uint256 id = _push(_payload());
        vm.warp(START + c.votingDelay + 1);
        vm.prank(majority);
        governance.vote(id, MAJORITY, accepted);

        uint256 length = c.votingDelay + c.votingDuration + c.executionDelay + c.gracePeriod;
        time = bound(time, START, START + length + 1 hours);
        ProposalState expected;
        uint256 age = time - START;
        if (age <= c.votingDelay) expected = ProposalState.Pending;
        else if (age <= c.votingDelay + c.votingDuration) expected = ProposalState.Active;
        else if (!accepted) expected = ProposalState.Rejected;
        else if (age <= length - c.gracePeriod) expected = ProposalState.Queued;
        else if (age <= length) expected = ProposalState.Executable;
        else expected = ProposalState.Expired;
        _at(id, time, expected);
    }

    function testFuzz_state_theFrozenConfigurationCounts(
        Configuration memory c,
        Configuration memory other,
        uint256 changeAt
    ) public {
        c = _passable(c);
        _deploy(c);
        _arm();
        uint256 id = _push(_payload());
        uint256[4] memory ends = _ends(id);
        changeAt = bound(changeAt, START, ends[3]);
        // Where it changes relative to the ballot doesn't matter either.
        if (changeAt <= ends[0]) _configureAt(changeAt, other);
        _approve(id);
        if (changeAt > ends[0]) _configureAt(changeAt, other);

        _same(governance.getProposal(id).config, c);
        _same(governance.getConfiguration(), other);
        _at(id, ends[0], ProposalState.Pending);
        _at(id, ends[0] + 1, ProposalState.Active);
        _at(id, ends[1], ProposalState.Active);
        _at(id, ends[1] + 1, ProposalState.Queued);
        _at(id, ends[2] + 1, ProposalState.Executable);
        _at(id, ends[3], ProposalState.Executable);
        _at(id, ends[3] + 1, ProposalState.Expired);
    }

    function _configureAt(uint256 time, Configuration memory c) private {
        vm.warp(time);
        _configure(_changeable(c));
    }

    /// @dev What is proposed in the second of a change is under the new configuration if it comes after it.
    function testFuzz_state_aNewProposalHasTheNewConfiguration(Configuration memory a, Configuration memory b) public {
        a = _allowed(a);
        b = _allowed(b);
        _deploy(a);
        uint256 before = _push(_payload());
        _configure(_changeable(b));
        uint256 later = _push(_payload());
        _same(governance.getProposal(before).config, a);
        _same(governance.getProposal(later).config, b);
    }

    function testFuzz_state_executedIsFinal(uint256 wait, bool replaced) public {
        uint256 id = _passed(_payload());
        governance.execute(id);
        _state(id, ProposalState.Executed);
        if (replaced) _setProposer(_newProposals());
        skip(bound(wait, 0, 10_000 days));
        _state(id, ProposalState.Executed);
        vm.assertEq(uint256(governance.getProposal(id).state), uint256(ProposalState.Executed));
    }

    function testFuzz_state_unknownIdsRevert(uint256 id, uint256 count) public {
        count = bound(count, 0, 3);
        for (uint256 i; i < count; ++i) {
            _push(_payload());
        }
        id = bound(id, count, type(uint256).max);
        _refuseUnknown(id);
        governance.getProposalState(id);
        if (count != 0) _state(count - 1, ProposalState.Pending);
    }

    /// @dev Only what happened is stored; the rest follows from the time.
    function testFuzz_state_storedIsPendingUntilTheEnd(uint256 time) public {
        _arm();
        uint256 id = _push(_payload());
        _approve(id);
        vm.warp(bound(time, START, _ends(id)[3] + 100 days));
        vm.assertEq(uint256(governance.getProposal(id).state), uint256(ProposalState.Pending));
    }
}
