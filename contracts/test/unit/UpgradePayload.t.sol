// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {IExpect} from "canon/interfaces/IExpect.sol";
import {Action, IPayload} from "canon/interfaces/IPayload.sol";
import {IRegistry} from "canon/interfaces/IRegistry.sol";
import {RollupParameters} from "canon/interfaces/IRollup.sol";
import {Set, SetLib} from "../Set.sol";
import {Test} from "../Test.sol";
import {Delegation} from "../mocks/Delegation.sol";
import {Deployer} from "../mocks/Deployer.sol";

contract UpgradePayloadTest is Test {
    Set internal set;

    function setUp() public {
        vm.warp(1_750_000_000);
        set = SetLib.deploy(address(this));
    }

    function _deploy(address newRollup, address expected, string memory uri) internal returns (IPayload) {
        return IPayload(
            vm.deployCode(
                SetLib.artifact("UpgradePayload"), abi.encode(set.expect, set.registry, newRollup, expected, uri)
            )
        );
    }

    /// @dev What Governance does with a proposal's actions; the first failure's reason is returned.
    function _execute(IPayload payload) internal returns (bool, bytes memory) {
        Action[] memory actions = payload.getActions();
        uint256 snapshot = vm.snapshotState();
        for (uint256 i; i < actions.length; ++i) {
            vm.prank(address(set.governance));
            (bool success, bytes memory reason) = actions[i].target.call(actions[i].data);
            if (!success) {
                vm.revertToState(snapshot);
                return (false, reason);
            }
        }
        return (true, "");
    }

    function _refused(IPayload payload, bytes memory expected) internal {
        (bool success, bytes memory reason) = _execute(payload);
        vm.assertFalse(success);
        vm.assertEq(reason, expected);
    }

    function testFuzz_getActions_listsThreeExpectationsAndTheUpgrade(
        address newRollup,
        bytes memory code,
        address expected,
        string memory uri
    ) public {
        newRollup = address(uint160(bound(uint160(newRollup), 0x10000, type(uint160).max)));
        vm.assume(newRollup.code.length == 0);
        if (code.length == 0 || code[0] == 0xef) code = hex"00";
        vm.etch(newRollup, code);
        IPayload payload = _deploy(newRollup, expected, uri);

        Action[] memory actions = payload.getActions();
        vm.assertEq(actions.length, 4);
        for (uint256 i; i < 3; ++i) {
            vm.assertEq(actions[i].target, address(set.expect));
        }
        vm.assertEq(actions[3].target, address(set.registry));
        vm.assertEq(actions[0].data, abi.encodeCall(IExpect.canonicalIs, (address(set.registry), expected)));
        vm.assertEq(actions[1].data, abi.encodeCall(IExpect.codeHashIs, (newRollup, keccak256(code))));
        vm.assertEq(actions[2].data, abi.encodeCall(IExpect.ownerIs, (newRollup, address(set.governance))));
        vm.assertEq(actions[3].data, abi.encodeCall(IRegistry.upgrade, (newRollup)));
        vm.assertEq(payload.getURI(), uri);
    }

    /// @dev The list is fixed at construction, whatever happens to the rollup and the Registry afterwards.
    function testFuzz_getActions_neverChanges(bytes memory code, uint256 time) public {
        address newRollup = address(SetLib.rollup(set));
        IPayload payload = _deploy(newRollup, address(set.rollup), "uri");
        bytes32 before = keccak256(abi.encode(payload.getActions()));
        if (code.length != 0 && code[0] == 0xef) code[0] = 0x00;
        vm.etch(newRollup, code);
        vm.warp(bound(time, block.timestamp, type(uint40).max));
        address other = address(SetLib.rollup(set));
        vm.prank(address(set.governance));
        set.registry.upgrade(other);
        vm.assertEq(keccak256(abi.encode(payload.getActions())), before);
    }

    function testFuzz_constructor_refusesARollupWithoutCode(address newRollup, bool delegated) public {
        newRollup = address(uint160(bound(uint160(newRollup), 0x10000, type(uint160).max)));
        vm.assume(newRollup.code.length == 0);
        if (delegated) Delegation.set(newRollup, address(set.rollup));
        Deployer deployer = new Deployer();
        bytes memory code = vm.getCode(SetLib.artifact("UpgradePayload"));
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoCode.selector, newRollup));
        deployer.deploy(code, abi.encode(set.expect, set.registry, newRollup, address(set.rollup), "uri"));
    }

    function test_execute_makesTheRollupCanonical() public {
        address newRollup = address(SetLib.rollup(set));
        (bool success,) = _execute(_deploy(newRollup, address(set.rollup), "uri"));
        vm.assertTrue(success);
        vm.assertEq(set.registry.getRollup(), newRollup);
        vm.assertEq(set.registry.getVersionFor(newRollup), 2);
    }

    /// @dev Of several passed upgrades with the same expectation the first executed wins.
    function testFuzz_execute_theFirstOfSeveralWins(uint256 count, uint256 first) public {
        count = bound(count, 2, 6);
        first = bound(first, 0, count - 1);
        address old = address(set.rollup);
        address[] memory rollups = new address[](count);
        IPayload[] memory payloads = new IPayload[](count);
        for (uint256 i; i < count; ++i) {
            rollups[i] = address(SetLib.rollup(set));
            payloads[i] = _deploy(rollups[i], old, "uri");
        }
        (bool success,) = _execute(payloads[first]);
        vm.assertTrue(success);
        for (uint256 i; i < count; ++i) {
            _refused(payloads[i], abi.encodeWithSelector(IExpect.Expect__Canonical.selector, old, rollups[first]));
        }
        vm.assertEq(set.registry.getRollup(), rollups[first]);
    }

    /// @dev One meant to follow another expects that other's rollup, and cannot overtake it.
    function test_execute_aFollowerWaitsForTheOther() public {
        address old = address(set.rollup);
        address second = address(SetLib.rollup(set));
        address third = address(SetLib.rollup(set));
        IPayload leads = _deploy(second, old, "uri");
        IPayload follows = _deploy(third, second, "uri");
        _refused(follows, abi.encodeWithSelector(IExpect.Expect__Canonical.selector, second, old));
        (bool success,) = _execute(leads);
        vm.assertTrue(success);
        (success,) = _execute(follows);
        vm.assertTrue(success);
        vm.assertEq(set.registry.getRollup(), third);
    }

    function testFuzz_execute_refusesARollupWhoseCodeChanged(bytes memory code) public {
        address newRollup = address(SetLib.rollup(set));
        bytes32 pinned = newRollup.codehash;
        IPayload payload = _deploy(newRollup, address(set.rollup), "uri");
        if (code.length != 0 && code[0] == 0xef) code[0] = 0x00;
        vm.assume(keccak256(code) != pinned);
        vm.etch(newRollup, code);
        _refused(
            payload, abi.encodeWithSelector(IExpect.Expect__CodeHash.selector, newRollup, pinned, newRollup.codehash)
        );
    }

    /// @dev An upgrade that would hand the rollup to somebody else, or leave it there, is refused.
    function testFuzz_execute_refusesARollupThatGovernanceDoesNotOwn(address owner) public {
        vm.assume(owner != address(0) && owner != address(set.governance));
        RollupParameters memory parameters = SetLib.parameters(set);
        parameters.owner = owner;
        address newRollup = address(SetLib.rollup(parameters));
        IPayload payload = _deploy(newRollup, address(set.rollup), "uri");
        _refused(
            payload,
            abi.encodeWithSelector(IExpect.Expect__Owner.selector, newRollup, address(set.governance), owner)
        );
    }
}
