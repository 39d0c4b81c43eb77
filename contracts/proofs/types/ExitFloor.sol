// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ExitFloor} from "canon/types/ExitFloor.sol";
import {Proof} from "../Proof.sol";

/// @title The least withdrawal delay
contract ExitFloorProof is Proof {
    /// @notice The three fields make up the word.
    function check_fieldsMakeTheWord(ExitFloor floor) external pure {
        assert(ExitFloor.unwrap(floor) == (floor.until() << 64) | (floor.delay() << 32) | floor.withdrawals());
    }

    /// @notice A withdrawal up to `until` has at least the floor's delay, a later one only the present configuration's.
    function check_delayAtIsTheGreaterUntilTheFloorEnds(ExitFloor floor, uint256 time, uint256 current) external pure {
        uint256 found = floor.delayAt(time, current);
        if (time <= floor.until()) assert(found == greatest(floor.delay(), current));
        else assert(found == current);
    }

    /// @notice One more withdrawal changes only their number; 2^32 - 1 is the last one.
    function check_withWithdrawalCountsOrReverts(ExitFloor floor) external view {
        try this.withWithdrawal(floor) returns (ExitFloor after_) {
            assert(after_.withdrawals() == floor.withdrawals() + 1);
            assert(after_.delay() == floor.delay() && after_.until() == floor.until());
        } catch (bytes memory reason) {
            assert(floor.withdrawals() == type(uint32).max);
            assert(isTooLarge(reason, 2 ** 32, type(uint32).max));
        }
    }

    /// @notice After a replacement: the delay is the greater of the old configuration's and, if the floor was in force, the
    /// floor's; the floor's end is the later one; withdrawals stay. It is refused exactly if one of them doesn't fit.
    function check_withReplacedRaisesOrReverts(ExitFloor floor, uint256 time, uint256 oldDelay, uint256 oldUntil)
        external
        view
    {
        try this.withReplaced(floor, time, oldDelay, oldUntil) returns (ExitFloor after_) {
            assert(fits(oldDelay, 32) && fits(oldUntil, 32));
            assert(after_.delay() == greatest(oldDelay, choose(time <= floor.until(), floor.delay(), 0)));
            assert(after_.until() == greatest(oldUntil, floor.until()));
            assert(after_.withdrawals() == floor.withdrawals());
        } catch (bytes memory reason) {
            if (!fits(oldDelay, 32)) assert(isTooLarge(reason, oldDelay, type(uint32).max));
            else assert(!fits(oldUntil, 32) && isTooLarge(reason, oldUntil, type(uint32).max));
        }
    }

    /// @notice A replacement makes no withdrawal started then or later faster.
    function check_aReplacementMakesNobodyFaster(
        ExitFloor floor,
        uint256 time,
        uint32 oldDelay,
        uint32 oldUntil,
        uint256 later,
        uint256 current
    ) external pure {
        // Weaker than `later >= time`, with which the solver may not end. It leaves out only withdrawals started up to
        // the floor's end, when the replacement comes after that end.
        vm.assume(time <= floor.until() || later > floor.until());
        uint256 found = floor.withReplaced(time, oldDelay, oldUntil).delayAt(later, current);
        assert(found >= floor.delayAt(later, current));
    }

    /// @notice After a replacement, leaving is as slow as the old configuration demands until `oldUntil`.
    function check_theOldDelayHoldsUntilItsEnd(
        ExitFloor floor,
        uint256 time,
        uint32 oldDelay,
        uint32 oldUntil,
        uint256 later,
        uint256 current
    ) external pure {
        vm.assume(later <= oldUntil);
        assert(floor.withReplaced(time, oldDelay, oldUntil).delayAt(later, current) >= oldDelay);
    }

    /// @notice Wrong: a replacement leaves the delay at earlier times as it was, even if the floor has ended.
    function refute_aReplacementKeepsAnEndedFloor(ExitFloor floor, uint256 time, uint256 later) external pure {
        assert(floor.withReplaced(time, 0, 0).delayAt(later, 0) >= floor.delayAt(later, 0));
    }

    /// @notice Wrong: the second after `until` is bound to the floor.
    function refute_theFloorHoldsOneSecondLonger(ExitFloor floor, uint256 current) external pure {
        assert(floor.delayAt(floor.until() + 1, current) >= floor.delay());
    }

    /// @notice Wrong: the old configuration's delay holds for ever.
    function refute_theOldDelayHoldsForEver(ExitFloor floor, uint32 time, uint32 delay, uint32 until, uint32 later)
        external
        pure
    {
        vm.assume(later >= time);
        assert(floor.withReplaced(time, delay, until).delayAt(later, 0) >= delay);
    }

    function withWithdrawal(ExitFloor floor) external pure returns (ExitFloor) {
        return floor.withWithdrawal();
    }

    function withReplaced(ExitFloor floor, uint256 time, uint256 oldDelay, uint256 oldUntil)
        external
        pure
        returns (ExitFloor)
    {
        return floor.withReplaced(time, oldDelay, oldUntil);
    }
}
