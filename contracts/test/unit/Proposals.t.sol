// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {SetLib} from "../Set.sol";
import {Delegation} from "../mocks/Delegation.sol";
import {Deployer} from "../mocks/Deployer.sol";
import {ProposalsBase} from "./ProposalsBase.t.sol";

/// @notice What Proposals is deployed with, and its views while little happened.
contract ProposalsTest is ProposalsBase {
    function testFuzz_constructor_acceptsAQuorumAboveHalf(uint256 n, uint256 m) public {
        m = bound(m, 2, type(uint24).max);
        n = bound(n, m / 2 + 1, m);
        Deployer deployer = new Deployer();
        bytes memory code = vm.getCode(SetLib.artifact("Proposals"));
        vm.expectEmit();
        emit IProposals.ProposalsDeployed(address(registry), n, m);
        IProposals fresh = IProposals(deployer.deploy(code, abi.encode(registry, n, m)));
        vm.assertEq(fresh.N(), n);
        vm.assertEq(fresh.M(), m);
        vm.assertEq(address(fresh.REGISTRY()), address(registry));
        vm.assertEq(fresh.LIFETIME_IN_ROUNDS(), 5);
        vm.assertEq(fresh.getGovernance(), address(governance));
    }

    function testFuzz_constructor_refusesEveryOtherQuorum(uint256 n, uint256 m) public {
        m = bound(m, 0, 5000);
        n = bound(n, 0, 5000);
        bool valid = n > m / 2 && n <= m && n >= 2;
        Deployer deployer = new Deployer();
        bytes memory code = vm.getCode(SetLib.artifact("Proposals"));
        if (!valid) vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__InvalidQuorum.selector, n, m));
        deployer.deploy(code, abi.encode(registry, n, m));
    }

    /// @dev The least quorum is above half, exactly, for even and odd rounds.
    function testFuzz_constructor_theBoundaryIsAboveHalf(uint256 m) public {
        m = bound(m, 3, 100_000);
        Deployer deployer = new Deployer();
        bytes memory code = vm.getCode(SetLib.artifact("Proposals"));
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__InvalidQuorum.selector, m / 2, m));
        deployer.deploy(code, abi.encode(registry, m / 2, m));
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__InvalidQuorum.selector, m + 1, m));
        deployer.deploy(code, abi.encode(registry, m + 1, m));
        deployer.deploy(code, abi.encode(registry, m / 2 + 1, m));
        deployer.deploy(code, abi.encode(registry, m, m));
    }

    /// @dev Counts have 24 bits, so the longest round has 2^24 - 1 slots.
    function test_constructor_theLongestRound() public {
        uint256 max = 2 ** 24 - 1;
        vm.assertEq(_deploy(max / 2 + 1, max).M(), max);
        vm.assertEq(_deploy(max, max).N(), max);
        Deployer deployer = new Deployer();
        bytes memory code = vm.getCode(SetLib.artifact("Proposals"));
        vm.expectRevert(abi.encodeWithSelector(ICommon.ValueTooLarge.selector, max + 1, max));
        deployer.deploy(code, abi.encode(registry, max / 2 + 2, max + 1));
        vm.expectRevert(abi.encodeWithSelector(ICommon.ValueTooLarge.selector, max + 1, max));
        deployer.deploy(code, abi.encode(registry, max + 1, max + 1));
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__InvalidQuorum.selector, max / 2 + 1, max + 1));
        deployer.deploy(code, abi.encode(registry, max / 2 + 1, max + 1));
    }

    function test_constructor_refusesASingleSignal() public {
        Deployer deployer = new Deployer();
        bytes memory code = vm.getCode(SetLib.artifact("Proposals"));
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__InvalidQuorum.selector, 1, 1));
        deployer.deploy(code, abi.encode(registry, 1, 1));
    }

    function testFuzz_constructor_refusesARegistryWithoutCode(address codeless, bool delegated) public {
        codeless = address(uint160(bound(uint160(codeless), 0x10000, type(uint160).max)));
        vm.assume(codeless.code.length == 0);
        if (delegated) Delegation.set(codeless, address(registry));
        Deployer deployer = new Deployer();
        bytes memory code = vm.getCode(SetLib.artifact("Proposals"));
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoCode.selector, codeless));
        deployer.deploy(code, abi.encode(codeless, N, M));
    }

    function testFuzz_computeRound_dividesByTheLength(uint256 slot, uint256 m) public {
        m = bound(m, 2, 10_000);
        vm.assertEq(_deploy(m, m).computeRound(slot), slot / m);
    }

    function testFuzz_getCurrentRound_isThatOfTheRollupsSlot(uint256 slot) public {
        slot = bound(slot, 0, START);
        _toSlot(slot);
        vm.assertEq(proposals.getCurrentRound(), slot / M);
    }

    function testFuzz_currentStatus_beforeAnySignal(uint256 slot_) public {
        slot_ = bound(slot_, 0, START);
        _toSlot(slot_);
        (uint256 slot, uint256 round, address leader, uint256 count, uint256 firstFreeSlot) =
            proposals.currentStatus();
        vm.assertEq(slot, slot_);
        vm.assertEq(round, slot_ / M);
        vm.assertEq(leader, address(0));
        vm.assertEq(count, 0);
        vm.assertEq(firstFreeSlot, slot_);
        vm.assertEq(proposals.pushableRounds().length, 0);
    }

    function testFuzz_currentStatus_reportsLeaderAndFirstFreeSlot(uint256 used, uint256 present) public {
        used = bound(used, 0, START - 100);
        present = bound(present, used, used + 30);
        _signal(_payload(1), used);
        _toSlot(present);
        (uint256 slot, uint256 round, address leader, uint256 count, uint256 firstFreeSlot) =
            proposals.currentStatus();
        bool sameRound = present / M == used / M;
        vm.assertEq(slot, present);
        vm.assertEq(round, present / M);
        vm.assertEq(leader, sameRound ? _payload(1) : address(0));
        vm.assertEq(count, sameRound ? 1 : 0);
        vm.assertEq(firstFreeSlot, present == used ? used + 1 : present);
    }

    /// @dev `firstFreeSlot` means it: the slot before is refused, that one isn't.
    function testFuzz_currentStatus_firstFreeSlotIsFree(uint256 seed, uint256 signals) public {
        signals = bound(signals, 0, 12);
        uint256 next;
        for (uint256 i; i < signals; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            next += seed % 4;
            _signal(_payload(seed >> 8 & 3), next++);
        }
        _toSlot(next == 0 ? 0 : next - 1 + seed % 2);
        (,,,, uint256 free) = proposals.currentStatus();
        if (next != 0) {
            _toSlot(free - 1);
            if (free == next) {
                vm.prank(PROPOSER);
                vm.expectRevert(
                    abi.encodeWithSelector(IProposals.Proposals__SlotAlreadyUsed.selector, free - 1, next - 1)
                );
                proposals.vote(_payload(1));
            }
        }
        _signal(_payload(1), free);
        _assertNewest(address(rollup), true, free);
    }

    function testFuzz_views_areZeroForTheUnknown(address instance, uint256 round, address payload) public view {
        _assertRound(instance, round, 0, address(0), false);
        vm.assertEq(proposals.yeaCount(instance, round, payload), 0);
        vm.assertEq(proposals.pinnedCodeHash(instance, round, payload), 0);
        (bool exists, uint256 id) = proposals.proposalOf(instance, round);
        vm.assertFalse(exists);
        vm.assertEq(id, 0);
        (exists, id) = proposals.latestProposalOf(payload);
        vm.assertFalse(exists);
        vm.assertEq(id, 0);
        _assertNewest(instance, false, 0);
    }
}
