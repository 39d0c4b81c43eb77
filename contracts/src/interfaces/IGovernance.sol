// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ICommon} from "./ICommon.sol";
import {Action} from "./IPayload.sol";

/// @notice The state of a proposal. The last second of a state still belongs to it.
enum ProposalState {
    /// Until `creation + votingDelay`; power counts as it is in the last second.
    Pending,
    /// Until `votingDuration` later; ballots are taken.
    Active,
    /// Accepted; until `executionDelay` later. Ballots against are taken in its first half, and may still reject it.
    Queued,
    /// Accepted; until `gracePeriod` later. Anyone may execute it.
    Executable,
    /// Not accepted. No ballot can change that.
    Rejected,
    /// Its actions were executed. Final.
    Executed,
    /// The Proposals contract that pushed it was replaced before it was executed. Final, whatever the state was before.
    Dropped,
    /// Accepted, but not executed in time.
    Expired
}

/// @notice The rules of the lock: a holder gives up power to make a proposal without sequencers.
struct ProposeConfiguration {
    /// The least time for which the asset of the power given up is withheld, in seconds: 60 seconds to 365 days.
    uint256 lockDelay;
    /// The power that a proposal through the lock costs, in the asset's smallest unit; at least 2.
    uint256 lockAmount;
}

/// @notice The rules of a proposal, frozen when it is created.
struct Configuration {
    /// The rules of the lock.
    ProposeConfiguration proposeConfig;
    /// The length of Pending, in seconds: 60 seconds to 90 days.
    uint256 votingDelay;
    /// The length of Active, in seconds: 60 seconds to 90 days.
    uint256 votingDuration;
    /// The length of Queued, in seconds: 60 seconds to 90 days.
    uint256 executionDelay;
    /// The length of Executable, in seconds: 60 seconds to 90 days.
    uint256 gracePeriod;
    /// The fraction of all power that must be cast, scaled by 1e18: 1 to 0.9e18.
    uint256 quorum;
    /// The fraction of the cast power that the lead of yea over nea must exceed, scaled by 1e18: 0 to 0.9e18. It
    /// doesn't matter when nothing is cast against.
    uint256 voteDifferential;
    /// The total power below which no proposal is accepted, in the asset's smallest unit; at least 1.
    uint256 minimumVotes;
}

/// @notice Power cast on a proposal, in the asset's smallest unit.
struct Ballot {
    /// The power cast for it.
    uint256 yea;
    /// The power cast against it.
    uint256 nea;
}

/// @notice A proposal as it is stored.
struct Proposal {
    /// The configuration frozen for it.
    Configuration config;
    /// The stored state: Pending, Executed or Dropped. `getProposalState` returns the state now.
    ProposalState state;
    /// The contract that listed its actions.
    address payload;
    /// The Proposals contract that pushed it; Governance itself for a proposal through the lock.
    address governanceProposer;
    /// The timestamp of its creation.
    uint256 creation;
    /// The sum of all ballots.
    Ballot summedBallot;
}

/// @notice Power that was given up, and the asset that is due for it.
struct Withdrawal {
    /// The amount due, in the asset's smallest unit.
    uint256 amount;
    /// The timestamp from which on it is paid.
    uint256 unlocksAt;
    /// The account that it is paid to.
    address recipient;
    /// Whether it was paid.
    bool claimed;
}

/// @title Governance: holders lock the asset, vote on proposals, and the actions of those that pass are executed
/// @notice Holders lock the asset for power, one unit for each unit. A payload becomes a proposal through the Proposals
/// contract or through the lock. Its actions are frozen then: exactly those are executed, or none. Amounts and power
/// are in the asset's smallest unit; ids of proposals, withdrawals and configurations count from 0.
interface IGovernance is ICommon {
    /// @notice Governance was constructed. The other arguments are in `GovernanceProposerUpdated` and
    /// `ConfigurationSet`.
    /// @param asset The asset that holders lock.
    event GovernanceDeployed(address indexed asset);

    /// @notice The asset was locked for power.
    /// @param depositor The account that paid.
    /// @param onBehalfOf The holder that got the power.
    /// @param amount The amount; above 0.
    event Deposit(address indexed depositor, address indexed onBehalfOf, uint256 amount);

    /// @notice Power was given up: for a withdrawal, or for a proposal through the lock.
    /// @param withdrawalId The withdrawal's id.
    /// @param recipient The account that the asset is due to.
    /// @param amount The amount; above 0.
    event WithdrawInitiated(uint256 indexed withdrawalId, address indexed recipient, uint256 amount);

    /// @notice Accompanies every `WithdrawInitiated`.
    /// @param id The withdrawal's id.
    /// @param holder The account that gave up the power.
    /// @param unlocksAt The timestamp from which on the withdrawal is paid.
    event WithdrawalQueued(uint256 indexed id, address indexed holder, uint256 unlocksAt);

    /// @notice A withdrawal was paid.
    /// @param withdrawalId The withdrawal's id.
    event WithdrawFinalised(uint256 indexed withdrawalId);

    /// @notice A payload became a proposal.
    /// @param proposalId The proposal's id.
    /// @param proposal The payload.
    event Proposed(uint256 indexed proposalId, address indexed proposal);

    /// @notice The actions of a new proposal were frozen: exactly these are executed if it passes, in this order.
    /// @param proposalId The proposal's id.
    /// @param proposer The Proposals contract that pushed it; Governance itself for a proposal through the lock.
    /// @param configurationId The id of the configuration frozen for it.
    /// @param actionsHash The commitment to the actions: `keccak256(abi.encode(actions))`.
    /// @param actions The calls that it makes; at least one.
    event ProposalFrozen(
        uint256 indexed proposalId,
        address indexed proposer,
        uint256 configurationId,
        bytes32 actionsHash,
        Action[] actions
    );

    /// @notice A ballot was cast, by the voter's call or signature.
    /// @param proposalId The proposal's id.
    /// @param voter The holder whose power was cast.
    /// @param support Whether it was cast for the proposal.
    /// @param amount The power cast; above 0.
    event VoteCast(uint256 indexed proposalId, address indexed voter, bool support, uint256 amount);

    /// @notice A signed ballot used up a nonce.
    /// @param proposalId The proposal's id.
    /// @param holder The holder that signed the ballot.
    /// @param nonce The nonce; the holder's next signed ballot on the proposal carries the following one.
    event NonceUsed(uint256 proposalId, address indexed holder, uint256 nonce);

    /// @notice Everything that a holder had signed for a proposal became void.
    /// @param proposalId The proposal's id.
    /// @param holder The holder that signed the ballots.
    /// @param nextNonce The nonce that the holder's next signed ballot on the proposal carries.
    event BallotsInvalidated(uint256 proposalId, address indexed holder, uint256 nextNonce);

    /// @notice A proposal was executed. Emitted before its actions are called.
    /// @param proposalId The proposal's id.
    event ProposalExecuted(uint256 indexed proposalId);

    /// @notice A proposal was stored as Dropped.
    /// @param proposalId The proposal's id.
    event ProposalDropped(uint256 indexed proposalId);

    /// @notice The Proposals contract was set, by the constructor or by a proposal.
    /// @param governanceProposer The Proposals contract from now on.
    event GovernanceProposerUpdated(address indexed governanceProposer);

    /// @notice A proposal replaced the configuration. The new one is in `ConfigurationSet`.
    /// @param time The block's timestamp.
    event ConfigurationUpdated(uint256 indexed time);

    /// @notice A configuration came into force for new proposals, at construction or by a proposal.
    /// @param id The configuration's id; 0 at construction.
    /// @param configuration The configuration, every field of it.
    event ConfigurationSet(uint256 indexed id, Configuration configuration);

    /// @notice The caller isn't Governance itself, which calls by executing a proposal.
    /// @param caller The account that called.
    error Governance__NotSelf(address caller);

    /// @notice The caller isn't the Proposals contract.
    /// @param caller The account that called.
    /// @param governanceProposer The Proposals contract.
    error Governance__NotGovernanceProposer(address caller, address governanceProposer);

    /// @notice A field of the configuration is out of its bounds.
    /// @param field The field's name in ASCII, padded with zeros.
    /// @param value The value that was given.
    /// @param min The least value allowed.
    /// @param max The greatest value allowed.
    error Governance__OutOfBounds(bytes32 field, uint256 value, uint256 min, uint256 max);

    /// @notice The new Proposals contract is the current one or Governance itself.
    /// @param governanceProposer The address that was given.
    error Governance__InvalidGovernanceProposer(address governanceProposer);

    /// @notice The deposit is by Governance or for Governance.
    /// @param depositor The account that called.
    /// @param onBehalfOf The account that should get the power.
    error Governance__SelfDeposit(address depositor, address onBehalfOf);

    /// @notice The amount of a deposit, a withdrawal or a ballot is 0.
    error Governance__ZeroAmount();

    /// @notice The holder has less power than needed.
    /// @param holder The account whose power was to be given up or cast.
    /// @param available Its power now; for a ballot its power at the last second of Pending that it hasn't cast yet.
    /// @param needed The power that the call needs.
    error Governance__InsufficientPower(address holder, uint256 available, uint256 needed);

    /// @notice There is no such proposal.
    /// @param id The id that was given.
    /// @param count The number of proposals; ids are below it.
    error Governance__UnknownProposal(uint256 id, uint256 count);

    /// @notice There is no such withdrawal.
    /// @param id The id that was given.
    /// @param count The number of withdrawals; ids are below it.
    error Governance__UnknownWithdrawal(uint256 id, uint256 count);

    /// @notice There is no such configuration.
    /// @param id The id that was given.
    /// @param count The number of configurations; ids are below it.
    error Governance__UnknownConfiguration(uint256 id, uint256 count);

    /// @notice The withdrawal was paid already.
    /// @param id The withdrawal's id.
    error Governance__AlreadyClaimed(uint256 id);

    /// @notice The withdrawal isn't paid yet.
    /// @param timestamp The block's timestamp.
    /// @param unlocksAt The timestamp from which on it is paid.
    error Governance__NotUnlocked(uint256 timestamp, uint256 unlocksAt);

    /// @notice The proposal takes no such ballot in its state: ballots are taken while it is Active, and ballots
    /// against also in the first half of Queued.
    /// @param id The proposal's id.
    /// @param state Its state now.
    error Governance__NotActive(uint256 id, ProposalState state);

    /// @notice The ballot against the proposal comes in the second half of Queued, which takes none.
    /// @param id The proposal's id.
    /// @param timestamp The block's timestamp.
    /// @param objectionsUntil The timestamp of the last second in which ballots against were taken.
    error Governance__ObjectionsOver(uint256 id, uint256 timestamp, uint256 objectionsUntil);

    /// @notice The proposal isn't Executable.
    /// @param id The proposal's id.
    /// @param state Its state now.
    error Governance__NotExecutable(uint256 id, ProposalState state);

    /// @notice The proposal isn't Dropped.
    /// @param id The proposal's id.
    /// @param state Its state now.
    error Governance__NotDropped(uint256 id, ProposalState state);

    /// @notice The proposal is already stored as Dropped.
    /// @param id The proposal's id.
    error Governance__AlreadyDropped(uint256 id);

    /// @notice The signed ballot comes after its deadline.
    /// @param timestamp The block's timestamp.
    /// @param deadline The timestamp of the last second in which it was taken.
    error Governance__SignatureExpired(uint256 timestamp, uint256 deadline);

    /// @notice The signature isn't the voter's for this ballot and its current nonce.
    /// @param voter The holder who should have signed.
    /// @param nonce The nonce that the signature should have covered: `ballotNonce` of the voter.
    error Governance__InvalidSignature(address voter, uint256 nonce);

    /// @notice Power isn't known for times after now.
    /// @param timestamp The time that was asked for.
    /// @param present The block's timestamp.
    error Governance__InFuture(uint256 timestamp, uint256 present);

    /// @notice The call of `getActions()` failed, or its answer is no list of actions.
    /// @param payload The payload that was asked.
    error Governance__UnreadableActions(address payload);

    /// @notice The payload lists no actions.
    /// @param payload The payload that was asked.
    error Governance__NoActions(address payload);

    /// @notice The actions are too long for a transaction that executes them.
    /// @param payload The payload that lists them.
    /// @param length The length of its answer, or of the list's canonical encoding, in bytes.
    /// @param max The greatest length of either, in bytes.
    error Governance__ActionsTooLong(address payload, uint256 length, uint256 max);

    /// @notice The actions aren't those that were frozen when the proposal was created.
    /// @param id The proposal's id.
    /// @param expected The hash of the frozen actions: `actionsHash` of the proposal.
    /// @param found The hash of the actions that were given, or that the payload lists now.
    error Governance__ActionsChanged(uint256 id, bytes32 expected, bytes32 found);

    /// @notice The action calls the asset, which no proposal may do.
    /// @param index The action's place in the list, from 0.
    error Governance__ActionOnAsset(uint256 index);

    /// @notice The target of the action has no code when its turn comes.
    /// @param index The action's place in the list, from 0.
    /// @param target The account that was to be called.
    error Governance__ActionWithoutCode(uint256 index, address target);

    /// @notice The action reverted, and with it the whole execution. It can be tried again while the proposal is
    /// Executable.
    /// @param index The action's place in the list, from 0.
    /// @param target The contract that was called.
    /// @param reason The data that the call reverted with.
    error Governance__ActionFailed(uint256 index, address target, bytes reason);

    /// @notice Locks the caller's asset as power of a holder. Anyone may call who has approved the amount to
    /// Governance.
    /// @dev Reverts with `Governance__SelfDeposit`, `ZeroAddress` or `Governance__ZeroAmount`, and with the asset's
    /// errors if the transfer fails.
    /// @param onBehalfOf The holder that gets the power; neither 0 nor Governance.
    /// @param amount The amount to lock; above 0.
    function deposit(address onBehalfOf, uint256 amount) external;

    /// @notice Locks the caller's asset as `deposit` does, with the caller's ERC-2612 permit for Governance.
    /// @dev A permit that fails, for example because somebody has submitted it already, is ignored: the deposit
    /// succeeds if the allowance suffices.
    /// @param onBehalfOf The holder that gets the power; neither 0 nor Governance.
    /// @param amount The amount to lock, which is also that of the permit; above 0.
    /// @param deadline The timestamp of the last second in which the permit can be used.
    /// @param v The recovery identifier of the permit's signature: 27 or 28.
    /// @param r The first 32 bytes of the permit's signature.
    /// @param s The second 32 bytes of the permit's signature.
    function depositWithPermit(address onBehalfOf, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external;

    /// @notice Gives up the caller's power; the asset is due after the withdrawal delay.
    /// @dev The delay is floor(votingDelay / 5) + votingDuration + executionDelay of the configuration in force or, if
    /// it is longer, that of `exitFloor()`. So nobody whose ballot counts holds the asset again before the proposal
    /// could be executed. Reverts with `ZeroAddress`, `Governance__ZeroAmount` or `Governance__InsufficientPower`.
    /// @param to The account that the asset is due to; not 0.
    /// @param amount The power to give up; above 0, at most the caller's power now.
    /// @return id The withdrawal's id.
    function initiateWithdraw(address to, uint256 amount) external returns (uint256 id);

    /// @notice Pays a withdrawal to its recipient. Anyone may call.
    /// @dev Reverts with `Governance__UnknownWithdrawal`, `Governance__AlreadyClaimed` or, before its time,
    /// `Governance__NotUnlocked`.
    /// @param id The withdrawal's id.
    function finaliseWithdraw(uint256 id) external;

    /// @notice Makes a payload a proposal and freezes its actions. Only the Proposals contract may call.
    /// @dev Reverts with `Governance__NotGovernanceProposer`, with `NoCode`, or, for a list that can't be taken, with
    /// `Governance__UnreadableActions`, `Governance__NoActions` or `Governance__ActionsTooLong`. The proposal's id is
    /// the `proposalCount()` before the call.
    /// @param payload The contract that lists the actions.
    /// @return Always true.
    function propose(address payload) external returns (bool);

    /// @notice Makes a payload a proposal for `lockAmount` of the caller's power, which is given up at once. Any holder
    /// of that power may call.
    /// @dev The asset is due after the longer of `lockDelay` and the withdrawal delay. The proposal isn't dropped when
    /// the Proposals contract is replaced. Reverts with `ZeroAddress` or `Governance__InsufficientPower`, and as
    /// `propose` does for a payload that can't be taken.
    /// @param payload The contract that lists the actions.
    /// @param to The account that the asset of the power given up is due to; not 0.
    /// @return Always true.
    function proposeWithLock(address payload, address to) external returns (bool);

    /// @notice Casts the caller's power on a proposal. Ballots may be partial, add up, may go both ways, and can't be
    /// taken back.
    /// @dev What counts is the power at the last second of Pending. Reverts with `Governance__UnknownProposal`,
    /// `Governance__NotActive`, `Governance__ObjectionsOver`, `Governance__ZeroAmount` or
    /// `Governance__InsufficientPower`, in this order.
    /// @param id The proposal's id.
    /// @param amount The power to cast; above 0, at most what the caller hasn't cast on the proposal yet.
    /// @param support Whether it is cast for the proposal.
    /// @return Always true.
    function vote(uint256 id, uint256 amount, bool support) external returns (bool);

    /// @notice Casts a holder's power on a proposal as `vote` does, with the holder's signature. Anyone may call.
    /// @dev The signature is over the EIP-712 struct `Ballot(uint256 proposalId,bytes32 actionsHash,uint256 amount,bool
    /// support,address voter,uint256 nonce,uint256 deadline)` in the domain "Governance", version "1", with
    /// `actionsHash(proposalId)` and `ballotNonce(proposalId, voter)`. Reverts with `Governance__UnknownProposal`,
    /// `Governance__InvalidSignature`, `Governance__NotActive`, `Governance__ObjectionsOver`,
    /// `Governance__SignatureExpired`, `Governance__ZeroAmount` or `Governance__InsufficientPower`, in this order.
    /// @param proposalId The proposal's id.
    /// @param amount The power to cast; above 0, at most what the voter hasn't cast on the proposal yet.
    /// @param support Whether it is cast for the proposal.
    /// @param voter The holder whose power is cast.
    /// @param deadline The timestamp of the last second in which the signature is taken.
    /// @param signature The voter's signature: ECDSA of 65 bytes, or whatever the voter's ERC-1271 contract takes.
    /// @return Always true.
    function voteWithSig(
        uint256 proposalId,
        uint256 amount,
        bool support,
        address voter,
        uint256 deadline,
        bytes calldata signature
    ) external returns (bool);

    /// @notice Makes every ballot on a proposal that the caller has signed so far void: raises the nonce of the next
    /// one by 2^32. Ballots that were cast stay.
    /// @dev Works in every state of the proposal. Reverts with `Governance__UnknownProposal`, and with `ValueTooLarge`
    /// once the nonce doesn't fit 64 bits.
    /// @param id The proposal's id.
    function invalidateBallots(uint256 id) external;

    /// @notice Executes an Executable proposal with the actions that its payload lists. Anyone may call.
    /// @dev Reverts with `Governance__UnknownProposal` or `Governance__NotExecutable`; with
    /// `Governance__ActionsChanged` or an error about the list if the payload doesn't list the frozen actions
    /// (`executeWith` doesn't ask it); and with `Governance__ActionOnAsset`, `Governance__ActionWithoutCode` or
    /// `Governance__ActionFailed` for the first action that can't be executed.
    /// @param id The proposal's id.
    /// @return Always true.
    function execute(uint256 id) external returns (bool);

    /// @notice Executes an Executable proposal with the frozen actions as the caller gives them, so that no payload can
    /// withhold the actions of a proposal that passed. Anyone may call.
    /// @dev Reverts as `execute` does, except that the payload isn't asked.
    /// @param id The proposal's id.
    /// @param actions The frozen actions, as in the proposal's `ProposalFrozen`.
    /// @return Always true.
    function executeWith(uint256 id, Action[] calldata actions) external returns (bool);

    /// @notice Stores that a proposal is Dropped. Anyone may call.
    /// @dev The proposal is Dropped without this call too. Reverts with `Governance__UnknownProposal`,
    /// `Governance__AlreadyDropped` or `Governance__NotDropped`.
    /// @param id The proposal's id.
    /// @return Always true.
    function dropProposal(uint256 id) external returns (bool);

    /// @notice Replaces the configuration for new proposals. Only Governance itself may call, by a proposal.
    /// @dev Reverts with `Governance__NotSelf` or, for the first field that is out of its bounds, with
    /// `Governance__OutOfBounds`. `minimumVotes` may be at most half of the total power now, and `lockAmount` at most a
    /// tenth of it, rounded down, unless the value in force is greater: then that is the bound.
    /// @param configuration The new configuration, every field of it.
    function updateConfiguration(Configuration calldata configuration) external;

    /// @notice Replaces the Proposals contract. What it pushed is Dropped, unless it was executed. Only Governance
    /// itself may call, by a proposal.
    /// @dev Reverts with `Governance__NotSelf`, `Governance__InvalidGovernanceProposer` or `NoCode`.
    /// @param newGovernanceProposer The Proposals contract from now on; neither the current one nor Governance.
    function updateGovernanceProposer(address newGovernanceProposer) external;

    /// @notice Accepts the ownership of a contract, which its owner has offered to Governance. Anyone may call.
    /// @dev Reverts with `NoCode`, and if the contract refuses.
    /// @param target The contract that Governance becomes the owner of.
    function acceptOwnership(address target) external;

    /// @notice Returns a holder's power at a time. Reverts with `Governance__InFuture` for a time after now.
    /// @param owner The holder.
    /// @param timestamp The timestamp, at most the block's.
    /// @return The power at the end of that second; at now the current one, which may still change; 0 before
    /// construction.
    function powerAt(address owner, uint256 timestamp) external view returns (uint256);

    /// @notice Returns the power of all holders at a time. Reverts with `Governance__InFuture` for a time after now.
    /// @param timestamp The timestamp, at most the block's.
    /// @return The power at the end of that second; at now the current one, which may still change; 0 before
    /// construction.
    function totalPowerAt(uint256 timestamp) external view returns (uint256);

    /// @notice Returns the configuration in force for new proposals.
    /// @return The newest configuration.
    function getConfiguration() external view returns (Configuration memory);

    /// @notice Returns a configuration that is or was in force. Reverts with `Governance__UnknownConfiguration`.
    /// @param id The configuration's id; 0 is that of construction.
    /// @return The configuration, every field of it.
    function configurationAt(uint256 id) external view returns (Configuration memory);

    /// @notice Returns the number of configurations so far.
    /// @return At least 1; the newest one's id is one less.
    function numberOfConfigurations() external view returns (uint256);

    /// @notice Returns a proposal as it is stored, with the configuration frozen for it. Reverts with
    /// `Governance__UnknownProposal`.
    /// @param id The proposal's id.
    /// @return The proposal; its `state` is the stored one.
    function getProposal(uint256 id) external view returns (Proposal memory);

    /// @notice Returns the state of a proposal now. Reverts with `Governance__UnknownProposal`.
    /// @param id The proposal's id.
    /// @return The state, whether or not it was stored.
    function getProposalState(uint256 id) external view returns (ProposalState);

    /// @notice Returns the commitment to the actions frozen for a proposal. Reverts with `Governance__UnknownProposal`.
    /// @param id The proposal's id.
    /// @return `keccak256(abi.encode(actions))` of the frozen actions.
    function actionsHash(uint256 id) external view returns (bytes32);

    /// @notice Returns a withdrawal. Reverts with `Governance__UnknownWithdrawal`.
    /// @param id The withdrawal's id.
    /// @return The withdrawal, paid or not.
    function getWithdrawal(uint256 id) external view returns (Withdrawal memory);

    /// @notice Returns what a holder has cast on a proposal.
    /// @param id The proposal's id.
    /// @param user The holder.
    /// @return yea The power cast for it; 0 if there is no such proposal.
    /// @return nea The power cast against it; 0 if there is no such proposal.
    function ballots(uint256 id, address user) external view returns (uint256 yea, uint256 nea);

    /// @notice Returns the nonce of a holder's next signed ballot on a proposal.
    /// @param id The proposal's id.
    /// @param holder The holder that signs the ballot.
    /// @return The nonce, from 0 for each holder and proposal; 0 if there is no such proposal.
    function ballotNonce(uint256 id, address holder) external view returns (uint256);

    /// @notice Returns the last second in which ballots against a proposal are taken, if it is accepted. Reverts with
    /// `Governance__UnknownProposal`.
    /// @param id The proposal's id.
    /// @return The timestamp: half of the execution delay, rounded down, after the end of Active.
    function objectionsUntil(uint256 id) external view returns (uint256);

    /// @notice Returns the least withdrawal delay, which replaced configurations leave behind.
    /// @dev It keeps a change of the configuration from letting voters out before a proposal can be executed.
    /// @return delay The least delay of a withdrawal started at `until` or before, in seconds; 0 if no configuration
    /// was replaced yet.
    /// @return until The timestamp of the last second in which it applies; 0 if no configuration was replaced yet.
    function exitFloor() external view returns (uint256 delay, uint256 until);

    /// @notice Returns the number of proposals so far.
    /// @return The number, which is the next proposal's id.
    function proposalCount() external view returns (uint256);

    /// @notice Returns the number of withdrawals so far.
    /// @return The number, which is the next withdrawal's id.
    function withdrawalCount() external view returns (uint256);

    /// @notice Returns the Proposals contract, which alone may call `propose`.
    /// @return The current Proposals contract.
    function governanceProposer() external view returns (address);

    /// @notice Returns the asset that holders lock.
    /// @return The asset's contract.
    function ASSET() external view returns (IERC20);
}
