// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ICommon} from "./ICommon.sol";
import {IRegistry} from "./IRegistry.sol";

/// @title Pays the canonical rollup for its blocks
interface IRewardDistributor is ICommon {
    /// @notice The constructor's arguments; registry and owner have events of their own.
    event RewardDistributorDeployed(address indexed asset, uint256 blockReward);

    /// @notice `registry` now says which rollup is canonical.
    event RegistryUpdated(address indexed registry);

    /// @notice `rollup` was paid `amount` to `to` for `slot`. 0 when nothing was left.
    event RewardPaid(address indexed rollup, uint256 indexed slot, address to, uint256 amount);

    /// @notice Only the canonical rollup is paid.
    error RewardDistributor__NotCanonical(address caller, address canonical);

    /// @notice The rollup reports a slot that cannot have begun yet.
    error RewardDistributor__SlotInFuture(uint256 slot, uint256 timestamp);

    /// @notice `slot` is not above the last slot paid to this rollup.
    error RewardDistributor__SlotAlreadyPaid(uint256 slot, uint256 lastSlot);

    /// @notice There was a payment at this very timestamp already.
    error RewardDistributor__AlreadyPaidNow(uint256 timestamp);

    /// @notice Pays min(`BLOCK_REWARD`, balance) to `to` for the caller's current slot.
    /// @dev Only the canonical rollup, at most once per slot of it and once per timestamp.
    /// @return The amount paid.
    function claim(address to) external returns (uint256);

    /// @notice Changes the registry that says which rollup is canonical. Only the owner.
    function updateRegistry(address newRegistry) external;

    /// @notice The rollup that would be paid now.
    function canonicalRollup() external view returns (address);

    /// @notice The last slot paid to `rollup`; `exists` is false if none was.
    function lastPaidSlot(address rollup) external view returns (bool exists, uint256 slot);

    /// @notice Timestamp of the last payment to any rollup, in seconds; 0 if none.
    function lastPaymentTime() external view returns (uint256);

    /// @notice The registry that says which rollup is canonical.
    function registry() external view returns (IRegistry);

    /// @notice The asset that rewards are paid in.
    function ASSET() external view returns (IERC20);

    /// @notice Reward per block, in units of the asset.
    function BLOCK_REWARD() external view returns (uint256);
}
