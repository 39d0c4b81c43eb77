// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {Configuration, IGovernance, Proposal, ProposalState} from "canon/interfaces/IGovernance.sol";
import {Action} from "canon/interfaces/IPayload.sol";
import {Delegation} from "../mocks/Delegation.sol";
import {GovernanceFixture} from "./GovernanceFixture.t.sol";

/// @notice What the Proposals contract pushes.
contract GovernanceProposeTest is GovernanceFixture {
    function testFuzz_propose_isForTheProposalsContractOnly(address caller) public {
        vm.assume(caller != proposals);
        address payload = _payload();
        vm.expectRevert(
            abi.encodeWithSelector(
                IGovernance.Governance__NotGovernanceProposer.selector, caller, proposals
            )
        );
        vm.prank(caller);
        governance.propose(payload);
    }

    function testFuzz_propose_asksWhoCallsBeforeWhatIsProposed(address caller, address payload) public {
        vm.assume(caller != proposals);
        vm.expectRevert(
            abi.encodeWithSelector(
                IGovernance.Governance__NotGovernanceProposer.selector, caller, proposals
            )
        );
        vm.prank(caller);
        governance.propose(payload);
    }

    function test_propose_isNotForGovernanceItself() public {
        address payload = _payload();
        vm.expectRevert(
            abi.encodeWithSelector(
                IGovernance.Governance__NotGovernanceProposer.selector, address(governance), proposals
            )
        );
        vm.prank(address(governance));
        governance.propose(payload);
    }

    function testFuzz_propose_isNotForAReplacedProposalsContract(uint256 before) public {
        // Also one that never pushed anything.
        before = bound(before, 0, 3);
        for (uint256 i; i < before; ++i) {
            _push(_payload());
        }
        address old = proposals;
        _setProposer(_newProposals());
        address payload = _payload();
        vm.expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__NotGovernanceProposer.selector, old, proposals)
        );
        vm.prank(old);
        governance.propose(payload);
    }

    function testFuzz_propose_recordsTheProposal(Configuration memory c, uint32 gap) public {
        c = _allowed(c);
        _deploy(c);
        skip(gap);
        address payload = _payload();
        vm.prank(proposals);
        vm.assertTrue(governance.propose(payload));
        vm.assertEq(governance.proposalCount(), 1);

        Proposal memory p = governance.getProposal(0);
        _same(p.config, c);
        vm.assertEq(uint256(p.state), uint256(ProposalState.Pending));
        vm.assertEq(p.payload, payload);
        vm.assertEq(p.governanceProposer, proposals);
        vm.assertEq(p.creation, START + gap);
        vm.assertEq(p.summedBallot.yea, 0);
        vm.assertEq(p.summedBallot.nea, 0);
        _state(0, ProposalState.Pending);
    }

    function testFuzz_propose_publishesWhatItFroze(Action[] memory actions, uint256 changes) public {
        vm.assume(actions.length != 0);
        actions = _few(actions);
        Configuration memory c = governance.getConfiguration();
        changes = bound(changes, 0, 3);
        for (uint256 i; i < changes; ++i) {
            _configure(c);
        }
        address payload = _list(actions);
        bytes32 actionsHash = keccak256(abi.encode(actions));
        vm.expectEmit(address(governance));
        emit IGovernance.Proposed(0, payload);
        vm.expectEmit(address(governance));
        emit IGovernance.ProposalFrozen(0, proposals, changes, actionsHash, actions);
        _push(payload);
        vm.assertEq(governance.actionsHash(0), actionsHash);
    }

    function testFuzz_propose_idsCountFromZero(uint8 count, uint16 gap) public {
        count = uint8(bound(count, 1, 12));
        uint256 last;
        for (uint256 i; i < count; ++i) {
            skip(gap);
            vm.assertEq(_push(_payload()), i);
            vm.assertEq(governance.proposalCount(), i + 1);
            uint256 creation = governance.getProposal(i).creation;
            vm.assertEq(creation, vm.getBlockTimestamp());
            vm.assertGe(creation, last, "creation times don't decrease");
            last = creation;
        }
    }

    function testFuzz_propose_refusesAPayloadWithoutCode(address payload) public {
        _stranger(payload);
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoCode.selector, payload));
        _pushOnly(payload);
        vm.assertEq(governance.proposalCount(), 0);
    }

    /// @dev The delegation works: asked, the account would list the payload's actions.
    function testFuzz_propose_refusesADelegationToAPayload(address account) public {
        _stranger(account);
        Delegation.set(account, _payload());
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoCode.selector, account));
        _pushOnly(account);
    }

    function testFuzz_propose_theSamePayloadCanBeProposedAgain(uint8 times) public {
        address payload = _payload();
        times = uint8(bound(times, 2, 6));
        for (uint256 i; i < times; ++i) {
            _push(payload);
            vm.assertEq(governance.getProposal(i).payload, payload);
            vm.assertEq(governance.actionsHash(i), governance.actionsHash(0));
        }
    }

    function testFuzz_propose_isRefusedWhenTimesDoNotFitAnyMore(uint256 late) public {
        late = bound(late, 1, 1e6);
        address payload = _payload();
        vm.warp(START + type(uint32).max);
        _push(payload);
        vm.warp(START + type(uint32).max + late);
        vm.expectRevert(
            abi.encodeWithSelector(
                ICommon.ValueTooLarge.selector, type(uint32).max + late, uint256(type(uint32).max)
            )
        );
        _pushOnly(payload);
    }
}
