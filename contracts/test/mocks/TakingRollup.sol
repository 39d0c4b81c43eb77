// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @notice A canonical rollup whose `deposit` takes what it likes of the stake that moves to it.
contract TakingRollup {
    IERC20 private immutable ASSET;

    uint256 public take;
    uint256 public giveBack;
    bytes[] private _callbacks;
    uint256 public callbacksThatSucceeded;
    /// @notice The callbacks that a reentrancy guard refused.
    uint256 public callbacksGuarded;

    constructor(IERC20 asset) {
        ASSET = asset;
    }

    function setTake(uint256 take_, uint256 giveBack_) external {
        take = take_;
        giveBack = giveBack_;
    }

    /// @notice A call back into the rollup that the stake comes from.
    function addCallback(bytes calldata data) external {
        _callbacks.push(data);
    }

    /// @notice Calls `target` as this rollup.
    function call(address target, bytes calldata data) external {
        (bool success, bytes memory reason) = target.call(data);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(reason, 32), mload(reason))
            }
        }
    }

    function deposit(address, address, address, uint256) external {
        if (take != 0) ASSET.transferFrom(msg.sender, address(this), take);
        if (giveBack != 0) ASSET.transfer(msg.sender, giveBack);
        for (uint256 i; i < _callbacks.length; ++i) {
            (bool success, bytes memory answer) = msg.sender.call(_callbacks[i]);
            if (success) ++callbacksThatSucceeded;
            else if (bytes4(answer) == ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector) ++callbacksGuarded;
        }
    }

    function getCurrentSlot() external pure returns (uint256) {
        return 0;
    }

    function getCurrentProposer() external pure returns (address) {
        return address(0);
    }
}
