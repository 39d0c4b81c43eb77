// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IRewardDistributor} from "../interfaces/IRewardDistributor.sol";
import {IRollup, RollupParameters} from "../interfaces/IRollup.sol";
import {SafeCast} from "../libraries/SafeCast.sol";
import {RollupStaking} from "./RollupStaking.sol";
import {RollupStorage} from "./RollupStorage.sol";

/// @title Rollup: staking, slots, proposer selection, block log and rewards of one rollup
/// @dev The block log and the rewards are here; `RollupStaking` has the stakes, `RollupDraws` the slots and proposers.
contract Rollup is RollupStaking {
    /// @dev The gas that a reward claim may use: several times what the distributor's questions and a transfer to a new
    /// holder take.
    uint256 private constant CLAIM_GAS = 250_000;

    /// @dev The gas that has to be left before a claim: a call passes on at most 63/64 of it, and the call itself (with a
    /// cold account) and the end of `proposeBlock` have to be paid too.
    uint256 private constant CLAIM_GAS_NEEDED = CLAIM_GAS + CLAIM_GAS / 63 + 6_000;

    /// @param parameters See `RollupParameters`.
    constructor(RollupParameters memory parameters) RollupStorage(parameters) {}

    /*//////////////////////////////////////////////////////////////
                           PROPOSING BLOCKS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IRollup
    function proposeBlock(bytes32 blockHash) external recordsSeed nonReentrant {
        uint256 slot = getCurrentSlot();
        uint256 epoch = _epochOf(slot);
        (bool drawn, Seat storage seat) = _draw(slot, epoch);
        if (!drawn) revert Rollup__NotProposer(msg.sender, address(0));
        Member storage member = _members[_idInSetOf(epoch, seat)];
        address proposer = member.proposer;
        if (msg.sender != proposer) revert Rollup__NotProposer(msg.sender, proposer);
        LatestBlock memory latest = _latestBlock;
        if (latest.number != 0 && latest.slot == slot) revert Rollup__SlotAlreadyProposed(slot);

        _latestBlock = LatestBlock({number: ++latest.number, slot: SafeCast.toUint40(slot)});
        emit BlockProposed(latest.number, slot, member.attester, proposer, blockHash);

        _claimReward(_coinbaseOf(member));
    }

    /// @dev Tries to claim the current slot's reward for `recipient`. Whatever the distributor does is ignored: its
    /// answer isn't even copied, and it can't burn more than `CLAIM_GAS`. Only the caller could make a good claim fail,
    /// by sending too little gas, and is refused.
    function _claimReward(address recipient) private {
        if (gasleft() < CLAIM_GAS_NEEDED) revert Rollup__NotEnoughGasForReward(gasleft(), CLAIM_GAS_NEEDED);
        address distributor = address(REWARD_DISTRIBUTOR);
        bytes4 selector = IRewardDistributor.claim.selector;
        assembly ("memory-safe") {
            mstore(0, selector)
            mstore(4, recipient)
            pop(call(CLAIM_GAS, distributor, 0, 0, 36, 0, 0))
        }
    }

    /// @inheritdoc IRollup
    function blockNumber() external view returns (uint256) {
        return _latestBlock.number;
    }

    /// @inheritdoc IRollup
    function lastBlockSlot() external view returns (bool exists, uint256 slot) {
        return (_latestBlock.number != 0, _latestBlock.slot);
    }

    /*//////////////////////////////////////////////////////////////
                              OWNERSHIP
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc Ownable2Step
    function transferOwnership(address newOwner) public override recordsSeed {
        super.transferOwnership(newOwner);
    }

    /// @inheritdoc Ownable2Step
    function acceptOwnership() public override recordsSeed {
        super.acceptOwnership();
    }
}
