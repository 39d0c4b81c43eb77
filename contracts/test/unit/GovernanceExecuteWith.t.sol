// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {Action} from "canon/interfaces/IPayload.sol";
import {ActionsEncoding} from "../mocks/ActionsEncoding.sol";
import {RawAnswer} from "../mocks/RawAnswer.sol";
import {GovernanceFixture} from "./GovernanceFixture.t.sol";

/// @notice Execution with the list given by the caller.
contract GovernanceExecuteWithTest is GovernanceFixture {
    function _boxActions(uint256 count, uint256 seed) private view returns (Action[] memory actions) {
        actions = new Action[](count);
        for (uint256 i; i < count; ++i) {
            actions[i] = _boxAction(uint256(keccak256(abi.encode(seed, i))))[0];
        }
    }

    function _refuseChanged(uint256 id, Action[] memory found) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IGovernance.Governance__ActionsChanged.selector,
                id,
                governance.actionsHash(id),
                keccak256(abi.encode(found))
            )
        );
    }

    function testFuzz_executeWith_theFrozenListDoesTheSame(address anyone, uint8 count, uint256 seed) public {
        Action[] memory actions = _boxActions(1 + count % 8, seed);
        uint256 id = _passed(_list(actions));
        vm.expectEmit(address(governance));
        emit IGovernance.ProposalExecuted(id);
        vm.prank(anyone);
        vm.assertTrue(governance.executeWith(id, actions));
        vm.assertEq(box.calls(), actions.length);
        vm.assertEq(box.value(), uint256(keccak256(abi.encode(seed, actions.length - 1))));
        _state(id, ProposalState.Executed);
    }

    function testFuzz_executeWith_doesNotAskThePayload(uint256 value) public {
        address payload = _list(_boxAction(value));
        uint256 id = _passed(payload);
        vm.expectCall(payload, "", 0);
        governance.executeWith(id, _boxAction(value));
    }

    function testFuzz_executeWith_refusesAnyOtherList(uint256 id, Action[] memory other) public {
        id = _passed(_list(_boxActions(3, id)));
        other = _few(other);
        vm.assume(keccak256(abi.encode(other)) != governance.actionsHash(id));
        _refuseChanged(id, other);
        governance.executeWith(id, other);
        _state(id, ProposalState.Executable);
    }

    function testFuzz_executeWith_refusesTheEmptyList(uint8 count, uint256 seed) public {
        uint256 id = _passed(_list(_boxActions(1 + count % 4, seed)));
        _refuseChanged(id, new Action[](0));
        governance.executeWith(id, new Action[](0));
    }

    function testFuzz_executeWith_refusesAnotherOrder(uint8 count, uint256 seed, uint256 a, uint256 b) public {
        Action[] memory actions = _boxActions(2 + count % 5, seed);
        uint256 id = _passed(_list(actions));
        a %= actions.length;
        b %= actions.length;
        vm.assume(a != b);
        (actions[a], actions[b]) = (actions[b], actions[a]);
        _refuseChanged(id, actions);
        governance.executeWith(id, actions);
    }

    function testFuzz_executeWith_refusesAnActionMoreOrLess(uint8 count, uint256 seed, bool more) public {
        Action[] memory actions = _boxActions(2 + count % 5, seed);
        uint256 id = _passed(_list(actions));
        Action[] memory other = new Action[](more ? actions.length + 1 : actions.length - 1);
        for (uint256 i; i < other.length; ++i) {
            other[i] = actions[i % actions.length];
        }
        _refuseChanged(id, other);
        governance.executeWith(id, other);
    }

    function testFuzz_executeWith_refusesAnotherTargetOrOtherData(uint256 value, address target, bytes memory data)
        public
    {
        Action[] memory actions = _boxAction(value);
        uint256 id = _passed(_list(actions));
        vm.assume(target != address(box) && keccak256(data) != keccak256(actions[0].data));
        _refuseChanged(id, _one(target, actions[0].data));
        governance.executeWith(id, _one(target, actions[0].data));
        _refuseChanged(id, _one(address(box), data));
        governance.executeWith(id, _one(address(box), data));
    }

    /// @dev The bytes of the frozen list cut differently into actions.
    function testFuzz_executeWith_refusesDataMovedBetweenActions(bytes memory data, uint256 cut) public {
        vm.assume(data.length != 0);
        Action[] memory actions = new Action[](2);
        actions[0] = Action(address(box), data);
        actions[1] = Action(address(box), "");
        uint256 id = _passed(_list(actions));
        cut = bound(cut, 0, data.length - 1);
        bytes memory head = new bytes(cut);
        bytes memory tail = new bytes(data.length - cut);
        for (uint256 i; i < data.length; ++i) {
            if (i < cut) head[i] = data[i];
            else tail[i - cut] = data[i];
        }
        Action[] memory other = new Action[](2);
        other[0] = Action(address(box), head);
        other[1] = Action(address(box), tail);
        _refuseChanged(id, other);
        governance.executeWith(id, other);
    }

    function testFuzz_executeWith_anotherProposalsListIsRefused(uint256 first, uint256 second) public {
        vm.assume(first != second);
        _arm();
        uint256 a = _push(_list(_boxAction(first)));
        uint256 b = _push(_list(_boxAction(second)));
        _approve(a);
        _approve(b);
        vm.warp(_ends(b)[2] + 1);
        _refuseChanged(a, _boxAction(second));
        governance.executeWith(a, _boxAction(second));
        governance.executeWith(b, _boxAction(second));
        governance.executeWith(a, _boxAction(first));
        vm.assertEq(box.value(), first);
        vm.assertEq(box.calls(), 2);
    }

    /// @dev The caller may encode the list as it likes; what counts is what it says.
    function testFuzz_executeWith_anotherEncodingIsTheSameList(uint8 count, uint256 seed) public {
        Action[] memory actions = _boxActions(1 + count % 5, seed);
        uint256 id = _passed(_list(actions));
        bytes memory encoded = ActionsEncoding.scattered(actions, seed);
        // The proposal's id stands before the offset of the list.
        assembly ("memory-safe") {
            mstore(add(encoded, 32), add(mload(add(encoded, 32)), 32))
        }
        bytes memory call = bytes.concat(IGovernance.executeWith.selector, abi.encode(id), encoded);
        (bool success, bytes memory answer) = address(governance).call(call);
        vm.assertTrue(success);
        vm.assertEq(answer, abi.encode(true));
        vm.assertEq(box.calls(), actions.length);
    }

    function testFuzz_executeWith_failsAsExecuteDoes(uint8 before, bytes memory reason) public {
        address failing = address(new RawAnswer(reason, true));
        uint256 index = before % 4;
        Action[] memory actions = _boxActions(index + 2, before);
        actions[index] = Action(failing, "");
        uint256 id = _passed(_list(actions));
        bytes memory refusal =
            abi.encodeWithSelector(IGovernance.Governance__ActionFailed.selector, index, failing, reason);
        vm.expectRevert(refusal);
        governance.executeWith(id, actions);
        vm.expectRevert(refusal);
        governance.execute(id);
        vm.assertEq(box.calls(), 0);
    }

    function testFuzz_executeWith_refusesAnActionOnTheAsset(bytes memory data) public {
        Action[] memory actions = _one(address(asset), data);
        uint256 id = _passed(_list(actions));
        vm.expectRevert(abi.encodeWithSelector(IGovernance.Governance__ActionOnAsset.selector, uint256(0)));
        governance.executeWith(id, actions);
    }
}
