// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IRollup, RollupParameters, Status} from "canon/interfaces/IRollup.sol";
import {Set, SetLib} from "../Set.sol";
import {Test} from "../Test.sol";

/// @notice A set, a rollup of it whose exits are short, and stakers by number.
abstract contract RollupBase is Test {
    uint256 internal constant START = 1_750_000_000;
    uint256 internal constant STAKE = SetLib.STAKE;
    uint256 internal constant EPOCH_SECONDS = SetLib.SLOT * SetLib.EPOCH;
    uint256 internal constant EXIT_DELAY = 2 * EPOCH_SECONDS;

    Set internal set;
    IRollup internal rollup;

    function setUp() public virtual {
        vm.warp(START);
        vm.roll(22_000_000);
        vm.prevrandao(keccak256("deployment"));
        set = SetLib.deploy(address(this));
        _use(_parameters());
    }

    function _parameters() internal view returns (RollupParameters memory p) {
        p = SetLib.parameters(set);
        p.exitDelay = EXIT_DELAY;
    }

    /// @dev From now on the tests' rollup is one deployed with `p`.
    function _use(RollupParameters memory p) internal {
        rollup = SetLib.rollup(p);
        set.asset.approve(address(rollup), type(uint256).max);
    }

    function _makeCanonical(address next) internal {
        vm.prank(address(set.governance));
        set.registry.upgrade(next);
    }

    function _attester(uint256 i) internal pure returns (address) {
        return address(uint160(0xA000000000 + i));
    }

    function _proposer(uint256 i) internal pure returns (address) {
        return address(uint160(0xB000000000 + i));
    }

    function _withdrawer(uint256 i) internal pure returns (address) {
        return address(uint160(0xC000000000 + i));
    }

    function _recipient(uint256 i) internal pure returns (address) {
        return address(uint160(0xD000000000 + i));
    }

    function _join(uint256 i) internal {
        _join(i, STAKE);
    }

    function _join(uint256 i, uint256 amount) internal {
        rollup.deposit(_attester(i), _proposer(i), _withdrawer(i), amount);
    }

    function _joinMany(uint256 count) internal {
        for (uint256 i; i < count; ++i) {
            _join(i);
        }
    }

    function _leave(uint256 i) internal {
        vm.prank(_withdrawer(i));
        rollup.initiateWithdraw(_attester(i), _recipient(i));
    }

    function _move(uint256 i, address target) internal {
        vm.prank(_withdrawer(i));
        rollup.initiateMove(_attester(i), target);
    }

    /// @dev The overloads of `finaliseMove`, between which `abi.encodeCall` can't choose.
    function _moveCall(address attester) internal pure returns (bytes memory) {
        return abi.encodeWithSignature("finaliseMove(address)", attester);
    }

    function _moveCall(address attester, address newAttester) internal pure returns (bytes memory) {
        return abi.encodeWithSignature("finaliseMove(address,address)", attester, newAttester);
    }

    function _slash(uint256 i, uint256 amount) internal {
        vm.prank(address(set.governance));
        rollup.slash(_attester(i), amount);
    }

    function _startOf(uint256 epoch) internal pure returns (uint256) {
        return START + epoch * EPOCH_SECONDS;
    }

    /// @dev The first second of `epoch`.
    function _toEpoch(uint256 epoch) internal {
        vm.warp(_startOf(epoch));
    }

    /// @dev The first second of `epoch` in which a seed can be recorded.
    function _toSecondSlot(uint256 epoch) internal {
        vm.warp(_startOf(epoch) + SetLib.SLOT);
    }

    /// @dev The first second of `epoch`, for which a seed was recorded. It must not have begun yet.
    function _toSeededEpoch(uint256 epoch) internal {
        if (_now() < _startOf(epoch - 1) + SetLib.SLOT) _toSecondSlot(epoch - 1);
        rollup.setupEpoch();
        _toEpoch(epoch);
    }

    function _now() internal view returns (uint256) {
        return vm.getBlockTimestamp();
    }

    /// @dev The rule of the draw, written out.
    function _index(uint256 seed, uint256 slot, uint256 size) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, slot))) % size;
    }

    /// @dev The proposers of all slots of `epoch`, the present or the next.
    function _draws(uint256 epoch) internal view returns (address[] memory proposers) {
        proposers = new address[](SetLib.EPOCH);
        for (uint256 i; i < SetLib.EPOCH; ++i) {
            proposers[i] = rollup.getProposerAt(_startOf(epoch) + i * SetLib.SLOT);
        }
    }

    /// @dev The first second of `slot`, not before the present one; its epoch has a seed, unless that is the present
    /// one.
    function _toSlot(uint256 slot) internal {
        uint256 epoch = slot / SetLib.EPOCH;
        if (epoch > rollup.getCurrentEpoch()) _toSeededEpoch(epoch);
        vm.warp(START + slot * SetLib.SLOT);
    }

    function _assertSeed(uint256 epoch, bool recorded, uint256 seed) internal view {
        (bool foundRecorded, uint256 found) = rollup.getSeed(epoch);
        vm.assertEq(foundRecorded, recorded, "a seed was recorded");
        vm.assertEq(found, seed, "seed");
    }

    function _assertInfo(uint256 i, uint256 stake, Status status) internal view {
        (uint256 foundStake, address withdrawer, address proposer, Status foundStatus) = rollup.getInfo(_attester(i));
        vm.assertEq(foundStake, stake, "stake");
        vm.assertEq(withdrawer, _withdrawer(i), "withdrawer");
        vm.assertEq(proposer, _proposer(i), "proposer");
        vm.assertEq(uint256(foundStatus), uint256(status), "status");
    }

    function _assertNobody(address attester) internal view {
        (uint256 stake, address withdrawer, address proposer, Status status) = rollup.getInfo(attester);
        vm.assertEq(stake, 0, "stake");
        vm.assertEq(withdrawer, address(0), "withdrawer");
        vm.assertEq(proposer, address(0), "proposer");
        vm.assertEq(uint256(status), uint256(Status.None), "status");
    }

    function _isListed(address attester) internal view returns (bool) {
        address[] memory attesters = rollup.getAttesters();
        for (uint256 i; i < attesters.length; ++i) {
            if (attesters[i] == attester) return true;
        }
        return false;
    }
}
