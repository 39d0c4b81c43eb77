// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IGovernance} from "../interfaces/IGovernance.sol";
import {Code} from "../libraries/Code.sol";
import {BallotRecord} from "../types/BallotRecord.sol";
import {PowerHistory} from "../types/PowerHistory.sol";
import {ProposalTally} from "../types/ProposalTally.sol";
import {ProposerTerm} from "../types/ProposerTerm.sol";
import {LockRules, VotingRules} from "../types/VotingRules.sol";

/// @title The storage of Governance
/// @dev Times in storage are seconds since this contract's construction, in 32 bits, so that a checkpoint of power
/// takes half a word. They last 136 years; afterwards whatever would store one reverts.
abstract contract GovernanceStorage is IGovernance {
    struct StoredProposal {
        ProposalTally tally;
        address payload;
        /// `ProposerTerm.firstId` at creation, which shows which Proposals contract pushed it.
        uint32 termFirstId;
        bytes32 actionsHash;
    }

    /// @dev See `Withdrawal`.
    struct StoredWithdrawal {
        uint96 amount;
        address recipient;
        uint40 unlocksAt;
        bool claimed;
    }

    /// @dev Who may propose, and the counters of proposals and configurations.
    ProposerTerm internal _term;

    /// @dev All power; its companion is the `ExitFloor`, which changes whenever power is given up.
    PowerHistory internal _totalPower;

    /// @dev A holder's power; without a companion.
    mapping(address holder => PowerHistory) internal _powers;

    mapping(uint256 configurationId => VotingRules) internal _votingRules;

    /// @dev Written only for configurations whose `VotingRules.lockRulesAge` is 0.
    mapping(uint256 configurationId => LockRules) internal _lockRules;

    mapping(uint256 id => StoredProposal) internal _proposals;

    mapping(uint256 id => mapping(address holder => BallotRecord)) internal _ballots;

    mapping(uint256 id => StoredWithdrawal) internal _withdrawals;

    /// @dev Proposals contracts by the `ProposerTerm.firstId` of their term. One that pushed nothing may be missing.
    mapping(uint256 termFirstId => address) internal _proposers;

    /// @dev When this contract was constructed: the origin of the times in storage.
    uint256 internal immutable ORIGIN;

    /// @inheritdoc IGovernance
    IERC20 public immutable ASSET;

    /// @param asset The asset that holders lock; has code.
    constructor(IERC20 asset) {
        Code.requireAt(address(asset));
        ASSET = asset;
        ORIGIN = block.timestamp;
        emit GovernanceDeployed(address(asset));
    }

    /// @dev Seconds since construction.
    function _sinceOrigin() internal view returns (uint256) {
        unchecked {
            return block.timestamp - ORIGIN;
        }
    }
}
