// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IGovernance} from "canon/interfaces/IGovernance.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {IRollup} from "canon/interfaces/IRollup.sol";
import {HostileRollup} from "../mocks/HostileRollup.sol";
import {Wallet} from "../mocks/Wallet.sol";
import {SetLib} from "../Set.sol";
import {BallotMessage, TypedData} from "../TypedData.sol";
import {Scenario} from "./Scenario.sol";

/// @notice Proposers and holders with delegations and wallets, and signatures where they don't belong.
contract SignersTest is Scenario {
    address internal payload;

    function setUp() public override {
        super.setUp();
        payload = _boxPayload(1);
        _toNextRound(rollup);
    }

    function _signal(uint256 key, address payload_, uint256 slot, address instance)
        internal
        view
        returns (bytes memory)
    {
        return TypedData.signSignal(key, payload_, slot, instance, address(proposals));
    }

    function _ballot(uint256 key, uint256 id, uint256 amount, bool support, address voter, uint256 nonce)
        internal
        view
        returns (bytes memory)
    {
        BallotMessage memory ballot =
            BallotMessage(id, governance.actionsHash(id), amount, support, voter, nonce, type(uint256).max);
        return TypedData.sign(key, ballot, address(governance));
    }

    function _expectInvalid(address proposer) internal {
        _expectRevert(abi.encodeWithSelector(IProposals.Proposals__InvalidSignature.selector, proposer));
    }

    /// @dev A rollup on which `proposer` has every slot.
    function _onlyProposer(address proposer) internal returns (HostileRollup instance) {
        instance = new HostileRollup(address(governance), 0, proposer);
        vm.prank(address(governance));
        registry.upgrade(address(instance));
    }

    function testFuzz_signers_aSignalMayBeSubmittedByAnybody(address relayer) public {
        address proposer = rollup.getCurrentProposer();
        bytes memory signature = _signal(keyOf[proposer], payload, rollup.getCurrentSlot(), address(rollup));
        vm.expectEmit(address(proposals));
        emit IProposals.VoteCast(payload, rollup.getCurrentSlot() / SetLib.M, proposer);
        vm.prank(relayer);
        proposals.voteWithSig(payload, signature);
    }

    function test_signers_aSignalCannotBeReplayedInItsSlot() public {
        address proposer = rollup.getCurrentProposer();
        uint256 slot = rollup.getCurrentSlot();
        bytes memory signature = _signal(keyOf[proposer], payload, slot, address(rollup));
        proposals.voteWithSig(payload, signature);
        _expectRevert(abi.encodeWithSelector(IProposals.Proposals__SlotAlreadyUsed.selector, slot, slot));
        proposals.voteWithSig(payload, signature);
        _expectRevert(abi.encodeWithSelector(IProposals.Proposals__SlotAlreadyUsed.selector, slot, slot));
        vm.prank(proposer);
        proposals.vote(payload);
    }

    /// @dev Even where the same account proposes every slot, a signature is good for one.
    function testFuzz_signers_aSignalCannotBeReplayedInAnotherSlot(uint256 slot, uint256 later) public {
        (address proposer, uint256 key) = account("sole proposer");
        HostileRollup instance = _onlyProposer(proposer);
        slot = bound(slot, 0, 1_000_000);
        later = bound(later, slot + 1, slot + 1_000_000);
        instance.setSlot(slot);
        bytes memory signature = _signal(key, payload, slot, address(instance));
        instance.setSlot(later);
        _expectInvalid(proposer);
        proposals.voteWithSig(payload, signature);
        instance.setSlot(slot);
        proposals.voteWithSig(payload, signature);
        instance.setSlot(later);
        _expectInvalid(proposer);
        proposals.voteWithSig(payload, signature);
    }

    function test_signers_aSignalCannotBeReplayedOnAnotherRollup() public {
        (address proposer, uint256 key) = account("sole proposer");
        HostileRollup first = _onlyProposer(proposer);
        bytes memory signature = _signal(key, payload, 0, address(first));
        proposals.voteWithSig(payload, signature);
        HostileRollup second = _onlyProposer(proposer);
        _expectInvalid(proposer);
        proposals.voteWithSig(payload, signature);
        proposals.voteWithSig(payload, _signal(key, payload, 0, address(second)));
    }

    function testFuzz_signers_aSignalCannotBeReplayedOnAnotherChain(uint64 chain) public {
        vm.assume(chain != block.chainid && chain != 0);
        address proposer = rollup.getCurrentProposer();
        bytes memory signature = _signal(keyOf[proposer], payload, rollup.getCurrentSlot(), address(rollup));
        vm.chainId(chain);
        _expectInvalid(proposer);
        proposals.voteWithSig(payload, signature);
    }

    function test_signers_aSignalCannotBeReplayedOnAnotherProposalsContract() public {
        IProposals other =
            IProposals(vm.deployCode(SetLib.artifact("Proposals"), abi.encode(registry, SetLib.N, SetLib.M)));
        address proposer = rollup.getCurrentProposer();
        bytes memory signature = _signal(keyOf[proposer], payload, rollup.getCurrentSlot(), address(rollup));
        _expectInvalid(proposer);
        other.voteWithSig(payload, signature);
    }

    function test_signers_aSignalIsForItsPayloadOnly() public {
        address proposer = rollup.getCurrentProposer();
        bytes memory signature = _signal(keyOf[proposer], payload, rollup.getCurrentSlot(), address(rollup));
        address other = _boxPayload(2);
        _expectInvalid(proposer);
        proposals.voteWithSig(other, signature);
    }

    function test_signers_onlyTheSlotsProposerSigns() public {
        address proposer = rollup.getCurrentProposer();
        for (uint256 i; i < ATTESTERS; ++i) {
            (address other, uint256 key) = account(string.concat("proposer ", vm.toString(i)));
            if (other == proposer) continue;
            bytes memory signature = _signal(key, payload, rollup.getCurrentSlot(), address(rollup));
            _expectInvalid(proposer);
            proposals.voteWithSig(payload, signature);
        }
    }

    function testFuzz_signers_aProposerWithADelegationSignsAndCallsAsItself(address implementation) public {
        address proposer = rollup.getCurrentProposer();
        uint256 slot = rollup.getCurrentSlot();
        vm.etch(proposer, abi.encodePacked(hex"ef0100", implementation));
        proposals.voteWithSig(payload, _signal(keyOf[proposer], payload, slot, address(rollup)));
        _toSlot(rollup, slot + 1);
        address next = rollup.getCurrentProposer();
        vm.etch(next, abi.encodePacked(hex"ef0100", implementation));
        vm.prank(next);
        proposals.vote(payload);
        vm.assertEq(proposals.yeaCount(address(rollup), slot / SetLib.M, payload), 2);
    }

    /// @dev A delegation isn't code: the account signs as itself, never by the wallet that it delegates to.
    function test_signers_aDelegationToAWalletDoesNotSignByTheWallet() public {
        (address owner, uint256 key) = account("wallet owner");
        Wallet wallet = new Wallet(owner);
        address proposer = rollup.getCurrentProposer();
        vm.etch(proposer, abi.encodePacked(hex"ef0100", address(wallet)));
        bytes memory signature = _signal(key, payload, rollup.getCurrentSlot(), address(rollup));
        _expectInvalid(proposer);
        proposals.voteWithSig(payload, signature);
    }

    function test_signers_aWalletSignalsByCallAndBySignature() public {
        (address owner, uint256 key) = account("wallet owner");
        Wallet wallet = new Wallet(owner);
        HostileRollup instance = _onlyProposer(address(wallet));
        proposals.voteWithSig(payload, _signal(key, payload, 0, address(instance)));
        instance.setSlot(1);
        vm.prank(owner);
        wallet.call(address(proposals), abi.encodeCall(IProposals.vote, (payload)));
        vm.assertEq(proposals.yeaCount(address(instance), 0, payload), 2);
        instance.setSlot(2);
        (, uint256 stranger) = account("stranger");
        bytes memory forged = _signal(stranger, payload, 2, address(instance));
        _expectInvalid(address(wallet));
        proposals.voteWithSig(payload, forged);
    }

    function testFuzz_signers_noSignatureSignsForNobody(bytes memory signature) public {
        _onlyProposer(address(0));
        _expectRevert(abi.encodeWithSelector(IProposals.Proposals__NoProposer.selector, 0));
        proposals.voteWithSig(payload, signature);
    }

    function test_signers_anInvalidSignatureUsesNoSlot() public {
        address proposer = rollup.getCurrentProposer();
        _expectInvalid(proposer);
        proposals.voteWithSig(payload, new bytes(65));
        vm.prank(proposer);
        proposals.vote(payload);
    }

    function testFuzz_signers_aBallotIsUsedOnceInItsOrderOnItsChain(uint256 amount, uint64 chain) public {
        vm.assume(chain != block.chainid && chain != 0);
        uint256 home = block.chainid;
        amount = bound(amount, 1, POWER / 2);
        uint256 id = _propose(payload);
        _to(_lastPending(id) + 1);
        bytes memory first = _ballot(keyOf[alice], id, amount, true, alice, 0);
        bytes memory second = _ballot(keyOf[alice], id, amount, false, alice, 1);
        bytes memory refusal0 = abi.encodeWithSelector(IGovernance.Governance__InvalidSignature.selector, alice, 0);
        bytes memory refusal1 = abi.encodeWithSelector(IGovernance.Governance__InvalidSignature.selector, alice, 1);
        _expectRevert(refusal0);
        governance.voteWithSig(id, amount, false, alice, type(uint256).max, second);
        vm.chainId(chain);
        _expectRevert(refusal0);
        governance.voteWithSig(id, amount, true, alice, type(uint256).max, first);
        vm.chainId(home);
        governance.voteWithSig(id, amount, true, alice, type(uint256).max, first);
        _expectRevert(refusal1);
        governance.voteWithSig(id, amount, true, alice, type(uint256).max, first);
        governance.voteWithSig(id, amount, false, alice, type(uint256).max, second);
        (uint256 yea, uint256 nea) = governance.ballots(id, alice);
        vm.assertEq(yea, amount);
        vm.assertEq(nea, amount);
    }

    function test_signers_aBallotIsForItsProposalAndItsGovernanceOnly() public {
        uint256 a = _propose(payload);
        uint256 b = _propose(_boxPayload(2));
        _to(_lastPending(b) + 1);
        bytes memory signature = _ballot(keyOf[alice], a, POWER, true, alice, 0);
        _expectRevert(abi.encodeWithSelector(IGovernance.Governance__InvalidSignature.selector, alice, 0));
        governance.voteWithSig(b, POWER, true, alice, type(uint256).max, signature);
        // It isn't accepted as the ballot of another voter either.
        _expectRevert(abi.encodeWithSelector(IGovernance.Governance__InvalidSignature.selector, bob, 0));
        governance.voteWithSig(a, POWER, true, bob, type(uint256).max, signature);
        governance.voteWithSig(a, POWER, true, alice, type(uint256).max, signature);
    }

    function test_signers_anInvalidatedBallotIsGone() public {
        uint256 id = _propose(payload);
        _to(_lastPending(id) + 1);
        bytes memory signature = _ballot(keyOf[alice], id, 1, true, alice, 0);
        vm.prank(alice);
        governance.invalidateBallots(id);
        _expectRevert(abi.encodeWithSelector(IGovernance.Governance__InvalidSignature.selector, alice, 1 << 32));
        governance.voteWithSig(id, 1, true, alice, type(uint256).max, signature);
        // What is signed from now on counts.
        bytes memory again = _ballot(keyOf[alice], id, 1, true, alice, 1 << 32);
        governance.voteWithSig(id, 1, true, alice, type(uint256).max, again);
    }
}
