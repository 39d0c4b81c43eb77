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
import {Recent} from "../libraries/EpochHistory.sol";
import {Fit} from "../libraries/Fit.sol";
import {Outside} from "../libraries/Outside.sol";
import {TwoStepOwned} from "../libraries/TwoStepOwned.sol";

/// @title One rollup: staking, slots, proposer selection, block log, rewards
/// @dev Who proposes a slot is found with three storage reads: `_meta`, a seed, and the seat that it draws. If the seat
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
///    many changes either saw (see `EpochHistory`). Hence for either moment: the size is right, and for every seat
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
        /// Meaningful while validating.
        uint32 seat;
        Status status;
        /// Word 2: `stake` (96) | `attester` (160).
        address attester;
        uint96 stake;
        /// Word 3: `exitableAt` (40) | `withdrawer` (160).
        address withdrawer;
        /// 0 unless exiting.
        uint40 exitableAt;
        /// Word 4: `readyAt` (40) | `target` (160). Who gets the stake if exiting, the rollup to move to otherwise.
        address target;
        /// 0 unless a move is announced.
        uint40 readyAt;
        /// Word 5: `coinbase` (160). 0 means the proposer.
        address coinbase;
    }

    /// @dev A seat of the set, in two words, each documented from its highest bit.
    struct Seat {
        /// Word 1: `since` (40) | `proposer` (160). Whoever sits here, and its proposer: the draws of every set closed
        /// since then need no more. `since` is one more than the epoch of the last change, as in `ids`.
        address proposer;
        uint40 since;
        /// Word 2: the number of the registration that sits here, and of those that sat here lately.
        Recent ids;
    }

    /// @dev One word: `newestSeed` (8 bits) | `registrations` (32) | `seedEpoch` (40) | `sizes` (176).
    struct Meta {
        /// The size of the set.
        Recent sizes;
        /// The newest epoch for which a seed was recorded.
        uint40 seedEpoch;
        /// The number of registrations, and of the newest one.
        uint32 registrations;
        /// Which of `_seeds` is the newest.
        uint8 newestSeed;
    }

    /// @dev One word: `slot` (40 bits) | `number` (40).
    struct Head {
        /// Of the newest block; 0 if there is none.
        uint40 number;
        uint40 slot;
    }

    Meta private _meta;

    Head private _head;

    /// @dev The newest seed, recorded for `_meta.seedEpoch`, and the one recorded before it.
    uint256[2] private _seeds;

    /// @dev The number of an attester's registration; 0 if it is not registered.
    mapping(address attester => uint32) private _idOf;

    /// @dev Who sits where. To find an element of an array of fixed length takes neither a hash nor its length, and
    /// nothing of it exists before it is written.
    Seat[2 ** 32] private _seats;

    /// @dev Registrations by number. Number 0 is nobody's and stays empty.
    Member[2 ** 32] private _members;

    /*//////////////////////////////////////////////////////////////
                              CONSTANTS
    //////////////////////////////////////////////////////////////*/

    /// @dev What a reward claim may burn: several times what the distributor's questions and a transfer to a new holder
    /// take.
    uint256 private constant CLAIM_GAS = 250_000;

    /// @dev What has to be left before a claim: a call passes on at most 63/64 of it, and the call itself (with a cold
    /// account) and the end of `proposeBlock` have to be paid too.
    uint256 private constant CLAIM_GAS_NEEDED = CLAIM_GAS + CLAIM_GAS / 63 + 6_000;

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
        if (
            address(parameters.asset) == address(0) || address(parameters.registry) == address(0)
                || address(parameters.rewardDistributor) == address(0)
        ) revert ZeroAddress();
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
        GENESIS_TIME = Fit.toUint40(parameters.genesisTime);
        SLOT_DURATION = Fit.toUint40(parameters.slotDuration);
        EPOCH_DURATION = Fit.toUint40(parameters.epochDuration);
        MINIMUM_STAKE = Fit.toUint96(parameters.minimumStake);
        EXIT_DELAY = Fit.toUint40(parameters.exitDelay);

        uint256 twoEpochs = 2 * EPOCH_DURATION * SLOT_DURATION;
        if (EXIT_DELAY < twoEpochs) revert Rollup__ExitDelayTooShort(EXIT_DELAY, twoEpochs);

        emit RollupDeployed(parameters);
        _recordSeed();
    }

    /// @dev Every function that changes this contract has this modifier first: the seed of the next epoch is what
    /// `prevrandao` is at the first such call.
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
        uint96 stake = Fit.toUint96(amount);
        if (stake < MINIMUM_STAKE) revert Rollup__StakeTooLow(stake, MINIMUM_STAKE);

        uint32 id = Fit.toUint32(registrationCount() + 1);
        _meta.registrations = id;
        _idOf[attester] = id;
        Member storage member = _members[id];
        member.proposer = proposer;
        member.status = Status.Validating;
        member.attester = attester;
        member.stake = stake;
        member.withdrawer = withdrawer;
        _join(id);
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
        member.exitableAt = Fit.toUint40(block.timestamp + EXIT_DELAY);
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
        if (member.readyAt == 0) member.readyAt = Fit.toUint40(block.timestamp + EXIT_DELAY);
        emit MoveInitiated(attester, newRollup, member.readyAt);
    }

    /// @inheritdoc IRollup
    function finaliseMove(address attester) external recordsSeed nonReentrant {
        Member storage member = _memberOf(attester);
        if (member.status != Status.Validating) revert Rollup__NotValidating(attester, member.status);
        if (member.readyAt == 0) revert Rollup__NoMove(attester);
        if (block.timestamp < member.readyAt) revert Rollup__MoveNotReady(block.timestamp, member.readyAt);
        address newRollup = member.target;
        address canonical = Outside.addressWord(address(REGISTRY), IRegistry.getRollup.selector);
        if (newRollup != canonical) revert Rollup__MoveNotToCanonical(newRollup, canonical);
        // The Registry's sentinel has none.
        Outside.requireCode(newRollup);

        _leave(member);
        uint256 stake = _release(member);
        emit MoveFinalised(attester, newRollup, stake);

        uint256 balanceBefore = ASSET.balanceOf(address(this));
        ASSET.forceApprove(newRollup, stake);
        IRollup(newRollup).deposit(attester, member.proposer, member.withdrawer, stake);
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
        Member storage member = _members[seat.ids.forSetOf(epoch)];
        address proposer = member.proposer;
        if (msg.sender != proposer) revert Rollup__NotProposer(msg.sender, proposer);
        Head memory head = _head;
        if (head.number != 0 && head.slot == slot) revert Rollup__SlotAlreadyProposed(slot);

        _head = Head({number: ++head.number, slot: Fit.toUint40(slot)});
        emit BlockProposed(head.number, slot, member.attester, proposer, blockHash);

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
        (uint256 size,) = _setOf(epoch);
        return size;
    }

    /// @inheritdoc IRollup
    function getSeed(uint256 epoch) external view returns (uint256) {
        _requireInRange(epoch);
        (, uint256 seed) = _setOf(epoch);
        return seed;
    }

    /// @inheritdoc IRollup
    function getMember(uint256 epoch, uint256 index) external view returns (address attester, address proposer) {
        _requireInRange(epoch);
        (uint256 size,) = _setOf(epoch);
        if (index >= size) revert Rollup__IndexOutOfRange(index, size);
        Member storage member = _members[_seats[index].ids.forSetOf(epoch)];
        return (member.attester, member.proposer);
    }

    /// @dev Records the seed of the next epoch if nobody has.
    function _recordSeed() private {
        uint256 epoch = getCurrentEpoch() + 1;
        if (_meta.seedEpoch == epoch) return;
        // The newest seed so far draws the present epoch; the other one draws nothing any more.
        uint8 index = _meta.newestSeed ^ 1;
        _meta.seedEpoch = Fit.toUint40(epoch);
        _meta.newestSeed = index;
        _seeds[index] = block.prevrandao;
        emit SeedRecorded(epoch, block.prevrandao);
    }

    /// @dev Registration `id` takes a seat.
    function _join(uint32 id) private {
        uint256 epoch = getCurrentEpoch();
        uint256 seat = getActiveAttesterCount();
        _meta.sizes = _meta.sizes.set(seat + 1, epoch);
        _sit(id, seat, epoch);
        // The new size fits, so the seat does.
        _members[id].seat = uint32(seat);
    }

    /// @dev `member`'s seat goes to the member of the last one.
    function _leave(Member storage member) private {
        uint256 epoch = getCurrentEpoch();
        uint256 last = getActiveAttesterCount() - 1;
        _meta.sizes = _meta.sizes.set(last, epoch);
        uint32 seat = member.seat;
        if (seat == last) return;
        uint256 id = _seats[last].ids.current();
        _sit(id, seat, epoch);
        _members[id].seat = seat;
    }

    /// @dev Registration `id` sits down in `seat` in `epoch`, the present.
    function _sit(uint256 id, uint256 seat, uint256 epoch) private {
        Recent ids = _seats[seat].ids.set(id, epoch);
        _seats[seat] = Seat({proposer: _members[id].proposer, since: Fit.toUint40(epoch + 1), ids: ids});
    }

    /// @dev The seat that `slot` of `epoch`, the present or the next, draws; none if the epoch's set is empty.
    function _draw(uint256 slot, uint256 epoch) private view returns (bool drawn, Seat storage seat) {
        (uint256 size, uint256 seed) = _setOf(epoch);
        drawn = size != 0;
        uint256 random = uint256(Hashes.efficientKeccak256(bytes32(seed), bytes32(slot)));
        seat = _seats[drawn ? random % size : 0];
    }

    /// @dev Who proposes `slot` of `epoch`, the present or the next; 0 if the epoch's set is empty.
    function _proposerOf(uint256 slot, uint256 epoch) private view returns (address) {
        (bool drawn, Seat storage seat) = _draw(slot, epoch);
        if (!drawn) return address(0);
        return seat.since < epoch ? seat.proposer : _members[seat.ids.forSetOf(epoch)].proposer;
    }

    /// @dev The size of the set of `epoch`, the present or the next, and its seed: the newest one recorded for that
    /// epoch or an earlier one.
    function _setOf(uint256 epoch) private view returns (uint256 size, uint256 seed) {
        size = _meta.sizes.forSetOf(epoch);
        uint256 index = _meta.newestSeed;
        // Seeds are recorded for the next epoch; the present one's is then the other.
        seed = _seeds[_meta.seedEpoch > epoch ? index ^ 1 : index];
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
        // The constructor saw to it that genesis is in the past.
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
        return Fit.toUint40(GENESIS_TIME + Fit.toUint40(slot) * SLOT_DURATION);
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

    /// @dev `numerator / duration` without the compiler's check for 0: the constructor saw to it that no duration is.
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
            attesters[i] = _members[_seats[i].ids.current()].attester;
        }
        return attesters;
    }

    /// @inheritdoc IRollup
    function getActiveAttesterCount() public view returns (uint256) {
        return _meta.sizes.current();
    }

    /// @inheritdoc IRollup
    function registrationCount() public view returns (uint256) {
        return _meta.registrations;
    }

    /// @inheritdoc IRollup
    function blockNumber() external view returns (uint256) {
        return _head.number;
    }

    /// @inheritdoc IRollup
    function lastBlockSlot() external view returns (bool exists, uint256 slot) {
        return (_head.number != 0, _head.slot);
    }
}
