// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Configuration, IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {SetLib} from "../Set.sol";
import {Scenario} from "./Scenario.sol";

/// @notice What would leave governance without a way to act, or in the hands of few.
contract BrickingTest is Scenario {
    uint256 internal constant TIME = 90 days;

    function _expectOutOfBounds(bytes32 field, uint256 value, uint256 min, uint256 max) internal {
        _expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__OutOfBounds.selector, field, value, min, max)
        );
    }

    /// @dev The field number `i` of `c` set to `value`; its name and bounds.
    function _with(Configuration memory c, uint256 i, uint256 value)
        internal
        view
        returns (Configuration memory, bytes32 field, uint256 min, uint256 max)
    {
        uint256 supply = asset.totalSupply();
        if (i == 0) (c.proposeConfig.lockDelay, field, min, max) = (value, "lockDelay", 60, type(uint32).max);
        if (i == 1) (c.proposeConfig.lockAmount, field, min, max) = (value, "lockAmount", 2, supply);
        if (i == 2) (c.votingDelay, field, min, max) = (value, "votingDelay", 60, TIME);
        if (i == 3) (c.votingDuration, field, min, max) = (value, "votingDuration", 60, TIME);
        if (i == 4) (c.executionDelay, field, min, max) = (value, "executionDelay", 60, TIME);
        if (i == 5) (c.gracePeriod, field, min, max) = (value, "gracePeriod", 60, TIME);
        if (i == 6) (c.quorum, field, min, max) = (value, "quorum", 1, 1e18);
        if (i == 7) (c.voteDifferential, field, min, max) = (value, "voteDifferential", 0, 1e18);
        if (i == 8) (c.minimumVotes, field, min, max) = (value, "minimumVotes", 1, supply);
        return (c, field, min, max);
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

    /// @dev Whatever the bounds allow, holders who agree can change it again.
    function testFuzz_bricking_everyAllowedConfigurationCanBeChangedAgain(uint256[9] memory values) public {
        Configuration memory c = SetLib.configuration();
        for (uint256 i; i < 9; ++i) {
            (, , uint256 min, uint256 max) = _with(SetLib.configuration(), i, 0);
            // More than both holders have is more than holders can reach.
            if (i == 1 && max > POWER) max = POWER;
            if (i == 8 && max > POWER) max = POWER;
            (c,,,) = _with(c, i, bound(values[i], min, max));
        }
        vm.prank(address(governance));
        governance.updateConfiguration(c);

        uint256 id = _proposeByLock(bob, _configurationPayload(SetLib.configuration()));
        _to(_lastPending(id) + 1);
        _vote(alice, id, POWER, true);
        uint256 rest = governance.powerAt(bob, _lastPending(id));
        if (rest != 0) _vote(bob, id, rest, true);
        _to(_lastQueued(id) + 1);
        governance.execute(id);
        vm.assertEq(abi.encode(governance.getConfiguration()), abi.encode(SetLib.configuration()));
    }

    function test_bricking_minimumVotesAndLockAmountFollowTheSupply() public {
        uint256 supply = asset.totalSupply();
        Configuration memory c = SetLib.configuration();
        c.minimumVotes = supply + 1;
        _expectOutOfBounds("minimumVotes", supply + 1, 1, supply);
        vm.prank(address(governance));
        governance.updateConfiguration(c);
        skip(10);
        vm.prank(address(governance));
        set.issuer.mint(bob, 1);
        vm.prank(address(governance));
        governance.updateConfiguration(c);
        vm.assertEq(governance.getConfiguration().minimumVotes, supply + 1);
    }

    /// @dev What the bounds leave to the holders' judgement: the lock gives up `lockAmount`, so with a `minimumVotes` this
    /// high no proposal through it can pass, not even with the whole supply locked and everybody agreeing.
    function testFuzz_bricking_minimumVotesNearTheSupplyShutTheWayThroughTheLock(uint256 minimumVotes, bool below)
        public
    {
        uint256 supply = asset.totalSupply();
        Configuration memory c = SetLib.configuration();
        uint256 reachable = supply - c.proposeConfig.lockAmount;
        // What is staked can't be locked.
        uint256 staked = ATTESTERS * SetLib.STAKE;
        c.minimumVotes = below ? reachable - staked : bound(minimumVotes, reachable + 1, supply);
        vm.prank(address(governance));
        governance.updateConfiguration(c);

        _lock(treasury, asset.balanceOf(treasury));
        uint256 id = _proposeByLock(treasury, _configurationPayload(SetLib.configuration()));
        _accept(id);
        _vote(treasury, id, governance.powerAt(treasury, _lastPending(id)), true);
        _to(_lastQueued(id) + 1);
        _assertState(id, below ? ProposalState.Executable : ProposalState.Rejected);
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
        c.quorum = bound(quorum, 1, 1e18);
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
