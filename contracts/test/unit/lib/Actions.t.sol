// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IGovernance} from "canon/interfaces/IGovernance.sol";
import {Action} from "canon/interfaces/IPayload.sol";
import {Actions} from "canon/libraries/Actions.sol";
import {Test} from "../../Test.sol";
import {ListPayload} from "../../mocks/ListPayload.sol";
import {RawAnswer} from "../../mocks/RawAnswer.sol";
import {ActionsEncoding} from "../../mocks/ActionsEncoding.sol";

contract ActionsHarness {
    function read(address payload) external view returns (Action[] memory actions, bytes32 answerHash) {
        bytes memory answer = Actions.ask(payload);
        return (Actions.decode(payload, answer), keccak256(answer));
    }

    /// @dev The hash without the detour over this contract's own answer.
    function readHash(address payload) external view returns (bytes32) {
        (bytes32 commitment,) = Actions.publish(0, Actions.decode(payload, Actions.ask(payload)));
        return commitment;
    }

    function publish(uint256 configurationId, Action[] memory actions) external pure returns (bytes32, bytes memory) {
        return Actions.publish(configurationId, actions);
    }

    /// @dev What the payload answered, decoded and published at once.
    function readAndPublish(uint256 configurationId, address payload) external view returns (bytes32, bytes memory) {
        return Actions.publish(configurationId, Actions.decode(payload, Actions.ask(payload)));
    }

    /// @dev The list that `encoding`, a canonical one, is walked as.
    function walk(bytes memory encoding) external pure returns (Action[] memory actions) {
        actions = new Action[](Actions.size(encoding));
        for (uint256 i; i < actions.length; ++i) {
            (actions[i].target, actions[i].data) = Actions.at(encoding, i);
        }
    }
}

/// @notice The compiler's own decoder.
contract SolcDecoder {
    function decode(bytes memory answer) external pure returns (bytes32) {
        return keccak256(abi.encode(abi.decode(answer, (Action[]))));
    }

    function count(bytes memory answer) external pure returns (uint256) {
        return abi.decode(answer, (Action[])).length;
    }
}

contract ActionsTest is Test {
    ActionsHarness internal actions;
    SolcDecoder internal solc;

    function setUp() public {
        actions = new ActionsHarness();
        solc = new SolcDecoder();
    }

    function _unreadable(address payload) private {
        vm.expectRevert(abi.encodeWithSelector(IGovernance.Governance__UnreadableActions.selector, payload));
    }

    /// @dev The first few of a fuzzed list, which may be long.
    function _few(Action[] memory list) private pure returns (Action[] memory) {
        assembly ("memory-safe") {
            if gt(mload(list), 6) { mstore(list, 6) }
        }
        return list;
    }

    /// @dev Reads the answer as solc does: the same list, or a refusal where solc refuses. An empty list is refused.
    function _differ(bytes memory answer) private returns (bool decodable) {
        address payload = address(new RawAnswer(answer, false));
        bytes32 expected;
        try solc.decode(answer) returns (bytes32 found) {
            expected = found;
            decodable = true;
        } catch {
            decodable = false;
        }
        if (!decodable) {
            _unreadable(payload);
            actions.readHash(payload);
        } else if (solc.count(answer) == 0) {
            vm.expectRevert(abi.encodeWithSelector(IGovernance.Governance__NoActions.selector, payload));
            actions.readHash(payload);
        } else {
            vm.assertEq(actions.readHash(payload), expected);
            (Action[] memory list, bytes32 answerHash) = actions.read(payload);
            vm.assertEq(keccak256(abi.encode(list)), expected);
            vm.assertEq(answerHash, keccak256(answer));
        }
    }

    function testFuzz_publish_isTheCommitmentAndTheEventsData(uint256 configurationId, Action[] memory list)
        public
        view
    {
        list = _few(list);
        (bytes32 commitment, bytes memory data) = actions.publish(configurationId, list);
        vm.assertEq(commitment, keccak256(abi.encode(list)));
        vm.assertEq(data, abi.encode(configurationId, commitment, list));
    }

    function testFuzz_publish_aListReadInAnotherLayout(uint256 configurationId, uint8 count, uint256 seed) public {
        Action[] memory list = ActionsEncoding.list(1 + count % 5, seed);
        address payload = address(new RawAnswer(ActionsEncoding.scattered(list, seed), false));
        (bytes32 commitment, bytes memory data) = actions.readAndPublish(configurationId, payload);
        vm.assertEq(commitment, keccak256(abi.encode(list)));
        vm.assertEq(data, abi.encode(configurationId, commitment, list));
    }

    function testFuzz_at_walksTheCanonicalEncoding(Action[] memory list) public view {
        list = _few(list);
        vm.assertEq(abi.encode(actions.walk(abi.encode(list))), abi.encode(list));
    }

    function testFuzz_read_isWhatThePayloadLists(Action[] memory list) public {
        vm.assume(list.length != 0);
        list = _few(list);
        (Action[] memory found, bytes32 answerHash) = actions.read(address(new ListPayload(list)));
        vm.assertEq(abi.encode(found), abi.encode(list));
        vm.assertEq(answerHash, keccak256(abi.encode(list)));
    }

    function testFuzz_read_agreesWithSolcOnGarbage(bytes memory garbage) public {
        _differ(garbage);
    }

    /// @dev Words that are small enough to be offsets and lengths, or far too large.
    function testFuzz_read_agreesWithSolcOnWords(uint256[] memory seeds) public {
        bytes memory answer = abi.encode(0x20);
        for (uint256 i; i < seeds.length && i < 24; ++i) {
            answer = bytes.concat(answer, abi.encode(ActionsEncoding.word(seeds[i], seeds.length * 32)));
        }
        _differ(answer);
    }

    function testFuzz_read_agreesWithSolcOnACorruptedWord(Action[] memory list, uint256 where, uint256 what) public {
        bytes memory answer = abi.encode(_few(list));
        ActionsEncoding.corrupt(answer, where, what);
        _differ(answer);
    }

    function testFuzz_read_agreesWithSolcOnCorruptedWords(uint8 count, uint256 seed) public {
        bytes memory answer = abi.encode(ActionsEncoding.list(1 + count % 4, seed));
        for (uint256 i; i < 3; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            ActionsEncoding.corrupt(answer, seed, seed >> 64);
        }
        _differ(answer);
    }

    function testFuzz_read_agreesWithSolcOnTruncations(uint8 count, uint256 seed, uint256 length) public {
        bytes memory answer = abi.encode(ActionsEncoding.list(1 + count % 4, seed));
        length = bound(length, 0, answer.length - 1);
        assembly ("memory-safe") {
            mstore(answer, length)
        }
        _differ(answer);
    }

    function testFuzz_read_agreesWithSolcOnTails(Action[] memory list, bytes memory tail) public {
        vm.assertTrue(_differ(bytes.concat(abi.encode(_few(list)), tail)));
    }

    function test_read_agreesWithSolcAtEveryTruncation() public {
        bytes memory answer = abi.encode(ActionsEncoding.list(2, 7));
        uint256 length = answer.length;
        uint256 decodable;
        for (uint256 i; i <= length; ++i) {
            assembly ("memory-safe") {
                mstore(answer, i)
            }
            if (_differ(answer)) ++decodable;
        }
        vm.assertGe(decodable, 1, "the whole one at least");
    }

    /// @dev Everything somewhere else, in another order, with gaps of garbage between: the same list.
    function testFuzz_read_anotherLayoutIsTheSameList(uint8 count, uint256 seed) public {
        Action[] memory list = ActionsEncoding.list(1 + count % 5, seed);
        bytes memory answer = ActionsEncoding.scattered(list, seed);
        vm.assertNotEq(keccak256(answer), keccak256(abi.encode(list)));
        address payload = address(new RawAnswer(answer, false));
        vm.assertEq(actions.readHash(payload), keccak256(abi.encode(list)));
        _differ(answer);
    }

    /// @dev One piece of the answer may serve many actions.
    function testFuzz_read_sharedActionsAreRepeated(uint8 count, address target, bytes memory data) public {
        uint256 times = bound(count, 1, 12);
        bytes memory answer = ActionsEncoding.shared(times, target, data);
        Action[] memory list = new Action[](times);
        for (uint256 i; i < times; ++i) {
            list[i] = Action(target, data);
        }
        address payload = address(new RawAnswer(answer, false));
        vm.assertEq(actions.readHash(payload), keccak256(abi.encode(list)));
        _differ(answer);
    }

    /// @dev Data need not be padded, and what follows it isn't part of it.
    function testFuzz_read_dirtyPaddingIsIgnored(address target, bytes memory data, uint256 dirt) public {
        vm.assume(data.length % 32 != 0);
        Action[] memory list = new Action[](1);
        list[0] = Action(target, data);
        bytes memory answer = abi.encode(list);
        for (uint256 i = 32 - data.length % 32; i != 0; --i) {
            answer[answer.length - i] = bytes1(uint8(dirt >> (i % 32) * 8));
        }
        address payload = address(new RawAnswer(answer, false));
        vm.assertEq(actions.readHash(payload), keccak256(abi.encode(list)));
        _differ(answer);
    }

    function testFuzz_read_refusesHugeCounts(uint256 count, uint8 words) public {
        bytes memory answer = bytes.concat(abi.encode(0x20), new bytes(32 * (1 + uint256(words) % 16)));
        count = bound(count, words % 16 + 1, type(uint256).max);
        assembly ("memory-safe") {
            mstore(add(answer, 64), count)
        }
        address payload = address(new RawAnswer(answer, false));
        _unreadable(payload);
        actions.readHash(payload);
    }

    function testFuzz_read_refusesOffsetsOutOfRange(uint256 offset, uint8 which) public {
        bytes memory answer = abi.encode(ActionsEncoding.list(2, 1));
        // The list's, the first and the second action's, the first action's data's.
        uint256 position = [uint256(0), 64, 96, 160][which % 4];
        offset = bound(offset, answer.length, type(uint256).max);
        assembly ("memory-safe") {
            mstore(add(add(answer, 32), position), offset)
        }
        address payload = address(new RawAnswer(answer, false));
        _unreadable(payload);
        actions.readHash(payload);
    }

    function testFuzz_read_refusesATargetThatIsNoAddress(uint256 target) public {
        target = bound(target, uint256(type(uint160).max) + 1, type(uint256).max);
        bytes memory answer = abi.encode(ActionsEncoding.list(1, 1));
        assembly ("memory-safe") {
            mstore(add(answer, 128), target)
        }
        address payload = address(new RawAnswer(answer, false));
        _unreadable(payload);
        actions.readHash(payload);
    }

    function testFuzz_read_refusesDataThatGoesBeyondTheAnswer(uint256 length) public {
        bytes memory answer = abi.encode(ActionsEncoding.list(1, 1));
        // The words of the list, of its only offset and of the action come before the data.
        length = bound(length, answer.length - 192 + 1, type(uint256).max);
        assembly ("memory-safe") {
            mstore(add(answer, 192), length)
        }
        address payload = address(new RawAnswer(answer, false));
        _unreadable(payload);
        actions.readHash(payload);
    }

    function testFuzz_read_refusesARevertWhateverItCarries(bytes memory reason) public {
        address payload = address(new RawAnswer(reason, true));
        _unreadable(payload);
        actions.readHash(payload);
    }

    function testFuzz_read_refusesARevertThatCarriesAList(uint8 count, uint256 seed) public {
        address payload = address(new RawAnswer(abi.encode(ActionsEncoding.list(1 + count % 4, seed)), true));
        _unreadable(payload);
        actions.readHash(payload);
    }

    function testFuzz_read_refusesAnEmptyList(bytes memory tail) public {
        address payload = address(new RawAnswer(bytes.concat(abi.encode(new Action[](0)), tail), false));
        vm.expectRevert(abi.encodeWithSelector(IGovernance.Governance__NoActions.selector, payload));
        actions.readHash(payload);
    }

    function testFuzz_read_refusesAnAccountWithoutCode(address payload) public {
        vm.assume(payload.code.length == 0 && uint160(payload) > 0x1ff);
        _unreadable(payload);
        actions.readHash(payload);
    }
}
