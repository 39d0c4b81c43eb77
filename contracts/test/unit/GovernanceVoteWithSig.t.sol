// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {SetLib} from "../Set.sol";
import {BallotMessage, TypedData} from "../TypedData.sol";
import {Delegation} from "../mocks/Delegation.sol";
import {SignerWallet} from "../mocks/SignerWallet.sol";
import {GovernanceFixture} from "./GovernanceFixture.t.sol";

/// @notice Ballots by signature.
contract GovernanceVoteWithSigTest is GovernanceFixture {
    uint256 private constant CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

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

    function _digest(BallotMessage memory v) private view returns (bytes32) {
        return TypedData.digestOf(v, block.chainid, address(governance));
    }

    function _some(uint256 amount, bool support) private view returns (BallotMessage memory) {
        return _some(id, bound(amount, 1, MAJORITY), support);
    }

    /// @dev Alice's next ballot on proposal `id_`, which exists.
    function _some(uint256 id_, uint256 amount, bool support) private view returns (BallotMessage memory) {
        uint256 nonce = governance.ballotNonce(id_, alice);
        return BallotMessage(id_, governance.actionsHash(id_), amount, support, alice, nonce, type(uint256).max);
    }

    function _submit(BallotMessage memory v, bytes memory signature) private returns (bool) {
        return governance.voteWithSig(v.proposalId, v.amount, v.support, v.voter, v.deadline, signature);
    }

    function _refuseSignature(address voter, uint256 nonce) private {
        vm.expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__InvalidSignature.selector, voter, nonce)
        );
    }

    function testFuzz_voteWithSig_isTheVotersBallotWhoeverSubmits(address relayer, uint256 amount, bool support) public {
        BallotMessage memory v = _some(amount, support);
        bytes memory signature = TypedData.sign(aliceKey, _digest(v));
        vm.expectEmit(address(governance));
        emit IGovernance.NonceUsed(id, alice, 0);
        vm.expectEmit(address(governance));
        emit IGovernance.VoteCast(id, alice, support, v.amount);
        vm.prank(relayer);
        vm.assertTrue(_submit(v, signature));
        (uint256 yea, uint256 nea) = governance.ballots(id, alice);
        vm.assertEq(yea, support ? v.amount : 0);
        vm.assertEq(nea, support ? 0 : v.amount);
        vm.assertEq(governance.ballotNonce(id, alice), 1);
    }

    /// @dev Every field that is signed counts.
    function testFuzz_voteWithSig_refusesAnyOtherBallotThanTheSignedOne(uint256 amount, bool support, uint256 change)
        public
    {
        uint256 other = _push(_list(_boxAction(2)));
        BallotMessage memory v = _some(amount, support);
        v.deadline = vm.getBlockTimestamp() + 1 days;
        bytes memory signature = TypedData.sign(aliceKey, _digest(v));
        uint256 field = change % 4;
        if (field == 0) v.proposalId = other;
        else if (field == 1) v.amount = v.amount == 1 ? 2 : v.amount - 1;
        else if (field == 2) v.support = !support;
        else v.deadline += 1 + (change >> 8) % 1000;
        _refuseSignature(alice, 0);
        _submit(v, signature);
        vm.assertEq(governance.ballotNonce(id, alice), 0, "nothing is used up");
    }

    function testFuzz_voteWithSig_refusesAnotherKey(uint256 key, uint256 amount, bool support) public {
        key = bound(key, 1, type(uint128).max);
        BallotMessage memory v = _some(amount, support);
        bytes memory signature = TypedData.sign(key, _digest(v));
        _refuseSignature(alice, 0);
        _submit(v, signature);
    }

    function testFuzz_voteWithSig_refusesAnotherVoter(address voter, uint256 amount) public {
        vm.assume(voter != alice && voter.code.length == 0 && uint160(voter) > 0x1ff);
        BallotMessage memory v = _some(amount, true);
        bytes memory signature = TypedData.sign(aliceKey, _digest(v));
        v.voter = voter;
        _refuseSignature(voter, 0);
        _submit(v, signature);
        // A ballot in another voter's name is refused too.
        signature = TypedData.sign(aliceKey, _digest(v));
        _refuseSignature(voter, 0);
        _submit(v, signature);
    }

    function testFuzz_voteWithSig_refusesGarbage(bytes memory garbage, uint256 amount, bool support) public {
        BallotMessage memory v = _some(amount, support);
        _refuseSignature(alice, 0);
        _submit(v, garbage);
    }

    function testFuzz_voteWithSig_refusesTheOtherLengths(uint256 amount, bytes memory tail) public {
        BallotMessage memory v = _some(amount, true);
        bytes memory signature = TypedData.sign(aliceKey, _digest(v));
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
        BallotMessage memory v = _some(amount, support);
        (uint8 parity, bytes32 r, bytes32 s) = vm.sign(aliceKey, _digest(v));
        bytes memory twin = abi.encodePacked(r, bytes32(CURVE_ORDER - uint256(s)), parity == 27 ? uint8(28) : uint8(27));
        _refuseSignature(alice, 0);
        _submit(v, twin);
        vm.assertTrue(_submit(v, abi.encodePacked(r, s, parity)));
    }

    function testFuzz_voteWithSig_nobodySignsForAddressZero(bytes32 r, bytes32 s, uint8 parity) public {
        _lock(address(1), 1);
        BallotMessage memory v = _some(1, true);
        v.voter = address(0);
        _refuseSignature(address(0), 0);
        _submit(v, abi.encodePacked(r, s, parity));
    }

    function testFuzz_voteWithSig_isGoodOnce(uint256 amount, bool support) public {
        BallotMessage memory v = _some(bound(amount, 1, MAJORITY / 2), support);
        bytes memory signature = TypedData.sign(aliceKey, _digest(v));
        _submit(v, signature);
        _refuseSignature(alice, 1);
        _submit(v, signature);
    }

    function testFuzz_voteWithSig_noncesAreSequential(uint256 ahead, uint8 count) public {
        count = uint8(bound(count, 1, 8));
        for (uint256 i; i < count; ++i) {
            BallotMessage memory v = _some(1, i % 2 == 0);
            v.nonce = i + bound(ahead, 1, type(uint128).max);
            bytes memory signature = TypedData.sign(aliceKey, _digest(v));
            _refuseSignature(alice, i);
            _submit(v, signature);
            v.nonce = i;
            _submit(v, TypedData.sign(aliceKey, _digest(v)));
            vm.assertEq(governance.ballotNonce(id, alice), i + 1);
        }
    }

    function testFuzz_voteWithSig_noncesAreTheVotersOwn(uint256 key, uint256 used) public {
        key = bound(key, 1, type(uint128).max);
        address other = vm.addr(key);
        vm.assume(other != alice);
        used = bound(used, 1, 4);
        _invalidate(other, id, used);
        vm.assertEq(governance.ballotNonce(id, other), used << 32);
        vm.assertEq(governance.ballotNonce(id, alice), 0);
        BallotMessage memory v = _some(1, true);
        _submit(v, TypedData.sign(aliceKey, _digest(v)));
    }

    /// @dev Ballots on different proposals, signed at once, are submitted in any order; one that lapsed or never comes
    /// blocks no other.
    function testFuzz_voteWithSig_proposalsDoNotWaitForEachOther(uint256 order, uint256 lapsed) public {
        uint256[3] memory ids = [id, _push(_list(_boxAction(2))), _push(_list(_boxAction(3)))];
        BallotMessage[3] memory votes;
        bytes[3] memory signatures;
        vm.warp(_lastPending(ids[2]) - 1);
        for (uint256 i; i < 3; ++i) {
            votes[i] = _some(ids[i], i + 1, i % 2 == 0);
            vm.assertEq(votes[i].nonce, 0, "every proposal's first");
            if (i == lapsed % 4) votes[i].deadline = vm.getBlockTimestamp();
            signatures[i] = TypedData.sign(aliceKey, _digest(votes[i]));
        }
        vm.warp(_lastPending(ids[2]) + 1);
        // Of the first one, it was too late anyway.
        vm.assertEq(uint256(governance.getProposalState(ids[0])), uint256(ProposalState.Rejected));
        for (uint256 i; i < 3; ++i) {
            uint256 which = (i * (1 + order % 2) + order / 2) % 3;
            bool isLate = which == 0;
            bool isLapsed = which == lapsed % 4;
            if (isLate) {
                _refuseState(IGovernance.Governance__NotActive.selector, ids[0], ProposalState.Rejected);
            } else if (isLapsed) {
                vm.expectRevert(
                    abi.encodeWithSelector(
                        IGovernance.Governance__SignatureExpired.selector,
                        vm.getBlockTimestamp(),
                        votes[which].deadline
                    )
                );
            }
            _submit(votes[which], signatures[which]);
            vm.assertEq(governance.ballotNonce(ids[which], alice), isLate || isLapsed ? 0 : 1);
        }
    }

    /// @dev Nonce and ballots are kept side by side, in one word, and don't disturb each other.
    function testFuzz_voteWithSig_nonceAndBallotsShareAWord(uint96 first, uint96 second, uint8 times) public {
        times = uint8(bound(times, 1, 6));
        _deploy(SetLib.configuration());
        _lock(alice, SUPPLY);
        id = _push(_payload());
        vm.warp(_lastPending(id) + 1);
        first = uint96(bound(first, 1, SUPPLY - 1));
        second = uint96(bound(second, 1, SUPPLY - first));
        _invalidate(alice, id, times);
        _submitSigned(_some(id, first, true));
        _invalidate(alice, id, times);
        _submitSigned(_some(id, second, false));
        (uint256 yea, uint256 nea) = governance.ballots(id, alice);
        vm.assertEq(yea, first);
        vm.assertEq(nea, second);
        vm.assertEq(governance.ballotNonce(id, alice), (uint256(2 * times) << 32) + 2);

        vm.record();
        vm.prank(alice);
        governance.invalidateBallots(id);
        (, bytes32[] memory writes) = vm.accesses(address(governance));
        vm.assertEq(writes.length, 1, "one word");
        (yea, nea) = governance.ballots(id, alice);
        vm.assertEq(yea, first, "invalidating casts nothing");
        vm.assertEq(nea, second);
    }

    function _submitSigned(BallotMessage memory v) private {
        vm.assertTrue(_submit(v, TypedData.sign(aliceKey, _digest(v))));
    }

    /*//////////////////////////////////////////////////////////////
                               INVALIDATING
    //////////////////////////////////////////////////////////////*/

    function _invalidate(address who, uint256 id_, uint256 times) private {
        for (uint256 i; i < times; ++i) {
            vm.prank(who);
            governance.invalidateBallots(id_);
        }
    }

    function testFuzz_invalidateBallots_invalidatesWhateverWasSigned(uint256 ahead, bool support, uint8 times) public {
        times = uint8(bound(times, 1, 4));
        ahead = bound(ahead, 0, type(uint32).max);
        BallotMessage memory v = _some(1, support);
        for (uint256 i; i < times; ++i) {
            v.nonce = (i << 32) + ahead;
            bytes memory signature = TypedData.sign(aliceKey, _digest(v));
            vm.expectEmit(address(governance));
            emit IGovernance.BallotsInvalidated(id, alice, (i + 1) << 32);
            vm.prank(alice);
            governance.invalidateBallots(id);
            vm.assertEq(governance.ballotNonce(id, alice), (i + 1) << 32);
            _refuseSignature(alice, (i + 1) << 32);
            _submit(v, signature);
        }
        // What is signed from now on counts.
        _submitSigned(_some(1, support));
        vm.assertEq(governance.ballotNonce(id, alice), (uint256(times) << 32) + 1);
    }

    /// @dev A ballot for another proposal, or of another holder, stays good.
    function test_invalidateBallots_isForOneHolderAndOneProposal() public {
        uint256 other = _push(_list(_boxAction(2)));
        vm.warp(_lastPending(other));
        (address bob, uint256 bobKey) = account("bob");
        _lock(bob, 1);
        vm.warp(_lastPending(other) + 1);
        BallotMessage memory alices = _some(other, 1, true);
        BallotMessage memory bobs = _some(other, 1, true);
        (bobs.voter, bobs.nonce) = (bob, 0);
        bytes memory alicesSignature = TypedData.sign(aliceKey, _digest(alices));
        bytes memory bobsSignature = TypedData.sign(bobKey, _digest(bobs));
        _invalidate(alice, id, 1);
        vm.assertTrue(_submit(alices, alicesSignature));
        _invalidate(alice, other, 1);
        vm.assertTrue(_submit(bobs, bobsSignature));
    }

    /// @dev Before a ballot can be cast as well as after: what is signed early is taken back early.
    function test_invalidateBallots_inEveryState() public {
        _deploy(SetLib.configuration());
        _arm();
        for (uint256 i; i < 8; ++i) {
            uint256 state = vm.snapshotState();
            uint256 proposal = _inState(ProposalState(i));
            _state(proposal, ProposalState(i));
            vm.prank(alice);
            governance.invalidateBallots(proposal);
            vm.assertEq(governance.ballotNonce(proposal, alice), 2 ** 32, vm.toString(i));
            _state(proposal, ProposalState(i));
            vm.revertToState(state);
        }
    }

    /// @dev A proposal in `state`.
    function _inState(ProposalState state) private returns (uint256 proposal) {
        proposal = _push(_payload());
        if (state == ProposalState.Pending) return proposal;
        vm.warp(_lastPending(proposal) + 1);
        if (state == ProposalState.Active) return proposal;
        if (state != ProposalState.Rejected) _approve(proposal);
        if (state == ProposalState.Dropped) _setProposer(_newProposals());
        vm.warp(_ends(proposal)[1] + 1);
        if (state == ProposalState.Executable || state == ProposalState.Executed) vm.warp(_ends(proposal)[2] + 1);
        if (state == ProposalState.Executed) governance.execute(proposal);
        if (state == ProposalState.Expired) vm.warp(_ends(proposal)[3] + 1);
    }

    function testFuzz_invalidateBallots_refusesUnknownIds(uint256 unknown) public {
        unknown = bound(unknown, id + 1, type(uint256).max);
        _refuseUnknown(unknown);
        vm.prank(alice);
        governance.invalidateBallots(unknown);
    }

    /*//////////////////////////////////////////////////////////////
                             THE LAST NONCES
    //////////////////////////////////////////////////////////////*/

    /// @dev Sets Alice's next nonce, as more ballots than anybody casts would.
    function _setNonce(uint256 nonce) private {
        vm.record();
        governance.ballots(id, alice);
        (bytes32[] memory reads,) = vm.accesses(address(governance));
        vm.assertEq(reads.length, 1, "the ballot's word");
        uint256 word = uint256(vm.load(address(governance), reads[0]));
        vm.store(address(governance), reads[0], bytes32(word % 2 ** 192 | nonce << 192));
        vm.assertEq(governance.ballotNonce(id, alice), nonce);
    }

    function _refuseNonce(uint256 nonce) private {
        vm.expectRevert(
            abi.encodeWithSelector(ICommon.ValueTooLarge.selector, nonce, uint256(type(uint64).max))
        );
    }

    function test_invalidateBallots_theLastNonces() public {
        _setNonce(2 ** 64 - 2 ** 32);
        _refuseNonce(2 ** 64);
        vm.prank(alice);
        governance.invalidateBallots(id);
        _setNonce(2 ** 64 - 2 ** 32 - 1);
        vm.prank(alice);
        governance.invalidateBallots(id);
        vm.assertEq(governance.ballotNonce(id, alice), 2 ** 64 - 1);
        (uint256 yea, uint256 nea) = governance.ballots(id, alice);
        vm.assertEq(yea + nea, 0);
        _refuseNonce(2 ** 64 - 1 + 2 ** 32);
        vm.prank(alice);
        governance.invalidateBallots(id);
    }

    function test_voteWithSig_theLastNonces() public {
        _setNonce(2 ** 64 - 2);
        _submitSigned(_some(1, true));
        vm.assertEq(governance.ballotNonce(id, alice), 2 ** 64 - 1);
        BallotMessage memory v = _some(1, true);
        bytes memory signature = TypedData.sign(aliceKey, _digest(v));
        _refuseNonce(2 ** 64);
        _submit(v, signature);
        // A ballot by call needs no nonce.
        vm.prank(alice);
        governance.vote(id, 1, true);
        (uint256 yea,) = governance.ballots(id, alice);
        vm.assertEq(yea, 2);
    }

    /*//////////////////////////////////////////////////////////////
                            REORGANIZATIONS
    //////////////////////////////////////////////////////////////*/

    /// @dev Two proposals of one block change places: the ballot signed for the first doesn't count for the other's actions.
    function testFuzz_voteWithSig_aReorganizationMovesNoBallot(uint256 amount, bool support, bool byLock) public {
        address good = _list(_boxAction(2));
        address bad = _list(_boxAction(3));
        uint256 fork = vm.snapshotState();
        uint256 proposal = byLock ? _pushByLock(good) : _push(good);
        byLock ? _pushByLock(bad) : _push(bad);
        BallotMessage memory v = _some(proposal, bound(amount, 1, MAJORITY), support);
        bytes memory signature = TypedData.sign(aliceKey, _digest(v));

        vm.revertToState(fork);
        byLock ? _pushByLock(bad) : _push(bad);
        uint256 moved = byLock ? _pushByLock(good) : _push(good);
        vm.assertEq(moved, proposal + 1);
        vm.warp(_lastPending(moved) + 1);
        _refuseSignature(alice, 0);
        _submit(v, signature);
        v.proposalId = moved;
        _refuseSignature(alice, 0);
        _submit(v, signature);

        // In the order in which they were when she signed, it counts.
        vm.revertToState(fork);
        byLock ? _pushByLock(good) : _push(good);
        byLock ? _pushByLock(bad) : _push(bad);
        vm.warp(_lastPending(proposal) + 1);
        v.proposalId = proposal;
        vm.assertTrue(_submit(v, signature));
    }

    /// @dev Of any other hash than that of the proposal's actions a ballot is none.
    function testFuzz_voteWithSig_isForTheActionsThatWerePublished(bytes32 actions, uint256 amount) public {
        vm.assume(actions != governance.actionsHash(id));
        BallotMessage memory v = _some(amount, true);
        v.actionsHash = actions;
        bytes memory signature = TypedData.sign(aliceKey, _digest(v));
        _refuseSignature(alice, 0);
        _submit(v, signature);
    }

    function testFuzz_voteWithSig_theDeadlineIsTheLastSecond(uint256 deadline, uint256 late) public {
        uint256 last = _ends(id)[1];
        deadline = bound(deadline, vm.getBlockTimestamp(), last - 1);
        late = bound(late, deadline + 1, last);
        BallotMessage memory v = _some(1, true);
        v.deadline = deadline;
        bytes memory signature = TypedData.sign(aliceKey, _digest(v));
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
        BallotMessage memory v = _some(amount, true);
        bytes memory signature = TypedData.sign(aliceKey, _digest(v));
        bytes memory foreign = TypedData.sign(aliceKey, TypedData.digestOf(v, chain, address(governance)));
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
        BallotMessage memory v = _some(amount, true);
        bytes memory signature = TypedData.sign(aliceKey, TypedData.digestOf(v, block.chainid, elsewhere));
        _refuseSignature(alice, 0);
        _submit(v, signature);
    }

    /// @dev Two Governances, the same proposal id, the same voter.
    function test_voteWithSig_isNotReplayedOnAnotherGovernance() public {
        BallotMessage memory v = _some(1, true);
        bytes memory signature = TypedData.sign(aliceKey, _digest(v));
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
        (BallotMessage memory v, bytes memory signature) = _walletVote(wallet, key, amount, support);
        vm.prank(relayer);
        vm.assertTrue(_submit(v, signature));
        (uint256 yea, uint256 nea) = governance.ballots(v.proposalId, wallet);
        vm.assertEq(support ? yea : nea, v.amount);
        _refuseSignature(wallet, 1);
        _submit(v, signature);
    }

    /// @dev A proposal on which `wallet` has power, and what its key signs.
    function _walletVote(address wallet, uint256 key, uint256 amount, bool support)
        private
        returns (BallotMessage memory v, bytes memory signature)
    {
        _lock(wallet, MAJORITY);
        uint256 other = _push(_payload());
        vm.warp(_lastPending(other) + 1);
        bytes32 actions = governance.actionsHash(other);
        v = BallotMessage(other, actions, bound(amount, 1, MAJORITY / 2), support, wallet, 0, type(uint256).max);
        (uint8 parity, bytes32 r, bytes32 s) = vm.sign(key, _digest(v));
        signature = abi.encode(parity, r, s);
    }

    function testFuzz_voteWithSig_aWalletMayRefuse(uint256 key, uint256 amount) public {
        key = bound(key, 1, type(uint128).max);
        vm.assume(vm.addr(key) != alice);
        address wallet = address(new SignerWallet(alice, SignerWallet.Yes.Magic));
        (BallotMessage memory v, bytes memory signature) = _walletVote(wallet, key, amount, true);
        _refuseSignature(wallet, 0);
        _submit(v, signature);
    }

    function testFuzz_voteWithSig_onlyACleanYesOfTheWalletCounts(uint256 answer, uint256 amount) public {
        // All but the first, which is the clean one.
        SignerWallet.Yes yes = SignerWallet.Yes(bound(answer, 1, uint256(type(SignerWallet.Yes).max)));
        address wallet = address(new SignerWallet(alice, yes));
        (BallotMessage memory v, bytes memory signature) = _walletVote(wallet, aliceKey, amount, true);
        _refuseSignature(wallet, 0);
        // A wallet that writes takes all gas of the static call.
        governance.voteWithSig{gas: 5_000_000}(v.proposalId, v.amount, v.support, v.voter, v.deadline, signature);
        vm.assertEq(governance.ballotNonce(v.proposalId, wallet), 0);
    }

    /// @dev A wallet that answers a megabyte burns what that costs itself, some 2.2 million gas; to copy it would cost as
    /// much again, for whoever relays the ballot.
    function test_voteWithSig_aHugeAnswerOfTheWalletIsNotCopied() public {
        address wallet = address(new SignerWallet(alice, SignerWallet.Yes.Huge));
        (BallotMessage memory v, bytes memory signature) = _walletVote(wallet, aliceKey, 1, true);
        uint256 before = gasleft();
        (bool success, bytes memory answer) = address(governance).call(
            abi.encodeCall(governance.voteWithSig, (v.proposalId, v.amount, v.support, v.voter, v.deadline, signature))
        );
        uint256 used = before - gasleft();
        vm.assertFalse(success);
        vm.assertEq(
            answer, abi.encodeWithSelector(IGovernance.Governance__InvalidSignature.selector, wallet, 0)
        );
        vm.assertLt(used, 2_500_000);
        vm.assertGt(used, 2_000_000, "the answer itself");
    }

    /// @dev The account signs with its own key, whatever it delegated to and whatever that would answer.
    function testFuzz_voteWithSig_anAccountWithADelegationSignsAsItself(uint256 key, uint256 amount, bool toWallet)
        public
    {
        key = bound(key, 1, type(uint128).max);
        address to = toWallet ? address(new SignerWallet(vm.addr(key), SignerWallet.Yes.Magic)) : address(box);
        BallotMessage memory v = _some(amount, true);
        bytes memory signature = TypedData.sign(aliceKey, _digest(v));
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
        BallotMessage memory v = _some(amount, support);
        (uint8 parity, bytes32 r, bytes32 s) = vm.sign(key, _digest(v));
        _refuseSignature(alice, 0);
        _submit(v, abi.encode(parity, r, s));
    }

    function testFuzz_voteWithSig_refusesADelegationWithoutTheKeysSignature(uint256 key, uint256 amount) public {
        key = bound(key, 1, type(uint128).max);
        vm.assume(vm.addr(key) != alice);
        Delegation.set(alice, address(box));
        BallotMessage memory v = _some(amount, true);
        bytes memory signature = TypedData.sign(key, _digest(v));
        _refuseSignature(alice, 0);
        _submit(v, signature);
    }

    function testFuzz_voteWithSig_refusesWhatVoteRefuses(uint256 amount, bool support) public {
        BallotMessage memory v = _some(id, 0, support);
        bytes memory signature = TypedData.sign(aliceKey, _digest(v));
        _refuse(IGovernance.Governance__ZeroAmount.selector);
        _submit(v, signature);

        v.amount = bound(amount, MAJORITY + 1, type(uint256).max);
        signature = TypedData.sign(aliceKey, _digest(v));
        _refusePower(alice, MAJORITY, v.amount);
        _submit(v, signature);

        v = _some(_push(_payload()), v.amount, support);
        signature = TypedData.sign(aliceKey, _digest(v));
        _refuseState(IGovernance.Governance__NotActive.selector, v.proposalId, ProposalState.Pending);
        _submit(v, signature);
        vm.assertEq(governance.ballotNonce(id, alice), 0, "a refused ballot uses no nonce up");
        vm.assertEq(governance.ballotNonce(v.proposalId, alice), 0, "a refused ballot uses no nonce up");
    }

    function testFuzz_voteWithSig_refusesUnknownIds(uint256 unknown, bytes memory signature) public {
        unknown = bound(unknown, id + 1, type(uint256).max);
        _refuseUnknown(unknown);
        governance.voteWithSig(unknown, 1, true, alice, type(uint256).max, signature);
    }

    /// @dev Existence, signature, state, time, amounts: of several faults the first in this order is reported.
    function testFuzz_voteWithSig_asksInOrder(bool forged, bool unknown, bool pending, bool late, uint256 fault) public {
        uint256 time = vm.getBlockTimestamp();
        uint256 other = _push(_payload());
        BallotMessage memory v = _some(pending ? other : id, 1, true);
        v.deadline = late ? bound(fault, 0, time - 1) : time;
        if (unknown) v.proposalId = other + 1;
        if (fault % 3 == 0) v.amount = 0;
        if (fault % 3 == 1) v.amount = MAJORITY + 1;
        bytes memory signature = TypedData.sign(forged ? aliceKey + 1 : aliceKey, _digest(v));
        if (unknown) {
            _refuseUnknown(v.proposalId);
        } else if (forged) {
            _refuseSignature(alice, 0);
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
        vm.assertEq(governance.ballotNonce(id, alice), 0, "a call needs no nonce");
        BallotMessage memory v = _some(second, false);
        _submit(v, TypedData.sign(aliceKey, _digest(v)));
        (uint256 yea, uint256 nea) = governance.ballots(id, alice);
        vm.assertEq(yea, first);
        vm.assertEq(nea, second);
        v = _some(id, MAJORITY - first - second + 1, true);
        vm.assertEq(v.nonce, 1, "the signed one");
        bytes memory signature = TypedData.sign(aliceKey, _digest(v));
        _refusePower(alice, MAJORITY - first - second, v.amount);
        _submit(v, signature);
    }
}
