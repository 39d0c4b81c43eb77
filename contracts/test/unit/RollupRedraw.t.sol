// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IRollup, Status} from "canon/interfaces/IRollup.sol";
import {SetLib} from "../Set.sol";
import {RollupBase} from "./RollupBase.t.sol";

/// @notice Attempts to get more slots than one's share by joining, leaving, and joining again.
contract RollupRedrawTest is RollupBase {
    uint256 private constant HONEST = 9;
    uint256 private constant EPOCHS = 80;

    /// @dev Identities of the attacker have numbers from here on.
    uint256 private constant ATTACKER = 500;

    /// @dev Exactly: whatever anybody does in an epoch once its next seed is known, the slots of this epoch and of the
    /// next go to whom they would have gone.
    function testFuzz_redraw_changesNothingOnceTheSeedIsKnown(uint256 seed, uint256 epoch, uint256 actions) public {
        epoch = bound(epoch, 3, 500);
        actions = bound(actions, 1, 10);
        _joinMany(HONEST);
        for (uint256 i; i < 3; ++i) {
            _join(ATTACKER + i);
        }
        _toSeededEpoch(epoch);
        _toSecondSlot(epoch);
        vm.prevrandao(bytes32(seed));
        rollup.setupEpoch();
        uint256 closedSeed = seed;
        bytes32 closedSet = _setHash(epoch + 1);
        address[] memory now_ = _draws(epoch);
        address[] memory then = _draws(epoch + 1);

        for (uint256 i; i < actions; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            vm.prevrandao(bytes32(seed));
            vm.warp(_startOf(epoch) + SetLib.SLOT + (EPOCH_SECONDS - SetLib.SLOT - 1) * i / actions);
            _disturb(seed, i);
            _assertSeed(epoch + 1, true, closedSeed);
            vm.assertEq(_setHash(epoch + 1), closedSet);
            vm.assertEq(_draws(epoch), now_);
            vm.assertEq(_draws(epoch + 1), then);
        }
        _toEpoch(epoch + 1);
        vm.assertEq(_draws(epoch + 1), then);
    }

    /// @dev The set is closed before its seed: whoever makes the first call of an epoch, by whatever function, chooses
    /// neither the set that the seed will draw from nor, by the choice of the function, the seed. Nor does who knows
    /// the seed a block before it is recorded and acts in the first slot.
    function testFuzz_redraw_theFirstCallCannotChooseTheSet(uint256 seed, uint256 epoch, uint256 which, bool early)
        public
    {
        epoch = bound(epoch, 3, 500);
        which = bound(which, 1, 3);
        _joinMany(HONEST);
        _join(ATTACKER);
        _toEpoch(epoch);
        vm.prevrandao(bytes32(seed));
        uint256 snapshot = vm.snapshotState();
        _toSecondSlot(epoch);
        rollup.setupEpoch();
        address[] memory honest = _draws(epoch + 1);
        vm.revertToState(snapshot);
        if (!early) _toSecondSlot(epoch);
        if (which == 1) _join(ATTACKER + 1);
        if (which == 2) _leave(ATTACKER);
        if (which == 3) _slash(0, 1);
        if (early) {
            _toSecondSlot(epoch);
            rollup.setupEpoch();
        }
        vm.assertEq(_draws(epoch + 1), honest);
        vm.assertNotEq(honest[0], address(0));
    }

    /// @dev Leaving and joining again with other keys leaves the seats of closed sets to the former keys.
    function testFuzz_rejoin_withAnotherProposerChangesNoClosedSet(uint256 gap, uint256 others) public {
        others = bound(others, 0, 6);
        gap = bound(gap, 0, EPOCH_SECONDS - 1);
        _joinMany(others);
        _join(ATTACKER);
        _toEpoch(4);
        _leave(ATTACKER);
        vm.warp(_startOf(4) + EXIT_DELAY + gap);
        rollup.finaliseWithdraw(_attester(ATTACKER));
        // Two epochs later its former seat is gone; within them, another attester's stays.
        if (others != 0) _leave(0);
        rollup.deposit(_attester(ATTACKER), address(0xBADD), address(0xBADE), STAKE);
        (,, address proposer,) = rollup.getInfo(_attester(ATTACKER));
        vm.assertEq(proposer, address(0xBADD));
        for (uint256 epoch = 6; epoch < 8; ++epoch) {
            vm.assertEq(rollup.getSetSize(epoch), others);
            for (uint256 i; i < others; ++i) {
                (address attester, address member) = rollup.getMember(epoch, i);
                vm.assertNotEq(attester, _attester(ATTACKER));
                vm.assertNotEq(member, address(0xBADD));
            }
        }
        _toEpoch(8);
        vm.assertEq(_seatsOf(8, address(0xBADD)), 1);
        vm.assertEq(_seatsOf(8, _proposer(ATTACKER)), 0);
        vm.assertEq(_seatsOf(8, _proposer(0)), 0);
    }

    /// @dev A slashed-out attester that exits and joins again within the time its old seat is still drawn: the old
    /// seat keeps the old proposer. Needs an exit in less than two epochs, so a move away and a second rollup.
    function testFuzz_rejoin_afterAMoveTheOldSeatKeepsItsProposer(uint256 second) public {
        IRollup next = SetLib.rollup(_parameters());
        _makeCanonical(address(next));
        _join(1);
        _move(1, address(next));
        _toSeededEpoch(4);
        vm.warp(_startOf(4) + bound(second, 0, EPOCH_SECONDS - 1));
        rollup.finaliseMove(_attester(1));
        rollup.deposit(_attester(1), address(0xBADD), address(0xBADE), STAKE);
        if (_now() < _startOf(4) + SetLib.SLOT) _toSecondSlot(4);
        rollup.setupEpoch();
        for (uint256 epoch = 4; epoch < 6; ++epoch) {
            (address attester, address proposer) = rollup.getMember(epoch, 0);
            vm.assertEq(attester, _attester(1));
            vm.assertEq(proposer, _proposer(1));
            address[] memory draws = _draws(epoch);
            for (uint256 i; i < draws.length; ++i) {
                vm.assertEq(draws[i], _proposer(1));
            }
        }
        _toEpoch(5);
        vm.assertEq(rollup.getCurrentProposer(), _proposer(1));
        vm.prank(_proposer(1));
        rollup.proposeBlock("still its duty");
        _toSeededEpoch(6);
        vm.assertEq(rollup.getCurrentProposer(), address(0xBADD));
    }

    /// @dev Any number of times within one epoch: what counts is what stood when the epoch before began.
    function testFuzz_rejoin_manyTimesWithinAnEpoch(uint256 times) public {
        times = bound(times, 1, 15);
        _joinMany(3);
        _toEpoch(3);
        for (uint256 i; i < times; ++i) {
            _join(ATTACKER + i);
            _leave(ATTACKER + i);
        }
        vm.assertEq(rollup.getActiveAttesterCount(), 3);
        for (uint256 epoch = 3; epoch < 7; ++epoch) {
            _toEpoch(epoch);
            vm.assertEq(rollup.getSetSize(epoch), 3);
            vm.assertEq(rollup.getSetSize(epoch + 1), 3);
            for (uint256 i; i < 3; ++i) {
                vm.assertEq(_seatsOf(epoch, _proposer(i)), 1);
            }
        }
    }

    /// @dev Statistically: who leaves whenever the next epoch draws none of its seats, and comes back under another
    /// name, gets its share of slots and no more. In each epoch the honest ones make the first call that
    /// records a seed.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_redraw_aGreedyAttackerGetsItsShare(uint256 seed) public {
        _joinMany(HONEST);
        uint256 identities = 3;
        for (uint256 i; i < 3; ++i) {
            _join(ATTACKER + i);
        }
        uint256 drawn;
        // Sums of p and of p * (1 - p) over all slots, in millionths: the fair share and its variance.
        uint256 fair;
        uint256 variance;
        for (uint256 epoch = 1; epoch < 2 + EPOCHS; ++epoch) {
            _toSecondSlot(epoch);
            vm.prevrandao(keccak256(abi.encode(seed, epoch)));
            rollup.setupEpoch();
            if (epoch == 1) continue;
            uint256 size = rollup.getSetSize(epoch);
            uint256 p = 1e6 * _attackersIn(epoch) / size;
            fair += SetLib.EPOCH * p;
            variance += SetLib.EPOCH * p * (1e6 - p) / 1e6;
            drawn += _attackersDrawn(epoch);
            if (_attackersDrawn(epoch + 1) == 0) identities = _replaceAll(identities);
        }
        uint256 distance = drawn * 1e6 > fair ? drawn * 1e6 - fair : fair - drawn * 1e6;
        // Five standard deviations.
        vm.assertLe(distance * distance / 1e6, 25 * variance, "more or less than its share");
    }

    /// @dev Every member is drawn about equally often: a chi-squared test over many slots.
    function testFuzz_draw_isUniform(uint256 seed, uint256 count) public {
        count = bound(count, 2, 16);
        _joinMany(count);
        uint256[] memory hits = new uint256[](count);
        uint256 epochs = 60;
        for (uint256 epoch = 1; epoch <= epochs; ++epoch) {
            _toSecondSlot(epoch);
            vm.prevrandao(keccak256(abi.encode(seed, epoch)));
            rollup.setupEpoch();
            if (epoch == 1) continue;
            address[] memory draws = _draws(epoch);
            for (uint256 i; i < draws.length; ++i) {
                ++hits[uint160(draws[i]) - uint160(_proposer(0))];
            }
        }
        uint256 samples = (epochs - 1) * SetLib.EPOCH;
        uint256 sum;
        for (uint256 i; i < count; ++i) {
            // (hits - expected)^2 / expected, with expected = samples / count, in thousandths.
            uint256 h = hits[i] * count;
            uint256 d = h > samples ? h - samples : samples - h;
            sum += 1000 * d * d / (samples * count);
        }
        // Far in the tail for up to 15 degrees of freedom: mean 15, standard deviation 5.5.
        vm.assertLe(sum, 60_000);
    }

    /// @dev Joins, leaves, slashes and moves, by attackers and others.
    function _disturb(uint256 seed, uint256 i) internal {
        uint256 who = seed % 3;
        (,,, Status status) = rollup.getInfo(_attester(ATTACKER + who));
        if (seed >> 128 & 1 == 0) _join(ATTACKER + 100 + i);
        else if (status == Status.Validating) _leave(ATTACKER + who);
        else rollup.setupEpoch();
        (,,, status) = rollup.getInfo(_attester(seed % HONEST));
        if (seed >> 64 & 3 == 0 && status == Status.Validating) _slash(seed % HONEST, 1);
    }

    /// @dev The attacker's present identities leave, as many new ones join.
    function _replaceAll(uint256 identities) internal returns (uint256) {
        for (uint256 i; i < 3; ++i) {
            _leave(ATTACKER + identities - 1 - i);
        }
        for (uint256 i; i < 3; ++i) {
            _join(ATTACKER + identities + i);
        }
        return identities + 3;
    }

    function _attackersDrawn(uint256 epoch) internal view returns (uint256 count) {
        address[] memory draws = _draws(epoch);
        for (uint256 i; i < draws.length; ++i) {
            if (draws[i] >= _proposer(ATTACKER)) ++count;
        }
    }

    function _attackersIn(uint256 epoch) internal view returns (uint256 count) {
        uint256 size = rollup.getSetSize(epoch);
        for (uint256 i; i < size; ++i) {
            (, address proposer) = rollup.getMember(epoch, i);
            if (proposer >= _proposer(ATTACKER)) ++count;
        }
    }

    function _seatsOf(uint256 epoch, address proposer) internal view returns (uint256 count) {
        uint256 size = rollup.getSetSize(epoch);
        for (uint256 i; i < size; ++i) {
            (, address found) = rollup.getMember(epoch, i);
            if (found == proposer) ++count;
        }
    }

    function _setHash(uint256 epoch) internal view returns (bytes32 hash) {
        uint256 size = rollup.getSetSize(epoch);
        for (uint256 i; i < size; ++i) {
            (address attester, address proposer) = rollup.getMember(epoch, i);
            hash = keccak256(abi.encode(hash, attester, proposer));
        }
    }
}
