// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {RoundTally, RoundTallyLibrary} from "canon/types/RoundTally.sol";
import {Proof} from "../Proof.sol";

/// @title The tally of a round
contract RoundTallyProof is Proof {
    /// @notice What is packed is unpacked again, for all values that fit.
    function check_packKeepsEveryField(address leader, uint24 count, uint40 slotPlusOne, uint32 idPlusOne)
        external
        pure
    {
        RoundTally tally = RoundTallyLibrary.pack(leader, count, slotPlusOne, idPlusOne);
        assert(tally.leader() == leader && tally.count() == count);
        assert(tally.slotPlusOne() == slotPlusOne && tally.idPlusOne() == idPlusOne);
    }

    /// @notice Two different words differ in a field.
    function check_fieldsMakeTheWord(RoundTally tally) external pure {
        RoundTally packed =
            RoundTallyLibrary.pack(tally.leader(), tally.count(), tally.slotPlusOne(), tally.idPlusOne());
        assert(RoundTally.unwrap(packed) == RoundTally.unwrap(tally));
    }

    /// @notice A push sets the proposal of a round that wasn't pushed, and nothing else.
    function check_withProposalChangesOnlyTheId(RoundTally tally, uint32 idPlusOne) external pure {
        vm.assume(tally.idPlusOne() == 0);
        RoundTally after_ = tally.withProposal(idPlusOne);
        assert(after_.idPlusOne() == idPlusOne);
        assert(uint224(RoundTally.unwrap(after_)) == uint224(RoundTally.unwrap(tally)));
    }

    /// @notice Wrong: a count of more than 24 bits is kept.
    function refute_aCountOf25BitsIsKept(address leader, uint32 count) external pure {
        assert(RoundTallyLibrary.pack(leader, count, 0, 0).count() == count);
    }
}
