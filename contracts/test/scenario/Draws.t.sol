// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IProposals} from "canon/interfaces/IProposals.sol";
import {IRollup} from "canon/interfaces/IRollup.sol";
import {SetLib} from "../Set.sol";
import {Scenario} from "./Scenario.sol";

/// @notice Who proposes which slot: slot 0, no stakers, idle rollups, and attempts to redraw.
contract DrawsTest is Scenario {
    address internal payload;

    function setUp() public override {
        super.setUp();
        payload = _boxPayload(1);
    }

    /// @dev The proposers of the rest of this epoch and of the next one.
    function _draws(IRollup instance, uint256 epoch) internal view returns (address[] memory proposers) {
        proposers = new address[](SetLib.EPOCH);
        for (uint256 i; i < SetLib.EPOCH; ++i) {
            proposers[i] = instance.getProposerAt(instance.getTimestampForSlot(epoch * SetLib.EPOCH + i));
        }
    }

    function _assertSeed(uint256 epoch, bool recorded, uint256 seed) internal view {
        (bool foundRecorded, uint256 found) = rollup.getSeed(epoch);
        vm.assertEq(foundRecorded, recorded, "a seed was recorded");
        vm.assertEq(found, seed, "seed");
    }

    function _leave(IRollup instance, uint256 i) internal {
        vm.prank(_withdrawer(i));
        instance.initiateWithdraw(_attester(i), treasury);
    }

    function test_draws_slotZeroHasNoProposerSinceTheSetIsEmpty() public {
        IRollup fresh = SetLib.rollup(set);
        _stakeAll(fresh);
        vm.assertEq(fresh.getCurrentSlot(), 0);
        vm.assertEq(fresh.getCurrentProposer(), address(0));
        vm.assertEq(fresh.getSetSize(0), 0);
        vm.assertEq(fresh.getSetSize(1), 0);
        vm.prank(address(governance));
        registry.upgrade(address(fresh));
        _expectRevert(abi.encodeWithSelector(IProposals.Proposals__NoProposer.selector, 0));
        vm.prank(address(0));
        proposals.vote(payload);
    }

    function test_draws_withoutStakersNobodySignals() public {
        IRollup fresh = SetLib.rollup(set);
        vm.prank(address(governance));
        registry.upgrade(address(fresh));
        for (uint256 epoch = 1; epoch < 6; ++epoch) {
            _toSlot(fresh, epoch * SetLib.EPOCH + 1);
            fresh.setupEpoch();
            // A seed without a set has no proposer.
            (bool recorded,) = fresh.getSeed(epoch);
            vm.assertEq(recorded, epoch > 1);
            vm.assertEq(fresh.getCurrentProposer(), address(0));
            _expectRevert(
                abi.encodeWithSelector(IProposals.Proposals__NoProposer.selector, fresh.getCurrentSlot())
            );
            vm.prank(alice);
            proposals.vote(payload);
            // A failed signal uses no slot.
            (bool exists,) = proposals.newestSlot(address(fresh));
            vm.assertFalse(exists);
        }
    }

    function test_draws_whenEverybodyLeftTheLastSetServesTwoMoreEpochs() public {
        for (uint256 i; i < ATTESTERS; ++i) _leave(rollup, i);
        uint256 epoch = rollup.getCurrentEpoch();
        vm.assertEq(rollup.getActiveAttesterCount(), 0);
        vm.assertEq(rollup.getSetSize(epoch), ATTESTERS);
        vm.assertEq(rollup.getSetSize(epoch + 1), ATTESTERS);
        _toEpoch(rollup, epoch + 1);
        vm.assertNotEq(uint256(uint160(rollup.getCurrentProposer())), 0);
        vm.assertEq(rollup.getSetSize(epoch + 2), 0);
        _toEpoch(rollup, epoch + 2);
        (bool recorded,) = rollup.getSeed(epoch + 2);
        vm.assertTrue(recorded);
        vm.assertEq(rollup.getCurrentProposer(), address(0));
    }

    function test_draws_aSingleStakerProposesEverySlotAndPushesAlone() public {
        for (uint256 i = 1; i < ATTESTERS; ++i) _leave(rollup, i);
        _toEpoch(rollup, rollup.getCurrentEpoch() + 2);
        address only = addressOf("proposer 0");
        _toNextRound(rollup);
        uint256 round = rollup.getCurrentSlot() / SetLib.M;
        for (uint256 i; i < SetLib.M; ++i) {
            _toSlot(rollup, round * SetLib.M + i);
            vm.assertEq(rollup.getCurrentProposer(), only);
            if (i < SetLib.N) _signal(rollup, payload);
        }
        _toNextRound(rollup);
        // Signals are a filter, not a majority.
        _push(round);
    }

    /// @dev Nobody calls for two epochs or more: nobody proposes, nobody signals, and nobody can do anything about it
    /// in that epoch.
    function testFuzz_draws_aSilenceEndsSignaling(uint256 epochs, uint256 second, bytes32 random) public {
        uint256 epoch = rollup.getCurrentEpoch() + bound(epochs, 2, 100);
        uint256 start = rollup.getTimestampForSlot(epoch * SetLib.EPOCH);
        _toInSilence(start + bound(second, 0, EPOCH - 1));
        _assertSeed(epoch, false, 0);
        _assertSeed(epoch + 1, false, 0);
        vm.assertEq(rollup.getSetSize(epoch), ATTESTERS);
        vm.prevrandao(random);
        rollup.setupEpoch();
        _assertSeed(epoch, false, 0);
        uint256 slot = rollup.getCurrentSlot();
        for (uint256 i; i < ATTESTERS; ++i) {
            address proposer = addressOf(string.concat("proposer ", vm.toString(i)));
            _expectRevert(abi.encodeWithSelector(IProposals.Proposals__NoProposer.selector, slot));
            vm.prank(proposer);
            proposals.vote(payload);
            _expectRevert(abi.encodeWithSelector(IRollup.Rollup__NotProposer.selector, proposer, address(0)));
            vm.prank(proposer);
            rollup.proposeBlock("block");
        }
        (bool exists,) = proposals.newestSlot(address(rollup));
        vm.assertFalse(exists);
    }

    /// @dev One `setupEpoch` brings signals back in the next epoch, and one an epoch keeps them.
    function testFuzz_draws_signalingComesBackAfterASilence(uint256 epochs, bytes32 random) public {
        uint256 epoch = rollup.getCurrentEpoch() + bound(epochs, 2, 100);
        _toInSilence(rollup.getTimestampForSlot(epoch * SetLib.EPOCH + 1));
        vm.prevrandao(random);
        rollup.setupEpoch();
        _assertSeed(epoch + 1, true, uint256(random));
        address[] memory coming = _draws(rollup, epoch + 1);
        _toInSilence(rollup.getTimestampForSlot((epoch + 1) * SetLib.EPOCH));
        for (uint256 i; i < SetLib.EPOCH; ++i) {
            uint256 slot = (epoch + 1) * SetLib.EPOCH + i;
            _toInSilence(rollup.getTimestampForSlot(slot));
            (, address expected) =
                rollup.getMember(epoch + 1, uint256(keccak256(abi.encode(random, slot))) % ATTESTERS);
            vm.assertEq(coming[i], expected);
            vm.assertEq(rollup.getCurrentProposer(), expected);
            _signal(rollup, payload);
        }
        // Signals don't keep it alive by themselves: they change Proposals, not the rollup.
        _toInSilence(rollup.getTimestampForSlot((epoch + 2) * SetLib.EPOCH));
        vm.assertEq(rollup.getCurrentProposer(), address(0));
        _toInSilence(_now() + SetLib.SLOT);
        rollup.setupEpoch();
        _toEpoch(rollup, epoch + 3);
        _push(_win(payload));
    }

    /// @dev Blocks keep a rollup alive without anybody's `setupEpoch`, as long as one comes in each epoch after its
    /// first slot; a proposer who lets the last of them out ends signals and blocks of the next epoch.
    function test_draws_blocksKeepARollupAlive() public {
        uint256 epoch = rollup.getCurrentEpoch();
        for (uint256 i; i < 10; ++i) {
            _toInSilence(rollup.getTimestampForSlot((epoch + i) * SetLib.EPOCH + 1 + i % 3));
            address proposer = rollup.getCurrentProposer();
            vm.assertNotEq(proposer, address(0));
            vm.prank(proposer);
            rollup.proposeBlock("block");
        }
        // Blocks in first slots alone don't.
        _toInSilence(rollup.getTimestampForSlot((epoch + 10) * SetLib.EPOCH));
        address first = rollup.getCurrentProposer();
        vm.prank(first);
        rollup.proposeBlock("block");
        _toInSilence(rollup.getTimestampForSlot((epoch + 11) * SetLib.EPOCH));
        vm.assertEq(rollup.getCurrentProposer(), address(0));
    }

    /// @dev Attack: join and leave until the draw suits the attacker.
    function testFuzz_draws_joiningAndLeavingRedrawsNothing(uint256 seed, uint256 steps) public {
        uint256 epoch = rollup.getCurrentEpoch();
        _toSlot(rollup, epoch * SetLib.EPOCH + 1);
        vm.prevrandao(bytes32(seed));
        rollup.setupEpoch();
        address[] memory present = _draws(rollup, epoch);
        address[] memory coming = _draws(rollup, epoch + 1);
        vm.assertNotEq(coming[0], address(0));
        steps = bound(steps, 1, 20);
        for (uint256 i; i < steps; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            vm.prevrandao(bytes32(seed));
            uint256 who = seed % (2 * ATTESTERS);
            (uint256 stake,,,) = rollup.getInfo(_attester(who));
            (uint256 exitableAt,) = rollup.getExit(_attester(who));
            if (stake == 0) _stake(rollup, who);
            else if (exitableAt == 0) _leave(rollup, who);
            vm.assertEq(_draws(rollup, epoch), present);
            vm.assertEq(_draws(rollup, epoch + 1), coming);
        }
        _toEpoch(rollup, epoch + 1);
        vm.assertEq(_draws(rollup, epoch + 1), coming);
        rollup.setupEpoch();
        vm.assertEq(_draws(rollup, epoch + 1), coming);
    }

    /// @dev The last caller before the seed knows the set already, the first caller in the next epoch can't choose it.
    function testFuzz_draws_theSetIsClosedBeforeItsSeedIsKnown(bytes32 random, bytes32 other) public {
        uint256 epoch = rollup.getCurrentEpoch() + 1;
        _toEpoch(rollup, epoch);
        uint256 size = rollup.getSetSize(epoch + 1);
        // In the first slot nothing is recorded, and it is too late to join as well.
        vm.prevrandao(other);
        _stake(rollup, ATTESTERS);
        vm.assertEq(rollup.getSetSize(epoch + 1), size);
        _assertSeed(epoch + 1, false, 0);
        _toSlot(rollup, epoch * SetLib.EPOCH + 1);
        vm.prevrandao(random);
        // Joining is itself the call that records the seed: the joiner isn't in the set that it draws from.
        _stake(rollup, ATTESTERS + 1);
        vm.assertEq(rollup.getSetSize(epoch + 1), size);
        _assertSeed(epoch + 1, true, uint256(random));
        vm.prevrandao(other);
        _stake(rollup, ATTESTERS + 2);
        _assertSeed(epoch + 1, true, uint256(random));
        vm.assertEq(rollup.getSetSize(epoch + 1), size);
        _toEpoch(rollup, epoch + 1);
        vm.assertEq(rollup.getSetSize(epoch + 2), size + 3);
    }

    /// @dev A finished move frees the attester at once, while its seat still draws in this epoch and the next.
    function testFuzz_draws_returningWithOtherKeysDoesNotChangeAClosedSet(uint256 i, address proposer) public {
        vm.assume(proposer != address(0));
        i = bound(i, 0, ATTESTERS - 1);
        IRollup next = SetLib.rollup(set);
        vm.prank(_withdrawer(i));
        rollup.initiateMove(_attester(i), address(next));
        vm.prank(address(governance));
        registry.upgrade(address(next));
        // A slot later, so that seeds are recorded.
        _toSlot(rollup, rollup.getSlotAt(_now() + SetLib.EXIT_DELAY) + 1);
        rollup.setupEpoch();
        uint256 epoch = rollup.getCurrentEpoch();
        address[] memory present = _draws(rollup, epoch);
        address[] memory coming = _draws(rollup, epoch + 1);

        rollup.finaliseMove(_attester(i));
        _stake(rollup, _attester(i), proposer, _withdrawer(i));
        (,, address registered,) = rollup.getInfo(_attester(i));
        vm.assertEq(registered, proposer);
        vm.assertEq(_draws(rollup, epoch), present);
        vm.assertEq(_draws(rollup, epoch + 1), coming);
        _toEpoch(rollup, epoch + 1);
        vm.assertEq(_draws(rollup, epoch + 1), coming);
    }

    function testFuzz_draws_everySlotHasOneProposerAllThroughIt(uint256 slot, uint256 second) public {
        slot = bound(slot, rollup.getCurrentSlot() + 1, rollup.getCurrentSlot() + 100);
        _toSlot(rollup, slot);
        address proposer = rollup.getCurrentProposer();
        _to(_now() + bound(second, 0, SetLib.SLOT - 1));
        rollup.setupEpoch();
        vm.assertEq(rollup.getCurrentProposer(), proposer);
        _signal(rollup, payload);
        vm.assertEq(rollup.getCurrentProposer(), proposer);
        (bool exists, uint256 used) = proposals.newestSlot(address(rollup));
        vm.assertTrue(exists);
        vm.assertEq(used, slot);
    }
}
