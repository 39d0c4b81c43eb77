// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IAsset} from "../interfaces/IAsset.sol";
import {IIssuer} from "../interfaces/IIssuer.sol";
import {Code} from "../libraries/Code.sol";
import {SafeCast} from "../libraries/SafeCast.sol";
import {TwoStepOwned} from "./TwoStepOwned.sol";

/// @title Issuer: mints the asset for Governance at a bounded rate
contract Issuer is IIssuer, TwoStepOwned {
    /// @inheritdoc IIssuer
    uint256 public constant ACCRUAL_LIMIT = 365 days;

    /// @inheritdoc IIssuer
    IAsset public immutable ASSET;

    /// @inheritdoc IIssuer
    uint256 public immutable RATE;

    /// @inheritdoc IIssuer
    uint256 public timeOfLastMint;

    /// @param asset The asset that is minted; has code.
    /// @param rate Units of the asset per second; fits 96 bits.
    /// @param initialOwner The account that may mint.
    constructor(IAsset asset, uint256 rate, address initialOwner) TwoStepOwned(initialOwner) {
        Code.requireAt(address(asset));
        ASSET = asset;
        RATE = SafeCast.toUint96(rate);
        timeOfLastMint = block.timestamp;
        emit IssuerDeployed(address(asset), rate);
    }

    /// @inheritdoc IIssuer
    function mint(address to, uint256 amount) external onlyOwner {
        if (amount == 0) revert Issuer__ZeroAmount();
        uint256 available = mintAvailable();
        if (amount > available) revert Issuer__InsufficientMintAvailable(available, amount);
        timeOfLastMint = block.timestamp;
        emit Minted(to, amount);
        ASSET.mint(to, amount);
    }

    /// @inheritdoc IIssuer
    function acceptAsset() external {
        Ownable2Step(address(ASSET)).acceptOwnership();
    }

    /// @inheritdoc IIssuer
    function mintAvailable() public view returns (uint256) {
        return RATE * Math.min(block.timestamp - timeOfLastMint, ACCRUAL_LIMIT);
    }
}
