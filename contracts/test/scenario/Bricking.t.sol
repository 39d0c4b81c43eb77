// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Configuration, IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {SetLib} from "../Set.sol";
import {Scenario} from "./Scenario.sol";

/// @notice What would leave governance without a way to act, or controlled by a few.
contract BrickingTest is Scenario {
    uint256 internal constant TIME = 90 days;

    function _expectOutOfBounds(bytes32 field, uint256 value, uint256 min, uint256 max) internal {
        _expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__OutOfBounds.selector, field, value, min, max)
        );
    }

    /// @dev The field number `i` of `c` set to `value`; its name and its bounds when it replaces what is in force.
    function _with(Configuration memory c, uint256 i, uint256 value)
        internal
        view
        returns (Configuration memory, bytes32 field, uint256 min, uint256 max)
    {
        Configuration memory present = governance.getConfiguration();
        uint256 total = governance.totalPowerAt(_now());
        if (i == 0) (c.proposeConfig.lockDelay, field, min, max) = (value, "lockDelay", 60, 365 days);
        if (i == 1) {
            max = _greater(present.proposeConfig.lockAmount, total / 10);
            (c.proposeConfig.lockAmount, field, min) = (value, "lockAmount", 2);
        }
        if (i == 2) (c.votingDelay, field, min, max) = (value, "votingDelay", 60, TIME);
        if (i == 3) (c.votingDuration, field, min, max) = (value, "votingDuration", 60, TIME);
        if (i == 4) (c.executionDelay, field, min, max) = (value, "executionDelay", 60, TIME);
        if (i == 5) (c.gracePeriod, field, min, max) = (value, "gracePeriod", 60, TIME);
        if (i == 6) (c.quorum, field, min, max) = (value, "quorum", 1, 0.9e18);
        if (i == 7) (c.voteDifferential, field, min, max) = (value, "voteDifferential", 0, 0.9e18);
        if (i == 8) {
            max = _greater(present.minimumVotes, total / 2);
            (c.minimumVotes, field, min) = (value, "minimumVotes", 1);
        }
        return (c, field, min, max);
    }

    function _greater(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a : b;
    }

    function testFuzz_bricking_aConfigurationOutOfBoundsIsRefusedAtExecution(uint256 i, uint256 value, bool below)
        public
    {
        i = bound(i, 0, 8);
        (, bytes32 field, uint256 min, uint256 max) = _with(SetLib.configuration(), i, 0);
        value = below && min != 0 ? bound(value, 0, min - 1) : bound(value, max + 1, type(uint256).max);
        (Configuration memory c,,,) = _with(SetLib.configuration(), i, value);
        uint256 id = _propose(_configurationPayload(c));
        _toExecutable(id);
        _expectRevert(
            abi.encodeWithSelector(
                IGovernance.Governance__ActionFailed.selector,
                0,
                address(governance),
                abi.encodeWithSelector(IGovernance.Governance__OutOfBounds.selector, field, value, min, max)
            )
        );
        governance.execute(id);
        vm.assertEq(abi.encode(governance.getConfiguration()), abi.encode(SetLib.configuration()));
    }

    /// @dev Whatever the bounds allow, up to the greatest values, those who stay can change it again: when one has left in
    /// between, past the sequencers, and against the ballot of a holder of one unit.
    function testFuzz_bricking_everyAllowedConfigurationCanBeChangedAgain(uint256[9] memory values, bool byLock) public {
        address carol = _holder("carol", POWER / 2);
        address dust = _holder("dust", 1);
        Configuration memory c = SetLib.configuration();
        for (uint256 i; i < 9; ++i) {
            (,, uint256 min, uint256 max) = _with(SetLib.configuration(), i, 0);
            (c,,,) = _with(c, i, bound(values[i], min, max));
        }
        vm.prank(address(governance));
        governance.updateConfiguration(c);
        vm.assertEq(abi.encode(governance.getConfiguration()), abi.encode(c));

        address payload = _configurationPayload(SetLib.configuration());
        uint256 id = byLock ? _proposeByLock(bob, payload) : _propose(payload);
        vm.prank(carol);
        governance.initiateWithdraw(carol, POWER / 2);
        _to(_lastPending(id) + 1);
        _vote(dust, id, 1, false);
        _vote(alice, id, POWER, true);
        _vote(bob, id, governance.powerAt(bob, _lastPending(id)), true);
        _to(_lastQueued(id) + 1);
        governance.execute(id);
        vm.assertEq(abi.encode(governance.getConfiguration()), abi.encode(SetLib.configuration()));
    }

    /// @dev The same with all that the bounds allow at once, and then with nothing but the least of it.
    function test_bricking_theStrictestConfigurationCanBeChangedAgain() public {
        uint256[9] memory values;
        uint256 state = vm.snapshotState();
        for (uint256 i; i < 9; ++i) {
            values[i] = type(uint256).max;
        }
        testFuzz_bricking_everyAllowedConfigurationCanBeChangedAgain(values, true);
        vm.revertToState(state);
        delete values;
        testFuzz_bricking_everyAllowedConfigurationCanBeChangedAgain(values, true);
    }

    /// @dev Amounts are measured by power, since part of the supply may never be locked.
    function test_bricking_minimumVotesAndLockAmountFollowThePower() public {
        for (uint256 i = 1; i < 9; i += 7) {
            (,, uint256 min, uint256 max) = _with(SetLib.configuration(), i, 0);
            vm.assertEq(max, i == 1 ? POWER / 5 : POWER);
            (Configuration memory c, bytes32 field,,) = _with(SetLib.configuration(), i, max + 1);
            _expectOutOfBounds(field, max + 1, min, max);
            vm.prank(address(governance));
            governance.updateConfiguration(c);
            skip(1000);
            vm.prank(address(governance));
            set.issuer.mint(treasury, 1000e18);
            _expectOutOfBounds(field, max + 1, min, max);
            vm.prank(address(governance));
            governance.updateConfiguration(c);
            uint256 state = vm.snapshotState();
            _lock(treasury, i == 1 ? 10 : 2);
            vm.prank(address(governance));
            governance.updateConfiguration(c);
            vm.revertToState(state);
        }
    }

    /// @dev What the greatest values leave: two fifths may go, and the lock still finds its way. Who lets more go has to
    /// lock again what is missing.
    function test_bricking_twoFifthsMayLeaveAtTheGreatestValues() public {
        Configuration memory c = SetLib.configuration();
        c.minimumVotes = POWER;
        c.proposeConfig.lockAmount = POWER / 5;
        vm.prank(address(governance));
        governance.updateConfiguration(c);
        uint256 state = vm.snapshotState();
        for (uint256 more; more < 2; ++more) {
            vm.prank(alice);
            governance.initiateWithdraw(alice, POWER * 4 / 5 + more);
            uint256 id = _proposeByLock(bob, _configurationPayload(SetLib.configuration()));
            vm.assertEq(governance.totalPowerAt(_now()), POWER - more);
            _accept(id);
            _to(_lastQueued(id) + 1);
            _assertState(id, more == 0 ? ProposalState.Executable : ProposalState.Rejected);
            if (more == 0) governance.execute(id);
            else vm.assertEq(governance.getConfiguration().minimumVotes, POWER);
            vm.revertToState(state);
        }
    }

    /// @dev Leaving vetoes no change: values that aren't raised stay allowed, however little power is left.
    function testFuzz_bricking_aLeaverVetoesNoOtherChange(uint256 left, uint256 votingDelay, bool lower) public {
        Configuration memory c = SetLib.configuration();
        c.minimumVotes = POWER;
        c.proposeConfig.lockAmount = POWER / 5;
        vm.prank(address(governance));
        governance.updateConfiguration(c);

        c.votingDelay = bound(votingDelay, 60, TIME);
        if (lower) --c.minimumVotes;
        uint256 id = _propose(_configurationPayload(c));
        _toExecutable(id);
        left = bound(left, 1, POWER);
        vm.prank(alice);
        governance.initiateWithdraw(alice, left);
        vm.prank(bob);
        governance.initiateWithdraw(bob, POWER);
        governance.execute(id);
        vm.assertEq(abi.encode(governance.getConfiguration()), abi.encode(c));
    }

    function testFuzz_bricking_strangersChangeNothing(address stranger) public {
        vm.assume(stranger != address(governance));
        Configuration memory c = SetLib.configuration();
        bytes memory refusal = abi.encodeWithSelector(IGovernance.Governance__NotSelf.selector, stranger);
        _expectRevert(refusal);
        vm.prank(stranger);
        governance.updateConfiguration(c);
        _expectRevert(refusal);
        vm.prank(stranger);
        governance.updateGovernanceProposer(address(box));
    }

    function testFuzz_bricking_governanceDepositsForNobodyAndNobodyForIt(uint256 amount, address other) public {
        amount = bound(amount, 1, 1e24);
        _fund(address(governance), 1e18);
        _expectRevert(
            abi.encodeWithSelector(
                IGovernance.Governance__SelfDeposit.selector, address(governance), other
            )
        );
        vm.prank(address(governance));
        governance.deposit(other, amount);
        _expectRevert(
            abi.encodeWithSelector(
                IGovernance.Governance__SelfDeposit.selector, treasury, address(governance)
            )
        );
        vm.prank(treasury);
        governance.deposit(address(governance), amount);
    }

    /// @dev As a passed proposal: Governance's own balance is the holders', and must not become power.
    function test_bricking_aPassedDepositIntoItselfIsRefused() public {
        address[2] memory receivers = [address(governance), alice];
        for (uint256 i; i < 2; ++i) {
            uint256 id = _propose(
                _payload(address(governance), abi.encodeCall(IGovernance.deposit, (receivers[i], 2 * POWER)))
            );
            _toExecutable(id);
            _expectRevert(
                abi.encodeWithSelector(
                    IGovernance.Governance__ActionFailed.selector,
                    0,
                    address(governance),
                    abi.encodeWithSelector(
                        IGovernance.Governance__SelfDeposit.selector, address(governance), receivers[i]
                    )
                )
            );
            governance.execute(id);
        }
        vm.assertEq(governance.totalPowerAt(_now()), 2 * POWER);
    }

    function testFuzz_bricking_governanceItselfNeitherVotesNorLocksNorWithdraws(uint256 gift) public {
        _fund(address(governance), bound(gift, 0, 1e23));
        address payload = _boxPayload(1);
        uint256 id = _propose(payload);
        _to(_lastPending(id) + 1);
        bytes4 insufficient = IGovernance.Governance__InsufficientPower.selector;
        vm.startPrank(address(governance));
        _expectRevert(abi.encodeWithSelector(insufficient, address(governance), 0, 1));
        governance.vote(id, 1, true);
        _expectRevert(abi.encodeWithSelector(insufficient, address(governance), 0, 1000e18));
        governance.proposeWithLock(payload, alice);
        _expectRevert(abi.encodeWithSelector(insufficient, address(governance), 0, 1));
        governance.initiateWithdraw(alice, 1);
        vm.stopPrank();
    }

    /// @dev Low-turnout capture: what passes has at least the quorum of all power behind it.
    function testFuzz_capture_fewerThanTheQuorumPassNothing(uint256 quorum, uint256 amount) public {
        Configuration memory c = SetLib.configuration();
        c.quorum = bound(quorum, 1, 0.9e18);
        vm.prank(address(governance));
        governance.updateConfiguration(c);
        uint256 id = _propose(_boxPayload(1));
        _to(_lastPending(id) + 1);
        uint256 needed = (2 * POWER * c.quorum + 1e18 - 1) / 1e18;
        amount = bound(amount, 1, POWER);
        _vote(alice, id, amount, true);
        _to(_lastActive(id) + 1);
        _assertState(id, amount < needed ? ProposalState.Rejected : ProposalState.Queued);
    }

    /// @dev When most have left, the few that stay decide only while they have `minimumVotes` together.
    function testFuzz_capture_belowMinimumVotesNothingPasses(uint256 left) public {
        left = bound(left, 1, 2000e18);
        vm.prank(alice);
        governance.initiateWithdraw(alice, POWER);
        vm.prank(bob);
        governance.initiateWithdraw(bob, POWER - left);
        uint256 id = _propose(_boxPayload(1));
        _to(_lastPending(id) + 1);
        _vote(bob, id, left, true);
        _to(_lastActive(id) + 1);
        _assertState(id, left < 1000e18 ? ProposalState.Rejected : ProposalState.Queued);
    }

    function testFuzz_capture_oppositionNeedsToBeOutvotedByTheDifferential(uint256 yea, uint256 nea) public {
        yea = bound(yea, 1, POWER);
        nea = bound(nea, 1, POWER);
        uint256 id = _propose(_boxPayload(1));
        _to(_lastPending(id) + 1);
        _vote(alice, id, yea, true);
        _vote(bob, id, nea, false);
        _to(_lastActive(id) + 1);
        uint256 cast = yea + nea;
        bool quorate = cast >= 2 * POWER / 10;
        // 52 % of what was cast, rounded up, must be exceeded.
        bool ahead = yea > (cast * 52 + 99) / 100;
        _assertState(id, quorate && ahead ? ProposalState.Queued : ProposalState.Rejected);
    }

    function test_capture_powerThatLeftDuringPendingDoesNotCountForTheQuorum() public {
        uint256 id = _propose(_boxPayload(1));
        _to(_lastPending(id));
        vm.prank(bob);
        governance.initiateWithdraw(bob, POWER);
        _to(_lastPending(id) + 1);
        vm.assertEq(governance.totalPowerAt(_lastPending(id)), POWER);
        _vote(alice, id, POWER / 10, true);
        _to(_lastActive(id) + 1);
        _assertState(id, ProposalState.Queued);
    }

    function testFuzz_bricking_aProposalsContractThatNobodyOrAnyoneCanWinIsRefused(uint256 n, uint256 m) public {
        m = bound(m, 0, 2000);
        n = bound(n, 0, 2500);
        if (n <= m / 2 || n > m || n < 2) {
            _expectRevert(abi.encodeWithSelector(IProposals.Proposals__InvalidQuorum.selector, n, m));
        }
        vm.deployCode(SetLib.artifact("Proposals"), abi.encode(registry, n, m));
    }
}
