// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IGovernance} from "../interfaces/IGovernance.sol";
import {Action, IPayload} from "../interfaces/IPayload.sol";

/// @title Lists of actions, read from payloads that nobody trusts
/// @notice A list is committed to by the hash of its canonical encoding, `abi.encode(actions)`. Bytes with that hash are
/// that encoding, so they can be walked without a check.
library Actions {
    /// @notice The bytes that `payload` answers to `getActions()`, asked by static call.
    function ask(address payload) internal view returns (bytes memory answer) {
        bool success;
        (success, answer) = payload.staticcall(abi.encodeCall(IPayload.getActions, ()));
        if (!success) revert IGovernance.Governance__UnreadableActions(payload);
    }

    /// @notice The list that `payload` answered.
    /// @dev Decoded by hand, since `abi.decode` gives no refusal that a person could read. Every offset and length
    /// is checked against what was answered; `data` of an action is not copied but points into the answer.
    function decode(address payload, bytes memory answer) internal pure returns (Action[] memory actions) {
        uint256 start;
        assembly ("memory-safe") {
            start := add(answer, 32)
        }
        // Pointers stay within a few words of the answer, so no sum of them overflows; no word is read before it is known
        // to lie before `end`.
        unchecked {
            uint256 end = start + answer.length;

            // The list: its length, then an offset per action, counted from behind the length.
            uint256 list = _follow(payload, start, start, end, 32);
            uint256 length = _load(list);
            if (length == 0) revert IGovernance.Governance__NoActions(payload);
            list += 32;
            // Each action takes at least a word here, so a length that passes fits memory too.
            if (length > (end - list) / 32) revert IGovernance.Governance__UnreadableActions(payload);
            actions = _allocate(length);
            for (uint256 i; i < length; ++i) {
                // An action: its target and the offset of its data, counted from the action.
                uint256 action = _follow(payload, list + 32 * i, list, end, 64);
                uint256 target = _load(action);
                uint256 data = _follow(payload, action + 32, action, end, 32);
                if (target > type(uint160).max || _load(data) > end - data - 32) {
                    revert IGovernance.Governance__UnreadableActions(payload);
                }
                Action memory decoded = actions[i];
                assembly ("memory-safe") {
                    mstore(decoded, target)
                    mstore(add(decoded, 32), data)
                }
            }
        }
    }

    /// @notice The commitment to `actions`, and the data of the event that publishes them:
    /// `abi.encode(configurationId, commitment, actions)`.
    /// @dev The last part of that encoding is the canonical one but for its first word, the offset of the list, which
    /// is 32 where the list is alone. So the list is encoded once for both.
    function publish(uint256 configurationId, Action[] memory actions)
        internal
        pure
        returns (bytes32 commitment, bytes memory data)
    {
        data = abi.encode(configurationId, bytes32(0), actions);
        assembly ("memory-safe") {
            let list := add(data, 96)
            let offset := mload(list)
            mstore(list, 32)
            commitment := keccak256(list, sub(mload(data), 64))
            mstore(list, offset)
            mstore(sub(list, 32), commitment)
        }
    }

    /// @notice How many actions there are in a canonical encoding.
    function size(bytes memory list) internal pure returns (uint256 actions) {
        assembly ("memory-safe") {
            actions := mload(add(list, 64))
        }
    }

    /// @notice Action number `index`, below `size(list)`, of a canonical encoding. `data` points into it.
    function at(bytes memory list, uint256 index) internal pure returns (address target, bytes memory data) {
        assembly ("memory-safe") {
            let offsets := add(list, 96)
            let action := add(offsets, mload(add(offsets, shl(5, index))))
            target := mload(action)
            data := add(action, mload(add(action, 32)))
        }
    }

    /// @dev Memory for a list whose actions are all going to be written.
    function _allocate(uint256 length) private pure returns (Action[] memory actions) {
        assembly ("memory-safe") {
            actions := mload(64)
            mstore(actions, length)
            let slot := add(actions, 32)
            let action := add(slot, shl(5, length))
            let end := add(action, shl(6, length))
            mstore(64, end)
            for {} lt(action, end) {} {
                mstore(slot, action)
                slot := add(slot, 32)
                action := add(action, 64)
            }
        }
    }

    /// @dev The word at `pointer`.
    function _load(uint256 pointer) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(pointer)
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
}
