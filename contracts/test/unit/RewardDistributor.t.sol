// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ICommon} from "canon/interfaces/ICommon.sol";
import {IRegistry} from "canon/interfaces/IRegistry.sol";
import {IRewardDistributor} from "canon/interfaces/IRewardDistributor.sol";
import {IRollup} from "canon/interfaces/IRollup.sol";
import {Set, SetLib} from "../Set.sol";
import {Test} from "../Test.sol";
import {Deployer} from "../mocks/Deployer.sol";
import {MeasuredAnswer} from "../mocks/MeasuredAnswer.sol";
import {ScriptedRegistry} from "../mocks/ScriptedRegistry.sol";
import {ScriptedRollup} from "../mocks/ScriptedRollup.sol";

contract RewardDistributorTest is Test {
    uint256 internal constant START = 1_750_000_000;
    bytes4 internal constant SLOT = IRollup.getCurrentSlot.selector;

    Set internal set;
    IRewardDistributor internal distributor;
    ScriptedRollup internal rollup;
    address internal governance;

    function setUp() public {
        vm.warp(START);
        set = SetLib.deploy(address(this));
        distributor = set.rewardDistributor;
        governance = address(set.governance);
        rollup = new ScriptedRollup();
        rollup.set(0, address(0));
        _makeCanonical(address(rollup));
        set.asset.transfer(address(distributor), 1000 * SetLib.REWARD);
    }

    function _makeCanonical(address next) internal {
        vm.prank(governance);
        set.registry.upgrade(next);
    }

    function _claim(address to) internal returns (uint256) {
        vm.prank(address(rollup));
        return distributor.claim(to);
    }

    function testFuzz_constructor_keepsItsArguments(uint256 reward, address owner) public {
        vm.assume(owner != address(0));
        reward = bound(reward, 0, type(uint96).max);
        Deployer deployer = new Deployer();
        bytes memory code = vm.getCode(SetLib.artifact("RewardDistributor"));
        vm.expectEmit();
        emit IRewardDistributor.RewardDistributorDeployed(address(set.asset), reward);
        vm.expectEmit();
        emit IRewardDistributor.RegistryUpdated(address(set.registry));
        IRewardDistributor fresh =
            IRewardDistributor(deployer.deploy(code, abi.encode(set.asset, set.registry, reward, owner)));
        vm.assertEq(fresh.BLOCK_REWARD(), reward);
        vm.assertEq(address(fresh.ASSET()), address(set.asset));
        vm.assertEq(address(fresh.registry()), address(set.registry));
        vm.assertEq(fresh.canonicalRollup(), address(rollup));
        vm.assertEq(fresh.lastPaymentTime(), 0);
        vm.assertEq(Ownable(address(fresh)).owner(), owner);
    }

    function test_constructor_theGreatestReward() public {
        Deployer deployer = new Deployer();
        bytes memory code = vm.getCode(SetLib.artifact("RewardDistributor"));
        uint256 max = type(uint96).max;
        address fresh = deployer.deploy(code, abi.encode(set.asset, set.registry, max, governance));
        vm.assertEq(IRewardDistributor(fresh).BLOCK_REWARD(), max);
        vm.expectRevert(abi.encodeWithSelector(ICommon.ValueTooLarge.selector, max + 1, max));
        deployer.deploy(code, abi.encode(set.asset, set.registry, max + 1, governance));
    }

    function testFuzz_constructor_refusesARewardThatDoesNotFit(uint256 reward) public {
        reward = bound(reward, uint256(type(uint96).max) + 1, type(uint256).max);
        Deployer deployer = new Deployer();
        bytes memory code = vm.getCode(SetLib.artifact("RewardDistributor"));
        vm.expectRevert(abi.encodeWithSelector(ICommon.ValueTooLarge.selector, reward, type(uint96).max));
        deployer.deploy(code, abi.encode(set.asset, set.registry, reward, governance));
    }

    function testFuzz_claim_paysTheRewardForTheSlot(uint256 slot, address to) public {
        vm.assume(to != address(0) && to != address(distributor) && to != address(this));
        slot = bound(slot, 0, START);
        rollup.set(slot, address(0));
        vm.expectEmit(address(distributor));
        emit IRewardDistributor.RewardPaid(address(rollup), slot, to, SetLib.REWARD);
        vm.assertEq(_claim(to), SetLib.REWARD);
        vm.assertEq(set.asset.balanceOf(to), SetLib.REWARD);
        (bool exists, uint256 last) = distributor.lastPaidSlot(address(rollup));
        vm.assertTrue(exists);
        vm.assertEq(last, slot);
        vm.assertEq(distributor.lastPaymentTime(), START);
    }

    function testFuzz_claim_paysWhatIsLeftIfThatIsLess(uint256 balance, uint256 reward) public {
        balance = bound(balance, 0, 1000e18);
        reward = bound(reward, 0, 1000e18);
        IRewardDistributor fresh = IRewardDistributor(
            vm.deployCode(SetLib.artifact("RewardDistributor"), abi.encode(set.asset, set.registry, reward, governance))
        );
        set.asset.transfer(address(fresh), balance);
        uint256 expected = balance < reward ? balance : reward;
        vm.expectEmit(address(fresh));
        emit IRewardDistributor.RewardPaid(address(rollup), 0, address(0xbeef), expected);
        vm.prank(address(rollup));
        vm.assertEq(fresh.claim(address(0xbeef)), expected);
        vm.assertEq(set.asset.balanceOf(address(0xbeef)), expected);
        vm.assertEq(set.asset.balanceOf(address(fresh)), balance - expected);
    }

    function testFuzz_claim_onlyByTheCanonicalRollup(address caller) public {
        vm.assume(caller != address(rollup));
        vm.prank(caller);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRewardDistributor.RewardDistributor__NotCanonical.selector, caller, address(rollup)
            )
        );
        distributor.claim(caller);
    }

    function testFuzz_claim_noMoreForARollupThatWasReplaced(uint256 slot, uint256 later) public {
        slot = bound(slot, 0, START);
        rollup.set(slot, address(0));
        _claim(address(1));
        ScriptedRollup next = new ScriptedRollup();
        next.set(slot, address(0));
        _makeCanonical(address(next));
        vm.warp(START + bound(later, 1, 10_000 days));
        rollup.set(slot + 1, address(0));
        vm.prank(address(rollup));
        vm.expectRevert(
            abi.encodeWithSelector(
                IRewardDistributor.RewardDistributor__NotCanonical.selector, address(rollup), address(next)
            )
        );
        distributor.claim(address(1));
        // Slots are paid per rollup: the new one's may be the same numbers.
        vm.prank(address(next));
        vm.assertEq(distributor.claim(address(2)), SetLib.REWARD);
    }

    function testFuzz_claim_refusesASlotNotAboveTheLastPaid(uint256 paid, uint256 slot, uint256 later) public {
        paid = bound(paid, 0, START);
        slot = bound(slot, 0, paid);
        rollup.set(paid, address(0));
        _claim(address(1));
        vm.warp(START + bound(later, 1, 10_000 days));
        rollup.set(slot, address(0));
        vm.expectRevert(
            abi.encodeWithSelector(IRewardDistributor.RewardDistributor__SlotAlreadyPaid.selector, slot, paid)
        );
        _claim(address(1));
        rollup.set(paid + 1, address(0));
        vm.assertEq(_claim(address(1)), SetLib.REWARD);
    }

    function test_claim_paysSlotZeroOnce() public {
        (bool exists,) = distributor.lastPaidSlot(address(rollup));
        vm.assertFalse(exists);
        vm.assertEq(_claim(address(1)), SetLib.REWARD);
        (exists,) = distributor.lastPaidSlot(address(rollup));
        vm.assertTrue(exists);
        vm.warp(START + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IRewardDistributor.RewardDistributor__SlotAlreadyPaid.selector, 0, 0)
        );
        _claim(address(1));
    }

    function testFuzz_claim_refusesASlotInTheFuture(uint256 slot, uint256 time) public {
        time = bound(time, START, type(uint40).max);
        slot = bound(slot, time + 1, type(uint256).max);
        vm.warp(time);
        rollup.set(slot, address(0));
        vm.expectRevert(
            abi.encodeWithSelector(IRewardDistributor.RewardDistributor__SlotInFuture.selector, slot, time)
        );
        _claim(address(1));
        rollup.set(time, address(0));
        vm.assertEq(_claim(address(1)), SetLib.REWARD);
    }

    function testFuzz_claim_oncePerTimestamp(uint256 first, uint256 second) public {
        first = bound(first, 0, START - 1);
        second = bound(second, first + 1, START);
        rollup.set(first, address(0));
        _claim(address(1));
        rollup.set(second, address(0));
        vm.expectRevert(
            abi.encodeWithSelector(IRewardDistributor.RewardDistributor__AlreadyPaidNow.selector, START)
        );
        _claim(address(1));
        vm.warp(START + 1);
        vm.assertEq(_claim(address(1)), SetLib.REWARD);
    }

    /// @dev Also for two rollups: a switch within one second cannot pay twice.
    function test_claim_oncePerTimestampAcrossRollups() public {
        _claim(address(1));
        ScriptedRollup next = new ScriptedRollup();
        next.set(7, address(0));
        _makeCanonical(address(next));
        vm.prank(address(next));
        vm.expectRevert(
            abi.encodeWithSelector(IRewardDistributor.RewardDistributor__AlreadyPaidNow.selector, START)
        );
        distributor.claim(address(1));
    }

    /// @dev What a rollup that lies about its slots takes at most: one reward per second.
    function testFuzz_claim_aLyingRollupTakesOneRewardPerSecond(uint256 seed, uint256 attempts) public {
        attempts = bound(attempts, 1, 40);
        uint256 paid;
        for (uint256 i; i < attempts; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            vm.warp(vm.getBlockTimestamp() + seed % 2);
            rollup.set((seed >> 8) % (START + 100), address(0));
            vm.prank(address(rollup));
            (bool success,) = address(distributor).call(abi.encodeCall(IRewardDistributor.claim, (address(0xbeef))));
            if (success) ++paid;
        }
        vm.assertGe(paid, 1);
        vm.assertLe(paid, vm.getBlockTimestamp() - START + 1);
        vm.assertEq(set.asset.balanceOf(address(0xbeef)), paid * SetLib.REWARD);
    }

    function testFuzz_claim_refusesASlotThatIsNotOneWord(uint256 length, bool reverts) public {
        length = bound(length, 0, 96);
        if (reverts) rollup.refuse(SLOT, new bytes(length));
        else rollup.answer(SLOT, new bytes(length == 32 ? 33 : length));
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoAnswer.selector, address(rollup), SLOT));
        _claim(address(1));
    }

    /// @dev Caller, then slot in the future, then slot already paid, then time.
    function testFuzz_claim_checksInOrder(bool stranger, bool paidBefore, bool future, bool old) public {
        if (paidBefore) {
            rollup.set(5, address(0));
            _claim(address(1));
        }
        uint256 slot = future ? START + 1 : old ? 5 : 6;
        rollup.set(slot, address(0));
        address caller = stranger ? address(0xBAD) : address(rollup);
        bytes memory refusal;
        if (stranger) {
            refusal = abi.encodeWithSelector(
                IRewardDistributor.RewardDistributor__NotCanonical.selector, caller, address(rollup)
            );
        } else if (future) {
            refusal =
                abi.encodeWithSelector(IRewardDistributor.RewardDistributor__SlotInFuture.selector, slot, START);
        } else if (old && paidBefore) {
            refusal = abi.encodeWithSelector(IRewardDistributor.RewardDistributor__SlotAlreadyPaid.selector, 5, 5);
        } else if (paidBefore) {
            refusal = abi.encodeWithSelector(IRewardDistributor.RewardDistributor__AlreadyPaidNow.selector, START);
        }
        if (refusal.length != 0) vm.expectRevert(refusal);
        vm.prank(caller);
        distributor.claim(address(1));
        bool paid = paidBefore || refusal.length == 0;
        vm.assertEq(set.asset.balanceOf(address(1)), paid ? SetLib.REWARD : 0);
    }

    /// @dev Whatever the Registry does instead of answering with one clean address: with nothing, less or more than a
    /// word, a megabyte, or a revert, of whose reason nothing is passed on.
    function test_registryThatDoesNotAnswer_isNoAnswer() public {
        bytes4 selector = IRegistry.getRollup.selector;
        MeasuredAnswer registry = new MeasuredAnswer();
        registry.set(selector, uint160(address(rollup)));
        vm.prank(governance);
        distributor.updateRegistry(address(registry));
        vm.assertEq(distributor.canonicalRollup(), address(rollup));

        uint256[8] memory lengths = [uint256(0), 1, 4, 31, 32, 33, 64, 1 << 20];
        for (uint256 i; i < 2 * lengths.length; ++i) {
            uint256 length = lengths[i / 2];
            bool fails = i % 2 == 1;
            registry.distort(selector, length, fails);
            if (length == 32 && !fails) continue;
            uint256 gas = gasleft();
            _expectNoAnswer(address(registry), selector);
            distributor.canonicalRollup();
            _expectNoAnswer(address(registry), selector);
            _claim(address(1));
            // Each time the Registry pays 2.2 million for a megabyte, and whoever copied it would pay as much again.
            vm.assertLt(gas - gasleft(), 6_000_000, "the answer was copied");
        }
        vm.assertEq(set.asset.balanceOf(address(1)), 0);
        registry.distort(selector, 32, false);
        vm.assertEq(_claim(address(1)), SetLib.REWARD);
    }

    function testFuzz_registryThatAnswersADirtyAddress_isNoAnswer(uint256 dirt) public {
        bytes4 selector = IRegistry.getRollup.selector;
        MeasuredAnswer registry = new MeasuredAnswer();
        registry.set(selector, bound(dirt, 1, type(uint96).max) << 160 | uint160(address(rollup)));
        vm.prank(governance);
        distributor.updateRegistry(address(registry));
        _expectNoAnswer(address(registry), selector);
        distributor.canonicalRollup();
        _expectNoAnswer(address(registry), selector);
        _claim(address(1));
    }

    function test_registryThatIsGone_isNoAnswer() public {
        vm.etch(address(set.registry), "");
        _expectNoAnswer(address(set.registry), IRegistry.getRollup.selector);
        distributor.canonicalRollup();
        _expectNoAnswer(address(set.registry), IRegistry.getRollup.selector);
        _claim(address(1));
    }

    function _expectNoAnswer(address target, bytes4 selector) internal {
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoAnswer.selector, target, selector));
    }

    function testFuzz_updateRegistry_onlyByTheOwner(address caller) public {
        vm.assume(caller != governance);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, caller));
        distributor.updateRegistry(address(set.registry));
    }

    function testFuzz_updateRegistry_changesWhoIsPaid(address other) public {
        vm.assume(other != address(rollup));
        ScriptedRegistry registry = new ScriptedRegistry();
        registry.set(other, governance);
        vm.expectEmit(address(distributor));
        emit IRewardDistributor.RegistryUpdated(address(registry));
        vm.prank(governance);
        distributor.updateRegistry(address(registry));
        vm.assertEq(address(distributor.registry()), address(registry));
        vm.assertEq(distributor.canonicalRollup(), other);
        vm.expectRevert(
            abi.encodeWithSelector(IRewardDistributor.RewardDistributor__NotCanonical.selector, address(rollup), other)
        );
        _claim(address(1));
    }

    function testFuzz_updateRegistry_refusesAnAddressWithoutCode(address codeless) public {
        codeless = address(uint160(bound(uint160(codeless), 0x10000, type(uint160).max)));
        vm.assume(codeless.code.length == 0);
        vm.prank(governance);
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoCode.selector, codeless));
        distributor.updateRegistry(codeless);
    }

    function test_ownership_cannotBeRenounced() public {
        vm.prank(governance);
        vm.expectRevert(ICommon.OwnershipCannotBeRenounced.selector);
        Ownable(address(distributor)).renounceOwnership();
    }

    /// @dev Paid is paid: what a claim returns, its event and the balances agree.
    function testFuzz_claim_neverPaysMoreThanItHolds(uint256 balance, uint256 claims) public {
        claims = bound(claims, 1, 10);
        uint256 held = set.asset.balanceOf(address(distributor));
        balance = bound(balance, 0, 8 * SetLib.REWARD);
        vm.prank(address(distributor));
        IERC20(address(set.asset)).transfer(address(this), held - balance);
        uint256 sum;
        for (uint256 i; i < claims; ++i) {
            rollup.set(i, address(0));
            vm.warp(START + i);
            sum += _claim(address(0xbeef));
        }
        uint256 owed = claims * SetLib.REWARD;
        vm.assertEq(sum, owed < balance ? owed : balance);
        vm.assertEq(set.asset.balanceOf(address(0xbeef)), sum);
        vm.assertEq(set.asset.balanceOf(address(distributor)), balance - sum);
    }
}
