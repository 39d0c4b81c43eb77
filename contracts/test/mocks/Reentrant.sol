// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice Makes the calls that were added whenever it is called, and keeps their outcomes.
contract Reentrant {
    struct Callback {
        address target;
        bytes data;
    }

    struct Outcome {
        bool success;
        bytes answer;
    }

    Callback[] private _callbacks;
    Outcome[] private _outcomes;

    function add(address target, bytes calldata data) external {
        _callbacks.push(Callback(target, data));
    }

    function outcome(uint256 index) external view returns (bool success, bytes memory answer) {
        return (_outcomes[index].success, _outcomes[index].answer);
    }

    function outcomes() external view returns (uint256) {
        return _outcomes.length;
    }

    fallback() external {
        for (uint256 i; i < _callbacks.length; ++i) {
            (bool success, bytes memory answer) = _callbacks[i].target.call(_callbacks[i].data);
            _outcomes.push(Outcome(success, answer));
        }
    }
}
