// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {EarlierValues} from "canon/types/EarlierValues.sol";
import {Proof} from "../Proof.sol";

/// @title A number with its earlier values gives the value at the beginning of the epoch before the one asked for
/// @notice A number is changed as a seat of the Rollup is: what it was goes to the earlier values unless the last change
/// was made in the same epoch, or there was none.
///
/// The value for the set of epoch e is that of the last change made before epoch e-1. The first three proofs are the
/// induction for any number of changes: in epoch `present` the sets of `present` and of the next epoch can be asked for;
/// a change doesn't alter either; later sets have the present value; and what the first two assume stays true.
contract EarlierValuesProof is Proof {
    struct Number {
        uint32 value;
        uint40 epochPlusOne;
        EarlierValues earlier;
    }

    /// @notice A change in the present epoch alters neither the set of the present nor that of the next epoch, if the
    /// number had a value in them. Any number of changes before.
    function check_changeKeepsBothSets(Number memory number, uint32 value, uint32 present, bool next) external pure {
        vm.assume(isValid(number, present));
        uint256 epoch = next ? uint256(present) + 1 : present;
        vm.assume(hadValue(number, epoch));
        uint256 before = valueIn(number, epoch);
        change(number, value, present);
        assert(valueIn(number, epoch) == before);
    }

    /// @notice The sets of the epoch after the next and of later ones have the present value.
    function check_laterSetsHaveThePresentValue(Number memory number, uint32 present, uint40 epoch) external pure {
        vm.assume(isValid(number, present) && epoch >= uint256(present) + 2);
        assert(valueIn(number, epoch) == number.value);
    }

    /// @notice A change leaves a number that the two proofs above hold for.
    function check_changeKeepsWhatIsAssumed(Number memory number, uint32 value, uint32 present) external pure {
        vm.assume(isValid(number, present));
        change(number, value, present);
        assert(isValid(number, present) && number.value == value);
    }

    /// @notice The same without induction: after four changes at any epochs in order, the sets of the present and the next
    /// epoch have the values that a list of all changes gives.
    function check_fourChangesAgreeWithAList(uint32[4] memory values, uint32[4] memory epochs, uint32 present, bool next)
        external
        pure
    {
        Number memory number;
        uint256 epoch = next ? uint256(present) + 1 : present;
        uint256 expected;
        bool had;
        for (uint256 i; i < 4; ++i) {
            vm.assume(i == 0 || epochs[i] >= epochs[i - 1]);
            change(number, values[i], epochs[i]);
            bool counts = uint256(epochs[i]) + 1 < epoch;
            expected = choose(counts, values[i], expected);
            had = had || counts;
        }
        vm.assume(epochs[3] <= present && had);
        assert(valueIn(number, epoch) == expected);
    }

    /// @notice Wrong: a change counts for the next epoch's set already.
    function refute_changeCountsAtOnce(Number memory number, uint32 value, uint32 present) external pure {
        vm.assume(isValid(number, present) && number.epochPlusOne != 0);
        change(number, value, present);
        assert(valueIn(number, uint256(present) + 1) == value);
    }

    /// @dev What holds in epoch `present` of a number that was changed in order: the epochs ascend, and what was never set
    /// is 0.
    function isValid(Number memory number, uint256 present) private pure returns (bool) {
        uint256 word = EarlierValues.unwrap(number.earlier);
        uint256 olderPlusOne = uint40(word);
        bool ascending = olderPlusOne < number.epochPlusOne || number.epochPlusOne == 0;
        bool empty = olderPlusOne != 0 || word == 0;
        bool unset = number.epochPlusOne != 0 || (number.value == 0 && word == 0);
        return number.epochPlusOne <= present + 1 && ascending && empty && unset;
    }

    /// @dev Whether the set of `epoch` has a value of the number. If it was replaced more than once, an older one is assumed.
    function hadValue(Number memory number, uint256 epoch) private pure returns (bool) {
        uint256 word = EarlierValues.unwrap(number.earlier);
        return (number.epochPlusOne != 0 && number.epochPlusOne < epoch)
            || (uint40(word) != 0 && uint40(word) < epoch) || word >> 72 != 0;
    }

    function change(Number memory number, uint32 value, uint256 present) private pure {
        uint40 epochPlusOne = uint40(present + 1);
        if (number.epochPlusOne != epochPlusOne && number.epochPlusOne != 0) {
            number.earlier = number.earlier.withReplaced(number.value, number.epochPlusOne);
        }
        number.value = value;
        number.epochPlusOne = epochPlusOne;
    }

    function valueIn(Number memory number, uint256 epoch) private pure returns (uint256) {
        return number.epochPlusOne < epoch ? number.value : number.earlier.forSetOf(epoch);
    }
}
