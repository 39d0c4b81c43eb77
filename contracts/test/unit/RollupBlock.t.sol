// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IRewardDistributor} from "canon/interfaces/IRewardDistributor.sol";
import {IRollup} from "canon/interfaces/IRollup.sol";
import {SetLib} from "../Set.sol";
import {Vm} from "../Vm.sol";
import {RollupBase} from "./RollupBase.t.sol";

/// @notice The block log, and the rewards of a canonical rollup.
contract RollupBlockTest is RollupBase {
    uint256 private constant MEMBERS = 5;

    function setUp() public override {
        super.setUp();
        _joinMany(MEMBERS);
        _makeCanonical(address(rollup));
        set.asset.transfer(address(set.rewardDistributor), 10_000 * SetLib.REWARD);
        _toSeededEpoch(2);
    }

    function _propose(bytes32 blockHash) internal returns (address proposer) {
        proposer = rollup.getCurrentProposer();
        vm.prank(proposer);
        rollup.proposeBlock(blockHash);
    }

    function testFuzz_proposeBlock_logsAndIsPaid(uint256 slot, uint256 second, bytes32 blockHash) public {
        slot = bound(slot, 2 * SetLib.EPOCH, 1_000_000);
        second = bound(second, 0, SetLib.SLOT - 1);
        _toSlot(slot);
        vm.warp(_now() + second);
        address proposer = rollup.getCurrentProposer();
        uint256 i = uint160(proposer) - uint160(_proposer(0));
        vm.expectEmit(address(rollup));
        emit IRollup.BlockProposed(1, slot, _attester(i), proposer, blockHash);
        vm.expectEmit(address(set.rewardDistributor));
        emit IRewardDistributor.RewardPaid(address(rollup), slot, proposer, SetLib.REWARD);
        vm.prank(proposer);
        rollup.proposeBlock(blockHash);
        vm.assertEq(rollup.blockNumber(), 1);
        (bool exists, uint256 last) = rollup.lastBlockSlot();
        vm.assertTrue(exists);
        vm.assertEq(last, slot);
        vm.assertEq(set.asset.balanceOf(proposer), SetLib.REWARD);
    }

    function testFuzz_proposeBlock_onlyByTheSlotsProposer(address caller, uint256 slot) public {
        slot = bound(slot, 2 * SetLib.EPOCH, 1_000_000);
        _toSlot(slot);
        address proposer = rollup.getCurrentProposer();
        vm.assume(caller != proposer);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__NotProposer.selector, caller, proposer));
        rollup.proposeBlock("block");
        for (uint256 i; i < MEMBERS; ++i) {
            if (_proposer(i) == proposer) continue;
            vm.prank(_proposer(i));
            vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__NotProposer.selector, _proposer(i), proposer));
            rollup.proposeBlock("block");
        }
    }

    /// @dev The proposer of an empty set or of an epoch without a seed is address 0, which can't propose a block.
    function testFuzz_proposeBlock_byNobodyWithoutASetOrWithoutASeed(address caller, uint256 second, bool silent)
        public
    {
        if (silent) {
            _toEpoch(5);
            vm.assertEq(rollup.getSetSize(5), MEMBERS);
            _assertSeed(5, false, 0);
        } else {
            _use(_parameters());
            vm.warp(_now() + EPOCH_SECONDS + SetLib.SLOT);
            rollup.setupEpoch();
            vm.warp(rollup.GENESIS_TIME() + 2 * EPOCH_SECONDS);
            vm.assertEq(rollup.getSetSize(2), 0);
            _assertSeed(2, true, uint256(keccak256("deployment")));
        }
        vm.warp(_now() + bound(second, 0, EPOCH_SECONDS - 1));
        vm.assertEq(rollup.getCurrentProposer(), address(0));
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__NotProposer.selector, caller, address(0)));
        rollup.proposeBlock("block");
        vm.prank(address(0));
        vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__NotProposer.selector, address(0), address(0)));
        rollup.proposeBlock("block");
    }

    function testFuzz_proposeBlock_oncePerSlot(uint256 slot, uint256 first, uint256 second) public {
        slot = bound(slot, 2 * SetLib.EPOCH, 1_000_000);
        first = bound(first, 0, SetLib.SLOT - 1);
        second = bound(second, first, SetLib.SLOT - 1);
        _toSlot(slot);
        vm.warp(_now() + first);
        address proposer = _propose("first");
        vm.warp(START + slot * SetLib.SLOT + second);
        vm.prank(proposer);
        vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__SlotAlreadyProposed.selector, slot));
        rollup.proposeBlock("second");
        _toSlot(slot + 1);
        _propose("next");
        vm.assertEq(rollup.blockNumber(), 2);
        vm.assertEq(_totalPaid(), 2 * SetLib.REWARD);
    }

    function testFuzz_proposeBlock_numbersBlocksWithoutGaps(uint256 seed, uint256 count) public {
        count = bound(count, 1, 30);
        uint256 slot = 2 * SetLib.EPOCH;
        for (uint256 i = 1; i <= count; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            slot += 1 + seed % 9;
            _toSlot(slot);
            vm.prevrandao(bytes32(seed));
            vm.recordLogs();
            _propose(bytes32(seed));
            Vm.Log[] memory logs = vm.getRecordedLogs();
            uint256 found;
            for (uint256 j; j < logs.length; ++j) {
                if (logs[j].topics[0] != IRollup.BlockProposed.selector) continue;
                vm.assertEq(uint256(logs[j].topics[1]), i, "number");
                vm.assertEq(uint256(logs[j].topics[2]), slot, "slot");
                ++found;
            }
            vm.assertEq(found, 1);
            vm.assertEq(rollup.blockNumber(), i);
        }
        vm.assertEq(_totalPaid(), count * SetLib.REWARD);
    }

    function test_lastBlockSlot_doesNotExistBeforeTheFirstBlock() public view {
        (bool exists, uint256 slot) = rollup.lastBlockSlot();
        vm.assertFalse(exists);
        vm.assertEq(slot, 0);
        vm.assertEq(rollup.blockNumber(), 0);
    }

    function testFuzz_reward_goesToTheCoinbase(address coinbase) public {
        vm.assume(coinbase != address(0) && set.asset.balanceOf(coinbase) == 0);
        for (uint256 i; i < MEMBERS; ++i) {
            vm.prank(_withdrawer(i));
            rollup.setCoinbase(_attester(i), coinbase);
        }
        address proposer = _propose("block");
        vm.assertEq(set.asset.balanceOf(coinbase), SetLib.REWARD);
        if (proposer != coinbase) vm.assertEq(set.asset.balanceOf(proposer), 0);
    }

    /// @dev The seat of a closed set keeps its duty and its reward, whatever became of the attester.
    function testFuzz_reward_ofWhoHasLeft(uint256 how, uint256 slot) public {
        slot = bound(slot, 2 * SetLib.EPOCH, 4 * SetLib.EPOCH - 1);
        how %= 3;
        for (uint256 i; i < MEMBERS; ++i) {
            vm.prank(_withdrawer(i));
            rollup.setCoinbase(_attester(i), address(0xC0FFEE));
            if (how == 0) _leave(i);
            if (how == 1) _slash(i, STAKE);
        }
        _toSlot(slot);
        _propose("block");
        vm.assertEq(set.asset.balanceOf(address(0xC0FFEE)), SetLib.REWARD);
    }

    /// @dev The old registration's coinbase, not that of the same attester's new one.
    function test_reward_ofAFormerRegistrationGoesToItsOwnCoinbase() public {
        IRollup next = SetLib.rollup(_parameters());
        for (uint256 i; i < MEMBERS; ++i) {
            vm.prank(_withdrawer(i));
            rollup.setCoinbase(_attester(i), address(0x01D));
            _move(i, address(next));
        }
        _makeCanonical(address(next));
        _toSeededEpoch(4);
        for (uint256 i; i < MEMBERS; ++i) {
            rollup.finaliseMove(_attester(i));
            rollup.deposit(_attester(i), address(0xBADD), address(0xBADE), STAKE);
            vm.prank(address(0xBADE));
            rollup.setCoinbase(_attester(i), address(0x0E3));
        }
        IRollup old = rollup;
        vm.mockCall(
            address(set.registry), abi.encodeCall(set.registry.getRollup, ()), abi.encode(address(old))
        );
        address proposer = _propose("block");
        vm.assertNotEq(proposer, address(0xBADD));
        vm.assertEq(set.asset.balanceOf(address(0x01D)), SetLib.REWARD);
        vm.assertEq(set.asset.balanceOf(address(0x0E3)), 0);
    }

    /// @dev A rollup that isn't canonical any more works on and earns nothing.
    function testFuzz_replacedRollup_worksOnAndEarnsNothing(uint256 before, uint256 afterwards) public {
        before = bound(before, 0, 8);
        afterwards = bound(afterwards, 1, 8);
        for (uint256 i; i < before; ++i) {
            _propose("block");
            skip(SetLib.SLOT);
        }
        _makeCanonical(address(SetLib.rollup(set)));
        for (uint256 i; i < afterwards; ++i) {
            skip(SetLib.SLOT);
            _propose("block");
        }
        vm.assertEq(rollup.blockNumber(), before + afterwards);
        vm.assertEq(_totalPaid(), before * SetLib.REWARD);
    }

    function testFuzz_reward_isWhatIsLeft(uint256 left) public {
        left = bound(left, 0, SetLib.REWARD);
        uint256 held = set.asset.balanceOf(address(set.rewardDistributor));
        vm.prank(address(set.rewardDistributor));
        set.asset.transfer(address(this), held - left);
        address proposer = _propose("block");
        vm.assertEq(set.asset.balanceOf(proposer), left);
        skip(SetLib.SLOT);
        _propose("another");
        vm.assertEq(rollup.blockNumber(), 2);
    }

    /// @dev Only the rollup itself claims: the distributor pays no other caller.
    function testFuzz_reward_cannotBeClaimedForARollup(address caller) public {
        vm.assume(caller != address(rollup));
        vm.prank(caller);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRewardDistributor.RewardDistributor__NotCanonical.selector, caller, address(rollup)
            )
        );
        set.rewardDistributor.claim(caller);
        address proposer = _propose("block");
        vm.assertEq(set.asset.balanceOf(proposer), SetLib.REWARD);
    }

    function _totalPaid() internal view returns (uint256) {
        return 10_000 * SetLib.REWARD - set.asset.balanceOf(address(set.rewardDistributor));
    }
}
