// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {ProposalState} from "canon/interfaces/IGovernance.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {IRegistry} from "canon/interfaces/IRegistry.sol";
import {SetLib} from "../Set.sol";
import {ScriptedGovernance} from "../mocks/ScriptedGovernance.sol";
import {ScriptedRegistry} from "../mocks/ScriptedRegistry.sol";
import {ScriptedRollup} from "../mocks/ScriptedRollup.sol";
import {ProposalsBase} from "./ProposalsBase.t.sol";

/// @notice What becomes of rounds and proposals when the canonical rollup or Governance changes.
contract ProposalsUpgradeTest is ProposalsBase {
    ScriptedRollup internal old;

    /// @dev A fresh rollup becomes canonical; `rollup` is it from now on.
    function _upgrade() internal {
        old = rollup;
        rollup = _newRollup();
        governance.upgrade(registry, address(rollup));
    }

    function testFuzz_upgrade_theNewRollupStartsFromZero(uint256 signals, uint256 slot) public {
        signals = bound(signals, 0, M);
        slot = bound(slot, 0, START);
        _signals(_payload(1), 3 * M, signals);
        _upgrade();
        _toSlot(slot);
        (uint256 foundSlot, uint256 round, address leader, uint256 count, uint256 free) = proposals.currentStatus();
        vm.assertEq(foundSlot, slot);
        vm.assertEq(round, slot / M);
        vm.assertEq(leader, address(0));
        vm.assertEq(count, 0);
        vm.assertEq(free, slot);
        _assertNewest(address(rollup), false, 0);
        _assertRound(address(rollup), 3, 0, address(0), false);
        _signal(_payload(2), slot);
        vm.assertEq(proposals.yeaCount(address(rollup), slot / M, _payload(2)), 1);
        vm.assertEq(proposals.yeaCount(address(old), 3, _payload(1)), signals);
    }

    /// @dev The old rollup's rounds that weren't pushed can't be pushed any more, whatever their age.
    function testFuzz_upgrade_unpushedRoundsCannotBePushed(uint256 present) public {
        _win(_payload(1), 3);
        _toRound(4);
        vm.assertEq(proposals.pushableRounds().length, 1);
        _upgrade();
        present = bound(present, 4, 3 + LIFETIME);
        _toRound(present);
        vm.assertEq(proposals.pushableRounds().length, 0);
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__NoLeader.selector, 3));
        proposals.pushProposal(3);
        // What was counted can still be read.
        _assertRound(address(old), 3, 3 * M + N - 1, _payload(1), false);
    }

    function testFuzz_upgrade_theOldRollupsSequencersSignalNoMore(address proposer, uint256 slot) public {
        vm.assume(proposer != address(0) && proposer != PROPOSER);
        slot = bound(slot, 0, START);
        rollup.set(slot, proposer);
        _upgrade();
        _toSlot(slot);
        address payload = _payload(1);
        vm.prank(proposer);
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__NotProposer.selector, proposer, PROPOSER));
        proposals.vote(payload);
    }

    /// @dev The same round numbers of two rollups have nothing to do with each other.
    function testFuzz_upgrade_roundsAreKeptPerRollup(uint256 before, uint256 afterwards, uint256 round) public {
        before = bound(before, 1, M);
        afterwards = bound(afterwards, 1, M);
        round = bound(round, 0, 1_000_000);
        _signals(_payload(1), round * M, before);
        _upgrade();
        _signals(_payload(2), round * M, afterwards);
        _assertRound(address(old), round, round * M + before - 1, _payload(1), false);
        _assertRound(address(rollup), round, round * M + afterwards - 1, _payload(2), false);
        _toRound(round + 1);
        if (afterwards < N) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IProposals.Proposals__QuorumNotReached.selector, _payload(2), afterwards, N
                )
            );
        }
        proposals.pushProposal(round);
        _assertRound(address(old), round, round * M + before - 1, _payload(1), false);
        (bool exists,) = proposals.proposalOf(address(old), round);
        vm.assertFalse(exists);
        (exists,) = proposals.proposalOf(address(rollup), round);
        vm.assertEq(exists, afterwards >= N);
    }

    /// @dev What the old rollup's sequencers pushed is still a proposal, and stops a second one.
    function testFuzz_upgrade_pushedProposalsStayLive(uint256 state) public {
        state = bound(state, 0, 7);
        _win(_payload(1), 3);
        _toRound(4);
        proposals.pushProposal(3);
        _upgrade();
        _assertRound(address(old), 3, 3 * M + N - 1, _payload(1), true);
        (bool exists, uint256 id) = proposals.proposalOf(address(old), 3);
        vm.assertTrue(exists);
        vm.assertEq(id, 0);
        governance.setState(0, ProposalState(state));
        _win(_payload(1), 0);
        _toRound(1);
        if (state <= 3) {
            vm.expectRevert(
                abi.encodeWithSelector(IProposals.Proposals__ProposalLive.selector, _payload(1), 0)
            );
        }
        proposals.pushProposal(0);
    }

    /// @dev Before the first upgrade the Registry's sentinel is canonical, and nobody can signal.
    function test_upgrade_beforeTheFirst() public {
        registry = IRegistry(vm.deployCode(SetLib.artifact("Registry"), abi.encode(address(governance))));
        proposals = _deploy(N, M);
        bytes memory refusal = abi.encodeWithSelector(ICommon.NoCode.selector, address(0xdEaD));
        address payload = _payload(1);
        vm.prank(PROPOSER);
        vm.expectRevert(refusal);
        proposals.vote(payload);
        vm.expectRevert(refusal);
        proposals.pushProposal(0);
        vm.expectRevert(refusal);
        proposals.currentStatus();
        governance.upgrade(registry, address(_newRollup()));
        vm.prank(PROPOSER);
        vm.assertTrue(proposals.vote(payload));
    }

    /// @dev A registry that could go back: each rollup's slots, rounds and pushes go on where they stood.
    function testFuzz_switching_inMidRoundAndBack(uint256 seed, uint256 switches) public {
        switches = bound(switches, 1, 8);
        ScriptedRegistry scripted = new ScriptedRegistry();
        registry = IRegistry(address(scripted));
        proposals = _deploy(N, M);
        ScriptedRollup[2] memory both = [_newRollup(), _newRollup()];
        uint256[2] memory counts;
        for (uint256 i; i < switches; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 which = seed % 2;
            rollup = both[which];
            scripted.set(address(rollup), address(governance));
            uint256 more = (seed >> 8) % (M - counts[which] + 1);
            _signals(_payload(which), 3 * M + counts[which], more);
            counts[which] += more;
            for (uint256 j; j < 2; ++j) {
                vm.assertEq(proposals.yeaCount(address(both[j]), 3, _payload(j)), counts[j]);
                _assertNewest(address(both[j]), counts[j] != 0, counts[j] == 0 ? 0 : 3 * M + counts[j] - 1);
            }
        }
        for (uint256 j; j < 2; ++j) {
            rollup = both[j];
            scripted.set(address(rollup), address(governance));
            _toRound(4);
            vm.assertEq(proposals.pushableRounds().length, counts[j] >= N ? 1 : 0);
            if (counts[j] < N) continue;
            proposals.pushProposal(3);
            (, uint256 id) = proposals.proposalOf(address(rollup), 3);
            vm.assertEq(id, governance.proposalCount() - 1);
        }
    }

    /// @dev Each slot is used once even if the rollup is replaced and put back in between.
    function testFuzz_switching_givesNoSlotTwice(uint256 slot) public {
        slot = bound(slot, 0, START);
        ScriptedRegistry scripted = new ScriptedRegistry();
        registry = IRegistry(address(scripted));
        proposals = _deploy(N, M);
        ScriptedRollup other = _newRollup();
        scripted.set(address(rollup), address(governance));
        _signal(_payload(1), slot);
        scripted.set(address(other), address(governance));
        scripted.set(address(rollup), address(governance));
        address payload = _payload(1);
        vm.prank(PROPOSER);
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__SlotAlreadyUsed.selector, slot, slot));
        proposals.vote(payload);
    }

    function _hand(ScriptedGovernance from, ScriptedGovernance to) internal {
        from.transferOwnership(address(registry), address(to));
        to.acceptOwnership(address(registry));
        governance = to;
    }

    /// @dev Proposals follows the Registry's owner; a proposal that is live in another Governance doesn't stop a push here.
    function testFuzz_newGovernance_hasNoProposalsYet(uint256 already) public {
        already = bound(already, 0, 5);
        _win(_payload(1), 3);
        _win(_payload(1), 4);
        _toRound(5);
        proposals.pushProposal(3);
        ScriptedGovernance first = governance;
        ScriptedGovernance second = new ScriptedGovernance();
        for (uint256 i; i < already; ++i) {
            second.proposeElsewhere(_payload(9));
        }
        // Offered isn't owned.
        first.transferOwnership(address(registry), address(second));
        vm.assertEq(proposals.getGovernance(), address(first));
        second.acceptOwnership(address(registry));
        vm.assertEq(proposals.getGovernance(), address(second));
        (bool exists,) = proposals.latestProposalOf(_payload(1));
        vm.assertFalse(exists);
        vm.assertEq(proposals.pushableRounds().length, 1);
        proposals.pushProposal(4);
        (, uint256 id) = proposals.latestProposalOf(_payload(1));
        vm.assertEq(id, already);
        vm.assertEq(second.payloads(already), _payload(1));
        // A round pushed to the former Governance stays pushed.
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__AlreadyPushed.selector, 3, 0));
        proposals.pushProposal(3);
    }

    /// @dev Back at the first Governance, its own proposal counts again.
    function testFuzz_formerGovernance_stillKnowsItsProposals(uint256 state) public {
        state = bound(state, 0, 7);
        ScriptedGovernance first = governance;
        ScriptedGovernance second = new ScriptedGovernance();
        for (uint256 round = 3; round < 6; ++round) {
            _win(_payload(1), round);
        }
        _toRound(6);
        first.proposeElsewhere(_payload(9));
        proposals.pushProposal(3);
        _hand(first, second);
        proposals.pushProposal(4);
        _hand(second, first);
        (bool exists, uint256 id) = proposals.latestProposalOf(_payload(1));
        vm.assertTrue(exists);
        vm.assertEq(id, 1);
        first.setState(1, ProposalState(state));
        vm.assertEq(proposals.pushableRounds().length, state <= 3 ? 0 : 1);
        if (state <= 3) {
            vm.expectRevert(
                abi.encodeWithSelector(IProposals.Proposals__ProposalLive.selector, _payload(1), 1)
            );
        }
        proposals.pushProposal(5);
    }
}
