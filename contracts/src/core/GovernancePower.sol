// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IGovernance, Withdrawal} from "../interfaces/IGovernance.sol";
import {SafeCast} from "../libraries/SafeCast.sol";
import {ExitFloor} from "../types/ExitFloor.sol";
import {NewestCheckpoint, PowerHistory, PowerHistoryLibrary} from "../types/PowerHistory.sol";
import {ProposerTerm} from "../types/ProposerTerm.sol";
import {GovernanceConfiguration} from "./GovernanceConfiguration.sol";

/// @title The part of Governance that locks the asset for power and pays it back
abstract contract GovernancePower is GovernanceConfiguration {
    using SafeERC20 for IERC20;

    /*//////////////////////////////////////////////////////////////
                                LOCKING
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IGovernance
    function deposit(address onBehalfOf, uint256 amount) external {
        _deposit(onBehalfOf, amount);
    }

    /// @inheritdoc IGovernance
    function depositWithPermit(address onBehalfOf, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
    {
        // Somebody may have submitted the permit already; the allowance that it gave still counts.
        try IERC20Permit(address(ASSET)).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        _deposit(onBehalfOf, amount);
    }

    function _deposit(address onBehalfOf, uint256 amount) private {
        // Separate checks: the compiler makes a joined condition dearer.
        if (msg.sender == address(this)) revert Governance__SelfDeposit(msg.sender, onBehalfOf);
        if (onBehalfOf == address(this)) revert Governance__SelfDeposit(msg.sender, onBehalfOf);
        if (onBehalfOf == address(0)) revert ZeroAddress();
        if (amount == 0) revert Governance__ZeroAmount();

        ASSET.safeTransferFrom(msg.sender, address(this), amount);
        uint256 time = _sinceOrigin();
        // The asset has moved the amount, so it is at most its supply, and no sum overflows.
        unchecked {
            NewestCheckpoint newest = _totalPower.newest;
            uint256 total = newest.amount() + amount;
            // No holder's power exceeds the total.
            PowerHistoryLibrary.requireFits(total, time);
            _totalPower.push(newest, total, time);
            PowerHistory storage power = _powers[onBehalfOf];
            newest = power.newest;
            power.push(newest, newest.amount() + amount, time);
        }
        emit Deposit(msg.sender, onBehalfOf, amount);
    }

    /*//////////////////////////////////////////////////////////////
                                LEAVING
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IGovernance
    function initiateWithdraw(address to, uint256 amount) external returns (uint256 id) {
        if (to == address(0)) revert ZeroAddress();
        if (amount == 0) revert Governance__ZeroAmount();
        return _withdraw(to, amount, _withdrawalDelay(_term));
    }

    /// @inheritdoc IGovernance
    function finaliseWithdraw(uint256 id) external {
        _requireWithdrawal(id);
        StoredWithdrawal memory withdrawal = _withdrawals[id];
        if (withdrawal.claimed) revert Governance__AlreadyClaimed(id);
        if (block.timestamp < withdrawal.unlocksAt) {
            revert Governance__NotUnlocked(block.timestamp, withdrawal.unlocksAt);
        }
        _withdrawals[id].claimed = true;
        emit WithdrawFinalised(id);
        ASSET.safeTransfer(withdrawal.recipient, withdrawal.amount);
    }

    /// @dev Turns `amount` of the caller's power into a withdrawal that is paid after `delay`.
    function _withdraw(address to, uint256 amount, uint256 delay) internal returns (uint256 id) {
        uint256 time = _sinceOrigin();
        PowerHistory storage power = _powers[msg.sender];
        NewestCheckpoint newest = power.newest;
        uint256 available = newest.amount();
        if (amount > available) revert Governance__InsufficientPower(msg.sender, available, amount);
        PowerHistoryLibrary.requireFits(amount, time);
        unchecked {
            power.push(newest, available - amount, time);

            newest = _totalPower.newest;
            ExitFloor floor = _floorIn(newest);
            id = floor.withdrawals();
            _totalPower.push(_withFloor(newest, floor.withWithdrawal()), newest.amount() - amount, time);
        }

        uint40 unlocksAt = SafeCast.toUint40(block.timestamp + delay);
        // An amount of power fits 96 bits.
        _withdrawals[id] =
            StoredWithdrawal({amount: uint96(amount), recipient: to, unlocksAt: unlocksAt, claimed: false});
        emit WithdrawInitiated(id, to, amount);
        emit WithdrawalQueued(id, msg.sender, unlocksAt);
    }

    /// @dev The withdrawal delay now: so long that nobody whose ballot counts holds the asset again before the proposal
    /// can be executed. Whoever leaves within the first four fifths of a proposal's voting delay is out before it can be
    /// executed, unless a configuration was replaced since the proposal's creation, or so shortly before that the exit
    /// floor is in force.
    function _withdrawalDelay(ProposerTerm term) internal view returns (uint256) {
        uint256 current = _votingRules[term.configurationId()].exitDelay();
        return _floorIn(_totalPower.newest).delayAt(_sinceOrigin(), current);
    }

    /*//////////////////////////////////////////////////////////////
                                 VIEWS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IGovernance
    function powerAt(address owner, uint256 timestamp) external view returns (uint256) {
        return _powerAt(_powers[owner], timestamp);
    }

    /// @inheritdoc IGovernance
    function totalPowerAt(uint256 timestamp) external view returns (uint256) {
        return _powerAt(_totalPower, timestamp);
    }

    /// @inheritdoc IGovernance
    function getWithdrawal(uint256 id) external view returns (Withdrawal memory) {
        _requireWithdrawal(id);
        StoredWithdrawal memory withdrawal = _withdrawals[id];
        return Withdrawal({
            amount: withdrawal.amount,
            unlocksAt: withdrawal.unlocksAt,
            recipient: withdrawal.recipient,
            claimed: withdrawal.claimed
        });
    }

    /// @inheritdoc IGovernance
    function withdrawalCount() public view returns (uint256) {
        return _floorIn(_totalPower.newest).withdrawals();
    }

    function _powerAt(PowerHistory storage history, uint256 timestamp) private view returns (uint256) {
        if (timestamp > block.timestamp) revert Governance__InFuture(timestamp, block.timestamp);
        return timestamp < ORIGIN ? 0 : history.at(timestamp - ORIGIN);
    }

    function _requireWithdrawal(uint256 id) private view {
        if (id >= withdrawalCount()) revert Governance__UnknownWithdrawal(id, withdrawalCount());
    }
}
