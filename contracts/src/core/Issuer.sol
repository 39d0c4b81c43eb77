// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IAsset} from "../interfaces/IAsset.sol";
import {IIssuer} from "../interfaces/IIssuer.sol";
import {Fit} from "../libraries/Fit.sol";
import {Outside} from "../libraries/Outside.sol";
import {TwoStepOwned} from "../libraries/TwoStepOwned.sol";

/// @title Issuer
contract Issuer is IIssuer, TwoStepOwned {
    /// @inheritdoc IIssuer
    IAsset public immutable ASSET;

    /// @inheritdoc IIssuer
    uint256 public immutable RATE;

    /// @inheritdoc IIssuer
    uint256 public timeOfLastMint;

    /// @param rate Units of the asset per second; fits 96 bits.
    constructor(IAsset asset, uint256 rate, address initialOwner) TwoStepOwned(initialOwner) {
        Outside.requireCode(address(asset));
        ASSET = asset;
        RATE = Fit.toUint96(rate);
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
        return RATE * (block.timestamp - timeOfLastMint);
    }
}
