// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "../libraries/SafeCast.sol";

/// @notice The current Proposals contract and Governance's counters, from the highest bit:
/// `isRecorded` (8 bits) | `configurationId` (16) | `firstId` (32) | `proposalCount` (32) | `proposer` (160).
type ProposerTerm is uint256;

using ProposerTermLibrary for ProposerTerm global;

/// @title The term of a Proposals contract, with the numbers of proposals and configurations, in one word
library ProposerTermLibrary {
    uint256 private constant PROPOSAL_COUNT = 160;
    uint256 private constant FIRST_ID = 192;
    uint256 private constant CONFIGURATION_ID = 224;
    uint256 private constant IS_RECORDED = 240;

    /// @notice Returns the current Proposals contract.
    function proposer(ProposerTerm term) internal pure returns (address) {
        return address(uint160(ProposerTerm.unwrap(term)));
    }

    /// @notice Returns the number of proposals so far.
    function proposalCount(ProposerTerm term) internal pure returns (uint256) {
        return uint32(ProposerTerm.unwrap(term) >> PROPOSAL_COUNT);
    }

    /// @notice Returns the number of proposals when the term began. A proposal that the current Proposals
    /// contract pushed has this id or a later one; a proposal that any other pushed has an earlier one.
    function firstId(ProposerTerm term) internal pure returns (uint256) {
        return uint32(ProposerTerm.unwrap(term) >> FIRST_ID);
    }

    /// @notice Returns the number of the configuration in force.
    function configurationId(ProposerTerm term) internal pure returns (uint256) {
        return uint16(ProposerTerm.unwrap(term) >> CONFIGURATION_ID);
    }

    /// @notice Returns whether Governance has stored which contract serves the term that began at `firstId`.
    function isRecorded(ProposerTerm term) internal pure returns (bool) {
        return ProposerTerm.unwrap(term) >> IS_RECORDED != 0;
    }

    /// @notice Returns the term that `proposer_` begins now.
    function withProposer(ProposerTerm term, address proposer_) internal pure returns (ProposerTerm) {
        uint256 count = term.proposalCount();
        return ProposerTerm.wrap(
            uint160(proposer_) | (count << PROPOSAL_COUNT) | (count << FIRST_ID)
                | (term.configurationId() << CONFIGURATION_ID)
        );
    }

    /// @notice Returns the term, marked as recorded.
    function asRecorded(ProposerTerm term) internal pure returns (ProposerTerm) {
        return ProposerTerm.wrap(ProposerTerm.unwrap(term) | (1 << IS_RECORDED));
    }

    /// @notice Returns the term with one more proposal.
    function withProposal(ProposerTerm term) internal pure returns (ProposerTerm) {
        SafeCast.requireAtMost(term.proposalCount() + 1, type(uint32).max);
        return ProposerTerm.wrap(ProposerTerm.unwrap(term) + (1 << PROPOSAL_COUNT));
    }

    /// @notice Returns the term with one more configuration.
    function withConfiguration(ProposerTerm term) internal pure returns (ProposerTerm) {
        SafeCast.requireAtMost(term.configurationId() + 1, type(uint16).max);
        return ProposerTerm.wrap(ProposerTerm.unwrap(term) + (1 << CONFIGURATION_ID));
    }
}
