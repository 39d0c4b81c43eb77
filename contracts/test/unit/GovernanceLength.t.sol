// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {Action} from "canon/interfaces/IPayload.sol";
import {ActionsEncoding} from "../mocks/ActionsEncoding.sol";
import {ConstantPayload} from "../mocks/ConstantPayload.sol";
import {RawAnswer} from "../mocks/RawAnswer.sol";
import {GovernanceFixture} from "./GovernanceFixture.t.sol";

/// @notice How long a list of actions may be, so that `executeWith` is a transaction that nodes relay.
contract GovernanceLengthTest is GovernanceFixture {
    uint256 private constant MAX_LENGTH = 100_000;
    /// @dev What else there is in an encoding of one action takes 64 + 128 bytes.
    uint256 private constant MOST_DATA = MAX_LENGTH - 192;

    /// @dev Takes any call.
    address internal sink;

    function setUp() public override {
        super.setUp();
        sink = address(new RawAnswer("", false));
    }

    function _tooLong(address payload, uint256 length) private {
        vm.expectRevert(_refusal(payload, length));
    }

    function _constant(bytes memory answer) private returns (address) {
        return ConstantPayload.create(ConstantPayload.code(answer));
    }

    /// @dev Both ways to propose refuse alike.
    function _refuseBoth(address payload, uint256 length) private {
        _tooLong(payload, length);
        _pushOnly(payload);
        _arm();
        _tooLong(payload, length);
        vm.prank(majority);
        governance.proposeWithLock(payload, majority);
        vm.assertEq(governance.proposalCount(), 0);
        vm.assertEq(_power(majority), MAJORITY, "the lock keeps nothing");
    }

    /// @dev Exactly 100000 bytes, as an answer and as an encoding, from the proposal to both ways of its execution.
    function test_length_theGreatestIsProposedAndExecuted() public {
        Action[] memory actions = _one(sink, new bytes(MOST_DATA));
        bytes memory encoding = abi.encode(actions);
        vm.assertEq(encoding.length, MAX_LENGTH);
        uint256 id = _passed(_constant(encoding));
        vm.assertEq(governance.actionsHash(id), keccak256(encoding));
        uint256 state = vm.snapshotState();
        vm.expectCall(sink, new bytes(MOST_DATA), 2);
        governance.execute{gas: 2 ** 24}(id);
        vm.revertToState(state);
        bytes memory data = abi.encodeCall(IGovernance.executeWith, (id, actions));
        vm.assertLt(data.length, 128 * 1024 - 1000, "a transaction that is relayed");
        governance.executeWith{gas: 2 ** 24}(id, actions);
        _state(id, ProposalState.Executed);
    }

    /// @dev The reading again at the execution, where the answer isn't the encoding.
    function test_length_theGreatestInAnotherLayout() public {
        // Two actions which share their data and together are as long as allowed: 64 + 2 * (128 + 49824) bytes.
        bytes memory data = new bytes(49_824);
        uint256 id = _passed(_constant(ActionsEncoding.shared(2, sink, data)));
        Action[] memory actions = new Action[](2);
        actions[0] = actions[1] = Action(sink, data);
        vm.assertEq(abi.encode(actions).length, 99_968);
        vm.assertEq(governance.actionsHash(id), keccak256(abi.encode(actions)));
        vm.expectCall(sink, data, 2);
        governance.execute{gas: 2 ** 24}(id);

        _refuseLater(_constant(ActionsEncoding.shared(2, sink, new bytes(49_825))), 99_968 + 64);
    }

    function _refuseLater(address payload, uint256 length) private {
        _tooLong(payload, length);
        _pushOnly(payload);
    }

    function test_length_oneByteMoreIsRefused() public {
        bytes memory data = new bytes(MOST_DATA + 1);
        // Unpadded: the answer itself is one byte too long.
        _refuseBoth(_constant(bytes.concat(abi.encode(32, 1, 32, sink, 64, data.length), data)), MAX_LENGTH + 1);
    }

    function testFuzz_length_longAnswersAreRefusedWhateverTheyAre(uint256 length) public {
        length = bound(length, MAX_LENGTH + 1, 2_000_000);
        _refuseBoth(ConstantPayload.create(ConstantPayload.zeros(length)), length);
    }

    /// @dev An answer of the greatest length is read.
    function test_length_theGreatestAnswerIsLookedAt() public {
        address payload = ConstantPayload.create(ConstantPayload.zeros(MAX_LENGTH));
        // Its list begins with the answer's first word, and is empty.
        vm.expectRevert(abi.encodeWithSelector(IGovernance.Governance__NoActions.selector, payload));
        _pushOnly(payload);
    }

    function testFuzz_length_aFailureIsUnreadableHoweverLong(uint256 length) public {
        address payload = ConstantPayload.create(ConstantPayload.failure(bound(length, 0, 2_000_000)));
        vm.expectRevert(abi.encodeWithSelector(IGovernance.Governance__UnreadableActions.selector, payload));
        _pushOnly(payload);
    }

    /// @dev The gas of a call that is refused.
    function _gasOfRefusal(address from, bytes memory data, bytes memory refusal) private returns (uint256 used) {
        vm.prank(from);
        uint256 before = gasleft();
        (bool success, bytes memory answer) = address(governance).call(data);
        used = before - gasleft();
        vm.assertFalse(success);
        vm.assertEq(answer, refusal);
    }

    function _refusal(address payload, uint256 length) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IGovernance.Governance__ActionsTooLong.selector, payload, length, MAX_LENGTH
        );
    }

    /// @dev Whoever answers a megabyte pays for its own memory, some 2.2 million gas; nothing of it is copied.
    function test_length_aHugeAnswerIsNotCopied() public {
        bytes[2] memory codes = [ConstantPayload.zeros(1_000_000), ConstantPayload.failure(1_000_000)];
        for (uint256 i; i < 2; ++i) {
            address payload = ConstantPayload.create(codes[i]);
            bytes memory refusal = i == 0
                ? _refusal(payload, 1_000_000)
                : abi.encodeWithSelector(IGovernance.Governance__UnreadableActions.selector, payload);
            uint256 used = _gasOfRefusal(proposals, abi.encodeCall(IGovernance.propose, (payload)), refusal);
            vm.assertGt(used, 2_000_000, "the answer itself");
            vm.assertLt(used, 2_400_000);
        }
    }

    /// @dev A short answer that is a long list, since its actions share their data, is refused before anything is built.
    function test_length_sharedDataAreRefusedCheaply() public {
        uint256[4] memory counts = [uint256(2), 100, 1000, 3110];
        for (uint256 i; i < counts.length; ++i) {
            uint256 dataLength = (MAX_LENGTH - 32 * (5 + counts[i])) / 32 * 32;
            address payload = _constant(ActionsEncoding.shared(counts[i], sink, new bytes(dataLength)));
            bytes memory refusal = _refusal(payload, 64 + counts[i] * (128 + dataLength));
            uint256 used = _gasOfRefusal(proposals, abi.encodeCall(IGovernance.propose, (payload)), refusal);
            // A part for the answer, and a part for each offset in it.
            vm.assertLt(used, 200_000 + 500 * counts[i], vm.toString(counts[i]));
        }
    }

    /// @dev A payload that becomes long after the vote: `execute` is refused as cheaply, and `executeWith` doesn't ask it.
    function test_length_executeRefusesWhatBecameLong() public {
        address payload = _constant(abi.encode(_boxAction(7)));
        uint256 id = _passed(payload);
        bytes memory long = ActionsEncoding.shared(1000, sink, new bytes(60_000));
        vm.etch(payload, ConstantPayload.code(long));
        bytes memory execution = abi.encodeCall(IGovernance.execute, (id));
        bytes memory refusal = _refusal(payload, 64 + 1000 * (128 + 60_000));
        vm.assertLt(_gasOfRefusal(address(this), execution, refusal), 1_000_000);

        vm.etch(payload, ConstantPayload.zeros(1_000_000));
        refusal = _refusal(payload, 1_000_000);
        vm.assertLt(_gasOfRefusal(address(this), execution, refusal), 2_400_000);

        _state(id, ProposalState.Executable);
        governance.executeWith(id, _boxAction(7));
        vm.assertEq(box.value(), 7);
    }

    /// @dev Of several faults the list's come first: what can't be read isn't measured.
    function test_length_isJudgedAfterTheList() public {
        bytes memory answer = ActionsEncoding.shared(10, sink, new bytes(20_000));
        assembly ("memory-safe") {
            // The last action is nowhere.
            mstore(add(answer, add(32, mul(32, 11))), not(0))
        }
        address payload = _constant(answer);
        vm.expectRevert(abi.encodeWithSelector(IGovernance.Governance__UnreadableActions.selector, payload));
        _pushOnly(payload);
    }
}
