// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IRewardDistributor} from "canon/interfaces/IRewardDistributor.sol";
import {IRollup, RollupParameters, Status} from "canon/interfaces/IRollup.sol";
import {HostileRollup} from "../mocks/HostileRollup.sol";
import {SetLib} from "../Set.sol";
import {Rule} from "./Rules.sol";
import {Setting} from "./Setting.sol";

/// @notice Stakers, withdrawers and proposers of every rollup, and what must hold of its sets, draws and rewards.
abstract contract RollupHandler is Setting {
    /// @dev A set as a sum that doesn't depend on its order.
    struct Summary {
        uint256 size;
        uint256 sum;
    }

    struct Model {
        /// The set now, when this epoch began, and when the one before it began.
        Summary current;
        Summary closed;
        Summary before;
        uint256 epoch;
        /// The newest seed, and the epoch it was recorded for; the one before it.
        uint256 seed;
        uint256 seedEpoch;
        uint256 olderSeed;
        uint256 olderSeedEpoch;
        uint256 blocks;
        uint256 lastBlockSlot;
        /// All that is staked or exits.
        uint256 stakes;
        /// Taken by slashes: stays in the contract.
        uint256 slashed;
    }

    mapping(IRollup => Model) internal models;

    /// @dev Who proposed a slot when it was first asked, plus one bit that it was.
    mapping(IRollup => mapping(uint256 slot => uint256)) private _proposerOf;

    mapping(address rollup => mapping(uint256 slot => bool)) private _paid;
    uint256 private _lastPayment;

    mapping(IRollup => mapping(address attester => uint256)) internal stakeOf;

    mapping(IRollup => mapping(address attester => bool)) private _inSet;

    /*//////////////////////////////////////////////////////////////
                                 ROLLUPS
    //////////////////////////////////////////////////////////////*/

    function _newRollup() internal returns (IRollup rollup) {
        RollupParameters memory p = SetLib.parameters(set);
        p.genesisTime = _now();
        // The shortest exits allowed, so that attesters come and go quickly.
        p.exitDelay = 2 * SetLib.EPOCH * SetLib.SLOT;
        rollup = SetLib.rollup(p);
        _addRollup(rollup);
    }

    function _addRollup(IRollup rollup) internal {
        rollups.push(rollup);
        isHonest[address(rollup)] = true;
        for (uint256 i; i < HOLDERS; ++i) {
            _approve(holders[i], address(rollup));
        }
    }

    function _rollup() internal returns (IRollup) {
        address canonical = registry.getRollup();
        if (isHonest[canonical] && !_chance(3)) return IRollup(canonical);
        return rollups[_draw(rollups.length)];
    }

    function _attester() internal returns (address) {
        return address(uint160(0xA77E57E0 + _draw(ATTESTERS)));
    }

    /// @dev An attester with a stake, if a few tries find one.
    function _staked(IRollup rollup) internal returns (address attester) {
        for (uint256 i; i < 6; ++i) {
            attester = _attester();
            if (stakeOf[rollup][attester] != 0) break;
        }
    }

    /// @dev A call that changed `rollup`: the first one of an epoch after its first slot seeds the next.
    function _touch(IRollup rollup) internal {
        Model storage m = models[rollup];
        uint256 slot = rollup.getCurrentSlot();
        uint256 epoch = slot / SetLib.EPOCH + 1;
        if (slot % SetLib.EPOCH == 0 || m.seedEpoch == epoch) return;
        (m.olderSeed, m.olderSeedEpoch) = (m.seed, m.seedEpoch);
        (m.seed, m.seedEpoch) = (block.prevrandao, epoch);
    }

    /// @dev The seed recorded for `epoch`, this one or the next.
    function _seedOf(IRollup rollup, uint256 epoch) private view returns (bool recorded, uint256 seed) {
        Model storage m = models[rollup];
        // Epoch 0 has none, since none comes before it.
        if (epoch == 0) return (false, 0);
        if (m.seedEpoch == epoch) return (true, m.seed);
        return m.olderSeedEpoch == epoch ? (true, m.olderSeed) : (false, 0);
    }

    function _member(address attester, address proposer) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(attester, proposer)));
    }

    function _joins(IRollup rollup, address attester, address proposer, uint256 amount) internal {
        Model storage m = models[rollup];
        unchecked {
            m.current.sum += _member(attester, proposer);
        }
        ++m.current.size;
        m.stakes += amount;
        stakeOf[rollup][attester] = amount;
        _inSet[rollup][attester] = true;
    }

    /// @dev Governance slashed: what was taken stays in the contract, and who has too little left leaves the set.
    function _slashed(IRollup rollup, address attester, uint256 amount) internal {
        Model storage m = models[rollup];
        m.stakes -= amount;
        m.slashed += amount;
        stakeOf[rollup][attester] -= amount;
        (,, address proposer, Status status) = rollup.getInfo(attester);
        if (_inSet[rollup][attester] && stakeOf[rollup][attester] < SetLib.STAKE) {
            _leaves(rollup, attester, proposer);
            _check(status == Status.Living, Rule.Stakes, "slashed below the minimum and still in the set");
        }
        _touch(rollup);
        _did("slash");
    }

    function _leaves(IRollup rollup, address attester, address proposer) internal {
        Model storage m = models[rollup];
        unchecked {
            m.current.sum -= _member(attester, proposer);
        }
        _inSet[rollup][attester] = false;
        --m.current.size;
    }

    function _released(IRollup rollup, address attester) private {
        models[rollup].stakes -= stakeOf[rollup][attester];
        stakeOf[rollup][attester] = 0;
    }

    /*//////////////////////////////////////////////////////////////
                                  TIME
    //////////////////////////////////////////////////////////////*/

    /// @dev Every change of the time goes through here. On the way somebody keeps the canonical rollup's draws alive,
    /// most of the time.
    function _warpTo(uint256 timestamp) internal {
        if (timestamp <= _now()) return;
        address canonical = registry.getRollup();
        if (isHonest[canonical] && !_chance(12)) _keepAlive(IRollup(canonical), timestamp);
        _advance(timestamp);
    }

    /// @dev `setupEpoch` in the epoch before that of `timestamp`, so that this has proposers; mostly in time.
    function _keepAlive(IRollup rollup, uint256 timestamp) private {
        uint256 epoch = rollup.getEpochAt(timestamp);
        if (epoch == rollup.getCurrentEpoch()) return;
        _advance(rollup.getTimestampForSlot(epoch * SetLib.EPOCH - 1 - _draw(SetLib.EPOCH)));
        (bool success,) = _call(stranger, address(rollup), abi.encodeCall(rollup.setupEpoch, ()));
        _check(success, Rule.Seeds, "setupEpoch failed");
        _touch(rollup);
    }

    /// @dev Sets are closed when an epoch begins.
    function _advance(uint256 timestamp) private {
        if (timestamp <= _now()) return;
        vm.roll(vm.getBlockNumber() + (timestamp - _now()) / 12 + 1);
        vm.warp(timestamp);
        vm.prevrandao(keccak256(abi.encode("random", timestamp, steps)));
        for (uint256 i; i < rollups.length; ++i) {
            Model storage m = models[rollups[i]];
            uint256 epoch = rollups[i].getCurrentEpoch();
            if (epoch == m.epoch) continue;
            m.before = epoch == m.epoch + 1 ? m.closed : m.current;
            m.closed = m.current;
            m.epoch = epoch;
        }
    }

    /*//////////////////////////////////////////////////////////////
                                  STEPS
    //////////////////////////////////////////////////////////////*/

    function stake(uint256 seed) external step(seed) {
        _stake(_rollup(), _attester());
    }

    function _stake(IRollup rollup, address attester) internal {
        address proposer = _holder();
        address withdrawer = _holder();
        address from = _holder();
        uint256 amount = SetLib.STAKE + (_chance(3) ? _draw(50e18) : 0);
        bool low = _chance(10);
        if (low) amount = _draw(SetLib.STAKE);
        (uint256 present,,, Status status) = rollup.getInfo(attester);
        (bool success,) =
            _call(from, address(rollup), abi.encodeCall(rollup.deposit, (attester, proposer, withdrawer, amount)));
        if (!success) return;
        _check(!low && status == Status.None && present == 0, Rule.Stakes, "joined twice or with too little");
        _joins(rollup, attester, proposer, amount);
        _touch(rollup);
        _did("stake");
    }

    function exit(uint256 seed) external step(seed) {
        IRollup rollup = _rollup();
        address attester = _staked(rollup);
        (, address withdrawer, address proposer, Status status) = rollup.getInfo(attester);
        address caller = _chance(5) ? _holder() : withdrawer;
        (bool success,) =
            _call(caller, address(rollup), abi.encodeCall(rollup.initiateWithdraw, (attester, _holder())));
        if (!success) return;
        _check(caller == withdrawer, Rule.Stakes, "exit by another than the withdrawer");
        if (status == Status.Validating) _leaves(rollup, attester, proposer);
        _touch(rollup);
        _did("exit");
    }

    function finaliseExit(uint256 seed) external step(seed) {
        IRollup rollup = _rollup();
        address attester = _exiting(rollup);
        (uint256 exitableAt, address recipient) = rollup.getExit(attester);
        if (exitableAt != 0 && _chance(2)) _warpTo(exitableAt - _draw(2));
        uint256 balance = asset.balanceOf(recipient);
        (bool success,) = _call(_holder(), address(rollup), abi.encodeCall(rollup.finaliseWithdraw, (attester)));
        if (!success) return;
        _check(exitableAt != 0 && _now() >= exitableAt, Rule.Stakes, "exit too early");
        _check(asset.balanceOf(recipient) == balance + stakeOf[rollup][attester], Rule.Stakes, "wrong exit");
        _released(rollup, attester);
        _touch(rollup);
        _did("finaliseExit");
    }

    /// @dev An exiting attester of `rollup`, if a few tries find one.
    function _exiting(IRollup rollup) private returns (address attester) {
        for (uint256 i; i < 5; ++i) {
            attester = _attester();
            (uint256 exitableAt,) = rollup.getExit(attester);
            if (exitableAt != 0) break;
        }
    }

    function announceMove(uint256 seed) external step(seed) {
        IRollup from = _rollup();
        _announceMove(from, _staked(from));
    }

    function _announceMove(IRollup from, address attester) private {
        (, address withdrawer,,) = from.getInfo(attester);
        address to = !_chance(3) ? registry.getRollup() : address(rollups[_draw(rollups.length)]);
        if (_chance(8)) to = address(uint160(_draw(5)));
        address caller = _chance(5) ? _holder() : withdrawer;
        (bool success,) = _call(caller, address(from), abi.encodeCall(from.initiateMove, (attester, to)));
        if (!success) return;
        _check(caller == withdrawer && to != address(from), Rule.Stakes, "move by another than the withdrawer");
        _touch(from);
        _did("announceMove");
    }

    function finaliseMove(uint256 seed) external step(seed) {
        IRollup from;
        address attester;
        // Mostly where a stake is left to move.
        for (uint256 i; i < 6; ++i) {
            from = rollups[_draw(rollups.length)];
            attester = _staked(from);
            if (address(from) != registry.getRollup() && stakeOf[from][attester] != 0) break;
        }
        _announceMove(from, attester);
        (address to, uint256 readyAt) = from.getMove(attester);
        if (readyAt != 0 && _chance(2)) _warpTo(readyAt - _draw(2));
        (uint256 amount, address withdrawer, address proposer,) = from.getInfo(attester);
        // Under another attester it is the withdrawer's alone.
        bool renames = _chance(3);
        address newAttester = renames ? _attester() : attester;
        address caller = renames && !_chance(4) ? withdrawer : _holder();
        bytes memory data = renames
            ? abi.encodeWithSignature("finaliseMove(address,address)", attester, newAttester)
            : abi.encodeWithSignature("finaliseMove(address)", attester);
        (bool success,) = _call(caller, address(from), data);
        if (!success) return;
        _check(!renames || caller == withdrawer, Rule.Stakes, "renamed by another than the withdrawer");
        _check(readyAt != 0 && _now() >= readyAt, Rule.Stakes, "moved too early");
        _check(to == registry.getRollup() && isHonest[to], Rule.Stakes, "moved to another than the canonical");
        _leaves(from, attester, proposer);
        _released(from, attester);
        _joins(IRollup(to), newAttester, proposer, amount);
        (uint256 moved, address newWithdrawer, address newProposer,) = IRollup(to).getInfo(newAttester);
        _check(
            moved == amount && newWithdrawer == withdrawer && newProposer == proposer,
            Rule.Stakes,
            "moved with other keys"
        );
        _touch(from);
        _touch(IRollup(to));
        _did(renames ? "finaliseMoveRenamed" : "finaliseMove");
    }

    function setCoinbase(uint256 seed) external step(seed) {
        IRollup rollup = _rollup();
        address attester = _staked(rollup);
        (, address withdrawer,,) = rollup.getInfo(attester);
        address caller = _chance(5) ? _holder() : withdrawer;
        (bool success,) = _call(caller, address(rollup), abi.encodeCall(rollup.setCoinbase, (attester, _holder())));
        if (!success) return;
        _check(caller == withdrawer, Rule.Stakes, "coinbase by another than the withdrawer");
        _touch(rollup);
        _did("setCoinbase");
    }

    function setupEpoch(uint256 seed) external step(seed) {
        IRollup rollup = _rollup();
        (bool success,) = _call(stranger, address(rollup), abi.encodeCall(rollup.setupEpoch, ()));
        _check(success, Rule.Seeds, "setupEpoch failed");
        _touch(rollup);
        _did("setupEpoch");
    }

    function proposeBlock(uint256 seed) external step(seed) {
        IRollup rollup = _rollup();
        Model storage m = models[rollup];
        address proposer = rollup.getCurrentProposer();
        address caller = _chance(5) ? _holder() : proposer;
        uint256 slot = rollup.getCurrentSlot();
        uint256 balance = asset.balanceOf(address(distributor));
        (bool success,) = _call(caller, address(rollup), abi.encodeCall(rollup.proposeBlock, (bytes32(seed))));
        bool allowed = caller == proposer && proposer != address(0) && (m.blocks == 0 || m.lastBlockSlot != slot);
        _check(success == allowed, Rule.Blocks, success ? "block that isn't its proposer's" : "proposer refused");
        if (!success) return;
        ++m.blocks;
        m.lastBlockSlot = slot;
        _touch(rollup);
        _rewarded(address(rollup), slot, balance);
        _did("proposeBlock");
    }

    /// @dev What left the distributor when `rollup` claimed for `slot`.
    function _rewarded(address rollup, uint256 slot, uint256 balanceBefore) private {
        uint256 paid = balanceBefore - asset.balanceOf(address(distributor));
        gifts[address(distributor)] -= paid;
        if (paid == 0) return;
        _check(rollup == registry.getRollup(), Rule.Rewards, "paid to a rollup that isn't canonical");
        _check(!_paid[rollup][slot], Rule.Rewards, "a slot paid twice");
        _check(_now() > _lastPayment, Rule.Rewards, "two payments at one timestamp");
        _check(paid <= SetLib.REWARD, Rule.Rewards, "more than the reward");
        _paid[rollup][slot] = true;
        _lastPayment = _now();
        _did("reward");
    }

    /// @dev Claims by accounts that aren't honest rollups, twice in a row.
    function claimDirectly(uint256 seed) external step(seed) {
        if (hostiles.length == 0 || _chance(4)) {
            address claimer = _holder();
            (bool success,) = _call(claimer, address(distributor), abi.encodeCall(IRewardDistributor.claim, (claimer)));
            _check(!success, Rule.Rewards, "paid to a holder");
            return;
        }
        HostileRollup hostile = hostiles[_draw(hostiles.length)];
        address canonical = registry.getRollup();
        if (!isHonest[canonical] && !_chance(4)) hostile = HostileRollup(canonical);
        hostile.setModes(HostileRollup.Mode.Answer, HostileRollup.Mode.Answer);
        for (uint256 i; i < 3; ++i) {
            (, uint256 slot) = distributor.lastPaidSlot(address(hostile));
            slot += _draw(3);
            hostile.setSlot(slot);
            uint256 balance = asset.balanceOf(address(distributor));
            (bool success,) =
                _call(address(hostile), address(distributor), abi.encodeCall(IRewardDistributor.claim, (stranger)));
            _rewarded(address(hostile), slot, balance);
            if (success) _did("claimAsHostile");
        }
    }

    function gift(uint256 seed) external step(seed) {
        address from = _holder();
        address to = _chance(2) ? address(distributor) : address(governance);
        if (_chance(4)) to = address(_rollup());
        uint256 amount = _amount(asset.balanceOf(from) / 100);
        (bool success,) = _call(from, address(asset), abi.encodeCall(asset.transfer, (to, amount)));
        if (!success) return;
        gifts[to] += amount;
        _did("gift");
    }

    function tweakHostileRollup(uint256 seed) external step(seed) {
        if (hostiles.length == 0) return;
        HostileRollup hostile = hostiles[hostiles.length - 1];
        uint256 kind = _draw(6);
        uint256 slot = hostile.slot();
        if (kind == 0) hostile.setSlot(slot == 0 ? 0 : _draw(slot));
        if (kind == 1) hostile.setSlot(_now() + 1 + _draw(1000));
        if (kind == 2) hostile.setSlot(slot + _draw(30));
        if (kind == 3) hostile.setProposer(_holder());
        if (kind == 4) {
            hostile.setModes(HostileRollup.Mode(_draw(7)), HostileRollup.Mode(_draw(7)));
            hostile.setCallback(address(_proposals()), abi.encodeWithSignature("pushProposal(uint256)", slot / 10));
        }
        if (kind == 5) hostile.setModes(HostileRollup.Mode.Answer, HostileRollup.Mode.Answer);
        _did("tweakHostileRollup");
    }

    /*//////////////////////////////////////////////////////////////
                               OBSERVING
    //////////////////////////////////////////////////////////////*/

    function _observeRollups() internal {
        // The newest only, to bound the time.
        for (uint256 i = rollups.length > 4 ? rollups.length - 4 : 0; i < rollups.length; ++i) {
            _observeDraws(rollups[i]);
        }
    }

    /// @dev A slot's proposer, once known, stays: in this epoch, and in the next from its seed on.
    function _observeDraws(IRollup rollup) private {
        Model storage m = models[rollup];
        uint256 first = rollup.getCurrentEpoch() * SetLib.EPOCH;
        uint256 slots = m.seedEpoch == m.epoch + 1 ? 2 * SetLib.EPOCH : SetLib.EPOCH;
        _observeSlot(rollup, first + _draw(slots));
        _observeSlot(rollup, rollup.getCurrentSlot());
    }

    function _observeSlot(IRollup rollup, uint256 slot) private {
        address proposer = rollup.getProposerAt(rollup.getTimestampForSlot(slot));
        (bool recorded,) = _seedOf(rollup, slot / SetLib.EPOCH);
        _check(recorded || proposer == address(0), Rule.Seeds, "a proposer without a seed");
        uint256 seen = _proposerOf[rollup][slot];
        if (seen == 0) _proposerOf[rollup][slot] = (1 << 160) | uint160(proposer);
        else _check(address(uint160(seen)) == proposer, Rule.OneProposer, "another proposer for the same slot");
    }

    /// @dev Compares the sets and seeds of this epoch and the next with the model; the newest rollups only, to bound the
    /// time.
    function _compareSets() internal {
        for (uint256 i = rollups.length > 3 ? rollups.length - 3 : 0; i < rollups.length; ++i) {
            IRollup rollup = rollups[i];
            Model storage m = models[rollup];
            _checkSet(rollup, m.epoch, m.before);
            _checkSet(rollup, m.epoch + 1, m.closed);
            _checkSeed(rollup, m.epoch);
            _checkSeed(rollup, m.epoch + 1);
        }
    }

    function _checkSeed(IRollup rollup, uint256 epoch) private {
        (bool recorded, uint256 seed) = rollup.getSeed(epoch);
        (bool expected, uint256 expectedSeed) = _seedOf(rollup, epoch);
        _check(recorded == expected && seed == expectedSeed, Rule.Seeds, "another seed");
        _did(recorded ? "seeded" : "silent");
    }

    function _checkSet(IRollup rollup, uint256 epoch, Summary memory expected) private {
        uint256 size = rollup.getSetSize(epoch);
        _check(size == expected.size, Rule.ClosedSets, "size of a closed set");
        uint256 sum;
        for (uint256 i; i < size; ++i) {
            (address attester, address proposer) = rollup.getMember(epoch, i);
            unchecked {
                sum += _member(attester, proposer);
            }
        }
        _check(sum == expected.sum, Rule.ClosedSets, "members of a closed set");
    }
}
