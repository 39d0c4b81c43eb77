// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ProposalState} from "canon/interfaces/IGovernance.sol";
import {Poll, ProposalPoll} from "canon/libraries/ProposalPoll.sol";
import {Test} from "../../Test.sol";

contract ProposalPollTest is Test {
    function _is(Poll poll, uint256 yea, uint256 nea) private pure {
        vm.assertEq(poll.yea(), yea, "yea");
        vm.assertEq(poll.nea(), nea, "nea");
    }

    function _is(Poll poll, uint32 time, uint16 configurationId, bool byLock, ProposalState stored) private pure {
        vm.assertEq(poll.creation(), time, "creation");
        vm.assertEq(poll.configurationId(), configurationId, "configurationId");
        vm.assertEq(poll.byLock(), byLock, "byLock");
        vm.assertEq(uint256(poll.stored()), uint256(stored), "stored");
    }

    function testFuzz_create_keepsWhatItIsGiven(uint32 time, uint16 configurationId, bool byLock) public pure {
        Poll poll = ProposalPoll.create(time, configurationId, byLock);
        _is(poll, time, configurationId, byLock, ProposalState.Pending);
        _is(poll, 0, 0);
    }

    function testFuzz_cast_addsUpAndTouchesNothingElse(
        uint32 time,
        uint16 configurationId,
        bool byLock,
        uint96[] memory amounts,
        uint256 sides
    ) public pure {
        Poll poll = ProposalPoll.create(time, configurationId, byLock);
        uint256 left = type(uint96).max;
        uint256[2] memory sums;
        for (uint256 i; i < amounts.length && i < 32; ++i) {
            uint256 amount = bound(amounts[i], 0, left);
            bool support = (sides >> i) & 1 == 1;
            poll = poll.cast(support, amount);
            left -= amount;
            sums[support ? 0 : 1] += amount;
            _is(poll, sums[0], sums[1]);
        }
        _is(poll, time, configurationId, byLock, ProposalState.Pending);
    }

    function testFuzz_cast_allPowerOnOneSide(uint32 time, uint16 configurationId, bool byLock, bool support)
        public
        pure
    {
        Poll poll = ProposalPoll.create(time, configurationId, byLock).cast(support, type(uint96).max);
        _is(poll, support ? type(uint96).max : 0, support ? 0 : type(uint96).max);
        _is(poll, time, configurationId, byLock, ProposalState.Pending);
    }

    function testFuzz_end_storesTheStateOnly(uint32 time, uint16 configurationId, bool byLock, uint96 yea, uint96 nea)
        public
        pure
    {
        nea = uint96(bound(nea, 0, type(uint96).max - yea));
        Poll poll = ProposalPoll.create(time, configurationId, byLock).cast(true, yea).cast(false, nea);
        ProposalState[2] memory states = [ProposalState.Executed, ProposalState.Dropped];
        for (uint256 i; i < 2; ++i) {
            Poll ended = poll.end(states[i]);
            _is(ended, time, configurationId, byLock, states[i]);
            _is(ended, yea, nea);
        }
    }
}
