// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ProposalState} from "canon/interfaces/IGovernance.sol";
import {ProposalTally, ProposalTallyLibrary} from "canon/types/ProposalTally.sol";
import {Proof} from "../Proof.sol";

/// @title The tally of a proposal
contract ProposalTallyProof is Proof {
    uint256 private constant STORED = uint256(type(uint8).max) << 240;

    /// @notice A new tally has what it was created with, no ballots, and is Pending.
    function check_createKeepsEveryField(uint32 time, uint16 configurationId, bool byLock) external pure {
        ProposalTally tally = ProposalTallyLibrary.create(time, configurationId, byLock);
        assert(tally.creation() == time && tally.configurationId() == configurationId && tally.byLock() == byLock);
        assert(tally.yea() == 0 && tally.nea() == 0 && tally.stored() == ProposalState.Pending);
    }

    /// @notice A ballot adds its amount to its side and changes nothing else, if the sums fit 96 bits.
    function check_withBallotChangesOneSide(ProposalTally tally, bool support, uint96 amount) external pure {
        vm.assume(fits(tally.yea() + tally.nea() + amount, 96));
        ProposalTally after_ = tally.withBallot(support, amount);
        assert(after_.yea() == tally.yea() + choose(support, amount, 0));
        assert(after_.nea() == tally.nea() + choose(support, 0, amount));
        assert(ProposalTally.unwrap(after_) >> 192 == ProposalTally.unwrap(tally) >> 192);
    }

    /// @notice A tally that was Pending has the final state, and is otherwise unchanged.
    function check_withFinalChangesOnlyTheState(ProposalTally tally, bool executed) external pure {
        vm.assume(ProposalTally.unwrap(tally) & STORED == 0);
        ProposalState state = executed ? ProposalState.Executed : ProposalState.Dropped;
        ProposalTally after_ = tally.withFinal(state);
        assert(after_.stored() == state);
        assert((ProposalTally.unwrap(after_) ^ ProposalTally.unwrap(tally)) & ~STORED == 0);
    }

    /// @notice Wrong: a final state can be replaced by another.
    function refute_aFinalStateCanBeReplaced(ProposalTally tally) external pure {
        vm.assume(ProposalTally.unwrap(tally) & STORED == 0);
        tally = tally.withFinal(ProposalState.Dropped).withFinal(ProposalState.Executed);
        assert(uint8(ProposalTally.unwrap(tally) >> 240) == uint8(ProposalState.Executed));
    }
}
