// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Configuration, IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {Action} from "canon/interfaces/IPayload.sol";
import {Box} from "../mocks/Box.sol";
import {ConstantPayload} from "../mocks/ConstantPayload.sol";
import {Create2Factory} from "../mocks/Create2Factory.sol";
import {Delegation} from "../mocks/Delegation.sol";
import {RawAnswer} from "../mocks/RawAnswer.sol";
import {GovernanceFixture} from "./GovernanceFixture.t.sol";

/// @notice Takes money, if it gets any.
contract ValueRecorder {
    uint256 public received;
    uint256 public calls;

    function take() external payable {
        received += msg.value;
        ++calls;
    }
}

contract GovernanceExecuteTest is GovernanceFixture {
    function _refuseNotExecutable(uint256 id, ProposalState state) private {
        _refuseState(IGovernance.Governance__NotExecutable.selector, id, state);
    }

    function _refuseFailed(uint256 index, address target, bytes memory reason) private {
        vm.expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__ActionFailed.selector, index, target, reason)
        );
    }

    /// @dev `before` box actions, then `middle`, then `later` box actions.
    function _around(Action memory middle, uint256 before, uint256 later) private view returns (Action[] memory list) {
        list = new Action[](before + 1 + later);
        for (uint256 i; i < list.length; ++i) {
            list[i] = i == before ? middle : _boxAction(i + 1)[0];
        }
    }

    function testFuzz_execute_makesTheCallsInOrderAsGovernance(address anyone, uint256[] memory values) public {
        vm.assume(values.length != 0);
        Action[] memory actions = new Action[](values.length > 12 ? 12 : values.length);
        for (uint256 i; i < actions.length; ++i) {
            actions[i] = _boxAction(values[i])[0];
        }
        uint256 id = _passed(_list(actions));
        vm.expectEmit(address(governance));
        emit IGovernance.ProposalExecuted(id);
        vm.prank(anyone);
        vm.assertTrue(governance.execute(id));
        vm.assertEq(box.calls(), actions.length);
        vm.assertEq(box.value(), values[actions.length - 1]);
        vm.assertEq(box.lastCaller(), address(governance));
        _state(id, ProposalState.Executed);
        vm.assertEq(uint256(governance.getProposal(id).state), uint256(ProposalState.Executed));
    }

    function testFuzz_execute_fromTheFirstToTheLastExecutableSecond(Configuration memory c, uint256 time) public {
        c = _passable(c);
        _deploy(c);
        _arm();
        uint256 first = _push(_payload());
        uint256 second = _push(_payload());
        uint256 third = _push(_payload());
        uint256 fourth = _push(_payload());
        uint256[4] memory ends = _ends(first);
        for (uint256 id; id < 4; ++id) {
            _approve(id);
        }
        vm.warp(ends[2]);
        _refuseNotExecutable(first, ProposalState.Queued);
        governance.execute(first);
        vm.warp(ends[2] + 1);
        governance.execute(first);
        vm.warp(bound(time, ends[2] + 1, ends[3]));
        governance.execute(second);
        vm.warp(ends[3]);
        governance.execute(third);
        vm.warp(ends[3] + 1);
        _refuseNotExecutable(fourth, ProposalState.Expired);
        governance.execute(fourth);
        vm.assertEq(box.calls(), 3);
    }

    function testFuzz_execute_refusesEveryOtherSecond(uint256 time, bool accepted, bool byList) public {
        _arm();
        uint256 id = _push(_payload());
        uint256[4] memory ends = _ends(id);
        if (accepted) _approve(id);
        time = bound(time, START, ends[3] + 1 days);
        if (accepted && time > ends[2] && time <= ends[3]) time += ends[3] - ends[2];
        vm.warp(time);
        ProposalState state = governance.getProposalState(id);
        _refuseNotExecutable(id, state);
        if (byList) governance.executeWith(id, _boxAction(1));
        else governance.execute(id);
        vm.assertEq(box.calls(), 0);
    }

    function testFuzz_execute_refusesASecondTime(uint256 wait, bool byList) public {
        uint256 id = _passed(_payload());
        governance.execute(id);
        skip(bound(wait, 0, 2 hours));
        _refuseNotExecutable(id, ProposalState.Executed);
        if (byList) governance.executeWith(id, _boxAction(1));
        else governance.execute(id);
        vm.assertEq(box.calls(), 1);
    }

    function testFuzz_execute_refusesUnknownIds(uint256 id, bool byList) public {
        uint256 known = _passed(_payload());
        id = bound(id, known + 1, type(uint256).max);
        _refuseUnknown(id);
        if (byList) governance.executeWith(id, _boxAction(1));
        else governance.execute(id);
    }

    function testFuzz_execute_refusesAnActionOnTheAsset(uint8 before, uint8 later, bytes memory data) public {
        uint256 index = before % 5;
        uint256 id = _passed(_list(_around(Action(address(asset), data), index, later % 5)));
        vm.expectRevert(abi.encodeWithSelector(IGovernance.Governance__ActionOnAsset.selector, index));
        governance.execute(id);
        vm.assertEq(box.calls(), 0);
        _state(id, ProposalState.Executable);
    }

    /// @dev What holders locked is out of reach of any majority.
    function test_execute_cannotMoveTheHoldersAsset() public {
        bytes memory theft = abi.encodeCall(asset.transfer, (majority, MAJORITY));
        uint256 id = _passed(_list(_one(address(asset), theft)));
        vm.expectRevert(abi.encodeWithSelector(IGovernance.Governance__ActionOnAsset.selector, uint256(0)));
        governance.execute(id);
        vm.assertEq(asset.balanceOf(address(governance)), MAJORITY);
    }

    function testFuzz_execute_refusesAnActionWithoutCode(uint8 before, uint8 later, address target, bytes memory data)
        public
    {
        _stranger(target);
        uint256 index = before % 5;
        uint256 id = _passed(_list(_around(Action(target, data), index, later % 5)));
        _refuseWithoutCode(index, target);
        governance.execute(id);
        vm.assertEq(box.calls(), 0);
    }

    function testFuzz_execute_refusesADelegationAsTarget(address target, uint256 value) public {
        _stranger(target);
        Delegation.set(target, address(box));
        uint256 id = _passed(_list(_one(target, abi.encodeCall(Box.set, (value)))));
        _refuseWithoutCode(0, target);
        governance.execute(id);
    }

    function testFuzz_execute_refusesPrecompiles(uint8 number, bytes memory data) public {
        address target = address(uint160(bound(number, 1, 0x11)));
        uint256 id = _passed(_list(_one(target, data)));
        _refuseWithoutCode(0, target);
        governance.execute(id);
    }

    function _refuseWithoutCode(uint256 index, address target) private {
        vm.expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__ActionWithoutCode.selector, index, target)
        );
    }

    function testFuzz_execute_aFailingActionRevertsAllWithItsIndexAndReason(
        uint8 before,
        uint8 later,
        bytes memory reason,
        bytes memory data
    ) public {
        address failing = address(new RawAnswer(reason, true));
        uint256 index = before % 5;
        uint256 id = _passed(_list(_around(Action(failing, data), index, later % 5)));
        _refuseFailed(index, failing, reason);
        governance.execute(id);
        vm.assertEq(box.calls(), 0, "nothing is left of the actions before");
        _state(id, ProposalState.Executable);
        vm.assertEq(uint256(governance.getProposal(id).state), uint256(ProposalState.Pending));
    }

    /// @dev The reason arrives whole, whatever its length.
    function test_execute_theReasonOfAFailureIsCopiedWhole() public {
        uint16[6] memory lengths = [0, 1, 32, 33, 100, 10_000];
        for (uint256 i; i < lengths.length; ++i) {
            bytes memory reason = new bytes(lengths[i]);
            for (uint256 j; j < reason.length; ++j) {
                reason[j] = bytes1(uint8(j % 255 + 1));
            }
            address failing = address(new RawAnswer(reason, true));
            uint256 id = _passed(_list(_one(failing, "")));
            bytes[2] memory calls = _bothWays(id, _one(failing, ""));
            for (uint256 way; way < 2; ++way) {
                (bool success, bytes memory answer) = address(governance).call(calls[way]);
                vm.assertFalse(success);
                vm.assertEq(
                    answer,
                    abi.encodeWithSelector(IGovernance.Governance__ActionFailed.selector, 0, failing, reason)
                );
            }
        }
    }

    /// @dev Nobody reads what a successful action answers, so nobody pays for a copy of it: a megabyte costs what its
    /// target needs for it, some 2 million gas. A copy would cost as much again.
    function test_execute_theAnswerOfASuccessIsNotCopied() public {
        address silent = ConstantPayload.create(ConstantPayload.zeros(0));
        address huge = ConstantPayload.create(ConstantPayload.zeros(1_000_000));
        uint256 own = _gasOf(huge, "") - _gasOf(silent, "");
        vm.assertGt(own, 2_000_000, "what the answer costs its target");
        _arm();
        uint256 a = _push(_list(_one(silent, "")));
        uint256 b = _push(_list(_one(huge, "")));
        _approve(a);
        _approve(b);
        vm.warp(_ends(b)[2] + 1);
        bytes[2] memory silentCalls = _bothWays(a, _one(silent, ""));
        bytes[2] memory hugeCalls = _bothWays(b, _one(huge, ""));
        for (uint256 way; way < 2; ++way) {
            uint256 state = vm.snapshotState();
            uint256 least = _gasOf(address(governance), silentCalls[way]);
            uint256 used = _gasOf(address(governance), hugeCalls[way]);
            _state(a, ProposalState.Executed);
            _state(b, ProposalState.Executed);
            vm.assertLt(used, least + own + 20_000, "the answer was copied");
            vm.revertToState(state);
        }
    }

    /// @dev The calls of `execute` and of `executeWith`.
    function _bothWays(uint256 id, Action[] memory actions) private pure returns (bytes[2] memory) {
        return [abi.encodeCall(IGovernance.execute, (id)), abi.encodeCall(IGovernance.executeWith, (id, actions))];
    }

    /// @dev The gas of a call that succeeds; its answer isn't copied.
    function _gasOf(address target, bytes memory data) private returns (uint256 used) {
        bool success;
        uint256 before = gasleft();
        assembly ("memory-safe") {
            success := call(gas(), target, 0, add(data, 32), mload(data), 0, 0)
        }
        used = before - gasleft();
        vm.assertTrue(success);
    }

    function testFuzz_execute_whatFailedCanBeRetriedUntilItExpires(uint256 value, uint256 retryAt, bool inTime) public {
        box.setRefuses(true);
        uint256 id = _passed(_list(_boxAction(value)));
        uint256 last = _ends(id)[3];
        bytes memory reason = abi.encodeWithSelector(Box.Refused.selector, value);
        _refuseFailed(0, address(box), reason);
        governance.execute(id);
        retryAt = bound(retryAt, vm.getBlockTimestamp(), last);
        vm.warp(retryAt);
        _refuseFailed(0, address(box), reason);
        governance.execute(id);
        box.setRefuses(false);
        if (inTime) {
            governance.execute(id);
            vm.assertEq(box.value(), value);
            _state(id, ProposalState.Executed);
        } else {
            vm.warp(last + 1);
            _refuseNotExecutable(id, ProposalState.Expired);
            governance.execute(id);
        }
    }

    function testFuzz_execute_sendsNoValue(uint256 balance, uint8 count) public {
        balance = bound(balance, 1, type(uint128).max);
        vm.deal(address(governance), balance);
        ValueRecorder recorder = new ValueRecorder();
        Action[] memory actions = new Action[](1 + count % 5);
        for (uint256 i; i < actions.length; ++i) {
            actions[i] = Action(address(recorder), abi.encodeCall(ValueRecorder.take, ()));
        }
        governance.execute(_passed(_list(actions)));
        vm.assertEq(recorder.calls(), actions.length);
        vm.assertEq(recorder.received(), 0);
        vm.assertEq(address(governance).balance, balance);
    }

    function testFuzz_execute_takesNoValue(uint256 value) public {
        value = bound(value, 1, type(uint128).max);
        vm.deal(address(this), value);
        uint256 id = _passed(_payload());
        bytes[2] memory calls = [abi.encodeCall(IGovernance.execute, (id)), bytes("")];
        for (uint256 i; i < 2; ++i) {
            (bool success, bytes memory answer) = address(governance).call{value: value}(calls[i]);
            vm.assertFalse(success);
            vm.assertEq(answer.length, 0, "refused for the value alone");
        }
        _state(id, ProposalState.Executable);
        governance.execute(id);
    }

    function testFuzz_execute_anActionMayDeployALaterOnesTarget(bytes32 salt, uint256 value) public {
        Create2Factory factory = new Create2Factory();
        address child = factory.addressOf(salt, type(Box).creationCode);
        Action[] memory actions = new Action[](2);
        actions[0] = Action(address(factory), abi.encodeCall(Create2Factory.create, (salt, type(Box).creationCode)));
        actions[1] = Action(child, abi.encodeCall(Box.set, (value)));
        uint256 id = _passed(_list(actions));
        vm.assertEq(child.code.length, 0);
        governance.execute(id);
        vm.assertEq(Box(child).value(), value);
        vm.assertEq(Box(child).lastCaller(), address(governance));
    }

    function testFuzz_execute_theTargetMustExistWhenItsTurnComes(bytes32 salt, uint256 value) public {
        Create2Factory factory = new Create2Factory();
        address child = factory.addressOf(salt, type(Box).creationCode);
        Action[] memory actions = new Action[](2);
        actions[0] = Action(child, abi.encodeCall(Box.set, (value)));
        actions[1] = Action(address(factory), abi.encodeCall(Create2Factory.create, (salt, type(Box).creationCode)));
        uint256 id = _passed(_list(actions));
        _refuseWithoutCode(0, child);
        governance.execute(id);
        // Deployed by anybody in the meantime, it is there, but then the deployment of the list fails.
        factory.create(salt, type(Box).creationCode);
        _refuseFailed(1, address(factory), abi.encodeWithSelector(Create2Factory.Failed.selector));
        governance.execute(id);
    }

    function testFuzz_execute_laterActionsSeeWhatEarlierOnesDid(uint256 value) public {
        Action[] memory actions = new Action[](2);
        actions[0] = Action(address(box), abi.encodeCall(Box.setRefuses, (true)));
        actions[1] = _boxAction(value)[0];
        uint256 id = _passed(_list(actions));
        _refuseFailed(1, address(box), abi.encodeWithSelector(Box.Refused.selector, value));
        governance.execute(id);
        vm.assertFalse(box.refuses());
    }

    function testFuzz_execute_ofSeveralAnyoneChoosesTheOrder(uint256 seed) public {
        _arm();
        uint256[4] memory ids;
        for (uint256 i; i < 4; ++i) {
            ids[i] = _push(_list(_boxAction(i)));
        }
        for (uint256 i; i < 4; ++i) {
            _approve(ids[i]);
        }
        vm.warp(_ends(ids[0])[2] + 1);
        for (uint256 left = 4; left != 0; --left) {
            uint256 next = seed % left;
            seed /= 4;
            governance.execute(ids[next]);
            vm.assertEq(governance.actionsHash(ids[next]), keccak256(abi.encode(_boxAction(box.value()))));
            (ids[next], ids[left - 1]) = (ids[left - 1], ids[next]);
        }
        vm.assertEq(box.calls(), 4);
    }

    function testFuzz_execute_refusesWhatWasRejected(uint256 yea, uint256 wait) public {
        _arm();
        uint256 id = _push(_payload());
        vm.warp(_lastPending(id) + 1);
        yea = bound(yea, 1, MAJORITY / 2);
        vm.startPrank(majority);
        governance.vote(id, yea, true);
        governance.vote(id, MAJORITY - yea, false);
        vm.stopPrank();
        vm.warp(bound(wait, _ends(id)[1] + 1, _ends(id)[3]));
        _refuseNotExecutable(id, ProposalState.Rejected);
        governance.execute(id);
    }
}
