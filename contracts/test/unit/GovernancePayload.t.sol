// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {Action, IPayload} from "canon/interfaces/IPayload.sol";
import {ActionsEncoding} from "../mocks/ActionsEncoding.sol";
import {Box} from "../mocks/Box.sol";
import {Delegation} from "../mocks/Delegation.sol";
import {ChangeablePayload} from "../mocks/ChangeablePayload.sol";
import {ProxyPayload} from "../mocks/ProxyPayload.sol";
import {RawAnswer} from "../mocks/RawAnswer.sol";
import {GovernanceFixture} from "./GovernanceFixture.t.sol";

/// @notice The compiler's own decoder.
contract SolcDecoder {
    function decode(bytes memory answer) external pure returns (Action[] memory) {
        return abi.decode(answer, (Action[]));
    }
}

/// @notice A payload that writes when it is asked.
contract WritingPayload {
    uint256 public asked;

    function getActions() external returns (Action[] memory actions) {
        ++asked;
        actions = new Action[](1);
        actions[0].target = address(this);
    }
}

/// @notice A payload without storage, so that its code does the same at any address.
contract CodePayload {
    address private immutable BOX;
    uint256 private immutable VALUE;

    constructor(address box, uint256 value) {
        BOX = box;
        VALUE = value;
    }

    function getActions() external view returns (Action[] memory actions) {
        actions = new Action[](1);
        actions[0] = Action(BOX, abi.encodeCall(Box.set, (VALUE)));
    }
}

/// @notice What is frozen when a payload becomes a proposal, and what happens if the payload changes afterwards.
contract GovernancePayloadTest is GovernanceFixture {
    SolcDecoder internal solc;

    function setUp() public override {
        super.setUp();
        solc = new SolcDecoder();
    }

    function _unreadable(address payload) private {
        vm.expectRevert(abi.encodeWithSelector(IGovernance.Governance__UnreadableActions.selector, payload));
    }

    /// @dev What solc decodes is frozen, what it refuses or finds empty is refused.
    function _differ(bytes memory answer) private {
        address payload = address(new RawAnswer(answer, false));
        try solc.decode(answer) returns (Action[] memory actions) {
            if (actions.length == 0) {
                vm.expectRevert(abi.encodeWithSelector(IGovernance.Governance__NoActions.selector, payload));
                _pushOnly(payload);
                return;
            }
            uint256 id = governance.proposalCount();
            bytes32 expected = keccak256(abi.encode(actions));
            vm.expectEmit(address(governance));
            emit IGovernance.ProposalFrozen(id, proposals, 0, expected, actions);
            _push(payload);
            vm.assertEq(governance.actionsHash(id), expected);
        } catch {
            _unreadable(payload);
            _pushOnly(payload);
        }
    }

    /// @dev Of the bytecode that is deployed; `unit/lib/Actions.t.sol` has other answers.
    function testFuzz_payload_agreesWithSolcOnCorruptedWords(uint8 count, uint256 seed) public {
        bytes memory answer = abi.encode(ActionsEncoding.list(1 + count % 4, seed));
        for (uint256 i; i < 3; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            ActionsEncoding.corrupt(answer, seed, seed >> 64);
        }
        _differ(answer);
    }

    function testFuzz_payload_anotherLayoutIsFrozenAndExecutedAsTheSameList(uint8 count, uint256 value, uint256 seed)
        public
    {
        Action[] memory actions = new Action[](1 + count % 4);
        for (uint256 i; i < actions.length; ++i) {
            actions[i] = _boxAction(value ^ i)[0];
        }
        uint256 id = _passed(address(new RawAnswer(ActionsEncoding.scattered(actions, seed), false)));
        vm.assertEq(governance.actionsHash(id), keccak256(abi.encode(actions)));
        governance.execute(id);
        vm.assertEq(box.calls(), actions.length);
        vm.assertEq(box.value(), value ^ (actions.length - 1));
    }

    function testFuzz_payload_sharedActionsAreRepeated(uint8 count, uint256 value) public {
        Action memory action = _boxAction(value)[0];
        uint256 times = 1 + count % 10;
        address payload = address(new RawAnswer(ActionsEncoding.shared(times, action.target, action.data), false));
        governance.execute(_passed(payload));
        vm.assertEq(box.calls(), times);
        vm.assertEq(box.value(), value);
    }

    function test_payload_isAskedOnceAndByStaticCall() public {
        address payload = _payload();
        vm.expectCall(payload, abi.encodeCall(IPayload.getActions, ()), 1);
        _push(payload);

        WritingPayload writing = new WritingPayload();
        _unreadable(address(writing));
        vm.prank(proposals);
        governance.propose{gas: 3_000_000}(address(writing));
        vm.assertEq(writing.asked(), 0);
    }

    function testFuzz_payload_refusesOneThatReverts(bytes memory reason) public {
        address payload = address(new RawAnswer(reason, true));
        _unreadable(payload);
        _pushOnly(payload);
        vm.assertEq(governance.proposalCount(), 0);
    }

    function testFuzz_payload_refusesAnEmptyList(bytes memory tail) public {
        address payload = address(new RawAnswer(bytes.concat(abi.encode(new Action[](0)), tail), false));
        vm.expectRevert(abi.encodeWithSelector(IGovernance.Governance__NoActions.selector, payload));
        _pushOnly(payload);
    }

    /// @dev Whatever others are shown, Governance's own reading is published and executed.
    function testFuzz_payload_theAnswerToGovernanceCounts(uint256 shown, uint256 answered) public {
        vm.assume(shown != answered);
        ChangeablePayload payload = new ChangeablePayload();
        payload.set(_boxAction(shown));
        payload.setFor(address(governance), _boxAction(answered));
        vm.expectEmit(address(governance));
        emit IGovernance.ProposalFrozen(0, proposals, 0, keccak256(abi.encode(_boxAction(answered))), _boxAction(answered));
        _push(address(payload));
        vm.assertEq(payload.getActions()[0].data, _boxAction(shown)[0].data);

        uint256 id = _passed(address(payload));
        governance.execute(id);
        vm.assertEq(box.value(), answered);
    }

    function _refuseChanged(uint256 id, Action[] memory expected, Action[] memory found) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IGovernance.Governance__ActionsChanged.selector,
                id,
                keccak256(abi.encode(expected)),
                keccak256(abi.encode(found))
            )
        );
    }

    function testFuzz_payload_thatChangesItsListIsNotExecuted(uint256 first, uint256 second) public {
        vm.assume(first != second);
        ChangeablePayload payload = new ChangeablePayload();
        payload.set(_boxAction(first));
        uint256 id = _passed(address(payload));
        payload.set(_boxAction(second));
        _refuseChanged(id, _boxAction(first), _boxAction(second));
        governance.execute(id);
        _state(id, ProposalState.Executable);

        // What was voted on can be executed all the same.
        vm.assertTrue(governance.executeWith(id, _boxAction(first)));
        vm.assertEq(box.value(), first);
        vm.assertEq(box.calls(), 1);
    }

    function testFuzz_payload_thatChangesItsListBackIsExecuted(uint256 first, uint256 second) public {
        ChangeablePayload payload = new ChangeablePayload();
        payload.set(_boxAction(first));
        uint256 id = _passed(address(payload));
        payload.set(_boxAction(second));
        payload.set(_boxAction(first));
        governance.execute(id);
        vm.assertEq(box.value(), first);
    }

    function testFuzz_payload_behindAProxyCannotChangeWhatWasVotedOn(uint256 first, uint256 second) public {
        vm.assume(first != second);
        ProxyPayload proxy = new ProxyPayload(_list(_boxAction(first)));
        bytes32 codeHash = address(proxy).codehash;
        uint256 id = _passed(address(proxy));
        proxy.upgradeTo(_list(_boxAction(second)));
        vm.assertEq(address(proxy).codehash, codeHash, "nothing to be seen from outside");
        _refuseChanged(id, _boxAction(first), _boxAction(second));
        governance.execute(id);
        governance.executeWith(id, _boxAction(first));
        vm.assertEq(box.value(), first);
    }

    function testFuzz_payload_thatWithholdsItsListIsExecutedAnyway(uint256 value, address anyone) public {
        ChangeablePayload payload = new ChangeablePayload();
        payload.set(_boxAction(value));
        uint256 id = _passed(address(payload));
        payload.withhold(true);
        _unreadable(address(payload));
        governance.execute(id);
        vm.prank(anyone);
        governance.executeWith(id, _boxAction(value));
        vm.assertEq(box.value(), value);
    }

    function testFuzz_payload_thatEmptiesItsListIsExecutedAnyway(uint256 value) public {
        ChangeablePayload payload = new ChangeablePayload();
        payload.set(_boxAction(value));
        uint256 id = _passed(address(payload));
        payload.set(new Action[](0));
        vm.expectRevert(abi.encodeWithSelector(IGovernance.Governance__NoActions.selector, address(payload)));
        governance.execute(id);
        governance.executeWith(id, _boxAction(value));
        vm.assertEq(box.value(), value);
    }

    function testFuzz_payload_thatIsGoneIsExecutedAnyway(uint256 value) public {
        address payload = _list(_boxAction(value));
        uint256 id = _passed(payload);
        vm.etch(payload, "");
        _unreadable(payload);
        governance.execute(id);
        governance.executeWith(id, _boxAction(value));
        vm.assertEq(box.value(), value);
    }

    /// @dev Another contract at the payload's address has no say.
    function testFuzz_payload_replacedAtItsAddressIsNotExecuted(uint256 first, uint256 second, bool delegated) public {
        vm.assume(first != second);
        address payload = _list(_boxAction(first));
        uint256 id = _passed(payload);
        address other = address(new CodePayload(address(box), second));
        if (delegated) Delegation.set(payload, other);
        else vm.etch(payload, other.code);
        _refuseChanged(id, _boxAction(first), _boxAction(second));
        governance.execute(id);
        governance.executeWith(id, _boxAction(first));
        vm.assertEq(box.value(), first);
    }

    /// @dev What a payload says while its proposal is executed comes too late.
    function testFuzz_payload_changedByItsOwnActionIsExecutedToTheEnd(uint256 value, uint256 other) public {
        ChangeablePayload payload = new ChangeablePayload();
        Action[] memory actions = new Action[](2);
        actions[0] = Action(address(payload), abi.encodeCall(ChangeablePayload.set, (_boxAction(other))));
        actions[1] = _boxAction(value)[0];
        payload.set(actions);
        governance.execute(_passed(address(payload)));
        vm.assertEq(box.value(), value);
        vm.assertEq(box.calls(), 1);
    }
}
