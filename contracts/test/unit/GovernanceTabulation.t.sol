// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Configuration, ProposalState} from "canon/interfaces/IGovernance.sol";
import {SetLib} from "../Set.sol";
import {GovernanceFixture} from "./GovernanceFixture.t.sol";
import {Reference, Vector, Vectors} from "./lib/TabulationReference.sol";

/// @notice When a proposal passes, by real ballots on what is shipped.
contract GovernanceTabulationTest is GovernanceFixture {
    address internal yes;
    address internal no;
    address internal abstaining;

    function setUp() public override {
        super.setUp();
        yes = addressOf("yes");
        no = addressOf("no");
        abstaining = addressOf("abstaining");
    }

    function _deployFor(Vector memory v) private {
        Configuration memory c = SetLib.configuration();
        c.quorum = v.quorum;
        c.voteDifferential = v.differential;
        c.minimumVotes = v.minimumVotes;
        _deploy(c);
    }

    /// @dev Whether the vector is accepted, by real ballots.
    function _result(Vector memory v) private returns (bool) {
        _deployFor(v);
        if (v.yea != 0) _lock(yes, v.yea);
        if (v.nea != 0) _lock(no, v.nea);
        if (v.total > v.yea + v.nea) _lock(abstaining, v.total - v.yea - v.nea);
        uint256 id = _push(_payload());
        vm.warp(_lastPending(id) + 1);
        if (v.yea != 0) _cast(id, yes, v.yea, true);
        if (v.nea != 0) _cast(id, no, v.nea, false);
        vm.warp(_ends(id)[1] + 1);
        ProposalState state = governance.getProposalState(id);
        vm.assertTrue(state == ProposalState.Queued || state == ProposalState.Rejected);
        return state == ProposalState.Queued;
    }

    function _cast(uint256 id, address voter, uint256 amount, bool support) private {
        vm.prank(voter);
        governance.vote(id, amount, support);
    }

    function _fraction(uint256 seed, uint256 min) private pure returns (uint256) {
        return seed & 1 == 0 ? bound(seed, min, 0.9e18) : bound((seed >> 1) % 91 * 0.01e18, min, 0.9e18);
    }

    function test_tabulation_allVectors() public {
        Vector[] memory vectors = Vectors.all();
        for (uint256 i; i < vectors.length; ++i) {
            // Fractions of 1 are of the arithmetic alone: no configuration may have them.
            if (vectors[i].quorum > 0.9e18) continue;
            vm.assertEq(_result(vectors[i]), vectors[i].accepted, vm.toString(i));
        }
    }

    function testFuzz_tabulation_agreesWithTheReference(Vector memory v) public {
        v.total = bound(v.total, 0, SUPPLY);
        uint256 most = v.minimumVotes & 1 == 0 || v.total == 0 || v.total > SUPPLY / 2 ? SUPPLY / 2 : v.total;
        v.minimumVotes = bound(v.minimumVotes, 1, most);
        v.quorum = _fraction(v.quorum, 1);
        v.differential = _fraction(v.differential, 0);
        v.yea = bound(v.yea, 0, v.total);
        v.nea = bound(v.nea, 0, v.total - v.yea);
        vm.assertEq(_result(v), Reference.isAccepted(v));
    }

    /// @dev Where every unit matters: as many for as needed, and one less.
    function testFuzz_tabulation_turnsAtTheLimit(uint256 cast, uint256 differential, bool enough) public {
        Vector memory v;
        v.total = bound(cast, 3, SUPPLY);
        v.minimumVotes = 1;
        v.quorum = 0.9e18;
        v.differential = _fraction(differential, 0);
        uint256 limit = Reference.limit(v.total, v.differential);
        // Unanimity is another rule.
        vm.assume(limit + 1 < v.total);
        v.yea = enough ? limit + 1 : limit;
        v.nea = v.total - v.yea;
        vm.assertEq(_result(v), enough);
    }

    function testFuzz_tabulation_turnsAtTheQuorum(uint256 total, uint256 quorum, bool enough) public {
        Vector memory v;
        v.total = bound(total, 2, SUPPLY);
        v.minimumVotes = 1;
        v.quorum = _fraction(quorum, 1);
        uint256 needed = Reference.needed(v.total, v.quorum);
        v.yea = enough ? needed : needed - 1;
        vm.assertEq(_result(v), enough);
    }

    function testFuzz_tabulation_turnsAtMinimumVotes(uint256 minimumVotes, bool enough) public {
        Vector memory v;
        v.minimumVotes = bound(minimumVotes, 2, SUPPLY / 2);
        v.total = enough ? v.minimumVotes : v.minimumVotes - 1;
        v.yea = v.total;
        v.quorum = 1;
        vm.assertEq(_result(v), enough);
    }

    function testFuzz_tabulation_unanimityNeedsNoMargin(uint256 total, uint256 differential, uint256 cast) public {
        Vector memory v;
        v.total = bound(total, 1, SUPPLY);
        v.minimumVotes = 1;
        v.quorum = 1;
        v.differential = bound(differential, 0, 0.9e18);
        v.yea = bound(cast, Reference.needed(v.total, 1), v.total);
        vm.assertTrue(_result(v));
    }

    function testFuzz_tabulation_aTieIsRejected(uint256 each, uint256 rest, uint256 differential) public {
        Vector memory v;
        v.yea = v.nea = bound(each, 1, SUPPLY / 2);
        v.total = v.yea + v.nea + bound(rest, 0, SUPPLY - v.yea - v.nea);
        v.minimumVotes = 1;
        v.quorum = 1;
        v.differential = bound(differential, 0, 0.9e18);
        vm.assertFalse(_result(v));
    }

    /// @dev The total is that of the last second of Pending: what comes in it counts, what comes later doesn't.
    function testFuzz_tabulation_theTotalIsThatOfTheLastSecondOfPending(uint256 early, uint256 late, uint256 later)
        public
    {
        early = bound(early, 1, SUPPLY / 20);
        late = bound(late, 1, SUPPLY / 2);
        later = bound(later, 1, SUPPLY / 4);
        Vector memory v;
        v.minimumVotes = 1;
        v.quorum = 0.5e18;
        _deployFor(v);
        _lock(yes, early);
        uint256 id = _push(_payload());
        vm.warp(_lastPending(id));
        _lock(abstaining, late);
        vm.warp(_lastPending(id) + 1);
        _lock(abstaining, later);
        _cast(id, yes, early, true);
        vm.warp(_ends(id)[1] + 1);
        bool accepted = early >= Reference.needed(early + late, 0.5e18);
        _state(id, accepted ? ProposalState.Queued : ProposalState.Rejected);
    }

    /// @dev Once the voting is over, nothing that holders do changes the result.
    function testFuzz_tabulation_isNotChangedByLaterPower(uint256 deposited, uint256 withdrawn) public {
        _arm();
        _lock(yes, 1e18);
        uint256 id = _push(_payload());
        _approve(id);
        _lock(no, bound(deposited, 1, SUPPLY / 2));
        vm.prank(majority);
        governance.initiateWithdraw(majority, bound(withdrawn, 1, MAJORITY));
        vm.warp(_ends(id)[1] + 1);
        _state(id, ProposalState.Queued);
        vm.warp(_ends(id)[2] + 1);
        _state(id, ProposalState.Executable);
    }
}
