// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @notice A reward distributor that does its worst when a rollup claims.
contract HostileDistributor {
    enum Mode {
        Revert,
        /// Uses up all the gas it gets.
        Burn,
        /// Answers with 100,000 bytes.
        Bomb,
        /// Answers nothing.
        Silent,
        /// Answers nonsense.
        Nonsense,
        /// Calls the rollup.
        Reenter
    }

    Mode public mode;
    bytes[] private _callbacks;
    uint256 public claims;
    uint256 public callbacksThatSucceeded;
    /// @notice The callbacks that a reentrancy guard refused.
    uint256 public callbacksGuarded;

    function setMode(Mode newMode) external {
        mode = newMode;
    }

    function addCallback(bytes calldata data) external {
        _callbacks.push(data);
    }

    fallback() external {
        ++claims;
        if (mode == Mode.Revert) revert("hostile");
        if (mode == Mode.Burn) {
            while (true) {}
        }
        if (mode == Mode.Reenter) {
            for (uint256 i; i < _callbacks.length; ++i) {
                (bool success, bytes memory answer) = msg.sender.call(_callbacks[i]);
                if (success) ++callbacksThatSucceeded;
                else if (bytes4(answer) == ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector) ++callbacksGuarded;
            }
        }
        uint256 size = mode == Mode.Bomb ? 100_000 : mode == Mode.Nonsense ? 7 : 0;
        assembly {
            mstore(0, not(0))
            return(0, size)
        }
    }
}
