// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ICommon} from "canon/interfaces/ICommon.sol";
import {IRollup, Status} from "canon/interfaces/IRollup.sol";
import {SetLib} from "../Set.sol";
import {RollupBase} from "./RollupBase.t.sol";

/// @notice Joining, leaving, and where rewards go.
contract RollupStakeTest is RollupBase {
    function testFuzz_deposit_joinsTheSet(address attester, address proposer, address withdrawer, uint256 amount)
        public
    {
        vm.assume(attester != address(0) && proposer != address(0) && withdrawer != address(0));
        amount = bound(amount, STAKE, SetLib.SUPPLY);
        vm.expectEmit(address(rollup));
        emit IRollup.Deposit(attester, proposer, withdrawer, amount);
        vm.expectEmit(address(set.asset));
        emit IERC20.Transfer(address(this), address(rollup), amount);
        rollup.deposit(attester, proposer, withdrawer, amount);

        (uint256 stake, address foundWithdrawer, address foundProposer, Status status) = rollup.getInfo(attester);
        vm.assertEq(stake, amount);
        vm.assertEq(foundWithdrawer, withdrawer);
        vm.assertEq(foundProposer, proposer);
        vm.assertEq(uint256(status), 1);
        vm.assertEq(rollup.getActiveAttesterCount(), 1);
        vm.assertEq(rollup.getAttesters()[0], attester);
        vm.assertEq(rollup.registrationCount(), 1);
        vm.assertEq(rollup.getCoinbase(attester), proposer);
        (uint256 exitableAt, address recipient) = rollup.getExit(attester);
        vm.assertEq(exitableAt, 0);
        vm.assertEq(recipient, address(0));
        (address target, uint256 readyAt) = rollup.getMove(attester);
        vm.assertEq(target, address(0));
        vm.assertEq(readyAt, 0);
    }

    function testFuzz_deposit_byAnyoneWhoPays(address payer, uint256 amount) public {
        vm.assume(payer != address(0) && payer != address(this) && payer != address(rollup));
        vm.assume(payer.code.length == 0);
        amount = bound(amount, STAKE, SetLib.SUPPLY);
        set.asset.transfer(payer, amount);
        vm.startPrank(payer);
        set.asset.approve(address(rollup), amount);
        rollup.deposit(_attester(1), _proposer(1), _withdrawer(1), amount);
        vm.assertEq(set.asset.balanceOf(payer), 0);
        _assertInfo(1, amount, Status.Validating);
    }

    function testFuzz_deposit_refusesZeroAddresses(uint256 which, uint256 amount) public {
        which = bound(which, 1, 7);
        vm.expectRevert(ICommon.ZeroAddress.selector);
        rollup.deposit(
            which & 1 != 0 ? address(0) : _attester(1),
            which & 2 != 0 ? address(0) : _proposer(1),
            which & 4 != 0 ? address(0) : _withdrawer(1),
            amount
        );
    }

    function testFuzz_deposit_refusesLessThanTheMinimum(uint256 amount) public {
        amount = bound(amount, 0, STAKE - 1);
        vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__StakeTooLow.selector, amount, STAKE));
        _join(1, amount);
    }

    function test_deposit_atTheMinimum() public {
        vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__StakeTooLow.selector, STAKE - 1, STAKE));
        _join(1, STAKE - 1);
        _join(1, STAKE);
        _assertInfo(1, STAKE, Status.Validating);
    }

    function testFuzz_deposit_refusesWhatDoesNotFit(uint256 amount) public {
        amount = bound(amount, uint256(type(uint96).max) + 1, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(ICommon.ValueTooLarge.selector, amount, type(uint96).max));
        _join(1, amount);
    }

    function testFuzz_deposit_refusesARegisteredAttesterWhateverItsStatus(uint256 status, uint256 amount) public {
        status = bound(status, 1, 3);
        _join(1);
        if (status == 2) _slash(1, 1);
        if (status == 3) _leave(1);
        _assertInfo(1, status == 2 ? STAKE - 1 : STAKE, Status(status));
        vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__AlreadyRegistered.selector, _attester(1)));
        _join(1, amount);
    }

    function testFuzz_deposit_refusesWhatIsNotAllowed(uint256 allowed) public {
        allowed = bound(allowed, 0, STAKE - 1);
        set.asset.approve(address(rollup), allowed);
        vm.expectRevert(
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientAllowance.selector, address(rollup), allowed, STAKE
            )
        );
        _join(1);
    }

    /// @dev So that a new set can stand before the switch, and an old rollup works on.
    function testFuzz_deposit_isTakenWhetherCanonicalOrNot(uint256 amount) public {
        amount = bound(amount, STAKE, SetLib.SUPPLY / 2 - STAKE);
        vm.assertNotEq(set.registry.getRollup(), address(rollup));
        _join(1, amount);
        _makeCanonical(address(rollup));
        _join(2, amount);
        _makeCanonical(address(SetLib.rollup(set)));
        _join(3, STAKE);
        vm.assertEq(rollup.getActiveAttesterCount(), 3);
    }

    function testFuzz_initiateWithdraw_takesTheWholeStakeOut(uint256 amount, uint256 time, address recipient) public {
        vm.assume(recipient != address(0));
        amount = bound(amount, STAKE, SetLib.SUPPLY);
        time = bound(time, START, START + 10_000 days);
        _join(1, amount);
        vm.warp(time);
        vm.expectEmit(address(rollup));
        emit IRollup.WithdrawInitiated(_attester(1), recipient, amount);
        vm.prank(_withdrawer(1));
        vm.assertTrue(rollup.initiateWithdraw(_attester(1), recipient));

        _assertInfo(1, amount, Status.Exiting);
        (uint256 exitableAt, address foundRecipient) = rollup.getExit(_attester(1));
        vm.assertEq(exitableAt, time + EXIT_DELAY);
        vm.assertEq(foundRecipient, recipient);
        vm.assertEq(rollup.getActiveAttesterCount(), 0);
        vm.assertEq(set.asset.balanceOf(address(rollup)), amount);
    }

    function testFuzz_initiateWithdraw_onlyByTheWithdrawer(address caller) public {
        vm.assume(caller != _withdrawer(1));
        _join(1);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__NotWithdrawer.selector, caller, _withdrawer(1)));
        rollup.initiateWithdraw(_attester(1), caller);
    }

    function testFuzz_initiateWithdraw_refusesTheUnregistered(address caller, address attester) public {
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__NotWithdrawer.selector, caller, address(0)));
        rollup.initiateWithdraw(attester, _recipient(1));
    }

    function testFuzz_initiateWithdraw_refusesASecondTime(uint256 later) public {
        _join(1);
        _leave(1);
        vm.warp(START + bound(later, 0, 10_000 days));
        vm.prank(_withdrawer(1));
        vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__AlreadyExiting.selector, _attester(1)));
        rollup.initiateWithdraw(_attester(1), _recipient(2));
    }

    function test_initiateWithdraw_refusesAddressZero() public {
        _join(1);
        vm.prank(_withdrawer(1));
        vm.expectRevert(ICommon.ZeroAddress.selector);
        rollup.initiateWithdraw(_attester(1), address(0));
    }

    function testFuzz_initiateWithdraw_theLastTakesTheEmptySeat(uint256 count, uint256 who) public {
        count = bound(count, 1, 20);
        who = bound(who, 0, count - 1);
        _joinMany(count);
        _leave(who);
        address[] memory attesters = rollup.getAttesters();
        vm.assertEq(attesters.length, count - 1);
        vm.assertFalse(_isListed(_attester(who)));
        for (uint256 i; i < count; ++i) {
            if (i != who) vm.assertTrue(_isListed(_attester(i)));
        }
    }

    function testFuzz_finaliseWithdraw_byAnyoneFromTheFirstSecond(uint256 amount, uint256 late, address caller)
        public
    {
        amount = bound(amount, STAKE, SetLib.SUPPLY);
        late = bound(late, 0, 10_000 days);
        _join(1, amount);
        _leave(1);
        vm.warp(START + EXIT_DELAY - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IRollup.Rollup__ExitNotReady.selector, START + EXIT_DELAY - 1, START + EXIT_DELAY)
        );
        rollup.finaliseWithdraw(_attester(1));

        vm.warp(START + EXIT_DELAY + late);
        vm.expectEmit(address(rollup));
        emit IRollup.WithdrawFinalised(_attester(1), _recipient(1), amount);
        vm.prank(caller);
        rollup.finaliseWithdraw(_attester(1));
        vm.assertEq(set.asset.balanceOf(_recipient(1)), amount);
        vm.assertEq(set.asset.balanceOf(address(rollup)), 0);
        _assertNobody(_attester(1));
        (uint256 exitableAt, address recipient) = rollup.getExit(_attester(1));
        vm.assertEq(exitableAt, 0);
        vm.assertEq(recipient, address(0));
    }

    function testFuzz_finaliseWithdraw_paysOnce(uint256 late) public {
        _join(1);
        _join(2);
        _leave(1);
        vm.warp(START + EXIT_DELAY + bound(late, 0, 10_000 days));
        rollup.finaliseWithdraw(_attester(1));
        vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__NotRegistered.selector, _attester(1)));
        rollup.finaliseWithdraw(_attester(1));
        vm.assertEq(set.asset.balanceOf(address(rollup)), STAKE);
    }

    function testFuzz_finaliseWithdraw_refusesWhoDidNotLeave(bool slashed, uint256 later) public {
        _join(1);
        if (slashed) _slash(1, 1);
        vm.warp(START + bound(later, 0, 10_000 days));
        Status status = slashed ? Status.Living : Status.Validating;
        vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__NotExiting.selector, _attester(1), status));
        rollup.finaliseWithdraw(_attester(1));
    }

    function testFuzz_finaliseWithdraw_refusesTheUnregistered(address attester) public {
        vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__NotRegistered.selector, attester));
        rollup.finaliseWithdraw(attester);
    }

    function testFuzz_attester_registersAgainWithOtherKeysAfterItsExit(address proposer, address withdrawer) public {
        vm.assume(proposer != address(0) && withdrawer != address(0));
        _join(1);
        vm.prank(_withdrawer(1));
        rollup.setCoinbase(_attester(1), address(0xC0FFEE));
        _leave(1);
        skip(EXIT_DELAY);
        rollup.finaliseWithdraw(_attester(1));
        rollup.deposit(_attester(1), proposer, withdrawer, STAKE + 1);
        (uint256 stake, address foundWithdrawer, address foundProposer, Status status) =
            rollup.getInfo(_attester(1));
        vm.assertEq(stake, STAKE + 1);
        vm.assertEq(foundWithdrawer, withdrawer);
        vm.assertEq(foundProposer, proposer);
        vm.assertEq(uint256(status), 1);
        vm.assertEq(rollup.getCoinbase(_attester(1)), proposer, "the former coinbase is forgotten");
        vm.assertEq(rollup.registrationCount(), 2);
    }

    function testFuzz_setCoinbase_byTheWithdrawer(address coinbase, bool exiting) public {
        vm.assume(coinbase != address(0));
        _join(1);
        if (exiting) _leave(1);
        vm.expectEmit(address(rollup));
        emit IRollup.CoinbaseSet(_attester(1), coinbase);
        vm.prank(_withdrawer(1));
        rollup.setCoinbase(_attester(1), coinbase);
        vm.assertEq(rollup.getCoinbase(_attester(1)), coinbase);
    }

    function testFuzz_setCoinbase_byNobodyElse(address caller, bool registered) public {
        vm.assume(caller != _withdrawer(1));
        if (registered) _join(1);
        vm.prank(caller);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRollup.Rollup__NotWithdrawer.selector, caller, registered ? _withdrawer(1) : address(0)
            )
        );
        rollup.setCoinbase(_attester(1), caller);
    }

    function test_setCoinbase_refusesAddressZero() public {
        _join(1);
        vm.prank(_withdrawer(1));
        vm.expectRevert(ICommon.ZeroAddress.selector);
        rollup.setCoinbase(_attester(1), address(0));
    }

    function testFuzz_views_areZeroForTheUnregistered(address attester) public {
        _join(1);
        vm.assume(attester != _attester(1));
        _assertNobody(attester);
        (uint256 exitableAt, address recipient) = rollup.getExit(attester);
        (address target, uint256 readyAt) = rollup.getMove(attester);
        vm.assertEq(exitableAt + readyAt, 0);
        vm.assertEq(recipient, address(0));
        vm.assertEq(target, address(0));
        vm.assertEq(rollup.getCoinbase(attester), address(0));
    }
}
