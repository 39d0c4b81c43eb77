// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {ProposerTerm} from "canon/types/ProposerTerm.sol";
import {Test} from "../../Test.sol";

contract ProposerTermHarness {
    function withProposal(ProposerTerm term) external pure returns (ProposerTerm) {
        return term.withProposal();
    }

    function withConfiguration(ProposerTerm term) external pure returns (ProposerTerm) {
        return term.withConfiguration();
    }
}

contract ProposerTermTest is Test {
    struct Fields {
        address proposer;
        uint32 proposalCount;
        uint32 firstId;
        uint16 configurationId;
        bool isRecorded;
    }

    ProposerTermHarness internal terms;

    function setUp() public {
        terms = new ProposerTermHarness();
    }

    function _pack(Fields memory f) private pure returns (ProposerTerm) {
        uint256 recorded = f.isRecorded ? 1 : 0;
        return ProposerTerm.wrap(
            recorded << 240 | uint256(f.configurationId) << 224 | uint256(f.firstId) << 192
                | uint256(f.proposalCount) << 160 | uint160(f.proposer)
        );
    }

    function _is(ProposerTerm term, Fields memory f) private pure {
        vm.assertEq(term.proposer(), f.proposer, "proposer");
        vm.assertEq(term.proposalCount(), f.proposalCount, "proposalCount");
        vm.assertEq(term.firstId(), f.firstId, "firstId");
        vm.assertEq(term.configurationId(), f.configurationId, "configurationId");
        vm.assertEq(term.isRecorded(), f.isRecorded, "isRecorded");
        vm.assertEq(ProposerTerm.unwrap(term), ProposerTerm.unwrap(_pack(f)), "nothing else");
    }

    function testFuzz_withProposer_beginsAtThePresentCount(Fields memory f, address next) public pure {
        ProposerTerm term = _pack(f).withProposer(next);
        _is(term, Fields(next, f.proposalCount, f.proposalCount, f.configurationId, false));
    }

    function testFuzz_asRecorded_isAllThatChanges(Fields memory f) public pure {
        ProposerTerm term = _pack(f).asRecorded();
        f.isRecorded = true;
        _is(term, f);
        _is(term.asRecorded(), f);
    }

    function testFuzz_withProposal_countsOne(Fields memory f) public view {
        vm.assume(f.proposalCount != type(uint32).max);
        ProposerTerm term = terms.withProposal(_pack(f));
        ++f.proposalCount;
        _is(term, f);
    }

    function testFuzz_withConfiguration_countsOne(Fields memory f) public view {
        vm.assume(f.configurationId != type(uint16).max);
        ProposerTerm term = terms.withConfiguration(_pack(f));
        ++f.configurationId;
        _is(term, f);
    }

    function testFuzz_counters_refuseWhatDoesNotFit(Fields memory f) public {
        f.proposalCount = type(uint32).max;
        vm.expectRevert(abi.encodeWithSelector(ICommon.ValueTooLarge.selector, 2 ** 32, 2 ** 32 - 1));
        terms.withProposal(_pack(f));
        f.configurationId = type(uint16).max;
        vm.expectRevert(abi.encodeWithSelector(ICommon.ValueTooLarge.selector, 2 ** 16, 2 ** 16 - 1));
        terms.withConfiguration(_pack(f));
    }
}
