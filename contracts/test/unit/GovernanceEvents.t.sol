// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Configuration, IGovernance, ProposalState, Withdrawal} from "canon/interfaces/IGovernance.sol";
import {SetLib} from "../Set.sol";
import {BallotMessage, TypedData} from "../TypedData.sol";
import {GovernanceFold} from "../mocks/GovernanceFold.sol";
import {GovernanceFixture} from "./GovernanceFixture.t.sol";

/// @notice All state is rebuilt from events, the times of their blocks and the constructor arguments.
contract GovernanceEventsTest is GovernanceFixture {
    uint256 private constant HOLDERS = 3;

    GovernanceFold internal fold;
    address internal otherProposals;

    function setUp() public override {
        super.setUp();
        vm.recordLogs();
        _deploy(_quick(0));
        fold = new GovernanceFold(address(governance));
        _foldLogs();
        otherProposals = _newProposals();
    }

    function _foldLogs() private {
        fold.fold(vm.getRecordedLogs(), vm.getBlockTimestamp());
    }

    function _holder(uint256 seed) private pure returns (address who, uint256 key) {
        key = 0xA0 + seed % HOLDERS;
        who = vm.addr(key);
    }

    /// @dev Short delays, so that proposals come to their end within a test.
    function _quick(uint256 seed) private pure returns (Configuration memory c) {
        c = SetLib.configuration();
        c.proposeConfig.lockDelay = 60 + seed % 500;
        c.proposeConfig.lockAmount = 2 + (seed >> 16) % 1000;
        c.votingDelay = 60 + (seed >> 32) % 40;
        c.votingDuration = 60 + (seed >> 48) % 40;
        c.executionDelay = 60 + (seed >> 64) % 40;
        c.gracePeriod = 60 + (seed >> 80) % 40;
        c.quorum = 1 + (seed >> 96) % 0.5e18;
        c.voteDifferential = (seed >> 128) % 0.3e18;
        c.minimumVotes = 1 + (seed >> 160) % 1e18;
    }

    function _step(uint256 seed) private {
        skip((seed >> 240) % 60);
        uint256 kind = seed % 12;
        seed >>= 8;
        (address who, uint256 key) = _holder(seed);
        uint256 power = _power(who);
        uint256 count = governance.proposalCount();
        uint256 id = count == 0 ? 0 : count - 1 - (seed >> 8) % (count > 4 ? 4 : count);
        if (kind < 2) {
            _lock(who, 1 + (seed >> 16) % 100e18);
        } else if (kind == 2 && power != 0) {
            vm.prank(who);
            governance.initiateWithdraw(address(uint160(seed | 1)), 1 + (seed >> 16) % power);
        } else if (kind == 3) {
            _finalise(seed);
        } else if (kind == 4) {
            _push(_list(_boxAction(seed)));
        } else if (kind == 5) {
            _pushByLock(_list(_boxAction(seed)));
        } else if (kind == 6 && seed & 0x3000 == 0) {
            _configure(_changeable(_quick(seed)));
        } else if (kind == 7 && seed & 0x3000 == 0) {
            (address next, address last) = (otherProposals, proposals);
            _setProposer(next);
            otherProposals = last;
        } else if (kind == 8 && count != 0) {
            vm.prank(who);
            governance.invalidateBallots(id);
        } else if (count != 0) {
            _touch(id, who, key, seed);
        }
    }

    function _finalise(uint256 seed) private {
        uint256 count = governance.withdrawalCount();
        if (count == 0) return;
        Withdrawal memory w = governance.getWithdrawal(seed % count);
        if (!w.claimed && w.unlocksAt <= vm.getBlockTimestamp()) governance.finaliseWithdraw(seed % count);
    }

    function _touch(uint256 id, address who, uint256 key, uint256 seed) private {
        ProposalState state = governance.getProposalState(id);
        bool objectable =
            state == ProposalState.Queued && vm.getBlockTimestamp() <= governance.objectionsUntil(id);
        if (state == ProposalState.Active || objectable) {
            (uint256 yea, uint256 nea) = governance.ballots(id, who);
            uint256 left = governance.powerAt(who, _lastPending(id)) - yea - nea;
            if (left != 0) _cast(id, who, key, 1 + (seed >> 16) % left, !objectable && seed >> 200 & 3 != 0);
        } else if (state == ProposalState.Executable) {
            governance.execute(id);
        } else if (state == ProposalState.Dropped) {
            if (governance.getProposal(id).state != ProposalState.Dropped) governance.dropProposal(id);
        }
    }

    function _cast(uint256 id, address who, uint256 key, uint256 amount, bool support) private {
        if (amount & 1 == 0) {
            vm.prank(who);
            governance.vote(id, amount, support);
            return;
        }
        BallotMessage memory ballot = BallotMessage(
            id, governance.actionsHash(id), amount, support, who, governance.ballotNonce(id, who), type(uint256).max
        );
        bytes memory signature = TypedData.sign(key, ballot, address(governance));
        governance.voteWithSig(id, amount, support, who, type(uint256).max, signature);
    }

    /// @dev Every view against the fold.
    function _agree() private view {
        vm.assertEq(fold.asset(), address(governance.ASSET()));
        vm.assertEq(fold.governanceProposer(), governance.governanceProposer());
        (uint256 delay, uint256 until) = governance.exitFloor();
        vm.assertEq(fold.exitDelay(), delay, "exit delay");
        vm.assertEq(fold.exitUntil(), until, "exit until");
        vm.assertEq(fold.totalPower(), _totalPower(), "total power");
        vm.assertEq(fold.numberOfConfigurations(), governance.numberOfConfigurations());
        for (uint256 i; i < fold.numberOfConfigurations(); ++i) {
            _same(fold.configurationAt(i), governance.configurationAt(i));
        }
        vm.assertEq(fold.withdrawalCount(), governance.withdrawalCount());
        for (uint256 i; i < fold.withdrawalCount(); ++i) {
            vm.assertEq(abi.encode(fold.getWithdrawal(i)), abi.encode(governance.getWithdrawal(i)), "withdrawal");
        }
        for (uint256 i; i < HOLDERS; ++i) {
            (address who,) = _holder(i);
            vm.assertEq(fold.power(who), _power(who), "power");
        }
        vm.assertEq(fold.proposalCount(), governance.proposalCount());
        for (uint256 i; i < fold.proposalCount(); ++i) {
            _agreeOn(i);
        }
    }

    function _agreeOn(uint256 id) private view {
        vm.assertEq(abi.encode(fold.getProposal(id)), abi.encode(governance.getProposal(id)), "proposal");
        vm.assertEq(fold.actionsHash(id), governance.actionsHash(id), "actions");
        _state(id, fold.getProposalState(id, vm.getBlockTimestamp()));
        for (uint256 i; i < HOLDERS; ++i) {
            (address who,) = _holder(i);
            (uint256 yea, uint256 nea) = governance.ballots(id, who);
            (uint256 foldedYea, uint256 foldedNea) = fold.ballots(id, who);
            vm.assertEq(foldedYea, yea, "yea");
            vm.assertEq(foldedNea, nea, "nea");
            vm.assertEq(fold.ballotNonce(id, who), governance.ballotNonce(id, who), "nonce");
        }
    }

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_events_sufficeToKnowEverything(uint256 seed) public {
        _lock(vm.addr(0xA0), 1000e18);
        _foldLogs();
        for (uint256 i; i < 36; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _step(seed);
            _foldLogs();
            if (i % 18 == 17) _agree();
        }
    }

    /// @dev Such walks reach every state.
    function test_events_walksReachEveryState() public {
        bool[8] memory seen;
        for (uint256 walk; walk < 20; ++walk) {
            uint256 state = vm.snapshotState();
            bool[8] memory found = _walk(walk);
            vm.revertToState(state);
            for (uint256 i; i < 8; ++i) {
                seen[i] = seen[i] || found[i];
            }
        }
        for (uint256 i; i < 8; ++i) {
            vm.assertTrue(seen[i], vm.toString(i));
        }
    }

    function _walk(uint256 seed) private returns (bool[8] memory seen) {
        _lock(vm.addr(0xA0), 1000e18);
        for (uint256 i; i < 48; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _step(seed);
            for (uint256 id; id < governance.proposalCount(); ++id) {
                seen[uint256(governance.getProposalState(id))] = true;
            }
        }
    }
}
