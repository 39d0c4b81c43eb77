// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {Action} from "canon/interfaces/IPayload.sol";
import {SetLib} from "../Set.sol";
import {Reentrant} from "../mocks/Reentrant.sol";
import {GovernanceFixture} from "./GovernanceFixture.t.sol";

/// @notice What actions can do to Governance while it executes them.
contract GovernanceReentrancyTest is GovernanceFixture {
    Reentrant internal reentrant;

    function setUp() public override {
        super.setUp();
        reentrant = new Reentrant();
    }

    /// @dev A passed proposal whose only action calls `reentrant`.
    function _passedReentrant() private returns (uint256) {
        return _passed(_list(_one(address(reentrant), "go")));
    }

    function _outcome(uint256 index, bool expected, bytes memory answer) private view {
        (bool success, bytes memory found) = reentrant.outcome(index);
        vm.assertEq(success, expected, "success");
        vm.assertEq(found, answer, "answer");
    }

    function testFuzz_reentrancy_theProposalIsExecutedOnce(uint8 times, bool byList) public {
        uint256 id = _passedReentrant();
        times = uint8(bound(times, 1, 6));
        bytes memory again = byList
            ? abi.encodeCall(IGovernance.executeWith, (id, _one(address(reentrant), "go")))
            : abi.encodeCall(IGovernance.execute, (id));
        for (uint256 i; i < times; ++i) {
            reentrant.add(address(governance), again);
        }
        governance.execute(id);
        vm.assertEq(reentrant.outcomes(), times, "the action ran once");
        bytes memory refusal = abi.encodeWithSelector(
            IGovernance.Governance__NotExecutable.selector, id, ProposalState.Executed
        );
        for (uint256 i; i < times; ++i) {
            _outcome(i, false, refusal);
        }
    }

    function testFuzz_reentrancy_anotherExecutableProposalMayBeExecuted(uint256 value) public {
        _arm();
        uint256 outer = _push(_list(_one(address(reentrant), "go")));
        uint256 inner = _push(_list(_boxAction(value)));
        _approve(outer);
        _approve(inner);
        vm.warp(_ends(inner)[2] + 1);
        reentrant.add(address(governance), abi.encodeCall(IGovernance.execute, (inner)));
        governance.execute(outer);
        _outcome(0, true, abi.encode(true));
        _state(inner, ProposalState.Executed);
        _state(outer, ProposalState.Executed);
        vm.assertEq(box.value(), value);
    }

    /// @dev By an action of Governance itself, too.
    function testFuzz_reentrancy_aProposalMayExecuteAnother(uint256 value) public {
        _arm();
        uint256 inner = _push(_list(_boxAction(value)));
        uint256 outer = _push(_list(_one(address(governance), abi.encodeCall(IGovernance.execute, (inner)))));
        _approve(inner);
        _approve(outer);
        vm.warp(_ends(outer)[2] + 1);
        governance.execute(outer);
        _state(inner, ProposalState.Executed);
        vm.assertEq(box.value(), value);
    }

    function test_reentrancy_aProposalCannotExecuteItself() public {
        bytes memory itself = abi.encodeCall(IGovernance.execute, (0));
        uint256 id = _passed(_list(_one(address(governance), itself)));
        vm.assertEq(id, 0);
        bytes memory reason = abi.encodeWithSelector(
            IGovernance.Governance__NotExecutable.selector, id, ProposalState.Executed
        );
        _refuseFailed(address(governance), reason);
        governance.execute(id);
    }

    function _refuseFailed(address target, bytes memory reason) private {
        vm.expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__ActionFailed.selector, uint256(0), target, reason)
        );
    }

    function test_reentrancy_proposingIsStillForTheProposalsContract() public {
        uint256 id = _passedReentrant();
        reentrant.add(address(governance), abi.encodeCall(IGovernance.propose, (_payload())));
        governance.execute(id);
        _outcome(
            0,
            false,
            abi.encodeWithSelector(
                IGovernance.Governance__NotGovernanceProposer.selector, address(reentrant), proposals
            )
        );
        vm.assertEq(governance.proposalCount(), 1);
    }

    function test_reentrancy_theNewProposalsContractMayProposeAtOnce() public {
        address payload = _payload();
        reentrant.add(address(governance), abi.encodeCall(IGovernance.propose, (payload)));
        Action[] memory actions = new Action[](2);
        actions[0] = Action(
            address(governance), abi.encodeCall(IGovernance.updateGovernanceProposer, (address(reentrant)))
        );
        actions[1] = Action(address(reentrant), "go");
        uint256 id = _passed(_list(actions));
        governance.execute(id);
        _outcome(0, true, abi.encode(true));
        _state(id, ProposalState.Executed);
        _state(id + 1, ProposalState.Pending);
        vm.assertEq(governance.getProposal(id + 1).governanceProposer, address(reentrant));
        vm.assertEq(governance.getProposal(id + 1).payload, payload);
    }

    function testFuzz_reentrancy_ballotsDuringAnExecutionCount(uint256 power, uint256 amount, bool support) public {
        power = bound(power, 1, MAJORITY);
        amount = bound(amount, 1, power);
        _lock(address(reentrant), power);
        _arm();
        uint256 id = _push(_list(_one(address(reentrant), "go")));
        uint256 executable = _ends(id)[2] + 1;
        _approve(id);
        // Active for the first time when the other is Executable for the first time.
        vm.warp(executable - SetLib.configuration().votingDelay - 1);
        uint256 other = _push(_payload());
        vm.warp(executable);
        _state(other, ProposalState.Active);
        reentrant.add(address(governance), abi.encodeCall(IGovernance.vote, (other, amount, support)));
        reentrant.add(address(governance), abi.encodeCall(IGovernance.vote, (id, amount, support)));
        governance.execute(id);
        _outcome(0, true, abi.encode(true));
        _outcome(
            1,
            false,
            abi.encodeWithSelector(IGovernance.Governance__NotActive.selector, id, ProposalState.Executed)
        );
        (uint256 yea, uint256 nea) = governance.ballots(other, address(reentrant));
        vm.assertEq(support ? yea : nea, amount);
        vm.assertEq(support ? nea : yea, 0);
    }

    function testFuzz_reentrancy_depositsAndWithdrawalsDuringAnExecutionCount(uint256 amount, uint256 left) public {
        amount = bound(amount, 1, MAJORITY);
        left = bound(left, 1, amount);
        asset.transfer(address(reentrant), amount);
        uint256 id = _passedReentrant();
        address itself = address(reentrant);
        reentrant.add(address(asset), abi.encodeCall(asset.approve, (address(governance), amount)));
        reentrant.add(address(governance), abi.encodeCall(IGovernance.deposit, (itself, amount)));
        reentrant.add(address(governance), abi.encodeCall(IGovernance.initiateWithdraw, (itself, left)));
        governance.execute(id);
        for (uint256 i; i < 3; ++i) {
            (bool success,) = reentrant.outcome(i);
            vm.assertTrue(success);
        }
        vm.assertEq(_power(itself), amount - left);
        vm.assertEq(_totalPower(), MAJORITY + amount - left);
        vm.assertEq(governance.getWithdrawal(0).amount, left);
    }

    function testFuzz_reentrancy_aWithdrawalIsPaidOnce(uint256 amount) public {
        amount = bound(amount, 1, MAJORITY);
        _lock(address(reentrant), amount);
        vm.prank(address(reentrant));
        uint256 withdrawal = governance.initiateWithdraw(address(reentrant), amount);
        uint256 id = _passedReentrant();
        bytes memory pay = abi.encodeCall(IGovernance.finaliseWithdraw, (withdrawal));
        reentrant.add(address(governance), pay);
        reentrant.add(address(governance), pay);
        governance.execute(id);
        _outcome(0, true, "");
        _outcome(1, false, abi.encodeWithSelector(IGovernance.Governance__AlreadyClaimed.selector, withdrawal));
        vm.assertEq(asset.balanceOf(address(reentrant)), amount);
    }

    function testFuzz_reentrancy_governanceCannotDepositForAnybody(address onBehalfOf, uint256 amount, bool byPermit)
        public
    {
        bytes memory data = byPermit
            ? abi.encodeCall(IGovernance.depositWithPermit, (onBehalfOf, amount, type(uint256).max, 27, 0, 0))
            : abi.encodeCall(IGovernance.deposit, (onBehalfOf, amount));
        uint256 id = _passed(_list(_one(address(governance), data)));
        _refuseFailed(
            address(governance),
            abi.encodeWithSelector(IGovernance.Governance__SelfDeposit.selector, address(governance), onBehalfOf)
        );
        governance.execute(id);
    }

    /// @dev Governance holds the asset of others but has no power of its own.
    function testFuzz_reentrancy_governanceHasNoPowerToWithdrawOrLock(address to, uint256 amount, bool byLock) public {
        vm.assume(to != address(0));
        uint256 needed = byLock ? SetLib.configuration().proposeConfig.lockAmount : bound(amount, 1, SUPPLY);
        bytes memory data = byLock
            ? abi.encodeCall(IGovernance.proposeWithLock, (_payload(), to))
            : abi.encodeCall(IGovernance.initiateWithdraw, (to, needed));
        uint256 id = _passed(_list(_one(address(governance), data)));
        _refuseFailed(
            address(governance),
            abi.encodeWithSelector(
                IGovernance.Governance__InsufficientPower.selector, address(governance), uint256(0), needed
            )
        );
        governance.execute(id);
    }

    /// @dev The Proposals contract is replaced by one action; what the old one pushed is dropped for the next.
    function testFuzz_reentrancy_aReplacementTakesEffectWithinTheExecution(uint256 value) public {
        _arm();
        uint256 other = _push(_list(_boxAction(value)));
        Action[] memory actions = new Action[](2);
        actions[0] =
            Action(address(governance), abi.encodeCall(IGovernance.updateGovernanceProposer, (_newProposals())));
        actions[1] = Action(address(reentrant), "go");
        uint256 id = _push(_list(actions));
        _approve(other);
        _approve(id);
        vm.warp(_ends(id)[2] + 1);
        reentrant.add(address(governance), abi.encodeCall(IGovernance.execute, (other)));
        reentrant.add(address(governance), abi.encodeCall(IGovernance.dropProposal, (other)));
        reentrant.add(address(governance), abi.encodeCall(IGovernance.dropProposal, (id)));
        governance.execute(id);
        _outcome(
            0,
            false,
            abi.encodeWithSelector(
                IGovernance.Governance__NotExecutable.selector, other, ProposalState.Dropped
            )
        );
        _outcome(1, true, abi.encode(true));
        _outcome(
            2,
            false,
            abi.encodeWithSelector(IGovernance.Governance__NotDropped.selector, id, ProposalState.Executed)
        );
        _state(id, ProposalState.Executed);
        vm.assertEq(box.calls(), 0);
    }
}
