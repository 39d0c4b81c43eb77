// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {GovernanceFixture} from "./GovernanceFixture.t.sol";

/// @notice What becomes of proposals when the Proposals contract that pushed them is replaced.
contract GovernanceDroppedTest is GovernanceFixture {
    address internal a;
    address internal b;
    address internal c;

    /// @dev The model: who pushed what in which term; a term ends when the governance proposer changes.
    struct Line {
        address proposer;
        uint256 term;
        bool byLock;
        bool stored;
    }

    Line[] private _book;
    uint256 private _term;

    function setUp() public override {
        super.setUp();
        a = proposals;
        b = _newProposals();
        c = _newProposals();
    }

    function _refuseNotDropped(uint256 id, ProposalState state) private {
        _refuseState(IGovernance.Governance__NotDropped.selector, id, state);
    }

    function testFuzz_dropped_inWhateverStateItWas(uint256 wait, bool accepted) public {
        _arm();
        uint256 id = _push(_payload());
        uint256[4] memory ends = _ends(id);
        if (accepted) _approve(id);
        vm.warp(bound(wait, START, ends[3] + 1 days));
        _setProposer(b);
        _state(id, ProposalState.Dropped);
    }

    function testFuzz_dropped_foreverAfter(uint256 wait) public {
        _arm();
        uint256 id = _push(_payload());
        _setProposer(b);
        skip(bound(wait, 0, 10_000 days));
        _state(id, ProposalState.Dropped);
        vm.assertEq(governance.getProposal(id).governanceProposer, a);
    }

    function testFuzz_dropped_alsoIfItWasPutBack(uint256 before, uint256 between) public {
        before = bound(before, 0, 5);
        for (uint256 i; i < before; ++i) {
            _push(_payload());
        }
        _setProposer(b);
        between = bound(between, 0, 3);
        for (uint256 i; i < between; ++i) {
            _push(_payload());
        }
        _setProposer(a);
        uint256 id = _push(_payload());
        for (uint256 i; i < id; ++i) {
            _state(i, ProposalState.Dropped);
        }
        _state(id, ProposalState.Pending);
        vm.assertEq(governance.getProposal(id).governanceProposer, a);
    }

    function testFuzz_dropped_replacedTwiceWithoutProposalsBetween(uint256 before, bool backToA) public {
        before = bound(before, 1, 5);
        for (uint256 i; i < before; ++i) {
            _push(_payload());
        }
        _setProposer(b);
        _setProposer(backToA ? a : c);
        for (uint256 i; i < before; ++i) {
            _state(i, ProposalState.Dropped);
            vm.assertEq(governance.getProposal(i).governanceProposer, a);
        }
        uint256 id = _push(_payload());
        _state(id, ProposalState.Pending);
        vm.assertEq(governance.getProposal(id).governanceProposer, backToA ? a : c);
    }

    /// @dev Before anybody proposed anything at all.
    function test_dropped_replacedTwiceBeforeAnyProposal() public {
        _setProposer(b);
        _setProposer(a);
        _setProposer(c);
        uint256 id = _push(_payload());
        _state(id, ProposalState.Pending);
        vm.assertEq(governance.getProposal(id).governanceProposer, c);
    }

    function testFuzz_dropped_neverForTheLock(uint256 replacements, uint256 wait) public {
        _arm();
        uint256 id = _pushByLock(_payload());
        uint256[4] memory ends = _ends(id);
        _approve(id);
        replacements = bound(replacements, 1, 4);
        for (uint256 i; i < replacements; ++i) {
            _setProposer(i % 2 == 0 ? b : a);
        }
        vm.warp(bound(wait, ends[2] + 1, ends[3]));
        _state(id, ProposalState.Executable);
        _refuseNotDropped(id, ProposalState.Executable);
        governance.dropProposal(id);
        governance.execute(id);
        _state(id, ProposalState.Executed);
    }

    function testFuzz_dropped_takesNoBallots(uint256 wait, uint256 amount, bool support) public {
        _arm();
        uint256 id = _push(_payload());
        uint256[4] memory ends = _ends(id);
        vm.warp(bound(wait, ends[0] + 1, ends[1]));
        _setProposer(b);
        _refuseState(IGovernance.Governance__NotActive.selector, id, ProposalState.Dropped);
        vm.prank(majority);
        governance.vote(id, bound(amount, 1, MAJORITY), support);
    }

    function testFuzz_dropped_isNotExecuted(bool stored) public {
        uint256 id = _passed(_payload());
        _setProposer(b);
        if (stored) governance.dropProposal(id);
        _refuseState(IGovernance.Governance__NotExecutable.selector, id, ProposalState.Dropped);
        governance.execute(id);
        _refuseState(IGovernance.Governance__NotExecutable.selector, id, ProposalState.Dropped);
        governance.executeWith(id, _boxAction(1));
        vm.assertEq(box.calls(), 0);
    }

    function testFuzz_dropProposal_storesIt(address anyone, uint256 wait) public {
        uint256 id = _push(_payload());
        _setProposer(b);
        skip(bound(wait, 0, 1000 days));
        vm.assertEq(uint256(governance.getProposal(id).state), uint256(ProposalState.Pending));
        vm.expectEmit(address(governance));
        emit IGovernance.ProposalDropped(id);
        vm.prank(anyone);
        vm.assertTrue(governance.dropProposal(id));
        vm.assertEq(uint256(governance.getProposal(id).state), uint256(ProposalState.Dropped));
        _state(id, ProposalState.Dropped);
        vm.expectRevert(abi.encodeWithSelector(IGovernance.Governance__AlreadyDropped.selector, id));
        governance.dropProposal(id);
    }

    /// @dev The sums of ballots stay what they were.
    function testFuzz_dropProposal_changesNothingElse(uint256 yea, uint256 nea) public {
        yea = bound(yea, 1, MAJORITY - 1);
        nea = bound(nea, 1, MAJORITY - yea);
        _arm();
        uint256 id = _push(_payload());
        vm.warp(_lastPending(id) + 1);
        vm.startPrank(majority);
        governance.vote(id, yea, true);
        governance.vote(id, nea, false);
        vm.stopPrank();
        _setProposer(b);
        bytes32 actionsHash = governance.actionsHash(id);
        bytes memory before = abi.encode(governance.getProposal(id));
        governance.dropProposal(id);
        vm.assertEq(governance.getProposal(id).summedBallot.yea, yea);
        vm.assertEq(governance.getProposal(id).summedBallot.nea, nea);
        vm.assertEq(governance.actionsHash(id), actionsHash);
        vm.assertNotEq(keccak256(abi.encode(governance.getProposal(id))), keccak256(before));
        vm.assertEq(governance.getProposal(id).governanceProposer, a);
    }

    function testFuzz_dropProposal_refusesWhatIsNotDropped(uint256 wait, bool accepted, bool byLock) public {
        _arm();
        uint256 id = byLock ? _pushByLock(_payload()) : _push(_payload());
        uint256[4] memory ends = _ends(id);
        if (accepted) _approve(id);
        vm.warp(bound(wait, START, ends[3] + 1 days));
        ProposalState state = governance.getProposalState(id);
        _refuseNotDropped(id, state);
        governance.dropProposal(id);
    }

    function testFuzz_dropProposal_refusesWhatWasExecuted(bool replaced) public {
        uint256 id = _passed(_payload());
        governance.execute(id);
        if (replaced) _setProposer(b);
        _refuseNotDropped(id, ProposalState.Executed);
        governance.dropProposal(id);
    }

    function testFuzz_dropProposal_refusesUnknownIds(uint256 id, uint256 count) public {
        count = bound(count, 0, 2);
        for (uint256 i; i < count; ++i) {
            _push(_payload());
        }
        _setProposer(b);
        id = bound(id, count, type(uint256).max);
        _refuseUnknown(id);
        governance.dropProposal(id);
    }

    function testFuzz_dropped_agreesWithTheModelWhateverHappens(uint256 seed) public {
        for (uint256 i; i < 16; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 kind = seed % 8;
            if (kind < 3) {
                address next = [a, b, c][(seed >> 8) % 3];
                if (next == proposals) continue;
                _setProposer(next);
                ++_term;
            } else if (kind < 6) {
                _push(_payload());
                _book.push(Line(proposals, _term, false, false));
            } else if (kind == 6) {
                _pushByLock(_payload());
                _book.push(Line(address(governance), _term, true, false));
            } else if (_book.length != 0) {
                uint256 id = (seed >> 8) % _book.length;
                if (_isDropped(_book[id]) && !_book[id].stored) {
                    governance.dropProposal(id);
                    _book[id].stored = true;
                }
            }
        }
        vm.assertEq(governance.proposalCount(), _book.length);
        for (uint256 id; id < _book.length; ++id) {
            Line memory line = _book[id];
            _state(id, _isDropped(line) ? ProposalState.Dropped : ProposalState.Pending, vm.toString(id));
            vm.assertEq(governance.getProposal(id).governanceProposer, line.proposer, vm.toString(id));
            vm.assertEq(
                uint256(governance.getProposal(id).state),
                uint256(line.stored ? ProposalState.Dropped : ProposalState.Pending),
                "stored"
            );
        }
    }

    function _isDropped(Line memory line) private view returns (bool) {
        return !line.byLock && line.term != _term;
    }
}
