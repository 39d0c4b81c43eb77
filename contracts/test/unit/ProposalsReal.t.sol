// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {Action} from "canon/interfaces/IPayload.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {IRollup} from "canon/interfaces/IRollup.sol";
import {Set, SetLib} from "../Set.sol";
import {Test} from "../Test.sol";
import {TypedData} from "../TypedData.sol";
import {ListPayload} from "../mocks/ListPayload.sol";
import {RawAnswer} from "../mocks/RawAnswer.sol";

/// @notice Proposals in the set it is made for: seconds, real draws, real Governance.
contract ProposalsRealTest is Test {
    uint256 private constant START = 1_750_000_000;
    uint256 private constant ROUND_SECONDS = SetLib.M * SetLib.SLOT;
    uint256 private constant STAKERS = 5;

    Set internal set;
    address internal payload;

    function setUp() public {
        vm.warp(START);
        vm.prevrandao(keccak256("deployment"));
        set = SetLib.deploy(address(this));
        set.asset.approve(address(set.rollup), type(uint256).max);
        set.asset.approve(address(set.governance), type(uint256).max);
        for (uint256 i; i < STAKERS; ++i) {
            (address proposer,) = _sequencer(i);
            set.rollup.deposit(address(uint160(0xA000 + i)), proposer, address(0xC000), SetLib.STAKE);
        }
        Action[] memory actions = new Action[](1);
        actions[0] = Action(address(set.expect), "");
        payload = address(new ListPayload(actions));
        _toRound(1);
    }

    function _sequencer(uint256 i) internal returns (address who, uint256 key) {
        return account(string.concat("sequencer ", vm.toString(i)));
    }

    /// @dev The first second of `slot`, not before the present one; its epoch has a seed.
    function _toSlot(uint256 slot) internal {
        uint256 epoch = slot / SetLib.EPOCH;
        if (epoch > set.rollup.getCurrentEpoch()) {
            uint256 second = START + ((epoch - 1) * SetLib.EPOCH + 1) * SetLib.SLOT;
            if (_now() < second) vm.warp(second);
            set.rollup.setupEpoch();
        }
        vm.warp(START + slot * SetLib.SLOT);
    }

    function _toRound(uint256 round) internal {
        _toSlot(round * SetLib.M);
    }

    /// @dev The present slot's proposer signals.
    function _signal(address payload_) internal {
        address proposer = set.rollup.getCurrentProposer();
        vm.prank(proposer);
        set.proposals.vote(payload_);
    }

    /// @dev From the first slot of `round` on, as many as needed.
    function _win(address payload_, uint256 round) internal {
        for (uint256 i; i < SetLib.N; ++i) {
            _toSlot(round * SetLib.M + i);
            _signal(payload_);
        }
    }

    /// @dev Exactly one signal in each slot's seconds, from its first to its last.
    function testFuzz_signal_inAnySecondOfASlot(uint256 slot, uint256 second, uint256 again) public {
        slot = bound(slot, 3 * SetLib.EPOCH, 1_000_000);
        second = bound(second, 0, SetLib.SLOT - 1);
        again = bound(again, second, SetLib.SLOT - 1);
        uint256 start = START + slot * SetLib.SLOT;
        _toSlot(slot);
        vm.warp(start + second);
        _signal(payload);
        vm.warp(start + again);
        address proposer = set.rollup.getCurrentProposer();
        vm.prank(proposer);
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__SlotAlreadyUsed.selector, slot, slot));
        set.proposals.vote(payload);
        _toSlot(slot + 1);
        _signal(payload);
        (bool exists, uint256 newest) = set.proposals.newestSlot(address(set.rollup));
        vm.assertTrue(exists);
        vm.assertEq(newest, slot + 1);
    }

    function testFuzz_signal_byNoOtherSequencer(uint256 slot, uint256 who) public {
        slot = bound(slot, 3 * SetLib.EPOCH, 1_000_000);
        _toSlot(slot);
        address proposer = set.rollup.getCurrentProposer();
        (address other,) = _sequencer(who % STAKERS);
        vm.assume(other != proposer);
        vm.prank(other);
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__NotProposer.selector, other, proposer));
        set.proposals.vote(payload);
    }

    function testFuzz_signal_byNobodyInTheFirstTwoEpochs(uint256 second, address caller) public {
        second = bound(second, 0, 2 * SetLib.EPOCH * SetLib.SLOT - 1);
        vm.warp(START + second);
        vm.prank(caller);
        vm.expectRevert(
            abi.encodeWithSelector(IProposals.Proposals__NoProposer.selector, second / SetLib.SLOT)
        );
        set.proposals.vote(payload);
    }

    /// @dev Nobody touched the rollup for a while: nobody signals, not even in the name of nobody, until somebody
    /// called `setupEpoch` and the next epoch began.
    function testFuzz_signal_afterASilence(uint256 epochs, uint256 second, address caller) public {
        // The present epoch is the second; the one after it would be seeded by a call in it.
        uint256 epoch = 3 + bound(epochs, 0, 5000);
        uint256 start = START + epoch * SetLib.EPOCH * SetLib.SLOT;
        second = bound(second, 0, SetLib.EPOCH * SetLib.SLOT - 1);
        vm.warp(start + second);
        uint256 slot = set.rollup.getCurrentSlot();
        bytes memory refusal = abi.encodeWithSelector(IProposals.Proposals__NoProposer.selector, slot);
        for (uint256 i; i < STAKERS; ++i) {
            (address sequencer,) = _sequencer(i);
            vm.prank(sequencer);
            vm.expectRevert(refusal);
            set.proposals.vote(payload);
        }
        address[2] memory others = [caller, address(0)];
        for (uint256 i; i < 2; ++i) {
            vm.prank(others[i]);
            vm.expectRevert(refusal);
            set.proposals.vote(payload);
            vm.prank(others[i]);
            vm.expectRevert(refusal);
            set.proposals.voteWithSig(payload, new bytes(65));
        }
        (bool exists,) = set.proposals.newestSlot(address(set.rollup));
        vm.assertFalse(exists, "a slot without a proposer was used");

        _toSlot((epoch + 1) * SetLib.EPOCH);
        _signal(payload);
        uint256 round = set.proposals.getCurrentRound() + 1;
        _win(payload, round);
        _toRound(round + 1);
        vm.assertTrue(set.proposals.pushProposal(round));
        vm.assertEq(set.governance.proposalCount(), 1);
    }

    /// @dev Of all sequencers' signatures only that of the drawn one is good, and only until it is used.
    function testFuzz_signature_ofADrawnProposer(uint256 slot, address submitter) public {
        slot = bound(slot, 3 * SetLib.EPOCH, 1_000_000);
        _toSlot(slot);
        address proposer = set.rollup.getCurrentProposer();
        uint256 accepted;
        for (uint256 i; i < STAKERS; ++i) {
            bytes memory signature = _sign(i, slot);
            (address who,) = _sequencer(i);
            if (accepted != 0) {
                vm.expectRevert(
                    abi.encodeWithSelector(IProposals.Proposals__SlotAlreadyUsed.selector, slot, slot)
                );
            } else if (who != proposer) {
                vm.expectRevert(
                    abi.encodeWithSelector(IProposals.Proposals__InvalidSignature.selector, proposer)
                );
            } else {
                ++accepted;
            }
            vm.prank(submitter);
            set.proposals.voteWithSig(payload, signature);
        }
        vm.assertEq(accepted, 1);
    }

    /// @dev Sequencer `i`'s signature for the payload in `slot`.
    function _sign(uint256 i, uint256 slot) internal returns (bytes memory) {
        (, uint256 key) = _sequencer(i);
        return TypedData.signSignal(key, payload, slot, address(set.rollup), address(set.proposals));
    }

    /// @dev Not in the last second of its round, in the first second of the next.
    function testFuzz_push_fromTheFirstSecondOfTheNextRound(uint256 round, uint256 late) public {
        round = bound(round, 1, 100_000);
        late = bound(late, 0, 5 * ROUND_SECONDS - 1);
        _win(payload, round);
        vm.warp(START + (round + 1) * ROUND_SECONDS - 1);
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__RoundNotOver.selector, round, round));
        set.proposals.pushProposal(round);
        vm.warp(START + (round + 1) * ROUND_SECONDS + late);
        vm.expectEmit(address(set.proposals));
        emit IProposals.ProposalPushed(payload, round);
        vm.expectEmit(address(set.governance));
        emit IGovernance.Proposed(0, payload);
        set.proposals.pushProposal(round);
        (bool exists, uint256 id) = set.proposals.proposalOf(address(set.rollup), round);
        vm.assertTrue(exists);
        vm.assertEq(id, 0);
        vm.assertEq(set.governance.getProposal(0).governanceProposer, address(set.proposals));
        vm.assertEq(set.governance.getProposal(0).payload, payload);
    }

    /// @dev Live to the last second in which its ballots are taken; rejected, and so over, in the next.
    function testFuzz_push_againWhenTheProposalIsOver(uint256 early) public {
        _win(payload, 1);
        _toRound(2);
        set.proposals.pushProposal(1);
        uint256 end = set.governance.getProposal(0).creation + 2 hours;
        uint256 round = (end - START) / ROUND_SECONDS - 1;
        _win(payload, round);
        early = bound(early, 0, end - (START + (round + 1) * ROUND_SECONDS));
        vm.warp(end - early);
        vm.assertEq(uint256(set.governance.getProposalState(0)), uint256(ProposalState.Active));
        vm.assertEq(set.proposals.pushableRounds().length, 0);
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__ProposalLive.selector, payload, 0));
        set.proposals.pushProposal(round);
        vm.warp(end + 1);
        vm.assertEq(uint256(set.governance.getProposalState(0)), uint256(ProposalState.Rejected));
        vm.assertEq(set.proposals.pushableRounds().length, 1);
        set.proposals.pushProposal(round);
        (, uint256 id) = set.proposals.latestProposalOf(payload);
        vm.assertEq(id, 1);
    }

    /// @dev Proposals through the lock neither stop a push nor are they taken for one.
    function testFuzz_push_proposalsThroughTheLockDoNotCount(uint256 locks) public {
        locks = bound(locks, 1, 4);
        set.governance.deposit(address(this), locks * 1000e18);
        for (uint256 i; i < locks; ++i) {
            set.governance.proposeWithLock(payload, address(this));
        }
        (bool exists,) = set.proposals.latestProposalOf(payload);
        vm.assertFalse(exists);
        _win(payload, 1);
        _toRound(2);
        set.proposals.pushProposal(1);
        (, uint256 id) = set.proposals.latestProposalOf(payload);
        vm.assertEq(id, locks);
    }

    /// @dev A payload whose actions cannot be read wins rounds but becomes no proposal, and marks nothing.
    function testFuzz_push_aPayloadThatCannotBeReadStaysOut(bytes memory answer, bool fails) public {
        if (answer.length >= 64) fails = true;
        address unreadable = address(new RawAnswer(answer, fails));
        _win(unreadable, 1);
        _toRound(2);
        vm.expectRevert(abi.encodeWithSelector(IGovernance.Governance__UnreadableActions.selector, unreadable));
        set.proposals.pushProposal(1);
        (,, bool executed) = set.proposals.rounds(address(set.rollup), 1);
        vm.assertFalse(executed);
        vm.assertEq(set.governance.proposalCount(), 0);
    }

    /// @dev Once Governance listens to another Proposals, this one can push nothing, and lists nothing.
    function test_pushableRounds_noneOnceProposalsWasReplaced() public {
        _win(payload, 1);
        _toRound(2);
        address successor =
            vm.deployCode(SetLib.artifact("Proposals"), abi.encode(set.registry, SetLib.N, SetLib.M));
        vm.prank(address(set.governance));
        set.governance.updateGovernanceProposer(successor);
        vm.expectRevert(
            abi.encodeWithSelector(
                IGovernance.Governance__NotGovernanceProposer.selector, address(set.proposals), successor
            )
        );
        set.proposals.pushProposal(1);
        vm.assertEq(set.proposals.pushableRounds().length, 0, "listed, but not accepted");
    }

    /// @dev The dropped proposal of a Proposals that was replaced and put back doesn't stop a new one.
    function test_push_afterProposalsWasPutBack() public {
        _win(payload, 1);
        _toRound(2);
        set.proposals.pushProposal(1);
        address successor =
            vm.deployCode(SetLib.artifact("Proposals"), abi.encode(set.registry, SetLib.N, SetLib.M));
        vm.startPrank(address(set.governance));
        set.governance.updateGovernanceProposer(successor);
        set.governance.updateGovernanceProposer(address(set.proposals));
        vm.stopPrank();
        vm.assertEq(uint256(set.governance.getProposalState(0)), uint256(ProposalState.Dropped));
        _win(payload, 2);
        _toRound(3);
        set.proposals.pushProposal(2);
        (, uint256 id) = set.proposals.latestProposalOf(payload);
        vm.assertEq(id, 1);
    }

    /// @dev After a real upgrade the new rollup's round 0 is its own, while it has no sequencers nobody signals.
    function test_upgrade_theNewRollupsFirstRounds() public {
        _win(payload, 1);
        IRollup next = SetLib.rollup(set);
        vm.prank(address(set.governance));
        set.registry.upgrade(address(next));
        vm.assertEq(set.proposals.getCurrentRound(), 0);
        vm.assertEq(set.proposals.pushableRounds().length, 0);
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__NoProposer.selector, 0));
        set.proposals.vote(payload);
        vm.warp(_now() + ROUND_SECONDS);
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__RoundNotOver.selector, 1, 1));
        set.proposals.pushProposal(1);
    }

    function _now() internal view returns (uint256) {
        return vm.getBlockTimestamp();
    }
}
