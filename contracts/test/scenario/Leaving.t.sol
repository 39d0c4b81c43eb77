// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IAsset} from "canon/interfaces/IAsset.sol";
import {IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {Scenario} from "./Scenario.sol";

/// @notice Borrows for one transaction, locks, votes, and tries to be out again.
contract FlashVoter {
    function attack(IAsset asset, IGovernance governance, address lender, uint256 id, uint256 amount)
        external
        returns (bytes memory refusal)
    {
        asset.transferFrom(lender, address(this), amount);
        asset.approve(address(governance), amount);
        governance.deposit(address(this), amount);
        (, refusal) = address(governance).call(abi.encodeCall(IGovernance.vote, (id, amount, true)));
        governance.initiateWithdraw(lender, amount);
    }
}

/// @notice Power that was borrowed, or is sold before the proposal it decided is executed.
contract LeavingTest is Scenario {
    function testFuzz_leaving_flashLoanedPowerDoesNotVote(uint256 amount) public {
        amount = bound(amount, 1, 500_000e18);
        uint256 id = _propose(_boxPayload(1));
        _to(_lastPending(id) + 1);
        FlashVoter attacker = new FlashVoter();
        vm.prank(treasury);
        asset.approve(address(attacker), amount);
        bytes memory refusal = attacker.attack(asset, governance, treasury, id, amount);
        vm.assertEq(
            refusal,
            abi.encodeWithSelector(
                IGovernance.Governance__InsufficientPower.selector, address(attacker), 0, amount
            )
        );
        // And the loan can't be paid back within the transaction.
        _expectRevert(
            abi.encodeWithSelector(
                IGovernance.Governance__NotUnlocked.selector, _now(), governance.getWithdrawal(0).unlocksAt
            )
        );
        governance.finaliseWithdraw(0);
    }

    function testFuzz_leaving_whatIsGivenBackInTheSameSecondIsNoPower(uint256 amount, uint256 before) public {
        amount = bound(amount, 1, 500_000e18);
        uint256 id = _propose(_boxPayload(1));
        _to(_lastPending(id) - bound(before, 0, 1));
        FlashVoter attacker = new FlashVoter();
        vm.prank(treasury);
        asset.approve(address(attacker), amount);
        bytes memory refusal = attacker.attack(asset, governance, treasury, id, amount);
        vm.assertEq(
            refusal, abi.encodeWithSelector(IGovernance.Governance__NotActive.selector, id, ProposalState.Pending)
        );
        _to(_lastPending(id) + 1);
        vm.assertEq(governance.powerAt(address(attacker), _lastPending(id)), 0);
        vm.assertEq(governance.totalPowerAt(_lastPending(id)), 2 * POWER);
        _expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__InsufficientPower.selector, address(attacker), 0, 1)
        );
        _vote(address(attacker), id, 1, true);
    }

    function testFuzz_leaving_powerBoughtInTheLastSecondCountsButStaysUntilExecution(uint256 amount, uint256 wait)
        public
    {
        amount = bound(amount, 1, 500_000e18);
        uint256 id = _propose(_boxPayload(1));
        _to(_lastPending(id));
        address late = _holder("late", amount);
        _to(_lastPending(id) + 1 + bound(wait, 0, 1 hours - 1));
        _vote(late, id, amount, true);
        vm.prank(late);
        uint256 w = governance.initiateWithdraw(late, amount);
        vm.assertGt(governance.getWithdrawal(w).unlocksAt, _lastQueued(id));
    }

    function testFuzz_leaving_powerBoughtAfterPendingDoesNotVote(uint256 amount, uint256 wait) public {
        amount = bound(amount, 1, 500_000e18);
        uint256 id = _propose(_boxPayload(1));
        _to(_lastPending(id) + 1 + bound(wait, 0, 1 hours - 1));
        address late = _holder("late", amount);
        _expectRevert(abi.encodeWithSelector(IGovernance.Governance__InsufficientPower.selector, late, 0, amount));
        _vote(late, id, amount, true);
    }

    /// @dev Vote, withdraw, dump before execution.
    function testFuzz_leaving_noVoterHoldsItsTokensBeforeTheProposalCanBeExecuted(
        uint256 wait,
        uint256 amount,
        bool voteFirst
    ) public {
        amount = bound(amount, 1, POWER);
        uint256 id = _propose(_boxPayload(1));
        _to(_lastPending(id) + 1 + bound(wait, 0, 1 hours - 1));
        if (voteFirst) _vote(alice, id, POWER, true);
        vm.prank(alice);
        uint256 w = governance.initiateWithdraw(address(0xD00D), amount);
        // Leaving after the snapshot doesn't take the ballot away.
        if (!voteFirst) _vote(alice, id, POWER, true);

        uint256 firstExecutable = _lastQueued(id) + 1;
        uint256 unlocksAt = governance.getWithdrawal(w).unlocksAt;
        vm.assertGe(unlocksAt, firstExecutable);
        _to(firstExecutable - 1);
        _assertState(id, ProposalState.Queued);
        _expectRevert(abi.encodeWithSelector(IGovernance.Governance__NotUnlocked.selector, _now(), unlocksAt));
        governance.finaliseWithdraw(w);
        _to(firstExecutable);
        governance.execute(id);
    }

    /// @dev The promise to those who disagree: leave within four fifths of the voting delay, be out before execution.
    function testFuzz_leaving_whoLeavesWithinFourFifthsOfTheDelayIsOutBeforeExecution(uint256 wait) public {
        uint256 id = _propose(_boxPayload(1));
        _to(governance.getProposal(id).creation + bound(wait, 0, 48 minutes));
        vm.prank(alice);
        uint256 w = governance.initiateWithdraw(alice, POWER);
        _to(_lastPending(id) + 1);
        _vote(bob, id, POWER, true);
        _to(governance.getWithdrawal(w).unlocksAt);
        vm.assertLe(_now(), _lastQueued(id));
        _assertState(id, _now() <= _lastActive(id) ? ProposalState.Active : ProposalState.Queued);
        governance.finaliseWithdraw(w);
        vm.assertEq(asset.balanceOf(alice), POWER);
    }

    function test_leaving_whoLeavesASecondLaterMayStillBeInsideAtExecution() public {
        uint256 id = _propose(_boxPayload(1));
        _to(governance.getProposal(id).creation + 48 minutes + 1);
        vm.prank(alice);
        uint256 w = governance.initiateWithdraw(alice, POWER);
        vm.assertEq(governance.getWithdrawal(w).unlocksAt, _lastQueued(id) + 1);
    }

    function test_leaving_theSamePowerVotesOnEveryProposalButOnlyOnceOnEach() public {
        uint256 a = _propose(_boxPayload(1));
        uint256 b = _propose(_boxPayload(2));
        _to(_lastPending(b) + 1);
        _vote(alice, a, POWER, true);
        _vote(alice, b, POWER, false);
        _expectRevert(abi.encodeWithSelector(IGovernance.Governance__InsufficientPower.selector, alice, 0, 1));
        _vote(alice, a, 1, false);
    }

    /// @dev Tokens that traveled to a second account must not vote twice on one proposal.
    function testFuzz_leaving_tokensVoteOnceHoweverTheyTravel(uint256 when) public {
        uint256 first = _propose(_boxPayload(1));
        uint256 created = governance.getProposal(first).creation;
        _to(created + bound(when, 0, 2 hours));
        vm.prank(alice);
        uint256 w = governance.initiateWithdraw(address(0xD00D), POWER);
        uint256 unlocksAt = governance.getWithdrawal(w).unlocksAt;
        bool counted = governance.getWithdrawal(w).unlocksAt - (12 minutes + 2 hours) > _lastPending(first);
        // They come back too late to be counted a second time for the same snapshot.
        vm.assertGt(unlocksAt, _lastActive(first));
        _to(unlocksAt);
        governance.finaliseWithdraw(w);
        vm.startPrank(address(0xD00D));
        asset.approve(address(governance), POWER);
        governance.deposit(address(0xD00D), POWER);
        vm.stopPrank();
        vm.assertEq(governance.powerAt(address(0xD00D), _lastPending(first)), 0);
        vm.assertEq(governance.powerAt(alice, _lastPending(first)), counted ? POWER : 0);
    }
}
