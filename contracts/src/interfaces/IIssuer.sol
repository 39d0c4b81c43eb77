// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IAsset} from "./IAsset.sol";
import {ICommon} from "./ICommon.sol";

/// @title Issuer: mints the asset at a bounded rate
/// @notice An allowance to mint grows with time since the last mint, for at most `ACCRUAL_LIMIT()`. A mint uses up all
/// of it, whatever its amount. Amounts are in the asset's smallest unit.
interface IIssuer is ICommon {
    /// @notice The Issuer was constructed. The owner is in `OwnershipTransferred`.
    /// @param asset The asset that it mints.
    /// @param rate The amount by which the allowance grows each second.
    event IssuerDeployed(address indexed asset, uint256 rate);

    /// @notice The asset was minted; what was left of the allowance is lost.
    /// @param to The recipient.
    /// @param amount The amount minted; above 0.
    event Minted(address indexed to, uint256 amount);

    /// @notice The amount to mint is 0: such a mint would only use up the allowance.
    error Issuer__ZeroAmount();

    /// @notice The amount to mint is above the allowance.
    /// @param available The allowance: `mintAvailable()`.
    /// @param amount The amount to mint.
    error Issuer__InsufficientMintAvailable(uint256 available, uint256 amount);

    /// @notice Mints the asset, and starts the allowance again from 0. Only the owner (Governance) may call.
    /// @dev Reverts with `Issuer__ZeroAmount` or `Issuer__InsufficientMintAvailable`, and with the asset's errors if
    /// the Issuer doesn't own it, `to` is 0 or the total supply would be too great.
    /// @param to The recipient; not 0.
    /// @param amount The amount to mint; above 0, at most `mintAvailable()`.
    function mint(address to, uint256 amount) external;

    /// @notice Accepts the ownership of the asset, which its owner has offered to the Issuer. Anyone may call.
    function acceptAsset() external;

    /// @notice Returns the allowance: the greatest amount that can be minted now.
    /// @return `RATE()` times the seconds since `timeOfLastMint()`, of which at most `ACCRUAL_LIMIT()` count.
    function mintAvailable() external view returns (uint256);

    /// @notice Returns the asset that is minted.
    /// @return The asset's contract.
    function ASSET() external view returns (IAsset);

    /// @notice Returns the rate at which the allowance grows.
    /// @return The amount per second; fits 96 bits, may be 0.
    function RATE() external view returns (uint256);

    /// @notice Returns the time after which the allowance stops growing.
    /// @return 365 days, in seconds.
    function ACCRUAL_LIMIT() external view returns (uint256);

    /// @notice Returns the time since when the allowance grows.
    /// @return The timestamp of the last mint; that of construction before the first mint.
    function timeOfLastMint() external view returns (uint256);
}
