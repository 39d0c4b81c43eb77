// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice A tally and what it is under a configuration.
struct Vector {
    uint256 total;
    uint256 minimumVotes;
    uint256 quorum;
    uint256 differential;
    uint256 yea;
    uint256 nea;
    bool accepted;
}

/// @notice The vectors that are known of this family of contracts.
library Vectors {
    function all() internal pure returns (Vector[] memory v) {
        v = new Vector[](14);
        v[0] = Vector(10, 1, 0.1e18, 0, 1, 0, true);
        v[1] = Vector(10, 1, 0.1e18, 0, 1, 1, false);
        v[2] = Vector(10, 1, 0.1e18, 0, 2, 1, false);
        v[3] = Vector(10, 1, 0.1e18, 0, 3, 1, true);
        v[4] = Vector(11, 1, 0.1e18, 0, 1, 0, false);
        v[5] = Vector(100, 1, 0.1e18, 0.04e18, 52, 48, false);
        v[6] = Vector(100, 1, 0.1e18, 0.04e18, 53, 47, true);
        v[7] = Vector(1000e18, 1000e18, 0.1e18, 0.04e18, 52e18 + 1, 48e18 - 1, true);
        v[8] = Vector(1000e18 - 1, 1000e18, 0.1e18, 0.04e18, 52e18 + 1, 48e18 - 1, false);
        v[9] = Vector(100, 1, 1e18, 1e18, 99, 1, false);
        v[10] = Vector(100, 1, 1e18, 1e18, 100, 0, true);
        v[11] = Vector(100, 1, 0.33e18, 0.33e18, 67, 33, false);
        v[12] = Vector(1000, 1, 0.2e18, 0.33e18, 665, 335, false);
        v[13] = Vector(1000, 1, 0.2e18, 0.33e18, 666, 334, true);
    }
}

/// @title The tabulation rule again, with other arithmetic
/// @notice Numbers of any size as lists of 64-bit digits, and nothing rests on a division: `x >= ceil(a / b)`
/// is `x * b >= a`.
library Reference {
    uint256 private constant DIGIT = 1 << 64;

    /// @notice Whether the proposal is accepted.
    function isAccepted(Vector memory v) internal pure returns (bool) {
        if (v.total < v.minimumVotes) return false;
        uint256 cast = v.yea + v.nea;
        uint256[] memory one = _digits(1e18);
        if (_less(_product(_digits(cast), one), _product(_digits(v.total), _digits(v.quorum)))) return false;
        if (v.yea == cast) return true;
        // yea > ceil(cast * share / 1e18) is yea - 1 >= ceil(cast * share / 1e18).
        if (v.yea == 0) return false;
        uint256[] memory bar = _product(_digits(cast), _digits(share(v.differential)));
        return !_less(_product(_digits(v.yea - 1), one), bar);
    }

    /// @notice ceil((1e18 + differential) / 2)
    function share(uint256 differential) internal pure returns (uint256) {
        return 0.5e18 + (differential >> 1) + (differential & 1);
    }

    /// @notice The least cast power that makes a quorum.
    function needed(uint256 total, uint256 quorum) internal pure returns (uint256) {
        return _least(total, quorum);
    }

    /// @notice The most yea that isn't enough.
    function limit(uint256 cast, uint256 differential) internal pure returns (uint256) {
        return _least(cast, share(differential));
    }

    /// @dev The least x with x * 1e18 >= a * b: guessed by division, and proved without.
    function _least(uint256 a, uint256 b) private pure returns (uint256 x) {
        x = (a * b + 1e18 - 1) / 1e18;
        uint256[] memory one = _digits(1e18);
        uint256[] memory product = _product(_digits(a), _digits(b));
        require(!_less(_product(_digits(x), one), product), "not enough");
        require(x == 0 || _less(_product(_digits(x - 1), one), product), "not the least");
    }

    /// @dev Least significant digit first, always four of them.
    function _digits(uint256 value) private pure returns (uint256[] memory digits) {
        digits = new uint256[](4);
        for (uint256 i; i < 4; ++i) {
            digits[i] = value % DIGIT;
            value >>= 64;
        }
    }

    /// @dev As on paper.
    function _product(uint256[] memory a, uint256[] memory b) private pure returns (uint256[] memory digits) {
        digits = new uint256[](a.length + b.length);
        for (uint256 i; i < a.length; ++i) {
            if (a[i] == 0) continue;
            uint256 carry;
            for (uint256 j; j < b.length; ++j) {
                uint256 sum = digits[i + j] + a[i] * b[j] + carry;
                digits[i + j] = sum % DIGIT;
                carry = sum >> 64;
            }
            digits[i + b.length] += carry;
        }
    }

    function _less(uint256[] memory a, uint256[] memory b) private pure returns (bool) {
        for (uint256 i = a.length; i != 0; --i) {
            if (a[i - 1] != b[i - 1]) return a[i - 1] < b[i - 1];
        }
        return false;
    }
}
