// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Configuration, IGovernance, Proposal, ProposalState, Withdrawal} from "canon/interfaces/IGovernance.sol";
import {SetLib} from "../Set.sol";
import {GovernanceFixture} from "./GovernanceFixture.t.sol";

/// @notice The views of Governance.
contract GovernanceViewsTest is GovernanceFixture {
    function test_views_atFirst() public view {
        vm.assertEq(address(governance.ASSET()), address(asset));
        vm.assertEq(governance.governanceProposer(), proposals);
        vm.assertEq(governance.proposalCount(), 0);
        vm.assertEq(governance.withdrawalCount(), 0);
        vm.assertEq(governance.numberOfConfigurations(), 1);
        _same(governance.getConfiguration(), SetLib.configuration());
    }

    /// @dev With and without a proposal, for any holder.
    function testFuzz_ballotNonce_isZeroAtFirst(uint256 id, address who, bool proposed) public {
        if (proposed) _push(_payload());
        vm.assertEq(governance.ballotNonce(id, who), 0);
        vm.assertEq(governance.ballotNonce(0, who), 0);
    }

    /// @dev Nonces are each proposal's own: none counts for all of them.
    function test_views_noNonceIsForAllProposals() public {
        bytes[2] memory gone = [
            abi.encodeWithSignature("nonces(address)", majority), abi.encodeWithSignature("invalidateNonce()")
        ];
        for (uint256 i; i < 2; ++i) {
            (bool success, bytes memory answer) = address(governance).call(gone[i]);
            vm.assertFalse(success);
            vm.assertEq(answer.length, 0, "there is such a function");
        }
    }

    /// @dev Half of the execution delay after Active, rounded down; of the configuration frozen for the proposal.
    function testFuzz_objectionsUntil_isAHalfOfTheExecutionDelayAfterActive(
        Configuration memory c,
        Configuration memory other,
        uint32 gap,
        bool byLock
    ) public {
        c = _allowed(c);
        _deploy(c);
        skip(gap % 1_000_000_000);
        uint256 created = vm.getBlockTimestamp();
        uint256 id = byLock ? _pushByLock(_payload()) : _push(_payload());
        uint256 expected = created + c.votingDelay + c.votingDuration + c.executionDelay / 2;
        vm.assertEq(governance.objectionsUntil(id), expected);
        _configure(_changeable(other));
        skip(gap);
        vm.assertEq(governance.objectionsUntil(id), expected, "whatever comes later");
    }

    function test_objectionsUntil_isRoundedDown() public {
        Configuration memory c = SetLib.configuration();
        for (c.executionDelay = 60; c.executionDelay < 64; ++c.executionDelay) {
            _configure(c);
            uint256 id = _push(_payload());
            vm.assertEq(governance.objectionsUntil(id), START + 2 hours + (c.executionDelay < 62 ? 30 : 31));
        }
    }

    function testFuzz_objectionsUntil_refusesUnknownIds(uint256 id, uint256 count) public {
        count = bound(count, 0, 2);
        for (uint256 i; i < count; ++i) {
            _push(_payload());
        }
        id = bound(id, count, type(uint256).max);
        _refuseUnknown(id);
        governance.objectionsUntil(id);
    }

    function testFuzz_getProposal_refusesUnknownIds(uint256 id, uint256 count) public {
        count = bound(count, 0, 2);
        for (uint256 i; i < count; ++i) {
            _push(_payload());
        }
        id = bound(id, count, type(uint256).max);
        _refuseUnknown(id);
        governance.getProposal(id);
    }

    function testFuzz_actionsHash_refusesUnknownIds(uint256 id, uint256 count) public {
        count = bound(count, 0, 2);
        for (uint256 i; i < count; ++i) {
            _push(_payload());
        }
        id = bound(id, count, type(uint256).max);
        _refuseUnknown(id);
        governance.actionsHash(id);
    }

    function testFuzz_getWithdrawal_refusesUnknownIds(uint256 id, uint256 count) public {
        count = bound(count, 0, 3);
        _lock(majority, 10);
        for (uint256 i; i < count; ++i) {
            vm.prank(majority);
            governance.initiateWithdraw(majority, 1);
        }
        id = bound(id, count, type(uint256).max);
        vm.expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__UnknownWithdrawal.selector, id, count)
        );
        governance.getWithdrawal(id);
    }

    /// @dev Through all of a proposal's life but its end, only the sums change.
    function testFuzz_getProposal_wholeLife(Configuration memory c, uint256 yea, uint256 nea, bool byLock) public {
        c = _passable(c);
        c.quorum = 1;
        _deploy(c);
        yea = bound(yea, MAJORITY / 2 + MAJORITY / 4, MAJORITY - 1);
        nea = bound(nea, 1, MAJORITY - yea);
        c.voteDifferential = 0;
        _configure(c);
        _arm();
        skip(77);
        address payload = _payload();
        uint256 created = vm.getBlockTimestamp();
        uint256 id = byLock ? _pushByLock(payload) : _push(payload);
        Proposal memory expected;
        expected.config = c;
        expected.payload = payload;
        expected.governanceProposer = byLock ? address(governance) : proposals;
        expected.creation = created;
        _is(id, expected);

        vm.warp(_lastPending(id) + 1);
        vm.startPrank(majority);
        governance.vote(id, yea, true);
        expected.summedBallot.yea = yea;
        _is(id, expected);
        governance.vote(id, nea, false);
        expected.summedBallot.nea = nea;
        _is(id, expected);
        vm.stopPrank();

        vm.warp(_ends(id)[2] + 1);
        _is(id, expected);
        governance.execute(id);
        expected.state = ProposalState.Executed;
        _is(id, expected);
        skip(1000 days);
        _is(id, expected);
    }

    function _is(uint256 id, Proposal memory expected) private view {
        vm.assertEq(abi.encode(governance.getProposal(id)), abi.encode(expected));
    }

    function testFuzz_getWithdrawal_wholeLife(uint256 amount, address to) public {
        vm.assume(to != address(0) && to != address(governance));
        amount = bound(amount, 1, SUPPLY);
        _lock(majority, amount);
        vm.prank(majority);
        uint256 id = governance.initiateWithdraw(to, amount);
        Withdrawal memory expected = Withdrawal(amount, START + _exitDelay(SetLib.configuration()), to, false);
        vm.assertEq(abi.encode(governance.getWithdrawal(id)), abi.encode(expected));
        vm.warp(expected.unlocksAt);
        governance.finaliseWithdraw(id);
        expected.claimed = true;
        vm.assertEq(abi.encode(governance.getWithdrawal(id)), abi.encode(expected));
    }

    /// @dev Tools written for this family of contracts find what they expect.
    function test_views_theFixedSurface() public pure {
        bytes4[18] memory expected = [
            bytes4(keccak256("deposit(address,uint256)")),
            bytes4(keccak256("initiateWithdraw(address,uint256)")),
            bytes4(keccak256("finaliseWithdraw(uint256)")),
            bytes4(keccak256("propose(address)")),
            bytes4(keccak256("proposeWithLock(address,address)")),
            bytes4(keccak256("vote(uint256,uint256,bool)")),
            bytes4(keccak256("execute(uint256)")),
            bytes4(keccak256("dropProposal(uint256)")),
            bytes4(
                keccak256(
                    "updateConfiguration(((uint256,uint256),uint256,uint256,uint256,uint256,uint256,uint256,uint256))"
                )
            ),
            bytes4(keccak256("updateGovernanceProposer(address)")),
            bytes4(keccak256("powerAt(address,uint256)")),
            bytes4(keccak256("totalPowerAt(uint256)")),
            bytes4(keccak256("getProposal(uint256)")),
            bytes4(keccak256("getProposalState(uint256)")),
            bytes4(keccak256("getWithdrawal(uint256)")),
            bytes4(keccak256("ballots(uint256,address)")),
            bytes4(keccak256("governanceProposer()")),
            bytes4(keccak256("ASSET()"))
        ];
        bytes4[18] memory found = [
            IGovernance.deposit.selector,
            IGovernance.initiateWithdraw.selector,
            IGovernance.finaliseWithdraw.selector,
            IGovernance.propose.selector,
            IGovernance.proposeWithLock.selector,
            IGovernance.vote.selector,
            IGovernance.execute.selector,
            IGovernance.dropProposal.selector,
            IGovernance.updateConfiguration.selector,
            IGovernance.updateGovernanceProposer.selector,
            IGovernance.powerAt.selector,
            IGovernance.totalPowerAt.selector,
            IGovernance.getProposal.selector,
            IGovernance.getProposalState.selector,
            IGovernance.getWithdrawal.selector,
            IGovernance.ballots.selector,
            IGovernance.governanceProposer.selector,
            IGovernance.ASSET.selector
        ];
        for (uint256 i; i < 18; ++i) {
            vm.assertEq(bytes32(found[i]), bytes32(expected[i]), vm.toString(i));
        }
    }

    function test_views_theFixedEvents() public pure {
        vm.assertEq(IGovernance.Proposed.selector, keccak256("Proposed(uint256,address)"));
        vm.assertEq(IGovernance.VoteCast.selector, keccak256("VoteCast(uint256,address,bool,uint256)"));
        vm.assertEq(IGovernance.ProposalExecuted.selector, keccak256("ProposalExecuted(uint256)"));
        vm.assertEq(IGovernance.ProposalDropped.selector, keccak256("ProposalDropped(uint256)"));
        vm.assertEq(IGovernance.Deposit.selector, keccak256("Deposit(address,address,uint256)"));
        vm.assertEq(IGovernance.WithdrawInitiated.selector, keccak256("WithdrawInitiated(uint256,address,uint256)"));
        vm.assertEq(IGovernance.WithdrawFinalised.selector, keccak256("WithdrawFinalised(uint256)"));
        vm.assertEq(IGovernance.WithdrawalQueued.selector, keccak256("WithdrawalQueued(uint256,address,uint256)"));
        vm.assertEq(
            IGovernance.GovernanceProposerUpdated.selector, keccak256("GovernanceProposerUpdated(address)")
        );
        vm.assertEq(IGovernance.NonceUsed.selector, keccak256("NonceUsed(uint256,address,uint256)"));
        vm.assertEq(IGovernance.BallotsInvalidated.selector, keccak256("BallotsInvalidated(uint256,address,uint256)"));
        vm.assertEq(IGovernance.ConfigurationUpdated.selector, keccak256("ConfigurationUpdated(uint256)"));
        vm.assertEq(
            IGovernance.ProposalFrozen.selector,
            keccak256("ProposalFrozen(uint256,address,uint256,bytes32,(address,bytes)[])")
        );
    }
}
