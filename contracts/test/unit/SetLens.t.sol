// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IGovernance} from "canon/interfaces/IGovernance.sol";
import {Action} from "canon/interfaces/IPayload.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {IRegistry} from "canon/interfaces/IRegistry.sol";
import {IRollup} from "canon/interfaces/IRollup.sol";
import {HolderQuestion, LensQuestion, RollupQuestion} from "canon/lens/SetLens.sol";
import {Set, SetLib} from "../Set.sol";
import {Test} from "../Test.sol";
import {Delegation} from "../mocks/Delegation.sol";
import {ListPayload} from "../mocks/ListPayload.sol";

/// @notice The lens on a whole set.
contract SetLensTest is Test {
    uint256 internal constant START = 1_750_000_000;
    uint256 internal constant MAX_LENGTH = 24_576;

    Set internal set;
    address internal holder;
    address internal attester;
    address internal payload;

    /// @dev What the newest transcript says. A call is found by the hash of the contract and the calldata.
    uint256 internal entries;
    uint256 internal unanswered;
    mapping(bytes32 call => bool) internal recorded;
    mapping(address account => bool) internal seen;

    function setUp() public {
        vm.warp(START);
        holder = addressOf("holder");
        attester = addressOf("attester");
        set = SetLib.deploy(address(this));
        set.asset.approve(address(set.governance), type(uint256).max);
        set.asset.approve(address(set.rollup), type(uint256).max);
        set.governance.deposit(holder, 5_000e18);
        set.governance.deposit(address(this), 5_000e18);
        set.rollup.deposit(attester, attester, attester, SetLib.STAKE);
        Action[] memory actions = new Action[](1);
        actions[0] = Action({target: address(set.expect), data: hex"01"});
        payload = address(new ListPayload(actions));
        set.governance.proposeWithLock(payload, holder);
        // Two epochs later the attester draws every slot of an epoch with a seed.
        skip(SetLib.SLOT * (SetLib.EPOCH + 1));
        set.rollup.setupEpoch();
        skip(SetLib.SLOT * SetLib.EPOCH);
        set.rollup.setupEpoch();
        vm.prank(attester);
        set.proposals.vote(payload);
    }

    /*//////////////////////////////////////////////////////////////
                                 TESTS
    //////////////////////////////////////////////////////////////*/

    function test_constructor_findsTheContracts() public {
        _read(_run(_question(), gasleft()));
        vm.assertEq(entries, 5);
        vm.assertEq(unanswered, 0);
        _assertRecorded(address(set.registry), abi.encodeCall(IRegistry.getRollup, ()));
        _assertRecorded(address(set.registry), abi.encodeCall(IRegistry.getGovernance, ()));
        _assertRecorded(address(set.governance), abi.encodeCall(IGovernance.governanceProposer, ()));
        _assertRecorded(address(set.governance), abi.encodeCall(IGovernance.ASSET, ()));
        _assertRecorded(address(set.governance), abi.encodeCall(IGovernance.proposalCount, ()));
    }

    function test_constructor_readsTheSet() public {
        LensQuestion memory question = _question();
        question.general = true;
        _read(_run(question, gasleft()));
        vm.assertEq(unanswered, 0);
        IRollup rollup = set.rollup;
        uint256 epoch = rollup.getEpochAt(question.next);
        _assertRecorded(address(rollup), abi.encodeCall(IRollup.REGISTRY, ()));
        _assertRecorded(address(rollup), abi.encodeCall(IRollup.getProposerAt, (question.next)));
        _assertRecorded(address(rollup), abi.encodeCall(IRollup.getSetSize, (epoch)));
        _assertRecorded(address(rollup), abi.encodeCall(IRollup.getSetSize, (epoch + 1)));
        _assertRecorded(address(rollup), abi.encodeCall(IRollup.getSeed, (epoch + 1)));
        uint256 round = set.proposals.getCurrentRound();
        bytes[3] memory questions = [
            abi.encodeCall(IProposals.yeaCount, (address(rollup), round, payload)),
            abi.encodeCall(IProposals.pinnedCodeHash, (address(rollup), round, payload)),
            abi.encodeCall(IProposals.latestProposalOf, (payload))
        ];
        for (uint256 i; i < questions.length; ++i) {
            _assertRecorded(address(set.proposals), questions[i]);
        }
        address[6] memory accounts = [
            address(set.registry),
            address(set.governance),
            address(set.proposals),
            address(set.asset),
            address(set.issuer),
            payload
        ];
        for (uint256 i; i < accounts.length; ++i) {
            vm.assertTrue(seen[accounts[i]]);
        }
    }

    /// @dev The present round and the five before it, as far as there are as many.
    function testFuzz_constructor_readsTheRoundsThatMayBePushed(uint256 gap) public {
        skip(bound(gap, 0, 12 * SetLib.M * SetLib.SLOT));
        LensQuestion memory question = _question();
        question.general = true;
        _read(_run(question, gasleft()));
        uint256 present = set.proposals.getCurrentRound();
        for (uint256 round = 0; round <= present + 1; ++round) {
            bytes32 call = _key(address(set.proposals), abi.encodeCall(IProposals.rounds, (address(set.rollup), round)));
            vm.assertEq(recorded[call], round <= present && round + 5 >= present);
        }
    }

    function test_constructor_readsTheLeaderOfARoundUntilThatIsPushed() public {
        (IProposals proposals, IRollup rollup) = (set.proposals, set.rollup);
        uint256 round = proposals.getCurrentRound() + 1;
        while (proposals.yeaCount(address(rollup), round, payload) < SetLib.N) {
            skip(SetLib.SLOT);
            rollup.setupEpoch();
            if (proposals.getCurrentRound() < round) continue;
            vm.prank(attester);
            proposals.vote(payload);
        }
        skip(SetLib.M * SetLib.SLOT);
        LensQuestion memory question = _question();
        question.general = true;
        bytes memory pin = abi.encodeCall(IProposals.pinnedCodeHash, (address(rollup), round, payload));
        _read(_run(question, gasleft()));
        _assertRecorded(address(proposals), pin);
        recorded[_key(address(proposals), pin)] = false;
        proposals.pushProposal(round);
        _read(_run(question, gasleft()));
        _assertRecorded(address(proposals), abi.encodeCall(IProposals.rounds, (address(rollup), round)));
        vm.assertFalse(recorded[_key(address(proposals), pin)], "it was pushed");
    }

    function test_constructor_readsProposalsOfTheRange() public {
        for (uint256 i; i < 3; ++i) {
            set.governance.proposeWithLock(payload, holder);
        }
        LensQuestion memory question = _question();
        (question.firstProposal, question.endProposal) = (1, 3);
        _read(_run(question, gasleft()));
        vm.assertEq(unanswered, 0);
        vm.assertEq(entries, 5 + 2 * 4);
        for (uint256 id; id < 4; ++id) {
            bytes32 call = _key(address(set.governance), abi.encodeCall(IGovernance.getProposal, (id)));
            vm.assertEq(recorded[call], id == 1 || id == 2);
        }
    }

    function test_constructor_readsWhatIsAskedFor() public {
        LensQuestion memory question = _question();
        question.rollups = new RollupQuestion[](1);
        question.rollups[0] = RollupQuestion({rollup: address(set.rollup), attesters: _list(attester)});
        question.payloads = _list(payload);
        question.withdrawals = new uint256[](1);
        question.holders = new HolderQuestion[](2);
        question.holders[0] = HolderQuestion({holder: holder, proposals: new uint256[](0)});
        question.holders[1] = HolderQuestion({holder: attester, proposals: new uint256[](1)});
        _read(_run(question, gasleft()));
        vm.assertEq(unanswered, 0);
        address governance = address(set.governance);
        _assertRecorded(address(set.rollup), abi.encodeCall(IRollup.getInfo, (attester)));
        _assertRecorded(address(set.rollup), abi.encodeCall(IRollup.getExit, (attester)));
        _assertRecorded(address(set.rollup), abi.encodeCall(IRollup.getMove, (attester)));
        uint256 round = set.proposals.computeRound(set.rollup.getSlotAt(question.next));
        bytes memory count = abi.encodeCall(IProposals.yeaCount, (address(set.rollup), round, payload));
        _assertRecorded(address(set.proposals), count);
        vm.assertTrue(seen[payload]);
        _assertRecorded(governance, abi.encodeCall(IGovernance.getWithdrawal, (0)));
        _assertRecorded(address(set.asset), abi.encodeCall(IERC20.allowance, (holder, governance)));
        _assertRecorded(governance, abi.encodeCall(IGovernance.ballots, (0, attester)));
        vm.assertFalse(recorded[_key(governance, abi.encodeCall(IGovernance.ballots, (0, holder)))], "not asked");
    }

    /// @dev While ballots are taken or will be; ballots against are taken in the first half of Queued, and finding the
    /// proposal in the second half does no harm.
    function test_constructor_findsProposalsThatTakeBallots() public {
        bytes32 state = _key(address(set.governance), abi.encodeCall(IGovernance.getProposalState, (0)));
        vm.warp(START + 1 hours);
        vm.assertTrue(_finds(state, 1), "Pending");
        vm.warp(START + 1 hours + 1);
        vm.prank(holder);
        set.governance.vote(0, 4_000e18, true);
        vm.assertTrue(_finds(state, 1), "Active");
        vm.warp(START + 2 hours + 30 minutes);
        vm.assertTrue(_finds(state, 1), "Queued");
        vm.warp(START + 3 hours + 1);
        vm.assertFalse(_finds(state, 1), "Executable");
    }

    /// @dev The newest ones, and no more than there are.
    function test_constructor_searchesTheNewestProposals() public {
        for (uint256 i; i < 3; ++i) {
            set.governance.proposeWithLock(payload, holder);
        }
        for (uint256 searched; searched < 6; ++searched) {
            for (uint256 id; id < 4; ++id) {
                bytes32 state = _key(address(set.governance), abi.encodeCall(IGovernance.getProposalState, (id)));
                vm.assertEq(_finds(state, searched), id + searched >= 4);
            }
        }
        vm.assertEq(unanswered, 0);
    }

    /// @dev Whether the lens records `call` when it searches so many proposals.
    function _finds(bytes32 call, uint256 searched) private returns (bool) {
        LensQuestion memory question = _question();
        question.searched = searched;
        recorded[call] = false;
        _read(_run(question, gasleft()));
        return recorded[call];
    }

    /// @dev What code is there, and its hash.
    function test_constructor_tellsAccountsApart() public {
        address delegated = addressOf("delegated");
        Delegation.set(delegated, payload);
        address rich = addressOf("rich");
        vm.deal(rich, 1);
        LensQuestion memory question = _question();
        question.payloads = new address[](4);
        (question.payloads[0], question.payloads[1]) = (payload, delegated);
        (question.payloads[2], question.payloads[3]) = (rich, addressOf("nobody"));
        _read(_run(question, gasleft()));
        for (uint256 i; i < 4; ++i) {
            vm.assertTrue(seen[question.payloads[i]]);
        }
    }

    /// @dev With any gas the lens says nothing wrong, and returns no more than fits into code.
    function testFuzz_constructor_isTrueWithAnyGas(uint256 gas_, uint8 attesters) public {
        LensQuestion memory question = _everything(attesters);
        bytes memory transcript = _run(question, bound(gas_, 3_000_000, 40_000_000));
        vm.assertLe(transcript.length, MAX_LENGTH);
        _read(transcript);
    }

    function test_constructor_returnsWhatThereIsRoomFor() public {
        bytes memory transcript = _run(_everything(200), gasleft());
        vm.assertGt(transcript.length, MAX_LENGTH - 200);
        vm.assertLe(transcript.length, MAX_LENGTH);
        _read(transcript);
    }

    function test_constructor_returnsNothingWithoutGas() public {
        vm.assertEq(_run(_everything(1), 5_000_000).length, 0);
    }

    /// @dev A rollup that burns all its gas, or answers with more than a view has, is asked once and doesn't keep the
    /// lens from reading the rest. The count of signals asks it too.
    function test_constructor_readsTheRestIfTheRollupIsHostile() public {
        bytes[4] memory codes = [bytes(hex"5b5f56"), hex"fe", hex"6102015ff3", hex"62ffffff5ff3"];
        for (uint256 i; i < codes.length; ++i) {
            vm.etch(address(set.rollup), codes[i]);
            unanswered = 0;
            LensQuestion memory question = _question();
            question.general = true;
            question.endProposal = 1;
            _read(_run(question, 50_000_000));
            vm.assertEq(unanswered, 3, "genesis, distributor, status");
            bytes32 call = _key(address(set.governance), abi.encodeCall(IGovernance.getProposal, (0)));
            vm.assertTrue(recorded[call]);
            recorded[call] = false;
        }
    }

    /// @dev The longest answer that is taken.
    function test_constructor_takesAnswersOfAtMost512Bytes() public {
        vm.etch(address(set.rollup), hex"6102005ff3");
        LensQuestion memory question = _question();
        question.rollups = new RollupQuestion[](1);
        question.rollups[0].rollup = address(set.rollup);
        _read(_run(question, gasleft()));
        vm.assertEq(unanswered, 0);
        _assertRecorded(address(set.rollup), abi.encodeCall(IRollup.MINIMUM_STAKE, ()));
    }

    /// @dev Everything that a wrong address answers is nothing.
    function test_constructor_asksAWrongRegistryInVain() public {
        LensQuestion memory question = _question();
        question.registry = addressOf("nobody");
        question.general = true;
        question.endProposal = 1;
        _read(_run(question, gasleft()));
        vm.assertEq(unanswered, 0, "an account without code answers with nothing");
    }

    /*//////////////////////////////////////////////////////////////
                               QUESTIONS
    //////////////////////////////////////////////////////////////*/

    /// @dev The least question.
    function _question() internal view returns (LensQuestion memory question) {
        question.registry = address(set.registry);
        question.next = vm.getBlockTimestamp() + 12;
    }

    /// @dev Something of everything.
    function _everything(uint256 attesters) internal view returns (LensQuestion memory question) {
        question = _question();
        question.general = true;
        (question.endProposal, question.searched) = (1, 1);
        question.rollups = new RollupQuestion[](1);
        question.rollups[0].rollup = address(set.rollup);
        question.rollups[0].attesters = new address[](attesters);
        question.payloads = _list(payload);
        question.holders = new HolderQuestion[](1);
        question.holders[0] = HolderQuestion({holder: holder, proposals: new uint256[](1)});
        question.withdrawals = new uint256[](1);
    }

    function _list(address item) private pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = item;
    }

    /*//////////////////////////////////////////////////////////////
                              TRANSCRIPTS
    //////////////////////////////////////////////////////////////*/

    /// @dev What the constructor returns stands in the place of code.
    function _run(LensQuestion memory question, uint256 gas_) internal returns (bytes memory transcript) {
        bytes memory initCode = SetLib.initCode("SetLens", abi.encode(question));
        vm.assertLe(initCode.length, 49_152);
        return this.create{gas: gas_}(initCode).code;
    }

    function create(bytes calldata initCode) external returns (address created) {
        bytes memory code = initCode;
        assembly ("memory-safe") {
            created := create(0, add(code, 32), mload(code))
        }
        require(created != address(0), "the lens reverted");
    }

    /// @dev Compares every entry with the chain.
    function _read(bytes memory transcript) internal {
        entries = 0;
        uint256 at;
        while (at < transcript.length) {
            ++entries;
            uint256 kind = _number(transcript, at, 1);
            address target = address(uint160(_number(transcript, at + 1, 20)));
            at += 21;
            if (kind == 2) {
                _compareAccount(target, _number(transcript, at, 1), bytes32(_number(transcript, at + 1, 32)));
                at += 33;
                continue;
            }
            vm.assertLe(kind, 1);
            bytes memory question = _slice(transcript, at);
            at += 2 + question.length;
            bytes memory answer = _slice(transcript, at);
            at += 2 + answer.length;
            recorded[_key(target, question)] = true;
            (bool success, bytes memory expected) = target.staticcall{gas: 2_000_000}(question);
            success = success && expected.length <= 512;
            vm.assertEq(kind == 1, success);
            if (success) vm.assertEq(answer, expected);
            else ++unanswered;
            vm.assertTrue(success || answer.length == 0);
        }
        vm.assertEq(at, transcript.length);
    }

    function _compareAccount(address account_, uint256 kind, bytes32 hash) private {
        seen[account_] = true;
        vm.assertEq(hash, account_.codehash);
        bytes memory code = account_.code;
        bool delegated = code.length == 23 && code[0] == 0xef && code[1] == 0x01 && code[2] == 0;
        vm.assertEq(kind, code.length == 0 ? 0 : delegated ? 1 : 2);
    }

    function _assertRecorded(address target, bytes memory question) private view {
        vm.assertTrue(recorded[_key(target, question)]);
    }

    function _key(address target, bytes memory question) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(target, question));
    }

    /// @dev The `length` bytes at `at`, as a number.
    function _number(bytes memory data, uint256 at, uint256 length) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(sub(256, shl(3, length)), mload(add(add(data, 32), at)))
        }
    }

    /// @dev The bytes at `at` behind their length.
    function _slice(bytes memory data, uint256 at) private pure returns (bytes memory slice) {
        uint256 length = _number(data, at, 2);
        slice = new bytes(length);
        assembly ("memory-safe") {
            mcopy(add(slice, 32), add(add(data, 34), at), length)
        }
    }
}
