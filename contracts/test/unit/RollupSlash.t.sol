// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IRollup, Status} from "canon/interfaces/IRollup.sol";
import {SetLib} from "../Set.sol";
import {RollupBase} from "./RollupBase.t.sol";

/// @notice Slashing, and that stakes and exits are always covered.
contract RollupSlashTest is RollupBase {
    function testFuzz_slash_onlyByTheOwner(address caller, uint256 amount) public {
        vm.assume(caller != address(set.governance));
        _join(1);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, caller));
        rollup.slash(_attester(1), amount);
    }

    function testFuzz_slash_takesAtMostTheStakeAndKeepsIt(uint256 stake, uint256 amount) public {
        stake = bound(stake, STAKE, SetLib.SUPPLY);
        amount = bound(amount, 1, type(uint256).max);
        uint256 taken = amount < stake ? amount : stake;
        _join(1, stake);
        vm.expectEmit(address(rollup));
        emit IRollup.Slashed(_attester(1), taken);
        _slash(1, amount);
        Status status = stake - taken < STAKE ? Status.Living : Status.Validating;
        _assertInfo(1, stake - taken, status);
        vm.assertEq(set.asset.balanceOf(address(rollup)), stake);
        vm.assertEq(rollup.getActiveAttesterCount(), status == Status.Validating ? 1 : 0);
    }

    /// @dev At the minimum a member stays, one unit below it leaves.
    function testFuzz_slash_belowTheMinimumLeavesTheSet(uint256 extra) public {
        extra = bound(extra, 1, SetLib.SUPPLY - STAKE);
        _join(1, STAKE + extra);
        _slash(1, extra);
        _assertInfo(1, STAKE, Status.Validating);
        vm.assertTrue(_isListed(_attester(1)));
        _slash(1, 1);
        _assertInfo(1, STAKE - 1, Status.Living);
        vm.assertFalse(_isListed(_attester(1)));
    }

    function testFuzz_slash_refusesNothing(uint256 status) public {
        status = bound(status, 1, 3);
        _join(1);
        if (status == 2) _slash(1, 1);
        if (status == 3) _leave(1);
        vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__NothingToSlash.selector, _attester(1)));
        _slash(1, 0);
    }

    function testFuzz_slash_refusesWhenNothingIsLeft(uint256 amount, bool exiting) public {
        _join(1);
        if (exiting) _leave(1);
        _slash(1, STAKE);
        vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__NothingToSlash.selector, _attester(1)));
        _slash(1, amount);
    }

    function testFuzz_slash_refusesTheUnregistered(address attester, uint256 amount) public {
        vm.prank(address(set.governance));
        vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__NotRegistered.selector, attester));
        rollup.slash(attester, amount);
    }

    /// @dev Who is on its way out is slashable until the stake has left, however long that takes.
    function testFuzz_slash_reachesTheExitingUntilTheStakeLeft(uint256 stake, uint256 amount, uint256 time) public {
        stake = bound(stake, STAKE, SetLib.SUPPLY);
        amount = bound(amount, 1, type(uint256).max);
        _join(1, stake);
        _leave(1);
        vm.warp(START + bound(time, 0, EXIT_DELAY + 10_000 days));
        uint256 taken = amount < stake ? amount : stake;
        _slash(1, amount);
        _assertInfo(1, stake - taken, Status.Exiting);
        (uint256 exitableAt, address recipient) = rollup.getExit(_attester(1));
        vm.assertEq(exitableAt, START + EXIT_DELAY, "the clock runs on");
        vm.assertEq(recipient, _recipient(1));

        if (_now() < exitableAt) vm.warp(exitableAt);
        vm.expectEmit(address(rollup));
        emit IRollup.WithdrawFinalised(_attester(1), _recipient(1), stake - taken);
        rollup.finaliseWithdraw(_attester(1));
        vm.assertEq(set.asset.balanceOf(_recipient(1)), stake - taken);
        vm.assertEq(set.asset.balanceOf(address(rollup)), taken);

        vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__NotRegistered.selector, _attester(1)));
        _slash(1, amount);
    }

    function testFuzz_slash_theSlashedOutMayOnlyExit(uint256 amount) public {
        amount = bound(amount, 1, STAKE);
        _join(1);
        _slash(1, amount);
        bytes memory refusal =
            abi.encodeWithSelector(IRollup.Rollup__NotValidating.selector, _attester(1), Status.Living);
        vm.expectRevert(refusal);
        _move(1, address(set.rollup));
        vm.expectRevert(refusal);
        rollup.finaliseMove(_attester(1));
        vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__AlreadyRegistered.selector, _attester(1)));
        _join(1);

        _leave(1);
        _assertInfo(1, STAKE - amount, Status.Exiting);
        skip(EXIT_DELAY);
        rollup.finaliseWithdraw(_attester(1));
        vm.assertEq(set.asset.balanceOf(_recipient(1)), STAKE - amount);
        _join(1);
        _assertInfo(1, STAKE, Status.Validating);
    }

    function testFuzz_slash_againWhileSlashedOut(uint256 first, uint256 second) public {
        first = bound(first, 1, STAKE - 1);
        second = bound(second, 1, type(uint256).max);
        _joinMany(3);
        _slash(1, first);
        _slash(1, second);
        uint256 left = STAKE - first;
        _assertInfo(1, second < left ? left - second : 0, Status.Living);
        vm.assertEq(rollup.getActiveAttesterCount(), 2);
    }

    /// @dev A set already closed keeps its seats; the slashed one leaves two epochs later, at most.
    function testFuzz_slash_leavesTheSetTwoEpochsLater(uint256 epoch, uint256 second) public {
        epoch = bound(epoch, 2, 50);
        _join(1);
        _toSeededEpoch(epoch);
        vm.warp(_startOf(epoch) + bound(second, 0, EPOCH_SECONDS - 1));
        _slash(1, 1);
        vm.assertEq(rollup.getSetSize(epoch), 1);
        vm.assertEq(rollup.getSetSize(epoch + 1), 1);
        vm.assertEq(rollup.getCurrentProposer(), _proposer(1));
        _toSeededEpoch(epoch + 1);
        vm.assertEq(rollup.getCurrentProposer(), _proposer(1));
        _toSecondSlot(epoch + 1);
        rollup.setupEpoch();
        vm.warp(_startOf(epoch + 2) - 1);
        vm.assertEq(rollup.getCurrentProposer(), _proposer(1));
        vm.warp(_startOf(epoch + 2));
        vm.assertEq(rollup.getCurrentProposer(), address(0));
    }

    /// @dev Balance = stakes and exits + all that was ever slashed, after every step.
    function testFuzz_solvency_overRandomHistories(uint256 seed) public {
        uint256 slashed;
        for (uint256 step; step < 50; ++step) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 i = seed % 6;
            uint256 amount = (seed >> 64) % (2 * STAKE);
            skip((seed >> 16) % EPOCH_SECONDS);
            (uint256 stake,,, Status status) = rollup.getInfo(_attester(i));
            (uint256 exitableAt,) = rollup.getExit(_attester(i));
            uint256 op = (seed >> 8) % 4;
            if (status == Status.None) {
                _join(i, STAKE + amount);
            } else if (op == 0 && amount != 0 && stake != 0) {
                _slash(i, amount);
                slashed += amount < stake ? amount : stake;
            } else if (op == 1 && status != Status.Exiting) {
                _leave(i);
            } else if (status == Status.Exiting && _now() >= exitableAt) {
                rollup.finaliseWithdraw(_attester(i));
            }
            vm.assertEq(set.asset.balanceOf(address(rollup)), _stakes(6) + slashed);
        }
    }

    function _stakes(uint256 count) internal view returns (uint256 sum) {
        for (uint256 i; i < count; ++i) {
            (uint256 stake,,,) = rollup.getInfo(_attester(i));
            sum += stake;
        }
    }
}
