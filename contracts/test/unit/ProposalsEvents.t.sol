// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {IRegistry} from "canon/interfaces/IRegistry.sol";
import {Vm} from "../Vm.sol";
import {ScriptedRollup} from "../mocks/ScriptedRollup.sol";
import {ProposalsBase} from "./ProposalsBase.t.sol";

/// @notice The state of Proposals rebuilt from its events and those of Registry and Governance alone.
/// @dev The rollup's slots have nothing to do with time here, so that no clock helps.
contract ProposalsEventsTest is ProposalsBase {
    struct Known {
        uint256 lastVote;
        address leader;
        uint256 leaderCount;
        bool pushed;
        uint256 id;
    }

    uint256 private constant PAYLOADS = 3;

    address[] internal instances;
    mapping(address instance => mapping(uint256 round => Known)) internal known;
    mapping(address instance => mapping(uint256 round => mapping(address payload => uint256))) internal counts;
    mapping(address instance => mapping(uint256 round => mapping(address payload => bytes32))) internal pins;
    mapping(address instance => uint256) internal nextSlot;
    mapping(address payload => uint256) internal nextId;
    uint256 internal highestRound;

    /// What was read last.
    uint256 internal slotRead;
    bytes32 internal pinRead;
    address internal pushedIn;
    uint256 internal pushedRound;

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_state_isRebuiltFromEvents(uint256 seed) public {
        instances.push(address(rollup));
        for (uint256 step; step < 60; ++step) {
            seed = uint256(keccak256(abi.encode(seed)));
            vm.recordLogs();
            _act(seed);
            Vm.Log[] memory logs = vm.getRecordedLogs();
            for (uint256 i; i < logs.length; ++i) {
                _replay(logs[i]);
            }
            if (step % 6 == 5) _compare();
        }
    }

    /// @dev A signal mostly; a push, a change of code, or another rollup sometimes.
    function _act(uint256 random) internal {
        uint256 kind = random % 20;
        address payload = _payload((random >> 8) % 5 < 4 ? 0 : (random >> 16) % PAYLOADS);
        uint256 slot = nextSlot[address(rollup)] + (random >> 24) % 3;
        if (kind == 0) {
            rollup = new ScriptedRollup();
            rollup.set(0, PROPOSER);
            governance.upgrade(registry, address(rollup));
        } else if (kind == 1) {
            vm.etch(payload, abi.encode(random));
        } else if (kind < 6) {
            // Pushes of rounds that are over; those that can't be pushed change nothing.
            _toRound(slot / M + 1);
            uint256 round = slot / M;
            if (governance.proposalCount() != 0) {
                governance.setState(governance.proposalCount() - 1, ProposalState.Executed);
            }
            (bool success,) = address(proposals).call(abi.encodeCall(IProposals.pushProposal, (round)));
            if (!success) vm.recordLogs();
        } else {
            _signal(payload, slot);
        }
    }

    function _replay(Vm.Log memory log) internal {
        bytes32 topic = log.topics[0];
        address instance = instances[instances.length - 1];
        if (log.emitter == address(registry)) {
            vm.assertEq(topic, IRegistry.InstanceAdded.selector);
            instances.push(address(uint160(uint256(log.topics[1]))));
        } else if (topic == IProposals.PayloadSeen.selector) {
            pinRead = abi.decode(log.data, (bytes32));
        } else if (topic == IProposals.SlotUsed.selector) {
            slotRead = abi.decode(log.data, (uint256));
        } else if (topic == IProposals.VoteCast.selector) {
            address payload = address(uint160(uint256(log.topics[1])));
            uint256 round = uint256(log.topics[2]);
            Known storage k = known[instance][round];
            uint256 count = ++counts[instance][round][payload];
            if (count == 1) pins[instance][round][payload] = pinRead;
            if (count > k.leaderCount) (k.leader, k.leaderCount) = (payload, count);
            k.lastVote = slotRead;
            nextSlot[instance] = slotRead + 1;
            if (round > highestRound) highestRound = round;
        } else if (topic == IProposals.ProposalPushed.selector) {
            (pushedIn, pushedRound) = (instance, uint256(log.topics[2]));
            known[instance][pushedRound].pushed = true;
        } else if (topic == IGovernance.Proposed.selector) {
            known[pushedIn][pushedRound].id = uint256(log.topics[1]);
            nextId[address(uint160(uint256(log.topics[2])))] = uint256(log.topics[1]) + 1;
        } else {
            vm.assertEq(topic, IProposals.QuorumReached.selector);
        }
    }

    function _compare() internal {
        for (uint256 i; i < instances.length; ++i) {
            address instance = instances[i];
            uint256 next = nextSlot[instance];
            _assertNewest(instance, next != 0, next == 0 ? 0 : next - 1);
            for (uint256 round; round <= highestRound; ++round) {
                Known memory k = known[instance][round];
                _assertRound(instance, round, k.lastVote, k.leader, k.pushed);
                (bool exists, uint256 id) = proposals.proposalOf(instance, round);
                vm.assertEq(exists, k.pushed);
                vm.assertEq(id, k.id);
                for (uint256 j; j < PAYLOADS; ++j) {
                    address payload = _payload(j);
                    vm.assertEq(proposals.yeaCount(instance, round, payload), counts[instance][round][payload]);
                    bytes32 pin = proposals.pinnedCodeHash(instance, round, payload);
                    vm.assertEq(pin >> 32, pins[instance][round][payload] >> 32);
                }
            }
        }
        for (uint256 j; j < PAYLOADS; ++j) {
            (bool exists, uint256 id) = proposals.latestProposalOf(_payload(j));
            uint256 next = nextId[_payload(j)];
            vm.assertEq(exists, next != 0);
            vm.assertEq(id, next == 0 ? 0 : next - 1);
        }
    }
}
