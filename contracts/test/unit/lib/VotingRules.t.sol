// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Configuration} from "canon/interfaces/IGovernance.sol";
import {LockRules, VotingRules, VotingRulesLibrary} from "canon/types/VotingRules.sol";
import {Field, FieldLibrary} from "../../ConfigurationField.sol";
import {Test} from "../../Test.sol";

contract VotingRulesTest is Test {
    /// @dev Any configuration that the bounds of Governance allow with any supply.
    function _allowed(Configuration memory c) private pure returns (Configuration memory) {
        c.proposeConfig.lockDelay = bound(c.proposeConfig.lockDelay, 60, 365 days);
        c.proposeConfig.lockAmount = bound(c.proposeConfig.lockAmount, 2, type(uint96).max);
        c.votingDelay = bound(c.votingDelay, 60, 90 days);
        c.votingDuration = bound(c.votingDuration, 60, 90 days);
        c.executionDelay = bound(c.executionDelay, 60, 90 days);
        c.gracePeriod = bound(c.gracePeriod, 60, 90 days);
        c.quorum = bound(c.quorum, 1, 0.9e18);
        c.voteDifferential = bound(c.voteDifferential, 0, 0.9e18);
        c.minimumVotes = bound(c.minimumVotes, 1, type(uint96).max);
        return c;
    }

    function _lockRules(Configuration memory c) private pure returns (LockRules memory) {
        return LockRules({
            voteDifferential: uint64(c.voteDifferential),
            lockDelay: uint32(c.proposeConfig.lockDelay),
            lockAmount: uint96(c.proposeConfig.lockAmount)
        });
    }

    function _keeps(Configuration memory c, uint256 lockRulesAge) private pure {
        VotingRules rules = VotingRulesLibrary.pack(c, lockRulesAge);
        vm.assertEq(rules.votingDelay(), c.votingDelay, "votingDelay");
        vm.assertEq(rules.votingDuration(), c.votingDuration, "votingDuration");
        vm.assertEq(rules.executionDelay(), c.executionDelay, "executionDelay");
        vm.assertEq(rules.gracePeriod(), c.gracePeriod, "gracePeriod");
        vm.assertEq(rules.minimumVotes(), c.minimumVotes, "minimumVotes");
        vm.assertEq(rules.quorum(), c.quorum, "quorum");
        vm.assertEq(rules.lockRulesAge(), lockRulesAge, "lockRulesAge");
        vm.assertEq(rules.exitDelay(), c.votingDelay / 5 + c.votingDuration + c.executionDelay, "exitDelay");
        vm.assertEq(abi.encode(rules.unpack(_lockRules(c))), abi.encode(c));
    }

    function testFuzz_pack_keepsEveryField(Configuration memory c, uint8 lockRulesAge) public pure {
        _keeps(_allowed(c), lockRulesAge);
    }

    /// @dev The greatest value of every field beside the least of the others, and all at their greatest.
    function test_pack_theExtremesDoNotSpillOver() public pure {
        Configuration memory greatest;
        for (uint256 field; field < FieldLibrary.COUNT; ++field) {
            Configuration memory c;
            Field(field).set(c, type(uint256).max);
            _keeps(_allowed(c), 0);
            Field(field).set(greatest, type(uint256).max);
        }
        Configuration memory least;
        _keeps(_allowed(least), VotingRulesLibrary.MAX_LOCK_RULES_AGE);
        _keeps(_allowed(greatest), VotingRulesLibrary.MAX_LOCK_RULES_AGE);
    }
}
