// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {ICommon} from "canon/interfaces/ICommon.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {Delegation} from "../mocks/Delegation.sol";
import {MeasuredAnswer} from "../mocks/MeasuredAnswer.sol";
import {ScriptedRollup} from "../mocks/ScriptedRollup.sol";
import {SignerWallet} from "../mocks/SignerWallet.sol";
import {Wallet} from "../mocks/Wallet.sol";
import {TypedData} from "../TypedData.sol";
import {ProposalsBase} from "./ProposalsBase.t.sol";

/// @notice Signals by signature: whose they are, and that none is good for anything else.
contract ProposalsSigTest is ProposalsBase {
    uint256 private constant CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    address internal signer;
    uint256 internal key;
    address internal payload;

    function setUp() public override {
        super.setUp();
        (signer, key) = account("sequencer");
        payload = _payload(1);
    }

    function _digest(IProposals target, uint256 chain, address payload_, uint256 slot, address instance)
        internal
        pure
        returns (bytes32)
    {
        return TypedData.digestOfSignal(payload_, slot, instance, chain, address(target));
    }

    function _digest(uint256 slot) internal view returns (bytes32) {
        return _digest(proposals, block.chainid, payload, slot, address(rollup));
    }

    function _refused(bytes memory signature, address proposer) internal {
        uint256 before = proposals.yeaCount(address(rollup), proposals.getCurrentRound(), payload);
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__InvalidSignature.selector, proposer));
        proposals.voteWithSig(payload, signature);
        vm.assertEq(proposals.yeaCount(address(rollup), proposals.getCurrentRound(), payload), before);
    }

    function testFuzz_voteWithSig_anyoneMaySubmit(uint256 key_, address submitter, uint256 slot) public {
        key_ = bound(key_, 1, CURVE_ORDER - 1);
        slot = bound(slot, 0, START);
        address proposer = vm.addr(key_);
        rollup.set(slot, proposer);
        bytes memory signature = TypedData.sign(key_, _digest(slot));
        vm.expectEmit(address(proposals));
        emit IProposals.PayloadSeen(payload, payload.codehash);
        vm.expectEmit(address(proposals));
        emit IProposals.SlotUsed(slot);
        vm.expectEmit(address(proposals));
        emit IProposals.VoteCast(payload, slot / M, proposer);
        vm.prank(submitter);
        vm.assertTrue(proposals.voteWithSig(payload, signature));
        vm.assertEq(proposals.yeaCount(address(rollup), slot / M, payload), 1);
        _assertNewest(address(rollup), true, slot);
    }

    function test_eip712Domain_isTheContracts() public view {
        (bytes1 fields, string memory name, string memory version, uint256 chain, address verifier,,) =
            IERC5267(address(proposals)).eip712Domain();
        vm.assertEq(uint8(fields), 0x0f);
        vm.assertEq(name, "Proposals");
        vm.assertEq(version, "1");
        vm.assertEq(chain, block.chainid);
        vm.assertEq(verifier, address(proposals));
    }

    /// @dev There is no nonce: the slot is used up.
    function testFuzz_voteWithSig_cannotBeReplayedInItsSlot(uint256 slot, bool byVote) public {
        slot = bound(slot, 0, START);
        rollup.set(slot, signer);
        bytes memory signature = TypedData.sign(key, _digest(slot));
        if (byVote) {
            vm.prank(signer);
            proposals.vote(payload);
        } else {
            proposals.voteWithSig(payload, signature);
        }
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__SlotAlreadyUsed.selector, slot, slot));
        proposals.voteWithSig(payload, signature);
        vm.prank(signer);
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__SlotAlreadyUsed.selector, slot, slot));
        proposals.vote(payload);
    }

    function testFuzz_voteWithSig_isBoundToItsSlot(uint256 signed, uint256 slot) public {
        signed = bound(signed, 0, START);
        slot = bound(slot, 0, START);
        vm.assume(slot != signed);
        bytes memory signature = TypedData.sign(key, _digest(signed));
        rollup.set(slot, signer);
        _refused(signature, signer);
        if (slot < signed) {
            // Given out early, it is good when its slot comes.
            rollup.set(signed, signer);
            vm.assertTrue(proposals.voteWithSig(payload, signature));
        }
    }

    function testFuzz_voteWithSig_isBoundToItsPayload(uint256 slot, uint256 other) public {
        slot = bound(slot, 0, START);
        address signedFor = _payload(bound(other, 2, 1000));
        rollup.set(slot, signer);
        _refused(TypedData.sign(key, _digest(proposals, block.chainid, signedFor, slot, address(rollup))), signer);
    }

    /// @dev The same slot of the same proposer in another rollup.
    function testFuzz_voteWithSig_isBoundToItsInstance(uint256 slot) public {
        slot = bound(slot, 0, START);
        rollup.set(slot, signer);
        bytes memory signature = TypedData.sign(key, _digest(slot));
        ScriptedRollup next = _newRollup();
        next.set(slot, signer);
        governance.upgrade(registry, address(next));
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__InvalidSignature.selector, signer));
        proposals.voteWithSig(payload, signature);
        vm.assertTrue(
            proposals.voteWithSig(
                payload, TypedData.sign(key, _digest(proposals, block.chainid, payload, slot, address(next)))
            )
        );
        vm.assertEq(proposals.yeaCount(address(rollup), slot / M, payload), 0);
    }

    function testFuzz_voteWithSig_isBoundToItsChain(uint64 chain, uint256 slot) public {
        vm.assume(chain != block.chainid && chain != 0);
        slot = bound(slot, 0, START);
        rollup.set(slot, signer);
        uint256 home = block.chainid;
        bytes memory signature = TypedData.sign(key, _digest(slot));
        _refused(TypedData.sign(key, _digest(proposals, chain, payload, slot, address(rollup))), signer);
        // A fork of this chain has the same contract at the same address.
        vm.chainId(chain);
        _refused(signature, signer);
        vm.assertTrue(
            proposals.voteWithSig(payload, TypedData.sign(key, _digest(proposals, chain, payload, slot, address(rollup))))
        );
        vm.chainId(home);
    }

    function testFuzz_voteWithSig_isBoundToItsContract(address other, uint256 slot) public {
        vm.assume(other != address(proposals));
        slot = bound(slot, 0, START);
        rollup.set(slot, signer);
        _refused(TypedData.sign(key, _digest(IProposals(other), block.chainid, payload, slot, address(rollup))), signer);
    }

    function testFuzz_voteWithSig_ofSomebodyElse(uint256 otherKey, uint256 slot) public {
        otherKey = bound(otherKey, 1, CURVE_ORDER - 1);
        vm.assume(otherKey != key);
        slot = bound(slot, 0, START);
        rollup.set(slot, signer);
        _refused(TypedData.sign(otherKey, _digest(slot)), signer);
    }

    function testFuzz_voteWithSig_refusesHighS(uint256 slot) public {
        slot = bound(slot, 0, START);
        rollup.set(slot, signer);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _digest(slot));
        bytes32 high = bytes32(CURVE_ORDER - uint256(s));
        vm.assertEq(ecrecover(_digest(slot), v ^ 7, r, high), signer, "the curve would accept it");
        _refused(abi.encodePacked(r, high, v ^ 7), signer);
        vm.assertTrue(proposals.voteWithSig(payload, abi.encodePacked(r, s, v)));
    }

    function testFuzz_voteWithSig_refusesOtherLengths(uint256 length, uint256 slot) public {
        length = bound(length, 0, 130);
        if (length == 65) length = 66;
        slot = bound(slot, 0, START);
        rollup.set(slot, signer);
        bytes memory good = TypedData.sign(key, _digest(slot));
        bytes memory signature = new bytes(length);
        for (uint256 i; i < length && i < 65; ++i) {
            signature[i] = good[i];
        }
        _refused(signature, signer);
    }

    /// @dev The compact form of EIP-2098 is a second signature for the same signal, so it isn't one.
    function testFuzz_voteWithSig_refusesCompactSignatures(uint256 slot) public {
        slot = bound(slot, 0, START);
        rollup.set(slot, signer);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _digest(slot));
        _refused(abi.encodePacked(r, bytes32(uint256(s) | (uint256(v - 27) << 255))), signer);
    }

    function testFuzz_voteWithSig_refusesOtherRecoveryIds(uint8 v, uint256 slot) public {
        slot = bound(slot, 0, START);
        rollup.set(slot, signer);
        (uint8 good, bytes32 r, bytes32 s) = vm.sign(key, _digest(slot));
        vm.assume(v != good);
        _refused(abi.encodePacked(r, s, v), signer);
    }

    function testFuzz_voteWithSig_refusesNoise(bytes memory signature, uint256 slot) public {
        slot = bound(slot, 0, START);
        rollup.set(slot, signer);
        _refused(signature, signer);
    }

    /// @dev A signature that recovers address 0 is invalid, also if the slot's proposer is address 0.
    function testFuzz_voteWithSig_ofNobody(bytes memory signature, uint256 slot, bool wellFormed) public {
        slot = bound(slot, 0, START);
        rollup.set(slot, address(0));
        if (wellFormed) signature = abi.encodePacked(bytes32(0), bytes32(0), uint8(27));
        vm.expectRevert(abi.encodeWithSelector(IProposals.Proposals__NoProposer.selector, slot));
        proposals.voteWithSig(payload, signature);
        rollup.set(slot, signer);
        _refused(abi.encodePacked(bytes32(0), bytes32(0), uint8(27)), signer);
    }

    /*//////////////////////////////////////////////////////////////
                        SIGNERS THAT ARE CONTRACTS
    //////////////////////////////////////////////////////////////*/

    function testFuzz_wallet_signsByErc1271(uint256 slot, address submitter) public {
        slot = bound(slot, 0, START);
        SignerWallet wallet = new SignerWallet(signer, SignerWallet.Yes.Magic);
        rollup.set(slot, address(wallet));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _digest(slot));
        vm.expectEmit(address(proposals));
        emit IProposals.VoteCast(payload, slot / M, address(wallet));
        vm.prank(submitter);
        vm.assertTrue(proposals.voteWithSig(payload, abi.encode(v, r, s)));
        _assertNewest(address(rollup), true, slot);
    }

    /// @dev Also a signature that looks like ECDSA but isn't the wallet's own is the wallet's to judge.
    function testFuzz_wallet_judgesItsOwnersSignature(uint256 slot, uint256 otherKey) public {
        otherKey = bound(otherKey, 1, CURVE_ORDER - 1);
        vm.assume(otherKey != key);
        slot = bound(slot, 0, START);
        Wallet wallet = new Wallet(signer);
        rollup.set(slot, address(wallet));
        _refused(TypedData.sign(otherKey, _digest(slot)), address(wallet));
        vm.assertTrue(proposals.voteWithSig(payload, TypedData.sign(key, _digest(slot))));
    }

    /// @dev Anything but the magic word alone is a no, and so is a wallet that would write.
    function testFuzz_wallet_everyOtherAnswerIsNo(uint256 yes, uint256 slot) public {
        yes = bound(yes, 1, uint256(type(SignerWallet.Yes).max));
        slot = bound(slot, 0, START);
        SignerWallet wallet = new SignerWallet(signer, SignerWallet.Yes(yes));
        rollup.set(slot, address(wallet));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _digest(slot));
        _refused(abi.encode(v, r, s), address(wallet));
    }

    /// @dev A wallet that answers yes with a megabyte, or refuses with one, costs its relayer no copy of it.
    function test_wallet_noMoreThanAWordIsCopied() public {
        MeasuredAnswer wallet = new MeasuredAnswer();
        bytes4 magic = IERC1271.isValidSignature.selector;
        wallet.set(magic, uint256(bytes32(magic)));
        rollup.set(3, address(wallet));
        for (uint256 i; i < 2; ++i) {
            wallet.distort(magic, 1 << 20, i == 1);
            uint256 gas = gasleft();
            vm.expectRevert(
                abi.encodeWithSelector(IProposals.Proposals__InvalidSignature.selector, address(wallet))
            );
            proposals.voteWithSig(payload, "");
            // The wallet pays 2.2 million for it, and whoever copied it would pay as much again.
            vm.assertLt(gas - gasleft(), 3_000_000, "the answer was copied");
        }
        wallet.distort(magic, 32, false);
        vm.assertTrue(proposals.voteWithSig(payload, ""));
    }

    function testFuzz_wallet_signaturesAreBoundLikeAllOthers(uint256 signed, uint256 slot) public {
        signed = bound(signed, 0, START);
        slot = bound(slot, 0, START);
        vm.assume(slot != signed);
        SignerWallet wallet = new SignerWallet(signer, SignerWallet.Yes.Magic);
        rollup.set(slot, address(wallet));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _digest(signed));
        _refused(abi.encode(v, r, s), address(wallet));
    }

    /// @dev A signer whose account is delegated still signs as itself; its delegate is not asked.
    function testFuzz_delegatedSigner_signsAsItself(uint256 key_, uint256 slot) public {
        key_ = bound(key_, 1, CURVE_ORDER - 1);
        vm.assume(key_ != key);
        slot = bound(slot, 0, START);
        address proposer = vm.addr(key_);
        Delegation.set(proposer, address(new SignerWallet(signer, SignerWallet.Yes.Magic)));
        rollup.set(slot, proposer);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _digest(slot));
        _refused(abi.encode(v, r, s), proposer);
        vm.assertTrue(proposals.voteWithSig(payload, TypedData.sign(key_, _digest(slot))));
    }

    /// @dev The same with a delegate that says yes to everything, or that reverts: neither matters.
    function testFuzz_delegatedSigner_whateverItsDelegateSays(uint256 key_, uint256 slot, bool yes) public {
        key_ = bound(key_, 1, CURVE_ORDER - 1);
        slot = bound(slot, 0, START);
        address proposer = vm.addr(key_);
        ScriptedRollup delegate = new ScriptedRollup();
        Delegation.set(proposer, address(delegate));
        if (yes) ScriptedRollup(proposer).answer(0x1626ba7e, abi.encode(bytes4(0x1626ba7e)));
        else ScriptedRollup(proposer).refuse(0x1626ba7e, "no");
        rollup.set(slot, proposer);
        _refused("anything", proposer);
        _refused(new bytes(65), proposer);
        vm.assertTrue(proposals.voteWithSig(payload, TypedData.sign(key_, _digest(slot))));
    }

    /// @dev ECDSA comes first: an account that has a key and code (before EIP-3607 that was possible) may use either.
    function testFuzz_signerWithCode_mayStillSignByItsKey(uint256 key_, uint256 slot, bool byKey) public {
        key_ = bound(key_, 1, CURVE_ORDER - 1);
        slot = bound(slot, 0, START);
        address proposer = vm.addr(key_);
        vm.etch(proposer, address(new SignerWallet(signer, SignerWallet.Yes.Magic)).code);
        rollup.set(slot, proposer);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _digest(slot));
        bytes memory signature = byKey ? TypedData.sign(key_, _digest(slot)) : abi.encode(v, r, s);
        vm.assertTrue(proposals.voteWithSig(payload, signature));
    }

    /// @dev The same checks in the same order as `vote`, with the signature in place of the caller.
    function testFuzz_voteWithSig_checksInOrder(uint256 first, uint256 further) public {
        // The first fault, and any after it; none if it is 6.
        first = bound(first, 0, 6);
        uint256 faults = (further << (first + 1)) | (1 << first);
        rollup.set(5, signer);
        proposals.voteWithSig(payload, TypedData.sign(key, _digest(5)));
        uint256 slot = faults & 4 != 0 ? START + 1 : faults & 8 != 0 ? further % 6 : 6;
        address proposer = faults & 16 != 0 ? address(0) : signer;
        rollup.set(slot, proposer);
        bytes memory signature = TypedData.sign(faults & 32 != 0 ? key + 1 : key, _digest(slot));
        if (faults & 2 != 0) vm.etch(address(rollup), "");
        if (faults & 1 != 0) vm.etch(payload, "");

        bytes memory refusal;
        if (first == 0) refusal = abi.encodeWithSelector(ICommon.NoCode.selector, payload);
        if (first == 1) refusal = abi.encodeWithSelector(ICommon.NoCode.selector, address(rollup));
        if (first == 2) refusal = abi.encodeWithSelector(IProposals.Proposals__SlotInFuture.selector, slot, START);
        if (first == 3) refusal = abi.encodeWithSelector(IProposals.Proposals__SlotAlreadyUsed.selector, slot, 5);
        if (first == 4) refusal = abi.encodeWithSelector(IProposals.Proposals__NoProposer.selector, slot);
        if (first == 5) refusal = abi.encodeWithSelector(IProposals.Proposals__InvalidSignature.selector, signer);
        if (refusal.length != 0) vm.expectRevert(refusal);
        proposals.voteWithSig(payload, signature);
        _assertNewest(address(rollup), true, first == 6 ? 6 : 5);
    }

    /// @dev Both ways count alike, in one round.
    function testFuzz_voteWithSig_countsLikeVote(uint256 ways, uint256 count) public {
        count = bound(count, 1, M);
        for (uint256 slot; slot < count; ++slot) {
            rollup.set(slot, signer);
            if (ways >> slot & 1 == 0) proposals.voteWithSig(payload, TypedData.sign(key, _digest(slot)));
            else _signal(payload, slot);
        }
        vm.assertEq(proposals.yeaCount(address(rollup), 0, payload), count);
        _assertRound(address(rollup), 0, count - 1, payload, false);
    }
}
