// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Configuration} from "./IGovernance.sol";

/// @title Assertions for payloads: what must hold when a proposal is executed
/// @notice Stateless. Every check reverts with what was expected and what was found.
interface IExpect {
    /// @notice Another rollup is canonical.
    error Expect__Canonical(address expected, address found);

    /// @notice The target was created otherwise.
    /// @param expected The address that the factory, the salt and the init code hash give.
    /// @param found The target.
    error Expect__Creation(address expected, address found);

    /// @notice `target` has other code.
    error Expect__CodeHash(address target, bytes32 expected, bytes32 found);

    /// @notice `target` has another owner.
    error Expect__Owner(address target, address expected, address found);

    /// @notice The configuration in force is another.
    error Expect__Configuration(Configuration expected, Configuration found);

    /// @notice Another Proposals contract is in force.
    error Expect__Proposals(address expected, address found);

    /// @notice `expected` is the canonical rollup of `registry`.
    function canonicalIs(address registry, address expected) external view;

    /// @notice `target` was created by `factory` with CREATE2 (EIP-1014). Its address proves its init code, and with it its
    /// constructor arguments and its first storage, except for what the constructor took from the block. Code alone proves
    /// nothing: other init code can write any storage and return the same runtime code.
    /// @param target The contract.
    /// @param factory The contract that created it.
    /// @param salt The salt with which it was created.
    /// @param initCodeHash The hash of its init code.
    function createdBy(address target, address factory, bytes32 salt, bytes32 initCodeHash) external pure;

    /// @notice The code hash of `target` is `expected`.
    function codeHashIs(address target, bytes32 expected) external view;

    /// @notice The owner of `target` is `expected`.
    function ownerIs(address target, address expected) external view;

    /// @notice The configuration of `governance` is `expected`.
    function configurationIs(address governance, Configuration calldata expected) external view;

    /// @notice The Proposals contract of `governance` is `expected`.
    function proposalsIs(address governance, address expected) external view;
}
