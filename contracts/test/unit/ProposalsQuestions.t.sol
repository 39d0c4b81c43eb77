// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {IRegistry} from "canon/interfaces/IRegistry.sol";
import {IRollup} from "canon/interfaces/IRollup.sol";
import {SetLib} from "../Set.sol";
import {Test} from "../Test.sol";
import {MeasuredAnswer} from "../mocks/MeasuredAnswer.sol";

/// @notice Every question that Proposals asks, answered in every way that is no answer: with nothing, with less or more
/// than a word, with a megabyte, by a revert, by an account without code.
contract ProposalsQuestionsTest is Test {
    uint256 private constant START = 1_750_000_000;
    uint256 private constant M = SetLib.M;
    uint256 private constant MEGABYTE = 1 << 20;
    address private constant PROPOSER = address(0x5e90e9ce5);
    address private constant PAYLOAD = address(0xE000000001);

    bytes4 private constant ROLLUP = IRegistry.getRollup.selector;
    bytes4 private constant GOVERNANCE = IRegistry.getGovernance.selector;
    bytes4 private constant SLOT = IRollup.getCurrentSlot.selector;
    bytes4 private constant WHO = IRollup.getCurrentProposer.selector;
    bytes4 private constant COUNT = IGovernance.proposalCount.selector;
    bytes4 private constant STATE = IGovernance.getProposalState.selector;
    bytes4 private constant LISTENS = IGovernance.governanceProposer.selector;

    MeasuredAnswer internal registry;
    MeasuredAnswer internal rollup;
    MeasuredAnswer internal governance;
    IProposals internal proposals;

    /// @dev Round 3 became proposal 0, which is over; round 4 has the same winner, and the present round is the fifth.
    function setUp() public {
        vm.warp(START);
        registry = new MeasuredAnswer();
        rollup = new MeasuredAnswer();
        governance = new MeasuredAnswer();
        proposals = IProposals(vm.deployCode(SetLib.artifact("Proposals"), abi.encode(registry, SetLib.N, M)));
        vm.etch(PAYLOAD, hex"fe");
        registry.set(ROLLUP, uint160(address(rollup)));
        registry.set(GOVERNANCE, uint160(address(governance)));
        rollup.set(WHO, uint160(PROPOSER));
        governance.set(COUNT, 0);
        governance.set(STATE, uint256(ProposalState.Executed));
        governance.set(LISTENS, uint160(address(proposals)));
        governance.set(IGovernance.propose.selector, 1);
        for (uint256 round = 3; round < 5; ++round) {
            for (uint256 i; i < SetLib.N; ++i) {
                rollup.set(SLOT, round * M + i);
                vm.prank(PROPOSER);
                proposals.vote(PAYLOAD);
            }
        }
        rollup.set(SLOT, 5 * M);
        proposals.pushProposal(3);
        governance.set(COUNT, 1);
    }

    /// @dev The functions that ask other contracts.
    enum Call {
        Vote,
        VoteWithSig,
        PushProposal,
        WinnerOf,
        PushableRounds,
        GetCurrentRound,
        CurrentStatus,
        GetGovernance,
        LatestProposalOf
    }

    uint256 private constant CALLS = uint256(type(Call).max) + 1;

    function _calling(Call call) internal pure returns (bytes memory) {
        if (call == Call.Vote) return abi.encodeCall(IProposals.vote, (PAYLOAD));
        if (call == Call.VoteWithSig) return abi.encodeCall(IProposals.voteWithSig, (PAYLOAD, new bytes(65)));
        if (call == Call.PushProposal) return abi.encodeCall(IProposals.pushProposal, (4));
        if (call == Call.WinnerOf) return abi.encodeCall(IProposals.winnerOf, (4));
        if (call == Call.PushableRounds) return abi.encodeCall(IProposals.pushableRounds, ());
        if (call == Call.GetCurrentRound) return abi.encodeCall(IProposals.getCurrentRound, ());
        if (call == Call.CurrentStatus) return abi.encodeCall(IProposals.currentStatus, ());
        if (call == Call.GetGovernance) return abi.encodeCall(IProposals.getGovernance, ());
        return abi.encodeCall(IProposals.latestProposalOf, (PAYLOAD));
    }

    /// @dev Whether `call` fails without an answer to `selector`.
    function _needs(Call call, bytes4 selector) internal pure returns (bool) {
        bool wins = call == Call.PushProposal || call == Call.WinnerOf;
        bool ofGovernanceOnly = call == Call.GetGovernance || call == Call.LatestProposalOf;
        if (selector == ROLLUP || selector == SLOT) return !ofGovernanceOnly;
        if (selector == WHO) return call == Call.Vote || call == Call.VoteWithSig;
        if (selector == GOVERNANCE) return wins || ofGovernanceOnly || call == Call.PushableRounds;
        // A round whose winner's proposal can't be asked for isn't listed, but the list is answered.
        if (selector == STATE) return wins;
        if (selector == COUNT) return call == Call.PushProposal;
        return call == Call.PushableRounds;
    }

    function _targetOf(bytes4 selector) internal view returns (MeasuredAnswer) {
        if (selector == ROLLUP || selector == GOVERNANCE) return registry;
        return selector == SLOT || selector == WHO ? rollup : governance;
    }

    /// @dev Makes every call, in turn, while `selector` isn't answered.
    function _assertNoAnswer(bytes4 selector) internal {
        for (uint256 call; call < CALLS; ++call) {
            bool asks = _needs(Call(call), selector);
            // No signature is valid here.
            if (Call(call) != Call.VoteWithSig || asks) _assertNoAnswer(selector, Call(call), asks);
        }
    }

    function _assertNoAnswer(bytes4 selector, Call call, bool asks) private {
        address target = address(_targetOf(selector));
        uint256 snapshot = vm.snapshotState();
        // The gas of the question itself, which the caller pays.
        uint256 asked = gasleft();
        bool ignored;
        assembly {
            mstore(0, selector)
            ignored := staticcall(gas(), target, 0, 36, 0, 0)
        }
        asked -= gasleft();
        vm.prank(PROPOSER);
        uint256 gas = gasleft();
        (bool success, bytes memory answer) = address(proposals).call(_calling(call));
        gas -= gasleft();
        vm.revertToState(snapshot);
        vm.assertEq(success, !asks, vm.toString(uint256(call)));
        if (asks) {
            vm.assertEq(answer, abi.encodeWithSelector(ICommon.NoAnswer.selector, target, selector));
        } else if (call == Call.PushableRounds) {
            vm.assertEq(abi.decode(answer, (uint256[])).length, selector == STATE ? 0 : 1);
        }
        // A copy of a megabyte alone takes more than two million.
        vm.assertLt(gas, asked + 400_000, "the answer was copied");
    }

    function _selectors() internal pure returns (bytes4[7] memory) {
        return [ROLLUP, GOVERNANCE, SLOT, WHO, STATE, COUNT, LISTENS];
    }

    function test_questions_areAnsweredAtFirst() public {
        for (uint256 which; which < CALLS; ++which) {
            if (Call(which) == Call.VoteWithSig) continue;
            uint256 snapshot = vm.snapshotState();
            vm.prank(PROPOSER);
            (bool success,) = address(proposals).call(_calling(Call(which)));
            vm.revertToState(snapshot);
            vm.assertTrue(success, vm.toString(which));
        }
        vm.assertEq(proposals.winnerOf(4), PAYLOAD);
        vm.assertEq(proposals.pushableRounds().length, 1);
    }

    function test_questions_refuseEveryOtherLength() public {
        bytes4[7] memory selectors = _selectors();
        uint256[6] memory lengths = [uint256(0), 1, 31, 33, 64, MEGABYTE];
        for (uint256 i; i < selectors.length; ++i) {
            for (uint256 j; j < lengths.length; ++j) {
                _targetOf(selectors[i]).distort(selectors[i], lengths[j], false);
                _assertNoAnswer(selectors[i]);
            }
            _targetOf(selectors[i]).distort(selectors[i], 32, false);
        }
    }

    /// @dev A revert is no answer, even with the word that would have been one, and its reason isn't passed on.
    function test_questions_refuseEveryRevert() public {
        bytes4[7] memory selectors = _selectors();
        uint256[5] memory lengths = [uint256(0), 4, 32, 100, MEGABYTE];
        for (uint256 i; i < selectors.length; ++i) {
            for (uint256 j; j < lengths.length; ++j) {
                _targetOf(selectors[i]).distort(selectors[i], lengths[j], true);
                _assertNoAnswer(selectors[i]);
            }
            _targetOf(selectors[i]).distort(selectors[i], 32, false);
        }
    }

    /// @dev An address with anything above its 160 bits is no answer; numbers have no such bits, but no state is above
    /// 7.
    function testFuzz_questions_refuseDirtyAddresses(uint256 dirt, uint256 which) public {
        dirt = bound(dirt, 1, type(uint96).max) << 160;
        bytes4[4] memory selectors = [ROLLUP, GOVERNANCE, WHO, LISTENS];
        bytes4 selector = selectors[which % 4];
        address[4] memory clean = [address(rollup), address(governance), PROPOSER, address(proposals)];
        _targetOf(selector).set(selector, dirt | uint160(clean[which % 4]));
        _assertNoAnswer(selector);
    }

    function testFuzz_state_thatIsNoneIsNoAnswer(uint256 state) public {
        state = bound(state, 8, type(uint256).max);
        governance.set(STATE, state);
        _assertNoAnswer(STATE);
    }

    function test_state_atItsBounds() public {
        for (uint256 state; state < 10; ++state) {
            governance.set(STATE, state);
            bool free = state > uint256(ProposalState.Executable) && state <= uint256(ProposalState.Expired);
            if (state > 7) {
                vm.expectRevert(abi.encodeWithSelector(ICommon.NoAnswer.selector, address(governance), STATE));
            } else if (!free) {
                vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__ProposalLive.selector, PAYLOAD, 0));
            }
            address winner = proposals.winnerOf(4);
            if (free) vm.assertEq(winner, PAYLOAD);
            vm.assertEq(proposals.pushableRounds().length, free ? 1 : 0);
        }
    }

    /// @dev An id that doesn't fit its bits is refused, not truncated into another one's.
    function test_proposalCount_atItsBounds() public {
        uint256 max = type(uint32).max;
        uint256 snapshot = vm.snapshotState();
        governance.set(COUNT, max - 1);
        proposals.pushProposal(4);
        (bool exists, uint256 id) = proposals.proposalOf(address(rollup), 4);
        vm.assertTrue(exists);
        vm.assertEq(id, max - 1);
        vm.revertToState(snapshot);
        governance.set(COUNT, max);
        vm.expectRevert(abi.encodeWithSelector(ICommon.ValueTooLarge.selector, max + 1, max));
        proposals.pushProposal(4);
        governance.set(COUNT, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(ICommon.ValueTooLarge.selector, type(uint256).max, max));
        proposals.pushProposal(4);
    }

    function test_questions_refuseAccountsWithoutCode() public {
        for (uint256 i; i < 2; ++i) {
            vm.etch(address(governance), i == 0 ? bytes("") : bytes(hex"00"));
            vm.expectRevert(abi.encodeWithSelector(ICommon.NoAnswer.selector, address(governance), STATE));
            proposals.winnerOf(4);
            vm.expectRevert(abi.encodeWithSelector(ICommon.NoAnswer.selector, address(governance), STATE));
            proposals.pushProposal(4);
            vm.expectRevert(abi.encodeWithSelector(ICommon.NoAnswer.selector, address(governance), LISTENS));
            proposals.pushableRounds();
        }
        vm.etch(address(registry), "");
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoAnswer.selector, address(registry), ROLLUP));
        proposals.winnerOf(4);
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoAnswer.selector, address(registry), GOVERNANCE));
        proposals.getGovernance();
    }

    /// @dev Instance, its slot, Governance, and only then the round.
    function testFuzz_winnerOf_asksInOrder(uint256 first, uint256 further, uint256 round) public {
        first = bound(first, 0, 4);
        uint256 faults = (further << (first + 1)) | (1 << first);
        if (faults & 1 != 0) registry.distort(ROLLUP, 31, false);
        if (faults & 4 != 0) rollup.distort(SLOT, 31, false);
        if (faults & 8 != 0) registry.distort(GOVERNANCE, 31, false);
        if (faults & 2 != 0) vm.etch(address(rollup), "");
        round = bound(round, 5, type(uint256).max);
        bytes memory refusal;
        if (first == 0) refusal = abi.encodeWithSelector(ICommon.NoAnswer.selector, address(registry), ROLLUP);
        if (first == 1) refusal = abi.encodeWithSelector(ICommon.NoCode.selector, address(rollup));
        if (first == 2) refusal = abi.encodeWithSelector(ICommon.NoAnswer.selector, address(rollup), SLOT);
        if (first == 3) refusal = abi.encodeWithSelector(ICommon.NoAnswer.selector, address(registry), GOVERNANCE);
        if (first == 4) refusal = abi.encodeWithSelector(IProposals.Proposals__RoundNotOver.selector, round, 5);
        vm.expectRevert(refusal);
        proposals.winnerOf(round);
        vm.expectRevert(refusal);
        proposals.pushProposal(round);
    }
}
