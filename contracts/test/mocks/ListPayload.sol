// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Action, IPayload} from "canon/interfaces/IPayload.sol";

/// @notice An honest payload: the actions that it was constructed with.
contract ListPayload is IPayload {
    Action[] private _actions;

    constructor(Action[] memory actions) {
        for (uint256 i; i < actions.length; ++i) {
            _actions.push(actions[i]);
        }
    }

    function getActions() external view returns (Action[] memory) {
        return _actions;
    }

    function getURI() external pure returns (string memory) {
        return "https://example.org/azip";
    }
}
