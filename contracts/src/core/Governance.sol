// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Ballot, Configuration, IGovernance, Proposal, ProposalState} from "../interfaces/IGovernance.sol";
import {Action} from "../interfaces/IPayload.sol";
import {Actions} from "../libraries/Actions.sol";
import {Code} from "../libraries/Code.sol";
import {SafeCast} from "../libraries/SafeCast.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {Tabulation} from "../libraries/Tabulation.sol";
import {BallotRecord} from "../types/BallotRecord.sol";
import {ProposalTally, ProposalTallyLibrary} from "../types/ProposalTally.sol";
import {ProposerTerm} from "../types/ProposerTerm.sol";
import {LockRules, VotingRules} from "../types/VotingRules.sol";
import {GovernanceConfiguration} from "./GovernanceConfiguration.sol";
import {GovernancePower} from "./GovernancePower.sol";
import {GovernanceStorage} from "./GovernanceStorage.sol";

/// @title Governance: holders lock the asset, vote on proposals, and the actions of those that pass are executed
/// @dev Proposals are here; `GovernancePower` has the locked asset, `GovernanceConfiguration` what Governance decides
/// about itself.
contract Governance is GovernancePower, EIP712 {
    bytes32 private constant BALLOT_TYPEHASH = keccak256(
        "Ballot(uint256 proposalId,bytes32 actionsHash,uint256 amount,bool support,address voter,uint256 nonce,uint256 deadline)"
    );

    /// @dev How far `invalidateBallots` raises the nonce: further than anybody signs ahead.
    uint256 private constant INVALIDATED_NONCES = 2 ** 32;

    /// @param asset The asset that holders lock; has code.
    /// @param proposals The first Proposals contract; has code.
    /// @param configuration The first configuration, bounded by the Asset's total supply.
    constructor(IERC20 asset, address proposals, Configuration memory configuration)
        GovernanceStorage(asset)
        GovernanceConfiguration(proposals, configuration)
        EIP712("Governance", "1")
    {}

    /*//////////////////////////////////////////////////////////////
                               PROPOSING
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IGovernance
    function propose(address payload) external returns (bool) {
        ProposerTerm term = _term;
        if (msg.sender != term.proposer()) revert Governance__NotGovernanceProposer(msg.sender, term.proposer());
        if (!term.isRecorded()) {
            _proposers[term.firstId()] = msg.sender;
            term = term.asRecorded();
        }
        _propose(payload, msg.sender, term);
        return true;
    }

    /// @inheritdoc IGovernance
    function proposeWithLock(address payload, address to) external returns (bool) {
        if (to == address(0)) revert ZeroAddress();
        ProposerTerm term = _term;
        (, LockRules storage lockRules) = _rulesOf(term.configurationId());
        _withdraw(to, lockRules.lockAmount, Math.max(lockRules.lockDelay, _withdrawalDelay(term)));
        _propose(payload, address(this), term);
        return true;
    }

    /// @dev Freezes what `payload` lists now. `term` is stored with one more proposal.
    function _propose(address payload, address proposer, ProposerTerm term) private {
        Code.requireAt(payload);
        (bytes32 commitment, bytes memory published) =
            Actions.publish(payload, Actions.ask(payload), term.configurationId());

        uint256 id = term.proposalCount();
        _term = term.withProposal();
        StoredProposal storage proposal = _proposals[id];
        proposal.tally = ProposalTallyLibrary.create(
            SafeCast.toUint32(_sinceOrigin()), term.configurationId(), proposer == address(this)
        );
        proposal.payload = payload;
        // The number of proposals fits 32 bits.
        proposal.termFirstId = uint32(term.firstId());
        proposal.actionsHash = commitment;
        emit Proposed(id, payload);
        bytes32 topic = ProposalFrozen.selector;
        assembly ("memory-safe") {
            log3(add(published, 32), mload(published), topic, id, proposer)
        }
    }

    /*//////////////////////////////////////////////////////////////
                                VOTING
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IGovernance
    function vote(uint256 id, uint256 amount, bool support) external returns (bool) {
        _cast(id, amount, support, msg.sender, type(uint256).max, _ballots[id][msg.sender]);
        return true;
    }

    /// @inheritdoc IGovernance
    function voteWithSig(
        uint256 proposalId,
        uint256 amount,
        bool support,
        address voter,
        uint256 deadline,
        bytes calldata signature
    ) external returns (bool) {
        _requireProposal(proposalId);
        BallotRecord record = _ballots[proposalId][voter];
        uint256 nonce = record.nextNonce();
        bytes32 digest = _hashTypedDataV4(
            keccak256(
                abi.encode(
                    BALLOT_TYPEHASH,
                    proposalId,
                    _proposals[proposalId].actionsHash,
                    amount,
                    support,
                    voter,
                    nonce,
                    deadline
                )
            )
        );
        if (!Signatures.isValid(voter, digest, signature)) revert Governance__InvalidSignature(voter, nonce);
        emit NonceUsed(proposalId, voter, nonce);
        _cast(proposalId, amount, support, voter, deadline, record.withNonceRaisedBy(1));
        return true;
    }

    /// @inheritdoc IGovernance
    function invalidateBallots(uint256 id) external {
        _requireProposal(id);
        BallotRecord record = _ballots[id][msg.sender].withNonceRaisedBy(INVALIDATED_NONCES);
        _ballots[id][msg.sender] = record;
        emit BallotsInvalidated(id, msg.sender, record.nextNonce());
    }

    /// @dev Adds a ballot to `record`, `voter`'s on the proposal, which exists, and stores it.
    function _cast(uint256 id, uint256 amount, bool support, address voter, uint256 deadline, BallotRecord record)
        private
    {
        (ProposalState state, ProposalTally tally, uint256 snapshot) = _stateAndSnapshot(id);
        if (state != ProposalState.Active) {
            // A Queued proposal takes ballots against it until the middle of its execution delay.
            if (support || state != ProposalState.Queued) revert Governance__NotActive(id, state);
            uint256 last = _objectionsUntil(tally);
            if (block.timestamp > last) revert Governance__ObjectionsOver(id, block.timestamp, last);
        }
        if (block.timestamp > deadline) revert Governance__SignatureExpired(block.timestamp, deadline);
        if (amount == 0) revert Governance__ZeroAmount();

        uint256 power = _powers[voter].at(snapshot);
        // A holder's ballots are at most its power at the snapshot, which fits 96 bits and doesn't change any more.
        unchecked {
            uint256 available = power - record.yea() - record.nea();
            if (amount > available) revert Governance__InsufficientPower(voter, available, amount);
        }
        _ballots[id][voter] = record.withBallot(support, amount);
        _proposals[id].tally = tally.withBallot(support, amount);
        emit VoteCast(id, voter, support, amount);
    }

    /*//////////////////////////////////////////////////////////////
                               EXECUTING
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IGovernance
    function execute(uint256 id) external returns (bool) {
        ProposalTally tally = _requireExecutable(id);
        address payload = _proposals[id].payload;
        bytes memory list = Actions.ask(payload);
        // A payload that encodes as `abi.encode` does answers with the very bytes that were committed to.
        if (keccak256(list) != _proposals[id].actionsHash) {
            list = Actions.canonical(payload, list);
            _requireFrozen(id, list);
        }
        _execute(id, tally, list);
        return true;
    }

    /// @inheritdoc IGovernance
    function executeWith(uint256 id, Action[] calldata actions) external returns (bool) {
        ProposalTally tally = _requireExecutable(id);
        bytes memory list = abi.encode(actions);
        _requireFrozen(id, list);
        _execute(id, tally, list);
        return true;
    }

    /// @inheritdoc IGovernance
    function dropProposal(uint256 id) external returns (bool) {
        (ProposalState state, ProposalTally tally,) = _stateAndSnapshot(id);
        if (tally.stored() == ProposalState.Dropped) revert Governance__AlreadyDropped(id);
        if (state != ProposalState.Dropped) revert Governance__NotDropped(id, state);
        _proposals[id].tally = tally.withFinal(ProposalState.Dropped);
        emit ProposalDropped(id);
        return true;
    }

    function _requireExecutable(uint256 id) private view returns (ProposalTally) {
        (ProposalState state, ProposalTally tally,) = _stateAndSnapshot(id);
        if (state != ProposalState.Executable) revert Governance__NotExecutable(id, state);
        return tally;
    }

    /// @dev `list` encodes the actions that were published when the proposal was created.
    function _requireFrozen(uint256 id, bytes memory list) private view {
        bytes32 expected = _proposals[id].actionsHash;
        bytes32 found = keccak256(list);
        if (found != expected) revert Governance__ActionsChanged(id, expected, found);
    }

    /// @dev Executed is stored before any call, so that no action can execute the proposal again.
    function _execute(uint256 id, ProposalTally tally, bytes memory list) private {
        _proposals[id].tally = tally.withFinal(ProposalState.Executed);
        emit ProposalExecuted(id);

        uint256 size = Actions.size(list);
        for (uint256 i; i < size; ++i) {
            (address target, bytes memory data) = Actions.at(list, i);
            if (target == address(ASSET)) revert Governance__ActionOnAsset(i);
            // Checked here and not before, since an earlier action may have deployed it.
            if (!Code.exists(target)) revert Governance__ActionWithoutCode(i, target);
            // The answer of an action that succeeds isn't copied, however long it is.
            if (!LowLevelCall.callNoReturn(target, data)) {
                revert Governance__ActionFailed(i, target, LowLevelCall.returnData());
            }
        }
    }

    /*//////////////////////////////////////////////////////////////
                                 STATE
    //////////////////////////////////////////////////////////////*/

    /// @dev The current state of a proposal, and what it follows from. Every boundary belongs to the earlier state.
    /// @return state The state now.
    /// @return tally What is stored of it.
    /// @return snapshot The last second of Pending, at which power counts.
    function _stateAndSnapshot(uint256 id)
        private
        view
        returns (ProposalState state, ProposalTally tally, uint256 snapshot)
    {
        ProposerTerm term = _requireProposal(id);
        tally = _proposals[id].tally;
        VotingRules rules = _votingRules[tally.configurationId()];
        // Times fit 32 bits and delays 23, so no sum overflows.
        unchecked {
            snapshot = tally.creation() + rules.votingDelay();
        }
        state = tally.stored();
        if (state == ProposalState.Pending) {
            bool isDropped = id < term.firstId() && !tally.byLock();
            state = isDropped ? ProposalState.Dropped : _stateInTime(tally, rules, snapshot);
        }
    }

    /// @dev The current state of a proposal that is neither executed nor dropped.
    function _stateInTime(ProposalTally tally, VotingRules rules, uint256 snapshot)
        private
        view
        returns (ProposalState)
    {
        uint256 time = _sinceOrigin();
        if (time <= snapshot) return ProposalState.Pending;
        unchecked {
            uint256 end = snapshot + rules.votingDuration();
            if (time <= end) return ProposalState.Active;
            if (!_isAccepted(tally, rules, snapshot)) return ProposalState.Rejected;
            end += rules.executionDelay();
            if (time <= end) return ProposalState.Queued;
            end += rules.gracePeriod();
            return time <= end ? ProposalState.Executable : ProposalState.Expired;
        }
    }

    function _isAccepted(ProposalTally tally, VotingRules rules, uint256 snapshot) private view returns (bool) {
        uint256 total = _totalPower.at(snapshot);
        (uint256 yea, uint256 nea) = (tally.yea(), tally.nea());
        unchecked {
            if (!Tabulation.isQuorate(total, rules.minimumVotes(), rules.quorum(), yea + nea)) return false;
        }
        // Unanimity needs no margin, and then the second word of the configuration isn't read.
        return nea == 0
            || Tabulation.isAhead(yea, nea, _lockRulesOf(tally.configurationId(), rules).voteDifferential);
    }

    /// @dev The last second in which ballots against are taken, as a timestamp.
    function _objectionsUntil(ProposalTally tally) private view returns (uint256) {
        VotingRules rules = _votingRules[tally.configurationId()];
        unchecked {
            return ORIGIN + tally.creation() + rules.votingDelay() + rules.votingDuration()
                + rules.executionDelay() / 2;
        }
    }

    /*//////////////////////////////////////////////////////////////
                                 VIEWS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IGovernance
    function getProposal(uint256 id) external view returns (Proposal memory) {
        _requireProposal(id);
        StoredProposal memory proposal = _proposals[id];
        ProposalTally tally = proposal.tally;
        return Proposal({
            config: _configuration(tally.configurationId()),
            state: tally.stored(),
            payload: proposal.payload,
            governanceProposer: tally.byLock() ? address(this) : _proposers[proposal.termFirstId],
            creation: ORIGIN + tally.creation(),
            summedBallot: Ballot({yea: tally.yea(), nea: tally.nea()})
        });
    }

    /// @inheritdoc IGovernance
    function getProposalState(uint256 id) external view returns (ProposalState state) {
        (state,,) = _stateAndSnapshot(id);
    }

    /// @inheritdoc IGovernance
    function objectionsUntil(uint256 id) external view returns (uint256) {
        _requireProposal(id);
        return _objectionsUntil(_proposals[id].tally);
    }

    /// @inheritdoc IGovernance
    function actionsHash(uint256 id) external view returns (bytes32) {
        _requireProposal(id);
        return _proposals[id].actionsHash;
    }

    /// @inheritdoc IGovernance
    function ballots(uint256 id, address user) external view returns (uint256 yea, uint256 nea) {
        BallotRecord record = _ballots[id][user];
        return (record.yea(), record.nea());
    }

    /// @inheritdoc IGovernance
    function ballotNonce(uint256 id, address holder) external view returns (uint256) {
        return _ballots[id][holder].nextNonce();
    }

    /// @inheritdoc IGovernance
    function proposalCount() external view returns (uint256) {
        return _term.proposalCount();
    }

    function _requireProposal(uint256 id) private view returns (ProposerTerm term) {
        term = _term;
        if (id >= term.proposalCount()) revert Governance__UnknownProposal(id, term.proposalCount());
    }
}
