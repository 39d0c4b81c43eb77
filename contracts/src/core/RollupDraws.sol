// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {IRollup, Status} from "../interfaces/IRollup.sol";
import {SafeCast} from "../libraries/SafeCast.sol";
import {SetSummary} from "../types/SetSummary.sol";
import {RollupStorage} from "./RollupStorage.sol";

/// @title A Rollup's slots and epochs, its sets and seeds, and the proposers they draw
/// @dev The proposer of a slot is found with three storage reads: `_set`, a seed, and the seat that it draws. If the seat
/// changed hands since the set was closed, two more lead to the member that sat there: the seat's history and the first
/// word of the member.
///
/// Why that finds the right member of a set that was closed up to two epochs ago:
///
/// 1. In the set as it stands, the members sit in seats 0 to size - 1 without a gap. Who joins takes seat `size`; when
///    somebody leaves, the member of the last seat takes the empty one.
/// 2. A seat is written only when a member sits down in it. A seat that falls out of the set, because the set shrank,
///    keeps its word. So at every moment the last write of a seat below the size is the member sitting there.
/// 3. Size and seats remember what they were when the current epoch began and when the one before it began, however
///    many changes either saw (see `EarlierValues`). Hence for either moment: the size is right, and for every seat
///    below it the last write before that moment is right, whatever the seat went through later.
/// 4. Registrations have numbers of their own that are never used again, and a registration's proposer never changes.
///    So a seat of a closed set leads to the keys with which its member joined, although the attester may have left
///    since, or joined again with others.
abstract contract RollupDraws is RollupStorage {
    /// @dev Every function that changes this contract has this modifier first: the seed of the next epoch is
    /// `prevrandao` at the first such call after the epoch's first slot.
    modifier recordsSeed() {
        _recordSeed();
        _;
    }

    /*//////////////////////////////////////////////////////////////
                           SLOTS AND EPOCHS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IRollup
    function getCurrentSlot() public view returns (uint256) {
        // The constructor has checked that genesis is not in the future.
        unchecked {
            return _divide(block.timestamp - GENESIS_TIME, SLOT_DURATION);
        }
    }

    /// @inheritdoc IRollup
    function getSlotAt(uint256 timestamp) public view returns (uint256) {
        if (timestamp < GENESIS_TIME) revert Rollup__BeforeGenesis(timestamp, GENESIS_TIME);
        unchecked {
            return _divide(timestamp - GENESIS_TIME, SLOT_DURATION);
        }
    }

    /// @inheritdoc IRollup
    function getTimestampForSlot(uint256 slot) external view returns (uint256) {
        return SafeCast.toUint40(GENESIS_TIME + SafeCast.toUint40(slot) * SLOT_DURATION);
    }

    /// @inheritdoc IRollup
    function getCurrentEpoch() public view returns (uint256) {
        return _epochOf(getCurrentSlot());
    }

    /// @inheritdoc IRollup
    function getEpochAt(uint256 timestamp) external view returns (uint256) {
        return _epochOf(getSlotAt(timestamp));
    }

    /// @dev The epoch of `slot`.
    function _epochOf(uint256 slot) internal view returns (uint256) {
        return _divide(slot, EPOCH_DURATION);
    }

    /// @dev `numerator / duration` without the compiler's check for 0: the constructor has checked that no duration is.
    function _divide(uint256 numerator, uint256 duration) private pure returns (uint256 quotient) {
        assembly ("memory-safe") {
            quotient := div(numerator, duration)
        }
    }

    /*//////////////////////////////////////////////////////////////
                        SETS, SEEDS AND DRAWS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IRollup
    function setupEpoch() external recordsSeed {}

    /// @inheritdoc IRollup
    function getCurrentProposer() external view returns (address) {
        uint256 slot = getCurrentSlot();
        return _proposerOf(slot, _epochOf(slot));
    }

    /// @inheritdoc IRollup
    function getProposerAt(uint256 timestamp) external view returns (address) {
        uint256 slot = getSlotAt(timestamp);
        uint256 epoch = _epochOf(slot);
        _requireInRange(epoch);
        return _proposerOf(slot, epoch);
    }

    /// @inheritdoc IRollup
    function getSetSize(uint256 epoch) external view returns (uint256) {
        _requireInRange(epoch);
        return _set.sizeOf(epoch);
    }

    /// @inheritdoc IRollup
    function getSeed(uint256 epoch) external view returns (bool recorded, uint256 seed) {
        _requireInRange(epoch);
        recorded = _set.hasSeed(epoch);
        if (recorded) seed = _seeds[epoch & 1];
    }

    /// @inheritdoc IRollup
    function getMember(uint256 epoch, uint256 index) external view returns (address attester, address proposer) {
        _requireInRange(epoch);
        uint256 size = _set.sizeOf(epoch);
        if (index >= size) revert Rollup__IndexOutOfRange(index, size);
        Member storage member = _members[_idInSetOf(epoch, _seats[index])];
        return (member.attester, member.proposer);
    }

    /// @inheritdoc IRollup
    function getAttesters() external view returns (address[] memory) {
        address[] memory attesters = new address[](getActiveAttesterCount());
        for (uint256 i; i < attesters.length; ++i) {
            attesters[i] = _members[_seats[i].id].attester;
        }
        return attesters;
    }

    /// @inheritdoc IRollup
    function getActiveAttesterCount() public view returns (uint256) {
        return _set.size();
    }

    /// @inheritdoc IRollup
    function registrationCount() public view returns (uint256) {
        return _set.registrations();
    }

    /// @dev Records the seed of the next epoch if it isn't yet. In an epoch's first slot nothing is recorded: whoever
    /// proposes the last L1 block before the epoch knows the randomness of the block after it, and could still join or
    /// leave.
    function _recordSeed() private {
        uint256 slot = getCurrentSlot();
        uint256 epoch = _epochOf(slot);
        SetSummary set = _set;
        if (set.seedEpoch() > epoch || slot == epoch * EPOCH_DURATION) return;
        _set = set.withSeed(epoch);
        ++epoch;
        _seeds[epoch & 1] = block.prevrandao;
        emit SeedRecorded(epoch, block.prevrandao);
    }

    /// @dev A new registration takes the seat behind the last one.
    /// @return id Its number.
    function _join(address proposer) internal returns (uint32 id) {
        uint256 epoch = getCurrentEpoch();
        uint256 seat = _set.size();
        SetSummary set = _set.withRegistration().withSize(seat + 1, epoch);
        _set = set;
        // Numbers of registrations fit, and so does a seat below the new size.
        id = uint32(set.registrations());
        Member storage member = _members[id];
        member.proposer = proposer;
        member.seat = uint32(seat);
        member.status = Status.Validating;
        _takeSeat(id, proposer, seat, epoch);
    }

    /// @dev `member`'s seat goes to the member of the last one.
    function _leave(Member storage member) internal {
        uint256 epoch = getCurrentEpoch();
        uint256 last = _set.size() - 1;
        _set = _set.withSize(last, epoch);
        uint32 seat = member.seat;
        if (seat == last) return;
        uint32 id = _seats[last].id;
        Member storage moved = _members[id];
        moved.seat = seat;
        _takeSeat(id, moved.proposer, seat, epoch);
    }

    /// @dev Registration `id` takes `seat` in `epoch`, the current.
    function _takeSeat(uint32 id, address proposer, uint256 seat, uint256 epoch) private {
        Seat storage taken = _seats[seat];
        uint40 epochPlusOne = SafeCast.toUint40(epoch + 1);
        uint40 earlier = taken.epochPlusOne;
        // Changes within one epoch are one change. A seat that is new has had nobody before.
        if (earlier != epochPlusOne && earlier != 0) {
            taken.earlierIds = taken.earlierIds.withReplaced(taken.id, earlier);
        }
        taken.proposer = proposer;
        taken.epochPlusOne = epochPlusOne;
        taken.id = id;
    }

    /// @dev The seat that `slot` of `epoch`, the current or the next, draws; none if the epoch has no seed or an empty
    /// set.
    function _draw(uint256 slot, uint256 epoch) internal view returns (bool drawn, Seat storage seat) {
        SetSummary set = _set;
        uint256 size = set.sizeOf(epoch);
        drawn = size != 0 && set.hasSeed(epoch);
        uint256 index;
        if (drawn) index = uint256(Hashes.efficientKeccak256(bytes32(_seeds[epoch & 1]), bytes32(slot))) % size;
        seat = _seats[index];
    }

    /// @dev The proposer of `slot` of `epoch`, the current or the next; 0 if there is none.
    function _proposerOf(uint256 slot, uint256 epoch) private view returns (address) {
        (bool drawn, Seat storage seat) = _draw(slot, epoch);
        if (!drawn) return address(0);
        return seat.epochPlusOne < epoch ? seat.proposer : _members[seat.earlierIds.forSetOf(epoch)].proposer;
    }

    /// @dev The registration that has `seat` in the set of `epoch`, the current or the next.
    function _idInSetOf(uint256 epoch, Seat storage seat) internal view returns (uint256) {
        return seat.epochPlusOne < epoch ? seat.id : seat.earlierIds.forSetOf(epoch);
    }

    /// @dev Draws are known for the current and the next epoch.
    function _requireInRange(uint256 epoch) private view {
        uint256 currentEpoch = getCurrentEpoch();
        // Wraps for earlier epochs.
        unchecked {
            if (epoch - currentEpoch > 1) revert Rollup__EpochOutOfRange(epoch, currentEpoch);
        }
    }
}
