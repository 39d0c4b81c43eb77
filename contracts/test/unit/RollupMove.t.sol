// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ICommon} from "canon/interfaces/ICommon.sol";
import {IRegistry} from "canon/interfaces/IRegistry.sol";
import {IRollup, RollupParameters, Status} from "canon/interfaces/IRollup.sol";
import {SetLib} from "../Set.sol";
import {MeasuredAnswer} from "../mocks/MeasuredAnswer.sol";
import {TakingRollup} from "../mocks/TakingRollup.sol";
import {RollupBase} from "./RollupBase.t.sol";

/// @notice Moving a stake to the canonical rollup.
contract RollupMoveTest is RollupBase {
    IRollup internal next;

    function setUp() public override {
        super.setUp();
        next = SetLib.rollup(_parameters());
    }

    function testFuzz_initiateMove_announces(uint256 time, address target) public {
        vm.assume(target != address(0) && target != address(rollup));
        time = bound(time, START, START + 10_000 days);
        _join(1);
        vm.warp(time);
        vm.expectEmit(address(rollup));
        emit IRollup.MoveInitiated(_attester(1), target, time + EXIT_DELAY);
        _move(1, target);
        (address found, uint256 readyAt) = rollup.getMove(_attester(1));
        vm.assertEq(found, target);
        vm.assertEq(readyAt, time + EXIT_DELAY);
    }

    function testFuzz_initiateMove_keepsSeatAndDuties(uint256 epochs) public {
        epochs = bound(epochs, 2, 50);
        _join(1);
        _move(1, address(next));
        _assertInfo(1, STAKE, Status.Validating);
        vm.assertTrue(_isListed(_attester(1)));
        _toSeededEpoch(epochs);
        vm.assertEq(rollup.getSetSize(epochs + 1), 1);
        vm.assertEq(rollup.getCurrentProposer(), _proposer(1));
        vm.prank(_proposer(1));
        rollup.proposeBlock("block");
        vm.assertEq(rollup.blockNumber(), 1);
    }

    function testFuzz_initiateMove_onlyByTheWithdrawer(address caller, bool registered) public {
        vm.assume(caller != _withdrawer(1));
        if (registered) _join(1);
        vm.prank(caller);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRollup.Rollup__NotWithdrawer.selector, caller, registered ? _withdrawer(1) : address(0)
            )
        );
        rollup.initiateMove(_attester(1), address(next));
    }

    function test_initiateMove_refusesThisRollup() public {
        _join(1);
        vm.expectRevert(IRollup.Rollup__MoveToSelf.selector);
        _move(1, address(rollup));
    }

    function test_initiateMove_refusesAddressZero() public {
        _join(1);
        vm.expectRevert(ICommon.ZeroAddress.selector);
        _move(1, address(0));
    }

    function test_initiateMove_refusesTheExiting() public {
        _join(1);
        _leave(1);
        vm.expectRevert(
            abi.encodeWithSelector(IRollup.Rollup__NotValidating.selector, _attester(1), Status.Exiting)
        );
        _move(1, address(next));
    }

    /// @dev Another target is announced at any time until the end; the clock runs on.
    function testFuzz_initiateMove_anotherTargetKeepsTheClock(uint256 later, address other) public {
        vm.assume(other != address(0) && other != address(rollup));
        later = bound(later, 0, 10_000 days);
        _join(1);
        _move(1, address(next));
        vm.warp(START + later);
        vm.expectEmit(address(rollup));
        emit IRollup.MoveInitiated(_attester(1), other, START + EXIT_DELAY);
        _move(1, other);
        (address target, uint256 readyAt) = rollup.getMove(_attester(1));
        vm.assertEq(target, other);
        vm.assertEq(readyAt, START + EXIT_DELAY);
    }

    function testFuzz_finaliseMove_depositsTheWholeStakeThere(uint256 stake, uint256 late, address caller) public {
        stake = bound(stake, STAKE, SetLib.SUPPLY);
        _join(1, stake);
        _move(1, address(next));
        _makeCanonical(address(next));
        vm.warp(START + EXIT_DELAY + bound(late, 0, 10_000 days));
        vm.expectEmit(address(rollup));
        emit IRollup.MoveFinalised(_attester(1), address(next), _attester(1), stake);
        vm.expectEmit(address(next));
        emit IRollup.Deposit(_attester(1), _proposer(1), _withdrawer(1), stake);
        vm.prank(caller);
        rollup.finaliseMove(_attester(1));

        _assertNobody(_attester(1));
        vm.assertEq(rollup.getActiveAttesterCount(), 0);
        vm.assertEq(set.asset.balanceOf(address(rollup)), 0);
        vm.assertEq(set.asset.balanceOf(address(next)), stake);
        vm.assertEq(set.asset.allowance(address(rollup), address(next)), 0);
        (address target, uint256 readyAt) = rollup.getMove(_attester(1));
        vm.assertEq(target, address(0));
        vm.assertEq(readyAt, 0);
        rollup = next;
        _assertInfo(1, stake, Status.Validating);
    }

    function testFuzz_finaliseMove_notBeforeItsFirstSecond(uint256 early) public {
        early = bound(early, 1, EXIT_DELAY);
        _join(1);
        _move(1, address(next));
        _makeCanonical(address(next));
        uint256 time = START + EXIT_DELAY - early;
        vm.warp(time);
        vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__MoveNotReady.selector, time, START + EXIT_DELAY));
        rollup.finaliseMove(_attester(1));
        vm.warp(START + EXIT_DELAY);
        rollup.finaliseMove(_attester(1));
        _assertNobody(_attester(1));
    }

    function testFuzz_finaliseMove_onlyToTheCanonicalRollup(address target, uint256 late) public {
        vm.assume(target != address(0) && target != address(rollup) && target != address(set.rollup));
        _join(1);
        _move(1, target);
        vm.warp(START + EXIT_DELAY + bound(late, 0, 10_000 days));
        vm.expectRevert(
            abi.encodeWithSelector(IRollup.Rollup__MoveNotToCanonical.selector, target, address(set.rollup))
        );
        rollup.finaliseMove(_attester(1));
        _assertInfo(1, STAKE, Status.Validating);

        // The canonical one can still be announced, and needs no second wait.
        _move(1, address(set.rollup));
        rollup.finaliseMove(_attester(1));
        _assertNobody(_attester(1));
    }

    function test_finaliseMove_followsTheCanonicalRollupOfTheMoment() public {
        _join(1);
        _move(1, address(next));
        _makeCanonical(address(next));
        IRollup third = SetLib.rollup(_parameters());
        _makeCanonical(address(third));
        skip(EXIT_DELAY);
        vm.expectRevert(
            abi.encodeWithSelector(IRollup.Rollup__MoveNotToCanonical.selector, address(next), address(third))
        );
        rollup.finaliseMove(_attester(1));
        _move(1, address(third));
        rollup.finaliseMove(_attester(1));
        vm.assertEq(third.getActiveAttesterCount(), 1);
    }

    function testFuzz_finaliseMove_refusesWithoutAnAnnouncement(uint256 later, uint256 status) public {
        status = bound(status, 0, 3);
        if (status != 0) _join(1);
        if (status == 2) _slash(1, 1);
        if (status == 3) _leave(1);
        vm.warp(START + bound(later, 0, 10_000 days));
        if (status == 0) {
            vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__NotRegistered.selector, _attester(1)));
        } else if (status == 1) {
            vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__NoMove.selector, _attester(1)));
        } else {
            vm.expectRevert(
                abi.encodeWithSelector(IRollup.Rollup__NotValidating.selector, _attester(1), Status(status))
            );
        }
        rollup.finaliseMove(_attester(1));
    }

    function testFuzz_initiateWithdraw_endsTheMove(uint256 later) public {
        later = bound(later, 0, 10_000 days);
        _join(1);
        _move(1, address(next));
        _makeCanonical(address(next));
        vm.warp(START + later);
        _leave(1);
        (address target, uint256 readyAt) = rollup.getMove(_attester(1));
        vm.assertEq(target, address(0));
        vm.assertEq(readyAt, 0);
        (uint256 exitableAt,) = rollup.getExit(_attester(1));
        vm.assertEq(exitableAt, START + later + EXIT_DELAY, "EXIT_DELAY from then");
        vm.warp(exitableAt);
        vm.expectRevert(
            abi.encodeWithSelector(IRollup.Rollup__NotValidating.selector, _attester(1), Status.Exiting)
        );
        rollup.finaliseMove(_attester(1));
        rollup.finaliseWithdraw(_attester(1));
        vm.assertEq(set.asset.balanceOf(_recipient(1)), STAKE);
    }

    function testFuzz_slash_beforeTheEndMovesWhatIsLeftOrEndsTheMove(uint256 stake, uint256 amount) public {
        stake = bound(stake, STAKE, SetLib.SUPPLY);
        amount = bound(amount, 1, stake);
        _join(1, stake);
        _move(1, address(next));
        _makeCanonical(address(next));
        skip(EXIT_DELAY);
        _slash(1, amount);
        if (stake - amount < STAKE) {
            (address target, uint256 readyAt) = rollup.getMove(_attester(1));
            vm.assertEq(target, address(0));
            vm.assertEq(readyAt, 0);
            vm.expectRevert(
                abi.encodeWithSelector(IRollup.Rollup__NotValidating.selector, _attester(1), Status.Living)
            );
            rollup.finaliseMove(_attester(1));
        } else {
            rollup.finaliseMove(_attester(1));
            vm.assertEq(set.asset.balanceOf(address(next)), stake - amount);
            vm.assertEq(set.asset.balanceOf(address(rollup)), amount);
        }
    }

    /// @dev A move that cannot end leaves everything as it was, and the stake can still exit.
    function testFuzz_finaliseMove_failsWithTheDepositThere(bool registered, uint256 minimum) public {
        RollupParameters memory p = _parameters();
        p.minimumStake = bound(minimum, STAKE + 1, 10 * STAKE);
        if (!registered) next = SetLib.rollup(p);
        _makeCanonical(address(next));
        _join(1);
        if (registered) {
            set.asset.approve(address(next), STAKE);
            next.deposit(_attester(1), _proposer(2), _withdrawer(2), STAKE);
        }
        _move(1, address(next));
        skip(EXIT_DELAY);
        vm.expectRevert(
            registered
                ? abi.encodeWithSelector(IRollup.Rollup__AlreadyRegistered.selector, _attester(1))
                : abi.encodeWithSelector(IRollup.Rollup__StakeTooLow.selector, STAKE, p.minimumStake)
        );
        rollup.finaliseMove(_attester(1));
        _assertInfo(1, STAKE, Status.Validating);
        _leave(1);
        skip(EXIT_DELAY);
        rollup.finaliseWithdraw(_attester(1));
        vm.assertEq(set.asset.balanceOf(_recipient(1)), STAKE);
    }

    /// @dev With the same attester or another one.
    function testFuzz_finaliseMove_revertsUnlessExactlyTheStakeLeft(uint256 take, uint256 giveBack, bool renames)
        public
    {
        TakingRollup taking = new TakingRollup(IERC20(address(set.asset)));
        _makeCanonical(address(taking));
        take = bound(take, 0, STAKE);
        giveBack = bound(giveBack, 0, take);
        taking.setTake(take, giveBack);
        _join(1);
        _join(2);
        _move(1, address(taking));
        skip(EXIT_DELAY);
        uint256 taken = take - giveBack;
        if (taken != STAKE) {
            vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__StakeNotMoved.selector, STAKE, taken));
        }
        if (renames) _moveAs(1, _attester(3));
        else rollup.finaliseMove(_attester(1));
        vm.assertEq(set.asset.balanceOf(address(rollup)), taken == STAKE ? STAKE : 2 * STAKE);
        vm.assertEq(set.asset.allowance(address(rollup), address(taking)), 0);
    }

    function testFuzz_finaliseMove_noMoreThanTheStakeCanBeTaken(uint256 take) public {
        TakingRollup taking = new TakingRollup(IERC20(address(set.asset)));
        _makeCanonical(address(taking));
        take = bound(take, STAKE + 1, 3 * STAKE);
        taking.setTake(take, 0);
        _joinMany(3);
        _move(1, address(taking));
        skip(EXIT_DELAY);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(taking), STAKE, take)
        );
        rollup.finaliseMove(_attester(1));
        vm.assertEq(set.asset.balanceOf(address(rollup)), 3 * STAKE);
    }

    /// @dev While a stake leaves, its target can reach none of the functions that move stakes.
    function test_finaliseMove_cannotBeReentered() public {
        TakingRollup taking = new TakingRollup(IERC20(address(set.asset)));
        _makeCanonical(address(taking));
        taking.setTake(STAKE, 0);
        _joinMany(3);
        _leave(0);
        _move(1, address(taking));
        _move(2, address(taking));
        // The target is a withdrawer itself, too.
        rollup.deposit(_attester(3), _proposer(3), address(taking), STAKE);
        taking.call(address(rollup), abi.encodeCall(IRollup.initiateMove, (_attester(3), address(taking))));
        skip(EXIT_DELAY);
        set.asset.transfer(address(taking), STAKE);
        taking.call(address(set.asset), abi.encodeCall(IERC20.approve, (address(rollup), STAKE)));
        taking.addCallback(abi.encodeCall(IRollup.finaliseWithdraw, (_attester(0))));
        taking.addCallback(_moveCall(_attester(1)));
        taking.addCallback(_moveCall(_attester(2)));
        taking.addCallback(_moveCall(_attester(3), _attester(30)));
        taking.addCallback(
            abi.encodeCall(IRollup.deposit, (_attester(1), _proposer(1), _withdrawer(1), STAKE))
        );
        rollup.finaliseMove(_attester(1));
        vm.assertEq(taking.callbacksThatSucceeded(), 0);
        vm.assertEq(taking.callbacksGuarded(), 5);
        vm.assertEq(set.asset.balanceOf(address(rollup)), 3 * STAKE);
        // Nothing stays locked afterwards.
        taking.call(address(rollup), _moveCall(_attester(3), _attester(30)));
        rollup.finaliseMove(_attester(2));
        rollup.finaliseWithdraw(_attester(0));
        vm.assertEq(set.asset.balanceOf(address(rollup)), 0);
    }

    /// @dev Before the first upgrade the Registry's sentinel is canonical, and takes nothing.
    function test_finaliseMove_notToTheSentinel() public {
        RollupParameters memory p = _parameters();
        p.registry = IRegistry(vm.deployCode(SetLib.artifact("Registry"), abi.encode(address(this))));
        _use(p);
        _join(1);
        _move(1, address(0xdEaD));
        skip(EXIT_DELAY);
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoCode.selector, address(0xdEaD)));
        rollup.finaliseMove(_attester(1));
        _assertInfo(1, STAKE, Status.Validating);
    }

    /// @dev A Registry that doesn't answer with one clean word holds a move up, and costs whoever asks no copy of what
    /// it answers instead; the stake stays here.
    function test_finaliseMove_needsARegistryThatAnswers() public {
        bytes4 selector = IRegistry.getRollup.selector;
        MeasuredAnswer registry = new MeasuredAnswer();
        registry.set(selector, uint160(address(next)));
        RollupParameters memory p = _parameters();
        p.registry = IRegistry(address(registry));
        _use(p);
        _joinMany(3);
        _move(1, address(next));
        _move(2, address(next));
        skip(EXIT_DELAY);
        bytes memory refusal = abi.encodeWithSelector(ICommon.NoAnswer.selector, address(registry), selector);
        uint256[7] memory lengths = [uint256(0), 1, 31, 32, 33, 64, 1 << 20];
        for (uint256 i; i < 2 * lengths.length; ++i) {
            bool fails = i % 2 == 1;
            if (lengths[i / 2] == 32 && !fails) continue;
            registry.distort(selector, lengths[i / 2], fails);
            uint256 gas = gasleft();
            vm.expectRevert(refusal);
            rollup.finaliseMove(_attester(1));
            vm.expectRevert(refusal);
            _moveAs(1, _attester(9));
            // Twice 2.2 million for a megabyte, which the Registry pays; whoever copied it would pay as much again.
            vm.assertLt(gas - gasleft(), 6_000_000, "the answer was copied");
        }
        registry.set(selector, 1 << 160 | uint160(address(next)));
        vm.expectRevert(refusal);
        rollup.finaliseMove(_attester(1));
        vm.assertEq(set.asset.balanceOf(address(rollup)), 3 * STAKE);
        registry.set(selector, uint160(address(next)));
        rollup.finaliseMove(_attester(1));
        _moveAs(2, _attester(9));
        vm.assertEq(set.asset.balanceOf(address(next)), 2 * STAKE);
    }

    /// @dev Many attesters, each moved once: nothing is lost and nothing is duplicated.
    function testFuzz_finaliseMove_movesTheWholeSet(uint256 count, uint256 seed) public {
        count = bound(count, 1, 12);
        uint256 total;
        for (uint256 i; i < count; ++i) {
            uint256 amount = STAKE + uint256(keccak256(abi.encode(seed, i))) % STAKE;
            _join(i, amount);
            _move(i, address(next));
            total += amount;
        }
        _makeCanonical(address(next));
        skip(EXIT_DELAY);
        for (uint256 i; i < count; ++i) {
            rollup.finaliseMove(_attester((i + seed % count) % count));
        }
        vm.assertEq(rollup.getActiveAttesterCount(), 0);
        vm.assertEq(next.getActiveAttesterCount(), count);
        vm.assertEq(set.asset.balanceOf(address(next)), total);
        vm.assertEq(set.asset.balanceOf(address(rollup)), 0);
    }

    /*//////////////////////////////////////////////////////////////
                          UNDER ANOTHER ATTESTER
    //////////////////////////////////////////////////////////////*/

    function _moveAs(uint256 i, address newAttester) internal {
        vm.prank(_withdrawer(i));
        rollup.finaliseMove(_attester(i), newAttester);
    }

    /// @dev Also under the same attester.
    function testFuzz_finaliseMoveAs_depositsTheWholeStakeThere(
        uint256 stake,
        uint256 late,
        address newAttester,
        bool same
    ) public {
        vm.assume(newAttester != address(0));
        if (same) newAttester = _attester(1);
        stake = bound(stake, STAKE, SetLib.SUPPLY);
        _join(1, stake);
        _move(1, address(next));
        _makeCanonical(address(next));
        vm.warp(START + EXIT_DELAY + bound(late, 0, 10_000 days));
        vm.expectEmit(address(rollup));
        emit IRollup.MoveFinalised(_attester(1), address(next), newAttester, stake);
        vm.expectEmit(address(next));
        emit IRollup.Deposit(newAttester, _proposer(1), _withdrawer(1), stake);
        _moveAs(1, newAttester);

        _assertNobody(_attester(1));
        vm.assertEq(rollup.getActiveAttesterCount(), 0);
        vm.assertEq(set.asset.balanceOf(address(rollup)), 0);
        vm.assertEq(set.asset.balanceOf(address(next)), stake);
        vm.assertEq(set.asset.allowance(address(rollup), address(next)), 0);
        rollup = next;
        (uint256 moved, address withdrawer, address proposer, Status status) = rollup.getInfo(newAttester);
        vm.assertEq(moved, stake);
        vm.assertEq(withdrawer, _withdrawer(1));
        vm.assertEq(proposer, _proposer(1));
        vm.assertEq(uint256(status), uint256(Status.Validating));
        vm.assertEq(rollup.getActiveAttesterCount(), 1);
        if (!same && newAttester != _attester(1)) _assertNobody(_attester(1));
    }

    /// @dev An account that registered the attester there first, with a stake of its own, doesn't stop the move, and
    /// keeps its registration.
    function testFuzz_finaliseMoveAs_endsAMoveThatASquatterStopped(uint256 stake, uint256 squat, address newAttester)
        public
    {
        vm.assume(newAttester != address(0) && newAttester != _attester(1));
        stake = bound(stake, STAKE, SetLib.SUPPLY / 2);
        squat = bound(squat, STAKE, SetLib.SUPPLY / 2);
        _join(1, stake);
        _move(1, address(next));
        set.asset.approve(address(next), squat);
        next.deposit(_attester(1), address(0xBADD), address(0xBADE), squat);
        _makeCanonical(address(next));
        skip(EXIT_DELAY);

        bytes memory taken = abi.encodeWithSelector(IRollup.Rollup__AlreadyRegistered.selector, _attester(1));
        vm.expectRevert(taken);
        rollup.finaliseMove(_attester(1));
        vm.expectRevert(taken);
        _moveAs(1, _attester(1));
        _assertInfo(1, stake, Status.Validating);

        _moveAs(1, newAttester);
        _assertNobody(_attester(1));
        (uint256 moved, address withdrawer, address proposer,) = next.getInfo(newAttester);
        vm.assertEq(moved, stake);
        vm.assertEq(withdrawer, _withdrawer(1));
        vm.assertEq(proposer, _proposer(1));
        (moved, withdrawer, proposer,) = next.getInfo(_attester(1));
        vm.assertEq(moved, squat);
        vm.assertEq(withdrawer, address(0xBADE));
        vm.assertEq(proposer, address(0xBADD));
        vm.assertEq(next.getActiveAttesterCount(), 2);
    }

    /// @dev The other attester may be taken as well: then any third one does.
    function test_finaliseMoveAs_refusesAnAttesterThatIsTakenThere() public {
        _joinMany(2);
        _move(1, address(next));
        _makeCanonical(address(next));
        set.asset.approve(address(next), STAKE);
        next.deposit(_attester(7), _proposer(7), _withdrawer(7), STAKE);
        skip(EXIT_DELAY);
        vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__AlreadyRegistered.selector, _attester(7)));
        _moveAs(1, _attester(7));
        _assertInfo(1, STAKE, Status.Validating);
        // One that is registered here only is free there.
        _moveAs(1, _attester(0));
        (uint256 moved,,,) = next.getInfo(_attester(0));
        vm.assertEq(moved, STAKE);
        _assertInfo(0, STAKE, Status.Validating);
    }

    /// @dev Nobody else chooses under which attester a stake arrives: not the attester, not the proposer, not the
    /// owner.
    function testFuzz_finaliseMoveAs_onlyByTheWithdrawer(address stranger, uint256 which, address newAttester) public {
        address[5] memory callers =
            [stranger, _attester(1), _proposer(1), address(set.governance), address(next)];
        address caller = callers[which % 5];
        vm.assume(caller != _withdrawer(1));
        _join(1);
        _move(1, address(next));
        _makeCanonical(address(next));
        skip(EXIT_DELAY);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__NotWithdrawer.selector, caller, _withdrawer(1)));
        rollup.finaliseMove(_attester(1), newAttester);
        _assertInfo(1, STAKE, Status.Validating);
        // Anybody ends the move under the same attester.
        vm.prank(caller);
        rollup.finaliseMove(_attester(1));
        _assertNobody(_attester(1));
    }

    /// @dev Withdrawer, new attester, status, announcement, time, target.
    function testFuzz_finaliseMoveAs_checksInOrder(uint256 first, uint256 further) public {
        // The first fault, and any after it that can be combined with it; none if it is 6.
        first = bound(first, 0, 6);
        uint256 faults = (further << (first + 1)) | (1 << first);
        bool announced = faults & 8 == 0;
        _join(1);
        if (announced) _move(1, address(next));
        if (faults & 32 == 0) _makeCanonical(address(next));
        uint256 ready = START + EXIT_DELAY;
        vm.warp(faults & 16 != 0 ? ready - 1 : ready);
        if (faults & 4 != 0) _leave(1);
        address caller = faults & 1 != 0 ? address(0xBAD) : _withdrawer(1);
        address newAttester = faults & 2 != 0 ? address(0) : _attester(2);

        bytes memory refusal;
        if (first == 0) {
            refusal = abi.encodeWithSelector(IRollup.Rollup__NotWithdrawer.selector, caller, _withdrawer(1));
        }
        if (first == 1) refusal = abi.encodeWithSelector(ICommon.ZeroAddress.selector);
        if (first == 2) {
            refusal =
                abi.encodeWithSelector(IRollup.Rollup__NotValidating.selector, _attester(1), Status.Exiting);
        }
        if (first == 3) refusal = abi.encodeWithSelector(IRollup.Rollup__NoMove.selector, _attester(1));
        if (first == 4) refusal = abi.encodeWithSelector(IRollup.Rollup__MoveNotReady.selector, ready - 1, ready);
        if (first == 5) {
            refusal = abi.encodeWithSelector(
                IRollup.Rollup__MoveNotToCanonical.selector, address(next), address(set.rollup)
            );
        }
        if (refusal.length != 0) vm.expectRevert(refusal);
        vm.prank(caller);
        rollup.finaliseMove(_attester(1), newAttester);
        vm.assertEq(next.getActiveAttesterCount(), first == 6 ? 1 : 0);
    }

    function testFuzz_finaliseMoveAs_refusesTheUnregistered(address caller, address attester, address newAttester)
        public
    {
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__NotWithdrawer.selector, caller, address(0)));
        rollup.finaliseMove(attester, newAttester);
    }

    /// @dev The registration here ends like any other: the attester is free, and its seat in closed sets stays its own.
    function test_finaliseMoveAs_freesTheAttesterHere() public {
        _join(1);
        _move(1, address(next));
        _makeCanonical(address(next));
        _toEpoch(4);
        _moveAs(1, _attester(2));
        rollup.deposit(_attester(1), _proposer(9), _withdrawer(9), STAKE);
        (, address proposer) = rollup.getMember(4, 0);
        vm.assertEq(proposer, _proposer(1));
        (, proposer) = rollup.getMember(5, 0);
        vm.assertEq(proposer, _proposer(1));
        _toEpoch(6);
        (, proposer) = rollup.getMember(6, 0);
        vm.assertEq(proposer, _proposer(9));
    }
}
