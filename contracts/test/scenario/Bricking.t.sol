// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Configuration, IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {Field} from "../ConfigurationField.sol";
import {SetLib} from "../Set.sol";
import {Scenario} from "./Scenario.sol";

/// @notice What would leave governance without a way to act, or controlled by a few.
contract BrickingTest is Scenario {
    function _expectOutOfBounds(bytes32 field, uint256 value, uint256 min, uint256 max) internal {
        _expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__OutOfBounds.selector, field, value, min, max)
        );
    }

    /// @dev Amounts are measured by power, since part of the supply may never be locked.
    function test_bricking_minimumVotesAndLockAmountFollowThePower() public {
        Field[2] memory amounts = [Field.LockAmount, Field.MinimumVotes];
        for (uint256 i; i < 2; ++i) {
            (bytes32 field, uint256 min, uint256 max) = amounts[i].bounds(POWER / 5, POWER);
            Configuration memory c = SetLib.configuration();
            amounts[i].set(c, max + 1);
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
            _lock(treasury, amounts[i] == Field.LockAmount ? 10 : 2);
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
