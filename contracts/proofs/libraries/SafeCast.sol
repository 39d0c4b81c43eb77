// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "canon/libraries/SafeCast.sol";
import {Proof} from "../Proof.sol";

/// @title Casts that revert instead of truncating
contract SafeCastProof is Proof {
    /// @notice `requireAtMost` accepts every value up to the bound and refuses every other.
    function check_requireAtMostAcceptsOrReverts(uint256 value, uint256 max) external view {
        try this.requireAtMost(value, max) {
            assert(value <= max);
        } catch (bytes memory reason) {
            assert(value > max && isTooLarge(reason, value, max));
        }
    }

    /// @notice Each cast returns every value that fits and refuses every other.
    function check_castsReturnOrRevert(uint256 value) external view {
        try this.toUint96(value) returns (uint256 found) {
            assert(found == value && fits(value, 96));
        } catch (bytes memory reason) {
            assert(!fits(value, 96) && isTooLarge(reason, value, 2 ** 96 - 1));
        }
        try this.toUint40(value) returns (uint256 found) {
            assert(found == value && fits(value, 40));
        } catch (bytes memory reason) {
            assert(!fits(value, 40) && isTooLarge(reason, value, 2 ** 40 - 1));
        }
        try this.toUint32(value) returns (uint256 found) {
            assert(found == value && fits(value, 32));
        } catch (bytes memory reason) {
            assert(!fits(value, 32) && isTooLarge(reason, value, 2 ** 32 - 1));
        }
    }

    /// @notice Wrong: 2^40 - 1 is refused.
    function refute_theGreatestTimeIsRefused(uint256 value) external pure {
        assert(SafeCast.toUint40(value) < type(uint40).max);
    }

    function requireAtMost(uint256 value, uint256 max) external pure {
        SafeCast.requireAtMost(value, max);
    }

    function toUint96(uint256 value) external pure returns (uint256) {
        return SafeCast.toUint96(value);
    }

    function toUint40(uint256 value) external pure returns (uint256) {
        return SafeCast.toUint40(value);
    }

    function toUint32(uint256 value) external pure returns (uint256) {
        return SafeCast.toUint32(value);
    }
}
