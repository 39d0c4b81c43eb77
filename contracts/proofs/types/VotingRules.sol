// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Configuration, ProposeConfiguration} from "canon/interfaces/IGovernance.sol";
import {LockRules, VotingRules, VotingRulesLibrary} from "canon/types/VotingRules.sol";
import {Proof} from "../Proof.sol";

/// @title A configuration in two words
contract VotingRulesProof is Proof {
    /// @notice What is packed is unpacked again, for all values within Governance's bounds.
    function check_packKeepsEveryField(Configuration memory c, uint8 lockRulesAge) external pure {
        vm.assume(c.votingDelay <= 90 days && c.votingDuration <= 90 days && c.executionDelay <= 90 days);
        vm.assume(c.gracePeriod <= 90 days && c.quorum <= 1e18 && fits(c.minimumVotes, 96));
        vm.assume(c.proposeConfig.lockDelay <= 365 days && fits(c.proposeConfig.lockAmount, 96));
        vm.assume(c.voteDifferential <= 1e18);
        VotingRules rules = VotingRulesLibrary.pack(c, lockRulesAge);
        Configuration memory found = rules.unpack(
            LockRules({
                voteDifferential: uint64(c.voteDifferential),
                lockDelay: uint32(c.proposeConfig.lockDelay),
                lockAmount: uint96(c.proposeConfig.lockAmount)
            })
        );
        assert(found.votingDelay == c.votingDelay && found.votingDuration == c.votingDuration);
        assert(found.executionDelay == c.executionDelay && found.gracePeriod == c.gracePeriod);
        assert(found.quorum == c.quorum && found.minimumVotes == c.minimumVotes);
        assert(found.voteDifferential == c.voteDifferential);
        assert(found.proposeConfig.lockDelay == c.proposeConfig.lockDelay);
        assert(found.proposeConfig.lockAmount == c.proposeConfig.lockAmount);
        assert(rules.lockRulesAge() == lockRulesAge);
    }

    /// @notice The withdrawal delay of any stored rules is the sum that it is documented as, without overflow.
    function check_exitDelayIsTheSum(VotingRules rules) external pure {
        assert(rules.exitDelay() == rules.votingDelay() / 5 + rules.votingDuration() + rules.executionDelay());
    }

    /// @notice Wrong: a delay of 100 days is kept.
    function refute_aDelayOf100DaysIsKept(Configuration memory c) external pure {
        vm.assume(c.votingDelay <= 100 days && c.votingDuration <= 100 days && c.executionDelay == 0);
        assert(VotingRulesLibrary.pack(c, 0).votingDuration() == c.votingDuration);
    }
}
