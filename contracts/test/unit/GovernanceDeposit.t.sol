// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ICommon} from "canon/interfaces/ICommon.sol";
import {IGovernance} from "canon/interfaces/IGovernance.sol";
import {GovernanceFixture} from "./GovernanceFixture.t.sol";

contract GovernanceDepositTest is GovernanceFixture {
    address internal alice;

    function setUp() public override {
        super.setUp();
        alice = addressOf("alice");
    }

    /// @dev `alice` gets `amount` and allows Governance `allowance` of it.
    function _equip(uint256 amount, uint256 allowance) private {
        asset.transfer(alice, amount);
        vm.prank(alice);
        asset.approve(address(governance), allowance);
    }

    function testFuzz_deposit_locksTheAssetAsPowerOfTheBeneficiary(address onBehalfOf, uint256 amount) public {
        vm.assume(onBehalfOf != address(0) && onBehalfOf != address(governance));
        amount = bound(amount, 1, SUPPLY);
        _equip(amount, amount);
        vm.expectEmit(address(asset));
        emit IERC20.Transfer(alice, address(governance), amount);
        vm.expectEmit(address(governance));
        emit IGovernance.Deposit(alice, onBehalfOf, amount);
        vm.prank(alice);
        governance.deposit(onBehalfOf, amount);

        vm.assertEq(_power(onBehalfOf), amount);
        vm.assertEq(_totalPower(), amount);
        vm.assertEq(asset.balanceOf(alice), 0);
        vm.assertEq(asset.balanceOf(address(governance)), amount);
        if (onBehalfOf != alice) vm.assertEq(_power(alice), 0, "the depositor keeps no power");
    }

    function testFuzz_deposit_addsUp(uint96 first, uint96 second, uint32 gap) public {
        first = uint96(bound(first, 1, SUPPLY - 1));
        second = uint96(bound(second, 1, SUPPLY - first));
        governance.deposit(alice, first);
        skip(gap);
        governance.deposit(alice, second);
        vm.assertEq(_power(alice), uint256(first) + second);
        vm.assertEq(_totalPower(), uint256(first) + second);
    }

    function testFuzz_deposit_takesFromAFiniteAllowance(uint256 amount, uint256 allowance) public {
        amount = bound(amount, 1, SUPPLY);
        allowance = bound(allowance, amount, type(uint256).max - 1);
        _equip(amount, allowance);
        vm.prank(alice);
        governance.deposit(alice, amount);
        vm.assertEq(asset.allowance(alice, address(governance)), allowance - amount);
    }

    function testFuzz_deposit_leavesAnInfiniteAllowance(uint256 amount) public {
        amount = bound(amount, 1, SUPPLY);
        _equip(amount, type(uint256).max);
        vm.prank(alice);
        governance.deposit(alice, amount);
        vm.assertEq(asset.allowance(alice, address(governance)), type(uint256).max);
    }

    function testFuzz_deposit_refusesNothing(address onBehalfOf) public {
        vm.assume(onBehalfOf != address(0) && onBehalfOf != address(governance));
        _refuse(IGovernance.Governance__ZeroAmount.selector);
        governance.deposit(onBehalfOf, 0);
    }

    function testFuzz_deposit_refusesAddressZero(uint256 amount) public {
        _refuse(ICommon.ZeroAddress.selector);
        governance.deposit(address(0), amount);
    }

    function testFuzz_deposit_refusesGovernanceAsBeneficiary(address depositor, uint256 amount) public {
        _refuseSelf(depositor, address(governance));
        vm.prank(depositor);
        governance.deposit(address(governance), amount);
    }

    function testFuzz_deposit_refusesGovernanceAsDepositor(address onBehalfOf, uint256 amount) public {
        asset.transfer(address(governance), SUPPLY);
        vm.prank(address(governance));
        asset.approve(address(governance), type(uint256).max);
        _refuseSelf(address(governance), onBehalfOf);
        vm.prank(address(governance));
        governance.deposit(onBehalfOf, amount);
    }

    function testFuzz_deposit_needsTheAllowance(uint256 amount, uint256 allowance) public {
        amount = bound(amount, 1, SUPPLY);
        allowance = bound(allowance, 0, amount - 1);
        _equip(amount, allowance);
        _refuseAllowance(allowance, amount);
        vm.prank(alice);
        governance.deposit(alice, amount);
        vm.assertEq(_totalPower(), 0);
    }

    function testFuzz_deposit_needsTheBalance(uint256 amount, uint256 balance) public {
        balance = bound(balance, 0, SUPPLY);
        amount = bound(amount, balance + 1, type(uint256).max);
        _equip(balance, type(uint256).max);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, alice, balance, amount)
        );
        vm.prank(alice);
        governance.deposit(alice, amount);
    }

    function testFuzz_deposit_assetThatWasSentGivesNoPower(uint256 sent, uint256 amount) public {
        sent = bound(sent, 1, SUPPLY - 1);
        amount = bound(amount, 1, SUPPLY - sent);
        asset.transfer(address(governance), sent);
        governance.deposit(alice, amount);
        vm.assertEq(_power(alice), amount);
        vm.assertEq(_power(address(this)), 0);
        vm.assertEq(_totalPower(), amount);
    }

    function testFuzz_deposit_theWholeSupplyCanBeLocked(uint256[4] memory parts) public {
        uint256 left = SUPPLY;
        for (uint256 i; i < 4; ++i) {
            uint256 part = i == 3 ? left : bound(parts[i], 1, left - (3 - i));
            governance.deposit(address(uint160(0xAA00 + i)), part);
            left -= part;
        }
        vm.assertEq(_totalPower(), type(uint96).max);
    }

    function _refuseSelf(address depositor, address onBehalfOf) private {
        vm.expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__SelfDeposit.selector, depositor, onBehalfOf)
        );
    }

    function _refuseAllowance(uint256 allowance, uint256 amount) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientAllowance.selector, address(governance), allowance, amount
            )
        );
    }
}
