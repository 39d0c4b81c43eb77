// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @title Common: errors that several contracts of the set share
/// @notice "Code" means: has code, and that code is not an EIP-7702 delegation (`0xef0100…`).
interface ICommon {
    /// @notice The account has no code of its own: none at all, or an EIP-7702 delegation.
    /// @param account The account that should be a contract.
    error NoCode(address account);

    /// @notice The value doesn't fit where it has to be stored; nothing is ever truncated.
    /// @param value The value that was given, or that a call would lead to.
    /// @param max The greatest value that fits.
    error ValueTooLarge(uint256 value, uint256 max);

    /// @notice A static call failed, or its answer didn't have the expected form (in most cases exactly one word).
    /// @param target The contract that was called.
    /// @param selector The selector of the function that was called.
    error NoAnswer(address target, bytes4 selector);

    /// @notice An address argument is 0 where an account is needed.
    error ZeroAddress();

    /// @notice Ownership can't be renounced: a set without an owner could never be upgraded again.
    error OwnershipCannotBeRenounced();
}
