// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "./ICommon.sol";
import {IRegistry} from "./IRegistry.sol";

/// @title Proposals: counts the signals of sequencers and pushes the winner of a round to Governance
/// @notice round = slot / M. A payload wins a round with N signals, one per slot, each by the slot's one
/// proposer. At most one payload of a round can win, since N > M / 2.
interface IProposals is ICommon {
    /// @notice The constructor's arguments.
    event ProposalsDeployed(address indexed registry, uint256 n, uint256 m);

    /// @notice `voter` signalled for `payload` in its slot of `round`.
    event VoteCast(address indexed payload, uint256 indexed round, address indexed voter);

    /// @notice The canonical rollup's `slot` was used for the signal that follows.
    event SlotUsed(uint256 slot);

    /// @notice The first signal for `payload` in a round: its code is pinned.
    event PayloadSeen(address indexed payload, bytes32 codeHash);

    /// @notice `payload` has the signals it needs in `round`; it can be pushed when the round is over.
    event QuorumReached(address indexed payload, uint256 indexed round);

    /// @notice `payload`, winner of `round`, became a proposal.
    event ProposalPushed(address indexed payload, uint256 indexed round);

    /// @notice N must be above M / 2, at most M, at least 2.
    error Proposals__InvalidQuorum(uint256 n, uint256 m);

    /// @notice The canonical rollup reports a slot that cannot have begun yet.
    error Proposals__SlotInFuture(uint256 slot, uint256 timestamp);

    /// @notice `slot` or a later one of this rollup was used already.
    error Proposals__SlotAlreadyUsed(uint256 slot, uint256 newestSlot);

    /// @notice The slot has no proposer: the epoch has no seed or an empty set.
    error Proposals__NoProposer(uint256 slot);

    /// @notice Only the slot's proposer signals.
    error Proposals__NotProposer(address caller, address proposer);

    /// @notice The signature isn't the slot's proposer's for this payload, slot and rollup.
    error Proposals__InvalidSignature(address proposer);

    /// @notice A round can be pushed when it is over.
    error Proposals__RoundNotOver(uint256 round, uint256 currentRound);

    /// @notice A round can be pushed for `LIFETIME_IN_ROUNDS` rounds.
    error Proposals__RoundExpired(uint256 round, uint256 currentRound);

    /// @notice The round was pushed already, as `proposalId`.
    error Proposals__AlreadyPushed(uint256 round, uint256 proposalId);

    /// @notice Nobody signalled in the round.
    error Proposals__NoLeader(uint256 round);

    /// @notice The leader has fewer signals than needed.
    error Proposals__QuorumNotReached(address leader, uint256 count, uint256 needed);

    /// @notice The leader's code isn't what was pinned at its first signal in the round.
    /// @param payload The leader.
    /// @param expected The pinned code hash, its lowest 24 bits zero.
    /// @param found The code hash now, its lowest 24 bits zero.
    error Proposals__CodeChanged(address payload, bytes32 expected, bytes32 found);

    /// @notice A proposal that this contract pushed for the same payload is not over yet.
    error Proposals__ProposalLive(address payload, uint256 proposalId);

    /// @notice Governance didn't take the proposal.
    error Proposals__ProposeFailed(address payload);

    /// @notice Signals for `payload` in the present slot. Only the slot's proposer, once.
    /// @return Always true.
    function vote(address payload) external returns (bool);

    /// @notice The same with the slot proposer's EIP-712 signature over
    /// `Signal(address payload,uint256 slot,address instance)`. Anyone.
    /// @return Always true.
    function voteWithSig(address payload, bytes calldata signature) external returns (bool);

    /// @notice Makes the winner of `round` a proposal. Anyone.
    /// @return Always true.
    function pushProposal(uint256 round) external returns (bool);

    /// @notice Returns the winner of `round`. Reverts unless `pushProposal(round)` would pass it to Governance now.
    /// @dev Governance may still refuse it: if it listens to another Proposals contract, or can't take the payload's list.
    /// @param round The round.
    /// @return payload Its winner.
    function winnerOf(uint256 round) external view returns (address payload);

    /// @notice What is known of a round: the last slot used in it (0 also when none was), the payload with
    /// the most signals, whether it was pushed.
    function rounds(address instance, uint256 round)
        external
        view
        returns (uint256 lastVote, address leader, bool executed);

    /// @notice Signals for `payload` in a round.
    function yeaCount(address instance, uint256 round, address payload) external view returns (uint256);

    /// @notice The code hash pinned for `payload` in a round, its lowest 24 bits zero; 0 if none.
    function pinnedCodeHash(address instance, uint256 round, address payload) external view returns (bytes32);

    /// @notice The round of `slot`.
    function computeRound(uint256 slot) external view returns (uint256);

    /// @notice The round of the canonical rollup's present slot.
    function getCurrentRound() external view returns (uint256);

    /// @notice The canonical rollup's slot and round, the round's leader and its signals, and the first slot
    /// that can still be signalled in (the present one, or the next if the present one was used).
    function currentStatus()
        external
        view
        returns (uint256 slot, uint256 round, address leader, uint256 count, uint256 firstFreeSlot);

    /// @notice The rounds that have a winner which can be pushed now (see `winnerOf`), oldest first; at most
    /// `LIFETIME_IN_ROUNDS`. None if Governance listens to another Proposals contract.
    function pushableRounds() external view returns (uint256[] memory);

    /// @notice The newest slot of `instance` that was used for a signal.
    function newestSlot(address instance) external view returns (bool exists, uint256 slot);

    /// @notice The proposal that a pushed round became.
    function proposalOf(address instance, uint256 round) external view returns (bool exists, uint256 proposalId);

    /// @notice The newest proposal that this contract pushed for `payload` to the present Governance.
    function latestProposalOf(address payload) external view returns (bool exists, uint256 proposalId);

    /// @notice The Registry's owner.
    function getGovernance() external view returns (address);

    /// @notice Signals that win a round.
    function N() external view returns (uint256);

    /// @notice Slots in a round.
    function M() external view returns (uint256);

    /// @notice How many rounds after its own a round can be pushed.
    function LIFETIME_IN_ROUNDS() external view returns (uint256);

    /// @notice Who says which rollup is canonical.
    function REGISTRY() external view returns (IRegistry);
}
