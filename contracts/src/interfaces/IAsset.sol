// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {ICommon} from "./ICommon.sol";

/// @title The asset that holders lock and stakers stake
/// @notice ERC-20 with ERC-2612 permits and 18 decimals. Every change of an allowance is an `Approval`, also that of
/// a transfer from another's balance, so that allowances can be rebuilt from events. Total supply never exceeds 2^96 - 1, so that
/// every amount of it fits 96 bits in the rest of the set.
interface IAsset is ICommon, IERC20Metadata, IERC20Permit {
    /// @notice The constructor's arguments; the initial holder is in the first `Transfer`.
    event AssetDeployed(string name, string symbol, uint256 initialSupply);

    /// @notice `owner` used permit nonce `nonce`.
    event PermitUsed(address indexed owner, uint256 nonce);

    /// @notice Minting `amount` would lift the total supply above the maximum.
    error Asset__SupplyExceeded(uint256 totalSupply, uint256 amount, uint256 max);

    /// @notice The permit could be used until `deadline`.
    error ERC2612ExpiredSignature(uint256 deadline);

    /// @notice The permit was signed by `signer`.
    error ERC2612InvalidSigner(address signer, address owner);

    /// @notice Creates `amount` for `to`. Only the owner (the Issuer).
    function mint(address to, uint256 amount) external;

    /// @notice The highest total supply: 2^96 - 1.
    function MAX_SUPPLY() external view returns (uint256);
}
