// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ICommon} from "canon/interfaces/ICommon.sol";
import {IRegistry} from "canon/interfaces/IRegistry.sol";
import {IRewardDistributor} from "canon/interfaces/IRewardDistributor.sol";
import {IRollup, RollupParameters} from "canon/interfaces/IRollup.sol";
import {SetLib} from "../Set.sol";
import {Vm} from "../Vm.sol";
import {Delegation} from "../mocks/Delegation.sol";
import {Deployer} from "../mocks/Deployer.sol";
import {RollupBase} from "./RollupBase.t.sol";

/// @notice What a rollup is deployed with; slots and epochs.
contract RollupTimeTest is RollupBase {
    uint256 private constant MOST_EXIT_DELAY = 365 days;

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
        // Two epochs are at most the longest exit delay, and an epoch goes on for 24 seconds after its first slot.
        p.slotDuration = bound(slotDuration, 1, 10 days);
        uint256 fewest = (24 + p.slotDuration - 1) / p.slotDuration + 1;
        p.epochDuration = bound(epochDuration, fewest, MOST_EXIT_DELAY / 2 / p.slotDuration);
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
        p.exitDelay = bound(exitDelay, 2 * p.slotDuration * p.epochDuration, MOST_EXIT_DELAY);
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

    /// @dev The constructor is no call: whoever deploys in a block of its choice chooses no seed.
    function testFuzz_constructor_recordsNoSeed(uint256 genesis, uint256 slotDuration, uint256 epochDuration) public {
        RollupParameters memory p = _fuzzed(genesis, slotDuration, epochDuration);
        uint256 epoch = (START - p.genesisTime) / p.slotDuration / p.epochDuration;
        vm.recordLogs();
        rollup = IRollup(deployer.deploy(code, abi.encode(p)));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs.length, 2);
        vm.assertEq(logs[0].topics[0], Ownable.OwnershipTransferred.selector);
        vm.assertEq(logs[1].topics[0], IRollup.RollupDeployed.selector);
        _assertSeed(epoch, false, 0);
        _assertSeed(epoch + 1, false, 0);
        vm.assertEq(rollup.getSetSize(epoch), 0);
        vm.assertEq(rollup.getSetSize(epoch + 1), 0);
        vm.assertEq(rollup.getCurrentProposer(), address(0));
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

    function _outOfBounds(uint256 exitDelay, uint256 twoEpochs) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IRollup.Rollup__ExitDelayOutOfBounds.selector, exitDelay, twoEpochs, MOST_EXIT_DELAY
        );
    }

    function testFuzz_constructor_refusesAnExitDelayBelowTwoEpochs(
        uint256 slotDuration,
        uint256 epochDuration,
        uint256 exitDelay
    ) public {
        RollupParameters memory p = _fuzzed(START, slotDuration, epochDuration);
        uint256 twoEpochs = p.exitDelay;
        p.exitDelay = bound(exitDelay, 0, twoEpochs - 1);
        _refused(p, _outOfBounds(p.exitDelay, twoEpochs));
    }

    function testFuzz_constructor_refusesAnExitDelayAboveAYear(
        uint256 slotDuration,
        uint256 epochDuration,
        uint256 exitDelay
    ) public {
        RollupParameters memory p = _fuzzed(START, slotDuration, epochDuration);
        uint256 twoEpochs = p.exitDelay;
        p.exitDelay = bound(exitDelay, MOST_EXIT_DELAY + 1, type(uint40).max);
        _refused(p, _outOfBounds(p.exitDelay, twoEpochs));
    }

    /// @dev At the bounds themselves, and one second beside them.
    function test_constructor_exitDelayAtItsBounds() public {
        RollupParameters memory p = SetLib.parameters(set);
        uint256 twoEpochs = 2 * p.slotDuration * p.epochDuration;
        vm.assertEq(MOST_EXIT_DELAY, 31_536_000);
        p.exitDelay = twoEpochs - 1;
        _refused(p, _outOfBounds(p.exitDelay, twoEpochs));
        p.exitDelay = twoEpochs;
        _accepted(p);
        p.exitDelay = MOST_EXIT_DELAY;
        _accepted(p);
        p.exitDelay = MOST_EXIT_DELAY + 1;
        _refused(p, _outOfBounds(p.exitDelay, twoEpochs));
    }

    /// @dev Epochs so long that both bounds meet, and one slot longer: then there is no delay that fits.
    function test_constructor_twoEpochsMayTakeAYear() public {
        RollupParameters memory p = SetLib.parameters(set);
        p.slotDuration = 1 days / 2;
        p.epochDuration = 365;
        p.exitDelay = MOST_EXIT_DELAY;
        _accepted(p);
        p.epochDuration = 366;
        _refused(p, _outOfBounds(MOST_EXIT_DELAY, MOST_EXIT_DELAY + 1 days));
        p.exitDelay = MOST_EXIT_DELAY + 1 days;
        _refused(p, _outOfBounds(MOST_EXIT_DELAY + 1 days, MOST_EXIT_DELAY + 1 days));
    }

    /// @dev Slot and epoch durations, and whether 24 seconds are left after the first slot.
    function test_constructor_epochsAtTheirLeastLength() public {
        uint256[3][12] memory rows = [
            // One slot is never enough, however long.
            [uint256(1), 1, 0],
            [uint256(24), 1, 0],
            [uint256(10 days), 1, 0],
            [uint256(1), 24, 0],
            [uint256(1), 25, 1],
            [uint256(11), 3, 0],
            [uint256(12), 2, 0],
            [uint256(12), 3, 1],
            [uint256(13), 2, 0],
            [uint256(23), 2, 0],
            [uint256(24), 2, 1],
            [uint256(8), 4, 1]
        ];
        for (uint256 i; i < rows.length; ++i) {
            RollupParameters memory p = SetLib.parameters(set);
            (p.slotDuration, p.epochDuration) = (rows[i][0], rows[i][1]);
            p.exitDelay = 365 days;
            if (rows[i][2] == 1) {
                _accepted(p);
            } else {
                uint256 left = (p.epochDuration - 1) * p.slotDuration;
                _refused(p, abi.encodeWithSelector(IRollup.Rollup__EpochTooShort.selector, left, 24));
            }
        }
    }

    function _accepted(RollupParameters memory p) internal {
        IRollup r = IRollup(deployer.deploy(code, abi.encode(p)));
        vm.assertEq(r.EXIT_DELAY(), p.exitDelay);
        vm.assertEq(r.SLOT_DURATION(), p.slotDuration);
        vm.assertEq(r.EPOCH_DURATION(), p.epochDuration);
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

    /// @dev The greatest value of every field that fits, and one more.
    function test_constructor_fieldsAtTheirBounds() public {
        uint256 max = type(uint40).max;
        RollupParameters memory p = SetLib.parameters(set);
        uint256 twoEpochs = 2 * p.slotDuration * p.epochDuration;

        p.minimumStake = type(uint96).max;
        _accepted(p);
        p.minimumStake = 2 ** 96;
        _refused(p, abi.encodeWithSelector(ICommon.ValueTooLarge.selector, 2 ** 96, type(uint96).max));

        // Times that fit may still be too long for each other.
        p = SetLib.parameters(set);
        p.exitDelay = max;
        _refused(p, _outOfBounds(max, twoEpochs));
        p.exitDelay = max + 1;
        _refused(p, abi.encodeWithSelector(ICommon.ValueTooLarge.selector, max + 1, max));

        p = SetLib.parameters(set);
        p.slotDuration = max;
        _refused(p, _outOfBounds(p.exitDelay, 2 * max * p.epochDuration));
        p.slotDuration = max + 1;
        _refused(p, abi.encodeWithSelector(ICommon.ValueTooLarge.selector, max + 1, max));

        p = SetLib.parameters(set);
        p.epochDuration = max;
        _refused(p, _outOfBounds(p.exitDelay, 2 * max * p.slotDuration));
        p.epochDuration = max + 1;
        _refused(p, abi.encodeWithSelector(ICommon.ValueTooLarge.selector, max + 1, max));

        p = SetLib.parameters(set);
        vm.warp(max + 1);
        p.genesisTime = max;
        _accepted(p);
        p.genesisTime = max + 1;
        _refused(p, abi.encodeWithSelector(ICommon.ValueTooLarge.selector, max + 1, max));
    }

    /// @dev Asset and registry are asked for sums and for the canonical rollup; nothing else at these addresses would
    /// do.
    function testFuzz_constructor_refusesAnAssetOrRegistryWithoutCode(address codeless, uint256 kind, bool asset) public {
        codeless = address(uint160(bound(uint160(codeless), 0x10000, type(uint160).max)));
        vm.assume(codeless.code.length == 0);
        kind %= 3;
        if (kind == 0) codeless = address(0);
        if (kind == 1) Delegation.set(codeless, asset ? address(set.asset) : address(set.registry));
        RollupParameters memory p = SetLib.parameters(set);
        if (asset) p.asset = IERC20(codeless);
        else p.registry = IRegistry(codeless);
        _refused(p, abi.encodeWithSelector(ICommon.NoCode.selector, codeless));
    }

    /// @dev Owner, distributor, asset, registry, genesis, durations, stake, what fits in the order of the fields, the
    /// length of an epoch, the exit delay.
    function testFuzz_constructor_checksInOrder(uint256 first, uint256 further) public {
        // The first fault, and any after it; none if it is 13.
        first = bound(first, 0, 13);
        uint256 faults = (further << (first + 1)) | (1 << first);
        RollupParameters memory p = SetLib.parameters(set);
        // From the last to the first, since some fields may be wrong in two ways.
        if (faults & 1 << 12 != 0) p.exitDelay = 1;
        if (faults & 1 << 11 != 0) p.epochDuration = 1;
        if (faults & 1 << 10 != 0) p.exitDelay = 1 << 40;
        if (faults & 1 << 9 != 0) p.minimumStake = 1 << 96;
        if (faults & 1 << 8 != 0) p.epochDuration = 1 << 40;
        if (faults & 1 << 7 != 0) p.slotDuration = 1 << 40;
        if (faults & 1 << 6 != 0) p.minimumStake = 0;
        if (faults & 1 << 5 != 0) p.slotDuration = 0;
        if (faults & 1 << 4 != 0) p.genesisTime = START + 1;
        if (faults & 1 << 3 != 0) p.registry = IRegistry(address(0xDEFEC7));
        if (faults & 1 << 2 != 0) p.asset = IERC20(address(0xDEFEC8));
        if (faults & 1 << 1 != 0) p.rewardDistributor = IRewardDistributor(address(0));
        if (faults & 1 != 0) p.owner = address(0);

        if (first == 13) return _accepted(p);
        bytes4 tooLarge = ICommon.ValueTooLarge.selector;
        bytes memory refusal;
        if (first == 0) refusal = abi.encodeWithSelector(Ownable.OwnableInvalidOwner.selector, address(0));
        if (first == 1) refusal = abi.encodeWithSelector(ICommon.ZeroAddress.selector);
        if (first == 2) refusal = abi.encodeWithSelector(ICommon.NoCode.selector, p.asset);
        if (first == 3) refusal = abi.encodeWithSelector(ICommon.NoCode.selector, p.registry);
        if (first == 4) {
            refusal = abi.encodeWithSelector(IRollup.Rollup__GenesisInFuture.selector, START + 1, START);
        }
        if (first == 5) {
            refusal = abi.encodeWithSelector(IRollup.Rollup__ZeroDuration.selector, 0, p.epochDuration);
        }
        if (first == 6) refusal = abi.encodeWithSelector(IRollup.Rollup__ZeroMinimumStake.selector);
        if (first == 7 || first == 8 || first == 10) {
            refusal = abi.encodeWithSelector(tooLarge, uint256(1) << 40, type(uint40).max);
        }
        if (first == 9) refusal = abi.encodeWithSelector(tooLarge, uint256(1) << 96, type(uint96).max);
        if (first == 11) refusal = abi.encodeWithSelector(IRollup.Rollup__EpochTooShort.selector, 0, 24);
        if (first == 12) refusal = _outOfBounds(1, 2 * p.slotDuration * p.epochDuration);
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
            abi.encodeWithSelector(ICommon.ValueTooLarge.selector, START + (max + 1) * SetLib.SLOT, type(uint40).max)
        );
        rollup.getTimestampForSlot(max + 1);
        // Of a slot that doesn't fit itself no timestamp is computed.
        vm.expectRevert(abi.encodeWithSelector(ICommon.ValueTooLarge.selector, 2 ** 40, type(uint40).max));
        rollup.getTimestampForSlot(2 ** 40);
        vm.expectRevert(
            abi.encodeWithSelector(ICommon.ValueTooLarge.selector, START + slot * SetLib.SLOT, type(uint40).max)
        );
        rollup.getTimestampForSlot(slot);
    }
}
