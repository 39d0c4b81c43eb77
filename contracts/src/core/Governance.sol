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
import {Exits} from "../libraries/ExitFloor.sol";
import {Fit} from "../libraries/Fit.sol";
import {Outside} from "../libraries/Outside.sol";
import {History, Newest, PowerHistory} from "../libraries/PowerHistory.sol";
import {Poll, ProposalPoll} from "../libraries/ProposalPoll.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {Tabulation} from "../libraries/Tabulation.sol";

/// @title Governance
/// @dev Times in storage are seconds since this contract's construction, in 32 bits, so that a checkpoint of power
/// takes half a word. They last 136 years; afterwards whatever would store one reverts.
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

    struct StoredProposal {
        Poll poll;
        address payload;
        /// `Office.since` at creation: tells which Proposals contract pushed it.
        uint32 since;
        bytes32 actionsHash;
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

    /// @dev All power; beside it, as `rest`, the `Exits`, which change whenever power is given up.
    History private _total;

    /// @dev A holder's power; beside it, as `rest`, the nonce of its next signature.
    mapping(address holder => History) private _powers;

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
        if (msg.sender == address(this)) revert Governance__SelfDeposit(msg.sender, onBehalfOf);
        if (onBehalfOf == address(this)) revert Governance__SelfDeposit(msg.sender, onBehalfOf);
        if (onBehalfOf == address(0)) revert ZeroAddress();
        if (amount == 0) revert Governance__ZeroAmount();

        ASSET.safeTransferFrom(msg.sender, address(this), amount);
        uint256 time = _now();
        // The asset has moved the amount, so it is at most its supply, and no sum overflows.
        unchecked {
            Newest newest = _total.newest;
            uint256 total = newest.value() + amount;
            // No holder's power exceeds the total.
            PowerHistory.requireFits(total, time);
            _total.push(newest, total, time);
            History storage power = _powers[onBehalfOf];
            newest = power.newest;
            power.push(newest, newest.value() + amount, time);
        }
        emit Deposit(msg.sender, onBehalfOf, amount);
    }

    /// @dev Turns `amount` of the caller's power into a withdrawal that is paid after `delay`.
    function _withdraw(address to, uint256 amount, uint256 delay) private returns (uint256 id) {
        uint256 time = _now();
        History storage power = _powers[msg.sender];
        Newest newest = power.newest;
        uint256 available = newest.value();
        if (amount > available) revert Governance__InsufficientPower(msg.sender, available, amount);
        PowerHistory.requireFits(amount, time);
        power.push(newest, available - amount, time);

        newest = _total.newest;
        Exits exits = _exitsIn(newest);
        id = exits.withdrawals();
        _total.push(_withExits(newest, exits.withWithdrawal()), newest.value() - amount, time);

        uint40 unlocksAt = Fit.toUint40(block.timestamp + delay);
        // An amount of power fits 96 bits.
        _withdrawals[id] =
            StoredWithdrawal({amount: uint96(amount), recipient: to, unlocksAt: unlocksAt, claimed: false});
        emit WithdrawInitiated(id, to, amount);
        emit WithdrawalQueued(id, msg.sender, unlocksAt);
    }

    /// @dev So long that nobody whose ballot counts holds the asset again before the proposal can be executed.
    function _withdrawalDelay() private view returns (uint256 delay) {
        delay = _exitsIn(_total.newest).delayAt(_now(), _exitDelay(_configurations[_office.configurationId].terms));
    }

    function _exitsIn(Newest total) private pure returns (Exits) {
        return Exits.wrap(uint96(total.rest()));
    }

    function _withExits(Newest total, Exits exits) private pure returns (Newest) {
        return total.withRest(Exits.unwrap(exits));
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
        (bytes32 commitment, bytes memory published) =
            Actions.publish(office.configurationId, Actions.decode(payload, Actions.ask(payload)));

        uint256 id = office.proposalCount;
        office.proposalCount = Fit.toUint32(id + 1);
        _office = office;
        StoredProposal storage proposal = _proposals[id];
        proposal.poll = ProposalPoll.create(Fit.toUint32(_now()), office.configurationId, proposer == address(this));
        proposal.payload = payload;
        proposal.since = office.since;
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
        _vote(id, amount, support, msg.sender, type(uint256).max);
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
        uint256 nonce = _useNonce(voter);
        bytes32 digest = _hashTypedDataV4(
            keccak256(abi.encode(BALLOT_TYPEHASH, proposalId, amount, support, voter, nonce, deadline))
        );
        if (!Signatures.isValid(voter, digest, signature)) revert Governance__InvalidSignature(voter, nonce);
        _vote(proposalId, amount, support, voter, deadline);
        return true;
    }

    /// @inheritdoc IGovernance
    function invalidateNonce() external {
        _useNonce(msg.sender);
    }

    function _vote(uint256 id, uint256 amount, bool support, address voter, uint256 deadline) private {
        (ProposalState state, Poll poll, uint256 snapshot) = _examine(id);
        if (state != ProposalState.Active) revert Governance__NotActive(id, state);
        if (block.timestamp > deadline) revert Governance__SignatureExpired(block.timestamp, deadline);
        if (amount == 0) revert Governance__ZeroAmount();

        uint256 power = _powers[voter].at(snapshot);
        StoredBallot storage ballot = _ballots[id][voter];
        (uint256 yea, uint256 nea) = (ballot.yea, ballot.nea);
        // A holder's ballots are at most its power at the snapshot, which fits 96 bits and doesn't change any more.
        unchecked {
            uint256 available = power - yea - nea;
            if (amount > available) revert Governance__InsufficientPower(voter, available, amount);
            if (support) yea += amount;
            else nea += amount;
        }
        (ballot.yea, ballot.nea) = (uint96(yea), uint96(nea));
        _proposals[id].poll = poll.cast(support, amount);
        emit VoteCast(id, voter, support, amount);
    }

    function _useNonce(address holder) private returns (uint256 nonce) {
        History storage power = _powers[holder];
        Newest newest = power.newest;
        nonce = newest.rest();
        // Nobody can use up 2^96 nonces.
        unchecked {
            power.newest = newest.withRest(nonce + 1);
        }
        emit NonceUsed(holder, nonce);
    }

    /*//////////////////////////////////////////////////////////////
                               EXECUTING
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IGovernance
    function execute(uint256 id) external returns (bool) {
        Poll poll = _requireExecutable(id);
        address payload = _proposals[id].payload;
        bytes memory list = Actions.ask(payload);
        // A payload that encodes as `abi.encode` does answers with the very bytes that were committed to.
        if (keccak256(list) != _proposals[id].actionsHash) {
            list = abi.encode(Actions.decode(payload, list));
            _requireFrozen(id, list);
        }
        _execute(id, poll, list);
        return true;
    }

    /// @inheritdoc IGovernance
    function executeWith(uint256 id, Action[] calldata actions) external returns (bool) {
        Poll poll = _requireExecutable(id);
        bytes memory list = abi.encode(actions);
        _requireFrozen(id, list);
        _execute(id, poll, list);
        return true;
    }

    /// @inheritdoc IGovernance
    function dropProposal(uint256 id) external returns (bool) {
        (ProposalState state, Poll poll,) = _examine(id);
        if (poll.stored() == ProposalState.Dropped) revert Governance__AlreadyDropped(id);
        if (state != ProposalState.Dropped) revert Governance__NotDropped(id, state);
        _proposals[id].poll = poll.end(ProposalState.Dropped);
        emit ProposalDropped(id);
        return true;
    }

    function _requireExecutable(uint256 id) private view returns (Poll) {
        (ProposalState state, Poll poll,) = _examine(id);
        if (state != ProposalState.Executable) revert Governance__NotExecutable(id, state);
        return poll;
    }

    /// @dev `list` encodes the actions that were published when the proposal was created.
    function _requireFrozen(uint256 id, bytes memory list) private view {
        bytes32 expected = _proposals[id].actionsHash;
        bytes32 found = keccak256(list);
        if (found != expected) revert Governance__ActionsChanged(id, expected, found);
    }

    /// @dev Executed is stored before any call, so that no action can execute the proposal again.
    function _execute(uint256 id, Poll poll, bytes memory list) private {
        _proposals[id].poll = poll.end(ProposalState.Executed);
        emit ProposalExecuted(id);

        uint256 size = Actions.size(list);
        for (uint256 i; i < size; ++i) {
            (address target, bytes memory data) = Actions.at(list, i);
            if (target == address(ASSET)) revert Governance__ActionOnAsset(i);
            // Checked here and not before, since an earlier action may have deployed it.
            if (!Outside.hasCode(target)) revert Governance__ActionWithoutCode(i, target);
            (bool success, bytes memory reason) = target.call(data);
            if (!success) revert Governance__ActionFailed(i, target, reason);
        }
    }

    /*//////////////////////////////////////////////////////////////
                          GOVERNING GOVERNANCE
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IGovernance
    function updateConfiguration(Configuration calldata configuration) external onlySelf {
        _checkConfiguration(configuration);

        uint256 id = _office.configurationId;
        Terms memory old = _configurations[id].terms;
        uint256 time = _now();
        uint256 until = time + old.votingDelay + old.votingDuration + old.executionDelay;
        Newest newest = _total.newest;
        _total.newest = _withExits(newest, _exitsIn(newest).withReplaced(time, _exitDelay(old), until));

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
        Outside.requireCode(target);
        Ownable2Step(target).acceptOwnership();
    }

    function _appoint(address proposer) private {
        Office storage office = _office;
        if (proposer == address(this) || proposer == office.governanceProposer) {
            revert Governance__InvalidGovernanceProposer(proposer);
        }
        Outside.requireCode(proposer);
        uint32 count = office.proposalCount;
        _office = Office({
            governanceProposer: proposer,
            proposalCount: count,
            since: count,
            configurationId: office.configurationId,
            recorded: false
        });
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
    /// @return poll What is stored of it.
    /// @return snapshot The last second of Pending, at which power counts.
    function _examine(uint256 id) private view returns (ProposalState state, Poll poll, uint256 snapshot) {
        _requireProposal(id);
        poll = _proposals[id].poll;
        Terms storage terms = _configurations[poll.configurationId()].terms;
        // Times fit 32 bits and delays 24, so no sum overflows.
        unchecked {
            snapshot = poll.creation() + terms.votingDelay;
            state = _stateOf(id, poll, terms, snapshot);
        }
    }

    function _stateOf(uint256 id, Poll poll, Terms storage terms, uint256 snapshot)
        private
        view
        returns (ProposalState)
    {
        ProposalState stored = poll.stored();
        if (stored != ProposalState.Pending) return stored;
        if (id < _office.since && !poll.byLock()) return ProposalState.Dropped;
        uint256 time = _now();
        if (time <= snapshot) return ProposalState.Pending;
        unchecked {
            uint256 end = snapshot + terms.votingDuration;
            if (time <= end) return ProposalState.Active;
            if (!_isAccepted(poll, terms, snapshot)) return ProposalState.Rejected;
            end += terms.executionDelay;
            if (time <= end) return ProposalState.Queued;
            end += terms.gracePeriod;
            return time <= end ? ProposalState.Executable : ProposalState.Expired;
        }
    }

    function _isAccepted(Poll poll, Terms storage terms, uint256 snapshot) private view returns (bool) {
        uint256 total = _total.at(snapshot);
        (uint256 yea, uint256 nea) = (poll.yea(), poll.nea());
        if (!Tabulation.isQuorate(total, terms.minimumVotes, terms.quorum, yea + nea)) return false;
        // Unanimity needs no margin, and then the second word of the configuration isn't read.
        return nea == 0
            || Tabulation.isAhead(yea, nea, _configurations[poll.configurationId()].conditions.voteDifferential);
    }

    /// @dev Seconds since construction.
    function _now() private view returns (uint256) {
        unchecked {
            return block.timestamp - ORIGIN;
        }
    }

    /*//////////////////////////////////////////////////////////////
                                  VIEWS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IGovernance
    function powerAt(address owner, uint256 timestamp) external view returns (uint256) {
        return _powerAt(_powers[owner], timestamp);
    }

    /// @inheritdoc IGovernance
    function totalPowerAt(uint256 timestamp) external view returns (uint256) {
        return _powerAt(_total, timestamp);
    }

    function _powerAt(History storage history, uint256 timestamp) private view returns (uint256) {
        if (timestamp > block.timestamp) revert Governance__InFuture(timestamp, block.timestamp);
        return timestamp < ORIGIN ? 0 : history.at(timestamp - ORIGIN);
    }

    /// @inheritdoc IGovernance
    function getConfiguration() external view returns (Configuration memory) {
        return _configuration(_office.configurationId);
    }

    /// @inheritdoc IGovernance
    function configurationAt(uint256 id) external view returns (Configuration memory) {
        if (id >= numberOfConfigurations()) revert Governance__UnknownConfiguration(id, numberOfConfigurations());
        return _configuration(id);
    }

    /// @inheritdoc IGovernance
    function numberOfConfigurations() public view returns (uint256) {
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
        Poll poll = proposal.poll;
        return Proposal({
            config: _configuration(poll.configurationId()),
            state: poll.stored(),
            payload: proposal.payload,
            governanceProposer: poll.byLock() ? address(this) : _proposers[proposal.since],
            creation: ORIGIN + poll.creation(),
            summedBallot: Ballot({yea: poll.yea(), nea: poll.nea()})
        });
    }

    /// @inheritdoc IGovernance
    function getProposalState(uint256 id) external view returns (ProposalState state) {
        (state,,) = _examine(id);
    }

    /// @inheritdoc IGovernance
    function actionsHash(uint256 id) external view returns (bytes32) {
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
        return _powers[holder].newest.rest();
    }

    /// @inheritdoc IGovernance
    function exitFloor() external view returns (uint256 delay, uint256 until) {
        Exits exits = _exitsIn(_total.newest);
        delay = exits.delay();
        if (delay != 0) until = ORIGIN + exits.until();
    }

    /// @inheritdoc IGovernance
    function proposalCount() external view returns (uint256) {
        return _office.proposalCount;
    }

    /// @inheritdoc IGovernance
    function withdrawalCount() external view returns (uint256) {
        return _exitsIn(_total.newest).withdrawals();
    }

    /// @inheritdoc IGovernance
    function governanceProposer() external view returns (address) {
        return _office.governanceProposer;
    }

    function _requireProposal(uint256 id) private view {
        if (id >= _office.proposalCount) revert Governance__UnknownProposal(id, _office.proposalCount);
    }

    function _requireWithdrawal(uint256 id) private view {
        uint256 count = _exitsIn(_total.newest).withdrawals();
        if (id >= count) revert Governance__UnknownWithdrawal(id, count);
    }
}
