// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @title Refusals that more than one contract of the set can give
/// @notice "Code" means: has code, and that code is not an EIP-7702 delegation (`0xef0100…`).
interface ICommon {
    /// @notice `account` has no code of its own: it is empty or an EIP-7702 delegation.
    error NoCode(address account);

    /// @notice `value` does not fit where it has to be stored; nothing is ever truncated.
    error ValueTooLarge(uint256 value, uint256 max);

    /// @notice The static call of `selector` on `target` failed, or its answer did not have the expected form.
    error NoAnswer(address target, bytes4 selector);

    /// @notice An address argument is zero where an account is needed.
    error ZeroAddress();

    /// @notice A set that loses its owner can never be upgraded again, so nobody can renounce.
    error OwnershipCannotBeRenounced();
}
