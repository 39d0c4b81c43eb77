// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IGovernance} from "../interfaces/IGovernance.sol";
import {Action, IPayload} from "../interfaces/IPayload.sol";

/// @title Reading a payload's actions, trusting nothing
library Actions {
    /// @notice The commitment that holders vote on.
    function hash(Action[] memory actions) internal pure returns (bytes32) {
        return keccak256(abi.encode(actions));
    }

    /// @notice What `payload` answers to `getActions()`, asked once by static call.
    /// @dev Decoded by hand, since `abi.decode` gives no refusal that a person could read. Every offset and length
    /// is checked against what was returned; `data` of an action is not copied but points into the answer.
    /// @return actions The decoded list.
    /// @return answerHash The hash of the answer. It is the list's commitment if the payload encodes as `abi.encode`
    /// does, and can't be the commitment of any other list.
    function read(address payload) internal view returns (Action[] memory actions, bytes32 answerHash) {
        (bool success, bytes memory answer) = payload.staticcall(abi.encodeCall(IPayload.getActions, ()));
        if (!success) revert IGovernance.Governance__UnreadableActions(payload);
        answerHash = keccak256(answer);
        uint256 start;
        assembly ("memory-safe") {
            start := add(answer, 32)
        }
        // Pointers stay within a few words of the answer, so no sum of them overflows.
        unchecked {
            uint256 end = start + answer.length;

            // The list: its length, then an offset per action, counted from behind the length.
            uint256 list = _follow(payload, start, start, end);
            uint256 count = _load(payload, list, end);
            if (count == 0) revert IGovernance.Governance__NoActions(payload);
            list += 32;
            // Each action takes at least a word here, so a count that passes fits memory too.
            if (count > (end - list) / 32) revert IGovernance.Governance__UnreadableActions(payload);
            actions = new Action[](count);
            for (uint256 i; i < count; ++i) {
                uint256 action = _follow(payload, list + 32 * i, list, end);
                uint256 target = _load(payload, action, end);
                uint256 data = _follow(payload, action + 32, action, end);
                uint256 length = _load(payload, data, end);
                if (target > type(uint160).max || length > end - data - 32) {
                    revert IGovernance.Governance__UnreadableActions(payload);
                }
                bytes memory pointer;
                assembly ("memory-safe") {
                    pointer := data
                }
                Action memory decoded = actions[i];
                decoded.target = address(uint160(target));
                decoded.data = pointer;
            }
        }
    }

    /// @dev The word at `pointer`, which must lie before `end`.
    function _load(address payload, uint256 pointer, uint256 end) private pure returns (uint256 word) {
        unchecked {
            if (pointer + 32 > end) revert IGovernance.Governance__UnreadableActions(payload);
        }
        assembly ("memory-safe") {
            word := mload(pointer)
        }
    }

    /// @dev Where the offset at `pointer` leads, counted from `origin`, which lies before `end`.
    function _follow(address payload, uint256 pointer, uint256 origin, uint256 end) private pure returns (uint256) {
        uint256 offset = _load(payload, pointer, end);
        unchecked {
            if (offset > end - origin) revert IGovernance.Governance__UnreadableActions(payload);
            return origin + offset;
        }
    }
}
