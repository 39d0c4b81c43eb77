// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {ICommon} from "canon/interfaces/ICommon.sol";
import {IRollup, RollupParameters, Status} from "canon/interfaces/IRollup.sol";
import {SetLib} from "../Set.sol";
import {Vm} from "../Vm.sol";
import {RollupBase} from "./RollupBase.t.sol";

/// @notice When seeds are recorded, for which epoch, and what is drawn with and without one.
contract RollupSeedTest is RollupBase {
    IRollup internal next;

    function setUp() public override {
        super.setUp();
        next = SetLib.rollup(_parameters());
        _makeCanonical(address(next));
    }

    /// @dev Everything that changes the rollup; each works from the first second of epoch 3 on, but a block needs an
    /// epoch with a seed.
    enum Change {
        SetupEpoch,
        Deposit,
        InitiateWithdraw,
        FinaliseWithdraw,
        InitiateMove,
        FinaliseMove,
        FinaliseMoveRenamed,
        SetCoinbase,
        Slash,
        ProposeBlock,
        TransferOwnership,
        AcceptOwnership
    }

    uint256 private constant CHANGES = uint256(type(Change).max) + 1;

    function _prepare() internal {
        _joinMany(7);
        _leave(3);
        _move(4, address(next));
        _move(6, address(next));
        vm.prank(address(set.governance));
        Ownable2Step(address(rollup)).transferOwnership(address(this));
    }

    function _make(Change change) internal {
        if (change == Change.SetupEpoch) rollup.setupEpoch();
        if (change == Change.Deposit) _join(9);
        if (change == Change.InitiateWithdraw) _leave(0);
        if (change == Change.FinaliseWithdraw) rollup.finaliseWithdraw(_attester(3));
        if (change == Change.InitiateMove) _move(1, address(next));
        if (change == Change.FinaliseMove) rollup.finaliseMove(_attester(4));
        if (change == Change.FinaliseMoveRenamed) {
            vm.prank(_withdrawer(6));
            rollup.finaliseMove(_attester(6), _attester(60));
        }
        if (change == Change.SetCoinbase) {
            vm.prank(_withdrawer(1));
            rollup.setCoinbase(_attester(1), address(1));
        }
        if (change == Change.Slash) _slash(5, 1);
        if (change == Change.ProposeBlock) {
            address proposer = rollup.getCurrentProposer();
            vm.prank(proposer);
            rollup.proposeBlock("block");
        }
        if (change == Change.TransferOwnership) {
            vm.prank(address(set.governance));
            Ownable2Step(address(rollup)).transferOwnership(address(this));
        }
        if (change == Change.AcceptOwnership) Ownable2Step(address(rollup)).acceptOwnership();
    }

    /*//////////////////////////////////////////////////////////////
                               RECORDING
    //////////////////////////////////////////////////////////////*/

    function testFuzz_everyChangingCall_recordsTheNextSeed(
        uint256 which,
        uint256 epoch,
        uint256 second,
        uint256 seed,
        bool silent
    ) public {
        Change change = Change(which % CHANGES);
        epoch = bound(epoch, 3, 1000);
        _prepare();
        if (change == Change.ProposeBlock || !silent) _toSeededEpoch(epoch);
        vm.warp(_startOf(epoch) + bound(second, SetLib.SLOT, EPOCH_SECONDS - 1));
        vm.prevrandao(bytes32(seed));
        vm.recordLogs();
        _make(change);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(_seedsRecorded(logs), 1);
        vm.assertEq(logs[0].topics[0], IRollup.SeedRecorded.selector);
        vm.assertEq(uint256(logs[0].topics[1]), epoch + 1);
        vm.assertEq(abi.decode(logs[0].data, (uint256)), seed);
        _assertSeed(epoch + 1, true, seed);
    }

    /// @dev Whoever proposes the last L1 block before an epoch knows the randomness of the block after it, so that
    /// block's is no seed: every function, in the first and in the last second of the first slot, and then in the next
    /// second.
    function test_everyChangingCall_recordsNothingInTheFirstSlot() public {
        _prepare();
        for (uint256 round; round < 4; ++round) {
            bool silent = round > 1;
            uint256 second = round % 2 == 0 ? 0 : SetLib.SLOT - 1;
            for (uint256 which; which < CHANGES; ++which) {
                Change change = Change(which);
                // Without a seed no account can propose a block.
                if (silent && change == Change.ProposeBlock) continue;
                uint256 snapshot = vm.snapshotState();
                if (!silent) _toSeededEpoch(5);
                vm.warp(_startOf(5) + second);
                (bool recorded, uint256 seed) = rollup.getSeed(5);
                vm.assertEq(recorded, !silent);
                vm.prevrandao(keccak256("known too early"));
                vm.recordLogs();
                _make(change);
                vm.assertEq(_seedsRecorded(vm.getRecordedLogs()), 0, "recorded in the first slot");
                _assertSeed(5, recorded, seed);
                _assertSeed(6, false, 0);

                _toSecondSlot(5);
                vm.prevrandao(keccak256("in time"));
                rollup.setupEpoch();
                _assertSeed(5, recorded, seed);
                _assertSeed(6, true, uint256(keccak256("in time")));
                vm.revertToState(snapshot);
            }
        }
    }

    function testFuzz_onlyTheFirstCallOfAnEpoch_recordsASeed(uint256 first, uint256 second, uint256 later) public {
        Change earlier = Change(first % CHANGES);
        // Those that no other call makes impossible.
        Change[6] memory possible = [
            Change.SetupEpoch,
            Change.Deposit,
            Change.InitiateWithdraw,
            Change.FinaliseWithdraw,
            Change.InitiateMove,
            Change.SetCoinbase
        ];
        Change repeated = possible[second % 6];
        if (repeated == earlier) repeated = Change.SetupEpoch;
        _prepare();
        _toSeededEpoch(5);
        _toSecondSlot(5);
        vm.prevrandao(keccak256("first"));
        _make(earlier);
        vm.warp(_startOf(5) + bound(later, SetLib.SLOT, EPOCH_SECONDS - 1));
        vm.prevrandao(keccak256("second"));
        vm.recordLogs();
        _make(repeated);
        vm.assertEq(_seedsRecorded(vm.getRecordedLogs()), 0);
        _assertSeed(6, true, uint256(keccak256("first")));
    }

    function testFuzz_callsThatRevert_recordNothing(uint256 which, uint256 epoch) public {
        which %= 7;
        epoch = bound(epoch, 2, 1000);
        _join(0);
        _toSecondSlot(epoch);
        bytes[7] memory calls = [
            abi.encodeCall(IRollup.deposit, (_attester(0), _proposer(0), _withdrawer(0), STAKE)),
            abi.encodeCall(IRollup.initiateWithdraw, (_attester(0), _recipient(0))),
            abi.encodeCall(IRollup.finaliseWithdraw, (_attester(0))),
            abi.encodeCall(IRollup.slash, (_attester(0), 1)),
            abi.encodeCall(IRollup.proposeBlock, ("block")),
            abi.encodeWithSignature("renounceOwnership()"),
            _moveCall(_attester(0), _attester(1))
        ];
        bytes memory notWithdrawer =
            abi.encodeWithSelector(IRollup.Rollup__NotWithdrawer.selector, address(this), _withdrawer(0));
        bytes[7] memory refusals = [
            abi.encodeWithSelector(IRollup.Rollup__AlreadyRegistered.selector, _attester(0)),
            notWithdrawer,
            abi.encodeWithSelector(IRollup.Rollup__NotExiting.selector, _attester(0), Status.Validating),
            abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, address(this)),
            abi.encodeWithSelector(IRollup.Rollup__NotProposer.selector, address(this), address(0)),
            abi.encodeWithSelector(ICommon.OwnershipCannotBeRenounced.selector),
            notWithdrawer
        ];
        (bool success, bytes memory answer) = address(rollup).call(calls[which]);
        vm.assertFalse(success);
        vm.assertEq(answer, refusals[which]);
        _assertSeed(epoch + 1, false, 0);
    }

    function test_ownership_cannotBeRenounced() public {
        vm.prank(address(set.governance));
        vm.expectRevert(ICommon.OwnershipCannotBeRenounced.selector);
        Ownable2Step(address(rollup)).renounceOwnership();
        vm.assertEq(Ownable2Step(address(rollup)).owner(), address(set.governance));
    }

    /// @dev Calls and silence in any order, in epoch 0 too, compared with a model at every boundary. `calls` has two
    /// bits for each epoch: whether somebody calls in its first slot, and whether somebody calls later.
    function testFuzz_getSeed_isThatOfItsEpochOrNone(uint256 calls, uint256 random) public {
        _joinMany(3);
        bool recorded;
        uint256 seed;
        for (uint256 epoch; epoch < 40; ++epoch) {
            _toEpoch(epoch);
            if (calls >> (2 * epoch) & 1 == 1) {
                vm.prevrandao(keccak256(abi.encode("too early", random, epoch)));
                rollup.setupEpoch();
            }
            _assertSeeds(epoch, recorded, seed, false, 0);
            vm.warp(_startOf(epoch) + SetLib.SLOT - 1);
            _assertSeeds(epoch, recorded, seed, false, 0);

            bool nextRecorded = calls >> (2 * epoch + 1) & 1 == 1;
            uint256 nextSeed;
            uint256 second = SetLib.SLOT + (random >> 8) % (EPOCH_SECONDS - SetLib.SLOT);
            random = uint256(keccak256(abi.encode(random)));
            _toSecondSlot(epoch);
            _assertSeeds(epoch, recorded, seed, false, 0);
            if (nextRecorded) {
                vm.warp(_startOf(epoch) + second);
                vm.prevrandao(bytes32(random));
                rollup.setupEpoch();
                // A seed of 0 is a seed.
                nextSeed = random;
            }
            _assertSeeds(epoch, recorded, seed, nextRecorded, nextSeed);
            vm.warp(_startOf(epoch + 1) - 1);
            _assertSeeds(epoch, recorded, seed, nextRecorded, nextSeed);
            (recorded, seed) = (nextRecorded, nextSeed);
        }
    }

    function _assertSeeds(uint256 epoch, bool recorded, uint256 seed, bool nextRecorded, uint256 nextSeed)
        internal
        view
    {
        _assertSeed(epoch, recorded, seed);
        _assertSeed(epoch + 1, nextRecorded, nextSeed);
        bool drawn = recorded && epoch > 1;
        bool nextDrawn = nextRecorded && epoch > 0;
        vm.assertEq(rollup.getCurrentProposer() != address(0), drawn, "a proposer without a seed, or none with one");
        vm.assertEq(rollup.getProposerAt(_startOf(epoch)) != address(0), drawn, "in the first second");
        vm.assertEq(rollup.getProposerAt(_startOf(epoch + 1) - 1) != address(0), drawn, "in the last second");
        vm.assertEq(rollup.getProposerAt(_startOf(epoch + 1)) != address(0), nextDrawn, "in the next epoch");
    }

    function test_aSeedOfZero_isASeed() public {
        _joinMany(3);
        _toSecondSlot(2);
        vm.prevrandao(0);
        rollup.setupEpoch();
        _assertSeed(3, true, 0);
        _toEpoch(3);
        (, address expected) = rollup.getMember(3, _index(0, 3 * SetLib.EPOCH, 3));
        vm.assertEq(rollup.getCurrentProposer(), expected);
        // It is recorded once like any other.
        _toSecondSlot(2);
        vm.prevrandao(keccak256("later"));
        rollup.setupEpoch();
        _assertSeed(3, true, 0);
    }

    /*//////////////////////////////////////////////////////////////
                                SILENCE
    //////////////////////////////////////////////////////////////*/

    /// @dev If epoch e-1 saw no call, e has neither a seed nor a proposer, however many stakers there are and whatever
    /// seeds there were before. The last seed serves its own epoch and no other.
    function testFuzz_silence_hasNoProposers(uint256 count, uint256 last, uint256 gap) public {
        count = bound(count, 1, 12);
        last = bound(last, 1, 1000);
        gap = bound(gap, 2, 300);
        _joinMany(count);
        _toSecondSlot(last);
        rollup.setupEpoch();
        _toEpoch(last + 1);
        _assertSeed(last + 1, true, uint256(keccak256("deployment")));
        _assertSeed(last + 2, false, 0);

        uint256 epoch = last + gap;
        for (uint256 slot; slot < SetLib.EPOCH; ++slot) {
            vm.warp(_startOf(epoch) + slot * SetLib.SLOT);
            _assertSeed(epoch, false, 0);
            _assertSeed(epoch + 1, false, 0);
            vm.assertEq(rollup.getCurrentProposer(), address(0));
            vm.assertEq(rollup.getProposerAt(_now() + EPOCH_SECONDS), address(0));
            for (uint256 i; i < count; ++i) {
                vm.prank(_proposer(i));
                vm.expectRevert(
                    abi.encodeWithSelector(IRollup.Rollup__NotProposer.selector, _proposer(i), address(0))
                );
                rollup.proposeBlock("block");
            }
            vm.prank(address(0));
            vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__NotProposer.selector, address(0), address(0)));
            rollup.proposeBlock("block");
        }
        // The set is there all the same.
        vm.assertEq(rollup.getSetSize(epoch), count);
        vm.assertEq(rollup.getSetSize(epoch + 1), count);
        (address attester, address proposer) = rollup.getMember(epoch, count - 1);
        vm.assertEq(attester, _attester(count - 1));
        vm.assertEq(proposer, _proposer(count - 1));
    }

    /// @dev The call that ends a silence gives no proposer to the present epoch, and all slots of the next one theirs.
    function testFuzz_silence_endsWithTheNextEpoch(uint256 count, uint256 gap, uint256 which, uint256 second) public {
        count = bound(count, 2, 12);
        uint256 epoch = bound(gap, 2, 400);
        _joinMany(count);
        vm.warp(_startOf(epoch) + bound(second, SetLib.SLOT, EPOCH_SECONDS - 1));
        vm.prevrandao(keccak256("woken up"));
        if (which % 4 == 0) rollup.setupEpoch();
        else if (which % 4 == 1) _join(100);
        else if (which % 4 == 2) _leave(0);
        else _slash(0, 1);
        _assertSeed(epoch, false, 0);
        _assertSeed(epoch + 1, true, uint256(keccak256("woken up")));
        address[] memory draws = _draws(epoch);
        for (uint256 i; i < draws.length; ++i) {
            vm.assertEq(draws[i], address(0));
        }
        vm.assertEq(rollup.getCurrentProposer(), address(0));
        // The set of the next epoch was closed before the silence ended.
        vm.assertEq(rollup.getSetSize(epoch + 1), count);
        draws = _draws(epoch + 1);
        _toEpoch(epoch + 1);
        for (uint256 i; i < draws.length; ++i) {
            uint256 slot = (epoch + 1) * SetLib.EPOCH + i;
            vm.warp(START + slot * SetLib.SLOT);
            (, address expected) =
                rollup.getMember(epoch + 1, _index(uint256(keccak256("woken up")), slot, count));
            vm.assertEq(draws[i], expected);
            vm.assertEq(rollup.getCurrentProposer(), expected);
            vm.prank(expected);
            rollup.proposeBlock("block");
        }
    }

    /// @dev Silent for exactly one epoch, and for exactly two: what is left in the two words of seeds is drawn from by
    /// no epoch that they aren't for.
    function test_silence_ofOneAndOfTwoEpochs() public {
        _joinMany(5);
        for (uint256 silent = 1; silent < 4; ++silent) {
            uint256 snapshot = vm.snapshotState();
            _toSeededEpoch(4);
            _toSecondSlot(4);
            vm.prevrandao(keccak256("of 5"));
            rollup.setupEpoch();
            // Nobody calls in the epochs from 5 on.
            uint256 woken = 5 + silent;
            for (uint256 epoch = 6; epoch <= woken; ++epoch) {
                _toEpoch(epoch);
                _assertSeeds(epoch, false, 0, false, 0);
            }
            _toSecondSlot(woken);
            vm.prevrandao(keccak256("woken up"));
            rollup.setupEpoch();
            _assertSeeds(woken, false, 0, true, uint256(keccak256("woken up")));
            _toEpoch(woken + 1);
            _assertSeeds(woken + 1, true, uint256(keccak256("woken up")), false, 0);
            _toEpoch(woken + 2);
            _assertSeeds(woken + 2, false, 0, false, 0);
            vm.revertToState(snapshot);
        }
    }

    /*//////////////////////////////////////////////////////////////
                          THE FIRST TWO EPOCHS
    //////////////////////////////////////////////////////////////*/

    function test_theFirstTwoEpochs_haveNoProposers() public {
        _joinMany(3);
        _toSecondSlot(0);
        rollup.setupEpoch();
        vm.assertEq(rollup.getSetSize(0), 0);
        vm.assertEq(rollup.getSetSize(1), 0);
        // The seed of epoch 1 draws from an empty set.
        _assertSeed(0, false, 0);
        _assertSeed(1, true, uint256(keccak256("deployment")));
        for (uint256 slot; slot < 2 * SetLib.EPOCH; ++slot) {
            vm.assertEq(rollup.getProposerAt(START + slot * SetLib.SLOT), address(0));
        }
        _toSecondSlot(1);
        rollup.setupEpoch();
        vm.warp(_startOf(2) - 1);
        vm.assertEq(rollup.getCurrentProposer(), address(0));
        vm.warp(_startOf(2));
        vm.assertNotEq(rollup.getCurrentProposer(), address(0));
    }

    /// @dev Epoch 0 has no seed, also after calls in it, and although the word of the seeds is 0 for that of epoch 0.
    function testFuzz_epochZero_hasNoSeed(uint256 second, uint256 random) public {
        vm.prevrandao(bytes32(random));
        rollup.setupEpoch();
        _assertSeed(0, false, 0);
        _assertSeed(1, false, 0);
        vm.warp(START + bound(second, SetLib.SLOT, EPOCH_SECONDS - 1));
        _assertSeed(0, false, 0);
        _assertSeed(1, false, 0);
        rollup.setupEpoch();
        _assertSeed(0, false, 0);
        _assertSeed(1, true, random);
        _toEpoch(1);
        _assertSeed(1, true, random);
        _assertSeed(2, false, 0);
    }

    /// @dev A rollup whose slots began long before it was deployed: the constructor records nothing in any slot, and
    /// the epochs of construction and after it have no proposers.
    function testFuzz_genesisInThePast_beginsLikeEpochZero(uint256 age, bool callAtOnce) public {
        age = bound(age, 0, 1000 * EPOCH_SECONDS);
        RollupParameters memory p = _parameters();
        p.genesisTime = START - age;
        vm.recordLogs();
        _use(p);
        vm.assertEq(_seedsRecorded(vm.getRecordedLogs()), 0, "recorded by the constructor");
        uint256 epoch = rollup.getCurrentEpoch();
        _assertSeed(epoch, false, 0);
        _assertSeed(epoch + 1, false, 0);
        if (callAtOnce) {
            bool early = rollup.getCurrentSlot() % SetLib.EPOCH == 0;
            _joinMany(3);
            _assertSeed(epoch, false, 0);
            _assertSeed(epoch + 1, !early, early ? 0 : uint256(keccak256("deployment")));
        }
        vm.assertEq(rollup.getSetSize(epoch), 0);
        vm.assertEq(rollup.getSetSize(epoch + 1), 0);
        vm.assertEq(rollup.getCurrentProposer(), address(0));
        vm.warp(rollup.getTimestampForSlot((epoch + 1) * SetLib.EPOCH));
        vm.assertEq(rollup.getCurrentProposer(), address(0));
    }

    /*//////////////////////////////////////////////////////////////
                                 DRAWS
    //////////////////////////////////////////////////////////////*/

    /// @dev No call in an epoch changes its draw, whether or not the epoch before saw a call, in its first slot or
    /// later.
    function testFuzz_noCallInAnEpoch_changesItsDraw(uint256 seed, uint256 epoch, bool callBefore) public {
        epoch = bound(epoch, 4, 300);
        _prepare();
        if (callBefore) {
            _toSecondSlot(epoch - 1);
            vm.prevrandao(keccak256("before"));
            rollup.setupEpoch();
        }
        _toEpoch(epoch);
        address[] memory before = _draws(epoch);
        for (uint256 i; i < before.length; ++i) {
            vm.assertEq(before[i] != address(0), callBefore);
        }
        for (uint256 i; i < 8; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            vm.warp(_startOf(epoch) + i * SetLib.SLOT / 2);
            vm.prevrandao(bytes32(seed));
            Change change = Change(seed % CHANGES);
            // Any of them may be impossible by now, but the last one; the draw must stay either way.
            if (i == 7) rollup.setupEpoch();
            else if (change != Change.ProposeBlock) try this.makeFromOutside(change) {} catch {}
            vm.assertEq(_draws(epoch), before);
            vm.assertEq(rollup.getCurrentProposer(), before[i / 2]);
        }
        (bool recorded,) = rollup.getSeed(epoch + 1);
        vm.assertTrue(recorded, "nobody called");
    }

    function makeFromOutside(Change change) external {
        require(msg.sender == address(this));
        _make(change);
    }

    function testFuzz_joining_countsFromTheSetThatClosesNext(uint256 epoch, uint256 second) public {
        epoch = bound(epoch, 0, 1000);
        second = bound(second, 0, EPOCH_SECONDS - 1);
        vm.warp(_startOf(epoch) + second);
        _join(1);
        vm.assertEq(rollup.getSetSize(epoch), 0);
        vm.assertEq(rollup.getSetSize(epoch + 1), 0);
        _toSecondSlot(epoch + 1);
        rollup.setupEpoch();
        vm.warp(_startOf(epoch + 2) - 1);
        vm.assertEq(rollup.getCurrentProposer(), address(0));
        vm.warp(_startOf(epoch + 2));
        vm.assertEq(rollup.getSetSize(epoch + 2), 1);
        vm.assertEq(rollup.getCurrentProposer(), _proposer(1));
    }

    function testFuzz_leaving_countsFromTheSetThatClosesNext(uint256 epoch, uint256 second, uint256 how) public {
        epoch = bound(epoch, 3, 1000);
        second = bound(second, 0, EPOCH_SECONDS - 1);
        _join(1);
        _move(1, address(next));
        vm.warp(_startOf(epoch) + second);
        how %= 4;
        if (how == 0) _leave(1);
        if (how == 1) _slash(1, 1);
        if (how == 2) rollup.finaliseMove(_attester(1));
        if (how == 3) {
            vm.prank(_withdrawer(1));
            rollup.finaliseMove(_attester(1), _attester(2));
        }
        vm.assertEq(rollup.getActiveAttesterCount(), 0);
        vm.assertEq(rollup.getSetSize(epoch), 1);
        vm.assertEq(rollup.getSetSize(epoch + 1), 1);
        _toSeededEpoch(epoch + 1);
        vm.assertEq(rollup.getCurrentProposer(), _proposer(1));
        _toSecondSlot(epoch + 1);
        rollup.setupEpoch();
        vm.warp(_startOf(epoch + 2) - 1);
        vm.assertEq(rollup.getCurrentProposer(), _proposer(1));
        vm.warp(_startOf(epoch + 2));
        _assertSeed(epoch + 2, true, uint256(keccak256("deployment")));
        vm.assertEq(rollup.getSetSize(epoch + 2), 0);
        vm.assertEq(rollup.getCurrentProposer(), address(0));
    }

    /// @dev A set is closed a slot before its seed can be known: what happens in the first slot, when nothing is
    /// recorded, and what happens in the block of the seed are both too late for it.
    function testFuzz_set_isClosedBeforeItsSeed(uint256 epoch, uint256 first, bool leaves, bytes32 random) public {
        epoch = bound(epoch, 2, 1000);
        _joinMany(4);
        vm.warp(_startOf(epoch) - 1);
        // The last second in which the set of the next epoch can still be joined.
        _join(4);
        vm.warp(_startOf(epoch) + bound(first, 0, SetLib.SLOT - 1));
        _assertSeed(epoch + 1, false, 0);
        if (leaves) _leave(0);
        else _join(5);
        vm.assertEq(rollup.getSetSize(epoch + 1), 5, "joined or left a closed set");
        _toSecondSlot(epoch);
        vm.prevrandao(random);
        if (leaves) _leave(1);
        else _join(6);
        _assertSeed(epoch + 1, true, uint256(random));
        vm.assertEq(rollup.getSetSize(epoch + 1), 5, "joined or left the set that its seed draws from");
        _toEpoch(epoch + 1);
        for (uint256 i; i < 5; ++i) {
            (address attester,) = rollup.getMember(epoch + 1, i);
            vm.assertEq(attester, _attester(i));
        }
        vm.assertEq(rollup.getSetSize(epoch + 2), leaves ? 3 : 7);
    }

    function testFuzz_proposer_isTheMemberThatTheSeedDraws(uint256 count, uint256 seed, uint256 epoch, uint256 second)
        public
    {
        count = bound(count, 1, 30);
        epoch = bound(epoch, 2, 1000);
        second = bound(second, 0, 2 * EPOCH_SECONDS - 1);
        _joinMany(count);
        vm.prevrandao(bytes32(seed));
        _toSeededEpoch(epoch);
        uint256 time = _startOf(epoch) + second;
        if (second >= EPOCH_SECONDS) {
            seed = uint256(keccak256(abi.encode(seed)));
            vm.prevrandao(bytes32(seed));
            _toSecondSlot(epoch);
            rollup.setupEpoch();
        }
        uint256 index = _index(seed, (time - START) / SetLib.SLOT, count);
        (, address expected) = rollup.getMember(rollup.getEpochAt(time), index);
        vm.assertEq(rollup.getProposerAt(time), expected);
        vm.warp(time);
        vm.assertEq(rollup.getCurrentProposer(), expected);
        vm.assertEq(rollup.getProposerAt(time), expected);
    }

    function testFuzz_views_answerForThePresentAndTheNextEpochOnly(uint256 present, uint256 asked, bool silent)
        public
    {
        present = bound(present, 2, 1000);
        asked = bound(asked, 0, 1100);
        _joinMany(3);
        if (!silent) _toSeededEpoch(present);
        _toSecondSlot(present);
        if (!silent) rollup.setupEpoch();
        if (asked == present || asked == present + 1) {
            vm.assertEq(rollup.getSetSize(asked), 3);
            _assertSeed(asked, !silent, silent ? 0 : uint256(keccak256("deployment")));
            vm.assertEq(rollup.getProposerAt(_startOf(asked)) == address(0), silent);
            vm.assertEq(rollup.getProposerAt(_startOf(asked + 1) - 1) == address(0), silent);
            (address attester,) = rollup.getMember(asked, 2);
            vm.assertEq(attester, _attester(2));
            vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__IndexOutOfRange.selector, 3, 3));
            rollup.getMember(asked, 3);
            return;
        }
        bytes memory refusal = abi.encodeWithSelector(IRollup.Rollup__EpochOutOfRange.selector, asked, present);
        vm.expectRevert(refusal);
        rollup.getSetSize(asked);
        vm.expectRevert(refusal);
        rollup.getSeed(asked);
        vm.expectRevert(refusal);
        rollup.getMember(asked, 0);
        vm.expectRevert(refusal);
        rollup.getProposerAt(_startOf(asked));
        vm.expectRevert(refusal);
        rollup.getProposerAt(_startOf(asked + 1) - 1);
    }

    function testFuzz_views_refuseAbsurdEpochs(uint256 epoch) public {
        epoch = bound(epoch, 1000, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(IRollup.Rollup__EpochOutOfRange.selector, epoch, 0));
        rollup.getSeed(epoch);
    }

    /// @dev Asking who proposes takes no more storage reads among many than among three, whatever happened to the
    /// seats: three, and two more for a seat that changed hands.
    function testFuzz_draw_takesAConstantNumberOfReads(uint256 count, uint256 churn) public {
        count = bound(count, 4, 40);
        churn = bound(churn, 1, count - 2);
        uint256 snapshot = vm.snapshotState();
        uint256 few = _mostReads(3, 1);
        vm.assertLe(few, 5);
        vm.revertToState(snapshot);
        vm.assertLe(_mostReads(count, churn), few);
    }

    function testFuzz_draw_ofASetThatStaysTakesThreeReads(uint256 count) public {
        vm.assertEq(_mostReads(bound(count, 1, 40), 0), 3);
    }

    /// @dev The most reads that a draw takes in four epochs, after `churn` of `count` left.
    function _mostReads(uint256 count, uint256 churn) internal returns (uint256 most) {
        _joinMany(count);
        _toSeededEpoch(2);
        for (uint256 i; i < churn; ++i) {
            _leave(i);
        }
        for (uint256 slot = 2 * SetLib.EPOCH; slot < 6 * SetLib.EPOCH; ++slot) {
            vm.warp(START + slot * SetLib.SLOT);
            rollup.setupEpoch();
            vm.record();
            rollup.getCurrentProposer();
            (bytes32[] memory reads,) = vm.accesses(address(rollup));
            if (reads.length > most) most = reads.length;
        }
    }

    function _seedsRecorded(Vm.Log[] memory logs) internal view returns (uint256 count) {
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].emitter == address(rollup) && logs[i].topics[0] == IRollup.SeedRecorded.selector) ++count;
        }
    }
}
