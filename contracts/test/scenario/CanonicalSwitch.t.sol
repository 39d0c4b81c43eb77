// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IGovernance} from "canon/interfaces/IGovernance.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {IRegistry} from "canon/interfaces/IRegistry.sol";
import {IRollup, RollupParameters} from "canon/interfaces/IRollup.sol";
import {SetLib} from "../Set.sol";
import {Scenario} from "./Scenario.sol";

/// @notice The canonical rollup switching while stakers signal.
contract CanonicalSwitchTest is Scenario {
    IRollup internal next;
    address internal payload;
    /// @dev An accepted upgrade, executable for an hour.
    uint256 internal upgrade;

    function setUp() public override {
        super.setUp();
        next = SetLib.rollup(set);
        _stakeAll(next);
        payload = _boxPayload(1);
        upgrade = _propose(SetLib.upgradePayload(set, address(next)));
        _toExecutable(upgrade);
    }

    function test_switch_unpushedRoundsOfTheOldRollupCannotBePushed() public {
        uint256 round = _win(payload);
        vm.assertEq(proposals.pushableRounds().length, 1);
        governance.execute(upgrade);
        vm.assertEq(proposals.pushableRounds().length, 0);
        // The new rollup's slots began with it, so its rounds are other ones.
        uint256 current = next.getCurrentSlot() / SetLib.M;
        if (round >= current) {
            _expectRevert(abi.encodeWithSelector(IProposals.Proposals__RoundNotOver.selector, round, current));
        } else {
            _expectRevert(abi.encodeWithSelector(IProposals.Proposals__NoLeader.selector, round));
        }
        proposals.pushProposal(round);
        (, address leader,) = proposals.rounds(address(rollup), round);
        vm.assertEq(leader, payload);
    }

    function test_switch_midRoundTheOldVotesDoNotCountForTheNewOne() public {
        _toNextRound(rollup);
        _signal(rollup, payload, SetLib.N - 1);
        uint256 oldRound = rollup.getCurrentSlot() / SetLib.M;
        governance.execute(upgrade);
        (, uint256 round, address leader, uint256 count,) = proposals.currentStatus();
        vm.assertEq(round, next.getCurrentSlot() / SetLib.M);
        vm.assertEq(leader, address(0));
        vm.assertEq(count, 0);

        _toNextRound(next);
        round = next.getCurrentSlot() / SetLib.M;
        _signal(next, payload, 1);
        vm.assertEq(proposals.yeaCount(address(next), round, payload), 1);
        vm.assertEq(proposals.yeaCount(address(rollup), oldRound, payload), SetLib.N - 1);
        _toNextRound(next);
        _expectRevert(
            abi.encodeWithSelector(IProposals.Proposals__QuorumNotReached.selector, payload, 1, SetLib.N)
        );
        proposals.pushProposal(round);
    }

    function test_switch_theNewRollupStartsFromZeroAndCanWin() public {
        governance.execute(upgrade);
        uint256 id = _propose(payload);
        _toExecutable(id);
        governance.execute(id);
        vm.assertEq(box.value(), 1);
    }

    function test_switch_theOldRollupsProposersSignalNoMore() public {
        governance.execute(upgrade);
        _toNextRound(next);
        address old = rollup.getCurrentProposer();
        // The two draws differ within a few slots.
        while (next.getCurrentProposer() == rollup.getCurrentProposer()) _to(_now() + SetLib.SLOT);
        old = rollup.getCurrentProposer();
        _expectRevert(
            abi.encodeWithSelector(IProposals.Proposals__NotProposer.selector, old, next.getCurrentProposer())
        );
        vm.prank(old);
        proposals.vote(payload);
    }

    /// @dev A rollup whose slots were far ahead leaves no mark on the next one's.
    function test_switch_slotsAreUsedPerRollup() public {
        _toNextRound(rollup);
        _signal(rollup, payload);
        (bool exists, uint256 slot) = proposals.newestSlot(address(rollup));
        vm.assertTrue(exists);
        vm.assertEq(slot, rollup.getCurrentSlot());
        governance.execute(upgrade);
        (exists,) = proposals.newestSlot(address(next));
        vm.assertFalse(exists);

        // In the very same second the new rollup's proposer may signal too.
        _signal(next, payload);
        (exists, slot) = proposals.newestSlot(address(next));
        vm.assertTrue(exists);
        vm.assertEq(slot, next.getCurrentSlot());
    }

    function test_switch_proposalsPushedBeforeItGoOn() public {
        uint256 id = _propose(payload);
        governance.execute(upgrade);
        _toExecutable(id);
        governance.execute(id);
        vm.assertEq(box.value(), 1);
    }

    function test_switch_aSwitchBackIsRefusedByTheRegistryItself() public {
        governance.execute(upgrade);
        _expectRevert(
            abi.encodeWithSelector(IRegistry.Registry__AlreadyRegistered.selector, address(rollup), 1)
        );
        vm.prank(address(governance));
        registry.upgrade(address(rollup));
        _expectRevert(abi.encodeWithSelector(IRegistry.Registry__AlreadyRegistered.selector, address(next), 2));
        vm.prank(address(governance));
        registry.upgrade(address(next));
    }

    /// @dev The new rollup may have other slots: its rounds are its own.
    function testFuzz_switch_otherSlotDurations(uint256 slotDuration, uint256 epochDuration) public {
        RollupParameters memory p = SetLib.parameters(set);
        p.slotDuration = bound(slotDuration, 1, 1 hours);
        // An epoch goes on for 24 seconds after its first slot.
        p.epochDuration = bound(epochDuration, (24 + p.slotDuration - 1) / p.slotDuration + 1, 64);
        p.exitDelay = 2 * p.slotDuration * p.epochDuration;
        IRollup other = SetLib.rollup(p);
        _stakeAll(other);
        uint256 id = _propose(SetLib.upgradePayload(set, address(other)));
        _toExecutable(id);
        governance.execute(id);

        _toSlot(other, 2 * p.epochDuration);
        uint256 round = _win(payload);
        (uint256 lastVote, address leader,) = proposals.rounds(address(other), round);
        vm.assertEq(leader, payload);
        vm.assertEq(lastVote, round * SetLib.M + SetLib.N - 1);
        _push(round);
    }
}
