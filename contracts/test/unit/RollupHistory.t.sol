// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IRollup} from "canon/interfaces/IRollup.sol";
import {SetLib} from "../Set.sol";
import {RollupBase} from "./RollupBase.t.sol";

/// @notice Closed sets, seeds and draws compared with a model that copies the whole set when an epoch begins.
/// @dev The model knows no seats: a set is a list of attesters, each with the proposer with which it joined.
contract RollupHistoryTest is RollupBase {
    struct Entry {
        address attester;
        address proposer;
    }

    struct Keys {
        uint256 stake;
        address proposer;
        address withdrawer;
        bool validating;
        uint256 exitableAt;
        uint256 readyAt;
    }

    uint256 private constant POOL = 12;

    IRollup internal next;
    /// The set as it stands.
    Entry[] internal present;
    /// Copies of it: what was closed as the set of an epoch.
    mapping(uint256 epoch => Entry[]) internal closed;
    mapping(uint256 epoch => bool) internal isClosed;
    /// The order of a closed set's members when it was first seen.
    mapping(uint256 epoch => bytes32) internal orderOf;
    mapping(address attester => Keys) internal keys;
    mapping(uint256 epoch => bool) internal isSeeded;
    mapping(uint256 epoch => uint256) internal seeds;
    uint256 internal joins;
    uint256 internal moves;
    uint256 internal blocks;
    /// Slots looked at that had a proposer.
    uint256 internal drawnSlots;
    /// The first slot that has no block yet.
    uint256 internal freeSlot;

    function setUp() public override {
        super.setUp();
        next = SetLib.rollup(_parameters());
        _makeCanonical(address(next));
        isClosed[0] = isClosed[1] = true;
    }

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_setsSeedsAndDraws_areThoseOfTheModel(uint256 seed) public {
        for (uint256 step; step < 60; ++step) {
            seed = uint256(keccak256(abi.encode(seed)));
            _wait(seed);
            vm.prevrandao(bytes32(seed));
            _act(seed >> 16, seed % POOL);
            _compare(seed >> 32);
        }
    }

    /// @dev Somebody acts in every slot of every epoch, so that every word of the history is full all the time.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_aSetThatChangesInEveryEpoch_isThatOfTheModel(uint256 seed) public {
        for (uint256 epoch; epoch < 20; ++epoch) {
            for (uint256 i; i < SetLib.EPOCH; ++i) {
                seed = uint256(keccak256(abi.encode(seed)));
                _warp(_startOf(epoch) + i * SetLib.SLOT);
                _compare(seed >> 24);
                vm.prevrandao(bytes32(seed));
                _act(seed >> 16, seed % POOL);
                _compare(seed);
            }
            _warp(_startOf(epoch + 1) - 1);
            _compare(seed >> 8);
        }
        vm.assertGt(drawnSlots, 0);
    }

    /// @dev Joins and leaves alone, many within an epoch, in epochs in a row and with one or two in between: a seat
    /// changes hands several times while sets that have it are still asked for.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_seatsThatChangeHandsOften_areThoseOfTheModel(uint256 seed) public {
        for (uint256 i; i < 3; ++i) {
            _enter(i);
        }
        uint256 epoch;
        for (uint256 step; step < 16; ++step) {
            seed = uint256(keccak256(abi.encode(seed)));
            // Mostly the next epoch, sometimes the one after it or the third.
            epoch += seed % 8 < 6 ? 1 : seed % 8 - 4;
            _warp(_startOf(epoch) + (seed >> 8) % EPOCH_SECONDS);
            uint256 changes = (seed >> 16) % 7;
            for (uint256 i; i < changes; ++i) {
                seed = uint256(keccak256(abi.encode(seed)));
                vm.prevrandao(bytes32(seed));
                uint256 who = seed % POOL;
                Keys storage k = keys[_attester(who)];
                if (k.validating) {
                    _exit(who);
                } else {
                    if (k.exitableAt != 0 && _now() >= k.exitableAt) _finish(who);
                    if (k.withdrawer == address(0)) _enter(who);
                }
            }
            _compare(seed >> 32);
            _warp(_startOf(epoch + 1));
            _compare(seed >> 64);
        }
    }

    /// @dev Bursts within one epoch with long silence in between.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_burstsAndSilence_areThoseOfTheModel(uint256 seed) public {
        for (uint256 burst; burst < 6; ++burst) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 epoch = rollup.getCurrentEpoch() + seed % 120;
            _warp(_startOf(epoch) + (seed >> 8) % EPOCH_SECONDS);
            for (uint256 i; i < 10; ++i) {
                seed = uint256(keccak256(abi.encode(seed)));
                vm.prevrandao(bytes32(seed));
                _act(seed >> 16, seed % POOL);
                _compare(seed);
            }
            for (uint256 i = 1; i < 4; ++i) {
                _warp(_startOf(rollup.getCurrentEpoch() + 1));
                _compare(seed + i);
            }
        }
    }

    /// @dev The set fills to a random size, empties completely, and fills again.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_setsThatFillAndEmpty_areThoseOfTheModel(uint256 seed) public {
        for (uint256 round; round < 4; ++round) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 size = seed % POOL + 1;
            for (uint256 i; i < size; ++i) {
                _wait(seed >> (i * 8));
                if (keys[_attester(i)].stake == 0) _enter(i);
                _compare(seed >> i);
            }
            for (uint256 i; i < size; ++i) {
                _wait(seed >> (i * 8 + 3));
                if (keys[_attester(i)].validating) _exit(i);
                _compare(seed >> i);
            }
            _warp(_now() + EXIT_DELAY);
            for (uint256 i; i < size; ++i) {
                if (keys[_attester(i)].exitableAt != 0) _finish(i);
            }
            _compare(seed);
        }
    }

    /*//////////////////////////////////////////////////////////////
                                THE MODEL
    //////////////////////////////////////////////////////////////*/

    /// @dev Sometimes within the slot, sometimes within the epoch, sometimes epochs later, seldom a hundred.
    function _wait(uint256 random) internal {
        uint256 kind = random % 16;
        uint256 amount = (random >> 4) % 1_000_003;
        uint256 duration = kind < 4
            ? 0
            : kind < 9
                ? amount % SetLib.SLOT
                : kind < 13
                    ? amount % EPOCH_SECONDS
                    : kind < 15 ? amount % (5 * EPOCH_SECONDS) : amount % (120 * EPOCH_SECONDS);
        _warp(_now() + duration);
    }

    /// @dev Time passes. Mostly somebody has called in the epoch before the one that it leads to, since an epoch
    /// without a seed draws nobody.
    function _warp(uint256 time) internal {
        uint256 epoch = (time - START) / EPOCH_SECONDS;
        bytes32 random = keccak256(abi.encode("keeper", time));
        if (epoch != 0 && uint256(random) % 4 != 0) {
            uint256 second = _startOf(epoch - 1) + SetLib.SLOT;
            if (_now() < second) {
                _pass(second);
                vm.prevrandao(random);
                _recordSeed();
                rollup.setupEpoch();
            }
        }
        _pass(time);
    }

    /// @dev Each epoch that begins closes the set of the epoch after it.
    function _pass(uint256 time) internal {
        uint256 from = rollup.getCurrentEpoch();
        uint256 to = (time - START) / EPOCH_SECONDS;
        vm.warp(time);
        // Sets of epochs that are over cannot be asked for.
        uint256 first = to > from + 2 ? to - 2 : from;
        for (uint256 epoch = first + 1; epoch <= to; ++epoch) {
            for (uint256 i; i < present.length; ++i) {
                closed[epoch + 1].push(present[i]);
            }
            isClosed[epoch + 1] = true;
        }
    }

    /// @dev The first call of an epoch after its first slot records the seed of the next.
    function _recordSeed() internal {
        uint256 next_ = rollup.getCurrentEpoch() + 1;
        if (isSeeded[next_] || rollup.getCurrentSlot() % SetLib.EPOCH == 0) return;
        isSeeded[next_] = true;
        seeds[next_] = block.prevrandao;
    }

    /// @dev Something that `i` can do now; `setupEpoch` if there is nothing.
    function _act(uint256 random, uint256 i) internal {
        Keys storage k = keys[_attester(i)];
        uint256 op = random % 8;
        bool movable = k.validating && k.readyAt != 0 && _now() >= k.readyAt;
        if (k.withdrawer == address(0)) {
            _enter(i);
        } else if (k.exitableAt != 0) {
            if (_now() >= k.exitableAt && op < 6) _finish(i);
            else _punish(i, random >> 8);
        } else if (!k.validating) {
            if (op < 4) _exit(i);
            else _punish(i, random >> 8);
        } else if (op < 2) {
            _exit(i);
        } else if (op < 4) {
            _punish(i, random >> 8);
        } else if (movable && op < 7) {
            _finishMove(i);
        } else if (op == 4) {
            _recordSeed();
            vm.prank(k.withdrawer);
            rollup.initiateMove(_attester(i), address(next));
            if (k.readyAt == 0) k.readyAt = _now() + EXIT_DELAY;
        } else if (op == 5) {
            _recordSeed();
            vm.prank(k.withdrawer);
            rollup.setCoinbase(_attester(i), address(0xC01));
        } else {
            _recordSeed();
            rollup.setupEpoch();
        }
    }

    /// @dev Joins with keys never used before.
    function _enter(uint256 i) internal {
        _recordSeed();
        ++joins;
        Keys storage k = keys[_attester(i)];
        k.stake = STAKE;
        k.proposer = _proposer(1000 * i + joins);
        k.withdrawer = _withdrawer(1000 * i + joins);
        k.validating = true;
        rollup.deposit(_attester(i), k.proposer, k.withdrawer, STAKE);
        present.push(Entry(_attester(i), k.proposer));
    }

    function _exit(uint256 i) internal {
        _recordSeed();
        Keys storage k = keys[_attester(i)];
        vm.prank(k.withdrawer);
        rollup.initiateWithdraw(_attester(i), _recipient(i));
        if (k.validating) _remove(_attester(i));
        k.validating = false;
        k.exitableAt = _now() + EXIT_DELAY;
    }

    function _finish(uint256 i) internal {
        _recordSeed();
        rollup.finaliseWithdraw(_attester(i));
        delete keys[_attester(i)];
    }

    /// @dev Under another attester there each time, so that it may come back here at once and move again.
    function _finishMove(uint256 i) internal {
        _recordSeed();
        ++moves;
        vm.prank(keys[_attester(i)].withdrawer);
        rollup.finaliseMove(_attester(i), address(uint160(0x5E1F000000 + moves)));
        _remove(_attester(i));
        delete keys[_attester(i)];
    }

    function _punish(uint256 i, uint256 random) internal {
        Keys storage k = keys[_attester(i)];
        if (k.stake == 0) return;
        uint256 amount = random % k.stake + 1;
        _recordSeed();
        _slash(i, amount);
        k.stake -= amount;
        if (k.validating && k.stake < STAKE) {
            k.validating = false;
            _remove(_attester(i));
        }
    }

    function _remove(address attester) internal {
        for (uint256 i; i < present.length; ++i) {
            if (present[i].attester != attester) continue;
            // Keeps the order, unlike the rollup: the model's sets are compared as sets.
            for (; i + 1 < present.length; ++i) {
                present[i] = present[i + 1];
            }
            present.pop();
            return;
        }
        revert("not in the set");
    }

    /*//////////////////////////////////////////////////////////////
                               COMPARISON
    //////////////////////////////////////////////////////////////*/

    function _compare(uint256 random) internal {
        vm.assertEq(rollup.getActiveAttesterCount(), present.length, "size now");
        address[] memory attesters = rollup.getAttesters();
        vm.assertEq(attesters.length, present.length, "list now");
        for (uint256 i; i < attesters.length; ++i) {
            vm.assertTrue(_contains(present, Entry(attesters[i], keys[attesters[i]].proposer)), "member now");
        }
        uint256 epoch = rollup.getCurrentEpoch();
        _compareEpoch(epoch, random);
        _compareEpoch(epoch + 1, random >> 16);
    }

    function _compareEpoch(uint256 epoch, uint256 random) internal {
        vm.assertTrue(isClosed[epoch], "the model closed it");
        Entry[] storage expected = closed[epoch];
        uint256 size = rollup.getSetSize(epoch);
        uint256 seed = seeds[epoch];
        vm.assertEq(size, expected.length, "size of a closed set");
        _assertSeed(epoch, isSeeded[epoch], seed);

        Entry[] memory found = new Entry[](size);
        for (uint256 i; i < size; ++i) {
            (address attester, address proposer) = rollup.getMember(epoch, i);
            found[i] = Entry(attester, proposer);
            vm.assertTrue(_contains(expected, found[i]), "member of a closed set");
            for (uint256 j; j < i; ++j) {
                vm.assertNotEq(found[j].attester, attester);
            }
        }
        bytes32 order = keccak256(abi.encode(found));
        if (orderOf[epoch] == 0) orderOf[epoch] = order;
        vm.assertEq(orderOf[epoch], order, "the order of a closed set changed");

        uint256 slot = epoch * SetLib.EPOCH + random % SetLib.EPOCH;
        bool isDrawn = size != 0 && isSeeded[epoch];
        address drawn = isDrawn ? found[_index(seed, slot, size)].proposer : address(0);
        if (isDrawn) ++drawnSlots;
        vm.assertEq(rollup.getProposerAt(START + slot * SetLib.SLOT + (random >> 8) % SetLib.SLOT), drawn, "draw");
        if (slot != rollup.getCurrentSlot()) return;
        vm.assertEq(rollup.getCurrentProposer(), drawn, "current proposer");
        if (isDrawn && slot >= freeSlot) _proposeBlock(slot, found[_index(seed, slot, size)]);
    }

    /// @dev The drawn member's block, in the name of its attester whatever became of that.
    function _proposeBlock(uint256 slot, Entry memory drawn) internal {
        _recordSeed();
        freeSlot = slot + 1;
        vm.expectEmit(address(rollup));
        emit IRollup.BlockProposed(++blocks, slot, drawn.attester, drawn.proposer, "block");
        vm.prank(drawn.proposer);
        rollup.proposeBlock("block");
    }

    function _contains(Entry[] storage list, Entry memory entry) internal view returns (bool) {
        for (uint256 i; i < list.length; ++i) {
            if (list[i].attester == entry.attester) return list[i].proposer == entry.proposer;
        }
        return false;
    }
}
