// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IGovernance} from "canon/interfaces/IGovernance.sol";
import {Action} from "canon/interfaces/IPayload.sol";
import {Actions} from "canon/libraries/Actions.sol";
import {Test} from "../../Test.sol";
import {ConstantPayload} from "../../mocks/ConstantPayload.sol";
import {ListPayload} from "../../mocks/ListPayload.sol";
import {RawAnswer} from "../../mocks/RawAnswer.sol";
import {ActionsEncoding} from "../../mocks/ActionsEncoding.sol";

contract ActionsHarness {
    /// @dev The canonical encoding of what the payload answers, and the hash of the answer.
    function canonical(address payload) external view returns (bytes memory list, bytes32 answerHash) {
        bytes memory answer = Actions.ask(payload);
        return (Actions.canonical(payload, answer), keccak256(answer));
    }

    /// @dev The same where memory isn't clear, with the word behind the encoding as it was afterwards.
    function canonicalInDirtyMemory(address payload) external view returns (bytes memory list, bytes32 behind) {
        _soil();
        list = Actions.canonical(payload, Actions.ask(payload));
        behind = _allocated();
    }

    function publish(address payload, uint256 configurationId)
        external
        view
        returns (bytes32 commitment, bytes memory data)
    {
        return Actions.publish(payload, Actions.ask(payload), configurationId);
    }

    function publishInDirtyMemory(address payload, uint256 configurationId)
        external
        view
        returns (bytes32 commitment, bytes memory data, bytes32 behind)
    {
        _soil();
        (commitment, data) = Actions.publish(payload, Actions.ask(payload), configurationId);
        behind = _allocated();
    }

    function ask(address payload) external view returns (bytes32) {
        return keccak256(Actions.ask(payload));
    }

    /// @dev The list that `encoding`, a canonical one, is walked as.
    function walk(bytes memory encoding) external pure returns (Action[] memory actions) {
        actions = new Action[](Actions.size(encoding));
        for (uint256 i; i < actions.length; ++i) {
            (actions[i].target, actions[i].data) = Actions.at(encoding, i);
        }
    }

    /// @dev Fills memory that nobody has allocated yet with ones.
    function _soil() private pure {
        assembly ("memory-safe") {
            let free := mload(64)
            for { let i := 0 } lt(i, 20000) { i := add(i, 32) } { mstore(add(free, i), not(0)) }
        }
    }

    /// @dev The first word that nobody has allocated.
    function _allocated() private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(mload(64))
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
    uint256 private constant MAX_LENGTH = 100_000;

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
            actions.canonical(payload);
        } else if (solc.count(answer) == 0) {
            vm.expectRevert(abi.encodeWithSelector(IGovernance.Governance__NoActions.selector, payload));
            actions.canonical(payload);
        } else {
            (bytes memory list, bytes32 answerHash) = actions.canonical(payload);
            vm.assertEq(keccak256(list), expected);
            vm.assertEq(answerHash, keccak256(answer));
            vm.assertEq(abi.encode(actions.walk(list)), list);
            (bytes32 commitment,) = actions.publish(payload, 0);
            vm.assertEq(commitment, expected);
        }
    }

    /// @dev `payload` lists `list`, in whatever layout: what is committed to and published is what solc encodes.
    function _isPublished(address payload, Action[] memory list, uint256 configurationId) private view {
        (bytes32 commitment, bytes memory data) = actions.publish(payload, configurationId);
        vm.assertEq(commitment, keccak256(abi.encode(list)));
        vm.assertEq(data, abi.encode(configurationId, commitment, list));
        (bytes memory encoding,) = actions.canonical(payload);
        vm.assertEq(encoding, abi.encode(list));

        bytes32 behind;
        (commitment, data, behind) = actions.publishInDirtyMemory(payload, configurationId);
        vm.assertEq(commitment, keccak256(abi.encode(list)), "in dirty memory");
        vm.assertEq(data, abi.encode(configurationId, commitment, list), "in dirty memory");
        vm.assertEq(behind, bytes32(type(uint256).max), "beyond its memory");
        (encoding, behind) = actions.canonicalInDirtyMemory(payload);
        vm.assertEq(encoding, abi.encode(list), "in dirty memory");
        vm.assertEq(behind, bytes32(type(uint256).max), "beyond its memory");
    }

    function testFuzz_publish_isTheCommitmentAndTheEventsData(uint256 configurationId, Action[] memory list) public {
        vm.assume(list.length != 0);
        list = _few(list);
        _isPublished(address(new RawAnswer(abi.encode(list), false)), list, configurationId);
    }

    function testFuzz_publish_aListReadInAnotherLayout(uint256 configurationId, uint8 count, uint256 seed) public {
        Action[] memory list = ActionsEncoding.list(1 + count % 5, seed);
        _isPublished(address(new RawAnswer(ActionsEncoding.scattered(list, seed), false)), list, configurationId);
    }

    function testFuzz_publish_aSharedList(uint256 configurationId, uint8 count, address target, bytes memory data) public {
        Action[] memory list = new Action[](bound(count, 1, 12));
        for (uint256 i; i < list.length; ++i) {
            list[i] = Action(target, data);
        }
        address payload = address(new RawAnswer(ActionsEncoding.shared(list.length, target, data), false));
        _isPublished(payload, list, configurationId);
    }

    /// @dev Data of every length up to two words and a byte, alone and before another action.
    function test_publish_dataOfEveryLength() public {
        for (uint256 length; length <= 65; ++length) {
            Action[] memory list = new Action[](2);
            list[0] = Action(address(uint160(length + 1)), new bytes(length));
            list[1] = Action(address(this), abi.encode(length));
            for (uint256 i; i < length; ++i) {
                list[0].data[i] = 0xff;
            }
            _isPublished(ConstantPayload.create(ConstantPayload.code(abi.encode(list))), list, length);
            (list[0], list[1]) = (list[1], list[0]);
            _isPublished(ConstantPayload.create(ConstantPayload.code(abi.encode(list))), list, length);
        }
    }

    /*//////////////////////////////////////////////////////////////
                                 LENGTH
    //////////////////////////////////////////////////////////////*/

    function _tooLong(address payload, uint256 length) private {
        vm.expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__ActionsTooLong.selector, payload, length, MAX_LENGTH)
        );
    }

    function _list(uint256 dataLength) private view returns (Action[] memory list) {
        list = new Action[](1);
        list[0] = Action(address(this), new bytes(dataLength));
    }

    /// @dev Of an answer of the greatest length at most so much can be unreadable; one byte more isn't looked at.
    function test_ask_anAnswerOfTheGreatestLength() public {
        address payload = ConstantPayload.create(ConstantPayload.zeros(MAX_LENGTH));
        vm.assertEq(actions.ask(payload), keccak256(new bytes(MAX_LENGTH)));
        payload = ConstantPayload.create(ConstantPayload.zeros(MAX_LENGTH + 1));
        _tooLong(payload, MAX_LENGTH + 1);
        actions.ask(payload);
    }

    function testFuzz_ask_longerAnswersAreRefused(uint256 length) public {
        length = bound(length, MAX_LENGTH + 1, 1_000_000);
        address payload = ConstantPayload.create(ConstantPayload.zeros(length));
        _tooLong(payload, length);
        actions.canonical(payload);
    }

    /// @dev A call that fails is one, whatever it says and however long that is.
    function test_ask_aLongFailureIsAFailure() public {
        uint256[4] memory lengths = [uint256(0), MAX_LENGTH, MAX_LENGTH + 1, 1_000_000];
        for (uint256 i; i < lengths.length; ++i) {
            address payload = ConstantPayload.create(ConstantPayload.failure(lengths[i]));
            _unreadable(payload);
            actions.ask(payload);
        }
    }

    /// @dev An encoding of exactly 100000 bytes: 64, and 128 for the action, and 3119 words of data.
    function test_canonical_theGreatestLength() public {
        uint8[4] memory less = [0, 1, 31, 32];
        for (uint256 i; i < less.length; ++i) {
            // From outside, so that memory is free again.
            this.isEncodedInFull(3119 * 32 - less[i], less[i] == 32 ? MAX_LENGTH - 32 : MAX_LENGTH);
        }
    }

    function isEncodedInFull(uint256 dataLength, uint256 expectedLength) external {
        Action[] memory list = _list(dataLength);
        bytes memory answer = abi.encode(list);
        vm.assertEq(answer.length, expectedLength, "the encoding");
        address payload = ConstantPayload.create(ConstantPayload.code(answer));
        (bytes memory encoding,) = actions.canonical(payload);
        vm.assertEq(keccak256(encoding), keccak256(answer));
        (bytes32 commitment, bytes memory data) = actions.publish(payload, 7);
        vm.assertEq(commitment, keccak256(answer));
        vm.assertEq(keccak256(data), keccak256(abi.encode(7, commitment, list)));
    }

    /// @dev One byte of data more is one word more. Unpadded, the answer itself isn't too long.
    function test_canonical_oneWordMore() public {
        bytes memory data = new bytes(3119 * 32 + 1);
        bytes memory answer = bytes.concat(abi.encode(32, 1, 32, address(this), 64, data.length), data);
        vm.assertEq(answer.length, MAX_LENGTH + 1);
        _tooLong(ConstantPayload.create(ConstantPayload.code(answer)), MAX_LENGTH + 1);
        actions.canonical(ConstantPayload.create(ConstantPayload.code(answer)));

        // Two actions that share their target save the words that make the answer short enough.
        data = new bytes(1488 * 32 + 1);
        answer = ActionsEncoding.shared(2, address(this), data);
        uint256 length = 64 + 2 * (128 + 1489 * 32);
        vm.assertEq(length, 95_616);
        address payload = ConstantPayload.create(ConstantPayload.code(answer));
        (bytes memory encoding,) = actions.canonical(payload);
        vm.assertEq(encoding.length, length);
    }

    /// @dev Around the limit by all ways in which it can be reached: many actions, long data, and both.
    function testFuzz_canonical_theLimitIsOfTheWholeEncoding(uint256 count, uint256 above) public {
        // Of two or more the answer, which has the data once, isn't too long itself.
        count = bound(count, 2, 600);
        above = bound(above, 0, 3);
        uint256 words = (MAX_LENGTH - 64) / count / 32 - 4;
        bytes memory data = new bytes(words * 32 + (above == 0 ? 0 : 32 * (above - 1) + 1));
        uint256 length = 64 + count * (128 + (words + above) * 32);
        address payload = ConstantPayload.create(ConstantPayload.code(ActionsEncoding.shared(count, address(this), data)));
        bool isLong = length > MAX_LENGTH;
        if (isLong) _tooLong(payload, length);
        (bytes memory encoding,) = actions.canonical(payload);
        if (isLong) return;
        vm.assertEq(encoding.length, length);
        Action[] memory list = new Action[](count);
        for (uint256 i; i < count; ++i) {
            list[i] = Action(address(this), data);
        }
        vm.assertEq(keccak256(encoding), keccak256(abi.encode(list)));
    }

    /// @dev The whole list is read before its length is judged.
    function test_canonical_unreadableComesBeforeTooLong() public {
        bytes memory answer = ActionsEncoding.shared(10, address(this), new bytes(20_000));
        _tooLong(ConstantPayload.create(ConstantPayload.code(answer)), 64 + 10 * (128 + 20_000));
        actions.canonical(ConstantPayload.create(ConstantPayload.code(answer)));
        // The last action is nowhere.
        assembly ("memory-safe") {
            mstore(add(answer, add(32, mul(32, 11))), not(0))
        }
        address payload = ConstantPayload.create(ConstantPayload.code(answer));
        _unreadable(payload);
        actions.canonical(payload);
    }

    /// @dev Few actions to as many as an answer can hold, which share one with as much data as then fits: up to 1560 times
    /// 50 kB. Nothing of it is built.
    function test_canonical_sharedDataAreRefusedCheaply() public {
        uint256[4] memory counts = [uint256(2), 100, 1560, 3110];
        for (uint256 i; i < counts.length; ++i) {
            this.isRefusedCheaply(counts[i]);
        }
    }

    function isRefusedCheaply(uint256 count) external {
        uint256 dataLength = (MAX_LENGTH - 32 * (5 + count)) / 32 * 32;
        bytes memory answer = ActionsEncoding.shared(count, address(this), new bytes(dataLength));
        vm.assertLe(answer.length, MAX_LENGTH);
        address payload = ConstantPayload.create(ConstantPayload.code(answer));
        uint256 length = 64 + count * (128 + dataLength);
        vm.assertGt(length, MAX_LENGTH);
        _tooLong(payload, length);
        // Without the optimizer, some 700 gas an action, and no more for what the actions have.
        actions.canonical{gas: 500_000 + 1000 * count}(payload);
    }

    function testFuzz_at_walksTheCanonicalEncoding(Action[] memory list) public view {
        list = _few(list);
        vm.assertEq(abi.encode(actions.walk(abi.encode(list))), abi.encode(list));
    }

    function testFuzz_canonical_isWhatThePayloadLists(Action[] memory list) public {
        vm.assume(list.length != 0);
        list = _few(list);
        (bytes memory found, bytes32 answerHash) = actions.canonical(address(new ListPayload(list)));
        vm.assertEq(found, abi.encode(list));
        vm.assertEq(answerHash, keccak256(abi.encode(list)));
    }

    function testFuzz_canonical_agreesWithSolcOnGarbage(bytes memory garbage) public {
        _differ(garbage);
    }

    /// @dev Words that are small enough to be offsets and lengths, or far too large.
    function testFuzz_canonical_agreesWithSolcOnWords(uint256[] memory seeds) public {
        bytes memory answer = abi.encode(0x20);
        for (uint256 i; i < seeds.length && i < 24; ++i) {
            answer = bytes.concat(answer, abi.encode(ActionsEncoding.word(seeds[i], seeds.length * 32)));
        }
        _differ(answer);
    }

    function testFuzz_canonical_agreesWithSolcOnACorruptedWord(Action[] memory list, uint256 where, uint256 what) public {
        bytes memory answer = abi.encode(_few(list));
        ActionsEncoding.corrupt(answer, where, what);
        _differ(answer);
    }

    function testFuzz_canonical_agreesWithSolcOnTruncations(uint8 count, uint256 seed, uint256 length) public {
        bytes memory answer = abi.encode(ActionsEncoding.list(1 + count % 4, seed));
        length = bound(length, 0, answer.length - 1);
        assembly ("memory-safe") {
            mstore(answer, length)
        }
        _differ(answer);
    }

    function testFuzz_canonical_agreesWithSolcOnTails(Action[] memory list, bytes memory tail) public {
        vm.assertTrue(_differ(bytes.concat(abi.encode(_few(list)), tail)));
    }

    function test_canonical_agreesWithSolcAtEveryTruncation() public {
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
    function testFuzz_canonical_anotherLayoutIsTheSameList(uint8 count, uint256 seed) public {
        Action[] memory list = ActionsEncoding.list(1 + count % 5, seed);
        bytes memory answer = ActionsEncoding.scattered(list, seed);
        vm.assertNotEq(keccak256(answer), keccak256(abi.encode(list)));
        address payload = address(new RawAnswer(answer, false));
        (bytes memory found,) = actions.canonical(payload);
        vm.assertEq(found, abi.encode(list));
        _differ(answer);
    }

    /// @dev One piece of the answer may serve many actions.
    function testFuzz_canonical_sharedActionsAreRepeated(uint8 count, address target, bytes memory data) public {
        uint256 times = bound(count, 1, 12);
        bytes memory answer = ActionsEncoding.shared(times, target, data);
        Action[] memory list = new Action[](times);
        for (uint256 i; i < times; ++i) {
            list[i] = Action(target, data);
        }
        address payload = address(new RawAnswer(answer, false));
        (bytes memory found,) = actions.canonical(payload);
        vm.assertEq(found, abi.encode(list));
        _differ(answer);
    }

    /// @dev Data need not be padded, and what follows it isn't part of it.
    function testFuzz_canonical_dirtyPaddingIsIgnored(address target, bytes memory data, uint256 dirt) public {
        vm.assume(data.length % 32 != 0);
        Action[] memory list = new Action[](1);
        list[0] = Action(target, data);
        bytes memory answer = abi.encode(list);
        for (uint256 i = 32 - data.length % 32; i != 0; --i) {
            answer[answer.length - i] = bytes1(uint8(dirt >> (i % 32) * 8));
        }
        address payload = address(new RawAnswer(answer, false));
        (bytes memory found,) = actions.canonical(payload);
        vm.assertEq(found, abi.encode(list));
        _differ(answer);
    }

    function testFuzz_canonical_refusesHugeCounts(uint256 count, uint8 words) public {
        bytes memory answer = bytes.concat(abi.encode(0x20), new bytes(32 * (1 + uint256(words) % 16)));
        count = bound(count, words % 16 + 1, type(uint256).max);
        assembly ("memory-safe") {
            mstore(add(answer, 64), count)
        }
        address payload = address(new RawAnswer(answer, false));
        _unreadable(payload);
        actions.canonical(payload);
    }

    function testFuzz_canonical_refusesOffsetsOutOfRange(uint256 offset, uint8 which) public {
        bytes memory answer = abi.encode(ActionsEncoding.list(2, 1));
        // The list's, the first and the second action's, the first action's data's.
        uint256 position = [uint256(0), 64, 96, 160][which % 4];
        offset = bound(offset, answer.length, type(uint256).max);
        assembly ("memory-safe") {
            mstore(add(add(answer, 32), position), offset)
        }
        address payload = address(new RawAnswer(answer, false));
        _unreadable(payload);
        actions.canonical(payload);
    }

    function testFuzz_canonical_refusesATargetThatIsNoAddress(uint256 target) public {
        target = bound(target, uint256(type(uint160).max) + 1, type(uint256).max);
        bytes memory answer = abi.encode(ActionsEncoding.list(1, 1));
        assembly ("memory-safe") {
            mstore(add(answer, 128), target)
        }
        address payload = address(new RawAnswer(answer, false));
        _unreadable(payload);
        actions.canonical(payload);
    }

    function testFuzz_canonical_refusesDataThatGoesBeyondTheAnswer(uint256 length) public {
        bytes memory answer = abi.encode(ActionsEncoding.list(1, 1));
        // The words of the list, of its only offset and of the action come before the data.
        length = bound(length, answer.length - 192 + 1, type(uint256).max);
        assembly ("memory-safe") {
            mstore(add(answer, 192), length)
        }
        address payload = address(new RawAnswer(answer, false));
        _unreadable(payload);
        actions.canonical(payload);
    }

    function testFuzz_canonical_refusesARevertWhateverItCarries(bytes memory reason) public {
        address payload = address(new RawAnswer(reason, true));
        _unreadable(payload);
        actions.canonical(payload);
    }

    function testFuzz_canonical_refusesARevertThatCarriesAList(uint8 count, uint256 seed) public {
        address payload = address(new RawAnswer(abi.encode(ActionsEncoding.list(1 + count % 4, seed)), true));
        _unreadable(payload);
        actions.canonical(payload);
    }

    function testFuzz_canonical_refusesAnEmptyList(bytes memory tail) public {
        address payload = address(new RawAnswer(bytes.concat(abi.encode(new Action[](0)), tail), false));
        vm.expectRevert(abi.encodeWithSelector(IGovernance.Governance__NoActions.selector, payload));
        actions.canonical(payload);
    }

    function testFuzz_canonical_refusesAnAccountWithoutCode(address payload) public {
        vm.assume(payload.code.length == 0 && uint160(payload) > 0x1ff);
        _unreadable(payload);
        actions.canonical(payload);
    }
}
