// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ICommon} from "canon/interfaces/ICommon.sol";
import {IExpect} from "canon/interfaces/IExpect.sol";
import {Action, IPayload} from "canon/interfaces/IPayload.sol";
import {IRegistry} from "canon/interfaces/IRegistry.sol";
import {IRollup, RollupParameters} from "canon/interfaces/IRollup.sol";
import {UpgradePayload} from "canon/payloads/UpgradePayload.sol";
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

    /// @dev How a contract was created.
    struct Creation {
        address factory;
        bytes32 salt;
        bytes32 initCodeHash;
    }

    /// @dev How `SetLib` created a rollup that still has its first owner.
    function _creationOf(address newRollup) internal view returns (Creation memory) {
        bytes32 hash =
            keccak256(SetLib.initCode("Rollup", abi.encode(SetLib.parameters(IRollup(newRollup)))));
        return Creation(SetLib.FACTORY, SetLib.saltOf(newRollup, hash), hash);
    }

    function _addressOf(Creation memory c) internal pure returns (address) {
        return address(
            uint160(uint256(keccak256(abi.encodePacked(bytes1(0xff), c.factory, c.salt, c.initCodeHash))))
        );
    }

    function _arguments(address newRollup, address expected, Creation memory c, string memory uri)
        internal
        view
        returns (bytes memory)
    {
        return
            abi.encode(set.expect, set.registry, newRollup, expected, c.factory, c.salt, c.initCodeHash, uri);
    }

    function _deploy(address newRollup, address expected) internal returns (UpgradePayload) {
        return _deploy(_arguments(newRollup, expected, _creationOf(newRollup), "uri"));
    }

    function _deploy(bytes memory arguments) internal returns (UpgradePayload) {
        return UpgradePayload(vm.deployCode(SetLib.artifact("UpgradePayload"), arguments));
    }

    function _constructorRefuses(bytes memory arguments, bytes memory refusal) internal {
        Deployer deployer = new Deployer();
        bytes memory code = vm.getCode(SetLib.artifact("UpgradePayload"));
        vm.expectRevert(refusal);
        deployer.deploy(code, arguments);
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
        address factory,
        bytes32 salt,
        bytes32 initCodeHash,
        address expected,
        string memory uri
    ) public {
        Creation memory c = Creation(factory, salt, initCodeHash);
        address newRollup = _addressOf(c);
        vm.etch(newRollup, hex"00");
        UpgradePayload payload = _deploy(_arguments(newRollup, expected, c, uri));

        Action[] memory actions = payload.getActions();
        vm.assertEq(actions.length, 4);
        for (uint256 i; i < 3; ++i) {
            vm.assertEq(actions[i].target, address(set.expect));
        }
        vm.assertEq(actions[3].target, address(set.registry));
        vm.assertEq(actions[0].data, abi.encodeCall(IExpect.canonicalIs, (address(set.registry), expected)));
        vm.assertEq(actions[1].data, abi.encodeCall(IExpect.createdBy, (newRollup, factory, salt, initCodeHash)));
        vm.assertEq(actions[2].data, abi.encodeCall(IExpect.ownerIs, (newRollup, address(set.governance))));
        vm.assertEq(actions[3].data, abi.encodeCall(IRegistry.upgrade, (newRollup)));
        vm.assertEq(payload.getURI(), uri);

        vm.assertEq(address(payload.EXPECT()), address(set.expect));
        vm.assertEq(address(payload.REGISTRY()), address(set.registry));
        vm.assertEq(payload.NEW_ROLLUP(), newRollup);
        vm.assertEq(payload.EXPECTED_CANONICAL(), expected);
        vm.assertEq(payload.OWNER(), address(set.governance));
        vm.assertEq(payload.FACTORY(), factory);
        vm.assertEq(payload.SALT(), salt);
        vm.assertEq(payload.INIT_CODE_HASH(), initCodeHash);
    }

    /// @dev The list is fixed at construction, whatever happens to the rollup and the Registry afterwards.
    function testFuzz_getActions_neverChanges(bytes memory code, uint256 time) public {
        address newRollup = address(SetLib.rollup(set));
        IPayload payload = _deploy(newRollup, address(set.rollup));
        bytes32 before = keccak256(abi.encode(payload.getActions()));
        if (code.length != 0 && code[0] == 0xef) code[0] = 0x00;
        vm.etch(newRollup, code);
        vm.warp(bound(time, block.timestamp, type(uint40).max));
        address other = address(SetLib.rollup(set));
        vm.prank(address(set.governance));
        set.registry.upgrade(other);
        vm.assertEq(keccak256(abi.encode(payload.getActions())), before);
    }

    /// @dev Expect, Registry and rollup, in this order; a delegation isn't code.
    function testFuzz_constructor_refusesWhatHasNoCode(uint256 first, uint256 further, address codeless, bool delegated)
        public
    {
        first = bound(first, 0, 2);
        uint256 faults = (further << (first + 1)) | (1 << first);
        codeless = address(uint160(bound(uint160(codeless), 0x10000, type(uint160).max)));
        vm.assume(codeless.code.length == 0);
        if (delegated) Delegation.set(codeless, address(set.rollup));
        Creation memory c = _creationOf(address(set.rollup));
        bytes memory arguments = abi.encode(
            faults & 1 != 0 ? codeless : address(set.expect),
            faults & 2 != 0 ? codeless : address(set.registry),
            faults & 4 != 0 ? codeless : address(set.rollup),
            address(set.rollup),
            c.factory,
            c.salt,
            c.initCodeHash,
            "uri"
        );
        _constructorRefuses(arguments, abi.encodeWithSelector(ICommon.NoCode.selector, codeless));
    }

    /// @dev A rollup created by another factory, with another salt or from other init code isn't the one that was asked
    /// for, however genuine it looks. So no vote is spent on a payload that could never be executed.
    function testFuzz_constructor_refusesARollupCreatedOtherwise(uint256 field, uint256 change) public {
        address newRollup = address(SetLib.rollup(set));
        Creation memory c = _creationOf(newRollup);
        field %= 3;
        change = bound(change, 1, type(uint160).max);
        if (field == 0) c.factory = address(uint160(c.factory) ^ uint160(change));
        if (field == 1) c.salt ^= bytes32(change);
        if (field == 2) c.initCodeHash ^= bytes32(change);
        _constructorRefuses(
            _arguments(newRollup, address(set.rollup), c, "uri"),
            abi.encodeWithSelector(IExpect.Expect__Creation.selector, _addressOf(c), newRollup)
        );
    }

    /// @dev Also one with the very same code and the very same answers, which wasn't created by the factory.
    function test_constructor_refusesATwinOfAnotherCreator() public {
        RollupParameters memory p = SetLib.parameters(set);
        address honest = address(SetLib.rollup(p));
        address twin = vm.deployCode(SetLib.artifact("Rollup"), abi.encode(p));
        vm.assertEq(twin.codehash, honest.codehash);
        _constructorRefuses(
            _arguments(twin, address(set.rollup), _creationOf(honest), "uri"),
            abi.encodeWithSelector(IExpect.Expect__Creation.selector, honest, twin)
        );
        _deploy(honest, address(set.rollup));
    }

    function test_constructor_needsARegistryThatHasAnOwner() public {
        Creation memory c = _creationOf(address(set.rollup));
        bytes memory arguments = abi.encode(
            set.expect, set.asset, set.rollup, set.rollup, c.factory, c.salt, c.initCodeHash, "uri"
        );
        _constructorRefuses(
            arguments,
            abi.encodeWithSelector(
                ICommon.NoAnswer.selector, address(set.asset), IRegistry.getGovernance.selector
            )
        );
    }

    function test_execute_makesTheRollupCanonical() public {
        address newRollup = address(SetLib.rollup(set));
        (bool success,) = _execute(_deploy(newRollup, address(set.rollup)));
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
            payloads[i] = _deploy(rollups[i], old);
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
        IPayload leads = _deploy(second, old);
        IPayload follows = _deploy(third, second);
        _refused(follows, abi.encodeWithSelector(IExpect.Expect__Canonical.selector, second, old));
        (bool success,) = _execute(leads);
        vm.assertTrue(success);
        (success,) = _execute(follows);
        vm.assertTrue(success);
        vm.assertEq(set.registry.getRollup(), third);
    }

    /// @dev A rollup that is gone owns nothing.
    function test_execute_refusesARollupThatIsGone() public {
        address newRollup = address(SetLib.rollup(set));
        IPayload payload = _deploy(newRollup, address(set.rollup));
        vm.etch(newRollup, "");
        _refused(
            payload, abi.encodeWithSelector(ICommon.NoAnswer.selector, newRollup, Ownable.owner.selector)
        );
    }

    /// @dev An upgrade that would hand the rollup to somebody else, or leave it there, is refused.
    function testFuzz_execute_refusesARollupThatGovernanceDoesNotOwn(address owner) public {
        vm.assume(owner != address(0) && owner != address(set.governance));
        RollupParameters memory parameters = SetLib.parameters(set);
        parameters.owner = owner;
        address newRollup = address(SetLib.rollup(parameters));
        IPayload payload = _deploy(newRollup, address(set.rollup));
        _refused(
            payload,
            abi.encodeWithSelector(IExpect.Expect__Owner.selector, newRollup, address(set.governance), owner)
        );
    }
}
