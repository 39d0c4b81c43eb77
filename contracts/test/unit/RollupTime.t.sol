// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ICommon} from "canon/interfaces/ICommon.sol";
import {IRegistry} from "canon/interfaces/IRegistry.sol";
import {IRewardDistributor} from "canon/interfaces/IRewardDistributor.sol";
import {IRollup, RollupParameters} from "canon/interfaces/IRollup.sol";
import {SetLib} from "../Set.sol";
import {Deployer} from "../mocks/Deployer.sol";
import {RollupBase} from "./RollupBase.t.sol";

/// @notice What a rollup is deployed with; slots and epochs.
contract RollupTimeTest is RollupBase {
    Deployer internal deployer;
    bytes internal code;

    function setUp() public override {
        super.setUp();
        deployer = new Deployer();
        code = vm.getCode(SetLib.artifact("Rollup"));
    }

    /// @dev Any durations and any genesis up to now.
    function _fuzzed(uint256 genesis, uint256 slotDuration, uint256 epochDuration)
        internal
        view
        returns (RollupParameters memory p)
    {
        p = SetLib.parameters(set);
        p.genesisTime = bound(genesis, 0, START);
        p.slotDuration = bound(slotDuration, 1, 10 days);
        p.epochDuration = bound(epochDuration, 1, 100_000);
        p.exitDelay = 2 * p.slotDuration * p.epochDuration;
    }

    function _refused(RollupParameters memory p, bytes memory refusal) internal {
        vm.expectRevert(refusal);
        deployer.deploy(code, abi.encode(p));
    }

    function testFuzz_constructor_keepsAndEmitsItsArguments(
        uint256 genesis,
        uint256 slotDuration,
        uint256 epochDuration,
        uint256 minimumStake,
        uint256 exitDelay,
        address owner
    ) public {
        vm.assume(owner != address(0));
        RollupParameters memory p = _fuzzed(genesis, slotDuration, epochDuration);
        p.minimumStake = bound(minimumStake, 1, type(uint96).max);
        p.exitDelay = bound(exitDelay, 2 * p.slotDuration * p.epochDuration, type(uint40).max);
        p.owner = owner;
        vm.expectEmit();
        emit Ownable.OwnershipTransferred(address(0), owner);
        vm.expectEmit();
        emit IRollup.RollupDeployed(p);
        IRollup r = IRollup(deployer.deploy(code, abi.encode(p)));
        vm.assertEq(r.GENESIS_TIME(), p.genesisTime);
        vm.assertEq(r.SLOT_DURATION(), p.slotDuration);
        vm.assertEq(r.EPOCH_DURATION(), p.epochDuration);
        vm.assertEq(r.MINIMUM_STAKE(), p.minimumStake);
        vm.assertEq(r.EXIT_DELAY(), p.exitDelay);
        vm.assertEq(address(r.ASSET()), address(set.asset));
        vm.assertEq(address(r.REGISTRY()), address(set.registry));
        vm.assertEq(address(r.REWARD_DISTRIBUTOR()), address(set.rewardDistributor));
        vm.assertEq(Ownable(address(r)).owner(), owner);
        vm.assertEq(r.getActiveAttesterCount(), 0);
        vm.assertEq(r.getAttesters().length, 0);
        vm.assertEq(r.registrationCount(), 0);
        vm.assertEq(r.blockNumber(), 0);
    }

    /// @dev The constructor counts as a call: it records the seed of the epoch after its own.
    function testFuzz_constructor_recordsASeed(uint256 genesis, uint256 slotDuration, uint256 epochDuration, uint256 seed)
        public
    {
        RollupParameters memory p = _fuzzed(genesis, slotDuration, epochDuration);
        uint256 epoch = (START - p.genesisTime) / p.slotDuration / p.epochDuration;
        vm.prevrandao(bytes32(seed));
        vm.expectEmit();
        emit IRollup.SeedRecorded(epoch + 1, seed);
        IRollup r = IRollup(deployer.deploy(code, abi.encode(p)));
        vm.assertEq(r.getSeed(epoch + 1), seed);
        vm.assertEq(r.getSeed(epoch), 0);
        vm.assertEq(r.getSetSize(epoch), 0);
        vm.assertEq(r.getSetSize(epoch + 1), 0);
        vm.assertEq(r.getCurrentProposer(), address(0));
    }

    function testFuzz_constructor_refusesAGenesisAfterNow(uint256 genesis) public {
        RollupParameters memory p = SetLib.parameters(set);
        p.genesisTime = bound(genesis, START + 1, type(uint256).max);
        _refused(p, abi.encodeWithSelector(IRollup.Rollup__GenesisInFuture.selector, p.genesisTime, START));
    }

    function testFuzz_constructor_refusesZeroDurations(uint256 slotDuration, uint256 epochDuration, uint256 which)
        public
    {
        RollupParameters memory p = SetLib.parameters(set);
        which %= 3;
        p.slotDuration = which == 1 ? bound(slotDuration, 1, 1 days) : 0;
        p.epochDuration = which == 0 ? bound(epochDuration, 1, 100) : 0;
        _refused(p, abi.encodeWithSelector(IRollup.Rollup__ZeroDuration.selector, p.slotDuration, p.epochDuration));
    }

    function test_constructor_refusesAMinimumStakeOfZero() public {
        RollupParameters memory p = SetLib.parameters(set);
        p.minimumStake = 0;
        _refused(p, abi.encodeWithSelector(IRollup.Rollup__ZeroMinimumStake.selector));
    }

    function testFuzz_constructor_refusesAnExitDelayBelowTwoEpochs(
        uint256 slotDuration,
        uint256 epochDuration,
        uint256 exitDelay
    ) public {
        RollupParameters memory p = _fuzzed(START, slotDuration, epochDuration);
        uint256 twoEpochs = p.exitDelay;
        p.exitDelay = bound(exitDelay, 0, twoEpochs - 1);
        _refused(p, abi.encodeWithSelector(IRollup.Rollup__ExitDelayTooShort.selector, p.exitDelay, twoEpochs));
    }

    function testFuzz_constructor_refusesWhatDoesNotFit(uint256 which, uint256 value) public {
        RollupParameters memory p = SetLib.parameters(set);
        which %= 4;
        uint256 max = which == 3 ? type(uint96).max : type(uint40).max;
        value = bound(value, max + 1, type(uint256).max);
        if (which == 0) p.slotDuration = value;
        if (which == 1) p.epochDuration = value;
        if (which == 2) p.exitDelay = value;
        if (which == 3) p.minimumStake = value;
        _refused(p, abi.encodeWithSelector(ICommon.ValueTooLarge.selector, value, max));
    }

    function testFuzz_constructor_refusesZeroAddresses(uint256 which) public {
        RollupParameters memory p = SetLib.parameters(set);
        which %= 4;
        if (which == 0) p.asset = IERC20(address(0));
        if (which == 1) p.registry = IRegistry(address(0));
        if (which == 2) p.rewardDistributor = IRewardDistributor(address(0));
        if (which == 3) p.owner = address(0);
        bytes memory refusal = which == 3
            ? abi.encodeWithSelector(Ownable.OwnableInvalidOwner.selector, address(0))
            : abi.encodeWithSelector(ICommon.ZeroAddress.selector);
        _refused(p, refusal);
    }

    function testFuzz_slotsAndEpochs_followTheirFormulas(
        uint256 genesis,
        uint256 slotDuration,
        uint256 epochDuration,
        uint256 time
    ) public {
        RollupParameters memory p = _fuzzed(genesis, slotDuration, epochDuration);
        IRollup r = SetLib.rollup(p);
        time = bound(time, START, type(uint40).max);
        uint256 slot = (time - p.genesisTime) / p.slotDuration;
        vm.assertEq(r.getSlotAt(time), slot);
        vm.assertEq(r.getEpochAt(time), slot / p.epochDuration);
        vm.assertEq(r.getTimestampForSlot(slot), p.genesisTime + slot * p.slotDuration);
        vm.warp(time);
        vm.assertEq(r.getCurrentSlot(), slot);
        vm.assertEq(r.getCurrentEpoch(), slot / p.epochDuration);
    }

    function testFuzz_slotsAndEpochs_changeAtTheirFirstSecond(
        uint256 genesis,
        uint256 slotDuration,
        uint256 epochDuration,
        uint256 epoch
    ) public {
        RollupParameters memory p = _fuzzed(genesis, slotDuration, epochDuration);
        IRollup r = SetLib.rollup(p);
        epoch = bound(epoch, 1, 10_000);
        uint256 slot = epoch * p.epochDuration;
        uint256 first = p.genesisTime + slot * p.slotDuration;
        vm.assume(first <= type(uint40).max);
        vm.assertEq(r.getSlotAt(first), slot);
        vm.assertEq(r.getSlotAt(first - 1), slot - 1);
        vm.assertEq(r.getEpochAt(first), epoch);
        vm.assertEq(r.getEpochAt(first - 1), epoch - 1);
        vm.assertEq(r.getTimestampForSlot(slot), first);
    }

    function test_slotsAndEpochs_beginAtGenesis() public view {
        vm.assertEq(rollup.getSlotAt(START), 0);
        vm.assertEq(rollup.getEpochAt(START), 0);
        vm.assertEq(rollup.getCurrentSlot(), 0);
        vm.assertEq(rollup.getCurrentEpoch(), 0);
        vm.assertEq(rollup.getTimestampForSlot(0), START);
    }

    function testFuzz_slotsAndEpochs_noneBeforeGenesis(uint256 time) public {
        time = bound(time, 0, START - 1);
        bytes memory refusal = abi.encodeWithSelector(IRollup.Rollup__BeforeGenesis.selector, time, START);
        vm.expectRevert(refusal);
        rollup.getSlotAt(time);
        vm.expectRevert(refusal);
        rollup.getEpochAt(time);
        vm.expectRevert(refusal);
        rollup.getProposerAt(time);
    }

    function testFuzz_getTimestampForSlot_refusesWhatDoesNotFit(uint256 slot) public {
        uint256 max = (uint256(type(uint40).max) - START) / SetLib.SLOT;
        slot = bound(slot, max + 1, type(uint40).max);
        vm.assertEq(rollup.getTimestampForSlot(max), START + max * SetLib.SLOT);
        vm.expectRevert(
            abi.encodeWithSelector(ICommon.ValueTooLarge.selector, START + slot * SetLib.SLOT, type(uint40).max)
        );
        rollup.getTimestampForSlot(slot);
    }
}
