// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {ICommon} from "./ICommon.sol";

/// @title Asset: the ERC-20 token that holders lock and stakers stake
/// @notice Has ERC-2612 permits and 18 decimals. Every change of an allowance emits `Approval`, also one by
/// `transferFrom`, so that allowances can be rebuilt from events. The total supply is at most 2^96 - 1, so every amount
/// fits 96 bits in the other contracts of the set.
interface IAsset is ICommon, IERC20Metadata, IERC20Permit {
    /// @notice The token was constructed. The initial holder is in the first `Transfer`, the owner in
    /// `OwnershipTransferred`.
    /// @param name The token's name, also that of its EIP-712 domain.
    /// @param symbol The token's symbol.
    /// @param initialSupply The amount created for the initial holder, in the token's smallest unit; may be 0.
    event AssetDeployed(string name, string symbol, uint256 initialSupply);

    /// @notice A permit was used.
    /// @param owner The account that signed the permit.
    /// @param nonce The permit's nonce, from 0; the owner's next permit carries the following one.
    event PermitUsed(address indexed owner, uint256 nonce);

    /// @notice The mint would raise the total supply above its maximum.
    /// @param totalSupply The total supply before the mint, in the token's smallest unit.
    /// @param amount The amount to mint, in the token's smallest unit.
    /// @param max The greatest total supply: `MAX_SUPPLY()`.
    error Asset__SupplyExceeded(uint256 totalSupply, uint256 amount, uint256 max);

    /// @notice The permit is used after its deadline.
    /// @param deadline The timestamp of the last second in which it could be used.
    error ERC2612ExpiredSignature(uint256 deadline);

    /// @notice The permit isn't signed by the owner of the tokens for the owner's current nonce.
    /// @param signer The account that the signature recovers.
    /// @param owner The account whose tokens the permit is for.
    error ERC2612InvalidSigner(address signer, address owner);

    /// @notice Creates tokens. Only the owner (the Issuer) may call.
    /// @dev Reverts with `Asset__SupplyExceeded` above `MAX_SUPPLY()`, and for a recipient of 0.
    /// @param to The recipient; not 0.
    /// @param amount The amount to create, in the token's smallest unit; may be 0.
    function mint(address to, uint256 amount) external;

    /// @notice Returns the greatest total supply.
    /// @return 2^96 - 1, in the token's smallest unit.
    function MAX_SUPPLY() external view returns (uint256);
}
