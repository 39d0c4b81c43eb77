// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Configuration, IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {SetLib} from "../Set.sol";
import {Scenario} from "./Scenario.sol";

/// @notice The Registry handed to another Governance, and back.
contract GovernanceReplacedTest is Scenario {
    IGovernance internal first;
    IGovernance internal second;
    address internal payload;

    function setUp() public override {
        super.setUp();
        first = governance;
        Configuration memory c = SetLib.configuration();
        c.votingDelay = 30 days;
        vm.prank(address(first));
        first.updateConfiguration(c);
        second = IGovernance(
            vm.deployCode(SetLib.artifact("Governance"), abi.encode(asset, proposals, SetLib.configuration()))
        );
        payload = _boxPayload(1);
    }

    function _handOver(IGovernance from, IGovernance to) internal {
        vm.prank(address(from));
        Ownable2Step(address(registry)).transferOwnership(address(to));
        to.acceptOwnership(address(registry));
        vm.assertEq(proposals.getGovernance(), address(to));
        governance = to;
    }

    function test_governanceReplaced_aPayloadLiveInTheOldOneMayBePushedToTheNewOne() public {
        uint256 a = _propose(payload);
        _handOver(first, second);
        (bool exists,) = proposals.latestProposalOf(payload);
        vm.assertFalse(exists);
        uint256 b = _propose(payload);
        vm.assertEq(uint256(first.getProposalState(a)), uint256(ProposalState.Pending));
        vm.assertEq(uint256(second.getProposalState(b)), uint256(ProposalState.Pending));
    }

    /// @dev Back at the first Governance, its proposal of the same payload is still live.
    function test_governanceReplaced_andBackTheLiveProposalStillStopsASecondOne() public {
        uint256 a = _propose(payload);
        _handOver(first, second);
        _propose(payload);
        _handOver(second, first);
        uint256 round = _win(payload);
        _assertState(a, ProposalState.Pending);
        (bool exists, uint256 id) = proposals.latestProposalOf(payload);
        vm.assertTrue(exists, "the proposal at the present Governance is forgotten");
        vm.assertEq(id, a);
        _expectRevert(abi.encodeWithSelector(IProposals.Proposals__ProposalLive.selector, payload, a));
        proposals.pushProposal(round);
    }
}
