// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IGovernance, ProposalState} from "../interfaces/IGovernance.sol";
import {IProposals} from "../interfaces/IProposals.sol";
import {IRegistry} from "../interfaces/IRegistry.sol";
import {IRollup} from "../interfaces/IRollup.sol";
import {Code} from "../libraries/Code.sol";
import {SafeCast} from "../libraries/SafeCast.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {StaticCall} from "../libraries/StaticCall.sol";
import {RoundTally, RoundTallyLibrary} from "../types/RoundTally.sol";

/// @title Proposals: counts the signals of sequencers and pushes the winner of a round to Governance
contract Proposals is IProposals, EIP712 {
    /*//////////////////////////////////////////////////////////////
                                 STORAGE
    //////////////////////////////////////////////////////////////*/

    /// @dev What is recorded of a payload in a round.
    struct PayloadRecord {
        /// 232 bits of its code hash at the first signal.
        bytes29 codeHash;
        /// Its signals. Out of date while it leads: then the round's tally counts them.
        uint24 count;
    }

    /// @dev The newest round of an instance in which there was a signal.
    mapping(address instance => RoundTally) private _newest;

    /// @dev Its earlier rounds. A round is archived when the first signal of a later one arrives.
    mapping(address instance => mapping(uint256 round => RoundTally)) private _archive;

    mapping(address instance => mapping(uint256 round => mapping(address payload => PayloadRecord))) private _records;

    /// @dev The newest proposal pushed for a payload to a Governance, plus one; 0 if there is none.
    mapping(address governance => mapping(address payload => uint256)) private _latestIdPlusOne;

    /*//////////////////////////////////////////////////////////////
                                CONSTANTS
    //////////////////////////////////////////////////////////////*/

    bytes32 private constant SIGNAL_TYPEHASH = keccak256("Signal(address payload,uint256 slot,address instance)");

    /// @inheritdoc IProposals
    uint256 public constant LIFETIME_IN_ROUNDS = 5;

    /// @inheritdoc IProposals
    IRegistry public immutable REGISTRY;

    /// @inheritdoc IProposals
    uint256 public immutable N;

    /// @inheritdoc IProposals
    uint256 public immutable M;

    /// @param registry The set's Registry; has code.
    /// @param n Signals that win a round: above `m / 2`, at most `m`, at least 2.
    /// @param m Slots in a round, below 2^24.
    constructor(IRegistry registry, uint256 n, uint256 m) EIP712("Proposals", "1") {
        Code.requireAt(address(registry));
        if (n <= m / 2 || n > m || n < 2) revert Proposals__InvalidQuorum(n, m);
        SafeCast.requireAtMost(m, type(uint24).max);
        REGISTRY = registry;
        N = n;
        M = m;
        emit ProposalsDeployed(address(registry), n, m);
    }

    /*//////////////////////////////////////////////////////////////
                               SIGNALING
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IProposals
    function vote(address payload) external returns (bool) {
        (address instance, uint256 slot, uint256 round, uint256 count) = _recordSignal(payload);
        address proposer = _proposer(instance, slot);
        if (msg.sender != proposer) revert Proposals__NotProposer(msg.sender, proposer);
        _emitSignal(payload, round, proposer, count);
        return true;
    }

    /// @inheritdoc IProposals
    function voteWithSig(address payload, bytes calldata signature) external returns (bool) {
        (address instance, uint256 slot, uint256 round, uint256 count) = _recordSignal(payload);
        address proposer = _proposer(instance, slot);
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(SIGNAL_TYPEHASH, payload, slot, instance)));
        if (!Signatures.isValid(proposer, digest, signature)) revert Proposals__InvalidSignature(proposer);
        _emitSignal(payload, round, proposer, count);
        return true;
    }

    /// @dev Uses the current slot up for `payload` before the rollup is asked for the proposer: whatever the rollup does
    /// then, it finds the slot used.
    /// @return instance The canonical rollup.
    /// @return slot Its current slot.
    /// @return round The slot's round.
    /// @return count The payload's signals in the round, this one included.
    function _recordSignal(address payload)
        private
        returns (address instance, uint256 slot, uint256 round, uint256 count)
    {
        Code.requireAt(payload);
        instance = _canonicalRollup();
        slot = StaticCall.word(instance, IRollup.getCurrentSlot.selector);
        if (slot > block.timestamp) revert Proposals__SlotInFuture(slot, block.timestamp);

        RoundTally tally = _newest[instance];
        uint256 slotPlusOne = tally.slotPlusOne();
        if (slot < slotPlusOne) revert Proposals__SlotAlreadyUsed(slot, slotPlusOne - 1);

        round = slot / M;
        address leader = tally.leader();
        uint256 leaderCount = tally.count();
        // Not 0 if the rollup's slots went back into a round that was over and pushed.
        uint256 idPlusOne = tally.idPlusOne();
        // No overflow: the slot is at most a timestamp, the count at most the slots of a round.
        unchecked {
            if (slotPlusOne <= round * M) {
                // The first signal of a round. The newest round before it, if there was one, becomes history.
                if (slotPlusOne != 0) _archive[instance][(slotPlusOne - 1) / M] = tally;
                leader = address(0);
                leaderCount = 0;
                idPlusOne = 0;
            }
            if (payload == leader) {
                count = leaderCount + 1;
                leaderCount = count;
            } else {
                mapping(address => PayloadRecord) storage records = _records[instance][round];
                count = _recordForOther(records, payload, leaderCount);
                if (count > leaderCount) {
                    // From now on the tally counts for this payload; the former leader's signals go back to its record.
                    if (leader != address(0)) records[leader].count = uint24(leaderCount);
                    leader = payload;
                    leaderCount = count;
                }
            }
            _newest[instance] = RoundTallyLibrary.pack(leader, leaderCount, SafeCast.toUint40(slot + 1), idPlusOne);
        }
        // A rollup with a clock of its own has slots that don't follow from the block's timestamp.
        emit SlotUsed(slot);
    }

    /// @dev Counts a signal for a payload that doesn't lead, and records its code at the first one.
    function _recordForOther(mapping(address => PayloadRecord) storage records, address payload, uint256 leaderCount)
        private
        returns (uint256 count)
    {
        PayloadRecord memory record = records[payload];
        count = uint256(record.count) + 1;
        if (count == 1) {
            bytes32 codeHash = payload.codehash;
            records[payload] = PayloadRecord({codeHash: bytes29(codeHash), count: 1});
            emit PayloadSeen(payload, codeHash);
        } else if (count <= leaderCount) {
            records[payload] = PayloadRecord({codeHash: record.codeHash, count: uint24(count)});
        }
    }

    /// @dev The proposer of `slot`, as the rollup reports it.
    function _proposer(address instance, uint256 slot) private view returns (address proposer) {
        proposer = StaticCall.addressWord(instance, IRollup.getCurrentProposer.selector);
        if (proposer == address(0)) revert Proposals__NoProposer(slot);
    }

    function _emitSignal(address payload, uint256 round, address voter, uint256 count) private {
        emit VoteCast(payload, round, voter);
        if (count == N) emit QuorumReached(payload, round);
    }

    /*//////////////////////////////////////////////////////////////
                                 PUSHING
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IProposals
    function pushProposal(uint256 round) external returns (bool) {
        (address instance, address governance, RoundTally tally) = _requireWinner(round);
        address payload = tally.leader();
        uint32 id = SafeCast.toUint32(StaticCall.word(governance, IGovernance.proposalCount.selector));
        uint32 idPlusOne = SafeCast.toUint32(uint256(id) + 1);
        tally = tally.withProposal(idPlusOne);
        if (_isNewest(instance, round)) _newest[instance] = tally;
        else _archive[instance][round] = tally;
        _latestIdPlusOne[governance][payload] = idPlusOne;
        emit ProposalPushed(payload, round);
        if (!IGovernance(governance).propose(payload)) revert Proposals__ProposeFailed(payload);
        return true;
    }

    /// @inheritdoc IProposals
    function winnerOf(uint256 round) external view returns (address payload) {
        (,, RoundTally tally) = _requireWinner(round);
        return tally.leader();
    }

    /// @dev Reverts unless `round` of the canonical rollup has a winner that can be pushed now.
    /// @return instance The canonical rollup.
    /// @return governance The Governance that the winner is pushed to.
    /// @return tally The round's tally; its leader is the winner.
    function _requireWinner(uint256 round)
        private
        view
        returns (address instance, address governance, RoundTally tally)
    {
        instance = _canonicalRollup();
        uint256 currentRound = _presentSlot(instance) / M;
        governance = getGovernance();
        if (round >= currentRound) revert Proposals__RoundNotOver(round, currentRound);
        if (currentRound - round > LIFETIME_IN_ROUNDS) revert Proposals__RoundExpired(round, currentRound);
        tally = _tally(instance, round);
        if (tally.idPlusOne() != 0) revert Proposals__AlreadyPushed(round, tally.idPlusOne() - 1);
        address payload = tally.leader();
        if (payload == address(0)) revert Proposals__NoLeader(round);
        if (tally.count() < N) revert Proposals__QuorumNotReached(payload, tally.count(), N);
        bytes29 expected = _records[instance][round][payload].codeHash;
        bytes29 found = bytes29(payload.codehash);
        if (found != expected) revert Proposals__CodeChanged(payload, expected, found);
        (bool exists, uint256 id) = _id(_latestIdPlusOne[governance][payload]);
        if (exists && _isLive(governance, id)) revert Proposals__ProposalLive(payload, id);
    }

    /// @dev Whether proposal `id` isn't over yet. An answer that is no state is refused.
    function _isLive(address governance, uint256 id) private view returns (bool) {
        bytes4 selector = IGovernance.getProposalState.selector;
        uint256 state = StaticCall.word(governance, selector, id);
        if (state > uint256(type(ProposalState).max)) revert NoAnswer(governance, selector);
        // The states up to Executable are those of a proposal that isn't over.
        return state <= uint256(ProposalState.Executable);
    }

    /*//////////////////////////////////////////////////////////////
                                  VIEWS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IProposals
    function rounds(address instance, uint256 round)
        external
        view
        returns (uint256 lastVote, address leader, bool executed)
    {
        RoundTally tally = _tally(instance, round);
        lastVote = tally.slotPlusOne() == 0 ? 0 : tally.slotPlusOne() - 1;
        return (lastVote, tally.leader(), tally.idPlusOne() != 0);
    }

    /// @inheritdoc IProposals
    function yeaCount(address instance, uint256 round, address payload) external view returns (uint256) {
        RoundTally tally = _tally(instance, round);
        return payload == tally.leader() ? tally.count() : _records[instance][round][payload].count;
    }

    /// @inheritdoc IProposals
    function pinnedCodeHash(address instance, uint256 round, address payload) external view returns (bytes32) {
        return _records[instance][round][payload].codeHash;
    }

    /// @inheritdoc IProposals
    function computeRound(uint256 slot) external view returns (uint256) {
        return slot / M;
    }

    /// @inheritdoc IProposals
    function getCurrentRound() external view returns (uint256) {
        return _presentSlot(_canonicalRollup()) / M;
    }

    /// @inheritdoc IProposals
    function currentStatus()
        external
        view
        returns (uint256 slot, uint256 round, address leader, uint256 count, uint256 firstFreeSlot)
    {
        address instance = _canonicalRollup();
        slot = _presentSlot(instance);
        round = slot / M;
        RoundTally tally = _tally(instance, round);
        leader = tally.leader();
        count = tally.count();
        // The current slot isn't below the newest used one, so it is that one or free.
        firstFreeSlot = Math.max(tally.slotPlusOne(), slot);
    }

    /// @inheritdoc IProposals
    function pushableRounds() external view returns (uint256[] memory pushable) {
        uint256 currentRound = _presentSlot(_canonicalRollup()) / M;
        address governance = getGovernance();
        if (StaticCall.addressWord(governance, IGovernance.governanceProposer.selector) != address(this)) return pushable;
        uint256 round = currentRound > LIFETIME_IN_ROUNDS ? currentRound - LIFETIME_IN_ROUNDS : 0;
        pushable = new uint256[](LIFETIME_IN_ROUNDS);
        uint256 found;
        for (; round < currentRound; ++round) {
            try this.winnerOf(round) returns (address) {
                pushable[found++] = round;
            } catch {}
        }
        assembly ("memory-safe") {
            mstore(pushable, found)
        }
    }

    /// @inheritdoc IProposals
    function newestSlot(address instance) external view returns (bool exists, uint256 slot) {
        uint256 slotPlusOne = _newest[instance].slotPlusOne();
        return slotPlusOne == 0 ? (false, 0) : (true, slotPlusOne - 1);
    }

    /// @inheritdoc IProposals
    function proposalOf(address instance, uint256 round) external view returns (bool exists, uint256 proposalId) {
        return _id(_tally(instance, round).idPlusOne());
    }

    /// @inheritdoc IProposals
    function latestProposalOf(address payload) external view returns (bool exists, uint256 proposalId) {
        return _id(_latestIdPlusOne[getGovernance()][payload]);
    }

    /// @inheritdoc IProposals
    function getGovernance() public view returns (address) {
        return StaticCall.addressWord(address(REGISTRY), IRegistry.getGovernance.selector);
    }

    /*//////////////////////////////////////////////////////////////
                                INTERNAL
    //////////////////////////////////////////////////////////////*/

    /// @dev The canonical rollup.
    function _canonicalRollup() private view returns (address instance) {
        instance = StaticCall.addressWord(address(REGISTRY), IRegistry.getRollup.selector);
        Code.requireAt(instance);
    }

    /// @dev The rollup's current slot, as it reports it, but at least the newest slot used here.
    function _presentSlot(address instance) private view returns (uint256 slot) {
        slot = StaticCall.word(instance, IRollup.getCurrentSlot.selector);
        uint256 slotPlusOne = _newest[instance].slotPlusOne();
        if (slot < slotPlusOne) slot = slotPlusOne - 1;
    }

    /// @dev Whether `round` is the newest round of `instance` with a signal.
    function _isNewest(address instance, uint256 round) private view returns (bool) {
        uint256 slotPlusOne = _newest[instance].slotPlusOne();
        return slotPlusOne != 0 && (slotPlusOne - 1) / M == round;
    }

    function _tally(address instance, uint256 round) private view returns (RoundTally) {
        return _isNewest(instance, round) ? _newest[instance] : _archive[instance][round];
    }

    function _id(uint256 idPlusOne) private pure returns (bool exists, uint256 proposalId) {
        return idPlusOne == 0 ? (false, 0) : (true, idPlusOne - 1);
    }
}
