// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ICommon} from "./ICommon.sol";
import {IRegistry} from "./IRegistry.sol";

/// @title RewardDistributor: pays the canonical rollup for its blocks
/// @notice Pays from its own balance of the asset, at most once for each slot of a rollup and at most once per
/// timestamp. Amounts are in the asset's smallest unit.
interface IRewardDistributor is ICommon {
    /// @notice The RewardDistributor was constructed. The Registry is in `RegistryUpdated`, the owner in
    /// `OwnershipTransferred`.
    /// @param asset The asset that rewards are paid in.
    /// @param blockReward The reward for a block.
    event RewardDistributorDeployed(address indexed asset, uint256 blockReward);

    /// @notice The Registry that says which rollup is canonical was set, by the constructor or by the owner.
    /// @param registry The Registry from now on.
    event RegistryUpdated(address indexed registry);

    /// @notice A rollup claimed its reward for a slot.
    /// @param rollup The canonical rollup, which called.
    /// @param slot The slot that the rollup reported as its current one.
    /// @param to The recipient of the reward.
    /// @param amount The amount paid: the reward for a block or, if that is less, all that was left; may be 0.
    event RewardPaid(address indexed rollup, uint256 indexed slot, address to, uint256 amount);

    /// @notice The caller isn't the canonical rollup.
    /// @param caller The account that called.
    /// @param canonical The canonical rollup.
    error RewardDistributor__NotCanonical(address caller, address canonical);

    /// @notice The rollup reports a slot that can't have begun yet, since every slot lasts at least a second.
    /// @param slot The slot that it reports.
    /// @param timestamp The block's timestamp.
    error RewardDistributor__SlotInFuture(uint256 slot, uint256 timestamp);

    /// @notice The rollup was paid for this slot or a later one already.
    /// @param slot The slot that it reports.
    /// @param lastSlot The newest slot that it was paid for.
    error RewardDistributor__SlotAlreadyPaid(uint256 slot, uint256 lastSlot);

    /// @notice There was a payment at this timestamp already.
    /// @param timestamp The block's timestamp.
    error RewardDistributor__AlreadyPaidNow(uint256 timestamp);

    /// @notice Pays the reward for the caller's current slot. Only the canonical rollup may call.
    /// @dev Reverts with `RewardDistributor__NotCanonical`, `RewardDistributor__SlotInFuture`,
    /// `RewardDistributor__SlotAlreadyPaid` or `RewardDistributor__AlreadyPaidNow`, in this order, and with `NoAnswer`
    /// if the Registry doesn't answer `getRollup()` or the rollup doesn't answer `getCurrentSlot()`. A rollup that
    /// isn't paid because the balance is 0 has still claimed its reward for the slot.
    /// @param to The recipient.
    /// @return The amount paid: min(`BLOCK_REWARD()`, balance).
    function claim(address to) external returns (uint256);

    /// @notice Replaces the Registry that says which rollup is canonical. Only the owner (Governance) may call.
    /// @param newRegistry The Registry from now on; reverts with `NoCode` if it has no code.
    function updateRegistry(address newRegistry) external;

    /// @notice Returns the rollup that may claim rewards now. Reverts with `NoAnswer` if the Registry doesn't answer.
    /// @return The canonical rollup of the Registry; its sentinel before the first upgrade.
    function canonicalRollup() external view returns (address);

    /// @notice Returns the newest slot that a rollup was paid for.
    /// @param rollup The rollup that is looked up, canonical or not.
    /// @return exists Whether the rollup was ever paid.
    /// @return slot The slot; 0 if there is none.
    function lastPaidSlot(address rollup) external view returns (bool exists, uint256 slot);

    /// @notice Returns when the last payment to any rollup was made.
    /// @return The timestamp; 0 if there was no payment.
    function lastPaymentTime() external view returns (uint256);

    /// @notice Returns the Registry that says which rollup is canonical.
    /// @return The Registry's contract.
    function registry() external view returns (IRegistry);

    /// @notice Returns the asset that rewards are paid in.
    /// @return The asset's contract.
    function ASSET() external view returns (IERC20);

    /// @notice Returns the reward for a block.
    /// @return The amount; fits 96 bits, may be 0.
    function BLOCK_REWARD() external view returns (uint256);
}
