// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {
    Ballot,
    Configuration,
    IGovernance,
    Proposal,
    ProposalState,
    ProposeConfiguration,
    Withdrawal
} from "../interfaces/IGovernance.sol";
import {Action} from "../interfaces/IPayload.sol";
import {Actions} from "../libraries/Actions.sol";
import {Fit} from "../libraries/Fit.sol";
import {Outside} from "../libraries/Outside.sol";
import {Newest} from "../libraries/PowerHistory.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {Tabulation} from "../libraries/Tabulation.sol";

/// @title Governance
/// @dev Times in storage are seconds since this contract's construction, in 32 bits, so that a checkpoint of power
/// takes half a word. They last 136 years; afterwards everything that would store one reverts.
contract Governance is IGovernance, EIP712 {
    using SafeERC20 for IERC20;

    /*//////////////////////////////////////////////////////////////
                                 STORAGE
    //////////////////////////////////////////////////////////////*/

    /// @dev The part of a configuration that every ballot needs, in one word.
    struct Terms {
        uint24 votingDelay;
        uint24 votingDuration;
        uint24 executionDelay;
        uint24 gracePeriod;
        uint96 minimumVotes;
        uint64 quorum;
    }

    /// @dev The rest of a configuration.
    struct Conditions {
        uint64 voteDifferential;
        uint32 lockDelay;
        uint96 lockAmount;
    }

    struct StoredConfiguration {
        Terms terms;
        Conditions conditions;
    }

    /// @dev Who may propose, and how far the counters are, in one word.
    struct Office {
        address governanceProposer;
        uint32 proposalCount;
        /// `proposalCount` when the present Proposals contract took office. What it pushed has this id or a later one,
        /// what any other pushed has an earlier one.
        uint32 since;
        uint16 configurationId;
        /// Whether `_proposers[since]` was written.
        bool recorded;
    }

    /// @dev The sums of ballots with all that a ballot has to check, in one word that is never zero.
    struct Tally {
        uint96 yea;
        uint96 nea;
        uint32 creation;
        uint16 configurationId;
        /// Pending, Executed or Dropped.
        ProposalState stored;
        bool byLock;
    }

    struct StoredProposal {
        Tally tally;
        address payload;
        /// `Office.since` at creation: tells which Proposals contract pushed it.
        uint32 since;
        bytes32 actionsHash;
    }

    struct Holder {
        Newest power;
        uint96 nonce;
        mapping(uint256 => uint256) archive;
    }

    struct Total {
        Newest power;
        uint32 withdrawalCount;
        uint32 exitDelay;
        uint32 exitUntil;
        mapping(uint256 => uint256) archive;
    }

    struct StoredWithdrawal {
        uint96 amount;
        address recipient;
        uint40 unlocksAt;
        bool claimed;
    }

    struct StoredBallot {
        uint96 yea;
        uint96 nea;
    }

    Office private _office;

    Total private _total;

    mapping(address holder => Holder) private _holders;

    mapping(uint256 id => StoredConfiguration) private _configurations;

    mapping(uint256 id => StoredProposal) private _proposals;

    mapping(uint256 id => mapping(address voter => StoredBallot)) private _ballots;

    mapping(uint256 id => StoredWithdrawal) private _withdrawals;

    /// @dev Proposals contracts by the `Office.since` at which they took office; those that pushed nothing may lack.
    mapping(uint256 since => address) private _proposers;

    /*//////////////////////////////////////////////////////////////
                                CONSTANTS
    //////////////////////////////////////////////////////////////*/

    bytes32 private constant BALLOT_TYPEHASH = keccak256(
        "Ballot(uint256 proposalId,uint256 amount,bool support,address voter,uint256 nonce,uint256 deadline)"
    );

    uint256 private constant MINIMUM_DELAY = 60 seconds;
    uint256 private constant MAXIMUM_DELAY = 90 days;

    /// @dev When this contract was constructed: the origin of the times in storage.
    uint256 private immutable ORIGIN;

    /// @inheritdoc IGovernance
    IERC20 public immutable ASSET;

    constructor(IERC20 asset, address proposals, Configuration memory configuration) EIP712("Governance", "1") {
        Outside.requireCode(address(asset));
        ASSET = asset;
        ORIGIN = block.timestamp;
        emit GovernanceDeployed(address(asset));
        _appoint(proposals);
        _checkConfiguration(configuration);
        _store(0, configuration);
    }

    modifier onlySelf() {
        if (msg.sender != address(this)) revert Governance__NotSelf(msg.sender);
        _;
    }

    /*//////////////////////////////////////////////////////////////
                            LOCKING AND LEAVING
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IGovernance
    function deposit(address onBehalfOf, uint256 amount) external {
        _deposit(onBehalfOf, amount);
    }

    /// @inheritdoc IGovernance
    function depositWithPermit(address onBehalfOf, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
    {
        // Anybody can use a permit up before its holder does. If that gave the allowance, nothing is lost.
        try IERC20Permit(address(ASSET)).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        _deposit(onBehalfOf, amount);
    }

    /// @inheritdoc IGovernance
    function initiateWithdraw(address to, uint256 amount) external returns (uint256 id) {
        if (to == address(0)) revert ZeroAddress();
        if (amount == 0) revert Governance__ZeroAmount();
        return _withdraw(to, amount, _withdrawalDelay());
    }

    /// @inheritdoc IGovernance
    function finaliseWithdraw(uint256 id) external {
        _requireWithdrawal(id);
        StoredWithdrawal memory withdrawal = _withdrawals[id];
        if (withdrawal.claimed) revert Governance__AlreadyClaimed(id);
        if (block.timestamp < withdrawal.unlocksAt) {
            revert Governance__NotUnlocked(block.timestamp, withdrawal.unlocksAt);
        }
        _withdrawals[id].claimed = true;
        emit WithdrawFinalised(id);
        ASSET.safeTransfer(withdrawal.recipient, withdrawal.amount);
    }

    function _deposit(address onBehalfOf, uint256 amount) private {
        if (msg.sender == address(this) || onBehalfOf == address(this)) {
            revert Governance__SelfDeposit(msg.sender, onBehalfOf);
        }
        if (onBehalfOf == address(0)) revert ZeroAddress();
        if (amount == 0) revert Governance__ZeroAmount();

        ASSET.safeTransferFrom(msg.sender, address(this), amount);
        uint256 time = _now();
        Holder storage holder = _holders[onBehalfOf];
        Newest power = holder.power;
        holder.power = power.push(holder.archive, power.value() + amount, time);
        power = _total.power;
        _total.power = power.push(_total.archive, power.value() + amount, time);
        emit Deposit(msg.sender, onBehalfOf, amount);
    }

    /// @dev Turns `amount` of the caller's power into a withdrawal that is paid after `delay`.
    function _withdraw(address to, uint256 amount, uint256 delay) private returns (uint256 id) {
        uint256 time = _now();
        Holder storage holder = _holders[msg.sender];
        Newest power = holder.power;
        uint256 available = power.value();
        if (amount > available) revert Governance__InsufficientPower(msg.sender, available, amount);
        holder.power = power.push(holder.archive, available - amount, time);

        power = _total.power;
        id = _total.withdrawalCount;
        _total.power = power.push(_total.archive, power.value() - amount, time);
        _total.withdrawalCount = Fit.toUint32(id + 1);

        uint40 unlocksAt = Fit.toUint40(block.timestamp + delay);
        // An amount of power fits 96 bits.
        _withdrawals[id] =
            StoredWithdrawal({amount: uint96(amount), recipient: to, unlocksAt: unlocksAt, claimed: false});
        emit WithdrawInitiated(id, to, amount);
        emit WithdrawalQueued(id, msg.sender, unlocksAt);
    }

    /// @dev So long that nobody whose ballot counts holds the asset again before the proposal can be executed.
    function _withdrawalDelay() private view returns (uint256 delay) {
        delay = _exitDelay(_configurations[_office.configurationId].terms);
        // A ballot is bound to the configuration frozen for its proposal, which may be an earlier, slower one.
        if (_now() <= _total.exitUntil && _total.exitDelay > delay) delay = _total.exitDelay;
    }

    /// @dev The withdrawal delay under `terms`. A fifth of the voting delay is left to those who want to leave before
    /// a proposal is executed: whoever does so within the first four fifths is out in time.
    function _exitDelay(Terms memory terms) private pure returns (uint256) {
        return uint256(terms.votingDelay) / 5 + terms.votingDuration + terms.executionDelay;
    }

    /*//////////////////////////////////////////////////////////////
                                PROPOSING
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IGovernance
    function propose(address payload) external returns (bool) {
        Office memory office = _office;
        if (msg.sender != office.governanceProposer) {
            revert Governance__NotGovernanceProposer(msg.sender, office.governanceProposer);
        }
        if (!office.recorded) {
            _proposers[office.since] = msg.sender;
            office.recorded = true;
        }
        _propose(payload, msg.sender, office);
        return true;
    }

    /// @inheritdoc IGovernance
    function proposeWithLock(address payload, address to) external returns (bool) {
        if (to == address(0)) revert ZeroAddress();
        Conditions memory conditions = _configurations[_office.configurationId].conditions;
        uint256 delay = _withdrawalDelay();
        _withdraw(to, conditions.lockAmount, conditions.lockDelay > delay ? conditions.lockDelay : delay);
        _propose(payload, address(this), _office);
        return true;
    }

    /// @dev Freezes what `payload` lists now. `office` is stored with the count raised.
    function _propose(address payload, address proposer, Office memory office) private {
        Outside.requireCode(payload);
        Action[] memory actions = Actions.read(payload);
        bytes32 actionsHash = Actions.hash(actions);

        uint256 id = office.proposalCount;
        office.proposalCount = Fit.toUint32(id + 1);
        _office = office;
        StoredProposal storage proposal = _proposals[id];
        proposal.tally = Tally({
            yea: 0,
            nea: 0,
            creation: Fit.toUint32(_now()),
            configurationId: office.configurationId,
            stored: ProposalState.Pending,
            byLock: proposer == address(this)
        });
        proposal.payload = payload;
        proposal.since = office.since;
        proposal.actionsHash = actionsHash;
        emit Proposed(id, payload);
        emit ProposalFrozen(id, proposer, office.configurationId, actionsHash, actions);
    }

    /*//////////////////////////////////////////////////////////////
                                 VOTING
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IGovernance
    function vote(uint256 id, uint256 amount, bool support) external returns (bool) {
        _vote(id, amount, support, msg.sender);
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
        if (block.timestamp > deadline) revert Governance__SignatureExpired(block.timestamp, deadline);
        uint256 nonce = _useNonce(voter);
        bytes32 digest = _hashTypedDataV4(
            keccak256(abi.encode(BALLOT_TYPEHASH, proposalId, amount, support, voter, nonce, deadline))
        );
        if (!Signatures.isValid(voter, digest, signature)) revert Governance__InvalidSignature(voter, nonce);
        _vote(proposalId, amount, support, voter);
        return true;
    }

    /// @inheritdoc IGovernance
    function invalidateNonce() external {
        _useNonce(msg.sender);
    }

    function _vote(uint256 id, uint256 amount, bool support, address voter) private {
        (ProposalState state, Tally memory tally, uint256 snapshot) = _examine(id);
        if (state != ProposalState.Active) revert Governance__NotActive(id, state);
        if (amount == 0) revert Governance__ZeroAmount();

        Holder storage holder = _holders[voter];
        StoredBallot memory ballot = _ballots[id][voter];
        uint256 available = holder.power.at(holder.archive, snapshot) - ballot.yea - ballot.nea;
        if (amount > available) revert Governance__InsufficientPower(voter, available, amount);

        // A holder's ballots are at most its power, all ballots at most the total: both fit 96 bits.
        unchecked {
            if (support) {
                ballot.yea += uint96(amount);
                tally.yea += uint96(amount);
            } else {
                ballot.nea += uint96(amount);
                tally.nea += uint96(amount);
            }
        }
        _ballots[id][voter] = ballot;
        _proposals[id].tally = tally;
        emit VoteCast(id, voter, support, amount);
    }

    function _useNonce(address holder) private returns (uint256 nonce) {
        nonce = _holders[holder].nonce++;
        emit NonceUsed(holder, nonce);
    }

    /*//////////////////////////////////////////////////////////////
                               EXECUTING
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IGovernance
    function execute(uint256 id) external returns (bool) {
        Tally memory tally = _requireExecutable(id);
        _execute(id, tally, Actions.read(_proposals[id].payload));
        return true;
    }

    /// @inheritdoc IGovernance
    function executeWith(uint256 id, Action[] calldata actions) external returns (bool) {
        Tally memory tally = _requireExecutable(id);
        _execute(id, tally, actions);
        return true;
    }

    /// @inheritdoc IGovernance
    function dropProposal(uint256 id) external returns (bool) {
        (ProposalState state, Tally memory tally,) = _examine(id);
        if (tally.stored == ProposalState.Dropped) revert Governance__AlreadyDropped(id);
        if (state != ProposalState.Dropped) revert Governance__NotDropped(id, state);
        _proposals[id].tally.stored = ProposalState.Dropped;
        emit ProposalDropped(id);
        return true;
    }

    function _requireExecutable(uint256 id) private view returns (Tally memory) {
        (ProposalState state, Tally memory tally,) = _examine(id);
        if (state != ProposalState.Executable) revert Governance__NotExecutable(id, state);
        return tally;
    }

    /// @dev Executed is stored before any call, so that no action can execute the proposal again.
    function _execute(uint256 id, Tally memory tally, Action[] memory actions) private {
        bytes32 expected = _proposals[id].actionsHash;
        bytes32 found = Actions.hash(actions);
        if (found != expected) revert Governance__ActionsChanged(id, expected, found);

        tally.stored = ProposalState.Executed;
        _proposals[id].tally = tally;
        emit ProposalExecuted(id);

        for (uint256 i; i < actions.length; ++i) {
            address target = actions[i].target;
            if (target == address(ASSET)) revert Governance__ActionOnAsset(i);
            // Checked here and not before, since an earlier action may have deployed it.
            if (!Outside.hasCode(target)) revert Governance__ActionWithoutCode(i, target);
            (bool success, bytes memory reason) = target.call(actions[i].data);
            if (!success) revert Governance__ActionFailed(i, target, reason);
        }
    }

    /*//////////////////////////////////////////////////////////////
                          GOVERNING GOVERNANCE
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IGovernance
    function updateConfiguration(Configuration calldata configuration) external onlySelf {
        _checkConfiguration(configuration);

        // Proposals created under the old configuration can be executed until they expire, so leaving must stay as
        // slow as it demands for all who may have voted on them.
        uint256 id = _office.configurationId;
        Terms memory old = _configurations[id].terms;
        uint256 time = _now();
        uint256 delay = time > _total.exitUntil ? 0 : _total.exitDelay;
        uint256 until = time + old.votingDelay + old.votingDuration + old.executionDelay;
        uint256 oldDelay = _exitDelay(old);
        _total.exitDelay = Fit.toUint32(delay > oldDelay ? delay : oldDelay);
        if (until > _total.exitUntil) _total.exitUntil = Fit.toUint32(until);

        ++id;
        _office.configurationId = uint16(Fit.within(id, type(uint16).max));
        emit ConfigurationUpdated(block.timestamp);
        _store(id, configuration);
    }

    /// @inheritdoc IGovernance
    function updateGovernanceProposer(address newGovernanceProposer) external onlySelf {
        _appoint(newGovernanceProposer);
    }

    /// @inheritdoc IGovernance
    function acceptOwnership(address target) external {
        Ownable2Step(target).acceptOwnership();
    }

    function _appoint(address proposer) private {
        Office memory office = _office;
        if (proposer == address(this) || proposer == office.governanceProposer) {
            revert Governance__InvalidGovernanceProposer(proposer);
        }
        Outside.requireCode(proposer);
        office.governanceProposer = proposer;
        office.since = office.proposalCount;
        office.recorded = false;
        _office = office;
        emit GovernanceProposerUpdated(proposer);
    }

    function _checkConfiguration(Configuration memory c) private view {
        uint256 supply = ASSET.totalSupply();
        _checkBounds("lockDelay", c.proposeConfig.lockDelay, MINIMUM_DELAY, type(uint32).max);
        _checkBounds("lockAmount", c.proposeConfig.lockAmount, 2, supply);
        _checkBounds("votingDelay", c.votingDelay, MINIMUM_DELAY, MAXIMUM_DELAY);
        _checkBounds("votingDuration", c.votingDuration, MINIMUM_DELAY, MAXIMUM_DELAY);
        _checkBounds("executionDelay", c.executionDelay, MINIMUM_DELAY, MAXIMUM_DELAY);
        _checkBounds("gracePeriod", c.gracePeriod, MINIMUM_DELAY, MAXIMUM_DELAY);
        _checkBounds("quorum", c.quorum, 1, 1e18);
        _checkBounds("voteDifferential", c.voteDifferential, 0, 1e18);
        _checkBounds("minimumVotes", c.minimumVotes, 1, supply);
    }

    function _checkBounds(bytes32 field, uint256 value, uint256 min, uint256 max) private pure {
        if (value < min || value > max) revert Governance__OutOfBounds(field, value, min, max);
    }

    /// @dev The bounds that were checked make every field fit. The asset's supply fits 96 bits.
    function _store(uint256 id, Configuration memory c) private {
        _configurations[id] = StoredConfiguration({
            terms: Terms({
                votingDelay: uint24(c.votingDelay),
                votingDuration: uint24(c.votingDuration),
                executionDelay: uint24(c.executionDelay),
                gracePeriod: uint24(c.gracePeriod),
                minimumVotes: Fit.toUint96(c.minimumVotes),
                quorum: uint64(c.quorum)
            }),
            conditions: Conditions({
                voteDifferential: uint64(c.voteDifferential),
                lockDelay: uint32(c.proposeConfig.lockDelay),
                lockAmount: Fit.toUint96(c.proposeConfig.lockAmount)
            })
        });
        emit ConfigurationSet(id, c);
    }

    /*//////////////////////////////////////////////////////////////
                                  STATE
    //////////////////////////////////////////////////////////////*/

    /// @dev Where a proposal stands. Every boundary belongs to the earlier state.
    /// @return state The state now.
    /// @return tally What is stored of it.
    /// @return snapshot The last second of Pending, at which power counts.
    function _examine(uint256 id) private view returns (ProposalState state, Tally memory tally, uint256 snapshot) {
        Office memory office = _office;
        if (id >= office.proposalCount) revert Governance__UnknownProposal(id, office.proposalCount);
        tally = _proposals[id].tally;
        Terms memory terms = _configurations[tally.configurationId].terms;
        snapshot = uint256(tally.creation) + terms.votingDelay;
        state = _stateOf(id, office, tally, terms, snapshot);
    }

    function _stateOf(uint256 id, Office memory office, Tally memory tally, Terms memory terms, uint256 snapshot)
        private
        view
        returns (ProposalState)
    {
        if (tally.stored != ProposalState.Pending) return tally.stored;
        if (!tally.byLock && id < office.since) return ProposalState.Dropped;
        uint256 time = _now();
        if (time <= snapshot) return ProposalState.Pending;
        uint256 end = snapshot + terms.votingDuration;
        if (time <= end) return ProposalState.Active;
        if (!_isAccepted(tally, terms, snapshot)) return ProposalState.Rejected;
        end += terms.executionDelay;
        if (time <= end) return ProposalState.Queued;
        end += terms.gracePeriod;
        return time <= end ? ProposalState.Executable : ProposalState.Expired;
    }

    function _isAccepted(Tally memory tally, Terms memory terms, uint256 snapshot) private view returns (bool) {
        uint256 total = _total.power.at(_total.archive, snapshot);
        if (!Tabulation.isQuorate(total, terms.minimumVotes, terms.quorum, uint256(tally.yea) + tally.nea)) {
            return false;
        }
        // Unanimity needs no margin, and then the second word of the configuration isn't read.
        return tally.nea == 0
            || Tabulation.isAhead(
                tally.yea, tally.nea, _configurations[tally.configurationId].conditions.voteDifferential
            );
    }

    /// @dev Seconds since construction.
    function _now() private view returns (uint256) {
        return block.timestamp - ORIGIN;
    }

    /*//////////////////////////////////////////////////////////////
                                  VIEWS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IGovernance
    function powerAt(address owner, uint256 timestamp) external view returns (uint256) {
        Holder storage holder = _holders[owner];
        return _powerAt(holder.power, holder.archive, timestamp);
    }

    /// @inheritdoc IGovernance
    function totalPowerAt(uint256 timestamp) external view returns (uint256) {
        return _powerAt(_total.power, _total.archive, timestamp);
    }

    function _powerAt(Newest power, mapping(uint256 => uint256) storage archive, uint256 timestamp)
        private
        view
        returns (uint256)
    {
        if (timestamp > block.timestamp) revert Governance__InFuture(timestamp, block.timestamp);
        return timestamp < ORIGIN ? 0 : power.at(archive, timestamp - ORIGIN);
    }

    /// @inheritdoc IGovernance
    function getConfiguration() external view returns (Configuration memory) {
        return _configuration(_office.configurationId);
    }

    /// @inheritdoc IGovernance
    function configurationAt(uint256 id) external view returns (Configuration memory) {
        if (id >= configurationCount()) revert Governance__UnknownConfiguration(id, configurationCount());
        return _configuration(id);
    }

    /// @inheritdoc IGovernance
    function configurationCount() public view returns (uint256) {
        return uint256(_office.configurationId) + 1;
    }

    function _configuration(uint256 id) private view returns (Configuration memory) {
        StoredConfiguration memory c = _configurations[id];
        return Configuration({
            proposeConfig: ProposeConfiguration({lockDelay: c.conditions.lockDelay, lockAmount: c.conditions.lockAmount}),
            votingDelay: c.terms.votingDelay,
            votingDuration: c.terms.votingDuration,
            executionDelay: c.terms.executionDelay,
            gracePeriod: c.terms.gracePeriod,
            quorum: c.terms.quorum,
            voteDifferential: c.conditions.voteDifferential,
            minimumVotes: c.terms.minimumVotes
        });
    }

    /// @inheritdoc IGovernance
    function getProposal(uint256 id) external view returns (Proposal memory) {
        _requireProposal(id);
        StoredProposal memory proposal = _proposals[id];
        Tally memory tally = proposal.tally;
        return Proposal({
            config: _configuration(tally.configurationId),
            state: tally.stored,
            payload: proposal.payload,
            governanceProposer: tally.byLock ? address(this) : _proposers[proposal.since],
            creation: ORIGIN + tally.creation,
            summedBallot: Ballot({yea: tally.yea, nea: tally.nea})
        });
    }

    /// @inheritdoc IGovernance
    function getProposalState(uint256 id) external view returns (ProposalState state) {
        (state,,) = _examine(id);
    }

    /// @inheritdoc IGovernance
    function getActionsHash(uint256 id) external view returns (bytes32) {
        _requireProposal(id);
        return _proposals[id].actionsHash;
    }

    /// @inheritdoc IGovernance
    function getWithdrawal(uint256 id) external view returns (Withdrawal memory) {
        _requireWithdrawal(id);
        StoredWithdrawal memory withdrawal = _withdrawals[id];
        return Withdrawal({
            amount: withdrawal.amount,
            unlocksAt: withdrawal.unlocksAt,
            recipient: withdrawal.recipient,
            claimed: withdrawal.claimed
        });
    }

    /// @inheritdoc IGovernance
    function ballots(uint256 id, address user) external view returns (uint256 yea, uint256 nea) {
        StoredBallot memory ballot = _ballots[id][user];
        return (ballot.yea, ballot.nea);
    }

    /// @inheritdoc IGovernance
    function nonces(address holder) external view returns (uint256) {
        return _holders[holder].nonce;
    }

    /// @inheritdoc IGovernance
    function exitFloor() external view returns (uint256 delay, uint256 until) {
        delay = _total.exitDelay;
        if (delay != 0) until = ORIGIN + _total.exitUntil;
    }

    /// @inheritdoc IGovernance
    function proposalCount() external view returns (uint256) {
        return _office.proposalCount;
    }

    /// @inheritdoc IGovernance
    function withdrawalCount() external view returns (uint256) {
        return _total.withdrawalCount;
    }

    /// @inheritdoc IGovernance
    function governanceProposer() external view returns (address) {
        return _office.governanceProposer;
    }

    function _requireProposal(uint256 id) private view {
        if (id >= _office.proposalCount) revert Governance__UnknownProposal(id, _office.proposalCount);
    }

    function _requireWithdrawal(uint256 id) private view {
        if (id >= _total.withdrawalCount) revert Governance__UnknownWithdrawal(id, _total.withdrawalCount);
    }
}
