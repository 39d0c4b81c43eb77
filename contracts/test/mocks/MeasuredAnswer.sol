// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice Answers each function with a word, cut or continued to any length, or reverts with it.
contract MeasuredAnswer {
    struct Answer {
        uint256 word;
        uint256 length;
        bool fails;
    }

    mapping(bytes4 selector => Answer) private _answers;

    /// @notice From now on `selector` is answered with `word` alone.
    function set(bytes4 selector, uint256 word) external {
        _answers[selector] = Answer(word, 32, false);
    }

    /// @notice From now on the answer to `selector` has `length` bytes, or is a revert with as many.
    function distort(bytes4 selector, uint256 length, bool fails) external {
        _answers[selector].length = length;
        _answers[selector].fails = fails;
    }

    fallback() external {
        Answer memory answer = _answers[msg.sig];
        uint256 word = answer.word;
        uint256 length = answer.length;
        bool fails = answer.fails;
        assembly {
            mstore(0, word)
            if fails { revert(0, length) }
            return(0, length)
        }
    }
}
