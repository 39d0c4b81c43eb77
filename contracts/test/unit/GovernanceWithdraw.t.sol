// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ICommon} from "canon/interfaces/ICommon.sol";
import {Configuration, IGovernance, Withdrawal} from "canon/interfaces/IGovernance.sol";
import {SetLib} from "../Set.sol";
import {GovernanceFixture} from "./GovernanceFixture.t.sol";

contract GovernanceWithdrawTest is GovernanceFixture {
    address internal alice;
    address internal recipient;

    function setUp() public override {
        super.setUp();
        alice = addressOf("alice");
        recipient = addressOf("recipient");
    }

    function _withdraw(address holder, address to, uint256 amount) private returns (uint256 id) {
        vm.prank(holder);
        return governance.initiateWithdraw(to, amount);
    }

    function _refuseLocked(uint256 time, uint256 unlocksAt) private {
        vm.expectRevert(abi.encodeWithSelector(IGovernance.Governance__NotUnlocked.selector, time, unlocksAt));
    }

    function testFuzz_initiateWithdraw_givesThePowerUpAtOnce(uint256 locked, uint256 amount, uint32 gap) public {
        locked = bound(locked, 1, SUPPLY);
        amount = bound(amount, 1, locked);
        _lock(alice, locked);
        skip(gap);
        _withdraw(alice, recipient, amount);
        vm.assertEq(_power(alice), locked - amount);
        vm.assertEq(_totalPower(), locked - amount);
        vm.assertEq(asset.balanceOf(address(governance)), locked, "the asset stays for now");
        vm.assertEq(asset.balanceOf(recipient), 0);
    }

    function testFuzz_initiateWithdraw_isRecordedAndAnnounced(address to, uint256 amount, uint32 gap) public {
        vm.assume(to != address(0));
        amount = bound(amount, 1, SUPPLY);
        _lock(alice, amount);
        skip(gap);
        uint256 unlocksAt = START + gap + _exitDelay(SetLib.configuration());
        vm.expectEmit(address(governance));
        emit IGovernance.WithdrawInitiated(0, to, amount);
        vm.expectEmit(address(governance));
        emit IGovernance.WithdrawalQueued(0, alice, unlocksAt);
        vm.assertEq(_withdraw(alice, to, amount), 0);

        Withdrawal memory w = governance.getWithdrawal(0);
        vm.assertEq(w.amount, amount);
        vm.assertEq(w.unlocksAt, unlocksAt);
        vm.assertEq(w.recipient, to);
        vm.assertFalse(w.claimed);
    }

    function testFuzz_initiateWithdraw_takesTheDelayOfTheConfiguration(Configuration memory c, uint256 amount) public {
        c = _allowed(c);
        _deploy(c);
        amount = bound(amount, 1, SUPPLY);
        _lock(alice, amount);
        uint256 id = _withdraw(alice, recipient, amount);
        uint256 delay = c.votingDelay / 5 + c.votingDuration + c.executionDelay;
        vm.assertEq(governance.getWithdrawal(id).unlocksAt, START + delay);
    }

    function testFuzz_initiateWithdraw_idsCountFromZero(uint8 count) public {
        count = uint8(bound(count, 1, 20));
        _lock(alice, count);
        for (uint256 i; i < count; ++i) {
            vm.assertEq(governance.withdrawalCount(), i);
            vm.assertEq(_withdraw(alice, recipient, 1), i);
        }
        vm.assertEq(governance.withdrawalCount(), count);
    }

    function testFuzz_initiateWithdraw_refusesMoreThanThePower(uint256 locked, uint256 amount) public {
        locked = bound(locked, 1, SUPPLY);
        amount = bound(amount, locked + 1, type(uint256).max);
        _lock(alice, locked);
        // Somebody else's asset is there for the taking.
        if (locked < SUPPLY) _lock(recipient, SUPPLY - locked);
        _refusePower(alice, locked, amount);
        _withdraw(alice, recipient, amount);
    }

    function testFuzz_initiateWithdraw_refusesWhoLockedNothing(address who, uint256 amount) public {
        vm.assume(who != alice);
        amount = bound(amount, 1, type(uint256).max);
        _lock(alice, SUPPLY);
        _refusePower(who, 0, amount);
        _withdraw(who, recipient, amount);
    }

    function testFuzz_initiateWithdraw_refusesThePowerThatWasGivenUp(uint256 locked, uint256 amount) public {
        locked = bound(locked, 1, SUPPLY);
        amount = bound(amount, 1, locked);
        _lock(alice, locked);
        _withdraw(alice, recipient, amount);
        _refusePower(alice, locked - amount, locked - amount + 1);
        _withdraw(alice, recipient, locked - amount + 1);
    }

    function testFuzz_initiateWithdraw_refusesNothing(address to, uint256 locked) public {
        vm.assume(to != address(0));
        _lock(alice, bound(locked, 1, SUPPLY));
        _refuse(IGovernance.Governance__ZeroAmount.selector);
        _withdraw(alice, to, 0);
    }

    function testFuzz_initiateWithdraw_refusesAddressZero(uint256 locked, uint256 amount) public {
        _lock(alice, bound(locked, 1, SUPPLY));
        _refuse(ICommon.ZeroAddress.selector);
        _withdraw(alice, address(0), amount);
    }

    function testFuzz_initiateWithdraw_isRefusedWhenTheTimeDoesNotFit(uint256 late) public {
        late = bound(late, 1, 1e6);
        _lock(alice, 2);
        vm.warp(START + type(uint32).max);
        _withdraw(alice, recipient, 1);
        vm.warp(START + type(uint32).max + late);
        vm.expectRevert(
            abi.encodeWithSelector(
                ICommon.ValueTooLarge.selector, type(uint32).max + late, uint256(type(uint32).max)
            )
        );
        _withdraw(alice, recipient, 1);
    }

    function testFuzz_finaliseWithdraw_paysFromTheSecondOfUnlockingOn(
        uint256 locked,
        uint256 amount,
        address anyone
    ) public {
        locked = bound(locked, 1, SUPPLY);
        amount = bound(amount, 1, locked);
        _lock(alice, locked);
        uint256 id = _withdraw(alice, recipient, amount);
        uint256 unlocksAt = governance.getWithdrawal(id).unlocksAt;
        vm.warp(unlocksAt - 1);
        _refuseLocked(unlocksAt - 1, unlocksAt);
        vm.prank(anyone);
        governance.finaliseWithdraw(id);

        vm.warp(unlocksAt);
        vm.expectEmit(address(governance));
        emit IGovernance.WithdrawFinalised(id);
        vm.expectEmit(address(asset));
        emit IERC20.Transfer(address(governance), recipient, amount);
        vm.prank(anyone);
        governance.finaliseWithdraw(id);
        vm.assertEq(asset.balanceOf(recipient), amount);
        vm.assertEq(asset.balanceOf(address(governance)), locked - amount);
        vm.assertTrue(governance.getWithdrawal(id).claimed);
        vm.assertEq(_power(alice), locked - amount, "power was given up before");
    }

    function testFuzz_finaliseWithdraw_refusesEverySecondBefore(uint256 amount, uint256 early) public {
        amount = bound(amount, 1, SUPPLY);
        _lock(alice, amount);
        uint256 id = _withdraw(alice, recipient, amount);
        uint256 unlocksAt = governance.getWithdrawal(id).unlocksAt;
        uint256 time = bound(early, START, unlocksAt - 1);
        vm.warp(time);
        _refuseLocked(time, unlocksAt);
        governance.finaliseWithdraw(id);
    }

    function testFuzz_finaliseWithdraw_paysOnce(uint256 amount, uint256 others, uint32 later) public {
        amount = bound(amount, 1, SUPPLY / 2);
        others = bound(others, amount, SUPPLY / 2);
        _lock(alice, amount);
        _lock(recipient, others);
        uint256 id = _withdraw(alice, alice, amount);
        vm.warp(governance.getWithdrawal(id).unlocksAt);
        governance.finaliseWithdraw(id);
        skip(later);
        vm.expectRevert(abi.encodeWithSelector(IGovernance.Governance__AlreadyClaimed.selector, id));
        governance.finaliseWithdraw(id);
        vm.assertEq(asset.balanceOf(alice), amount);
    }

    function testFuzz_finaliseWithdraw_refusesUnknownIds(uint256 id, uint8 count) public {
        count = uint8(bound(count, 0, 5));
        _lock(alice, 10);
        for (uint256 i; i < count; ++i) {
            _withdraw(alice, recipient, 1);
        }
        id = bound(id, count, type(uint256).max);
        skip(1000 days);
        vm.expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__UnknownWithdrawal.selector, id, uint256(count))
        );
        governance.finaliseWithdraw(id);
    }

    /// @dev Withdrawals are independent: any order, any recipients.
    function testFuzz_finaliseWithdraw_inAnyOrder(uint96[4] memory amounts, uint256 seed) public {
        uint256[4] memory ids;
        for (uint256 i; i < 4; ++i) {
            amounts[i] = uint96(bound(amounts[i], 1, SUPPLY / 4));
            _lock(alice, amounts[i]);
            ids[i] = _withdraw(alice, address(uint160(0xCC00 + i)), amounts[i]);
            skip(7);
        }
        skip(30 days);
        bool[4] memory paid;
        for (uint256 i; i < 4; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 next = seed % 4;
            while (paid[next]) next = (next + 1) % 4;
            governance.finaliseWithdraw(ids[next]);
            paid[next] = true;
            for (uint256 j; j < 4; ++j) {
                vm.assertEq(asset.balanceOf(address(uint160(0xCC00 + j))), paid[j] ? amounts[j] : 0);
                vm.assertEq(governance.getWithdrawal(ids[j]).claimed, paid[j]);
            }
        }
    }

    /// @dev Whatever the holders do, Governance holds all power and all that is due.
    function testFuzz_withdraw_governanceStaysSolvent(uint256[] memory seeds) public {
        vm.assume(seeds.length != 0);
        uint256 due;
        for (uint256 i; i < seeds.length && i < 24; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(seeds[i])));
            address holder = address(uint160(0xDD00 + seed % 3));
            uint256 amount = uint256(uint80(seed >> 16)) + 1;
            uint256 power = _power(holder);
            uint256 count = governance.withdrawalCount();
            uint256 kind = (seed >> 8) % 3;
            if (kind == 0) {
                _lock(holder, amount);
            } else if (kind == 1 && power != 0) {
                amount = bound(amount, 1, power);
                // To Governance itself too, which only makes it richer.
                _withdraw(holder, seed & 0x1000 == 0 ? address(governance) : holder, amount);
                due += amount;
            } else if (count != 0) {
                uint256 id = seed % count;
                Withdrawal memory w = governance.getWithdrawal(id);
                if (w.claimed) continue;
                if (w.unlocksAt > vm.getBlockTimestamp()) vm.warp(w.unlocksAt);
                governance.finaliseWithdraw(id);
                due -= w.amount;
            }
            vm.assertGe(asset.balanceOf(address(governance)), _totalPower() + due);
        }
    }
}
