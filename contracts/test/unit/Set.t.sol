// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {RollupParameters} from "canon/interfaces/IRollup.sol";
import {Set, SetLib} from "../Set.sol";
import {Test} from "../Test.sol";

contract SetTest is Test {
    address private constant HOLDER = address(0xA11CE);

    /// @dev The deterministic deployment proxy.
    address private constant FACTORY = 0x4e59b44847b379578588920cA78FbF26c0B4956C;

    Set internal set;

    function setUp() public {
        vm.warp(1_750_000_000);
        set = SetLib.deploy(HOLDER);
    }

    function test_set_leavesNothingToTheDeployer() public view {
        address[5] memory owned = [
            address(set.registry),
            address(set.issuer),
            address(set.rewardDistributor),
            address(set.rollup),
            address(set.asset)
        ];
        for (uint256 i; i < owned.length; ++i) {
            address owner = owned[i] == address(set.asset) ? address(set.issuer) : address(set.governance);
            vm.assertEq(Ownable2Step(owned[i]).owner(), owner);
            vm.assertEq(Ownable2Step(owned[i]).pendingOwner(), address(0));
        }
        vm.assertEq(set.proposals.getGovernance(), address(set.governance));
        vm.assertEq(set.governance.governanceProposer(), address(set.proposals));
        vm.assertEq(set.registry.getRollup(), address(set.rollup));
    }

    /// @dev Nobody but the factory creates anything, and with salt 0: so an address follows from the committed artifact
    /// and the constructor's arguments alone, and proves both.
    function test_addresses_followFromTheirInitCode() public view {
        _assertCreated("Asset", abi.encode("Asset", "AST", address(this), HOLDER, SetLib.SUPPLY), address(set.asset));
        _assertCreated("Registry", abi.encode(address(this)), address(set.registry));
        _assertCreated("Proposals", abi.encode(set.registry, SetLib.N, SetLib.M), address(set.proposals));
        _assertCreated(
            "Governance", abi.encode(set.asset, set.proposals, SetLib.configuration()), address(set.governance)
        );
        _assertCreated("Issuer", abi.encode(set.asset, SetLib.RATE, set.governance), address(set.issuer));
        _assertCreated(
            "RewardDistributor",
            abi.encode(set.asset, set.registry, SetLib.REWARD, set.governance),
            address(set.rewardDistributor)
        );
        _assertCreated("Expect", "", address(set.expect));
        _assertCreated("Rollup", abi.encode(SetLib.parameters(set)), address(set.rollup));
    }

    /// @dev The address of other arguments is another one.
    function testFuzz_addresses_differForOtherArguments(uint256 field, uint256 change) public view {
        RollupParameters memory p = SetLib.parameters(set);
        field %= 5;
        change = bound(change, 1, type(uint256).max);
        unchecked {
            if (field == 0) p.owner = address(uint160(p.owner) ^ uint160(change % type(uint160).max + 1));
            if (field == 1) p.genesisTime += change;
            if (field == 2) p.slotDuration += change;
            if (field == 3) p.minimumStake += change;
            if (field == 4) p.exitDelay += change;
        }
        vm.assertNotEq(_addressOf("Rollup", abi.encode(p)), address(set.rollup));
    }

    function _creation(bytes32 salt, RollupParameters memory p) internal view returns (bytes memory) {
        return bytes.concat(salt, vm.getCode(SetLib.artifact("Rollup")), abi.encode(p));
    }

    /// @dev A salt and init code go in, 20 bytes come out, whoever calls; the same again isn't created twice.
    function testFuzz_factory_createsByItsRule(address caller, bytes32 salt) public {
        vm.assume(salt != 0);
        RollupParameters memory p = SetLib.parameters(set);
        bytes memory creation = _creation(salt, p);
        vm.prank(caller);
        (bool success, bytes memory answer) = FACTORY.call(creation);
        vm.assertTrue(success);
        vm.assertEq(answer.length, 20);
        address created = address(bytes20(answer));
        bytes32 hash = keccak256(SetLib.initCode("Rollup", abi.encode(p)));
        set.expect.createdBy(created, FACTORY, salt, hash);
        // The same code as the set's own, and another contract all the same.
        vm.assertEq(created.codehash, address(set.rollup).codehash);
        vm.assertNotEq(created, address(set.rollup));
        (success, answer) = FACTORY.call(creation);
        vm.assertFalse(success);
        vm.assertEq(answer.length, 0);
    }

    /// @dev Why a constructor refuses is hidden: parameters are checked before.
    function testFuzz_factory_hidesWhyAConstructorRefuses(bytes32 salt) public {
        RollupParameters memory p = SetLib.parameters(set);
        p.minimumStake = 0;
        (bool success, bytes memory answer) = FACTORY.call(_creation(salt, p));
        vm.assertFalse(success);
        vm.assertEq(answer.length, 0);
    }

    /// @dev EIP-1014, written out.
    function _addressOf(string memory name, bytes memory arguments) internal view returns (address) {
        bytes32 initCodeHash = keccak256(bytes.concat(vm.getCode(SetLib.artifact(name)), arguments));
        return address(
            uint160(uint256(keccak256(abi.encodePacked(bytes1(0xff), FACTORY, bytes32(0), initCodeHash))))
        );
    }

    function _assertCreated(string memory name, bytes memory arguments, address found) internal view {
        vm.assertEq(_addressOf(name, arguments), found, name);
        vm.assertGt(found.code.length, 0);
    }
}
