// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {Outside} from "canon/libraries/Outside.sol";
import {Test} from "../../Test.sol";
import {Box} from "../../mocks/Box.sol";
import {Delegation} from "../../mocks/Delegation.sol";
import {RawAnswer} from "../../mocks/RawAnswer.sol";

contract OutsideHarness {
    function hasCode(address account) external view returns (bool) {
        return Outside.hasCode(account);
    }

    function requireCode(address account) external view {
        Outside.requireCode(account);
    }

    function word(address target, bytes4 selector) external view returns (uint256) {
        return Outside.word(target, selector);
    }

    function addressWord(address target, bytes4 selector) external view returns (address) {
        return Outside.addressWord(target, selector);
    }
}

/// @notice Counts the questions it is asked: writes, which a static call forbids.
contract Curious {
    uint256 public questions;

    function count() external returns (uint256) {
        return ++questions;
    }
}

/// @notice Answers with the selector it was asked with, if with nothing else.
contract Echo {
    fallback(bytes calldata data) external returns (bytes memory) {
        require(data.length == 4, "arguments");
        return abi.encode(bytes4(data));
    }
}

contract OutsideTest is Test {
    address internal constant ACCOUNT = address(0xACC0);

    OutsideHarness internal outside;

    function setUp() public {
        outside = new OutsideHarness();
    }

    function testFuzz_hasCode_anAccountWithoutCodeHasNone(address who) public {
        vm.assume(who.code.length == 0);
        vm.assertFalse(outside.hasCode(who));
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoCode.selector, who));
        outside.requireCode(who);
    }

    function testFuzz_hasCode_anyCodeThatIsNoDelegationCounts(bytes memory code) public {
        vm.assume(code.length != 0 && code[0] != 0xef);
        vm.etch(ACCOUNT, code);
        vm.assertTrue(outside.hasCode(ACCOUNT));
        outside.requireCode(ACCOUNT);
    }

    function testFuzz_hasCode_aDelegationDoesNotCount(address to) public {
        Delegation.set(ACCOUNT, to);
        vm.assertEq(ACCOUNT.code.length, 23);
        vm.assertFalse(outside.hasCode(ACCOUNT));
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoCode.selector, ACCOUNT));
        outside.requireCode(ACCOUNT);
    }

    function test_hasCode_aDelegationToAContractDoesNotCountEither() public {
        Delegation.set(ACCOUNT, address(new Box()));
        vm.assertEq(Box(ACCOUNT).calls(), 0, "the delegation works");
        vm.assertFalse(outside.hasCode(ACCOUNT));
    }

    /// @dev As long as a delegation, but not one.
    function testFuzz_hasCode_codeAsLongAsADelegationCounts(bytes23 code) public {
        vm.assume(code[0] != 0xef);
        vm.etch(ACCOUNT, abi.encodePacked(code));
        vm.assertEq(ACCOUNT.code.length, 23);
        vm.assertTrue(outside.hasCode(ACCOUNT));
    }

    function test_hasCode_precompilesHaveNone() public view {
        for (uint160 i = 1; i <= 0x11; ++i) {
            vm.assertFalse(outside.hasCode(address(i)));
        }
    }

    function testFuzz_word_isTheWordThatWasAnswered(uint256 answer, bytes4 selector) public {
        address target = address(new RawAnswer(abi.encode(answer), false));
        vm.assertEq(outside.word(target, selector), answer);
    }

    function testFuzz_word_asksWithTheSelectorAndNothingElse(bytes4 selector) public {
        vm.assertEq(outside.word(address(new Echo()), selector), uint256(bytes32(selector)));
    }

    function testFuzz_word_refusesAnAnswerOfAnyOtherLength(bytes memory answer, bytes4 selector) public {
        vm.assume(answer.length != 32);
        address target = address(new RawAnswer(answer, false));
        _expectNoAnswer(target, selector);
        outside.word(target, selector);
    }

    function test_word_refusesAWordMoreAndAByteLess() public {
        for (uint256 size = 31; size <= 64; ++size) {
            if (size == 32) continue;
            address target = address(new RawAnswer(new bytes(size), false));
            _expectNoAnswer(target, Box.set.selector);
            outside.word(target, Box.set.selector);
        }
    }

    function testFuzz_word_refusesARevertEvenWithOneWord(uint256 answer, bytes4 selector) public {
        address target = address(new RawAnswer(abi.encode(answer), true));
        _expectNoAnswer(target, selector);
        outside.word(target, selector);
    }

    function testFuzz_word_refusesAnAccountWithoutCode(address target, bytes4 selector) public {
        vm.assume(target.code.length == 0 && uint160(target) > 0x1ff);
        _expectNoAnswer(target, selector);
        outside.word(target, selector);
    }

    function test_word_asksByStaticCall() public {
        Curious curious = new Curious();
        _expectNoAnswer(address(curious), Curious.count.selector);
        // An exceptional halt takes all gas that it was given.
        outside.word{gas: 500_000}(address(curious), Curious.count.selector);
        vm.assertEq(outside.word(address(curious), curious.questions.selector), 0);
    }

    function testFuzz_addressWord_isTheAddressThatWasAnswered(address answer, bytes4 selector) public {
        address target = address(new RawAnswer(abi.encode(answer), false));
        vm.assertEq(outside.addressWord(target, selector), answer);
    }

    function testFuzz_addressWord_refusesMoreThanAnAddress(uint256 answer, bytes4 selector) public {
        answer = bound(answer, uint256(type(uint160).max) + 1, type(uint256).max);
        address target = address(new RawAnswer(abi.encode(answer), false));
        _expectNoAnswer(target, selector);
        outside.addressWord(target, selector);
    }

    function testFuzz_addressWord_refusesWhatWordRefuses(bytes memory answer, bytes4 selector) public {
        vm.assume(answer.length != 32);
        address target = address(new RawAnswer(answer, false));
        _expectNoAnswer(target, selector);
        outside.addressWord(target, selector);
    }

    function _expectNoAnswer(address target, bytes4 selector) private {
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoAnswer.selector, target, selector));
    }
}
