// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IRegistry} from "../interfaces/IRegistry.sol";
import {IRollup, Status} from "../interfaces/IRollup.sol";
import {Code} from "../libraries/Code.sol";
import {SafeCast} from "../libraries/SafeCast.sol";
import {StaticCall} from "../libraries/StaticCall.sol";
import {RollupDraws} from "./RollupDraws.sol";

/// @title A Rollup's stakes: deposits, exits, slashes, and moves to another rollup
abstract contract RollupStaking is RollupDraws, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /*//////////////////////////////////////////////////////////////
                               STAKING
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IRollup
    function deposit(address attester, address proposer, address withdrawer, uint256 amount)
        external
        recordsSeed
        nonReentrant
    {
        if (attester == address(0) || proposer == address(0) || withdrawer == address(0)) revert ZeroAddress();
        if (_idOf[attester] != 0) revert Rollup__AlreadyRegistered(attester);
        uint96 stake = SafeCast.toUint96(amount);
        if (stake < MINIMUM_STAKE) revert Rollup__StakeTooLow(stake, MINIMUM_STAKE);

        uint32 id = _join(proposer);
        _idOf[attester] = id;
        Member storage member = _members[id];
        member.attester = attester;
        member.stake = stake;
        member.withdrawer = withdrawer;
        emit Deposit(attester, proposer, withdrawer, stake);

        ASSET.safeTransferFrom(msg.sender, address(this), stake);
    }

    /// @inheritdoc IRollup
    function initiateWithdraw(address attester, address recipient) external recordsSeed returns (bool) {
        Member storage member = _memberOfWithdrawer(attester);
        if (member.status == Status.Exiting) revert Rollup__AlreadyExiting(attester);
        if (recipient == address(0)) revert ZeroAddress();

        if (member.status == Status.Validating) _leave(member);
        member.status = Status.Exiting;
        member.exitableAt = SafeCast.toUint40(block.timestamp + EXIT_DELAY);
        member.target = recipient;
        member.readyAt = 0;
        emit WithdrawInitiated(attester, recipient, member.stake);
        return true;
    }

    /// @inheritdoc IRollup
    function finaliseWithdraw(address attester) external recordsSeed nonReentrant {
        Member storage member = _memberOf(attester);
        if (member.status != Status.Exiting) revert Rollup__NotExiting(attester, member.status);
        if (block.timestamp < member.exitableAt) revert Rollup__ExitNotReady(block.timestamp, member.exitableAt);

        address recipient = member.target;
        uint256 stake = _release(member);
        emit WithdrawFinalised(attester, recipient, stake);

        ASSET.safeTransfer(recipient, stake);
    }

    /// @inheritdoc IRollup
    function setCoinbase(address attester, address coinbase) external recordsSeed {
        Member storage member = _memberOfWithdrawer(attester);
        if (coinbase == address(0)) revert ZeroAddress();
        member.coinbase = coinbase;
        emit CoinbaseSet(attester, coinbase);
    }

    /// @inheritdoc IRollup
    function slash(address attester, uint256 amount) external recordsSeed onlyOwner {
        Member storage member = _memberOf(attester);
        uint96 stake = member.stake;
        // At most the stake, which fits.
        uint96 taken = uint96(Math.min(amount, stake));
        if (taken == 0) revert Rollup__NothingToSlash(attester);

        stake -= taken;
        member.stake = stake;
        if (stake < MINIMUM_STAKE && member.status == Status.Validating) {
            _leave(member);
            member.status = Status.Living;
            member.target = address(0);
            member.readyAt = 0;
        }
        emit Slashed(attester, taken);
    }

    /// @dev Ends the registration of `member`, whose stake leaves this contract.
    function _release(Member storage member) private returns (uint256 stake) {
        stake = member.stake;
        member.stake = 0;
        delete _idOf[member.attester];
    }

    /// @dev The registration of `attester`.
    function _memberOf(address attester) private view returns (Member storage member) {
        uint256 id = _idOf[attester];
        if (id == 0) revert Rollup__NotRegistered(attester);
        member = _members[id];
    }

    /// @dev The registration of `attester`, about which the caller decides.
    function _memberOfWithdrawer(address attester) private view returns (Member storage member) {
        uint256 id = _idOf[attester];
        member = _members[id];
        if (msg.sender != member.withdrawer || id == 0) revert Rollup__NotWithdrawer(msg.sender, member.withdrawer);
    }

    /*//////////////////////////////////////////////////////////////
                                MOVING
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IRollup
    function initiateMove(address attester, address newRollup) external recordsSeed {
        Member storage member = _memberOfWithdrawer(attester);
        if (member.status != Status.Validating) revert Rollup__NotValidating(attester, member.status);
        if (newRollup == address(0)) revert ZeroAddress();
        if (newRollup == address(this)) revert Rollup__MoveToSelf();

        member.target = newRollup;
        // Another target doesn't start the clock again.
        if (member.readyAt == 0) member.readyAt = SafeCast.toUint40(block.timestamp + EXIT_DELAY);
        emit MoveInitiated(attester, newRollup, member.readyAt);
    }

    /// @inheritdoc IRollup
    function finaliseMove(address attester) external recordsSeed nonReentrant {
        _finaliseMove(attester, _memberOf(attester), attester);
    }

    /// @inheritdoc IRollup
    function finaliseMove(address attester, address newAttester) external recordsSeed nonReentrant {
        Member storage member = _memberOfWithdrawer(attester);
        if (newAttester == address(0)) revert ZeroAddress();
        _finaliseMove(attester, member, newAttester);
    }

    function _finaliseMove(address attester, Member storage member, address newAttester) private {
        if (member.status != Status.Validating) revert Rollup__NotValidating(attester, member.status);
        if (member.readyAt == 0) revert Rollup__NoMove(attester);
        if (block.timestamp < member.readyAt) revert Rollup__MoveNotReady(block.timestamp, member.readyAt);
        address newRollup = member.target;
        address canonical = StaticCall.addressWord(address(REGISTRY), IRegistry.getRollup.selector);
        if (newRollup != canonical) revert Rollup__MoveNotToCanonical(newRollup, canonical);
        // Before the first upgrade the canonical rollup is the Registry's sentinel, which has no code.
        Code.requireAt(newRollup);

        _leave(member);
        uint256 stake = _release(member);
        emit MoveFinalised(attester, newRollup, newAttester, stake);

        uint256 balanceBefore = ASSET.balanceOf(address(this));
        ASSET.forceApprove(newRollup, stake);
        IRollup(newRollup).deposit(newAttester, member.proposer, member.withdrawer, stake);
        if (ASSET.allowance(address(this), newRollup) != 0) ASSET.forceApprove(newRollup, 0);
        uint256 taken = Math.saturatingSub(balanceBefore, ASSET.balanceOf(address(this)));
        if (taken != stake) revert Rollup__StakeNotMoved(stake, taken);
    }

    /*//////////////////////////////////////////////////////////////
                                VIEWS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IRollup
    function getInfo(address attester)
        external
        view
        returns (uint256 stake, address withdrawer, address proposer, Status status)
    {
        Member storage member = _members[_idOf[attester]];
        return (member.stake, member.withdrawer, member.proposer, member.status);
    }

    /// @inheritdoc IRollup
    function getExit(address attester) external view returns (uint256 exitableAt, address recipient) {
        Member storage member = _members[_idOf[attester]];
        if (member.status == Status.Exiting) return (member.exitableAt, member.target);
    }

    /// @inheritdoc IRollup
    function getMove(address attester) external view returns (address newRollup, uint256 readyAt) {
        Member storage member = _members[_idOf[attester]];
        if (member.status == Status.Validating) return (member.target, member.readyAt);
    }

    /// @inheritdoc IRollup
    function getCoinbase(address attester) external view returns (address) {
        return _coinbaseOf(_members[_idOf[attester]]);
    }

    /// @dev Where the rewards of `member`'s blocks go.
    function _coinbaseOf(Member storage member) internal view returns (address) {
        address coinbase = member.coinbase;
        return coinbase == address(0) ? member.proposer : coinbase;
    }
}
