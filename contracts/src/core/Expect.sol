// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IExpect} from "../interfaces/IExpect.sol";
import {Configuration, IGovernance} from "../interfaces/IGovernance.sol";
import {IRegistry} from "../interfaces/IRegistry.sol";

/// @title Expect
contract Expect is IExpect {
    /// @inheritdoc IExpect
    function canonicalIs(address registry, address expected) external view {
        address found = IRegistry(registry).getRollup();
        if (found != expected) revert Expect__Canonical(expected, found);
    }

    /// @inheritdoc IExpect
    function codeHashIs(address target, bytes32 expected) external view {
        bytes32 found = target.codehash;
        if (found != expected) revert Expect__CodeHash(target, expected, found);
    }

    /// @inheritdoc IExpect
    function ownerIs(address target, address expected) external view {
        address found = Ownable(target).owner();
        if (found != expected) revert Expect__Owner(target, expected, found);
    }

    /// @inheritdoc IExpect
    function configurationIs(address governance, Configuration calldata expected) external view {
        Configuration memory found = IGovernance(governance).getConfiguration();
        if (keccak256(abi.encode(found)) != keccak256(abi.encode(expected))) {
            revert Expect__Configuration(expected, found);
        }
    }

    /// @inheritdoc IExpect
    function proposalsIs(address governance, address expected) external view {
        address found = IGovernance(governance).governanceProposer();
        if (found != expected) revert Expect__Proposals(expected, found);
    }
}
