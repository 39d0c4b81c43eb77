// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IRollup} from "canon/interfaces/IRollup.sol";

/// @notice A rollup without stakers that answers exactly the bytes that were set, or refuses to answer.
contract ScriptedRollup {
    struct Answer {
        bytes data;
        bool refuses;
    }

    mapping(bytes4 selector => Answer) private _answers;

    /// @notice The present slot, and whose it is.
    function set(uint256 slot, address proposer) external {
        _answers[IRollup.getCurrentSlot.selector] = Answer(abi.encode(slot), false);
        _answers[IRollup.getCurrentProposer.selector] = Answer(abi.encode(proposer), false);
    }

    function answer(bytes4 selector, bytes calldata data) external {
        _answers[selector] = Answer(data, false);
    }

    function refuse(bytes4 selector, bytes calldata reason) external {
        _answers[selector] = Answer(reason, true);
    }

    fallback() external {
        Answer memory found = _answers[msg.sig];
        bytes memory data = found.data;
        bool refuses = found.refuses;
        assembly ("memory-safe") {
            if refuses { revert(add(data, 32), mload(data)) }
            return(add(data, 32), mload(data))
        }
    }
}
