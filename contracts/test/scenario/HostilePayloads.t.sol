// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {Action, IPayload} from "canon/interfaces/IPayload.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {ChangeablePayload} from "../mocks/ChangeablePayload.sol";
import {ListPayload} from "../mocks/ListPayload.sol";
import {ProxyPayload} from "../mocks/ProxyPayload.sol";
import {SetLib} from "../Set.sol";
import {Scenario} from "./Scenario.sol";

/// @notice Payloads that show one thing and want to do another.
contract HostilePayloadsTest is Scenario {
    ChangeablePayload internal changeable;

    function setUp() public override {
        super.setUp();
        changeable = new ChangeablePayload();
        changeable.set(_setBox(1));
    }

    function _hash(Action[] memory actions) internal pure returns (bytes32) {
        return keccak256(abi.encode(actions));
    }

    function _expectChanged(uint256 id, Action[] memory expected, Action[] memory found) internal {
        _expectRevert(
            abi.encodeWithSelector(
                IGovernance.Governance__ActionsChanged.selector, id, _hash(expected), _hash(found)
            )
        );
    }

    /// @dev `payload` had `code` when it was signaled.
    function _expectCodeChanged(address payload, bytes memory code) internal {
        // The lowest 24 bits of a pinned hash aren't kept.
        bytes32 expected = keccak256(code) >> 24 << 24;
        bytes32 found = payload.codehash >> 24 << 24;
        _expectRevert(abi.encodeWithSelector(IProposals.Proposals__CodeChanged.selector, payload, expected, found));
    }

    function testFuzz_payload_changedActionsAreNotExecuted(uint256 value) public {
        value = bound(value, 2, type(uint256).max);
        uint256 id = _propose(address(changeable));
        _toExecutable(id);
        changeable.set(_setBox(value));
        _expectChanged(id, _setBox(1), _setBox(value));
        governance.execute(id);
        vm.assertEq(box.calls(), 0);

        // What was voted on is carried out all the same.
        governance.executeWith(id, _setBox(1));
        vm.assertEq(box.value(), 1);
    }

    function test_payload_anAddedActionIsNotExecuted() public {
        uint256 id = _propose(address(changeable));
        _toExecutable(id);
        Action[] memory longer = new Action[](2);
        longer[0] = _setBox(1)[0];
        longer[1] = _setBox(2)[0];
        changeable.set(longer);
        _expectChanged(id, _setBox(1), longer);
        governance.execute(id);
    }

    function testFuzz_payload_executeWithTakesOnlyThePublishedList(address target, bytes memory data) public {
        uint256 id = _propose(address(changeable));
        _toExecutable(id);
        Action[] memory other = _action(target, data);
        vm.assume(_hash(other) != _hash(_setBox(1)));
        _expectChanged(id, _setBox(1), other);
        governance.executeWith(id, other);
    }

    function test_payload_changingBackLetsItBeExecuted() public {
        uint256 id = _propose(address(changeable));
        changeable.set(_setBox(2));
        _toExecutable(id);
        changeable.set(_setBox(1));
        governance.execute(id);
        vm.assertEq(box.value(), 1);
    }

    /// @dev Voters and explorers ask and see one list, Governance gets another: that one is published.
    function test_payload_answersPerCallerAreFrozenAsGovernanceSawThem() public {
        changeable.setFor(address(governance), _setBox(666));
        vm.assertEq(_hash(changeable.getActions()), _hash(_setBox(1)));
        uint256 round = _win(address(changeable));
        uint256 id = governance.proposalCount();
        vm.expectEmit(address(governance));
        emit IGovernance.ProposalFrozen(id, address(proposals), 0, _hash(_setBox(666)), _setBox(666));
        proposals.pushProposal(round);
        vm.assertEq(governance.actionsHash(id), _hash(_setBox(666)));
        _toExecutable(id);
        // The list that it shows to others isn't what passed.
        _expectChanged(id, _setBox(666), _setBox(1));
        governance.executeWith(id, _setBox(1));
    }

    function test_payload_anAnswerOnlyForGovernanceAtExecutionIsRefused() public {
        uint256 id = _propose(address(changeable));
        _toExecutable(id);
        changeable.setFor(address(governance), _setBox(666));
        _expectChanged(id, _setBox(1), _setBox(666));
        governance.execute(id);
        governance.executeWith(id, _setBox(1));
    }

    function test_payload_thatWithholdsItsAnswerIsExecutedWithThePublishedList() public {
        uint256 id = _propose(address(changeable));
        _toExecutable(id);
        changeable.withhold(true);
        _expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__UnreadableActions.selector, address(changeable))
        );
        governance.execute(id);
        governance.executeWith(id, _setBox(1));
        _assertState(id, ProposalState.Executed);
    }

    function test_payload_thatWithholdsItsAnswerCannotBeProposed() public {
        uint256 round = _win(address(changeable));
        changeable.withhold(true);
        bytes memory refusal =
            abi.encodeWithSelector(IGovernance.Governance__UnreadableActions.selector, address(changeable));
        _expectRevert(refusal);
        proposals.pushProposal(round);
        _expectRevert(refusal);
        vm.prank(alice);
        governance.proposeWithLock(address(changeable), alice);
        // A failed push uses nothing up.
        changeable.withhold(false);
        _push(round);
    }

    function test_payload_withoutActionsCannotBeProposed() public {
        changeable.set(new Action[](0));
        uint256 round = _win(address(changeable));
        _expectRevert(abi.encodeWithSelector(IGovernance.Governance__NoActions.selector, address(changeable)));
        proposals.pushProposal(round);
    }

    /// @dev The pin can't see behind a proxy; the frozen list can.
    function test_payload_behindAProxyUpgradedAfterTheProposalIsNotExecuted() public {
        ProxyPayload proxy = new ProxyPayload(_boxPayload(1));
        uint256 id = _propose(address(proxy));
        _toExecutable(id);
        proxy.upgradeTo(_boxPayload(2));
        _expectChanged(id, _setBox(1), _setBox(2));
        governance.execute(id);
        governance.executeWith(id, _setBox(1));
    }

    function test_payload_behindAProxyUpgradedBeforeThePushIsPublishedAsItIsThen() public {
        ProxyPayload proxy = new ProxyPayload(_boxPayload(1));
        uint256 round = _win(address(proxy));
        proxy.upgradeTo(_boxPayload(2));
        uint256 id = governance.proposalCount();
        vm.expectEmit(address(governance));
        emit IGovernance.ProposalFrozen(id, address(proposals), 0, _hash(_setBox(2)), _setBox(2));
        proposals.pushProposal(round);
    }

    function testFuzz_payload_aDelegationIsNoPayload(address implementation) public {
        address eoa = addressOf("delegating");
        vm.etch(eoa, abi.encodePacked(hex"ef0100", implementation));
        _toNextRound(rollup);
        bytes memory refusal = abi.encodeWithSelector(ICommon.NoCode.selector, eoa);
        address proposer = rollup.getCurrentProposer();
        _expectRevert(refusal);
        vm.prank(proposer);
        proposals.vote(eoa);
        _expectRevert(refusal);
        vm.prank(alice);
        governance.proposeWithLock(eoa, alice);
    }

    function test_payload_withoutCodeIsRefused() public {
        _toNextRound(rollup);
        bytes memory refusal = abi.encodeWithSelector(ICommon.NoCode.selector, address(0xE0A));
        address proposer = rollup.getCurrentProposer();
        _expectRevert(refusal);
        vm.prank(proposer);
        proposals.vote(address(0xE0A));
        _expectRevert(refusal);
        vm.prank(alice);
        governance.proposeWithLock(address(0xE0A), alice);
    }

    /// @dev create2 and self-destruct in the constructor put other code at the address.
    function test_payload_replacedBetweenSignalsAndPushIsRefused() public {
        address payload = _boxPayload(1);
        uint256 round = _win(payload);
        bytes memory code = payload.code;
        vm.etch(payload, address(changeable).code);
        _expectCodeChanged(payload, code);
        proposals.pushProposal(round);
        vm.assertEq(proposals.pushableRounds().length, 0);
        vm.etch(payload, "");
        _expectCodeChanged(payload, code);
        proposals.pushProposal(round);
        vm.etch(payload, abi.encodePacked(hex"ef0100", address(changeable)));
        _expectCodeChanged(payload, code);
        proposals.pushProposal(round);
        vm.etch(payload, code);
        _push(round);
    }

    /// @dev Replaced in the middle of the round: what was signaled first is what counts.
    function test_payload_replacedBetweenTwoSignalsIsRefusedAtThePush() public {
        address payload = _boxPayload(1);
        _toNextRound(rollup);
        uint256 round = rollup.getCurrentSlot() / SetLib.M;
        _signal(rollup, payload, 1);
        bytes memory code = payload.code;
        vm.etch(payload, address(changeable).code);
        _to(_now() + SetLib.SLOT);
        _signal(rollup, payload, SetLib.N - 1);
        _toNextRound(rollup);
        _expectCodeChanged(payload, code);
        proposals.pushProposal(round);
        vm.etch(payload, code);
        _push(round);
    }

    function test_payload_replacedInALaterRoundIsPinnedAnew() public {
        address payload = _boxPayload(1);
        _win(payload);
        vm.etch(payload, address(changeable).code);
        bytes32 codeHash = payload.codehash;
        uint256 round = _win(payload);
        vm.assertEq(proposals.pinnedCodeHash(address(rollup), round, payload), codeHash >> 24 << 24);
        changeable.set(_setBox(3));
        ChangeablePayload(payload).set(_setBox(4));
        uint256 id = _push(round);
        vm.assertEq(governance.actionsHash(id), _hash(_setBox(4)));
    }

    function test_payload_replacedBetweenProposalAndExecutionIsNotExecuted() public {
        address payload = _boxPayload(1);
        uint256 id = _propose(payload);
        _toExecutable(id);
        vm.etch(payload, address(changeable).code);
        ChangeablePayload(payload).set(_setBox(2));
        _expectChanged(id, _setBox(1), _setBox(2));
        governance.execute(id);
        vm.etch(payload, "");
        _expectRevert(abi.encodeWithSelector(IGovernance.Governance__UnreadableActions.selector, payload));
        governance.execute(id);
        // Gone for good, but what passed can't be withheld.
        governance.executeWith(id, _setBox(1));
        vm.assertEq(box.value(), 1);
    }

    function test_payload_isAskedByStaticCallOnly() public {
        // Its getActions would change state: a call of the changeable payload's own setter.
        MutatingPayload mutating = new MutatingPayload(_setBox(1));
        uint256 round = _win(address(mutating));
        _expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__UnreadableActions.selector, address(mutating))
        );
        proposals.pushProposal(round);
        vm.assertEq(mutating.asked(), 0);
    }
}

/// @notice Counts who asks it, so it can't answer a static call.
contract MutatingPayload {
    Action[] private _actions;
    uint256 public asked;

    constructor(Action[] memory actions) {
        _actions.push(actions[0]);
    }

    function getActions() external returns (Action[] memory) {
        ++asked;
        return _actions;
    }
}
