// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Configuration} from "./IGovernance.sol";

/// @title Expect: assertions about what must hold when a proposal is executed
/// @notice A payload lists calls of these functions before its other actions. Each function returns nothing if its
/// assertion holds, and otherwise reverts with what was expected and what was found. Stateless; anyone may call.
interface IExpect {
    /// @notice Another rollup is canonical.
    /// @param expected The rollup that should be canonical.
    /// @param found The canonical rollup of the Registry.
    error Expect__Canonical(address expected, address found);

    /// @notice The target was created otherwise.
    /// @param expected The address that the factory, the salt and the init code hash give.
    /// @param found The target.
    error Expect__Creation(address expected, address found);

    /// @notice The target has other code.
    /// @param target The account whose code was looked at.
    /// @param expected The code hash that it should have.
    /// @param found The code hash that it has; 0 if the account doesn't exist.
    error Expect__CodeHash(address target, bytes32 expected, bytes32 found);

    /// @notice The target has another owner.
    /// @param target The contract whose owner was asked for.
    /// @param expected The account that should own it.
    /// @param found The account that owns it.
    error Expect__Owner(address target, address expected, address found);

    /// @notice Another configuration is in force.
    /// @param expected The configuration that should be in force.
    /// @param found The configuration in force.
    error Expect__Configuration(Configuration expected, Configuration found);

    /// @notice Governance has another Proposals contract.
    /// @param expected The Proposals contract that Governance should have.
    /// @param found The Proposals contract that it has.
    error Expect__Proposals(address expected, address found);

    /// @notice Asserts which rollup is canonical. Reverts with `Expect__Canonical`, or with `NoAnswer` if the Registry
    /// doesn't answer.
    /// @param registry The Registry that is asked.
    /// @param expected The rollup that must be canonical.
    function canonicalIs(address registry, address expected) external view;

    /// @notice Asserts that a factory created the target with CREATE2 (EIP-1014). Reverts with `Expect__Creation`.
    /// @dev The target's address proves its init code, and with it its constructor arguments and its first storage,
    /// except for what the constructor took from the block. Code alone proves nothing: other init code can write any
    /// storage and return the same runtime code. Whether the target has been deployed isn't looked at.
    /// @param target The contract whose creation is asserted.
    /// @param factory The contract that created it.
    /// @param salt The salt with which it was created.
    /// @param initCodeHash The Keccak-256 hash of its init code: creation code and constructor arguments.
    function createdBy(address target, address factory, bytes32 salt, bytes32 initCodeHash) external pure;

    /// @notice Asserts which code the target has. Reverts with `Expect__CodeHash`.
    /// @param target The account whose code is looked at.
    /// @param expected The hash that EXTCODEHASH must return for it; 0 for an account that doesn't exist.
    function codeHashIs(address target, bytes32 expected) external view;

    /// @notice Asserts who owns the target. Reverts with `Expect__Owner`, or with `NoAnswer` if the target doesn't
    /// answer `owner()`.
    /// @param target The contract that is asked.
    /// @param expected The account that must own it.
    function ownerIs(address target, address expected) external view;

    /// @notice Asserts which configuration is in force for new proposals. Reverts with `Expect__Configuration`, or with
    /// `NoAnswer` if Governance doesn't answer.
    /// @param governance The Governance contract that is asked.
    /// @param expected The configuration that must be in force, every field of it.
    function configurationIs(address governance, Configuration calldata expected) external view;

    /// @notice Asserts which Proposals contract Governance has. Reverts with `Expect__Proposals`, or with `NoAnswer` if
    /// Governance doesn't answer.
    /// @param governance The Governance contract that is asked.
    /// @param expected The Proposals contract that it must have.
    function proposalsIs(address governance, address expected) external view;
}
