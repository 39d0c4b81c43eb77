// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {ProposalState} from "canon/interfaces/IGovernance.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {IRewardDistributor} from "canon/interfaces/IRewardDistributor.sol";
import {IRollup} from "canon/interfaces/IRollup.sol";
import {HostileRollup} from "../mocks/HostileRollup.sol";
import {SetLib} from "../Set.sol";
import {Scenario} from "./Scenario.sol";

/// @notice A canonical rollup that lies about its slots and proposers.
contract HostileRollupsTest is Scenario {
    HostileRollup internal hostile;
    address internal payload;
    address internal eve = address(0xE7E);

    function setUp() public override {
        super.setUp();
        hostile = new HostileRollup(address(governance), 0, eve);
        payload = _boxPayload(1);
        vm.prank(address(governance));
        registry.upgrade(address(hostile));
    }

    function _signalAt(uint256 slot) internal {
        hostile.setSlot(slot);
        vm.prank(eve);
        proposals.vote(payload);
    }

    function _expectUsed(uint256 slot, uint256 newest) internal {
        _expectRevert(abi.encodeWithSelector(IProposals.Proposals__SlotAlreadyUsed.selector, slot, newest));
    }

    function test_hostileRollup_slotZeroIsAnOrdinarySlotAndUsedOnce() public {
        vm.expectEmit(address(proposals));
        emit IProposals.VoteCast(payload, 0, eve);
        vm.prank(eve);
        proposals.vote(payload);
        (bool exists, uint256 slot) = proposals.newestSlot(address(hostile));
        vm.assertTrue(exists);
        vm.assertEq(slot, 0);
        vm.assertEq(proposals.yeaCount(address(hostile), 0, payload), 1);
        (uint256 lastVote, address leader,) = proposals.rounds(address(hostile), 0);
        vm.assertEq(lastVote, 0);
        vm.assertEq(leader, payload);
        (,,,, uint256 firstFreeSlot) = proposals.currentStatus();
        vm.assertEq(firstFreeSlot, 1);

        _expectUsed(0, 0);
        vm.prank(eve);
        proposals.vote(payload);
        address other = _boxPayload(2);
        _expectUsed(0, 0);
        vm.prank(eve);
        proposals.vote(other);
    }

    function test_hostileRollup_roundZeroCanBeWonAndPushed() public {
        for (uint256 slot; slot < SetLib.N; ++slot) _signalAt(slot);
        hostile.setSlot(SetLib.M);
        uint256 id = _push(0);
        (bool exists, uint256 found) = proposals.proposalOf(address(hostile), 0);
        vm.assertTrue(exists);
        vm.assertEq(found, id);
    }

    function testFuzz_hostileRollup_slotsThatGoBackwardsAreRefused(uint256 slot, uint256 back) public {
        slot = bound(slot, 0, _now());
        back = bound(back, 0, slot);
        _signalAt(slot);
        hostile.setSlot(slot - back);
        _expectUsed(slot - back, slot);
        vm.prank(eve);
        proposals.vote(payload);
        // For the views time doesn't go back either.
        (uint256 present, uint256 round,,, uint256 free) = proposals.currentStatus();
        vm.assertEq(present, slot);
        vm.assertEq(round, slot / SetLib.M);
        vm.assertEq(free, slot + 1);
        vm.assertEq(proposals.getCurrentRound(), slot / SetLib.M);
    }

    function testFuzz_hostileRollup_slotsInTheFutureAreRefused(uint256 slot) public {
        slot = bound(slot, _now() + 1, type(uint256).max);
        hostile.setSlot(slot);
        _expectRevert(abi.encodeWithSelector(IProposals.Proposals__SlotInFuture.selector, slot, _now()));
        vm.prank(eve);
        proposals.vote(payload);
    }

    function testFuzz_hostileRollup_aPushedRoundStaysPushedWhateverTheSlotsDo(uint256 back) public {
        for (uint256 slot; slot < SetLib.N; ++slot) _signalAt(slot);
        hostile.setSlot(SetLib.M);
        uint256 id = _push(0);
        // Back into the round that was pushed: more signals, no second push.
        _signalAt(bound(back, SetLib.N, SetLib.M - 1));
        hostile.setSlot(2 * SetLib.M);
        _expectRevert(abi.encodeWithSelector(IProposals.Proposals__AlreadyPushed.selector, 0, id));
        proposals.pushProposal(0);
        (, address leader, bool executed) = proposals.rounds(address(hostile), 0);
        vm.assertEq(leader, payload);
        vm.assertTrue(executed);
    }

    function test_hostileRollup_aRoundIsNotOverWhileItsSlotsGoBack() public {
        for (uint256 slot; slot < SetLib.N; ++slot) _signalAt(slot);
        hostile.setSlot(0);
        _expectRevert(abi.encodeWithSelector(IProposals.Proposals__RoundNotOver.selector, 0, 0));
        proposals.pushProposal(0);
    }

    function testFuzz_hostileRollup_cannotCountASlotTwiceByAnyOrder(uint256 seed) public {
        uint256 accepted;
        uint256 newest;
        uint256 round = 7;
        for (uint256 i; i < 40; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 slot = round * SetLib.M + seed % SetLib.M;
            hostile.setSlot(slot);
            if (accepted != 0 && slot <= newest) _expectUsed(slot, newest);
            vm.prank(eve);
            proposals.vote(payload);
            if (accepted == 0 || slot > newest) {
                newest = slot;
                ++accepted;
            }
        }
        vm.assertEq(proposals.yeaCount(address(hostile), round, payload), accepted);
        vm.assertLe(accepted, SetLib.M);
    }

    function testFuzz_hostileRollup_garbageIsRefused(uint256 slotMode, uint256 proposerMode) public {
        HostileRollup.Mode a = HostileRollup.Mode(bound(slotMode, 0, 3));
        HostileRollup.Mode b = HostileRollup.Mode(bound(proposerMode, 0, 4));
        vm.assume(a != HostileRollup.Mode.Answer || b != HostileRollup.Mode.Answer);
        hostile.setModes(a, b);
        bytes4 selector = a == HostileRollup.Mode.Answer
            ? IRollup.getCurrentProposer.selector
            : IRollup.getCurrentSlot.selector;
        _expectRevert(abi.encodeWithSelector(ICommon.NoAnswer.selector, address(hostile), selector));
        vm.prank(eve);
        proposals.vote(payload);
    }

    function testFuzz_hostileRollup_aDirtySlotIsATimeInTheFuture(uint256 slot) public {
        slot = bound(slot, 0, _now());
        hostile.setSlot(slot);
        hostile.setModes(HostileRollup.Mode.Dirty, HostileRollup.Mode.Answer);
        _expectRevert(
            abi.encodeWithSelector(IProposals.Proposals__SlotInFuture.selector, slot | (1 << 255), _now())
        );
        vm.prank(eve);
        proposals.vote(payload);
    }

    function test_hostileRollup_reenteringChangesNothing() public {
        hostile.setProposer(address(hostile));
        hostile.setCallback(address(proposals), abi.encodeCall(IProposals.vote, (payload)));
        hostile.setModes(HostileRollup.Mode.Reenter, HostileRollup.Mode.Reenter);
        hostile.setSlot(3);
        hostile.call(address(proposals), abi.encodeCall(IProposals.vote, (payload)));
        vm.assertEq(proposals.yeaCount(address(hostile), 0, payload), 1);
        _expectUsed(3, 3);
        vm.prank(address(hostile));
        proposals.vote(payload);
    }

    function test_hostileRollup_withoutCodeStopsSignalsAndPushes() public {
        for (uint256 slot; slot < SetLib.N; ++slot) _signalAt(slot);
        hostile.setSlot(SetLib.M);
        bytes[2] memory codes = [bytes(""), abi.encodePacked(hex"ef0100", address(rollup))];
        for (uint256 i; i < codes.length; ++i) {
            vm.etch(address(hostile), codes[i]);
            bytes memory refusal = abi.encodeWithSelector(ICommon.NoCode.selector, address(hostile));
            _expectRevert(refusal);
            vm.prank(eve);
            proposals.vote(payload);
            _expectRevert(refusal);
            proposals.pushProposal(0);
        }
    }

    /// @dev One rollup that lies takes no more than one reward per timestamp.
    function testFuzz_hostileRollup_takesOneRewardPerTimestamp(uint256 slot, uint256 steps) public {
        vm.prank(treasury);
        asset.transfer(address(set.rewardDistributor), 100 * SetLib.REWARD);
        slot = bound(slot, 0, _now() - 50);
        steps = bound(steps, 1, 50);
        for (uint256 i; i < steps; ++i) {
            hostile.setSlot(slot + i);
            vm.prank(address(hostile));
            if (i != 0) {
                _expectRevert(
                    abi.encodeWithSelector(IRewardDistributor.RewardDistributor__AlreadyPaidNow.selector, _now())
                );
            }
            set.rewardDistributor.claim(eve);
        }
        vm.assertEq(asset.balanceOf(eve), SetLib.REWARD);
        skip(1);
        hostile.setSlot(slot);
        _expectRevert(
            abi.encodeWithSelector(IRewardDistributor.RewardDistributor__SlotAlreadyPaid.selector, slot, slot)
        );
        vm.prank(address(hostile));
        set.rewardDistributor.claim(eve);
    }

    /// @dev It can push what it wants, but the holders decide.
    function test_hostileRollup_pushesWhatItWantsButHoldersDecide() public {
        for (uint256 slot; slot < SetLib.N; ++slot) _signalAt(slot);
        hostile.setSlot(SetLib.M);
        uint256 id = _push(0);
        _to(_lastPending(id) + 1);
        _vote(alice, id, POWER, false);
        _to(_lastActive(id) + 1);
        _assertState(id, ProposalState.Rejected);
    }
}
