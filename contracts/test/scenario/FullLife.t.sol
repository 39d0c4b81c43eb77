// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {ProposalState} from "canon/interfaces/IGovernance.sol";
import {IRewardDistributor} from "canon/interfaces/IRewardDistributor.sol";
import {IRollup} from "canon/interfaces/IRollup.sol";
import {SetLib} from "../Set.sol";
import {Scenario} from "./Scenario.sol";

/// @notice From deployment to the new rollup's first reward.
contract FullLifeTest is Scenario {
    function _block(IRollup instance) internal returns (address proposer, uint256 reward) {
        proposer = instance.getCurrentProposer();
        uint256 before = asset.balanceOf(proposer);
        vm.prank(proposer);
        instance.proposeBlock(keccak256(abi.encode(_now())));
        reward = asset.balanceOf(proposer) - before;
    }

    function test_life_fromDeploymentToTheNewRollupsFirstReward() public {
        // The old rollup lives: blocks, rewards, signals.
        vm.prank(treasury);
        asset.transfer(address(set.rewardDistributor), 3 * SetLib.REWARD);
        (, uint256 reward) = _block(rollup);
        vm.assertEq(reward, SetLib.REWARD);

        // The new one is deployed, and stakers announce their moves before anything is decided.
        IRollup next = SetLib.rollup(set);
        address upgrade = SetLib.upgradePayload(set, address(next));
        for (uint256 i; i < ATTESTERS; ++i) {
            vm.prank(_withdrawer(i));
            rollup.initiateMove(_attester(i), address(next));
        }
        vm.assertEq(rollup.getActiveAttesterCount(), ATTESTERS);
        uint256 id = _propose(upgrade);
        vm.assertEq(id, 0);
        _toExecutable(id);

        // Ready to move, but not before the switch.
        _to(_lastQueued(id) + 1);
        (address target, uint256 readyAt) = rollup.getMove(_attester(0));
        vm.assertEq(target, address(next));
        vm.assertLe(readyAt, _now());
        _expectRevert(
            abi.encodeWithSelector(IRollup.Rollup__MoveNotToCanonical.selector, address(next), address(rollup))
        );
        rollup.finaliseMove(_attester(0));
        (, reward) = _block(rollup);
        vm.assertEq(reward, SetLib.REWARD);

        governance.execute(id);
        vm.assertEq(registry.getRollup(), address(next));

        // The old one works on and earns nothing.
        _to(_now() + SetLib.SLOT);
        uint256 number = rollup.blockNumber();
        (, reward) = _block(rollup);
        vm.assertEq(reward, 0);
        vm.assertEq(rollup.blockNumber(), number + 1);

        // Anybody finishes the moves: same keys, whole stake, nothing left behind.
        for (uint256 i; i < ATTESTERS; ++i) {
            (uint256 stake, address withdrawer, address proposer,) = rollup.getInfo(_attester(i));
            rollup.finaliseMove(_attester(i));
            (uint256 newStake, address newWithdrawer, address newProposer,) = next.getInfo(_attester(i));
            vm.assertEq(newStake, stake);
            vm.assertEq(newWithdrawer, withdrawer);
            vm.assertEq(newProposer, proposer);
        }
        vm.assertEq(asset.balanceOf(address(rollup)), 0);
        vm.assertEq(asset.balanceOf(address(next)), ATTESTERS * SetLib.STAKE);
        vm.assertEq(rollup.getActiveAttesterCount(), 0);
        _keep(next);

        // Two epochs later the new set proposes: the first block pays, and signaling goes on.
        _toEpoch(next, next.getCurrentEpoch() + 2);
        (, reward) = _block(next);
        vm.assertEq(reward, SetLib.REWARD);
        (bool exists, uint256 slot) = set.rewardDistributor.lastPaidSlot(address(next));
        vm.assertTrue(exists);
        vm.assertEq(slot, next.getCurrentSlot());
        uint256 second = _enact(_boxPayload(2));
        _assertState(second, ProposalState.Executed);
        vm.assertEq(box.value(), 2);

        // And the distributor is empty: blocks go on.
        (, reward) = _block(next);
        vm.assertEq(reward, 0);
    }

    function test_life_theNewSetMayStandBeforeTheSwitch() public {
        IRollup next = SetLib.rollup(set);
        // Others than those of the old rollup: no gap without proposers.
        for (uint256 i = ATTESTERS; i < 2 * ATTESTERS; ++i) _stake(next, i);
        vm.prank(treasury);
        asset.transfer(address(set.rewardDistributor), SetLib.REWARD);
        uint256 id = _propose(SetLib.upgradePayload(set, address(next)));
        _toExecutable(id);
        governance.execute(id);
        (, uint256 reward) = _block(next);
        vm.assertEq(reward, SetLib.REWARD);
    }

    function testFuzz_life_stakeStaysSlashableUntilItMoved(uint256 amount, uint256 wait) public {
        IRollup next = SetLib.rollup(set);
        vm.prank(_withdrawer(0));
        rollup.initiateMove(_attester(0), address(next));
        vm.prank(address(governance));
        registry.upgrade(address(next));
        _to(_now() + bound(wait, 0, 2 * SetLib.EXIT_DELAY));
        amount = bound(amount, 1, 2 * SetLib.STAKE);
        uint256 taken = amount < SetLib.STAKE ? amount : SetLib.STAKE;
        vm.prank(address(governance));
        rollup.slash(_attester(0), amount);
        // Below the minimum it left the set and can only exit.
        (uint256 stake,,,) = rollup.getInfo(_attester(0));
        vm.assertEq(stake, SetLib.STAKE - taken);
        vm.assertEq(rollup.getActiveAttesterCount(), ATTESTERS - 1);
        _expectRevert(abi.encodeWithSelector(IRollup.Rollup__NotValidating.selector, _attester(0), 2));
        rollup.finaliseMove(_attester(0));
        vm.prank(_withdrawer(0));
        rollup.initiateWithdraw(_attester(0), address(0xCA5E));
        _to(_now() + SetLib.EXIT_DELAY);
        rollup.finaliseWithdraw(_attester(0));
        vm.assertEq(asset.balanceOf(address(0xCA5E)), SetLib.STAKE - taken);
        vm.assertEq(asset.balanceOf(address(rollup)), (ATTESTERS - 1) * SetLib.STAKE + taken);
    }

    /// @dev The move is refused whole if the new rollup wants more than the stake; nothing is stuck.
    function test_life_aMoveThatTheNewRollupRefusesCanStillBecomeAnExit() public {
        IRollup next = SetLib.rollup(set);
        vm.prank(_withdrawer(0));
        rollup.initiateMove(_attester(0), address(next));
        // Somebody registers the attester's address there first.
        _stake(next, _attester(0), address(0xE71), address(0xE72));
        vm.prank(address(governance));
        registry.upgrade(address(next));
        _to(_now() + SetLib.EXIT_DELAY);
        _expectRevert(abi.encodeWithSelector(IRollup.Rollup__AlreadyRegistered.selector, _attester(0)));
        rollup.finaliseMove(_attester(0));
        (uint256 stake,,,) = rollup.getInfo(_attester(0));
        vm.assertEq(stake, SetLib.STAKE);
        vm.prank(_withdrawer(0));
        rollup.initiateWithdraw(_attester(0), address(0xCA5E));
        _to(_now() + SetLib.EXIT_DELAY);
        rollup.finaliseWithdraw(_attester(0));
        vm.assertEq(asset.balanceOf(address(0xCA5E)), SetLib.STAKE);
    }

    function test_life_aSlashPassedAlone() public {
        uint256 id =
            _enact(_payload(address(rollup), abi.encodeCall(IRollup.slash, (_attester(3), SetLib.STAKE / 2))));
        _assertState(id, ProposalState.Executed);
        vm.assertEq(rollup.getActiveAttesterCount(), ATTESTERS - 1);
    }

    function test_life_aMintPassed() public {
        address receiver = address(0xCA5E);
        _enact(_payload(address(set.issuer), abi.encodeWithSignature("mint(address,uint256)", receiver, 1000e18)));
        vm.assertEq(asset.balanceOf(receiver), 1000e18);
        vm.assertEq(set.issuer.timeOfLastMint(), _now());
        vm.assertEq(Ownable2Step(address(asset)).owner(), address(set.issuer));
    }
}
