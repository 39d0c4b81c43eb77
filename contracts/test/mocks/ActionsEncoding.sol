// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Action} from "canon/interfaces/IPayload.sol";

/// @title Lists of actions, and other ways to encode them than the compiler's
library ActionsEncoding {
    /// @notice `count` actions with data of any length up to 80 bytes.
    function list(uint256 count, uint256 seed) internal pure returns (Action[] memory actions) {
        actions = new Action[](count);
        for (uint256 i; i < count; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            bytes memory data = new bytes(seed % 81);
            for (uint256 j; j < data.length; ++j) {
                data[j] = bytes1(uint8(uint256(keccak256(abi.encode(seed, j)))));
            }
            actions[i] = Action(address(uint160(seed >> 96)), data);
        }
    }

    /// @notice A word that may mean something: a length, an offset near `size`, an address, or nonsense.
    function word(uint256 seed, uint256 size) internal pure returns (uint256) {
        uint256 kind = seed % 8;
        seed >>= 3;
        if (kind < 3) return seed % (size / 32 + 2) * 32;
        if (kind == 3) return seed % (size + 64);
        if (kind == 4) return seed % 4;
        if (kind == 5) return uint160(seed);
        if (kind == 6) return type(uint256).max - seed % (size + 64);
        return seed;
    }

    /// @notice Replaces one word of `answer`.
    function corrupt(bytes memory answer, uint256 where, uint256 what) internal pure {
        if (answer.length < 32) return;
        uint256 position = where % (answer.length / 32) * 32;
        uint256 value = word(what, answer.length);
        assembly ("memory-safe") {
            mstore(add(add(answer, 32), position), value)
        }
    }

    /// @notice The list with its parts in reverse order, unpadded, and garbage between them.
    function scattered(Action[] memory actions, uint256 seed) internal pure returns (bytes memory) {
        uint256 count = actions.length;
        bytes memory gap = _garbage(seed);
        bytes memory tails;
        uint256[] memory offsets = new uint256[](count);
        for (uint256 i = count; i != 0; --i) {
            offsets[i - 1] = 32 * count + gap.length + tails.length;
            tails = bytes.concat(tails, _detached(actions[i - 1], gap));
        }
        // The list isn't where it is expected either.
        bytes memory heads = bytes.concat(abi.encode(32 + gap.length), gap, abi.encode(count));
        return bytes.concat(heads, abi.encodePacked(offsets), gap, tails);
    }

    /// @dev An action whose data isn't next to it.
    function _detached(Action memory action, bytes memory gap) private pure returns (bytes memory) {
        bytes memory head = abi.encode(action.target, 64 + gap.length);
        return bytes.concat(head, gap, abi.encode(action.data.length), action.data, gap);
    }

    /// @notice `count` times the same action, encoded once.
    function shared(uint256 count, address target, bytes memory data) internal pure returns (bytes memory) {
        uint256[] memory offsets = new uint256[](count);
        for (uint256 i; i < count; ++i) {
            offsets[i] = 32 * count;
        }
        bytes memory head = bytes.concat(abi.encode(32, count), abi.encodePacked(offsets));
        return bytes.concat(head, abi.encode(target, 64, data.length), data);
    }

    /// @dev 1 to 70 bytes.
    function _garbage(uint256 seed) private pure returns (bytes memory garbage) {
        garbage = new bytes(1 + seed % 70);
        for (uint256 i; i < garbage.length; ++i) {
            garbage[i] = bytes1(uint8(uint256(keccak256(abi.encode(seed, i)))));
        }
    }
}
