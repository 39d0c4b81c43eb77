// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ICommon} from "./ICommon.sol";
import {Action} from "./IPayload.sol";

/// @notice Where a proposal stands.
enum ProposalState {
    /// Until `creation + votingDelay`.
    Pending,
    /// Until `votingDuration` later: ballots are taken.
    Active,
    /// Accepted; until `executionDelay` later. Ballots against are taken in its first half.
    Queued,
    /// Accepted; until `gracePeriod` later: anyone may execute.
    Executable,
    /// Not accepted.
    Rejected,
    /// Its actions were carried out.
    Executed,
    /// The Proposals contract that pushed it was replaced.
    Dropped,
    /// Accepted, but nobody executed it in time.
    Expired
}

/// @notice The emergency path past the sequencers.
struct ProposeConfiguration {
    /// Seconds for which the lock's amount is withheld, at least.
    uint256 lockDelay;
    /// Power that a proposal through the lock gives up.
    uint256 lockAmount;
}

/// @notice The rules of a proposal, frozen when it is created. Times in seconds, fractions of 1e18.
struct Configuration {
    ProposeConfiguration proposeConfig;
    uint256 votingDelay;
    uint256 votingDuration;
    uint256 executionDelay;
    uint256 gracePeriod;
    /// Fraction of all power that must be cast.
    uint256 quorum;
    /// Fraction of the cast power by which yea must exceed nea.
    uint256 voteDifferential;
    /// Total power below which nothing passes.
    uint256 minimumVotes;
}

/// @notice Power for and against.
struct Ballot {
    uint256 yea;
    uint256 nea;
}

/// @notice A proposal as it is stored.
struct Proposal {
    Configuration config;
    /// As stored: Pending, Executed or Dropped; `getProposalState` tells where it stands.
    ProposalState state;
    address payload;
    /// The Proposals contract that pushed it; Governance itself for the lock.
    address governanceProposer;
    uint256 creation;
    Ballot summedBallot;
}

/// @notice Power that was given up, and the asset that is due for it.
struct Withdrawal {
    uint256 amount;
    uint256 unlocksAt;
    address recipient;
    bool claimed;
}

/// @title Governance: holders lock the asset, vote on proposals, and the actions of those that pass are executed
/// @notice Holders lock the asset for power. A payload becomes a proposal through Proposals or through the
/// lock; its actions are frozen then, and those are executed or none.
interface IGovernance is ICommon {
    /// @notice The constructor's first argument; the others have events of their own.
    event GovernanceDeployed(address indexed asset);

    /// @notice `depositor` locked `amount` for `onBehalfOf`.
    event Deposit(address indexed depositor, address indexed onBehalfOf, uint256 amount);

    /// @notice `amount` is due to `recipient`.
    event WithdrawInitiated(uint256 indexed withdrawalId, address indexed recipient, uint256 amount);

    /// @notice Accompanies every `WithdrawInitiated`: who gave the power up, and when it is paid.
    event WithdrawalQueued(uint256 indexed id, address indexed holder, uint256 unlocksAt);

    /// @notice The withdrawal was paid.
    event WithdrawFinalised(uint256 indexed withdrawalId);

    /// @notice `proposal`, a payload, became proposal `proposalId`.
    event Proposed(uint256 indexed proposalId, address indexed proposal);

    /// @notice What proposal `proposalId` will do if accepted: exactly these actions, in this order.
    /// `proposer` is the Proposals contract, or Governance itself for the lock.
    event ProposalFrozen(
        uint256 indexed proposalId,
        address indexed proposer,
        uint256 configurationId,
        bytes32 actionsHash,
        Action[] actions
    );

    /// @notice `voter` cast `amount` of its power.
    event VoteCast(uint256 indexed proposalId, address indexed voter, bool support, uint256 amount);

    /// @notice A signed ballot used up a nonce.
    /// @param proposalId The proposal.
    /// @param holder The signer.
    /// @param nonce The nonce; the next signed ballot on the proposal carries the following one.
    event NonceUsed(uint256 proposalId, address indexed holder, uint256 nonce);

    /// @notice Everything that a holder had signed for a proposal became void.
    /// @param proposalId The proposal.
    /// @param holder The holder.
    /// @param nextNonce The nonce of its next signed ballot on the proposal.
    event BallotsInvalidated(uint256 proposalId, address indexed holder, uint256 nextNonce);

    /// @notice The proposal's actions were carried out.
    event ProposalExecuted(uint256 indexed proposalId);

    /// @notice The proposal's end was stored.
    event ProposalDropped(uint256 indexed proposalId);

    /// @notice `governanceProposer` is the Proposals contract from now on.
    event GovernanceProposerUpdated(address indexed governanceProposer);

    /// @notice The configuration changed at `time`.
    event ConfigurationUpdated(uint256 indexed time);

    /// @notice Configuration `id` is in force for new proposals.
    event ConfigurationSet(uint256 indexed id, Configuration configuration);

    /// @notice Only Governance itself, by a proposal.
    error Governance__NotSelf(address caller);

    /// @notice Only the Proposals contract.
    error Governance__NotGovernanceProposer(address caller, address governanceProposer);

    /// @notice `field` of the configuration must lie between `min` and `max`.
    error Governance__OutOfBounds(bytes32 field, uint256 value, uint256 min, uint256 max);

    /// @notice The Proposals contract can be neither the present one nor Governance itself.
    error Governance__InvalidGovernanceProposer(address governanceProposer);

    /// @notice Governance neither deposits nor is deposited for.
    error Governance__SelfDeposit(address depositor, address onBehalfOf);

    /// @notice An amount of nothing.
    error Governance__ZeroAmount();

    /// @notice `holder` has less power than needed.
    error Governance__InsufficientPower(address holder, uint256 available, uint256 needed);

    /// @notice There is no such proposal.
    error Governance__UnknownProposal(uint256 id, uint256 count);

    /// @notice There is no such withdrawal.
    error Governance__UnknownWithdrawal(uint256 id, uint256 count);

    /// @notice There is no such configuration.
    error Governance__UnknownConfiguration(uint256 id, uint256 count);

    /// @notice The withdrawal was paid already.
    error Governance__AlreadyClaimed(uint256 id);

    /// @notice The withdrawal is paid from `unlocksAt` on.
    error Governance__NotUnlocked(uint256 timestamp, uint256 unlocksAt);

    /// @notice Ballots are taken while a proposal is Active, and those against in the first half of Queued.
    error Governance__NotActive(uint256 id, ProposalState state);

    /// @notice In the second half of Queued no ballot is taken any more.
    /// @param id The proposal.
    /// @param timestamp The time now.
    /// @param objectionsUntil The last second in which ballots against were taken.
    error Governance__ObjectionsOver(uint256 id, uint256 timestamp, uint256 objectionsUntil);

    /// @notice Only an Executable proposal is executed.
    error Governance__NotExecutable(uint256 id, ProposalState state);

    /// @notice The proposal isn't Dropped.
    error Governance__NotDropped(uint256 id, ProposalState state);

    /// @notice That the proposal is Dropped was stored already.
    error Governance__AlreadyDropped(uint256 id);

    /// @notice The signature could be used until `deadline`.
    error Governance__SignatureExpired(uint256 timestamp, uint256 deadline);

    /// @notice The signature isn't `voter`'s for this ballot and `nonce`.
    error Governance__InvalidSignature(address voter, uint256 nonce);

    /// @notice Power is known up to now.
    error Governance__InFuture(uint256 timestamp, uint256 present);

    /// @notice `getActions()` of `payload` failed or didn't return a list of actions.
    error Governance__UnreadableActions(address payload);

    /// @notice `payload` lists no actions.
    error Governance__NoActions(address payload);

    /// @notice The actions are too long for a transaction that executes them.
    /// @param payload The payload that lists them.
    /// @param length The length of its answer, or of the canonical encoding of the list, in bytes.
    /// @param max The greatest length.
    error Governance__ActionsTooLong(address payload, uint256 length, uint256 max);

    /// @notice The actions aren't those that were published when the proposal was created.
    error Governance__ActionsChanged(uint256 id, bytes32 expected, bytes32 found);

    /// @notice No action may call the asset.
    error Governance__ActionOnAsset(uint256 index);

    /// @notice The target of the action has no code.
    error Governance__ActionWithoutCode(uint256 index, address target);

    /// @notice The action reverted with `reason`; nothing was executed.
    error Governance__ActionFailed(uint256 index, address target, bytes reason);

    /// @notice Locks `amount` of the caller's asset as power of `onBehalfOf`.
    function deposit(address onBehalfOf, uint256 amount) external;

    /// @notice The same with the caller's ERC-2612 permit. A permit that was used already is no hindrance if
    /// the allowance suffices.
    function depositWithPermit(address onBehalfOf, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external;

    /// @notice Gives up `amount` of the caller's power; the asset is due to `to` after the withdrawal delay.
    function initiateWithdraw(address to, uint256 amount) external returns (uint256 id);

    /// @notice Pays a withdrawal whose time has come. Anyone.
    function finaliseWithdraw(uint256 id) external;

    /// @notice Makes `payload` a proposal. Only the Proposals contract.
    /// @return Always true.
    function propose(address payload) external returns (bool);

    /// @notice Makes `payload` a proposal for `lockAmount` of the caller's power, which is given up at once; the
    /// asset is due to `to` after the longer of `lockDelay` and the withdrawal delay.
    /// @return Always true.
    function proposeWithLock(address payload, address to) external returns (bool);

    /// @notice Casts `amount` of the caller's power at the last second of Pending, for or against.
    /// @return Always true.
    function vote(uint256 id, uint256 amount, bool support) external returns (bool);

    /// @notice The same with `voter`'s EIP-712 signature over `Ballot(uint256 proposalId,bytes32 actionsHash,uint256
    /// amount,bool support,address voter,uint256 nonce,uint256 deadline)`. Anyone.
    /// @return Always true.
    function voteWithSig(
        uint256 proposalId,
        uint256 amount,
        bool support,
        address voter,
        uint256 deadline,
        bytes calldata signature
    ) external returns (bool);

    /// @notice Voids every ballot on proposal `id` that the caller has signed so far: raises its next nonce there by 2^32.
    function invalidateBallots(uint256 id) external;

    /// @notice Carries out an Executable proposal with the actions that its payload lists. Anyone.
    /// @return Always true.
    function execute(uint256 id) external returns (bool);

    /// @notice The same with the list given by the caller, so that no payload can withhold what passed.
    /// @return Always true.
    function executeWith(uint256 id, Action[] calldata actions) external returns (bool);

    /// @notice Stores that a proposal is Dropped. Anyone.
    /// @return Always true.
    function dropProposal(uint256 id) external returns (bool);

    /// @notice Replaces the whole configuration. Only Governance itself.
    function updateConfiguration(Configuration calldata configuration) external;

    /// @notice Replaces the Proposals contract; what it pushed is dropped. Only Governance itself.
    function updateGovernanceProposer(address newGovernanceProposer) external;

    /// @notice Takes the ownership of `target` that was offered to Governance. Anyone.
    function acceptOwnership(address target) external;

    /// @notice Power of `owner` at the end of the second `timestamp`; at now the present value.
    function powerAt(address owner, uint256 timestamp) external view returns (uint256);

    /// @notice All power at the end of the second `timestamp`; at now the present value.
    function totalPowerAt(uint256 timestamp) external view returns (uint256);

    /// @notice The configuration in force for new proposals.
    function getConfiguration() external view returns (Configuration memory);

    /// @notice Configuration number `id`.
    function configurationAt(uint256 id) external view returns (Configuration memory);

    /// @notice How many configurations there were.
    function numberOfConfigurations() external view returns (uint256);

    /// @notice The proposal as it is stored, with the configuration frozen for it.
    function getProposal(uint256 id) external view returns (Proposal memory);

    /// @notice Where the proposal stands now.
    function getProposalState(uint256 id) external view returns (ProposalState);

    /// @notice `keccak256(abi.encode(actions))` of the actions frozen for the proposal.
    function actionsHash(uint256 id) external view returns (bytes32);

    /// @notice A withdrawal.
    function getWithdrawal(uint256 id) external view returns (Withdrawal memory);

    /// @notice What `user` cast on a proposal; zeros if nothing.
    function ballots(uint256 id, address user) external view returns (uint256 yea, uint256 nea);

    /// @notice The nonce of `holder`'s next signed ballot on proposal `id`; 0 if there is no such proposal.
    function ballotNonce(uint256 id, address holder) external view returns (uint256);

    /// @notice The last second in which ballots against proposal `id` are taken: half of its execution delay after Active.
    function objectionsUntil(uint256 id) external view returns (uint256);

    /// @notice The least withdrawal delay, for withdrawals started up to `until`; in seconds.
    /// @dev Keeps configuration changes from letting voters out before a proposal can be executed.
    function exitFloor() external view returns (uint256 delay, uint256 until);

    /// @notice How many proposals there are.
    function proposalCount() external view returns (uint256);

    /// @notice How many withdrawals there are.
    function withdrawalCount() external view returns (uint256);

    /// @notice The Proposals contract.
    function governanceProposer() external view returns (address);

    /// @notice The asset that is locked.
    function ASSET() external view returns (IERC20);
}
