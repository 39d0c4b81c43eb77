// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {SetLib} from "../Set.sol";
import {Scenario} from "./Scenario.sol";

/// @notice Proposals contracts that are replaced, and put back.
contract ProposalsReplacedTest is Scenario {
    IProposals internal next;

    function setUp() public override {
        super.setUp();
        next = IProposals(vm.deployCode(SetLib.artifact("Proposals"), abi.encode(registry, SetLib.N, SetLib.M)));
    }

    /// @dev A proposal in the given state when Proposals is replaced, three hours after the change was proposed.
    function _replacedWhile(ProposalState state) internal returns (uint256 id) {
        if (state == ProposalState.Executable) {
            id = _propose(_boxPayload(1));
            _to(_now() + 10 minutes);
        }
        uint256 change = _proposeByLock(alice, _proposalsPayload(address(next)));
        if (state == ProposalState.Executable) _accept(id);
        if (state == ProposalState.Queued || state == ProposalState.Rejected) {
            _to(_now() + 30 minutes);
            id = _propose(_boxPayload(1));
        }
        _accept(change);
        if (state == ProposalState.Queued) _accept(id);
        if (state == ProposalState.Active || state == ProposalState.Pending) {
            _to(_lastQueued(change) + 1 - (state == ProposalState.Pending ? 30 minutes : 90 minutes));
            id = _propose(_boxPayload(1));
        }
        _to(_lastQueued(change) + 1);
        _assertState(id, state);
        governance.execute(change);
    }

    function test_replaced_whatItPushedIsDroppedInEveryState() public {
        ProposalState[5] memory states = [
            ProposalState.Pending,
            ProposalState.Active,
            ProposalState.Queued,
            ProposalState.Executable,
            ProposalState.Rejected
        ];
        for (uint256 i; i < states.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            uint256 id = _replacedWhile(states[i]);
            _assertState(id, ProposalState.Dropped);
            _expectRevert(
                abi.encodeWithSelector(IGovernance.Governance__NotExecutable.selector, id, ProposalState.Dropped)
            );
            governance.execute(id);
            _expectRevert(
                abi.encodeWithSelector(IGovernance.Governance__NotActive.selector, id, ProposalState.Dropped)
            );
            _vote(alice, id, 1, true);
            // Derived until somebody stores it.
            vm.assertEq(uint256(governance.getProposal(id).state), uint256(ProposalState.Pending));
            governance.dropProposal(id);
            vm.assertEq(uint256(governance.getProposal(id).state), uint256(ProposalState.Dropped));
            vm.assertEq(governance.getProposal(id).governanceProposer, address(proposals));
            vm.revertToState(snapshot);
        }
    }

    function testFuzz_replaced_putBackItsOldProposalsStayDropped(bool store, uint256 wait) public {
        uint256 old = _propose(_boxPayload(1));
        _enactByLock(_proposalsPayload(address(next)));
        if (store) governance.dropProposal(old);
        _enactByLock(_proposalsPayload(address(proposals)));
        _to(_now() + bound(wait, 0, 10 hours));
        _assertState(old, ProposalState.Dropped);
        uint256 fresh = _propose(_boxPayload(2));
        _assertState(fresh, ProposalState.Pending);
        _assertState(old, ProposalState.Dropped);
        vm.assertEq(governance.getProposal(old).governanceProposer, address(proposals));
        vm.assertEq(governance.getProposal(fresh).governanceProposer, address(proposals));
        _toExecutable(fresh);
        governance.execute(fresh);
    }

    /// @dev Replaced and put back by two proposals executed in one second: no time passes, all the same it is dropped.
    function test_replaced_andPutBackInTheSameSecond() public {
        uint256 away = _proposeByLock(alice, _proposalsPayload(address(next)));
        uint256 back = _proposeByLock(bob, _proposalsPayload(address(proposals)));
        _accept(away);
        _to(_lastPending(back) + 1);
        _vote(alice, back, governance.powerAt(alice, _lastPending(back)), true);
        _to(_lastQueued(back) - 30 minutes);
        uint256 old = _propose(_boxPayload(1));
        _to(_lastQueued(back) + 1);
        _assertState(old, ProposalState.Pending);
        governance.execute(away);
        governance.execute(back);
        vm.assertEq(governance.governanceProposer(), address(proposals));
        _assertState(old, ProposalState.Dropped);
    }

    function test_replaced_theExecutedStayExecuted() public {
        uint256 id = _enact(_boxPayload(1));
        _enactByLock(_proposalsPayload(address(next)));
        _assertState(id, ProposalState.Executed);
        _expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__NotDropped.selector, id, ProposalState.Executed)
        );
        governance.dropProposal(id);
    }

    function test_replaced_theOldOneProposesNoMore() public {
        uint256 round = _win(_boxPayload(1));
        // The round lives long enough for the fast path of a test: five rounds are 20 minutes, so the switch comes now.
        vm.prank(address(governance));
        governance.updateGovernanceProposer(address(next));
        _expectRevert(
            abi.encodeWithSelector(
                IGovernance.Governance__NotGovernanceProposer.selector, address(proposals), address(next)
            )
        );
        proposals.pushProposal(round);
        // Nothing of its rounds counts in the new one.
        vm.assertEq(next.pushableRounds().length, 0);
        vm.prank(address(governance));
        governance.updateGovernanceProposer(address(proposals));
        _push(round);
    }

    function test_replaced_theNewOneDoesNotCountWhatTheOldOnePushed() public {
        address payload = _boxPayload(1);
        uint256 id = _propose(payload);
        vm.prank(address(governance));
        governance.updateGovernanceProposer(address(next));
        (bool exists,) = next.latestProposalOf(payload);
        vm.assertFalse(exists);
        (exists,) = proposals.latestProposalOf(payload);
        vm.assertTrue(exists);
        proposals = next;
        vm.assertEq(_propose(payload), id + 1);
    }

    function test_replaced_byTheSameOrGovernanceOrNothingIsRefused() public {
        address[2] memory invalid = [address(proposals), address(governance)];
        for (uint256 i; i < invalid.length; ++i) {
            _expectRevert(
                abi.encodeWithSelector(IGovernance.Governance__InvalidGovernanceProposer.selector, invalid[i])
            );
            vm.prank(address(governance));
            governance.updateGovernanceProposer(invalid[i]);
        }
        address[3] memory codeless = [address(0), address(0xE0A), addressOf("delegating")];
        vm.etch(codeless[2], abi.encodePacked(hex"ef0100", address(next)));
        for (uint256 i; i < codeless.length; ++i) {
            _expectRevert(abi.encodeWithSignature("NoCode(address)", codeless[i]));
            vm.prank(address(governance));
            governance.updateGovernanceProposer(codeless[i]);
        }
    }

    function test_replaced_aDropIsStoredOnce() public {
        uint256 id = _propose(_boxPayload(1));
        _expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__NotDropped.selector, id, ProposalState.Pending)
        );
        governance.dropProposal(id);
        vm.prank(address(governance));
        governance.updateGovernanceProposer(address(next));
        vm.expectEmit(address(governance));
        emit IGovernance.ProposalDropped(id);
        governance.dropProposal(id);
        _expectRevert(abi.encodeWithSelector(IGovernance.Governance__AlreadyDropped.selector, id));
        governance.dropProposal(id);
    }
}
