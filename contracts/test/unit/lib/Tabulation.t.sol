// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Tabulation} from "canon/libraries/Tabulation.sol";
import {Test} from "../../Test.sol";
import {Reference, Vector, Vectors} from "./TabulationReference.sol";

contract TabulationHarness {
    function isQuorate(uint256 total, uint256 minimumVotes, uint256 quorum, uint256 cast) public pure returns (bool) {
        return Tabulation.isQuorate(total, minimumVotes, quorum, cast);
    }

    function isAhead(uint256 yea, uint256 nea, uint256 differential) public pure returns (bool) {
        return Tabulation.isAhead(yea, nea, differential);
    }

    /// @dev The two questions put together as the protocol does.
    function isAccepted(Vector memory v) external pure returns (bool) {
        if (!isQuorate(v.total, v.minimumVotes, v.quorum, v.yea + v.nea)) return false;
        return v.nea == 0 || isAhead(v.yea, v.nea, v.differential);
    }
}

contract TabulationTest is Test {
    uint256 private constant ONE = 1e18;

    TabulationHarness internal tabulation;

    function setUp() public {
        tabulation = new TabulationHarness();
    }

    function test_isAccepted_allVectors() public view {
        Vector[] memory vectors = Vectors.all();
        vm.assertEq(vectors.length, 14);
        for (uint256 i; i < vectors.length; ++i) {
            vm.assertEq(tabulation.isAccepted(vectors[i]), vectors[i].accepted, vm.toString(i));
        }
    }

    /// @dev The reference itself is right about what is known.
    function test_reference_allVectors() public pure {
        Vector[] memory vectors = Vectors.all();
        for (uint256 i; i < vectors.length; ++i) {
            vm.assertEq(Reference.isAccepted(vectors[i]), vectors[i].accepted, vm.toString(i));
        }
    }

    function testFuzz_isAccepted_agreesWithTheReference(Vector memory v) public view {
        v = _bound(v);
        vm.assertEq(tabulation.isAccepted(v), Reference.isAccepted(v));
    }

    /// @dev Small numbers, where every rounding matters.
    function testFuzz_isAccepted_agreesWithTheReferenceOnSmallNumbers(Vector memory v) public view {
        v.total = bound(v.total, 1, 300);
        v.minimumVotes = bound(v.minimumVotes, 1, 300);
        v.quorum = _roundOrFine(v.quorum, 1);
        v.differential = _roundOrFine(v.differential, 0);
        v.yea = bound(v.yea, 0, v.total);
        v.nea = bound(v.nea, 0, v.total - v.yea);
        vm.assertEq(tabulation.isAccepted(v), Reference.isAccepted(v));
    }

    /// @dev Exactly as much as needed is quorate, one unit less is not.
    function testFuzz_isQuorate_boundary(uint256 total, uint256 quorum) public view {
        total = bound(total, 1, type(uint96).max);
        quorum = bound(quorum, 1, ONE);
        uint256 needed = Reference.needed(total, quorum);
        vm.assertTrue(tabulation.isQuorate(total, 1, quorum, needed));
        vm.assertFalse(tabulation.isQuorate(total, 1, quorum, needed - 1));
    }

    function testFuzz_isQuorate_neverBelowMinimumVotes(uint256 minimumVotes, uint256 total, uint256 quorum) public view {
        minimumVotes = bound(minimumVotes, 1, type(uint96).max);
        quorum = bound(quorum, 1, ONE);
        total = bound(total, 0, minimumVotes - 1);
        vm.assertFalse(tabulation.isQuorate(total, minimumVotes, quorum, total));
        vm.assertTrue(tabulation.isQuorate(minimumVotes, minimumVotes, quorum, minimumVotes));
    }

    function testFuzz_isQuorate_needsAVote(uint256 total, uint256 quorum) public view {
        total = bound(total, 1, type(uint96).max);
        quorum = bound(quorum, 1, ONE);
        vm.assertFalse(tabulation.isQuorate(total, 1, quorum, 0));
    }

    function testFuzz_isQuorate_allPowerCastAlwaysSuffices(uint256 total, uint256 quorum) public view {
        total = bound(total, 1, type(uint96).max);
        quorum = bound(quorum, 1, ONE);
        vm.assertTrue(tabulation.isQuorate(total, total, quorum, total));
    }

    function testFuzz_isAhead_boundary(uint256 cast, uint256 differential) public view {
        cast = bound(cast, 1, type(uint96).max);
        differential = bound(differential, 0, ONE);
        uint256 limit = Reference.limit(cast, differential);
        vm.assertFalse(tabulation.isAhead(limit, cast - limit, differential));
        if (limit < cast) vm.assertTrue(tabulation.isAhead(limit + 1, cast - limit - 1, differential));
    }

    function testFuzz_isAhead_aTieNeverPasses(uint256 each, uint256 differential) public view {
        each = bound(each, 0, type(uint96).max / 2);
        vm.assertFalse(tabulation.isAhead(each, each, bound(differential, 0, ONE)));
    }

    function testFuzz_isAhead_whatPassesLeadsByTheDifferential(uint256 yea, uint256 cast, uint256 differential)
        public
        view
    {
        cast = bound(cast, 1, type(uint96).max);
        differential = bound(differential, 0, ONE);
        uint256 limit = Reference.limit(cast, differential);
        vm.assume(limit < cast);
        yea = bound(yea, limit + 1, cast);
        uint256 nea = cast - yea;
        vm.assertTrue(tabulation.isAhead(yea, nea, differential));
        vm.assertGt(yea, nea);
        vm.assertGt((yea - nea) * ONE, cast * differential);
    }

    function testFuzz_isAhead_noMarginSufficesAgainstAFullDifferential(uint256 yea, uint256 nea) public view {
        yea = bound(yea, 0, type(uint96).max);
        nea = bound(nea, 0, type(uint96).max - yea);
        vm.assertFalse(tabulation.isAhead(yea, nea, ONE));
    }

    /// @dev A ballot for never hurts and one against never helps, once the quorum stands.
    function testFuzz_isAhead_isMonotonous(uint256 yea, uint256 nea, uint256 more, uint256 differential) public view {
        yea = bound(yea, 0, type(uint96).max / 2);
        nea = bound(nea, 0, type(uint96).max / 4);
        more = bound(more, 0, type(uint96).max / 4);
        differential = bound(differential, 0, ONE);
        bool ahead = tabulation.isAhead(yea, nea, differential);
        if (ahead) vm.assertTrue(tabulation.isAhead(yea + more, nea, differential));
        else vm.assertFalse(tabulation.isAhead(yea, nea + more, differential));
    }

    function testFuzz_isAhead_aStricterDifferentialNeverHelps(uint256 yea, uint256 cast, uint256 lax, uint256 strict)
        public
        view
    {
        cast = bound(cast, 1, type(uint96).max);
        strict = bound(strict, 0, ONE);
        lax = bound(lax, 0, strict);
        uint256 limit = Reference.limit(cast, strict);
        vm.assume(limit < cast);
        yea = bound(yea, limit + 1, cast);
        vm.assertTrue(tabulation.isAhead(yea, cast - yea, strict));
        vm.assertTrue(tabulation.isAhead(yea, cast - yea, lax));
    }

    function _bound(Vector memory v) private pure returns (Vector memory) {
        v.total = bound(v.total, 0, type(uint96).max);
        v.minimumVotes = bound(v.minimumVotes, 1, type(uint96).max);
        // Half of the time the total is enough, or everything would be rejected for that alone.
        if (v.minimumVotes & 1 == 0 && v.total != 0) v.minimumVotes = 1 + v.minimumVotes % v.total;
        v.quorum = _roundOrFine(v.quorum, 1);
        v.differential = _roundOrFine(v.differential, 0);
        v.yea = bound(v.yea, 0, v.total);
        v.nea = bound(v.nea, 0, v.total - v.yea);
        return v;
    }

    /// @dev A fraction to the unit, or in whole percents, as people choose them.
    function _roundOrFine(uint256 fraction, uint256 min) private pure returns (uint256) {
        if (fraction & 1 == 0) return bound(fraction, min, ONE);
        return bound((fraction >> 1) % 101 * 0.01e18, min, ONE);
    }
}
