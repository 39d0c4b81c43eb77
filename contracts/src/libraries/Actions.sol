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
    function read(address payload) internal view returns (Action[] memory actions) {
        (bool success, bytes memory answer) = payload.staticcall(abi.encodeCall(IPayload.getActions, ()));
        if (!success) revert IGovernance.Governance__UnreadableActions(payload);
        uint256 size = answer.length;

        // The list: its length, then an offset per action, counted from behind the length.
        uint256 list = _offset(payload, answer, 0, size, 0);
        uint256 count = _word(payload, answer, list, size);
        if (count == 0) revert IGovernance.Governance__NoActions(payload);
        unchecked {
            list += 32;
            // Each action takes at least a word here, so a count that passes fits memory too.
            if (count > (size - list) / 32) revert IGovernance.Governance__UnreadableActions(payload);
            actions = new Action[](count);
            for (uint256 i; i < count; ++i) {
                uint256 action = _offset(payload, answer, list + 32 * i, size, list);
                uint256 target = _word(payload, answer, action, size);
                if (target > type(uint160).max) revert IGovernance.Governance__UnreadableActions(payload);
                uint256 data = _offset(payload, answer, action + 32, size, action);
                uint256 length = _word(payload, answer, data, size);
                if (length > size - data - 32) revert IGovernance.Governance__UnreadableActions(payload);

                Action memory slot = actions[i];
                slot.target = address(uint160(target));
                bytes memory pointer;
                assembly ("memory-safe") {
                    pointer := add(add(answer, 32), data)
                }
                slot.data = pointer;
            }
        }
    }

    /// @dev The word at `position` of `answer`, which must lie inside it.
    function _word(address payload, bytes memory answer, uint256 position, uint256 size)
        private
        pure
        returns (uint256 value)
    {
        // `position` is at most `size` plus a word, so this can't overflow.
        unchecked {
            if (position + 32 > size) revert IGovernance.Governance__UnreadableActions(payload);
        }
        assembly ("memory-safe") {
            value := mload(add(add(answer, 32), position))
        }
    }

    /// @dev The position that the offset at `position` means, counted from `origin`.
    function _offset(address payload, bytes memory answer, uint256 position, uint256 size, uint256 origin)
        private
        pure
        returns (uint256)
    {
        uint256 offset = _word(payload, answer, position, size);
        unchecked {
            if (offset > size - origin) revert IGovernance.Governance__UnreadableActions(payload);
            return origin + offset;
        }
    }
}
