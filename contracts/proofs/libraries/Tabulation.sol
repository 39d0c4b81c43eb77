// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Tabulation} from "canon/libraries/Tabulation.sol";
import {Proof} from "../Proof.sol";

/// @title When the holders have accepted a proposal
/// @notice Powers are any that fit 96 bits, and so do their sums; fractions are any up to 1e18, which includes Governance's
/// bounds of 0.9e18.
/// @custom:solver integers
contract TabulationProof is Proof {
    uint256 private constant ONE = 1e18;

    /*//////////////////////////////////////////////////////////////
                              ARITHMETIC
    //////////////////////////////////////////////////////////////*/

    /// @notice Rounding up never lets a fraction of a unit count: a proposal is quorate exactly if, in rational numbers,
    /// cast ≥ total · quorum.
    function check_isQuorateIsTheRationalComparison(uint96 total, uint96 minimumVotes, uint64 quorum, uint96 cast)
        external
        pure
    {
        vm.assume(quorum <= ONE);
        bool expected = total >= minimumVotes && uint256(cast) * ONE >= uint256(total) * quorum;
        assert(Tabulation.isQuorate(total, minimumVotes, quorum, cast) == expected);
    }

    /// @notice For differentials of 0, 1, 0.02e18, 0.04e18, 0.9e18 and 1e18: yea is ahead exactly if, with the share rounded
    /// up, yea ≥ (yea + nea) · share + 1 in rational numbers.
    function check_isAheadIsTheRationalComparison(uint96 yea, uint96 nea) external pure {
        vm.assume(isPossible(yea, nea, 0));
        uint256[6] memory differentials = someDifferentials();
        for (uint256 i; i < 6; ++i) {
            unchecked {
                uint256 share = (ONE + differentials[i] + 1) / 2;
                uint256 needed = (uint256(yea) + nea) * share + ONE;
                assert(Tabulation.isAhead(yea, nea, differentials[i]) == (uint256(yea) * ONE >= needed));
            }
        }
    }

    /*//////////////////////////////////////////////////////////////
                               MAJORITY
    //////////////////////////////////////////////////////////////*/

    /// @notice For the same six differentials: if yea is ahead, it is more than nea.
    function check_aheadIsMore(uint96 yea, uint96 nea) external pure {
        vm.assume(isPossible(yea, nea, 0));
        uint256[6] memory differentials = someDifferentials();
        for (uint256 i; i < 6; ++i) {
            assert(choose(Tabulation.isAhead(yea, nea, differentials[i]), choose(yea > nea, 1, 0), 1) == 1);
        }
    }

    /// @notice For the same six differentials: more yea keeps yea ahead.
    function check_moreYeaStaysAhead(uint96 yea, uint96 more, uint96 nea) external pure {
        vm.assume(isPossible(more, nea, 0) && more >= yea);
        uint256[6] memory differentials = someDifferentials();
        for (uint256 i; i < 6; ++i) {
            bool stays = Tabulation.isAhead(more, nea, differentials[i]);
            assert(choose(Tabulation.isAhead(yea, nea, differentials[i]), choose(stays, 1, 0), 1) == 1);
        }
    }

    /// @notice More nea never brings yea ahead.
    function check_moreNeaBringsNobodyAhead(uint96 yea, uint96 nea, uint96 more, uint64 differential) external pure {
        vm.assume(isPossible(yea, more, differential) && more >= nea);
        if (!Tabulation.isAhead(yea, nea, differential)) assert(!Tabulation.isAhead(yea, more, differential));
    }

    /*//////////////////////////////////////////////////////////////
                                QUORUM
    //////////////////////////////////////////////////////////////*/

    /// @notice More ballots of either side keep a proposal quorate.
    function check_moreBallotsStayQuorate(uint96 total, uint96 minimumVotes, uint64 quorum, uint96 cast, uint96 more)
        external
        pure
    {
        vm.assume(quorum <= ONE && more >= cast);
        if (Tabulation.isQuorate(total, minimumVotes, quorum, cast)) {
            assert(Tabulation.isQuorate(total, minimumVotes, quorum, more));
        }
    }

    /// @notice If everybody votes, any quorum is reached.
    function check_allPowerIsAQuorum(uint96 total, uint96 minimumVotes, uint64 quorum) external pure {
        vm.assume(quorum <= ONE && total >= minimumVotes);
        assert(Tabulation.isQuorate(total, minimumVotes, quorum, total));
    }

    /// @notice With a quorum and a minimum of at least 1, no proposal without ballots is quorate.
    function check_noBallotsAreNoQuorum(uint96 total, uint96 minimumVotes, uint64 quorum) external pure {
        vm.assume(quorum <= ONE && quorum != 0 && minimumVotes != 0);
        assert(!Tabulation.isQuorate(total, minimumVotes, quorum, 0));
    }

    /*//////////////////////////////////////////////////////////////
                               REFUTED
    //////////////////////////////////////////////////////////////*/

    /// @notice Wrong: whoever has more is ahead, whatever the differential.
    function refute_moreIsAhead(uint96 yea, uint96 nea, uint64 differential) external pure {
        vm.assume(isPossible(yea, nea, differential));
        if (yea > nea) assert(Tabulation.isAhead(yea, nea, differential));
    }

    /// @notice Wrong: yea alone is ahead by any differential. (Governance doesn't ask if nobody is against.)
    function refute_unanimityIsAhead(uint96 yea, uint64 differential) external pure {
        vm.assume(isPossible(yea, 0, differential) && yea != 0);
        assert(Tabulation.isAhead(yea, 0, differential));
    }

    function someDifferentials() private pure returns (uint256[6] memory) {
        return [uint256(0), 1, 0.02e18, 0.04e18, 0.9e18, 1e18];
    }

    function isPossible(uint256 yea, uint256 nea, uint256 differential) private pure returns (bool) {
        unchecked {
            return yea + nea <= type(uint96).max && differential <= ONE;
        }
    }
}
