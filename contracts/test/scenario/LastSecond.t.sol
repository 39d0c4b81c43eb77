// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {Scenario} from "./Scenario.sol";

/// @notice Ballots for a proposal in the last second of Active can be answered.
contract LastSecondTest is Scenario {
    address internal carol;

    function setUp() public override {
        super.setUp();
        carol = _holder("carol", POWER);
    }

    /// @dev A third of all power accepts in the last second; nobody else has voted.
    function _acceptedInTheLastSecond() private returns (uint256 id) {
        id = _propose(_boxPayload(1));
        _to(_lastActive(id));
        _vote(alice, id, POWER, true);
        _to(_lastActive(id) + 1);
        _assertState(id, ProposalState.Queued);
    }

    /// @dev The others answer, up to the last second in which they can; their ballots can't be answered in turn.
    function testFuzz_lastSecond_aMajorityAnswers(uint256 wait) public {
        uint256 id = _acceptedInTheLastSecond();
        _to(bound(wait, _now(), _lastObjection(id)));
        _vote(bob, id, POWER * 9 / 10, false);
        _assertState(id, ProposalState.Queued);
        _to(_lastObjection(id));
        _vote(carol, id, POWER / 10, false);
        _assertState(id, ProposalState.Rejected);
        _expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__NotActive.selector, id, ProposalState.Rejected)
        );
        _vote(carol, id, 1, true);

        _to(_lastQueued(id) + 1);
        _expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__NotExecutable.selector, id, ProposalState.Rejected)
        );
        governance.execute(id);
        vm.assertEq(box.calls(), 0);
    }

    /// @dev From the second half on the result is known, so that everybody can prepare for it; ballots against are too late.
    function testFuzz_lastSecond_whoAnswersLateAnswersTooLate(uint256 wait) public {
        uint256 id = _acceptedInTheLastSecond();
        uint256 last = _lastObjection(id);
        vm.assertEq(governance.objectionsUntil(id), last);
        _to(bound(wait, last + 1, _lastQueued(id)));
        _expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__ObjectionsOver.selector, id, _now(), last)
        );
        _vote(bob, id, POWER, false);
        _to(_lastQueued(id) + 1);
        governance.execute(id);
        vm.assertEq(box.value(), 1);
    }

    /// @dev A late refusal can't be answered, so whoever is for a proposal votes while it is Active, as if all silent power
    /// were against it: then no late refusal stops it.
    function test_lastSecond_whoVotesInTimeIsSafe() public {
        uint256 id = _propose(_boxPayload(1));
        _to(_lastPending(id) + 1);
        _vote(alice, id, POWER, true);
        _vote(bob, id, POWER * 6 / 10, true);
        _to(_lastObjection(id));
        // 1.6 for, 1.4 against: more than 52 % of all.
        _vote(carol, id, POWER, false);
        _vote(bob, id, POWER * 4 / 10, false);
        _assertState(id, ProposalState.Queued);
        _to(_lastQueued(id) + 1);
        governance.execute(id);
        vm.assertEq(box.value(), 1);
    }

    /// @dev The same through the lock, against the Proposals contract itself, is answered alike.
    function test_lastSecond_alsoThroughTheLock() public {
        uint256 id = _proposeByLock(alice, _proposalsPayload(address(box)));
        _to(_lastActive(id));
        _vote(alice, id, governance.powerAt(alice, _lastPending(id)), true);
        _to(_lastObjection(id));
        _vote(bob, id, POWER, false);
        _assertState(id, ProposalState.Rejected);
        vm.assertEq(governance.governanceProposer(), address(proposals));
    }

    /// @dev Such a refusal doesn't shut the payload out: the next round may bring it again.
    function test_lastSecond_theSamePayloadMayComeAgain() public {
        address payload = _boxPayload(1);
        uint256 id = _propose(payload);
        _to(_lastActive(id));
        _vote(alice, id, POWER, true);
        _to(_lastActive(id) + 1);
        _vote(bob, id, POWER, false);
        _assertState(id, ProposalState.Rejected);
        uint256 again = _propose(payload);
        vm.assertEq(again, id + 1);
        _toExecutable(again);
        governance.execute(again);
        vm.assertEq(box.value(), 1);
    }
}
