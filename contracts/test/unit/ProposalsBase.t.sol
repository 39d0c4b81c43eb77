// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {IRegistry} from "canon/interfaces/IRegistry.sol";
import {SetLib} from "../Set.sol";
import {Test} from "../Test.sol";
import {ScriptedGovernance} from "../mocks/ScriptedGovernance.sol";
import {ScriptedRollup} from "../mocks/ScriptedRollup.sol";

/// @notice Proposals with a real Registry, and a rollup and a Governance that say what a test wants.
abstract contract ProposalsBase is Test {
    uint256 internal constant START = 1_750_000_000;
    uint256 internal constant N = SetLib.N;
    uint256 internal constant M = SetLib.M;
    uint256 internal constant LIFETIME = 5;
    address internal constant PROPOSER = address(0x5e90e9ce5);

    IRegistry internal registry;
    ScriptedGovernance internal governance;
    ScriptedRollup internal rollup;
    IProposals internal proposals;

    function setUp() public virtual {
        vm.warp(START);
        vm.roll(22_000_000);
        registry = IRegistry(vm.deployCode(SetLib.artifact("Registry"), abi.encode(address(this))));
        governance = new ScriptedGovernance();
        rollup = _newRollup();
        registry.upgrade(address(rollup));
        Ownable2Step(address(registry)).transferOwnership(address(governance));
        governance.acceptOwnership(address(registry));
        proposals = _deploy(N, M);
    }

    function _deploy(uint256 n, uint256 m) internal returns (IProposals) {
        return IProposals(vm.deployCode(SetLib.artifact("Proposals"), abi.encode(registry, n, m)));
    }

    function _newRollup() internal returns (ScriptedRollup fresh) {
        fresh = new ScriptedRollup();
        fresh.set(0, PROPOSER);
    }

    /// @dev Payload number `i`, with code of its own.
    function _payload(uint256 i) internal returns (address payload) {
        payload = address(uint160(0xE000000000 + i));
        if (payload.code.length == 0) vm.etch(payload, abi.encodePacked(hex"fe", i));
    }

    /// @dev The slot's proposer signals.
    function _signal(address payload, uint256 slot) internal {
        rollup.set(slot, PROPOSER);
        vm.prank(PROPOSER);
        proposals.vote(payload);
    }

    /// @dev `count` signals in the slots from `slot` on.
    function _signals(address payload, uint256 slot, uint256 count) internal {
        for (uint256 i; i < count; ++i) {
            _signal(payload, slot + i);
        }
    }

    /// @dev `payload` wins `round`, which isn't over yet then.
    function _win(address payload, uint256 round) internal {
        _signals(payload, round * M, N);
    }

    function _toSlot(uint256 slot) internal {
        rollup.set(slot, PROPOSER);
    }

    function _toRound(uint256 round) internal {
        _toSlot(round * M);
    }

    function _assertRound(address instance, uint256 round, uint256 lastVote, address leader, bool executed)
        internal
        view
    {
        (uint256 foundLast, address foundLeader, bool foundExecuted) = proposals.rounds(instance, round);
        vm.assertEq(foundLast, lastVote, "lastVote");
        vm.assertEq(foundLeader, leader, "leader");
        vm.assertEq(foundExecuted, executed, "executed");
    }

    function _assertNewest(address instance, bool exists, uint256 slot) internal view {
        (bool foundExists, uint256 found) = proposals.newestSlot(instance);
        vm.assertEq(foundExists, exists, "a slot was used");
        vm.assertEq(found, slot, "newest slot");
    }
}
