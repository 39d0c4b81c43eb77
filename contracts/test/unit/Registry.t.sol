// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {ICommon} from "canon/interfaces/ICommon.sol";
import {IRegistry} from "canon/interfaces/IRegistry.sol";
import {IRollup} from "canon/interfaces/IRollup.sol";
import {SetLib} from "../Set.sol";
import {Test} from "../Test.sol";
import {Delegation} from "../mocks/Delegation.sol";
import {Deployer} from "../mocks/Deployer.sol";
import {MeasuredAnswer} from "../mocks/MeasuredAnswer.sol";
import {ScriptedRollup} from "../mocks/ScriptedRollup.sol";

contract RegistryTest is Test {
    address internal constant SENTINEL = address(0xdEaD);
    bytes4 internal constant SLOT = IRollup.getCurrentSlot.selector;
    bytes4 internal constant PROPOSER = IRollup.getCurrentProposer.selector;

    IRegistry internal registry;

    function setUp() public {
        vm.warp(1_750_000_000);
        vm.roll(22_000_000);
        registry = IRegistry(vm.deployCode(SetLib.artifact("Registry"), abi.encode(address(this))));
    }

    function _rollup() internal returns (ScriptedRollup rollup) {
        rollup = new ScriptedRollup();
        rollup.set(0, address(0));
    }

    function testFuzz_constructor_beginsWithTheSentinel(uint40 blockNumber, address owner) public {
        vm.assume(owner != address(0));
        vm.roll(blockNumber);
        Deployer deployer = new Deployer();
        bytes memory code = vm.getCode(SetLib.artifact("Registry"));
        vm.expectEmit();
        emit Ownable.OwnershipTransferred(address(0), owner);
        vm.expectEmit();
        emit IRegistry.InstanceAdded(SENTINEL, 0);
        IRegistry fresh = IRegistry(deployer.deploy(code, abi.encode(owner)));

        vm.assertEq(fresh.numberOfVersions(), 1);
        vm.assertEq(fresh.getRollup(), SENTINEL);
        vm.assertEq(fresh.getVersionFor(SENTINEL), 0);
        vm.assertTrue(fresh.isRollupRegistered(SENTINEL));
        vm.assertEq(fresh.getGovernance(), owner);
        (address first, uint256 firstBlock) = fresh.getSnapshot(0);
        (address current, uint256 currentBlock) = fresh.getCurrentSnapshot();
        vm.assertEq(first, SENTINEL);
        vm.assertEq(current, SENTINEL);
        vm.assertEq(firstBlock, blockNumber);
        vm.assertEq(currentBlock, blockNumber);
    }

    function testFuzz_upgrade_onlyByTheOwner(address caller) public {
        vm.assume(caller != address(this));
        address rollup = address(_rollup());
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, caller));
        registry.upgrade(rollup);
    }

    function testFuzz_upgrade_appendsAndTheNewestIsCanonical(uint256 count, uint256 seed) public {
        count = bound(count, 1, 12);
        address[] memory rollups = new address[](count);
        uint256[] memory blocks = new uint256[](count);
        for (uint256 i; i < count; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            vm.roll(vm.getBlockNumber() + seed % 100_000);
            blocks[i] = vm.getBlockNumber();
            rollups[i] = address(_rollup());
            vm.assertFalse(registry.isRollupRegistered(rollups[i]));
            vm.expectEmit(address(registry));
            emit IRegistry.InstanceAdded(rollups[i], i + 1);
            vm.assertEq(registry.upgrade(rollups[i]), i + 1);
            vm.assertEq(registry.getRollup(), rollups[i]);
        }
        vm.assertEq(registry.numberOfVersions(), count + 1);
        for (uint256 i; i < count; ++i) {
            (address rollup, uint256 blockNumber) = registry.getSnapshot(i + 1);
            vm.assertEq(rollup, rollups[i]);
            vm.assertEq(blockNumber, blocks[i]);
            vm.assertEq(registry.getVersionFor(rollups[i]), i + 1);
            vm.assertTrue(registry.isRollupRegistered(rollups[i]));
        }
        (address current, uint256 currentBlock) = registry.getCurrentSnapshot();
        vm.assertEq(current, rollups[count - 1]);
        vm.assertEq(currentBlock, blocks[count - 1]);
        (address sentinel,) = registry.getSnapshot(0);
        vm.assertEq(sentinel, SENTINEL);
    }

    function testFuzz_upgrade_refusesAnAddressAlreadyListed(uint256 count, uint256 which) public {
        count = bound(count, 1, 8);
        which = bound(which, 1, count);
        for (uint256 i; i < count; ++i) {
            registry.upgrade(address(_rollup()));
        }
        (address listed,) = registry.getSnapshot(which);
        vm.expectRevert(abi.encodeWithSelector(IRegistry.Registry__AlreadyRegistered.selector, listed, which));
        registry.upgrade(listed);
    }

    function test_upgrade_refusesTheSentinelEvenWithCode() public {
        vm.etch(SENTINEL, address(_rollup()).code);
        vm.expectRevert(abi.encodeWithSelector(IRegistry.Registry__AlreadyRegistered.selector, SENTINEL, 0));
        registry.upgrade(SENTINEL);
    }

    function testFuzz_upgrade_refusesAnAddressWithoutCode(address rollup) public {
        vm.assume(rollup.code.length == 0 && rollup != SENTINEL && uint160(rollup) > 0xffff);
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoCode.selector, rollup));
        registry.upgrade(rollup);
    }

    function test_upgrade_refusesAddressZero() public {
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoCode.selector, address(0)));
        registry.upgrade(address(0));
    }

    /// @dev An account that delegated to a rollup answers like one, until its key decides otherwise.
    function testFuzz_upgrade_refusesADelegation(uint256 key) public {
        address eoa = vm.addr(bound(key, 1, type(uint128).max));
        address rollup = address(_rollup());
        Delegation.set(eoa, rollup);
        ScriptedRollup(eoa).set(1, address(0));
        vm.assertEq(IRollup(eoa).getCurrentSlot(), 1);
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoCode.selector, eoa));
        registry.upgrade(eoa);
    }

    function testFuzz_upgrade_refusesASlotThatIsNotOneWord(uint256 length, uint256 filler) public {
        length = bound(length, 0, 96);
        if (length == 32) length = 33;
        ScriptedRollup rollup = _rollup();
        rollup.answer(SLOT, _bytes(length, filler));
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoAnswer.selector, address(rollup), SLOT));
        registry.upgrade(address(rollup));
    }

    function testFuzz_upgrade_refusesAProposerThatIsNotOneWord(uint256 length) public {
        length = bound(length, 0, 96);
        if (length == 32) length = 31;
        ScriptedRollup rollup = _rollup();
        rollup.answer(PROPOSER, _bytes(length, 0));
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoAnswer.selector, address(rollup), PROPOSER));
        registry.upgrade(address(rollup));
    }

    function testFuzz_upgrade_refusesAProposerThatIsNoAddress(uint256 word) public {
        word = bound(word, uint256(type(uint160).max) + 1, type(uint256).max);
        ScriptedRollup rollup = _rollup();
        rollup.answer(PROPOSER, abi.encode(word));
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoAnswer.selector, address(rollup), PROPOSER));
        registry.upgrade(address(rollup));
    }

    function testFuzz_upgrade_refusesOneThatReverts(bool slot, bytes memory reason) public {
        ScriptedRollup rollup = _rollup();
        bytes4 selector = slot ? SLOT : PROPOSER;
        rollup.refuse(selector, reason);
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoAnswer.selector, address(rollup), selector));
        registry.upgrade(address(rollup));
    }

    /// @dev A megabyte isn't copied.
    function test_upgrade_copiesNoMoreThanAWord() public {
        MeasuredAnswer rollup = new MeasuredAnswer();
        rollup.set(SLOT, 0);
        rollup.set(PROPOSER, 0);
        for (uint256 i; i < 4; ++i) {
            bytes4 selector = i < 2 ? SLOT : PROPOSER;
            rollup.distort(selector, 1 << 20, i % 2 == 1);
            uint256 gas = gasleft();
            vm.expectRevert(abi.encodeWithSelector(ICommon.NoAnswer.selector, address(rollup), selector));
            registry.upgrade(address(rollup));
            vm.assertLt(gas - gasleft(), 3_000_000, "the answer was copied");
            rollup.distort(selector, 32, false);
        }
        vm.assertEq(registry.upgrade(address(rollup)), 1);
    }

    function testFuzz_upgrade_acceptsAnySlotAndProposer(uint256 slot, address proposer) public {
        ScriptedRollup rollup = _rollup();
        rollup.set(slot, proposer);
        vm.assertEq(registry.upgrade(address(rollup)), 1);
    }

    /// @dev Caller, then whether it is listed, then its code, then its answers.
    function testFuzz_upgrade_checksInOrder(bool stranger, bool listed, bool noCode, bool noSlot, bool noProposer)
        public
    {
        ScriptedRollup rollup = _rollup();
        address target = address(rollup);
        if (listed) registry.upgrade(target);
        if (noProposer) rollup.answer(PROPOSER, "");
        if (noSlot) rollup.answer(SLOT, "");
        if (noCode) vm.etch(target, "");

        bytes memory refusal;
        if (stranger) refusal = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, address(0xBAD));
        else if (listed) refusal = abi.encodeWithSelector(IRegistry.Registry__AlreadyRegistered.selector, target, 1);
        else if (noCode) refusal = abi.encodeWithSelector(ICommon.NoCode.selector, target);
        else if (noSlot) refusal = abi.encodeWithSelector(ICommon.NoAnswer.selector, target, SLOT);
        else if (noProposer) refusal = abi.encodeWithSelector(ICommon.NoAnswer.selector, target, PROPOSER);

        if (refusal.length != 0) vm.expectRevert(refusal);
        vm.prank(stranger ? address(0xBAD) : address(this));
        registry.upgrade(target);
        vm.assertEq(registry.numberOfVersions(), (refusal.length == 0 || listed) ? 2 : 1);
    }

    function testFuzz_getVersionFor_revertsForUnknown(address unknown) public {
        vm.assume(unknown != SENTINEL);
        registry.upgrade(address(_rollup()));
        vm.assume(unknown != registry.getRollup());
        vm.assertFalse(registry.isRollupRegistered(unknown));
        vm.expectRevert(abi.encodeWithSelector(IRegistry.Registry__NotRegistered.selector, unknown));
        registry.getVersionFor(unknown);
    }

    function test_getVersionFor_revertsForAddressZero() public {
        vm.assertFalse(registry.isRollupRegistered(address(0)));
        vm.expectRevert(abi.encodeWithSelector(IRegistry.Registry__NotRegistered.selector, address(0)));
        registry.getVersionFor(address(0));
    }

    function testFuzz_getSnapshot_isZeroForUnknown(uint256 version) public {
        registry.upgrade(address(_rollup()));
        version = bound(version, 2, type(uint256).max);
        (address rollup, uint256 blockNumber) = registry.getSnapshot(version);
        vm.assertEq(rollup, address(0));
        vm.assertEq(blockNumber, 0);
    }

    function testFuzz_getGovernance_isTheOwner(address newOwner) public {
        vm.assume(newOwner != address(0) && newOwner != address(this));
        Ownable2Step(address(registry)).transferOwnership(newOwner);
        vm.assertEq(registry.getGovernance(), address(this));
        vm.prank(newOwner);
        Ownable2Step(address(registry)).acceptOwnership();
        vm.assertEq(registry.getGovernance(), newOwner);
    }

    function test_ownership_cannotBeRenounced() public {
        vm.expectRevert(ICommon.OwnershipCannotBeRenounced.selector);
        Ownable(address(registry)).renounceOwnership();
        vm.assertEq(registry.getGovernance(), address(this));
    }

    function _bytes(uint256 length, uint256 filler) internal pure returns (bytes memory data) {
        data = new bytes(length);
        for (uint256 i; i < length; ++i) {
            data[i] = bytes1(uint8(filler >> (8 * (i % 32))));
        }
    }
}
