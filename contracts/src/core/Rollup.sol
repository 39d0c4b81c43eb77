// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IRegistry} from "../interfaces/IRegistry.sol";
import {IRewardDistributor} from "../interfaces/IRewardDistributor.sol";
import {IRollup, RollupParameters, Status} from "../interfaces/IRollup.sol";
import {Code} from "../libraries/Code.sol";
import {SafeCast} from "../libraries/SafeCast.sol";
import {StaticCall} from "../libraries/StaticCall.sol";
import {EarlierValues} from "../types/EarlierValues.sol";
import {SetSummary} from "../types/SetSummary.sol";
import {TwoStepOwned} from "./TwoStepOwned.sol";

/// @title Rollup: staking, slots, proposer selection, block log and rewards of one rollup
/// @dev The proposer of a slot is found with three storage reads: `_set`, a seed, and the seat that it draws. If the seat
/// changed hands since the set was closed, two more lead to the member that sat there: the seat's history and the first
/// word of the member.
///
/// Why that finds the right member of a set that was closed up to two epochs ago:
///
/// 1. In the set as it stands, the members sit in seats 0 to size - 1 without a gap. Who joins takes seat `size`; when
///    somebody leaves, the member of the last seat takes the empty one.
/// 2. A seat is written only when a member sits down in it. A seat that falls out of the set, because the set shrank,
///    keeps its word. So at every moment the last write of a seat below the size is the member sitting there.
/// 3. Size and seats remember what they were when the present epoch began and when the one before it began, however
///    many changes either saw (see `EarlierValues`). Hence for either moment: the size is right, and for every seat
///    below it the last write before that moment is right, whatever the seat went through later.
/// 4. Registrations have numbers of their own that are never used again, and a registration's proposer never changes.
///    So a seat of a closed set leads to the keys with which its member joined, although the attester may have left
///    since, or joined again with others.
contract Rollup is IRollup, TwoStepOwned, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /*//////////////////////////////////////////////////////////////
                               STORAGE
    //////////////////////////////////////////////////////////////*/

    /// @dev A registration. Four words, and a fifth once the coinbase is set, each documented from its highest bit. All
    /// of it but the stake stays when the attester has left: closed sets may still draw its seat.
    struct Member {
        /// Word 1, all that a draw may need: `status` (8 bits) | `seat` (32) | `proposer` (160).
        address proposer;
        /// Its seat while it is validating; afterwards the last one it had.
        uint32 seat;
        Status status;
        /// Word 2: `stake` (96) | `attester` (160).
        address attester;
        uint96 stake;
        /// Word 3: `exitableAt` (40) | `withdrawer` (160).
        address withdrawer;
        /// 0 unless exiting.
        uint40 exitableAt;
        /// Word 4: `readyAt` (40) | `target` (160). The recipient of the stake if exiting, otherwise the rollup to move to.
        address target;
        /// 0 unless a move is announced.
        uint40 readyAt;
        /// Word 5: `coinbase` (160). 0 means the proposer.
        address coinbase;
    }

    /// @dev A seat of the set, in two words, each documented from its highest bit.
    struct Seat {
        /// Word 1: `id` (32 bits) | `epochPlusOne` (40) | `proposer` (160). The registration that sits here, the epoch in
        /// which it sat down, plus one, and its proposer. The draws of every set closed since then need no more.
        address proposer;
        uint40 epochPlusOne;
        uint32 id;
        /// Word 2: the registrations that sat here before. Written when the seat changes hands.
        EarlierValues earlierIds;
    }

    /// @dev The newest block, in one word: `slot` (40 bits) | `number` (40).
    struct LatestBlock {
        /// 0 if there is none.
        uint40 number;
        uint40 slot;
    }

    SetSummary private _set;

    LatestBlock private _latestBlock;

    /// @dev Seeds of even and of odd epochs: that of `_set.seedEpoch()`, and that of the epoch before it if there is one.
    uint256[2] private _seeds;

    /// @dev The number of an attester's registration; 0 if it is not registered.
    mapping(address attester => uint32) private _idOf;

    /// @dev The seats by number. Finding an element of an array of fixed length takes neither a hash nor a read of its
    /// length, and nothing of it exists before it is written.
    Seat[2 ** 32] private _seats;

    /// @dev Registrations by number. There is no number 0: that element stays empty.
    Member[2 ** 32] private _members;

    /*//////////////////////////////////////////////////////////////
                              CONSTANTS
    //////////////////////////////////////////////////////////////*/

    /// @dev The gas that a reward claim may use: several times what the distributor's questions and a transfer to a new
    /// holder take.
    uint256 private constant CLAIM_GAS = 250_000;

    /// @dev The gas that has to be left before a claim: a call passes on at most 63/64 of it, and the call itself (with a cold
    /// account) and the end of `proposeBlock` have to be paid too.
    uint256 private constant CLAIM_GAS_NEEDED = CLAIM_GAS + CLAIM_GAS / 63 + 6_000;

    /// @dev The time left in an epoch after its first slot, at least: two L1 blocks, in which its seed can be recorded.
    uint256 private constant MINIMUM_SEED_TIME = 24 seconds;

    uint256 private constant MAXIMUM_EXIT_DELAY = 365 days;

    /// @inheritdoc IRollup
    IERC20 public immutable ASSET;

    /// @inheritdoc IRollup
    IRegistry public immutable REGISTRY;

    /// @inheritdoc IRollup
    IRewardDistributor public immutable REWARD_DISTRIBUTOR;

    /// @inheritdoc IRollup
    uint256 public immutable GENESIS_TIME;

    /// @inheritdoc IRollup
    uint256 public immutable SLOT_DURATION;

    /// @inheritdoc IRollup
    uint256 public immutable EPOCH_DURATION;

    /// @inheritdoc IRollup
    uint256 public immutable MINIMUM_STAKE;

    /// @inheritdoc IRollup
    uint256 public immutable EXIT_DELAY;

    constructor(RollupParameters memory parameters) TwoStepOwned(parameters.owner) {
        if (address(parameters.rewardDistributor) == address(0)) revert ZeroAddress();
        Code.requireAt(address(parameters.asset));
        Code.requireAt(address(parameters.registry));
        if (parameters.genesisTime > block.timestamp) {
            revert Rollup__GenesisInFuture(parameters.genesisTime, block.timestamp);
        }
        if (parameters.slotDuration == 0 || parameters.epochDuration == 0) {
            revert Rollup__ZeroDuration(parameters.slotDuration, parameters.epochDuration);
        }
        if (parameters.minimumStake == 0) revert Rollup__ZeroMinimumStake();

        ASSET = parameters.asset;
        REGISTRY = parameters.registry;
        REWARD_DISTRIBUTOR = parameters.rewardDistributor;
        GENESIS_TIME = SafeCast.toUint40(parameters.genesisTime);
        SLOT_DURATION = SafeCast.toUint40(parameters.slotDuration);
        EPOCH_DURATION = SafeCast.toUint40(parameters.epochDuration);
        MINIMUM_STAKE = SafeCast.toUint96(parameters.minimumStake);
        EXIT_DELAY = SafeCast.toUint40(parameters.exitDelay);

        uint256 afterFirstSlot = (EPOCH_DURATION - 1) * SLOT_DURATION;
        if (afterFirstSlot < MINIMUM_SEED_TIME) revert Rollup__EpochTooShort(afterFirstSlot, MINIMUM_SEED_TIME);
        uint256 twoEpochs = 2 * EPOCH_DURATION * SLOT_DURATION;
        if (EXIT_DELAY < twoEpochs || EXIT_DELAY > MAXIMUM_EXIT_DELAY) {
            revert Rollup__ExitDelayOutOfBounds(EXIT_DELAY, twoEpochs, MAXIMUM_EXIT_DELAY);
        }

        emit RollupDeployed(parameters);
    }

    /// @dev Every function that changes this contract has this modifier first: the seed of the next epoch is
    /// `prevrandao` at the first such call after the epoch's first slot.
    modifier recordsSeed() {
        _recordSeed();
        _;
    }

    /*//////////////////////////////////////////////////////////////
                               STAKING
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IRollup
    function deposit(address attester, address proposer, address withdrawer, uint256 amount)
        external
        recordsSeed
        nonReentrant
    {
        if (attester == address(0) || proposer == address(0) || withdrawer == address(0)) revert ZeroAddress();
        if (_idOf[attester] != 0) revert Rollup__AlreadyRegistered(attester);
        uint96 stake = SafeCast.toUint96(amount);
        if (stake < MINIMUM_STAKE) revert Rollup__StakeTooLow(stake, MINIMUM_STAKE);

        uint32 id = _join(proposer);
        _idOf[attester] = id;
        Member storage member = _members[id];
        member.attester = attester;
        member.stake = stake;
        member.withdrawer = withdrawer;
        emit Deposit(attester, proposer, withdrawer, stake);

        ASSET.safeTransferFrom(msg.sender, address(this), stake);
    }

    /// @inheritdoc IRollup
    function initiateWithdraw(address attester, address recipient) external recordsSeed returns (bool) {
        Member storage member = _memberOfWithdrawer(attester);
        if (member.status == Status.Exiting) revert Rollup__AlreadyExiting(attester);
        if (recipient == address(0)) revert ZeroAddress();

        if (member.status == Status.Validating) _leave(member);
        member.status = Status.Exiting;
        member.exitableAt = SafeCast.toUint40(block.timestamp + EXIT_DELAY);
        member.target = recipient;
        member.readyAt = 0;
        emit WithdrawInitiated(attester, recipient, member.stake);
        return true;
    }

    /// @inheritdoc IRollup
    function finaliseWithdraw(address attester) external recordsSeed nonReentrant {
        Member storage member = _memberOf(attester);
        if (member.status != Status.Exiting) revert Rollup__NotExiting(attester, member.status);
        if (block.timestamp < member.exitableAt) revert Rollup__ExitNotReady(block.timestamp, member.exitableAt);

        address recipient = member.target;
        uint256 stake = _release(member);
        emit WithdrawFinalised(attester, recipient, stake);

        ASSET.safeTransfer(recipient, stake);
    }

    /// @inheritdoc IRollup
    function setCoinbase(address attester, address coinbase) external recordsSeed {
        Member storage member = _memberOfWithdrawer(attester);
        if (coinbase == address(0)) revert ZeroAddress();
        member.coinbase = coinbase;
        emit CoinbaseSet(attester, coinbase);
    }

    /// @inheritdoc IRollup
    function slash(address attester, uint256 amount) external recordsSeed onlyOwner {
        Member storage member = _memberOf(attester);
        uint96 stake = member.stake;
        uint96 taken = uint96(Math.min(amount, stake));
        if (taken == 0) revert Rollup__NothingToSlash(attester);

        stake -= taken;
        member.stake = stake;
        if (stake < MINIMUM_STAKE && member.status == Status.Validating) {
            _leave(member);
            member.status = Status.Living;
            member.target = address(0);
            member.readyAt = 0;
        }
        emit Slashed(attester, taken);
    }

    /// @dev Ends the registration of `member`, whose stake leaves this contract.
    function _release(Member storage member) private returns (uint256 stake) {
        stake = member.stake;
        member.stake = 0;
        delete _idOf[member.attester];
    }

    /// @dev The registration of `attester`.
    function _memberOf(address attester) private view returns (Member storage member) {
        uint256 id = _idOf[attester];
        if (id == 0) revert Rollup__NotRegistered(attester);
        member = _members[id];
    }

    /// @dev The registration of `attester`, about which the caller decides.
    function _memberOfWithdrawer(address attester) private view returns (Member storage member) {
        uint256 id = _idOf[attester];
        member = _members[id];
        if (msg.sender != member.withdrawer || id == 0) revert Rollup__NotWithdrawer(msg.sender, member.withdrawer);
    }

    /*//////////////////////////////////////////////////////////////
                                MOVING
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IRollup
    function initiateMove(address attester, address newRollup) external recordsSeed {
        Member storage member = _memberOfWithdrawer(attester);
        if (member.status != Status.Validating) revert Rollup__NotValidating(attester, member.status);
        if (newRollup == address(0)) revert ZeroAddress();
        if (newRollup == address(this)) revert Rollup__MoveToSelf();

        member.target = newRollup;
        // Another target doesn't start the clock again.
        if (member.readyAt == 0) member.readyAt = SafeCast.toUint40(block.timestamp + EXIT_DELAY);
        emit MoveInitiated(attester, newRollup, member.readyAt);
    }

    /// @inheritdoc IRollup
    function finaliseMove(address attester) external recordsSeed nonReentrant {
        _finaliseMove(attester, _memberOf(attester), attester);
    }

    /// @inheritdoc IRollup
    function finaliseMove(address attester, address newAttester) external recordsSeed nonReentrant {
        Member storage member = _memberOfWithdrawer(attester);
        if (newAttester == address(0)) revert ZeroAddress();
        _finaliseMove(attester, member, newAttester);
    }

    function _finaliseMove(address attester, Member storage member, address newAttester) private {
        if (member.status != Status.Validating) revert Rollup__NotValidating(attester, member.status);
        if (member.readyAt == 0) revert Rollup__NoMove(attester);
        if (block.timestamp < member.readyAt) revert Rollup__MoveNotReady(block.timestamp, member.readyAt);
        address newRollup = member.target;
        address canonical = StaticCall.addressWord(address(REGISTRY), IRegistry.getRollup.selector);
        if (newRollup != canonical) revert Rollup__MoveNotToCanonical(newRollup, canonical);
        // Before the first upgrade the canonical rollup is the Registry's sentinel, which has no code.
        Code.requireAt(newRollup);

        _leave(member);
        uint256 stake = _release(member);
        emit MoveFinalised(attester, newRollup, newAttester, stake);

        uint256 balanceBefore = ASSET.balanceOf(address(this));
        ASSET.forceApprove(newRollup, stake);
        IRollup(newRollup).deposit(newAttester, member.proposer, member.withdrawer, stake);
        if (ASSET.allowance(address(this), newRollup) != 0) ASSET.forceApprove(newRollup, 0);
        uint256 taken = Math.saturatingSub(balanceBefore, ASSET.balanceOf(address(this)));
        if (taken != stake) revert Rollup__StakeNotMoved(stake, taken);
    }

    /*//////////////////////////////////////////////////////////////
                           PROPOSING BLOCKS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IRollup
    function proposeBlock(bytes32 blockHash) external recordsSeed nonReentrant {
        uint256 slot = getCurrentSlot();
        uint256 epoch = _epochOf(slot);
        (bool drawn, Seat storage seat) = _draw(slot, epoch);
        if (!drawn) revert Rollup__NotProposer(msg.sender, address(0));
        Member storage member = _members[_idInSetOf(epoch, seat)];
        address proposer = member.proposer;
        if (msg.sender != proposer) revert Rollup__NotProposer(msg.sender, proposer);
        LatestBlock memory latest = _latestBlock;
        if (latest.number != 0 && latest.slot == slot) revert Rollup__SlotAlreadyProposed(slot);

        _latestBlock = LatestBlock({number: ++latest.number, slot: SafeCast.toUint40(slot)});
        emit BlockProposed(latest.number, slot, member.attester, proposer, blockHash);

        _claimReward(_coinbaseOf(member));
    }

    /// @dev Tries to claim the present slot's reward for `recipient`. Whatever the distributor does is ignored: its
    /// answer isn't even copied, and it can't burn more than `CLAIM_GAS`. Only the caller could make a good claim fail,
    /// by sending too little gas, and is refused.
    function _claimReward(address recipient) private {
        if (gasleft() < CLAIM_GAS_NEEDED) revert Rollup__NotEnoughGasForReward(gasleft(), CLAIM_GAS_NEEDED);
        address distributor = address(REWARD_DISTRIBUTOR);
        bytes4 selector = IRewardDistributor.claim.selector;
        assembly ("memory-safe") {
            mstore(0, selector)
            mstore(4, recipient)
            pop(call(CLAIM_GAS, distributor, 0, 0, 36, 0, 0))
        }
    }

    /// @dev Where the rewards of `member`'s blocks go.
    function _coinbaseOf(Member storage member) private view returns (address) {
        address coinbase = member.coinbase;
        return coinbase == address(0) ? member.proposer : coinbase;
    }

    /*//////////////////////////////////////////////////////////////
                        SETS, SEEDS AND DRAWS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IRollup
    function setupEpoch() external recordsSeed {}

    /// @inheritdoc IRollup
    function getCurrentProposer() external view returns (address) {
        uint256 slot = getCurrentSlot();
        return _proposerOf(slot, _epochOf(slot));
    }

    /// @inheritdoc IRollup
    function getProposerAt(uint256 timestamp) external view returns (address) {
        uint256 slot = getSlotAt(timestamp);
        uint256 epoch = _epochOf(slot);
        _requireInRange(epoch);
        return _proposerOf(slot, epoch);
    }

    /// @inheritdoc IRollup
    function getSetSize(uint256 epoch) external view returns (uint256) {
        _requireInRange(epoch);
        return _set.sizeOf(epoch);
    }

    /// @inheritdoc IRollup
    function getSeed(uint256 epoch) external view returns (bool recorded, uint256 seed) {
        _requireInRange(epoch);
        recorded = epoch != 0 && _set.hasSeed(epoch);
        if (recorded) seed = _seeds[epoch & 1];
    }

    /// @inheritdoc IRollup
    function getMember(uint256 epoch, uint256 index) external view returns (address attester, address proposer) {
        _requireInRange(epoch);
        uint256 size = _set.sizeOf(epoch);
        if (index >= size) revert Rollup__IndexOutOfRange(index, size);
        Member storage member = _members[_idInSetOf(epoch, _seats[index])];
        return (member.attester, member.proposer);
    }

    /// @dev Records the seed of the next epoch if it isn't yet. In an epoch's first slot nothing is recorded: whoever
    /// proposes the last L1 block before the epoch knows the randomness of the block after it, and could still join or
    /// leave.
    function _recordSeed() private {
        uint256 slot = getCurrentSlot();
        uint256 epoch = _epochOf(slot);
        SetSummary set = _set;
        if (set.seedEpoch() > epoch || slot == epoch * EPOCH_DURATION) return;
        _set = set.withSeed(epoch);
        ++epoch;
        _seeds[epoch & 1] = block.prevrandao;
        emit SeedRecorded(epoch, block.prevrandao);
    }

    /// @dev A new registration takes the seat behind the last one.
    /// @return id Its number.
    function _join(address proposer) private returns (uint32 id) {
        uint256 epoch = getCurrentEpoch();
        uint256 seat = _set.size();
        SetSummary set = _set.withRegistration().withSize(seat + 1, epoch);
        _set = set;
        // Numbers of registrations fit, and so does a seat below the new size.
        id = uint32(set.registrations());
        Member storage member = _members[id];
        member.proposer = proposer;
        member.seat = uint32(seat);
        member.status = Status.Validating;
        _takeSeat(id, proposer, seat, epoch);
    }

    /// @dev `member`'s seat goes to the member of the last one.
    function _leave(Member storage member) private {
        uint256 epoch = getCurrentEpoch();
        uint256 last = _set.size() - 1;
        _set = _set.withSize(last, epoch);
        uint32 seat = member.seat;
        if (seat == last) return;
        uint32 id = _seats[last].id;
        Member storage moved = _members[id];
        moved.seat = seat;
        _takeSeat(id, moved.proposer, seat, epoch);
    }

    /// @dev Registration `id` takes `seat` in `epoch`, the present.
    function _takeSeat(uint32 id, address proposer, uint256 seat, uint256 epoch) private {
        Seat storage taken = _seats[seat];
        uint40 epochPlusOne = SafeCast.toUint40(epoch + 1);
        uint40 earlier = taken.epochPlusOne;
        // Changes within one epoch are one change. A seat that is new has had nobody before.
        if (earlier != epochPlusOne && earlier != 0) {
            taken.earlierIds = taken.earlierIds.withReplaced(taken.id, earlier);
        }
        taken.proposer = proposer;
        taken.epochPlusOne = epochPlusOne;
        taken.id = id;
    }

    /// @dev The seat that `slot` of `epoch`, the present or the next, draws; none if the epoch has no seed or an empty
    /// set.
    function _draw(uint256 slot, uint256 epoch) private view returns (bool drawn, Seat storage seat) {
        // The set of epoch 0 is empty.
        SetSummary set = _set;
        uint256 size = set.sizeOf(epoch);
        drawn = size != 0 && set.hasSeed(epoch);
        uint256 index;
        if (drawn) index = uint256(Hashes.efficientKeccak256(bytes32(_seeds[epoch & 1]), bytes32(slot))) % size;
        seat = _seats[index];
    }

    /// @dev The proposer of `slot` of `epoch`, the present or the next; 0 if there is none.
    function _proposerOf(uint256 slot, uint256 epoch) private view returns (address) {
        (bool drawn, Seat storage seat) = _draw(slot, epoch);
        if (!drawn) return address(0);
        return seat.epochPlusOne < epoch ? seat.proposer : _members[seat.earlierIds.forSetOf(epoch)].proposer;
    }

    /// @dev The registration that has `seat` in the set of `epoch`, the present or the next.
    function _idInSetOf(uint256 epoch, Seat storage seat) private view returns (uint256) {
        return seat.epochPlusOne < epoch ? seat.id : seat.earlierIds.forSetOf(epoch);
    }

    /// @dev Draws are known for the present and the next epoch.
    function _requireInRange(uint256 epoch) private view {
        uint256 currentEpoch = getCurrentEpoch();
        // Wraps for earlier epochs.
        unchecked {
            if (epoch - currentEpoch > 1) revert Rollup__EpochOutOfRange(epoch, currentEpoch);
        }
    }

    /*//////////////////////////////////////////////////////////////
                           SLOTS AND EPOCHS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IRollup
    function getCurrentSlot() public view returns (uint256) {
        // The constructor has checked that genesis is not in the future.
        unchecked {
            return _divide(block.timestamp - GENESIS_TIME, SLOT_DURATION);
        }
    }

    /// @inheritdoc IRollup
    function getSlotAt(uint256 timestamp) public view returns (uint256) {
        if (timestamp < GENESIS_TIME) revert Rollup__BeforeGenesis(timestamp, GENESIS_TIME);
        unchecked {
            return _divide(timestamp - GENESIS_TIME, SLOT_DURATION);
        }
    }

    /// @inheritdoc IRollup
    function getTimestampForSlot(uint256 slot) external view returns (uint256) {
        return SafeCast.toUint40(GENESIS_TIME + SafeCast.toUint40(slot) * SLOT_DURATION);
    }

    /// @inheritdoc IRollup
    function getCurrentEpoch() public view returns (uint256) {
        return _epochOf(getCurrentSlot());
    }

    /// @inheritdoc IRollup
    function getEpochAt(uint256 timestamp) external view returns (uint256) {
        return _epochOf(getSlotAt(timestamp));
    }

    /// @dev The epoch of `slot`.
    function _epochOf(uint256 slot) private view returns (uint256) {
        return _divide(slot, EPOCH_DURATION);
    }

    /// @dev `numerator / duration` without the compiler's check for 0: the constructor has checked that no duration is.
    function _divide(uint256 numerator, uint256 duration) private pure returns (uint256 quotient) {
        assembly ("memory-safe") {
            quotient := div(numerator, duration)
        }
    }

    /*//////////////////////////////////////////////////////////////
                              OWNERSHIP
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc Ownable2Step
    function transferOwnership(address newOwner) public override recordsSeed {
        super.transferOwnership(newOwner);
    }

    /// @inheritdoc Ownable2Step
    function acceptOwnership() public override recordsSeed {
        super.acceptOwnership();
    }

    /*//////////////////////////////////////////////////////////////
                                VIEWS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IRollup
    function getInfo(address attester)
        external
        view
        returns (uint256 stake, address withdrawer, address proposer, Status status)
    {
        Member storage member = _members[_idOf[attester]];
        return (member.stake, member.withdrawer, member.proposer, member.status);
    }

    /// @inheritdoc IRollup
    function getExit(address attester) external view returns (uint256 exitableAt, address recipient) {
        Member storage member = _members[_idOf[attester]];
        if (member.status == Status.Exiting) return (member.exitableAt, member.target);
    }

    /// @inheritdoc IRollup
    function getMove(address attester) external view returns (address newRollup, uint256 readyAt) {
        Member storage member = _members[_idOf[attester]];
        if (member.status == Status.Validating) return (member.target, member.readyAt);
    }

    /// @inheritdoc IRollup
    function getCoinbase(address attester) external view returns (address) {
        return _coinbaseOf(_members[_idOf[attester]]);
    }

    /// @inheritdoc IRollup
    function getAttesters() external view returns (address[] memory) {
        address[] memory attesters = new address[](getActiveAttesterCount());
        for (uint256 i; i < attesters.length; ++i) {
            attesters[i] = _members[_seats[i].id].attester;
        }
        return attesters;
    }

    /// @inheritdoc IRollup
    function getActiveAttesterCount() public view returns (uint256) {
        return _set.size();
    }

    /// @inheritdoc IRollup
    function registrationCount() public view returns (uint256) {
        return _set.registrations();
    }

    /// @inheritdoc IRollup
    function blockNumber() external view returns (uint256) {
        return _latestBlock.number;
    }

    /// @inheritdoc IRollup
    function lastBlockSlot() external view returns (bool exists, uint256 slot) {
        return (_latestBlock.number != 0, _latestBlock.slot);
    }
}
