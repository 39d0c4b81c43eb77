// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IGovernance} from "../interfaces/IGovernance.sol";
import {IPayload} from "../interfaces/IPayload.sol";

/// @title Lists of actions, read from untrusted payloads
/// @notice A list is committed to by the hash of its canonical encoding, `abi.encode(actions)`. Bytes with that hash are
/// that encoding, so they can be walked without a check.
library Actions {
    /// @notice The greatest length of a payload's answer, and of a list's canonical encoding, in bytes: nodes relay no
    /// transaction above 128 KiB, and `executeWith` has to be one.
    uint256 internal constant MAX_LENGTH = 100_000;

    /// @dev What an action takes in the canonical encoding besides its data: the offset of the action, its target, the
    /// offset of its data, and their length.
    uint256 private constant WORDS_OF_ACTION = 4 * 32;

    /// @notice Returns the bytes that `payload` answers to `getActions()`, asked by static call.
    function ask(address payload) internal view returns (bytes memory answer) {
        bytes4 selector = IPayload.getActions.selector;
        bool success;
        uint256 length;
        assembly ("memory-safe") {
            mstore(0, selector)
            success := staticcall(gas(), payload, 0, 4, 0, 0)
            length := returndatasize()
        }
        if (!success) revert IGovernance.Governance__UnreadableActions(payload);
        if (length > MAX_LENGTH) revert IGovernance.Governance__ActionsTooLong(payload, length, MAX_LENGTH);
        assembly ("memory-safe") {
            answer := mload(64)
            mstore(answer, length)
            returndatacopy(add(answer, 32), 0, length)
            mstore(64, add(add(answer, 32), and(add(length, 31), not(31))))
        }
    }

    /// @notice Returns the canonical encoding of the list that `payload` answered.
    function canonical(address payload, bytes memory answer) internal pure returns (bytes memory list) {
        (uint256 offsets, uint256 actions, uint256 length) = _measure(payload, answer);
        list = _allocate(length);
        assembly ("memory-safe") {
            mstore(add(list, 32), 32)
        }
        _write(offsets, actions, list, 64);
    }

    /// @notice Returns the commitment to the list that `payload` answered, and the data of the event that publishes it:
    /// `abi.encode(configurationId, commitment, actions)`.
    /// @dev The last part of that encoding is the canonical one except for its first word, the offset of the list, which
    /// is 32 where the list is alone. So the list is written once for both.
    function publish(address payload, bytes memory answer, uint256 configurationId)
        internal
        pure
        returns (bytes32 commitment, bytes memory data)
    {
        (uint256 offsets, uint256 actions, uint256 length) = _measure(payload, answer);
        data = _allocate(length + 64);
        _write(offsets, actions, data, 128);
        assembly ("memory-safe") {
            mstore(add(data, 96), 32)
            commitment := keccak256(add(data, 96), length)
            mstore(add(data, 32), configurationId)
            mstore(add(data, 64), commitment)
            mstore(add(data, 96), 96)
        }
    }

    /// @notice Returns how many actions there are in a canonical encoding.
    function size(bytes memory list) internal pure returns (uint256 actions) {
        assembly ("memory-safe") {
            actions := mload(add(list, 64))
        }
    }

    /// @notice Returns action number `index`, below `size(list)`, of a canonical encoding. `data` points into it.
    function at(bytes memory list, uint256 index) internal pure returns (address target, bytes memory data) {
        assembly ("memory-safe") {
            let offsets := add(list, 96)
            let action := add(offsets, mload(add(offsets, shl(5, index))))
            target := mload(action)
            data := add(action, mload(add(action, 32)))
        }
    }

    /// @dev Checks the list in `answer`, every offset and length against what was answered. `abi.decode` isn't used, since
    /// it fails without a reason and allocates the list before its length is known: offsets may share their data, so
    /// that a short answer is a long list.
    /// @return offsets Where the offsets of the actions begin.
    /// @return actions How many there are.
    /// @return length The length of the canonical encoding.
    function _measure(address payload, bytes memory answer)
        private
        pure
        returns (uint256 offsets, uint256 actions, uint256 length)
    {
        uint256 start;
        assembly ("memory-safe") {
            start := add(answer, 32)
        }
        // Pointers stay within a few words of the answer, so no sum of them overflows; no word is read before it is known
        // to lie before `end`. Both factors of the length are at most the answer's.
        unchecked {
            uint256 end = start + answer.length;
            // The list: its length, then an offset per action, counted from behind the length.
            offsets = _follow(payload, start, start, end, 32);
            actions = _load(offsets);
            if (actions == 0) revert IGovernance.Governance__NoActions(payload);
            offsets += 32;
            if (actions > (end - offsets) / 32) revert IGovernance.Governance__UnreadableActions(payload);
            length = 64 + WORDS_OF_ACTION * actions;
            for (uint256 i; i < actions; ++i) {
                // An action: its target and the offset of its data, counted from the action.
                uint256 action = _follow(payload, offsets + 32 * i, offsets, end, 64);
                uint256 data = _follow(payload, action + 32, action, end, 32);
                uint256 dataLength = _load(data);
                if (_load(action) > type(uint160).max || dataLength > end - data - 32) {
                    revert IGovernance.Governance__UnreadableActions(payload);
                }
                length += _padded(dataLength);
            }
            if (length > MAX_LENGTH) revert IGovernance.Governance__ActionsTooLong(payload, length, MAX_LENGTH);
        }
    }

    /// @dev Writes the canonical encoding of a list that was measured, from its length on, `position` bytes behind
    /// `destination`.
    function _write(uint256 offsets, uint256 actions, bytes memory destination, uint256 position) private pure {
        assembly ("memory-safe") {
            let list := add(destination, position)
            mstore(list, actions)
            let heads := add(list, 32)
            let tail := add(heads, shl(5, actions))
            for { let i := 0 } lt(i, shl(5, actions)) { i := add(i, 32) } {
                let action := add(offsets, mload(add(offsets, i)))
                let data := add(action, mload(add(action, 32)))
                let length := mload(data)
                mstore(add(heads, i), sub(tail, heads))
                mstore(tail, mload(action))
                mstore(add(tail, 32), 64)
                mstore(add(tail, 64), length)
                tail := add(tail, 96)
                // Zeros behind the data come first, in the word in which the data end.
                mstore(add(tail, and(length, not(31))), 0)
                mcopy(tail, add(data, 32), length)
                tail := add(tail, and(add(length, 31), not(31)))
            }
        }
    }

    /// @dev Memory for `length` bytes, not cleared, and one word more for `_write`'s zeros.
    function _allocate(uint256 length) private pure returns (bytes memory data) {
        assembly ("memory-safe") {
            data := mload(64)
            mstore(data, length)
            mstore(64, add(add(data, 64), length))
        }
    }

    /// @dev Where the offset at `pointer`, a word before `end`, leads, counted from `origin`, which isn't behind `end`.
    /// `needed` bytes must be there.
    function _follow(address payload, uint256 pointer, uint256 origin, uint256 end, uint256 needed)
        private
        pure
        returns (uint256 destination)
    {
        unchecked {
            // An answer may be too short for the very first offset.
            if (pointer + 32 > end) revert IGovernance.Governance__UnreadableActions(payload);
            uint256 offset = _load(pointer);
            destination = origin + offset;
            if (offset > end - origin || destination + needed > end) {
                revert IGovernance.Governance__UnreadableActions(payload);
            }
        }
    }

    /// @dev `length` rounded up to whole words.
    function _padded(uint256 length) private pure returns (uint256) {
        unchecked {
            return (length + 31) & ~uint256(31);
        }
    }

    /// @dev The word at `pointer`.
    function _load(uint256 pointer) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(pointer)
        }
    }
}
