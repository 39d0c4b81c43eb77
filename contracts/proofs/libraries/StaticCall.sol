// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {StaticCall} from "canon/libraries/StaticCall.sol";
import {Proof} from "../Proof.sol";

/// @notice Answers every call with the first `length` bytes of `a`, `b`, `c`, or reverts with them.
contract Answers {
    uint256 private length;
    bool private reverts;
    uint256[3] private words;

    function set(uint256 length_, bool reverts_, uint256[3] memory words_) external {
        (length, reverts, words) = (length_, reverts_, words_);
    }

    fallback() external {
        uint256[3] memory data = words;
        uint256 size = length;
        bool fails = reverts;
        // A length that is a number in each path.
        for (uint256 i; i <= 65; ++i) {
            if (size != i) continue;
            assembly ("memory-safe") {
                if fails { revert(data, i) }
                return(data, i)
            }
        }
    }
}

/// @notice Answers with one word only if the call was exactly the one expected.
contract Expects {
    fallback() external {
        bytes calldata data = msg.data;
        require(data.length == 36 && bytes4(data) == 0x12345678);
        assembly ("memory-safe") {
            mstore(0, calldataload(4))
            return(0, 32)
        }
    }
}

/// @title Questions to contracts that nobody trusts
contract StaticCallProof is Proof {
    Answers private target = new Answers();

    /// @notice An answer of 0 to 65 bytes, or a revert with as many, is refused unless it is one word, which is returned.
    function check_wordTakesExactlyOneWord(uint256 length, bool reverts, uint256[3] memory answer, bytes4 selector)
        external
    {
        vm.assume(length <= 65 && isFree(selector));
        target.set(length, reverts, answer);
        try this.word(selector) returns (uint256 found) {
            assert(length == 32 && !reverts && found == answer[0]);
        } catch (bytes memory reason) {
            assert((length != 32 || reverts) && isNoAnswer(reason, selector));
        }
    }

    /// @notice The same of a question with an argument.
    function check_wordWithArgumentTakesExactlyOneWord(
        uint256 length,
        bool reverts,
        uint256[3] memory answer,
        bytes4 selector,
        uint256 argument
    ) external {
        vm.assume(length <= 65 && isFree(selector));
        target.set(length, reverts, answer);
        try this.wordWith(selector, argument) returns (uint256 found) {
            assert(length == 32 && !reverts && found == answer[0]);
        } catch (bytes memory reason) {
            assert((length != 32 || reverts) && isNoAnswer(reason, selector));
        }
    }

    /// @notice An address is such a word without bits above the 160th.
    function check_addressWordTakesExactlyAnAddress(uint256 length, bool reverts, uint256[3] memory answer, bytes4 selector)
        external
    {
        vm.assume(length <= 65 && isFree(selector));
        target.set(length, reverts, answer);
        bool good = length == 32 && !reverts && fits(answer[0], 160);
        try this.addressWord(selector) returns (address found) {
            assert(good && uint160(found) == answer[0]);
        } catch (bytes memory reason) {
            assert(!good && isNoAnswer(reason, selector));
        }
    }

    /// @notice Two words are exactly 64 bytes, which are returned.
    function check_wordsTakesExactlyAsMany(uint256 length, bool reverts, uint256[3] memory answer, bytes4 selector)
        external
    {
        vm.assume(length <= 65 && isFree(selector));
        target.set(length, reverts, answer);
        try this.words(selector) returns (bytes memory found) {
            assert(length == 64 && !reverts && same(found, abi.encode(answer[0], answer[1])));
        } catch (bytes memory reason) {
            assert((length != 64 || reverts) && isNoAnswer(reason, selector));
        }
    }

    /// @notice `answers` is true exactly if the answer is the one word expected; it never reverts.
    function check_answersOnlyTheExpectedWord(uint256 length, bool reverts, uint256[3] memory answer, bytes32 expected)
        external
    {
        vm.assume(length <= 65);
        target.set(length, reverts, answer);
        bool found = StaticCall.answers(address(target), hex"12345678", expected);
        assert(found == (length == 32 && !reverts && bytes32(answer[0]) == expected));
    }

    /// @notice The question is the selector and the argument, nothing else.
    function check_questionIsSelectorAndArgument(uint256 argument) external {
        assert(StaticCall.word(address(new Expects()), 0x12345678, argument) == argument);
    }

    /// @notice An account without code answers nothing.
    function check_noCodeIsNoAnswer(bytes4 selector) external {
        target = Answers(address(0xdead));
        try this.word(selector) {
            assert(false);
        } catch (bytes memory reason) {
            assert(isNoAnswer(reason, selector));
        }
    }

    /// @notice Wrong: a longer answer is taken.
    function refute_aLongerAnswerIsTaken(uint256 length) external {
        vm.assume(length >= 32 && length <= 65);
        target.set(length, false, [uint256(1), 2, 3]);
        assert(StaticCall.answers(address(target), hex"12345678", bytes32(uint256(1))));
    }

    function word(bytes4 selector) external view returns (uint256) {
        return StaticCall.word(address(target), selector);
    }

    function wordWith(bytes4 selector, uint256 argument) external view returns (uint256) {
        return StaticCall.word(address(target), selector, argument);
    }

    function addressWord(bytes4 selector) external view returns (address) {
        return StaticCall.addressWord(address(target), selector);
    }

    function words(bytes4 selector) external view returns (bytes memory) {
        return StaticCall.words(address(target), selector, 2);
    }

    /// @dev Whether a call with `selector` reaches the fallback of `Answers`.
    function isFree(bytes4 selector) private pure returns (bool) {
        return selector != Answers.set.selector;
    }

    function isNoAnswer(bytes memory reason, bytes4 selector) private view returns (bool) {
        return same(reason, abi.encodeWithSelector(ICommon.NoAnswer.selector, target, selector));
    }
}
