// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {IRegistry} from "canon/interfaces/IRegistry.sol";
import {IRollup} from "canon/interfaces/IRollup.sol";
import {TypedData} from "../TypedData.sol";
import {MeasuredAnswer} from "../mocks/MeasuredAnswer.sol";
import {ProposalsBase} from "./ProposalsBase.t.sol";
import {RefusalOrderBase} from "./RefusalOrderBase.t.sol";

/// @notice The order of Proposals' refusals. Its Registry answers what a test wants.
contract RefusalOrderProposalsTest is ProposalsBase, RefusalOrderBase {
    bytes4 private constant CANONICAL = IRegistry.getRollup.selector;
    bytes4 private constant GOVERNANCE = IRegistry.getGovernance.selector;
    bytes4 private constant SLOT = IRollup.getCurrentSlot.selector;
    bytes4 private constant WHO = IRollup.getCurrentProposer.selector;

    MeasuredAnswer internal scriptedRegistry;

    function setUp() public override {
        super.setUp();
        scriptedRegistry = new MeasuredAnswer();
        registry = IRegistry(address(scriptedRegistry));
        _answerCanonical(address(rollup));
        _answerGovernance();
        proposals = _deploy(N, M);
    }

    function _answerCanonical(address instance) private {
        scriptedRegistry.set(CANONICAL, uint160(instance));
    }

    function _answerGovernance() private {
        scriptedRegistry.set(GOVERNANCE, uint160(address(governance)));
    }

    function test_constructor_refusesInOrder() public {
        _refusedConstruction("Proposals", abi.encode(CODELESS, 2 ** 23, 2 ** 24), _noCode(CODELESS));
        _refusedConstruction(
            "Proposals",
            abi.encode(registry, 2 ** 23, 2 ** 24),
            abi.encodeWithSelector(IProposals.Proposals__InvalidQuorum.selector, 2 ** 23, 2 ** 24)
        );
        _refusedConstruction(
            "Proposals", abi.encode(registry, 2 ** 23 + 1, 2 ** 24), _tooLarge(2 ** 24, type(uint24).max)
        );
        _acceptedConstruction("Proposals", abi.encode(registry, 2 ** 23, 2 ** 24 - 1));
    }

    function test_vote_refusesInOrder() public {
        address payload = _payload(1);
        bytes memory call_ = abi.encodeCall(IProposals.vote, (payload));
        _refusedUntilTheProposerIsKnown(abi.encodeCall(IProposals.vote, (CODELESS)), call_);
        _refused(
            STRANGER,
            address(proposals),
            call_,
            abi.encodeWithSelector(IProposals.Proposals__NotProposer.selector, STRANGER, PROPOSER)
        );
        _accepted(PROPOSER, address(proposals), call_);
    }

    function test_voteWithSig_refusesInOrder() public {
        address payload = _payload(1);
        (address signer, uint256 key) = account("signer");
        bytes memory call_ = abi.encodeCall(IProposals.voteWithSig, (payload, ""));
        _refusedUntilTheProposerIsKnown(abi.encodeCall(IProposals.voteWithSig, (CODELESS, "")), call_);
        rollup.set(6, signer);
        _refused(
            STRANGER,
            address(proposals),
            call_,
            abi.encodeWithSelector(IProposals.Proposals__InvalidSignature.selector, signer)
        );
        bytes memory signature = TypedData.signSignal(key, payload, 6, address(rollup), address(proposals));
        _accepted(STRANGER, address(proposals), abi.encodeCall(IProposals.voteWithSig, (payload, signature)));
    }

    /// @dev What both ways of signaling check before who signals; afterwards it is `PROPOSER`'s slot 6, still free.
    /// Never wrong together are an answer that doesn't come and what it says, and a slot in the future and a used one.
    /// @param codeless A signal for an account without code.
    /// @param call_ The same signal for a payload.
    function _refusedUntilTheProposerIsKnown(bytes memory codeless, bytes memory call_) private {
        address target = address(proposals);
        _signal(_payload(9), 5);
        scriptedRegistry.distort(CANONICAL, 31, false);
        rollup.answer(SLOT, "");
        rollup.answer(WHO, "");
        _refused(STRANGER, target, codeless, _noCode(CODELESS));
        _refused(STRANGER, target, call_, _noAnswer(address(registry), CANONICAL));
        _answerCanonical(STRANGER);
        _refused(STRANGER, target, call_, _noCode(STRANGER));
        _answerCanonical(address(rollup));
        _refused(STRANGER, target, call_, _noAnswer(address(rollup), SLOT));
        rollup.answer(SLOT, abi.encode(START + 1));
        _refused(
            STRANGER,
            target,
            call_,
            abi.encodeWithSelector(IProposals.Proposals__SlotInFuture.selector, START + 1, START)
        );
        rollup.answer(SLOT, abi.encode(5));
        _refused(STRANGER, target, call_, abi.encodeWithSelector(IProposals.Proposals__SlotAlreadyUsed.selector, 5, 5));
        rollup.answer(SLOT, abi.encode(6));
        _refused(STRANGER, target, call_, _noAnswer(address(rollup), WHO));
        rollup.set(6, address(0));
        _refused(STRANGER, target, call_, abi.encodeWithSelector(IProposals.Proposals__NoProposer.selector, 6));
        rollup.set(6, PROPOSER);
    }

    /// @dev The Registry, the rollup and again the Registry, before the round is looked at.
    function test_pushProposal_refusesWhatItCannotAskInOrder() public {
        bytes memory call_ = abi.encodeCall(IProposals.pushProposal, (3));
        _win(_payload(1), 3);
        scriptedRegistry.distort(CANONICAL, 31, false);
        scriptedRegistry.distort(GOVERNANCE, 31, false);
        rollup.answer(SLOT, "");
        _refusedByBoth(3, _noAnswer(address(registry), CANONICAL));
        _answerCanonical(STRANGER);
        _refusedByBoth(3, _noCode(STRANGER));
        _answerCanonical(address(rollup));
        _refusedByBoth(3, _noAnswer(address(rollup), SLOT));
        _toRound(3);
        _refusedByBoth(3, _noAnswer(address(registry), GOVERNANCE));
        _answerGovernance();
        _refusedByBoth(3, _roundNotOver(3, 3));
        _toRound(4);
        _accepted(STRANGER, address(proposals), call_);
    }

    /// @dev A round that wasn't pushed, of a payload that was pushed for an earlier one. Never wrong together are a
    /// round that isn't over and one that expired, no leader and its code, an answer that doesn't come and what it says.
    function test_pushProposal_refusesInOrder() public {
        address payload = _payload(1);
        (bytes memory code, bytes32 pinned) = (payload.code, payload.codehash);
        bytes memory call_ = abi.encodeCall(IProposals.pushProposal, (8));
        bytes memory state = abi.encodeCall(IGovernance.getProposalState, (0));
        bytes memory count = abi.encodeCall(IGovernance.proposalCount, ());
        _win(payload, 6);
        _toRound(7);
        _accepted(STRANGER, address(proposals), abi.encodeCall(IProposals.pushProposal, (6)));

        _toRound(8);
        _refusedByBoth(8, _roundNotOver(8, 8));
        _toRound(14);
        _refusedByBoth(8, _roundExpired(8, 14));
        _toRound(9);
        _refusedByBoth(8, abi.encodeWithSelector(IProposals.Proposals__NoLeader.selector, 8));

        _signals(payload, 8 * M, N - 1);
        vm.etch(payload, hex"c0de");
        vm.mockCallRevert(address(governance), state, "");
        vm.mockCallRevert(address(governance), count, "");
        governance.refuse("refused");
        _refusedByBoth(8, _roundNotOver(8, 8));
        _toRound(14);
        _refusedByBoth(8, _roundExpired(8, 14));
        _toRound(9);
        _refusedByBoth(8, abi.encodeWithSelector(IProposals.Proposals__QuorumNotReached.selector, payload, N - 1, N));
        _signal(payload, 8 * M + N);
        _toRound(9);
        _refusedByBoth(8, _codeChanged(payload, pinned, keccak256(hex"c0de")));
        vm.etch(payload, code);
        _refusedByBoth(8, _noAnswer(address(governance), IGovernance.getProposalState.selector));
        vm.mockCall(address(governance), state, abi.encode(ProposalState.Executable));
        _refusedByBoth(8, abi.encodeWithSelector(IProposals.Proposals__ProposalLive.selector, payload, 0));
        vm.mockCall(address(governance), state, abi.encode(ProposalState.Executed));

        // The winner is known. What remains concerns the push alone.
        _accepted(STRANGER, address(proposals), abi.encodeCall(IProposals.winnerOf, (8)));
        _refused(
            STRANGER, address(proposals), call_, _noAnswer(address(governance), IGovernance.proposalCount.selector)
        );
        vm.mockCall(address(governance), count, abi.encode(uint256(2 ** 32)));
        _refused(STRANGER, address(proposals), call_, _tooLarge(2 ** 32, type(uint32).max));
        vm.mockCall(address(governance), count, abi.encode(uint256(1)));
        _refused(STRANGER, address(proposals), call_, "refused");
        governance.acceptAgain();
        _accepted(STRANGER, address(proposals), call_);
    }

    /// @dev A round that was pushed, and whose payload is live and has other code now. Only a rollup
    /// whose slots go back finds a pushed round that isn't over.
    function test_pushProposal_refusesAPushedRoundInOrder() public {
        address payload = _payload(1);
        bytes memory call_ = abi.encodeCall(IProposals.pushProposal, (3));
        _win(payload, 3);
        _toRound(4);
        _accepted(STRANGER, address(proposals), call_);
        vm.etch(payload, hex"c0de");
        _toRound(3);
        _refusedByBoth(3, _roundNotOver(3, 3));
        _toRound(9);
        _refusedByBoth(3, _roundExpired(3, 9));
        _toRound(8);
        _refusedByBoth(3, abi.encodeWithSelector(IProposals.Proposals__AlreadyPushed.selector, 3, 0));
    }

    /// @dev The push of `round` and the question for its winner are refused alike.
    function _refusedByBoth(uint256 round, bytes memory refusal) private {
        _refused(STRANGER, address(proposals), abi.encodeCall(IProposals.pushProposal, (round)), refusal);
        _refused(STRANGER, address(proposals), abi.encodeCall(IProposals.winnerOf, (round)), refusal);
    }

    function test_views_askInOrder() public {
        address target = address(proposals);
        bytes[3] memory calls = [
            abi.encodeCall(IProposals.getCurrentRound, ()),
            abi.encodeCall(IProposals.currentStatus, ()),
            abi.encodeCall(IProposals.pushableRounds, ())
        ];
        for (uint256 i; i < calls.length; ++i) {
            scriptedRegistry.distort(CANONICAL, 31, false);
            scriptedRegistry.distort(GOVERNANCE, 31, false);
            rollup.answer(SLOT, "");
            _refused(STRANGER, target, calls[i], _noAnswer(address(registry), CANONICAL));
            _answerCanonical(STRANGER);
            _refused(STRANGER, target, calls[i], _noCode(STRANGER));
            _answerCanonical(address(rollup));
            _refused(STRANGER, target, calls[i], _noAnswer(address(rollup), SLOT));
            _toRound(3);
            // Only what can be pushed depends on Governance.
            if (i == 2) {
                _refused(STRANGER, target, calls[i], _noAnswer(address(registry), GOVERNANCE));
                _answerGovernance();
            }
            _accepted(STRANGER, target, calls[i]);
        }
    }

    function _roundNotOver(uint256 round, uint256 current) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IProposals.Proposals__RoundNotOver.selector, round, current);
    }

    function _roundExpired(uint256 round, uint256 current) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IProposals.Proposals__RoundExpired.selector, round, current);
    }

    /// @dev Of both hashes 29 bytes are compared.
    function _codeChanged(address payload, bytes32 expected, bytes32 found) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(
                IProposals.Proposals__CodeChanged.selector, payload, bytes29(expected), bytes29(found)
            );
    }
}
