// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IRewardDistributor} from "canon/interfaces/IRewardDistributor.sol";
import {IRollup, RollupParameters} from "canon/interfaces/IRollup.sol";
import {HostileDistributor} from "../mocks/HostileDistributor.sol";
import {SetLib} from "../Set.sol";
import {Scenario} from "./Scenario.sol";

/// @notice A rollup that governance approved with a hostile distributor, and a whole life of the set.
contract RewardsTest is Scenario {
    HostileDistributor internal distributor;
    IRollup internal next;

    function setUp() public override {
        super.setUp();
        distributor = new HostileDistributor();
        RollupParameters memory p = SetLib.parameters(set);
        p.rewardDistributor = IRewardDistributor(address(distributor));
        next = SetLib.rollup(p);
        _stakeAll(next);
        _enact(SetLib.upgradePayload(set, address(next)));
        _toEpoch(next, next.getCurrentEpoch() + 2);
    }

    function _proposeBlock(IRollup instance) internal returns (address proposer) {
        proposer = instance.getCurrentProposer();
        vm.prank(proposer);
        instance.proposeBlock(keccak256("block"));
    }

    function testFuzz_distributor_nothingItDoesStopsABlock(uint256 mode) public {
        distributor.setMode(HostileDistributor.Mode(bound(mode, 0, 4)));
        for (uint256 i; i < 5; ++i) {
            uint256 before = gasleft();
            _proposeBlock(next);
            vm.assertLe(before - gasleft(), 400_000, "gas of a block");
            vm.assertEq(next.blockNumber(), i + 1);
            skip(SetLib.SLOT);
        }
    }

    function testFuzz_distributor_withoutCodeStopsNoBlock(address delegate, bool delegated) public {
        vm.etch(address(distributor), delegated ? abi.encodePacked(hex"ef0100", delegate) : bytes(""));
        _proposeBlock(next);
        vm.assertEq(next.blockNumber(), 1);
    }

    /// @dev Called back in the middle of a block, the rollup lets it do only what anybody may do.
    function test_distributor_reenteringGainsNothing() public {
        distributor.setMode(HostileDistributor.Mode.Reenter);
        address attester = _attester(0);
        distributor.addCallback(abi.encodeCall(IRollup.proposeBlock, (bytes32(0))));
        distributor.addCallback(abi.encodeCall(IRollup.finaliseWithdraw, (attester)));
        distributor.addCallback(abi.encodeWithSignature("finaliseMove(address)", attester));
        distributor.addCallback(abi.encodeWithSignature("finaliseMove(address,address)", attester, address(1)));
        distributor.addCallback(abi.encodeCall(IRollup.initiateWithdraw, (attester, address(distributor))));
        distributor.addCallback(abi.encodeCall(IRollup.initiateMove, (attester, address(distributor))));
        distributor.addCallback(abi.encodeCall(IRollup.setCoinbase, (attester, address(distributor))));
        distributor.addCallback(abi.encodeCall(IRollup.slash, (attester, 1)));
        distributor.addCallback(
            abi.encodeCall(IRollup.deposit, (address(1), address(1), address(1), SetLib.STAKE))
        );
        _proposeBlock(next);
        vm.assertEq(distributor.claims(), 1);
        vm.assertEq(distributor.callbacksThatSucceeded(), 0);
        // A block, a withdrawal, two moves and a deposit; the others are for the withdrawer or the owner only.
        vm.assertEq(distributor.callbacksGuarded(), 5);
        vm.assertEq(next.blockNumber(), 1);
        vm.assertEq(next.getActiveAttesterCount(), ATTESTERS);
        vm.assertEq(asset.balanceOf(address(next)), ATTESTERS * SetLib.STAKE);
    }

    /// @dev Its proposer may be a contract that tries to take a second block in the same slot.
    function test_distributor_cannotMakeItsProposerTakeTheSlotTwice() public {
        RollupParameters memory p = SetLib.parameters(set);
        p.rewardDistributor = IRewardDistributor(address(distributor));
        IRollup lone = SetLib.rollup(p);
        // The distributor is the one proposer itself.
        _stake(lone, _attester(0), address(distributor), _withdrawer(0));
        _toEpoch(lone, 2);
        distributor.setMode(HostileDistributor.Mode.Reenter);
        distributor.addCallback(abi.encodeCall(IRollup.proposeBlock, (bytes32(0))));
        vm.prank(address(distributor));
        lone.proposeBlock(keccak256("block"));
        vm.assertEq(distributor.claims(), 1);
        vm.assertEq(distributor.callbacksGuarded(), 1);
        vm.assertEq(lone.blockNumber(), 1);
        _expectRevert(
            abi.encodeWithSelector(IRollup.Rollup__SlotAlreadyProposed.selector, lone.getCurrentSlot())
        );
        vm.prank(address(distributor));
        lone.proposeBlock(keccak256("block"));
    }

    function test_distributor_governanceGoesOnAndReplacesTheRollup() public {
        distributor.setMode(HostileDistributor.Mode.Burn);
        IRollup better = SetLib.rollup(set);
        _enact(SetLib.upgradePayload(set, address(better)));
        vm.assertEq(registry.getRollup(), address(better));
    }

    function test_distributor_stakeStillLeaves() public {
        distributor.setMode(HostileDistributor.Mode.Burn);
        vm.prank(_withdrawer(0));
        next.initiateWithdraw(_attester(0), address(0xCA5E));
        _to(_now() + SetLib.EXIT_DELAY);
        next.finaliseWithdraw(_attester(0));
        vm.assertEq(asset.balanceOf(address(0xCA5E)), SetLib.STAKE);
    }
}
