// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit, IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {IAsset} from "../interfaces/IAsset.sol";
import {TwoStepOwned} from "../libraries/TwoStepOwned.sol";

/// @title Asset
contract Asset is ERC20, ERC20Permit, TwoStepOwned, IAsset {
    /// @inheritdoc IAsset
    uint256 public constant MAX_SUPPLY = type(uint96).max;

    /// @param initialHolder Receives `initialSupply`, which may be 0.
    constructor(
        string memory name,
        string memory symbol,
        address initialOwner,
        address initialHolder,
        uint256 initialSupply
    ) ERC20(name, symbol) ERC20Permit(name) TwoStepOwned(initialOwner) {
        emit AssetDeployed(name, symbol, initialSupply);
        if (initialSupply != 0) _mintWithin(initialHolder, initialSupply);
    }

    /// @inheritdoc IAsset
    function mint(address to, uint256 amount) external onlyOwner {
        _mintWithin(to, amount);
    }

    /// @inheritdoc IERC20Permit
    function nonces(address owner) public view override(IERC20Permit, ERC20Permit) returns (uint256) {
        return super.nonces(owner);
    }

    function _mintWithin(address to, uint256 amount) private {
        uint256 supply = totalSupply();
        if (amount > MAX_SUPPLY - supply) revert Asset__SupplyExceeded(supply, amount, MAX_SUPPLY);
        _mint(to, amount);
    }

    /// @dev Every change of an allowance is an event, so that allowances can be rebuilt from events alone.
    function _approve(address owner, address spender, uint256 value, bool) internal override {
        super._approve(owner, spender, value, true);
    }

    /// @dev An `Approval` doesn't tell whether a permit made it; this does.
    function _useNonce(address owner) internal override(Nonces) returns (uint256 nonce) {
        nonce = super._useNonce(owner);
        emit PermitUsed(owner, nonce);
    }
}
