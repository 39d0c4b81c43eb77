// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Configuration, ProposeConfiguration} from "../interfaces/IGovernance.sol";

/// @notice The rules that every ballot needs. An age takes the 8 bits that are left, where an id would need 16. From the
/// highest bit: `lockRulesAge` (8 bits) | `quorum` (60) |
/// `minimumVotes` (96) | `gracePeriod` (23) | `executionDelay` (23) | `votingDuration` (23) | `votingDelay` (23).
type VotingRules is uint256;

/// @notice The rules of the lock, and the differential, which a unanimous tally doesn't need. They fit one word, and are
/// stored only when they change.
struct LockRules {
    /// The lead asked for, as a fraction of all ballots, scaled by 1e18.
    uint64 voteDifferential;
    /// The least time for which power given up to propose is withheld, in seconds.
    uint32 lockDelay;
    /// The power that a proposal through the lock costs.
    uint96 lockAmount;
}

using VotingRulesLibrary for VotingRules global;

/// @title A configuration in two words, the second of which is shared by configurations that agree on it
/// @notice Governance's bounds make every field fit: delays are at most 90 days, fractions below 1e18, and amounts are
/// checked to fit 96 bits.
library VotingRulesLibrary {
    /// @notice The greatest `lockRulesAge`.
    uint256 internal constant MAX_LOCK_RULES_AGE = type(uint8).max;

    uint256 private constant VOTING_DURATION = 23;
    uint256 private constant EXECUTION_DELAY = 46;
    uint256 private constant GRACE_PERIOD = 69;
    uint256 private constant MINIMUM_VOTES = 92;
    uint256 private constant QUORUM = 188;
    uint256 private constant LOCK_RULES_AGE = 248;
    uint256 private constant DELAY_BITS = (1 << 23) - 1;
    uint256 private constant QUORUM_BITS = (1 << 60) - 1;

    /// @notice Returns the first word of `c`.
    function pack(Configuration memory c, uint256 lockRulesAge_) internal pure returns (VotingRules) {
        return VotingRules.wrap(
            c.votingDelay | (c.votingDuration << VOTING_DURATION) | (c.executionDelay << EXECUTION_DELAY)
                | (c.gracePeriod << GRACE_PERIOD) | (c.minimumVotes << MINIMUM_VOTES) | (c.quorum << QUORUM)
                | (lockRulesAge_ << LOCK_RULES_AGE)
        );
    }

    /// @notice Returns the configuration that the two words make.
    function unpack(VotingRules rules, LockRules memory lockRules) internal pure returns (Configuration memory) {
        return Configuration({
            proposeConfig: ProposeConfiguration({lockDelay: lockRules.lockDelay, lockAmount: lockRules.lockAmount}),
            votingDelay: rules.votingDelay(),
            votingDuration: rules.votingDuration(),
            executionDelay: rules.executionDelay(),
            gracePeriod: rules.gracePeriod(),
            quorum: rules.quorum(),
            voteDifferential: lockRules.voteDifferential,
            minimumVotes: rules.minimumVotes()
        });
    }

    /// @notice Returns the length of Pending, in seconds.
    function votingDelay(VotingRules rules) internal pure returns (uint256) {
        return VotingRules.unwrap(rules) & DELAY_BITS;
    }

    /// @notice Returns the length of Active, in seconds.
    function votingDuration(VotingRules rules) internal pure returns (uint256) {
        return (VotingRules.unwrap(rules) >> VOTING_DURATION) & DELAY_BITS;
    }

    /// @notice Returns the length of Queued, in seconds.
    function executionDelay(VotingRules rules) internal pure returns (uint256) {
        return (VotingRules.unwrap(rules) >> EXECUTION_DELAY) & DELAY_BITS;
    }

    /// @notice Returns the length of Executable, in seconds.
    function gracePeriod(VotingRules rules) internal pure returns (uint256) {
        return (VotingRules.unwrap(rules) >> GRACE_PERIOD) & DELAY_BITS;
    }

    /// @notice Returns the total power below which nothing passes.
    function minimumVotes(VotingRules rules) internal pure returns (uint256) {
        return uint96(VotingRules.unwrap(rules) >> MINIMUM_VOTES);
    }

    /// @notice Returns the fraction of all power that must be cast, of 1e18.
    function quorum(VotingRules rules) internal pure returns (uint256) {
        return (VotingRules.unwrap(rules) >> QUORUM) & QUORUM_BITS;
    }

    /// @notice Returns the number of configurations since the lock rules were stored; 0 if they were stored with this one.
    function lockRulesAge(VotingRules rules) internal pure returns (uint256) {
        return VotingRules.unwrap(rules) >> LOCK_RULES_AGE;
    }

    /// @notice Returns the withdrawal delay, in seconds. A fifth of the voting delay is left to those who want to leave
    /// before a proposal is executed.
    function exitDelay(VotingRules rules) internal pure returns (uint256) {
        unchecked {
            return rules.votingDelay() / 5 + rules.votingDuration() + rules.executionDelay();
        }
    }
}
