// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {SetLib} from "../Set.sol";
import {Delegation} from "../mocks/Delegation.sol";
import {SignerWallet} from "../mocks/SignerWallet.sol";
import {GovernanceFixture} from "./GovernanceFixture.t.sol";

/// @notice Ballots by signature.
contract GovernanceVoteWithSigTest is GovernanceFixture {
    uint256 private constant CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    bytes32 private constant DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant BALLOT = keccak256(
        "Ballot(uint256 proposalId,uint256 amount,bool support,address voter,uint256 nonce,uint256 deadline)"
    );

    struct Vote {
        uint256 id;
        uint256 amount;
        bool support;
        address voter;
        uint256 nonce;
        uint256 deadline;
    }

    address internal alice;
    uint256 internal aliceKey;
    uint256 internal id;

    function setUp() public override {
        super.setUp();
        (alice, aliceKey) = account("alice");
        _lock(alice, MAJORITY);
        id = _push(_payload());
        vm.warp(_lastPending(id) + 1);
    }

    function _digest(Vote memory v, uint256 chain, address where) private pure returns (bytes32) {
        bytes32 domain =
            keccak256(abi.encode(DOMAIN, keccak256("Governance"), keccak256("1"), chain, where));
        bytes32 ballot =
            keccak256(abi.encode(BALLOT, v.id, v.amount, v.support, v.voter, v.nonce, v.deadline));
        return keccak256(abi.encodePacked(hex"1901", domain, ballot));
    }

    function _digest(Vote memory v) private view returns (bytes32) {
        return _digest(v, block.chainid, address(governance));
    }

    function _sign(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _some(uint256 amount, bool support) private view returns (Vote memory) {
        return Vote(id, bound(amount, 1, MAJORITY), support, alice, 0, type(uint256).max);
    }

    function _submit(Vote memory v, bytes memory signature) private returns (bool) {
        return governance.voteWithSig(v.id, v.amount, v.support, v.voter, v.deadline, signature);
    }

    function _refuseSignature(address voter, uint256 nonce) private {
        vm.expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__InvalidSignature.selector, voter, nonce)
        );
    }

    function testFuzz_voteWithSig_isTheVotersBallotWhoeverSubmits(address relayer, uint256 amount, bool support) public {
        Vote memory v = _some(amount, support);
        bytes memory signature = _sign(aliceKey, _digest(v));
        vm.expectEmit(address(governance));
        emit IGovernance.NonceUsed(alice, 0);
        vm.expectEmit(address(governance));
        emit IGovernance.VoteCast(id, alice, support, v.amount);
        vm.prank(relayer);
        vm.assertTrue(_submit(v, signature));
        (uint256 yea, uint256 nea) = governance.ballots(id, alice);
        vm.assertEq(yea, support ? v.amount : 0);
        vm.assertEq(nea, support ? 0 : v.amount);
        vm.assertEq(governance.nonces(alice), 1);
    }

    /// @dev Every field that is signed counts.
    function testFuzz_voteWithSig_refusesAnyOtherBallotThanTheSignedOne(uint256 amount, bool support, uint256 change)
        public
    {
        uint256 other = _push(_payload());
        Vote memory v = _some(amount, support);
        v.deadline = vm.getBlockTimestamp() + 1 days;
        bytes memory signature = _sign(aliceKey, _digest(v));
        uint256 field = change % 4;
        if (field == 0) v.id = other;
        else if (field == 1) v.amount = v.amount == 1 ? 2 : v.amount - 1;
        else if (field == 2) v.support = !support;
        else v.deadline += 1 + (change >> 8) % 1000;
        _refuseSignature(alice, 0);
        _submit(v, signature);
        vm.assertEq(governance.nonces(alice), 0, "nothing is used up");
    }

    function testFuzz_voteWithSig_refusesAnotherKey(uint256 key, uint256 amount, bool support) public {
        key = bound(key, 1, type(uint128).max);
        Vote memory v = _some(amount, support);
        bytes memory signature = _sign(key, _digest(v));
        _refuseSignature(alice, 0);
        _submit(v, signature);
    }

    function testFuzz_voteWithSig_refusesAnotherVoter(address voter, uint256 amount) public {
        vm.assume(voter != alice && voter.code.length == 0 && uint160(voter) > 0x1ff);
        Vote memory v = _some(amount, true);
        bytes memory signature = _sign(aliceKey, _digest(v));
        v.voter = voter;
        _refuseSignature(voter, 0);
        _submit(v, signature);
        // Nor does it help to sign in another's name.
        signature = _sign(aliceKey, _digest(v));
        _refuseSignature(voter, 0);
        _submit(v, signature);
    }

    function testFuzz_voteWithSig_refusesGarbage(bytes memory garbage, uint256 amount, bool support) public {
        Vote memory v = _some(amount, support);
        _refuseSignature(alice, 0);
        _submit(v, garbage);
    }

    function testFuzz_voteWithSig_refusesTheOtherLengths(uint256 amount, bytes memory tail) public {
        Vote memory v = _some(amount, true);
        bytes memory signature = _sign(aliceKey, _digest(v));
        vm.assume(tail.length != 0);
        _refuseSignature(alice, 0);
        _submit(v, bytes.concat(signature, tail));
        // The compact form of ERC-2098.
        (uint8 parity, bytes32 r, bytes32 s) = vm.sign(aliceKey, _digest(v));
        bytes memory compact = abi.encodePacked(r, bytes32(uint256(s) | (uint256(parity - 27) << 255)));
        _refuseSignature(alice, 0);
        _submit(v, compact);
    }

    function testFuzz_voteWithSig_refusesHighS(uint256 amount, bool support) public {
        Vote memory v = _some(amount, support);
        (uint8 parity, bytes32 r, bytes32 s) = vm.sign(aliceKey, _digest(v));
        bytes memory twin = abi.encodePacked(r, bytes32(CURVE_ORDER - uint256(s)), parity == 27 ? uint8(28) : uint8(27));
        _refuseSignature(alice, 0);
        _submit(v, twin);
        vm.assertTrue(_submit(v, abi.encodePacked(r, s, parity)));
    }

    function testFuzz_voteWithSig_nobodySignsForAddressZero(bytes32 r, bytes32 s, uint8 parity) public {
        _lock(address(1), 1);
        Vote memory v = _some(1, true);
        v.voter = address(0);
        _refuseSignature(address(0), 0);
        _submit(v, abi.encodePacked(r, s, parity));
    }

    function testFuzz_voteWithSig_isGoodOnce(uint256 amount, bool support) public {
        Vote memory v = _some(bound(amount, 1, MAJORITY / 2), support);
        bytes memory signature = _sign(aliceKey, _digest(v));
        _submit(v, signature);
        _refuseSignature(alice, 1);
        _submit(v, signature);
    }

    function testFuzz_voteWithSig_noncesAreSequential(uint256 ahead, uint8 count) public {
        count = uint8(bound(count, 1, 8));
        for (uint256 i; i < count; ++i) {
            Vote memory v = _some(1, i % 2 == 0);
            v.nonce = i + bound(ahead, 1, type(uint128).max);
            bytes memory signature = _sign(aliceKey, _digest(v));
            _refuseSignature(alice, i);
            _submit(v, signature);
            v.nonce = i;
            _submit(v, _sign(aliceKey, _digest(v)));
            vm.assertEq(governance.nonces(alice), i + 1);
        }
    }

    function testFuzz_voteWithSig_noncesAreTheVotersOwn(uint256 key, uint8 used) public {
        key = bound(key, 1, type(uint128).max);
        address other = vm.addr(key);
        vm.assume(other != alice);
        for (uint256 i; i < used % 5; ++i) {
            vm.prank(other);
            governance.invalidateNonce();
        }
        vm.assertEq(governance.nonces(other), used % 5);
        vm.assertEq(governance.nonces(alice), 0);
        Vote memory v = _some(1, true);
        _submit(v, _sign(aliceKey, _digest(v)));
    }

    function testFuzz_invalidateNonce_makesTheNextSignatureWorthless(uint256 amount, bool support, uint8 times) public {
        times = uint8(bound(times, 1, 6));
        Vote memory v = _some(amount, support);
        v.nonce = bound(times, 0, times - 1);
        bytes memory signature = _sign(aliceKey, _digest(v));
        for (uint256 i; i < times; ++i) {
            vm.expectEmit(address(governance));
            emit IGovernance.NonceUsed(alice, i);
            vm.prank(alice);
            governance.invalidateNonce();
        }
        vm.assertEq(governance.nonces(alice), times);
        _refuseSignature(alice, times);
        _submit(v, signature);
        v.nonce = times;
        _submit(v, _sign(aliceKey, _digest(v)));
    }

    /// @dev More of them than any byte counts.
    function test_invalidateNonce_manyTimes() public {
        vm.startPrank(alice);
        for (uint256 i; i < 600; ++i) {
            vm.assertEq(governance.nonces(alice), i);
            governance.invalidateNonce();
        }
        vm.stopPrank();
        vm.assertEq(governance.nonces(alice), 600);
    }

    /// @dev Power and nonce are kept side by side and don't disturb each other.
    function testFuzz_invalidateNonce_leavesThePowerAlone(uint256 more, uint8 times, uint32 gap) public {
        more = bound(more, 1, SUPPLY - MAJORITY);
        for (uint256 i; i < times % 8; ++i) {
            vm.prank(alice);
            governance.invalidateNonce();
        }
        vm.assertEq(_power(alice), MAJORITY);
        skip(gap % 1_000_000);
        _lock(alice, more);
        vm.assertEq(governance.nonces(alice), times % 8);
        vm.assertEq(_power(alice), MAJORITY + more);
        vm.prank(alice);
        governance.initiateWithdraw(alice, more);
        vm.assertEq(governance.nonces(alice), times % 8);
    }

    function testFuzz_voteWithSig_theDeadlineIsTheLastSecond(uint256 deadline, uint256 late) public {
        uint256 last = _ends(id)[1];
        deadline = bound(deadline, vm.getBlockTimestamp(), last - 1);
        late = bound(late, deadline + 1, last);
        Vote memory v = _some(1, true);
        v.deadline = deadline;
        bytes memory signature = _sign(aliceKey, _digest(v));
        vm.warp(late);
        vm.expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__SignatureExpired.selector, late, deadline)
        );
        _submit(v, signature);
        vm.warp(deadline + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__SignatureExpired.selector, deadline + 1, deadline)
        );
        _submit(v, signature);
        vm.warp(deadline);
        vm.assertTrue(_submit(v, signature));
    }

    function testFuzz_voteWithSig_isForOneChain(uint64 chain, uint256 amount) public {
        chain = uint64(bound(chain, 1, type(uint64).max));
        vm.assume(chain != block.chainid);
        Vote memory v = _some(amount, true);
        bytes memory signature = _sign(aliceKey, _digest(v));
        bytes memory foreign = _sign(aliceKey, _digest(v, chain, address(governance)));
        _refuseSignature(alice, 0);
        _submit(v, foreign);
        // After a fork, the other chain refuses what was signed for this one.
        vm.chainId(chain);
        _refuseSignature(alice, 0);
        _submit(v, signature);
        vm.assertTrue(_submit(v, foreign));
    }

    function testFuzz_voteWithSig_isForOneContract(address elsewhere, uint256 amount) public {
        vm.assume(elsewhere != address(governance));
        Vote memory v = _some(amount, true);
        bytes memory signature = _sign(aliceKey, _digest(v, block.chainid, elsewhere));
        _refuseSignature(alice, 0);
        _submit(v, signature);
    }

    /// @dev Two Governances, the same proposal id, the same voter.
    function test_voteWithSig_isNotReplayedOnAnotherGovernance() public {
        Vote memory v = _some(1, true);
        bytes memory signature = _sign(aliceKey, _digest(v));
        _submit(v, signature);
        _deploy(SetLib.configuration());
        _lock(alice, MAJORITY);
        vm.assertEq(_push(_payload()), id);
        vm.warp(_lastPending(id) + 1);
        _refuseSignature(alice, 0);
        _submit(v, signature);
    }

    function testFuzz_voteWithSig_asksTheWallet(uint256 key, uint256 amount, bool support, address relayer) public {
        key = bound(key, 1, type(uint128).max);
        address wallet = address(new SignerWallet(vm.addr(key), SignerWallet.Yes.Magic));
        (Vote memory v, bytes memory signature) = _walletVote(wallet, key, amount, support);
        vm.prank(relayer);
        vm.assertTrue(_submit(v, signature));
        (uint256 yea, uint256 nea) = governance.ballots(v.id, wallet);
        vm.assertEq(support ? yea : nea, v.amount);
        _refuseSignature(wallet, 1);
        _submit(v, signature);
    }

    /// @dev A proposal on which `wallet` has power, and what its key signs.
    function _walletVote(address wallet, uint256 key, uint256 amount, bool support)
        private
        returns (Vote memory v, bytes memory signature)
    {
        _lock(wallet, MAJORITY);
        uint256 other = _push(_payload());
        vm.warp(_lastPending(other) + 1);
        v = Vote(other, bound(amount, 1, MAJORITY / 2), support, wallet, 0, type(uint256).max);
        (uint8 parity, bytes32 r, bytes32 s) = vm.sign(key, _digest(v));
        signature = abi.encode(parity, r, s);
    }

    function testFuzz_voteWithSig_aWalletMayRefuse(uint256 key, uint256 amount) public {
        key = bound(key, 1, type(uint128).max);
        vm.assume(vm.addr(key) != alice);
        address wallet = address(new SignerWallet(alice, SignerWallet.Yes.Magic));
        (Vote memory v, bytes memory signature) = _walletVote(wallet, key, amount, true);
        _refuseSignature(wallet, 0);
        _submit(v, signature);
    }

    function testFuzz_voteWithSig_onlyACleanYesOfTheWalletCounts(uint256 answer, uint256 amount) public {
        SignerWallet.Yes[6] memory others = [
            SignerWallet.Yes.WrongMagic,
            SignerWallet.Yes.DirtyMagic,
            SignerWallet.Yes.Short,
            SignerWallet.Yes.Nothing,
            SignerWallet.Yes.Reverting,
            SignerWallet.Yes.Writing
        ];
        SignerWallet.Yes yes = others[answer % 6];
        address wallet = address(new SignerWallet(alice, yes));
        (Vote memory v, bytes memory signature) = _walletVote(wallet, aliceKey, amount, true);
        _refuseSignature(wallet, 0);
        // A wallet that writes takes all gas of the static call.
        governance.voteWithSig{gas: 2_000_000}(v.id, v.amount, v.support, v.voter, v.deadline, signature);
        vm.assertEq(governance.nonces(wallet), 0);
    }

    /// @dev The account signs with its own key, whatever it delegated to and whatever that would answer.
    function testFuzz_voteWithSig_anAccountWithADelegationSignsAsItself(uint256 key, uint256 amount, bool toWallet)
        public
    {
        key = bound(key, 1, type(uint128).max);
        address to = toWallet ? address(new SignerWallet(vm.addr(key), SignerWallet.Yes.Magic)) : address(box);
        Vote memory v = _some(amount, true);
        bytes memory signature = _sign(aliceKey, _digest(v));
        Delegation.set(alice, to);
        vm.assertTrue(_submit(v, signature));
        (uint256 yea,) = governance.ballots(id, alice);
        vm.assertEq(yea, v.amount);
    }

    /// @dev A delegation is no code of the account's own: it has no say in what the account signs.
    function testFuzz_voteWithSig_neverAsksWhatAnAccountDelegatedTo(uint256 key, uint256 amount, bool support) public {
        key = bound(key, 1, type(uint128).max);
        vm.assume(vm.addr(key) != alice);
        Delegation.set(alice, address(new SignerWallet(vm.addr(key), SignerWallet.Yes.Magic)));
        Vote memory v = _some(amount, support);
        (uint8 parity, bytes32 r, bytes32 s) = vm.sign(key, _digest(v));
        _refuseSignature(alice, 0);
        _submit(v, abi.encode(parity, r, s));
    }

    function testFuzz_voteWithSig_refusesADelegationWithoutTheKeysSignature(uint256 key, uint256 amount) public {
        key = bound(key, 1, type(uint128).max);
        vm.assume(vm.addr(key) != alice);
        Delegation.set(alice, address(box));
        Vote memory v = _some(amount, true);
        bytes memory signature = _sign(key, _digest(v));
        _refuseSignature(alice, 0);
        _submit(v, signature);
    }

    function testFuzz_voteWithSig_refusesWhatVoteRefuses(uint256 amount, bool support) public {
        Vote memory v = Vote(id, 0, support, alice, 0, type(uint256).max);
        bytes memory signature = _sign(aliceKey, _digest(v));
        _refuse(IGovernance.Governance__ZeroAmount.selector);
        _submit(v, signature);

        v.amount = bound(amount, MAJORITY + 1, type(uint256).max);
        signature = _sign(aliceKey, _digest(v));
        _refusePower(alice, MAJORITY, v.amount);
        _submit(v, signature);

        v.id = bound(amount, 1, type(uint256).max);
        signature = _sign(aliceKey, _digest(v));
        _refuseUnknown(v.id);
        _submit(v, signature);

        v.id = _push(_payload());
        signature = _sign(aliceKey, _digest(v));
        _refuseState(IGovernance.Governance__NotActive.selector, v.id, ProposalState.Pending);
        _submit(v, signature);
        vm.assertEq(governance.nonces(alice), 0, "a refused ballot uses no nonce up");
    }

    /// @dev Caller, existence, state, time, amounts: of several faults the first in this order is told.
    function testFuzz_voteWithSig_asksInOrder(bool forged, bool unknown, bool pending, bool late, uint256 fault) public {
        uint256 time = vm.getBlockTimestamp();
        uint256 other = _push(_payload());
        Vote memory v = Vote(unknown ? other + 1 : pending ? other : id, 1, true, alice, 0, time);
        if (late) v.deadline = bound(fault, 0, time - 1);
        if (fault % 3 == 0) v.amount = 0;
        if (fault % 3 == 1) v.amount = MAJORITY + 1;
        bytes memory signature = _sign(forged ? aliceKey + 1 : aliceKey, _digest(v));
        if (forged) {
            _refuseSignature(alice, 0);
        } else if (unknown) {
            _refuseUnknown(v.id);
        } else if (pending) {
            _refuseState(IGovernance.Governance__NotActive.selector, other, ProposalState.Pending);
        } else if (late) {
            vm.expectRevert(
                abi.encodeWithSelector(IGovernance.Governance__SignatureExpired.selector, time, v.deadline)
            );
        } else if (v.amount == 0) {
            _refuse(IGovernance.Governance__ZeroAmount.selector);
        } else if (v.amount > MAJORITY) {
            _refusePower(alice, MAJORITY, v.amount);
        }
        _submit(v, signature);
    }

    /// @dev Calls and signatures share the holder's power.
    function testFuzz_voteWithSig_andVoteAddUp(uint256 first, uint256 second) public {
        first = bound(first, 1, MAJORITY - 1);
        second = bound(second, 1, MAJORITY - first);
        vm.prank(alice);
        governance.vote(id, first, true);
        vm.assertEq(governance.nonces(alice), 0, "a call needs no nonce");
        Vote memory v = _some(second, false);
        _submit(v, _sign(aliceKey, _digest(v)));
        (uint256 yea, uint256 nea) = governance.ballots(id, alice);
        vm.assertEq(yea, first);
        vm.assertEq(nea, second);
        v = Vote(id, MAJORITY - first - second + 1, true, alice, 1, type(uint256).max);
        bytes memory signature = _sign(aliceKey, _digest(v));
        _refusePower(alice, MAJORITY - first - second, v.amount);
        _submit(v, signature);
    }
}
