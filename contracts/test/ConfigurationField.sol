// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Configuration} from "canon/interfaces/IGovernance.sol";

/// @notice A field of a `Configuration`, in the order in which its bounds are checked.
enum Field {
    LockDelay,
    LockAmount,
    VotingDelay,
    VotingDuration,
    ExecutionDelay,
    GracePeriod,
    Quorum,
    VoteDifferential,
    MinimumVotes
}

using FieldLibrary for Field global;

/// @title What the specification says of the fields of a configuration
library FieldLibrary {
    uint256 internal constant COUNT = uint256(type(Field).max) + 1;

    /// @notice Any field, drawn by `seed`.
    function draw(uint256 seed) internal pure returns (Field) {
        return Field(seed % COUNT);
    }

    /// @notice The name of the field and its bounds; those of the amounts depend on power or supply.
    function bounds(Field field, uint256 maxLockAmount, uint256 maxMinimumVotes)
        internal
        pure
        returns (bytes32 name, uint256 min, uint256 max)
    {
        if (field == Field.LockDelay) return ("lockDelay", 60, 365 days);
        if (field == Field.LockAmount) return ("lockAmount", 2, maxLockAmount);
        if (field == Field.VotingDelay) return ("votingDelay", 60, 90 days);
        if (field == Field.VotingDuration) return ("votingDuration", 60, 90 days);
        if (field == Field.ExecutionDelay) return ("executionDelay", 60, 90 days);
        if (field == Field.GracePeriod) return ("gracePeriod", 60, 90 days);
        if (field == Field.Quorum) return ("quorum", 1, 0.9e18);
        if (field == Field.VoteDifferential) return ("voteDifferential", 0, 0.9e18);
        return ("minimumVotes", 1, maxMinimumVotes);
    }

    /// @notice Sets the field of `c` to `value`.
    function set(Field field, Configuration memory c, uint256 value) internal pure {
        if (field == Field.LockDelay) c.proposeConfig.lockDelay = value;
        else if (field == Field.LockAmount) c.proposeConfig.lockAmount = value;
        else if (field == Field.VotingDelay) c.votingDelay = value;
        else if (field == Field.VotingDuration) c.votingDuration = value;
        else if (field == Field.ExecutionDelay) c.executionDelay = value;
        else if (field == Field.GracePeriod) c.gracePeriod = value;
        else if (field == Field.Quorum) c.quorum = value;
        else if (field == Field.VoteDifferential) c.voteDifferential = value;
        else c.minimumVotes = value;
    }
}
