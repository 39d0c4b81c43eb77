// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Action, IPayload} from "canon/interfaces/IPayload.sol";

/// @notice A payload that anybody can change, that answers some callers differently, and that can refuse to answer.
contract ChangeablePayload is IPayload {
    error Withheld();

    Action[] private _actions;
    mapping(address caller => Action[]) private _actionsFor;
    bool public withheld;

    function set(Action[] memory actions) external {
        _replace(_actions, actions);
    }

    /// @notice The answer to `caller` from now on; that to all others if `actions` is empty.
    function setFor(address caller, Action[] memory actions) external {
        _replace(_actionsFor[caller], actions);
    }

    function withhold(bool value) external {
        withheld = value;
    }

    function getActions() external view returns (Action[] memory) {
        if (withheld) revert Withheld();
        return _actionsFor[msg.sender].length == 0 ? _actions : _actionsFor[msg.sender];
    }

    function getURI() external pure returns (string memory) {
        return "https://example.org/changeable";
    }

    function _replace(Action[] storage list, Action[] memory actions) private {
        while (list.length != 0) list.pop();
        for (uint256 i; i < actions.length; ++i) {
            list.push(actions[i]);
        }
    }
}
