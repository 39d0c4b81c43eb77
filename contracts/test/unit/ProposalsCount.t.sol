// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IProposals} from "canon/interfaces/IProposals.sol";
import {SetLib} from "../Set.sol";
import {Vm} from "../Vm.sol";
import {ScriptedRegistry} from "../mocks/ScriptedRegistry.sol";
import {ScriptedRollup} from "../mocks/ScriptedRollup.sol";
import {ProposalsBase} from "./ProposalsBase.t.sol";

/// @notice Rounds compared with a model that counts every payload of every round of every rollup by itself.
contract ProposalsCountTest is ProposalsBase {
    struct Round {
        uint256 lastVote;
        address leader;
        uint256 leaderCount;
        uint256 quorums;
    }

    uint256 private constant PAYLOADS = 4;
    uint256 private constant ROLLUPS = 3;

    ScriptedRegistry internal scripted;
    ScriptedRollup[ROLLUPS] internal rollups;
    uint256 internal n;
    uint256 internal m;

    mapping(address instance => mapping(uint256 round => Round)) internal model;
    mapping(address instance => mapping(uint256 round => mapping(address payload => uint256))) internal counts;
    mapping(address instance => uint256) internal nextSlot;
    /// Every round of an instance in which there was a signal.
    mapping(address instance => uint256[]) internal seen;

    function setUp() public override {
        super.setUp();
        scripted = new ScriptedRegistry();
        for (uint256 i; i < ROLLUPS; ++i) {
            rollups[i] = _newRollup();
        }
    }

    function _begin(uint256 n_, uint256 m_) internal {
        m = bound(m_, 2, 24);
        n = bound(n_, m / 2 + 1, m);
        proposals = IProposals(vm.deployCode(SetLib.artifact("Proposals"), abi.encode(scripted, n, m)));
    }

    /// @dev Random signals for random payloads, mostly in the next slots, sometimes in another round, in slots already
    /// used, or in another rollup.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_rounds_areThoseOfTheModel(uint256 seed, uint256 n_, uint256 m_) public {
        _begin(n_, m_);
        for (uint256 step; step < 70; ++step) {
            seed = uint256(keccak256(abi.encode(seed)));
            ScriptedRollup instance = rollups[seed % 100 < 80 ? 0 : seed % ROLLUPS];
            uint256 kind = (seed >> 8) % 16;
            uint256 next = nextSlot[address(instance)];
            uint256 slot = kind < 11
                ? next
                : kind < 13
                    ? next + (seed >> 16) % 4
                    : kind < 14
                        ? next + (seed >> 16) % (3 * m)
                        : kind < 15 ? next + (seed >> 16) % (100 * m) : next == 0 ? 0 : (seed >> 16) % next;
            // Mostly two payloads that take turns, so that the leader changes often.
            uint256 payload = (seed >> 64) % 8 < 7 ? (seed >> 72) % 2 : (seed >> 72) % PAYLOADS;
            _signalAndCompare(instance, slot, _payload(payload));
            _compareAll(seed >> 96);
        }
    }

    /// @dev One round filled to its last slot: the counts add up to its slots, at most one payload reaches N.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_fullRound_hasAtMostOneWinner(uint256 seed, uint256 n_, uint256 m_, uint256 round) public {
        _begin(n_, m_);
        round = bound(round, 0, 1_000_000);
        for (uint256 i; i < m; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _signalAndCompare(rollups[0], round * m + i, _payload(seed % PAYLOADS));
        }
        uint256 sum;
        uint256 winners;
        for (uint256 i; i < PAYLOADS; ++i) {
            uint256 count = proposals.yeaCount(address(rollups[0]), round, _payload(i));
            sum += count;
            if (count >= n) ++winners;
        }
        vm.assertEq(sum, m);
        vm.assertLe(winners, 1);
        vm.assertEq(model[address(rollups[0])][round].quorums, winners);
    }

    /// @dev The leader changes on a strictly greater count only: whoever got there first stays at a tie.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_leader_staysAtATie(uint256 rivals, uint256 height) public {
        rivals = bound(rivals, 1, PAYLOADS - 1);
        height = bound(height, 1, 5);
        _begin(13, 24);
        uint256 slot;
        for (uint256 i; i <= rivals; ++i) {
            for (uint256 j; j < height; ++j) {
                _signalAndCompare(rollups[0], slot++, _payload(i));
            }
            (, address leader,) = proposals.rounds(address(rollups[0]), 0);
            vm.assertEq(leader, _payload(0));
        }
        _signalAndCompare(rollups[0], slot, _payload(rivals));
        (, address next,) = proposals.rounds(address(rollups[0]), 0);
        vm.assertEq(next, _payload(rivals));
    }

    /// @dev Two payloads that overtake each other with every second signal.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_leader_changesBackAndForth(uint256 m_, uint256 start) public {
        _begin(type(uint256).max, m_);
        start = bound(start, 0, 1_000_000) * m;
        uint256[4] memory order = [uint256(0), 1, 1, 0];
        for (uint256 i; i < m; ++i) {
            _signalAndCompare(rollups[0], start + i, _payload(order[i % 4]));
        }
        _compareAll(start);
    }

    /// @dev A payload that led once, fell back, and is signaled for only in a later round begins from zero there.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_rounds_beginFromZero(uint256 gap, uint256 first, uint256 second) public {
        _begin(6, 10);
        first = bound(first, 1, 10);
        second = bound(second, 1, 10);
        gap = bound(gap, 1, 1_000_000);
        for (uint256 i; i < first; ++i) {
            _signalAndCompare(rollups[0], i, _payload(0));
        }
        for (uint256 i; i < second; ++i) {
            _signalAndCompare(rollups[0], gap * m + i, _payload(0));
        }
        vm.assertEq(proposals.yeaCount(address(rollups[0]), 0, _payload(0)), first);
        vm.assertEq(proposals.yeaCount(address(rollups[0]), gap, _payload(0)), second);
    }

    function _signalAndCompare(ScriptedRollup instance, uint256 slot, address payload) internal {
        scripted.set(address(instance), address(governance));
        instance.set(slot, PROPOSER);
        uint256 next = nextSlot[address(instance)];
        if (slot < next) {
            vm.prank(PROPOSER);
            vm.expectRevert(
                abi.encodeWithSelector(IProposals.Proposals__SlotAlreadyUsed.selector, slot, next - 1)
            );
            proposals.vote(payload);
            return;
        }
        vm.recordLogs();
        vm.prank(PROPOSER);
        proposals.vote(payload);
        Vm.Log[] memory logs = vm.getRecordedLogs();

        uint256 round = slot / m;
        Round storage r = model[address(instance)][round];
        uint256 count = ++counts[address(instance)][round][payload];
        if (r.leader == address(0)) seen[address(instance)].push(round);
        if (count > r.leaderCount) {
            r.leader = payload;
            r.leaderCount = count;
        }
        r.lastVote = slot;
        nextSlot[address(instance)] = slot + 1;

        // The events, all of them, in order.
        uint256 at;
        if (count == 1) {
            _assertLog(logs[at++], IProposals.PayloadSeen.selector, payload);
        }
        vm.assertEq(logs[at].topics[0], IProposals.SlotUsed.selector);
        vm.assertEq(abi.decode(logs[at++].data, (uint256)), slot);
        _assertLog(logs[at], IProposals.VoteCast.selector, payload);
        vm.assertEq(uint256(logs[at].topics[2]), round);
        vm.assertEq(address(uint160(uint256(logs[at++].topics[3]))), PROPOSER);
        if (count == n) {
            ++r.quorums;
            _assertLog(logs[at], IProposals.QuorumReached.selector, payload);
            vm.assertEq(uint256(logs[at++].topics[2]), round);
        }
        vm.assertEq(logs.length, at);
        vm.assertLe(r.quorums, 1);
        _compareRound(address(instance), round);
    }

    function _assertLog(Vm.Log memory log, bytes32 topic, address payload) internal view {
        vm.assertEq(log.emitter, address(proposals));
        vm.assertEq(log.topics[0], topic);
        vm.assertEq(address(uint160(uint256(log.topics[1]))), payload);
    }

    /// @dev The canonical rollup's status, and any earlier round of any rollup.
    function _compareAll(uint256 random) internal {
        for (uint256 i; i < ROLLUPS; ++i) {
            address instance = address(rollups[i]);
            uint256 next = nextSlot[instance];
            _assertNewest(instance, next != 0, next == 0 ? 0 : next - 1);
            if (seen[instance].length == 0) continue;
            _compareRound(instance, seen[instance][random % seen[instance].length]);
        }
        address canonical = scripted.getRollup();
        (uint256 slot, uint256 round, address leader, uint256 count, uint256 free) = proposals.currentStatus();
        Round memory expected = model[canonical][round];
        vm.assertEq(slot, nextSlot[canonical] - 1);
        vm.assertEq(round, slot / m);
        vm.assertEq(leader, expected.leader);
        vm.assertEq(count, expected.leaderCount);
        vm.assertEq(free, slot + 1);
        vm.assertEq(proposals.getCurrentRound(), round);
    }

    function _compareRound(address instance, uint256 round) internal {
        Round memory expected = model[instance][round];
        _assertRound(instance, round, expected.lastVote, expected.leader, false);
        for (uint256 i; i < PAYLOADS; ++i) {
            address payload = _payload(i);
            vm.assertEq(
                proposals.yeaCount(instance, round, payload), counts[instance][round][payload], "signals of a payload"
            );
        }
        vm.assertLe(expected.leaderCount, m);
    }
}
