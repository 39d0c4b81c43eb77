// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IGovernance, ProposalState} from "../interfaces/IGovernance.sol";
import {IProposals} from "../interfaces/IProposals.sol";
import {IRegistry} from "../interfaces/IRegistry.sol";
import {IRollup} from "../interfaces/IRollup.sol";
import {Code} from "../libraries/Code.sol";

/// @notice A rollup to read, and which of its attesters.
struct RollupQuestion {
    /// The rollup.
    address rollup;
    /// The attesters.
    address[] attesters;
}

/// @notice A holder to read, and on which proposals its ballots are read.
struct HolderQuestion {
    /// The holder.
    address holder;
    /// Ids of the proposals.
    uint256[] proposals;
}

/// @notice What a lens reads. Everything but the Registry may be left empty.
struct LensQuestion {
    /// The Registry of the set.
    address registry;
    /// The expected timestamp of the next block: slots and proposers are read for it.
    uint256 next;
    /// Whether Governance, the canonical rollup and the rounds that can be pushed are read.
    bool general;
    /// The id of the first proposal to read.
    uint256 firstProposal;
    /// The id after that of the last proposal to read.
    uint256 endProposal;
    /// The number of proposals, from the newest on, among which those that take ballots or will are searched.
    uint256 searched;
    /// Rollups beside the canonical one.
    RollupQuestion[] rollups;
    /// Payloads.
    address[] payloads;
    /// Holders.
    HolderQuestion[] holders;
    /// Ids of withdrawals.
    uint256[] withdrawals;
}

/// @title Set lens: reads a set of contracts in one `eth_call`
/// @notice The constructor asks the contracts' views and returns, in the place of code, a transcript of what it asked
/// and what they answered. `eth_call` without `to` executes it at a block; it is never deployed.
///
/// The transcript is a sequence of entries, packed:
/// - a call: whether it was answered (1 byte: 0 or 1), the contract (20), the length of the calldata (2), the calldata,
///   the length of the answer (2), the answer. An answer longer than `MAX_ANSWER` counts as none;
/// - an account: 2 (1 byte), the address (20), 0 without code, 1 for an EIP-7702 delegation, 2 for any other code (1),
///   the code hash (32).
///
/// The lens only saves round trips: whoever reads the transcript looks its questions up and asks again what isn't
/// there. So a lens that runs out of gas or room returns what it has. What it returns is true: a call without an answer
/// had `CALL_GAS`.
contract SetLens {
    /// @dev The longest transcript: that of code (EIP-170).
    uint256 private constant MAX_LENGTH = 24_576;

    /// @dev The longest answer that is copied, above that of every view that is asked.
    uint256 private constant MAX_ANSWER = 512;

    /// @dev The gas of a call: several times what any view of the set takes. A rollup of another make can't burn more.
    uint256 private constant CALL_GAS = 2_000_000;

    /// @dev The gas that must be left before a call: that of the call, of which 63/64 are passed on, and that of
    /// returning a transcript of any length, at 200 a byte.
    uint256 private constant GAS_NEEDED = 7_200_000;

    /// @dev The number of rounds after its own in which a round can be pushed.
    uint256 private constant LIFETIME_IN_ROUNDS = 5;

    /// @dev Words of `getProposal`: the voting delay, and the creation.
    uint256 private constant VOTING_DELAY = 2;
    uint256 private constant CREATION = 12;

    /// @notice Where entries are written: memory from `start` to `limit`, used up to `end`.
    struct Transcript {
        uint256 start;
        uint256 end;
        uint256 limit;
    }

    /// @notice What every part needs.
    struct Reading {
        /// What is returned.
        Transcript transcript;
        /// What is asked only to know what to ask next. Each question replaces the one before it.
        Transcript scratch;
        /// The expected timestamp of the next block.
        uint256 next;
        address registry;
        address rollup;
        address governance;
        address proposals;
        address asset;
        uint256 proposalCount;
    }

    /// @param question What is read.
    constructor(LensQuestion memory question) {
        Reading memory reading;
        reading.transcript = _transcript(MAX_LENGTH);
        reading.scratch = _transcript(2 * MAX_ANSWER);
        reading.next = question.next;
        reading.registry = question.registry;
        // Everything here is read from contracts that may answer any number.
        unchecked {
            _find(reading);
            _search(reading, question.searched);
            if (question.general) _general(reading);
            for (uint256 id = question.firstProposal; id < question.endProposal; ++id) {
                _proposal(reading, id);
            }
            for (uint256 i; i < question.rollups.length; ++i) {
                _rollup(reading, question.rollups[i].rollup, question.rollups[i].attesters);
            }
            if (question.payloads.length != 0) _payloads(reading, question.payloads);
            for (uint256 i; i < question.holders.length; ++i) {
                _holder(reading, question.holders[i].holder, question.holders[i].proposals);
            }
            for (uint256 i; i < question.withdrawals.length; ++i) {
                _ask(
                    reading, reading.governance, abi.encodeCall(IGovernance.getWithdrawal, (question.withdrawals[i]))
                );
            }
        }
        Transcript memory transcript = reading.transcript;
        assembly ("memory-safe") {
            let start := mload(transcript)
            return(start, sub(mload(add(transcript, 32)), start))
        }
    }

    /*//////////////////////////////////////////////////////////////
                                THE SET
    //////////////////////////////////////////////////////////////*/

    /// @dev The addresses from which everything else is found.
    function _find(Reading memory reading) private view {
        address registry = reading.registry;
        reading.rollup = _address(_ask(reading, registry, abi.encodeCall(IRegistry.getRollup, ())));
        address governance = _address(_ask(reading, registry, abi.encodeCall(IRegistry.getGovernance, ())));
        reading.governance = governance;
        reading.proposals = _address(_ask(reading, governance, abi.encodeCall(IGovernance.governanceProposer, ())));
        reading.asset = _address(_ask(reading, governance, abi.encodeCall(IGovernance.ASSET, ())));
        reading.proposalCount = _word(_ask(reading, governance, abi.encodeCall(IGovernance.proposalCount, ())), 0);
    }

    /// @dev The states of those of the `searched` newest proposals that take ballots or will.
    function _search(Reading memory reading, uint256 searched) private view {
        address governance = reading.governance;
        unchecked {
            uint256 id = reading.proposalCount;
            for (uint256 end = id > searched ? id - searched : 0; id > end;) {
                bytes memory question = abi.encodeCall(IGovernance.getProposalState, (--id));
                uint256 state = _lookUp(reading, governance, question);
                if (state != 0 && _word(state, 0) <= uint256(ProposalState.Queued)) _ask(reading, governance, question);
            }
        }
    }

    /// @dev What every view of the set has, except for the proposals.
    function _general(Reading memory reading) private view {
        address governance = reading.governance;
        _ask(reading, governance, abi.encodeCall(IGovernance.getConfiguration, ()));
        _ask(reading, governance, abi.encodeCall(IGovernance.numberOfConfigurations, ()));
        _ask(reading, governance, abi.encodeCall(IGovernance.exitFloor, ()));
        _ask(reading, governance, abi.encodeCall(IGovernance.totalPowerAt, (block.timestamp)));
        _ask(reading, governance, abi.encodeCall(IGovernance.withdrawalCount, ()));
        address issuer = _address(_ask(reading, reading.asset, abi.encodeCall(Ownable.owner, ())));
        _account(reading, reading.registry);
        _account(reading, governance);
        _account(reading, reading.proposals);
        _account(reading, reading.asset);
        _account(reading, issuer);
        _ask(reading, reading.rollup, abi.encodeCall(IRollup.REWARD_DISTRIBUTOR, ()));
        _rollup(reading, reading.rollup, new address[](0));
        _signaling(reading);
    }

    /// @dev A proposal, and all power at its snapshot.
    function _proposal(Reading memory reading, uint256 id) private view {
        address governance = reading.governance;
        uint256 proposal = _ask(reading, governance, abi.encodeCall(IGovernance.getProposal, (id)));
        _ask(reading, governance, abi.encodeCall(IGovernance.getProposalState, (id)));
        _ask(reading, governance, abi.encodeCall(IGovernance.actionsHash, (id)));
        if (proposal == 0) return;
        _ask(reading, governance, abi.encodeCall(IGovernance.totalPowerAt, (_snapshot(proposal))));
    }

    /// @dev The last second of Pending, or now if that is earlier, of the answer of `getProposal`.
    function _snapshot(uint256 proposal) private view returns (uint256) {
        unchecked {
            return Math.min(_word(proposal, CREATION) + _word(proposal, VOTING_DELAY), block.timestamp);
        }
    }

    /*//////////////////////////////////////////////////////////////
                          ROLLUPS AND SIGNALS
    //////////////////////////////////////////////////////////////*/

    /// @dev A rollup; nothing more is asked of one that doesn't answer the first question.
    function _rollup(Reading memory reading, address rollup, address[] memory attesters) private view {
        (bool answers, bool begun, uint256 slot) = _slot(reading, rollup);
        if (!answers) return;
        uint256 epochDuration = _word(_ask(reading, rollup, abi.encodeCall(IRollup.EPOCH_DURATION, ())), 0);
        _ask(reading, rollup, abi.encodeCall(IRollup.REGISTRY, ()));
        _ask(reading, rollup, abi.encodeCall(IRollup.MINIMUM_STAKE, ()));
        _ask(reading, rollup, abi.encodeCall(IRollup.EXIT_DELAY, ()));
        _ask(reading, rollup, abi.encodeCall(IRollup.blockNumber, ()));
        _ask(reading, rollup, abi.encodeCall(IRollup.lastBlockSlot, ()));
        _ask(reading, rollup, abi.encodeCall(IRollup.getProposerAt, (reading.next)));
        unchecked {
            if (begun && epochDuration != 0) {
                uint256 epoch = slot / epochDuration;
                _ask(reading, rollup, abi.encodeCall(IRollup.getSetSize, (epoch)));
                _ask(reading, rollup, abi.encodeCall(IRollup.getSetSize, (epoch + 1)));
                _ask(reading, rollup, abi.encodeCall(IRollup.getSeed, (epoch + 1)));
            }
            for (uint256 i; i < attesters.length; ++i) {
                _ask(reading, rollup, abi.encodeCall(IRollup.getInfo, (attesters[i])));
                _ask(reading, rollup, abi.encodeCall(IRollup.getExit, (attesters[i])));
                _ask(reading, rollup, abi.encodeCall(IRollup.getMove, (attesters[i])));
            }
        }
    }

    /// @dev The slot of the next block.
    /// @return answers Whether the rollup answers.
    /// @return begun Whether there is such a slot.
    /// @return slot The slot.
    function _slot(Reading memory reading, address rollup)
        private
        view
        returns (bool answers, bool begun, uint256 slot)
    {
        uint256 answer = _ask(reading, rollup, abi.encodeCall(IRollup.GENESIS_TIME, ()));
        if (answer == 0) return (false, false, 0);
        uint256 genesis = _word(answer, 0);
        uint256 duration = _word(_ask(reading, rollup, abi.encodeCall(IRollup.SLOT_DURATION, ())), 0);
        if (reading.next < genesis || duration == 0) return (true, false, 0);
        unchecked {
            return (true, true, (reading.next - genesis) / duration);
        }
    }

    /// @dev Where the count of signals stands.
    /// @return slots The slots of a round; 0 if Proposals or the canonical rollup doesn't answer.
    /// @return slot The present slot; at most 2^64 - 1, since a rollup may report any number.
    function _status(Reading memory reading) private view returns (uint256 slots, uint256 slot) {
        slots = _word(_ask(reading, reading.proposals, abi.encodeCall(IProposals.M, ())), 0);
        uint256 status = _ask(reading, reading.proposals, abi.encodeCall(IProposals.currentStatus, ()));
        if (status == 0) return (0, 0);
        slot = Math.min(_word(status, 0), type(uint64).max);
    }

    /// @dev The present round and those that may be pushed in it.
    function _signaling(Reading memory reading) private view {
        address proposals = reading.proposals;
        _ask(reading, proposals, abi.encodeCall(IProposals.REGISTRY, ()));
        _ask(reading, proposals, abi.encodeCall(IProposals.N, ()));
        (uint256 slots, uint256 slot) = _status(reading);
        if (slots == 0) return;
        unchecked {
            uint256 present = slot / slots;
            uint256 round = present > LIFETIME_IN_ROUNDS ? present - LIFETIME_IN_ROUNDS : 0;
            for (; round <= present; ++round) {
                _round(reading, round);
            }
        }
    }

    /// @dev A round of the canonical rollup, and its leader if it has one and wasn't pushed.
    function _round(Reading memory reading, uint256 round) private view {
        (address proposals, address rollup) = (reading.proposals, reading.rollup);
        uint256 answer = _ask(reading, proposals, abi.encodeCall(IProposals.rounds, (rollup, round)));
        address leader = address(uint160(_word(answer, 1)));
        bool executed = _word(answer, 2) != 0;
        if (leader == address(0) || executed) return;
        _ask(reading, proposals, abi.encodeCall(IProposals.yeaCount, (rollup, round, leader)));
        _ask(reading, proposals, abi.encodeCall(IProposals.pinnedCodeHash, (rollup, round, leader)));
        _ask(reading, proposals, abi.encodeCall(IProposals.latestProposalOf, (leader)));
        _account(reading, leader);
    }

    /// @dev Payloads, with their signals in the round of the next block.
    function _payloads(Reading memory reading, address[] memory payloads) private view {
        address proposals = reading.proposals;
        (uint256 slots, uint256 slot) = _status(reading);
        (,, uint256 next) = _slot(reading, reading.rollup);
        unchecked {
            for (uint256 i; i < payloads.length; ++i) {
                address payload = payloads[i];
                _account(reading, payload);
                if (slots == 0) continue;
                uint256 round = Math.max(slot, next) / slots;
                _ask(reading, proposals, abi.encodeCall(IProposals.yeaCount, (reading.rollup, round, payload)));
            }
        }
    }

    /*//////////////////////////////////////////////////////////////
                                HOLDERS
    //////////////////////////////////////////////////////////////*/

    /// @dev A holder, with its ballots on proposals.
    function _holder(Reading memory reading, address holder, uint256[] memory ids) private view {
        address governance = reading.governance;
        _ask(reading, reading.asset, abi.encodeCall(IERC20.balanceOf, (holder)));
        _ask(reading, reading.asset, abi.encodeCall(IERC20.allowance, (holder, governance)));
        _ask(reading, reading.asset, abi.encodeCall(IERC20Permit.nonces, (holder)));
        _ask(reading, governance, abi.encodeCall(IGovernance.powerAt, (holder, block.timestamp)));
        unchecked {
            for (uint256 i; i < ids.length; ++i) {
                uint256 proposal = _lookUp(reading, governance, abi.encodeCall(IGovernance.getProposal, (ids[i])));
                if (proposal != 0) _ballot(reading, ids[i], holder, _snapshot(proposal));
            }
        }
    }

    /// @dev The ballot of `holder` on proposal `id`.
    function _ballot(Reading memory reading, uint256 id, address holder, uint256 snapshot) private view {
        address governance = reading.governance;
        _ask(reading, governance, abi.encodeCall(IGovernance.ballots, (id, holder)));
        _ask(reading, governance, abi.encodeCall(IGovernance.ballotNonce, (id, holder)));
        _ask(reading, governance, abi.encodeCall(IGovernance.powerAt, (holder, snapshot)));
    }

    /*//////////////////////////////////////////////////////////////
                               TRANSCRIPT
    //////////////////////////////////////////////////////////////*/

    /// @dev A transcript of at most `length` bytes. Entries are written by whole words, hence the word behind it.
    function _transcript(uint256 length) private pure returns (Transcript memory transcript) {
        bytes memory room = new bytes(length + 32);
        uint256 start;
        assembly ("memory-safe") {
            start := add(room, 32)
        }
        transcript.start = start;
        transcript.end = start;
        transcript.limit = start + length;
    }

    /// @dev Asks `target` and records the answer.
    /// @return answer Where the answer is in memory; 0 if there is none, or it is empty.
    function _ask(Reading memory reading, address target, bytes memory question)
        private
        view
        returns (uint256 answer)
    {
        return _record(reading.transcript, target, question);
    }

    /// @dev Asks `target` without recording it.
    /// @return answer Where the answer is in memory until the next such question; 0 if there is none, or it is empty.
    function _lookUp(Reading memory reading, address target, bytes memory question)
        private
        view
        returns (uint256 answer)
    {
        reading.scratch.end = reading.scratch.start;
        return _record(reading.scratch, target, question);
    }

    /// @dev Asks `target` and adds an entry to `transcript`, if there are gas and room for it.
    function _record(Transcript memory transcript, address target, bytes memory question)
        private
        view
        returns (uint256 answer)
    {
        // With less, a call could fail only for want of gas.
        if (gasleft() < GAS_NEEDED) return 0;
        assembly ("memory-safe") {
            let length := mload(question)
            let answers := staticcall(CALL_GAS, target, add(question, 32), length, 0, 0)
            let size := returndatasize()
            if gt(size, MAX_ANSWER) { answers := 0 }
            size := mul(size, answers)
            let entry := mload(add(transcript, 32))
            let end := add(add(entry, 25), add(length, size))
            if iszero(gt(end, mload(add(transcript, 64)))) {
                mstore(add(transcript, 32), end)
                mstore8(entry, answers)
                mstore(add(entry, 1), shl(96, target))
                mstore(add(entry, 21), shl(240, length))
                mcopy(add(entry, 23), add(question, 32), length)
                let at := add(add(entry, 23), length)
                mstore(at, shl(240, size))
                at := add(at, 2)
                returndatacopy(at, 0, size)
                if size { answer := at }
            }
        }
    }

    /// @dev Adds what is at `account`, if there are gas and room for it.
    function _account(Reading memory reading, address account) private view {
        if (gasleft() < GAS_NEEDED) return;
        Transcript memory transcript = reading.transcript;
        uint256 kind = Code.exists(account) ? 2 : Math.min(account.code.length, 1);
        bytes32 hash = account.codehash;
        assembly ("memory-safe") {
            let entry := mload(add(transcript, 32))
            let end := add(entry, 54)
            if iszero(gt(end, mload(add(transcript, 64)))) {
                mstore(add(transcript, 32), end)
                mstore8(entry, 2)
                mstore(add(entry, 1), shl(96, account))
                mstore8(add(entry, 21), kind)
                mstore(add(entry, 22), hash)
            }
        }
    }

    /// @dev Word `index` of the answer at `answer` in memory; 0 if there is none.
    function _word(uint256 answer, uint256 index) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            if answer { word := mload(add(answer, shl(5, index))) }
        }
    }

    /// @dev The address at `answer` in memory; 0 if there is none.
    function _address(uint256 answer) private pure returns (address) {
        return address(uint160(_word(answer, 0)));
    }
}
