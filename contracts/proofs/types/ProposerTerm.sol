// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ProposerTerm} from "canon/types/ProposerTerm.sol";
import {Proof} from "../Proof.sol";

/// @title The term of a Proposals contract
contract ProposerTermProof is Proof {
    uint256 private constant PROPOSAL_COUNT = uint256(type(uint32).max) << 160;
    uint256 private constant CONFIGURATION_ID = uint256(type(uint16).max) << 224;

    /// @notice The term of a new proposer begins at the present number of proposals, unrecorded; the counters stay.
    function check_withProposerKeepsTheCounters(ProposerTerm term, address proposer) external pure {
        ProposerTerm after_ = term.withProposer(proposer);
        assert(after_.proposer() == proposer && after_.firstId() == term.proposalCount() && !after_.isRecorded());
        assert(after_.proposalCount() == term.proposalCount());
        assert(after_.configurationId() == term.configurationId());
    }

    /// @notice Recording changes nothing else.
    function check_recordedChangesOnlyTheFlag(ProposerTerm term) external pure {
        ProposerTerm after_ = term.asRecorded();
        assert(after_.isRecorded());
        assert(uint240(ProposerTerm.unwrap(after_)) == uint240(ProposerTerm.unwrap(term)));
    }

    /// @notice One more proposal changes only their number; 2^32 - 1 is the last one.
    function check_withProposalCountsOrReverts(ProposerTerm term) external view {
        try this.withProposal(term) returns (ProposerTerm after_) {
            assert(after_.proposalCount() == term.proposalCount() + 1);
            assert((ProposerTerm.unwrap(after_) ^ ProposerTerm.unwrap(term)) & ~PROPOSAL_COUNT == 0);
        } catch (bytes memory reason) {
            assert(term.proposalCount() == type(uint32).max);
            assert(isTooLarge(reason, 2 ** 32, type(uint32).max));
        }
    }

    /// @notice One more configuration changes only their number; 2^16 - 1 is the last one.
    function check_withConfigurationCountsOrReverts(ProposerTerm term) external view {
        try this.withConfiguration(term) returns (ProposerTerm after_) {
            assert(after_.configurationId() == term.configurationId() + 1);
            assert((ProposerTerm.unwrap(after_) ^ ProposerTerm.unwrap(term)) & ~CONFIGURATION_ID == 0);
        } catch (bytes memory reason) {
            assert(term.configurationId() == type(uint16).max);
            assert(isTooLarge(reason, 2 ** 16, type(uint16).max));
        }
    }

    /// @notice Wrong: a new term is recorded if the one before it was.
    function refute_aSuccessorIsRecorded(ProposerTerm term, address proposer) external pure {
        assert(term.withProposer(proposer).isRecorded() == term.isRecorded());
    }

    function withProposal(ProposerTerm term) external pure returns (ProposerTerm) {
        return term.withProposal();
    }

    function withConfiguration(ProposerTerm term) external pure returns (ProposerTerm) {
        return term.withConfiguration();
    }
}
