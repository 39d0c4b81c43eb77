// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IRegistry} from "canon/interfaces/IRegistry.sol";
import {IRewardDistributor} from "canon/interfaces/IRewardDistributor.sol";
import {IRollup, RollupParameters} from "canon/interfaces/IRollup.sol";
import {SetLib} from "../Set.sol";
import {Delegation} from "../mocks/Delegation.sol";
import {HostileDistributor} from "../mocks/HostileDistributor.sol";
import {RawAnswer} from "../mocks/RawAnswer.sol";
import {ScriptedRegistry} from "../mocks/ScriptedRegistry.sol";
import {RollupBase} from "./RollupBase.t.sol";

/// @notice A reward never stops a block, whatever the distributor does, and a caller cannot make it fail.
contract RollupRewardTest is RollupBase {
    uint256 private constant MEMBERS = 3;

    /// @dev What a block may cost with the worst distributor.
    uint256 private constant MOST_GAS = 450_000;

    /// @dev A rollup, canonical, with members and the given distributor, in the first second of epoch 2.
    function _deploy(address distributor) internal {
        RollupParameters memory p = _parameters();
        p.rewardDistributor = IRewardDistributor(distributor);
        _use(p);
        _joinMany(MEMBERS);
        _makeCanonical(address(rollup));
        _toSeededEpoch(2);
    }

    function _proposeMustWork() internal returns (address proposer) {
        uint256 number = rollup.blockNumber() + 1;
        uint256 slot = rollup.getCurrentSlot();
        proposer = rollup.getCurrentProposer();
        uint256 i = uint160(proposer) - uint160(_proposer(0));
        vm.expectEmit(address(rollup));
        emit IRollup.BlockProposed(number, slot, _attester(i), proposer, "block");
        vm.prank(proposer);
        uint256 gas = gasleft();
        rollup.proposeBlock("block");
        vm.assertLe(gas - gasleft(), MOST_GAS, "gas burnt by the distributor");
        vm.assertEq(rollup.blockNumber(), number);
    }

    function testFuzz_hostileDistributor_stopsNoBlock(uint256 mode, uint256 blocks) public {
        blocks = bound(blocks, 1, 4);
        HostileDistributor distributor = new HostileDistributor();
        distributor.setMode(HostileDistributor.Mode(mode % 6));
        _deploy(address(distributor));
        for (uint256 i; i < blocks; ++i) {
            _proposeMustWork();
            skip(SetLib.SLOT);
        }
    }

    function testFuzz_distributorWithoutCode_stopsNoBlock(address distributor) public {
        distributor = address(uint160(bound(uint160(distributor), 0x10000, type(uint160).max)));
        vm.assume(distributor.code.length == 0);
        _deploy(distributor);
        _proposeMustWork();
    }

    function testFuzz_delegatedDistributor_stopsNoBlock(address distributor, bool nowhere) public {
        distributor = address(uint160(bound(uint160(distributor), 0x10000, type(uint160).max)));
        vm.assume(distributor.code.length == 0);
        Delegation.set(distributor, nowhere ? address(0xdead) : address(set.rewardDistributor));
        _deploy(distributor);
        _proposeMustWork();
    }

    function testFuzz_distributorThatAnswersNonsense_stopsNoBlock(bytes memory answer, bool fails) public {
        _deploy(address(new RawAnswer(answer, fails)));
        _proposeMustWork();
    }

    function testFuzz_distributorWithAnyCode_stopsNoBlock(bytes memory code) public {
        if (code.length != 0 && code[0] == 0xef) code[0] = 0x5b;
        address distributor = address(0xD157);
        vm.etch(distributor, code);
        _deploy(distributor);
        _proposeMustWork();
    }

    /// @dev All 256 first bytes: every operation with an empty stack or none.
    function test_distributorOfOneOperation_stopsNoBlock() public {
        address distributor = address(0xD157);
        _deploy(distributor);
        for (uint256 op; op < 256; ++op) {
            if (op == 0xef) continue;
            vm.etch(distributor, abi.encodePacked(hex"5f5f5f5f5f5f5f", uint8(op)));
            _proposeMustWork();
            skip(SetLib.SLOT);
        }
    }

    function testFuzz_brokenRegistry_stopsNoBlock(uint256 how, address other) public {
        _deploy(address(set.rewardDistributor));
        set.asset.transfer(address(set.rewardDistributor), 100 * SetLib.REWARD);
        how %= 3;
        vm.assume(other != address(rollup));
        if (how == 0) {
            ScriptedRegistry registry = new ScriptedRegistry();
            registry.set(other, other);
            vm.prank(address(set.governance));
            set.rewardDistributor.updateRegistry(address(registry));
        }
        if (how == 1) {
            address registry = address(new RawAnswer("no word", true));
            vm.prank(address(set.governance));
            set.rewardDistributor.updateRegistry(registry);
        }
        if (how == 2) vm.mockCallRevert(address(set.registry), abi.encodeCall(IRegistry.getRollup, ()), "broken");
        address proposer = _proposeMustWork();
        vm.assertEq(set.asset.balanceOf(proposer), 0);
    }

    /// @dev The distributor is a slot's proposer itself, and tries everything while it is asked to pay.
    function test_reenteringDistributor_gainsNothing() public {
        HostileDistributor distributor = new HostileDistributor();
        distributor.setMode(HostileDistributor.Mode.Reenter);
        distributor.addCallback(abi.encodeCall(IRollup.proposeBlock, ("again")));
        distributor.addCallback(abi.encodeCall(IRollup.finaliseWithdraw, (_attester(1))));
        distributor.addCallback(_moveCall(_attester(2)));
        distributor.addCallback(
            abi.encodeCall(IRollup.deposit, (_attester(9), _proposer(9), _withdrawer(9), STAKE))
        );
        RollupParameters memory p = _parameters();
        p.rewardDistributor = IRewardDistributor(address(distributor));
        _use(p);
        rollup.deposit(_attester(0), address(distributor), _withdrawer(0), STAKE);
        _join(1);
        _join(2);
        _makeCanonical(address(rollup));
        _leave(1);
        _move(2, address(set.rollup));
        set.asset.transfer(address(distributor), STAKE);
        vm.prank(address(distributor));
        set.asset.approve(address(rollup), STAKE);
        uint256 balance = set.asset.balanceOf(address(rollup));

        // Until the distributor's own slot comes.
        _toSeededEpoch(2);
        while (rollup.getCurrentProposer() != address(distributor)) {
            skip(SetLib.SLOT);
            rollup.setupEpoch();
        }
        vm.prank(address(distributor));
        rollup.proposeBlock("once");
        vm.assertEq(distributor.claims(), 1);
        vm.assertEq(distributor.callbacksThatSucceeded(), 0);
        vm.assertEq(distributor.callbacksGuarded(), 4);
        vm.assertEq(rollup.blockNumber(), 1);
        vm.assertEq(set.asset.balanceOf(address(rollup)), balance);
        // Nothing stays locked.
        rollup.finaliseWithdraw(_attester(1));
        vm.assertEq(set.asset.balanceOf(_recipient(1)), STAKE);
    }

    /// @dev Either the block is proposed and paid, or nothing happened: no amount of gas separates the two.
    function testFuzz_gas_cannotSeparateTheBlockFromItsReward(uint256 gas, bool cold) public {
        gas = bound(gas, 20_000, 500_000);
        _deploy(address(set.rewardDistributor));
        set.asset.transfer(address(set.rewardDistributor), 100 * SetLib.REWARD);
        _proposeWith(gas, cold);
    }

    /// @dev The narrow range around the least gas that works, one unit after the other.
    function testFuzz_gas_cannotSeparateThemAroundTheThreshold(uint256 offset, bool cold) public {
        _deploy(address(set.rewardDistributor));
        set.asset.transfer(address(set.rewardDistributor), 100 * SetLib.REWARD);
        uint256 low = 20_000;
        uint256 high = 500_000;
        while (high - low > 1) {
            uint256 middle = (low + high) / 2;
            uint256 snapshot = vm.snapshotState();
            if (_proposeWith(middle, cold)) high = middle;
            else low = middle;
            vm.revertToState(snapshot);
        }
        _proposeWith(low + bound(offset, 0, 2000), cold);
    }

    /// @dev The present proposer proposes with `gas`; whether it worked. If so, the reward must have been paid.
    function _proposeWith(uint256 gas, bool cold) internal returns (bool success) {
        address proposer = rollup.getCurrentProposer();
        if (cold) {
            vm.cool(address(rollup));
            vm.cool(address(set.rewardDistributor));
            vm.cool(address(set.asset));
            vm.cool(address(set.registry));
        }
        vm.prank(proposer);
        bytes memory reason;
        (success, reason) = address(rollup).call{gas: gas}(abi.encodeCall(IRollup.proposeBlock, ("block")));
        if (reason.length != 0) {
            vm.assertEq(bytes32(bytes4(reason)), bytes32(IRollup.Rollup__NotEnoughGasForReward.selector));
            (uint256 left, uint256 needed) = this.decode(reason);
            vm.assertLt(left, needed);
            vm.assertLt(left, gas);
        }
        vm.assertEq(rollup.blockNumber(), success ? 1 : 0);
        vm.assertEq(set.asset.balanceOf(proposer), success ? SetLib.REWARD : 0, "a block without its reward");
    }

    /// @dev A claim gets 250,000 gas, also at the least gas with which a block is taken; with one unit less the refusal
    /// says how much was needed.
    function test_gas_aClaimGetsAllItsGas() public {
        // GAS, PUSH0, SSTORE: stores the gas that is left, after the two units of the question.
        address distributor = address(0xD157);
        vm.etch(distributor, hex"5a5f55");
        _deploy(distributor);
        (uint256 low, uint256 high) = (20_000, 500_000);
        while (high - low > 1) {
            uint256 middle = (low + high) / 2;
            uint256 snapshot = vm.snapshotState();
            (bool works,) = _propose(middle);
            vm.revertToState(snapshot);
            if (works) high = middle;
            else low = middle;
        }

        (bool success, bytes memory reason) = _propose(low);
        vm.assertFalse(success);
        vm.assertEq(bytes32(bytes4(reason)), bytes32(IRollup.Rollup__NotEnoughGasForReward.selector));
        (uint256 left, uint256 needed) = this.decode(reason);
        // 250,000 and a 63rd of it, and 6,000 for the call itself and the end of the block.
        vm.assertEq(needed, 259_968);
        vm.assertLt(left, needed);
        vm.assertGt(left, needed - 200);

        (success,) = _propose(high);
        vm.assertTrue(success);
        vm.assertEq(uint256(vm.load(distributor, 0)), 250_000 - 2);
        skip(SetLib.SLOT);
        (success,) = _propose(16_000_000);
        vm.assertTrue(success);
        vm.assertEq(uint256(vm.load(distributor, 0)), 250_000 - 2);
    }

    function _propose(uint256 gas) internal returns (bool success, bytes memory reason) {
        address proposer = rollup.getCurrentProposer();
        vm.prank(proposer);
        return address(rollup).call{gas: gas}(abi.encodeCall(IRollup.proposeBlock, ("block")));
    }

    function decode(bytes calldata reason) external pure returns (uint256, uint256) {
        return abi.decode(reason[4:], (uint256, uint256));
    }

    /// @dev A claim that fails in the distributor costs the caller no more than a bounded amount of gas, too.
    function testFuzz_gas_ofAHostileClaimIsBounded(uint256 gas, uint256 mode) public {
        gas = bound(gas, 400_000, 16_000_000);
        HostileDistributor distributor = new HostileDistributor();
        distributor.setMode(HostileDistributor.Mode(mode % 6));
        _deploy(address(distributor));
        address proposer = rollup.getCurrentProposer();
        uint256 before = gasleft();
        vm.prank(proposer);
        rollup.proposeBlock{gas: gas}("block");
        vm.assertLe(before - gasleft(), MOST_GAS);
        vm.assertEq(rollup.blockNumber(), 1);
    }
}
