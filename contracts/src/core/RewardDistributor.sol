// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IRegistry} from "../interfaces/IRegistry.sol";
import {IRewardDistributor} from "../interfaces/IRewardDistributor.sol";
import {IRollup} from "../interfaces/IRollup.sol";
import {Code} from "../libraries/Code.sol";
import {SafeCast} from "../libraries/SafeCast.sol";
import {StaticCall} from "../libraries/StaticCall.sol";
import {TwoStepOwned} from "./TwoStepOwned.sol";

/// @title RewardDistributor: pays the canonical rollup for its blocks
contract RewardDistributor is IRewardDistributor, TwoStepOwned {
    using SafeERC20 for IERC20;

    /// @inheritdoc IRewardDistributor
    IERC20 public immutable ASSET;

    /// @inheritdoc IRewardDistributor
    uint256 public immutable BLOCK_REWARD;

    /// @inheritdoc IRewardDistributor
    IRegistry public registry;

    /// @inheritdoc IRewardDistributor
    uint256 public lastPaymentTime;

    /// @dev The last slot paid to a rollup, plus one; 0 if none was.
    mapping(address rollup => uint256) private _slotPlusOne;

    /// @param asset The asset that rewards are paid in; has code.
    /// @param registry_ The Registry that says which rollup is canonical; has code.
    /// @param blockReward Units of the asset; fits 96 bits.
    /// @param initialOwner The account that may replace the Registry.
    constructor(IERC20 asset, IRegistry registry_, uint256 blockReward, address initialOwner)
        TwoStepOwned(initialOwner)
    {
        Code.requireAt(address(asset));
        ASSET = asset;
        BLOCK_REWARD = SafeCast.toUint96(blockReward);
        emit RewardDistributorDeployed(address(asset), blockReward);
        _setRegistry(registry_);
    }

    /// @inheritdoc IRewardDistributor
    function claim(address to) external returns (uint256 amount) {
        address canonical = canonicalRollup();
        if (msg.sender != canonical) revert RewardDistributor__NotCanonical(msg.sender, canonical);

        // A slot lasts at least a second, so none can lie above the timestamp. Together with one payment per
        // timestamp this bounds what a rollup that lies about its slots can take.
        uint256 slot = StaticCall.word(msg.sender, IRollup.getCurrentSlot.selector);
        if (slot > block.timestamp) revert RewardDistributor__SlotInFuture(slot, block.timestamp);
        uint256 slotPlusOne = _slotPlusOne[msg.sender];
        if (slot < slotPlusOne) revert RewardDistributor__SlotAlreadyPaid(slot, slotPlusOne - 1);
        if (lastPaymentTime >= block.timestamp) revert RewardDistributor__AlreadyPaidNow(block.timestamp);

        _slotPlusOne[msg.sender] = slot + 1;
        lastPaymentTime = block.timestamp;

        uint256 balance = ASSET.balanceOf(address(this));
        amount = Math.min(BLOCK_REWARD, balance);
        emit RewardPaid(msg.sender, slot, to, amount);
        if (amount != 0) ASSET.safeTransfer(to, amount);
    }

    /// @inheritdoc IRewardDistributor
    function updateRegistry(address newRegistry) external onlyOwner {
        _setRegistry(IRegistry(newRegistry));
    }

    /// @inheritdoc IRewardDistributor
    function canonicalRollup() public view returns (address) {
        return StaticCall.addressWord(address(registry), IRegistry.getRollup.selector);
    }

    /// @inheritdoc IRewardDistributor
    function lastPaidSlot(address rollup) external view returns (bool exists, uint256 slot) {
        uint256 slotPlusOne = _slotPlusOne[rollup];
        return slotPlusOne == 0 ? (false, 0) : (true, slotPlusOne - 1);
    }

    function _setRegistry(IRegistry newRegistry) private {
        Code.requireAt(address(newRegistry));
        registry = newRegistry;
        emit RegistryUpdated(address(newRegistry));
    }
}
