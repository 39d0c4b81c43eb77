// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ICommon} from "canon/interfaces/ICommon.sol";
import {IGovernance} from "canon/interfaces/IGovernance.sol";
import {PermitMessage, TypedData} from "../TypedData.sol";
import {GovernanceFixture} from "./GovernanceFixture.t.sol";

contract GovernancePermitTest is GovernanceFixture {

    struct Signature {
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    address internal alice;
    uint256 internal aliceKey;
    address internal onBehalfOf;

    function setUp() public override {
        super.setUp();
        (alice, aliceKey) = account("alice");
        onBehalfOf = addressOf("beneficiary");
    }

    function _sign(uint256 key, uint256 amount, uint256 deadline) private view returns (Signature memory s) {
        PermitMessage memory permit =
            PermitMessage(alice, address(governance), amount, asset.nonces(alice), deadline);
        (s.v, s.r, s.s) = vm.sign(key, TypedData.digestOf(permit, block.chainid, address(asset)));
    }

    function _deposit(uint256 amount, uint256 deadline, Signature memory s) private {
        vm.prank(alice);
        governance.depositWithPermit(onBehalfOf, amount, deadline, s.v, s.r, s.s);
    }

    function _allow(uint256 allowance) private {
        vm.prank(alice);
        asset.approve(address(governance), allowance);
    }

    function _refuseAllowance(uint256 allowance, uint256 amount) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientAllowance.selector, address(governance), allowance, amount
            )
        );
    }

    function testFuzz_depositWithPermit_needsNoAllowanceBefore(uint256 amount, uint256 deadline) public {
        amount = bound(amount, 1, SUPPLY);
        deadline = bound(deadline, START, type(uint256).max);
        asset.transfer(alice, amount);
        Signature memory s = _sign(aliceKey, amount, deadline);
        vm.expectEmit(address(governance));
        emit IGovernance.Deposit(alice, onBehalfOf, amount);
        _deposit(amount, deadline, s);
        vm.assertEq(_power(onBehalfOf), amount);
        vm.assertEq(asset.allowance(alice, address(governance)), 0);
        vm.assertEq(asset.nonces(alice), 1);
    }

    function testFuzz_depositWithPermit_aPermitUsedByAnybodyElseIsNoHindrance(address stranger, uint256 amount) public {
        amount = bound(amount, 1, SUPPLY);
        asset.transfer(alice, amount);
        Signature memory s = _sign(aliceKey, amount, START);
        vm.prank(stranger);
        asset.permit(alice, address(governance), amount, START, s.v, s.r, s.s);
        _deposit(amount, START, s);
        vm.assertEq(_power(onBehalfOf), amount);
    }

    function testFuzz_depositWithPermit_aPermitIsGoodOnce(uint256 amount) public {
        amount = bound(amount, 1, SUPPLY / 2);
        asset.transfer(alice, 2 * amount);
        Signature memory s = _sign(aliceKey, amount, START);
        _deposit(amount, START, s);
        _refuseAllowance(0, amount);
        _deposit(amount, START, s);
    }

    function testFuzz_depositWithPermit_theDeadlineIsTheLastSecond(uint256 amount, uint256 deadline) public {
        amount = bound(amount, 1, SUPPLY);
        deadline = bound(deadline, START, START + 1000 days);
        asset.transfer(alice, amount);
        Signature memory s = _sign(aliceKey, amount, deadline);
        vm.warp(deadline + 1);
        _refuseAllowance(0, amount);
        _deposit(amount, deadline, s);
        vm.warp(deadline);
        _deposit(amount, deadline, s);
        vm.assertEq(_power(onBehalfOf), amount);
    }

    function testFuzz_depositWithPermit_anExpiredOneIsNoHindranceIfTheAllowanceSuffices(
        uint256 amount,
        uint256 allowance,
        uint256 deadline
    ) public {
        amount = bound(amount, 1, SUPPLY);
        allowance = bound(allowance, amount, type(uint256).max);
        deadline = bound(deadline, 0, START - 1);
        asset.transfer(alice, amount);
        _allow(allowance);
        Signature memory s = _sign(aliceKey, amount, deadline);
        _deposit(amount, deadline, s);
        vm.assertEq(_power(onBehalfOf), amount);
        uint256 left = allowance == type(uint256).max ? allowance : allowance - amount;
        vm.assertEq(asset.allowance(alice, address(governance)), left);
    }

    function testFuzz_depositWithPermit_refusesAnotherSigner(uint256 key, uint256 amount) public {
        key = bound(key, 1, type(uint128).max);
        amount = bound(amount, 1, SUPPLY);
        asset.transfer(alice, amount);
        Signature memory s = _sign(key, amount, START);
        _refuseAllowance(0, amount);
        _deposit(amount, START, s);
    }

    function testFuzz_depositWithPermit_refusesGarbage(uint256 amount, uint8 v, bytes32 r, bytes32 s) public {
        amount = bound(amount, 1, SUPPLY);
        asset.transfer(alice, amount);
        _refuseAllowance(0, amount);
        _deposit(amount, START, Signature(v, r, s));
    }

    function testFuzz_depositWithPermit_refusesAPermitForAnotherAmount(uint256 amount, uint256 permitted) public {
        amount = bound(amount, 1, SUPPLY);
        permitted = bound(permitted, 0, type(uint256).max);
        vm.assume(permitted != amount);
        asset.transfer(alice, amount);
        Signature memory s = _sign(aliceKey, permitted, START);
        _refuseAllowance(0, amount);
        _deposit(amount, START, s);
    }

    /// @dev A permit is used as the caller's, so the permit of another holder is of no use.
    function testFuzz_depositWithPermit_refusesAnotherHoldersPermit(address stranger, uint256 amount) public {
        _stranger(stranger);
        vm.assume(stranger != alice);
        amount = bound(amount, 1, SUPPLY);
        asset.transfer(alice, amount);
        Signature memory s = _sign(aliceKey, amount, START);
        _refuseAllowance(0, amount);
        vm.prank(stranger);
        governance.depositWithPermit(stranger, amount, START, s.v, s.r, s.s);
        vm.assertEq(asset.balanceOf(alice), amount);
    }

    function testFuzz_depositWithPermit_anInfiniteAllowanceOutlivesAUsedPermit(uint256 amount) public {
        amount = bound(amount, 1, SUPPLY);
        asset.transfer(alice, amount);
        Signature memory s = _sign(aliceKey, amount, START);
        asset.permit(alice, address(governance), amount, START, s.v, s.r, s.s);
        _allow(type(uint256).max);
        _deposit(amount, START, s);
        vm.assertEq(_power(onBehalfOf), amount);
        vm.assertEq(asset.allowance(alice, address(governance)), type(uint256).max);
    }

    function testFuzz_depositWithPermit_needsTheBalance(uint256 amount, uint256 balance) public {
        amount = bound(amount, 1, type(uint256).max);
        balance = bound(balance, 0, amount > SUPPLY ? SUPPLY : amount - 1);
        asset.transfer(alice, balance);
        Signature memory s = _sign(aliceKey, amount, START);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, alice, balance, amount)
        );
        _deposit(amount, START, s);
        vm.assertEq(asset.nonces(alice), 0, "the permit isn't used up");
    }

    function testFuzz_depositWithPermit_refusesWhatDepositRefuses(uint256 amount, uint256 deadline) public {
        amount = bound(amount, 1, SUPPLY);
        Signature memory s = _sign(aliceKey, 0, deadline);
        _refuse(IGovernance.Governance__ZeroAmount.selector);
        _deposit(0, deadline, s);

        onBehalfOf = address(0);
        s = _sign(aliceKey, amount, deadline);
        _refuse(ICommon.ZeroAddress.selector);
        _deposit(amount, deadline, s);

        onBehalfOf = address(governance);
        vm.expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__SelfDeposit.selector, alice, address(governance))
        );
        _deposit(amount, deadline, s);
    }

    function testFuzz_depositWithPermit_refusesGovernanceAsDepositor(address beneficiary, uint256 amount) public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IGovernance.Governance__SelfDeposit.selector, address(governance), beneficiary
            )
        );
        vm.prank(address(governance));
        governance.depositWithPermit(beneficiary, amount, START, 27, 0, 0);
    }
}
