// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ProposalState} from "canon/interfaces/IGovernance.sol";
import {ProposalTally, ProposalTallyLibrary} from "canon/types/ProposalTally.sol";
import {Test} from "../../Test.sol";

contract ProposalTallyTest is Test {
    function _is(ProposalTally tally, uint256 yea, uint256 nea) private pure {
        vm.assertEq(tally.yea(), yea, "yea");
        vm.assertEq(tally.nea(), nea, "nea");
    }

    function _is(ProposalTally tally, uint32 time, uint16 configurationId, bool byLock, ProposalState stored) private pure {
        vm.assertEq(tally.creation(), time, "creation");
        vm.assertEq(tally.configurationId(), configurationId, "configurationId");
        vm.assertEq(tally.byLock(), byLock, "byLock");
        vm.assertEq(uint256(tally.stored()), uint256(stored), "stored");
    }

    function testFuzz_create_keepsWhatItIsGiven(uint32 time, uint16 configurationId, bool byLock) public pure {
        ProposalTally tally = ProposalTallyLibrary.create(time, configurationId, byLock);
        _is(tally, time, configurationId, byLock, ProposalState.Pending);
        _is(tally, 0, 0);
    }

    function testFuzz_withBallot_addsUpAndTouchesNothingElse(
        uint32 time,
        uint16 configurationId,
        bool byLock,
        uint96[] memory amounts,
        uint256 sides
    ) public pure {
        vm.assume(amounts.length != 0);
        ProposalTally tally = ProposalTallyLibrary.create(time, configurationId, byLock);
        uint256 left = type(uint96).max;
        uint256[2] memory sums;
        for (uint256 i; i < amounts.length && i < 32; ++i) {
            uint256 amount = bound(amounts[i], 0, left);
            bool support = (sides >> i) & 1 == 1;
            tally = tally.withBallot(support, amount);
            left -= amount;
            sums[support ? 0 : 1] += amount;
            _is(tally, sums[0], sums[1]);
        }
        _is(tally, time, configurationId, byLock, ProposalState.Pending);
    }

    function testFuzz_withBallot_allPowerOnOneSide(uint32 time, uint16 configurationId, bool byLock, bool support)
        public
        pure
    {
        ProposalTally tally = ProposalTallyLibrary.create(time, configurationId, byLock).withBallot(support, type(uint96).max);
        _is(tally, support ? type(uint96).max : 0, support ? 0 : type(uint96).max);
        _is(tally, time, configurationId, byLock, ProposalState.Pending);
    }

    function testFuzz_withFinal_storesTheStateOnly(uint32 time, uint16 configurationId, bool byLock, uint96 yea, uint96 nea)
        public
        pure
    {
        nea = uint96(bound(nea, 0, type(uint96).max - yea));
        ProposalTally tally = ProposalTallyLibrary.create(time, configurationId, byLock).withBallot(true, yea).withBallot(false, nea);
        ProposalState[2] memory states = [ProposalState.Executed, ProposalState.Dropped];
        for (uint256 i; i < 2; ++i) {
            ProposalTally ended = tally.withFinal(states[i]);
            _is(ended, time, configurationId, byLock, states[i]);
            _is(ended, yea, nea);
        }
    }
}
