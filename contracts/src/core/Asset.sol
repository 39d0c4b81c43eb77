// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IAsset} from "../interfaces/IAsset.sol";
import {TwoStepOwned} from "./TwoStepOwned.sol";

/// @title Asset: the ERC-20 token that is staked and locked, with ERC-2612 permits
/// @dev Not a library's token, since every change of an allowance and every permit has to be an event here, and a
/// deposit pays for that event out of what the rest of the transfer saves. Errors are those of ERC-6093.
contract Asset is IAsset, IERC20Errors, EIP712, TwoStepOwned {
    /*//////////////////////////////////////////////////////////////
                                 STORAGE
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IERC20Metadata
    string public name;

    /// @inheritdoc IERC20Metadata
    string public symbol;

    /// @inheritdoc IERC20
    uint256 public totalSupply;

    /// @dev A word behind a name, so that its place is computed once where it is read and written.
    struct Amount {
        uint256 value;
    }

    mapping(address owner => Amount) private _balances;

    mapping(address owner => mapping(address spender => Amount)) private _allowances;

    /// @inheritdoc IERC20Permit
    mapping(address owner => uint256) public nonces;

    /*//////////////////////////////////////////////////////////////
                                CONSTANTS
    //////////////////////////////////////////////////////////////*/

    bytes32 private constant PERMIT_TYPEHASH =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

    /// @inheritdoc IERC20Metadata
    uint8 public constant decimals = 18;

    /// @inheritdoc IAsset
    uint256 public constant MAX_SUPPLY = type(uint96).max;

    /// @param name_ The token's name, also that of its EIP-712 domain.
    /// @param symbol_ The token's symbol.
    /// @param initialOwner The account that may mint.
    /// @param initialHolder Receives `initialSupply`, which may be 0.
    /// @param initialSupply In the smallest unit; at most `MAX_SUPPLY`.
    constructor(
        string memory name_,
        string memory symbol_,
        address initialOwner,
        address initialHolder,
        uint256 initialSupply
    ) EIP712(name_, "1") TwoStepOwned(initialOwner) {
        name = name_;
        symbol = symbol_;
        emit AssetDeployed(name_, symbol_, initialSupply);
        if (initialSupply != 0) _mint(initialHolder, initialSupply);
    }

    /*//////////////////////////////////////////////////////////////
                                 MOVING
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IERC20
    function transfer(address to, uint256 amount) external returns (bool) {
        _transfer(msg.sender, to, amount);
        return true;
    }

    /// @inheritdoc IERC20
    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        Amount storage allowed = _allowances[from][msg.sender];
        uint256 left = allowed.value;
        // The greatest allowance is never used up.
        if (left != type(uint256).max) {
            if (left < amount) revert ERC20InsufficientAllowance(msg.sender, left, amount);
            unchecked {
                left -= amount;
            }
            allowed.value = left;
            emit Approval(from, msg.sender, left);
        }
        _transfer(from, to, amount);
        return true;
    }

    /// @inheritdoc IAsset
    function mint(address to, uint256 amount) external onlyOwner {
        _mint(to, amount);
    }

    /// @inheritdoc IERC20
    function balanceOf(address owner) external view returns (uint256) {
        return _balances[owner].value;
    }

    function _transfer(address from, address to, uint256 amount) private {
        if (to == address(0)) revert ERC20InvalidReceiver(address(0));
        Amount storage balance = _balances[from];
        uint256 available = balance.value;
        if (available < amount) revert ERC20InsufficientBalance(from, available, amount);
        // No balance exceeds the total supply.
        unchecked {
            balance.value = available - amount;
            _balances[to].value += amount;
        }
        emit Transfer(from, to, amount);
    }

    function _mint(address to, uint256 amount) private {
        if (to == address(0)) revert ERC20InvalidReceiver(address(0));
        uint256 supply = totalSupply;
        if (amount > MAX_SUPPLY - supply) revert Asset__SupplyExceeded(supply, amount, MAX_SUPPLY);
        unchecked {
            totalSupply = supply + amount;
            _balances[to].value += amount;
        }
        emit Transfer(address(0), to, amount);
    }

    /*//////////////////////////////////////////////////////////////
                                ALLOWING
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IERC20
    function approve(address spender, uint256 amount) external returns (bool) {
        _approve(msg.sender, spender, amount);
        return true;
    }

    /// @inheritdoc IERC20Permit
    function permit(
        address owner,
        address spender,
        uint256 value,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        if (block.timestamp > deadline) revert ERC2612ExpiredSignature(deadline);
        uint256 nonce = nonces[owner]++;
        bytes32 digest =
            _hashTypedDataV4(keccak256(abi.encode(PERMIT_TYPEHASH, owner, spender, value, nonce, deadline)));
        address signer = ECDSA.recover(digest, v, r, s);
        if (signer != owner) revert ERC2612InvalidSigner(signer, owner);
        emit PermitUsed(owner, nonce);
        _approve(owner, spender, value);
    }

    /// @inheritdoc IERC20
    function allowance(address owner, address spender) external view returns (uint256) {
        return _allowances[owner][spender].value;
    }

    /// @inheritdoc IERC20Permit
    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    function _approve(address owner, address spender, uint256 amount) private {
        if (spender == address(0)) revert ERC20InvalidSpender(address(0));
        _allowances[owner][spender].value = amount;
        emit Approval(owner, spender, amount);
    }
}
