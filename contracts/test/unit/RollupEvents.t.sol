// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IRollup, Status} from "canon/interfaces/IRollup.sol";
import {SetLib} from "../Set.sol";
import {Vm} from "../Vm.sol";
import {RollupBase} from "./RollupBase.t.sol";

/// @notice A rollup's state rebuilt from its events and the timestamps of their blocks.
contract RollupEventsTest is RollupBase {
    struct Known {
        uint256 stake;
        address withdrawer;
        address proposer;
        Status status;
        uint256 exitableAt;
        address recipient;
        address target;
        uint256 readyAt;
        address coinbase;
    }

    uint256 private constant POOL = 8;

    IRollup internal next;
    mapping(address attester => Known) internal known;
    address[] internal attesters;
    mapping(uint256 epoch => bool) internal isSeeded;
    mapping(uint256 epoch => uint256) internal seeds;
    uint256 internal registrations;
    uint256 internal blocks;
    uint256 internal lastSlot;

    function setUp() public override {
        super.setUp();
        next = SetLib.rollup(_parameters());
        _makeCanonical(address(next));
    }

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_state_isRebuiltFromEvents(uint256 seed) public {
        for (uint256 step; step < 60; ++step) {
            seed = uint256(keccak256(abi.encode(seed)));
            vm.warp(_now() + (seed >> 8) % (EPOCH_SECONDS / 2));
            vm.prevrandao(bytes32(seed));
            vm.recordLogs();
            _act(seed % POOL, seed >> 32);
            Vm.Log[] memory logs = vm.getRecordedLogs();
            for (uint256 i; i < logs.length; ++i) {
                if (logs[i].emitter == address(rollup)) _replay(logs[i]);
            }
            _compare();
        }
    }

    /// @dev Something that may or may not be possible now; what failed left no events.
    function _act(uint256 i, uint256 random) internal {
        uint256 op = random % 11;
        address attester = _attester(i);
        bytes memory data;
        address caller = _withdrawer(i);
        if (op < 3) {
            caller = address(this);
            data = abi.encodeCall(
                IRollup.deposit, (attester, _proposer(i), _withdrawer(i), STAKE + (random >> 8) % STAKE)
            );
        } else if (op == 3) {
            data = abi.encodeCall(IRollup.initiateWithdraw, (attester, _recipient(random >> 8 & 7)));
        } else if (op == 4) {
            data = abi.encodeCall(IRollup.finaliseWithdraw, (attester));
        } else if (op == 5) {
            data = abi.encodeCall(
                IRollup.initiateMove, (attester, random >> 8 & 1 == 0 ? address(next) : address(set.rollup))
            );
        } else if (op == 6) {
            data = _moveCall(attester);
        } else if (op == 10) {
            data = _moveCall(attester, address(uint160(random >> 64)));
        } else if (op == 7) {
            data = abi.encodeCall(IRollup.setCoinbase, (attester, _recipient(random >> 8 & 7)));
        } else if (op == 8) {
            caller = address(set.governance);
            data = abi.encodeCall(IRollup.slash, (attester, (random >> 8) % STAKE));
        } else {
            caller = rollup.getCurrentProposer();
            data = abi.encodeCall(IRollup.proposeBlock, (bytes32(random)));
        }
        vm.prank(caller);
        (bool success,) = address(rollup).call(data);
        // The recorder keeps what was reverted, too.
        if (!success) vm.recordLogs();
    }

    function _replay(Vm.Log memory log) internal {
        bytes32 topic = log.topics[0];
        if (topic == IRollup.SeedRecorded.selector) {
            uint256 epoch = uint256(log.topics[1]);
            vm.assertFalse(isSeeded[epoch], "a second seed");
            isSeeded[epoch] = true;
            seeds[epoch] = abi.decode(log.data, (uint256));
            return;
        }
        if (topic == IRollup.BlockProposed.selector) {
            blocks = uint256(log.topics[1]);
            lastSlot = uint256(log.topics[2]);
            return;
        }
        address attester = address(uint160(uint256(log.topics[1])));
        address second = log.topics.length > 2 ? address(uint160(uint256(log.topics[2]))) : address(0);
        Known storage k = known[attester];
        if (topic == IRollup.Deposit.selector) {
            k.stake = abi.decode(log.data, (uint256));
            k.proposer = second;
            k.withdrawer = address(uint160(uint256(log.topics[3])));
            k.status = Status.Validating;
            k.coinbase = second;
            attesters.push(attester);
            ++registrations;
        } else if (topic == IRollup.WithdrawInitiated.selector) {
            if (k.status == Status.Validating) _remove(attester);
            k.status = Status.Exiting;
            k.exitableAt = _now() + EXIT_DELAY;
            k.recipient = second;
            (k.target, k.readyAt) = (address(0), 0);
        } else if (topic == IRollup.WithdrawFinalised.selector) {
            delete known[attester];
        } else if (topic == IRollup.MoveInitiated.selector) {
            (k.target, k.readyAt) = (second, abi.decode(log.data, (uint256)));
        } else if (topic == IRollup.MoveFinalised.selector) {
            _remove(attester);
            vm.assertEq(second, k.target, "moved elsewhere");
            vm.assertEq(abi.decode(log.data, (uint256)), k.stake, "moved another amount");
            (,,, Status arrived) = IRollup(second).getInfo(address(uint160(uint256(log.topics[3]))));
            vm.assertEq(uint256(arrived), uint256(Status.Validating), "arrived under another attester");
            delete known[attester];
        } else if (topic == IRollup.CoinbaseSet.selector) {
            k.coinbase = second;
        } else if (topic == IRollup.Slashed.selector) {
            k.stake -= abi.decode(log.data, (uint256));
            if (k.status == Status.Validating && k.stake < STAKE) {
                _remove(attester);
                k.status = Status.Living;
                (k.target, k.readyAt) = (address(0), 0);
            }
        } else {
            revert("an event that says nothing of the state");
        }
    }

    /// @dev The last one takes the empty place.
    function _remove(address attester) internal {
        for (uint256 i; i < attesters.length; ++i) {
            if (attesters[i] != attester) continue;
            attesters[i] = attesters[attesters.length - 1];
            attesters.pop();
            return;
        }
        revert("not in the set");
    }

    function _compare() internal view {
        for (uint256 i; i < POOL; ++i) {
            address attester = _attester(i);
            Known storage k = known[attester];
            (uint256 stake, address withdrawer, address proposer, Status status) = rollup.getInfo(attester);
            vm.assertEq(stake, k.stake, "stake");
            vm.assertEq(withdrawer, k.withdrawer, "withdrawer");
            vm.assertEq(proposer, k.proposer, "proposer");
            vm.assertEq(uint256(status), uint256(k.status), "status");
            (uint256 exitableAt, address recipient) = rollup.getExit(attester);
            vm.assertEq(exitableAt, k.exitableAt, "exitableAt");
            vm.assertEq(recipient, k.recipient, "recipient");
            (address target, uint256 readyAt) = rollup.getMove(attester);
            vm.assertEq(target, k.target, "target");
            vm.assertEq(readyAt, k.readyAt, "readyAt");
            vm.assertEq(rollup.getCoinbase(attester), k.coinbase, "coinbase");
        }
        vm.assertEq(rollup.getAttesters(), attesters);
        vm.assertEq(rollup.registrationCount(), registrations, "registrations");
        vm.assertEq(rollup.blockNumber(), blocks, "blocks");
        (bool exists, uint256 slot) = rollup.lastBlockSlot();
        vm.assertEq(exists, blocks != 0);
        vm.assertEq(slot, lastSlot, "last slot");
        uint256 epoch = rollup.getCurrentEpoch();
        _assertSeed(epoch, isSeeded[epoch], seeds[epoch]);
        _assertSeed(epoch + 1, isSeeded[epoch + 1], seeds[epoch + 1]);
    }
}
