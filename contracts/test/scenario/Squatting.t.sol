// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IRollup} from "canon/interfaces/IRollup.sol";
import {SetLib} from "../Set.sol";
import {Scenario} from "./Scenario.sol";

/// @notice Somebody registers the movers' attesters in the new rollup before they arrive.
contract SquattingTest is Scenario {
    uint256 private constant SQUATTED = 4;
    address private constant EVE = address(0xE7E);

    IRollup internal next;

    /// @dev The switch is over and all moves are ready; the first four attesters are taken there.
    function setUp() public override {
        super.setUp();
        next = SetLib.rollup(set);
        for (uint256 i; i < ATTESTERS; ++i) {
            vm.prank(_withdrawer(i));
            rollup.initiateMove(_attester(i), address(next));
        }
        for (uint256 i; i < SQUATTED; ++i) {
            _stake(next, _attester(i), EVE, EVE);
        }
        vm.prank(address(governance));
        registry.upgrade(address(next));
        _to(_now() + SetLib.EXIT_DELAY);
    }

    function _newAttester(uint256 i) internal pure returns (address) {
        return address(uint160(0x3E3000 + i));
    }

    function _expectTaken(uint256 i) internal {
        _expectRevert(abi.encodeWithSelector(IRollup.Rollup__AlreadyRegistered.selector, _attester(i)));
    }

    /// @dev Members of the set as it stands whose proposer is the squatter.
    function _seatsOfEve() internal view returns (uint256 seats) {
        address[] memory attesters = next.getAttesters();
        for (uint256 i; i < attesters.length; ++i) {
            (,, address proposer,) = next.getInfo(attesters[i]);
            if (proposer == EVE) ++seats;
        }
    }

    /// @dev Each squatted stake takes one seat and keeps no mover out: 4 seats of 12, as for any 4 stakes, not 4 of 8.
    function test_squatting_shutsNobodyOut() public {
        for (uint256 i; i < ATTESTERS; ++i) {
            if (i >= SQUATTED) {
                rollup.finaliseMove(_attester(i));
                continue;
            }
            _expectTaken(i);
            rollup.finaliseMove(_attester(i));
            vm.prank(_withdrawer(i));
            rollup.finaliseMove(_attester(i), _newAttester(i));
        }
        vm.assertEq(rollup.getActiveAttesterCount(), 0);
        vm.assertEq(next.getActiveAttesterCount(), 12);
        vm.assertEq(_seatsOfEve(), 4);
        vm.assertEq(asset.balanceOf(address(next)), 12 * SetLib.STAKE);
        for (uint256 i; i < SQUATTED; ++i) {
            (uint256 stake, address withdrawer, address proposer,) = next.getInfo(_newAttester(i));
            vm.assertEq(stake, SetLib.STAKE);
            vm.assertEq(withdrawer, _withdrawer(i));
            vm.assertEq(proposer, addressOf(string.concat("proposer ", vm.toString(i))));
        }
        // So it is in the set that draws.
        uint256 epoch = next.getCurrentEpoch() + 2;
        vm.warp(next.getTimestampForSlot(epoch * SetLib.EPOCH));
        vm.assertEq(next.getSetSize(epoch), 12);
        uint256 seats;
        for (uint256 i; i < 12; ++i) {
            (, address proposer) = next.getMember(epoch, i);
            if (proposer == EVE) ++seats;
        }
        vm.assertEq(seats, 4);
    }

    /// @dev The squatter would have to register the new attester too, in the block before, with another
    /// stake.
    function test_squatting_anotherNewAttesterIsTriedIfOneIsTaken() public {
        _stake(next, _newAttester(0), EVE, EVE);
        _expectRevert(abi.encodeWithSelector(IRollup.Rollup__AlreadyRegistered.selector, _newAttester(0)));
        vm.prank(_withdrawer(0));
        rollup.finaliseMove(_attester(0), _newAttester(0));
        vm.prank(_withdrawer(0));
        rollup.finaliseMove(_attester(0), _newAttester(100));
        (uint256 stake,,,) = next.getInfo(_newAttester(100));
        vm.assertEq(stake, SetLib.STAKE);
    }

    /// @dev Neither the squatter nor anybody else chooses the attester under which a stake arrives.
    function testFuzz_squatting_onlyTheWithdrawerChoosesTheNewAttester(address caller, uint256 i) public {
        i = bound(i, 0, ATTESTERS - 1);
        vm.assume(caller != _withdrawer(i));
        _expectRevert(abi.encodeWithSelector(IRollup.Rollup__NotWithdrawer.selector, caller, _withdrawer(i)));
        vm.prank(caller);
        rollup.finaliseMove(_attester(i), _newAttester(i));
    }

    /// @dev When the squatter has left, the attester is free again, and anybody ends the move.
    function test_squatting_endsWithTheSquattersExit() public {
        vm.prank(EVE);
        next.initiateWithdraw(_attester(0), EVE);
        _expectTaken(0);
        rollup.finaliseMove(_attester(0));
        _to(_now() + SetLib.EXIT_DELAY);
        next.finaliseWithdraw(_attester(0));
        rollup.finaliseMove(_attester(0));
        (, address withdrawer,,) = next.getInfo(_attester(0));
        vm.assertEq(withdrawer, _withdrawer(0));
    }
}
