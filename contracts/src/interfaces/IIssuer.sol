// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IAsset} from "./IAsset.sol";
import {ICommon} from "./ICommon.sol";

/// @title Mints the asset at a bounded rate
interface IIssuer is ICommon {
    /// @notice The constructor's arguments; the owner is in `OwnershipTransferred`.
    event IssuerDeployed(address indexed asset, uint256 rate);

    /// @notice `amount` was minted to `to`; what was left of the allowance is lost.
    event Minted(address indexed to, uint256 amount);

    /// @notice A mint of nothing would throw the allowance away.
    error Issuer__ZeroAmount();

    /// @notice More than the allowance since the last mint.
    error Issuer__InsufficientMintAvailable(uint256 available, uint256 amount);

    /// @notice Mints `amount` to `to`, at most `mintAvailable()`. Only the owner (Governance).
    function mint(address to, uint256 amount) external;

    /// @notice Takes the ownership of the asset that was offered to this contract. Anyone.
    function acceptAsset() external;

    /// @notice `RATE` times the seconds since the last mint (since construction before the first), of which at most
    /// `ACCRUAL_LIMIT` count.
    function mintAvailable() external view returns (uint256);

    /// @notice The asset that is minted.
    function ASSET() external view returns (IAsset);

    /// @notice Units of the asset per second.
    function RATE() external view returns (uint256);

    /// @notice The seconds after which the allowance stops growing.
    function ACCRUAL_LIMIT() external view returns (uint256);

    /// @notice Timestamp of the last mint, in seconds; of construction before the first.
    function timeOfLastMint() external view returns (uint256);
}
