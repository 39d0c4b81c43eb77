// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {IExpect} from "../interfaces/IExpect.sol";
import {Configuration, IGovernance} from "../interfaces/IGovernance.sol";
import {IRegistry} from "../interfaces/IRegistry.sol";
import {StaticCall} from "../libraries/StaticCall.sol";

/// @title Expect: assertions for payloads
contract Expect is IExpect {
    /// @dev Words of an encoded `Configuration`.
    uint256 private constant CONFIGURATION_WORDS = 9;

    /// @inheritdoc IExpect
    function canonicalIs(address registry, address expected) external view {
        address found = StaticCall.addressWord(registry, IRegistry.getRollup.selector);
        if (found != expected) revert Expect__Canonical(expected, found);
    }

    /// @inheritdoc IExpect
    function createdBy(address target, address factory, bytes32 salt, bytes32 initCodeHash) external pure {
        address expected = Create2.computeAddress(salt, initCodeHash, factory);
        if (target != expected) revert Expect__Creation(expected, target);
    }

    /// @inheritdoc IExpect
    function codeHashIs(address target, bytes32 expected) external view {
        bytes32 found = target.codehash;
        if (found != expected) revert Expect__CodeHash(target, expected, found);
    }

    /// @inheritdoc IExpect
    function ownerIs(address target, address expected) external view {
        address found = StaticCall.addressWord(target, Ownable.owner.selector);
        if (found != expected) revert Expect__Owner(target, expected, found);
    }

    /// @inheritdoc IExpect
    function configurationIs(address governance, Configuration calldata expected) external view {
        bytes memory found =
            StaticCall.words(governance, IGovernance.getConfiguration.selector, CONFIGURATION_WORDS);
        if (keccak256(found) != keccak256(abi.encode(expected))) {
            revert Expect__Configuration(expected, abi.decode(found, (Configuration)));
        }
    }

    /// @inheritdoc IExpect
    function proposalsIs(address governance, address expected) external view {
        address found = StaticCall.addressWord(governance, IGovernance.governanceProposer.selector);
        if (found != expected) revert Expect__Proposals(expected, found);
    }
}
