// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {SetSummary} from "canon/types/SetSummary.sol";
import {Proof} from "../Proof.sol";

/// @title Sizes of closed sets and recorded seeds
/// @notice The set of epoch e is the set as it stood when epoch e-1 began. In epoch `present` the sets of `present` and of
/// the next epoch can be asked for. That a size, and whether there is a seed, are right after any number of changes
/// follows by induction from the proofs about one change; proofs about a few changes repeat it without induction.
contract SetSummaryProof is Proof {
    /// @dev The fields in the order of the word, from its lowest bit.
    uint256 private constant SIZES = (1 << 176) - 1;
    uint256 private constant REGISTRATIONS = uint256(type(uint32).max) << 176;
    uint256 private constant SEEDS = type(uint256).max << 208;

    /*//////////////////////////////////////////////////////////////
                                 SIZES
    //////////////////////////////////////////////////////////////*/

    /// @notice A change of the size alters neither the set of the present nor that of the next epoch.
    function check_withSizeKeepsBothSets(SetSummary set, uint32 size, uint32 present, bool next) external pure {
        vm.assume(hasValidSizes(set, present));
        uint256 epoch = next ? uint256(present) + 1 : present;
        assert(set.withSize(size, present).sizeOf(epoch) == set.sizeOf(epoch));
    }

    /// @notice The sets of the epoch after the next and of later ones have the present size.
    function check_laterSetsHaveThePresentSize(SetSummary set, uint32 present, uint40 epoch) external pure {
        vm.assume(hasValidSizes(set, present) && epoch >= uint256(present) + 2);
        assert(set.sizeOf(epoch) == set.size());
    }

    /// @notice A change of the size leaves a word that the proofs above hold for, and the new size.
    function check_withSizeKeepsWhatIsAssumed(SetSummary set, uint32 size, uint32 present) external pure {
        vm.assume(hasValidSizes(set, present));
        set = set.withSize(size, present);
        assert(hasValidSizes(set, present) && set.size() == size);
    }

    /// @notice The set of epoch 0 is empty.
    function check_theSetOfEpochZeroIsEmpty(SetSummary set) external pure {
        vm.assume(hasValidSizes(set, 0));
        assert(set.sizeOf(0) == 0);
    }

    /// @notice After three changes at any epochs in order, the sets of the present and the next epoch have the sizes that a
    /// list of all changes gives.
    function check_threeSizesAgreeWithAList(uint32[3] memory sizes, uint32[3] memory epochs, uint32 present, bool next)
        external
        pure
    {
        SetSummary set;
        uint256 epoch = next ? uint256(present) + 1 : present;
        uint256 expected;
        for (uint256 i; i < 3; ++i) {
            vm.assume(i == 0 || epochs[i] >= epochs[i - 1]);
            set = set.withSize(sizes[i], epochs[i]);
            expected = choose(uint256(epochs[i]) + 1 < epoch, sizes[i], expected);
        }
        vm.assume(epochs[2] <= present);
        assert(set.sizeOf(epoch) == expected);
    }

    /*//////////////////////////////////////////////////////////////
                                 SEEDS
    //////////////////////////////////////////////////////////////*/

    /// @notice Recording a seed, which happens only if the next epoch has none, gives the next epoch one and changes nothing
    /// for the present epoch.
    function check_withSeedRecordsExactlyTheNextEpoch(SetSummary set, uint32 present) external pure {
        vm.assume(set.seedEpoch() <= present);
        SetSummary after_ = set.withSeed(present);
        assert(after_.hasSeed(uint256(present) + 1));
        assert(present == 0 || after_.hasSeed(present) == set.hasSeed(present));
        assert(after_.seedEpoch() == uint256(present) + 1);
    }

    /// @notice No epoch after the newest with a seed has one.
    function check_laterEpochsHaveNoSeed(SetSummary set, uint40 epoch) external pure {
        vm.assume(hasValidSeeds(set) && epoch > set.seedEpoch());
        assert(!set.hasSeed(epoch));
    }

    /// @notice Recording leaves a word that the proofs above hold for.
    function check_withSeedKeepsWhatIsAssumed(SetSummary set, uint32 present) external pure {
        assert(hasValidSeeds(set.withSeed(present)));
    }

    /// @notice In three epochs in order, each with a recording or without, exactly the epochs after those with one have
    /// seeds, asked in the last of them or later.
    function check_threeSeedsAgreeWithAList(uint32[3] memory epochs, bool[3] memory recorded, uint32 present, bool next)
        external
        pure
    {
        SetSummary set;
        uint256 epoch = next ? uint256(present) + 1 : present;
        uint256 expected;
        for (uint256 i; i < 3; ++i) {
            vm.assume(i == 0 || epochs[i] >= epochs[i - 1]);
            if (!recorded[i]) continue;
            if (set.seedEpoch() <= epochs[i]) set = set.withSeed(epochs[i]);
            expected |= choose(uint256(epochs[i]) + 1 == epoch, 1, 0);
        }
        vm.assume(epochs[2] <= present && epoch != 0);
        assert(set.hasSeed(epoch) == (expected == 1));
    }

    /*//////////////////////////////////////////////////////////////
                                FIELDS
    //////////////////////////////////////////////////////////////*/

    /// @notice Each change touches only its own fields.
    function check_changesTouchOnlyTheirFields(SetSummary set, uint32 size, uint32 present) external pure {
        uint256 word = SetSummary.unwrap(set);
        uint256 sized = SetSummary.unwrap(set.withSize(size, present));
        uint256 seeded = SetSummary.unwrap(set.withSeed(present));
        assert((word ^ sized) & ~SIZES == 0);
        assert((word ^ seeded) & ~SEEDS == 0);
    }

    /// @notice One more registration changes only their number; 2^32 - 1 is the last one.
    function check_withRegistrationCountsOrReverts(SetSummary set) external view {
        try this.withRegistration(set) returns (SetSummary after_) {
            assert(after_.registrations() == set.registrations() + 1);
            assert((SetSummary.unwrap(set) ^ SetSummary.unwrap(after_)) & ~REGISTRATIONS == 0);
        } catch (bytes memory reason) {
            assert(set.registrations() == type(uint32).max);
            assert(isTooLarge(reason, 2 ** 32, type(uint32).max));
        }
    }

    /// @notice A size above 32 bits, or an epoch whose number plus one is above 40, is refused and never truncated.
    function check_withSizeRefusesWhatDoesNotFit(SetSummary set, uint256 size, uint256 epoch) external view {
        vm.assume(epoch != type(uint256).max);
        try this.withSize(set, size, epoch) returns (SetSummary after_) {
            assert(fits(size, 32) && fits(epoch + 1, 40) && after_.size() == size);
        } catch (bytes memory reason) {
            if (!fits(epoch + 1, 40)) assert(isTooLarge(reason, epoch + 1, type(uint40).max));
            else assert(!fits(size, 32) && isTooLarge(reason, size, type(uint32).max));
        }
    }

    /*//////////////////////////////////////////////////////////////
                               REFUTED
    //////////////////////////////////////////////////////////////*/

    /// @notice Wrong: a change of the size keeps the set of the epoch after the next too.
    function refute_withSizeKeepsLaterSets(SetSummary set, uint32 size, uint32 present) external pure {
        vm.assume(hasValidSizes(set, present));
        uint256 epoch = uint256(present) + 2;
        assert(set.withSize(size, present).sizeOf(epoch) == set.sizeOf(epoch));
    }

    /// @notice Wrong: the epoch before one with a seed has one too.
    function refute_seedsHaveNoGaps(SetSummary set, uint32 present) external pure {
        vm.assume(present != 0 && set.seedEpoch() <= present);
        assert(set.withSeed(present).hasSeed(present));
    }

    /*//////////////////////////////////////////////////////////////
                               HELPERS
    //////////////////////////////////////////////////////////////*/

    function withRegistration(SetSummary set) external pure returns (SetSummary) {
        return set.withRegistration();
    }

    function withSize(SetSummary set, uint256 size, uint256 epoch) external pure returns (SetSummary) {
        return set.withSize(size, epoch);
    }

    /// @dev What holds in epoch `present` of sizes that were changed in order: the epochs ascend, and a size that was never
    /// set is 0.
    function hasValidSizes(SetSummary set, uint256 present) private pure returns (bool) {
        uint256 word = SetSummary.unwrap(set);
        uint256 epochPlusOne = uint40(word >> 32);
        uint256 olderPlusOne = uint40(word >> 72);
        uint256 older = uint32(word >> 112);
        uint256 oldest = uint32(word >> 144);
        bool ascending = olderPlusOne < epochPlusOne || epochPlusOne == 0;
        bool empty = epochPlusOne != 0 || word & SIZES == 0;
        bool olderEmpty = olderPlusOne != 0 || older | oldest == 0;
        return epochPlusOne <= present + 1 && ascending && empty && olderEmpty;
    }

    /// @dev What holds of seeds however they were recorded.
    function hasValidSeeds(SetSummary set) private pure returns (bool) {
        return SetSummary.unwrap(set) >> 248 <= 1;
    }
}
