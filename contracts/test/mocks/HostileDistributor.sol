// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice A reward distributor that does its worst when a rollup claims.
contract HostileDistributor {
    enum Mode {
        Revert,
        /// Uses up all the gas it gets.
        Burn,
        /// Answers with a megabyte, or as much as it has gas for.
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
                (bool success,) = msg.sender.call(_callbacks[i]);
                if (success) ++callbacksThatSucceeded;
            }
        }
        uint256 size = mode == Mode.Bomb ? 100_000 : mode == Mode.Nonsense ? 7 : 0;
        assembly {
            mstore(0, not(0))
            return(0, size)
        }
    }
}
