// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {
    Configuration,
    IGovernance,
    Proposal,
    ProposalState,
    Withdrawal
} from "canon/interfaces/IGovernance.sol";
import {Action} from "canon/interfaces/IPayload.sol";
import {SetLib} from "../Set.sol";
import {RawAnswer} from "../mocks/RawAnswer.sol";
import {GovernanceFixture} from "./GovernanceFixture.t.sol";

/// @notice The way past the sequencers.
contract GovernanceLockTest is GovernanceFixture {
    address internal alice;
    address internal recipient;

    function setUp() public override {
        super.setUp();
        alice = addressOf("alice");
        recipient = addressOf("recipient");
    }

    function _propose(address payload, address to) private returns (uint256 id) {
        id = governance.proposalCount();
        vm.prank(alice);
        vm.assertTrue(governance.proposeWithLock(payload, to));
    }

    function testFuzz_proposeWithLock_takesExactlyTheLockAmount(Configuration memory c, uint256 locked) public {
        c = _allowed(c);
        _deploy(c);
        uint256 lockAmount = c.proposeConfig.lockAmount;
        locked = bound(locked, lockAmount, SUPPLY);
        _lock(alice, locked);
        _propose(_payload(), recipient);
        vm.assertEq(_power(alice), locked - lockAmount, "at once");
        vm.assertEq(_totalPower(), locked - lockAmount);
        Withdrawal memory w = governance.getWithdrawal(0);
        vm.assertEq(w.amount, lockAmount);
        vm.assertEq(w.recipient, recipient);
        vm.assertFalse(w.claimed);
        vm.assertEq(governance.withdrawalCount(), 1);
    }

    function testFuzz_proposeWithLock_unlocksAfterTheLongerDelay(Configuration memory c, uint256 lockDelay) public {
        c = _allowed(c);
        uint256 exit = _exitDelay(c);
        // Around the withdrawal delay, where it may be the longer or the shorter one.
        c.proposeConfig.lockDelay = bound(lockDelay, exit < 90 ? 60 : exit - 30, exit + 30);
        _deploy(c);
        _lock(alice, c.proposeConfig.lockAmount);
        _propose(_payload(), recipient);
        uint256 delay = c.proposeConfig.lockDelay > exit ? c.proposeConfig.lockDelay : exit;
        vm.assertEq(governance.getWithdrawal(0).unlocksAt, START + delay);
    }

    function testFuzz_proposeWithLock_anyLockDelayCounts(Configuration memory c) public {
        c = _allowed(c);
        _deploy(c);
        _lock(alice, c.proposeConfig.lockAmount);
        _propose(_payload(), recipient);
        uint256 delay = c.proposeConfig.lockDelay;
        if (_exitDelay(c) > delay) delay = _exitDelay(c);
        vm.assertEq(governance.getWithdrawal(0).unlocksAt, START + delay);
    }

    function testFuzz_proposeWithLock_theFloorCountsToo(Configuration memory slow, Configuration memory fast) public {
        slow = _allowed(slow);
        fast = _allowed(fast);
        vm.assume(_exitDelay(slow) > _exitDelay(fast));
        fast.proposeConfig.lockDelay = bound(fast.proposeConfig.lockDelay, 60, _exitDelay(slow));
        _deploy(slow);
        _lock(alice, SUPPLY / 2);
        _configure(_changeable(fast));
        _propose(_payload(), recipient);
        vm.assertEq(governance.getWithdrawal(0).unlocksAt, START + _exitDelay(slow));
    }

    function testFuzz_proposeWithLock_refusesLessThanTheLockAmount(Configuration memory c, uint256 locked) public {
        c = _allowed(c);
        _deploy(c);
        uint256 lockAmount = c.proposeConfig.lockAmount;
        locked = bound(locked, 1, lockAmount - 1);
        _lock(alice, locked);
        _lock(recipient, SUPPLY - locked);
        address payload = _payload();
        _refusePower(alice, locked, lockAmount);
        vm.prank(alice);
        governance.proposeWithLock(payload, recipient);
    }

    function testFuzz_proposeWithLock_needsThePowerNow(uint256 gap) public {
        uint256 lockAmount = SetLib.configuration().proposeConfig.lockAmount;
        _lock(alice, lockAmount);
        skip(bound(gap, 0, 1000 days));
        vm.prank(alice);
        governance.initiateWithdraw(alice, 1);
        address payload = _payload();
        _refusePower(alice, lockAmount - 1, lockAmount);
        vm.prank(alice);
        governance.proposeWithLock(payload, recipient);
        _lock(alice, 1);
        _propose(payload, recipient);
        _state(0, ProposalState.Pending);
    }

    function testFuzz_proposeWithLock_refusesAddressZero(uint256 locked, address payload) public {
        _lock(alice, bound(locked, 1, SUPPLY));
        _refuse(ICommon.ZeroAddress.selector);
        vm.prank(alice);
        governance.proposeWithLock(payload, address(0));
    }

    function testFuzz_proposeWithLock_refusesAPayloadWithoutCodeAndKeepsThePower(address payload) public {
        _stranger(payload);
        uint256 lockAmount = SetLib.configuration().proposeConfig.lockAmount;
        _lock(alice, lockAmount);
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoCode.selector, payload));
        vm.prank(alice);
        governance.proposeWithLock(payload, recipient);
        vm.assertEq(_power(alice), lockAmount);
        vm.assertEq(governance.withdrawalCount(), 0);
    }

    function testFuzz_proposeWithLock_refusesAnUnreadablePayload(bytes memory garbage) public {
        address payload = address(new RawAnswer(garbage, true));
        _lock(alice, SUPPLY);
        vm.expectRevert(abi.encodeWithSelector(IGovernance.Governance__UnreadableActions.selector, payload));
        vm.prank(alice);
        governance.proposeWithLock(payload, recipient);
    }

    function testFuzz_proposeWithLock_announcesTheWithdrawalAndTheProposal(address to, Action[] memory actions) public {
        vm.assume(to != address(0) && actions.length != 0);
        actions = _few(actions);
        Configuration memory c = SetLib.configuration();
        _lock(alice, c.proposeConfig.lockAmount);
        address payload = _list(actions);
        vm.expectEmit(address(governance));
        emit IGovernance.WithdrawInitiated(0, to, c.proposeConfig.lockAmount);
        vm.expectEmit(address(governance));
        emit IGovernance.WithdrawalQueued(0, alice, START + c.proposeConfig.lockDelay);
        vm.expectEmit(address(governance));
        emit IGovernance.Proposed(0, payload);
        vm.expectEmit(address(governance));
        emit IGovernance.ProposalFrozen(0, address(governance), 0, keccak256(abi.encode(actions)), actions);
        _propose(payload, to);
    }

    function testFuzz_proposeWithLock_theProposerIsGovernance(uint32 gap) public {
        _lock(alice, SUPPLY);
        skip(gap % 4_000_000_000);
        address payload = _payload();
        uint256 id = _propose(payload, recipient);
        Proposal memory p = governance.getProposal(id);
        vm.assertEq(p.governanceProposer, address(governance));
        vm.assertEq(p.payload, payload);
        vm.assertEq(p.creation, vm.getBlockTimestamp());
    }

    /// @dev The amount was given up before the snapshot: it neither votes nor counts.
    function testFuzz_proposeWithLock_theLockAmountHasNoBallot(uint256 rest) public {
        uint256 lockAmount = SetLib.configuration().proposeConfig.lockAmount;
        rest = bound(rest, 1, SUPPLY - lockAmount);
        _lock(alice, lockAmount + rest);
        uint256 id = _propose(_payload(), recipient);
        uint256 last = _lastPending(id);
        vm.warp(last + 1);
        vm.assertEq(governance.totalPowerAt(last), rest);
        _refusePower(alice, rest, rest + 1);
        vm.prank(alice);
        governance.vote(id, rest + 1, true);
    }

    /// @dev Twice in one second costs twice.
    function testFuzz_proposeWithLock_everyProposalCosts(uint8 times, uint256 rest) public {
        times = uint8(bound(times, 1, 8));
        uint256 lockAmount = SetLib.configuration().proposeConfig.lockAmount;
        rest = bound(rest, 0, lockAmount - 1);
        _lock(alice, lockAmount * times + rest);
        address payload = _payload();
        for (uint256 i; i < times; ++i) {
            _propose(payload, recipient);
        }
        _refusePower(alice, rest, lockAmount);
        vm.prank(alice);
        governance.proposeWithLock(payload, recipient);
        skip(31 days);
        for (uint256 i; i < times; ++i) {
            governance.finaliseWithdraw(i);
        }
        vm.assertEq(asset.balanceOf(recipient), lockAmount * times);
    }

    function testFuzz_proposeWithLock_passesLikeAnyOther(Configuration memory c) public {
        c = _passable(c);
        _deploy(c);
        uint256 id = _pushByLock(_payload());
        _arm();
        _approve(id);
        vm.warp(_ends(id)[2] + 1);
        vm.assertTrue(governance.execute(id));
        vm.assertEq(box.value(), 1);
    }

    function testFuzz_proposeWithLock_worksWithoutTheProposalsContract(address anyone) public {
        _stranger(anyone);
        // The governance proposer answers nothing any more.
        vm.etch(proposals, hex"fe");
        uint256 id = _pushByLock(_payload());
        _arm();
        _approve(id);
        vm.warp(_ends(id)[2] + 1);
        vm.prank(anyone);
        governance.execute(id);
        _state(id, ProposalState.Executed);
    }
}
