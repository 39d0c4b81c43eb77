// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IExpect} from "canon/interfaces/IExpect.sol";
import {Configuration, IGovernance, ProposalState, Withdrawal} from "canon/interfaces/IGovernance.sol";
import {Action} from "canon/interfaces/IPayload.sol";
import {ListPayload} from "../mocks/ListPayload.sol";
import {SetLib} from "../Set.sol";
import {Scenario} from "./Scenario.sol";

/// @notice Several proposals in flight while the configuration changes.
contract InFlightTest is Scenario {
    function _changed(uint256 votingDelay, uint256 votingDuration, uint256 executionDelay, uint256 gracePeriod)
        internal
        pure
        returns (Configuration memory c)
    {
        c = SetLib.configuration();
        c.votingDelay = bound(votingDelay, 60, 90 days);
        c.votingDuration = bound(votingDuration, 60, 90 days);
        c.executionDelay = bound(executionDelay, 60, 90 days);
        c.gracePeriod = bound(gracePeriod, 60, 90 days);
    }

    /// @dev D(c) of the specification.
    function _exitDelay(Configuration memory c) internal pure returns (uint256) {
        return c.votingDelay / 5 + c.votingDuration + c.executionDelay;
    }

    function _withdraw(address who, uint256 amount) internal returns (uint256 unlocksAt) {
        vm.prank(who);
        uint256 id = governance.initiateWithdraw(who, amount);
        return governance.getWithdrawal(id).unlocksAt;
    }

    function testFuzz_inFlight_everyProposalKeepsTheTimesOfItsCreation(
        uint256 votingDelay,
        uint256 votingDuration,
        uint256 executionDelay,
        uint256 gracePeriod
    ) public {
        Configuration memory c = _changed(votingDelay, votingDuration, executionDelay, gracePeriod);
        uint256 change = _propose(_configurationPayload(c));
        _accept(change);
        _to(_lastQueued(change) - 20 minutes);
        uint256 old = _propose(_boxPayload(1));
        _to(_lastQueued(change) + 1);
        governance.execute(change);

        uint256 fresh = _proposeByLock(bob, _boxPayload(2));
        vm.assertEq(abi.encode(governance.getProposal(old).config), abi.encode(SetLib.configuration()));
        vm.assertEq(abi.encode(governance.getProposal(fresh).config), abi.encode(c));

        uint256 created = governance.getProposal(old).creation;
        vm.assertEq(_lastPending(old), created + 1 hours);
        _to(_lastPending(old));
        _assertState(old, ProposalState.Pending);
        _to(_lastPending(old) + 1);
        _assertState(old, ProposalState.Active);
        _vote(alice, old, POWER, true);
        _to(created + 2 hours + 1);
        _assertState(old, ProposalState.Queued);
        _to(created + 3 hours + 1);
        _assertState(old, ProposalState.Executable);
        governance.execute(old);

        // Whatever happened to the old one meanwhile, the fresh one runs on the new clock alone.
        created = governance.getProposal(fresh).creation;
        uint256 present = _now();
        uint256 state = present <= created + c.votingDelay ? 0 : present <= created + c.votingDelay + c.votingDuration ? 1 : 4;
        vm.assertEq(uint256(governance.getProposalState(fresh)), state);
    }

    function test_inFlight_aHigherQuorumDoesNotCatchEarlierProposals() public {
        Configuration memory c = SetLib.configuration();
        c.quorum = 0.9e18;
        uint256 change = _propose(_configurationPayload(c));
        _accept(change);
        _to(_lastQueued(change) - 20 minutes);
        uint256 old = _propose(_boxPayload(1));
        _to(_lastQueued(change) + 1);
        governance.execute(change);
        _to(_lastPending(old) + 1);
        // A tenth of all power, the old quorum.
        _vote(alice, old, 2 * POWER / 10, true);
        uint256 fresh = _proposeByLock(bob, _boxPayload(2));
        _to(_lastPending(fresh) + 1);
        _vote(alice, fresh, POWER, true);
        _to(_lastQueued(old) + 1);
        _assertState(old, ProposalState.Executable);
        _to(_lastActive(fresh) + 1);
        _assertState(fresh, ProposalState.Rejected);
    }

    function test_inFlight_aLowerQuorumDoesNotSaveEarlierProposals() public {
        Configuration memory c = SetLib.configuration();
        c.quorum = 1;
        uint256 change = _propose(_configurationPayload(c));
        _accept(change);
        _to(_lastQueued(change) - 20 minutes);
        uint256 old = _propose(_boxPayload(1));
        _to(_lastQueued(change) + 1);
        governance.execute(change);
        _to(_lastPending(old) + 1);
        _vote(alice, old, 2 * POWER / 10 - 1, true);
        _to(_lastActive(old) + 1);
        _assertState(old, ProposalState.Rejected);
    }

    function test_inFlight_configurationChangesExecuteInAnyOrderAndTheLastCounts() public {
        Configuration memory first = SetLib.configuration();
        first.quorum = 0.2e18;
        Configuration memory second = SetLib.configuration();
        second.votingDelay = 2 hours;
        uint256 a = _propose(_configurationPayload(first));
        uint256 b = _propose(_configurationPayload(second));
        _accept(a);
        _accept(b);
        _to(_lastQueued(b) + 1);
        governance.execute(b);
        governance.execute(a);
        // The whole struct is replaced: what the other one changed is gone.
        vm.assertEq(abi.encode(governance.getConfiguration()), abi.encode(first));
        vm.assertEq(governance.numberOfConfigurations(), 3);
        vm.assertEq(abi.encode(governance.configurationAt(1)), abi.encode(second));
    }

    function test_inFlight_aChangeThatExpectsTheOldConfigurationIsRefusedAfterAnother() public {
        Configuration memory found = SetLib.configuration();
        found.quorum = 0.2e18;
        uint256 a = _propose(_configurationPayload(found));

        Configuration memory expected = SetLib.configuration();
        Configuration memory wanted = SetLib.configuration();
        wanted.votingDelay = 2 hours;
        Action[] memory actions = new Action[](2);
        actions[0] =
            Action(address(set.expect), abi.encodeCall(IExpect.configurationIs, (address(governance), expected)));
        actions[1] = Action(address(governance), abi.encodeCall(IGovernance.updateConfiguration, (wanted)));
        uint256 b = _propose(address(new ListPayload(actions)));
        _accept(a);
        _accept(b);
        _to(_lastQueued(b) + 1);
        governance.execute(a);
        _expectRevert(
            abi.encodeWithSelector(
                IGovernance.Governance__ActionFailed.selector,
                0,
                address(set.expect),
                abi.encodeWithSelector(IExpect.Expect__Configuration.selector, expected, found)
            )
        );
        governance.execute(b);
        vm.assertEq(abi.encode(governance.getConfiguration()), abi.encode(found));
    }

    /// @dev Attack: the proposal under the slow configuration is decided; the fast one comes in force; who voted tries
    /// to be out before the slow proposal is executed.
    function testFuzz_inFlight_aFasterConfigurationLetsNoVoterOutEarly(uint256 wait, uint256 amount) public {
        Configuration memory fast = _changed(0, 0, 0, 0);
        uint256 change = _propose(_configurationPayload(fast));
        uint256 slow = _propose(_boxPayload(1));
        _accept(change);
        _to(_lastPending(slow) + 1);
        _vote(alice, slow, POWER, true);
        _vote(bob, slow, POWER, true);
        _to(_lastQueued(change) + 1);
        governance.execute(change);

        (uint256 delay, uint256 until) = governance.exitFloor();
        vm.assertEq(delay, _exitDelay(SetLib.configuration()));
        vm.assertEq(until, _now() + 3 hours);
        _to(_now() + bound(wait, 0, 3 hours));
        uint256 start = _now();
        uint256 unlocksAt = _withdraw(alice, bound(amount, 1, POWER));
        vm.assertEq(unlocksAt, start + delay);
        vm.assertGt(unlocksAt, _lastQueued(slow));
    }

    function test_inFlight_theFloorEndsAfterItsLastSecond() public {
        Configuration memory fast = _changed(0, 0, 0, 0);
        _enact(_configurationPayload(fast));
        (uint256 delay, uint256 until) = governance.exitFloor();
        _to(until);
        vm.assertEq(_withdraw(alice, 1), until + delay);
        _to(until + 1);
        vm.assertEq(_withdraw(alice, 1), until + 1 + _exitDelay(fast));
    }

    function testFuzz_inFlight_severalChangesKeepTheLongestDelay(uint256 wait, uint256 pause) public {
        Configuration memory fast = _changed(0, 0, 0, 1 days);
        Configuration memory middle = _changed(30 minutes, 30 minutes, 30 minutes, 1 days);
        _enact(_configurationPayload(fast));
        (uint256 delay, uint256 until) = governance.exitFloor();
        uint256 second = _proposeByLock(alice, _configurationPayload(middle));
        _toExecutable(second);
        _to(_now() + bound(pause, 0, 3 hours + 1 hours));
        uint256 t = _now();
        governance.execute(second);
        (uint256 newDelay, uint256 newUntil) = governance.exitFloor();
        // While the first floor stands, a second change can only raise it.
        if (t > until) {
            vm.assertEq(newDelay, _exitDelay(fast));
        } else {
            vm.assertEq(newDelay, delay);
        }
        uint256 end = t + 3 minutes;
        vm.assertEq(newUntil, end > until ? end : until);

        _to(_now() + bound(wait, 0, 4 hours));
        uint256 expected = _exitDelay(middle);
        if (_now() <= newUntil && newDelay > expected) expected = newDelay;
        vm.assertEq(_withdraw(bob, 1), _now() + expected);
    }

    function test_inFlight_aWithdrawalsTimeIsFixedAtItsStart() public {
        Configuration memory slowest = _changed(90 days, 90 days, 90 days, 90 days);
        uint256 change = _propose(_configurationPayload(slowest));
        _toExecutable(change);
        uint256 start = _now();
        uint256 unlocksAt = _withdraw(alice, POWER);
        governance.execute(change);
        vm.assertEq(governance.getWithdrawal(0).unlocksAt, unlocksAt);
        vm.assertEq(unlocksAt, start + _exitDelay(SetLib.configuration()));
        _to(unlocksAt);
        governance.finaliseWithdraw(0);
        vm.assertEq(asset.balanceOf(alice), POWER);
    }
}
