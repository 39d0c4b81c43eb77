// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {StaticCall} from "canon/libraries/StaticCall.sol";
import {Test} from "../../Test.sol";
import {Box} from "../../mocks/Box.sol";
import {ConstantPayload} from "../../mocks/ConstantPayload.sol";
import {RawAnswer} from "../../mocks/RawAnswer.sol";

contract StaticCallHarness {
    function word(address target, bytes4 selector) external view returns (uint256) {
        return StaticCall.word(target, selector);
    }

    function wordFor(address target, bytes4 selector, uint256 argument) external view returns (uint256) {
        return StaticCall.word(target, selector, argument);
    }

    function words(address target, bytes4 selector, uint256 count) external view returns (bytes memory) {
        return StaticCall.words(target, selector, count);
    }

    function answers(address target, bytes memory question, bytes32 expected) external view returns (bool) {
        return StaticCall.answers(target, question, expected);
    }

    function addressWord(address target, bytes4 selector) external view returns (address) {
        return StaticCall.addressWord(target, selector);
    }
}

/// @notice Counts the questions it is asked: writes, which a static call forbids.
contract CountingAnswer {
    uint256 public questions;

    function count() external returns (uint256) {
        return ++questions;
    }
}

/// @notice Answers with the hash of what it was asked.
contract Echo {
    fallback(bytes calldata data) external returns (bytes memory) {
        return abi.encode(keccak256(data));
    }
}

contract StaticCallTest is Test {
    StaticCallHarness internal calls;

    function setUp() public {
        calls = new StaticCallHarness();
    }

    function testFuzz_word_isTheWordThatWasAnswered(uint256 answer, bytes4 selector) public {
        address target = address(new RawAnswer(abi.encode(answer), false));
        vm.assertEq(calls.word(target, selector), answer);
    }

    function testFuzz_word_asksWithTheSelectorAndNothingElse(bytes4 selector) public {
        vm.assertEq(bytes32(calls.word(address(new Echo()), selector)), keccak256(abi.encodePacked(selector)));
    }

    function testFuzz_word_refusesAnAnswerOfAnyOtherLength(bytes memory answer, bytes4 selector) public {
        vm.assume(answer.length != 32);
        address target = address(new RawAnswer(answer, false));
        _expectNoAnswer(target, selector);
        calls.word(target, selector);
    }

    function test_word_refusesAWordMoreAndAByteLess() public {
        for (uint256 size = 31; size <= 64; ++size) {
            if (size == 32) continue;
            address target = address(new RawAnswer(new bytes(size), false));
            _expectNoAnswer(target, Box.set.selector);
            calls.word(target, Box.set.selector);
        }
    }

    function testFuzz_word_refusesARevertEvenWithOneWord(uint256 answer, bytes4 selector) public {
        address target = address(new RawAnswer(abi.encode(answer), true));
        _expectNoAnswer(target, selector);
        calls.word(target, selector);
    }

    function testFuzz_word_refusesAnAccountWithoutCode(address target, bytes4 selector) public {
        vm.assume(target.code.length == 0 && uint160(target) > 0x1ff);
        _expectNoAnswer(target, selector);
        calls.word(target, selector);
    }

    function test_word_asksByStaticCall() public {
        CountingAnswer counting = new CountingAnswer();
        _expectNoAnswer(address(counting), CountingAnswer.count.selector);
        // An exceptional halt takes all gas that it was given.
        calls.word{gas: 500_000}(address(counting), CountingAnswer.count.selector);
        vm.assertEq(calls.word(address(counting), counting.questions.selector), 0);
    }

    function testFuzz_addressWord_isTheAddressThatWasAnswered(address answer, bytes4 selector) public {
        address target = address(new RawAnswer(abi.encode(answer), false));
        vm.assertEq(calls.addressWord(target, selector), answer);
    }

    function testFuzz_addressWord_refusesMoreThanAnAddress(uint256 answer, bytes4 selector) public {
        answer = bound(answer, uint256(type(uint160).max) + 1, type(uint256).max);
        address target = address(new RawAnswer(abi.encode(answer), false));
        _expectNoAnswer(target, selector);
        calls.addressWord(target, selector);
    }

    function testFuzz_addressWord_refusesWhatWordRefuses(bytes memory answer, bytes4 selector) public {
        vm.assume(answer.length != 32);
        address target = address(new RawAnswer(answer, false));
        _expectNoAnswer(target, selector);
        calls.addressWord(target, selector);
    }

    function testFuzz_wordFor_asksWithTheSelectorAndTheArgument(bytes4 selector, uint256 argument) public {
        bytes32 expected = keccak256(abi.encodePacked(selector, argument));
        vm.assertEq(bytes32(calls.wordFor(address(new Echo()), selector, argument)), expected);
    }

    function testFuzz_wordFor_refusesWhatWordRefuses(uint256 length, bytes4 selector, uint256 argument) public {
        length = bound(length, 0, 100);
        bool fails = length == 32;
        address target = address(new RawAnswer(new bytes(length), fails));
        _expectNoAnswer(target, selector);
        calls.wordFor(target, selector, argument);
    }

    function testFuzz_words_areTheWordsThatWereAnswered(bytes32[9] memory answer, uint256 count, bytes4 selector) public {
        count = bound(count, 0, answer.length);
        bytes memory expected = abi.encode(answer);
        assembly ("memory-safe") {
            mstore(expected, mul(32, count))
        }
        address target = address(new RawAnswer(expected, false));
        vm.assertEq(calls.words(target, selector, count), expected);
    }

    function test_words_refusesAnyOtherLength() public {
        for (uint256 size = 287; size <= 321; ++size) {
            if (size == 288) continue;
            address target = address(new RawAnswer(new bytes(size), false));
            _expectNoAnswer(target, Box.set.selector);
            calls.words(target, Box.set.selector, 9);
        }
        address failing = address(new RawAnswer(new bytes(288), true));
        _expectNoAnswer(failing, Box.set.selector);
        calls.words(failing, Box.set.selector, 9);
    }

    function testFuzz_answers_onlyThisWordAlone(bytes memory question, bytes32 expected, bytes32 other) public {
        vm.assume(other != expected);
        vm.assertTrue(calls.answers(address(new RawAnswer(abi.encode(expected), false)), question, expected));
        vm.assertFalse(calls.answers(address(new RawAnswer(abi.encode(other), false)), question, expected));
        vm.assertFalse(calls.answers(address(new RawAnswer(abi.encode(expected), true)), question, expected));
        bytes memory long = abi.encodePacked(expected, uint8(0));
        vm.assertFalse(calls.answers(address(new RawAnswer(long, false)), question, expected));
        vm.assertTrue(calls.answers(address(new Echo()), question, keccak256(question)));
    }

    function testFuzz_answers_anAccountWithoutCodeAnswersNothing(address target, bytes32 expected) public view {
        vm.assume(target.code.length == 0 && uint160(target) > 0x1ff);
        vm.assertFalse(calls.answers(target, "", expected));
        vm.assertFalse(calls.answers(target, "", 0));
    }

    /// @dev A megabyte costs who answers it, not who asks: copying it would take another 2.2 million gas.
    function test_allQuestions_aHugeAnswerIsNotCopied() public {
        address target = ConstantPayload.create(ConstantPayload.zeros(1_000_000));
        bytes4 selector = Box.set.selector;
        uint256 gas = _gasOf(target, "");
        vm.assertGt(gas, 2_000_000, "what the answer costs itself");
        bytes[4] memory questions = [
            abi.encodeCall(StaticCallHarness.word, (target, selector)),
            abi.encodeCall(StaticCallHarness.wordFor, (target, selector, 0)),
            abi.encodeCall(StaticCallHarness.words, (target, selector, 9)),
            abi.encodeCall(StaticCallHarness.answers, (target, "", 0))
        ];
        for (uint256 i; i < questions.length; ++i) {
            vm.assertLt(_gasOf(address(calls), questions[i]), gas + 20_000, vm.toString(i));
        }
    }

    function _gasOf(address target, bytes memory data) private returns (uint256) {
        uint256 before = gasleft();
        assembly ("memory-safe") {
            pop(call(gas(), target, 0, add(data, 32), mload(data), 0, 0))
        }
        return before - gasleft();
    }

    function _expectNoAnswer(address target, bytes4 selector) private {
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoAnswer.selector, target, selector));
    }
}
