// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "./ICommon.sol";
import {IRegistry} from "./IRegistry.sol";

/// @title Proposals: counts the signals of sequencers and pushes the winner of a round to Governance
/// @notice A round is `M()` slots of the canonical rollup: round = slot / M. A payload wins a round with `N()` signals,
/// one per slot, each by the slot's one proposer. At most one payload of a round can win, since N > M / 2. Every rollup
/// has its own slots, rounds and signals: functions that look into the past take the rollup (the `instance`) as an
/// argument.
interface IProposals is ICommon {
    /// @notice The Proposals contract was constructed.
    /// @param registry The Registry that says which rollup is canonical and who governs.
    /// @param n The number of signals that win a round.
    /// @param m The number of slots in a round.
    event ProposalsDeployed(address indexed registry, uint256 n, uint256 m);

    /// @notice A sequencer signaled for a payload. The slot is in the `SlotUsed` before this event.
    /// @param payload The payload that the signal is for.
    /// @param round The round of the slot.
    /// @param voter The slot's proposer, also if somebody else submitted the signature.
    event VoteCast(address indexed payload, uint256 indexed round, address indexed voter);

    /// @notice A slot of the canonical rollup was used for a signal; `VoteCast` follows.
    /// @param slot The slot; no signal is taken in it or an earlier one any more.
    event SlotUsed(uint256 slot);

    /// @notice A payload got its first signal in a round, which pins its code.
    /// @param payload The payload whose code is pinned.
    /// @param codeHash The hash of its code.
    event PayloadSeen(address indexed payload, bytes32 codeHash);

    /// @notice A payload won a round; it can be pushed once the round is over.
    /// @param payload The winner.
    /// @param round The round of the canonical rollup.
    event QuorumReached(address indexed payload, uint256 indexed round);

    /// @notice The winner of a round became a proposal.
    /// @param payload The winner.
    /// @param round The round of the canonical rollup.
    event ProposalPushed(address indexed payload, uint256 indexed round);

    /// @notice The constructor's numbers make no quorum: N must be above M / 2, at most M, and at least 2.
    /// @param n The number of signals that should win a round.
    /// @param m The number of slots in a round.
    error Proposals__InvalidQuorum(uint256 n, uint256 m);

    /// @notice The canonical rollup reports a slot that can't have begun yet, since every slot lasts at least a second.
    /// @param slot The slot that it reports.
    /// @param timestamp The block's timestamp.
    error Proposals__SlotInFuture(uint256 slot, uint256 timestamp);

    /// @notice The slot, or a later one of the same rollup, was used for a signal already.
    /// @param slot The current slot.
    /// @param newestSlot The newest slot that was used.
    error Proposals__SlotAlreadyUsed(uint256 slot, uint256 newestSlot);

    /// @notice The slot has no proposer: its epoch has no seed or an empty set.
    /// @param slot The current slot.
    error Proposals__NoProposer(uint256 slot);

    /// @notice The caller isn't the slot's proposer.
    /// @param caller The account that called.
    /// @param proposer The slot's proposer.
    error Proposals__NotProposer(address caller, address proposer);

    /// @notice The signature isn't that of the slot's proposer for this payload, slot and rollup.
    /// @param proposer The slot's proposer.
    error Proposals__InvalidSignature(address proposer);

    /// @notice The round isn't over yet.
    /// @param round The round that was given.
    /// @param currentRound The current round.
    error Proposals__RoundNotOver(uint256 round, uint256 currentRound);

    /// @notice The round ended too long ago: it could be pushed in the `LIFETIME_IN_ROUNDS()` rounds after it.
    /// @param round The round that was given.
    /// @param currentRound The current round.
    error Proposals__RoundExpired(uint256 round, uint256 currentRound);

    /// @notice The round was pushed already.
    /// @param round The round that was given.
    /// @param proposalId The id of the proposal that it became.
    error Proposals__AlreadyPushed(uint256 round, uint256 proposalId);

    /// @notice Nobody signaled in the round.
    /// @param round The round that was given.
    error Proposals__NoLeader(uint256 round);

    /// @notice The round has no winner: its leader has too few signals.
    /// @param leader The payload with the most signals.
    /// @param count The number of its signals.
    /// @param needed The number of signals that win a round: `N()`.
    error Proposals__QuorumNotReached(address leader, uint256 count, uint256 needed);

    /// @notice The winner's code isn't what was pinned at its first signal in the round.
    /// @param payload The winner.
    /// @param expected The pinned code hash, its lowest 24 bits zero.
    /// @param found The code hash now, its lowest 24 bits zero.
    error Proposals__CodeChanged(address payload, bytes32 expected, bytes32 found);

    /// @notice A proposal that this contract pushed for the same payload isn't over: it is Pending, Active, Queued or
    /// Executable.
    /// @param payload The winner.
    /// @param proposalId The id of that proposal.
    error Proposals__ProposalLive(address payload, uint256 proposalId);

    /// @notice Governance returned false when the winner was pushed.
    /// @param payload The winner.
    error Proposals__ProposeFailed(address payload);

    /// @notice Signals for a payload in the current slot of the canonical rollup. Only the slot's proposer may call,
    /// once per slot.
    /// @dev Reverts with `NoCode` for a payload or a canonical rollup without code, with `Proposals__SlotInFuture`,
    /// `Proposals__SlotAlreadyUsed`, `Proposals__NoProposer` or `Proposals__NotProposer`, in this order, and with
    /// `NoAnswer` if the Registry or the rollup doesn't answer.
    /// @param payload The payload; needs code.
    /// @return Always true.
    function vote(address payload) external returns (bool);

    /// @notice Signals for a payload as `vote` does, with the signature of the slot's proposer. Anyone may call.
    /// @dev The signature is over the EIP-712 struct `Signal(address payload,uint256 slot,address instance)` in the
    /// domain "Proposals", version "1", with the current slot and the canonical rollup. It needs no nonce, since the
    /// slot is used up. Reverts as `vote` does, with `Proposals__InvalidSignature` in place of
    /// `Proposals__NotProposer`.
    /// @param payload The payload; needs code.
    /// @param signature The proposer's signature: ECDSA of 65 bytes, or whatever the proposer's ERC-1271 contract
    /// takes.
    /// @return Always true.
    function voteWithSig(address payload, bytes calldata signature) external returns (bool);

    /// @notice Makes the winner of a round of the canonical rollup a proposal. Anyone may call.
    /// @dev Reverts with `Proposals__RoundNotOver`, `Proposals__RoundExpired`, `Proposals__AlreadyPushed`,
    /// `Proposals__NoLeader`, `Proposals__QuorumNotReached`, `Proposals__CodeChanged` or `Proposals__ProposalLive`, in
    /// this order; with whatever `propose` of Governance reverts with; and with `NoCode` or `NoAnswer` if the canonical
    /// rollup has no code or a contract doesn't answer.
    /// @param round The round; one of the last `LIFETIME_IN_ROUNDS()` that are over.
    /// @return Always true.
    function pushProposal(uint256 round) external returns (bool);

    /// @notice Returns the winner of a round of the canonical rollup. Reverts, with the same errors, unless
    /// `pushProposal(round)` would pass it to Governance now.
    /// @dev Governance may still refuse it: if it has another Proposals contract, or can't take the payload's list.
    /// @param round The round; one of the last `LIFETIME_IN_ROUNDS()` that are over.
    /// @return payload The payload that would be pushed.
    function winnerOf(uint256 round) external view returns (address payload);

    /// @notice Returns what is known of a round.
    /// @param instance The rollup, canonical or not.
    /// @param round The round's number: slot / M.
    /// @return lastVote The newest slot of the round that was used; 0 also if none was (`leader` is 0 then).
    /// @return leader The payload with the most signals, or the first of several to have that many; 0 if there was
    /// none.
    /// @return executed Whether the round was pushed.
    function rounds(address instance, uint256 round)
        external
        view
        returns (uint256 lastVote, address leader, bool executed);

    /// @notice Returns the number of signals for a payload in a round.
    /// @param instance The rollup, canonical or not.
    /// @param round The round's number: slot / M.
    /// @param payload The payload whose signals are counted.
    /// @return The number of its signals; at most `M()`.
    function yeaCount(address instance, uint256 round, address payload) external view returns (uint256);

    /// @notice Returns the code hash that was pinned for a payload in a round.
    /// @param instance The rollup, canonical or not.
    /// @param round The round's number: slot / M.
    /// @param payload The payload whose code was pinned.
    /// @return The code hash at its first signal, its lowest 24 bits zero; 0 if it got none.
    function pinnedCodeHash(address instance, uint256 round, address payload) external view returns (bytes32);

    /// @notice Returns the round of a slot.
    /// @param slot A slot of any rollup.
    /// @return The round's number: slot / M, rounded down.
    function computeRound(uint256 slot) external view returns (uint256);

    /// @notice Returns the round of the current slot of the canonical rollup.
    /// @dev The current slot is what the rollup reports or, if that is greater, the newest slot that was used. Reverts
    /// with `NoCode` or `NoAnswer` if the canonical rollup has no code or a contract doesn't answer.
    /// @return The round's number.
    function getCurrentRound() external view returns (uint256);

    /// @notice Returns the state of signaling for the canonical rollup.
    /// @dev Reverts as `getCurrentRound` does.
    /// @return slot The current slot: what the rollup reports or, if that is greater, the newest slot that was used.
    /// @return round The round of that slot.
    /// @return leader The payload with the most signals in the round; 0 if there is none.
    /// @return count The number of the leader's signals.
    /// @return firstFreeSlot The first slot in which a signal can still be given: the current one, or the next if the
    /// current one was used.
    function currentStatus()
        external
        view
        returns (uint256 slot, uint256 round, address leader, uint256 count, uint256 firstFreeSlot);

    /// @notice Returns the rounds of the canonical rollup whose winner can be pushed now: those for which `winnerOf`
    /// doesn't revert.
    /// @dev Reverts as `getCurrentRound` does, and with `NoAnswer` if Governance doesn't answer.
    /// @return The rounds, oldest first; at most `LIFETIME_IN_ROUNDS()`, none if Governance has another Proposals
    /// contract.
    function pushableRounds() external view returns (uint256[] memory);

    /// @notice Returns the newest slot of a rollup that was used for a signal.
    /// @param instance The rollup, canonical or not.
    /// @return exists Whether any slot was used.
    /// @return slot The slot; 0 if there is none.
    function newestSlot(address instance) external view returns (bool exists, uint256 slot);

    /// @notice Returns the proposal that a round became.
    /// @param instance The rollup, canonical or not.
    /// @param round The round's number: slot / M.
    /// @return exists Whether the round was pushed.
    /// @return proposalId The id that the proposal got from the Governance of that time; 0 if there is none.
    function proposalOf(address instance, uint256 round) external view returns (bool exists, uint256 proposalId);

    /// @notice Returns the newest proposal that this contract pushed for a payload to the current Governance. Reverts
    /// with `NoAnswer` if the Registry doesn't answer.
    /// @param payload The payload that was pushed.
    /// @return exists Whether there is such a proposal.
    /// @return proposalId The proposal's id; 0 if there is none.
    function latestProposalOf(address payload) external view returns (bool exists, uint256 proposalId);

    /// @notice Returns the Governance contract that winners are pushed to. Reverts with `NoAnswer` if the Registry
    /// doesn't answer.
    /// @return The Registry's owner.
    function getGovernance() external view returns (address);

    /// @notice Returns the number of signals that win a round.
    /// @return The number: at least 2, above `M() / 2`, at most `M()`.
    function N() external view returns (uint256);

    /// @notice Returns the number of slots in a round.
    /// @return The number; at least 2, below 2^24.
    function M() external view returns (uint256);

    /// @notice Returns the number of rounds after its own in which a round can be pushed.
    /// @return 5.
    function LIFETIME_IN_ROUNDS() external view returns (uint256);

    /// @notice Returns the Registry that says which rollup is canonical and who governs.
    /// @return The Registry's contract.
    function REGISTRY() external view returns (IRegistry);
}
